//! Writes the examples that this program can make itself: `LANGSO_FUZZ_EXAMPLES=write cargo test -p langso-sync --test
//! fuzz examples`. Files that are there already stay as they are: old bytes must be read for ever.

use std::collections::BTreeMap;

use langso_domain::id::{Key, MemberId, RowId, ScopeId, TeamId, Writer};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::{Base, Change, Name, Patch, RowOp, extra};
use langso_sync::clock::Stamp;
use langso_sync::digest::Digest;
use langso_sync::frame::{FrameBuilder, Outer, PREFIX_BYTES};
use langso_sync::keys::{Fingerprint, SIGNATURE_BYTES};
use langso_sync::merge::{PatchOp, RowState, encode};
use langso_sync::state::{BODY_BYTES, BodyBuilder, Numbers, StateFrame, StateRow, WriterMemory};
use langso_sync::value::Value;
use langso_sync::wire::*;

use crate::common::{Hub, SCHEMA, TEAM, TRAINING, key, own_frame, visits};
use crate::{mill, session};

const ROW: RowId = RowId([1; 12]);

fn key_of(writer: u64, seq: u32) -> Key {
    Key { writer: Writer(writer), seq }
}

/// Every type of value, the ends of numbers, and what only a newer program knows.
fn values() -> Vec<(&'static str, Value)> {
    vec![
        ("good-null", Value::Null),
        ("good-true", Value::Bool(true)),
        ("good-smallest", Value::Int(i64::MIN)),
        ("good-largest", Value::Int(i64::MAX)),
        ("good-text", Value::Text("Hộ cạnh suối, đường về thôn Ngàn Chi".to_owned())),
        ("good-bytes", Value::Bytes(vec![0, 0xFF, 7])),
        ("good-row-of-the-same-change", Value::Ref(key_of(0x0909_0909_0909_0909, 1).row(3))),
        ("good-row", Value::Ref(ROW)),
        ("good-rows", Value::Refs(vec![ROW, key_of(0x0909_0909_0909_0909, 1).row(0), RowId([2; 12])])),
        ("good-no-rows", Value::Refs(Vec::new())),
        ("good-unknown-map", Value::Other(vec![0xA1, 0x01, 0xC6, 0x00])),
        ("good-unknown-list-without-end", Value::Other(vec![0x9F, 0x01, 0x7F, 0x61, 0x61, 0xFF, 0xFF])),
        ("good-unknown-half", Value::Other(vec![0xF9, 0x7E, 0x00])),
        ("good-beyond-a-number", Value::Other(vec![0x1B, 0xFF, 0, 0, 0, 0, 0, 0, 0])),
    ]
}

fn bytes_of(value: &Value) -> Vec<u8> {
    let fields = BTreeMap::from([(1, value.clone())]);
    let row = RowOp { table: 1, fields, patch: None };
    let own = key_of(0x0909_0909_0909_0909, 1);
    let change = Change { key: own, stamp: Stamp(1), rows: vec![row], extras: BTreeMap::new() }.encode();
    // Between what stands before the one value and the empty extras.
    change[17..change.len() - 1].to_vec()
}

fn patch(base: Base) -> Change {
    let fields = values().into_iter().zip(0..).map(|((_, value), at)| (at, value)).collect();
    let row = RowOp { table: 64, fields, patch: Some(Patch { target: ROW, base }) };
    let extras = BTreeMap::from([
        (extra::REASON, Value::Int(2)),
        (extra::REASON_TEXT, Value::Text("viết nhầm".to_owned())),
        (extra::CLOCK_UNSURE, Value::Bool(true)),
        (77, Value::Other(vec![0xA0])),
    ]);
    Change { key: key_of(5, 9), stamp: Stamp::at_ms(1_767_250_000_000), rows: vec![row], extras }
}

fn changes() -> Vec<(&'static str, Vec<u8>)> {
    let names = vec![Name::Create, Name::Change(key_of(7, 1)), Name::Change(key_of(8, 2))];
    let by_field = BTreeMap::from([(0, names.clone()), (3, vec![Name::Change(key_of(7, 1))]), (9, vec![])]);
    vec![
        ("good-visit", visits(1, 1)[0].encode()),
        ("good-visit-with-household", visits(9, 1)[6].encode()),
        ("good-patch", patch(Base::Same(names)).encode()),
        ("good-patch-by-field", patch(Base::ByField(by_field)).encode()),
        ("good-patch-of-a-create", patch(Base::Same(vec![Name::Create])).encode()),
        ("good-empty", Change { rows: Vec::new(), ..visits(1, 1).remove(0) }.encode()),
    ]
}

