//! The packaged indicators over real SQLite tables: values, the lines behind them, voids, merges, periods, versions.

mod half_year;
mod replica;
mod speed;

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::indicators::{
    BASE_VIEWS, Indicators, Sql, Uncountable, VIEWS, compile, compile_by, compile_published, drop_views,
    seed_rows, views,
};
use rusqlite::types::Value;

use half_year::{EXPECTED, half_year};
use replica::*;

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
    // Both had a new VNeID and a new first sale: the first of each counts.
    assert_eq!(replica.values(&codes, &query), [2, 2, 9, 2]);
    replica.set("households", 11, "merged_with", id(12));
    replica.set("households", 12, "merged_with", id(11));
    assert_eq!(replica.values(&codes, &query), [2, 1, 9, 2]);
    replica.insert(
        "memberships",
        126,
        &[("group_id", id(111)), ("person_id", id(22)), ("from_date", day("2024-02-01"))],
    );
    assert_eq!(replica.values(&codes, &query), [2, 1, 9, 2]);
    assert_eq!(replica.value("census_households", &query), Some(1));
    replica.set("persons", 21, "merged_with", Value::Null);
    assert_eq!(replica.values(&codes, &query), [3, 1, 11, 3]);
}

#[test]
fn accounts_with_sales_are_a_part_of_the_accounts() {
    let replica = half_year();
    let indicators = Indicators::packaged();
    let people = |code: &str, query: &langso_domain::indicators::Query| -> BTreeSet<String> {
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
