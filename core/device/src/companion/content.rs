//! Content as screens show it: services, reasons, what to do about one, and the tutorials with their steps.
//!
//! Reads the packed release and what was published since; works before enrolment. Words come from the content
//! itself, in both languages.

use std::collections::BTreeMap;

use langso_domain::content::{Content, ContentRef, FailureCode, Service, Tutorial, needs_failure};
use rusqlite::Connection;

use super::record::Day;
use super::{Companion, Nothing, rows};
use crate::error::{AppError, Result};

mod records;

pub use records::{
    FailureHelp, FailureList, FailureRow, FindFailures, GetTutorial, OfFailure, RuleText, ServiceList,
    ServiceRow, StepView, TutorialList, TutorialRow, TutorialService, TutorialView,
};

/// How far back a service counts as used.
const USED_DAYS: i32 = 90;
/// The only reason a refusal may carry.
const REFUSAL: &str = "H1";

/// The feature; see [`Companion::content`].
pub struct Guides<'a>(pub(super) &'a Companion);

impl Guides<'_> {
    /// Every service, those the team helped with most often in the last 90 days first.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_services(&self, _: Nothing) -> Result<ServiceList> {
        let phone = self.0.phone();
        let content = phone.content()?;
        let uses = uses(phone.connection(), phone.today().0 - USED_DAYS)?;
        let outcomes = content.list("outcomes");
        let mut services: Vec<ServiceRow> = content
            .services()
            .map(|service| ServiceRow {
                service: service.reference(),
                title: service.title.clone(),
                tutorial: service
                    .tutorial
                    .as_deref()
                    .and_then(|code| Some(content.tutorial(code)?.reference())),
                outcomes: service
                    .outcomes
                    .iter()
                    .filter_map(|code| Some(outcomes?.code(code)?.number))
                    .collect(),
                uses: uses.get(&service.code).copied().unwrap_or_default(),
            })
            .collect();
        // A team that is new to it sees them in the order of the tutorials.
        langso_domain::order::sort_by_key(&mut services, |row| {
            let tutorial = row.tutorial.as_ref().map(|tutorial| tutorial.code.clone());
            (std::cmp::Reverse(row.uses), tutorial.is_none(), tutorial)
        });
        Ok(ServiceList { services })
    }

    /// The reasons that fit a service, an outcome, a step of a tutorial, or all of them at once; the likeliest first.
    ///
    /// # Errors
    /// `InvalidInput`: `service` (`unknown_service`), `tutorial` (`unknown_tutorial`, or `missing` beside a step), `step`
    /// (`unknown_step`, or `missing` beside a tutorial), `outcome` (`unknown_choice`).
    pub fn list_failure_codes(&self, find: FindFailures) -> Result<FailureList> {
        let content = self.0.phone().content()?;
        let service = match &find.service {
            Some(name) => Some(named_service(&content, name)?),
            None => None,
        };
        let mut codes: Vec<&FailureCode> = match (&find.tutorial, find.step) {
            (Some(name), Some(number)) => {
                let tutorial = named_tutorial(&content, name)
                    .ok_or_else(|| AppError::invalid("tutorial", "unknown_tutorial"))?;
                if tutorial.step(number).is_none() {
                    return Err(AppError::invalid("step", "unknown_step"));
                }
                tutorial
                    .failures_at(number)
                    .into_iter()
                    .filter_map(|code| content.failure_code(code))
                    .collect()
            }
            (Some(_), None) => return Err(AppError::invalid("step", "missing")),
            (None, Some(_)) => return Err(AppError::invalid("tutorial", "missing")),
            (None, None) => match service {
                Some(service) => {
                    service.failures.iter().filter_map(|code| content.failure_code(code)).collect()
                }
                None => content.failure_codes().collect(),
            },
        };
        if let Some(service) = service {
            codes.retain(|code| service.failures.contains(&code.code));
        }
        let mut is_needed = false;
        if let Some(number) = find.outcome {
            let outcome = content.list("outcomes").and_then(|list| list.number(number));
            let outcome = outcome.ok_or_else(|| AppError::invalid("outcome", "unknown_choice"))?;
            is_needed = needs_failure(&outcome.code);
            match outcome.code.as_str() {
                _ if is_needed => {}
                // A refusal is its own reason; the code says the same.
                "refused" => codes = content.failure_code(REFUSAL).into_iter().collect(),
                _ => codes.clear(),
            }
        }
        Ok(FailureList {
            codes: codes.into_iter().map(|code| failure_row(&content, code)).collect(),
            is_needed,
        })
    }

    /// What to do now about one reason.
    ///
    /// # Errors
    /// `NotFound` for a reason this phone does not know.
    pub fn get_failure_help(&self, of: OfFailure) -> Result<FailureHelp> {
        let content = self.0.phone().content()?;
        let code = content.failure_number(of.failure).ok_or(AppError::NotFound)?;
        Ok(FailureHelp {
            failure: failure_row(&content, code),
            next: code.next.clone(),
            tutorial: code.tutorial.as_deref().and_then(|code| Some(content.tutorial(code)?.reference())),
        })
    }

    /// The newest version of every tutorial.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_tutorials(&self, _: Nothing) -> Result<TutorialList> {
        let phone = self.0.phone();
        let today = phone.today();
        let content = phone.content()?;
        let tutorials = content.tutorials().map(|tutorial| TutorialRow {
            tutorial: tutorial.reference(),
            title: tutorial.title.clone(),
            is_ready: is_ready(tutorial),
            steps: tutorial.steps.len() as u8,
            minutes: tutorial.minutes,
            reviewed: tutorial.reviewed.map(Day),
            is_out_of_date: tutorial.is_out_of_date(today),
        });
        Ok(TutorialList { tutorials: tutorials.collect() })
    }

    /// One tutorial with its steps, in both languages.
    ///
    /// # Errors
    /// `NotFound` for a code or version this phone does not know.
    pub fn get_tutorial(&self, get: GetTutorial) -> Result<TutorialView> {
        let phone = self.0.phone();
        let content = phone.content()?;
        let tutorial = named_tutorial(&content, &get.tutorial).ok_or(AppError::NotFound)?;
        Ok(view(&content, tutorial, phone.today()))
    }
}

