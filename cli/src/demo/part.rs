//! How the demo's processes talk: lines of JSON over standard input and output, one answer for each order.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::DemoError;

/// What the parent orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// The hub's clock shows this moment from now on; answers [`Done`].
    Clock {
        /// Milliseconds since 1970-01-01T00:00Z.
        now_ms: i64,
    },
    /// Live up to this moment; answers [`Done`].
    Live {
        /// Milliseconds since 1970-01-01T00:00Z.
        until_ms: i64,
    },
    /// Sync every phone once more; answers [`Done`].
    SyncAll {
        /// When.
        now_ms: i64,
    },
    /// Say the figures; answers a list of [`Figure`].
    Figures,
    /// End.
    Stop,
}

/// Work done since the last order.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Done {
    /// Visits saved.
    pub visits: u64,
    /// Bytes of request bodies.
    pub bytes_up: u64,
    /// Bytes of reply bodies.
    pub bytes_down: u64,
    /// Syncs begun.
    pub syncs: u64,
    /// Of them cut or killed.
    pub cuts: u64,
}

impl Done {
    pub fn add(&mut self, other: Self) {
        self.visits += other.visits;
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
        self.syncs += other.syncs;
        self.cuts += other.cuts;
    }
}

/// One figure of one team, or of the place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Figure {
    /// The seed's row, such as `10a`.
    pub row: String,
    /// The team it is of; none for the place's stock.
    pub team: Option<u8>,
    /// In thousandths; none when the indicator has no value there.
    pub thousandths: Option<i64>,
    /// Up to when it counts, ms UTC.
    pub as_of_ms: Option<i64>,
}

/// A child process with an order line in and an answer line out.
pub(super) struct Part {
    name: String,
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Part {
    /// Starts this program again as a part of the demo.
    pub fn start(name: &str, arguments: &[&str], log: &Path) -> Result<Self, DemoError> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("demo-part")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(DemoError::Part { name: name.to_owned() });
        };
        Ok(Self { name: name.to_owned(), child, orders, answers: BufReader::new(answers) })
    }

    pub fn order(&mut self, order: &Order) -> Result<(), DemoError> {
        let mut line = serde_json::to_string(order)?;
        line.push('\n');
        self.orders.write_all(line.as_bytes()).map_err(|_| self.failed())
    }

    pub fn answer<T: DeserializeOwned>(&mut self) -> Result<T, DemoError> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(read) if read > 0 => serde_json::from_str(&line).map_err(|_| self.failed()),
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

    fn failed(&self) -> DemoError {
        DemoError::Part { name: self.name.clone() }
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
