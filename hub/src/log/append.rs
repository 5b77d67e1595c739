//! What makes the log grow: frames of devices, changes of the hub's own, and what the lead admits.
//!
//! The one idea: the counter row of the scope is read and written in the transaction that adds the change, so
//! positions are dense and rise in the order of commits. One bad change never holds others back.

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_domain::registry::{Registry, Role};
use langso_sync::chain::Chain;
use langso_sync::change::{self, Change};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use super::{
    Arrived, Error, Ingested, Item, Log, Position, Reason, Result, ScopeState, Tables, WaitingName, Write,
};
use super::{directory, read, statements};
use crate::access;
use crate::clock::Millis;

impl Log {
    /// Takes in verified frames, in order: numbers what is new, passes over what is known, sets aside what is not for
    /// the device to write, keeps collisions outside the log. All are whole and durable when it returns, by one
    /// commit, since that is what waits for the disk; the same frames again change nothing.
    ///
    /// # Errors
    /// [`Error::Sqlite`]; nothing of the frames was kept then.
    pub fn ingest(&self, frames: &[Arrived], now: Millis) -> Result<Vec<Ingested>> {
        self.write(|transaction| {
            frames.iter().map(|frame| self.ingest_one(transaction, frame, now)).collect()
        })
    }

    fn ingest_one(&self, transaction: &Transaction<'_>, frame: &Arrived, now: Millis) -> Result<Ingested> {
        let mut told = Ingested::default();
        let Some(state) = read::scope(transaction, frame.scope)? else {
            let mut aside = Aside::new(transaction, frame.scope, now)?;
            transaction.prepare_cached(statements::NOTE_UNKNOWN_SCOPE)?.execute([frame.scope.0])?;
            for item in &frame.items {
                let reason = if item.tables.is_some() { Reason::UnknownScope } else { Reason::Malformed };
                aside.put(item, reason, &mut told)?;
            }
            return Ok(told);
        };
        let had_positions = frame.had_positions;
        let mut devices = Devices { transaction, scope: frame.scope, had_positions, last: None };
        let mut appender = Appender::new(transaction, frame.scope, state, now)?;
        let mut aside = Aside::new(transaction, frame.scope, now)?;
        for item in &frame.items {
            let standing = devices.standing(item.device)?;
            let judged = match (item.key.zip(item.tables), standing) {
                (None, _) => Err(Reason::Malformed),
                (Some((key, _)), Standing::WasJudged) => Ok(key),
                (Some((key, tables)), Standing::Holds(role)) => {
                    access::judge(self.registry, state.kind, role, tables).map(|()| key)
                }
                (Some(_), Standing::Not(reason)) => Err(reason),
            };
            let outcome = match judged {
                Ok(key) => appender.append(key, item, &mut told)?,
                // What has its place keeps it: a phone that was sent away may still offer what it knows is here.
                Err(reason) => {
                    let held = match item.key {
                        Some(key) => appender.held_at(key, &item.hash)?.map(|position| (key, position)),
                        None => None,
                    };
                    told.known.extend(held);
                    held.is_none().then_some(reason)
                }
            };
            match (outcome, item.key) {
                (Some(reason), _) => aside.put(item, reason, &mut told)?,
                (None, Some(key)) if frame.had_positions => aside.came(key, item)?,
                (None, _) => {}
            }
        }
        appender.finish()?;
        Ok(told)
    }

    /// Writes all or nothing, in order; changes get the next positions of their scopes, by the hub's own device.
    ///
    /// # Errors
    /// [`Error::UnknownScope`], [`Error::UnknownTeam`] or [`Error::Sqlite`]; [`Error::NotNew`] for a change that is not,
    /// and for an admission when the key is taken by other bytes, the writer bound elsewhere, or the bytes are no change:
    /// then only a new change can say the same again; [`Error::NotWaiting`] for what does not wait under that name.
    pub fn commit(&self, hub: DeviceId, writes: &[Write], now: Millis) -> Result<()> {
        self.write(|transaction| writes.iter().try_for_each(|write| one(transaction, write, hub, now)))
    }
}

pub(super) fn one(transaction: &Transaction<'_>, write: &Write, hub: DeviceId, now: Millis) -> Result<()> {
    match write {
        Write::Change(scope, bytes) => append_own(transaction, *scope, hub, bytes, now),
        Write::Admit(scope, name, by) => admit(transaction, *scope, *name, *by, now),
        Write::Reentered(scope, name, by) => super::waiting::reentered(transaction, *scope, name, *by, now),
        other => directory::put(transaction, other, now),
    }
}

/// How much of what waits is read at a time.
const WAITING_PAGE: u32 = 500;

