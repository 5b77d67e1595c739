//! A household moves to where another team works. Rows never change scope: the hub copies what the other team needs
//! (the household, its persons, consents that stand, appointments that are open), and the old rows stay as history. A
//! visit stays with the team that made it. An open appointment is called off in the old scope on the day of the move and
//! counted in the new one since: never in both, and no figure of a day before moves.

use std::collections::BTreeMap;

use langso_domain::id::{HamletId, HouseholdId, RowId, ScopeId, TeamId};
use langso_domain::registry::{CURRENT, Table};
use langso_store::Batch as Rows;
use langso_sync::merge::RowState;
use langso_sync::value::Value;

use super::{AdminError, Result, date};
use crate::author::Batch;
use crate::server::Hub;

/// What a move made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovedHousehold {
    /// The copy in the other team's scope.
    pub household: HouseholdId,
    /// How many rows were copied, the household's own among them.
    pub rows: usize,
}

/// A row to be copied: its fields by name.
struct Copied {
    table: &'static str,
    old: RowId,
    /// Those of one name are one household or one person.
    is_one_as: Option<RowId>,
    fields: BTreeMap<&'static str, Value>,
}

pub(super) const IN_HAMLET: &str = "SELECT EXISTS (SELECT 1 FROM live_hamlets WHERE id = ?1)";
pub(super) const IS_HOUSEHOLD: &str =
    "SELECT EXISTS (SELECT 1 FROM households WHERE id = ?1 AND v_stamp > 0)";

impl Hub {
    /// Copies a household of one team into another team's scope, to that hamlet of it; the old row points to the copy
    /// and stays. How to reach the household is not copied: that consent was given to one team, and is asked anew.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for a team, household or hamlet that is not there; `to` (`same_team`, `retired`); `household`
    /// (`moved_already`, `struck_out`).
    pub fn move_household(
        &self,
        from: TeamId,
        household: HouseholdId,
        to: TeamId,
        hamlet: HamletId,
    ) -> Result<MovedHousehold> {
        if from == to {
            return Err(AdminError::invalid("to", "same_team"));
        }
        let mut batch = self.author.batch();
        let (old, new) = (self.team(from)?, self.standing_team("to", to)?);
        // A team that was founded of others works in their hamlets, with their households: each in its scope.
        let (old, books) = (self.books_of(&old)?, self.books_of(&new)?);
        let new = self.first_with(&books, IN_HAMLET, hamlet.0)?;
        let new = new.ok_or(AdminError::NotFound { what: "hamlet" })?;
        let old = self.first_with(&old, IS_HOUSEHOLD, household.0)?;
        let old = old.ok_or(AdminError::NotFound { what: "household" })?;
        if books.contains(&old) {
            return Err(AdminError::invalid("to", "same_team"));
        }
        let copies =
            self.copy_household(&mut batch, ("household", household), old, new, |_, _| Ok(Some(hamlet)))?;
        batch.commit()?;
        let copy = copies.get(&household.0).ok_or(AdminError::NotFound { what: "household" })?;
        Ok(MovedHousehold { household: HouseholdId(*copy), rows: copies.len() })
    }

