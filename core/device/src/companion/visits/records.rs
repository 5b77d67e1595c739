//! What is asked and said about visits.

use langso_domain::content::ContentRef;
use langso_domain::id::{
    ChecklistRunId, FollowUpId, HamletId, HouseholdId, MemberId, PersonId, PlanId, ServiceRowId, VisitId,
};
use langso_domain::units::UnitCode;
use serde::{Deserialize, Serialize};

use super::super::receipts::Receipt;
use super::super::record::{
    Day, EditChoice, EditHamlet, EditHousehold, EditNumber, EditPerson, EditPlan, EditText, EditUnit, edit,
};
use super::super::runs::NewRun;
use crate::error::Problem;

/// One time that help was given: a household, or an anonymous turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewVisit {
    /// Whom; none = an anonymous turn.
    #[serde(default)]
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// Where; none = the household's.
    #[serde(default)]
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// The commune at that date; none = the hamlet's, else the team's.
    #[serde(default)]
    #[uniffi(default)]
    pub unit: Option<UnitCode>,
    /// Civil date; none = today.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
    /// Minute of the day, kept rounded to 15; none = when the form was begun, when that was on the same day.
    #[serde(default)]
    #[uniffi(default)]
    pub start_minute: Option<u16>,
    /// Minute of the day, kept rounded to 15; none = now, when the form was begun on the same day.
    #[serde(default)]
    #[uniffi(default)]
    pub end_minute: Option<u16>,
    /// A number of the list `place_kinds`.
    #[serde(default)]
    #[uniffi(default)]
    pub place: Option<u8>,
    /// A number of the list `languages`.
    #[serde(default)]
    #[uniffi(default)]
    pub language: Option<u8>,
    /// A number of the list `signals`.
    #[serde(default)]
    #[uniffi(default)]
    pub signal: Option<u8>,
    /// Who was there; none = me.
    #[serde(default)]
    #[uniffi(default)]
    pub members: Vec<MemberId>,
    /// The campaign it counts under.
    #[serde(default)]
    #[uniffi(default)]
    pub plan: Option<PlanId>,
    /// Free text.
    #[serde(default)]
    #[uniffi(default)]
    pub note: Option<String>,
    /// At least one.
    #[serde(default)]
    #[uniffi(default)]
    pub services: Vec<NewService>,
    /// Returns that were agreed.
    #[serde(default)]
    #[uniffi(default)]
    pub follow_ups: Vec<NewReturn>,
    /// Returns that this visit was.
    #[serde(default)]
    #[uniffi(default)]
    pub done_follow_ups: Vec<FollowUpId>,
    /// A token of the form, such as its draft's id: a second save with the same one gives the first one's answer, and
    /// the draft goes.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// One service and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewService {
    /// For whom; none = nobody in particular.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// What: by version (`sim_4g@1`), or by its code alone, which means as it is now.
    pub service: String,
    /// A number of the list `outcomes`.
    pub outcome: u8,
    /// Why it is not done: the failure code's number.
    #[serde(default)]
    #[uniffi(default)]
    pub failure: Option<u8>,
    /// A number of the list `evidence`.
    #[serde(default)]
    #[uniffi(default)]
    pub evidence: Option<u8>,
    /// The tutorial followed, when there is no run.
    #[serde(default)]
    #[uniffi(default)]
    pub tutorial: Option<ContentRef>,
    /// The last step of it that was reached, from 1, when there is no run.
    #[serde(default)]
    #[uniffi(default)]
    pub last_step: Option<u8>,
    /// The checklist that was filled in.
    #[serde(default)]
    #[uniffi(default)]
    pub run: Option<NewRun>,
    /// Or the open run's draft; two services of one tutorial may name the same.
    #[serde(default)]
    #[uniffi(default)]
    pub run_draft: Option<String>,
}

impl NewService {
    /// A service and its outcome.
    pub fn new(person: Option<PersonId>, service: &str, outcome: u8) -> Self {
        Self {
            person,
            service: service.to_owned(),
            outcome,
            failure: None,
            evidence: None,
            tutorial: None,
            last_step: None,
            run: None,
            run_draft: None,
        }
    }
}

/// A return to plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    /// For whom; none = the household.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// What for, by version or as it is now.
    #[serde(default)]
    #[uniffi(default)]
    pub service: Option<String>,
    /// When.
    pub due_on: Day,
    /// Who goes; none = me.
    #[serde(default)]
    #[uniffi(default)]
    pub assigned_to: Option<MemberId>,
    /// What to bring.
    #[serde(default)]
    #[uniffi(default)]
    pub note: Option<String>,
}

