//! Enrolment codes and the devices that used them.

use langso_domain::id::{DeviceId, MemberId, TeamId};
use langso_domain::registry::{CURRENT, Role};
use langso_sync::wire::Invite;

use super::{AdminError, Result, date};
use crate::clock::Millis;
use crate::enrol::{CODE_LIVES_MS, secret_hash};
use crate::log::{Code, CodeState, Device, Write};
use crate::random;
use crate::server::Hub;

/// A fresh code. Its text is a secret: it goes to the person invited and to no log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// Address, fingerprint and secret; its `Display` is the line to scan or type.
    pub invite: Invite,
    /// Until when it works.
    pub expires_at: Millis,
}

impl Hub {
    /// Makes a code for a member of a team: used once, within 72 hours. `url` is where phones reach this hub, such
    /// as `http://192.168.1.20:8080`.
    ///
    /// # Errors
    /// `url` (`not_an_address`), `member` (`left`, `unknown_role`), `team` (`retired`); [`AdminError::NotFound`].
    pub fn make_code(&self, team: TeamId, member: MemberId, url: &str) -> Result<Invited> {
        let team = self.standing_team("team", team)?;
        let members = self.members_of(&team)?;
        let known = members.iter().find(|one| one.id == member);
        let known = known.ok_or(AdminError::NotFound { what: "member" })?;
        let role = known.role.ok_or_else(|| AdminError::invalid("member", "unknown_role"))?;
        // No phone is the hub.
        if role == Role::Hub {
            return Err(AdminError::invalid("member", "unknown_role"));
        }
        let secret = random::bytes()?;
        let url = url.trim().trim_end_matches('/').to_owned();
        let invite = Invite { secret, hub: self.fingerprint(), url };
        let has_host = invite.url.split_once("://").is_some_and(|(_, rest)| {
            !rest.is_empty() && !rest.contains(|c: char| c == '/' || c.is_whitespace())
        });
        if !has_host || invite.to_string().parse() != Ok(invite.clone()) {
            return Err(AdminError::invalid("url", "not_an_address"));
        }
        let mut batch = self.author.batch();
        // The last day over or not: what the team holds was taken back when the member left.
        if known.to.is_some_and(|to| to <= batch.now().date()) {
            return Err(AdminError::invalid("member", "left"));
        }
        let expires_at = batch.now().plus(CODE_LIVES_MS);
        let secret_hash = secret_hash(&secret);
        batch.put(Write::Code(Code { secret_hash, team: team.id, member, role, expires_at }));
        batch.commit()?;
        Ok(Invited { invite, expires_at })
    }

    /// The codes of a team, oldest first.
    ///
    /// # Errors
    /// [`AdminError::NotFound`].
    pub fn list_codes(&self, team: TeamId) -> Result<Vec<CodeState>> {
        self.team(team)?;
        Ok(self.log.list_codes(team)?)
    }

    /// All devices that enrolled, oldest first; the hub's own is none of them.
    ///
    /// # Errors
    /// [`AdminError::Author`].
    pub fn list_devices(&self) -> Result<Vec<Device>> {
        let mut devices = self.log.list_devices()?;
        devices.retain(|device| device.role != Role::Hub);
        Ok(devices)
    }

    /// Ends a device's syncing from now on. What it wrote stays; what it still sends waits for the lead. Twice is
    /// once.
    ///
    /// # Errors
    /// [`AdminError::NotFound`].
    pub fn revoke_device(&self, device: DeviceId) -> Result<()> {
        let mut batch = self.author.batch();
        let known = self.log.device(device)?.filter(|known| known.role != Role::Hub);
        let known = known.ok_or(AdminError::NotFound { what: "device" })?;
        if known.revoked_at.is_some() {
            return Ok(());
        }
        if let (Some(team), Some(row)) = (known.team, known.row)
            && let Some(table) = CURRENT.named("device")
        {
            let team = self.team(team)?;
            let seen = self
                .replicas
                .with::<_, AdminError>(team.scope, |replica, _| Ok(replica.row_state(table, row)?))?;
            if let Some(seen) = seen {
                let on = date(batch.now().date());
                batch.patch(team.scope, "device", row, &seen, [("revoked_on", on)])?;
            }
        }
        batch.put(Write::Revoke(device));
        batch.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_not_printed() {
        let hub = langso_sync::keys::Fingerprint([9; 16]);
        let invite = Invite { secret: [7; 16], hub, url: "http://hub".to_owned() };
        let shown = format!("{:?}", Invited { invite, expires_at: Millis(0) });
        assert!(!shown.contains(&langso_domain::id::to_base32(&[7; 16])));
    }
}
