//! A phone's app that is going to be killed: a process of its own, which opens the folder, makes one call of
//! `Companion`, and meets SIGKILL somewhere on the way.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use langso_device::Companion;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DemoError;
use super::clock::Face;
use super::part::say;

/// What the process is started with.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The phone's folder.
    #[arg(long)]
    at: PathBuf,
}

/// The one call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LastCall {
    /// The phone's clocks.
    pub clock: Face,
    /// A call with the same input that comes first and changes nothing.
    pub before: Option<String>,
    /// `feature.method`.
    pub name: String,
    /// Its input.
    pub input: Value,
}

/// Says `true` when the call begins, and `true` again when it has ended.
pub(super) fn run(args: &Args) -> Result<(), DemoError> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let call: LastCall = serde_json::from_str(&line)?;
    let companion = Companion::open(&args.at, Arc::new(call.clock))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(before) = call.before {
        companion.call(&before, call.input.clone())?;
    }
    say(&true)?;
    // What it came to, the next start of the app will find out.
    let _ = runtime.block_on(companion.call_and_wait(&call.name, call.input));
    say(&true)
}
