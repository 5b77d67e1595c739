//! What strikes phones and hub between requests: killed processes, old copies, clocks, roles.
//!
//! Here is the place for what is still to come: a hub restored from its backup, snapshots and repair, grants,
//! hand-over, erasure, members who change their team.

use super::{MAX_PHONES, MAX_RESTORES, World};
use crate::broken::Result;
use crate::handset::{DAY_MS, any_skew};
use crate::phone::Phone;
use crate::pool::Kind;

impl World<'_> {
    pub(super) fn kill(&mut self, at: usize) -> Result {
        self.trace.note("kill", &[at as u64]);
        self.start_again(at)
    }

    pub(super) fn kill_hub(&mut self) -> Result {
        self.trace.note("kill_hub", &[]);
        self.hub.catch_up(self.now_ms)?;
        self.hub.restart()
    }

    /// A backup program copies a phone's folder.
    pub(super) fn back_up(&mut self, at: usize) -> Result {
        if self.restores == MAX_RESTORES {
            return Ok(());
        }
        let backup = self.phones[at].backup()?;
        self.trace.note("back_up", &[at as u64]);
        self.backups.retain(|(of, _)| *of != at);
        self.backups.push((at, backup));
        Ok(())
    }

    /// A phone is set up anew from an old copy; its journal is as old, or lay elsewhere and has everything.
    pub(super) fn restore(&mut self) -> Result {
        if self.backups.is_empty() || self.restores == MAX_RESTORES {
            return Ok(());
        }
        self.restores += 1;
        let which = self.dice.below(self.backups.len());
        let with_journal = self.dice.chance(600);
        let (at, backup) = &self.backups[which];
        let at = *at;
        let phone = &mut self.phones[at];
        let before = phone.own_keys();
        let found = phone.restore(backup, with_journal, self.rule)?;
        if with_journal {
            // What nobody else had went with the newer self.
            let left = phone.own_keys();
            self.gone.extend(before.difference(&left).filter(|key| !self.hub.keeps(**key)));
        }
        self.trace.note("restore", &[at as u64, with_journal.into(), found as u64]);
        Ok(())
    }

    /// A copy of a phone lives on beside it, with the same key.
    pub(super) fn clone_phone(&mut self) -> Result {
        if self.backups.is_empty() || self.phones.len() == MAX_PHONES {
            return Ok(());
        }
        let (at, backup) = &self.backups[self.dice.below(self.backups.len())];
        let twin = &self.phones[*at];
        let who = twin.who;
        let file = self.pool.take(Kind { newer: who.newer, searched: self.searched })?;
        let mut phone = Phone::new(twin.seed, who, twin.handset, file);
        let found = phone.restore(backup, true, self.rule)?;
        self.trace.note("clone", &[*at as u64, found as u64]);
        self.phones.push(phone);
        Ok(())
    }

    /// Somebody sets the clock of a telephone.
    pub(super) fn set_clock(&mut self, at: usize) -> Result {
        let handset = self.phones[at].handset;
        self.handsets[handset].skew_ms = any_skew(&mut self.dice);
        self.trace.note("set_clock", &[handset as u64]);
        Ok(())
    }

    /// A telephone starts anew, and every process on it.
    pub(super) fn reboot(&mut self, at: usize) -> Result {
        let handset = self.phones[at].handset;
        self.handsets[handset].reboot(self.now_ms);
        self.trace.note("reboot", &[handset as u64]);
        for at in 0..self.phones.len() {
            if self.phones[at].handset == handset {
                self.start_again(at)?;
            }
        }
        Ok(())
    }

    pub(super) fn set_hub_clock(&mut self) -> Result {
        self.hub.skew_ms = any_skew(&mut self.dice);
        self.trace.note("set_hub_clock", &[]);
        Ok(())
    }

    /// The lead admits what was set aside.
    pub(super) fn admit(&mut self) -> Result {
        if let Some(key) = self.hub.admit() {
            self.trace.note("admit", &[key.writer.0, key.seq.into()]);
        }
        Ok(())
    }

    /// Days without anything.
    pub(super) fn leap(&mut self) -> Result {
        self.now_ms += DAY_MS * if self.dice.chance(800) { 1 } else { 1 + self.dice.below(9) as u64 };
        self.trace.note("leap", &[self.now_ms]);
        Ok(())
    }
}
