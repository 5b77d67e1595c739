//! What an operator does to a hub: places, teams, people, codes, devices, content, what waits.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::path::Path;
use std::sync::Arc;

use langso_domain::content::Content;
use langso_domain::date::CivilDate;
use langso_domain::id::{ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, ContentFile, NewHamlet, NewMember, NewPlan, NewTeam, NewTrainer};
use langso_hub::clock::{DAY_MS, HOUR_MS};
use langso_hub::log::{Enrolled, Team, WaitingName};
use langso_hub::server::Hub;
use langso_hub::waiting::Verdict;
use langso_sync::keys::SigningKey;
use support::{Hands, NOW, Phone};

fn unit(code: &str) -> UnitCode {
    UnitCode::parse(code).unwrap()
}

fn day(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).unwrap()
}

fn open(folder: &Path, hands: &Hands) -> Hub {
    Hub::open(folder, hands.clock()).unwrap()
}

fn team(name: &str, unit_code: &str) -> NewTeam {
    NewTeam {
        name: name.into(),
        kind: "hamlet".into(),
        unit: unit(unit_code),
        founded_on: day("2022-05-12"),
        hamlets: vec![NewHamlet {
            name: "Thôn Lục Ngù".into(),
            unit: unit(unit_code),
            language: Some("san_chi".into()),
            signal: Some("g4".into()),
            household_total: Some(148),
        }],
    }
}

fn lead(hub: &Hub, team: &Team) -> langso_domain::id::MemberId {
    let lead = NewMember { name: "Chìu A Sám".into(), role: Role::Lead, from: day("2022-05-12") };
    hub.add_member(team.id, &lead).unwrap()
}

/// Uses a code as a phone of that seed does.
fn enrol(hub: &Hub, phone: &Phone, secret: [u8; 16]) -> Enrolled {
    let hash = langso_hub::enrol::secret_hash(&secret);
    hub.author.enrol(hash, &phone.key.public(), hub.clock.now()).unwrap()
}

fn count(hub: &Hub, scope: ScopeId, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    hub.replicas
        .with::<_, langso_hub::replica::Error>(scope, |replica, _| {
            Ok(replica.connection().query_row(&sql, [], |row| row.get(0))?)
        })
        .unwrap()
}

