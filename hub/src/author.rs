//! What the hub writes itself: rosters, places, content, settlements. Exactly as a phone writes: by a writer of its own
//! in each scope, minted in this process, numbering changes that go through the same log.
//!
//! The one idea: a [`Batch`] is one transaction over any number of scopes and the directory. When it fails, its
//! writers are thrown away, since their numbers may have reached the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_domain::id::{DeviceId, Key, RowId, ScopeId, Writer};
use langso_domain::registry::{CURRENT, ScopeKind, Table, VOID};
use langso_sync::author::{self, Draft, TooManyRows};
use langso_sync::change::{Change, RowOp, extra};
use langso_sync::clock as hybrid;
use langso_sync::keys::{PublicKey, device_id};
use langso_sync::merge::RowState;
use langso_sync::value::Value;

use crate::clock::{Clock, Millis};
use crate::log::{self, Enrolled, Log, Write};
use crate::random::{self, NoRandomness};
use crate::server::Dirty;

/// A change is closed when its rows come to about this many bytes, well below what one may have.
const FULL_BYTES: usize = 32 * 1024;

/// Why the hub corrects a fact: none of the reasons that people have.
const REASON_OTHER: i64 = 4;

/// Why the hub could not write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See the log.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// No random bytes for a scope or writer.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The registry has no such table or field: a fault of this program.
    #[error("no {0} in the registry")]
    NotInRegistry(&'static str),
}

/// The hub as an author.
#[derive(Debug)]
pub struct Author {
    log: Arc<Log>,
    hub: DeviceId,
    clock: Clock,
    dirty: Arc<Dirty>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writers: HashMap<ScopeId, author::Author>,
    clock: hybrid::Clock,
}

impl Author {
    /// Writes into `log` as the device `hub`; rings `dirty` for the scopes that grew.
    pub fn new(log: Arc<Log>, hub: DeviceId, clock: Clock, dirty: Arc<Dirty>) -> Self {
        Self { log, hub, clock, dirty, state: Mutex::default() }
    }

    /// Begins a transaction. One at a time: another waits until this one is committed or dropped.
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            author: self,
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner),
            now: self.clock.now(),
            open: BTreeMap::new(),
            used: BTreeSet::new(),
            writes: Vec::new(),
            committed: false,
        }
    }

    /// Uses an enrolment code for a key; a new device gets its row in its team's scope in the same transaction. See
    /// [`Log::enrol`].
    ///
    /// # Errors
    /// [`log::Error`], or no random bytes.
    pub fn enrol(&self, secret_hash: [u8; 32], key: &PublicKey, now: Millis) -> Result<Enrolled, Error> {
        let mut batch = self.batch();
        let public_key = key.to_bytes();
        let enrolled = self.log.enrol(secret_hash, device_id(key), public_key, now, |code, team| {
            let fields = [
                ("member_id", Value::Ref(code.member.0)),
                ("public_key", Value::Bytes(public_key.to_vec())),
                ("from_date", Value::Int(now.date().0.into())),
            ];
            let row = batch.create(team.scope, "device", fields)?;
            batch.seal_all();
            Ok::<_, Error>((row, std::mem::take(&mut batch.writes)))
        });
        if enrolled.is_ok() {
            batch.done();
        }
        enrolled
    }
}

/// A transaction of the hub's own; dropped without [`Batch::commit`] it writes nothing.
#[derive(Debug)]
pub struct Batch<'a> {
    author: &'a Author,
    state: MutexGuard<'a, State>,
    now: Millis,
    open: BTreeMap<ScopeId, Open>,
    used: BTreeSet<ScopeId>,
    writes: Vec<Write>,
    committed: bool,
}

#[derive(Debug)]
struct Open {
    draft: Draft,
    bytes: usize,
}

