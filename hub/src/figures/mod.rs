//! Figures out of cells: of one team, of a place, of everywhere.
//!
//! What is wider than a team is a sum of cells, over the units of their rows' dates that lie in the place today. A sum
//! of persons over teams is an estimate, since teams do not know that they helped the same person. Every sum says how
//! old its oldest part is.

mod answer;
mod http;

use std::collections::BTreeSet;

use langso_domain::id::{ScopeId, TeamId};
use langso_domain::indicators::{Compute, Indicator, Measure, Query, StockOf};
use langso_domain::period::Period;
use langso_domain::units::{Level, UnitCode, Units};
use langso_store::figures::{self, Published};

use crate::admin::contains;
use crate::clock::Millis;
use crate::log::{self, Cell, Position, Team};
use crate::replica::Error;
use crate::server::Hub;

pub(crate) use http::figures;

/// Whose figure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// One team's, as its lead reads it.
    Team(TeamId),
    /// All teams', of rows whose unit lies in the place.
    Place(UnitCode),
    /// All teams', wherever.
    Everywhere,
}

/// One team's part of a sum, and what it is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TeamPart {
    /// The team.
    pub team: TeamId,
    /// Its part.
    pub value: i64,
    /// The scope whose rows were counted.
    pub scope: ScopeId,
    /// Up to which position; none when never computed.
    pub position: Option<Position>,
    /// Hub time of that position.
    pub as_of: Option<Millis>,
}

/// A figure made of cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sum {
    /// Whole units, or thousandths for an imported figure ([`Indicator::scale`]); none = not known.
    pub value: Option<i64>,
    /// The team's, or those of every team that has rows there or lies in the place.
    pub parts: Vec<TeamPart>,
    /// Persons of several teams: some may be the same.
    pub is_estimate: bool,
}

impl Sum {
    /// Hub time of the oldest part.
    pub fn oldest(&self) -> Option<Millis> {
        self.parts.iter().filter_map(|part| part.as_of).min()
    }
}

impl Hub {
    /// A figure out of the cells as they are; [`Hub::project_all`] brings them up to date.
    ///
    /// # Errors
    /// [`Error`]; [`log::Error::UnknownTeam`]. A rate has no figure of its own and gives none.
    pub fn sum(&self, indicator: &Indicator, period: Period, whose: Whose) -> Result<Sum, Error> {
        let none = Sum { value: None, parts: Vec::new(), is_estimate: false };
        match &indicator.compute {
            Compute::Rate(_) => Ok(none),
            Compute::Stock(stock) => {
                let value = self.imported(indicator, stock.of, period, whose)?;
                Ok(Sum { value, ..none })
            }
            Compute::Facts(facts) => {
                let is_distinct = matches!(facts.measure, Measure::Distinct(_));
                self.counted(indicator, is_distinct, period, whose)
            }
        }
    }

    /// What others published under the indicator, the newest of each unit: of the place and what it is made of, or of
    /// all places.
    ///
    /// # Errors
    /// [`Error`].
    pub fn published(
        &self,
        indicator: &Indicator,
        period: Period,
        whose: Whose,
    ) -> Result<Vec<Published>, Error> {
        let units = match whose {
            Whose::Team(_) => return Ok(Vec::new()),
            Whose::Place(unit) => Some(whole_units(unit)),
            Whose::Everywhere => None,
        };
        let today = self.clock.now().date();
        let to = if period.from() <= today { period.to().min(today) } else { period.to() };
        let query = Query { from: period.from(), to, units, scopes: None };
        let mut found = Vec::new();
        for (_, scope) in self.log.list_places()? {
            let mut of_place = self.replicas.with::<_, Error>(scope, |replica, _| {
                Ok(figures::published(replica.connection(), indicator, &query)?)
            })?;
            found.append(&mut of_place);
        }
        found.sort_by(|a, b| a.unit.cmp(&b.unit));
        Ok(found)
    }

    fn counted(
        &self,
        indicator: &Indicator,
        is_distinct: bool,
        period: Period,
        whose: Whose,
    ) -> Result<Sum, Error> {
        let teams = match whose {
            // A team that was founded of others holds what they wrote: their cells are counted with its own.
            Whose::Team(team) => {
                let own = self.log.team(team)?.ok_or(log::Error::UnknownTeam)?;
                let held = self.log.held_by(team)?;
                let is_held = |one: &Team| one.id != own.id && held.iter().any(|(of, _)| *of == one.scope);
                let others: Vec<_> = self.log.list_teams()?.into_iter().filter(is_held).collect();
                std::iter::once(own).chain(others).collect()
            }
            Whose::Place(_) | Whose::Everywhere => self.log.list_teams()?,
        };
        let units = match whose {
            Whose::Place(unit) => Some(whole_units(unit)),
            Whose::Team(_) | Whose::Everywhere => None,
        };
        let mut parts = Vec::new();
        for team in teams {
            let scope = if is_of_training(indicator) { team.training } else { team.scope };
            let cells = self.log.figures_for(scope, &indicator.reference(), &period.to_string())?;
            let (value, has_rows) = match &units {
                None => (whole(&cells.cells), true),
                Some(units) => inside(&cells.cells, units, &team, is_distinct),
            };
            let lies_in = units.as_ref().is_none_or(|units| units.contains(&team.unit));
            if has_rows || lies_in {
                let position = cells.projection.map(|of| of.position);
                let as_of = cells.projection.and_then(|of| of.as_of);
                parts.push(TeamPart { team: team.id, value, scope, position, as_of });
            }
        }
        let counting = parts.iter().filter(|part| part.value != 0).count();
        Ok(Sum {
            value: Some(parts.iter().map(|part| part.value).sum()),
            is_estimate: indicator.estimate_across_teams && counting > 1,
            parts,
        })
    }

