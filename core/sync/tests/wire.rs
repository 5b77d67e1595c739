//! Requests, replies and enrolment: round trips, any split of the stream, cuts, damage, limits, sizes.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use langso_domain::id::{DeviceId, Key, MAX_SEQ, MemberId, RowId, ScopeId, TeamId, Writer};
use langso_sync::chain::{Chain, Cursor, MAX_POSITION};
use langso_sync::digest::Digest;
use langso_sync::frame::FrameError;
use langso_sync::keys::Fingerprint;
use langso_sync::wire::*;
use proptest::prelude::*;

fn any_scope() -> impl Strategy<Value = ScopeId> {
    any::<[u8; 8]>().prop_map(ScopeId)
}

fn any_cursor() -> impl Strategy<Value = Cursor> {
    (0..=MAX_POSITION, any::<[u8; 8]>())
        .prop_map(|(position, chain)| Cursor { position, chain: Chain(chain) })
}

fn any_nonce() -> impl Strategy<Value = Nonce> {
    proptest::collection::vec(any::<u8>(), 0..=MAX_NONCE).prop_map(|bytes| Nonce::from_bytes(&bytes).unwrap())
}

fn any_cursors() -> impl Strategy<Value = Vec<(ScopeId, Cursor)>> {
    proptest::collection::btree_map(any_scope().prop_map(|scope| scope.0), any_cursor(), 1..6)
        .prop_map(|map| map.into_iter().map(|(scope, cursor)| (ScopeId(scope), cursor)).collect())
}

fn any_hello() -> impl Strategy<Value = Hello> {
    let held = proptest::collection::btree_map(any::<u64>(), 1..=MAX_SEQ, 0..8);
    let marks = proptest::collection::vec((any::<prop::sample::Index>(), any_cursor()), 0..4);
    let digests = proptest::collection::vec((any::<prop::sample::Index>(), any::<[u8; 16]>()), 0..3);
    let landing = (any::<prop::sample::Index>(), 0..=MAX_POSITION, any::<u32>());
    let landings = proptest::collection::vec(landing, 0..3);
    let recalled = held.clone();
    (any::<(u16, u16, u32, u32)>(), any_cursors(), (held, recalled), "\\PC{0,16}", marks, digests, landings)
        .prop_map(
            |(
                (protocol, schema, max_bytes, max_frame),
                cursors,
                (held, recalled),
                app,
                marks,
                digests,
                landings,
            )| Hello {
                protocol,
                schema,
                held: held.into_iter().map(|(writer, upto)| Held { writer: Writer(writer), upto }).collect(),
                recalled: recalled
                    .into_iter()
                    .map(|(writer, upto)| Held { writer: Writer(writer), upto })
                    .collect(),
                max_bytes,
                max_frame,
                app,
                marks: marks
                    .into_iter()
                    .map(|(at, cursor)| Mark { scope: at.index(cursors.len()), cursor })
                    .collect(),
                digests: digests
                    .into_iter()
                    .map(|(at, bytes)| (at.index(cursors.len()), Digest::from_bytes(bytes)))
                    .collect(),
                landings: landings
                    .into_iter()
                    .map(|(at, position, next)| LandingAt { scope: at.index(cursors.len()), position, next })
                    .collect(),
                cursors,
            },
        )
}

fn any_ranges() -> impl Strategy<Value = Vec<Range>> {
    proptest::collection::vec((1u64..1 << 20, 0u32..MAX_HELD as u32, 1..=MAX_SEQ - 500, 1u32..500), 0..40)
        .prop_map(|steps| {
            let mut end = 0;
            let ranges = steps.into_iter().map(|(gap, held, first, n)| {
                let position = end + gap;
                end = position + u64::from(n);
                Range { position, held, first, n }
            });
            ranges.collect()
        })
}

