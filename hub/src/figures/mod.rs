//! Figures out of cells: of one team, of a place, of everywhere.
//!
//! What is wider than a team is a sum of cells, over the units of their rows' dates that lie in the place today. A sum
//! of persons over teams is an estimate, since teams do not know that they helped the same person. Every sum says how
//! old its oldest part is.

mod answer;
mod http;

use langso_domain::id::{ScopeId, TeamId};
use langso_domain::indicators::{Compute, Indicator, Measure, Query, StockOf};
use langso_domain::period::Period;
use langso_domain::units::{UnitCode, Units};
use langso_store::figures::{self, Published};

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
            Whose::Team(team) => vec![self.log.team(team)?.ok_or(log::Error::UnknownTeam)?],
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
        let mut values = Vec::new();
        for (_, scope) in self.log.list_places()? {
            let cells = self.log.figures_for(scope, &indicator.reference(), &period.to_string())?.cells;
            let of_units = cells.into_iter().filter(|cell| !cell.unit.is_empty());
            values.extend(
                of_units
                    .filter(|cell| units.as_ref().is_none_or(|units| units.contains(&cell.unit)))
                    .map(|cell| cell.value),
            );
        }
        Ok(match (of, values.as_slice()) {
            (_, []) => None,
            (StockOf::Amount, values) => Some(values.iter().sum()),
            // Percentages of several places do not add up.
            (StockOf::Percent, [one]) => Some(*one),
            (StockOf::Percent, _) => None,
        })
    }
}

/// The units whose rows count in a place, as rows hold them.
fn whole_units(unit: UnitCode) -> Vec<String> {
    Units::packaged().places_of(unit).whole.iter().map(ToString::to_string).collect()
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
