//! The journal: every change this phone wrote, once more, in a plain file beside the database.
//!
//! Written after the commit and without fsync, so that it costs a save next to nothing; at open the two are held
//! against each other and what one lacks it gets from the other. A record: kind byte (1), scope (8), length (u32be),
//! bytes, and the first 8 bytes of the SHA-256 of all that. Where a record is damaged, the next whole one is looked
//! for byte by byte: damage costs the records that it hits and no other. Nothing is truncated away: what is no record
//! is copied aside before the file is written without it. Records whose changes are in the hub's backup for good are
//! left out when a new file takes the place of the old one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use langso_domain::id::ScopeId;
use langso_sync::change::MAX_CHANGE_BYTES;
use sha2::{Digest, Sha256};

use crate::folder::{create_private, free_name, put_in_place, sync_folder_of, write_whole};

/// A record holds a change.
const CHANGE: u8 = 1;
const HEAD: usize = 1 + 8 + 4;
const SUM: usize = 8;

/// The open journal, positioned after its last whole record.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
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

/// What a journal's bytes hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Its whole records, in order.
    pub records: Vec<Record>,
    /// The bytes that are no record. A last range that ends with the file is what any power cut leaves.
    pub damaged: Vec<Range<usize>>,
    /// How many bytes there were.
    pub length: usize,
}

impl Journal {
    /// Opens or makes the file; gives what it holds. What is no record is copied to `journal.torn-N` before the file
    /// is written without it.
    ///
    /// # Errors
    /// When the file cannot be read or written; it is as it was then.
    pub fn open(path: &Path) -> std::io::Result<(Self, Contents)> {
        let mut file = open_private(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let contents = read(&bytes);
        let mut end = bytes.len();
        if let Some(first) = contents.damaged.first() {
            let mut aside = create_private(&free_name(path, "torn"))?;
            for range in &contents.damaged {
                aside.write_all(&bytes[range.clone()])?;
            }
            aside.sync_all()?;
            if first.end == bytes.len() {
                end = first.start;
                file.set_len(end as u64)?;
            } else {
                let mut whole = Vec::with_capacity(bytes.len());
                contents.records.iter().for_each(|record| encode(record.scope, &record.bytes, &mut whole));
                write_whole(path, &whole)?;
                end = whole.len();
                file = open_private(path)?;
            }
        }
        file.seek(SeekFrom::Start(end as u64))?;
        Ok((Self { path: path.to_owned(), file, end: end as u64 }, contents))
    }

    /// The journal of a folder that cannot be written; nothing is appended to it.
    ///
    /// # Errors
    /// When there is none that can be read.
    pub(crate) fn look(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        Ok(Self { file, path: path.to_owned(), end })
    }

    /// Appends changes that the database has taken in, in one write.
    ///
    /// # Errors
    /// When the file cannot be written; the changes are safe in the database then, the next record does not come to
    /// stand behind half of another, and the next open mends the file.
    pub fn append(&mut self, changes: &[(ScopeId, Vec<u8>)]) -> std::io::Result<()> {
        let mut records = Vec::new();
        changes.iter().for_each(|(scope, bytes)| encode(*scope, bytes, &mut records));
        if let Err(error) = self.file.write_all(&records) {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            return Err(error);
        }
        self.end += records.len() as u64;
        Ok(())
    }

    /// Writes the records to keep into a new file, which takes the place of this one when it is whole and on the disk.
    ///
    /// # Errors
    /// When a file cannot be read or written, or holds what is no record, which the next open sets aside; then it is as
    /// it was.
    pub fn keep_only(&mut self, mut keep: impl FnMut(&Record) -> bool) -> std::io::Result<()> {
        let contents = read(&std::fs::read(&self.path)?);
        if !contents.damaged.is_empty() || contents.length as u64 != self.end {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut kept = Vec::new();
        let records = contents.records.iter().filter(|record| keep(record));
        records.for_each(|record| encode(record.scope, &record.bytes, &mut kept));
        // From here on the name leads to the new file, and so does the handle: what were appended to the old one would be
        // gone with it.
        self.file = put_in_place(&self.path, &kept)?;
        self.end = kept.len() as u64;
        sync_folder_of(&self.path)
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn head(scope: ScopeId, length: usize) -> [u8; HEAD] {
    let mut head = [CHANGE; HEAD];
    head[1..9].copy_from_slice(&scope.0);
    head[9..].copy_from_slice(&(length as u32).to_be_bytes());
    head
}

/// The checksum of a change in its scope: of its record here, and of its row in the outbox.
pub fn checksum(scope: ScopeId, bytes: &[u8]) -> [u8; 8] {
    let sum = Sha256::new().chain_update(head(scope, bytes.len())).chain_update(bytes).finalize();
    let mut first = [0; SUM];
    first.copy_from_slice(&sum[..SUM]);
    first
}

/// Appends a change's record to `out`.
pub fn encode(scope: ScopeId, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(head(scope, bytes.len()));
    out.extend(bytes);
    out.extend(checksum(scope, bytes));
}

/// Reads a journal or a part of one; never fails, and after damage goes on with the next whole record.
pub fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents { length: bytes.len(), ..Contents::default() };
    let (mut at, mut bad) = (0, 0);
    while at < bytes.len() {
        let Some((record, length)) = read_one(&bytes[at..]) else {
            at += 1;
            continue;
        };
        if bad < at {
            contents.damaged.push(bad..at);
        }
        contents.records.push(record);
        at += length;
        bad = at;
    }
    if bad < bytes.len() {
        contents.damaged.push(bad..bytes.len());
    }
    contents
}

fn read_one(bytes: &[u8]) -> Option<(Record, usize)> {
    let head: &[u8; HEAD] = bytes.first_chunk()?;
    let length = u32::from_be_bytes([head[9], head[10], head[11], head[12]]) as usize;
    if head[0] != CHANGE || length > MAX_CHANGE_BYTES {
        return None;
    }
    let body = bytes.get(HEAD..HEAD + length)?;
    let sum = bytes.get(HEAD + length..HEAD + length + SUM)?;
    let mut scope = [0; 8];
    scope.copy_from_slice(&head[1..9]);
    let scope = ScopeId(scope);
    (checksum(scope, body) == *sum).then(|| (Record { scope, bytes: body.to_vec() }, HEAD + length + SUM))
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
        let ends: Vec<usize> =
            (0..=bytes.len()).filter(|at| read(&bytes[..*at]).damaged.is_empty()).collect();
        assert_eq!(ends.len(), 4, "the start and three ends");
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("cut");
            let (mut journal, held) = Journal::open(&path).expect("opens");
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(held.records.len(), whole, "cut at {cut}");
            journal.append(&[(SCOPE, b"more".to_vec())]).expect("appended");
            drop(journal);
            assert_eq!(Journal::open(&path).expect("opens").1.records.len(), whole + 1);
        }
        let torn = std::fs::read_dir(folder.path()).expect("listed").count() - 1;
        assert_eq!(torn, bytes.len() - 3, "each torn tail is kept");
    }

    #[test]
    fn a_journal_that_forgets_keeps_the_rest_in_order_and_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("new");
        let texts: Vec<_> = (0..9).map(|at| format!("lần {at}")).collect();
        let records: Vec<_> = texts.iter().map(|text| (SCOPE, text.as_bytes().to_vec())).collect();
        journal.append(&records).expect("appended");
        // A copy that was cut short by the end of a process before it took the journal's place.
        std::fs::write(folder.path().join("journal.part"), b"half").expect("written");
        let mut at = 0;
        let third = |_: &Record| (at % 3 == 2, at += 1).0;
        journal.keep_only(third).expect("kept");
        journal.append(&[(SCOPE, b"more".to_vec())]).expect("appended");
        drop(journal);
        let (_, contents) = Journal::open(&path).expect("opens");
        let found: Vec<_> =
            contents.records.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect();
        assert_eq!(found, ["lần 2", "lần 5", "lần 8", "more"]);
        let files = std::fs::read_dir(folder.path()).expect("listed").count();
        assert_eq!(files, 1, "nothing is left beside it");
    }

