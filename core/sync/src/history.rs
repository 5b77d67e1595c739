//! What a phone keeps, and for how long, so that it survives a hub whose history changes: restored from a backup,
//! rolled back unannounced, or forked.
//!
//! Pure. The one idea: a chain proves what lies at or below a cursor, and nothing above it. So a receipt above the
//! cursor holds only until its position shows otherwise, and what was received is kept until it can be lost no more:
//! until it has been in the hub's verified backup, and below the own cursor, for a week.

use langso_domain::id::Key;

use crate::chain::Cursor;
use crate::session::Receipt;

/// How long a position must have been under both the watermark and the own cursor before a phone forgets what lies
/// there, in ms of hub time: a backup that turns out to be bad is found within a week, and the one before it serves.
pub const SETTLE_MS: u64 = 7 * 24 * 3_600_000;

/// Notes of [`Settling`] are at least this far apart, in ms: the list stays short however often a phone syncs.
pub const NOTE_EVERY_MS: u64 = 6 * 3_600_000;

/// At `at_ms` of hub time everything up to `position` was under both the watermark and the own cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note {
    /// Hub time, ms since 1970.
    pub at_ms: u64,
    /// The position.
    pub position: u64,
}

/// What is kept of one scope between syncs to know its prune line: at most about thirty notes, oldest first. Begun anew
/// (`default`) when the hub's history turns out to be another one: watermarks of a void history say nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settling {
    notes: Vec<Note>,
}

impl Settling {
    /// From the notes kept, oldest first.
    pub fn from_notes(notes: Vec<Note>) -> Self {
        Self { notes }
    }

    /// To be kept, oldest first.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Notes where the scope stands at the end of a sync. A watermark of 0 is no backup at all. Call it, as
    /// [`Settling::line`], only with a hub time that the phone's own clock vouches for.
    pub fn note(&mut self, now_ms: u64, watermark: u64, cursor: u64) {
        let both = watermark.min(cursor);
        for note in &mut self.notes {
            // A note out of the future was made by a wrong clock: its week begins now. What is no longer under both has
            // not been so for a week.
            note.at_ms = note.at_ms.min(now_ms);
            note.position = note.position.min(both);
        }
        self.notes.dedup_by_key(|note| note.position);
        let last = self.notes.last();
        if both > last.map_or(0, |note| note.position)
            && last.is_none_or(|note| now_ms - note.at_ms >= NOTE_EVERY_MS)
        {
            self.notes.push(Note { at_ms: now_ms, position: both });
        }
        let settled = self.notes.iter().rposition(|note| is_settled(note, now_ms));
        self.notes.drain(..settled.unwrap_or(0));
        self.notes.retain(|note| note.position > 0);
    }

    /// The prune line: what lies at or below this position may be forgotten; 0 = nothing. Never above the own cursor.
    pub fn line(&self, now_ms: u64) -> u64 {
        let settled = self.notes.iter().rev().find(|note| is_settled(note, now_ms));
        settled.map_or(0, |note| note.position)
    }
}

fn is_settled(note: &Note, now_ms: u64) -> bool {
    now_ms.saturating_sub(note.at_ms) >= SETTLE_MS
}

/// The oldest mark to keep, by its position: the newest at or below the prune line. Marks are the ends of kept frames
/// and of replies; those below this one may be forgotten, and the beginning of the scope needs no keeping.
pub fn oldest_mark(marks: impl IntoIterator<Item = u64>, line: u64) -> u64 {
    marks.into_iter().filter(|mark| *mark <= line).max().unwrap_or(0)
}

/// At most `most` of the marks (newest first) to offer to a hub that does not know the cursor: the newest half of them
/// as they are, since a hub is mostly rolled back a little, and the rest spread over all that is older. A hub that lies
/// between two of them is offered more than it lacks, which costs bytes and nothing else.
pub fn thin_marks(marks: &[Cursor], most: usize) -> Vec<Cursor> {
    if marks.len() <= most {
        return marks.to_vec();
    }
    let near = most / 2;
    let (far, rest) = (most - near, &marks[near..]);
    let spread = (1..=far).map(|at| rest[at * rest.len() / far - 1]);
    marks[..near].iter().copied().chain(spread).collect()
}

/// What a hub has shown of its history in one scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Nothing that the phone has been told of lies above this position: the mark to which it fell back, or the head at
    /// the end of a reply after which nothing more is to fetch.
    UpTo(u64),
    /// This change stands at this position.
    At(u64, Key),
}

/// Whether what was shown makes the receipt of a change void: then the change counts as unsent again.
pub fn is_void(key: Key, position: u64, shown: Shown) -> bool {
    match shown {
        Shown::UpTo(head) => position > head,
        Shown::At(at, other) => at == position && other != key,
    }
}

