//! All that a replica holds of one scope, in an order of its own, so that two replicas can be held together.
//!
//! Rows with their versions, unknown rows, shelf, and applied-memory. The numbers that a file gives to its scopes are
//! its own business and are left out.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::ScopeId;
use langso_domain::registry::Registry;
use rusqlite::types::ValueRef;

use crate::broken::{Promise, Result};
use crate::dice::mix;
use crate::pool::File;

/// One hash for each line of one scope, by table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dump {
    lines: Vec<(usize, u64)>,
}

/// Reads replicas of one schema.
#[derive(Debug)]
pub(crate) struct Dumper {
    /// A table and its statement: the number of the scope, then what is compared.
    tables: Vec<(&'static str, String)>,
}

/// Kept beside the rows, with what is compared of it.
const KEEPING: [(&str, &str); 3] = [
    (
        "unknown_rows",
        "SELECT scope, table_number, id, v_stamp, v_more FROM unknown_rows ORDER BY table_number, id",
    ),
    ("shelf", "SELECT scope, table_number, row, field FROM shelf ORDER BY table_number, row, field"),
    // A writer that was minted for a save that never was has no number yet.
    (
        "writers",
        "SELECT scope, writer, device, upto, beyond, is_current FROM writers
         WHERE upto > 0 OR beyond IS NOT NULL ORDER BY writer",
    ),
];

impl Dumper {
    /// Looks at the tables that were written to.
    pub fn new(registry: Registry, written: &BTreeSet<u8>) -> Self {
        let rows = registry.tables.iter().filter(|table| written.contains(&table.number)).map(|table| {
            let fields: String = table.fields.iter().map(|field| format!(", {}", field.name)).collect();
            let columns = format!("scope, id, v_stamp, v_more, void{fields}");
            (table.plural, format!("SELECT {columns} FROM {} ORDER BY id", table.plural))
        });
        Self { tables: rows.chain(KEEPING.map(|(name, sql)| (name, sql.to_owned()))).collect() }
    }

    /// All that a replica holds, by scope.
    pub fn dump(&self, file: &File) -> Result<BTreeMap<ScopeId, Dump>> {
        let scopes = file.replica.scopes()?;
        let mut dumps: Vec<(i64, Dump)> = scopes.iter().map(|of| (of.number, Dump::default())).collect();
        for (at, (name, sql)) in self.tables.iter().enumerate() {
            let mut get = file.replica.connection().prepare_cached(sql)?;
            let columns = get.column_count();
            let mut rows = get.query([])?;
            while let Some(row) = rows.next()? {
                let number: i64 = row.get(0)?;
                let mut line = 0;
                for column in 1..columns {
                    line = mix(line ^ hash(row.get_ref(column)?));
                }
                let dump = dumps.iter_mut().find(|(of, _)| *of == number);
                let dump =
                    dump.ok_or_else(|| Promise::ReplicasEqual.broken(format!("a stray row of {name}")))?;
                dump.1.lines.push((at, line));
            }
        }
        Ok(scopes.iter().zip(dumps).map(|(of, (_, dump))| (of.scope, dump)).collect())
    }

    /// Two replicas that have heard the same hold the same.
    pub fn must_be_equal(&self, found: &Dump, wanted: &Dump, whose: &str) -> Result {
        if found == wanted {
            return Ok(());
        }
        let of = |dump: &Dump, at| dump.lines.iter().filter(|(of, _)| *of == at).copied().collect::<Vec<_>>();
        let tables = self.tables.iter().enumerate();
        let differing =
            tables.filter(|(at, _)| of(found, *at) != of(wanted, *at)).map(|(_, (name, _))| *name);
        let differing: Vec<&str> = differing.collect();
        Err(Promise::ReplicasEqual.broken(format!("{whose} differs from a fresh replica in {differing:?}")))
    }
}

fn hash(value: ValueRef<'_>) -> u64 {
    let bytes = |kind: u64, bytes: &[u8]| {
        let length = mix(kind ^ (bytes.len() as u64) << 8);
        bytes.chunks(8).fold(length, |hash, part| {
            let word = part.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            mix(hash ^ word)
        })
    };
    match value {
        ValueRef::Null => mix(1),
        ValueRef::Integer(number) => mix(mix(2) ^ number as u64),
        ValueRef::Real(number) => mix(mix(3) ^ number.to_bits()),
        ValueRef::Text(text) => bytes(4, text),
        ValueRef::Blob(blob) => bytes(5, blob),
    }
}

impl Dump {
    pub fn hash(&self) -> u64 {
        self.lines.iter().fold(0, |hash, (table, line)| mix(hash ^ mix(*table as u64) ^ line))
    }
}
