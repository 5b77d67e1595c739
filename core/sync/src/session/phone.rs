//! The phone's half of a session: builds the next request, checks what comes back, says what happened.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use langso_domain::id::{Key, ScopeId, Writer};

use super::landing::Landings;
use super::pace::Pace;
use super::track::{Break, Track};
use super::types::{Event, News, Progress, Receipt, SessionError, Setup};
use crate::chain::Cursor;
use crate::digest::Digest;
use crate::frame::{KIND_STATE, Outer, USUAL_PERMILLE};
use crate::wire::{Ended, Held, Problem, Question, ReplyEvent, ReplyHead, ReplyReader, WireError};

/// What the request under way said and carries.
#[derive(Debug, Default)]
pub(super) struct Flight {
    pub bytes: usize,
    /// Its name in the reply.
    pub question: Question,
    /// What had come down before it.
    pub down: u64,
    pub cursors: Vec<(ScopeId, Cursor)>,
    pub held: Vec<Held>,
    pub recalled: Vec<Held>,
    /// The changes in its frames.
    pub keys: Vec<Key>,
    /// Others' frames in it.
    pub carried: Vec<i64>,
    /// The scopes for which it offers marks.
    pub marked: Vec<ScopeId>,
    /// The scopes of which the hub has served nothing.
    pub unserved: Vec<ScopeId>,
    /// The outbox has nothing more than that.
    pub exhausted: bool,
    /// The digests it offers.
    pub compared: Vec<(ScopeId, Digest)>,
    /// It brought something: asking again makes sense.
    pub news: bool,
    /// Changes went up or came down.
    pub brought: bool,
    /// It left out a change that no request of this session can hold: the next may bring what stands behind it.
    pub skips: bool,
}

/// One session of one phone with its hub.
///
/// Order after a cut: the phone cannot know which frames the hub has kept. The next request is therefore small
/// ([`MIN_REQUEST`](super::MIN_REQUEST)): it offers the writers that may have arrived, and carries at most one small frame, so that it
/// also makes way when every connection passes but one request. Its receipts say what arrived; only the rest is sent.
#[derive(Debug)]
pub struct Session {
    pub(super) setup: Setup,
    pub(super) reader: ReplyReader,
    pub(super) flight: Option<Flight>,
    pub(super) tracks: HashMap<ScopeId, Track>,
    pub(super) events: VecDeque<Event>,
    /// Sent in a request whose reply has ended.
    pub(super) sent: HashSet<Key>,
    /// Others' frames sent in such a request.
    pub(super) carried: HashSet<i64>,
    /// Writers that the hub may know from this session.
    pub(super) offered: HashSet<Writer>,
    /// Own writers of which receipts were lost and have not been told again.
    pub(super) recalled: Vec<Held>,
    /// Scopes whose cursor the hub did not know, with what is offered instead.
    pub(super) marks: BTreeMap<ScopeId, Vec<Cursor>>,
    /// To be compared in the next request.
    pub(super) digests: Vec<(ScopeId, Digest)>,
    pub(super) landings: Landings,
    /// The hub may hold changes from before, of which nobody here knows.
    pub(super) uncertain: bool,
    /// A connection was cut lately: frames must stay small both ways.
    pub(super) fragile: bool,
    /// The hub opens packed frames.
    pub(super) packs: bool,
    /// What the last frame taught about deflating.
    pub(super) permille: u32,
    pub(super) progress: Progress,
    more: bool,
    exhausted: bool,
    /// What is next does not fit into the bytes left.
    pub(super) starved: bool,
    /// Something came further, up or down.
    pub(super) moved: bool,
    /// Positions that this session has heard of.
    pub(super) told: HashSet<(Writer, u32, u64)>,
    /// Changes that do not fit into the bytes that were left.
    pub(super) too_long: HashSet<Key>,
}

impl Session {
    /// A session that has said nothing yet.
    pub fn new(setup: Setup) -> Self {
        Self {
            uncertain: setup.pace.is_open(),
            fragile: setup.pace.is_cut(),
            setup,
            reader: ReplyReader::default(),
            flight: None,
            tracks: HashMap::new(),
            events: VecDeque::new(),
            sent: HashSet::new(),
            carried: HashSet::new(),
            offered: HashSet::new(),
            recalled: Vec::new(),
            marks: BTreeMap::new(),
            digests: Vec::new(),
            landings: Landings::default(),
            packs: false,
            permille: USUAL_PERMILLE,
            progress: Progress::default(),
            more: true,
            exhausted: false,
            starved: false,
            moved: false,
            told: HashSet::new(),
            too_long: HashSet::new(),
        }
    }

