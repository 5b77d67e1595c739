//! References in columns: how each is written, then the numbers that its form needs.
//!
//! Most lead to a row of the same change, or to one of a writer that the snapshot lists. What is beside a scope is
//! often written in the same breath, by a writer that differs from the row's own in few bits.

use langso_domain::id::{RowId, Writer};

use super::column::{next_byte, next_column, next_number, put_column};
use crate::change::Malformed;
use crate::leb;

/// A row of the same change: place.
const OWN_CHANGE: u8 = 0;
/// A row of the same writer: number against the own one, place.
const OWN_WRITER: u8 = 1;
/// A row of a listed writer: its place in the list, number, place.
const LISTED: u8 = 2;
/// A row of a writer whose bits differ little from the own one: the difference, number against the own one, place.
const NEAR: u8 = 3;
/// A row of a writer that this frame names: its place there, number, place.
const NAMED: u8 = 4;

/// Differences of writers below this count as little.
const NEAR_BITS: u64 = 1 << 14;

/// The row in which a reference stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    pub writer: u64,
    pub seq: u32,
}

/// An id in its parts; unlike a key, its number may be 0.
pub(super) fn parts(id: RowId) -> (u64, u32, u8) {
    let (writer, rest) = id.0.split_first_chunk::<8>().expect("12 bytes");
    (u64::from_be_bytes(*writer), u32::from_be_bytes([0, rest[0], rest[1], rest[2]]), rest[3])
}

pub(super) fn id(writer: u64, seq: u32, place: u8) -> RowId {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&writer.to_be_bytes());
    bytes[8..11].copy_from_slice(&seq.to_be_bytes()[1..]);
    bytes[11] = place;
    RowId(bytes)
}

/// References being written.
#[derive(Debug, Default)]
pub(super) struct Writing {
    forms: Vec<u8>,
    writers: Vec<u8>,
    seqs: Vec<u8>,
    places: Vec<u8>,
}

impl Writing {
    /// `listed` gives a writer's place in the snapshot's list, `named` its place in the frame's own, where it is put
    /// when it is new.
    pub fn push(
        &mut self,
        own: Own,
        to: RowId,
        listed: impl Fn(Writer) -> Option<u32>,
        named: impl FnOnce(Writer) -> u32,
    ) {
        let (writer, seq, place) = parts(to);
        let against_own = leb::zigzag(i64::from(seq) - i64::from(own.seq));
        let (form, number, seq) = if writer == own.writer && seq == own.seq {
            (OWN_CHANGE, None, None)
        } else if writer == own.writer {
            (OWN_WRITER, None, Some(against_own))
        } else if let Some(at) = listed(Writer(writer)) {
            (LISTED, Some(u64::from(at)), Some(u64::from(seq)))
        } else if writer ^ own.writer < NEAR_BITS {
            (NEAR, Some(writer ^ own.writer), Some(against_own))
        } else {
            (NAMED, Some(u64::from(named(Writer(writer)))), Some(u64::from(seq)))
        };
        self.forms.push(form);
        number.into_iter().for_each(|number| leb::put(&mut self.writers, number));
        seq.into_iter().for_each(|seq| leb::put(&mut self.seqs, seq));
        self.places.push(place);
    }

    pub fn finish(&self, to: &mut Vec<u8>) {
        put_column(to, &self.forms);
        put_column(to, &self.writers);
        put_column(to, &self.seqs);
        to.extend_from_slice(&self.places);
    }
}

/// References being read.
#[derive(Clone, Debug)]
pub(super) struct Reading<'a> {
    forms: &'a [u8],
    writers: &'a [u8],
    seqs: &'a [u8],
    places: &'a [u8],
}

impl<'a> Reading<'a> {
    pub fn new(mut from: &'a [u8]) -> Result<Self, Malformed> {
        let from = &mut from;
        Ok(Self {
            forms: next_column(from)?,
            writers: next_column(from)?,
            seqs: next_column(from)?,
            places: from,
        })
    }

    pub fn next(&mut self, own: Own, listed: &[Writer], named: &[u64]) -> Result<RowId, Malformed> {
        const BAD: Malformed = Malformed("reference");
        let form = next_byte(&mut self.forms)?;
        let place = next_byte(&mut self.places)?;
        let number = match form {
            OWN_CHANGE | OWN_WRITER => 0,
            _ => next_number(&mut self.writers)?,
        };
        let at = usize::try_from(number).map_err(|_| BAD)?;
        let writer = match form {
            OWN_CHANGE | OWN_WRITER => own.writer,
            LISTED => listed.get(at).ok_or(BAD)?.0,
            NEAR if number < NEAR_BITS => own.writer ^ number,
            NAMED => *named.get(at).ok_or(BAD)?,
            _ => return Err(BAD),
        };
        let seq = match form {
            OWN_CHANGE => i64::from(own.seq),
            OWN_WRITER | NEAR => {
                i64::from(own.seq).checked_add(leb::unzigzag(next_number(&mut self.seqs)?)).ok_or(BAD)?
            }
            _ => i64::try_from(next_number(&mut self.seqs)?).map_err(|_| BAD)?,
        };
        let seq = u32::try_from(seq).ok().filter(|seq| *seq <= langso_domain::id::MAX_SEQ).ok_or(BAD)?;
        Ok(id(writer, seq, place))
    }
}
