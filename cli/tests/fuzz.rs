//! The parameters of a campaign, damaged.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../core/sync/tests/fuzz/mill.rs"]
mod mill;

use langso::campaign::Parameters;

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
