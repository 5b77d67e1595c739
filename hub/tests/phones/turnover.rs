//! Leaving and becoming one, with what stands around it: invitations on their way, trainers, second memberships.

use std::collections::{BTreeMap, BTreeSet};

use langso_device::AppError;
use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, ScopeId};
use langso_domain::period::Period;
use langso_domain::registry::{Role, ScopeKind};
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, NewMember, NewTeam, NewTrainer};
use langso_hub::clock::DAY_MS;
use langso_hub::log;
use serde_json::json;

use crate::field::{FOUNDED_ON, Field, Handset, Link, Team, UNIT};

fn member_of(field: &Field, team: &Team, name: &str) -> MemberId {
    let members = field.hub().list_members(team.id).unwrap();
    members.into_iter().find(|member| member.name == name).unwrap().id
}

fn today(field: &Field) -> CivilDate {
    field.hub().clock.now().date()
}

fn merged(name: &str) -> NewTeam {
    let (unit, founded_on) = (UnitCode::parse(UNIT).unwrap(), CivilDate::parse_iso(FOUNDED_ON).unwrap());
    NewTeam { name: name.to_owned(), kind: "merged".to_owned(), unit, founded_on, hamlets: vec![] }
}

fn merge(field: &Field, teams: &[Team]) -> Team {
    let ids: Vec<_> = teams.iter().map(|team| team.id).collect();
    let log::Team { id, scope, training, .. } =
        field.hub().merge_teams(&merged("Tổ Ngàn Chi – Sú Cáu"), &ids).unwrap();
    Team { id, scope, training, hamlet: teams[0].hamlet }
}

