//! The packaged indicators are sound, faults are named, and content never enters the text of SQL.

use std::collections::BTreeMap;

use super::*;
use crate::date::CivilDate;
use crate::id::RowId;

fn query() -> Query {
    let day = |text| CivilDate::parse_iso(text).expect("a day");
    Query { from: day("2024-01-01"), to: day("2024-06-30"), units: None, scopes: None }
}

fn packaged(code: &str) -> Indicator {
    Indicators::packaged().newest(code).expect(code).clone()
}

fn problems(list: &[Indicator]) -> Vec<(String, Problem)> {
    check(list).into_iter().map(|fault| (fault.path, fault.problem)).collect()
}

#[test]
fn packaged_indicators_are_without_fault() {
    if let Err(faults) = Indicators::read(&packaged_json()) {
        panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>());
    }
}

#[test]
fn every_packaged_indicator_compiles_or_is_a_rate_of_two_that_do() {
    let indicators = Indicators::packaged();
    for indicator in indicators.all() {
        match compile(indicator, &query()) {
            Ok(sql) => {
                for n in 1..=sql.params.len() {
                    assert!(sql.text.contains(&format!("?{n}")), "{} ?{n}", indicator.code);
                }
                for field in &indicator.by {
                    compile_by(indicator, &query(), field).expect("a field of the view");
                }
            }
            Err(error) => {
                assert_eq!(error, Uncountable::IsARate);
                let (above, below) = indicators.parts_of(indicator).expect("two indicators");
                assert!(compile(above, &query()).is_ok() && compile(below, &query()).is_ok());
            }
        }
    }
}

