//! The schema file is the registry, and an upgrade ends where a fresh file begins.

use langso_domain::registry::CURRENT;
use langso_store::{CURRENT as STORED, Purpose, Replica, create_table_sql};

fn record_sql() -> String {
    let mut sql = String::from(
        "-- The record: one table for each table of the registry, with the columns of every row before its fields.\n\
         -- Written out of the registry (core/domain/src/registry); a test holds the two together.\n",
    );
    for table in CURRENT.tables {
        sql.push('\n');
        sql.push_str(&create_table_sql(table));
    }
    sql
}

#[test]
fn the_record_file_is_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/0001_record.sql");
    if std::env::var_os("LANGSO_WRITE_GOLDEN").is_some() {
        std::fs::write(path, record_sql()).expect("written");
    }
    let file = std::fs::read_to_string(path).expect("the file");
    assert!(file == record_sql(), "run this test with LANGSO_WRITE_GOLDEN=1, then read the difference");
}

#[test]
fn who_opens_a_new_file_at_the_same_moment_waits_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..40 {
        let path = folder.path().join(format!("{round}.db"));
        let together = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    Replica::open(&path, STORED, Purpose::HubCache).expect("opens");
                });
            }
        });
    }
}
