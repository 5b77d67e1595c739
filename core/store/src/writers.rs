//! Applied-memory: which changes of each writer have been taken in. Hearing a change again costs one look.
//!
//! Read through a batch's cache and written back once per commit, since a frame holds many changes of few writers.

use std::collections::HashMap;

use langso_domain::id::{DeviceId, Key, Writer};
use rusqlite::{Connection, OptionalExtension};

use crate::Result;

/// What is known of one writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub scope: i64,
    pub device: DeviceId,
    upto: u32,
    beyond: Vec<(u32, u32)>,
    is_current: bool,
    is_changed: bool,
}

impl Known {
    fn has(&self, seq: u32) -> bool {
        self.is_current || self.is_noted(seq)
    }

    /// Whether a change was noted one by one, whoever's writer it is.
    fn is_noted(&self, seq: u32) -> bool {
        seq <= self.upto || self.beyond.iter().any(|(first, last)| (*first..=*last).contains(&seq))
    }

    fn add_range(&mut self, first: u32, last: u32) {
        if first > last {
            return;
        }
        self.is_changed = true;
        let at = self.beyond.partition_point(|(other, _)| *other < first);
        self.beyond.insert(at, (first, last));
        self.close_gaps();
    }

    /// Ranges that touch become one, and those that touch what is whole from the beginning go into it.
    fn close_gaps(&mut self) {
        self.beyond.dedup_by(|later, earlier| {
            let touches = earlier.1 + 1 >= later.0;
            if touches {
                earlier.1 = earlier.1.max(later.1);
            }
            touches
        });
        while self.beyond.first().is_some_and(|(first, _)| *first <= self.upto + 1) {
            self.upto = self.upto.max(self.beyond.remove(0).1);
        }
    }

    fn add(&mut self, seq: u32) {
        if seq == self.upto + 1 && self.beyond.is_empty() {
            (self.upto, self.is_changed) = (seq, true);
        } else {
            self.add_range(seq, seq);
        }
    }
}

/// The writers that a batch has met.
#[derive(Debug, Default)]
pub(crate) struct Writers {
    met: HashMap<Writer, Option<Known>>,
}

impl Writers {
    pub fn known(&mut self, connection: &Connection, writer: Writer) -> Result<Option<&mut Known>> {
        if let std::collections::hash_map::Entry::Vacant(entry) = self.met.entry(writer) {
            entry.insert(load(connection, writer)?);
        }
        Ok(self.met.get_mut(&writer).and_then(Option::as_mut))
    }

    pub fn has(&mut self, connection: &Connection, key: Key) -> Result<bool> {
        Ok(self.known(connection, key.writer)?.is_some_and(|known| known.has(key.seq)))
    }

    pub fn is_noted(&mut self, connection: &Connection, key: Key) -> Result<bool> {
        Ok(self.known(connection, key.writer)?.is_some_and(|known| known.is_noted(key.seq)))
    }

    /// Notes all up to a number and ranges above it, of a writer that is known.
    pub fn add_all(
        &mut self,
        connection: &Connection,
        writer: Writer,
        upto: u32,
        beyond: &[(u32, u32)],
    ) -> Result<()> {
        if let Some(known) = self.known(connection, writer)? {
            known.add_range(1, upto);
            beyond.iter().for_each(|(first, last)| known.add_range(*first, *last));
        }
        Ok(())
    }

    /// Notes that a writer of this process has numbered up to here; any other is left as it is.
    pub fn note_current(&mut self, connection: &Connection, key: Key) -> Result<()> {
        if let Some(known) = self.known(connection, key.writer)?.filter(|known| known.is_current) {
            known.add_range(1, key.seq);
        }
        Ok(())
    }

    /// Notes a change; the first of a writer binds it to scope and device.
    pub fn add(&mut self, connection: &Connection, key: Key, scope: i64, device: DeviceId) -> Result<()> {
        self.known(connection, key.writer)?;
        let fresh =
            || Known { scope, device, upto: 0, beyond: Vec::new(), is_current: false, is_changed: true };
        let known = self.met.entry(key.writer).or_default().get_or_insert_with(fresh);
        known.add(key.seq);
        Ok(())
    }

