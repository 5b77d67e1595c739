//! The journal: every change this phone wrote, once more, in a plain file beside the database.
//!
//! Written after the commit and without fsync, so that it costs a save next to nothing; at open the two are held
//! against each other and what one lacks it gets from the other. A record: kind byte (1), scope (8), length (u32be),
//! bytes, and the first 8 bytes of the SHA-256 of all that. A torn tail is left where it is and a new record is
//! written after the last whole one only once the tail has been copied aside: nothing is truncated away.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use langso_domain::id::ScopeId;
use langso_sync::change::MAX_CHANGE_BYTES;
use sha2::{Digest, Sha256};

/// A record holds a change.
const CHANGE: u8 = 1;
const HEAD: usize = 1 + 8 + 4;
const SUM: usize = 8;

/// The open journal, positioned after its last whole record.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Where that record ends.
    end: u64,
}

/// One record read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The change's scope.
    pub scope: ScopeId,
    /// The change as its author's bytes.
    pub bytes: Vec<u8>,
}

impl Journal {
    /// Opens or makes the file; gives its whole records, in order. A torn or damaged tail is copied to
    /// `journal.torn-N` before the file is cut back to the last whole record.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path) -> std::io::Result<(Self, Vec<Record>)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (records, whole) = read(&bytes);
        if whole < bytes.len() {
            let mut aside = File::create_new(free_name(path))?;
            aside.write_all(&bytes[whole..])?;
            aside.sync_all()?;
            file.set_len(whole as u64)?;
        }
        file.seek(SeekFrom::Start(whole as u64))?;
        Ok((Self { file, end: whole as u64 }, records))
    }

    /// Appends changes that the database has taken in, in one write.
    ///
    /// # Errors
    /// When the file cannot be written; the changes are safe in the database then, the next record does not come to
    /// stand behind half of another, and the next open mends the file.
    pub fn append(&mut self, changes: &[(ScopeId, Vec<u8>)]) -> std::io::Result<()> {
        let mut records = Vec::new();
        for (scope, bytes) in changes {
            let start = records.len();
            records.push(CHANGE);
            records.extend(scope.0);
            records.extend((bytes.len() as u32).to_be_bytes());
            records.extend(bytes);
            let sum = Sha256::digest(&records[start..]);
            records.extend(&sum[..SUM]);
        }
        if let Err(error) = self.file.write_all(&records) {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            return Err(error);
        }
        self.end += records.len() as u64;
        Ok(())
    }
}

/// The whole records at the start of `bytes`, and where they end.
pub fn read(bytes: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some((record, end)) = read_one(&bytes[at..]) {
        records.push(record);
        at += end;
    }
    (records, at)
}

fn read_one(bytes: &[u8]) -> Option<(Record, usize)> {
    let head: &[u8; HEAD] = bytes.first_chunk()?;
    let length = u32::from_be_bytes([head[9], head[10], head[11], head[12]]) as usize;
    if head[0] != CHANGE || length > MAX_CHANGE_BYTES {
        return None;
    }
    let body = bytes.get(..HEAD + length)?;
    let sum = bytes.get(HEAD + length..HEAD + length + SUM)?;
    if Sha256::digest(body)[..SUM] != *sum {
        return None;
    }
    let mut scope = [0; 8];
    scope.copy_from_slice(&head[1..9]);
    Some((Record { scope: ScopeId(scope), bytes: body[HEAD..].to_vec() }, HEAD + length + SUM))
}

fn free_name(path: &Path) -> PathBuf {
    let name = |n: u32| path.with_file_name(format!("journal.torn-{n}"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: ScopeId = ScopeId(*b"team 001");

    #[test]
    fn a_journal_torn_at_any_byte_keeps_every_whole_record_and_the_torn_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("new");
        for text in ["một", "hai", "ba"] {
            journal.append(&[(SCOPE, text.into())]).expect("appended");
        }
        let bytes = std::fs::read(&path).expect("read");
        let ends: Vec<usize> = (0..=bytes.len()).filter(|at| read(&bytes[..*at]).1 == *at).collect();
        assert_eq!(ends.len(), 4, "the start and three ends");
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("cut");
            let (mut journal, records) = Journal::open(&path).expect("opens");
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(records.len(), whole, "cut at {cut}");
            journal.append(&[(SCOPE, b"more".to_vec())]).expect("appended");
            drop(journal);
            assert_eq!(Journal::open(&path).expect("opens").1.len(), whole + 1);
        }
        let torn = std::fs::read_dir(folder.path()).expect("listed").count() - 1;
        assert_eq!(torn, bytes.len() - 3, "each torn tail is kept");
    }

    #[test]
    fn a_flipped_bit_ends_the_whole_records_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("new");
        journal.append(&[(SCOPE, b"first".to_vec())]).expect("appended");
        journal.append(&[(SCOPE, b"second".to_vec())]).expect("appended");
        let mut bytes = std::fs::read(&path).expect("read");
        let last = bytes.len() - 10;
        bytes[last] ^= 1;
        assert_eq!(read(&bytes).0.len(), 1);
    }
}
