//! When the rows of each scope were last counted; beside the replicas, and worth no more than they are.
//!
//! The one idea: a scope is due when a week has passed since it was counted, whatever days the hub was switched on. One
//! that is seen for the first time is due within a week, a seventh of all of them each day.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use langso_domain::id::ScopeId;
use langso_sync::digest::{COUNT_EVERY_MS, is_due};

use crate::clock::{DAY_MS, Millis};

/// Scopes between two writes: whoever is stopped counts few of them twice.
const AT_ONCE: usize = 64;

/// The times, as they stand in a file.
#[derive(Debug)]
pub(crate) struct Counted {
    path: PathBuf,
    /// By scope, ms UTC.
    at: BTreeMap<ScopeId, i64>,
    unwritten: usize,
}

impl Counted {
    /// Reads the file in that folder. What cannot be read is as good as never counted.
    pub fn read(folder: &Path) -> Self {
        let path = folder.join("counted.json");
        let text = std::fs::read(&path).unwrap_or_default();
        Self { path, at: serde_json::from_slice(&text).unwrap_or_default(), unwritten: 0 }
    }

    /// Which of these scopes are due; forgets all others.
    pub fn list_due(&mut self, scopes: impl IntoIterator<Item = ScopeId>, now: Millis) -> Vec<ScopeId> {
        let before = std::mem::take(&mut self.at);
        let first = |scope: ScopeId| now.0 - i64::from(scope.0[0] % 7 + 1) * DAY_MS;
        for scope in scopes {
            self.at.insert(scope, before.get(&scope).copied().unwrap_or_else(|| first(scope)));
        }
        self.unwritten += usize::from(self.at != before);
        let due = self.at.iter().filter(|(_, at)| is_due(Some(**at), now.0, COUNT_EVERY_MS));
        due.map(|(scope, _)| *scope).collect()
    }

    /// A scope was counted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&mut self, scope: ScopeId, now: Millis) -> std::io::Result<()> {
        self.at.insert(scope, now.0);
        self.unwritten += 1;
        if self.unwritten < AT_ONCE { Ok(()) } else { self.write() }
    }

    /// Writes what was noted, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; it is as it was then.
    pub fn write(&mut self) -> std::io::Result<()> {
        if self.unwritten > 0 {
            let draft = self.path.with_extension("part");
            let text = serde_json::to_vec(&self.at).map_err(std::io::Error::other)?;
            std::fs::File::create(&draft)?.write_all(&text)?;
            std::fs::rename(&draft, &self.path)?;
            self.unwritten = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    fn scopes() -> Vec<ScopeId> {
        (0..14).map(|of| ScopeId([of; 8])).collect()
    }

    /// Counts what is due, as after a new start.
    fn count(folder: &Path, now: Millis) -> Vec<ScopeId> {
        let mut counted = Counted::read(folder);
        let due = counted.list_due(scopes(), now);
        due.iter().for_each(|scope| counted.note(*scope, now).unwrap());
        counted.write().unwrap();
        due
    }

    #[test]
    fn each_scope_is_due_a_week_after_it_was_counted_and_first_within_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut days: BTreeMap<ScopeId, Vec<i64>> = BTreeMap::new();
        for day in 0..21 {
            let due = count(folder.path(), NOW.plus(day * DAY_MS));
            assert_eq!(due.len(), 2, "a seventh each day");
            due.iter().for_each(|scope| days.entry(*scope).or_default().push(day));
        }
        assert!(days.values().all(|on| on.len() == 3 && on[1] - on[0] == 7 && on[2] - on[1] == 7));
    }

    #[test]
    fn a_hub_that_is_on_one_day_a_week_counts_every_scope() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(count(folder.path(), NOW).len(), 2);
        assert_eq!(count(folder.path(), NOW.plus(7 * DAY_MS)).len(), 14);
        assert_eq!(count(folder.path(), NOW.plus(7 * DAY_MS)).len(), 0);
        assert_eq!(count(folder.path(), NOW.plus(14 * DAY_MS)).len(), 14);
    }

    #[test]
    fn a_time_that_lies_ahead_was_told_by_a_wrong_clock_and_a_damaged_file_tells_none() {
        let folder = tempfile::tempdir().unwrap();
        count(folder.path(), NOW.plus(400 * DAY_MS));
        count(folder.path(), NOW.plus(407 * DAY_MS));
        assert_eq!(count(folder.path(), NOW).len(), 14);
        assert_eq!(count(folder.path(), NOW.plus(6 * DAY_MS)).len(), 0);
        std::fs::write(folder.path().join("counted.json"), b"\0").unwrap();
        let all: usize = (7..14).map(|day| count(folder.path(), NOW.plus(day * DAY_MS)).len()).sum();
        assert_eq!(all, 14);
    }
}
