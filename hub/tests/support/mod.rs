//! What the hub's tests stand on: a hub in a folder of its own with one team, and phones that write and sign.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses its part of this; a failure here is a failed test"
)]

pub mod http;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use langso_domain::id::{DeviceId, Key, MemberId, RowId, ScopeId, TeamId, Writer};
use langso_domain::registry::{CURRENT, Role, ScopeKind};
use langso_hub::clock::{Clock, DAY_MS, Millis};
use langso_hub::intake::{Intake, Taken};
use langso_hub::log::{Code, Enrolled, Error, Ingested, Log, Team, Write};
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;

/// 18 November 2026.
pub const NOW: Millis = Millis(1_795_000_000_000);

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.0)))
    }

    pub fn clock(&self) -> Clock {
        let hands = self.0.clone();
        Clock::new(move || Millis(hands.load(Ordering::SeqCst)))
    }

    pub fn forward(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

pub fn table(name: &str) -> u8 {
    CURRENT.named(name).expect("a table").number
}

/// A phone as the hub sees it: a key, a writer per scope, changes in order.
pub struct Phone {
    pub key: SigningKey,
    writer: u64,
    seqs: BTreeMap<u64, u32>,
}

impl Phone {
    pub fn new(seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        Self { writer: u64::from_be_bytes(key.id().0), key, seqs: BTreeMap::new() }
    }

    pub fn id(&self) -> DeviceId {
        self.key.id()
    }

    /// The app starts again: a new writer in every scope.
    pub fn restart(&mut self) {
        self.writer = self.writer.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    }

    pub fn writer(&self, scope: ScopeId) -> Writer {
        Writer(self.writer ^ u64::from_be_bytes(scope.0))
    }

    /// A change with one row in each of these tables.
    pub fn writes(&mut self, scope: ScopeId, tables: &[&str]) -> Change {
        let writer = self.writer(scope);
        let seq = self.seqs.entry(writer.0).or_insert(0);
        *seq += 1;
        let text = Value::Text(format!("Hộ {seq}"));
        change(Key { writer, seq: *seq }, tables, text)
    }

    pub fn frame(&self, scope: ScopeId, changes: &[Change]) -> Vec<u8> {
        frame(&self.key, scope, changes.iter().map(Change::encode))
    }
}

pub fn change(key: Key, tables: &[&str], text: Value) -> Change {
    let row =
        |name: &&str| RowOp { table: table(name), fields: BTreeMap::from([(1, text.clone())]), patch: None };
    let stamp = Stamp(Stamp::at_ms(NOW.unsigned()).0 + u64::from(key.seq));
    Change { key, stamp, rows: tables.iter().map(row).collect(), extras: BTreeMap::new() }
}

pub fn frame(key: &SigningKey, scope: ScopeId, changes: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut builder = FrameBuilder::new(scope, CURRENT.schema, usize::MAX);
    changes.into_iter().for_each(|bytes| builder.push(&bytes).unwrap());
    builder.build(key).unwrap()
}

/// The scopes of the one team, fixed so that a failure reads well.
pub const TEAM_SCOPE: ScopeId = ScopeId(*b"team-001");
pub const TRAINING: ScopeId = ScopeId(*b"train-01");
pub const PLACE: ScopeId = ScopeId(*b"place-01");

pub fn team_id() -> TeamId {
    TeamId(Key { writer: Writer(1), seq: 1 }.row(0))
}

pub fn member_id(place: u8) -> MemberId {
    MemberId(RowId(Key { writer: Writer(1), seq: 2 }.row(place).0))
}

/// A log with the hub and one team in its directory.
pub fn seeded(log: &Log, hub: &SigningKey) {
    log.add_hub(hub.id(), hub.public().to_bytes(), NOW).unwrap();
    let team = Team {
        id: team_id(),
        scope: TEAM_SCOPE,
        training: TRAINING,
        unit: "06838@2025".into(),
        name: "Thôn Ngàn Chi".into(),
    };
    let mut writes = vec![
        Write::Scope(TEAM_SCOPE, ScopeKind::Team),
        Write::Scope(TRAINING, ScopeKind::Training),
        Write::Scope(PLACE, ScopeKind::Place),
        Write::Team(team),
        Write::Place("06838".into(), PLACE),
    ];
    writes.extend([TEAM_SCOPE, TRAINING, PLACE].map(|scope| Write::Hold(team_id(), scope)));
    log.commit(hub.id(), &writes, NOW).unwrap();
}

/// Makes a code and uses it.
pub fn enrol(log: &Log, hub: &SigningKey, phone: &Phone, role: Role) {
    let secret_hash = phone.key.public().to_bytes();
    let member = member_id(phone.id().0[0]);
    let code = Code { secret_hash, team: team_id(), member, role, expires_at: NOW.plus(3 * DAY_MS) };
    let mut writes = vec![Write::Code(code)];
    if role == Role::Trainer {
        writes.push(Write::Train(member, team_id()));
    }
    log.commit(hub.id(), &writes, NOW).unwrap();
    let enrolled = use_code(log, secret_hash, phone, NOW);
    assert!(matches!(enrolled, Enrolled::Yes(_)), "{enrolled:?}");
}

pub fn use_code(log: &Log, secret_hash: [u8; 32], phone: &Phone, now: Millis) -> Enrolled {
    let public_key = phone.key.public().to_bytes();
    let row = Key { writer: Writer(2), seq: 1 }.row(0);
    log.enrol(secret_hash, phone.id(), public_key, now, |_, _| Ok::<_, Error>((row, vec![]))).unwrap()
}

/// A hub without HTTP: a log in a folder and the way into it.
pub struct Hub {
    pub folder: tempfile::TempDir,
    pub log: Arc<Log>,
    pub intake: Intake,
    pub key: SigningKey,
}

impl Hub {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::from_seed(&[200; 32]);
        let log = Arc::new(Log::open(&folder.path().join("hub.db"), &CURRENT).unwrap());
        seeded(&log, &key);
        let intake = Intake::new(log.clone(), key.public());
        Self { folder, log, intake, key }
    }

    pub fn phone(&self, seed: u8, role: Role) -> Phone {
        let phone = Phone::new(seed);
        enrol(&self.log, &self.key, &phone, role);
        phone
    }

    pub fn takes(&self, frame: &[u8]) -> Ingested {
        match self.intake.take(frame, NOW).unwrap() {
            Taken::Kept(_, ingested) => ingested,
            Taken::Refused(why) => panic!("refused: {why:?}"),
        }
    }

    pub fn head(&self, scope: ScopeId) -> u64 {
        self.log.scope(scope).unwrap().unwrap().head
    }
}
