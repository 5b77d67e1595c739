//! Contacts: how to reach a household for a return. Personal values live nowhere else, by a consent of their own, for
//! 90 days at most.

use langso_domain::date::CivilDate;
use langso_domain::id::{ConsentId, ContactId, HouseholdId, PersonId};
use langso_domain::text::{self, NameError, phone::PhoneError};
use langso_sync::value::Value;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::problems::Problems;
use super::{Companion, Day, Nothing, check, consents, merges, once, rows};
use crate::error::{AppError, Result};
use crate::phone::Saving;

/// The longest that a contact is kept.
pub const MAX_DAYS: i32 = 90;

/// The feature; see [`Companion::contacts`].
pub struct Contacts<'a>(pub(super) &'a Companion);

/// A contact to keep: a name, a number, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// The contact to write over; none = a new one.
    #[serde(default)]
    #[uniffi(default)]
    pub contact: Option<ContactId>,
    /// The live consent it lives by.
    pub consent: ConsentId,
    /// Whose consent that is; of those that were joined any.
    pub household: HouseholdId,
    /// The person, when one.
    #[serde(default)]
    #[uniffi(default)]
    pub person: Option<PersonId>,
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
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A contact as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedContact {
    /// The contact.
    pub contact: ContactId,
    /// Its last day.
    pub expires_on: Day,
}

/// Which contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfContact {
    /// The contact.
    pub contact: ContactId,
}

/// A contact, as screens show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ContactRow {
    /// The contact.
    pub contact: ContactId,
    /// The consent it lives by.
    pub consent: Option<ConsentId>,
    /// The person, when one.
    pub person: Option<PersonId>,
    /// The name used.
    pub display_name: Option<String>,
    /// `0xxxxxxxxx`.
    pub phone: Option<String>,
    /// Its last day.
    pub expires_on: Option<Day>,
}

impl Contacts<'_> {
    /// Keeps a contact under a live consent to contacts.
    ///
    /// # Errors
    /// `InvalidInput`: `consent` with `consent_dead`, `consent_of_other_household` or `consent_without_contact`;
    /// `display_name` and `phone` with what is wrong with them, or `missing` when both are empty; `expires_on`;
    /// `person`. `NotFound` for a contact to write over that is gone; `NotAllowed`.
    pub fn save_contact(&self, new: NewContact) -> Result<SavedContact> {
        const CALL: &str = "contacts.save_contact";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(saved) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(saved);
        }
        let mut problems = Problems::default();
        let is_theirs = |whose: Option<HouseholdId>| {
            whose.map_or(Ok(false), |of| check::is_same_household(phone.connection(), of.0, new.household.0))
        };
        match consents::find_with_household(&phone, new.consent)? {
            Some((_, whose)) if !is_theirs(whose)? => {
                problems.add("consent", "consent_of_other_household");
            }
            Some((consent, _)) if consent.withdrawn_on.is_some() => problems.add("consent", "consent_dead"),
            Some((consent, _)) if consent.purposes & consents::CONTACT == 0 => {
                problems.add("consent", "consent_without_contact");
            }
            Some(_) => {}
            None => problems.add("consent", "consent_dead"),
        }
        let connection = phone.connection();
        if !check::is_live(connection, "household", new.household.0)? {
            problems.add("household", "not_found");
        }
        if let Some(person) = new.person {
            merges::check_person(connection, "person", new.household, person, &mut problems)?;
        }
        let (name, number) = (new.display_name.as_deref(), new.phone.as_deref());
        let reach = check_reach("", name, number, new.expires_on, phone.today(), &mut problems);
        problems.finish()?;
        let household = new.household.0;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let fields = reach.fields(new.consent, new.household, new.person);
            let contact = match new.contact {
                Some(contact) => {
                    if !check::is_live(saving.connection(), "contact", contact.0)? {
                        return Err(AppError::NotFound);
                    }
                    saving.patch("contact", contact.0, fields)?;
                    contact
                }
                None => ContactId(saving.create_beside("contact", ("household", household), fields)?),
            };
            Ok(SavedContact { contact, expires_on: Day(reach.expires_on) })
        })
    }

    /// Takes a contact's values away and strikes it out.
    ///
    /// # Errors
    /// `NotFound` when it is gone already; `NotAllowed`.
    pub fn erase_contact(&self, of: OfContact) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if !check::is_live(phone.connection(), "contact", of.contact.0)? {
            return Err(AppError::NotFound);
        }
        phone.save(|saving| erase(saving, of.contact))?;
        Ok(Nothing {})
    }
}

