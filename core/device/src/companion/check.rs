//! Checks of input before anything is written: who may, texts, dates, numbers of lists, rows that must be here.
//!
//! All of them read and none writes. Codes are stable; their words belong to the shells.

use langso_domain::content::{Content, ContentKind, Item};
use langso_domain::date::CivilDate;
use langso_domain::id::{PersonId, PlanId, RowId};
use langso_domain::never_store::check_free_text;
use langso_domain::registry::{CURRENT, Kind, Role};
use langso_domain::text;
use langso_domain::units::{UnitCode, Units};
use rusqlite::{Connection, OptionalExtension};

use super::record::Day;
use super::rows;
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
    let now = phone.now();
    if now.is_sure && day.0 > CivilDate::at(now.ms) {
        return Err(AppError::invalid(field, "future_date"));
    }
    let team = phone.enrolled()?.team;
    let sql = "SELECT founded_on FROM live_teams WHERE id = ?1";
    let mut get = phone.connection().prepare_cached(sql)?;
    let founded: Option<Option<i32>> = get.query_row([team.0.0], |row| row.get(0)).optional()?;
    if founded.flatten().is_some_and(|founded| day.0.0 < founded) {
        return Err(AppError::invalid(field, "before_team"));
    }
    Ok(day.0)
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

/// The place of an event: the one given, when it was in force that day (else `not_of_its_date`); if none is given
/// the hamlet's, else the team's, carried forward to the unit of that day where it was not split.
pub(super) fn unit(
    phone: &Phone,
    given: Option<UnitCode>,
    hamlet: Option<RowId>,
    day: CivilDate,
) -> Result<Option<UnitCode>> {
    let units = Units::packaged();
    if let Some(unit) = given {
        let is_known = units.latest(unit).is_some();
        return match is_known && !units.is_valid_on(unit, day) {
            true => Err(AppError::invalid("unit", "not_of_its_date")),
            false => Ok(Some(unit)),
        };
    }
    let connection = phone.connection();
    let read = |sql: &str, id: RowId| -> Result<Option<UnitCode>> {
        let unit: Option<Option<String>> =
            connection.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
        Ok(unit.flatten().and_then(|unit| UnitCode::parse(&unit)))
    };
    let of_hamlet = match hamlet {
        Some(hamlet) => read("SELECT unit FROM live_hamlets WHERE id = ?1", hamlet)?,
        None => None,
    };
    let unit = match of_hamlet {
        Some(unit) => Some(unit),
        None => read("SELECT unit FROM live_teams WHERE id = ?1", phone.enrolled()?.team.0)?,
    };
    Ok(unit.map(|unit| match units.is_valid_on(unit, day) {
        true => unit,
        false => units.today_of(unit).filter(|today| units.is_valid_on(*today, day)).unwrap_or(unit),
    }))
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
