//! The digest of a scope: sixteen bytes that two replicas share when they hold the same rows.
//!
//! Pure. The one idea to hold: a sum over one hash for each row, so that the order in which rows came plays no part and
//! a row that changes costs one subtraction and one addition. A row's hash speaks of versions as the merge knows them
//! and not of columns, so that a reader who does not know a field or a table comes to the same sum as one who does.
//! It finds damage, not forgery: who can choose the rows can choose the sum.

use langso_domain::id::RowId;
use langso_domain::registry::FIRST_PERSONAL_TABLE;
use sha2::{Digest as _, Sha256};

use crate::change::Name;
use crate::clock::Stamp;
use crate::merge::{FieldState, RowState};
use crate::value::Value;

/// What a row adds to the digest of its scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowHash(u128);

/// The sum over the rows of a scope, modulo 2^128; no rows give zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(u128);

impl Digest {
    /// The row is there.
    pub fn add(&mut self, row: RowHash) {
        self.0 = self.0.wrapping_add(row.0);
    }

    /// The row is no longer there as it was.
    pub fn take(&mut self, row: RowHash) {
        self.0 = self.0.wrapping_sub(row.0);
    }

    /// Its bytes, on the wire and in the file; big endian.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From its bytes; any sixteen are a digest.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({:032x})", self.0)
    }
}

/// How often a phone counts its rows, and how often it has a digest compared, in ms.
pub const COUNT_EVERY_MS: i64 = 7 * 24 * 3_600_000;
/// See [`COUNT_EVERY_MS`].
pub const COMPARE_EVERY_MS: i64 = 24 * 3_600_000;

/// Whether what was last done at that time (ms since 1970) is to be done again. A time that lies ahead was told by a
/// wrong clock and says nothing.
pub fn is_due(last_ms: Option<i64>, now_ms: i64, every_ms: i64) -> bool {
    last_ms.is_none_or(|last| last > now_ms || now_ms.saturating_sub(last) >= every_ms)
}

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const TEXT: u8 = 3;
const BYTES: u8 = 4;
const REF: u8 = 5;
const REFS: u8 = 6;
const OTHER: u8 = 7;
/// In the place of a value's kind: the field has versions.
const VERSIONS: u8 = 8;

/// Hashes one row after another into the same buffer. A row is begun, its fields are told in rising order of their
/// numbers, and it is finished.
#[derive(Debug, Default)]
pub struct RowHasher {
    bytes: Vec<u8>,
    is_personal: bool,
}

impl RowHasher {
    /// Begins a row; `created` is none while its create has not come.
    pub fn begin(&mut self, table: u8, row: RowId, created: Option<Stamp>) {
        self.is_personal = table >= FIRST_PERSONAL_TABLE;
        self.bytes.clear();
        self.bytes.push(table);
        self.bytes.extend(row.0);
        self.bytes.extend(created.map_or(0, |stamp| stamp.0).to_be_bytes());
    }

    /// A field whose only version is the create. Nothing is said of one without a value, nor of personal values,
    /// which may be erased.
    pub fn created(&mut self, field: u8, value: &Value) {
        if *value == Value::Null || self.is_personal {
            return;
        }
        self.bytes.push(field);
        self.value(value);
    }

    /// The same for a number that is not yet a [`Value`].
    pub fn created_int(&mut self, field: u8, number: i64) {
        self.short(field, INT, &number.to_be_bytes());
    }

    /// The same for yes or no.
    pub fn created_bool(&mut self, field: u8, yes: bool) {
        self.short(field, BOOL, &[u8::from(yes)]);
    }

    /// The same for text.
    pub fn created_text(&mut self, field: u8, text: &str) {
        self.long(field, TEXT, text.as_bytes());
    }

    /// The same for bytes.
    pub fn created_bytes(&mut self, field: u8, bytes: &[u8]) {
        self.long(field, BYTES, bytes);
    }

    /// The same for a reference.
    pub fn created_ref(&mut self, field: u8, row: RowId) {
        self.short(field, REF, &row.0);
    }

