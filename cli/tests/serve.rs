//! The hub as an operator runs it: settings, health, signals, and what it says when it cannot start.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::{Desk, Hub, Serving};

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let desk = Desk::new();
    desk.write("hub.toml", "data = \"from-file\"\nlisten = \"127.0.0.1:1\"\n[limits]\nrequests = 9\n");
    let by_file = [("LANGSO_LISTEN", "127.0.0.1:0")];
    let serving = Serving::start_with(&desk, &["--config", "hub.toml"], &by_file);
    assert!(desk.path("from-file/hub.db").is_file(), "the file's folder, the environment's port");
    assert_eq!(serving.stop().0, 0);

    let by_environment = [("LANGSO_LISTEN", "127.0.0.1:0"), ("LANGSO_DATA", "from-environment")];
    let serving = Serving::start_with(&desk, &["--config", "hub.toml"], &by_environment);
    assert!(desk.path("from-environment/hub.db").is_file());
    drop(serving);

    let serving =
        Serving::start_with(&desk, &["--config", "hub.toml", "--data", "from-flag"], &by_environment);
    assert!(desk.path("from-flag/hub.db").is_file());
    assert_eq!(serving.greeting["fingerprint"].as_str().map(str::len), Some(26));
}

#[test]
fn an_unknown_key_refuses_the_start_and_names_file_line_and_key() {
    let desk = Desk::new();
    desk.write("hub.toml", "data = \"hub\"\n\n[limits]\nrequest = 9\n");
    let said = desk.run(&["serve", "--config", "hub.toml"]).fails(2);
    assert!(said.contains("hub.toml:4: request") && said.contains("cli.config_unknown_key"), "{said}");
    assert!(!desk.path("hub").exists(), "nothing was made");

    desk.write("hub.toml", "data = \"hub\"\nlisten = \"here\"\n");
    let said = desk.run(&["serve", "--config", "hub.toml"]).fails(2);
    assert!(said.contains("hub.toml:2: listen"), "{said}");
    let said = desk.run(&["serve", "--config", "none.toml"]).fails(2);
    assert!(said.contains("cli.config_unreadable"), "{said}");
    let said = desk.run(&["serve"]).fails(2);
    assert!(said.contains("cli.no_data"), "{said}");
}

#[test]
fn a_taken_port_and_a_folder_that_cannot_be_one_end_with_four() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = desk.run(&["serve", "--data", "hub", "--listen", &address]).fails(4);
    assert!(said.contains(&address) && said.contains("cli.listen"), "{said}");
    desk.write("file", "");
    let said = desk.run(&["serve", "--data", "file/hub", "--listen", "127.0.0.1:0"]).fails(4);
    assert!(said.contains("locked.folder_read_only"), "{said}");
}

#[test]
fn a_log_without_its_key_is_not_opened_with_a_new_one() {
    let desk = Desk::new();
    desk.run(&["admin", "--at", "hub", "init"]).ok();
    std::fs::remove_file(desk.path("hub/hub.key")).expect("removed");
    let said = desk.run(&["serve", "--data", "hub", "--listen", "127.0.0.1:0"]).fails(1);
    assert!(said.contains("cli.hub_key"), "{said}");
    assert!(!desk.path("hub/hub.key").exists());
}

#[test]
fn it_tells_its_health_and_logs_as_json_without_names() {
    let desk = Desk::new();
    let args = ["--data", "hub", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let serving = Serving::start(&desk, &args);
    assert_eq!(serving.get("/healthz"), "HTTP/1.1 200 OK");
    let (code, log) = serving.stop();
    assert_eq!(code, 0);
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(log.contains("listening") && log.contains("stopped"), "{log}");
}

#[test]
fn sigterm_in_the_middle_of_a_push_ends_well_and_the_phone_loses_nothing() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.phone("lead", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    // A push that has begun and will never end.
    let mut push = TcpStream::connect(hub.serving.address()).expect("connects");
    let head = "POST /v1/sync HTTP/1.1\r\nHost: hub\r\nContent-Length: 100000\r\n\r\n";
    push.write_all(head.as_bytes()).expect("begins");
    push.write_all(&[0; 1_000]).expect("goes on");
    let Hub { desk, serving } = hub;
    let address = serving.address().to_owned();
    let (code, log) = serving.stop();
    assert_eq!(code, 0, "{log}");
    let _ = push.read_to_end(&mut Vec::new());

    let said = desk.run(&["phone", "--at", "lead", "sync"]).fails(3);
    assert!(said.contains("offline.hub_unreachable"), "{said}");
    let status = desk.run(&["phone", "--at", "lead", "status", "--json"]).ok();
    assert!(status.contains("\"on_phone\":1"), "{status}");

    let _again = Serving::start(&desk, &["--data", "hub", "--listen", &address]);
    desk.run(&["phone", "--at", "lead", "sync"]).ok();
    let status = desk.run(&["phone", "--at", "lead", "status", "--json"]).ok();
    assert!(status.contains("\"on_phone\":0") && status.contains("\"at_hub\":1"), "{status}");
}
