//! A full phone: nothing half done, the ballast makes room for what was just typed, and is made again.

#![cfg(unix)]

mod support;

use langso_device::AppError;
use langso_device::companion::Nothing;
use langso_faults::Disk;
use serde_json::{Value, json};
use support::{MEMBER, Team, TestPhone};

fn size(phone: &TestPhone) -> u64 {
    let files = std::fs::read_dir(phone.path()).expect("listed").map(|file| file.expect("a file"));
    let files = files.filter(|file| !file.file_name().to_string_lossy().ends_with("-shm"));
    files.map(|file| file.metadata().expect("a file").len()).sum()
}

fn try_visit(phone: &mut TestPhone, team: &Team) -> Result<Value, AppError> {
    let service = json!({"service": "vneid_level2@1", "outcome": 1});
    phone.app().call("visits.log_visit", json!({"hamlet": team.hamlet, "services": [service]}))
}

#[test]
fn on_a_full_phone_a_visit_can_still_be_saved_and_the_ballast_is_made_again() {
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    let disk = Disk::under(phone.path());
    phone.app();
    let ballast = phone.path().join("ballast");
    let blocks = |path| std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(path).expect("a file"));
    assert!(blocks(&ballast) * 512 >= 512 * 1024, "it takes up the room that it promises");
    disk.bound(size(&phone) + 100_000);
    let mut saved = 0;
    while ballast.exists() {
        try_visit(&mut phone, &team).expect("while there is a ballast, a visit can be saved");
        saved += 1;
        assert!(saved < 1_000, "it never gets full");
    }
    assert!(saved > 1);
    let state = phone.app().state().get_state(Nothing {}).expect("a state");
    assert!(state.is_storage_low);
    // And on, until there is no room at all: then nothing is half done.
    let full = loop {
        match try_visit(&mut phone, &team) {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, AppError::StorageFull);
    let count = |phone: &mut TestPhone| phone.written().len();
    disk.mend();
    assert_eq!(count(&mut phone), saved);
    try_visit(&mut phone, &team).expect("there is room");
    assert!(ballast.exists(), "it is made again");
    assert_eq!(count(&mut phone), saved + 1);
    let keys: std::collections::BTreeSet<_> = phone.written().iter().map(|(_, change)| change.key).collect();
    assert_eq!(keys.len(), saved + 1, "no key twice");
}

#[test]
fn a_full_phone_opens() {
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone.household(&team, "Hộ 1", 2);
    // The journal lost its tail, and the database has it: opening writes.
    let journal = phone.path().join("journal");
    std::fs::write(&journal, b"").expect("torn");
    let disk = Disk::under(phone.path());
    disk.bound(size(&phone));
    assert_eq!(phone.app().state().get_state(Nothing {}).expect("a state").unsent, 1);
    drop(disk);
}
