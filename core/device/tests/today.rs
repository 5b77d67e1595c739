//! The screen a day begins with, what has not arrived, what stands in the way, and the settings.

mod support;

use std::sync::Arc;

use langso_device::companion::checklists::StartRun;
use langso_device::companion::drafts::SaveDraft;
use langso_device::companion::follow_ups::{DueCounts, NewFollowUp};
use langso_device::companion::receipts::Rung;
use langso_device::companion::settings::{Language, Theme, UpdateSettings};
use langso_device::companion::today::TodayView;
use langso_device::companion::{FindUnarrived, Nothing, SyncNow, SyncProblem};
use langso_device::{Companion, SystemTime};
use langso_domain::id::HouseholdId;
use serde_json::json;
use support::{DAY_MS, MEMBER, TODAY, TRAINER, Team, TestPhone, date, day, invalid, not_allowed};

fn volunteer(team: &mut Team) -> TestPhone {
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone
}

fn today(phone: &mut TestPhone) -> TodayView {
    phone.app().today().get_day(Nothing {}).expect("a day")
}

fn plan(phone: &mut TestPhone, household: HouseholdId, due: &str) {
    let new: NewFollowUp =
        serde_json::from_value(json!({"household": household, "due_on": due})).expect("input");
    phone.app().follow_ups().plan_follow_up(new).expect("plans");
}

#[test]
fn a_new_book_says_so() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let view = today(&mut phone);
    assert_eq!((view.is_new_book, view.is_clock_sure, view.date), (true, true, day(TODAY)));
    assert_eq!((view.status.unarrived_changes, view.status.last_success_at), (0, None));
    phone.household(&team, "Hộ 12", 1);
    assert!(!today(&mut phone).is_new_book);
    let mut trainer = team.enrol("Hoàng Thị Đượm", TRAINER);
    team.bring(&mut trainer);
    assert_eq!(trainer.app().today().get_day(Nothing {}).expect_err("refused"), not_allowed("role"));
}

