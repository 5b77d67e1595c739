//! From an indicator and a query to SQL text and parameters.
//!
//! Pure. One inner query, `line`, holds the rows behind the figure; the figure, its lines and its break-down are
//! all taken from it, so that they cannot disagree. Names in the text come from the list of views.

use std::fmt::Write as _;

use super::types::{
    Bound, Compute, Facts, Filter, Indicator, Measure, Op, PeriodField, StockOf, Value, When,
};
use super::view_list::{Column, Holds, View};
use crate::date::{CivilDate, FIRST_DAY as EARLIEST};
use crate::id::RowId;

/// The most that one row adds to a sum, so that no row of a faulty phone makes the sum of all overflow.
const MOST_OF_A_ROW: i64 = 1_000_000_000_000;

/// For which days and places a figure is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// First day.
    pub from: CivilDate,
    /// Last day, included. States, such as what is overdue, are as on this day: for a period that is not over hand
    /// in today.
    pub to: CivilDate,
    /// Unit codes with list version as rows hold them; none = everywhere. A unit does not include its parts: the
    /// caller lists them.
    pub units: Option<Vec<String>>,
    /// Local numbers of scopes; none = all. Imported figures belong to places, not teams, and ignore it.
    pub scopes: Option<Vec<i64>>,
}

/// A parameter of SQL; `?1` is the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Param {
    /// INTEGER.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
}

/// SQL text with numbered parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sql {
    /// One SELECT.
    pub text: String,
    /// In the order of their numbers.
    pub params: Vec<Param>,
}

/// Where a page of lines ended: `date`, `id` and `apart` of its last row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineKey {
    /// Of the last row.
    pub date: CivilDate,
    /// Of the last row.
    pub id: RowId,
    /// Of the last row; empty where `id` alone tells rows apart.
    pub apart: Vec<u8>,
}

/// Why no SQL can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Uncountable {
    /// A rate is two indicators: ask for each.
    #[error("a rate has no figure of its own")]
    IsARate,
    /// The view is not in the list.
    #[error("unknown view")]
    UnknownView,
    /// The view has no such column.
    #[error("unknown field")]
    UnknownField,
    /// A filter without the value that its comparison wants.
    #[error("incomplete filter")]
    IncompleteFilter,
}

/// SQL whose one row is `value, lines`: the figure and the number of rows behind it. An imported figure is in
/// thousandths and NULL when none is known; others are never NULL.
///
/// # Errors
/// See [`Uncountable`]; only [`Uncountable::IsARate`] for an indicator that passed the check.
pub fn compile(indicator: &Indicator, query: &Query) -> Result<Sql, Uncountable> {
    let (mut sql, figure) = lines_of(indicator, query, None)?;
    let _ = write!(sql.text, "SELECT {figure} AS value, count(*) AS lines FROM line");
    Ok(sql)
}

/// SQL whose rows are `part, value, lines`, one for each value of the field (NULL included), in its order.
///
/// # Errors
/// As [`compile`], and [`Uncountable::UnknownField`] for the field.
pub fn compile_by(indicator: &Indicator, query: &Query, field: &str) -> Result<Sql, Uncountable> {
    let (mut sql, figure) = lines_of(indicator, query, Some(field))?;
    let _ = write!(
        sql.text,
        "SELECT part, {figure} AS value, count(*) AS lines FROM line GROUP BY part ORDER BY part"
    );
    Ok(sql)
}

/// SQL whose rows are `date, unit, value`: what is counted of each day and unit, or for a distinct count each
/// different value of them. Figures of periods are made of these by [`Facts::is_by_day`].
///
/// # Errors
/// As [`compile`].
pub fn compile_days(facts: &Facts, query: &Query) -> Result<Sql, Uncountable> {
    let mut sql = line(facts, query, None, true)?;
    sql.text.push_str(match facts.measure {
        Measure::Count => "SELECT date, unit, count(*) FROM line GROUP BY date, unit",
        Measure::Sum(_) => "SELECT date, unit, coalesce(sum(value), 0) FROM line GROUP BY date, unit",
        Measure::Distinct(_) => "SELECT DISTINCT date, unit, value FROM line",
    });
    Ok(sql)
}

/// SQL whose rows are `id, apart, visit_id, date, unit, scope, value`: the rows behind the figure by date and id, at
/// most `limit` after the key. Over all pages the figure is their number, the number of different values (for a
/// distinct count) or the sum of `value`.
///
/// # Errors
/// As [`compile`].
pub fn compile_lines(
    indicator: &Indicator,
    query: &Query,
    after: Option<&LineKey>,
    limit: u32,
) -> Result<Sql, Uncountable> {
    let (mut sql, _) = lines_of(indicator, query, None)?;
    sql.text.push_str("SELECT id, apart, visit_id, date, unit, scope, value FROM line");
    if let Some(after) = after {
        let date = sql.bind(Param::Int(after.date.0.into()));
        let id = sql.bind(Param::Blob(after.id.0.to_vec()));
        let apart = sql.bind(Param::Blob(after.apart.clone()));
        let _ = write!(sql.text, " WHERE (date, id, apart) > ({date}, {id}, {apart})");
    }
    let limit = sql.bind(Param::Int(limit.into()));
    let _ = write!(sql.text, " ORDER BY date, id, apart LIMIT {limit}");
    Ok(sql)
}

