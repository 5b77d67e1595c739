//! One line of the bench: what was measured, beside what, against what it must hold.

use serde::Serialize;

/// What a line must reach, from the plan, and what a peer reaches: its names, in order, are the lines there are. The
/// peers' figures are the plan's: measured on the same content, two cores and loopback, as their good users would lay
/// it out, or published (ODK, PowerSync, open-mSupply). They are not measured here.
pub const HOLDS: [(&str, &str, Hold, Option<Peer>); 22] = [
    ("save", "µs", Hold::Ratio(1.15), None),
    ("save_cpu", "µs", Hold::Ratio(1.15), None),
    ("batch_10k", "ms", Hold::Ratio(1.5), None),
    ("push_10k_ms", "ms", Hold::AtMost(250.0), Some(("Anki", 1_120.0))),
    ("push_10k_bytes", "bytes", Hold::AtMost(650_000.0), Some(("Anki", 1_300_000.0))),
    ("first_sync_ms", "ms", Hold::AtMost(250.0), Some(("Anki", 520.0))),
    ("first_sync_bytes", "bytes", Hold::AtMost(500_000.0), Some(("Anki", 790_000.0))),
    ("edits_100_ms", "ms", Hold::AtMost(5.0), Some(("Anki", 8.0))),
    ("edits_100_bytes", "bytes", Hold::AtMost(4_000.0), Some(("Anki", 8_800.0))),
    ("noop_ms", "ms", Hold::AtMost(0.4), Some(("Anki", 0.4))),
    ("noop_bytes", "bytes", Hold::AtMost(500.0), Some(("Anki", 530.0))),
    ("day_40_bytes", "bytes", Hold::AtMost(4_000.0), Some(("Anki", 8_500.0))),
    ("day_40_killed_bytes", "bytes", Hold::Stated, None),
    ("search_p95", "ms", Hold::AtMost(20.0), Some(("ODK", 3_000.0))),
    ("ingest_log", "changes/s", Hold::AtLeast(50_000.0), Some(("PowerSync", 4_000.0))),
    ("delta", "ms", Hold::AtMost(1.0), Some(("open-mSupply", 2.6))),
    ("memory_mb", "MB", Hold::AtMost(40.0), Some(("PowerSync", 113.0))),
    ("core_mb", "MB", Hold::AtMost(6.0), None),
    ("page_kotlin_ms", "ms", Hold::AtMost(1.0), None),
    ("log_kotlin", "µs", Hold::Ratio(1.2), None),
    ("page_swift_ms", "ms", Hold::AtMost(2.0), None),
    ("log_swift", "µs", Hold::Ratio(1.2), None),
];

/// A peer and its figure, in the unit of the line.
pub type Peer = (&'static str, f64);

/// How a value is judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Hold {
    /// The value is at most so many times the reference.
    Ratio(f64),
    /// The value is at most this.
    AtMost(f64),
    /// The value is at least this.
    AtLeast(f64),
    /// The value is told, and nothing is asked of it.
    Stated,
}

/// One line, as `--json` writes it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub line: &'static str,
    /// What was measured; none when it was not run.
    pub value: Option<f64>,
    /// Of value and reference.
    pub unit: &'static str,
    /// The same by plain SQLite in the same run, where that is the reference; else a peer's figure.
    pub reference: Option<f64>,
    /// Whose figure that is; none = plain SQLite.
    pub peer: Option<&'static str>,
    /// Value by reference.
    pub ratio: Option<f64>,
    /// What must hold, in words.
    pub hold: String,
    /// Whether it does; a line that was not run does not.
    pub ok: bool,
    /// How it was measured.
    pub how: String,
}

impl Line {
    /// A line that stands by itself.
    pub fn alone(name: &str, value: f64, how: impl Into<String>) -> Self {
        Self::new(name, Some(value), None, how.into())
    }

    /// A line beside its reference.
    pub fn beside(name: &str, value: f64, reference: f64, how: impl Into<String>) -> Self {
        Self::new(name, Some(value), Some(reference), how.into())
    }

