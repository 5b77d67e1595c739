//! A household moves to where another team works. Rows never change scope: the hub copies what the other team needs
//! (the household, its persons, consents that stand, appointments that are open), and the old rows stay as history. A
//! visit stays with the team that made it. An open appointment is called off in the old scope on the day of the move and
//! counted in the new one since: never in both, and no figure of a day before moves.

use std::collections::BTreeMap;

use langso_domain::id::{HamletId, HouseholdId, RowId, ScopeId, TeamId};
use langso_domain::registry::{CURRENT, Table};
use langso_store::Batch as Rows;
use langso_sync::value::Value;

use super::{AdminError, Result, date};
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
    fields: BTreeMap<&'static str, Value>,
}

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
        let in_hamlet = "SELECT EXISTS (SELECT 1 FROM live_hamlets WHERE id = ?1)";
        let new = self.first_with(&books, in_hamlet, hamlet.0)?;
        let new = new.ok_or(AdminError::NotFound { what: "hamlet" })?;
        let known = "SELECT EXISTS (SELECT 1 FROM households WHERE id = ?1 AND v_stamp > 0)";
        let old = self.first_with(&old, known, household.0)?;
        let old = old.ok_or(AdminError::NotFound { what: "household" })?;
        if books.contains(&old) {
            return Err(AdminError::invalid("to", "same_team"));
        }
        let (copied, seen, called_off) = self.replicas.with::<_, AdminError>(old, |replica, _| {
            let rows = replica.begin()?;
            let seen =
                rows.row_state(table("household")?, household.0)?.filter(|seen| seen.created.is_some());
            let seen = seen.ok_or(AdminError::NotFound { what: "household" })?;
            if seen.is_void(household.0) {
                return Err(AdminError::invalid("household", "struck_out"));
            }
            let copied = read(&rows, household)?;
            let mut called_off = Vec::new();
            for one in copied.iter().filter(|one| one.table == "follow_up") {
                if let Some(seen) = rows.row_state(table("follow_up")?, one.old)? {
                    called_off.push((one.old, seen));
                }
            }
            Ok((copied, seen, called_off))
        })?;
        let is_moved = copied.first().is_some_and(|own| own.fields.contains_key("moved_to"));
        if is_moved {
            return Err(AdminError::invalid("household", "moved_already"));
        }
        let mut made: BTreeMap<RowId, RowId> = BTreeMap::new();
        for one in &copied {
            let mut fields = one.fields.clone();
            for value in fields.values_mut() {
                if let Value::Ref(row) = value
                    && let Some(copy) = made.get(row)
                {
                    *value = Value::Ref(*copy);
                }
            }
            if one.table == "household" {
                fields.insert("hamlet_id", Value::Ref(hamlet.0));
                fields.insert("copied_from", Value::Ref(household.0));
            }
            made.insert(one.old, batch.create(new, one.table, fields)?);
        }
        let copy = made.get(&household.0).copied().ok_or(AdminError::NotFound { what: "household" })?;
        let on = date(batch.now().date());
        for (row, seen) in called_off {
            batch.patch(old, "follow_up", row, &seen, [("cancelled_on", on.clone())])?;
        }
        batch.patch(old, "household", household.0, &seen, [("moved_to", Value::Ref(copy))])?;
        batch.commit()?;
        Ok(MovedHousehold { household: HouseholdId(copy), rows: copied.len() })
    }

    /// The first of the scopes in whose rows that is so.
    fn first_with(&self, scopes: &[ScopeId], sql: &str, row: RowId) -> Result<Option<ScopeId>> {
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

/// The household first, then what names it.
fn read(rows: &Rows<'_>, household: HouseholdId) -> Result<Vec<Copied>> {
    // What is a row of the old scope and not copied along stays behind: a merge edge, a visit, who was to go.
    const PARTS: [(&str, &str, &[&str]); 4] = [
        ("household", "SELECT id FROM live_households WHERE id = ?1", &["merged_with", "rights_code"]),
        ("person", "SELECT id FROM live_persons WHERE household_id = ?1 ORDER BY id", &["merged_with"]),
        (
            "consent",
            "SELECT id FROM live_consents WHERE household_id = ?1 AND withdrawn_on IS NULL ORDER BY id",
            &["asked_by"],
        ),
        (
            "follow_up",
            "SELECT id FROM live_follow_ups
             WHERE household_id = ?1 AND done_on IS NULL AND cancelled_on IS NULL ORDER BY id",
            &["visit_id", "assigned_to", "done_by_visit"],
        ),
    ];
    let mut copied = Vec::new();
    for (name, sql, left_behind) in PARTS {
        let table = table(name)?;
        let mut get = rows.connection().prepare(sql)?;
        let ids = get.query_map([household.0.0], |row| row.get::<_, [u8; 12]>(0).map(RowId))?;
        for id in ids.collect::<rusqlite::Result<Vec<_>>>()? {
            let shown = rows.row(table, id)?.unwrap_or_default();
            let named = shown.into_iter().filter_map(|(number, value)| {
                let name = table.field(number)?.name;
                (value != Value::Null && !left_behind.contains(&name)).then_some((name, value))
            });
            copied.push(Copied { table: name, old: id, fields: named.collect() });
        }
    }
    Ok(copied)
}
