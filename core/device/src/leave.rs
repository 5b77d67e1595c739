//! A scope that this device has left goes from the phone, once nothing of it is the phone's to keep.
//!
//! It goes only after a sync in which the hub has signed that the device left, never because a reply lacks it, and only
//! when all of its own changes lie below the prune line (or another change says the same), none is set aside, nothing is
//! carried to a hub that has lost it, and no draft names a row of it. Until then all of it stays and is still sent. A
//! scope whose hub was put back to before what this phone has forgotten stays until the hub has agreed to its rows: they
//! may be all that is left. Of a scope that was left it compares none, so that is when the device comes back.
//!
//! The journal lets go first, of what is settled alone; then everything goes in one transaction; then the copy of who
//! the phone is names the scope no more. Stopped after the first, the next sync goes on; stopped after the second, the
//! next start finds the scope named and takes it in empty, and the next sync drops it again. Receipts stay, out of any
//! scope, so that what was counted as in the backup still is; they are the scope's again when it comes back.

use std::cell::Cell;

use langso_domain::id::{Key, ScopeId, Writer, from_base32};
use langso_domain::registry::ScopeKind;
use langso_store::Batch;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::companion::set_aside::ENTERED_ANEW;
use crate::error::{AppError, Result};
use crate::facts::{self, Watermarks, name};
use crate::phone::{Authors, Phone};
use crate::{digests, fall_back, prune, receipts};

/// A scope that was here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dropped {
    scope: ScopeId,
    /// Its number then.
    number: i64,
    /// Under which its receipts are kept, below 0.
    receipts: i64,
}

/// Tables of the phone's own that name a scope.
const TABLES: [&str; 6] = ["outbox", "void_receipts", "marks", "kept_frames", "carried_frames", "reasons"];

impl Phone {
    /// Drops those of the scopes left of which nothing is to be kept any more. After a sync that came to its end and
    /// heard of them, and after [`Phone::settle`].
    pub(crate) fn drop_left(&mut self, left: &[ScopeId]) -> Result<()> {
        for scope in left {
            let state = self.replica.scopes()?.into_iter().find(|state| state.scope == *scope);
            let Some(number) = state.map(|state| state.number) else { continue };
            let connection = self.connection();
            let may_go = !digests::keeps_rows(connection, *scope)? && may_go(connection, number)?;
            if may_go && self.journal_lets_go(*scope)? {
                self.drop_scope(*scope)?;
            }
        }
        Ok(())
    }

    /// Whether the journal holds nothing of a scope; what is settled it lets go of.
    fn journal_lets_go(&mut self, scope: ScopeId) -> Result<bool> {
        let line = prune::pruned(self.connection())?;
        let line = line.iter().find(|(of, _)| *of == scope).map_or(0, |(_, line)| *line);
        let is_any_kept = Cell::new(false);
        self.prune_journal(|connection, of, key| {
            if of != scope {
                return Ok(false);
            }
            // Also when the question fails the record is kept.
            let kept = is_any_kept.replace(true);
            let position = receipts::position_of(connection, key)?;
            let is_done = position.is_some_and(|at| at <= line) || is_entered_anew(connection, key)?;
            is_any_kept.set(kept || !is_done);
            Ok(is_done)
        })?;
        Ok(!is_any_kept.get())
    }

    fn drop_scope(&mut self, scope: ScopeId) -> Result<()> {
        let last_stamp = self.clock.last().0;
        let mut batch = self.replica.begin()?;
        forget_notices(&mut batch, scope)?;
        let number = batch.drop_scope(scope)?;
        let connection = batch.connection();
        let sql = "DELETE FROM carried_keys WHERE name IN (SELECT name FROM carried_frames WHERE scope = ?1)";
        connection.execute(sql, [number])?;
        for table in TABLES {
            connection.execute(&format!("DELETE FROM {table} WHERE scope = ?1"), [number])?;
        }
        let sql = "SELECT min(0, coalesce(min(scope), 0)) - 1 FROM receipts";
        let receipts: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        connection.execute("UPDATE receipts SET scope = ?2 WHERE scope = ?1", (number, receipts))?;
        let mut dropped = read(connection)?;
        dropped.retain(|one| one.scope != scope);
        dropped.push(Dropped { scope, number, receipts });
        facts::put(connection, name::DROPPED, &dropped)?;
        let mut watermarks: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        watermarks.retain(|(of, _)| *of != scope);
        facts::put(connection, name::WATERMARKS, &watermarks)?;
        prune::forget_scope(connection, scope)?;
        prune::keep_sent_upto(connection)?;
        // Nothing else may tell how far this phone's stamps have come.
        facts::put(connection, name::LAST_STAMP, &last_stamp)?;
        // Its writers are gone and its number may be another's: no writer of this run may be made again.
        self.authors = Authors::default();
        batch.commit()?;
        self.heard += 1;
        self.settled = None;
        self.drop_repair(scope)?;
        self.reload_scopes()
    }
}