    /// A line that this machine cannot measure.
    pub fn not_run(name: &str, why: &str) -> Self {
        Self::new(name, None, None, format!("NOT RUN: {why}"))
    }

    fn new(name: &str, value: Option<f64>, reference: Option<f64>, how: String) -> Self {
        let known = HOLDS.iter().find(|(of, ..)| *of == name);
        let (line, unit, hold, peer) = *known.expect("a line of the list");
        let reference = reference.or(peer.map(|(_, figure)| figure));
        let ratio = value.zip(reference).map(|(value, reference)| value / reference);
        let ok = match hold {
            Hold::Ratio(most) => ratio.is_some_and(|ratio| ratio <= most),
            Hold::AtMost(most) => value.is_some_and(|value| value <= most),
            Hold::AtLeast(least) => value.is_some_and(|value| value >= least),
            Hold::Stated => value.is_some(),
        };
        let peer = peer.map(|(name, _)| name);
        Self { line, value, unit, reference, peer, ratio, hold: hold.to_string(), ok, how }
    }
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "<= {most}x"),
            Self::AtMost(most) => write!(f, "<= {}", number(*most)),
            Self::AtLeast(least) => write!(f, ">= {}", number(*least)),
            Self::Stated => f.write_str("stated"),
        }
    }
}

/// A number with as many digits as it deserves.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => {
            let digits = format!("{value:.0}");
            let cut = digits.len() % 3;
            let rest =
                digits.as_bytes()[cut..].chunks(3).map(|three| String::from_utf8_lossy(three).into_owned());
            let first = (cut > 0).then(|| digits[..cut].to_owned());
            first.into_iter().chain(rest).collect::<Vec<_>>().join(" ")
        }
        size if size >= 10.0 || size == size.trunc() => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The lines as a table for a terminal.
pub fn table(lines: &[Line]) -> String {
    let head = ["line", "value", "reference", "ratio", "must hold", "ok"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(lines.iter().map(|line| {
        let told = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
        [
            line.line.to_owned(),
            line.value
                .map_or_else(|| "NOT RUN".to_owned(), |value| format!("{} {}", number(value), line.unit)),
            match line.peer {
                Some(peer) => format!("{} {peer}", told(line.reference)),
                None => told(line.reference),
            },
            line.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x")),
            line.hold.clone(),
            if line.ok { "ok" } else { "NO" }.to_owned(),
        ]
    }));
    let widths: Vec<usize> =
        (0..6).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            let (before, after) =
                if (1..=3).contains(&at) { (space.as_str(), "") } else { ("", space.as_str()) };
            text.push_str(&format!("{before}{cell}{after}  "));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whether_it_holds() {
        assert!(Line::beside("save", 114.0, 100.0, "").ok);
        assert!(!Line::beside("save", 116.0, 100.0, "").ok);
        assert!(Line::alone("noop_bytes", 500.0, "").ok && !Line::alone("noop_bytes", 501.0, "").ok);
        assert!(Line::alone("ingest_log", 50_000.0, "").ok && !Line::alone("ingest_log", 49_999.0, "").ok);
        assert!(!Line::not_run("core_mb", "no cargo").ok);
    }

    #[test]
    fn numbers_are_told_with_the_digits_they_deserve() {
        let told = [0.0123, 0.4, 1.5, 12.34, 999.0, 4_000.0, 650_000.0, 1_234_567.8].map(number);
        assert_eq!(told, ["0.012", "0.400", "1.50", "12", "999", "4 000", "650 000", "1 234 568"]);
    }

    #[test]
    fn the_table_names_every_line_with_what_it_must_hold() {
        let lines = [Line::beside("save", 120.0, 100.0, "x"), Line::not_run("memory_mb", "no such file")];
        let table = table(&lines);
        assert!(table.contains("1.20x") && table.contains("<= 1.15x") && table.contains("NO"), "{table}");
        assert!(table.contains("NOT RUN") && table.contains("113 PowerSync"), "{table}");
    }
}
