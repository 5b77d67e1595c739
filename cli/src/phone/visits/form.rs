//! A visit by questions, one field at a time, in the order of the screen: household, person, service, outcome,
//! reason, and what else was done.

use langso_device::companion::Day;
use langso_device::companion::checklists::{FinishRun, OfOpenRun, RunSummary};
use langso_device::companion::content::FindFailures;
use langso_device::companion::drafts::{OfDraft, SaveDraft};
use langso_device::companion::visits::{GetVisitForm, NewReturn, NewService, NewVisit, VisitForm};
use langso_domain::id::{HouseholdId, PersonId};

use super::super::book::Book;
use super::super::today;
use super::{log, services};
use crate::names::{day, entries, some_word, text, word};
use crate::terminal::{ask, choose, tell, yes_or_no};
use crate::words::{Exit, Failure, Outcome, pick};

/// Of the list `outcomes`.
const LATER: u8 = 3;

/// Fills in what the flags left out.
pub(super) fn fill(book: &Book, visit: &mut NewVisit, asks_household: bool, takes_plan: bool) -> Outcome {
    if asks_household {
        visit.household = household(book)?;
    }
    if visit.household.is_none() && visit.hamlet.is_none() {
        visit.hamlet = hamlet(book)?;
    }
    let usual = usual(book, visit)?;
    visit.place = visit.place.or(usual.place);
    visit.language = visit.language.or(usual.language);
    visit.signal = visit.signal.or(usual.signal);
    if visit.members.is_empty() {
        visit.members.clone_from(&usual.members);
    }
    if takes_plan {
        visit.plan = visit.plan.or(usual.plan);
    }
    loop {
        let person = person(book, visit.household)?;
        visit.services.push(service(book, person)?);
        if !yes_or_no(pick("Còn việc nào nữa?", "Was anything else done?"))? {
            break;
        }
    }
    let is_later = visit.services.iter().any(|service| service.outcome == LATER);
    if visit.household.is_some() && visit.follow_ups.is_empty() && is_later {
        visit.follow_ups.extend(planned()?);
    }
    tell(format_args!("{}: {}", pick("Sẽ lưu", "To be saved"), in_a_line(book, visit, usual.date)));
    for service in &visit.services {
        let outcome = word("outcomes", service.outcome);
        let reason = service
            .failure
            .map_or_else(String::new, |failure| format!(" ({})", super::failure_words(failure)));
        tell(format_args!("  {}: {outcome}{reason}", super::service_title(&service.service)));
    }
    match yes_or_no(pick("Lưu trên máy này?", "Save on this phone?"))? {
        true => Ok(()),
        false => keep(book, visit),
    }
}

/// What was answered is kept, to go on with or to throw away.
fn keep(book: &Book, visit: &NewVisit) -> Outcome {
    let body = serde_json::to_value(visit).map_err(|_| Failure::new("unexpected", "json"))?;
    let save = SaveDraft { draft: None, kind: DRAFT.to_owned(), body, consent: None };
    let draft = book.app.drafts().save_draft(save)?.draft;
    tell(pick("Đã giữ bản nháp, lúc nào làm tiếp cũng được:", "Draft kept, go on whenever you like:"));
    tell(format_args!("  visit log --draft {draft}"));
    Err(Failure::told(Exit::Failed))
}

/// A visit as its draft holds it; saved with the draft's id, so that it goes with it.
pub(super) fn of_draft(book: &Book, draft: &str) -> Outcome<NewVisit> {
    let held = book.app.drafts().get_draft(OfDraft { draft: draft.to_owned() })?;
    let body = held.body.filter(|_| held.kind == DRAFT).and_then(|body| serde_json::from_value(body).ok());
    let visit: NewVisit = body.ok_or_else(|| Failure::usage("input.bad_kind", "--draft"))?;
    Ok(NewVisit { token: Some(draft.to_owned()), ..visit })
}

/// The kind of its drafts.
const DRAFT: &str = "visit";

fn household(book: &Book) -> Outcome<Option<HouseholdId>> {
    loop {
        let question = pick("Số hộ hoặc tên gọi (trống = không ghi hộ):", "Household (empty = none):");
        let Some(typed) = ask(question)? else { return Ok(None) };
        match book.find_household("household", &typed) {
            Ok(household) => return Ok(Some(household)),
            Err(failure) => eprintln!("{}", failure.say()),
        }
    }
}

fn hamlet(book: &Book) -> Outcome<Option<langso_domain::id::HamletId>> {
    let hamlets = book.hamlets();
    if hamlets.is_empty() {
        return Ok(None);
    }
    let options: Vec<_> = hamlets.iter().map(|hamlet| hamlet.name.clone()).collect();
    let at = choose(pick("Thôn (trống = không ghi):", "Hamlet (empty = none):"), &options, true)?;
    Ok(at.map(|at| hamlets[at].hamlet))
}

