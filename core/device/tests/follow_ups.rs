//! Appointments: planned, moved, handed on, done and called off.

mod support;

use langso_device::companion::Nothing;
use langso_device::companion::follow_ups::{
    Due, DueCounts, FindFollowUps, FinishFollowUp, FollowUpPage, HandFollowUp, MoveFollowUp, NewFollowUp,
};
use langso_device::{AppError, Result};
use langso_domain::id::{FollowUpId, HouseholdId, RowId};
use support::{MEMBER, TRAINER, Team, TestPhone, date, day, exchange, invalid, not_allowed};

const TODAY: &str = support::TODAY;

fn on(household: HouseholdId, due: &str) -> NewFollowUp {
    NewFollowUp {
        visit: None,
        household: Some(household),
        person: None,
        service: Some("sim_4g".to_owned()),
        due_on: day(due),
        assigned_to: None,
        note: None,
        token: None,
    }
}

fn plan(phone: &mut TestPhone, new: NewFollowUp) -> FollowUpId {
    phone.app().follow_ups().plan_follow_up(new).expect("plans").follow_up
}

fn list(phone: &mut TestPhone, mine: bool) -> FollowUpPage {
    phone.app().follow_ups().list_follow_ups(FindFollowUps { mine, skip: 0 }).expect("lists")
}

fn done(follow_up: FollowUpId) -> FinishFollowUp {
    FinishFollowUp { follow_up, visit: None, date: None, cancel_reason: None }
}

fn one(team: &mut Team) -> TestPhone {
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone
}

#[test]
fn appointments_stand_by_day_then_in_walking_order() {
    let mut team = Team::new();
    let mut phone = one(&mut team);
    let far = phone.household(&team, "Hộ 102", 1).0;
    let near = phone.household(&team, "Hộ 9", 1).0;
    let overdue = plan(&mut phone, on(far, "2024-06-19"));
    let [sunday, monday] = ["2024-06-23", "2024-06-24"].map(|due| plan(&mut phone, on(near, due)));
    let [later, sooner] = [far, near].map(|household| plan(&mut phone, on(household, "2024-06-22")));
    phone.set_today(date("2024-06-22").0);
    let page = list(&mut phone, true);
    let rows: Vec<_> = page.follow_ups.iter().map(|row| (row.follow_up, row.due, row.days_overdue)).collect();
    assert_eq!(
        rows,
        [
            (overdue, Due::Overdue, 3),
            (sooner, Due::Today, 0),
            (later, Due::Today, 0),
            (sunday, Due::ThisWeek, 0),
            (monday, Due::Later, 0)
        ]
    );
    assert_eq!(page.counts, DueCounts { overdue: 1, today: 2, this_week: 1, later: 1 });
    assert_eq!(page.follow_ups[1].place.label.as_deref(), Some("Hộ 9"));
    assert_eq!(page.follow_ups[1].place.hamlet, Some(team.hamlet));
}

#[test]
fn what_is_handed_on_is_the_other_members_and_both_phones_agree() {
    let mut team = Team::new();
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut two = team.enrol("Nguyễn Trần Vĩnh Thụy Phương Uyên", MEMBER);
    team.bring(&mut one);
    team.bring(&mut two);
    let household = one.household(&team, "Hộ 12", 1).0;
    let follow_up = plan(&mut one, on(household, "2024-06-20"));
    let to = two.member;
    one.app().follow_ups().hand_follow_up(HandFollowUp { follow_up, to }).expect("hands over");
    exchange(&mut one, &mut two);
    assert!(list(&mut one, true).follow_ups.is_empty());
    assert_eq!(list(&mut one, false).follow_ups.len(), 1);
    let due_on = day("2024-06-21");
    two.app().follow_ups().move_follow_up(MoveFollowUp { follow_up, due_on }).expect("moves");
    exchange(&mut one, &mut two);
    assert_eq!(list(&mut one, false).follow_ups[0].due_on, Some(due_on));
    assert_eq!(list(&mut two, true).follow_ups[0].assigned_to, Some(to));
}

