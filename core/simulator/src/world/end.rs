//! The end of a run: everything heals, everybody syncs until nothing moves, and then all must be as promised.

use super::World;
use super::line::Hearing;
use crate::broken::{Promise, Result};
use crate::handset::DAY_MS;
use crate::phone::Line;
use crate::rule::Rule;

/// Rounds after which everything must have arrived everywhere.
const MAX_ROUNDS: usize = 8;
/// Requests of one session; a session that needs more goes in circles.
const MAX_REQUESTS: usize = 400;

/// So many bytes pass before the narrowest of lines breaks: a full first request and a reply of one small frame.
const NARROWEST: usize = 3_000;

/// The line over which everybody syncs at last.
#[derive(Debug, Clone, Copy)]
struct LastLine {
    /// The most bytes of a session.
    budget: u64,
    /// The most bytes of a request, and of a reply.
    passes: usize,
}

impl World<'_> {
    /// Heals the world and holds it against what was promised.
    pub fn end(&mut self) -> Result {
        for phone in &mut self.phones {
            if !matches!(phone.line, Line::Idle) {
                phone.cut();
            }
            phone.session = None;
        }
        if self.dice.chance(300) {
            self.weeks_pass()?;
        }
        self.settle_team();
        while self.hub.admit().is_some() {}
        let line = self.any_line();
        for round in 0..MAX_ROUNDS {
            for at in 0..self.phones.len() {
                if round > 0 && self.is_settled(at) {
                    continue;
                }
                // A journal that knows more than an old copy of the database is heard once the scope is known again.
                self.start_again(at)?;
                self.sync(at, line)?;
            }
            while self.hub.admit().is_some() {}
            if (0..self.phones.len()).all(|at| self.is_settled(at)) {
                break;
            }
        }
        for at in 0..self.phones.len() {
            if !self.is_settled(at) {
                let phone = &self.phones[at];
                let (own, others) = (phone.waiting(), phone.disk.frames.waiting().0);
                let unheard = phone.unheard().count();
                let detail = format!(
                    "phone {at} waits for {own} receipts, {others} frames of others, {unheard} of its journal, or is not at the head"
                );
                return Err(Promise::Converges.broken(detail));
            }
            if self.rule == Some(Rule::NewWriterAfterRestart) {
                // What is to be seen is two changes of one name, not a writer that nobody ended.
                self.rule = None;
            }
            self.start_again(at)?;
        }
        self.hub.catch_up(self.now_ms)?;
        self.hub.restart()?;
        self.compare()?;
        self.check()
    }

    /// Before everything heals, whoever has left a scope and may sync does so for some weeks with a hub that is backed up: the scope goes
    /// from the phone, and comes back with its member.
    fn weeks_pass(&mut self) -> Result {
        let good = LastLine { budget: u64::MAX, passes: usize::MAX };
        for _ in 0..3 {
            while self.hub.admit().is_some() {}
            self.hub.copy(self.now_ms, true);
            for at in 0..self.phones.len() {
                let device = self.phones[at].device;
                if self.hub.left(device).next().is_some() && !self.hub.is_revoked(device) {
                    self.sync(at, good)?;
                }
            }
            self.now_ms += 8 * DAY_MS;
        }
        Ok(())
    }

    /// Mostly a good line; now and then one that costs, or one that breaks after so many bytes each way, over which a
    /// backlog must get through all the same.
    fn any_line(&mut self) -> LastLine {
        let (budget, passes) = match self.dice.below(20) {
            0 => (3_000 + self.dice.below(6_000) as u64, usize::MAX),
            1 => (u64::MAX, NARROWEST + self.dice.below(6_000)),
            _ => (u64::MAX, usize::MAX),
        };
        LastLine { budget, passes }
    }

    /// Syncs until the hub has nothing more to say and the phone nothing to send.
    fn sync(&mut self, at: usize, line: LastLine) -> Result {
        for _ in 0..MAX_REQUESTS {
            self.send(at, line.budget, u32::MAX)?;
            let Line::Up(body) = std::mem::take(&mut self.phones[at].line) else { break };
            // The request built, the request come; what follows counts itself.
            self.steps += 2;
            if body.len() > line.passes {
                self.cut_request(at, &body, line.passes)?;
                continue;
            }
            self.answer(at, &body)?;
            let Line::Down(reply) = std::mem::take(&mut self.phones[at].line) else { break };
            let arrives = (reply.len() > line.passes).then_some(line.passes);
            self.hear(at, &reply, Hearing { arrives, ..Hearing::default() })?;
            if self.phones[at].session.is_none() && !self.phones[at].is_spent {
                return Ok(());
            }
        }
        let detail = format!("phone {at} never ends its sync over {line:?}");
        Err(Promise::Converges.broken(detail))
    }

    /// Whether a phone has all that its hub has, and the hub all that it has.
    fn is_settled(&self, at: usize) -> bool {
        let phone = &self.phones[at];
        let Ok(scopes) = phone.file.replica.scopes() else { return false };
        let is_at_head = |scope: &langso_store::ScopeState| {
            self.hub.log(scope.scope).is_some_and(|log| {
                let head = log.head();
                (head.position, head.chain.0) == (scope.position, scope.chain)
            })
        };
        let has_journal = phone.unheard().all(|key| self.hub.position(key).is_some());
        phone.waiting() == 0
            && phone.disk.frames.waiting().0 == 0
            && has_journal
            && !scopes.is_empty()
            && scopes.iter().all(is_at_head)
    }
}
