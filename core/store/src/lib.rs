//! A replica: a SQLite file with the rows of some scopes, made by applying changes. The phone's data and the hub's
//! caches are this code.
//!
//! Who may write: only a [`Batch`], which is one transaction; readers take a [`rusqlite::Connection`]. The rules of
//! the merge are in `langso-sync`; here they meet columns.

mod apply;
mod batch;
mod columns;
mod digests;
mod drop;
mod export;
pub mod figures;
mod land;
mod schema;
mod search;
mod swap;
mod tx;
mod writers;

pub use batch::{Batch, ScopeState};
pub use columns::{from_sql, to_sql};
pub use digests::Counted;
pub use land::Landing;
pub use schema::{CURRENT, Migration, Purpose, Replica, Schema, create_table_sql};
pub use search::{SearchHit, find_households};

/// Why a replica could not do what was asked. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused: a full disk, a locked or damaged file; see the code inside.
    #[error("sqlite")]
    Sqlite(#[from] rusqlite::Error),
    /// A change's bytes are none.
    #[error(transparent)]
    Malformed(#[from] langso_sync::change::Malformed),
    /// The file was written by a newer program.
    #[error("schema {found} is newer than {known}")]
    NewerSchema {
        /// The file's.
        found: u16,
        /// This program's.
        known: u16,
    },
    /// A state frame that is not the next one of the snapshot under way.
    #[error("state frame out of order")]
    FrameOrder,
    /// The scope is not in this replica.
    #[error("unknown scope")]
    UnknownScope,
    /// The indicator has no figure of its own, or names what this program does not know.
    #[error(transparent)]
    Uncountable(#[from] langso_domain::indicators::Uncountable),
    /// The SQLite library is older than the design allows.
    #[error("sqlite {0} is too old")]
    OldSqlite(&'static str),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