fn invalid(error: AdminError) -> (String, &'static str) {
    assert_eq!(error.code(), "invalid_input");
    match error {
        AdminError::Invalid { field, code } => (field, code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_team_gets_its_scopes_its_hamlets_and_the_places_it_lies_in() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let province = hub.make_place(unit("22@2025")).unwrap();
    let elsewhere = hub.make_place(unit("01@2025")).unwrap();
    let made = hub.make_team(&team("Tổ thôn Lục Ngù", "06859@2024")).unwrap();
    assert_eq!(count(&hub, made.scope, "live_teams"), 1);
    assert_eq!(count(&hub, made.scope, "live_hamlets"), 1);
    assert_eq!(count(&hub, made.scope, "live_team_scopes"), 4);
    let minh = lead(&hub, &made);
    let code = hub.make_code(made.id, minh, "http://127.0.0.1:8080/").unwrap();
    let phone = Phone::new(1);
    assert!(matches!(enrol(&hub, &phone, code.invite.secret), Enrolled::Yes(_)));
    let held = |hub: &Hub| {
        let grants = hub.log.grants(phone.id()).unwrap();
        grants.iter().map(|grant| grant.scope).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(held(&hub), [made.scope, made.training, province.scope, hub.reference].into());
    // A place made later comes to the teams that lie in it, by the unit of old and of today.
    let district = hub.make_place(unit("198@2024")).unwrap();
    assert!(held(&hub).contains(&district.scope));
    assert!(!held(&hub).contains(&elsewhere.scope));
    assert_eq!(count(&hub, made.scope, "live_team_scopes"), 5);
}

#[test]
fn a_unit_is_a_place_once_under_its_old_code_and_its_new_one() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    hub.make_place(unit("22@2025")).unwrap();
    for again in ["22@2025", "22@2024"] {
        let error = hub.make_place(unit(again)).unwrap_err();
        assert_eq!(error.code(), "exists", "{again}");
    }
    assert_eq!(invalid(hub.make_place(unit("00002@2024")).unwrap_err()), ("unit".into(), "unknown_unit"));
    assert_eq!(hub.list_places().unwrap().len(), 1);
}

#[test]
fn a_plan_lies_in_its_place() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let place = hub.make_place(unit("22@2025")).unwrap();
    let plan = NewPlan {
        name: "Công dân số Quảng Ninh 2024".into(),
        unit: place.unit,
        from: day("2024-01-02"),
        to: day("2024-08-31"),
    };
    hub.make_plan(&plan).unwrap();
    assert_eq!(count(&hub, place.scope, "live_plans"), 1);
    let nowhere = NewPlan { unit: unit("01@2025"), ..plan.clone() };
    assert!(matches!(hub.make_plan(&nowhere), Err(AdminError::NotFound { what: "place" })));
    let reversed = NewPlan { to: day("2024-01-01"), ..plan };
    assert_eq!(invalid(hub.make_plan(&reversed).unwrap_err()), ("to".into(), "before_from"));
    assert_eq!(count(&hub, place.scope, "live_plans"), 1);
}

#[test]
fn bad_input_names_its_field_and_changes_nothing() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let good = team("Tổ thôn Lục Ngù", "06859@2024");
    let kind = NewTeam { kind: "club".into(), ..good.clone() };
    assert_eq!(invalid(hub.make_team(&kind).unwrap_err()), ("kind".into(), "unknown_choice"));
    let mut hamlet = good.clone();
    hamlet.hamlets[0].name = "Thôn của 0912345678".into();
    let refused = invalid(hub.make_team(&hamlet).unwrap_err());
    assert_eq!(refused, ("hamlets[0].name".into(), "never_store.phone"));
    let long = NewTeam { name: "ổ".repeat(41), ..good.clone() };
    assert_eq!(invalid(hub.make_team(&long).unwrap_err()), ("name".into(), "too_long"));
    assert!(hub.list_teams().unwrap().is_empty());

    let made = hub.make_team(&good).unwrap();
    let member = NewMember { name: "Lan".into(), role: Role::Member, from: day("2022-05-11") };
    assert_eq!(invalid(hub.add_member(made.id, &member).unwrap_err()), ("from".into(), "before_team"));
    let member = NewMember { name: "Lan 0912345678".into(), role: Role::Member, from: day("2022-05-12") };
    assert_eq!(invalid(hub.add_member(made.id, &member).unwrap_err()), ("name".into(), "never_store.phone"));
    let member = NewMember { name: "Lan".into(), role: Role::Hub, from: day("2022-05-12") };
    assert_eq!(invalid(hub.add_member(made.id, &member).unwrap_err()), ("role".into(), "not_of_a_team"));
    let lan = NewMember { name: " H'Mai  Êban ".into(), role: Role::Member, from: day("2022-05-12") };
    let lan = hub.add_member(made.id, &lan).unwrap();
    let members = hub.list_members(made.id).unwrap();
    assert_eq!((members[0].id, members[0].name.as_str(), members.len()), (lan, "H’Mai Êban", 1));
    for url in ["hub.example", "http://", "http://hub/sub", "http://h ub"] {
        assert_eq!(invalid(hub.make_code(made.id, lan, url).unwrap_err()), ("url".into(), "not_an_address"));
    }
    assert!(hub.list_codes(made.id).unwrap().is_empty());
}

#[test]
fn a_code_enrols_one_device_within_72_hours_and_the_list_tells() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let made = hub.make_team(&team("Tổ thôn Lục Ngù", "06859@2024")).unwrap();
    let minh = lead(&hub, &made);
    let first = hub.make_code(made.id, minh, "http://127.0.0.1:8080").unwrap();
    let late = hub.make_code(made.id, minh, "http://127.0.0.1:8080").unwrap();
    assert_eq!((first.invite.hub, first.expires_at), (hub.fingerprint(), NOW.plus(72 * HOUR_MS)));
    let (phone, thief) = (Phone::new(1), Phone::new(2));
    let Enrolled::Yes(device) = enrol(&hub, &phone, first.invite.secret) else { panic!("enrolled") };
    assert_eq!((device.member, device.role, device.team), (Some(minh), Role::Lead, Some(made.id)));
    assert_eq!(enrol(&hub, &thief, first.invite.secret), Enrolled::Used);
    hands.forward(72 * HOUR_MS);
    assert_eq!(enrol(&hub, &thief, late.invite.secret), Enrolled::Expired);
    assert!(matches!(enrol(&hub, &phone, first.invite.secret), Enrolled::Yes(_)), "the reply was lost");
    let codes = hub.list_codes(made.id).unwrap();
    let used = codes.iter().find(|code| code.used.is_some()).unwrap();
    assert_eq!(used.used, Some((phone.id(), NOW)));
    assert_eq!(used.tried_again, Some((thief.id(), NOW)));
    assert_eq!(codes.iter().filter(|code| code.used.is_none()).count(), 1);
    assert_eq!(hub.list_devices().unwrap().iter().map(|device| device.id).collect::<Vec<_>>(), [phone.id()]);
}

