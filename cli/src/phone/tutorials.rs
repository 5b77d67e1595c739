//! `langso phone tutorial`: the guides, and walking one with a citizen, one step after another. Each step is kept
//! before the next is shown, so that a walk goes on where it was left.

use langso_device::companion::Nothing;
use langso_device::companion::checklists::{
    Did, FinishRun, OfOpenRun, RecordStep, RunSummary, RunView, StartRun,
};
use langso_device::companion::content::{GetTutorial, OfFailure, StepView};

use super::book::Book;
use super::visits;
use crate::names::{some_day, some_word, text};
use crate::terminal::{Grid, ask, can_ask, choose, moment, tell, yes_or_no};
use crate::words::{Failure, Outcome, is_english, pick};

/// Bài hướng dẫn: xem, làm từng bước với người dân · guides, walked through step by step
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 tutorial list
  langso phone --at may-1 tutorial show T1
  langso phone --at may-1 tutorial walk T1 --household \"Hộ 12\"
  langso phone --at may-1 tutorial walk T1 --trial
  langso phone --at may-1 tutorial record RUN --step 3 --fail A1";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Các bài · the guides
    List,
    /// Các bước của một bài · the steps of one guide
    Show {
        /// Mã bài, ví dụ T1 hoặc T1@1 · a code, such as T1
        #[arg(value_name = "TUTORIAL")]
        tutorial: String,
    },
    /// Bài đang làm dở và bài giảng viên trả lại · runs in progress, and runs sent back
    Open,
    /// Làm từng bước, hỏi trên màn hình · walks through it, asking at each step
    Walk(Walk),
    /// Ghi một bước của bài đang làm dở, không hỏi · records one step of a run, without asking
    Record(Record),
    /// Kết thúc một bài: bài ra kết quả gì · ends a run and says what came of it
    Finish {
        /// Mã của bài đang làm dở · the open run
        #[arg(value_name = "RUN")]
        run: String,
        /// Người dân đã tự làm lại một lần · the citizen did it once more alone
        #[arg(long)]
        teach_back: bool,
        /// Loại máy, ví dụ "Oppo A3s" · the citizen's phone
        #[arg(long, value_name = "MODEL")]
        phone: Option<String>,
        /// Hệ điều hành, ví dụ "Android 8" · its system
        #[arg(long, value_name = "OS")]
        os: Option<String>,
    },
}

/// A walk.
#[derive(Debug, clap::Args)]
struct Walk {
    /// Mã bài, ví dụ T1; hoặc mã bài đang làm dở · a code, such as T1, or an open run
    #[arg(value_name = "TUTORIAL|RUN")]
    tutorial: String,
    /// Với hộ nào · with which household
    #[arg(long, value_name = "HOUSEHOLD")]
    household: Option<String>,
    /// Làm thử, không ghi gì · a trial: nothing is recorded
    #[arg(long)]
    trial: bool,
}

/// One step.
#[derive(Debug, clap::Args)]
struct Record {
    /// Mã của bài đang làm dở; hoặc mã bài để bắt đầu · the open run, or a guide's code to begin one
    #[arg(value_name = "RUN|TUTORIAL")]
    run: String,
    /// Bước; bỏ trống = bước đang đứng · which step; none = where the run stands
    #[arg(long, value_name = "N")]
    step: Option<u8>,
    /// Đạt · passed
    #[arg(long, group = "did")]
    pass: bool,
    /// Chưa được, lý do ví dụ A1 · not passed, for this reason
    #[arg(long, value_name = "REASON", group = "did")]
    fail: Option<String>,
    /// Bỏ qua · skipped
    #[arg(long, group = "did")]
    skip: bool,
    /// Sang bước sau, để bước này như đang có · on to the next step
    #[arg(long, group = "did")]
    next: bool,
    /// Lùi một bước · one step back
    #[arg(long, group = "did")]
    back: bool,
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        Verb::List => list(book),
        Verb::Show { tutorial } => show(book, tutorial),
        Verb::Open => open(book),
        Verb::Walk(walk) => self::walk(book, walk),
        Verb::Record(record) => self::record(book, record),
        Verb::Finish { run, teach_back, phone, os } => {
            let finish = FinishRun {
                run: run.clone(),
                teach_back: *teach_back,
                phone_model: phone.clone(),
                os_version: os.clone(),
            };
            say_summary(&book.app.checklists().finish_run(finish)?);
            Ok(())
        }
    }
}

fn list(book: &Book) -> Outcome {
    let mut grid = Grid::new(&[2]);
    for row in book.app.content().list_tutorials(Nothing {})?.tutorials {
        let steps = match row.is_ready {
            true => format!("{} {}", row.steps, pick("bước", "steps")),
            false => pick("đang soạn", "outline").to_owned(),
        };
        let minutes =
            row.minutes.map_or_else(String::new, |minutes| format!("{minutes} {}", pick("phút", "minutes")));
        let reviewed = row
            .reviewed
            .map_or_else(String::new, |day| format!("{} {}", pick("xem lại ngày", "reviewed"), day.0.vi()));
        let old = if row.is_out_of_date { pick("cần xem lại", "needs review") } else { "" };
        grid.row([
            row.tutorial.to_string(),
            text(&row.title).to_owned(),
            steps,
            minutes,
            reviewed,
            old.to_owned(),
        ]);
    }
    grid.tell();
    Ok(())
}

