//! A scope whose rows are damaged is fetched anew into a file beside the database and swapped in whole.
//!
//! The file is what a new phone would make of the scope, up to the very place where this phone stands; killed at any
//! moment it is there to go on with, and only derived. The swap is one transaction: rows and applied-memory of the
//! scope, and over them what they do not hold: own changes out of the outbox, and others' that are carried to a hub which
//! has lost them. Outbox, receipts, drafts and frames are not touched.

use std::path::{Path, PathBuf};

use langso_domain::id::{DeviceId, ScopeId, to_base32};
use langso_domain::registry::ScopeKind;
use langso_store::{Batch, CURRENT, Landing, Purpose, Replica};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Change;
use langso_sync::frame::Frame;
use langso_sync::state::StateFrame;

use crate::error::{AppError, Result};
use crate::folder::beside;
use crate::outbox::Row;
use crate::phone::Phone;
use crate::rebuild::BESIDE;
use crate::{digests, fall_back};

/// How the name of such a file goes on behind the database's; that of the scope follows.
const NAME: &str = ".repair-";

/// A scope being fetched anew.
#[derive(Debug)]
pub(crate) struct Repair {
    pub scope: ScopeId,
    /// Where this phone stands: what is fetched is as good as its own rows only there.
    upto: Cursor,
    fresh: Replica,
    path: PathBuf,
}

impl Phone {
    /// Begins to mend a scope whose rows are damaged, or goes on; none when there is none.
    pub(crate) fn begin_repair(&self) -> Result<Option<Repair>> {
        let Some(scope) = digests::next_repair(self.connection(), self.now().ms)? else { return Ok(None) };
        let scopes = self.replica.scopes()?;
        let Some(state) = scopes.iter().find(|state| state.scope == scope) else { return Ok(None) };
        let Some(kind) = ScopeKind::from_number(state.kind) else { return Ok(None) };
        let upto = Cursor { position: state.position, chain: Chain(state.chain) };
        let path = file_of(&self.folder.database(), scope);
        let fresh = match open(&path, scope, kind) {
            Ok(fresh) if at(&fresh)?.position <= upto.position => fresh,
            // A power cut may have left half of it: its commits do not wait for the disk.
            Ok(_) | Err(AppError::Corrupt | AppError::OutdatedApp) => {
                remove(&path)?;
                open(&path, scope, kind)?
            }
            Err(error) => return Err(error),
        };
        Ok(Some(Repair { scope, upto, fresh, path }))
    }

    /// Puts the rows that were fetched in the place of those here, when they are all there; whether it was done.
    pub(crate) fn end_repair(&mut self, repair: Repair) -> Result<bool> {
        let Repair { scope, upto, mut fresh, path } = repair;
        let counted = fresh.recount()?;
        let is_sound = counted.iter().all(|of| of.kept.is_some() && !of.is_damaged());
        if at(&fresh)? != upto || !is_sound {
            drop(fresh);
            remove(&path)?;
            return Ok(false);
        }
        // The journal holds what the outbox may have lost; the next start brings it back, and this goes on then.
        if !is_outbox_sound(self, scope)? {
            return Ok(false);
        }
        drop(fresh);
        let (device, now) = (self.device, self.now().ms);
        self.replica.swap_scope(scope, &path, |batch| {
            replay(batch, scope, device)?;
            digests::note_repaired(batch.connection(), scope, now)
        })?;
        self.heard += 1;
        // The swap leaves cursors as they were: nothing else would tell that what was read of the old rows is past.
        self.forget_known();
        // What the swap could not reach would be found again at once.
        self.replica.recount()?;
        remove(&path)?;
        Ok(true)
    }

    /// Forgets what was fetched of a scope that needs no mending any more.
    pub(crate) fn drop_repair(&self, scope: ScopeId) -> Result<()> {
        remove(&file_of(&self.folder.database(), scope))
    }
}

impl Repair {
    /// What has been fetched.
    pub fn cursor(&self) -> Result<Cursor> {
        at(&self.fresh)
    }

    /// Whether all of it has.
    pub fn is_whole(&self) -> Result<bool> {
        Ok(self.cursor()? == self.upto)
    }

