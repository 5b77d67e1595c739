//! The demo's result: the seed's rows side by side, for the terminal and as JSON.

use std::io::Write;

use langso_domain::date::CivilDate;
use langso_domain::text;
use serde::Serialize;

/// One printed row.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The seed's number, such as `10a`.
    pub seed_row: String,
    /// The seed's words.
    pub words: String,
    /// The published operator: `=`, `<~`, `~`, `>`, `>=`, `<`.
    pub operator: String,
    /// The sum over the leads' replicas, or the stock as their replicas hold it.
    pub phone: Option<f64>,
    /// The hub's cells.
    pub hub: Option<f64>,
    /// What the ledger says, counted by other code.
    pub tally: Option<f64>,
    /// What is counted.
    pub unit: String,
    /// Up to when, `yyyy-mm-dd`.
    pub as_of: String,
    /// Who published it.
    pub source: String,
}

impl Row {
    /// Whether phone, hub and tally say the same.
    pub fn agrees(&self) -> bool {
        self.phone.is_some() && self.phone == self.hub && self.hub == self.tally
    }
}

/// The whole result.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The seed's rows, in its order.
    pub rows: Vec<Row>,
    /// Visits saved.
    pub visits: u64,
    /// Households registered.
    pub households: u64,
    /// Phones (devices) that took part.
    pub phones: usize,
    /// Bytes of all request bodies.
    pub bytes_up: u64,
    /// Bytes of all reply bodies.
    pub bytes_down: u64,
    /// From the first process to the last figure.
    pub seconds: f64,
    /// The folder with phones and hub, kept for a look.
    pub data: String,
    /// Syncs begun.
    #[serde(skip)]
    pub syncs: u64,
    /// Of them broken off.
    #[serde(skip)]
    pub cuts: u64,
    /// Apps killed.
    #[serde(skip)]
    pub kills: u64,
    /// Teams whose lead's figures differ from the hub's cells, as `row: team`.
    #[serde(skip)]
    pub team_differences: Vec<String>,
}

impl Report {
    /// Whether every row is there, phone, hub and tally agree, and each lead's figures equal the hub's cells.
    pub fn agrees(&self) -> bool {
        self.rows.len() == 17 && self.rows.iter().all(Row::agrees) && self.team_differences.is_empty()
    }

    /// Prints the table for people.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        const WORDS: usize = 44;
        let head = ["dòng", "bài báo viết", "", "điện thoại", "máy chủ", "sổ gốc", "đơn vị", "tính đến"];
        let mut lines = vec![head.map(str::to_owned)];
        for row in &self.rows {
            lines.push([
                row.seed_row.clone(),
                shortened(&row.words, WORDS),
                row.operator.clone(),
                number(row.phone),
                number(row.hub),
                number(row.tally),
                row.unit.clone(),
                CivilDate::parse_iso(&row.as_of).map_or_else(String::new, CivilDate::vi),
            ]);
        }
        let widths: Vec<usize> = (0..head.len())
            .map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0))
            .collect();
        for line in &lines {
            let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                let pad = " ".repeat(width - cell.chars().count());
                if (3..=5).contains(&at) { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
            });
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let source = self.rows.first().map_or("", |row| row.source.as_str());
        writeln!(out, "nguồn (source): {source}")?;
        writeln!(
            out,
            "\n{} lần giúp (visits), {} hộ (households), {} máy (phones); gửi (up) {} byte, nhận (down) {} byte; {:.1} s",
            text::format_count(self.visits as i64),
            text::format_count(self.households as i64),
            self.phones,
            text::format_count(self.bytes_up as i64),
            text::format_count(self.bytes_down as i64),
            self.seconds
        )?;
        for difference in &self.team_differences {
            writeln!(out, "KHÁC NHAU (differs): {difference}")?;
        }
        for row in self.rows.iter().filter(|row| !row.agrees()) {
            writeln!(out, "KHÔNG KHỚP (does not agree): {}", row.seed_row)?;
        }
        writeln!(out, "dữ liệu (data): {}", self.data)
    }
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.fract() == 0.0 => text::format_count(value as i64),
        Some(value) => format!("{value}").replace('.', ","),
    }
}

fn shortened(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let kept: String = words.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}
