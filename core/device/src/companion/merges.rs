//! Households and persons that were joined: which rows are one.
//!
//! Reads. A row that was never joined is asked for nothing: that is almost every one.

use std::fmt::Display;

use langso_domain::id::{HouseholdId, PersonId};
use rusqlite::{Connection, OptionalExtension};

use super::problems::Problems;
use super::{check, rows};
use crate::error::Result;

/// A person who must live in that household: else `not_found` or `other_household`.
pub(super) fn check_person(
    connection: &Connection,
    field: impl Display,
    household: HouseholdId,
    person: PersonId,
    problems: &mut Problems,
) -> Result<()> {
    let sql = "SELECT household_id FROM live_persons WHERE id = ?1";
    let mut get = connection.prepare_cached(sql)?;
    let found = get.query_row([person.0.0], |row| rows::some_id(row, 0, |id| id)).optional()?;
    match found {
        None => problems.add(field, "not_found"),
        Some(Some(lives)) if check::is_same_household(connection, lives, household.0)? => {}
        Some(_) => problems.add(field, "other_household"),
    }
    Ok(())
}
