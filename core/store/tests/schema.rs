//! The schema file is the registry, and an upgrade ends where a fresh file begins.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

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

/// In the environment of a process that opens the files it is told: their folder.
const OPENS_IN: &str = "LANGSO_OPENS_IN";

/// Opens each file that is named to it, and says what came of it.
fn open_as_told(folder: &Path) {
    for name in std::io::stdin().lock().lines() {
        let path = folder.join(name.expect("a name"));
        let opened = Replica::open(&path, STORED, Purpose::HubCache).map(drop);
        println!("opened {opened:?}");
    }
}

#[test]
fn processes_that_make_a_new_file_at_the_same_moment_wait_for_each_other() {
    if let Some(folder) = std::env::var_os(OPENS_IN) {
        return open_as_told(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let name = "processes_that_make_a_new_file_at_the_same_moment_wait_for_each_other";
    let begin = |_| {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([name, "--exact", "--nocapture"])
            .env(OPENS_IN, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let (told, says) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        (child, told, BufReader::new(says).lines())
    };
    let mut processes: Vec<_> = (0..4).map(begin).collect();
    for round in 0..100 {
        for (_, told, _) in &mut processes {
            writeln!(told, "{round}.db").expect("told");
        }
        for (_, _, says) in &mut processes {
            // The harness of the tests says something first.
            let said = says.map_while(Result::ok).find(|line| line.contains("opened ")).expect("an answer");
            assert!(said.ends_with("opened Ok(())"), "round {round}: {said}");
        }
    }
    for (mut child, told, _) in processes {
        drop(told);
        assert!(child.wait().expect("ended").success());
    }
}
