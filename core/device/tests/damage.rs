//! A phone whose files were damaged: it opens, says so once, has lost nothing that was saved, and nothing is deleted.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use langso_device::companion::{Nothing, SyncProblem};
use langso_device::{AppError, Damage, Phone, journal};
use langso_domain::id::Key;
use langso_domain::registry::ScopeKind;
use langso_faults::Disk;
use serde_json::json;
use support::{DAY_MS, MEMBER, Team, TestPhone};

/// A phone that knows its team and wrote three households in two runs; the second was killed in the middle.
fn phone_with_work(team: &mut Team) -> TestPhone {
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone.household(team, "Hộ 1", 2);
    phone.household(team, "Hộ 2", 2);
    phone.household(team, "Hộ 3", 2);
    phone
}

fn open(phone: &mut TestPhone) -> langso_device::Result<Phone> {
    phone.kill();
    Phone::open(phone.path(), phone.time.clone())
}

/// What the app tells when it is started.
fn damage(phone: &mut TestPhone) -> Option<Damage> {
    phone.kill();
    phone.app().state().get_state(Nothing {}).expect("a state").damage
}

fn labels(phone: &mut TestPhone) -> BTreeSet<String> {
    phone.with_replica(|replica| {
        let mut get = replica.connection().prepare("SELECT label FROM live_households").expect("reads");
        let rows = get.query_map([], |row| row.get(0)).expect("reads");
        rows.map(|label| label.expect("a label")).collect()
    })
}

fn written(phone: &mut TestPhone) -> BTreeSet<(Key, Vec<u8>)> {
    phone.written().into_iter().map(|(_, change)| (change.key, change.encode())).collect()
}

fn in_journal(folder: &Path) -> BTreeSet<Vec<u8>> {
    let bytes = std::fs::read(folder.join("journal")).expect("a journal");
    journal::read(&bytes).records.into_iter().map(|record| record.bytes).collect()
}

fn three() -> BTreeSet<String> {
    ["Hộ 1", "Hộ 2", "Hộ 3"].map(str::to_owned).into()
}

#[test]
fn a_database_that_is_none_any_more_is_set_aside_and_made_anew_with_all_own_work() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    let path = phone.path().join("phone.db");
    let whole = std::fs::read(&path).expect("read");
    let mut no_head = whole.clone();
    no_head[..16].fill(b'x');
    let mut no_schema = whole.clone();
    no_schema[100..4096].fill(0xFF);
    let damaged = [no_head, no_schema, b"a note by somebody".to_vec(), Vec::new()];
    for (n, damaged) in (1..).zip(damaged) {
        std::fs::write(&path, &damaged).expect("damaged");
        let told = damage(&mut phone).expect("told");
        assert_eq!(told.what, ["database"], "one condition");
        if !damaged.is_empty() {
            let aside = format!("phone.db.damaged-{n}");
            assert_eq!(told.set_aside.len(), 1);
            assert_eq!(told.set_aside[0], aside);
            assert_eq!(std::fs::read(phone.path().join(aside)).expect("kept"), damaged);
        }
        let problems = phone.app().sync().list_sync_problems(Nothing {}).expect("a list").problems;
        assert_eq!(problems[0], SyncProblem::Repairing { since: told.found_at });
        assert!(phone.app().state().get_state(Nothing {}).expect("a state").owner.is_some());
        assert_eq!(written(&mut phone), before);
        assert_eq!(labels(&mut phone), three());
    }
    assert_eq!(written(&mut phone).len(), 3);
    phone.household(&team, "Hộ 4", 1);
    assert_eq!(written(&mut phone).len(), 4);
}

#[test]
fn a_database_that_is_gone_is_made_anew() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    std::fs::remove_file(phone.path().join("phone.db")).expect("gone");
    let told = damage(&mut phone).expect("told");
    assert_eq!((told.what, told.set_aside), (vec!["database".to_owned()], vec![]));
    assert_eq!(written(&mut phone), before);
    assert_eq!(labels(&mut phone), three());
}

#[test]
fn a_row_of_the_outbox_of_which_a_bit_has_changed_is_taken_from_the_journal() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    let length = before.iter().next().expect("a change").1.len();
    for at in 0..length {
        phone.with_replica(|replica| {
            let connection = replica.connection();
            let sql = "SELECT n, bytes FROM outbox ORDER BY n LIMIT 1";
            let (n, mut bytes): (i64, Vec<u8>) =
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a row");
            let at = at % bytes.len();
            bytes[at] ^= 1 << (at % 8);
            connection.execute("UPDATE outbox SET bytes = ?2 WHERE n = ?1", (n, bytes)).expect("damaged");
        });
        drop(open(&mut phone).expect("opens"));
        assert_eq!(written(&mut phone), before, "byte {at}");
        assert_eq!(in_journal(phone.path()), before.iter().map(|(_, bytes)| bytes.clone()).collect());
    }
    assert_eq!(damage(&mut phone), None, "there was nothing to tell");
}

