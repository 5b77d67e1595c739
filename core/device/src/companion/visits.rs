//! Visits: what was done, for whom, and what came of it. A visit is a fact: it is checked whole before it is written,
//! corrected with a reason, and never edited in silence.

use langso_domain::content::ContentRef;
use langso_domain::id::{ChecklistRunId, FollowUpId, MemberId, RowId, ServiceRowId, VisitId};
use langso_domain::units::UnitCode;
use langso_sync::value::Value;

use super::problems::Problems;
use super::receipts::Receipt;
use super::runs::create_run;
use super::{Companion, Nothing, check as may, drafts, once, who};
use crate::error::{AppError, Result};
use crate::phone::Phone;

mod check;
mod correct;
mod detail;
mod form;
mod lines;
mod records;

use check::Checked;
pub use detail::{HistoryEntry, HistoryField, ServiceDetail, VisitDetail, VisitHistory};
pub use form::{GetVisitForm, MemberChoice, PlanChoice, ServiceChoice, VisitForm};
pub(super) use lines::page;
pub use lines::{FindVisits, ServiceLine, VisitLine, VisitPage};
pub use records::{
    CorrectService, CorrectVisit, CorrectedVisit, NewReturn, NewService, NewVisit, NewVisits, NotebookLine,
    OfVisit, SavedVisit, SavedVisits, VisitCheck,
};

/// The most services of one visit.
pub const MAX_SERVICES: usize = 40;
/// The most returns that one visit plans or does.
pub const MAX_FOLLOW_UPS: usize = 20;
/// The most lines of the paper book in one call.
pub const MAX_NOTEBOOK: usize = 200;
/// For so long a visit can be taken back without a reason: nobody has counted it by then.
pub const TAKE_BACK_MS: i64 = 30 * 60_000;

/// The feature; see [`Companion::visits`].
pub struct Visits<'a>(pub(super) &'a Companion);

const LOG_VISIT: &str = "visits.log_visit";

