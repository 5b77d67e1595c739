//! The conflict that this phone settled last: one of its versions may be chosen again while nothing was written since.
//!
//! A version may be a name or a number of a person, so beside the rows it is only named. While the app runs its value is
//! in memory; after a restart it is read out of the saves that this phone holds, its own and those of kept frames.

use langso_domain::id::{Key, RowId};
use langso_domain::registry::{CURRENT, Field, Table};
use langso_sync::change::{Change, RowOp};
use langso_sync::merge::{RowState, key_of};
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::{
    ConflictKey, SettleConflict, SettledConflict, field_name, field_number, field_of, from_value,
    unseen_edits, version_names,
};
use crate::companion::saves;
use crate::error::Result;
use crate::facts::{self, name};
use crate::phone::Phone;

/// A settled conflict with the values of its versions.
#[derive(Clone)]
pub(crate) struct Settled {
    pub(super) note: Note,
    /// In the order of the note.
    pub(super) versions: Vec<Value>,
}

/// What is kept of it over a restart: names, no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    table: u8,
    row: RowId,
    field: u8,
    /// The change that settled it.
    by: [u8; 11],
    /// The changes that wrote the versions.
    made: Vec<[u8; 11]>,
    /// After them, a row that was struck out may come back.
    lives: bool,
    /// Which version showed before.
    before: Option<usize>,
}

impl Note {
    /// Of a field in conflict.
    pub(super) fn of(state: &RowState, table: &Table, row: RowId, field: Option<&'static Field>) -> Self {
        let number = field_number(field);
        let heads = state.fields.get(&number).map_or(&[][..], |field| &field.heads);
        let made = heads.iter().filter_map(|head| Some(key_of(head.name, row)?.to_bytes())).collect();
        let lives = field.is_none() && !unseen_edits(state).is_empty();
        Self { table: table.number, row, field: number, by: [0; 11], made, lives, before: None }
    }

    fn is_of(&self, table: &Table, row: RowId, field: u8) -> bool {
        (self.table, self.row, self.field) == (table.number, row, field)
    }

    /// The values, out of what this phone holds of the saves that wrote them; none when it lacks one.
    fn read(self, connection: &Connection) -> Result<Option<Settled>> {
        let Some(table) = CURRENT.table(self.table) else { return Ok(None) };
        let sql = format!("SELECT scope FROM {} WHERE id = ?1", table.plural);
        let scope: Option<i64> =
            connection.prepare_cached(&sql)?.query_row([self.row.0], |row| row.get(0)).optional()?;
        let Some(scope) = scope else { return Ok(None) };
        let saves = saves::that_speak_of(connection, scope, [&self.row])?;
        let mut versions = Vec::with_capacity(self.made.len() + 1);
        for made in &self.made {
            let change = Key::from_bytes(made).and_then(|key| saves.get(&key));
            let Some(value) = change.and_then(|change| value_in(change, self.row, self.field)) else {
                return Ok(None);
            };
            versions.push(value);
        }
        if self.lives {
            versions.push(Value::Bool(false));
        }
        Ok(Some(Settled { note: self, versions }))
    }
}

impl Settled {
    /// The last one, when it was of that field.
    pub(super) fn of(phone: &Phone, table: &Table, row: RowId, field: u8) -> Result<Option<Self>> {
        Self::last(phone, |note| note.is_of(table, row, field))
    }

    fn last(phone: &Phone, is_it: impl Fn(&Note) -> bool) -> Result<Option<Self>> {
        if let Some(settled) = &phone.settled {
            return Ok(Some(settled.clone()).filter(|settled| is_it(&settled.note)));
        }
        match facts::get::<Note>(phone.connection(), name::SETTLED)?.filter(is_it) {
            Some(note) => note.read(phone.connection()),
            None => Ok(None),
        }
    }

    /// Whether nothing was written since.
    pub(super) fn stands(&self, state: &RowState) -> bool {
        only_head(state, self.note.row, self.note.field) == Some(self.note.by)
    }

    /// Notes that a change has settled it, over what showed before.
    pub(super) fn keep(mut self, phone: &mut Phone, state: &RowState, before: &Value) {
        phone.settled = None;
        let Some(by) = only_head(state, self.note.row, self.note.field) else { return };
        self.note.by = by;
        self.note.before = self.versions.iter().position(|version| version == before);
        // It is settled: that it cannot be taken back after a restart is no reason to say that it is not.
        drop(facts::put(phone.connection(), name::SETTLED, &self.note));
        phone.settled = Some(self);
    }
}

/// What this phone settled last, while it can be taken back.
pub(super) fn last(phone: &Phone) -> Result<Option<SettledConflict>> {
    let Some(settled) = Settled::last(phone, |_| true)? else { return Ok(None) };
    let Note { row, field: number, before, .. } = settled.note;
    let Some(table) = CURRENT.table(settled.note.table) else { return Ok(None) };
    let Some(field) = field_of(table, number) else { return Ok(None) };
    let Some(state) = phone.replica.row_state(table, row)?.filter(|state| settled.stands(state)) else {
        return Ok(None);
    };
    let kept = state.fields.get(&number).and_then(|field| field.heads.first());
    let (Some(kept), Some(before)) = (kept, before.and_then(|at| settled.versions.get(at))) else {
        return Ok(None);
    };
    let conflict = ConflictKey { table: table.name.to_owned(), row, field: field_name(field).to_owned() };
    let (keep, seen) = (from_value(field, before), version_names(&state, row, field));
    Ok(Some(SettledConflict {
        kept: from_value(field, &kept.value),
        undo: SettleConflict { conflict, keep, seen },
    }))
}

fn only_head(state: &RowState, row: RowId, field: u8) -> Option<[u8; 11]> {
    match state.fields.get(&field)?.heads.as_slice() {
        [head] => Some(key_of(head.name, row)?.to_bytes()),
        _ => None,
    }
}

/// What a change says of a field of a row; a create says nothing of a field by leaving it out.
fn value_in(change: &Change, row: RowId, field: u8) -> Option<Value> {
    let of = |(place, op): (u8, &RowOp)| match &op.patch {
        None if change.key.row(place) == row => Some(op.fields.get(&field).cloned().unwrap_or(Value::Null)),
        Some(patch) if patch.target == row => op.fields.get(&field).cloned(),
        _ => None,
    };
    (0u8..).zip(&change.rows).find_map(of)
}
