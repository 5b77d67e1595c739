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

pub mod about;
mod arrival;
mod call;
pub mod census;
mod check;
pub mod checklists;
pub mod conflicts;
pub mod consents;
pub mod contacts;
pub mod content;
pub mod drafts;
pub mod duplicates;
mod enrolment;
pub mod events;
pub mod exports;
pub mod figures;
pub mod follow_ups;
mod heal;
pub mod households;
pub mod identity;
mod known;
mod lists;
pub mod me;
mod merges;
mod once;
mod problems;
pub mod receipts;
mod record;
pub mod reviews;
mod rows;
pub mod runs;
mod saves;
pub mod set_aside;
pub mod settings;
pub mod state;
mod sync;
pub mod team;
pub mod today;
pub mod units;
pub mod visits;
pub mod walk;
mod watch;
mod who;

pub use enrolment::{Enrolment, InvitePreview, InviteText, Joined};
pub(crate) use known::Known;
pub(crate) use lists::Lists;
pub use record::{
    Day, EditChoice, EditHamlet, EditHousehold, EditNumber, EditPerson, EditPlan, EditText, EditUnit, Nothing,
};
pub(crate) use settings::Kept;
pub(crate) use sync::LEAST_BUDGET;
pub use sync::{
    FindUnarrived, Sync, SyncNow, SyncProblem, SyncProblems, SyncReport, SyncStatus, UnarrivedPage,
    UnarrivedRows, UnarrivedVisit,
};
use watch::News;
pub use watch::{Changed, Listener, SyncProgress, Watching};

/// An open phone with a feature each for what a person does on it.
pub struct Companion {
    phone: Mutex<Phone>,
    http: Http,
    sync_running: AtomicBool,
    sync_stop: AtomicBool,
    news: Arc<News>,
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.news.close();
    }
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
            news: Arc::default(),
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
    pub fn households(&self) -> households::Households<'_> {
        households::Households(self)
    }

    /// Households that were written down twice.
    pub fn duplicates(&self) -> duplicates::Duplicates<'_> {
        duplicates::Duplicates(self)
    }

    /// What was done, for whom, and what came of it.
    pub fn visits(&self) -> visits::Visits<'_> {
        visits::Visits(self)
    }

    /// Asking before anything of a household is written, and taking it back.
    pub fn consents(&self) -> consents::Consents<'_> {
        consents::Consents(self)
    }

    /// How to reach a household for a return.
    pub fn contacts(&self) -> contacts::Contacts<'_> {
        contacts::Contacts(self)
    }

    /// Services, reasons and tutorials.
    pub fn content(&self) -> content::Guides<'_> {
        content::Guides(self)
    }

    /// Forms that are not finished.
    pub fn drafts(&self) -> drafts::Drafts<'_> {
        drafts::Drafts(self)
    }

    /// Sessions, grants, clubs and half-days without a visit.
    pub fn events(&self) -> events::Events<'_> {
        events::Events(self)
    }

    /// Hamlets, and communes by any of their names.
    pub fn units(&self) -> units::Units<'_> {
        units::Units(self)
    }

    /// Which households of a hamlet were gone through.
    pub fn census(&self) -> census::Census<'_> {
        census::Census(self)
    }

    /// The team, its people, campaigns and person-days, and what its leads should look at.
    pub fn team(&self) -> team::Team<'_> {
        team::Team(self)
    }

    /// Figures that open into their lines.
    pub fn figures(&self) -> figures::Figures<'_> {
        figures::Figures(self)
    }

    /// Tutorials walked through with a citizen.
    pub fn checklists(&self) -> checklists::Checklists<'_> {
        checklists::Checklists(self)
    }

    /// How the phone stands: `phone.get_state` by name.
    pub fn state(&self) -> state::State<'_> {
        state::State(self)
    }

    /// The screen that a day begins with.
    pub fn today(&self) -> today::Today<'_> {
        today::Today(self)
    }

    /// How this phone shows itself.
    pub fn settings(&self) -> settings::Settings<'_> {
        settings::Settings(self)
    }

    /// Files that leave the phone.
    pub fn exports(&self) -> exports::Exports<'_> {
        exports::Exports(self)
    }

    /// Appointments to come back.
    pub fn follow_ups(&self) -> follow_ups::FollowUps<'_> {
        follow_ups::FollowUps(self)
    }

    /// Fields with two versions, and edits after removal.
    pub fn conflicts(&self) -> conflicts::Conflicts<'_> {
        conflicts::Conflicts(self)
    }

    /// Own work that the hub holds back.
    pub fn set_aside(&self) -> set_aside::SetAside<'_> {
        set_aside::SetAside(self)
    }

    /// Checklist runs before a trainer.
    pub fn reviews(&self) -> reviews::Reviews<'_> {
        reviews::Reviews(self)
    }

    /// The card that is shown to the citizen.
    pub fn identity(&self) -> identity::IdentityCard<'_> {
        identity::IdentityCard(self)
    }

    /// My month.
    pub fn me(&self) -> me::Me<'_> {
        me::Me(self)
    }

    /// Versions and licences.
    pub fn about(&self) -> about::AboutApp<'_> {
        about::AboutApp(self)
    }
}
