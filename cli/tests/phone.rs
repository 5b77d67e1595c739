//! A whole line in the terminal: an operator makes a team, phones join it, work offline, sync, and a figure opens into
//! the visits behind it.

mod support;

use support::{Desk, Hub, last_word};

#[test]
fn a_visit_goes_all_the_way_from_one_phone_to_the_leads_figure() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.enrol("member", "Múi");
    let team = hub.phone("member", &["team"]);
    assert!(team.contains("Tổ thôn Ngàn Chi") && team.contains("Thành viên: 2"), "{team}");
    assert!(hub.phone("member", &["today"]).contains("Sổ còn trống"));

    let add = ["household", "add", "--hint", "cạnh trường", "--person", "female,b60,smart,nfc", "--person"];
    let added = hub.phone("member", &[&add[..], &["male,1988,feature", "--consent", "witness"]].concat());
    assert!(added.starts_with("Hộ 1: đã lưu trên máy này."), "{added}");
    let household = last_word(added.lines().next().expect("a line")).to_owned();
    let asked = ["consent", "ask", "--household", "Hộ 1", "--contact", "--answer", "yes", "--way", "tick"];
    let asked = hub.phone("member", &asked);
    assert!(asked.contains("nhiều nhất 90 ngày"), "the text is read out: {asked}");
    let consent = last_word(&asked).to_owned();
    let kept =
        ["contact", "save", "--household", "1", "--consent", &consent, "--name", "Bàn Văn Ba", "--phone"];
    hub.phone("member", &[&kept[..], &["0912 345 678"]].concat());

    let log = ["visit", "log", "--household", "Hộ 1", "--service", "T1=new@1", "--service", "T2=later:M1@2"];
    let logged =
        hub.phone("member", &[&log[..], &["--follow-up", "ngày mai:T2", "--evidence", "shown"]].concat());
    let visit = last_word(logged.lines().next().expect("a line")).to_owned();
    assert!(logged.contains("Hẹn lại: 1"), "{logged}");
    hub.phone(
        "member",
        &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=refused:H1"],
    );
    let listed = hub.phone("member", &["visit", "list"]);
    assert!(listed.lines().count() == 2 && listed.contains("Mới ở máy này"), "{listed}");
    assert!(hub.phone("member", &["status"]).contains("2 lần giúp chưa tới máy chủ"));
    let synced = hub.phone("member", &["sync"]);
    assert!(synced.contains("Mọi thứ đã tới máy chủ lúc"), "{synced}");
    assert!(!hub.phone("member", &["visit", "list"]).contains("Mới ở máy này"));

    hub.phone("lead", &["sync"]);
    let shown = hub.phone("lead", &["visit", "show", &visit]);
    assert!(shown.contains("Chìu Sám Múi") && shown.contains("M1 SIM không chính chủ"), "{shown}");
    let found = hub.phone("lead", &["search", "ban", "van", "ba"]);
    assert!(found.contains(&household), "by a contact's name without marks: {found}");
    let opened = hub.phone("lead", &["household", "show", "Hộ 1"]);
    for part in ["Nữ, 60 trở lên", "sinh 1988", "0912345678", "Hẹn lại", &visit] {
        assert!(opened.contains(part), "{part}: {opened}");
    }
    let days = ["--from", "hôm qua", "--to", "hôm nay"];
    let figures =
        |args: &[&str]| hub.desk.run(&[&["figures", "--at", "lead"], args, &days[..]].concat()).ok();
    let page: serde_json::Value =
        serde_json::from_str(&figures(&["list", "turns", "visits", "--json"])).expect("JSON");
    assert_eq!(
        (&page["activity"][0]["value"], &page["activity"][1]["value"]),
        (&3.into(), &2.into()),
        "{page}"
    );
    let csv = figures(&["open", "turns", "--csv"]);
    assert_eq!(csv.lines().count(), 1 + 3, "as many lines as turns: {csv}");
    assert_eq!(csv.lines().filter(|line| line.contains(&visit)).count(), 2, "{csv}");
    assert!(figures(&["open", "turns", "--limit", "2"]).contains("Số liệu: 3; 3 dòng, hiện 2"));
    assert!(figures(&["show", "success_rate"]).contains("(1/1)"));
    let said = hub.desk.run(&[&["figures", "--at", "member", "list"], &days[..]].concat()).fails(1);
    assert!(said.contains("not_allowed.role"), "a member does not read them: {said}");
}

