//! Whether rows are what the log comes to: a phone's, by the digest that it says, and the hub's own replicas.
//!
//! The log is the truth. A replica here that differs from what was written into it is made again from the log before
//! any phone is told that its rows are wrong; what is found is logged and counted for the operator.

use langso_domain::id::{DeviceId, ScopeId};
use langso_sync::chain::Cursor;
use langso_sync::digest::Digest;
use langso_sync::wire::Hello;

use crate::access;
use crate::counted::Counted;
use crate::keys::private_folder;
use crate::log::Damage;
use crate::replica;
use crate::server::Hub;

/// What became of the digests of a request. A scope in neither list was not compared: its log has moved on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    /// Places in the hello of the scopes that are as they must be.
    pub agreed: Vec<usize>,
    /// Scopes whose rows on the phone are not.
    pub differing: Vec<ScopeId>,
}

impl Hub {
    /// Compares the digests that a device says with what the log comes to at its cursors.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn compare(&self, device: DeviceId, hello: &Hello) -> Result<Compared, replica::Error> {
        let mut compared = Compared::default();
        if hello.digests.is_empty() {
            return Ok(compared);
        }
        let grants = self.log.grants(device)?;
        for (place, digest) in &hello.digests {
            let Some((scope, cursor)) = hello.cursors.get(*place).copied() else { continue };
            let is_readable =
                grants.iter().any(|grant| grant.scope == scope && access::may_read(grant.kind, grant.role));
            if !is_readable {
                continue;
            }
            match self.is_as_said(scope, cursor, *digest)? {
                Some(true) => compared.agreed.push(*place),
                Some(false) => {
                    tracing::error!(%scope, %device, "the rows of a phone are damaged; it fetches them anew");
                    self.log.count_damage(scope, device, self.clock.now())?;
                    compared.differing.push(scope);
                }
                None => {}
            }
        }
        Ok(compared)
    }

    /// None when the log does not end at that cursor.
    fn is_as_said(&self, scope: ScopeId, at: Cursor, said: Digest) -> Result<Option<bool>, replica::Error> {
        let Some(held) = self.replicas.digest_at(scope, at)? else { return Ok(None) };
        if held == said {
            return Ok(Some(true));
        }
        // One of both is wrong. The hub looks at itself first; rows that agree with themselves may still be other than
        // the log's, so that once a day they are made anew before a phone is blamed.
        let today = self.clock.now().date();
        let is_damaged = self.replicas.is_damaged(scope)?;
        if is_damaged || self.replicas.proven_on(scope) != Some(today) {
            self.replicas.make_anew(scope, today)?;
        }
        let Some(truth) = self.replicas.digest_at(scope, at)? else { return Ok(None) };
        if is_damaged || truth != held {
            self.was_damaged(scope)?;
        }
        Ok(Some(truth == said))
    }

    /// Counts the rows of the scopes that were last counted a week ago or longer; see [`Hub::check_rows`]. A scope that
    /// fails is logged and passed over until the next day.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn check_some(&self) -> Result<(), replica::Error> {
        let scopes = self.list_scopes()?.into_iter().chain([self.reference]);
        private_folder(self.replicas.folder())?;
        let mut counted = Counted::read(self.replicas.folder());
        for scope in counted.list_due(scopes, self.clock.now()) {
            // What one scope holds stops no other.
            match self.check_rows(scope) {
                Ok(_) => counted.note(scope, self.clock.now())?,
                Err(why) => tracing::error!(%why, %scope, "the rows of a scope could not be counted"),
            }
        }
        Ok(counted.write()?)
    }

    /// Counts the rows that the hub keeps of a scope; those that are not what was written are made again from the log,
    /// and all that was computed out of them. Gives whether they were damaged.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn check_rows(&self, scope: ScopeId) -> Result<bool, replica::Error> {
        if !self.replicas.is_damaged(scope)? {
            return Ok(false);
        }
        self.replicas.make_anew(scope, self.clock.now().date())?;
        self.was_damaged(scope)?;
        Ok(true)
    }

    fn was_damaged(&self, scope: ScopeId) -> Result<(), replica::Error> {
        tracing::error!(%scope, "the rows of a replica were damaged; they were made anew from the log");
        self.log.count_damage(scope, self.keys.id(), self.clock.now())?;
        self.snapshots.forget(scope)?;
        // Its snapshot is made anew as well.
        self.dirty.mark(scope);
        self.project(scope)
    }

    /// Every scope whose rows were found damaged, on phones and here.
    ///
    /// # Errors
    /// [`replica::Error`].
    pub fn list_damages(&self) -> Result<Vec<Damage>, replica::Error> {
        let mut scopes = self.list_scopes()?;
        scopes.push(self.reference);
        let mut damages = Vec::new();
        for scope in scopes {
            damages.extend(self.log.list_damages(scope)?);
        }
        Ok(damages)
    }
}
