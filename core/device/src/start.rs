//! Opening a phone, whatever its files have been through: every piece that is damaged is found, set aside and made
//! anew from another one, so that the phone opens and has lost nothing unsent.
//!
//! How damage is looked for: SQLite itself tells most of it. After a stop that was none of its own (its log is still
//! there), and once a week, the file's structure is checked at open, which reads the whole file once. Own changes and
//! receipts carry checksums, which are looked at at every open; the copy of who the phone is carries one too, and names
//! the scopes that must be there. A value that has changed inside a sound row is for the digest to find.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use langso_domain::id::DeviceId;
use langso_domain::registry::ScopeKind;
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::clock::{Clock, Stamp};
use langso_sync::digest::{COUNT_EVERY_MS, is_due};
use langso_sync::keys::SigningKey;
use rusqlite::{Connection, OptionalExtension};

use crate::ballast;
use crate::damage::{self, Damage, what};
use crate::error::{AppError, Result};
use crate::facts::{self, Identity, name};
use crate::folder::{Folder, set_aside};
use crate::identity_copy::{self, Known};
use crate::journal::{Contents, Journal};
use crate::key;
use crate::leave;
use crate::phone::{Authors, Phone};
use crate::rebuild;
use crate::reconcile::{Reconciled, reconcile};
use crate::time::TimeSource;

const READ_ONLY: &str = "folder_read_only";

impl Phone {
    /// Opens or makes the phone in a folder: takes the lock, upgrades the file, mends what is damaged, and holds
    /// database and journal against each other. What was mended is told by `phone.get_state`.
    ///
    /// # Errors
    /// `Locked` when another process has it, the folder can be neither written nor read, or both files of the key are
    /// gone or damaged (`keystore_gone`); `OutdatedApp` for a newer app's data, `StorageFull`. Nothing was changed then but what was mended.
    pub fn open(path: &Path, time: Arc<dyn TimeSource>) -> Result<Self> {
        let opened = Folder::open(path).and_then(|folder| Self::start(folder, time.clone()));
        match opened {
            Err(AppError::Locked { why }) if why == READ_ONLY => Self::look(path, time),
            opened => opened,
        }
    }

    /// Opens a phone in a folder that cannot be written, for reading: every write is refused as SQLite refuses it.
    fn look(path: &Path, time: Arc<dyn TimeSource>) -> Result<Self> {
        let folder = Folder::look(path)?;
        let locked = || AppError::Locked { why: READ_ONLY.to_owned() };
        let copy = identity_copy::read(path)?.known();
        let replica = match Replica::open_to_look(&folder.database(), CURRENT, Purpose::Phone) {
            Err(error @ langso_store::Error::NewerSchema { .. }) => return Err(error.into()),
            replica => replica.map_err(|_| locked())?,
        };
        let identity =
            copy.identity.or(facts::get(replica.connection(), name::IDENTITY).map_err(|_| locked())?);
        let journal = Journal::look(&folder.journal()).map_err(|_| locked())?;
        match key::find(path, identity.as_ref().map(|identity| identity.device))? {
            key::Found::Sound(key) | key::Found::Half(key, _) => {
                Self::of(Parts { folder, time, key, journal, identity, replica }, Reconciled::default())
            }
            key::Found::None | key::Found::Lost => Err(key_lost()),
        }
    }

    pub(crate) fn start(folder: Folder, time: Arc<dyn TimeSource>) -> Result<Self> {
        rebuild::finish(&folder)?;
        let mut damage = Damage { found_at: time.wall_ms(), ..Damage::default() };
        match Self::assemble(&folder, &time, &mut damage) {
            // The second time it is not the database, or the new one is damaged already: then somebody shall look.
            Err(AppError::Corrupt) => {
                Self::rebuild(&folder, time.as_ref())?;
                Self::assemble(&folder, &time, &mut damage)
            }
            Err(AppError::StorageFull) if ballast::is_kept(folder.path()) => {
                ballast::give_up(folder.path());
                Self::start(folder, time)
            }
            opened => opened,
        }
    }