    /// The same for references, their ids one after another.
    pub fn created_refs(&mut self, field: u8, ids: &[u8]) {
        self.long(field, REFS, ids);
    }

    /// A field with a list of versions. One that only the create wrote counts as [`RowHasher::created`], however it
    /// lies in the file.
    pub fn versions(&mut self, field: u8, state: &FieldState, created: Option<Stamp>) {
        if let [head] = state.heads.as_slice()
            && head.name == Name::Create
            && Some(head.stamp) == created
            && head.saw.is_empty()
            && state.awaited.is_empty()
        {
            return self.created(field, &head.value);
        }
        self.bytes.extend([field, VERSIONS]);
        self.count(state.heads.len());
        for head in &state.heads {
            self.name(head.name);
            self.bytes.extend(head.stamp.0.to_be_bytes());
            if !self.is_personal {
                self.value(&head.value);
            }
            self.count(head.saw.len());
            head.saw.iter().for_each(|key| self.bytes.extend(key.to_bytes()));
        }
        self.count(state.awaited.len());
        state.awaited.iter().for_each(|name| self.name(*name));
    }

    /// All fields of a row: `columns` are the values of those that no patch wrote, in rising order of their numbers.
    pub fn fields<'v>(&mut self, columns: impl IntoIterator<Item = (u8, &'v Value)>, state: &RowState) {
        let mut listed = state.fields.iter().peekable();
        for (number, value) in columns {
            while let Some((before, field)) = listed.next_if(|(other, _)| **other < number) {
                self.versions(*before, field, state.created);
            }
            match listed.next_if(|(other, _)| **other == number) {
                Some((_, field)) => self.versions(number, field, state.created),
                None => self.created(number, value),
            }
        }
        listed.for_each(|(number, field)| self.versions(*number, field, state.created));
    }

    /// The hash of the row: the first sixteen bytes of SHA-256 over what was told.
    pub fn finish(&self) -> RowHash {
        let mut short = [0; 16];
        short.copy_from_slice(&Sha256::digest(&self.bytes)[..16]);
        RowHash(u128::from_be_bytes(short))
    }

    fn short(&mut self, field: u8, kind: u8, bytes: &[u8]) {
        if !self.is_personal {
            self.bytes.extend([field, kind]);
            self.bytes.extend(bytes);
        }
    }

    fn long(&mut self, field: u8, kind: u8, bytes: &[u8]) {
        if !self.is_personal {
            self.bytes.extend([field, kind]);
            self.count(bytes.len());
            self.bytes.extend(bytes);
        }
    }

    fn value(&mut self, value: &Value) {
        let (kind, bytes): (u8, &[u8]) = match value {
            Value::Null => return self.bytes.push(NULL),
            Value::Bool(yes) => return self.bytes.extend([BOOL, u8::from(*yes)]),
            Value::Int(number) => {
                self.bytes.push(INT);
                return self.bytes.extend(number.to_be_bytes());
            }
            Value::Ref(row) => {
                self.bytes.push(REF);
                return self.bytes.extend(row.0);
            }
            Value::Refs(rows) => {
                self.bytes.push(REFS);
                self.count(rows.len() * 12);
                return rows.iter().for_each(|row| self.bytes.extend(row.0));
            }
            Value::Text(text) => (TEXT, text.as_bytes()),
            Value::Bytes(bytes) => (BYTES, bytes),
            Value::Other(bytes) => (OTHER, bytes),
        };
        self.bytes.push(kind);
        self.count(bytes.len());
        self.bytes.extend(bytes);
    }

    fn name(&mut self, name: Name) {
        match name {
            Name::Create => self.bytes.push(0),
            Name::Change(key) => {
                self.bytes.push(1);
                self.bytes.extend(key.to_bytes());
            }
        }
    }

    fn count(&mut self, count: usize) {
        // No row has so much of anything: a change is 64 KiB.
        self.bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use langso_domain::id::{Key, Writer};

    use super::*;
    use crate::merge::Head;

    const KEY: Key = Key { writer: Writer(0x0123_4567_89ab_cdef), seq: 1 };
    const CREATED: Option<Stamp> = Some(Stamp(99));

    fn hash(table: u8, columns: &[(u8, Value)], state: &RowState) -> RowHash {
        let mut hasher = RowHasher::default();
        hasher.begin(table, KEY.row(0), state.created);
        hasher.fields(columns.iter().map(|(field, value)| (*field, value)), state);
        hasher.finish()
    }

    fn head(name: Name, value: Value) -> Head {
        Head { name, stamp: Stamp(99), value, saw: BTreeSet::new() }
    }

    fn listed(field: u8, heads: Vec<Head>) -> RowState {
        let state = FieldState { heads, awaited: BTreeSet::new() };
        RowState { created: CREATED, fields: BTreeMap::from([(field, state)]) }
    }

    #[test]
    fn a_value_counts_the_same_in_its_column_and_among_the_versions() {
        let plain = RowState { created: CREATED, fields: BTreeMap::new() };
        let values = [
            Value::Bool(true),
            Value::Int(-7),
            Value::Text("Hộ 12".to_owned()),
            Value::Bytes(vec![1, 2]),
            Value::Ref(KEY.row(1)),
            Value::Refs(vec![KEY.row(1), KEY.row(2)]),
        ];
        for value in values {
            let column = hash(1, &[(3, value.clone())], &plain);
            let kept = listed(3, vec![head(Name::Create, value.clone())]);
            assert_eq!(hash(1, &[], &kept), column, "{value:?}");
            let patched = listed(3, vec![head(Name::Change(KEY), value.clone())]);
            assert_ne!(hash(1, &[], &patched), column, "{value:?} of a patch");
            let mut hasher = RowHasher::default();
            hasher.begin(1, KEY.row(0), CREATED);
            match &value {
                Value::Bool(yes) => hasher.created_bool(3, *yes),
                Value::Int(number) => hasher.created_int(3, *number),
                Value::Text(text) => hasher.created_text(3, text),
                Value::Bytes(bytes) => hasher.created_bytes(3, bytes),
                Value::Ref(row) => hasher.created_ref(3, *row),
                Value::Refs(rows) => {
                    hasher.created_refs(3, &rows.iter().flat_map(|row| row.0).collect::<Vec<_>>())
                }
                Value::Null | Value::Other(_) => {}
            }
            assert_eq!(hasher.finish(), column, "{value:?} as it is read from a file");
        }
        let nothing = hash(1, &[], &plain);
        assert_eq!(hash(1, &[(3, Value::Null)], &plain), nothing, "no value is as no field");
        assert_eq!(hash(1, &[], &listed(200, vec![head(Name::Create, Value::Null)])), nothing);
    }

    #[test]
    fn personal_values_do_not_count_and_their_versions_do() {
        let of = |name, value: &str| listed(1, vec![head(name, Value::from(value))]);
        let [create, patch] = [Name::Create, Name::Change(KEY)];
        assert_eq!(hash(64, &[], &of(create, "Lan")), hash(64, &[], &of(create, "Hoa")));
        assert_eq!(hash(64, &[], &of(patch, "Lan")), hash(64, &[], &of(patch, "Hoa")));
        assert_ne!(hash(64, &[], &of(patch, "Lan")), hash(64, &[], &of(create, "Lan")));
        assert_ne!(hash(63, &[], &of(create, "Lan")), hash(63, &[], &of(create, "Hoa")));
    }

    #[test]
    fn a_time_ahead_of_now_says_nothing() {
        let at = [None, Some(0), Some(1), Some(10), Some(11)];
        assert_eq!(at.map(|last| is_due(last, 10, 10)), [true, true, false, false, true]);
    }

    #[test]
    fn rows_may_come_and_go_in_any_order() {
        let row = |text: &str| hash(1, &[(1, Value::from(text))], &RowState::default());
        let (mut one, mut other) = (Digest::default(), Digest::default());
        ["a", "b", "c"].iter().for_each(|text| one.add(row(text)));
        ["c", "x", "a", "b"].iter().for_each(|text| other.add(row(text)));
        assert_ne!(one, other);
        other.take(row("x"));
        assert_eq!(one, other);
        assert_eq!(Digest::from_bytes(one.to_bytes()), one);
    }
}
