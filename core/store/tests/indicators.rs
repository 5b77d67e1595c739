//! The packaged indicators over real SQLite tables: values, the lines behind them, voids, merges, periods, versions.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::date::CivilDate;
use langso_domain::id::RowId;
use langso_domain::indicators::{
    BASE_VIEWS, Compute, INDEXES, Indicator, Indicators, LineKey, Measure, Param, Query, Sql, Uncountable,
    VIEWS, compile, compile_by, compile_lines, compile_published, drop_views, seed_rows, views,
};
use langso_domain::registry::{CURRENT, Kind};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// A replica with the tables of the registry, the views and the indexes.
struct Replica(Connection);

fn id(number: u32) -> Value {
    let mut bytes = [0; 12];
    bytes[7..11].copy_from_slice(&number.to_be_bytes());
    Value::Blob(bytes.to_vec())
}

fn ids(numbers: &[u32]) -> Value {
    let mut all = Vec::new();
    for number in numbers {
        if let Value::Blob(bytes) = id(*number) {
            all.extend(bytes);
        }
    }
    Value::Blob(all)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn int(number: i64) -> Value {
    Value::Integer(number)
}

fn date(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).expect(iso)
}

fn day(iso: &str) -> Value {
    int(date(iso).0.into())
}

fn query(from: &str, to: &str) -> Query {
    Query { from: date(from), to: date(to), units: None, scopes: None }
}

const NEW: i64 = 1;
const HAD: i64 = 2;
const LATER: i64 = 3;
const FAILED: i64 = 4;
const REFUSED: i64 = 5;
const TEAM: u32 = 9_001;
const BINH_LIEU: &str = "06838@2025";
const HOANH_MO: &str = "06841@2025";

impl Replica {
    fn empty() -> Self {
        let connection = Connection::open_in_memory().expect("memory");
        for table in CURRENT.tables {
            let mut columns = String::new();
            for field in table.fields {
                let sql = match field.kind {
                    Kind::Ref(_) | Kind::RefList(_) | Kind::Bytes(_) => "BLOB",
                    Kind::Text(_) | Kind::Code => "TEXT",
                    _ => "INTEGER",
                };
                columns += &format!(", \"{}\" {sql}", field.name);
            }
            let create = format!(
                "CREATE TABLE \"{}\" (id BLOB PRIMARY KEY, scope INTEGER NOT NULL, v_stamp INTEGER NOT NULL, \
                 v_more BLOB, void INTEGER{columns}) STRICT, WITHOUT ROWID",
                table.plural
            );
            connection.execute_batch(&create).expect(table.plural);
        }
        connection.execute_batch(views()).expect("views");
        for index in INDEXES {
            connection.execute_batch(index).expect(index);
        }
        Self(connection)
    }

    fn insert(&self, table: &str, number: u32, columns: &[(&str, Value)]) {
        let mut names = String::from("id, scope, v_stamp");
        let mut values = vec![id(number), int(1), int(1)];
        for (name, value) in columns {
            names += &format!(", \"{name}\"");
            values.push(value.clone());
        }
        let marks = vec!["?"; values.len()].join(", ");
        let sql = format!("INSERT INTO \"{table}\" ({names}) VALUES ({marks})");
        self.0.prepare_cached(&sql).expect(table).execute(params_from_iter(values)).expect(table);
    }

    fn set(&self, table: &str, number: u32, column: &str, value: Value) {
        let sql = format!("UPDATE \"{table}\" SET \"{column}\" = ? WHERE id = ?");
        assert_eq!(self.0.execute(&sql, [value, id(number)]).expect(table), 1);
    }

    fn visit(&self, number: u32, household: Option<u32>, on: &str, more: &[(&str, Value)]) {
        let mut columns = vec![("date", day(on))];
        columns.extend(household.map(|number| ("household_id", id(number))));
        if !more.iter().any(|(name, _)| *name == "unit") {
            columns.push(("unit", text(BINH_LIEU)));
        }
        columns.extend_from_slice(more);
        self.insert("visits", number, &columns);
    }

    fn service(&self, number: u32, visit: u32, person: Option<u32>, service: &str, outcome: i64) {
        let mut columns = vec![
            ("visit_id", id(visit)),
            ("service", text(&format!("{service}@1"))),
            ("outcome", int(outcome)),
        ];
        columns.extend(person.map(|number| ("person_id", id(number))));
        if outcome >= LATER {
            columns.push(("failure", int(35)));
        }
        self.insert("service_rows", number, &columns);
    }

