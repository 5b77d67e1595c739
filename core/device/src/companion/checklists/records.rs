//! The records of checklists.

use langso_domain::content::{ContentRef, Text as Words};
use langso_domain::id::{ChecklistRunId, HouseholdId, MemberId, PersonId};
use serde::{Deserialize, Serialize};

use crate::companion::content::StepView;
use crate::companion::record::Day;
use crate::companion::runs::{NewRun, RunStep};

/// A tutorial to be walked through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// The tutorial's code, for its newest version, or `code@version`.
    pub tutorial: String,
    /// Only to try it: nothing is stored, and it works before enrolment.
    #[serde(default)]
    #[uniffi(default)]
    pub is_trial: bool,
    /// With whom; stays on this phone.
    #[serde(default)]
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// With whom; stays on this phone.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
    /// A name of the caller's own: a second start with the same one gives the run as it stands.
    #[serde(default)]
    #[uniffi(default)]
    pub run: Option<String>,
}

/// Which open run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfOpenRun {
    /// The run, as the last answer named it: the name of a trial holds all there is of it.
    pub run: String,
}

/// What was done at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Passed; on to the next step.
    Pass,
    /// Not passed, for the reason given; the step stays, to be tried again or left.
    Fail,
    /// Skipped; on to the next step.
    Skip,
    /// On to the next step, with this one left as it is.
    Next,
    /// One step back; never out of the run.
    Back,
}

/// What was done at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct RecordStep {
    /// The run, as the last answer named it.
    pub run: String,
    /// At which step, from 1; none = where the run stands.
    #[serde(default)]
    #[uniffi(default)]
    pub step: Option<u8>,
    /// What was done.
    pub did: Did,
    /// The failure code's number, for what was not passed.
    #[serde(default)]
    #[uniffi(default)]
    pub failure: Option<u8>,
}

/// An open run as the screen shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct RunView {
    /// The run, for the next call: a draft's id, or the whole of a trial.
    pub run: String,
    /// Nothing of it is stored.
    pub is_trial: bool,
    /// The tutorial, by the version that this run keeps.
    pub tutorial: ContentRef,
    /// Its name.
    pub title: Words,
    /// Its review is too old: real screens may differ.
    pub is_out_of_date: bool,
    /// A newer version, which this run does not change to.
    pub newer: Option<ContentRef>,
    /// Where the run stands, from 1; one past the last step at its end.
    pub at: u8,
    /// How many steps there are.
    pub count: u8,
    /// The step it stands at; none at its end.
    pub step: Option<StepView>,
    /// What came of the steps so far, in order.
    pub results: Vec<RunStep>,
    /// The step at which everything had to stop: only there and before it can anything be recorded.
    pub stopped_at: Option<u8>,
    /// When it was begun, ms UTC.
    pub started_at: i64,
    /// As the last end of the walk said it.
    pub teach_back: bool,
    /// As the last end of the walk said it.
    pub phone_model: Option<String>,
    /// As the last end of the walk said it.
    pub os_version: Option<String>,
    /// With whom.
    pub household: Option<HouseholdId>,
    /// With whom.
    pub person: Option<PersonId>,
}

/// The end of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FinishRun {
    /// The run, as the last answer named it.
    pub run: String,
    /// The citizen did it once more alone.
    #[serde(default)]
    #[uniffi(default)]
    pub teach_back: bool,
    /// Of the citizen's phone.
    #[serde(default)]
    #[uniffi(default)]
    pub phone_model: Option<String>,
    /// Of the citizen's phone.
    #[serde(default)]
    #[uniffi(default)]
    pub os_version: Option<String>,
}

/// A finished run: what fills the visit. It becomes durable with that visit, and stays a draft until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct RunSummary {
    /// The draft for the visit's service rows; none for a trial, which ends here.
    pub run_draft: Option<String>,
    /// The run as it would be written.
    pub run: NewRun,
    /// Steps passed.
    pub passed: u8,
    /// Steps not passed.
    pub failed: u8,
    /// Steps skipped.
    pub skipped: u8,
    /// The last step that was reached.
    pub last_step: u8,
    /// The step at which everything had to stop.
    pub stopped_at: Option<u8>,
    /// What it says about each service that it came to.
    pub services: Vec<RunOutcome>,
    /// With whom.
    pub household: Option<HouseholdId>,
    /// With whom.
    pub person: Option<PersonId>,
}

/// A service row as the run would fill it in; the volunteer may say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct RunOutcome {
    /// The service.
    pub service: ContentRef,
    /// Its name.
    pub title: Words,
    /// A number of the list `outcomes`; none when the steps do not say.
    pub outcome: Option<u8>,
    /// The failure code's number.
    pub failure: Option<u8>,
    /// The last step of it that was reached.
    pub last_step: u8,
    /// When it counts as achieved.
    pub done: Words,
}

/// Runs that are not finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct OpenRuns {
    /// The newest first.
    pub runs: Vec<OpenRunRow>,
}

/// A run that is not finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct OpenRunRow {
    /// The run.
    pub run: String,
    /// The tutorial, by the version that it keeps.
    pub tutorial: ContentRef,
    /// Its name; none when this phone does not know that version.
    pub title: Option<Words>,
    /// Where it stands, from 1.
    pub at: u8,
    /// How many steps there are.
    pub count: u8,
    /// With whom.
    pub household: Option<HouseholdId>,
    /// When it was begun, ms UTC.
    pub started_at: i64,
    /// When something was last recorded, ms UTC.
    pub changed_at: i64,
}

/// Runs that a trainer sent back and that wait for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ReturnedRuns {
    /// Those sent back first come first.
    pub runs: Vec<ReturnedRun>,
}

/// A run that a trainer sent back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ReturnedRun {
    /// The run.
    pub run: ChecklistRunId,
    /// With version.
    pub tutorial: Option<ContentRef>,
    /// When it was walked through.
    pub date: Option<Day>,
    /// What is to be done.
    pub comment: Option<String>,
    /// Who says so.
    pub trainer: Option<MemberId>,
    /// When it was sent back.
    pub sent_back_on: Option<Day>,
}

/// What a volunteer says to a run that was sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct AnswerReview {
    /// The run.
    pub run: ChecklistRunId,
    /// What was done about it; no names, no numbers.
    pub answer: String,
    /// The run as it should stand, when something in it was wrong.
    #[serde(default)]
    #[uniffi(default)]
    pub fixed: Option<NewRun>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}
