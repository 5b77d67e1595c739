//! Every kind of file that the house makes, looked into without a byte of it changing.

mod support;

use std::path::Path;

use support::{Desk, Hub, files};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/frames").join(name);
    path.to_str().expect("a path").to_owned()
}

/// A team's hub and a phone that has written a contact, synced, and a visit that has not arrived.
fn lived() -> Hub {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let add =
        ["household", "add", "--person", "female,b60", "--consent", "witness", "--contact-consent", "tick"];
    hub.phone(
        "lead",
        &[&add[..], &["--contact-name", "Bàn Văn Ba", "--contact-phone", "0912345678"]].concat(),
    );
    hub.phone("lead", &["sync"]);
    hub.phone("lead", &["visit", "log", "--household", "Hộ 1", "--service", "T1=new"]);
    hub
}

#[test]
fn a_frame_is_told_with_its_changes_and_a_damaged_one_says_where() {
    let desk = Desk::new();
    let told = desk.run(&["inspect", &fixture("hub.frame")]).ok();
    for part in ["scope", "positions", "#71", "+ visit", "service=T3"] {
        let english = desk.run(&["inspect", "--lang", "en", &fixture("hub.frame")]).ok();
        assert!(told.contains(part) || english.contains(part), "{part}: {english}");
    }
    let short = desk.run(&["inspect", "--limit", "1", &fixture("hub.frame")]).ok();
    assert!(short.contains("9 mục nữa"), "{short}");
    let bytes = std::fs::read(fixture("hub.frame")).expect("bytes");
    std::fs::write(desk.path("two.frame"), [&bytes[..], &bytes].concat()).expect("written");
    assert!(desk.run(&["inspect", "two.frame"]).ok().contains("2 khung"));
    std::fs::write(desk.path("cut.frame"), &bytes[..bytes.len() - 1]).expect("written");
    let said = desk.run(&["inspect", "cut.frame"]).fails(1);
    assert!(said.contains("cut.frame @0") && said.contains("cli.damaged"), "{said}");
    let mut later = bytes;
    later[2] = 9;
    std::fs::write(desk.path("later.frame"), later).expect("written");
    assert!(desk.run(&["inspect", "later.frame"]).fails(1).contains("outdated_app"));
}

#[test]
fn a_phone_is_told_with_outbox_journal_and_rows_and_nothing_of_it_changes() {
    let hub = lived();
    let before = files(&hub.desk.path("lead"));
    let told = hub.desk.run(&["inspect", "lead"]).ok();
    for part in [
        "điện thoại",
        "Outbox: 2",
        "1 có biên nhận",
        "nhật ký máy, 2 bản ghi",
        "household",
        "+ contact",
        "•••",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("Bàn Văn Ba") && !told.contains("0912345678"), "contacts are masked: {told}");
    let rows = hub.desk.run(&["inspect", "lead", "--table", "contact"]).ok();
    assert!(rows.contains("•••") && !rows.contains("0912345678"), "{rows}");
    let open = hub.desk.run(&["inspect", "lead", "--table", "contacts", "--show-personal"]).ok();
    assert!(open.contains("Bàn Văn Ba") && open.contains("0912345678"), "{open}");
    let outbox = hub.desk.run(&["inspect", "lead", "--part", "outbox"]).ok();
    assert!(outbox.contains("+ service_row") && !outbox.contains("nhật ký máy"), "{outbox}");
    hub.desk.run(&["inspect", "lead/journal"]).ok();
    assert!(hub.desk.run(&["inspect", "lead/phone.key"]).ok().contains("khóa bí mật"));
    assert_eq!(before, files(&hub.desk.path("lead")), "not a byte has changed");
    assert!(hub.desk.run(&["inspect", "lead", "--table", "visitt"]).fails(2).contains("visitt"));
}

#[test]
fn a_torn_journal_shows_what_is_whole_and_says_where_it_ends() {
    let hub = lived();
    let journal = hub.desk.path("lead/journal");
    let bytes = std::fs::read(&journal).expect("bytes");
    std::fs::write(hub.desk.path("journal"), &bytes[..bytes.len() - 3]).expect("written");
    let ran = hub.desk.run(&["inspect", "journal"]);
    assert!(ran.out.contains("+ household") && !ran.out.contains("+ visit"), "{}", ran.out);
    assert!(ran.fails(1).contains("cli.damaged"));
}

#[test]
fn a_running_hubs_log_is_told_without_standing_in_its_way() {
    let hub = lived();
    let told = hub.desk.run(&["inspect", "hub"]).ok();
    for part in ["sổ của máy chủ", "Tổ thôn Ngàn Chi", "+ team ", "+ household", "•••"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("0912345678"), "{told}");
    hub.phone("lead", &["sync"]);
    let told = hub.desk.run(&["inspect", "hub", "--limit", "1"]).ok();
    assert!(told.contains("+ visit"), "what came since: {told}");
    assert!(hub.desk.run(&["inspect", "hub/hub.key"]).ok().contains("khóa bí mật"));
}

#[test]
fn a_copied_database_with_its_write_ahead_log_is_read_whole() {
    let hub = lived();
    let (from, to) = (hub.desk.path("hub"), hub.desk.path("copy"));
    std::fs::create_dir(&to).expect("a folder");
    for name in ["hub.db", "hub.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).expect("copied");
    }
    let before = files(&to);
    assert!(hub.desk.run(&["inspect", "copy"]).ok().contains("Tổ thôn Ngàn Chi"));
    assert_eq!(before, files(&to), "nor is anything left beside it");
}

#[test]
fn what_is_none_of_ours_is_said_to_be_none() {
    let desk = Desk::new();
    desk.write("note.txt", "Hộ 12");
    desk.write("empty", "");
    for name in ["note.txt", "empty", "."] {
        let said = desk.run(&["inspect", name]).fails(1);
        assert!(said.contains("cli.not_this_kind"), "{said}");
    }
    assert!(desk.run(&["inspect", "none"]).fails(1).contains("cli.file"));
    std::fs::write(desk.path("bad.db"), [&b"SQLite format 3\0"[..], &[7; 500]].concat()).expect("written");
    let said = desk.run(&["inspect", "bad.db"]).fails(1);
    assert!(said.contains("corrupt") || said.contains("cli.file"), "{said}");
}

#[test]
fn a_frame_of_a_snapshot_is_told_by_its_place_and_what_it_holds() {
    let told = Desk::new().run(&["inspect", &fixture("state.frame")]).ok();
    assert!(told.contains("1 / 2"), "{told}");
}
