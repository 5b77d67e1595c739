//! A hub of another history: restored, rolled back or forked. The phone goes back to the newest place that both know,
//! and offers again all that it holds above it, its own and others'.
//!
//! One idea: falling back is one transaction, after which nothing above the mark counts as known to the hub. What others
//! wrote is carried as the frames in which it came, which still bear the hub's signature, until every change of them
//! has come back in a frame of the new history: from then on that one is kept, and can be carried again.

use langso_domain::id::{Key, ScopeId};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::frame::{Frame, Outer};
use langso_sync::history::SETTLE_MS;
use langso_sync::session::Receipt;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{AppError, Result};
use crate::facts::{self, Watermarks, name};
use crate::outbox::Unsent;
use crate::phone::Phone;
use crate::{digests, prune, receipts};

impl Phone {
    /// Where this phone has stood in a scope's history, newest first.
    pub(crate) fn marks(&self, scope: ScopeId) -> Result<Vec<Cursor>> {
        let sql = "SELECT m.position, m.chain FROM marks AS m JOIN scopes AS s ON s.number = m.scope
                   WHERE s.scope = ?1 ORDER BY m.position DESC";
        let mut get = self.connection().prepare_cached(sql)?;
        let marks = get.query_map([scope.0], |row| {
            Ok(Cursor { position: row.get::<_, i64>(0)? as u64, chain: Chain(row.get(1)?) })
        })?;
        Ok(marks.collect::<rusqlite::Result<_>>()?)
    }

    /// Goes back to a mark: what lies above it counts as unsent again.
    pub(crate) fn fall_back(&mut self, scope: ScopeId, mark: Cursor, unsent: &mut Unsent) -> Result<()> {
        let mut batch = self.replica.begin()?;
        let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
        let connection = batch.connection();
        receipts::void_above(connection, number, mark.position)?;
        carry(connection, number, mark.position)?;
        let sql = "DELETE FROM marks WHERE scope = ?1 AND position > ?2";
        connection.prepare_cached(sql)?.execute((number, mark.position as i64))?;
        // The watermark of a void history says nothing, nor does what the hub then held back.
        let mut watermarks: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        watermarks.retain(|(of, _)| *of != scope);
        facts::put(connection, name::WATERMARKS, &watermarks)?;
        if prune::begin_anew(connection, scope, mark.position)? {
            digests::keep_rows(connection, scope)?;
        }
        forget_set_aside(connection, number)?;
        facts::put(connection, name::SENT_UPTO, &0)?;
        batch.set_cursor(scope, mark.position, mark.chain.0)?;
        batch.commit()?;
        self.forget_known();
        *unsent = Unsent::default();
        unsent.refresh(self.connection(), &self.replica.scopes()?)
    }
}

/// Notes where the phone stands now.
pub(crate) fn put_mark(connection: &Connection, scope: i64, cursor: Cursor) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO marks (scope, position, chain) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((scope, cursor.position as i64, cursor.chain.0))?;
    Ok(())
}

/// Opens a frame that this phone keeps: its signature was checked when it came.
pub(crate) fn open_kept(bytes: &[u8]) -> Result<Frame> {
    Outer::whole(bytes).and_then(|outer| outer.open()).map_err(|_| AppError::Corrupt)
}

fn carry(connection: &Connection, scope: i64, above: u64) -> Result<()> {
    // Whatever was offered before may have been lost once more.
    let sql = "UPDATE carried_frames SET taken_at = NULL WHERE scope = ?1";
    connection.prepare_cached(sql)?.execute([scope])?;
    let mut get = connection
        .prepare_cached("SELECT bytes FROM kept_frames WHERE scope = ?1 AND last > ?2 ORDER BY first")?;
    let mut rows = get.query((scope, above as i64))?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| AppError::Corrupt)?;
        let frame = open_kept(bytes)?;
        carry_frame(connection, scope, bytes, &frame, None)?;
    }
    let sql = "DELETE FROM kept_frames WHERE scope = ?1 AND last > ?2";
    connection.prepare_cached(sql)?.execute((scope, above as i64))?;
    Ok(())
}

/// Carries a frame as it was received. `taken_at`: when the hub is thought to have had it, ms hub time; it is offered
/// again when it has not come back a week later.
pub(crate) fn carry_frame(
    connection: &Connection,
    scope: i64,
    bytes: &[u8],
    frame: &Frame,
    taken_at: Option<i64>,
) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO carried_frames (scope, bytes, taken_at) VALUES (?1, ?2, ?3) RETURNING name",
    )?;
    let name: i64 = put.query_row((scope, bytes, taken_at), |row| row.get(0))?;
    let mut put_key = connection.prepare_cached("INSERT INTO carried_keys (key, name) VALUES (?1, ?2)")?;
    for change in frame.changes() {
        put_key.execute((change.head.key.to_bytes(), name))?;
    }
    Ok(())
}

fn forget_set_aside(connection: &Connection, scope: i64) -> Result<()> {
    let mut get = connection.prepare_cached("SELECT key FROM set_aside_notices")?;
    let keys: Vec<[u8; 11]> = get.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut of = connection.prepare_cached("SELECT scope FROM writers WHERE writer = ?1")?;
    let mut forget = connection.prepare_cached("DELETE FROM set_aside_notices WHERE key = ?1")?;
    for bytes in keys {
        let key = Key::from_bytes(&bytes).ok_or(AppError::Corrupt)?;
        let is_here: Option<i64> = of.query_row([key.writer.0 as i64], |row| row.get(0)).optional()?;
        if is_here == Some(scope) {
            forget.execute([bytes])?;
        }
    }
    Ok(())
}

