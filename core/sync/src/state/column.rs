//! One field of the rows of one table in a frame, as a column: which rows have it, and their values in the form that
//! fits all of them.

use std::collections::BTreeMap;

use langso_domain::id::{Key, Writer};
use minicbor::Decoder;

use super::reference::{self, Own};
use crate::change::Malformed;
use crate::leb;
use crate::value::{self, Value};

/// CBOR items, as in a change.
const ITEMS: u8 = 0;
/// Whole numbers, zigzag.
const NUMBERS: u8 = 1;
/// Whole numbers, zigzag of the difference to the last.
const STEPS: u8 = 2;
/// References.
const REFERENCES: u8 = 3;
/// Lists of references: their lengths, then all references.
const LISTS: u8 = 4;
/// Texts out of a short list: the list, then each one's place.
const WORDS: u8 = 5;
/// Not every row of the table has the field: bits before the values say which, the lowest first.
const SOME: u8 = 0x80;

/// The most different texts of a list of words.
const MAX_WORDS: usize = 256;

const SHORT: Malformed = Malformed("state column");

pub(super) fn put_column(to: &mut Vec<u8>, bytes: &[u8]) {
    leb::put(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

pub(super) fn next_number(from: &mut &[u8]) -> Result<u64, Malformed> {
    leb::get(from).ok_or(SHORT)
}

pub(super) fn next_byte(from: &mut &[u8]) -> Result<u8, Malformed> {
    let (&byte, rest) = from.split_first().ok_or(SHORT)?;
    *from = rest;
    Ok(byte)
}

pub(super) fn next_bytes<'a>(from: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (bytes, rest) = from.split_at_checked(length).ok_or(SHORT)?;
    *from = rest;
    Ok(bytes)
}

pub(super) fn next_column<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(next_number(from)?).map_err(|_| SHORT)?;
    next_bytes(from, length)
}

/// A value with the row it stands in.
pub(super) type Placed<'v> = (usize, Own, &'v Value);

