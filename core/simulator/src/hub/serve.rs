//! What the hub makes of a request, whole or cut, and what it answers.

use langso_domain::id::DeviceId;
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::chain::Cursor;
use langso_sync::session::hub::{Entry, HeldIndex, Serving, receipts};
use langso_sync::wire::{
    Ended, Hello, Left, MAX_RANGES, MAX_REQUEST_BYTES, Nonce, Problem, ProblemBody, Range, Reason, ReplyHead,
    RequestEvent, RequestReader, Sealed, SetAside,
};

use super::{Hub, ScopeLog};
use crate::broken::{Promise, Result};
use crate::dice::Dice;
use crate::handset::DAY_MS;
use crate::rule::Rule;

/// How long a nonce is good.
const NONCE_DAYS: u64 = 7;
/// The most bytes of a frame when the phone leaves it to the hub.
const USUAL_FRAME: usize = 64 * 1024;

impl Hub {
    /// Takes what arrives of a request, in pieces; frames are kept one by one. Gives the reply to a whole one.
    pub fn post(&mut self, body: &[u8], now_ms: u64, dice: &mut Dice) -> Result<Option<Vec<u8>>> {
        let hub_ms = self.moment(now_ms).ms;
        let problem = |problem, nonce| Some(ProblemBody { problem, hub_time_ms: hub_ms, nonce }.encode());
        // Whoever came before has ended by now.
        self.logs.iter_mut().flat_map(|log| &mut log.rows).for_each(|row| row.is_committed = true);
        let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
        let mut hello = None;
        let piece = 1 + dice.below(body.len().max(1));
        for chunk in body.chunks(piece) {
            if reader.push(chunk).is_err() {
                return Ok(problem(Problem::TooLarge, None));
            }
            loop {
                match reader.next_event() {
                    Ok(None) => break,
                    Ok(Some(RequestEvent::Auth(_))) => {}
                    Ok(Some(RequestEvent::Hello(said))) => hello = Some(said),
                    Ok(Some(RequestEvent::Frame(frame))) => {
                        if !self.ingest(&frame) {
                            return Ok(problem(Problem::BadFrame, None));
                        }
                    }
                    Err(_) => return Ok(problem(Problem::Malformed, None)),
                }
            }
        }
        let (Ok(sealed), Some(hello)) = (reader.finish(), hello) else { return Ok(None) };
        let auth = sealed.auth;
        if !self.is_true(&sealed) {
            return Ok(problem(Problem::BadSignature, None));
        }
        let nonce = nonce(auth.key_id, hub_ms / DAY_MS);
        if self.devices.get(&auth.key_id).is_some_and(|device| device.is_revoked) {
            return Ok(problem(Problem::Revoked, Some(nonce)));
        }
        let is_good = |age| nonce_of_age(auth.key_id, hub_ms, age) == Some(auth.nonce);
        if !(0..=NONCE_DAYS).any(is_good) {
            return Ok(problem(Problem::StaleNonce, Some(nonce)));
        }
        let head =
            ReplyHead { hub_time_ms: hub_ms, nonce, question: sealed.question(), ..ReplyHead::default() };
        self.reply(auth.key_id, &hello, head).map(Some)
    }

    fn is_true(&self, sealed: &Sealed) -> bool {
        self.devices.get(&sealed.auth.key_id).is_some_and(|device| sealed.verify(&device.key).is_ok())
    }

    /// Whether a device may read a scope at all.
    pub fn may_read(&self, log: &ScopeLog, device: DeviceId) -> bool {
        let role = self.devices.get(&device).map(|device| device.role);
        let has_left = self.left(device).any(|scope| scope == log.scope);
        let serves_all = self.rule == Some(Rule::TrainerSeesNoTeam)
            || (self.rule == Some(Rule::LeftIsNotServed) && has_left);
        let is_of_role = log.kind != ScopeKind::Team || role != Some(Role::Trainer);
        (is_of_role && self.has(log.scope, device)) || serves_all
    }

