//! Measures how many changes a hub takes a second: frames of 100, signatures verified, each frame durable; first the
//! log alone, then with replica and cells brought up in strides, as the projector does under a steady stream.
//!
//! `cargo run --release -p langso-hub --example ingest_rate [frames] [frames in a stride]`

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use langso_domain::date::CivilDate;
use langso_domain::id::{Key, ScopeId, Writer};
use langso_domain::registry::{CURRENT, Role};
use langso_domain::units::UnitCode;
use langso_hub::admin::{NewMember, NewTeam};
use langso_hub::clock::{Clock, Millis};
use langso_hub::enrol::secret_hash;
use langso_hub::server::Hub;
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;

const NOW: Millis = Millis(1_795_000_000_000);
const CHANGES_PER_FRAME: u64 = 100;
const CHANGES_PER_WRITER: u64 = 5;

/// A visit to a new household with two service rows for its person, as a volunteer writes it.
fn visit(salt: u64, number: u64) -> Vec<u8> {
    let writer = Writer((salt + number / CHANGES_PER_WRITER).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let key = Key { writer, seq: (number % CHANGES_PER_WRITER) as u32 + 1 };
    let other = Key { writer: Writer(7), seq: 1 };
    let household = BTreeMap::from([(1, Value::Text(format!("Hộ {number}")))]);
    let person = BTreeMap::from([(1, Value::Ref(key.row(0))), (2, Value::Int(3))]);
    let visit = BTreeMap::from([
        (1, Value::Ref(key.row(0))),
        (3, Value::Text("06838@2025".into())),
        (4, Value::Int(20_000 + (number % 300) as i64)),
        (5, Value::Int(600)),
        (6, Value::Int(630)),
        (7, Value::Int(1)),
        (10, Value::Refs(vec![other.row(1), other.row(2)])),
    ]);
    let service = |outcome: i64| {
        BTreeMap::from([
            (1, Value::Ref(key.row(2))),
            (2, Value::Ref(key.row(1))),
            (3, Value::Text("vneid_level2@1".into())),
            (4, Value::Int(outcome)),
            (8, Value::Text("T1@3".into())),
        ])
    };
    let row = |table, fields| RowOp { table, fields, patch: None };
    let rows = vec![row(1, household), row(2, person), row(4, visit), row(5, service(1)), row(5, service(4))];
    Change { key, stamp: Stamp::at_ms(NOW.unsigned() + number), rows, extras: BTreeMap::new() }.encode()
}

fn frames(phone: &SigningKey, scope: ScopeId, salt: u64, count: u64) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    (0..count)
        .map(|frame| {
            let mut builder = FrameBuilder::new(scope, CURRENT.schema, usize::MAX);
            for number in frame * CHANGES_PER_FRAME..(frame + 1) * CHANGES_PER_FRAME {
                builder.push(&visit(salt, number))?;
            }
            builder.build(phone).ok_or_else(|| "an empty frame".into())
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let count = numbers.next().transpose()?.unwrap_or(200);
    let stride = numbers.next().transpose()?.unwrap_or(50) as usize;
    let folder = tempfile::tempdir()?;
    let hub = Hub::open(folder.path(), Clock::new(|| NOW))?;
    let unit = UnitCode::parse("06838@2025").ok_or("a unit")?;
    let founded_on = CivilDate::from_ymd(2022, 1, 1).ok_or("a day")?;
    let mut scopes = Vec::new();
    for seed in [2, 3] {
        let phone = SigningKey::from_seed(&[seed; 32]);
        let team = NewTeam { name: "Tổ".into(), kind: "hamlet".into(), unit, founded_on, hamlets: vec![] };
        let team = hub.make_team(&team)?;
        let lead = NewMember { name: "Lan".into(), role: Role::Lead, from: founded_on };
        let code = hub.make_code(team.id, hub.add_member(team.id, &lead)?, "http://hub.example")?;
        hub.author.enrol(secret_hash(&code.invite.secret), &phone.public(), NOW)?;
        scopes.push((phone, team.scope));
    }
    let rate = |what: &str, took: Duration| {
        let changes = count * CHANGES_PER_FRAME;
        println!(
            "{what}: {changes} changes in {took:?}, {:.0} a second",
            changes as f64 / took.as_secs_f64()
        );
    };

    let (phone_one, scope) = &scopes[0];
    let made = frames(phone_one, *scope, 0, count)?;
    let start = Instant::now();
    for frame in &made {
        hub.intake.take(frame, NOW)?;
    }
    rate("log", start.elapsed());
    let start = Instant::now();
    hub.project(*scope)?;
    rate("replica and cells at once", start.elapsed());
    let start = Instant::now();
    hub.project(*scope)?;
    println!("cells alone: {:?}, {} cells", start.elapsed(), hub.log.figures(*scope)?.cells.len());

    let (phone_two, scope) = &scopes[1];
    let made = frames(phone_two, *scope, 1 << 40, count)?;
    let start = Instant::now();
    for frames in made.chunks(stride) {
        for frame in frames {
            hub.intake.take(frame, NOW)?;
        }
        hub.project(*scope)?;
    }
    rate("log, replica and cells in strides", start.elapsed());

    let head = hub.log.scope(*scope)?.map_or(0, |state| state.head);
    let mut slowest = Duration::ZERO;
    for step in 0..100 {
        let after = head * step / 100;
        let start = Instant::now();
        hub.log.chain_at(*scope, after)?;
        hub.log.changes_after(*scope, after, 1, 1)?;
        slowest = slowest.max(start.elapsed());
    }
    println!("what is new after a cursor, slowest of 100: {slowest:?}");
    Ok(())
}
