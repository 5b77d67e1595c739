//! The hub's log alone: how fast it takes changes in, and how soon it knows what is new for a phone.

use std::time::Instant;

use langso_domain::id::ScopeId;
use langso_domain::registry::{CURRENT, ScopeKind};
use langso_hub::log::{Log, Write};
use rusqlite::params;

use super::book::Scribe;
use super::clocks::{cost, ms, percentile};
use super::line::Line;
use super::site::{Hands, Site};
use super::travel::{TOGETHER, frames_of, last_day, take_all};
use super::workload::Workload;
use super::{Bench, Res};
use crate::campaign::rng::SplitMix64;

/// Changes of one frame.
const A_FRAME: usize = 100;
/// Scopes of the big log.
const SCOPES: u64 = 100;
/// How often each cursor is asked for: the machine's other work is not the log's.
const ASKED: usize = 5;
/// Changes that are read after a cursor.
const NEXT: u32 = 100;

/// Frames of 100 changes each as phones sign them, durable before the next come.
pub fn ingest(bench: &Bench) -> Res<Vec<Line>> {
    let load = Workload::new(bench.scale.ingest, bench.seed);
    let folder = bench.folder("ingest")?;
    let site = Site::start(folder.path(), &Hands::at_day(last_day(&load)))?;
    let keys = site.keys()?;
    let mut scribe = Scribe::new(&load, &site.roster, 15);
    let mut changes = Vec::new();
    for number in 0..load.visits.len() {
        let team = scribe
            .visit_as(number, 1, number as u32 / 5)
            .into_iter()
            .filter(|one| one.kind == ScopeKind::Team);
        changes.extend(team.map(|one| one.change.encode()));
    }
    let (_, scope) = site.scopes[0];
    let frames: Vec<Vec<u8>> = changes
        .chunks(A_FRAME)
        .flat_map(|hundred| frames_of(&keys[1], scope, hundred.iter().cloned()))
        .collect();
    let hub = &site.running.hub;
    let before = hub.log.scope(scope)?.map_or(0, |state| state.head);
    let (_, spent) = cost(|| take_all(&hub.intake, &frames, hub.clock.now()))?;
    let taken = hub.log.scope(scope)?.map_or(0, |state| state.head) - before;
    if taken != changes.len() as u64 {
        return Err(format!("{taken} of {} changes were taken in", changes.len()).into());
    }
    site.stop()?;
    let rate = taken as f64 / spent.wall.as_secs_f64();
    let how = format!(
        "{taken} changes of the book in {} signed frames of {A_FRAME}, {TOGETHER} to a commit as when they come in one request, one thread, durable; {:.0} changes a second of processor time",
        frames.len(),
        taken as f64 / spent.cpu.as_secs_f64()
    );
    Ok(vec![Line::alone("ingest_log", rate, how)])
}

/// What is new for a scope of a big log, at cursors from its beginning to its end.
pub fn delta(bench: &Bench) -> Res<Vec<Line>> {
    let folder = bench.folder("delta")?;
    let path = folder.path().join("hub.db");
    let log = Log::open(&path, &CURRENT)?;
    let a_scope = bench.scale.log / SCOPES;
    let scope_of = |number: u64| ScopeId((0x5c0_7e00_u64 << 32 | number).to_be_bytes());
    let hub = langso_domain::id::DeviceId([7; 8]);
    let now = langso_hub::clock::Millis(1_710_000_000_000);
    let scopes: Vec<Write> =
        (0..SCOPES).map(|number| Write::Scope(scope_of(number), ScopeKind::Team)).collect();
    log.commit(hub, &scopes, now)?;
    fill(&path, a_scope, scope_of)?;
    let mut rng = SplitMix64::stream(bench.seed, "delta", 0);
    let mut times = Vec::new();
    for step in 0..bench.scale.cursors {
        let scope = scope_of(u64::from(rng.below(SCOPES as u32)));
        let after = a_scope * step as u64 / bench.scale.cursors as u64;
        let mut asked = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let begun = Instant::now();
            let chain = log.chain_at(scope, after)?;
            let next = log.changes_after(scope, after, NEXT, usize::MAX)?;
            asked.push(begun.elapsed());
            if chain.is_none() || next.first().is_none_or(|first| first.position != after + 1) {
                return Err("the log does not hold what was put in".into());
            }
        }
        times.push(percentile(&mut asked, 50));
    }
    let worst = percentile(&mut times, 100);
    let how = format!(
        "{} changes in {SCOPES} scopes, put in by SQL: the cursor's chain and the next {NEXT} changes with their bytes, slowest of {} cursors from the first to the last position, each the middle of {ASKED}; median {:.3} ms",
        a_scope * SCOPES,
        times.len(),
        ms(percentile(&mut times, 50))
    );
    Ok(vec![Line::alone("delta", ms(worst), how)])
}

/// Puts so many changes into each scope, in one transaction that nothing waits for.
fn fill(path: &std::path::Path, a_scope: u64, scope_of: impl Fn(u64) -> ScopeId) -> Res<()> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -200_000)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for number in 0..SCOPES {
        let scope = scope_of(number).0;
        connection
            .prepare_cached(
                "WITH RECURSIVE n(at) AS (VALUES (1) UNION ALL SELECT at + 1 FROM n WHERE at < ?2)
                 INSERT INTO changes (scope, position, writer, seq, chain, received_at, hash, bytes)
                 SELECT ?1, at, CAST(printf('%08x', ?3 + (at - 1) / 7) AS BLOB), (at - 1) % 7 + 1, randomblob(8),
                        1710000000000 + at, randomblob(32), randomblob(180) FROM n",
            )?
            .execute(params![scope, a_scope as i64, (number * a_scope) as i64])?;
        connection
            .prepare_cached(
                "INSERT INTO writers (writer, scope, device, bound_at)
                 SELECT DISTINCT writer, scope, x'0101010101010101', 0 FROM changes WHERE scope = ?1",
            )?
            .execute([scope])?;
        connection
            .prepare_cached("UPDATE scopes SET head = ?2, chain = (SELECT chain FROM changes WHERE scope = ?1 AND position = ?2) WHERE scope = ?1")?
            .execute(params![scope, a_scope as i64])?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}
