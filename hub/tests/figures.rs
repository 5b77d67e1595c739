//! Figures of a team, a place and everywhere, and who may read them over HTTP.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::sync::Arc;

use langso_domain::date::CivilDate;
use langso_domain::id::MemberId;
use langso_domain::indicators::Indicators;
use langso_domain::period::Period;
use langso_domain::registry::Role;
use langso_domain::units::{UnitCode, Units};
use langso_hub::admin::{NewMember, NewTeam, NewTrainer};
use langso_hub::clock::DAY_MS;
use langso_hub::figures::Whose;
use langso_hub::log::{Enrolled, Team};
use langso_hub::server::{Config, Hub, Running, Server};
use langso_sync::value::Value;
use langso_sync::wire::{Nonce, SignedGet};
use serde_json::Value as Json;
use support::{Hands, NOW, Phone};

const STOCK: &str = include_str!("../../fixtures/campaigns/quang-ninh-2024/stock.csv");
/// Two communes of old that became one of today, wholly; the first team lies in the first.
const ONE: &str = "06859@2024";

fn day(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).unwrap()
}

fn unit(code: &str) -> UnitCode {
    UnitCode::parse(code).unwrap()
}

fn period(code: &str) -> Period {
    code.parse().unwrap()
}

struct Site {
    _folder: tempfile::TempDir,
    hands: Hands,
    running: Running,
    client: reqwest::Client,
    teams: Vec<Team>,
}

impl Site {
    /// Two teams of one commune in a province that is a place.
    async fn start() -> Self {
        let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
        let config =
            Config { clock: hands.clock(), ..Config::new(folder.path(), ([127, 0, 0, 1], 0).into()) };
        let running = Server::start(config).await.unwrap();
        let hub = running.hub.clone();
        hub.make_place(unit("22@2025")).unwrap();
        let teams = ["Tổ một", "Tổ hai"].map(|name| {
            let new = NewTeam {
                name: name.into(),
                kind: "hamlet".into(),
                unit: unit(ONE),
                founded_on: day("2022-05-12"),
                hamlets: vec![],
            };
            hub.make_team(&new).unwrap()
        });
        let client = reqwest::Client::new();
        Self { _folder: folder, hands, running, client, teams: teams.into() }
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.running.hub
    }

    fn enrol(&self, seed: u8, team: &Team, member: MemberId) -> Phone {
        let (hub, phone) = (self.hub(), Phone::new(seed));
        let code = hub.make_code(team.id, member, "http://hub.example").unwrap();
        let hash = langso_hub::enrol::secret_hash(&code.invite.secret);
        let enrolled = hub.author.enrol(hash, &phone.key.public(), hub.clock.now()).unwrap();
        assert!(matches!(enrolled, Enrolled::Yes(_)));
        phone
    }

    fn phone(&self, seed: u8, team: &Team, role: Role) -> Phone {
        let member = NewMember { name: "Lan".into(), role, from: day("2022-05-12") };
        let member = self.hub().add_member(team.id, &member).unwrap();
        self.enrol(seed, team, member)
    }

    fn trainer(&self, seed: u8) -> Phone {
        let teams = self.teams.iter().map(|team| team.id).collect();
        let trainer = NewTrainer { name: "Hoa".into(), teams, from: day("2022-05-12") };
        let member = self.hub().add_trainer(&trainer).unwrap();
        self.enrol(seed, &self.teams[0], member)
    }

    /// Visits on a day in a unit, each to a household and a person of its own.
    fn visits(&self, team: &Team, at: &str, date: &str, count: usize) {
        let mut batch = self.hub().author.batch();
        for _ in 0..count {
            let label = Value::Text("Hộ".into());
            let household = batch.create(team.scope, "household", [("label", label)]).unwrap();
            let person = [("household_id", Value::Ref(household))];
            let person = batch.create(team.scope, "person", person).unwrap();
            let visit = [
                ("household_id", Value::Ref(household)),
                ("unit", Value::Text(at.into())),
                ("date", Value::Int(day(date).0.into())),
            ];
            let visit = batch.create(team.scope, "visit", visit).unwrap();
            let row = [
                ("visit_id", Value::Ref(visit)),
                ("person_id", Value::Ref(person)),
                ("service", Value::Text("vneid_level2@1".into())),
                ("outcome", Value::Int(1)),
            ];
            batch.create(team.scope, "service_row", row).unwrap();
        }
        batch.commit().unwrap();
    }

