//! An operator's verbs on a hub's folder, also while it serves: all of an input or nothing of it, and the place of
//! every fault.

mod support;

use langso_domain::id::{DeviceId, ScopeId};
use langso_domain::registry::{CURRENT, Role};
use langso_hub::clock::Millis;
use langso_hub::log::Log;
use support::{Desk, Hub, last_word};

#[test]
fn figures_are_imported_whole_or_not_at_all_and_a_second_import_is_a_new_version() {
    let hub = Hub::start();
    let import = || hub.desk.run(&["admin", "--at", "hub", "stock", "import", "figures.csv"]);
    let head = "unit,indicator,operator,value,numerator,denominator,source,date\n";
    let good = "06838@2025,digital_signatures,>,\"1.200\",,,Báo cáo số 1,2026-09-01\n";
    let bad = "06838@2025,digital_signatures,>>,nhiều,,,Báo cáo,2026-09-02\n";
    hub.desk.write("figures.csv", &format!("\u{feff}{head}{good}{bad}"));
    let said = import().fails(1);
    assert!(said.contains("3:operator:") && said.contains("3:value:") && said.contains("cli.csv"), "{said}");
    hub.desk.write("figures.csv", &format!("{head}{good}"));
    assert!(import().ok().contains("Đã nhập 1 số liệu, 0 số là bản mới"), "nothing came of the first file");
    hub.desk.write("figures.csv", &format!("{head}{}", good.replace("1.200", "1.300")));
    assert!(import().ok().contains("1 số liệu, 1 số là bản mới"));

    hub.enrol("lead", "Đượm");
    let figures = ["figures", "--at", "lead", "list", "digital_signatures", "--period", "2026-Y"];
    let figures = hub.desk.run(&figures).ok();
    assert!(figures.contains("trên 1.300") && figures.contains("Báo cáo số 1"), "{figures}");
    assert!(!figures.contains("1.200"), "the newest version shows: {figures}");
}

#[test]
fn content_with_a_fault_names_file_and_field_and_publishes_nothing() {
    let hub = Hub::start();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let text = std::fs::read_to_string(folder.join("tutorials/T1.json")).expect("a tutorial");
    let publish =
        |args: &[&str]| hub.desk.run(&[&["admin", "--at", "hub", "content", "publish"], args].concat());
    let next = text.replacen("\"version\": 1", "\"version\": 2", 1);
    hub.desk.write("good.json", &next);
    hub.desk.write("bad.json", &next.replacen("\"D1\"", "\"Q9\"", 1).replacen("\"T1\"", "\"T2\"", 1));
    let said = publish(&["good.json", "bad.json"]).fails(1);
    assert!(said.contains("bad.json: ") && said.contains("Q9") && said.contains("cli.content"), "{said}");
    let done = publish(&["good.json"]).ok();
    assert!(done.contains("1 mục mới") && done.contains("T1@2"), "{done}");
    assert!(publish(&["good.json"]).ok().contains("0 mục mới, 1 mục có sẵn"));
    hub.enrol("lead", "Đượm");
    assert!(hub.phone("lead", &["tutorial", "list"]).contains("T1@2"));
}

#[test]
fn what_a_lost_phone_still_sends_waits_until_it_is_admitted() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.enrol("member", "Múi");
    let admin = |args: &[&str]| hub.desk.run(&[&["admin", "--at", "hub"], args].concat()).ok();
    let devices = admin(&["list", "devices"]);
    let device =
        devices.lines().find(|line| line.contains("Múi")).and_then(|line| line.split_whitespace().next());
    admin(&["revoke", device.expect("a device")]);
    assert!(admin(&["list", "devices"]).contains("báo mất"));
    hub.phone("member", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    let said = hub.desk.run(&["phone", "--at", "member", "sync"]).fails(1);
    assert!(said.contains("not_allowed.revoked"), "{said}");
    let waiting = admin(&["list", "set-aside"]);
    assert!(waiting.contains("Máy đã bị báo mất") && waiting.contains("Chìu Sám Múi"), "{waiting}");
    hub.phone("lead", &["sync"]);
    assert!(hub.phone("lead", &["visit", "list"]).contains("Chưa có lần giúp nào"));
    let name = waiting.split_whitespace().next().expect("a name").to_owned();
    assert!(admin(&["admit", &name]).contains("Đã nhận vào sổ"));
    assert!(admin(&["list", "set-aside"]).contains("Không có gì chờ"));
    hub.phone("lead", &["sync"]);
    assert!(hub.phone("lead", &["visit", "list"]).contains("VNeID mức 2"));
}

