//! Database and journal held against each other when the phone opens: what one lacks of this phone's own changes it
//! gets from the other, and of a change whose bytes no longer fit their checksum in one, the other's are taken. Else a
//! flipped bit would be signed and sent.
//!
//! Here also: writers of earlier processes end at the last number they gave; receipts whose checksum does not hold are
//! none, and the hub is asked for those of changes that have been forgotten here; and the number up to which the outbox need not be looked at passes over nothing that has no receipt.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_store::Replica;
use langso_sync::change::{self, Change};
use langso_sync::clock::Stamp;
use langso_sync::wire::Held;
use rusqlite::Connection;

use crate::damage::{Damage, what};
use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::folder::{Folder, create_private, free_name};
use crate::journal::{Journal, Record};
use crate::outbox::Row;
use crate::phone::put_outbox;
use crate::prune;
use crate::receipts::position_of;

/// What the sum of a receipt is made of, as its table says it.
pub(crate) const RECEIPT_SUM: &str =
    "(writer % 1000003 + 3 * first_seq + 5 * last_seq + 7 * scope + 11 * position)";

/// A change of which more bytes than these are different is another one.
const MOST_DIFFERING: usize = 16;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// The newest stamp of an own change.
    pub newest: Stamp,
    /// What could not be had from either.
    pub damage: Damage,
    /// Own writers with changes that are neither here nor known to be anywhere: their receipts were damaged after their
    /// bytes were forgotten, and nothing else would ever ask for them.
    pub unplaced: Vec<Held>,
}

/// The outbox as it was found.
#[derive(Default)]
struct Outbox {
    /// The last number of each writer.
    last: HashMap<Writer, u32>,
    /// Where the checksum holds.
    whole: HashSet<Key>,
    /// Where it does not: the row's number and its bytes.
    damaged: Vec<(i64, Vec<u8>)>,
    /// What the journal lacks.
    missing: Vec<(ScopeId, Vec<u8>)>,
    newest: Stamp,
    /// The first row that the hub has not confirmed.
    first_unsent: Option<i64>,
}

/// See the module. Twice changes nothing more.
pub(crate) fn reconcile(
    replica: &mut Replica,
    journal: &mut Journal,
    device: DeviceId,
    records: &[Record],
    folder: &Folder,
) -> Result<Reconciled> {
    void_damaged_receipts(replica.connection())?;
    let scopes: HashMap<i64, ScopeId> =
        replica.scopes()?.iter().map(|state| (state.number, state.scope)).collect();
    let mut in_journal = Vec::with_capacity(records.len());
    for record in records {
        in_journal.push(change::scan(&record.bytes).map_err(|_| AppError::Corrupt)?.0.key);
    }
    let journalled: HashSet<Key> = in_journal.iter().copied().collect();
    let mut outbox = read(replica.connection(), &scopes, &journalled)?;
    // The database has it; on a full disk the journal lags until there is room.
    drop(journal.append(&outbox.missing));
    let mut batch = replica.begin()?;
    let sql = "SELECT writer FROM writers WHERE is_current = 1";
    let current: Vec<i64> = batch
        .connection()
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect::<std::result::Result<_, _>>()?;
    let mut found = Reconciled { newest: outbox.newest, ..Reconciled::default() };
    let (numbers, damaged): (Vec<i64>, Vec<Vec<u8>>) = outbox.damaged.drain(..).unzip();
    let unseen = unseen(records, &in_journal, &outbox.whole);
    // Every record that no whole row stands for is one of the damaged ones.
    if damaged.len() > unseen.len() {
        let lost = unlike(&damaged, &unseen);
        found.damage.add(what::OUTBOX, put_aside(folder, &lost)?);
    }
    // The rows of a change whose bytes were damaged later are there; those of one that the file never had are not.
    for (record, key) in records.iter().zip(&in_journal) {
        if !outbox.whole.contains(key) && damaged.iter().any(|bytes| are_alike(&record.bytes, bytes)) {
            let last = outbox.last.entry(key.writer).or_insert(0);
            *last = key.seq.max(*last);
        }
    }
    for writer in current {
        let writer = Writer(writer as u64);
        batch.end_writer(writer, outbox.last.get(&writer).copied().unwrap_or(0))?;
    }
    for n in numbers {
        batch.connection().prepare_cached("DELETE FROM outbox WHERE n = ?1")?.execute([n])?;
    }
    // A number that has become free is given again, and what then bears it was not sent.
    let upto: i64 = facts::get(batch.connection(), name::SENT_UPTO)?.unwrap_or(0);
    let sql = "SELECT coalesce(max(n), 0) FROM outbox";
    let last: i64 = batch.connection().query_row(sql, [], |row| row.get(0))?;
    let sound = upto.min(last).min(outbox.first_unsent.map_or(i64::MAX, |first| first - 1));
    if sound != upto {
        facts::put(batch.connection(), name::SENT_UPTO, &sound)?;
    }
    let pruned = prune::pruned(batch.connection())?;
    for (record, key) in records.iter().zip(&in_journal) {
        if outbox.whole.contains(key) || is_pruned(batch.connection(), &pruned, record.scope, *key)? {
            continue;
        }
        let change = Change::decode(&record.bytes).map_err(|_| AppError::Corrupt)?;
        let Some(number) = batch.find_scope(record.scope)? else { continue };
        batch.apply(record.scope, device, &change)?;
        put_outbox(batch.connection(), (number, record.scope), &record.bytes)?;
        outbox.whole.insert(*key);
        found.newest = found.newest.max(change.stamp);
    }
    batch.commit()?;
    found.unplaced = list_unplaced(replica.connection(), device, &outbox.whole)?;
    Ok(found)
}

