//! What a run found: a promise of the design that did not hold.

use serde::Serialize;

/// A promise that did not hold, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{promise:?}: {detail}")]
pub struct Broken {
    /// Which.
    pub promise: Promise,
    /// How much of it: changes lost, else 1.
    pub count: u64,
    /// Ids and numbers for whoever replays the seed.
    pub detail: String,
}

/// What is promised to the people who use the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What was saved is at the hub once a sync has come to its end.
    NothingLost,
    /// Replicas of one scope that have heard the same are the same.
    ReplicasEqual,
    /// A change that has been acknowledged is not sent again.
    SentOnce,
    /// An edit shows on the phone that made it, and is the only head there.
    EditShows,
    /// Heads are the versions written less the versions named; the highest shows, and what differs is on the shelf.
    HeadsAreUnnamedVersions,
    /// Damaged rows are found, and replicas of one digest hold the same rows.
    DigestsTrue,
    /// No cursor passes a position whose change the phone has not heard.
    NoHole,
    /// After its last sync a phone stands at the hub's position and chain.
    CursorAtHead,
    /// A receipt names the position at which the hub holds that very change.
    ReceiptsTrue,
    /// A phone holds rows of no scope that is not its own.
    OwnScopesOnly,
    /// No stamp lies more than a day ahead of its author's clock, unless it overwrites one that does.
    ClockBounded,
    /// Syncs come to their end.
    Converges,
    /// Nothing that can happen to a phone or hub makes the program fail.
    NoError,
}

impl Promise {
    pub(crate) fn broken(self, detail: impl Into<String>) -> Broken {
        self.broken_often(1, detail)
    }

    pub(crate) fn broken_often(self, count: usize, detail: impl Into<String>) -> Broken {
        Broken { promise: self, count: count as u64, detail: detail.into() }
    }
}

impl From<langso_store::Error> for Broken {
    fn from(error: langso_store::Error) -> Self {
        Promise::NoError.broken(format!("store: {error:?}"))
    }
}

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Self {
        Promise::NoError.broken(format!("sqlite: {error}"))
    }
}

impl From<langso_sync::author::TooManyRows> for Broken {
    fn from(error: langso_sync::author::TooManyRows) -> Self {
        Promise::NoError.broken(error.to_string())
    }
}

impl From<langso_sync::author::CannotPatch> for Broken {
    fn from(error: langso_sync::author::CannotPatch) -> Self {
        Promise::NoError.broken(error.to_string())
    }
}

/// A result of a step.
pub(crate) type Result<T = ()> = std::result::Result<T, Broken>;
