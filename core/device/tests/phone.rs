//! A phone through everything that can befall its folder: nothing that was saved is lost, and no number is given
//! twice.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use langso_device::{AppError, Phone, journal};
use langso_domain::id::{Key, Writer};
use langso_domain::registry::CURRENT;
use support::{MEMBER, Team, TestPhone};

fn volunteer(team: &mut Team) -> TestPhone {
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone
}

fn open(phone: &mut TestPhone) -> langso_device::Result<Phone> {
    phone.kill();
    Phone::open(phone.path(), phone.time.clone())
}

/// Saves a household with a long hint, so that a few of them fill a page.
fn save(phone: &mut Phone, label: &str) -> langso_device::Result<()> {
    let hint = "cạnh trường ".repeat(8);
    phone.save(|saving| {
        saving.create("household", [("label", label.into()), ("hint", hint.as_str().into())]).map(drop)
    })
}

fn keys(phone: &mut TestPhone) -> Vec<Key> {
    phone.written().iter().map(|(_, change)| change.key).collect()
}

fn writers(phone: &mut TestPhone) -> Vec<Writer> {
    let mut writers: Vec<_> = keys(phone).iter().map(|key| key.writer).collect();
    writers.dedup();
    writers
}

fn labels(phone: &Phone) -> BTreeSet<String> {
    let mut get = phone.connection().prepare("SELECT label FROM live_households").expect("reads");
    let rows = get.query_map([], |row| row.get(0)).expect("reads");
    rows.map(|label| label.expect("a label")).collect()
}

fn in_journal(phone: &TestPhone) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(phone.path().join("journal")).expect("a journal");
    journal::read(&bytes).records.into_iter().map(|record| record.bytes).collect()
}

fn in_outbox(phone: &mut TestPhone) -> Vec<Vec<u8>> {
    phone.written().iter().map(|(_, change)| change.encode()).collect()
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .map(|(name, path)| (name, std::fs::read(path).expect("read")))
        .collect();
    files.sort();
    files
}

/// Looking may leave an empty log and an index of it beside the database, and nothing else.
fn assert_unchanged(folder: &Path, before: &[(String, Vec<u8>)]) {
    let changed: Vec<_> = files(folder)
        .into_iter()
        .filter(|file| !before.contains(file))
        .filter(|(name, bytes)| !(name == "phone.db-shm" || name == "phone.db-wal" && bytes.is_empty()))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

fn put_back(folder: &Path, files: &[(String, Vec<u8>)], name: &str) {
    for beside in ["", "-wal", "-shm"] {
        let path = folder.join(format!("{name}{beside}"));
        match files.iter().find(|(of, _)| *of == format!("{name}{beside}")) {
            Some((_, bytes)) => std::fs::write(path, bytes).expect("written"),
            None => drop(std::fs::remove_file(path)),
        }
    }
}

#[test]
fn every_process_start_has_writers_of_its_own_and_numbers_go_on_within_one() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    for _ in 0..2 {
        let mut open = open(&mut phone).expect("opens");
        save(&mut open, "Hộ 1").expect("saves");
        save(&mut open, "Hộ 2").expect("saves");
    }
    let keys = keys(&mut phone);
    assert_eq!(keys.iter().map(|key| key.seq).collect::<Vec<_>>(), [1, 2, 1, 2]);
    assert_eq!(writers(&mut phone).len(), 2);
}

#[test]
fn a_full_disk_refuses_a_save_loses_nothing_before_it_and_ends_the_writer() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let mut app = open(&mut phone).expect("opens");
    save(&mut app, "Hộ 1").expect("saves");
    let pages: i64 =
        app.connection().pragma_query_value(None, "page_count", |row| row.get(0)).expect("counted");
    app.connection().pragma_update(None, "max_page_count", pages).expect("bounded");
    let mut saved = BTreeSet::from(["Hộ 1".to_owned()]);
    let full = loop {
        let label = format!("Hộ {}", saved.len() + 1);
        match save(&mut app, &label) {
            Ok(()) => assert!(saved.insert(label) && saved.len() < 1_000, "it never gets full"),
            Err(error) => break error,
        }
    };
    assert_eq!(full, AppError::StorageFull);
    assert_eq!(labels(&app), saved);
    app.connection().pragma_update(None, "max_page_count", 1_000_000).expect("room again");
    save(&mut app, "Hộ 9999").expect("saves");
    saved.insert("Hộ 9999".to_owned());
    drop(app);
    assert_eq!(
        writers(&mut phone).len(),
        2,
        "what failed may have reached the disk: its writer is not used again"
    );
    let distinct: BTreeSet<_> = keys(&mut phone).into_iter().collect();
    assert_eq!(distinct.len(), saved.len());
    assert_eq!(labels(&open(&mut phone).expect("opens")), saved);
    assert_eq!(in_journal(&phone), in_outbox(&mut phone));
}

