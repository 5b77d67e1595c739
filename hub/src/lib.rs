//! The hub: what teams gave it, numbered and kept; who may; sync over HTTP; what it writes itself; figures.
//!
//! It may rely on `langso-domain`, `langso-sync` and `langso-store`, never on a phone's code. Time and random bits
//! enter at the edges only. Everything that matters lives in one folder: the log (`hub.db`) and the hub's keys
//! (`hub.key`); all else is a cache that the log makes again.

pub mod access;
pub mod admin;
pub mod author;
pub mod backup;
mod cells;
pub mod clock;
pub mod compare;
mod counted;
pub mod enrol;
pub mod figures;
pub mod intake;
pub mod keys;
pub mod log;
pub mod nonce;
mod projector;
pub mod random;
pub mod replica;
pub mod serve;
pub mod server;
pub mod settle;
mod signed;
pub mod snapshots;
mod sync;
mod union;
pub mod waiting;
