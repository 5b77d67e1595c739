//! Figures on a phone equal what was counted by hand, and open into the lines that make them.

mod support;

use langso_device::companion::events::{NewGrant, NewSession};
use langso_device::companion::figures::{
    Asked, Explain, FigurePage, FigureRow, FindLines, LinePage, PartValue,
};
use langso_domain::indicators::Indicators;
use langso_domain::units::UnitCode;
use serde_json::json;
use support::{LEAD, MEMBER, TRAINER, Team, TestPhone, day, invalid, not_allowed};

const NEW: u8 = 1;
const HAD: u8 = 2;
const FAILED: u8 = 4;

fn half_year() -> Asked {
    Asked { period: Some("2024-H1".to_owned()), ..Asked::default() }
}

/// Three visits of the half-year with six services, one before it, a session and a phone given.
fn worked(team: &mut Team) -> TestPhone {
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    team.write(
        "stock_value",
        &[
            ("unit", "193@2024".into()),
            ("indicator", "vneid_level2_rate@1".into()),
            ("operator", "=".into()),
            ("value", 87_000u32.into()),
            ("numerator", 230_540u32.into()),
            ("denominator", 264_866u32.into()),
            ("source", "Công an thành phố".into()),
            ("date", support::date("2024-06-01").into()),
            ("version", 1u8.into()),
        ],
    );
    team.bring(&mut lead);
    let (household, persons) = lead.household(team, "Hộ 12", 2);
    let (one, two) = (Some(persons[0]), Some(persons[1]));
    lead.visit(team, Some(household), "2023-12-31", &[(one, "vneid_level2@1", FAILED)]);
    let first = [(one, "vneid_level2@1", NEW), (two, "vneid_level2@1", FAILED), (one, "sim_4g@1", NEW)];
    let visit = lead.visit(team, Some(household), "2024-01-01", &first);
    lead.visit(team, Some(household), "2024-03-05", &[(two, "vneid_level2@1", NEW), (one, "sim_4g@1", HAD)]);
    lead.visit(team, None, "2024-06-15", &[(None, "portal_first_login@1", NEW)]);
    let grant: NewGrant = serde_json::from_value(json!({"item": 1, "visit": visit})).expect("input");
    lead.app().events().log_grant(grant).expect("saves");
    let session: NewSession = serde_json::from_value(json!({
        "kind": 1, "topic": "Chữ ký số", "date": "2024-05-02", "headcount": 31
    }))
    .expect("input");
    lead.app().events().log_session(session).expect("saves");
    lead
}

fn figure<'a>(page: &'a FigurePage, code: &str) -> &'a FigureRow {
    let all = page.activity.iter().chain(&page.coverage);
    all.into_iter().find(|row| row.indicator == format!("{code}@1")).expect(code)
}

fn value(page: &FigurePage, code: &str) -> Option<i64> {
    figure(page, code).value
}

fn all_lines(phone: &mut TestPhone, indicator: &str, asked: &Asked) -> (Vec<LinePage>, usize) {
    let mut pages: Vec<LinePage> = Vec::new();
    loop {
        let after = pages.last().and_then(|page| page.next.clone());
        let find = FindLines { indicator: indicator.to_owned(), asked: asked.clone(), after };
        pages.push(phone.app().figures().list_figure_lines(find).expect("lists"));
        if pages.last().is_some_and(|page| page.next.is_none()) {
            let count = pages.iter().map(|page| page.lines.len()).sum();
            return (pages, count);
        }
    }
}

#[test]
fn figures_equal_what_was_counted_by_hand() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    for (code, expected) in [
        ("visits", 3),
        ("turns", 6),
        ("persons_helped", 2),
        ("households_visited", 1),
        ("new_results", 4),
        ("results_passed", 4),
        ("results_decided", 5),
        ("person_days", 4),
        ("phones_granted", 1),
        ("sim_4g_with_grants", 1),
        ("training_sessions", 1),
        ("session_headcount", 31),
    ] {
        assert_eq!(value(&page, code), Some(expected), "{code}");
    }
    assert_eq!((page.from, page.to), (day("2024-01-01"), day("2024-06-15")));
}