#[test]
fn a_damaged_change_that_the_journal_lacks_too_is_kept_aside_and_told_and_never_signed() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    phone.with_replica(|replica| {
        let sql = "UPDATE outbox SET bytes = x'8599' WHERE n = (SELECT min(n) FROM outbox)";
        assert_eq!(replica.connection().execute(sql, []).expect("damaged"), 1);
    });
    std::fs::remove_file(phone.path().join("journal")).expect("gone");
    let told = damage(&mut phone).expect("told");
    assert_eq!(told.what, ["outbox"]);
    let kept = std::fs::read(phone.path().join(&told.set_aside[0])).expect("kept");
    assert_eq!(kept, [0, 0, 0, 2, 0x85, 0x99]);
    let after = written(&mut phone);
    assert_eq!(after.len(), 2);
    assert!(after.is_subset(&before));
}

#[test]
fn a_receipt_of_which_a_bit_has_changed_passes_no_unsent_work_for_sent() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let first = phone.written()[0].1.key;
    phone.with_replica(|replica| {
        let connection = replica.connection();
        let sql =
            "INSERT INTO receipts (writer, first_seq, last_seq, scope, position) VALUES (?1, 1, 1, 1, 9)";
        connection.execute(sql, [first.writer.0 as i64]).expect("a receipt");
    });
    assert_eq!(phone.app().sync().get_status(Nothing {}).expect("a status").on_phone, 2);
    // What a flipped bit does to the file and no statement can: the row changes and its sum does not.
    phone.with_replica(|replica| {
        let connection = replica.connection();
        let sql = "SELECT name FROM sqlite_schema WHERE name = 'receipts'";
        assert!(connection.query_row(sql, [], |_| Ok(())).is_ok());
        let wal = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(wal, [], |_| Ok(())).expect("folded");
    });
    let path = phone.path().join("phone.db");
    let mut bytes = std::fs::read(&path).expect("read");
    let writer = first.writer.0.to_be_bytes();
    let mut flipped = 0;
    for at in 0..bytes.len() - 8 {
        // The writer stands in more than one table; the receipt is where two small numbers follow.
        if bytes[at..at + 8] == writer && bytes[at + 8..].starts_with(&[9]) {
            bytes[at] ^= 4;
            flipped += 1;
        }
    }
    if flipped == 1 {
        std::fs::write(&path, &bytes).expect("written");
        assert_eq!(phone.app().sync().get_status(Nothing {}).expect("a status").on_phone, 3);
    } else {
        panic!("the receipt was found {flipped} times");
    }
}

#[test]
fn a_mark_of_what_was_sent_that_lies_too_far_is_drawn_back() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    phone.with_replica(|replica| {
        let sql = "INSERT OR REPLACE INTO phone_facts (name, value) VALUES ('sent_upto', '900')";
        replica.connection().execute(sql, []).expect("damaged");
    });
    assert_eq!(phone.app().sync().get_status(Nothing {}).expect("a status").on_phone, 3);
}

#[test]
fn a_scope_whose_name_has_changed_in_the_database_leads_no_change_astray() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = phone.written();
    phone.app();
    phone.with_replica(|replica| {
        let sql = "UPDATE scopes SET scope = x'0101010101010109' WHERE scope = x'0101010101010101'";
        assert_eq!(replica.connection().execute(sql, []).expect("damaged"), 1);
    });
    assert_eq!(damage(&mut phone).expect("told").what, ["database"]);
    assert_eq!(phone.written(), before);
    assert_eq!(labels(&mut phone), three());
}

#[test]
fn either_file_of_the_key_is_made_whole_from_the_other_and_no_other_key_takes_its_place() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    phone.app();
    phone.kill();
    let (one, other) = (phone.path().join("phone.key"), phone.path().join("phone-copy.key"));
    let (key, copy) = (std::fs::read(&one).expect("a key"), std::fs::read(&other).expect("a copy"));
    let mut flipped = key.clone();
    flipped[7] ^= 1;
    for damaged in [&key[..31], &[], &flipped] {
        std::fs::write(&one, damaged).expect("damaged");
        assert_eq!(damage(&mut phone).expect("told").what, ["key"]);
        assert_eq!(std::fs::read(&one).expect("a key"), key);
    }
    std::fs::remove_file(&one).expect("gone");
    drop(open(&mut phone).expect("opens"));
    assert_eq!(std::fs::read(&one).expect("a key"), key);
    std::fs::write(&other, &copy[..39]).expect("damaged");
    drop(open(&mut phone).expect("opens"));
    assert_eq!(std::fs::read(&other).expect("a copy"), copy);

    std::fs::write(&one, &flipped).expect("damaged");
    std::fs::remove_file(&other).expect("gone");
    let lost = AppError::Locked { why: "keystore_gone".to_owned() };
    assert_eq!(open(&mut phone).map(drop).expect_err("refused"), lost);
    assert_eq!(std::fs::read(&one).expect("as it was"), flipped);
    assert!(!other.exists());
    std::fs::write(&one, &key).expect("put back");
    drop(open(&mut phone).expect("opens"));
}

