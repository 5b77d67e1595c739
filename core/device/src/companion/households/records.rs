//! What is asked and said about households.

use langso_domain::id::{ConsentId, ContactId, HamletId, HouseholdId, PersonId};
use serde::{Deserialize, Serialize};

use super::super::consents::GivenConsent;
use super::super::record::{Day, EditChoice, EditHamlet, EditNumber, EditText, edit};
use super::lines::HouseholdLine;

/// What is written down of a household.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewHousehold {
    /// What the team calls it, such as `Hộ 12`.
    pub label: String,
    /// How to find the place.
    #[serde(default)]
    #[uniffi(default)]
    pub hint: Option<String>,
    /// Where it lives.
    #[serde(default)]
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// A number of the list `poverty`.
    #[serde(default)]
    #[uniffi(default)]
    pub poverty: Option<u8>,
    /// Its persons, each with a band or a year of birth; at most [`MAX_PERSONS`](super::MAX_PERSONS).
    #[serde(default)]
    #[uniffi(default)]
    pub persons: Vec<NewPerson>,
    /// The consent to the record: without one nothing of a household is written.
    #[serde(default)]
    #[uniffi(default)]
    pub consent: Option<GivenConsent>,
    /// How to reach it for a return, asked apart.
    #[serde(default)]
    #[uniffi(default)]
    pub contact: Option<GivenContact>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A contact and the consent that it lives by.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct GivenContact {
    /// The consent to a contact; none = the consent to the record covers it.
    #[serde(default)]
    #[uniffi(default)]
    pub consent: Option<GivenConsent>,
    /// Which of the new persons, from 0.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<u8>,
    /// The name used.
    #[serde(default)]
    #[uniffi(default)]
    pub display_name: Option<String>,
    /// The number as typed.
    #[serde(default)]
    #[uniffi(default)]
    pub phone: Option<String>,
    /// The last day; none = 90 days from today.
    #[serde(default)]
    #[uniffi(default)]
    pub expires_on: Option<Day>,
}

/// A person of a household, without a name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// A number of the list `age_bands`.
    #[serde(default)]
    #[uniffi(default)]
    pub band: Option<u8>,
    /// Or the year of birth.
    #[serde(default)]
    #[uniffi(default)]
    pub birth_year: Option<u16>,
    /// A number of the list `sexes`.
    #[serde(default)]
    #[uniffi(default)]
    pub sex: Option<u8>,
    /// A number of the list `phone_kinds`.
    #[serde(default)]
    #[uniffi(default)]
    pub phone_kind: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default)]
    #[uniffi(default)]
    pub nfc: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default)]
    #[uniffi(default)]
    pub own_sim: Option<u8>,
}

/// What the saved sheet shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedHousehold {
    /// The household.
    pub household: HouseholdId,
    /// Its persons, in the order given.
    pub persons: Vec<PersonId>,
    /// The consent to the record.
    pub consent: ConsentId,
    /// The consent that the contact lives by, when one was kept.
    pub contact_consent: Option<ConsentId>,
    /// The contact.
    pub contact: Option<ContactId>,
}

/// A person who joins a household that is there.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// The household.
    pub household: HouseholdId,
    /// The person.
    pub person: NewPerson,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A person written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedPerson {
    /// The person.
    pub person: PersonId,
}

/// What changes about a person: a field that is absent stays, null clears it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct UpdatePerson {
    /// The person.
    pub person: PersonId,
    /// A number of the list `age_bands`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub band: Option<EditChoice>,
    /// Or the year of birth.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub birth_year: Option<EditNumber>,
    /// A number of the list `sexes`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub sex: Option<EditChoice>,
    /// A number of the list `phone_kinds`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub phone_kind: Option<EditChoice>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub nfc: Option<EditChoice>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub own_sim: Option<EditChoice>,
    /// Strikes the person out: written down by mistake, or gone.
    #[serde(default)]
    #[uniffi(default)]
    pub is_struck_out: bool,
}

impl UpdatePerson {
    /// No change of that person yet.
    pub fn of(person: PersonId) -> Self {
        Self {
            person,
            band: None,
            birth_year: None,
            sex: None,
            phone_kind: None,
            nfc: None,
            own_sim: None,
            is_struck_out: false,
        }
    }
}

/// What changes about a household: a field that is absent stays, null clears it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct UpdateHousehold {
    /// The household.
    pub household: HouseholdId,
    /// What the team calls it; cannot be cleared.
    #[serde(default)]
    #[uniffi(default)]
    pub label: Option<String>,
    /// How to find the place.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub hint: Option<EditText>,
    /// Where it lives.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub hamlet: Option<EditHamlet>,
    /// A number of the list `poverty`.
    #[serde(default, deserialize_with = "edit", skip_serializing_if = "Option::is_none")]
    #[uniffi(default)]
    pub poverty: Option<EditChoice>,
}

impl UpdateHousehold {
    /// No change of that household yet.
    pub fn of(household: HouseholdId) -> Self {
        Self { household, label: None, hint: None, hamlet: None, poverty: None }
    }
}

/// Which household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfHousehold {
    /// The household.
    pub household: HouseholdId,
}

/// Which households.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct ListHouseholds {
    /// Of this hamlet; none = all.
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// How many to pass over.
    #[uniffi(default)]
    pub skip: u32,
}

/// Households of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct HouseholdList {
    /// At most 100.
    pub households: Vec<HouseholdLine>,
    /// How many there are on all pages, when there are pages.
    pub count: Option<u32>,
}

/// Visits of which household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct HouseholdVisits {
    /// The household.
    pub household: HouseholdId,
    /// How many to pass over.
    #[serde(default)]
    #[uniffi(default)]
    pub skip: u32,
}

/// Where a household went within the team's hamlets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct MoveHousehold {
    /// The household.
    pub household: HouseholdId,
    /// Where it lives now.
    pub hamlet: HamletId,
}

/// What a household is called and where it is, before it is written.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct CheckLabel {
    /// What the team would call it.
    pub label: String,
    /// How to find the place.
    #[serde(default)]
    #[uniffi(default)]
    pub hint: Option<String>,
}

/// What is wrong with a label, and what may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct LabelCheck {
    /// What a save would refuse.
    pub problems: Vec<crate::error::Problem>,
    /// The label or the hint reads like somebody's name. A question to ask, never a refusal.
    pub looks_like_name: bool,
}

/// For which hamlet a label is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct SuggestLabel {
    /// None = households without a hamlet.
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
}

/// A label that is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SuggestedLabel {
    /// Such as `Hộ 13`.
    pub label: String,
}