/// What the saved sheet shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedVisit {
    /// The visit.
    pub visit: VisitId,
    /// Its services, in the order given.
    pub services: Vec<ServiceRowId>,
    /// Their checklist runs, each once.
    pub runs: Vec<ChecklistRunId>,
    /// The returns that were planned, in the order given.
    pub follow_ups: Vec<FollowUpId>,
    /// Where it is.
    pub receipt: Receipt,
    /// Until then it can be taken back without a reason; ms UTC.
    pub can_take_back_until: i64,
    /// The phone's clock has not been set by the hub since the phone was started: the date is marked.
    pub is_clock_unsure: bool,
}

/// Everything that a save would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct VisitCheck {
    /// In order of the fields; none = it can be saved.
    pub problems: Vec<Problem>,
}

/// A day out of the paper book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewVisits {
    /// Each with a token of its own, so that what was saved is not saved again; at most
    /// [`MAX_NOTEBOOK`](super::MAX_NOTEBOOK).
    pub visits: Vec<NewVisit>,
}

/// What became of each line.
#[derive(Debug, Clone, PartialEq, Serialize, uniffi::Record)]
pub struct SavedVisits {
    /// In the order given.
    pub lines: Vec<NotebookLine>,
    /// How many were saved.
    pub saved: u32,
}

/// What became of a line of the paper book.
#[derive(Debug, Clone, PartialEq, Serialize, uniffi::Record)]
pub struct NotebookLine {
    /// What was saved; none = it stays a draft.
    pub saved: Option<SavedVisit>,
    /// Why it was not.
    pub problems: Vec<Problem>,
}

/// Which visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfVisit {
    /// The visit.
    pub visit: VisitId,
}

/// What is corrected, and why: a field that is absent stays, null clears it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct CorrectVisit {
    /// The visit.
    pub visit: VisitId,
    /// A number of the list `correction_reasons`.
    pub reason: u8,
    /// The reason in words; must be there for `other`.
    #[serde(default)]
    #[uniffi(default)]
    pub reason_text: Option<String>,
    /// Whom; the hamlet and the commune follow unless they are named.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub household: Option<EditHousehold>,
    /// Where; the commune follows unless it is named.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub hamlet: Option<EditHamlet>,
    /// The commune at that date.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub unit: Option<EditUnit>,
    /// Civil date; cannot be cleared.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
    /// Minute of the day.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub start_minute: Option<EditNumber>,
    /// Minute of the day.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub end_minute: Option<EditNumber>,
    /// A number of the list `place_kinds`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub place: Option<EditChoice>,
    /// A number of the list `languages`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub language: Option<EditChoice>,
    /// A number of the list `signals`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub signal: Option<EditChoice>,
    /// Who was there; cannot be cleared.
    #[serde(default)]
    #[uniffi(default)]
    pub members: Option<Vec<MemberId>>,
    /// The campaign it counts under.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub plan: Option<EditPlan>,
    /// Free text.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub note: Option<EditText>,
    /// Services that said something wrong.
    #[serde(default)]
    #[uniffi(default)]
    pub services: Vec<CorrectService>,
    /// Services that were forgotten.
    #[serde(default)]
    #[uniffi(default)]
    pub add: Vec<NewService>,
    /// The visit never was: it stays in the book and counts no longer, with its checklists and returns.
    #[serde(default)]
    #[uniffi(default)]
    pub is_struck_out: bool,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// What is corrected of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct CorrectService {
    /// The row.
    pub row: ServiceRowId,
    /// For whom.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub person: Option<EditPerson>,
    /// What; a checklist of another service is let go.
    #[serde(default)]
    #[uniffi(default)]
    pub service: Option<String>,
    /// A number of the list `outcomes`; the reason why it was not done goes unless it is named.
    #[serde(default)]
    #[uniffi(default)]
    pub outcome: Option<u8>,
    /// The failure code's number.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub failure: Option<EditChoice>,
    /// A number of the list `evidence`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub evidence: Option<EditChoice>,
    /// It was not done at this visit: its checklist goes with it unless another service names that too.
    #[serde(default)]
    #[uniffi(default)]
    pub is_struck_out: bool,
}

/// What the screen shows afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct CorrectedVisit {
    /// The visit.
    pub visit: VisitId,
    /// The services that were added, in the order given.
    pub added: Vec<ServiceRowId>,
    /// Where the correction is.
    pub receipt: Receipt,
}
