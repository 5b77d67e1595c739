//! What the hub says becomes what the phone holds: each event of a session in one transaction.
//!
//! Nothing here is anybody's unsent work: the hub has it, and says it again when asked.

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::ScopeKind;
use langso_sync::chain::Cursor;
use langso_sync::change::Change;
use langso_sync::frame::Frame;
use langso_sync::history::{Shown, is_void};
use langso_sync::session::{Event, News, Receipt};
use rusqlite::Connection;

use crate::error::{AppError, Result};
use crate::facts::{self, Watermarks, name};
use crate::outbox::Unsent;
use crate::phone::Phone;
use crate::time::HubTime;
use crate::{fall_back, leave, receipts};

/// A phone that does not wait for the disk, until this is gone, be it by a panic.
struct Softly<'p>(&'p mut Phone);

impl Drop for Softly<'_> {
    fn drop(&mut self) {
        drop(self.0.wait_for_disk());
    }
}

impl Phone {
    /// Takes an event in. What was taken in before changes nothing, and what says nothing new is not written.
    pub(crate) fn take(&mut self, event: Event, unsent: &mut Unsent) -> Result<()> {
        if self.is_known(&event, unsent)? {
            return Ok(());
        }
        self.softly(|phone| phone.take_event(event, unsent))
    }

