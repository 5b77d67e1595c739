//! Building a frame: changes are pushed until it is full, then deflated and signed once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use flate2::{Compress, Compression, FlushCompress, Status};
use langso_domain::id::{DeviceId, Key, ScopeId, Writer};

use super::header::{FIRST_UNKNOWN, Header, Run};
use super::pack::pack;
use super::{KIND_CHANGES, KIND_PACKED, LABEL, MAGIC, MAX_CHANGES, MAX_RAW_BYTES, OVERHEAD_BYTES, VERSION};
use crate::chain::Chain;
use crate::keys::SigningKey;

/// The deflate level, measured on a day and on a full frame of visits: above it the bytes no longer fall.
const LEVEL: u32 = 6;
/// What a header costs when nothing is known of it yet.
const HEADER_BYTES: usize = 40;
/// The first changes of a frame deflate badly: so many bytes of them come to [`START_PERMILLE`] per 1,000.
const START_BYTES: usize = 1_500;
const START_PERMILLE: u32 = 450;
/// Deflated bytes per 1,000 of the changes after those, where nobody has measured yet.
pub(crate) const USUAL_PERMILLE: u32 = 300;

/// Collects changes of one scope for one frame.
#[derive(Clone, Debug)]
pub struct FrameBuilder {
    header: Header,
    raw: Vec<u8>,
    most_bytes: usize,
    permille: u32,
    is_packed: bool,
    writers: HashSet<Writer>,
    by: HashMap<DeviceId, u8>,
    next: u64,
}

/// The frame has no room for this change; nothing was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the frame is full")]
pub struct Full;

impl FrameBuilder {
    /// An empty frame of one scope that shall stay near `most_bytes` once it is deflated and signed. One change is
    /// always taken, however large.
    pub fn new(scope: ScopeId, schema: u16, most_bytes: usize) -> Self {
        Self {
            header: Header {
                scope,
                schema,
                count: 0,
                raw: 0,
                authors: Vec::new(),
                author_of: Vec::new(),
                runs: Vec::new(),
                before: None,
                unknown: BTreeMap::new(),
            },
            raw: Vec::new(),
            most_bytes,
            permille: USUAL_PERMILLE,
            is_packed: false,
            writers: HashSet::new(),
            by: HashMap::new(),
            next: 0,
        }
    }

    /// Estimates by what earlier frames came to, see the ratio learned from earlier frames.
    #[must_use]
    pub fn with_ratio(mut self, permille: u32) -> Self {
        self.permille = permille.clamp(50, 1_100);
        self
    }

    /// Packs the body when that makes it shorter: for a reader that has said that it opens such frames.
    #[must_use]
    pub fn packed(mut self, is_packed: bool) -> Self {
        self.is_packed = is_packed;
        self
    }

    /// Adds a header key that this version does not know, with one CBOR item as its value; keys that version 1 uses
    /// are left alone.
    #[must_use]
    pub fn with_unknown(mut self, key: u64, item: Vec<u8>) -> Self {
        if key >= FIRST_UNKNOWN {
            self.header.unknown.insert(key, item);
        }
        self
    }

