//! The name of one version of a piece of content, as rows keep it: `T1@3`, `vneid_level2@1`, `06838@2025`.
//!
//! Pure. Rows refer to content by this text, never by a row id, so that the packed release and what the hub
//! published later are one thing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest code, in bytes.
pub const MAX_CODE: usize = 40;

/// A code and a version of it, from 1. Text form: `code@version`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContentRef {
    /// ASCII letters, digits, `_` and `.`; 1 to [`MAX_CODE`] bytes.
    pub code: String,
    /// From 1; a later version of the same code is higher.
    pub version: u32,
}

/// The text is not `code@version` with a version from 1, without leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a content reference")]
pub struct NotAContentRef;

/// Whether a text may be the code of a piece of content.
pub fn is_code(text: &str) -> bool {
    (1..=MAX_CODE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

impl ContentRef {
    /// The reference of those two, when the code is one and the version is not 0.
    pub fn new(code: &str, version: u32) -> Option<Self> {
        (is_code(code) && version > 0).then(|| Self { code: code.to_owned(), version })
    }
}

impl FromStr for ContentRef {
    type Err = NotAContentRef;

    fn from_str(text: &str) -> Result<Self, NotAContentRef> {
        let (code, version) = text.split_once('@').ok_or(NotAContentRef)?;
        // One text per reference: rows are compared and grouped by it.
        if version.starts_with('0') || !version.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAContentRef);
        }
        version.parse().ok().and_then(|version| Self::new(code, version)).ok_or(NotAContentRef)
    }
}

impl fmt::Display for ContentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.code, self.version)
    }
}

impl Serialize for ContentRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
