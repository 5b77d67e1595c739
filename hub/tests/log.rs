//! The log on a real SQLite file: what gets a position, what waits, what is refused.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::collections::BTreeMap;

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::{CURRENT, Role};
use langso_hub::clock::DAY_MS;
use langso_hub::intake::{Refusal, Taken};
use langso_hub::keys::KeyError;
use langso_hub::log::{BackedUp, Enrolled, Error, Log, Reason, WaitingName, Write};
use langso_hub::server::StartError;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Change;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;
use support::{Hub, NOW, PLACE, Phone, TEAM_SCOPE, TRAINING, change, enrol, frame, member_id, team_id};

fn reasons(hub: &Hub, frame: &[u8]) -> Vec<Reason> {
    hub.takes(frame).set_aside.into_iter().map(|(_, reason)| reason).collect()
}

#[test]
fn positions_are_dense_and_chained_in_the_order_of_commits() {
    let hub = Hub::new();
    let (mut lan, mut minh) = (hub.phone(1, Role::Member), hub.phone(2, Role::Lead));
    let mut chain = Chain::start(TEAM_SCOPE);
    let mut expected = Vec::new();
    for round in 0..6 {
        let phone = if round % 2 == 0 { &mut lan } else { &mut minh };
        let changes: Vec<Change> = (0..3).map(|_| phone.writes(TEAM_SCOPE, &["household"])).collect();
        assert_eq!(hub.takes(&phone.frame(TEAM_SCOPE, &changes)).accepted, 3);
        expected.extend(changes);
    }
    let served = hub.log.changes_after(TEAM_SCOPE, 0, 100, usize::MAX).unwrap();
    assert_eq!(served.len(), 18);
    for (at, (stored, change)) in served.iter().zip(&expected).enumerate() {
        chain = chain.then(change.key);
        assert_eq!((stored.position, stored.key, stored.chain), (at as u64 + 1, change.key, chain));
        assert_eq!(stored.bytes, change.encode());
        assert!(hub.log.knows(TEAM_SCOPE, Cursor { position: stored.position, chain }).unwrap());
    }
    let state = hub.log.scope(TEAM_SCOPE).unwrap().unwrap();
    assert_eq!((state.head, state.chain), (18, chain));
    assert!(!hub.log.knows(TEAM_SCOPE, Cursor { position: 19, chain }).unwrap());
    assert!(!hub.log.knows(TEAM_SCOPE, Cursor { position: 5, chain }).unwrap());
}

#[test]
fn what_is_sent_again_gets_no_second_position() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let first = lan.writes(TEAM_SCOPE, &["visit"]);
    let second = lan.writes(TEAM_SCOPE, &["visit"]);
    hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&first)));
    let again = hub.takes(&lan.frame(TEAM_SCOPE, &[first, second]));
    assert_eq!((again.accepted, again.known.len(), hub.head(TEAM_SCOPE)), (1, 1, 2));
}

#[test]
fn a_key_with_other_bytes_is_kept_beside_the_log() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let one = lan.writes(TEAM_SCOPE, &["visit"]);
    let other = change(one.key, &["visit"], Value::Int(7));
    hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&one)));
    let told = hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&other)));
    assert_eq!((told.accepted, told.collisions), (0, vec![one.key]));
    hub.takes(&lan.frame(TEAM_SCOPE, &[other]));
    assert_eq!(hub.log.list_collisions(TEAM_SCOPE).unwrap().len(), 1);
    assert_eq!(hub.log.changes_after(TEAM_SCOPE, 0, 9, 1_000).unwrap()[0].bytes, one.encode());
}

#[test]
fn a_bad_change_waits_and_holds_no_other_back() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let changes = [
        lan.writes(TEAM_SCOPE, &["household"]),
        lan.writes(TEAM_SCOPE, &["household", "member"]),
        lan.writes(TEAM_SCOPE, &["checklist_run"]),
        lan.writes(TEAM_SCOPE, &["visit"]),
    ];
    let told = hub.takes(&lan.frame(TEAM_SCOPE, &changes));
    assert_eq!(told.accepted, 2);
    let aside = vec![(Some(changes[1].key), Reason::BeyondRole), (Some(changes[2].key), Reason::BeyondRole)];
    assert_eq!(told.set_aside, aside);
    hub.takes(&lan.frame(TEAM_SCOPE, &changes));
    assert_eq!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().len(), 2, "sent twice, kept once");
    assert_eq!(hub.head(TEAM_SCOPE), 2);
}

