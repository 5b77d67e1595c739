//! Checks of input before anything is written: who may, and rows that must be here.
//!
//! All of them read and none writes. Codes are stable; their words belong to the shells.

use langso_domain::id::{PersonId, RowId};
use langso_domain::registry::{CURRENT, Role};
use rusqlite::{Connection, OptionalExtension};

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

/// A row that must be on this phone and count; else `not_found`. `table` is the singular name.
pub(super) fn present(connection: &Connection, table: &str, field: &str, id: RowId) -> Result<()> {
    if is_live(connection, table, id)? { Ok(()) } else { Err(AppError::invalid(field, "not_found")) }
}

/// As [`present`], for a reference that may be left out.
pub(super) fn present_if(connection: &Connection, table: &str, field: &str, id: Option<RowId>) -> Result<()> {
    id.map_or(Ok(()), |id| present(connection, table, field, id))
}

/// Whether the row is on this phone and not struck out.
pub(super) fn is_live(connection: &Connection, table: &str, id: RowId) -> Result<bool> {
    let table = CURRENT.named(table).ok_or_else(|| AppError::unexpected("table"))?;
    let sql = format!("SELECT 1 FROM live_{} WHERE id = ?1", table.plural);
    Ok(connection.prepare_cached(&sql)?.query_row([id.0], |_| Ok(())).optional()?.is_some())
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