#[test]
fn a_visit_is_corrected_with_a_reason_and_taken_back_without_one() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let log = ["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--service", "T1=new"];
    let first = hub.phone("lead", &log);
    let visit = last_word(first.lines().next().expect("a line")).to_owned();
    let correct =
        ["visit", "correct", &visit, "--reason", "outcome", "--service", "1=had", "--note", "đã có từ lâu"];
    hub.phone("lead", &correct);
    let shown = hub.phone("lead", &["visit", "show", &visit]);
    assert!(shown.contains("Đã có từ trước") && shown.contains("đã có từ lâu"), "{shown}");
    let history = hub.phone("lead", &["visit", "history", &visit]);
    assert!(history.contains("sửa: Nhầm kết quả") && history.contains("Đạt mới"), "{history}");

    let second = hub.phone("lead", &log);
    let visit = last_word(second.lines().next().expect("a line")).to_owned();
    hub.phone("lead", &["visit", "take-back", &visit]);
    assert_eq!(hub.phone("lead", &["visit", "list"]).lines().count(), 1);
    let note = ["--note", "căn cước 022188001234"];
    let said = hub.desk.run(&[&["phone", "--at", "lead"], &log[..], &note[..]].concat()).fails(1);
    assert!(said.contains("note: ") && said.contains("never_store"), "{said}");
    assert!(!said.contains("022188001234"), "the number is not said again");
}

#[test]
fn a_guide_is_walked_step_by_step_and_goes_with_its_visit() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let begun = hub.phone("lead", &["tutorial", "record", "T1", "--pass"]);
    let run = begun.split_whitespace().next().expect("a run").to_owned();
    assert!(begun.contains("Bước 2/12"), "{begun}");
    hub.phone("lead", &["tutorial", "record", &run, "--skip"]);
    let back = hub.phone("lead", &["tutorial", "record", &run, "--back"]);
    assert!(back.contains("Bước 2/12"), "{back}");
    for _ in 2..=12 {
        hub.phone("lead", &["tutorial", "record", &run, "--pass"]);
    }
    let finish = ["tutorial", "finish", &run, "--teach-back", "--phone", "Oppo A3s", "--os", "Android 8"];
    let summary = hub.phone("lead", &finish);
    assert!(summary.contains("Đạt 12, vướng 0, bỏ qua 0") && summary.contains("Đạt mới"), "{summary}");
    assert!(hub.phone("lead", &["tutorial", "open"]).contains(&run));
    hub.phone("lead", &["visit", "log", "--no-household", "--hamlet", "Ngàn Chi", "--run", &run]);
    assert!(!hub.phone("lead", &["tutorial", "open"]).contains(&run), "it went with the visit");
    let listed = hub.phone("lead", &["visit", "list"]);
    let shown = hub.phone("lead", &["visit", "show", last_word(&listed)]);
    assert!(shown.contains("T1@1, có bài"), "{shown}");

    let said = hub.desk.run(&["phone", "--at", "lead", "tutorial", "walk", "T1"]).fails(2);
    assert!(said.contains("cli.no_terminal"), "{said}");
    let said = hub.desk.run(&["phone", "--at", "lead", "tutorial", "record", "T1", "--fail", "M4"]).fails(1);
    assert!(said.contains("failure"), "{said}");
}

#[test]
fn a_trainer_reviews_a_run_and_sees_no_household() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let train = ["admin", "--at", "hub", "trainer", "add", "--name", "Lê Văn Bảy", "--team", "Ngàn Chi"];
    hub.desk.run(&train).ok();
    let begun = hub.phone("lead", &["tutorial", "record", "T2", "--pass"]);
    let run = begun.split_whitespace().next().expect("a run").to_owned();
    hub.phone("lead", &["tutorial", "finish", &run]);
    let body = format!(
        "{{\"services\": [{{\"service\": \"sim_4g\", \"outcome\": 3, \"failure\": 33, \"run_draft\": \"{run}\"}}]}}"
    );
    hub.desk.call("lead", "visits.log_visit", &body);
    hub.phone("lead", &["sync"]);
    hub.enrol("trainer", "Bảy");
    let waiting = hub.phone("trainer", &["review", "list"]);
    assert!(waiting.contains("T2@1"), "{waiting}");
    let run = last_word(waiting.lines().last().expect("a line")).to_owned();
    let said = hub.desk.run(&["phone", "--at", "trainer", "visit", "list"]).fails(1);
    assert!(said.contains("not_allowed.role"), "{said}");
    hub.phone("trainer", &["review", "send-back", &run, "--comment", "Làm lại bước này rồi gửi"]);
    hub.phone("trainer", &["sync"]);
    hub.phone("lead", &["sync"]);
    let open = hub.phone("lead", &["tutorial", "open"]);
    assert!(open.contains("Làm lại bước này rồi gửi"), "{open}");
}