    fn stock(&self, number: u32, indicator: &str, unit: &str, on: &str, version: i64, value: i64) {
        let columns = [
            ("indicator", text(&format!("{indicator}@1"))),
            ("unit", text(unit)),
            ("date", day(on)),
            ("version", int(version)),
            ("value", int(value)),
            ("operator", text("=")),
            ("source", text("Công an")),
        ];
        self.insert("stock_values", number, &columns);
    }

    fn rows(&self, sql: &Sql) -> Vec<Vec<Value>> {
        let mut statement = self.0.prepare(&sql.text).unwrap_or_else(|error| panic!("{error}\n{}", sql.text));
        let width = statement.column_count();
        let params = sql.params.iter().map(|param| match param {
            Param::Int(number) => Value::Integer(*number),
            Param::Text(text) => Value::Text(text.clone()),
            Param::Blob(bytes) => Value::Blob(bytes.clone()),
        });
        let rows = statement
            .query_map(params_from_iter(params), |row| (0..width).map(|at| row.get(at)).collect())
            .expect("runs");
        rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}\n{}", sql.text))
    }

    /// The figure and the number of lines; a figure that is not known is none.
    fn figure(&self, indicator: &Indicator, query: &Query) -> (Option<i64>, i64) {
        let rows = self.rows(&compile(indicator, query).expect("compiles"));
        let value = match rows[0][0] {
            Value::Integer(value) => Some(value),
            _ => None,
        };
        let Value::Integer(lines) = rows[0][1] else { panic!("lines") };
        (value, lines)
    }

    fn value(&self, code: &str, query: &Query) -> Option<i64> {
        self.figure(Indicators::packaged().newest(code).expect(code), query).0
    }

    fn values(&self, codes: &[&str], query: &Query) -> Vec<i64> {
        codes.iter().map(|code| self.value(code, query).expect(code)).collect()
    }

    /// All lines, read in pages of two.
    fn lines(&self, indicator: &Indicator, query: &Query) -> Vec<Vec<Value>> {
        let mut all: Vec<Vec<Value>> = Vec::new();
        let mut after = None;
        loop {
            let page = self.rows(&compile_lines(indicator, query, after.as_ref(), 2).expect("compiles"));
            let Some(last) = page.last() else { return all };
            let (Value::Blob(id), Value::Blob(apart), Value::Integer(days)) = (&last[0], &last[1], &last[3])
            else {
                panic!("{last:?}")
            };
            after = Some(LineKey {
                date: CivilDate(*days as i32),
                id: RowId::from_slice(id).expect("12 bytes"),
                apart: apart.clone(),
            });
            all.extend(page);
        }
    }
}

fn key(value: &Value) -> String {
    format!("{value:?}")
}

/// The figure as its lines give it.
fn from_lines(indicator: &Indicator, lines: &[Vec<Value>]) -> i64 {
    let sum = || lines.iter().map(|line| if let Value::Integer(n) = line[6] { n } else { 0 }).sum();
    match &indicator.compute {
        Compute::Facts(facts) => match facts.measure {
            Measure::Count => lines.len() as i64,
            Measure::Distinct(_) => {
                lines.iter().map(|line| key(&line[6])).collect::<BTreeSet<_>>().len() as i64
            }
            Measure::Sum(_) => sum(),
        },
        _ => sum(),
    }
}

