//! The worked example of `docs/protocol.md`: its bytes are what the code makes.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use common::*;
use langso_domain::id::{Key, MemberId, RowId, TeamId, Writer};
use langso_sync::chain::Cursor;
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::digest::{Digest, RowHasher};
use langso_sync::frame::{FrameBuilder, Outer};
use langso_sync::keys::SigningKey;
use langso_sync::merge::RowState;
use langso_sync::state::{BODY_BYTES, BodyBuilder, Numbers, StateFrame, StateRow, WriterMemory};
use langso_sync::value::Value;
use langso_sync::wire::*;

const TIME: u64 = 1_767_250_000_000;

fn change() -> Change {
    let key = Key { writer: Writer(0x0123_4567_89AB_CDEF), seq: 1 };
    let hamlet = Key { writer: Writer(0xFEDC_BA98_7654_3210), seq: 2 }.row(0);
    let fields = |list: Vec<(u8, Value)>| list.into_iter().collect::<BTreeMap<_, _>>();
    let visit = fields(vec![
        (2, Value::Ref(hamlet)),
        (3, Value::Text("06838@2025".to_owned())),
        (4, Value::Int(20_454)),
        (5, Value::Int(540)),
        (7, Value::Int(1)),
    ]);
    let service =
        fields(vec![(1, Value::Ref(key.row(0))), (3, Value::Text("T1".to_owned())), (4, Value::Int(1))]);
    let rows = vec![
        RowOp { table: 4, fields: visit, patch: None },
        RowOp { table: 5, fields: service, patch: None },
    ];
    Change { key, stamp: Stamp::at_ms(TIME), rows, extras: BTreeMap::new() }
}

/// Of a scope that holds what the change made and nothing else.
fn digest(change: &Change) -> Digest {
    let state = RowState { created: Some(change.stamp), fields: BTreeMap::new() };
    let mut digest = Digest::default();
    for (row, place) in change.rows.iter().zip(0..) {
        let mut hasher = RowHasher::default();
        hasher.begin(row.table, change.key.row(place), state.created);
        hasher.fields(row.fields.iter().map(|(field, value)| (*field, value)), &state);
        digest.add(hasher.finish());
    }
    digest
}

/// The state that the example change makes, as the whole snapshot of its scope.
fn state(hub: &SigningKey, of: Cursor) -> Vec<u8> {
    let change = change();
    let mut builder = BodyBuilder::new(BODY_BYTES);
    let (writer, device) = (change.key.writer, Some(key(1).id()));
    builder.push_writer(WriterMemory { writer, device, upto: 1, beyond: Vec::new() });
    for (row, place) in change.rows.iter().zip(0..) {
        builder.push_row(StateRow {
            table: row.table,
            id: change.key.row(place),
            created: Some(change.stamp),
            values: row.fields.clone().into_iter().collect(),
            versions: BTreeMap::new(),
        });
    }
    builder.take(&Numbers::new([writer])).seal(hub, (TEAM, SCHEMA), of, (0, 1))
}

fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let (device, hub) = (key(1), key(200));
    let change = change();
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
    builder.push(&change.encode()).unwrap();
    let frame = builder.build(&device).unwrap();
    let body = Outer::whole(&frame).unwrap().open().unwrap().inflated().to_vec();
    let cursor = Cursor::start(TEAM).then(change.key);
    let snapshot = state(&hub, cursor);
    let nonce = Nonce::from_bytes(&[5; 18]).unwrap();
    let mut hello = Hello::new(SCHEMA, "langso 0.1.0");
    hello.cursors = vec![(TEAM, cursor)];
    let question = Question::of(&write_request(&device, &nonce, &hello, &[])).unwrap();
    let head = ReplyHead { hub_time_ms: TIME, nonce, question, ..Default::default() };
    let problem = ProblemBody { problem: Problem::StaleNonce, hub_time_ms: TIME, nonce: Some(nonce) };
    let enrol = Enrol::new([9; 16], device.public(), "Lan", "A05", "langso 0.1.0").encode(&device);
    let enrolled = Enrolled {
        member: MemberId(RowId([1; 12])),
        team: TeamId(RowId([2; 12])),
        role: 1,
        scopes: vec![(TEAM, 1), (TRAINING, 2)],
        hub: hub.public(),
        hub_time_ms: TIME,
        nonce,
    };
    vec![
        ("change", change.encode()),
        ("public-key", device.public().to_bytes().to_vec()),
        ("body", body),
        ("frame", frame),
        ("chain", cursor.chain.0.to_vec()),
        ("state-body", StateFrame::open(&Outer::whole(&snapshot).unwrap()).unwrap().inflated().to_vec()),
        ("state", snapshot),
        ("digest", digest(&change).to_bytes().to_vec()),
        ("request", write_request(&device, &nonce, &hello, &[])),
        ("reply", [head.encode(), Ended::default().encode()].concat()),
        ("problem", problem.encode()),
        ("enrol", enrol.clone()),
        ("enrolled", enrolled.encode(&hub, &enrol)),
    ]
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
    }
    text
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md")
}

#[test]
fn the_examples_of_the_protocol_page_are_what_the_code_makes() {
    let mut text = std::fs::read_to_string(page()).unwrap();
    let write = std::env::var_os("LANGSO_WRITE_FIXTURES").is_some();
    for (name, made) in examples() {
        let open = format!("```hex {name}\n");
        let start = text.find(&open).unwrap_or_else(|| panic!("no example {name}")) + open.len();
        let end = start + text[start..].find("```").unwrap();
        if write {
            text.replace_range(start..end, &hex(&made));
            continue;
        }
        let shown = unhex(&text[start..end]);
        if name == "frame" {
            // Deflate streams differ between versions; what they hold does not.
            let outer = Outer::whole(&shown).unwrap();
            outer.verify(&key(1).public()).unwrap();
            let (shown, made) = (outer.open().unwrap(), Outer::whole(&made).unwrap().open().unwrap());
            assert_eq!(shown.inflated(), made.inflated());
        } else {
            assert_eq!(hex(&shown), hex(&made), "{name}");
        }
    }
    if write {
        std::fs::write(page(), text).unwrap();
    }
}

#[test]
fn every_problem_and_reason_is_on_the_protocol_page() {
    let text = std::fs::read_to_string(page()).unwrap();
    for problem in Problem::BODIES {
        let row = format!("| {} | {} | {} |", problem.code(), problem.name(), problem.status());
        assert!(text.contains(&row), "{row}");
    }
    for problem in [Problem::CursorUnknown(TEAM), Problem::ScopeUnknown(TEAM), Problem::DigestDiffers(TEAM)] {
        assert!(text.contains(&format!("| {} | {} | in a reply |", problem.code(), problem.name())));
    }
    let numbers: BTreeSet<u8> = Reason::ALL.into_iter().map(|reason| reason as u8).collect();
    assert_eq!(numbers.len(), Reason::ALL.len());
    for number in numbers {
        assert!(text.contains(&format!("{number} = ")), "{number}");
        assert!(Reason::from_number(number).is_some());
    }
}

#[test]
fn the_signed_request_of_the_protocol_page_is_what_the_code_makes() {
    let target = "/v1/figures?period=2024-H1";
    let signed = SignedGet::sign(&key(1), Nonce::from_bytes(&[5; 18]).unwrap(), target).to_string();
    let text = std::fs::read_to_string(page()).unwrap();
    let open = "```text signed-get\n";
    let start = text.find(open).expect("the example") + open.len();
    let end = start + text[start..].find("\n```").unwrap();
    if std::env::var_os("LANGSO_WRITE_FIXTURES").is_some() {
        std::fs::write(page(), format!("{}{signed}{}", &text[..start], &text[end..])).unwrap();
    } else {
        assert_eq!(&text[start..end], signed);
    }
}
