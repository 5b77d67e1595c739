//! What the hub says becomes what the phone holds: each event of a session in one transaction.
//!
//! Nothing here is anybody's unsent work: the hub has it, and says it again when asked.

use langso_domain::id::ScopeId;
use langso_domain::registry::ScopeKind;
use langso_sync::chain::Cursor;
use langso_sync::change::Change;
use langso_sync::frame::Frame;
use langso_sync::session::{Event, News, Receipt};
use rusqlite::{Connection, OptionalExtension};

use crate::error::{AppError, Result};
use crate::facts::{self, Watermarks, name};
use crate::outbox::Unsent;
use crate::phone::Phone;
use crate::time::HubTime;

impl Phone {
    /// Takes an event in. What was taken in before changes nothing.
    pub(crate) fn take(&mut self, event: Event, unsent: &mut Unsent) -> Result<()> {
        self.softly(|phone| phone.take_event(event, unsent))
    }

    /// Writes what can be fetched again: in the order of the saves around it, but without waiting for the disk. A
    /// power cut takes the whole tail, cursor included, and the next sync brings it back.
    pub(crate) fn softly<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection().pragma_update(None, "synchronous", "NORMAL")?;
        let result = write(self);
        self.heard += 1;
        // A save after this must wait for the disk: what cannot be made sure of is no success.
        self.connection().pragma_update(None, "synchronous", "FULL")?;
        result
    }

    fn take_event(&mut self, event: Event, unsent: &mut Unsent) -> Result<()> {
        match event {
            Event::News(news) => {
                self.take_news(news)?;
                unsent.note_set_aside(self.connection())
            }
            Event::Receipts { scope, receipts } => {
                let batch = self.replica.begin()?;
                let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
                put_receipts(batch.connection(), number, &receipts)?;
                batch.commit()?;
                unsent.receive(&receipts);
                Ok(())
            }
            Event::Frame { frame, bytes, cursor } => self.take_frame(&frame, &bytes, cursor, unsent),
            Event::Compared { agreed, differing } => self.take_compared(&agreed, &differing),
            Event::End { cursors, .. } => self.pass(&cursors, unsent),
            // Falling back is not built yet: the cursor stays, nothing is forgotten, and the hub says it again.
            Event::OtherHistory { .. } | Event::FellBack { .. } | Event::Refused(_) => Ok(()),
        }
    }

    fn take_news(&mut self, news: News) -> Result<()> {
        let heard = HubTime::heard(news.hub_time_ms, self.time_source());
        let mut batch = self.replica.begin()?;
        for (scope, kind) in &news.joined {
            if let Some(kind) = ScopeKind::from_number(*kind) {
                batch.add_scope(*scope, kind)?;
            }
        }
        let connection = batch.connection();
        facts::put(connection, name::HUB_TIME, &heard)?;
        facts::put(connection, name::NONCE, news.nonce.as_bytes())?;
        if !news.watermarks.is_empty() {
            let mut marks: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
            marks.retain(|(scope, _)| news.watermarks.iter().all(|(of, _)| of != scope));
            marks.extend(&news.watermarks);
            facts::put(connection, name::WATERMARKS, &marks)?;
        }
        // The list says it all, unless it was too long: what it no longer names was admitted, or is not at the hub.
        if news.set_aside_total == news.set_aside.len() as u64 {
            connection.prepare_cached("DELETE FROM set_aside_notices")?.execute([])?;
        }
        for held in &news.set_aside {
            connection
                .prepare_cached("INSERT OR REPLACE INTO set_aside_notices (key, reason) VALUES (?1, ?2)")?
                .execute((held.key.to_bytes(), held.reason))?;
        }
        batch.commit()?;
        self.hub_time = Some(heard);
        self.reload_scopes()
    }

    fn take_frame(&mut self, frame: &Frame, bytes: &[u8], cursor: Cursor, unsent: &mut Unsent) -> Result<()> {
        let scope = frame.header.scope;
        let (device, now) = (self.device, self.now().ms.max(0) as u64);
        let mut clock = self.clock;
        let mut own = Vec::new();
        let (mut first, mut last) = (None, 0);
        let mut batch = self.replica.begin()?;
        for served in frame.changes() {
            let change = Change::decode(served.bytes).map_err(|_| AppError::unexpected("change"))?;
            batch.apply(scope, served.author, &change)?;
            clock.adopt(now, change.stamp);
            let Some(position) = served.position else { continue };
            first.get_or_insert(position);
            last = position;
            if served.author == device {
                own.push(Receipt { writer: change.key.writer, first: change.key.seq, n: 1, position });
            }
        }
        let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
        put_receipts(batch.connection(), number, &own)?;
        batch
            .connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO kept_frames (scope, first, last, bytes) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((number, first.unwrap_or(0) as i64, last as i64, bytes))?;
        batch.set_cursor(scope, cursor.position, cursor.chain.0)?;
        facts::put(batch.connection(), name::LAST_STAMP, &clock.last().0)?;
        batch.commit()?;
        self.clock = clock;
        unsent.receive(&own);
        unsent.pass(scope, cursor.position);
        Ok(())
    }

    fn pass(&mut self, cursors: &[(ScopeId, Cursor)], unsent: &mut Unsent) -> Result<()> {
        let mut batch = self.replica.begin()?;
        let mut upto = None;
        for (scope, cursor) in cursors {
            batch.set_cursor(*scope, cursor.position, cursor.chain.0)?;
            upto = Some(unsent.pass(*scope, cursor.position));
        }
        if let Some(upto) = upto {
            facts::put(batch.connection(), name::SENT_UPTO, &upto)?;
        }
        batch.commit()?;
        Ok(())
    }
}

