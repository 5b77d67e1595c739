//! Households and their persons: written down by consent, corrected, moved, struck out.
//!
//! Labels and hints are no place for names; the soft check asks, the never-store list refuses. Every problem of a
//! form is known before anything is written.

use langso_domain::id::{ContactId, HamletId, HouseholdId, PersonId, RowId};
use langso_domain::text;
use langso_sync::value::Value;

use super::known::Known;
use super::problems::Problems;
use super::record::{Edit as _, EditHamlet};
use super::visits::{self, FindVisits, VisitPage};
use super::{Companion, Nothing, check, consents, contacts, drafts, once, rows};
use crate::error::{AppError, Result};
use crate::phone::{Phone, Saving};

mod detail;
mod find;
mod lines;
mod persons;
mod records;
mod slip;

pub(super) use detail::household;
pub use detail::{HouseholdDetail, JoinedHousehold, OpenFollowUp, PersonDetail};
pub use find::{FindHouseholds, FoundBy, HouseholdHit, HouseholdHits, HowMatched, Stretch};
pub use lines::{HouseholdLine, PersonLine};
pub(super) use lines::{lines, lines_of_all};
use persons::{check_person, fields};
pub use records::{
    AddPerson, CheckLabel, GivenContact, HouseholdList, HouseholdVisits, LabelCheck, ListHouseholds,
    MoveHousehold, NewHousehold, NewPerson, OfHousehold, SavedHousehold, SavedPerson, SuggestLabel,
    SuggestedLabel, UpdateHousehold, UpdatePerson,
};
pub use slip::RightsSlip;

/// The most persons that one save lets a household begin with.
pub const MAX_PERSONS: usize = 30;
/// What labels begin with unless the team calls its households otherwise.
const LABEL: &str = "Hộ";

/// The feature; see [`Companion::households`].
pub struct Households<'a>(pub(super) &'a Companion);

