//! What goes into frames comes out of them, row by row, whatever the values are.

use std::collections::BTreeSet;

use langso_domain::id::{Key, ScopeId};
use proptest::prelude::*;

use super::*;
use crate::chain::{Chain, Cursor};
use crate::change::Name;
use crate::frame::Outer;
use crate::keys::SigningKey;
use crate::merge::Head;

fn any_id() -> impl Strategy<Value = RowId> {
    // Few writers that differ in few bits or in all, so that every form of reference is met.
    let writer = prop_oneof![(0..6u64).prop_map(|low| 0xABCD_0000_0000_0000 | low), 0..4u64, any::<u64>()];
    let id = (writer, 0..5u32, 0..4u8).prop_map(|(writer, seq, place)| reference::id(writer, seq, place));
    prop_oneof![9 => id, 1 => any::<[u8; 12]>().prop_map(RowId)]
}

fn any_value() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-3..3i64).prop_map(Value::Int),
        "[ab]{0,2}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::Bytes),
        any_id().prop_map(Value::Ref),
        proptest::collection::vec(any_id(), 0..4).prop_map(Value::Refs),
        Just(Value::Other(vec![0xF9, 0x3E, 0x00])),
    ]
    .boxed()
}

/// Values of one field: of one kind in most frames, as real ones are, or of any.
fn any_row() -> impl Strategy<Value = StateRow> {
    let values = (any_value(), "[ab]{1,2}", -2..2i64, any_id(), proptest::collection::vec(any_id(), 0..3));
    let values = (values, proptest::collection::vec(any::<bool>(), 6)).prop_map(
        |((any, text, number, one, many), on)| {
            let all =
                [any, Value::Text(text), Value::Int(number), Value::Ref(one), Value::Refs(many), Value::Null];
            (1..).zip(all).zip(on).filter(|(_, on)| *on).map(|(value, _)| value).collect::<Vec<(u8, Value)>>()
        },
    );
    let head = (any::<u8>(), any_value(), any::<bool>()).prop_map(|(seq, value, is_create)| {
        let key = Key { writer: Writer(7), seq: u32::from(seq) + 1 };
        let name = if is_create { Name::Create } else { Name::Change(key) };
        let field = FieldState {
            heads: vec![Head { name, stamp: Stamp(u64::from(seq)), value, saw: BTreeSet::from([key]) }],
            awaited: BTreeSet::from([Name::Change(key)]),
        };
        BTreeMap::from([(200, field)])
    });
    let created = prop_oneof![1 => Just(None), 5 => (1..1u64 << 63).prop_map(|raw| Some(Stamp(raw)))];
    let table = prop_oneof![Just(1u8), Just(5), Just(64), any::<u8>()];
    (table, any_id(), created, values, proptest::option::weighted(0.2, head)).prop_map(
        |(table, id, created, values, versions)| {
            let values = if created.is_some() { values } else { Vec::new() };
            StateRow { table, id, created, values, versions: versions.unwrap_or_default() }
        },
    )
}

fn any_memory() -> impl Strategy<Value = (Option<DeviceId>, u32, Vec<(u32, u32)>)> {
    let device = proptest::option::of((0..3u8).prop_map(|id| DeviceId([id; 8])));
    let beyond = proptest::collection::vec((2..9u32, 0..3u32), 0..3);
    (device, 0..9u32, beyond).prop_map(|(device, upto, steps)| {
        let mut end = upto;
        let ranges = steps.into_iter().map(|(gap, length)| {
            let first = end + gap;
            end = first + length;
            (first, end)
        });
        let beyond = ranges.collect();
        (device, upto, beyond)
    })
}

/// Rows in the order of frames, and their writers.
fn sorted(mut rows: Vec<StateRow>) -> (Vec<StateRow>, Vec<Writer>) {
    let writer = |row: &StateRow| Writer(reference::parts(row.id).0);
    let writers: BTreeSet<Writer> = rows.iter().map(writer).collect();
    rows.sort_by_key(|row| (row.id, row.table));
    rows.dedup_by_key(|row| (row.id, row.table));
    (rows, writers.into_iter().collect())
}

const SCOPE: ScopeId = ScopeId(*b"team\0\0\0\x01");
const OF: Cursor = Cursor { position: 17, chain: Chain([3; 8]) };

proptest! {
    #[test]
    fn rows_and_writers_come_back_from_their_frames(
        rows in proptest::collection::vec(any_row(), 0..60),
        memories in proptest::collection::vec(any_memory(), 60),
        cut in 1..40usize,
    ) {
        let (rows, writers) = sorted(rows);
        let numbers = Numbers::new(writers.iter().copied());
        let memory = |(writer, (device, upto, beyond)): (&Writer, &(_, _, Vec<_>))| {
            WriterMemory { writer: *writer, device: *device, upto: *upto, beyond: beyond.clone() }
        };
        let memories: Vec<WriterMemory> = writers.iter().zip(&memories).map(memory).collect();
        let key = SigningKey::from_seed(&[200; 32]);
        let mut bodies = Vec::new();
        let mut builder = BodyBuilder::new(BODY_BYTES);
        memories.iter().cloned().for_each(|one| builder.push_writer(one));
        for part in rows.chunks(cut) {
            part.iter().cloned().for_each(|row| builder.push_row(row));
            bodies.push(builder.take(&numbers));
        }
        let frames = bodies.len() as u32;
        let (mut listed, mut read, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for (at, body) in bodies.iter().enumerate() {
            let bytes = body.seal(&key, (SCOPE, 1), OF, (at as u32, frames));
            let outer = Outer::whole(&bytes).expect("a frame");
            outer.verify(&key.public()).expect("signed");
            let frame = StateFrame::open(&outer).expect("opens");
            prop_assert_eq!((frame.header.scope, frame.header.of), (SCOPE, OF));
            prop_assert_eq!(frame.header.is_last(), at + 1 == bodies.len());
            listed.extend(frame.writers.iter().map(|memory| memory.writer));
            told.extend(frame.writers.clone());
            let mut reader = frame.rows(&listed).expect("rows");
            let mut row = StateRow::default();
            while reader.next_into(&mut row).expect("a row") {
                read.push(row.clone());
            }
        }
        prop_assert_eq!(read, rows.clone());
        if !rows.is_empty() {
            prop_assert_eq!(told, memories);
        }
    }
}

#[test]
fn a_row_of_a_writer_that_did_not_come_is_refused() {
    let id = reference::id(5, 1, 0);
    let row = StateRow { id, created: Some(Stamp(9)), ..StateRow::default() };
    let mut builder = BodyBuilder::new(BODY_BYTES);
    builder.push_row(row);
    let body = builder.take(&Numbers::new([Writer(5)]));
    let bytes = body.seal(&SigningKey::from_seed(&[200; 32]), (SCOPE, 1), OF, (0, 1));
    let frame = StateFrame::open(&Outer::whole(&bytes).expect("a frame")).expect("opens");
    let mut rows = frame.rows(&[]).expect("columns");
    assert!(rows.next_into(&mut StateRow::default()).is_err());
}
