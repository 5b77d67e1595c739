//! Every change that a phone has written, with what it knows of its way to the hub.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use langso_domain::id::{Key, ScopeId};
use langso_sync::clock::Stamp;
use langso_sync::history::{Shown, is_void};
use langso_sync::session::Receipt;
use langso_sync::wire::{Held, SetAside};

use crate::rule::Rule;

/// One own change.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub scope: ScopeId,
    pub key: Key,
    pub stamp: Stamp,
    pub bytes: Rc<[u8]>,
    /// The hub's.
    pub position: Option<u64>,
    /// Its position is only known to be no higher than that: a snapshot has it.
    pub is_bound: bool,
    /// The cursor has passed its position.
    is_passed: bool,
    /// The hub has said that it keeps it without a position.
    is_aside: bool,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    entries: Vec<Entry>,
    at: HashMap<Key, usize>,
    /// Everything before has been passed.
    first_open: usize,
    /// Of which the hub has told the position in this session.
    said: HashSet<Key>,
}

impl Entry {
    pub fn new(scope: ScopeId, key: Key, stamp: Stamp, bytes: Rc<[u8]>) -> Self {
        Self { scope, key, stamp, bytes, position: None, is_bound: false, is_passed: false, is_aside: false }
    }

    /// Whether it is on this phone only.
    pub fn is_unsent(&self) -> bool {
        self.position.is_none() && !self.is_aside
    }
}

impl Outbox {
    pub fn push(&mut self, entry: Entry) {
        self.at.insert(entry.key, self.entries.len());
        self.entries.push(entry);
    }

    pub fn has(&self, key: Key) -> bool {
        self.at.contains_key(&key)
    }

    /// All, in the order of writing.
    pub fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// Those without a position, or with one that the cursor has not passed.
    pub fn open(&self) -> impl Iterator<Item = &Entry> {
        self.entries[self.first_open..].iter().filter(|entry| !entry.is_passed)
    }

    pub fn get(&self, key: Key) -> Option<&Entry> {
        self.at.get(&key).map(|at| &self.entries[*at])
    }

