//! State frames: header, writers and rows in columns, deflated and signed anew so that damage gets inside.

use langso_domain::id::Writer;
use langso_sync::frame::{KIND_STATE, Outer};
use langso_sync::state::{BODY_BYTES, BodyBuilder, MAX_ROWS, MAX_WRITERS, Numbers, StateFrame, StateRow};

use crate::common::key;
use crate::frames::{deflated, signed};
use crate::fuzz;

/// The rows of a frame that is the whole snapshot; none when they cannot be read to their end.
fn rows_of(frame: &StateFrame) -> Option<Vec<StateRow>> {
    let writers: Vec<Writer> = frame.writers.iter().map(|memory| memory.writer).collect();
    let mut reading = frame.rows(&writers).ok()?;
    let mut rows = Vec::new();
    loop {
        let mut row = StateRow::default();
        match reading.next_into(&mut row) {
            Ok(true) => rows.push(row),
            Ok(false) => return Some(rows),
            Err(_) => return None,
        }
        assert!(rows.len() <= MAX_ROWS, "it reads the same for ever");
    }
}

/// What was read to its end says the same after it was written again.
fn state(body: &[u8]) -> bool {
    let bytes = signed(&deflated(body), KIND_STATE);
    let Ok(outer) = Outer::whole(&bytes) else { return false };
    let Ok(frame) = StateFrame::open(&outer) else { return false };
    let header = &frame.header;
    assert!(header.rows <= MAX_ROWS && header.writers <= MAX_WRITERS);
    assert_eq!(frame.writers.len(), header.writers);
    assert!(header.index < header.frames);
    let Some(rows) = rows_of(&frame) else { return false };
    assert_eq!(rows.len(), header.rows);
    let numbers = Numbers::new(frame.writers.iter().map(|memory| memory.writer));
    let mut builder = BodyBuilder::new(BODY_BYTES);
    frame.writers.iter().for_each(|memory| builder.push_writer(memory.clone()));
    rows.iter().for_each(|row| builder.push_row(row.clone()));
    let place = (header.index, header.frames);
    let again = builder.take(&numbers).seal(&key(1), (header.scope, header.schema), header.of, place);
    let again = StateFrame::open(&Outer::whole(&again).unwrap()).unwrap();
    assert_eq!(again.writers, frame.writers);
    assert_eq!(rows_of(&again).unwrap(), rows);
    true
}

#[test]
fn bodies_of_state_frames() {
    fuzz("state", 4_000, state);
}
