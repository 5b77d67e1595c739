//! All that a replica holds of one scope, in an order of its own, so that two replicas can be held together.
//!
//! Rows with their versions, unknown rows, shelf, and applied-memory. The numbers that a file gives to its scopes are
//! its own business and are left out.

use langso_domain::id::ScopeId;
use rusqlite::types::ValueRef;

use crate::broken::{Promise, Result};
use crate::dice::mix;
use crate::pool::File;

/// One hash for each line, by table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dump {
    lines: Vec<(usize, u64)>,
    tables: Vec<String>,
}

/// Kept beside the rows, with what is compared of it.
const KEEPING: [&str; 3] = [
    "SELECT table_number, id, v_stamp, v_more FROM unknown_rows WHERE scope = ?1 ORDER BY table_number, id",
    "SELECT table_number, row, field FROM shelf WHERE scope = ?1 ORDER BY table_number, row, field",
    // A writer that was minted for a save that never was has no number yet.
    "SELECT writer, device, upto, beyond, is_current FROM writers
     WHERE scope = ?1 AND (upto > 0 OR beyond IS NOT NULL) ORDER BY writer",
];

/// Reads a scope's rows.
pub(crate) fn dump(file: &File, scope: ScopeId) -> Result<Dump> {
    let connection = file.replica.connection();
    let mut find = connection.prepare_cached("SELECT number FROM scopes WHERE scope = ?1")?;
    let number: i64 = find.query_row([scope.0], |row| row.get(0))?;
    let mut lines = Vec::new();
    let mut tables = Vec::new();
    let registry = file.replica.schema().registry;
    let rows = registry.tables.iter().map(|table| {
        let fields: String = table.fields.iter().map(|field| format!(", {}", field.name)).collect();
        let sql = format!(
            "SELECT id, v_stamp, v_more, void{fields} FROM {} WHERE scope = ?1 ORDER BY id",
            table.plural
        );
        (table.plural, sql)
    });
    let keeping = KEEPING.iter().map(|sql| ("keeping", (*sql).to_owned()));
    for (at, (name, sql)) in rows.chain(keeping).enumerate() {
        tables.push(name.to_owned());
        let mut get = connection.prepare_cached(&sql)?;
        let columns = get.column_count();
        let mut rows = get.query([number])?;
        while let Some(row) = rows.next()? {
            let mut line = 0;
            for column in 0..columns {
                line = mix(line ^ hash(row.get_ref(column)?));
            }
            lines.push((at, line));
        }
    }
    Ok(Dump { lines, tables })
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

    /// Two replicas that have heard the same hold the same.
    pub fn must_be(&self, wanted: &Self, whose: &str) -> Result {
        if self == wanted {
            return Ok(());
        }
        let differs = |at: &usize| {
            let of = |dump: &Self| dump.lines.iter().filter(|(of, _)| of == at).copied().collect::<Vec<_>>();
            of(self) != of(wanted)
        };
        let differing: Vec<&String> =
            (0..self.tables.len()).filter(differs).map(|at| &self.tables[at]).collect();
        Err(Promise::ReplicasEqual.broken(format!("{whose} differs from a fresh replica in {differing:?}")))
    }
}
