//! Opening a database so that nothing on the disk changes, and telling which of ours it is.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::words::{Failure, Outcome};

/// A database opened for reading.
pub(super) struct Database {
    connection: Connection,
    // Dropped after the connection: fields are dropped in order.
    _copy: Option<Copy>,
}

/// A copy in the folder for temporary files, gone when it is no longer looked at.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Which of ours.
pub(super) enum Kind {
    Hub,
    Phone,
    Replica,
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

impl Database {
    /// Without a write-ahead log the file is read as it lies; beside a program that uses it, with that program's
    /// shared index; a log that nobody serves is read in a copy, since SQLite would mend it in place.
    pub fn open(path: &Path) -> Outcome<Self> {
        let unreadable = |_| Failure::new("cli.file", path.display());
        let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
        let (path, suffix, copy) = match (has_log, beside(path, "-shm").exists()) {
            (false, _) => (path.to_owned(), "?mode=ro&immutable=1", None),
            (true, true) => (path.to_owned(), "?mode=ro", None),
            (true, false) => {
                let mut name = [0; 8];
                getrandom::fill(&mut name).map_err(|_| Failure::new("unexpected", "random"))?;
                let name = langso_domain::id::to_base32(&name);
                let folder = std::env::temp_dir().join(format!("langso-inspect-{name}"));
                std::fs::create_dir(&folder).map_err(unreadable)?;
                let copy = Copy(folder);
                let file = copy.0.join("copy.db");
                std::fs::copy(path, &file).map_err(unreadable)?;
                std::fs::copy(beside(path, "-wal"), beside(&file, "-wal")).map_err(unreadable)?;
                (file, "?mode=ro", Some(copy))
            }
        };
        let uri = format!("file:{}{suffix}", escaped(&path));
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(|error| refused(&path, &error))?;
        let busy = connection.busy_timeout(std::time::Duration::from_secs(5));
        busy.map_err(|error| refused(&path, &error))?;
        Ok(Self { connection, _copy: copy })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// A path inside a `file:` address.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' | b':' => text.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Never the text of SQLite, which may quote what was read.
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> Failure {
    let code = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => "corrupt",
        _ => "cli.file",
    };
    Failure::new(code, path.display())
}

pub(super) fn kind(connection: &Connection, path: &Path) -> Outcome<Kind> {
    let has = |table: &str| -> Outcome<bool> {
        let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let found = connection.query_row(sql, [table], |_| Ok(())).optional();
        Ok(found.map_err(|error| refused(path, &error))?.is_some())
    };
    match () {
        () if has("phone_facts")? => Ok(Kind::Phone),
        () if has("changes")? && has("set_aside")? => Ok(Kind::Hub),
        () if has("awaited")? && has("households")? => Ok(Kind::Replica),
        () => Err(Failure::new("cli.not_this_kind", path.display())),
    }
}

/// Every row of a query, read.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut get = connection.prepare(sql)?;
    let rows = get.query_map(params, read)?;
    rows.collect()
}

/// 8 or 12 bytes as they are written everywhere.
pub(super) fn name(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(at)? {
        rusqlite::types::ValueRef::Blob(bytes) => langso_domain::id::to_base32(bytes),
        rusqlite::types::ValueRef::Integer(number) => langso_domain::id::to_base32(&number.to_be_bytes()),
        _ => "-".to_owned(),
    })
}