/// What the hub vouched for while its directory did not know the device (it was rolled back to before the device was
/// enrolled) is judged again now that it does: what the device may write gets its position, in the order in which it
/// came; the rest waits on, for its new reason.
pub(super) fn judge_again(
    transaction: &Transaction<'_>,
    registry: &Registry,
    device: DeviceId,
    scope: ScopeId,
    now: Millis,
) -> Result<()> {
    let role = directory::role_in(transaction, device, scope)?.ok_or(Error::Corrupt("grant"))?;
    loop {
        let page = read::waiting_for(transaction, scope, device, Reason::UnknownDevice, WAITING_PAGE)?;
        if page.is_empty() {
            return Ok(());
        }
        let state = read::scope(transaction, scope)?.ok_or(Error::UnknownScope)?;
        let mut appender = Appender::new(transaction, scope, state, now)?;
        for (set_aside_id, item) in page {
            let judged = match (item.key, Change::decode(&item.bytes)) {
                (Some(key), Ok(change)) => {
                    let mut tables = Tables::default();
                    change.rows.iter().for_each(|row| tables.add(row.table));
                    access::judge(registry, state.kind, role, tables).map(|()| key)
                }
                _ => Err(Reason::Malformed),
            };
            let waits = match judged {
                Ok(key) => appender.append(key, &item, &mut Ingested::default())?,
                Err(reason) => Some(reason),
            };
            match waits {
                None => {
                    let mut admitted = transaction.prepare_cached(statements::SET_ASIDE_ADMITTED)?;
                    admitted.execute(params![scope.0, set_aside_id, now.0, Option::<[u8; 8]>::None])?;
                }
                Some(reason) => {
                    let mut put = transaction.prepare_cached(statements::SET_ASIDE_FOR)?;
                    put.execute(params![scope.0, set_aside_id, reason.code()])?;
                }
            }
        }
        appender.finish()?;
    }
}

/// At the lead's word: judged no more.
fn admit(
    transaction: &Transaction<'_>,
    scope: ScopeId,
    name: WaitingName,
    by: Option<DeviceId>,
    now: Millis,
) -> Result<()> {
    let WaitingName::SetAside(set_aside_id, hash) = name else { return Err(Error::NotNew) };
    let state = read::scope(transaction, scope)?.ok_or(Error::UnknownScope)?;
    let item = read::waiting(transaction, scope, set_aside_id, hash)?.ok_or(Error::NotWaiting)?;
    let key = item.key.ok_or(Error::NotNew)?;
    if Change::decode(&item.bytes).is_err() {
        return Err(Error::NotNew);
    }
    let mut appender = Appender::new(transaction, scope, state, now)?;
    let mut told = Ingested::default();
    let waits = appender.append(key, &item, &mut told)?.is_some();
    appender.finish()?;
    // It may have come another way meanwhile: then it has its position.
    if told.known.is_empty() && (waits || told.accepted != 1) {
        return Err(Error::NotNew);
    }
    transaction.prepare_cached(statements::SET_ASIDE_ADMITTED)?.execute(params![
        scope.0,
        set_aside_id,
        now.0,
        by.map(|by| by.0)
    ])?;
    Ok(())
}

fn append_own(
    transaction: &Transaction<'_>,
    scope: ScopeId,
    hub: DeviceId,
    bytes: &[u8],
    now: Millis,
) -> Result<()> {
    let state = read::scope(transaction, scope)?.ok_or(Error::UnknownScope)?;
    let change = Change::decode(bytes).map_err(|_| Error::NotNew)?;
    let item = Item {
        key: Some(change.key),
        hash: change::hash(bytes),
        bytes: bytes.to_vec(),
        tables: None,
        device: hub,
    };
    let mut appender = Appender::new(transaction, scope, state, now)?;
    let mut told = Ingested::default();
    if appender.append(change.key, &item, &mut told)?.is_some() || told.accepted != 1 {
        return Err(Error::NotNew);
    }
    appender.finish()?;
    Ok(())
}

/// What a device is in a scope.
#[derive(Clone, Copy)]
enum Standing {
    /// The hub itself gave the change a position, before it was rolled back: what was acknowledged waits for nobody.
    WasJudged,
    Holds(Role),
    Not(Reason),
}

/// Looks a device up once for the changes of a frame that follow each other.
struct Devices<'t> {
    transaction: &'t Transaction<'t>,
    scope: ScopeId,
    had_positions: bool,
    last: Option<(DeviceId, Standing)>,
}

impl Devices<'_> {
    fn standing(&mut self, device: DeviceId) -> Result<Standing> {
        if let Some((last, standing)) = self.last
            && last == device
        {
            return Ok(standing);
        }
        let standing = match directory::device(self.transaction, device)? {
            None => Standing::Not(Reason::UnknownDevice),
            Some(_) if self.had_positions => Standing::WasJudged,
            Some(known) if known.role == Role::Hub => Standing::Holds(Role::Hub),
            Some(known) if known.revoked_at.is_some() => Standing::Not(Reason::RevokedDevice),
            Some(_) => match directory::role_in(self.transaction, device, self.scope)? {
                Some(role) => Standing::Holds(role),
                None => Standing::Not(Reason::OutOfScope),
            },
        };
        self.last = Some((device, standing));
        Ok(standing)
    }
}

