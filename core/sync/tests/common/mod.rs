//! What the tests of the wire share: keys, a team's visits as they are really written, and a hub with its log in
//! memory.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};

use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::{Change, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::frame::{FrameBuilder, FrameError, Outer};
use langso_sync::keys::{PublicKey, SigningKey};
use langso_sync::session::hub::{Entry, HeldIndex, Serving, receipts};
use langso_sync::session::{Pace, Setup};
use langso_sync::value::Value;
use langso_sync::wire::*;

pub const TEAM: ScopeId = ScopeId(*b"team\0\0\0\x01");
pub const TRAINING: ScopeId = ScopeId(*b"train\0\0\x01");
pub const SCHEMA: u16 = 1;

pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

/// A session of the first device at the beginning of these scopes, without any bound.
pub fn setup(scopes: &[ScopeId]) -> Setup {
    Setup {
        hub: key(200).public(),
        device: key(1).id(),
        schema: SCHEMA,
        app: "langso 0.1.0".to_owned(),
        nonce: Nonce::default(),
        cursors: scopes.iter().map(|scope| (*scope, Cursor::start(*scope))).collect(),
        pace: Pace::default(),
        max_bytes: u64::MAX,
        max_frame: u32::MAX,
    }
}

/// What a request says before its frames.
pub fn hello(body: &[u8]) -> Hello {
    let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
    reader.push(body).unwrap();
    loop {
        if let RequestEvent::Hello(hello) = reader.next_event().unwrap().expect("a hello") {
            return hello;
        }
    }
}

/// Numbers that look random and never change.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn row(table: u8, fields: Vec<(u8, Value)>) -> RowOp {
    RowOp { table, fields: fields.into_iter().collect(), patch: None }
}

/// Visits as a team writes them: a new writer every five, nearly half with a new household.
pub fn visits(count: usize, seed: u64) -> Vec<Change> {
    let mut dice = Dice(seed);
    let foreign = |dice: &mut Dice| {
        Key { writer: Writer(dice.next()), seq: dice.below(40) as u32 + 1 }.row(dice.below(3) as u8)
    };
    let member: RowId = foreign(&mut dice);
    let hamlets: Vec<RowId> = (0..6).map(|_| foreign(&mut dice)).collect();
    let homes: Vec<RowId> = (0..40).map(|_| foreign(&mut dice)).collect();
    let code = |text: &str| Value::Text(text.to_owned());
    let mut writer = Writer(0);
    let mut minute = 0;
    (0..count)
        .map(|at| {
            if at % 5 == 0 {
                writer = Writer(dice.next());
                minute = 480;
            }
            let own = Key { writer, seq: at as u32 % 5 + 1 };
            let hamlet = Value::Ref(hamlets[dice.below(6) as usize]);
            let day = Value::Int(20_454 + at as i64 / 10);
            let mut rows = Vec::new();
            let mut home = Value::Ref(homes[dice.below(40) as usize]);
            if dice.below(100) < 45 {
                home = Value::Ref(own.row(0));
                rows.push(row(1, vec![(1, code(&format!("Hộ {}", at + 1))), (2, hamlet.clone())]));
                rows.push(row(
                    3,
                    vec![
                        (1, home.clone()),
                        (2, code("consent@1")),
                        (3, Value::Int(1)),
                        (4, Value::Ref(member)),
                        (5, day.clone()),
                        (6, Value::Int(1)),
                    ],
                ));
                for _ in 0..dice.below(3) + 1 {
                    let fields = [4, 2, 3, 3, 2].map(|end| Value::Int(dice.below(end) as i64));
                    let mut fields: Vec<_> = (2..).step_by(1).zip(fields).collect();
                    fields.remove(1);
                    fields.push((1, home.clone()));
                    rows.push(row(2, fields));
                }
            }
            let visit = own.row(rows.len() as u8);
            minute += 15 * (1 + dice.below(4) as i64);
            rows.push(row(
                4,
                vec![
                    (1, home),
                    (2, hamlet),
                    (3, code("06838@2025")),
                    (4, day),
                    (5, Value::Int(minute)),
                    (6, Value::Int(minute + 30)),
                    (7, Value::Int(1)),
                    (8, Value::Int(dice.below(3) as i64)),
                    (9, Value::Int(dice.below(4) as i64)),
                    (10, Value::Refs(vec![member])),
                ],
            ));
            for _ in 0..1 + dice.below(10) / 4 {
                let service = 1 + dice.below(6);
                rows.push(row(
                    5,
                    vec![
                        (1, Value::Ref(visit)),
                        (3, code(&format!("T{service}"))),
                        (4, Value::Int(dice.below(5) as i64)),
                        (6, Value::Int(1)),
                        (8, code(&format!("T{service}@1"))),
                    ],
                ));
            }
            let stamp = Stamp::at_ms(1_767_240_000_000 + at as u64 * 2_400_000 + dice.below(900_000));
            Change { key: own, stamp, rows, extras: BTreeMap::new() }
        })
        .collect()
}

