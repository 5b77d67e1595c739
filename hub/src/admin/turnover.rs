//! Teams change: members leave, join a second team, two teams become one. Dated, and never by moving a row: what was
//! done stays where it was written, so that figures and person-days of the past are what they were.

use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, ScopeId, TeamId};
use langso_domain::registry::{CURRENT, Role, ScopeKind};
use langso_sync::value::Value;

use super::places::hold;
use super::{AdminError, Member, NewMember, NewTeam, Result, date};
use crate::author::Batch;
use crate::log::{Device, Team, Write};
use crate::server::Hub;

impl Hub {
    /// Ends a membership: its last day, and from now on the member's devices no longer have what the team holds, but
    /// for what another team of theirs does; codes that the member has not used let nobody in any more. The devices are
    /// told so signed by the hub with their next sync; what they still send waits for the lead. A person with several
    /// rows in the team, as after a merge, leaves by all of them; a trainer trains none of the other teams any more.
    /// Twice changes the day alone.
    ///
    /// # Errors
    /// `on` (`before_from`; `future_date`, since the grants end now); `team` (`retired`); [`AdminError::NotFound`] for
    /// a team or a member that is not in it.
    pub fn end_membership(&self, team: TeamId, member: MemberId, on: CivilDate) -> Result<()> {
        let mut batch = self.author.batch();
        let team = self.standing_team("team", team)?;
        let (scope, known) = self.member_in(&team, member)?;
        if known.from.is_some_and(|from| on < from) {
            return Err(AdminError::invalid("on", "before_from"));
        }
        if on > batch.now().date() {
            return Err(AdminError::invalid("on", "future_date"));
        }
        let devices = self.devices_in(&team, member)?;
        self.end(&mut batch, &team, (scope, known), &devices, on)?;
        batch.commit()?;
        Ok(())
    }

    /// As [`Hub::end_membership`], of what was found.
    pub(super) fn end(
        &self,
        batch: &mut Batch<'_>,
        team: &Team,
        (scope, known): (ScopeId, Member),
        devices: &[Device],
        on: CivilDate,
    ) -> Result<()> {
        let member = known.id;
        let mut leaving = vec![(scope, known)];
        leaving.extend(self.other_rows_of(team, member, devices)?);
        for (scope, one) in leaving {
            if one.id == member && one.to != Some(on) {
                self.end_row(batch, scope, one.id, on)?;
            } else if one.id != member && one.to.is_none() {
                self.end_row(batch, scope, one.id, one.from.map_or(on, |from| from.max(on)))?;
            }
            batch.put(Write::EndMember(one.id, team.id));
        }
        for device in devices {
            batch.put(Write::Leave(device.id, team.id));
        }
        Ok(())
    }

    fn end_row(&self, batch: &mut Batch<'_>, scope: ScopeId, row: MemberId, on: CivilDate) -> Result<()> {
        let Some(table) = CURRENT.named("member") else { return Ok(()) };
        let seen =
            self.replicas.with::<_, AdminError>(scope, |replica, _| Ok(replica.row_state(table, row.0)?))?;
        let seen = seen.ok_or(AdminError::NotFound { what: "member" })?;
        Ok(batch.patch(scope, "member", row.0, &seen, [("to_date", date(on))])?)
    }

    /// A member of one team is in a second one too, from that day on in that role: a row there, and the member's
    /// devices get what it holds. New households of such a phone go to the team whose hamlet it is, without one to the
    /// team that it enrolled in; what is written about a household goes where the household is. Who is in the second team already, known by a device, gets no
    /// second row: devices that came since join by the one that is there.
    ///
    /// # Errors
    /// As [`Hub::add_member`]; `team`, `second` (`retired`, `same_team`); `role` (`other_role` than the row that is
    /// there says: leaving comes first); [`AdminError::NotFound`] for a member that is not in `team`.
    pub fn join_second_team(
        &self,
        (team, member): (TeamId, MemberId),
        second: TeamId,
        role: Role,
        from: CivilDate,
    ) -> Result<MemberId> {
        if matches!(role, Role::Trainer | Role::Hub) {
            return Err(AdminError::invalid("role", "not_of_a_team"));
        }
        let team = self.standing_team("team", team)?;
        let joined = self.standing_team("second", second)?;
        let (_, known) = self.member_in(&team, member)?;
        if team.id == joined.id && known.to.is_none() {
            return Err(AdminError::invalid("second", "same_team"));
        }
        let devices = self.devices_in(&team, member)?;
        let rows = self.other_rows_of(&joined, member, &devices)?;
        let there = rows.into_iter().map(|(_, row)| row).find(|row| row.to.is_none());
        let Some(there) = there else {
            let new = NewMember { name: known.name, role, from };
            return self
                .add_member_and(second, &new, |batch, row| join(batch, &joined, row, role, &devices, &[]));
        };
        if there.role != Some(role) {
            return Err(AdminError::invalid("role", "other_role"));
        }
        let mut batch = self.author.batch();
        join(&mut batch, &joined, there.id, role, &devices, &self.devices_in(&joined, there.id)?)?;
        batch.commit()?;
        Ok(there.id)
    }

