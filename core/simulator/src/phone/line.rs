//! The phone's end of a sync: requests out, replies in, every event in a transaction of its own.

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::ScopeKind;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::frame::{Frame, Outer};
use langso_sync::history::Shown;
use langso_sync::keys::PublicKey;
use langso_sync::session::{Event, News, Pace, Receipt, Session, Setup};
use langso_sync::wire::{MAX_REQUEST_BYTES, Problem, RequestEvent, RequestReader};

use super::{Disk, Frames, Phone, decoded, taught};
use crate::broken::{Promise, Result};
use crate::handset::Handset;
use crate::rule::Rule;

/// What is on the line between a phone and its hub.
#[derive(Debug, Default)]
pub(crate) enum Line {
    /// Nothing.
    #[default]
    Idle,
    /// A request.
    Up(Vec<u8>),
    /// A reply.
    Down(Vec<u8>),
}

/// What a session's event meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// More comes.
    Open,
    /// The reply is whole.
    Ended,
    /// The hub refused.
    Refused(Problem),
    /// The process died in the middle of it.
    Killed,
}

/// How an event is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking<'a> {
    pub handset: &'a Handset,
    pub now_ms: u64,
    pub rule: Option<Rule>,
    /// The process dies at the first moment at which that could harm.
    pub dies: bool,
}

impl Phone {
    /// Begins a session if none is under way.
    pub fn begin(&mut self, hub: PublicKey, max_bytes: u64, max_frame: u32) -> Result {
        if self.session.is_some() {
            return Ok(());
        }
        self.disk.outbox.begin();
        self.heard_left.clear();
        let asked = self.asked_of_left();
        let cursors = self.file.replica.scopes()?;
        let cursor = |of: &langso_store::ScopeState| Cursor { position: of.position, chain: Chain(of.chain) };
        let mut session = Session::new(Setup {
            hub,
            device: self.device,
            schema: self.file.replica.schema().registry.schema,
            app: "simulator".to_owned(),
            nonce: self.disk.nonce,
            cursors: cursors.iter().map(|of| (of.scope, cursor(of))).collect(),
            pace: Pace::from_number(self.disk.pace),
            max_bytes,
            max_frame,
        });
        session.ask_for(asked);
        self.session = Some(session);
        Ok(())
    }

    /// The next request of the session.
    pub fn ask(&mut self, rule: Option<Rule>) -> Result<Vec<u8>> {
        let held = self.held();
        let Some(session) = &mut self.session else { return Err(Promise::NoError.broken("no session")) };
        let keeps_to_itself = rule == Some(Rule::ReceiverForwards);
        let carried = self.disk.frames.offered(keeps_to_itself);
        let unsent = self.disk.outbox.open().filter(|entry| entry.is_unsent());
        let pending = unsent.map(|entry| (entry.scope, entry.bytes.to_vec()));
        let body = session.request(&self.key, &held, pending, carried);
        self.disk.pace = session.pace().number();
        for key in own_keys_in(&body, &self.disk.frames)? {
            if self.disk.outbox.get(key).is_none_or(|entry| entry.position.is_some()) {
                return Err(Promise::SentOnce.broken(key.to_string()));
            }
            if rule == Some(Rule::ReceiptsFromTheHub) {
                self.disk.outbox.presume(key);
            }
        }
        Ok(body)
    }

    /// The connection broke.
    pub fn cut(&mut self) {
        self.line = Line::Idle;
        if let Some(session) = &mut self.session {
            session.cut();
            self.disk.pace = session.pace().number();
        }
    }

    /// The reply has ended: the session goes on, or is done, or has spent its bytes.
    pub fn end_reply(&mut self) {
        self.line = Line::Idle;
        if let Some(session) = &self.session {
            self.disk.pace = session.pace().number();
            if session.done() || session.spent() {
                self.is_spent = !session.done();
                self.session = None;
            }
        }
    }