/// Writes one column: `rows` is how many rows the table has here, each value says in which of them it stands.
pub(super) fn write(
    to: &mut Vec<u8>,
    field: u8,
    rows: usize,
    values: &[Placed<'_>],
    listed: &dyn Fn(Writer) -> Option<u32>,
    named: &mut dyn FnMut(Writer) -> u32,
) {
    let (kind, payload) = payload(values, listed, named);
    let is_some = values.len() < rows;
    to.extend_from_slice(&[field, if is_some { kind | SOME } else { kind }]);
    let mut bits = vec![0u8; if is_some { rows.div_ceil(8) } else { 0 }];
    if is_some {
        values.iter().for_each(|(row, ..)| bits[row / 8] |= 1 << (row % 8));
    }
    leb::put(to, (bits.len() + payload.len()) as u64);
    to.extend_from_slice(&bits);
    to.extend_from_slice(&payload);
}

fn payload(
    values: &[Placed<'_>],
    listed: &dyn Fn(Writer) -> Option<u32>,
    named: &mut dyn FnMut(Writer) -> u32,
) -> (u8, Vec<u8>) {
    let mut bytes = Vec::with_capacity(values.len() * 2);
    if values.iter().all(|(.., value)| matches!(value, Value::Int(_))) {
        let numbers = || {
            values.iter().filter_map(|(.., value)| if let Value::Int(n) = value { Some(*n) } else { None })
        };
        let mut steps = Vec::with_capacity(values.len());
        let mut last = 0i64;
        for number in numbers() {
            leb::put(&mut bytes, leb::zigzag(number));
            leb::put(&mut steps, leb::zigzag(number.wrapping_sub(last)));
            last = number;
        }
        return if steps.len() < bytes.len() { (STEPS, steps) } else { (NUMBERS, bytes) };
    }
    if values.iter().all(|(.., value)| matches!(value, Value::Ref(_))) {
        let mut writing = reference::Writing::default();
        for (_, own, value) in values {
            if let Value::Ref(row) = value {
                writing.push(*own, *row, listed, &mut *named);
            }
        }
        writing.finish(&mut bytes);
        return (REFERENCES, bytes);
    }
    if values.iter().all(|(.., value)| matches!(value, Value::Refs(_))) {
        let mut writing = reference::Writing::default();
        let mut lengths = Vec::with_capacity(values.len());
        for (_, own, value) in values {
            if let Value::Refs(rows) = value {
                leb::put(&mut lengths, rows.len() as u64);
                rows.iter().for_each(|row| writing.push(*own, *row, listed, &mut *named));
            }
        }
        put_column(&mut bytes, &lengths);
        writing.finish(&mut bytes);
        return (LISTS, bytes);
    }
    if let Some(words) = words(values) {
        return (WORDS, words);
    }
    for (_, own, value) in values {
        let own = Key { writer: Writer(own.writer), seq: own.seq };
        value::put(&mut minicbor::Encoder::new(&mut bytes), own, value).expect("a vector takes every byte");
    }
    (ITEMS, bytes)
}

/// Texts as places in a list, when they are all texts and few differ.
fn words(values: &[Placed<'_>]) -> Option<Vec<u8>> {
    let most = (values.len() / 3).min(MAX_WORDS);
    let mut list: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let mut places = Vec::with_capacity(values.len());
    for (.., value) in values {
        let Value::Text(text) = value else { return None };
        let next = list.len();
        let at = *list.entry(text).or_insert(next);
        if at == next {
            if next >= most {
                return None;
            }
            order.push(text);
        }
        leb::put(&mut places, at as u64);
    }
    let mut bytes = Vec::new();
    leb::put(&mut bytes, order.len() as u64);
    order.iter().for_each(|word| put_column(&mut bytes, word.as_bytes()));
    bytes.extend_from_slice(&places);
    Some(bytes)
}

/// A column being read, row by row of its table.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// The field's number.
    pub field: u8,
    /// Which rows have it; none = all.
    bits: Option<&'a [u8]>,
    /// How many rows of the table have been passed.
    passed: usize,
    values: Values<'a>,
}

#[derive(Debug)]
enum Values<'a> {
    Items(&'a [u8]),
    Numbers(&'a [u8]),
    Steps(&'a [u8], i64),
    References(reference::Reading<'a>),
    Lists(&'a [u8], reference::Reading<'a>),
    Words(Vec<&'a str>, &'a [u8]),
}

impl<'a> Reading<'a> {
    /// The column at the start of `from`, of a table of which the frame has `rows` rows.
    pub fn new(from: &mut &'a [u8], rows: usize) -> Result<Self, Malformed> {
        let (field, kind) = (next_byte(from)?, next_byte(from)?);
        let mut payload = next_column(from)?;
        let bits = match kind & SOME {
            0 => None,
            _ => Some(next_bytes(&mut payload, rows.div_ceil(8))?),
        };
        let values = match kind & !SOME {
            ITEMS => Values::Items(payload),
            NUMBERS => Values::Numbers(payload),
            STEPS => Values::Steps(payload, 0),
            REFERENCES => Values::References(reference::Reading::new(payload)?),
            LISTS => {
                let lengths = next_column(&mut payload)?;
                Values::Lists(lengths, reference::Reading::new(payload)?)
            }
            WORDS => {
                let count = next_number(&mut payload)?;
                if count > MAX_WORDS as u64 {
                    return Err(SHORT);
                }
                let mut list = Vec::with_capacity(count as usize);
                for _ in 0..count {
                    list.push(std::str::from_utf8(next_column(&mut payload)?).map_err(|_| SHORT)?);
                }
                Values::Words(list, payload)
            }
            _ => return Err(Malformed("kind of state column")),
        };
        Ok(Self { field, bits, passed: 0, values })
    }

    /// The value of the table's next row; none when it has none here.
    pub fn next(&mut self, own: Own, listed: &[Writer], named: &[u64]) -> Result<Option<Value>, Malformed> {
        let row = self.passed;
        self.passed += 1;
        if self.bits.is_some_and(|bits| bits.get(row / 8).is_none_or(|byte| byte >> (row % 8) & 1 == 0)) {
            return Ok(None);
        }
        Ok(Some(match &mut self.values {
            Values::Items(from) => {
                let mut decoder = Decoder::new(from);
                let own = Key { writer: Writer(own.writer), seq: own.seq };
                let value = value::get(&mut decoder, own)?;
                *from = &from[decoder.position()..];
                value
            }
            Values::Numbers(from) => Value::Int(leb::unzigzag(next_number(from)?)),
            Values::Steps(from, last) => {
                *last = last.wrapping_add(leb::unzigzag(next_number(from)?));
                Value::Int(*last)
            }
            Values::References(from) => Value::Ref(from.next(own, listed, named)?),
            Values::Lists(lengths, from) => {
                let length = next_number(lengths)?;
                if length > langso_domain::registry::MAX_REFS as u64 {
                    return Err(SHORT);
                }
                let rows: Result<_, _> = (0..length).map(|_| from.next(own, listed, named)).collect();
                Value::Refs(rows?)
            }
            Values::Words(list, places) => {
                let at = usize::try_from(next_number(places)?).map_err(|_| SHORT)?;
                Value::Text((*list.get(at).ok_or(SHORT)?).to_owned())
            }
        }))
    }
}