    /// `Corrupt` is said of the database alone.
    fn assemble(folder: &Folder, time: &Arc<dyn TimeSource>, damage: &mut Damage) -> Result<Self> {
        let found = identity_copy::read(folder.path())?;
        if found == identity_copy::Found::Damaged {
            damage.add(what::IDENTITY, set_aside(&identity_copy::path(folder.path()))?);
        }
        let copy = found.known();
        let (mut journal, contents) = Journal::open(&folder.journal())?;
        // A torn tail is what any power cut leaves, and the database has what stood there.
        if contents.damaged.iter().any(|range| range.end < contents.length) {
            damage.add(what::JOURNAL, None);
        }
        if !folder.database().exists() && (copy.identity.is_some() || !contents.records.is_empty()) {
            return Err(AppError::Corrupt);
        }
        let mut replica = Replica::open(&folder.database(), CURRENT, Purpose::Phone)?;
        prepare(replica.connection())?;
        check(replica.connection(), folder, time.wall_ms())?;
        if facts::forget_damaged(replica.connection())? {
            damage.add(what::SETTINGS, None);
        }
        let identity = settle_identity(replica.connection(), &copy, damage)?;
        check_scopes(&mut replica, &copy)?;
        let key = find_key(folder, identity.as_ref(), &contents, damage)?;
        let reconciled = reconcile(&mut replica, &mut journal, key.id(), &contents.records, folder)?;
        reconciled.damage.what.iter().for_each(|of| damage.add(of, None));
        damage.set_aside.extend(reconciled.damage.set_aside.iter().cloned());
        damage.note(replica.connection())?;
        let (folder, time) = (folder.clone(), time.clone());
        let phone = Self::of(Parts { folder, time, key, journal, identity, replica }, reconciled)?;
        ballast::keep(phone.folder.path());
        Ok(phone)
    }

    fn of(parts: Parts, reconciled: Reconciled) -> Result<Self> {
        let connection = parts.replica.connection();
        let hub_time = facts::get(connection, name::HUB_TIME)?;
        let last: u64 = facts::get(connection, name::LAST_STAMP)?.unwrap_or_default();
        let mut phone = Self {
            device: parts.key.id(),
            key: parts.key,
            clock: Clock::after(reconciled.newest.max(Stamp(last))),
            hub_time,
            known: RefCell::new(None),
            lists: RefCell::default(),
            heard: 0,
            settled: None,
            time: parts.time,
            journal: parts.journal,
            authors: Authors::default(),
            identity: parts.identity,
            unplaced: reconciled.unplaced,
            scopes: Vec::new(),
            replica: parts.replica,
            saves: 0,
            generation: 0,
            is_closed: false,
            folder: parts.folder,
        };
        phone.reload_scopes()?;
        Ok(phone)
    }

    fn rebuild(folder: &Folder, time: &dyn TimeSource) -> Result<()> {
        let copy = identity_copy::read(folder.path())?.known();
        let (_, contents) = Journal::open(&folder.journal())?;
        rebuild::rebuild(folder, &copy, &contents.records, time.wall_ms())
    }

    /// Sets a database aside that was found damaged while it was open, and goes on with a new one.
    ///
    /// # Errors
    /// `StorageFull` and the like: the phone is closed then, and opens again when there is room.
    pub(crate) fn heal(&mut self) -> Result<()> {
        if damage::get(self.connection()).is_ok_and(|known| known.is_some_and(|known| known.is_rebuilt())) {
            // A new one so soon is not damaged by chance: what is met is no damage of the file, and another copy of it
            // would only fill the phone.
            return Err(AppError::Corrupt);
        }
        if self.folder.is_read_only() {
            return Err(AppError::Corrupt);
        }
        let closed = Replica::in_memory(CURRENT, Purpose::Phone)?;
        // Whatever comes of it, nothing that was begun with the old one goes on.
        self.generation += 1;
        self.is_closed = true;
        drop(std::mem::replace(&mut self.replica, closed));
        let mut made = Self::rebuild(&self.folder, self.time.as_ref());
        if made == Err(AppError::StorageFull) && ballast::is_kept(self.folder.path()) {
            ballast::give_up(self.folder.path());
            made = Self::rebuild(&self.folder, self.time.as_ref());
        }
        made?;
        let opened = Self::start(self.folder.clone(), self.time.clone())?;
        *self = Self { generation: self.generation, saves: self.saves, ..opened };
        Ok(())
    }

    /// Writes the copy of who this phone is, when it is no longer what the database says.
    pub(crate) fn keep_copy(&self) -> Result<()> {
        self.write_copy(self.identity.clone())
    }

