//! Published stock figures of a place: imported with operator, source and date, never computed from visits.

use langso_domain::date::CivilDate;

use super::CampaignError;

const STOCK: &str = include_str!("../../../fixtures/campaigns/quang-ninh-2024/stock.csv");

/// The columns of the file, in order.
pub const COLUMNS: [&str; 8] =
    ["unit", "indicator", "operator", "value", "numerator", "denominator", "source", "date"];

/// One figure as published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockFigure {
    /// The place, `CODE@2024`.
    pub unit: String,
    /// A code of the list `published_figures`.
    pub indicator: String,
    /// One of `=`, `<~`, `~`, `>`, `>=`, `<`.
    pub operator: String,
    /// In thousandths; a rate in percent.
    pub value: i64,
    /// None = unknown.
    pub numerator: Option<u64>,
    /// None = unknown.
    pub denominator: Option<u64>,
    /// Who says so.
    pub source: String,
    /// As of.
    pub date: CivilDate,
}

/// The file as it is packed, for an import as an officer would do it.
pub fn packaged_csv() -> &'static str {
    STOCK
}

/// Reads a stock file: the header line, then one figure a line, no quotes.
///
/// # Errors
/// [`CampaignError::Stock`] with the line, from 1.
pub fn read_stock(text: &str) -> Result<Vec<StockFigure>, CampaignError> {
    let mut lines = text.lines();
    if lines.next() != Some(COLUMNS.join(",").as_str()) {
        return Err(CampaignError::Stock { line: 1 });
    }
    (2..).zip(lines).map(|(at, line)| read_line(line).ok_or(CampaignError::Stock { line: at })).collect()
}

fn read_line(line: &str) -> Option<StockFigure> {
    let cells: Vec<&str> = line.split(',').collect();
    let [unit, indicator, operator, value, numerator, denominator, source, date] = cells[..] else {
        return None;
    };
    if !["=", "<~", "~", ">", ">=", "<"].contains(&operator) {
        return None;
    }
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let part = format!("{part:0<3}");
    // A sign would be read as one, after the point too.
    if part.len() != 3 || !value.bytes().all(|sign| sign.is_ascii_digit() || sign == b'.') {
        return None;
    }
    let (whole, part): (i64, i64) = (whole.parse().ok()?, part.parse().ok()?);
    let count = |text: &str| match text {
        "unknown" => Some(None),
        number => number.parse().ok().map(Some),
    };
    Some(StockFigure {
        unit: unit.to_owned(),
        indicator: indicator.to_owned(),
        operator: operator.to_owned(),
        value: whole.checked_mul(1_000)?.checked_add(part)?,
        numerator: count(numerator)?,
        denominator: count(denominator)?,
        source: source.to_owned(),
        date: CivilDate::parse_iso(date)?,
    })
}
