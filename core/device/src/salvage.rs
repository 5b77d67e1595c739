//! Reading a damaged database: whatever still can be read, from both ends of each table, without writing a byte to it.
//!
//! Nothing read here is believed by itself: own changes carry a checksum, frames of the hub its signature. What carries
//! neither (drafts, settings) is only of use to the person who wrote it.

use std::cell::Cell;
use std::path::Path;

use langso_domain::id::{Key, ScopeId, Writer};
use rusqlite::config::DbConfig;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags, Row};

use crate::facts::{self, Identity, name};
use crate::outbox::Row as Own;
use crate::reconcile::RECEIPT_SUM;

/// How many numbers in a row may be missing before the rest of the outbox is given up: those of many pages.
const MOST_MISSES: u32 = 10_000;

/// A database that may be damaged anywhere; every read gives what it can.
pub(crate) struct Wreck {
    connection: Connection,
    /// Numbers of the file and what they stand for; empty when the table cannot be read.
    pub scopes: Vec<(i64, ScopeId, i64)>,
}

impl Wreck {
    /// Opens the file; none when SQLite cannot make anything of it.
    pub fn open(path: &Path) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).ok()?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).ok()?;
        let mut wreck = Self { connection, scopes: Vec::new() };
        let mut scopes = Vec::new();
        wreck.each("SELECT number, scope, kind FROM scopes", |row| {
            scopes.push((row.get(0)?, ScopeId(row.get(1)?), row.get(2)?));
            Ok(())
        });
        wreck.scopes = scopes;
        Some(wreck)
    }

    /// Who it says that the phone is.
    pub fn identity(&self) -> Option<Identity> {
        facts::get(&self.connection, name::IDENTITY).ok()?
    }

    /// A fact that can be read as what it is.
    pub fn fact(&self, name: &str) -> Option<String> {
        facts::get_sound(&self.connection, name).ok()?
    }

    /// Own changes: `take` gets those whose checksum holds in their scope or in one of `others`, for the list of scopes
    /// may be damaged too. The bytes of the rest, which may or may not be changes, are given back.
    pub fn outbox(&self, others: &[ScopeId], mut take: impl FnMut(ScopeId, Vec<u8>)) -> Vec<Vec<u8>> {
        let mut doubtful = Vec::new();
        let last = Cell::new(0);
        let mut one = |row: &Row<'_>| {
            last.set(row.get(0)?);
            let row = Own::of(row)?;
            let own = self.scopes.iter().filter(|(of, ..)| *of == row.scope).map(|(_, scope, _)| scope);
            match own.chain(others).find(|scope| row.is_whole_in(**scope)) {
                Some(scope) => take(*scope, row.bytes),
                None => doubtful.push(row.bytes),
            }
            Ok(())
        };
        if self.each("SELECT n, scope, bytes, sum FROM outbox ORDER BY n", &mut one) {
            return doubtful;
        }
        // Past the damage row by row: a bad page hides its own rows and no others.
        let sql = "SELECT n, scope, bytes, sum FROM outbox WHERE n = ?1";
        let Ok(mut get) = self.connection.prepare(sql) else { return doubtful };
        let (mut n, mut misses) = (last.get(), 0);
        while misses < MOST_MISSES {
            n += 1;
            let found = get.query_row([n], &mut one);
            misses = if found.is_ok() { 0 } else { misses + 1 };
        }
        drop(get);
        doubtful
    }

    /// The ranges of own changes that the hub has confirmed; none when not every row of them can be read and holds.
    pub fn receipts(&self) -> Option<Vec<(Writer, u32, u32)>> {
        let mut ranges = Vec::new();
        let mut is_whole = true;
        let sql = format!("SELECT writer, first_seq, last_seq, sum IS {RECEIPT_SUM} FROM receipts");
        let is_read = self.each(&sql, |row| {
            is_whole &= row.get::<_, bool>(3)?;
            ranges.push((Writer(row.get::<_, i64>(0)? as u64), row.get(1)?, row.get(2)?));
            Ok(())
        });
        let sound = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        (is_read && is_whole && sound.is_ok_and(|answer| answer == "ok")).then_some(ranges)
    }

    /// Frames of others as they were received.
    pub fn kept_frames(&self, mut take: impl FnMut(Vec<u8>)) {
        let mut one = |row: &Row<'_>| {
            take(row.get(0)?);
            Ok(())
        };
        let order = ["ORDER BY scope, first", "ORDER BY scope DESC, first DESC"];
        self.both_ends("SELECT bytes FROM kept_frames", order, &mut one);
    }

    /// Frames that it offers to a hub that may have lost them.
    pub fn carried_frames(&self, mut take: impl FnMut(Vec<u8>)) {
        let mut one = |row: &Row<'_>| {
            take(row.get(0)?);
            Ok(())
        };
        self.both_ends("SELECT bytes FROM carried_frames", ["ORDER BY name", "ORDER BY name DESC"], &mut one);
    }

    /// Changes below the prune line that say why something was corrected; some may come twice.
    pub fn reasons(&self) -> Vec<(ScopeId, Key, Vec<u8>)> {
        let mut found = Vec::new();
        let mut one = |row: &Row<'_>| {
            let number: i64 = row.get(1)?;
            let scope = self.scopes.iter().find(|(of, ..)| *of == number).map(|(_, scope, _)| *scope);
            if let Some((scope, key)) = scope.zip(Key::from_bytes(&row.get::<_, [u8; 11]>(0)?)) {
                found.push((scope, key, row.get(2)?));
            }
            Ok(())
        };
        let order = ["ORDER BY key", "ORDER BY key DESC"];
        self.both_ends("SELECT key, scope, bytes FROM reasons", order, &mut one);
        found
    }

    /// Every row of a table that can be read, with all its columns by name; some may come twice.
    pub fn rows(&self, table: &str, key: &str, mut take: impl FnMut(&[String], Vec<Sql>)) {
        let mut one = |row: &Row<'_>| {
            let names: Vec<String> = row.as_ref().column_names().map(str::to_owned).collect();
            let values = (0..names.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
            take(&names, values);
            Ok(())
        };
        let [up, down] = [format!("ORDER BY {key}"), format!("ORDER BY {key} DESC")];
        self.both_ends(&format!("SELECT * FROM {table}"), [&up, &down], &mut one);
    }

    fn both_ends(&self, sql: &str, orders: [&str; 2], one: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>) {
        for order in orders {
            if self.each(&format!("{sql} {order}"), &mut *one) {
                return;
            }
        }
    }

    /// Whether the end was reached. A row that cannot be read as what it should be is left out.
    fn each(&self, sql: &str, mut one: impl FnMut(&Row<'_>) -> rusqlite::Result<()>) -> bool {
        let Ok(mut get) = self.connection.prepare(sql) else { return false };
        let Ok(mut rows) = get.query([]) else { return false };
        loop {
            match rows.next() {
                Ok(Some(row)) => drop(one(row)),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