    /// Writes the copy before the database learns of the identity.
    pub(crate) fn keep_copy_of(&self, identity: &Identity) -> Result<()> {
        self.write_copy(Some(identity.clone()))
    }

    fn write_copy(&self, identity: Option<Identity>) -> Result<()> {
        if self.folder.is_read_only() {
            return Ok(());
        }
        let scopes = self.scopes.iter().map(|(kind, _, scope)| (*scope, *kind as i64)).collect();
        let known = Known { identity, scopes };
        let folder = self.folder.path();
        if identity_copy::read(folder)? == identity_copy::Found::Whole(known.clone()) {
            return Ok(());
        }
        identity_copy::write(folder, &known)
    }
}

/// What an open phone is made of.
struct Parts {
    folder: Folder,
    time: Arc<dyn TimeSource>,
    key: SigningKey,
    journal: Journal,
    identity: Option<Identity>,
    replica: Replica,
}

/// Who the phone is: as the copy says, which is never behind.
fn settle_identity(connection: &Connection, copy: &Known, damage: &mut Damage) -> Result<Option<Identity>> {
    let held: Option<Identity> = facts::get(connection, name::IDENTITY)?;
    let Some(identity) = &copy.identity else {
        let is_damaged = held.is_none() && facts::is_there(connection, name::IDENTITY)?;
        return if is_damaged { Err(AppError::Corrupt) } else { Ok(held) };
    };
    // The copy is written before the database learns of the identity, and names scopes only when the database has them.
    if !facts::is_there(connection, name::IDENTITY)? && !copy.scopes.is_empty() {
        // The file was emptied, or put back from before the phone had a team.
        damage.add(what::DATABASE, None);
    }
    if held.as_ref() != Some(identity) {
        facts::put(connection, name::IDENTITY, identity)?;
    }
    Ok(Some(identity.clone()))
}

/// An older copy of the file lacks scopes; one in which a scope's name has changed has another in its place.
fn check_scopes(replica: &mut Replica, copy: &Known) -> Result<()> {
    let held = replica.scopes()?;
    let missing: Vec<_> =
        copy.scopes.iter().filter(|(scope, _)| held.iter().all(|state| state.scope != *scope)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if held.iter().any(|state| copy.scopes.iter().all(|(scope, _)| state.scope != *scope)) {
        return Err(AppError::Corrupt);
    }
    let mut batch = replica.begin()?;
    for (scope, kind) in missing {
        if let Some(kind) = ScopeKind::from_number(*kind) {
            leave::come_in(&mut batch, *scope, kind)?;
        }
    }
    Ok(batch.commit()?)
}

/// After a stop that left its log, and once a week: whether the file's pages hold together. Reads all of it.
fn check(connection: &Connection, folder: &Folder, now_ms: i64) -> Result<()> {
    let checked: Option<i64> = facts::get(connection, name::CHECKED_AT)?;
    let is_due = is_due(checked, now_ms, COUNT_EVERY_MS);
    if !(is_due || folder.was_stopped_short()) {
        return Ok(());
    }
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer != "ok" {
        return Err(AppError::Corrupt);
    }
    if is_due { facts::put(connection, name::CHECKED_AT, &now_ms) } else { Ok(()) }
}

fn key_lost() -> AppError {
    AppError::Locked { why: "keystore_gone".to_owned() }
}

fn find_key(
    folder: &Folder,
    identity: Option<&Identity>,
    contents: &Contents,
    damage: &mut Damage,
) -> Result<SigningKey> {
    let device: Option<DeviceId> = identity.map(|identity| identity.device);
    match key::find(folder.path(), device)? {
        key::Found::Sound(key) => Ok(key),
        key::Found::Half(key, seed) => {
            damage.add(what::KEY, None);
            key::mend(folder.path(), &seed)?;
            Ok(key)
        }
        key::Found::None if contents.records.is_empty() => key::mint(folder.path()),
        key::Found::None | key::Found::Lost => Err(key_lost()),
    }
}

/// Makes the phone's own tables in a fresh file.
pub(crate) fn prepare(connection: &Connection) -> Result<()> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE name = 'phone_facts'";
    if connection.query_row(sql, [], |_| Ok(())).optional()?.is_none() {
        let schema = include_str!("../sql/0001_phone.sql");
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT;"))?;
    }
    Ok(())
}
