//! Replicas on SQLite itself: any order makes the same file, and what an older program could not read is not lost.

mod damaged;
mod digests;
mod dump;
mod faults;
mod flips;
mod history;
#[path = "../../../sync/tests/fuzz/mill.rs"]
mod mill;
mod newer;
mod orders;
mod snapshots;
mod upgrade;