/// Of the scopes that the phone holds, those of these kinds, with what it may be in them.
fn holds(field: &Field, phone: &Handset, kind: ScopeKind) -> Vec<(ScopeId, Role)> {
    let grants = field.log().grants(phone.device()).unwrap().into_iter();
    grants.filter(|grant| grant.kind == kind).map(|grant| (grant.scope, grant.role)).collect()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(got: Result<T, AdminError>, field: &str, code: &str) {
    match got {
        Err(AdminError::Invalid { field: at, code: why }) => assert_eq!((at.as_str(), why), (field, code)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_teams_became_one_a_member_of_either_can_leave_and_is_served_nothing_more() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut stays = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let mut leaves = field.phone(&two, "Hoàng Thị Đượm", Role::Member).await;
    let member = member_of(&field, &two, "Hoàng Thị Đượm");
    let new = merge(&field, &[one, two]);
    for phone in [&mut stays, &mut leaves] {
        phone.sync().await.unwrap();
    }
    refused(field.hub().end_membership(two.id, member, today(&field)), "team", "retired");
    assert_eq!(holds(&field, &leaves, ScopeKind::Team).len(), 3, "nothing was done");

    field.hub().end_membership(new.id, member, today(&field)).unwrap();
    leaves.sync().await.unwrap();
    let left: String = leaves
        .read()
        .query_row("SELECT value FROM phone_facts WHERE name = 'left'", [], |row| row.get(0))
        .unwrap();
    for scope in [one.scope, two.scope, new.scope, one.training, two.training, new.training] {
        assert!(left.contains(&scope.to_string()), "{scope} of {left}");
    }
    let kinds = field.log().grants(leaves.device()).unwrap().into_iter().map(|grant| grant.kind);
    assert_eq!(kinds.collect::<Vec<_>>(), [ScopeKind::Reference]);
    leaves.link.take_exchanges();
    stays.household("Hộ 11");
    stays.visit(&one);
    stays.sync().await.unwrap();
    leaves.sync().await.unwrap();
    let exchanges = leaves.link.take_exchanges();
    let served: Vec<_> = exchanges.iter().flat_map(|one| one.served()).collect();
    assert!(served.is_empty(), "{} frames", served.len());
    stays.sync().await.unwrap();
    let until: Option<i32> = stays
        .read()
        .query_row("SELECT to_date FROM live_members WHERE id = ?1", [member.0.0], |row| row.get(0))
        .unwrap();
    assert_eq!(until, Some(today(&field).0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_in_both_teams_leaves_the_one_they_became_by_all_rows() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let phone = field.phone(&one, "Chíu Sám Múi", Role::Member).await;
    let member = member_of(&field, &one, "Chíu Sám Múi");
    let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, today(&field)).unwrap();
    let new = merge(&field, &[one, two]);
    field.hub().end_membership(new.id, second, today(&field)).unwrap();
    assert_eq!(holds(&field, &phone, ScopeKind::Team), []);
    let until: Vec<_> = field.hub().list_members(new.id).unwrap().into_iter().map(|row| row.to).collect();
    assert_eq!(until, [Some(today(&field)); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_made_before_leaving_lets_nobody_in_afterwards() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let without_phone = field.member(&team, "Chíu Sám Múi", Role::Member);
    let phone = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
    let with_phone = member_of(&field, &team, "Hoàng Thị Đượm");
    let stays = field.member(&team, "Tằng Văn Nồng", Role::Member);
    let url = phone.link.url();
    let invites = [without_phone, with_phone, stays].map(|member| field.invite(&team, member, &url));

    for member in [without_phone, with_phone] {
        let tomorrow = CivilDate(today(&field).0 + 1);
        refused(field.hub().end_membership(team.id, member, tomorrow), "on", "future_date");
        field.hub().end_membership(team.id, member, today(&field)).unwrap();
        refused(field.hub().make_code(team.id, member, &url), "member", "left");
    }
    let mut joined = Vec::new();
    for invite in &invites {
        let mut phone = Handset::new(&field.world, Link::to(field.running.addr).await);
        joined.push(phone.join(invite).await.map(|joined| joined.member));
    }
    let expired = || Err(AppError::NotAllowed { why: "code_expired".to_owned() });
    assert_eq!(joined, [expired(), expired(), Ok(stays)]);
    assert_eq!(field.hub().list_devices().unwrap().len(), 2, "the one that left and the one that came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_another_has_taken_over_takes_part_in_nothing_new() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let phone = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let member = member_of(&field, &one, "Chíu Sám Múi");
    let new = merge(&field, &[one, two]);
    let hub = field.hub();

    let teams = hub.list_teams().unwrap().len();
    refused(hub.merge_teams(&merged("Tổ nữa"), &[new.id, one.id]), "teams", "retired");
    assert_eq!(hub.list_teams().unwrap().len(), teams);
    let from = today(&field);
    let late = NewMember { name: "Tằng Văn Nồng".to_owned(), role: Role::Member, from };
    refused(hub.add_member(one.id, &late), "team", "retired");
    refused(hub.make_code(one.id, member, &phone.link.url()), "team", "retired");
    refused(hub.join_second_team((new.id, member), one.id, Role::Member, from), "second", "retired");
    let late = NewTrainer { name: "Phùn Tài Múi".to_owned(), teams: vec![new.id, one.id], from };
    refused(hub.add_trainer(&late), "teams", "retired");
    let held = field.log().held_by(one.id).unwrap();
    let province = hub.make_place(UnitCode::parse("22@2025").unwrap()).unwrap();
    assert_eq!((held, field.log().held_by(one.id).unwrap()), (vec![], vec![]));
    assert!(field.log().held_by(new.id).unwrap().contains(&(province.scope, ScopeKind::Place)));
    hub.make_code(new.id, member, &phone.link.url()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_into_a_team_that_was_merged_meanwhile_lets_into_the_new_one() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let member = field.member(&one, "Chíu Sám Múi", Role::Member);
    let mut phone = Handset::new(&field.world, Link::to(field.running.addr).await);
    let invite = field.invite(&one, member, &phone.link.url());
    let new = merge(&field, &[one, two]);
    let joined = phone.join(&invite).await.unwrap();
    assert_eq!((joined.member, joined.team), (member, new.id));
    let held: Vec<_> = holds(&field, &phone, ScopeKind::Team).into_iter().map(|(scope, _)| scope).collect();
    for scope in [one.scope, two.scope, new.scope] {
        assert!(held.contains(&scope));
    }
    phone.sync().await.unwrap();
    phone.household("Hộ 11");
    phone.sync().await.unwrap();
    assert!(field.hub().list_waiting().unwrap().is_empty());
    field.hub().end_membership(new.id, member, today(&field)).unwrap();
    assert_eq!(holds(&field, &phone, ScopeKind::Team), [], "the rows of member and device lie in two scopes");
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_a_second_team_twice_is_once_and_in_a_role_of_a_team() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let phone = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let member = member_of(&field, &one, "Chíu Sám Múi");
    let join =
        |second: &Team, role| field.hub().join_second_team((one.id, member), second.id, role, today(&field));
    for role in [Role::Trainer, Role::Hub] {
        refused(join(&two, role), "role", "not_of_a_team");
    }
    refused(join(&one, Role::Member), "second", "same_team");
    let row = join(&two, Role::Member).unwrap();
    let keys = field.keys(two.scope);
    assert_eq!(join(&two, Role::Member).unwrap(), row);
    assert_eq!(field.keys(two.scope), keys, "no second row of a member or a device");
    refused(join(&two, Role::Deputy), "role", "other_role");

    // A phone of the same member that came since joins by the row that is there.
    let mut newer = Handset::new(&field.world, Link::to(field.running.addr).await);
    newer.join(&field.invite(&one, member, &phone.link.url())).await.unwrap();
    assert_eq!(join(&two, Role::Member).unwrap(), row);
    assert_eq!(holds(&field, &newer, ScopeKind::Team), holds(&field, &phone, ScopeKind::Team));
    assert_eq!(field.hub().list_members(two.id).unwrap().len(), 1);
    assert_eq!(field.keys(two.scope).len(), keys.len() + 1, "the row of the new device");
}

#[tokio::test(flavor = "multi_thread")]
async fn trainers_train_the_team_that_theirs_became_and_who_leaves_trains_nobody() {
    let field = Field::start().await;
    let teams = ["Tổ một", "Tổ hai", "Tổ ba"].map(|name| field.found(name));
    let [one, two, third] = teams;
    let ids = vec![two.id, third.id];
    let new = NewTrainer { name: "Phùn Tài Múi".to_owned(), teams: ids, from: today(&field) };
    let trainer = field.hub().add_trainer(&new).unwrap();
    let mut phone = Handset::new(&field.world, Link::to(field.running.addr).await);
    phone.join(&field.invite(&two, trainer, &phone.link.url())).await.unwrap();
    let trains = |phone: &Handset| {
        let held = holds(&field, phone, ScopeKind::Training).into_iter();
        held.map(|(scope, role)| (scope, role == Role::Trainer)).collect::<BTreeSet<_>>()
    };
    let new = merge(&field, &[one, two]);
    let expected = [two.training, third.training, new.training].map(|scope| (scope, true));
    assert_eq!(trains(&phone), expected.into());
    assert_eq!(holds(&field, &phone, ScopeKind::Team), []);
    phone.sync().await.unwrap();

    field.hub().end_membership(new.id, trainer, today(&field)).unwrap();
    assert_eq!(trains(&phone), BTreeSet::new());
    for team in [two, third, new] {
        assert_eq!(field.log().trainers_of(team.id).unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leads_one_team_leads_the_one_it_becomes_in_whatever_order_they_are_named() {
    for turned in [false, true] {
        let field = Field::start().await;
        let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
        let phone = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
        let member = member_of(&field, &one, "Chíu Sám Múi");
        field.hub().join_second_team((one.id, member), two.id, Role::Member, today(&field)).unwrap();
        let new = merge(&field, &if turned { [two, one] } else { [one, two] });
        let expected = [one.scope, two.scope, new.scope].map(|scope| (scope, Role::Lead));
        let held: BTreeMap<_, _> = holds(&field, &phone, ScopeKind::Team).into_iter().collect();
        assert_eq!(held, expected.into(), "{turned}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_led_a_team_and_came_back_as_a_member_is_a_member_of_the_one_it_becomes() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let phone = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let member = member_of(&field, &one, "Chíu Sám Múi");
    let second = field.hub().join_second_team((one.id, member), two.id, Role::Member, today(&field)).unwrap();
    field.hub().end_membership(one.id, member, today(&field)).unwrap();
    field.hub().join_second_team((two.id, second), one.id, Role::Member, today(&field)).unwrap();
    merge(&field, &[one, two]);
    let held = holds(&field, &phone, ScopeKind::Team);
    assert_eq!(held.iter().map(|(_, role)| *role).collect::<Vec<_>>(), [Role::Member; 3]);
}

/// The cells of overdue appointments by period, and which of them are of periods that are over.
fn overdue(field: &Field, scope: ScopeId) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    field.hub().project_all().unwrap();
    let cells = field.log().figures(scope).unwrap().cells.into_iter();
    let all = cells.filter(|cell| cell.indicator.starts_with("follow_ups_overdue@") && cell.unit.is_empty());
    let is_over = |code: &String| code.parse::<Period>().unwrap().to() < today(field);
    all.map(|cell| (cell.period, cell.value)).partition(|(period, _)| is_over(period))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_appointment_of_a_household_that_moves_counts_in_one_team_and_no_past_figure_moves() {
    let field = Field::start().await;
    let (one, two) = (field.found("Tổ thôn Ngàn Chi"), field.found("Tổ thôn Sú Cáu"));
    let mut from = field.phone(&one, "Chíu Sám Múi", Role::Lead).await;
    let mut to = field.phone(&two, "Hoàng Thị Đượm", Role::Lead).await;
    from.sync().await.unwrap();
    let household = from.household("Hộ 12");
    let due_on = CivilDate(today(&field).0 + 2).to_string();
    let plan = json!({"household": household, "due_on": due_on});
    from.app().call("follow_ups.plan_follow_up", plan).unwrap();
    from.sync().await.unwrap();
    field.world.pass(40 * DAY_MS);

    let before = (overdue(&field, one.scope), overdue(&field, two.scope));
    let (past, now) = &before.0;
    assert!(!past.is_empty() && !now.is_empty() && before.1.0.is_empty() && before.1.1.is_empty());
    field.hub().move_household(one.id, household, two.id, two.hamlet).unwrap();
    assert_eq!((&overdue(&field, one.scope).0, &overdue(&field, two.scope).0), (past, &before.1.0));
    assert_eq!(overdue(&field, one.scope).1, BTreeMap::new());
    assert_eq!(&overdue(&field, two.scope).1, now, "as many as there were, in the other team");
    field.world.pass(DAY_MS);
    assert_eq!(&overdue(&field, one.scope).0, past);
    for (phone, expected) in [(&mut from, 0), (&mut to, 1)] {
        phone.sync().await.unwrap();
        let listed = phone.app().call("follow_ups.list_follow_ups", json!({})).unwrap();
        let listed = listed["follow_ups"].as_array().unwrap();
        assert_eq!(listed.len(), expected);
        assert!(listed.iter().all(|one| one["due_on"] == due_on), "when it was to be: {listed:?}");
    }
}