#[test]
fn a_save_that_panics_leaves_nothing_behind_and_ends_the_writer() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let mut app = open(&mut phone).expect("opens");
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        app.save(|saving| -> langso_device::Result<()> {
            saving.create("household", [("label", "Hộ 1".into())])?;
            panic!("a fault of ours")
        })
    }));
    assert!(broken.is_err());
    save(&mut app, "Hộ 2").expect("saves");
    drop(app);
    let app = open(&mut phone).expect("opens");
    assert_eq!(labels(&app), BTreeSet::from(["Hộ 2".to_owned()]));
    drop(app);
    assert_eq!(keys(&mut phone).len(), 1, "and nothing stands in the outbox twice");
}

#[test]
fn a_journal_that_lost_its_tail_or_all_of_it_is_made_whole_from_the_database() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let mut app = open(&mut phone).expect("opens");
    for label in ["Hộ 1", "Hộ 2", "Hộ 3"] {
        save(&mut app, label).expect("saves");
    }
    drop(app);
    let whole = in_outbox(&mut phone);
    let path = phone.path().join("journal");
    let bytes = std::fs::read(&path).expect("a journal");
    for keep in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..keep]).expect("torn");
        drop(open(&mut phone).expect("opens"));
        let kept: BTreeSet<_> = in_journal(&phone).into_iter().collect();
        assert_eq!(kept, whole.iter().cloned().collect(), "cut at {keep}");
        assert_eq!(in_outbox(&mut phone), whole);
    }
    std::fs::remove_file(&path).expect("gone");
    drop(open(&mut phone).expect("opens"));
    assert_eq!(in_journal(&phone), whole);
}

#[test]
fn a_database_that_lost_its_last_saves_gets_them_back_from_the_journal() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    save(&mut open(&mut phone).expect("opens"), "Hộ 1").expect("saves");
    let before = files(phone.path());
    let mut app = open(&mut phone).expect("opens");
    save(&mut app, "Hộ 2").expect("saves");
    save(&mut app, "Hộ 3").expect("saves");
    drop(app);
    let whole = in_outbox(&mut phone);
    put_back(phone.path(), &before, "phone.db");
    let app = open(&mut phone).expect("opens");
    assert_eq!(labels(&app), ["Hộ 1", "Hộ 2", "Hộ 3"].map(str::to_owned).into());
    drop(app);
    assert_eq!(in_outbox(&mut phone), whole, "they are sent once, in their order");
    save(&mut open(&mut phone).expect("opens"), "Hộ 4").expect("saves");
    let keys = keys(&mut phone);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 4);
    let stamps: Vec<_> = phone.written().iter().map(|(_, change)| change.stamp).collect();
    assert!(stamps.is_sorted_by(|one, other| one < other), "the clock goes on after them");
}

#[test]
fn a_copy_put_back_never_gives_a_number_again() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    save(&mut open(&mut phone).expect("opens"), "Hộ 1").expect("saves");
    let before = files(phone.path());
    let mut app = open(&mut phone).expect("opens");
    save(&mut app, "Hộ 2").expect("saves");
    drop(app);
    let lost = keys(&mut phone);
    put_back(phone.path(), &before, "phone.db");
    put_back(phone.path(), &before, "journal");
    let mut app = open(&mut phone).expect("opens");
    save(&mut app, "Hộ 3").expect("saves");
    drop(app);
    let after = keys(&mut phone);
    assert_eq!(after[0], lost[0]);
    assert!(!lost.contains(&after[1]));
}

#[test]
fn a_folder_is_open_in_one_place_at_a_time() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let first = open(&mut phone).expect("opens");
    let second = Phone::open(phone.path(), phone.time.clone()).map(drop).expect_err("refused");
    assert_eq!(second, AppError::Locked { why: "open_elsewhere".to_owned() });
    drop(first);
    open(&mut phone).expect("opens");
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_cannot_be_written_says_so() {
    // Not even root makes a folder here.
    let refused = Phone::open(Path::new("/sys/langso-phone"), Arc::new(langso_device::SystemTime));
    let why = "folder_read_only".to_owned();
    assert_eq!(refused.map(drop).expect_err("refused"), AppError::Locked { why });
}

#[test]
fn a_database_of_a_newer_app_is_refused_and_left_as_it_is() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    save(&mut open(&mut phone).expect("opens"), "Hộ 1").expect("saves");
    phone.with_replica(|replica| {
        let newer = CURRENT.schema + 1;
        replica.connection().pragma_update(None, "user_version", newer).expect("a newer app");
    });
    let before = files(phone.path());
    assert_eq!(open(&mut phone).map(drop).expect_err("refused"), AppError::OutdatedApp);
    assert_unchanged(phone.path(), &before);
}

#[test]
fn a_phone_restarted_goes_on_after_its_own_stamps_and_marks_what_it_saves_by_an_unsure_clock() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    save(&mut open(&mut phone).expect("opens"), "Hộ 1").expect("saves");
    phone.forget_hub_time();
    phone.time.pass(-3_600_000);
    save(&mut open(&mut phone).expect("opens"), "Hộ 2").expect("saves");
    let written = phone.written();
    let unsure = langso_sync::change::extra::CLOCK_UNSURE;
    let marks: Vec<_> = written.iter().map(|(_, change)| change.extras.contains_key(&unsure)).collect();
    assert_eq!(marks, [false, true]);
    assert!(written[0].1.stamp < written[1].1.stamp, "though the clock went back an hour");
}