/// Adds changes to one scope and moves its head at the end.
struct Appender<'t> {
    transaction: &'t Transaction<'t>,
    scope: ScopeId,
    head: Position,
    chain: Chain,
    now: Millis,
    moved: bool,
    insert: CachedStatement<'t>,
    bound: Option<(Writer, DeviceId)>,
}

impl<'t> Appender<'t> {
    fn new(transaction: &'t Transaction<'t>, scope: ScopeId, state: ScopeState, now: Millis) -> Result<Self> {
        let insert = transaction.prepare_cached(statements::ADD_CHANGE)?;
        let (head, chain) = (state.head, state.chain);
        Ok(Self { transaction, scope, head, chain, now, moved: false, insert, bound: None })
    }

    /// Gives the change the next position, or says why it must wait.
    fn append(&mut self, key: Key, item: &Item, told: &mut Ingested) -> Result<Option<Reason>> {
        if !self.bind(key.writer, item.device)? {
            return Ok(Some(Reason::WriterElsewhere));
        }
        let chain = self.chain.then(key);
        let added = self.insert.execute(params![
            self.scope.0,
            self.head as i64 + 1,
            key.writer.0.to_be_bytes(),
            key.seq,
            chain.0,
            self.now.0,
            item.hash,
            item.bytes,
        ])?;
        if added == 1 {
            (self.head, self.chain, self.moved) = (self.head + 1, chain, true);
            told.accepted += 1;
        } else if let Some(position) = self.held_at(key, &item.hash)? {
            told.known.push((key, position));
        } else {
            self.collide(key, item)?;
            told.collisions.push(key);
        }
        Ok(None)
    }

    /// Whether the writer is this device's in this scope; binds it at first sight.
    fn bind(&mut self, writer: Writer, device: DeviceId) -> Result<bool> {
        if self.bound == Some((writer, device)) {
            return Ok(true);
        }
        let id = writer.0.to_be_bytes();
        let known: Option<([u8; 8], [u8; 8])> = self
            .transaction
            .prepare_cached(statements::WRITER)?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match known {
            Some((scope, owner)) if scope != self.scope.0 || owner != device.0 => return Ok(false),
            Some(_) => {}
            None => {
                let mut bind = self.transaction.prepare_cached(statements::BIND_WRITER)?;
                bind.execute(params![id, self.scope.0, device.0, self.now.0])?;
            }
        }
        self.bound = Some((writer, device));
        Ok(true)
    }

    /// Where the log holds the key with these very bytes.
    fn held_at(&self, key: Key, hash: &change::ChangeHash) -> Result<Option<Position>> {
        let held: Option<([u8; 32], Position)> = self
            .transaction
            .prepare_cached(statements::CHANGE_HASH)?
            .query_row(params![self.scope.0, key.writer.0.to_be_bytes(), key.seq], |row| {
                Ok((row.get(0)?, read::position(row, 1)?))
            })
            .optional()?;
        Ok(held.filter(|(held, _)| held == hash).map(|(_, position)| position))
    }

    fn collide(&self, key: Key, item: &Item) -> Result<()> {
        let mut add = self.transaction.prepare_cached(statements::ADD_COLLISION)?;
        let writer = key.writer.0.to_be_bytes();
        add.execute(params![
            self.scope.0,
            writer,
            key.seq,
            item.hash,
            item.device.0,
            item.bytes,
            self.now.0
        ])?;
        Ok(())
    }

    fn finish(self) -> Result<Position> {
        if self.moved {
            let mut update = self.transaction.prepare_cached(statements::MOVE_HEAD)?;
            update.execute(params![self.scope.0, self.head as i64, self.chain.0])?;
        }
        Ok(self.head)
    }
}

/// Keeps what waits for the lead.
struct Aside<'t> {
    transaction: &'t Transaction<'t>,
    scope: ScopeId,
    now: Millis,
    insert: CachedStatement<'t>,
}

impl<'t> Aside<'t> {
    fn new(transaction: &'t Transaction<'t>, scope: ScopeId, now: Millis) -> Result<Self> {
        Ok(Self { transaction, scope, now, insert: transaction.prepare_cached(statements::ADD_SET_ASIDE)? })
    }

    /// What had a position before a rollback has one again, and waits no more.
    fn came(&self, key: Key, item: &Item) -> Result<()> {
        let writer = key.writer.0.to_be_bytes();
        let mut came = self.transaction.prepare_cached(statements::SET_ASIDE_CAME)?;
        came.execute(params![self.scope.0, writer, key.seq, item.hash, self.now.0])?;
        Ok(())
    }

    fn put(&mut self, item: &Item, reason: Reason, told: &mut Ingested) -> Result<()> {
        let (writer, seq) = item.key.map_or((0, 0), |key| (key.writer.0, key.seq));
        self.insert.execute(params![
            self.scope.0,
            writer.to_be_bytes(),
            seq,
            item.hash,
            item.device.0,
            reason.code(),
            item.bytes,
            self.now.0,
        ])?;
        told.set_aside.push((item.key, reason));
        Ok(())
    }
}