#[test]
fn a_trainer_holds_the_training_scopes_of_the_teams_and_no_household() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let place = hub.make_place(unit("22@2025")).unwrap();
    let one = hub.make_team(&team("Tổ một", "06859@2024")).unwrap();
    let two = hub.make_team(&team("Tổ hai", "06859@2024")).unwrap();
    let three = hub.make_team(&team("Tổ ba", "06859@2024")).unwrap();
    let trainer = |teams: Vec<TeamId>| NewTrainer { name: "Bà Hoa".into(), teams, from: day("2023-01-01") };
    assert_eq!(invalid(hub.add_trainer(&trainer(vec![])).unwrap_err()), ("teams".into(), "missing"));
    let hoa = hub.add_trainer(&trainer(vec![one.id, two.id])).unwrap();
    let code = hub.make_code(one.id, hoa, "http://hub.example").unwrap();
    let phone = Phone::new(7);
    assert!(matches!(enrol(&hub, &phone, code.invite.secret), Enrolled::Yes(_)));
    let grants = hub.log.grants(phone.id()).unwrap();
    let held: std::collections::BTreeSet<_> = grants.iter().map(|grant| grant.scope).collect();
    assert_eq!(held, [one.training, two.training, place.scope, hub.reference].into());
    assert!(grants.iter().all(|grant| grant.kind != ScopeKind::Team));
    assert!(!held.contains(&three.training));
}

