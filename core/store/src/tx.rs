//! A transaction that may write. Its BEGIN and COMMIT are prepared once for the connection: reading them anew costs as
//! much as writing a small row.
//!
//! Dropped without [`Tx::commit`], or when that fails, it changes nothing.

use std::ops::Deref;

use rusqlite::{Connection, Result};

/// See the module. The exclusive borrow of the connection keeps it the only one.
#[derive(Debug)]
pub(crate) struct Tx<'a>(&'a Connection);

impl<'a> Tx<'a> {
    /// Takes the lock for writing. In a transaction that has only read so far, the first write takes it: nobody has
    /// written in between, or the write fails.
    pub fn begin(connection: &'a mut Connection) -> Result<Self> {
        if connection.is_autocommit() {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        Ok(Self(connection))
    }

    /// The connection, for what outlives the transaction.
    pub fn connection(&self) -> &'a Connection {
        self.0
    }

    pub fn commit(self) -> Result<()> {
        self.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        // Some failures have rolled back already. One that cannot be rolled back now is when the connection closes.
        if !self.is_autocommit() {
            let _ = self.prepare_cached("ROLLBACK").and_then(|mut rollback| rollback.execute([]));
        }
    }
}
