//! Every call by its name: what is no record, what it does not know and what is of another kind is refused by field
//! and code, and changes nothing.

mod support;

use langso_device::{AppError, Companion};
use serde_json::{Value, json};
use support::{LEAD, Team, TestPhone, invalid};

fn lead(team: &mut Team) -> TestPhone {
    let mut lead = team.enrol("Hoàng Thị Đượm", LEAD);
    team.bring(&mut lead);
    lead
}

fn call(app: &Companion, name: &str, input: Value) -> Result<Value, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(app.call_and_wait(name, input))
}

#[test]
fn every_call_names_a_field_it_does_not_know() {
    let mut team = Team::new();
    let mut lead = lead(&mut team);
    for name in Companion::call_names() {
        let refused = call(lead.app(), name, json!({"no_such_field": 1})).expect_err(name);
        assert_eq!(refused, invalid("no_such_field", "unknown_field"), "{name}");
    }
    assert!(lead.written().is_empty());
}

#[test]
fn every_call_refuses_what_is_no_record() {
    let mut team = Team::new();
    let mut lead = lead(&mut team);
    for name in Companion::call_names() {
        for input in [json!(null), json!([]), json!("x"), json!(1), json!([{}])] {
            let refused = call(lead.app(), name, input).expect_err(name);
            assert_eq!(refused, invalid("", "wrong_type"), "{name}");
        }
    }
    assert!(lead.written().is_empty());
}

#[test]
fn a_call_without_what_it_needs_names_what_is_missing() {
    let mut team = Team::new();
    let mut lead = lead(&mut team);
    let mut needs_something = 0;
    for name in Companion::call_names() {
        let Err(AppError::InvalidInput { field, code }) = call(lead.app(), name, json!({})) else { continue };
        needs_something += 1;
        assert!(!field.is_empty(), "{name}");
        assert!(["missing", "no_service"].contains(&code.as_str()), "{name}: {field} {code}");
    }
    assert!(needs_something > 20, "{needs_something}");
}

#[test]
fn names_are_a_feature_and_a_method_and_each_stands_once() {
    let names: Vec<_> = Companion::call_names().collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    assert!(names.iter().all(|name| name.split('.').count() == 2));
    let mut team = Team::new();
    let unknown = lead(&mut team).app().call("visits.no_such_method", json!({})).expect_err("refused");
    assert_eq!(unknown, AppError::NotFound);
}

#[test]
fn a_terminal_asks_first_whose_phone_it_is() {
    let mut team = Team::new();
    let mut lead = lead(&mut team);
    lead.visit(&team, None, support::TODAY, &[]);
    let state = call(lead.app(), "phone.get_state", json!({})).expect("a state");
    assert_eq!(state["owner"]["name"], "Hoàng Thị Đượm");
    assert_eq!((state["unsent"].as_u64(), state["is_clock_sure"].as_bool()), (Some(1), Some(true)));
    assert_eq!(state["today"], support::TODAY);
}
