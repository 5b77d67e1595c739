//! The versions of a row as the bytes of its `v_more` column: local to one database, never on the wire.
//!
//! A map from field to `[[[name, stamp, value, [seen...]]...], [awaited...]]`, in deterministic CBOR. A name is 0
//! for the create or the 11 bytes of a key. References inside a value are relative to the change that wrote it.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{Key, RowId, Writer};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::{FieldState, Head, key_of};
use crate::change::{Malformed, Name};
use crate::clock::Stamp;
use crate::value;

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

/// No key an author can have: nothing is relative to it.
const NOWHERE: Key = Key { writer: Writer(0), seq: 0 };

/// The bytes of `fields`; none when there are none, as the column then is NULL.
pub fn encode(row: RowId, fields: &BTreeMap<u8, FieldState>) -> Option<Vec<u8>> {
    if fields.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    put(&mut Encoder::new(&mut bytes), row, fields).expect("a vector takes every byte");
    Some(bytes)
}

fn put(to: &mut Encoder<&mut Vec<u8>>, row: RowId, fields: &BTreeMap<u8, FieldState>) -> Written {
    to.map(fields.len() as u64)?;
    for (number, field) in fields {
        to.u8(*number)?.array(2)?.array(field.heads.len() as u64)?;
        for head in &field.heads {
            to.array(4)?;
            put_name(to, head.name)?;
            to.u64(head.stamp.0)?;
            value::put(to, key_of(head.name, row).unwrap_or(NOWHERE), &head.value)?;
            to.array(head.saw.len() as u64)?;
            for key in &head.saw {
                to.bytes(&key.to_bytes())?;
            }
        }
        to.array(field.awaited.len() as u64)?;
        for name in &field.awaited {
            put_name(to, *name)?;
        }
    }
    Ok(())
}

fn put_name(to: &mut Encoder<&mut Vec<u8>>, name: Name) -> Written {
    match name {
        Name::Create => to.u8(0)?,
        Name::Change(key) => to.bytes(&key.to_bytes())?,
    };
    Ok(())
}

/// Reads what [`encode`] wrote for the same row.
///
/// # Errors
/// [`Malformed`] when the bytes are damaged.
pub fn decode(row: RowId, bytes: &[u8]) -> Result<BTreeMap<u8, FieldState>, Malformed> {
    let mut from = Decoder::new(bytes);
    let mut fields = BTreeMap::new();
    for _ in 0..from.map()?.ok_or(Malformed("versions"))? {
        let number = from.u8()?;
        expect(&mut from, 2)?;
        let mut state = FieldState::default();
        for _ in 0..from.array()?.ok_or(Malformed("heads"))? {
            expect(&mut from, 4)?;
            let name = get_name(&mut from)?;
            let stamp = Stamp(from.u64()?);
            let value = value::get(&mut from, key_of(name, row).unwrap_or(NOWHERE))?;
            let mut saw = BTreeSet::new();
            for _ in 0..from.array()?.ok_or(Malformed("seen"))? {
                saw.insert(Key::from_bytes(from.bytes()?).ok_or(Malformed("seen"))?);
            }
            state.heads.push(Head { name, stamp, value, saw });
        }
        for _ in 0..from.array()?.ok_or(Malformed("awaited"))? {
            state.awaited.insert(get_name(&mut from)?);
        }
        fields.insert(number, state);
    }
    Ok(fields)
}

fn expect(from: &mut Decoder<'_>, count: u64) -> Result<(), Malformed> {
    if from.array()? == Some(count) { Ok(()) } else { Err(Malformed("versions")) }
}

fn get_name(from: &mut Decoder<'_>) -> Result<Name, Malformed> {
    if from.datatype()? == Type::Bytes {
        return Key::from_bytes(from.bytes()?).map(Name::Change).ok_or(Malformed("name"));
    }
    if from.u8()? == 0 { Ok(Name::Create) } else { Err(Malformed("name")) }
}
