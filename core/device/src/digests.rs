//! Whether this phone's rows are what the hub's log comes to. A scope's digest is said to the hub once a day, one scope a
//! sync, so that it costs few bytes; and at once when counting the rows gave reason to: weekly, and when the last
//! process did not come to its end.
//!
//! It is said only of a scope that holds what the hub holds: nothing of it is unsent, set aside or carried. What the hub
//! answers is kept until the scope is mended.
//!
//! A hub that was put back to before what this phone has forgotten may have lost changes of which nothing is left but the
//! rows here. Until it agrees, no row of such a scope is taken for damaged, and none is mended.

use langso_domain::id::ScopeId;
use langso_store::ScopeState;
use langso_sync::digest::{COMPARE_EVERY_MS, COUNT_EVERY_MS, Digest, is_due};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::facts::{self, Fact, name};
use crate::fall_back;
use crate::outbox::Unsent;
use crate::phone::Phone;

/// What is known of a scope's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Check {
    scope: ScopeId,
    /// When the hub last compared them, ms UTC; none when they must be compared soon.
    compared_at: Option<i64>,
    /// Since when they are known to be damaged, ms UTC.
    damaged_at: Option<i64>,
    /// When they were last fetched anew, ms UTC.
    repaired_at: Option<i64>,
    /// The hub was put back to before what this phone has forgotten, and has not agreed since.
    #[serde(default)]
    is_kept: bool,
}

impl Check {
    fn new(scope: ScopeId, compared_at: Option<i64>) -> Self {
        Self { scope, compared_at, damaged_at: None, repaired_at: None, is_kept: false }
    }

    /// Whether there is a reason to have the rows compared but that a day has passed.
    fn is_doubted(&self) -> bool {
        self.compared_at.is_none() || self.damaged_at.is_some() || self.is_kept
    }
}

/// When rows were counted, and what the hub said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checks {
    /// When all rows were last counted, ms UTC.
    counted_at: Option<i64>,
    scopes: Vec<Check>,
}

impl Checks {
    /// What was damaged may have said of any scope that its rows here are the last ones: until the hub agrees, none is
    /// mended.
    fn read(connection: &Connection) -> Result<Self> {
        match facts::look(connection, name::CHECKS)? {
            Fact::Sound(checks) => return Ok(checks),
            Fact::Absent => return Ok(Self::default()),
            Fact::Damaged => {}
        }
        let mut get = connection.prepare("SELECT scope FROM scopes")?;
        let scopes = get.query_map([], |row| row.get(0).map(ScopeId))?;
        let kept = |scope: ScopeId| Check { is_kept: true, ..Check::new(scope, None) };
        let scopes = scopes.map(|scope| scope.map(kept)).collect::<rusqlite::Result<_>>()?;
        Ok(Self { counted_at: None, scopes })
    }

    fn write(&self, connection: &Connection) -> Result<()> {
        facts::put(connection, name::CHECKS, self)
    }
}

impl Phone {
    /// The digests that are to be compared now, each of its scope as it stands; counts the rows when that is due. `turn`:
    /// the scope whose day's comparison this sync brings, chosen at the first look.
    pub(crate) fn list_due_digests(
        &mut self,
        unsent: &Unsent,
        turn: &mut Option<Option<ScopeId>>,
    ) -> Result<Vec<(ScopeId, Digest)>> {
        let now = self.now().ms;
        let scopes = self.replica.scopes()?;
        let mut checks = Checks::read(self.connection())?;
        let before = checks.clone();
        checks.scopes.retain(|check| scopes.iter().any(|state| state.scope == check.scope));
        for state in &scopes {
            // What has just come was checked as it came.
            if checks.scopes.iter().all(|check| check.scope != state.scope) {
                checks.scopes.push(Check::new(state.scope, Some(now)));
            }
        }
        checks.counted_at.get_or_insert(now);
        let mut digests = self.replica.digests()?;
        if digests.values().any(Option::is_none) || is_due(checks.counted_at, now, COUNT_EVERY_MS) {
            let counted = self.softly(|phone| Ok(phone.replica.recount()?))?;
            digests = self.replica.digests()?;
            checks.counted_at = Some(now);
            for check in &mut checks.scopes {
                let of = counted.iter().find(|of| of.scope == check.scope);
                if of.is_some_and(|of| of.is_damaged() || of.kept.is_none()) {
                    check.compared_at = None;
                }
            }
        }
        if checks != before {
            self.softly(|phone| checks.write(phone.connection()))?;
        }
        let find = |scope| scopes.iter().find(|state| state.scope == scope && state.position > 0);
        let is_due = |of: &&Check| is_due(of.compared_at, now, COMPARE_EVERY_MS) && find(of.scope).is_some();
        let due_now: Vec<&Check> = checks.scopes.iter().filter(is_due).collect();
        // Of those that are as old, a team's own scope first.
        let order = |of: &&&Check| (of.compared_at, find(of.scope).map(|state| (state.kind, state.number)));
        let longest_ago = due_now.iter().filter(|of| !of.is_doubted()).min_by_key(order);
        let turn = *turn.get_or_insert_with(|| longest_ago.map(|of| of.scope));
        let mut due = Vec::new();
        for check in due_now.into_iter().filter(|of| of.is_doubted() || Some(of.scope) == turn) {
            let Some(state) = find(check.scope) else { continue };
            let Some(digest) = digests.get(&state.number).copied().flatten() else { continue };
            if is_level(self.connection(), state, unsent)? {
                due.push((check.scope, digest));
            }
        }
        Ok(due)
    }

