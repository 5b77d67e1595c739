//! What one process of a phone or hub writes with: a clock and, in each scope, a writer of its own; and a save being
//! written.
//!
//! The one idea to hold: the pen is memory of a process. It is gone with the process, and its writers with any
//! failed commit.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{DeviceId, RowId, ScopeId, Writer};
use langso_domain::registry::Registry;
use langso_store::Batch;
use langso_sync::author::{Author, Draft};
use langso_sync::change::{Base, Change, Name, extra};
use langso_sync::clock::{ADOPT_AHEAD_MS, Clock, Stamp};
use langso_sync::merge::RowState;
use langso_sync::value::Value;

use crate::broken::{Promise, Result};
use crate::dice::Dice;
use crate::rule::Rule;

/// A scope as a replica holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldScope {
    pub kind: i64,
    pub number: i64,
    pub scope: ScopeId,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Pen {
    pub clock: Clock,
    /// The newest stamp of another, which no real program follows without a bound.
    pub heard: Stamp,
    pub authors: BTreeMap<ScopeId, Author>,
}

/// A moment as a phone knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub ms: u64,
    pub is_sure: bool,
}

/// A save being written; its changes become one transaction.
pub(crate) struct Saving<'b, 'a> {
    pub batch: &'b mut Batch<'a>,
    pub registry: Registry,
    pub rule: Option<Rule>,
    pen: &'b mut Pen,
    scopes: &'b [HeldScope],
    device: DeviceId,
    writers: &'b mut Dice,
    drafts: Vec<(HeldScope, Draft)>,
    seen: BTreeMap<RowId, RowState>,
}

/// What a save has made.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub changes: Vec<(HeldScope, Change, Vec<u8>)>,
    /// Rows made, by table.
    pub rows: Vec<(u8, RowId)>,
}

impl Pen {
    /// Begins a save.
    pub fn begin<'b, 'a>(
        &'b mut self,
        batch: &'b mut Batch<'a>,
        registry: Registry,
        scopes: &'b [HeldScope],
        device: DeviceId,
        (writers, rule): (&'b mut Dice, Option<Rule>),
    ) -> Saving<'b, 'a> {
        let (drafts, seen) = (Vec::new(), BTreeMap::new());
        Saving { batch, registry, rule, pen: self, scopes, device, writers, drafts, seen }
    }

    /// The writers with the last number that each has given.
    pub fn numbers(&self) -> Vec<(ScopeId, Writer, u32)> {
        let last = |author: &Author| author.draft().key().seq - 1;
        self.authors.iter().map(|(scope, author)| (*scope, author.writer(), last(author))).collect()
    }

    /// Writers that go on after a number, as no real program may.
    pub fn resume(&mut self, numbers: &[(ScopeId, Writer, u32)]) {
        for (scope, writer, last) in numbers {
            let mut author = Author::new(*writer);
            for _ in 0..*last {
                let draft = author.draft();
                author.finish(draft, &mut Clock::default(), 0);
            }
            self.authors.insert(*scope, author);
        }
    }
}

impl Saving<'_, '_> {
    /// Makes a row; none when no scope of the table's kind is held.
    pub fn create(
        &mut self,
        table: u8,
        fields: impl IntoIterator<Item = (u8, Value)>,
    ) -> Result<Option<RowId>> {
        let Some(at) = self.draft_for(table)? else { return Ok(None) };
        Ok(Some(self.drafts[at].1.create(table, fields)?))
    }

    /// Patches a row; false when it is not here to be seen, or this save has patched it.
    pub fn patch(&mut self, table: u8, id: RowId, fields: BTreeMap<u8, Value>) -> Result<bool> {
        let Some(known) = self.registry.table(table) else { return Ok(false) };
        if self.seen.contains_key(&id) {
            return Ok(false);
        }
        let Some(state) = self.batch.row_state(known, id)?.filter(|state| state.created.is_some()) else {
            return Ok(false);
        };
        let Some(at) = self.draft_for(table)? else { return Ok(false) };
        // Only who gives a number twice comes upon a row of the change being written: what that does is seen elsewhere.
        if id.key() == Some(self.drafts[at].1.key()) {
            return Ok(false);
        }
        self.drafts[at].1.patch(table, id, &state, fields)?;
        self.seen.insert(id, state);
        Ok(true)
    }

