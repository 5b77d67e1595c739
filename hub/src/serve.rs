//! What a phone is answered: receipts for what it holds, signed frames for what it does not, scope by scope in order
//! of position, within its budget. Sans-IO over the log; blocks on the disk.
//!
//! The one idea: every position after the cursor is either in a receipt of the head or in a frame, or under a snapshot
//! that is served, so that the phone's chain always closes. Frames are made one at a time, when the line has taken the last.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use langso_domain::id::{DeviceId, Key, ScopeId};
use langso_sync::chain::Cursor;
use langso_sync::frame::MAX_FRAME_BYTES;
use langso_sync::session::hub::{
    Entry, Gap, HeldIndex, Serving, is_snapshot_shorter, receipts, receipts_above,
};
use langso_sync::wire::SetAside;
use langso_sync::wire::{Ended, Held, Hello, Left, MAX_RANGES, Problem, Question, Reason, ReplyHead};

use crate::access;
use crate::clock::Millis;
use crate::compare::Compared;
use crate::keys::HubKeys;
use crate::log::{self, Log, OTHER_BYTES, Position, Stored};
use crate::nonce;
use crate::snapshots::{Frames, Snapshot, Snapshots};
use crate::sync::{Aside, Known};

/// The most bytes of a frame when the phone leaves it to the hub: past this deflate gains nothing, and the first
/// frame shall be there soon.
const USUAL_FRAME: usize = 64 * 1024;
/// Below this a frame is mostly its signature.
const LEAST_FRAME: usize = 512;
/// Bytes that the end record may take of the budget: its own, and for each scope that moved.
const END_BYTES: usize = 16;
const END_SCOPE_BYTES: usize = 28;
/// What naming a change as set aside costs.
const ASIDE_BYTES: usize = 16;
/// What one range of a receipt costs at most.
const RANGE_BYTES: usize = 8;
/// Rows and bytes read from the log at a time.
const PAGE_ROWS: u64 = 1_000;
const PAGE_BYTES: usize = 256 * 1024;
/// The most changes named as set aside, by scope, of those that came with earlier requests.
const MAX_NAMED: u32 = 256;

/// A reply under way.
#[derive(Debug)]
pub struct Reply {
    log: Arc<Log>,
    keys: Arc<HubKeys>,
    scopes: VecDeque<Part>,
    /// Bytes that may still go, the end record's set apart; as good as none when the phone said no limit.
    budget: usize,
    max_frame: usize,
    ended: Ended,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Box<ReplyHead>),
    Frames,
    Done,
}

/// What is left to serve of one scope.
#[derive(Debug)]
struct Part {
    scope: ScopeId,
    from: Cursor,
    /// A snapshot whose frames go first, and the next of them.
    landing: Option<(Frames, u32)>,
    serving: Serving,
    head: Position,
    page: VecDeque<Stored>,
}

