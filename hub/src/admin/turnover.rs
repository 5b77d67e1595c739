//! Teams change: members leave, join a second team, two teams become one. Dated, and never by moving a row: what was
//! done stays where it was written, so that figures and person-days of the past are what they were.

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, MemberId, TeamId};
use langso_domain::registry::{CURRENT, Role, ScopeKind};
use langso_sync::value::Value;

use super::places::hold;
use super::{AdminError, NewMember, NewTeam, Result, date};
use crate::log::{Team, Write};
use crate::server::Hub;

impl Hub {
    /// Ends a membership: its last day, and from now on the member's devices no longer have what the team holds, but
    /// for what another team of theirs does. They are told so signed by the hub with their next sync; what they still
    /// send waits for the lead. Twice changes the day alone.
    ///
    /// # Errors
    /// `on` (`before_from`); [`AdminError::NotFound`] for a team or a member that is not in it.
    pub fn end_membership(&self, team: TeamId, member: MemberId, on: CivilDate) -> Result<()> {
        let team = self.team(team)?;
        let known = self.members_in(team.scope)?.into_iter().find(|one| one.id == member);
        let known = known.ok_or(AdminError::NotFound { what: "member" })?;
        if known.from.is_some_and(|from| on < from) {
            return Err(AdminError::invalid("on", "before_from"));
        }
        let mut batch = self.author.batch();
        if known.to != Some(on)
            && let Some(table) = CURRENT.named("member")
        {
            let seen = self
                .replicas
                .with::<_, AdminError>(team.scope, |replica, _| Ok(replica.row_state(table, member.0)?))?;
            let seen = seen.ok_or(AdminError::NotFound { what: "member" })?;
            batch.patch(team.scope, "member", member.0, &seen, [("to_date", date(on))])?;
        }
        for device in self.devices_in(&team, member)? {
            batch.put(Write::Leave(device, team.id));
        }
        batch.commit()?;
        Ok(())
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
        let team = self.team(team)?;
        let known = self.members_in(team.scope)?.into_iter().find(|one| one.id == member);
        let known = known.ok_or(AdminError::NotFound { what: "member" })?;
        let devices = self.devices_in(&team, member)?;
        let also = |batch: &mut crate::author::Batch<'_>, row: MemberId| -> Result<()> {
            let joined = self.team(second)?;
            for device in devices {
                // The device's row in that team says whose it is, to those who hold it.
                if let Some(of) = self.log.device(device)? {
                    let fields = [
                        ("member_id", Value::Ref(row.0)),
                        ("public_key", Value::Bytes(of.public_key.to_vec())),
                        ("from_date", date(batch.now().date())),
                    ];
                    batch.create(joined.scope, "device", fields)?;
                }
                batch.put(Write::Join(device, second, role));
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

    /// The devices of a member that are in a team: those of that row, and those that joined by it.
    fn devices_in(&self, team: &Team, member: MemberId) -> Result<Vec<DeviceId>> {
        let keys: Vec<Vec<u8>> = self.replicas.with::<_, AdminError>(team.scope, |replica, _| {
            let sql = "SELECT public_key FROM live_devices WHERE member_id = ?1";
            let mut get = replica.connection().prepare_cached(sql)?;
            let keys = get.query_map([member.0.0], |row| row.get::<_, Option<Vec<u8>>>(0))?;
            Ok(keys.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
        })?;
        let all = self.log.list_devices()?;
        let is_of = |key: &[u8; 32]| keys.iter().any(|one| one[..] == key[..]);
        Ok(all.into_iter().filter(|device| is_of(&device.public_key)).map(|device| device.id).collect())
    }
}
