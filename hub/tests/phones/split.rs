//! A team splits: both halves see their households and no other, nothing unsent is lost, and the past stays as it was.

use langso_device::companion::Nothing;
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, MemberId, ScopeId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, NewHamlet, NewMember, NewTeam, Part, SplitTeam};
use langso_hub::clock::DAY_MS;
use langso_hub::log::Reason;
use langso_hub::waiting::Verdict;
use langso_sync::history::NOTE_EVERY_MS;
use rusqlite::OptionalExtension;
use serde_json::json;

use crate::field::{Field, Handset, Link, Team, UNIT};

fn today(field: &Field) -> CivilDate {
    field.hub().clock.now().date()
}

fn member_of(field: &Field, team: &Team, name: &str) -> MemberId {
    let members = field.hub().list_members(team.id).unwrap();
    members.into_iter().find(|member| member.name == name).unwrap().id
}

/// Households of a scope that are shown, those that are one as one, with the hamlet of each.
fn households(phone: &Handset, scope: ScopeId) -> Vec<(String, Option<String>)> {
    let read = phone.read();
    let sql = "SELECT h.label, m.name FROM live_households AS h JOIN scopes AS s ON s.number = h.scope
               LEFT JOIN household_identities AS i ON i.id = h.id LEFT JOIN live_hamlets AS m ON m.id = h.hamlet_id
               WHERE s.scope = ?1 AND h.moved_to IS NULL AND coalesce(i.canonical_id, h.id) = h.id ORDER BY h.label";
    let mut get = read.prepare(sql).unwrap();
    let all = get.query_map([scope.0], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    all.map(Result::unwrap).collect()
}

fn labels(phone: &Handset, scope: ScopeId) -> Vec<String> {
    households(phone, scope).into_iter().map(|(label, _)| label).collect()
}

fn is_here(phone: &Handset, scope: ScopeId) -> bool {
    let sql = "SELECT 1 FROM scopes WHERE scope = ?1";
    phone.read().query_row(sql, [scope.0], |_| Ok(())).optional().unwrap().is_some()
}

fn cells(field: &Field, scope: ScopeId) -> String {
    field.hub().project_all().unwrap();
    serde_json::to_string(&field.log().figures(scope).unwrap().cells).unwrap()
}

fn person_days(phone: &mut Handset) -> String {
    let period = json!({"from": "2024-06-01", "to": "2024-06-30"});
    serde_json::to_string(&phone.app().call("team.list_person_days", period).unwrap()).unwrap()
}

fn lives_in(phone: &mut Handset, label: &str, hamlet: HamletId) -> HouseholdId {
    let consent = json!({"text": "consent.script@1", "way": 1});
    let new = json!({"label": label, "hamlet": hamlet, "persons": [{"band": 4}], "consent": consent});
    phone.call("households.create_household", new)
}

fn visit(phone: &mut Handset, household: HouseholdId) {
    let services = json!([{"service": "sim_4g@1", "outcome": 1}]);
    phone.app().call("visits.log_visit", json!({"household": household, "services": services})).unwrap();
}

/// A team in two hamlets, of which the second is to go with one member and a household of the first.
struct Whole {
    field: Field,
    team: Team,
    /// The hamlet that goes.
    second: HamletId,
    stays: Handset,
    goes: Handset,
    member: MemberId,
    /// A household of the hamlet that stays.
    named: HouseholdId,
}

impl Whole {
    async fn new() -> Self {
        let field = Field::start().await;
        let team = field.found("Tổ thôn Ngàn Chi");
        let unit = UnitCode::parse(UNIT).unwrap();
        let (language, signal, household_total) = (None, None, Some(61));
        let hamlet = NewHamlet { name: "Thôn Sú Cáu".to_owned(), unit, language, signal, household_total };
        let second = field.hub().add_hamlet(team.id, &hamlet).unwrap();
        let mut stays = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
        let mut goes = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        stays.sync().await.unwrap();
        goes.sync().await.unwrap();
        let member = member_of(&field, &team, "Chíu Sám Múi");
        let at_home = lives_in(&mut stays, "Hộ 11", team.hamlet);
        let named = lives_in(&mut stays, "Hộ 12", team.hamlet);
        let (one, twin) =
            (lives_in(&mut stays, "Hộ 21", second), lives_in(&mut stays, "Hộ 21 (ghi hai lần)", second));
        let joined = json!({"table": "household", "one": one, "other": twin});
        stays.app().call("duplicates.merge_rows", joined).unwrap();
        for household in [at_home, named, one, twin] {
            visit(&mut stays, household);
        }
        stays.sync().await.unwrap();
        goes.sync().await.unwrap();
        visit(&mut goes, one);
        goes.visit(&team);
        goes.sync().await.unwrap();
        stays.sync().await.unwrap();
        Self { field, team, second, stays, goes, member, named }
    }

    fn part(&self) -> Part {
        let (members, lead) = (vec![self.member], Some(self.member));
        Part { members, lead, hamlets: vec![self.second], households: vec![self.named] }
    }

    fn split(&self, part: &Part) -> Result<SplitTeam, AdminError> {
        let (unit, founded_on) = (UnitCode::parse(UNIT).unwrap(), today(&self.field));
        let (name, kind) = ("Tổ thôn Sú Cáu".to_owned(), "hamlet".to_owned());
        let new = NewTeam { name, kind, unit, founded_on, hamlets: vec![] };
        self.field.hub().split_team(self.team.id, &new, part)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_halves_of_a_team_have_exactly_their_households_and_no_figure_of_the_past_moves() {
    let mut whole = Whole::new().await;
    let (team, field) = (whole.team, &whole.field);
    let counted = |field: &Field| [team.scope, team.training].map(|scope| cells(field, scope));
    let before = (counted(field), person_days(&mut whole.stays));
    assert!(before.1.contains("Chíu Sám Múi") || before.1.len() > 2, "{}", before.1);
    let made = whole.split(&whole.part()).unwrap();
    assert_eq!(made.households, 2, "the two that were joined are one");
    let new = made.team;
    assert_eq!(counted(field), before.0, "not a cell moves");
    for phone in [&mut whole.stays, &mut whole.goes] {
        phone.sync().await.unwrap();
    }
    assert_eq!(person_days(&mut whole.stays), before.1);
    let named = |label: &str, hamlet: &str| (label.to_owned(), Some(hamlet.to_owned()));
    assert_eq!(households(&whole.stays, team.scope), [named("Hộ 11", "Thôn Ngàn Chi")]);
    let theirs = [named("Hộ 12", "Thôn Ngàn Chi"), named("Hộ 21", "Thôn Sú Cáu")];
    assert_eq!(households(&whole.goes, new.scope), theirs);
    assert!(!is_here(&whole.stays, new.scope));
    // Dated on both sides, and who went leads.
    let until = |team: &Team| field.hub().list_members(team.id).unwrap();
    let was = until(&team).into_iter().find(|one| one.id == whole.member).unwrap();
    assert_eq!(was.to, Some(CivilDate(today(field).0 - 1)));
    let entered = field.hub().list_members(new.id).unwrap().remove(0);
    assert_eq!((entered.from, entered.role, entered.to), (Some(today(field)), Some(Role::Lead), None));
    let dated: i64 = whole
        .goes
        .read()
        .query_row(
            "SELECT count(*) FROM live_team_scopes WHERE team_id = ?1 AND from_date = ?2",
            (new.id.0.0, today(field).0),
            |row| row.get(0),
        )
        .unwrap();
    assert!(dated >= 4, "{dated}");

    // Work goes on in each half, and is seen by that half alone.
    let hamlet =
        field.hub().list_hamlets(new.id).unwrap().into_iter().find(|(_, name)| name == "Thôn Sú Cáu");
    lives_in(&mut whole.goes, "Hộ 22", hamlet.unwrap().0);
    lives_in(&mut whole.stays, "Hộ 13", team.hamlet);
    let of = "SELECT id FROM live_households WHERE label = 'Hộ 21' AND copied_from IS NOT NULL";
    let copy: [u8; 12] = whole.goes.read().query_row(of, [], |row| row.get(0)).unwrap();
    visit(&mut whole.goes, HouseholdId(langso_domain::id::RowId(copy)));
    for _ in 0..2 {
        whole.stays.sync().await.unwrap();
        whole.goes.sync().await.unwrap();
    }
    assert!(field.hub().list_waiting().unwrap().is_empty());
    assert_eq!(labels(&whole.stays, team.scope), ["Hộ 11", "Hộ 13"]);
    assert_eq!(labels(&whole.goes, new.scope), ["Hộ 12", "Hộ 21", "Hộ 22"]);

    // A week after a backup the one who went has the new book alone: the same as a phone that never had the old one.
    field.world.pass(NOTE_EVERY_MS as i64);
    field.back_up();
    whole.goes.sync().await.unwrap();
    field.world.pass(7 * DAY_MS);
    whole.goes.sync().await.unwrap();
    assert!(!is_here(&whole.goes, team.scope) && !is_here(&whole.goes, team.training));
    let newcomer =
        NewMember { name: "Tằng Văn Nồng".to_owned(), role: Role::Member, from: today(field) };
    let newcomer = field.hub().add_member(new.id, &newcomer).unwrap();
    let mut fresh = Handset::new(&field.world, Link::to(field.running.addr).await);
    let code = field.hub().make_code(new.id, newcomer, &fresh.link.url()).unwrap();
    fresh.join(&code.invite).await.unwrap();
    fresh.sync().await.unwrap();
    whole.goes.sync().await.unwrap();
    assert!(whole.goes.rows() == fresh.rows(), "rows differ");
    assert!(fresh.count("households") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_those_who_go_have_unsent_waits_for_the_old_lead_and_is_taken_into_the_old_book() {
    let mut whole = Whole::new().await;
    let team = whole.team;
    lives_in(&mut whole.goes, "Hộ 14", team.hamlet);
    visit(&mut whole.goes, whole.named);
    let visits = whole.stays.count("visits");
    let new = whole.split(&whole.part()).unwrap().team;
    whole.goes.sync().await.unwrap();
    let status = whole.goes.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 2), "it went out, and waits");
    let waiting = whole.field.log().list_set_aside(team.scope).unwrap();
    let reasons: Vec<_> = waiting.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, [Reason::OutOfScope.code(); 2]);
    for one in &waiting {
        whole.field.hub().decide(team.scope, one.name, Verdict::Admit, None).unwrap();
    }
    for phone in [&mut whole.stays, &mut whole.goes] {
        phone.sync().await.unwrap();
    }
    assert_eq!(labels(&whole.stays, team.scope), ["Hộ 11", "Hộ 14"]);
    assert_eq!(whole.stays.count("visits"), visits + 1);
    let status = whole.goes.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 0));
    assert_eq!(labels(&whole.goes, new.scope), ["Hộ 12", "Hộ 21"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_cannot_be_or_was_done_already_does_nothing_and_names_the_field() {
    let whole = Whole::new().await;
    let state = |whole: &Whole| {
        (whole.field.hub().list_teams().unwrap().len(), whole.field.keys(whole.team.scope).len())
    };
    let before = state(&whole);
    let refused = |part: Part, field: &str, code: &str| match whole.split(&part) {
        Err(AdminError::Invalid { field: at, code: why }) => assert_eq!((at.as_str(), why), (field, code)),
        other => panic!("{other:?}"),
    };
    let part = || whole.part();
    let other = langso_domain::id::RowId([9; 12]);
    refused(Part { members: vec![], lead: None, ..part() }, "members", "missing");
    refused(Part { members: vec![whole.member; 2], ..part() }, "members[1]", "twice");
    refused(Part { members: vec![whole.member, MemberId(other)], ..part() }, "members[1]", "not_found");
    let lead = member_of(&whole.field, &whole.team, "Hoàng Thị Đượm");
    refused(Part { lead: Some(lead), ..part() }, "lead", "not_moving");
    refused(Part { hamlets: vec![whole.second, HamletId(other)], ..part() }, "hamlets[1]", "not_found");
    refused(Part { hamlets: vec![whole.second; 2], ..part() }, "hamlets[1]", "twice");
    let households = vec![whole.named, HouseholdId(other)];
    refused(Part { households, ..part() }, "households[1]", "not_found");
    assert_eq!(state(&whole), before, "nothing was done");

    whole.split(&part()).unwrap();
    let after = state(&whole);
    assert!(matches!(whole.split(&part()), Err(AdminError::Exists { what: "team" })));
    assert_eq!(state(&whole), after);
}
