//! The saves behind a row, as far as this phone still holds their bytes: its own in the outbox, those of others in the
//! frames it keeps, and of what lies below the prune line those that say why something was corrected. What is said of a
//! save and not of a row is only there.

use std::collections::BTreeMap;

use langso_domain::id::{Key, RowId};
use langso_sync::change::{self, Change, extra};
use langso_sync::value::Value;
use rusqlite::Connection;

use crate::error::{AppError, Result};
use crate::fall_back;

/// Of the list `correction_reasons`: another one, said in words.
pub(super) const REASON_OTHER: u8 = 4;

/// Every save of a scope that makes or corrects one of these rows, or names it. `scope` is its number in the file.
pub(super) fn that_speak_of<'r>(
    connection: &Connection,
    scope: i64,
    rows: impl IntoIterator<Item = &'r RowId>,
) -> Result<BTreeMap<Key, Change>> {
    // Every id of a row begins with the key of the change that made it: the bytes of a change that speaks of the row
    // hold that key.
    let mut keys: Vec<Key> = rows.into_iter().filter_map(|id| id.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    let speaks = |bytes: &[u8], key: &Key| {
        let key = key.to_bytes();
        bytes.windows(key.len()).any(|window| window == key)
    };
    let mut found: BTreeMap<Key, Change> = BTreeMap::new();
    let mut take = |key: Key, bytes: &[u8]| -> Result<()> {
        if keys.contains(&key) || keys.iter().any(|of| speaks(bytes, of)) {
            found.insert(key, Change::decode(bytes).map_err(|_| AppError::Corrupt)?);
        }
        Ok(())
    };
    let mut get = connection.prepare_cached(
        "SELECT bytes FROM outbox WHERE scope = ?1 UNION ALL SELECT bytes FROM reasons WHERE scope = ?1",
    )?;
    let mut own = get.query([scope])?;
    while let Some(row) = own.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(AppError::unexpected)?;
        let key = change::scan(bytes).map_err(|_| AppError::Corrupt)?.0.key;
        take(key, bytes)?;
    }
    let mut get = connection.prepare_cached(
        "SELECT bytes FROM kept_frames WHERE scope = ?1
         UNION ALL SELECT bytes FROM carried_frames WHERE scope = ?1",
    )?;
    let mut frames = get.query([scope])?;
    while let Some(row) = frames.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(AppError::unexpected)?;
        let frame = fall_back::open_kept(bytes)?;
        for change in frame.changes() {
            take(change.head.key, change.bytes)?;
        }
    }
    Ok(found)
}

/// Why something was corrected: a number of the list `correction_reasons`.
pub(super) fn reason(change: &Change) -> Option<u8> {
    match change.extras.get(&extra::REASON) {
        Some(Value::Int(reason)) => u8::try_from(*reason).ok(),
        _ => None,
    }
}

/// Why something was corrected, in words.
pub(super) fn reason_text(change: &Change) -> Option<String> {
    match change.extras.get(&extra::REASON_TEXT) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}
