//! What was rescued from a phone comes in whole, or as much of it as is whole.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use langso_domain::id::{ScopeId, TeamId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, Imported, NewMember, NewTeam};
use langso_hub::log::Enrolled;
use langso_hub::server::Hub;
use langso_sync::change::Change;
use support::{Hands, Phone};

/// A hub with one team, and the phone of its lead.
fn staged(folder: &tempfile::TempDir) -> (Hub, ScopeId, Phone) {
    let hub = Hub::open(folder.path(), Hands::new().clock()).unwrap();
    let unit = UnitCode::parse("06859@2024").unwrap();
    let founded_on = langso_domain::date::CivilDate::parse_iso("2022-05-12").unwrap();
    let team =
        NewTeam {
            name: "Tổ thôn Lục Ngù".into(), kind: "hamlet".into(), unit, founded_on, hamlets: vec![]
        };
    let team = hub.make_team(&team).unwrap();
    let phone = enrolled(&hub, team.id, founded_on);
    (hub, team.scope, phone)
}

fn enrolled(hub: &Hub, team: TeamId, from: langso_domain::date::CivilDate) -> Phone {
    let lead = NewMember { name: "Chìu A Sám".into(), role: Role::Lead, from };
    let member = hub.add_member(team, &lead).unwrap();
    let code = hub.make_code(team, member, "http://hub.example").unwrap();
    let phone = Phone::new(1);
    let hash = langso_hub::enrol::secret_hash(&code.invite.secret);
    let told = hub.author.enrol(hash, &phone.key.public(), hub.clock.now()).unwrap();
    assert!(matches!(told, Enrolled::Yes(_)), "{told:?}");
    phone
}

/// Three frames of two changes each.
fn rescued(phone: &mut Phone, scope: ScopeId) -> (Vec<Change>, Vec<Vec<u8>>) {
    let changes: Vec<_> = (0..6).map(|_| phone.writes(scope, &["visit"])).collect();
    let frames = changes.chunks(2).map(|two| phone.frame(scope, two)).collect();
    (changes, frames)
}

fn took(imported: &Imported) -> (u32, u32, usize) {
    assert!(imported.refused.is_empty() && imported.set_aside.is_empty(), "{imported:?}");
    (imported.accepted, imported.known, imported.skipped)
}

#[test]
fn of_a_file_cut_at_any_byte_every_whole_frame_is_taken_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, scope, mut phone) = staged(&folder);
    let (changes, frames) = rescued(&mut phone, scope);
    let file = frames.concat();
    let ends = [frames[0].len(), frames[0].len() + frames[1].len(), file.len()];
    for cut in 0..file.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let told = hub.import_rescue(&file[..cut]);
        if whole == 0 && cut > 0 {
            let Err(AdminError::Invalid { field, code: "malformed" }) = told else { panic!("{told:?}") };
            assert_eq!(field, "frames");
            continue;
        }
        let (accepted, known, skipped) = took(&told.unwrap());
        assert_eq!((accepted + known) as usize, 2 * whole, "cut at {cut}");
        assert_eq!(skipped, cut - ends[..whole].last().unwrap_or(&0), "cut at {cut}");
    }
    assert_eq!(took(&hub.import_rescue(&file).unwrap()), (2, 4, 0));
    for change in changes {
        assert!(hub.log.is_taken(scope, change.key, phone.id(), b"other bytes").unwrap());
    }
}

#[test]
fn what_lies_between_frames_holds_none_of_them_back() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, scope, mut phone) = staged(&folder);
    let (_, frames) = rescued(&mut phone, scope);
    // A file of which sectors were lost: the middle of the second frame is gone, and nonsense stands before the third.
    let half = frames[1].len() / 2;
    let file = [&frames[0][..], &frames[1][..half], b"LSLS nonsense", &frames[2]].concat();
    // The second frame takes up what follows it, and is no frame that its device signed.
    let told = hub.import_rescue(&file).unwrap();
    assert_eq!((told.accepted, told.refused), (4, [("forged", 1)].into()));
    let file = [&frames[0][..], b"LSLS nonsense", &frames[1][..half]].concat();
    assert_eq!(took(&hub.import_rescue(&file).unwrap()), (0, 2, 13 + half));
    assert_eq!(took(&hub.import_rescue(&frames.concat()).unwrap()), (2, 4, 0));
}

#[test]
fn nobody_vouches_for_the_hub_and_who_tries_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (hub, scope, mut phone) = staged(&folder);
    let changes: Vec<_> =
        (0..2).map(|_| (scope, phone.writes(scope, &["team", "member"]).encode())).collect();
    let head = hub.log.scope(scope).unwrap().unwrap().head;
    let told = hub.import_vouched(hub.keys.id(), &changes).unwrap();
    assert_eq!(told, Imported { refused: [("hub_device", 2)].into(), ..Imported::default() });
    assert_eq!(hub.log.scope(scope).unwrap().unwrap().head, head);
    assert!(hub.list_waiting().unwrap().is_empty());
    let refusals: Vec<_> =
        hub.log.list_refusals().unwrap().into_iter().map(|(code, count, _)| (code, count)).collect();
    assert_eq!(refusals, [("hub_device".to_owned(), 2)]);
    // As the phone's own they are judged: beyond the role of a lead.
    let told = hub.import_vouched(phone.id(), &changes).unwrap();
    assert_eq!(told.set_aside, [("beyond_role", 2)].into());
}
