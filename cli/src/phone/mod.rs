//! `langso phone`: a phone in the terminal, over the same `Companion` as the apps. The verbs speak to people; `call`
//! speaks JSON to programs.

mod call;

use std::path::PathBuf;
use std::sync::Arc;

use langso_device::{Companion, SystemTime};

use crate::words::{Failure, Outcome};

/// Một chiếc điện thoại: ghi sổ không cần mạng, có sóng thì gửi · a phone: records offline, sends with signal
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Thư mục của chiếc điện thoại · the phone's folder
    #[arg(long, env = "LANGSO_PHONE", value_name = "DIR")]
    at: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 call households.create_household < household.json
  langso phone call --list";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Gọi thẳng bằng JSON: vào ở đầu vào chuẩn, ra ở đầu ra chuẩn · JSON in on standard input, out on standard output
    Call(call::Args),
}

/// Runs one verb on a phone.
///
/// # Errors
/// What the phone refuses, and exit 2 for a folder that holds no phone.
pub fn run(args: Args) -> Outcome {
    match args.verb {
        Verb::Call(call) => call::run(args.at, call),
    }
}

/// The folder, or the flag's name.
fn folder(at: Option<PathBuf>) -> Outcome<PathBuf> {
    at.ok_or_else(|| Failure::usage("input.missing", "--at"))
}

/// Opens the phone in a folder, makes it when there is none.
fn open_or_make(folder: &std::path::Path) -> langso_device::Result<Companion> {
    Companion::open(folder, Arc::new(SystemTime))
}

/// Runs what waits for the hub.
fn wait<T>(future: impl Future<Output = T>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| Failure::new("unexpected", error.kind()))?.block_on(future))
}