#[test]
fn a_rate_shows_both_its_numbers_and_none_over_nothing() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    let rate = figure(&page, "success_rate");
    let told = (rate.value, rate.scale, rate.numerator, rate.denominator);
    assert_eq!(told, (Some(80_000), 1000, Some(4), Some(5)));
    let empty = Asked { from: Some(day("2022-06-01")), to: Some(day("2022-06-30")), ..Asked::default() };
    let page = lead.app().figures().list_figures(empty).expect("figures");
    let rate = figure(&page, "success_rate");
    assert_eq!((rate.value, rate.numerator, rate.denominator), (None, Some(0), Some(0)));
}

#[test]
fn activity_and_coverage_stand_apart_and_coverage_names_its_source() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    let is_in = |rows: &[FigureRow], code: &str| rows.iter().any(|row| row.indicator.starts_with(code));
    assert!(is_in(&page.activity, "turns@") && !is_in(&page.coverage, "turns@"));
    assert!(is_in(&page.coverage, "vneid_level2_rate@") && !is_in(&page.activity, "vneid_level2_rate@"));
    let published = &figure(&page, "vneid_level2_rate").published;
    assert_eq!(published.len(), 1);
    assert_eq!((published[0].numerator, published[0].denominator), (Some(230_540), Some(264_866)));
    assert_eq!(published[0].source.as_deref(), Some("Công an thành phố"));
}

#[test]
fn every_figure_opens_into_as_many_lines_as_it_says() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let asked = half_year();
    let page = lead.app().figures().list_figures(asked.clone()).expect("figures");
    let known = Indicators::packaged();
    for row in page.activity.iter().chain(&page.coverage) {
        if known.parts_of(known.get(&row.indicator).expect("known")).is_some() {
            continue;
        }
        let (pages, count) = all_lines(&mut lead, &row.indicator, &asked);
        assert_eq!((count as u64, pages[0].count, pages[0].value), (row.lines, row.lines, row.value));
    }
    let (pages, count) = all_lines(&mut lead, "turns", &asked);
    assert_eq!(count as i64, value(&page, "turns").expect("a count"));
    assert!(pages[0].lines.iter().all(|line| line.visit.is_some()), "down to the visits");
}

#[test]
fn lines_come_in_pages_of_a_hundred_and_none_twice() {
    let mut team = Team::new();
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut lead);
    let turns = vec![(None, "vneid_level2@1", NEW); 230];
    lead.visit(&team, None, "2024-02-01", &turns);
    let (pages, count) = all_lines(&mut lead, "turns", &half_year());
    let sizes: Vec<_> = pages.iter().map(|page| page.lines.len()).collect();
    assert_eq!((sizes, count), (vec![100, 100, 30], 230));
    let rows: std::collections::BTreeSet<_> =
        pages.iter().flat_map(|page| &page.lines).map(|line| line.row).collect();
    assert_eq!(rows.len(), 230);
}

#[test]
fn a_place_of_today_counts_the_rows_of_the_units_it_was_made_of() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let at = |code: &str| Asked { unit: UnitCode::parse(code), ..half_year() };
    let mut visits = |code: &str| {
        let page = lead.app().figures().list_figures(at(code)).expect("figures");
        (value(&page, "visits"), page.split_units)
    };
    // 06838 of the old list is the town that went wholly into 06838 of today.
    assert_eq!(visits("06838@2024").0, Some(3));
    let (of_today, split) = visits("06838@2025");
    assert_eq!(of_today, Some(3));
    assert!(!split.is_empty(), "a commune of which a part went there is named");
    assert_eq!(visits("22@2025").0, Some(3));
    assert_eq!(visits("06841@2025").0, Some(0));
}

