//! Rescue: everything unsent out of a folder that may be half dead, without changing a byte of it.
//!
//! Own changes are gathered from the journal, the database and every file that was set aside, whichever can be read;
//! only those whose checksum holds are taken. With the device's key they become frames, which a hub judges like any
//! others; without it they are records as of a journal, for which somebody must vouch.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use langso_domain::id::{DeviceId, Key, ScopeId};
use langso_domain::registry::CURRENT;
use langso_sync::change::{self, Change};
use langso_sync::frame::FrameBuilder;
use langso_sync::keys::SigningKey;

use crate::error::{AppError, Result};
use crate::folder::{beside, create_private, sync_folder_of};
use crate::identity_copy;
use crate::journal;
use crate::key;
use crate::rebuild::BESIDE;
use crate::salvage::Wreck;

/// Frames stay near this, so that a hub takes them as it takes those of a sync.
const FRAME_BYTES: usize = 64 * 1024;

/// What was rescued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// What is in the file, in order of writing.
    pub changes: Vec<RescuedChange>,
    /// The device whose changes they are, as far as that is known.
    pub device: Option<DeviceId>,
    /// The key was there: the file holds frames. Else it holds records, and a hub takes them for the device that an
    /// operator names.
    pub is_signed: bool,
    /// What the hub has was told apart and left out. Else everything is in the file, and the hub knows what it has.
    pub are_receipts_known: bool,
    /// Pieces of own changes of which no whole copy was found; they are where they were.
    pub unreadable: usize,
}

/// One own change in the file. Nothing personal is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescuedChange {
    /// Its key.
    pub key: Key,
    /// Its scope.
    pub scope: ScopeId,
    /// When it was written, ms UTC.
    pub at_ms: i64,
    /// The rows it writes: singular name of the table, and how many.
    pub rows: Vec<(String, usize)>,
}

/// Own changes as they were found.
#[derive(Default)]
struct Found {
    whole: BTreeMap<Key, (ScopeId, Vec<u8>)>,
    doubtful: Vec<Vec<u8>>,
}

impl Found {
    fn take(&mut self, scope: ScopeId, bytes: Vec<u8>) {
        if let Ok((head, _)) = change::scan(&bytes) {
            self.whole.entry(head.key).or_insert((scope, bytes));
        }
    }
}

