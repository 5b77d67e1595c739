//! From rows to cells: runs the phone's own indicators over a replica, for every period that has something to count.
//!
//! Pure but for the connection it reads. The one idea: what an indicator counts is listed once by day, and the figures
//! of all periods are made of that list; an indicator that depends on the day one asks on is asked for each period.
//! Views are put down as tables for the time it takes, since a score of indicators stand on each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use langso_domain::date::CivilDate;
use langso_domain::indicators::{Compute, Facts, Indicator, Measure, Query, VIEWS, When};
use langso_domain::period::{CutOff, Period, PeriodKind};
use langso_domain::registry::ScopeKind;
use langso_store::figures::{self, OfDay};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use crate::log::Cell;

/// For how many days before today states are kept as cells, and after it.
const STATES_KEPT_DAYS: (i32, i32) = (12 * 366, 366);
/// No further dimensions.
const NO_DIMS: &str = "{}";

/// The cells of one scope's replica, in their order; zeros are left out. `today` is the day on which states are
/// asked; an own connection, without a transaction, is needed.
pub(crate) fn compute(
    connection: &Connection,
    kind: ScopeKind,
    indicators: &[Indicator],
    today: CivilDate,
) -> langso_store::Result<Vec<Cell>> {
    let mut cells = Cells { connection, today, found: Vec::new() };
    match kind {
        ScopeKind::Place => {
            for indicator in indicators.iter().filter(|one| matches!(one.compute, Compute::Stock(_))) {
                cells.stock(indicator)?;
            }
        }
        ScopeKind::Team | ScopeKind::Training => {
            let facts = |one: &Indicator| match &one.compute {
                Compute::Facts(facts) => Some(facts.clone()),
                _ => None,
            };
            let all: Vec<_> = indicators.iter().filter_map(|one| Some((one, facts(one)?))).collect();
            let views: BTreeSet<&str> = all.iter().flat_map(|(_, facts)| views_of(facts)).collect();
            put_down(connection, &views)?;
            for (indicator, facts) in &all {
                cells.facts(indicator, facts)?;
            }
            take_up(connection, &views)?;
        }
        ScopeKind::Reference => {}
    }
    cells.found.sort_unstable();
    Ok(cells.found)
}

fn views_of(facts: &Facts) -> impl Iterator<Item = &'static str> {
    let within = facts.filters.iter().filter_map(|filter| Some(filter.within.as_ref()?.view.as_str()));
    let named: Vec<&str> = std::iter::once(facts.view.as_str()).chain(within).collect();
    VIEWS
        .iter()
        .map(|view| view.name)
        .filter(move |view| named.contains(view))
        .collect::<Vec<_>>()
        .into_iter()
}

/// A temporary table goes before a view of its name, in whatever text names it.
fn put_down(connection: &Connection, views: &BTreeSet<&str>) -> rusqlite::Result<()> {
    for view in views {
        connection.execute_batch(&format!("CREATE TEMP TABLE {view} AS SELECT * FROM main.{view}"))?;
    }
    Ok(())
}

fn take_up(connection: &Connection, views: &BTreeSet<&str>) -> rusqlite::Result<()> {
    views.iter().try_for_each(|view| connection.execute_batch(&format!("DROP TABLE temp.{view}")))
}

struct Cells<'c> {
    connection: &'c Connection,
    today: CivilDate,
    found: Vec<Cell>,
}

