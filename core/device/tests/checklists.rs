//! A tutorial walked through step by step, kept over a kill, tried without a trace, sent back and answered.

mod support;

use std::sync::Arc;

use langso_device::companion::Nothing;
use langso_device::companion::checklists::{
    AnswerReview, Did, FinishRun, OfOpenRun, RecordStep, RunView, StartRun,
};
use langso_device::companion::reviews::{FindWaiting, NewVerdict, OfRun};
use langso_device::{AppError, Companion, Result, SystemTime};
use langso_domain::content::Content;
use langso_domain::id::ChecklistRunId;
use support::{HOUR_MS, LEAD, MEMBER, TRAINER, Team, TestPhone, exchange, invalid, not_allowed};

fn number(code: &str) -> u8 {
    Content::packaged().failure_code(code).expect(code).number
}

fn start(tutorial: &str) -> StartRun {
    StartRun { tutorial: tutorial.to_owned(), ..StartRun::default() }
}

fn record(app: &Companion, run: &str, did: Did, failure: Option<&str>) -> Result<RunView> {
    let failure = failure.map(number);
    app.checklists().record_step(RecordStep { run: run.to_owned(), step: None, did, failure })
}

fn finish(app: &Companion, run: &str) -> Result<langso_device::companion::checklists::RunSummary> {
    app.checklists().finish_run(FinishRun {
        run: run.to_owned(),
        teach_back: true,
        phone_model: Some("Oppo A3s".to_owned()),
        os_version: None,
    })
}

fn volunteer(team: &mut Team) -> TestPhone {
    let mut phone = team.enrol("Chìu Sám Múi", MEMBER);
    team.bring(&mut phone);
    phone
}

#[test]
fn a_run_goes_on_at_the_same_step_after_a_kill() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let (household, persons) = phone.household(&team, "Hộ 12", 1);
    let begun = StartRun { household: Some(household), person: Some(persons[0]), ..start("T1") };
    let run = phone.app().checklists().start_run(begun).expect("starts").run;
    for _ in 0..6 {
        record(phone.app(), &run, Did::Pass, None).expect("records");
    }
    phone.kill();
    let open = phone.app().checklists().list_open_runs(Nothing {}).expect("lists").runs;
    let rows: Vec<_> = open.iter().map(|open| (open.run.as_str(), open.at, open.count)).collect();
    assert_eq!(rows, [(run.as_str(), 7, 12)]);
    let view = phone.app().checklists().get_run(OfOpenRun { run: run.clone() }).expect("opens");
    assert_eq!(view.step.map(|step| (step.step, step.turn_away)), Some((7, true)));
    assert_eq!((view.household, view.results.len()), (Some(household), 6));
    let drafts = phone.app().drafts().list_drafts(Nothing {}).expect("lists").drafts;
    assert!(drafts.is_empty(), "an open run is not among the forms");
}

#[test]
fn twelve_passed_steps_say_newly_done_and_the_record_gets_nothing_before_the_visit() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let run = phone.app().checklists().start_run(start("T1")).expect("starts").run;
    for step in 1..=12 {
        let view = record(phone.app(), &run, Did::Pass, None).expect("records");
        assert_eq!(view.at, step + 1);
    }
    phone.time.pass(HOUR_MS / 2);
    let summary = finish(phone.app(), &run).expect("a summary");
    assert_eq!((summary.passed, summary.failed, summary.skipped, summary.last_step), (12, 0, 0, 12));
    assert_eq!(summary.run.minutes, Some(30));
    let services: Vec<_> =
        summary.services.iter().map(|one| (one.service.code.as_str(), one.outcome, one.failure)).collect();
    assert_eq!(services, [("vneid_level2", Some(1), None)]);
    assert_eq!(summary.run_draft.as_deref(), Some(run.as_str()));
    assert!(phone.written().is_empty());
}

#[test]
fn a_failed_step_stays_until_it_is_passed_or_left() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let app = phone.app();
    let run = app.checklists().start_run(start("T1")).expect("starts").run;
    record(app, &run, Did::Pass, None).expect("records");
    let failed = record(app, &run, Did::Fail, Some("P2")).expect("records");
    assert_eq!(failed.at, 2);
    let summary = finish(app, &run).expect("a summary");
    let referred = summary.services.first().map(|one| (one.outcome, one.failure, one.last_step));
    assert_eq!(referred, Some((Some(6), Some(number("P2")), 2)), "the police must do it");
    assert_eq!(record(app, &run, Did::Pass, None).expect("records").results.len(), 2);
    let back = record(app, &run, Did::Back, None).expect("goes back");
    assert_eq!(back.at, 2);
    assert_eq!(record(app, &run, Did::Back, None).expect("goes back").at, 1);
    assert_eq!(record(app, &run, Did::Back, None).expect("stays").at, 1, "never out of the run");
    let left = record(app, &run, Did::Next, None).expect("goes on");
    assert_eq!((left.at, left.results.len()), (2, 2), "nothing was changed by looking");
}

