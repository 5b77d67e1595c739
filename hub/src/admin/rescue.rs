//! What was rescued from a phone comes in: judged like what the phone would have sent itself.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, ScopeId};
use langso_sync::frame::Outer;

use super::{AdminError, Result};
use crate::intake::Taken;
use crate::log::Ingested;
use crate::server::Hub;

/// Frames that are handed to the log at once.
const AT_ONCE: usize = 16;

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
    /// Frames of which nothing was kept: how many for each reason.
    pub refused: BTreeMap<&'static str, u32>,
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
    /// Takes the frames of a rescued file. Twice keeps nothing twice.
    ///
    /// # Errors
    /// `frames` (`malformed`) when the bytes are not frames one after another: nothing was taken then.
    pub fn import_rescue(&self, bytes: &[u8]) -> Result<Imported> {
        let mut frames = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let Ok(Some((frame, length))) = Outer::read(&bytes[at..]) else {
                return Err(AdminError::invalid("frames", "malformed"));
            };
            frames.push(frame.bytes());
            at += length;
        }
        let mut imported = Imported::default();
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
    /// that the device wrote them. They are judged as that device's.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for a device that never enrolled here.
    pub fn import_vouched(&self, device: DeviceId, changes: &[(ScopeId, Vec<u8>)]) -> Result<Imported> {
        if self.log.device(device)?.is_none() {
            return Err(AdminError::NotFound { what: "device" });
        }
        let mut imported = Imported::default();
        for (scope, bytes) in changes {
            imported.add(&self.intake.take_vouched(*scope, device, bytes, self.clock.now())?);
            self.dirty.mark(*scope);
        }
        Ok(imported)
    }
}
