//! `langso figures`: on a lead's phone, the figures of a period, what they mean, and the rows behind them down to
//! the visits. Whatever is opened adds up to the figure that was shown.

use std::collections::BTreeSet;
use std::path::PathBuf;

use langso_device::companion::figures::{
    Asked, Explain, FigureLine, FigurePage, FigureRow, FindLines, PartValue, PublishedFigure,
};
use langso_domain::units::UnitCode;

use crate::names::{self, text, unit};
use crate::phone::book::Book;
use crate::terminal::{Grid, moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Số liệu của tổ, mở được tới từng lần giúp · the team's figures, which open into the visits behind them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Thư mục điện thoại của tổ trưởng · the folder of a lead's phone
    #[arg(long, env = "LANGSO_PHONE", value_name = "DIR")]
    at: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso figures --at lead list --period 2024-H1
  langso figures --at lead show success_rate --period 2024-M03
  langso figures --at lead open turns --period 2024-Q2 --csv
  langso figures --at lead open visits --from 2024-03-01 --to 2024-03-31 --place 06838

Kỳ · periods: 2024-M03, 2024-M03c15 (15/3–14/4), 2024-Q1, 2024-H1, 2024-Y";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Mọi số liệu của kỳ · every figure of a period
    List {
        #[command(flatten)]
        when: When,
        /// Chỉ những mã này · only these codes
        #[arg(value_name = "INDICATOR")]
        indicators: Vec<String>,
        /// Một đối tượng JSON · one object of JSON
        #[arg(long)]
        json: bool,
    },
    /// Một số liệu: nghĩa, công thức, chia theo cột · one figure: meaning, formula, parts
    Show {
        /// Mã, ví dụ turns · a code, such as turns
        #[arg(value_name = "INDICATOR")]
        indicator: String,
        #[command(flatten)]
        when: When,
        /// Chia theo cột này · broken down by this column
        #[arg(long, value_name = "COLUMN")]
        by: Option<String>,
        /// Một đối tượng JSON · one object of JSON
        #[arg(long)]
        json: bool,
    },
    /// Các dòng làm nên số này, tới từng lần giúp · the rows behind a figure, down to the visits
    Open {
        /// Mã, ví dụ turns · a code, such as turns
        #[arg(value_name = "INDICATOR")]
        indicator: String,
        #[command(flatten)]
        when: When,
        /// Số dòng hiện ra, 0 = tất cả (50) · how many lines to show, 0 = all (50)
        #[arg(long, value_name = "N", default_value_t = 50, hide_default_value = true)]
        limit: u64,
        /// CSV, mọi dòng · CSV, every line
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// JSON, mọi dòng, mỗi dòng một đối tượng · JSON, every line, one object each
        #[arg(long)]
        json: bool,
    },
}

/// For which days and place.
#[derive(Debug, clap::Args)]
struct When {
    /// Kỳ, ví dụ 2024-H1 · a period, such as 2024-H1
    #[arg(long, value_name = "PERIOD", required_unless_present = "from")]
    period: Option<String>,
    /// Hoặc từ ngày · or a first day
    #[arg(long, value_name = "DATE", requires = "to", conflicts_with = "period")]
    from: Option<String>,
    /// đến ngày · and a last day
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<String>,
    /// Mã hoặc tên xã, tỉnh; bỏ trống = tất cả · a commune or province by code or name; none = all
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
}

impl When {
    fn asked(&self, indicators: Vec<String>) -> Outcome<Asked> {
        let today = crate::phone::today();
        let day = |field: &str, typed: &Option<String>| {
            typed.as_deref().map(|typed| names::day(field, typed, today)).transpose()
        };
        Ok(Asked {
            period: self.period.clone(),
            from: day("--from", &self.from)?,
            to: day("--to", &self.to)?,
            unit: self.place.as_deref().map(|typed| names::place("--place", typed)).transpose()?,
            indicators,
        })
    }
}

