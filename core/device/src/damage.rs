//! What was damaged and has been mended: told as one condition until a sync has come to its end, by which time all
//! that could be fetched again has been.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::facts::{self, name};

/// The names of what can be damaged; an open list.
pub(crate) mod what {
    /// The database: the rows of others are fetched again, own ones are there.
    pub const DATABASE: &str = "database";
    /// Records of the journal: the database had them.
    pub const JOURNAL: &str = "journal";
    /// An own change of which no whole copy was left; what was left of it is set aside.
    pub const OUTBOX: &str = "outbox";
    /// One of the two files of the key.
    pub const KEY: &str = "key";
    /// The copy of who this phone is.
    pub const IDENTITY: &str = "identity";
    /// What the person chose on this phone: it is as on a new one again.
    pub const SETTINGS: &str = "settings";
}

/// What befell this phone's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Damage {
    /// What was damaged. Open list: `database`, `journal`, `key`, `identity`, `settings`; and `outbox`, the only one by which
    /// something that was saved could not be read again.
    pub what: Vec<String>,
    /// When it was found, ms UTC by the phone's own clock.
    pub found_at: i64,
    /// The damaged files, by the names they have now. They are kept until somebody takes them away.
    pub set_aside: Vec<String>,
}

impl Damage {
    pub(crate) fn add(&mut self, what: &str, set_aside: impl IntoIterator<Item = String>) {
        if !self.what.iter().any(|of| of == what) {
            self.what.push(what.to_owned());
        }
        self.set_aside.extend(set_aside);
    }

    /// The rows of others are being fetched again.
    pub fn is_rebuilt(&self) -> bool {
        self.what.iter().any(|of| of == what::DATABASE)
    }

    /// Notes it beside what is known already.
    pub(crate) fn note(&self, connection: &Connection) -> Result<()> {
        if self.what.is_empty() {
            return Ok(());
        }
        let mut all = get(connection)?.unwrap_or_else(|| Self { found_at: self.found_at, ..Self::default() });
        let set_aside: Vec<_> =
            self.set_aside.iter().filter(|name| !all.set_aside.contains(name)).cloned().collect();
        self.what.iter().for_each(|what| all.add(what, None));
        all.set_aside.extend(set_aside);
        facts::put(connection, name::DAMAGE, &all)
    }
}

/// What befell, and no sync has come to its end since.
pub(crate) fn get(connection: &Connection) -> Result<Option<Damage>> {
    facts::get(connection, name::DAMAGE)
}

/// A sync has come to its end.
pub(crate) fn clear(connection: &Connection) -> Result<()> {
    connection.prepare_cached("DELETE FROM phone_facts WHERE name = ?1")?.execute([name::DAMAGE])?;
    Ok(())
}
