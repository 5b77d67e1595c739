//! Households in walking order: by hamlet, then by the number the team gave them.

use std::collections::HashMap;
use std::rc::Rc;

use langso_domain::id::{HamletId, HouseholdId};
use langso_domain::text;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::rows;
use crate::error::Result;

/// A household as rows of a list show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Place {
    /// What the team calls it.
    pub label: Option<String>,
    /// How to find the place.
    pub hint: Option<String>,
    /// Where it lives.
    pub hamlet: Option<HamletId>,
}

/// Looks households up for a list; reads once what was merged.
pub(super) struct Places<'a> {
    connection: &'a Connection,
    known: &'a Known,
    merged: HashMap<HouseholdId, HouseholdId>,
}

impl<'a> Places<'a> {
    /// Reads what was merged.
    pub fn new(connection: &'a Connection, known: &'a Known) -> Result<Self> {
        let sql = "SELECT id, canonical_id FROM household_identities";
        let merged = rows::all(connection, sql, [], |row| {
            Ok((HouseholdId(rows::id(row, 0)?), HouseholdId(rows::id(row, 1)?)))
        })?;
        Ok(Self { connection, known, merged: merged.into_iter().collect() })
    }

    /// The id that shows of a household.
    pub fn shown(&self, household: HouseholdId) -> HouseholdId {
        self.merged.get(&household).copied().unwrap_or(household)
    }

    /// All rows that are this household, the one that shows first.
    pub fn joined(&self, household: HouseholdId) -> Vec<HouseholdId> {
        let shown = self.shown(household);
        let others = self.merged.iter().filter(|(of, to)| **to == shown && **of != shown).map(|(of, _)| *of);
        let mut all: Vec<_> = std::iter::once(shown).chain(others).collect();
        all[1..].sort_unstable();
        all
    }

    /// The household of that id, also one that was struck out; nothing of it when it has not come yet. What was
    /// merged shows as the household it was merged into.
    pub fn of(&self, household: HouseholdId) -> Result<Place> {
        self.of_row(self.shown(household))
    }

    /// The row of that id by itself.
    pub fn of_row(&self, household: HouseholdId) -> Result<Place> {
        let sql = "SELECT label, hint, hamlet_id FROM households WHERE id = ?1";
        let mut get = self.connection.prepare_cached(sql)?;
        let found = get.query_row([household.0.0], |row| {
            Ok(Place { label: row.get(0)?, hint: row.get(1)?, hamlet: rows::some_id(row, 2, HamletId)? })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// By what a list in walking order is sorted.
    pub fn key(&self, place: &Place) -> Key {
        Key {
            hamlet: self.hamlet_key(place.hamlet),
            label: parts(place.label.as_deref().unwrap_or_default()),
        }
    }

    fn hamlet_key(&self, hamlet: Option<HamletId>) -> Vec<u8> {
        let hamlet = hamlet.and_then(|hamlet| self.known.hamlets.get(&hamlet));
        text::sort_key(hamlet.map_or("", |hamlet| &hamlet.name))
    }
}

/// The households that count and live with the team, in walking order, each with the hamlet of its row; one that was
/// joined comes once for each of its rows.
pub(super) fn households(
    connection: &Connection,
    known: &Known,
) -> Result<Vec<(HouseholdId, Option<HamletId>)>> {
    let places = Places::new(connection, known)?;
    let sql = "SELECT id, label, hamlet_id FROM live_households WHERE moved_to IS NULL";
    // Hamlets are few, and the key of a name takes long to make.
    let mut hamlets: HashMap<Option<HamletId>, Rc<[u8]>> = HashMap::new();
    let mut keyed = rows::all(connection, sql, [], |row| {
        let hamlet = rows::some_id(row, 2, HamletId)?;
        let label: Option<String> = row.get(1)?;
        let name = hamlets.entry(hamlet).or_insert_with(|| places.hamlet_key(hamlet).into());
        let key = (name.clone(), parts(label.as_deref().unwrap_or_default()));
        Ok((key, places.shown(HouseholdId(rows::id(row, 0)?)), hamlet))
    })?;
    langso_domain::order::sort_by(&mut keyed, Ord::cmp);
    Ok(keyed.into_iter().map(|(_, household, hamlet)| (household, hamlet)).collect())
}

/// See [`Places::key`]: the hamlet's name, then the label with its numbers as numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The hamlet's name.
    pub hamlet: Vec<u8>,
    /// The label.
    pub label: Vec<Part>,
}

/// Numbers before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(u64),
    Words(Vec<u8>),
}

fn parts(label: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = label;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(match is_digit {
            true => Part::Number(part.parse().unwrap_or(u64::MAX)),
            false => Part::Words(text::sort_key(&part.trim().to_lowercase())),
        });
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_labels_count_as_numbers() {
        let mut labels = ["Hộ 12", "Hộ 2", "Hộ 12b", "3", "Hộ 102", "hộ 4"];
        labels.sort_by_key(|label| parts(label));
        assert_eq!(labels, ["3", "Hộ 2", "hộ 4", "Hộ 12", "Hộ 12b", "Hộ 102"]);
    }
}
