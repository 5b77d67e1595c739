//! What an indicator must obey before it is published or packed.
//!
//! Pure. All faults are gathered, not only the first; problems are stable codes, their words belong to the shells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use unicode_normalization::is_nfc;

use super::types::{Compute, Facts, Filter, Indicator, Measure, Op, Value};
use super::view_list::{Column, Holds, View};
use crate::content::{Text as Words, is_code};

/// One kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// No JSON array of indicators: cut short, a field unknown, missing or of another type.
    Unreadable,
    /// Not a code: letters, digits, `_` and `.`.
    BadCode,
    /// Versions begin at 1.
    VersionZero,
    /// The same code and version stands twice.
    Duplicate,
    /// A text is empty.
    TextMissing,
    /// A text is not in NFC.
    NotNfc,
    /// Spaces at the ends, two in a row, or control characters.
    Spacing,
    /// One code of counting has other words elsewhere.
    CountedInDiffers,
    /// No such view.
    UnknownView,
    /// The view has no such column.
    UnknownField,
    /// The comparison or measure does not go with what the column holds.
    BadOp,
    /// A comparison without its value, or with a value that it does not take.
    BadValue,
    /// The period's field is no date.
    NotADate,
    /// A rate names an indicator that is not there, or another rate.
    UnknownIndicator,
    /// Places of a percentage do not add up, so it has no break-down.
    NoBreakdown,
}

impl Problem {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::BadCode => "bad_code",
            Self::VersionZero => "version_zero",
            Self::Duplicate => "duplicate",
            Self::TextMissing => "text_missing",
            Self::NotNfc => "not_nfc",
            Self::Spacing => "spacing",
            Self::CountedInDiffers => "counted_in_differs",
            Self::UnknownView => "unknown_view",
            Self::UnknownField => "unknown_field",
            Self::BadOp => "bad_op",
            Self::BadValue => "bad_value",
            Self::NotADate => "not_a_date",
            Self::UnknownIndicator => "unknown_indicator",
            Self::NoBreakdown => "no_breakdown",
        }
    }
}

/// One fault and where it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Fault {
    /// `code@version`; empty when the whole file is meant.
    pub indicator: String,
    /// The field, such as `compute.filters[0].field`.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
    /// The value at fault, or what the JSON reader says; content holds nothing personal.
    pub value: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {:?} ({})", self.indicator, self.path, self.problem, self.value)
    }
}

impl Fault {
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self {
            indicator: String::new(),
            path: format!("line {}", error.line()),
            problem: Problem::Unreadable,
            value: error.to_string(),
        }
    }
}

/// All faults of a list of indicators; empty when there is none.
pub fn check(list: &[Indicator]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut counted = BTreeMap::new();
    let rates: BTreeMap<_, _> = list
        .iter()
        .map(|indicator| (indicator.reference(), matches!(indicator.compute, Compute::Rate(_))))
        .collect();
    for indicator in list {
        let mut found = Faults { indicator: indicator.reference(), found: &mut faults };
        if !is_code(&indicator.code) {
            found.add("code", Problem::BadCode, &indicator.code);
        }
        if indicator.version == 0 {
            found.add("version", Problem::VersionZero, "0");
        }
        if !seen.insert((&indicator.code, indicator.version)) {
            found.add("code", Problem::Duplicate, &indicator.reference());
        }
        found.words("title", &indicator.title);
        found.words("meaning", &indicator.meaning);
        found.words("formula", &indicator.formula);
        let unit = &indicator.counted_in;
        if !is_code(&unit.code) {
            found.add("counted_in.code", Problem::BadCode, &unit.code);
        }
        found.words("counted_in", &Words { vi: unit.vi.clone(), en: unit.en.clone() });
        if *counted.entry(&unit.code).or_insert(unit) != unit {
            found.add("counted_in", Problem::CountedInDiffers, &unit.code);
        }
        match &indicator.compute {
            Compute::Facts(facts) => found.facts(facts, &indicator.by),
            Compute::Stock(_) => {
                for field in indicator.by.iter().filter(|field| *field != "unit") {
                    found.add("by", Problem::NoBreakdown, field);
                }
            }
            Compute::Rate(rate) => {
                for (path, reference) in
                    [("compute.numerator", &rate.numerator), ("compute.denominator", &rate.denominator)]
                {
                    if rates.get(reference) != Some(&false) {
                        found.add(path, Problem::UnknownIndicator, reference);
                    }
                }
            }
        }
    }
    faults
}

