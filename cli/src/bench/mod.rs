//! `langso bench`: measures what the product promises, on one workload, beside plain SQLite where that is the
//! reference.
//!
//! Every line that there is appears in the result, also one that falls short (`ok` is false then) or cannot be
//! measured here (`NOT RUN`). Only a bench that breaks fails.

mod book;
mod calls;
mod clocks;
mod line;
mod log;
mod plain;
mod proxy;
mod save;
mod search;
mod site;
mod size;
mod small;
mod travel;
pub mod workload;

use std::path::PathBuf;

use crate::words::{Failure, Outcome};
pub use line::{HOLDS, Line};
use workload::Workload;

/// What goes wrong here is no condition of the product.
type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures what the product promises: `langso bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kết quả dạng JSON · also writes the lines as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Chỉ những dòng này và dòng đi cùng · only these lines, and those that come with them
    #[arg(long, value_name = "LINE", num_args = 1.., value_parser = clap::builder::PossibleValuesParser::new(HOLDS.iter().map(|(name, ..)| *name)))]
    only: Vec<String>,
    /// Nơi tạo cơ sở dữ liệu, trên đĩa cần đo · where databases are made, on the disk to be measured
    #[arg(long, value_name = "FOLDER", default_value = ".cache/bench")]
    at: PathBuf,
    /// Lõi cho điện thoại, để đo độ lớn · the device core as a stripped program, whose size is told
    #[arg(long, value_name = "FILE", env = "LANGSO_PHONE_CORE")]
    core: Option<PathBuf>,
    /// Chương trình đo của gói Kotlin · the program of the Kotlin package that measures its calls
    #[arg(long, value_name = "FILE", env = "LANGSO_CALLS_KOTLIN")]
    kotlin: Option<PathBuf>,
    /// Chương trình đo của gói Swift · the program of the Swift package that measures its calls
    #[arg(long, value_name = "FILE", env = "LANGSO_CALLS_SWIFT")]
    swift: Option<PathBuf>,
    /// Ít việc, chỉ để thử chạy · a small workload: shows that everything runs; its numbers mean nothing
    #[arg(long)]
    small: bool,
    /// The phone's side of a measurement, in a process of its own: one first sync of the phone in that folder.
    #[arg(long, value_name = "PHONE", hide = true)]
    first_sync: Option<PathBuf>,
    /// The side of Rust beside the packages: what the calls of the phone in that folder cost, in that hamlet, so often.
    #[arg(long, hide = true, num_args = 3, value_names = ["PHONE", "HAMLET", "ROUNDS"])]
    calls: Vec<String>,
    /// The day on which that is.
    #[arg(long, hide = true, default_value_t = 0)]
    day: i32,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Scale {
    visits: usize,
    repeats: usize,
    edits: usize,
    noops: usize,
    saves: usize,
    contacts: usize,
    searches: usize,
    ingest: usize,
    log: u64,
    cursors: usize,
    long: usize,
}

const WHOLE: Scale = Scale {
    visits: 10_000,
    repeats: 5,
    edits: 100,
    noops: 200,
    saves: 1_000,
    contacts: 60_000,
    searches: 100,
    ingest: 60_000,
    log: 5_000_000,
    cursors: 200,
    long: 100_000,
};
const SMALL: Scale = Scale {
    visits: 100,
    repeats: 1,
    edits: 10,
    noops: 3,
    saves: 20,
    contacts: 300,
    searches: 3,
    ingest: 300,
    log: 5_000,
    cursors: 10,
    long: 200,
};

/// What the measurements share.
struct Bench {
    scale: Scale,
    seed: u64,
    at: PathBuf,
    load: Workload,
    core: Option<PathBuf>,
    kotlin: Option<PathBuf>,
    swift: Option<PathBuf>,
}

impl Bench {
    fn load(&self) -> &Workload {
        &self.load
    }

    /// A new folder that goes when it is dropped.
    fn folder(&self, name: &str) -> Res<tempfile::TempDir> {
        Ok(tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(&self.at)?)
    }
}

type Measure = fn(&Bench) -> Res<Vec<Line>>;

/// Every measurement with the lines it gives.
const MEASURES: &[(&[&str], Measure)] = &[
    (&["save", "save_cpu"], save::save),
    (&["batch_10k"], save::batch),
    (&["push_10k_ms", "push_10k_bytes"], travel::push),
    (&["first_sync_ms", "first_sync_bytes"], travel::first_sync),
    (&["edits_100_ms", "edits_100_bytes"], small::edits),
    (&["noop_ms", "noop_bytes"], small::noop),
    (&["day_40_bytes", "day_40_killed_bytes"], small::day),
    (&["search_p95"], search::search),
    (&["ingest_log"], log::ingest),
    (&["delta"], log::delta),
    (&["memory_mb"], size::memory),
    (&["core_mb"], size::core),
    (&["page_kotlin_ms", "log_kotlin", "page_swift_ms", "log_swift"], calls::calls),
];

/// Measures and prints.
///
/// # Errors
/// `bench` when a measurement breaks; a line that falls short is no error.
pub fn run(args: Args) -> Outcome {
    if let Some(phone) = &args.first_sync {
        return size::first_sync(phone, args.day).map_err(|error| Failure::new("bench", error));
    }
    if let [phone, hamlet, rounds] = &args.calls[..] {
        let rounds = rounds.parse().map_err(|error| Failure::new("bench", error))?;
        return calls::print_costs(phone.as_ref(), hamlet, rounds)
            .map_err(|error| Failure::new("bench", error));
    }
    let lines = measure(&args).map_err(|error| Failure::new("bench", error))?;
    print!("{}", line::table(&lines));
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&lines).map_err(|error| Failure::new("bench", error))?;
        std::fs::write(file, text + "\n").map_err(|error| Failure::new("bench", error))?;
    }
    Ok(())
}

fn measure(args: &Args) -> Res<Vec<Line>> {
    let scale = if args.small { SMALL } else { WHOLE };
    std::fs::create_dir_all(&args.at)?;
    let seed = 1;
    let bench = Bench {
        scale,
        seed,
        at: args.at.clone(),
        load: Workload::new(scale.visits, seed),
        core: args.core.clone(),
        kotlin: args.kotlin.clone(),
        swift: args.swift.clone(),
    };
    let mut lines = Vec::new();
    for (names, measure) in MEASURES {
        if args.only.is_empty() || names.iter().any(|name| args.only.iter().any(|only| only == name)) {
            eprintln!("{}", names.join(", "));
            lines.extend(measure(&bench)?);
        }
    }
    Ok(lines)
}
