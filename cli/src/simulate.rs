//! `langso simulate`: lives seeds of the simulator, says what came of them, and how to live a bad one again.
//!
//! A run depends on its seed and its number of steps alone: the same command on another machine tells the same.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use langso_simulator::{Broken, Config, Fleet, Pool, Promise, Rule, Totals, run_many};
use serde::Serialize;

use crate::terminal::{Grid, tell};
use crate::words::{Failure, Outcome, pick};

/// Máy, máy chủ và trục trặc theo hạt số · phones, a hub and faults, by seed
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Bao nhiêu hạt (1000) · how many seeds (1000)
    #[arg(long, value_name = "N", default_value_t = 1_000, hide_default_value = true)]
    seeds: u64,
    /// Hạt đầu tiên (1) · the first seed (1)
    #[arg(long, value_name = "S", default_value_t = 1, hide_default_value = true)]
    from: u64,
    /// Số bước mỗi hạt (400) · steps of a seed (400)
    #[arg(long, value_name = "K", default_value_t = 400, hide_default_value = true)]
    steps: u64,
    /// Chỉ một hạt này · this one seed
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from", "rules"])]
    seed: Option<u64>,
    /// Kể từng bước của hạt đó · tells each step of that seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Bỏ lần lượt từng quy tắc, phải bị nhận ra · leaves out each rule in turn; it must be missed
    #[arg(long)]
    rules: bool,
    /// Kết quả bằng JSON · the result as JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso simulate                      1000 hạt · seeds
  langso simulate --seeds 20000 --json
  langso simulate --seed 17 --trace    sống lại hạt 17 · lives seed 17 again
  langso simulate --rules              bỏ từng quy tắc · without each rule";

/// Seeds after which a rule that is left out must have been missed.
const RULE_SEEDS: u64 = 200;
/// How often progress is told to a terminal, and to a file.
const OFTEN: Duration = Duration::from_millis(500);
const SELDOM: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize)]
struct Report {
    seeds: u64,
    from: u64,
    steps: u64,
    saves: u64,
    applied: u64,
    /// Changes lost.
    lost: u64,
    /// Seeds after which replicas differed.
    diverged: u64,
    seconds: f64,
    steps_per_minute: u64,
    counts: std::collections::BTreeMap<&'static str, u64>,
    broken: Vec<Bad>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Missed>,
}

#[derive(Debug, Serialize)]
struct Bad {
    seed: u64,
    #[serde(flatten)]
    broken: Broken,
}

/// A rule that was left out.
#[derive(Debug, Serialize)]
struct Missed {
    rule: Rule,
    /// Seeds lived until it was missed.
    seeds: u64,
    caught: Option<Bad>,
}