/// Versions of a row: patched twice without being seen, waiting for a change, unknown fields; with its create and
/// before that has come.
fn versions() -> Vec<(&'static str, Vec<u8>)> {
    let row = key_of(9, 1).row(0);
    let (one, two) = (
        BTreeMap::from([(1, Value::Text("Hộ 12".to_owned())), (0, Value::Bool(true))]),
        BTreeMap::from([(1, Value::Ref(row)), (2, Value::Null)]),
    );
    let seen = [
        (key_of(7, 1), &one, Base::Same(vec![Name::Create])),
        (key_of(8, 1), &two, Base::ByField(BTreeMap::from([(1, vec![Name::Change(key_of(6, 6))])]))),
    ];
    let patched = |mut state: RowState| {
        for (at, (key, fields, base)) in seen.iter().enumerate() {
            let op = PatchOp { key: *key, stamp: Stamp((6 + at as u64) << 16), fields, base };
            state.apply_patch(op, |_| Value::Int(1), |_| false);
        }
        encode(row, &state.fields).unwrap()
    };
    let mut created = RowState::default();
    created
        .apply_create(Stamp(5 << 16), &BTreeMap::from([(200, Value::Other(vec![0xA0]))]), |field| field > 99);
    vec![("good-conflict", patched(created)), ("good-waiting", patched(RowState::default()))]
}

fn served() -> Hub {
    let (one, two) = (key(1), key(2));
    let mut hub = Hub::new(&[&one, &two]);
    for (change, author) in visits(12, 3).into_iter().zip([&one, &two].into_iter().cycle()) {
        let mut change = change;
        change.key.writer.0 ^= u64::from(author.id() == two.id());
        hub.enter(TEAM, author.id(), change.key, &change.encode());
    }
    hub.joined = vec![(ScopeId(*b"place\0\0\x01"), 3)];
    hub.watermarks = true;
    hub
}

fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let hub = served();
    let mut builder =
        FrameBuilder::new(TEAM, SCHEMA, usize::MAX).with_unknown(9, vec![0x82, 0x01, 0x61, 0x61]);
    let mut chain = Chain::start(TEAM);
    for (row, at) in hub.log[&TEAM].iter().zip(1..) {
        // Positions that are left out are what receipts cover.
        if at % 3 != 0 {
            builder.push_served(&row.bytes, row.key, row.author, at, chain).unwrap();
        }
        chain = row.chain;
    }
    vec![
        ("good-device", own_frame(&key(1), &visits(4, 2))),
        ("good-hub-with-gaps-and-authors", builder.build(&hub.key).unwrap()),
    ]
}

fn opened(frame: &[u8]) -> Vec<u8> {
    Outer::whole(frame).unwrap().open().unwrap().inflated().to_vec()
}

/// A snapshot in one frame: three writers, rows of several tables, a row in conflict, one that waits for its create.
fn state() -> Vec<u8> {
    let writers = [0x21u64, 0x2200_0000_0000_0001, 9].map(Writer);
    let memory = |writer, upto, beyond| WriterMemory { writer, device: Some(key(1).id()), upto, beyond };
    let (mut builder, numbers) = (BodyBuilder::new(BODY_BYTES), Numbers::new(writers));
    builder.push_writer(memory(writers[0], 2, vec![]));
    builder.push_writer(memory(writers[1], 7, vec![(9, 9), (12, 15)]));
    builder.push_writer(WriterMemory { writer: writers[2], device: None, upto: 0, beyond: vec![] });
    let household = Key { writer: writers[0], seq: 1 }.row(0);
    let row = |table, id, values| StateRow {
        table,
        id,
        created: Some(Stamp(5 << 16)),
        values,
        ..Default::default()
    };
    builder.push_row(row(1, household, vec![(1, Value::Text("Hộ 12".to_owned())), (3, Value::Int(1))]));
    for place in 1..4 {
        let values = vec![(1, Value::Ref(household)), (2, Value::Int(i64::from(place)))];
        builder.push_row(row(2, Key { writer: writers[0], seq: 1 }.row(place), values));
    }
    let visit = Key { writer: writers[1], seq: 3 }.row(0);
    builder.push_row(row(4, visit, vec![(4, Value::Int(20_454)), (10, Value::Refs(vec![ROW, household]))]));
    let waiting = Key { writer: writers[2], seq: 1 }.row(0);
    let (_, versions) = versions().remove(0);
    let versions = langso_sync::merge::decode(waiting, &versions).unwrap();
    builder.push_row(StateRow { table: 1, id: waiting, versions, ..Default::default() });
    let of = Cursor { position: 12, chain: Chain([4; 8]) };
    let frame = builder.take(&numbers).seal(&key(1), (TEAM, SCHEMA), of, (0, 1));
    StateFrame::open(&Outer::whole(&frame).unwrap()).unwrap().inflated().to_vec()
}

