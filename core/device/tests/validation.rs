//! What a visit is refused for: before anything is written, each by its field and a code that never changes.

mod support;

use langso_device::companion::runs::{NewRun, RunStep};
use langso_device::companion::visits::{NewReturn, NewService, NewVisit};
use langso_device::{AppError, Problem};
use langso_domain::id::{FollowUpId, HamletId, HouseholdId, MemberId, PersonId, PlanId, RowId, VisitId};
use support::{MEMBER, Team, TestPhone, day, invalid};

const NEW: u8 = 1;
const LATER: u8 = 3;
const FAILED: u8 = 4;
const REFUSED: u8 = 5;
const D5: u8 = 21;
const H1: u8 = 97;
const X1: u8 = 129;
const NOWHERE: RowId = RowId([9; 12]);

struct Desk {
    team: Team,
    phone: TestPhone,
    household: HouseholdId,
    persons: Vec<PersonId>,
}

impl Desk {
    fn new() -> Self {
        let mut team = Team::new();
        let mut phone = team.enrol("Lý Thị Sáu", MEMBER);
        team.bring(&mut phone);
        let (household, persons) = phone.household(&team, "Hộ 12", 2);
        Self { team, phone, household, persons }
    }

    fn service(&self) -> NewService {
        NewService::new(Some(self.persons[0]), "vneid_level2@1", NEW)
    }

    fn visit(&self) -> NewVisit {
        NewVisit { household: Some(self.household), services: vec![self.service()], ..NewVisit::default() }
    }

    fn with(&self, service: NewService) -> NewVisit {
        NewVisit { services: vec![self.service(), service], ..self.visit() }
    }

    /// Refused by the save with that, first of what the check lists; nothing is written.
    fn refuses(&mut self, visit: NewVisit, field: &str, code: &str) {
        let before = self.phone.written().len();
        let app = self.phone.app();
        let list = app.visits().check_visit(visit.clone()).expect("answers").problems;
        assert_eq!(list.first(), Some(&Problem::new(field, code)), "{visit:?}");
        assert_eq!(app.visits().log_visit(visit), Err(invalid(field, code)));
        assert_eq!(self.phone.written().len(), before);
    }

    fn takes(&mut self, visit: NewVisit) -> VisitId {
        let list = self.phone.app().visits().check_visit(visit.clone()).expect("answers").problems;
        assert!(list.is_empty(), "{list:?}");
        self.phone.app().visits().log_visit(visit).expect("saves").visit
    }

    fn note(&self, note: &str) -> NewVisit {
        NewVisit { note: Some(note.to_owned()), ..self.visit() }
    }
}

fn run(tutorial: &str, steps: &[(u8, u8, Option<u8>)]) -> NewRun {
    NewRun {
        tutorial: tutorial.parse().expect("a reference"),
        steps: steps
            .iter()
            .map(|(step, result, failure)| RunStep { step: *step, result: *result, failure: *failure })
            .collect(),
        phone_model: None,
        os_version: None,
        minutes: None,
        teach_back: false,
    }
}

#[test]
fn a_service_must_be_known_and_outcome_and_reason_must_fit_it() {
    let mut desk = Desk::new();
    let base = desk.service();
    for (service, field, code) in [
        (NewService { service: "vneid_level9".to_owned(), ..base.clone() }, "service", "unknown_service"),
        (NewService { service: "vneid_level2@7".to_owned(), ..base.clone() }, "service", "unknown_service"),
        (NewService { service: "; DROP".to_owned(), ..base.clone() }, "service", "unknown_service"),
        (NewService { outcome: 9, ..base.clone() }, "outcome", "unknown_outcome"),
        (
            NewService { service: "portal_later_filing".to_owned(), outcome: 2, ..base.clone() },
            "outcome",
            "outcome_not_of_service",
        ),
        (NewService { outcome: LATER, ..base.clone() }, "failure", "failure_code_missing"),
        (
            NewService { outcome: FAILED, failure: Some(200), ..base.clone() },
            "failure",
            "failure_code_not_of_service",
        ),
        (NewService { failure: Some(D5), ..base.clone() }, "failure", "failure_code_not_expected"),
        (
            NewService { outcome: REFUSED, failure: Some(D5), ..base.clone() },
            "failure",
            "failure_code_not_expected",
        ),
        (NewService { evidence: Some(9), ..base.clone() }, "evidence", "unknown_evidence"),
        (NewService { last_step: Some(3), ..base.clone() }, "last_step", "step_without_tutorial"),
    ] {
        let visit = desk.with(service);
        desk.refuses(visit, &format!("services[1].{field}"), code);
    }
    let refused = NewService { outcome: REFUSED, failure: Some(H1), ..base };
    let visit = desk.with(refused);
    desk.takes(visit);
}

