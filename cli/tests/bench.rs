//! `langso bench`: every line that there is comes out, on a small workload whose numbers mean nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use langso::bench::HOLDS;
use serde_json::Value;

fn bench(folder: &std::path::Path, arguments: &[&str]) -> Vec<Value> {
    let file = folder.join("lines.json");
    let told = Command::new(env!("CARGO_BIN_EXE_langso"))
        .args(["bench", "--small", "--at"])
        .arg(folder.join("at"))
        .arg("--json")
        .arg(&file)
        .args(arguments)
        .env_remove("LANGSO_PHONE_CORE")
        .env_remove("LANGSO_CALLS_KOTLIN")
        .env_remove("LANGSO_CALLS_SWIFT")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{text}{}", String::from_utf8_lossy(&told.stderr));
    let json = std::fs::read_to_string(&file).expect("a file");
    let lines: Vec<Value> = serde_json::from_str(&json).expect("a list");
    assert!(lines.iter().all(|line| text.contains(line["line"].as_str().expect("a name"))), "{text}");
    lines
}

#[test]
fn every_line_comes_out_with_its_value_what_it_must_hold_and_how_it_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    // In the place of the packages' programs: the one of Rust, which takes and tells the same.
    let program = folder.path().join("program");
    let script = format!("#!/bin/sh\nexec '{}' bench --calls \"$@\"\n", env!("CARGO_BIN_EXE_langso"));
    std::fs::write(&program, script).expect("a script");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("may be run");
    let program = program.to_str().expect("a path in UTF-8");
    let lines = bench(folder.path(), &["--kotlin", program, "--swift", program]);
    let names: Vec<&str> = lines.iter().filter_map(|line| line["line"].as_str()).collect();
    assert_eq!(names, HOLDS.map(|(name, ..)| name));
    for line in &lines {
        let keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["hold", "how", "line", "ok", "peer", "ratio", "reference", "unit", "value"]);
        assert!(line["ok"].is_boolean() && line["how"].as_str().is_some_and(|how| how.len() > 20), "{line}");
        let is_run = line["line"] != "core_mb";
        assert_eq!(line["value"].as_f64().is_some_and(|value| value > 0.0), is_run, "{line}");
        let has_none = ["day_40_killed_bytes", "core_mb"].contains(&line["line"].as_str().expect("a name"));
        assert_eq!(line["reference"].as_f64().is_some_and(|value| value > 0.0), !has_none, "{line}");
    }
    let left = std::fs::read_dir(folder.path().join("at")).expect("a folder").count();
    assert_eq!(left, 0, "databases are gone");
}

#[test]
fn some_lines_come_alone_and_a_line_that_cannot_be_measured_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = bench(folder.path(), &["--only", "search_p95", "core_mb"]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["value"].is_number());
    assert!(lines[1]["how"].as_str().is_some_and(|how| how.starts_with("NOT RUN")), "{lines:?}");
    assert_eq!(lines[1]["ok"], false);
}
