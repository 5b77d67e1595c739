//! Indicators: what is counted, in words and as a declaration, and the SQL that counts it.
//!
//! Pure: it makes SQL text and parameters, the same for phone and hub, and runs none. The views over a replica are
//! in `views/*.sql`, one per kind of event; an indicator names a view, conditions, a measure and a period. Nothing
//! that content says goes into SQL text: names are taken from the list of views, values are parameters.

mod check;
mod compile;
mod seed;
mod types;
mod view_list;

use std::sync::OnceLock;

use crate::packed::{inflate, packed};

pub use check::{Fault, Problem, check};
pub use compile::{
    LineKey, Param, Query, Sql, Uncountable, compile, compile_by, compile_days, compile_lines,
    compile_published,
};
pub use seed::{Printed, SeedRow, seed_rows};
pub use types::{
    Bound, Compute, CountedIn, Day, Facts, Family, Filter, Indicator, Measure, Op, PeriodField, Rate, Stock,
    StockOf, Value, When, Within,
};
pub use view_list::{BASE_VIEWS, Column, Holds, VIEWS, View};

/// The SQL that makes all views of a replica; may run twice. A view whose text changed is replaced only after
/// [`drop_views`].
pub fn views() -> &'static str {
    concat!(
        include_str!("views/identities.sql"),
        "\n",
        include_str!("views/visits.sql"),
        "\n",
        include_str!("views/groups.sql"),
        "\n",
        include_str!("views/work.sql"),
        "\n",
        include_str!("views/stock.sql"),
    )
}

/// The SQL that removes all views, before an upgrade makes them anew.
pub fn drop_views() -> String {
    let names = VIEWS.iter().map(|view| view.name).chain(BASE_VIEWS.iter().copied());
    names.map(|name| format!("DROP VIEW IF EXISTS {name};\n")).collect()
}

/// The SQL of the indexes that the views want: one, since each costs every save. A grant looks for the services of
/// its visit by it; the others read whole tables, which takes less than an index would save.
pub const INDEXES: &[&str] = &["CREATE INDEX IF NOT EXISTS service_rows_of_visit ON service_rows(visit_id)"];

/// A rate in thousandths of a percent point, rounded half up; none over nothing or over what is not known.
pub fn percent(above: Option<i64>, below: Option<i64>) -> Option<i64> {
    let (above, below) = (above?, below.filter(|below| *below > 0)?);
    let doubled = i128::from(above) * 200_000 + i128::from(below);
    i64::try_from(doubled.div_euclid(2 * i128::from(below))).ok()
}

/// Indicators that passed the check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Indicators(Vec<Indicator>);

/// The text of those that came with the program.
fn packaged_json() -> String {
    inflate(packed!("indicators/indicators.json"))
}

impl Indicators {
    /// Those that came with the program; reads them each time, so keep what it gives.
    pub fn packaged() -> Self {
        Self::read(&packaged_json()).expect("a test reads the packaged indicators")
    }

    /// Reads a JSON array of indicators and checks it.
    ///
    /// # Errors
    /// All faults found; a text that is no such JSON is one fault.
    pub fn read(json: &str) -> Result<Self, Vec<Fault>> {
        let list: Vec<Indicator> =
            serde_json::from_str(json).map_err(|error| vec![Fault::unreadable(&error)])?;
        Self::new(list)
    }

    /// Checks a list, such as the packaged ones with those published since.
    ///
    /// # Errors
    /// All faults found.
    pub fn new(list: Vec<Indicator>) -> Result<Self, Vec<Fault>> {
        let faults = check(&list);
        if faults.is_empty() { Ok(Self(list)) } else { Err(faults) }
    }

    /// Those that came with the program and those published since, each as the JSON of one. One that this program
    /// cannot read, or that does not fit the rest, waits for the next program.
    pub fn with_published(bodies: &[String]) -> Self {
        static PACKAGED: OnceLock<Indicators> = OnceLock::new();
        let mut known = PACKAGED.get_or_init(Self::packaged).clone();
        for indicator in bodies.iter().filter_map(|body| serde_json::from_str(body).ok()) {
            let mut list = known.0.clone();
            list.push(indicator);
            if let Ok(more) = Self::new(list) {
                known = more;
            }
        }
        known
    }

    /// In the order of the file.
    pub fn all(&self) -> &[Indicator] {
        &self.0
    }

    /// The one of that reference, `code@version`.
    pub fn get(&self, reference: &str) -> Option<&Indicator> {
        self.0.iter().find(|indicator| indicator.reference() == reference)
    }

    /// The highest version of that code.
    pub fn newest(&self, code: &str) -> Option<&Indicator> {
        self.0.iter().filter(|indicator| indicator.code == code).max_by_key(|indicator| indicator.version)
    }

    /// Numerator and denominator of a rate; none for other indicators.
    pub fn parts_of(&self, indicator: &Indicator) -> Option<(&Indicator, &Indicator)> {
        let Compute::Rate(rate) = &indicator.compute else { return None };
        Some((self.get(&rate.numerator)?, self.get(&rate.denominator)?))
    }
}

#[cfg(test)]
mod tests;