pub fn own_frame(key: &SigningKey, changes: &[Change]) -> Vec<u8> {
    let mut builder = FrameBuilder::new(TEAM, SCHEMA, usize::MAX);
    changes.iter().for_each(|change| builder.push(&change.encode()).unwrap());
    builder.build(key).unwrap()
}

#[derive(Clone)]
pub struct LogRow {
    pub key: Key,
    pub author: DeviceId,
    pub bytes: Vec<u8>,
    pub chain: Chain,
}

/// A hub that keeps its log in memory.
pub struct Hub {
    pub key: SigningKey,
    pub devices: HashMap<DeviceId, PublicKey>,
    pub log: BTreeMap<ScopeId, Vec<LogRow>>,
    pub known: HashMap<Key, Vec<u8>>,
    pub nonce: Nonce,
    /// Bytes of changes that came although they were there.
    pub twice: usize,
    pub max_frame: usize,
    pub joined: Vec<(ScopeId, i64)>,
    pub watermarks: bool,
}

impl Hub {
    pub fn new(devices: &[&SigningKey]) -> Self {
        Self {
            key: key(200),
            devices: devices.iter().map(|key| (key.id(), key.public())).collect(),
            log: BTreeMap::new(),
            known: HashMap::new(),
            nonce: Nonce::from_bytes(&[7; 18]).unwrap(),
            twice: 0,
            max_frame: 64 * 1024,
            joined: Vec::new(),
            watermarks: false,
        }
    }

    pub fn head(&self, scope: ScopeId) -> Cursor {
        let log = self.log.get(&scope).map_or(&[][..], Vec::as_slice);
        let chain = log.last().map_or(Chain::start(scope), |row| row.chain);
        Cursor { position: log.len() as u64, chain }
    }

    pub fn enter(&mut self, scope: ScopeId, author: DeviceId, key: Key, bytes: &[u8]) {
        if let Some(known) = self.known.get(&key) {
            assert_eq!(known, bytes);
            self.twice += bytes.len();
            return;
        }
        let chain = self.head(scope).chain.then(key);
        self.known.insert(key, bytes.to_vec());
        self.log.entry(scope).or_default().push(LogRow { key, author, bytes: bytes.to_vec(), chain });
    }

    /// Rolls back as a restored backup does.
    pub fn roll_back(&mut self, scope: ScopeId, length: usize) {
        let log = self.log.get_mut(&scope).unwrap();
        for row in log.drain(length..) {
            self.known.remove(&row.key);
        }
    }

    fn take(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        let outer = Outer::whole(frame)?;
        let own = (outer.key_id() == self.key.id()).then(|| self.key.public());
        let key = own.or(self.devices.get(&outer.key_id()).copied()).ok_or(FrameError::Signature)?;
        outer.verify(&key)?;
        let frame = outer.open()?;
        for change in frame.changes() {
            self.enter(frame.header.scope, change.author, change.head.key, change.bytes);
        }
        Ok(())
    }

