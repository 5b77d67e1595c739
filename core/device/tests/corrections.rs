//! A visit after it was saved: corrected with a reason, in the fields that are named and in no other.

mod support;

use langso_device::companion::visits::{
    CorrectService, CorrectVisit, NewService, NewVisit, OfVisit, VisitDetail,
};
use langso_domain::id::{HouseholdId, PersonId, RowId, ServiceRowId, VisitId};
use support::visits::{correct, log, passed, service, team_with_household, visit};
use support::{TRAINING_SCOPE, TestPhone, day, invalid};

const NEW: u8 = 1;
const LATER: u8 = 3;
const D5: u8 = 21;

fn correction(visit: VisitId, reason: u8) -> CorrectVisit {
    let json = serde_json::json!({ "visit": visit, "reason": reason });
    serde_json::from_value(json).expect("a correction")
}

fn get(phone: &mut TestPhone, visit: VisitId) -> VisitDetail {
    phone.app().visits().get_visit(OfVisit { visit }).expect("is there")
}

#[test]
fn a_visit_is_corrected_with_a_reason_and_what_is_not_named_stays() {
    let (_, mut phone, household, persons) = team_with_household();
    let rows = vec![
        NewService { failure: Some(D5), ..service(Some(persons[0]), "vneid_level2", LATER) },
        service(Some(persons[1]), "sim_4g", NEW),
    ];
    let saved = log(&mut phone, visit(Some(household), rows)).expect("saves");
    let mut wrong = correction(saved.visit, 3);
    wrong.services = vec![CorrectService {
        row: saved.services[0],
        person: None,
        service: None,
        outcome: Some(NEW),
        failure: None,
        evidence: Some(Some(1).into()),
        is_struck_out: false,
    }];
    wrong.place = Some(Some(2).into());
    wrong.add = vec![service(Some(persons[0]), "health_book", NEW)];
    let corrected = correct(&mut phone, wrong).expect("corrects");
    assert_eq!(corrected.added.len(), 1);
    let detail = get(&mut phone, saved.visit);
    assert_eq!((detail.place, detail.is_corrected, detail.services.len()), (Some(2), true, 3));
    assert_eq!((detail.services[0].outcome, detail.services[0].failure), (Some(NEW), None));
    assert_eq!(detail.services[0].evidence, Some(1));
    assert_eq!(detail.services[1].outcome, Some(NEW));
    let history = phone.app().visits().list_visit_history(OfVisit { visit: saved.visit }).expect("answers");
    assert_eq!(history.entries.len(), 2);
    assert!(history.entries[0].is_create && !history.entries[1].is_create);
    assert_eq!(history.entries[1].reason, Some(3));
    assert_eq!(history.entries[1].member, Some(phone.member));
    let named: Vec<_> = history.entries[1].fields.iter().map(|field| field.field.as_str()).collect();
    assert!(
        named.contains(&"place") && named.contains(&"outcome") && named.contains(&"failure"),
        "{named:?}"
    );
}

#[test]
fn a_fact_is_never_corrected_without_a_reason() {
    let (_, mut phone, household, persons) = team_with_household();
    let row = service(Some(persons[0]), "vneid_level2", NEW);
    let saved = log(&mut phone, visit(Some(household), vec![row])).expect("saves");
    let before = phone.written().len();
    for (new, field, code) in [
        (correction(saved.visit, 99), "reason", "unknown_choice"),
        (correction(saved.visit, 4), "reason_text", "missing"),
        (
            CorrectVisit {
                reason_text: Some("gọi 0987654321 mới biết".to_owned()),
                ..correction(saved.visit, 4)
            },
            "reason_text",
            "never_store.phone",
        ),
        (CorrectVisit { date: Some(day("2022-01-01")), ..correction(saved.visit, 1) }, "date", "before_team"),
        (CorrectVisit { members: Some(Vec::new()), ..correction(saved.visit, 1) }, "members", "missing"),
        (
            CorrectVisit { household: Some(None.into()), ..correction(saved.visit, 2) },
            "household",
            "persons_of_other_household",
        ),
    ] {
        assert_eq!(correct(&mut phone, new), Err(invalid(field, code)), "{field} {code}");
    }
    let call = serde_json::json!({ "visit": saved.visit, "place": 2 });
    let refused = phone.app().call("visits.correct_visit", call);
    assert_eq!(refused, Err(invalid("reason", "missing")));
    assert_eq!(phone.written().len(), before);
}

fn struck(row: ServiceRowId) -> CorrectService {
    let json = serde_json::json!({ "row": row, "is_struck_out": true });
    serde_json::from_value(json).expect("a correction of a service")
}

#[test]
fn a_service_that_is_named_twice_is_refused_and_nothing_is_written() {
    let (_, mut phone, household, persons) = team_with_household();
    let rows = vec![service(Some(persons[0]), "vneid_level2", NEW), service(None, "sim_4g", NEW)];
    let saved = log(&mut phone, visit(Some(household), rows)).expect("saves");
    let before = phone.written().len();
    let twice =
        CorrectService { evidence: Some(Some(1).into()), is_struck_out: false, ..struck(saved.services[0]) };
    for (one, other) in [
        (twice.clone(), twice.clone()),
        (twice, struck(saved.services[0])),
        (struck(saved.services[0]), struck(saved.services[0])),
    ] {
        let wrong = CorrectVisit { services: vec![one, other], ..correction(saved.visit, 1) };
        assert_eq!(correct(&mut phone, wrong), Err(invalid("services[1].row", "row_twice")));
    }
    assert_eq!(phone.written().len(), before);
}