/// Writes all that is unsent in a phone's folder to a new file that nobody else may read. The folder is only read.
///
/// # Errors
/// `InvalidInput` for `to` (`file_exists`): no file is written over. `Locked` while the phone is open. `NotFound` when
/// the folder holds nothing of a phone. `StorageFull` and the like.
pub fn rescue(folder: &Path, to: &Path) -> Result<Rescued> {
    let _lock = look(folder)?;
    if to.exists() {
        return Err(AppError::invalid("to", "file_exists"));
    }
    let copy = identity_copy::read(folder)?.known();
    let mut found = Found::default();
    let mut scopes: Vec<ScopeId> = copy.scopes.iter().map(|(scope, _)| *scope).collect();
    for path in files(folder, "journal")? {
        for record in journal::read(&std::fs::read(path)?).records {
            scopes.push(record.scope);
            found.take(record.scope, record.bytes);
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    let (mut identity, mut receipts) = (copy.identity, None);
    let databases = files(folder, "phone.db")?;
    let databases: Vec<_> = databases.iter().filter(|path| is_database(path)).collect();
    for database in &databases {
        // SQLite keeps files beside what it reads: it reads a copy.
        let scratch = Scratch::of(database, to)?;
        let Some(wreck) = Wreck::open(&scratch.0.join("phone.db")) else { continue };
        let doubtful = wreck.outbox(&scopes, |scope, bytes| found.take(scope, bytes));
        found.doubtful.extend(doubtful);
        if **database == folder.join("phone.db") {
            identity = identity.or_else(|| wreck.identity());
            receipts = wreck.receipts();
        }
    }
    if databases.is_empty() && found.whole.is_empty() && identity.is_none() {
        return Err(AppError::NotFound);
    }
    let are_receipts_known = receipts.is_some();
    let is_sent = |key: &Key| {
        receipts
            .iter()
            .flatten()
            .any(|(writer, first, last)| *writer == key.writer && (*first..=*last).contains(&key.seq))
    };
    let mut unsent: Vec<_> = found.whole.into_iter().filter(|(key, _)| !is_sent(key)).collect();
    langso_domain::order::sort_by_key(&mut unsent, |(_, (_, bytes))| {
        change::scan(bytes).map(|(head, _)| head.stamp).ok()
    });
    let device = identity.map(|identity| identity.device);
    let key = match key::find(folder, device)? {
        key::Found::Sound(key) | key::Found::Half(key, _) => Some(key),
        key::Found::None | key::Found::Lost => None,
    };
    write(to, &unsent, key.as_ref())?;
    Ok(Rescued {
        changes: unsent.iter().filter_map(|(key, (scope, bytes))| describe(*key, *scope, bytes)).collect(),
        device: device.or_else(|| key.as_ref().map(SigningKey::id)),
        is_signed: key.is_some(),
        are_receipts_known,
        unreadable: found.doubtful.len(),
    })
}

/// Nobody writes while the folder is read; a folder without a lock file is nobody's.
fn look(folder: &Path) -> Result<Option<std::fs::File>> {
    let Ok(lock) = std::fs::File::open(folder.join("phone.lock")) else { return Ok(None) };
    match lock.try_lock_shared() {
        Err(std::fs::TryLockError::WouldBlock) => Err(AppError::Locked { why: "open_elsewhere".to_owned() }),
        // Where nothing can be locked, nothing can be written.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(Some(lock)),
    }
}

/// The files of that name, the one in use first, then those that were set aside.
fn files(folder: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_one = |of: &str| of == name || of.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if path.file_name().is_some_and(|of| is_one(&of.to_string_lossy())) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_database(path: &Path) -> bool {
    !BESIDE.iter().any(|ending| path.to_string_lossy().ends_with(ending))
}

/// A copy of a database with its log, beside the file that is written: there is room there, or the rescue ends anyway.
struct Scratch(PathBuf);

impl Scratch {
    fn of(database: &Path, to: &Path) -> Result<Self> {
        let folder = beside(to, ".work");
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        let scratch = Self(folder);
        std::fs::copy(database, scratch.0.join("phone.db"))?;
        let log = beside(database, "-wal");
        if log.exists() {
            std::fs::copy(log, scratch.0.join("phone.db-wal"))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A copy that stays is private, and the next rescue says that it is in the way.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn write(to: &Path, unsent: &[(Key, (ScopeId, Vec<u8>))], key: Option<&SigningKey>) -> Result<()> {
    let mut all = Vec::new();
    match key {
        Some(key) => frames(unsent, key, &mut all),
        None => unsent.iter().for_each(|(_, (scope, bytes))| journal::encode(*scope, bytes, &mut all)),
    }
    let mut file = create_private(to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => AppError::invalid("to", "file_exists"),
        _ => error.into(),
    })?;
    let written = file.write_all(&all).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| sync_folder_of(to)) {
        // Half a rescue would pass for one.
        drop(std::fs::remove_file(to));
        return Err(error.into());
    }
    Ok(())
}

/// Signed as in a sync: in order of writing, a frame for each scope, and another when it is full.
fn frames(unsent: &[(Key, (ScopeId, Vec<u8>))], key: &SigningKey, all: &mut Vec<u8>) {
    let begin = |scope| FrameBuilder::new(scope, CURRENT.schema, FRAME_BYTES);
    let mut open: BTreeMap<ScopeId, FrameBuilder> = BTreeMap::new();
    for (_, (scope, bytes)) in unsent {
        let frame = open.entry(*scope).or_insert_with(|| begin(*scope));
        if frame.push(bytes).is_err() {
            let full = std::mem::replace(frame, begin(*scope));
            all.extend(full.build(key).into_iter().flatten());
            frame.push(bytes).expect("one change is always taken");
        }
    }
    open.into_values().for_each(|frame| all.extend(frame.build(key).into_iter().flatten()));
}

fn describe(key: Key, scope: ScopeId, bytes: &[u8]) -> Option<RescuedChange> {
    let change = Change::decode(bytes).ok()?;
    let mut rows: Vec<(String, usize)> = Vec::new();
    for row in &change.rows {
        let name =
            CURRENT.table(row.table).map_or_else(|| format!("table {}", row.table), |of| of.name.to_owned());
        match rows.iter_mut().find(|(of, _)| *of == name) {
            Some((_, count)) => *count += 1,
            None => rows.push((name, 1)),
        }
    }
    Some(RescuedChange { key, scope, at_ms: change.stamp.ms() as i64, rows })
}
