//! Replicas on SQLite itself: any order makes the same file, and what an older program could not read is not lost.

mod digests;
mod dump;
mod flips;
mod history;
mod newer;
mod orders;
mod upgrade;
