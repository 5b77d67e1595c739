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
    assert_eq!((&report["lost"], &report["diverged"]), (&0.into(), &0.into()));
    assert_eq!(report["broken"], Value::Array(Vec::new()));
    for key in ["steps", "saves", "applied", "steps_per_minute"] {
        assert!(report[key].as_u64() > Some(0), "{key}");
    }
    assert!(report["seconds"].is_number());
}

#[test]
fn a_seed_tells_its_steps_and_tells_the_same_again() {
    let [first, again] = [(); 2].map(|()| simulate(&["--seed", "7", "--steps", "120", "--trace"]));
    assert!(first.status.success(), "{}", text(&first.stderr));
    let steps = |out: &Output| -> Vec<String> {
        let lines = text(&out.stdout).lines().take_while(|line| !line.contains("bước"));
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
