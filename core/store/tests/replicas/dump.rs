//! All that a replica holds, as lines of text in an order that does not depend on how it came.

use langso_store::Replica;
use rusqlite::types::Value;

/// Every row of every table, but the search: that is asked, not read.
pub fn dump(replica: &Replica) -> Vec<String> {
    let mut lines = Vec::new();
    for table in tables(replica) {
        let mut get =
            replica.connection().prepare_cached(&format!("SELECT * FROM {table}")).expect("a table");
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