struct Faults<'a> {
    indicator: String,
    found: &'a mut Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, path: &str, problem: Problem, value: &str) {
        self.found.push(Fault {
            indicator: self.indicator.clone(),
            path: path.to_owned(),
            problem,
            value: value.chars().take(80).collect(),
        });
    }

    fn words(&mut self, path: &str, words: &Words) {
        for (language, text) in [("vi", &words.vi), ("en", &words.en)] {
            let problem = if text.trim().is_empty() {
                Problem::TextMissing
            } else if !is_nfc(text) {
                Problem::NotNfc
            } else if text.trim() != text || text.contains("  ") || text.chars().any(char::is_control) {
                Problem::Spacing
            } else {
                continue;
            };
            self.add(&format!("{path}.{language}"), problem, text);
        }
    }

    fn view(&mut self, path: &str, name: &str) -> Option<&'static View> {
        let view = View::named(name);
        if view.is_none() {
            self.add(path, Problem::UnknownView, name);
        }
        view
    }

    fn column(&mut self, path: &str, view: &'static View, name: &str) -> Option<&'static Column> {
        let column = view.column(name);
        if column.is_none() {
            self.add(path, Problem::UnknownField, name);
        }
        column
    }

    fn facts(&mut self, facts: &Facts, by: &[String]) {
        let Some(view) = self.view("compute.view", &facts.view) else { return };
        for (at, filter) in facts.filters.iter().enumerate() {
            self.filter(&format!("compute.filters[{at}]"), view, filter, true);
        }
        if let Some(field) = &facts.newest_per {
            self.column("compute.newest_per", view, field);
        }
        match &facts.measure {
            Measure::Count => {}
            Measure::Distinct(field) => {
                self.column("compute.measure", view, field);
            }
            Measure::Sum(field) => {
                if self
                    .column("compute.measure", view, field)
                    .is_some_and(|column| column.holds != Holds::Int)
                {
                    self.add("compute.measure", Problem::BadOp, field);
                }
            }
        }
        let date = self.column("compute.period", view, &facts.period.field);
        if date.is_some_and(|column| column.holds != Holds::Date) {
            self.add("compute.period", Problem::NotADate, &facts.period.field);
        }
        for (at, field) in by.iter().enumerate() {
            self.column(&format!("by[{at}]"), view, field);
        }
    }

    fn filter(&mut self, path: &str, view: &'static View, filter: &Filter, outer: bool) {
        let Some(column) = self.column(&format!("{path}.field"), view, &filter.field) else { return };
        let (one, many, within) = match filter.op {
            Op::IsNull | Op::NotNull => (false, false, false),
            Op::In | Op::NotIn => (false, true, false),
            Op::InView => (false, false, true),
            _ => (true, false, false),
        };
        if filter.value.is_some() != one
            || filter.values.is_empty() == many
            || filter.within.is_some() != within
        {
            self.add(&format!("{path}.value"), Problem::BadValue, &filter.field);
        }
        let ordered = matches!(column.holds, Holds::Int | Holds::Date);
        let goes = match filter.op {
            Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::GtOrNull => ordered,
            Op::Contains => column.holds == Holds::Text,
            Op::InView => column.holds == Holds::Id && outer,
            Op::Eq | Op::Ne | Op::In | Op::NotIn => column.holds != Holds::Id,
            Op::IsNull | Op::NotNull => true,
        };
        if !goes {
            self.add(&format!("{path}.op"), Problem::BadOp, &filter.field);
        }
        for value in filter.value.iter().chain(&filter.values) {
            let fits = match (column.holds, value) {
                (Holds::Int | Holds::Enum(_), Value::Int(_)) | (Holds::Date, Value::Day(_)) => true,
                (Holds::Text | Holds::Code, Value::Text(text)) => !text.is_empty() && is_nfc(text),
                _ => false,
            };
            if !fits {
                self.add(&format!("{path}.value"), Problem::BadValue, &filter.field);
            }
        }
        if let Some(within) = &filter.within {
            let Some(view) = self.view(&format!("{path}.within.view"), &within.view) else { return };
            let target = self.column(&format!("{path}.within.field"), view, &within.field);
            if target.is_some_and(|column| column.holds != Holds::Id) {
                self.add(&format!("{path}.within.field"), Problem::BadOp, &within.field);
            }
            for (at, inner) in within.filters.iter().enumerate() {
                self.filter(&format!("{path}.within.filters[{at}]"), view, inner, false);
            }
        }
    }
}
