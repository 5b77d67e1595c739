//! The digest of each scope, kept in step with the rows by every write, and counted anew out of the rows.
//!
//! The file holds a scope's digest, or nothing while it lags: a phone's save takes it out once and goes on in memory,
//! so that it touches no page more than its rows do; what moves a cursor, and closing the file, writes it back. A
//! digest that is not there (the process was killed, or never counted) is counted out of the rows by whoever needs it.
//! Rows are written by [`Batch`](crate::Batch) alone; whoever goes around it calls [`Replica::forget_digests`].

use std::collections::{BTreeMap, HashMap};

use langso_domain::id::{RowId, ScopeId};
use langso_domain::registry::{Kind, Table, VOID};
use langso_sync::clock::Stamp;
use langso_sync::digest::{Digest, RowHash, RowHasher};
use langso_sync::merge::{self, FieldState};
use langso_sync::value::Value;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::Result;
use crate::apply::Stored;
use crate::columns::{Texts, to_sql};
use crate::schema::Replica;
use crate::tx::Tx;

/// Digests that the file lacks, by the scope's number.
pub(crate) type Running = HashMap<i64, Digest>;

/// What a transaction does to the digests.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    running: &'a mut Running,
    /// Every commit writes what it changed; else only those that move a cursor do.
    writes_back: bool,
    touched: BTreeMap<i64, Touched>,
    hasher: RowHasher,
}

#[derive(Debug, Clone, Copy)]
struct Touched {
    /// None when it is not known, and so not kept in step.
    digest: Option<Digest>,
    is_in_file: bool,
    cursor_moved: bool,
}

impl<'a> Tally<'a> {
    pub fn new(running: &'a mut Running, writes_back: bool) -> Self {
        Self { running, writes_back, touched: BTreeMap::new(), hasher: RowHasher::default() }
    }

    fn touch(&mut self, connection: &Connection, scope: i64) -> Result<&mut Touched> {
        let slot = match self.touched.entry(scope) {
            std::collections::btree_map::Entry::Occupied(slot) => return Ok(slot.into_mut()),
            std::collections::btree_map::Entry::Vacant(slot) => slot,
        };
        let running = self.running.get(&scope).copied();
        let in_file = if running.is_some() { None } else { in_file(connection, scope)? };
        let digest = running.or(in_file);
        Ok(slot.insert(Touched { digest, is_in_file: in_file.is_some(), cursor_moved: false }))
    }

    /// A row of creates alone was made.
    pub fn made<'v>(
        &mut self,
        connection: &Connection,
        scope: i64,
        (table, id, stamp): (u8, RowId, Stamp),
        fields: impl Iterator<Item = (u8, &'v Value)>,
    ) -> Result<()> {
        if self.touch(connection, scope)?.digest.is_some() {
            self.hasher.begin(table, id, Some(stamp));
            fields.for_each(|(field, value)| self.hasher.created(field, value));
            let row = self.hasher.finish();
            self.touched.entry(scope).and_modify(|of| of.add(row));
        }
        Ok(())
    }

    /// What a row that lies in the file adds to its scope.
    pub fn before(
        &mut self,
        connection: &Connection,
        table: u8,
        id: RowId,
        row: &Stored,
    ) -> Result<Option<(i64, RowHash)>> {
        let is_kept = self.touch(connection, row.scope)?.digest.is_some();
        Ok(is_kept.then(|| (row.scope, self.hash(table, id, row))))
    }

    /// A row was written over.
    pub fn changed(
        &mut self,
        connection: &Connection,
        table: u8,
        id: RowId,
        before: Option<(i64, RowHash)>,
        row: &Stored,
    ) -> Result<()> {
        if let Some((scope, hash)) = before {
            self.touched.entry(scope).and_modify(|of| of.take(hash));
        }
        if self.touch(connection, row.scope)?.digest.is_some() {
            let hash = self.hash(table, id, row);
            self.touched.entry(row.scope).and_modify(|of| of.add(hash));
        }
        Ok(())
    }

