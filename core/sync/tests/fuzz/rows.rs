//! Changes, values, and the versions of rows.

use langso_domain::id::{Key, Writer};
use langso_sync::change::{self, Change, MAX_CHANGE_BYTES, MAX_ROWS};
use langso_sync::merge;

use crate::fuzz;

/// A change that was accepted says the same after it was written again, and everybody finds the same end of it.
pub fn change(bytes: &[u8]) -> bool {
    let scanned = change::scan(bytes);
    let Ok(change) = Change::decode(bytes) else { return false };
    assert!(change.rows.len() <= MAX_ROWS && bytes.len() <= MAX_CHANGE_BYTES);
    let (head, end) = scanned.unwrap();
    assert_eq!((head.key, head.stamp, end), (change.key, change.stamp, bytes.len()));
    let again = change.encode();
    assert!(again.len() <= bytes.len(), "an author writes the shortest form");
    assert_eq!(Change::decode(&again).unwrap(), change);
    assert_eq!(Change::decode(&again).unwrap().encode(), again);
    true
}

/// The bytes as the only value of a change.
fn value(bytes: &[u8]) -> bool {
    let head = [&[0x85, 0x48][..], &[9; 8], &[0x01, 0x01, 0x81, 0x82, 0x01, 0xA1, 0x01]].concat();
    change(&[&head[..], bytes, &[0xA0]].concat())
}

fn versions(bytes: &[u8]) -> bool {
    let row = Key { writer: Writer(9), seq: 1 }.row(0);
    let Ok(fields) = merge::decode(row, bytes) else { return false };
    let again = merge::encode(row, &fields);
    assert_eq!(fields.is_empty(), again.is_none());
    if let Some(again) = again {
        assert_eq!(merge::decode(row, &again).unwrap(), fields);
    }
    let state = merge::RowState { created: None, fields };
    // What every reader of a row asks.
    let _ = (state.conflicts(row), state.is_void(row), state.newest_stamp(), state.awaited());
    true
}

#[test]
fn changes() {
    fuzz("change", 6_000, change);
}

#[test]
fn values() {
    fuzz("value", 6_000, value);
}

#[test]
fn versions_of_rows() {
    fuzz("versions", 6_000, versions);
}