#[test]
fn an_appointment_ends_once_by_a_visit_or_with_a_reason() {
    let mut team = Team::new();
    let mut phone = one(&mut team);
    let (household, persons) = phone.household(&team, "Hộ 12", 1);
    let other = phone.household(&team, "Hộ 13", 1).0;
    let kept = plan(&mut phone, on(household, TODAY));
    let dropped = plan(&mut phone, on(household, TODAY));
    let visit = phone.visit(&team, Some(household), TODAY, &[(Some(persons[0]), "sim_4g@1", 1)]);
    let elsewhere = phone.visit(&team, Some(other), TODAY, &[]);
    let finish = |phone: &mut TestPhone, how: FinishFollowUp| phone.app().follow_ups().finish_follow_up(how);
    let by = FinishFollowUp { visit: Some(visit), ..done(kept) };
    let wrong = FinishFollowUp { visit: Some(elsewhere), ..done(kept) };
    assert_eq!(finish(&mut phone, wrong).expect_err("refused"), invalid("visit", "other_household"));
    let nowhere = FinishFollowUp { visit: Some(langso_domain::id::VisitId(RowId([7; 12]))), ..done(kept) };
    assert_eq!(finish(&mut phone, nowhere).expect_err("refused"), invalid("visit", "not_found"));
    assert_eq!(finish(&mut phone, by.clone()), Ok(Nothing {}));
    let written = phone.written().len();
    assert_eq!(finish(&mut phone, by), Ok(Nothing {}), "twice is as once");
    assert_eq!(phone.written().len(), written);
    assert_eq!(finish(&mut phone, done(kept)).expect_err("refused"), invalid("follow_up", "closed"));
    let cancel = |reason: &str| FinishFollowUp { cancel_reason: Some(reason.to_owned()), ..done(dropped) };
    assert_eq!(finish(&mut phone, cancel(" ")).expect_err("refused"), invalid("cancel_reason", "missing"));
    let secret = finish(&mut phone, cancel("căn cước 001099012345")).expect_err("refused");
    assert!(matches!(secret, AppError::InvalidInput { field, .. } if field == "cancel_reason"));
    assert_eq!(finish(&mut phone, cancel("Hộ đã chuyển đi")), Ok(Nothing {}));
    assert!(list(&mut phone, false).follow_ups.is_empty());
    let last = phone.written().pop().expect("a change").1;
    assert!(last.extras.contains_key(&langso_sync::change::extra::REASON_TEXT));
    let due_on = day("2024-06-20");
    let moved = phone.app().follow_ups().move_follow_up(MoveFollowUp { follow_up: dropped, due_on });
    assert_eq!(moved.expect_err("refused"), invalid("follow_up", "closed"));
}

#[test]
fn what_cannot_be_planned_is_refused_before_anything_is_written() {
    let mut team = Team::new();
    let mut phone = one(&mut team);
    let gone = langso_domain::id::MemberId(team.write(
        "member",
        &[
            ("team_id", team.team.0.into()),
            ("name", "Lỷ A Sìu".into()),
            ("to_date", date("2024-06-01").into()),
        ],
    ));
    team.bring(&mut phone);
    let (household, _) = phone.household(&team, "Hộ 12", 1);
    let (_, strangers) = phone.household(&team, "Hộ 13", 1);
    let nobody = HouseholdId(RowId([7; 12]));
    let base = on(household, "2024-06-20");
    let written = phone.written().len();
    for (new, error) in [
        (NewFollowUp { household: None, ..base.clone() }, invalid("household", "missing")),
        (on(nobody, "2024-06-20"), invalid("household", "not_found")),
        (NewFollowUp { person: Some(strangers[0]), ..base.clone() }, invalid("person", "other_household")),
        (on(household, "2024-06-14"), invalid("due_on", "past_date")),
        (on(household, "2062-06-14"), invalid("due_on", "too_far")),
        (
            NewFollowUp { service: Some("sim_9g".into()), ..base.clone() },
            invalid("service", "unknown_service"),
        ),
        (NewFollowUp { assigned_to: Some(gone), ..base.clone() }, invalid("assigned_to", "left_team")),
        (
            NewFollowUp { note: Some("Thẻ 001099012345".into()), ..base.clone() },
            invalid("note", "never_store.citizen_id"),
        ),
    ] {
        let answer: Result<_> = phone.app().follow_ups().plan_follow_up(new);
        assert_eq!(answer.expect_err("refused"), error);
    }
    assert_eq!(phone.written().len(), written);
    let mut trainer = team.enrol("Hoàng Thị Đượm", TRAINER);
    team.bring(&mut trainer);
    let refused = trainer.app().follow_ups().plan_follow_up(base).expect_err("refused");
    assert_eq!(refused, not_allowed("role"));
}

#[test]
fn a_note_keeps_its_paragraphs() {
    let mut team = Team::new();
    let mut phone = one(&mut team);
    let household = phone.household(&team, "Hộ 12", 1).0;
    let note = "Mang sạc dự phòng\nHỏi lại bác về SIM";
    plan(&mut phone, NewFollowUp { note: Some(format!(" {note}  ")), ..on(household, "2024-06-20") });
    assert_eq!(list(&mut phone, true).follow_ups[0].note.as_deref(), Some(note));
}

#[test]
fn a_second_tap_plans_nothing_twice_and_an_unsure_clock_refuses_no_day() {
    let mut team = Team::new();
    let mut phone = one(&mut team);
    let household = phone.household(&team, "Hộ 12", 1).0;
    let new = NewFollowUp { token: Some("form".to_owned()), ..on(household, "2024-06-20") };
    let first = plan(&mut phone, new.clone());
    assert_eq!(plan(&mut phone, new), first);
    phone.forget_hub_time();
    plan(&mut phone, on(household, "2020-01-01"));
    assert_eq!(list(&mut phone, true).follow_ups.len(), 2);
}
