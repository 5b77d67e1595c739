//! A small hub around the real session: a log by scope with dense positions and chain, receipts, roles, and what is
//! set aside. It writes rosters itself, from a cache made of its own log by the same store.
//!
mod backup;
mod serve;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_domain::registry::{CURRENT, Role, ScopeKind, VOID};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::{self, ChangeHash};
use langso_sync::frame::{Frame, FrameError, Outer};
use langso_sync::keys::{PublicKey, SigningKey};
use langso_sync::state::StateFrame;
use langso_sync::value::Value;

use crate::broken::{Broken, Promise, Result};
use crate::content::{self, Rows, Who};
use crate::dice::Dice;
use crate::handset::skewed;
use crate::pen::{HeldScope, Moment, Pen, Saving};
use crate::phone::decoded;
use crate::pool::File;
use crate::rule::Rule;

/// One row of the log.
#[derive(Debug, Clone)]
pub(crate) struct LogRow {
    pub key: Key,
    pub author: DeviceId,
    pub bytes: Rc<[u8]>,
    pub chain: Chain,
    /// Whether anybody sees it yet: always, but in a run that numbers by a sequence.
    pub is_committed: bool,
}

/// The log of one scope.
#[derive(Debug)]
pub(crate) struct ScopeLog {
    pub scope: ScopeId,
    pub kind: ScopeKind,
    pub rows: Vec<LogRow>,
    /// Up to where a backup has been read back.
    pub watermark: u64,
    /// How far the cache has taken it in.
    cached: usize,
}

/// What waits for the lead.
#[derive(Debug, Clone)]
struct Aside {
    scope: ScopeId,
    key: Key,
    device: DeviceId,
    bytes: Rc<[u8]>,
}

/// A device that has enrolled.
#[derive(Debug, Clone)]
struct Device {
    key: PublicKey,
    role: Role,
    /// Scopes that it is given later on.
    without: BTreeSet<ScopeId>,
    /// Scopes that it has left, and when.
    left: BTreeMap<ScopeId, u64>,
    is_revoked: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    pub key: SigningKey,
    pub logs: Vec<ScopeLog>,
    pub skew_ms: i64,
    pub rule: Option<Rule>,
    /// Frames kept since the last look.
    frames: u64,
    devices: BTreeMap<DeviceId, Device>,
    /// Where each key lies, and the hash of its author's bytes.
    places: HashMap<Key, (ScopeId, u64, ChangeHash)>,
    /// A writer is bound to one device in one scope.
    bound: HashMap<Writer, (ScopeId, DeviceId)>,
    aside: Vec<Aside>,
    /// Keys that came with other bytes than the log holds.
    pub collisions: Vec<Key>,
    copies: Vec<backup::HubCopy>,
    cache: File,
    held: Vec<HeldScope>,
    pen: Pen,
    device: DeviceId,
}

impl Hub {
    pub fn new(
        key: SigningKey,
        scopes: [(ScopeId, ScopeKind); 2],
        cache: File,
        skew_ms: i64,
    ) -> Result<Self> {
        let mut hub = Self {
            device: key.id(),
            key,
            logs: Vec::new(),
            skew_ms,
            rule: None,
            frames: 0,
            devices: BTreeMap::new(),
            places: HashMap::new(),
            bound: HashMap::new(),
            aside: Vec::new(),
            collisions: Vec::new(),
            copies: Vec::new(),
            cache,
            held: Vec::new(),
            pen: Pen::default(),
        };
        let mut batch = hub.cache.replica.begin()?;
        for (scope, kind) in scopes {
            let number = batch.add_scope(scope, kind)?;
            hub.held.push(HeldScope { kind: kind as i64, number, scope });
            hub.logs.push(ScopeLog { scope, kind, rows: Vec::new(), watermark: 0, cached: 0 });
        }
        batch.commit()?;
        Ok(hub)
    }

    pub fn enrol(&mut self, key: PublicKey, role: Role) {
        let id = langso_sync::keys::device_id(&key);
        self.devices.insert(
            id,
            Device { key, role, without: BTreeSet::new(), left: BTreeMap::new(), is_revoked: false },
        );
    }

