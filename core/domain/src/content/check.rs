//! What one item must obey by itself, whatever else there is.
//!
//! Pure. What it names in other items is checked in `cross`. Every fault is collected, so that a trainer sees all of
//! them at once.

use std::collections::BTreeSet;

use super::problem::{Faults, Problem};
use super::reference::is_code;
use super::types::{
    Consent, FailureCode, Item, List, ListEntry, Service, Status, Step, Text, Tutorial, TutorialResult,
};
use super::wording;

/// The first number of a failure code: in a checklist's bytes what is below is a step result.
pub const FIRST_FAILURE_NUMBER: u8 = 16;

const MAX_TITLE: usize = 90;
const MAX_STEP_TEXT: usize = 320;
const MAX_DONE: usize = 160;
const MAX_REASON: usize = 100;
const MAX_SCRIPT: usize = 1_000;
const MAX_SOURCE: usize = 120;
const MAX_WORDS: usize = 200;
const MAX_STEPS: usize = 30;
const MAX_LIST: usize = 64;
/// A review may hold for two years at most.
const MAX_DAYS: u16 = 730;
/// The tutorials every release must be able to walk through.
const WITH_STEPS: [&str; 3] = ["T1", "T2", "T3"];
/// The rule that the citizen types alone.
const OWN_HANDS_RULE: &str = "R2";

/// Notes every fault of an item, paths beginning with `at` (empty, or `[3].` in a file of many).
pub(super) fn item(item: &Item, faults: &mut Faults<'_>) {
    let reference = item.reference();
    if !is_code(&reference.code) {
        faults.add("code", Problem::BadCode, &reference.code);
    }
    if reference.version == 0 {
        faults.add("version", Problem::VersionZero, &reference.code);
    }
    match item {
        Item::Tutorial(item) => tutorial(item, faults),
        Item::Service(item) => service(item, faults),
        Item::FailureCode(item) => failure_code(item, faults),
        Item::Consent(item) => consent(item, faults),
        Item::List(item) => list(item, faults),
    }
}

fn words(path: &str, text: &str, max: usize, faults: &mut Faults<'_>) {
    if let Some(problem) = wording::fault(text, max) {
        faults.add(path, problem, text);
    }
}

fn text(path: &str, text: &Text, max: usize, faults: &mut Faults<'_>) {
    words(&format!("{path}.vi"), &text.vi, max, faults);
    words(&format!("{path}.en"), &text.en, max, faults);
}

/// Codes in a list: each a code, none twice, not too many.
fn codes(path: &str, codes: &[String], faults: &mut Faults<'_>) {
    if codes.len() > MAX_LIST {
        faults.add(path, Problem::OutOfRange, codes.len());
    }
    let mut seen = BTreeSet::new();
    for (at, code) in codes.iter().enumerate() {
        if !is_code(code) {
            faults.add(format!("{path}[{at}]"), Problem::BadCode, code);
        } else if !seen.insert(code) {
            faults.add(format!("{path}[{at}]"), Problem::DuplicateCode, code);
        }
    }
}

fn tutorial(tutorial: &Tutorial, faults: &mut Faults<'_>) {
    text("title", &tutorial.title, MAX_TITLE, faults);
    codes("rules", &tutorial.rules, faults);
    codes("failures_any_step", &tutorial.failures_any_step, faults);
    for (at, source) in tutorial.sources.iter().enumerate() {
        words(&format!("sources[{at}]"), source, MAX_SOURCE, faults);
    }
    if !(1..=MAX_DAYS).contains(&tutorial.review_days) {
        faults.add("review_days", Problem::OutOfRange, tutorial.review_days);
    }
    if tutorial.results.is_empty() {
        faults.add("results", Problem::Empty, &tutorial.code);
    }
    let mut services = BTreeSet::new();
    for (at, result) in tutorial.results.iter().enumerate() {
        let path = format!("results[{at}]");
        text(&format!("{path}.done"), &result.done, MAX_DONE, faults);
        if !services.insert(&result.service) {
            faults.add(format!("{path}.service"), Problem::DuplicateCode, &result.service);
        }
    }
    match tutorial.status {
        Status::Ready => ready(tutorial, faults),
        Status::Outline if WITH_STEPS.contains(&tutorial.code.as_str()) => {
            faults.add("status", Problem::StepsMissing, &tutorial.code);
        }
        Status::Outline => {}
    }
    if tutorial.steps.len() > MAX_STEPS {
        faults.add("steps", Problem::OutOfRange, tutorial.steps.len());
    }
    let mut ids = BTreeSet::new();
    for (at, one) in tutorial.steps.iter().enumerate() {
        if usize::from(one.number) != at + 1 {
            faults.add(format!("steps[{at}].number"), Problem::StepNumber, one.number);
        }
        if !ids.insert(&one.id) {
            faults.add(format!("steps[{at}].id"), Problem::DuplicateStepId, &one.id);
        }
        step(&format!("steps[{at}]"), one, faults);
    }
}