impl Households<'_> {
    /// The next free number of the hamlet's households, as a label.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn suggest_label(&self, of: SuggestLabel) -> Result<SuggestedLabel> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let sql = "SELECT label FROM live_households WHERE hamlet_id IS ?1 AND label IS NOT NULL";
        let labels: Vec<String> =
            rows::all(phone.connection(), sql, [of.hamlet.map(|hamlet| hamlet.0.0)], |row| row.get(0))?;
        let prefix = text::fold(LABEL);
        let number = |label: &String| -> Option<u32> {
            let folded = text::fold(label);
            let (words, number) = folded.rsplit_once(' ')?;
            (words == prefix).then(|| number.parse().ok()).flatten()
        };
        let last = labels.iter().filter_map(number).max().unwrap_or(0);
        Ok(SuggestedLabel { label: format!("{LABEL} {}", last.saturating_add(1)) })
    }

    /// What a save would say of a label and a hint, and whether they read like a name.
    ///
    /// # Errors
    /// None.
    pub fn check_label(&self, of: CheckLabel) -> Result<LabelCheck> {
        let mut problems = Problems::default();
        check_texts(&of.label, of.hint.as_deref(), &mut problems);
        let hint = of.hint.as_deref().unwrap_or_default();
        let looks_like_name = text::looks_like_name(&of.label) || text::looks_like_name(hint);
        Ok(LabelCheck { problems: problems.into_list(), looks_like_name })
    }

    /// Households by what was typed, best first. Old names of the communes of the team's hamlets find what lies there
    /// today.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn find_households(&self, find: FindHouseholds) -> Result<HouseholdHits> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        find::find(&phone, &*phone.known()?, &find)
    }

    /// The households that were last written down or visited on this phone, newest first.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_recent(&self, _: Nothing) -> Result<HouseholdList> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let households = lines::recent(&phone)?;
        Ok(HouseholdList { households: lines::lines(&phone, &*phone.known()?, &households)?, count: None })
    }

    /// Households in walking order: by hamlet, then by number; a page at a time.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_households(&self, find: ListHouseholds) -> Result<HouseholdList> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let (households, count) = phone.listed_households()?.page(find.hamlet, find.skip as usize);
        Ok(HouseholdList { households, count: Some(count as u32) })
    }

    /// One household with all that its screen shows; also one that was struck out, or joined to another, which then
    /// is what shows.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { role }`.
    pub fn get_household(&self, of: OfHousehold) -> Result<HouseholdDetail> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        detail::household(&phone, of.household)?.ok_or(AppError::NotFound)
    }

    /// The visits to a household and to those it was joined with, newest first, a page at a time.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_household_visits(&self, of: HouseholdVisits) -> Result<VisitPage> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        visits::page(
            &phone,
            &FindVisits { household: Some(of.household), skip: of.skip, ..FindVisits::default() },
        )
    }

    /// The slip that the citizen keeps. The first time it makes the household's code; ever after it is the same.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a `household` without a live consent (`no_consent`); `NotAllowed { role }`.
    pub fn get_rights_slip(&self, of: OfHousehold) -> Result<RightsSlip> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        slip::slip(&mut phone, of.household)
    }

    /// Writes a household with its persons, its consent and perhaps a contact down, in one save.
    ///
    /// # Errors
    /// `InvalidInput` with the first field that is wrong: `label`, `hint`, `hamlet`, `poverty`, `persons` and
    /// `persons[0].band` and the like, `consent` (`missing`, `consent_without_record`) and below, `contact` and below;
    /// `NotAllowed { role }`.
    pub fn create_household(&self, new: NewHousehold) -> Result<SavedHousehold> {
        const CALL: &str = "households.create_household";
        let mut phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        if let Some(saved) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(saved);
        }
        let known = phone.known()?;
        let mut problems = Problems::default();
        let (label, hint) = check_texts(&new.label, new.hint.as_deref(), &mut problems);
        check_hamlet(&known, new.hamlet, &mut problems);
        problems.choice(&known.content, "poverty", "poverty", new.poverty);
        if new.persons.len() > MAX_PERSONS {
            problems.add("persons", "too_many");
        } else {
            for (at, person) in new.persons.iter().enumerate() {
                check_person(&known, format_args!("persons[{at}]."), person, phone.today(), &mut problems);
            }
        }
        let consent = match &new.consent {
            Some(given) => {
                Some((given, consents::check_given(&phone, &known, "consent", given, &mut problems)))
            }
            None => {
                problems.add("consent", "missing");
                None
            }
        };
        if consent.is_some_and(|(_, filled)| filled.purposes & consents::RECORD == 0) && problems.count() == 0
        {
            problems.add("consent", "consent_without_record");
        }
        let covers = consent.is_some_and(|(_, filled)| filled.purposes & consents::CONTACT != 0);
        let contact = new.contact.as_ref().map(|contact| {
            let persons = new.persons.len();
            (contact, check_contact(&phone, &known, contact, covers, persons, &mut problems))
        });
        problems.finish()?;
        let Some((given, filled)) = consent else { return Err(AppError::invalid("consent", "missing")) };
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            if let Some(hamlet) = new.hamlet {
                saving.stay_beside("hamlet", hamlet.0)?;
            }
            let household = saving.create(
                "household",
                [
                    ("label", label.as_deref().into()),
                    ("hamlet_id", new.hamlet.map(|hamlet| hamlet.0).into()),
                    ("poverty", new.poverty.into()),
                    ("hint", hint.as_deref().into()),
                ],
            )?;
            let consent = consents::create(saving, household, me, given, filled, false)?;
            let persons = new.persons.iter().map(|person| saving.create("person", fields(household, person)));
            let persons: Vec<_> =
                persons.collect::<Result<Vec<RowId>>>()?.into_iter().map(PersonId).collect();
            let (mut contact_consent, mut kept) = (None, None);
            if let Some((contact, checked)) = &contact {
                let lives_by = match (&contact.consent, checked.consent) {
                    (Some(given), Some(filled)) => {
                        consents::create(saving, household, me, given, filled, false)?
                    }
                    _ => consent,
                };
                let person = contact.person.and_then(|at| persons.get(usize::from(at)).copied());
                let row = checked.reach.fields(lives_by, HouseholdId(household), person);
                kept = Some(ContactId(saving.create("contact", row)?));
                contact_consent = Some(lives_by);
            }
            if let Some(token) = &new.token {
                drafts::discard(saving.connection(), token)?;
            }
            Ok(SavedHousehold {
                household: HouseholdId(household),
                persons,
                consent,
                contact_consent,
                contact: kept,
            })
        })
    }

    /// Corrects what is known of a household; whatever is not named stays.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` with the field; `NotAllowed`.
    pub fn update_household(&self, update: UpdateHousehold) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let known = phone.known()?;
        if !check::is_live(phone.connection(), "household", update.household.0)? {
            return Err(AppError::NotFound);
        }
        let mut problems = Problems::default();
        let mut changed: Vec<(&str, Value)> = Vec::new();
        if known.withdrawn.contains(&update.household) {
            problems.add("household", "consent_withdrawn");
        }
        if let Some(label) = &update.label {
            let label = problems.line("label", "household.label", Some(label));
            if label.is_none() && problems.count() == 0 {
                problems.add("label", "missing");
            }
            changed.push(("label", label.into()));
        }
        if let Some(hint) = update.hint.named() {
            changed.push(("hint", problems.line("hint", "household.hint", hint.as_deref()).into()));
        }
        if let Some(hamlet) = update.hamlet.named() {
            check_hamlet(&known, hamlet, &mut problems);
            changed.push(("hamlet_id", hamlet.map(|hamlet| hamlet.0).into()));
        }
        problems.choice(&known.content, "poverty", "poverty", update.poverty.after(None));
        push(&mut changed, "poverty", update.poverty.named());
        problems.finish()?;
        save_patch(&mut phone, "household", update.household.0, changed)
    }

    /// The household lives in another of the team's hamlets now. One that leaves the team's place is copied by the
    /// hub; this is not it.
    ///
    /// # Errors
    /// As [`Households::update_household`].
    pub fn move_household(&self, to: MoveHousehold) -> Result<Nothing> {
        let hamlet = Some(EditHamlet::Set { value: to.hamlet });
        self.update_household(UpdateHousehold { hamlet, ..UpdateHousehold::of(to.household) })
    }

    /// Strikes a household out: it stays in the book and counts no longer; its visits stay. Twice is as once.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed`.
    pub fn void_household(&self, of: OfHousehold) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if !check::is_live(phone.connection(), "household", of.household.0)? {
            let sql = "SELECT 1 FROM households WHERE id = ?1 AND v_stamp > 0";
            let found = phone.connection().prepare_cached(sql)?.exists([of.household.0.0])?;
            return if found { Ok(Nothing {}) } else { Err(AppError::NotFound) };
        }
        save_patch(&mut phone, "household", of.household.0, vec![("void", Value::Bool(true))])
    }
}

