//! The team, its people and days, the census, the card, my month, set-aside work, places and versions.

mod support;

use langso_device::Companion;
use langso_device::companion::Nothing;
use langso_device::companion::census::{HouseholdSeen, OfHamlet};
use langso_device::companion::me::FindMonth;
use langso_device::companion::team::{FindPersonDays, FindPlans, WorkItem};
use langso_device::companion::units::FindUnits;
use serde_json::json;
use support::{DAY_MS, LEAD, MEMBER, TRAINER, Team, TestPhone, UNIT, day, exchange, invalid, not_allowed};

fn phone(team: &mut Team, role: u8) -> TestPhone {
    let mut phone = team.enrol("Hoàng Thị Đượm", role);
    team.bring(&mut phone);
    phone
}

fn seen(household: langso_domain::id::HouseholdId) -> HouseholdSeen {
    HouseholdSeen { household, date: None, adults: None, smartphones: None, token: None }
}

#[test]
fn every_call_that_takes_nothing_answers_by_its_name() {
    let mut team = Team::new();
    let mut lead = phone(&mut team, LEAD);
    for name in ["team.get_team", "team.list_members", "identity.get_card", "about.get_about", "me.get_month"]
    {
        assert!(Companion::call_names().any(|known| known == name), "{name}");
        let answer = lead.app().call(name, json!({})).expect(name);
        assert!(answer.is_object(), "{name}");
        assert_eq!(lead.app().call(name, json!({"x": 1})), Err(invalid("x", "unknown_field")), "{name}");
    }
}

#[test]
fn the_team_knows_its_name_hamlets_and_who_holds_this_phone() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let told = member.app().team().get_team(Nothing {}).expect("a team");
    assert_eq!((told.team, told.me, told.role, told.members), (team.team, member.member, MEMBER, 1));
    assert_eq!((told.name.as_str(), told.hamlets), ("Tổ thôn Bản Mẫu", vec![team.hamlet]));
    let hamlets = member.app().units().list_hamlets(Nothing {}).expect("lists").hamlets;
    assert_eq!(hamlets[0].household_total, Some(104));
    assert_eq!(hamlets[0].unit.map(|unit| unit.to_string()).as_deref(), Some(UNIT));
}

#[test]
fn an_old_unit_leads_to_the_unit_of_today() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let find = FindUnits { text: "huc dong".to_owned(), limit: Some(5) };
    let hits = member.app().units().find_units(find).expect("finds").units;
    assert_eq!(hits[0].unit.to_string(), "06838@2025");
    assert_eq!(hits[0].former.as_ref().map(|former| former.title.as_str()), Some("Xã Húc Động"));
}

#[test]
fn members_are_sorted_as_vietnamese_sorts_names_with_their_newest_work() {
    let mut team = Team::new();
    let mut lead = team.enrol("Trần Văn Bình", LEAD);
    let mut one = team.enrol("Nguyễn Thị Ân", MEMBER);
    team.bring(&mut lead);
    team.bring(&mut one);
    one.visit(&team, None, "2024-06-14", &[(None, "vneid_level2@1", 1)]);
    exchange(&mut one, &mut lead);
    let members = lead.app().team().list_members(Nothing {}).expect("lists").members;
    let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["Nguyễn Thị Ân", "Trần Văn Bình"]);
    assert!(members[1].is_me && members[1].last_work_at.is_none());
    assert!(members[0].last_work_at.is_some() && members[0].devices[0].device == Some(one.device));
}

#[test]
fn the_queue_counts_conflicts_and_names_who_has_been_silent() {
    let mut team = Team::new();
    let mut lead = team.enrol("Trần Văn Bình", LEAD);
    let mut one = team.enrol("Nguyễn Thị Ân", MEMBER);
    team.bring(&mut lead);
    team.bring(&mut one);
    assert_eq!(lead.app().team().list_work_queue(Nothing {}).expect("lists").items, []);
    let (household, _) = one.household(&team, "Hộ 12", 0);
    exchange(&mut one, &mut lead);
    for (phone, hint) in [(&mut one, "cạnh suối"), (&mut lead, "cạnh trường")] {
        phone.save(|saving| saving.patch("household", household.0, [("hint", hint.into())]));
    }
    exchange(&mut one, &mut lead);
    lead.time.pass(9 * DAY_MS);
    let now = langso_device::TimeSource::wall_ms(lead.time.as_ref());
    lead.with_replica(|replica| {
        let sql = "INSERT INTO phone_facts (name, value) VALUES ('last_sync', ?1)";
        replica.connection().execute(sql, [now.to_string()]).expect("a fact");
    });
    let items = lead.app().team().list_work_queue(Nothing {}).expect("lists").items;
    let silent = WorkItem::Silent { member: one.member, days: Some(9) };
    assert_eq!(items, [WorkItem::Conflicts { count: 1 }, silent]);
    assert_eq!(one.app().team().list_work_queue(Nothing {}), Err(not_allowed("role")));
}