/// What only a tutorial that can be walked through must have.
fn ready(tutorial: &Tutorial, faults: &mut Faults<'_>) {
    match tutorial.minutes {
        None => faults.add("minutes", Problem::MissingField, &tutorial.code),
        Some(0) => faults.add("minutes", Problem::OutOfRange, 0),
        Some(_) => {}
    }
    if tutorial.reviewed.is_none() {
        faults.add("reviewed", Problem::MissingField, &tutorial.code);
    }
    if tutorial.steps.is_empty() {
        faults.add("steps", Problem::StepsMissing, &tutorial.code);
    } else if !tutorial.steps.iter().any(|step| step.teach_back) {
        faults.add("steps", Problem::TeachBackMissing, &tutorial.code);
    }
    for (at, TutorialResult { from_step, to_step, .. }) in tutorial.results.iter().enumerate() {
        let inside = |step: &u8| (1..=tutorial.steps.len()).contains(&usize::from(*step));
        if !from_step.as_ref().is_some_and(inside) {
            faults.add(format!("results[{at}].from_step"), Problem::OutOfRange, from_step.unwrap_or(0));
        } else if !to_step.as_ref().is_some_and(|to| inside(to) && Some(*to) >= *from_step) {
            faults.add(format!("results[{at}].to_step"), Problem::OutOfRange, to_step.unwrap_or(0));
        }
    }
}

fn step(path: &str, step: &Step, faults: &mut Faults<'_>) {
    if !is_code(&step.id) {
        faults.add(format!("{path}.id"), Problem::BadCode, &step.id);
    }
    text(&format!("{path}.text"), &step.text, MAX_STEP_TEXT, faults);
    text(&format!("{path}.done"), &step.done, MAX_DONE, faults);
    codes(&format!("{path}.failures"), &step.failures, faults);
    codes(&format!("{path}.rules"), &step.rules, faults);
    if step.turn_away && !step.rules.iter().any(|rule| rule == OWN_HANDS_RULE) {
        faults.add(format!("{path}.rules"), Problem::RuleMissing, OWN_HANDS_RULE);
    }
    if let Some(stop) = &step.safety_stop
        && !step.failures.contains(stop)
    {
        faults.add(format!("{path}.safety_stop"), Problem::NotAStop, stop);
    }
}

fn service(service: &Service, faults: &mut Faults<'_>) {
    text("title", &service.title, MAX_TITLE, faults);
    if service.outcomes.is_empty() {
        faults.add("outcomes", Problem::Empty, &service.code);
    }
    codes("outcomes", &service.outcomes, faults);
    codes("failures", &service.failures, faults);
    codes("published_figures", &service.published_figures, faults);
    // An outcome that needs a reason is of no use where there is none to give.
    let needs_reason = service.outcomes.iter().any(|outcome| super::service_row::needs_failure(outcome));
    if needs_reason && service.failures.is_empty() {
        faults.add("failures", Problem::Empty, &service.code);
    }
}

fn failure_code(code: &FailureCode, faults: &mut Faults<'_>) {
    text("text", &code.text, MAX_REASON, faults);
    text("next", &code.next, MAX_WORDS, faults);
    if code.number < FIRST_FAILURE_NUMBER {
        faults.add("number", Problem::NumberReserved, code.number);
    }
    if code.code.get(..1).map(str::to_lowercase).as_ref() != Some(&code.group) {
        faults.add("group", Problem::UnknownEntry, &code.group);
    }
}

fn consent(consent: &Consent, faults: &mut Faults<'_>) {
    text("text", &consent.text, MAX_SCRIPT, faults);
    codes("purposes", &consent.purposes, faults);
    if consent.purposes.is_empty() {
        faults.add("purposes", Problem::Empty, &consent.code);
    }
    if consent.data.is_empty() {
        faults.add("data", Problem::Empty, &consent.code);
    }
    if let Some(days) = consent.retention_days
        && !(1..=MAX_DAYS).contains(&days)
    {
        faults.add("retention_days", Problem::OutOfRange, days);
    }
    let mut kinds = BTreeSet::new();
    for (at, data) in consent.data.iter().enumerate() {
        if !kinds.insert(&data.kind) {
            faults.add(format!("data[{at}].kind"), Problem::DuplicateCode, &data.kind);
        }
        if data.words.is_empty() || !consent.text.vi.contains(&data.words) {
            faults.add(format!("data[{at}].words"), Problem::DataKindNotNamed, &data.words);
        }
        if data.fields.is_empty() {
            faults.add(format!("data[{at}].fields"), Problem::Empty, &data.kind);
        }
    }
    let wanted: BTreeSet<&str> = consent.parameters.iter().map(String::as_str).collect();
    for (path, text) in [("text.vi", &consent.text.vi), ("text.en", &consent.text.en)] {
        if let Some(odd) = parameters(text).symmetric_difference(&wanted).next() {
            faults.add(path, Problem::ParameterDiffers, odd);
        }
    }
}

/// The names between braces.
fn parameters(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or(rest)).collect()
}

fn list(list: &List, faults: &mut Faults<'_>) {
    if list.entries.is_empty() {
        faults.add("entries", Problem::Empty, &list.code);
    }
    let (mut numbers, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (at, ListEntry { number, code, vi, en }) in list.entries.iter().enumerate() {
        let path = format!("entries[{at}]");
        if !numbers.insert(number) {
            faults.add(format!("{path}.number"), Problem::DuplicateNumber, number);
        }
        if !is_code(code) {
            faults.add(format!("{path}.code"), Problem::BadCode, code);
        } else if !names.insert(code) {
            faults.add(format!("{path}.code"), Problem::DuplicateCode, code);
        }
        words(&format!("{path}.vi"), vi, MAX_WORDS, faults);
        words(&format!("{path}.en"), en, MAX_WORDS, faults);
    }
}