#[test]
fn what_the_lead_admits_gets_its_position() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let changes = [lan.writes(TEAM_SCOPE, &["member"])];
    let frame = lan.frame(TEAM_SCOPE, &changes);
    hub.takes(&frame);
    let waiting = hub.log.list_set_aside(TEAM_SCOPE).unwrap();
    assert_eq!((waiting[0].key, waiting[0].reason.as_str()), (Some(changes[0].key), "beyond_role"));
    let WaitingName::SetAside(number, hash) = waiting[0].name else { panic!("{waiting:?}") };
    assert_eq!(hash, langso_sync::change::hash(&changes[0].encode()));
    // A name of the same number that another log gave to another change.
    let other = WaitingName::SetAside(number, [0; 32]);
    for write in [Write::Admit(TEAM_SCOPE, other, None), Write::Reentered(TEAM_SCOPE, other, None)] {
        assert!(matches!(hub.log.commit(hub.key.id(), &[write], NOW), Err(Error::NotWaiting)));
    }
    assert_eq!(hub.log.waiting(TEAM_SCOPE, other).unwrap(), None);
    let admit = || hub.log.commit(hub.key.id(), &[Write::Admit(TEAM_SCOPE, waiting[0].name, None)], NOW);
    admit().unwrap();
    assert_eq!(hub.log.changes_after(TEAM_SCOPE, 0, 9, usize::MAX).unwrap()[0].key, changes[0].key);
    assert!(matches!(admit(), Err(Error::NotWaiting)));
    let again = hub.takes(&frame);
    assert_eq!((again.known.len(), again.set_aside.len()), (1, 0));
    assert!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().is_empty());
}

#[test]
fn a_writer_belongs_to_one_device_and_one_scope() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let minh = hub.phone(2, Role::Member);
    let first = lan.writes(TEAM_SCOPE, &["visit"]);
    hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&first)));
    let next = change(Key { seq: 2, ..first.key }, &["visit"], Value::Int(1));
    assert_eq!(reasons(&hub, &minh.frame(TEAM_SCOPE, &[next])), [Reason::WriterElsewhere]);
    let elsewhere = change(Key { seq: 2, ..first.key }, &["checklist_run"], Value::Int(1));
    assert_eq!(reasons(&hub, &lan.frame(TRAINING, &[elsewhere])), [Reason::WriterElsewhere]);
}

#[test]
fn scopes_that_a_device_does_not_hold_wait() {
    let hub = Hub::new();
    let mut trainer = hub.phone(1, Role::Trainer);
    let visit = trainer.writes(TEAM_SCOPE, &["visit"]);
    assert_eq!(reasons(&hub, &trainer.frame(TEAM_SCOPE, &[visit])), [Reason::OutOfScope]);
    let nowhere = ScopeId([9; 8]);
    let visit = trainer.writes(nowhere, &["visit"]);
    assert_eq!(reasons(&hub, &trainer.frame(nowhere, &[visit])), [Reason::UnknownScope]);
    let review = trainer.writes(TRAINING, &["review"]);
    assert_eq!(hub.takes(&trainer.frame(TRAINING, &[review])).accepted, 1);
    assert_eq!(hub.head(TEAM_SCOPE), 0);
}

#[test]
fn a_revoked_device_is_still_heard() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let before = lan.writes(TEAM_SCOPE, &["visit"]);
    hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&before)));
    hub.log.commit(hub.key.id(), &[Write::Revoke(lan.id())], NOW).unwrap();
    let after = lan.writes(TEAM_SCOPE, &["visit"]);
    let told = hub.takes(&lan.frame(TEAM_SCOPE, &[before, after.clone()]));
    assert_eq!((told.known.len(), told.set_aside), (1, vec![(Some(after.key), Reason::RevokedDevice)]));
}

