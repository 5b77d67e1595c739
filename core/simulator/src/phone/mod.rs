//! A small phone around the real replica: what it keeps on its disk beside the rows, its journal, its process.
//!
//! It does what `core/device` does, with the disk in memory: rows and outbox in one transaction, then the journal;
//! every event of a session in a transaction of its own. What a process knows is lost with it.

mod kept;
mod leave;
mod line;
mod outbox;
mod save;
mod state;
mod taught;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_domain::registry::ScopeKind;
use langso_sync::change::Change;
use langso_sync::clock::{Clock, Stamp};
use langso_sync::frame::{FrameBuilder, FrameError, Outer};
use langso_sync::keys::{PublicKey, SigningKey};
use langso_sync::session::Session;
use langso_sync::wire::{Held, Nonce};

use crate::broken::{Promise, Result};
use crate::content::Who;
use crate::handset::{Handset, HubTime};
use crate::pen::{HeldScope, Moment, Pen};
use crate::pool::{Copy, File};
use crate::rule::Rule;

pub(crate) use kept::Frames;
pub(crate) use line::{Line, Taken, Taking};
pub(crate) use outbox::{Entry, Outbox};
pub(crate) use save::Fate;
pub(crate) use taught::Highest;

/// What lies on the disk beside the rows, written in the same transactions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub outbox: Outbox,
    /// What others wrote, as it came.
    pub frames: Frames,
    /// Scopes of which it has taken a snapshot: of some rows there it keeps no change that it could offer again.
    pub by_snapshot: BTreeSet<ScopeId>,
    /// Scopes that the last whole sync said were left.
    left: BTreeSet<ScopeId>,
    nonce: Nonce,
    pace: u32,
    hub_time: Option<HubTime>,
    last_stamp: Stamp,
    /// What a program without gaps would remember.
    highest: Highest,
    /// Numbers of the writers, which no real program keeps.
    numbers: Vec<(ScopeId, Writer, u32)>,
}

/// A record of the journal.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    scope: ScopeId,
    key: Key,
    bytes: Rc<[u8]>,
}

/// All that a backup program would copy of a phone.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    rows: Copy,
    disk: Disk,
    journal: Vec<Record>,
}

/// One member's folder on one telephone, and the process that has it open.
#[derive(Debug)]
pub(crate) struct Phone {
    pub key: Rc<SigningKey>,
    pub device: DeviceId,
    pub who: Who,
    pub handset: usize,
    pub file: File,
    pub disk: Disk,
    pub journal: Vec<Record>,
    pub line: Line,
    pub session: Option<Session>,
    /// The last session ended because its bytes were spent.
    pub is_spent: bool,
    pub pen: Pen,
    /// How many scopes it has dropped since the last look.
    pub dropped: u64,
    scopes: Vec<HeldScope>,
    /// Scopes that this session has heard were left.
    heard_left: BTreeSet<ScopeId>,
}

impl Phone {
    pub fn new(key: Rc<SigningKey>, who: Who, handset: usize, file: File) -> Self {
        Self {
            device: key.id(),
            key,
            who,
            handset,
            file,
            disk: Disk::default(),
            journal: Vec::new(),
            line: Line::Idle,
            session: None,
            is_spent: false,
            pen: Pen::default(),
            dropped: 0,
            scopes: Vec::new(),
            heard_left: BTreeSet::new(),
        }
    }

    /// The time of now, as this phone knows it.
    pub fn moment(&self, handset: &Handset, now_ms: u64) -> Moment {
        let (ms, is_sure) = handset.time(now_ms, self.disk.hub_time.as_ref());
        Moment { ms, is_sure }
    }

    /// The scopes it holds.
    pub fn scopes(&self) -> &[HeldScope] {
        &self.scopes
    }