/// Runs one verb.
///
/// # Errors
/// What the phone refuses; exit 2 for a period, place or indicator that is none.
pub fn run(args: Args) -> Outcome {
    let book = Book::open(&crate::phone::folder(args.at)?)?;
    let figures = book.app.figures();
    match args.verb {
        Verb::List { when, indicators, json } => {
            let page = figures.list_figures(when.asked(indicators)?)?;
            if json {
                return tell_json(&page);
            }
            list(&page);
        }
        Verb::Show { indicator, when, by, json } => {
            let explained =
                figures.explain_figure(Explain { indicator, asked: when.asked(Vec::new())?, by })?;
            if json {
                return tell_json(&explained);
            }
            tell(text(&explained.figure.title));
            tell(format_args!("  {}", figure(&explained.figure)));
            tell(format_args!("  {}", text(&explained.meaning)));
            tell(format_args!("  {}", text(&explained.formula)));
            if !explained.rate_of.is_empty() {
                let words = pick("Tỷ lệ của", "A rate of");
                tell(format_args!("  {words}: {}", explained.rate_of.join(" / ")));
            }
            if !explained.can_break_down_by.is_empty() {
                let words = pick("Chia được theo", "Can be broken down by");
                tell(format_args!("  {words}: {}", explained.can_break_down_by.join(", ")));
            }
            published(&explained.figure.published);
            let mut grid = Grid::new(&[1, 2]);
            for part in &explained.parts {
                let value = part.value.map_or_else(dash, |value| number(value, explained.figure.scale));
                let lines = format!("{} {}", part.lines, pick("dòng", "lines"));
                grid.row([part_text(&part.part), value, lines]);
            }
            grid.tell();
        }
        Verb::Open { indicator, when, limit, csv, json } => {
            open(
                &book,
                FindLines { indicator, asked: when.asked(Vec::new())?, after: None },
                limit,
                csv,
                json,
            )?;
        }
    }
    Ok(())
}

fn tell_json(what: &impl serde::Serialize) -> Outcome {
    tell(serde_json::to_string(what).map_err(|_| Failure::new("unexpected", "json"))?);
    Ok(())
}

fn list(page: &FigurePage) {
    tell(format_args!("{}–{}", page.from.0.vi(), page.to.0.vi()));
    for (vi, en, rows) in [("Hoạt động", "Activity", &page.activity), ("Bao phủ", "Coverage", &page.coverage)]
    {
        tell(pick(vi, en));
        let mut grid = Grid::new(&[1]);
        for row in rows {
            let name = row.indicator.split('@').next().unwrap_or_default();
            grid.row([text(&row.title).to_owned(), figure(row), name.to_owned()]);
        }
        grid.tell();
        rows.iter().for_each(|row| published(&row.published));
    }
    let as_of = page
        .as_of
        .last_sync_at
        .map_or_else(|| pick("chưa gửi nhận lần nào", "never synced").to_owned(), moment);
    tell(format_args!("{}: {as_of}", pick("Tính đến", "As of")));
    if page.as_of.unarrived > 0 {
        let words =
            pick("lần giúp trong số này chưa tới máy chủ", "visits in these figures not yet at the hub");
        tell(format_args!("{} {words}", page.as_of.unarrived));
    }
    tell(pick(
        "Theo sổ trên máy này; một số lần giúp của tổ có thể chưa về.",
        "By this phone's book; some of the team's visits may still be missing.",
    ));
    if !page.split_units.is_empty() {
        let units: BTreeSet<_> = page.split_units.iter().map(|code| unit(Some(*code))).collect();
        let units: Vec<_> = units.into_iter().collect();
        let words = pick("Không chia được, không tính", "Split, not counted");
        tell(format_args!("{words}: {}", units.join(", ")));
    }
}

fn dash() -> String {
    "-".to_owned()
}

/// The figure as people read it: an unknown one is a dash, never 0.
fn figure(row: &FigureRow) -> String {
    let value = row.value.map_or_else(dash, |value| number(value, row.scale));
    let percent = if row.counted_in == "percent" && row.value.is_some() { " %" } else { "" };
    let parts = match (row.numerator, row.denominator) {
        (Some(above), Some(below)) => format!(" ({}/{})", number(above, 1), number(below, 1)),
        (Some(above), None) => {
            format!(" ({}/{})", number(above, 1), pick("chưa rõ mẫu số", "denominator not known"))
        }
        _ => String::new(),
    };
    let estimate = if row.is_estimate { pick(", ước tính", ", estimate") } else { "" };
    format!("{value}{percent}{parts}{estimate}")
}

/// `1.234` or `62,5`, by the language; a scaled number with the decimals that it has.
pub(crate) fn number(value: i64, scale: u32) -> String {
    let scale = i64::from(scale.max(1));
    let (whole, part) = (value.div_euclid(scale), value.rem_euclid(scale));
    let whole = langso_domain::text::format_count(whole);
    let whole = if crate::words::is_english() { whole.replace('.', ",") } else { whole };
    let digits = scale.ilog10() as usize;
    let part = format!("{part:0digits$}");
    match part.trim_end_matches('0') {
        _ if digits == 0 => whole,
        "" => whole,
        part => format!("{whole}{}{part}", pick(",", ".")),
    }
}

