//! Facts about this phone, kept by name in `phone_facts`: small JSON values with one type each, and a checksum.
//!
//! One idea: a fact of which a bit has changed is none. Behind each value stand a line feed and the sum of its name and
//! its text, so that no flipped digit is believed: what is gone is asked of the hub again, counted anew, or taken for the
//! worse of what it may have been. The first release wrote values without a sum; they get theirs at the next open.

use langso_domain::id::{DeviceId, MemberId, ScopeId, TeamId, to_base32};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// What stands under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact<T> {
    /// Nothing was ever written.
    Absent,
    /// As it was written.
    Sound(T),
    /// Something was written, and is not that any more.
    Damaged,
}

/// Reads a fact; none when it was never written, or is damaged. Who this phone is stands in a copy of its own; the hub
/// says the others again, or they are counted anew, or [`forget_damaged`] has told that they are gone.
pub(crate) fn get<T: DeserializeOwned>(connection: &Connection, name: &str) -> Result<Option<T>> {
    Ok(match look(connection, name)? {
        Fact::Sound(value) => Some(value),
        Fact::Absent | Fact::Damaged => None,
    })
}

/// Reads a fact for which a damaged one must not be as good as none.
pub(crate) fn look<T: DeserializeOwned>(connection: &Connection, name: &str) -> Result<Fact<T>> {
    let mut get = connection.prepare_cached("SELECT value FROM phone_facts WHERE name = ?1")?;
    let value = get.query_row([name], |row| Ok(read(name, row.get_ref(0)?))).optional()?;
    Ok(match value {
        None => Fact::Absent,
        Some(value) => value.map_or(Fact::Damaged, Fact::Sound),
    })
}

/// Whether anything was written, be it readable or not.
pub(crate) fn is_there(connection: &Connection, name: &str) -> Result<bool> {
    let mut get = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM phone_facts WHERE name = ?1)")?;
    Ok(get.query_row([name], |row| row.get(0))?)
}

/// None for what is no JSON of that type, or no longer has its sum.
fn read<T: DeserializeOwned>(name: &str, value: ValueRef<'_>) -> Option<T> {
    serde_json::from_str(text_of(name, value)?).ok()
}

/// The JSON of a value whose sum holds, or that never had one. No JSON is written with a line feed in it, so that what lost
/// its line feed is no JSON.
fn text_of<'v>(name: &str, value: ValueRef<'v>) -> Option<&'v str> {
    let text = value.as_str().ok()?;
    match text.split_once('\n') {
        Some((json, said)) => (said == sum(name, json)).then_some(json),
        None => Some(text),
    }
}

fn sum(name: &str, json: &str) -> String {
    let whole = Sha256::new().chain_update(name).chain_update([0]).chain_update(json).finalize();
    to_base32(&whole[..8])
}

/// Forgets the facts that are damaged, but for those that must not be taken for never written: whoever reads them sees
/// to that. Gives whether what a person chose was among them. What has no sum yet gets one.
pub(crate) fn forget_damaged(connection: &Connection) -> Result<bool> {
    let mut get = connection.prepare("SELECT name, value FROM phone_facts")?;
    let mut rows = get.query([])?;
    let (mut damaged, mut unsummed) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        // A name that is none leads nobody here.
        let Ok(name) = row.get_ref(0)?.as_str() else { continue };
        // Whoever cannot say who the phone is by its copy either has the whole file set aside.
        let is_kept = [name::IDENTITY, name::PRUNING, name::CHECKS].contains(&name);
        let value = row.get_ref(1)?;
        match text_of(name, value).filter(|_| is_sound(name, value)) {
            None if is_kept => {}
            None => damaged.push(name.to_owned()),
            Some(json) if value.as_str() == Ok(json) => unsummed.push((name.to_owned(), json.to_owned())),
            Some(_) => {}
        }
    }
    for (name, json) in &unsummed {
        put_text(connection, name, json)?;
    }
    for name in &damaged {
        connection.execute("DELETE FROM phone_facts WHERE name = ?1", [name])?;
    }
    Ok(damaged.iter().any(|of| [name::SETTINGS, name::BUDGET, name::DAMAGE].contains(&of.as_str())))
}

/// Whether a fact reads as what it is.
fn is_sound(name: &str, value: ValueRef<'_>) -> bool {
    fn is<T: DeserializeOwned>((name, value): (&str, ValueRef<'_>)) -> bool {
        read::<T>(name, value).is_some()
    }
    let value = (name, value);
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
        name::BUDGET => read::<Option<u64>>(name, value.1)
            .is_some_and(|most| most.is_none_or(|most| most >= LEAST_BUDGET)),
        name::CHECKS => is::<Checks>(value),
        name::SETTINGS => is::<Kept>(value),
        name::DAMAGE => is::<Damage>(value),
        name::SETTLED => is::<Note>(value),
        _ => true,
    }
}