fn any_head() -> impl Strategy<Value = ReplyHead> {
    let receipts = proptest::collection::vec((0usize..9, any_ranges()), 0..3);
    let watermarks = proptest::collection::vec((0usize..9, 0..=MAX_POSITION), 0..4);
    let aside = proptest::collection::vec((any::<u64>(), 1..=MAX_SEQ, any::<u8>()), 0..4);
    let resumed = proptest::collection::vec((0usize..9, any_cursor()), 0..3);
    let joined = proptest::collection::vec((any_scope(), any::<i64>()), 0..3);
    let problems = proptest::collection::vec(
        prop_oneof![
            any_scope().prop_map(Problem::CursorUnknown),
            any_scope().prop_map(Problem::DigestDiffers),
            Just(Problem::Busy),
            Just(Problem::Other(99))
        ],
        0..3,
    );
    let left = proptest::collection::vec((any_scope(), any::<u64>()), 0..2);
    let agreed = proptest::collection::vec(0usize..9, 0..3);
    let of_scopes = (resumed, problems, agreed);
    (any::<u64>(), any_nonce(), receipts, watermarks, left, (aside, any::<u64>(), joined, of_scopes))
        .prop_map(|(time, nonce, receipts, watermarks, left, (aside, total, joined, of_scopes))| {
            let (resumed, problems, agreed) = of_scopes;
            ReplyHead {
                hub_time_ms: time,
                nonce,
                receipts: receipts
                    .into_iter()
                    .map(|(scope, ranges)| ScopeReceipts { scope, ranges })
                    .collect(),
                watermarks,
                left: left
                    .into_iter()
                    .map(|(scope, at)| Left::sign(&key(200), DeviceId([1; 8]), scope, at))
                    .collect(),
                set_aside: aside
                    .into_iter()
                    .map(|(writer, seq, reason)| SetAside {
                        key: Key { writer: Writer(writer), seq },
                        reason,
                    })
                    .collect(),
                set_aside_total: total,
                joined,
                resumed,
                problems,
                agreed,
                question: Question(total.to_be_bytes()),
                opens_packed: total % 2 == 1,
            }
        })
}

/// Feeds in chunks and gives what came, and whether the body was whole.
fn read_request(
    body: &[u8],
    chunk: usize,
) -> Result<(Vec<RequestEvent>, Result<Sealed, WireError>), WireError> {
    let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
    let mut events = Vec::new();
    for chunk in body.chunks(chunk.max(1)) {
        reader.push(chunk)?;
        while let Some(event) = reader.next_event()? {
            events.push(event);
        }
    }
    Ok((events, reader.finish()))
}

fn read_reply(body: &[u8], chunk: usize) -> (Vec<ReplyEvent>, bool, Option<WireError>) {
    let mut reader = ReplyReader::default();
    let mut events = Vec::new();
    for chunk in body.chunks(chunk.max(1)) {
        reader.push(chunk);
        loop {
            match reader.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, reader.ended(), Some(error)),
            }
        }
    }
    (events, reader.ended(), None)
}

fn request(hello: &Hello) -> (Vec<u8>, Vec<Vec<u8>>) {
    let frames = vec![own_frame(&key(1), &visits(4, 1)), own_frame(&key(1), &visits(1, 2))];
    (write_request(&key(1), &Nonce::from_bytes(&[5; 18]).unwrap(), hello, &frames), frames)
}

fn reply(head: &ReplyHead, ended: &Ended) -> (Vec<u8>, Vec<ReplyEvent>) {
    let frames = [own_frame(&key(200), &visits(4, 1)), own_frame(&key(200), &visits(1, 2))];
    let body = [&head.encode()[..], &frames[0], &frames[1], &ended.encode()].concat();
    let mut events = vec![ReplyEvent::Head(head.clone())];
    events.extend(frames.into_iter().map(ReplyEvent::Frame));
    events.push(ReplyEvent::End(ended.clone()));
    (body, events)
}

