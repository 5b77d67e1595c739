//! A database and its log damaged at any page.

use std::path::Path;

use serde_json::json;

use super::field::Handset;
use super::{Ground, SEED, assert_same, assert_sound, random, report, state, stride};

const PAGE: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    Zeros,
    Random,
    /// One bit of the page.
    Bit,
}

const HARMS: [Harm; 3] = [Harm::Zeros, Harm::Random, Harm::Bit];

fn harm(file: &Path, at: usize, length: usize, harm: Harm, state: &mut u64) {
    let mut bytes = std::fs::read(file).unwrap();
    let end = (at + length).min(bytes.len());
    let part = &mut bytes[at..end];
    match harm {
        Harm::Zeros => part.fill(0),
        Harm::Random => part.iter_mut().for_each(|byte| *byte = random(state) as u8),
        Harm::Bit => {
            let bit = random(state) as usize % (part.len() * 8);
            part[bit / 8] ^= 1 << (bit % 8);
        }
    }
    std::fs::write(file, bytes).unwrap();
}

/// The phone opens, its own work is what it was, and after a sync it is as if nothing had happened.
async fn check(ground: &Ground, mut phone: Handset, is_found: bool, what: &str) {
    let before = std::fs::read(phone.file()).unwrap();
    phone.app();
    let damage = state(&mut phone)["damage"].clone();
    if !damage.is_null() {
        assert_eq!(damage["what"], json!(["database"]), "{what}");
    }
    // A damaged log is no log to SQLite: what is left is whole, and older.
    if let Some(aside) = damage["set_aside"][0].as_str() {
        let aside = phone.path().join(aside);
        assert!(std::fs::read(aside).unwrap() == before, "{what}: set aside as it was");
    }
    let (own, sound) = (phone.written(), ground.member.written());
    let by_key = |all: Vec<(_, _, Vec<u8>)>| {
        let mut all: Vec<_> = all.into_iter().map(|(scope, key, bytes)| (key, scope, bytes)).collect();
        all.sort();
        all
    };
    assert_eq!(by_key(own), by_key(sound), "{what}: own work is what it was");
    ground.all_arrives(&mut phone, what).await;
    if is_found {
        // What no call has touched is found by the weekly look.
        ground.field.world.pass(8 * 86_400_000);
        phone.app();
        ground.all_arrives(&mut phone, what).await;
        assert_sound(&mut phone, what);
        assert_same(&phone.rows(), &ground.rows().await, what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_damaged_at_any_page_costs_nothing_that_was_saved() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let pages = std::fs::metadata(ground.member.file()).unwrap().len() as usize / PAGE;
    let (mut dice, mut cases) = (SEED, 0);
    for case in (0..pages * HARMS.len()).step_by(stride(13)) {
        let (page, kind) = (case / HARMS.len(), HARMS[case % HARMS.len()]);
        let phone = ground.member.copy();
        harm(&phone.file(), page * PAGE, PAGE, kind, &mut dice);
        let what = format!("{kind:?} in page {} of {pages}", page + 1);
        // What a changed bit inside a value does is for the digest to find; own work has sums of its own.
        check(&ground, phone, kind != Harm::Bit, &what).await;
        cases += 1;
    }
    report("database_page", cases);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_the_database_damaged_at_any_page_costs_nothing_that_was_saved() {
    let ground = Ground::new().await;
    let log = |phone: &Handset| phone.path().join("phone.db-wal");
    // The app was killed: its log lies there as the last commit left it.
    let length = std::fs::metadata(log(&ground.member)).unwrap().len() as usize;
    assert!(length > 10 * PAGE, "the log holds the work");
    let frames = (length - 32) / (PAGE + 24);
    let (mut dice, mut cases) = (SEED, 0);
    for case in (0..=frames * HARMS.len()).step_by(stride(19)) {
        let kind = HARMS[case % HARMS.len()];
        let (at, size) = match case / HARMS.len() {
            0 => (0, 32),
            frame => (32 + (frame - 1) * (PAGE + 24), PAGE + 24),
        };
        let phone = ground.member.copy();
        harm(&log(&phone), at, size, kind, &mut dice);
        check(&ground, phone, true, &format!("{kind:?} at byte {at} of the log")).await;
        cases += 1;
    }
    report("database_log", cases);
}