#[test]
fn a_fake_app_stops_everything() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let app = phone.app();
    let run = app.checklists().start_run(start("T1")).expect("starts").run;
    for _ in 0..7 {
        record(app, &run, Did::Pass, None).expect("records");
    }
    let at = |step: u8, did: Did, failure: Option<&str>| {
        let failure = failure.map(number);
        app.checklists().record_step(RecordStep { run: run.clone(), step: Some(step), did, failure })
    };
    let stopped = at(5, Did::Fail, Some("X1")).expect("records");
    assert_eq!((stopped.stopped_at, stopped.at, stopped.results.len()), (Some(5), 5, 5));
    assert_eq!(at(6, Did::Pass, None).expect_err("refused"), invalid("step", "after_safety_stop"));
    let summary = finish(app, &run).expect("a summary");
    assert_eq!(summary.stopped_at, Some(5));
    assert_eq!(summary.services[0].outcome, Some(4));
    let mistap = at(5, Did::Pass, None).expect("a mistap is put right");
    assert_eq!((mistap.stopped_at, mistap.at), (None, 6));
}

#[test]
fn a_trial_works_before_enrolment_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Companion::open(folder.path(), Arc::new(SystemTime)).expect("opens");
    let app = open();
    assert_eq!(app.checklists().start_run(start("T3")).expect_err("refused"), not_allowed("not_enrolled"));
    let mut run = app.checklists().start_run(StartRun { is_trial: true, ..start("T3") }).expect("starts").run;
    drop(app);
    for step in 1..=5 {
        // Each step in a process of its own.
        let view = record(&open(), &run, Did::Pass, None).expect("records");
        assert_eq!((view.at, view.is_trial), (step + 1, true));
        run = view.run;
    }
    let app = open();
    run = record(&app, &run, Did::Fail, Some("V1")).expect("records").run;
    let summary = finish(&app, &run).expect("a summary");
    assert_eq!(summary.run_draft, None);
    let services: Vec<_> =
        summary.services.iter().map(|one| (one.service.code.as_str(), one.outcome)).collect();
    assert_eq!(services[0], ("portal_first_login", Some(1)));
    assert_eq!(services.len(), 3, "both filings stand where the failure is");
    assert!(services[1..].iter().all(|(_, outcome)| *outcome != Some(1)));
    assert!(app.checklists().list_open_runs(Nothing {}).expect("lists").runs.is_empty());
    for broken in
        ["trial:", "trial:T3@1:0::5", "trial:T3@1:1:0g:5", "trial:T3@1:99:01:5", "trial:T3@1:1:01:5:6"]
    {
        let of = OfOpenRun { run: broken.to_owned() };
        assert_eq!(app.checklists().get_run(of).expect_err(broken), AppError::NotFound);
    }
}

#[test]
fn what_does_not_belong_to_a_step_is_refused_and_the_run_stays_as_it_is() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let app = phone.app();
    let run = app.checklists().start_run(start("T1@1")).expect("starts").run;
    for (step, did, failure, error) in [
        (None, Did::Fail, None, invalid("failure", "failure_code_missing")),
        (None, Did::Fail, Some(number("X1")), invalid("failure", "failure_code_not_of_step")),
        (None, Did::Pass, Some(number("D1")), invalid("failure", "failure_code_not_expected")),
        (Some(13), Did::Pass, None, invalid("step", "unknown_step")),
        (Some(0), Did::Skip, None, invalid("step", "unknown_step")),
    ] {
        let record = RecordStep { run: run.clone(), step, did, failure };
        assert_eq!(app.checklists().record_step(record).expect_err("refused"), error);
    }
    assert_eq!(finish(app, &run).expect_err("refused"), invalid("steps", "missing"));
    record(app, &run, Did::Skip, None).expect("records");
    let named = FinishRun {
        run: run.clone(),
        teach_back: false,
        phone_model: Some("máy của 0912345678".to_owned()),
        os_version: None,
    };
    let refused = app.checklists().finish_run(named).expect_err("refused");
    assert_eq!(refused, invalid("phone_model", "never_store.phone"));
    assert_eq!(
        app.checklists().start_run(start("T9")).expect_err("no steps"),
        invalid("tutorial", "tutorial_not_ready")
    );
    assert_eq!(
        app.checklists().start_run(start("T99")).expect_err("none"),
        invalid("tutorial", "unknown_tutorial")
    );
    let view = app.checklists().get_run(OfOpenRun { run }).expect("opens");
    assert_eq!((view.at, view.results.len()), (2, 1));
}

