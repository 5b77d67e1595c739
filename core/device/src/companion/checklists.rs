//! A tutorial walked through with a citizen, one step a screen.
//!
//! An open run is a draft: each step is durable before it answers, so that a run goes on at the same step after a
//! call or a kill. It becomes a row together with its visit (`visits`). A trial is stored nowhere: its name holds it.

use langso_domain::content::{Content, FailureAction, Tutorial};
use langso_domain::id::ChecklistRunId;
use langso_domain::registry::{Role, ScopeKind};
use rusqlite::Connection;

use super::problems::Problems;
use super::runs::{self, FAILED, NewRun, OpenRun, RunStep};
use super::{Companion, Nothing, check, consents, content, drafts, once, reviews, rows, saves};
use crate::error::{AppError, Problem, Result};
use crate::phone::Phone;

mod records;
mod returned;
mod trial;

pub use records::{
    AnswerReview, Did, FinishRun, OfOpenRun, OpenRunRow, OpenRuns, RecordStep, ReturnedRun, ReturnedRuns,
    RunOutcome, RunSummary, RunView, StartRun,
};
pub(super) use returned::returned;

/// Numbers of the list `step_results`.
const PASSED: u8 = 1;
const SKIPPED: u8 = 2;

/// The feature; see [`Companion::checklists`].
pub struct Checklists<'a>(pub(super) &'a Companion);