#[test]
fn the_checklist_of_a_struck_out_service_goes_when_no_other_names_it() {
    let (_, mut phone, household, persons) = team_with_household();
    let with_run = |person: PersonId| NewService {
        run: Some(passed(12)),
        ..service(Some(person), "vneid_level2@1", NEW)
    };
    let rows = vec![with_run(persons[0]), with_run(persons[1]), service(None, "sim_4g@1", NEW)];
    let saved = log(&mut phone, visit(Some(household), rows)).expect("saves");
    // A second service that came to name the first one's checklist.
    let shared = phone.save(|saving| {
        let fields = [
            ("visit_id", saved.visit.0.into()),
            ("service", "vneid_level2@1".into()),
            ("outcome", NEW.into()),
            ("tutorial", "T1@1".into()),
            ("run_id", saved.runs[0].0.into()),
        ];
        saving.create("service_row", fields).map(ServiceRowId)
    });
    let live = |phone: &mut TestPhone| {
        phone.with_replica(|replica| {
            let mut get = replica.connection().prepare("SELECT id FROM live_checklist_runs").expect("reads");
            let rows = get.query_map([], |row| row.get::<_, [u8; 12]>(0)).expect("reads");
            rows.map(|row| RowId(row.expect("a row"))).collect::<Vec<_>>()
        })
    };
    let strike = |phone: &mut TestPhone, row| {
        let services = vec![struck(row)];
        correct(phone, CorrectVisit { services, ..correction(saved.visit, 1) }).expect("corrects");
    };
    strike(&mut phone, saved.services[0]);
    assert_eq!(live(&mut phone), [saved.runs[0].0, saved.runs[1].0]);
    strike(&mut phone, shared);
    assert_eq!(live(&mut phone), [saved.runs[1].0]);
    let (scope, change) = phone.written().pop().expect("a change");
    assert_eq!(scope, TRAINING_SCOPE);
    assert!(change.extras.contains_key(&langso_sync::change::extra::REASON));
}

#[test]
fn a_start_past_the_end_that_stays_is_refused() {
    let (_, mut phone, household, _) = team_with_household();
    let new = NewVisit {
        start_minute: Some(19 * 60),
        end_minute: Some(20 * 60),
        ..visit(Some(household), vec![service(None, "sim_4g", NEW)])
    };
    let saved = log(&mut phone, new).expect("saves");
    let starts = |at| CorrectVisit { start_minute: Some(Some(at).into()), ..correction(saved.visit, 1) };
    let ends = |at| CorrectVisit { end_minute: Some(Some(at).into()), ..correction(saved.visit, 1) };
    assert_eq!(correct(&mut phone, starts(21 * 60)), Err(invalid("start_minute", "end_before_start")));
    assert_eq!(correct(&mut phone, ends(18 * 60)), Err(invalid("end_minute", "end_before_start")));
    let both = CorrectVisit { end_minute: Some(Some(20 * 60).into()), ..starts(21 * 60) };
    assert_eq!(correct(&mut phone, both), Err(invalid("end_minute", "end_before_start")));
    correct(&mut phone, starts(20 * 60)).expect("corrects");
}

#[test]
fn a_visit_at_the_wrong_household_moves_with_its_hamlet_and_commune() {
    let (mut team, mut phone, household, persons) = team_with_household();
    let other = team.write("hamlet", &[("name", "Bản Sông Moóc".into()), ("unit", "06859@2024".into())]);
    team.bring(&mut phone);
    let right = phone.save(|saving| {
        let household =
            saving.create("household", [("label", "Hộ 3".into()), ("hamlet_id", other.into())])?;
        let person = saving.create("person", [("household_id", household.into()), ("band", 4u8.into())])?;
        Ok((HouseholdId(household), PersonId(person)))
    });
    let row = service(Some(persons[0]), "vneid_level2", NEW);
    let saved = log(&mut phone, visit(Some(household), vec![row])).expect("saves");
    let mut wrong = correction(saved.visit, 2);
    wrong.household = Some(Some(right.0).into());
    wrong.services = vec![CorrectService {
        row: saved.services[0],
        person: Some(Some(right.1).into()),
        service: None,
        outcome: None,
        failure: None,
        evidence: None,
        is_struck_out: false,
    }];
    correct(&mut phone, wrong).expect("corrects");
    let detail = get(&mut phone, saved.visit);
    assert_eq!(detail.household, Some(right.0));
    assert_eq!(detail.hamlet.map(|hamlet| hamlet.0), Some(other));
    assert_eq!(detail.unit.map(|unit| unit.to_string()).as_deref(), Some("06859@2024"));
    assert_eq!(detail.services[0].person, Some(right.1));
}