/// A name used, a number, or both, and their last day, as they are stored.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    name: Option<String>,
    number: Option<String>,
    expires_on: CivilDate,
}

impl Reach {
    /// The contact's row.
    pub fn fields(
        &self,
        consent: ConsentId,
        household: HouseholdId,
        person: Option<PersonId>,
    ) -> [(&'static str, Value); 6] {
        [
            ("consent_id", consent.0.into()),
            ("household_id", household.0.into()),
            ("person_id", person.map(|person| person.0).into()),
            ("display_name", self.name.as_deref().into()),
            ("phone", self.number.as_deref().into()),
            ("expires_on", self.expires_on.into()),
        ]
    }
}

/// Checks how somebody is reached. `path` ends before the field's name.
pub(crate) fn check_reach(
    path: &str,
    name: Option<&str>,
    number: Option<&str>,
    expires_on: Option<Day>,
    today: CivilDate,
    problems: &mut Problems,
) -> Reach {
    let name = name.filter(|name| !text::nfc(name).is_empty());
    let number = number.filter(|number| !number.trim().is_empty());
    if name.is_none() && number.is_none() {
        problems.add(format_args!("{path}display_name"), "missing");
    }
    let name = name.and_then(|name| match text::check_name(name) {
        Ok(name) => Some(name),
        Err(error) => {
            problems.add(format_args!("{path}display_name"), name_code(error));
            None
        }
    });
    let number = number.and_then(|number| match text::phone::normalize(number) {
        Ok(number) => Some(number),
        Err(error) => {
            problems.add(format_args!("{path}phone"), phone_code(error));
            None
        }
    });
    let last = CivilDate(today.0 + MAX_DAYS);
    let expires_on = expires_on.map_or(last, |day| day.0);
    match () {
        () if expires_on > last => problems.add(format_args!("{path}expires_on"), "expires_too_late"),
        () if expires_on < today => problems.add(format_args!("{path}expires_on"), "past_date"),
        () => {}
    }
    Reach { name, number, expires_on }
}

fn name_code(error: NameError) -> &'static str {
    match error {
        NameError::Empty => "name_empty",
        NameError::TooLong => "too_long",
        NameError::Digit => "name_digit",
        NameError::NeverStore(kind) => kind.code(),
        NameError::Character => "name_character",
    }
}

fn phone_code(error: PhoneError) -> &'static str {
    match error {
        PhoneError::Empty => "phone_empty",
        PhoneError::Character => "phone_character",
        PhoneError::OldElevenDigits => "phone_old_eleven_digits",
        PhoneError::Landline => "phone_landline",
        PhoneError::Length => "phone_length",
        PhoneError::Prefix => "phone_prefix",
    }
}

/// The contacts that live by a consent.
pub(crate) fn bound_to(connection: &Connection, consent: ConsentId) -> Result<Vec<ContactId>> {
    let sql = "SELECT id FROM live_contacts WHERE consent_id = ?1";
    Ok(rows::all(connection, sql, [consent.0.0], |row| rows::id(row, 0).map(ContactId))?)
}

/// Clears the personal values and strikes the row out, in one patch.
pub(crate) fn erase(saving: &mut Saving<'_, '_>, contact: ContactId) -> Result<()> {
    let fields = [("display_name", Value::Null), ("phone", Value::Null), ("void", Value::Bool(true))];
    saving.patch("contact", contact.0, fields)
}

/// The contacts of a household whose last day has not passed.
pub(crate) fn of_household(
    connection: &Connection,
    household: HouseholdId,
    today: CivilDate,
) -> Result<Vec<ContactRow>> {
    let sql = "SELECT id, consent_id, person_id, display_name, phone, expires_on FROM live_contacts
               WHERE household_id = ?1 AND (expires_on IS NULL OR expires_on >= ?2) ORDER BY v_stamp";
    let found = rows::all(connection, sql, (household.0.0, today.0), |row| {
        Ok(ContactRow {
            contact: ContactId(rows::id(row, 0)?),
            consent: rows::some_id(row, 1, ConsentId)?,
            person: rows::some_id(row, 2, PersonId)?,
            display_name: row.get(3)?,
            phone: row.get(4)?,
            expires_on: rows::day(row, 5)?,
        })
    })?;
    Ok(found)
}
