//! Backups: everything that matters of a hub (its log and its keys) in a folder of its own, with sizes and hashes.
//!
//! The one idea: **a backup counts only when it has been read back.** It is written under a name that says it is
//! unfinished; then every page, every change's hash, every position and every chain is read again from what was
//! written; only then it gets its name, and only then the watermark of each scope rises to its end there, on which
//! phones begin to forget. A backup that fails, at whatever point, raises nothing and touches nothing that was there.
//!
//! A folder named `langso-` and its time (that of Vietnam) holds `hub.db` (one file, nothing beside it), `hub.key`, `manifest.json`
//! (sizes, hashes, each scope's head and chain, the hub's time, the program) and `SHA256SUMS`, which `sha256sum -c`
//! reads too. All are for their owner alone: who has the folder has the hub.

mod files;
mod make;
mod manifest;
mod restore;
mod shelf;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use crate::log::{self, Unsound};

pub use make::Made;
pub use manifest::{Manifest, OfFile, OfScope};
pub use restore::{Restored, restore};
pub use shelf::{Kept, State, list};
pub use verify::{Verified, verify};

const DB: &str = "hub.db";
const KEY: &str = "hub.key";
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
/// Begins the name of a backup that was read back.
const NAMED: &str = "langso-";
/// Begins the name of one that was not.
const UNFINISHED: &str = "unfinished-";

/// What is being done, for whoever watches a long one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Copying; in pages or bytes.
    Copying,
    /// Reading files and hashing them; in bytes.
    Hashing,
    /// Reading changes; in changes.
    Reading,
}

/// Is told the stage, how much of it is done, and how much it is in all.
pub type Tell<'a> = &'a mut dyn FnMut(Stage, u64, u64);

/// Why there is no backup, or none to be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written; a full disk is the kind [`io::ErrorKind::StorageFull`].
    #[error("{}: {why}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// There is no backup in this folder.
    #[error("{}: no backup", .0.display())]
    NoBackup(PathBuf),
    /// It was written by a later program, which can read it.
    #[error("{}: of a later program", .0.display())]
    Newer(PathBuf),
    /// It is not as it was written.
    #[error("{}: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Something lies where a hub was to be restored to.
    #[error("{}: not empty", .0.display())]
    NotEmpty(PathBuf),
    /// See the log.
    #[error(transparent)]
    Log(#[from] log::Error),
}

/// What is wrong with a file of a backup.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// Its bytes are not those that were written.
    #[error("other bytes than were written")]
    Altered,
    /// It cannot be read as what it should be.
    #[error("unreadable")]
    Unreadable,
    /// It lies beside the copy and would change it when it is opened.
    #[error("does not belong there")]
    Stray,
    /// It is the key of another hub than the log's.
    #[error("the key of another hub")]
    OtherKey,
    /// It does not say what the log says.
    #[error("says other than the log")]
    Disagrees,
    /// The log in it is not whole: when it was never altered, the hub's own log was like that already.
    #[error(transparent)]
    Log(#[from] Unsound),
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { why, .. } if why.kind() == io::ErrorKind::StorageFull => "full",
            Self::Io { .. } => "file",
            Self::NoBackup(_) => "none",
            Self::Newer(_) => "newer",
            Self::NotEmpty(_) => "not_empty",
            Self::Log(_) => "log_failed",
            Self::Damaged { fault, .. } => match fault {
                Fault::Missing => "missing",
                Fault::Altered => "altered",
                Fault::Unreadable => "unreadable",
                Fault::Stray => "stray",
                Fault::OtherKey => "other_key",
                Fault::Disagrees => "disagrees",
                Fault::Log(_) => "log",
            },
        }
    }

    /// The file or folder that it is about; none when it is the hub's own log.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. } | Self::Damaged { path, .. } => Some(path),
            Self::NoBackup(path) | Self::Newer(path) | Self::NotEmpty(path) => Some(path),
            Self::Log(_) => None,
        }
    }
}

impl Error {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |why| Self::Io { path, why }
    }

    fn damaged(path: PathBuf, fault: impl Into<Fault>) -> Self {
        Self::Damaged { path, fault: fault.into() }
    }
}

/// What an operation gives.
pub type Result<T> = std::result::Result<T, Error>;

/// What SQLite says of a disk without room, told as the disk's own word.
fn copying(path: &Path, why: log::Error) -> Error {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, PermissionDenied, ReadOnly, SystemIoFailure};
    let kind = match &why {
        log::Error::Sqlite(sqlite) => match sqlite.sqlite_error_code() {
            Some(DiskFull) => io::ErrorKind::StorageFull,
            Some(SystemIoFailure) => io::ErrorKind::Other,
            Some(CannotOpen | PermissionDenied | ReadOnly) => io::ErrorKind::PermissionDenied,
            _ => return Error::Log(why),
        },
        _ => return Error::Log(why),
    };
    Error::Io { path: path.to_owned(), why: io::Error::new(kind, why) }
}
