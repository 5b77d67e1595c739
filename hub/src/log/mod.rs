//! The log: what the hub was given, numbered per scope, and the directory of who is who. Here on embedded SQLite.
//!
//! One writing connection behind a lock, in WAL with `synchronous=FULL`, so that what is answered as kept is kept;
//! reading connections of their own beside it. Every call is one operation and one transaction and blocks on the
//! disk: async code calls it from a blocking thread. All statements stand in `statements`, bound by scope; another
//! engine takes over the methods of [`Log`] and the types of `types`, nothing else.

mod append;
mod cells;
mod check;
mod copy;
mod damage;
mod directory;
mod membership;
mod read;
mod statements;
mod types;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use langso_domain::registry::Registry;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use check::{Holds, Unsound, check};
pub use copy::begin_from_backup;
pub use damage::Damage;
pub use read::OTHER_BYTES;
pub use types::*;

/// What the log could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or failed; nothing of the operation was kept.
    #[error("log: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a newer hub.
    #[error("the log has schema {found}, this program knows {known}")]
    Newer {
        /// Of the file.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// The linked SQLite is older than the first one that is safe with two connections in WAL.
    #[error("sqlite {0} is too old")]
    OldSqlite(&'static str),
    /// A row of the log holds what this program never writes.
    #[error("the log holds a wrong {0}")]
    Corrupt(&'static str),
    /// A scope that the hub never minted.
    #[error("unknown scope")]
    UnknownScope,
    /// A team that the directory does not hold.
    #[error("unknown team")]
    UnknownTeam,
    /// A change of the hub's own was not new or not a change.
    #[error("not a new change")]
    NotNew,
    /// A backup holds a place of a scope's history that this log does not.
    #[error("the backup is of another history")]
    OtherHistory,
    /// Nothing of that number waits in that scope.
    #[error("nothing of that number waits")]
    NotWaiting,
}

/// What an operation gives.
pub type Result<T> = std::result::Result<T, Error>;

const MIGRATIONS: &[&str] = &[include_str!("sql/0001_log.sql")];
/// SQLite 3.7.0 to 3.51.2 can corrupt a WAL database that two connections use.
const OLDEST_SQLITE: i32 = 3_051_003;
const READERS_KEPT: usize = 8;

/// The log on one SQLite file.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    registry: &'static Registry,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    watcher: Mutex<Connection>,
}

impl Log {
    /// Opens the log in `path`, makes it when there is none, and brings it to the newest schema. Changes are judged
    /// by `registry`.
    ///
    /// # Errors
    /// [`Error::Newer`] for a file of a later program, [`Error::OldSqlite`], [`Error::Sqlite`] for the rest.
    pub fn open(path: &Path, registry: &'static Registry) -> Result<Self> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::OldSqlite(rusqlite::version()));
        }
        let mut writer = connect(path, OpenFlags::default())?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        migrate(&mut writer)?;
        let watcher = Mutex::new(reader(path)?);
        let (path, writer, readers) = (path.to_owned(), Mutex::new(writer), Mutex::default());
        Ok(Self { path, registry, writer, readers, watcher })
    }

    /// A number that differs from the one before when anybody, this process or another, has written in between.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn version(&self) -> Result<i64> {
        Ok(lock(&self.watcher).pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// The registry that changes are judged by.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    fn write<T>(&self, what: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.write_or(what)
    }

    fn write_or<T, E: From<Error>>(
        &self,
        what: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut connection = lock(&self.writer);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Error::from)?;
        let done = what(&transaction)?;
        transaction.commit().map_err(Error::from)?;
        Ok(done)
    }

    fn read<T>(&self, what: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let kept = lock(&self.readers).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let done = what(&connection);
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        done
    }
}

/// A panic in another operation rolled that one back; the connection is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reader(path: &Path) -> Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cache_size", -16_000)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