#[test]
fn what_the_hub_has_not_confirmed_is_said() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    assert_eq!((page.as_of.unarrived, page.as_of.last_sync_at), (3, None));
    let (_, change) = lead.written().remove(2);
    lead.with_replica(|replica| {
        let sql =
            "INSERT INTO receipts (writer, first_seq, last_seq, scope, position) VALUES (?1, ?2, ?2, 1, 1)";
        let key = (change.key.writer.0 as i64, change.key.seq);
        replica.connection().execute(sql, key).expect("a receipt");
    });
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    assert_eq!(page.as_of.unarrived, 2);
}

#[test]
fn a_figure_is_explained_in_words_and_parts() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let explain =
        |by: &str| Explain { indicator: "turns".to_owned(), asked: half_year(), by: Some(by.to_owned()) };
    let told = lead.app().figures().explain_figure(explain("service_code")).expect("explains");
    assert!(told.is_activity && !told.meaning.vi.is_empty());
    let parts: Vec<_> = told.parts.into_iter().map(|part| (part.part, part.value)).collect();
    let text = |text: &str| PartValue::Text { value: text.to_owned() };
    assert_eq!(
        parts,
        [(text("portal_first_login"), Some(1)), (text("sim_4g"), Some(2)), (text("vneid_level2"), Some(3)),]
    );
    let refused = lead.app().figures().explain_figure(explain("person_id"));
    assert_eq!(refused, Err(invalid("by", "unknown")));
}

#[test]
fn an_indicator_published_since_is_counted_too() {
    let mut team = Team::new();
    let mut newer = Indicators::packaged().newest("visits").expect("an indicator").clone();
    newer.version = 2;
    let body = serde_json::to_string(&newer).expect("json");
    team.write(
        "content_item",
        &[("kind", "indicator".into()), ("code", "visits@2".into()), ("body", body.into())],
    );
    let mut lead = worked(&mut team);
    let page = lead.app().figures().list_figures(half_year()).expect("figures");
    let versions: Vec<_> = page.activity.iter().filter(|row| row.indicator.starts_with("visits@")).collect();
    assert_eq!(versions.len(), 1);
    assert_eq!((versions[0].indicator.as_str(), versions[0].value), ("visits@2", Some(3)));
}

#[test]
fn figures_by_code_and_days_are_those_of_the_days() {
    let mut team = Team::new();
    let mut lead = worked(&mut team);
    let asked = json!({"from": "2024-01-01", "to": "2024-03-04", "indicators": ["turns", "visits@1"]});
    let page = lead.app().call("figures.list_figures", asked).expect("figures");
    let told: Vec<_> = page["activity"].as_array().expect("rows").iter().map(|row| &row["value"]).collect();
    assert_eq!(told, [3, 1]);
}

#[test]
fn a_wrong_question_is_refused_by_its_field() {
    let mut team = Team::new();
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut lead);
    let mut asked = |asked: Asked| lead.app().figures().list_figures(asked).map(drop);
    assert_eq!(asked(Asked::default()), Err(invalid("asked.from", "missing")));
    let period = Asked { period: Some("2024".to_owned()), ..Asked::default() };
    assert_eq!(asked(period), Err(invalid("asked.period", "not_a_period")));
    let turned = Asked { from: Some(day("2024-02-01")), to: Some(day("2024-01-01")), ..Asked::default() };
    assert_eq!(asked(turned), Err(invalid("asked.to", "before_from")));
    let unknown = Asked { indicators: vec!["wealth".to_owned()], ..half_year() };
    assert_eq!(asked(unknown), Err(invalid("indicator", "unknown")));
    let rate = FindLines { indicator: "success_rate".to_owned(), asked: half_year(), after: None };
    let refused = lead.app().figures().list_figure_lines(rate);
    assert_eq!(refused, Err(invalid("indicator", "is_a_rate")));
}

#[test]
fn figures_are_for_those_who_lead() {
    let mut team = Team::new();
    for role in [MEMBER, TRAINER] {
        let mut phone = team.enrol("Chìu Sám Múi", role);
        team.bring(&mut phone);
        assert_eq!(phone.app().figures().list_figures(half_year()), Err(not_allowed("role")));
    }
}