    /// Takes an event in. What was taken in before changes nothing.
    pub fn take(&mut self, event: Event, how: Taking<'_>) -> Result<Taken> {
        match event {
            Event::News(news) => self.take_news(&news, how)?,
            Event::Receipts { scope, receipts } => {
                let shown = receipts.iter().flat_map(|receipt| {
                    let key = |n| Key { writer: receipt.writer, seq: receipt.first + n };
                    (0..receipt.n).map(move |n| (receipt.position + u64::from(n), key(n)))
                });
                let shown: Vec<(u64, Key)> = shown.collect();
                // A receipt of one change shows that no other one stands there.
                self.disk.outbox.void_shown(scope, &shown, how.rule);
                self.disk.outbox.receive(&receipts);
                self.disk.frames.show(&shown.iter().map(|(_, key)| *key).collect::<Vec<_>>());
            }
            Event::Frame { frame, bytes, cursor } => return self.take_frame(&frame, &bytes, cursor, how),
            Event::End { cursors, heads, carried } => {
                self.end(&cursors, &heads, &carried, how)?;
                self.forget(how)?;
                return Ok(Taken::Ended);
            }
            Event::Compared { .. } => {}
            // The hub of a run serves its log alone.
            Event::State { .. } => {
                return Err(Promise::NoError.broken("a snapshot that no hub here makes".to_owned()));
            }
            Event::OtherHistory { scope } => {
                let marks = self.disk.frames.marks(scope);
                if let Some(session) = &mut self.session {
                    session.offer_marks(scope, &marks);
                }
            }
            Event::FellBack { scope, cursor } => self.fall_back(scope, cursor, how.rule)?,
            Event::Refused(body) => return Ok(Taken::Refused(body.problem)),
        }
        Ok(Taken::Open)
    }

    fn take_news(&mut self, news: &News, how: Taking<'_>) -> Result {
        if !news.joined.is_empty() {
            let known =
                news.joined.iter().filter_map(|(scope, kind)| Some((*scope, ScopeKind::from_number(*kind)?)));
            self.join(&known.collect::<Vec<_>>())?;
        }
        self.hear_left(news, how.rule)?;
        if how.rule == Some(Rule::LeftIsSaid) {
            self.drop_unknown(news)?;
        }
        self.disk.hub_time = Some(how.handset.hear(how.now_ms, news.hub_time_ms));
        self.disk.nonce = news.nonce;
        self.disk.outbox.set_aside(&news.set_aside);
        self.disk.frames.watermarks(&news.watermarks);
        Ok(())
    }

    /// Drops the scopes that the hub says it does not know, as no real program may.
    fn drop_unknown(&mut self, news: &News) -> Result {
        let unknown = |scope: ScopeId| news.problems.contains(&Problem::ScopeUnknown(scope));
        for state in self.file.replica.scopes()?.iter().filter(|state| unknown(state.scope)) {
            self.disk.outbox.forget(state.scope);
            self.disk.frames.forget(state.scope);
            self.journal.retain(|record| record.scope != state.scope);
        }
        Ok(())
    }

    /// The hub has another history from a mark on.
    fn fall_back(&mut self, scope: ScopeId, mark: Cursor, rule: Option<Rule>) -> Result {
        let mut batch = self.file.replica.begin()?;
        batch.set_cursor(scope, mark.position, mark.chain.0)?;
        batch.commit()?;
        let outbox = &mut self.disk.outbox;
        outbox.void(scope, Shown::UpTo(mark.position), rule);
        self.disk.frames.fall_back(scope, mark, |key| outbox.has(key), rule);
        Ok(())
    }

    /// A reply is whole: cursors move, receipts above a head fall, and what may be forgotten is.
    fn end(
        &mut self,
        cursors: &[(ScopeId, Cursor)],
        heads: &[(ScopeId, u64)],
        carried: &[i64],
        how: Taking<'_>,
    ) -> Result {
        let mut batch = self.file.replica.begin()?;
        for (scope, cursor) in cursors {
            batch.set_cursor(*scope, cursor.position, cursor.chain.0)?;
        }
        batch.commit()?;
        let Disk { outbox, frames, .. } = &mut self.disk;
        for (scope, cursor) in cursors {
            outbox.pass(*scope, cursor.position);
            frames.mark(*scope, *cursor);
        }
        frames.taken(carried);
        for (scope, head) in heads {
            outbox.void(*scope, Shown::UpTo(*head), how.rule);
            frames.at_head(*scope);
        }
        Ok(())
    }