#[test]
fn open_integers_and_services_of_packaged_filters_exist() {
    let lists: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/codes/lists.json")).expect("lists");
    let services: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/codes/services.json")).expect("services");
    let mut numbers = BTreeMap::new();
    for list in lists.as_array().expect("an array") {
        let entries = list["entries"].as_array().expect("entries");
        let of_list: Vec<_> = entries.iter().filter_map(|entry| entry["number"].as_i64()).collect();
        numbers.insert(list["code"].as_str().expect("a code"), of_list);
    }
    for view in VIEWS {
        for column in view.columns {
            if let Holds::Enum(list) = column.holds {
                assert!(list == "failure_codes" || numbers.contains_key(list), "{}.{list}", view.name);
            }
        }
    }
    let is_service = |code: &str| services.as_array().expect("an array").iter().any(|s| s["code"] == code);
    for indicator in Indicators::packaged().all() {
        let Compute::Facts(facts) = &indicator.compute else { continue };
        let mut filters: Vec<(&str, &Filter)> =
            facts.filters.iter().map(|f| (facts.view.as_str(), f)).collect();
        for filter in &facts.filters {
            if let Some(within) = &filter.within {
                filters.extend(within.filters.iter().map(|f| (within.view.as_str(), f)));
            }
        }
        for (view, filter) in filters {
            let column = View::named(view).and_then(|view| view.column(&filter.field)).expect("checked");
            for value in filter.value.iter().chain(&filter.values) {
                match (column.holds, value) {
                    (Holds::Enum(list), Value::Int(number)) => {
                        assert!(numbers[list].contains(number), "{}: {list} {number}", indicator.code);
                    }
                    (Holds::Code, Value::Text(code)) if column.name == "service_code" => {
                        assert!(is_service(code), "{}: {code}", indicator.code);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn an_unknown_json_field_is_refused() {
    let text = packaged_json().replacen("\"family\"", "\"sql\": \"DROP\", \"family\"", 1);
    let faults = Indicators::read(&text).expect_err("refused");
    assert_eq!(faults[0].problem, Problem::Unreadable);
    assert!(faults[0].value.contains("sql"), "{}", faults[0].value);
}

#[test]
fn faults_name_the_field_and_are_all_found() {
    let mut bad = packaged("follow_ups_overdue");
    bad.title.vi = "Ho\u{0300}a".to_owned();
    bad.meaning.en = " ".to_owned();
    bad.by = vec!["no_such".to_owned()];
    let Compute::Facts(facts) = &mut bad.compute else { panic!("facts") };
    facts.period.field = "household_id".to_owned();
    facts.measure = Measure::Sum("service".to_owned());
    facts.filters[0].field = "id; DROP TABLE visits".to_owned();
    facts.filters[1].value = None;
    facts.filters[2].op = Op::Contains;
    let found = problems(&[bad.clone(), bad]);
    for expected in [
        ("title.vi", Problem::NotNfc),
        ("meaning.en", Problem::TextMissing),
        ("by[0]", Problem::UnknownField),
        ("compute.period", Problem::NotADate),
        ("compute.measure", Problem::BadOp),
        ("compute.filters[0].field", Problem::UnknownField),
        ("compute.filters[1].value", Problem::BadValue),
        ("compute.filters[2].op", Problem::BadOp),
        ("code", Problem::Duplicate),
    ] {
        assert!(found.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} not in {found:?}");
    }
}

#[test]
fn an_unknown_view_and_a_missing_part_of_a_rate_are_faults() {
    let mut view = packaged("turns");
    let Compute::Facts(facts) = &mut view.compute else { panic!("facts") };
    facts.view = "persons".to_owned();
    assert_eq!(problems(&[view]), [("compute.view".to_owned(), Problem::UnknownView)]);

    let rate = packaged("success_rate");
    let found = problems(&[rate, packaged("results_passed")]);
    assert_eq!(found, [("compute.denominator".to_owned(), Problem::UnknownIndicator)]);
}

#[test]
fn one_code_of_counting_has_the_same_words_everywhere() {
    let mut other = packaged("persons_helped");
    other.code = "other".to_owned();
    other.counted_in.vi = "lượt".to_owned();
    let found = problems(&[packaged("persons_helped"), other]);
    assert_eq!(found, [("counted_in".to_owned(), Problem::CountedInDiffers)]);
}

#[test]
fn words_of_content_never_enter_the_text_of_sql() {
    let mut indicator = packaged("training_sessions_women");
    let Compute::Facts(facts) = &mut indicator.compute else { panic!("facts") };
    facts.filters[1].value = Some(Value::Text("100%_'; DROP".to_owned()));
    let mut query = query();
    query.units = Some(vec!["06838@2025'".to_owned(), "22@2025".to_owned()]);
    query.scopes = Some(vec![3, 4]);
    let sql = compile_by(&indicator, &query, "unit").expect("compiles");
    assert!(!sql.text.contains("DROP") && !sql.text.contains("06838"), "{}", sql.text);
    assert!(sql.params.contains(&Param::Text("%100\\%\\_'; DROP%".to_owned())), "{:?}", sql.params);
    assert!(sql.params.contains(&Param::Text("[\"06838@2025'\",\"22@2025\"]".to_owned())));
    assert!(sql.params.contains(&Param::Text("[3,4]".to_owned())));
}

#[test]
fn unchecked_names_do_not_compile() {
    let mut indicator = packaged("turns");
    assert_eq!(compile_by(&indicator, &query(), "1; DROP"), Err(Uncountable::UnknownField));
    let Compute::Facts(facts) = &mut indicator.compute else { panic!("facts") };
    facts.measure = Measure::Distinct("x FROM persons".to_owned());
    assert_eq!(compile(&indicator, &query()), Err(Uncountable::UnknownField));
    let Compute::Facts(facts) = &mut indicator.compute else { panic!("facts") };
    facts.view = "sqlite_schema".to_owned();
    assert_eq!(compile(&indicator, &query()), Err(Uncountable::UnknownView));
}

#[test]
fn a_page_of_lines_goes_on_after_the_last_row() {
    let after = LineKey { date: CivilDate(19_800), id: RowId([7; 12]), apart: Vec::new() };
    let sql = compile_lines(&packaged("turns"), &query(), Some(&after), 50).expect("compiles");
    assert!(sql.text.ends_with("WHERE (date, id, apart) > (?3, ?4, ?5) ORDER BY date, id, apart LIMIT ?6"));
    assert_eq!(sql.params.last(), Some(&Param::Int(50)));
}

#[test]
fn every_view_has_the_columns_that_lines_need() {
    for view in VIEWS {
        for name in ["id", "scope", "visit_id", "date", "unit"] {
            assert!(view.column(name).is_some(), "{}.{name}", view.name);
        }
        if let Some(name) = view.told_apart_by {
            assert!(view.column(name).is_some(), "{}.{name}", view.name);
        }
    }
}

#[test]
fn the_article_has_seventeen_rows_and_each_has_its_indicators() {
    let rows = seed_rows();
    let names: Vec<_> = rows.iter().map(|row| row.row.as_str()).collect();
    assert_eq!(
        names,
        ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10a", "10b", "11a", "11b", "12", "13", "14a", "14b"]
    );
    let indicators = Indicators::packaged();
    for row in &rows {
        assert!(!row.indicators.is_empty());
        for reference in row.indicators.iter().chain(row.printed.iter().map(|printed| &printed.indicator)) {
            assert!(indicators.get(reference).is_some(), "{}: {reference}", row.row);
        }
        for printed in &row.printed {
            assert!(["=", "<~", "~", ">", ">=", "<"].contains(&printed.operator.as_str()), "{}", row.row);
        }
        assert!(row.from.is_none_or(|from| from <= row.to));
        for unit in &row.units {
            assert!(crate::units::UnitCode::parse(unit).is_some(), "{unit}");
        }
    }
}