#[test]
fn the_whole_list_of_problems_is_shown_and_nothing_is_written() {
    let mut desk = Desk::new();
    let visit = NewVisit {
        date: Some(day("2022-01-01")),
        place: Some(9),
        note: Some("CCCD 022185001234".to_owned()),
        services: vec![
            NewService { outcome: LATER, ..desk.service() },
            NewService { person: Some(PersonId(NOWHERE)), ..desk.service() },
        ],
        ..desk.visit()
    };
    let list = desk.phone.app().visits().check_visit(visit).expect("answers").problems;
    let found: Vec<(&str, &str)> = list.iter().map(|one| (one.field.as_str(), one.code.as_str())).collect();
    assert_eq!(
        found,
        [
            ("date", "before_team"),
            ("place", "unknown_choice"),
            ("note", "never_store.citizen_id"),
            ("services[0].failure", "failure_code_missing"),
            ("services[1].person", "not_found"),
        ]
    );
}

#[test]
fn whom_where_who_and_under_which_plan_must_be_known() {
    let mut desk = Desk::new();
    let (_, strangers) = desk.phone.household(&desk.team, "Hộ 13", 1);
    let left = MemberId(desk.team.write(
        "member",
        &[
            ("name", "Nguyễn Văn Đi".into()),
            ("role", 1u8.into()),
            ("to_date", support::date("2024-05-31").into()),
        ],
    ));
    let over = PlanId(
        desk.team
            .write("plan", &[("name", "Kế hoạch 1".into()), ("to_date", support::date("2024-03-31").into())]),
    );
    desk.team.bring(&mut desk.phone);
    let (me, base) = (desk.phone.member, desk.visit());
    let person = |person| NewService { person: Some(person), ..desk.service() };
    for (visit, field, code) in [
        (NewVisit { household: Some(HouseholdId(NOWHERE)), ..base.clone() }, "household", "not_found"),
        (NewVisit { hamlet: Some(HamletId(NOWHERE)), ..base.clone() }, "hamlet", "not_found"),
        (NewVisit { members: vec![me, MemberId(NOWHERE)], ..base.clone() }, "members[1]", "not_found"),
        (NewVisit { members: vec![me, left], ..base.clone() }, "members[1]", "left_team"),
        (NewVisit { plan: Some(PlanId(NOWHERE)), ..base.clone() }, "plan", "not_found"),
        (NewVisit { plan: Some(over), ..base.clone() }, "plan", "plan_not_on_date"),
        (desk.with(person(strangers[0])), "services[1].person", "other_household"),
        (
            NewVisit { done_follow_ups: vec![FollowUpId(NOWHERE)], ..base.clone() },
            "done_follow_ups[0]",
            "not_found",
        ),
        (NewVisit { services: Vec::new(), ..base.clone() }, "services", "missing"),
        (NewVisit { services: vec![desk.service(); 41], ..base.clone() }, "services", "too_many"),
    ] {
        desk.refuses(visit, field, code);
    }
    let earlier = NewVisit { members: vec![me, left], date: Some(day("2024-05-30")), ..base };
    desk.takes(earlier);
}

#[test]
fn a_commune_must_have_been_in_force_on_the_day() {
    let mut desk = Desk::new();
    let base = desk.visit();
    let unit = |text: &str| langso_domain::units::UnitCode::parse(text);
    for (visit, code) in [
        (NewVisit { unit: unit("06838@2025"), ..base.clone() }, "not_of_its_date"),
        (NewVisit { unit: unit("99998@2024"), ..base.clone() }, "unknown_unit"),
    ] {
        desk.refuses(visit, "unit", code);
    }
    desk.takes(NewVisit { unit: unit("06859@2024"), ..base });
}

