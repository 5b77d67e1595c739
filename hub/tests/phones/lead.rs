//! A lead on a phone looks at what waits at the hub and says what becomes of it.

use langso_device::companion::Nothing;
use langso_device::companion::set_aside::{Decided, SetAsidePage, Waiting, WaitingAfter, WaitingChange};
use langso_device::{AppError, Phone};
use langso_domain::id::RowId;
use langso_domain::registry::{CURRENT, Role};
use langso_hub::intake::Taken;
use langso_hub::waiting::Verdict;
use langso_sync::change::Change;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;
use serde_json::json;

use crate::field::{Field, Handset, Team};

async fn waits(lead: &mut Handset) -> Vec<WaitingChange> {
    let page = lead.app().set_aside().list_set_aside(WaitingAfter::default()).await.unwrap();
    assert!(!page.has_more);
    page.waiting
}

fn named(waiting: &[WaitingChange]) -> Waiting {
    Waiting { waiting: waiting.iter().map(|one| one.waiting.clone()).collect() }
}

fn problems(decided: &Decided) -> Vec<Option<&str>> {
    decided.decided.iter().map(|one| one.problem.as_deref()).collect()
}

async fn staged(field: &Field) -> (Team, Handset, Handset) {
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut lead = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    (team, lead, member)
}

