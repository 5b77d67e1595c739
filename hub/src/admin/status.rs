//! How a hub stands: what it holds, what of it is in a backup, what waits.

use langso_domain::id::{ScopeId, TeamId};

use super::Result;
use crate::clock::Millis;
use crate::log::BackedUp;
use crate::server::Hub;

/// What an operator looks at first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Teams.
    pub teams: usize,
    /// Devices that may sync.
    pub devices: usize,
    /// Changes with a position, over all scopes.
    pub changes: u64,
    /// How many of them a backup that was read back holds.
    pub backed_up: u64,
    /// The newest backup; none = there never was one, and phones forget nothing.
    pub last_backup: Option<BackedUp>,
    /// Changes that wait for a lead, collisions included.
    pub waiting: usize,
    /// The hub's time.
    pub now: Millis,
}

impl Hub {
    /// How the hub stands now.
    ///
    /// # Errors
    /// [`super::AdminError::Author`].
    pub fn standing(&self) -> Result<Standing> {
        let (mut changes, mut backed_up) = (0, 0);
        for (scope, _) in self.scopes()? {
            if let Some(state) = self.log.scope(scope)? {
                changes += state.head;
                backed_up += state.watermark;
            }
        }
        let devices = self.list_devices()?.iter().filter(|device| device.revoked_at.is_none()).count();
        Ok(Standing {
            teams: self.log.list_teams()?.len(),
            devices,
            changes,
            backed_up,
            last_backup: self.log.last_backup()?,
            waiting: self.list_waiting()?.len(),
            now: self.clock.now(),
        })
    }

    /// Every scope that this hub minted, with the team whose team or training scope it is.
    pub(super) fn scopes(&self) -> Result<Vec<(ScopeId, Option<TeamId>)>> {
        let teams = self.log.list_teams()?;
        let of_teams =
            teams.iter().flat_map(|team| [team.scope, team.training].map(|scope| (scope, Some(team.id))));
        let mut scopes: Vec<_> = of_teams.collect();
        scopes.extend(self.log.list_places()?.into_iter().map(|(_, scope)| (scope, None)));
        scopes.push((self.reference, None));
        Ok(scopes)
    }
}