fn show(book: &Book, tutorial: &str) -> Outcome {
    let view = book.app.content().get_tutorial(GetTutorial { tutorial: tutorial.to_owned() })?;
    tell(format_args!("{}  {}", view.tutorial, text(&view.title)));
    say_age(view.is_out_of_date);
    for rule in &view.rules {
        tell(format_args!("  {}: {}", rule.rule, text(&rule.text)));
    }
    for step in &view.steps {
        say_step(step, view.steps.len());
    }
    for service in &view.services {
        let title = service.title.as_ref().map_or("", |title| text(title));
        tell(format_args!("{title}: {}", text(&service.done)));
    }
    Ok(())
}

fn say_age(is_out_of_date: bool) {
    if is_out_of_date {
        tell(pick(
            "Bài này quá 90 ngày chưa xem lại. Màn hình thật có thể khác.",
            "Not reviewed for 90 days. Real screens may differ.",
        ));
    }
}

fn say_step(step: &StepView, count: usize) {
    tell(format_args!("{} {}/{count}  {}", pick("Bước", "Step"), step.step, text(&step.text)));
    if step.turn_away {
        tell(format_args!("     {}", pick("Người dân tự gõ. Quay mặt đi.", "The citizen types. Turn away.")));
    }
    for rule in &step.rules {
        tell(format_args!("     {}: {}", rule.rule, text(&rule.text)));
    }
    tell(format_args!("     {}: {}", pick("Đạt khi", "Done when"), text(&step.done)));
}

fn open(book: &Book) -> Outcome {
    let runs = book.app.checklists().list_open_runs(Nothing {})?.runs;
    if runs.is_empty() {
        tell(pick("Không có bài nào đang làm dở.", "No runs in progress."));
    }
    let mut grid = Grid::default();
    for run in runs {
        let title = run.title.as_ref().map_or("", |title| text(title));
        let at = format!("{} {}/{}", pick("bước", "step"), run.at.min(run.count), run.count);
        grid.row([run.run, run.tutorial.to_string(), title.to_owned(), at, moment(run.changed_at)]);
    }
    grid.tell();
    let returned = book.app.checklists().list_returned_runs(Nothing {}).map(|list| list.runs);
    let mut grid = Grid::default();
    for run in returned.unwrap_or_default() {
        let by = book.some_member(run.trainer);
        grid.row([
            pick("trả lại", "sent back").to_owned(),
            run.tutorial.map_or_else(String::new, |tutorial| tutorial.to_string()),
            some_day(run.date),
            format!("{by}: {}", run.comment.unwrap_or_default()),
            run.run.to_string(),
        ]);
    }
    grid.tell();
    Ok(())
}

/// An open run of that name, else a new run of that guide.
fn begin(book: &Book, named: &str, household: Option<&str>, is_trial: bool) -> Outcome<RunView> {
    let checklists = book.app.checklists();
    if let Ok(run) = checklists.get_run(OfOpenRun { run: named.to_owned() }) {
        return Ok(run);
    }
    let household = household.map(|typed| book.find_household("--household", typed)).transpose()?;
    let start = StartRun { tutorial: named.to_owned(), is_trial, household, ..StartRun::default() };
    Ok(checklists.start_run(start)?)
}

fn record(book: &Book, args: &Record) -> Outcome {
    let run = begin(book, &args.run, None, false)?;
    let did = match args {
        Record { pass: true, .. } => Did::Pass,
        Record { fail: Some(_), .. } => Did::Fail,
        Record { skip: true, .. } => Did::Skip,
        Record { next: true, .. } => Did::Next,
        Record { back: true, .. } => Did::Back,
        _ => return Err(Failure::usage("input.missing", "--pass, --fail, --skip, --next, --back")),
    };
    let failure = match &args.fail {
        Some(typed) => Some(visits::failure_number(book, "--fail", typed)?),
        None => None,
    };
    let view =
        book.app.checklists().record_step(RecordStep { run: run.run, step: args.step, did, failure })?;
    tell(format_args!("{}  {}", view.run, view.tutorial));
    match &view.step {
        Some(step) => say_step(step, view.count.into()),
        None => tell(pick(
            "Hết các bước. Kết thúc: tutorial finish",
            "No steps are left. End with: tutorial finish",
        )),
    }
    Ok(())
}