#[test]
fn forged_frames_are_refused_and_counted() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let changes = [lan.writes(TEAM_SCOPE, &["visit"])];
    let good = lan.frame(TEAM_SCOPE, &changes);
    for at in [16, good.len() / 2, good.len() - 1] {
        let mut forged = good.clone();
        forged[at] ^= 1;
        assert_eq!(hub.intake.take(&forged, NOW).unwrap(), Taken::Refused(Refusal::Forged));
    }
    let stranger = SigningKey::from_seed(&[99; 32]);
    let foreign = frame(&stranger, TEAM_SCOPE, changes.iter().map(Change::encode));
    assert_eq!(hub.intake.take(&foreign, NOW).unwrap(), Taken::Refused(Refusal::UnknownDevice));
    let counted: BTreeMap<_, _> =
        hub.log.list_refusals().unwrap().into_iter().map(|(reason, count, _)| (reason, count)).collect();
    assert_eq!(counted, BTreeMap::from([("forged".to_owned(), 3), ("unknown_device".to_owned(), 1)]));
    assert_eq!(hub.head(TEAM_SCOPE), 0);
}

#[test]
fn bytes_that_are_no_change_wait_inside_a_true_frame() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let good = lan.writes(TEAM_SCOPE, &["visit"]);
    // Rows that are numbers: a change by its outside only.
    let mut odd = change(Key { seq: 9, ..good.key }, &[], Value::Null).encode();
    let rows = odd.len() - 2;
    odd.splice(rows..=rows, [0x81, 0x07]);
    let told = hub.takes(&frame(&lan.key, TEAM_SCOPE, [odd, good.encode()]));
    assert_eq!(told.accepted, 1);
    assert_eq!(told.set_aside, [(Some(Key { seq: 9, ..good.key }), Reason::Malformed)]);
    // Not even that: the frame is kept whole.
    let told = hub.takes(&frame(&lan.key, TEAM_SCOPE, [vec![0xFF; 40]]));
    assert_eq!(told.set_aside, [(None, Reason::Malformed)]);
}

#[test]
fn what_the_hub_served_it_takes_back_with_its_authors() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let one = lan.writes(TEAM_SCOPE, &["visit"]);
    let mut builder = langso_sync::frame::FrameBuilder::new(TEAM_SCOPE, 1, 10_000);
    builder.push_served(&one.encode(), one.key, lan.id(), 1, Chain::start(TEAM_SCOPE)).unwrap();
    assert_eq!(hub.takes(&builder.build(&hub.key).unwrap()).accepted, 1);
    let two = lan.writes(TEAM_SCOPE, &["visit"]);
    assert_eq!(hub.takes(&lan.frame(TEAM_SCOPE, &[two])).accepted, 1, "the writer is the phone's");
}

/// A frame of the hub's own with that change, as a phone carries it.
fn carried(hub: &Hub, phone: &Phone, change: &langso_sync::change::Change) -> Vec<u8> {
    let mut builder = FrameBuilder::new(TEAM_SCOPE, CURRENT.schema, usize::MAX);
    builder.push_served(&change.encode(), change.key, phone.id(), 1, Chain::start(TEAM_SCOPE)).unwrap();
    builder.build(&hub.key).unwrap()
}

#[test]
fn what_had_a_position_before_a_rollback_is_not_judged_again() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    // A lead had admitted it; and its phone was revoked later.
    let admitted = lan.writes(TEAM_SCOPE, &["member"]);
    assert_eq!(reasons(&hub, &lan.frame(TEAM_SCOPE, std::slice::from_ref(&admitted))), [Reason::BeyondRole]);
    hub.log.commit(hub.key.id(), &[Write::Revoke(lan.id())], NOW).unwrap();
    let told = hub.takes(&carried(&hub, &lan, &admitted));
    assert_eq!((told.accepted, told.set_aside.len()), (1, 0));
    // What waited all the while has its position by now.
    assert!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().is_empty());
    assert_eq!(hub.head(TEAM_SCOPE), 1);
}

#[test]
fn what_waits_under_a_number_that_is_taken_meanwhile_cannot_be_admitted() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let waits = lan.writes(TEAM_SCOPE, &["member"]);
    hub.takes(&lan.frame(TEAM_SCOPE, std::slice::from_ref(&waits)));
    let is_taken = || hub.log.is_taken(TEAM_SCOPE, waits.key, lan.id(), &waits.encode()).unwrap();
    assert!(!is_taken());
    let other = change(waits.key, &["visit"], Value::Int(1));
    assert_eq!(hub.takes(&carried(&hub, &lan, &other)).accepted, 1);
    assert!(is_taken());
    let waiting = hub.log.list_set_aside(TEAM_SCOPE).unwrap();
    let admit = Write::Admit(TEAM_SCOPE, waiting[0].name, None);
    assert!(matches!(hub.log.commit(hub.key.id(), &[admit], NOW), Err(Error::NotNew)));
    assert_eq!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().len(), 1, "it waits on, to be entered anew");
}