/// SQL whose rows are `id, unit, operator, value, numerator, denominator, source, date`: what others published under
/// this indicator on or before the last day, the newest of each unit, in the order of units. Values in thousandths.
pub fn compile_published(indicator: &Indicator, query: &Query) -> Sql {
    let mut sql = Sql::empty();
    let reference = sql.bind(Param::Text(indicator.reference()));
    let to = sql.bind(Param::Int(query.to.0.into()));
    sql.text = format!(
        "SELECT id, unit, operator, value, numerator, denominator, source, date FROM (\n  \
         SELECT fact.*, row_number() OVER (PARTITION BY unit ORDER BY date DESC, id) AS place\n  \
         FROM stock_facts AS fact WHERE indicator = {reference} AND date BETWEEN {EARLIEST} AND {to}"
    );
    sql.restrict_units(query, "fact.unit");
    sql.text.push_str("\n) WHERE place = 1 ORDER BY unit");
    sql
}

/// The figure's `WITH line AS (...)` and the expression that makes the figure of it.
fn lines_of(
    indicator: &Indicator,
    query: &Query,
    part: Option<&str>,
) -> Result<(Sql, &'static str), Uncountable> {
    let mut figure = None;
    let stock;
    let facts = match &indicator.compute {
        Compute::Rate(_) => return Err(Uncountable::IsARate),
        Compute::Facts(facts) => facts,
        Compute::Stock(imported) => {
            figure = Some(match imported.of {
                StockOf::Amount => "sum(value)",
                StockOf::Percent => "CASE count(*) WHEN 1 THEN max(value) END",
            });
            stock = stock_facts(indicator);
            &stock
        }
    };
    let figure = figure.unwrap_or(match facts.measure {
        Measure::Count => "count(*)",
        Measure::Distinct(_) => "count(DISTINCT value)",
        Measure::Sum(_) => "coalesce(sum(value), 0)",
    });
    let scoped = !matches!(indicator.compute, Compute::Stock(_));
    Ok((line(facts, query, part, scoped)?, figure))
}

/// An imported figure is the newest row of each unit under the indicator's reference.
fn stock_facts(indicator: &Indicator) -> Facts {
    Facts {
        view: "stock_facts".to_owned(),
        filters: vec![Filter {
            field: "indicator".to_owned(),
            op: Op::Eq,
            value: Some(Value::Text(indicator.reference())),
            values: Vec::new(),
            within: None,
        }],
        newest_per: Some("unit".to_owned()),
        measure: Measure::Sum("value".to_owned()),
        period: PeriodField { field: "date".to_owned(), when: When::Until },
    }
}

fn line(facts: &Facts, query: &Query, part: Option<&str>, scoped: bool) -> Result<Sql, Uncountable> {
    let view = View::named(&facts.view).ok_or(Uncountable::UnknownView)?;
    let column = |name: &str| view.column(name).ok_or(Uncountable::UnknownField);
    let date = column(&facts.period.field)?.name;
    let value = match &facts.measure {
        Measure::Count => None,
        Measure::Distinct(field) | Measure::Sum(field) => Some(column(field)?.name),
    };
    let mut sql = Sql::empty();
    let mut out = String::from("WITH line AS (\n  SELECT fact.id, fact.visit_id, fact.scope, fact.unit");
    let _ = write!(out, ", fact.{date} AS date");
    match view.told_apart_by {
        Some(name) => _ = write!(out, ", fact.{name} AS apart"),
        None => out.push_str(", x'' AS apart"),
    }
    match (&facts.measure, value) {
        (Measure::Sum(_), Some(name)) => {
            _ = write!(out, ", min(max(fact.{name}, -{MOST_OF_A_ROW}), {MOST_OF_A_ROW}) AS value");
        }
        (_, Some(name)) => _ = write!(out, ", fact.{name} AS value"),
        (_, None) => out.push_str(", 1 AS value"),
    }
    if let Some(part) = part {
        let _ = write!(out, ", fact.{} AS part", column(part)?.name);
    }
    if let Some(field) = &facts.newest_per {
        let per = column(field)?.name;
        let _ = write!(
            out,
            ", row_number() OVER (PARTITION BY fact.{per} ORDER BY fact.{date} DESC, fact.id) AS newest"
        );
    }
    let _ = write!(out, "\n  FROM {} AS fact\n  WHERE fact.{date} ", view.name);
    let to = sql.bind(Param::Int(query.to.0.into()));
    match facts.period.when {
        When::During => {
            let from = sql.bind(Param::Int(query.from.0.into()));
            let _ = write!(out, "BETWEEN {from} AND {to}");
        }
        When::Until => _ = write!(out, "BETWEEN {EARLIEST} AND {to}"),
    }
    if let (Measure::Distinct(_), Some(name)) = (&facts.measure, value) {
        let _ = write!(out, "\n    AND fact.{name} IS NOT NULL");
    }
    sql.text = out;
    for filter in &facts.filters {
        sql.filter(view, "fact", filter, query)?;
    }
    sql.restrict_units(query, "fact.unit");
    if let (true, Some(scopes)) = (scoped, &query.scopes) {
        let scopes = sql.bind(Param::Text(json_array(scopes)));
        let _ = write!(sql.text, "\n    AND fact.scope IN (SELECT value FROM json_each({scopes}))");
    }
    // The newest of those that passed, and only then is one line left per value.
    let newest = if facts.newest_per.is_some() { " WHERE newest = 1" } else { "" };
    sql.text.push_str("\n)");
    if !newest.is_empty() {
        sql.text = sql.text.replacen("WITH line AS (", "WITH passed AS (", 1);
        let _ = write!(sql.text, ", line AS (SELECT * FROM passed{newest})");
    }
    sql.text.push('\n');
    Ok(sql)
}