#[test]
fn a_day_to_come_is_refused_when_the_clock_is_sure_and_kept_and_marked_when_it_is_not() {
    let mut desk = Desk::new();
    let tomorrow = NewVisit { date: Some(day("2024-06-16")), ..desk.visit() };
    desk.refuses(tomorrow.clone(), "date", "future_date");
    desk.phone.forget_hub_time();
    let saved = desk.phone.app().visits().log_visit(tomorrow).expect("keeps");
    assert!(saved.is_clock_unsure);
    let (_, change) = desk.phone.written().pop().expect("a change");
    let mark = langso_sync::change::extra::CLOCK_UNSURE;
    assert_eq!(change.extras.get(&mark), Some(&langso_sync::value::Value::Bool(true)));
    let early = NewVisit { date: Some(day("2022-05-11")), ..desk.visit() };
    desk.refuses(early, "date", "before_team");
}

#[test]
fn times_are_minutes_of_the_day_in_their_order() {
    let mut desk = Desk::new();
    let base = desk.visit();
    let times = |start, end| NewVisit { start_minute: Some(start), end_minute: Some(end), ..base.clone() };
    let (late, backwards, quick) = (times(0, 1441), times(600, 540), times(600, 600));
    desk.refuses(late, "end_minute", "out_of_range");
    desk.refuses(backwards, "end_minute", "end_before_start");
    desk.takes(quick);
}

#[test]
fn the_steps_of_a_run_must_fit_its_version_of_the_tutorial() {
    let mut desk = Desk::new();
    for (given, field, code) in [
        (run("T1@9", &[(1, 1, None)]), "tutorial", "unknown_tutorial"),
        (run("T4@1", &[(1, 1, None)]), "tutorial", "tutorial_not_ready"),
        (run("T1@1", &[]), "steps", "missing"),
        (run("T1@1", &[(13, 1, None)]), "steps[0].step", "unknown_step"),
        (run("T1@1", &[(0, 1, None)]), "steps[0].step", "unknown_step"),
        (run("T1@1", &[(1, 1, None), (1, 2, None)]), "steps[1].step", "step_twice"),
        (run("T1@1", &[(1, 9, None)]), "steps[0].result", "unknown_choice"),
        (run("T1@1", &[(1, 3, None)]), "steps[0].failure", "failure_code_missing"),
        (run("T1@1", &[(1, 3, Some(X1))]), "steps[0].failure", "failure_code_not_of_step"),
        (run("T1@1", &[(1, 1, Some(H1))]), "steps[0].failure", "failure_code_not_expected"),
        (run("T1@1", &[(5, 3, Some(X1)), (6, 1, None)]), "steps[1].step", "after_safety_stop"),
        (NewRun { minutes: Some(721), ..run("T1@1", &[(1, 1, None)]) }, "minutes", "out_of_range"),
        (
            NewRun {
                phone_model: Some("máy của chị, 0987654321".to_owned()),
                ..run("T1@1", &[(1, 1, None)])
            },
            "phone_model",
            "never_store.phone",
        ),
    ] {
        let visit = desk.with(NewService { run: Some(given), ..desk.service() });
        desk.refuses(visit, &format!("services[1].run.{field}"), code);
    }
    let other = NewService { run: Some(run("T2@1", &[(1, 1, None)])), ..desk.service() };
    let visit = desk.with(other);
    desk.refuses(visit, "services[1].run", "run_of_other_service");
    let missing = NewService { run_draft: Some("no-such-draft".to_owned()), ..desk.service() };
    let visit = desk.with(missing);
    desk.refuses(visit, "services[1].run_draft", "not_found");
}

#[test]
fn what_is_never_stored_is_refused_in_every_text_of_a_visit() {
    let mut desk = Desk::new();
    for (note, code) in [
        ("số căn cước 022185001234", "never_store.citizen_id"),
        ("CMND 100234567 của bác", "never_store.old_id_number"),
        ("thẻ DN4012345678901", "never_store.health_insurance"),
        ("gọi 0987.654.321", "never_store.phone"),
        ("gọi +84 987 654 321 sau 19h", "never_store.phone"),
        ("mã OTP là 482913", "never_store.one_time_code"),
        ("passcode 123456 cháu đặt hộ", "never_store.one_time_code"),
        ("thẻ 9704 1234 5678 9012", "never_store.bank_card"),
        ("mật khẩu: Hoa@1985", "never_store.password"),
    ] {
        let visit = desk.note(note);
        desk.refuses(visit, "note", code);
    }
    let with_return = |note: &str| NewVisit {
        follow_ups: vec![NewReturn {
            person: None,
            service: None,
            due_on: day("2024-06-20"),
            assigned_to: None,
            note: Some(note.to_owned()),
        }],
        ..desk.visit()
    };
    let visit = with_return("gọi trước 0987654321");
    desk.refuses(visit, "follow_ups[0].note", "never_store.phone");
    let visit = desk.note(&"dài ".repeat(1_100));
    desk.refuses(visit, "note", "too_long");
}

