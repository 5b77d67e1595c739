//! Every change that a phone has written, with what it knows of its way to the hub.

use std::collections::HashMap;
use std::rc::Rc;

use langso_domain::id::{Key, ScopeId};
use langso_sync::clock::Stamp;
use langso_sync::session::Receipt;
use langso_sync::wire::SetAside;

/// One own change.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub scope: ScopeId,
    pub key: Key,
    pub stamp: Stamp,
    pub bytes: Rc<[u8]>,
    /// The hub's.
    pub position: Option<u64>,
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
}

impl Entry {
    pub fn new(scope: ScopeId, key: Key, stamp: Stamp, bytes: Rc<[u8]>) -> Self {
        Self { scope, key, stamp, bytes, position: None, is_passed: false, is_aside: false }
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
                    self.entries[*at].position = Some(receipt.position + u64::from(seq - receipt.first));
                }
            }
        }
    }

    /// The cursor of a scope has moved.
    pub fn pass(&mut self, scope: ScopeId, cursor: u64) {
        for entry in self.entries[self.first_open..].iter_mut().filter(|entry| entry.scope == scope) {
            entry.is_passed |= entry.position.is_some_and(|position| position <= cursor);
        }
        let rest = &self.entries[self.first_open..];
        self.first_open += rest.iter().take_while(|entry| entry.is_passed).count();
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