    /// Copies a household, and those it was joined with, into another scope: what was one is one there too. `hamlet`
    /// gives where each lives then, by where it lived. Gives the copy of each row.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for what is not there; `field` (`moved_already`, `struck_out`).
    pub(super) fn copy_household(
        &self,
        batch: &mut Batch<'_>,
        (field, household): (&str, HouseholdId),
        old: ScopeId,
        new: ScopeId,
        mut hamlet: impl FnMut(&mut Batch<'_>, Option<HamletId>) -> Result<Option<HamletId>>,
    ) -> Result<BTreeMap<RowId, RowId>> {
        let read = self.replicas.with::<_, AdminError>(old, |replica, _| {
            let rows = replica.begin()?;
            let seen = rows.row_state(table("household")?, household.0)?;
            let seen = seen.filter(|seen| seen.created.is_some());
            let seen = seen.ok_or(AdminError::NotFound { what: "household" })?;
            if seen.is_void(household.0) {
                return Err(AdminError::invalid(field, "struck_out"));
            }
            Read::of(&rows, household)
        })?;
        let is_moved = |one: &Copied| one.old == household.0 && one.fields.contains_key("moved_to");
        if read.copied.iter().any(is_moved) {
            return Err(AdminError::invalid(field, "moved_already"));
        }
        let mut made: BTreeMap<RowId, RowId> = BTreeMap::new();
        let mut firsts: BTreeMap<RowId, RowId> = BTreeMap::new();
        for one in &read.copied {
            let mut fields = one.fields.clone();
            for value in fields.values_mut() {
                if let Value::Ref(row) = value
                    && let Some(copy) = made.get(row)
                {
                    *value = Value::Ref(*copy);
                }
            }
            if one.table == "household" {
                let lived = match fields.get("hamlet_id") {
                    Some(Value::Ref(row)) => Some(HamletId(*row)),
                    _ => None,
                };
                if let Some(lives) = hamlet(batch, lived)? {
                    fields.insert("hamlet_id", Value::Ref(lives.0));
                }
                fields.insert("copied_from", Value::Ref(one.old));
            }
            // Whatever is one here hangs on the first of them there.
            if let Some(first) = one.is_one_as.and_then(|same| firsts.get(&same)) {
                fields.insert("merged_with", Value::Ref(*first));
            }
            let copy = batch.create(new, one.table, fields)?;
            if let Some(same) = one.is_one_as {
                firsts.entry(same).or_insert(copy);
            }
            made.insert(one.old, copy);
        }
        let on = date(batch.now().date());
        for (name, row, seen) in &read.patched {
            let field = match (*name, made.get(row)) {
                ("household", Some(copy)) => ("moved_to", Value::Ref(*copy)),
                _ => ("cancelled_on", on.clone()),
            };
            batch.patch(old, name, *row, seen, [field])?;
        }
        Ok(made)
    }

    /// The first of the scopes in whose rows that is so.
    pub(super) fn first_with(&self, scopes: &[ScopeId], sql: &str, row: RowId) -> Result<Option<ScopeId>> {
        for scope in scopes {
            let is_there = self.replicas.with::<_, AdminError>(*scope, |replica, _| {
                Ok(replica.connection().query_row(sql, [row.0], |row| row.get::<_, bool>(0))?)
            })?;
            if is_there {
                return Ok(Some(*scope));
            }
        }
        Ok(None)
    }
}

fn table(name: &'static str) -> Result<&'static Table> {
    CURRENT.named(name).ok_or_else(|| AdminError::Author(crate::author::Error::NotInRegistry(name)))
}

/// What a household and those it is one with come to.
struct Read {
    /// The households first, then what names them.
    copied: Vec<Copied>,
    /// The rows that end in the old scope, as they were seen.
    patched: Vec<(&'static str, RowId, RowState)>,
}

impl Read {
    fn of(rows: &Rows<'_>, household: HouseholdId) -> Result<Self> {
        // What is a row of the old scope and not copied along stays behind: a visit, who was to go.
        const PARTS: [(&str, &str, &[&str]); 4] = [
            (
                "household",
                "SELECT h.id, i.canonical_id FROM live_households AS h
                 LEFT JOIN household_identities AS i ON i.id = h.id WHERE h.id = ?1",
                &["merged_with", "rights_code"],
            ),
            (
                "person",
                "SELECT p.id, i.canonical_id FROM live_persons AS p
                 LEFT JOIN person_identities AS i ON i.id = p.id WHERE p.household_id = ?1 ORDER BY p.id",
                &["merged_with"],
            ),
            (
                "consent",
                "SELECT id, NULL FROM live_consents
                 WHERE household_id = ?1 AND withdrawn_on IS NULL ORDER BY id",
                &["asked_by"],
            ),
            (
                "follow_up",
                "SELECT id, NULL FROM live_follow_ups
                 WHERE household_id = ?1 AND done_on IS NULL AND cancelled_on IS NULL ORDER BY id",
                &["visit_id", "assigned_to", "done_by_visit"],
            ),
        ];
        let mut read = Self { copied: Vec::new(), patched: Vec::new() };
        let households = joined_with(rows, household)?;
        for (name, sql, left_behind) in PARTS {
            let table = table(name)?;
            let mut get = rows.connection().prepare(sql)?;
            for of in &households {
                let ids = get.query_map([of.0], |row| {
                    let same: Option<[u8; 12]> = row.get(1)?;
                    Ok((RowId(row.get(0)?), same.map(RowId)))
                })?;
                for (id, is_one_as) in ids.collect::<rusqlite::Result<Vec<_>>>()? {
                    let shown = rows.row(table, id)?.unwrap_or_default();
                    let named = shown.into_iter().filter_map(|(number, value)| {
                        let name = table.field(number)?.name;
                        (value != Value::Null && !left_behind.contains(&name)).then_some((name, value))
                    });
                    read.copied.push(Copied { table: name, old: id, is_one_as, fields: named.collect() });
                    if ["household", "follow_up"].contains(&name)
                        && let Some(seen) = rows.row_state(table, id)?
                    {
                        read.patched.push((name, id, seen));
                    }
                }
            }
        }
        Ok(read)
    }
}

/// The household and those that were joined with it, but for those that moved before.
fn joined_with(rows: &Rows<'_>, household: HouseholdId) -> Result<Vec<RowId>> {
    let sql = "SELECT other.id FROM household_identities AS own
               JOIN household_identities AS other ON other.canonical_id = own.canonical_id
               JOIN live_households AS h ON h.id = other.id
               WHERE own.id = ?1 AND other.id <> ?1 AND h.moved_to IS NULL ORDER BY other.id";
    let mut get = rows.connection().prepare(sql)?;
    let others = get.query_map([household.0.0], |row| row.get(0).map(RowId))?;
    let mut all = vec![household.0];
    all.extend(others.collect::<rusqlite::Result<Vec<_>>>()?);
    Ok(all)
}