#[test]
fn names_and_places_are_understood_as_typed_and_faults_name_the_field() {
    let desk = Desk::new();
    let admin = |args: &[&str]| desk.run(&[&["admin", "--at", "hub"], args].concat());
    let made = admin(&["init"]).ok();
    assert!(made.contains("Đã tạo máy chủ") && last_word(&made).len() == 26, "{made}");
    assert!(admin(&["init"]).ok().contains("đã có ở đây"));
    admin(&["place", "add", "tinh quang ninh"]).ok();
    assert!(admin(&["place", "add", "22"]).fails(1).contains("cli.already_there"));
    let said = admin(&["place", "add", "Quảng Ninh"]).fails(2);
    assert!(said.contains("input.ambiguous") && said.contains("tỉnh Thanh Hóa"), "{said}");
    assert!(admin(&["list", "teams"]).ok().contains("Chưa có gì"));
    let team = ["team", "add", "--name", "Tổ một", "--unit", "binh lieu", "--founded"];
    let said = admin(&[&team[..], &["12/05/2022", "--kind", "làng"]].concat()).fails(2);
    assert!(said.contains("--kind (hamlet, "), "{said}");
    let said = admin(&[&team[..], &["31/04/2022", "--kind", "youth"]].concat()).fails(2);
    assert!(said.contains("--founded") && said.contains("input.bad_date"), "{said}");
    admin(&[&team[..], &["12/05/2022", "--kind", "thanh niên"]].concat()).ok();
    let member = ["member", "add", "--team", "to mot", "--name"];
    let said = admin(&[&member[..], &["Nguyễn 2"]].concat()).fails(1);
    assert!(said.contains("name: "), "{said}");
    let said = admin(&[&member[..], &["Nguyễn Văn An", "--from", "2020-01-01"]].concat()).fails(1);
    assert!(said.contains("from: ") && said.contains("input.before_team"), "{said}");
    admin(&[&member[..], &["Nguyễn Văn An"]].concat()).ok();
    let code = ["code", "--team", "Tổ một", "--member", "an"];
    assert!(admin(&code).fails(2).contains("cli.no_url"));
    let said = admin(&[&code[..], &["--url", "hub"]].concat()).fails(1);
    assert!(said.contains("url: ") && said.contains("input.not_an_address"), "{said}");
    let said = admin(&["list", "members", "--team", "Tổ hai"]).fails(2);
    assert!(said.contains("cli.unknown_team"), "{said}");
}

#[test]
fn a_turnover_says_what_it_would_do_and_a_member_who_left_sees_no_more() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.enrol("member", "Múi");
    let admin = |args: &[&str]| hub.desk.run(&[&["admin", "--at", "hub"], args].concat());
    let leave = ["turnover", "leave", "--team", "Ngàn Chi", "--member", "Múi"];
    let said = admin(&[&leave[..], &["--dry-run"]].concat()).ok();
    assert!(said.contains("Sẽ làm:") && said.contains("thôi từ"), "{said}");
    hub.phone("member", &["sync"]);
    hub.phone("lead", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    hub.phone("lead", &["sync"]);
    hub.phone("member", &["sync"]);
    assert!(!hub.phone("member", &["visit", "list"]).contains("Chưa có lần giúp nào"), "nothing was done");

    assert!(admin(&leave).ok().contains("Đã làm."));
    assert!(admin(&[&leave[..], &["--on", "2001-01-01"]].concat()).fails(1).contains("input.before_from"));
    let listed = admin(&["list", "members"]).ok();
    let of = listed.lines().find(|line| line.contains("Múi")).expect("a member");
    assert!(!of.contains("– "), "a last day stands there: {of}");
    let said = admin(&["turnover", "merge", "Ngàn Chi"]);
    assert_eq!(said.code, 2);
}

