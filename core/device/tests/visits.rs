//! Visits on a phone: logged with their checklists and returns, read with their receipts, corrected with a reason.

mod support;

use langso_device::companion::drafts::{OfDraft, SaveDraft};
use langso_device::companion::receipts::Rung;
use langso_device::companion::visits::{
    CorrectVisit, FindVisits, GetVisitForm, NewReturn, NewService, NewVisit, NewVisits, OfVisit, VisitDetail,
};
use langso_device::{AppError, Problem};
use langso_domain::id::VisitId;
use langso_domain::registry::CURRENT;
use langso_sync::value::Value;
use support::visits::{correct, log, passed, service, team_with_household, visit};
use support::{LEAD, TEAM_SCOPE, TRAINING_SCOPE, TestPhone, day, invalid};

const NEW: u8 = 1;
const LATER: u8 = 3;
const D5: u8 = 21;

fn problems(phone: &mut TestPhone, new: NewVisit) -> Vec<(String, String)> {
    let check = phone.app().visits().check_visit(new).expect("answers");
    check.problems.into_iter().map(|Problem { field, code }| (field, code)).collect()
}

fn written_since(
    phone: &mut TestPhone,
    before: usize,
) -> Vec<(langso_domain::id::ScopeId, langso_sync::change::Change)> {
    phone.written().split_off(before)
}

#[test]
fn a_visit_and_its_finished_checklist_are_two_changes_of_one_save() {
    let (_, mut phone, household, persons) = team_with_household();
    let before = phone.written().len();
    let with_run = NewService { run: Some(passed(12)), ..service(Some(persons[0]), "vneid_level2@1", NEW) };
    let new = NewVisit {
        start_minute: Some(19 * 60 + 4),
        end_minute: Some(20 * 60 + 11),
        note: Some("Bác hẹn thứ sáu  tới".to_owned()),
        ..visit(Some(household), vec![with_run, service(Some(persons[1]), "sim_4g@1", NEW)])
    };
    let saved = log(&mut phone, new).expect("saves");
    assert_eq!((saved.services.len(), saved.runs.len(), saved.receipt.rung), (2, 1, Rung::OnPhone));
    let written = written_since(&mut phone, before);
    let scopes: Vec<_> = written.iter().map(|(scope, change)| (*scope, change.rows.len())).collect();
    assert_eq!(scopes, [(TEAM_SCOPE, 3), (TRAINING_SCOPE, 1)]);
    let field =
        |table: &str, name: &str| CURRENT.named(table).and_then(|t| t.named(name)).expect(name).number;
    let row = &written[0].1.rows[0];
    assert_eq!(row.fields[&field("visit", "start_minute")], Value::Int(19 * 60));
    assert_eq!(row.fields[&field("visit", "end_minute")], Value::Int(20 * 60 + 15));
    assert_eq!(row.fields[&field("visit", "unit")], Value::Text(support::UNIT.to_owned()));
    assert_eq!(row.fields[&field("visit", "note")], Value::Text("Bác hẹn thứ sáu tới".to_owned()));
    let with_run = &written[0].1.rows[1];
    assert_eq!(with_run.fields[&field("service_row", "run_id")], Value::Ref(saved.runs[0].0));
    assert_eq!(with_run.fields[&field("service_row", "last_step")], Value::Int(12));
    let run = &written[1].1.rows[0];
    assert_eq!(run.fields[&field("checklist_run", "steps")], Value::Bytes(vec![1; 12]));
}

#[test]
fn an_anonymous_turn_has_no_person_and_no_return() {
    let (_, mut phone, _, persons) = team_with_household();
    log(&mut phone, visit(None, vec![service(None, "scam_awareness@1", NEW)])).expect("saves");
    let new = NewVisit {
        follow_ups: vec![NewReturn {
            person: None,
            service: None,
            due_on: day("2024-06-20"),
            assigned_to: None,
            note: None,
        }],
        ..visit(None, vec![service(Some(persons[0]), "vneid_level2@1", NEW)])
    };
    assert_eq!(
        problems(&mut phone, new),
        [
            ("services[0].person".to_owned(), "person_without_household".to_owned()),
            ("follow_ups".to_owned(), "follow_up_without_household".to_owned()),
        ]
    );
}