fn exchanges() -> (Vec<u8>, Vec<u8>) {
    let mut hub = served();
    let (_, body) = session::asking();
    let reply = hub.post(&body, body.len()).unwrap();
    (body, reply)
}

fn full_head() -> ReplyHead {
    let range = |position, held, first, n| Range { position, held, first, n };
    let ranges = vec![range(1, 0, 1, 3), range(4, 2, 5, 1), range(9, 0, 4, 200), range(300, 1, 1, 1)];
    ReplyHead {
        hub_time_ms: 1_767_250_000_000,
        nonce: Nonce::from_bytes(&[5; 18]).unwrap(),
        receipts: vec![ScopeReceipts { scope: 0, ranges }],
        watermarks: vec![(0, 17), (1, 0)],
        left: vec![Left::sign(&key(200), key(1).id(), TRAINING, 5)],
        set_aside: vec![SetAside { key: key_of(7, 3), reason: Reason::Role as u8 }],
        set_aside_total: 4,
        joined: vec![(ScopeId(*b"place\0\0\x01"), 3)],
        resumed: vec![(1, Cursor { position: 9, chain: Chain([3; 8]) })],
        problems: vec![
            Problem::CursorUnknown(TEAM),
            Problem::DigestDiffers(TRAINING),
            Problem::Busy,
            Problem::Other(700),
        ],
        agreed: vec![0],
        question: Question(*b"12345678"),
        opens_packed: false,
    }
}

/// The map of a record.
fn map(record: &[u8]) -> Vec<u8> {
    record[6..].to_vec()
}

fn hello() -> Vec<u8> {
    let mut hello = Hello::new(SCHEMA, "langso 0.1.0");
    hello.cursors =
        vec![(TEAM, Cursor::start(TEAM)), (TRAINING, Cursor { position: 12, chain: Chain([4; 8]) })];
    hello.held = (1..40).map(|n| Held { writer: Writer(n << 40), upto: n as u32 }).collect();
    (hello.max_bytes, hello.max_frame) = (50_000, 8_192);
    hello.marks = vec![Mark { scope: 1, cursor: Cursor::start(TRAINING) }];
    hello.digests = vec![(0, Digest::from_bytes([6; 16]))];
    let body = write_request(&key(1), &Nonce::default(), &hello, &[]);
    body[9 + SIGNATURE_BYTES + 4..].to_vec()
}

fn enrolment() -> (Vec<u8>, Vec<u8>) {
    let ask = Enrol::new([9; 16], key(1).public(), "điện thoại của Lan", "Oppo A3s", "langso 0.1.0");
    let answer = Enrolled {
        member: MemberId(ROW),
        team: TeamId(RowId([2; 12])),
        role: 1,
        scopes: vec![(TEAM, 1), (TRAINING, 2)],
        hub: key(200).public(),
        hub_time_ms: 1_767_250_000_000,
        nonce: Nonce::from_bytes(&[5; 18]).unwrap(),
    };
    let signed = SIGNATURE_BYTES;
    (ask.encode(&key(1))[signed..].to_vec(), answer.encode(&key(200), b"question")[6 + signed..].to_vec())
}

fn texts() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let invite = |url: &str| {
        let invite = Invite { secret: [7; 16], hub: Fingerprint([9; 16]), url: url.to_owned() };
        invite.to_string().into_bytes()
    };
    let get = |nonce| SignedGet::sign(&key(1), nonce, "/v1/figures?period=2024-Y").to_string().into_bytes();
    vec![
        ("invite", "good-port", invite("http://192.168.1.7:7300")),
        ("invite", "good-dashes", invite("https://hub-1.xa-hoanh-mo.example")),
        ("signed-get", "good-nonce", get(Nonce::from_bytes(&[5; 18]).unwrap())),
        ("signed-get", "good-empty-nonce", get(Nonce::default())),
    ]
}

