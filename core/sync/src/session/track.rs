//! Following one scope through a reply: the chain runs over frames and receipts together, in order of position.

use std::collections::VecDeque;

use langso_domain::id::Key;

use super::types::Receipt;
use crate::chain::Cursor;
use crate::frame::Frame;

/// How far a reply has been followed in one scope.
#[derive(Debug)]
pub(super) struct Track {
    /// Everything up to here is proven.
    pub cursor: Cursor,
    receipts: VecDeque<Receipt>,
}

/// What does not fit the history the phone knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Break {
    /// Positions are missing, or come twice.
    Hole,
    /// The chain differs.
    Chain,
}

impl Track {
    /// Follows on from a cursor, with the receipts of the head in order of position.
    pub(super) fn new(cursor: Cursor, receipts: &[Receipt]) -> Self {
        Self { cursor, receipts: receipts.iter().copied().collect() }
    }

    /// Steps over receipts until `position` is the next.
    fn reach(&mut self, position: u64) -> Result<(), Break> {
        while self.cursor.position + 1 < position {
            let Some(receipt) = self.receipts.front_mut() else { return Err(Break::Hole) };
            if receipt.position != self.cursor.position + 1 {
                return Err(Break::Hole);
            }
            self.cursor = self.cursor.then(Key { writer: receipt.writer, seq: receipt.first });
            (receipt.position, receipt.first, receipt.n) =
                (receipt.position + 1, receipt.first + 1, receipt.n - 1);
            if receipt.n == 0 {
                self.receipts.pop_front();
            }
        }
        if self.cursor.position + 1 == position { Ok(()) } else { Err(Break::Hole) }
    }

    /// Follows a frame of the hub.
    pub(super) fn frame(&mut self, frame: &Frame) -> Result<(), Break> {
        let mut before = frame.header.before;
        for change in frame.changes() {
            self.reach(change.position.ok_or(Break::Hole)?)?;
            if before.take().is_some_and(|chain| chain != self.cursor.chain) {
                return Err(Break::Chain);
            }
            self.cursor = self.cursor.then(change.head.key);
        }
        Ok(())
    }

    /// A snapshot takes the place of all up to there, receipts included.
    pub(super) fn jump(&mut self, to: Cursor) {
        self.cursor = to;
        while let Some(receipt) = self.receipts.front_mut().filter(|first| first.position <= to.position) {
            let under = (to.position + 1 - receipt.position).min(u64::from(receipt.n)) as u32;
            (receipt.position, receipt.first, receipt.n) =
                (receipt.position + u64::from(under), receipt.first + under, receipt.n - under);
            if receipt.n == 0 {
                self.receipts.pop_front();
            }
        }
    }

    /// Follows what is left of the receipts up to where the hub says that the reply ends.
    pub(super) fn end(&mut self, end: Cursor) -> Result<(), Break> {
        self.reach(end.position + 1)?;
        if self.cursor == end { Ok(()) } else { Err(Break::Chain) }
    }
}
