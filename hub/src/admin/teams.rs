//! Teams and their hamlets.

use langso_domain::content::Content;
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, ScopeId, TeamId};
use langso_domain::registry::ScopeKind;
use langso_domain::units::UnitCode;
use langso_sync::value::Value;

use super::places::{contains, hold};
use super::{AdminError, Result, choice, date, known_unit, text};
use crate::author::Batch;
use crate::log::{Team, Write};
use crate::server::Hub;

/// A team to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTeam {
    /// As in the decision.
    pub name: String,
    /// A word of the list `team_kinds`: `hamlet`, `commune`, `merged`, `youth`, `union`, `agency`.
    pub kind: String,
    /// Its commune when founded, or the wider unit of a team that has no commune.
    pub unit: UnitCode,
    /// Nothing is dated before it.
    pub founded_on: CivilDate,
    /// Where it works.
    pub hamlets: Vec<NewHamlet>,
}

/// A hamlet to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewHamlet {
    /// With its kind, such as Thôn Ngàn Chi.
    pub name: String,
    /// Its commune.
    pub unit: UnitCode,
    /// The language mostly spoken, a word of `languages`.
    pub language: Option<String>,
    /// The signal one can expect, a word of `signals`.
    pub signal: Option<String>,
    /// Households by the hamlet's own list.
    pub household_total: Option<u32>,
}

impl Hub {
    /// Makes a team: its row, a team and a training scope, its hamlets. It holds the places that its unit lies in
    /// and the reference scope.
    ///
    /// # Errors
    /// `name`, `kind`, `unit`, `hamlets[0].name` and so on.
    pub fn make_team(&self, team: &NewTeam) -> Result<Team> {
        self.make_team_and(team, |_, _| Ok(()))
    }

    /// As [`Hub::make_team`], with more in the same transaction.
    pub(super) fn make_team_and(
        &self,
        team: &NewTeam,
        also: impl FnOnce(&mut Batch<'_>, &Team) -> Result<()>,
    ) -> Result<Team> {
        let content = self.content()?;
        let mut batch = self.author.batch();
        let unit = known_unit("unit", team.unit)?;
        let name = text("name", ("team", "name"), &team.name)?;
        let Value::Text(stored_name) = name.clone() else {
            return Err(AdminError::invalid("name", "missing"));
        };
        let (scope, training) = (batch.scope(ScopeKind::Team)?, batch.scope(ScopeKind::Training)?);
        let fields = [
            ("name", name),
            ("kind", choice("kind", &content, "team_kinds", &team.kind)?),
            ("unit", unit),
            ("founded_on", date(team.founded_on)),
        ];
        let id = TeamId(batch.create(scope, "team", fields)?);
        let made = Team { id, scope, training, unit: team.unit.to_string(), name: stored_name };
        batch.put(Write::Team(made.clone()));
        for (at, one) in team.hamlets.iter().enumerate() {
            hamlet(&mut batch, &content, scope, &format!("hamlets[{at}]."), one)?;
        }
        hold(&mut batch, &made, scope, ScopeKind::Team)?;
        hold(&mut batch, &made, training, ScopeKind::Training)?;
        hold(&mut batch, &made, self.reference, ScopeKind::Reference)?;
        for place in self.list_places()?.iter().filter(|place| contains(place.unit, team.unit)) {
            hold(&mut batch, &made, place.scope, ScopeKind::Place)?;
        }
        also(&mut batch, &made)?;
        batch.commit()?;
        Ok(made)
    }

    /// Adds a hamlet to a team.
    ///
    /// # Errors
    /// `name`, `unit`, `language`, `signal`, `team` (`retired`); [`AdminError::NotFound`].
    pub fn add_hamlet(&self, team: TeamId, new: &NewHamlet) -> Result<HamletId> {
        let content = self.content()?;
        let mut batch = self.author.batch();
        let team = self.standing_team("team", team)?;
        let id = hamlet(&mut batch, &content, team.scope, "", new)?;
        batch.commit()?;
        Ok(id)
    }

    /// All teams in the order in which they were made.
    ///
    /// # Errors
    /// [`AdminError::Author`].
    pub fn list_teams(&self) -> Result<Vec<Team>> {
        Ok(self.log.list_teams()?)
    }

    /// A team that goes on: one that another has taken over holds nothing, its own scope included.
    pub(super) fn standing_team(&self, field: &str, team: TeamId) -> Result<Team> {
        let team = self.team(team)?;
        match self.stands(&team)? {
            true => Ok(team),
            false => Err(AdminError::invalid(field, "retired")),
        }
    }

    pub(super) fn stands(&self, team: &Team) -> Result<bool> {
        Ok(self.log.held_by(team.id)?.iter().any(|(scope, _)| *scope == team.scope))
    }

    pub(super) fn team(&self, team: TeamId) -> Result<Team> {
        self.log.team(team)?.ok_or(AdminError::NotFound { what: "team" })
    }
}

fn hamlet(
    batch: &mut Batch<'_>,
    content: &Content,
    scope: ScopeId,
    path: &str,
    new: &NewHamlet,
) -> Result<HamletId> {
    let at = |field: &str| format!("{path}{field}");
    let word = |field, list, word: &Option<String>| match word {
        Some(word) => choice(&at(field), content, list, word),
        None => Ok(Value::Null),
    };
    let fields = [
        ("name", text(&at("name"), ("hamlet", "name"), &new.name)?),
        ("unit", known_unit(&at("unit"), new.unit)?),
        ("language", word("language", "languages", &new.language)?),
        ("signal", word("signal", "signals", &new.signal)?),
        ("household_total", new.household_total.map_or(Value::Null, |total| Value::Int(total.into()))),
    ];
    Ok(HamletId(batch.create(scope, "hamlet", fields)?))
}
