//! The hello: what the phone says before its frames.

use langso_domain::id::{MAX_SEQ, ScopeId, Writer};
use minicbor::Decoder;

use super::cbor::{Map, Put, cursor, fixed, flat, position, put_cursor, read_flat, read_map, scope, text};
use super::{MAX_TEXT, PROTOCOL, WireError};
use crate::chain::Cursor;
use crate::digest::Digest;

/// The most scopes of one phone.
pub const MAX_SCOPES: usize = 256;
/// The most writers offered as held.
pub const MAX_HELD: usize = 4_096;
/// The most marks offered in one request, all scopes together.
pub const MAX_MARKS: usize = 256;

/// Changes of one own writer that the phone holds: all from 1 up to a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// The writer.
    pub writer: Writer,
    /// The last number held.
    pub upto: u32,
}

/// An older cursor of a scope, offered because the hub did not know the newest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The scope's place in [`Hello::cursors`].
    pub scope: usize,
    /// How much was held then.
    pub cursor: Cursor,
}

/// A snapshot of a scope of which the phone holds the first frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LandingAt {
    /// The scope's place in [`Hello::cursors`].
    pub scope: usize,
    /// What the snapshot is of; 0 = any snapshot is asked for, from its first frame.
    pub position: u64,
    /// The frames below are here.
    pub next: u32,
}

/// What the phone says first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The protocol version of the phone.
    pub protocol: u16,
    /// The schema version of the phone.
    pub schema: u16,
    /// Every scope it wants, with what it holds of it.
    pub cursors: Vec<(ScopeId, Cursor)>,
    /// Own writers of which the phone waits for positions; what of them lies above the cursor comes back as receipts.
    pub held: Vec<Held>,
    /// The most bytes of the reply.
    pub max_bytes: u32,
    /// The most bytes of a frame in the reply.
    pub max_frame: u32,
    /// Name and version of the program, at most 64 bytes.
    pub app: String,
    /// Older cursors, newest first within a scope.
    pub marks: Vec<Mark>,
    /// Snapshots under way, and those asked for.
    pub landings: Vec<LandingAt>,
    /// By the scope's place in [`Hello::cursors`]: the digest of what is held at that cursor, to be compared.
    pub digests: Vec<(usize, Digest)>,
    /// Own writers of which the phone has lost receipts: what of them lies at or below the cursor is told again. Their
    /// places in receipts follow those of [`Hello::held`], of which together there are at most [`MAX_HELD`].
    pub recalled: Vec<Held>,
}

