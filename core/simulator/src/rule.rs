//! Rules of the design that a run can leave out, to show that the simulator would see a program without them.
//!
//! Never set in a run that is to prove anything else.

use serde::Serialize;

/// A rule that this run breaks on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A phone restored from an older copy goes on with the writer it had.
    NewWriterAfterRestart,
    /// After a failed commit the same writer gives the same number again.
    NewWriterAfterFailure,
    /// A patch names only the value that showed, not every head that its author saw.
    BaseNamesEveryHead,
    /// A change counts as received once its request has gone out.
    ReceiptsFromTheHub,
    /// The cursor is kept before the frame it stands for.
    CursorWithItsFrame,
    /// A replica forgets which changes it has taken in.
    AppliedMemory,
    /// A phone takes over any stamp it hears, however far ahead.
    AdoptOneDayAhead,
    /// A patch is stamped by the own clock alone.
    StampAboveSeen,
    /// Rows and outbox are written in two transactions.
    OutboxWithItsRows,
    /// A database is opened without a look into its journal.
    JournalHeldAgainstDatabase,
    /// The hub throws away what its author was not allowed to write.
    SetAsideIsADelay,
    /// The hub serves every scope to whoever asks.
    TrainerSeesNoTeam,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 12] = [
        Self::NewWriterAfterRestart,
        Self::NewWriterAfterFailure,
        Self::BaseNamesEveryHead,
        Self::ReceiptsFromTheHub,
        Self::CursorWithItsFrame,
        Self::AppliedMemory,
        Self::AdoptOneDayAhead,
        Self::StampAboveSeen,
        Self::OutboxWithItsRows,
        Self::JournalHeldAgainstDatabase,
        Self::SetAsideIsADelay,
        Self::TrainerSeesNoTeam,
    ];
}
