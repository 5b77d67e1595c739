//! Backups as an operator makes them: beside a hub that serves, on a full disk, killed at every point, and back.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Desk, Hub, Serving, files, finish, langso};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A hub with a lead's phone whose one visit has arrived.
fn worked() -> Hub {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.phone("lead", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    hub.phone("lead", &["sync"]);
    hub
}

fn status(desk: &Desk, at: &str) -> Value {
    json(&desk.run(&["admin", "--at", at, "status", "--json"]).ok())
}

#[test]
fn without_a_backup_the_operator_is_told_and_after_one_how_old_it_is() {
    let hub = worked();
    assert_eq!(hub.serving.greeting["backup_at_ms"], Value::Null);
    let said = hub.desk.run(&["admin", "--at", "hub", "status"]).ok();
    assert!(said.contains("CHƯA CÓ BẢN SAO LƯU"), "{said}");
    let before = status(&hub.desk, "hub");
    assert_eq!((&before["last_backup"], &before["backed_up"]), (&Value::Null, &0.into()));
    assert!(hub.phone("lead", &["status", "--json"]).contains("\"in_backup\":0"));

    let made = json(&hub.desk.run(&["admin", "--at", "hub", "backup", "shelf", "--json"]).ok());
    let after = status(&hub.desk, "hub");
    assert_eq!((&after["backed_up"], &after["changes"]), (&made["changes"], &made["changes"]));
    hub.phone("lead", &["sync"]);
    assert!(hub.phone("lead", &["status", "--json"]).contains("\"at_hub\":0,\"in_backup\":1"));
    let said = hub.desk.run(&["--lang", "en", "admin", "--at", "hub", "status"]).ok();
    assert!(said.contains("Last backup: ") && said.contains("less than an hour ago"), "{said}");

    let Hub { desk, serving } = hub;
    let (_, log) = serving.stop();
    assert!(log.contains("no backup of these days"), "{log}");
    // Three days on, as far as the log knows.
    let file = rusqlite::Connection::open(desk.path("hub/hub.db")).expect("the log");
    file.execute("UPDATE backups SET at = at - 3 * 86400000", []).expect("altered");
    drop(file);
    let said = desk.run(&["admin", "--at", "hub", "status"]).ok();
    assert!(said.contains("3 ngày trước") && said.contains("ĐÃ LÂU"), "{said}");
    let serving = Serving::start(&desk, &["--data", "hub", "--listen", "127.0.0.1:0"]);
    assert!(serving.greeting["backup_at_ms"].is_i64(), "{}", serving.greeting);
    assert!(serving.stop().1.contains("no backup of these days"));
}

#[test]
fn backups_are_listed_verified_and_found_damaged_and_the_words_say_which_file() {
    let hub = worked();
    let admin = |args: &[&str]| hub.desk.run(&[&["admin"], args].concat());
    assert!(admin(&["--at", "hub", "backup"]).fails(2).contains("input.missing"));
    assert!(admin(&["backup", "shelf"]).fails(2).contains("cli.no_data"));
    assert!(admin(&["backup", "list", "shelf"]).fails(1).contains("backup.file"));
    let made = |_| json(&admin(&["--at", "hub", "backup", "shelf", "--json"]).ok());
    let [first, second] = [0, 1].map(made).map(|made| made["folder"].as_str().expect("a folder").to_owned());
    let said = admin(&["backup", "verify", &first]).ok();
    assert!(said.contains("còn nguyên vẹn"), "{said}");
    std::fs::create_dir(hub.desk.path("shelf/unfinished-langso-20200101-000000")).expect("a folder");

    let key = hub.desk.path(&first).join("hub.key");
    let mut bytes = std::fs::read(&key).expect("the key");
    bytes[30] ^= 1;
    std::fs::write(&key, bytes).expect("damaged");
    let said = admin(&["backup", "verify", &first]).fails(1);
    assert!(said.contains("hub.key") && said.contains("[backup.altered]"), "{said}");
    let said = admin(&["restore", &first, "--to", "again"]).fails(1);
    assert!(said.contains("[backup.altered]") && !hub.desk.path("again").exists(), "{said}");
    let listed = json(&admin(&["backup", "list", "shelf", "--json"]).ok());
    let states: Vec<_> = listed.as_array().expect("a list").iter().map(|one| one["state"].as_str()).collect();
    assert_eq!(states, [Some("whole"), Some("damaged"), Some("unfinished")]);
    assert_eq!(listed[0]["folder"], second.as_str());
    let said = admin(&["backup", "list", "shelf"]).ok();
    assert!(said.contains("còn nguyên") && said.contains("HỎNG") && said.contains("chưa xong"), "{said}");
    assert!(admin(&["backup", "verify", "shelf"]).fails(1).contains("backup.none"));
}

#[test]
fn a_restored_hub_serves_its_phones_on_and_a_folder_with_something_in_it_is_left_alone() {
    let hub = worked();
    let made = json(&hub.desk.run(&["admin", "--at", "hub", "backup", "shelf", "--json"]).ok());
    let backup = made["folder"].as_str().expect("a folder").to_owned();
    let restore = |to: &str| hub.desk.run(&["admin", "restore", &backup, "--to", to]);
    let before = files(&hub.desk.path("lead"));
    for to in ["hub", "lead"] {
        assert!(restore(to).fails(1).contains("backup.not_empty"));
    }
    assert_eq!(files(&hub.desk.path("lead")), before);
    let said = restore("again").ok();
    assert!(said.contains("langso serve --data again") && said.contains("tự nhận ra"), "{said}");

    let Hub { desk, serving } = hub;
    let address = serving.address().to_owned();
    assert_eq!(serving.stop().0, 0);
    let _again = Serving::start(&desk, &["--data", "again", "--listen", &address]);
    let phone = |args: &[&str]| desk.run(&[&["phone", "--at", "lead"], args].concat()).ok();
    phone(&["sync"]);
    assert!(phone(&["status", "--json"]).contains("\"on_phone\":0,\"at_hub\":0,\"in_backup\":1"));
    phone(&["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    phone(&["sync"]);
    assert!(phone(&["status", "--json"]).contains("\"on_phone\":0,\"at_hub\":1,\"in_backup\":1"));
    assert_eq!(status(&desk, "again")["last_backup"]["changes"], made["changes"]);
}

/// The program where no file gets longer than so many blocks of 512 bytes.
#[cfg(unix)]
fn within(blocks: u64) -> Command {
    let mut shell = Command::new("sh");
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    shell.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_langso")]);
    shell
}

#[test]
#[cfg(unix)]
fn a_disk_without_room_ends_the_backup_and_touches_nothing() {
    let hub = worked();
    let desk = &hub.desk;
    desk.run(&["admin", "--at", "hub", "backup", "shelf"]).ok();
    hub.phone("lead", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    hub.phone("lead", &["sync"]);
    let (before, standing) = (shelf(desk), status(desk, "hub"));
    let whole = std::fs::metadata(desk.path("hub/hub.db")).expect("the log").len() / 512;
    let mut ended = 0;
    for part in [2, 3, 10] {
        let mut command = within(whole.max(400) * part / 11);
        command.args(["admin", "--at", "hub", "backup", "shelf"]).current_dir(desk.folder.path());
        let ran = finish(command, "");
        if ran.code == 0 {
            continue;
        }
        ended += 1;
        assert!(ran.err.contains("Lỗi: "), "{ran:?}");
        assert_eq!(shelf(desk), before);
        let now = status(desk, "hub");
        assert_eq!((&now["backed_up"], &now["last_backup"]["at_ms"]), {
            (&standing["backed_up"], &standing["last_backup"]["at_ms"])
        });
    }
    assert!(ended >= 2, "{ended}");
}

/// The folders of a shelf, each with its files.
fn shelf(desk: &Desk) -> Vec<(String, std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>)> {
    let entries = std::fs::read_dir(desk.path("shelf")).expect("a shelf").flatten();
    let mut found: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), files(&entry.path())))
        .collect();
    found.sort();
    found
}

#[test]
fn a_backup_killed_at_any_point_never_looks_whole_and_raises_nothing_before_it_is() {
    let hub = worked();
    let desk = &hub.desk;
    let (mut cut, mut whole) = (0, 0);
    for point in ["hub.db", "hub.key", "manifest.json", "SHA256SUMS"].repeat(3) {
        let before = status(desk, "hub");
        let known: Vec<String> = names(&desk.path("shelf"));
        let mut child = langso()
            .args(["admin", "--at", "hub", "backup", "shelf"])
            .current_dir(desk.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        // The moment that its work has come so far, or it has ended.
        while child.try_wait().expect("a child").is_none() {
            let begun = names(&desk.path("shelf")).into_iter().filter(|name| !known.contains(name));
            if begun.into_iter().any(|name| desk.path("shelf").join(name).join(point).exists()) {
                break;
            }
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().expect("it ends");
        let listed = json(&desk.run(&["admin", "backup", "list", "shelf", "--json"]).ok());
        let new: Vec<&Value> = listed
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| {
                known.iter().all(|known| !one["folder"].as_str().unwrap_or_default().ends_with(known))
            })
            .collect();
        assert!(new.len() <= 1, "{new:?}");
        let after = status(desk, "hub");
        match new.first().and_then(|one| one["state"].as_str()) {
            Some("whole") => whole += 1,
            Some("unfinished") => {
                cut += 1;
                assert_eq!(after["backed_up"], before["backed_up"]);
                assert_eq!(after["last_backup"]["at_ms"], before["last_backup"]["at_ms"]);
            }
            None => assert_eq!(after["backed_up"], before["backed_up"]),
            other => panic!("{other:?}"),
        }
    }
    assert!(cut > 0, "{cut} cut, {whole} whole");
    println!("{cut} cut, {whole} ended before");
    desk.run(&["admin", "--at", "hub", "backup", "shelf"]).ok();
    let now = status(desk, "hub");
    assert_eq!(now["backed_up"], now["changes"]);
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
