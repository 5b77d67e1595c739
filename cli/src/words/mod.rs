//! What people are told: the language of this run, errors in both languages made from stable codes, exit codes.
//!
//! The one idea: code elsewhere speaks in codes; only the table here holds sentences. Vietnamese comes first.

mod inputs;
mod table;

use std::fmt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use langso_device::AppError;

static ENGLISH: AtomicBool = AtomicBool::new(false);

/// A language of labels and tables. Errors always come in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// Tiếng Việt.
    #[default]
    Vi,
    /// English.
    En,
}

/// Sets the language of this process; said once, at its start.
pub fn speak(language: Language) {
    ENGLISH.store(language == Language::En, Ordering::Relaxed);
}

/// The one of the two that the user wants.
pub fn pick<'a>(vi: &'a str, en: &'a str) -> &'a str {
    if is_english() { en } else { vi }
}

/// Whether English was asked for.
pub fn is_english() -> bool {
    ENGLISH.load(Ordering::Relaxed)
}

/// The Vietnamese and English sentence of a code; none for one that this program does not know.
pub fn of(code: &str) -> Option<(&'static str, &'static str)> {
    all().find(|(of, ..)| *of == code).map(|(_, vi, en)| (*vi, *en))
}

fn all() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    table::TABLE.iter().chain(inputs::INPUTS)
}

/// How a run ends. Documented in `langso --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 1: refused or failed; nothing was changed.
    Failed = 1,
    /// 2: the command line or the configuration is not right.
    Usage = 2,
    /// 3: the hub was not reached; the work is kept.
    Offline = 3,
    /// 4: the folder is open in another program or cannot be written.
    Locked = 4,
}

/// Why a command did not do what was asked, in codes. Its text is made by [`Failure::say`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A code of the table, or an unknown one.
    pub code: String,
    /// Which field, key, file or line; may be empty. Never a value that was given.
    pub at: String,
    /// How the process ends.
    pub exit: Exit,
}

/// A result that a command ends with.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A refusal by the command line itself.
    pub fn new(code: &str, at: impl fmt::Display) -> Self {
        Self { code: code.to_owned(), at: at.to_string(), exit: Exit::Failed }
    }

    /// Everything has been told already.
    pub fn told(exit: Exit) -> Self {
        Self { code: String::new(), at: String::new(), exit }
    }

    /// What clap would have said: exit code 2.
    pub fn usage(code: &str, at: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::new(code, at) }
    }

    /// An input that a verb cannot use.
    pub fn input(field: &str, code: &str) -> Self {
        Self::new(&format!("input.{code}"), field)
    }

    /// The phone met damage.
    pub fn is_damage(&self) -> bool {
        self.code == "corrupt"
    }

    /// Both sentences, Vietnamese first, and the code.
    pub fn say(&self) -> String {
        let at = if self.at.is_empty() { String::new() } else { format!("{}: ", self.at) };
        match self.words() {
            Some((vi, en)) => format!("Lỗi: {at}{vi}\nError: {at}{en} [{}]", self.code),
            None => format!("Lỗi: {at}{}\nError: {at}{}", self.code, self.code),
        }
    }

    /// Words of the code, or of the condition before its first dot.
    fn words(&self) -> Option<(&'static str, &'static str)> {
        let condition = self.code.split('.').next().unwrap_or_default();
        let whole = matches!(condition, "input" | "cli");
        of(&self.code).or_else(|| if whole { None } else { of(condition) })
    }

    /// Tells it on standard error; gives the exit code.
    pub fn end(&self) -> ExitCode {
        if !self.code.is_empty() {
            eprintln!("{}", self.say());
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let failed = |code: String| Self { code, at: String::new(), exit: Exit::Failed };
        match error {
            AppError::Offline { why } => Self { exit: Exit::Offline, ..failed(format!("offline.{why}")) },
            AppError::NotFound => failed("not_found".to_owned()),
            AppError::OutdatedApp => failed("outdated_app".to_owned()),
            AppError::StorageFull => failed("storage_full".to_owned()),
            AppError::NotAllowed { why } => failed(format!("not_allowed.{why}")),
            AppError::InvalidInput { field, code } => Self { at: field, ..failed(format!("input.{code}")) },
            AppError::Corrupt => failed("corrupt".to_owned()),
            AppError::Locked { why } => Self { exit: Exit::Locked, ..failed(format!("locked.{why}")) },
            AppError::Unexpected { reason } => Self { at: reason, ..failed("unexpected".to_owned()) },
            // The list of conditions may grow; a new one is shown by its code.
            other => failed(other.to_string()),
        }
    }
}

/// Ends a command: nothing to say when it went well.
pub fn end(outcome: Outcome) -> ExitCode {
    outcome.map_or_else(|failure| failure.end(), |()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