#[test]
fn person_days_are_distinct_by_member_day_and_plan_with_doubles_marked() {
    let mut team = Team::new();
    let mut lead = phone(&mut team, LEAD);
    let first = lead.visit(&team, None, "2024-06-10", &[]);
    let second = lead.visit(&team, None, "2024-06-10", &[]);
    lead.visit(&team, None, "2024-06-11", &[]);
    let work = json!({"date": "2024-06-10", "half": 3, "reason": "Họp tổ"});
    lead.app().call("events.log_work_day", work).expect("saves");
    let find = FindPersonDays { from: day("2024-06-01"), to: day("2024-06-30"), member: None };
    let told = lead.app().team().list_person_days(find).expect("lists");
    let days: Vec<_> = told.days.iter().map(|day| (day.date, day.plan, day.pieces, day.is_double)).collect();
    assert_eq!(
        days,
        [
            (day("2024-06-10"), None, 1, true),
            (day("2024-06-10"), Some(team.plan), 2, true),
            (day("2024-06-11"), Some(team.plan), 1, false),
        ]
    );
    assert_eq!(told.days[1].visits, [first, second]);
    let by_plan: Vec<_> = told.by_plan.iter().map(|of| (of.plan, of.days)).collect();
    assert_eq!(by_plan, [(None, 1), (Some(team.plan), 2)]);
    let mut member = phone(&mut team, MEMBER);
    assert_eq!(member.app().team().list_person_days(find), Err(not_allowed("role")));
}

#[test]
fn plans_are_those_of_the_day() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let mut on = |iso: &str| {
        let find = FindPlans { on: Some(day(iso)) };
        member.app().team().list_plans(find).expect("lists").plans.len()
    };
    assert_eq!((on("2023-12-31"), on("2024-01-01"), on("2024-12-31"), on("2025-01-01")), (0, 1, 1, 0));
}

#[test]
fn a_census_counts_each_household_once_and_shows_the_open_ones_first() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let (second, _) = member.household(&team, "Hộ 2", 2);
    let (twelfth, _) = member.household(&team, "Hộ 12", 1);
    let (third, _) = member.household(&team, "Hộ 3", 0);
    let app = member.app();
    let saved = app.census().mark_household_seen(seen(second)).expect("saves");
    assert_eq!((saved.adults, saved.smartphones), (2, 2), "as its persons say");
    let again = HouseholdSeen { adults: Some(3), smartphones: Some(1), ..seen(second) };
    app.census().mark_household_seen(again).expect("saves");
    let of = OfHamlet { hamlet: team.hamlet };
    let told = app.census().get_census(of).expect("a census");
    assert_eq!((told.seen, told.total, told.last_on), (1, Some(104), Some(day("2024-06-15"))));
    let order: Vec<_> = told.households.iter().map(|row| row.household).collect();
    assert_eq!(order, [third, twelfth, second]);
    let wrong = HouseholdSeen { adults: Some(1), smartphones: Some(2), ..seen(third) };
    assert_eq!(app.census().mark_household_seen(wrong), Err(invalid("smartphones", "more_than_adults")));
    let mut trainer = phone(&mut team, TRAINER);
    assert_eq!(trainer.app().census().get_census(of), Err(not_allowed("role")));
}

#[test]
fn merged_households_are_one_in_the_census() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let (one, _) = member.household(&team, "Hộ 2", 1);
    let (other, _) = member.household(&team, "Hộ 2b", 1);
    member.app().census().mark_household_seen(seen(one)).expect("saves");
    member.app().census().mark_household_seen(seen(other)).expect("saves");
    member.save(|saving| saving.patch("household", other.0, [("merged_with", one.0.into())]));
    let told = member.app().census().get_census(OfHamlet { hamlet: team.hamlet }).expect("a census");
    assert_eq!((told.seen, told.households.len()), (1, 1));
}

