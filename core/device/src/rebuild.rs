//! A new database in the place of a damaged one, made of what is known: who the phone is, the changes it wrote, and
//! whatever of the rest can be read out of the damaged file. What the hub has is fetched again: cursors begin at 0.
//!
//! The damaged file is renamed, never written to and never deleted. The new one is whole before it takes the name: a
//! crash at any moment leaves either the old one, to be rebuilt again, or the new one. Receipts are not taken over: a
//! damaged one would pass unsent work for sent, and the hub says them again.

use std::fs;
use std::path::{Path, PathBuf};

use langso_domain::id::{DeviceId, ScopeId};
use langso_domain::registry::{CURRENT as REGISTRY, ScopeKind};
use langso_store::{Batch, CURRENT, Purpose, Replica};
use langso_sync::change::Change;
use langso_sync::frame::Outer;
use langso_sync::keys::PublicKey;
use rusqlite::Connection;

use crate::damage::{Damage, what};
use crate::error::{AppError, Result};
use crate::facts::{self, Identity, name};
use crate::fall_back::carry_frame;
use crate::folder::{Folder, beside, sync_folder_of};
use crate::identity_copy::Known;
use crate::journal::Record;
use crate::phone::put_outbox;
use crate::prune::keep_reason;
use crate::reconcile::{put_aside, unlike};
use crate::repair;
use crate::salvage::Wreck;

/// What SQLite keeps beside a database.
pub(crate) const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Facts that are the person's, or that spare a round trip; what they say is not believed further than that.
const FACTS: [&str; 5] = [name::HUB_TIME, name::LAST_STAMP, name::NONCE, name::SETTINGS, name::BUDGET];

/// Tables that never travel, with their keys.
const TABLES: [(&str, &str); 3] =
    [("drafts", "draft_id"), ("saved_once", "token"), ("dismissed_pairs", "one, other")];

/// Finishes a swap that was cut off.
pub(crate) fn finish(folder: &Folder) -> Result<()> {
    let (ready, database) = (ready(folder), folder.database());
    if ready.exists() {
        if database.exists() {
            // The damaged one still has the name: it is found and rebuilt again.
            fs::remove_file(&ready)?;
        } else {
            // Whatever of its log still has the name belongs to what was set aside last.
            set_aside_database(&database, &last_aside(&database))?;
            fs::rename(&ready, &database)?;
            sync_folder_of(&database)?;
        }
    } else if !database.exists() {
        // A log without its database must not come to lie beside another.
        set_aside_database(&database, &aside_of(&database, first_free(&database)))?;
    }
    Ok(())
}

fn aside_of(database: &Path, n: u32) -> PathBuf {
    beside(database, &format!(".damaged-{n}"))
}

/// The first number under which neither a database nor a log was set aside.
fn first_free(database: &Path) -> u32 {
    let is_free = |n: &u32| {
        let aside = aside_of(database, *n);
        BESIDE.into_iter().chain([""]).all(|ending| !beside(&aside, ending).exists())
    };
    (1..).find(is_free).unwrap_or(0)
}

/// The name of the database that a swap has just set aside, when its log is not there yet; else a free one.
fn last_aside(database: &Path) -> PathBuf {
    let free = first_free(database);
    let last = aside_of(database, free.saturating_sub(1));
    let has_log =
        BESIDE.into_iter().any(|ending| beside(&last, ending).exists() && beside(database, ending).exists());
    if last.exists() && !has_log { last } else { aside_of(database, free) }
}

fn ready(folder: &Folder) -> PathBuf {
    beside(&folder.database(), ".ready")
}