    #[test]
    fn a_bit_flipped_anywhere_costs_one_record_and_no_other_and_its_bytes_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut journal, _) = Journal::open(&path).expect("new");
        // The second holds what looks like a record's beginning.
        let changes = [&b"first"[..], b"\x01\0\0\0\0\0\0\0\0\0\0\0\x01", b"third"];
        for change in changes {
            journal.append(&[(SCOPE, change.to_vec())]).expect("appended");
        }
        let whole = std::fs::read(&path).expect("read");
        let lengths = changes.map(|change| HEAD + change.len() + SUM);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).expect("flipped");
            let hit = (0..3).find(|n| at < lengths[..=*n].iter().sum()).expect("a record");
            let (mut journal, held) = Journal::open(&path).expect("opens");
            let kept: Vec<_> = held.records.iter().map(|record| &record.bytes[..]).collect();
            let others: Vec<_> = (0..3).filter(|n| *n != hit).map(|n| changes[n]).collect();
            assert_eq!(kept, others, "byte {at}");
            let aside = folder.path().join("journal.torn-1");
            let torn = std::fs::read(&aside).expect("kept");
            std::fs::remove_file(aside).expect("seen");
            let start: usize = lengths[..hit].iter().sum();
            assert_eq!(torn, bytes[start..start + lengths[hit]]);
            journal.append(&[(SCOPE, b"more".to_vec())]).expect("appended");
            drop(journal);
            let again = Journal::open(&path).expect("opens").1;
            assert_eq!((again.records.len(), again.damaged.len()), (3, 0));
        }
    }
}
