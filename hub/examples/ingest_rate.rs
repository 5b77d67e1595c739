//! Measures how many changes the log takes a second: frames of 100, signatures verified, each frame durable.
//!
//! `cargo run --release -p langso-hub --example ingest_rate [frames]`

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use langso_domain::id::{Key, MemberId, ScopeId, TeamId, Writer};
use langso_domain::registry::{CURRENT, Role, ScopeKind};
use langso_hub::clock::{DAY_MS, Millis};
use langso_hub::intake::Intake;
use langso_hub::log::{Code, Log, Team, Write};
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;

const NOW: Millis = Millis(1_795_000_000_000);
const SCOPE: ScopeId = ScopeId(*b"team-001");
const CHANGES_PER_FRAME: u64 = 100;
const CHANGES_PER_WRITER: u64 = 10;

/// A visit with two service rows, as a volunteer writes it.
fn visit(number: u64) -> Vec<u8> {
    let writer = Writer((number / CHANGES_PER_WRITER).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let key = Key { writer, seq: (number % CHANGES_PER_WRITER) as u32 + 1 };
    let other = Key { writer: Writer(7), seq: 1 };
    let visit = BTreeMap::from([
        (1, Value::Ref(other.row(number as u8))),
        (3, Value::Text("06838@2025".into())),
        (4, Value::Int(20_000 + (number % 300) as i64)),
        (5, Value::Int(600)),
        (6, Value::Int(630)),
        (7, Value::Int(1)),
        (10, Value::Refs(vec![other.row(1), other.row(2)])),
    ]);
    let service = |place: i64| {
        BTreeMap::from([
            (1, Value::Ref(key.row(0))),
            (3, Value::Text("vneid_level2@1".into())),
            (4, Value::Int(place)),
            (8, Value::Text("T1@3".into())),
        ])
    };
    let row = |table, fields| RowOp { table, fields, patch: None };
    let rows = vec![row(4, visit), row(5, service(1)), row(5, service(4))];
    Change { key, stamp: Stamp::at_ms(NOW.unsigned() + number), rows, extras: BTreeMap::new() }.encode()
}

fn main() -> Result<(), Box<dyn Error>> {
    let frames: u64 = std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let log = Arc::new(Log::open(&folder.path().join("hub.db"), &CURRENT)?);
    let (hub, phone) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    log.add_hub(hub.id(), hub.public().to_bytes(), NOW)?;
    let id = Key { writer: Writer(1), seq: 1 };
    let (team, secret_hash) = (TeamId(id.row(0)), [3; 32]);
    let expires_at = NOW.plus(DAY_MS);
    let code = Code { secret_hash, team, member: MemberId(id.row(1)), role: Role::Member, expires_at };
    let training = ScopeId(*b"train-01");
    let known = Team { id: team, scope: SCOPE, training, unit: "06838@2025".into(), name: "Thôn 1".into() };
    let writes = [
        Write::Scope(SCOPE, ScopeKind::Team),
        Write::Team(known),
        Write::Hold(team, SCOPE),
        Write::Code(code),
    ];
    log.commit(hub.id(), &writes, NOW)?;
    let row = id.row(2);
    log.enrol(secret_hash, phone.id(), phone.public().to_bytes(), NOW, |_, _| {
        Ok::<_, langso_hub::log::Error>((row, vec![]))
    })?;
    let intake = Intake::new(log.clone(), hub.public());
    let mut made = Vec::new();
    for frame in 0..frames {
        let mut builder = FrameBuilder::new(SCOPE, CURRENT.schema, usize::MAX);
        for number in frame * CHANGES_PER_FRAME..(frame + 1) * CHANGES_PER_FRAME {
            builder.push(&visit(number))?;
        }
        made.extend(builder.build(&phone));
    }
    let bytes: usize = made.iter().map(Vec::len).sum();
    let start = Instant::now();
    for frame in &made {
        intake.take(frame, NOW)?;
    }
    let took = start.elapsed();
    let head = log.scope(SCOPE)?.map_or(0, |state| state.head);
    let rate = head as f64 / took.as_secs_f64();
    println!("{head} changes in {frames} frames, {bytes} bytes: {took:?}, {rate:.0} changes/s");
    let mut slowest = std::time::Duration::ZERO;
    for step in 0..100 {
        let after = head * step / 100;
        let start = Instant::now();
        log.chain_at(SCOPE, after)?;
        log.changes_after(SCOPE, after, 1, 1)?;
        slowest = slowest.max(start.elapsed());
    }
    println!("what is new after a cursor, slowest of 100: {slowest:?}");
    Ok(())
}