/// The frames to offer, oldest first, each read when it is asked for: those that no request has brought to the hub, and
/// once a week those whose changes have not come back, since the hub may hold them for the lead and lose them with what
/// it holds.
pub(crate) fn to_offer(connection: &Connection, now_ms: i64) -> Result<impl Iterator<Item = (i64, Vec<u8>)>> {
    let sql = "SELECT name FROM carried_frames
               WHERE taken_at IS NULL OR abs(?1 - taken_at) >= ?2 ORDER BY name";
    let mut get = connection.prepare_cached(sql)?;
    let names = get.query_map((now_ms, SETTLE_MS as i64), |row| row.get(0))?;
    let names: Vec<i64> = names.collect::<rusqlite::Result<_>>()?;
    let bytes_of = |name: i64| {
        let mut get = connection.prepare_cached("SELECT bytes FROM carried_frames WHERE name = ?1").ok()?;
        get.query_row([name], |row| row.get(0)).ok()
    };
    Ok(names.into_iter().filter_map(move |name| Some((name, bytes_of(name)?))))
}

/// A request with these frames came to its end: the hub holds what is in them.
pub(crate) fn note_taken(connection: &Connection, names: &[i64], now_ms: i64) -> Result<()> {
    let mut note = connection.prepare_cached("UPDATE carried_frames SET taken_at = ?2 WHERE name = ?1")?;
    for name in names {
        note.execute((name, now_ms))?;
    }
    Ok(())
}

/// A frame of the hub's history is kept from now on: what it holds need not be carried any more.
pub(crate) fn come_back(connection: &Connection, frame: &Frame) -> Result<()> {
    if is_any_carried(connection)? {
        for change in frame.changes() {
            is_back(connection, change.head.key)?;
        }
        drop_empty(connection)?;
    }
    Ok(())
}

/// The hub has given positions to own changes, which are in the outbox: no frame need carry them.
pub(crate) fn come_back_own(connection: &Connection, receipts: &[Receipt]) -> Result<()> {
    if is_any_carried(connection)? {
        for receipt in receipts {
            for seq in receipt.first..receipt.first + receipt.n {
                is_back(connection, Key { writer: receipt.writer, seq })?;
            }
        }
        drop_empty(connection)?;
    }
    Ok(())
}

/// The changes of a scope that are carried.
pub(crate) fn list_carried(connection: &Connection, scope: i64) -> Result<Vec<Key>> {
    let sql = "SELECT DISTINCT k.key FROM carried_keys AS k JOIN carried_frames AS f ON f.name = k.name
               WHERE f.scope = ?1";
    let mut get = connection.prepare_cached(sql)?;
    let keys = get.query_map([scope], |row| row.get::<_, [u8; 11]>(0))?;
    keys.map(|key| Key::from_bytes(&key?).ok_or(AppError::Corrupt)).collect()
}

/// These stand in a snapshot of that position. Their frames are all that this phone has of them but rows, and the hub
/// may lose them once more: a frame that is whole again is kept as one of the snapshot's place, until that is in the
/// backup.
pub(crate) fn come_back_by(connection: &Connection, scope: i64, position: u64, keys: &[Key]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    keys.iter().try_for_each(|key| is_back(connection, *key))?;
    let sql =
        "SELECT name FROM carried_frames WHERE scope = ?1 AND name NOT IN (SELECT name FROM carried_keys)";
    let mut get = connection.prepare_cached(sql)?;
    let names = get.query_map([scope], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for name in names {
        // Frames have a place of their own in the history by their first position; these have none.
        let sql = "INSERT INTO kept_frames (scope, first, last, bytes)
                   SELECT ?1, (SELECT min(0, coalesce(min(first), 0)) - 1 FROM kept_frames WHERE scope = ?1), ?2, bytes
                   FROM carried_frames WHERE name = ?3";
        connection.prepare_cached(sql)?.execute((scope, position as i64, name))?;
    }
    drop_empty(connection)
}

fn is_any_carried(connection: &Connection) -> Result<bool> {
    let mut get = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM carried_frames)")?;
    Ok(get.query_row([], |row| row.get(0))?)
}

/// Whether rows of a scope come from changes that the hub may have lost.
pub(crate) fn carries_any_of(connection: &Connection, scope: i64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM carried_frames WHERE scope = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([scope], |row| row.get(0))?)
}

fn is_back(connection: &Connection, key: Key) -> Result<()> {
    connection.prepare_cached("DELETE FROM carried_keys WHERE key = ?1")?.execute([key.to_bytes()])?;
    Ok(())
}

fn drop_empty(connection: &Connection) -> Result<()> {
    let sql = "DELETE FROM carried_frames WHERE name NOT IN (SELECT name FROM carried_keys)";
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Whether a change of another's is carried and not offered yet: as far as this phone knows the hub has lost it.
pub(crate) fn is_lost(connection: &Connection, key: Key) -> Result<bool> {
    let mut get = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM carried_keys AS k JOIN carried_frames AS f ON f.name = k.name
                        WHERE k.key = ?1 AND f.taken_at IS NULL)",
    )?;
    Ok(get.query_row([key.to_bytes()], |row| row.get(0))?)
}
