//! `langso demo`: a hub and the phones of a whole campaign on this machine. One process for the hub, one for each
//! team; nothing is shared but the hub's socket, and every clock is handed in, so that eight months pass in a minute.
//! What phones and hub then say is held against a tally of the ledger that other code makes.

mod air;
mod book;
mod clock;
mod deeds;
mod device;
mod figures;
mod hub;
mod part;
mod progress;
mod report;
mod stage;
mod team;
mod victim;
mod visits;

use std::path::PathBuf;

use langso_device::AppError;

use crate::campaign::{CampaignError, LedgerError};
use crate::terminal::tell;
use crate::words::{Failure, Outcome, pick};

pub use report::{Report, Row};

/// Một đợt mẫu trọn vẹn: máy chủ, 12 tổ, 48 máy · a whole sample campaign: a hub, 12 teams, 48 phones
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Gieo lại bằng số khác · another seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Ghi kết quả dạng JSON · the result as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Thư mục dữ liệu, mới hoặc trống · the folder for hub and phones, new or empty
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Chỉ những tổ này, từ 1 · these teams only, from 1
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..))]
    teams: Vec<u8>,
    /// A team whose phones are all lost before they ever sync: what it did must be missing, and nothing else.
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u8).range(1..))]
    lose: Option<u8>,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso demo                       cả đợt · the whole campaign
  langso demo --teams 11,12         hai tổ · two teams
  langso demo --json demo.json      kết quả để máy đọc · for programs

Dữ liệu nằm lại trong .demo, lần sau làm lại từ đầu · data stays in .demo until the next run";

/// Lives the campaign and prints the figures.
///
/// # Errors
/// `demo.disagrees` unless phones, hub and tally say the same of every row; `demo.folder` for a folder that holds
/// something else; `demo.part` when a process ended early, with its log.
pub fn run(args: Args) -> Outcome {
    let (report, phones) = stage::play(&args)?;
    let json = serde_json::to_vec_pretty(&report).map_err(DemoError::from)?;
    if let Some(file) = &args.json {
        std::fs::write(file, &json).map_err(|_| Failure::new("cli.file", file.display()))?;
    }
    let mut table = Vec::new();
    report.print(&mut table).map_err(DemoError::from)?;
    tell(String::from_utf8_lossy(&table).trim_end());
    if let Some(phone) = phones.first() {
        tell(format_args!(
            "\n{}",
            pick("Mở một con số đến từng lần giúp:", "Open a figure into its visits:")
        ));
        tell(format_args!("  {}", figures::opening(phone)));
    }
    if report.agrees() { Ok(()) } else { Err(Failure::new("demo.disagrees", "")) }
}

/// A process of the demo.
#[derive(Debug, clap::Args)]
pub struct PartArgs {
    #[command(subcommand)]
    part: PartKind,
}

#[derive(Debug, clap::Subcommand)]
enum PartKind {
    Hub(hub::Args),
    Team(team::Args),
    Victim(victim::Args),
}

/// Runs a process of the demo; it takes orders from the one that started it.
///
/// # Errors
/// Whatever went wrong, for its log.
pub fn run_part(args: PartArgs) -> Outcome {
    let done = match args.part {
        PartKind::Hub(args) => hub::run(&args),
        PartKind::Team(args) => team::run(&args),
        PartKind::Victim(args) => victim::run(&args),
    };
    Ok(done?)
}

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The folder holds something that is not an earlier demo.
    #[error("{} is in use", .0.display())]
    Folder(PathBuf),
    /// There is no such team.
    #[error("no team {0}")]
    NoTeam(u8),
    /// A process ended early; what it said is in its log.
    #[error("a part of the demo ended; see {}", log.display())]
    Part {
        /// Its log.
        log: PathBuf,
    },
    /// A phone refused what the ledger says.
    #[error("{call}: {error}")]
    Call {
        /// `feature.method`.
        call: String,
        /// Why.
        error: AppError,
    },
    /// A phone cannot be used.
    #[error(transparent)]
    Phone(#[from] AppError),
    /// The hub's folder or address cannot be used.
    #[error(transparent)]
    Hub(#[from] langso_hub::server::StartError),
    /// The hub refused what the ledger says.
    #[error(transparent)]
    Admin(#[from] langso_hub::admin::AdminError),
    /// The hub cannot say its figures.
    #[error(transparent)]
    Replica(#[from] langso_hub::replica::Error),
    /// There is no ledger.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// The ledger's file.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file or a pipe.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line between two processes.
    #[error("a line that is not understood")]
    Line(#[from] serde_json::Error),
    /// A fault of the demo itself.
    #[error("{0}")]
    Unexpected(&'static str),
}

impl DemoError {
    fn call(name: &str, error: AppError) -> Self {
        Self::Call { call: name.to_owned(), error }
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Folder(folder) => Self::new("demo.folder", folder.display()),
            DemoError::NoTeam(team) => Self::usage("demo.no_team", team),
            DemoError::Part { log } => Self::new("demo.part", log.display()),
            other => Self::new("unexpected", other),
        }
    }
}