    fn draft_for(&mut self, table: u8) -> Result<Option<usize>> {
        let Some(table) = self.registry.table(table) else { return Ok(None) };
        if let Some(at) = self.drafts.iter().position(|(held, _)| held.kind == table.scope as i64) {
            return Ok(Some(at));
        }
        let Some(held) = self.scopes.iter().find(|held| held.kind == table.scope as i64) else {
            return Ok(None);
        };
        if !self.pen.authors.get(&held.scope).is_some_and(Author::has_room) {
            let writer = Writer(self.writers.next());
            self.batch.begin_writer(writer, held.number, self.device)?;
            self.pen.authors.insert(held.scope, Author::new(writer));
        }
        self.drafts.push((*held, self.pen.authors[&held.scope].draft()));
        Ok(Some(self.drafts.len() - 1))
    }

    /// Stamps and applies what was written; what the rows then show is looked at before the commit.
    pub fn finish(mut self, now: Moment) -> Result<Written> {
        let mut written = Written::default();
        for (held, mut draft) in std::mem::take(&mut self.drafts) {
            if draft.is_empty() {
                continue;
            }
            if !now.is_sure {
                draft.say(extra::CLOCK_UNSURE, Value::Bool(true));
            }
            let mut blind = self.pen.clock;
            let author = self.pen.authors.get_mut(&held.scope).expect("made with its draft");
            let mut change = author.finish(draft, &mut self.pen.clock, now.ms);
            if self.rule == Some(Rule::StampAboveSeen) {
                change.stamp = blind.stamp(now.ms, Stamp::default());
            }
            if self.rule == Some(Rule::HybridClock) {
                change.stamp = Stamp::at_ms(now.ms);
            }
            if self.rule == Some(Rule::AdoptOneDayAhead) {
                change.stamp = change.stamp.max(self.pen.heard.next());
            }
            if self.rule == Some(Rule::BaseNamesEveryHead) {
                self.name_what_showed_alone(&mut change);
            }
            self.batch.apply_own(held.number, &change)?;
            self.look(&change, now)?;
            for (place, row) in change.rows.iter().enumerate().filter(|(_, row)| row.patch.is_none()) {
                written.rows.push((row.table, change.key.row(place as u8)));
            }
            let bytes = change.encode();
            written.changes.push((held, change, bytes));
        }
        Ok(written)
    }

    /// What an author has just written comes after all it overwrites, is all that its fields show and
    /// hold, puts nothing on the shelf, and is stamped no further ahead than it must be.
    fn look(&mut self, change: &Change, now: Moment) -> Result {
        let newest = self.seen.values().map(RowState::newest_stamp).max().unwrap_or_default();
        if change.stamp > newest.next() && change.stamp.ms() > now.ms + ADOPT_AHEAD_MS + 1 {
            let detail = format!("{} is stamped {:?} at {}", change.key, change.stamp, now.ms);
            return Err(Promise::ClockBounded.broken(detail));
        }
        for row in &change.rows {
            let Some(patch) = &row.patch else { continue };
            let table = self.registry.table(row.table).expect("looked up when it was patched");
            if self.seen.get(&patch.target).is_some_and(|seen| seen.newest_stamp() >= change.stamp) {
                let detail = format!("{} {} is stamped before what it overwrites", table.name, patch.target);
                return Err(Promise::EditShows.broken(detail));
            }
            let state = self.batch.row_state(table, patch.target)?.unwrap_or_default();
            let before =
                self.seen.get(&patch.target).map(|seen| seen.conflicts(patch.target)).unwrap_or_default();
            if let Some(field) = state.conflicts(patch.target).difference(&before).next() {
                let detail = format!("{} field {field} of {} is on the shelf", table.name, patch.target);
                return Err(Promise::EditShows.broken(detail));
            }
            for (number, value) in &row.fields {
                let heads = state.fields.get(number).map_or(&[][..], |field| &field.heads);
                let names: BTreeSet<Name> = heads.iter().map(|head| head.name).collect();
                if names != BTreeSet::from([Name::Change(change.key)]) || heads[0].value != *value {
                    let detail =
                        format!("{} field {number} of {} after {}", table.name, patch.target, change.key);
                    return Err(Promise::EditShows.broken(detail));
                }
            }
        }
        Ok(())
    }

    fn name_what_showed_alone(&self, change: &mut Change) {
        for row in &mut change.rows {
            let Some(patch) = &mut row.patch else { continue };
            let Some(state) = self.seen.get(&patch.target) else { continue };
            let shown = |field: &u8| {
                let state = state.fields.get(field)?;
                Some(state.shown(patch.target)?.name)
            };
            let named = row.fields.keys();
            let base = named.map(|field| (*field, vec![shown(field).unwrap_or(Name::Create)])).collect();
            patch.base = Base::ByField(base);
        }
    }
}