impl Hello {
    /// A hello of this version with nothing in it.
    pub fn new(schema: u16, app: &str) -> Self {
        let end = (0..=app.len().min(MAX_TEXT)).rev().find(|&at| app.is_char_boundary(at)).unwrap_or(0);
        Self {
            protocol: PROTOCOL,
            schema,
            cursors: Vec::new(),
            held: Vec::new(),
            max_bytes: u32::MAX,
            max_frame: u32::MAX,
            app: app[..end].to_owned(),
            marks: Vec::new(),
            landings: Vec::new(),
            digests: Vec::new(),
            recalled: Vec::new(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut map = Map::new();
        map.put(0, |to| to.u16(self.protocol));
        map.put(1, |to| to.u16(self.schema));
        map.put(2, |to| {
            flat(to, &self.cursors, 3, |to, (scope, cursor)| {
                to.bytes(&scope.0)?;
                put_cursor(to, cursor)
            })
        });
        map.put_if(!self.held.is_empty(), 3, |to| flat(to, &self.held, 2, put_held));
        map.put_if(self.max_bytes != u32::MAX, 4, |to| to.u32(self.max_bytes));
        map.put_if(self.max_frame != u32::MAX, 5, |to| to.u32(self.max_frame));
        map.put(6, |to| to.str(&self.app));
        map.put_if(!self.marks.is_empty(), 7, |to| {
            flat(to, &self.marks, 3, |to, mark| {
                to.u64(mark.scope as u64)?;
                put_cursor(to, &mark.cursor)
            })
        });
        map.put_if(!self.landings.is_empty(), 8, |to| {
            flat(to, &self.landings, 3, |to, landing| {
                to.u64(landing.scope as u64)?.u64(landing.position)?.u32(landing.next)?;
                Ok(())
            })
        });
        map.put_if(!self.digests.is_empty(), 9, |to| {
            flat(to, &self.digests, 2, |to, (scope, digest)| {
                to.u64(*scope as u64)?.bytes(&digest.to_bytes())?;
                Ok(())
            })
        });
        map.put_if(!self.recalled.is_empty(), 10, |to| flat(to, &self.recalled, 2, put_held));
        map.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut hello = Self::new(0, "");
        let mut seen = 0;
        read_map(bytes, |key, from| {
            match key {
                0 => hello.protocol = from.u16()?,
                1 => hello.schema = from.u16()?,
                2 => {
                    hello.cursors = read_flat(from, 3, MAX_SCOPES, |from| Ok((scope(from)?, cursor(from)?)))?
                }
                3 => hello.held = read_flat(from, 2, MAX_HELD, held)?,
                4 => hello.max_bytes = from.u32()?,
                5 => hello.max_frame = from.u32()?,
                6 => hello.app = text(from, MAX_TEXT)?,
                7 => {
                    hello.marks = read_flat(from, 3, MAX_MARKS, |from| {
                        Ok(Mark { scope: usize::from(from.u16()?), cursor: cursor(from)? })
                    })?;
                }
                8 => {
                    hello.landings = read_flat(from, 3, MAX_SCOPES, |from| {
                        let (scope, position) = (usize::from(from.u16()?), position(from)?);
                        Ok(LandingAt { scope, position, next: from.u32()? })
                    })?;
                }
                9 => {
                    hello.digests = read_flat(from, 2, MAX_SCOPES, |from| {
                        Ok((usize::from(from.u16()?), Digest::from_bytes(fixed(from, "digest")?)))
                    })?;
                }
                10 => hello.recalled = read_flat(from, 2, MAX_HELD, held)?,
                _ => return Ok(false),
            }
            seen += u32::from(key < 3 || key == 6);
            Ok(true)
        })?;
        if seen != 4 {
            return Err(WireError::Malformed("a key is missing"));
        }
        let mut scopes: Vec<_> = hello.cursors.iter().map(|(scope, _)| *scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.len() != hello.cursors.len() || names_twice(&hello.held) || names_twice(&hello.recalled) {
            return Err(WireError::Malformed("twice the same"));
        }
        if hello.held.len() + hello.recalled.len() > MAX_HELD {
            return Err(WireError::TooLarge);
        }
        if hello.marks.iter().any(|mark| mark.scope >= hello.cursors.len()) {
            return Err(WireError::Malformed("mark"));
        }
        if hello.landings.iter().any(|landing| landing.scope >= hello.cursors.len()) {
            return Err(WireError::Malformed("landing"));
        }
        if hello.digests.iter().any(|(scope, _)| *scope >= hello.cursors.len()) {
            return Err(WireError::Malformed("digest"));
        }
        Ok(hello)
    }
}

fn put_held(to: &mut Put, held: &Held) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    to.bytes(&held.writer.0.to_be_bytes())?.u32(held.upto)?;
    Ok(())
}

fn held(from: &mut Decoder<'_>) -> Result<Held, WireError> {
    let writer = Writer(u64::from_be_bytes(fixed(from, "writer")?));
    let upto = from.u32()?;
    if upto == 0 || upto > MAX_SEQ {
        return Err(WireError::Malformed("number"));
    }
    Ok(Held { writer, upto })
}

fn names_twice(list: &[Held]) -> bool {
    let mut writers: Vec<_> = list.iter().map(|held| held.writer).collect();
    writers.sort_unstable();
    writers.windows(2).any(|pair| pair[0] == pair[1])
}
