//! Figures of others, imported from a table: `unit, indicator, operator, value, numerator, denominator, source,
//! date`. All lines or none; a second import of the same is a new version, the old row stays.
//!
//! Numbers are read as Vietnamese writers and plain ones mean them (`1.234,5`, `62.5`), dates as `2024-09-01` or
//! `01/09/2024`, what nobody published as empty or `unknown`.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::date::CivilDate;
use langso_domain::id::ScopeId;
use langso_domain::indicators::{Indicator, Indicators};
use langso_domain::text::{NumberError, nfc, parse_number_vi};
use langso_domain::units::{UnitCode, Units};
use langso_sync::value::Value;

use super::places::Place;
use super::table::{self, Cell, TableError};
use super::{AdminError, Result, text};
use crate::server::Hub;

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ImportedStock {
    /// How many figures.
    pub figures: usize,
    /// How many of them are a later version of a figure that was there.
    pub renewed: usize,
}

/// An imported figure as it stands in its place, also when a later version has replaced it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockRow {
    /// Code and list version.
    pub unit: String,
    /// `code@version`.
    pub indicator: String,
    /// As of.
    pub date: CivilDate,
    /// Of this unit, indicator and date; from 1.
    pub version: i64,
    /// The highest version, which counts; the others are older.
    pub is_newest: bool,
    /// One of `=`, `<~`, `~`, `>`, `>=`, `<`.
    pub operator: String,
    /// A rate in percent.
    pub thousandths: i64,
    /// When published.
    pub numerator: Option<i64>,
    /// When published; none = not known.
    pub denominator: Option<i64>,
    /// Who says so.
    pub source: String,
}

/// One fault of a file and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StockFault {
    /// From 1, the heading included.
    pub line: usize,
    /// The column's name; empty when the whole line is meant.
    pub column: &'static str,
    /// What is wrong.
    pub problem: StockProblem,
    /// The text at fault, shortened.
    pub value: String,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),* $(,)?) => {
        /// What can be wrong with a file of figures.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum StockProblem { $($(#[$doc])* $variant),* }

        impl StockProblem {
            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }
    };
}

problems! {
    /// The file or one text of it is longer than is read.
    TooLarge = "too_large",
    /// Not a line under the heading.
    Empty = "empty",
    /// A column that the heading must have is not there.
    MissingColumn = "missing_column",
    /// A column that is not known.
    UnknownColumn = "unknown_column",
    /// A column stands twice.
    DuplicateColumn = "duplicate_column",
    /// More or fewer fields than the heading.
    WrongCount = "wrong_count",
    /// A quotation mark that does not close, or stands inside a field.
    BadQuotes = "bad_quotes",
    /// A field that must be filled in is empty.
    Missing = "missing",
    /// No unit such as `193@2024`, or none that the lists know.
    UnknownUnit = "unknown_unit",
    /// The unit lies in no place of this hub.
    NoPlace = "no_place",
    /// No indicator of that code, or `code@version`.
    UnknownIndicator = "unknown_indicator",
    /// Not one of `=`, `<~`, `~`, `>`, `>=`, `<`.
    UnknownOperator = "unknown_operator",
    /// Not a number, or one that can be read in two ways.
    BadNumber = "bad_number",
    /// More than three decimals, or a part of a thing.
    TooPrecise = "too_precise",
    /// Below zero, above a hundred percent, or beyond what is kept.
    OutOfRange = "out_of_range",
    /// A percent sign on what is no rate.
    NotARate = "not_a_rate",
    /// Not a day as `2024-09-01` or `01/09/2024`.
    BadDate = "bad_date",
    /// Too long, or with a number that is never stored.
    BadText = "bad_text",
    /// The same unit, indicator and date stands in the file before.
    Duplicate = "duplicate",
}

const COLUMNS: [&str; 8] =
    ["unit", "indicator", "operator", "value", "numerator", "denominator", "source", "date"];
