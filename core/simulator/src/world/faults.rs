//! What strikes phones and hub between requests: killed processes, old copies, clocks, roles.

use super::{MAX_PHONES, MAX_RESTORES, MAX_ROLLBACKS, World};
use crate::broken::Result;
use crate::handset::{DAY_MS, any_skew};
use crate::phone::Phone;
use crate::pool::Kind;
use langso_domain::id::Key;

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
        if self.restores == MAX_RESTORES * self.luck() {
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
        if self.backups.is_empty() || self.restores == MAX_RESTORES * self.luck() {
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
        let left = phone.own_keys();
        self.weak.extend(before.difference(&left));
        self.forget_weak();
        self.trace.note("restore", &[at as u64, with_journal.into(), found as u64]);
        Ok(())
    }

    fn luck(&self) -> u32 {
        1 + u32::from(self.is_storm)
    }

    /// What its author's phone has lost is gone when nobody else has it.
    fn forget_weak(&mut self) {
        let is_held = |key: &Key| self.hub.keeps(*key) || self.phones.iter().any(|phone| phone.holds(*key));
        let lost: Vec<Key> = self.weak.iter().copied().filter(|key| !is_held(key)).collect();
        self.gone.extend(lost);
    }

    /// One more thing that should not happen.
    pub(super) fn storm(&mut self, at: usize) -> Result {
        match self.dice.below(6) {
            0 | 1 => self.copy_hub(),
            2 | 3 => self.roll_back(),
            4 => self.back_up(at),
            _ => self.restore(),
        }
    }

    /// The hub is copied: by its own backup, or by whoever runs the machine.
    pub(super) fn copy_hub(&mut self) -> Result {
        let is_backup = self.dice.chance(600);
        self.hub.copy(self.now_ms, is_backup);
        self.trace.note("copy_hub", &[is_backup.into()]);
        Ok(())
    }

    /// The hub is set back to a copy and told nobody; it goes on with other work.
    pub(super) fn roll_back(&mut self) -> Result {
        let copies = self.hub.copies(self.now_ms);
        if copies == 0 || self.rollbacks == MAX_ROLLBACKS * self.luck() {
            return Ok(());
        }
        self.rollbacks += 1;
        let which = self.dice.below(copies);
        self.hub.roll_back(which)?;
        self.forget_weak();
        self.trace.note("roll_back", &[which as u64]);
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
        let mut phone = Phone::new(twin.key.clone(), who, twin.handset, file);
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