    /// Writes what can be fetched again: in the order of the saves around it, but without waiting for the disk. A
    /// power cut takes the whole tail, cursor included, and the next sync brings it back.
    pub(crate) fn softly<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection().pragma_update(None, "synchronous", "NORMAL")?;
        let soft = Softly(self);
        let result = write(soft.0);
        soft.0.heard += 1;
        // A save after this must wait for the disk: what cannot be made sure of is no success.
        soft.0.wait_for_disk()?;
        result
    }

    fn wait_for_disk(&self) -> Result<()> {
        Ok(self.connection().pragma_update(None, "synchronous", "FULL")?)
    }

    /// Whether an event says nothing but what is written here already.
    fn is_known(&self, event: &Event, unsent: &Unsent) -> Result<bool> {
        match event {
            Event::News(news) => self.is_no_news(news),
            Event::End { cursors, heads, carried } => {
                let is_none_void = |(scope, head): &(ScopeId, u64)| {
                    let is_above = |key, position| is_void(key, position, Shown::UpTo(*head));
                    unsent.void_keys(*scope, is_above).is_empty()
                };
                Ok(cursors.is_empty() && carried.is_empty() && heads.iter().all(is_none_void))
            }
            _ => Ok(false),
        }
    }

    fn is_no_news(&self, news: &News) -> Result<bool> {
        let connection = self.connection();
        let heard = HubTime::heard(news.hub_time_ms, self.time_source());
        let is_about_more = !(news.left.is_empty() && news.joined.is_empty() && news.set_aside.is_empty());
        if is_about_more
            || news.set_aside_total > 0
            || self.hub_time.as_ref().is_none_or(|known| !known.is_near(&heard))
            || facts::get::<Vec<u8>>(connection, name::NONCE)?.as_deref() != Some(news.nonce.as_bytes())
            || facts::get(connection, name::IS_FORGOTTEN)? == Some(true)
            || facts::get(connection, name::PACKS)?.unwrap_or(false) != news.opens_packed
        {
            return Ok(false);
        }
        let known: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let is_said = |(scope, mark): &(ScopeId, u64)| {
            known.iter().find(|(of, _)| of == scope).map_or(0, |(_, mark)| *mark) == *mark
        };
        let mut any_set_aside =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM set_aside_notices)")?;
        Ok(news.watermarks.iter().all(is_said)
            && !any_set_aside.query_row([], |row| row.get::<_, bool>(0))?)
    }

    fn take_event(&mut self, event: Event, unsent: &mut Unsent) -> Result<()> {
        match event {
            Event::News(news) => {
                self.take_news(news, unsent)?;
                unsent.note_set_aside(self.connection())
            }
            Event::Receipts { scope, receipts } => self.take_receipts(scope, &receipts, unsent),
            Event::Frame { frame, bytes, cursor } => self.take_frame(&frame, &bytes, cursor, unsent),
            Event::Compared { agreed, differing } => self.take_compared(&agreed, &differing),
            Event::State { frame, .. } => self.take_state(&frame, unsent),
            Event::End { cursors, heads, carried } => {
                let void = heads.iter().map(|(scope, head)| {
                    let is_above = |key, position| is_void(key, position, Shown::UpTo(*head));
                    (*scope, unsent.void_keys(*scope, is_above))
                });
                let void: Vec<_> = void.filter(|(_, keys)| !keys.is_empty()).collect();
                self.pass(&cursors, &void, &carried, unsent)
            }
            Event::FellBack { scope, cursor } => self.fall_back(scope, cursor, unsent),
            // Marks are offered by whoever holds the session; nothing changes until the hub has taken one.
            Event::OtherHistory { .. } | Event::Refused(_) => Ok(()),
        }
    }

    fn take_news(&mut self, news: News, unsent: &mut Unsent) -> Result<()> {
        let heard = HubTime::heard(news.hub_time_ms, self.time_source());
        let scopes = self.replica.scopes()?;
        let mut batch = self.replica.begin()?;
        for left in &news.left {
            // No chain will ever prove what lies above the cursor: of a scope that was left it holds as long as every reply
            // says it again, which the receipts after this do.
            if let Some(state) = scopes.iter().find(|state| state.scope == left.scope) {
                receipts::forget(batch.connection(), &unsent.doubt(state.scope, state.position, &news.held))?;
            }
        }
        for (scope, kind) in &news.joined {
            if let Some(kind) = ScopeKind::from_number(*kind) {
                leave::come_in(&mut batch, *scope, kind)?;
            }
        }
        let connection = batch.connection();
        facts::put(connection, name::HUB_TIME, &heard)?;
        facts::put(connection, name::NONCE, news.nonce.as_bytes())?;
        note_left(connection, &news)?;
        let known: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let mut marks: Watermarks = known
            .iter()
            .filter(|(scope, _)| news.watermarks.iter().all(|(of, _)| of != scope))
            .copied()
            .collect();
        marks.extend(news.watermarks.iter().filter(|(_, mark)| *mark > 0));
        if marks != known {
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
            receipts::end_void(connection, held.key)?;
        }
        drop_stale_notices(connection, &news)?;
        if facts::get(connection, name::PACKS)?.unwrap_or(false) != news.opens_packed {
            facts::put(connection, name::PACKS, &news.opens_packed)?;
        }
        if facts::get(connection, name::IS_FORGOTTEN)? == Some(true) {
            facts::put(connection, name::IS_FORGOTTEN, &false)?;
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
        let places: Vec<(u64, Key)> =
            frame.changes().filter_map(|served| Some((served.position?, served.head.key))).collect();
        let void = unsent.void_keys(scope, |key, position| {
            let place = places.binary_search_by_key(&position, |(at, _)| *at);
            place.is_ok_and(|at| is_void(key, position, Shown::At(position, places[at].1)))
        });
        let mut batch = self.replica.begin()?;
        // The hub serves changes instead of what is left of a snapshot: they hold all that it would have brought.
        batch.abandon_landing(scope)?;
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
        let connection = batch.connection();
        receipts::void(connection, number, &void)?;
        receipts::put(connection, number, &own)?;
        fall_back::come_back(connection, frame)?;
        fall_back::put_mark(connection, number, cursor)?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO kept_frames (scope, first, last, bytes) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((number, first.unwrap_or(0) as i64, last as i64, bytes))?;
        batch.set_cursor(scope, cursor.position, cursor.chain.0)?;
        facts::put(batch.connection(), name::LAST_STAMP, &clock.last().0)?;
        batch.commit()?;
        self.clock = clock;
        unsent.unplace(&void);
        unsent.receive(&own);
        unsent.pass(scope, cursor.position);
        Ok(())
    }

    fn take_receipts(&mut self, scope: ScopeId, given: &[Receipt], unsent: &mut Unsent) -> Result<()> {
        let shown = |position: u64| {
            let holds = |receipt: &&Receipt| {
                (receipt.position..receipt.position + u64::from(receipt.n)).contains(&position)
            };
            let receipt = given.iter().find(holds)?;
            let seq = receipt.first + (position - receipt.position) as u32;
            Some(Shown::At(position, Key { writer: receipt.writer, seq }))
        };
        let void = unsent.void_keys(scope, |key, position| {
            shown(position).is_some_and(|shown| is_void(key, position, shown))
        });
        let batch = self.replica.begin()?;
        let number = batch.find_scope(scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
        let connection = batch.connection();
        receipts::void(connection, number, &void)?;
        receipts::put(connection, number, given)?;
        fall_back::come_back_own(connection, given)?;
        batch.commit()?;
        unsent.unplace(&void);
        unsent.receive(given);
        // What the hub had all along may lie below the cursor, which moves no more over it.
        let cursor =
            self.replica.scopes()?.iter().find(|state| state.scope == scope).map(|state| state.position);
        if let Some(position) = cursor {
            unsent.pass(scope, position);
        }
        Ok(())
    }

    /// The end of a reply: cursors that moved, receipts that turned out to be void, frames of others that were taken.
    fn pass(
        &mut self,
        cursors: &[(ScopeId, Cursor)],
        void: &[(ScopeId, Vec<Key>)],
        carried: &[i64],
        unsent: &mut Unsent,
    ) -> Result<()> {
        let now_ms = self.now().ms;
        void.iter().for_each(|(_, keys)| unsent.unplace(keys));
        let mut batch = self.replica.begin()?;
        let mut upto = None;
        for (scope, keys) in void {
            let number = batch.find_scope(*scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
            receipts::void(batch.connection(), number, keys)?;
        }
        fall_back::note_taken(batch.connection(), carried, now_ms)?;
        for (scope, cursor) in cursors {
            batch.set_cursor(*scope, cursor.position, cursor.chain.0)?;
            let number = batch.find_scope(*scope)?.ok_or_else(|| AppError::unexpected("scope"))?;
            fall_back::put_mark(batch.connection(), number, *cursor)?;
            upto = Some(unsent.pass(*scope, cursor.position));
        }
        if let Some(upto) = upto {
            facts::put(batch.connection(), name::SENT_UPTO, &upto)?;
        }
        batch.commit()?;
        Ok(())
    }
}

/// The phone knows of more that is set aside than the hub holds: the hub has lost some of it, and what it does not name
/// is sent again.
fn drop_stale_notices(connection: &Connection, news: &News) -> Result<()> {
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM set_aside_notices")?
        .query_row([], |row| row.get(0))?;
    if count as u64 <= news.set_aside_total {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM set_aside_notices")?.execute([])?;
    for held in &news.set_aside {
        connection
            .prepare_cached("INSERT INTO set_aside_notices (key, reason) VALUES (?1, ?2)")?
            .execute((held.key.to_bytes(), held.reason))?;
    }
    Ok(())
}

/// A scope that this device left is no longer where its new work goes. A sync that comes to its end has heard of all
/// of them, and says which are left no more.
fn note_left(connection: &Connection, news: &News) -> Result<()> {
    let known: Vec<ScopeId> = facts::get(connection, name::LEFT)?.unwrap_or_default();
    let mut left = known.clone();
    left.extend(news.left.iter().map(|left| left.scope));
    left.sort_unstable();
    left.dedup();
    if left != known {
        facts::put(connection, name::LEFT, &left)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;
    use crate::time::SystemTime;

    #[test]
    fn a_panic_while_something_of_the_hub_is_written_leaves_saves_that_wait_for_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut phone = Phone::open(folder.path(), Arc::new(SystemTime)).expect("opens");
        let waits = |phone: &Phone| -> i64 {
            let get = "PRAGMA synchronous";
            phone.connection().query_row(get, [], |row| row.get(0)).expect("a number")
        };
        let full = waits(&phone);
        let softly = phone.softly(|phone| Ok(waits(phone))).expect("written");
        assert_ne!(softly, full);
        assert_eq!(waits(&phone), full);
        let panics = |phone: &mut Phone| {
            phone.softly(|phone| -> Result<()> {
                let _batch = phone.replica.begin()?;
                panic!("in the middle of a write")
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(|| panics(&mut phone))).is_err());
        assert_eq!(waits(&phone), full);
    }
}