    fn hash(&mut self, table: u8, id: RowId, row: &Stored) -> RowHash {
        self.hasher.begin(table, id, row.state.created);
        self.hasher.fields(row.columns.iter().map(|(field, value)| (*field, value)), &row.state);
        self.hasher.finish()
    }

    /// All rows of a scope were replaced, and the file holds their digest now, if it is known.
    pub fn replaced(&mut self, connection: &Connection, scope: i64) -> Result<()> {
        self.running.remove(&scope);
        self.touched.remove(&scope);
        self.touch(connection, scope).map(drop)
    }

    /// The scope is no longer in the file.
    pub fn dropped(&mut self, scope: i64) {
        self.running.remove(&scope);
        self.touched.remove(&scope);
    }

    /// The scope's row in the file is written anyway.
    pub fn cursor_moved(&mut self, connection: &Connection, scope: i64) -> Result<()> {
        self.touch(connection, scope)?.cursor_moved = true;
        Ok(())
    }

    /// Brings the file in step, as the last of a transaction; `commit` ends it.
    pub fn commit(mut self, connection: &Connection, commit: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut put = connection.prepare_cached("UPDATE scopes SET digest = ?2 WHERE number = ?1")?;
        for (scope, of) in &mut self.touched {
            let Some(digest) = of.digest else { continue };
            if of.cursor_moved || self.writes_back {
                put.execute((scope, digest.to_bytes()))?;
                of.is_in_file = true;
            } else if of.is_in_file {
                put.execute((scope, rusqlite::types::Null))?;
                of.is_in_file = false;
            }
        }
        drop(put);
        let done = commit();
        for (scope, of) in self.touched {
            match of.digest.filter(|_| done.is_ok() && !of.is_in_file) {
                Some(digest) => self.running.insert(scope, digest),
                // In the file; or nobody knows what is there.
                None => self.running.remove(&scope),
            };
        }
        done
    }
}

impl Touched {
    fn add(&mut self, row: RowHash) {
        self.digest.iter_mut().for_each(|digest| digest.add(row));
    }

    fn take(&mut self, row: RowHash) {
        self.digest.iter_mut().for_each(|digest| digest.take(row));
    }
}

fn in_file(connection: &Connection, scope: i64) -> Result<Option<Digest>> {
    let mut get = connection.prepare_cached("SELECT digest FROM scopes WHERE number = ?1")?;
    let found: Option<Option<Vec<u8>>> = get.query_row([scope], |row| row.get(0)).optional()?;
    Ok(found.flatten().and_then(|bytes| bytes.try_into().ok()).map(Digest::from_bytes))
}

/// What counting the rows of a scope found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The scope.
    pub scope: ScopeId,
    /// What the rows come to.
    pub digest: Digest,
    /// What was kept by the writes; none when it was not known.
    pub kept: Option<Digest>,
}

impl Counted {
    /// Whether rows are not what was written.
    pub fn is_damaged(&self) -> bool {
        self.kept.is_some_and(|kept| kept != self.digest)
    }
}

impl Replica {
    /// The digest of a scope as the writes kept it; none when it must be counted first.
    ///
    /// # Errors
    /// [`crate::Error::Sqlite`].
    pub fn digest(&self, scope: ScopeId) -> Result<Option<Digest>> {
        let mut get = self.connection.prepare_cached("SELECT number FROM scopes WHERE scope = ?1")?;
        let number: Option<i64> = get.query_row([scope.0], |row| row.get(0)).optional()?;
        let Some(number) = number else { return Ok(None) };
        match self.running.get(&number) {
            Some(digest) => Ok(Some(*digest)),
            None => in_file(&self.connection, number),
        }
    }