    /// Notes positions.
    pub fn receive(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            for seq in receipt.first..receipt.first + receipt.n {
                if let Some(at) = self.at.get(&Key { writer: receipt.writer, seq }) {
                    let entry = &mut self.entries[*at];
                    entry.position = Some(receipt.position + u64::from(seq - receipt.first));
                    entry.is_bound = false;
                    self.said.insert(entry.key);
                }
            }
        }
    }

    /// A session begins: nothing has been said in it.
    pub fn begin(&mut self) {
        self.said.clear();
    }

    /// Own changes of a scope with a position above the cursor lose it when the hub was asked for them: it says it again
    /// in what follows, or it is sent again with the next session.
    pub fn doubt(&mut self, scope: ScopeId, cursor: u64, asked: &[Held]) {
        for entry in self.entries[self.first_open..].iter_mut().filter(|entry| entry.scope == scope) {
            let is_asked = |held: &Held| held.writer == entry.key.writer && entry.key.seq <= held.upto;
            if asked.iter().any(is_asked) && entry.position.is_some_and(|position| position > cursor) {
                (entry.position, entry.is_bound) = (None, false);
            }
        }
    }

    /// Up to where own changes of a scope reach, if this session has heard every position above the cursor.
    pub fn reach(&self, scope: ScopeId) -> Option<u64> {
        let own = || self.entries.iter().filter(|entry| entry.scope == scope);
        let is_known =
            |entry: &Entry| entry.position.is_none() || entry.is_passed || self.said.contains(&entry.key);
        own().all(is_known).then(|| own().filter_map(|entry| entry.position).max().unwrap_or(0))
    }

    /// Whether the hub has given every own change of a scope a position.
    pub fn has_positions(&self, scope: ScopeId) -> bool {
        self.entries.iter().filter(|entry| entry.scope == scope).all(|entry| entry.position.is_some())
    }

    /// The cursor of a scope has moved.
    pub fn pass(&mut self, scope: ScopeId, cursor: u64) {
        for entry in self.entries[self.first_open..].iter_mut().filter(|entry| entry.scope == scope) {
            entry.is_passed |= entry.position.is_some_and(|position| position <= cursor);
        }
        let rest = &self.entries[self.first_open..];
        self.first_open += rest.iter().take_while(|entry| entry.is_passed).count();
    }

    /// The hub has shown what is no longer so: receipts fall, and their changes are to be sent again.
    pub fn void(&mut self, scope: ScopeId, shown: Shown, rule: Option<Rule>) {
        if rule == Some(Rule::ReceiptsBecomeVoid) {
            return;
        }
        let mut first = self.entries.len();
        for (at, entry) in self.entries.iter_mut().enumerate().filter(|(_, entry)| entry.scope == scope) {
            if entry.position.is_some_and(|position| is_void(entry.key, position, shown)) {
                (entry.position, entry.is_bound, entry.is_passed) = (None, false, false);
                first = first.min(at);
            }
        }
        self.first_open = self.first_open.min(first);
    }

    /// The hub has shown what stands at these positions, which the cursor has not passed before.
    pub fn void_shown(&mut self, scope: ScopeId, shown: &[(u64, Key)], rule: Option<Rule>) {
        if rule == Some(Rule::ReceiptsBecomeVoid) {
            return;
        }
        for entry in self.entries[self.first_open..].iter_mut().filter(|entry| entry.scope == scope) {
            let Some(position) = entry.position.filter(|_| !entry.is_passed) else { continue };
            if shown.iter().any(|(at, key)| is_void(entry.key, position, Shown::At(*at, *key))) {
                entry.position = None;
            }
        }
    }

    /// A snapshot has some of what the cursor had not passed, and has not the rest.
    pub fn shown_by_snapshot(&mut self, scope: ScopeId, of: u64, has: impl Fn(Key) -> bool) {
        for entry in self.entries[self.first_open..].iter_mut().filter(|entry| entry.scope == scope) {
            if entry.is_passed {
                continue;
            }
            if !has(entry.key) {
                entry.position = entry.position.filter(|position| *position > of);
            } else {
                // A position that no chain has proven may be of another history.
                (entry.position, entry.is_bound) = (Some(of), true);
            }
        }
    }

    /// Drops whatever is here of a scope, as no real program may.
    pub fn forget(&mut self, scope: ScopeId) {
        self.entries.retain(|entry| entry.scope != scope);
        self.at = self.entries.iter().zip(0..).map(|(entry, at)| (entry.key, at)).collect();
        self.first_open = 0;
    }

    /// Forgets what lies at or below the prune line; gives the keys.
    pub fn prune(&mut self, scope: ScopeId, line: u64) -> HashSet<Key> {
        let is_settled = |entry: &Entry| {
            let is_below = entry.position.is_some_and(|position| position <= line);
            entry.scope == scope && is_below
        };
        let gone: HashSet<Key> =
            self.entries.iter().filter(|entry| is_settled(entry)).map(|entry| entry.key).collect();
        if !gone.is_empty() {
            self.entries.retain(|entry| !gone.contains(&entry.key));
            self.at = self.entries.iter().zip(0..).map(|(entry, at)| (entry.key, at)).collect();
            self.first_open = self.entries.iter().take_while(|entry| entry.is_passed).count();
        }
        gone
    }

    /// The hub's list says it all: what it no longer names was admitted, or is not at the hub.
    pub fn set_aside(&mut self, list: &[SetAside]) {
        for entry in &mut self.entries[self.first_open..] {
            entry.is_aside = list.iter().any(|aside| aside.key == entry.key);
        }
    }

    /// Counts a change as received without the hub's word, as no real program may.
    pub fn presume(&mut self, key: Key) {
        if let Some(at) = self.at.get(&key) {
            (self.entries[*at].position, self.entries[*at].is_passed) = (Some(0), true);
        }
    }
}
