//! Services, reasons and tutorials as a phone shows them, packed and published.

mod support;

use std::sync::Arc;

use langso_device::companion::Nothing;
use langso_device::companion::content::{FindFailures, GetTutorial, OfFailure};
use langso_device::{AppError, Companion, SystemTime};
use langso_domain::content::{Content, FailureAction, Item};
use support::{MEMBER, Team, invalid};

const NEW: u8 = 1;
const LATER: u8 = 3;
const REFUSED: u8 = 5;

fn codes(app: &Companion, find: FindFailures) -> Vec<String> {
    let list = app.content().list_failure_codes(find).expect("lists");
    list.codes.into_iter().map(|code| code.code).collect()
}

#[test]
fn tutorials_can_be_read_before_enrolment() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = Companion::open(folder.path(), Arc::new(SystemTime)).expect("opens");
    let list = app.content().list_tutorials(Nothing {}).expect("lists").tutorials;
    let names: Vec<_> =
        list.iter().map(|one| (one.tutorial.code.as_str(), one.is_ready, one.steps)).collect();
    let outlines = ["T4", "T5", "T6", "T7", "T8", "T9"].map(|code| (code, false, 0));
    assert_eq!(names[..3], [("T1", true, 12), ("T2", true, 12), ("T3", true, 12)]);
    assert_eq!(names[3..], outlines);
    let first = app.content().get_tutorial(GetTutorial { tutorial: "T1".to_owned() }).expect("T1");
    assert_eq!(first.steps.len(), 12);
    assert!(first.steps.iter().all(|step| !step.text.vi.is_empty() && !step.text.en.is_empty()));
    assert!(first.steps[8].turn_away, "the OTP is typed by the citizen");
    assert!(first.steps[11].teach_back);
    let stop = first.steps[4].safety_stop.expect("fake apps stop everything");
    let help = app.content().get_failure_help(OfFailure { failure: stop }).expect("help");
    assert_eq!((help.failure.code.as_str(), help.failure.action), ("X1", FailureAction::Stop));
    assert!(first.rules.iter().chain(&first.steps[8].rules).any(|rule| rule.rule == "R2"));
    let unknown = app.content().get_tutorial(GetTutorial { tutorial: "T1@99".to_owned() });
    assert_eq!(unknown.expect_err("none"), AppError::NotFound);
}

#[test]
fn a_tutorial_is_out_of_date_when_its_review_is_older_than_ninety_days() {
    let mut team = Team::new();
    let mut phone = team.enrol("Hoàng Thị Đượm", MEMBER);
    team.bring(&mut phone);
    let reviewed = Content::packaged().tutorial("T1").and_then(|one| one.reviewed).expect("a day");
    let mut is_old = |days: i32| {
        phone.set_today(reviewed.0 + days);
        let get = GetTutorial { tutorial: "T1".to_owned() };
        phone.app().content().get_tutorial(get).expect("T1").is_out_of_date
    };
    assert!(!is_old(0));
    assert!(!is_old(90));
    assert!(is_old(91));
}

#[test]
fn reasons_fit_service_outcome_and_step_at_once() {
    let mut team = Team::new();
    let mut phone = team.enrol("Hoàng Thị Đượm", MEMBER);
    let app = phone.app();
    let of = |service: Option<&str>, outcome, step: Option<(&str, u8)>| FindFailures {
        service: service.map(str::to_owned),
        outcome,
        tutorial: step.map(|(tutorial, _)| tutorial.to_owned()),
        step: step.map(|(_, step)| step),
    };
    assert_eq!(codes(app, of(Some("sim_4g"), Some(NEW), None)), Vec::<String>::new());
    assert_eq!(codes(app, of(Some("sim_4g"), Some(REFUSED), None)), ["H1"]);
    let service = Content::packaged().service("sim_4g").expect("a service");
    assert_eq!(codes(app, of(Some("sim_4g@1"), Some(LATER), None)), service.failures);
    let at_step = codes(app, of(None, None, Some(("T1", 2))));
    assert_eq!(at_step[..2], ["P1", "P2"], "the step's own come first");
    let both = codes(app, of(Some("sim_4g"), Some(LATER), Some(("T1", 2))));
    assert!(both.iter().all(|code| at_step.contains(code) && service.failures.contains(code)));
    assert!(app.content().list_failure_codes(of(None, Some(LATER), None)).expect("lists").is_needed);
    for (find, error) in [
        (of(Some("sim_9g"), None, None), invalid("service", "unknown_service")),
        (of(None, Some(99), None), invalid("outcome", "unknown_choice")),
        (of(None, None, Some(("T77", 1))), invalid("tutorial", "unknown_tutorial")),
        (of(None, None, Some(("T1", 13))), invalid("step", "unknown_step")),
        (FindFailures { step: Some(1), ..Default::default() }, invalid("tutorial", "missing")),
    ] {
        assert_eq!(app.content().list_failure_codes(find).expect_err("refused"), error);
    }
    let unknown = app.content().get_failure_help(OfFailure { failure: 255 });
    assert_eq!(unknown.expect_err("none"), AppError::NotFound);
}

#[test]
fn what_a_team_helps_with_most_comes_first() {
    let mut team = Team::new();
    let mut phone = team.enrol("Hoàng Thị Đượm", MEMBER);
    team.bring(&mut phone);
    phone.visit(&team, None, "2024-06-14", &[(None, "sim_4g@1", 1), (None, "portal_first_login@1", 1)]);
    phone.visit(&team, None, "2024-06-15", &[(None, "sim_4g@1", 1)]);
    phone.visit(&team, None, "2023-06-15", &[(None, "scam_awareness@1", 1)]);
    let list = phone.app().content().list_services(Nothing {}).expect("lists").services;
    let most: Vec<_> = list[..3].iter().map(|one| (one.service.code.as_str(), one.uses)).collect();
    assert_eq!(most[..2], [("sim_4g", 2), ("portal_first_login", 1)]);
    assert_eq!(most[2].1, 0, "what lies longer back no longer counts");
    assert_eq!(list[0].outcomes, [1, 2, 3, 4, 5, 6]);
    assert_eq!(most[2].0, "vneid_level2", "and the rest by their tutorials");
}

#[test]
fn a_published_version_is_the_new_one_and_the_old_one_stays_readable() {
    let mut team = Team::new();
    let mut phone = team.enrol("Hoàng Thị Đượm", MEMBER);
    let mut next = Content::packaged().tutorial("T1").expect("T1").clone();
    next.version = 2;
    let service = Content::packaged().service("smartphone_use").expect("a service").clone();
    let new_service = langso_domain::content::Service { code: "tra_cuu_phat_nguoi".into(), ..service };
    for item in [Item::Tutorial(next), Item::Service(new_service)] {
        let (kind, code) = (item.kind().name(), item.reference().to_string());
        team.write(
            "content_item",
            &[
                ("kind", kind.into()),
                ("code", code.as_str().into()),
                ("body", item.to_json().as_str().into()),
            ],
        );
    }
    team.bring(&mut phone);
    let app = phone.app();
    let newest = app.content().get_tutorial(GetTutorial { tutorial: "T1".to_owned() }).expect("T1");
    assert_eq!((newest.tutorial.version, newest.newer), (2, None));
    let old = app.content().get_tutorial(GetTutorial { tutorial: "T1@1".to_owned() }).expect("T1@1");
    assert_eq!(old.newer, Some(newest.tutorial));
    let services = app.content().list_services(Nothing {}).expect("lists").services;
    assert!(services.iter().any(|one| one.service.code == "tra_cuu_phat_nguoi"), "no new app was needed");
}
