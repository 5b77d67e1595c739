//! A scope that a phone no longer has leaves the file whole: its rows, what search finds of them, and what is known of
//! them. The caller makes sure that nothing of it is unsent.

use langso_domain::id::ScopeId;
use langso_domain::registry::ScopeKind;

use crate::batch::Batch;
use crate::{Error, Result};

impl Batch<'_> {
    /// Takes out everything of a scope, its applied-memory and writers of this process among it: whoever numbers by one
    /// of those must mint another. Other scopes are not touched. Gives the number that it had, which may be given to
    /// another scope from now on.
    ///
    /// # Errors
    /// [`Error::UnknownScope`]; [`Error::Sqlite`]. The batch must then be dropped.
    pub fn drop_scope(&mut self, scope: ScopeId) -> Result<i64> {
        let number = self.find_scope(scope)?.ok_or(Error::UnknownScope)?;
        self.abandon_landing(scope)?;
        self.writers.forget(&self.tx)?;
        for table in self.schema.registry.tables {
            let plural = table.plural;
            self.unindex(table, number)?;
            let sql = format!(
                "DELETE FROM awaited WHERE table_number = ?2 AND row IN (SELECT id FROM {plural} WHERE scope = ?1)"
            );
            self.tx.execute(&sql, (number, table.number))?;
            self.tx.execute(&format!("DELETE FROM {plural} WHERE scope = ?1"), [number])?;
            self.clear_rest(plural, number)?;
        }
        let sql = "DELETE FROM awaited WHERE (table_number, row) IN
                   (SELECT table_number, id FROM unknown_rows WHERE scope = ?1)";
        self.tx.execute(sql, [number])?;
        for table in ["unknown_rows", "shelf", "strays", "writers"] {
            self.tx.execute(&format!("DELETE FROM {table} WHERE scope = ?1"), [number])?;
        }
        self.tally.dropped(number);
        self.tx.execute("DELETE FROM scopes WHERE number = ?1", [number])?;
        self.last_scope.set(None);
        Ok(number)
    }

    /// As [`Batch::add_scope`] for a scope that was here before: under the number it had, so that it stands where it
    /// stood among its kind; under another when that has been given away.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn add_scope_again(&mut self, scope: ScopeId, kind: ScopeKind, number: i64) -> Result<i64> {
        if self.find_scope(scope)?.is_none() {
            let sql = "INSERT INTO scopes (number, scope, kind, chain, digest) VALUES (?1, ?2, ?3, ?2, zeroblob(16))
                       ON CONFLICT DO NOTHING";
            self.tx.execute(sql, (number, scope.0, kind as i64))?;
        }
        self.add_scope(scope, kind)
    }
}