#[test]
fn a_run_that_was_sent_back_waits_again_once_it_is_answered() {
    let mut team = Team::new();
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut two = team.enrol("Hoàng Thị Đượm", MEMBER);
    let mut lead = team.enrol("Lỷ A Sìu", LEAD);
    let mut trainer = team.enrol("Nguyễn Trần Vĩnh Thụy", TRAINER);
    for phone in [&mut one, &mut two, &mut lead, &mut trainer] {
        team.bring(phone);
    }
    let run = ChecklistRunId(one.run("2024-06-14", &[1, 2]));
    exchange(&mut one, &mut trainer);
    let comment = Some("Ghi rõ vướng ở bước nào".to_owned());
    trainer
        .app()
        .reviews()
        .send_back_run(NewVerdict { run, comment: comment.clone(), token: None })
        .expect("sends");
    for phone in [&mut two, &mut lead, &mut trainer] {
        exchange(&mut one, phone);
    }
    let returned =
        |phone: &mut TestPhone| phone.app().checklists().list_returned_runs(Nothing {}).expect("lists").runs;
    let waiting = |phone: &mut TestPhone| {
        let page = phone.app().reviews().list_waiting(FindWaiting::default()).expect("lists");
        page.runs.iter().map(|run| (run.run, run.is_answered)).collect::<Vec<_>>()
    };
    let mine = returned(&mut one);
    assert_eq!((mine.len(), &mine[0].comment), (1, &comment));
    assert!(returned(&mut two).is_empty() && returned(&mut lead).is_empty(), "only whose run it is");
    assert!(waiting(&mut trainer).is_empty());
    let answer = |text: &str| AnswerReview { run, answer: text.to_owned(), fixed: None, token: None };
    let other = two.app().checklists().answer_review(answer("Đã xem lại")).expect_err("refused");
    assert_eq!(other, not_allowed("role"));
    let empty = one.app().checklists().answer_review(answer(" ")).expect_err("refused");
    assert_eq!(empty, invalid("answer", "missing"));
    one.app().checklists().answer_review(answer("Bước 2 không cần làm")).expect("answers");
    assert!(returned(&mut one).is_empty());
    let again = one.app().checklists().answer_review(answer("Lần nữa")).expect_err("refused");
    assert_eq!(again, invalid("run", "not_returned"));
    exchange(&mut one, &mut trainer);
    assert_eq!(waiting(&mut trainer), [(run, true)]);
    let told = one.app().reviews().get_review(OfRun { run }).expect("a run");
    assert_eq!(
        told.answers.iter().map(|one| one.answer.as_str()).collect::<Vec<_>>(),
        ["Bước 2 không cần làm"]
    );
}

#[test]
fn an_open_run_dies_with_the_consent_of_its_household() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let (household, _) = phone.household(&team, "Hộ 12", 1);
    let given = langso_device::companion::consents::GivenConsent {
        text: "consent.script@1".parse().expect("a text"),
        way: 1,
        purposes: None,
        date: None,
    };
    let new = langso_device::companion::consents::NewConsent { household, given, token: None };
    let consent = phone.app().consents().record_consent(new).expect("consents").consent;
    let begun = StartRun { household: Some(household), ..start("T1") };
    phone.app().checklists().start_run(begun).expect("starts");
    let withdraw = langso_device::companion::consents::WithdrawConsent { consent, date: None };
    phone.app().consents().withdraw_consent(withdraw).expect("withdraws");
    assert!(phone.app().checklists().list_open_runs(Nothing {}).expect("lists").runs.is_empty());
}

#[test]
fn a_form_and_a_run_never_write_over_each_other() {
    let mut team = Team::new();
    let mut phone = volunteer(&mut team);
    let app = phone.app();
    let form = |name: &str, body: &str| langso_device::companion::drafts::SaveDraft {
        draft: Some(name.to_owned()),
        kind: "visit".to_owned(),
        body: body.into(),
        consent: None,
    };
    app.drafts().save_draft(form("one", "Hộ 12")).expect("kept");
    let begun = |name: &str| StartRun { run: Some(name.to_owned()), ..start("T1") };
    assert_eq!(app.checklists().start_run(begun("one")).expect_err("refused"), invalid("run", "bad_token"));
    let run = app.checklists().start_run(begun("two")).expect("starts").run;
    record(app, &run, Did::Pass, None).expect("records");
    assert_eq!(app.drafts().save_draft(form("two", "")).expect_err("refused"), invalid("draft", "bad_token"));
    let again = app.checklists().start_run(begun("two")).expect("the run as it stands");
    assert_eq!((again.run, again.at), ("two".to_owned(), 2));
    let draft = langso_device::companion::drafts::OfDraft { draft: "one".to_owned() };
    assert_eq!(app.drafts().get_draft(draft).expect("kept").body, Some("Hộ 12".into()));
}
