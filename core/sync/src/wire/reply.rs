//! The reply: a head with the receipts, frames, an end record. Whatever has come whole is usable, cut or not.

use langso_domain::id::{DeviceId, Key, ScopeId};

use super::cbor::{
    Map, cursor, fixed, flat, key, nonce, position, prefixed, put_cursor, read_flat, read_map,
};
use super::cbor::{record, scope};
use super::hello::MAX_SCOPES;
use super::inbox::Inbox;
use super::problem::{self, Problem, ProblemBody};
use super::receipts::{self, MAX_RANGES, ScopeReceipts};
use super::request::Question;
use super::{MAX_END_BYTES, MAX_HEAD_BYTES, MAX_SMALL_BYTES, Nonce, WireError};
use crate::chain::Cursor;
use crate::frame::Outer;
use crate::keys::{PublicKey, Signature, SigningKey};

const HEAD: [u8; 2] = *b"LR";
const END: [u8; 2] = *b"LE";
const LEFT_LABEL: &[u8] = b"langso left v1\0";
/// The most changes a reply names as set aside; [`ReplyHead::set_aside_total`] counts them all.
pub const MAX_SET_ASIDE: usize = 1_024;

/// What the hub says first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplyHead {
    /// The hub's time, milliseconds since 1970.
    pub hub_time_ms: u64,
    /// For the next request.
    pub nonce: Nonce,
    /// By scope: positions of changes the phone said it holds.
    pub receipts: Vec<ScopeReceipts>,
    /// By the scope's place among the hello's cursors: up to where the hub's backup has been read back.
    pub watermarks: Vec<(usize, u64)>,
    /// Scopes the device no longer has.
    pub left: Vec<Left>,
    /// Changes of this device that the hub keeps without a position, for the lead to see.
    pub set_aside: Vec<SetAside>,
    /// How many those are in all.
    pub set_aside_total: u64,
    /// Scopes the device has and did not ask for, with the number of their kind.
    pub joined: Vec<(ScopeId, i64)>,
    /// By the scope's place among the hello's cursors: the newest of the offered marks that the hub knows, from
    /// which it serves.
    pub resumed: Vec<(usize, Cursor)>,
    /// What is wrong with single scopes; the rest of the reply is good.
    pub problems: Vec<Problem>,
    /// Places among the hello's cursors of the scopes whose digest the hub came to at that cursor as well.
    pub agreed: Vec<usize>,
    /// The request that this answers.
    pub question: Question,
    /// The hub opens packed frames.
    pub opens_packed: bool,
}

/// The hub says that the device no longer has a scope. Signed, because the phone deletes on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    /// The scope.
    pub scope: ScopeId,
    /// When it was decided, milliseconds since 1970.
    pub at_ms: u64,
    /// By the hub, over device, scope and moment.
    pub signature: Signature,
}

impl Left {
    /// Says that `device` has left `scope`.
    pub fn sign(hub: &SigningKey, device: DeviceId, scope: ScopeId, at_ms: u64) -> Self {
        let signature = hub.sign(LEFT_LABEL, &[&device.0, &scope.0, &at_ms.to_be_bytes()]);
        Self { scope, at_ms, signature }
    }

    /// True when the hub said it to this device.
    pub fn holds(&self, hub: &PublicKey, device: DeviceId) -> bool {
        hub.verifies(LEFT_LABEL, &[&device.0, &self.scope.0, &self.at_ms.to_be_bytes()], &self.signature)
    }
}

/// A change that the hub keeps without giving it a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// The change.
    pub key: Key,
    /// Why; see [`Reason`].
    pub reason: u8,
}

/// Why a change is set aside; numbers are for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Reason {
    /// Its author's device did not have the scope.
    Scope = 1,
    /// Its author's role may not write this.
    Role = 2,
    /// The device was revoked before it knew.
    Revoked = 3,
    /// Another change with the same key is in the log; the lead must enter this one again.
    OtherBytes = 4,
    /// It refers to what the hub cannot apply.
    Unreadable = 5,
    /// A new change has said the same: it waits no more, and gets no position.
    Reentered = 6,
}

impl Reason {
    /// Every reason, in order of its number.
    pub const ALL: [Self; 6] =
        [Self::Scope, Self::Role, Self::Revoked, Self::OtherBytes, Self::Unreadable, Self::Reentered];

    /// From its number; none for one this version does not know.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&reason| reason as u8 == number)
    }
}

