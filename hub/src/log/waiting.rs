//! What the hub keeps outside the log, with its bytes, in pages: first what was set aside, then keys that came with
//! other bytes. And taking off the list what a new change has said again.

use std::fmt;
use std::str::FromStr;

use langso_domain::id::{DeviceId, Key, ScopeId, read_base32, to_base32};
use langso_sync::change;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Error, Log, OTHER_BYTES, Result, WaitingChange, WaitingName, read, statements};
use crate::clock::Millis;

impl Log {
    /// What waits in a scope after a name (none = from the first), in order: at most `most`, and no more once their
    /// bytes pass `most_bytes`.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn waiting_after(
        &self,
        scope: ScopeId,
        after: Option<WaitingName>,
        most: u32,
        most_bytes: usize,
    ) -> Result<Vec<WaitingChange>> {
        self.read(|connection| {
            let mut found = Found { changes: Vec::new(), room: most_bytes, most };
            let first = match after {
                None => Some(0),
                Some(WaitingName::SetAside(id, _)) => Some(id),
                Some(WaitingName::Collision(..)) => None,
            };
            if let Some(first) = first {
                set_aside(connection, scope, first, &mut found)?;
            }
            let (key, hash) = match after {
                Some(WaitingName::Collision(key, hash)) => (key.to_bytes(), hash),
                _ => ([0; 11], [0; 32]),
            };
            collisions(connection, scope, key, hash, &mut found)?;
            Ok(found.changes)
        })
    }

    /// One thing that waits; none when it does not.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn waiting(&self, scope: ScopeId, name: WaitingName) -> Result<Option<WaitingChange>> {
        let after = match name {
            WaitingName::SetAside(id, hash) => Some(WaitingName::SetAside(id - 1, hash)),
            WaitingName::Collision(key, hash) => {
                return self.read(|connection| {
                    let mut get = connection.prepare_cached(statements::COLLISION_ONE)?;
                    let params = params![scope.0, key.writer.0.to_be_bytes(), key.seq, hash];
                    let found = get.query_row(params, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                    Ok(found.map(|(device, bytes)| WaitingChange {
                        name,
                        key: Some(key),
                        device: DeviceId(device),
                        reason: OTHER_BYTES.to_owned(),
                        at: Millis(0),
                        bytes,
                    }))
                });
            }
        };
        let found = self.waiting_after(scope, after, 1, usize::MAX)?;
        Ok(found.into_iter().find(|one| one.name == name))
    }
}

impl Log {
    /// Whether the place of a change in the log is another's: its writer is bound elsewhere, or its key stands there with
    /// other bytes.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn is_taken(&self, scope: ScopeId, key: Key, device: DeviceId, bytes: &[u8]) -> Result<bool> {
        self.read(|connection| {
            let writer = key.writer.0.to_be_bytes();
            let mut bound = connection.prepare_cached(statements::WRITER)?;
            let bound: Option<([u8; 8], [u8; 8])> =
                bound.query_row([writer], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let mut held = connection.prepare_cached(statements::CHANGE_HASH)?;
            let held: Option<[u8; 32]> =
                held.query_row(params![scope.0, writer, key.seq], |row| row.get(0)).optional()?;
            Ok(bound.is_some_and(|bound| bound != (scope.0, device.0))
                || held.is_some_and(|held| held != change::hash(bytes)))
        })
    }
}

/// A page being filled.
struct Found {
    changes: Vec<WaitingChange>,
    room: usize,
    most: u32,
}

impl Found {
    fn is_full(&self) -> bool {
        self.room == 0 || self.changes.len() >= self.most as usize
    }

    fn add(&mut self, change: WaitingChange) {
        self.room = self.room.saturating_sub(change.bytes.len());
        self.changes.push(change);
    }
}

fn set_aside(connection: &Connection, scope: ScopeId, first: i64, found: &mut Found) -> Result<()> {
    let mut get = connection.prepare_cached(statements::WAITING_AFTER)?;
    let mut rows = get.query(params![scope.0, first, found.most])?;
    while !found.is_full()
        && let Some(row) = rows.next()?
    {
        let seq: u32 = row.get(2)?;
        found.add(WaitingChange {
            name: WaitingName::SetAside(row.get(0)?, row.get(7)?),
            key: (seq > 0).then(|| read::key(row, 1, 2)).transpose()?,
            device: DeviceId(row.get(3)?),
            reason: row.get(4)?,
            at: Millis(row.get(5)?),
            bytes: row.get(6)?,
        });
    }
    Ok(())
}

fn collisions(
    connection: &Connection,
    scope: ScopeId,
    key: [u8; 11],
    hash: [u8; 32],
    found: &mut Found,
) -> Result<()> {
    let mut get = connection.prepare_cached(statements::COLLISIONS_AFTER)?;
    let seq = u32::from_be_bytes([0, key[8], key[9], key[10]]);
    let mut rows = get.query(params![scope.0, &key[..8], seq, hash, found.most])?;
    while !found.is_full()
        && let Some(row) = rows.next()?
    {
        let key = read::key(row, 0, 1)?;
        found.add(WaitingChange {
            name: WaitingName::Collision(key, row.get(2)?),
            key: Some(key),
            device: DeviceId(row.get(3)?),
            reason: OTHER_BYTES.to_owned(),
            at: Millis(row.get(4)?),
            bytes: row.get(5)?,
        });
    }
    Ok(())
}

pub(super) fn reentered(
    transaction: &Transaction<'_>,
    scope: ScopeId,
    name: &WaitingName,
    by: Option<DeviceId>,
    now: Millis,
) -> Result<()> {
    let by = by.map(|by| by.0);
    let changed = match name {
        WaitingName::SetAside(id, hash) => transaction
            .prepare_cached(statements::SET_ASIDE_REENTERED)?
            .execute(params![scope.0, id, now.0, by, hash])?,
        WaitingName::Collision(key, hash) => transaction
            .prepare_cached(statements::COLLISION_REENTERED)?
            .execute(params![scope.0, key.writer.0.to_be_bytes(), key.seq, hash, now.0, by])?,
    };
    if changed == 1 { Ok(()) } else { Err(Error::NotWaiting) }
}

/// A number, `h` and the hash in base32; or `k`, and key and hash in base32.
impl fmt::Display for WaitingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetAside(id, hash) => write!(f, "{id}h{}", to_base32(hash)),
            Self::Collision(key, hash) => {
                let bytes: Vec<u8> = key.to_bytes().into_iter().chain(*hash).collect();
                write!(f, "k{}", to_base32(&bytes))
            }
        }
    }
}

impl FromStr for WaitingName {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text.strip_prefix('k') {
            None => {
                let (id, hash) = text.split_once('h').ok_or(())?;
                let id = id.parse().ok().filter(|id| *id > 0).ok_or(())?;
                Ok(Self::SetAside(id, bytes_of(hash)?.try_into().map_err(|_| ())?))
            }
            Some(text) => {
                let bytes = bytes_of(text)?;
                let (key, hash) = bytes.split_at_checked(11).ok_or(())?;
                let key = Key::from_bytes(key).ok_or(())?;
                Ok(Self::Collision(key, hash.try_into().map_err(|_| ())?))
            }
        }
    }
}

fn bytes_of(text: &str) -> std::result::Result<Vec<u8>, ()> {
    Some(text).filter(|text| text.len() <= 80).and_then(read_base32).ok_or(())
}
