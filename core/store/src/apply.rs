//! A change meets its rows: creates go straight into their columns, everything else through the merge.
//!
//! Nine of ten rows are creates that nothing is known of: one INSERT each. A row that is there already, a patch, or
//! a create that a patch came before takes the slow way: read, merge, write back, and note shelf and awaited names.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{Key, RowId};
use langso_domain::registry::{Kind, Registry, Table, VOID};
use langso_sync::change::{Base, Change, Name, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::digest::RowHash;
use langso_sync::merge::{self, PatchOp, RowState};
use langso_sync::value::Value;
use rusqlite::types::{Null, ToSqlOutput, Value as Sql};
use rusqlite::{Connection, OptionalExtension};

use crate::batch::Batch;
use crate::columns::{Texts, from_sql, to_sql};
use crate::{Purpose, Result, search};

/// A row as it lies in the file.
pub(crate) struct Stored {
    pub scope: i64,
    pub state: RowState,
    /// The columns: what shows, and for an unpatched field the create's value.
    pub columns: BTreeMap<u8, Value>,
}

/// What a row was before it is written over.
#[derive(Default)]
pub(crate) struct Before {
    awaited: BTreeSet<Key>,
    /// What it added to the digest of its scope.
    hash: Option<(i64, RowHash)>,
}

impl Stored {
    pub fn empty(scope: i64) -> Self {
        Self { scope, state: RowState::default(), columns: BTreeMap::new() }
    }

    /// A field whose only version is the create needs no list of versions once it has a column.
    fn settle_into_columns(&mut self, table: Option<&Table>) {
        let columns = &mut self.columns;
        self.state.fields.retain(|number, field| {
            let [head] = field.heads.as_slice() else { return true };
            let is_listed = head.name != Name::Create
                || !field.awaited.is_empty()
                || has_no_column(table, *number, &head.value);
            if !is_listed {
                columns.insert(*number, head.value.clone());
            }
            is_listed
        });
    }

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
pub(crate) fn has_no_column(table: Option<&Table>, field: u8, value: &Value) -> bool {
    kind_of(table, field).is_none_or(|kind| to_sql(kind, value).is_none())
}

impl Batch<'_> {
    pub(crate) fn apply_rows(&mut self, scope: i64, change: &Change) -> Result<()> {
        // Stamp 0 in the file means that the create has not come; no clock gives it, a forger might.
        let stamp = change.stamp.max(Stamp(1));
        for (place, op) in change.rows.iter().enumerate() {
            if let Some(patch) = &op.patch {
                self.patch_row(scope, change, op, patch.target, &patch.base)?;
                continue;
            }
            let table = self.schema.registry.table(op.table);
            let id = change.key.row(place as u8);
            let has_columns = !op.fields.iter().any(|(field, value)| has_no_column(table, *field, value));
            match table.filter(|_| has_columns) {
                Some(table) if self.insert(table, id, scope, stamp, |field| op.fields.get(&field))? => {
                    let fields = op.fields.iter().map(|(field, value)| (*field, value));
                    self.tally.made(&self.tx, scope, (op.table, id, stamp), fields)?;
                    self.index(op.table, id, &op.fields, false)?;
                }
                _ => self.create_row(scope, stamp, op, id)?,
            }
        }
        Ok(())
    }

    /// The fast way; false when a row of that id is there.
    pub(crate) fn insert<'v>(
        &self,
        table: &'static Table,
        id: RowId,
        scope: i64,
        stamp: Stamp,
        value: impl Fn(u8) -> Option<&'v Value>,
    ) -> Result<bool> {
        let mut put = self.tx.prepare_cached(&self.texts.of(table).insert)?;
        put.raw_bind_parameter(1, &id.0[..])?;
        put.raw_bind_parameter(2, scope)?;
        put.raw_bind_parameter(3, stamp.0 as i64)?;
        put.raw_bind_parameter(4, Null)?;
        bind_columns(&mut put, table, value)?;
        Ok(put.raw_execute()? == 1)
    }

    /// A create with a value that has no column, or of a row that patches came before.
    fn create_row(&mut self, scope: i64, stamp: Stamp, op: &RowOp, id: RowId) -> Result<()> {
        let table = self.schema.registry.table(op.table);
        let (mut row, before) = self.load_for_writing(op.table, id, scope)?;
        if row.state.created.is_some() {
            return Ok(());
        }
        if row.scope != scope {
            row = Stored::empty(scope); // what came before it came out of another scope and has no say
        }
        row.state.apply_create(stamp, &op.fields, |field| {
            op.fields.get(&field).is_some_and(|value| has_no_column(table, field, value))
        });
        row.columns = op.fields.clone();
        self.hear_strays(op.table, id, &mut row)?;
        self.store(op.table, id, &mut row, before)
    }

    fn patch_row(&mut self, scope: i64, change: &Change, op: &RowOp, id: RowId, base: &Base) -> Result<()> {
        let (mut row, before) = self.load_for_writing(op.table, id, scope)?;
        if row.scope != scope {
            // Rows never change scope, so a patch out of another one has no say; but whose scope the row has is
            // not known before its create.
            return if row.state.created.is_none() { self.keep_stray(scope, change, op, id) } else { Ok(()) };
        }
        let patch = PatchOp { key: change.key, stamp: change.stamp, fields: &op.fields, base };
        self.merge_patch(&mut row, patch, &BTreeSet::new())?;
        self.store(op.table, id, &mut row, before)
    }

    /// Merges a patch; the changes `yet_to_come` count as not applied.
    fn merge_patch(
        &mut self,
        row: &mut Stored,
        patch: PatchOp<'_>,
        yet_to_come: &BTreeSet<Key>,
    ) -> Result<()> {
        let mut applied = BTreeSet::new();
        for name in patch.fields.keys().flat_map(|field| patch.base.of(*field)) {
            if let Name::Change(key) = name
                && !yet_to_come.contains(key)
                && self.writers.has(&self.tx, *key)?
            {
                applied.insert(*key);
            }
        }
        let Stored { state, columns, .. } = row;
        state.apply_patch(
            patch,
            |field| columns.get(&field).cloned().unwrap_or(Value::Null),
            |key| applied.contains(&key),
        );
        Ok(())
    }

    /// Keeps a patch of a hidden row out of another scope than the first one heard of it, as a change of one row.
    fn keep_stray(&mut self, scope: i64, change: &Change, op: &RowOp, id: RowId) -> Result<()> {
        let alone = Change { rows: vec![op.clone()], extras: BTreeMap::new(), ..*change };
        let sql =
            "INSERT OR REPLACE INTO strays (table_number, row, key, scope, change) VALUES (?, ?, ?, ?, ?)";
        let mut put = self.tx.prepare_cached(sql)?;
        put.execute((op.table, id.0, change.key.to_bytes(), scope, alone.encode()))?;
        Ok(())
    }

    /// The create has come: the patches kept out of its scope are merged, all others of the row are forgotten.
    pub(crate) fn hear_strays(&mut self, table: u8, id: RowId, row: &mut Stored) -> Result<()> {
        let sql = "DELETE FROM strays WHERE table_number = ?1 AND row = ?2 RETURNING scope, change";
        let mut take = self.tx.prepare_cached(sql)?;
        let kept: Vec<(i64, Vec<u8>)> = take
            .query_map((table, id.0), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<std::result::Result<_, _>>()?;
        drop(take);
        let kept = kept.iter().filter(|(scope, _)| *scope == row.scope);
        let kept: Vec<Change> =
            kept.map(|(_, bytes)| Change::decode(bytes)).collect::<std::result::Result<_, _>>()?;
        let mut yet_to_come: BTreeSet<Key> = kept.iter().map(|change| change.key).collect();
        for change in &kept {
            for op in &change.rows {
                let Some(patch) = &op.patch else { continue };
                let (fields, base) = (&op.fields, &patch.base);
                let patch = PatchOp { key: change.key, stamp: change.stamp, fields, base };
                self.merge_patch(row, patch, &yet_to_come)?;
            }
            yet_to_come.remove(&change.key);
        }
        Ok(())
    }

    /// Moves what an older program kept without knowing it into the columns that its tables have since then.
    pub(crate) fn adopt_unknown(&mut self) -> Result<()> {
        for table in self.schema.registry.tables {
            let plural = table.plural;
            self.tx.execute(
                &format!(
                    "INSERT INTO {plural} (id, scope, v_stamp, v_more) SELECT id, scope, v_stamp, v_more
                     FROM unknown_rows WHERE table_number = ?1"
                ),
                [table.number],
            )?;
            self.tx.execute("DELETE FROM unknown_rows WHERE table_number = ?1", [table.number])?;
            let sql = format!("SELECT id FROM {plural} WHERE v_more IS NOT NULL");
            let ids: Vec<[u8; 12]> = self
                .tx
                .prepare(&sql)?
                .query_map([], |row| row.get(0))?
                .collect::<std::result::Result<_, _>>()?;
            for id in ids.into_iter().map(RowId) {
                let (mut row, before) = self.load_for_writing(table.number, id, 0)?;
                self.store(table.number, id, &mut row, before)?;
            }
        }
        Ok(())
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
            let before = self.before(table, RowId(id), &row)?;
            row.state.drop_name(key);
            self.store(table, RowId(id), &mut row, before)?;
        }
        Ok(())
    }

    pub(crate) fn load(&self, table_number: u8, id: RowId) -> Result<Option<Stored>> {
        load(&self.tx, self.schema.registry, self.texts, table_number, id)
    }

    /// A row that is about to be written over, or a new one of that scope, with what it was.
    pub(crate) fn load_for_writing(&mut self, table: u8, id: RowId, scope: i64) -> Result<(Stored, Before)> {
        match self.load(table, id)? {
            Some(row) => {
                let before = self.before(table, id, &row)?;
                Ok((row, before))
            }
            None => Ok((Stored::empty(scope), Before::default())),
        }
    }

    fn before(&mut self, table: u8, id: RowId, row: &Stored) -> Result<Before> {
        let hash = self.tally.before(&self.tx, table, id, row)?;
        Ok(Before { awaited: row.state.awaited(), hash })
    }

    /// Writes a row and all that hangs on it: digest, shelf, awaited names, search.
    pub(crate) fn store(
        &mut self,
        table_number: u8,
        id: RowId,
        row: &mut Stored,
        before: Before,
    ) -> Result<()> {
        row.settle_into_columns(self.schema.registry.table(table_number));
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
            if row.state.created.is_some() {
                self.index(table_number, id, &shown, true)?;
            }
        } else {
            let sql = "INSERT OR REPLACE INTO unknown_rows (table_number, id, scope, v_stamp, v_more) VALUES (?, ?, ?, ?, ?)";
            self.tx.prepare_cached(sql)?.execute((table_number, id.0, row.scope, stamp, more))?;
        }
        self.tally.changed(&self.tx, table_number, id, before.hash, row)?;
        self.note_awaited(table_number, id, &before.awaited, &row.state.awaited())?;
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
        before: &BTreeSet<Key>,
        after: &BTreeSet<Key>,
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

    /// Notes a new row in the search; its fields are asked for when they are searched.
    pub(crate) fn index_new(
        &self,
        table: u8,
        id: RowId,
        fields: impl FnOnce() -> BTreeMap<u8, Value>,
    ) -> Result<()> {
        if self.purpose != Purpose::Phone || !search::is_indexed(table) {
            return Ok(());
        }
        self.index(table, id, &fields(), false)
    }

    /// Notes a row that has been made, or has been struck out, in the search.
    pub(crate) fn index(
        &self,
        table: u8,
        id: RowId,
        fields: &BTreeMap<u8, Value>,
        is_known: bool,
    ) -> Result<()> {
        if self.purpose != Purpose::Phone || !search::is_indexed(table) {
            return Ok(());
        }
        if is_known {
            search::remove(&self.tx, id)?;
        }
        match search::entry(table, id, fields) {
            Some(entry) => search::add(&self.tx, id, &entry),
            None => Ok(()),
        }
    }
}

/// A row as it lies in the file, read by whoever holds a connection to it.
pub(crate) fn load(
    connection: &Connection,
    registry: Registry,
    texts: &Texts,
    table_number: u8,
    id: RowId,
) -> Result<Option<Stored>> {
    let Some(table) = registry.table(table_number) else {
        let sql = "SELECT scope, v_stamp, v_more FROM unknown_rows WHERE table_number = ?1 AND id = ?2";
        let mut get = connection.prepare_cached(sql)?;
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
    let mut get = connection.prepare_cached(&texts.of(table).select)?;
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

fn state_of(id: RowId, stamp: i64, more: Option<&[u8]>) -> Result<RowState> {
    let fields = more.map(|more| merge::decode(id, more)).transpose()?.unwrap_or_default();
    Ok(RowState { created: (stamp > 0).then_some(Stamp(stamp as u64)), fields })
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