fn set_aside_database(database: &Path, aside: &Path) -> Result<()> {
    // The database first: without its log under that name it would be opened as an older one, and what the log held
    // would be gone. A log that stays behind goes along with the next start.
    for (from, to) in moves(database, aside) {
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    Ok(sync_folder_of(database)?)
}

fn moves(database: &Path, aside: &Path) -> [(PathBuf, PathBuf); 3] {
    ["", BESIDE[0], BESIDE[1]].map(|ending| (beside(database, ending), beside(aside, ending)))
}

/// Makes the new database and gives it the name. `records` are the journal's; they are applied when the phone opens.
///
/// # Errors
/// `StorageFull` and the like; the damaged file then still has the name and nothing was changed.
pub(crate) fn rebuild(folder: &Folder, copy: &Known, records: &[Record], now_ms: i64) -> Result<()> {
    let (database, ready) = (folder.database(), ready(folder));
    let part = beside(&database, ".part");
    for path in [&part, &ready] {
        for ending in BESIDE.into_iter().chain([""]) {
            // Half of an earlier attempt, all of it derived.
            drop(fs::remove_file(beside(path, ending)));
        }
    }
    let aside = aside_of(&database, first_free(&database));
    let mut damage = Damage { found_at: now_ms, ..Damage::default() };
    let name = aside.file_name().map(|name| name.to_string_lossy().into_owned());
    damage.add(what::DATABASE, name.filter(|_| database.exists()));
    make(&part, folder, copy, records, damage).inspect_err(|_| drop(fs::remove_file(&part)))?;
    fs::rename(&part, &ready)?;
    sync_folder_of(&ready)?;
    set_aside_database(&database, &aside)?;
    fs::rename(&ready, &database)?;
    sync_folder_of(&database)?;
    // Fetched for rows that are no more; a new one is begun over whatever cannot be removed.
    drop(repair::remove_all(&database));
    Ok(())
}

fn make(part: &Path, folder: &Folder, copy: &Known, records: &[Record], mut damage: Damage) -> Result<()> {
    let database = folder.database();
    let wreck = database.exists().then(|| Wreck::open(&database)).flatten();
    let mut replica = Replica::open(part, CURRENT, Purpose::Phone)?;
    crate::start::prepare(replica.connection())?;
    let identity = copy.identity.clone().or_else(|| wreck.as_ref()?.identity());
    let mut batch = replica.begin()?;
    if let Some(identity) = &identity {
        facts::put(batch.connection(), name::IDENTITY, identity)?;
    }
    add_scopes(&mut batch, copy, wreck.as_ref(), records)?;
    if let Some(wreck) = &wreck {
        let device = identity.as_ref().map_or(DeviceId([0; 8]), |identity| identity.device);
        let doubtful = take_own(&mut batch, wreck, copy, device)?;
        if let Some(aside) = put_aside(folder, &unlike(&doubtful, records))? {
            damage.add(what::OUTBOX, Some(aside));
        }
        take_frames(&mut batch, wreck, identity.as_ref(), damage.found_at)?;
        take_rest(batch.connection(), wreck)?;
        take_reasons(&mut batch, wreck)?;
    }
    damage.note(batch.connection())?;
    batch.commit()?;
    // Closing folds its log into the file.
    drop(replica);
    Ok(fs::File::open(part)?.sync_all()?)
}

fn add_scopes(batch: &mut Batch<'_>, copy: &Known, wreck: Option<&Wreck>, records: &[Record]) -> Result<()> {
    let known = copy.scopes.iter().copied();
    // A scope that only the damaged file names may be a damaged name; the journal's are checked, and tell the kind.
    let found =
        wreck.into_iter().flat_map(|wreck| wreck.scopes.iter().map(|(_, scope, kind)| (*scope, *kind)));
    let written = records.iter().filter_map(|record| Some((record.scope, kind_of(record)? as i64)));
    for (scope, kind) in known.chain(found.filter(|_| copy.scopes.is_empty())).chain(written) {
        if let Some(kind) = ScopeKind::from_number(kind) {
            batch.add_scope(scope, kind)?;
        }
    }
    Ok(())
}

/// The kind of scope in which a change's rows live.
fn kind_of(record: &Record) -> Option<ScopeKind> {
    let change = Change::decode(&record.bytes).ok()?;
    Some(REGISTRY.table(change.rows.first()?.table)?.scope)
}

/// Own changes whose checksum holds; gives what may have been others.
fn take_own(batch: &mut Batch<'_>, wreck: &Wreck, copy: &Known, device: DeviceId) -> Result<Vec<Vec<u8>>> {
    let mut found: Vec<(ScopeId, Vec<u8>)> = Vec::new();
    let scopes: Vec<ScopeId> = copy.scopes.iter().map(|(scope, _)| *scope).collect();
    let doubtful = wreck.outbox(&scopes, |scope, bytes| found.push((scope, bytes)));
    for (scope, bytes) in found {
        let Ok(change) = Change::decode(&bytes) else { continue };
        let Some(number) = batch.find_scope(scope)? else { continue };
        if batch.apply(scope, device, &change)? {
            put_outbox(batch.connection(), (number, scope), &bytes)?;
        }
    }
    Ok(doubtful)
}

/// What the hub signed is as good as fetched again, and there without signal. The positions are told anew: until the
/// hub has served it again from the beginning, it is carried as what the hub may have lost.
fn take_frames(batch: &mut Batch<'_>, wreck: &Wreck, identity: Option<&Identity>, now_ms: i64) -> Result<()> {
    let hub = identity.and_then(|identity| langso_domain::id::from_base32::<32>(&identity.hub_key));
    let Some(hub) = hub.and_then(|key| PublicKey::from_bytes(&key)) else { return Ok(()) };
    let mut outcome = Ok(());
    wreck.kept_frames(|bytes| {
        if outcome.is_ok() {
            outcome = take_frame(batch, &hub, &bytes, Some(now_ms));
        }
    });
    wreck.carried_frames(|bytes| {
        if outcome.is_ok() {
            outcome = take_frame(batch, &hub, &bytes, None);
        }
    });
    outcome
}

fn take_frame(batch: &mut Batch<'_>, hub: &PublicKey, bytes: &[u8], taken_at: Option<i64>) -> Result<()> {
    let Ok(outer) = Outer::whole(bytes) else { return Ok(()) };
    if outer.verify(hub).is_err() {
        return Ok(());
    }
    let Ok(frame) = outer.open() else { return Ok(()) };
    let scope = frame.header.scope;
    let Some(number) = batch.find_scope(scope)? else { return Ok(()) };
    for served in frame.changes() {
        let change = Change::decode(served.bytes).map_err(|_| AppError::unexpected("change"))?;
        batch.apply(scope, served.author, &change)?;
    }
    carry_frame(batch.connection(), number, bytes, &frame, taken_at)
}

fn take_rest(connection: &Connection, wreck: &Wreck) -> Result<()> {
    for name in FACTS {
        if let Some(value) = wreck.fact(name) {
            facts::put_text(connection, name, &value)?;
        }
    }
    let mut outcome = Ok(());
    for (table, key) in TABLES {
        wreck.rows(table, key, |names, values| {
            if outcome.is_ok() {
                outcome = put_row(connection, table, names, values);
            }
        });
    }
    outcome
}

/// Why something was corrected that lies below the prune line: the hub has it, and no row says it.
fn take_reasons(batch: &mut Batch<'_>, wreck: &Wreck) -> Result<()> {
    for (scope, key, bytes) in wreck.reasons() {
        let is_whole = Change::decode(&bytes).is_ok_and(|change| change.key == key);
        if let Some(number) = batch.find_scope(scope)?.filter(|_| is_whole) {
            keep_reason(batch.connection(), number, &bytes)?;
        }
    }
    Ok(())
}

fn put_row(
    connection: &Connection,
    table: &str,
    names: &[String],
    values: Vec<rusqlite::types::Value>,
) -> Result<()> {
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT OR IGNORE INTO {table} ({}) VALUES ({marks})", names.join(", "));
    match connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values)) {
        // A value that the table does not take was damaged.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> Option<String> {
        fs::read(path).ok().map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn a_swap_that_is_cut_off_anywhere_keeps_a_database_and_its_log_together_and_writes_over_nothing() {
        for done in 0..=3 {
            let path = tempfile::tempdir().expect("a folder");
            let folder = Folder::open(path.path()).expect("opens");
            let database = folder.database();
            let first = aside_of(&database, 1);
            // Of an earlier one only the log was left.
            fs::write(beside(&first, "-wal"), "older log").expect("written");
            for (ending, text) in [("", "damaged"), ("-wal", "log"), ("-shm", "index"), (".ready", "new")] {
                fs::write(beside(&database, ending), text).expect("written");
            }
            let aside = aside_of(&database, first_free(&database));
            for (from, to) in moves(&database, &aside).into_iter().take(done) {
                fs::rename(from, to).expect("moved");
            }
            finish(&folder).expect("finished");
            finish(&folder).expect("twice changes nothing");
            let holds = |path: &Path| ["", "-wal", "-shm"].map(|ending| text(&beside(path, ending)));
            let whole = ["damaged", "log", "index"].map(|text| Some(text.to_owned()));
            if done == 0 {
                assert_eq!(holds(&database), whole, "it is found and rebuilt again");
            } else {
                assert_eq!(holds(&database), [Some("new".to_owned()), None, None], "after {done}");
                assert_eq!(holds(&aside), whole, "after {done}");
            }
            assert_eq!(holds(&first), [None, Some("older log".to_owned()), None]);
            assert!(!ready(&folder).exists());
        }
    }
}