impl Reply {
    /// Plans the answer to the hello of that request, whose device has been verified; `aside` is what of its own changes
    /// in it was set aside, `known` what was there before.
    ///
    /// # Errors
    /// [`log::Error`].
    pub fn new(
        (log, keys, snapshots): (Arc<Log>, Arc<HubKeys>, Arc<Snapshots>),
        device: DeviceId,
        (question, hello): (Question, &Hello),
        (aside, known): (&[Aside], &[Known]),
        now: Millis,
    ) -> Result<Self, log::Error> {
        let nonce = nonce::give(&keys.secret, device, now);
        let hub_time_ms = now.unsigned();
        let mut head = ReplyHead { hub_time_ms, nonce, question, opens_packed: true, ..ReplyHead::default() };
        let budget = match hello.max_bytes {
            u32::MAX => usize::MAX,
            most => (most as usize).saturating_sub(END_BYTES + END_SCOPE_BYTES * hello.cursors.len()),
        };
        // Receipts come first of all.
        let most_ranges = MAX_RANGES.min((budget / RANGE_BYTES).max(16));
        let mut room = most_ranges;
        let grants = log.grants(device)?;
        let readable = grants.iter().filter(|grant| access::may_read(grant.kind, grant.role));
        let mut readable: BTreeMap<ScopeId, i64> =
            readable.map(|grant| (grant.scope, grant.kind as i64)).collect();
        let index = HeldIndex::new(&hello.held);
        let mut held = by_scope(&log, &hello.held)?;
        let recall = HeldIndex::new(&hello.recalled);
        let mut recalled = by_scope(&log, &hello.recalled)?;
        // What has just come is named before all else: however much waits, it is not sent again.
        let is_asked = |of: ScopeId| hello.cursors.iter().any(|(scope, _)| *scope == of);
        let just_come = aside.iter().filter(|(scope, ..)| is_asked(*scope));
        head.set_aside.extend(just_come.map(|(_, key, code)| set_aside(*key, code)));
        let named: HashSet<Key> = head.set_aside.iter().map(|one| one.key).collect();
        let mut scopes = VecDeque::new();
        for (at, (scope, cursor)) in hello.cursors.iter().enumerate() {
            add_waiting(&log, *scope, device, &mut head, &named)?;
            let is_served = readable.remove(scope).is_some();
            let left = if is_served { None } else { log.left_at(device, *scope)? };
            let state = if is_served || left.is_some() { log.scope(*scope)? } else { None };
            let Some(state) = state else {
                head.problems.push(Problem::ScopeUnknown(*scope));
                continue;
            };
            let Some(from) = start(&log, hello, at, *scope, *cursor)? else {
                head.problems.push(Problem::CursorUnknown(*scope));
                continue;
            };
            if from != *cursor {
                head.resumed.push((at, from));
            }
            if state.watermark > 0 {
                head.watermarks.push((at, state.watermark));
            }
            let offers = held.remove(scope).unwrap_or_default();
            let mut rows = Vec::new();
            for offer in offers {
                rows.extend(log.keys_of(*scope, offer.writer, offer.upto, from.position)?);
            }
            // What came after the head was read is told next time: the phone counts a receipt above the head as void.
            rows.retain(|(position, _)| *position <= state.head);
            rows.sort_unstable_by_key(|(position, _)| *position);
            // What stands below the cursor and came in this request, or was asked for, is told apart from what the chain
            // runs over.
            let mut below = BTreeMap::new();
            for offer in recalled.remove(scope).unwrap_or_default() {
                let told = log.keys_of(*scope, offer.writer, offer.upto, 0)?;
                let places = hello.held.len() as u32;
                let place = |key| recall.place(key).map(|place| places + place);
                let told = told.into_iter().filter(|(position, _)| *position <= from.position);
                below.extend(told.map(|(position, key)| (position, (key, place(key)))));
            }
            let came = known.iter().filter(|(of, _, position)| of == scope && *position <= from.position);
            below.extend(came.map(|(_, key, position)| (*position, (*key, index.place(*key)))));
            let places: HashMap<Key, Option<u32>> = below.values().copied().collect();
            let below = below.into_iter().map(|(position, (key, _))| (position, key));
            let mut got = receipts(at, |key| places[&key], below, &mut room);
            got.ranges.extend(receipts(at, |key| index.place(key), rows, &mut room).ranges);
            if let Some(left) = left {
                // Who left is still told where the own work is, and how safe, and is served nothing more.
                head.left.push(Left::sign(&keys.signing, device, *scope, left.unsigned()));
                if !got.ranges.is_empty() {
                    head.receipts.push(got);
                }
                continue;
            }
            let is_told = hello.landings.iter().any(|landing| landing.scope == at);
            let landing = match is_told || from.position < state.head {
                true => choose(&snapshots.of(*scope)?, hello, at, from, budget),
                false => None,
            };
            // One that was replaced just now is served as changes.
            let landing = landing.and_then(|(snapshot, next)| match snapshot.open_frames() {
                Ok(frames) => Some((frames, next)),
                Err(why) => {
                    tracing::warn!(%why, "a snapshot cannot be opened");
                    None
                }
            });
            let begin = landing.as_ref().map_or(from, |(frames, _)| frames.snapshot.of);
            let covered = receipts_above(&got.ranges, begin.position);
            let serving = Serving::new(*scope, log.registry().schema, begin, &covered, &hello.held);
            let is_asked = landing.is_some();
            let part =
                Part { scope: *scope, from, landing, serving, head: state.head, page: VecDeque::new() };
            if !got.ranges.is_empty() {
                head.receipts.push(got);
            }
            if is_asked || from.position < state.head {
                scopes.push_back(part);
            }
        }
        head.joined = readable.into_iter().collect();
        let after_receipts = budget.saturating_sub((most_ranges - room) * RANGE_BYTES);
        head.set_aside.truncate((after_receipts / ASIDE_BYTES).max(16));
        let most = match hello.max_frame as usize {
            size if size == u32::MAX as usize => USUAL_FRAME,
            size => size.clamp(LEAST_FRAME, USUAL_FRAME),
        };
        Ok(Self {
            log,
            keys,
            scopes,
            budget,
            max_frame: most,
            ended: Ended::default(),
            state: State::Head(Box::new(head)),
        })
    }

