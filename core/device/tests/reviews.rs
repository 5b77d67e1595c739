//! Trainers and the runs of volunteers.

mod support;

use langso_device::companion::Nothing;
use langso_device::companion::checklists::AnswerReview;
use langso_device::companion::me::FindMonth;
use langso_device::companion::reviews::{FindFailing, FindWaiting, NewVerdict, OfRun};
use langso_domain::id::{ChecklistRunId, RowId};
use support::{DAY_MS, LEAD, MEMBER, TRAINER, Team, TestPhone, exchange, invalid, not_allowed};

/// Passed, failed with that failure code's number, skipped, not reached.
const STEPS: [u8; 4] = [1, 35, 2, 0];

fn pair(team: &mut Team) -> (TestPhone, TestPhone) {
    let mut one = team.enrol("Chìu Sám Múi", MEMBER);
    let mut trainer = team.enrol("Nguyễn Trần Vĩnh Thụy", TRAINER);
    team.bring(&mut one);
    team.bring(&mut trainer);
    (one, trainer)
}

fn verdict(run: RowId, comment: Option<&str>) -> NewVerdict {
    NewVerdict { run: ChecklistRunId(run), comment: comment.map(str::to_owned), token: None }
}

fn waiting(trainer: &mut TestPhone) -> Vec<RowId> {
    let page = trainer.app().reviews().list_waiting(FindWaiting::default()).expect("lists");
    page.runs.iter().map(|run| run.run.0).collect()
}

fn returned(volunteer: &mut TestPhone) -> Vec<RowId> {
    let found = volunteer.app().checklists().list_returned_runs(Nothing {}).expect("lists");
    found.runs.iter().map(|run| run.run.0).collect()
}

fn answer(volunteer: &mut TestPhone, run: RowId) -> langso_device::Result<Nothing> {
    let (run, answer) = (ChecklistRunId(run), "Bước 2 không cần làm".to_owned());
    volunteer.app().checklists().answer_review(AnswerReview { run, answer, fixed: None, token: None })
}

#[test]
fn the_queue_is_oldest_first_with_the_failed_step_and_the_days_waited() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    let late = one.run("2024-06-14", &[1, 1, 1]);
    let early = one.run("2024-06-05", &STEPS);
    let middle = one.run("2024-06-10", &STEPS);
    exchange(&mut one, &mut trainer);
    let page = trainer.app().reviews().list_waiting(FindWaiting::default()).expect("lists");
    let runs: Vec<_> = page.runs.iter().map(|run| (run.run.0, run.days, run.failed_step)).collect();
    assert_eq!(runs, [(early, 10, Some(2)), (middle, 5, Some(2)), (late, 1, None)]);
    assert_eq!((page.count, page.median_days), (3, 5));
}

#[test]
fn an_approved_run_waits_no_more_and_the_volunteer_sees_the_verdict() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut trainer);
    trainer.app().reviews().approve_run(verdict(run, Some("Ghi rõ ràng"))).expect("approves");
    assert!(waiting(&mut trainer).is_empty());
    exchange(&mut one, &mut trainer);
    let told = one.app().reviews().get_review(OfRun { run: ChecklistRunId(run) }).expect("a run");
    assert!(!told.may_review);
    let steps: Vec<_> = told.steps.iter().map(|step| (step.step, step.result, step.failure)).collect();
    assert_eq!(steps, [(1, 1, None), (2, 3, Some(35)), (3, 2, None), (4, 0, None)]);
    assert_eq!((told.verdicts.len(), told.verdicts[0].verdict), (1, Some(1)));
    assert_eq!(told.verdicts[0].trainer, Some(trainer.member));
}

#[test]
fn a_run_is_sent_back_only_with_a_comment_that_may_be_kept() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut trainer);
    let mut send = |comment| trainer.app().reviews().send_back_run(verdict(run, comment));
    assert_eq!(send(None), Err(invalid("comment", "missing")));
    assert_eq!(send(Some("  ")), Err(invalid("comment", "missing")));
    let refused = invalid("comment", "never_store.citizen_id");
    assert_eq!(send(Some("cụ có số 022054001234")), Err(refused));
    assert!(send(Some("Ghi rõ vướng ở bước nào")).is_ok());
}

