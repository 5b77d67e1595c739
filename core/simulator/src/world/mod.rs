//! One run: a team, its trainer, their telephones, a hub, and everything that can go wrong between them.
//!
//! A step is one thing that happens, between two of which a fault can strike: somebody saves, a request is built or
//! arrives, the hub keeps a frame, a phone takes an event of a reply in, a process dies. Which, to whom and how is
//! dealt by the seed; nothing else is asked.

mod check;
mod end;
mod faults;
mod line;
mod oracle;
mod state;
mod team;

use std::collections::BTreeSet;
use std::rc::Rc;

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::{Role, ScopeKind};

use crate::broken::Result;
use crate::content::{Rows, Who};
use crate::dice::Dice;
use crate::handset::{Handset, START_MS, any_skew};
use crate::hub::Hub;
use crate::pen::Moment;
use crate::phone::{Backup, Fate, Phone};
use crate::pool::{Kind, Pool};
use crate::rule::Rule;
use crate::trace::Trace;
use crate::{Config, Signatures};

use team::Parcel;

/// The most folders of a run, clones included.
const MAX_PHONES: usize = 5;
/// The most old copies that come back to life in a run: each is slow, and more show nothing new.
const MAX_RESTORES: u32 = 3;
/// The most times that a hub is set back.
const MAX_ROLLBACKS: u32 = 3;
/// So often in 1,000 steps more happens to hub and folders in a run of bad luck.
const STORM: usize = 40;

/// See the module.
#[derive(Debug)]
pub(crate) struct World<'p> {
    pub trace: Trace,
    /// Things that happened, see [`crate::Run::steps`].
    pub steps: u64,
    pub saves: u64,
    pub applied: u64,
    dice: Dice,
    writers: Dice,
    pool: &'p mut Pool,
    rule: Option<Rule>,
    signatures: Signatures,
    now_ms: u64,
    hub: Hub,
    handsets: Vec<Handset>,
    phones: Vec<Phone>,
    backups: Vec<(usize, Backup)>,
    restores: u32,
    rollbacks: u32,
    /// Requests that are still on their way although nobody waits for them any more.
    late: Vec<Vec<u8>>,
    rows: Rows,
    /// Every change of which somebody was told that it is saved.
    saved: BTreeSet<Key>,
    /// Those that went with a phone's newer self when an older copy was restored.
    gone: BTreeSet<Key>,
    /// Those that the phone which wrote them has no longer, but somebody else had then.
    weak: BTreeSet<Key>,
    /// Files on their way between members.
    parcels: Vec<Parcel>,
    searched: bool,
    /// A run of bad luck: a hub that is set back again and again, folders that come back from old copies, lines that
    /// cost.
    is_storm: bool,
}

impl<'p> World<'p> {
    pub fn new(seed: u64, config: Config, pool: &'p mut Pool) -> Result<Self> {
        let (rule, signatures) = (config.without, config.signatures);
        let mut dice = Dice::new(seed);
        // The index for the search makes a run four times as slow and decides nothing.
        let searched = dice.chance(20);
        let scopes = [(ScopeId(dice.bytes()), ScopeKind::Team), (ScopeId(dice.bytes()), ScopeKind::Training)];
        let is_storm = dice.chance(250);
        let skew = if dice.chance(200) { any_skew(&mut dice) } else { 0 };
        let cache = pool.take(Kind { newer: false, searched: false })?;
        let mut hub = Hub::new(signatures.key(&dice.bytes()), scopes, cache, skew)?;
        hub.rule = rule;
        let mut world = Self {
            trace: Trace::new(config.in_words),
            signatures,
            steps: 0,
            saves: 0,
            applied: 0,
            writers: Dice::new(dice.next()),
            pool,
            rule,
            now_ms: START_MS,
            hub,
            handsets: Vec::new(),
            phones: Vec::new(),
            backups: Vec::new(),
            restores: 0,
            rollbacks: 0,
            late: Vec::new(),
            rows: Rows::default(),
            saved: BTreeSet::new(),
            gone: BTreeSet::new(),
            weak: BTreeSet::new(),
            parcels: Vec::new(),
            searched,
            is_storm,
            dice,
        };
        let members = 2 + world.dice.below(2);
        for at in 0..members {
            world.add_phone(if at == 0 { Role::Lead } else { Role::Member })?;
        }
        if world.dice.chance(500) || rule == Some(Rule::TrainerSeesNoTeam) {
            world.add_phone(Role::Trainer)?;
        }
        Ok(world)
    }

