//! What every verb has in common: help, arguments, plain output, the language.

mod support;

use std::process::Stdio;

use support::{Desk, Hub, finish, langso};

/// The verbs of one page of help.
fn verbs(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| !line.starts_with("Lệnh · verbs")).skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    // A verb begins in the third column; words that went over to the next line begin further in.
    let names = listed.filter(|line| line.as_bytes().get(2).is_some_and(|byte| *byte != b' '));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Every letter of Vietnamese has a form of its own in NFC: no mark stands by itself.
fn is_composed(text: &str) -> bool {
    !text.chars().any(|character| ('\u{300}'..='\u{36f}').contains(&character))
}

fn every_page(desk: &Desk, path: &mut Vec<String>, pages: &mut Vec<(String, String)>) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let help = desk.run(&args).ok();
    let inner = verbs(&help);
    pages.push((path.join(" "), help));
    for verb in inner {
        path.push(verb);
        every_page(desk, path, pages);
        path.pop();
    }
}

#[test]
fn every_verb_explains_itself_in_both_languages() {
    let mut pages = Vec::new();
    every_page(&Desk::new(), &mut Vec::new(), &mut pages);
    assert!(pages.len() > 40, "{:?}", pages.iter().map(|(path, _)| path).collect::<Vec<_>>());
    for (path, help) in &pages {
        assert!(help.contains("Cách dùng · usage: langso"), "{path}");
        assert!(help.lines().next().is_some_and(|line| line.contains(" · ")), "{path}: {help}");
        assert!(is_composed(help), "{path} is not in NFC");
        assert!(!help.contains("bạn"), "{path}");
        // The words of an option stand beside it, or below it where it is long.
        let options: Vec<_> = help.split("Ví dụ · examples").next().unwrap_or_default().lines().collect();
        for pair in options.windows(2).filter(|pair| pair[0].trim_start().starts_with("--")) {
            let is_explained = pair[0].contains(" · ") || pair[1].contains(" · ") || pair[0].contains("[env");
            assert!(is_explained, "an option without a word, {path}: {}", pair[0]);
        }
    }
    let examples = ["", "serve", "admin", "phone", "figures", "inspect", "phone visit", "phone tutorial"];
    for path in examples {
        let (_, help) = pages.iter().find(|(of, _)| of == path).expect(path);
        assert!(help.contains("Ví dụ · examples"), "{path}");
    }
}

#[test]
fn wrong_arguments_name_what_is_wrong_and_end_with_two() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let phone = |args: &[&str]| hub.desk.run(&[&["phone", "--at", "lead"], args].concat()).fails(2);
    for (args, named) in [
        (&["visit", "log", "--no-household", "--service", "T1=tốt"][..], "--service"),
        (&["visit", "log", "--no-household", "--service", "T99=new"], "T99"),
        (&["visit", "log", "--no-household", "--service", "T1"], "input.bad_service"),
        (&["visit", "log", "--service", "T1=new"], "--household"),
        (&["visit", "log", "--no-household"], "--service"),
        (&["visit", "log", "--household", "Hộ 99", "--service", "T1=new"], "Hộ 99"),
        (&["visit", "log", "--no-household", "--service", "T1=new", "--date", "31/02/2026"], "--date"),
        (&["household", "add", "--hamlet", "Xa", "--consent", "witness"], "--hamlet"),
        (&["household", "add"], "--consent"),
        (&["team", "days", "tháng ba"], "MONTH"),
        (&["visit", "logg"], "logg"),
    ] {
        let said = phone(args);
        assert!(said.starts_with("Lỗi: ") && said.contains(named), "{args:?}: {said}");
    }
    let said = hub.desk.run(&["phone", "team"]).fails(2);
    assert!(said.contains("--at"), "{said}");
    let said = hub.desk.run(&["phone", "--at", "none", "team"]).fails(2);
    assert!(said.contains("cli.no_phone_here"), "{said}");
    assert!(!hub.desk.path("none").exists(), "looking makes no phone");
    let said = hub.desk.run(&["admin", "--at", "none", "list", "teams"]).fails(2);
    assert!(said.contains("cli.no_hub_here"), "{said}");
    let said = hub.desk.run(&["figures", "--at", "lead", "list", "--period", "2024-H3"]).fails(1);
    assert!(said.contains("asked.period") && said.contains("input.not_a_period"), "{said}");
}

#[test]
fn piped_output_holds_no_control_characters_and_lines_up_in_vietnamese() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    // What somebody wrote elsewhere must not move the cursor here.
    hub.phone("lead", &["household", "add", "--hint", "cạnh suối", "--consent", "witness"]);
    hub.phone(
        "lead",
        &["household", "add", "--label", "Hộ Đ", "--consent", "sign", "--person", "nữ,60 trở lên"],
    );
    let list = hub.phone("lead", &["household", "list"]);
    for text in [&list, &hub.phone("lead", &["today"]), &hub.phone("lead", &["team", "members"])] {
        let control = text.chars().find(|it| it.is_control() && *it != '\n');
        assert_eq!(control, None, "{text:?}");
        assert!(is_composed(text), "{text:?} is not in NFC");
    }
    let ids: Vec<usize> = list.lines().map(|line| line.chars().count()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{list}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let desk = Desk::new();
    let mut command = langso();
    command.args(["phone", "call", "--list"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("it ends");
    assert_eq!((done.status.code(), done.stderr.len()), (Some(0), 0));
    drop(desk);
}

#[test]
fn labels_follow_the_language_and_errors_come_in_both() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let team = hub.phone("lead", &["team", "--lang", "en"]);
    assert!(team.contains("Commune: ") && team.contains("Team lead"), "{team}");
    let mut command = langso();
    command.args(["phone", "--at", "lead", "team"]).env("LANGSO_LANG", "vi");
    command.current_dir(hub.desk.folder.path());
    assert!(finish(command, "").ok().contains("Vai trò: Tổ trưởng"));
    let said = hub.desk.run(&["--lang", "en", "phone", "--at", "none", "team"]).fails(2);
    assert!(said.starts_with("Lỗi: ") && said.contains("\nError: "), "{said}");
}
