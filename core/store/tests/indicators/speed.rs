//! How long the figures take over a large team's year: printed, never asserted.

use std::time::Instant;

use langso_domain::indicators::{Indicators, compile, compile_lines};
use rusqlite::types::Value;

use crate::replica::*;

const VISITS: u32 = 5_000;
const SERVICES: [&str; 6] = [
    "vneid_level2",
    "sim_4g",
    "portal_first_login",
    "ecommerce_account",
    "digital_signature",
    "scam_awareness",
];

/// 5,000 visits of two members to 1,500 households, 16,000 service rows for 4,000 persons, and 500 phones given.
fn large_year(merged_pairs: u32) -> Replica {
    let replica = Replica::empty();
    replica.0.execute_batch("BEGIN").expect("begins");
    replica.insert("teams", TEAM, &[("kind", int(1)), ("unit", text(BINH_LIEU))]);
    for household in 0..1_500 {
        replica.insert("households", 100_000 + household, &[("hamlet_id", id(household % 12 + 1))]);
    }
    for person in 0..4_000 {
        let twin = if person < merged_pairs { id(200_000 + person + 2_000) } else { Value::Null };
        let columns = [("household_id", id(100_000 + person % 1_500)), ("merged_with", twin)];
        replica.insert("persons", 200_000 + person, &columns);
    }
    let first = date("2024-01-01").0;
    let mut row = 400_000;
    for visit in 0..VISITS {
        let columns = [
            ("household_id", id(100_000 + visit * 7 % 1_500)),
            ("date", int((first + (visit as i32 * 365 / VISITS as i32)).into())),
            ("unit", text(BINH_LIEU)),
            ("hamlet_id", id(visit % 12 + 1)),
            ("signal", int((visit % 4 + 1).into())),
            ("members", ids(&[300_000 + visit % 9, 300_000 + visit % 9 + 1])),
            ("plan_id", id(visit % 3)),
        ];
        replica.insert("visits", 300_000 + visit, &columns);
        for nth in 0..if visit % 5 == 0 { 4 } else { 3 } {
            row += 1;
            let service = SERVICES[(row % 6) as usize];
            replica.service(row, 300_000 + visit, Some(200_000 + row % 4_000), service, (nth % 4 + 1).into());
        }
    }
    for grant in 0..500 {
        let visit = 300_000 + grant * 3;
        let columns = [("item", int(1)), ("visit_id", id(visit)), ("date", int((first + 90).into()))];
        replica.insert("grants", 500_000 + grant, &columns);
    }
    replica.0.execute_batch("COMMIT").expect("commits");
    replica
}

#[test]
fn figures_of_sixteen_thousand_rows_agree_with_and_without_merges() {
    let query = query("2024-01-01", "2024-06-30");
    for merged in [0, 500] {
        let replica = large_year(merged);
        let (mut total, mut slowest) = (0.0, (0.0, String::new()));
        for indicator in Indicators::packaged().all() {
            let Ok(_) = compile(indicator, &query) else { continue };
            let start = Instant::now();
            replica.figure(indicator, &query);
            let ms = start.elapsed().as_secs_f64() * 1e3;
            total += ms;
            if ms > slowest.0 {
                slowest = (ms, indicator.code.clone());
            }
            if [
                "turns",
                "persons_helped",
                "new_results",
                "person_days",
                "ecommerce_with_sales",
                "sim_4g_with_grants",
            ]
            .contains(&indicator.code.as_str())
            {
                println!("{merged} merges: {} {ms:.1} ms", indicator.code);
            }
        }
        let turns = Indicators::packaged().newest("turns").expect("turns").clone();
        let start = Instant::now();
        replica.rows(&compile_lines(&turns, &query, None, 50).expect("compiles"));
        let page = start.elapsed().as_secs_f64() * 1e3;
        println!("{merged} merges: all {total:.0} ms, slowest {slowest:?}, first page of lines {page:.1} ms");
        assert_eq!(replica.value("persons_helped", &query), Some(4_000 - i64::from(merged)));
    }
}
