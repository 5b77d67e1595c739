//! The records of follow-ups.

use langso_domain::content::ContentRef;
use langso_domain::id::{FollowUpId, HouseholdId, MemberId, PersonId, VisitId};
use serde::{Deserialize, Serialize};

use crate::companion::record::Day;
use crate::companion::walk::Place;

/// An appointment to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewFollowUp {
    /// The visit it comes from; its household, when none is given.
    #[serde(default)]
    #[uniffi(default)]
    pub visit: Option<VisitId>,
    /// Whom to see.
    #[serde(default)]
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// For whom.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// What for: a service's code, or `code@version`.
    #[serde(default)]
    #[uniffi(default)]
    pub service: Option<String>,
    /// When.
    pub due_on: Day,
    /// Who goes; none = whoever this phone belongs to.
    #[serde(default)]
    #[uniffi(default)]
    pub assigned_to: Option<MemberId>,
    /// What to bring; no names, no numbers.
    #[serde(default)]
    #[uniffi(default)]
    pub note: Option<String>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// What the screen shows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedFollowUp {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// When.
    pub due_on: Day,
    /// Who goes.
    pub assigned_to: MemberId,
}

/// Which appointments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct FindFollowUps {
    /// Only those of whoever this phone belongs to, and those that nobody has taken.
    #[uniffi(default)]
    pub mine: bool,
    /// How many to pass over.
    #[uniffi(default)]
    pub skip: u32,
}

/// Open appointments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FollowUpPage {
    /// By day, then in walking order; at most 100.
    pub follow_ups: Vec<FollowUpRow>,
    /// How many there are on all pages.
    pub counts: DueCounts,
}

/// How many appointments fall when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct DueCounts {
    /// Before today.
    pub overdue: u32,
    /// Today.
    pub today: u32,
    /// After today, and not after Sunday.
    pub this_week: u32,
    /// After that, and those without a day.
    pub later: u32,
}

/// When an appointment falls, seen from today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Before today.
    Overdue,
    /// Today.
    Today,
    /// After today, and not after Sunday.
    ThisWeek,
    /// After that, or without a day.
    Later,
}

/// One open appointment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FollowUpRow {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// When it falls.
    pub due: Due,
    /// Its day.
    pub due_on: Option<Day>,
    /// For how many days it has been overdue; 0 when it is not.
    pub days_overdue: u32,
    /// Whom to see.
    pub household: Option<HouseholdId>,
    /// The household as the team calls it.
    pub place: Place,
    /// For whom.
    pub person: Option<PersonId>,
    /// What for.
    pub service: Option<ContentRef>,
    /// Who goes.
    pub assigned_to: Option<MemberId>,
    /// The visit it came from.
    pub visit: Option<VisitId>,
    /// What to bring.
    pub note: Option<String>,
    /// The last day of the household's contact, when one is kept: before `due_on` it will be gone by then.
    pub contact_until: Option<Day>,
}

/// To another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct MoveFollowUp {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// Its new day.
    pub due_on: Day,
}

/// To another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct HandFollowUp {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// Who goes now.
    pub to: MemberId,
}

/// How an appointment ends: done, or called off for a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FinishFollowUp {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// The visit that did it.
    #[serde(default)]
    #[uniffi(default)]
    pub visit: Option<VisitId>,
    /// When; none = the visit's day, or today.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
    /// Why it is called off; none = it was done.
    #[serde(default)]
    #[uniffi(default)]
    pub cancel_reason: Option<String>,
}