#[test]
fn a_damaged_copy_of_who_this_phone_is_is_made_again() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    phone.app();
    let path = phone.path().join("phone.identity");
    let whole = std::fs::read(&path).expect("a copy");
    phone.kill();
    std::fs::write(&path, &whole[..20]).expect("damaged");
    assert_eq!(damage(&mut phone).expect("told").what, ["identity"]);
    assert_eq!(std::fs::read(&path).expect("a copy"), whole);
}

#[test]
fn damage_that_is_met_while_the_app_runs_is_mended_and_the_call_goes_on() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    phone.save(|saving| {
        let sql = "INSERT INTO drafts VALUES ('d1', 'visit', '{}', NULL, 1, 1)";
        saving.connection().execute(sql, [])?;
        Ok(())
    });
    phone.visit(&team, None, "2024-06-14", &[(None, "vneid_level2@1", 1)]);
    let before = written(&mut phone);
    phone.app();
    // The pages of the visits are lost under the running app, which has not read them yet.
    let path = phone.path().join("phone.db");
    let root: u32 = {
        let looking = rusqlite::Connection::open(&path).expect("opens");
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'visits'";
        looking.query_row(sql, [], |row| row.get(0)).expect("a page")
    };
    let mut bytes = std::fs::read(&path).expect("read");
    let at = (root as usize - 1) * 4096;
    bytes[at..at + 4096].fill(0);
    std::fs::write(&path, bytes).expect("damaged");
    let answer = phone.app().call("visits.list_visits", json!({})).expect("answers");
    assert_eq!(answer["visits"].as_array().map(Vec::len), Some(1), "{answer}");
    let state = phone.app().state().get_state(Nothing {}).expect("a state");
    assert_eq!(state.damage.expect("told").what, ["database"]);
    assert_eq!(phone.app().drafts().list_drafts(Nothing {}).expect("a list").drafts.len(), 1);
    assert_eq!(written(&mut phone), before);
}

#[test]
fn the_number_of_a_damaged_row_that_nothing_can_mend_hides_no_later_save() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let keys: Vec<Key> = phone.written().into_iter().map(|(_, change)| change.key).collect();
    phone.with_replica(|replica| {
        let connection = replica.connection();
        for key in &keys {
            let sql = "INSERT INTO receipts (writer, first_seq, last_seq, scope, position)
                       VALUES (?1, ?2, ?2, 1, 9)";
            connection.execute(sql, (key.writer.0 as i64, key.seq)).expect("a receipt");
        }
        let sql = "INSERT OR REPLACE INTO phone_facts (name, value) VALUES ('sent_upto', '3')";
        connection.execute(sql, []).expect("a fact");
        let sql = "UPDATE outbox SET bytes = x'8599' WHERE n = 3";
        assert_eq!(connection.execute(sql, []).expect("damaged"), 1);
    });
    std::fs::remove_file(phone.path().join("journal")).expect("gone");
    assert_eq!(damage(&mut phone).expect("told").what, ["outbox"]);
    phone.household(&team, "Hộ 4", 1);
    assert_eq!(phone.app().sync().get_status(Nothing {}).expect("a status").on_phone, 1);
}

#[test]
fn settings_that_cannot_be_read_are_as_on_a_new_phone_and_told() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    for (name, value) in [
        ("settings", "'{\"language\":\"vj\",\"text_size\":150,\"theme\":\"dark\"}'"),
        ("settings", "CAST(x'7b22FF22' AS TEXT)"),
        ("budget", "'1 00000'"),
        ("budget", "'7'"),
        ("damage", "'{'"),
    ] {
        phone.with_replica(|replica| {
            let sql = format!("INSERT OR REPLACE INTO phone_facts (name, value) VALUES ('{name}', {value})");
            replica.connection().execute(&sql, []).expect("damaged");
        });
        assert_eq!(damage(&mut phone).expect("told").what, ["settings"], "{name} {value}");
        let settings = phone.app().settings().get_settings(Nothing {}).expect("settings");
        assert_eq!((settings.text_size, settings.sync_max_bytes), (100, None));
        phone.with_replica(|replica| {
            replica.connection().execute("DELETE FROM phone_facts WHERE name = 'damage'", []).expect("seen");
        });
    }
    assert_eq!(written(&mut phone), before);
}

