//! `Companion`: the object a shell opens. It hands out one small object per feature; names of features and methods
//! are those of the screens.
//!
//! Every method takes one record and gives one record (or an [`AppError`](crate::AppError)), so that
//! [`Companion::call`] can offer the same by JSON, one for one. Methods block for a save at most; only what waits
//! for the hub is async. A second call while one writes waits for it.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::http::Http;
use crate::phone::Phone;
use crate::time::TimeSource;

mod call;
mod check;
mod enrolment;
pub mod events;
mod households;
mod once;
mod record;
mod rows;
mod sync;

pub use enrolment::{Enrolment, InvitePreview, InviteText, Joined};
pub use households::{Households, NewHousehold, NewPerson, SavedHousehold};
pub use record::Nothing;
pub use sync::{Sync, SyncNow, SyncReport, SyncStatus};

/// An open phone with a feature each for what a person does on it.
pub struct Companion {
    phone: Mutex<Phone>,
    http: Http,
    sync_running: AtomicBool,
    sync_stop: AtomicBool,
}

impl Companion {
    /// Opens or makes the phone in a folder.
    ///
    /// # Errors
    /// As [`Phone::open`].
    pub fn open(path: &Path, time: Arc<dyn TimeSource>) -> Result<Self> {
        Ok(Self {
            phone: Mutex::new(Phone::open(path, time)?),
            http: Http::new()?,
            sync_running: AtomicBool::new(false),
            sync_stop: AtomicBool::new(false),
        })
    }

    /// The phone, for one call. A panic elsewhere leaves nothing half written: a save is one transaction.
    pub(crate) fn phone(&self) -> MutexGuard<'_, Phone> {
        self.phone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Becoming a member of a team.
    pub fn enrolment(&self) -> Enrolment<'_> {
        Enrolment(self)
    }

    /// Sending and fetching, and what has arrived.
    pub fn sync(&self) -> Sync<'_> {
        Sync(self)
    }

    /// Households, their persons, and finding them again.
    pub fn households(&self) -> Households<'_> {
        Households(self)
    }

    /// Sessions, grants, clubs and half-days without a visit.
    pub fn events(&self) -> events::Events<'_> {
        events::Events(self)
    }
}
