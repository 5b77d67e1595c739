//! How a frame comes in: known signer, true signature, then inflated and taken apart, then handed to the log.
//!
//! What costs time (signature, inflating, hashing, reading) happens here, outside the log's write lock. A forged
//! frame is refused and counted; a true frame is always kept, if only for the lead to look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use langso_domain::id::{DeviceId, ScopeId};
use langso_sync::change::{self, Change};
use langso_sync::frame::{FrameError, Outer};
use langso_sync::keys::PublicKey;
use langso_sync::wire::Problem;

use crate::clock::Millis;
use crate::log::{self, Arrived, Ingested, Item, Log, Tables};

/// What became of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// Durable, every change of it accounted for, in the scope it claims.
    Kept(ScopeId, Ingested),
    /// Nothing of it was kept.
    Refused(Refusal),
}

/// Why nothing of a frame was kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Signed by a key that never enrolled here.
    UnknownDevice,
    /// The signature is not that of the key it names.
    Forged,
    /// Not a frame that this hub reads.
    Unreadable(FrameError),
}

impl Refusal {
    /// The code under which it is counted and told.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown_device",
            Self::Forged => "forged",
            Self::Unreadable(FrameError::TooLarge) => "too_large",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// What a request is answered that brings nothing else.
    pub fn problem(self) -> Problem {
        match self {
            Self::UnknownDevice => Problem::UnknownDevice,
            Self::Forged | Self::Unreadable(_) => Problem::BadFrame,
        }
    }
}

/// The way into the log.
#[derive(Clone, Debug)]
pub struct Intake {
    log: Arc<Log>,
    hub: PublicKey,
    hub_id: DeviceId,
}

impl Intake {
    /// For a log and the hub's own public key: what the hub signed it takes back, with the authors it names.
    pub fn new(log: Arc<Log>, hub: PublicKey) -> Self {
        Self { log, hub_id: langso_sync::keys::device_id(&hub), hub }
    }

    /// Takes one whole frame; as [`Intake::take_all`].
    ///
    /// # Errors
    /// [`log::Error`] when the log failed; nothing of the frame was kept then.
    pub fn take(&self, frame: &[u8], now: Millis) -> Result<Taken, log::Error> {
        Ok(self.take_all(&[frame], now)?.remove(0))
    }

    /// Takes whole frames, as many as have come, and says of each what became of it. Blocks until all that is kept is
    /// durable. The same frame again keeps nothing twice.
    ///
    /// # Errors
    /// [`log::Error`] when the log failed; nothing of the frames was kept then.
    pub fn take_all<F: AsRef<[u8]>>(&self, frames: &[F], now: Millis) -> Result<Vec<Taken>, log::Error> {
        let mut arrived = Vec::with_capacity(frames.len());
        let mut refused = Vec::with_capacity(frames.len());
        for frame in frames {
            match self.open(frame.as_ref())? {
                Ok(frame) => {
                    arrived.push(frame);
                    refused.push(None);
                }
                Err(refusal) => refused.push(Some(refusal)),
            }
        }
        let told = if arrived.is_empty() { Vec::new() } else { self.log.ingest(&arrived, now)? };
        let mut kept = arrived.iter().zip(told).map(|(frame, told)| Taken::Kept(frame.scope, told));
        let mut counts = BTreeMap::new();
        let mut taken = Vec::with_capacity(frames.len());
        for refusal in refused {
            match refusal {
                Some(refusal) => {
                    *counts.entry(refusal.code()).or_insert(0) += 1;
                    taken.push(Taken::Refused(refusal));
                }
                None => taken.extend(kept.next()),
            }
        }
        if !counts.is_empty() {
            tracing::warn!(?counts, "frames refused");
            self.log.count_refusals(&counts, now)?;
        }
        Ok(taken)
    }

    /// Takes a change without a signature, for which whoever runs the hub vouches.
    ///
    /// # Errors
    /// [`log::Error`] when the log failed; nothing was kept then.
    pub(crate) fn take_vouched(
        &self,
        scope: ScopeId,
        device: DeviceId,
        bytes: &[u8],
        now: Millis,
    ) -> Result<Ingested, log::Error> {
        let key = change::scan(bytes).ok().map(|(head, _)| head.key);
        let item =
            Item { key, hash: change::hash(bytes), bytes: bytes.to_vec(), tables: tables(bytes), device };
        Ok(self.log.ingest(&[Arrived { scope, items: vec![item], had_positions: false }], now)?.remove(0))
    }

    /// Whether the device that the frame names is known here and has signed it.
    pub(crate) fn is_true(&self, frame: &Outer<'_>) -> Result<bool, log::Error> {
        Ok(self.key(frame.key_id())?.is_some_and(|key| frame.verify(&key).is_ok()))
    }

    fn key(&self, signer: DeviceId) -> Result<Option<PublicKey>, log::Error> {
        if signer == self.hub_id {
            return Ok(Some(self.hub));
        }
        Ok(self.log.device(signer)?.and_then(|device| PublicKey::from_bytes(&device.public_key)))
    }

    /// What costs time before the log is asked: signature, inflating, hashing, reading.
    fn open(&self, bytes: &[u8]) -> Result<Result<Arrived, Refusal>, log::Error> {
        let outer = match Outer::whole(bytes) {
            Ok(outer) => outer,
            Err(why) => return Ok(Err(Refusal::Unreadable(why))),
        };
        let signer = outer.key_id();
        let Some(key) = self.key(signer)? else { return Ok(Err(Refusal::UnknownDevice)) };
        if outer.verify(&key).is_err() {
            return Ok(Err(Refusal::Forged));
        }
        let Ok(frame) = outer.open() else { return Ok(Ok(unreadable(outer.bytes(), signer))) };
        let items = frame.changes().map(|one| {
            // A device answers for what it signs; only the hub names others.
            let device = if signer == self.hub_id { one.author } else { signer };
            let (key, tables) = (Some(one.head.key), tables(one.bytes));
            Item { key, hash: change::hash(one.bytes), bytes: one.bytes.to_vec(), tables, device }
        });
        let had_positions = signer == self.hub_id;
        Ok(Ok(Arrived { scope: frame.header.scope, items: items.collect(), had_positions }))
    }
}

/// The tables that a change writes; none when the bytes are not a change.
fn tables(bytes: &[u8]) -> Option<Tables> {
    let change = Change::decode(bytes).ok()?;
    let mut tables = Tables::default();
    change.rows.iter().for_each(|row| tables.add(row.table));
    Some(tables)
}

/// A frame that its device did sign and nobody can open: kept whole, so that a fault of a program loses no work.
fn unreadable(bytes: &[u8], device: DeviceId) -> Arrived {
    let item = Item { key: None, hash: change::hash(bytes), bytes: bytes.to_vec(), tables: None, device };
    Arrived { scope: ScopeId([0; 8]), items: vec![item], had_positions: false }
}
