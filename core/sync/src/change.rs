//! The change: all that one save wrote in one scope, and its bytes.
//!
//! A change is encoded once by its author and never again; outbox, journal, frame, log and golden file hold the
//! same bytes. `[writer, seq, stamp, [row...], {extras}]` in deterministic CBOR (RFC 8949 4.2) with integer keys;
//! a row is `[table, {field: value}]` or, for a patch, `[table, {field: value}, target, base]`.

use std::collections::BTreeMap;

use langso_domain::id::{Key, MAX_SEQ, RowId, Writer};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};

use crate::clock::Stamp;
use crate::value::{self, Value};

/// The most rows of one change: a row's place is one byte.
pub const MAX_ROWS: usize = 255;
/// The longest change, in bytes.
pub const MAX_CHANGE_BYTES: usize = 64 * 1024;
/// The most heads a patch may name for one field.
pub const MAX_NAMES: usize = 256;

/// What one save wrote in one scope. Its scope is that of its writer and of the frame around it.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Its name.
    pub key: Key,
    /// When, by the author's hybrid clock; greater than every stamp that it overwrites.
    pub stamp: Stamp,
    /// Creates and patches, applied together.
    pub rows: Vec<RowOp>,
    /// What is said about the save itself, by number: see [`extra`].
    pub extras: BTreeMap<u8, Value>,
}

/// Numbers of [`Change::extras`].
pub mod extra {
    /// Why a fact was corrected: a number of the list `correction_reasons`.
    pub const REASON: u8 = 1;
    /// The reason in words, when the list has none.
    pub const REASON_TEXT: u8 = 2;
    /// True when the author's clock had not been set by the hub since the last reboot.
    pub const CLOCK_UNSURE: u8 = 3;
}

/// One row made or patched.
#[derive(Clone, PartialEq, Debug)]
pub struct RowOp {
    /// The table's number.
    pub table: u8,
    /// What is written, by field number.
    pub fields: BTreeMap<u8, Value>,
    /// The row that is patched and what the author saw of it; none for a create.
    pub patch: Option<Patch>,
}

/// The target of a patch and the versions that its author saw.
#[derive(Clone, PartialEq, Debug)]
pub struct Patch {
    /// The row.
    pub target: RowId,
    /// Every head the author saw.
    pub base: Base,
}

/// The version of a field that the author saw.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Name {
    /// The value of the create.
    Create,
    /// The value that this change wrote.
    Change(Key),
}

/// The heads an author saw.
#[derive(Clone, PartialEq, Debug)]
pub enum Base {
    /// The same for each field that the patch writes.
    Same(Vec<Name>),
    /// By field; may hold fields that the patch does not write (a void names all it saw of the row).
    ByField(BTreeMap<u8, Vec<Name>>),
}

impl Base {
    /// What is named for a field that the patch writes.
    pub fn of(&self, field: u8) -> &[Name] {
        match self {
            Self::Same(names) => names,
            Self::ByField(fields) => fields.get(&field).map_or(&[], Vec::as_slice),
        }
    }
}

/// The bytes are not a change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("malformed {0}")]
pub struct Malformed(pub &'static str);

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self("cbor")
    }
}

/// The sameness of a change: SHA-256 of its author's bytes.
pub type ChangeHash = [u8; 32];

/// The SHA-256 by which two changes of one key are the same or not.
pub fn hash(bytes: &[u8]) -> ChangeHash {
    Sha256::digest(bytes).into()
}

/// What the log needs of a change without reading its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its name.
    pub key: Key,
    /// Its stamp.
    pub stamp: Stamp,
}

impl Change {
    /// Its bytes, the same for the same change.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        let written = self.put(&mut Encoder::new(&mut bytes));
        written.expect("a vector takes every byte");
        bytes
    }

    fn put(
        &self,
        to: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        to.array(5)?.bytes(&self.key.writer.0.to_be_bytes())?.u32(self.key.seq)?.u64(self.stamp.0)?;
        to.array(self.rows.len() as u64)?;
        for row in &self.rows {
            to.array(if row.patch.is_some() { 4 } else { 2 })?.u8(row.table)?;
            put_fields(to, self.key, &row.fields)?;
            if let Some(patch) = &row.patch {
                value::put(to, self.key, &Value::Ref(patch.target))?;
                match &patch.base {
                    Base::Same(names) => put_names(to, names)?,
                    Base::ByField(fields) => {
                        to.map(fields.len() as u64)?;
                        for (field, names) in fields {
                            to.u8(*field)?;
                            put_names(to, names)?;
                        }
                    }
                }
            }
        }
        put_fields(to, self.key, &self.extras)
    }

    /// Reads one whole change.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not exactly one change within the limits of this module.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(Malformed("change length"));
        }
        let mut from = Decoder::new(bytes);
        let Head { key, stamp } = head(&mut from)?;
        let count = array(&mut from, MAX_ROWS, "rows")?;
        let mut rows = Vec::with_capacity(count);
        for _ in 0..count {
            rows.push(get_row(&mut from, key)?);
        }
        let mut targets: Vec<_> =
            rows.iter().filter_map(|row: &RowOp| Some(row.patch.as_ref()?.target)).collect();
        targets.sort_unstable();
        if targets.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Malformed("a row patched twice"));
        }
        let extras = get_fields(&mut from, key)?;
        // Whoever only passes it on must find the same end of it: what cannot be skipped over is no change.
        if from.position() != bytes.len() || scan(bytes)?.1 != bytes.len() {
            return Err(Malformed("change length"));
        }
        Ok(Self { key, stamp, rows, extras })
    }
}