#[test]
fn a_revoked_device_is_marked_in_its_team_whatever_the_clock_says() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let made = hub.make_team(&team("Tổ thôn Lục Ngù", "06859@2024")).unwrap();
    let minh = lead(&hub, &made);
    let code = hub.make_code(made.id, minh, "http://hub.example").unwrap();
    let phone = Phone::new(1);
    assert!(matches!(enrol(&hub, &phone, code.invite.secret), Enrolled::Yes(_)));
    // The hub starts again, with its clock set back by a year: its edit must beat what it saw all the same.
    drop(hub);
    hands.forward(-365 * DAY_MS);
    let hub = open(folder.path(), &hands);
    hub.revoke_device(phone.id()).unwrap();
    hub.revoke_device(phone.id()).unwrap();
    assert!(hub.log.device(phone.id()).unwrap().unwrap().revoked_at.is_some());
    let sql =
        "SELECT (SELECT count(*) FROM devices WHERE revoked_on IS NOT NULL), (SELECT count(*) FROM shelf)";
    let shown: (i64, i64) = hub
        .replicas
        .with::<_, langso_hub::replica::Error>(made.scope, |replica, _| {
            Ok(replica.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
        .unwrap();
    assert_eq!(shown, (1, 0), "one revoked, nothing on the shelf");
    let stranger = SigningKey::from_seed(&[9; 32]).id();
    assert!(matches!(hub.revoke_device(stranger), Err(AdminError::NotFound { what: "device" })));
    assert!(matches!(hub.revoke_device(hub.keys.id()), Err(AdminError::NotFound { what: "device" })));
}

#[test]
fn another_process_on_the_folder_works_beside_the_serving_one() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let serving = open(folder.path(), &hands);
    let beside = open(folder.path(), &hands);
    let made = serving.make_team(&team("Tổ một", "06859@2024")).unwrap();
    let minh = lead(&beside, &made);
    assert_eq!(serving.list_members(made.id).unwrap()[0].id, minh);
    let both = [Arc::new(serving), Arc::new(beside)];
    let threads: Vec<_> = both
        .iter()
        .enumerate()
        .map(|(at, hub)| {
            let (hub, id) = (hub.clone(), made.id);
            std::thread::spawn(move || {
                for _ in 0..10 {
                    let name = if at == 0 { "Lan" } else { "Hoa" };
                    let new = NewMember { name: name.into(), role: Role::Member, from: day("2024-01-01") };
                    hub.add_member(id, &new).unwrap();
                    hub.list_members(id).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for hub in &both {
        assert_eq!(hub.list_members(made.id).unwrap().len(), 21);
    }
}

fn service_json(version: u32, title: &str) -> String {
    let service = Content::packaged().services().next().unwrap().clone();
    let mut json = serde_json::to_value(service).unwrap();
    json["version"] = version.into();
    json["title"]["vi"] = title.into();
    json.to_string()
}

#[test]
fn content_is_checked_as_a_whole_and_published_once() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let newer = service_json(9, "Tên mới");
    let array = format!("[{newer}]");
    let file = ContentFile { name: "services.json", kind: "service", json: &array };
    let done = hub.publish_content(&[file]).unwrap();
    assert_eq!((done.new.len(), done.known), (1, 0));
    assert!(done.new[0].ends_with("@9"));
    let again = hub.publish_content(&[file]).unwrap();
    assert_eq!((again.new.len(), again.known), (0, 1));
    assert_eq!(count(&hub, hub.reference, "live_content_items"), 1);
    let code = done.new[0].strip_suffix("@9").unwrap().to_owned();
    assert_eq!(hub.content().unwrap().service(&code).unwrap().title.vi, "Tên mới");
    let packaged = include_str!("../../fixtures/indicators/indicators.json");
    let indicators = ContentFile { name: "indicators.json", kind: "indicator", json: packaged };
    assert!(hub.publish_content(&[indicators]).unwrap().new.is_empty());
}

#[test]
fn a_file_with_a_wrong_code_gives_its_own_error_and_changes_nothing() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let good = service_json(9, "Tên mới");
    let mut wrong: serde_json::Value = serde_json::from_str(&service_json(8, "Tên khác")).unwrap();
    wrong["failures"] = serde_json::json!(["Z99"]);
    let wrong = wrong.to_string();
    let files = [
        ContentFile { name: "good.json", kind: "service", json: &good },
        ContentFile { name: "wrong.json", kind: "service", json: &wrong },
    ];
    // The older version is not the newest: what it names is looked at all the same, once it is alone.
    let error = hub.publish_content(&files[1..]).unwrap_err();
    assert_eq!(error.code(), "bad_content");
    let AdminError::Content(faults) = error else { panic!("content") };
    let fault = faults.iter().find(|fault| fault.code == "unknown_failure_code").unwrap();
    assert_eq!(
        (fault.file.as_str(), fault.path.as_str(), fault.value.as_str()),
        ("wrong.json", "failures[0]", "Z99")
    );

    let title = service_json(1, "Nội dung khác dưới cùng số");
    let mut indicator: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/indicators/indicators.json")).unwrap();
    indicator[0]["version"] = 7.into();
    indicator[0]["compute"]["facts"]["view"] = "phones".into();
    let indicator = indicator[0].to_string();
    for (kind, json, code) in [
        ("service", "{", "bad_json"),
        ("service", "[{}]", "missing_field"),
        ("service", title.as_str(), "version_taken"),
        ("indicator", indicator.as_str(), "unknown_view"),
        ("indicator", "[3]", "unreadable"),
    ] {
        let file = ContentFile { name: "file.json", kind, json };
        let AdminError::Content(faults) = hub.publish_content(&[files[0], file]).unwrap_err() else {
            panic!("content")
        };
        assert!(faults.iter().any(|fault| fault.code == code), "{code}: {faults:?}");
    }
    let unknown = ContentFile { name: "file.json", kind: "song", json: "{}" };
    assert_eq!(invalid(hub.publish_content(&[unknown]).unwrap_err()), ("kind".into(), "unknown_choice"));
    assert_eq!(count(&hub, hub.reference, "live_content_items"), 0);
}

fn is_set_aside(one: &langso_hub::admin::Waiting) -> bool {
    matches!(one.name, WaitingName::SetAside(..))
}

#[test]
fn what_is_set_aside_is_listed_with_its_author_and_admitted() {
    let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let hub = open(folder.path(), &hands);
    let made = hub.make_team(&team("Tổ thôn Lục Ngù", "06859@2024")).unwrap();
    let minh = lead(&hub, &made);
    let code = hub.make_code(made.id, minh, "http://hub.example").unwrap();
    let mut phone = Phone::new(1);
    assert!(matches!(enrol(&hub, &phone, code.invite.secret), Enrolled::Yes(_)));
    let beyond = phone.writes(made.scope, &["member"]);
    let lost = ScopeId(*b"nowhere!");
    let stray = phone.writes(lost, &["visit"]);
    let taken = phone.writes(made.scope, &["household"]);
    let other = support::change(taken.key, &["household"], langso_sync::value::Value::Int(1));
    for (scope, change) in [(made.scope, &beyond), (lost, &stray), (made.scope, &taken), (made.scope, &other)]
    {
        hub.intake.take(&phone.frame(scope, std::slice::from_ref(change)), NOW).unwrap();
    }
    let waiting = hub.list_waiting().unwrap();
    let told: Vec<_> = waiting
        .iter()
        .map(|one| (one.team, one.reason.as_str(), one.member, one.key, is_set_aside(one)))
        .collect();
    let team = Some(made.id);
    let admit = |scope, at: usize| hub.decide(scope, waiting[at].name, Verdict::Admit, None);
    assert_eq!(
        told,
        [
            (team, "beyond_role", Some(minh), Some(beyond.key), true),
            (team, "other_bytes", Some(minh), Some(taken.key), false),
            (None, "unknown_scope", Some(minh), Some(stray.key), true),
        ]
    );
    let head = hub.log.scope(made.scope).unwrap().unwrap().head;
    admit(made.scope, 0).unwrap();
    assert_eq!(hub.log.scope(made.scope).unwrap().unwrap().head, head + 1);
    assert_eq!(hub.list_waiting().unwrap().len(), 2);
    assert!(matches!(admit(made.scope, 0), Err(AdminError::NotFound { what: "waiting" })));
    assert!(matches!(admit(lost, 2), Err(AdminError::NotFound { what: "waiting" })));
}
