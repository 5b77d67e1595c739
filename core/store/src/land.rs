//! A snapshot lands: frame by frame, each in the caller's transaction. Its rows are joined with what is there and show
//! at once; what its maker had applied waits apart until the last frame, because only then it is true here.
//!
//! While it lands, a change that the snapshot holds is not applied from elsewhere: its rows come with the snapshot.
//! Given up, a landing leaves rows that every change may safely be applied to again.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_domain::registry::Table;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Name;
use langso_sync::clock::Stamp;
use langso_sync::merge::{FieldState, Head, RowState, Side, join};
use langso_sync::state::{StateFrame, StateRow, WriterMemory};
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};

use crate::apply::{Stored, has_no_column};
use crate::batch::Batch;
use crate::export::place;
use crate::schema::Replica;
use crate::writers::{range_bytes, ranges};
use crate::{Error, Result};

/// How far a snapshot has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landing {
    /// What the snapshot is of.
    pub of: Cursor,
    /// The frames below are in.
    pub next: u32,
    /// How many there are.
    pub frames: u32,
}

/// The writers of a snapshot under way in the order of their numbers, so that not every frame reads them anew.
#[derive(Debug)]
pub(crate) struct Listed {
    scope: i64,
    of: Cursor,
    writers: Vec<Writer>,
}

impl Replica {
    /// Every snapshot that is landing.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn landings(&self) -> Result<Vec<(ScopeId, Landing)>> {
        landings(&self.connection)
    }
}

