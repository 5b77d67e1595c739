//! One transaction on a replica: the only way to write rows.
//!
//! Dropped without [`Batch::commit`] it changes nothing.

use std::cell::Cell;
use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_domain::registry::{ScopeKind, Table};
use langso_sync::change::Change;
use langso_sync::merge::RowState;
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};

use crate::apply::load;
use crate::columns::Texts;
use crate::digests::Tally;
use crate::land::Listed;
use crate::schema::{Purpose, Replica, Schema};
use crate::tx::Tx;
use crate::writers::Writers;
use crate::{Error, Result};

/// A transaction; see the module.
#[derive(Debug)]
pub struct Batch<'a> {
    pub(crate) tx: Tx<'a>,
    pub(crate) schema: Schema,
    pub(crate) purpose: Purpose,
    pub(crate) writers: Writers,
    pub(crate) any_awaited: bool,
    pub(crate) any_landing: bool,
    /// Writers of the snapshot that this batch lands a frame of.
    pub(crate) listed: Option<Listed>,
    /// The same, from the batch before: taken out when it is used, put back by a commit.
    pub(crate) kept: &'a mut Option<Listed>,
    pub(crate) texts: &'a Texts,
    pub(crate) tally: Tally<'a>,
    /// The scope that was last looked for and its number: one change after another is of the same.
    pub(crate) last_scope: Cell<Option<(ScopeId, i64)>>,
}

/// How far a scope has been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeState {
    /// Its number in the rows' `scope` column.
    pub number: i64,
    /// Its id.
    pub scope: ScopeId,
    /// The kind's number; see [`ScopeKind`].
    pub kind: i64,
    /// All of the hub's log up to here is in.
    pub position: u64,
    /// The chain there.
    pub chain: [u8; 8],
}

impl Replica {
    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// [`Error::Sqlite`], also when another process holds the file.
    pub fn begin(&mut self) -> Result<Batch<'_>> {
        let tx = Tx::begin(&mut self.connection)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM awaited), EXISTS (SELECT 1 FROM landings)";
        let (any_awaited, any_landing) =
            tx.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Batch {
            tx,
            schema: self.schema,
            purpose: self.purpose,
            writers: Writers::default(),
            any_awaited,
            any_landing,
            listed: None,
            kept: &mut self.listed,
            texts: &self.texts,
            tally: Tally::new(&mut self.running, self.purpose == Purpose::HubCache),
            last_scope: Cell::default(),
        })
    }

    /// The versions of a row, for whoever only looks at them; none when nothing of it is here.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::Malformed`] for damaged versions.
    pub fn row_state(&self, table: &'static Table, id: RowId) -> Result<Option<RowState>> {
        let row = load(&self.connection, self.schema.registry, &self.texts, table.number, id)?;
        Ok(row.map(|row| row.state))
    }

    /// Every scope of the file, in order of its number.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn scopes(&self) -> Result<Vec<ScopeState>> {
        let mut get = self
            .connection
            .prepare_cached("SELECT number, scope, kind, position, chain FROM scopes ORDER BY number")?;
        let rows = get.query_map([], scope_state)?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }
}

fn scope_state(row: &rusqlite::Row<'_>) -> rusqlite::Result<ScopeState> {
    let position: i64 = row.get(3)?;
    Ok(ScopeState {
        number: row.get(0)?,
        scope: ScopeId(row.get(1)?),
        kind: row.get(2)?,
        position: position as u64,
        chain: row.get(4)?,
    })
}

