//! What the hub keeps outside the log: changes set aside until somebody admits them, and keys that came with other
//! bytes, which only a new change can say again.

use langso_domain::id::{DeviceId, Key, MemberId, ScopeId, TeamId};

use super::Result;
use crate::clock::Millis;
use crate::log::{OTHER_BYTES, WaitingName};
use crate::server::Hub;

/// One change that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Names it within its scope.
    pub name: WaitingName,
    /// Where its frame said it belongs.
    pub scope: ScopeId,
    /// Whose team or training scope that is.
    pub team: Option<TeamId>,
    /// A code of [`crate::log::Reason`], or `other_bytes`.
    pub reason: String,
    /// Who signed it.
    pub device: DeviceId,
    /// Whose device that is.
    pub member: Option<MemberId>,
    /// None when its bytes do not even tell that.
    pub key: Option<Key>,
    /// First seen.
    pub at: Millis,
}

impl Hub {
    /// All that waits, scope by scope, oldest first.
    ///
    /// # Errors
    /// [`super::AdminError::Author`].
    pub fn list_waiting(&self) -> Result<Vec<Waiting>> {
        let mut scopes = self.scopes()?;
        scopes.extend(self.log.list_unknown_scopes()?.into_iter().map(|scope| (scope, None)));
        let mut waiting = Vec::new();
        for (scope, team) in scopes {
            let aside = self.log.list_set_aside(scope)?;
            let one = |name, reason, device, key, at| Waiting {
                name,
                scope,
                team,
                reason,
                device,
                member: None,
                key,
                at,
            };
            waiting.extend(aside.into_iter().map(|it| one(it.name, it.reason, it.device, it.key, it.at)));
            let collisions = self.log.list_collisions(scope)?;
            waiting.extend(collisions.into_iter().map(|(key, device, at, hash)| {
                let name = WaitingName::Collision(key, hash);
                one(name, OTHER_BYTES.to_owned(), device, Some(key), at)
            }));
        }
        for one in &mut waiting {
            one.member = self.log.device(one.device)?.and_then(|device| device.member);
        }
        Ok(waiting)
    }
}
