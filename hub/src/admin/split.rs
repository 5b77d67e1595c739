//! A team splits: some of its members go on as a new team, with some of its households.
//!
//! Nothing is taken out of the old book: households are copied as when one moves alone, so that visits, person-days and
//! figures of the past stay what they were. All of it is one transaction, and a second try finds the team there.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, MemberId, RowId, ScopeId, TeamId};
use langso_domain::registry::{CURRENT, Role};
use langso_domain::text::nfc;
use langso_sync::value::Value;

use super::moves::{IN_HAMLET, IS_HOUSEHOLD};
use super::people::member;
use super::turnover::join;
use super::{AdminError, Member, NewTeam, Result};
use crate::author::Batch;
use crate::log::{Team, Write};
use crate::server::Hub;

/// What goes from a team to the new one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Part {
    /// Who goes, in the role that they have.
    pub members: Vec<MemberId>,
    /// Who of them leads the new team.
    pub lead: Option<MemberId>,
    /// Hamlets where the new team works: all their households go.
    pub hamlets: Vec<HamletId>,
    /// Households that go too; their hamlets become places of both teams.
    pub households: Vec<HouseholdId>,
}

/// What a split made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitTeam {
    /// The new team.
    pub team: Team,
    /// How many households went; those that were joined are one.
    pub households: usize,
}

impl Hub {
    /// Founds a team of a part of another one, from today on, dated. Who goes leaves the old team on the day before the
    /// new one is founded (or on the first own day) and is in the new one since, with all devices; what these have
    /// unsent for the old team waits for its lead, and invitations not used yet end. Trainers train both. Hamlets and
    /// households are copied, with what [`Hub::move_household`] copies; sessions, clubs and visits stay.
    ///
    /// # Errors
    /// As [`Hub::make_team`]; [`AdminError::Exists`] for a team of that name in that unit, such as after a split that
    /// was done already; `team` (`retired`); `founded_on` (`future_date`, since it is done now); `members` (`missing`);
    /// `members[0]` (`not_found`, `twice`, `left`, `not_of_a_team` for a trainer); `lead` (`not_moving`); `hamlets[0]`
    /// (`not_found`, `twice`); `households[0]` (`not_found`, `moved_already`, `struck_out`).
    pub fn split_team(&self, team: TeamId, new: &NewTeam, part: &Part) -> Result<SplitTeam> {
        let old = self.standing_team("team", team)?;
        let now = self.clock.now();
        if new.founded_on > now.date() {
            return Err(AdminError::invalid("founded_on", "future_date"));
        }
        for known in self.log.list_teams()? {
            let is_it = known.name == nfc(&new.name) && known.unit == new.unit.to_string();
            if is_it && self.stands(&known)? {
                return Err(AdminError::Exists { what: "team" });
            }
        }
        let going = self.going(&old, part, now.date())?;
        check_once("hamlets", &part.hamlets)?;
        let mut households = 0;
        let team = self.make_team_and(new, |batch, made| {
            for (scope, known, role) in going {
                let devices = self.devices_in(&old, known.id)?;
                let from = known.from.map_or(new.founded_on, |from| from.max(new.founded_on));
                let fields = member(made, &known.name, role, from)?;
                let row = MemberId(batch.create(made.scope, "member", fields)?);
                // First in, then out: what both teams hold is kept.
                join(batch, made, row, role, &devices, &[])?;
                let last = CivilDate(new.founded_on.0 - 1);
                let last = known.from.map_or(last, |from| from.max(last));
                self.end(batch, &old, (scope, known), &devices, last)?;
            }
            for trainer in self.log.trainers_of(old.id)? {
                batch.put(Write::Train(trainer, made.id));
            }
            households = self.move_part(batch, &old, part, made.scope)?;
            Ok(())
        })?;
        Ok(SplitTeam { team, households })
    }

    /// Who goes, in which role there.
    fn going(&self, old: &Team, part: &Part, today: CivilDate) -> Result<Vec<(ScopeId, Member, Role)>> {
        if part.members.is_empty() {
            return Err(AdminError::invalid("members", "missing"));
        }
        check_once("members", &part.members)?;
        if part.lead.is_some_and(|lead| !part.members.contains(&lead)) {
            return Err(AdminError::invalid("lead", "not_moving"));
        }
        let mut going = Vec::new();
        for (at, id) in part.members.iter().enumerate() {
            let wrong = |code| AdminError::invalid(format!("members[{at}]"), code);
            let (scope, known) = self.member_in(old, *id).map_err(|why| match why {
                AdminError::NotFound { .. } => wrong("not_found"),
                other => other,
            })?;
            if known.to.is_some_and(|to| to <= today) {
                return Err(wrong("left"));
            }
            let role = known.role.filter(|role| !matches!(role, Role::Trainer | Role::Hub));
            let role = role.ok_or_else(|| wrong("not_of_a_team"))?;
            going.push((scope, known, if part.lead == Some(*id) { Role::Lead } else { role }));
        }
        Ok(going)
    }