fn published(rows: &[PublishedFigure]) {
    let mut grid = Grid::new(&[1]);
    for row in rows {
        let operator = operator_word(row.operator.as_deref());
        let value = row.thousandths.map_or_else(dash, |value| number(value, 1_000));
        let place = UnitCode::parse(&row.unit).map_or_else(|| row.unit.clone(), |code| unit(Some(code)));
        let source = row.source.clone().unwrap_or_default();
        let below = match (row.numerator, row.denominator) {
            (Some(above), Some(below)) => format!("{}/{}", number(above, 1), number(below, 1)),
            (Some(above), None) => format!("{}/?", number(above, 1)),
            _ => String::new(),
        };
        grid.row([
            format!("  {}", pick("đã công bố", "published")),
            format!("{operator}{value}"),
            below,
            place,
            source,
            row.date.0.vi(),
        ]);
    }
    grid.tell();
}

fn operator_word(operator: Option<&str>) -> &'static str {
    match operator {
        Some("<~") => pick("gần ", "nearly "),
        Some("~") => pick("khoảng ", "about "),
        Some(">") => pick("trên ", "over "),
        Some(">=") => pick("ít nhất ", "at least "),
        Some("<") => pick("dưới ", "under "),
        _ => "",
    }
}

fn part_text(part: &PartValue) -> String {
    match part {
        PartValue::Empty => dash(),
        PartValue::Number { value: number } => number.to_string(),
        PartValue::Text { value: text } => text.clone(),
        PartValue::Row { value: row } => row.to_string(),
    }
}

/// Every line, page by page, while there is somebody to read them.
fn open(book: &Book, mut find: FindLines, limit: u64, csv: bool, json: bool) -> Outcome {
    let whole = csv || json;
    if csv {
        tell("date,unit,visit,row,apart,adds");
    }
    let mut shown = 0_u64;
    let mut told = BTreeSet::new();
    loop {
        let page = book.app.figures().list_figure_lines(find.clone())?;
        let mut grid = Grid::new(&[4]);
        for line in &page.lines {
            if !whole && limit > 0 && shown == limit {
                break;
            }
            shown += 1;
            told.insert(part_text(&line.adds));
            match () {
                () if json => tell_json(line)?,
                () if csv => tell(csv_line(line)),
                () => grid.row(cells(line)),
            }
        }
        grid.tell();
        if !whole && limit > 0 && shown >= limit || page.next.is_none() {
            if !whole {
                sums(&page, shown);
            }
            return Ok(());
        }
        find.after = page.next;
    }
}

fn sums(page: &langso_device::companion::figures::LinePage, shown: u64) {
    if page.count == 0 {
        return tell(pick("Không có dòng nào trong kỳ này.", "No lines in this period."));
    }
    let value = page.value.map_or_else(dash, |value| number(value, 1));
    tell(format_args!(
        "{}: {value}; {} {}, {} {shown}",
        pick("Số liệu", "Figure"),
        page.count,
        pick("dòng", "lines"),
        pick("hiện", "shown"),
    ));
}

fn cells(line: &FigureLine) -> [String; 5] {
    let visit = line.visit.map_or_else(dash, |visit| visit.to_string());
    let apart = line.apart.map_or_else(String::new, |row| row.to_string());
    let adds = match &line.adds {
        PartValue::Number { value: number } => format!("+{number}"),
        other => part_text(other),
    };
    [line.date.0.vi(), unit(line.unit), visit, apart, adds]
}

fn csv_line(line: &FigureLine) -> String {
    let cells = [
        line.date.0.to_string(),
        line.unit.map_or_else(String::new, |unit| unit.to_string()),
        line.visit.map_or_else(String::new, |visit| visit.to_string()),
        line.row.to_string(),
        line.apart.map_or_else(String::new, |row| row.to_string()),
        match &line.adds {
            PartValue::Empty => String::new(),
            other => part_text(other),
        },
    ];
    cells.map(|cell| quoted(&cell)).join(",")
}

/// RFC 4180; and a text that a spreadsheet would take for a formula is told apart by an apostrophe.
fn quoted(cell: &str) -> String {
    let cell = match cell.starts_with(['=', '+', '@']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_numbers_show_the_decimals_they_have() {
        assert_eq!(number(62_500, 1_000), "62,5");
        assert_eq!(number(87_000, 1_000), "87");
        assert_eq!(number(1_234, 1), "1.234");
        assert_eq!(number(1_500_250, 1_000), "1.500,25");
    }

    #[test]
    fn csv_cells_are_no_formulas() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
