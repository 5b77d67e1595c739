//! The shapes of indicators, one to one with the JSON of `fixtures/indicators`.
//!
//! Pure data. Unknown JSON fields are refused. An indicator says what is counted in words and as a declaration over
//! one view; it never holds SQL, so that one can be published without a new program. What the values must obey is
//! in `check`.

use serde::{Deserialize, Serialize};

use crate::content::Text as Words;

/// The two families, never mixed: what the teams did, and how far a place has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Hoạt động: from the record of the teams.
    Activity,
    /// Bao phủ: from imported figures or a hamlet census, with a denominator or "unknown".
    Coverage,
}

/// What one of the figure is: lượt, người, hộ, tài khoản, hồ sơ are not the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountedIn {
    /// `turn`, `person`, `household`, `account`, `file`, ...; figures in `person` are suppressed when small.
    pub code: String,
    /// Vietnamese.
    pub vi: String,
    /// English, plural.
    pub en: String,
}

/// One version of an indicator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// ASCII letters, digits, `_` and `.`.
    pub code: String,
    /// From 1; another formula is another version.
    pub version: u32,
    /// Activity or coverage.
    pub family: Family,
    /// Its name.
    pub title: Words,
    /// What it says and what it does not.
    pub meaning: Words,
    /// The formula in words.
    pub formula: Words,
    /// What is counted.
    pub counted_in: CountedIn,
    /// A sum over teams is an estimate: teams do not know that they helped the same person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimate_across_teams: bool,
    /// Columns of the view by which the figure is usually broken down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// How it is computed.
    pub compute: Compute,
}

impl Indicator {
    /// `code@version`, by which cells, reports and imported figures name it.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.code, self.version)
    }

    /// By how much the SQL's whole number is larger than the figure: 1000 for imported figures, else 1.
    pub fn scale(&self) -> i64 {
        if matches!(self.compute, Compute::Stock(_)) { 1000 } else { 1 }
    }
}

/// The three ways to a figure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Compute {
    /// Counted over a view of the record.
    Facts(Facts),
    /// Imported: the newest figure under this indicator's reference on or before the last day.
    Stock(Stock),
    /// Two other indicators; each has its own cells.
    Rate(Rate),
}

/// A figure counted over the rows of one view.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The view's name.
    pub view: String,
    /// All must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Of the rows that are left, per value of this field only the newest by the period's field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_per: Option<String>,
    /// What is done with the rows.
    pub measure: Measure,
    /// Which day places a row in time.
    pub period: PeriodField,
}

impl Facts {
    /// Whether a row counts in every period in which its day lies, whatever else the period is: then figures of
    /// many periods are made of one list of days.
    pub fn is_by_day(&self) -> bool {
        let asks_day = |filter: &Filter| filter.asks_day();
        self.period.when == When::During && self.newest_per.is_none() && !self.filters.iter().any(asks_day)
    }

    /// The same without what depends on the days of a query: its rows are all that can count in any period.
    pub fn of_all_time(&self) -> Self {
        let without = |filters: &[Filter]| -> Vec<Filter> {
            let kept = filters.iter().filter(|filter| filter.within.is_some() || !filter.asks_day());
            kept.cloned().collect()
        };
        let mut filters = without(&self.filters);
        for filter in &mut filters {
            if let Some(within) = &mut filter.within {
                within.filters = without(&within.filters);
            }
        }
        let period = PeriodField { when: When::During, ..self.period.clone() };
        Self { filters, newest_per: None, period, ..self.clone() }
    }
}

impl Filter {
    fn asks_day(&self) -> bool {
        let within = self.within.iter().flat_map(|within| &within.filters);
        let is_day = |value: &Value| matches!(value, Value::Day(_));
        self.value.iter().chain(&self.values).any(is_day) || within.into_iter().any(Filter::asks_day)
    }
}

/// What is done with the rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many rows.
    Count,
    /// How many different values of the field; rows without one do not count.
    Distinct(String),
    /// The sum of the field.
    Sum(String),
}

/// Which day places a row in time, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodField {
    /// A date column of the view.
    pub field: String,
    /// During the period, or up to its end.
    pub when: When,
}

/// How a day and a period go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// From the first to the last day, both included.
    During,
    /// On or before the last day: a state as it is then.
    Until,
}

/// A condition on one column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The column.
    pub field: String,
    /// The comparison.
    pub op: Op,
    /// For comparisons with one value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// For `in` and `not_in`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// For `in_view`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

/// The rows of another view whose ids a column must be among.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// The other view.
    pub view: String,
    /// Its column that must equal the filter's field.
    pub field: String,
    /// Conditions on its rows; no further `in_view`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
}

/// The comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal; a missing value is not equal to anything.
    Ne,
    /// One of `values`.
    In,
    /// None of `values`.
    NotIn,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Greater, or no value: still open on that day.
    GtOrNull,
    /// No value.
    IsNull,
    /// Any value.
    NotNull,
    /// The text holds the words; ASCII letters without regard to case.
    Contains,
    /// The id is among those of another view.
    InView,
}

/// A value to compare with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number, an open integer or 0 and 1 for no and yes.
    Int(i64),
    /// A text or a code.
    Text(String),
    /// A day of the query.
    Day(Day),
}

/// A day of the query, in JSON `{"day": "to"}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// First or last.
    pub day: Bound,
}

/// The two ends of a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The first day.
    From,
    /// The last day.
    To,
}

/// An imported figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// Whether places add up.
    pub of: StockOf,
}

/// Whether the figures of several places may be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockOf {
    /// A number of things: places add up.
    Amount,
    /// A rate in percent: known for one place, unknown for several.
    Percent,
}

/// One indicator by another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// `code@version` of what stands above the line.
    pub numerator: String,
    /// `code@version` of what stands below the line.
    pub denominator: String,
}