/// Notes ranges; one that goes on where another ends, in the writer's numbers and at the hub, becomes one with it, and
/// none is counted twice.
fn put_receipts(connection: &Connection, scope: i64, receipts: &[Receipt]) -> Result<()> {
    let mut before = connection.prepare_cached(
        "SELECT first_seq, last_seq FROM receipts
         WHERE writer = ?1 AND first_seq <= ?2 AND last_seq >= ?2 - 1 AND position + ?2 - first_seq = ?3
         ORDER BY first_seq DESC LIMIT 1",
    )?;
    let mut inside = connection
        .prepare_cached("DELETE FROM receipts WHERE writer = ?1 AND first_seq > ?2 AND last_seq <= ?3")?;
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO receipts (writer, first_seq, last_seq, scope, position) VALUES (?1, ?2, ?3, ?4, ?5)",
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
        inside.execute((writer, first, last))?;
        put.execute((writer, first, last, scope, position))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use langso_domain::id::Writer;
    use langso_store::{CURRENT, Purpose, Replica};

    use super::*;

    type Range = (u32, u32, i64);

    /// What is held of writer 7 after these receipts: (first, last, position of the first).
    fn held(receipts: &[(u32, u32, u64)]) -> Vec<Range> {
        let replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("a replica");
        let connection = replica.connection();
        connection.execute_batch(include_str!("../sql/0001_phone.sql")).expect("tables");
        for (first, n, position) in receipts {
            let receipt = Receipt { writer: Writer(7), first: *first, n: *n, position: *position };
            put_receipts(connection, 1, &[receipt]).expect("kept");
        }
        let sql = "SELECT first_seq, last_seq, position FROM receipts ORDER BY first_seq";
        let mut get = connection.prepare(sql).expect("reads");
        let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
        rows.map(|row| row.expect("a range")).collect()
    }

    #[test]
    fn receipts_that_go_on_where_others_end_become_one_range() {
        assert_eq!(held(&[(1, 1, 50), (2, 1, 51), (3, 2, 52)]), [(1, 4, 50)]);
        assert_eq!(
            held(&[(1, 1, 50), (2, 1, 60)]),
            [(1, 1, 50), (2, 2, 60)],
            "others stand between at the hub"
        );
    }

    #[test]
    fn no_change_is_counted_twice() {
        assert_eq!(held(&[(3, 1, 52), (1, 5, 50)]), [(1, 5, 50)]);
        assert_eq!(held(&[(1, 5, 50), (3, 1, 52)]), [(1, 5, 50)]);
        assert_eq!(held(&[(1, 5, 50), (1, 5, 50)]), [(1, 5, 50)]);
    }
}
