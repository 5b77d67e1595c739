//! What of this phone's own work the hub has not confirmed: rows whose writer is ours and whose change has no
//! receipt.

use langso_domain::id::{Key, MAX_SEQ, RowId, Writer};
use rusqlite::Connection;

use super::rows;
use crate::error::Result;
use crate::phone::Phone;

/// Own rows of a table that count and have no receipt, by id. `plural` is the SQL table.
pub(super) fn unarrived(phone: &Phone, plural: &str) -> Result<Vec<RowId>> {
    let connection = phone.connection();
    let sql = format!("SELECT id FROM live_{plural} WHERE id >= ?1 AND id <= ?2 ORDER BY id");
    let mut found = Vec::new();
    for (first, last) in ranges(connection, phone.device.0)? {
        found.extend(rows::all(connection, &sql, (first.0, last.0), |row| rows::id(row, 0))?);
    }
    Ok(found)
}

/// Ranges of row ids that own writers may have made and that no receipt covers.
fn ranges(connection: &Connection, device: [u8; 8]) -> Result<Vec<(RowId, RowId)>> {
    let sql = "SELECT w.writer, w.upto, w.is_current, r.first_seq, r.last_seq FROM writers AS w
               LEFT JOIN receipts AS r ON r.writer = w.writer WHERE w.device = ?1 ORDER BY w.writer, r.first_seq";
    let rows = rows::all(connection, sql, [device], |row| {
        let (writer, upto, is_current): (i64, u32, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let receipt: (Option<u32>, Option<u32>) = (row.get(3)?, row.get(4)?);
        Ok((writer, upto, is_current, receipt.0, receipt.1))
    })?;
    let mut ranges = Vec::new();
    for of_writer in rows.chunk_by(|one, other| one.0 == other.0) {
        let (writer, upto, is_current, ..) = of_writer[0];
        let writer = Writer(writer as u64);
        let end = if is_current { MAX_SEQ } else { upto };
        let mut next = 1;
        for (first, last) in of_writer.iter().filter_map(|row| row.3.zip(row.4)) {
            if first > next {
                ranges.push(range(writer, next, first - 1));
            }
            next = next.max(last.saturating_add(1));
        }
        if next <= end {
            ranges.push(range(writer, next, end));
        }
    }
    Ok(ranges)
}

fn range(writer: Writer, first: u32, last: u32) -> (RowId, RowId) {
    (Key { writer, seq: first }.row(0), Key { writer, seq: last }.row(u8::MAX))
}