#[test]
fn a_census_is_filled_in_by_everybody_of_the_joined_households_once() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let (one, persons) = member.household(&team, "Hộ 2", 2);
    let (other, others) = member.household(&team, "Hộ 2b", 2);
    member.save(|saving| {
        saving.patch("household", other.0, [("merged_with", one.0.into())])?;
        saving.patch("person", others[0].0, [("merged_with", persons[0].0.into())])
    });
    for household in [one, other] {
        let saved = member.app().census().mark_household_seen(seen(household)).expect("saves");
        assert_eq!((saved.adults, saved.smartphones), (3, 3));
    }
}

#[test]
fn two_members_of_one_name_are_two_and_a_trainer_is_none() {
    let mut team = Team::new();
    let mut member = team.enrol("Chìu Sám Múi", MEMBER);
    for (name, role) in
        [("Chìu Sám Múi", MEMBER), ("Lỷ A Sìu", LEAD), ("Nguyễn Trần Vĩnh Thụy", TRAINER), ("Cán bộ xã", 5)]
    {
        team.enrol(name, role);
    }
    team.bring(&mut member);
    assert_eq!(member.app().team().get_team(Nothing {}).expect("a team").members, 3);
}

#[test]
fn the_card_names_member_team_and_commune_of_today() {
    let mut team = Team::new();
    let mut member = team.enrol("Hoàng Thị Đượm", MEMBER);
    let before = member.app().identity().get_card(Nothing {}).expect("a card");
    assert!(before.is_provisional && before.is_stale);
    team.bring(&mut member);
    let card = member.app().identity().get_card(Nothing {}).expect("a card");
    assert_eq!((card.name.as_str(), card.team.as_str()), ("Hoàng Thị Đượm", "Tổ thôn Bản Mẫu"));
    assert_eq!((card.commune.as_str(), card.province.as_str()), ("Xã Bình Liêu", "Tỉnh Quảng Ninh"));
    assert!(!card.is_provisional && !card.is_ended);
}

#[test]
fn my_month_counts_what_i_did_and_what_has_not_arrived() {
    let mut team = Team::new();
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut other = team.enrol("Nguyễn Thị Ân", MEMBER);
    team.bring(&mut one);
    team.bring(&mut other);
    let (household, persons) = one.household(&team, "Hộ 12", 1);
    let done = (Some(persons[0]), "vneid_level2@1", 1);
    one.visit(&team, Some(household), "2024-06-10", &[done, done]);
    one.visit(&team, None, "2024-06-11", &[(None, "sim_4g@1", 1)]);
    one.visit(&team, None, "2024-05-31", &[]);
    other.visit(&team, None, "2024-06-12", &[(None, "sim_4g@1", 1)]);
    exchange(&mut one, &mut other);
    let month = one.app().me().get_month(FindMonth::default()).expect("a month");
    assert_eq!((month.month.as_str(), month.visits, month.turns, month.households), ("2024-M06", 2, 3, 1));
    assert_eq!((month.days.len(), month.unarrived), (2, 3));
    let wrong = FindMonth { month: Some("2024-Q2".to_owned()) };
    assert_eq!(one.app().me().get_month(wrong), Err(invalid("month", "not_a_month")));
}

#[test]
fn own_work_that_is_set_aside_is_shown_with_its_reason_and_rows() {
    let mut team = Team::new();
    let mut member = phone(&mut team, MEMBER);
    let visit = member.visit(&team, None, "2024-06-10", &[(None, "sim_4g@1", 1)]);
    assert_eq!(member.app().set_aside().list_own_set_aside(Nothing {}).expect("lists").changes, []);
    member.with_replica(|replica| {
        let key = visit.0.key().expect("a key").to_bytes();
        let sql = "INSERT INTO set_aside_notices (key, reason) VALUES (?1, 3)";
        replica.connection().execute(sql, [key]).expect("a notice");
    });
    let changes = member.app().set_aside().list_own_set_aside(Nothing {}).expect("lists").changes;
    assert_eq!((changes.len(), changes[0].reason), (1, 3));
    assert!(changes[0].saved_at.is_some());
    let rows: Vec<_> = changes[0].rows.iter().map(|row| row.table.as_str()).collect();
    assert_eq!(rows, ["visit", "service_row"]);
    assert_eq!(changes[0].rows[0].row, visit.0);
}
