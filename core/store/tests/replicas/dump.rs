//! All that a replica holds, as lines of text in an order that does not depend on how it came.

use langso_store::Replica;
use rusqlite::types::Value;

/// What is not a row of the record.
const KEEPING: [&str; 5] = ["awaited", "scopes", "shelf", "strays", "writers"];

/// Every row of every table, but the search: that is asked, not read. When a digest is written to the file is the
/// file's business.
pub fn dump(replica: &Replica) -> Vec<String> {
    dump_of(replica, |_| true)
}

/// The rows of the record alone.
pub fn rows(replica: &Replica) -> Vec<String> {
    dump_of(replica, |table| !KEEPING.contains(&table))
}

fn dump_of(replica: &Replica, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    for table in tables(replica).into_iter().filter(|table| wanted(table)) {
        let columns = if table == "scopes" { "number, scope, kind, position, chain" } else { "*" };
        let sql = format!("SELECT {columns} FROM {table}");
        let mut get = replica.connection().prepare_cached(&sql).expect("a table");
        let columns = get.column_count();
        let mut rows = get.query([]).expect("rows");
        let from = lines.len();
        while let Some(row) = rows.next().expect("a row") {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column).expect("a value")).collect();
            lines.push(format!("{table} {values:?}"));
        }
        lines[from..].sort();
    }
    lines
}

/// Takes every row out.
pub fn empty(replica: &Replica) {
    for table in tables(replica) {
        let mut all = replica.connection().prepare_cached(&format!("DELETE FROM {table}")).expect("a table");
        all.execute([]).expect("emptied");
    }
}

fn tables(replica: &Replica) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%' ORDER BY name";
    let mut list = replica.connection().prepare_cached(sql).expect("a list");
    let names = list.query_map([], |row| row.get(0)).expect("names");
    names.collect::<rusqlite::Result<_>>().expect("names")
}
