//! Replicas and cells: made from the log, made again whenever something is wrong with them, the same as on a phone.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, RowId, ScopeId, to_base32};
use langso_domain::indicators::{Compute, Indicators, Query};
use langso_domain::period::{CutOff, Period, PeriodKind};
use langso_domain::registry::{CURRENT, Role};
use langso_domain::units::UnitCode;
use langso_hub::admin::{ContentFile, NewMember, NewTeam};
use langso_hub::clock::{Clock, DAY_MS};
use langso_hub::log::{Cell, Team};
use langso_hub::replica::Error;
use langso_hub::server::{Config, Hub, Limits, Server};
use langso_store::figures;
use langso_sync::value::Value;
use support::Hands;

const OLD: &str = "06859@2024";
const NEW: &str = "06838@2025";

fn day(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).unwrap()
}

fn on(iso: &str) -> Value {
    Value::Int(day(iso).0.into())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

struct Site {
    folder: tempfile::TempDir,
    hands: Hands,
    hub: Hub,
    team: Team,
    lead: MemberId,
}

impl Site {
    fn new() -> Self {
        let (folder, hands) = (tempfile::tempdir().unwrap(), Hands::new());
        let hub = Hub::open(folder.path(), hands.clock()).unwrap();
        hub.make_place(UnitCode::parse("22@2025").unwrap()).unwrap();
        let team = hub
            .make_team(&NewTeam {
                name: "Tổ thôn Lục Ngù".into(),
                kind: "hamlet".into(),
                unit: UnitCode::parse(OLD).unwrap(),
                founded_on: day("2022-05-12"),
                hamlets: vec![],
            })
            .unwrap();
        let lead = NewMember { name: "Chìu A Sám".into(), role: Role::Lead, from: day("2022-05-12") };
        let lead = hub.add_member(team.id, &lead).unwrap();
        Self { folder, hands, hub, team, lead }
    }

    /// A household with a visit on that day, two services and an appointment.
    fn visit(&self, unit: &str, date: &str) -> RowId {
        let (mut batch, scope) = (self.hub.author.batch(), self.team.scope);
        let household = batch.create(scope, "household", [("label", text("Hộ 12"))]).unwrap();
        let person = batch.create(scope, "person", [("household_id", Value::Ref(household))]).unwrap();
        let visit = [
            ("household_id", Value::Ref(household)),
            ("unit", text(unit)),
            ("date", on(date)),
            ("signal", Value::Int(1)),
            ("members", Value::Refs(vec![self.lead.0])),
        ];
        let visit = batch.create(scope, "visit", visit).unwrap();
        for (service, outcome) in
            [("portal_first_login@1", 1), ("ecommerce_account@1", 1), ("vneid_level2@1", 4)]
        {
            let row = [
                ("visit_id", Value::Ref(visit)),
                ("person_id", Value::Ref(person)),
                ("service", text(service)),
                ("outcome", Value::Int(outcome)),
            ];
            batch.create(scope, "service_row", row).unwrap();
        }
        let sale = [
            ("visit_id", Value::Ref(visit)),
            ("person_id", Value::Ref(person)),
            ("service", text("ecommerce_first_sale@1")),
            ("outcome", Value::Int(1)),
        ];
        batch.create(scope, "service_row", sale).unwrap();
        let again =
            [("visit_id", Value::Ref(visit)), ("household_id", Value::Ref(household)), ("due_on", on(date))];
        batch.create(scope, "follow_up", again).unwrap();
        batch.commit().unwrap();
        visit
    }

    /// A club with members, sessions of both kinds, and phones given.
    fn others(&self) {
        let (mut batch, scope) = (self.hub.author.batch(), self.team.scope);
        let club = [
            ("name", text("Câu lạc bộ Nông dân số")),
            ("kind", Value::Int(1)),
            ("unit", text(OLD)),
            ("founded_on", on("2024-02-20")),
        ];
        let club = batch.create(scope, "group", club).unwrap();
        for (from, to) in [("2024-02-20", None), ("2024-03-01", Some("2024-07-31")), ("2024-09-01", None)] {
            let to = to.map_or(Value::Null, on);
            let member = [("group_id", Value::Ref(club)), ("from_date", on(from)), ("to_date", to)];
            batch.create(scope, "membership", member).unwrap();
        }
        for (kind, people) in [(1, 30), (2, 45)] {
            let session = [
                ("kind", Value::Int(kind)),
                ("organiser", text("Hội Phụ nữ")),
                ("unit", text(NEW)),
                ("date", on("2024-06-14")),
                ("headcount", Value::Int(people)),
                ("members", Value::Refs(vec![self.lead.0])),
            ];
            batch.create(scope, "session", session).unwrap();
        }
        let grant = [("item", Value::Int(1)), ("unit", text(OLD)), ("date", on("2024-08-28"))];
        batch.create(scope, "grant", grant).unwrap();
        batch.commit().unwrap();
    }

    fn filled() -> Self {
        let site = Self::new();
        for date in ["2024-01-14", "2024-01-15", "2024-03-31", "2024-04-01", "2024-06-14", "2024-06-15"] {
            site.visit(OLD, date);
        }
        site.visit(NEW, "2025-12-20");
        site.others();
        site
    }

    fn cells(&self) -> Vec<Cell> {
        self.hub.project_all().unwrap();
        self.hub.log.figures(self.team.scope).unwrap().cells
    }

    fn file(&self, scope: ScopeId) -> PathBuf {
        self.folder.path().join("replicas").join(format!("{}.db", to_base32(&scope.0)))
    }

    /// The hub's process is gone and another begins.
    fn again(self) -> Self {
        let Self { folder, hands, hub, team, lead } = self;
        drop(hub);
        let hub = Hub::open(folder.path(), hands.clock()).unwrap();
        Self { folder, hands, hub, team, lead }
    }
}

fn cell(cells: &[Cell], indicator: &str, period: &str, unit: &str) -> i64 {
    let found = cells.iter().find(|cell| {
        (cell.indicator.as_str(), cell.period.as_str(), cell.unit.as_str()) == (indicator, period, unit)
    });
    found.map_or(0, |cell| cell.value)
}

#[test]
fn cells_are_what_a_phone_computes_of_the_same_rows() {
    let site = Site::filled();
    let cells = site.cells();
    let today = site.hub.clock.now().date();
    let mut compared = 0;
    site.hub
        .replicas
        .with::<_, Error>(site.team.scope, |replica, _| {
            for indicator in Indicators::packaged().all() {
                if !matches!(indicator.compute, Compute::Facts(_)) {
                    continue;
                }
                for (kind, cut) in PeriodKind::ALL.iter().flat_map(|kind| CutOff::ALL.map(|cut| (*kind, cut)))
                {
                    let mut next = Period::containing(day("2024-01-01"), kind, cut);
                    while let Some(period) = next.filter(|period| period.from() <= today) {
                        next = period.next();
                        for unit in ["", OLD, NEW] {
                            let units = (!unit.is_empty()).then(|| vec![unit.to_owned()]);
                            let to = period.to().min(today);
                            let query = Query { from: period.from(), to, units, scopes: None };
                            let phone = figures::value(replica.connection(), indicator, &query)?.unwrap_or(0);
                            let hub = cell(&cells, &indicator.reference(), &period.to_string(), unit);
                            assert_eq!(hub, phone, "{} {period} {unit}", indicator.reference());
                            compared += usize::from(phone != 0);
                        }
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(compared > 500, "{compared}");
}

#[test]
fn every_kind_of_period_has_its_own_cell() {
    let cells = Site::filled().cells();
    for (period, visits) in [
        ("2024-M01", 2),
        ("2024-M01c15", 1),
        ("2024-M02c15", 1),
        ("2024-Q1", 3),
        ("2024-Q2", 3),
        ("2024-H1", 6),
        ("2024-H1c15", 5),
        ("2024-H2c15", 1),
        ("2024-Y", 6),
        ("2025-M12", 1),
        ("2026-M01c15", 1),
        ("2026-M01", 0),
        ("2025-Y", 1),
        ("2026-Yc15", 1),
    ] {
        assert_eq!(cell(&cells, "visits@1", period, ""), visits, "{period}");
    }
    assert_eq!(cell(&cells, "visits@1", "2024-Y", OLD), 6);
    assert_eq!(cell(&cells, "visits@1", "2024-Y", NEW), 0);
    assert_eq!(cell(&cells, "visits@1", "2025-Y", NEW), 1);
    assert_eq!(cell(&cells, "farmer_club_members@1", "2024-Q3", ""), 2, "one had left, one had come");
    let has_rate = cells.iter().any(|cell| cell.indicator.contains("rate"));
    assert!(!has_rate, "a rate is two cells");
}

#[test]
fn what_is_struck_out_leaves_the_cells() {
    let site = Site::filled();
    let visit = site.visit(OLD, "2024-08-30");
    assert_eq!(cell(&site.cells(), "visits@1", "2024-M08", ""), 1);
    let table = CURRENT.named("visit").unwrap();
    let seen = site
        .hub
        .replicas
        .with::<_, Error>(site.team.scope, |replica, _| Ok(replica.begin()?.row_state(table, visit)?))
        .unwrap()
        .unwrap();
    let mut batch = site.hub.author.batch();
    batch.patch(site.team.scope, "visit", visit, &seen, [("void", Value::Bool(true))]).unwrap();
    batch.commit().unwrap();
    let cells = site.cells();
    assert_eq!((cell(&cells, "visits@1", "2024-M08", ""), cell(&cells, "visits@1", "2024-Y", "")), (0, 6));
    assert!(!cells.iter().any(|cell| cell.period == "2024-M08" && cell.indicator == "turns@1"));
}

#[test]
fn a_replica_that_is_gone_or_damaged_is_made_again() {
    type Harm = fn(&Path);
    let harms: [Harm; 4] = [
        |file| std::fs::remove_file(file).unwrap(),
        |file| std::fs::write(file, "no database").unwrap(),
        |file| {
            let length = std::fs::metadata(file).unwrap().len();
            std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length / 2).unwrap();
        },
        |file| {
            // A newer program was here.
            let connection = rusqlite::Connection::open(file).unwrap();
            connection.pragma_update(None, "user_version", 999).unwrap();
        },
    ];
    let mut site = Site::filled();
    let before = site.cells();
    for harm in harms {
        let file = site.file(site.team.scope);
        site = site.again();
        harm(&file);
        site.hub.project(site.team.scope).unwrap();
        assert_eq!(site.cells(), before);
    }
    // Under the feet of an open hub.
    std::fs::remove_dir_all(site.folder.path().join("replicas")).unwrap();
    site.visit(OLD, "2024-08-30");
    assert_eq!(cell(&site.cells(), "visits@1", "2024-Y", ""), 7);
}

#[test]
fn a_replica_that_is_made_anew_while_it_is_read_is_not_put_back() {
    let site = Site::filled();
    let scope = site.team.scope;
    site.hub
        .replicas
        .with::<_, Error>(scope, |_, _| site.hub.replicas.make_anew(scope, day("2026-11-18")))
        .unwrap();
    let file = rusqlite::Connection::open(site.file(scope)).unwrap();
    file.execute_batch("CREATE TABLE of_the_file (x)").unwrap();
    let is_of_the_file = site.hub.replicas.with::<_, Error>(scope, |replica, _| {
        let sql = "SELECT count(*) FROM sqlite_master WHERE name = 'of_the_file'";
        Ok(replica.connection().query_row(sql, [], |row| row.get::<_, i64>(0))?)
    });
    assert_eq!(is_of_the_file.unwrap(), 1, "what is read is the file that is there");
}

#[test]
fn a_replica_of_another_history_is_made_again() {
    let site = Site::filled();
    let other = Site::filled();
    let (before, file) = (site.cells(), other.file(other.team.scope));
    other.cells();
    drop(other.hub);
    let site = site.again();
    let own = site.file(site.team.scope);
    // The other hub's file under this one's name, claiming to be of this scope at its head.
    std::fs::copy(&file, &own).unwrap();
    let connection = rusqlite::Connection::open(&own).unwrap();
    connection.execute("UPDATE scopes SET scope = ?1", [site.team.scope.0]).unwrap();
    drop(connection);
    site.hub.project(site.team.scope).unwrap();
    assert_eq!(site.cells(), before);
}

#[test]
fn cells_are_made_anew_for_a_new_day_and_for_new_indicators() {
    let site = Site::filled();
    assert_eq!(site.hub.project_all().unwrap(), 3, "team, training and place");
    assert_eq!(site.hub.project_all().unwrap(), 0);
    site.hands.forward(DAY_MS);
    assert_eq!(site.hub.project_all().unwrap(), 3);
    let packaged = include_str!("../../fixtures/indicators/indicators.json");
    let mut indicators: Vec<serde_json::Value> = serde_json::from_str(packaged).unwrap();
    let visits = indicators.iter_mut().find(|one| one["code"] == "visits").unwrap();
    visits["version"] = 2.into();
    let json = visits.to_string();
    let file = ContentFile { name: "visits.json", kind: "indicator", json: &json };
    site.hub.publish_content(&[file]).unwrap();
    assert_eq!(site.hub.project_all().unwrap(), 3);
    assert_eq!(cell(&site.cells(), "visits@2", "2024-Y", ""), 6);
}

#[test]
fn cells_say_what_they_are_of_and_never_go_back() {
    let site = Site::filled();
    site.cells();
    let of = site.hub.log.projection(site.team.scope).unwrap().unwrap();
    assert_eq!(of.position, site.hub.log.scope(site.team.scope).unwrap().unwrap().head);
    assert_eq!(of.as_of, Some(site.hub.clock.now()));
    let stale = langso_hub::log::Projection { position: of.position - 1, ..of };
    assert!(!site.hub.log.put_cells(site.team.scope, &[], stale).unwrap());
    assert!(!site.hub.log.figures(site.team.scope).unwrap().cells.is_empty());
}

#[tokio::test]
async fn a_serving_hub_finds_what_another_process_wrote() {
    let site = Site::filled();
    let config =
        Config { clock: site.hands.clock(), ..Config::new(site.folder.path(), ([127, 0, 0, 1], 0).into()) };
    let running = Server::start(config).await.unwrap();
    let mut bell = running.hub.dirty.bell();
    site.visit(OLD, "2024-08-30");
    bell.changed().await.unwrap();
    running.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_round_that_panics_ends_that_round_only() {
    let site = Site::filled();
    let breaks = Arc::new(AtomicBool::new(false));
    let (asked, hands) = (breaks.clone(), site.hands.clock());
    let clock = Clock::new(move || {
        assert!(!asked.swap(false, Ordering::SeqCst), "the clock broke");
        hands.now()
    });
    let hub = Arc::new(Hub::open(site.folder.path(), clock).unwrap());
    let mut bell = hub.dirty.bell();
    breaks.store(true, Ordering::SeqCst);
    let running = Server::serve(hub, ([127, 0, 0, 1], 0).into(), Limits::default()).await.unwrap();
    bell.changed().await.unwrap();
    assert!(!breaks.load(Ordering::SeqCst), "the first round broke, and a later one found what is behind");
    running.shutdown().await.unwrap();
}
