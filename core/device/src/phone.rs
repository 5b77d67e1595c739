//! One phone: a replica, the outbox and the journal beside it, and the one way to write: [`Phone::save`].
//!
//! How it opens, whatever its files have been through, is in `start`. A save is one transaction (rows and outbox), then an append to the journal. The key of a change is never given
//! twice: each process start mints new writers, and so does any failed commit.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_domain::registry::{ScopeKind, Table, VOID};
use langso_store::{Batch, Replica};
use langso_sync::author::{Author, Draft};
use langso_sync::change;
use langso_sync::clock::Clock;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;
use langso_sync::wire::Held;
use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::ballast;
use crate::companion::conflicts::Settled;
use crate::companion::{Known, Lists};
use crate::error::{AppError, Result};
use crate::facts::{self, Identity};
use crate::folder::Folder;
use crate::journal::{self, Journal};
use crate::outbox::Unsent;
use crate::time::{self, HubTime, Now, TimeSource};

/// An open phone. Not shared between threads by itself; `Companion` guards it.
pub struct Phone {
    pub(crate) replica: Replica,
    pub(crate) key: SigningKey,
    pub(crate) device: DeviceId,
    pub(crate) clock: Clock,
    pub(crate) hub_time: Option<HubTime>,
    /// What the hub has said that input is checked against, as of the count in `heard`; see `companion::known`.
    pub(crate) known: RefCell<Option<(u64, Arc<Known>)>>,
    /// See `companion::lists`.
    pub(crate) lists: RefCell<Lists>,
    /// How often this process has written what came from the hub.
    pub(crate) heard: u64,
    /// See `companion::conflicts`.
    pub(crate) settled: Option<Settled>,
    pub(crate) time: Arc<dyn TimeSource>,
    pub(crate) journal: Journal,
    pub(crate) authors: Authors,
    pub(crate) identity: Option<Identity>,
    /// Own writers of which the hub is to be asked where their forgotten changes are; see `reconcile`.
    pub(crate) unplaced: Vec<Held>,
    pub(crate) scopes: Vec<(ScopeKind, i64, ScopeId)>,
    /// How many saves this process has committed.
    pub(crate) saves: u64,
    /// How often this process has set its database aside. In a new one cursors begin at 0 and the outbox is numbered
    /// anew: whoever let go of the phone and comes back must not go on when it differs.
    pub(crate) generation: u64,
    /// Setting a database aside has failed: the phone has none until there is room.
    pub(crate) is_closed: bool,
    pub(crate) folder: Folder,
}

impl Phone {
    /// For reading.
    pub fn connection(&self) -> &Connection {
        self.replica.connection()
    }

