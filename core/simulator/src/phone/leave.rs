//! A scope that this phone has left goes once nothing of it is the phone's to keep: only after a sync in which the hub has
//! signed it, when every own change there lies below the prune line and nothing of others waits for a hub that lost it.

use langso_domain::id::{ScopeId, Writer};
use langso_sync::session::News;

use super::Phone;
use crate::broken::Result;
use crate::rule::Rule;

impl Phone {
    /// Own writers of scopes that it has left: no frame tells what became of them, so the hub is asked.
    pub(super) fn asked_of_left(&self) -> Vec<Writer> {
        let open = self.disk.outbox.open().filter(|entry| self.disk.left.contains(&entry.scope));
        open.map(|entry| entry.key.writer).collect()
    }

    /// The hub says which scopes were left. What it then does not say again of own changes there is not known.
    pub(super) fn hear_left(&mut self, news: &News, rule: Option<Rule>) -> Result {
        let states = self.file.replica.scopes()?;
        for left in &news.left {
            let Some(state) = states.iter().find(|state| state.scope == left.scope) else { continue };
            self.disk.outbox.doubt(left.scope, state.position, &news.held);
            self.heard_left.insert(left.scope);
            if rule == Some(Rule::LeftKeepsUnsent) {
                self.disk.outbox.forget(left.scope);
                self.journal.retain(|record| record.scope != left.scope);
            }
        }
        Ok(())
    }

    /// Drops what may go of the scopes left. At the end of a sync, after what may be forgotten was.
    pub(super) fn drop_left(&mut self, rule: Option<Rule>) -> Result {
        self.disk.left.clone_from(&self.heard_left);
        for scope in self.heard_left.clone() {
            if rule == Some(Rule::LeftWaitsForBackup) && self.disk.outbox.has_positions(scope) {
                self.disk.outbox.forget(scope);
                self.journal.retain(|record| record.scope != scope);
            }
            if self.file.replica.scopes()?.iter().any(|state| state.scope == scope) && self.may_go(scope) {
                self.drop_scope(scope)?;
            }
        }
        Ok(())
    }

    fn may_go(&self, scope: ScopeId) -> bool {
        let is_own = self.disk.outbox.all().iter().any(|entry| entry.scope == scope);
        let is_in_journal = self.journal.iter().any(|record| record.scope == scope);
        !(is_own || is_in_journal || self.disk.frames.waits(scope))
    }

    fn drop_scope(&mut self, scope: ScopeId) -> Result {
        let mut batch = self.file.replica.begin()?;
        batch.drop_scope(scope)?;
        batch.commit()?;
        self.disk.frames.drop_scope(scope);
        self.disk.by_snapshot.remove(&scope);
        self.disk.last_stamp = self.disk.last_stamp.max(self.pen.clock.last());
        // Its writers are gone with it: none of this run may be gone on with.
        self.pen.authors.clear();
        self.dropped += 1;
        self.reload_scopes()
    }
}