/// A range of receipts cut where the history that it speaks of ends: what holds, and what is void.
pub fn split_receipt(receipt: Receipt, head: u64) -> (Option<Receipt>, Option<Receipt>) {
    let n = head.saturating_add(1).saturating_sub(receipt.position).min(receipt.n.into()) as u32;
    let holds = Receipt { n, ..receipt };
    let void = Receipt {
        first: receipt.first + n,
        n: receipt.n - n,
        position: receipt.position + u64::from(n),
        ..receipt
    };
    ((holds.n > 0).then_some(holds), (void.n > 0).then_some(void))
}

#[cfg(test)]
mod tests {
    use langso_domain::id::Writer;

    use super::*;
    use crate::chain::Chain;

    const HOUR: u64 = 3_600_000;
    const NOW: u64 = 1_795_000_000_000;

    fn key(seq: u32) -> Key {
        Key { writer: Writer(7), seq }
    }

    #[test]
    fn nothing_is_forgotten_before_it_was_a_week_under_both_watermark_and_cursor() {
        let mut settling = Settling::default();
        settling.note(NOW, 50, 40);
        assert_eq!(settling.line(NOW + SETTLE_MS - 1), 0);
        assert_eq!(settling.line(NOW + SETTLE_MS), 40);
        settling.note(NOW + 24 * HOUR, 50, 90);
        assert_eq!(settling.line(NOW + SETTLE_MS), 40, "the rest has not been there for a week");
        assert_eq!(settling.line(NOW + SETTLE_MS + 24 * HOUR), 50);
    }

    #[test]
    fn without_a_backup_nothing_is_ever_forgotten() {
        let mut settling = Settling::default();
        (0..100).for_each(|day| settling.note(NOW + day * 24 * HOUR, 0, 1_000));
        assert_eq!((settling.line(u64::MAX), settling.notes().len()), (0, 0));
    }

    #[test]
    fn a_watermark_that_sinks_takes_the_line_along() {
        let mut settling = Settling::default();
        settling.note(NOW, 100, 100);
        settling.note(NOW + 48 * HOUR, 30, 100);
        settling.note(NOW + 72 * HOUR, 100, 100);
        assert_eq!(settling.line(NOW + SETTLE_MS), 30);
        assert_eq!(settling.line(NOW + 72 * HOUR + SETTLE_MS), 100);
    }

    #[test]
    fn a_note_out_of_the_future_begins_its_week_anew() {
        let mut settling = Settling::default();
        settling.note(NOW + 300 * 24 * HOUR, 80, 80);
        assert_eq!(settling.line(NOW), 0);
        settling.note(NOW, 80, 80);
        assert_eq!(settling.line(NOW + SETTLE_MS - 1), 0);
        assert_eq!(settling.line(NOW + SETTLE_MS), 80);
    }

    #[test]
    fn notes_stay_few_however_often_a_phone_syncs() {
        let mut settling = Settling::default();
        for at in 0..5_000 {
            settling.note(NOW + at * HOUR / 4, at, at);
            assert!(settling.notes().len() <= 30, "{}", settling.notes().len());
        }
        assert!(settling.line(NOW + 5_000 * HOUR / 4) > 4_000);
    }

    #[test]
    fn marks_are_kept_from_the_newest_at_or_below_the_line() {
        assert_eq!(oldest_mark([3, 9, 12, 40], 11), 9);
        assert_eq!(oldest_mark([3, 9, 12, 40], 12), 12);
        assert_eq!(oldest_mark([3, 9, 12, 40], 2), 0);
    }

    #[test]
    fn marks_are_thinned_where_they_are_old() {
        let marks: Vec<Cursor> =
            (1..=1_000).rev().map(|position| Cursor { position, chain: Chain([1; 8]) }).collect();
        assert_eq!(thin_marks(&marks, 1_000), marks);
        let few = thin_marks(&marks, 255);
        assert_eq!(few.len(), 255);
        assert_eq!(few[..127], marks[..127]);
        assert_eq!(few.last(), marks.last(), "the oldest is always there");
        assert!(few.windows(2).all(|pair| pair[0].position > pair[1].position));
        assert!(thin_marks(&marks, 0).is_empty());
    }

    #[test]
    fn a_receipt_falls_with_its_history() {
        assert!(is_void(key(1), 11, Shown::UpTo(10)) && !is_void(key(1), 10, Shown::UpTo(10)));
        assert!(is_void(key(1), 10, Shown::At(10, key(2))));
        assert!(!is_void(key(1), 10, Shown::At(10, key(1))) && !is_void(key(1), 10, Shown::At(9, key(2))));
    }

    #[test]
    fn a_range_is_cut_at_the_end_of_the_history() {
        let range = Receipt { writer: Writer(7), first: 4, n: 5, position: 20 };
        assert_eq!(split_receipt(range, 24), (Some(range), None));
        assert_eq!(split_receipt(range, 19), (None, Some(range)));
        let (holds, void) = split_receipt(range, 21);
        assert_eq!(holds, Some(Receipt { n: 2, ..range }));
        assert_eq!(void, Some(Receipt { first: 6, n: 3, position: 22, ..range }));
    }
}