fn person(book: &Book, household: Option<HouseholdId>) -> Outcome<Option<PersonId>> {
    let Some(household) = household else { return Ok(None) };
    let persons = book.persons(household)?;
    if persons.is_empty() {
        return Ok(None);
    }
    let options: Vec<_> = persons.iter().map(|(_, words)| words.clone()).collect();
    let at =
        choose(pick("Giúp ai (trống = không rõ):", "Who (empty = nobody in particular):"), &options, true)?;
    Ok(at.map(|at| persons[at].0))
}

fn service(book: &Book, person: Option<PersonId>) -> Outcome<NewService> {
    let no_answer = || Failure::new("cli.no_answer", "");
    let services = services(book)?;
    let options: Vec<_> = services.iter().map(|row| text(&row.title).to_owned()).collect();
    let at = choose(pick("Việc đã giúp:", "What was done:"), &options, false)?.ok_or_else(no_answer)?;
    let service = &services[at];
    let options: Vec<_> = service.outcomes.iter().map(|outcome| word("outcomes", *outcome)).collect();
    let at = choose(pick("Kết quả:", "Outcome:"), &options, false)?.ok_or_else(no_answer)?;
    let outcome = service.outcomes[at];
    let mut new = NewService::new(person, &service.service.code, outcome);
    let find = FindFailures {
        service: Some(service.service.code.clone()),
        outcome: Some(outcome),
        ..FindFailures::default()
    };
    let reasons = book.app.content().list_failure_codes(find)?;
    if reasons.is_needed {
        let options: Vec<_> =
            reasons.codes.iter().map(|row| format!("{}  {}", row.code, text(&row.text))).collect();
        let at = choose(pick("Lý do:", "Reason:"), &options, false)?.ok_or_else(no_answer)?;
        new.failure = Some(reasons.codes[at].failure);
    }
    let evidence = entries("evidence");
    let options: Vec<_> = evidence.iter().map(|entry| pick(&entry.vi, &entry.en).to_owned()).collect();
    let at = choose(pick("Minh chứng (trống = không ghi):", "Evidence (empty = none):"), &options, true)?;
    new.evidence = at.map(|at| evidence[at].number);
    Ok(new)
}

fn planned() -> Outcome<Option<NewReturn>> {
    loop {
        let question = pick("Hẹn lại ngày (trống = không hẹn):", "Plan a return on (empty = none):");
        let Some(typed) = ask(question)? else { return Ok(None) };
        match day("follow_up", &typed, today()) {
            Ok(due_on) => {
                return Ok(Some(NewReturn {
                    person: None,
                    service: None,
                    due_on,
                    assigned_to: None,
                    note: None,
                }));
            }
            Err(failure) => eprintln!("{}", failure.say()),
        }
    }
}

/// What a form of that household and day begins with.
pub(super) fn usual(book: &Book, visit: &NewVisit) -> Outcome<VisitForm> {
    let get = GetVisitForm { household: visit.household, hamlet: visit.hamlet, date: visit.date };
    Ok(book.app.visits().get_visit_form(get)?)
}

/// Day, place, language, signal, members and plan, readable in one line.
fn in_a_line(book: &Book, visit: &NewVisit, usual: Day) -> String {
    let members: Vec<_> = visit.members.iter().map(|member| book.member(*member)).collect();
    let parts = [
        visit.date.unwrap_or(usual).0.vi(),
        some_word("place_kinds", visit.place),
        some_word("languages", visit.language),
        some_word("signals", visit.signal),
        members.join(", "),
        book.plan(visit.plan),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The household and the services of an open run, as its steps say.
pub(super) fn services_of_run(book: &Book, run: &str) -> Outcome<(Option<HouseholdId>, Vec<NewService>)> {
    let checklists = book.app.checklists();
    let view = checklists.get_run(OfOpenRun { run: run.to_owned() })?;
    let summary = checklists.finish_run(FinishRun {
        run: view.run,
        teach_back: view.teach_back,
        phone_model: view.phone_model,
        os_version: view.os_version,
    })?;
    Ok((summary.household, of_summary(&summary)?))
}

fn of_summary(summary: &RunSummary) -> Outcome<Vec<NewService>> {
    let mut services = Vec::new();
    for outcome in &summary.services {
        let Some(number) = outcome.outcome else { continue };
        let mut new = NewService::new(summary.person, &outcome.service.code, number);
        new.failure = outcome.failure;
        new.run_draft = summary.run_draft.clone();
        services.push(new);
    }
    match services.is_empty() {
        true => Err(Failure::usage("input.no_service", "--run")),
        false => Ok(services),
    }
}

/// Logs the visit of a run that was just walked through.
pub(in super::super) fn log_run(book: &Book, summary: &RunSummary) -> Outcome {
    let mut visit = NewVisit { household: summary.household, ..NewVisit::default() };
    if visit.household.is_none() {
        visit.household = household(book)?;
    }
    visit.services = of_summary(summary)?;
    visit.plan = usual(book, &visit)?.plan;
    log::save(book, visit)
}