proptest! {
    #[test]
    fn a_request_comes_back_however_the_stream_is_split(hello in any_hello(), chunk in 1usize..400) {
        let (body, frames) = request(&hello);
        let (events, sealed) = read_request(&body, chunk).unwrap();
        prop_assert!(matches!(events[0], RequestEvent::Auth(auth) if auth.key_id == key(1).id()));
        prop_assert_eq!(&events[1], &RequestEvent::Hello(hello));
        prop_assert_eq!(&events[2..], &frames.into_iter().map(RequestEvent::Frame).collect::<Vec<_>>());
        let sealed = sealed.unwrap();
        prop_assert_eq!(sealed.verify(&key(1).public()), Ok(()));
        prop_assert_eq!(sealed.verify(&key(2).public()), Err(WireError::Signature));
    }

    #[test]
    fn a_reply_comes_back_however_the_stream_is_split(
        head in any_head(), cursors in any_cursors(), more in any::<bool>(), chunk in 1usize..400,
    ) {
        let (body, events) = reply(&head, &Ended { cursors, more });
        prop_assert_eq!(read_reply(&body, chunk), (events, true, None));
    }

    #[test]
    fn a_damaged_request_is_never_taken_for_the_devices(
        hello in any_hello(), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let (mut body, _) = request(&hello);
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        if let Ok((_, Ok(sealed))) = read_request(&body, 300) {
            prop_assert_eq!(sealed.verify(&key(1).public()), Err(WireError::Signature));
        }
    }

    #[test]
    fn a_damaged_reply_is_refused_or_read_without_panic(
        head in any_head(), cursors in any_cursors(), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let (mut body, _) = reply(&head, &Ended { cursors, more: false });
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        let (events, ..) = read_reply(&body, 300);
        for event in events {
            if let ReplyEvent::Head(head) = event {
                prop_assert!(head.receipts.iter().map(|of| of.ranges.len()).sum::<usize>() <= MAX_RANGES);
            }
        }
    }

    #[test]
    fn noise_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_request(&bytes, 7);
        let _ = read_reply(&bytes, 7);
        for magic in [b"LR", b"LP", b"LN"] {
            let length = (bytes.len() as u32).to_be_bytes();
            let body = [&magic[..], &length, &bytes].concat();
            let _ = read_reply(&body, 50);
            let _ = ProblemBody::decode(&body);
            let _ = Enrolled::decode(&body, b"", &Fingerprint([0; 16]));
        }
        let _ = Enrol::decode(&bytes);
    }
}

fn hello() -> Hello {
    let mut hello = Hello::new(SCHEMA, "langso 0.1.0");
    hello.cursors =
        vec![(TEAM, Cursor { position: 5_000, chain: Chain([3; 8]) }), (TRAINING, Cursor::start(TRAINING))];
    hello.held = vec![Held { writer: Writer(77), upto: 5 }];
    hello
}

#[test]
fn a_request_cut_anywhere_yields_whole_frames_and_no_end() {
    let (body, frames) = request(&hello());
    for end in 0..body.len() {
        let (events, sealed) = read_request(&body[..end], 64).unwrap();
        let whole =
            frames.len() - usize::from(end < body.len()) - usize::from(end < body.len() - frames[1].len());
        let got = events.iter().filter(|event| matches!(event, RequestEvent::Frame(_))).count();
        assert!(got <= whole, "{end}");
        // A cut between two frames cannot be seen in the bytes; the signature tells.
        if let Ok(sealed) = sealed {
            assert_eq!(sealed.verify(&key(1).public()), Err(WireError::Signature), "{end}");
        }
    }
}

#[test]
fn a_reply_cut_anywhere_yields_no_half_event_and_no_end() {
    let head = ReplyHead { hub_time_ms: 1, watermarks: vec![(0, 9)], ..Default::default() };
    let (body, events) = reply(&head, &Ended { cursors: vec![], more: true });
    for end in 0..body.len() {
        let (got, ended, error) = read_reply(&body[..end], 100);
        assert_eq!((ended, error), (false, None), "{end}");
        assert_eq!(got, events[..got.len()], "{end}");
    }
}

