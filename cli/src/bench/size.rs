//! How much a phone needs: memory in a long first sync, and bytes of program.

use std::path::Path;
use std::process::Command;

use langso_domain::registry::ScopeKind;

use super::line::Line;
use super::site::{Hands, PhoneAt, Site};
use super::travel::{grow, last_day};
use super::workload::Workload;
use super::{Bench, Res};

/// A million bytes.
const MB: f64 = 1_000_000.0;

/// The most memory that a phone's process ever held while it fetched a book ten times as long.
pub fn memory(bench: &Bench) -> Res<Vec<Line>> {
    const LINE: &str = "memory_mb";
    if peak_memory().is_none() {
        return Ok(vec![Line::not_run(LINE, "only Linux tells the peak of a process (VmHWM)")]);
    }
    let load = Workload::new(bench.scale.long, bench.seed);
    let folder = bench.folder("memory")?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(&load)))?;
    grow(&site, &load, load.visits.len(), &[ScopeKind::Team])?;
    // What the projector does when enough is new.
    let hub = &site.running.hub;
    hub.snapshots.make(&hub.replicas, site.scopes[0].1, true)?;
    let phone = site.enrol("phone", 1, &site.url())?;
    let told = Command::new(std::env::current_exe()?)
        .args(["bench", "--first-sync"])
        .arg(&phone.folder)
        .args(["--day", &last_day(&load).to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&told.stdout);
    let peak: Option<f64> = text.lines().last().and_then(|line| line.trim().parse().ok());
    let peak = peak.ok_or_else(|| {
        format!("the phone's process said: {text}{}", String::from_utf8_lossy(&told.stderr))
    })?;
    let rows: i64 =
        phone.replica()?.connection().query_row("SELECT count(*) FROM visits", [], |row| row.get(0))?;
    if rows as usize != load.visits.len() {
        return Err(format!("{rows} visits arrived").into());
    }
    site.stop()?;
    let how = format!(
        "a phone in a process of its own fetches {rows} visits of the team scope by the hub's snapshot; its VmHWM at the end, all included"
    );
    Ok(vec![Line::alone(LINE, peak / MB, how)])
}

/// The phone's side of [`memory`]: one first sync, then the peak on standard output.
pub fn first_sync(folder: &Path, day: i32) -> Res<()> {
    let phone = PhoneAt { folder: folder.to_owned(), hands: Hands::at_day(day) };
    let companion = phone.open()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(companion.sync().sync_now(Default::default()))?;
    if !report.is_done {
        return Err("the sync did not end".into());
    }
    println!("{}", peak_memory().ok_or("no peak")?);
    Ok(())
}

/// The most memory this process has held, in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The core as a stripped program.
pub fn core(bench: &Bench) -> Res<Vec<Line>> {
    const LINE: &str = "core_mb";
    let Some(path) = &bench.core else {
        return Ok(vec![Line::not_run(LINE, "no --core was given; ./dev bench builds it")]);
    };
    let bytes = std::fs::metadata(path)?.len();
    let how = format!(
        "{}: opens a phone and runs every call of Companion, SQLite and the HTTP client inside; profile phone, stripped, for {}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::env::consts::ARCH
    );
    Ok(vec![Line::alone(LINE, bytes as f64 / MB, how)])
}