fn list_unplaced(connection: &Connection, device: DeviceId, here: &HashSet<Key>) -> Result<Vec<Held>> {
    let mut known = receipts(connection, "receipts")?;
    for (writer, ranges) in receipts(connection, "void_receipts")? {
        known.entry(writer).or_default().extend(ranges);
    }
    let mut get = connection.prepare("SELECT key FROM set_aside_notices")?;
    let noticed =
        get.query_map([], |row| row.get::<_, [u8; 11]>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for key in noticed.iter().filter_map(|key| Key::from_bytes(key)).chain(here.iter().copied()) {
        known.entry(key.writer).or_default().push((key.seq, key.seq));
    }
    let mut get = connection.prepare("SELECT writer, upto FROM writers WHERE device = ?1 AND upto > 0")?;
    let own = get.query_map([device.0], |row| Ok((Writer(row.get::<_, i64>(0)? as u64), row.get(1)?)))?;
    let mut unplaced = Vec::new();
    for (writer, upto) in own.collect::<rusqlite::Result<Vec<(Writer, u32)>>>()? {
        let ranges = known.entry(writer).or_default();
        ranges.sort_unstable();
        let placed =
            ranges.iter().fold(0, |end, (first, last)| if *first <= end + 1 { end.max(*last) } else { end });
        if placed < upto {
            unplaced.push(Held { writer, upto });
        }
    }
    Ok(unplaced)
}

/// Whether the outbox let go of a change and the journal has not yet.
fn is_pruned(connection: &Connection, pruned: &[(ScopeId, u64)], scope: ScopeId, key: Key) -> Result<bool> {
    let line = pruned.iter().find(|(of, _)| *of == scope).map_or(0, |(_, line)| *line);
    Ok(line > 0 && position_of(connection, key)?.is_some_and(|position| position <= line))
}

/// Records of the journal that no whole row of the outbox stands for.
fn unseen(records: &[Record], keys: &[Key], whole: &HashSet<Key>) -> Vec<Record> {
    let unseen = records.iter().zip(keys).filter(|(_, key)| !whole.contains(key));
    unseen.map(|(record, _)| record.clone()).collect()
}

/// A receipt of which a bit has changed could pass unsent work for sent; without it the change is offered again, which
/// costs some bytes.
fn void_damaged_receipts(connection: &Connection) -> Result<()> {
    connection.execute(&format!("DELETE FROM receipts WHERE sum IS NOT {RECEIPT_SUM}"), [])?;
    Ok(())
}

fn read(
    connection: &Connection,
    scopes: &HashMap<i64, ScopeId>,
    journalled: &HashSet<Key>,
) -> Result<Outbox> {
    let receipts = receipts(connection, "receipts")?;
    let mut outbox = Outbox::default();
    let mut get = connection.prepare("SELECT n, scope, bytes, sum FROM outbox ORDER BY n")?;
    let mut rows = get.query([])?;
    while let Some(row) = rows.next()? {
        let row = Row::of(row)?;
        let scope = scopes.get(&row.scope).filter(|scope| row.is_whole_in(**scope));
        let Row { n, bytes, .. } = row;
        let head = change::scan(&bytes).map(|(head, _)| head);
        let (Some(scope), Ok(head)) = (scope, head) else {
            outbox.damaged.push((n, bytes));
            continue;
        };
        let key = head.key;
        let last = outbox.last.entry(key.writer).or_insert(0);
        *last = key.seq.max(*last);
        outbox.newest = outbox.newest.max(head.stamp);
        let is_received = receipts
            .get(&key.writer)
            .is_some_and(|ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&key.seq)));
        if !is_received {
            outbox.first_unsent.get_or_insert(n);
        }
        if !journalled.contains(&key) {
            outbox.missing.push((*scope, bytes));
        }
        outbox.whole.insert(key);
    }
    Ok(outbox)
}

fn receipts(connection: &Connection, table: &str) -> Result<HashMap<Writer, Vec<(u32, u32)>>> {
    let mut ranges: HashMap<_, Vec<_>> = HashMap::new();
    let mut get = connection.prepare(&format!("SELECT writer, first_seq, last_seq FROM {table}"))?;
    let mut rows = get.query([])?;
    while let Some(row) = rows.next()? {
        let writer = Writer(row.get::<_, i64>(0)? as u64);
        ranges.entry(writer).or_default().push((row.get(1)?, row.get(2)?));
    }
    Ok(ranges)
}

/// One is the other but for a few bytes.
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).filter(|(one, other)| one != other).count();
    one.len() == other.len() && differing <= MOST_DIFFERING
}

/// The damaged bytes for which no record can stand: a few bytes changed make nothing unlike.
pub(crate) fn unlike<'b>(damaged: &'b [Vec<u8>], records: &[Record]) -> Vec<&'b [u8]> {
    let is_like = |bytes: &[u8]| records.iter().any(|record| are_alike(&record.bytes, bytes));
    damaged.iter().map(Vec::as_slice).filter(|bytes| !is_like(bytes)).collect()
}

/// Writes what is left of own changes to a file of its own; gives its name, and none when nothing is.
///
/// # Errors
/// `StorageFull` and the like.
pub(crate) fn put_aside(folder: &Folder, lost: &[&[u8]]) -> Result<Option<String>> {
    if lost.is_empty() {
        return Ok(None);
    }
    let aside = free_name(&folder.path().join("outbox"), "damaged");
    let mut file = create_private(&aside)?;
    for bytes in lost {
        file.write_all(&(bytes.len() as u32).to_be_bytes())?;
        file.write_all(bytes)?;
    }
    file.sync_all()?;
    Ok(aside.file_name().map(|name| name.to_string_lossy().into_owned()))
}
