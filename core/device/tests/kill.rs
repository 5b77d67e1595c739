//! SIGKILL in the middle of a save: what was answered is there, whole, and no number is given twice.
//!
//! The app that is killed is this program itself, started once more with a folder to save into.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use langso_device::{Phone, SystemTime};
use support::{MEMBER, Team};

/// Set in the process that is killed: where it saves.
const FOLDER: &str = "LANGSO_SAVES_INTO";
const LIVES: usize = 24;

#[test]
fn an_app_killed_in_the_middle_of_a_save_loses_nothing_that_it_answered_and_gives_no_number_twice() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return save_for_ever(Path::new(&folder));
    }
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone.kill();
    let mut answered = BTreeSet::new();
    let mut writers = BTreeSet::new();
    for life in 0..LIVES {
        let mut app = Command::new(std::env::current_exe().expect("a program"))
            .args(["--exact", std::thread::current().name().expect("a test"), "--nocapture"])
            .env(FOLDER, phone.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(app.stdout.take().expect("piped")).lines();
        let labels = lines.map_while(Result::ok).filter(|line| line.starts_with("Hộ "));
        // The next save is under way when the last answer is read; more answers may lie in the pipe.
        let mut labels = labels.fuse();
        answered.extend(labels.by_ref().take(1 + life % 7));
        app.kill().expect("kills");
        app.wait().expect("ends");
        answered.extend(labels);

        let written = phone.written();
        let keys: BTreeSet<_> = written.iter().map(|(_, change)| change.key).collect();
        assert_eq!(keys.len(), written.len(), "a number was given twice");
        writers.extend(keys.iter().map(|key| key.writer));
        let (saved, runs): (BTreeSet<String>, u32) = phone.with_replica(|replica| {
            let mut get = replica.connection().prepare("SELECT label FROM live_households").expect("reads");
            let labels = get.query_map([], |row| row.get(0)).expect("reads");
            let runs = "SELECT count(*) FROM live_checklist_runs";
            let runs = replica.connection().query_row(runs, [], |row| row.get(0)).expect("reads");
            (labels.map(|label| label.expect("a label")).collect(), runs)
        });
        assert!(answered.is_subset(&saved), "life {life}: answered and lost");
        assert_eq!(saved.len() as u32, runs, "life {life}: half a save");
        assert_eq!(written.len(), 2 * saved.len(), "life {life}: rows and outbox differ");
    }
    assert!(answered.len() >= LIVES);
    assert_eq!(writers.len(), 2 * LIVES, "a writer for each scope and life");
}

/// Saves in two scopes, says what was saved, and so on until somebody ends it.
fn save_for_ever(folder: &Path) {
    let mut phone = Phone::open(folder, Arc::new(SystemTime)).expect("opens");
    for number in 0.. {
        let label = format!("Hộ {number} của máy {}", std::process::id());
        let saved = phone.save(|saving| {
            saving.create("household", [("label", label.as_str().into())])?;
            saving.create("checklist_run", [("tutorial", "T1@1".into()), ("steps", vec![1, 1].into())])
        });
        saved.expect("saves");
        writeln!(std::io::stdout(), "{label}").expect("says so");
    }
}
