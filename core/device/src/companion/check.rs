//! Checks of input before anything is written: who may, texts, dates, numbers of lists, rows that must be here.
//!
//! All of them read and none writes. Codes are stable; their words belong to the shells.

use langso_domain::content::{Content, ContentKind, Item};
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, PersonId, PlanId, RowId};
use langso_domain::never_store::check_free_text;
use langso_domain::registry::{CURRENT, Kind, Role};
use langso_domain::text;
use langso_domain::units::UnitCode;
use rusqlite::{Connection, OptionalExtension};

use super::problems::Problems;
use super::record::Day;
use super::{consents, households, rows};
use crate::error::{AppError, Result};
use crate::facts::Identity;
use crate::phone::Phone;

/// Who works in a team.
pub(super) const TEAM: &[Role] = &[Role::Member, Role::Deputy, Role::Lead];
/// Who looks after a team's work.
pub(super) const LEADS: &[Role] = &[Role::Deputy, Role::Lead];
/// Who reviews.
pub(super) const TRAINERS: &[Role] = &[Role::Trainer];

/// This phone's identity, when its role is among those.
pub(super) fn role<'a>(phone: &'a Phone, roles: &[Role]) -> Result<&'a Identity> {
    let identity = phone.enrolled()?;
    let is_one = Role::from_number(identity.role.into()).is_some_and(|role| roles.contains(&role));
    if is_one { Ok(identity) } else { Err(AppError::not_allowed("role")) }
}

/// A text as it is stored in that field of that table: `missing` when empty, `too_long`, or a code of the
/// never-store list.
pub(super) fn text(table: &str, field: &str, given: &str) -> Result<String> {
    let stored = text::nfc(given);
    if stored.is_empty() {
        return Err(AppError::invalid(field, "missing"));
    }
    let kind = CURRENT.named(table).and_then(|table| table.named(field)).map(|field| field.kind);
    if let Some(Kind::Text(most)) = kind
        && stored.len() > most as usize
    {
        return Err(AppError::invalid(field, "too_long"));
    }
    match check_free_text(&stored).first() {
        Some(finding) => Err(AppError::invalid(field, finding.kind.code())),
        None => Ok(stored),
    }
}

/// As [`text`]; an empty one is none.
pub(super) fn optional_text(table: &str, field: &str, given: Option<&str>) -> Result<Option<String>> {
    let given = given.filter(|given| !text::nfc(given).is_empty());
    given.map(|given| text(table, field, given)).transpose()
}

/// A number of a list that this phone knows, packed or published since; else `unknown_choice`.
pub(super) fn choice(connection: &Connection, list: &str, field: &str, number: u8) -> Result<u8> {
    if Content::packaged().list(list).is_some_and(|list| list.number(number).is_some()) {
        return Ok(number);
    }
    let sql = "SELECT body FROM live_content_items WHERE kind = 'list' AND substr(code, 1, ?2) = ?1";
    let start = format!("{list}@");
    let mut get = connection.prepare_cached(sql)?;
    let mut rows = get.query((&start, start.chars().count() as i64))?;
    while let Some(row) = rows.next()? {
        let body: Option<String> = row.get(0)?;
        if let Some(Ok(Item::List(list))) = body.map(|body| Content::read_item(ContentKind::List, &body))
            && list.number(number).is_some()
        {
            return Ok(number);
        }
    }
    Err(AppError::invalid(field, "unknown_choice"))
}

/// The day of something that happened: `future_date` when the clock is sure that it has not come, `before_team`
/// when the team had not been founded.
pub(super) fn fact_day(phone: &Phone, field: &str, day: Day) -> Result<CivilDate> {
    phone.enrolled()?;
    let mut problems = Problems::default();
    let day = consents::fact_day(phone, &*phone.known()?, field, Some(day), &mut problems);
    problems.finish()?;
    Ok(day)
}

/// A row that must be on this phone and count; else `not_found`. `table` is the singular name.
pub(super) fn present(connection: &Connection, table: &str, field: &str, id: RowId) -> Result<()> {
    if is_live(connection, table, id)? { Ok(()) } else { Err(AppError::invalid(field, "not_found")) }
}

/// As [`present`], for a reference that may be left out.
pub(super) fn present_if(connection: &Connection, table: &str, field: &str, id: Option<RowId>) -> Result<()> {
    id.map_or(Ok(()), |id| present(connection, table, field, id))
}

/// A plan that must be on this phone.
pub(super) fn plan(connection: &Connection, plan: Option<PlanId>) -> Result<()> {
    present_if(connection, "plan", "plan", plan.map(|plan| plan.0))
}

/// Whether the row is on this phone and not struck out.
pub(super) fn is_live(connection: &Connection, table: &str, id: RowId) -> Result<bool> {
    let table = CURRENT.named(table).ok_or_else(|| AppError::unexpected("table"))?;
    let sql = format!("SELECT 1 FROM live_{} WHERE id = ?1", table.plural);
    Ok(connection.prepare_cached(&sql)?.query_row([id.0], |_| Ok(())).optional()?.is_some())
}

/// A household that may be written to: else `not_found` or `consent_withdrawn`.
pub(super) fn household(phone: &Phone, household: HouseholdId) -> Result<()> {
    let mut problems = Problems::default();
    households::check_household(phone, &*phone.known()?, household, &mut problems)?;
    problems.finish()
}

/// The place of an event; see [`Known::check_unit`](super::known::Known::check_unit).
pub(super) fn unit(
    phone: &Phone,
    given: Option<UnitCode>,
    hamlet: Option<RowId>,
    day: CivilDate,
) -> Result<Option<UnitCode>> {
    let mut problems = Problems::default();
    let unit = phone.known()?.check_unit("unit", given, hamlet.map(HamletId), day, &mut problems);
    problems.finish()?;
    Ok(unit)
}

/// The household of a person, as the row says it.
pub(super) fn household_of(connection: &Connection, person: PersonId) -> Result<Option<RowId>> {
    let mut get = connection.prepare_cached("SELECT household_id FROM persons WHERE id = ?1")?;
    Ok(get.query_row([person.0.0], |row| rows::some_id(row, 0, |id| id)).optional()?.flatten())
}

/// Whether both are one household after merges.
pub(super) fn is_same_household(connection: &Connection, one: RowId, other: RowId) -> Result<bool> {
    if one == other {
        return Ok(true);
    }
    let sql = "SELECT count(DISTINCT canonical_id) = 1 AND count(*) = 2 FROM household_identities WHERE id IN (?1, ?2)";
    Ok(connection.prepare_cached(sql)?.query_row((one.0, other.0), |row| row.get(0))?)
}
