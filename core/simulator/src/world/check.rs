//! What must hold when a run has ended: nothing lost, all replicas one, heads and receipts as the log says.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{Key, ScopeId};
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::change::Change;

use super::World;
use super::oracle::Oracle;
use crate::broken::{Promise, Result};
use crate::dump::{Dump, Dumper};
use crate::hub::ScopeLog;
use crate::phone::decoded;
use crate::pool::{File, Kind};

impl World<'_> {
    pub(super) fn check(&mut self) -> Result {
        self.hub.check()?;
        self.check_arrived()?;
        self.check_receipts()?;
        self.check_cursors()?;
        self.check_own_scopes()?;
        self.check_replicas()?;
        self.check_digests()
    }

    /// Replicas that hold the same rows come to the same digest, whichever schema reads them.
    fn check_digests(&mut self) -> Result {
        let counted = self.hub.cache(self.now_ms)?.replica.recount()?;
        let of = |scope: ScopeId| counted.iter().find(|counted| counted.scope == scope);
        if let Some(damaged) = counted.iter().find(|counted| counted.is_damaged()) {
            return Err(Promise::DigestsTrue.broken(format!("the hub's of {}", damaged.scope)));
        }
        for (at, phone) in self.phones.iter_mut().enumerate() {
            for found in phone.file.replica.recount()? {
                let is_same = of(found.scope).is_some_and(|wanted| wanted.digest == found.digest);
                if !is_same || found.is_damaged() {
                    return Err(Promise::DigestsTrue.broken(format!("{} on phone {at}", found.scope)));
                }
            }
        }
        Ok(())
    }

    fn check_arrived(&self) -> Result {
        let is_lost = |key: &&Key| self.hub.position(**key).is_none() && !self.gone.contains(key);
        let lost: Vec<&Key> = self.saved.iter().filter(is_lost).collect();
        match lost.first() {
            Some(key) => Err(Promise::NothingLost.broken_often(lost.len(), format!("{key} first"))),
            None => Ok(()),
        }
    }

    fn check_receipts(&self) -> Result {
        for entry in self.phones.iter().flat_map(|phone| phone.disk.outbox.all()) {
            let is_true = match entry.is_bound {
                true => self.hub.position(entry.key) <= entry.position,
                false => self.hub.position(entry.key) == entry.position,
            };
            if !is_true {
                let detail =
                    format!("{} has {:?}, not {:?}", entry.key, entry.position, self.hub.position(entry.key));
                return Err(Promise::ReceiptsTrue.broken(detail));
            }
        }
        Ok(())
    }

    fn check_cursors(&self) -> Result {
        for phone in &self.phones {
            for state in phone.file.replica.scopes()? {
                let head = self.hub.log(state.scope).map(ScopeLog::head);
                if head.is_none_or(|head| (head.position, head.chain.0) != (state.position, state.chain)) {
                    return Err(Promise::CursorAtHead.broken(format!("{state:?}, not {head:?}")));
                }
            }
        }
        Ok(())
    }

    /// A trainer sees no household, a member both scopes of the team.
    fn check_own_scopes(&self) -> Result {
        for phone in &self.phones {
            let kinds: Vec<i64> = phone.scopes().iter().map(|held| held.kind).collect();
            let team = ScopeKind::Team as i64;
            if phone.who.role != Role::Trainer {
                if kinds.len() != 2 {
                    return Err(Promise::Converges.broken(format!("a member's scopes are {kinds:?}")));
                }
                continue;
            }
            let registry = phone.file.replica.schema().registry;
            let filled = phone.file.filled()?;
            let of_team = registry.tables.iter().filter(|table| table.scope == ScopeKind::Team);
            let seen: Vec<&str> =
                of_team.map(|table| table.plural).filter(|name| filled.contains(name)).collect();
            if kinds.contains(&team) || !seen.is_empty() {
                return Err(Promise::OwnScopesOnly.broken(format!("a trainer holds {kinds:?}, {seen:?}")));
            }
        }
        Ok(())
    }

    /// Every replica is what a fresh one becomes that hears the hub's log in another order, some of it twice.
    fn check_replicas(&mut self) -> Result {
        let mut kinds: BTreeSet<Kind> = self.phones.iter().map(|phone| phone.file.kind).collect();
        kinds.insert(Kind { newer: false, searched: false });
        let mut logs: Vec<(ScopeId, Vec<Change>)> = Vec::new();
        for log in &self.hub.logs {
            let changes = log.rows.iter().map(|row| decoded(&row.bytes)).collect::<Result<_>>()?;
            logs.push((log.scope, changes));
        }
        let rows = logs.iter().flat_map(|(_, changes)| changes).flat_map(|change| &change.rows);
        let written: BTreeSet<u8> = rows.map(|row| row.table).collect();
        let mut wanted: BTreeMap<Kind, (Dumper, BTreeMap<ScopeId, Dump>)> = BTreeMap::new();
        for kind in kinds {
            let mut fresh = self.pool.take(kind)?;
            self.fill(&mut fresh, &logs)?;
            if kind.newer || self.phones.iter().all(|phone| !phone.who.newer) {
                logs.iter().try_for_each(|(_, changes)| Oracle::new(changes).check(&mut fresh))?;
            }
            let dumper = Dumper::new(fresh.replica.schema().registry, &written);
            let dumps = dumper.dump(&fresh)?;
            wanted.insert(kind, (dumper, dumps));
            self.pool.give(fresh)?;
        }
        let must_be_fresh = |file: &File, whose: &str| {
            let (dumper, wanted) = &wanted[&file.kind];
            let found = dumper.dump(file)?;
            found.iter().try_for_each(|(scope, found)| dumper.must_be_equal(found, &wanted[scope], whose))
        };
        for (at, phone) in self.phones.iter().enumerate() {
            must_be_fresh(&phone.file, &format!("phone {at}"))?;
        }
        must_be_fresh(self.hub.cache(self.now_ms)?, "the hub's cache")?;
        let hashes: Vec<u64> =
            wanted.values().flat_map(|(_, dumps)| dumps.values().map(Dump::hash)).collect();
        self.trace.note("end", &hashes);
        Ok(())
    }

    fn fill(&mut self, fresh: &mut File, logs: &[(ScopeId, Vec<Change>)]) -> Result {
        let mut batch = fresh.replica.begin()?;
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (at, log) in self.hub.logs.iter().enumerate() {
            batch.add_scope(log.scope, log.kind)?;
            order.extend((0..log.rows.len()).map(|row| (at, row)));
            order.extend((0..log.rows.len()).filter(|_| self.dice.chance(100)).map(|row| (at, row)));
        }
        for at in (1..order.len()).rev() {
            order.swap(at, self.dice.below(at + 1));
        }
        for (at, row) in order {
            let (scope, changes) = &logs[at];
            batch.apply(*scope, self.hub.logs[at].rows[row].author, &changes[row])?;
        }
        Ok(batch.commit()?)
    }
}
