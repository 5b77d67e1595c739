//! A scope's rows are replaced by those of another file, in one transaction: how a replica is mended.

use std::path::Path;

use langso_domain::id::{DeviceId, RowId, ScopeId};
use langso_domain::registry::Table;
use langso_sync::change::Change;

use crate::batch::Batch;
use crate::export::place;
use crate::schema::Replica;
use crate::{Error, Result, search};

impl Replica {
    /// Puts the rows of a scope, their applied-memory and cursor from the file of another replica of the same schema in
    /// the place of those here, and then lets `then` write what must come with them (own unsent changes, by
    /// [`Batch::replay`]): all of it in one transaction, or nothing. The other file is only read. A landing of the
    /// scope that was under way here is forgotten.
    ///
    /// # Errors
    /// [`Error::UnknownScope`] when one of the files lacks the scope; [`Error::Sqlite`]; or what `then` gives.
    pub fn swap_scope<T, E: From<Error>>(
        &mut self,
        scope: ScopeId,
        fresh: &Path,
        then: impl FnOnce(&mut Batch<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let path = fresh.to_str().ok_or(Error::Sqlite(rusqlite::Error::InvalidPath(fresh.to_owned())))?;
        self.connection.execute("ATTACH DATABASE ?1 AS fresh", [path]).map_err(Error::from)?;
        let swapped = self.begin().map_err(E::from).and_then(|mut batch| {
            batch.swap(scope)?;
            let given = then(&mut batch)?;
            batch.commit()?;
            Ok(given)
        });
        // Statements that read the other file would keep it.
        self.connection.flush_prepared_statement_cache();
        let detached = self.connection.execute("DETACH DATABASE fresh", []);
        let given = swapped?;
        detached.map_err(Error::from)?;
        Ok(given)
    }
}

impl Batch<'_> {
    fn swap(&mut self, scope: ScopeId) -> Result<()> {
        let (number, _) = place(&self.tx, scope)?.ok_or(Error::UnknownScope)?;
        let sql = "SELECT number, position, chain FROM fresh.scopes WHERE scope = ?1";
        let fresh = self.tx.query_row(sql, [scope.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)? as u64, row.get::<_, [u8; 8]>(2)?))
        });
        let (from, position, chain) = match fresh {
            Err(rusqlite::Error::QueryReturnedNoRows) => return Err(Error::UnknownScope),
            fresh => fresh?,
        };
        self.abandon_landing(scope)?;
        self.writers.forget(&self.tx)?;
        for table in self.schema.registry.tables {
            let plural = table.plural;
            self.unindex(table, number)?;
            let of_table = format!("SELECT id FROM {plural} WHERE scope = ?1");
            self.swap_awaited(
                table.number,
                &of_table,
                number,
                &of_table.replace("FROM ", "FROM fresh."),
                from,
            )?;
            let fields: String = table.fields.iter().map(|field| format!(", {}", field.name)).collect();
            self.clear(plural, number, from)?;
            let sql = format!(
                "INSERT OR IGNORE INTO {plural} (id, scope, v_stamp, v_more, void{fields})
                 SELECT id, ?1, v_stamp, v_more, void{fields} FROM fresh.{plural} WHERE scope = ?2"
            );
            self.tx.execute(&sql, (number, from))?;
            if search::is_indexed(table.number) {
                for id in self.ids(plural, number)? {
                    let Some(row) = self.load(table.number, id)?.filter(|row| row.state.created.is_some())
                    else {
                        continue;
                    };
                    self.index(table.number, id, &row.shown(id), true)?;
                }
            }
        }
        let sql = "SELECT table_number FROM unknown_rows WHERE scope = ?1
                   UNION SELECT table_number FROM fresh.unknown_rows WHERE scope = ?2";
        let unknown: Vec<u8> = self
            .tx
            .prepare(sql)?
            .query_map((number, from), |row| row.get(0))?
            .collect::<std::result::Result<_, _>>()?;
        for table in unknown {
            let of_table = format!("SELECT id FROM unknown_rows WHERE table_number = {table} AND scope = ?1");
            self.swap_awaited(table, &of_table, number, &of_table.replace("FROM ", "FROM fresh."), from)?;
        }
        const WHOLE: &[(&str, &str)] = &[
            ("unknown_rows", "table_number, id, v_stamp, v_more"),
            ("shelf", "table_number, row, field"),
            ("strays", "table_number, row, key, change"),
        ];
        self.clear("unknown_rows", number, from)?;
        for (table, columns) in WHOLE {
            self.tx.execute(&format!("DELETE FROM {table} WHERE scope = ?1"), [number])?;
            let sql = format!(
                "INSERT OR IGNORE INTO {table} (scope, {columns}) SELECT ?1, {columns} FROM fresh.{table} WHERE scope = ?2"
            );
            self.tx.execute(&sql, (number, from))?;
        }
        // A writer of this process stays one; what the other file does not know of it is unsent and comes again.
        self.tx.execute("DELETE FROM writers WHERE scope = ?1 AND is_current = 0", [number])?;
        self.tx.execute("UPDATE writers SET upto = 0, beyond = NULL WHERE scope = ?1", [number])?;
        self.tx.execute(
            "INSERT INTO writers (writer, scope, device, upto, beyond)
             SELECT writer, ?1, device, upto, beyond FROM fresh.writers WHERE scope = ?2
             ON CONFLICT (writer) DO UPDATE SET upto = excluded.upto, beyond = excluded.beyond",
            (number, from),
        )?;
        self.any_awaited = true;
        let digest = "UPDATE scopes SET digest = (SELECT digest FROM fresh.scopes WHERE number = ?2) WHERE number = ?1";
        self.tx.execute(digest, (number, from))?;
        self.tally.replaced(&self.tx, number)?;
        self.set_cursor(scope, position, chain)
    }

    /// Takes the rows of a scope out, and those that bear the id of one of its rows under another scope's number: rows
    /// never change scope.
    fn clear(&self, table: &str, number: i64, from: i64) -> Result<()> {
        let id = if table == "unknown_rows" { "(table_number, id)" } else { "id" };
        let names = id.trim_matches(['(', ')']);
        let sql = format!(
            "DELETE FROM {table} WHERE scope = ?1
             OR {id} IN (SELECT {names} FROM fresh.{table} WHERE scope = ?2 AND v_stamp > 0)"
        );
        self.tx.execute(&sql, (number, from))?;
        self.clear_rest(table, number)
    }

    /// Takes out the rows of a scope that no search comes to, when there are any.
    pub(crate) fn clear_rest(&self, table: &str, number: i64) -> Result<()> {
        let left = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE scope = ?1)");
        if self.tx.query_row(&left, [number], |row| row.get(0))? {
            // A damaged id is not where its order says, and no search comes to it: the table is written anew.
            self.tx.execute_batch(&format!(
                "CREATE TEMP TABLE others AS SELECT * FROM main.{table} WHERE scope <> {number};
                 DELETE FROM main.{table};
                 INSERT OR IGNORE INTO main.{table} SELECT * FROM temp.others;
                 DROP TABLE temp.others;"
            ))?;
        }
        Ok(())
    }

    fn swap_awaited(&self, table: u8, own: &str, number: i64, fresh: &str, from: i64) -> Result<()> {
        let sql = format!("DELETE FROM awaited WHERE table_number = {table} AND row IN ({own})");
        self.tx.execute(&sql, [number])?;
        let sql = format!(
            "INSERT OR IGNORE INTO awaited (key, table_number, row)
             SELECT key, table_number, row FROM fresh.awaited WHERE table_number = {table} AND row IN ({fresh})"
        );
        self.tx.execute(&sql, [from])?;
        Ok(())
    }

    /// Takes the rows that a scope has of a table out of the search.
    pub(crate) fn unindex(&self, table: &Table, scope: i64) -> Result<()> {
        if search::is_indexed(table.number) {
            self.ids(table.plural, scope)?.into_iter().try_for_each(|id| search::remove(&self.tx, id))?;
        }
        Ok(())
    }

    fn ids(&self, plural: &str, scope: i64) -> Result<Vec<RowId>> {
        let mut get = self.tx.prepare(&format!("SELECT id FROM {plural} WHERE scope = ?1"))?;
        let ids = get.query_map([scope], |row| Ok(RowId(row.get(0)?)))?;
        Ok(ids.collect::<std::result::Result<_, _>>()?)
    }

    /// Takes in an own change again after [`Replica::swap_scope`], also one of a writer of this process. False when
    /// the rows that were swapped in hold it already.
    ///
    /// # Errors
    /// As [`Batch::apply`].
    pub fn replay(&mut self, scope: ScopeId, device: DeviceId, change: &Change) -> Result<bool> {
        let number = self.find_scope(scope)?.ok_or(Error::UnknownScope)?;
        if self.writers.is_noted(&self.tx, change.key)? {
            return Ok(false);
        }
        self.apply_rows(number, change)?;
        self.writers.add(&self.tx, change.key, number, device)?;
        self.drop_awaited(change.key)?;
        Ok(true)
    }
}