#[test]
fn what_is_due_stands_by_hamlet_with_what_is_overdue_first() {
    let mut team = Team::new();
    let upper = langso_domain::id::HamletId(
        team.write("hamlet", &[("name", "Thôn Ngàn Chi".into()), ("unit", support::UNIT.into())]),
    );
    let mut phone = volunteer(&mut team);
    let far = phone.save(|saving| {
        let fields = [("label", "Hộ 3".into()), ("hamlet_id", upper.0.into())];
        saving.create("household", fields).map(HouseholdId)
    });
    let households = ["Hộ 12", "Hộ 2", "Hộ 7"].map(|label| phone.household(&team, label, 1).0);
    plan(&mut phone, far, "2024-06-18");
    plan(&mut phone, households[0], "2024-06-16");
    plan(&mut phone, households[1], "2024-06-18");
    plan(&mut phone, households[2], "2024-06-19");
    phone.set_today(date("2024-06-18").0);
    let view = today(&mut phone);
    let due: Vec<_> = view
        .due
        .iter()
        .map(|one| {
            let labels = one.follow_ups.iter().filter_map(|row| row.place.label.as_deref());
            (one.name.as_deref().unwrap_or_default(), labels.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(due, [("Thôn Bản Mẫu", vec!["Hộ 12", "Hộ 2"]), ("Thôn Ngàn Chi", vec!["Hộ 3"])]);
    assert_eq!(view.counts, DueCounts { overdue: 1, today: 2, this_week: 1, later: 0 });
}

#[test]
fn what_was_begun_and_what_was_done_stand_on_the_screen_with_their_receipts() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let (household, persons) = phone.household(&team, "Hộ 12", 1);
    phone.visit(&team, Some(household), "2024-06-14", &[(Some(persons[0]), "sim_4g@1", 1)]);
    let arrived = phone.visit(&team, Some(household), TODAY, &[(Some(persons[0]), "sim_4g@1", 1)]);
    phone.arrive();
    let fresh = phone.visit(&team, None, TODAY, &[(None, "portal_first_login@1", 3), (None, "sim_4g@1", 5)]);
    let draft =
        SaveDraft { draft: None, kind: "visit".to_owned(), body: json!({"outcome": 1}), consent: None };
    phone.app().drafts().save_draft(draft).expect("kept");
    let run = StartRun { tutorial: "T1".to_owned(), ..StartRun::default() };
    phone.app().checklists().start_run(run).expect("starts");
    let view = today(&mut phone);
    let done: Vec<_> =
        view.done.iter().map(|one| (one.visit, one.services.len(), one.receipt.rung)).collect();
    assert_eq!(done, [(fresh, 2, Rung::OnPhone), (arrived, 1, Rung::AtHub)]);
    assert_eq!(view.done[1].place.label.as_deref(), Some("Hộ 12"));
    assert_eq!((view.drafts.len(), view.open_runs.len(), view.done_count), (1, 1, 2));
    assert_eq!((view.status.unarrived_visits, view.status.unarrived_changes), (1, 1));
}

#[test]
fn what_has_not_arrived_is_listed_by_receipts_alone() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let (household, _) = phone.household(&team, "Hộ 12", 2);
    let first = phone.visit(&team, Some(household), TODAY, &[(None, "sim_4g@1", 1)]);
    let second = phone.visit(&team, None, TODAY, &[]);
    let page = phone.app().sync().list_unarrived(FindUnarrived::default()).expect("lists");
    let visits: Vec<_> = page.visits.iter().map(|visit| visit.visit).collect();
    assert_eq!(visits, [second, first]);
    let others: Vec<_> = page.others.iter().map(|rows| (rows.table.as_str(), rows.count)).collect();
    assert_eq!(others, [("household", 1), ("person", 2), ("service_row", 1)]);
    assert_eq!((page.visit_count, page.changes), (2, 3));
    let next = phone.app().sync().list_unarrived(FindUnarrived { skip: 1 }).expect("lists");
    assert_eq!(next.visits.len(), 1);
    phone.arrive();
    let page = phone.app().sync().list_unarrived(FindUnarrived::default()).expect("lists");
    assert_eq!((page.visit_count, page.others.len(), page.changes), (0, 0, 0));
}

#[test]
fn what_stands_in_the_way_is_said() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let problems =
        |phone: &mut TestPhone| phone.app().sync().list_sync_problems(Nothing {}).expect("lists").problems;
    assert_eq!(problems(&mut phone), []);
    phone.visit(&team, None, TODAY, &[]);
    assert_eq!(problems(&mut phone), [SyncProblem::Waiting { count: 1, since: None }]);
    phone.arrive();
    assert_eq!(problems(&mut phone), [SyncProblem::NoBackup]);
    phone.with_replica(|replica| {
        let sql = "INSERT INTO set_aside_notices (key, reason) VALUES (x'0000000000000007000001', 2)";
        replica.connection().execute(sql, []).expect("a notice");
    });
    phone.forget_hub_time();
    let aside = SyncProblem::SetAside { reason: 2, count: 1 };
    assert_eq!(problems(&mut phone), [aside, SyncProblem::NoBackup, SyncProblem::ClockUnsure]);
    phone.time.pass(8 * DAY_MS);
    assert!(problems(&mut phone).contains(&SyncProblem::NoBackup), "nothing waits: a week changes nothing");
}

#[test]
fn settings_are_kept_over_a_restart_and_need_no_enrolment() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Companion::open(folder.path(), Arc::new(SystemTime)).expect("opens");
    let app = open();
    let first = app.settings().get_settings(Nothing {}).expect("settings");
    assert_eq!((first.language, first.text_size, first.theme), (Language::Vi, 100, Theme::Light));
    let update = UpdateSettings { language: Some(Language::En), text_size: Some(200), theme: None };
    app.settings().update_settings(update).expect("kept");
    let too_large = UpdateSettings { text_size: Some(201), ..UpdateSettings::default() };
    let refused = app.settings().update_settings(too_large).expect_err("refused");
    assert_eq!(refused, invalid("text_size", "out_of_range"));
    let budget = |max_bytes| app.sync().set_budget(SyncNow { max_bytes });
    assert_eq!(budget(Some(100)).expect_err("nothing would pass"), invalid("max_bytes", "out_of_range"));
    budget(Some(100_000)).expect("kept");
    drop(app);
    let app = open();
    let kept = app.settings().get_settings(Nothing {}).expect("settings");
    assert_eq!((kept.language, kept.text_size, kept.theme), (Language::En, 200, Theme::Light));
    assert_eq!(kept.sync_max_bytes, Some(100_000));
    let storage = app.settings().get_storage(Nothing {}).expect("storage");
    assert!(storage.database_bytes > 0 && storage.free_bytes.is_some());
}
