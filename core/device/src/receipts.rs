//! The positions that the hub gave to own changes, as ranges of one writer, and those that turned out to be void.
//!
//! A change is in at most one of both: a new receipt ends what was void, and what is void is no receipt.

use langso_domain::id::{Key, Writer};
use langso_sync::history::split_receipt;
use langso_sync::session::Receipt;
use rusqlite::{Connection, OptionalExtension};

use crate::error::Result;

/// Notes ranges; one that goes on where another ends, in the writer's numbers and at the hub, becomes one with it, and
/// none is counted twice. A change has the position that was said last.
pub(crate) fn put(connection: &Connection, scope: i64, receipts: &[Receipt]) -> Result<()> {
    let mut before = connection.prepare_cached(
        "SELECT first_seq, last_seq FROM receipts
         WHERE writer = ?1 AND first_seq <= ?2 AND last_seq >= ?2 - 1 AND position + ?2 - first_seq = ?3
         ORDER BY first_seq DESC LIMIT 1",
    )?;
    for receipt in receipts {
        let writer = receipt.writer.0 as i64;
        let (mut first, mut last) = (receipt.first, receipt.first + receipt.n - 1);
        let mut position = receipt.position as i64;
        let found: Option<(u32, u32)> =
            before.query_row((writer, first, position), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((from, upto)) = found {
            position -= i64::from(first - from);
            (first, last) = (from, last.max(upto));
        }
        Table::Good.cut_out(connection, writer, first, last)?;
        Table::Void.cut_out(connection, writer, first, last)?;
        Table::Good.add(connection, Range { writer, first, last, scope, position })?;
    }
    Ok(())
}

/// Notes that the hub holds the changes of a writer from `first` to `last`, at positions up to `upto` of which it told
/// none; those that have a receipt keep it. They become ranges that end there: the hub gave positions in the order of
/// their numbers.
pub(crate) fn fill(
    connection: &Connection,
    scope: i64,
    (writer, first, last): (Writer, u32, u32),
    upto: u64,
) -> Result<()> {
    let sql = "SELECT first_seq, last_seq FROM receipts
               WHERE writer = ?1 AND first_seq <= ?3 AND last_seq >= ?2 ORDER BY first_seq";
    let mut get = connection.prepare_cached(sql)?;
    let known = get.query_map((writer.0 as i64, first, last), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let known = known.collect::<rusqlite::Result<Vec<(u32, u32)>>>()?;
    let mut next = first;
    for (from, to) in known.into_iter().chain([(last.saturating_add(1), u32::MAX)]) {
        if next < from {
            let n = from - next;
            let position = (upto + 1).saturating_sub(u64::from(n)).max(1);
            put(connection, scope, &[Receipt { writer, first: next, n, position }])?;
        }
        next = next.max(to.saturating_add(1));
    }
    Ok(())
}

/// Makes the receipts of these changes void; one that has none is passed over.
pub(crate) fn void(connection: &Connection, scope: i64, keys: &[Key]) -> Result<()> {
    for key in keys {
        if let Some(position) = position_of(connection, *key)? {
            let (writer, first) = (key.writer.0 as i64, key.seq);
            Table::Good.cut_out(connection, writer, first, first)?;
            let range = Range { writer, first, last: first, scope, position: position as i64 };
            Table::Void.add(connection, range)?;
        }
    }
    Ok(())
}

/// Makes every receipt of a scope above a position void.
pub(crate) fn void_above(connection: &Connection, scope: i64, head: u64) -> Result<()> {
    let sql = "SELECT writer, first_seq, last_seq, position FROM receipts
               WHERE scope = ?1 AND position + last_seq - first_seq > ?2";
    let mut get = connection.prepare_cached(sql)?;
    let ranges = get.query_map((scope, head as i64), |row| {
        let (first, last): (u32, u32) = (row.get(1)?, row.get(2)?);
        let (writer, position): (i64, i64) = (row.get(0)?, row.get(3)?);
        Ok(Receipt { writer: Writer(writer as u64), first, n: last - first + 1, position: position as u64 })
    })?;
    for receipt in ranges.collect::<rusqlite::Result<Vec<_>>>()? {
        let (holds, void) = split_receipt(receipt, head);
        let range = Range::of(receipt, scope);
        Table::Good.cut_out(connection, range.writer, range.first, range.last)?;
        for (table, part) in [(Table::Good, holds), (Table::Void, void)] {
            if let Some(part) = part {
                table.add(connection, Range::of(part, scope))?;
            }
        }
    }
    Ok(())
}

/// A change that the hub keeps without a position is there, if it had one before or not.
pub(crate) fn end_void(connection: &Connection, key: Key) -> Result<()> {
    Table::Void.cut_out(connection, key.writer.0 as i64, key.seq, key.seq)
}

/// The position the hub gave to an own change; none while it is on this phone only.
pub(crate) fn position_of(connection: &Connection, key: Key) -> Result<Option<u64>> {
    let mut get = connection.prepare_cached(
        "SELECT position + ?2 - first_seq FROM receipts
         WHERE writer = ?1 AND first_seq <= ?2 AND last_seq >= ?2 ORDER BY first_seq DESC LIMIT 1",
    )?;
    let position: Option<i64> = get.query_row((key.writer.0 as i64, key.seq), |row| row.get(0)).optional()?;
    Ok(position.map(|position| position as u64))
}

/// The highest position of an own change in a scope; 0 when there is none.
pub(crate) fn last_position(connection: &Connection, scope: i64) -> Result<u64> {
    let sql = "SELECT coalesce(max(position + last_seq - first_seq), 0) FROM receipts WHERE scope = ?1";
    let last: i64 = connection.prepare_cached(sql)?.query_row([scope], |row| row.get(0))?;
    Ok(last as u64)
}

/// Forgets the receipts of these changes: nothing is known of them until the hub says it again.
pub(crate) fn forget(connection: &Connection, keys: &[Key]) -> Result<()> {
    keys.iter().try_for_each(|key| Table::Good.cut_out(connection, key.writer.0 as i64, key.seq, key.seq))
}

/// Whether an own change had a position that turned out to be void, and has no new one.
pub(crate) fn is_void(connection: &Connection, key: Key) -> Result<bool> {
    let mut get = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM void_receipts WHERE writer = ?1 AND first_seq <= ?2 AND last_seq >= ?2)",
    )?;
    Ok(get.query_row((key.writer.0 as i64, key.seq), |row| row.get(0))?)
}

