//! A visit after it was saved: taken back at once, or corrected with a reason, or struck out with one.
//!
//! What is corrected is checked as a new visit would be, in the fields that are named; what was written under earlier
//! content stays as it is. Other phones see the reason beside the correction.

use langso_domain::content::{ContentRef, needs_failure};
use langso_domain::date::CivilDate;
use langso_domain::id::{ChecklistRunId, FollowUpId, MemberId, RowId, ServiceRowId, VisitId};
use langso_domain::registry::ScopeKind;
use langso_sync::value::Value;
use rusqlite::Connection;

use super::super::check::is_live;
use super::super::known::Known;
use super::super::problems::Problems;
use super::super::receipts::Receipt;
use super::super::record::{Edit as _, EditHousehold};
use super::super::runs::{CheckedRun, create_run, leads_to};
use super::super::saves::REASON_OTHER;
use super::super::{merges, rows};
use super::check::{self, CheckedService};
use super::detail::{ServiceDetail, VisitDetail};
use super::records::{CorrectService, CorrectVisit, CorrectedVisit, NewService, NewVisit};
use super::{fields, service_fields};
use crate::error::{Problem, Result};
use crate::phone::{Phone, Saving};

/// Of the list `correction_reasons`: a mistap.
const MISTAP: u8 = 1;