    fn add_phone(&mut self, role: Role) -> Result {
        let shares = !self.handsets.is_empty() && self.dice.chance(300);
        if !shares {
            self.handsets.push(Handset::new(any_skew(&mut self.dice)));
        }
        let newer = self.dice.chance(200);
        let file = self.pool.take(Kind { newer, searched: self.searched })?;
        let key = self.signatures.key(&self.dice.bytes());
        let mut phone = Phone::new(Rc::new(key), Who { role, newer }, self.handsets.len() - 1, file);
        self.hub.enrol(phone.key.public(), role);
        // Most phones know their scopes from enrolment; the others are told by the first reply.
        if self.dice.chance(800) {
            let held = self.hub.logs.iter().filter(|log| self.hub.may_read(log, phone.device));
            phone.join(&held.map(|log| (log.scope, log.kind)).collect::<Vec<_>>())?;
        } else if self.dice.chance(500) {
            // Some are given a scope later on.
            let scope = self.hub.logs[self.dice.below(2)].scope;
            self.hub.withhold(phone.device, scope);
        }
        self.phones.push(phone);
        Ok(())
    }

    /// One thing happens.
    pub fn step(&mut self, step: u64) -> Result {
        self.trace.step(step);
        self.now_ms += self.dice.below(600_000) as u64;
        let at = self.dice.below(self.phones.len());
        let noted = self.trace.noted();
        self.deal(at)?;
        self.steps += u64::from(self.trace.noted() > noted);
        Ok(())
    }

    fn deal(&mut self, at: usize) -> Result {
        if self.is_storm && self.dice.chance(STORM) {
            return self.storm(at);
        }
        match self.dice.below(1_000) {
            0..520 => self.save(at),
            520..525 => self.snapshot(at),
            525..530 => self.damage(at),
            530..710 => self.line(at),
            710..810 => self.carry(at),
            810..840 => self.hand_over(at),
            840..846 => self.parcel(),
            846..854 => self.copy_hub(),
            854..860 => self.roll_back(),
            860..864 => self.give(at),
            864..866 => self.revoke(at),
            866..872 => self.leave(at),
            872..890 => self.hub_writes(),
            890..898 => self.kill(at),
            898..904 => self.kill_hub(),
            904..908 => self.back_up(at),
            908..911 => self.restore(),
            911..913 => self.clone_phone(),
            913..930 => self.set_clock(at),
            930..936 => self.reboot(at),
            936..944 => self.set_hub_clock(),
            944..956 => self.admit(),
            956..960 => self.admit_and_void(),
            960..980 => self.late_request(),
            _ => self.leap(),
        }
    }

    fn save(&mut self, at: usize) -> Result {
        // Who has left writes little more there.
        if self.hub.left(self.phones[at].device).next().is_some() && self.dice.chance(900) {
            return Ok(());
        }
        let now = self.moment(at);
        let phone = &mut self.phones[at];
        let fate = Fate::any(&mut self.dice);
        let dice = (&mut self.dice, &mut self.writers);
        let written = phone.save(now, fate, &self.rows, dice, self.rule)?;
        let Some(written) = written else {
            self.trace.note("save_failed", &[at as u64]);
            if fate == Fate::KilledBefore {
                self.start_again(at)?;
            }
            return Ok(());
        };
        for (_, change, bytes) in &written.changes {
            let key = change.key;
            let numbers = [at as u64, key.writer.0, key.seq.into(), change.stamp.0, bytes.len() as u64];
            self.trace.note("save", &numbers);
            self.saves += 1;
            // Nobody was told that what the disk refused is saved; it may come all the same.
            if fate != Fate::RefusedYetKept {
                self.saved.insert(key);
            }
        }
        self.rows.add(&written.rows);
        if fate == Fate::KilledAfter {
            self.start_again(at)?;
        }
        Ok(())
    }

    fn hub_writes(&mut self) -> Result {
        let rows = self.hub.write(self.now_ms, &self.rows, &mut self.dice, &mut self.writers)?;
        self.trace.note("hub_writes", &[rows.len() as u64]);
        self.rows.add(&rows);
        Ok(())
    }

    /// What a phone takes for now.
    fn moment(&self, at: usize) -> Moment {
        let phone = &self.phones[at];
        phone.moment(&self.handsets[phone.handset], self.now_ms)
    }

    /// A new process opens a phone's folder.
    fn start_again(&mut self, at: usize) -> Result {
        let found = self.phones[at].restart(self.rule)?;
        self.trace.note("start", &[at as u64, found as u64]);
        Ok(())
    }

    /// Gives every replica back.
    pub fn close(self) -> Result {
        for phone in self.phones {
            self.pool.give(phone.file)?;
        }
        self.pool.give(self.hub.into_cache())
    }
}
