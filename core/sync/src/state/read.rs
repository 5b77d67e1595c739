//! Rows of a state frame, one after another: nothing is unpacked before its row is asked for.

use std::collections::BTreeMap;

use langso_domain::id::{MAX_SEQ, Writer};

use super::column::{self, next_bytes, next_column, next_number};
use super::reference::{self, Own};
use super::{MAX_WRITERS, StateRow};
use crate::change::Malformed;
use crate::clock::Stamp;
use crate::leb;
use crate::merge;

const BAD: Malformed = Malformed("state rows");

/// The rows of one frame in their order; `writers` is the list of the snapshot, as far as it has come.
#[derive(Debug)]
pub struct Rows<'a> {
    writers: &'a [Writer],
    named: Vec<u64>,
    /// Columns of saves: whose, which, moment, counter, rows.
    saves: [&'a [u8]; 5],
    places: &'a [u8],
    tables: &'a [u8],
    columns: BTreeMap<u8, Vec<column::Reading<'a>>>,
    versions: &'a [u8],
    /// The next row with versions, counted from 0.
    next_versions: Option<usize>,
    passed: usize,
    save: Save,
}

/// The save whose rows are being read.
#[derive(Debug, Default)]
struct Save {
    number: usize,
    own: Own,
    moment: i64,
    created: Option<Stamp>,
    left: u64,
    place: i64,
}

impl<'a> Rows<'a> {
    /// The rows at the start of `from`, `count` of them.
    pub(super) fn new(mut from: &'a [u8], count: usize, writers: &'a [Writer]) -> Result<Self, Malformed> {
        let from = &mut from;
        let mut rows = Self {
            writers,
            named: Vec::new(),
            saves: [&[]; 5],
            places: &[],
            tables: &[],
            columns: BTreeMap::new(),
            versions: &[],
            next_versions: None,
            passed: 0,
            save: Save::default(),
        };
        if count == 0 {
            return if from.is_empty() { Ok(rows) } else { Err(BAD) };
        }
        let named = usize::try_from(next_number(from)?).ok().filter(|&n| n <= 16 * MAX_WRITERS).ok_or(BAD)?;
        let named = next_bytes(from, named.checked_mul(8).ok_or(BAD)?)?;
        rows.named = named.as_chunks::<8>().0.iter().map(|writer| u64::from_be_bytes(*writer)).collect();
        for column in &mut rows.saves {
            *column = next_column(from)?;
        }
        rows.places = next_column(from)?;
        rows.tables = next_bytes(from, count)?;
        let mut of_table: BTreeMap<u8, usize> = BTreeMap::new();
        rows.tables.iter().for_each(|table| *of_table.entry(*table).or_default() += 1);
        for (table, count) in of_table {
            let mut columns = Vec::new();
            let mut last = None;
            for _ in 0..next_number(from)? {
                let column = column::Reading::new(from, count)?;
                if last.is_some_and(|last| last >= column.field) {
                    return Err(Malformed("order of state columns"));
                }
                last = Some(column.field);
                columns.push(column);
            }
            rows.columns.insert(table, columns);
        }
        rows.versions = from;
        rows.step_versions(0)?;
        Ok(rows)
    }

    fn step_versions(&mut self, after: usize) -> Result<(), Malformed> {
        self.next_versions = match self.versions.is_empty() {
            true => None,
            false => {
                let step = usize::try_from(next_number(&mut self.versions)?).map_err(|_| BAD)?;
                Some(after.checked_add(step).ok_or(BAD)?)
            }
        };
        Ok(())
    }

    /// How many rows are left.
    pub fn left(&self) -> usize {
        self.tables.len() - self.passed
    }

    /// Reads the next row over `row`; false at the end.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn next_into(&mut self, row: &mut StateRow) -> Result<bool, Malformed> {
        let Some(&table) = self.tables.get(self.passed) else {
            let is_whole = self.next_versions.is_none() && self.save.left == 0 && self.places.is_empty();
            return if is_whole { Ok(false) } else { Err(BAD) };
        };
        if self.save.left == 0 {
            self.next_save()?;
        }
        self.save.left -= 1;
        let place = self.save.place.checked_add(leb::unzigzag(next_number(&mut self.places)?)).ok_or(BAD)?;
        let own = self.save.own;
        row.table = table;
        row.id = reference::id(own.writer, own.seq, u8::try_from(place).map_err(|_| BAD)?);
        self.save.place = place + 1;
        row.created = self.save.created;
        row.values.clear();
        for column in self.columns.get_mut(&table).into_iter().flatten() {
            if let Some(value) = column.next(own, self.writers, &self.named)? {
                row.values.push((column.field, value));
            }
        }
        row.versions.clear();
        if self.next_versions == Some(self.passed) {
            row.versions = merge::decode(row.id, next_column(&mut self.versions)?)?;
            if row.values.iter().any(|(field, _)| row.versions.contains_key(field)) {
                return Err(Malformed("a field twice"));
            }
            let passed = self.passed;
            self.step_versions(passed)?;
            if self.next_versions == Some(passed) {
                return Err(BAD);
            }
        }
        self.passed += 1;
        Ok(true)
    }

    fn next_save(&mut self) -> Result<(), Malformed> {
        let [writers, seqs, moments, counters, counts] = &mut self.saves;
        let save = &mut self.save;
        let step = usize::try_from(next_number(writers)?).map_err(|_| BAD)?;
        save.number = save.number.checked_add(step).ok_or(BAD)?;
        let writer = self.writers.get(save.number).ok_or(Malformed("state writer"))?.0;
        let last_seq = if step > 0 { 0 } else { save.own.seq };
        let seq = u64::from(last_seq).checked_add(next_number(seqs)?).ok_or(BAD)?;
        let seq = u32::try_from(seq).ok().filter(|&seq| seq <= MAX_SEQ).ok_or(BAD)?;
        save.own = Own { writer, seq };
        save.moment = save.moment.checked_add(leb::unzigzag(next_number(moments)?)).ok_or(BAD)?;
        let (moment, counter) = (u64::try_from(save.moment).map_err(|_| BAD)?, next_number(counters)?);
        if moment >= 1 << 39 || counter >= 1 << 24 {
            return Err(Malformed("stamp"));
        }
        let stamp = Stamp(moment << 24 | counter);
        save.created = (stamp > Stamp::default()).then_some(stamp);
        save.left = next_number(counts)?;
        save.place = 0;
        if save.left == 0 { Err(BAD) } else { Ok(()) }
    }
}
