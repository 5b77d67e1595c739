//! Figures of others, imported from a table.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use langso_domain::units::UnitCode;
use langso_hub::admin::{AdminError, Place, StockFault};
use langso_hub::server::Hub;
use support::Hands;

const CAMPAIGN: &str = include_str!("../../fixtures/campaigns/quang-ninh-2024/stock.csv");
const HEADING: &str = "unit;indicator;operator;value;numerator;denominator;source;date";

fn hub() -> (tempfile::TempDir, Hub, Place) {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::open(folder.path(), Hands::new().clock()).unwrap();
    let place = hub.make_place(UnitCode::parse("22@2025").unwrap()).unwrap();
    (folder, hub, place)
}

fn faults(hub: &Hub, csv: &str) -> Vec<StockFault> {
    match hub.import_stock(csv).unwrap_err() {
        AdminError::Stock(faults) => faults,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_campaigns_figures_come_in_and_a_second_import_is_a_new_version() {
    let (_folder, hub, place) = hub();
    let done = hub.import_stock(CAMPAIGN).unwrap();
    assert_eq!((done.figures, done.renewed), (7, 0));
    let first = hub.list_stock().unwrap();
    let rate = first.iter().find(|row| row.indicator == "vneid_level2_rate@1").unwrap();
    assert_eq!((rate.thousandths, rate.numerator, rate.denominator), (87_000, Some(230_540), Some(264_866)));
    assert_eq!((rate.operator.as_str(), rate.source.as_str()), ("=", "Báo Quảng Ninh"));
    let done = hub.import_stock(&CAMPAIGN.replace("=,62.5,", "=,63.5,")).unwrap();
    assert_eq!((done.figures, done.renewed), (7, 7));
    let both = hub.list_stock().unwrap();
    assert_eq!(both.len(), 14, "the older rows stay");
    let telehealth: Vec<_> = both
        .iter()
        .filter(|row| row.indicator == "telehealth_rate@1")
        .map(|row| (row.thousandths, row.version, row.is_newest, row.denominator))
        .collect();
    assert_eq!(telehealth, [(63_500, 2, true, None), (62_500, 1, false, None)]);
    hub.replicas
        .with::<_, langso_hub::replica::Error>(place.scope, |replica, _| {
            let sql = "SELECT value FROM stock_facts WHERE indicator = 'telehealth_rate@1'";
            let shown: i64 = replica.connection().query_row(sql, [], |row| row.get(0))?;
            assert_eq!(shown, 63_500, "the newest version counts");
            Ok(())
        })
        .unwrap();
}

#[test]
fn numbers_and_dates_are_read_as_vietnamese_writers_mean_them() {
    let (_folder, hub, _) = hub();
    let csv = format!(
        "\u{FEFF}{HEADING}\r\n193@2024;telehealth_rate;~;62,5 %;;không rõ;Báo;01/09/2024\r\n\
         193@2024;chip_cards@1;>=;264.866;264.866;264866;Báo;2024-09-01\r\n\
         193@2024;smartphone_rate;>;96,125;unknown;;Báo;1/9/2024\r\n"
    );
    assert_eq!(hub.import_stock(&csv).unwrap().figures, 3);
    let rows = hub.list_stock().unwrap();
    let values: Vec<_> = rows.iter().map(|row| (row.thousandths, row.numerator, row.denominator)).collect();
    assert_eq!(
        values,
        [(264_866_000, Some(264_866), Some(264_866)), (96_125, None, None), (62_500, None, None)]
    );
    assert!(rows.iter().all(|row| row.date.to_string() == "2024-09-01"));
}

#[test]
fn every_fault_names_line_and_column_and_nothing_is_imported() {
    let (_folder, hub, _) = hub();
    let good = "193@2024;chip_cards;=;1;;;Báo;2024-09-01";
    for (line, column, code) in [
        ("193;chip_cards;=;1;;;Báo;2024-09-01", "unit", "unknown_unit"),
        ("999@2024;chip_cards;=;1;;;Báo;2024-09-01", "unit", "unknown_unit"),
        ("01@2025;chip_cards;=;1;;;Báo;2024-09-01", "unit", "no_place"),
        (";chip_cards;=;1;;;Báo;2024-09-01", "unit", "missing"),
        ("193@2024;chips;=;1;;;Báo;2024-09-01", "indicator", "unknown_indicator"),
        ("193@2024;chip_cards@9;=;1;;;Báo;2024-09-01", "indicator", "unknown_indicator"),
        ("193@2024;chip_cards;≈;1;;;Báo;2024-09-01", "operator", "unknown_operator"),
        ("193@2024;chip_cards;;1;;;Báo;2024-09-01", "operator", "missing"),
        ("193@2024;chip_cards;=;;;;Báo;2024-09-01", "value", "missing"),
        ("193@2024;chip_cards;=;1.23.4;;;Báo;2024-09-01", "value", "bad_number"),
        ("193@2024;chip_cards;=;0,0001;;;Báo;2024-09-01", "value", "too_precise"),
        ("193@2024;chip_cards;=;-1;;;Báo;2024-09-01", "value", "out_of_range"),
        ("193@2024;chip_cards;=;1%;;;Báo;2024-09-01", "value", "not_a_rate"),
        ("193@2024;telehealth_rate;=;100,5;;;Báo;2024-09-01", "value", "out_of_range"),
        ("193@2024;telehealth_rate;=;62,5;1,5;;Báo;2024-09-01", "numerator", "too_precise"),
        ("193@2024;telehealth_rate;=;62,5;;0;Báo;2024-09-01", "denominator", "out_of_range"),
        ("193@2024;telehealth_rate;=;62,5;;nhiều;Báo;2024-09-01", "denominator", "bad_number"),
        ("193@2024;chip_cards;=;1;;;;2024-09-01", "source", "missing"),
        ("193@2024;chip_cards;=;1;;;gọi 0912345678;2024-09-01", "source", "bad_text"),
        ("193@2024;chip_cards;=;1;;;Báo;31/02/2024", "date", "bad_date"),
        ("193@2024;chip_cards;=;1;;;Báo;", "date", "missing"),
        ("193@2024;chip_cards;=;1;;;Báo", "", "wrong_count"),
        ("193@2024;chip_cards;=;2;;;Đài;01/09/2024", "", "duplicate"),
        ("193@2024;chip_cards;=;\"2;;;Đài;01/09/2024", "", "bad_quotes"),
    ] {
        let found = faults(&hub, &format!("{HEADING}\n{good}\n{line}\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!((found[0].line, found[0].column, found[0].problem.code()), (3, column, code), "{line}");
    }
    let all = faults(&hub, &format!("{HEADING}\n{good}\n;;;;;;;x\n"));
    assert_eq!(
        all.iter().map(|fault| fault.column).collect::<Vec<_>>(),
        ["unit", "indicator", "operator", "value", "source", "date"]
    );
    assert!(hub.list_stock().unwrap().is_empty());
}

#[test]
fn the_heading_must_have_its_columns() {
    let (_folder, hub, _) = hub();
    for (csv, line, code) in [
        ("", 1, "empty"),
        (HEADING, 2, "empty"),
        ("unit,indicator,operator,value,source,date\n", 1, "missing_column"),
        ("unit,unit,indicator,operator,value,denominator,source,date\n", 1, "duplicate_column"),
        ("unit,colour,indicator,operator,value,denominator,source,date\n", 1, "unknown_column"),
    ] {
        let found = faults(&hub, csv);
        assert_eq!((found[0].line, found[0].problem.code()), (line, code), "{csv}");
    }
    let without =
        "date,unit,indicator,operator,value,denominator,source\n2024-09-01,193@2024,chip_cards,=,5,,Báo\n";
    assert_eq!(hub.import_stock(without).unwrap().figures, 1, "any order, and no numerator");
    let large = " ".repeat(5 * 1024 * 1024);
    assert_eq!(faults(&hub, &large)[0].problem.code(), "too_large");
}
