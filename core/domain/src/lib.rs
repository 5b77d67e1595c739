//! What the job of a community digital team is, without any machine: the registry of tables and
//! fields, ids, dates, Vietnamese text, the never-store checks, content and units.
//!
//! Pure: no SQL driver, no HTTP, no clock, no randomness. Everything it needs is handed in.

pub mod content;
pub mod date;
pub mod id;
pub mod indicators;
pub mod never_store;
pub mod order;
mod packed;
pub mod period;
pub mod registry;
pub mod rights_code;
pub mod text;
pub mod units;
