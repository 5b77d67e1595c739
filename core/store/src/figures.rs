//! Figures of a replica: runs the SQL that an indicator compiles to, the same on phone and hub.
//!
//! The views and their few indexes are part of the file. Their text belongs to the program, not to the schema: when
//! a file holds another text, opening it makes them anew.

use langso_domain::date::CivilDate;
use langso_domain::id::{RowId, VisitId};
use langso_domain::indicators::{
    BASE_VIEWS, Facts, INDEXES, Indicator, LineKey, Param, Query, Sql, VIEWS, compile, compile_by,
    compile_days, compile_lines, compile_published, drop_views, views,
};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{Error, Result};

/// A figure and how many rows are behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// In whole units, or thousandths for an imported figure ([`Indicator::scale`]); none = not known.
    pub value: Option<i64>,
    /// The rows behind it: what [`lines`] gives over all pages.
    pub lines: u64,
}

/// A figure of one value of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The column's value; null for rows without one.
    pub part: Value,
    /// The figure of those rows.
    pub figure: Figure,
}

/// What is counted of one day and unit.
#[derive(Debug, Clone, PartialEq)]
pub struct OfDay {
    /// The day that places it in time.
    pub date: CivilDate,
    /// The place of that day, with list version.
    pub unit: Option<String>,
    /// A number, or one of the values that a distinct count tells apart.
    pub value: Value,
}

/// One row behind a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The row; its table is that of the indicator's view.
    pub id: RowId,
    /// With `id` tells lines apart; empty where `id` alone does.
    pub apart: Vec<u8>,
    /// The visit it opens into, when one.
    pub visit: Option<VisitId>,
    /// The day that places it in time.
    pub date: CivilDate,
    /// The place of that day, with list version.
    pub unit: Option<String>,
    /// Local number of its scope.
    pub scope: i64,
    /// 1 for a count, a number for a sum, what is told apart for a distinct count.
    pub value: Value,
}

impl Line {
    /// The key after which the next page begins.
    pub fn key(&self) -> LineKey {
        LineKey { date: self.date, id: self.id, apart: self.apart.clone() }
    }
}

/// What others published under an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The row of `stock_values`.
    pub id: RowId,
    /// The place, with list version.
    pub unit: String,
    /// One of `=`, `<~`, `~`, `>`, `>=`, `<`.
    pub operator: Option<String>,
    /// Thousandths; a rate in percent.
    pub thousandths: Option<i64>,
    /// When published.
    pub numerator: Option<i64>,
    /// When published; none = not known.
    pub denominator: Option<i64>,
    /// Who says so.
    pub source: Option<String>,
    /// As of.
    pub date: CivilDate,
}

/// The value of an indicator, in whole units or thousandths ([`Indicator::scale`]); none = not known.
///
/// # Errors
/// As [`figure`].
pub fn value(connection: &Connection, indicator: &Indicator, query: &Query) -> Result<Option<i64>> {
    Ok(figure(connection, indicator, query)?.value)
}

/// The value of an indicator and how many rows are behind it.
///
/// # Errors
/// [`Error::Uncountable`] for a rate, which is two indicators; [`Error::Sqlite`].
pub fn figure(connection: &Connection, indicator: &Indicator, query: &Query) -> Result<Figure> {
    let sql = compile(indicator, query)?;
    let mut get = connection.prepare_cached(&sql.text)?;
    Ok(get.query_row(params(&sql), |row| read_figure(row, 0))?)
}

/// One figure for each value of a column of the indicator's view, in order of the value, null first.
///
/// # Errors
/// As [`figure`], also for an unknown column.
pub fn by(connection: &Connection, indicator: &Indicator, query: &Query, column: &str) -> Result<Vec<Part>> {
    all(connection, &compile_by(indicator, query, column)?, |row| {
        Ok(Part { part: row.get(0)?, figure: read_figure(row, 1)? })
    })
}

/// What is counted of each day and unit; for a distinct count each different value of them, unordered.
///
/// # Errors
/// As [`figure`].
pub fn days(connection: &Connection, facts: &Facts, query: &Query) -> Result<Vec<OfDay>> {
    all(connection, &compile_days(facts, query)?, |row| {
        Ok(OfDay { date: CivilDate(row.get(0)?), unit: row.get(1)?, value: row.get(2)? })
    })
}

/// The rows behind a figure by date and id, at most `limit` of them after the key.
///
/// # Errors
/// As [`figure`].
pub fn lines(
    connection: &Connection,
    indicator: &Indicator,
    query: &Query,
    after: Option<&LineKey>,
    limit: u32,
) -> Result<Vec<Line>> {
    all(connection, &compile_lines(indicator, query, after, limit)?, |row| {
        let visit: Option<[u8; 12]> = row.get(2)?;
        Ok(Line {
            id: RowId(row.get(0)?),
            apart: row.get(1)?,
            visit: visit.map(|id| VisitId(RowId(id))),
            date: CivilDate(row.get(3)?),
            unit: row.get(4)?,
            scope: row.get(5)?,
            value: row.get(6)?,
        })
    })
}

/// What others published under the indicator on or before the last day: the newest of each unit, by unit.
///
/// # Errors
/// [`Error::Sqlite`].
pub fn published(connection: &Connection, indicator: &Indicator, query: &Query) -> Result<Vec<Published>> {
    all(connection, &compile_published(indicator, query), |row| {
        Ok(Published {
            id: RowId(row.get(0)?),
            unit: row.get(1)?,
            operator: row.get(2)?,
            thousandths: row.get(3)?,
            numerator: row.get(4)?,
            denominator: row.get(5)?,
            source: row.get(6)?,
            date: CivilDate(row.get(7)?),
        })
    })
}

fn read_figure(row: &Row<'_>, at: usize) -> rusqlite::Result<Figure> {
    Ok(Figure { value: row.get(at)?, lines: row.get::<_, i64>(at + 1)? as u64 })
}

fn all<T>(
    connection: &Connection,
    sql: &Sql,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut get = connection.prepare_cached(&sql.text)?;
    let rows = get.query_map(params(sql), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

struct Bound<'a>(&'a Param);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Param::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Param::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn params(sql: &Sql) -> rusqlite::ParamsFromIter<impl Iterator<Item = Bound<'_>>> {
    rusqlite::params_from_iter(sql.params.iter().map(Bound))
}

/// Whether the file's views are those of this program.
pub(crate) fn are_views_current(connection: &Connection) -> Result<bool> {
    let mut get = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1")?;
    for name in VIEWS.iter().map(|view| view.name).chain(BASE_VIEWS.iter().copied()) {
        let sql: Option<String> = get.query_row([name], |row| row.get(0)).optional()?;
        // SQLite keeps the text from the name on.
        let is_ours = sql
            .as_deref()
            .and_then(|sql| sql.strip_prefix("CREATE VIEW "))
            .is_some_and(|sql| views().contains(sql));
        if !is_ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes views and indexes, over whatever views are there.
pub(crate) fn make_views(connection: &Connection) -> Result<()> {
    connection.execute_batch(&drop_views())?;
    connection.execute_batch(views())?;
    for index in INDEXES {
        match connection.execute_batch(index) {
            // A registry without the table has nothing to index.
            Err(error) if error.to_string().contains("no such table") => {}
            made => made.map_err(Error::from)?,
        }
    }
    Ok(())
}