    /// Writes back and reads anew from now on: for whoever is about to write the table itself.
    pub fn forget(&mut self, connection: &Connection) -> Result<()> {
        self.flush(connection)?;
        self.met.clear();
        Ok(())
    }

    pub fn flush(&mut self, connection: &Connection) -> Result<()> {
        let mut put = connection.prepare_cached(
            "INSERT INTO writers (writer, scope, device, upto, beyond) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (writer) DO UPDATE SET upto = excluded.upto, beyond = excluded.beyond",
        )?;
        for (writer, known) in &mut self.met {
            let Some(known) = known.as_mut().filter(|known| known.is_changed) else { continue };
            let beyond = range_bytes(&known.beyond);
            put.execute((writer.0 as i64, known.scope, known.device.0, known.upto, beyond))?;
            known.is_changed = false;
        }
        Ok(())
    }
}

/// Ranges as they lie in a column; none for no range.
pub(crate) fn range_bytes(ranges: &[(u32, u32)]) -> Option<Vec<u8>> {
    let bytes = ranges.iter().flat_map(|(first, last)| [first.to_be_bytes(), last.to_be_bytes()].concat());
    (!ranges.is_empty()).then(|| bytes.collect())
}

/// Reads what [`range_bytes`] wrote.
pub(crate) fn ranges(column: Option<&[u8]>) -> Vec<(u32, u32)> {
    let number =
        |pair: &[u8; 8], at: usize| u32::from_be_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
    let pairs = column.unwrap_or_default().as_chunks::<8>().0.iter();
    pairs.map(|pair| (number(pair, 0), number(pair, 4))).collect()
}

fn load(connection: &Connection, writer: Writer) -> Result<Option<Known>> {
    let mut get = connection
        .prepare_cached("SELECT scope, device, upto, beyond, is_current FROM writers WHERE writer = ?1")?;
    let known = get.query_row([writer.0 as i64], |row| {
        let beyond: Option<Vec<u8>> = row.get(3)?;
        Ok(Known {
            scope: row.get(0)?,
            device: DeviceId(row.get(1)?),
            upto: row.get(2)?,
            beyond: ranges(beyond.as_deref()),
            is_current: row.get(4)?,
            is_changed: false,
        })
    });
    Ok(known.optional()?)
}

#[cfg(test)]
mod tests {
    use langso_domain::id::ScopeId;
    use langso_domain::registry::ScopeKind;

    use super::*;
    use crate::{CURRENT, Purpose, Replica};

    #[test]
    fn gaps_close_in_any_order() {
        let mut known = Known {
            scope: 1,
            device: DeviceId([0; 8]),
            upto: 0,
            beyond: vec![],
            is_current: false,
            is_changed: false,
        };
        for seq in [5, 3, 7, 4, 9, 1] {
            assert!(!known.has(seq));
            known.add(seq);
            assert!(known.has(seq));
        }
        assert_eq!((known.upto, known.beyond.as_slice()), (1, &[(3, 5), (7, 7), (9, 9)][..]));
        known.add(2);
        known.add(6);
        known.add(8);
        assert_eq!((known.upto, known.beyond.len()), (9, 0));
    }

    #[test]
    fn a_writer_that_ends_keeps_no_ranges_below_its_last_number() -> Result<()> {
        let (own, other, device) = (Writer(1), Writer(2), DeviceId([7; 8]));
        let mut replica = Replica::in_memory(CURRENT, Purpose::HubCache)?;
        let mut batch = replica.begin()?;
        let scope = batch.add_scope(ScopeId([1; 8]), ScopeKind::Team)?;
        batch.begin_writer(own, scope, device)?;
        // A snapshot was of a hub that had heard only a part of it.
        batch.writers.add_all(&batch.tx, own, 0, &[(2, 3)])?;
        batch.writers.add(&batch.tx, Key { writer: other, seq: 2 }, scope, device)?;
        batch.end_writer(own, 4)?;
        batch.end_writer(other, 4)?;
        batch.commit()?;
        let known = |writer| Ok::<_, crate::Error>(load(replica.connection(), writer)?.expect("noted"));
        let (own, other) = (known(own)?, known(other)?);
        assert_eq!((own.upto, own.beyond, own.is_current), (4, vec![], false));
        assert_eq!((other.upto, other.beyond), (0, vec![(2, 2)]), "what of another's is missing never came");
        Ok(())
    }
}
