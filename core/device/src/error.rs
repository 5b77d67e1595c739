//! What a shell is told: a small flat list of conditions with stable codes. The rich error stays inside and goes to
//! no screen; text for people is made in the shell.

use serde::Serialize;

/// Why a call did not do what was asked. Nothing was changed then, and nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, uniffi::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AppError {
    /// The hub was not reached.
    #[error("offline: {why}")]
    Offline {
        /// Open list: `hub_unreachable`, `hub_unknown`, `not_a_hub`, `hub_busy`, `hub_outdated`, `other_history`, `cut`,
        /// `budget_too_small`, `stopped`.
        why: String,
    },
    /// There is no such thing on this phone.
    #[error("not found")]
    NotFound,
    /// The data was written by a newer app.
    #[error("outdated app")]
    OutdatedApp,
    /// No room is left on the phone.
    #[error("storage full")]
    StorageFull,
    /// This phone or person may not.
    #[error("not allowed: {why}")]
    NotAllowed {
        /// Open list: `role`, `not_enrolled`, `revoked`, `code_unknown`, `code_used`, `code_expired`, ...
        why: String,
    },
    /// A field does not hold what it must.
    #[error("invalid input: {field}: {code}")]
    InvalidInput {
        /// The field's path, such as `services[1].failure`.
        field: String,
        /// Stable code, such as `failure_code_missing`.
        code: String,
    },
    /// The data is damaged; it is kept as it is.
    #[error("corrupt")]
    Corrupt,
    /// The folder cannot be used just now.
    #[error("locked: {why}")]
    Locked {
        /// Open list: `open_elsewhere`, `folder_read_only`, `keystore_gone`, `sync_running`; `closed` by the packages.
        why: String,
    },
    /// A fault of ours.
    #[error("unexpected: {reason}")]
    Unexpected {
        /// A lower-case fragment without personal data.
        reason: String,
    },
}

/// A result that a shell sees.
pub type Result<T> = std::result::Result<T, AppError>;

/// One thing wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct Problem {
    /// The field's path.
    pub field: String,
    /// Stable code.
    pub code: String,
}

impl Problem {
    /// A problem of a field.
    pub fn new(field: impl Into<String>, code: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into() }
    }
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> Self {
        Self::InvalidInput { field: problem.field, code: problem.code }
    }
}

impl AppError {
    pub(crate) fn invalid(field: &str, code: &str) -> Self {
        Problem::new(field, code).into()
    }

    pub(crate) fn offline(why: &str) -> Self {
        Self::Offline { why: why.to_owned() }
    }

    pub(crate) fn not_allowed(why: &str) -> Self {
        Self::NotAllowed { why: why.to_owned() }
    }

    pub(crate) fn unexpected(reason: impl ToString) -> Self {
        Self::Unexpected { reason: reason.to_string() }
    }
}

impl From<rusqlite::Error> for AppError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, ReadOnly,
        };
        match error.sqlite_error_code() {
            Some(DiskFull) => Self::StorageFull,
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt,
            Some(DatabaseBusy | DatabaseLocked) => Self::Locked { why: "open_elsewhere".to_owned() },
            Some(ReadOnly | CannotOpen) => Self::Locked { why: "folder_read_only".to_owned() },
            Some(code) => Self::unexpected(format!("sqlite {code:?}")),
            None if error == rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            None => Self::unexpected("sqlite use"),
        }
    }
}

impl From<langso_store::Error> for AppError {
    fn from(error: langso_store::Error) -> Self {
        match error {
            langso_store::Error::Sqlite(error) => error.into(),
            langso_store::Error::NewerSchema { .. } => Self::OutdatedApp,
            langso_store::Error::Malformed(_) => Self::Corrupt,
            other => Self::unexpected(other),
        }
    }
}

impl From<std::io::Error> for AppError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::StorageFull,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Locked { why: "folder_read_only".to_owned() }
            }
            std::io::ErrorKind::NotFound => Self::NotFound,
            kind => Self::unexpected(format!("file: {kind}")),
        }
    }
}

impl From<langso_sync::author::TooManyRows> for AppError {
    fn from(_: langso_sync::author::TooManyRows) -> Self {
        Self::invalid("", "too_many_rows")
    }
}

impl From<langso_sync::author::CannotPatch> for AppError {
    fn from(error: langso_sync::author::CannotPatch) -> Self {
        match error {
            langso_sync::author::CannotPatch::TooManyRows(full) => full.into(),
            langso_sync::author::CannotPatch::RowTwice => Self::invalid("", "row_twice"),
        }
    }
}
