//! Sessions, grants, clubs and half-days: what is written, what is refused, what the lists show.

mod support;

use langso_device::AppError;
use langso_device::companion::events::{
    EventWhat, FindClubs, FindEvents, Joining, NewGrant, NewGroup, NewMemberships, NewSession, NewWorkDay,
};
use serde_json::json;
use support::{LEAD, MEMBER, TRAINER, Team, TestPhone, UNIT, day, invalid, not_allowed};

fn phone(team: &mut Team, role: u8) -> TestPhone {
    let mut phone = team.enrol("Hoàng Thị Đượm", role);
    team.bring(&mut phone);
    phone
}

fn session(team: &Team) -> NewSession {
    NewSession {
        kind: 2,
        topic: "Phòng chống lừa đảo".to_owned(),
        organiser: Some("Hội Phụ nữ xã".to_owned()),
        hamlet: Some(team.hamlet),
        unit: None,
        date: day("2024-06-14"),
        headcount: 42,
        members: Vec::new(),
        plan: Some(team.plan),
        token: None,
    }
}

fn work_day() -> NewWorkDay {
    NewWorkDay {
        date: day("2024-06-14"),
        half: 1,
        reason: "Rà soát danh sách hộ".to_owned(),
        member: None,
        plan: None,
        token: None,
    }
}

#[test]
fn a_session_is_written_with_the_unit_of_its_hamlet_and_whoever_logs_it() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let saved = phone.app().events().log_session(session(&team)).expect("saves");
    let page = phone.app().events().list_events(FindEvents::default()).expect("lists");
    assert_eq!(page.events.len(), 1);
    let EventWhat::Session { session, headcount, members, topic, .. } = &page.events[0].what else {
        panic!("{page:?}")
    };
    assert_eq!((*session, *headcount), (saved.session, Some(42)));
    assert_eq!(members, &[phone.member]);
    assert_eq!(topic.as_deref(), Some("Phòng chống lừa đảo"));
    let unit: String = phone.with_replica(|replica| {
        replica.connection().query_row("SELECT unit FROM sessions", [], |row| row.get(0)).expect("a unit")
    });
    assert_eq!(unit, UNIT);
}

#[test]
fn a_second_tap_is_the_same_save() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let with_token = NewSession { token: Some("form-1".to_owned()), ..session(&team) };
    let first = phone.app().events().log_session(with_token.clone()).expect("saves");
    let second = phone.app().events().log_session(with_token).expect("answers");
    assert_eq!(first, second);
    assert_eq!(phone.written().len(), 1);
}

#[test]
fn days_before_the_team_and_days_to_come_are_refused() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let on = |iso| NewSession { date: day(iso), plan: None, ..session(&team) };
    let app = phone.app();
    assert_eq!(app.events().log_session(on("2022-05-11")), Err(invalid("date", "before_team")));
    assert_eq!(app.events().log_session(on("2024-06-16")), Err(invalid("date", "future_date")));
    assert!(app.events().log_session(on("2022-05-12")).is_ok());
    assert!(app.events().log_session(on("2024-06-15")).is_ok());
}

#[test]
fn a_day_to_come_is_kept_and_marked_while_the_clock_is_unsure() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    phone.forget_hub_time();
    let new = NewSession { date: day("2024-06-20"), ..session(&team) };
    phone.app().events().log_session(new).expect("saves");
    let (_, change) = phone.written().pop().expect("a change");
    assert!(change.extras.contains_key(&langso_sync::change::extra::CLOCK_UNSURE));
}

#[test]
fn what_is_never_stored_is_refused_in_every_text_and_nothing_is_written() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let id = "cụ có số 022054001234".to_owned();
    let refused = |field: &str| invalid(field, "never_store.citizen_id");
    let events = phone.app().events();
    let topic = NewSession { topic: id.clone(), ..session(&team) };
    assert_eq!(events.log_session(topic), Err(refused("topic")));
    let organiser = NewSession { organiser: Some(id.clone()), ..session(&team) };
    assert_eq!(events.log_session(organiser), Err(refused("organiser")));
    let reason = NewWorkDay { reason: id.clone(), ..work_day() };
    assert_eq!(events.log_work_day(reason), Err(refused("reason")));
    let grant = json!({"item": 1, "donor": id});
    let donor = phone.app().call("events.log_grant", grant);
    assert_eq!(donor, Err(refused("donor")));
    let name = NewGroup { name: id, kind: 1, unit: None, founded_on: day("2024-01-05"), token: None };
    assert_eq!(phone.app().events().log_group(name), Err(refused("name")));
    assert!(phone.written().is_empty());
}