#[test]
fn what_waited_for_an_unknown_device_is_judged_again_in_order_when_it_enrols() {
    let hub = Hub::new();
    // As after a rollback to before it was enrolled: the hub's own frames name it, and nothing else does.
    let mut lan = Phone::new(1);
    let mut frames = Vec::new();
    let (mut chain, mut position, mut expected) = (Chain::start(TEAM_SCOPE), 0, Vec::new());
    for _ in 0..3 {
        let mut builder = FrameBuilder::new(TEAM_SCOPE, CURRENT.schema, usize::MAX);
        for at in 0..400 {
            let change = lan.writes(TEAM_SCOPE, if at == 7 { &["member"] } else { &["household"] });
            position += 1;
            builder.push_served(&change.encode(), change.key, lan.id(), position, chain).unwrap();
            chain = chain.then(change.key);
            if at != 7 {
                expected.push(change.key);
            }
        }
        frames.push(builder.build(&hub.key).unwrap());
    }
    for frame in &frames {
        assert!(reasons(&hub, frame).iter().all(|why| *why == Reason::UnknownDevice));
    }
    assert_eq!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().len(), 1_200);
    enrol(&hub.log, &hub.key, &lan, Role::Member);
    let served = hub.log.changes_after(TEAM_SCOPE, 0, 2_000, usize::MAX).unwrap();
    assert_eq!(served.iter().map(|stored| stored.key).collect::<Vec<_>>(), expected);
    assert!(served.iter().all(|stored| stored.device == lan.id()));
    let waits = hub.log.list_set_aside(TEAM_SCOPE).unwrap();
    assert_eq!(waits.len(), 3, "what it may not write waits on");
    assert!(waits.iter().all(|one| one.reason == Reason::BeyondRole.code()));
    // Now that the hub knows the device, what it signed itself it takes back whole: it had a position.
    let again = hub.takes(&frames[0]);
    assert_eq!((again.accepted, again.known.len(), hub.head(TEAM_SCOPE)), (1, 399, 1_198));
    assert_eq!(hub.log.list_set_aside(TEAM_SCOPE).unwrap().len(), 2);
}

#[test]
fn the_log_tells_where_a_writers_changes_stand() {
    let hub = Hub::new();
    let (mut lan, mut minh) = (hub.phone(1, Role::Member), hub.phone(2, Role::Member));
    let three = |phone: &mut Phone| {
        let changes: Vec<_> = (0..3).map(|_| phone.writes(TEAM_SCOPE, &["visit"])).collect();
        hub.takes(&phone.frame(TEAM_SCOPE, &changes));
    };
    three(&mut lan);
    three(&mut minh);
    three(&mut lan);
    let writer = lan.writer(TEAM_SCOPE);
    let keys = |up_to, after| {
        let keys = hub.log.keys_of(TEAM_SCOPE, writer, up_to, after).unwrap();
        keys.iter().map(|(position, key)| (*position, key.seq)).collect::<Vec<_>>()
    };
    assert_eq!(keys(6, 0), [(1, 1), (2, 2), (3, 3), (7, 4), (8, 5), (9, 6)]);
    assert_eq!(keys(5, 2), [(3, 3), (7, 4), (8, 5)]);
    assert_eq!(keys(6, 9), []);
}

#[test]
fn a_code_is_for_one_key_and_answers_it_again() {
    let hub = Hub::new();
    let lan = hub.phone(1, Role::Member);
    let hash = lan.key.public().to_bytes();
    let again = support::use_code(&hub.log, hash, &lan, NOW.plus(9 * DAY_MS));
    let Enrolled::Yes(device) = again else { panic!("{again:?}") };
    assert_eq!((device.member, device.team), (Some(member_id(lan.id().0[0])), Some(team_id())));
    let thief = Phone::new(66);
    assert_eq!(support::use_code(&hub.log, hash, &thief, NOW), Enrolled::Used);
    assert_eq!(hub.log.list_codes(team_id()).unwrap()[0].tried_again, Some((thief.id(), NOW)));
    assert_eq!(support::use_code(&hub.log, [0; 32], &thief, NOW), Enrolled::UnknownCode);
    assert!(hub.log.device(thief.id()).unwrap().is_none());
}

