//! What items must find in each other: the newest version of each code, taken together.
//!
//! Pure. Older versions stay readable and are not checked again: what they name may be gone from newer content.

use std::collections::BTreeMap;

use super::Content;
use super::problem::{ContentError, Faults, Problem};
use super::types::{Consent, FailureAction, FailureCode, Service, Tutorial};

/// Every fault between the newest items.
pub(super) fn check(content: &Content) -> Vec<ContentError> {
    let mut found = Vec::new();
    let mut numbers = BTreeMap::new();
    for (file, code) in content.failure_codes.newest_with_file() {
        let mut faults = Faults { file, found: &mut found };
        if let Some(other) = numbers.insert(code.number, &code.code) {
            faults.add("number", Problem::DuplicateNumber, format!("{} of {other}", code.number));
        }
        failure_code(content, code, &mut faults);
    }
    for (file, item) in content.tutorials.newest_with_file() {
        tutorial(content, item, &mut Faults { file, found: &mut found });
    }
    for (file, item) in content.services.newest_with_file() {
        service(content, item, &mut Faults { file, found: &mut found });
    }
    for (file, item) in content.consents.newest_with_file() {
        consent(content, item, &mut Faults { file, found: &mut found });
    }
    found
}

fn has_entry(content: &Content, list: &str, code: &str) -> bool {
    content.list(list).is_some_and(|list| list.code(code).is_some())
}

/// Notes every code of a field that the test does not know.
fn known(
    path: &str,
    codes: &[String],
    problem: Problem,
    faults: &mut Faults<'_>,
    is_known: impl Fn(&str) -> bool,
) {
    for (at, code) in codes.iter().enumerate().filter(|(_, code)| !is_known(code)) {
        faults.add(format!("{path}[{at}]"), problem, code);
    }
}

fn failure_code(content: &Content, code: &FailureCode, faults: &mut Faults<'_>) {
    if !has_entry(content, "reason_groups", &code.group) {
        faults.add("group", Problem::UnknownEntry, &code.group);
    }
    if let Some(tutorial) = &code.tutorial
        && content.tutorial(tutorial).is_none()
    {
        faults.add("tutorial", Problem::UnknownTutorial, tutorial);
    }
}

fn tutorial(content: &Content, tutorial: &Tutorial, faults: &mut Faults<'_>) {
    let rule = |code: &str| has_entry(content, "rules", code);
    let failure = |code: &str| content.failure_code(code).is_some();
    known("rules", &tutorial.rules, Problem::UnknownRule, faults, rule);
    known("failures_any_step", &tutorial.failures_any_step, Problem::UnknownFailureCode, faults, failure);
    for (at, step) in tutorial.steps.iter().enumerate() {
        known(&format!("steps[{at}].failures"), &step.failures, Problem::UnknownFailureCode, faults, failure);
        known(&format!("steps[{at}].rules"), &step.rules, Problem::UnknownRule, faults, rule);
        let stops = |code: &String| {
            content.failure_code(code).is_none_or(|known| known.action == FailureAction::Stop)
        };
        if let Some(stop) = step.safety_stop.as_ref().filter(|code| !stops(code)) {
            faults.add(format!("steps[{at}].safety_stop"), Problem::NotAStop, stop);
        }
    }
    for (at, result) in tutorial.results.iter().enumerate() {
        let path = format!("results[{at}].service");
        let Some(service) = content.service(&result.service) else {
            faults.add(path, Problem::UnknownService, &result.service);
            continue;
        };
        if service.tutorial.as_ref() != Some(&tutorial.code) {
            faults.add(path, Problem::ServiceNotOfTutorial, &result.service);
        }
        // A reason given at a step must be writable in the service row that the walk ends in.
        for step in tutorial.steps_of(&result.service) {
            for code in tutorial.failures_at(step.number) {
                if failure(code) && !service.failures.iter().any(|known| known == code) {
                    let path = format!("steps[{}].failures", step.number - 1);
                    let value = format!("{code} not in {}", service.code);
                    faults.add(path, Problem::FailureCodeNotOfService, value);
                }
            }
        }
    }
}

fn service(content: &Content, service: &Service, faults: &mut Faults<'_>) {
    known("outcomes", &service.outcomes, Problem::UnknownOutcome, faults, |code| {
        has_entry(content, "outcomes", code)
    });
    known("failures", &service.failures, Problem::UnknownFailureCode, faults, |code| {
        content.failure_code(code).is_some()
    });
    known("published_figures", &service.published_figures, Problem::UnknownEntry, faults, |code| {
        has_entry(content, "published_figures", code)
    });
    let Some(code) = &service.tutorial else { return };
    match content.tutorial(code) {
        None => faults.add("tutorial", Problem::UnknownTutorial, code),
        Some(tutorial) => {
            if !tutorial.results.iter().any(|result| result.service == service.code) {
                faults.add("tutorial", Problem::ServiceNotOfTutorial, code);
            }
        }
    }
}

fn consent(content: &Content, consent: &Consent, faults: &mut Faults<'_>) {
    known("purposes", &consent.purposes, Problem::UnknownEntry, faults, |code| {
        has_entry(content, "purposes", code)
    });
    for (at, data) in consent.data.iter().enumerate() {
        for (place, field) in data.fields.iter().enumerate() {
            let found = field
                .split_once('.')
                .and_then(|(table, field)| crate::registry::CURRENT.named(table)?.named(field));
            if found.is_none() {
                faults.add(format!("data[{at}].fields[{place}]"), Problem::UnknownEntry, field);
            }
        }
    }
}