    /// For many small questions one after another: as one they take the file's lock once, which is most of what they
    /// cost. Nothing is saved meanwhile.
    pub(crate) fn reading(&self) -> Result<Transaction<'_>> {
        self.end_look()?; // of a call that panicked
        Ok(self.connection().unchecked_transaction()?)
    }

    /// The outbox as it is now.
    pub(crate) fn unsent(&self) -> Result<Unsent> {
        let mut unsent = Unsent::default();
        unsent.refresh(self.connection(), &self.replica.scopes()?)?;
        Ok(unsent)
    }

    /// Who this phone is to its hub; none before enrolment.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    pub(crate) fn enrolled(&self) -> Result<&Identity> {
        self.identity.as_ref().ok_or_else(|| AppError::not_allowed("not_enrolled"))
    }

    pub(crate) fn set_identity(&mut self, identity: Identity) -> Result<()> {
        facts::put(self.replica.connection(), facts::name::IDENTITY, &identity)?;
        self.identity = Some(identity);
        self.forget_known();
        self.reload_scopes()
    }

    pub(crate) fn reload_scopes(&mut self) -> Result<()> {
        let scopes = self.replica.scopes()?;
        self.scopes = scopes
            .iter()
            .filter_map(|state| Some((ScopeKind::from_number(state.kind)?, state.number, state.scope)))
            .collect();
        // New rows go to the first scope of their kind: to that of a team that this device is still in.
        let left: Vec<ScopeId> = facts::get(self.connection(), facts::name::LEFT)?.unwrap_or_default();
        langso_domain::order::sort_by_key(&mut self.scopes, |(_, _, scope)| left.contains(scope));
        // Kept once more so that the phone survives its database; a full disk is no reason not to open.
        drop(self.keep_copy());
        Ok(())
    }

    /// The time of now.
    pub fn now(&self) -> Now {
        time::now(self.time.as_ref(), self.hub_time.as_ref())
    }

    /// Today in Vietnam.
    pub fn today(&self) -> CivilDate {
        CivilDate::at(self.now().ms)
    }

    pub(crate) fn time_source(&self) -> &dyn TimeSource {
        self.time.as_ref()
    }

    /// Looks and writes at one state of the file, which is cheaper than as many looks one by one: what [`Phone::save`]
    /// writes inside stands on exactly what was looked at. Without a save nothing is written.
    pub(crate) fn at_once<T>(&mut self, what: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.end_look()?; // of a call that panicked
        self.connection().prepare_cached("BEGIN")?.execute([])?;
        let done = what(self);
        self.end_look()?;
        done
    }

    fn end_look(&self) -> Result<()> {
        if !self.connection().is_autocommit() {
            self.connection().prepare_cached("ROLLBACK")?.execute([])?;
        }
        Ok(())
    }

    /// Writes: `write` says what, all of it becomes durable together, or nothing does. Each scope written to gets
    /// one change.
    ///
    /// # Errors
    /// What `write` refused; `NotAllowed` when the phone holds no scope for a row; `StorageFull` and the like when
    /// the commit failed, after which the next save goes by a new writer. After `StorageFull` the next save has the room
    /// of the ballast.
    pub fn save<T>(&mut self, write: impl FnOnce(&mut Saving<'_, '_>) -> Result<T>) -> Result<T> {
        // Taken out for the time of the save: whatever ends it early, a panic too, leaves no writer whose numbers
        // may have reached the disk.
        let mut authors = std::mem::take(&mut self.authors);
        ballast::make_room(self.folder.path());
        let saved = self.try_save(&mut authors, write);
        if matches!(saved, Err(AppError::StorageFull)) {
            // A quota that the system does not tell of: the next try has the room.
            ballast::give_up(self.folder.path());
        }
        let (answer, written) = saved?;
        self.authors = authors;
        self.saves += 1;
        // The database has it; a journal that lags is mended at the next open.
        let _ = self.journal.append(&written);
        Ok(answer)
    }

    /// Lets go of the journal's records that `is_done` names by scope and key.
    pub(crate) fn prune_journal(
        &mut self,
        is_done: impl Fn(&Connection, ScopeId, Key) -> Result<bool>,
    ) -> Result<()> {
        let connection = self.replica.connection();
        self.journal.keep_only(|record| {
            // What cannot be read or asked for is kept.
            let key = change::scan(&record.bytes).map(|(head, _)| head.key);
            !key.is_ok_and(|key| is_done(connection, record.scope, key).unwrap_or(false))
        })?;
        Ok(())
    }

    fn try_save<T>(
        &mut self,
        authors: &mut Authors,
        write: impl FnOnce(&mut Saving<'_, '_>) -> Result<T>,
    ) -> Result<(T, Vec<Written>)> {
        let now = self.now();
        let mut batch = self.replica.begin()?;
        let mut saving = Saving {
            batch: &mut batch,
            authors,
            scopes: &self.scopes,
            device: self.device,
            home: None,
            drafts: Vec::new(),
            reasons: Vec::new(),
        };
        let answer = write(&mut saving)?;
        let (drafts, reasons) = (saving.drafts, saving.reasons);
        let mut written = Vec::with_capacity(drafts.len());
        for (number, scope, mut draft) in drafts {
            if draft.is_empty() {
                continue;
            }
            for (kind, reason, text) in &reasons {
                if self.scopes.iter().any(|(of, at, _)| (of, *at) == (kind, number)) {
                    draft.say(change::extra::REASON, (*reason).into());
                    text.iter().for_each(|text| draft.say(change::extra::REASON_TEXT, text.as_str().into()));
                }
            }
            if !now.is_sure {
                draft.say(change::extra::CLOCK_UNSURE, Value::Bool(true));
            }
            let author = authors.by_scope.get_mut(&number).expect("made with its draft");
            let change = author.finish(draft, &mut self.clock, now.ms.max(0) as u64);
            let bytes = change.encode();
            if bytes.len() > change::MAX_CHANGE_BYTES {
                return Err(AppError::invalid("", "too_large"));
            }
            batch.apply_own(number, &change)?;
            put_outbox(batch.connection(), (number, scope), &bytes)?;
            written.push((scope, bytes));
        }
        batch.commit()?;
        Ok((answer, written))
    }
}

