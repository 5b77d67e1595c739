//! Members of teams and the trainers who train them.

use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, RowId, ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use langso_domain::text::check_name;
use langso_sync::value::Value;

use super::{AdminError, Result, date};
use crate::author::Batch;
use crate::log::{Team, Write};
use crate::server::Hub;

/// A member to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMember {
    /// The volunteer's name, as on the identity card.
    pub name: String,
    /// Member, deputy, lead or officer.
    pub role: Role,
    /// Since when.
    pub from: CivilDate,
}

/// A trainer to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTrainer {
    /// The trainer's name.
    pub name: String,
    /// Whom the trainer trains; enrols through the first of them.
    pub teams: Vec<TeamId>,
    /// Since when.
    pub from: CivilDate,
}

/// A member as the team's rows say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The row.
    pub id: MemberId,
    /// The name.
    pub name: String,
    /// The role; none for one that this program does not know.
    pub role: Option<Role>,
    /// Since when.
    pub from: Option<CivilDate>,
    /// Until when; none = still.
    pub to: Option<CivilDate>,
}

impl Hub {
    /// Adds a member to a team. A second role of a person is a second row.
    ///
    /// # Errors
    /// `name` (`missing`, `too_long`, `digit`, `character`, `never_store.…`), `role` (`not_of_a_team`), `from`
    /// (`before_team`), `team` (`retired`); [`AdminError::NotFound`].
    pub fn add_member(&self, team: TeamId, new: &NewMember) -> Result<MemberId> {
        if matches!(new.role, Role::Trainer | Role::Hub) {
            return Err(AdminError::invalid("role", "not_of_a_team"));
        }
        self.add_member_and(team, new, |_, _| Ok(()))
    }

    /// As [`Hub::add_member`], with more in the same transaction.
    pub(super) fn add_member_and(
        &self,
        team: TeamId,
        new: &NewMember,
        also: impl FnOnce(&mut Batch<'_>, MemberId) -> Result<()>,
    ) -> Result<MemberId> {
        let team = self.standing_team("team", team)?;
        self.check_from(&team, new.from)?;
        let mut batch = self.author.batch();
        let id =
            MemberId(batch.create(team.scope, "member", member(&team, &new.name, new.role, new.from)?)?);
        also(&mut batch, id)?;
        batch.commit()?;
        Ok(id)
    }

    /// Adds a trainer, who reads and reviews the checklists of some teams and sees nothing of their households. The
    /// member row lies with the first of the teams.
    ///
    /// # Errors
    /// `name`, `teams` (`missing`, `retired`); [`AdminError::NotFound`].
    pub fn add_trainer(&self, new: &NewTrainer) -> Result<MemberId> {
        let teams =
            new.teams.iter().map(|team| self.standing_team("teams", *team)).collect::<Result<Vec<_>>>()?;
        let home = teams.first().ok_or_else(|| AdminError::invalid("teams", "missing"))?;
        let mut batch = self.author.batch();
        let fields = member(home, &new.name, Role::Trainer, new.from)?;
        let id = MemberId(batch.create(home.scope, "member", fields)?);
        for team in &teams {
            batch.put(Write::Train(id, team.id));
        }
        batch.commit()?;
        Ok(id)
    }

    /// The members of a team, trainers who enrol through it included, in the order in which they were added.
    ///
    /// # Errors
    /// [`AdminError::NotFound`]; [`AdminError::Replica`].
    pub fn list_members(&self, team: TeamId) -> Result<Vec<Member>> {
        self.members_of(&self.team(team)?)
    }

    /// Those of every team scope that the team holds: a team that was founded of others has their members.
    pub(super) fn members_of(&self, team: &Team) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for scope in self.books_of(team)? {
            members.extend(self.members_in(scope)?);
        }
        Ok(members)
    }

    /// The team scopes that a team holds, its own first; that alone for one that holds nothing any more.
    pub(super) fn books_of(&self, team: &Team) -> Result<Vec<ScopeId>> {
        let mut books = vec![team.scope];
        let held = self.log.held_by(team.id)?.into_iter();
        books.extend(
            held.filter(|(scope, kind)| *kind == ScopeKind::Team && *scope != team.scope)
                .map(|(scope, _)| scope),
        );
        Ok(books)
    }

    pub(super) fn members_in(&self, scope: ScopeId) -> Result<Vec<Member>> {
        self.replicas.with(scope, |replica, _| {
            let sql = "SELECT id, name, role, from_date, to_date FROM live_members ORDER BY v_stamp, id";
            let mut get = replica.connection().prepare_cached(sql)?;
            let rows = get.query_map([], |row| {
                let day = |at| {
                    let days: Option<i64> = row.get(at)?;
                    Ok::<_, rusqlite::Error>(
                        days.and_then(|days| days.try_into().ok()).and_then(CivilDate::from_days),
                    )
                };
                Ok(Member {
                    id: MemberId(RowId(row.get(0)?)),
                    name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    role: row.get::<_, Option<i64>>(2)?.and_then(Role::from_number),
                    from: day(3)?,
                    to: day(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn check_from(&self, team: &Team, from: CivilDate) -> Result<()> {
        let founded: Option<i32> = self.replicas.with::<_, AdminError>(team.scope, |replica, _| {
            let sql = "SELECT founded_on FROM live_teams WHERE id = ?1";
            Ok(replica.connection().query_row(sql, [team.id.0.0], |row| row.get(0))?)
        })?;
        match founded {
            Some(day) if from < CivilDate(day) => Err(AdminError::invalid("from", "before_team")),
            _ => Ok(()),
        }
    }
}

pub(super) fn member(
    team: &Team,
    name: &str,
    role: Role,
    from: CivilDate,
) -> Result<[(&'static str, Value); 4]> {
    use langso_domain::text::NameError;
    let name = check_name(name).map_err(|why| {
        let code = match why {
            NameError::Empty => "missing",
            NameError::TooLong => "too_long",
            NameError::Digit => "digit",
            NameError::NeverStore(kind) => kind.code(),
            NameError::Character => "character",
        };
        AdminError::invalid("name", code)
    })?;
    Ok([
        ("team_id", Value::Ref(team.id.0)),
        ("name", Value::Text(name)),
        ("role", Value::Int(role as i64)),
        ("from_date", date(from)),
    ])
}
