//! Persons of a household, without names: written down, corrected, struck out.

use std::fmt::Display;

use langso_domain::date::CivilDate;
use langso_domain::id::{HouseholdId, PersonId, RowId};
use langso_sync::value::Value;
use rusqlite::OptionalExtension;

use super::super::known::Known;
use super::super::problems::Problems;
use super::super::record::Edit as _;
use super::super::{Nothing, check, once, rows};
use super::{AddPerson, Households, NewPerson, SavedPerson, UpdatePerson, check_household, push, save_patch};
use crate::error::{AppError, Result};

const OLDEST_BIRTH_YEAR: u16 = 1900;

impl Households<'_> {
    /// Writes a person of a household down.
    ///
    /// # Errors
    /// `InvalidInput`: `household` (`not_found`, `consent_withdrawn`), `person.band` and the like; `NotAllowed`.
    pub fn add_person(&self, new: AddPerson) -> Result<SavedPerson> {
        const CALL: &str = "households.add_person";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(saved) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(saved);
        }
        let known = phone.known()?;
        let mut problems = Problems::default();
        check_household(&phone, &known, new.household, &mut problems)?;
        check_person(&known, "person.", &new.person, phone.today(), &mut problems);
        problems.finish()?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let household = new.household.0;
            let row =
                saving.create_beside("person", ("household", household), fields(household, &new.person))?;
            Ok(SavedPerson { person: PersonId(row) })
        })
    }

    /// Corrects what is known of a person; whatever is not named stays.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` with the field; `NotAllowed`.
    pub fn update_person(&self, update: UpdatePerson) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let known = phone.known()?;
        let sql = "SELECT household_id, band, birth_year FROM live_persons WHERE id = ?1";
        let held = phone
            .connection()
            .prepare_cached(sql)?
            .query_row([update.person.0.0], |row| {
                let year: Option<i64> = row.get(2)?;
                let year = year.and_then(|year| year.try_into().ok());
                Ok((rows::some_id(row, 0, HouseholdId)?, rows::number(row, 1)?, year))
            })
            .optional()?;
        let (household, band, birth_year) = held.ok_or(AppError::NotFound)?;
        let mut problems = Problems::default();
        if household.is_some_and(|household| known.withdrawn.contains(&household)) {
            problems.add("person", "consent_withdrawn");
        }
        let after = NewPerson {
            band: update.band.after(band),
            birth_year: update.birth_year.after(birth_year),
            sex: update.sex.after(None),
            phone_kind: update.phone_kind.after(None),
            nfc: update.nfc.after(None),
            own_sim: update.own_sim.after(None),
        };
        check_choices(&known, "", &after, &mut problems);
        if update.band.is_some() || update.birth_year.is_some() {
            check_age("", &after, phone.today(), &mut problems);
        }
        problems.finish()?;
        let mut changed: Vec<(&str, Value)> = Vec::new();
        push(&mut changed, "band", update.band.named());
        push(&mut changed, "birth_year", update.birth_year.named());
        push(&mut changed, "sex", update.sex.named());
        push(&mut changed, "phone_kind", update.phone_kind.named());
        push(&mut changed, "nfc", update.nfc.named());
        push(&mut changed, "own_sim", update.own_sim.named());
        if update.is_struck_out {
            changed.push(("void", Value::Bool(true)));
        }
        save_patch(&mut phone, "person", update.person.0, changed)
    }
}

/// `path` ends before the field's name.
pub(super) fn check_person(
    known: &Known,
    path: impl Display,
    person: &NewPerson,
    today: CivilDate,
    problems: &mut Problems,
) {
    check_choices(known, &path, person, problems);
    check_age(path, person, today, problems);
}

fn check_choices(known: &Known, path: impl Display, person: &NewPerson, problems: &mut Problems) {
    let mut choice = |list: &str, field: &str, number| {
        problems.choice(&known.content, list, format_args!("{path}{field}"), number);
    };
    choice("age_bands", "band", person.band);
    choice("sexes", "sex", person.sex);
    choice("phone_kinds", "phone_kind", person.phone_kind);
    choice("yes_no_unknown", "nfc", person.nfc);
    choice("yes_no_unknown", "own_sim", person.own_sim);
}

/// A band or a year, so that figures by age miss nobody.
fn check_age(path: impl Display, person: &NewPerson, today: CivilDate, problems: &mut Problems) {
    match (person.band, person.birth_year) {
        (None, None) => problems.add(format_args!("{path}band"), "missing"),
        (Some(_), Some(_)) => problems.add(format_args!("{path}birth_year"), "band_or_year"),
        (None, year) => {
            let this_year = u16::try_from(today.ymd().0).unwrap_or(u16::MAX);
            problems.range(format_args!("{path}birth_year"), year, OLDEST_BIRTH_YEAR..=this_year);
        }
        (Some(_), None) => {}
    }
}

/// The person's row.
pub(super) fn fields(household: RowId, person: &NewPerson) -> [(&'static str, Value); 7] {
    [
        ("household_id", household.into()),
        ("band", person.band.into()),
        ("birth_year", person.birth_year.into()),
        ("sex", person.sex.into()),
        ("phone_kind", person.phone_kind.into()),
        ("nfc", person.nfc.into()),
        ("own_sim", person.own_sim.into()),
    ]
}