    /// Forgets what lies below the prune line, when the phone is sure of the time and has read all there is: a hub that
    /// does not know the cursor, or has more to say, may have lost what it once had a backup of.
    fn forget(&mut self, how: Taking<'_>) -> Result {
        let now = self.moment(how.handset, how.now_ms);
        let is_done = self.session.as_ref().is_some_and(Session::done);
        let waits = !matches!(how.rule, Some(Rule::PruneWhenDone | Rule::PruneBelowOwnCursor));
        if !now.is_sure || (waits && !is_done) {
            return Ok(());
        }
        for of in self.file.replica.scopes()? {
            // Of a scope that was left nothing more is fetched: the last own change stands for the cursor.
            let is_left = self.heard_left.contains(&of.scope);
            let reach = if is_left { self.disk.outbox.reach(of.scope) } else { Some(of.position) };
            let Some(reach) = reach else { continue };
            let line = self.disk.frames.settle(now.ms, of.scope, reach.max(of.position), how.rule);
            let gone = self.disk.outbox.prune(of.scope, line);
            let mut batch = self.file.replica.begin()?;
            for key in &gone {
                batch.note_own(*key)?;
            }
            batch.commit()?;
            self.journal.retain(|record| !gone.contains(&record.key));
        }
        if is_done { self.drop_left(how.rule) } else { Ok(()) }
    }

    fn take_frame(&mut self, frame: &Frame, bytes: &[u8], cursor: Cursor, how: Taking<'_>) -> Result<Taken> {
        let scope = frame.header.scope;
        let now = self.moment(how.handset, how.now_ms);
        if how.rule == Some(Rule::CursorWithItsFrame) {
            let mut batch = self.file.replica.begin()?;
            batch.set_cursor(scope, cursor.position, cursor.chain.0)?;
            batch.commit()?;
            if how.dies {
                return Ok(Taken::Killed);
            }
        }
        let mut clock = self.pen.clock;
        let mut own: Vec<Receipt> = Vec::new();
        let mut shown: Vec<(u64, Key)> = Vec::new();
        let mut batch = self.file.replica.begin()?;
        taught::forget_if(how.rule, &batch)?;
        for served in frame.changes() {
            let change = decoded(served.bytes)?;
            let highest = &mut self.disk.highest;
            taught::take_in(&mut batch, (scope, served.author), &change, how.rule, highest)?;
            self.pen.heard = self.pen.heard.max(change.stamp);
            clock.adopt(now.ms, change.stamp);
            shown.extend(served.position.map(|position| (position, change.key)));
            if let Some(position) = served.position.filter(|_| served.author == self.device) {
                own.push(Receipt { writer: change.key.writer, first: change.key.seq, n: 1, position });
            }
        }
        batch.set_cursor(scope, cursor.position, cursor.chain.0)?;
        if how.dies {
            drop(batch);
            return Ok(Taken::Killed);
        }
        batch.commit()?;
        self.pen.clock = clock;
        self.disk.last_stamp = clock.last();
        self.disk.outbox.void_shown(scope, &shown, how.rule);
        let keys = shown.into_iter().map(|(_, key)| key).collect();
        self.disk.frames.keep(scope, cursor, bytes, keys);
        self.disk.outbox.receive(&own);
        self.disk.outbox.pass(scope, cursor.position);
        Ok(Taken::Open)
    }
}

/// The changes that a phone's request carries, but for those in frames that it has kept.
fn own_keys_in(body: &[u8], kept: &Frames) -> Result<Vec<Key>> {
    let wrong = |error: &dyn std::error::Error| Promise::NoError.broken(format!("own request: {error}"));
    let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
    reader.push(body).map_err(|error| wrong(&error))?;
    let mut keys = Vec::new();
    while let Some(event) = reader.next_event().map_err(|error| wrong(&error))? {
        if let RequestEvent::Frame(bytes) = event {
            if kept.is_kept(&bytes) {
                continue;
            }
            let frame = Outer::whole(&bytes).and_then(|outer| outer.open()).map_err(|error| wrong(&error))?;
            keys.extend(frame.changes().map(|change| change.head.key));
        }
    }
    Ok(keys)
}