impl ReplyHead {
    /// Its bytes, the first of the reply.
    pub fn encode(&self) -> Vec<u8> {
        let mut map = Map::new();
        map.put(0, |to| to.u64(self.hub_time_ms));
        map.put(1, |to| to.bytes(self.nonce.as_bytes()));
        map.put_if(!self.receipts.is_empty(), 2, |to| {
            flat(to, &self.receipts, 2, |to, of| {
                to.u64(of.scope as u64)?.bytes(&receipts::encode(&of.ranges))?;
                Ok(())
            })
        });
        map.put_if(!self.watermarks.is_empty(), 3, |to| {
            flat(to, &self.watermarks, 2, |to, (scope, position)| {
                to.u64(*scope as u64)?.u64(*position)?;
                Ok(())
            })
        });
        map.put_if(!self.left.is_empty(), 4, |to| {
            flat(to, &self.left, 3, |to, left| {
                to.bytes(&left.scope.0)?.u64(left.at_ms)?.bytes(&left.signature)?;
                Ok(())
            })
        });
        let named = &self.set_aside[..self.set_aside.len().min(MAX_SET_ASIDE)];
        map.put_if(!named.is_empty(), 5, |to| {
            flat(to, named, 2, |to, aside| {
                to.bytes(&aside.key.to_bytes())?.u8(aside.reason)?;
                Ok(())
            })
        });
        map.put_if(self.set_aside_total > 0, 6, |to| to.u64(self.set_aside_total));
        map.put_if(!self.joined.is_empty(), 7, |to| {
            flat(to, &self.joined, 2, |to, (scope, kind)| {
                to.bytes(&scope.0)?.i64(*kind)?;
                Ok(())
            })
        });
        map.put_if(!self.resumed.is_empty(), 8, |to| {
            flat(to, &self.resumed, 3, |to, (scope, cursor)| {
                to.u64(*scope as u64)?;
                put_cursor(to, cursor)
            })
        });
        map.put_if(!self.problems.is_empty(), 9, |to| {
            flat(to, &self.problems, 2, |to, problem| {
                to.u16(problem.code())?;
                match problem {
                    Problem::CursorUnknown(scope)
                    | Problem::ScopeUnknown(scope)
                    | Problem::DigestDiffers(scope) => to.bytes(&scope.0)?,
                    _ => to.null()?,
                };
                Ok(())
            })
        });
        map.put_if(!self.agreed.is_empty(), 10, |to| {
            flat(to, &self.agreed, 1, |to, scope| {
                to.u64(*scope as u64)?;
                Ok(())
            })
        });
        map.put_if(self.question != Question::default(), 11, |to| to.bytes(&self.question.0));
        map.put_if(self.opens_packed, 12, |to| to.bool(true));
        record(HEAD, &map.finish())
    }

    fn decode(map: &[u8]) -> Result<Self, WireError> {
        let mut head = Self::default();
        let mut seen = 0;
        read_map(map, |number, from| {
            match number {
                0 => head.hub_time_ms = from.u64()?,
                1 => head.nonce = nonce(from)?,
                2 => {
                    let mut room = MAX_RANGES;
                    head.receipts = read_flat(from, 2, MAX_SCOPES, |from| {
                        let scope = usize::from(from.u16()?);
                        let ranges = receipts::decode(from.bytes()?, room)?;
                        room -= ranges.len();
                        Ok(ScopeReceipts { scope, ranges })
                    })?;
                }
                3 => {
                    head.watermarks = read_flat(from, 2, MAX_SCOPES, |from| {
                        Ok((usize::from(from.u16()?), position(from)?))
                    })?;
                }
                4 => {
                    head.left = read_flat(from, 3, MAX_SCOPES, |from| {
                        let (scope, at_ms) = (scope(from)?, from.u64()?);
                        Ok(Left { scope, at_ms, signature: fixed(from, "signature")? })
                    })?;
                }
                5 => {
                    head.set_aside = read_flat(from, 2, MAX_SET_ASIDE, |from| {
                        Ok(SetAside { key: key(from)?, reason: from.u8()? })
                    })?;
                }
                6 => head.set_aside_total = from.u64()?,
                7 => head.joined = read_flat(from, 2, MAX_SCOPES, |from| Ok((scope(from)?, from.i64()?)))?,
                8 => {
                    head.resumed =
                        read_flat(from, 3, MAX_SCOPES, |from| Ok((usize::from(from.u16()?), cursor(from)?)))?;
                }
                9 => {
                    head.problems = read_flat(from, 2, MAX_SCOPES, |from| {
                        let code = from.u16()?;
                        let of = match from.datatype()? {
                            minicbor::data::Type::Bytes => Some(scope(from)?),
                            _ => {
                                from.skip()?;
                                None
                            }
                        };
                        Ok(Problem::from_code(code, of))
                    })?;
                }
                10 => head.agreed = read_flat(from, 1, MAX_SCOPES, |from| Ok(usize::from(from.u16()?)))?,
                11 => head.question = Question(fixed(from, "question")?),
                12 => head.opens_packed = from.bool()?,
                _ => return Ok(false),
            }
            seen += u32::from(number < 2);
            Ok(true)
        })?;
        if seen == 2 { Ok(head) } else { Err(WireError::Malformed("a key is missing")) }
    }
}

