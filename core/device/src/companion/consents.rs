//! Consents: the text that is read out, what was said, and taking it back.
//!
//! A household's rows need a consent to the record; a contact lives by a consent of its own and goes with it.

use langso_domain::content::{Consent, ContentRef};
use langso_domain::date::CivilDate;
use langso_domain::id::{ConsentId, ContactId, HouseholdId, MemberId, RowId};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::problems::Problems;
use super::{Companion, Day, check, contacts, drafts, once, rows, walk};
use crate::error::{AppError, Result};
use crate::phone::{Phone, Saving};

/// The bit of the purpose "the record".
pub const RECORD: u8 = 1;
/// The bit of the purpose "a contact for a return".
pub const CONTACT: u8 = 2;

/// The feature; see [`Companion::consents`].
pub struct Consents<'a>(pub(super) &'a Companion);

/// Which text to read out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct GetScript {
    /// A text by version, as a household consented to it; none = the newest of `code`.
    #[uniffi(default)]
    pub text: Option<ContentRef>,
    /// `consent.script` (also when none) or `consent.contact`.
    #[uniffi(default)]
    pub code: Option<String>,
}

/// A text to read out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Script {
    /// Its name in consents.
    pub text: ContentRef,
    /// The text with `{parameters}` in both languages, the kinds of data it names, purposes, and how long data stay.
    pub script: Consent,
    /// The purposes it covers, as bits.
    pub purposes: u8,
    /// Whether a newer version of the text is known: consents to this one stay valid.
    pub has_newer: bool,
    /// Values of the parameters that this phone knows: name, hamlet or team, commune code.
    pub asked_by: Option<String>,
}

/// A consent as it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct GivenConsent {
    /// The text that was read out.
    pub text: ContentRef,
    /// A number of the list `consent_ways`.
    pub way: u8,
    /// Bits: 1 = the record, 2 = a contact; none = all that the text covers.
    #[serde(default)]
    #[uniffi(default)]
    pub purposes: Option<u8>,
    /// When; none = today.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
}

/// A consent of a household that is there already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// Who consents.
    pub household: HouseholdId,
    /// What was said.
    pub given: GivenConsent,
    /// A token of the form: a second save with the same one gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// A consent written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SavedConsent {
    /// The consent.
    pub consent: ConsentId,
}

/// Which consent is withdrawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct WithdrawConsent {
    /// The consent.
    pub consent: ConsentId,
    /// When; none = today.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
}

/// What a withdrawal did on this phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Withdrawn {
    /// Contacts whose values are gone.
    pub contacts: Vec<ContactId>,
    /// Drafts that are gone.
    pub drafts: u32,
}

/// A consent of a household, as screens show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ConsentRow {
    /// The consent.
    pub consent: ConsentId,
    /// The text by version.
    pub text: Option<ContentRef>,
    /// A number of the list `consent_ways`.
    pub way: Option<u8>,
    /// Who asked.
    pub asked_by: Option<MemberId>,
    /// When it was given.
    pub date: Option<Day>,
    /// Bits: 1 = the record, 2 = a contact.
    pub purposes: u8,
    /// When it was withdrawn.
    pub withdrawn_on: Option<Day>,
}

impl Consents<'_> {
    /// The text to read out, with every kind of data that it names.
    ///
    /// # Errors
    /// `NotFound` for a text this phone does not know.
    pub fn get_script(&self, get: GetScript) -> Result<Script> {
        let phone = self.0.phone();
        let known = phone.known()?;
        let code = get.text.as_ref().map(|text| text.code.as_str()).or(get.code.as_deref());
        let newest = known.content.consent(code.unwrap_or("consent.script"));
        let script = match &get.text {
            Some(text) => known.content.consent_script(text),
            None => newest,
        };
        let script = script.ok_or(AppError::NotFound)?.clone();
        let me = phone.identity().and_then(|identity| known.members.get(&identity.member));
        Ok(Script {
            text: script.reference(),
            purposes: purposes_of(&known, &script),
            has_newer: newest.is_some_and(|newest| newest.version > script.version),
            asked_by: me.map(|member| member.name.clone()),
            script,
        })
    }

    /// Writes a consent of a household down.
    ///
    /// # Errors
    /// `InvalidInput` with the field: `household`, `given.text` (`unknown_text`), `given.way`, `given.purposes`
    /// (`purpose_not_of_text`), `given.date`; `NotAllowed`.
    pub fn record_consent(&self, new: NewConsent) -> Result<SavedConsent> {
        const CALL: &str = "consents.record_consent";
        let mut phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        if let Some(saved) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(saved);
        }
        let known = phone.known()?;
        let mut problems = Problems::default();
        if !check::is_live(phone.connection(), "household", new.household.0)? {
            problems.add("household", "not_found");
        }
        let given = check_given(&phone, &known, "given", &new.given, &mut problems);
        problems.finish()?;
        let beside = new.household.0;
        let saved = once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            Ok(SavedConsent { consent: create(saving, beside, me, &new.given, given, true)? })
        })?;
        phone.forget_known();
        Ok(saved)
    }

    /// Takes a consent back: contacts that live by it lose their values and are struck out, drafts bound to it go, in
    /// the same save. Twice is as once.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a date before it was given; `NotAllowed`.
    pub fn withdraw_consent(&self, withdraw: WithdrawConsent) -> Result<Withdrawn> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let consent = find(&phone, withdraw.consent)?.ok_or(AppError::NotFound)?;
        let known = phone.known()?;
        let mut problems = Problems::default();
        let date = fact_day(&phone, &known, "date", withdraw.date, &mut problems);
        if consent.date.is_some_and(|given| date < given.0) {
            problems.add("date", "before_consent");
        }
        problems.finish()?;
        let bound = contacts::bound_to(phone.connection(), withdraw.consent)?;
        let done = phone.save(|saving| {
            if consent.withdrawn_on.is_none() {
                saving.patch("consent", withdraw.consent.0, [("withdrawn_on", date.into())])?;
            }
            for contact in &bound {
                contacts::erase(saving, *contact)?;
            }
            let drafts = drafts::drop_of_consent(saving.connection(), withdraw.consent)?;
            Ok(Withdrawn { contacts: bound.clone(), drafts })
        })?;
        phone.forget_known();
        Ok(done)
    }
}

