//! Facts about this phone, kept by name in `phone_facts`: small JSON values with one type each.

use langso_domain::id::{DeviceId, MemberId, ScopeId, TeamId};
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Result};

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
}

/// Reads a fact; none when it was never written.
pub(crate) fn get<T: DeserializeOwned>(connection: &Connection, name: &str) -> Result<Option<T>> {
    let mut get = connection.prepare_cached("SELECT value FROM phone_facts WHERE name = ?1")?;
    let text: Option<String> = get.query_row([name], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| AppError::Corrupt)).transpose()
}

/// Writes a fact.
pub(crate) fn put<T: Serialize + ?Sized>(connection: &Connection, name: &str, value: &T) -> Result<()> {
    let text = serde_json::to_string(value).map_err(AppError::unexpected)?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO phone_facts (name, value) VALUES (?1, ?2)")?
        .execute((name, text))?;
    Ok(())
}

/// How far the hub's verified backup reaches in a scope.
pub(crate) type Watermarks = Vec<(ScopeId, u64)>;
