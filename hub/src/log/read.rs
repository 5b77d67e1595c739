//! What the log answers without changing anything: heads, chains, what lies after a cursor, what a phone holds.
//! Each answer costs what it gives, wherever the cursor stands.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_domain::registry::ScopeKind;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::ChangeHash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::statements;
use super::{Error, Item, Log, Position, Reason, Result, ScopeState, SetAside, Stored, WaitingName};
use crate::clock::Millis;

/// The code under which a collision is told.
pub const OTHER_BYTES: &str = "other_bytes";

impl Log {
    /// What is counted for a scope; none for one the hub never minted.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`].
    pub fn scope(&self, scope: ScopeId) -> Result<Option<ScopeState>> {
        self.read(|connection| self::scope(connection, scope))
    }

    /// The chain at a position; none above the head.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn chain_at(&self, scope: ScopeId, position: Position) -> Result<Option<Chain>> {
        if position == 0 {
            return Ok(Some(Chain::start(scope)));
        }
        let Ok(position) = i64::try_from(position) else { return Ok(None) };
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::CHAIN_AT)?;
            let chain = statement.query_row(params![scope.0, position], |row| row.get(0)).optional()?;
            Ok(chain.map(Chain))
        })
    }

    /// Whether the cursor stands in this log's history.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn knows(&self, scope: ScopeId, cursor: Cursor) -> Result<bool> {
        Ok(self.chain_at(scope, cursor.position)? == Some(cursor.chain))
    }

    /// When the change at a position was taken in.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn received_at(&self, scope: ScopeId, position: Position) -> Result<Option<Millis>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::RECEIVED_AT)?;
            let at = statement.query_row(params![scope.0, position as i64], |row| row.get(0)).optional()?;
            Ok(at.map(Millis))
        })
    }

    /// When the change of a key was taken in; none for one that has not come.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn received_key(&self, scope: ScopeId, key: Key) -> Result<Option<Millis>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::RECEIVED_KEY)?;
            let params = params![scope.0, key.writer.0.to_be_bytes(), key.seq];
            let at = statement.query_row(params, |row| row.get(0)).optional()?;
            Ok(at.map(Millis))
        })
    }

    /// The changes after a position, in order: at most `most`, and no more once their bytes pass `most_bytes`.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn changes_after(
        &self,
        scope: ScopeId,
        after: Position,
        most: u32,
        most_bytes: usize,
    ) -> Result<Vec<Stored>> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::CHANGES_AFTER)?;
            let mut rows = statement.query(params![scope.0, after, most])?;
            let (mut stored, mut size) = (Vec::new(), 0);
            while size < most_bytes
                && let Some(row) = rows.next()?
            {
                let one = Stored {
                    position: position(row, 0)?,
                    key: key(row, 1, 2)?,
                    chain: Chain(row.get(3)?),
                    bytes: row.get(4)?,
                    device: DeviceId(row.get(5)?),
                };
                size += one.bytes.len();
                stored.push(one);
            }
            Ok(stored)
        })
    }

    /// How many bytes the changes up to a position have.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn bytes_upto(&self, scope: ScopeId, upto: Position) -> Result<u64> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::BYTES_UPTO)?;
            Ok(statement.query_row(params![scope.0, upto as i64], |row| position(row, 0))?)
        })
    }

    /// Where the log holds a writer's numbers up to `up_to`, above a position, in order.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn keys_of(
        &self,
        scope: ScopeId,
        writer: Writer,
        up_to: u32,
        after: Position,
    ) -> Result<Vec<(Position, Key)>> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::KEYS_OF_WRITER)?;
            let mut rows = statement.query(params![scope.0, writer.0.to_be_bytes(), up_to, after])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push((position(row, 0)?, Key { writer, seq: row.get(1)? }));
            }
            Ok(keys)
        })
    }

    /// What waits for the lead in a scope, oldest first.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_set_aside(&self, scope: ScopeId) -> Result<Vec<SetAside>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::SET_ASIDE_OF)?;
            let rows = statement.query_map([scope.0], |row| {
                let seq: u32 = row.get(2)?;
                Ok(SetAside {
                    name: WaitingName::SetAside(row.get(0)?, row.get(6)?),
                    key: (seq > 0).then(|| key(row, 1, 2)).transpose()?,
                    device: DeviceId(row.get(3)?),
                    reason: row.get(4)?,
                    at: Millis(row.get(5)?),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Changes of a device that the hub keeps in a scope without a position: key and reason's code (`other_bytes`
    /// for collisions, `reentered` for what a new change has said again), at most `most` of each; and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn waiting_of(
        &self,
        scope: ScopeId,
        device: DeviceId,
        most: u32,
    ) -> Result<(Vec<(Key, String)>, u64)> {
        self.read(|connection| {
            let mut waiting = Vec::new();
            let mut statement = connection.prepare_cached(statements::SET_ASIDE_OF_DEVICE)?;
            let mut rows = statement.query(params![scope.0, device.0, most])?;
            while let Some(row) = rows.next()? {
                if row.get::<_, u32>(1)? > 0 {
                    waiting.push((key(row, 0, 1)?, row.get(2)?));
                }
            }
            let mut statement = connection.prepare_cached(statements::COLLISIONS_OF_DEVICE)?;
            let mut rows = statement.query(params![scope.0, device.0, most])?;
            while let Some(row) = rows.next()? {
                waiting.push((key(row, 0, 1)?, row.get(2)?));
            }
            let mut all = waiting.len() as u64;
            if all >= u64::from(most) {
                let mut count = connection.prepare_cached(statements::COUNT_WAITING_OF_DEVICE)?;
                all = count.query_row(params![scope.0, device.0], |row| row.get::<_, i64>(0))? as u64;
            }
            Ok((waiting, all))
        })
    }

    /// Keys that came with other bytes than the log holds: key, who signed, when, the hash of the bytes.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_collisions(&self, scope: ScopeId) -> Result<Vec<(Key, DeviceId, Millis, ChangeHash)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::COLLISIONS_OF)?;
            let rows = statement.query_map([scope.0], |row| {
                Ok((key(row, 0, 1)?, DeviceId(row.get(2)?), Millis(row.get(3)?), row.get(4)?))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Counts what was refused, by code, in one write.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn count_refusals(&self, refused: &BTreeMap<&'static str, u64>, now: Millis) -> Result<()> {
        self.write(|transaction| {
            let mut count = transaction.prepare_cached(statements::COUNT_REFUSAL)?;
            for (code, times) in refused {
                count.execute(params![code, *times as i64, now.0])?;
            }
            Ok(())
        })
    }

    /// How often what was refused, by code, and when last.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_refusals(&self) -> Result<Vec<(String, u64, Millis)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::REFUSALS)?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, position(row, 1)?, Millis(row.get(2)?))))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

pub(super) fn scope(connection: &Connection, scope: ScopeId) -> Result<Option<ScopeState>> {
    let mut statement = connection.prepare_cached(statements::SCOPE)?;
    let found = statement
        .query_row([scope.0], |row| {
            Ok((row.get::<_, i64>(0)?, position(row, 1)?, row.get(2)?, position(row, 3)?))
        })
        .optional()?;
    let Some((kind, head, chain, watermark)) = found else { return Ok(None) };
    let kind = ScopeKind::from_number(kind).ok_or(Error::Corrupt("kind of scope"))?;
    Ok(Some(ScopeState { kind, head, chain: Chain(chain), watermark }))
}

pub(super) fn waiting(
    connection: &Connection,
    scope: ScopeId,
    set_aside_id: i64,
    hash: ChangeHash,
) -> Result<Option<Item>> {
    let mut statement = connection.prepare_cached(statements::SET_ASIDE_ONE)?;
    let item = statement
        .query_row(params![scope.0, set_aside_id, hash], |row| {
            let seq: u32 = row.get(1)?;
            Ok(Item {
                key: (seq > 0).then(|| key(row, 0, 1)).transpose()?,
                hash: row.get(2)?,
                device: DeviceId(row.get(3)?),
                bytes: row.get(4)?,
                tables: None,
            })
        })
        .optional()?;
    Ok(item)
}

/// What of a device waits in a scope for one reason, in the order in which it came, at most `most`.
pub(super) fn waiting_for(
    connection: &Connection,
    scope: ScopeId,
    device: DeviceId,
    reason: Reason,
    most: u32,
) -> Result<Vec<(i64, Item)>> {
    let mut statement = connection.prepare_cached(statements::WAITING_FOR_DEVICE)?;
    let rows = statement.query_map(params![scope.0, device.0, reason.code(), most], |row| {
        let seq: u32 = row.get(2)?;
        let item = Item {
            key: (seq > 0).then(|| key(row, 1, 2)).transpose()?,
            hash: row.get(3)?,
            device: DeviceId(row.get(4)?),
            bytes: row.get(5)?,
            tables: None,
        };
        Ok((row.get(0)?, item))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A count or position, which is never negative.
pub(super) fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn key(row: &Row<'_>, writer: usize, seq: usize) -> rusqlite::Result<Key> {
    Ok(Key { writer: Writer(u64::from_be_bytes(row.get(writer)?)), seq: row.get(seq)? })
}