#[test]
fn pages_are_looked_through_once_a_week_and_at_once_when_the_last_time_lies_ahead() {
    for passed in [7 * DAY_MS, -3 * DAY_MS] {
        let mut team = Team::new();
        let mut phone = phone_with_work(&mut team);
        let before = written(&mut phone);
        phone.app();
        // Of a table that no start reads.
        let (page, size): (usize, usize) = phone.with_replica(|replica| {
            let sql = "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size
                       WHERE name = 'dismissed_pairs'";
            let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(|number| number as usize);
            let get = replica.connection().query_row(sql, [], |row| Ok((number(row, 0)?, number(row, 1)?)));
            get.expect("a page")
        });
        let path = phone.path().join("phone.db");
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[(page - 1) * size..page * size].fill(0xFF);
        std::fs::write(&path, bytes).expect("damaged");
        assert_eq!(damage(&mut phone), None, "it was looked through a moment ago");
        phone.time.pass(passed);
        assert_eq!(damage(&mut phone).expect("told").what, ["database"], "after {passed} ms");
        assert_eq!(written(&mut phone), before);
    }
}

#[test]
fn a_start_that_was_cut_off_while_joining_a_team_is_no_damage() {
    let mut team = Team::new();
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    // The copy is there, and of the database's commit nothing.
    phone.app();
    let forget = |phone: &mut TestPhone| {
        phone.with_replica(|replica| {
            let sql = "DELETE FROM phone_facts WHERE name = 'identity'";
            assert_eq!(replica.connection().execute(sql, []).expect("forgets"), 1);
        });
    };
    forget(&mut phone);
    assert_eq!(damage(&mut phone), None);
    assert!(phone.app().state().get_state(Nothing {}).expect("a state").owner.is_some());
    team.bring(&mut phone);
    phone.app();
    forget(&mut phone);
    assert_eq!(damage(&mut phone).expect("told").what, ["database"]);
}

#[test]
fn a_new_database_says_why_something_was_corrected_and_leaves_nothing_half_fetched() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let id = phone.save(|saving| saving.create("household", [("label", "Hộ 4".into())]));
    phone.save(|saving| {
        saving.give_reason(ScopeKind::Team, 4, Some("nhầm tên"));
        saving.patch("household", id, [("label", "Hộ 5".into())])
    });
    let (_, said) = phone.written().pop().expect("a change");
    let reasons = |phone: &mut TestPhone| -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        phone.with_replica(|replica| {
            let sql =
                "SELECT r.key, s.scope, r.bytes FROM reasons AS r JOIN scopes AS s ON s.number = r.scope";
            let mut get = replica.connection().prepare(sql).expect("reads");
            let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
            rows.map(|row| row.expect("a row")).collect()
        })
    };
    phone.with_replica(|replica| {
        let sql = "INSERT INTO reasons (key, scope, bytes)
                   SELECT ?1, scope, ?2 FROM outbox ORDER BY n DESC LIMIT 1";
        replica.connection().execute(sql, (said.key.to_bytes(), said.encode())).expect("kept");
        let sql = "INSERT INTO reasons (key, scope, bytes) VALUES (?1, 1, x'00')";
        replica.connection().execute(sql, [[7u8; 11]]).expect("damaged");
    });
    let mut before = reasons(&mut phone);
    before.retain(|(_, _, bytes)| bytes.len() > 1);
    assert_eq!(before.len(), 1);
    let half = phone.path().join("phone.db.repair-AAAA");
    std::fs::write(&half, b"half of a scope").expect("written");
    phone.app().heal().expect("healed");
    assert!(!half.exists());
    assert_eq!(reasons(&mut phone), before);
}

#[test]
fn damage_for_whose_mending_there_is_no_room_says_so_and_the_phone_goes_on_when_there_is() {
    let mut team = Team::new();
    let mut phone = phone_with_work(&mut team);
    let before = written(&mut phone);
    phone.app();
    phone.kill();
    let disk = Disk::under(phone.path());
    phone.app();
    disk.bound(0);
    assert_eq!(phone.app().heal(), Err(AppError::StorageFull));
    for (call, input) in [("phone.get_state", json!({})), ("households.list_recent", json!({}))] {
        assert_eq!(phone.app().call(call, input).map(drop), Err(AppError::StorageFull), "{call}");
    }
    disk.mend();
    let state = phone.app().call("phone.get_state", json!({})).expect("a state");
    assert_eq!(state["damage"]["what"], json!(["database"]));
    assert_eq!(written(&mut phone), before);
    assert_eq!(labels(&mut phone), three());
}
