//! The state frame checked in under `fixtures/frames`, and state frames that are damaged.
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::*;
use langso_domain::id::Writer;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Name;
use langso_sync::frame::{FrameError, Outer};
use langso_sync::merge::{FieldState, Head};
use langso_sync::state::*;
use langso_sync::value::Value;
use proptest::prelude::*;

const OF: Cursor = Cursor { position: 70, chain: Chain(*b"chain\0\0\x46") };

/// A book of visits as one state frame: an edited row, a hidden one, and a field and a table that nobody knows.
fn snapshot(count: usize) -> Vec<u8> {
    let changes = visits(count, 2026);
    let mut writers: Vec<Writer> = changes.iter().map(|change| change.key.writer).collect();
    writers.dedup();
    let numbers = Numbers::new(writers.iter().copied());
    let mut builder = BodyBuilder::new(usize::MAX);
    for (writer, at) in writers.iter().zip(0..) {
        let beyond = if at == 1 { vec![(9, 11)] } else { Vec::new() };
        let device = (at != 2).then(|| key(1).id());
        builder.push_writer(WriterMemory { writer: *writer, device, upto: 5, beyond });
    }
    for (n, change) in changes.iter().enumerate() {
        for (op, place) in change.rows.iter().zip(0..) {
            let mut row = StateRow {
                table: op.table,
                id: change.key.row(place),
                created: Some(change.stamp),
                values: op.fields.clone().into_iter().collect(),
                versions: BTreeMap::new(),
            };
            if n == 3 {
                row.values.push((201, Value::Other(vec![0xF9, 0x3E, 0x00])));
            }
            if n == 4 && place == 0 {
                let name = Name::Change(changes[0].key);
                let saw = [changes[1].key].into();
                let head = Head { name, stamp: change.stamp.next(), value: Value::Null, saw };
                let awaited = [Name::Change(changes[2].key)].into();
                row.versions.insert(200, FieldState { heads: vec![head], awaited });
                (row.created, row.values) = (None, Vec::new());
            }
            builder.push_row(row);
        }
        let mut unknown = StateRow { table: 60, created: Some(change.stamp), ..StateRow::default() };
        unknown.id = change.key.row(200);
        unknown.values.push((1, Value::Int(n as i64)));
        builder.push_row(unknown);
    }
    builder.take(&numbers).seal(&key(200), (TEAM, SCHEMA), OF, (0, 2))
}

fn opened(bytes: &[u8]) -> StateFrame {
    let outer = Outer::whole(bytes).unwrap();
    outer.verify(&key(200).public()).unwrap();
    assert_eq!(outer.open().unwrap_err(), FrameError::State, "it is no frame of changes");
    StateFrame::open(&outer).unwrap()
}

fn rows(frame: &StateFrame) -> Vec<StateRow> {
    let writers: Vec<Writer> = frame.writers.iter().map(|memory| memory.writer).collect();
    let mut reader = frame.rows(&writers).unwrap();
    let (mut all, mut row) = (Vec::new(), StateRow::default());
    while reader.next_into(&mut row).unwrap() {
        all.push(row.clone());
    }
    all
}

#[test]
fn the_state_frame_checked_in_is_read_and_made_alike() {
    // LANGSO_WRITE_FIXTURES=1 writes it; never to change one that a hub has served.
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frames/state.frame");
    let made = snapshot(12);
    if std::env::var_os("LANGSO_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let (kept, made) = (opened(&std::fs::read(&path).unwrap()), opened(&made));
    assert_eq!(kept.inflated(), made.inflated());
    assert_eq!((&kept.header, &kept.writers), (&made.header, &made.writers));
    assert_eq!(rows(&kept), rows(&made));
    assert_eq!(kept.header.rows, rows(&kept).len());
}

proptest! {
    #[test]
    fn a_damaged_state_frame_is_refused_or_read_to_an_end(
        at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<prop::sample::Index>(),
    ) {
        let good = opened(&snapshot(8));
        let header = good.inflated().len() - good.header.raw;
        let mut bytes = good.inflated()[header..].to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        for bytes in [bytes.clone(), bytes[..cut.index(bytes.len())].to_vec()] {
            let body = Body { writers: good.header.writers, rows: good.header.rows, bytes };
            let bytes = body.seal(&key(200), (TEAM, SCHEMA), OF, (0, 1));
            let Ok(frame) = StateFrame::open(&Outer::whole(&bytes).unwrap()) else { continue };
            let writers: Vec<Writer> = frame.writers.iter().map(|memory| memory.writer).collect();
            let Ok(mut reader) = frame.rows(&writers) else { continue };
            let (mut count, mut row) = (0, StateRow::default());
            while reader.next_into(&mut row) == Ok(true) {
                count += 1;
            }
            prop_assert!(count <= MAX_ROWS);
        }
    }
}
