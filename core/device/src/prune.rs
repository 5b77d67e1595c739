//! What a phone forgets: whatever has been in the hub's verified backup, and below the own cursor, for a week of hub
//! time. See `langso_sync::history`.
//!
//! Forgotten are the bytes of own changes (outbox and journal), kept frames and old marks. The rows stay, what was
//! applied stays known, receipts go on saying "in the backup", and so do the reasons of corrections, which stand in no
//! row. Without a backup at the hub nothing is ever forgotten.

use langso_domain::id::{Key, ScopeId};
use langso_store::Batch;
use langso_sync::change::{self, extra};
use langso_sync::history::{Note, Settling, oldest_mark};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Result};
use crate::facts::{self, Fact, Watermarks, name};
use crate::fall_back;
use crate::phone::Phone;
use crate::receipts::{self, position_of};

/// What is kept between syncs to know what may be forgotten of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pruning {
    scope: ScopeId,
    /// What lies at or below has been forgotten.
    pruned: u64,
    /// (hub time in ms, position) of each note.
    notes: Vec<(u64, u64)>,
}

/// What is kept of each scope. When that is damaged the weeks begin anew, and as much may have been forgotten as the
/// marks that are left allow: the line lies at the oldest of them or between it and the next.
fn read(connection: &Connection) -> Result<Vec<Pruning>> {
    match facts::look(connection, name::PRUNING)? {
        Fact::Sound(all) => return Ok(all),
        Fact::Absent => return Ok(Vec::new()),
        Fact::Damaged => {}
    }
    let sql = "SELECT s.scope, coalesce(min(m.position), s.position)
               FROM scopes AS s LEFT JOIN marks AS m ON m.scope = s.number GROUP BY s.number";
    let mut get = connection.prepare(sql)?;
    let oldest = get.query_map([], |row| Ok((ScopeId(row.get(0)?), row.get::<_, i64>(1)? as u64)))?;
    let oldest = oldest.collect::<rusqlite::Result<Vec<_>>>()?;
    let above = oldest.into_iter().filter(|(_, mark)| *mark > 0);
    Ok(above.map(|(scope, mark)| Pruning { scope, pruned: mark + 1, notes: Vec::new() }).collect())
}

/// The hub's history is another one above `mark`: the week begins anew. Whether something above it has been forgotten.
pub(crate) fn begin_anew(connection: &Connection, scope: ScopeId, mark: u64) -> Result<bool> {
    let mut all = read(connection)?;
    let mut is_above = false;
    for one in all.iter_mut().filter(|one| one.scope == scope) {
        is_above |= one.pruned > mark;
        one.notes.clear();
        one.pruned = one.pruned.min(mark);
    }
    facts::put(connection, name::PRUNING, &all)?;
    Ok(is_above)
}

/// What lies below which position of each scope has been forgotten.
pub(crate) fn pruned(connection: &Connection) -> Result<Vec<(ScopeId, u64)>> {
    let all = read(connection)?;
    Ok(all.into_iter().map(|one| (one.scope, one.pruned)).collect())
}

/// The scope is no longer on this phone.
pub(crate) fn forget_scope(connection: &Connection, scope: ScopeId) -> Result<()> {
    let mut all = read(connection)?;
    all.retain(|one| one.scope != scope);
    facts::put(connection, name::PRUNING, &all)
}

/// Rows that are written to the outbox next may get the numbers of those that have just gone from it.
pub(crate) fn keep_sent_upto(connection: &Connection) -> Result<()> {
    let sql = "SELECT coalesce(max(n), 0) FROM outbox";
    let last: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let sent: i64 = facts::get(connection, name::SENT_UPTO)?.unwrap_or(0);
    facts::put(connection, name::SENT_UPTO, &sent.min(last))
}

impl Phone {
    /// Notes at the end of a sync where each scope stands, and forgets what lies below its prune line. Only while the
    /// hub's clock and the phone's own agree: a week that one of them jumped over is no week. Of the scopes that this
    /// sync heard were left nothing more is fetched: there the last own change stands for the cursor, since its
    /// position was said anew by this sync.
    pub(crate) fn settle(&mut self, left: &[ScopeId]) -> Result<()> {
        let now = self.now();
        if !now.is_sure {
            return Ok(());
        }
        let now = now.ms.max(0) as u64;
        let connection = self.connection();
        let watermarks: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let before = read(connection)?;
        if watermarks.is_empty() && before.is_empty() {
            return Ok(());
        }
        let mut after = Vec::new();
        let mut lines = Vec::new();
        for state in self.replica.scopes()? {
            let known = before.iter().find(|one| one.scope == state.scope);
            let mut one =
                known.cloned().unwrap_or(Pruning { scope: state.scope, pruned: 0, notes: Vec::new() });
            let notes = one.notes.iter().map(|(at_ms, position)| Note { at_ms: *at_ms, position: *position });
            let mut settling = Settling::from_notes(notes.collect());
            let watermark = watermarks.iter().find(|(of, _)| *of == state.scope).map_or(0, |(_, mark)| *mark);
            let reach = match left.contains(&state.scope) {
                true => state.position.max(receipts::last_position(connection, state.number)?),
                false => state.position,
            };
            settling.note(now, watermark, reach);
            one.notes = settling.notes().iter().map(|note| (note.at_ms, note.position)).collect();
            let line = settling.line(now);
            if line > one.pruned {
                one.pruned = line;
                lines.push((state.number, line));
            }
            after.push(one);
        }
        after.retain(|one| one.pruned > 0 || !one.notes.is_empty());
        if lines.is_empty() {
            return match after == before {
                true => Ok(()),
                false => self.softly(|phone| facts::put(phone.connection(), name::PRUNING, &after)),
            };
        }
        let last_stamp = self.clock.last().0;
        let mut batch = self.replica.begin()?;
        for (number, line) in lines {
            forget(&mut batch, number, line)?;
        }
        keep_sent_upto(batch.connection())?;
        // Without an outbox nothing else tells how far this phone's stamps have come.
        facts::put(batch.connection(), name::LAST_STAMP, &last_stamp)?;
        facts::put(batch.connection(), name::PRUNING, &after)?;
        batch.commit()?;
        // The database holds it for good: only now may the journal let go of it.
        self.prune_journal(|connection, scope, key| {
            let line = after.iter().find(|one| one.scope == scope).map_or(0, |one| one.pruned);
            Ok(position_of(connection, key)?.is_some_and(|position| position <= line))
        })
    }
}