    /// Takes scopes in, as the answer to an enrolment or a reply names them.
    pub fn join(&mut self, scopes: &[(ScopeId, ScopeKind)]) -> Result {
        let mut batch = self.file.replica.begin()?;
        for (scope, kind) in scopes {
            batch.add_scope(*scope, *kind)?;
        }
        batch.commit()?;
        self.reload_scopes()
    }

    fn reload_scopes(&mut self) -> Result {
        let held = self.file.replica.scopes()?;
        let held = held.iter().map(|of| HeldScope { kind: of.kind, number: of.number, scope: of.scope });
        self.scopes = held.collect();
        Ok(())
    }

    /// Own writers with a change that has no position, or one above the cursor.
    fn held(&self) -> Vec<Held> {
        let mut at = HashMap::new();
        let mut held: Vec<Held> = Vec::new();
        for entry in self.disk.outbox.open() {
            let index = *at.entry(entry.key.writer).or_insert_with(|| {
                held.push(Held { writer: entry.key.writer, upto: 0 });
                held.len() - 1
            });
            held[index].upto = held[index].upto.max(entry.key.seq);
        }
        held
    }

    /// Every change of its own that its disk still holds, in the database or in the journal.
    pub fn own_keys(&self) -> BTreeSet<Key> {
        let written = self.disk.outbox.all().iter().map(|entry| entry.key);
        written.chain(self.journal.iter().map(|record| record.key)).collect()
    }

    /// What its journal has and its database lacks.
    pub fn unheard(&self) -> impl Iterator<Item = Key> {
        self.journal.iter().map(|record| record.key).filter(|key| !self.disk.outbox.has(*key))
    }

    /// How many changes wait for a position and have somewhere to go.
    pub fn waiting(&self) -> usize {
        self.disk.outbox.open().filter(|entry| entry.position.is_none()).count()
    }

    /// A new process opens the folder: holds database and journal against each other, ends the writers of the
    /// processes before it. Gives how many changes the database had lost.
    pub fn restart(&mut self, rule: Option<Rule>) -> Result<usize> {
        self.line = Line::Idle;
        self.session = None;
        self.pen = Pen::default();
        self.reload_scopes()?;
        let mut last: HashMap<Writer, u32> = HashMap::new();
        for entry in self.disk.outbox.all() {
            let of = last.entry(entry.key.writer).or_default();
            *of = entry.key.seq.max(*of);
        }
        self.append_missing();
        if rule == Some(Rule::NewWriterAfterRestart) {
            self.pen.resume(&self.disk.numbers);
        }
        let found = self.reconcile(&last, rule)?;
        let newest = self.disk.outbox.all().iter().rev().take(2).map(|entry| entry.stamp).max();
        self.pen.clock = Clock::after(self.disk.last_stamp.max(newest.unwrap_or_default()));
        Ok(found)
    }

    /// What the database has and the journal lacks.
    fn append_missing(&mut self) {
        let known: HashSet<Key> = self.journal.iter().map(|record| record.key).collect();
        let missing = self.disk.outbox.all().iter().filter(|entry| !known.contains(&entry.key));
        let missing =
            missing.map(|entry| Record { scope: entry.scope, key: entry.key, bytes: entry.bytes.clone() });
        self.journal.extend(missing);
    }

    /// What the journal has and the database lacks.
    fn reconcile(&mut self, last: &HashMap<Writer, u32>, rule: Option<Rule>) -> Result<usize> {
        let mut batch = self.file.replica.begin()?;
        let mut list =
            batch.connection().prepare_cached("SELECT writer FROM writers WHERE is_current = 1")?;
        let current = list.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
        drop(list);
        let goes_on = |writer: &Writer| self.pen.authors.values().any(|author| author.writer() == *writer);
        for writer in
            current.into_iter().map(|writer| Writer(writer as u64)).filter(|writer| !goes_on(writer))
        {
            batch.end_writer(writer, last.get(&writer).copied().unwrap_or(0))?;
        }
        let mut found: Vec<Entry> = Vec::new();
        for record in self.journal.iter().filter(|record| !self.disk.outbox.has(record.key)) {
            if rule == Some(Rule::JournalHeldAgainstDatabase) || batch.find_scope(record.scope)?.is_none() {
                continue;
            }
            let change = decoded(&record.bytes)?;
            if batch.apply(record.scope, self.device, &change)? {
                found.push(Entry::new(record.scope, change.key, change.stamp, record.bytes.clone()));
            }
        }
        batch.commit()?;
        let count = found.len();
        found.into_iter().for_each(|entry| self.disk.outbox.push(entry));
        Ok(count)
    }