#[test]
fn two_versions_of_a_label_are_shown_and_one_is_kept() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    hub.enrol("member", "Múi");
    let added = hub.phone("lead", &["household", "add", "--consent", "sign"]);
    let household = last_word(added.lines().next().expect("a line")).to_owned();
    hub.phone("lead", &["sync"]);
    hub.phone("member", &["sync"]);
    for (phone, hint) in [("lead", "cạnh suối"), ("member", "sau chợ")] {
        let body = format!("{{\"household\": \"{household}\", \"hint\": \"{hint}\"}}");
        hub.desk.call(phone, "households.update_household", &body);
    }
    for phone in ["lead", "member", "lead"] {
        hub.phone(phone, &["sync"]);
    }
    let listed = hub.phone("lead", &["conflicts"]);
    assert!(listed.contains("cạnh suối") && listed.contains("sau chợ") && listed.contains("Múi"), "{listed}");
    let at = listed.lines().find(|line| line.contains("cạnh suối")).expect("a version");
    let number = at.trim().split(')').next().expect("a number").to_owned();
    hub.phone("lead", &["conflicts", "settle", "1", "--keep", &number]);
    assert!(hub.phone("lead", &["conflicts"]).contains("Không có mục nào"));
    hub.phone("lead", &["sync"]);
    hub.phone("member", &["sync"]);
    assert!(hub.phone("member", &["household", "show", "1"]).contains("cạnh suối"));
}

#[test]
fn a_code_works_once_and_a_slip_of_the_finger_makes_no_phone() {
    let hub = Hub::start();
    let invite = hub.invite("Múi");
    hub.desk.run_with(&["phone", "--at", "one", "enrol"], &invite).fails(2);
    let mistyped = invite.replacen("LS1-", "LS1-0", 1);
    let said = hub.desk.run(&["phone", "--at", "one", "enrol", &mistyped]).fails(1);
    assert!(said.contains("invite: ") && said.contains("input.mistyped"), "{said}");
    assert!(!hub.desk.path("one").exists());
    hub.desk.run(&["phone", "--at", "one", "enrol", &invite]).ok();
    let said = hub.desk.run(&["phone", "--at", "two", "enrol", &invite]).fails(1);
    assert!(said.contains("not_allowed.code_used"), "{said}");
    let codes = hub.desk.run(&["admin", "--at", "hub", "list", "codes"]).ok();
    assert!(codes.contains("dùng lần hai") && !codes.contains(&invite), "{codes}");
}

#[test]
fn a_call_takes_json_and_gives_json_errors_too() {
    let desk = Desk::new();
    let about = desk.call("phone", "about.get_about", "");
    assert_eq!(about["core"], env!("CARGO_PKG_VERSION"));
    let names = desk.run(&["phone", "call", "--list"]).ok();
    assert!(names.lines().any(|name| name == "visits.log_visit"), "{names}");
    assert!(names.lines().is_sorted());
    let answer = |name: &str, input: &str| {
        let ran = desk.run_with(&["phone", "--at", "phone", "call", name], input);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{ran:?}");
        serde_json::from_str::<serde_json::Value>(&ran.out).expect("JSON")
    };
    let error = answer("visits.log_visit", "{\"servces\": []}");
    assert_eq!((&error["error"], &error["field"]), (&"invalid_input".into(), &"servces".into()));
    assert_eq!(answer("visits.log_visit", "{")["code"], "not_json");
    assert_eq!(answer("visits.log_visits", "{}")["field"], "visits");
    assert_eq!(answer("visits.log", "{}")["code"], "unknown");
    assert_eq!(answer("team.get_team", "")["error"], "not_allowed");
    let drafted =
        desk.call("phone", "drafts.save_draft", "{\"kind\": \"visit\", \"body\": {\"note\": \"Hẹn lại\"}}");
    let draft = drafted["draft"].as_str().expect("a draft");
    let again = desk.call("phone", "drafts.get_draft", &format!("{{\"draft\": \"{draft}\"}}"));
    assert_eq!(again["body"]["note"], "Hẹn lại");
}

#[test]
fn a_visit_that_was_kept_as_a_draft_is_logged_once_and_the_draft_goes() {
    let hub = Hub::start();
    hub.enrol("lead", "Đượm");
    let body =
        "{\"kind\": \"visit\", \"body\": {\"services\": [{\"service\": \"vneid_level2\", \"outcome\": 1}]}}";
    let kept = hub.desk.call("lead", "drafts.save_draft", body);
    let draft = kept["draft"].as_str().expect("a draft").to_owned();
    assert!(hub.phone("lead", &["today"]).contains(&draft));
    let first = hub.phone("lead", &["visit", "log", "--draft", &draft]);
    assert!(first.starts_with("Đã lưu trên máy này."), "{first}");
    assert!(!hub.phone("lead", &["today"]).contains(&draft));
    hub.desk.run(&["phone", "--at", "lead", "visit", "log", "--draft", &draft]).fails(1);
    assert_eq!(hub.phone("lead", &["visit", "list"]).lines().count(), 1);
}
