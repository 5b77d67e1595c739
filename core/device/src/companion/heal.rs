//! Damage that is met while the phone is open: the database is set aside, and the work goes on with a new one.

use super::Companion;
use crate::error::Result;

impl Companion {
    /// Sets the damaged database aside and goes on with a new one made of the journal and of whatever can still be read;
    /// the next sync fetches the rest. For a call that ended with `Corrupt`; [`Companion::call`] does so by itself.
    ///
    /// # Errors
    /// `StorageFull` and the like: the phone is closed then, and opens again when there is room. `Corrupt` when that was
    /// done since the last whole sync: what is met is then no damage of the file.
    pub fn heal(&self) -> Result<()> {
        self.phone().heal()
    }

    /// Opens a phone again that had no room to be healed.
    pub(super) fn open_again(&self) -> Result<()> {
        let mut phone = self.phone();
        if phone.is_closed { phone.heal() } else { Ok(()) }
    }

    /// Heals; whether the call that met the damage had saved nothing and can be made again.
    pub(super) fn heal_after(&self, saves: u64) -> Result<bool> {
        let mut phone = self.phone();
        let has_saved = phone.saves != saves;
        phone.heal()?;
        Ok(!has_saved)
    }
}