    fn imported(
        &self,
        indicator: &Indicator,
        of: StockOf,
        period: Period,
        whose: Whose,
    ) -> Result<Option<i64>, Error> {
        let units = match whose {
            Whose::Team(_) => return Ok(None),
            Whose::Place(unit) => Some(whole_units(unit)),
            Whose::Everywhere => None,
        };
        let mut cells = Vec::new();
        for (_, scope) in self.log.list_places()? {
            let found = self.log.figures_for(scope, &indicator.reference(), &period.to_string())?.cells;
            let found = found.into_iter().filter_map(|cell| Some((UnitCode::parse(&cell.unit)?, cell)));
            cells.extend(
                found.filter(|(_, cell)| units.as_ref().is_none_or(|units| units.contains(&cell.unit))),
            );
        }
        // Who published for a place published for its parts.
        let wider = |unit: UnitCode| cells.iter().any(|(other, _)| *other != unit && contains(*other, unit));
        let widest: Vec<_> = cells.iter().filter(|(unit, _)| !wider(*unit)).collect();
        Ok(match (of, widest.as_slice(), whose) {
            (_, [], _) => None,
            (StockOf::Amount, widest, _) => Some(widest.iter().map(|(_, cell)| cell.value).sum()),
            // The rate of a part is not that of the place, and rates do not add up.
            (StockOf::Percent, [(of, cell)], Whose::Place(unit)) if is_same(*of, unit) => Some(cell.value),
            (StockOf::Percent, [(_, cell)], Whose::Everywhere) => Some(cell.value),
            (StockOf::Percent, ..) => None,
        })
    }
}

/// Whether two units are the same land: one, or what alone became the other.
fn is_same(one: UnitCode, other: UnitCode) -> bool {
    let units = Units::packaged();
    let became = |old: UnitCode, new: UnitCode| {
        units.today_of(old) == Some(new) && units.predecessors(new).iter().all(|(from, _)| *from == old)
    };
    one == other || became(one, other) || became(other, one)
}

/// The units whose rows count in a place, as rows hold them: also old districts, which have no successor of their own
/// and lie in it when all their communes do.
fn whole_units(unit: UnitCode) -> Vec<String> {
    let units = Units::packaged();
    let mut whole = units.places_of(unit).whole;
    let parents: BTreeSet<UnitCode> = whole.iter().filter_map(|code| units.latest(*code)?.parent).collect();
    for district in parents.into_iter().filter(|parent| parent.level() == Level::District) {
        if units.communes_of_province(district).iter().all(|commune| whole.contains(commune)) {
            whole.insert(district);
        }
    }
    whole.iter().map(ToString::to_string).collect()
}

fn is_of_training(indicator: &Indicator) -> bool {
    let Compute::Facts(facts) = &indicator.compute else { return false };
    matches!(facts.view.as_str(), "run_facts" | "review_facts")
}

fn whole(cells: &[Cell]) -> i64 {
    cells.iter().find(|cell| cell.unit.is_empty()).map_or(0, |cell| cell.value)
}

/// The part of a team's cells that lies in a place, and whether it has any. Rows without a unit count where the team
/// lies. When all rows lie in the place, the cell of the whole is exact, also for what is told apart.
fn inside(cells: &[Cell], units: &[String], team: &Team, is_distinct: bool) -> (i64, bool) {
    let (mut within, mut all, mut is_all_inside) = (0, 0, true);
    for cell in cells.iter().filter(|cell| !cell.unit.is_empty()) {
        all += cell.value;
        if units.contains(&cell.unit) {
            within += cell.value;
        } else {
            is_all_inside = false;
        }
    }
    let without_unit = if is_distinct { 0 } else { whole(cells) - all };
    let is_home = units.contains(&team.unit);
    let value = match (is_all_inside, is_home) {
        (true, true) => whole(cells),
        (true, false) if is_distinct && within > 0 => whole(cells),
        (_, true) => within + without_unit,
        (_, false) => within,
    };
    (value, value != 0)
}
