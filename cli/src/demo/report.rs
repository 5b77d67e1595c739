//! The demo's result: the seed's rows side by side, for the terminal and as JSON.

use std::collections::BTreeSet;
use std::io::Write;

use langso_domain::date::CivilDate;
use langso_domain::text;
use serde::Serialize;

use crate::words::pick;

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

    /// Prints the table and the summary for people, in at most 120 columns.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.print_table(out)?;
        let sources: BTreeSet<&str> = self.rows.iter().map(|row| row.source.as_str()).collect();
        for source in sources {
            writeln!(out, "{}: {source}", pick("Nguồn", "Source"))?;
        }
        let (visits, households) = (count(self.visits), count(self.households));
        let (up, down) = (kilobytes(self.bytes_up), kilobytes(self.bytes_down));
        let (syncs, cuts, kills) = (count(self.syncs), count(self.cuts), count(self.kills));
        let (phones, seconds) = (self.phones, text::format_decimal(self.seconds));
        match pick("vi", "en") {
            "en" => {
                writeln!(out, "\n{visits} visits, {households} households, {phones} phones, {seconds} s")?;
                writeln!(out, "{syncs} syncs, {cuts} of them broken off; apps killed {kills} times")?;
                writeln!(out, "Sent {up} KB, received {down} KB, HTTP and all")?;
            }
            _ => {
                writeln!(out, "\n{visits} lần giúp, {households} hộ, {phones} máy, {seconds} giây")?;
                writeln!(
                    out,
                    "{syncs} lần gửi nhận, {cuts} lần đứt giữa chừng; ứng dụng bị tắt ngang {kills} lần"
                )?;
                writeln!(out, "Gửi {up} KB, nhận {down} KB, tính cả HTTP")?;
            }
        }
        for difference in self.team_differences.iter().take(SHOWN) {
            writeln!(
                out,
                "{}: {difference}",
                pick("Máy tổ trưởng khác máy chủ, dòng", "Lead and hub differ, row")
            )?;
        }
        for row in self.rows.iter().filter(|row| !row.agrees()) {
            writeln!(out, "{}: {}", pick("Chưa khớp, dòng", "Does not agree, row"), row.seed_row)?;
        }
        writeln!(out, "{}: {}", pick("Dữ liệu", "Data"), self.data)
    }

    fn print_table(&self, out: &mut impl Write) -> std::io::Result<()> {
        let head = [
            pick("dòng", "row"),
            pick("bài báo viết", "the article says"),
            "",
            pick("điện thoại", "phones"),
            pick("máy chủ", "hub"),
            pick("sổ gốc", "tally"),
            pick("đơn vị", "unit"),
            pick("tính đến", "as of"),
        ];
        let mut lines = vec![head.map(str::to_owned)];
        for row in &self.rows {
            let mut words = wrapped(&row.words, WORDS).into_iter();
            let as_of = CivilDate::parse_iso(&row.as_of).map_or_else(String::new, CivilDate::vi);
            lines.push([
                row.seed_row.clone(),
                words.next().unwrap_or_default(),
                row.operator.clone(),
                number(row.phone),
                number(row.hub),
                number(row.tally),
                row.unit.clone(),
                as_of,
            ]);
            let more = words
                .map(|words| std::array::from_fn(|at| if at == 1 { words.clone() } else { String::new() }));
            lines.extend(more);
        }
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: [usize; 8] = std::array::from_fn(width);
        for line in &lines {
            let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                let pad = " ".repeat(width - cell.chars().count());
                if NUMBERS.contains(&at) { format!("{pad}{cell}") } else { format!("{cell}{pad}") }
            });
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// The widest that the article's words are set.
const WORDS: usize = 46;
/// Columns set to the right.
const NUMBERS: std::ops::RangeInclusive<usize> = 3..=5;
/// The most differences that are shown one by one.
const SHOWN: usize = 20;

fn count(number: u64) -> String {
    text::format_count(i64::try_from(number).unwrap_or(i64::MAX))
}

fn kilobytes(bytes: u64) -> String {
    count(bytes.div_ceil(1_000))
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.fract() == 0.0 => text::format_count(value as i64),
        Some(value) => text::format_decimal(value),
    }
}

/// Lines of at most so many characters, broken between words.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(phone: Option<f64>, hub: Option<f64>) -> Row {
        Row {
            seed_row: "4".to_owned(),
            words: "tỷ lệ người dân trưởng thành sử dụng nền tảng tư vấn khám chữa bệnh từ xa đạt 62,5%"
                .to_owned(),
            operator: "=".to_owned(),
            phone,
            hub,
            tally: Some(62.5),
            unit: "%".to_owned(),
            as_of: "2024-09-01".to_owned(),
            source: "Báo Quảng Ninh".to_owned(),
        }
    }

    #[test]
    fn a_row_agrees_only_when_all_three_are_there_and_equal() {
        assert!(row(Some(62.5), Some(62.5)).agrees());
        assert!(!row(Some(62.5), None).agrees());
        assert!(!row(None, None).agrees());
        assert!(!row(Some(62.0), Some(62.0)).agrees());
    }

    #[test]
    fn words_are_broken_and_never_cut() {
        let words = row(None, None).words;
        let lines = wrapped(&words, WORDS);
        assert_eq!(lines.join(" "), words);
        assert!(lines.len() == 2 && lines.iter().all(|line| line.chars().count() <= WORDS));
    }
}
