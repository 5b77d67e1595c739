//! Checklist runs before a trainer: what waits, one run, the verdict, and where people fail. No household is seen.

use std::collections::BTreeMap;

use langso_domain::content::{ContentRef, StepResult};
use langso_domain::id::{ChecklistRunId, MemberId, ReviewId};
use langso_domain::registry::{CURRENT, Role};
use langso_sync::change::Change;
use langso_sync::clock::Stamp;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::me::{APPROVED, SENT_BACK};
use super::problems::Problems;
use super::record::Day;
use super::runs::{RunStep, steps_of};
use super::{Companion, check, once, rows, saves};
use crate::error::{AppError, Result};
use crate::phone::{Phone, Saving};

mod failing;

pub use failing::{FailingSteps, FindFailing, PhoneFailures, ReasonCount, StepCounts, VersionFailures};

/// The review that counts of each run that has one: the newest.
pub(super) const NEWEST_REVIEWS: &str = "SELECT run_id, verdict, comment, trainer_id, date, v_stamp FROM
    (SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY v_stamp DESC, id DESC) AS place FROM live_reviews)
    WHERE place = 1";

/// The feature; see [`Companion::reviews`].
pub struct Reviews<'a>(pub(super) &'a Companion);

/// Which page.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindWaiting {
    /// How many to pass over.
    #[serde(default)]
    #[uniffi(default)]
    pub skip: u32,
}

/// Runs that wait for a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WaitingPage {
    /// Oldest first, at most 100.
    pub runs: Vec<WaitingRun>,
    /// How many wait in all.
    pub count: u32,
    /// Half of them have waited longer than so many days.
    pub median_days: u32,
}

/// A run that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WaitingRun {
    /// The run.
    pub run: ChecklistRunId,
    /// With version.
    pub tutorial: Option<ContentRef>,
    /// When it was walked through.
    pub date: Option<Day>,
    /// For how many days it has waited.
    pub days: u32,
    /// Of the citizen's phone.
    pub phone_model: Option<String>,
    /// Of the citizen's phone.
    pub os_version: Option<String>,
    /// The first step that was not passed, from 1.
    pub failed_step: Option<u8>,
    /// It was sent back, and the volunteer has answered.
    pub is_answered: bool,
}

/// One run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfRun {
    /// The run.
    pub run: ChecklistRunId,
}

/// A run with its steps and verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct RunReview {
    /// The run.
    pub run: ChecklistRunId,
    /// With version.
    pub tutorial: Option<ContentRef>,
    /// When.
    pub date: Option<Day>,
    /// Who helped.
    pub member: Option<MemberId>,
    /// How long it took.
    pub minutes: Option<u32>,
    /// The citizen did it once more alone.
    pub teach_back: bool,
    /// Of the citizen's phone.
    pub phone_model: Option<String>,
    /// Of the citizen's phone.
    pub os_version: Option<String>,
    /// In order.
    pub steps: Vec<RunStep>,
    /// Oldest first; several trainers see each other's.
    pub verdicts: Vec<Verdict>,
    /// What the volunteer said to them, oldest first; as far as this phone holds the saves that say it.
    pub answers: Vec<Answer>,
    /// This phone's role may give one.
    pub may_review: bool,
}

/// A trainer's verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Verdict {
    /// The review.
    pub review: ReviewId,
    /// A number of the list `verdicts`.
    pub verdict: Option<u8>,
    /// What was said.
    pub comment: Option<String>,
    /// By whom.
    pub trainer: Option<MemberId>,
    /// When.
    pub date: Option<Day>,
}

/// What a volunteer said to a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Answer {
    /// When it was saved, ms UTC.
    pub at: i64,
    /// What was said.
    pub answer: String,
}

/// A verdict to be given.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewVerdict {
    /// The run.
    pub run: ChecklistRunId,
    /// For the volunteer; must be there when a run is sent back.
    #[serde(default)]
    #[uniffi(default)]
    pub comment: Option<String>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// What the screen shows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedReview {
    /// The review.
    pub review: ReviewId,
}

