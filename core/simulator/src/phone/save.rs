//! A save, and the ways in which it can end: rows and outbox are one transaction, the journal follows.

use std::rc::Rc;

use super::{Entry, Phone, Record};
use crate::broken::Result;
use crate::content::{self, Rows};
use crate::dice::Dice;
use crate::pen::{Moment, Written};
use crate::rule::Rule;

/// How a save ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Well.
    Saved,
    /// The process dies before the commit.
    KilledBefore,
    /// The process dies between commit and journal.
    KilledAfter,
    /// The disk refuses the commit.
    Refused,
    /// The disk says that it refuses the commit, and has it all the same.
    RefusedYetKept,
}

impl Fate {
    pub fn any(dice: &mut Dice) -> Self {
        match dice.below(200) {
            0 | 1 => Self::KilledBefore,
            2 | 3 => Self::KilledAfter,
            4 | 5 => Self::Refused,
            6 | 7 => Self::RefusedYetKept,
            _ => Self::Saved,
        }
    }

    /// Whether the rows are on the disk afterwards.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Saved | Self::KilledAfter | Self::RefusedYetKept)
    }
}

impl Phone {
    /// Writes something; none when nothing of it is kept. A process that dies is started anew by the caller.
    pub fn save(
        &mut self,
        now: Moment,
        fate: Fate,
        rows: &Rows,
        (dice, writers): (&mut Dice, &mut Dice),
        rule: Option<Rule>,
    ) -> Result<Option<Written>> {
        let numbers = self.pen.numbers();
        let registry = self.file.replica.schema().registry;
        let mut batch = self.file.replica.begin()?;
        let mut saving = self.pen.begin(&mut batch, registry, &self.scopes, self.device, (writers, rule));
        content::write(&mut saving, dice, rows, self.who)?;
        let written = saving.finish(now)?;
        if fate.is_kept() {
            batch.commit()?;
        } else {
            drop(batch);
        }
        match fate {
            Fate::Saved | Fate::KilledAfter => {}
            // The number counts as given, or goes to the next change.
            _ if rule == Some(Rule::NewWriterAfterFailure) => self.pen.resume(&numbers),
            _ => self.pen.authors.clear(),
        }
        if !fate.is_kept() {
            return Ok(None);
        }
        for (held, change, bytes) in &written.changes {
            let bytes: Rc<[u8]> = bytes.as_slice().into();
            let has_outbox = fate != Fate::KilledAfter || rule != Some(Rule::OutboxWithItsRows);
            if has_outbox {
                self.disk.outbox.push(Entry::new(held.scope, change.key, change.stamp, bytes.clone()));
            }
            if fate == Fate::Saved {
                self.journal.push(Record { scope: held.scope, key: change.key, bytes });
            }
        }
        if rule == Some(Rule::NewWriterAfterRestart) {
            self.disk.numbers = self.pen.numbers();
        }
        Ok(Some(written))
    }
}