    /// The digests of all scopes, by their numbers; see [`Replica::digest`].
    ///
    /// # Errors
    /// [`crate::Error::Sqlite`].
    pub fn digests(&self) -> Result<BTreeMap<i64, Option<Digest>>> {
        let mut get = self.connection.prepare_cached("SELECT number, digest FROM scopes")?;
        let known = get.query_map([], |row| {
            let number = row.get(0)?;
            let in_file = row.get_ref(1)?.as_blob_or_null().ok().flatten();
            let in_file = in_file.and_then(|bytes| bytes.try_into().ok()).map(Digest::from_bytes);
            Ok((number, self.running.get(&number).copied().or(in_file)))
        })?;
        Ok(known.collect::<std::result::Result<_, _>>()?)
    }

    /// Counts the digest of every scope out of the rows, which are read one after another, and keeps what it comes to.
    /// A row that no program can have written counts as missing.
    ///
    /// # Errors
    /// [`crate::Error::Sqlite`], also for a file in which SQLite finds no way; then nothing is changed.
    pub fn recount(&mut self) -> Result<Vec<Counted>> {
        let mut found = Vec::new();
        let tx = Tx::begin(&mut self.connection)?;
        let mut sums = sums(&tx, self.schema.registry.tables, &self.texts)?;
        let mut get = tx.prepare_cached("SELECT number, scope FROM scopes ORDER BY number")?;
        let mut put = tx.prepare_cached("UPDATE scopes SET digest = ?2 WHERE number = ?1")?;
        let mut rows = get.query([])?;
        while let Some(row) = rows.next()? {
            let (number, scope) = (row.get(0)?, ScopeId(row.get(1)?));
            let digest = sums.remove(&number).unwrap_or_default();
            let in_file = in_file(&tx, number)?;
            found.push(Counted { scope, digest, kept: self.running.get(&number).copied().or(in_file) });
            if in_file != Some(digest) {
                put.execute((number, digest.to_bytes()))?;
            }
        }
        drop(rows);
        drop((get, put));
        tx.commit()?;
        self.running.clear();
        Ok(found)
    }

    /// Forgets what the writes of this process kept: for whoever writes rows around [`Batch`](crate::Batch).
    pub fn forget_digests(&mut self) {
        self.running.clear();
    }

    /// Writes the digests back that the file lacks. Closing the file does it too.
    ///
    /// # Errors
    /// [`crate::Error::Sqlite`]; they are then counted when needed.
    pub fn keep_digests(&mut self) -> Result<()> {
        if self.running.is_empty() {
            return Ok(());
        }
        let tx = Tx::begin(&mut self.connection)?;
        let mut put = tx.prepare_cached("UPDATE scopes SET digest = ?2 WHERE number = ?1")?;
        for (scope, digest) in &self.running {
            put.execute((scope, digest.to_bytes()))?;
        }
        drop(put);
        tx.commit()?;
        self.running.clear();
        Ok(())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // A file that cannot be written is counted at its next use. Nothing else hangs on this commit, so that it need
        // not wait for the disk.
        if !self.running.is_empty() && self.connection.pragma_update(None, "synchronous", "NORMAL").is_ok() {
            let _ = self.keep_digests();
        }
    }
}

/// The sum of each scope's number.
fn sums(connection: &Connection, tables: &[Table], texts: &Texts) -> Result<BTreeMap<i64, Digest>> {
    let mut sums: BTreeMap<i64, Digest> = BTreeMap::new();
    let mut hasher = RowHasher::default();
    for table in tables {
        let mut get = connection.prepare_cached(&texts.of(table).all)?;
        let mut rows = get.query([])?;
        while let Some(row) = rows.next()? {
            if let Some((scope, hash)) = hash_row(&mut hasher, table.number, Some(table), 0, row)? {
                sums.entry(scope).or_default().add(hash);
            }
        }
    }
    let mut get =
        connection.prepare_cached("SELECT table_number, id, scope, v_stamp, v_more FROM unknown_rows")?;
    let mut rows = get.query([])?;
    while let Some(row) = rows.next()? {
        let ValueRef::Integer(number) = row.get_ref(0)? else { continue };
        let Ok(number) = u8::try_from(number) else { continue };
        if let Some((scope, hash)) = hash_row(&mut hasher, number, None, 1, row)? {
            sums.entry(scope).or_default().add(hash);
        }
    }
    Ok(sums)
}

