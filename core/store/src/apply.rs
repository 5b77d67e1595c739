//! A change meets its rows: creates go straight into their columns, everything else through the merge.
//!
//! Nine of ten rows are creates that nothing is known of: one INSERT each. A row that is there already, a patch, or
//! a create that a patch came before takes the slow way: read, merge, write back, and note shelf and awaited names.

use std::collections::BTreeMap;

use langso_domain::id::{Key, RowId};
use langso_domain::registry::{Kind, Table, VOID};
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::merge::{self, PatchOp, RowState};
use langso_sync::value::Value;
use rusqlite::OptionalExtension;
use rusqlite::types::{Null, ToSqlOutput, Value as Sql};

use crate::batch::Batch;
use crate::columns::{from_sql, to_sql};
use crate::{Purpose, Result, search};

/// A row as it lies in the file.
pub(crate) struct Stored {
    scope: i64,
    pub state: RowState,
    /// The columns: what shows, and for an unpatched field the create's value.
    columns: BTreeMap<u8, Value>,
}

impl Stored {
    /// What every field shows.
    pub fn shown(&self, id: RowId) -> BTreeMap<u8, Value> {
        let mut shown = self.columns.clone();
        for (number, field) in &self.state.fields {
            shown.insert(*number, field.shown(id).map_or(Value::Null, |head| head.value.clone()));
        }
        shown
    }
}

fn kind_of(table: Option<&Table>, field: u8) -> Option<Kind> {
    match field {
        VOID => table.map(|_| Kind::Bool),
        _ => table?.field(field).map(|field| field.kind),
    }
}

/// Whether a create's value has no column to lie in.
fn has_no_column(table: Option<&Table>, field: u8, value: &Value) -> bool {
    kind_of(table, field).is_none_or(|kind| to_sql(kind, value).is_none())
}