#[test]
fn a_return_is_planned_by_one_visit_and_done_by_another() {
    let (_, mut phone, household, persons) = team_with_household();
    let later = NewService { failure: Some(D5), ..service(Some(persons[0]), "vneid_level2@1", LATER) };
    let new = NewVisit {
        follow_ups: vec![NewReturn {
            person: Some(persons[0]),
            service: Some("vneid_level2".to_owned()),
            due_on: day("2024-06-18"),
            assigned_to: None,
            note: Some("mang máy có NFC".to_owned()),
        }],
        ..visit(Some(household), vec![later])
    };
    let planned = log(&mut phone, new).expect("saves").follow_ups;
    phone.time.pass(3 * support::DAY_MS);
    let done = NewVisit {
        done_follow_ups: planned.clone(),
        ..visit(Some(household), vec![service(Some(persons[0]), "vneid_level2@1", NEW)])
    };
    let saved = log(&mut phone, done.clone()).expect("saves");
    let sql = "SELECT done_on, done_by_visit FROM follow_ups WHERE id = ?1";
    let found: (i32, [u8; 12]) = phone.with_replica(|replica| {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        replica.connection().query_row(sql, [planned[0].0.0], read).expect("is there")
    });
    assert_eq!(found, (support::date("2024-06-18").0, saved.visit.0.0));
    assert_eq!(log(&mut phone, done), Err(invalid("done_follow_ups[0]", "closed")));
}

#[test]
fn a_saved_draft_goes_and_gives_the_visit_its_times() {
    let (_, mut phone, household, persons) = team_with_household();
    let draft = SaveDraft {
        draft: None,
        kind: "visit".to_owned(),
        body: serde_json::json!({"note": "đang gõ"}),
        consent: None,
    };
    let draft = phone.app().drafts().save_draft(draft).expect("keeps").draft;
    phone.time.pass(50 * 60_000);
    let new = NewVisit {
        token: Some(draft.clone()),
        ..visit(Some(household), vec![service(Some(persons[0]), "vneid_level2@1", NEW)])
    };
    let saved = log(&mut phone, new.clone()).expect("saves");
    assert_eq!(log(&mut phone, new).expect("a second tap"), saved);
    assert_eq!(phone.app().drafts().get_draft(OfDraft { draft }), Err(AppError::NotFound));
    let sql = "SELECT start_minute, end_minute FROM visits WHERE id = ?1";
    let minutes: (u16, u16) = phone.with_replica(|replica| {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        replica.connection().query_row(sql, [saved.visit.0.0], read).expect("is there")
    });
    assert_eq!(minutes, (9 * 60, 9 * 60 + 45));
}

#[test]
fn a_day_of_the_paper_book_saves_what_is_without_fault_and_says_what_is_not() {
    let (_, mut phone, household, persons) = team_with_household();
    let line = |token: &str, outcome| NewVisit {
        date: Some(day("2024-06-12")),
        token: Some(token.to_owned()),
        ..visit(Some(household), vec![service(Some(persons[0]), "vneid_level2@1", outcome)])
    };
    let new = NewVisits { visits: vec![line("l1", NEW), line("l2", LATER), line("l3", NEW)] };
    let first = phone.app().visits().log_visits(new.clone()).expect("answers");
    assert_eq!(first.saved, 2);
    assert_eq!(first.lines[1].problems, [Problem::new("services[0].failure", "failure_code_missing")]);
    let before = phone.written().len();
    let again = phone.app().visits().log_visits(new).expect("answers");
    assert_eq!(again.lines[0].saved, first.lines[0].saved);
    assert_eq!(phone.written().len(), before);
}

fn correction(visit: VisitId, reason: u8) -> CorrectVisit {
    let json = serde_json::json!({ "visit": visit, "reason": reason });
    serde_json::from_value(json).expect("a correction")
}

fn get(phone: &mut TestPhone, visit: VisitId) -> VisitDetail {
    phone.app().visits().get_visit(OfVisit { visit }).expect("is there")
}

