//! A visit before it is written: everything that a save would refuse, and the visit as it is stored.
//!
//! Reads what the hub has said from the cache, and looks up the household and its persons by their ids: most saves
//! need nothing else.

use std::collections::BTreeMap;

use langso_domain::content::ContentRef;
use langso_domain::date::CivilDate;
use langso_domain::id::{FollowUpId, HamletId, HouseholdId, MemberId, RowId};
use langso_domain::units::UnitCode;
use rusqlite::OptionalExtension;

use super::super::check::is_same_household;
use super::super::content::named_service;
use super::super::follow_ups::{CheckedReturn, check_return};
use super::super::known::Known;
use super::super::problems::Problems;
use super::super::runs::{CheckedRun, OpenRun, check_run, leads_to};
use super::super::{consents, drafts, households, merges, rows};
use super::records::{NewService, NewVisit};
use super::{MAX_FOLLOW_UPS, MAX_SERVICES};
use crate::error::Result;
use crate::phone::Phone;

/// A visit as it is stored, as far as it is without fault.
#[derive(Debug)]
pub(super) struct Checked {
    pub hamlet: Option<HamletId>,
    pub unit: Option<UnitCode>,
    pub date: CivilDate,
    pub start_minute: Option<u16>,
    pub end_minute: Option<u16>,
    pub members: Vec<RowId>,
    pub note: Option<String>,
    pub services: Vec<CheckedService>,
    /// Each run once; services name it by its place.
    pub runs: Vec<CheckedRun>,
    pub follow_ups: Vec<CheckedReturn>,
    pub done_follow_ups: Vec<FollowUpId>,
}

/// What of a service row was filled in.
#[derive(Debug)]
pub(super) struct CheckedService {
    pub service: ContentRef,
    pub tutorial: Option<ContentRef>,
    pub last_step: Option<u8>,
    /// The place of its run.
    pub run: Option<usize>,
}

/// Checks a whole visit. Reads, and writes nothing.
pub(super) fn check(
    phone: &Phone,
    known: &Known,
    me: MemberId,
    visit: &NewVisit,
    problems: &mut Problems,
) -> Result<Checked> {
    let household_hamlet = match visit.household {
        Some(household) => check_household(phone, known, household, problems)?,
        None => None,
    };
    let date = consents::fact_day(phone, known, "date", visit.date, problems);
    known.check_hamlet("hamlet", visit.hamlet, problems);
    let hamlet = visit.hamlet.or(household_hamlet);
    let unit = known.check_unit("unit", visit.unit, hamlet, date, problems);
    let (start_minute, end_minute) = check_minutes(phone, visit, date, problems)?;
    problems.choice(&known.content, "place_kinds", "place", visit.place);
    problems.choice(&known.content, "languages", "language", visit.language);
    problems.choice(&known.content, "signals", "signal", visit.signal);
    let members = known.check_members(&visit.members, me, date, problems);
    known.check_plan("plan", visit.plan, date, problems);
    let note = problems.lines("note", "visit.note", visit.note.as_deref());
    let (services, runs) = check_services(phone, known, visit, problems)?;
    let follow_ups = check_follow_ups(phone, known, me, visit, date, problems)?;
    let done_follow_ups = check_done(phone, visit, problems)?;
    Ok(Checked {
        hamlet,
        unit,
        date,
        start_minute,
        end_minute,
        members,
        note,
        services,
        runs,
        follow_ups,
        done_follow_ups,
    })
}

/// Gives the hamlet of the household.
fn check_household(
    phone: &Phone,
    known: &Known,
    household: HouseholdId,
    problems: &mut Problems,
) -> Result<Option<HamletId>> {
    households::check_household(phone, known, household, problems)?;
    let sql = "SELECT hamlet_id FROM live_households WHERE id = ?1";
    let mut get = phone.connection().prepare_cached(sql)?;
    let found = get.query_row([household.0.0], |row| rows::some_id(row, 0, HamletId)).optional()?;
    Ok(found.flatten())
}