/// The purposes that a text covers, as bits: a purpose's number is its bit's place, from 1.
fn purposes_of(known: &Known, text: &Consent) -> u8 {
    let list = known.content.list("purposes");
    let numbers = text.purposes.iter().filter_map(|code| Some(list?.code(code)?.number));
    numbers.filter(|number| (1..=8).contains(number)).fold(0, |bits, number| bits | 1 << (number - 1))
}

/// What of a given consent was filled in by its text and the day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    pub purposes: u8,
    pub date: CivilDate,
}

pub(crate) fn check_given(
    phone: &Phone,
    known: &Known,
    path: &str,
    given: &GivenConsent,
    problems: &mut Problems,
) -> Filled {
    let covered = known.content.consent_script(&given.text).map(|text| purposes_of(known, text));
    if covered.is_none() {
        problems.add(format_args!("{path}.text"), "unknown_text");
    }
    problems.choice(&known.content, "consent_ways", format_args!("{path}.way"), Some(given.way));
    let covered = covered.unwrap_or_default();
    let purposes = given.purposes.unwrap_or(covered);
    if given.purposes == Some(0) {
        problems.add(format_args!("{path}.purposes"), "missing");
    } else if covered != 0 && purposes & !covered != 0 {
        problems.add(format_args!("{path}.purposes"), "purpose_not_of_text");
    }
    let date = fact_day(phone, known, format_args!("{path}.date"), given.date, problems);
    Filled { purposes, date }
}

/// The consent's row, in the household's scope; `is_beside` when the household is not of this save.
pub(crate) fn create(
    saving: &mut Saving<'_, '_>,
    household: RowId,
    asked_by: MemberId,
    given: &GivenConsent,
    filled: Filled,
    is_beside: bool,
) -> Result<ConsentId> {
    let fields = [
        ("household_id", household.into()),
        ("text", given.text.to_string().into()),
        ("way", given.way.into()),
        ("asked_by", asked_by.0.into()),
        ("date", filled.date.into()),
        ("purposes", filled.purposes.into()),
    ];
    let row = match is_beside {
        true => saving.create_beside("consent", ("household", household), fields)?,
        false => saving.create("consent", fields)?,
    };
    Ok(ConsentId(row))
}

/// The day of something that happened, today when none is given: `future_date` when the clock is sure that it has not
/// come, `before_team` when the team had not been founded.
pub(crate) fn fact_day(
    phone: &Phone,
    known: &Known,
    field: impl std::fmt::Display,
    given: Option<Day>,
    problems: &mut Problems,
) -> CivilDate {
    let now = phone.now();
    let today = CivilDate::at(now.ms);
    let day = given.map_or(today, |given| given.0);
    if now.is_sure && day > today {
        problems.add(field, "future_date");
    } else if known.founded_on.is_some_and(|founded| day < founded) {
        problems.add(field, "before_team");
    }
    day
}

const COLUMNS: &str = "id, text, way, asked_by, date, purposes, withdrawn_on, household_id";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(ConsentRow, Option<HouseholdId>)> {
    let consent = ConsentRow {
        consent: ConsentId(rows::id(row, 0)?),
        text: rows::content(row, 1)?,
        way: rows::number(row, 2)?,
        asked_by: rows::some_id(row, 3, MemberId)?,
        date: rows::day(row, 4)?,
        purposes: rows::number(row, 5)?.unwrap_or_default(),
        withdrawn_on: rows::day(row, 6)?,
    };
    Ok((consent, rows::some_id(row, 7, HouseholdId)?))
}

/// A consent that counts.
pub(crate) fn find(phone: &Phone, consent: ConsentId) -> Result<Option<ConsentRow>> {
    Ok(find_with_household(phone, consent)?.map(|(consent, _)| consent))
}

/// A consent that counts, and whose it is.
pub(crate) fn find_with_household(
    phone: &Phone,
    consent: ConsentId,
) -> Result<Option<(ConsentRow, Option<HouseholdId>)>> {
    let sql = format!("SELECT {COLUMNS} FROM live_consents WHERE id = ?1");
    Ok(phone.connection().prepare_cached(&sql)?.query_row([consent.0.0], read).optional()?)
}

/// The newest live consent to the record of a household, or of one that it was joined with.
pub(crate) fn to_record(phone: &Phone, household: HouseholdId) -> Result<Option<ConsentId>> {
    let known = phone.known()?;
    let mut given = Vec::new();
    for one in walk::Places::new(phone.connection(), &known)?.joined(household) {
        given.extend(of_household(phone, one)?);
    }
    given.retain(|consent| consent.withdrawn_on.is_none() && consent.purposes & RECORD != 0);
    langso_domain::order::sort_by_key(&mut given, |consent| consent.date);
    Ok(given.pop().map(|consent| consent.consent))
}

/// The consents of a household, oldest first.
pub(crate) fn of_household(phone: &Phone, household: HouseholdId) -> Result<Vec<ConsentRow>> {
    let sql = format!("SELECT {COLUMNS} FROM live_consents WHERE household_id = ?1 ORDER BY date, v_stamp");
    let found = rows::all(phone.connection(), &sql, [household.0.0], read)?;
    Ok(found.into_iter().map(|(consent, _)| consent).collect())
}