    /// Says what became of the digests of the request; before the first part.
    pub fn say_compared(&mut self, compared: Compared) {
        if let State::Head(head) = &mut self.state {
            head.agreed = compared.agreed;
            head.problems.extend(compared.differing.into_iter().map(Problem::DigestDiffers));
        }
    }

    /// The next bytes of the reply; none when it is whole.
    ///
    /// # Errors
    /// [`log::Error`]: the reply ends without its end record, and the phone asks again.
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>, log::Error> {
        match std::mem::replace(&mut self.state, State::Frames) {
            State::Head(head) => {
                let bytes = head.encode();
                self.budget = self.budget.saturating_sub(bytes.len());
                Ok(Some(bytes))
            }
            State::Frames => match self.next_frame()? {
                Some(frame) => Ok(Some(frame)),
                None => {
                    self.state = State::Done;
                    Ok(Some(self.ended.encode()))
                }
            },
            State::Done => {
                self.state = State::Done;
                Ok(None)
            }
        }
    }

    fn next_frame(&mut self) -> Result<Option<Vec<u8>>, log::Error> {
        while let Some(mut part) = self.scopes.pop_front() {
            // What a budget cannot take is left for a reply with more: the phone says when even its whole one is short.
            let frame = match part.landing.is_some() {
                true => part.state_frame(self.budget)?,
                false => self.frame_within(&mut part)?,
            };
            let whole = part.landing.is_none() && part.serving.cursor().position >= part.head;
            if whole || frame.is_none() {
                let cursor = if part.landing.is_none() { part.serving.cursor() } else { part.from };
                if cursor != part.from {
                    self.ended.cursors.push((part.scope, cursor));
                }
                self.ended.more |= !whole;
            } else {
                self.scopes.push_front(part);
            }
            if let Some(frame) = frame {
                self.budget = self.budget.saturating_sub(frame.len());
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// One frame of the scope that fits into the budget; none when receipts cover all the rest, or nothing fits.
    fn frame_within(&self, part: &mut Part) -> Result<Option<Vec<u8>>, log::Error> {
        let mut most = self.max_frame.min(self.budget);
        // How far deflate gets is an estimate, which matters near the end of a budget.
        let is_tight = self.budget < 2 * MAX_FRAME_BYTES;
        loop {
            let before = is_tight.then(|| part.serving.clone());
            let (frame, count) = self.frame_of(part, most)?;
            let is_short = frame.as_ref().is_none_or(|frame| frame.len() <= self.budget);
            let Some(before) = before.filter(|_| !is_short) else { return Ok(frame) };
            // Its rows are read again: this happens once or twice in a reply.
            (part.serving, most) = (before, most * 3 / 4);
            part.page.clear();
            // A change longer than what is left waits for a reply with more.
            if count == 1 {
                break;
            }
        }
        // The receipts before it count.
        part.serving.pass_receipts();
        Ok(None)
    }

    /// A frame of about so many bytes, and how many changes are in it.
    fn frame_of(&self, part: &mut Part, most: usize) -> Result<(Option<Vec<u8>>, usize), log::Error> {
        let mut count = 0;
        while let Some(next) = part.next_row(&self.log)? {
            let Stored { position, key, device: author, bytes, .. } = next;
            let entry = Entry { position, key, author, bytes: &bytes };
            match part.serving.push(entry, most) {
                Ok(true) => count += 1,
                Ok(false) => {
                    part.page.push_front(Stored { bytes, ..next });
                    break;
                }
                Err(Gap) => return Err(log::Error::Corrupt("position")),
            }
        }
        Ok((part.serving.flush(&self.keys.signing), count))
    }
}

impl Part {
    /// The next frame of its snapshot, when it has at most so many bytes; after the last, changes follow.
    fn state_frame(&mut self, most: usize) -> Result<Option<Vec<u8>>, log::Error> {
        let Some((frames, next)) = &self.landing else { return Ok(None) };
        if frames.snapshot.length(*next).is_none_or(|length| length > most) {
            return Ok(None);
        }
        let frame = frames.get(*next).map_err(|why| {
            tracing::error!(%why, "a snapshot cannot be read");
            log::Error::Corrupt("snapshot")
        })?;
        let next = *next + 1;
        self.landing = self.landing.take().filter(|(frames, _)| next < frames.snapshot.frames());
        self.landing.iter_mut().for_each(|(_, at)| *at = next);
        Ok(Some(frame))
    }

    /// The row after the cursor, which no receipt covers; none at the head as it was when the reply began.
    fn next_row(&mut self, log: &Log) -> Result<Option<Stored>, log::Error> {
        let until = self.serving.pass_receipts();
        if self.page.is_empty() {
            let after = self.serving.cursor().position;
            let rows =
                until.map_or(self.head, |until| until.min(self.head)).saturating_sub(after).min(PAGE_ROWS);
            if rows > 0 {
                let rows = u32::try_from(rows).unwrap_or(u32::MAX);
                self.page = log.changes_after(self.scope, after, rows, PAGE_BYTES)?.into();
            }
        }
        Ok(self.page.pop_front())
    }
}

/// The snapshot to serve and its next frame, when the phone asks for one, is landing one, has nothing of the scope, or is
/// so far behind that the changes are more bytes. A phone of which it is known that only small frames come through, or
/// whose bytes do not reach for one, gets changes, unless it asks for a snapshot or has shown that its frames come.
fn choose(
    known: &[Arc<Snapshot>],
    hello: &Hello,
    at: usize,
    from: Cursor,
    budget: usize,
) -> Option<(Arc<Snapshot>, u32)> {
    let told = hello.landings.iter().find(|landing| landing.scope == at);
    let asks = told.is_some_and(|landing| landing.position == 0);
    let newest = known.first().filter(|newest| newest.of.position >= from.position)?;
    let under_way = told.and_then(|landing| {
        let snapshot =
            known.iter().find(|one| one.of.position == landing.position && landing.position > 0)?;
        snapshot.bytes_from(landing.next).filter(|_| landing.next > 0)?;
        (snapshot.of.position >= from.position).then(|| (snapshot.clone(), landing.next))
    });
    if under_way.is_some() {
        return under_way;
    }
    let bytes = newest.bytes_from(0)?;
    let is_shorter = is_snapshot_shorter(bytes, newest.log_bytes, newest.of.position, from.position);
    let comes_through = newest.longest <= (hello.max_frame as usize).min(budget);
    let is_behind = from.position == 0 || is_shorter || told.is_some();
    (asks || (is_behind && from.position < newest.of.position && comes_through)).then(|| (newest.clone(), 0))
}

/// Writers of which a phone speaks, by the scope to which each is bound.
fn by_scope<'h>(log: &Log, writers: &'h [Held]) -> Result<BTreeMap<ScopeId, Vec<&'h Held>>, log::Error> {
    let mut by_scope: BTreeMap<ScopeId, Vec<&Held>> = BTreeMap::new();
    for one in writers {
        if let Some(scope) = log.scope_of(one.writer)? {
            by_scope.entry(scope).or_default().push(one);
        }
    }
    Ok(by_scope)
}

/// The cursor to serve from: the phone's, or the newest of its marks in this log's history; none when none is.
fn start(
    log: &Log,
    hello: &Hello,
    at: usize,
    scope: ScopeId,
    cursor: Cursor,
) -> Result<Option<Cursor>, log::Error> {
    let marks = hello.marks.iter().filter(|mark| mark.scope == at).map(|mark| mark.cursor);
    for candidate in std::iter::once(cursor).chain(marks) {
        if log.knows(scope, candidate)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

fn add_waiting(
    log: &Log,
    scope: ScopeId,
    device: DeviceId,
    head: &mut ReplyHead,
    named: &HashSet<Key>,
) -> Result<(), log::Error> {
    let (waiting, all) = log.waiting_of(scope, device, MAX_NAMED)?;
    head.set_aside_total += all;
    let new = waiting.into_iter().filter(|(key, _)| !named.contains(key));
    head.set_aside.extend(new.map(|(key, code)| set_aside(key, &code)));
    Ok(())
}

fn set_aside(key: Key, code: &str) -> SetAside {
    let reason = match code {
        "beyond_role" => Reason::Role,
        "revoked_device" => Reason::Revoked,
        "malformed" => Reason::Unreadable,
        "reentered" => Reason::Reentered,
        // Its place or its writer is another's: sent again it gets none.
        OTHER_BYTES | "writer_elsewhere" => Reason::OtherBytes,
        _ => Reason::Scope,
    };
    SetAside { key, reason: reason as u8 }
}