    /// Takes in a frame of the hub, whose signature and chain were checked, as far as this phone has come itself.
    pub fn take_frame(&mut self, frame: &Frame) -> Result<()> {
        let mut cursor = self.cursor()?;
        let mut batch = self.fresh.begin()?;
        batch.abandon_landing(self.scope)?;
        for served in frame.changes() {
            if cursor.position == self.upto.position {
                break;
            }
            if served.position != Some(cursor.position + 1) {
                return Err(AppError::unexpected("position"));
            }
            let change = Change::decode(served.bytes).map_err(|_| AppError::unexpected("change"))?;
            batch.apply(self.scope, served.author, &change)?;
            cursor = cursor.then(change.key);
        }
        batch.set_cursor(self.scope, cursor.position, cursor.chain.0)?;
        Ok(batch.commit()?)
    }

    /// A snapshot of which a part has been fetched.
    pub fn landing(&self) -> Result<Option<Landing>> {
        Ok(self.fresh.landings()?.into_iter().map(|(_, landing)| landing).next())
    }

    /// Takes in a frame of a snapshot. One that goes beyond where this phone stands is of no use in the end, and is
    /// fetched anew when this phone stands there too.
    pub fn take_state(&mut self, frame: &StateFrame) -> Result<()> {
        let mut batch = self.fresh.begin()?;
        batch.land(frame, |_| {})?;
        Ok(batch.commit()?)
    }

    /// The hub does not know what was fetched: it is fetched anew next time.
    pub fn give_up(self) -> Result<()> {
        let Self { fresh, path, .. } = self;
        drop(fresh);
        remove(&path)
    }
}

fn file_of(database: &Path, scope: ScopeId) -> PathBuf {
    beside(database, &format!("{NAME}{}", to_base32(&scope.0)))
}

/// Removes whatever was fetched for the rows of a database that is no more.
pub(crate) fn remove_all(database: &Path) -> Result<()> {
    let Some((folder, name)) = database.parent().zip(database.file_name()) else { return Ok(()) };
    let begins = format!("{}{NAME}", name.to_string_lossy());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&begins) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open(path: &Path, scope: ScopeId, kind: ScopeKind) -> Result<Replica> {
    let mut fresh = Replica::open(path, CURRENT, Purpose::HubCache)?;
    let verdict: String = fresh.connection().query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(AppError::Corrupt);
    }
    let mut batch = fresh.begin()?;
    batch.add_scope(scope, kind)?;
    batch.commit()?;
    Ok(fresh)
}

fn at(fresh: &Replica) -> Result<Cursor> {
    let scopes = fresh.scopes()?;
    let state = scopes.first().ok_or(AppError::Corrupt)?;
    Ok(Cursor { position: state.position, chain: Chain(state.chain) })
}

fn remove(path: &Path) -> Result<()> {
    for ending in BESIDE.into_iter().chain([""]) {
        match std::fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn list_own(connection: &rusqlite::Connection, scope: ScopeId) -> Result<Vec<i64>> {
    let sql =
        "SELECT o.n FROM outbox AS o JOIN scopes AS s ON s.number = o.scope WHERE s.scope = ?1 ORDER BY o.n";
    let mut get = connection.prepare_cached(sql)?;
    let list = get.query_map([scope.0], |row| row.get(0))?;
    Ok(list.collect::<rusqlite::Result<_>>()?)
}

fn is_outbox_sound(phone: &Phone, scope: ScopeId) -> Result<bool> {
    for n in list_own(phone.connection(), scope)? {
        if !Row::get(phone.connection(), n)?.is_some_and(|row| row.is_whole_in(scope)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn replay(batch: &mut Batch<'_>, scope: ScopeId, device: DeviceId) -> Result<()> {
    for n in list_own(batch.connection(), scope)? {
        let row = Row::get(batch.connection(), n)?.ok_or(AppError::Corrupt)?;
        let change = Change::decode(&row.bytes).map_err(|_| AppError::Corrupt)?;
        batch.replay(scope, device, &change)?;
    }
    let sql =
        "SELECT c.bytes FROM carried_frames AS c JOIN scopes AS s ON s.number = c.scope WHERE s.scope = ?1";
    let mut get = batch.connection().prepare(sql)?;
    let carried =
        get.query_map([scope.0], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    drop(get);
    for bytes in carried {
        let frame = fall_back::open_kept(&bytes)?;
        for carried in frame.changes() {
            let change = Change::decode(carried.bytes).map_err(|_| AppError::Corrupt)?;
            batch.apply(scope, carried.author, &change)?;
        }
    }
    Ok(())
}
