//! The sync session without its transport: what the phone asks next and what it makes of the answer, and how the hub
//! cuts its log into receipts and frames.
//!
//! Pure: bytes in, bytes and events out. The phone keeps its outbox and cursors, the hub its log.

mod ask;
mod budget;
pub mod hub;
mod landing;
mod pace;
mod phone;
mod track;
mod types;

pub use pace::{MAX_REQUEST, MIN_REQUEST, Pace, START_REQUEST};
pub use phone::Session;
pub use types::{Event, News, Progress, Receipt, SessionError, Setup};
