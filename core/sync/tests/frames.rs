//! The frame: round trips, refusals, the frames checked in under `fixtures/frames`.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::path::PathBuf;

use common::*;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use langso_domain::id::{DeviceId, Key, Writer};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Change;
use langso_sync::frame::*;
use langso_sync::keys::SigningKey;
use proptest::prelude::*;

fn opened(bytes: &[u8], key: &SigningKey) -> Frame {
    let outer = Outer::whole(bytes).unwrap();
    outer.verify(&key.public()).unwrap();
    outer.open().unwrap()
}

/// A signed frame around any body.
fn around(deflated: &[u8], kind: u8, key: &SigningKey) -> Vec<u8> {
    let mut frame = [&MAGIC[..], &[VERSION, kind], &key.id().0].concat();
    frame.extend((deflated.len() as u32).to_be_bytes());
    frame.extend(deflated);
    let signature = key.sign(LABEL, &[&frame]);
    frame.extend(signature);
    frame
}

fn deflated(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn refused(body: &[u8]) -> FrameError {
    let bytes = around(&deflated(body), KIND_CHANGES, &key(1));
    let outer = Outer::whole(&bytes).unwrap();
    outer.verify(&key(1).public()).unwrap();
    outer.open().unwrap_err()
}

/// A header as CBOR, from its parts after the map's head.
fn header(entries: u8, parts: &[u8]) -> Vec<u8> {
    [&[0xA0 + entries], parts].concat()
}

/// Scope, schema, count (below 24) and raw size.
fn plain(count: u8, raw: u8) -> Vec<u8> {
    [&[0x00, 0x48], &TEAM.0[..], &[0x01, 0x01, 0x02, count, 0x03, 0x18, raw]].concat()
}

fn tiny() -> Vec<u8> {
    Change { rows: Vec::new(), ..visits(1, 1).remove(0) }.encode()
}

#[test]
fn a_frame_gives_back_the_authors_bytes() {
    let changes = visits(100, 1);
    let frame = opened(&own_frame(&key(1), &changes), &key(1));
    assert_eq!(frame.header.scope, TEAM);
    assert!(frame.header.authors.is_empty());
    for (got, change) in frame.changes().zip(&changes) {
        assert_eq!(got.bytes, change.encode());
        assert_eq!((got.head.key, got.head.stamp), (change.key, change.stamp));
        assert_eq!((got.position, got.author), (None, key(1).id()));
    }
    assert_eq!(frame.changes().len(), 100);
}

#[test]
fn unknown_header_keys_are_kept() {
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX)
        .with_unknown(9, vec![0x82, 0x01, 0x63, b'a', b'b', b'c'])
        .with_unknown(300, vec![0xF6])
        .with_unknown(2, vec![0x00]);
    builder.push(&tiny()).unwrap();
    let frame = opened(&builder.build(&key(1)).unwrap(), &key(1));
    let unknown: Vec<_> = frame.header.unknown.into_iter().collect();
    assert_eq!(unknown, [(9, vec![0x82, 0x01, 0x63, b'a', b'b', b'c']), (300, vec![0xF6])]);
    assert_eq!(frame.header.count, 1);
}

#[test]
fn a_frame_is_full_by_count_by_raw_size_and_by_its_own_estimate() {
    let change = tiny();
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
    (0..MAX_CHANGES).for_each(|_| builder.push(&change).unwrap());
    assert_eq!(builder.push(&change), Err(Full));
    let most = visits(1, 1).remove(0);
    let big =
        Change { extras: [(200, langso_sync::value::Value::Bytes(vec![0; 60_000]))].into(), ..most }.encode();
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
    (0..4).for_each(|_| builder.push(&big).unwrap());
    assert_eq!(builder.push(&big), Err(Full));
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, 10);
    builder.push(&big).unwrap();
    assert_eq!(builder.push(&tiny()), Err(Full));
    for most in [1_000, 8_000, 30_000] {
        let mut builder = FrameBuilder::new(TEAM, SCHEMA, most);
        for change in visits(1_000, 3) {
            if builder.push(&change.encode()).is_err() {
                break;
            }
        }
        let length = builder.build(&key(1)).unwrap().len();
        assert!((most / 2..most * 5 / 4).contains(&length), "{most}: {length}");
    }
}

