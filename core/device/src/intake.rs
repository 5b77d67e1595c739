//! What the hub says becomes what the phone holds: each event of a session in one transaction.
//!
//! Nothing here is anybody's unsent work: the hub has it, and says it again when asked.

use langso_domain::id::ScopeId;
use langso_domain::registry::ScopeKind;
use langso_sync::chain::Cursor;
use langso_sync::change::Change;
use langso_sync::frame::Frame;
use langso_sync::session::{Event, News, Receipt};
use rusqlite::Connection;

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
            Event::End { cursors } => self.pass(&cursors, unsent),
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

fn put_receipts(connection: &Connection, scope: i64, receipts: &[Receipt]) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO receipts (writer, first_seq, last_seq, scope, position) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (writer, first_seq) DO UPDATE
         SET last_seq = max(last_seq, excluded.last_seq), position = excluded.position",
    )?;
    for receipt in receipts {
        let last = receipt.first + receipt.n - 1;
        put.execute((receipt.writer.0 as i64, receipt.first, last, scope, receipt.position as i64))?;
    }
    Ok(())
}
