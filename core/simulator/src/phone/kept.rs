//! Frames of others, kept as they were received: what a hub that lost them is offered again, and what a teammate handed
//! over.
//!
//! The one idea to hold: a frame that the hub may not have waits until each of its changes has been *shown* by the hub, at
//! a position or in a receipt. That a request with it has ended is not enough: the hub may be rolled back before it shows
//! what it took.

use std::collections::BTreeMap;
use std::rc::Rc;

use langso_domain::id::{Key, ScopeId};
use langso_sync::chain::Cursor;
use langso_sync::history::{Settling, oldest_mark};

use crate::rule::Rule;

/// Whether the hub has a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// It served it, up to this position.
    Served(u64),
    /// It may not have it.
    Offered,
    /// It has taken it, and not shown it yet.
    Taken,
}

#[derive(Debug, Clone)]
struct Kept {
    name: i64,
    scope: ScopeId,
    is_entrusted: bool,
    at: At,
    bytes: Rc<[u8]>,
    keys: Vec<Key>,
    /// Those of its changes that the hub has yet to show.
    unseen: Vec<Key>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frames {
    kept: Vec<Kept>,
    last_name: i64,
    marks: BTreeMap<ScopeId, Vec<Cursor>>,
    settling: BTreeMap<ScopeId, Settling>,
    watermarks: BTreeMap<ScopeId, u64>,
}

impl Frames {
    /// Keeps a frame of the hub, and its end as a mark.
    pub fn keep(&mut self, scope: ScopeId, cursor: Cursor, bytes: &[u8], keys: Vec<Key>) {
        self.show(&keys);
        self.push((scope, false), At::Served(cursor.position), bytes, keys, Vec::new());
        self.mark(scope, cursor);
    }

    /// Keeps a frame that came from a teammate; `unseen` are those of its changes that were new here.
    pub fn entrust(&mut self, scope: ScopeId, bytes: &[u8], keys: Vec<Key>, unseen: Vec<Key>, by_hub: bool) {
        // What the hub signed it once had.
        let at = if by_hub { At::Taken } else { At::Offered };
        self.push((scope, true), at, bytes, keys, unseen);
    }

    fn push(
        &mut self,
        (scope, is_entrusted): (ScopeId, bool),
        at: At,
        bytes: &[u8],
        keys: Vec<Key>,
        unseen: Vec<Key>,
    ) {
        self.last_name += 1;
        let name = self.last_name;
        self.kept.push(Kept { name, scope, is_entrusted, at, bytes: bytes.into(), keys, unseen });
    }

    /// The end of a reply, or of a frame, is a mark.
    pub fn mark(&mut self, scope: ScopeId, cursor: Cursor) {
        let marks = self.marks.entry(scope).or_default();
        if marks.last().is_none_or(|last| last.position < cursor.position) {
            marks.push(cursor);
        }
    }

    /// Marks of a scope, newest first.
    pub fn marks(&self, scope: ScopeId) -> Vec<Cursor> {
        self.marks.get(&scope).into_iter().flatten().rev().copied().collect()
    }

    /// The hub has shown these changes.
    pub fn show(&mut self, keys: &[Key]) {
        self.show_all(|key| keys.contains(&key));
    }

    /// The hub has shown whatever `is_shown` says.
    pub fn show_all(&mut self, is_shown: impl Fn(Key) -> bool) {
        for kept in self.kept.iter_mut().filter(|kept| !matches!(kept.at, At::Served(_))) {
            kept.unseen.retain(|key| !is_shown(*key));
        }
        self.kept.retain(|kept| matches!(kept.at, At::Served(_)) || !kept.unseen.is_empty());
    }

    /// The hub goes on from an older mark: what it served above waits again, but for what is the phone's own to send.
    pub fn fall_back(
        &mut self,
        scope: ScopeId,
        mark: Cursor,
        is_own: impl Fn(Key) -> bool,
        rule: Option<Rule>,
    ) {
        for kept in self.kept.iter_mut().filter(|kept| kept.scope == scope) {
            let is_above = !matches!(kept.at, At::Served(upto) if upto <= mark.position);
            if is_above {
                if matches!(kept.at, At::Served(_)) {
                    kept.unseen = kept.keys.iter().copied().filter(|key| !is_own(*key)).collect();
                }
                kept.at = At::Offered;
            }
        }
        self.kept.retain(|kept| matches!(kept.at, At::Served(_)) || !kept.unseen.is_empty());
        if rule == Some(Rule::PulledOfferedAgain) {
            self.kept.retain(|kept| matches!(kept.at, At::Served(_)));
        }
        self.marks.entry(scope).or_default().retain(|known| known.position <= mark.position);
        self.settling.remove(&scope);
        // The watermark of a history that is no more says nothing.
        self.watermarks.remove(&scope);
    }

