//! Teams change: members leave and join, teams become one, households move. What was done stays what it was.

use langso_device::companion::Nothing;
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, MemberId, ScopeId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, NewHamlet, NewTeam};
use langso_hub::clock::DAY_MS;
use langso_hub::log::Reason;
use langso_hub::waiting::Verdict;
use serde_json::{Value as Json, json};

use crate::field::{FOUNDED_ON, Field, Handset, Team, UNIT};

fn member_of(field: &Field, team: &Team, name: &str) -> MemberId {
    let members = field.hub().list_members(team.id).unwrap();
    members.into_iter().find(|member| member.name == name).unwrap().id
}

fn day(field: &Field) -> CivilDate {
    field.hub().clock.now().date()
}

/// Every cell that the hub counted of a scope, as bytes.
fn cells(field: &Field, scope: ScopeId) -> String {
    field.hub().project_all().unwrap();
    let cells = field.log().figures(scope).unwrap().cells;
    assert!(!cells.is_empty());
    serde_json::to_string(&cells).unwrap()
}

/// Who worked when, as the phone of a lead counts it.
fn person_days(phone: &mut Handset) -> String {
    let period = json!({"from": "2024-06-01", "to": "2024-06-30"});
    serde_json::to_string(&phone.app().call("team.list_person_days", period).unwrap()).unwrap()
}