/// The one that may be left out.
const OPTIONAL: &str = "numerator";
const OPERATORS: [&str; 6] = ["=", "<~", "~", ">", ">=", "<"];
const UNKNOWN: [&str; 3] = ["", "unknown", "không rõ"];
const MAX_FAULTS: usize = 100;
const MAX_VALUE: usize = 60;
/// The largest count that is kept.
const MAX_COUNT: i64 = 1_000_000_000_000;
const HUNDRED_PERCENT: i64 = 100_000;

/// A line that holds.
struct Figure {
    scope: ScopeId,
    unit: String,
    indicator: String,
    date: CivilDate,
    fields: Vec<(&'static str, Value)>,
}

impl Hub {
    /// Imports figures of others. Each goes to the narrowest place that its unit lies in.
    ///
    /// # Errors
    /// [`AdminError::Stock`] with the first hundred faults; nothing is imported then.
    pub fn import_stock(&self, csv: &str) -> Result<ImportedStock> {
        let mut batch = self.author.batch();
        let reader = Reader { indicators: self.indicators()?, places: self.list_places()? };
        let figures = reader.read(csv).map_err(AdminError::Stock)?;
        let mut versions: BTreeMap<ScopeId, _> = BTreeMap::new();
        let mut done = ImportedStock { figures: figures.len(), renewed: 0 };
        for mut figure in figures {
            if let std::collections::btree_map::Entry::Vacant(entry) = versions.entry(figure.scope) {
                entry.insert(self.stock_versions(figure.scope)?);
            }
            let key = (figure.unit, figure.indicator, figure.date);
            let before = versions.get(&figure.scope).and_then(|known| known.get(&key)).copied().unwrap_or(0);
            done.renewed += usize::from(before > 0);
            figure.fields.push(("version", Value::Int(before + 1)));
            batch.create(figure.scope, "stock_value", figure.fields)?;
        }
        batch.commit()?;
        Ok(done)
    }

