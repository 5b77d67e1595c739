//! `langso simulate`: lives seeds of the simulator, says what came of them, and how to live a bad one again.
//!
//! A run depends on its seed and its number of steps alone: the same command on another machine tells the same.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use langso_simulator::{Broken, Config, Fleet, Pool, Promise, Rule, Signatures, Totals, run_many};
use serde::Serialize;

use crate::terminal::{Grid, tell};
use crate::words::{Failure, Outcome, pick};

/// Máy, máy chủ và trục trặc theo hạt số · phones, a hub and faults, by seed
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Bao nhiêu hạt (1000; với --break: nhiều nhất 2000) · how many seeds (1000; with --break 2000 at most)
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Hạt đầu tiên (1) · the first seed (1)
    #[arg(long, value_name = "S", default_value_t = 1, hide_default_value = true)]
    from: u64,
    /// Số bước mỗi hạt (400) · steps of a seed (400)
    #[arg(long, value_name = "K", default_value_t = 400, hide_default_value = true)]
    steps: u64,
    /// Chỉ một hạt này · this one seed
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Kể từng bước của hạt đó · tells each step of that seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Bỏ một quy tắc (all: lần lượt từng quy tắc) cho đến khi bị nhận ra: mã 0 là đã nhận ra, 1 là không · leaves one
    /// rule out (all: each in turn) until that is seen: exit code 0 when it was caught, 1 when it was not
    #[arg(long = "break", value_name = "NAME", value_parser = leaving_out)]
    leaving_out: Option<LeavingOut>,
    /// Các quy tắc có thể bỏ, và điều mỗi quy tắc giữ · the rules that can be left out, and what each protects
    #[arg(long, conflicts_with_all = ["seeds", "seed", "leaving_out"])]
    list_breaks: bool,
    /// Chữ ký thay bằng mã băm: nhanh hơn, không thử chữ ký · hashes in place of signatures: faster, and says nothing of
    /// signatures
    #[arg(long)]
    stub_signatures: bool,
    /// Kết quả bằng JSON · the result as JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Mã ra · exit code: 1 khi một lời hứa không giữ được · when a promise was not kept. Chữ ký là thật, trừ khi có --stub-signatures ·
signatures are real but with --stub-signatures.

Ví dụ · examples:
  langso simulate                      1000 hạt · seeds
  langso simulate --seeds 20000 --steps 400 --json
  langso simulate --seed 17 --trace    sống lại hạt 17 · lives seed 17 again
  langso simulate --list-breaks        các quy tắc · the rules
  langso simulate --break wall-clock   phải bị nhận ra · must be caught
  langso simulate --seed 17 --break wall-clock --trace";

/// Seeds after which a rule that is left out must have been missed.
const BREAK_SEEDS: u64 = 2_000;
/// Seeds when nothing is said.
const USUAL_SEEDS: u64 = 1_000;
/// How often progress is told to a terminal, and to a file.
const OFTEN: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_secs(10);

/// What is left out.
#[derive(Debug, Clone, Copy)]
enum LeavingOut {
    One(Rule),
    Each,
}

fn leaving_out(name: &str) -> Result<LeavingOut, String> {
    match name {
        "all" => Ok(LeavingOut::Each),
        _ => Rule::from_name(name).map(LeavingOut::One).ok_or_else(|| "--list-breaks".to_owned()),
    }
}

