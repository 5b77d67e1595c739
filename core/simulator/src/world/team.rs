//! From phone to phone: frames that a member hands over, as a file or as codes, and frames of the hub that a phone has
//! kept. They arrive at once, late, twice, or never.

use std::rc::Rc;

use langso_domain::id::{DeviceId, ScopeId};
use langso_sync::frame::Outer;

use super::World;
use super::line::frames_in;
use crate::broken::{Promise, Result};

/// The most files on their way.
const MAX_PARCELS: usize = 4;

/// Frames that lie in a file.
#[derive(Debug)]
pub(super) struct Parcel {
    to: usize,
    frames: Vec<(ScopeId, Rc<[u8]>)>,
}

impl World<'_> {
    /// A phone hears a frame that another one has kept, whatever its cursor says.
    pub(super) fn carry(&mut self, at: usize) -> Result {
        let from = self.dice.below(self.phones.len());
        let frame = self.phones[from].disk.frames.any(|count| self.dice.below(count));
        match frame.filter(|_| from != at) {
            Some(frame) => self.deliver(at, &[frame], "carry"),
            None => Ok(()),
        }
    }

    /// A member hands over what the hub does not have yet.
    pub(super) fn hand_over(&mut self, at: usize) -> Result {
        let to = self.dice.below(self.phones.len());
        if to == at {
            return Ok(());
        }
        let most = 512 + self.dice.below(8_000);
        let frames = self.phones[at].hand_over(most);
        if frames.is_empty() {
            return Ok(());
        }
        if self.dice.chance(300) && self.parcels.len() < MAX_PARCELS {
            self.parcels.push(Parcel { to, frames });
            return Ok(());
        }
        self.deliver(to, &frames, "hand_over")
    }

    /// A file arrives after all; it may arrive again.
    pub(super) fn parcel(&mut self) -> Result {
        if self.parcels.is_empty() {
            return Ok(());
        }
        let parcel = self.parcels.remove(self.dice.below(self.parcels.len()));
        self.deliver(parcel.to, &parcel.frames, "parcel")?;
        if self.dice.chance(300) {
            self.parcels.push(parcel);
        }
        Ok(())
    }

    /// A member is given what was withheld.
    pub(super) fn give(&mut self, at: usize) -> Result {
        self.hub.give(self.phones[at].device);
        self.trace.note("give", &[at as u64]);
        Ok(())
    }

    /// A member leaves one of the scopes.
    pub(super) fn leave(&mut self, at: usize) -> Result {
        let scope = self.hub.logs[self.dice.below(self.hub.logs.len())].scope;
        if self.hub.leave(self.phones[at].device, scope, self.now_ms) {
            self.trace.note("leave", &[at as u64]);
        }
        Ok(())
    }

    /// The lead admits the oldest of what is set aside, and has its rows struck out with it.
    pub(super) fn admit_and_void(&mut self) -> Result {
        if let Some(key) = self.hub.admit_and_void(self.now_ms, &mut self.writers)? {
            self.trace.note("admit_and_void", &[key.writer.0, key.seq.into()]);
        }
        Ok(())
    }

    /// No frame of a scope that a device has left goes to it.
    pub(super) fn must_not_be_served(&self, device: DeviceId, reply: &[u8]) -> Result {
        let left: Vec<ScopeId> = self.hub.left(device).collect();
        if left.is_empty() {
            return Ok(());
        }
        for (at, length) in frames_in(reply) {
            let frame = Outer::whole(&reply[at..at + length]).and_then(|outer| outer.open());
            if let Some(frame) = frame.ok().filter(|frame| left.contains(&frame.header.scope)) {
                let detail = format!("{} is served to {device}, which has left it", frame.header.scope);
                return Err(Promise::OwnScopesOnly.broken(detail));
            }
        }
        Ok(())
    }

    /// A device is revoked; somebody may think better of it.
    pub(super) fn revoke(&mut self, at: usize) -> Result {
        let is_revoked = self.dice.chance(500);
        self.hub.revoke(self.phones[at].device, is_revoked);
        self.trace.note("revoke", &[at as u64, is_revoked.into()]);
        Ok(())
    }

    /// Everybody is in the team.
    pub(super) fn settle_team(&mut self) {
        for phone in &self.phones {
            self.hub.give(phone.device);
            self.hub.revoke(phone.device, false);
        }
    }

    fn deliver(&mut self, to: usize, frames: &[(ScopeId, Rc<[u8]>)], how: &'static str) -> Result {
        let now = self.moment(to);
        for (scope, bytes) in frames {
            let phone = &mut self.phones[to];
            if phone.scopes().iter().all(|held| held.scope != *scope) {
                continue;
            }
            let Ok(outer) = Outer::whole(bytes) else { continue };
            let Some((signer, is_hub)) = self.hub.signer(outer.key_id()) else { continue };
            let heard = phone.hear(bytes, &signer, is_hub, now, self.rule)?;
            self.applied += heard as u64;
            self.trace.note(how, &[to as u64, bytes.len() as u64, heard as u64]);
        }
        Ok(())
    }
}