fn push<T>(changed: &mut Vec<(&str, Value)>, name: &'static str, edit: Option<Option<T>>)
where
    Value: From<Option<T>>,
{
    changed.extend(edit.map(|value| (name, value.into())));
}

fn save_patch(phone: &mut Phone, table: &str, id: RowId, changed: Vec<(&str, Value)>) -> Result<Nothing> {
    if !changed.is_empty() {
        phone.save(|saving: &mut Saving<'_, '_>| saving.patch(table, id, changed))?;
    }
    Ok(Nothing {})
}

/// A label and a hint as they are stored.
fn check_texts(label: &str, hint: Option<&str>, problems: &mut Problems) -> (Option<String>, Option<String>) {
    let before = problems.count();
    let label = problems.line("label", "household.label", Some(label));
    if label.is_none() && problems.count() == before {
        problems.add("label", "missing");
    }
    (label, problems.line("hint", "household.hint", hint))
}

fn check_hamlet(known: &Known, hamlet: Option<HamletId>, problems: &mut Problems) {
    if hamlet.is_some_and(|hamlet| !known.hamlets.contains_key(&hamlet)) {
        problems.add("hamlet", "not_found");
    }
}

/// A household that may be written to.
pub(super) fn check_household(
    phone: &Phone,
    known: &Known,
    household: HouseholdId,
    problems: &mut Problems,
) -> Result<()> {
    if !check::is_live(phone.connection(), "household", household.0)? {
        problems.add("household", "not_found");
    } else if known.withdrawn.contains(&household) {
        problems.add("household", "consent_withdrawn");
    }
    Ok(())
}

struct CheckedContact {
    /// The contact's own consent; none when the consent to the record covers it.
    consent: Option<consents::Filled>,
    reach: contacts::Reach,
}

fn check_contact(
    phone: &Phone,
    known: &Known,
    contact: &GivenContact,
    is_covered: bool,
    persons: usize,
    problems: &mut Problems,
) -> CheckedContact {
    let path = "contact.consent";
    let consent =
        contact.consent.as_ref().map(|given| consents::check_given(phone, known, path, given, problems));
    let covers = consent.map_or(is_covered, |filled| filled.purposes & consents::CONTACT != 0);
    if !covers {
        problems.add(path, "consent_without_contact");
    }
    if contact.person.is_some_and(|at| usize::from(at) >= persons) {
        problems.add("contact.person", "not_found");
    }
    let (name, number) = (contact.display_name.as_deref(), contact.phone.as_deref());
    let reach = contacts::check_reach("contact.", name, number, contact.expires_on, phone.today(), problems);
    CheckedContact { consent, reach }
}
