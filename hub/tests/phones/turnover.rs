//! Leaving and becoming one, with what stands around it: invitations on their way, trainers, second memberships.

use langso_device::AppError;
use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, ScopeId};
use langso_domain::registry::{Role, ScopeKind};
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, NewTeam};
use langso_hub::log;

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