impl Checklists<'_> {
    /// Begins to walk a tutorial, at its first step.
    ///
    /// # Errors
    /// `InvalidInput`: `tutorial` (`unknown_tutorial`, `tutorial_not_ready`), `household` or `person` (`not_found`),
    /// `run` (`bad_token`); for a run that is to be kept also `NotAllowed { role }`.
    pub fn start_run(&self, start: StartRun) -> Result<RunView> {
        let phone = self.0.phone();
        let known = phone.content()?;
        let tutorial = content::named_tutorial(&known, &start.tutorial)
            .ok_or_else(|| AppError::invalid("tutorial", "unknown_tutorial"))?;
        if !content::is_ready(tutorial) {
            return Err(AppError::invalid("tutorial", "tutorial_not_ready"));
        }
        let open = OpenRun {
            run: NewRun {
                tutorial: tutorial.reference(),
                steps: Vec::new(),
                phone_model: None,
                os_version: None,
                minutes: None,
                teach_back: false,
            },
            started_at: phone.now().ms,
            at: 1,
            household: start.household,
            person: start.person,
        };
        if start.is_trial {
            let run = trial::name(&open);
            return view(&phone, &known, run, &open, true);
        }
        check::role(&phone, check::TEAM)?;
        let connection = phone.connection();
        check::present_if(
            connection,
            "household",
            "household",
            start.household.map(|household| household.0),
        )?;
        check::present_if(connection, "person", "person", start.person.map(|person| person.0))?;
        let run = match start.run {
            Some(run) if run.is_empty() || run.len() > drafts::LONGEST_ID || trial::is_name(&run) => {
                return Err(AppError::invalid("run", "bad_token"));
            }
            Some(run) => run,
            None => drafts::new_id()?,
        };
        if let Some(open) = OpenRun::of_draft(connection, &run)? {
            return view(&phone, &known, run, &open, false);
        }
        if drafts::get(connection, &run)?.is_some() {
            // Another form has that name, and is not written over.
            return Err(AppError::invalid("run", "bad_token"));
        }
        keep(&phone, &run, &open)?;
        view(&phone, &known, run, &open, false)
    }

    /// An open run where it stands.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a version of the tutorial that this phone does not know.
    pub fn get_run(&self, of: OfOpenRun) -> Result<RunView> {
        let phone = self.0.phone();
        let (open, is_trial) = find(&phone, &of.run)?;
        view(&phone, &phone.content()?, of.run, &open, is_trial)
    }

    /// Records what came of a step, durably before it answers. What was recorded of that step before is replaced.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `step` (`unknown_step`, `after_safety_stop`), `failure` (`failure_code_missing`,
    /// `failure_code_not_of_step`, `failure_code_not_expected`).
    pub fn record_step(&self, record: RecordStep) -> Result<RunView> {
        let phone = self.0.phone();
        let known = phone.content()?;
        let (mut open, is_trial) = find(&phone, &record.run)?;
        let tutorial = tutorial_of(&known, &open)?;
        step(&known, tutorial, &mut open, &record)?;
        let run = match is_trial {
            true => trial::name(&open),
            false => {
                keep(&phone, &record.run, &open)?;
                record.run
            }
        };
        view(&phone, &known, run, &open, is_trial)
    }

    /// Ends a walk: says what it was and what it would fill in. The run is written with the visit that names its
    /// draft, and stays open until then.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `steps` (`missing` when no step was recorded), `phone_model`, `os_version`.
    pub fn finish_run(&self, finish: FinishRun) -> Result<RunSummary> {
        let phone = self.0.phone();
        let known = phone.known()?;
        let (mut open, is_trial) = find(&phone, &finish.run)?;
        let tutorial = tutorial_of(&known.content, &open)?;
        let minutes = (phone.now().ms - open.started_at).max(0) / 60_000;
        open.run.teach_back = finish.teach_back;
        open.run.phone_model = finish.phone_model;
        open.run.os_version = finish.os_version;
        // A run that went on another day says nothing about how long it takes.
        open.run.minutes = u16::try_from(minutes).ok().filter(|minutes| *minutes <= runs::MAX_MINUTES);
        let mut problems = super::problems::Problems::default();
        let checked = runs::check_run(&known, RUN, &open.run, &mut problems);
        problems.finish().map_err(without_path)?;
        if !is_trial {
            keep(&phone, &finish.run, &open)?;
        }
        let steps = &open.run.steps;
        let count = |result: u8| steps.iter().filter(|step| step.result == result).count() as u8;
        Ok(RunSummary {
            passed: count(PASSED),
            failed: count(FAILED),
            skipped: count(SKIPPED),
            last_step: checked.last_step().unwrap_or_default(),
            stopped_at: runs::safety_stop(&known.content, steps),
            services: outcomes(&known.content, tutorial, steps),
            household: open.household,
            person: open.person,
            run_draft: (!is_trial).then_some(finish.run),
            run: open.run,
        })
    }

    /// Runs that are not finished, the newest first.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_open_runs(&self, _: Nothing) -> Result<OpenRuns> {
        Ok(OpenRuns { runs: open_runs(&self.0.phone())? })
    }

    /// My runs that a trainer sent back and that I have not answered.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_returned_runs(&self, _: Nothing) -> Result<ReturnedRuns> {
        let phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        Ok(ReturnedRuns { runs: returned(&phone, me)? })
    }

    /// Answers a trainer, perhaps with what was wrong put right; the run waits for a verdict again.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `run` (`not_returned`), `answer`, `fixed.tutorial` (`other_tutorial`) and below;
    /// `NotAllowed { role }` for another member's run.
    pub fn answer_review(&self, answer: AnswerReview) -> Result<Nothing> {
        const CALL: &str = "checklists.answer_review";
        let mut phone = self.0.phone();
        let (me, role) = check::role(&phone, check::TEAM).map(|identity| (identity.member, identity.role))?;
        if let Some(answer) = once::answered(&phone, CALL, answer.token.as_deref())? {
            return Ok(answer);
        }
        let held = returned::held(phone.connection(), answer.run)?;
        if held.member != Some(me) && role == Role::Member as u8 {
            return Err(AppError::not_allowed("role"));
        }
        if !held.member.map_or(Ok(false), |member| is_returned(&phone, member, answer.run))? {
            return Err(AppError::invalid("run", "not_returned"));
        }
        let mut problems = Problems::default();
        let text = problems.text("answer", "review.comment", &answer.answer);
        let mut fields = vec![("steps", held.steps.into())];
        if let Some(fixed) = &answer.fixed {
            if held.tutorial.as_ref() != Some(&fixed.tutorial) {
                return Err(AppError::invalid("fixed.tutorial", "other_tutorial"));
            }
            let checked = runs::check_run(&*phone.known()?, "fixed", fixed, &mut problems);
            fields = checked.fields().into_iter().filter(|(name, _)| *name != "tutorial").collect();
        }
        problems.finish()?;
        once::save(&mut phone, CALL, answer.token.as_deref(), |saving| {
            reviews::come_after_reviews(saving, answer.run)?;
            saving.patch("checklist_run", answer.run.0, fields)?;
            saving.give_reason(ScopeKind::Training, saves::REASON_OTHER, text.as_deref());
            Ok(Nothing {})
        })
    }
}