/// What the hub says last: the reply is whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Cursors that moved.
    pub cursors: Vec<(ScopeId, Cursor)>,
    /// There is more to fetch.
    pub more: bool,
}

impl Ended {
    /// Its bytes, the last of the reply.
    pub fn encode(&self) -> Vec<u8> {
        let mut map = Map::new();
        map.put_if(!self.cursors.is_empty(), 0, |to| {
            flat(to, &self.cursors, 3, |to, (scope, cursor)| {
                to.bytes(&scope.0)?;
                put_cursor(to, cursor)
            })
        });
        map.put_if(self.more, 1, |to| to.bool(true));
        record(END, &map.finish())
    }

    fn decode(map: &[u8]) -> Result<Self, WireError> {
        let mut ended = Self::default();
        read_map(map, |key, from| {
            match key {
                0 => {
                    ended.cursors = read_flat(from, 3, MAX_SCOPES, |from| Ok((scope(from)?, cursor(from)?)))?
                }
                1 => ended.more = from.bool()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(ended)
    }
}

/// A part of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplyEvent {
    /// First: receipts and what else is small.
    Head(ReplyHead),
    /// Then: whole frames, unchecked.
    Frame(Vec<u8>),
    /// Last: the reply is whole.
    End(Ended),
    /// Instead of all: the hub refuses.
    Problem(ProblemBody),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    Head,
    Frames,
    Nothing,
}

/// Reads a reply as it arrives: feed a chunk, take events until there are none, feed the next.
#[derive(Debug)]
pub struct ReplyReader {
    inbox: Inbox,
    expect: Expect,
}

impl Default for ReplyReader {
    fn default() -> Self {
        Self { inbox: Inbox::default(), expect: Expect::Head }
    }
}

impl ReplyReader {
    /// Takes bytes that arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.inbox.push(chunk);
    }

    /// The next whole part; none when more bytes are needed.
    ///
    /// # Errors
    /// When what came can never become a reply; what was yielded before is good.
    pub fn next_event(&mut self) -> Result<Option<ReplyEvent>, WireError> {
        let rest = self.inbox.rest();
        let starts = |magic: [u8; 2]| rest.iter().zip(magic).all(|(a, b)| *a == b);
        let (event, end) = match self.expect {
            Expect::Head if starts(HEAD) && rest.len() > 1 => match prefixed(&rest[2..], MAX_HEAD_BYTES)? {
                None => return Ok(None),
                Some((map, end)) => (ReplyEvent::Head(ReplyHead::decode(map)?), 2 + end),
            },
            Expect::Head if starts(problem::MAGIC) && rest.len() > 1 => {
                match prefixed(&rest[2..], MAX_SMALL_BYTES)? {
                    None => return Ok(None),
                    Some((map, end)) => (ReplyEvent::Problem(ProblemBody::from_map(map)?), 2 + end),
                }
            }
            Expect::Head if starts(HEAD) || starts(problem::MAGIC) => return Ok(None),
            Expect::Head => return Err(WireError::NotAReply),
            Expect::Frames if rest.len() < 2 && starts(END) => return Ok(None),
            Expect::Frames if starts(END) => match prefixed(&rest[2..], MAX_END_BYTES)? {
                None => return Ok(None),
                Some((map, end)) => (ReplyEvent::End(Ended::decode(map)?), 2 + end),
            },
            Expect::Frames => match Outer::read(rest)? {
                None => return Ok(None),
                Some((_, length)) => return Ok(Some(ReplyEvent::Frame(self.inbox.take(length)))),
            },
            Expect::Nothing if rest.is_empty() => return Ok(None),
            Expect::Nothing => return Err(WireError::Malformed("bytes after the end")),
        };
        self.inbox.skip(end);
        self.expect = if matches!(event, ReplyEvent::Head(_)) { Expect::Frames } else { Expect::Nothing };
        Ok(Some(event))
    }

    /// True when the reply has come to its end.
    pub fn ended(&self) -> bool {
        self.expect == Expect::Nothing
    }
}