impl Cells<'_> {
    fn facts(&mut self, indicator: &Indicator, facts: &Facts) -> langso_store::Result<()> {
        let days = figures::days(self.connection, &facts.of_all_time(), &all_time())?;
        if facts.is_by_day() {
            self.by_day(indicator, &facts.measure, days);
            return Ok(());
        }
        let dates: BTreeSet<CivilDate> = days.iter().map(|of| of.date).collect();
        let periods = match facts.period.when {
            When::During => periods_of(dates.into_iter()),
            When::Until => self.periods_since(dates.first().copied(), dates.last().copied()),
        };
        self.by_query(indicator, &periods)
    }

    fn stock(&mut self, indicator: &Indicator) -> langso_store::Result<()> {
        let sql = "SELECT min(date), max(date) FROM stock_facts WHERE indicator = ?1";
        let mut get = self.connection.prepare_cached(sql)?;
        let dates: Option<(Option<i32>, Option<i32>)> =
            get.query_row([indicator.reference()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (first, last) = dates.unwrap_or_default();
        let periods = self.periods_since(first.map(CivilDate), last.map(CivilDate));
        self.by_query(indicator, &periods)
    }

    /// Asks for each period, for the whole and for each unit.
    fn by_query(&mut self, indicator: &Indicator, periods: &BTreeSet<Period>) -> langso_store::Result<()> {
        for period in periods {
            let (from, to) = (period.from(), period.to());
            // A state is never as of a day that has not come.
            let to = if from <= self.today { to.min(self.today) } else { to };
            let query = Query { from, to, units: None, scopes: None };
            let whole = figures::figure(self.connection, indicator, &query)?;
            if whole.lines == 0 {
                continue;
            }
            self.put(indicator, period, "", whole.value.unwrap_or(0));
            for part in figures::by(self.connection, indicator, &query, "unit")? {
                if let Value::Text(unit) = &part.part {
                    self.put(indicator, period, unit, part.figure.value.unwrap_or(0));
                }
            }
        }
        Ok(())
    }

    /// All periods from the first day to the last one or today; within what is kept.
    fn periods_since(&self, first: Option<CivilDate>, last: Option<CivilDate>) -> BTreeSet<Period> {
        let (Some(first), Some(last)) = (first, last) else { return BTreeSet::new() };
        let first = first.max(CivilDate(self.today.0 - STATES_KEPT_DAYS.0));
        let last = last.min(CivilDate(self.today.0 + STATES_KEPT_DAYS.1)).max(self.today);
        let mut periods = BTreeSet::new();
        for (kind, cut) in kinds() {
            let mut next = Period::containing(first, kind, cut);
            while let Some(period) = next.filter(|period| period.from() <= last) {
                periods.insert(period);
                next = period.next();
            }
        }
        periods
    }

    /// Figures of all periods of one list.
    fn by_day(&mut self, indicator: &Indicator, measure: &Measure, days: Vec<OfDay>) {
        let mut units: Vec<String> = vec![String::new()];
        let mut unit_numbers: HashMap<String, u32> = HashMap::new();
        let mut periods_on: HashMap<CivilDate, Vec<Period>> = HashMap::new();
        let mut values: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut sums: BTreeMap<(Period, u32), i64> = BTreeMap::new();
        let mut told: Vec<(Period, u32, u32)> = Vec::new();
        for OfDay { date, unit, value } in days {
            let unit = unit.map(|unit| {
                *unit_numbers.entry(unit).or_insert_with_key(|unit| {
                    units.push(unit.clone());
                    units.len() as u32 - 1
                })
            });
            let on = periods_on
                .entry(date)
                .or_insert_with(|| periods_of([date].into_iter()).into_iter().collect());
            let places = std::iter::once(0).chain(unit);
            if matches!(measure, Measure::Distinct(_)) {
                let next = values.len() as u32;
                let value = *values.entry(bytes(value)).or_insert(next);
                told.extend(places.flat_map(|place| on.iter().map(move |period| (*period, place, value))));
            } else if let Value::Integer(number) = value {
                for place in places {
                    on.iter().for_each(|period| *sums.entry((*period, place)).or_insert(0) += number);
                }
            }
        }
        told.sort_unstable();
        told.dedup();
        for (period, place, _) in told {
            *sums.entry((period, place)).or_insert(0) += 1;
        }
        for ((period, place), value) in sums {
            self.put(indicator, &period, &units[place as usize], value);
        }
    }

    fn put(&mut self, indicator: &Indicator, period: &Period, unit: &str, value: i64) {
        if value != 0 {
            self.found.push(Cell {
                indicator: indicator.reference(),
                period: period.to_string(),
                unit: unit.to_owned(),
                dims: NO_DIMS.to_owned(),
                value,
            });
        }
    }
}

/// What a distinct count tells apart; kinds of values never meet.
fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Text(text) => text.into_bytes(),
        Value::Blob(bytes) => bytes,
        Value::Integer(number) => number.to_be_bytes().to_vec(),
        Value::Real(number) => number.to_be_bytes().to_vec(),
        Value::Null => Vec::new(),
    }
}

fn kinds() -> impl Iterator<Item = (PeriodKind, CutOff)> {
    PeriodKind::ALL.into_iter().flat_map(|kind| CutOff::ALL.into_iter().map(move |cut| (kind, cut)))
}

/// Every period in which one of the days lies.
fn periods_of(days: impl Iterator<Item = CivilDate>) -> BTreeSet<Period> {
    days.flat_map(|day| kinds().filter_map(move |(kind, cut)| Period::containing(day, kind, cut))).collect()
}

fn all_time() -> Query {
    let day = |year| CivilDate::from_ymd(year, 1, 1).unwrap_or(CivilDate(0));
    Query { from: day(1900), to: day(2199), units: None, scopes: None }
}
