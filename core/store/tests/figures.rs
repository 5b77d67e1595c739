//! Views, indexes and figures of a replica's own file.

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, RowId, ScopeId, Writer};
use langso_domain::indicators::{BASE_VIEWS, INDEXES, Indicators, Query, VIEWS};
use langso_domain::registry::ScopeKind;
use langso_store::{CURRENT, Error, Purpose, Replica, figures};
use langso_sync::author::Author;
use langso_sync::clock::Clock;
use langso_sync::value::Value;
use rusqlite::types::Value as Sql;

const SCOPE: ScopeId = ScopeId([1; 8]);
const VISIT: u8 = 4;
const SERVICE_ROW: u8 = 5;

fn day(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).expect(iso)
}

fn half_year() -> Query {
    Query { from: day("2024-01-01"), to: day("2024-06-30"), units: None, scopes: None }
}

/// One visit with that many services, of which every second one failed.
fn with_services(services: usize) -> (Replica, RowId) {
    let mut replica = Replica::in_memory(CURRENT, Purpose::HubCache).expect("opens");
    let mut author = Author::new(Writer(7));
    let mut draft = author.draft();
    let visit = draft
        .create(VISIT, [(3, Value::from("06838@2025")), (4, Value::from(day("2024-03-05")))])
        .expect("room");
    for at in 0..services {
        let outcome = if at % 2 == 0 { 1 } else { 4 };
        let row = [(1, visit.into()), (3, Value::from("vneid_level2@1")), (4, Value::Int(outcome))];
        draft.create(SERVICE_ROW, row).expect("room");
    }
    let change = author.finish(draft, &mut Clock::default(), 1);
    let mut batch = replica.begin().expect("begins");
    batch.add_scope(SCOPE, ScopeKind::Team).expect("a scope");
    batch.apply(SCOPE, DeviceId([2; 8]), &change).expect("applies");
    batch.commit().expect("commits");
    (replica, visit)
}

fn count(replica: &Replica, sql: &str) -> usize {
    replica.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counts") as usize
}

const COUNT_VIEWS: &str =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name NOT LIKE 'live\\_%' ESCAPE '\\'";

#[test]
fn a_fresh_file_has_every_view_and_index() {
    let replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("opens");
    assert_eq!(count(&replica, COUNT_VIEWS), VIEWS.len() + BASE_VIEWS.len());
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
                   AND tbl_name IN ('service_rows', 'persons', 'households')";
    assert!(count(&replica, indexes) >= INDEXES.len());
}

#[test]
fn views_of_another_program_are_made_anew_when_the_file_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replica.db");
    let open = || Replica::open(&path, CURRENT, Purpose::Phone).expect("opens");
    let text = |replica: &Replica| -> Option<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE name = 'visit_facts'";
        replica.connection().query_row(sql, [], |row| row.get(0)).expect("a view")
    };
    let ours = text(&open());
    let change = "DROP VIEW visit_facts; CREATE VIEW visit_facts AS SELECT 1 AS id;
                  DROP VIEW stock_facts; DROP INDEX service_rows_of_visit;";
    open().connection().execute_batch(change).expect("changes");
    let replica = open();
    assert_eq!(text(&replica), ours);
    assert_eq!(count(&replica, COUNT_VIEWS), VIEWS.len() + BASE_VIEWS.len());
    let index = "SELECT count(*) FROM sqlite_schema WHERE name = 'service_rows_of_visit'";
    assert_eq!(count(&replica, index), 1);
}

#[test]
fn a_figure_is_the_number_of_its_lines_over_all_pages() {
    let (replica, visit) = with_services(7);
    let indicators = Indicators::packaged();
    let turns = indicators.newest("turns").expect("an indicator");
    let figure = figures::figure(replica.connection(), turns, &half_year()).expect("a figure");
    assert_eq!((figure.value, figure.lines), (Some(7), 7));
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page =
            figures::lines(replica.connection(), turns, &half_year(), after.as_ref(), 3).expect("lines");
        let Some(last) = page.last() else { break };
        after = Some(last.key());
        all.extend(page);
    }
    assert_eq!(all.len(), 7);
    assert!(all.iter().all(|line| line.visit.map(|visit| visit.0) == Some(visit)));
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[test]
fn parts_are_one_for_each_value_of_the_column() {
    let (replica, _) = with_services(7);
    let indicators = Indicators::packaged();
    let turns = indicators.newest("turns").expect("an indicator");
    let parts = figures::by(replica.connection(), turns, &half_year(), "outcome").expect("parts");
    let told: Vec<_> = parts.into_iter().map(|part| (part.part, part.figure.value)).collect();
    assert_eq!(told, [(Sql::Integer(1), Some(4)), (Sql::Integer(4), Some(3))]);
    let unknown = figures::by(replica.connection(), turns, &half_year(), "note");
    assert!(matches!(unknown, Err(Error::Uncountable(_))));
}

#[test]
fn an_imported_figure_that_nobody_published_is_not_known_and_a_rate_has_none() {
    let (replica, _) = with_services(0);
    let indicators = Indicators::packaged();
    let cards = indicators.newest("chip_cards").expect("an indicator");
    assert_eq!(figures::value(replica.connection(), cards, &half_year()).expect("runs"), None);
    assert!(figures::published(replica.connection(), cards, &half_year()).expect("runs").is_empty());
    let rate = indicators.newest("success_rate").expect("an indicator");
    let figure = figures::value(replica.connection(), rate, &half_year());
    assert!(matches!(figure, Err(Error::Uncountable(_))));
}