impl Batch<'_> {
    /// How far a snapshot of a scope has landed; none when none is under way.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn landing(&self, scope: ScopeId) -> Result<Option<Landing>> {
        Ok(landings(&self.tx)?.into_iter().find(|(of, _)| *of == scope).map(|(_, landing)| landing))
    }

    /// Those of the changes that a snapshot holds, by a frame of it that is about to land.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::UnknownScope`].
    pub fn list_covered(&self, frame: &StateFrame, keys: &[Key]) -> Result<Vec<Key>> {
        let number = self.find_scope(frame.header.scope)?.ok_or(Error::UnknownScope)?;
        let mut held = Vec::new();
        for key in keys {
            let told = frame.writers.iter().find(|memory| memory.writer == key.writer);
            let is_held = match told {
                Some(memory) => memory.has(key.seq),
                None => frame.header.index > 0 && covers(&self.tx, number, *key)?,
            };
            if is_held {
                held.push(*key);
            }
        }
        Ok(held)
    }

    /// What a snapshot holds of a device's changes, by its last frame, which is about to land: writer, first and last
    /// number of each run.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::UnknownScope`].
    pub fn list_held_of(&self, frame: &StateFrame, device: DeviceId) -> Result<Vec<(Writer, u32, u32)>> {
        let number = self.find_scope(frame.header.scope)?.ok_or(Error::UnknownScope)?;
        let told = frame.writers.iter().filter(|memory| memory.device == Some(device));
        let mut held: Vec<_> =
            told.map(|memory| (memory.writer, memory.upto, memory.beyond.clone())).collect();
        if frame.header.index > 0 {
            let sql = "SELECT writer, upto, beyond FROM landing_writers WHERE scope = ?1 AND device = ?2";
            let mut get = self.tx.prepare_cached(sql)?;
            let mut rows = get.query((number, device.0))?;
            while let Some(row) = rows.next()? {
                let beyond: Option<Vec<u8>> = row.get(2)?;
                let writer = Writer(row.get::<_, i64>(0)? as u64);
                held.push((writer, row.get(1)?, ranges(beyond.as_deref())));
            }
        }
        let runs = held.into_iter().flat_map(|(writer, upto, beyond)| {
            let whole = (upto > 0).then_some((1, upto));
            whole.into_iter().chain(beyond).map(move |(first, last)| (writer, first, last))
        });
        Ok(runs.collect())
    }

    /// Takes in the next frame of a snapshot, or the first one of another, which takes its place. With the last frame
    /// the scope's cursor moves to what the snapshot is of, unless it is further. `heard` is told every stamp.
    /// Gives how far it has landed then; none when it is whole.
    ///
    /// # Errors
    /// [`Error::FrameOrder`] for any other frame; [`Error::UnknownScope`]; [`Error::Malformed`]; [`Error::Sqlite`].
    /// The batch must then be dropped.
    pub fn land(&mut self, frame: &StateFrame, mut heard: impl FnMut(Stamp)) -> Result<Option<Landing>> {
        let header = &frame.header;
        let number = self.find_scope(header.scope)?.ok_or(Error::UnknownScope)?;
        if header.index == 0 {
            self.abandon_landing(header.scope)?;
            let sql =
                "INSERT INTO landings (scope, position, chain, next, frames) VALUES (?1, ?2, ?3, 0, ?4)";
            let of = (number, header.of.position as i64, header.of.chain.0, header.frames);
            self.tx.prepare_cached(sql)?.execute(of)?;
            self.any_landing = true;
        }
        let landing = self.landing(header.scope)?.ok_or(Error::FrameOrder)?;
        if landing.of != header.of || landing.next != header.index || landing.frames != header.frames {
            return Err(Error::FrameOrder);
        }
        let mut listed = self.listed(number, header.of)?;
        let first = listed.writers.len();
        put_writers(&self.tx, number, first, &frame.writers)?;
        listed.writers.extend(frame.writers.iter().map(|memory| memory.writer));
        let mut rows = frame.rows(&listed.writers)?;
        let mut row = StateRow::default();
        while rows.next_into(&mut row)? {
            row.created.into_iter().for_each(&mut heard);
            let heads = row.versions.values().flat_map(|field| &field.heads);
            heads.for_each(|head| heard(head.stamp));
            self.land_row(number, &mut row)?;
        }
        if header.is_last() {
            self.end_landing(header.scope, number, header.of)?;
            return Ok(None);
        }
        self.listed = Some(listed);
        let next = header.index + 1;
        self.tx.prepare_cached("UPDATE landings SET next = ?2 WHERE scope = ?1")?.execute((number, next))?;
        Ok(Some(Landing { next, ..landing }))
    }

    /// Forgets a snapshot under way. Its rows stay and lose nothing: each change of the scope may be applied again.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn abandon_landing(&mut self, scope: ScopeId) -> Result<()> {
        let Some(number) = self.find_scope(scope)?.filter(|_| self.any_landing) else { return Ok(()) };
        (self.listed, *self.kept) = (None, None);
        self.tx.prepare_cached("DELETE FROM landings WHERE scope = ?1")?.execute([number])?;
        self.tx.prepare_cached("DELETE FROM landing_writers WHERE scope = ?1")?.execute([number])?;
        Ok(())
    }

    /// Whether a snapshot under way in that scope holds the change.
    pub(crate) fn is_landing(&self, scope: i64, key: Key) -> Result<bool> {
        Ok(self.any_landing && covers(&self.tx, scope, key)?)
    }

    fn listed(&mut self, scope: i64, of: Cursor) -> Result<Listed> {
        let kept = self.listed.take().or_else(|| self.kept.take());
        if let Some(kept) = kept.filter(|kept| (kept.scope, kept.of) == (scope, of)) {
            return Ok(kept);
        }
        let sql = "SELECT writer FROM landing_writers WHERE scope = ?1 ORDER BY number";
        let mut get = self.tx.prepare_cached(sql)?;
        let writers = get.query_map([scope], |row| Ok(Writer(row.get::<_, i64>(0)? as u64)))?;
        Ok(Listed { scope, of, writers: writers.collect::<std::result::Result<_, _>>()? })
    }

    fn land_row(&mut self, scope: i64, row: &mut StateRow) -> Result<()> {
        let table = self.schema.registry.table(row.table);
        let has_columns =
            |row: &StateRow| !row.values.iter().any(|(field, value)| has_no_column(table, *field, value));
        if let (Some(table), Some(stamp)) = (table, row.created)
            && row.versions.is_empty()
            && has_columns(row)
            && self.insert(table, row.id, scope, stamp, |field| value_of(&row.values, field))?
        {
            let values = &row.values;
            let fields = values.iter().map(|(field, value)| (*field, value));
            self.tally.made(&self.tx, scope, (row.table, row.id, stamp), fields)?;
            return self.index_new(table.number, row.id, || values.iter().cloned().collect());
        }
        let (mut own, before) = self.load_for_writing(row.table, row.id, scope)?;
        if own.scope != scope {
            // Rows never change scope. Whose scope a row has is told by its create, and until that has come by the
            // first that is heard of it.
            if own.state.created.is_some() || row.created.is_none() {
                return Ok(());
            }
            own = Stored::empty(scope);
        }
        let is_new = own.state.created.is_none() && row.created.is_some();
        self.join_row(&mut own, row, table)?;
        if is_new {
            self.hear_strays(row.table, row.id, &mut own)?;
        }
        self.store(row.table, row.id, &mut own, before)
    }

    fn join_row(&mut self, own: &mut Stored, row: &mut StateRow, table: Option<&Table>) -> Result<()> {
        let theirs = RowState { created: row.created, fields: std::mem::take(&mut row.versions) };
        let (mut applied, mut landing) = (BTreeSet::new(), BTreeSet::new());
        for key in names(&own.state).chain(names(&theirs)) {
            if self.writers.has(&self.tx, key)? {
                applied.insert(key);
            }
            if covers(&self.tx, own.scope, key)? {
                landing.insert(key);
            }
        }
        let columns = &own.columns;
        let mut state = join(
            &Side {
                state: &own.state,
                created_value: &|field| columns.get(&field).cloned().unwrap_or(Value::Null),
                is_applied: &|key| applied.contains(&key),
            },
            &Side {
                state: &theirs,
                created_value: &|field| value_of(&row.values, field).cloned().unwrap_or(Value::Null),
                is_applied: &|key| landing.contains(&key),
            },
        );
        if let (None, Some(stamp)) = (own.state.created, row.created) {
            for (field, value) in &row.values {
                if has_no_column(table, *field, value) {
                    let head = Head { name: Name::Create, stamp, value: value.clone(), saw: BTreeSet::new() };
                    let alone = || FieldState { heads: vec![head], awaited: BTreeSet::new() };
                    state.fields.entry(*field).or_insert_with(alone);
                }
            }
            own.columns = row.values.iter().cloned().collect::<BTreeMap<_, _>>();
        }
        // What the maker had applied is not applied here before the last frame, and may never be: until then what
        // was waited for is.
        for (number, field) in &own.state.fields {
            let waits = field.awaited.iter().filter(|name| matches!(name, Name::Change(_)));
            state.fields.entry(*number).or_default().awaited.extend(waits);
        }
        own.state = state;
        Ok(())
    }

    /// The snapshot is whole: what its maker had applied has been applied here.
    fn end_landing(&mut self, scope: ScopeId, number: i64, of: Cursor) -> Result<()> {
        self.writers.forget(&self.tx)?;
        let sql = "SELECT writer, upto, beyond FROM landing_writers AS l WHERE scope = ?1
                   AND EXISTS (SELECT 1 FROM writers AS w WHERE w.writer = l.writer)";
        let mut get = self.tx.prepare_cached(sql)?;
        let mut rows = get.query([number])?;
        while let Some(row) = rows.next()? {
            let beyond: Option<Vec<u8>> = row.get(2)?;
            let writer = Writer(row.get::<_, i64>(0)? as u64);
            self.writers.add_all(&self.tx, writer, row.get(1)?, &ranges(beyond.as_deref()))?;
        }
        drop(rows);
        drop(get);
        self.writers.forget(&self.tx)?;
        let sql = "INSERT INTO writers (writer, scope, device, upto, beyond)
                   SELECT writer, scope, device, upto, beyond FROM landing_writers
                   WHERE scope = ?1 AND device IS NOT NULL ON CONFLICT DO NOTHING";
        self.tx.prepare_cached(sql)?.execute([number])?;
        self.abandon_landing(scope)?;
        let (_, cursor) = place(&self.tx, scope)?.ok_or(Error::UnknownScope)?;
        if cursor.position < of.position {
            self.set_cursor(scope, of.position, of.chain.0)?;
        }
        let sql = "SELECT DISTINCT key FROM awaited";
        let awaited: Vec<[u8; 11]> = self
            .tx
            .prepare_cached(sql)?
            .query_map([], |row| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        for key in awaited.iter().filter_map(|key| Key::from_bytes(key)) {
            if self.writers.has(&self.tx, key)? {
                self.drop_awaited(key)?;
            }
        }
        Ok(())
    }
}

