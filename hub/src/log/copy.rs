//! A copy of the whole log while others write, and what a copy that was read back is worth: the watermark.
//!
//! The one idea: the source keeps one reading transaction open over the whole copy. So the copy is of one moment
//! however long it takes, nobody waits for it, and it never has to begin again.

use std::path::Path;

use langso_domain::id::ScopeId;
use langso_sync::chain::{Chain, Cursor};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

use super::check::{self, Holds};
use super::{BackedUp, Error, Log, Result, statements};
use crate::clock::Millis;

/// Pages between two words about how far it is.
const PAGES: i32 = 1_024;

impl Log {
    /// Copies the log as it is now into the file at `path`, which is there and empty; tells pages done and in all,
    /// gives what this log held at that moment. The copy is one file and needs no other beside it. It is not forced
    /// to the disk yet.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; what was written by then is no database. [`Error::Corrupt`] for a directory without a hub.
    pub fn copy_to(&self, path: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<Holds> {
        let source = super::reader(&self.path)?;
        source.execute_batch("BEGIN")?;
        let held = check::holds(&source).map_err(|_| Error::Corrupt("directory"))?;
        let mut target = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        target.pragma_update(None, "journal_mode", "OFF")?;
        target.pragma_update(None, "synchronous", "OFF")?;
        let copy = Backup::new(&source, &mut target)?;
        loop {
            let step = copy.step(PAGES)?;
            let far = copy.progress();
            let all = u64::try_from(far.pagecount).unwrap_or(0);
            tell(all.saturating_sub(u64::try_from(far.remaining).unwrap_or(0)), all);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(busy()),
            }
        }
        drop(copy);
        drop(target);
        as_one_file(path)?;
        Ok(held)
    }

    /// Writes down a backup that was read back, and raises the watermark of each of its scopes to its end there; all
    /// or nothing. Never lowers one.
    ///
    /// # Errors
    /// [`Error::OtherHistory`] when this log does not hold one of the places; [`Error::Sqlite`].
    pub fn add_backup(&self, backup: &BackedUp, holds: &[(ScopeId, Cursor)]) -> Result<()> {
        self.write(|transaction| add(transaction, backup, holds))
    }

    /// The newest backup that was read back; none when there never was one.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn last_backup(&self) -> Result<Option<BackedUp>> {
        self.read(|connection| {
            let mut get = connection.prepare_cached(statements::LAST_BACKUP)?;
            let found = get.query_row([], |row| {
                Ok(BackedUp {
                    at: Millis(row.get(0)?),
                    folder: row.get(1)?,
                    bytes: super::read::position(row, 2)?,
                    changes: super::read::position(row, 3)?,
                })
            });
            Ok(found.optional()?)
        })
    }
}

/// Makes the copy at `path`, which is that backup's, the log of a hub again: its watermarks stand at its ends, and the
/// backup is its last one. On the disk when it returns.
///
/// # Errors
/// As [`Log::add_backup`].
pub fn begin_from_backup(path: &Path, backup: &BackedUp, holds: &[(ScopeId, Cursor)]) -> Result<()> {
    let mut copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    let transaction = copy.transaction()?;
    add(&transaction, backup, holds)?;
    transaction.commit()?;
    Ok(())
}

fn add(transaction: &Transaction<'_>, backup: &BackedUp, holds: &[(ScopeId, Cursor)]) -> Result<()> {
    for (scope, end) in holds {
        if chain_at(transaction, *scope, end.position)? != Some(end.chain) {
            return Err(Error::OtherHistory);
        }
        let mut raise = transaction.prepare_cached(statements::RAISE_WATERMARK)?;
        raise.execute(params![scope.0, end.position as i64])?;
    }
    transaction.prepare_cached(statements::ADD_BACKUP)?.execute(params![
        backup.at.0,
        backup.folder,
        backup.bytes as i64,
        backup.changes as i64
    ])?;
    Ok(())
}

fn busy() -> Error {
    Error::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None))
}

/// The source says in its first page that a log of writes lies beside it; a copy shall need nothing beside it.
fn as_one_file(path: &Path) -> Result<()> {
    let target = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = target.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(busy());
    }
    Ok(())
}

fn chain_at(transaction: &Transaction<'_>, scope: ScopeId, position: u64) -> Result<Option<Chain>> {
    if position == 0 {
        return Ok(Some(Chain::start(scope)));
    }
    let mut get = transaction.prepare_cached(statements::CHAIN_AT)?;
    let chain = get.query_row(params![scope.0, position as i64], |row| row.get(0)).optional()?;
    Ok(chain.map(Chain))
}
