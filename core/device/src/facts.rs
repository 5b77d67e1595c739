//! Facts about this phone, kept by name in `phone_facts`: small JSON values with one type each.

use langso_domain::id::{DeviceId, MemberId, ScopeId, TeamId};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::companion::conflicts::Note;
use crate::companion::{Kept, LEAST_BUDGET};
use crate::damage::Damage;
use crate::digests::Checks;
use crate::error::{AppError, Result};
use crate::leave::Dropped;
use crate::prune::Pruning;
use crate::time::HubTime;

/// Who this phone is to its hub; written once at enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Where the hub is, without a path.
    pub hub_url: String,
    /// The hub's public key, base32.
    pub hub_key: String,
    /// This device.
    pub device: DeviceId,
    /// Whose phone it is.
    pub member: MemberId,
    /// The team; for a trainer the row of the trainer's own.
    pub team: TeamId,
    /// A number of the list `roles`.
    pub role: u8,
}

/// The names of the facts.
pub(crate) mod name {
    pub const IDENTITY: &str = "identity";
    pub const HUB_TIME: &str = "hub_time";
    pub const LAST_STAMP: &str = "last_stamp";
    pub const NONCE: &str = "nonce";
    pub const REQUEST_SIZE: &str = "request_size";
    pub const SENT_UPTO: &str = "sent_upto";
    pub const WATERMARKS: &str = "watermarks";
    /// Whether the hub opens packed frames.
    pub const PACKS: &str = "packs";
    pub const PRUNING: &str = "pruning";
    pub const IS_FORGOTTEN: &str = "is_forgotten";
    pub const LAST_SYNC: &str = "last_sync";
    /// Scopes of which the hub has signed that this device no longer has them.
    pub const LEFT: &str = "left";
    /// Scopes that were here and went when they had been left.
    pub const DROPPED: &str = "dropped";
    pub const BUDGET: &str = "budget";
    pub const CHECKS: &str = "checks";
    pub const SETTINGS: &str = "settings";
    pub const DAMAGE: &str = "damage";
    pub const CHECKED_AT: &str = "checked_at";
    /// The conflict that was settled last.
    pub const SETTLED: &str = "settled";
}

/// Reads a fact; none when it was never written, or cannot be read as what it is. Who this phone is stands in a copy of
/// its own; the hub says the others again, or they are counted anew, or [`forget_damaged`] has told that they are gone.
pub(crate) fn get<T: DeserializeOwned>(connection: &Connection, name: &str) -> Result<Option<T>> {
    let mut get = connection.prepare_cached("SELECT value FROM phone_facts WHERE name = ?1")?;
    let value = get.query_row([name], |row| Ok(read(row.get_ref(0)?))).optional()?;
    Ok(value.flatten())
}

/// Whether anything was written, be it readable or not.
pub(crate) fn is_there(connection: &Connection, name: &str) -> Result<bool> {
    let mut get = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM phone_facts WHERE name = ?1)")?;
    Ok(get.query_row([name], |row| row.get(0))?)
}

/// None for what is no JSON of that type: one flipped bit makes no text of a text.
fn read<T: DeserializeOwned>(value: ValueRef<'_>) -> Option<T> {
    serde_json::from_slice(value.as_bytes().ok()?).ok()
}

/// Forgets the facts that cannot be read as what they are; whether what a person chose was among them.
pub(crate) fn forget_damaged(connection: &Connection) -> Result<bool> {
    let mut get = connection.prepare("SELECT name, value FROM phone_facts")?;
    let mut rows = get.query([])?;
    let mut damaged = Vec::new();
    while let Some(row) = rows.next()? {
        // A name that is none leads nobody here.
        let Ok(name) = row.get_ref(0)?.as_str() else { continue };
        // Whoever cannot say who the phone is by its copy either has the whole file set aside.
        if name != name::IDENTITY && !is_sound(name, row.get_ref(1)?) {
            damaged.push(name.to_owned());
        }
    }
    for name in &damaged {
        connection.execute("DELETE FROM phone_facts WHERE name = ?1", [name])?;
    }
    Ok(damaged.iter().any(|of| [name::SETTINGS, name::BUDGET, name::DAMAGE].contains(&of.as_str())))
}

/// Whether a fact reads as what it is.
fn is_sound(name: &str, value: ValueRef<'_>) -> bool {
    fn is<T: DeserializeOwned>(value: ValueRef<'_>) -> bool {
        read::<T>(value).is_some()
    }
    match name {
        name::IDENTITY => is::<Identity>(value),
        name::HUB_TIME => is::<HubTime>(value),
        name::NONCE => is::<Vec<u8>>(value),
        name::LAST_STAMP => is::<u64>(value),
        name::REQUEST_SIZE | name::SENT_UPTO | name::LAST_SYNC | name::CHECKED_AT => is::<i64>(value),
        name::WATERMARKS => is::<Watermarks>(value),
        name::PRUNING => is::<Vec<Pruning>>(value),
        name::IS_FORGOTTEN | name::PACKS => is::<bool>(value),
        name::LEFT => is::<Vec<ScopeId>>(value),
        name::DROPPED => is::<Vec<Dropped>>(value),
        // One under which nothing gets through was never chosen.
        name::BUDGET => {
            read::<Option<u64>>(value).is_some_and(|most| most.is_none_or(|most| most >= LEAST_BUDGET))
        }
        name::CHECKS => is::<Checks>(value),
        name::SETTINGS => is::<Kept>(value),
        name::DAMAGE => is::<Damage>(value),
        name::SETTLED => is::<Note>(value),
        _ => true,
    }
}

/// A fact that can be read as what it is, as it is written.
pub(crate) fn get_sound(connection: &Connection, name: &str) -> Result<Option<String>> {
    let mut get = connection.prepare_cached("SELECT value FROM phone_facts WHERE name = ?1")?;
    let text = get.query_row([name], |row| {
        let value = row.get_ref(0)?;
        Ok(if is_sound(name, value) { value.as_str().ok().map(str::to_owned) } else { None })
    });
    Ok(text.optional()?.flatten())
}

/// Writes a fact.
pub(crate) fn put<T: Serialize + ?Sized>(connection: &Connection, name: &str, value: &T) -> Result<()> {
    put_text(connection, name, &serde_json::to_string(value).map_err(AppError::unexpected)?)
}

/// Writes a fact as [`get_sound`] gave it.
pub(crate) fn put_text(connection: &Connection, name: &str, text: &str) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO phone_facts (name, value) VALUES (?1, ?2)")?
        .execute((name, text))?;
    Ok(())
}

/// How far the hub's verified backup reaches in a scope.
pub(crate) type Watermarks = Vec<(ScopeId, u64)>;