#[test]
fn what_was_saved_by_mistake_is_taken_back_for_half_an_hour_with_its_checklist_and_returns() {
    let (_, mut phone, household, persons) = team_with_household();
    let later = NewService { failure: Some(D5), ..service(Some(persons[0]), "vneid_level2", LATER) };
    let planned = NewVisit {
        follow_ups: vec![NewReturn {
            person: None,
            service: None,
            due_on: day("2024-06-20"),
            assigned_to: None,
            note: None,
        }],
        ..visit(Some(household), vec![later])
    };
    let before = log(&mut phone, planned).expect("saves").follow_ups;
    let with_run = NewService { run: Some(passed(12)), ..service(Some(persons[0]), "vneid_level2", NEW) };
    let new = NewVisit { done_follow_ups: before.clone(), ..visit(Some(household), vec![with_run]) };
    let saved = log(&mut phone, new).expect("saves");
    phone.time.pass(29 * 60_000);
    assert!(get(&mut phone, saved.visit).can_take_back_until.is_some());
    phone.app().visits().take_back_visit(OfVisit { visit: saved.visit }).expect("takes back");
    phone.app().visits().take_back_visit(OfVisit { visit: saved.visit }).expect("twice is as once");
    assert!(get(&mut phone, saved.visit).is_struck_out);
    let counts: (u32, u32, u32) = phone.with_replica(|replica| {
        let sql = "SELECT (SELECT count(*) FROM service_facts), (SELECT count(*) FROM live_checklist_runs),
                          (SELECT count(*) FROM live_follow_ups WHERE done_on IS NULL)";
        replica
            .connection()
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .expect("reads")
    });
    assert_eq!(counts, (1, 0, 1));
    let row = service(Some(persons[0]), "vneid_level2", NEW);
    let late = log(&mut phone, visit(Some(household), vec![row])).expect("saves");
    phone.time.pass(31 * 60_000);
    let too_late = phone.app().visits().take_back_visit(OfVisit { visit: late.visit });
    assert_eq!(too_late, Err(support::not_allowed("too_late")));
    let strike = CorrectVisit { is_struck_out: true, ..correction(late.visit, 2) };
    correct(&mut phone, strike).expect("strikes out, with a reason");
    assert_eq!(correct(&mut phone, correction(late.visit, 1)), Err(invalid("visit", "struck_out")));
}

#[test]
fn only_the_phone_that_saved_a_visit_takes_it_back() {
    let (team, mut phone, household, persons) = team_with_household();
    let mut team = team;
    let mut other = team.enrol("Đặng Văn Tư", LEAD);
    team.bring(&mut other);
    let row = service(Some(persons[0]), "vneid_level2", NEW);
    let saved = log(&mut phone, visit(Some(household), vec![row])).expect("saves");
    other.take_from(&mut phone);
    let detail = get(&mut other, saved.visit);
    assert_eq!((detail.receipt.rung, detail.can_take_back_until), (Rung::AtHub, None));
    let refused = other.app().visits().take_back_visit(OfVisit { visit: saved.visit });
    assert_eq!(refused, Err(support::not_allowed("other_phone")));
}

#[test]
fn the_ladder_climbs_by_receipts_alone() {
    let (_, mut phone, household, persons) = team_with_household();
    let row = service(Some(persons[0]), "vneid_level2", NEW);
    let saved = log(&mut phone, visit(Some(household), vec![row])).expect("saves");
    let key = saved.visit.0.key().expect("a key");
    let rung = |phone: &mut TestPhone| {
        let receipt = get(phone, saved.visit).receipt;
        (receipt.rung, receipt.position)
    };
    assert_eq!(rung(&mut phone), (Rung::OnPhone, None));
    phone.with_replica(|replica| {
        let sql = "INSERT INTO receipts (writer, first_seq, last_seq, scope, position)
                   SELECT writer, 1, ?2, scope, 41 FROM writers WHERE writer = ?1";
        replica.connection().execute(sql, (key.writer.0 as i64, key.seq)).expect("a receipt");
    });
    let position = u64::from(41 + key.seq - 1);
    assert_eq!(rung(&mut phone), (Rung::AtHub, Some(position)));
    phone.put_watermark(TEAM_SCOPE, position - 1);
    assert_eq!(rung(&mut phone), (Rung::AtHub, Some(position)));
    phone.put_watermark(TEAM_SCOPE, position);
    assert_eq!(rung(&mut phone), (Rung::InBackup, Some(position)));
    correct(&mut phone, CorrectVisit { place: Some(Some(1).into()), ..correction(saved.visit, 1) })
        .expect("corrects");
    assert_eq!(rung(&mut phone), (Rung::OnPhone, None));
}