/// Start and end, given or taken from the form's first key and now, rounded to quarters of an hour: nobody fills
/// such fields, and nobody needs them finer.
fn check_minutes(
    phone: &Phone,
    visit: &NewVisit,
    date: CivilDate,
    problems: &mut Problems,
) -> Result<(Option<u16>, Option<u16>)> {
    const DAY: u16 = 24 * 60;
    problems.range("start_minute", visit.start_minute, 0..=DAY);
    problems.range("end_minute", visit.end_minute, 0..=DAY);
    if let (Some(start), Some(end)) = (visit.start_minute, visit.end_minute)
        && end < start
    {
        problems.add("end_minute", "end_before_start");
    }
    let quarter = |minute: u16| minute.saturating_add(7) / 15 * 15;
    let (mut start, mut end) = (visit.start_minute.map(quarter), visit.end_minute.map(quarter));
    let Some(token) = visit.token.as_deref().filter(|_| start.is_none() || end.is_none()) else {
        return Ok((start, end));
    };
    let Some(begun_at) = drafts::begun_at(phone.connection(), token)? else { return Ok((start, end)) };
    let minute_of = |ms: i64| {
        let passed = ms.checked_sub(date.starts_at())?.div_euclid(60_000);
        u16::try_from(passed).ok().filter(|minute| *minute < DAY).map(quarter)
    };
    // A form for another day says nothing about when it was.
    if let (Some(begun), Some(now)) = (minute_of(begun_at), minute_of(phone.now().ms)) {
        let first = *start.get_or_insert(begun.min(end.unwrap_or(begun)));
        end.get_or_insert(now.max(first));
    }
    Ok((start, end))
}

fn check_services(
    phone: &Phone,
    known: &Known,
    visit: &NewVisit,
    problems: &mut Problems,
) -> Result<(Vec<CheckedService>, Vec<CheckedRun>)> {
    match visit.services.len() {
        0 => problems.add("services", "missing"),
        1..=MAX_SERVICES => {}
        _ => {
            problems.add("services", "too_many");
            return Ok((Vec::new(), Vec::new()));
        }
    }
    let mut services = Vec::with_capacity(visit.services.len());
    let mut runs = Runs::default();
    for (at, service) in visit.services.iter().enumerate() {
        let reference = check_outcome(known, at, service, problems);
        match (service.person, visit.household) {
            (Some(person), Some(household)) => {
                let field = format_args!("services[{at}].person");
                merges::check_person(phone.connection(), field, household, person, problems)?;
            }
            (Some(_), None) => {
                problems.add(format_args!("services[{at}].person"), "person_without_household");
            }
            (None, _) => {}
        }
        let Some(reference) = reference else { continue };
        let run = runs.check(phone, known, at, (service, &reference), problems)?;
        services.push(match run {
            Some(place) => CheckedService {
                service: reference,
                tutorial: Some(runs.runs[place].tutorial.clone()),
                last_step: runs.runs[place].last_step(),
                run: Some(place),
            },
            None => {
                check_tutorial(known, at, (service, &reference), problems);
                CheckedService {
                    service: reference,
                    tutorial: service.tutorial.clone(),
                    last_step: service.last_step,
                    run: None,
                }
            }
        });
    }
    Ok((services, runs.runs))
}

/// Gives the service by version.
fn check_outcome(known: &Known, at: usize, new: &NewService, problems: &mut Problems) -> Option<ContentRef> {
    let Ok(service) = named_service(&known.content, &new.service) else {
        problems.add(format_args!("services[{at}].service"), "unknown_service");
        return None;
    };
    let service = service.reference();
    let row = known.content.check_service_row(&service, new.outcome, new.failure, new.evidence);
    if let Err(problem) = row {
        problems.add(format_args!("services[{at}].{}", problem.field()), problem.code());
    }
    Some(service)
}

fn check_tutorial(
    known: &Known,
    at: usize,
    (service, of): (&NewService, &ContentRef),
    problems: &mut Problems,
) {
    let Some(reference) = &service.tutorial else {
        if service.last_step.is_some() {
            problems.add(format_args!("services[{at}].last_step"), "step_without_tutorial");
        }
        return;
    };
    let field = format_args!("services[{at}].tutorial");
    let Some(tutorial) = known.content.tutorial_at(reference) else {
        problems.add(field, "unknown_tutorial");
        return;
    };
    if !leads_to(known, reference, of) {
        problems.add(field, "tutorial_of_other_service");
    }
    if service.last_step.is_some_and(|step| tutorial.step(step).is_none()) {
        problems.add(format_args!("services[{at}].last_step"), "unknown_step");
    }
}

