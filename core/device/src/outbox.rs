//! What of this phone's own work the hub's log does not hold yet, as far as this phone can know.
//!
//! Read once when a sync begins and kept in step while it runs; the truth is in `outbox` and `receipts`.

use std::collections::{HashMap, HashSet};

use langso_domain::id::{Key, ScopeId, Writer};
use langso_store::ScopeState;
use langso_sync::change;
use langso_sync::session::Receipt;
use langso_sync::wire::Held;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{AppError, Result};
use crate::facts;
use crate::journal::checksum;
use crate::receipts::position_of;

/// An own change as it lies in the file: read by [`Row::of`] from the columns `n`, `scope`, `bytes` and `sum`.
pub(crate) struct Row {
    pub n: i64,
    /// The number of its scope.
    pub scope: i64,
    pub bytes: Vec<u8>,
    sum: Vec<u8>,
}

impl Row {
    pub fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        // A sum that cannot be read fits nothing.
        let sum = row.get("sum").unwrap_or_default();
        Ok(Self { n: row.get("n")?, scope: row.get("scope")?, bytes: row.get("bytes")?, sum })
    }

    /// Whether the bytes are what was written for that scope. What is not is neither signed nor believed, and mended when
    /// the phone next opens.
    pub fn is_whole_in(&self, scope: ScopeId) -> bool {
        checksum(scope, &self.bytes)[..] == self.sum[..]
    }

    /// The one of that number; none when it has gone.
    pub fn get(connection: &Connection, n: i64) -> Result<Option<Self>> {
        let mut get = connection.prepare_cached("SELECT n, scope, bytes, sum FROM outbox WHERE n = ?1")?;
        Ok(get.query_row([n], Self::of).optional()?)
    }
}

/// One own change on its way.
#[derive(Debug, Clone, Copy)]
struct Entry {
    n: i64,
    scope: ScopeId,
    key: Key,
    position: Option<u64>,
    /// The hub has said the position in this sync.
    is_said: bool,
}

/// Own changes without a position, or with one that the cursor has not passed.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    entries: Vec<Entry>,
    /// Kept by the hub for the lead to judge: they have no position, and need not be sent again.
    set_aside: HashSet<Key>,
    last_n: i64,
    /// Lost their position since the session last heard of it.
    unplaced: Vec<Key>,
}

