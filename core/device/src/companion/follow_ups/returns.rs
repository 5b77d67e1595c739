//! Returns before they are written, agreed at a visit or by themselves.

use std::fmt::Display;

use langso_domain::content::ContentRef;
use langso_domain::date::CivilDate;
use langso_domain::id::{HouseholdId, MemberId, PersonId, VisitId};
use langso_sync::value::Value;

use super::super::content::named_service;
use super::super::known::Known;
use super::super::merges;
use super::super::problems::Problems;
use super::super::visits::NewReturn;
use crate::error::Result;
use crate::phone::Phone;

/// How far ahead an appointment may lie: a year typed wrong would hide it for ever.
const MOST_DAYS_AHEAD: i32 = 400;

/// A return as it is stored.
#[derive(Debug, Clone)]
pub(in crate::companion) struct CheckedReturn {
    person: Option<PersonId>,
    service: Option<ContentRef>,
    pub due_on: CivilDate,
    pub assigned_to: MemberId,
    note: Option<String>,
}

impl CheckedReturn {
    /// Its columns.
    pub fn fields(
        &self,
        visit: Option<VisitId>,
        household: Option<HouseholdId>,
    ) -> [(&'static str, Value); 7] {
        [
            ("visit_id", visit.map(|visit| visit.0).into()),
            ("household_id", household.map(|household| household.0).into()),
            ("person_id", self.person.map(|person| person.0).into()),
            ("service", self.service.as_ref().map(ContentRef::to_string).into()),
            ("due_on", self.due_on.into()),
            ("assigned_to", self.assigned_to.0.into()),
            ("note", self.note.as_deref().into()),
        ]
    }
}

/// Checks a return to a household, agreed on that day. `path` ends before the field's name. Fields: `person`
/// (`not_found`, `other_household`), `service` (`unknown_service`), `due_on` as in [`check_due_day`], `assigned_to`
/// (`not_found`, `left_team`), `note`.
pub(in crate::companion) fn check_return(
    phone: &Phone,
    known: &Known,
    path: impl Display,
    (household, agreed_on): (Option<HouseholdId>, CivilDate),
    new: &NewReturn,
    me: MemberId,
    problems: &mut Problems,
) -> Result<CheckedReturn> {
    if let Some(person) = new.person {
        let field = format_args!("{path}person");
        match household {
            Some(household) => merges::check_person(phone.connection(), field, household, person, problems)?,
            None => problems.add(field, "other_household"),
        }
    }
    let service = match new.service.as_deref().map(|name| named_service(&known.content, name)) {
        Some(Ok(service)) => Some(service.reference()),
        Some(Err(_)) => {
            problems.add(format_args!("{path}service"), "unknown_service");
            None
        }
        None => None,
    };
    let due_on = new.due_on.0;
    check_due_day(phone, format_args!("{path}due_on"), agreed_on, due_on, problems);
    let assigned_to = new.assigned_to.unwrap_or(me);
    known.check_member(format_args!("{path}assigned_to"), assigned_to, due_on, problems);
    let note = problems.lines(format_args!("{path}note"), "follow_up.note", new.note.as_deref());
    Ok(CheckedReturn { person: new.person, service, due_on, assigned_to, note })
}

/// The day of a return that was agreed on another one. While the clock is unsure any day is taken, and the save says
/// that it was; else `past_date` or `too_far`.
pub(super) fn check_due_day(
    phone: &Phone,
    field: impl Display,
    agreed_on: CivilDate,
    due_on: CivilDate,
    problems: &mut Problems,
) {
    if !phone.now().is_sure {
        return;
    }
    match due_on.0.saturating_sub(agreed_on.0) {
        ..0 => problems.add(field, "past_date"),
        0..=MOST_DAYS_AHEAD => {}
        _ => problems.add(field, "too_far"),
    }
}