/// The runs of a visit: those given, and open ones by their drafts, each once.
#[derive(Default)]
struct Runs {
    runs: Vec<CheckedRun>,
    by_draft: BTreeMap<String, usize>,
}

impl Runs {
    /// The place of the service's run.
    fn check(
        &mut self,
        phone: &Phone,
        known: &Known,
        at: usize,
        (service, of): (&NewService, &ContentRef),
        problems: &mut Problems,
    ) -> Result<Option<usize>> {
        let before = problems.count();
        let place = match (&service.run, &service.run_draft) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                problems.add(format_args!("services[{at}].run_draft"), "run_or_draft");
                return Ok(None);
            }
            (Some(run), None) => {
                self.runs.push(check_run(known, format_args!("services[{at}].run"), run, problems));
                self.runs.len() - 1
            }
            (None, Some(draft)) => match self.by_draft.get(draft) {
                Some(place) => *place,
                None => {
                    let field = format_args!("services[{at}].run_draft");
                    match OpenRun::of_draft(phone.connection(), draft)? {
                        None => {
                            problems.add(field, "not_found");
                            return Ok(None);
                        }
                        Some(open) => self.runs.push(check_run(known, field, &open.run, problems)),
                    }
                    self.by_draft.insert(draft.clone(), self.runs.len() - 1);
                    self.runs.len() - 1
                }
            },
        };
        let tutorial = &self.runs[place].tutorial;
        let is_other = |given: &ContentRef| given != tutorial;
        if problems.count() == before && !leads_to(known, tutorial, of) {
            problems.add(format_args!("services[{at}].run"), "run_of_other_service");
        }
        if service.tutorial.as_ref().is_some_and(is_other) {
            problems.add(format_args!("services[{at}].tutorial"), "tutorial_not_of_run");
        }
        if service.last_step.is_some() && service.last_step != self.runs[place].last_step() {
            problems.add(format_args!("services[{at}].last_step"), "step_not_of_run");
        }
        Ok(Some(place))
    }
}

fn check_follow_ups(
    phone: &Phone,
    known: &Known,
    me: MemberId,
    visit: &NewVisit,
    date: CivilDate,
    problems: &mut Problems,
) -> Result<Vec<CheckedReturn>> {
    if visit.follow_ups.len() > MAX_FOLLOW_UPS {
        problems.add("follow_ups", "too_many");
        return Ok(Vec::new());
    }
    let Some(household) = visit.household else {
        if !visit.follow_ups.is_empty() {
            problems.add("follow_ups", "follow_up_without_household");
        }
        return Ok(Vec::new());
    };
    let mut checked = Vec::with_capacity(visit.follow_ups.len());
    for (at, new) in visit.follow_ups.iter().enumerate() {
        let path = format_args!("follow_ups[{at}].");
        checked.push(check_return(phone, known, path, (Some(household), date), new, me, problems)?);
    }
    Ok(checked)
}

fn check_done(phone: &Phone, visit: &NewVisit, problems: &mut Problems) -> Result<Vec<FollowUpId>> {
    if visit.done_follow_ups.len() > MAX_FOLLOW_UPS {
        problems.add("done_follow_ups", "too_many");
        return Ok(Vec::new());
    }
    let connection = phone.connection();
    for (at, follow_up) in visit.done_follow_ups.iter().enumerate() {
        let field = format!("done_follow_ups[{at}]");
        let sql =
            "SELECT household_id, done_on IS NOT NULL OR done_by_visit IS NOT NULL, cancelled_on IS NOT NULL
                   FROM live_follow_ups WHERE id = ?1";
        let mut get = connection.prepare_cached(sql)?;
        let found = get
            .query_row([follow_up.0.0], |row| Ok((rows::some_id(row, 0, |id| id)?, row.get::<_, bool>(1)?)))
            .optional()?;
        let is_ours = |of: Option<RowId>| match (of, visit.household) {
            (Some(of), Some(household)) => is_same_household(connection, of, household.0),
            _ => Ok(false),
        };
        match found {
            None => problems.add(field, "not_found"),
            Some((of, ..)) if !is_ours(of)? => problems.add(field, "other_household"),
            Some((_, true)) => problems.add(field, "closed"),
            Some(_) => {}
        }
    }
    let mut done = visit.done_follow_ups.clone();
    done.sort_unstable();
    done.dedup();
    Ok(done)
}
