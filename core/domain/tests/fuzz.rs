//! What the packaged files are read by, and newer ones that come by sync: damaged content, units and indicators, and
//! free text as people write it. No panic, no memory beyond the limits, and what is accepted can be used.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../sync/tests/fuzz/mill.rs"]
mod mill;

use langso_domain::content::{Content, ContentKind, ContentRef};
use langso_domain::date::CivilDate;
use langso_domain::indicators::Indicators;
use langso_domain::never_store::check_free_text;
use langso_domain::period::Period;
use langso_domain::text;
use langso_domain::units::{UnitCode, Units};
use mill::Fuzz;

fn fuzz(name: &'static str, cases: u64, try_one: fn(&[u8]) -> bool) {
    // Ready before anything is counted: the release's own content and units.
    let _ = (Content::packaged(), Units::packaged());
    mill::run(&Fuzz { name, cases, pieces: mill::TEXT, bound: 16 << 20 }, try_one);
}

const KINDS: [ContentKind; 5] = [
    ContentKind::Tutorial,
    ContentKind::Service,
    ContentKind::FailureCode,
    ContentKind::Consent,
    ContentKind::List,
];

/// An item as a hub publishes it. What is accepted joins the set without pushing anything out.
fn content(bytes: &[u8]) -> bool {
    let Ok(json) = std::str::from_utf8(bytes) else { return false };
    let mut accepted = false;
    for kind in KINDS {
        match Content::read_item(kind, json) {
            Ok(item) => {
                accepted = true;
                assert_eq!(item.kind(), kind);
                let body = (kind.name().to_owned(), json.to_owned());
                let with = Content::with_published(&[body]);
                let packaged = Content::packaged();
                assert!(packaged.with(item.clone()).is_err() || with.holds(&item));
            }
            Err(faults) => {
                assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.to_string().is_empty()))
            }
        }
    }
    accepted
}

/// Both tables in one example, units first, a line of dashes between.
fn units(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (units, succession) = text.split_once("\n----\n").unwrap_or((text, ""));
    let Ok(units) = Units::parse(units, succession) else { return false };
    let all: Vec<_> = units.all_on(units.as_of()).map(|unit| unit.code).collect();
    for code in all {
        assert!(units.get(code, units.as_of()).is_some());
        // A table may know an end that is still to come.
        let ends = units.latest(code).and_then(|unit| unit.valid_to);
        assert!(units.is_current(code) || ends.is_some_and(|end| end > units.as_of()));
        // Walks along successions and parents come to an end.
        let _ =
            (units.all_today_of(code), units.places_of(code), units.province_of(code), units.children(code));
        assert_eq!(UnitCode::parse(&code.to_string()), Some(code));
    }
    let _ = units.find("xa hoanh mo", 5);
    true
}

fn indicators(bytes: &[u8]) -> bool {
    let Ok(json) = std::str::from_utf8(bytes) else { return false };
    let Ok(indicators) = Indicators::read(json) else { return false };
    for indicator in indicators.all() {
        let _ = indicators.parts_of(indicator);
    }
    let _ = Indicators::with_published(&[json.to_owned()]);
    true
}

/// Whatever a person or a program may hand in as a line of text.
fn lines(bytes: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(bytes) else { return false };
    let findings = check_free_text(line);
    assert_eq!(check_free_text(line), findings, "the same text is judged the same");
    let folded = text::fold(line);
    assert_eq!(text::fold(&folded), folded, "folding twice is folding once");
    let _ = text::phone::normalize(line);
    if let Some(date) = CivilDate::parse_iso(line) {
        assert_eq!(date.to_string(), line);
    }
    if let Some(code) = UnitCode::parse(line) {
        assert_eq!(UnitCode::parse(&code.to_string()), Some(code));
    }
    if let Ok(reference) = line.parse::<ContentRef>() {
        assert_eq!(reference.to_string().parse::<ContentRef>().ok(), Some(reference));
    }
    if let Ok(period) = line.parse::<Period>() {
        assert_eq!(period.to_string().parse::<Period>().ok(), Some(period));
        assert!(period.from() <= period.to());
    }
    let _ = Units::packaged().find(line, 3);
    true
}

#[test]
fn published_content() {
    fuzz("content", 3_000, content);
}

#[test]
fn tables_of_units() {
    fuzz("units", 2_000, units);
}

#[test]
fn published_indicators() {
    fuzz("indicators", 2_000, indicators);
}

#[test]
fn lines_of_text() {
    fuzz("lines", 800, lines);
}
