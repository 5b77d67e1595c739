//! Places: a scope for the plans and figures of a unit, held by every team that lies in it.

use langso_domain::date::CivilDate;
use langso_domain::id::{PlanId, ScopeId};
use langso_domain::registry::ScopeKind;
use langso_domain::units::{UnitCode, Units};
use langso_sync::value::Value;

use super::{AdminError, Result, date, known_unit, text};
use crate::author::Batch;
use crate::log::{Team, Write};
use crate::server::Hub;

/// A place of the hub.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The unit it was made for.
    pub unit: UnitCode,
    /// Its scope.
    pub scope: ScopeId,
}

/// A campaign to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPlan {
    /// As in the decision.
    pub name: String,
    /// The place, which must have been made.
    pub unit: UnitCode,
    /// First day.
    pub from: CivilDate,
    /// Last day.
    pub to: CivilDate,
}

impl Hub {
    /// Makes the place of a unit. The teams that lie in it get its scope.
    ///
    /// # Errors
    /// `unit`: `unknown_unit`; [`AdminError::Exists`] when the unit, or what it has become, is a place.
    pub fn make_place(&self, unit: UnitCode) -> Result<Place> {
        let mut batch = self.author.batch();
        known_unit("unit", unit)?;
        let units = Units::packaged();
        let same = |other: UnitCode| {
            other == unit || units.today_of(other).is_some_and(|today| units.today_of(unit) == Some(today))
        };
        if self.list_places()?.iter().any(|place| same(place.unit)) {
            return Err(AdminError::Exists { what: "place" });
        }
        let place = Place { unit, scope: batch.scope(ScopeKind::Place)? };
        batch.put(Write::Place(unit.to_string(), place.scope));
        for team in self.log.list_teams()? {
            let lies_in = UnitCode::parse(&team.unit).is_some_and(|of_team| contains(unit, of_team));
            // Another one holds for a team that it has taken over.
            if lies_in && self.stands(&team)? {
                hold(&mut batch, &team, place.scope, ScopeKind::Place)?;
            }
        }
        batch.commit()?;
        Ok(place)
    }

    /// All places, by unit.
    ///
    /// # Errors
    /// [`AdminError::Author`].
    pub fn list_places(&self) -> Result<Vec<Place>> {
        let places = self.log.list_places()?;
        let read = |(unit, scope): (String, _)| Some(Place { unit: UnitCode::parse(&unit)?, scope });
        Ok(places.into_iter().filter_map(read).collect())
    }

    /// Makes a plan in a place.
    ///
    /// # Errors
    /// `name`, `to` (`before_from`); [`AdminError::NotFound`] when the unit is no place.
    pub fn make_plan(&self, plan: &NewPlan) -> Result<PlanId> {
        let mut batch = self.author.batch();
        let place = self.list_places()?.into_iter().find(|place| place.unit == plan.unit);
        let place = place.ok_or(AdminError::NotFound { what: "place" })?;
        if plan.to < plan.from {
            return Err(AdminError::invalid("to", "before_from"));
        }
        let fields = [
            ("name", text("name", ("plan", "name"), &plan.name)?),
            ("unit", Value::Text(plan.unit.to_string())),
            ("from_date", date(plan.from)),
            ("to_date", date(plan.to)),
        ];
        let id = PlanId(batch.create(place.scope, "plan", fields)?);
        batch.commit()?;
        Ok(id)
    }

    /// The narrowest place that a unit lies in; none when it lies in no place.
    pub(super) fn place_of(places: &[Place], unit: UnitCode) -> Option<Place> {
        lineages(unit).into_iter().find_map(|code| places.iter().find(|place| place.unit == code).copied())
    }
}

/// Whether a unit lies in a place: it is it, or its list or that of today says so.
pub(crate) fn contains(place: UnitCode, unit: UnitCode) -> bool {
    lineages(unit).contains(&place)
}

/// A unit and the wider ones of its list, narrow first, then the same of what it is today. A unit that was split
/// lies in what holds all its parts.
fn lineages(unit: UnitCode) -> Vec<UnitCode> {
    let units = Units::packaged();
    let wider = |unit: UnitCode| {
        std::iter::successors(units.latest(unit), |unit| units.latest(unit.parent?)).map(|unit| unit.code)
    };
    let mut found: Vec<UnitCode> = wider(unit).collect();
    let mut today = units.all_today_of(unit).into_iter().map(|(today, _)| wider(today).collect::<Vec<_>>());
    if let Some(first) = today.next() {
        let others: Vec<_> = today.collect();
        found.extend(first.into_iter().filter(|code| others.iter().all(|other| other.contains(code))));
    }
    found
}

/// A team holds a scope from now on: in the directory and for its phones to read.
pub(super) fn hold(batch: &mut Batch<'_>, team: &Team, scope: ScopeId, kind: ScopeKind) -> Result<()> {
    let fields = [
        ("team_id", Value::Ref(team.id.0)),
        ("held_scope", Value::Bytes(scope.0.to_vec())),
        ("kind", Value::Int(kind as i64)),
        ("from_date", date(batch.now().date())),
    ];
    batch.create(team.scope, "team_scope", fields)?;
    batch.put(Write::Hold(team.id, scope));
    Ok(())
}
