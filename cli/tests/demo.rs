//! The demo as a whole: the real program, its processes, its folder.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use langso::campaign::{Ledger, Parameters, TeamNo, What, generate, tally};
use langso_device::companion::figures::{Asked, FindLines};
use langso_device::{Companion, SystemTime};
use langso_domain::units::{UnitCode, Units};
use serde_json::Value;

fn ledger(seed: Option<u64>) -> Ledger {
    let parameters = Parameters::packaged().unwrap();
    generate(&parameters, seed.unwrap_or(parameters.seed)).unwrap()
}

fn demo(folder: &Path, arguments: &[&str]) -> (Output, Value) {
    let json = folder.join("demo.json");
    let output = Command::new(env!("CARGO_BIN_EXE_langso"))
        .arg("demo")
        .args(arguments)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--json")
        .arg(&json)
        .output()
        .unwrap();
    let json = std::fs::read(json).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output, serde_json::from_slice(&json).unwrap())
}

/// What the ledger says of those teams, row by row.
fn tally_of(ledger: &Ledger, teams: &[u8]) -> BTreeMap<String, f64> {
    let rows = tally(ledger).into_iter();
    let value = |per_team: &[u64]| teams.iter().map(|team| per_team[usize::from(*team) - 1]).sum::<u64>();
    rows.map(|row| (row.seed_row.to_owned(), value(&row.per_team) as f64)).collect()
}

fn column(json: &Value, name: &str) -> BTreeMap<String, f64> {
    let rows = json["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["seed_row"].as_str().unwrap().to_owned(), row[name].as_f64().unwrap())).collect()
}

const ROWS: [&str; 17] =
    ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10a", "10b", "11a", "11b", "12", "13", "14a", "14b"];

#[test]
fn phones_hub_and_tally_agree_in_every_row_and_a_figure_opens_into_its_visits() {
    let folder = tempfile::tempdir().unwrap();
    let teams = [1, 10, 11, 12];
    let (output, json) = demo(folder.path(), &["--teams", "1,10,11,12", "--seed", "7"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));

    let ledger = ledger(Some(7));
    let rows: Vec<&str> =
        json["rows"].as_array().unwrap().iter().map(|row| row["seed_row"].as_str().unwrap()).collect();
    assert_eq!(rows, ROWS);
    assert_eq!(column(&json, "phone"), column(&json, "tally"));
    assert_eq!(column(&json, "hub"), column(&json, "tally"));
    for (row, value) in tally_of(&ledger, &teams) {
        assert_eq!(column(&json, "phone")[&row], value, "{row}");
        assert!(value > 0.0, "row {row} is put to the test");
    }
    for row in json["rows"].as_array().unwrap() {
        for text in ["words", "operator", "unit", "as_of", "source"] {
            assert!(!row[text].as_str().unwrap().is_empty(), "{text} of {row}");
        }
    }
    let phones = ledger.header.phones.iter().filter(|phone| teams.contains(&(phone.team.0 + 1))).count();
    assert_eq!(json["phones"], phones);
    let count = |is: &dyn Fn(&What) -> bool| {
        let of_teams = ledger.events.iter().filter(|event| teams.contains(&(event.team.0 + 1)));
        of_teams.filter(|event| is(&event.what)).count()
    };
    assert_eq!(json["visits"], count(&|what| matches!(what, What::Visit(_))));
    assert_eq!(json["households"], count(&|what| matches!(what, What::Household(_))));
    for number in ["bytes_up", "bytes_down", "seconds"] {
        assert!(json[number].as_f64().unwrap() > 0.0, "{number}");
    }
    for row in ROWS {
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(row)), "{row} is printed");
    }

    let data = PathBuf::from(json["data"].as_str().unwrap());
    let lead = Companion::open(&lead_of(&data, &ledger, TeamNo(0)), Arc::new(SystemTime)).unwrap();
    opens_into_visits(&lead, &ledger);
    counts_old_communes_where_they_are_today(&lead, &ledger);
    no_log_names_anybody(&data, &ledger);
}

fn lead_of(data: &Path, ledger: &Ledger, team: TeamNo) -> PathBuf {
    let of = &ledger.header.teams[team.index()];
    let phone = of.members[of.lead().index()].phone;
    data.join(format!("team-{:02}/phone-{:02}/lead", team.0 + 1, phone.0 + 1))
}

