//! The line between phones and hub: requests and replies arrive whole, cut at any byte, twice, late, spoiled, or not
//! at all, and processes die at both ends.

use langso_domain::id::DeviceId;
use langso_sync::frame::Outer;
use langso_sync::session::{Event, SessionError};
use langso_sync::wire::Problem;

use super::World;
use crate::broken::{Promise, Result};
use crate::phone::{Line, Taken, Taking};

/// How a reply is heard.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hearing {
    /// So many bytes arrive; none = all.
    pub arrives: Option<usize>,
    /// The process dies at this event.
    pub dies_at: Option<usize>,
    /// Somebody on the way has changed the request or the reply.
    pub is_spoiled: bool,
}

impl World<'_> {
    /// The line of one phone moves by one.
    pub(super) fn line(&mut self, at: usize) -> Result {
        match std::mem::take(&mut self.phones[at].line) {
            Line::Idle => self.ask(at),
            Line::Up(body) => self.arrive(at, body),
            Line::Down(reply) => self.reply(at, &reply),
        }
    }

    fn ask(&mut self, at: usize) -> Result {
        let is_free = if self.is_storm { 500 } else { 800 };
        let max_bytes =
            if self.dice.chance(is_free) { u64::MAX } else { 1_200 + self.dice.below(12_000) as u64 };
        let max_frame = if self.dice.chance(800) { u32::MAX } else { 512 + self.dice.below(4_000) as u32 };
        if self.dice.chance(50) {
            self.phones[at].session = None;
        }
        self.send(at, max_bytes, max_frame)
    }

    pub(super) fn send(&mut self, at: usize, max_bytes: u64, max_frame: u32) -> Result {
        let phone = &mut self.phones[at];
        phone.begin(self.hub.key.public(), max_bytes, max_frame)?;
        let body = phone.ask(self.rule)?;
        self.trace.note("ask", &[at as u64, body.len() as u64]);
        phone.line = Line::Up(body);
        Ok(())
    }

    fn arrive(&mut self, at: usize, mut body: Vec<u8>) -> Result {
        let cut = self.dice.below(body.len());
        match self.dice.below(100) {
            0..70 => {
                self.trace.note("arrive", &[at as u64]);
                return self.answer(at, &body);
            }
            70..80 => {
                self.cut_request(at, &body, cut)?;
                self.keep_late(body);
                return Ok(());
            }
            80..84 => {
                self.trace.note("request_lost", &[at as u64]);
                self.keep_late(body);
            }
            84..90 => {
                self.trace.note("reply_lost", &[at as u64]);
                self.post(&body)?;
            }
            90..93 => {
                self.trace.note("request_twice", &[at as u64]);
                self.post(&body)?;
                return self.answer(at, &body);
            }
            93..95 => {
                body[cut] ^= 1 << self.dice.below(8);
                self.trace.note("request_spoiled", &[at as u64, cut as u64]);
                if let Some(reply) = self.post(&body)? {
                    return self.hear(at, &reply, Hearing { is_spoiled: true, ..Hearing::default() });
                }
            }
            95..97 => {
                self.trace.note("killed_waiting", &[at as u64]);
                self.late.push(body);
                return self.start_again(at);
            }
            _ => {
                self.trace.note("hub_killed", &[at as u64, cut as u64]);
                self.post(&body[..cut])?;
                self.kill_hub()?;
            }
        }
        self.phones[at].cut();
        Ok(())
    }

    /// The connection breaks after so many bytes of a request.
    pub(super) fn cut_request(&mut self, at: usize, body: &[u8], cut: usize) -> Result {
        self.trace.note("request_cut", &[at as u64, cut as u64]);
        self.post(&body[..cut])?;
        self.phones[at].cut();
        Ok(())
    }

    pub(super) fn answer(&mut self, at: usize, body: &[u8]) -> Result {
        match self.post(body)? {
            Some(reply) => self.phones[at].line = Line::Down(reply),
            None => self.phones[at].cut(),
        }
        Ok(())
    }

    fn post(&mut self, body: &[u8]) -> Result<Option<Vec<u8>>> {
        let heads: Vec<u64> = self.hub.logs.iter().map(|log| log.rows.len() as u64).collect();
        let reply = self.hub.post(body, self.now_ms, &mut self.dice)?;
        let kept = self.hub.logs.iter().zip(heads).map(|(log, before)| log.rows.len() as u64 - before);
        let kept: u64 = kept.sum();
        self.steps += self.hub.take_frame_count();
        let length = reply.as_ref().map_or(0, Vec::len) as u64;
        if let (Some(reply), Some(asking)) = (&reply, body.first_chunk().map(|id| DeviceId(*id))) {
            self.must_not_be_served(asking, reply)?;
        }
        self.trace.note("post", &[body.len() as u64, kept, length]);
        Ok(reply)
    }

    fn keep_late(&mut self, body: Vec<u8>) {
        if self.dice.chance(300) && self.late.len() < 4 {
            self.late.push(body);
        }
    }

    /// A request of long ago arrives after all.
    pub(super) fn late_request(&mut self) -> Result {
        if !self.late.is_empty() {
            let body = self.late.remove(self.dice.below(self.late.len()));
            self.trace.note("late", &[body.len() as u64]);
            self.post(&body)?;
        }
        Ok(())
    }

    fn reply(&mut self, at: usize, reply: &[u8]) -> Result {
        let mut how = Hearing::default();
        match self.dice.below(100) {
            0..12 => how.arrives = Some(self.dice.below(reply.len())),
            12..17 => how.dies_at = Some(1 + self.dice.below(4)),
            17..20 => {
                if let Some(reply) = without_a_frame(reply, self.dice.below(3)) {
                    how.is_spoiled = true;
                    return self.hear(at, &reply, how);
                }
            }
            _ => {}
        }
        self.hear(at, reply, how)
    }

    /// A phone hears a reply in pieces.
    pub(super) fn hear(&mut self, at: usize, reply: &[u8], how: Hearing) -> Result {
        let arrived = &reply[..how.arrives.unwrap_or(reply.len())];
        let piece = 1 + self.dice.below(reply.len());
        let mut count = 0;
        for chunk in arrived.chunks(piece) {
            let phone = &mut self.phones[at];
            let Some(session) = &mut phone.session else { return Ok(()) };
            session.feed(chunk);
            loop {
                let phone = &mut self.phones[at];
                let Some(session) = &mut phone.session else { return Ok(()) };
                let event = match session.next_event() {
                    Ok(Some(event)) => event,
                    Ok(None) => break,
                    Err(_) if how.is_spoiled => {
                        self.trace.note("reply_refused", &[at as u64]);
                        phone.cut();
                        return Ok(());
                    }
                    Err(SessionError::Hole { scope }) => {
                        return Err(Promise::NoHole.broken(format!("of {scope}, phone {at}")));
                    }
                    Err(error) => return Err(Promise::NoError.broken(format!("a reply: {error}"))),
                };
                count += 1;
                self.steps += 1;
                if let Event::Frame { frame, .. } = &event {
                    self.applied += frame.changes().len() as u64;
                }
                if self.take(at, event, how, count)? {
                    return Ok(());
                }
            }
        }
        self.trace.note("reply_cut", &[at as u64, arrived.len() as u64]);
        self.phones[at].cut();
        Ok(())
    }

    /// Takes one event in; true when nothing more is to be heard.
    fn take(&mut self, at: usize, event: Event, how: Hearing, count: usize) -> Result<bool> {
        let phone = &mut self.phones[at];
        let handset = &self.handsets[phone.handset];
        let dies = how.dies_at == Some(count);
        let taken = phone.take(event, Taking { handset, now_ms: self.now_ms, rule: self.rule, dies })?;
        match taken {
            Taken::Killed => {
                self.trace.note("killed_hearing", &[at as u64, count as u64]);
                self.start_again(at)?;
                return Ok(true);
            }
            _ if dies => {
                self.trace.note("killed_hearing", &[at as u64, count as u64]);
                self.start_again(at)?;
                return Ok(true);
            }
            Taken::Open => return Ok(false),
            Taken::Ended => {
                self.trace.note("heard", &[at as u64, count as u64]);
                for _ in 0..std::mem::take(&mut self.phones[at].dropped) {
                    self.trace.note("dropped", &[at as u64]);
                }
                self.phones[at].end_reply();
            }
            Taken::Refused(Problem::StaleNonce) => {
                self.trace.note("stale_nonce", &[at as u64]);
                self.phones[at].line = Line::Idle;
            }
            Taken::Refused(Problem::Revoked) => {
                self.trace.note("revoked_hears", &[at as u64]);
                self.phones[at].line = Line::Idle;
                self.phones[at].session = None;
            }
            Taken::Refused(_) if how.is_spoiled => {
                self.trace.note("refused", &[at as u64]);
                self.phones[at].line = Line::Idle;
                self.phones[at].session = None;
            }
            Taken::Refused(problem) => {
                return Err(Promise::NoError.broken(format!("the hub refused: {}", problem.name())));
            }
        }
        Ok(true)
    }
}

/// The reply as a broken proxy might hand it on: without one of its frames.
fn without_a_frame(reply: &[u8], which: usize) -> Option<Vec<u8>> {
    let frames = frames_in(reply);
    let (at, length) = *frames.get(which.min(frames.len().checked_sub(1)?))?;
    Some([&reply[..at], &reply[at + length..]].concat())
}

/// Where the frames of a reply stand, and how long they are.
pub(super) fn frames_in(reply: &[u8]) -> Vec<(usize, usize)> {
    let starts = (0..reply.len()).filter(|at| reply[*at..].starts_with(b"LS"));
    starts.filter_map(|at| Outer::read(&reply[at..]).ok()?.map(|(_, length)| (at, length))).collect()
}
