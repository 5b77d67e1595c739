//! What nobody settled for sixty days the hub settles, for the value that shows: by a change of its own that names
//! all versions, so that every phone sees who did it and when.
//!
//! No clock alone decides. The hub must have held every version for sixty days by its own clock, and some phone must
//! since have written something that is as much later by its stamp: a hub whose clock jumped settles nothing.

use langso_domain::id::{Key, RowId, ScopeId};
use langso_domain::registry::{CURRENT, Role, ScopeKind, Table, VOID};
use langso_store::Batch;
use langso_sync::merge::{RowState, key_of};
use langso_sync::value::Value;

use crate::admin::AdminError;
use crate::author;
use crate::clock::{DAY_MS, Millis};
use crate::log;
use crate::server::Hub;
use crate::union;

/// For how long two versions wait for people.
pub const SETTLES_AFTER_DAYS: i64 = 60;
/// About the most fields settled in one transaction, and how many are read at a time.
const MOST: usize = 500;

/// Where a conflict stands on the shelf: table, row, field.
type Place = (u8, [u8; 12], u8);

/// Some of the shelf.
struct Page {
    conflicts: Vec<Conflict>,
    /// Where it ended; none when there is nothing after it.
    last: Option<Place>,
}

/// Two versions of a field, seen from one state of the rows.
struct Conflict {
    table: &'static Table,
    row: RowId,
    field: u8,
    seen: RowState,
    shown: Value,
    /// Who wrote the versions.
    keys: Vec<Key>,
    newest_ms: u64,
}

impl Hub {
    /// Settles what has stood on a scope's shelf for sixty days; gives how many fields.
    ///
    /// # Errors
    /// [`AdminError::Author`], [`AdminError::Replica`].
    pub fn settle(&self, scope: ScopeId) -> Result<usize, AdminError> {
        let kind = self.log.scope(scope)?.ok_or(log::Error::UnknownScope)?.kind;
        let mut batch = self.author.batch();
        let (mut settled, mut after) = (0, Place::default());
        // What is not due yet may stand before what is: the shelf is gone through to its end, a page at a time.
        while settled < MOST {
            let (page, newest_work_ms) = self.replicas.with::<_, AdminError>(scope, |replica, _| {
                let rows = replica.begin()?;
                let page = read(&rows, after)?;
                let newest = if page.conflicts.is_empty() { 0 } else { newest_work(&rows, kind)? };
                Ok((page, newest))
            })?;
            for conflict in page.conflicts {
                settled += usize::from(self.settle_one(&mut batch, scope, conflict, newest_work_ms)?);
            }
            let Some(last) = page.last else { break };
            after = last;
        }
        batch.commit()?;
        if settled > 0 {
            tracing::info!(settled, "settled what nobody did");
        }
        Ok(settled)
    }

    /// Makes one of what was joined in one row without seeing each other, at once: that needs nobody to choose. Gives how
    /// many edges were written.
    ///
    /// # Errors
    /// [`AdminError::Author`], [`AdminError::Replica`].
    pub fn unite(&self, scope: ScopeId) -> Result<usize, AdminError> {
        let mut batch = self.author.batch();
        let missing = self
            .replicas
            .with::<_, AdminError>(scope, |replica, _| union::list_missing(&replica.begin()?, MOST))?;
        let united = missing.len();
        for union::Edge { table, row, seen, to } in missing {
            batch.patch(scope, table.name, row, &seen, [("merged_with", Value::Ref(to))])?;
        }
        if united > 0 {
            batch.commit()?;
        }
        Ok(united)
    }

    /// Gives whether it is due.
    fn settle_one(
        &self,
        batch: &mut author::Batch<'_>,
        scope: ScopeId,
        conflict: Conflict,
        newest_work_ms: u64,
    ) -> Result<bool, AdminError> {
        let Conflict { table, row, field, seen, shown, keys, newest_ms } = conflict;
        let wait = SETTLES_AFTER_DAYS * DAY_MS;
        if newest_ms.saturating_add(wait as u64) > newest_work_ms {
            return Ok(false);
        }
        let mut held_since = Millis(0);
        for key in keys {
            held_since = held_since.max(self.log.received_key(scope, key)?.unwrap_or(batch.now()));
        }
        let name = if field == VOID { Some("void") } else { table.field(field).map(|field| field.name) };
        let is_due = held_since.plus(wait) <= batch.now();
        let Some(name) = name.filter(|_| is_due) else { return Ok(false) };
        batch.patch(scope, table.name, row, &seen, [(name, shown)])?;
        Ok(true)
    }

    /// [`Hub::settle`] for every scope; one that fails is logged and passed over.
    ///
    /// # Errors
    /// [`AdminError::Replica`] when the scopes cannot be listed.
    pub fn settle_all(&self) -> Result<usize, AdminError> {
        let mut settled = 0;
        for scope in self.list_scopes()? {
            match self.settle(scope) {
                Ok(some) => settled += some,
                // What one scope holds stops no other.
                Err(why) => tracing::error!(%why, %scope, "a scope could not be settled"),
            }
        }
        Ok(settled)
    }
}

fn read(rows: &Batch<'_>, after: Place) -> Result<Page, AdminError> {
    let sql = "SELECT table_number, row, field FROM shelf WHERE (table_number, row, field) > (?1, ?2, ?3)
               ORDER BY table_number, row, field LIMIT ?4";
    let mut get = rows.connection().prepare_cached(sql)?;
    let shelf: Vec<Place> = get
        .query_map((after.0, after.1, after.2, MOST as i64), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let last = shelf.last().copied().filter(|_| shelf.len() == MOST);
    let mut conflicts = Vec::new();
    for (table, row, field) in shelf {
        let row = RowId(row);
        // What only a newer program knows, a newer program settles.
        let Some(table) = CURRENT.table(table) else { continue };
        let Some(seen) = rows.row_state(table, row)? else { continue };
        let Some(shown) = seen.fields.get(&field).and_then(|versions| versions.shown(row)) else { continue };
        let shown = shown.value.clone();
        // A striking out stands against edits of any field.
        let versions = seen.fields.iter().filter(|(number, _)| field == VOID || **number == field);
        let heads: Vec<_> = versions.flat_map(|(_, versions)| &versions.heads).collect();
        let keys = heads.iter().filter_map(|head| key_of(head.name, row)).collect();
        let newest_ms = heads.iter().map(|head| head.stamp.ms()).max().unwrap_or(0);
        conflicts.push(Conflict { table, row, field, seen, shown, keys, newest_ms });
    }
    Ok(Page { conflicts, last })
}

/// The stamp of the newest row that a phone made, in ms.
fn newest_work(rows: &Batch<'_>, kind: ScopeKind) -> Result<u64, AdminError> {
    let mut newest = 0;
    let of_phones = |table: &&Table| table.scope == kind && table.writers.has(Role::Member);
    for table in CURRENT.tables.iter().filter(of_phones) {
        let sql = format!("SELECT coalesce(max(v_stamp), 0) FROM \"{}\"", table.plural);
        let stamp: i64 = rows.connection().query_row(&sql, [], |row| row.get(0))?;
        newest = newest.max(stamp as u64 >> 16);
    }
    Ok(newest)
}
