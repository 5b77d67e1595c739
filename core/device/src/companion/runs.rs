//! Checklist runs: what came of each step of a tutorial, checked against that version of it, and the row it becomes.
//!
//! `checklists` walks the steps and `visits` saves the finished run together with the visit; both use what is here. A
//! run holds nothing about whom: it goes to the training scope.

use std::fmt::Display;

use langso_domain::content::{Content, ContentRef, FailureAction, Status, StepResult, Tutorial};
use langso_domain::date::CivilDate;
use langso_domain::id::{ChecklistRunId, HouseholdId, MemberId, PersonId};
use langso_sync::value::Value;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::drafts;
use super::known::Known;
use super::problems::Problems;
use crate::error::{AppError, Result};
use crate::phone::Saving;

/// The longest that a run may have taken, in minutes.
pub const MAX_MINUTES: u16 = 12 * 60;
/// The number of a step that was not passed in the list `step_results`.
pub(super) const FAILED: u8 = 3;

/// A tutorial as it was walked through with a citizen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// The tutorial, by the version that was walked.
    pub tutorial: ContentRef,
    /// What came of the steps; a step that is not in it was not reached.
    pub steps: Vec<RunStep>,
    /// Of the citizen's phone.
    #[serde(default)]
    #[uniffi(default)]
    pub phone_model: Option<String>,
    /// Of the citizen's phone.
    #[serde(default)]
    #[uniffi(default)]
    pub os_version: Option<String>,
    /// How long it took.
    #[serde(default)]
    #[uniffi(default)]
    pub minutes: Option<u16>,
    /// The citizen did it once more alone.
    #[serde(default)]
    #[uniffi(default)]
    pub teach_back: bool,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct RunStep {
    /// From 1.
    pub step: u8,
    /// A number of the list `step_results`.
    pub result: u8,
    /// The failure code's number.
    #[serde(default)]
    #[uniffi(default)]
    pub failure: Option<u8>,
}

/// A run that is not finished: the body of its draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenRun {
    /// As far as it has come.
    pub run: NewRun,
    /// When it was begun, ms UTC.
    pub started_at: i64,
    /// The step at which it stands, from 1.
    pub at: u8,
    /// With whom; stays on this phone.
    pub household: Option<HouseholdId>,
    /// With whom; stays on this phone.
    pub person: Option<PersonId>,
}

impl OpenRun {
    /// The open run of a draft; none when there is no such draft, or it is another form.
    pub fn of_draft(connection: &Connection, draft: &str) -> Result<Option<Self>> {
        let Some(draft) = drafts::get(connection, draft)?.filter(|draft| draft.kind == drafts::RUN) else {
            return Ok(None);
        };
        let body = draft.body.unwrap_or_default();
        serde_json::from_value(body).map(Some).map_err(|_| AppError::Corrupt)
    }
}

/// A run without fault, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedRun {
    pub tutorial: ContentRef,
    /// One byte a step.
    pub steps: Vec<u8>,
    phone_model: Option<String>,
    os_version: Option<String>,
    minutes: Option<u16>,
    teach_back: bool,
}