impl Batch<'_> {
    /// The number of a scope, which is taken into the file at its first mention.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn add_scope(&mut self, scope: ScopeId, kind: ScopeKind) -> Result<i64> {
        if let Some(number) = self.find_scope(scope)? {
            return Ok(number);
        }
        let sql = "INSERT INTO scopes (scope, kind, chain, digest) VALUES (?1, ?2, ?1, zeroblob(16)) RETURNING number";
        Ok(self.tx.query_row(sql, (scope.0, kind as i64), |row| row.get(0))?)
    }

    /// The number of a scope, when it is in the file.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn find_scope(&self, scope: ScopeId) -> Result<Option<i64>> {
        if let Some((_, number)) = self.last_scope.get().filter(|(last, _)| *last == scope) {
            return Ok(Some(number));
        }
        let mut get = self.tx.prepare_cached("SELECT number FROM scopes WHERE scope = ?1")?;
        let number = get.query_row([scope.0], |row| row.get(0)).optional()?;
        self.last_scope.set(number.map(|number| (scope, number)));
        Ok(number)
    }

    /// Notes that all of the hub's log of a scope up to `position` is in.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::UnknownScope`].
    pub fn set_cursor(&mut self, scope: ScopeId, position: u64, chain: [u8; 8]) -> Result<()> {
        let number = self.find_scope(scope)?.ok_or(Error::UnknownScope)?;
        let mut put =
            self.tx.prepare_cached("UPDATE scopes SET position = ?2, chain = ?3 WHERE number = ?1")?;
        put.execute((number, position as i64, chain))?;
        self.tally.cursor_moved(&self.tx, number)
    }

    /// Takes in a change that came from elsewhere. False when it was here already, or comes with a snapshot under way.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::UnknownScope`]. The batch must then be dropped.
    pub fn apply(&mut self, scope: ScopeId, device: DeviceId, change: &Change) -> Result<bool> {
        let number = self.find_scope(scope)?.ok_or(Error::UnknownScope)?;
        if self.writers.has(&self.tx, change.key)? || self.is_landing(number, change.key)? {
            return Ok(false);
        }
        self.apply_rows(number, change)?;
        self.writers.add(&self.tx, change.key, number, device)?;
        self.drop_awaited(change.key)?;
        Ok(true)
    }

    /// Takes in a change that this process has just written by a writer of [`Batch::begin_writer`].
    ///
    /// # Errors
    /// As [`Batch::apply`].
    pub fn apply_own(&mut self, scope: i64, change: &Change) -> Result<()> {
        self.apply_rows(scope, change)
    }

    /// Binds a fresh writer of this process: whatever it numbers counts as applied, so that a save need not note it.
    ///
    /// # Errors
    /// [`Error::Sqlite`], also for a writer that is here already.
    pub fn begin_writer(&mut self, writer: Writer, scope: i64, device: DeviceId) -> Result<()> {
        self.writers.forget(&self.tx)?;
        let sql = "INSERT INTO writers (writer, scope, device, upto, is_current) VALUES (?1, ?2, ?3, 0, 1)";
        self.tx.prepare_cached(sql)?.execute((writer.0 as i64, scope, device.0))?;
        Ok(())
    }

    /// Ends a writer of an earlier process at the last number it gave. One that is ended already, or came from
    /// elsewhere, stays as it is: what of it is missing was never here.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn end_writer(&mut self, writer: Writer, last_seq: u32) -> Result<()> {
        // A snapshot may have noted some of its numbers as ranges: they become one.
        self.writers.note_current(&self.tx, Key { writer, seq: last_seq })?;
        self.writers.forget(&self.tx)?;
        let sql = "UPDATE writers SET is_current = 0 WHERE writer = ?1";
        self.tx.prepare_cached(sql)?.execute([writer.0 as i64])?;
        Ok(())
    }

    /// Notes that a writer of this process has numbered up to here: the outbox, which tells it at the next start, is
    /// about to forget the change. Other writers know it already.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn note_own(&mut self, key: Key) -> Result<()> {
        self.writers.note_current(&self.tx, key)
    }

    /// The versions of a row, for whoever is about to patch it; none when nothing of it is here.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; [`Error::Malformed`] for damaged versions.
    pub fn row_state(&self, table: &'static Table, id: RowId) -> Result<Option<RowState>> {
        Ok(self.load(table.number, id)?.map(|row| row.state))
    }

    /// What a row shows, by field number; none when it is not here or still hidden.
    ///
    /// # Errors
    /// As [`Batch::row_state`].
    pub fn row(&self, table: &'static Table, id: RowId) -> Result<Option<BTreeMap<u8, Value>>> {
        Ok(self.load(table.number, id)?.filter(|row| row.state.created.is_some()).map(|row| row.shown(id)))
    }

    /// For reading inside the transaction, and for the tables that the caller keeps beside the rows.
    pub fn connection(&self) -> &Connection {
        &self.tx
    }

    /// Makes all of it durable, or none.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; then nothing was written.
    pub fn commit(mut self) -> Result<()> {
        self.writers.flush(&self.tx)?;
        let Self { tx, tally, listed, kept, .. } = self;
        let connection: &Connection = tx.connection();
        tally.commit(connection, || Ok(tx.commit()?))?;
        if listed.is_some() {
            *kept = listed;
        }
        Ok(())
    }
}