    /// Whether a device has a scope now.
    fn has(&self, scope: ScopeId, device: DeviceId) -> bool {
        let lacks = |device: &Device| device.without.contains(&scope) || device.left.contains_key(&scope);
        let has = |device: &Device| !device.is_revoked && !lacks(device);
        self.devices.get(&device).is_some_and(has)
    }

    /// A device has a scope from later on.
    pub fn withhold(&mut self, device: DeviceId, scope: ScopeId) {
        self.devices.entry(device).and_modify(|device| device.without.extend([scope]));
    }

    /// A device is given every scope of its role.
    pub fn give(&mut self, device: DeviceId) {
        self.devices.entry(device).and_modify(|device| {
            device.without.clear();
            device.left.clear();
        });
    }

    /// The member of a device leaves a scope that it has; false when there is nothing to leave.
    pub fn leave(&mut self, device: DeviceId, scope: ScopeId, now_ms: u64) -> bool {
        let may_read = self.log(scope).is_some_and(|log| self.may_read(log, device));
        let at_ms = self.moment(now_ms).ms;
        let Some(device) = self.devices.get_mut(&device).filter(|_| may_read) else { return false };
        device.left.insert(scope, at_ms);
        true
    }

    /// Scopes that a device has left.
    pub fn left(&self, device: DeviceId) -> impl Iterator<Item = ScopeId> {
        self.devices.get(&device).into_iter().flat_map(|device| device.left.keys().copied())
    }

    /// Whether a device may no longer sync.
    pub fn is_revoked(&self, device: DeviceId) -> bool {
        self.devices.get(&device).is_some_and(|device| device.is_revoked)
    }

    /// A device is revoked, or no longer.
    pub fn revoke(&mut self, device: DeviceId, is_revoked: bool) {
        self.devices.entry(device).and_modify(|device| device.is_revoked = is_revoked);
    }

    /// The key behind a name, and whether it is the hub's own.
    pub fn signer(&self, id: DeviceId) -> Option<(PublicKey, bool)> {
        if id == self.device {
            return Some((self.key.public(), true));
        }
        self.devices.get(&id).map(|device| (device.key, false))
    }

    pub fn into_cache(self) -> File {
        self.cache
    }

    fn moment(&self, now_ms: u64) -> Moment {
        Moment { ms: skewed(now_ms, self.skew_ms), is_sure: true }
    }

    pub fn log(&self, scope: ScopeId) -> Option<&ScopeLog> {
        self.logs.iter().find(|log| log.scope == scope)
    }

    /// The position of a change in the log.
    pub fn position(&self, key: Key) -> Option<u64> {
        self.places.get(&key).map(|(_, position, _)| *position)
    }

    /// Whether the hub keeps the change at all.
    pub fn keeps(&self, key: Key) -> bool {
        self.places.contains_key(&key) || self.aside.iter().any(|aside| aside.key == key)
    }

    /// The process is killed: the log is on the disk, the pen is gone.
    pub fn restart(&mut self) -> Result {
        self.pen = Pen::default();
        let mut batch = self.cache.replica.begin()?;
        for held in &self.held {
            let log = self.logs.iter().find(|log| log.scope == held.scope);
            let own = log.into_iter().flat_map(|log| &log.rows).filter(|row| row.author == self.device);
            let mut last: BTreeMap<Writer, u32> = BTreeMap::new();
            for row in own {
                last.insert(row.key.writer, row.key.seq);
            }
            for (writer, seq) in last {
                batch.end_writer(writer, seq)?;
            }
        }
        Ok(batch.commit()?)
    }

    /// Keeps what is whole and true of a frame.
    fn ingest(&mut self, bytes: &[u8]) -> bool {
        let Ok(outer) = Outer::whole(bytes) else { return false };
        if outer.key_id() == self.device {
            return self.take_back(outer);
        }
        let Some(device) = self.devices.get(&outer.key_id()) else { return false };
        if outer.verify(&device.key).is_err() {
            return false;
        }
        let (signer, role) = (outer.key_id(), device.role);
        match outer.open() {
            Ok(frame) => self.keep(&frame, signer, role),
            Err(_) => return false,
        }
        self.frames += 1;
        true
    }