    /// True when nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.header.count == 0
    }

    /// How many changes it holds.
    pub fn len(&self) -> usize {
        self.header.count
    }

    /// The scope of its changes.
    pub fn scope(&self) -> ScopeId {
        self.header.scope
    }

    /// The bytes of its changes, not deflated.
    pub fn raw_bytes(&self) -> usize {
        self.raw.len()
    }

    /// About how long the frame will be.
    pub fn estimated_bytes(&self) -> usize {
        self.estimate(self.raw.len())
    }

    fn estimate(&self, raw: usize) -> usize {
        let start = raw.min(START_BYTES);
        let share = |bytes: usize, permille: u32| (bytes as u64 * u64::from(permille) / 1_000) as usize;
        OVERHEAD_BYTES + HEADER_BYTES + share(start, START_PERMILLE) + share(raw - start, self.permille)
    }

    fn has_room(&self, bytes: usize) -> bool {
        let raw = self.raw.len() + bytes;
        self.header.count < MAX_CHANGES
            && raw <= MAX_RAW_BYTES
            && (self.is_empty() || self.estimate(raw) <= self.most_bytes)
    }

    /// Takes a change that the signer wrote.
    ///
    /// # Errors
    /// [`Full`]; the change belongs into the next frame.
    pub fn push(&mut self, change: &[u8]) -> Result<(), Full> {
        if !self.has_room(change.len()) {
            return Err(Full);
        }
        self.take(change);
        Ok(())
    }

    /// Takes a change that the hub serves: `before` is the chain just before its position. Positions must rise.
    ///
    /// # Errors
    /// [`Full`]; the change belongs into the next frame.
    pub fn push_served(
        &mut self,
        change: &[u8],
        key: Key,
        author: DeviceId,
        position: u64,
        before: Chain,
    ) -> Result<(), Full> {
        if !self.has_room(change.len()) || position == 0 || position < self.next {
            return Err(Full);
        }
        if !self.writers.contains(&key.writer) {
            let next = self.by.len();
            let index = match self.by.get(&author) {
                Some(&index) => index,
                None => {
                    let index = u8::try_from(next).map_err(|_| Full)?;
                    self.by.insert(author, index);
                    self.header.authors.push(author);
                    index
                }
            };
            self.header.author_of.push(index);
            self.writers.insert(key.writer);
        }
        if self.is_empty() {
            self.header.before = Some(before);
        }
        match self.header.runs.last_mut() {
            Some(run) if self.next == position => run.n += 1,
            _ => self.header.runs.push(Run { first: position, n: 1 }),
        }
        self.next = position + 1;
        self.take(change);
        Ok(())
    }

    fn take(&mut self, change: &[u8]) {
        self.raw.extend_from_slice(change);
        self.header.count += 1;
    }

    /// The signed frame; none when nothing was pushed.
    pub fn build(mut self, key: &SigningKey) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        self.header.raw = self.raw.len();
        if self.header.authors == [key.id()] {
            self.header.authors.clear();
            self.header.author_of.clear();
        }
        let mut body = self.header.encode();
        body.extend_from_slice(&self.raw);
        let deflated = deflated(&body);
        let packed = if self.is_packed { pack(&body) } else { None };
        Some(match packed.filter(|packed| packed.len() < deflated.len()) {
            Some(packed) => sign(&packed, KIND_PACKED, key),
            None => sign(&deflated, KIND_CHANGES, key),
        })
    }
}

/// What the changes of a frame came to, per 1,000 bytes and without its first ones; the last number stays where a
/// frame is too small to tell.
pub(crate) fn learned_permille(frame: usize, raw: usize, last: u32) -> u32 {
    if raw < 4 * START_BYTES {
        return last;
    }
    let start = OVERHEAD_BYTES + HEADER_BYTES + START_BYTES * START_PERMILLE as usize / 1_000;
    let deflated = frame.saturating_sub(start) as u64;
    (deflated * 1_000 / (raw - START_BYTES) as u64).clamp(50, 1_100) as u32
}

/// Deflates a body, puts the prefix before it and signs both.
pub(crate) fn seal(body: &[u8], kind: u8, key: &SigningKey) -> Vec<u8> {
    sign(&deflated(body), kind, key)
}

fn sign(compressed: &[u8], kind: u8, key: &SigningKey) -> Vec<u8> {
    let length = u32::try_from(compressed.len()).expect("a body is below 4 GiB");
    let mut frame = Vec::with_capacity(OVERHEAD_BYTES + compressed.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[VERSION, kind]);
    frame.extend_from_slice(&key.id().0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(compressed);
    let signature = key.sign(LABEL, &[&frame]);
    frame.extend_from_slice(&signature);
    frame
}

fn deflated(body: &[u8]) -> Vec<u8> {
    thread_local! {
        // Its tables are large beside most frames: made once for a thread, they are only reset.
        static STREAM: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(LEVEL), false));
    }
    let mut to = Vec::new();
    STREAM.with_borrow_mut(|stream| {
        stream.reset();
        loop {
            let rest = body.get(stream.total_in() as usize..).unwrap_or_default();
            to.reserve(rest.len() / 2 + 256);
            let status = stream.compress_vec(rest, &mut to, FlushCompress::Finish);
            if status.expect("a reset stream takes any bytes") == Status::StreamEnd {
                return;
            }
        }
    });
    to
}