#[test]
fn unknown_keys_of_hello_and_head_are_passed_over() {
    let (body, _) = request(&hello());
    // One key more at the end of the hello's map; its signature is then that of another body.
    let at = 8 + 1 + 18 + 64;
    let length = u32::from_be_bytes(body[at..at + 4].try_into().unwrap()) as usize;
    let mut longer = body[..at].to_vec();
    longer.extend((length as u32 + 4).to_be_bytes());
    longer.push(body[at + 4] + 1);
    longer.extend(&body[at + 5..at + 4 + length]);
    longer.extend([0x18, 0x40, 0x81, 0xF5]);
    let (events, _) = read_request(&longer, 10).unwrap();
    assert_eq!(events[1], RequestEvent::Hello(hello()));
    let head = ReplyHead { hub_time_ms: 7, ..Default::default() };
    let mut bytes = head.encode();
    bytes[5] += 4;
    bytes[6] += 1;
    bytes.extend([0x18, 0x40, 0x81, 0xF5]);
    assert_eq!(read_reply(&bytes, 3).0, [ReplyEvent::Head(head)]);
}

#[test]
fn claims_beyond_the_limits_are_refused_before_they_arrive() {
    let (body, _) = request(&hello());
    let at = 8 + 1 + 18 + 64;
    let mut huge = body[..at].to_vec();
    huge.extend(u32::MAX.to_be_bytes());
    assert_eq!(read_request(&huge, 1_000).unwrap_err(), WireError::TooLarge);
    assert_eq!(read_reply(b"LR\xFF\xFF\xFF\xFF", 10).2, Some(WireError::TooLarge));
    assert_eq!(read_reply(b"LP\xFF\xFF\xFF\xFF", 10).2, Some(WireError::TooLarge));
    let head = ReplyHead::default().encode();
    let end = [&head[..], b"LE\xFF\xFF\xFF\xFF"].concat();
    assert_eq!(read_reply(&end, 10).2, Some(WireError::TooLarge));
    let frame = [&head[..], b"LS\x01\x01", &[0; 8], &[0xFF; 4]].concat();
    assert_eq!(read_reply(&frame, 10).2, Some(WireError::Frame(FrameError::TooLarge)));
    // A list that claims 2^32 receipts, and a map that claims 2^64 keys.
    let claims = |map: &[u8]| [&b"LR"[..], &(map.len() as u32).to_be_bytes(), map].concat();
    let receipts = [0xA3, 0x00, 0x00, 0x01, 0x40, 0x02, 0x82, 0x00, 0x45, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F];
    assert_eq!(read_reply(&claims(&receipts), 10).2, Some(WireError::TooLarge));
    let few = [0xA3, 0x00, 0x00, 0x01, 0x40, 0x02, 0x82, 0x00, 0x42, 0xE8, 0x07];
    assert_eq!(read_reply(&claims(&few), 10).2, Some(WireError::Malformed("receipts")));
    let keys = [0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_eq!(read_reply(&claims(&keys), 10).2, Some(WireError::Malformed("cbor")));
    let mut reader = RequestReader::new(100);
    assert_eq!(reader.push(&[0; 101]), Err(WireError::TooLarge));
}

#[test]
fn what_no_hub_would_say_is_not_a_reply() {
    assert_eq!(read_reply(b"<html>", 1).2, Some(WireError::NotAReply));
    assert_eq!(read_reply(b"LX", 2).2, Some(WireError::NotAReply));
    let after = [&ReplyHead::default().encode()[..], &Ended::default().encode(), b"x"].concat();
    assert_eq!(read_reply(&after, 100).2, Some(WireError::Malformed("bytes after the end")));
    assert_eq!(ProblemBody::decode(b"{}"), Err(WireError::NotAReply));
}

#[test]
fn a_hello_that_names_a_scope_or_writer_twice_is_malformed() {
    let mut twice = hello();
    twice.cursors.push(twice.cursors[0]);
    assert_eq!(read_request(&request(&twice).0, 999).unwrap_err(), WireError::Malformed("twice the same"));
    let mut twice = hello();
    twice.held.push(twice.held[0]);
    assert_eq!(read_request(&request(&twice).0, 999).unwrap_err(), WireError::Malformed("twice the same"));
    let mut stray = hello();
    stray.marks = vec![Mark { scope: 2, cursor: Cursor::start(TEAM) }];
    assert_eq!(read_request(&request(&stray).0, 999).unwrap_err(), WireError::Malformed("mark"));
}

#[test]
fn two_thousand_receipts_stay_below_ten_kilobytes() {
    let ranges =
        (0..2_000u32).map(|at| Range { position: 900_000 + u64::from(at) * 7, held: at, first: 1, n: 5 });
    let head = ReplyHead {
        receipts: vec![ScopeReceipts { scope: 0, ranges: ranges.collect() }],
        ..Default::default()
    };
    let bytes = head.encode();
    assert!(bytes.len() < 10_000, "{}", bytes.len());
    assert_eq!(read_reply(&bytes, 999).0, [ReplyEvent::Head(head)]);
}

#[test]
fn problems_have_numbers_and_names_of_their_own_and_come_back() {
    let mut codes = std::collections::BTreeSet::new();
    let mut names = std::collections::BTreeSet::new();
    let scoped = [Problem::CursorUnknown(TEAM), Problem::ScopeUnknown(TEAM), Problem::Other(999)];
    for &problem in Problem::BODIES.iter().chain(&scoped) {
        assert!(codes.insert(problem.code()) && names.insert(problem.name()), "{problem:?}");
        let body = ProblemBody { problem, hub_time_ms: 12, nonce: Nonce::from_bytes(&[1; 18]) };
        assert_eq!(ProblemBody::decode(&body.encode()), Ok(body));
        assert_eq!(read_reply(&body.encode(), 2).0, [ReplyEvent::Problem(body)]);
    }
}

#[test]
fn left_holds_for_the_device_it_was_said_to_alone() {
    let left = Left::sign(&key(200), key(1).id(), TEAM, 5);
    assert!(left.holds(&key(200).public(), key(1).id()));
    assert!(!left.holds(&key(200).public(), key(2).id()));
    assert!(!left.holds(&key(201).public(), key(1).id()));
    let later = Left { at_ms: 6, ..left };
    assert!(!later.holds(&key(200).public(), key(1).id()));
}

#[test]
fn enrolment_is_proven_on_both_sides() {
    let ask = Enrol::new([9; 16], key(1).public(), "Máy của Lan", "Samsung SM-A055F", "langso 0.1.0");
    let question = ask.encode(&key(1));
    assert_eq!(Enrol::decode(&question), Ok(ask.clone()));
    assert_eq!(Enrol::decode(&ask.encode(&key(2))), Err(WireError::Signature), "another's key");
    for at in 0..question.len() {
        let mut forged = question.clone();
        forged[at] ^= 4;
        assert!(Enrol::decode(&forged).is_err(), "{at}");
        assert!(Enrol::decode(&question[..at]).is_err(), "{at}");
    }
    let answer = Enrolled {
        member: MemberId(RowId([1; 12])),
        team: TeamId(RowId([2; 12])),
        role: 1,
        scopes: vec![(TEAM, 1), (TRAINING, 2)],
        hub: key(200).public(),
        hub_time_ms: 1_767_250_000_000,
        nonce: Nonce::from_bytes(&[3; 18]).unwrap(),
    };
    let body = answer.encode(&key(200), &question);
    let print = Fingerprint::of(&key(200).public());
    assert_eq!(Enrolled::decode(&body, &question, &print), Ok(answer.clone()));
    let other = Fingerprint::of(&key(201).public());
    assert_eq!(Enrolled::decode(&body, &question, &other), Err(WireError::Signature), "another hub");
    assert_eq!(Enrolled::decode(&body, b"other", &print), Err(WireError::Signature), "another question");
    let forged = answer.encode(&key(201), &question);
    assert_eq!(Enrolled::decode(&forged, &question, &print), Err(WireError::Signature));
}

#[test]
fn texts_about_the_phone_are_cut_to_their_limit() {
    let long = "ế".repeat(40);
    assert_eq!(Hello::new(1, &long).app.len(), 63);
    let ask = Enrol::new([9; 16], key(1).public(), &long, &long, &long);
    assert_eq!(Enrol::decode(&ask.encode(&key(1))), Ok(ask));
}
