//! Records that several features share, and the small steps between rows and records.

use langso_domain::date::CivilDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A call that takes nothing, or gives nothing: `{}` in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A civil date as records carry it: `yyyy-mm-dd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub CivilDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        CivilDate::parse_iso(&text).map(Self).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

/// A field of a correction: absent = stays as it is, null = cleared, else the new value.
pub type Edit<T> = Option<Option<T>>;

/// Tells an absent field from a null one.
pub(crate) fn edit<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Edit<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
