//! Receipts: which of the offered changes have which positions, in columns of small differences.

use super::WireError;
use crate::chain::MAX_POSITION;
use crate::leb::{self, put, unzigzag, zigzag};

/// The most ranges of one reply; what is left comes with the next.
pub const MAX_RANGES: usize = 16_384;

/// Changes of one writer that follow one another both in number and in position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// The position of the first.
    pub position: u64,
    /// The writer's place in the hello's lists of held and recalled writers, one after the other.
    pub held: u32,
    /// The number of the first.
    pub first: u32,
    /// How many, at least 1.
    pub n: u32,
}

/// The receipts of one scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeReceipts {
    /// The scope's place in the hello's list of cursors.
    pub scope: usize,
    /// In order of position, without overlap.
    pub ranges: Vec<Range>,
}

/// Columns: count, gaps between positions, steps of the writer's place, numbers against the next expected of that
/// writer (1 at first), lengths. All LEB128, the second and third zigzag.
pub(super) fn encode(ranges: &[Range]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ranges.len() * 4 + 8);
    put(&mut bytes, ranges.len() as u64);
    let mut end = 0;
    for range in ranges {
        put(&mut bytes, range.position.saturating_sub(end));
        end = range.position + u64::from(range.n);
    }
    let mut last = -1;
    for range in ranges {
        put(&mut bytes, zigzag(i64::from(range.held) - last - 1));
        last = i64::from(range.held);
    }
    let mut expected = Expected::default();
    for range in ranges {
        let next = expected.of(range.held);
        put(&mut bytes, zigzag(i64::from(range.first) - i64::from(*next)));
        *next = range.first.saturating_add(range.n);
    }
    ranges.iter().for_each(|range| put(&mut bytes, u64::from(range.n)));
    bytes
}

/// Reads what [`encode`] wrote; `room` is how many more ranges the reply may hold.
pub(super) fn decode(mut bytes: &[u8], room: usize) -> Result<Vec<Range>, WireError> {
    let bad = WireError::Malformed("receipts");
    let from = &mut bytes;
    let count = usize::try_from(get(from)?).map_err(|_| WireError::TooLarge)?;
    if count > room {
        return Err(WireError::TooLarge);
    }
    // Four columns of at least a byte each: what is claimed must be there before anything is allocated.
    if count > from.len() / 4 {
        return Err(bad);
    }
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        ranges.push(Range { position: get(from)?, held: 0, first: 0, n: 0 });
    }
    let mut last = -1;
    for range in &mut ranges {
        last += unzigzag(get(from)?).checked_add(1).filter(|step| step.abs() < 1 << 32).ok_or(bad)?;
        range.held = u32::try_from(last).ok().filter(|&held| (held as usize) < super::MAX_HELD).ok_or(bad)?;
    }
    let mut expected = Expected::default();
    let mut firsts = Vec::with_capacity(count);
    for range in &ranges {
        firsts.push((range.held, unzigzag(get(from)?)));
    }
    let mut end = 0u64;
    for (range, (held, step)) in ranges.iter_mut().zip(firsts) {
        range.n = u32::try_from(get(from)?).ok().filter(|&n| n > 0).ok_or(bad)?;
        let next = expected.of(held);
        range.first = u32::try_from(i64::from(*next).checked_add(step).ok_or(bad)?).map_err(|_| bad)?;
        let after = range.first.checked_add(range.n).ok_or(bad)?;
        if range.first == 0 || after > langso_domain::id::MAX_SEQ + 1 {
            return Err(bad);
        }
        *next = after;
        range.position = end.checked_add(range.position).ok_or(bad)?;
        end = range.position.checked_add(u64::from(range.n)).ok_or(bad)?;
        if range.position == 0 || end > MAX_POSITION {
            return Err(bad);
        }
    }
    if from.is_empty() { Ok(ranges) } else { Err(bad) }
}

/// The next number expected of each writer.
#[derive(Default)]
struct Expected(std::collections::HashMap<u32, u32>);

impl Expected {
    fn of(&mut self, held: u32) -> &mut u32 {
        self.0.entry(held).or_insert(1)
    }
}

fn get(from: &mut &[u8]) -> Result<u64, WireError> {
    leb::get(from).ok_or(WireError::Malformed("receipts"))
}