    /// What has arrived of a body is committed frame by frame; only a whole one is answered.
    pub fn post(&mut self, body: &[u8], arrives: usize) -> Option<Vec<u8>> {
        let mut reader = RequestReader::new(MAX_REQUEST_BYTES as u64);
        let mut hello = None;
        for chunk in body[..arrives.min(body.len())].chunks(1_000) {
            reader.push(chunk).unwrap();
            while let Some(event) = reader.next_event().unwrap() {
                match event {
                    RequestEvent::Auth(_) => {}
                    RequestEvent::Hello(said) => hello = Some(said),
                    RequestEvent::Frame(frame) => self.take(&frame).unwrap(),
                }
            }
        }
        let sealed = reader.finish().ok()?;
        // A body cut right between two frames looks whole, and is not the one that was signed.
        sealed.verify(&self.devices[&sealed.auth.key_id]).ok()?;
        if sealed.auth.nonce != self.nonce {
            let body = ProblemBody { problem: Problem::StaleNonce, hub_time_ms: 5, nonce: Some(self.nonce) };
            return Some(body.encode());
        }
        Some(self.reply(&hello?, sealed.question()))
    }

    fn knows(&self, scope: ScopeId, cursor: Cursor) -> bool {
        let at = match cursor.position.checked_sub(1) {
            None => Some(Chain::start(scope)),
            Some(at) => self.log.get(&scope).and_then(|log| log.get(at as usize)).map(|row| row.chain),
        };
        at == Some(cursor.chain)
    }

    fn reply(&self, hello: &Hello, question: Question) -> Vec<u8> {
        let held = HeldIndex::new(&hello.held);
        let hub_time_ms = 1_767_250_000_000;
        let mut head = ReplyHead { hub_time_ms, nonce: self.nonce, question, ..Default::default() };
        let (mut frames, mut end) = (Vec::new(), Ended::default());
        let mut room = MAX_RANGES;
        let mut serve = Vec::new();
        for (at, (scope, cursor)) in hello.cursors.iter().enumerate() {
            let mut from = *cursor;
            if !self.knows(*scope, from) {
                let marks = hello.marks.iter().filter(|mark| mark.scope == at).map(|mark| mark.cursor);
                match marks.into_iter().find(|mark| self.knows(*scope, *mark)) {
                    Some(mark) => {
                        head.resumed.push((at, mark));
                        from = mark;
                    }
                    None => {
                        head.problems.push(Problem::CursorUnknown(*scope));
                        continue;
                    }
                }
            }
            let log = self.log.get(scope).map_or(&[][..], Vec::as_slice);
            let rows = (1..).zip(log).skip(from.position as usize);
            let got = receipts(at, |key| held.place(key), rows.map(|(at, row)| (at, row.key)), &mut room);
            serve.push((*scope, from, got.ranges.clone()));
            if !got.ranges.is_empty() {
                head.receipts.push(got);
            }
            if self.watermarks {
                head.watermarks.push((at, self.head(*scope).position));
            }
        }
        for (scope, kind) in &self.joined {
            if hello.cursors.iter().all(|(known, _)| known != scope) {
                head.joined.push((*scope, *kind));
            }
        }
        let most = (hello.max_frame as usize).min(self.max_frame);
        let mut bytes = head.encode();
        for (scope, from, ranges) in &serve {
            let log = self.log.get(scope).map_or(&[][..], Vec::as_slice);
            let mut serving = Serving::new(*scope, SCHEMA, *from, ranges, &hello.held);
            loop {
                serving.pass_receipts();
                let position = serving.cursor().position + 1;
                let Some(row) = log.get(serving.cursor().position as usize) else { break };
                let ahead: usize = frames.iter().map(Vec::len).sum::<usize>() + bytes.len();
                if ahead + serving.pending_bytes() > hello.max_bytes as usize {
                    end.more = true;
                    break;
                }
                let entry = Entry { position, key: row.key, author: row.author, bytes: &row.bytes };
                if !serving.push(entry, most).unwrap() {
                    frames.extend(serving.flush(&self.key));
                }
            }
            frames.extend(serving.flush(&self.key));
            if serving.cursor() != *from {
                end.cursors.push((*scope, serving.cursor()));
            }
        }
        frames.iter().for_each(|frame| bytes.extend(frame));
        bytes.extend(end.encode());
        bytes
    }
}
