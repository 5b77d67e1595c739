//! What a phone forgets once it is in the hub's verified backup for a week, and what it never does.

use std::collections::BTreeSet;

use langso_device::companion::{Nothing, SyncProblem};
use langso_device::journal;
use langso_domain::id::Key;
use langso_domain::registry::Role;
use langso_hub::clock::{DAY_MS, HOUR_MS};
use langso_sync::change;
use serde_json::json;

use crate::field::http::asked;
use crate::field::ledger::Ledger;
use crate::field::{Field, Handset, Team};

/// Rows of the outbox, frames kept, marks, records of the journal.
fn kept(phone: &Handset) -> [i64; 4] {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        phone.read().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    [count("outbox"), count("kept_frames"), count("marks"), in_journal(phone).len() as i64]
}

fn in_journal(phone: &Handset) -> BTreeSet<Key> {
    let bytes = std::fs::read(phone.path().join("journal")).unwrap();
    let records = journal::read(&bytes).records;
    records.iter().map(|record| change::scan(&record.bytes).unwrap().0.key).collect()
}

async fn pair(field: &Field, team: &Team, ledger: &mut Ledger) -> (Handset, Handset) {
    let mut phone = field.phone(team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(team, "Tằng Dảu Sồi", Role::Lead).await;
    for _ in 0..3 {
        phone.sync().await.unwrap();
        lead.sync().await.unwrap();
        phone.visit(team);
        lead.household("Hộ 12");
    }
    phone.sync().await.unwrap();
    lead.sync().await.unwrap();
    phone.sync().await.unwrap();
    ledger.note(&phone);
    ledger.note(&lead);
    (phone, lead)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backup_a_phone_forgets_nothing() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut phone, _lead) = pair(&field, &team, &mut Ledger::default()).await;
    let before = kept(&phone);
    for _ in 0..6 {
        field.world.pass(10 * DAY_MS);
        phone.sync().await.unwrap();
    }
    assert_eq!(kept(&phone), before);
    assert!(before[0] >= 6 && before[1] > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_backup_for_a_week_is_forgotten_and_nothing_else() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team, &mut ledger).await;
    let visit = phone.visit(&team);
    let correction = json!({"visit": visit, "hamlet": team.hamlet, "reason": 4, "reason_text": "ghi nhầm giờ",
                            "services": [], "language": 2});
    let corrected = phone.app().call("visits.correct_visit", correction);
    assert!(corrected.is_ok(), "{corrected:?}");
    phone.sync().await.unwrap();
    ledger.note(&phone);
    field.back_up();
    phone.sync().await.unwrap();
    let before = kept(&phone);
    field.world.pass(7 * DAY_MS - HOUR_MS);
    phone.visit(&team);
    phone.sync().await.unwrap();
    let late = phone.visit(&team);
    ledger.note(&phone);
    assert!(kept(&phone)[0] > before[0], "not yet");

    field.world.pass(HOUR_MS);
    phone.sync().await.unwrap();
    ledger.note(&phone);
    let after = kept(&phone);
    // The two visits after the backup, each a change in the team's scope and one in the training scope.
    assert_eq!((after[0], after[3]), (4, 4), "{before:?} {after:?}");
    let sql = "SELECT count(*) FROM kept_frames AS k JOIN scopes AS s ON s.number = k.scope
               WHERE s.scope IN (?1, ?2)";
    let frames: i64 = phone.read().query_row(sql, (team.scope.0, team.training.0), |row| row.get(0)).unwrap();
    assert_eq!(frames, 0);
    let shown = phone.app().call("visits.get_visit", json!({"visit": visit})).unwrap();
    assert_eq!(shown["receipt"]["rung"], "in_backup");
    let history = phone.app().call("visits.list_visit_history", json!({"visit": visit})).unwrap();
    let reasons: Vec<_> =
        history["entries"].as_array().unwrap().iter().map(|one| &one["reason_text"]).collect();
    assert!(reasons.contains(&&json!("ghi nhầm giờ")), "{history}");

    // Nothing comes to life again, no number is given twice, and another backup lets go of the rest.
    phone.close();
    phone.visit(&team);
    ledger.note(&phone);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone)[0], 6);
    let status = phone.app().sync().get_status(Nothing {}).unwrap();
    assert!(status.on_phone == 0 && status.in_backup >= 8, "{status:?}");
    field.back_up();
    phone.sync().await.unwrap();
    field.world.pass(8 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!((kept(&phone)[0], kept(&phone)[3]), (0, 0));
    assert_ne!(phone.visit(&team), late);
    phone.sync().await.unwrap();
    ledger.note(&phone);
    lead.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut phone, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_before_the_journal_let_go_brings_nothing_back_into_the_outbox() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team, &mut ledger).await;
    field.back_up();
    phone.sync().await.unwrap();
    let journal = std::fs::read(phone.path().join("journal")).unwrap();
    field.world.pass(8 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone)[0], 0);
    // As it lies there while the writer of this very process is still the current one.
    let mut killed = phone.copy();
    std::fs::write(killed.path().join("journal"), &journal).unwrap();
    killed.visit(&team);
    assert_eq!(kept(&killed)[0], 2);
    killed.sync().await.unwrap();
    ledger.note(&killed);
    lead.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut killed, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_restored_from_the_backup_that_let_phones_forget_lacks_nothing() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team, &mut ledger).await;
    let backup = field.copy();
    field.back_up();
    phone.sync().await.unwrap();
    for _ in 0..4 {
        field.world.pass(2 * DAY_MS);
        phone.visit(&team);
        lead.visit(&team);
        lead.sync().await.unwrap();
        phone.sync().await.unwrap();
    }
    ledger.note(&phone);
    ledger.note(&lead);
    assert!((kept(&phone)[0] as usize) < ledger.len(), "something was forgotten");
    let field = field.roll_back(&backup).await;
    field.reach(&[&phone, &lead]);
    phone.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut phone]);
    field.world.pass(DAY_MS);
    lead.sync().await.unwrap();
    phone.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut phone, &mut lead]);
    let problems = phone.app().sync().list_sync_problems(Nothing {}).unwrap().problems;
    assert!(!problems.iter().any(|one| matches!(one, SyncProblem::HubLacksRows { .. })), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_of_a_void_history_lets_nothing_be_forgotten() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team, &mut ledger).await;
    let copy = field.copy();
    phone.visit(&team);
    phone.sync().await.unwrap();
    ledger.note(&phone);
    field.back_up();
    phone.sync().await.unwrap();
    let in_backup = |phone: &mut Handset| phone.app().sync().get_status(Nothing {}).unwrap().in_backup;
    assert!(in_backup(&mut phone) > 0);
    // Its backup is as good as never made: the copy that is put back is older.
    let field = field.roll_back(&copy).await;
    field.reach(&[&phone, &lead]);
    field.world.pass(6 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!(in_backup(&mut phone), 0);
    let before = kept(&phone);
    field.world.pass(20 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone), before);
    field.back_up();
    phone.sync().await.unwrap();
    field.world.pass(7 * DAY_MS - HOUR_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone), before, "the week began anew");
    field.world.pass(HOUR_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone)[0], 0);
    lead.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut phone, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_was_put_back_without_its_backup_is_believed_to_have_none() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut phone, lead) = pair(&field, &team, &mut Ledger::default()).await;
    let copy = field.copy();
    field.back_up();
    phone.sync().await.unwrap();
    let status = |phone: &mut Handset| phone.app().sync().get_status(Nothing {}).unwrap();
    assert!(status(&mut phone).in_backup > 0);
    // The same changes, and nothing of a backup: no history differs.
    let field = field.roll_back(&copy).await;
    field.reach(&[&phone, &lead]);
    phone.sync().await.unwrap();
    let after = status(&mut phone);
    assert_eq!((after.in_backup, after.has_backup, after.void), (0, false, 0));
    let before = kept(&phone);
    field.world.pass(30 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fall_back_begins_the_week_anew_also_for_what_both_histories_hold() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut phone, lead) = pair(&field, &team, &mut Ledger::default()).await;
    field.back_up();
    phone.sync().await.unwrap();
    let copy = field.copy();
    phone.visit(&team);
    phone.sync().await.unwrap();
    field.world.pass(6 * DAY_MS);
    let field = field.roll_back(&copy).await;
    field.reach(&[&phone, &lead]);
    phone.sync().await.unwrap();
    let before = kept(&phone)[0];
    field.world.pass(7 * DAY_MS - HOUR_MS);
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone)[0], before);
    field.world.pass(HOUR_MS);
    phone.sync().await.unwrap();
    assert!(kept(&phone)[0] < before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_clock_that_jumps_a_year_makes_no_week() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut phone, _lead) = pair(&field, &team, &mut Ledger::default()).await;
    field.back_up();
    phone.sync().await.unwrap();
    let before = kept(&phone);
    field.world.set_hub_off(365 * DAY_MS);
    phone.sync().await.unwrap();
    phone.sync().await.unwrap();
    assert_eq!(kept(&phone), before);
    field.world.set_hub_off(0);
    field.world.pass(8 * DAY_MS);
    phone.sync().await.unwrap();
    assert!(kept(&phone)[0] < before[0]);
}

