//! The parameters of a campaign and its published figures, damaged.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../core/sync/tests/fuzz/mill.rs"]
mod mill;

use langso::campaign::Parameters;
use langso::campaign::stock::read_stock;

#[test]
fn damaged_parameters_of_a_campaign() {
    let fuzz = mill::Fuzz { name: "campaign", cases: 3_000, pieces: mill::TEXT, bound: 16 << 20 };
    mill::run(&fuzz, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        match Parameters::read(text) {
            Ok(parameters) => !parameters.teams.is_empty(),
            Err(error) => error.to_string().is_empty(),
        }
    });
}

#[test]
fn damaged_published_figures() {
    let fuzz = mill::Fuzz { name: "stock", cases: 3_000, pieces: mill::TEXT, bound: 16 << 20 };
    mill::run(&fuzz, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let Ok(figures) = read_stock(text) else { return false };
        for (figure, line) in figures.iter().zip(text.lines().skip(1)) {
            let value = format!("{}.{:03}", figure.value / 1_000, figure.value % 1_000);
            let written = line.split(',').nth(3).unwrap();
            let same = |text: &str| {
                let (whole, part) = text.split_once('.').unwrap_or((text, ""));
                (whole.trim_start_matches('0').to_owned(), format!("{part:0<3}"))
            };
            assert_eq!(same(&value), same(written), "{line}");
        }
        !figures.is_empty()
    });
}