impl Args {
    fn signatures(&self) -> Signatures {
        if self.stub_signatures { Signatures::Stubbed } else { Signatures::Real }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    seeds: u64,
    steps: u64,
    /// Changes saved.
    writes: u64,
    /// Changes lost.
    lost: u64,
    /// Seeds after which replicas differed.
    diverged: u64,
    /// Seeds in which an edit did not beat what its author saw.
    stale_wins: u64,
    /// Seeds in which any promise was not kept, those above included.
    violations: usize,
    seconds: f64,
    from: u64,
    applied: u64,
    steps_per_minute: u64,
    /// Whether the frames of the runs are truly signed.
    signatures: Signatures,
    counts: std::collections::BTreeMap<&'static str, u64>,
    broken: Vec<Bad>,
}

#[derive(Debug, Serialize)]
struct Bad {
    seed: u64,
    #[serde(flatten)]
    broken: Broken,
}

/// Rules that were left out.
#[derive(Debug, Serialize)]
struct Breaks {
    breaks: Vec<LeftOut>,
    missed: usize,
    signatures: Signatures,
    seconds: f64,
}

/// A rule that was left out.
#[derive(Debug, Serialize)]
struct LeftOut {
    #[serde(rename = "break")]
    rule: Rule,
    protects: &'static str,
    /// Seeds lived until it was missed.
    seeds: u64,
    steps: u64,
    caught: Option<Bad>,
}

/// Runs the verb.
///
/// # Errors
/// `cli.simulate_broken` with the seed when a promise was not kept; `cli.simulate_missed` with the rule when one was
/// left out and nothing was seen.
pub fn run(args: Args) -> Outcome {
    if args.list_breaks {
        list_breaks(args.json);
        return Ok(());
    }
    if let Some(seed) = args.seed {
        return one(seed, &args);
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let config = Config { steps: args.steps, signatures: args.signatures(), ..Config::default() };
    let most = if args.leaving_out.is_some() { BREAK_SEEDS } else { USUAL_SEEDS };
    let seeds = args.seeds.unwrap_or(most);
    let fleet = Fleet { from: args.from, seeds, config, threads, stop_at_first: false };
    let begun = Instant::now();
    if let Some(what) = args.leaving_out {
        return without(what, fleet, args.json);
    }
    let progress = Progress::new(seeds);
    let totals = run_many(fleet, |totals| progress.tell(totals, begun));
    let seconds = begun.elapsed().as_secs_f64();
    progress.end();
    let report = report(args.from, config.signatures, totals, seconds);
    match args.json {
        true => tell(serde_json::to_string(&report).unwrap_or_default()),
        false => report.tell(args.steps),
    }
    report.outcome()
}

fn list_breaks(json: bool) {
    if json {
        let list =
            Rule::ALL.iter().map(|rule| serde_json::json!({ "break": rule, "protects": rule.protects() }));
        return tell(serde_json::Value::Array(list.collect()));
    }
    let mut grid = Grid::new(&[]);
    for rule in Rule::ALL {
        grid.row([rule.name(), rule.protects()]);
    }
    grid.tell();
}

fn one(seed: u64, args: &Args) -> Outcome {
    let without = match args.leaving_out {
        Some(LeavingOut::One(rule)) => Some(rule),
        _ => None,
    };
    let config = Config { steps: args.steps, in_words: args.trace, without, signatures: args.signatures() };
    let begun = Instant::now();
    let lived = langso_simulator::run(seed, config, &mut Pool::default());
    lived.words.iter().for_each(tell);
    let mut totals = Totals::default();
    totals.add(lived);
    let report = report(seed, config.signatures, totals, begun.elapsed().as_secs_f64());
    match args.json {
        true => tell(serde_json::to_string(&report).unwrap_or_default()),
        false => report.tell(args.steps),
    }
    report.outcome()
}

fn told(signatures: Signatures) -> &'static str {
    match signatures {
        Signatures::Real => pick("thật", "real"),
        Signatures::Stubbed => pick("thay bằng mã băm", "stubbed"),
    }
}

/// Leaves rules out, each until it is missed.
fn without(what: LeavingOut, fleet: Fleet, json: bool) -> Outcome {
    let begun = Instant::now();
    let mut progress = Progress::new(fleet.seeds);
    let mut leave = |rule: Rule| {
        let config = Config { without: Some(rule), ..fleet.config };
        progress.rule = Some(rule);
        let began = Instant::now();
        let fleet = Fleet { config, stop_at_first: true, ..fleet };
        let totals = run_many(fleet, |totals| progress.tell(totals, began));
        progress.end();
        let caught = totals.broken.into_iter().next().map(|(seed, broken)| Bad { seed, broken });
        let left_out =
            LeftOut { rule, protects: rule.protects(), seeds: totals.seeds, steps: totals.steps, caught };
        if !json {
            left_out.tell(fleet.config.steps);
        }
        left_out
    };
    let breaks: Vec<LeftOut> = match what {
        LeavingOut::One(rule) => vec![leave(rule)],
        LeavingOut::Each => Rule::ALL.iter().map(|rule| leave(*rule)).collect(),
    };
    let missed = breaks.iter().filter(|left_out| left_out.caught.is_none()).count();
    let first = breaks.iter().find(|left_out| left_out.caught.is_none()).map(|left_out| left_out.rule);
    if json {
        let seconds = begun.elapsed().as_secs_f64();
        let breaks = Breaks { breaks, missed, signatures: fleet.config.signatures, seconds };
        tell(serde_json::to_string(&breaks).unwrap_or_default());
    }
    first.map_or(Ok(()), |rule| Err(Failure::new("cli.simulate_missed", rule.name())))
}

impl LeftOut {
    fn tell(&self, steps: u64) {
        let name = self.rule.name();
        let Some(Bad { seed, broken }) = &self.caught else {
            let seeds = pick("hạt, không nhận ra", "seeds, not missed");
            return tell(format_args!("{name}: {} {seeds}", self.seeds));
        };
        let seeds = pick("hạt, nhận ra ở hạt", "seeds, caught at");
        tell(format_args!("{name}: {} {seeds} {seed}: {broken}", self.seeds));
        tell(format_args!("  langso simulate --seed {seed} --steps {steps} --break {name} --trace"));
    }
}

fn report(from: u64, signatures: Signatures, totals: Totals, seconds: f64) -> Report {
    let lost = totals.broken.values().filter(|broken| broken.promise == Promise::NothingLost);
    let lost = lost.map(|broken| broken.count).sum();
    let differs = |promise| matches!(promise, Promise::ReplicasEqual | Promise::HeadsAreUnnamedVersions);
    let often = |is: &dyn Fn(Promise) -> bool| {
        totals.broken.values().filter(|broken| is(broken.promise)).count() as u64
    };
    Report {
        seeds: totals.seeds,
        steps: totals.steps,
        writes: totals.saves,
        lost,
        diverged: often(&differs),
        stale_wins: often(&|promise| promise == Promise::EditShows),
        violations: totals.broken.len(),
        seconds,
        from,
        applied: totals.applied,
        steps_per_minute: (totals.steps as f64 * 60.0 / seconds.max(1e-6)) as u64,
        signatures,
        counts: totals.counts,
        broken: totals.broken.into_iter().map(|(seed, broken)| Bad { seed, broken }).collect(),
    }
}

impl Report {
    fn tell(&self, steps: u64) {
        let mut grid = Grid::new(&[1]);
        grid.row([pick("hạt", "seeds").to_owned(), self.seeds.to_string()]);
        grid.row([pick("bước", "steps").to_owned(), self.steps.to_string()]);
        grid.row([pick("lần ghi", "changes saved").to_owned(), self.writes.to_string()]);
        grid.row([pick("lần nhận", "changes taken in").to_owned(), self.applied.to_string()]);
        grid.row([pick("mất", "lost").to_owned(), self.lost.to_string()]);
        grid.row([pick("lệch", "diverged").to_owned(), self.diverged.to_string()]);
        grid.row([pick("cũ thắng mới", "stale wins").to_owned(), self.stale_wins.to_string()]);
        grid.row([pick("lời hứa bị vỡ", "violations").to_owned(), self.violations.to_string()]);
        grid.row([pick("giây", "seconds").to_owned(), format!("{:.1}", self.seconds)]);
        grid.row([pick("bước mỗi phút", "steps a minute").to_owned(), self.steps_per_minute.to_string()]);
        grid.row([pick("chữ ký", "signatures").to_owned(), told(self.signatures).to_owned()]);
        grid.tell();
        for Bad { seed, broken } in &self.broken {
            tell(format_args!("{} {seed}: {broken}", pick("hạt", "seed")));
            tell(format_args!("  langso simulate --seed {seed} --steps {steps} --trace"));
        }
    }