/// How many own changes are void.
pub(crate) fn count_void(connection: &Connection) -> Result<u64> {
    let sql = "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM void_receipts";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

/// The two tables have the same columns.
#[derive(Clone, Copy)]
enum Table {
    Good,
    Void,
}

struct Range {
    writer: i64,
    first: u32,
    last: u32,
    scope: i64,
    position: i64,
}

impl Range {
    fn of(receipt: Receipt, scope: i64) -> Self {
        let (first, last) = (receipt.first, receipt.first + receipt.n - 1);
        Self { writer: receipt.writer.0 as i64, first, last, scope, position: receipt.position as i64 }
    }
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "receipts",
            Self::Void => "void_receipts",
        }
    }

    fn add(self, connection: &Connection, range: Range) -> Result<()> {
        let sql = format!(
            "INSERT OR REPLACE INTO {} (writer, first_seq, last_seq, scope, position) VALUES (?1, ?2, ?3, ?4, ?5)",
            self.name()
        );
        let Range { writer, first, last, scope, position } = range;
        connection.prepare_cached(&sql)?.execute((writer, first, last, scope, position))?;
        Ok(())
    }

    /// Takes the numbers from `first` to `last` of a writer out of whatever ranges hold them.
    fn cut_out(self, connection: &Connection, writer: i64, first: u32, last: u32) -> Result<()> {
        let name = self.name();
        let sql = format!(
            "SELECT first_seq, last_seq, scope, position FROM {name}
             WHERE writer = ?1 AND first_seq <= ?3 AND last_seq >= ?2"
        );
        let mut get = connection.prepare_cached(&sql)?;
        let found = get.query_map((writer, first, last), |row| {
            let (first, last, scope, position) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Range { writer, first, last, scope, position })
        })?;
        for range in found.collect::<rusqlite::Result<Vec<_>>>()? {
            let sql = format!("DELETE FROM {name} WHERE writer = ?1 AND first_seq = ?2");
            connection.prepare_cached(&sql)?.execute((writer, range.first))?;
            if range.last > last {
                let position = range.position + i64::from(last + 1 - range.first);
                self.add(connection, Range { first: last + 1, position, ..range })?;
            }
            if range.first < first {
                self.add(connection, Range { last: first - 1, ..range })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use langso_store::{CURRENT, Purpose, Replica};

    use super::*;

    type Held = (u32, u32, i64);

    fn phone(receipts: &[(u32, u32, u64)]) -> Replica {
        let replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("a replica");
        replica.connection().execute_batch(include_str!("../sql/0001_phone.sql")).expect("tables");
        receipts.iter().for_each(|receipt| say(&replica, *receipt));
        replica
    }

    fn say(replica: &Replica, (first, n, position): (u32, u32, u64)) {
        put(replica.connection(), 1, &[Receipt { writer: Writer(7), first, n, position }]).expect("kept");
    }

    /// What a table holds of writer 7: (first, last, position of the first).
    fn held(replica: &Replica, table: Table) -> Vec<Held> {
        let sql = format!("SELECT first_seq, last_seq, position FROM {} ORDER BY first_seq", table.name());
        let mut get = replica.connection().prepare(&sql).expect("reads");
        let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
        rows.map(|row| row.expect("a range")).collect()
    }

    fn good(receipts: &[(u32, u32, u64)]) -> Vec<Held> {
        held(&phone(receipts), Table::Good)
    }

    #[test]
    fn receipts_that_go_on_where_others_end_become_one_range() {
        assert_eq!(good(&[(1, 1, 50), (2, 1, 51), (3, 2, 52)]), [(1, 4, 50)]);
        assert_eq!(
            good(&[(1, 1, 50), (2, 1, 60)]),
            [(1, 1, 50), (2, 2, 60)],
            "others stand between at the hub"
        );
    }

    #[test]
    fn no_change_is_counted_twice() {
        assert_eq!(good(&[(3, 1, 52), (1, 5, 50)]), [(1, 5, 50)]);
        assert_eq!(good(&[(1, 5, 50), (3, 1, 52)]), [(1, 5, 50)]);
        assert_eq!(good(&[(1, 5, 50), (1, 5, 50)]), [(1, 5, 50)]);
        assert_eq!(good(&[(1, 5, 50), (3, 1, 90)]), [(1, 2, 50), (3, 3, 90), (4, 5, 53)]);
    }

    #[test]
    fn what_lies_above_a_fall_back_is_void_until_it_is_received_again() {
        let phone = phone(&[(1, 5, 50), (6, 3, 80)]);
        void_above(phone.connection(), 1, 52).expect("void");
        assert_eq!(held(&phone, Table::Good), [(1, 3, 50)]);
        assert_eq!(held(&phone, Table::Void), [(4, 5, 53), (6, 8, 80)]);
        assert_eq!(count_void(phone.connection()).expect("counts"), 5);
        say(&phone, (5, 2, 70));
        assert_eq!(held(&phone, Table::Void), [(4, 4, 53), (7, 8, 81)]);
        let keys = [4, 5, 7].map(|seq| Key { writer: Writer(7), seq });
        assert_eq!(keys.map(|key| is_void(phone.connection(), key).expect("reads")), [true, false, true]);
        say(&phone, (4, 1, 53));
        say(&phone, (7, 2, 90));
        assert_eq!(count_void(phone.connection()).expect("counts"), 0);
    }

    #[test]
    fn a_single_receipt_is_made_void_out_of_its_range() {
        let phone = phone(&[(1, 5, 50)]);
        let keys = [3, 9].map(|seq| Key { writer: Writer(7), seq });
        void(phone.connection(), 1, &keys).expect("void");
        assert_eq!(held(&phone, Table::Good), [(1, 2, 50), (4, 5, 53)]);
        assert_eq!(held(&phone, Table::Void), [(3, 3, 52)]);
        end_void(phone.connection(), keys[0]).expect("ended");
        assert_eq!(held(&phone, Table::Void), []);
    }
}
