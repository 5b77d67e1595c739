//! What is asked and said about duplicates.

use langso_domain::id::{HamletId, HouseholdId, RowId};
use serde::{Deserialize, Serialize};

use super::super::households::{HouseholdLine, NewPerson};

/// A household that is about to be written down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindSimilar {
    /// What the team would call it.
    pub label: String,
    /// How to find the place.
    #[serde(default)]
    #[uniffi(default)]
    pub hint: Option<String>,
    /// Where it lives.
    #[serde(default)]
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// Its persons.
    #[serde(default)]
    #[uniffi(default)]
    pub persons: Vec<NewPerson>,
    /// A contact's number as typed.
    #[serde(default)]
    #[uniffi(default)]
    pub phone: Option<String>,
}

/// Households that may be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SimilarHouseholds {
    /// The likeliest first; at most five.
    pub similar: Vec<Similar>,
}

/// One that may be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Similar {
    /// The household.
    pub household: HouseholdLine,
    /// Why, the strongest first.
    pub reasons: Vec<Likeness>,
}

/// Why two households may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same contact number.
    SamePhone,
    /// The same label in the same hamlet, case and marks aside.
    SameLabel,
    /// The same hint in the same hamlet.
    SameHint,
    /// The same people, two at least, by age and sex, in the same hamlet.
    SamePersons,
}

/// Which page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct ListPairs {
    /// How many to pass over.
    #[uniffi(default)]
    pub skip: u32,
}

/// Pairs that are likely the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct PairList {
    /// The likeliest first; at most 50.
    pub pairs: Vec<LikelyPair>,
    /// How many there are on all pages.
    pub count: u32,
}

/// Two households side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct LikelyPair {
    /// The one that would show.
    pub one: HouseholdLine,
    /// The one that would be joined to it.
    pub other: HouseholdLine,
    /// Why, the strongest first.
    pub reasons: Vec<Likeness>,
}

/// Two rows that are one, or are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct TwoHouseholds {
    /// One.
    pub one: HouseholdId,
    /// The other.
    pub other: HouseholdId,
}

/// What can be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Joinable {
    /// Households of one team.
    Household,
    /// Persons of one household.
    Person,
}

/// Two rows to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct MergeRows {
    /// What they are.
    pub table: Joinable,
    /// One.
    pub one: RowId,
    /// The other.
    pub other: RowId,
}

/// Which row to take out of what it was joined to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct SplitMerged {
    /// What it is.
    pub table: Joinable,
    /// The row.
    pub row: RowId,
}

/// What shows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Merged {
    /// The row that shows for all of them: the one with the smallest id.
    pub shows: RowId,
}