    fn sum(&self, indicator: &str, of: &str, whose: Whose) -> langso_hub::figures::Sum {
        let all = Indicators::packaged();
        self.hub().project_all().unwrap();
        self.hub().sum(all.newest(indicator).unwrap(), period(of), whose).unwrap()
    }

    fn nonce(&self, phone: &Phone) -> Nonce {
        langso_hub::nonce::give(&self.hub().keys.secret, phone.id(), self.hub().clock.now())
    }

    async fn get(&self, target: &str, header: Option<String>) -> (u16, Json) {
        let url = format!("http://{}{target}", self.running.addr);
        let mut request = self.client.get(url);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    async fn ask(&self, phone: &Phone, target: &str) -> (u16, Json) {
        let signed = SignedGet::sign(&phone.key, self.nonce(phone), target);
        self.get(target, Some(signed.to_string())).await
    }
}

#[tokio::test]
async fn what_is_wider_than_a_team_is_a_sum_of_cells() {
    let site = Site::start().await;
    let [one, two] = [&site.teams[0], &site.teams[1]];
    site.visits(one, ONE, "2024-03-05", 3);
    site.visits(two, ONE, "2024-03-06", 4);
    // A visit that the second team made far away, on another list.
    site.visits(two, "00004@2025", "2025-08-01", 2);
    let sum = site.sum("visits", "2024-Q1", Whose::Everywhere);
    assert_eq!((sum.value, sum.parts.len(), sum.is_estimate), (Some(7), 2, false));
    assert_eq!(sum.oldest(), Some(NOW));
    assert_eq!(site.sum("visits", "2024-Q1", Whose::Team(two.id)).value, Some(4));
    assert_eq!(site.sum("visits", "2025-Y", Whose::Everywhere).value, Some(2));
    let persons = site.sum("persons_helped", "2024-Y", Whose::Everywhere);
    assert_eq!((persons.value, persons.is_estimate), (Some(7), true), "the same person may be in both");
    assert!(!site.sum("persons_helped", "2024-Y", Whose::Team(one.id)).is_estimate);
    // By place: the unit of the date rolls up to the unit of today.
    let today = Units::packaged().today_of(unit(ONE)).unwrap();
    assert_eq!(site.sum("visits", "2024-Y", Whose::Place(today)).value, Some(7));
    assert_eq!(site.sum("visits", "2024-Y", Whose::Place(unit("22@2025"))).value, Some(7));
    assert_eq!(site.sum("visits", "2025-Y", Whose::Place(unit("22@2025"))).value, Some(0));
    let hanoi = site.sum("visits", "2025-Y", Whose::Place(unit("01@2025")));
    assert_eq!((hanoi.value, hanoi.parts.len()), (Some(2), 1));
    assert_eq!(site.sum("visits", "2024-Y", Whose::Place(unit("01@2025"))).value, Some(0));
}

#[tokio::test]
async fn figures_of_a_team_that_was_founded_of_two_are_the_sum_of_both_and_its_own() {
    let site = Site::start().await;
    let [one, two] = [&site.teams[0], &site.teams[1]];
    site.visits(one, ONE, "2024-03-05", 3);
    site.visits(two, ONE, "2024-03-06", 4);
    let alone = || [one, two].map(|team| site.sum("visits", "2024-Y", Whose::Team(team.id)).value);
    let before = alone();
    let new = NewTeam {
        name: "Tổ gộp".into(),
        kind: "merged".into(),
        unit: unit(ONE),
        founded_on: day("2024-04-01"),
        hamlets: vec![],
    };
    let new = site.hub().merge_teams(&new, &[one.id, two.id]).unwrap();
    let sum = site.sum("visits", "2024-Y", Whose::Team(new.id));
    assert_eq!(sum.value, Some(7));
    site.visits(&new, ONE, "2024-05-06", 2);
    assert_eq!(site.sum("visits", "2024-Y", Whose::Team(new.id)).value, Some(9));
    // What the two had done is what it was, and nothing counts twice in what is wider.
    assert_eq!((before, alone()), ([Some(3), Some(4)], [Some(3), Some(4)]));
    assert_eq!(site.sum("visits", "2024-Y", Whose::Everywhere).value, Some(9));
    let today = Units::packaged().today_of(unit(ONE)).unwrap();
    assert_eq!(site.sum("visits", "2024-Y", Whose::Place(today)).value, Some(9));
}

#[tokio::test]
async fn who_names_no_team_reads_that_of_the_team_the_device_is_in_now() {
    let site = Site::start().await;
    let [one, two] = [&site.teams[0], &site.teams[1]];
    let add = |team: &Team, role| {
        let member = NewMember { name: "Lan".into(), role, from: day("2022-05-12") };
        site.hub().add_member(team.id, &member).unwrap()
    };
    let member = add(one, Role::Member);
    let (stays, moves) = (site.phone(1, two, Role::Member), site.enrol(2, one, member));
    site.visits(one, ONE, "2024-03-05", 3);
    site.visits(two, ONE, "2024-03-06", 4);
    let answer = async |phone: &Phone| {
        site.hub().project_all().unwrap();
        let (status, figures) = site.ask(phone, "/v1/figures?period=2024-Y&indicator=visits").await;
        (status, figures["team"].clone(), figures["figures"][0]["value"].clone())
    };
    let of = |team: &Team, visits: i64| (200, team.id.to_string().into(), visits.into());
    assert_eq!(answer(&moves).await, of(one, 3));
    // In two teams it is the one in which it enrolled, until it leaves that.
    let today = site.hub().clock.now().date();
    site.hub().join_second_team((one.id, member), two.id, Role::Member, today).unwrap();
    assert_eq!(answer(&moves).await, of(one, 3));
    site.hub().end_membership(one.id, member, today).unwrap();
    assert_eq!(answer(&moves).await, of(two, 4));
    let third = NewTeam {
        name: "Tổ gộp".into(),
        kind: "merged".into(),
        unit: unit(ONE),
        founded_on: day("2024-04-01"),
        hamlets: vec![],
    };
    let merged = site.hub().merge_teams(&third, &[one.id, two.id]).unwrap();
    for phone in [&stays, &moves] {
        assert_eq!(answer(phone).await, of(&merged, 7));
    }
    // What the team had done before it became another one can still be asked for by name.
    let old = format!("/v1/figures?period=2024-Y&indicator=visits&team={}", two.id);
    assert_eq!(site.ask(&stays, &old).await.1["figures"][0]["value"], 4);
    let again = NewTeam { name: "Tổ gộp nữa".into(), ..third };
    let alone = site.hub().make_team(&NewTeam { name: "Tổ ba".into(), ..again.clone() }).unwrap();
    let merged = site.hub().merge_teams(&again, &[alone.id, merged.id]).unwrap();
    assert_eq!(answer(&stays).await, of(&merged, 7));
    let rows = site.hub().list_members(merged.id).unwrap();
    for row in rows.iter().filter(|row| row.to.is_none()) {
        site.hub().end_membership(merged.id, row.id, today).unwrap();
    }
    assert_eq!(answer(&stays).await.0, 403, "in no team any more");
}

#[tokio::test]
async fn rows_of_an_old_district_count_in_the_province() {
    let site = Site::start().await;
    site.visits(&site.teams[0], "193@2024", "2024-03-05", 2);
    assert_eq!(site.sum("visits", "2024-Q1", Whose::Place(unit("22@2025"))).value, Some(2));
    assert_eq!(site.sum("visits", "2024-Q1", Whose::Place(unit("193@2024"))).value, Some(2));
    assert_eq!(site.sum("visits", "2024-Q1", Whose::Place(unit("198@2024"))).value, Some(0));
}

#[tokio::test]
async fn what_others_published_adds_up_once_and_a_rate_is_of_its_place_alone() {
    let site = Site::start().await;
    let import = |lines: &str| {
        let csv = format!("unit,indicator,operator,value,denominator,source,date\n{lines}");
        site.hub().import_stock(&csv).unwrap();
    };
    import("193@2024,telehealth_rate,=,62.5,,Báo,2024-09-01\n193@2024,chip_cards,=,1000,,Báo,2024-09-01\n");
    let province = Whose::Place(unit("22@2025"));
    let district = Whose::Place(unit("193@2024"));
    assert_eq!(site.sum("telehealth_rate", "2024-Y", district).value, Some(62_500));
    assert_eq!(site.sum("telehealth_rate", "2024-Y", province).value, None, "of a part");
    import("198@2024,chip_cards,=,200,,Báo,2024-09-01\n06838@2024,chip_cards,=,50,,Báo,2024-09-01\n");
    assert_eq!(site.sum("chip_cards", "2024-Y", province).value, Some(1_200_000), "the commune lies in 198");
    import("22@2024,chip_cards,=,9000,,Báo,2024-09-01\n22@2024,telehealth_rate,=,70,,Báo,2024-09-01\n");
    assert_eq!(site.sum("chip_cards", "2024-Y", province).value, Some(9_000_000));
    assert_eq!(site.sum("telehealth_rate", "2024-Y", province).value, Some(70_000));
    assert_eq!(site.sum("telehealth_rate", "2024-Y", district).value, Some(62_500));
    assert_eq!(site.sum("chip_cards", "2023-Y", province).value, None, "not yet known");
}

#[tokio::test]
async fn rows_without_a_unit_count_where_their_team_lies() {
    let site = Site::start().await;
    let team = &site.teams[0];
    let mut batch = site.hub().author.batch();
    for _ in 0..3 {
        let run =
            [("tutorial", Value::Text("T1@1".into())), ("date", Value::Int(day("2024-05-01").0.into()))];
        batch.create(team.training, "checklist_run", run).unwrap();
    }
    batch.commit().unwrap();
    for whose in [Whose::Team(team.id), Whose::Place(unit("22@2025")), Whose::Everywhere] {
        assert_eq!(site.sum("tutorial_runs", "2024-Q2", whose).value, Some(3), "{whose:?}");
    }
    assert_eq!(site.sum("tutorial_runs", "2024-Q2", Whose::Place(unit("01@2025"))).value, Some(0));
}

#[tokio::test]
async fn a_lead_reads_the_own_team_down_to_the_scope_it_is_of() {
    let site = Site::start().await;
    let [one, two] = [&site.teams[0], &site.teams[1]];
    let lead = site.phone(1, one, Role::Lead);
    site.visits(one, ONE, "2024-03-05", 3);
    site.hub().project_all().unwrap();
    let (status, figures) = site.ask(&lead, "/v1/figures?period=2024-Q1").await;
    assert_eq!(status, 200, "{figures}");
    assert_eq!((&figures["team"], &figures["from"]), (&one.id.to_string().into(), &"2024-01-01".into()));
    let of = |code: &str| {
        let all = figures["figures"].as_array().unwrap();
        all.iter().find(|one| one["indicator"] == code).unwrap().clone()
    };
    let persons = of("persons_helped@1");
    assert_eq!((&persons["value"], &persons["is_suppressed"]), (&3.into(), &false.into()));
    let rate = of("success_rate@1");
    assert_eq!(
        (&rate["value"], &rate["numerator"], &rate["scale"]),
        (&100_000.into(), &3.into(), &1000.into())
    );
    let as_of = &persons["as_of"];
    assert_eq!((&as_of["oldest_ms"], &as_of["teams"]), (&NOW.0.into(), &1.into()));
    let head = site.hub().log.scope(one.scope).unwrap().unwrap().head;
    assert_eq!(as_of["scopes"][0]["position"], head);
    let own = format!("/v1/figures?period=2024-Q1&team={}&indicator=visits@1", one.id);
    let (status, figures) = site.ask(&lead, &own).await;
    assert_eq!((status, figures["figures"].as_array().unwrap().len()), (200, 1));
    let other = format!("/v1/figures?period=2024-Q1&team={}", two.id);
    for target in [other.as_str(), "/v1/figures?period=2024-Q1&unit=22@2025&indicator=visits"] {
        let (status, refused) = site.ask(&lead, target).await;
        assert_eq!((status, &refused["problem"]), (403, &"not_allowed".into()), "{target}");
    }
}

#[tokio::test]
async fn every_field_of_the_answer_is_on_the_protocol_page() {
    fn fields(value: &Json, found: &mut Vec<String>) {
        match value {
            Json::Object(object) => {
                for (name, value) in object {
                    found.push(name.clone());
                    fields(value, found);
                }
            }
            Json::Array(all) => all.iter().for_each(|value| fields(value, found)),
            _ => {}
        }
    }
    let site = Site::start().await;
    let officer = site.phone(1, &site.teams[0], Role::Officer);
    let lead = site.phone(2, &site.teams[0], Role::Lead);
    site.hub().import_stock(STOCK).unwrap();
    site.hub().project_all().unwrap();
    let page = include_str!("../../docs/protocol.md");
    let (_, page) = page.split_once("## 10. Figures").unwrap();
    let mut found = Vec::new();
    fields(&site.ask(&lead, "/v1/figures?period=2024-Y").await.1, &mut found);
    let stock = "/v1/figures?unit=193@2024&period=2024-Y&indicator=telehealth_rate";
    fields(&site.ask(&officer, stock).await.1, &mut found);
    fields(&site.ask(&officer, "/v1/figures").await.1, &mut found);
    assert!(found.len() > 100);
    for field in found {
        assert!(page.contains(&format!("`{field}`")) || page.contains(&format!("\"{field}\"")), "{field}");
    }
}

#[tokio::test]
async fn an_officer_reads_places_and_no_small_count_of_persons() {
    let site = Site::start().await;
    let [one, two] = [&site.teams[0], &site.teams[1]];
    let officer = site.phone(1, one, Role::Officer);
    site.visits(one, ONE, "2024-03-05", 2);
    site.visits(two, ONE, "2024-03-06", 2);
    site.hub().import_stock(STOCK).unwrap();
    site.hub().project_all().unwrap();
    let target = |of: &str| {
        format!(
            "/v1/figures?unit=22%402025&period={of}&indicator=persons_helped&indicator=visits&indicator=success_rate"
        )
    };
    let (status, small) = site.ask(&officer, &target("2024-Q1")).await;
    assert_eq!(status, 200, "{small}");
    let figure = |answer: &Json, at: usize| {
        let one = &answer["figures"][at];
        (
            one["value"].as_i64(),
            one["is_suppressed"].as_bool().unwrap(),
            one["is_estimate"].as_bool().unwrap(),
        )
    };
    assert_eq!(figure(&small, 0), (None, true, true));
    assert_eq!(figure(&small, 1), (Some(4), false, false), "visits are no persons");
    site.visits(two, ONE, "2024-03-06", 1);
    site.hub().project_all().unwrap();
    let (_, enough) = site.ask(&officer, &target("2024-Q1")).await;
    assert_eq!(figure(&enough, 0), (Some(5), false, true));
    assert_eq!(enough["figures"][0]["as_of"]["teams"], 2);

    let stock =
        "/v1/figures?unit=193@2024&period=2024-Y&indicator=telehealth_rate&indicator=vneid_level2_rate";
    let (status, stock) = site.ask(&officer, stock).await;
    assert_eq!(status, 200, "{stock}");
    let [telehealth, vneid] = [&stock["figures"][0], &stock["figures"][1]];
    assert_eq!((&telehealth["value"], &telehealth["scale"]), (&62_500.into(), &1000.into()));
    assert_eq!(vneid["value"], 87_040, "accounts by cards");
    assert_eq!((&vneid["numerator"], &vneid["denominator"]), (&230_540.into(), &264_866.into()));
    let published = &vneid["published"][0];
    assert_eq!((&published["operator"], &published["thousandths"]), (&"=".into(), &87_000.into()));
    assert_eq!((&published["source"], &published["date"]), (&"Báo Quảng Ninh".into(), &"2024-09-01".into()));

    for target in [
        "/v1/figures?period=2024-Y&unit=01@2025&indicator=visits".to_owned(),
        format!("/v1/figures?period=2024-Y&team={}", one.id),
    ] {
        let (status, refused) = site.ask(&officer, &target).await;
        assert_eq!((status, &refused["problem"]), (403, &"not_allowed".into()), "{target}");
    }
}

#[tokio::test]
async fn a_trainer_reads_no_figures_of_teams_or_places() {
    let site = Site::start().await;
    let trainer = site.trainer(1);
    for target in [
        "/v1/figures?period=2024-Y".to_owned(),
        format!("/v1/figures?period=2024-Y&team={}", site.teams[0].id),
        "/v1/figures?period=2024-Y&unit=22@2025&indicator=visits".to_owned(),
    ] {
        let (status, refused) = site.ask(&trainer, &target).await;
        assert_eq!((status, &refused["problem"]), (403, &"not_allowed".into()), "{target}");
    }
}

#[tokio::test]
async fn who_asks_must_prove_it_with_a_fresh_nonce() {
    let site = Site::start().await;
    let lead = site.phone(1, &site.teams[0], Role::Lead);
    let target = "/v1/figures?period=2024-Y";
    let problem = |answer: (u16, Json)| (answer.0, answer.1["problem"].as_str().unwrap().to_owned());
    assert_eq!(problem(site.get(target, None).await), (401, "bad_signature".into()));
    let stranger = Phone::new(9);
    assert_eq!(problem(site.ask(&stranger, target).await), (401, "unknown_device".into()));
    let elsewhere = SignedGet::sign(&lead.key, site.nonce(&lead), "/v1/figures?period=2023-Y");
    assert_eq!(problem(site.get(target, Some(elsewhere.to_string())).await), (401, "bad_signature".into()));

    let old = SignedGet::sign(&lead.key, site.nonce(&lead), target).to_string();
    site.hands.forward(8 * DAY_MS);
    let (status, refused) = site.get(target, Some(old)).await;
    assert_eq!((status, refused["problem"].as_str()), (401, Some("stale_nonce")));
    let fresh = langso_hub::nonce::from_text(refused["nonce"].as_str().unwrap()).unwrap();
    let again = SignedGet::sign(&lead.key, fresh, target).to_string();
    assert_eq!(site.get(target, Some(again)).await.0, 200);

    site.hub().revoke_device(lead.id()).unwrap();
    assert_eq!(problem(site.ask(&lead, target).await), (403, "revoked".into()));
}

#[tokio::test]
async fn a_question_that_does_not_hold_names_its_parameter() {
    let site = Site::start().await;
    let officer = site.phone(1, &site.teams[0], Role::Officer);
    let many = format!("period=2024-Y&unit=22@2025{}", "&indicator=visits".repeat(17));
    for (query, field, code) in [
        ("", "period", "missing"),
        ("period=2024", "period", "not_a_period"),
        ("period=2024-Y&period=2024-Y", "period", "twice"),
        ("period=2024-Y", "unit", "missing"),
        ("period=2024-Y&unit=22", "unit", "unknown_unit"),
        ("period=2024-Y&unit=99@2025", "unit", "unknown_unit"),
        ("period=2024-Y&unit=22@2025", "indicator", "missing"),
        ("period=2024-Y&unit=22@2025&indicator=songs", "indicator", "unknown_indicator"),
        (many.as_str(), "indicator", "too_many"),
        ("period=2024-Y&team=abc", "team", "unknown"),
        ("period=2024-Y&colour=red", "query", "unknown_parameter"),
    ] {
        let (status, refused) = site.ask(&officer, &format!("/v1/figures?{query}")).await;
        let told = (status, refused["field"].as_str().unwrap(), refused["code"].as_str().unwrap());
        assert_eq!(told, (400, field, code), "{query}");
    }
    let long = format!("/v1/figures?period={}", "2".repeat(5_000));
    assert_eq!(site.ask(&officer, &long).await.0, 413);
}