#[test]
fn what_a_real_note_says_raises_no_false_alarm() {
    let mut desk = Desk::new();
    for note in [
        "Bác hẹn 19h30 thứ sáu 21/06/2024, nhà văn hóa có wifi",
        "Đã nhắn TTTB gửi 1414, chờ nhà mạng trả lời",
        "Gọi tổng đài 18008098 hoặc 1900 0368 để hỏi",
        "Mã thủ tục 2.000635.000.00.00.H49, nộp phí 8.000 đồng",
        "Máy Samsung Galaxy A105F, Android 10, còn 1.250 MB",
        "Năm sinh 1958, 66 tuổi, 3 người con",
        "Cả xóm 104 hộ, đã đi 78 hộ, còn 26 hộ",
        "Chuyển thử 10.000 đồng, phí 1.100 đồng một tháng",
        "Chưa nhận được OTP, đợi 15 phút không có tin nhắn",
        "Quên mật khẩu, hẹn ra công an xã đặt lại",
        "Theo QĐ 19/2025/QĐ-TTg, xã Bình Liêu mã 06838",
        "Thẻ bảo hiểm y tế còn hạn đến 31/12/2024",
    ] {
        let visit = desk.note(note);
        desk.takes(visit);
    }
}

#[test]
fn a_return_is_to_a_known_person_on_a_day_that_a_sure_clock_does_not_call_past() {
    let mut desk = Desk::new();
    let (_, strangers) = desk.phone.household(&desk.team, "Hộ 13", 1);
    let base = NewReturn {
        person: None,
        service: Some("vneid_level2".to_owned()),
        due_on: day("2024-06-20"),
        assigned_to: None,
        note: None,
    };
    for (new, field, code) in [
        (NewReturn { person: Some(strangers[0]), ..base.clone() }, "person", "other_household"),
        (NewReturn { service: Some("nothing".to_owned()), ..base.clone() }, "service", "unknown_service"),
        (NewReturn { due_on: day("2024-06-14"), ..base.clone() }, "due_on", "past_date"),
        (NewReturn { due_on: day("2026-06-14"), ..base.clone() }, "due_on", "too_far"),
        (NewReturn { assigned_to: Some(MemberId(NOWHERE)), ..base.clone() }, "assigned_to", "not_found"),
    ] {
        let visit = NewVisit { follow_ups: vec![new], ..desk.visit() };
        desk.refuses(visit, &format!("follow_ups[0].{field}"), code);
    }
    desk.phone.forget_hub_time();
    let early = NewReturn { due_on: day("2024-06-14"), ..base };
    let visit = NewVisit { follow_ups: vec![early], ..desk.visit() };
    desk.takes(visit);
}

#[test]
fn by_json_a_wrong_shape_is_named_and_a_misspelt_field_never_passes_for_an_absent_one() {
    let mut desk = Desk::new();
    let household = desk.household;
    for (call, field, code) in [
        (serde_json::json!({ "household": household, "servces": [] }), "servces", "unknown_field"),
        (
            serde_json::json!({ "services": [{ "service": "sim_4g", "outcome": 1, "reason": 2 }] }),
            "reason",
            "unknown_field",
        ),
        (serde_json::json!({ "services": [{ "service": "sim_4g" }] }), "outcome", "missing"),
    ] {
        let refused = desk.phone.app().call("visits.log_visit", call);
        let Err(AppError::InvalidInput { field: named, code: as_code }) = refused else {
            panic!("{refused:?}")
        };
        assert!(named.ends_with(field) && as_code == code, "{named} {as_code}");
    }
    assert!(matches!(
        desk.phone.app().call("visits.log_visit", serde_json::json!({ "household": 12 })),
        Err(AppError::InvalidInput { .. })
    ));
    let call = serde_json::json!({
        "household": household,
        "services": [{ "service": "sim_4g", "outcome": 1, "person": desk.persons[0] }],
    });
    let saved = desk.phone.app().call("visits.log_visit", call).expect("saves");
    assert!(saved["visit"].is_string() && saved["receipt"]["rung"] == "on_phone", "{saved}");
}
