//! The header inside a frame's body: a definite CBOR map with rising integer keys. Keys this version does not know
//! are kept as they came.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, ScopeId};
use minicbor::{Decoder, Encoder};

use super::{FrameError, MAX_CHANGES, MAX_HEADER_BYTES, MAX_RAW_BYTES};
use crate::chain::{Chain, MAX_POSITION};

const SCOPE: u64 = 0;
const SCHEMA: u64 = 1;
const COUNT: u64 = 2;
const RAW: u64 = 3;
const AUTHORS: u64 = 4;
const AUTHOR_OF: u64 = 5;
const RUNS: u64 = 6;
const CHAIN: u64 = 7;

/// The lowest key that no version 1 header uses.
pub(crate) const FIRST_UNKNOWN: u64 = 8;

/// Positions that follow one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The position of its first change, from 1.
    pub first: u64,
    /// How many changes, at least 1.
    pub n: u64,
}

/// What a frame says of its changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The scope of every change.
    pub scope: ScopeId,
    /// The schema version of whoever made the frame.
    pub schema: u16,
    /// How many changes.
    pub count: usize,
    /// Their bytes together.
    pub raw: usize,
    /// Devices that wrote changes, in order of first appearance; empty when the signer wrote all.
    pub authors: Vec<DeviceId>,
    /// For each writer, in order of its first appearance in the frame, its author's place in `authors`.
    pub author_of: Vec<u8>,
    /// The positions of the changes, rising, when the hub serves the frame; else empty.
    pub runs: Vec<Run>,
    /// The chain before the first change, when the hub serves the frame.
    pub before: Option<Chain>,
    /// Keys that this version does not know, each with one CBOR item.
    pub unknown: BTreeMap<u64, Vec<u8>>,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.authors.len() * 8 + self.author_of.len());
        let written = self.put(&mut Encoder::new(&mut bytes));
        written.expect("a vector takes every byte");
        bytes
    }

    fn put(
        &self,
        to: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let optional = [!self.authors.is_empty(); 2]
            .into_iter()
            .chain([!self.runs.is_empty(), self.before.is_some()])
            .filter(|&there| there)
            .count();
        to.map((4 + optional + self.unknown.len()) as u64)?;
        to.u64(SCOPE)?.bytes(&self.scope.0)?;
        to.u64(SCHEMA)?.u16(self.schema)?;
        to.u64(COUNT)?.u64(self.count as u64)?;
        to.u64(RAW)?.u64(self.raw as u64)?;
        if !self.authors.is_empty() {
            let ids: Vec<u8> = self.authors.iter().flat_map(|id| id.0).collect();
            to.u64(AUTHORS)?.bytes(&ids)?;
            to.u64(AUTHOR_OF)?.bytes(&self.author_of)?;
        }
        if !self.runs.is_empty() {
            to.u64(RUNS)?.array(self.runs.len() as u64 * 2)?;
            let mut end = 0;
            for run in &self.runs {
                // The first run says where it begins, every other how many positions lie between.
                to.u64(run.first - end)?.u64(run.n)?;
                end = run.first + run.n;
            }
        }
        if let Some(before) = self.before {
            to.u64(CHAIN)?.bytes(&before.0)?;
        }
        for (key, item) in &self.unknown {
            to.u64(*key)?;
            to.writer_mut().extend_from_slice(item);
        }
        Ok(())
    }

    /// Reads the header at the start of an inflated body, and where the changes begin.
    pub(super) fn decode(body: &[u8]) -> Result<(Self, usize), FrameError> {
        let mut from = Decoder::new(&body[..body.len().min(MAX_HEADER_BYTES)]);
        let mut header = Self {
            scope: ScopeId([0; 8]),
            schema: 0,
            count: 0,
            raw: 0,
            authors: Vec::new(),
            author_of: Vec::new(),
            runs: Vec::new(),
            before: None,
            unknown: BTreeMap::new(),
        };
        let mut seen = 0;
        each_key(&mut from, |key, from| {
            seen += u32::from(key <= RAW);
            header.get(key, from)
        })?;
        if seen != 4 {
            return Err(FrameError::Header("a key is missing"));
        }
        header.check()?;
        Ok((header, from.position()))
    }

    fn get(&mut self, key: u64, from: &mut Decoder<'_>) -> Result<(), FrameError> {
        match key {
            SCOPE => self.scope = ScopeId(fixed(from, "scope")?),
            SCHEMA => self.schema = from.u16()?,
            COUNT => self.count = bounded(from, MAX_CHANGES)?,
            RAW => self.raw = bounded(from, MAX_RAW_BYTES)?,
            AUTHORS => {
                let (ids, rest) = from.bytes()?.as_chunks::<8>();
                if !rest.is_empty() || ids.is_empty() || ids.len() > 256 {
                    return Err(FrameError::Header("authors"));
                }
                self.authors = ids.iter().copied().map(DeviceId).collect();
            }
            AUTHOR_OF => self.author_of = from.bytes()?.to_vec(),
            RUNS => self.runs = runs(from)?,
            CHAIN => self.before = Some(Chain(fixed(from, "chain")?)),
            _ => {
                self.unknown.insert(key, item(from)?);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FrameError> {
        if self.count == 0 {
            return Err(FrameError::Header("no change"));
        }
        if self.authors.is_empty() != self.author_of.is_empty()
            || self.author_of.len() > self.count
            || self.author_of.iter().any(|&at| usize::from(at) >= self.authors.len())
        {
            return Err(FrameError::Header("authors"));
        }
        if self.runs.is_empty() != self.before.is_none() {
            return Err(FrameError::Header("positions"));
        }
        let placed: u64 = self.runs.iter().map(|run| run.n).sum();
        if !self.runs.is_empty() && placed != self.count as u64 {
            return Err(FrameError::Header("positions"));
        }
        Ok(())
    }
}

fn runs(from: &mut Decoder<'_>) -> Result<Vec<Run>, FrameError> {
    let bad = FrameError::Header("positions");
    let length = from.array()?.filter(|length| length % 2 == 0).ok_or(bad)?;
    if length == 0 || length > 2 * MAX_CHANGES as u64 {
        return Err(bad);
    }
    let mut runs = Vec::new();
    let mut end = 0u64;
    for at in 0..length / 2 {
        let (gap, n) = (from.u64()?, from.u64()?);
        // Runs that touch are one run; a position is at least 1.
        if gap == 0 || n == 0 || n > MAX_CHANGES as u64 || gap > MAX_POSITION {
            return Err(bad);
        }
        let first = end + gap;
        end = first + n;
        if end > MAX_POSITION || (at == 0 && first == 0) {
            return Err(bad);
        }
        runs.push(Run { first, n });
    }
    Ok(runs)
}

/// Reads the keys of a header's map, which must rise; `take` reads what each holds.
pub(crate) fn each_key<'b>(
    from: &mut Decoder<'b>,
    mut take: impl FnMut(u64, &mut Decoder<'b>) -> Result<(), FrameError>,
) -> Result<(), FrameError> {
    let keys = from.map()?.ok_or(FrameError::Header("map"))?;
    let mut last = None;
    for _ in 0..keys {
        let key = from.u64()?;
        if last.is_some_and(|last| last >= key) {
            return Err(FrameError::Header("order of keys"));
        }
        last = Some(key);
        take(key, from)?;
    }
    Ok(())
}

/// What a key holds that this program does not know, as it stands.
pub(crate) fn item(from: &mut Decoder<'_>) -> Result<Vec<u8>, FrameError> {
    let start = from.position();
    from.skip()?;
    Ok(from.input()[start..from.position()].to_vec())
}

pub(crate) fn fixed<const N: usize>(
    from: &mut Decoder<'_>,
    what: &'static str,
) -> Result<[u8; N], FrameError> {
    from.bytes()?.try_into().map_err(|_| FrameError::Header(what))
}

pub(crate) fn bounded(from: &mut Decoder<'_>, most: usize) -> Result<usize, FrameError> {
    let number = from.u64()?;
    usize::try_from(number).ok().filter(|&number| number <= most).ok_or(FrameError::TooLarge)
}

impl From<minicbor::decode::Error> for FrameError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Header("cbor")
    }
}
