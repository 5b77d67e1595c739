//! The hub's half: receipts for what the phone holds, frames for what it does not, in order of position.

use std::collections::{HashMap, VecDeque};

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};

use crate::chain::Cursor;
use crate::frame::{FrameBuilder, USUAL_PERMILLE, learned_permille};
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

    /// The change's place in the list, when the phone holds it.
    pub fn place(&self, key: Key) -> Option<u32> {
        self.0.get(&key.writer).filter(|(_, upto)| key.seq <= *upto).map(|(at, _)| *at)
    }
}

/// The receipts of one scope from its log's (position, key), in order of position; rows of writers to which `place` gives
/// none in the hello's lists are passed over. Takes at most `room` ranges and lowers it by what it took; what lies above
/// the cursor and does not fit is simply served as frames.
pub fn receipts(
    scope: usize,
    place: impl Fn(Key) -> Option<u32>,
    rows: impl IntoIterator<Item = (u64, Key)>,
    room: &mut usize,
) -> ScopeReceipts {
    let most = (*room).min(MAX_RANGES);
    let mut ranges: Vec<Range> = Vec::new();
    for (position, key) in rows {
        let Some(place) = place(key) else { continue };
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

/// Whether a scope whose head is there should have a new snapshot, the last being of `last`: a fifth more than it, and
/// not before a log is worth it.
pub fn is_snapshot_due(head: u64, last: Option<u64>) -> bool {
    const LEAST: u64 = 500;
    head.saturating_sub(last.unwrap_or(0)) >= LEAST.max(last.unwrap_or(0) / 5)
}

/// Whether a snapshot of `frame_bytes` (what is left of it to send) brings a phone at `from` further for fewer bytes than
/// the changes up to `of`, which come to `log_bytes` before deflating from position 1 on.
pub fn is_snapshot_shorter(frame_bytes: u64, log_bytes: u64, of: u64, from: u64) -> bool {
    let share = u128::from(of.saturating_sub(from)) * u128::from(log_bytes) / u128::from(of.max(1));
    u128::from(frame_bytes) < share * u128::from(USUAL_PERMILLE) / 1_000
}

/// What of a scope's ranges lies above a position, which the phone reaches by a snapshot.
pub fn receipts_above(ranges: &[Range], position: u64) -> Vec<Range> {
    let above = ranges.iter().filter_map(|range| {
        let under = (position + 1).saturating_sub(range.position).min(u64::from(range.n)) as u32;
        let (position, first) = (range.position + u64::from(under), range.first + under);
        (under < range.n).then_some(Range { position, first, n: range.n - under, ..*range })
    });
    above.collect()
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
/// is served, so that the phone's chain always closes. A copy serves the same rows again.
#[derive(Clone, Debug)]
pub struct Serving {
    scope: ScopeId,
    schema: u16,
    cursor: Cursor,
    /// What receipts say: position, first key, how many; in order of position.
    covered: VecDeque<(u64, Key, u32)>,
    permille: u32,
    builder: Option<FrameBuilder>,
}

impl Serving {
    /// Begins after `from`, which the hub has checked against its own chain. `ranges` are those of [`receipts`] for
    /// this scope, `held` is the list of the hello that they speak of.
    pub fn new(scope: ScopeId, schema: u16, from: Cursor, ranges: &[Range], held: &[Held]) -> Self {
        let covered = ranges.iter().filter_map(|range| {
            let writer = held.get(range.held as usize)?.writer;
            Some((range.position, Key { writer, seq: range.first }, range.n))
        });
        let covered = covered.collect();
        Self { scope, schema, cursor: from, covered, permille: USUAL_PERMILLE, builder: None }
    }

    /// Steps over what receipts cover next, which needs no row of the log. Gives the position before which the next
    /// receipt begins: rows are wanted up to there; none when no receipt is left.
    pub fn pass_receipts(&mut self) -> Option<u64> {
        while let Some((position, first, n)) = self.covered.front().copied() {
            if position != self.cursor.position + 1 {
                return Some(position - 1);
            }
            for seq in first.seq..first.seq + n {
                self.cursor = self.cursor.then(Key { seq, ..first });
            }
            self.covered.pop_front();
        }
        None
    }

    /// Takes the row after the last into a frame of about `max_frame` bytes. False when the frame is full: then
    /// [`Serving::flush`], and the row again.
    ///
    /// # Errors
    /// [`Gap`].
    pub fn push(&mut self, entry: Entry<'_>, max_frame: usize) -> Result<bool, Gap> {
        if entry.position != self.cursor.position + 1 {
            return Err(Gap);
        }
        let builder = self.builder.get_or_insert_with(|| {
            FrameBuilder::new(self.scope, self.schema, max_frame).with_ratio(self.permille)
        });
        let Entry { position, key, author, bytes } = entry;
        if builder.push_served(bytes, key, author, position, self.cursor.chain).is_err() {
            // A fresh frame takes one change of any length that the log can hold.
            return if builder.is_empty() { Err(Gap) } else { Ok(false) };
        }
        self.cursor = self.cursor.then(key);
        Ok(true)
    }

    /// The frame under way, however small; none when nothing was taken since the last.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_when_a_fifth_is_new_and_served_when_the_changes_are_more_bytes() {
        assert!(!is_snapshot_due(499, None) && is_snapshot_due(500, None));
        assert!(!is_snapshot_due(11_999, Some(10_000)) && is_snapshot_due(12_000, Some(10_000)));
        // 10,000 changes of 2 MB deflate to about 600 kB.
        assert!(is_snapshot_shorter(350_000, 2_000_000, 10_000, 0));
        assert!(!is_snapshot_shorter(350_000, 2_000_000, 10_000, 5_000));
        assert!(!is_snapshot_shorter(1, 0, 0, 0));
    }

    #[test]
    fn receipts_below_a_snapshot_are_cut_off_also_inside_a_range() {
        let range = |position, first, n| Range { position, held: 3, first, n };
        let all = [range(1, 1, 4), range(8, 5, 5), range(20, 10, 1)];
        assert_eq!(receipts_above(&all, 10), [range(11, 8, 2), range(20, 10, 1)]);
        assert_eq!(receipts_above(&all, 0), all);
        assert_eq!(receipts_above(&all, 20), []);
    }
}