    /// A frame that this hub has signed itself, before it lost what it holds: who wrote it was judged then.
    fn take_back(&mut self, outer: Outer<'_>) -> bool {
        if outer.verify(&self.key.public()).is_err() {
            return false;
        }
        let Ok(frame) = outer.open() else { return false };
        for came in frame.changes() {
            let is_bound = self.bind(frame.header.scope, came.head.key.writer, came.author);
            if is_bound && !self.is_known(came.head.key, came.bytes) {
                self.append(frame.header.scope, came.head.key, came.author, came.bytes.into());
            }
        }
        self.frames += 1;
        true
    }

    /// Whether the log has the change; the same key with other bytes is noted.
    fn is_known(&mut self, key: Key, bytes: &[u8]) -> bool {
        let Some((_, _, known)) = self.places.get(&key) else { return false };
        if *known != change::hash(bytes) {
            self.collisions.push(key);
        }
        true
    }

    /// How many frames were kept since the last look.
    pub fn take_frame_count(&mut self) -> u64 {
        std::mem::take(&mut self.frames)
    }

    fn keep(&mut self, frame: &Frame, signer: DeviceId, role: Role) {
        let scope = frame.header.scope;
        for came in frame.changes() {
            let (key, bytes) = (came.head.key, came.bytes);
            if self.is_known(key, bytes) {
                continue;
            }
            if self.has(scope, signer)
                && self.may_write(scope, role, bytes)
                && self.bind(scope, key.writer, signer)
            {
                self.append(scope, key, signer, bytes.into());
            } else if !self.keeps(key) && self.rule != Some(Rule::SetAsideIsADelay) {
                self.aside.push(Aside { scope, key, device: signer, bytes: bytes.into() });
            }
        }
    }

    /// Tables that this hub does not know are a newer program's.
    fn may_write(&self, scope: ScopeId, role: Role, bytes: &[u8]) -> bool {
        let (Some(log), Ok(change)) = (self.log(scope), decoded(bytes)) else { return false };
        change.rows.iter().all(|row| match CURRENT.table(row.table) {
            Some(table) => table.scope == log.kind && table.writers.has(role),
            None => role != Role::Trainer || log.kind == ScopeKind::Training,
        })
    }

    fn bind(&mut self, scope: ScopeId, writer: Writer, device: DeviceId) -> bool {
        *self.bound.entry(writer).or_insert((scope, device)) == (scope, device)
    }

    fn append(&mut self, scope: ScopeId, key: Key, author: DeviceId, bytes: Rc<[u8]>) {
        let hash = change::hash(&bytes);
        let Some(log) = self.logs.iter_mut().find(|log| log.scope == scope) else { return };
        let chain = log.head().chain.then(key);
        let is_committed = self.rule != Some(Rule::CounterInItsTransaction) || !key.seq.is_multiple_of(4);
        log.rows.push(LogRow { key, author, bytes, chain, is_committed });
        self.places.insert(key, (scope, log.rows.len() as u64, hash));
    }

    /// The lead admits the oldest of what is set aside.
    pub fn admit(&mut self) -> Option<Key> {
        if self.aside.is_empty() {
            return None;
        }
        let aside = self.aside.remove(0);
        if !self.places.contains_key(&aside.key) && self.bind(aside.scope, aside.key.writer, aside.device) {
            self.append(aside.scope, aside.key, aside.device, aside.bytes);
        }
        Some(aside.key)
    }

    /// The lead admits the oldest of what is set aside together with a change of the hub that strikes out the rows it
    /// makes.
    pub fn admit_and_void(&mut self, now_ms: u64, writers: &mut Dice) -> Result<Option<Key>> {
        let Some(bytes) = self.aside.first().map(|aside| aside.bytes.clone()) else { return Ok(None) };
        let key = self.admit();
        let Some(key) = key.filter(|key| self.places.contains_key(key)) else { return Ok(key) };
        let change = decoded(&bytes)?;
        let made: Vec<(u8, RowId)> = (0..)
            .zip(&change.rows)
            .filter(|(_, row)| row.patch.is_none())
            .map(|(place, row)| (row.table, change.key.row(place)))
            .collect();
        self.write_with(now_ms, writers, |saving| {
            for (table, id) in made {
                saving.patch(table, id, BTreeMap::from([(VOID, Value::Bool(true))]))?;
            }
            Ok(())
        })?;
        Ok(Some(key))
    }