    /// The imported figures of all places, by unit, indicator and date, the newest version first.
    ///
    /// # Errors
    /// [`AdminError::Replica`].
    pub fn list_stock(&self) -> Result<Vec<StockRow>> {
        let sql = "SELECT unit, indicator, date, coalesce(version, 1) AS nth, operator, value, numerator, denominator,
                     source, row_number() OVER (
                       PARTITION BY unit, indicator, date ORDER BY coalesce(version, 1) DESC, id) = 1
                   FROM live_stock_values
                   WHERE unit IS NOT NULL AND indicator IS NOT NULL AND date IS NOT NULL
                   ORDER BY unit, indicator, date, nth DESC, id";
        let mut found = Vec::new();
        for place in self.list_places()? {
            self.replicas.with::<_, AdminError>(place.scope, |replica, _| {
                let mut get = replica.connection().prepare_cached(sql)?;
                let rows = get.query_map([], |row| {
                    Ok(StockRow {
                        unit: row.get(0)?,
                        indicator: row.get(1)?,
                        date: CivilDate(row.get(2)?),
                        version: row.get(3)?,
                        operator: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                        thousandths: row.get::<_, Option<i64>>(5)?.unwrap_or_default(),
                        numerator: row.get(6)?,
                        denominator: row.get(7)?,
                        source: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
                        is_newest: row.get(9)?,
                    })
                })?;
                for row in rows {
                    found.push(row?);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The highest version of each figure of a place.
    fn stock_versions(&self, place: ScopeId) -> Result<BTreeMap<(String, String, CivilDate), i64>> {
        self.replicas.with(place, |replica, _| {
            let sql = "SELECT unit, indicator, date, max(coalesce(version, 1)) FROM stock_values
                       WHERE unit IS NOT NULL AND indicator IS NOT NULL AND date IS NOT NULL GROUP BY 1, 2, 3";
            let mut get = replica.connection().prepare_cached(sql)?;
            let rows = get
                .query_map([], |row| Ok(((row.get(0)?, row.get(1)?, CivilDate(row.get(2)?)), row.get(3)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// A fault before its line and column are known.
type Fault = (&'static str, StockProblem);

struct Reader {
    indicators: Indicators,
    places: Vec<Place>,
}

impl Reader {
    fn read(&self, csv: &str) -> std::result::Result<Vec<Figure>, Vec<StockFault>> {
        let whole = |why: TableError| {
            let problem = match why.problem {
                table::Problem::TooLarge => StockProblem::TooLarge,
                table::Problem::Quotes => StockProblem::BadQuotes,
            };
            vec![StockFault { line: why.line, column: "", problem, value: String::new() }]
        };
        let lines = table::read(csv).map_err(whole)?;
        let (columns, lines) = match lines.split_first() {
            Some((heading, lines)) => (columns(heading)?, lines),
            None => return Err(vec![fault(1, "", StockProblem::Empty, "")]),
        };
        if lines.is_empty() {
            return Err(vec![fault(2, "", StockProblem::Empty, "")]);
        }
        let (mut figures, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for line in lines {
            if faults.len() >= MAX_FAULTS {
                break;
            }
            let number = line.number;
            if line.cells.len() != columns.len() {
                faults.push(fault(number, "", StockProblem::WrongCount, &line.cells.len().to_string()));
                continue;
            }
            let cell = |name: &str| {
                let at = columns.iter().position(|column| *column == name);
                at.and_then(|at| line.cells.get(at)).map(Cell::trimmed).unwrap_or_default()
            };
            let mut found = Vec::new();
            match self.figure(cell, &mut found) {
                Some(figure) if found.is_empty() => {
                    let key = (figure.unit.clone(), figure.indicator.clone(), figure.date);
                    if seen.insert(key) {
                        figures.push(figure);
                    } else {
                        faults.push(fault(number, "", StockProblem::Duplicate, &figure.unit));
                    }
                }
                _ => faults.extend(
                    found.into_iter().map(|(column, problem)| fault(number, column, problem, cell(column))),
                ),
            }
        }
        if faults.is_empty() { Ok(figures) } else { Err(faults) }
    }

    /// A line's figure; faults are gathered, and then there is none or one that is not used.
    fn figure<'a>(&self, cell: impl Fn(&str) -> &'a str, found: &mut Vec<Fault>) -> Option<Figure> {
        let mut kept = |name: &'static str, read: std::result::Result<Value, StockProblem>| match read {
            Ok(value) => Some((name, value)),
            Err(problem) => {
                found.push((name, problem));
                None
            }
        };
        let unit = self.unit(cell("unit"));
        let indicator = self.indicator(cell("indicator"));
        let is_rate = indicator.as_ref().is_ok_and(|indicator| indicator.counted_in.code == "percent");
        let day = day(cell("date"));
        let operator = cell("operator");
        let operator = match operator {
            "" => Err(StockProblem::Missing),
            known if OPERATORS.contains(&known) => Ok(Value::Text(known.to_owned())),
            _ => Err(StockProblem::UnknownOperator),
        };
        let source = match cell("source") {
            "" => Err(StockProblem::Missing),
            given => text("source", ("stock_value", "source"), given).map_err(|_| StockProblem::BadText),
        };
        let place = unit.as_ref().map(|(_, place)| *place).map_err(|problem| *problem);
        let fields = [
            kept("unit", unit.map(|(unit, _)| Value::Text(unit.to_string()))),
            kept("indicator", indicator.map(|indicator| Value::Text(indicator.reference()))),
            kept("operator", operator),
            kept("value", amount(cell("value"), is_rate)),
            kept("numerator", count(cell("numerator"))),
            kept("denominator", count(cell("denominator")).and_then(not_zero)),
            kept("source", source),
            kept("date", day.map(|day| Value::Int(day.0.into()))),
        ];
        let fields: Vec<_> = fields.into_iter().flatten().collect();
        let read = |name| {
            fields.iter().find_map(|(field, value)| match value {
                Value::Text(text) if *field == name => Some(text.clone()),
                _ => None,
            })
        };
        Some(Figure {
            scope: place.ok()?.scope,
            unit: read("unit")?,
            indicator: read("indicator")?,
            date: day.ok()?,
            fields,
        })
    }

    fn unit(&self, given: &str) -> std::result::Result<(UnitCode, Place), StockProblem> {
        if given.is_empty() {
            return Err(StockProblem::Missing);
        }
        let unit = UnitCode::parse(given).filter(|unit| Units::packaged().latest(*unit).is_some());
        let unit = unit.ok_or(StockProblem::UnknownUnit)?;
        Hub::place_of(&self.places, unit).map(|place| (unit, place)).ok_or(StockProblem::NoPlace)
    }

    fn indicator(&self, given: &str) -> std::result::Result<&Indicator, StockProblem> {
        if given.is_empty() {
            return Err(StockProblem::Missing);
        }
        let known = self.indicators.get(given).or_else(|| self.indicators.newest(given));
        known.ok_or(StockProblem::UnknownIndicator)
    }
}

/// The columns of a heading, in its order.
fn columns(heading: &table::Line) -> std::result::Result<Vec<&'static str>, Vec<StockFault>> {
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for cell in &heading.cells {
        let given = cell.trimmed();
        let known = COLUMNS.into_iter().find(|column| given.eq_ignore_ascii_case(column));
        match known {
            None => faults.push(fault(heading.number, "", StockProblem::UnknownColumn, given)),
            Some(name) if columns.contains(&name) => {
                faults.push(fault(heading.number, name, StockProblem::DuplicateColumn, given));
            }
            Some(name) => columns.push(name),
        }
    }
    for name in COLUMNS {
        if name != OPTIONAL && !columns.contains(&name) {
            faults.push(fault(heading.number, name, StockProblem::MissingColumn, ""));
        }
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

fn fault(line: usize, column: &'static str, problem: StockProblem, value: &str) -> StockFault {
    StockFault { line, column, problem, value: value.chars().take(MAX_VALUE).collect() }
}

/// A number in thousandths.
fn thousandths(given: &str) -> std::result::Result<(i64, bool), StockProblem> {
    let number = parse_number_vi(given).map_err(|why| match why {
        NumberError::Empty => StockProblem::Missing,
        NumberError::TooLong => StockProblem::OutOfRange,
        NumberError::Character | NumberError::Grouping => StockProblem::BadNumber,
    })?;
    let scaled = number.value * 1000.0;
    if !(0.0..=MAX_COUNT as f64 * 1000.0).contains(&scaled) {
        return Err(StockProblem::OutOfRange);
    }
    let rounded = scaled.round();
    // Binary fractions are off by far less than a millionth of the last place that is kept.
    if (scaled - rounded).abs() > 1e-6 * scaled.max(1.0) {
        return Err(StockProblem::TooPrecise);
    }
    Ok((rounded as i64, number.is_percent))
}

fn amount(given: &str, is_rate: bool) -> std::result::Result<Value, StockProblem> {
    let (value, is_percent) = thousandths(given)?;
    match is_rate {
        true if value > HUNDRED_PERCENT => Err(StockProblem::OutOfRange),
        false if is_percent => Err(StockProblem::NotARate),
        _ => Ok(Value::Int(value)),
    }
}

/// A whole number, or null for what nobody published.
fn count(given: &str) -> std::result::Result<Value, StockProblem> {
    if UNKNOWN.contains(&nfc(given).to_lowercase().as_str()) {
        return Ok(Value::Null);
    }
    match thousandths(given)? {
        (_, true) => Err(StockProblem::NotARate),
        (value, false) if value % 1000 == 0 => Ok(Value::Int(value / 1000)),
        _ => Err(StockProblem::TooPrecise),
    }
}

fn not_zero(value: Value) -> std::result::Result<Value, StockProblem> {
    if value == Value::Int(0) { Err(StockProblem::OutOfRange) } else { Ok(value) }
}

fn day(given: &str) -> std::result::Result<CivilDate, StockProblem> {
    if given.is_empty() {
        return Err(StockProblem::Missing);
    }
    let vietnamese = || {
        let parts: Vec<&str> = given.split('/').collect();
        let [day, month, year] = parts[..] else { return None };
        let is_number =
            |text: &&str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(&day, 2) || !is_number(&month, 2) || year.len() != 4 || !is_number(&year, 4) {
            return None;
        }
        CivilDate::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    CivilDate::parse_iso(given).or_else(vietnamese).ok_or(StockProblem::BadDate)
}
