//! `langso simulate`, as a person or a script runs it.

use std::process::{Command, Output};

use serde_json::Value;

fn simulate(args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_langso"));
    program.arg("simulate").args(args).output().expect("runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn seeds_give_json_with_nothing_lost_and_nothing_diverged() {
    let out = simulate(&["--seeds", "6", "--from", "40", "--steps", "150", "--json"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!((&report["seeds"], &report["from"]), (&6.into(), &40.into()));
    for nothing in ["lost", "diverged", "stale_wins", "violations"] {
        assert_eq!(report[nothing], 0, "{nothing}");
    }
    assert_eq!(report["signatures"], "real");
    assert_eq!(report["broken"], Value::Array(Vec::new()));
    for key in ["steps", "writes", "applied", "steps_per_minute"] {
        assert!(report[key].as_u64() > Some(0), "{key}");
    }
    assert!(report["seconds"].is_number());
}

#[test]
fn a_seed_tells_its_steps_and_tells_the_same_again() {
    let [first, again] = [(); 2].map(|()| simulate(&["--seed", "7", "--steps", "120", "--trace"]));
    assert!(first.status.success(), "{}", text(&first.stderr));
    let steps = |out: &Output| -> Vec<String> {
        let lines = text(&out.stdout).lines().take_while(|line| !line.contains("hạt"));
        lines.map(str::to_owned).collect()
    };
    assert!(steps(&first).len() > 50);
    assert_eq!(steps(&first), steps(&again));
}

#[test]
fn a_trace_is_of_one_seed() {
    let out = simulate(&["--trace"]);
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn a_rule_that_is_left_out_is_caught_with_the_seed_to_replay() {
    let out = simulate(&["--break", "no-row-bump", "--json"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let found: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let left_out = &found["breaks"][0];
    assert_eq!((&left_out["break"], &found["missed"]), (&"no-row-bump".into(), &0.into()));
    let seed = left_out["caught"]["seed"].to_string();
    let again = simulate(&["--seed", &seed, "--break", "no-row-bump", "--trace", "--lang", "en"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stdout).contains("EditShows"), "{}", text(&again.stdout));
}

#[test]
fn a_rule_that_too_few_seeds_cannot_miss_is_a_failure() {
    let out = simulate(&["--break", "no-row-bump", "--seeds", "1", "--steps", "1"]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stdout));
}

#[test]
fn breaks_are_listed_with_what_each_protects() {
    let out = simulate(&["--list-breaks"]);
    assert!(out.status.success());
    let listed = text(&out.stdout);
    for name in ["writer-survives-restore", "wall-clock", "applied-memory-left-out", "sequence-for-counter"] {
        assert!(
            listed.lines().any(|line| line.trim_start().starts_with(name) && line.len() > name.len() + 20),
            "{name}"
        );
    }
    assert_eq!(simulate(&["--break", "nothing-of-the-kind"]).status.code(), Some(2));
}
