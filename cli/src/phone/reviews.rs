//! `langso phone review`: a trainer looks at checklist runs, approves them or sends them back. No household is seen.

use langso_device::companion::reviews::{FindFailing, FindWaiting, NewVerdict, OfRun, RunReview};
use langso_domain::content::Content;
use langso_domain::id::ChecklistRunId;

use super::book::Book;
use crate::names::{line, some_day, some_word, text, word};
use crate::terminal::{Grid, tell};
use crate::words::{Failure, Outcome, pick};

/// Giảng viên duyệt bài · a trainer reviews checklist runs
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Bài đang chờ, cũ trước · runs that wait, the oldest first
    List,
    /// Từng bước của một bài · the steps of one run
    Show {
        /// Mã của bài · the run's id
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Duyệt · approves
    Approve {
        /// Mã của bài · the run's id
        #[arg(value_name = "RUN")]
        run: String,
        /// Lời nhắn cho người làm · a note to the volunteer
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Trả lại, phải có lời nhắn · sends back, with a note
    SendBack {
        /// Mã của bài · the run's id
        #[arg(value_name = "RUN")]
        run: String,
        /// Lời nhắn cho người làm · a note to the volunteer
        #[arg(long, value_name = "TEXT")]
        comment: String,
    },
    /// Người dân vướng ở bước nào, trên máy nào · at which step and on which phone people fail
    Failing {
        /// Mã bài, ví dụ T1; bỏ trống = tất cả · a tutorial, such as T1; none = all
        #[arg(value_name = "TUTORIAL")]
        tutorial: Option<String>,
    },
}

fn run_id(typed: &str) -> Outcome<ChecklistRunId> {
    typed.parse().map_err(|_| Failure::usage("input.not_found", "RUN"))
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    let reviews = book.app.reviews();
    match &args.verb {
        Verb::List => list(book),
        Verb::Show { run } => {
            show(book, &reviews.get_review(OfRun { run: run_id(run)? })?);
            Ok(())
        }
        Verb::Approve { run, comment } => {
            let verdict = NewVerdict { run: run_id(run)?, comment: comment.clone(), token: None };
            reviews.approve_run(verdict)?;
            tell(pick("Đã duyệt.", "Approved."));
            Ok(())
        }
        Verb::SendBack { run, comment } => {
            let verdict = NewVerdict { run: run_id(run)?, comment: Some(comment.clone()), token: None };
            reviews.send_back_run(verdict)?;
            tell(pick("Đã trả lại.", "Sent back."));
            Ok(())
        }
        Verb::Failing { tutorial } => failing(book, tutorial.clone()),
    }
}

fn list(book: &Book) -> Outcome {
    let mut skip = 0;
    loop {
        let page = book.app.reviews().list_waiting(FindWaiting { skip })?;
        if page.count == 0 {
            tell(pick("Không có bài nào đang chờ.", "No runs wait."));
            return Ok(());
        }
        if skip == 0 {
            tell(match crate::words::is_english() {
                false => format!("Đang chờ {}, một nửa chờ quá {} ngày", page.count, page.median_days),
                true => format!("{} waiting, half for over {} days", page.count, page.median_days),
            });
        }
        let mut grid = Grid::new(&[2]);
        for run in &page.runs {
            let phone = [run.phone_model.as_deref(), run.os_version.as_deref()];
            let failed = run.failed_step.map_or_else(String::new, |step| {
                format!("{} {step}", pick("chưa được ở bước", "failed at step"))
            });
            let answered = if run.is_answered { pick("đã trả lời", "answered") } else { "" };
            grid.row([
                run.tutorial.as_ref().map_or_else(String::new, ToString::to_string),
                some_day(run.date),
                format!("{} {}", run.days, pick("ngày", "days")),
                phone.into_iter().flatten().collect::<Vec<_>>().join(", "),
                failed,
                answered.to_owned(),
                run.run.to_string(),
            ]);
        }
        grid.tell();
        skip += page.runs.len() as u32;
        if skip >= page.count || page.runs.is_empty() {
            return Ok(());
        }
    }
}

fn show(book: &Book, run: &RunReview) {
    let tutorial = run.tutorial.as_ref();
    line("Bài", "Guide", tutorial.map_or_else(String::new, ToString::to_string));
    line("Ngày", "Day", some_day(run.date));
    line("Người giúp", "Helper", book.some_member(run.member));
    line("Phút", "Minutes", run.minutes.map_or_else(String::new, |minutes| minutes.to_string()));
    line("Máy", "Phone", run.phone_model.clone().unwrap_or_default());
    line("Hệ điều hành", "System", run.os_version.clone().unwrap_or_default());
    let alone = if run.teach_back { pick("Có", "Yes") } else { pick("Không", "No") };
    line("Người dân tự làm lại", "Done once more alone", alone);
    let content = Content::packaged();
    let steps = tutorial.and_then(|reference| content.tutorial_at(reference));
    let mut grid = Grid::new(&[0]);
    for step in &run.steps {
        let reason = step.failure.map_or_else(String::new, |number| {
            content
                .failure_number(number)
                .map_or_else(|| number.to_string(), |code| format!("{} {}", code.code, text(&code.text)))
        });
        let words = steps.and_then(|tutorial| tutorial.step(step.step)).map(|step| text(&step.text));
        grid.row([
            step.step.to_string(),
            word("step_results", step.result),
            reason,
            words.unwrap_or_default().to_owned(),
        ]);
    }
    grid.tell();
    for verdict in &run.verdicts {
        let comment = verdict.comment.as_deref().map_or_else(String::new, |text| format!(": {text}"));
        let by = format!("{}, {}", book.some_member(verdict.trainer), some_day(verdict.date));
        line(&some_word("verdicts", verdict.verdict), &some_word("verdicts", verdict.verdict), by + &comment);
    }
}

fn failing(book: &Book, tutorial: Option<String>) -> Outcome {
    let find = FindFailing { tutorial, ..FindFailing::default() };
    let found = book.app.reviews().list_failing_steps(find)?;
    if found.versions.is_empty() {
        tell(pick("Chưa có bài nào được làm.", "No runs yet."));
    }
    for version in &found.versions {
        tell(match crate::words::is_english() {
            false => {
                format!("{}: {} lần làm, {} tự làm lại", version.tutorial, version.runs, version.teach_backs)
            }
            true => {
                format!("{}: {} runs, {} done alone", version.tutorial, version.runs, version.teach_backs)
            }
        });
        let mut grid = Grid::new(&[0, 1, 2, 3]);
        for step in &version.steps {
            let reasons = step.reasons.iter().map(|reason| {
                let code = Content::packaged().failure_number(reason.failure);
                let code = code.map_or_else(|| reason.failure.to_string(), |code| code.code.clone());
                format!("{code}×{}", reason.count)
            });
            let phones = step
                .phones
                .iter()
                .take(3)
                .map(|phone| format!("{} {}×{}", phone.phone_model, phone.os_version, phone.count));
            grid.row([
                step.step.to_string(),
                format!("{} {}", step.passed, pick("đạt", "passed")),
                format!("{} {}", step.failed, pick("chưa được", "failed")),
                format!("{} {}", step.skipped, pick("bỏ qua", "skipped")),
                reasons.collect::<Vec<_>>().join(" "),
                phones.collect::<Vec<_>>().join("; "),
            ]);
        }
        grid.tell();
    }
    Ok(())
}