fn opens_into_visits(lead: &Companion, ledger: &Ledger) {
    let asked = Asked { period: Some("2024-H1".to_owned()), ..Asked::default() };
    let mut find = FindLines { indicator: "portal_first_logins".to_owned(), asked, after: None };
    let (mut lines, mut value) = (Vec::new(), None);
    loop {
        let page = lead.figures().list_figure_lines(find.clone()).unwrap();
        value = value.or(page.value);
        lines.extend(page.lines);
        find.after = page.next;
        if find.after.is_none() {
            break;
        }
    }
    assert_eq!(value, Some(lines.len() as i64));
    assert_eq!(lines.len() as f64, tally_of(ledger, &[1])["14a"]);
    assert!(lines.iter().all(|line| line.visit.is_some()), "every line is of a visit");
}

/// Visits hold the commune of their date; a commune of today is made of them.
fn counts_old_communes_where_they_are_today(lead: &Companion, ledger: &Ledger) {
    let units = Units::packaged();
    let today = |code: &str| units.today_of(UnitCode::parse(code).unwrap()).unwrap();
    let mut expected: BTreeMap<UnitCode, i64> = BTreeMap::new();
    for event in ledger.events.iter().filter(|event| event.team == TeamNo(0)) {
        if let What::Visit(visit) = &event.what {
            assert!(visit.unit.ends_with("@2024"));
            *expected.entry(today(&visit.unit)).or_default() += visit.rows.len() as i64;
        }
    }
    assert!(!expected.is_empty());
    for (unit, turns) in expected {
        let asked = Asked {
            period: Some("2024-Y".to_owned()),
            unit: Some(unit),
            indicators: vec!["turns".to_owned()],
            ..Asked::default()
        };
        let page = lead.figures().list_figures(asked).unwrap();
        assert_eq!(page.activity[0].value, Some(turns), "{unit}");
        let own = &ledger.header.teams[0].units;
        let split = page.split_units.iter().find(|split| own.contains(&split.to_string()));
        assert_eq!(split, None, "the team's communes went whole into {unit}");
    }
}

fn no_log_names_anybody(data: &Path, ledger: &Ledger) {
    let mut private: Vec<String> = Vec::new();
    for event in &ledger.events {
        if let What::Contact(contact) = &event.what {
            private.extend([contact.display_name.clone(), contact.phone_number.clone()]);
        }
    }
    let members = ledger.header.teams.iter().flat_map(|team| &team.members);
    private.extend(members.map(|member| member.name.clone()));
    let logs: Vec<PathBuf> =
        std::fs::read_dir(data.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(logs.len() > 4);
    let mut said = 0;
    for log in logs {
        let text = std::fs::read_to_string(&log).unwrap();
        said += text.len();
        let found = private.iter().find(|one| text.contains(one.as_str()));
        assert!(found.is_none(), "{} holds a name or number", log.display());
    }
    assert!(said > 0, "the hub said something");
}

#[test]
fn a_team_whose_phones_are_lost_before_they_sync_is_missing_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (output, json) = demo(folder.path(), &["--teams", "3,11,12", "--lose", "3"]);
    assert_eq!(output.status.code(), Some(1), "phones and hub cannot agree with the tally");
    assert!(!folder.path().join("data/team-03").exists());
    let ledger = ledger(None);
    let (all, lost) = (tally_of(&ledger, &[3, 11, 12]), tally_of(&ledger, &[3]));
    assert!(lost["1"] > 0.0 && lost["14a"] > 0.0 && lost["14b"] > 0.0);
    for (row, value) in all {
        assert_eq!(column(&json, "tally")[&row], value, "{row}");
        assert_eq!(column(&json, "hub")[&row], value - lost[&row], "{row}");
        assert_eq!(column(&json, "phone")[&row], value - lost[&row], "{row}");
    }
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thư.txt"), "quan trọng").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_langso"))
        .args(["demo", "--teams", "12", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("demo.folder"));
    assert_eq!(std::fs::read_to_string(folder.path().join("thư.txt")).unwrap(), "quan trọng");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was added");
}