/// What fields of a run are called in its check.
const RUN: &str = "run";

fn without_path(error: AppError) -> AppError {
    match error {
        AppError::InvalidInput { field, code } => {
            let field = field.strip_prefix("run.").unwrap_or(&field).to_owned();
            Problem { field, code }.into()
        }
        other => other,
    }
}

fn is_returned(phone: &Phone, member: langso_domain::id::MemberId, run: ChecklistRunId) -> Result<bool> {
    Ok(returned(phone, member)?.iter().any(|returned| returned.run == run))
}

fn find(phone: &Phone, run: &str) -> Result<(OpenRun, bool)> {
    if trial::is_name(run) {
        return Ok((trial::read(run).ok_or(AppError::NotFound)?, true));
    }
    Ok((OpenRun::of_draft(phone.connection(), run)?.ok_or(AppError::NotFound)?, false))
}

fn tutorial_of<'c>(content: &'c Content, open: &OpenRun) -> Result<&'c Tutorial> {
    content.tutorial_at(&open.run.tutorial).ok_or_else(|| AppError::invalid("run", "unknown_tutorial"))
}

/// Writes an open run; it dies with the household's consent.
fn keep(phone: &Phone, run: &str, open: &OpenRun) -> Result<()> {
    let consent = match open.household {
        Some(household) => consents::to_record(phone, household)?,
        None => None,
    };
    let body = serde_json::to_string(open).map_err(AppError::unexpected)?;
    drafts::put(phone.connection(), run, drafts::RUN, &body, consent, phone.now().ms)
}

fn step(content: &Content, tutorial: &Tutorial, open: &mut OpenRun, record: &RecordStep) -> Result<()> {
    let count = tutorial.steps.len() as u8;
    let at = record.step.unwrap_or(open.at);
    if record.did == Did::Back {
        open.at = at.min(count + 1).saturating_sub(1).max(1);
        return Ok(());
    }
    if tutorial.step(at).is_none() {
        return Err(AppError::invalid("step", "unknown_step"));
    }
    if let Some(stop) = runs::safety_stop(content, &open.run.steps)
        && (at > stop || record.did == Did::Next)
    {
        return Err(AppError::invalid("step", "after_safety_stop"));
    }
    match (record.did, record.failure) {
        (Did::Fail, None) => return Err(AppError::invalid("failure", "failure_code_missing")),
        (Did::Fail, Some(number)) => {
            let code = content.failure_number(number).map(|failure| failure.code.as_str());
            if !code.is_some_and(|code| tutorial.failures_at(at).contains(&code)) {
                return Err(AppError::invalid("failure", "failure_code_not_of_step"));
            }
        }
        (_, Some(_)) => return Err(AppError::invalid("failure", "failure_code_not_expected")),
        (_, None) => {}
    }
    let result = match record.did {
        Did::Pass => PASSED,
        Did::Skip => SKIPPED,
        Did::Fail => FAILED,
        Did::Next | Did::Back => {
            open.at = at + 1;
            return Ok(());
        }
    };
    let steps = &mut open.run.steps;
    steps.retain(|step| step.step != at);
    steps.push(RunStep { step: at, result, failure: record.failure });
    if let Some(stop) = runs::safety_stop(content, steps) {
        // Whatever was recorded beyond it, from before going back, no longer holds.
        steps.retain(|step| step.step <= stop);
    }
    langso_domain::order::sort_by_key(steps, |step| step.step);
    open.at = if record.did == Did::Fail { at } else { at + 1 };
    Ok(())
}