    /// Copies hamlets and households, each once whatever named it. Gives how many households went.
    fn move_part(&self, batch: &mut Batch<'_>, old: &Team, part: &Part, new: ScopeId) -> Result<usize> {
        let books = self.books_of(old)?;
        let mut places = BTreeMap::new();
        for (at, hamlet) in part.hamlets.iter().enumerate() {
            if self.first_with(&books, IN_HAMLET, hamlet.0)?.is_none() {
                return Err(AdminError::invalid(format!("hamlets[{at}]"), "not_found"));
            }
            self.copy_hamlet(batch, (&books, new), &mut places, Some(*hamlet))?;
        }
        let named = part.households.iter().enumerate().map(|(at, one)| (format!("households[{at}]"), *one));
        let mut named: Vec<_> = named.collect();
        for hamlet in &part.hamlets {
            let theirs = self.households_of(&books, *hamlet)?;
            named.extend(theirs.into_iter().map(|one| ("hamlets".to_owned(), one)));
        }
        let (mut gone, mut households) = (BTreeSet::new(), 0);
        for (field, household) in named {
            if gone.contains(&household.0) {
                continue;
            }
            let scope = self.first_with(&books, IS_HOUSEHOLD, household.0)?;
            let scope = scope.ok_or_else(|| AdminError::invalid(field.clone(), "not_found"))?;
            let lives =
                |batch: &mut Batch<'_>, lived| self.copy_hamlet(batch, (&books, new), &mut places, lived);
            let copies = self.copy_household(batch, (&field, household), scope, new, lives)?;
            gone.extend(copies.into_keys());
            households += 1;
        }
        Ok(households)
    }

    /// The new team's row of a hamlet, made when first asked for; none for one that is not there.
    fn copy_hamlet(
        &self,
        batch: &mut Batch<'_>,
        (books, new): (&[ScopeId], ScopeId),
        made: &mut BTreeMap<HamletId, HamletId>,
        hamlet: Option<HamletId>,
    ) -> Result<Option<HamletId>> {
        let Some(hamlet) = hamlet else { return Ok(None) };
        if let Some(known) = made.get(&hamlet) {
            return Ok(Some(*known));
        }
        let Some(table) = CURRENT.named("hamlet") else { return Ok(None) };
        let Some(scope) = self.first_with(books, IN_HAMLET, hamlet.0)? else { return Ok(None) };
        let shown = self.replicas.with::<_, AdminError>(scope, |replica, _| {
            Ok(replica.begin()?.row(table, hamlet.0)?.unwrap_or_default())
        })?;
        let fields = shown.into_iter().filter_map(|(number, value)| Some((table.field(number)?.name, value)));
        let copy =
            HamletId(batch.create(new, "hamlet", fields.filter(|(_, value)| *value != Value::Null))?);
        made.insert(hamlet, copy);
        Ok(Some(copy))
    }

    /// The households that live in a hamlet of a team, in the order in which they were met.
    fn households_of(&self, books: &[ScopeId], hamlet: HamletId) -> Result<Vec<HouseholdId>> {
        let sql =
            "SELECT id FROM live_households WHERE hamlet_id = ?1 AND moved_to IS NULL ORDER BY v_stamp, id";
        let mut found = Vec::new();
        for scope in books {
            found.extend(self.replicas.with::<_, AdminError>(*scope, |replica, _| {
                let mut get = replica.connection().prepare_cached(sql)?;
                let ids = get.query_map([hamlet.0.0], |row| row.get(0).map(|id| HouseholdId(RowId(id))))?;
                Ok(ids.collect::<rusqlite::Result<Vec<_>>>()?)
            })?);
        }
        Ok(found)
    }

    /// The hamlets where a team works, with their names, in the order in which they were made.
    ///
    /// # Errors
    /// [`AdminError::NotFound`]; [`AdminError::Replica`].
    pub fn list_hamlets(&self, team: TeamId) -> Result<Vec<(HamletId, String)>> {
        let sql = "SELECT id, coalesce(name, '') FROM live_hamlets ORDER BY v_stamp, id";
        let mut found = Vec::new();
        for scope in self.books_of(&self.team(team)?)? {
            found.extend(self.replicas.with::<_, AdminError>(scope, |replica, _| {
                let mut get = replica.connection().prepare_cached(sql)?;
                let rows = get.query_map([], |row| Ok((HamletId(RowId(row.get(0)?)), row.get(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            })?);
        }
        Ok(found)
    }
}

fn check_once<I: PartialEq>(field: &str, given: &[I]) -> Result<()> {
    match (1..given.len()).find(|at| given[..*at].contains(&given[*at])) {
        Some(at) => Err(AdminError::invalid(format!("{field}[{at}]"), "twice")),
        None => Ok(()),
    }
}