    fn outcome(&self) -> Outcome {
        self.broken.first().map_or(Ok(()), |bad| Err(Failure::new("cli.simulate_broken", bad.seed)))
    }
}

/// How far the seeds are, on standard error.
struct Progress {
    seeds: u64,
    /// What is left out.
    rule: Option<Rule>,
    is_terminal: bool,
    last: Mutex<Instant>,
}

impl Progress {
    fn new(seeds: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { seeds, rule: None, is_terminal, last: Mutex::new(Instant::now()) }
    }

    fn tell(&self, totals: &Totals, begun: Instant) {
        let every = if self.is_terminal { OFTEN } else { SELDOM };
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        let rate = totals.steps as f64 * 60.0 / begun.elapsed().as_secs_f64();
        let line = format!(
            "{}{}{}/{} {}, {:.1} M {}, {} {}",
            self.rule.map_or("", Rule::name),
            if self.rule.is_some() { ": " } else { "" },
            totals.seeds,
            self.seeds,
            pick("hạt", "seeds"),
            rate / 1e6,
            pick("bước mỗi phút", "steps a minute"),
            totals.broken.len(),
            pick("lỗi", "broken"),
        );
        let (before, after) = if self.is_terminal { ("\r\u{1b}[K", "") } else { ("", "\n") };
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{before}{line}{after}").and_then(|()| err.flush());
    }

    fn end(&self) {
        if self.is_terminal {
            eprint!("\r\u{1b}[K");
        }
    }
}
