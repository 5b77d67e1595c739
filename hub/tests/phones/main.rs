//! Real phones against a real hub, and what goes wrong between them.

#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../field/mod.rs"]
mod field;

mod answers;
mod aside;
mod budget;
mod buffering;
mod clocks;
mod conflict;
mod copies;
mod cut;
mod damage;
mod enrolment;
mod faults;
mod forgotten;
mod history;
mod lead;
mod leaving;
mod lists;
#[path = "../../../core/sync/tests/fuzz/mill.rs"]
mod mill;
mod packed;
mod proof;
mod pruning;
mod quiet;
mod repair;
mod review;
mod roles;
mod shared;
mod snapshot;
mod split;
mod stop;
mod teams;
mod told;
mod turnover;
mod union;
