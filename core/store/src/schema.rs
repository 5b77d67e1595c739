//! The file: its tables, its migrations, and how it is opened.
//!
//! Every released schema is a step in `sql/`; the first one is written out of the registry and a test holds the two
//! together. An upgrade must end where a fresh file begins, data included: fields and tables that an older program
//! kept without knowing them move into their columns.

use std::cell::Cell;
use std::fmt::Write;
use std::fs::File;
use std::path::Path;

use langso_domain::registry::{self, Registry, Table};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::batch::Batch;
use crate::columns::{Texts, sql_type};
use crate::digests::{Running, Tally};
use crate::land::Listed;
use crate::tx::Tx;
use crate::writers::Writers;
use crate::{Error, Result, figures};

/// The oldest SQLite that may be used: earlier ones can lose WAL pages when a reset races a checkpoint.
const OLDEST_SQLITE: i32 = 3_051_003;

/// What a phone keeps of its file in memory: rows of a few thousand households, so that a save meets few pages that
/// must be read, and a frame's rows are not written out before their commit.
const PHONE_CACHE_KIB: i64 = 8 * 1024;

/// How often a file is waited for that others make at the same moment; SQLite itself waits for 5 seconds each time.
const BUSY_TRIES: u32 = 100;

/// One step from a schema version to the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The version it leads to.
    pub schema: u16,
    /// Its statements; it opens with a comment that says why.
    pub sql: &'static str,
}

/// A registry and the steps that lead to its tables.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The tables.
    pub registry: Registry,
    /// In order, from version 1.
    pub migrations: &'static [Migration],
}

/// The schema of this program.
pub static CURRENT: Schema = Schema {
    registry: registry::CURRENT,
    migrations: &[Migration {
        schema: 1,
        sql: concat!(include_str!("../sql/0001_keeping.sql"), include_str!("../sql/0001_record.sql")),
    }],
};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A phone's data: durable at each commit, searchable.
    Phone,
    /// A hub's cache: can be made again from the log, is not searched and holds no index of names.
    HubCache,
}

/// One SQLite file of rows.
#[derive(Debug)]
pub struct Replica {
    pub(crate) connection: Connection,
    pub(crate) schema: Schema,
    pub(crate) purpose: Purpose,
    pub(crate) texts: Texts,
    /// See the module `digests`.
    pub(crate) running: Running,
    pub(crate) listed: Option<Listed>,
}

impl Replica {
    /// Opens or makes the file and brings it to `schema`.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] for a file of a newer program, which is left as it is; [`Error::Sqlite`] when the file
    /// cannot be opened, read or written.
    pub fn open(path: &Path, schema: Schema, purpose: Purpose) -> Result<Self> {
        let _alone = alone_with(path);
        Self::prepare(Connection::open(path)?, schema, purpose)
    }

    /// Opens the file for reading alone: not a byte of it changes, and nothing is made beside it.
    ///
    /// # Errors
    /// As [`Replica::open`]; a file that would have to be upgraded cannot be written either.
    pub fn open_to_look(path: &Path, schema: Schema, purpose: Purpose) -> Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let has_log = std::fs::metadata(log).is_ok_and(|log| log.len() > 0);
        // Without a log the file is all there is, and SQLite need not make an index of one beside it.
        let immutable = if has_log { "" } else { "&immutable=1" };
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(format!("file:{name}?mode=ro{immutable}"), flags)?;
        connection.set_prepared_statement_cache_capacity(128);
        keep_plans(&connection)?;
        let found = refuse_newer(&connection, schema)?;
        if found < schema.registry.schema || !figures::are_views_current(&connection)? {
            let read_only = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
            return Err(rusqlite::Error::SqliteFailure(read_only, None).into());
        }
        let mut replica = Self::in_memory(schema, purpose)?;
        replica.connection = connection;
        Ok(replica)
    }

    /// A replica in memory, by the same code.
    ///
    /// # Errors
    /// As [`Replica::open`].
    pub fn in_memory(schema: Schema, purpose: Purpose) -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?, schema, purpose)
    }

    fn prepare(mut connection: Connection, schema: Schema, purpose: Purpose) -> Result<Self> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(Error::OldSqlite(rusqlite::version()));
        }
        // Until the file is known to be ours to write, even closing it must not fold a WAL into it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        refuse_newer(&connection, schema)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.set_prepared_statement_cache_capacity(128);
        keep_plans(&connection)?;
        use_wal(&connection)?;
        let synchronous = if purpose == Purpose::Phone { "FULL" } else { "OFF" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        if purpose == Purpose::Phone {
            connection.pragma_update(None, "cache_size", -PHONE_CACHE_KIB)?;
        }
        let texts = Texts::new(schema.registry);
        migrate(&mut connection, schema, purpose, &texts)?;
        Ok(Self { connection, schema, purpose, texts, running: Running::default(), listed: None })
    }

    /// For reading.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The schema it was opened with.
    pub fn schema(&self) -> Schema {
        self.schema
    }
}

