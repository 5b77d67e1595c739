//! The header inside a state frame's body: a definite CBOR map with rising integer keys, as in a frame of changes.

use std::collections::BTreeMap;

use langso_domain::id::ScopeId;
use minicbor::{Decoder, Encoder};

use super::{MAX_FRAMES, MAX_ROWS, MAX_WRITERS};
use crate::chain::{Chain, Cursor, MAX_POSITION};
use crate::frame::header::{bounded, each_key, fixed, item};
use crate::frame::{FrameError, MAX_HEADER_BYTES, MAX_RAW_BYTES};

const SCOPE: u64 = 0;
const SCHEMA: u64 = 1;
const ROWS: u64 = 2;
const RAW: u64 = 3;
const POSITION: u64 = 8;
const CHAIN: u64 = 9;
const INDEX: u64 = 10;
const FRAMES: u64 = 11;
const WRITERS: u64 = 12;

/// What a state frame says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The scope of every row.
    pub scope: ScopeId,
    /// The schema version of whoever made the frame.
    pub schema: u16,
    /// How many rows.
    pub rows: usize,
    /// How many writers, which come before the rows.
    pub writers: usize,
    /// The bytes of both together.
    pub raw: usize,
    /// The state is of here: all changes up to this position, and no other.
    pub of: Cursor,
    /// The frame's place in its snapshot, from 0.
    pub index: u32,
    /// How many frames the snapshot has.
    pub frames: u32,
    /// Keys that this version does not know, each with one CBOR item.
    pub unknown: BTreeMap<u64, Vec<u8>>,
}

impl Header {
    /// Whether it is the last frame of its snapshot.
    pub fn is_last(&self) -> bool {
        self.index + 1 == self.frames
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        self.put(&mut Encoder::new(&mut bytes)).expect("a vector takes every byte");
        bytes
    }

    fn put(
        &self,
        to: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        to.map((8 + usize::from(self.writers > 0) + self.unknown.len()) as u64)?;
        to.u64(SCOPE)?.bytes(&self.scope.0)?;
        to.u64(SCHEMA)?.u16(self.schema)?;
        to.u64(ROWS)?.u64(self.rows as u64)?;
        to.u64(RAW)?.u64(self.raw as u64)?;
        to.u64(POSITION)?.u64(self.of.position)?;
        to.u64(CHAIN)?.bytes(&self.of.chain.0)?;
        to.u64(INDEX)?.u32(self.index)?;
        to.u64(FRAMES)?.u32(self.frames)?;
        if self.writers > 0 {
            to.u64(WRITERS)?.u64(self.writers as u64)?;
        }
        for (key, item) in &self.unknown {
            to.u64(*key)?;
            to.writer_mut().extend_from_slice(item);
        }
        Ok(())
    }

    /// Reads the header at the start of an inflated body, and where the rest begins.
    pub(super) fn decode(body: &[u8]) -> Result<(Self, usize), FrameError> {
        let mut from = Decoder::new(&body[..body.len().min(MAX_HEADER_BYTES)]);
        let mut header = Self {
            scope: ScopeId([0; 8]),
            schema: 0,
            rows: 0,
            writers: 0,
            raw: 0,
            of: Cursor { position: 0, chain: Chain([0; 8]) },
            index: 0,
            frames: 0,
            unknown: BTreeMap::new(),
        };
        let mut seen = 0;
        each_key(&mut from, |key, from| {
            seen += u32::from(matches!(key, SCOPE..=RAW | POSITION..=FRAMES));
            header.get(key, from)
        })?;
        if seen != 8 {
            return Err(FrameError::Header("a key is missing"));
        }
        if header.of.position > MAX_POSITION || header.frames > MAX_FRAMES || header.index >= header.frames {
            return Err(FrameError::Header("place in the snapshot"));
        }
        Ok((header, from.position()))
    }

    fn get(&mut self, key: u64, from: &mut Decoder<'_>) -> Result<(), FrameError> {
        match key {
            SCOPE => self.scope = ScopeId(fixed(from, "scope")?),
            SCHEMA => self.schema = from.u16()?,
            ROWS => self.rows = bounded(from, MAX_ROWS)?,
            RAW => self.raw = bounded(from, MAX_RAW_BYTES)?,
            POSITION => self.of.position = from.u64()?,
            CHAIN => self.of.chain = Chain(fixed(from, "chain")?),
            INDEX => self.index = from.u32()?,
            FRAMES => self.frames = from.u32()?,
            WRITERS => self.writers = bounded(from, MAX_WRITERS)?,
            _ => {
                self.unknown.insert(key, item(from)?);
            }
        }
        Ok(())
    }
}