/// A correction without fault: what is patched and what is made.
#[derive(Debug)]
pub(super) struct Correction {
    reason_text: Option<String>,
    visit: Vec<(&'static str, Value)>,
    services: Vec<(ServiceRowId, Vec<(&'static str, Value)>)>,
    added: Vec<(NewService, CheckedService)>,
    runs: Vec<CheckedRun>,
    runs_gone: Vec<ChecklistRunId>,
}

/// Checks a correction against the visit as it is.
pub(super) fn check(
    phone: &Phone,
    known: &Known,
    me: MemberId,
    held: &VisitDetail,
    correct: &CorrectVisit,
) -> Result<Correction> {
    let mut problems = Problems::default();
    problems.choice(&known.content, "correction_reasons", "reason", Some(correct.reason));
    let reason_text = problems.lines("reason_text", "visit.note", correct.reason_text.as_deref());
    if correct.reason == REASON_OTHER && reason_text.is_none() && problems.count() == 0 {
        problems.add("reason_text", "missing");
    }
    if correct.members.as_ref().is_some_and(Vec::is_empty) {
        problems.add("members", "missing");
    }
    problems.finish()?;
    let before = form(held);
    let mut after = before.clone();
    let named = apply(correct, &mut after);
    let mut places = Vec::new();
    let mut problems = Problems::default();
    for (at, service) in correct.services.iter().enumerate() {
        if correct.services[..at].iter().any(|before| before.row == service.row) {
            problems.add(format_args!("services[{at}].row"), "row_twice");
            continue;
        }
        match held.services.iter().find(|held| held.row == service.row) {
            None => problems.add(format_args!("services[{at}].row"), "not_found"),
            Some(_) if service.is_struck_out => {}
            Some(held) => {
                places.push((format!("services[{at}]"), Some(held)));
                after.services.push(corrected(known, held, service));
            }
        }
    }
    for (at, service) in correct.add.iter().enumerate() {
        places.push((format!("add[{at}]"), None));
        after.services.push(service.clone());
    }
    let stay = held.services.iter().filter(|held| correct.services.iter().all(|one| one.row != held.row));
    let stay: Vec<&ServiceDetail> = stay.collect();
    if let (true, Some(household)) = (correct.household.is_some(), after.household) {
        let mut of_others = Problems::default();
        for person in stay.iter().filter_map(|service| service.person) {
            merges::check_person(phone.connection(), "person", household, person, &mut of_others)?;
        }
        if of_others.count() > 0 {
            problems.add("household", "persons_of_other_household");
        }
    } else if correct.household == Some(EditHousehold::Clear)
        && stay.iter().any(|service| service.person.is_some())
    {
        problems.add("household", "persons_of_other_household");
    }
    let mut found = Problems::default();
    let checked = check::check(phone, known, me, &after, &mut found)?;
    for problem in found.into_list() {
        if let Some(Problem { field, code }) = as_named(problem, &named, &places, !stay.is_empty()) {
            problems.add(field, &code);
        }
    }
    problems.finish()?;
    let visit = changed(&fields(&before, &unchecked(&before)), &fields(&after, &checked), &named);
    let mut services = Vec::new();
    let mut added = Vec::new();
    for (((_, held), new), filled) in places.iter().zip(&after.services).zip(checked.services) {
        match held {
            None => added.push((new.clone(), filled)),
            Some(held) => {
                let run = held.run.filter(|_| filled.tutorial.is_some());
                let after = service_fields(held.row.0, new, &filled, run);
                let before = service_of(held);
                let patch: Vec<_> =
                    after.into_iter().skip(1).filter(|field| !before.contains(field)).collect();
                services.push((held.row, patch));
            }
        }
    }
    let struck = correct.services.iter().filter(|service| service.is_struck_out);
    services.extend(struck.map(|service| (service.row, vec![("void", Value::Bool(true))])));
    services.retain(|(_, patch)| !patch.is_empty());
    let runs_gone = runs_gone(phone.connection(), held, correct)?;
    Ok(Correction { reason_text, visit, services, added, runs: checked.runs, runs_gone })
}

/// The checklists of struck out services that no other service names.
fn runs_gone(
    connection: &Connection,
    held: &VisitDetail,
    correct: &CorrectVisit,
) -> Result<Vec<ChecklistRunId>> {
    let is_gone = |row| correct.services.iter().any(|service| service.is_struck_out && service.row == row);
    let mut gone = Vec::new();
    for run in held.services.iter().filter(|service| is_gone(service.row)).filter_map(|service| service.run) {
        let sql = "SELECT id FROM live_service_rows WHERE run_id = ?1";
        let named_by = rows::all(connection, sql, [run.0.0], |row| rows::id(row, 0).map(ServiceRowId))?;
        let is_last = named_by.into_iter().all(is_gone) && !gone.contains(&run);
        if is_last && is_live(connection, "checklist_run", run.0)? {
            gone.push(run);
        }
    }
    Ok(gone)
}

/// Writes a correction.
pub(super) fn write(
    saving: &mut Saving<'_, '_>,
    me: MemberId,
    correct: &CorrectVisit,
    date: CivilDate,
    correction: &Correction,
) -> Result<CorrectedVisit> {
    let visit = correct.visit;
    if correct.is_struck_out {
        strike_out(saving, visit, correct.reason, correction.reason_text.as_deref())?;
        return Ok(CorrectedVisit { visit, added: Vec::new(), receipt: Receipt::FRESH });
    }
    if !correction.visit.is_empty() {
        saving.patch("visit", visit.0, correction.visit.iter().cloned())?;
    }
    for (row, patch) in &correction.services {
        saving.patch("service_row", row.0, patch.iter().cloned())?;
    }
    let runs = correction.runs.iter().map(|run| create_run(saving, me, date, run));
    let runs: Vec<ChecklistRunId> = runs.collect::<Result<_>>()?;
    let mut added = Vec::with_capacity(correction.added.len());
    for (new, filled) in &correction.added {
        let run = filled.run.map(|place| runs[place]);
        let row = service_fields(visit.0, new, filled, run);
        added.push(ServiceRowId(saving.create_beside("service_row", ("visit", visit.0), row)?));
    }
    for run in &correction.runs_gone {
        saving.patch("checklist_run", run.0, [("void", Value::Bool(true))])?;
    }
    saving.give_reason(ScopeKind::Team, correct.reason, correction.reason_text.as_deref());
    if !correction.runs_gone.is_empty() {
        saving.give_reason(ScopeKind::Training, correct.reason, None);
    }
    Ok(CorrectedVisit { visit, added, receipt: Receipt::FRESH })
}

/// Takes a visit out of the count: with its checklists, the returns that it planned, and what it was said to have done.
pub(super) fn strike_out(
    saving: &mut Saving<'_, '_>,
    visit: VisitId,
    reason: u8,
    text: Option<&str>,
) -> Result<()> {
    let void = || [("void", Value::Bool(true))];
    let ids = |saving: &Saving<'_, '_>, sql: &str| -> Result<Vec<RowId>> {
        Ok(rows::all(saving.connection(), sql, [visit.0.0], |row| rows::id(row, 0))?)
    };
    saving.patch("visit", visit.0, void())?;
    let sql =
        "SELECT DISTINCT r.id FROM live_service_rows AS s JOIN live_checklist_runs AS r ON r.id = s.run_id
               WHERE s.visit_id = ?1";
    let runs = ids(saving, sql)?;
    for run in &runs {
        saving.patch("checklist_run", *run, void())?;
    }
    let planned = "SELECT id FROM live_follow_ups WHERE visit_id = ?1 AND done_on IS NULL";
    for follow_up in ids(saving, planned)? {
        saving.patch("follow_up", follow_up, void())?;
    }
    let done = "SELECT id FROM live_follow_ups
                WHERE done_by_visit = ?1 AND (visit_id IS NOT ?1 OR done_on IS NOT NULL)";
    for follow_up in ids(saving, done)? {
        saving.patch("follow_up", follow_up, [("done_on", Value::Null), ("done_by_visit", Value::Null)])?;
    }
    saving.give_reason(ScopeKind::Team, reason, text);
    if !runs.is_empty() {
        // The training scope is read by others: the reason's number goes there, its words do not.
        saving.give_reason(ScopeKind::Training, reason, None);
    }
    Ok(())
}

/// Takes back what was saved by mistake a moment ago.
pub(super) fn take_back(saving: &mut Saving<'_, '_>, visit: VisitId) -> Result<()> {
    strike_out(saving, visit, MISTAP, None)
}

/// The visit as it is, without its services.
fn form(held: &VisitDetail) -> NewVisit {
    NewVisit {
        household: held.household,
        hamlet: held.hamlet,
        unit: held.unit,
        date: held.date,
        start_minute: held.start_minute,
        end_minute: held.end_minute,
        place: held.place,
        language: held.language,
        signal: held.signal,
        members: held.members.clone(),
        plan: held.plan,
        note: held.note.clone(),
        ..NewVisit::default()
    }
}

/// Gives the columns that are named, those that follow from them included.
fn apply(correct: &CorrectVisit, form: &mut NewVisit) -> Vec<&'static str> {
    let mut named = Vec::new();
    let mut take = |is_named: bool, columns: &[&'static str]| {
        if is_named {
            named.extend(columns);
        }
    };
    take(correct.household.is_some(), &["household_id", "hamlet_id", "unit"]);
    take(correct.hamlet.is_some(), &["hamlet_id", "unit"]);
    take(correct.unit.is_some(), &["unit"]);
    take(correct.date.is_some(), &["date", "unit"]);
    take(correct.start_minute.is_some(), &["start_minute"]);
    take(correct.end_minute.is_some(), &["end_minute"]);
    take(correct.place.is_some(), &["place"]);
    take(correct.language.is_some(), &["language"]);
    take(correct.signal.is_some(), &["signal"]);
    take(correct.members.is_some(), &["members"]);
    take(correct.plan.is_some(), &["plan_id"]);
    take(correct.note.is_some(), &["note"]);
    if correct.household.is_some() {
        form.hamlet = None;
    }
    if named.contains(&"unit") {
        form.unit = None;
    }
    form.household = correct.household.after(form.household);
    form.hamlet = correct.hamlet.after(form.hamlet);
    form.unit = correct.unit.after(form.unit);
    form.date = correct.date.or(form.date);
    form.start_minute = correct.start_minute.after(form.start_minute);
    form.end_minute = correct.end_minute.after(form.end_minute);
    form.place = correct.place.after(form.place);
    form.language = correct.language.after(form.language);
    form.signal = correct.signal.after(form.signal);
    form.plan = correct.plan.after(form.plan);
    if let Some(members) = &correct.members {
        form.members.clone_from(members);
    }
    form.note = correct.note.after(form.note.take());
    named
}

/// A service as it is to be.
fn corrected(known: &Known, held: &ServiceDetail, correct: &CorrectService) -> NewService {
    let service = held.service.as_ref().map(ContentRef::to_string).unwrap_or_default();
    let mut new = NewService::new(
        correct.person.after(held.person),
        correct.service.as_deref().unwrap_or(&service),
        correct.outcome.or(held.outcome).unwrap_or_default(),
    );
    let outcome = known.content.list("outcomes").and_then(|list| list.number(new.outcome));
    let keeps_reason =
        correct.outcome.is_none() || outcome.is_some_and(|outcome| needs_failure(&outcome.code));
    new.failure = correct.failure.after(held.failure.filter(|_| keeps_reason));
    new.evidence = correct.evidence.after(held.evidence);
    let is_led_to = |tutorial: &ContentRef| match new.service.parse() {
        Ok(service) => leads_to(known, tutorial, &service),
        Err(_) => known
            .content
            .service(&new.service)
            .is_some_and(|service| leads_to(known, tutorial, &service.reference())),
    };
    if let Some(tutorial) = held.tutorial.as_ref().filter(|tutorial| is_led_to(tutorial)) {
        new.tutorial = Some(tutorial.clone());
        new.last_step = held.last_step;
    }
    new
}

/// A problem of a field that is named, by the path that the caller knows; none for one that was there before.
fn as_named(
    problem: Problem,
    named: &[&str],
    places: &[(String, Option<&ServiceDetail>)],
    others_stay: bool,
) -> Option<Problem> {
    let Problem { field, code } = problem;
    if let Some(rest) = field.strip_prefix("services[") {
        let (at, rest) = rest.split_once(']')?;
        let (path, _) = places.get(at.parse::<usize>().ok()?)?;
        return Some(Problem::new(format!("{path}{rest}"), code));
    }
    if field == "services" {
        return (code != "missing" || !others_stay).then(|| Problem::new(field, code));
    }
    let first = field.split(['[', '.']).next().unwrap_or_default();
    let column = match first {
        "household" => "household_id",
        "hamlet" => "hamlet_id",
        "plan" => "plan_id",
        other => other,
    };
    // The end that stays is told of the start that is given.
    if column == "end_minute" && !named.contains(&column) && named.contains(&"start_minute") {
        return Some(Problem::new("start_minute", code));
    }
    // Who was there and which campaign it was hang on the day.
    let hangs = matches!(column, "members" | "plan_id") && named.contains(&"date");
    (named.contains(&column) || hangs).then(|| Problem::new(field, code))
}

/// The columns of a visit that nobody checks again.
fn unchecked(form: &NewVisit) -> check::Checked {
    check::Checked {
        hamlet: form.hamlet,
        unit: form.unit,
        date: form.date.map_or(CivilDate(0), |day| day.0),
        start_minute: form.start_minute,
        end_minute: form.end_minute,
        members: form.members.iter().map(|member| member.0).collect(),
        note: form.note.clone(),
        services: Vec::new(),
        runs: Vec::new(),
        follow_ups: Vec::new(),
        done_follow_ups: Vec::<FollowUpId>::new(),
    }
}

fn changed(
    before: &[(&'static str, Value)],
    after: &[(&'static str, Value)],
    named: &[&str],
) -> Vec<(&'static str, Value)> {
    after.iter().filter(|field| named.contains(&field.0) && !before.contains(field)).cloned().collect()
}

/// The columns of a service as they are.
fn service_of(held: &ServiceDetail) -> [(&'static str, Value); 8] {
    [
        ("person_id", held.person.map(|person| person.0).into()),
        ("service", held.service.as_ref().map(ContentRef::to_string).into()),
        ("outcome", held.outcome.into()),
        ("failure", held.failure.into()),
        ("evidence", held.evidence.into()),
        ("last_step", held.last_step.into()),
        ("tutorial", held.tutorial.as_ref().map(ContentRef::to_string).into()),
        ("run_id", held.run.map(|run| run.0).into()),
    ]
}
