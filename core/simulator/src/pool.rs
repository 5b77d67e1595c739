//! Replicas in memory, emptied and used again: opening one costs a hundred times what a save costs.
//!
//! An emptied replica differs in nothing that a statement can see from a new one; the replay test holds the two
//! together. Also: copies of all that a file holds, as a backup program would make them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use langso_store::{CURRENT, Purpose, Replica};
use rusqlite::types::Value;

use crate::broken::Result;
use crate::newer;

/// What a replica was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// By the program of the newer schema.
    pub newer: bool,
    /// With its index for the search.
    pub searched: bool,
}

/// One table of the file.
#[derive(Debug)]
struct Table {
    name: String,
    select: String,
    delete: String,
    insert: String,
    columns: usize,
}

/// The tables of one kind of file.
#[derive(Debug)]
pub(crate) struct Tables {
    all: Vec<Table>,
    /// Gives the places of those that hold anything.
    filled: String,
}

/// All that a file holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copy(Vec<(usize, Vec<Value>)>);

/// A replica with what is needed to copy it.
#[derive(Debug)]
pub(crate) struct File {
    pub replica: Replica,
    pub kind: Kind,
    tables: Rc<Tables>,
    name: PathBuf,
}

/// Replicas that wait to be used again. One for each thread.
#[derive(Debug, Default)]
pub struct Pool {
    free: BTreeMap<Kind, Vec<File>>,
    /// Those that another file can read: in memory too, under a name of their own.
    named: BTreeMap<Kind, Vec<File>>,
}

impl Pool {
    /// An empty replica.
    pub(crate) fn take(&mut self, kind: Kind) -> Result<File> {
        let free = self.free.entry(kind).or_default();
        if let Some(file) = free.pop() {
            return Ok(file);
        }
        let schema = if kind.newer { newer::schema() } else { CURRENT };
        let purpose = if kind.searched { Purpose::Phone } else { Purpose::HubCache };
        let replica = Replica::in_memory(schema, purpose)?;
        // Room for the statements of the store and of this file alike.
        replica.connection().set_prepared_statement_cache_capacity(512);
        let tables = Rc::new(Tables::of(&replica)?);
        Ok(File { replica, kind, tables, name: PathBuf::new() })
    }

    /// An empty replica from which another may take its rows.
    pub(crate) fn take_named(&mut self, kind: Kind) -> Result<File> {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        if let Some(file) = self.named.entry(kind).or_default().pop() {
            return Ok(file);
        }
        let name = format!("file:/langso-simulator-{}?vfs=memdb", NAMES.fetch_add(1, Ordering::Relaxed));
        let name = PathBuf::from(name);
        let schema = if kind.newer { newer::schema() } else { CURRENT };
        let replica = Replica::open(&name, schema, Purpose::HubCache)?;
        let tables = Rc::new(Tables::of(&replica)?);
        Ok(File { replica, kind, tables, name })
    }

    /// Takes such a replica back.
    pub(crate) fn give_named(&mut self, mut file: File) -> Result {
        file.empty()?;
        self.named.entry(file.kind).or_default().push(file);
        Ok(())
    }

    /// Takes a replica back.
    pub(crate) fn give(&mut self, mut file: File) -> Result {
        file.empty()?;
        self.free.entry(file.kind).or_default().push(file);
        Ok(())
    }
}

impl Tables {
    fn of(replica: &Replica) -> Result<Self> {
        let connection = replica.connection();
        // The tables behind the search are written through it.
        let mut list = connection.prepare(
            "SELECT name, (SELECT count(*) FROM pragma_table_info(made.name)) FROM sqlite_schema AS made
             WHERE type = 'table' AND name NOT LIKE 'search\\_%' ESCAPE '\\' ORDER BY name",
        )?;
        let found = list.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
        let mut tables = Vec::new();
        for found in found {
            let (name, columns) = found?;
            let columns = columns as usize;
            let is_search = name == "search";
            let (columns, listed, into) = match is_search {
                true => (columns + 1, "rowid, folded, household", " (rowid, folded, household)"),
                false => (columns, "*", ""),
            };
            let places = vec!["?"; columns].join(", ");
            tables.push(Table {
                select: format!("SELECT {listed} FROM {name}"),
                delete: format!("DELETE FROM {name}"),
                insert: format!("INSERT INTO {name}{into} VALUES ({places})"),
                columns,
                name,
            });
        }
        let is_filled =
            |(at, table): (usize, &Table)| format!("SELECT {at} WHERE EXISTS (SELECT 1 FROM {})", table.name);
        let filled: Vec<String> = tables.iter().enumerate().map(is_filled).collect();
        Ok(Self { filled: filled.join(" UNION ALL "), all: tables })
    }
}

impl File {
    /// Takes out all that it holds.
    pub fn empty(&mut self) -> Result {
        self.replica.forget_digests();
        let filled = self.places()?;
        let batch = self.replica.begin()?;
        for at in filled {
            batch.connection().prepare_cached(&self.tables.all[at].delete)?.execute([])?;
        }
        batch.commit()?;
        self.replica.forget_digests();
        Ok(())
    }

    /// Under which another connection finds it.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Changes a row of a scope as a failing disk might; false when there is none.
    pub fn damage(&mut self, scope: i64, pick: impl FnOnce(usize) -> usize) -> Result<bool> {
        let connection = self.replica.connection();
        let mut filled = Vec::new();
        for table in self.replica.schema().registry.tables {
            let sql = format!("SELECT 1 FROM {} WHERE scope = ?1 AND v_stamp > 0", table.plural);
            if connection.prepare_cached(&sql)?.exists([scope])? {
                filled.push(table.plural);
            }
        }
        if filled.is_empty() {
            return Ok(false);
        }
        let table = filled[pick(filled.len())];
        let sql = format!(
            "UPDATE {table} SET v_stamp = v_stamp + 1
             WHERE id = (SELECT id FROM {table} WHERE scope = ?1 AND v_stamp > 0 ORDER BY id LIMIT 1)"
        );
        connection.prepare_cached(&sql)?.execute([scope])?;
        Ok(true)
    }

    /// What it holds now.
    pub fn copy(&self) -> Result<Copy> {
        let mut copy = Vec::new();
        for at in self.places()? {
            let table = &self.tables.all[at];
            let mut get = self.replica.connection().prepare_cached(&table.select)?;
            let mut rows = get.query([])?;
            while let Some(row) = rows.next()? {
                let values = (0..table.columns).map(|column| row.get(column));
                copy.push((at, values.collect::<rusqlite::Result<_>>()?));
            }
        }
        Ok(Copy(copy))
    }

    /// Holds what was copied from a file of its kind, and nothing else.
    pub fn restore(&mut self, copy: &Copy) -> Result {
        self.empty()?;
        let batch = self.replica.begin()?;
        for (at, values) in &copy.0 {
            let mut put = batch.connection().prepare_cached(&self.tables.all[*at].insert)?;
            put.execute(rusqlite::params_from_iter(values))?;
        }
        batch.commit()?;
        self.replica.forget_digests();
        Ok(())
    }

    /// The tables that hold anything.
    pub fn filled(&self) -> Result<Vec<&str>> {
        Ok(self.places()?.into_iter().map(|at| self.tables.all[at].name.as_str()).collect())
    }

    fn places(&self) -> Result<Vec<usize>> {
        let mut get = self.replica.connection().prepare_cached(&self.tables.filled)?;
        let places = get.query_map([], |row| Ok(row.get::<_, u32>(0)? as usize))?;
        Ok(places.collect::<rusqlite::Result<_>>()?)
    }
}