#[test]
fn a_run_that_was_sent_back_waits_again_once_it_is_answered() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut trainer);
    let back = verdict(run, Some("Ghi rõ vướng ở bước nào"));
    trainer.app().reviews().send_back_run(back).expect("sends back");
    assert!(waiting(&mut trainer).is_empty());
    exchange(&mut one, &mut trainer);
    one.time.pass(1000);
    one.save(|saving| saving.patch("checklist_run", run, [("minutes", 25u8.into())]));
    exchange(&mut one, &mut trainer);
    let page = trainer.app().reviews().list_waiting(FindWaiting::default()).expect("lists");
    assert_eq!((page.runs[0].run.0, page.runs[0].is_answered), (run, true));
}

#[test]
fn a_verdict_of_a_clock_a_week_ahead_is_answered_and_overruled_by_clocks_that_are_right() {
    let mut team = Team::new();
    let (mut one, mut ahead) = pair(&mut team);
    let mut other = team.enrol("Hoàng Thị Đượm", TRAINER);
    team.bring(&mut other);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut ahead);
    ahead.time.pass(7 * DAY_MS);
    let back = verdict(run, Some("Ghi rõ vướng ở bước nào"));
    ahead.app().reviews().send_back_run(back).expect("sends back");
    exchange(&mut one, &mut ahead);
    assert_eq!(returned(&mut one), [run]);
    answer(&mut one, run).expect("answers");
    assert!(returned(&mut one).is_empty());
    exchange(&mut one, &mut ahead);
    other.take_from(&mut one);
    other.take_from(&mut ahead);
    assert_eq!((waiting(&mut ahead), waiting(&mut other)), (vec![run], vec![run]));
    other.app().reviews().approve_run(verdict(run, None)).expect("approves");
    assert!(waiting(&mut other).is_empty());
    one.take_from(&mut other);
    let month = one.app().me().get_month(FindMonth::default()).expect("a month");
    assert_eq!((month.runs_approved, month.runs_sent_back), (1, 0));
}

#[test]
fn an_answer_of_a_clock_a_week_ahead_can_be_sent_back_once_more() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    one.time.pass(7 * DAY_MS);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut trainer);
    for round in ["Ghi rõ vướng ở bước nào", "Chưa thấy bước hai"] {
        assert_eq!(waiting(&mut trainer), [run], "{round}");
        trainer.app().reviews().send_back_run(verdict(run, Some(round))).expect("sends back");
        assert!(waiting(&mut trainer).is_empty(), "{round}");
        exchange(&mut one, &mut trainer);
        assert_eq!(returned(&mut one), [run], "{round}");
        answer(&mut one, run).expect("answers");
        exchange(&mut one, &mut trainer);
    }
}

#[test]
fn failing_steps_are_counted_by_version_reason_and_phone() {
    let mut team = Team::new();
    let (mut one, mut trainer) = pair(&mut team);
    one.run("2024-06-10", &STEPS);
    one.run("2024-06-11", &[1, 35, 1, 1]);
    one.run("2024-06-12", &[1, 1, 1, 1]);
    exchange(&mut one, &mut trainer);
    let told = trainer.app().reviews().list_failing_steps(FindFailing::default()).expect("lists");
    assert_eq!(told.versions.len(), 1);
    let version = &told.versions[0];
    assert_eq!((version.tutorial.to_string().as_str(), version.runs), ("T1@1", 3));
    let second = &version.steps[1];
    assert_eq!((second.reached, second.passed, second.failed), (3, 1, 2));
    assert_eq!((second.reasons[0].failure, second.reasons[0].count), (35, 2));
    assert_eq!((second.phones[0].phone_model.as_str(), second.phones[0].count), ("Oppo A3s", 2));
    let fourth = &version.steps[3];
    assert_eq!((fourth.reached, fourth.passed), (2, 2));
}

#[test]
fn only_trainers_review() {
    let mut team = Team::new();
    let (mut one, _) = pair(&mut team);
    let mut lead = team.enrol("H’Mai Êban", LEAD);
    team.bring(&mut lead);
    let run = one.run("2024-06-14", &STEPS);
    exchange(&mut one, &mut lead);
    for phone in [&mut one, &mut lead] {
        let reviews = phone.app().reviews();
        assert_eq!(reviews.approve_run(verdict(run, None)), Err(not_allowed("role")));
        assert_eq!(reviews.send_back_run(verdict(run, Some("Làm lại"))), Err(not_allowed("role")));
        assert_eq!(reviews.list_waiting(FindWaiting::default()), Err(not_allowed("role")));
        assert_eq!(reviews.list_failing_steps(FindFailing::default()), Err(not_allowed("role")));
    }
}