/// Takes a scope in that the hub says this device has, with its receipts when it was here before.
pub(crate) fn come_in(batch: &mut Batch<'_>, scope: ScopeId, kind: ScopeKind) -> Result<()> {
    let mut dropped = read(batch.connection())?;
    let Some(at) = dropped.iter().position(|one| one.scope == scope) else {
        batch.add_scope(scope, kind)?;
        return Ok(());
    };
    let known = dropped.remove(at);
    let number = batch.add_scope_again(scope, kind, known.number)?;
    let connection = batch.connection();
    connection.execute("UPDATE receipts SET scope = ?2 WHERE scope = ?1", (known.receipts, number))?;
    facts::put(connection, name::DROPPED, &dropped)
}

/// How many own changes of scopes that went are in the hub's backup.
pub(crate) fn count_own(connection: &Connection) -> Result<u64> {
    let sql = "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM receipts WHERE scope < 0";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

fn read(connection: &Connection) -> Result<Vec<Dropped>> {
    Ok(facts::get(connection, name::DROPPED)?.unwrap_or_default())
}

fn may_go(connection: &Connection, scope: i64) -> Result<bool> {
    let sql = "SELECT bytes FROM outbox WHERE scope = ?1";
    let mut get = connection.prepare_cached(sql)?;
    let mut rows = get.query([scope])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| AppError::Corrupt)?;
        let (head, _) = langso_sync::change::scan(bytes).map_err(|_| AppError::Corrupt)?;
        if !is_entered_anew(connection, head.key)? {
            return Ok(false);
        }
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM void_receipts WHERE scope = ?1)";
    let any_void: bool = connection.prepare_cached(sql)?.query_row([scope], |row| row.get(0))?;
    Ok(!any_void
        && !fall_back::carries_any_of(connection, scope)?
        && notices_of(connection, scope)?.iter().all(|(_, reason)| *reason == ENTERED_ANEW)
        && !is_any_draft_of(connection, scope)?)
}

/// Whether another change says the same: then this one never gets a position.
fn is_entered_anew(connection: &Connection, key: Key) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM set_aside_notices WHERE key = ?1 AND reason = ?2)";
    let mut get = connection.prepare_cached(sql)?;
    Ok(get.query_row((key.to_bytes(), ENTERED_ANEW), |row| row.get(0))?)
}

fn notices_of(connection: &Connection, scope: i64) -> Result<Vec<([u8; 11], u8)>> {
    let mut get = connection.prepare_cached("SELECT key, reason FROM set_aside_notices")?;
    let all = get.query_map([], |row| Ok((row.get::<_, [u8; 11]>(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for notice in all.collect::<rusqlite::Result<Vec<_>>>()? {
        let key = Key::from_bytes(&notice.0).ok_or(AppError::Corrupt)?;
        if scope_of(connection, key.writer)? == Some(scope) {
            found.push(notice);
        }
    }
    Ok(found)
}

fn forget_notices(batch: &mut Batch<'_>, scope: ScopeId) -> Result<()> {
    let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
    let connection = batch.connection();
    for (key, _) in notices_of(connection, number)? {
        connection.prepare_cached("DELETE FROM set_aside_notices WHERE key = ?1")?.execute([key])?;
    }
    Ok(())
}

fn scope_of(connection: &Connection, writer: Writer) -> Result<Option<i64>> {
    let mut get = connection.prepare_cached("SELECT scope FROM writers WHERE writer = ?1")?;
    Ok(get.query_row([writer.0 as i64], |row| row.get(0)).optional()?)
}

/// Whether a form that is being filled in is about a row of the scope.
fn is_any_draft_of(connection: &Connection, scope: i64) -> Result<bool> {
    let mut get = connection.prepare_cached("SELECT body, consent_id FROM drafts")?;
    let drafts =
        get.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<[u8; 12]>>(1)?)))?;
    for draft in drafts.collect::<rusqlite::Result<Vec<_>>>()? {
        let mut ids: Vec<[u8; 12]> = draft.1.into_iter().collect();
        // A body that cannot be read may name anything.
        let Ok(body) = serde_json::from_str(&draft.0) else { return Ok(true) };
        find_ids(&body, &mut ids);
        for id in ids {
            if let Some(key) = Key::from_bytes(&id[..11])
                && scope_of(connection, key.writer)? == Some(scope)
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn find_ids(body: &Json, ids: &mut Vec<[u8; 12]>) {
    match body {
        Json::String(text) => ids.extend(from_base32::<12>(text)),
        Json::Array(list) => list.iter().for_each(|one| find_ids(one, ids)),
        Json::Object(map) => map.values().for_each(|one| find_ids(one, ids)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
