//! The records of figures: what is asked, and what is answered.

use langso_domain::content::Text as Words;
use langso_domain::id::{RowId, ScopeId, VisitId};
use langso_domain::units::UnitCode;
use serde::{Deserialize, Serialize};

use crate::companion::record::Day;

/// For which days and place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Such as `2024-M03`, `2024-H1`, `2024-Y`, `2024-M03c15`; or else both days.
    #[serde(default)]
    #[uniffi(default)]
    pub period: Option<String>,
    /// First day.
    #[serde(default)]
    #[uniffi(default)]
    pub from: Option<Day>,
    /// Last day, included.
    #[serde(default)]
    #[uniffi(default)]
    pub to: Option<Day>,
    /// A place of any list and level, with its parts and what it was made of; none = all that this phone holds.
    #[serde(default)]
    #[uniffi(default)]
    pub unit: Option<UnitCode>,
    /// Codes, or references with version; empty = every indicator's newest version.
    #[serde(default)]
    #[uniffi(default)]
    pub indicators: Vec<String>,
}

/// Figures of a period, the two families apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FigurePage {
    /// First day.
    pub from: Day,
    /// Last day; today when the period is not over.
    pub to: Day,
    /// Hoạt động: what the team did.
    pub activity: Vec<FigureRow>,
    /// Bao phủ: how far a place has come.
    pub coverage: Vec<FigureRow>,
    /// By which state of the record.
    pub as_of: AsOf,
    /// Old or new units that were split: their rows are not apportioned and not in these figures.
    pub split_units: Vec<UnitCode>,
}

/// The state of the record that figures were made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct AsOf {
    /// Up to which position of the hub's log each team's rows are here.
    pub scopes: Vec<ScopeAsOf>,
    /// When a sync last came to its end, ms UTC; none = never.
    pub last_sync_at: Option<i64>,
    /// Own visits in these figures that the hub has not confirmed.
    pub unarrived: u32,
}

/// How much of one scope is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct ScopeAsOf {
    /// The scope.
    pub scope: ScopeId,
    /// All of the hub's log up to here.
    pub position: u64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FigureRow {
    /// `code@version`.
    pub indicator: String,
    /// Its name.
    pub title: Words,
    /// `turn`, `person`, `household`, ...: never to be mixed.
    pub counted_in: String,
    /// The figure times `scale`; none = not known.
    pub value: Option<i64>,
    /// 1, or 1000 for percentages and imported figures.
    pub scale: u32,
    /// Above the line of a rate.
    pub numerator: Option<i64>,
    /// Below the line of a rate; none = not known.
    pub denominator: Option<i64>,
    /// Rows behind it; for a rate those of the numerator.
    pub lines: u64,
    /// Sums over teams would be an estimate, and this phone holds more than one.
    pub is_estimate: bool,
    /// What others published under the same name, newest of each place.
    pub published: Vec<PublishedFigure>,
}

/// A figure that others published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PublishedFigure {
    /// The place.
    pub unit: String,
    /// One of `=`, `<~` (nearly), `~` (about), `>` (over), `>=` (at least), `<` (under).
    pub operator: Option<String>,
    /// Thousandths; a rate in percent.
    pub thousandths: Option<i64>,
    /// When published.
    pub numerator: Option<i64>,
    /// None = not known.
    pub denominator: Option<i64>,
    /// Who says so.
    pub source: Option<String>,
    /// As of.
    pub date: Day,
}

/// What a figure means, and its parts.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// Code, or reference with version.
    pub indicator: String,
    /// For which days and place; its list of indicators is not looked at.
    pub asked: Asked,
    /// A column to break it down by, one of those that the explanation names.
    #[serde(default)]
    #[uniffi(default)]
    pub by: Option<String>,
}

/// What a figure means, in words that go with its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Explained {
    /// The figure itself.
    pub figure: FigureRow,
    /// What it says and what it does not.
    pub meaning: Words,
    /// The formula in words.
    pub formula: Words,
    /// Whether it tells of the team's work; else of a place.
    pub is_activity: bool,
    /// What one of it is.
    pub unit_of_count: Words,
    /// The two indicators of a rate, each with lines of its own.
    pub rate_of: Vec<String>,
    /// Columns it can be broken down by.
    pub can_break_down_by: Vec<String>,
    /// The parts asked for; for a distinct count they may add up to more than the figure.
    pub parts: Vec<FigurePart>,
}

/// One part of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FigurePart {
    /// What the column holds.
    pub part: PartValue,
    /// As [`FigureRow::value`].
    pub value: Option<i64>,
    /// Rows behind it.
    pub lines: u64,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum PartValue {
    /// Nothing.
    Empty,
    /// A number, or the number of a list.
    Number {
        /// Which.
        value: i64,
    },
    /// A text or a code.
    Text {
        /// What it says.
        value: String,
    },
    /// A row.
    Row {
        /// Which.
        value: RowId,
    },
}

/// Which lines.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindLines {
    /// Code, or reference with version; not a rate.
    pub indicator: String,
    /// For which days and place; its list of indicators is not looked at.
    pub asked: Asked,
    /// Where the page before ended.
    #[serde(default)]
    #[uniffi(default)]
    pub after: Option<LineAfter>,
}

/// Where a page of lines ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct LineAfter {
    /// The last line's day.
    pub date: Day,
    /// The last line's row.
    pub row: RowId,
    /// The row that together with it tells lines apart; none where one row is one line.
    #[serde(default)]
    #[uniffi(default)]
    pub apart: Option<RowId>,
}

/// A page of lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct LinePage {
    /// At most 100, by day.
    pub lines: Vec<FigureLine>,
    /// How many there are in all.
    pub count: u64,
    /// The figure they make.
    pub value: Option<i64>,
    /// More follow after this.
    pub next: Option<LineAfter>,
}

/// One row behind a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FigureLine {
    /// The row.
    pub row: RowId,
    /// Who, for a person-day; else none.
    pub apart: Option<RowId>,
    /// The visit it opens into.
    pub visit: Option<VisitId>,
    /// Its day.
    pub date: Day,
    /// The place of that day.
    pub unit: Option<UnitCode>,
    /// What it adds: 1 in a count, its number in a sum, what is told apart in a distinct count.
    pub adds: PartValue,
}
