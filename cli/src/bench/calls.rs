//! What the way through a package costs: pages of lists, and saving a visit, by the Kotlin and the Swift package beside
//! the same calls in Rust.
//!
//! Each is a program of its own that opens a copy of the same phone, turn by turn; `./dev bench` builds them and says how they
//! are run. They print one line of JSON, see [`Costs`].

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use langso_device::companion::households::ListHouseholds;
use langso_device::companion::visits::{FindVisits, NewService, NewVisit};
use langso_device::{AppError, Companion, SystemTime, TimeSource as _};
use langso_domain::id::HamletId;
use serde::{Deserialize, Serialize};

use super::book::Scribe;
use super::clocks::{cost, micros, percentile};
use super::line::Line;
use super::site::{Hands, Site};
use super::workload::FIRST_DAY;
use super::{Bench, Res};

/// Turns of each program.
const TURNS: usize = 3;

/// The middle of many calls, in microseconds of wall time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Costs {
    /// `households.list_households`, the first page.
    households_us: f64,
    /// `visits.list_visits`, the first page.
    visits_us: f64,
    /// `visits.log_visit` of an anonymous visit with one service.
    log_us: f64,
}

/// Pages and saves by each package.
pub fn calls(bench: &Bench) -> Res<Vec<Line>> {
    let load = bench.load();
    let folder = bench.folder("calls")?;
    // The programs know the machine's own clock only.
    let today = i32::try_from(SystemTime.wall_ms() / 86_400_000)? - FIRST_DAY.0;
    let site = Site::start(folder.path(), &Hands::at_day(today))?;
    let phone = site.enrol("phone", 1, &site.url())?;
    site.sync(&phone.open()?)?;
    let mut scribe = Scribe::new(load, &site.roster, 17);
    let written: Vec<_> = (0..load.visits.len()).flat_map(|number| scribe.visit(number)).collect();
    site.write(&phone, &written)?;
    let hamlet = site.roster.hamlets[0].to_string();
    let rounds = bench.scale.saves.to_string();

    let ours = (std::env::current_exe()?, &["bench", "--calls"][..]);
    let theirs = |program: &Option<PathBuf>| program.clone().map(|program| (program, &[][..]));
    let programs = [("Rust", Some(ours)), ("Kotlin", theirs(&bench.kotlin)), ("Swift", theirs(&bench.swift))];
    let mut told: Vec<(&str, Vec<Costs>)> = Vec::new();
    for _ in 0..TURNS {
        for (name, program) in &programs {
            let Some((program, arguments)) = program else { continue };
            // Each begins with the same book.
            let copy = bench.folder("calls-copy")?;
            for file in std::fs::read_dir(&phone.folder)? {
                let file = file?;
                std::fs::copy(file.path(), copy.path().join(file.file_name()))?;
            }
            let out =
                Command::new(program).args(*arguments).arg(copy.path()).args([&hamlet, &rounds]).output()?;
            let text = String::from_utf8_lossy(&out.stdout);
            let costs = serde_json::from_str(text.lines().last().unwrap_or_default()).map_err(|error| {
                format!("the program of {name}: {error}: {text}{}", String::from_utf8_lossy(&out.stderr))
            })?;
            match told.iter_mut().find(|(of, _)| of == name) {
                Some((_, all)) => all.push(costs),
                None => told.push((name, vec![costs])),
            }
        }
    }
    site.stop()?;
    Ok(lines(&told, load.visits.len()))
}

fn lines(told: &[(&str, Vec<Costs>)], visits: usize) -> Vec<Line> {
    let middle = |name: &str, of: fn(&Costs) -> f64| {
        let (_, costs) = told.iter().find(|(by, _)| *by == name)?;
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let how = format!(
        "a book of {visits} visits, release build, each a program of its own; the middle of {TURNS} turns, in each p50 of its calls"
    );
    let mut lines = Vec::new();
    let slower = |costs: &Costs| costs.households_us.max(costs.visits_us);
    for (page, log, name) in
        [("page_kotlin_ms", "log_kotlin", "Kotlin"), ("page_swift_ms", "log_swift", "Swift")]
    {
        let reference = |of| middle("Rust", of).unwrap_or_default();
        match (middle(name, slower), middle(name, |costs| costs.log_us)) {
            (Some(value), Some(logs)) => {
                let of = |of| middle(name, of).unwrap_or_default();
                lines.push(Line::beside(
                    page,
                    value / 1_000.0,
                    reference(slower) / 1_000.0,
                    format!(
                        "a page of households ({:.0} µs, in Rust {:.0}) and of visits ({:.0} µs, in Rust {:.0}), the slower of the two; {how}",
                        of(|costs| costs.households_us),
                        reference(|costs| costs.households_us),
                        of(|costs| costs.visits_us),
                        reference(|costs| costs.visits_us),
                    ),
                ));
                lines.push(Line::beside(log, logs, reference(|costs| costs.log_us), format!("visits.log_visit, an anonymous visit with one service, beside the same in Rust; {how}")));
            }
            _ => {
                let why = format!("no program of the {name} package; ./dev bench builds it");
                lines.extend([page, log].map(|line| Line::not_run(line, &why)));
            }
        }
    }
    lines
}

/// The side of Rust: opens the phone and prints what its calls cost.
pub fn print_costs(folder: &Path, hamlet: &str, rounds: usize) -> Res<()> {
    let companion = Companion::open(folder, Arc::new(SystemTime))?;
    let hamlet: HamletId = hamlet.parse().map_err(|_| "no hamlet's id")?;
    let page = ListHouseholds::default();
    let households_us =
        middle(rounds, || companion.attempt(|phone| phone.households().list_households(page)))?;
    let page = FindVisits::default();
    let visits_us = middle(rounds, || companion.attempt(|phone| phone.visits().list_visits(page.clone())))?;
    let visit = NewVisit {
        hamlet: Some(hamlet),
        services: vec![NewService::new(None, "vneid_level2", 1)],
        ..NewVisit::default()
    };
    let log_us = middle(rounds, || companion.attempt(|phone| phone.visits().log_visit(visit.clone())))?;
    println!("{}", serde_json::to_string(&Costs { households_us, visits_us, log_us })?);
    Ok(())
}

/// The middle of that many calls, in microseconds, after as many to warm up.
fn middle<T>(rounds: usize, call: impl Fn() -> Result<T, AppError>) -> Res<f64> {
    let mut times = Vec::with_capacity(2 * rounds);
    for _ in 0..2 * rounds {
        times.push(cost(&call)?.1.wall);
    }
    Ok(micros(percentile(&mut times[rounds..], 50)))
}