#[test]
fn a_trainer_holds_training_and_place_and_no_team_scope() {
    let hub = Hub::new();
    let trainer = hub.phone(1, Role::Trainer);
    let held: Vec<_> = hub.log.grants(trainer.id()).unwrap().iter().map(|grant| grant.scope).collect();
    assert_eq!(held, [PLACE, TRAINING]);
}

#[test]
fn who_leaves_a_team_holds_nothing_of_it_any_more() {
    let hub = Hub::new();
    let lan = hub.phone(1, Role::Member);
    assert_eq!(hub.log.left_at(lan.id(), TRAINING).unwrap(), None);
    hub.log.commit(hub.key.id(), &[Write::Leave(lan.id(), team_id())], NOW.plus(5)).unwrap();
    assert!(hub.log.grants(lan.id()).unwrap().is_empty());
    assert_eq!(hub.log.left_at(lan.id(), TRAINING).unwrap(), Some(NOW.plus(5)));
}

#[test]
fn the_log_is_there_again_after_the_process_is_gone() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let changes: Vec<_> = (0..20).map(|_| lan.writes(TEAM_SCOPE, &["visit"])).collect();
    hub.takes(&lan.frame(TEAM_SCOPE, &changes));
    // Another process opens the file while the first never closed it, as after a kill.
    let again = Log::open(&hub.folder.path().join("hub.db"), &CURRENT).unwrap();
    assert_eq!(again.scope(TEAM_SCOPE).unwrap(), hub.log.scope(TEAM_SCOPE).unwrap());
    assert_eq!(again.changes_after(TEAM_SCOPE, 0, 100, usize::MAX).unwrap().len(), 20);
}

#[test]
fn a_watermark_only_rises_and_stays_below_the_head() {
    let hub = Hub::new();
    let mut lan = hub.phone(1, Role::Member);
    let changes: Vec<_> = (0..5).map(|_| lan.writes(TEAM_SCOPE, &["visit"])).collect();
    hub.takes(&lan.frame(TEAM_SCOPE, &changes));
    let mark = || hub.log.scope(TEAM_SCOPE).unwrap().unwrap().watermark;
    let end_at = |position: usize| {
        let keys = changes.iter().take(position).map(|change| change.key);
        keys.fold(Cursor::start(TEAM_SCOPE), Cursor::then)
    };
    for (to, then) in [(3, 3), (2, 3), (6, 3), (5, 5)] {
        let end = Cursor { position: to, ..end_at(to as usize) };
        let backup = BackedUp { at: NOW.plus(to as i64), folder: String::new(), bytes: 1, changes: to };
        let added = hub.log.add_backup(&backup, &[(TEAM_SCOPE, end)]);
        assert_eq!(matches!(added, Err(Error::OtherHistory)), to > 5, "{added:?}");
        assert_eq!(mark(), then);
    }
}

#[test]
fn a_file_of_a_newer_hub_or_no_log_at_all_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    drop(Log::open(&path, &CURRENT).unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Log::open(&path, &CURRENT), Err(Error::Newer { found: 99, known: 1 })));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::write(&path, "no database, but somebody's file").unwrap();
    assert!(matches!(Log::open(&path, &CURRENT), Err(Error::Sqlite(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"no database, but somebody's file");
}

#[test]
fn a_folder_that_cannot_be_used_or_lost_its_key_stops_the_hub_before_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let open = |path: &std::path::Path| langso_hub::server::Hub::open(path, support::Hands::new().clock());
    assert!(matches!(open(&file.join("hub")), Err(StartError::Io(_))));
    let home = folder.path().join("hub");
    drop(open(&home).unwrap());
    std::fs::remove_file(home.join("hub.key")).unwrap();
    assert!(matches!(open(&home), Err(StartError::Keys(KeyError::Missing))), "a new key would be a stranger");
}