fn landings(connection: &Connection) -> Result<Vec<(ScopeId, Landing)>> {
    let mut get = connection.prepare_cached(
        "SELECT s.scope, l.position, l.chain, l.next, l.frames FROM landings AS l
         JOIN scopes AS s ON s.number = l.scope ORDER BY l.scope",
    )?;
    let rows = get.query_map([], |row| {
        let of = Cursor { position: row.get::<_, i64>(1)? as u64, chain: Chain(row.get(2)?) };
        Ok((ScopeId(row.get(0)?), Landing { of, next: row.get(3)?, frames: row.get(4)? }))
    })?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

fn value_of(values: &[(u8, Value)], field: u8) -> Option<&Value> {
    values.iter().find(|(number, _)| *number == field).map(|(_, value)| value)
}

/// Every change that a state names.
fn names(state: &RowState) -> impl Iterator<Item = Key> + '_ {
    let names = state
        .fields
        .values()
        .flat_map(|field| field.heads.iter().map(|head| head.name).chain(field.awaited.iter().copied()));
    names.filter_map(|name| if let Name::Change(key) = name { Some(key) } else { None })
}

fn covers(connection: &Connection, scope: i64, key: Key) -> Result<bool> {
    let sql = "SELECT upto, beyond FROM landing_writers WHERE scope = ?1 AND writer = ?2";
    let mut get = connection.prepare_cached(sql)?;
    let found = get.query_row((scope, key.writer.0 as i64), |row| {
        let (upto, beyond): (u32, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
        let beyond = ranges(beyond.as_deref());
        Ok(WriterMemory { writer: key.writer, device: None, upto, beyond }.has(key.seq))
    });
    Ok(found.optional()?.unwrap_or(false))
}

fn put_writers(connection: &Connection, scope: i64, first: usize, writers: &[WriterMemory]) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO landing_writers (scope, number, writer, device, upto, beyond) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for (memory, at) in writers.iter().zip(first..) {
        let device = memory.device.map(|device| device.0);
        let beyond = range_bytes(&memory.beyond);
        put.execute((scope, at as i64, memory.writer.0 as i64, device, memory.upto, beyond))?;
    }
    Ok(())
}