impl Visits<'_> {
    /// Everything that [`Visits::log_visit`] would refuse; writes nothing.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn check_visit(&self, visit: NewVisit) -> Result<VisitCheck> {
        let phone = self.0.phone();
        let me = may::role(&phone, may::TEAM)?.member;
        let mut problems = Problems::default();
        check::check(&phone, &*phone.known()?, me, &visit, &mut problems)?;
        Ok(VisitCheck { problems: problems.into_list() })
    }

    /// Writes a visit down with its services, its finished checklists and the returns that were planned or done, in
    /// one save: all of it is durable when this answers. The runs go to the training scope by a change of their own.
    ///
    /// # Errors
    /// `InvalidInput` with the first field of [`Visits::check_visit`], such as `services[1].failure`;
    /// `NotAllowed { role }`; `StorageFull`. Nothing was written then.
    pub fn log_visit(&self, visit: NewVisit) -> Result<SavedVisit> {
        let mut phone = self.0.phone();
        let me = may::role(&phone, may::TEAM)?.member;
        phone.at_once(|phone| {
            if let Some(saved) = once::answered(phone, LOG_VISIT, visit.token.as_deref())? {
                return Ok(saved);
            }
            let mut problems = Problems::default();
            let checked = check::check(phone, &*phone.known()?, me, &visit, &mut problems)?;
            problems.finish()?;
            write(phone, me, &visit, &checked)
        })
    }

    /// Writes a day out of the paper book down: every line without fault is saved by itself, every other one says
    /// why not and stays a draft. Lines with a token are saved once, however often this is called.
    ///
    /// # Errors
    /// `InvalidInput` for `visits` (`missing`, `too_many`); `NotAllowed { role }`; `StorageFull` when there was no
    /// room for a line: those before it are saved.
    pub fn log_visits(&self, new: NewVisits) -> Result<SavedVisits> {
        match new.visits.len() {
            0 => return Err(AppError::invalid("visits", "missing")),
            1..=MAX_NOTEBOOK => {}
            _ => return Err(AppError::invalid("visits", "too_many")),
        }
        let mut phone = self.0.phone();
        let me = may::role(&phone, may::TEAM)?.member;
        let known = phone.known()?;
        let mut lines = Vec::with_capacity(new.visits.len());
        for visit in &new.visits {
            let mut problems = Problems::default();
            let saved = match once::answered(&phone, LOG_VISIT, visit.token.as_deref()) {
                Ok(Some(saved)) => Some(saved),
                Ok(None) => {
                    let checked = check::check(&phone, &known, me, visit, &mut problems)?;
                    match problems.count() {
                        0 => Some(write(&mut phone, me, visit, &checked)?),
                        _ => None,
                    }
                }
                Err(AppError::InvalidInput { field, code }) => {
                    problems.add(field, &code);
                    None
                }
                Err(other) => return Err(other),
            };
            lines.push(NotebookLine { saved, problems: problems.into_list() });
        }
        let saved = lines.iter().filter(|line| line.saved.is_some()).count() as u32;
        Ok(SavedVisits { lines, saved })
    }

    /// One visit with its services and where it is, by receipts alone; also one that was struck out.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { role }`.
    pub fn get_visit(&self, of: OfVisit) -> Result<VisitDetail> {
        let phone = self.0.phone();
        may::role(&phone, may::TEAM)?;
        detail::visit(&phone, of.visit)?.ok_or(AppError::NotFound)
    }

    /// Visits, newest first, a page at a time.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_visits(&self, find: FindVisits) -> Result<VisitPage> {
        let phone = self.0.phone();
        may::role(&phone, may::TEAM)?;
        lines::page(&phone, &find)
    }

    /// What a form begins with: what can be chosen, and what is likely.
    ///
    /// # Errors
    /// `NotFound` for a household that is not here; `NotAllowed { role }`.
    pub fn get_visit_form(&self, get: GetVisitForm) -> Result<VisitForm> {
        let phone = self.0.phone();
        let me = may::role(&phone, may::TEAM)?.member;
        form::form(&phone, me, get)
    }

    /// Corrects a visit and its services, or strikes it out: a fact is never corrected without a reason. What is named
    /// is checked as in [`Visits::log_visit`].
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `visit` (`struck_out`), `reason` (`unknown_choice`), `reason_text` (`missing` for
    /// another reason, and what is wrong with the text), `members` (`missing`), `household`
    /// (`persons_of_other_household`), `services[0].row` (`not_found`, `row_twice`), `services` (`missing` when none would be
    /// left), and the fields of a visit, with `add[0]` for what is added; `NotAllowed { role }`.
    pub fn correct_visit(&self, correct: CorrectVisit) -> Result<CorrectedVisit> {
        const CALL: &str = "visits.correct_visit";
        let mut phone = self.0.phone();
        let me = may::role(&phone, may::TEAM)?.member;
        if let Some(saved) = once::answered(&phone, CALL, correct.token.as_deref())? {
            return Ok(saved);
        }
        let held = detail::visit(&phone, correct.visit)?.ok_or(AppError::NotFound)?;
        if held.is_struck_out {
            return Err(AppError::invalid("visit", "struck_out"));
        }
        let correction = correct::check(&phone, &*phone.known()?, me, &held, &correct)?;
        let date = correct.date.or(held.date).map_or(phone.today(), |day| day.0);
        once::save(&mut phone, CALL, correct.token.as_deref(), |saving| {
            correct::write(saving, me, &correct, date, &correction)
        })
    }

    /// Takes back what this phone saved a moment ago; no reason is asked. Twice is as once.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { other_phone }` for what was saved elsewhere, `NotAllowed { too_late }` after
    /// [`TAKE_BACK_MS`]: correct it then.
    pub fn take_back_visit(&self, of: OfVisit) -> Result<Nothing> {
        let mut phone = self.0.phone();
        may::role(&phone, may::TEAM)?;
        let held = detail::visit(&phone, of.visit)?.ok_or(AppError::NotFound)?;
        if held.is_struck_out {
            return Ok(Nothing {});
        }
        let device = match of.visit.0.key() {
            Some(key) => who::device_of(phone.connection(), key.writer)?,
            None => None,
        };
        if device != Some(phone.device) {
            return Err(AppError::not_allowed("other_phone"));
        }
        if held.can_take_back_until.is_none() {
            return Err(AppError::not_allowed("too_late"));
        }
        phone.save(|saving| correct::take_back(saving, of.visit))?;
        Ok(Nothing {})
    }

    /// Every save of a visit, with reasons: nothing is edited in silence.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { role }`.
    pub fn list_visit_history(&self, of: OfVisit) -> Result<VisitHistory> {
        let phone = self.0.phone();
        may::role(&phone, may::TEAM)?;
        detail::history(&phone, of.visit)
    }
}

