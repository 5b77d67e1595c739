//! How changes travel: the change and its bytes, the clock, the merge, the frame, and what phone and hub say to
//! each other.
//!
//! Pure: no SQL, no HTTP, no clock, no randomness; moments and random bits are handed in.

pub mod author;
pub mod chain;
pub mod change;
pub mod clock;
pub mod digest;
pub mod frame;
pub mod history;
pub mod keys;
mod leb;
pub mod merge;
pub mod session;
pub mod state;
pub mod value;
pub mod wire;
