//! The merge of one row: field by field, the highest (stamp, key) shows, and nothing that two people wrote
//! without seeing each other is lost.
//!
//! Pure: the caller knows which changes it has applied and where rows are kept. The one idea to hold: *heads of a
//! field = versions written minus versions named by a base*. A name whose change has not come yet is remembered;
//! one whose change has come and is no head is spent. So any order, with gaps, and twice, gives the same state.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{Key, RowId};
use langso_domain::registry::VOID;

use crate::change::{Base, Name};
use crate::clock::Stamp;
use crate::value::Value;

mod bytes;
mod join;

pub use bytes::{decode, encode};
pub use join::{Side, join};

/// A value of a field that no later change has named.
#[derive(Clone, PartialEq, Debug)]
pub struct Head {
    /// The create or the patch that wrote it.
    pub name: Name,
    /// When.
    pub stamp: Stamp,
    /// What.
    pub value: Value,
    /// Every change that its author named in the row, in order: what a void had seen, and whether it was seen.
    pub saw: BTreeSet<Key>,
}

/// The versions of one patched field.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FieldState {
    /// In order of their names.
    pub heads: Vec<Head>,
    /// Named versions that have not come yet.
    pub awaited: BTreeSet<Name>,
}

/// The versions of one row. Fields that no patch wrote and that the schema knows are not listed: their version is
/// the create, and their value is in their column.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RowState {
    /// The create's stamp; none until it has come (the row is hidden till then).
    pub created: Option<Stamp>,
    /// Patched fields, and fields that this schema does not know.
    pub fields: BTreeMap<u8, FieldState>,
}

/// One patch of one row, as the merge needs it.
#[derive(Clone, Copy, Debug)]
pub struct PatchOp<'a> {
    /// The change it is part of.
    pub key: Key,
    /// The change's stamp.
    pub stamp: Stamp,
    /// What it writes.
    pub fields: &'a BTreeMap<u8, Value>,
    /// What its author saw.
    pub base: &'a Base,
}

impl FieldState {
    /// The head that shows: the highest stamp, then the highest key. None while only names are known.
    pub fn shown(&self, row: RowId) -> Option<&Head> {
        self.heads.iter().max_by_key(|head| (head.stamp, key_of(head.name, row)))
    }

    /// Whether its heads differ in value: equal heads are one.
    pub fn is_conflict(&self) -> bool {
        self.heads.windows(2).any(|pair| pair[0].value != pair[1].value)
    }

    fn add(&mut self, head: Head) {
        if !self.awaited.remove(&head.name) {
            let at = self.heads.partition_point(|other| other.name < head.name);
            // It is there already when a snapshot under way brought its row, and not yet what was applied.
            if self.heads.get(at).is_none_or(|other| other.name != head.name) {
                self.heads.insert(at, head);
            }
        }
    }
}

/// The key of a version: a create's is in the row's id.
pub fn key_of(name: Name, row: RowId) -> Option<Key> {
    match name {
        Name::Create => row.key(),
        Name::Change(key) => Some(key),
    }
}

impl RowState {
    /// Takes the create in. Gives back nothing; afterwards each field in `self.fields` shows by its heads, every
    /// other field by the create's value. `keep` says which of the create's fields have no column of their own.
    /// A create that was taken in before changes nothing.
    pub fn apply_create(&mut self, stamp: Stamp, fields: &BTreeMap<u8, Value>, keep: impl Fn(u8) -> bool) {
        if self.created.is_some() {
            return;
        }
        self.created = Some(stamp);
        let head = |value| Head { name: Name::Create, stamp, value, saw: BTreeSet::new() };
        for (number, field) in &mut self.fields {
            field.add(head(fields.get(number).cloned().unwrap_or(Value::Null)));
        }
        for (number, value) in fields.iter().filter(|(number, _)| keep(**number)) {
            self.fields.entry(*number).or_insert_with(|| {
                let mut state = FieldState::default();
                state.add(head(value.clone()));
                state
            });
        }
    }

