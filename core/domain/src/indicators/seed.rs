//! The printed figures of the article that the project began with, row by row, as a yardstick: what was printed,
//! and which indicator counts it today.
//!
//! Pure data of `fixtures/indicators/seed_rows.json`. Nothing here is counted: the hub imports the printed values
//! as figures of their places.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::types::CountedIn;
use crate::content::Text as Words;
use crate::date::CivilDate;
use crate::packed::{inflate, packed};

/// One printed figure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRow {
    /// `1` to `14b`.
    pub row: String,
    /// As the article has it, Vietnamese.
    pub words: String,
    /// Where the article says it holds; names of before July 2025.
    pub area: String,
    /// Codes of that area in the list of units of then, `193@2024`.
    pub units: Vec<String>,
    /// First day; absent where the article names none.
    #[serde(default, with = "iso_date", skip_serializing_if = "Option::is_none")]
    pub from: Option<CivilDate>,
    /// Last day, or the day as of which a state holds.
    #[serde(with = "iso_day")]
    pub to: CivilDate,
    /// What is counted.
    pub counted_in: CountedIn,
    /// References of the indicators that count it in the record.
    pub indicators: Vec<String>,
    /// What was printed; empty when the article names a thing without a number.
    pub printed: Vec<Printed>,
    /// What must be known to read it rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
    /// Who printed it.
    pub source: String,
}

/// One printed value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printed {
    /// The reference under which it is imported.
    pub indicator: String,
    /// One of `=`, `<~` (gần), `~` (khoảng), `>` (trên), `>=` (ít nhất), `<` (dưới).
    pub operator: String,
    /// The value; a rate in percent.
    pub thousandths: i64,
    /// When printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator: Option<i64>,
    /// When printed; absent = not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominator: Option<i64>,
}

/// The rows in the order of the article's table.
pub fn seed_rows() -> Vec<SeedRow> {
    serde_json::from_str(&inflate(packed!("indicators/seed_rows.json")))
        .expect("a test reads the packaged rows")
}

mod iso_day {
    use super::{CivilDate, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(date: &CivilDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CivilDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        CivilDate::parse_iso(&text).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

mod iso_date {
    use super::{CivilDate, Deserializer, Serializer, iso_day};

    pub(super) fn serialize<S: Serializer>(
        date: &Option<CivilDate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => iso_day::serialize(date, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<CivilDate>, D::Error> {
        iso_day::deserialize(deserializer).map(Some)
    }
}