/// Whether it can be walked through.
pub(super) fn is_ready(tutorial: &Tutorial) -> bool {
    tutorial.status == langso_domain::content::Status::Ready && !tutorial.steps.is_empty()
}

/// A tutorial by code (its newest version) or by `code@version`.
pub(super) fn named_tutorial<'c>(content: &'c Content, name: &str) -> Option<&'c Tutorial> {
    match name.parse::<ContentRef>() {
        Ok(reference) => content.tutorial_at(&reference),
        Err(_) => content.tutorial(name),
    }
}

/// A service by code (its newest version) or by `code@version`.
pub(super) fn named_service<'c>(content: &'c Content, name: &str) -> Result<&'c Service> {
    let found = match name.parse::<ContentRef>() {
        Ok(reference) => content.service_at(&reference),
        Err(_) => content.service(name),
    };
    found.ok_or_else(|| AppError::invalid("service", "unknown_service"))
}

/// A reason, as lists show it.
pub(super) fn failure_row(content: &Content, code: &FailureCode) -> FailureRow {
    let group = content.list("reason_groups").and_then(|list| list.code(&code.group));
    FailureRow {
        failure: code.number,
        code: code.code.clone(),
        group: group.map(|entry| entry.number),
        text: code.text.clone(),
        action: code.action,
    }
}

/// A whole tutorial, as it stands today.
pub(super) fn view(
    content: &Content,
    tutorial: &Tutorial,
    today: langso_domain::date::CivilDate,
) -> TutorialView {
    let newest = content.tutorial(&tutorial.code).map(Tutorial::reference);
    let reference = tutorial.reference();
    TutorialView {
        title: tutorial.title.clone(),
        is_ready: is_ready(tutorial),
        minutes: tutorial.minutes,
        reviewed: tutorial.reviewed.map(Day),
        is_out_of_date: tutorial.is_out_of_date(today),
        newer: newest.filter(|newest| newest.version > tutorial.version),
        rules: rules(content, &tutorial.rules),
        steps: tutorial
            .steps
            .iter()
            .map(|step| step_view(content, tutorial, step.number))
            .collect::<Option<_>>()
            .unwrap_or_default(),
        services: tutorial
            .results
            .iter()
            .map(|result| TutorialService {
                service: content.service(&result.service).map(Service::reference),
                title: content.service(&result.service).map(|service| service.title.clone()),
                from_step: result.from_step,
                to_step: result.to_step,
                done: result.done.clone(),
            })
            .collect(),
        sources: tutorial.sources.clone(),
        tutorial: reference,
    }
}

/// One step with its rules and reasons in words; none when the tutorial has no such step.
pub(super) fn step_view(content: &Content, tutorial: &Tutorial, number: u8) -> Option<StepView> {
    let step = tutorial.step(number)?;
    let failures = tutorial.failures_at(number).into_iter().filter_map(|code| content.failure_code(code));
    Some(StepView {
        step: step.number,
        text: step.text.clone(),
        done: step.done.clone(),
        rules: rules(content, &step.rules),
        turn_away: step.turn_away,
        teach_back: step.teach_back,
        safety_stop: step
            .safety_stop
            .as_deref()
            .and_then(|code| content.failure_code(code))
            .map(|code| code.number),
        failures: failures.map(|code| failure_row(content, code)).collect(),
    })
}

fn rules(content: &Content, codes: &[String]) -> Vec<RuleText> {
    let list = content.list("rules");
    let found = codes.iter().filter_map(|code| list?.code(code));
    found
        .map(|entry| RuleText {
            rule: entry.code.clone(),
            text: langso_domain::content::Text { vi: entry.vi.clone(), en: entry.en.clone() },
        })
        .collect()
}

/// How often each service stands in the visits since that day, by code without version.
fn uses(connection: &Connection, since: i32) -> Result<BTreeMap<String, u32>> {
    let sql = "SELECT s.service, count(*) FROM live_visits AS v JOIN service_rows AS s ON s.visit_id = v.id
               WHERE v.date >= ?1 AND s.v_stamp > 0 AND s.void IS NOT 1 AND s.service IS NOT NULL
               GROUP BY s.service";
    let found: Vec<(String, u32)> =
        rows::all(connection, sql, [since], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut uses = BTreeMap::new();
    for (service, count) in found {
        let code = service.split_once('@').map_or(service.as_str(), |(code, _)| code);
        *uses.entry(code.to_owned()).or_default() += count;
    }
    Ok(uses)
}