    /// Takes a patch in. `created_value` is the column of a field that no patch wrote yet; `is_applied` says
    /// whether a change was taken in before this one: a head that came with a snapshot under way is removed, and its
    /// name remembered until what the snapshot has applied is taken over. The caller takes each change in once, and afterwards calls
    /// [`RowState::drop_name`] on the rows that wait for it.
    pub fn apply_patch(
        &mut self,
        op: PatchOp<'_>,
        created_value: impl Fn(u8) -> Value,
        is_applied: impl Fn(Key) -> bool,
    ) {
        let saw: BTreeSet<Key> = match op.base {
            Base::Same(names) => keys(names).collect(),
            Base::ByField(fields) => fields.values().flat_map(|names| keys(names)).collect(),
        };
        for (number, value) in op.fields {
            let created = self.created;
            let field = self.fields.entry(*number).or_insert_with(|| {
                let mut state = FieldState::default();
                if let Some(stamp) = created {
                    let value = created_value(*number);
                    state.add(Head { name: Name::Create, stamp, value, saw: BTreeSet::new() });
                }
                state
            });
            for name in op.base.of(*number) {
                if let Some(at) = field.heads.iter().position(|head| head.name == *name) {
                    field.heads.remove(at);
                }
                let has_come = match name {
                    Name::Create => created.is_some(),
                    Name::Change(key) => *key == op.key || is_applied(*key),
                };
                if !has_come {
                    field.awaited.insert(*name);
                }
            }
            field.add(Head {
                name: Name::Change(op.key),
                stamp: op.stamp,
                value: value.clone(),
                saw: saw.clone(),
            });
        }
    }

    /// Forgets a name whose change has come without writing the field. Gives whether anything was waiting for it.
    pub fn drop_name(&mut self, key: Key) -> bool {
        let mut dropped = false;
        for field in self.fields.values_mut() {
            dropped |= field.awaited.remove(&Name::Change(key));
        }
        dropped
    }

    /// The changes that some field waits for.
    pub fn awaited(&self) -> BTreeSet<Key> {
        let names = self.fields.values().flat_map(|field| &field.awaited);
        names.filter_map(|name| if let Name::Change(key) = name { Some(*key) } else { None }).collect()
    }

    /// What a patch of `field` by someone who sees this state names: every head, or the create.
    pub fn base_of(&self, field: u8) -> Vec<Name> {
        match self.fields.get(&field) {
            Some(state) => state.heads.iter().map(|head| head.name).collect(),
            None => vec![Name::Create],
        }
    }

    /// The newest stamp of the row: what an edit of any of its fields must come after.
    pub fn newest_stamp(&self) -> Stamp {
        let heads = self.fields.values().flat_map(|field| &field.heads).map(|head| head.stamp);
        heads.chain(self.created).max().unwrap_or_default()
    }

    /// Whether the row is struck out.
    pub fn is_void(&self, row: RowId) -> bool {
        let shown = self.fields.get(&VOID).and_then(|field| field.shown(row));
        shown.is_some_and(|head| head.value == Value::Bool(true))
    }

    /// The fields that go to the shelf: those with heads of different values, and [`VOID`] when the row was struck
    /// out by someone who had not seen an edit whose author had not seen the striking out ("edited after removal").
    pub fn conflicts(&self, row: RowId) -> BTreeSet<u8> {
        let mut found: BTreeSet<u8> =
            self.fields.iter().filter(|(_, field)| field.is_conflict()).map(|(number, _)| *number).collect();
        let voids = self.fields.get(&VOID).map_or(&[][..], |field| &field.heads);
        let voids = voids.iter().filter(|head| self.is_void(row) && head.value == Value::Bool(true));
        for void in voids {
            let Name::Change(void_key) = void.name else { continue };
            let unseen = |head: &Head| match head.name {
                Name::Create => false,
                // A removal that writes another field in the same breath has seen itself.
                Name::Change(key) => {
                    key != void_key && !void.saw.contains(&key) && !head.saw.contains(&void_key)
                }
            };
            let others = self.fields.iter().filter(|(number, _)| **number != VOID);
            if others.flat_map(|(_, field)| &field.heads).any(unseen) {
                found.insert(VOID);
            }
        }
        found
    }
}

fn keys(names: &[Name]) -> impl Iterator<Item = Key> + '_ {
    names.iter().filter_map(|name| if let Name::Change(key) = name { Some(*key) } else { None })
}

#[cfg(test)]
mod tests;
