//! Frames: their outside, their deflated body, and the body itself, signed anew so that damage gets inside.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use langso_sync::change::Change;
use langso_sync::frame::{
    Frame, FrameBuilder, KIND_CHANGES, LABEL, MAGIC, MAX_CHANGES, MAX_RAW_BYTES, Outer, VERSION,
};

use crate::common::key;
use crate::{fuzz, mill};

/// A frame of the first device around a deflated body.
pub fn signed(deflated: &[u8], kind: u8) -> Vec<u8> {
    let mut frame = [&MAGIC[..], &[VERSION, kind], &key(1).id().0].concat();
    frame.extend((deflated.len() as u32).to_be_bytes());
    frame.extend(deflated);
    let signature = key(1).sign(LABEL, &[&frame]);
    frame.extend(signature);
    frame
}

pub fn deflated(body: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(body).unwrap();
    deflate.finish().unwrap()
}

/// What is wrong at the beginning stays wrong, and no damaged frame bears a signature.
fn outside(bytes: &[u8]) -> bool {
    let begins = bytes.len().min(20);
    for end in 0..begins {
        if let Err(error) = Outer::read(&bytes[..end]) {
            assert_eq!(Outer::read(bytes).unwrap_err(), error);
        }
    }
    let Ok(outer) = Outer::whole(bytes) else { return false };
    let is_example = || mill::examples("frame").iter().any(|(_, example)| example == bytes);
    let is_signed = [1, 2, 200].iter().any(|number| outer.verify(&key(*number).public()).is_ok());
    assert!(!is_signed || is_example(), "a damaged frame bears a signature");
    if let Ok(frame) = outer.open() {
        check(&frame);
    }
    is_signed
}

/// What an open frame promises, and that it can be served again as it is.
fn check(frame: &Frame) {
    let header = &frame.header;
    assert_eq!(frame.changes().len(), header.count);
    assert!((1..=MAX_CHANGES).contains(&header.count) && header.raw <= MAX_RAW_BYTES);
    assert_eq!(frame.changes().map(|change| change.bytes.len()).sum::<usize>(), header.raw);
    let positions: Vec<_> = frame.changes().map(|change| change.position).collect();
    assert!(positions.iter().all(|position| position.is_some() == header.before.is_some()));
    assert!(positions.windows(2).all(|pair| pair[0].is_none() || pair[0] < pair[1]));
    let mut builder = FrameBuilder::new(header.scope, header.schema, usize::MAX);
    for (number, item) in &header.unknown {
        builder = builder.with_unknown(*number, item.clone());
    }
    for one in frame.changes() {
        let _ = Change::decode(one.bytes);
        let taken = match (one.position, header.before) {
            (Some(position), Some(before)) => {
                builder.push_served(one.bytes, one.head.key, one.author, position, before)
            }
            _ => builder.push(one.bytes),
        };
        taken.unwrap();
    }
    let again = builder.build(&key(1)).unwrap();
    let again = Outer::whole(&again).unwrap().open().unwrap();
    assert_eq!((&again.header.unknown, &again.header.runs), (&header.unknown, &header.runs));
    if header.before.is_some() {
        assert!(again.changes().eq(frame.changes()));
    }
}

fn inside(body: &[u8]) -> bool {
    stream(&deflated(body))
}

fn stream(deflated: &[u8]) -> bool {
    let bytes = signed(deflated, KIND_CHANGES);
    let Ok(outer) = Outer::whole(&bytes) else { return false };
    let Ok(frame) = outer.open() else { return false };
    check(&frame);
    true
}

#[test]
fn the_outside_of_frames() {
    fuzz("frame", 2_000, outside);
}

#[test]
fn bodies_of_frames() {
    fuzz("frame-body", 3_000, inside);
}

#[test]
fn deflated_bodies() {
    fuzz("frame-deflate", 3_000, stream);
}
