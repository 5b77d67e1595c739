//! The journal's reader against damaged files: whatever the bytes are, it gives whole records and says of every other
//! byte that it is none; what it gives is written again as it stood.
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
        let found = read(bytes);
        let (records, mut whole, mut at) = (&found.records, Vec::new(), 0);
        for range in &found.damaged {
            assert!(at <= range.start && range.start < range.end);
            whole.extend(&bytes[at..range.start]);
            at = range.end;
        }
        whole.extend(&bytes[at..]);
        let again = read(&whole);
        assert_eq!((&again.records, again.damaged), (records, vec![]));
        // A torn tail takes the last record and no other.
        let torn = read(&whole[..whole.len().saturating_sub(1)]);
        assert_eq!(torn.records, records[..records.len().saturating_sub(1)]);
        if records.is_empty() {
            return false;
        }
        let _ = std::fs::remove_file(&path);
        let (mut journal, there) = Journal::open(&path).unwrap();
        assert!(there.records.is_empty());
        for record in records {
            journal.append(&[(record.scope, record.bytes.clone())]).unwrap();
        }
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        found.damaged.is_empty()
    });
}
