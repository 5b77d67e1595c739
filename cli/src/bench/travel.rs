//! What travels: a push, a first sync, edits, nothing new, and a day over a bad link; by real phones over HTTP.
//!
//! Times are taken with phone and hub on loopback and nothing between them; bytes in a run of their own through a
//! proxy that counts both directions with every header.

use std::time::Instant;

use langso_domain::id::ScopeId;
use langso_domain::registry::{CURRENT, ScopeKind};
use langso_hub::clock::Millis;
use langso_hub::intake::{Intake, Taken};
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;

use super::book::{Scribe, Written};
use super::clocks::{ms, percentile};
use super::line::Line;
use super::proxy::{Link, Passed, Proxy};
use super::site::{Hands, Site};
use super::workload::Workload;
use super::{Bench, Res};

/// Frames that the hub keeps by one commit.
pub const TOGETHER: usize = 32;

/// Days from the first visit to when phones sync, for a book of that size.
pub fn last_day(load: &Workload) -> i32 {
    load.visits.last().map_or(0, |visit| visit.day.0 - super::workload::FIRST_DAY.0) + 1
}

/// All changes of a workload.
pub fn written(load: &Workload, site: &Site, seed: u64) -> Vec<Written> {
    let mut scribe = Scribe::new(load, &site.roster, seed);
    (0..load.visits.len()).flat_map(|number| scribe.visit(number)).collect()
}

/// A push of the whole book by one phone, with its checklists.
pub fn push(bench: &Bench) -> Res<Vec<Line>> {
    let load = bench.load();
    let mut times = Vec::new();
    let mut passed = Passed::default();
    for run in 0..=bench.scale.repeats {
        let folder = bench.folder(&format!("push-{run}"))?;
        let site = Site::start(folder.path(), &Hands::at_day(last_day(load)))?;
        let proxy = Proxy::start(site.runtime(), site.running.addr, Link::default())?;
        let url = if run == 0 { proxy.url() } else { site.url() };
        let phone = site.enrol("phone", 1, &url)?;
        site.sync(&phone.open()?)?;
        site.write(&phone, &written(load, &site, 11))?;
        let companion = phone.open()?;
        let before = proxy.passed();
        let start = Instant::now();
        site.sync(&companion)?;
        if run == 0 {
            passed = since(proxy.passed(), before);
        } else {
            times.push(start.elapsed());
        }
        drop(companion);
        site.stop()?;
    }
    let how = format!(
        "one phone with {} visits and their checklists in its outbox, a fresh hub; {} up, {} down, {} connections",
        load.visits.len(),
        passed.up,
        passed.down,
        passed.connections
    );
    let time = ms(percentile(&mut times, 50));
    Ok(vec![
        Line::alone("push_10k_ms", time, format!("{how}; median of {}", times.len())),
        Line::alone("push_10k_bytes", passed.bytes() as f64, how),
    ])
}

pub fn since(now: Passed, before: Passed) -> Passed {
    Passed {
        up: now.up - before.up,
        down: now.down - before.down,
        connections: now.connections - before.connections,
    }
}

/// Gives the hub the first `visits` of the book in the way it grew: each member's phone brings its day. Only changes
/// of these kinds of scopes. Gives the scribe, who goes on from there.
pub fn grow<'a>(site: &'a Site, load: &'a Workload, visits: usize, kinds: &[ScopeKind]) -> Res<Scribe<'a>> {
    let keys = site.keys()?;
    let mut scribe = Scribe::new(load, &site.roster, 12);
    let mut day: Vec<Written> = Vec::new();
    let mut frames = Vec::new();
    for (number, visit) in load.visits.iter().enumerate() {
        day.extend(
            scribe.visit(number).into_iter().filter(|one| number < visits && kinds.contains(&one.kind)),
        );
        let next = load.visits.get(number + 1);
        if next.is_none_or(|next| next.day != visit.day || next.member != visit.member) {
            for (kind, scope) in site.scopes {
                let of_scope = day.iter().filter(|one| one.kind == kind).map(|one| one.change.encode());
                frames.extend(frames_of(&keys[visit.member], scope, of_scope));
            }
            day.clear();
        }
        if number == visits {
            break;
        }
    }
    take_all(&site.running.hub.intake, &frames, site.running.hub.clock.now())?;
    Ok(scribe)
}

/// Signed frames of one scope, each as full as it may be.
pub fn frames_of(
    key: &SigningKey,
    scope: ScopeId,
    changes: impl IntoIterator<Item = Vec<u8>>,
) -> Vec<Vec<u8>> {
    let fresh = || FrameBuilder::new(scope, CURRENT.schema, usize::MAX);
    let mut frames = Vec::new();
    let mut builder = fresh();
    for change in changes {
        if builder.push(&change).is_err() {
            frames.extend(std::mem::replace(&mut builder, fresh()).build(key));
            builder.push(&change).expect("a fresh frame takes any change");
        }
    }
    frames.extend(builder.build(key));
    frames
}

/// Has the hub keep frames; every change of them must be new.
pub fn take_all(intake: &Intake, frames: &[Vec<u8>], now: Millis) -> Res<()> {
    // As many at a time as come together in a large request.
    for frames in frames.chunks(TOGETHER) {
        for taken in intake.take_all(frames, now)? {
            match taken {
                Taken::Kept(_, told) if told.set_aside.is_empty() && told.collisions.is_empty() => {}
                other => return Err(format!("the hub did not take a frame: {other:?}").into()),
            }
        }
    }
    Ok(())
}

/// The first sync of a new phone: the team scope as ten phones made it, by the snapshot that the hub keeps.
pub fn first_sync(bench: &Bench) -> Res<Vec<Line>> {
    let load = bench.load();
    let folder = bench.folder("first-sync")?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(load)))?;
    grow(&site, load, load.visits.len(), &[ScopeKind::Team])?;
    // What the projector does when enough is new.
    let began = Instant::now();
    let hub = &site.running.hub;
    hub.snapshots.make(&hub.replicas, site.scopes[0].1, true)?;
    let made = began.elapsed();
    let proxy = Proxy::start(site.runtime(), site.running.addr, Link::default())?;
    let counted = site.enrol("counted", 1, &proxy.url())?;
    let before = proxy.passed();
    site.sync(&counted.open()?)?;
    let passed = since(proxy.passed(), before);
    let mut times = Vec::new();
    for run in 0..bench.scale.repeats {
        let phone = site.enrol(&format!("timed-{run}"), 1, &site.url())?;
        let companion = phone.open()?;
        let start = Instant::now();
        site.sync(&companion)?;
        times.push(start.elapsed());
    }
    let all = hub.snapshots.of(site.scopes[0].1)?;
    let snapshot = all.first().ok_or("no snapshot")?;
    let how = format!(
        "a new phone, {} visits of ten phones in the team scope; {} up, {} down; a snapshot of {} frames, the longest {} \
         bytes, made in {:.0} ms",
        load.visits.len(),
        passed.up,
        passed.down,
        snapshot.frames(),
        snapshot.longest,
        ms(made),
    );
    site.stop()?;
    let time = ms(percentile(&mut times, 50));
    Ok(vec![
        Line::alone("first_sync_ms", time, format!("{how}; median of {}", times.len())),
        Line::alone("first_sync_bytes", passed.bytes() as f64, how),
    ])
}
