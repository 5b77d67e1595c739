//! A folder that cannot be written: the phone opens for reading, says so, and changes not a byte.
//!
//! Whoever may do everything can write everywhere: the app is this program once more, as somebody without rights.

#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use langso_device::{AppError, Companion, SystemTime};
use serde_json::json;
use support::{MEMBER, Team};

const FOLDER: &str = "LANGSO_READS";
const NOBODY: u32 = 65_534;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).expect("listed").map(|file| file.expect("a file"));
    files
        .map(|file| {
            (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).expect("read"))
        })
        .collect()
}

fn set_rights(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("rights");
}

#[test]
fn a_phone_in_a_folder_that_cannot_be_written_opens_for_reading_and_says_so() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return look(Path::new(&folder));
    }
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone.household(&team, "Hộ 1", 2);
    phone.app();
    // Killed in the middle, and closed: with a log of SQLite's and without.
    for is_open in [true, false] {
        if !is_open {
            phone.kill();
        }
        let there = tempfile::tempdir().expect("a folder");
        let folder = there.path().join("phone");
        std::fs::create_dir(&folder).expect("a folder");
        for (name, bytes) in files(phone.path()) {
            std::fs::write(folder.join(&name), bytes).expect("copied");
            set_rights(&folder.join(name), 0o444);
        }
        set_rights(&folder, 0o555);
        set_rights(there.path(), 0o755);
        let before = files(&folder);
        let program = there.path().join("app");
        std::fs::copy(std::env::current_exe().expect("a program"), &program).expect("copied");
        set_rights(&program, 0o755);
        let mut app = Command::new(program);
        app.args(["--exact", std::thread::current().name().expect("a test")]).env(FOLDER, &folder);
        if rustix::process::getuid().is_root() {
            app.uid(NOBODY).gid(NOBODY);
        }
        let ran = app.current_dir("/").output().expect("runs");
        assert!(ran.status.success(), "open: {is_open}: {}", String::from_utf8_lossy(&ran.stdout));
        assert_eq!(files(&folder), before, "open: {is_open}: not a byte has changed");
        set_rights(&folder, 0o755);
    }
}

fn look(folder: &Path) {
    assert!(std::fs::write(folder.join("probe"), b"").is_err(), "the folder can be written after all");
    let app = Companion::open(folder, Arc::new(SystemTime)).expect("opens");
    let state = app.call("phone.get_state", json!({})).expect("a state");
    assert_eq!((&state["is_read_only"], &state["unsent"]), (&json!(true), &json!(1)));
    let problems = app.call("sync.list_sync_problems", json!({})).expect("a list");
    assert_eq!(problems["problems"][0], json!("read_only"));
    let listed = app.call("households.list_households", json!({})).expect("reads");
    assert_eq!(listed["households"][0]["label"], "Hộ 1");
    let consent = json!({"text": "consent.script@1", "way": 1});
    let new = json!({"label": "Hộ 2", "hint": "", "persons": [], "consent": consent});
    let refused = app.call("households.create_household", new).expect_err("refused");
    assert_eq!(refused, AppError::Locked { why: "folder_read_only".to_owned() });
}