impl Sql {
    fn empty() -> Self {
        Self { text: String::new(), params: Vec::new() }
    }

    /// Adds a parameter and gives its name in the text.
    fn bind(&mut self, param: Param) -> String {
        self.params.push(param);
        format!("?{}", self.params.len())
    }

    fn bind_value(&mut self, value: &Value, query: &Query) -> String {
        self.bind(match value {
            Value::Int(number) => Param::Int(*number),
            Value::Text(text) => Param::Text(text.clone()),
            Value::Day(day) => Param::Int(match day.day {
                Bound::From => query.from.0.into(),
                Bound::To => query.to.0.into(),
            }),
        })
    }

    fn restrict_units(&mut self, query: &Query, column: &str) {
        if let Some(units) = &query.units {
            let units = self.bind(Param::Text(json_array(units)));
            let _ = write!(self.text, "\n    AND {column} IN (SELECT value FROM json_each({units}))");
        }
    }

    fn filter(
        &mut self,
        view: &'static View,
        row: &str,
        filter: &Filter,
        query: &Query,
    ) -> Result<(), Uncountable> {
        let column: &Column = view.column(&filter.field).ok_or(Uncountable::UnknownField)?;
        let field = format!("{row}.{}", column.name);
        let one = || filter.value.as_ref().ok_or(Uncountable::IncompleteFilter);
        let condition = match filter.op {
            Op::Eq => format!("{field} = {}", self.bind_value(one()?, query)),
            Op::Ne => format!("{field} IS NOT {}", self.bind_value(one()?, query)),
            Op::Lt => format!("{field} < {}", self.bind_value(one()?, query)),
            Op::Le => format!("{field} <= {}", self.bind_value(one()?, query)),
            Op::Gt => format!("{field} > {}", self.bind_value(one()?, query)),
            Op::Ge => format!("{field} >= {}", self.bind_value(one()?, query)),
            Op::GtOrNull => {
                format!("({field} IS NULL OR {field} > {})", self.bind_value(one()?, query))
            }
            Op::IsNull => format!("{field} IS NULL"),
            Op::NotNull => format!("{field} IS NOT NULL"),
            Op::In | Op::NotIn => {
                if filter.values.is_empty() {
                    return Err(Uncountable::IncompleteFilter);
                }
                let values: Vec<_> =
                    filter.values.iter().map(|value| self.bind_value(value, query)).collect();
                let list = values.join(", ");
                match filter.op {
                    Op::In => format!("{field} IN ({list})"),
                    _ => format!("({field} IS NULL OR {field} NOT IN ({list}))"),
                }
            }
            Op::Contains => {
                let Value::Text(words) = one()? else { return Err(Uncountable::IncompleteFilter) };
                let pattern = self.bind(Param::Text(like_pattern(words)));
                format!("{field} LIKE {pattern} ESCAPE '\\'")
            }
            Op::InView => return self.within(&field, filter, query),
        };
        let _ = write!(self.text, "\n    AND {condition}");
        Ok(())
    }

    fn within(&mut self, field: &str, filter: &Filter, query: &Query) -> Result<(), Uncountable> {
        let within = filter.within.as_ref().ok_or(Uncountable::IncompleteFilter)?;
        let view = View::named(&within.view).ok_or(Uncountable::UnknownView)?;
        let target = view.column(&within.field).ok_or(Uncountable::UnknownField)?;
        if target.holds != Holds::Id || within.filters.iter().any(|inner| inner.op == Op::InView) {
            return Err(Uncountable::IncompleteFilter);
        }
        // Not correlated: the other view is read once, not once a row.
        let _ = write!(
            self.text,
            "\n    AND {field} IN (SELECT other.{0} FROM {1} AS other WHERE other.{0} IS NOT NULL",
            target.name, view.name
        );
        for inner in &within.filters {
            self.filter(view, "other", inner, query)?;
        }
        self.text.push(')');
        Ok(())
    }
}

/// A JSON array as one parameter: lists of units may be long, and the text of the SQL stays the same.
fn json_array<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).expect("numbers and texts always serialise")
}

fn like_pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
