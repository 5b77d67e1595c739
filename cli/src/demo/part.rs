//! How the demo's processes talk: lines of JSON over standard input and output, one answer for each order. A part
//! writes what went wrong into its log file and ends.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::DemoError;

/// What the parent orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// To the hub: make the place, the plan, these teams and an invitation for each of their members; answers
    /// [`Founded`].
    Found {
        /// By their places in the ledger.
        teams: Vec<u8>,
    },
    /// To the hub: its clock shows this moment from now on; answers [`Done`].
    Clock {
        /// Milliseconds since 1970-01-01T00:00Z.
        now_ms: i64,
    },
    /// To the hub: import what others published; answers [`Done`].
    Publish,
    /// To a team: every member opens a phone and joins; answers [`Done`].
    Join {
        /// When.
        now_ms: i64,
        /// In the order of the members.
        invites: Vec<String>,
    },
    /// To a team: live up to this moment; answers [`Done`].
    Live {
        /// Milliseconds since 1970-01-01T00:00Z.
        until_ms: i64,
    },
    /// To a team: sync every phone once more; answers [`Done`].
    SyncAll {
        /// When.
        now_ms: i64,
    },
    /// Say the figures; answers a list of them.
    Figures {
        /// When.
        now_ms: i64,
    },
    /// End.
    Stop,
}

/// The hub's teams.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Founded {
    /// For each team of the order an invitation for each member.
    pub invites: Vec<Vec<String>>,
}

/// Where a part listens, said when it is ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ready {
    /// The hub's address; none for a team.
    pub hub: Option<SocketAddr>,
}

/// Work done since the last order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Visits saved.
    pub visits: u64,
    /// Households registered.
    pub households: u64,
    /// Bytes from phones to the hub, HTTP and all.
    pub bytes_up: u64,
    /// Bytes from the hub to phones.
    pub bytes_down: u64,
    /// Syncs begun.
    pub syncs: u64,
    /// Of them cut.
    pub cuts: u64,
    /// Apps killed.
    pub kills: u64,
}

impl Done {
    pub fn add(&mut self, other: Self) {
        self.visits += other.visits;
        self.households += other.households;
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
        self.syncs += other.syncs;
        self.cuts += other.cuts;
        self.kills += other.kills;
    }
}

/// A child process with an order line in and an answer line out.
pub(super) struct Part {
    log: PathBuf,
    child: Child,
    orders: ChildStdin,
    answers: Option<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts this program again as a part of the demo.
    /// What it has to say goes into the log, or where this process writes its own.
    pub fn start(kind: &str, arguments: &[&str], log: Option<&Path>) -> Result<Self, DemoError> {
        let errors = match log {
            Some(log) => Stdio::from(std::fs::File::options().create(true).append(true).open(log)?),
            None => Stdio::inherit(),
        };
        let log = log.map(Path::to_owned).unwrap_or_default();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["demo-part", kind])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(DemoError::Part { log });
        };
        Ok(Self { log, child, orders, answers: Some(BufReader::new(answers)) })
    }

    pub fn order(&mut self, order: &impl Serialize) -> Result<(), DemoError> {
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        self.orders.write_all(line.as_bytes()).map_err(|_| self.failed())
    }

    pub fn answer<T: DeserializeOwned>(&mut self) -> Result<T, DemoError> {
        let mut line = String::new();
        match self.answers.as_mut().map(|answers| answers.read_line(&mut line)) {
            Some(Ok(1..)) => serde_json::from_str(&line).map_err(|_| self.failed()),
            _ => Err(self.failed()),
        }
    }

    pub fn ask<T: DeserializeOwned>(&mut self, order: &Order) -> Result<T, DemoError> {
        self.order(order)?;
        self.answer()
    }

    pub fn stop(mut self) -> Result<(), DemoError> {
        self.order(&Order::Stop)?;
        if self.child.wait()?.success() { Ok(()) } else { Err(self.failed()) }
    }

    /// Its answers, to be read elsewhere.
    pub fn take_answers(&mut self) -> Option<BufReader<ChildStdout>> {
        self.answers.take()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(mut self) -> Result<(), DemoError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn failed(&self) -> DemoError {
        DemoError::Part { log: self.log.clone() }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After an orderly end there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side: reads orders until `Stop` or the parent is gone; `act` answers each.
pub(super) fn obey(
    mut act: impl FnMut(Order) -> Result<serde_json::Value, DemoError>,
) -> Result<(), DemoError> {
    for line in std::io::stdin().lock().lines() {
        let order = serde_json::from_str(&line?)?;
        if matches!(order, Order::Stop) {
            return Ok(());
        }
        say(&act(order)?)?;
    }
    Ok(())
}

/// Writes one answer line.
pub(super) fn say(answer: &impl Serialize) -> Result<(), DemoError> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}