#[test]
fn visits_are_listed_by_day_newest_first_and_a_page_at_a_time() {
    let (_, mut phone, household, persons) = team_with_household();
    for at in 0..110 {
        let date = Some(day(if at % 2 == 0 { "2024-06-10" } else { "2024-06-11" }));
        let row = service(Some(persons[0]), "vneid_level2", NEW);
        log(&mut phone, NewVisit { date, ..visit(Some(household), vec![row]) }).expect("saves");
    }
    log(&mut phone, visit(None, vec![service(None, "scam_awareness", NEW)])).expect("saves");
    let mut list = |find: FindVisits| phone.app().visits().list_visits(find).expect("answers");
    let first = list(FindVisits::default());
    assert_eq!((first.visits.len(), first.has_more), (100, true));
    assert_eq!(first.visits[0].household, None);
    assert_eq!(first.visits[1].date, Some(day("2024-06-11")));
    assert_eq!(first.visits[1].place.label.as_deref(), Some("Hộ 12"));
    assert_eq!(first.visits[1].services[0].outcome, Some(NEW));
    let rest = list(FindVisits { skip: 100, ..FindVisits::default() });
    assert_eq!((rest.visits.len(), rest.has_more), (11, false));
    let of_day =
        FindVisits { from: Some(day("2024-06-10")), to: Some(day("2024-06-10")), ..FindVisits::default() };
    assert_eq!(list(of_day).visits.len(), 55);
}

#[test]
fn a_form_begins_as_the_last_visit_of_the_day_was() {
    let (team, mut phone, household, persons) = team_with_household();
    let form = |phone: &mut TestPhone, household| {
        let get = GetVisitForm { household, ..GetVisitForm::default() };
        phone.app().visits().get_visit_form(get).expect("answers")
    };
    let empty = form(&mut phone, Some(household));
    assert_eq!((empty.place, empty.members.clone()), (Some(1), vec![phone.member]));
    assert_eq!(empty.plan, Some(team.plan));
    assert_eq!(empty.unit.map(|unit| unit.to_string()).as_deref(), Some(support::UNIT));
    assert_eq!(empty.household.map(|household| household.persons.len()), Some(2));
    let new = NewVisit {
        place: Some(3),
        language: Some(3),
        signal: Some(1),
        ..visit(Some(household), vec![service(Some(persons[0]), "health_book", NEW)])
    };
    log(&mut phone, new).expect("saves");
    let next = form(&mut phone, Some(household));
    assert_eq!(
        (next.place, next.language, next.signal, next.plan),
        (Some(3), Some(3), Some(1), Some(team.plan))
    );
    assert_eq!((next.services[0].service.code.as_str(), next.services[0].uses), ("health_book", 1));
}

#[test]
fn an_open_checklist_becomes_one_run_of_the_visit_and_two_services_may_share_it() {
    let (_, mut phone, household, persons) = team_with_household();
    let start = serde_json::json!({ "tutorial": "T3", "household": household });
    let run = phone.app().call("checklists.start_run", start).expect("starts")["run"].clone();
    for _ in 1..=12 {
        let step = serde_json::json!({ "run": run, "did": "pass" });
        phone.app().call("checklists.record_step", step).expect("records");
    }
    let draft = run.as_str().expect("a name").to_owned();
    let of_run =
        |name: &str| NewService { run_draft: Some(draft.clone()), ..service(Some(persons[0]), name, NEW) };
    let rows = vec![of_run("portal_first_login"), of_run("portal_first_filing")];
    let saved = log(&mut phone, visit(Some(household), rows.clone())).expect("saves");
    assert_eq!((saved.services.len(), saved.runs.len()), (2, 1));
    let detail = get(&mut phone, saved.visit);
    assert!(detail.services.iter().all(|one| one.run == Some(saved.runs[0]) && one.steps.len() == 12));
    let again = log(&mut phone, visit(Some(household), rows));
    assert_eq!(again, Err(invalid("services[0].run_draft", "not_found")), "the draft went with the visit");
}