    fn reply(&self, device: DeviceId, hello: &Hello, mut head: ReplyHead) -> Result<Vec<u8>> {
        let held = HeldIndex::new(&hello.held);
        let mut room = MAX_RANGES;
        let mut serve: Vec<(&ScopeLog, Cursor, Vec<Range>)> = Vec::new();
        for (at, (scope, cursor)) in hello.cursors.iter().enumerate() {
            let left = self.devices.get(&device).and_then(|device| device.left.get(scope));
            let log = self.log(*scope);
            let is_served = log.is_some_and(|log| self.may_read(log, device));
            let Some(log) = log.filter(|_| is_served || left.is_some()) else {
                head.problems.push(Problem::ScopeUnknown(*scope));
                continue;
            };
            let marks = hello.marks.iter().filter(|mark| mark.scope == at).map(|mark| mark.cursor);
            let from = std::iter::once(*cursor).chain(marks).find(|from| log.knows(*from, self.rule));
            let Some(from) = from else {
                head.problems.push(Problem::CursorUnknown(*scope));
                continue;
            };
            if from != *cursor {
                head.resumed.push((at, from));
            }
            if log.watermark > 0 {
                head.watermarks.push((at, log.watermark));
            }
            let rows = (1..).zip(&log.rows).skip(from.position as usize).filter(|(_, row)| row.is_committed);
            let got = receipts(
                at,
                |key| held.place(key),
                rows.map(|(position, row)| (position, row.key)),
                &mut room,
            );
            // Who left is told where the own work is, and is served nothing more.
            match left.filter(|_| !is_served) {
                Some(at_ms) => head.left.push(Left::sign(&self.key, device, *scope, *at_ms)),
                None => serve.push((log, from, got.ranges.clone())),
            }
            if !got.ranges.is_empty() {
                head.receipts.push(got);
            }
        }
        for log in self.logs.iter().filter(|log| self.may_read(log, device)) {
            if hello.cursors.iter().all(|(known, _)| *known != log.scope) {
                head.joined.push((log.scope, log.kind as i64));
            }
        }
        let own = self.aside.iter().filter(|aside| aside.device == device);
        head.set_aside = own.map(|aside| SetAside { key: aside.key, reason: Reason::Role as u8 }).collect();
        head.set_aside_total = head.set_aside.len() as u64;
        self.frames(head.encode(), hello, &serve)
    }

    fn frames(
        &self,
        mut bytes: Vec<u8>,
        hello: &Hello,
        serve: &[(&ScopeLog, Cursor, Vec<Range>)],
    ) -> Result<Vec<u8>> {
        let gap = |error: langso_sync::session::hub::Gap| Promise::NoError.broken(error.to_string());
        let most = (hello.max_frame as usize).min(USUAL_FRAME);
        let mut end = Ended::default();
        let mut served = 0;
        for (log, from, ranges) in serve {
            let schema = self.cache.replica.schema().registry.schema;
            let mut serving = Serving::new(log.scope, schema, *from, ranges, &hello.held);
            loop {
                serving.pass_receipts();
                let position = serving.cursor().position + 1;
                let Some(row) = log.rows.get(position as usize - 1) else { break };
                if !row.is_committed {
                    if log.rows[position as usize..].iter().all(|row| !row.is_committed) {
                        break;
                    }
                    bytes.extend(serving.flush(&self.key).into_iter().flatten());
                    let above = ranges.partition_point(|range| range.position <= position);
                    let next = Cursor { position, chain: row.chain };
                    serving = Serving::new(log.scope, schema, next, &ranges[above..], &hello.held);
                    continue;
                }
                // One change always goes, so that every request brings the phone further.
                if served > 0 && bytes.len() + serving.pending_bytes() > hello.max_bytes as usize {
                    end.more = true;
                    break;
                }
                let entry = Entry { position, key: row.key, author: row.author, bytes: &row.bytes };
                if serving.push(entry, most).map_err(gap)? {
                    served += 1;
                } else {
                    bytes.extend(serving.flush(&self.key).into_iter().flatten());
                }
            }
            bytes.extend(serving.flush(&self.key).into_iter().flatten());
            if serving.cursor() != *from {
                end.cursors.push((log.scope, serving.cursor()));
            }
        }
        bytes.extend(end.encode());
        Ok(bytes)
    }
}

fn nonce(device: DeviceId, day: u64) -> Nonce {
    let bytes = [&day.to_be_bytes()[..], &device.0].concat();
    Nonce::from_bytes(&bytes).unwrap_or_default()
}

fn nonce_of_age(device: DeviceId, hub_ms: u64, days: u64) -> Option<Nonce> {
    (hub_ms / DAY_MS).checked_sub(days).map(|day| nonce(device, day))
}
