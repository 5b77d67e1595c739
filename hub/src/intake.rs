//! How a frame comes in: known signer, true signature, then inflated and taken apart, then handed to the log.
//!
//! What costs time (signature, inflating, hashing, reading) happens here, outside the log's write lock. A forged
//! frame is refused and counted; a true frame is always kept, if only for the lead to look at.

use std::sync::Arc;

use langso_domain::id::{DeviceId, ScopeId};
use langso_sync::change::{self, Change};
use langso_sync::frame::{FrameError, Outer};
use langso_sync::keys::PublicKey;

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

    /// Takes one whole frame. Blocks until what is kept is durable. The same frame again keeps nothing twice.
    ///
    /// # Errors
    /// [`log::Error`] when the log failed; nothing of the frame was kept then.
    pub fn take(&self, bytes: &[u8], now: Millis) -> Result<Taken, log::Error> {
        let outer = match Outer::whole(bytes) {
            Ok(outer) => outer,
            Err(why) => return self.refuse(Refusal::Unreadable(why), now),
        };
        let signer = outer.key_id();
        let key = if signer == self.hub_id {
            Some(self.hub)
        } else {
            self.log.device(signer)?.and_then(|device| PublicKey::from_bytes(&device.public_key))
        };
        let Some(key) = key else { return self.refuse(Refusal::UnknownDevice, now) };
        if outer.verify(&key).is_err() {
            return self.refuse(Refusal::Forged, now);
        }
        let arrived = match outer.open() {
            Ok(frame) => Arrived {
                scope: frame.header.scope,
                items: frame
                    .changes()
                    .map(|one| {
                        // A device answers for what it signs; only the hub names others.
                        let device = if signer == self.hub_id { one.author } else { signer };
                        let tables = tables(one.bytes);
                        let key = Some(one.head.key);
                        Item { key, hash: change::hash(one.bytes), bytes: one.bytes.to_vec(), tables, device }
                    })
                    .collect(),
            },
            Err(_) => unreadable(outer.bytes(), signer),
        };
        let ingested = self.log.ingest(&arrived, now)?;
        Ok(Taken::Kept(arrived.scope, ingested))
    }

    fn refuse(&self, refusal: Refusal, now: Millis) -> Result<Taken, log::Error> {
        self.log.count_refusal(refusal.code(), now)?;
        Ok(Taken::Refused(refusal))
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
    Arrived { scope: ScopeId([0; 8]), items: vec![item] }
}
