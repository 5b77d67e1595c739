//! What travels every day: edits, nothing new, and a day's visits over a link of the mountains.

use std::time::{Duration, Instant};

use langso_device::Phone;
use langso_domain::id::RowId;
use langso_domain::registry::ScopeKind;

use super::clocks::{ms, percentile};
use super::line::Line;
use super::proxy::{Link, Proxy};
use super::site::{Hands, PhoneAt, Site};
use super::travel::{grow, last_day, since};
use super::workload::{VISITS_A_RUN, Workload};
use super::{Bench, Res};

/// Visits of the day.
const DAY: usize = 40;
/// A 2G link on a slope.
const BITS: u64 = 23_000;
const CUT_AFTER: Duration = Duration::from_secs(10);

/// A site with the whole book, and a phone that has fetched it all.
fn settled(bench: &Bench, name: &str) -> Res<(tempfile::TempDir, Site, Proxy, PhoneAt)> {
    let load = bench.load();
    let folder = bench.folder(name)?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(load)))?;
    grow(&site, load, load.visits.len(), &[ScopeKind::Team, ScopeKind::Training])?;
    let proxy = Proxy::start(site.runtime(), site.running.addr, Link::default())?;
    let phone = site.enrol("phone", 1, &site.url())?;
    site.sync(&phone.open()?)?;
    Ok((folder, site, proxy, phone))
}

/// A hundred corrections of service rows, each a save of its own, brought to the hub.
pub fn edits(bench: &Bench) -> Res<Vec<Line>> {
    let (_folder, site, proxy, phone) = settled(bench, "edits")?;
    let count = bench.scale.edits;
    let rows = {
        let replica = phone.replica()?;
        let mut get =
            replica.connection().prepare("SELECT id FROM service_rows ORDER BY substr(id, 5), id")?;
        let rows = get.query_map([], |row| row.get(0).map(RowId))?;
        rows.collect::<Result<Vec<RowId>, _>>()?
    };
    let step = (rows.len() / ((bench.scale.repeats + 1) * count)).max(1);
    let mut rows = rows.into_iter().step_by(step);
    let mut times = Vec::new();
    let mut bytes = 0;
    let mut detail = String::new();
    for run in 0..=bench.scale.repeats {
        phone.lead_to(&if run == 0 { proxy.url() } else { site.url() })?;
        let mut saver = Phone::open(&phone.folder, std::sync::Arc::new(phone.hands.clone()))?;
        for row in rows.by_ref().take(count) {
            saver.save(|saving| {
                saving.patch("service_row", row, [("outcome", 5u8.into())])?;
                saving.give_reason(ScopeKind::Team, 1, None);
                Ok(())
            })?;
        }
        drop(saver);
        let companion = phone.open()?;
        let before = proxy.passed();
        let start = Instant::now();
        let report = site.sync(&companion)?;
        if run == 0 {
            let passed = since(proxy.passed(), before);
            bytes = passed.bytes();
            detail = format!("{} up, {} down, {} requests", passed.up, passed.down, report.requests);
        } else {
            times.push(start.elapsed());
        }
    }
    site.stop()?;
    let how =
        format!("{count} corrections of service rows, a save each, by a phone with the whole book; {detail}");
    Ok(vec![
        Line::alone(
            "edits_100_ms",
            ms(percentile(&mut times, 50)),
            format!("{how}; median of {}", times.len()),
        ),
        Line::alone("edits_100_bytes", bytes as f64, how),
    ])
}

/// Syncs of a phone that has nothing and for which there is nothing: at once, after others synced, after a week.
pub fn noop(bench: &Bench) -> Res<Vec<Line>> {
    let (_folder, site, proxy, phone) = settled(bench, "noop")?;
    let other = site.enrol("other", 2, &site.url())?;
    site.sync(&other.open()?)?;
    site.sync(&phone.open()?)?;
    let mut times = Vec::new();
    {
        let companion = phone.open()?;
        for _ in 0..bench.scale.noops {
            let start = Instant::now();
            site.sync(&companion)?;
            times.push(start.elapsed());
        }
    }
    phone.lead_to(&proxy.url())?;
    let companion = phone.open()?;
    let mut bytes = Vec::new();
    let mut requests = 0;
    for others in [false, true, false] {
        if others {
            // Another phone brings a visit, this one fetches it, and then others come again with nothing.
            let load = bench.load();
            let mut scribe = super::book::Scribe::new(load, &site.roster, 99);
            site.write(&other, &scribe.visit(0))?;
            site.sync(&other.open()?)?;
            site.sync(&companion)?;
            site.sync(&other.open()?)?;
        } else if !bytes.is_empty() {
            site.hands.pass_days(7);
        }
        let before = proxy.passed();
        requests = requests.max(site.sync(&companion)?.requests);
        bytes.push(since(proxy.passed(), before).bytes());
    }
    drop(companion);
    site.stop()?;
    let most = bytes.iter().copied().max().unwrap_or_default();
    let mut byte_line = Line::alone(
        "noop_bytes",
        most as f64,
        format!(
            "both ways with headers, one connection: at once, after others synced, after a week: {bytes:?}; {requests} round trip"
        ),
    );
    byte_line.ok &= requests == 1;
    let how = format!("a phone with the whole book, nothing new; median of {}", times.len());
    Ok(vec![Line::alone("noop_ms", ms(percentile(&mut times, 50)), how), byte_line])
}

/// A day of 40 visits with checklists, by one phone over a slow link that is cut all the time: with a new process
/// every five visits, and with the app killed after each.
pub fn day(bench: &Bench) -> Res<Vec<Line>> {
    let visits = bench.scale.visits;
    let load = Workload::new(visits + DAY, bench.seed);
    let mut lines = Vec::new();
    for (name, a_run) in [("day_40_bytes", VISITS_A_RUN as usize), ("day_40_killed_bytes", 1)] {
        let folder = bench.folder(name)?;
        let site = Site::start(folder.path(), &Hands::at_day(last_day(&load)))?;
        let mut scribe = grow(&site, &load, visits, &[ScopeKind::Team])?;
        let slow = Link { bits: Some(BITS), cut_after: Some(CUT_AFTER) };
        let proxy = Proxy::start(site.runtime(), site.running.addr, slow)?;
        let phone = site.enrol("phone", 1, &site.url())?;
        site.sync(&phone.open()?)?;
        let written: Vec<_> =
            (0..DAY).flat_map(|at| scribe.visit_as(visits + at, 1, 100_000 + (at / a_run) as u32)).collect();
        site.write(&phone, &written)?;
        phone.lead_to(&proxy.url())?;
        let companion = phone.open()?;
        let start = Instant::now();
        let report = site.sync(&companion)?;
        let passed = proxy.passed();
        let how = format!(
            "{DAY} visits with checklists, {} changes, a new process every {a_run}; {} kbit/s, cut every {} s: {} up, {} down with headers, {} requests, {:.1} s",
            written.len(),
            BITS / 1_000,
            CUT_AFTER.as_secs(),
            passed.up,
            passed.down,
            report.requests,
            start.elapsed().as_secs_f64()
        );
        lines.push(Line::alone(name, passed.bytes() as f64, how));
        drop(companion);
        site.stop()?;
    }
    Ok(lines)
}
