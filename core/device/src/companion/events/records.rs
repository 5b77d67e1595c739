//! The records of events: what is written down, and what the saved sheet shows.

use langso_domain::id::{
    GrantId, GroupId, HamletId, HouseholdId, MemberId, MembershipId, PersonId, PlanId, SessionId, VisitId,
    WorkDayId,
};
use langso_domain::units::UnitCode;
use serde::{Deserialize, Serialize};

use crate::companion::record::Day;

/// A training or propaganda session that was held.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// A number of the list `session_kinds`.
    pub kind: u8,
    /// What it was about.
    pub topic: String,
    /// Who held it.
    #[serde(default)]
    #[uniffi(default)]
    pub organiser: Option<String>,
    /// Where, when in a hamlet.
    #[serde(default)]
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// The commune of that day; else the hamlet's, else the team's.
    #[serde(default)]
    #[uniffi(default)]
    pub unit: Option<UnitCode>,
    /// When.
    pub date: Day,
    /// People who came.
    pub headcount: u32,
    /// Members who worked; none given = whose phone it is.
    #[serde(default)]
    #[uniffi(default)]
    pub members: Vec<MemberId>,
    /// The campaign it counts under.
    #[serde(default)]
    #[uniffi(default)]
    pub plan: Option<PlanId>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A phone or SIM that was given.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// A number of the list `grant_items`.
    pub item: u8,
    /// The visit at which it was handed over: what was done there belongs to it.
    #[serde(default)]
    #[uniffi(default)]
    pub visit: Option<VisitId>,
    /// To whom; else the visit's, or nobody who is known.
    #[serde(default)]
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// For whom of the household.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// Who gave it.
    #[serde(default)]
    #[uniffi(default)]
    pub donor: Option<String>,
    /// The commune of that day; else the visit's, the household's or the team's.
    #[serde(default)]
    #[uniffi(default)]
    pub unit: Option<UnitCode>,
    /// When; else the visit's day.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
    /// The campaign it counts under; else the visit's.
    #[serde(default)]
    #[uniffi(default)]
    pub plan: Option<PlanId>,
    /// As in [`NewSession`].
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A club that was founded.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// What it is called.
    pub name: String,
    /// A number of the list `group_kinds`.
    pub kind: u8,
    /// The commune of its founding; else the team's.
    #[serde(default)]
    #[uniffi(default)]
    pub unit: Option<UnitCode>,
    /// When.
    pub founded_on: Day,
    /// As in [`NewSession`].
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// One who joined a club.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewMembership {
    /// The club.
    pub group: GroupId,
    /// Who, when known to the team.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// Since.
    pub from: Day,
    /// As in [`NewSession`].
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// Several who joined one club.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewMemberships {
    /// The club.
    pub group: GroupId,
    /// Who; at most [`super::MAX_JOINING`].
    pub joined: Vec<Joining>,
    /// As in [`NewSession`].
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// One of several who joined.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// Who, when known to the team.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// Since.
    pub from: Day,
}

/// A half-day of work without a visit.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewWorkDay {
    /// When.
    pub date: Day,
    /// A number of the list `half_days`.
    pub half: u8,
    /// What was done.
    pub reason: String,
    /// Who; none = whose phone it is. Only those who lead write for another.
    #[serde(default)]
    #[uniffi(default)]
    pub member: Option<MemberId>,
    /// The campaign it counts under.
    #[serde(default)]
    #[uniffi(default)]
    pub plan: Option<PlanId>,
    /// As in [`NewSession`].
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// What the saved sheet shows of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedSession {
    /// The session.
    pub session: SessionId,
}

/// What the saved sheet shows of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedGrant {
    /// The grant.
    pub grant: GrantId,
    /// A new phone: its SIM must be verified again before one leaves.
    pub reverify_hint: bool,
}

/// What the saved sheet shows of a club.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedGroup {
    /// The club.
    pub group: GroupId,
}

/// What the saved sheet shows of memberships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedMemberships {
    /// In the order given.
    pub memberships: Vec<MembershipId>,
}

/// What the saved sheet shows of a half-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedWorkDay {
    /// The half-day.
    pub work_day: WorkDayId,
    /// There is work of that member, day and plan already: no person-day is added.
    pub is_double: bool,
}