#[test]
fn a_team_splits_once_and_what_is_wrong_is_named() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.enrol("member", "Múi");
    let admin = |args: &[&str]| hub.desk.run(&[&["admin", "--at", "hub", "turnover"], args].concat());
    let split = ["split", "Ngàn Chi", "--name", "Tổ Sú Cáu", "--unit", "06838", "--founded", "hôm nay"];
    let of = |more: &[&'static str]| admin(&[&split[..], more].concat());
    let said = of(&["--member", "Múi", "--dry-run"]).ok();
    assert!(said.contains("Sẽ làm:") && said.contains("sang Tổ Sú Cáu"), "{said}");
    let said = of(&["--member", "Múi", "--lead", "Đượm"]).fails(1);
    assert!(said.contains("lead: ") && said.contains("input.not_moving"), "{said}");
    let said = of(&["--member", "Múi", "--hamlet", "Thôn Không Có"]).fails(2);
    assert!(said.contains("--hamlet") && said.contains("input.not_found"), "{said}");
    assert!(of(&["--member", "Múi", "--lead", "Múi", "--hamlet", "Ngàn Chi"]).ok().contains("Đã làm."));
    let said = of(&["--member", "Múi"]).fails(1);
    assert!(said.contains("cli.already_there"), "{said}");
    let teams = hub.desk.run(&["admin", "--at", "hub", "list", "teams"]).ok();
    assert_eq!(teams.matches("Tổ Sú Cáu").count(), 1, "{teams}");
    let said = hub.desk.run(&["admin", "turnover", "--help"]).ok();
    assert!(said.contains("turnover split \"Ngàn Chi\" --name"), "{said}");
    hub.phone("member", &["sync"]);
    hub.phone("member", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"]);
    hub.phone("member", &["sync"]);
    hub.phone("lead", &["sync"]);
    assert!(hub.phone("lead", &["visit", "list"]).contains("Chưa có lần giúp nào"), "it is of the new team");
}

#[test]
fn where_rows_were_damaged_is_listed_by_scope_and_phone_with_how_often() {
    let hub = Hub::start();
    hub.enrol("member", "Múi");
    let list = |what: &str| hub.desk.run(&["admin", "--at", "hub", "list", what]).ok();
    assert!(list("damages").contains("Chưa có gì"));
    let (teams, devices) = (list("teams"), list("devices"));
    let scope: ScopeId = last_word(teams.lines().next().expect("a team")).parse().expect("a scope");
    let phone = devices.lines().find(|line| line.contains("Múi")).expect("a phone");
    let phone: DeviceId = phone.split_whitespace().next().and_then(|id| id.parse().ok()).expect("a device");
    let log = Log::open(&hub.desk.path("hub").join("hub.db"), &CURRENT).expect("the hub's log");
    let own = log.list_devices().expect("devices").into_iter().find(|device| device.role == Role::Hub);
    let own = own.expect("the hub's own").id;
    for (device, at) in [(own, 1_795_000_000_000), (phone, 1_795_100_000_000), (phone, 1_795_200_000_000)] {
        log.count_damage(scope, device, Millis(at)).expect("counts");
    }
    let listed = list("damages");
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 2, "{listed}");
    let (of, scope) = (phone.to_string(), scope.to_string());
    assert_eq!(lines[0][..4], [scope.as_str(), "ở", "đây", "1"], "the oldest first: {listed}");
    assert_eq!(lines[1][..3], [scope.as_str(), of.as_str(), "2"], "{listed}");
    assert!(lines[1][3..].iter().any(|word| word.contains("2026")), "when last: {listed}");
}