    /// What is to be offered, by name; without what teammates handed over, if that is kept to oneself.
    pub fn offered(&self, without_entrusted: bool) -> impl Iterator<Item = (i64, Vec<u8>)> {
        let offered = self.kept.iter().filter(|kept| kept.at == At::Offered);
        let offered = offered.filter(move |kept| !(without_entrusted && kept.is_entrusted));
        offered.map(|kept| (kept.name, kept.bytes.to_vec()))
    }

    /// How many wait, and the longest of them.
    pub fn waiting(&self) -> (usize, usize) {
        let waiting = self.kept.iter().filter(|kept| !matches!(kept.at, At::Served(_)));
        waiting.fold((0, 0), |(count, most), kept| (count + 1, most.max(kept.bytes.len())))
    }

    /// Whether a frame of a scope waits for the hub to show it.
    pub fn waits(&self, scope: ScopeId) -> bool {
        self.kept.iter().any(|kept| kept.scope == scope && !matches!(kept.at, At::Served(_)))
    }

    /// The scope was left, and is no longer here.
    pub fn drop_scope(&mut self, scope: ScopeId) {
        self.forget(scope);
        self.marks.remove(&scope);
        self.settling.remove(&scope);
        self.watermarks.remove(&scope);
    }

    /// Drops whatever is here of a scope, as no real program may.
    pub fn forget(&mut self, scope: ScopeId) {
        self.kept.retain(|kept| kept.scope != scope);
    }

    /// The hub has taken these.
    pub fn taken(&mut self, names: &[i64]) {
        for kept in self.kept.iter_mut().filter(|kept| names.contains(&kept.name)) {
            kept.at = At::Taken;
        }
    }

    /// All of a scope has been shown: what it took and did not show it has no longer.
    pub fn at_head(&mut self, scope: ScopeId) {
        for kept in self.kept.iter_mut().filter(|kept| kept.scope == scope && kept.at == At::Taken) {
            kept.at = At::Offered;
        }
    }

    /// Whether these are the bytes of a frame here.
    pub fn is_kept(&self, bytes: &[u8]) -> bool {
        self.kept.iter().any(|kept| &*kept.bytes == bytes)
    }

    /// Whether some frame here holds a change.
    pub fn holds(&self, key: Key) -> bool {
        self.kept.iter().any(|kept| kept.keys.contains(&key))
    }

    /// Any frame, for a teammate.
    pub fn any(&self, pick: impl FnOnce(usize) -> usize) -> Option<(ScopeId, Rc<[u8]>)> {
        if self.kept.is_empty() {
            return None;
        }
        let kept = &self.kept[pick(self.kept.len())];
        Some((kept.scope, kept.bytes.clone()))
    }

    /// The hub's word on its backup.
    pub fn watermarks(&mut self, list: &[(ScopeId, u64)]) {
        self.watermarks.extend(list.iter().copied());
    }

    /// Notes where a scope stands at the end of a reply and forgets what may be forgotten; gives the prune line.
    pub fn settle(&mut self, now_ms: u64, scope: ScopeId, cursor: u64, rule: Option<Rule>) -> u64 {
        let watermark = self.watermarks.get(&scope).copied().unwrap_or(0);
        let settling = self.settling.entry(scope).or_default();
        let line = match rule {
            Some(Rule::PruneNeedsBackup) => cursor,
            Some(Rule::PruneAfterAWeek) => watermark.min(cursor),
            Some(Rule::PruneBelowOwnCursor) => {
                settling.note(now_ms, watermark, u64::MAX);
                settling.line(now_ms)
            }
            _ => {
                settling.note(now_ms, watermark, cursor);
                settling.line(now_ms)
            }
        };
        if line > 0 {
            self.kept
                .retain(|kept| kept.scope != scope || !matches!(kept.at, At::Served(upto) if upto <= line));
            let marks = self.marks.entry(scope).or_default();
            let oldest = oldest_mark(marks.iter().map(|mark| mark.position), line);
            marks.retain(|mark| mark.position >= oldest);
        }
        line
    }
}