/// A statement keeps the plan that it was prepared with: else SQLite prepares many anew for other values, in the hope of
/// a better one. There is none for statements that find their rows by id or read a table through.
fn keep_plans(connection: &Connection) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Who makes a file is alone with its folder until it is made: no lock of SQLite's covers the whole time in which a file
/// becomes one with a log. Threads wait for each other here and so do processes, for as long as it takes to make one
/// file. Where a folder cannot be locked, what [`use_wal`] waits for has to do.
fn alone_with(path: &Path) -> Option<File> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = File::open(folder).ok()?;
    folder.lock().ok()?;
    Some(folder)
}

/// Whoever has the file at the same moment holds it for as long as it takes to make it. SQLite waits for such a lock by
/// itself everywhere but here: so the lock is waited for, and then the mode is asked for again.
fn use_wal(connection: &Connection) -> Result<()> {
    let mut tries = BUSY_TRIES;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(why) if tries > 0 && is_held(&why) => tries -= 1,
            done => return Ok(done?),
        }
        match connection.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
            Err(why) if !is_held(&why) => return Err(why.into()),
            _ => {}
        }
    }
}

/// By another connection, which will let go of it. The second is said when the index of a log is made and unmade again
/// under whoever reads it.
fn is_held(why: &rusqlite::Error) -> bool {
    matches!(why.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::FileLockingProtocolFailed))
}

/// The file's schema version, when this program knows it.
fn refuse_newer(connection: &Connection, schema: Schema) -> Result<u16> {
    let known = schema.registry.schema;
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known { Err(Error::NewerSchema { found, known }) } else { Ok(found) }
}

fn migrate(connection: &mut Connection, schema: Schema, purpose: Purpose, texts: &Texts) -> Result<()> {
    let is_current = |connection: &Connection| {
        let found = refuse_newer(connection, schema)?;
        Ok::<_, Error>(found == schema.registry.schema && figures::are_views_current(connection)?)
    };
    if is_current(connection)? {
        return Ok(());
    }
    let tx = Tx::begin(connection)?;
    // Another process may have upgraded the file while this one waited for the lock.
    if is_current(&tx)? {
        return Ok(());
    }
    let found = refuse_newer(&tx, schema)?;
    for step in schema.migrations.iter().filter(|step| step.schema > found) {
        tx.execute_batch(step.sql)?;
    }
    for table in schema.registry.tables {
        tx.execute_batch(&format!("DROP VIEW IF EXISTS live_{0}; {1}", table.plural, live_view_sql(table)))?;
    }
    let mut running = Running::default();
    let tally = Tally::new(&mut running, true);
    let mut batch = Batch {
        tx,
        schema,
        purpose,
        writers: Writers::default(),
        any_awaited: true,
        any_landing: true,
        listed: None,
        kept: &mut None,
        texts,
        tally,
        last_scope: Cell::default(),
    };
    if found > 0 && found < schema.registry.schema {
        batch.adopt_unknown()?;
    }
    figures::make_views(&batch.tx)?;
    batch.tx.pragma_update(None, "user_version", schema.registry.schema)?;
    batch.commit()
}

/// The CREATE TABLE text of a registry table, with each column's meaning as a comment.
pub fn create_table_sql(table: &Table) -> String {
    let mut sql = format!("-- {}\nCREATE TABLE {} (\n", table.doc, table.plural);
    sql.push_str("    id BLOB PRIMARY KEY, -- the key of the change that made it, and its place there\n");
    sql.push_str("    scope INTEGER NOT NULL, -- its number in scopes\n");
    sql.push_str("    v_stamp INTEGER NOT NULL, -- the create's stamp; 0 = the create has not come yet\n");
    sql.push_str(
        "    v_more BLOB, -- versions of patched fields, and fields not known; NULL until the first patch\n",
    );
    sql.push_str("    void INTEGER");
    let mut doc = "1 = struck out".to_owned();
    for field in table.fields {
        let _ = write!(sql, ", -- {doc}\n    {} {}", field.name, sql_type(field.kind));
        doc = field.doc.to_owned();
    }
    let _ = write!(sql, " -- {doc}\n) STRICT, WITHOUT ROWID;\n");
    sql
}

/// The rows that count: made, and not struck out.
fn live_view_sql(table: &Table) -> String {
    format!("CREATE VIEW live_{0} AS SELECT * FROM {0} WHERE v_stamp > 0 AND void IS NOT 1;", table.plural)
}
