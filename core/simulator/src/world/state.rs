//! Snapshots that phones take in, rows that are damaged, found by the digest and mended.

use langso_domain::id::ScopeId;
use langso_domain::registry::ScopeKind;
use langso_store::Counted;
use langso_sync::chain::{Chain, Cursor};

use super::World;
use crate::broken::{Promise, Result};
use crate::phone::Line;

impl World<'_> {
    /// A phone that is behind takes a snapshot of a scope, whole or in part.
    pub(super) fn snapshot(&mut self, at: usize) -> Result {
        let which = self.dice.below(self.hub.logs.len());
        let scope = self.hub.logs[which].scope;
        let phone = &self.phones[at];
        let states = phone.file.replica.scopes()?;
        let Some(state) = states.iter().find(|state| state.scope == scope) else { return Ok(()) };
        let cursor = Cursor { position: state.position, chain: Chain(state.chain) };
        let log = &self.hub.logs[which];
        // A hub that does not know the cursor makes the phone fall back first.
        if !log.knows(cursor, None) || log.head() == cursor || !self.hub.may_read(log, phone.device) {
            return Ok(());
        }
        let frames = self.hub.snapshot(scope, 400 + self.dice.below(4_000), self.now_ms)?;
        let upto = if self.dice.chance(700) { frames.len() } else { self.dice.below(frames.len()) };
        self.hang_up(at);
        let now = self.moment(at);
        self.phones[at].land(&frames, upto, now, self.rule)?;
        self.trace.note("snapshot", &[at as u64, frames.len() as u64, upto as u64]);
        Ok(())
    }

    /// A row of a replica is no longer what was written. The next recount finds it, and a snapshot mends it.
    pub(super) fn damage(&mut self, at: usize) -> Result {
        if self.searched {
            return Ok(());
        }
        let which = self.dice.below(self.hub.logs.len());
        let scope = self.hub.logs[which].scope;
        let phone = &mut self.phones[at];
        let states = phone.file.replica.scopes()?;
        let Some(state) = states.iter().find(|state| state.scope == scope) else { return Ok(()) };
        let cursor = Cursor { position: state.position, chain: Chain(state.chain) };
        let log = &self.hub.logs[which];
        if log.head() != cursor || !self.hub.may_read(log, phone.device) {
            return Ok(());
        }
        phone.file.replica.recount()?;
        if !phone.file.damage(state.number, |count| self.dice.below(count))? {
            return Ok(());
        }
        let counted = phone.file.replica.recount()?;
        if !counted.iter().any(|counted| counted.scope == scope && counted.is_damaged()) {
            return Err(Promise::DigestsTrue.broken(format!("damage of {scope} on phone {at} is not found")));
        }
        self.mend(at, scope)
    }

    /// Phones that took a snapshot compare digests: what a hub lost after it, and nobody has kept as changes, is in their
    /// rows alone and goes.
    pub(super) fn compare(&mut self) -> Result {
        let counted = self.hub.cache(self.now_ms)?.replica.recount()?;
        for at in 0..self.phones.len() {
            for scope in self.phones[at].disk.by_snapshot.clone() {
                let found = self.phones[at].file.replica.recount()?;
                let of = |all: &[Counted]| {
                    all.iter().find(|counted| counted.scope == scope).map(|counted| counted.digest)
                };
                if of(&found) != of(&counted) {
                    self.mend(at, scope)?;
                    self.start_again(at)?;
                }
            }
        }
        Ok(())
    }

    fn mend(&mut self, at: usize, scope: ScopeId) -> Result {
        self.hang_up(at);
        let kind = self.hub.log(scope).map_or(ScopeKind::Team, |log| log.kind);
        let frames = self.hub.snapshot(scope, 400 + self.dice.below(4_000), self.now_ms)?;
        let mut fresh = self.pool.take_named(self.phones[at].file.kind)?;
        self.phones[at].mend(&mut fresh, &frames, kind, self.rule)?;
        self.pool.give_named(fresh)?;
        self.trace.note("mend", &[at as u64, frames.len() as u64]);
        Ok(())
    }

    /// What is on the line is nobody's any more.
    fn hang_up(&mut self, at: usize) {
        if !matches!(self.phones[at].line, Line::Idle) {
            self.phones[at].cut();
        }
        self.phones[at].session = None;
    }
}
