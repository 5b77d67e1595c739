//! Snapshots: a phone that is far behind takes rows instead of changes, and a damaged replica is mended by them.
//!
//! What a snapshot says of own changes is where they are: its applied-memory has them, and then they are at the hub, at or
//! below what it is of; or it has not, and then a receipt that the cursor had not passed was of another history.

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::ScopeKind;
use langso_sync::chain::Cursor;
use langso_sync::state::StateFrame;

use super::{Phone, decoded};
use crate::broken::Result;
use crate::pen::Moment;
use crate::pool::File;
use crate::rule::Rule;

impl Phone {
    /// Takes in the first frames of a snapshot, each in a transaction; given up before the last one nothing of it counts.
    pub fn land(&mut self, frames: &[StateFrame], upto: usize, now: Moment, rule: Option<Rule>) -> Result {
        let Some(header) = frames.first().map(|frame| frame.header.clone()) else { return Ok(()) };
        let mut clock = self.pen.clock;
        for frame in &frames[..upto.min(frames.len())] {
            let mut batch = self.file.replica.begin()?;
            batch.land(frame, |stamp| {
                self.pen.heard = self.pen.heard.max(stamp);
                clock.adopt(now.ms, stamp);
            })?;
            batch.commit()?;
        }
        self.pen.clock = clock;
        self.disk.last_stamp = clock.last();
        if upto < frames.len() {
            self.disk.by_snapshot.insert(header.scope);
            let mut batch = self.file.replica.begin()?;
            batch.abandon_landing(header.scope)?;
            return Ok(batch.commit()?);
        }
        self.stand_at(header.scope, header.of, frames, rule);
        Ok(())
    }

    /// The rows of a scope are replaced by those of a fresh replica that a snapshot has made; what is not in it and is this
    /// phone's own is written again.
    pub fn mend(
        &mut self,
        fresh: &mut File,
        frames: &[StateFrame],
        kind: ScopeKind,
        rule: Option<Rule>,
    ) -> Result {
        let Some(header) = frames.first().map(|frame| frame.header.clone()) else { return Ok(()) };
        let scope = header.scope;
        let mut batch = fresh.replica.begin()?;
        batch.add_scope(scope, kind)?;
        for frame in frames {
            batch.land(frame, |_| {})?;
        }
        batch.commit()?;
        let device = self.device;
        let own = self.disk.outbox.all().iter().filter(|entry| entry.scope == scope);
        let own: Vec<_> = own.map(|entry| entry.bytes.clone()).collect();
        let drops = rule == Some(Rule::RepairKeepsUnsent);
        let path = fresh.name().to_owned();
        self.file.replica.swap_scope(scope, &path, |batch| {
            for bytes in own.iter().filter(|_| !drops) {
                batch.replay(scope, device, &decoded(bytes)?)?;
            }
            Ok::<_, crate::broken::Broken>(())
        })?;
        if drops {
            self.disk.outbox.forget(scope);
            self.journal.retain(|record| record.scope != scope);
        }
        self.stand_at(scope, header.of, frames, rule);
        Ok(())
    }

    fn stand_at(&mut self, scope: ScopeId, of: Cursor, frames: &[StateFrame], rule: Option<Rule>) {
        let has = |key: Key| {
            let memories = frames.iter().flat_map(|frame| &frame.writers);
            memories.filter(|memory| memory.writer == key.writer).any(|memory| memory.has(key.seq))
        };
        if rule != Some(Rule::SnapshotShows) {
            self.disk.outbox.shown_by_snapshot(scope, of.position, has);
        }
        self.disk.frames.show_all(has);
        self.disk.by_snapshot.insert(scope);
        self.disk.outbox.pass(scope, of.position);
        self.disk.frames.mark(scope, of);
    }
}