/// The JSON of a fact that can be read as what it is.
pub(crate) fn get_sound(connection: &Connection, name: &str) -> Result<Option<String>> {
    let mut get = connection.prepare_cached("SELECT value FROM phone_facts WHERE name = ?1")?;
    let text = get.query_row([name], |row| {
        let value = row.get_ref(0)?;
        Ok(text_of(name, value).filter(|_| is_sound(name, value)).map(str::to_owned))
    });
    Ok(text.optional()?.flatten())
}

/// Writes a fact.
pub(crate) fn put<T: Serialize + ?Sized>(connection: &Connection, name: &str, value: &T) -> Result<()> {
    put_text(connection, name, &serde_json::to_string(value).map_err(AppError::unexpected)?)
}

/// Writes a fact as [`get_sound`] gave it.
pub(crate) fn put_text(connection: &Connection, name: &str, text: &str) -> Result<()> {
    let whole = format!("{text}\n{}", sum(name, text));
    connection
        .prepare_cached("INSERT OR REPLACE INTO phone_facts (name, value) VALUES (?1, ?2)")?
        .execute((name, whole))?;
    Ok(())
}

/// How far the hub's verified backup reaches in a scope.
pub(crate) type Watermarks = Vec<(ScopeId, u64)>;

#[cfg(test)]
mod tests {
    use super::*;

    fn phone() -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        let sql =
            "CREATE TABLE phone_facts (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID";
        connection.execute_batch(sql).expect("a table");
        connection
    }

    fn raw(connection: &Connection, name: &str) -> Vec<u8> {
        let sql = "SELECT CAST(value AS BLOB) FROM phone_facts WHERE name = ?1";
        connection.query_row(sql, [name], |row| row.get(0)).expect("a value")
    }

    fn write_raw(connection: &Connection, name: &str, bytes: &[u8]) {
        let sql = "INSERT OR REPLACE INTO phone_facts (name, value) VALUES (?1, CAST(?2 AS TEXT))";
        connection.execute(sql, (name, bytes)).expect("written");
    }

    #[test]
    fn no_fact_of_which_any_bit_has_changed_is_believed() {
        let connection = phone();
        put(&connection, name::SENT_UPTO, &900).expect("written");
        put(&connection, name::LAST_STAMP, &u64::MAX).expect("written");
        put(&connection, name::LAST_SYNC, &1_795_000_000_000_i64).expect("written");
        put(&connection, name::WATERMARKS, &vec![(ScopeId([1; 8]), 7_u64)]).expect("written");
        put(&connection, name::IS_FORGOTTEN, &true).expect("written");
        for name in [name::SENT_UPTO, name::LAST_STAMP, name::LAST_SYNC, name::WATERMARKS, name::IS_FORGOTTEN]
        {
            let sound = raw(&connection, name);
            let is_read = || look::<serde_json::Value>(&connection, name).expect("reads");
            assert!(matches!(is_read(), Fact::Sound(_)));
            for bit in 0..sound.len() * 8 {
                let mut damaged = sound.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                write_raw(&connection, name, &damaged);
                assert_eq!(is_read(), Fact::Damaged, "bit {bit} of {name}");
                assert_eq!(get_sound(&connection, name), Ok(None), "bit {bit} of {name}");
            }
            write_raw(&connection, name, &sound);
        }
    }

    #[test]
    fn a_fact_stands_under_its_own_name_alone() {
        let connection = phone();
        put(&connection, name::SENT_UPTO, &3).expect("written");
        write_raw(&connection, name::LAST_SYNC, &raw(&connection, name::SENT_UPTO));
        assert_eq!(get::<i64>(&connection, name::LAST_SYNC), Ok(None));
        assert_eq!(look::<i64>(&connection, name::CHECKED_AT), Ok(Fact::Absent));
    }

    #[test]
    fn what_the_first_release_wrote_is_read_and_gets_its_sum_with_the_next_open() {
        let connection = phone();
        write_raw(&connection, name::SENT_UPTO, b"12");
        write_raw(&connection, name::LAST_SYNC, b"1x");
        assert_eq!(get::<i64>(&connection, name::SENT_UPTO), Ok(Some(12)));
        assert_eq!(forget_damaged(&connection), Ok(false));
        assert_eq!(get::<i64>(&connection, name::SENT_UPTO), Ok(Some(12)));
        assert_eq!(look::<i64>(&connection, name::LAST_SYNC), Ok(Fact::Absent));
        let summed = raw(&connection, name::SENT_UPTO);
        assert_eq!(summed.len(), 2 + 1 + 13);
        assert_eq!(forget_damaged(&connection), Ok(false));
        assert_eq!(raw(&connection, name::SENT_UPTO), summed);
    }
}