/// Where the change at the start of `bytes` ends, and what the log needs of it; its rows are only skipped over.
///
/// # Errors
/// [`Malformed`] when no change begins there or it is too long.
pub fn scan(bytes: &[u8]) -> Result<(Head, usize), Malformed> {
    let bytes = &bytes[..bytes.len().min(MAX_CHANGE_BYTES)];
    let mut from = Decoder::new(bytes);
    let head = head(&mut from)?;
    if from.datatype()? != Type::Array {
        return Err(Malformed("rows"));
    }
    from.skip()?;
    from.skip()?;
    Ok((head, from.position()))
}

fn head(from: &mut Decoder<'_>) -> Result<Head, Malformed> {
    if from.array()? != Some(5) {
        return Err(Malformed("change"));
    }
    let writer: [u8; 8] = from.bytes()?.try_into().map_err(|_| Malformed("writer"))?;
    let seq = from.u32()?;
    if seq == 0 || seq > MAX_SEQ {
        return Err(Malformed("seq"));
    }
    let stamp = Stamp::checked(from.u64()?).ok_or(Malformed("stamp"))?;
    Ok(Head { key: Key { writer: Writer(u64::from_be_bytes(writer)), seq }, stamp })
}

fn array(from: &mut Decoder<'_>, most: usize, what: &'static str) -> Result<usize, Malformed> {
    let count = from.array()?.ok_or(Malformed(what))?;
    usize::try_from(count).ok().filter(|&count| count <= most).ok_or(Malformed(what))
}

fn put_fields(
    to: &mut Encoder<&mut Vec<u8>>,
    own: Key,
    fields: &BTreeMap<u8, Value>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    to.map(fields.len() as u64)?;
    for (number, value) in fields {
        to.u8(*number)?;
        value::put(to, own, value)?;
    }
    Ok(())
}

fn by_number<T>(
    from: &mut Decoder<'_>,
    mut get: impl FnMut(&mut Decoder<'_>) -> Result<T, Malformed>,
) -> Result<BTreeMap<u8, T>, Malformed> {
    let count = from.map()?.ok_or(Malformed("map"))?;
    let mut map = BTreeMap::new();
    let mut last = None;
    for _ in 0..count {
        let number = from.u8()?;
        if last.is_some_and(|last| last >= number) {
            return Err(Malformed("order of fields"));
        }
        last = Some(number);
        map.insert(number, get(from)?);
    }
    Ok(map)
}

fn get_fields(from: &mut Decoder<'_>, own: Key) -> Result<BTreeMap<u8, Value>, Malformed> {
    by_number(from, |from| value::get(from, own))
}

fn get_row(from: &mut Decoder<'_>, own: Key) -> Result<RowOp, Malformed> {
    let parts = array(from, 4, "row")?;
    if parts != 2 && parts != 4 {
        return Err(Malformed("row"));
    }
    let table = from.u8()?;
    let fields = get_fields(from, own)?;
    if parts == 2 {
        return Ok(RowOp { table, fields, patch: None });
    }
    let target = value::get_reference(from, own).ok_or(Malformed("target"))?;
    if target.key().is_none_or(|key| key == own) {
        return Err(Malformed("target"));
    }
    let base = match from.datatype()? {
        Type::Map => Base::ByField(by_number(from, get_names)?),
        _ => Base::Same(get_names(from)?),
    };
    Ok(RowOp { table, fields, patch: Some(Patch { target, base }) })
}

fn put_name(
    to: &mut Encoder<&mut Vec<u8>>,
    name: Name,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    match name {
        Name::Create => to.u8(0)?,
        Name::Change(key) => to.bytes(&key.to_bytes())?,
    };
    Ok(())
}

fn put_names(
    to: &mut Encoder<&mut Vec<u8>>,
    names: &[Name],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    if let [name] = names {
        return put_name(to, *name);
    }
    to.array(names.len() as u64)?;
    names.iter().try_for_each(|name| put_name(to, *name))
}

fn get_name(from: &mut Decoder<'_>) -> Result<Name, Malformed> {
    if from.datatype()? == Type::Bytes {
        return Key::from_bytes(from.bytes()?).map(Name::Change).ok_or(Malformed("base"));
    }
    if from.u8()? == 0 { Ok(Name::Create) } else { Err(Malformed("base")) }
}

fn get_names(from: &mut Decoder<'_>) -> Result<Vec<Name>, Malformed> {
    if from.datatype()? != Type::Array {
        return Ok(vec![get_name(from)?]);
    }
    let count = array(from, MAX_NAMES, "base")?;
    (0..count).map(|_| get_name(from)).collect()
}

#[cfg(test)]
mod tests;