fn label_of(phone: &Handset, row: RowId) -> Option<String> {
    let sql = "SELECT label FROM live_households WHERE id = ?1";
    phone.read().query_row(sql, [row.0], |row| row.get(0)).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_shown_with_author_phone_time_and_content_and_admitted_into_the_book() {
    let field = Field::start().await;
    let (team, mut lead, mut member) = staged(&field).await;
    // Beyond the role, and of a phone that was reported lost while it was out.
    member.save(|saving| saving.create("hamlet", [("name", "Thôn Sú Cáu".into())]));
    member.sync().await.unwrap();
    let mut lost = field.phone(&team, "Tằng Văn Nồng", Role::Member).await;
    lost.sync().await.unwrap();
    let household = lost.household("Hộ 12");
    field.hub().revoke_device(lost.device()).unwrap();
    assert_eq!(lost.sync().await.unwrap_err(), AppError::NotAllowed { why: "revoked".to_owned() });

    lead.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    let told: Vec<_> = waiting
        .iter()
        .map(|one| (one.reason.as_str(), one.member_name.as_deref(), one.device.clone(), one.can_be_admitted))
        .collect();
    let devices = [member.device().to_string(), lost.device().to_string()];
    assert_eq!(
        told,
        [
            ("beyond_role", Some("Chíu Sám Múi"), devices[0].clone(), true),
            ("revoked_device", Some("Tằng Văn Nồng"), devices[1].clone(), true),
        ]
    );
    assert!(waiting.iter().all(|one| one.saved_at.is_some() && one.arrived_at == field.world.now()));
    let hamlet = &waiting[0].rows[0];
    assert_eq!((hamlet.table.as_str(), hamlet.is_correction), ("hamlet", false));
    assert_eq!((hamlet.fields[0].field.as_str(), &hamlet.fields[0].value), ("name", &json!("Thôn Sú Cáu")));
    assert!(waiting[1].rows.iter().any(|row| row.row == household.0 && row.table == "household"));
    assert_eq!(label_of(&lead, household.0), None);

    // One that waits nowhere holds the others back in nothing.
    let mut asked = named(&waiting);
    asked.waiting.insert(1, format!("{}/99", team.scope));
    let decided = lead.app().set_aside().admit_changes(asked).await.unwrap();
    assert_eq!(problems(&decided), [None, Some("not_found"), None]);
    assert_eq!(waits(&mut lead).await, []);
    let again = lead.app().set_aside().admit_changes(named(&waiting)).await.unwrap();
    assert_eq!(problems(&again), [Some("not_found"), Some("not_found")]);

    lead.sync().await.unwrap();
    assert_eq!(label_of(&lead, household.0), Some("Hộ 12".to_owned()));
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.set_aside, status.on_phone, status.at_hub), (0, 0, 1));
    assert_eq!(member.count("hamlets"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_on_what_a_restored_hub_lost_settles_nothing_that_took_its_number() {
    let field = Field::start().await;
    let (team, mut lead, mut member) = staged(&field).await;
    let mut other = field.phone(&team, "Tằng Văn Nồng", Role::Member).await;
    other.sync().await.unwrap();
    let before = field.copy();
    let hamlet = |phone: &mut Handset, name: &str| {
        phone.save(|saving| saving.create("hamlet", [("name", name.into())]))
    };
    hamlet(&mut member, "Thôn Sú Cáu");
    member.sync().await.unwrap();
    let stale = waits(&mut lead).await;
    let number = |waiting: &[WaitingChange]| waiting[0].waiting.split_once('h').unwrap().0.to_owned();

    let field = field.roll_back(&before).await;
    field.reach(&[&lead, &member, &other]);
    let theirs = hamlet(&mut other, "Thôn Ngàn Mèo");
    other.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    assert_eq!((waiting.len(), number(&waiting)), (1, number(&stale)), "the number is given again");
    let set_aside = lead.app().set_aside();
    for decided in [
        set_aside.admit_changes(named(&stale)).await,
        set_aside.admit_and_void(named(&stale)).await,
        set_aside.reenter_change(named(&stale)).await,
        set_aside.admit_changes(Waiting { waiting: vec![number(&stale)] }).await,
    ] {
        assert_eq!(problems(&decided.unwrap()), [Some("not_found")]);
    }
    assert_eq!(waits(&mut lead).await, waiting, "what took the number waits on");
    assert_eq!(waiting[0].rows[0].row, theirs);

    // What was lost comes again, with the sync after the one that hears of it, and is admitted by the name it has now.
    for _ in 0..2 {
        member.sync().await.unwrap();
    }
    let waiting = waits(&mut lead).await;
    let again: Vec<_> = waiting.iter().filter(|one| one.rows == stale[0].rows).cloned().collect();
    let decided = lead.app().set_aside().admit_changes(named(&again)).await.unwrap();
    assert_eq!((waiting.len(), problems(&decided)), (2, vec![None]));
    field.holds_once(team.scope, &member.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_admitted_and_struck_out_is_seen_by_all_and_counted_nowhere() {
    let field = Field::start().await;
    let (team, mut lead, mut member) = staged(&field).await;
    let name = |phone: &Handset| {
        let sql = "SELECT name FROM live_hamlets WHERE id = ?1";
        phone.read().query_row(sql, [team.hamlet.0.0], |row| row.get::<_, String>(0)).unwrap()
    };
    let made = member.save(|saving| {
        saving.patch(
            "hamlet",
            team.hamlet.0,
            [("name", "Thôn khác".into()), ("household_total", Value::Int(3))],
        )?;
        saving.create("hamlet", [("name", "Thôn Sú Cáu".into())])
    });
    member.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    let decided = lead.app().set_aside().admit_and_void(named(&waiting)).await.unwrap();
    assert_eq!(problems(&decided), [None]);
    let written = member.written_keys();
    for phone in [&mut lead, &mut member] {
        phone.sync().await.unwrap();
        assert_eq!(name(phone), "Thôn Ngàn Chi");
        let sql = "SELECT household_total FROM live_hamlets";
        assert_eq!(phone.read().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 104);
        // The row is there, struck out, and no field of it or of the other is in conflict.
        let sql = "SELECT void FROM hamlets WHERE id = ?1";
        assert_eq!(
            phone.read().query_row(sql, [made.0], |row| row.get::<_, Option<i64>>(0)).unwrap(),
            Some(1)
        );
        assert_eq!(
            phone.read().query_row("SELECT count(*) FROM shelf", [], |row| row.get::<_, i64>(0)).unwrap(),
            0
        );
    }
    field.holds_once(team.scope, &written);
    assert_eq!(member.app().sync().get_status(Nothing {}).unwrap().set_aside, 0);
    assert_eq!(lead.rows()["hamlets"], member.rows()["hamlets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_came_twice_is_kept_beside_the_log_and_entered_anew_once() {
    let field = Field::start().await;
    let (team, mut lead, mut member) = staged(&field).await;
    let household = member.household("Hộ 12");
    member.sync().await.unwrap();
    let (_, key, bytes) = member.written().remove(0);
    assert_eq!(household.0.key(), Some(key));

    // A copy of the phone, as no program of ours makes one, said something else under the same number.
    let mut other = Change::decode(&bytes).unwrap();
    for row in &mut other.rows {
        row.fields.retain(|_, value| *value != Value::Text("cạnh trường".to_owned()));
        for value in row.fields.values_mut().filter(|value| **value == Value::Text("Hộ 12".to_owned())) {
            *value = Value::Text("Hộ 13".to_owned());
        }
    }
    let seed: [u8; 32] = std::fs::read(member.path().join("phone.key")).unwrap().try_into().unwrap();
    let mut frame = FrameBuilder::new(team.scope, CURRENT.schema, usize::MAX);
    frame.push(&other.encode()).unwrap();
    let frame = frame.build(&SigningKey::from_seed(&seed)).unwrap();
    let taken = field.hub().intake.take(&frame, field.hub().clock.now()).unwrap();
    assert!(matches!(taken, Taken::Kept(_, told) if told.collisions == [key]));

    let waiting = waits(&mut lead).await;
    assert_eq!((waiting[0].reason.as_str(), waiting[0].can_be_admitted), ("other_bytes", false));
    let set_aside = lead.app().set_aside();
    let refused = set_aside.admit_changes(named(&waiting)).await.unwrap();
    assert_eq!(problems(&refused), [Some("cannot_be_applied")]);
    let entered = set_aside.reenter_change(named(&waiting)).await.unwrap();
    let again = set_aside.reenter_change(named(&waiting)).await.unwrap();
    assert_eq!((problems(&entered), problems(&again)), (vec![None], vec![Some("not_found")]));
    assert_eq!(waits(&mut lead).await, []);

    for phone in [&mut lead, &mut member] {
        phone.sync().await.unwrap();
        let sql = "SELECT label FROM live_households ORDER BY label";
        let read = phone.read();
        let mut get = read.prepare(sql).unwrap();
        let labels: Vec<String> = get.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(labels, ["Hộ 12", "Hộ 13"]);
        // The consent that came with it is bound to the new household, and to no other.
        let sql = "SELECT count(DISTINCT household_id), count(*) FROM live_consents";
        let bound: (i64, i64) = read.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(bound, (2, 2));
    }
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.set_aside, status.on_phone), (0, 0));
    assert_eq!(member.app().set_aside().list_own_set_aside(Nothing {}).unwrap().changes, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_team_no_lead_admits_and_the_operator_can() {
    let field = Field::start().await;
    let (team, mut lead, _) = staged(&field).await;
    lead.save(|saving| saving.create("member", [("name", "Người Lạ".into()), ("role", 3u8.into())]));
    lead.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    for decided in [
        lead.app().set_aside().admit_changes(named(&waiting)).await.unwrap(),
        lead.app().set_aside().admit_and_void(named(&waiting)).await.unwrap(),
    ] {
        assert_eq!(problems(&decided), [Some("operator_only")]);
    }
    assert_eq!(waits(&mut lead).await, waiting);
    let name = field.hub().list_waiting().unwrap()[0].name;
    field.hub().decide(team.scope, name, Verdict::Admit, None).unwrap();
    assert_eq!(waits(&mut lead).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_admitted_is_not_entered_anew() {
    let field = Field::start().await;
    let (_, mut lead, mut member) = staged(&field).await;
    member.save(|saving| saving.create("hamlet", [("name", "Thôn Sú Cáu".into())]));
    member.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    let refused = lead.app().set_aside().reenter_change(named(&waiting)).await.unwrap();
    assert_eq!(problems(&refused), [Some("can_be_admitted")]);
    assert_eq!(waits(&mut lead).await, waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_leads_the_team_sees_and_decides_and_without_a_hub_nobody_does() {
    let field = Field::start().await;
    let (_, mut lead, mut member) = staged(&field).await;
    let other = field.found("Tổ thôn Sú Cáu");
    let mut stranger = field.phone(&other, "Trần Văn Bình", Role::Lead).await;
    member.save(|saving| saving.create("hamlet", [("name", "Thôn Sú Cáu".into())]));
    member.sync().await.unwrap();
    let waiting = waits(&mut lead).await;
    assert_eq!(waiting.len(), 1);

    let not_allowed = AppError::NotAllowed { why: "role".to_owned() };
    let refused = member.app().set_aside().list_set_aside(WaitingAfter::default()).await;
    assert_eq!(refused.unwrap_err(), not_allowed);
    assert_eq!(member.app().set_aside().admit_changes(named(&waiting)).await.unwrap_err(), not_allowed);
    assert_eq!(waits(&mut stranger).await, []);
    let refused = stranger.app().set_aside().admit_changes(named(&waiting)).await.unwrap();
    assert_eq!(problems(&refused), [Some("not_found")]);
    assert_eq!(waits(&mut lead).await, waiting);

    let nothing = lead.app().set_aside().admit_changes(Waiting { waiting: vec![] }).await;
    assert!(matches!(nothing, Err(AppError::InvalidInput { code, .. }) if code == "missing"));
    field.running.shutdown().await.unwrap();
    let unreached = lead.app().set_aside().list_set_aside(WaitingAfter::default()).await;
    assert!(matches!(unreached, Err(AppError::Offline { .. })), "{unreached:?}");
    let unreached = lead.app().set_aside().admit_changes(named(&waiting)).await;
    assert!(matches!(unreached, Err(AppError::Offline { .. })), "{unreached:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_pages_and_a_stale_nonce_costs_one_more_try() {
    let field = Field::start().await;
    let (_, mut lead, mut member) = staged(&field).await;
    member.close();
    let mut phone = Phone::open(member.path(), member.time.clone()).unwrap();
    for n in 0..150 {
        let name = Value::Text(format!("Thôn {n}"));
        phone.save(|saving| saving.create("hamlet", [("name", name)])).unwrap();
    }
    drop(phone);
    member.sync().await.unwrap();
    field.world.pass(9 * langso_hub::clock::DAY_MS);
    let (mut all, mut after, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let asked = WaitingAfter { after };
        let SetAsidePage { waiting, has_more } = lead.app().set_aside().list_set_aside(asked).await.unwrap();
        sizes.push(waiting.len());
        all.extend(waiting);
        if !has_more {
            break;
        }
        after = all.last().map(|one| one.waiting.clone());
    }
    assert_eq!(sizes, [64, 64, 22]);
    let distinct: std::collections::BTreeSet<_> = all.iter().map(|one| &one.waiting).collect();
    assert_eq!(distinct.len(), 150);
    for part in all.chunks(64) {
        let decided = lead.app().set_aside().admit_changes(named(part)).await.unwrap();
        assert!(problems(&decided).iter().all(Option::is_none));
    }
    lead.sync().await.unwrap();
    assert_eq!(lead.count("hamlets"), 151);
    let bad = WaitingAfter { after: Some("x y".to_owned()) };
    assert!(matches!(lead.app().set_aside().list_set_aside(bad).await, Err(AppError::InvalidInput { .. })));
}
