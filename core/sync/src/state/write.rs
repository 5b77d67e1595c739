//! Bodies of state frames, built row by row.

use std::collections::{BTreeMap, HashMap};

use langso_domain::id::Writer;

use super::column::{self, Placed, put_column};
use super::reference::{self, Own};
use super::writers;
use super::{MAX_ROWS, MAX_WRITERS, StateRow, WriterMemory};
use crate::frame::MAX_RAW_BYTES;
use crate::leb;
use crate::merge;
use crate::value::Value;

/// The place of each writer in a snapshot's list.
#[derive(Debug, Default)]
pub struct Numbers(HashMap<Writer, u32>);

impl Numbers {
    /// From the list, in its order.
    pub fn new(writers: impl IntoIterator<Item = Writer>) -> Self {
        Self(writers.into_iter().zip(0..).collect())
    }

    /// The place of a writer.
    pub fn of(&self, writer: Writer) -> Option<u32> {
        self.0.get(&writer).copied()
    }
}

/// What a frame will say, not deflated and not signed yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// How many writers.
    pub writers: usize,
    /// How many rows.
    pub rows: usize,
    /// Writers, then rows.
    pub bytes: Vec<u8>,
}

/// Collects writers or rows for one body. All writers of a snapshot come before its first row.
#[derive(Debug)]
pub struct BodyBuilder {
    most_bytes: usize,
    writers: Vec<WriterMemory>,
    rows: Vec<StateRow>,
    estimate: usize,
}

impl BodyBuilder {
    /// Bodies of about so many bytes each; see [`super::BODY_BYTES`].
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, writers: Vec::new(), rows: Vec::new(), estimate: 0 }
    }

    /// True when it is time to [`BodyBuilder::take`].
    pub fn is_full(&self) -> bool {
        self.estimate >= self.most_bytes || self.rows.len() >= MAX_ROWS || self.writers.len() >= MAX_WRITERS
    }

    /// True when nothing was pushed since the last take.
    pub fn is_empty(&self) -> bool {
        self.writers.is_empty() && self.rows.is_empty()
    }

    /// Adds the next writer of the list. Of the ranges beyond, as many as fit into one body are told.
    pub fn push_writer(&mut self, memory: WriterMemory) {
        // Writers are random bits that do not deflate, and rows do.
        self.estimate += 40 + memory.beyond.len() * 8;
        self.writers.push(memory);
    }

    /// Adds the next row, whose writer has a number.
    pub fn push_row(&mut self, row: StateRow) {
        let values: usize = row.values.iter().map(|(_, value)| size(value)).sum();
        let heads = row.versions.values().flat_map(|field| &field.heads);
        let versions: usize = heads.map(|head| 32 + size(&head.value) + head.saw.len() * 12).sum();
        self.estimate += 4 + values + versions;
        self.rows.push(row);
    }

    /// What was pushed, as a body; the next begins empty.
    pub fn take(&mut self, numbers: &Numbers) -> Body {
        let (listed, rows) = (std::mem::take(&mut self.writers), std::mem::take(&mut self.rows));
        self.estimate = 0;
        let mut bytes = Vec::with_capacity(self.most_bytes.min(MAX_RAW_BYTES));
        writers::write(&mut bytes, &listed);
        write_rows(&mut bytes, &rows, numbers);
        Body { writers: listed.len(), rows: rows.len(), bytes }
    }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Text(text) => 1 + text.len(),
        Value::Bytes(bytes) | Value::Other(bytes) => 2 + bytes.len(),
        Value::Ref(_) => 5,
        Value::Refs(rows) => 1 + 5 * rows.len(),
    }
}

fn write_rows(to: &mut Vec<u8>, rows: &[StateRow], numbers: &Numbers) {
    if rows.is_empty() {
        return;
    }
    let mut named: Vec<u64> = Vec::new();
    let mut named_at: HashMap<Writer, u32> = HashMap::new();
    let mut tables: BTreeMap<u8, Vec<&StateRow>> = BTreeMap::new();
    rows.iter().for_each(|row| tables.entry(row.table).or_default().push(row));
    let mut columns = Vec::new();
    for rows in tables.values() {
        let mut fields: BTreeMap<u8, Vec<Placed<'_>>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let (writer, seq, _) = reference::parts(row.id);
            for (number, value) in &row.values {
                fields.entry(*number).or_default().push((at, Own { writer, seq }, value));
            }
        }
        leb::put(&mut columns, fields.len() as u64);
        let listed = |writer| numbers.of(writer);
        let mut name = |writer: Writer| {
            *named_at.entry(writer).or_insert_with(|| {
                named.push(writer.0);
                named.len() as u32 - 1
            })
        };
        for (field, values) in fields {
            column::write(&mut columns, field, rows.len(), &values, &listed, &mut name);
        }
    }
    leb::put(to, named.len() as u64);
    named.iter().for_each(|writer| to.extend_from_slice(&writer.to_be_bytes()));
    write_ids(to, rows, numbers);
    to.extend_from_slice(&columns);
    let mut last = 0;
    for (at, row) in rows.iter().enumerate() {
        if let Some(versions) = merge::encode(row.id, &row.versions) {
            leb::put(to, (at - last) as u64);
            put_column(to, &versions);
            last = at;
        }
    }
}

/// Saves with their rows: whose, which, when, how many rows; then each row's place and table.
fn write_ids(to: &mut Vec<u8>, rows: &[StateRow], numbers: &Numbers) {
    let [mut writers, mut seqs, mut moments, mut counters, mut counts, mut places] =
        [const { Vec::new() }; 6];
    let (mut last_number, mut last_seq, mut last_moment) = (0, 0, 0);
    let mut at = 0;
    while at < rows.len() {
        let (writer, seq, _) = reference::parts(rows[at].id);
        let created = rows[at].created;
        let same = |row: &&StateRow| row.id.0[..11] == rows[at].id.0[..11] && row.created == created;
        let count = rows[at..].iter().take_while(same).count();
        let number = numbers.of(Writer(writer)).expect("rows are of listed writers");
        leb::put(&mut writers, u64::from(number - last_number));
        if number != last_number {
            last_seq = 0;
        }
        leb::put(&mut seqs, u64::from(seq - last_seq));
        let stamp = created.unwrap_or_default().0;
        let (moment, counter) = ((stamp >> 24) as i64, stamp & 0xFF_FFFF);
        leb::put(&mut moments, leb::zigzag(moment - last_moment));
        leb::put(&mut counters, counter);
        leb::put(&mut counts, count as u64);
        (last_number, last_seq, last_moment) = (number, seq, moment);
        let mut expected = 0;
        for row in &rows[at..at + count] {
            let place = i64::from(row.id.0[11]);
            leb::put(&mut places, leb::zigzag(place - expected));
            expected = place + 1;
        }
        at += count;
    }
    for column in [writers, seqs, moments, counters, counts, places] {
        put_column(to, &column);
    }
    to.extend(rows.iter().map(|row| row.table));
}
