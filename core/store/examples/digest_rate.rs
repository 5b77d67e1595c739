//! What keeping the digest costs: the same changes into a replica that knows its digest and into one that does not.
//!
//! `cargo run --release -p langso-store --example digest_rate`

use std::time::Instant;

use langso_domain::id::{DeviceId, RowId, ScopeId, Writer};
use langso_domain::registry::{CURRENT as REGISTRY, ScopeKind};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::author::Author;
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::value::Value;

const SCOPE: ScopeId = ScopeId(*b"team 001");
const VISITS: usize = 10_000;

fn table(name: &str) -> u8 {
    REGISTRY.named(name).expect("a table").number
}

/// A visit to a new household with two services, as one save writes it.
fn changes() -> Vec<Change> {
    let mut author = Author::new(Writer(7));
    let mut clock = Clock::default();
    let hamlet = RowId([3; 12]);
    let made = (0..VISITS).map(|n| {
        let mut draft = author.draft();
        let label = Value::Text(format!("Hộ {n}"));
        let home = [(1, label), (2, Value::Ref(hamlet)), (3, Value::Int(1)), (4, "cạnh trường".into())];
        let home = draft.create(table("household"), home).expect("room");
        let unit = Value::from("06838@2025");
        let visit = [(1, Value::Ref(home)), (2, Value::Ref(hamlet)), (3, unit), (4, Value::Int(20_000))];
        let visit = draft.create(table("visit"), visit).expect("room");
        for service in ["vneid_level2@1", "bank_account@1"] {
            let row = [(1, Value::Ref(visit)), (3, service.into()), (4, Value::Int(1)), (7, Value::Int(12))];
            draft.create(table("service_row"), row).expect("room");
        }
        author.finish(draft, &mut clock, 1_700_000_000_000 + n as u64)
    });
    made.collect()
}

fn replica(is_kept: bool, purpose: Purpose) -> Replica {
    let mut replica = Replica::in_memory(CURRENT, purpose).expect("opens");
    let mut batch = replica.begin().expect("begins");
    batch.add_scope(SCOPE, ScopeKind::Team).expect("a scope");
    batch.commit().expect("commits");
    if !is_kept {
        replica.connection().execute("UPDATE scopes SET digest = NULL", []).expect("forgotten");
    }
    replica
}

/// Seconds for all changes in batches of that many.
fn seconds(changes: &[Change], at_once: usize, is_kept: bool) -> (f64, Replica) {
    // One at a time is how a phone saves, many how a hub's cache catches up.
    let purpose = if at_once == 1 { Purpose::Phone } else { Purpose::HubCache };
    let mut replica = replica(is_kept, purpose);
    let began = Instant::now();
    for part in changes.chunks(at_once) {
        let mut batch = replica.begin().expect("begins");
        for change in part {
            batch.apply(SCOPE, DeviceId([1; 8]), change).expect("applied");
        }
        batch.commit().expect("commits");
    }
    (began.elapsed().as_secs_f64(), replica)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    let changes = changes();
    for at_once in [500, 1] {
        let rounds = (0..9).map(|_| [true, false].map(|is_kept| seconds(&changes, at_once, is_kept).0));
        let (kept, not): (Vec<f64>, Vec<f64>) = rounds.map(|[kept, not]| (kept, not)).unzip();
        let (kept, not) = (median(kept) * 1e6 / VISITS as f64, median(not) * 1e6 / VISITS as f64);
        println!(
            "{at_once:>3} changes a commit: {kept:.2} µs a change with the digest, {not:.2} without, {:.3}x",
            kept / not
        );
    }
    let (_, mut replica) = seconds(&changes, 500, true);
    let took = (0..5).map(|_| {
        let began = Instant::now();
        replica.recount().expect("counted");
        began.elapsed().as_secs_f64() * 1e3
    });
    println!("counting {} rows anew: {:.1} ms", VISITS * 4, median(took.collect()));
}