impl Batch<'_> {
    pub(crate) fn apply_rows(&mut self, scope: i64, change: &Change) -> Result<()> {
        for (place, op) in change.rows.iter().enumerate() {
            let table = self.schema.registry.table(op.table);
            if op.patch.is_none() {
                let id = change.key.row(place as u8);
                if table.is_none_or(|table| {
                    op.fields.iter().any(|(field, value)| has_no_column(Some(table), *field, value))
                }) || !self.insert(table, id, scope, change.stamp, &op.fields)?
                {
                    self.merge_row(scope, change, op, id)?;
                } else {
                    self.index(op.table, id, || op.fields.clone(), false)?;
                }
            } else if let Some(patch) = &op.patch {
                self.merge_row(scope, change, op, patch.target)?;
            }
        }
        Ok(())
    }

    /// The fast way; false when a row of that id is there.
    fn insert(
        &self,
        table: Option<&'static Table>,
        id: RowId,
        scope: i64,
        stamp: Stamp,
        fields: &BTreeMap<u8, Value>,
    ) -> Result<bool> {
        let Some(table) = table else { return Ok(false) };
        let mut put = self.tx.prepare_cached(&self.texts.of(table).insert)?;
        put.raw_bind_parameter(1, &id.0[..])?;
        put.raw_bind_parameter(2, scope)?;
        put.raw_bind_parameter(3, stamp.0 as i64)?;
        put.raw_bind_parameter(4, Null)?;
        bind_columns(&mut put, table, |field| fields.get(&field))?;
        Ok(put.raw_execute()? == 1)
    }

    fn merge_row(&mut self, scope: i64, change: &Change, op: &RowOp, id: RowId) -> Result<()> {
        let table = self.schema.registry.table(op.table);
        let mut row = self.load(op.table, id)?.unwrap_or_else(|| Stored {
            scope,
            state: RowState::default(),
            columns: BTreeMap::new(),
        });
        if row.scope != scope {
            return Ok(()); // rows never change scope: a patch out of another one has no say here
        }
        let before = row.state.awaited();
        match &op.patch {
            None => {
                let is_new = row.state.created.is_none();
                row.state.apply_create(change.stamp, &op.fields, |field| {
                    op.fields.get(&field).is_some_and(|value| has_no_column(table, field, value))
                });
                if is_new {
                    row.columns = op.fields.clone();
                }
            }
            Some(patch) => {
                let named = patch_keys(&patch.base, op);
                let mut applied = std::collections::BTreeSet::new();
                for key in named {
                    if self.writers.has(&self.tx, key)? {
                        applied.insert(key);
                    }
                }
                let Stored { state, columns, .. } = &mut row;
                state.apply_patch(
                    PatchOp { key: change.key, stamp: change.stamp, fields: &op.fields, base: &patch.base },
                    |field| columns.get(&field).cloned().unwrap_or(Value::Null),
                    |key| applied.contains(&key),
                );
            }
        }
        self.store(op.table, id, &row, &before)
    }

    /// The change has come: whoever still waits for it waits no more.
    pub(crate) fn drop_awaited(&mut self, key: Key) -> Result<()> {
        if !self.any_awaited {
            return Ok(());
        }
        let mut get = self.tx.prepare_cached("SELECT table_number, row FROM awaited WHERE key = ?1")?;
        let waiting: Vec<(u8, [u8; 12])> = get
            .query_map([key.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<std::result::Result<_, _>>()?;
        drop(get);
        for (table, id) in waiting {
            let Some(mut row) = self.load(table, RowId(id))? else { continue };
            let before = row.state.awaited();
            row.state.drop_name(key);
            self.store(table, RowId(id), &row, &before)?;
        }
        Ok(())
    }

    pub(crate) fn load(&self, table_number: u8, id: RowId) -> Result<Option<Stored>> {
        let Some(table) = self.schema.registry.table(table_number) else {
            let sql = "SELECT scope, v_stamp, v_more FROM unknown_rows WHERE table_number = ?1 AND id = ?2";
            let mut get = self.tx.prepare_cached(sql)?;
            let found = get
                .query_row((table_number, id.0), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
                })
                .optional()?;
            let Some((scope, stamp, more)) = found else { return Ok(None) };
            return Ok(Some(Stored {
                scope,
                state: state_of(id, stamp, more.as_deref())?,
                columns: BTreeMap::new(),
            }));
        };
        let mut get = self.tx.prepare_cached(&self.texts.of(table).select)?;
        let mut rows = get.query([&id.0[..]])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let more: Option<Vec<u8>> = row.get(2)?;
        let state = state_of(id, row.get(1)?, more.as_deref())?;
        let mut columns = BTreeMap::from([(VOID, from_sql(Kind::Bool, row.get_ref(3)?))]);
        for (at, field) in table.fields.iter().enumerate() {
            columns.insert(field.number, from_sql(field.kind, row.get_ref(4 + at)?));
        }
        columns.retain(|_, value| *value != Value::Null);
        Ok(Some(Stored { scope: row.get(0)?, state, columns }))
    }

    fn store(
        &mut self,
        table_number: u8,
        id: RowId,
        row: &Stored,
        before: &std::collections::BTreeSet<Key>,
    ) -> Result<()> {
        let stamp = row.state.created.map_or(0, |stamp| stamp.0 as i64);
        let more = merge::encode(id, &row.state.fields);
        if let Some(table) = self.schema.registry.table(table_number) {
            let shown = row.shown(id);
            let mut put = self.tx.prepare_cached(&self.texts.of(table).replace)?;
            put.raw_bind_parameter(1, &id.0[..])?;
            put.raw_bind_parameter(2, row.scope)?;
            put.raw_bind_parameter(3, stamp)?;
            put.raw_bind_parameter(4, more.as_deref())?;
            bind_columns(&mut put, table, |field| shown.get(&field))?;
            put.raw_execute()?;
            drop(put);
            let is_hidden = row.state.created.is_none() || shown.get(&VOID) == Some(&Value::Bool(true));
            if is_hidden && self.is_indexing(table_number) {
                search::remove(&self.tx, id)?;
            } else {
                self.index(table_number, id, || shown.clone(), true)?;
            }
        } else {
            let sql = "INSERT OR REPLACE INTO unknown_rows (table_number, id, scope, v_stamp, v_more) VALUES (?, ?, ?, ?, ?)";
            self.tx.prepare_cached(sql)?.execute((table_number, id.0, row.scope, stamp, more))?;
        }
        self.note_awaited(table_number, id, before, &row.state.awaited())?;
        self.tx
            .prepare_cached("DELETE FROM shelf WHERE table_number = ?1 AND row = ?2")?
            .execute((table_number, id.0))?;
        if row.state.created.is_some() {
            let mut put = self.tx.prepare_cached(
                "INSERT INTO shelf (table_number, row, field, scope) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for field in row.state.conflicts(id) {
                put.execute((table_number, id.0, field, row.scope))?;
            }
        }
        Ok(())
    }

    fn note_awaited(
        &mut self,
        table: u8,
        id: RowId,
        before: &std::collections::BTreeSet<Key>,
        after: &std::collections::BTreeSet<Key>,
    ) -> Result<()> {
        for key in before.difference(after) {
            self.tx
                .prepare_cached("DELETE FROM awaited WHERE key = ?1 AND table_number = ?2 AND row = ?3")?
                .execute((key.to_bytes(), table, id.0))?;
        }
        for key in after.difference(before) {
            self.any_awaited = true;
            self.tx
                .prepare_cached("INSERT INTO awaited (key, table_number, row) VALUES (?1, ?2, ?3)")?
                .execute((key.to_bytes(), table, id.0))?;
        }
        Ok(())
    }

    fn is_indexing(&self, table: u8) -> bool {
        self.purpose == Purpose::Phone && search::is_indexed(table)
    }

    fn index(
        &self,
        table: u8,
        id: RowId,
        fields: impl Fn() -> BTreeMap<u8, Value>,
        replace: bool,
    ) -> Result<()> {
        if !self.is_indexing(table) {
            return Ok(());
        }
        if replace {
            search::remove(&self.tx, id)?;
        }
        match search::entry(table, id, &fields()) {
            Some(entry) => search::add(&self.tx, id, &entry),
            None => Ok(()),
        }
    }
}

fn state_of(id: RowId, stamp: i64, more: Option<&[u8]>) -> Result<RowState> {
    let fields = more.map(|more| merge::decode(id, more)).transpose()?.unwrap_or_default();
    Ok(RowState { created: (stamp > 0).then_some(Stamp(stamp as u64)), fields })
}

fn patch_keys(base: &langso_sync::change::Base, op: &RowOp) -> impl Iterator<Item = Key> {
    let names = op.fields.keys().flat_map(|field| base.of(*field)).copied().collect::<Vec<_>>();
    names.into_iter().filter_map(|name| match name {
        langso_sync::change::Name::Change(key) => Some(key),
        langso_sync::change::Name::Create => None,
    })
}

fn bind_columns<'v>(
    put: &mut rusqlite::CachedStatement<'_>,
    table: &Table,
    value: impl Fn(u8) -> Option<&'v Value>,
) -> Result<()> {
    let null = || ToSqlOutput::Owned(Sql::Null);
    let column = |kind, field| value(field).and_then(|value| to_sql(kind, value)).unwrap_or_else(null);
    put.raw_bind_parameter(5, column(Kind::Bool, VOID))?;
    for (at, field) in table.fields.iter().enumerate() {
        put.raw_bind_parameter(6 + at, column(field.kind, field.number))?;
    }
    Ok(())
}