fn labels(phone: &Handset) -> Vec<String> {
    let read = phone.read();
    let mut get =
        read.prepare("SELECT label FROM live_households WHERE moved_to IS NULL ORDER BY label").unwrap();
    get.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_leaves_is_told_signed_and_what_was_unsent_still_arrives_and_waits() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut stays = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
    let mut leaves = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    leaves.sync().await.unwrap();
    leaves.household("Hộ 12");
    leaves.visit(&team);
    leaves.sync().await.unwrap();
    stays.sync().await.unwrap();
    let before = (cells(&field, team.scope), person_days(&mut stays));
    leaves.household("Hộ 13");

    let member = member_of(&field, &team, "Chíu Sám Múi");
    let early = field.hub().end_membership(team.id, member, CivilDate::parse_iso("2000-01-01").unwrap());
    assert!(matches!(early, Err(AdminError::Invalid { code: "before_from", .. })));
    field.hub().end_membership(team.id, member, day(&field)).unwrap();
    field.hub().end_membership(team.id, member, day(&field)).unwrap();
    assert_eq!(cells(&field, team.scope), before.0);
    leaves.sync().await.unwrap();
    let status = leaves.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 1), "it went out, and waits for the lead");
    let waiting = field.log().list_set_aside(team.scope).unwrap();
    assert_eq!(
        waiting.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(),
        [Reason::OutOfScope.code()]
    );

    // New work of others no longer comes to the one who left; the team goes on.
    let served = |phone: &Handset| {
        let all = phone.link.take_exchanges();
        all.iter().flat_map(|one| one.served()).filter(|frame| frame.header.scope == team.scope).count()
    };
    served(&leaves);
    stays.household("Hộ 14");
    stays.sync().await.unwrap();
    leaves.sync().await.unwrap();
    assert_eq!(served(&leaves), 0);
    field.hub().decide(team.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    stays.sync().await.unwrap();
    assert_eq!(labels(&stays), ["Hộ 12", "Hộ 13", "Hộ 14"]);
    let now = stays.read();
    let until: Option<i32> = now
        .query_row("SELECT to_date FROM live_members WHERE id = ?1", [member.0.0], |row| row.get(0))
        .unwrap();
    assert_eq!(until, Some(day(&field).0));
    assert_eq!(person_days(&mut stays), before.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_in_two_teams_sees_both_and_writes_where_the_household_is_and_leaves_one_alone() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut both = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    let mut other = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    other.sync().await.unwrap();
    let theirs = other.household("Hộ 21");
    other.sync().await.unwrap();
    both.sync().await.unwrap();
    assert_eq!(labels(&both), [""; 0]);

    let member = member_of(&field, &one, "Chíu Sám Múi");
    let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, day(&field)).unwrap();
    both.sync().await.unwrap();
    both.household("Hộ 11");
    let edited = json!({"household": theirs, "hint": "sau chợ"});
    both.app().call("households.update_household", edited).unwrap();
    let scopes: Vec<ScopeId> = both.written().into_iter().map(|(scope, ..)| scope).collect();
    assert_eq!(
        scopes,
        [one.scope, two.scope],
        "a new one in the team of the phone, an edit where the row is"
    );
    both.sync().await.unwrap();
    assert_eq!(labels(&both), ["Hộ 11", "Hộ 21"]);
    assert!(field.hub().list_waiting().unwrap().is_empty());
    other.sync().await.unwrap();
    let hint: String = other
        .read()
        .query_row("SELECT hint FROM live_households WHERE id = ?1", [theirs.0.0], |row| row.get(0))
        .unwrap();
    assert_eq!(hint, "sau chợ");
    assert_eq!(labels(&other), ["Hộ 21"], "the other team sees nothing of the first");

    field.hub().end_membership(two.id, second, day(&field)).unwrap();
    other.household("Hộ 22");
    other.sync().await.unwrap();
    both.household("Hộ 12");
    both.sync().await.unwrap();
    let status = both.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 0), "its own team goes on");
    assert!(!labels(&both).contains(&"Hộ 22".to_owned()));
    let places = field.hub().list_places().unwrap();
    let held = field.log().grants(both.device()).unwrap();
    assert!(held.iter().any(|grant| grant.scope == places[0].scope), "what both teams hold is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_teams_become_one_that_holds_both_and_no_figure_of_the_past_moves() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut first = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let mut second = field.phone(&two, "Hoàng Thị Đượm", Role::Member).await;
    for (phone, team, label) in [(&mut first, &one, "Hộ 11"), (&mut second, &two, "Hộ 21")] {
        phone.sync().await.unwrap();
        phone.household(label);
        phone.visit(team);
        phone.sync().await.unwrap();
    }
    let counted =
        |field: &Field| [one.scope, one.training, two.scope, two.training].map(|scope| cells(field, scope));
    let before = (counted(&field), person_days(&mut first), field.keys(one.scope), field.keys(two.scope));

    let unit = UnitCode::parse(UNIT).unwrap();
    let founded_on = CivilDate::parse_iso(FOUNDED_ON).unwrap();
    let new = NewTeam {
        name: "Tổ Ngàn Chi – Sú Cáu".to_owned(),
        kind: "merged".to_owned(),
        unit,
        founded_on,
        hamlets: vec![],
    };
    assert!(matches!(
        field.hub().merge_teams(&new, &[one.id, one.id]),
        Err(AdminError::Invalid { code: "twice", .. })
    ));
    let merged = field.hub().merge_teams(&new, &[one.id, two.id]).unwrap();
    assert_eq!(counted(&field), before.0, "not a cell moves");
    assert_eq!((field.keys(one.scope), field.keys(two.scope)), (before.2, before.3), "not a row is touched");
    let names: Vec<_> =
        field.hub().list_members(merged.id).unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names.len(), 2);

    for phone in [&mut first, &mut second] {
        phone.sync().await.unwrap();
        assert_eq!(labels(phone), ["Hộ 11", "Hộ 21"]);
        assert_eq!(phone.count("visits"), 2);
        // Dated: since when the new team holds which scope.
        let sql = "SELECT count(*) FROM live_team_scopes WHERE team_id = ?1 AND from_date = ?2";
        let dated: i64 =
            phone.read().query_row(sql, (merged.id.0.0, day(&field).0), |row| row.get(0)).unwrap();
        assert!(dated >= 4, "{dated}");
    }
    // The lead of one sees the days of both; those of the own team are what they were.
    let alone: Json = serde_json::from_str(&before.1).unwrap();
    let now: Json = serde_json::from_str(&person_days(&mut first)).unwrap();
    let (alone, now) = (alone["days"].as_array().unwrap().clone(), now["days"].as_array().unwrap().clone());
    assert!(alone.iter().all(|day| now.contains(day)), "{now:?}");
    assert_eq!((alone.len(), now.len()), (1, 2));

    // Work goes on, is judged by the same roles, and shows to both.
    second.household("Hộ 22");
    second.sync().await.unwrap();
    first.sync().await.unwrap();
    assert_eq!(labels(&first), ["Hộ 11", "Hộ 21", "Hộ 22"]);
    assert!(field.hub().list_waiting().unwrap().is_empty());
    // Who comes later enters the new team and has the book of both.
    let made = Team { id: merged.id, scope: merged.scope, training: merged.training, hamlet: one.hamlet };
    let mut later = field.phone(&made, "Tằng Văn Nồng", Role::Member).await;
    later.sync().await.unwrap();
    assert_eq!(labels(&later), ["Hộ 11", "Hộ 21", "Hộ 22"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_first_of_two_teams_writes_into_the_other_and_who_comes_back_into_the_first_again() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut phone = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    let member = member_of(&field, &one, "Chíu Sám Múi");
    let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, day(&field)).unwrap();
    phone.sync().await.unwrap();
    field.hub().end_membership(one.id, member, day(&field)).unwrap();
    phone.sync().await.unwrap();
    let left = |phone: &Handset| {
        let sql = "SELECT value FROM phone_facts WHERE name = 'left'";
        let value: String = phone.read().query_row(sql, [], |row| row.get(0)).unwrap();
        // Behind it stands its sum.
        value.lines().next().unwrap().to_owned()
    };
    assert!(left(&phone).contains(&one.scope.to_string()));
    let wrote = |phone: &mut Handset, label: &str| {
        phone.household(label);
        phone.written().pop().unwrap().0
    };
    assert_eq!(wrote(&mut phone, "Hộ 21"), two.scope);
    phone.close();
    assert_eq!(wrote(&mut phone, "Hộ 22"), two.scope, "also after a restart");
    phone.sync().await.unwrap();
    assert!(field.hub().list_waiting().unwrap().is_empty());

    field.hub().join_second_team((two.id, second), one.id, Role::Member, day(&field)).unwrap();
    phone.sync().await.unwrap();
    assert_eq!(left(&phone), "[]");
    assert_eq!(wrote(&mut phone, "Hộ 13"), one.scope, "both are held again: the first of them");
    field.hub().end_membership(two.id, second, day(&field)).unwrap();
    phone.sync().await.unwrap();
    assert_eq!(wrote(&mut phone, "Hộ 14"), one.scope);
    phone.sync().await.unwrap();
    assert!(field.hub().list_waiting().unwrap().is_empty());
}