/// Notes an own change, by its scope and its number in the file.
pub(crate) fn put_outbox(
    connection: &Connection,
    (number, scope): (i64, ScopeId),
    bytes: &[u8],
) -> Result<()> {
    let sql = "INSERT INTO outbox (scope, bytes, sum) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((number, bytes, journal::checksum(scope, bytes)))?;
    Ok(())
}

/// A change's scope and its bytes.
type Written = (ScopeId, Vec<u8>);

/// Who numbers the changes of this process, by the scope's number. Thrown away when a commit fails.
#[derive(Default)]
pub(crate) struct Authors {
    by_scope: HashMap<i64, Author>,
    run: Option<u64>,
}

impl Authors {
    /// A fresh writer. Those of one run share their random bits but for the scope's number, so that a row's reference
    /// into another scope, such as a service's to its checklist run, costs few bytes on the wire.
    fn mint(&mut self, scope: i64) -> Result<Writer> {
        let run = match self.run.filter(|_| !self.by_scope.contains_key(&scope)) {
            Some(run) => run,
            None => getrandom::u64().map_err(AppError::unexpected)?,
        };
        self.run = Some(run);
        Ok(Writer(run ^ scope as u64))
    }
}

/// A save being written; see [`Phone::save`].
pub struct Saving<'b, 'a> {
    batch: &'b mut Batch<'a>,
    authors: &'b mut Authors,
    scopes: &'b [(ScopeKind, i64, ScopeId)],
    device: DeviceId,
    /// Where new rows of its kind go.
    home: Option<(ScopeKind, i64, ScopeId)>,
    drafts: Vec<(i64, ScopeId, Draft)>,
    reasons: Vec<(ScopeKind, u8, Option<String>)>,
}

impl Saving<'_, '_> {
    /// Makes a row of the named table; null values are left out.
    ///
    /// # Errors
    /// `NotAllowed` when the phone holds no scope of the table's kind; `InvalidInput` past 255 rows.
    pub fn create<const N: usize>(&mut self, table: &str, fields: [(&str, Value); N]) -> Result<RowId> {
        let table = table_named(table);
        let at = self.draft(table.scope)?;
        let fields = fields.map(|(name, value)| (field_number(table, name), value));
        Ok(self.drafts[at].2.create(table.number, fields)?)
    }

    /// Makes a row in the scope of another one: a phone may hold several scopes of a kind.
    ///
    /// # Errors
    /// `NotFound` when the other row is not on this phone; else as [`Saving::create`].
    pub fn create_beside<const N: usize>(
        &mut self,
        table: &str,
        (other, id): (&str, RowId),
        fields: [(&str, Value); N],
    ) -> Result<RowId> {
        let table = table_named(table);
        let at = self.draft_of(table_named(other), id)?;
        let fields = fields.map(|(name, value)| (field_number(table, name), value));
        Ok(self.drafts[at].2.create(table.number, fields)?)
    }

    /// From here on the new rows of this save that are of the same kind of scope go to the scope of that row: what is
    /// written about a household or in a hamlet lies with it, of whichever team of this phone it is. A row that is not
    /// here, or of a team that this device has left, changes nothing.
    pub(crate) fn stay_beside(&mut self, table: &str, id: RowId) -> Result<()> {
        let sql = format!("SELECT scope FROM {} WHERE id = ?1", table_named(table).plural);
        let mut get = self.batch.connection().prepare_cached(&sql)?;
        let number: Option<i64> = get.query_row([id.0], |row| row.get(0)).optional()?;
        let held = self.scopes.iter().find(|(_, of, _)| Some(*of) == number);
        let left: Vec<ScopeId> = facts::get(self.connection(), facts::name::LEFT)?.unwrap_or_default();
        if let Some(held) = held.filter(|(.., scope)| !left.contains(scope)) {
            self.home = Some(*held);
        }
        Ok(())
    }