/// The scope's number and the hash of a row whose columns begin at `at`; none for one that no program can have written.
fn hash_row(
    hasher: &mut RowHasher,
    number: u8,
    table: Option<&Table>,
    at: usize,
    row: &Row<'_>,
) -> Result<Option<(i64, RowHash)>> {
    let ValueRef::Blob(id) = row.get_ref(at)? else { return Ok(None) };
    let Some(id) = RowId::from_slice(id) else { return Ok(None) };
    let ValueRef::Integer(scope) = row.get_ref(at + 1)? else { return Ok(None) };
    let ValueRef::Integer(stamp) = row.get_ref(at + 2)? else { return Ok(None) };
    let created = (stamp > 0).then_some(Stamp(stamp as u64));
    let more = match row.get_ref(at + 3)? {
        ValueRef::Null => BTreeMap::new(),
        ValueRef::Blob(bytes) => {
            let Ok(fields) = merge::decode(id, bytes) else { return Ok(None) };
            if merge::encode(id, &fields).as_deref() != Some(bytes) {
                return Ok(None);
            }
            fields
        }
        _ => return Ok(None),
    };
    hasher.begin(number, id, created);
    let mut is_whole = stamp >= 0;
    let mut listed = more.iter().peekable();
    let void = table.map(|_| (VOID, Kind::Bool));
    let fields = table.map_or(&[][..], |table| table.fields).iter().map(|field| (field.number, field.kind));
    for (place, (field, kind)) in void.into_iter().chain(fields).enumerate() {
        let column = row.get_ref(at + 4 + place)?;
        while let Some((before, state)) = listed.next_if(|(other, _)| **other < field) {
            hasher.versions(*before, state, created);
        }
        match listed.next_if(|(other, _)| **other == field) {
            Some((_, state)) => {
                hasher.versions(field, state, created);
                is_whole &= table.is_some_and(Table::is_personal) || shows(kind, state, id, column);
            }
            None => is_whole &= tell(hasher, field, kind, column),
        }
    }
    listed.for_each(|(field, state)| hasher.versions(*field, state, created));
    Ok(is_whole.then(|| (scope, hasher.finish())))
}

/// Tells a column to the hasher; false for what no statement of this program writes there.
fn tell(hasher: &mut RowHasher, field: u8, kind: Kind, column: ValueRef<'_>) -> bool {
    match (kind, column) {
        (_, ValueRef::Null) => {}
        (Kind::Bool, ValueRef::Integer(number @ (0 | 1))) => hasher.created_bool(field, number == 1),
        (Kind::Int | Kind::Date | Kind::Enum(_) | Kind::Thousandths, ValueRef::Integer(number)) => {
            hasher.created_int(field, number)
        }
        (Kind::Text(_) | Kind::Code, ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(text) => hasher.created_text(field, text),
            Err(_) => return false,
        },
        (Kind::Bytes(_), ValueRef::Blob(bytes)) => hasher.created_bytes(field, bytes),
        (Kind::Ref(_), ValueRef::Blob(bytes)) => match RowId::from_slice(bytes) {
            Some(id) => hasher.created_ref(field, id),
            None => return false,
        },
        (Kind::RefList(_), ValueRef::Blob(bytes)) if bytes.len().is_multiple_of(12) => {
            hasher.created_refs(field, bytes);
        }
        _ => return false,
    }
    true
}

/// Whether the column of a patched field holds the version that shows.
fn shows(kind: Kind, state: &FieldState, id: RowId, column: ValueRef<'_>) -> bool {
    let shown = state.shown(id).and_then(|head| to_sql(kind, &head.value));
    match shown.unwrap_or(ToSqlOutput::Owned(Sql::Null)) {
        ToSqlOutput::Borrowed(value) => value == column,
        ToSqlOutput::Owned(value) => ValueRef::from(&value) == column,
        _ => false,
    }
}