fn forget(batch: &mut Batch<'_>, scope: i64, line: u64) -> Result<()> {
    let own = forget_own(batch.connection(), scope, line)?;
    for key in own {
        batch.note_own(key)?;
    }
    let connection = batch.connection();
    let below = (scope, line as i64);
    let mut get =
        connection.prepare_cached("SELECT bytes FROM kept_frames WHERE scope = ?1 AND last <= ?2")?;
    let mut rows = get.query(below)?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| AppError::Corrupt)?;
        let frame = fall_back::open_kept(bytes)?;
        frame.changes().try_for_each(|change| keep_reason(connection, scope, change.bytes))?;
    }
    drop(rows);
    drop(get);
    connection.prepare_cached("DELETE FROM kept_frames WHERE scope = ?1 AND last <= ?2")?.execute(below)?;
    let mut get = connection.prepare_cached("SELECT position FROM marks WHERE scope = ?1")?;
    let marks = get.query_map([scope], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let oldest = oldest_mark(marks.into_iter().map(|mark| mark as u64), line);
    let sql = "DELETE FROM marks WHERE scope = ?1 AND position < ?2";
    connection.prepare_cached(sql)?.execute((scope, oldest as i64))?;
    Ok(())
}

/// Own changes below the line leave the outbox; gives their keys.
fn forget_own(connection: &Connection, scope: i64, line: u64) -> Result<Vec<Key>> {
    let mut get = connection.prepare_cached("SELECT n, bytes FROM outbox WHERE scope = ?1 ORDER BY n")?;
    let mut rows = get.query([scope])?;
    let mut found: Vec<(i64, Key)> = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(|_| AppError::Corrupt)?;
        let key = change::scan(bytes).map_err(|_| AppError::Corrupt)?.0.key;
        if position_of(connection, key)?.is_some_and(|position| position <= line) {
            keep_reason(connection, scope, bytes)?;
            found.push((row.get(0)?, key));
        }
    }
    let mut forget = connection.prepare_cached("DELETE FROM outbox WHERE n = ?1")?;
    for (n, _) in &found {
        forget.execute([n])?;
    }
    Ok(found.into_iter().map(|(_, key)| key).collect())
}

/// Keeps a change that says why something was corrected.
pub(crate) fn keep_reason(connection: &Connection, scope: i64, bytes: &[u8]) -> Result<()> {
    let change = change::Change::decode(bytes).map_err(|_| AppError::Corrupt)?;
    if change.extras.contains_key(&extra::REASON) || change.extras.contains_key(&extra::REASON_TEXT) {
        let sql = "INSERT OR REPLACE INTO reasons (key, scope, bytes) VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute((change.key.to_bytes(), scope, bytes))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use langso_domain::registry::ScopeKind;
    use langso_store::{CURRENT, Purpose, Replica};

    use super::*;

    const OLD: ScopeId = ScopeId([1; 8]);
    const YOUNG: ScopeId = ScopeId([2; 8]);

    #[test]
    fn a_damaged_note_of_what_was_forgotten_counts_for_as_much_as_it_may_have_been() {
        let mut replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("a replica");
        replica.connection().execute_batch(include_str!("../sql/0001_phone.sql")).expect("tables");
        let mut batch = replica.begin().expect("begins");
        for scope in [OLD, YOUNG] {
            batch.add_scope(scope, ScopeKind::Team).expect("added");
        }
        batch.commit().expect("committed");
        let connection = replica.connection();
        let sql = "INSERT INTO marks (scope, position, chain) VALUES (1, 40, x'00'), (1, 90, x'00')";
        connection.execute(sql, []).expect("marks");
        let note = |pruned| Pruning { scope: OLD, pruned, notes: vec![(7, pruned)] };
        assert!(!begin_anew(connection, OLD, 0).expect("reads"), "nothing was ever noted");
        facts::put(connection, name::PRUNING, &vec![note(60)]).expect("noted");
        assert_eq!(pruned(connection), Ok(vec![(OLD, 60)]));
        let sql = "UPDATE phone_facts SET value = replace(value, '60', '20')";
        assert_eq!(connection.execute(sql, []), Ok(1));
        // Between the mark that was kept as the newest below the line and the next one.
        assert_eq!(pruned(connection), Ok(vec![(OLD, 41)]));
        assert!(begin_anew(connection, OLD, 40).expect("reads"), "the hub may lack what is forgotten here");
        let anew = Pruning { scope: OLD, pruned: 40, notes: vec![] };
        assert_eq!(read(connection), Ok(vec![anew]));
    }
}