impl Unsent {
    /// Reads what was written since the last look; `scopes` are those of the file.
    pub fn refresh(&mut self, connection: &Connection, scopes: &[ScopeState]) -> Result<()> {
        if self.last_n == 0 {
            self.note_set_aside(connection)?;
            self.last_n = facts::get(connection, facts::name::SENT_UPTO)?.unwrap_or(0);
        }
        let mut get =
            connection.prepare_cached("SELECT n, scope, bytes FROM outbox WHERE n > ?1 ORDER BY n")?;
        let mut rows = get.query([self.last_n])?;
        // Most of what is new belongs to writers of which the hub has never spoken.
        let mut heard = HashMap::new();
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(2)?.as_blob().map_err(|_| AppError::Corrupt)?;
            let key = change::scan(bytes).map_err(|_| AppError::Corrupt)?.0.key;
            self.last_n = row.get(0)?;
            let number: i64 = row.get(1)?;
            let Some(state) = scopes.iter().find(|state| state.number == number) else { continue };
            let is_heard = match heard.get(&key.writer) {
                Some(is_heard) => *is_heard,
                None => *heard.entry(key.writer).or_insert(has_receipts(connection, key.writer)?),
            };
            let position = if is_heard { position_of(connection, key)? } else { None };
            if position.is_none_or(|position| position > state.position) {
                self.entries.push(Entry {
                    n: self.last_n,
                    scope: state.scope,
                    key,
                    position,
                    is_said: false,
                });
            }
        }
        Ok(())
    }

    /// Reads what the hub has said that it set aside.
    pub fn note_set_aside(&mut self, connection: &Connection) -> Result<()> {
        let mut get = connection.prepare_cached("SELECT key FROM set_aside_notices")?;
        let keys = get.query_map([], |row| row.get::<_, [u8; 11]>(0))?;
        let keys = keys.map(|key| Key::from_bytes(&key?).ok_or(AppError::Corrupt));
        self.set_aside = keys.collect::<Result<_>>()?;
        Ok(())
    }

    /// The writers to say in a request, with the last number of each.
    pub fn held(&self) -> Vec<Held> {
        let mut at = HashMap::new();
        let mut held: Vec<Held> = Vec::new();
        for entry in &self.entries {
            let index = *at.entry(entry.key.writer).or_insert_with(|| {
                held.push(Held { writer: entry.key.writer, upto: 0 });
                held.len() - 1
            });
            held[index].upto = held[index].upto.max(entry.key.seq);
        }
        held
    }

    /// The changes that are on this phone only, in order of writing; each is read when it is asked for.
    pub fn pending<'a>(
        &'a self,
        connection: &'a Connection,
    ) -> impl Iterator<Item = (ScopeId, Vec<u8>)> + 'a {
        self.only_here().filter_map(|entry| Some((entry.scope, bytes_of(connection, entry)?)))
    }

    /// The changes of a scope with the positions that they are said to have, none of them above `upto`.
    pub fn list_upto(&self, scope: ScopeId, upto: u64) -> Vec<(Key, Option<u64>)> {
        let of_scope = self.entries.iter().filter(|entry| entry.scope == scope);
        let below = of_scope.filter(|entry| entry.position.is_none_or(|position| position <= upto));
        below.map(|entry| (entry.key, entry.position)).collect()
    }

    /// How many changes are on this phone only.
    pub fn waiting(&self) -> usize {
        self.only_here().count()
    }

    /// Whether any own change of the scope, one that was set aside among them, is not known to lie under the cursor.
    pub fn has_any_of(&self, scope: ScopeId) -> bool {
        self.entries.iter().any(|entry| entry.scope == scope)
    }

    fn only_here(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.position.is_none() && !self.set_aside.contains(&entry.key))
    }

    /// Notes positions.
    pub fn receive(&mut self, receipts: &[Receipt]) {
        let by_writer: HashMap<Writer, Vec<&Receipt>> =
            receipts.iter().fold(HashMap::new(), |mut map, receipt| {
                map.entry(receipt.writer).or_insert_with(Vec::new).push(receipt);
                map
            });
        for entry in &mut self.entries {
            let ranges = by_writer.get(&entry.key.writer).map_or(&[][..], Vec::as_slice);
            let covers =
                |receipt: &&&Receipt| (receipt.first..receipt.first + receipt.n).contains(&entry.key.seq);
            if let Some(receipt) = ranges.iter().find(covers) {
                entry.position = Some(receipt.position + u64::from(entry.key.seq - receipt.first));
                entry.is_said = true;
            }
        }
    }

    /// Own changes of a scope whose position, above the cursor, turns out to be void.
    pub fn void_keys(&self, scope: ScopeId, is_void: impl Fn(Key, u64) -> bool) -> Vec<Key> {
        let of_scope = self.entries.iter().filter(|entry| entry.scope == scope);
        let found = of_scope.filter_map(|entry| Some((entry.key, entry.position?)));
        found.filter(|(key, position)| is_void(*key, *position)).map(|(key, _)| key).collect()
    }

    /// These have no position any more.
    pub fn unplace(&mut self, keys: &[Key]) {
        for entry in self.entries.iter_mut().filter(|entry| keys.contains(&entry.key)) {
            entry.position = None;
        }
        self.unplaced.extend(keys);
    }

    /// Own changes of a scope with a position above the cursor lose it when the hub was asked for them; gives them. It
    /// says it again in what follows, and what it does not say is sent with the next sync.
    pub fn doubt(&mut self, scope: ScopeId, cursor: u64, asked: &[Held]) -> Vec<Key> {
        let mut doubted = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.scope == scope) {
            let mut of_writer = asked.iter().filter(|held| held.writer == entry.key.writer);
            let is_asked = of_writer.any(|held| entry.key.seq <= held.upto);
            if is_asked && entry.position.is_some_and(|position| position > cursor) {
                entry.position = None;
                doubted.push(entry.key);
            }
        }
        doubted
    }

    /// Whether every position of a scope's own changes above the cursor has been said by the hub in this sync.
    pub fn are_all_said(&self, scope: ScopeId) -> bool {
        self.entries.iter().all(|entry| entry.scope != scope || entry.position.is_none() || entry.is_said)
    }

    /// The writers of own changes in these scopes that are not known to lie under the cursor.
    pub fn writers_of(&self, scopes: &[ScopeId]) -> Vec<Writer> {
        let of_scopes = self.entries.iter().filter(|entry| scopes.contains(&entry.scope));
        of_scopes.map(|entry| entry.key.writer).collect()
    }

    /// What lost its position since the last look, for a session that thinks it sent.
    pub fn take_unplaced(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.unplaced)
    }

    /// Forgets what lies under a cursor; gives the number up to which the outbox need not be looked at again.
    pub fn pass(&mut self, scope: ScopeId, cursor: u64) -> i64 {
        self.entries
            .retain(|entry| entry.scope != scope || entry.position.is_none_or(|position| position > cursor));
        self.entries.first().map_or(self.last_n, |entry| entry.n - 1)
    }
}

/// None when the bytes no longer fit their checksum.
fn bytes_of(connection: &Connection, entry: &Entry) -> Option<Vec<u8>> {
    let row = Row::get(connection, entry.n).ok()??;
    row.is_whole_in(entry.scope).then_some(row.bytes)
}

fn has_receipts(connection: &Connection, writer: Writer) -> Result<bool> {
    let mut get = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM receipts WHERE writer = ?1)")?;
    Ok(get.query_row([writer.0 as i64], |row| row.get(0))?)
}
