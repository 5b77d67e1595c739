//! The end of a run: everything heals, everybody syncs until nothing moves, and then all must be as promised.

use super::World;
use super::line::Hearing;
use crate::broken::{Promise, Result};
use crate::phone::Line;
use crate::rule::Rule;

/// Rounds after which everything must have arrived everywhere.
const MAX_ROUNDS: usize = 4;
/// Requests of one session; a session that needs more goes in circles.
const MAX_REQUESTS: usize = 400;

impl World<'_> {
    /// Heals the world and holds it against what was promised.
    pub fn end(&mut self) -> Result {
        while self.hub.admit().is_some() {}
        for phone in &mut self.phones {
            if !matches!(phone.line, Line::Idle) {
                phone.cut();
            }
            phone.session = None;
        }
        for round in 0..MAX_ROUNDS {
            for at in
                (0..self.phones.len()).filter(|at| round == 0 || !self.is_settled(*at)).collect::<Vec<_>>()
            {
                // A journal that knows more than an old copy of the database is heard once the scope is known again.
                self.start_again(at)?;
                self.sync(at)?;
            }
            while self.hub.admit().is_some() {}
            if (0..self.phones.len()).all(|at| self.is_settled(at)) {
                break;
            }
        }
        for at in 0..self.phones.len() {
            if !self.is_settled(at) {
                let waiting = self.phones[at].waiting();
                return Err(Promise::Converges.broken(format!("phone {at} waits for {waiting} receipts")));
            }
            if self.rule == Some(Rule::NewWriterAfterRestart) {
                // What is to be seen is two changes of one name, not a writer that nobody ended.
                self.rule = None;
            }
            self.start_again(at)?;
        }
        self.hub.catch_up(self.now_ms)?;
        self.hub.restart()?;
        self.check()
    }

    /// A whole sync over a good line.
    fn sync(&mut self, at: usize) -> Result {
        for _ in 0..MAX_REQUESTS {
            self.send(at, u64::MAX, u32::MAX)?;
            let Line::Up(body) = std::mem::take(&mut self.phones[at].line) else { break };
            self.answer(at, &body)?;
            let Line::Down(reply) = std::mem::take(&mut self.phones[at].line) else { break };
            self.hear(at, &reply, Hearing::default())?;
            // The request built, the request come; what follows counts itself.
            self.steps += 2;
            if self.phones[at].session.is_none() {
                return Ok(());
            }
        }
        Err(Promise::Converges.broken(format!("phone {at} never ends its sync")))
    }

    fn is_settled(&self, at: usize) -> bool {
        let phone = &self.phones[at];
        let Ok(scopes) = phone.file.replica.scopes() else { return false };
        let is_at_head = |scope: &langso_store::ScopeState| {
            self.hub.log(scope.scope).is_some_and(|log| log.rows.len() as u64 == scope.position)
        };
        let has_journal = phone.unheard().all(|key| self.hub.position(key).is_some());
        phone.waiting() == 0 && has_journal && !scopes.is_empty() && scopes.iter().all(is_at_head)
    }
}