/// Flips a bit of the writer of every receipt in the file of a closed phone; gives how many. A bit that no scope's
/// number has: writers of one run differ by that alone, and one would become the other.
fn flip_receipts(phone: &Handset) -> usize {
    let file = phone.read();
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let sql = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'receipts'";
    let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(|number| number as usize);
    let (page, size) = file.query_row(sql, [], |row| Ok((number(row, 0)?, number(row, 1)?))).unwrap();
    let mut get = file.prepare("SELECT writer FROM receipts").unwrap();
    let writers = get.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(|writer| writer.unwrap());
    let writers: BTreeSet<[u8; 8]> = writers.map(i64::to_be_bytes).collect();
    drop(get);
    drop(file);
    let mut bytes = std::fs::read(phone.file()).unwrap();
    let of_receipts = &mut bytes[(page - 1) * size..page * size];
    let places: Vec<_> = of_receipts
        .windows(8)
        .enumerate()
        .filter(|(_, eight)| writers.contains(*eight))
        .map(|(at, _)| at)
        .collect();
    places.iter().for_each(|at| of_receipts[at + 7] ^= 0x40);
    std::fs::write(phone.file(), bytes).unwrap();
    places.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_were_damaged_after_their_changes_were_forgotten_are_asked_for_once_and_told_again() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let mut visits = Vec::new();
    for _ in 0..3 {
        phone.sync().await.unwrap();
        visits.push(phone.visit(&team));
        phone.sync().await.unwrap();
        lead.sync().await.unwrap();
        lead.household("Hộ 12");
        lead.sync().await.unwrap();
        // Another writer.
        phone.close();
    }
    phone.sync().await.unwrap();
    field.back_up();
    phone.sync().await.unwrap();
    field.world.pass(8 * DAY_MS);
    phone.sync().await.unwrap();
    assert_eq!((kept(&phone)[0], kept(&phone)[3]), (0, 0), "all of it is forgotten");
    // One more that is not, of a writer that goes on.
    let late = phone.visit(&team);
    phone.sync().await.unwrap();
    let receipt = |phone: &mut Handset, visit| {
        phone.app().call("visits.get_visit", json!({"visit": visit})).unwrap()["receipt"].clone()
    };
    let status = |phone: &mut Handset| phone.app().sync().get_status(Nothing {}).unwrap();
    let all: Vec<_> = visits.iter().chain([&late]).copied().collect();
    let before: Vec<_> = all.iter().map(|visit| receipt(&mut phone, *visit)).collect();
    let counted = status(&mut phone);
    assert!(before[..3].iter().all(|receipt| receipt["rung"] == "in_backup"), "{before:?}");

    phone.close();
    let flipped = flip_receipts(&phone);
    assert!(flipped >= 4, "{flipped}");
    let damaged: Vec<_> = visits.iter().map(|visit| receipt(&mut phone, *visit)).collect();
    assert!(
        damaged.iter().all(|receipt| receipt["rung"] == "on_phone"),
        "not known to be anywhere: {damaged:?}"
    );

    phone.link.take_exchanges();
    phone.sync().await.unwrap();
    let recalls = |phone: &Handset| -> Vec<usize> {
        let all = phone.link.take_exchanges();
        all.iter().map(|one| asked(&one.up).0.unwrap().recalled.len()).collect()
    };
    let first = recalls(&phone);
    assert!(first[0] > 0 && first[1..].iter().all(|count| *count == 0), "{first:?}");
    let after: Vec<_> = all.iter().map(|visit| receipt(&mut phone, *visit)).collect();
    assert_eq!(after, before);
    let again = status(&mut phone);
    assert_eq!((again.on_phone, again.at_hub, again.in_backup), (0, counted.at_hub, counted.in_backup));
    phone.close();
    phone.sync().await.unwrap();
    assert_eq!(recalls(&phone), [0], "there is nothing left to ask for");
    let written = phone.written();
    field.holds_once(team.scope, written.iter().filter(|(of, ..)| *of == team.scope).map(|(_, key, _)| key));
}
