//! Rows at the hub: each scope's are a replica of their own, a SQLite file that the log makes again at any time.
//!
//! Nothing here is worth keeping: a file that is gone, damaged, of another history or of a newer program is made anew.
//! Several processes may bring one file up to its head at a time; each applies inside its own transaction from where
//! the file then stands.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_domain::date::CivilDate;
use langso_domain::id::{ScopeId, to_base32};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Change;
use langso_sync::digest::Digest;
use rusqlite::{Connection, ErrorCode, OptionalExtension};

use crate::keys::private_folder;
use crate::log::{self, Log, Position};

/// Changes applied in one transaction, and their bytes.
const BATCH: (u32, usize) = (5_000, 8 * 1024 * 1024);
/// Files kept open for the next use.
const KEPT: usize = 32;

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See the log.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// See the store.
    #[error(transparent)]
    Store(#[from] langso_store::Error),
    /// The folder of the files cannot be used.
    #[error("folder of replicas: {0}")]
    Io(#[from] std::io::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(why: rusqlite::Error) -> Self {
        Self::Store(why.into())
    }
}

/// The replicas of a hub's folder.
#[derive(Debug)]
pub struct Replicas {
    folder: PathBuf,
    log: Arc<Log>,
    open: Mutex<Open>,
    /// Held while a file is opened: two who make one at the same moment stand in each other's way.
    opening: Mutex<()>,
}

/// What this process knows of the files.
#[derive(Debug, Default)]
struct Open {
    idle: HashMap<ScopeId, Replica>,
    /// How often the file of a scope was thrown away. What was opened before is of a file that is no more.
    renewed: HashMap<ScopeId, u64>,
    /// Looked through for damage since the process began.
    checked: HashSet<ScopeId>,
    /// Made anew from the log, and when.
    proven: HashMap<ScopeId, CivilDate>,
}

impl Replicas {
    /// Files in `folder`, which is made when it is first needed, of the scopes of `log`.
    pub fn new(folder: PathBuf, log: Arc<Log>) -> Self {
        Self { folder, log, open: Mutex::default(), opening: Mutex::default() }
    }