/// Runs the verb.
///
/// # Errors
/// `cli.simulate_broken` with the seed when a promise was not kept; `cli.simulate_missed` with the rule when one was
/// left out and nothing was seen.
pub fn run(args: Args) -> Outcome {
    if let Some(seed) = args.seed {
        return one(seed, &args);
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let config = Config { steps: args.steps, ..Config::default() };
    let fleet = Fleet { from: args.from, seeds: args.seeds, config, threads, stop_at_first: false };
    let begun = Instant::now();
    let progress = Progress::new(args.seeds);
    let totals = run_many(fleet, |totals| progress.tell(totals, begun));
    let seconds = begun.elapsed().as_secs_f64();
    progress.end();
    let rules = if args.rules { without_each_rule(fleet) } else { Vec::new() };
    let report = report(args.from, totals, seconds, rules);
    match args.json {
        true => tell(serde_json::to_string(&report).unwrap_or_default()),
        false => report.tell(args.steps),
    }
    report.outcome()
}

fn one(seed: u64, args: &Args) -> Outcome {
    let config = Config { steps: args.steps, in_words: args.trace, ..Config::default() };
    let begun = Instant::now();
    let lived = langso_simulator::run(seed, config, &mut Pool::default());
    lived.words.iter().for_each(tell);
    let mut totals = Totals::default();
    totals.add(lived);
    let report = report(seed, totals, begun.elapsed().as_secs_f64(), Vec::new());
    match args.json {
        true => tell(serde_json::to_string(&report).unwrap_or_default()),
        false => report.tell(args.steps),
    }
    report.outcome()
}

fn without_each_rule(fleet: Fleet) -> Vec<Missed> {
    let missed = |rule: Rule| {
        let config = Config { without: Some(rule), ..fleet.config };
        let totals = run_many(Fleet { seeds: RULE_SEEDS, config, stop_at_first: true, ..fleet }, |_| {});
        let caught = totals.broken.into_iter().next().map(|(seed, broken)| Bad { seed, broken });
        Missed { rule, seeds: totals.seeds, caught }
    };
    Rule::ALL.into_iter().map(missed).collect()
}

fn report(from: u64, totals: Totals, seconds: f64, rules: Vec<Missed>) -> Report {
    let lost = totals.broken.values().filter(|broken| broken.promise == Promise::NothingLost);
    let lost = lost.map(|broken| broken.count).sum();
    let differs = |promise| matches!(promise, Promise::ReplicasEqual | Promise::HeadsAreUnnamedVersions);
    let diverged = totals.broken.values().filter(|broken| differs(broken.promise)).count() as u64;
    Report {
        seeds: totals.seeds,
        from,
        steps: totals.steps,
        saves: totals.saves,
        applied: totals.applied,
        lost,
        diverged,
        seconds,
        steps_per_minute: (totals.steps as f64 * 60.0 / seconds.max(1e-6)) as u64,
        counts: totals.counts,
        broken: totals.broken.into_iter().map(|(seed, broken)| Bad { seed, broken }).collect(),
        rules,
    }
}

impl Report {
    fn tell(&self, steps: u64) {
        let mut grid = Grid::new(&[1]);
        grid.row([pick("hạt", "seeds").to_owned(), self.seeds.to_string()]);
        grid.row([pick("bước", "steps").to_owned(), self.steps.to_string()]);
        grid.row([pick("lần ghi", "changes saved").to_owned(), self.saves.to_string()]);
        grid.row([pick("lần nhận", "changes taken in").to_owned(), self.applied.to_string()]);
        grid.row([pick("mất", "lost").to_owned(), self.lost.to_string()]);
        grid.row([pick("lệch", "diverged").to_owned(), self.diverged.to_string()]);
        grid.row([pick("giây", "seconds").to_owned(), format!("{:.1}", self.seconds)]);
        grid.row([pick("bước mỗi phút", "steps a minute").to_owned(), self.steps_per_minute.to_string()]);
        grid.tell();
        for Bad { seed, broken } in &self.broken {
            tell(format_args!("{} {seed}: {broken}", pick("hạt", "seed")));
            tell(format_args!("  langso simulate --seed {seed} --steps {steps} --trace"));
        }
        let mut grid = Grid::new(&[1]);
        for Missed { rule, seeds, caught } in &self.rules {
            let promise = caught.as_ref().map_or_else(
                || pick("không nhận ra", "not missed").to_owned(),
                |bad| format!("{:?}", bad.broken.promise),
            );
            grid.row([format!("{rule:?}"), seeds.to_string(), promise]);
        }
        if !grid.is_empty() {
            tell(pick(
                "bỏ quy tắc, số hạt, lời hứa bị vỡ",
                "without the rule, seeds, the promise that broke",
            ));
            grid.tell();
        }
    }

    fn outcome(&self) -> Outcome {
        if let Some(bad) = self.broken.first() {
            return Err(Failure::new("cli.simulate_broken", bad.seed));
        }
        match self.rules.iter().find(|missed| missed.caught.is_none()) {
            Some(missed) => Err(Failure::new("cli.simulate_missed", format!("{:?}", missed.rule))),
            None => Ok(()),
        }
    }
}

/// How far the seeds are, on standard error.
struct Progress {
    seeds: u64,
    is_terminal: bool,
    last: Mutex<Instant>,
}

impl Progress {
    fn new(seeds: u64) -> Self {
        Self { seeds, is_terminal: std::io::stderr().is_terminal(), last: Mutex::new(Instant::now()) }
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
            "{}/{} {}, {:.1} M {}, {} {}",
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