    /// Takes bytes of the reply.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.progress.down += chunk.len() as u64;
        self.reader.push(chunk);
    }

    /// What happened next; none when more bytes are needed.
    ///
    /// # Errors
    /// The reply cannot be used further; everything before is good. Then [`Session::cut`] or give up.
    pub fn next_event(&mut self) -> Result<Option<Event>, SessionError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.reader.next_event()? {
                None => return Ok(None),
                Some(ReplyEvent::Head(head)) => self.head(head)?,
                Some(ReplyEvent::Frame(bytes)) => return self.frame(bytes).map(Some),
                Some(ReplyEvent::End(ended)) => return self.end(ended).map(Some),
                Some(ReplyEvent::Problem(body)) => {
                    if let Some(nonce) = body.nonce {
                        self.setup.nonce = nonce;
                        self.moved = true;
                    }
                    // Nothing was taken in: they are still of the cursors that the next request says.
                    self.digests = self.flight.take().map_or_else(Vec::new, |flight| flight.compared);
                    self.uncertain = true;
                    return Ok(Some(Event::Refused(body)));
                }
            }
        }
    }

    fn head(&mut self, head: ReplyHead) -> Result<(), SessionError> {
        let flight = self.flight.as_mut().ok_or(WireError::Malformed("reply"))?;
        if head.question != flight.question {
            return Err(WireError::OtherQuestion.into());
        }
        let scope_at =
            |at: usize| flight.cursors.get(at).map(|(scope, _)| *scope).ok_or(WireError::Malformed("scope"));
        let mut fell_back = Vec::new();
        for (at, cursor) in &head.resumed {
            let scope = scope_at(*at)?;
            let offered = self.marks.get(&scope).is_some_and(|marks| marks.contains(cursor));
            if !flight.marked.contains(&scope) || (!offered && *cursor != Cursor::start(scope)) {
                return Err(WireError::Malformed("mark").into());
            }
            fell_back.push((*at, scope, *cursor));
        }
        let sent: HashSet<Key> = flight.keys.iter().copied().collect();
        let mut receipts = Vec::new();
        for of in &head.receipts {
            let scope = scope_at(of.scope)?;
            let resumed = head.resumed.iter().find(|(at, _)| *at == of.scope);
            let from = resumed.map_or(flight.cursors[of.scope].1, |(_, cursor)| *cursor).position;
            let mut list = Vec::with_capacity(of.ranges.len());
            for range in &of.ranges {
                let place = range.held as usize;
                let mut said = flight.held.iter().chain(&flight.recalled);
                let held = said.nth(place).ok_or(WireError::Malformed("receipts"))?;
                // Below the cursor only what was recalled, or just sent as if the hub did not know it, and no range across it.
                let is_recalled = place >= flight.held.len();
                let is_below = range.position + u64::from(range.n) - 1 <= from;
                let is_sent = |seq| sent.contains(&Key { writer: held.writer, seq });
                let is_known = || is_recalled || (range.first..range.first + range.n).all(is_sent);
                let is_due = if is_below { is_known() } else { range.position > from && !is_recalled };
                if range.first + range.n - 1 > held.upto || !is_due {
                    return Err(WireError::Malformed("receipts").into());
                }
                list.push(Receipt {
                    writer: held.writer,
                    first: range.first,
                    n: range.n,
                    position: range.position,
                });
            }
            receipts.push((scope, list));
        }
        let mut watermarks = head
            .watermarks
            .iter()
            .map(|(at, position)| Ok((scope_at(*at)?, *position)))
            .collect::<Result<Vec<_>, WireError>>()?;
        for left in &head.left {
            if !left.holds(&self.setup.hub, self.setup.device) {
                return Err(WireError::Signature.into());
            }
        }
        let agreed = head.agreed.iter().map(|at| scope_at(*at)).collect::<Result<Vec<_>, WireError>>()?;
        let differing = head.problems.iter().filter_map(|problem| match problem {
            Problem::DigestDiffers(scope) => Some(*scope),
            _ => None,
        });
        let differing: Vec<ScopeId> = differing.collect();
        if agreed.iter().chain(&differing).any(|scope| flight.compared.iter().all(|(of, _)| of != scope)) {
            return Err(WireError::Malformed("digest").into());
        }
        // Everything is checked; from here on nothing fails.
        if !(agreed.is_empty() && differing.is_empty()) {
            self.events.push_back(Event::Compared { agreed, differing });
        }
        for (at, scope, cursor) in fell_back {
            flight.cursors[at].1 = cursor;
            set(&mut self.setup.cursors, scope, cursor);
            self.marks.remove(&scope);
            self.landings.end(scope);
            flight.news = true;
            // What this session sent may be among what the hub lost.
            flight.exhausted = false;
            flight.keys.clear();
            flight.carried.clear();
            self.sent.clear();
            self.carried.clear();
            self.told.clear();
            self.events.push_back(Event::FellBack { scope, cursor });
        }
        for (scope, list) in &receipts {
            let from = flight.cursors.iter().find(|(of, _)| of == scope).map(|(_, cursor)| *cursor);
            if let Some(from) = from {
                let above = list.iter().position(|receipt| receipt.position > from.position);
                self.tracks.insert(*scope, Track::new(from, &list[above.unwrap_or(list.len())..]));
            }
        }
        // Whatever was told of these, asking once more would bring the same.
        self.recalled.retain(|of| !flight.recalled.contains(of));
        self.setup.nonce = head.nonce;
        // A scope that was left stays in what is asked: of the own work there, what waits is told in every reply, and a
        // reply that did not name it would say that nothing waits.
        for (scope, _) in &head.joined {
            if self.setup.cursors.iter().all(|(known, _)| known != scope) {
                self.setup.cursors.push((*scope, Cursor::start(*scope)));
                flight.news = true;
                flight.exhausted = false;
            }
        }
        for problem in &head.problems {
            if let Problem::CursorUnknown(scope) | Problem::ScopeUnknown(scope) = problem {
                flight.unserved.push(*scope);
            }
            if let Problem::CursorUnknown(scope) = problem
                && !flight.marked.contains(scope)
            {
                flight.news = true;
                self.marks.entry(*scope).or_default();
                self.events.push_back(Event::OtherHistory { scope: *scope });
            }
        }
        // What a hub does not say of a scope of which it tells receipts is nothing: it may have been restored without its
        // backup.
        for (scope, _) in &flight.cursors {
            if !flight.unserved.contains(scope) && watermarks.iter().all(|(of, _)| of != scope) {
                watermarks.push((*scope, 0));
            }
        }
        flight.unserved.extend(head.left.iter().map(|left| left.scope));
        // Positions above the cursor are said again in every reply.
        for receipt in receipts.iter().flat_map(|(_, list)| list) {
            flight.news |= self.told.insert((receipt.writer, receipt.first, receipt.position));
        }
        self.events.push_back(Event::News(News {
            hub_time_ms: head.hub_time_ms,
            nonce: head.nonce,
            watermarks,
            left: head.left,
            held: flight.held.clone(),
            joined: head.joined,
            set_aside: head.set_aside,
            set_aside_total: head.set_aside_total,
            problems: head.problems,
            opens_packed: head.opens_packed,
        }));
        for (scope, receipts) in receipts {
            if !receipts.is_empty() {
                self.events.push_back(Event::Receipts { scope, receipts });
            }
        }
        Ok(())
    }

    fn frame(&mut self, bytes: Vec<u8>) -> Result<Event, SessionError> {
        let flight = self.flight.as_mut().ok_or(WireError::Malformed("reply"))?;
        let outer = Outer::whole(&bytes)?;
        outer.verify(&self.setup.hub)?;
        if outer.kind() == KIND_STATE {
            return self.state(&outer);
        }
        let frame = outer.open()?;
        let scope = frame.header.scope;
        let asked = flight.cursors.iter().find(|(of, _)| *of == scope).map(|(_, cursor)| *cursor);
        let asked = asked.ok_or(WireError::Malformed("scope"))?;
        let track = self.tracks.entry(scope).or_insert_with(|| Track::new(asked, &[]));
        track.frame(&frame).map_err(|broken| broken.of(scope))?;
        self.landings.end(scope);
        (flight.news, flight.brought) = (true, true);
        let cursor = track.cursor;
        set(&mut self.setup.cursors, scope, cursor);
        Ok(Event::Frame { frame, bytes, cursor })
    }

    fn end(&mut self, ended: Ended) -> Result<Event, SessionError> {
        let flight = self.flight.take().ok_or(WireError::Malformed("reply"))?;
        for (scope, end) in &ended.cursors {
            let asked = flight.cursors.iter().find(|(of, _)| of == scope).map(|(_, cursor)| *cursor);
            let asked = asked.ok_or(WireError::Malformed("scope"))?;
            let track = self.tracks.entry(*scope).or_insert_with(|| Track::new(asked, &[]));
            track.end(*end).map_err(|broken| broken.of(*scope))?;
            set(&mut self.setup.cursors, *scope, *end);
        }
        let down = usize::try_from(self.progress.down - flight.down).unwrap_or(usize::MAX);
        self.setup.pace.passed(flight.bytes.max(down));
        self.sent.extend(flight.keys);
        self.carried.extend(&flight.carried);
        // A hub that knows none of the marks will know none of them next time.
        self.marks.retain(|scope, _| !flight.marked.contains(scope));
        self.uncertain &= ended.more;
        // More without any news would be asked for for ever.
        self.more = ended.more && (flight.news || flight.skips);
        self.exhausted = flight.exhausted;
        self.starved = !flight.news && !flight.skips && (ended.more || !flight.exhausted);
        self.moved |= flight.brought;
        if self.done() {
            self.setup.pace.closed();
        }
        let served =
            flight.cursors.iter().filter(|(scope, _)| !ended.more && !flight.unserved.contains(scope));
        let heads = served.filter_map(|(scope, _)| {
            let held = self.setup.cursors.iter().find(|(of, _)| of == scope);
            held.map(|(_, cursor)| (*scope, cursor.position))
        });
        Ok(Event::End { heads: heads.collect(), cursors: ended.cursors, carried: flight.carried })
    }

    /// The connection ended before the reply did, or the reply was unusable.
    pub fn cut(&mut self) {
        if self.flight.take().is_some() {
            self.setup.pace.halve();
        }
        self.uncertain = true;
        self.fragile = true;
        self.more = true;
        self.exhausted = false;
    }

    /// Own changes that this session may have sent already turned out not to be at the hub: they are to be asked for
    /// once more.
    pub fn resend(&mut self, keys: &[Key]) {
        for key in keys {
            self.sent.remove(key);
        }
        self.exhausted = false;
        if let Some(flight) = &mut self.flight {
            flight.keys.retain(|key| !keys.contains(key));
            flight.exhausted = false;
        }
    }

    /// True when the last reply has ended, everything was sent and nothing is left to fetch.
    pub fn done(&self) -> bool {
        let all = self.exhausted && !self.more && self.marks.is_empty() && self.digests.is_empty();
        self.flight.is_none() && all && !(self.starved && self.spent())
    }

    /// Packs frames, since the hub has said that it opens such ones; or no longer, after a refusal of what it does not
    /// know. True when that changes anything.
    pub fn pack_frames(&mut self, packs: bool) -> bool {
        std::mem::replace(&mut self.packs, packs) != packs
    }

    /// True when the request under way brings the hub nothing to keep: as long as nothing of the reply has come, nobody
    /// needs to know of it after a kill.
    pub fn is_only_asking(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| !flight.brought)
    }

    /// To be kept, see [`Pace::number`].
    pub fn pace(&self) -> Pace {
        self.setup.pace
    }

    /// Every scope with what is held of it now.
    pub fn cursors(&self) -> &[(ScopeId, Cursor)] {
        &self.setup.cursors
    }

    /// Bytes and requests so far.
    pub fn progress(&self) -> Progress {
        self.progress
    }
}

impl Break {
    fn of(self, scope: ScopeId) -> SessionError {
        match self {
            Self::Hole => SessionError::Hole { scope },
            Self::Chain => SessionError::OtherHistory { scope },
        }
    }
}

pub(super) fn set(cursors: &mut [(ScopeId, Cursor)], scope: ScopeId, cursor: Cursor) {
    if let Some(at) = cursors.iter_mut().find(|(of, _)| *of == scope) {
        at.1 = cursor;
    }
}