#[test]
fn choices_and_rows_that_are_not_here_are_named_by_their_field() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let app = phone.app();
    let kind = NewSession { kind: 99, ..session(&team) };
    assert_eq!(app.events().log_session(kind), Err(invalid("kind", "unknown_choice")));
    let stranger = langso_domain::id::MemberId(team.plan.0);
    let members = NewSession { members: vec![stranger], ..session(&team) };
    assert_eq!(app.events().log_session(members), Err(invalid("members[0]", "not_found")));
    let unit = langso_domain::units::UnitCode::parse("06838@2025");
    let unit = NewSession { unit, ..session(&team) };
    assert_eq!(app.events().log_session(unit), Err(invalid("unit", "not_of_its_date")));
}

#[test]
fn an_event_counts_under_a_plan_of_its_day_and_for_members_of_its_day() {
    let mut team = Team::new();
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    let left = langso_domain::id::MemberId(team.write(
        "member",
        &[("name", "Nguyễn Văn Đi".into()), ("to_date", support::date("2024-05-31").into())],
    ));
    team.bring(&mut lead);
    let events = lead.app().events();
    let early = NewSession { date: day("2023-12-31"), ..session(&team) };
    assert_eq!(events.log_session(early), Err(invalid("plan", "plan_not_on_date")));
    let with = |date| NewSession { members: vec![left], date: day(date), ..session(&team) };
    assert_eq!(events.log_session(with("2024-06-14")), Err(invalid("members[0]", "left_team")));
    assert!(events.log_session(with("2024-05-31")).is_ok());
    let early = NewWorkDay { date: day("2023-12-31"), plan: Some(team.plan), ..work_day() };
    assert_eq!(events.log_work_day(early), Err(invalid("plan", "plan_not_on_date")));
    let of = |date| NewWorkDay { member: Some(left), date: day(date), ..work_day() };
    assert_eq!(events.log_work_day(of("2024-06-14")), Err(invalid("member", "left_team")));
    assert!(events.log_work_day(of("2024-05-31")).is_ok());
    let grant = json!({"item": 1, "plan": team.plan, "date": "2023-12-31"});
    assert_eq!(lead.app().call("events.log_grant", grant), Err(invalid("plan", "plan_not_on_date")));
}

#[test]
fn a_grant_takes_household_day_and_plan_from_its_visit() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let (household, persons) = phone.household(&team, "Hộ 12", 1);
    let (other, _) = phone.household(&team, "Hộ 13", 0);
    let visit = phone.visit(&team, Some(household), "2024-06-10", &[(Some(persons[0]), "sim_4g@1", 1)]);
    let grant = json!({"item": 1, "visit": visit, "person": persons[0], "donor": "Công an tỉnh"});
    let saved = phone.app().call("events.log_grant", grant).expect("saves");
    assert_eq!(saved["reverify_hint"], json!(true));
    let page = phone.app().events().list_events(FindEvents::default()).expect("lists");
    assert_eq!((page.events[0].date, page.events[0].plan), (day("2024-06-10"), Some(team.plan)));
    assert!(
        matches!(page.events[0].what, EventWhat::Grant { household: Some(of), .. } if of == household),
        "{page:?}"
    );
    let wrong: NewGrant =
        serde_json::from_value(json!({"item": 1, "visit": visit, "household": other})).expect("input");
    assert_eq!(phone.app().events().log_grant(wrong), Err(invalid("visit", "other_household")));
}

#[test]
fn seventy_five_join_a_club_in_one_save_and_count_once_each() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let (_, persons) = phone.household(&team, "Hộ 12", 2);
    let name = "Câu lạc bộ Nông dân với chuyển đổi số".to_owned();
    let group = NewGroup { name, kind: 1, unit: None, founded_on: day("2024-01-05"), token: None };
    let group = phone.app().events().log_group(group).expect("saves").group;
    let mut joined: Vec<_> =
        persons.iter().map(|person| Joining { person: Some(*person), from: day("2024-02-01") }).collect();
    joined.resize_with(75, || Joining { person: None, from: day("2024-02-01") });
    let before = phone.written().len();
    let new = NewMemberships { group, joined, token: None };
    let saved = phone.app().events().log_memberships(new).expect("saves");
    assert_eq!((saved.memberships.len(), phone.written().len()), (75, before + 1));
    let clubs = phone.app().events().list_groups(FindClubs::default()).expect("lists");
    assert_eq!((clubs.groups.len(), clubs.groups[0].members), (1, 75));
    let earlier = FindClubs { on: Some(day("2024-01-31")) };
    assert_eq!(phone.app().events().list_groups(earlier).expect("lists").groups[0].members, 0);
    let again = Joining { person: Some(persons[0]), from: day("2024-03-01") };
    let again = NewMemberships { group, joined: vec![again], token: None };
    assert_eq!(
        phone.app().events().log_memberships(again),
        Err(invalid("joined[0].person", "already_member"))
    );
}