impl Reviews<'_> {
    /// Runs without a verdict, and runs that were sent back and answered since.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_waiting(&self, find: FindWaiting) -> Result<WaitingPage> {
        let phone = self.0.phone();
        check::role(&phone, check::TRAINERS)?;
        let today = phone.today();
        let sql = format!(
            "SELECT r.id, r.tutorial, r.date, r.phone_model, r.os_version, r.steps, w.v_stamp
                   FROM live_checklist_runs AS r
                   LEFT JOIN ({NEWEST_REVIEWS}) AS w ON w.run_id = r.id
                   WHERE w.verdict IS NULL OR (w.verdict = ?1 AND r.v_more IS NOT NULL)
                   ORDER BY r.date, r.id"
        );
        let found = rows::all(phone.connection(), &sql, [SENT_BACK], |row| {
            let steps: Option<Vec<u8>> = row.get(5)?;
            let date = rows::day(row, 2)?;
            let judged: Option<i64> = row.get(6)?;
            let run = WaitingRun {
                run: ChecklistRunId(rows::id(row, 0)?),
                tutorial: rows::content(row, 1)?,
                date,
                days: date.map_or(0, |date| (today.0 - date.0.0).max(0) as u32),
                phone_model: row.get(3)?,
                os_version: row.get(4)?,
                failed_step: first_failed(&steps.unwrap_or_default()),
                is_answered: judged.is_some(),
            };
            Ok((run, judged))
        })?;
        let mut waiting = Vec::with_capacity(found.len());
        for (run, judged) in found {
            // Only an answer written after the verdict makes it wait again.
            let waits = match judged {
                Some(judged) => is_corrected_after(&phone, run.run, Stamp(judged as u64))?,
                None => true,
            };
            if waits {
                waiting.push(run);
            }
        }
        let mut days: Vec<u32> = waiting.iter().map(|run| run.days).collect();
        days.sort_unstable();
        Ok(WaitingPage {
            count: waiting.len() as u32,
            median_days: days.get(days.len() / 2).copied().unwrap_or(0),
            runs: waiting.into_iter().skip(find.skip as usize).take(rows::PAGE).collect(),
        })
    }

    /// One run with its verdicts; the volunteers read it too.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { role }`.
    pub fn get_review(&self, of: OfRun) -> Result<RunReview> {
        let phone = self.0.phone();
        let roles = &[check::TEAM, check::TRAINERS].concat();
        let may_review = check::role(&phone, roles)?.role == Role::Trainer as u8;
        let connection = phone.connection();
        let sql = "SELECT id, verdict, comment, trainer_id, date FROM live_reviews WHERE run_id = ?1
                   ORDER BY v_stamp, id";
        let verdicts = rows::all(connection, sql, [of.run.0.0], |row| {
            Ok(Verdict {
                review: ReviewId(rows::id(row, 0)?),
                verdict: rows::number(row, 1)?,
                comment: row.get(2)?,
                trainer: rows::some_id(row, 3, MemberId)?,
                date: rows::day(row, 4)?,
            })
        })?;
        let answers = answers(connection, of.run)?;
        let sql = "SELECT tutorial, date, member_id, minutes, teach_back, phone_model, os_version, steps
                   FROM live_checklist_runs WHERE id = ?1";
        let found = connection.prepare_cached(sql)?.query_row([of.run.0.0], |row| {
            let steps: Option<Vec<u8>> = row.get(7)?;
            Ok(RunReview {
                run: of.run,
                tutorial: rows::content(row, 0)?,
                date: rows::day(row, 1)?,
                member: rows::some_id(row, 2, MemberId)?,
                minutes: rows::count(row, 3)?,
                teach_back: row.get::<_, Option<bool>>(4)?.unwrap_or_default(),
                phone_model: row.get(5)?,
                os_version: row.get(6)?,
                steps: steps_of(&steps.unwrap_or_default()),
                verdicts,
                answers,
                may_review,
            })
        });
        found.optional()?.ok_or(AppError::NotFound)
    }

    /// Approves a run.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `InvalidInput`: `not_found`, `own_run`, a code of the never-store list.
    pub fn approve_run(&self, new: NewVerdict) -> Result<SavedReview> {
        self.review("reviews.approve_run", APPROVED, &new)
    }

    /// Sends a run back, with what is to be done.
    ///
    /// # Errors
    /// As [`Reviews::approve_run`]; `missing` without a comment.
    pub fn send_back_run(&self, new: NewVerdict) -> Result<SavedReview> {
        self.review("reviews.send_back_run", SENT_BACK, &new)
    }

    /// Where people fail: by version, step, reason and phone; counts, so that two versions can stand side by side.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_failing_steps(&self, find: FindFailing) -> Result<FailingSteps> {
        let phone = self.0.phone();
        check::role(&phone, check::TRAINERS)?;
        failing::list(&phone, &find)
    }

    fn review(&self, call: &str, verdict: u8, new: &NewVerdict) -> Result<SavedReview> {
        let mut phone = self.0.phone();
        let trainer = check::role(&phone, check::TRAINERS)?.member;
        if let Some(answer) = once::answered(&phone, call, new.token.as_deref())? {
            return Ok(answer);
        }
        let mut problems = Problems::default();
        let comment = problems.line("comment", "review.comment", new.comment.as_deref());
        problems.finish()?;
        if verdict == SENT_BACK && comment.is_none() {
            return Err(AppError::invalid("comment", "missing"));
        }
        if member_of(&phone, new.run)? == Some(trainer) {
            return Err(AppError::invalid("run", "own_run"));
        }
        let today = phone.today();
        once::save(&mut phone, call, new.token.as_deref(), |saving| {
            come_after_reviews(saving, new.run)?;
            saving.come_after("checklist_run", new.run.0)?;
            // A trainer trains several teams: the verdict lies where the run lies.
            let id = saving.create_beside(
                "review",
                ("checklist_run", new.run.0),
                [
                    ("run_id", new.run.0.into()),
                    ("verdict", verdict.into()),
                    ("comment", comment.into()),
                    ("trainer_id", trainer.0.into()),
                    ("date", today.into()),
                ],
            )?;
            Ok(SavedReview { review: ReviewId(id) })
        })
    }
}

