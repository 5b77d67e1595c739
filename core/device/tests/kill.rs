//! SIGKILL in the middle of a save: what was answered is there, whole, and no number is given twice.
//!
//! The app that is killed is this program itself, started once more with a folder to save into. A long form runs with
//! `LANGSO_LONG=1`.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_device::{Phone, SystemTime};
use langso_faults::{Disk, Fault};
use langso_sync::change;
use support::{MEMBER, Team};

/// Set in the process that is killed: where it saves.
const FOLDER: &str = "LANGSO_SAVES_INTO";
/// Set beside it in the process that ends at a call: which one, by its number.
const CALL: &str = "LANGSO_ENDS_AT_CALL";

/// One test at a time: a process being started holds, until it runs, whatever files its parent has open, and so the locks
/// of folders that another test has just closed.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_long() -> bool {
    std::env::var_os("LANGSO_LONG").is_some_and(|long| long == "1")
}

/// This program once more, to run the test that runs now.
fn app(folder: &Path) -> Command {
    let mut app = Command::new(std::env::current_exe().expect("a program"));
    app.args(["--exact", std::thread::current().name().expect("a test"), "--nocapture"]).env(FOLDER, folder);
    app.stdout(Stdio::piped()).stderr(Stdio::null());
    app
}

#[test]
fn an_app_killed_in_the_middle_of_a_save_loses_nothing_that_it_answered_and_gives_no_number_twice() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return save_for_ever(Path::new(&folder));
    }
    let _turn = turn();
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone.kill();
    let mut answered = BTreeSet::new();
    let mut writers = BTreeSet::new();
    let lives = if is_long() { 400 } else { 24 };
    for life in 0..lives {
        let mut app = app(phone.path()).spawn().expect("starts");
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
    assert!(answered.len() >= lives);
    assert_eq!(writers.len(), 2 * lives, "a writer for each scope and life");
    println!("resilience: kill_save cases={lives} lost=0 seed=0");
}

/// A copy of a phone's folder as it lies there.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(folder).expect("listed") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("copied");
    }
    copy
}

#[test]
fn an_app_that_ends_at_any_call_of_a_save_or_of_a_rebuild_leaves_a_phone_that_opens_with_all_it_had() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let n = std::env::var(CALL).expect("a number").parse().expect("a number");
        let disk = Disk::under(Path::new(&folder));
        disk.fail_at(n, Fault::Kill);
        let mut phone = Phone::open(Path::new(&folder), Arc::new(SystemTime)).expect("opens");
        let saved =
            phone.save(|saving| saving.create("household", [("label", "Hộ lúc hỏng".into())]).map(drop));
        saved.expect("saves");
        return;
    }
    let _turn = turn();
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    for n in 0..3 {
        phone.household(&team, &format!("Hộ {n}"), 2);
    }
    phone.app();
    let before: BTreeSet<_> = phone.written().into_iter().map(|(_, change)| change.key).collect();
    phone.kill();
    let mut cases = 0;
    for is_damaged in [false, true] {
        let (mut n, step) = (1, if is_long() { 1 } else { 11 });
        loop {
            let folder = copy(phone.path());
            if is_damaged {
                let database = folder.path().join("phone.db");
                let mut bytes = std::fs::read(&database).expect("read");
                bytes[..16].fill(0);
                std::fs::write(&database, bytes).expect("damaged");
            }
            let run = app(folder.path()).env(CALL, n.to_string()).output().expect("runs");
            let what = format!("damaged: {is_damaged}, call {n}");
            let opened = Phone::open(folder.path(), phone.time.clone()).expect(&what);
            let mut get = opened.connection().prepare("SELECT bytes FROM outbox").expect("reads");
            let found = get.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads");
            let found: Vec<_> =
                found.map(|bytes| change::scan(&bytes.expect("a row")).expect("whole").0.key).collect();
            let distinct: BTreeSet<_> = found.iter().copied().collect();
            assert_eq!(distinct.len(), found.len(), "{what}: a key twice");
            assert!(before.is_subset(&distinct), "{what}: lost");
            assert!(distinct.len() <= before.len() + 1, "{what}: made up");
            let labels = "SELECT count(*) FROM live_households";
            let labels: u32 = opened.connection().query_row(labels, [], |row| row.get(0)).expect("counted");
            assert_eq!(labels as usize, distinct.len(), "{what}: rows and changes differ");
            if run.status.success() {
                assert_eq!(distinct.len(), before.len() + 1, "{what}");
                break;
            }
            cases += 1;
            n += step;
        }
    }
    println!("resilience: kill_at_call cases={cases} lost=0 seed=0");
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
