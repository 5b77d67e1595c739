//! A phone that no longer works: what it had not sent is rescued out of its folder, without changing the folder, and
//! reaches the hub.

mod support;

use std::fs;

use support::{Hub, files};

/// A member's phone with two visits of which the hub knows the first.
fn phone_with_work(hub: &Hub) {
    hub.enrol("member", "Múi");
    log(hub, "T1=new");
    hub.phone("member", &["sync"]);
    log(hub, "T2=later:M1");
    log(hub, "T1=refused:H1");
}

fn log(hub: &Hub, service: &str) {
    hub.phone("member", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", service]);
}

fn count(told: &str) -> usize {
    told.lines().filter(|line| line.contains("visit x1")).count()
}

/// The first number of the line that says so.
fn number(told: &str, of: &str) -> u32 {
    let line = told.lines().find(|line| line.contains(of)).expect(of);
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}

#[test]
fn what_is_unsent_is_rescued_out_of_a_whole_folder_and_reaches_the_hub_once() {
    let hub = Hub::start();
    phone_with_work(&hub);
    let before = files(&hub.desk.path("member"));
    let rescue = ["phone", "rescue", "member", "--to", "member.frames"];
    let told = hub.desk.run(&rescue).ok();
    assert_eq!(count(&told), 2, "what the hub has is left out: {told}");
    assert_eq!(files(&hub.desk.path("member")), before, "not a byte has changed");
    assert!(!hub.desk.path("member.frames.work").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(hub.desk.path("member.frames")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let written = fs::read(hub.desk.path("member.frames")).expect("a file");
    hub.desk.run(&rescue).fails(2);
    assert_eq!(fs::read(hub.desk.path("member.frames")).expect("a file"), written, "never written over");

    assert!(hub.desk.run(&["inspect", "member.frames"]).ok().contains("+ visit"));
    let import = ["admin", "--at", "hub", "import-rescue", "member.frames"];
    let told = hub.desk.run(&import).ok();
    assert!(number(&told, "vào sổ") >= 2, "{told}");
    let again = hub.desk.run(&import).ok();
    assert_eq!(number(&again, "vào sổ"), 0, "{again}");
    assert_eq!(number(&again, "đã có từ trước"), number(&told, "vào sổ"));

    hub.phone("member", &["sync"]);
    assert!(!hub.phone("member", &["visit", "list"]).contains("Mới ở máy này"), "the phone hears of it");
}

#[test]
fn a_folder_without_a_database_or_without_a_journal_gives_up_all_that_is_unsent() {
    let hub = Hub::start();
    phone_with_work(&hub);
    let whole = files(&hub.desk.path("member"));
    let damages: [(&str, &[&str]); 3] = [
        ("no database", &["phone.db"]),
        ("no journal", &["journal"]),
        ("a database of nonsense and one file of the key", &["phone.db", "phone.key"]),
    ];
    for (n, (what, damaged)) in damages.iter().enumerate() {
        let folder = format!("wreck-{n}");
        fs::create_dir(hub.desk.path(&folder)).expect("a folder");
        for (path, bytes) in &whole {
            let name = path.file_name().expect("a name");
            let bytes = if damaged.iter().any(|of| *of == name) { b"nonsense" } else { &bytes[..] };
            fs::write(hub.desk.path(&folder).join(name), bytes).expect("a file");
        }
        let before = files(&hub.desk.path(&folder));
        let to = format!("{folder}.frames");
        let told = hub.desk.run(&["phone", "rescue", &folder, "--to", &to]).ok();
        assert!(count(&told) >= 2, "{what}: {told}");
        assert_eq!(files(&hub.desk.path(&folder)), before, "{what}: not a byte has changed");
        let told = hub.desk.run(&["admin", "--at", "hub", "import-rescue", &to]).ok();
        let new = number(&told, "vào sổ");
        assert_eq!(new > 0, n == 0, "{what}: each change once: {told}");
    }
}

#[test]
fn a_folder_whose_key_is_lost_gives_records_that_the_operator_must_vouch_for() {
    let hub = Hub::start();
    phone_with_work(&hub);
    for file in ["phone.key", "phone-copy.key"] {
        fs::remove_file(hub.desk.path("member").join(file)).expect("gone");
    }
    let opened = hub.desk.run(&["phone", "--at", "member", "today"]).fails(4);
    assert!(opened.contains("keystore_gone"), "{opened}");
    let told = hub.desk.run(&["phone", "rescue", "member", "--to", "member.records"]).ok();
    assert_eq!(count(&told), 2, "{told}");
    let device = told.lines().find_map(|line| line.split_once("--device ")).expect("the device is named").1;
    let import = ["admin", "--at", "hub", "import-rescue", "member.records"];
    hub.desk.run(&import).fails(2);
    hub.desk.run(&[&import[..], &["--device", "0000000000000"]].concat()).fails(1);
    let told = hub.desk.run(&[&import[..], &["--device", device]].concat()).ok();
    assert!(number(&told, "vào sổ") >= 2, "{told}");
}

#[test]
fn what_a_revoked_phone_had_not_sent_waits_for_the_lead_and_nonsense_is_refused() {
    let hub = Hub::start();
    phone_with_work(&hub);
    hub.desk.run(&["phone", "rescue", "member", "--to", "member.frames"]).ok();
    let devices = hub.desk.run(&["admin", "--at", "hub", "list", "devices"]).ok();
    let line = devices.lines().find(|line| line.contains("Múi")).expect("the device");
    let device = line.split_whitespace().find(|word| word.len() == 13).expect("an id").to_owned();
    hub.desk.run(&["admin", "--at", "hub", "revoke", &device]).ok();
    let told = hub.desk.run(&["admin", "--at", "hub", "import-rescue", "member.frames"]).ok();
    assert_eq!(number(&told, "vào sổ"), 0, "{told}");
    assert!(number(&told, "revoked_device") >= 2, "{told}");
    let frames = fs::read(hub.desk.path("member.frames")).expect("a file");
    let mut forged = frames.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    fs::write(hub.desk.path("forged.frames"), forged).expect("written");
    hub.desk.run(&["admin", "--at", "hub", "import-rescue", "forged.frames"]).fails(1);
    fs::write(hub.desk.path("cut.frames"), &frames[..last]).expect("written");
    let cut = hub.desk.run(&["admin", "--at", "hub", "import-rescue", "cut.frames"]).fails(1);
    assert!(cut.contains("frames"), "{cut}");
}

#[test]
fn an_open_phone_is_not_rescued_and_an_empty_folder_has_nothing() {
    let hub = Hub::start();
    phone_with_work(&hub);
    let lock = fs::OpenOptions::new().write(true).open(hub.desk.path("member").join("phone.lock"));
    let lock = lock.expect("a lock");
    lock.lock().expect("locked");
    hub.desk.run(&["phone", "rescue", "member", "--to", "a.frames"]).fails(4);
    drop(lock);
    fs::create_dir(hub.desk.path("empty")).expect("a folder");
    hub.desk.run(&["phone", "rescue", "empty", "--to", "a.frames"]).fails(1);
    hub.desk.run(&["phone", "rescue", "nowhere", "--to", "a.frames"]).fails(2);
    assert!(!hub.desk.path("a.frames").exists());
}