fn walk(book: &Book, args: &Walk) -> Outcome {
    if !can_ask() {
        return Err(Failure::usage("cli.no_terminal", "tutorial walk"));
    }
    let mut view = begin(book, &args.tutorial, args.household.as_deref(), args.trial)?;
    tell(format_args!("{}  {}", view.tutorial, text(&view.title)));
    if view.is_trial {
        tell(pick("Chạy thử, không ghi vào sổ", "Trial run, nothing is recorded"));
    }
    say_age(view.is_out_of_date);
    if view.at > 1 {
        tell(format_args!("{} {}", pick("Làm tiếp từ bước", "Going on from step"), view.at));
    }
    while let Some(step) = view.step.clone().filter(|_| view.stopped_at.is_none()) {
        tell("");
        say_step(&step, view.count.into());
        let question = pick(
            "Đạt (đ), chưa được (c), bỏ qua (b), bước sau (s), lùi (l), kết thúc (k), dừng, hôm khác làm tiếp (t)?",
            "Passed (p), not (n), skip (s), next (x), back (b), end here (f), go on another day (q)?",
        );
        let typed = ask(question)?.unwrap_or_default();
        let (did, failure) = match typed.to_lowercase().as_str() {
            "đ" | "d" | "p" => (Did::Pass, None),
            "c" | "n" => match choose_failure(book, &step)? {
                Some(failure) => (Did::Fail, Some(failure)),
                None => continue,
            },
            "b" if !is_english() => (Did::Skip, None),
            "s" if is_english() => (Did::Skip, None),
            "s" | "x" => (Did::Next, None),
            "l" | "b" => (Did::Back, None),
            // Nothing was done yet: there is nothing to end.
            "k" | "f" if view.results.is_empty() => continue,
            "k" | "f" => break,
            "t" | "q" => {
                tell(match view.is_trial {
                    true => pick("Đã dừng.", "Stopped.").to_owned(),
                    false => format!(
                        "{} {}",
                        pick("Làm tiếp bằng: tutorial walk", "Go on with: tutorial walk"),
                        view.run
                    ),
                });
                return Ok(());
            }
            _ => continue,
        };
        let record = RecordStep { run: view.run.clone(), step: None, did, failure };
        match book.app.checklists().record_step(record) {
            Ok(next) => view = next,
            Err(error) => eprintln!("{}", Failure::from(error).say()),
        }
    }
    end(book, &view)
}

/// The reason, and what to do about it; none when nothing was chosen.
fn choose_failure(book: &Book, step: &StepView) -> Outcome<Option<u8>> {
    let options: Vec<_> =
        step.failures.iter().map(|code| format!("{}  {}", code.code, text(&code.text))).collect();
    let question = pick("Vướng ở đâu? (trống = thôi)", "What went wrong? (empty = never mind)");
    let Some(at) = choose(question, &options, true)? else { return Ok(None) };
    let failure = step.failures[at].failure;
    let help = book.app.content().get_failure_help(OfFailure { failure })?;
    tell(format_args!("{}: {}", pick("Làm gì bây giờ", "What to do now"), text(&help.next)));
    Ok(Some(failure))
}

fn end(book: &Book, view: &RunView) -> Outcome {
    if let Some(step) = view.stopped_at {
        tell(format_args!("{} {step}.", pick("DỪNG ở bước", "STOP at step")));
    }
    tell("");
    let question = pick("Người dân đã tự làm lại một lần?", "Has the citizen done it once alone?");
    let teach_back = view.stopped_at.is_none() && yes_or_no(question)?;
    let phone_model = ask(pick("Loại máy (trống = không ghi):", "The phone's model (empty = none):"))?;
    let os_version = ask(pick("Hệ điều hành (trống = không ghi):", "Its system (empty = none):"))?;
    let finish = FinishRun { run: view.run.clone(), teach_back, phone_model, os_version };
    let summary = book.app.checklists().finish_run(finish)?;
    say_summary(&summary);
    if summary.run_draft.is_some() && yes_or_no(pick("Ghi lần giúp luôn?", "Log the visit now?"))? {
        return visits::log_run(book, &summary);
    }
    Ok(())
}

fn say_summary(summary: &RunSummary) {
    let RunSummary { passed, failed, skipped, .. } = summary;
    tell(match is_english() {
        false => format!("Đạt {passed}, vướng {failed}, bỏ qua {skipped}"),
        true => format!("{passed} done, {failed} failed, {skipped} skipped"),
    });
    let mut grid = Grid::default();
    for service in &summary.services {
        let reason = service.failure.map_or_else(String::new, visits::failure_words);
        let outcome = some_word("outcomes", service.outcome);
        grid.row([service.service.to_string(), text(&service.title).to_owned(), outcome, reason]);
    }
    grid.tell();
    match &summary.run_draft {
        Some(run) => tell(format_args!(
            "{} {run}",
            pick("Bài đi cùng lần giúp: visit log --run", "The run goes with its visit: visit log --run"),
        )),
        None => tell(pick("Chạy thử, không ghi vào sổ", "Trial run, nothing is recorded")),
    }
}
