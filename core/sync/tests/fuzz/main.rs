//! Every decoder of the protocol against damaged examples: no panic, no endless reading, no memory beyond the limits,
//! and what is accepted means the same after it was written again.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod frames;
mod mill;
mod records;
mod rows;
mod session;
mod states;
mod texts;

/// What decoding any input may take, everything that was decoded from it included.
const BOUND: u64 = 8 << 20;

fn fuzz(name: &'static str, cases: u64, try_one: fn(&[u8]) -> bool) {
    mill::run(&mill::Fuzz { name, cases, pieces: mill::CBOR, bound: BOUND }, try_one);
}