    /// Where the files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Hands the rows of a scope, brought up to the head, to `read`, with the position they are of.
    ///
    /// # Errors
    /// [`Error`], or what `read` gives; [`log::Error::UnknownScope`] for a scope that the hub never minted.
    pub fn with<T, E: From<Error>>(
        &self,
        scope: ScopeId,
        read: impl FnOnce(&mut Replica, Position) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut replica, position, age) = self.current(scope)?;
        let given = read(&mut replica, position)?;
        let Open { idle, renewed, .. } = &mut *self.open_files();
        if age != renewed.get(&scope).copied() {
            return Ok(given);
        }
        if idle.len() >= KEPT
            && let Some(other) = idle.keys().next().copied()
        {
            idle.remove(&other);
        }
        idle.insert(scope, replica);
        Ok(given)
    }

    /// The digest of a scope's rows at a cursor; none when that is not the head.
    ///
    /// # Errors
    /// [`Error`].
    pub fn digest_at(&self, scope: ScopeId, at: Cursor) -> Result<Option<Digest>, Error> {
        self.with(scope, |replica, _| {
            if cursor(replica.connection(), scope)? != Some(at) {
                return Ok(None);
            }
            Ok(match replica.digest(scope)? {
                Some(digest) => Some(digest),
                None => replica.recount()?.first().map(|counted| counted.digest),
            })
        })
    }

    /// Whether the rows of a scope are not what was written, by counting them.
    ///
    /// # Errors
    /// [`Error`].
    pub fn is_damaged(&self, scope: ScopeId) -> Result<bool, Error> {
        let counted = self.with::<_, Error>(scope, |replica, _| Ok(replica.recount()?));
        match counted {
            Ok(counted) => Ok(!matches!(counted[..], [of] if of.scope == scope && !of.is_damaged())),
            Err(Error::Store(why)) if is_of_no_use(&why) => Ok(true),
            Err(why) => Err(why),
        }
    }

    /// Makes the file of a scope anew from the log, and notes the day.
    ///
    /// # Errors
    /// [`Error`].
    pub fn make_anew(&self, scope: ScopeId, today: CivilDate) -> Result<(), Error> {
        self.throw_away(scope)?;
        self.with::<_, Error>(scope, |_, _| Ok(()))?;
        self.open_files().proven.insert(scope, today);
        Ok(())
    }

    /// The last day on which this process made the file of a scope anew.
    pub fn proven_on(&self, scope: ScopeId) -> Option<CivilDate> {
        self.open_files().proven.get(&scope).copied()
    }

    /// The file goes; whoever has it open does not put it back for the next use.
    fn throw_away(&self, scope: ScopeId) -> std::io::Result<()> {
        let Open { idle, renewed, .. } = &mut *self.open_files();
        idle.remove(&scope);
        *renewed.entry(scope).or_default() += 1;
        remove(&self.path(scope))
    }

    /// The replica of a scope at its head, and how often its file had been thrown away when it was taken.
    fn current(&self, scope: ScopeId) -> Result<(Replica, Position, Option<u64>), Error> {
        let mut is_anew = false;
        loop {
            let (idle, age) = {
                let Open { idle, renewed, .. } = &mut *self.open_files();
                (idle.remove(&scope), renewed.get(&scope).copied())
            };
            let path = self.path(scope);
            let made = match idle.filter(|_| path.exists()) {
                Some(replica) => self.catch_up(replica, scope),
                None => self.open(scope, &path).and_then(|replica| self.catch_up(replica, scope)),
            };
            match made {
                Ok(Some((replica, position))) => return Ok((replica, position, age)),
                // Somebody threw the file away while it was opened here: whatever went wrong is of that file.
                _ if age != self.open_files().renewed.get(&scope).copied() => continue,
                Ok(None) if is_anew => return Err(Error::Log(log::Error::UnknownScope)),
                Ok(None) => tracing::warn!("a replica is of another history and is made anew"),
                Err(Error::Store(why)) if !is_anew && is_of_no_use(&why) => {
                    tracing::warn!(%why, "a replica cannot be used and is made anew");
                }
                Err(why) => return Err(why),
            }
            self.throw_away(scope)?;
            is_anew = true;
        }
    }

    fn path(&self, scope: ScopeId) -> PathBuf {
        self.folder.join(format!("{}.db", to_base32(&scope.0)))
    }

    fn open_files(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, scope: ScopeId, path: &Path) -> Result<Replica, Error> {
        private_folder(&self.folder)?;
        let replica = {
            let _alone = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            Replica::open(path, CURRENT, Purpose::HubCache)?
        };
        if !self.open_files().checked.insert(scope) {
            return Ok(replica);
        }
        // Commits are not forced to the disk, so that a loss of power may have left half a page.
        let verdict: String =
            replica.connection().query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(damaged, None).into());
        }
        Ok(replica)
    }

    /// Applies what the log holds above the file; none when the file is of another history.
    fn catch_up(&self, mut replica: Replica, scope: ScopeId) -> Result<Option<(Replica, Position)>, Error> {
        let state = self.log.scope(scope)?.ok_or(log::Error::UnknownScope)?;
        let head = Cursor { position: state.head, chain: state.chain };
        if cursor(replica.connection(), scope)? == Some(head) {
            return Ok(Some((replica, head.position)));
        }
        loop {
            let mut batch = replica.begin()?;
            batch.add_scope(scope, state.kind)?;
            // Read inside the transaction: another process may have been here.
            let from = cursor(batch.connection(), scope)?.ok_or(langso_store::Error::UnknownScope)?;
            if !self.log.knows(scope, from)? {
                return Ok(None);
            }
            let stored = self.log.changes_after(scope, from.position, BATCH.0, BATCH.1)?;
            let Some(last) = stored.last() else {
                batch.commit()?;
                return Ok(Some((replica, from.position)));
            };
            for one in &stored {
                let change = Change::decode(&one.bytes).map_err(langso_store::Error::from)?;
                batch.apply(scope, one.device, &change)?;
            }
            batch.set_cursor(scope, last.position, last.chain.0)?;
            batch.commit()?;
        }
    }
}

/// How far a file is.
fn cursor(connection: &Connection, scope: ScopeId) -> Result<Option<Cursor>, Error> {
    let mut get = connection.prepare_cached("SELECT position, chain FROM scopes WHERE scope = ?1")?;
    let found = get.query_row([scope.0], |row| {
        Ok(Cursor { position: row.get::<_, i64>(0)? as Position, chain: Chain(row.get(1)?) })
    });
    Ok(found.optional()?)
}

/// Whether a file is to be thrown away: it is a cache, so that neither damage nor a newer program's schema is a loss.
fn is_of_no_use(why: &langso_store::Error) -> bool {
    match why {
        langso_store::Error::NewerSchema { .. } => true,
        langso_store::Error::Sqlite(why) => matches!(
            why.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        ),
        _ => false,
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
    }
    Ok(())
}