fn write(phone: &mut Phone, me: MemberId, visit: &NewVisit, checked: &Checked) -> Result<SavedVisit> {
    let now = phone.now();
    once::save(phone, LOG_VISIT, visit.token.as_deref(), |saving| {
        match (visit.household, visit.hamlet) {
            (Some(household), _) => saving.stay_beside("household", household.0)?,
            (None, Some(hamlet)) => saving.stay_beside("hamlet", hamlet.0)?,
            (None, None) => {}
        }
        let row = saving.create("visit", fields(visit, checked))?;
        let runs = checked.runs.iter().map(|run| create_run(saving, me, checked.date, run));
        let runs: Vec<ChecklistRunId> = runs.collect::<Result<_>>()?;
        let mut services = Vec::with_capacity(visit.services.len());
        for (service, filled) in visit.services.iter().zip(&checked.services) {
            let run = filled.run.map(|place| runs[place]);
            let fields = service_fields(row, service, filled, run);
            services.push(ServiceRowId(saving.create("service_row", fields)?));
        }
        let mut follow_ups = Vec::with_capacity(checked.follow_ups.len());
        if let Some(household) = visit.household {
            for planned in &checked.follow_ups {
                follow_ups.push(FollowUpId(
                    saving.create("follow_up", planned.fields(Some(VisitId(row)), Some(household)))?,
                ));
            }
        }
        for done in &checked.done_follow_ups {
            let fields = [("done_on", checked.date.into()), ("done_by_visit", row.into())];
            saving.patch("follow_up", done.0, fields)?;
        }
        for draft in
            visit.services.iter().filter_map(|service| service.run_draft.as_ref()).chain(&visit.token)
        {
            drafts::discard(saving.connection(), draft)?;
        }
        Ok(SavedVisit {
            visit: VisitId(row),
            services,
            runs,
            follow_ups,
            receipt: Receipt::FRESH,
            can_take_back_until: now.ms.saturating_add(TAKE_BACK_MS),
            is_clock_unsure: !now.is_sure,
        })
    })
}

fn fields(visit: &NewVisit, checked: &Checked) -> [(&'static str, Value); 12] {
    [
        ("household_id", visit.household.map(|household| household.0).into()),
        ("hamlet_id", checked.hamlet.map(|hamlet| hamlet.0).into()),
        ("unit", checked.unit.as_ref().map(UnitCode::to_string).into()),
        ("date", checked.date.into()),
        ("start_minute", checked.start_minute.into()),
        ("end_minute", checked.end_minute.into()),
        ("place", visit.place.into()),
        ("language", visit.language.into()),
        ("signal", visit.signal.into()),
        ("members", checked.members.clone().into()),
        ("plan_id", visit.plan.map(|plan| plan.0).into()),
        ("note", checked.note.as_deref().into()),
    ]
}

fn service_fields(
    visit: RowId,
    service: &NewService,
    filled: &check::CheckedService,
    run: Option<ChecklistRunId>,
) -> [(&'static str, Value); 9] {
    [
        ("visit_id", visit.into()),
        ("person_id", service.person.map(|person| person.0).into()),
        ("service", filled.service.to_string().into()),
        ("outcome", service.outcome.into()),
        ("failure", service.failure.into()),
        ("evidence", service.evidence.into()),
        ("last_step", filled.last_step.into()),
        ("tutorial", filled.tutorial.as_ref().map(ContentRef::to_string).into()),
        ("run_id", run.map(|run| run.0).into()),
    ]
}