#[test]
fn a_half_day_beside_a_visit_is_called_double() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    phone.visit(&team, None, "2024-06-14", &[(None, "vneid_level2@1", 1)]);
    let with_plan = |plan| NewWorkDay { plan, ..work_day() };
    let events = phone.app().events();
    assert!(events.log_work_day(with_plan(Some(team.plan))).expect("saves").is_double);
    assert!(!events.log_work_day(with_plan(None)).expect("saves").is_double, "another plan");
    assert!(events.log_work_day(NewWorkDay { half: 2, ..with_plan(None) }).expect("saves").is_double);
}

#[test]
fn only_those_who_lead_write_for_another_and_trainers_write_no_events() {
    let mut team = Team::new();
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    let mut trainer = team.enrol("Nguyễn Trần Vĩnh Thụy", TRAINER);
    [&mut one, &mut lead, &mut trainer].into_iter().for_each(|phone| team.bring(phone));
    let for_lead = NewWorkDay { member: Some(lead.member), ..work_day() };
    assert_eq!(one.app().events().log_work_day(for_lead), Err(not_allowed("role")));
    let for_member = NewWorkDay { member: Some(one.member), ..work_day() };
    assert!(lead.app().events().log_work_day(for_member).is_ok());
    assert_eq!(trainer.app().events().log_session(session(&team)), Err(not_allowed("role")));
    assert_eq!(
        trainer.app().events().list_events(FindEvents::default()),
        Err::<langso_device::companion::events::EventPage, AppError>(not_allowed("role"))
    );
}

#[test]
fn events_come_in_pages_of_a_hundred_newest_first_and_none_twice() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    for at in 0..110 {
        let iso = format!("2024-{:02}-{:02}", 1 + at / 28, 1 + at % 28);
        phone.app().events().log_work_day(NewWorkDay { date: day(&iso), ..work_day() }).expect("saves");
    }
    let first = phone.app().events().list_events(FindEvents::default()).expect("lists");
    assert_eq!(first.events.len(), 100);
    let after = FindEvents { after: first.next, ..FindEvents::default() };
    let second = phone.app().events().list_events(after).expect("lists");
    assert_eq!((second.events.len(), second.next), (10, None));
    let days: Vec<_> = first.events.iter().chain(&second.events).map(|event| event.date).collect();
    assert!(days.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn nothing_is_written_of_a_household_that_took_its_consent_back() {
    let mut team = Team::new();
    let mut phone = phone(&mut team, MEMBER);
    let (household, persons) = phone.household(&team, "Hộ 12", 1);
    let visit = phone.visit(&team, Some(household), "2024-06-10", &[(Some(persons[0]), "sim_4g@1", 1)]);
    let text = json!({"text": "consent.script@1", "way": 1});
    let given = json!({"household": household, "given": text});
    let given = phone.app().call("consents.record_consent", given).expect("saves");
    let club = json!({"name": "CLB số", "kind": 1, "founded_on": "2024-06-01"});
    let club = phone.app().call("events.log_group", club).expect("saves");
    phone.app().call("consents.withdraw_consent", json!({"consent": given["consent"]})).expect("withdraws");
    let before = phone.written().len();
    let mut call = |name: &str, input| phone.app().call(name, input);
    let withdrawn = |field| Err(invalid(field, "consent_withdrawn"));
    assert_eq!(call("events.log_grant", json!({"item": 1, "household": household})), withdrawn("household"));
    assert_eq!(call("events.log_grant", json!({"item": 1, "visit": visit})), withdrawn("household"));
    assert_eq!(call("census.mark_household_seen", json!({"household": household})), withdrawn("household"));
    let joins = json!({"group": club["group"], "joined": [{"person": persons[0], "from": "2024-06-10"}]});
    assert_eq!(call("events.log_memberships", joins), withdrawn("joined[0].person"));
    assert_eq!(phone.written().len(), before);
}
