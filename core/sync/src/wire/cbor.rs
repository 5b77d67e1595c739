//! Maps with rising integer keys, flat lists, and records: two letters, a length, a map.

use langso_domain::id::{Key, RowId, ScopeId};
use minicbor::{Decoder, Encoder};

use super::{Nonce, WireError};
use crate::chain::{Chain, Cursor, MAX_POSITION};

/// Collects a map's entries; keys must be put in rising order.
pub(super) struct Map {
    entries: u64,
    to: Encoder<Vec<u8>>,
}

pub(super) type Put = Encoder<Vec<u8>>;

impl Map {
    pub(super) fn new() -> Self {
        Self { entries: 0, to: Encoder::new(Vec::with_capacity(128)) }
    }

    pub(super) fn put(
        &mut self,
        key: u8,
        value: impl FnOnce(&mut Put) -> Result<&mut Put, minicbor::encode::Error<std::convert::Infallible>>,
    ) {
        self.entries += 1;
        let written = self.to.u8(key).and_then(value);
        written.expect("a vector takes every byte");
    }

    pub(super) fn put_if(
        &mut self,
        there: bool,
        key: u8,
        value: impl FnOnce(&mut Put) -> Result<&mut Put, minicbor::encode::Error<std::convert::Infallible>>,
    ) {
        if there {
            self.put(key, value);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut head = Encoder::new(Vec::with_capacity(self.to.writer().len() + 3));
        head.map(self.entries).expect("a vector takes every byte");
        let mut bytes = head.into_writer();
        bytes.extend_from_slice(self.to.writer());
        bytes
    }
}

/// Puts a flat array: each item is written by `each`, which puts `width` CBOR items.
pub(super) fn flat<'a, T>(
    to: &'a mut Put,
    items: &[T],
    width: u64,
    each: impl Fn(&mut Put, &T) -> Result<(), minicbor::encode::Error<std::convert::Infallible>>,
) -> Result<&'a mut Put, minicbor::encode::Error<std::convert::Infallible>> {
    to.array(items.len() as u64 * width)?;
    items.iter().try_for_each(|item| each(to, item))?;
    Ok(to)
}

/// Reads a map: `get` takes a key and reads its value, or says false, and the value is skipped.
pub(super) fn read_map(
    bytes: &[u8],
    mut get: impl FnMut(u64, &mut Decoder<'_>) -> Result<bool, WireError>,
) -> Result<(), WireError> {
    let mut from = Decoder::new(bytes);
    let entries = from.map()?.ok_or(WireError::Malformed("map"))?;
    let mut last = None;
    for _ in 0..entries {
        let key = from.u64()?;
        if last.is_some_and(|last| last >= key) {
            return Err(WireError::Malformed("order of keys"));
        }
        last = Some(key);
        if !get(key, &mut from)? {
            from.skip()?;
        }
    }
    if from.position() == bytes.len() { Ok(()) } else { Err(WireError::Malformed("length")) }
}

/// Reads a flat array of items of `width` CBOR items each, at most `most` of them.
pub(super) fn read_flat<T>(
    from: &mut Decoder<'_>,
    width: u64,
    most: usize,
    mut each: impl FnMut(&mut Decoder<'_>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let length = from.array()?.ok_or(WireError::Malformed("list"))?;
    if length % width != 0 {
        return Err(WireError::Malformed("list"));
    }
    if length / width > most as u64 {
        return Err(WireError::TooLarge);
    }
    // Grows as items really come.
    let mut items = Vec::new();
    for _ in 0..length / width {
        items.push(each(from)?);
    }
    Ok(items)
}

pub(super) fn fixed<const N: usize>(
    from: &mut Decoder<'_>,
    what: &'static str,
) -> Result<[u8; N], WireError> {
    from.bytes()?.try_into().map_err(|_| WireError::Malformed(what))
}

pub(super) fn text(from: &mut Decoder<'_>, most: usize) -> Result<String, WireError> {
    let text = from.str()?;
    if text.len() > most { Err(WireError::TooLarge) } else { Ok(text.to_owned()) }
}

pub(super) fn nonce(from: &mut Decoder<'_>) -> Result<Nonce, WireError> {
    Nonce::from_bytes(from.bytes()?).ok_or(WireError::TooLarge)
}

pub(super) fn scope(from: &mut Decoder<'_>) -> Result<ScopeId, WireError> {
    fixed(from, "scope").map(ScopeId)
}

pub(super) fn key(from: &mut Decoder<'_>) -> Result<Key, WireError> {
    Key::from_bytes(from.bytes()?).ok_or(WireError::Malformed("key"))
}

pub(super) fn row(from: &mut Decoder<'_>) -> Result<RowId, WireError> {
    RowId::from_slice(from.bytes()?).ok_or(WireError::Malformed("row id"))
}

pub(super) fn position(from: &mut Decoder<'_>) -> Result<u64, WireError> {
    let position = from.u64()?;
    if position > MAX_POSITION { Err(WireError::Malformed("position")) } else { Ok(position) }
}

pub(super) fn cursor(from: &mut Decoder<'_>) -> Result<Cursor, WireError> {
    Ok(Cursor { position: position(from)?, chain: Chain(fixed(from, "chain")?) })
}

pub(super) fn put_cursor(
    to: &mut Put,
    cursor: &Cursor,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    to.u64(cursor.position)?.bytes(&cursor.chain.0)?;
    Ok(())
}

/// Two letters, a length, a map.
pub(super) fn record(magic: [u8; 2], map: &[u8]) -> Vec<u8> {
    let length = u32::try_from(map.len()).expect("a record is below 4 GiB");
    let mut bytes = Vec::with_capacity(map.len() + 6);
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(map);
    bytes
}

/// The body of a length-prefixed part at the start of `bytes` and where it ends; none when more bytes are needed.
pub(super) fn prefixed(bytes: &[u8], most: usize) -> Result<Option<(&[u8], usize)>, WireError> {
    let Some(length) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| WireError::TooLarge)?;
    if length > most {
        return Err(WireError::TooLarge);
    }
    Ok(bytes.get(4..4 + length).map(|body| (body, 4 + length)))
}

/// The map of a record that is a whole body.
pub(super) fn whole_record(bytes: &[u8], magic: [u8; 2]) -> Result<&[u8], WireError> {
    let rest = bytes.strip_prefix(&magic).ok_or(WireError::NotAReply)?;
    match prefixed(rest, MAX_WHOLE)? {
        None => Err(WireError::Truncated),
        Some((_, end)) if end < rest.len() => Err(WireError::Malformed("length")),
        Some((map, _)) => Ok(map),
    }
}

const MAX_WHOLE: usize = super::MAX_SMALL_BYTES;
