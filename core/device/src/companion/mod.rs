//! `Companion`: the object a shell opens. It hands out one small object per feature; names of features and methods
//! are those of the screens.
//!
//! Every method takes one record and gives one record (or an [`AppError`](crate::AppError)), so that
//! [`Companion::call`] can offer the same by JSON, one for one. Methods block for a save at most; only what waits
//! for the hub is async. A second call while one writes waits for it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::phone::Phone;
use crate::time::TimeSource;

mod call;
mod households;
mod record;

pub use households::{Households, NewHousehold, NewPerson, SavedHousehold};
pub use record::Nothing;

/// An open phone with a feature each for what a person does on it.
pub struct Companion {
    phone: Mutex<Phone>,
}

impl Companion {
    /// Opens or makes the phone in a folder.
    ///
    /// # Errors
    /// As [`Phone::open`].
    pub fn open(path: &Path, time: Arc<dyn TimeSource>) -> Result<Self> {
        Ok(Self { phone: Mutex::new(Phone::open(path, time)?) })
    }

    /// The phone, for one call. A panic elsewhere leaves nothing half written: a save is one transaction.
    pub(crate) fn phone(&self) -> MutexGuard<'_, Phone> {
        self.phone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Households, their persons, and finding them again.
    pub fn households(&self) -> Households<'_> {
        Households(self)
    }
}
