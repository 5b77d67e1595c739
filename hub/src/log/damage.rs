//! Where rows were found not to be what the log comes to: counted by scope and device, for the operator.

use langso_domain::id::{DeviceId, ScopeId};
use rusqlite::params;

use super::read::position;
use super::{Log, Result, statements};
use crate::clock::Millis;

/// Rows that were damaged, and have been or are being made anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Of which scope.
    pub scope: ScopeId,
    /// On whose phone; the hub's own device for a replica here.
    pub device: DeviceId,
    /// How often it was found.
    pub count: u64,
    /// When last, hub time.
    pub last_at: Millis,
}

impl Log {
    /// Counts that a device's rows of a scope were damaged.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn count_damage(&self, scope: ScopeId, device: DeviceId, now: Millis) -> Result<()> {
        self.write(|transaction| {
            let mut count = transaction.prepare_cached(statements::COUNT_DAMAGE)?;
            count.execute(params![scope.0, device.0, now.0])?;
            Ok(())
        })
    }

    /// What was found in a scope, the oldest first.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn list_damages(&self, scope: ScopeId) -> Result<Vec<Damage>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::DAMAGES_OF)?;
            let rows = statement.query_map([scope.0], |row| {
                let (device, count) = (DeviceId(row.get(0)?), position(row, 1)?);
                Ok(Damage { scope, device, count, last_at: Millis(row.get(2)?) })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
