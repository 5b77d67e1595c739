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
        let mut leaving = vec![(scope, known)];
        leaving.extend(self.other_rows_of(&team, member, &devices)?);
        for (scope, one) in leaving {
            if one.id == member && one.to != Some(on) {
                self.end_row(&mut batch, scope, one.id, on)?;
            } else if one.id != member && one.to.is_none() {
                self.end_row(&mut batch, scope, one.id, one.from.map_or(on, |from| from.max(on)))?;
            }
            batch.put(Write::EndMember(one.id, team.id));
        }
        for device in devices {
            batch.put(Write::Leave(device.id, team.id));
        }
        batch.commit()?;
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
    /// devices get what it holds. New households of such a phone go to the team that it enrolled in; what is written
    /// about a household goes where the household is.
    ///
    /// # Errors
    /// As [`Hub::add_member`]; [`AdminError::NotFound`] for a member that is not in `team`.
    pub fn join_second_team(
        &self,
        (team, member): (TeamId, MemberId),
        second: TeamId,
        role: Role,
        from: CivilDate,
    ) -> Result<MemberId> {
        let team = self.standing_team("team", team)?;
        let (_, known) = self.member_in(&team, member)?;
        let devices = self.devices_in(&team, member)?;
        let also = |batch: &mut Batch<'_>, row: MemberId| -> Result<()> {
            let joined = self.team(second)?;
            for device in devices {
                // The device's row in that team says whose it is, to those who hold it.
                let fields = [
                    ("member_id", Value::Ref(row.0)),
                    ("public_key", Value::Bytes(device.public_key.to_vec())),
                    ("from_date", date(batch.now().date())),
                ];
                batch.create(joined.scope, "device", fields)?;
                batch.put(Write::Join(device.id, second, role));
            }
            Ok(())
        };
        self.add_member_and(second, &NewMember { name: known.name, role, from }, also)
    }

    /// Founds a team of others: it holds their scopes from today on, dated, and they hold none any more. Their
    /// members and devices are in it, in their roles. Not a row of the past is touched.
    ///
    /// # Errors
    /// As [`Hub::make_team`]; `teams` (`missing` for fewer than two, `twice`); [`AdminError::NotFound`].
    pub fn merge_teams(&self, new: &NewTeam, teams: &[TeamId]) -> Result<Team> {
        if teams.len() < 2 {
            return Err(AdminError::invalid("teams", "missing"));
        }
        if (1..teams.len()).any(|at| teams[..at].contains(&teams[at])) {
            return Err(AdminError::invalid("teams", "twice"));
        }
        let old = teams.iter().map(|team| self.team(*team)).collect::<Result<Vec<_>>>()?;
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
                batch.put(Write::Retire(team.id));
            }
            Ok(())
        })
    }

    /// The member's row and the scope in which it lies, of all that the team holds.
    fn member_in(&self, team: &Team, member: MemberId) -> Result<(ScopeId, Member)> {
        for scope in self.books_of(team)? {
            if let Some(known) = self.members_in(scope)?.into_iter().find(|one| one.id == member) {
                return Ok((scope, known));
            }
        }
        Err(AdminError::NotFound { what: "member" })
    }

    /// The devices of a member that are in a team: those of that row, and those that joined by it. Their rows lie in the
    /// scope of the team that they entered, the member's perhaps in another one's.
    fn devices_in(&self, team: &Team, member: MemberId) -> Result<Vec<Device>> {
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