impl CheckedRun {
    /// Its columns, but for by whom and when.
    pub fn fields(&self) -> [(&'static str, Value); 6] {
        [
            ("tutorial", self.tutorial.to_string().into()),
            ("steps", self.steps.clone().into()),
            ("phone_model", self.phone_model.as_deref().into()),
            ("os_version", self.os_version.as_deref().into()),
            ("minutes", self.minutes.into()),
            ("teach_back", self.teach_back.into()),
        ]
    }

    /// The last step that was reached, from 1.
    pub fn last_step(&self) -> Option<u8> {
        self.steps.iter().rposition(|byte| *byte != 0).and_then(|at| u8::try_from(at + 1).ok())
    }
}

/// Checks a run before it is written. Gives it as it is stored, as far as it is without fault; whoever writes it asks
/// the problems first. Fields below `path`:
/// `tutorial` (`unknown_tutorial`, `tutorial_not_ready`), `steps` (`missing`), `steps[0].step` (`unknown_step`,
/// `step_twice`, `after_safety_stop`), `steps[0].result` (`unknown_choice`), `steps[0].failure`
/// (`failure_code_missing`, `failure_code_not_of_step`, `failure_code_not_expected`), `phone_model`, `os_version`,
/// `minutes` (`out_of_range`).
pub(crate) fn check_run(
    known: &Known,
    path: impl Display,
    run: &NewRun,
    problems: &mut Problems,
) -> CheckedRun {
    let tutorial = known.content.tutorial_at(&run.tutorial);
    match tutorial {
        None => problems.add(format_args!("{path}.tutorial"), "unknown_tutorial"),
        Some(tutorial) if tutorial.status != Status::Ready => {
            problems.add(format_args!("{path}.tutorial"), "tutorial_not_ready");
        }
        Some(_) => {}
    }
    let steps = tutorial.map(|tutorial| check_steps(known, &path, tutorial, &run.steps, problems));
    problems.range(format_args!("{path}.minutes"), run.minutes, 0..=MAX_MINUTES);
    let mut line = |field: &str, given: Option<&str>| {
        problems.line(format_args!("{path}.{field}"), &format!("checklist_run.{field}"), given)
    };
    CheckedRun {
        tutorial: run.tutorial.clone(),
        phone_model: line("phone_model", run.phone_model.as_deref()),
        os_version: line("os_version", run.os_version.as_deref()),
        steps: steps.unwrap_or_default(),
        minutes: run.minutes,
        teach_back: run.teach_back,
    }
}

fn check_steps(
    known: &Known,
    path: &impl Display,
    tutorial: &Tutorial,
    given: &[RunStep],
    problems: &mut Problems,
) -> Vec<u8> {
    let mut bytes = vec![0; tutorial.steps.len()];
    let results = known.content.list("step_results");
    for (at, step) in given.iter().enumerate() {
        let field = |name: &str| format!("{path}.steps[{at}].{name}");
        let Some(byte) = usize::from(step.step).checked_sub(1).and_then(|place| bytes.get_mut(place)) else {
            problems.add(field("step"), "unknown_step");
            continue;
        };
        if *byte != 0 {
            problems.add(field("step"), "step_twice");
        }
        if results.is_none_or(|results| results.number(step.result).is_none()) {
            problems.add(field("result"), "unknown_choice");
        }
        *byte = step.failure.filter(|_| step.result == FAILED).unwrap_or(step.result);
        match (step.result, step.failure) {
            (FAILED, None) => problems.add(field("failure"), "failure_code_missing"),
            (FAILED, Some(number)) => {
                let code = known.content.failure_number(number).map(|failure| failure.code.as_str());
                if !code.is_some_and(|code| tutorial.failures_at(step.step).contains(&code)) {
                    problems.add(field("failure"), "failure_code_not_of_step");
                }
            }
            (_, Some(_)) => problems.add(field("failure"), "failure_code_not_expected"),
            (_, None) => {}
        }
    }
    if bytes.iter().all(|byte| *byte == 0) {
        problems.add(format_args!("{path}.steps"), "missing");
    }
    if let Some(stop) = safety_stop(&known.content, given) {
        let is_after = |step: &RunStep| step.step > stop && step.result != 0;
        for (at, _) in given.iter().enumerate().filter(|(_, step)| is_after(step)) {
            problems.add(format_args!("{path}.steps[{at}].step"), "after_safety_stop");
        }
    }
    bytes
}

/// The step at which everything had to stop.
pub(super) fn safety_stop(content: &Content, steps: &[RunStep]) -> Option<u8> {
    let is_stop = |step: &&RunStep| {
        let code = step.failure.and_then(|number| content.failure_number(number));
        code.is_some_and(|code| code.action == FailureAction::Stop)
    };
    steps.iter().filter(is_stop).map(|step| step.step).min()
}

/// Whether a run of that tutorial may say what came of a service.
pub(crate) fn leads_to(known: &Known, tutorial: &ContentRef, service: &ContentRef) -> bool {
    let results = known.content.tutorial_at(tutorial).map(|tutorial| &tutorial.results);
    let of_service = known.content.service_at(service).and_then(|service| service.tutorial.as_deref());
    of_service == Some(tutorial.code.as_str())
        || results.is_some_and(|results| results.iter().any(|result| result.service == service.code))
}

/// The run's row, in the training scope: a change of its own in the same save.
pub(crate) fn create_run(
    saving: &mut Saving<'_, '_>,
    member: MemberId,
    date: CivilDate,
    run: &CheckedRun,
) -> Result<ChecklistRunId> {
    let [tutorial, steps, phone_model, os_version, minutes, teach_back] = run.fields();
    let (by, on) = (("member_id", member.0.into()), ("date", date.into()));
    let fields = [tutorial, steps, phone_model, os_version, by, on, minutes, teach_back];
    Ok(ChecklistRunId(saving.create("checklist_run", fields)?))
}

/// One byte for each of so many steps; 0 for one that was not reached.
pub(super) fn bytes_of(steps: &[RunStep], count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    for step in steps {
        if let Some(byte) = usize::from(step.step).checked_sub(1).and_then(|at| bytes.get_mut(at)) {
            *byte = step.failure.unwrap_or(step.result);
        }
    }
    bytes
}

/// The steps of a stored run.
pub(super) fn steps_of(bytes: &[u8]) -> Vec<RunStep> {
    let steps = (1u8..).zip(bytes).map(|(step, byte)| match StepResult::from(*byte) {
        StepResult::FailedFor(failure) => RunStep { step, result: FAILED, failure: Some(failure) },
        _ => RunStep { step, result: *byte, failure: None },
    });
    steps.collect()
}