    /// Founds a team of others: it holds their scopes from today on, dated, and they hold none any more. Their
    /// members and devices are in it, in their roles (the higher one of a device that had two), and so are codes not
    /// used yet; their trainers train it. Not a row of the past is touched.
    ///
    /// New households go beside their hamlet, into the scope of an old team, whether a phone has heard of the new one or
    /// not; what is without a place goes to the scope that a phone had first: all of it is the new team's to read and is
    /// counted with it. A scope's cells are made of its own rows alone, so what hangs together had better lie in one. What
    /// stands in two of them is counted in each: a member who helped households of both on one day has two days there.
    ///
    /// # Errors
    /// As [`Hub::make_team`]; `teams` (`missing` for fewer than two, `twice`, `retired`); [`AdminError::NotFound`].
    pub fn merge_teams(&self, new: &NewTeam, teams: &[TeamId]) -> Result<Team> {
        if teams.len() < 2 {
            return Err(AdminError::invalid("teams", "missing"));
        }
        if (1..teams.len()).any(|at| teams[..at].contains(&teams[at])) {
            return Err(AdminError::invalid("teams", "twice"));
        }
        let old = teams.iter().map(|team| self.standing_team("teams", *team)).collect::<Result<Vec<_>>>()?;
        self.make_team_and(new, |batch, made| {
            let mut own: Vec<_> = vec![made.scope, made.training];
            for team in &old {
                for (scope, kind) in self.log.held_by(team.id)? {
                    if matches!(kind, ScopeKind::Team | ScopeKind::Training) && !own.contains(&scope) {
                        own.push(scope);
                        hold(batch, made, scope, kind)?;
                    }
                }
                for (device, role) in self.log.devices_of(team.id)? {
                    batch.put(Write::Join(device, made.id, role));
                }
                for trainer in self.log.trainers_of(team.id)? {
                    batch.put(Write::Train(trainer, made.id));
                }
                batch.put(Write::Retire(team.id, made.id));
            }
            Ok(())
        })
    }

    /// The member's row and the scope in which it lies, of all that the team holds.
    pub(super) fn member_in(&self, team: &Team, member: MemberId) -> Result<(ScopeId, Member)> {
        for scope in self.books_of(team)? {
            if let Some(known) = self.members_in(scope)?.into_iter().find(|one| one.id == member) {
                return Ok((scope, known));
            }
        }
        Err(AdminError::NotFound { what: "member" })
    }

    /// The devices of a member that are in a team: those of that row, and those that joined by it. Their rows lie in the
    /// scope of the team that they entered, the member's perhaps in another one's.
    pub(super) fn devices_in(&self, team: &Team, member: MemberId) -> Result<Vec<Device>> {
        let sql = "SELECT public_key FROM live_devices WHERE member_id = ?1";
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for scope in self.books_of(team)? {
            keys.extend(self.replicas.with::<_, AdminError>(scope, |replica, _| {
                let mut get = replica.connection().prepare_cached(sql)?;
                let keys = get.query_map([member.0.0], |row| row.get::<_, Option<Vec<u8>>>(0))?;
                Ok(keys.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>())
            })?);
        }
        let mut all = self.log.list_devices()?;
        all.retain(|device| keys.iter().any(|key| key[..] == device.public_key[..]));
        Ok(all)
    }

    /// Further rows of the same person in a team: a device is one person's, whatever row names it.
    fn other_rows_of(
        &self,
        team: &Team,
        member: MemberId,
        devices: &[Device],
    ) -> Result<Vec<(ScopeId, Member)>> {
        let mut others: Vec<[u8; 12]> = Vec::new();
        let mut found = Vec::new();
        let books = self.books_of(team)?;
        for scope in &books {
            others.extend(self.replicas.with::<_, AdminError>(*scope, |replica, _| {
                let sql =
                    "SELECT member_id FROM live_devices WHERE public_key = ?1 AND member_id IS NOT NULL";
                let mut get = replica.connection().prepare_cached(sql)?;
                let mut rows = Vec::new();
                for device in devices {
                    let of = get.query_map([&device.public_key[..]], |row| row.get::<_, [u8; 12]>(0))?;
                    rows.extend(of.collect::<rusqlite::Result<Vec<_>>>()?);
                }
                Ok(rows)
            })?);
        }
        for scope in books {
            let same = |one: &Member| one.id != member && others.contains(&one.id.0.0);
            found.extend(self.members_in(scope)?.into_iter().filter(same).map(|one| (scope, one)));
        }
        Ok(found)
    }
}

/// The device's row in the team that it joins says whose it is, to those who hold it; `known` ones have it.
pub(super) fn join(
    batch: &mut Batch<'_>,
    joined: &Team,
    row: MemberId,
    role: Role,
    devices: &[Device],
    known: &[Device],
) -> Result<()> {
    for device in devices {
        if known.iter().all(|one| one.id != device.id) {
            let fields = [
                ("member_id", Value::Ref(row.0)),
                ("public_key", Value::Bytes(device.public_key.to_vec())),
                ("from_date", date(batch.now().date())),
            ];
            batch.create(joined.scope, "device", fields)?;
        }
        batch.put(Write::Join(device.id, joined.id, role));
    }
    Ok(())
}