    /// Takes in what the hub found.
    pub(crate) fn take_compared(&mut self, agreed: &[ScopeId], differing: &[ScopeId]) -> Result<()> {
        let now = self.now().ms;
        let mut checks = Checks::read(self.connection())?;
        for check in &mut checks.scopes {
            if agreed.contains(&check.scope) {
                if check.damaged_at.is_some() {
                    self.drop_repair(check.scope)?;
                }
                (check.compared_at, check.damaged_at, check.is_kept) = (Some(now), None, false);
            } else if differing.contains(&check.scope) {
                check.compared_at = Some(now);
                check.damaged_at.get_or_insert(now);
            }
        }
        checks.write(self.connection())
    }
}

/// A scope whose rows are to be fetched anew. One that was and still differs waits a day: fetching it again at once
/// would bring the same.
pub(crate) fn next_repair(connection: &Connection, now_ms: i64) -> Result<Option<ScopeId>> {
    let checks = Checks::read(connection)?;
    let is_damaged = |check: &&Check| check.damaged_at.is_some() && !check.is_kept;
    let is_to_be = |check: &&Check| is_damaged(check) && is_due(check.repaired_at, now_ms, COMPARE_EVERY_MS);
    Ok(checks.scopes.iter().find(is_to_be).map(|check| check.scope))
}

/// The rows of a scope were fetched anew; whether they are right now, the hub says next.
pub(crate) fn note_repaired(connection: &Connection, scope: ScopeId, now_ms: i64) -> Result<()> {
    let mut checks = Checks::read(connection)?;
    for check in checks.scopes.iter_mut().filter(|check| check.scope == scope) {
        (check.compared_at, check.repaired_at) = (None, Some(now_ms));
    }
    checks.write(connection)
}

/// The hub was put back to before what this phone has forgotten of a scope: its rows stay as they are until the hub has
/// compared them, soon, and agrees.
pub(crate) fn keep_rows(connection: &Connection, scope: ScopeId) -> Result<()> {
    let mut checks = Checks::read(connection)?;
    if checks.scopes.iter().all(|check| check.scope != scope) {
        checks.scopes.push(Check::new(scope, None));
    }
    for check in checks.scopes.iter_mut().filter(|check| check.scope == scope) {
        (check.compared_at, check.is_kept) = (None, true);
    }
    checks.write(connection)
}

/// Whether rows of a scope may be all that is left of changes that the hub has lost.
pub(crate) fn keeps_rows(connection: &Connection, scope: ScopeId) -> Result<bool> {
    let checks = Checks::read(connection)?;
    Ok(checks.scopes.iter().any(|check| check.scope == scope && check.is_kept))
}

/// The scopes whose rows are damaged, with since when, ms UTC.
pub(crate) fn list_damaged(connection: &Connection) -> Result<Vec<(ScopeId, i64)>> {
    list_differing(connection, false)
}

/// The scopes of which this phone holds rows that the hub seems to have lost, with since when, ms UTC.
pub(crate) fn list_kept(connection: &Connection) -> Result<Vec<(ScopeId, i64)>> {
    list_differing(connection, true)
}

fn list_differing(connection: &Connection, is_kept: bool) -> Result<Vec<(ScopeId, i64)>> {
    let checks = Checks::read(connection)?;
    let of = checks.scopes.iter().filter(|check| check.is_kept == is_kept);
    Ok(of.filter_map(|check| Some((check.scope, check.damaged_at?))).collect())
}

/// Whether the rows of a scope are made of what the hub holds up to the cursor, and of nothing else.
fn is_level(connection: &Connection, state: &ScopeState, unsent: &Unsent) -> Result<bool> {
    Ok(!unsent.has_any_of(state.scope) && !fall_back::carries_any_of(connection, state.number)?)
}

#[cfg(test)]
mod tests {
    use langso_domain::registry::ScopeKind;
    use langso_store::{CURRENT, Purpose, Replica};

    use super::*;

    #[test]
    fn when_it_is_damaged_which_rows_are_the_last_ones_no_row_is_fetched_anew_before_the_hub_agrees() {
        let mut replica = Replica::in_memory(CURRENT, Purpose::Phone).expect("a replica");
        replica.connection().execute_batch(include_str!("../sql/0001_phone.sql")).expect("tables");
        let scopes = [ScopeId([1; 8]), ScopeId([2; 8])];
        let mut batch = replica.begin().expect("begins");
        for scope in scopes {
            batch.add_scope(scope, ScopeKind::Team).expect("added");
        }
        batch.commit().expect("committed");
        let connection = replica.connection();
        let differing = |scope| Check { damaged_at: Some(5), ..Check::new(scope, Some(5)) };
        let checks = Checks { counted_at: Some(5), scopes: scopes.map(differing).to_vec() };
        checks.write(connection).expect("written");
        assert_eq!(next_repair(connection, 9), Ok(Some(scopes[0])));
        keep_rows(connection, scopes[0]).expect("kept");
        let sql = "UPDATE phone_facts SET value = replace(value, 'true', 'false')";
        assert_eq!(connection.execute(sql, []), Ok(1));
        assert_eq!(next_repair(connection, 9), Ok(None));
        let read = Checks::read(connection).expect("reads");
        assert!(read.scopes.iter().all(|check| check.is_kept && check.compared_at.is_none()));
        assert_eq!(read.scopes.len(), 2);
    }
}
