//! Copies of the hub: backups that were read back and raise the watermark, and copies of the machine that nobody told the
//! hub about. It goes on from any of them with other work, under the same key.

use std::collections::{BTreeMap, HashMap};

use langso_domain::id::{DeviceId, ScopeId, Writer};
use langso_sync::change;
use langso_sync::history::SETTLE_MS;

use super::{Aside, Device, Hub, LogRow};
use crate::broken::Result;
use crate::pen::{HeldScope, Pen};

/// All that a hub would not make anew.
#[derive(Debug)]
pub(crate) struct HubCopy {
    at_ms: u64,
    is_backup: bool,
    logs: Vec<(Vec<LogRow>, u64)>,
    bound: HashMap<Writer, (ScopeId, DeviceId)>,
    aside: Vec<Aside>,
    devices: BTreeMap<DeviceId, Device>,
}

impl Hub {
    /// Copies the hub. A backup is read back and then raises the watermark; what it holds says so too.
    pub fn copy(&mut self, now_ms: u64, is_backup: bool) {
        if is_backup {
            self.logs.iter_mut().for_each(|log| log.watermark = log.rows.len() as u64);
        }
        let logs = self.logs.iter().map(|log| (log.rows.clone(), log.watermark)).collect();
        let (bound, aside, devices) = (self.bound.clone(), self.aside.clone(), self.devices.clone());
        self.copies.push(HubCopy { at_ms: now_ms, is_backup, logs, bound, aside, devices });
    }

    /// How many copies the hub may yet be set back to: the newest backup, and whatever is younger than the time for which
    /// phones keep what a backup has.
    pub fn copies(&mut self, now_ms: u64) -> usize {
        let newest = self.copies.iter().rposition(|copy| copy.is_backup);
        let mut at = 0;
        self.copies.retain(|copy| {
            at += 1;
            Some(at - 1) == newest || copy.at_ms + SETTLE_MS > now_ms
        });
        self.copies.len()
    }

    /// The hub is what one of its copies was.
    pub fn roll_back(&mut self, which: usize) -> Result {
        let copy = &self.copies[which];
        for (log, (rows, watermark)) in self.logs.iter_mut().zip(&copy.logs) {
            log.rows.clone_from(rows);
            log.watermark = *watermark;
            log.cached = 0;
        }
        self.bound.clone_from(&copy.bound);
        self.aside.clone_from(&copy.aside);
        self.devices.clone_from(&copy.devices);
        self.places.clear();
        for log in &self.logs {
            for (row, position) in log.rows.iter().zip(1..) {
                self.places.insert(row.key, (log.scope, position, change::hash(&row.bytes)));
            }
        }
        self.pen = Pen::default();
        self.cache.empty()?;
        let mut batch = self.cache.replica.begin()?;
        self.held.clear();
        for log in &self.logs {
            let number = batch.add_scope(log.scope, log.kind)?;
            self.held.push(HeldScope { kind: log.kind as i64, number, scope: log.scope });
        }
        Ok(batch.commit()?)
    }
}
