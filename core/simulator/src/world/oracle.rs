//! What a scope's log must make of its rows, worked out from the whole log at once and in another way than the merge
//! does it change by change.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{Key, RowId};
use langso_domain::registry::VOID;
use langso_sync::change::{Base, Change, Name};
use langso_sync::clock::Stamp;
use langso_sync::value::Value;

use crate::broken::{Promise, Result};
use crate::pool::File;

/// A version of a field: when, what, and which changes its author named in the row.
#[derive(Debug, Clone)]
struct Version {
    stamp: Stamp,
    value: Value,
    saw: BTreeSet<Key>,
}

/// The rows that somebody patched, by table and id; of each the patched fields.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    rows: BTreeMap<(u8, RowId), BTreeMap<u8, BTreeMap<Name, Version>>>,
}

impl Oracle {
    /// Heads are the versions written less the versions named.
    pub fn new(changes: &[Change]) -> Self {
        let creates: BTreeMap<RowId, (Stamp, &BTreeMap<u8, Value>)> = changes
            .iter()
            .flat_map(|change| (0..).zip(&change.rows).map(move |(place, row)| (change, place, row)))
            .filter(|(_, _, row)| row.patch.is_none())
            .map(|(change, place, row)| (change.key.row(place), (change.stamp, &row.fields)))
            .collect();
        let mut oracle = Self::default();
        let mut named: BTreeSet<(RowId, u8, Name)> = BTreeSet::new();
        for change in changes {
            for row in &change.rows {
                let Some(patch) = &row.patch else { continue };
                let saw = match &patch.base {
                    Base::Same(names) => keys(names),
                    Base::ByField(fields) => fields.values().flat_map(|names| keys(names)).collect(),
                };
                let fields = oracle.rows.entry((row.table, patch.target)).or_default();
                for (field, value) in &row.fields {
                    let versions = fields.entry(*field).or_default();
                    let version = Version { stamp: change.stamp, value: value.clone(), saw: saw.clone() };
                    versions.insert(Name::Change(change.key), version);
                    if let Some((stamp, made)) = creates.get(&patch.target) {
                        let value = made.get(field).cloned().unwrap_or(Value::Null);
                        let version = Version { stamp: *stamp, value, saw: BTreeSet::new() };
                        versions.insert(Name::Create, version);
                    }
                    named.extend(patch.base.of(*field).iter().map(|name| (patch.target, *field, *name)));
                }
            }
        }
        for ((_, id), fields) in &mut oracle.rows {
            for (field, versions) in fields {
                versions.retain(|name, _| !named.contains(&(*id, *field, *name)));
            }
        }
        oracle
    }

    /// A replica that has heard the log has these heads, shows these values and has these on its shelf.
    pub fn check(&self, replica: &mut File) -> Result {
        let registry = replica.replica.schema().registry;
        let mut shelf: BTreeSet<(u8, RowId, u8)> = BTreeSet::new();
        let batch = replica.replica.begin()?;
        for ((number, id), fields) in &self.rows {
            let Some(table) = registry.table(*number) else { continue };
            let state = batch.row_state(table, *id)?.unwrap_or_default();
            let row = batch.row(table, *id)?;
            for (field, versions) in fields {
                let wrong = |what: &str| {
                    Promise::HeadsAreUnnamedVersions
                        .broken(format!("{what} of {} field {field} of {id}", table.name))
                };
                let heads = state.fields.get(field).map_or(&[][..], |field| &field.heads);
                if !heads.iter().map(|head| head.name).eq(versions.keys().copied()) {
                    return Err(wrong("heads"));
                }
                let shows = row.as_ref().map(|row| row.get(field).unwrap_or(&Value::Null));
                if shows
                    .is_some_and(|shows| Some(shows) != shown(versions, *id).map(|version| &version.value))
                {
                    return Err(wrong("value"));
                }
                if row.is_some() && is_conflict(versions) {
                    shelf.insert((*number, *id, *field));
                }
            }
            if row.is_some() && is_edited_after_removal(fields, *id) {
                shelf.insert((*number, *id, VOID));
            }
        }
        let tables: BTreeSet<u8> = self.rows.keys().map(|(number, _)| *number).collect();
        let mut get = batch.connection().prepare_cached("SELECT table_number, row, field FROM shelf")?;
        let found = get.query_map([], |row| Ok((row.get(0)?, RowId(row.get(1)?), row.get(2)?)))?;
        let found: BTreeSet<(u8, RowId, u8)> = found.collect::<rusqlite::Result<_>>()?;
        let found: BTreeSet<_> = found.into_iter().filter(|(number, ..)| tables.contains(number)).collect();
        match found.symmetric_difference(&shelf).next() {
            Some(entry) => Err(Promise::HeadsAreUnnamedVersions.broken(format!("shelf: {entry:?}"))),
            None => Ok(()),
        }
    }
}

fn keys(names: &[Name]) -> BTreeSet<Key> {
    let key = |name: &Name| if let Name::Change(key) = name { Some(*key) } else { None };
    names.iter().filter_map(key).collect()
}

/// The highest stamp, then the highest key.
fn shown(versions: &BTreeMap<Name, Version>, row: RowId) -> Option<&Version> {
    let key = |name: &Name| langso_sync::merge::key_of(*name, row);
    versions.iter().max_by_key(|(name, version)| (version.stamp, key(name))).map(|(_, version)| version)
}

fn is_conflict(versions: &BTreeMap<Name, Version>) -> bool {
    let values: BTreeSet<&Value> = versions.values().map(|version| &version.value).collect();
    values.len() > 1
}

/// Somebody struck the row out who had not seen an edit, and whoever made that had not seen the striking out.
fn is_edited_after_removal(fields: &BTreeMap<u8, BTreeMap<Name, Version>>, row: RowId) -> bool {
    let Some(voids) = fields.get(&VOID) else { return false };
    if shown(voids, row).is_none_or(|version| version.value != Value::Bool(true)) {
        return false;
    }
    let edits = fields.iter().filter(|(field, _)| **field != VOID).flat_map(|(_, versions)| versions);
    let edits: Vec<_> = edits.collect();
    voids.iter().filter(|(_, void)| void.value == Value::Bool(true)).any(|(void_name, void)| {
        edits.iter().any(|(name, edit)| match (void_name, name) {
            (Name::Change(void_key), Name::Change(key)) => {
                key != void_key && !void.saw.contains(key) && !edit.saw.contains(void_key)
            }
            _ => false,
        })
    })
}
