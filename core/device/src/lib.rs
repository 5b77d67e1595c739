//! One phone around a replica: save, outbox, journal, clock, HTTP, and [`Companion`], the object a shell opens.
//!
//! Files and the machine's clocks are touched here and nowhere below; rules live in `langso-domain`, the protocol
//! in `langso-sync`, rows in `langso-store`.

mod ballast;
pub mod companion;
mod crossing;
mod damage;
mod digests;
mod error;
mod facts;
mod fall_back;
mod folder;
mod http;
mod identity_copy;
mod intake;
pub mod journal;
mod key;
mod landing;
mod leave;
mod outbox;
mod phone;
mod prune;
mod rebuild;
mod receipts;
mod reconcile;
mod repair;
pub mod rescue;
mod salvage;
mod start;
mod time;

uniffi::setup_scaffolding!();

pub use companion::Companion;
pub use damage::Damage;
pub use error::{AppError, Problem, Result};
pub use facts::Identity;
pub use phone::{Phone, Saving};
pub use time::{HubTime, Now, SystemTime, TimeSource};