fn view(phone: &Phone, content: &Content, run: String, open: &OpenRun, is_trial: bool) -> Result<RunView> {
    let tutorial = tutorial_of(content, open)?;
    let newest = content.tutorial(&tutorial.code).map(Tutorial::reference);
    Ok(RunView {
        run,
        is_trial,
        title: tutorial.title.clone(),
        is_out_of_date: tutorial.is_out_of_date(phone.today()),
        newer: newest.filter(|newest| newest.version > tutorial.version),
        at: open.at,
        count: tutorial.steps.len() as u8,
        step: content::step_view(content, tutorial, open.at),
        results: open.run.steps.clone(),
        stopped_at: runs::safety_stop(content, &open.run.steps),
        started_at: open.started_at,
        teach_back: open.run.teach_back,
        phone_model: open.run.phone_model.clone(),
        os_version: open.run.os_version.clone(),
        household: open.household,
        person: open.person,
        tutorial: open.run.tutorial.clone(),
    })
}

pub(super) fn open_runs(phone: &Phone) -> Result<Vec<OpenRunRow>> {
    let content = phone.content()?;
    let row = |(run, changed_at, open): (String, i64, OpenRun)| {
        let tutorial = content.tutorial_at(&open.run.tutorial);
        OpenRunRow {
            run,
            title: tutorial.map(|tutorial| tutorial.title.clone()),
            at: open.at,
            count: tutorial.map_or(0, |tutorial| tutorial.steps.len() as u8),
            household: open.household,
            started_at: open.started_at,
            changed_at,
            tutorial: open.run.tutorial,
        }
    };
    Ok(all_open(phone.connection())?.into_iter().map(row).collect())
}

fn all_open(connection: &Connection) -> Result<Vec<(String, i64, OpenRun)>> {
    let sql =
        "SELECT draft_id, changed_at, body FROM drafts WHERE kind = ?1 ORDER BY changed_at DESC, draft_id";
    let found: Vec<(String, i64, String)> =
        rows::all(connection, sql, [drafts::RUN], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let read = |(run, changed_at, body): (String, i64, String)| {
        let open = serde_json::from_str(&body).map_err(|_| AppError::Corrupt)?;
        Ok((run, changed_at, open))
    };
    found.into_iter().map(read).collect()
}

/// What the steps say about each service that they came to.
fn outcomes(content: &Content, tutorial: &Tutorial, steps: &[RunStep]) -> Vec<RunOutcome> {
    let of = |result: &langso_domain::content::TutorialResult| {
        let service = content.service(&result.service)?;
        let range = result.from_step?..=result.to_step?;
        let reached: Vec<_> = steps.iter().filter(|step| range.contains(&step.step)).collect();
        let last = reached.last()?;
        let failure = reached.iter().rev().find_map(|step| step.failure);
        let is_whole = reached.len() == range.clone().count() && last.result == PASSED;
        let candidates: &[&str] = match failure.and_then(|number| content.failure_number(number)) {
            None if is_whole => &["new"],
            None => &[],
            Some(code) => match code.action {
                FailureAction::Retry | FailureAction::FollowUp => &["later", "failed"],
                FailureAction::Refer => &["referred", "later"],
                FailureAction::Respect => &["refused", "later"],
                FailureAction::Stop => &["failed", "later"],
            },
        };
        let numbers = candidates.iter().filter_map(|code| Some(content.list("outcomes")?.code(code)?.number));
        let fits =
            |outcome: &u8| content.check_service_row(&service.reference(), *outcome, failure, None).is_ok();
        Some(RunOutcome {
            service: service.reference(),
            title: service.title.clone(),
            outcome: numbers.into_iter().find(fits),
            failure,
            last_step: last.step,
            done: result.done.clone(),
        })
    };
    tutorial.results.iter().filter_map(of).collect()
}
