//! Returns that are agreed at a visit: checked and written with it.

use std::fmt::Display;

use langso_domain::content::ContentRef;
use langso_domain::date::CivilDate;
use langso_domain::id::{FollowUpId, HouseholdId, MemberId, PersonId, VisitId};

use super::super::content::named_service;
use super::super::follow_ups::MOST_DAYS_AHEAD;
use super::super::known::Known;
use super::super::merges;
use super::super::problems::Problems;
use super::records::NewReturn;
use crate::error::Result;
use crate::phone::{Phone, Saving};

/// A return as it is stored.
#[derive(Debug, Clone)]
pub(super) struct CheckedReturn {
    person: Option<PersonId>,
    service: Option<ContentRef>,
    due_on: CivilDate,
    assigned_to: MemberId,
    note: Option<String>,
}

/// Checks a return to a household, agreed on that day. `path` ends before the field's name. Fields: `person`
/// (`not_found`, `other_household`), `service` (`unknown_service`), `due_on` (`past_date`,
/// `too_far`), `assigned_to` (`not_found`, `left_team`), `note`.
pub(super) fn check_return(
    phone: &Phone,
    known: &Known,
    path: impl Display,
    (household, agreed_on): (HouseholdId, CivilDate),
    new: &NewReturn,
    me: MemberId,
    problems: &mut Problems,
) -> Result<CheckedReturn> {
    if let Some(person) = new.person {
        merges::check_person(phone.connection(), format_args!("{path}person"), household, person, problems)?;
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
    match due_on.0 - agreed_on.0 {
        ..0 => problems.add(format_args!("{path}due_on"), "past_date"),
        0..=MOST_DAYS_AHEAD => {}
        _ => problems.add(format_args!("{path}due_on"), "too_far"),
    }
    let assigned_to = new.assigned_to.unwrap_or(me);
    known.check_member(format_args!("{path}assigned_to"), assigned_to, due_on, problems);
    let note = problems.lines(format_args!("{path}note"), "follow_up.note", new.note.as_deref());
    Ok(CheckedReturn { person: new.person, service, due_on, assigned_to, note })
}

/// The return's row, in the scope of the save's visit or household.
pub(super) fn create_return(
    saving: &mut Saving<'_, '_>,
    visit: Option<VisitId>,
    household: HouseholdId,
    checked: &CheckedReturn,
) -> Result<FollowUpId> {
    let fields = [
        ("visit_id", visit.map(|visit| visit.0).into()),
        ("household_id", household.0.into()),
        ("person_id", checked.person.map(|person| person.0).into()),
        ("service", checked.service.as_ref().map(ContentRef::to_string).into()),
        ("due_on", checked.due_on.into()),
        ("assigned_to", checked.assigned_to.0.into()),
        ("note", checked.note.as_deref().into()),
    ];
    Ok(FollowUpId(saving.create("follow_up", fields)?))
}
