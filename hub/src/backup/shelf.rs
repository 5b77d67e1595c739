//! The backups in a folder: which there are, how old, and whether each still has the bytes that were written.

use std::path::{Path, PathBuf};

use super::{Error, Manifest, NAMED, Result, Tell, UNFINISHED, verify};

/// One folder of a shelf that a backup was made in.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub folder: PathBuf,
    /// In what state.
    pub state: State,
}

/// How a backup is.
#[derive(Debug)]
pub enum State {
    /// Every byte is as it was when it was read back.
    Whole(Box<Manifest>),
    /// It is no longer as it was written, or cannot be read.
    Damaged(Error),
    /// It was never read back: its making was cut, or goes on just now.
    Unfinished,
}

/// The backups below `shelf`, newest first by their names; hashes every file of them. Other things there are passed
/// over.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn list(shelf: &Path, tell: Tell<'_>) -> Result<Vec<Kept>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(shelf).map_err(Error::io(shelf))? {
        let entry = entry.map_err(Error::io(shelf))?;
        if let Some(name) = entry.file_name().to_str().filter(|_| entry.path().is_dir()) {
            names.push(name.to_owned());
        }
    }
    let since = |name: &str| name.strip_prefix(UNFINISHED).unwrap_or(name).to_owned();
    names.retain(|name| since(name).starts_with(NAMED));
    names.sort_by_key(|name| std::cmp::Reverse(since(name)));
    let mut kept = Vec::with_capacity(names.len());
    for name in names {
        let folder = shelf.join(&name);
        let state = if name.starts_with(UNFINISHED) {
            State::Unfinished
        } else {
            match verify::intact(&folder, tell) {
                Ok(manifest) => State::Whole(Box::new(manifest)),
                Err(why) => State::Damaged(why),
            }
        };
        kept.push(Kept { folder, state });
    }
    Ok(kept)
}
