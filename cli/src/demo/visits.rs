//! A visit of the ledger as the form that a member fills in: services, the checklists walked, returns planned and
//! done, all saved by one call.

use langso_device::companion::Day;
use langso_device::companion::drafts::SaveDraft;
use langso_device::companion::runs::{NewRun, RunStep};
use langso_device::companion::visits::{NewReturn, NewService, NewVisit, SavedVisit};
use langso_domain::units::UnitCode;

use super::DemoError;
use super::deeds::{Hand, reference};
use crate::campaign::event::{Event, FollowUp, KillDuring, Run, ServiceRow, Visit, What};

/// What the list `step_results` calls passed, skipped and failed.
const PASSED: u8 = 1;
const SKIPPED: u8 = 2;
const FAILED: u8 = 3;
/// Steps of the ledger from here on are numbers of failure codes.
const FIRST_FAILURE: u8 = 16;

impl Hand<'_> {
    /// Saves the visit with the returns that stand after it; gives how many events that is.
    pub(super) fn visit(&mut self, visit: &Visit, rest: &[&Event]) -> Result<usize, DemoError> {
        let (mut planned, mut done) = (Vec::new(), Vec::new());
        for event in rest {
            match &event.what {
                What::FollowUp(one) if one.visit == visit.no => planned.push(one),
                What::FollowUpDone { follow_up, visit: by } if *by == visit.no => done.push(*follow_up),
                _ => break,
            }
        }
        let form = self.device.token();
        self.typing_killed(&form)?;
        let new = NewVisit {
            household: visit.household.map(|no| self.known_household(no)).transpose()?,
            hamlet: self.book.hamlet(visit.hamlet),
            unit: UnitCode::parse(&visit.unit),
            date: Some(Day(visit.date)),
            start_minute: Some(visit.start_minute),
            end_minute: Some(visit.end_minute),
            place: Some(visit.place.number()),
            language: Some(visit.language.number()),
            signal: Some(visit.signal.number()),
            members: visit.members.iter().map(|no| self.book.member(*no)).collect(),
            plan: self.book.plan,
            note: visit.note.clone(),
            services: visit.rows.iter().map(|row| self.service(row)).collect::<Result<_, DemoError>>()?,
            follow_ups: planned.iter().map(|one| self.planned(one)).collect::<Result<_, DemoError>>()?,
            done_follow_ups: done.iter().map(|no| self.known_follow_up(*no)).collect::<Result<_, _>>()?,
            token: Some(form),
        };
        let saved: SavedVisit = self.device.save("visits.log_visit", &new)?;
        self.book.visits.insert(visit.no, saved.visit);
        self.book.follow_ups.extend(planned.iter().map(|one| one.no).zip(saved.follow_ups));
        Ok(1 + planned.len() + done.len())
    }

    /// When the app is doomed to be killed while the visit is being typed: nothing of it is saved by then.
    fn typing_killed(&mut self, form: &str) -> Result<(), DemoError> {
        if self.device.doomed != Some(KillDuring::Draft) {
            return Ok(());
        }
        self.device.doomed = None;
        let draft = SaveDraft {
            draft: Some(form.to_owned()),
            kind: "visit".to_owned(),
            body: serde_json::json!({"services": []}),
            consent: None,
        };
        self.device.killed_in("drafts.save_draft", serde_json::to_value(draft)?)
    }

    fn service(&self, row: &ServiceRow) -> Result<NewService, DemoError> {
        let service = self.services.get(&row.service);
        let service = service.ok_or(DemoError::Unexpected("a service that is none"))?;
        let person = row.person.map(|no| self.known_person(no)).transpose()?;
        let mut new = NewService::new(person, service, row.outcome.number());
        new.failure = row.failure.map(|no| no.0);
        new.evidence = row.evidence.map(|one| one.number());
        new.run = row.run.as_ref().map(new_run).transpose()?;
        Ok(new)
    }

    fn planned(&self, one: &FollowUp) -> Result<NewReturn, DemoError> {
        Ok(NewReturn {
            person: Some(self.known_person(one.person)?),
            service: self.services.get(&one.service).cloned(),
            due_on: Day(one.due_on),
            assigned_to: Some(self.book.member(one.assigned_to)),
            note: one.note.clone(),
        })
    }
}

fn new_run(run: &Run) -> Result<NewRun, DemoError> {
    let step = |(step, byte): (u8, u8)| match byte {
        0 => None,
        PASSED | SKIPPED => Some(RunStep { step, result: byte, failure: None }),
        FIRST_FAILURE.. => Some(RunStep { step, result: FAILED, failure: Some(byte) }),
        _ => None,
    };
    Ok(NewRun {
        tutorial: reference(&run.tutorial)?,
        steps: (1u8..).zip(run.steps.iter().copied()).filter_map(step).collect(),
        phone_model: Some(run.phone_model.clone()),
        os_version: Some(run.os_version.clone()),
        minutes: Some(run.minutes),
        teach_back: run.teach_back,
    })
}