    /// The hub writes something itself, as a phone does: a roster row, or an edit of what its cache shows.
    pub fn write(
        &mut self,
        now_ms: u64,
        rows: &Rows,
        dice: &mut Dice,
        writers: &mut Dice,
    ) -> Result<Vec<(u8, RowId)>> {
        self.write_with(now_ms, writers, |saving| {
            content::write(saving, dice, rows, Who { role: Role::Hub, newer: false })
        })
    }

    fn write_with(
        &mut self,
        now_ms: u64,
        writers: &mut Dice,
        write: impl FnOnce(&mut Saving<'_, '_>) -> Result,
    ) -> Result<Vec<(u8, RowId)>> {
        self.catch_up(now_ms)?;
        let now = self.moment(now_ms);
        let registry = self.cache.replica.schema().registry;
        let mut batch = self.cache.replica.begin()?;
        let mut saving = self.pen.begin(&mut batch, registry, &self.held, self.device, (writers, None));
        write(&mut saving)?;
        let written = saving.finish(now)?;
        batch.commit()?;
        for (held, change, bytes) in written.changes {
            self.bind(held.scope, change.key.writer, self.device);
            self.append(held.scope, change.key, self.device, bytes.into());
        }
        Ok(written.rows)
    }

    /// Brings the cache up to the log.
    pub fn catch_up(&mut self, now_ms: u64) -> Result {
        let now = self.moment(now_ms);
        let mut batch = self.cache.replica.begin()?;
        for log in &mut self.logs {
            for row in &log.rows[log.cached..] {
                let change = decoded(&row.bytes)?;
                batch.apply(log.scope, row.author, &change)?;
                self.pen.clock.adopt(now.ms, change.stamp);
            }
            log.cached = log.rows.len();
            let head = log.head();
            batch.set_cursor(log.scope, head.position, head.chain.0)?;
        }
        Ok(batch.commit()?)
    }

    /// The cache, for comparing.
    pub fn cache(&mut self, now_ms: u64) -> Result<&mut File> {
        self.catch_up(now_ms)?;
        Ok(&mut self.cache)
    }

    /// A scope as its snapshot, in frames that this hub has signed.
    pub fn snapshot(&mut self, scope: ScopeId, body_bytes: usize, now_ms: u64) -> Result<Vec<StateFrame>> {
        self.catch_up(now_ms)?;
        let mut batch = self.cache.replica.begin()?;
        for log in self.logs.iter().filter(|log| log.scope == scope) {
            for row in log.rows.iter().filter(|row| row.author == self.device) {
                batch.note_own(row.key)?;
            }
        }
        batch.commit()?;
        let mut bodies = Vec::new();
        let keep = |body| {
            bodies.push(body);
            Ok::<_, Broken>(())
        };
        let of = self.cache.replica.export(scope, body_bytes, keep)?;
        let schema = self.cache.replica.schema().registry.schema;
        let count = bodies.len() as u32;
        let wrong = |error: FrameError| Promise::NoError.broken(format!("a snapshot: {error}"));
        let mut frames = Vec::new();
        for (body, at) in bodies.iter().zip(0..) {
            let bytes = body.seal(&self.key, (scope, schema), of, (at, count));
            frames.push(StateFrame::open(&Outer::whole(&bytes).map_err(wrong)?).map_err(wrong)?);
        }
        Ok(frames)
    }

    /// Every key that came with other bytes than the log holds is work that nobody can bring in.
    pub fn check(&self) -> Result {
        match self.collisions.first() {
            Some(key) => {
                let count = self.collisions.len();
                Err(Promise::NothingLost.broken_often(count, format!("{key} names two changes")))
            }
            None => Ok(()),
        }
    }
}

impl ScopeLog {
    pub fn head(&self) -> Cursor {
        let chain = self.rows.last().map_or(Chain::start(self.scope), |row| row.chain);
        Cursor { position: self.rows.len() as u64, chain }
    }

    pub fn knows(&self, cursor: Cursor, rule: Option<Rule>) -> bool {
        if rule == Some(Rule::ChainKnown) {
            return cursor.position <= self.rows.len() as u64;
        }
        match cursor.position.checked_sub(1) {
            None => cursor == Cursor::start(self.scope),
            Some(at) => self.rows.get(at as usize).is_some_and(|row| row.chain == cursor.chain),
        }
    }
}