/// What replicas take in: a household, an edit of it, its removal, an edit that saw nothing of those, and rows of other
/// tables.
fn applied() -> Vec<(&'static str, Vec<u8>)> {
    let household = key_of(0x21, 1);
    let change = |key, minute: u64, rows| {
        let stamp = Stamp::at_ms(1_767_250_000_000 + minute * 60_000);
        Change { key, stamp, rows, extras: BTreeMap::new() }.encode()
    };
    let label = |text: &str| (1, Value::Text(text.to_owned()));
    let row = |fields: Vec<(u8, Value)>, base: Option<Base>| RowOp {
        table: 1,
        fields: fields.into_iter().collect(),
        patch: base.map(|base| Patch { target: household.row(0), base }),
    };
    let create = Base::Same(vec![Name::Create]);
    let saw = BTreeMap::from([(0, vec![Name::Create]), (1, vec![Name::Change(key_of(0x22, 1))])]);
    let named = |name: &str| mill::examples("change").into_iter().find(|(of, _)| of == name).unwrap().1;
    vec![
        ("good-household", change(household, 0, vec![row(vec![label("Hộ 12"), (3, Value::Int(1))], None)])),
        ("good-edit", change(key_of(0x22, 1), 1, vec![row(vec![label("Hộ ông Sáu")], Some(create.clone()))])),
        (
            "good-removal",
            change(key_of(0x23, 1), 2, vec![row(vec![(0, Value::Bool(true))], Some(Base::ByField(saw)))]),
        ),
        (
            "good-late-edit",
            change(key_of(0x24, 1), 3, vec![row(vec![label("Hộ cạnh trường")], Some(create))]),
        ),
        ("good-visit", named("good-visit-with-household")),
        ("good-patch", named("good-patch-by-field")),
    ]
}

fn examples() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut all = texts();
    all.extend(changes().into_iter().map(|(name, bytes)| ("change", name, bytes)));
    all.extend(values().into_iter().map(|(name, value)| ("value", name, bytes_of(&value))));
    all.extend(applied().into_iter().map(|(name, bytes)| ("apply", name, bytes)));
    all.extend(versions().into_iter().map(|(name, bytes)| ("versions", name, bytes)));
    for (name, frame) in frames() {
        all.push(("frame-body", name, opened(&frame)));
        let end = frame.len() - SIGNATURE_BYTES;
        all.push(("frame-deflate", name, frame[PREFIX_BYTES..end].to_vec()));
        all.push(("frame", name, frame));
    }
    let (request, reply) = exchanges();
    let question = Question::of(&request).unwrap().0;
    let at = reply.windows(8).position(|eight| eight == question).unwrap();
    let any_answer = [&reply[..at], &session::ANY_QUESTION, &reply[at + 8..]].concat();
    let head = ReplyHead { receipts: full_head().receipts, ..ReplyHead::default() };
    // What stands behind the keys and the scope's place: the columns of the receipts.
    let columns = map(&head.encode());
    let ended = Ended { cursors: vec![(TEAM, Cursor { position: 12, chain: Chain([4; 8]) })], more: true };
    let problem = |problem, nonce| map(&ProblemBody { problem, hub_time_ms: 5, nonce }.encode());
    let (ask, answer) = enrolment();
    all.extend([
        ("request", "good-visits", request),
        ("hello", "good-all-keys", hello()),
        ("reply", "good-visits", reply),
        ("session", "good-visits", any_answer),
        ("head", "good-all-keys", map(&full_head().encode())),
        ("head", "good-empty", map(&ReplyHead::default().encode())),
        (
            "receipts",
            "good-ranges",
            columns[columns.iter().rposition(|byte| *byte == 0x58).map_or(9, |at| at + 2)..].to_vec(),
        ),
        ("end", "good-more", map(&ended.encode())),
        ("end", "good-empty", map(&Ended::default().encode())),
        ("problem", "good-stale-nonce", problem(Problem::StaleNonce, Nonce::from_bytes(&[5; 18]))),
        ("problem", "good-scope", problem(Problem::CursorUnknown(TEAM), None)),
        ("state", "good-snapshot", state()),
        ("enrol", "good-question", ask),
        ("enrolled", "good-answer", answer),
    ]);
    all
}

#[test]
fn examples_that_are_missing_are_written_when_asked_for() {
    let is_asked = std::env::var_os("LANGSO_FUZZ_EXAMPLES").is_some_and(|what| what == "write");
    let mut missing = Vec::new();
    for (decoder, name, bytes) in examples() {
        let path = mill::fixtures().join("fuzz").join(decoder).join(name);
        if path.exists() {
            continue;
        }
        if is_asked {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
        } else {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "write them by LANGSO_FUZZ_EXAMPLES=write: {missing:?}");
}