    /// All that a backup program would copy.
    pub fn backup(&self) -> Result<Backup> {
        Ok(Backup { rows: self.file.copy()?, disk: self.disk.clone(), journal: self.journal.clone() })
    }

    /// The folder is as it was at a backup; the journal too, unless it lay elsewhere or outlived a power cut. A new
    /// process opens it.
    pub fn restore(&mut self, backup: &Backup, with_journal: bool, rule: Option<Rule>) -> Result<usize> {
        self.file.restore(&backup.rows)?;
        self.disk = backup.disk.clone();
        if with_journal {
            self.journal = backup.journal.clone();
        }
        self.restart(rule)
    }

    /// Own changes that the hub has no position for, in frames of its own, for a teammate.
    pub fn hand_over(&self, most: usize) -> Vec<(ScopeId, Rc<[u8]>)> {
        let schema = self.file.replica.schema().registry.schema;
        let mut parcel = Vec::new();
        for held in &self.scopes {
            let mut builder = FrameBuilder::new(held.scope, schema, most);
            let unsent =
                self.disk.outbox.open().filter(|entry| entry.is_unsent() && entry.scope == held.scope);
            // What does not fit goes another time.
            unsent.take_while(|entry| builder.push(&entry.bytes).is_ok()).count();
            parcel.extend(builder.build(&self.key).map(|frame| (held.scope, frame.into())));
        }
        parcel
    }

    /// Takes in a frame that came from a teammate, out of order and perhaps not for the first time; what was new is kept
    /// until the hub shows it. Gives how many changes were new.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        signer: &PublicKey,
        is_hub: bool,
        now: Moment,
        rule: Option<Rule>,
    ) -> Result<usize> {
        let wrong = |error: FrameError| Promise::NoError.broken(format!("a teammate's frame: {error}"));
        let outer = Outer::whole(bytes).map_err(wrong)?;
        outer.verify(signer).map_err(wrong)?;
        let frame = outer.open().map_err(wrong)?;
        let scope = frame.header.scope;
        let mut clock = self.pen.clock;
        let mut new = Vec::new();
        let highest = &mut self.disk.highest;
        let mut batch = self.file.replica.begin()?;
        taught::forget_if(rule, &batch)?;
        for came in frame.changes() {
            let change = decoded(came.bytes)?;
            if taught::take_in(&mut batch, (scope, came.author), &change, rule, highest)? {
                new.push(change.key);
            }
            self.pen.heard = self.pen.heard.max(change.stamp);
            clock.adopt(now.ms, change.stamp);
        }
        batch.commit()?;
        self.pen.clock = clock;
        self.disk.last_stamp = clock.last();
        let heard = new.len();
        if heard > 0 {
            let keys = frame.changes().map(|came| came.head.key).collect();
            self.disk.frames.entrust(scope, bytes, keys, new, is_hub);
        }
        Ok(heard)
    }

    /// Whether it could bring a change to the hub, or has one that the hub gave.
    pub fn holds(&self, key: Key) -> bool {
        self.disk.outbox.has(key)
            || self.disk.frames.holds(key)
            || self.journal.iter().any(|record| record.key == key)
    }
}

/// Reads a change that an author of this run has written.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Change> {
    Change::decode(bytes).map_err(|error| Promise::NoError.broken(error.to_string()))
}