/// The newest verdict counts, and only an answer after it is one: what is said to a run comes after every verdict that
/// its author saw, however far ahead the clock of whoever gave it was.
pub(super) fn come_after_reviews(saving: &mut Saving<'_, '_>, run: ChecklistRunId) -> Result<()> {
    let sql = "SELECT id FROM live_reviews WHERE run_id = ?1";
    for review in rows::all(saving.connection(), sql, [run.0.0], |row| rows::id(row, 0))? {
        saving.come_after("review", review)?;
    }
    Ok(())
}

fn answers(connection: &Connection, run: ChecklistRunId) -> Result<Vec<Answer>> {
    let sql = "SELECT scope FROM live_checklist_runs WHERE id = ?1 AND v_more IS NOT NULL";
    let mut get = connection.prepare_cached(sql)?;
    let Some(scope) = get.query_row([run.0.0], |row| row.get(0)).optional()? else { return Ok(Vec::new()) };
    let found = saves::that_speak_of(connection, scope, [&run.0])?;
    let corrects = |change: &Change| {
        change.rows.iter().any(|op| op.patch.as_ref().is_some_and(|patch| patch.target == run.0))
    };
    let mut answers: Vec<Answer> = found
        .values()
        .filter(|change| corrects(change))
        .filter_map(|change| {
            Some(Answer { at: change.stamp.ms() as i64, answer: saves::reason_text(change)? })
        })
        .collect();
    langso_domain::order::sort_by_key(&mut answers, |answer| answer.at);
    Ok(answers)
}

/// Whether the newest version of anything in a run came after a verdict.
pub(super) fn is_corrected_after(phone: &Phone, run: ChecklistRunId, judged: Stamp) -> Result<bool> {
    let table = CURRENT.named("checklist_run").ok_or_else(|| AppError::unexpected("table"))?;
    let state = phone.replica.row_state(table, run.0)?.unwrap_or_default();
    Ok(state.newest_stamp() > judged)
}

fn member_of(phone: &Phone, run: ChecklistRunId) -> Result<Option<MemberId>> {
    let sql = "SELECT member_id FROM live_checklist_runs WHERE id = ?1";
    let mut get = phone.connection().prepare_cached(sql)?;
    let found = get.query_row([run.0.0], |row| rows::some_id(row, 0, MemberId)).optional()?;
    found.ok_or_else(|| AppError::invalid("run", "not_found"))
}

fn is_failed(byte: u8) -> bool {
    matches!(StepResult::from(byte), StepResult::Failed | StepResult::FailedFor(_))
}

fn first_failed(steps: &[u8]) -> Option<u8> {
    steps.iter().position(|byte| is_failed(*byte)).and_then(|at| u8::try_from(at + 1).ok())
}

/// Counts how often each value occurs, most often first.
fn counted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<(T, u32)> {
    let mut counts: BTreeMap<T, u32> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    langso_domain::order::sort_by_key(&mut counts, |(_, count)| std::cmp::Reverse(*count));
    counts
}
