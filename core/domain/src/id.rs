//! Names of things in the record: writers, keys, rows, scopes, devices, and the one text form of a row id.
//!
//! Pure. A row is named by the key of the change that made it and its place in that change, so that a create
//! carries no id on the wire and two phones can never mint the same one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 64 random bits that number the changes of one process run of one device in one scope; never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer(pub u64);

/// The highest number a writer may give: a key holds three bytes of it.
pub const MAX_SEQ: u32 = 0xFF_FFFF;

/// The name of a change: its writer and its number there, from 1. On the wire 11 bytes, big endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Who numbers.
    pub writer: Writer,
    /// From 1 to [`MAX_SEQ`], without holes at the author.
    pub seq: u32,
}

impl Key {
    /// The 11 bytes of the wire: writer, then three bytes of number.
    pub fn to_bytes(self) -> [u8; 11] {
        let mut bytes = [0; 11];
        bytes[..8].copy_from_slice(&self.writer.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.seq.to_be_bytes()[1..]);
        bytes
    }

    /// Reads 11 bytes; none when the length differs or the number is 0.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (writer, seq) = bytes.split_first_chunk::<8>()?;
        let seq: [u8; 3] = seq.try_into().ok()?;
        let seq = u32::from_be_bytes([0, seq[0], seq[1], seq[2]]);
        (seq > 0).then_some(Self { writer: Writer(u64::from_be_bytes(*writer)), seq })
    }

    /// The row at a place of this change.
    pub fn row(self, place: u8) -> RowId {
        let mut bytes = [0; 12];
        bytes[..11].copy_from_slice(&self.to_bytes());
        bytes[11] = place;
        RowId(bytes)
    }
}

/// A row's identity: the key of the change that made it and its place there (from 0). 12 bytes in SQL and on the
/// wire, 20 characters of lower-case Crockford base32 in JSON, in the terminal and for shells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub [u8; 12]);

impl RowId {
    /// The change that made the row; none for bytes that no author can have written (number 0).
    pub fn key(self) -> Option<Key> {
        Key::from_bytes(&self.0[..11])
    }

    /// The row's place in that change, from 0.
    pub fn place(self) -> u8 {
        self.0[11]
    }

    /// Reads exactly 12 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Rows that travel together to the same people: 8 random bytes minted by the hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub [u8; 8]);

/// One member's folder on one phone, or the hub: the first 8 bytes of the SHA-256 of its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub [u8; 8]);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Lower-case Crockford base32 (no i, l, o, u) of bytes, the last character padded with zero bits.
pub fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0u32, 0);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held & 31) as usize]));
        }
    }
    if held > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - held) & 31) as usize]));
    }
    text
}

/// Reads what [`to_base32`] wrote, in either case; none on another character, another length or bits in the padding.
pub fn from_base32<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != (N * 8).div_ceil(5) {
        return None;
    }
    read_base32(text)?.try_into().ok()
}

/// As [`from_base32`], for bytes of any number; the caller bounds the text.
pub fn read_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0u32, 0);
    for character in text.bytes() {
        let value = ALPHABET.iter().position(|&a| a == character.to_ascii_lowercase())?;
        bits = bits << 5 | value as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    (held < 5 && bits & ((1 << held) - 1) == 0).then_some(bytes)
}

/// The text is not an id of this length in Crockford base32.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! base32_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_base32(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                from_base32(text).map(Self).ok_or(NotAnId)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
base32_text!(RowId);
base32_text!(ScopeId);
base32_text!(DeviceId);

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base32(&self.0.to_be_bytes()))
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.writer, self.seq)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub RowId);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> { text.parse().map(Self) }
        }
    )*};
}
row_ids! {
    /// A row of `households`.
    HouseholdId
    /// A row of `persons`.
    PersonId
    /// A row of `consents`.
    ConsentId
    /// A row of `contacts`.
    ContactId
    /// A row of `visits`.
    VisitId
    /// A row of `service_rows`.
    ServiceRowId
    /// A row of `follow_ups`.
    FollowUpId
    /// A row of `sessions`.
    SessionId
    /// A row of `grants`.
    GrantId
    /// A row of `groups`.
    GroupId
    /// A row of `memberships`.
    MembershipId
    /// A row of `work_days`.
    WorkDayId
    /// A row of `teams`.
    TeamId
    /// A row of `members`.
    MemberId
    /// A row of `hamlets`.
    HamletId
    /// A row of `checklist_runs`.
    ChecklistRunId
    /// A row of `reviews`.
    ReviewId
    /// A row of `plans`.
    PlanId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_id_is_twenty_characters_and_comes_back() {
        let id = Key { writer: Writer(0x0123_4567_89AB_CDEF), seq: 0xABCDE }.row(7);
        let text = id.to_string();
        assert_eq!(text.len(), 20);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        assert_eq!((id.key().expect("a key").seq, id.place()), (0xABCDE, 7));
        assert_eq!(text[..19].parse::<RowId>(), Err(NotAnId));
        assert_eq!(format!("{}u", &text[..19]).parse::<RowId>(), Err(NotAnId));
        assert_eq!(
            format!("{}1", &RowId([0; 12]).to_string()[..19]).parse::<RowId>(),
            Err(NotAnId),
            "padding bits"
        );
    }

    #[test]
    fn key_bytes_keep_the_order_of_keys() {
        let low = Key { writer: Writer(1), seq: 255 };
        let high = Key { writer: Writer(1), seq: 256 };
        assert!(low.to_bytes() < high.to_bytes());
        assert_eq!(Key::from_bytes(&low.to_bytes()), Some(low));
        assert_eq!(Key::from_bytes(&[0; 11]), None);
    }
}
