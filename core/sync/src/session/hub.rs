//! The hub's half: receipts for what the phone holds, frames for what it does not, in order of position.

use std::collections::HashMap;

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};

use crate::chain::Cursor;
use crate::frame::{FrameBuilder, MAX_CHANGES, USUAL_PERMILLE, learned_permille};
use crate::keys::SigningKey;
use crate::wire::{Held, MAX_RANGES, Range, ScopeReceipts};

/// What a phone said it holds, by writer.
#[derive(Debug, Default)]
pub struct HeldIndex(HashMap<Writer, (u32, u32)>);

impl HeldIndex {
    /// From the list of a hello, in its order.
    pub fn new(held: &[Held]) -> Self {
        Self(held.iter().zip(0..).map(|(held, at)| (held.writer, (at, held.upto))).collect())
    }

    /// The writers, for a query of the log.
    pub fn writers(&self) -> impl Iterator<Item = Writer> {
        self.0.keys().copied()
    }

    /// The change's place in the list, when the phone holds it.
    pub fn place(&self, key: Key) -> Option<u32> {
        self.0.get(&key.writer).filter(|(_, upto)| key.seq <= *upto).map(|(at, _)| *at)
    }
}

/// The receipts of one scope from its log's (position, key) above the cursor, in order of position; rows of writers
/// that the phone did not offer are passed over. Takes at most `room` ranges and lowers it by what it took; what does
/// not fit is simply served as frames.
pub fn receipts(
    scope: usize,
    held: &HeldIndex,
    rows: impl IntoIterator<Item = (u64, Key)>,
    room: &mut usize,
) -> ScopeReceipts {
    let most = (*room).min(MAX_RANGES);
    let mut ranges: Vec<Range> = Vec::new();
    for (position, key) in rows {
        let Some(place) = held.place(key) else { continue };
        if let Some(last) = ranges.last_mut() {
            let follows = last.position + u64::from(last.n) == position && last.first + last.n == key.seq;
            if follows && last.held == place {
                last.n += 1;
                continue;
            }
        }
        if ranges.len() == most {
            break;
        }
        ranges.push(Range { position, held: place, first: key.seq, n: 1 });
    }
    *room -= ranges.len().min(*room);
    ScopeReceipts { scope, ranges }
}

/// One row of the log.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its position.
    pub position: u64,
    /// The change's name.
    pub key: Key,
    /// The device that wrote it.
    pub author: DeviceId,
    /// The author's bytes.
    pub bytes: &'a [u8],
}

/// The rows were not handed over in order without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log has a gap")]
pub struct Gap;

/// Cuts the log of one scope into signed frames. A row that a receipt of the same reply covers is skipped, every other
/// is served, so that the phone's chain always closes.
#[derive(Debug)]
pub struct Serving<'a> {
    scope: ScopeId,
    schema: u16,
    cursor: Cursor,
    covered: std::iter::Peekable<std::slice::Iter<'a, Range>>,
    max_frame: usize,
    permille: u32,
    builder: Option<FrameBuilder>,
}

impl<'a> Serving<'a> {
    /// Begins after `from`, which the hub has checked against its own chain. `ranges` are those of [`receipts`] for
    /// this scope; frames stay near `max_frame` bytes.
    pub fn new(scope: ScopeId, schema: u16, from: Cursor, ranges: &'a [Range], max_frame: usize) -> Self {
        Self {
            scope,
            schema,
            cursor: from,
            covered: ranges.iter().peekable(),
            max_frame,
            permille: USUAL_PERMILLE,
            builder: None,
        }
    }

    /// Takes the row after the last; gives a frame when one has become full.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn push(&mut self, entry: Entry<'_>, key: &SigningKey) -> Result<Option<Vec<u8>>, Gap> {
        if entry.position != self.cursor.position + 1 {
            return Err(Gap);
        }
        while self.covered.next_if(|range| range.position + u64::from(range.n) <= entry.position).is_some() {}
        let covered = self.covered.peek().is_some_and(|range| range.position <= entry.position);
        let before = self.cursor.chain;
        self.cursor = self.cursor.then(entry.key);
        if covered {
            return Ok(None);
        }
        let Entry { position, key: name, author, bytes } = entry;
        if let Some(builder) = &mut self.builder
            && builder.push_served(bytes, name, author, position, before).is_ok()
        {
            return Ok(None);
        }
        let frame = self.flush(key);
        let mut builder =
            FrameBuilder::new(self.scope, self.schema, self.max_frame).with_ratio(self.permille);
        // A fresh frame takes one change of any length that the log can hold.
        builder.push_served(bytes, name, author, position, before).map_err(|_| Gap)?;
        self.builder = Some(builder);
        Ok(frame)
    }

    /// The frame under way, however small.
    pub fn flush(&mut self, key: &SigningKey) -> Option<Vec<u8>> {
        let builder = self.builder.take()?;
        let raw = builder.raw_bytes();
        let frame = builder.build(key)?;
        self.permille = learned_permille(frame.len(), raw, self.permille);
        Some(frame)
    }

    /// The end of what was taken: goes into the end record.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// About how many bytes the frame under way will have.
    pub fn pending_bytes(&self) -> usize {
        self.builder.as_ref().map_or(0, FrameBuilder::estimated_bytes)
    }

    /// How many more changes surely fit into the frame under way by count alone.
    pub fn room(&self) -> usize {
        MAX_CHANGES - self.builder.as_ref().map_or(0, FrameBuilder::len)
    }
}
