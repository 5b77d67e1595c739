//! Requests, replies, problems and enrolment: whole bodies cut into chunks of any length, and the maps inside them.

use langso_sync::keys::{Fingerprint, SIGNATURE_BYTES};
use langso_sync::wire::*;
use sha2::{Digest, Sha256};

use crate::common::key;
use crate::fuzz;
use crate::mill::Dice;

/// The bytes in chunks whose lengths the bytes themselves say.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let sum = bytes.iter().fold(1u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let mut dice = Dice::new(sum);
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = (1 + dice.below(300) as usize).min(rest.len());
        let (chunk, after) = rest.split_at(length);
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// The parts of a request, and whether it came to its end without a fault.
fn parts_of_request<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<RequestEvent>, bool) {
    let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
    let mut events = Vec::new();
    for chunk in chunks {
        if reader.push(chunk).is_err() {
            return (events, false);
        }
        loop {
            match reader.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return (events, false),
            }
            assert!(events.len() < 100_000, "it reads the same for ever");
        }
    }
    (events, reader.finish().is_ok())
}

fn request(bytes: &[u8]) -> bool {
    let (events, is_whole) = parts_of_request(std::iter::once(bytes));
    assert_eq!(parts_of_request(chunks(bytes)), (events.clone(), is_whole), "it depends on the chunks");
    let mut events = events.into_iter();
    let (Some(RequestEvent::Auth(auth)), Some(RequestEvent::Hello(hello))) = (events.next(), events.next())
    else {
        return false;
    };
    let frames: Vec<_> = events
        .map(|event| match event {
            RequestEvent::Frame(frame) => frame,
            other => panic!("{other:?} after the hello"),
        })
        .collect();
    let again = write_request(&key(1), &auth.nonce, &hello, &frames);
    let (events, _) = parts_of_request(std::iter::once(&again[..]));
    assert!(matches!(&events[1], RequestEvent::Hello(said) if *said == hello));
    assert_eq!(events.len(), frames.len() + 2);
    is_whole
}

fn hello(map: &[u8]) -> bool {
    let length = (map.len() as u32).to_be_bytes();
    request(&[&[7; 8][..], &[0], &[0; SIGNATURE_BYTES], &length, map].concat())
}

fn parts_of_reply<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<ReplyEvent>, bool) {
    let mut reader = ReplyReader::default();
    let mut events = Vec::new();
    for chunk in chunks {
        reader.push(chunk);
        loop {
            match reader.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return (events, false),
            }
            assert!(events.len() < 100_000, "it reads the same for ever");
        }
    }
    (events, reader.ended())
}

fn reply(bytes: &[u8]) -> bool {
    let (events, has_ended) = parts_of_reply(std::iter::once(bytes));
    assert_eq!(parts_of_reply(chunks(bytes)), (events.clone(), has_ended), "it depends on the chunks");
    let again: Vec<u8> = events
        .iter()
        .flat_map(|event| match event {
            ReplyEvent::Head(head) => head.encode(),
            ReplyEvent::Frame(frame) => frame.clone(),
            ReplyEvent::End(ended) => ended.encode(),
            ReplyEvent::Problem(problem) => problem.encode(),
        })
        .collect();
    assert_eq!(parts_of_reply(std::iter::once(&again[..])).0, events);
    has_ended
}

/// A record of two letters around a map, and what ends the reply.
fn record(magic: &[u8], map: &[u8]) -> Vec<u8> {
    [magic, &(map.len() as u32).to_be_bytes(), map].concat()
}

fn head(map: &[u8]) -> bool {
    reply(&[record(b"LR", map), Ended::default().encode()].concat())
}

fn end(map: &[u8]) -> bool {
    reply(&[ReplyHead::default().encode(), record(b"LE", map)].concat())
}

/// The bytes as the receipts of one scope.
fn receipts(columns: &[u8]) -> bool {
    let length = (columns.len() as u16).to_be_bytes();
    let map = [&[0xA3, 0x00, 0x01, 0x01, 0x40, 0x02, 0x82, 0x00, 0x59][..], &length, columns].concat();
    columns.len() <= usize::from(u16::MAX) && head(&map)
}

fn problem(map: &[u8]) -> bool {
    let body = record(b"LP", map);
    if let Ok(problem) = ProblemBody::decode(&body) {
        assert_eq!(ProblemBody::decode(&problem.encode()), Ok(problem));
    }
    reply(&body)
}

fn enrol(map: &[u8]) -> bool {
    let signed = |map: &[u8]| [&key(1).sign(b"langso enrol v1\0", &[map])[..], map].concat();
    let _ = Enrol::decode(map);
    let Ok(enrol) = Enrol::decode(&signed(map)) else { return false };
    assert_eq!(Enrol::decode(&enrol.encode(&key(1))), Ok(enrol));
    true
}

fn enrolled(map: &[u8]) -> bool {
    let print = Fingerprint::of(&key(200).public());
    let parts: [&[u8]; 2] = [&Sha256::digest(b"question"), map];
    let signature = key(200).sign(b"langso enrolled v1\0", &parts);
    let body = record(b"LN", &[&signature[..], map].concat());
    let _ = Enrolled::decode(map, b"question", &print);
    let Ok(enrolled) = Enrolled::decode(&body, b"question", &print) else { return false };
    assert_eq!(Enrolled::decode(&enrolled.encode(&key(200), b"question"), b"question", &print), Ok(enrolled));
    true
}

#[test]
fn requests() {
    fuzz("request", 2_000, request);
}

#[test]
fn hellos() {
    fuzz("hello", 4_000, hello);
}

#[test]
fn replies() {
    fuzz("reply", 2_000, reply);
}

#[test]
fn heads() {
    fuzz("head", 4_000, head);
}

#[test]
fn ends() {
    fuzz("end", 4_000, end);
}

#[test]
fn columns_of_receipts() {
    fuzz("receipts", 6_000, receipts);
}

#[test]
fn problems() {
    fuzz("problem", 4_000, problem);
}

#[test]
fn questions_of_new_devices() {
    fuzz("enrol", 2_000, enrol);
}

#[test]
fn answers_to_new_devices() {
    fuzz("enrolled", 2_000, enrolled);
}
