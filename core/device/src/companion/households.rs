//! Households and their persons: made, found, opened, corrected.

use langso_domain::id::{ConsentId, HamletId, HouseholdId, PersonId, RowId};
use langso_domain::text;
use serde::{Deserialize, Serialize};

use super::Companion;
use crate::error::{Problem, Result};
use crate::phone::Saving;

/// The feature; see [`Companion::households`].
pub struct Households<'a>(pub(super) &'a Companion);

/// What is written down of a household.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewHousehold {
    /// What the team calls it, such as `Hộ 12`.
    pub label: String,
    /// How to find the place.
    #[serde(default)]
    pub hint: Option<String>,
    /// Where it lives.
    #[serde(default)]
    pub hamlet: Option<HamletId>,
    /// A number of the list `poverty`.
    #[serde(default)]
    pub poverty: Option<u8>,
    /// Its persons.
    #[serde(default)]
    pub persons: Vec<NewPerson>,
    /// The consent given before anything was written, by its draft.
    #[serde(default)]
    pub consent: Option<ConsentId>,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    pub token: Option<String>,
}

/// A person of a household, without a name.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// A number of the list `age_bands`.
    #[serde(default)]
    pub band: Option<u8>,
    /// Or the year of birth.
    #[serde(default)]
    pub birth_year: Option<u16>,
    /// A number of the list `sexes`.
    #[serde(default)]
    pub sex: Option<u8>,
    /// A number of the list `phone_kinds`.
    #[serde(default)]
    pub phone_kind: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default)]
    pub nfc: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    #[serde(default)]
    pub own_sim: Option<u8>,
}

/// What the saved sheet shows.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct SavedHousehold {
    /// The household.
    pub household: HouseholdId,
    /// Its persons, in the order given.
    pub persons: Vec<PersonId>,
}

impl Households<'_> {
    /// Writes a household with its persons down, durably, before it answers.
    ///
    /// # Errors
    /// `InvalidInput` with the field, before anything is written; `NotAllowed` before enrolment.
    pub fn create_household(&self, new: NewHousehold) -> Result<SavedHousehold> {
        let mut phone = self.0.phone();
        phone.enrolled()?;
        let label = text::nfc(&new.label);
        if label.is_empty() {
            return Err(Problem::new("label", "missing").into());
        }
        phone.save(|saving| {
            let household = saving.create(
                "household",
                [
                    ("label", label.as_str().into()),
                    ("hint", new.hint.as_deref().map(text::nfc).into()),
                    ("hamlet_id", new.hamlet.map(|hamlet| hamlet.0).into()),
                    ("poverty", new.poverty.into()),
                ],
            )?;
            let persons = new.persons.iter().map(|person| create_person(saving, household, person));
            let persons = persons.collect::<Result<_>>()?;
            Ok(SavedHousehold { household: HouseholdId(household), persons })
        })
    }
}

fn create_person(saving: &mut Saving<'_, '_>, household: RowId, person: &NewPerson) -> Result<PersonId> {
    let row = saving.create(
        "person",
        [
            ("household_id", household.into()),
            ("band", person.band.into()),
            ("birth_year", person.birth_year.into()),
            ("sex", person.sex.into()),
            ("phone_kind", person.phone_kind.into()),
            ("nfc", person.nfc.into()),
            ("own_sim", person.own_sim.into()),
        ],
    )?;
    Ok(PersonId(row))
}