/// Half a year of a team and some others: every indicator has something to count.
fn half_year() -> Replica {
    let replica = Replica::empty();
    replica.insert("teams", TEAM, &[("kind", int(1)), ("unit", text(BINH_LIEU))]);
    for hamlet in [1, 2] {
        let unit = if hamlet == 1 { BINH_LIEU } else { HOANH_MO };
        replica.insert("hamlets", hamlet, &[("unit", text(unit)), ("household_total", int(40))]);
    }
    for (household, poverty) in [(11, 1), (12, 3), (13, 2)] {
        replica.insert("households", household, &[("hamlet_id", id(1)), ("poverty", int(poverty))]);
    }
    for person in 21..=25 {
        replica.insert("persons", person, &[("household_id", id(11))]);
    }
    let of = |members: &[u32], hamlet, signal| {
        [("members", ids(members)), ("hamlet_id", id(hamlet)), ("signal", int(signal)), ("plan_id", id(70))]
    };
    replica.visit(31, Some(11), "2024-01-10", &of(&[81, 82], 1, 1));
    replica.visit(32, Some(12), "2024-01-10", &of(&[81], 1, 3));
    replica.visit(33, Some(11), "2024-03-05", &of(&[82, 83, 81], 1, 1));
    let anonymous: Vec<_> = of(&[83], 2, 1).into_iter().chain([("unit", text(HOANH_MO))]).collect();
    replica.visit(34, None, "2024-06-30", &anonymous);
    replica.service(41, 31, Some(21), "vneid_level2", NEW);
    replica.service(42, 31, Some(21), "sim_4g", NEW);
    replica.service(43, 31, Some(22), "vneid_level2", FAILED);
    replica.service(44, 32, Some(23), "portal_first_login", NEW);
    replica.service(45, 32, Some(23), "portal_first_filing", NEW);
    replica.service(46, 33, Some(22), "vneid_level2", NEW);
    replica.service(47, 33, Some(21), "portal_later_filing", NEW);
    replica.service(48, 33, Some(21), "digital_signature", LATER);
    replica.service(49, 34, None, "digital_signature", NEW);
    replica.service(50, 34, None, "scam_awareness", REFUSED);
    replica.service(51, 32, Some(23), "ecommerce_account", NEW);
    replica.service(52, 33, Some(22), "ecommerce_account", NEW);
    replica.service(53, 33, Some(22), "ecommerce_first_sale", NEW);
    replica.service(54, 33, Some(21), "ecommerce_first_sale", NEW);
    replica.service(55, 33, Some(21), "portal_first_login", HAD);

    let due = |on, more: &[(&'static str, Value)]| {
        let mut columns = vec![("visit_id", id(31)), ("due_on", day(on)), ("household_id", id(11))];
        columns.extend_from_slice(more);
        columns
    };
    replica.insert("follow_ups", 61, &due("2024-02-01", &[]));
    replica.insert("follow_ups", 62, &due("2024-02-01", &[("done_on", day("2024-02-03"))]));
    replica.insert("follow_ups", 63, &due("2024-02-01", &[("done_by_visit", id(33))]));
    replica.insert("follow_ups", 64, &due("2024-02-01", &[("cancelled_on", day("2024-02-02"))]));
    replica.insert("follow_ups", 65, &due("2024-06-30", &[]));
    replica.insert("follow_ups", 66, &due("2024-05-01", &[("done_on", day("2024-07-01"))]));
    replica.insert(
        "work_days",
        71,
        &[("member_id", id(81)), ("date", day("2024-01-10")), ("plan_id", id(70)), ("half", int(1))],
    );
    replica.insert("work_days", 72, &[("member_id", id(81)), ("date", day("2024-01-11")), ("half", int(1))]);
    replica.insert("work_days", 73, &[("member_id", id(81)), ("date", day("2024-01-11")), ("half", int(2))]);
    let session = |kind, organiser, headcount| {
        [
            ("kind", int(kind)),
            ("organiser", text(organiser)),
            ("headcount", int(headcount)),
            ("date", day("2024-04-01")),
            ("members", ids(&[84])),
            ("unit", text(BINH_LIEU)),
        ]
    };
    replica.insert("sessions", 91, &session(1, "Hội Liên hiệp Phụ nữ tỉnh", 30));
    replica.insert("sessions", 92, &session(1, "Đoàn Thanh niên", 20));
    replica.insert("sessions", 93, &session(2, "Ban Quản lý Vịnh Hạ Long", 50));
    replica.insert("sessions", 94, &session(2, "Hội Phụ nữ tỉnh", 5));
    let grant = |item, household, visit: u32| {
        let visit = if visit == 0 { Value::Null } else { id(visit) };
        [
            ("item", int(item)),
            ("household_id", id(household)),
            ("visit_id", visit),
            ("date", day("2024-01-10")),
            ("unit", text(BINH_LIEU)),
        ]
    };
    replica.insert("grants", 101, &grant(1, 11, 31));
    replica.insert("grants", 102, &grant(1, 12, 32));
    replica.insert("grants", 103, &grant(2, 12, 32));
    replica.insert("grants", 104, &grant(1, 13, 0));
    let club = |name, kind, on| {
        [("name", text(name)), ("kind", int(kind)), ("founded_on", day(on)), ("unit", text(BINH_LIEU))]
    };
    replica.insert("groups", 111, &club("CLB Nông dân với chuyển đổi số", 1, "2023-05-01"));
    replica.insert("groups", 112, &club("CLB nông dân Húc Động", 1, "2024-07-01"));
    replica.insert("groups", 113, &club("CLB Phụ nữ số", 1, "2024-02-01"));
    replica.insert("groups", 114, &club("Tổ hợp tác nông dân", 2, "2024-02-01"));
    let joined = |group, more: &[(&'static str, Value)]| {
        let mut columns = vec![("group_id", id(group)), ("from_date", day("2024-02-01"))];
        columns.extend_from_slice(more);
        columns
    };
    replica.insert("memberships", 121, &joined(111, &[("person_id", id(21))]));
    replica.insert("memberships", 122, &joined(111, &[("person_id", id(21))]));
    replica.insert("memberships", 123, &joined(111, &[]));
    replica.insert("memberships", 124, &joined(111, &[("to_date", day("2024-03-01"))]));
    replica.insert("memberships", 125, &joined(113, &[]));
    let census = |household, on, adults, smartphones| {
        [
            ("hamlet_id", id(1)),
            ("household_id", id(household)),
            ("date", day(on)),
            ("adults", int(adults)),
            ("smartphones", int(smartphones)),
        ]
    };
    replica.insert("hamlet_censuses", 131, &census(11, "2024-01-10", 4, 1));
    replica.insert("hamlet_censuses", 132, &census(11, "2024-05-10", 4, 3));
    replica.insert("hamlet_censuses", 133, &census(12, "2024-05-10", 2, 2));
    replica.insert("hamlet_censuses", 134, &census(13, "2024-07-10", 9, 9));
    let run = [("tutorial", text("T1@1")), ("date", day("2024-03-05")), ("member_id", id(81))];
    replica.insert("checklist_runs", 141, &run);
    replica.insert("checklist_runs", 142, &run);
    for (number, verdict) in [(151, 2), (152, 1), (153, 1)] {
        let columns = [("run_id", id(141)), ("verdict", int(verdict)), ("date", day("2024-03-06"))];
        replica.insert("reviews", number, &columns);
    }
    replica.stock(161, "chip_cards", "193@2024", "2024-06-30", 1, 264_866_000);
    replica.stock(162, "vneid_accounts_activated", "193@2024", "2024-06-30", 1, 230_540_000);
    replica.stock(163, "telehealth_rate", "193@2024", "2024-06-30", 1, 62_500);
    replica
}

/// What the half-year holds; every indicator that is no rate.
const EXPECTED: &[(&str, Option<i64>)] = &[
    ("turns", Some(15)),
    ("visits", Some(4)),
    ("persons_helped", Some(3)),
    ("households_visited", Some(2)),
    ("new_results", Some(11)),
    ("results_passed", Some(11)),
    ("results_decided", Some(12)),
    ("failures", Some(3)),
    ("follow_ups_overdue", Some(2)),
    ("person_days", Some(8)),
    ("dead_spots", Some(2)),
    ("sessions", Some(4)),
    ("session_headcount", Some(105)),
    ("training_sessions", Some(2)),
    ("training_sessions_women", Some(1)),
    ("propaganda_sessions", Some(2)),
    ("propaganda_sessions_bay", Some(1)),
    ("phones_granted", Some(3)),
    ("phones_granted_poor", Some(2)),
    ("sim_4g_with_grants", Some(1)),
    ("digital_signatures_own", Some(1)),
    ("clubs", Some(2)),
    ("farmer_clubs", Some(1)),
    ("farmer_club_members", Some(2)),
    ("ecommerce_accounts", Some(2)),
    ("ecommerce_with_sales", Some(1)),
    ("portal_first_logins", Some(1)),
    ("portal_files", Some(2)),
    ("portal_turns", Some(3)),
    ("tutorial_runs", Some(2)),
    ("runs_approved", Some(1)),
    ("digital_signatures", None),
    ("telehealth_rate", Some(62_500)),
    ("vneid_accounts_activated", Some(230_540_000)),
    ("chip_cards", Some(264_866_000)),
    ("chip_card_rate", None),
    ("insurance_book_rate", None),
    ("smartphone_rate", None),
    ("households_total", None),
    ("residents", None),
    ("residents_14", None),
    ("residents_18", None),
    ("subscriptions", None),
    ("census_households", Some(2)),
    ("census_hamlet_households", Some(40)),
    ("census_adults", Some(6)),
    ("census_smartphones", Some(5)),
];

#[test]
fn every_indicator_counts_what_the_half_year_holds() {
    let replica = half_year();
    let query = query("2024-01-01", "2024-06-30");
    let mut expected: BTreeMap<_, _> = EXPECTED.iter().copied().collect();
    for indicator in Indicators::packaged().all() {
        if compile(indicator, &query) == Err(Uncountable::IsARate) {
            continue;
        }
        let expected = expected.remove(indicator.code.as_str()).expect("an expectation for every indicator");
        assert_eq!(replica.figure(indicator, &query).0, expected, "{}", indicator.code);
    }
    assert!(expected.is_empty(), "{expected:?}");
}

#[test]
fn lines_and_parts_give_the_figure() {
    let replica = half_year();
    let query = query("2024-01-01", "2024-06-30");
    for indicator in Indicators::packaged().all() {
        if compile(indicator, &query).is_err() {
            continue;
        }
        let (value, count) = replica.figure(indicator, &query);
        let lines = replica.lines(indicator, &query);
        assert_eq!(lines.len() as i64, count, "{}", indicator.code);
        assert_eq!(from_lines(indicator, &lines), value.unwrap_or(0), "{}", indicator.code);
        let keys: BTreeSet<_> = lines.iter().map(|line| (key(&line[0]), key(&line[1]))).collect();
        assert_eq!(keys.len(), lines.len(), "{}: a line stands twice", indicator.code);
        for field in &indicator.by {
            let parts = replica.rows(&compile_by(indicator, &query, field).expect("compiles"));
            let sum: i64 = parts.iter().map(|part| if let Value::Integer(n) = part[2] { n } else { 0 }).sum();
            assert_eq!(sum, count, "{} by {field}", indicator.code);
        }
    }
}

#[test]
fn an_empty_replica_counts_nothing() {
    let replica = Replica::empty();
    for indicator in Indicators::packaged().all() {
        let Ok(_) = compile(indicator, &query("2024-01-01", "2024-06-30")) else { continue };
        let nothing = if indicator.scale() == 1 { Some(0) } else { None };
        assert_eq!(replica.figure(indicator, &query("2024-01-01", "2024-06-30")), (nothing, 0));
    }
}

#[test]
fn the_list_of_views_is_that_of_the_sql_and_views_can_be_made_anew() {
    let replica = Replica::empty();
    for view in VIEWS {
        let sql = format!("SELECT name FROM pragma_table_info('{}')", view.name);
        let columns = replica.rows(&Sql { text: sql, params: Vec::new() });
        let listed: Vec<_> = view.columns.iter().map(|column| vec![text(column.name)]).collect();
        assert_eq!(columns, listed, "{}", view.name);
    }
    let count = || {
        let text = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'".to_owned();
        replica.rows(&Sql { text, params: Vec::new() })[0][0].clone()
    };
    assert_eq!(count(), int((VIEWS.len() + BASE_VIEWS.len()) as i64));
    replica.0.execute_batch(&drop_views()).expect("drops");
    assert_eq!(count(), int(0));
    replica.0.execute_batch(views()).expect("makes");
    replica.0.execute_batch(views()).expect("makes nothing twice");
}

#[test]
fn void_rows_and_rows_of_void_visits_do_not_count() {
    let replica = half_year();
    let query = query("2024-01-01", "2024-06-30");
    let codes = ["turns", "visits", "persons_helped", "follow_ups_overdue", "phones_granted", "person_days"];
    assert_eq!(replica.values(&codes, &query), [15, 4, 3, 2, 3, 8]);
    replica.set("service_rows", 41, "void", int(1));
    replica.set("service_rows", 42, "void", int(0));
    assert_eq!(replica.values(&codes, &query), [14, 4, 3, 2, 3, 8]);
    // Its three rows, two open appointments, one phone and one person-day go with it: 81 worked elsewhere that day.
    replica.set("visits", 31, "void", int(1));
    assert_eq!(replica.values(&codes, &query), [12, 3, 3, 0, 2, 7]);
    // A visit whose create has not arrived is not there yet.
    replica.set("visits", 32, "v_stamp", int(0));
    assert_eq!(replica.values(&codes, &query), [9, 2, 2, 0, 1, 7]);
    replica.set("groups", 111, "void", int(1));
    replica.set("checklist_runs", 141, "void", int(1));
    let codes = ["farmer_clubs", "farmer_club_members", "tutorial_runs", "runs_approved"];
    assert_eq!(replica.values(&codes, &query), [0, 0, 1, 0]);
}

#[test]
fn a_void_grant_or_service_takes_the_bundle_away() {
    let replica = half_year();
    let query = query("2024-01-01", "2024-06-30");
    assert_eq!(replica.value("sim_4g_with_grants", &query), Some(1));
    replica.service(56, 32, Some(23), "vneid_level2", LATER);
    assert_eq!(replica.value("sim_4g_with_grants", &query), Some(2), "a SIM given at the same visit");
    replica.set("grants", 103, "void", int(1));
    replica.set("service_rows", 42, "void", int(1));
    assert_eq!(replica.value("sim_4g_with_grants", &query), Some(0));
}

#[test]
fn merged_persons_and_households_count_once_however_the_edges_run() {
    let replica = half_year();
    let query = query("2024-01-01", "2024-06-30");
    let codes = ["persons_helped", "households_visited", "new_results", "farmer_club_members"];
    assert_eq!(replica.values(&codes, &query), [3, 2, 11, 2]);
    // 21 - 25 - 22: through a person that no row names.
    replica.set("persons", 25, "merged_with", id(22));
    assert_eq!(replica.values(&codes, &query), [3, 2, 11, 2]);
    replica.set("persons", 21, "merged_with", id(25));
    // Both had a new VNeID: the first counts.
    assert_eq!(replica.values(&codes, &query), [2, 2, 10, 2]);
    replica.set("households", 11, "merged_with", id(12));
    replica.set("households", 12, "merged_with", id(11));
    assert_eq!(replica.values(&codes, &query), [2, 1, 10, 2]);
    replica.insert(
        "memberships",
        126,
        &[("group_id", id(111)), ("person_id", id(22)), ("from_date", day("2024-02-01"))],
    );
    assert_eq!(replica.values(&codes, &query), [2, 1, 10, 2]);
    assert_eq!(replica.value("census_households", &query), Some(1));
    replica.set("persons", 21, "merged_with", Value::Null);
    assert_eq!(replica.values(&codes, &query), [3, 1, 11, 3]);
}

#[test]
fn accounts_with_sales_are_a_part_of_the_accounts() {
    let replica = half_year();
    let indicators = Indicators::packaged();
    let people = |code: &str, query: &Query| -> BTreeSet<String> {
        let indicator = indicators.newest(code).expect(code);
        replica.lines(indicator, query).iter().map(|line| key(&line[6])).collect()
    };
    let half = query("2024-01-01", "2024-06-30");
    // 22 has account and sale, 23 an account, 21 a sale without an account that the teams know of.
    assert_eq!(people("ecommerce_accounts", &half), [key(&id(22)), key(&id(23))].into());
    assert_eq!(people("ecommerce_with_sales", &half), [key(&id(22))].into());
    // A later sale counts for the period of the account, as of the day one asks for.
    replica.visit(35, Some(12), "2024-08-01", &[]);
    replica.service(57, 35, Some(23), "ecommerce_first_sale", HAD);
    assert_eq!(people("ecommerce_with_sales", &half).len(), 1);
    assert_eq!(people("ecommerce_with_sales", &query("2024-01-01", "2024-08-31")).len(), 2);
    assert_eq!(people("ecommerce_with_sales", &query("2024-07-01", "2024-08-31")).len(), 0);
}

#[test]
fn first_and_last_day_are_in_the_period() {
    let replica = Replica::empty();
    for (number, on) in [(1, "2023-12-31"), (2, "2024-01-01"), (3, "2024-06-30"), (4, "2024-07-01")] {
        replica.visit(number, None, on, &[]);
        replica.service(10 + number, number, None, "portal_first_login", NEW);
    }
    let codes = ["visits", "turns", "portal_first_logins", "new_results"];
    assert_eq!(replica.values(&codes, &query("2024-01-01", "2024-06-30")), [2; 4]);
    assert_eq!(replica.values(&codes, &query("2024-07-01", "2024-07-01")), [1; 4]);
}

#[test]
fn a_result_is_new_in_the_period_of_its_first_time_only() {
    let replica = Replica::empty();
    replica.visit(1, None, "2024-02-01", &[]);
    replica.visit(2, None, "2024-05-01", &[]);
    replica.service(11, 1, Some(21), "vneid_level2", NEW);
    replica.service(12, 2, Some(21), "vneid_level2", NEW);
    replica.set("service_rows", 12, "service", text("vneid_level2@2"));
    let codes = ["new_results", "results_passed"];
    assert_eq!(replica.values(&codes, &query("2024-01-01", "2024-03-31")), [1, 1]);
    assert_eq!(replica.values(&codes, &query("2024-04-01", "2024-06-30")), [0, 1]);
}

#[test]
fn units_and_scopes_restrict_the_figure() {
    let replica = half_year();
    let mut query = query("2024-01-01", "2024-06-30");
    query.units = Some(vec![HOANH_MO.to_owned()]);
    assert_eq!(replica.values(&["turns", "visits", "person_days"], &query), [2, 1, 1]);
    query.units = Some(vec![BINH_LIEU.to_owned(), HOANH_MO.to_owned()]);
    assert_eq!(replica.values(&["turns", "visits", "person_days"], &query), [15, 4, 8]);
    query.units = Some(Vec::new());
    assert_eq!(replica.values(&["turns"], &query), [0]);
    query.units = None;
    query.scopes = Some(vec![2]);
    assert_eq!(replica.values(&["turns", "sessions"], &query), [0, 0]);
    assert_eq!(replica.value("chip_cards", &query), Some(264_866_000), "a figure of a place is of no team");
}

#[test]
fn the_newest_version_of_the_newest_day_of_each_unit_is_the_stock() {
    let replica = Replica::empty();
    let at = |to: &str| replica.value("chip_cards", &query("2024-01-01", to));
    replica.stock(1, "chip_cards", "193@2024", "2024-03-31", 1, 100_000);
    replica.stock(2, "chip_cards", "193@2024", "2024-03-31", 2, 110_000);
    replica.stock(3, "chip_cards", "193@2024", "2024-06-30", 1, 120_000);
    replica.stock(4, "chip_cards", "198@2024", "2024-03-31", 1, 5_000);
    replica.stock(5, "chip_cards_other", "198@2024", "2024-03-31", 1, 7_000);
    assert_eq!((at("2024-03-30"), at("2024-03-31"), at("2024-06-30")), (None, Some(115_000), Some(125_000)));
    replica.set("stock_values", 2, "void", int(1));
    assert_eq!(at("2024-03-31"), Some(105_000));
    // Percentages of two places make none.
    replica.stock(6, "smartphone_rate", "193@2024", "2024-06-30", 1, 96_000);
    let rate = |to: &str| replica.value("smartphone_rate", &query("2024-01-01", to));
    assert_eq!(rate("2024-06-30"), Some(96_000));
    replica.stock(7, "smartphone_rate", "198@2024", "2024-06-30", 1, 50_000);
    assert_eq!(rate("2024-06-30"), None);
}

#[test]
fn printed_figures_of_the_article_come_back_as_published() {
    let replica = Replica::empty();
    let mut number = 0;
    for row in seed_rows() {
        for printed in &row.printed {
            number += 1;
            replica.insert(
                "stock_values",
                number,
                &[
                    ("indicator", text(&printed.indicator)),
                    ("unit", text(&row.units[0])),
                    ("date", int(row.to.0.into())),
                    ("version", int(1)),
                    ("operator", text(&printed.operator)),
                    ("value", int(printed.thousandths)),
                    ("numerator", printed.numerator.map_or(Value::Null, int)),
                    ("denominator", printed.denominator.map_or(Value::Null, int)),
                    ("source", text(&row.source)),
                ],
            );
        }
    }
    let indicators = Indicators::packaged();
    let published = |code: &str| {
        let sql = compile_published(indicators.newest(code).expect(code), &query("2024-01-01", "2024-12-31"));
        let rows = replica.rows(&sql);
        assert_eq!(rows.len(), 1, "{code}");
        (rows[0][2].clone(), rows[0][3].clone(), rows[0][4].clone(), rows[0][5].clone())
    };
    let none = Value::Null;
    assert_eq!(published("digital_signatures"), (text("<~"), int(3_000_000), none.clone(), none.clone()));
    assert_eq!(published("vneid_level2_rate"), (text("="), int(87_000), int(230_540), int(264_866)));
    assert_eq!(published("ecommerce_with_sales"), (text(">="), int(1_500_000), none.clone(), none.clone()));
    assert_eq!(published("portal_turns"), (text(">"), int(2_800_000), none.clone(), none));
}