fn hamlet(field: &Field, team: &Team, name: &str) -> HamletId {
    let unit = UnitCode::parse(UNIT).unwrap();
    let (language, signal, household_total) = (None, None, None);
    let new = NewHamlet { name: name.to_owned(), unit, language, signal, household_total };
    field.hub().add_hamlet(team.id, &new).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_that_moves_is_copied_and_its_visits_stay_with_the_team_that_made_them() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let new_home = hamlet(&field, &two, "Thôn Sú Cáu");
    let mut from = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let mut to = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    from.sync().await.unwrap();
    to.sync().await.unwrap();
    let consent = json!({"text": "consent.script@1", "way": 1});
    let new = json!({"label": "Hộ 12", "hint": "cạnh trường", "persons": [{"band": 4}, {"band": 2}],
        "consent": consent});
    let household: HouseholdId = from.call("households.create_household", new);
    let services = json!([{"service": "sim_4g@1", "outcome": 1}]);
    from.app().call("visits.log_visit", json!({"household": household, "services": services})).unwrap();
    from.sync().await.unwrap();
    let before = (cells(&field, one.scope), person_days(&mut from));

    let moved = field.hub().move_household(one.id, household, two.id, new_home).unwrap();
    assert_eq!(moved.rows, 4, "the household, two persons, a consent");
    let again = field.hub().move_household(one.id, household, two.id, new_home);
    assert!(matches!(again, Err(AdminError::Invalid { code: "moved_already", .. })));
    let nowhere = field.hub().move_household(two.id, moved.household, one.id, new_home);
    assert!(matches!(nowhere, Err(AdminError::NotFound { what: "hamlet" })));
    assert_eq!((cells(&field, one.scope), person_days(&mut from)), before);

    for phone in [&mut from, &mut to] {
        phone.sync().await.unwrap();
    }
    assert_eq!((labels(&from), labels(&to)), (vec![], vec!["Hộ 12".to_owned()]));
    assert_eq!((from.count("visits"), to.count("visits")), (1, 0), "a visit stays where it was made");
    let read = to.read();
    let sql = "SELECT copied_from, hamlet_id FROM live_households WHERE id = ?1";
    let copy: ([u8; 12], [u8; 12]) =
        read.query_row(sql, [moved.household.0.0], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(copy, (household.0.0, new_home.0.0));
    for table in ["persons", "consents"] {
        let sql = format!("SELECT count(*) FROM live_{table} WHERE household_id = ?1");
        let found: i64 = read.query_row(&sql, [moved.household.0.0], |row| row.get(0)).unwrap();
        assert_eq!(found, if table == "persons" { 2 } else { 1 }, "{table}");
    }
    drop(read);
    assert_eq!(person_days(&mut from), before.1);

    // The new team goes on with it, by the consent that came along.
    let services = json!([{"service": "sim_4g@1", "outcome": 1}]);
    let visit = json!({"household": moved.household, "services": services});
    to.app().call("visits.log_visit", visit).unwrap();
    to.sync().await.unwrap();
    field.world.pass(DAY_MS);
    assert!(field.hub().list_waiting().unwrap().is_empty());
    assert_eq!(cells(&field, one.scope), before.0, "what the other team counts is its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_about_a_household_or_in_a_hamlet_lies_with_it_whichever_team_it_is_of() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut both = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let mut other = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    other.sync().await.unwrap();
    let theirs = other.household("Hộ 21");
    other.sync().await.unwrap();
    let member = member_of(&field, &one, "Chíu Sám Múi");
    field.hub().join_second_team((one.id, member), two.id, Role::Member, day(&field)).unwrap();
    both.sync().await.unwrap();
    let services = json!([{"service": "sim_4g@1", "outcome": 1}]);
    let consent = json!({"text": "consent.script@1", "way": 1});
    let new = json!({"label": "Hộ 22", "hamlet": two.hamlet, "persons": [{"band": 4}], "consent": consent});
    let session = json!({"kind": 1, "topic": "Thanh toán điện tử", "hamlet": two.hamlet, "headcount": 12,
        "members": [member], "date": "2024-06-14"});
    for (call, input) in [
        ("visits.log_visit", json!({"household": theirs, "services": services})),
        ("visits.log_visit", json!({"hamlet": two.hamlet, "services": services})),
        ("households.create_household", new),
        ("events.log_session", session),
        ("visits.log_visit", json!({"hamlet": one.hamlet, "services": services})),
    ] {
        both.app().call(call, input).unwrap();
    }
    let scopes: Vec<ScopeId> = both.written().into_iter().map(|(scope, ..)| scope).collect();
    assert_eq!(scopes, [two.scope, two.scope, two.scope, two.scope, one.scope]);
    both.sync().await.unwrap();
    assert!(field.hub().list_waiting().unwrap().is_empty());
    other.sync().await.unwrap();
    assert_eq!((labels(&other), other.count("visits")), (vec!["Hộ 21".to_owned(), "Hộ 22".to_owned()], 2));
    let without: i64 = other
        .read()
        .query_row(
            "SELECT count(*) FROM live_visits AS v LEFT JOIN live_households AS h ON h.id = v.household_id
             WHERE v.household_id IS NOT NULL AND h.id IS NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(without, 0, "who reads the visit has its household");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_made_by_a_phone_that_has_not_heard_of_the_merge_is_the_new_teams_at_once() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut deaf = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    let mut heard = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    for phone in [&mut deaf, &mut heard] {
        phone.sync().await.unwrap();
    }
    let (unit, founded_on) = (UnitCode::parse(UNIT).unwrap(), CivilDate::parse_iso(FOUNDED_ON).unwrap());
    let (name, kind) = ("Tổ Ngàn Chi – Sú Cáu".to_owned(), "merged".to_owned());
    let new = NewTeam { name, kind, unit, founded_on, hamlets: vec![] };
    let new = field.hub().merge_teams(&new, &[one.id, two.id]).unwrap();
    heard.sync().await.unwrap();
    let consent = json!({"text": "consent.script@1", "way": 1});
    let made = json!({"label": "Hộ 12", "hamlet": one.hamlet, "persons": [], "consent": consent});
    let household: HouseholdId = deaf.call("households.create_household", made);
    let services = json!([{"service": "sim_4g@1", "outcome": 1}]);
    deaf.app().call("visits.log_visit", json!({"household": household, "services": services})).unwrap();
    deaf.sync().await.unwrap();
    assert!(field.hub().list_waiting().unwrap().is_empty());
    // In a scope that the new team holds, beside its hamlet, where the other half reads and goes on with it.
    assert!(field.log().held_by(new.id).unwrap().iter().any(|(scope, _)| *scope == one.scope));
    heard.sync().await.unwrap();
    assert_eq!(labels(&heard), ["Hộ 12"]);
    heard.app().call("visits.log_visit", json!({"household": household, "services": services})).unwrap();
    assert_eq!(heard.written().pop().unwrap().0, one.scope);
    heard.sync().await.unwrap();
    deaf.sync().await.unwrap();
    assert_eq!(deaf.count("visits"), 2);
    field.hub().project_all().unwrap();
    let indicators = langso_domain::indicators::Indicators::packaged();
    let sum = |code: &str| {
        let period = "2024-M06".parse().unwrap();
        let whose = langso_hub::figures::Whose::Team(new.id);
        field.hub().sum(indicators.newest(code).unwrap(), period, whose).unwrap().value
    };
    assert_eq!((sum("visits"), sum("households_visited")), (Some(2), Some(1)), "one household, counted once");
}
