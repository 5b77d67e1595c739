//! What was rescued from a phone comes in: judged like what the phone would have sent itself.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, ScopeId};
use langso_domain::registry::Role;
use langso_sync::frame::{MAGIC, Outer};

use super::{AdminError, Result};
use crate::intake::Taken;
use crate::log::Ingested;
use crate::server::Hub;

/// Frames that are handed to the log at once.
const AT_ONCE: usize = 16;
/// Nobody vouches for the hub: what it wrote it signed. The code under which such changes are counted.
const OF_THE_HUB: &str = "hub_device";

/// What became of a rescued file's changes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Imported {
    /// New: each got a position.
    pub accepted: u32,
    /// Had a position before.
    pub known: u32,
    /// Wait for the lead: how many for each reason.
    pub set_aside: BTreeMap<&'static str, u32>,
    /// Their key stands in the log with other bytes; kept outside it.
    pub collisions: u32,
    /// Frames of which nothing was kept, and changes without a signature: how many for each reason.
    pub refused: BTreeMap<&'static str, u32>,
    /// Bytes of the file that are no whole frame: it was cut, or damaged on its way. Whatever is whole was taken.
    pub skipped: usize,
}

impl Imported {
    fn add(&mut self, told: &Ingested) {
        self.accepted += told.accepted;
        self.known += told.known.len() as u32;
        told.set_aside.iter().for_each(|(_, reason)| *self.set_aside.entry(reason.code()).or_default() += 1);
        self.collisions += told.collisions.len() as u32;
    }
}

impl Hub {
    /// Takes the frames of a rescued file, all that are whole: what is between them, or cut at the end, holds none of them
    /// back. Twice keeps nothing twice.
    ///
    /// # Errors
    /// `frames` (`malformed`) when no frame of it is whole: nothing was taken then.
    pub fn import_rescue(&self, bytes: &[u8]) -> Result<Imported> {
        let (frames, skipped) = self.whole_frames(bytes)?;
        if frames.is_empty() && skipped > 0 {
            return Err(AdminError::invalid("frames", "malformed"));
        }
        let mut imported = Imported { skipped, ..Imported::default() };
        for frames in frames.chunks(AT_ONCE) {
            for taken in self.intake.take_all(frames, self.clock.now())? {
                match taken {
                    Taken::Kept(scope, told) => {
                        imported.add(&told);
                        self.dirty.mark(scope);
                    }
                    Taken::Refused(refusal) => *imported.refused.entry(refusal.code()).or_default() += 1,
                }
            }
        }
        Ok(imported)
    }

    /// Takes changes that nobody signed, because the device's key was lost with its phone: whoever runs the hub vouches
    /// that the device wrote them. They are judged as that device's. As the hub's own none are taken: they are counted
    /// as refused, here and among the hub's refusals.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for a device that never enrolled here.
    pub fn import_vouched(&self, device: DeviceId, changes: &[(ScopeId, Vec<u8>)]) -> Result<Imported> {
        let known = self.log.device(device)?.ok_or(AdminError::NotFound { what: "device" })?;
        let mut imported = Imported::default();
        if known.role == Role::Hub {
            let count = u32::try_from(changes.len()).unwrap_or(u32::MAX);
            imported.refused.insert(OF_THE_HUB, count);
            self.log.count_refusals(&BTreeMap::from([(OF_THE_HUB, count.into())]), self.clock.now())?;
            return Ok(imported);
        }
        for (scope, bytes) in changes {
            imported.add(&self.intake.take_vouched(*scope, device, bytes, self.clock.now())?);
            self.dirty.mark(*scope);
        }
        Ok(imported)
    }

    /// All whole frames, in order, and how many bytes are none. What passes for a frame and is not signed is one that
    /// lost its end and takes up what follows: those within it are found all the same.
    fn whole_frames<'a>(&self, bytes: &'a [u8]) -> Result<(Vec<&'a [u8]>, usize)> {
        let (mut frames, mut skipped) = (Vec::new(), 0);
        let (mut at, mut untrue_to) = (0, 0);
        while at < bytes.len() {
            if let Ok(Some((frame, length))) = Outer::read(&bytes[at..]) {
                let is_true = self.intake.is_true(&frame)?;
                if is_true || at >= untrue_to {
                    frames.push(frame.bytes());
                }
                if is_true {
                    at += length;
                    continue;
                }
                untrue_to = untrue_to.max(at + length);
            }
            let next = bytes[at + 1..].windows(MAGIC.len()).position(|window| window == MAGIC);
            let next = next.map_or(bytes.len(), |next| at + 1 + next);
            skipped += next.saturating_sub(at.max(untrue_to));
            at = next;
        }
        Ok((frames, skipped))
    }
}
