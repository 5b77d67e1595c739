//! How values of the layers below cross to Kotlin and Swift: ids, dates, codes and JSON as their text, each with a type
//! of its own there, so that a person's id does not pass for a household's.
//!
//! Text that is none of these is refused when a call is made, before it does anything. In which field it stood cannot be
//! said here: the error is named after what it should be, a household's id as `household`.

use langso_domain::content::{Consent, ContentRef, Covers, DataKind, FailureAction, Text as Words};
use langso_domain::date::CivilDate;
use langso_domain::id::{
    ChecklistRunId, ConsentId, ContactId, DeviceId, FollowUpId, GrantId, GroupId, HamletId, HouseholdId,
    MemberId, MembershipId, PersonId, PlanId, ReviewId, RowId, ScopeId, ServiceRowId, SessionId, TeamId,
    VisitId, WorkDayId,
};
use langso_domain::units::UnitCode;
pub(crate) use serde_json::Value as Json;

use crate::companion::Day;
use crate::error::AppError;

macro_rules! as_text {
    ($($name:ident $field:literal)*) => {$(
        uniffi::custom_type!($name, String, {
            remote,
            lower: |value| value.to_string(),
            try_lift: |text| text.parse().map_err(|_| AppError::invalid($field, "wrong_type").into()),
        });
    )*};
}

as_text! {
    HouseholdId "household"
    PersonId "person"
    ConsentId "consent"
    ContactId "contact"
    VisitId "visit"
    ServiceRowId "service_row"
    FollowUpId "follow_up"
    SessionId "session"
    GrantId "grant"
    GroupId "group"
    MembershipId "membership"
    WorkDayId "work_day"
    TeamId "team"
    MemberId "member"
    HamletId "hamlet"
    ChecklistRunId "checklist_run"
    ReviewId "review"
    PlanId "plan"
    RowId "row"
    ScopeId "scope"
    DeviceId "device"
    ContentRef "content"
    Json "json"
}

uniffi::custom_type!(UnitCode, String, {
    remote,
    lower: |value| value.to_string(),
    try_lift: |text| UnitCode::parse(&text).ok_or_else(|| AppError::invalid("unit", "wrong_type").into()),
});
uniffi::custom_type!(Day, String, {
    lower: |day| day.0.to_string(),
    try_lift: |text| {
        CivilDate::parse_iso(&text).map(Day).ok_or_else(|| AppError::invalid("date", "bad_date").into())
    },
});

/// What a text is in both languages.
#[uniffi::remote(Record)]
pub struct Words {
    /// Vietnamese, NFC, old tone placement.
    pub vi: String,
    /// English.
    pub en: String,
}

/// What to do about a failure.
#[uniffi::remote(Enum)]
pub enum FailureAction {
    /// Try the step again.
    Retry,
    /// Another office must do it.
    Refer,
    /// Come back later.
    FollowUp,
    /// Leave it at that.
    Respect,
    /// Stop at once.
    Stop,
}

/// What a consent lets the team keep.
#[uniffi::remote(Enum)]
pub enum Covers {
    /// A household, its persons and what was done.
    Household,
    /// A name used and a phone number.
    Contact,
}

/// A text read out to ask for consent.
#[uniffi::remote(Record)]
pub struct Consent {
    /// `consent.script` or `consent.contact` in the release.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// What it lets the team keep.
    pub covers: Covers,
    /// Codes of the list `purposes`.
    pub purposes: Vec<String>,
    /// Days after which the data go at the latest; none = until withdrawn.
    pub retention_days: Option<u16>,
    /// The `{names}` that both languages hold.
    pub parameters: Vec<String>,
    /// Every kind of data that the text names.
    pub data: Vec<DataKind>,
    /// What is read out.
    pub text: Words,
}

/// A kind of data, and the words by which a consent text names it.
#[uniffi::remote(Record)]
pub struct DataKind {
    /// Its code.
    pub kind: String,
    /// As it stands in the Vietnamese text.
    pub words: String,
    /// `table.field` of the registry.
    pub fields: Vec<String>,
}