    /// Patches the named fields of a row; whatever the row shows is what its author saw.
    ///
    /// # Errors
    /// `NotFound` when the row is not on this phone; `InvalidInput` for a row that this save patched already
    /// (`row_twice`); else as [`Saving::create`].
    pub fn patch<'f>(
        &mut self,
        table: &str,
        id: RowId,
        fields: impl IntoIterator<Item = (&'f str, Value)>,
    ) -> Result<()> {
        let table = table_named(table);
        let at = self.draft_of(table, id)?;
        let state = self
            .batch
            .row_state(table, id)?
            .filter(|state| state.created.is_some())
            .ok_or(AppError::NotFound)?;
        let fields: BTreeMap<u8, Value> =
            fields.into_iter().map(|(name, value)| (field_number(table, name), value)).collect();
        Ok(self.drafts[at].2.patch(table.number, id, &state, fields)?)
    }

    /// What this save writes in the scope of a row comes after all that the row shows, although it overwrites nothing of
    /// it: for rows that reply to another one and are read in order of their stamps.
    ///
    /// # Errors
    /// As [`Saving::patch`].
    pub fn come_after(&mut self, table: &str, id: RowId) -> Result<()> {
        let table = table_named(table);
        let at = self.draft_of(table, id)?;
        let state = self.batch.row_state(table, id)?.ok_or(AppError::NotFound)?;
        self.drafts[at].2.come_after(state.newest_stamp());
        Ok(())
    }

    /// Says why something is corrected, for every change of this save in a scope of that kind.
    pub fn give_reason(&mut self, kind: ScopeKind, reason: u8, text: Option<&str>) {
        self.reasons.push((kind, reason, text.map(str::to_owned)));
    }

    /// For reading inside the save, and for the phone's own tables.
    pub fn connection(&self) -> &Connection {
        self.batch.connection()
    }

    fn draft(&mut self, kind: ScopeKind) -> Result<usize> {
        let home = self.home.iter().find(|(of, ..)| *of == kind);
        let held = home.or_else(|| self.scopes.iter().find(|(of, ..)| *of == kind));
        let (_, number, scope) = *held.ok_or_else(|| AppError::not_allowed("no_such_scope"))?;
        self.draft_in(number, scope)
    }

    /// The draft of the scope in which a row lies: rows never change scope.
    fn draft_of(&mut self, table: &Table, id: RowId) -> Result<usize> {
        let sql = format!("SELECT scope FROM {} WHERE id = ?1", table.plural);
        let mut get = self.batch.connection().prepare_cached(&sql)?;
        let number: Option<i64> = get.query_row([id.0], |row| row.get(0)).optional()?;
        drop(get);
        let number = number.ok_or(AppError::NotFound)?;
        let held = self.scopes.iter().find(|(_, of, _)| *of == number);
        let (_, number, scope) = *held.ok_or_else(|| AppError::not_allowed("no_such_scope"))?;
        self.draft_in(number, scope)
    }

    fn draft_in(&mut self, number: i64, scope: ScopeId) -> Result<usize> {
        if let Some(at) = self.drafts.iter().position(|(of, ..)| *of == number) {
            return Ok(at);
        }
        if !self.authors.by_scope.get(&number).is_some_and(Author::has_room) {
            let writer = self.authors.mint(number)?;
            self.batch.begin_writer(writer, number, self.device)?;
            self.authors.by_scope.insert(number, Author::new(writer));
        }
        self.drafts.push((number, scope, self.authors.by_scope[&number].draft()));
        Ok(self.drafts.len() - 1)
    }
}

fn table_named(name: &str) -> &'static Table {
    langso_domain::registry::CURRENT.named(name).expect("a table of the registry")
}

fn field_number(table: &Table, name: &str) -> u8 {
    match name {
        "void" => VOID,
        _ => table.named(name).expect("a field of the table").number,
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::time::SystemTime;

    #[test]
    fn a_panic_between_looking_and_writing_leaves_a_phone_that_reads_and_looks_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut phone = Phone::open(folder.path(), Arc::new(SystemTime)).expect("opens");
        let mut panics = || phone.at_once(|_| -> Result<()> { panic!("a fault of ours") });
        assert!(catch_unwind(AssertUnwindSafe(&mut panics)).is_err());
        drop(phone.reading().expect("reads"));
        phone.at_once(|phone| Ok(phone.unsent()?.waiting())).expect("looks");
    }
}
