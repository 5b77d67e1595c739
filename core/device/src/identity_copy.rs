//! `phone.identity`: who this phone is and which scopes it holds, once more beside the database and with a checksum.
//!
//! The database's own words for it die with the database. This file is written before the database learns of an
//! identity, and after it has learnt of a scope; so a whole copy is never behind in who the phone is.

use std::path::{Path, PathBuf};

use langso_domain::id::{ScopeId, to_base32};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{AppError, Result};
use crate::facts::Identity;
use crate::folder::{read_small, write_whole};

/// Some scopes and an identity come to a few hundred bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// What is kept twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub identity: Option<Identity>,
    /// With the number of the kind.
    pub scopes: Vec<(ScopeId, i64)>,
}

/// What the file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Whole(Known),
    Absent,
    Damaged,
}

impl Found {
    /// What is known for sure.
    pub fn known(&self) -> Known {
        match self {
            Self::Whole(known) => known.clone(),
            Self::Absent | Self::Damaged => Known::default(),
        }
    }
}

pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("phone.identity")
}

/// Reads the copy.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Found> {
    let Some(bytes) = read_small(&path(folder), MOST_BYTES)? else { return Ok(Found::Absent) };
    Ok(decode(&bytes).map_or(Found::Damaged, Found::Whole))
}

/// Writes the copy: a line of JSON, then a line with the first 16 bytes of its SHA-256.
///
/// # Errors
/// `StorageFull` and the like; what was there before is still there then.
pub(crate) fn write(folder: &Path, known: &Known) -> Result<()> {
    let text = serde_json::to_string(known).map_err(AppError::unexpected)?;
    let whole = format!("{text}\n{}\n", sum(text.as_bytes()));
    Ok(write_whole(&path(folder), whole.as_bytes())?)
}

fn decode(bytes: &[u8]) -> Option<Known> {
    let (text, rest) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    (rest.strip_suffix('\n')? == sum(text.as_bytes())).then_some(())?;
    serde_json::from_str(text).ok()
}

fn sum(text: &[u8]) -> String {
    to_base32(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_with_any_one_byte_changed_or_cut_off_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = Known { identity: None, scopes: vec![(ScopeId([1; 8]), 1), (ScopeId([2; 8]), 2)] };
        write(folder.path(), &known).expect("written");
        assert_eq!(read(folder.path()), Ok(Found::Whole(known)));
        let whole = std::fs::read(path(folder.path())).expect("read");
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(path(folder.path()), &flipped).expect("written");
            assert_eq!(read(folder.path()), Ok(Found::Damaged), "byte {at}");
            std::fs::write(path(folder.path()), &whole[..at]).expect("written");
            assert_eq!(read(folder.path()), Ok(Found::Damaged), "cut at {at}");
        }
        std::fs::remove_file(path(folder.path())).expect("gone");
        assert_eq!(read(folder.path()), Ok(Found::Absent));
    }
}
