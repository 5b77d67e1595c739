//! The journal's reader against damaged files: whatever the bytes are, it gives whole records from the start and no
//! others, and what it gives is written again as it stood.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../sync/tests/fuzz/mill.rs"]
mod mill;

use langso_device::journal::{Journal, read};
use mill::Fuzz;

#[test]
fn damaged_journals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let fuzz = Fuzz { name: "journal", cases: 3_000, pieces: mill::CBOR, bound: 8 << 20 };
    mill::run(&fuzz, |bytes| {
        let (records, whole) = read(bytes);
        assert_eq!(read(&bytes[..whole]), (records.clone(), whole));
        // A torn or damaged tail adds and takes nothing.
        let cut = whole.saturating_sub(1);
        assert_eq!(read(&bytes[..cut]).0, records[..records.len().saturating_sub(1)]);
        if records.is_empty() {
            return false;
        }
        let _ = std::fs::remove_file(&path);
        let (mut journal, there) = Journal::open(&path).unwrap();
        assert!(there.is_empty());
        for record in &records {
            journal.append(&[(record.scope, record.bytes.clone())]).unwrap();
        }
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), bytes[..whole]);
        whole == bytes.len()
    });
}