#[test]
fn every_cut_of_a_frame_is_cut_short_and_one_byte_more_is_one_too_many() {
    let bytes = own_frame(&key(1), &visits(3, 1));
    for end in 0..bytes.len() {
        assert_eq!(Outer::whole(&bytes[..end]).unwrap_err(), FrameError::Truncated, "{end}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Outer::whole(&longer).unwrap_err(), FrameError::Trailing);
    assert_eq!(Outer::read(&longer).unwrap().unwrap().1, bytes.len());
}

#[test]
fn what_can_never_be_a_frame_is_refused_by_its_first_bytes() {
    assert_eq!(Outer::read(b"<").unwrap_err(), FrameError::NotAFrame);
    assert_eq!(Outer::read(b"LX").unwrap_err(), FrameError::NotAFrame);
    assert_eq!(Outer::read(b"LS\x02").unwrap_err(), FrameError::Version(2));
    assert!(Outer::read(b"LS\x01\x02").unwrap().is_none(), "a frame of state");
    assert_eq!(Outer::read(b"LS\x01\x04").unwrap_err(), FrameError::Kind(4));
    assert_eq!(Outer::read(b"LS\x01\x09").unwrap_err(), FrameError::Kind(9));
    let claims = |length: u32| [b"LS\x01\x01", &[0; 8][..], &length.to_be_bytes()].concat();
    assert_eq!(Outer::read(&claims(u32::MAX)).unwrap_err(), FrameError::TooLarge);
    assert_eq!(Outer::read(&claims(MAX_BODY_BYTES as u32 + 1)).unwrap_err(), FrameError::TooLarge);
    assert!(Outer::read(&claims(MAX_BODY_BYTES as u32)).unwrap().is_none());
}

#[test]
fn a_forged_frame_is_refused_whichever_bit_differs() {
    let bytes = own_frame(&key(1), &visits(2, 1));
    for at in (0..bytes.len()).filter(|at| !(0..4).contains(at) && !(12..16).contains(at)) {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let outer = Outer::whole(&forged).unwrap();
        assert_eq!(outer.verify(&key(1).public()), Err(FrameError::Signature), "{at}");
    }
    let outer = Outer::whole(&bytes).unwrap();
    assert_eq!(outer.verify(&key(2).public()), Err(FrameError::Signature));
}

#[test]
fn a_body_that_inflates_beyond_the_limit_is_refused() {
    // 50 MB of zeros are 50 kB deflated; the header alone would be fine.
    let mut body = header(4, &plain(1, 1));
    body.resize(50 << 20, 0);
    assert_eq!(refused(&body), FrameError::TooLarge);
}

#[test]
fn a_body_that_does_not_inflate_to_its_end_is_refused() {
    let good = deflated(&[header(4, &plain(1, tiny().len() as u8)), tiny()].concat());
    let open = |deflated: &[u8]| {
        let bytes = around(deflated, KIND_CHANGES, &key(1));
        Outer::whole(&bytes).unwrap().open().map(|_| ())
    };
    assert_eq!(open(&good), Ok(()));
    assert_eq!(open(&good[..good.len() - 1]), Err(FrameError::Deflate));
    assert_eq!(open(&[&good[..], &[0]].concat()), Err(FrameError::Deflate));
    assert_eq!(open(&[0xFF; 40]), Err(FrameError::Deflate));
    assert_eq!(open(&[]), Err(FrameError::Deflate));
}

#[test]
fn a_header_that_is_not_true_is_refused() {
    let change = tiny();
    let raw = change.len() as u8;
    let with = |head: Vec<u8>| refused(&[head, change.clone()].concat());
    assert_eq!(with(header(4, &plain(1, raw - 1))), FrameError::RawSize);
    assert_eq!(with(header(4, &plain(2, raw))), FrameError::Count);
    assert_eq!(refused(&[header(4, &plain(1, raw * 2)), change.repeat(2)].concat()), FrameError::Count);
    assert_eq!(with(header(4, &plain(0, raw))), FrameError::Header("no change"));
    assert_eq!(with(header(3, &plain(1, raw)[..14])), FrameError::Header("a key is missing"));
    let twice = [&plain(1, raw)[..], &[0x03, 0x18, raw]].concat();
    assert_eq!(with(header(5, &twice)), FrameError::Header("order of keys"));
    let runs = [&plain(1, raw)[..], &[0x06, 0x82, 0x01, 0x01]].concat();
    assert_eq!(with(header(5, &runs)), FrameError::Header("positions"), "no chain");
    let chain = [&[0x07, 0x48], &[0; 8][..]].concat();
    for bad in [&[0x82, 0x00, 0x01][..], &[0x82, 0x01, 0x02], &[0x81, 0x01], &[0x80], &[0x82, 0x01, 0x00]] {
        let runs = [&plain(1, raw)[..], &[0x06], bad, &chain].concat();
        assert_eq!(with(header(6, &runs)), FrameError::Header("positions"), "{bad:?}");
    }
    let authors = [&plain(1, raw)[..], &[0x04, 0x48], &[1; 8], &[0x05, 0x41, 0x01]].concat();
    assert_eq!(with(header(6, &authors)), FrameError::Header("authors"));
    let huge = [&plain(1, raw)[..12], &[0x02, 0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x18, raw]].concat();
    assert_eq!(with(header(4, &huge)), FrameError::TooLarge);
    let mut noise = change.clone();
    noise[0] = 0x84;
    assert_eq!(refused(&[header(4, &plain(1, raw)), noise].concat()), FrameError::Change("change"));
}

fn any_entries() -> impl Strategy<Value = Vec<(u64, u64, u8, u8)>> {
    proptest::collection::vec((1u64..5, 0u64..6, 0u8..5, 0u8..20), 1..60)
}

proptest! {
    #[test]
    fn a_served_frame_says_where_each_change_stands_and_whose_it_is(entries in any_entries()) {
        let hub = key(9);
        let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
        let (mut position, mut cursor, mut expected) = (0, Cursor::start(TEAM), Vec::new());
        let mut first = None;
        for (at, (step, writer, _, text)) in entries.iter().enumerate() {
            // A gap now and then; a writer always has the same author.
            position += if *step == 1 { 3 } else { 1 };
            let author = DeviceId([*writer as u8 / 2; 8]);
            let mut change = visits(1, u64::from(*text)).remove(0);
            change.key = Key { writer: Writer(*writer), seq: at as u32 + 1 };
            let bytes = change.encode();
            first.get_or_insert(cursor.chain);
            builder.push_served(&bytes, change.key, author, position, cursor.chain).unwrap();
            cursor = cursor.then(change.key);
            expected.push((change.key, bytes, Some(position), author));
        }
        let frame = opened(&builder.build(&hub).unwrap(), &hub);
        prop_assert_eq!(frame.header.before, first);
        let got: Vec<_> = frame.changes()
            .map(|change| (change.head.key, change.bytes.to_vec(), change.position, change.author))
            .collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn a_damaged_frame_is_refused_or_read_within_the_limits(
        at in any::<prop::sample::Index>(), bit in 0u8..8, seed in 0u64..4,
    ) {
        // Damage inside the body, with the signature made anew, so that the opening itself is met.
        let bytes = own_frame(&key(1), &visits(8, seed));
        let mut body = opened(&bytes, &key(1)).inflated().to_vec();
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        for deflated in [deflated(&body), {
            let mut raw = bytes[PREFIX_BYTES..bytes.len() - 64].to_vec();
            let at = at % raw.len();
            raw[at] ^= 1 << bit;
            raw
        }] {
            let bytes = around(&deflated, KIND_CHANGES, &key(1));
            if let Ok(frame) = Outer::whole(&bytes).unwrap().open() {
                prop_assert!(frame.inflated().len() <= MAX_HEADER_BYTES + MAX_RAW_BYTES);
                prop_assert_eq!(frame.changes().len(), frame.header.count);
                prop_assert!(frame.header.count <= MAX_CHANGES);
            }
        }
    }

    #[test]
    fn noise_is_never_a_frame(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), known in 0usize..5) {
        let start = [b'L', b'S', VERSION, KIND_CHANGES];
        let known = known.min(bytes.len());
        bytes[..known.min(4)].copy_from_slice(&start[..known.min(4)]);
        if let Ok(Some((outer, length))) = Outer::read(&bytes) {
            prop_assert!(length <= bytes.len());
            prop_assert_eq!(outer.verify(&key(1).public()), Err(FrameError::Signature));
            let _ = outer.open();
        }
    }
}

/// The frames under `fixtures/frames`, by name, with the seed of the key that signs them.
fn golden() -> Vec<(&'static str, u8, Vec<u8>)> {
    let changes = visits(12, 2026);
    let mut served = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
    let mut cursor = Cursor { position: 70, chain: Chain(*b"chain\0\0\x46") };
    for (at, change) in changes.iter().enumerate() {
        let author = if at < 5 { key(1).id() } else { key(2).id() };
        if at % 7 != 3 {
            let (bytes, position) = (change.encode(), cursor.position + 1);
            served.push_served(&bytes, change.key, author, position, cursor.chain).unwrap();
        }
        cursor = cursor.then(change.key);
    }
    let mut later = FrameBuilder::new(TRAINING, SCHEMA, usize::MAX).with_unknown(9, vec![0x43, 1, 2, 3]);
    later.push(&changes[0].encode()).unwrap();
    vec![
        ("device.frame", 1, own_frame(&key(1), &changes)),
        ("hub.frame", 200, served.build(&key(200)).unwrap()),
        ("unknown-key.frame", 1, later.build(&key(1)).unwrap()),
    ]
}

#[test]
fn the_frames_checked_in_are_read_and_made_alike() {
    // LANGSO_WRITE_FIXTURES=1 writes them; only for a new frame, never to change one that devices hold.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frames");
    for (name, seed, made) in golden() {
        let path = folder.join(name);
        if std::env::var_os("LANGSO_WRITE_FIXTURES").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read(&path).unwrap();
        let (kept, made) = (opened(&kept, &key(seed)), opened(&made, &key(seed)));
        assert_eq!(kept.inflated(), made.inflated(), "{name}");
        assert_eq!(kept.header, made.header, "{name}");
    }
}

fn packed_frame(changes: &[Change]) -> Vec<u8> {
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX).packed(true);
    changes.iter().for_each(|change| builder.push(&change.encode()).unwrap());
    builder.build(&key(1)).unwrap()
}

#[test]
fn a_packed_frame_is_shorter_and_gives_back_the_authors_bytes() {
    let changes = visits(40, 3);
    let (packed, deflated) = (packed_frame(&changes), own_frame(&key(1), &changes));
    assert_eq!(packed[3], KIND_PACKED);
    assert!(packed.len() * 10 < deflated.len() * 9, "{} {}", packed.len(), deflated.len());
    let (frame, other) = (opened(&packed, &key(1)), opened(&deflated, &key(1)));
    assert_eq!(frame.header, other.header);
    assert!(frame.changes().eq(other.changes()));
    // One that takes long to pack is deflated.
    assert_eq!(packed_frame(&visits(400, 3))[3], KIND_CHANGES);
}

#[test]
fn a_packed_body_that_is_not_one_whole_stream_of_its_length_is_refused() {
    let good = packed_frame(&visits(40, 3));
    let body = &good[PREFIX_BYTES..good.len() - 64];
    let open = |body: &[u8]| {
        let bytes = around(body, KIND_PACKED, &key(1));
        Outer::whole(&bytes).unwrap().open().map(|_| ())
    };
    assert_eq!(open(body), Ok(()));
    assert_eq!(open(&body[..body.len() - 1]), Err(FrameError::Deflate));
    assert_eq!(open(&[body, &[0]].concat()), Err(FrameError::Deflate));
    assert_eq!(open(&body[..3]), Err(FrameError::Deflate));
    let claims = |length: u32| [&length.to_be_bytes()[..], &body[4..]].concat();
    let length = u32::from_be_bytes(*body.first_chunk().unwrap());
    assert_eq!(open(&claims(length - 1)), Err(FrameError::Deflate));
    assert_eq!(open(&claims(length + 1)), Err(FrameError::Deflate));
    assert_eq!(open(&claims(u32::MAX)), Err(FrameError::TooLarge));
    // Whatever stands there, it opens or is refused.
    let mut opened = 0;
    for at in 0..body.len() {
        for bit in [0, 3, 7] {
            let mut bytes = body.to_vec();
            bytes[at] ^= 1 << bit;
            opened += usize::from(open(&bytes).is_ok());
        }
    }
    println!("{opened} of {} bodies with a flipped bit open", 3 * body.len());
}