impl Batch<'_> {
    /// The moment of this transaction.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Mints a scope.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn scope(&mut self, kind: ScopeKind) -> Result<ScopeId, Error> {
        let scope = ScopeId(random::bytes()?);
        self.writes.push(Write::Scope(scope, kind));
        Ok(scope)
    }

    /// Makes a row of a table, named as in the registry; null fields are left out.
    ///
    /// # Errors
    /// [`Error::NotInRegistry`], [`Error::NoRandomness`].
    pub fn create(
        &mut self,
        scope: ScopeId,
        table: &'static str,
        fields: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<RowId, Error> {
        let table = CURRENT.named(table).ok_or(Error::NotInRegistry(table))?;
        let fields = numbered(table, fields)?;
        let size = fields.values().map(size).sum::<usize>() + 16;
        loop {
            let open = self.draft(scope)?;
            if open.bytes > 0 && open.bytes + size > FULL_BYTES {
                self.seal(scope);
                continue;
            }
            open.bytes += size;
            match open.draft.create(table.number, fields.clone()) {
                Ok(row) => return Ok(row),
                Err(TooManyRows) => self.seal(scope),
            }
        }
    }

    /// Patches a row that shows as `seen`, in a change of its own; null clears a field. It comes after all that was
    /// seen, whatever the hub's clock says.
    ///
    /// # Errors
    /// [`Error::NotInRegistry`], [`Error::NoRandomness`].
    pub fn patch(
        &mut self,
        scope: ScopeId,
        table: &'static str,
        row: RowId,
        seen: &RowState,
        fields: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<(), Error> {
        let table = CURRENT.named(table).ok_or(Error::NotInRegistry(table))?;
        let fields = numbered(table, fields)?;
        // A row is patched once in a change: each patch is a change of its own.
        self.seal(scope);
        let open = self.draft(scope)?;
        let patched = open.draft.patch(table.number, row, seen, fields);
        if table.fact {
            open.draft.say(extra::REASON, Value::Int(REASON_OTHER));
        }
        patched.map_err(|_| Error::NotInRegistry(table.name))?;
        self.seal(scope);
        Ok(())
    }

    /// Says again, in a change of its own, what another change says: its creates as new rows, its patches upon what
    /// `seen` gives for each of them. Rows that it names of its own are the new ones.
    ///
    /// # Errors
    /// [`Error::NoRandomness`]; [`log::Error::NotNew`] for a patch of which nothing is seen.
    pub fn say_again(
        &mut self,
        scope: ScopeId,
        change: &Change,
        seen: impl Fn(&RowOp) -> Option<RowState>,
    ) -> Result<(), Error> {
        self.seal(scope);
        let draft = &mut self.draft(scope)?.draft;
        let own = draft.key();
        let again = |value: &Value| match value {
            Value::Ref(row) => Value::Ref(moved(*row, change.key, own)),
            Value::Refs(rows) => Value::Refs(rows.iter().map(|row| moved(*row, change.key, own)).collect()),
            other => other.clone(),
        };
        for op in &change.rows {
            let fields: BTreeMap<u8, Value> =
                op.fields.iter().map(|(field, value)| (*field, again(value))).collect();
            match &op.patch {
                None => drop(draft.create(op.table, fields).map_err(|_| log::Error::NotNew)?),
                Some(patch) => {
                    let state = seen(op).ok_or(log::Error::NotNew)?;
                    draft.patch(op.table, patch.target, &state, fields).map_err(|_| log::Error::NotNew)?;
                }
            }
        }
        for (number, value) in change.extras.iter().filter(|(number, _)| **number != extra::CLOCK_UNSURE) {
            draft.say(*number, value.clone());
        }
        self.seal(scope);
        Ok(())
    }

    /// Adds to the directory.
    pub fn put(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Writes all of it, or nothing.
    ///
    /// # Errors
    /// [`log::Error`].
    pub fn commit(mut self) -> Result<(), Error> {
        self.seal_all();
        let writes = std::mem::take(&mut self.writes);
        self.author.log.commit(self.author.hub, &writes, self.now)?;
        self.done();
        Ok(())
    }

    fn done(&mut self) {
        self.committed = true;
        self.used.iter().for_each(|scope| self.author.dirty.mark(*scope));
    }

    fn draft(&mut self, scope: ScopeId) -> Result<&mut Open, Error> {
        let writer = match self.state.writers.remove(&scope) {
            Some(writer) if writer.has_room() => writer,
            _ => author::Author::new(Writer(u64::from_be_bytes(random::bytes()?))),
        };
        let draft = writer.draft();
        self.state.writers.insert(scope, writer);
        self.used.insert(scope);
        Ok(self.open.entry(scope).or_insert(Open { draft, bytes: 0 }))
    }

    fn seal(&mut self, scope: ScopeId) {
        let State { writers, clock } = &mut *self.state;
        if let Some(open) = self.open.remove(&scope)
            && !open.draft.is_empty()
            && let Some(writer) = writers.get_mut(&scope)
        {
            let change = writer.finish(open.draft, clock, self.now.unsigned());
            self.writes.push(Write::Change(scope, change.encode()));
        }
    }

    fn seal_all(&mut self) {
        let scopes: Vec<ScopeId> = self.open.keys().copied().collect();
        scopes.into_iter().for_each(|scope| self.seal(scope));
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.committed {
            for scope in &self.used {
                self.state.writers.remove(scope);
            }
        }
    }
}

fn numbered(
    table: &'static Table,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<BTreeMap<u8, Value>, Error> {
    let number = |(name, value)| match table.named(name) {
        Some(field) => Ok((field.number, value)),
        None if name == "void" => Ok((VOID, value)),
        None => Err(Error::NotInRegistry(name)),
    };
    fields.into_iter().map(number).collect()
}

/// A row of that change as a row of this one.
fn moved(row: RowId, of: Key, to: Key) -> RowId {
    if row.key() == Some(of) { to.row(row.place()) } else { row }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + 4,
        Value::Bytes(bytes) | Value::Other(bytes) => bytes.len() + 4,
        Value::Refs(rows) => rows.len() * 15,
        _ => 16,
    }
}
