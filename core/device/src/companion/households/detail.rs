//! One household as its screen shows it.

use langso_domain::content::ContentRef;
use langso_domain::id::{FollowUpId, HamletId, HouseholdId, MemberId, PersonId};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::super::consents::{self, ConsentRow};
use super::super::contacts::{self, ContactRow};
use super::super::record::Day;
use super::super::visits::{FindVisits, VisitPage, page};
use super::super::walk::Places;
use super::super::{check, rows};
use crate::error::Result;
use crate::phone::Phone;

/// A household with all that its screen shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct HouseholdDetail {
    /// The household; of those that were joined the one that shows.
    pub household: HouseholdId,
    /// What the team calls it.
    pub label: String,
    /// How to find the place.
    pub hint: Option<String>,
    /// Where it lives.
    pub hamlet: Option<HamletId>,
    /// A number of the list `poverty`.
    pub poverty: Option<u8>,
    /// Its persons, in the order in which they were written down.
    pub persons: Vec<PersonDetail>,
    /// Its consents, oldest first.
    pub consents: Vec<ConsentRow>,
    /// How to reach it, while that lasts.
    pub contacts: Vec<ContactRow>,
    /// Open appointments, the next first.
    pub follow_ups: Vec<OpenFollowUp>,
    /// The newest visits; more by `list_household_visits`.
    pub visits: VisitPage,
    /// The rows that are this household too.
    pub joined: Vec<JoinedHousehold>,
    /// Its copy in another team's book: it moved away.
    pub moved_to: Option<HouseholdId>,
    /// It took its consent back: nothing is written to it.
    pub is_withdrawn: bool,
    /// It was struck out, and counts no longer.
    pub is_struck_out: bool,
    /// It, or one of its persons, has a field with two versions.
    pub has_conflict: bool,
    /// This phone's role may write.
    pub may_write: bool,
}

/// A person of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct PersonDetail {
    /// The person.
    pub person: PersonId,
    /// A number of the list `age_bands`.
    pub band: Option<u8>,
    /// Or the year of birth.
    pub birth_year: Option<u16>,
    /// A number of the list `sexes`.
    pub sex: Option<u8>,
    /// A number of the list `phone_kinds`.
    pub phone_kind: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    pub nfc: Option<u8>,
    /// A number of the list `yes_no_unknown`.
    pub own_sim: Option<u8>,
}

/// An appointment that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct OpenFollowUp {
    /// The appointment.
    pub follow_up: FollowUpId,
    /// When.
    pub due_on: Option<Day>,
    /// For whom.
    pub person: Option<PersonId>,
    /// What for.
    pub service: Option<ContentRef>,
    /// Who goes.
    pub assigned_to: Option<MemberId>,
    /// What to bring.
    pub note: Option<String>,
}

/// A row that was joined to the household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct JoinedHousehold {
    /// The row.
    pub household: HouseholdId,
    /// What it was called.
    pub label: String,
}

/// One household, also one that was struck out; none when it is not here.
pub(in super::super) fn household(phone: &Phone, of: HouseholdId) -> Result<Option<HouseholdDetail>> {
    let known = phone.known()?;
    let connection = phone.connection();
    let places = Places::new(connection, &known)?;
    let shown = places.shown(of);
    let sql = "SELECT label, hint, hamlet_id, poverty, moved_to, void FROM households WHERE id = ?1 AND v_stamp > 0";
    let found = connection
        .prepare_cached(sql)?
        .query_row([shown.0.0], |row| {
            Ok(HouseholdDetail {
                household: shown,
                label: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                hint: row.get(1)?,
                hamlet: rows::some_id(row, 2, HamletId)?,
                poverty: rows::number(row, 3)?,
                persons: Vec::new(),
                consents: Vec::new(),
                contacts: Vec::new(),
                follow_ups: Vec::new(),
                visits: VisitPage { visits: Vec::new(), has_more: false },
                joined: Vec::new(),
                moved_to: rows::some_id(row, 4, HouseholdId)?,
                is_withdrawn: false,
                is_struck_out: row.get::<_, Option<bool>>(5)?.unwrap_or_default(),
                has_conflict: false,
                may_write: check::role(phone, check::TEAM).is_ok(),
            })
        })
        .optional()?;
    let Some(mut detail) = found else { return Ok(None) };
    let all = places.joined(shown);
    detail.is_withdrawn = known.withdrawn.contains(&shown);
    for one in &all {
        detail.persons.extend(persons(phone, *one)?);
        detail.consents.extend(consents::of_household(phone, *one)?);
        detail.contacts.extend(contacts::of_household(connection, *one, phone.today())?);
        detail.follow_ups.extend(follow_ups(phone, *one)?);
    }
    langso_domain::order::sort_by_key(&mut detail.follow_ups, |follow_up| {
        (follow_up.due_on, follow_up.follow_up)
    });
    detail.visits = page(phone, &FindVisits { household: Some(shown), ..FindVisits::default() })?;
    for one in all.iter().skip(1) {
        let label = places.of_row(*one)?.label.unwrap_or_default();
        detail.joined.push(JoinedHousehold { household: *one, label });
    }
    let mut shelf = connection.prepare_cached("SELECT 1 FROM shelf WHERE row = ?1")?;
    let ids = all.iter().map(|one| one.0).chain(detail.persons.iter().map(|person| person.person.0));
    for id in ids {
        detail.has_conflict |= shelf.exists([id.0])?;
    }
    Ok(Some(detail))
}

fn persons(phone: &Phone, household: HouseholdId) -> Result<Vec<PersonDetail>> {
    let sql = "SELECT p.id, p.band, p.birth_year, p.sex, p.phone_kind, p.nfc, p.own_sim
               FROM live_persons AS p LEFT JOIN person_identities AS i ON i.id = p.id
               WHERE p.household_id = ?1 AND coalesce(i.canonical_id, p.id) = p.id ORDER BY p.v_stamp, p.id";
    let found = rows::all(phone.connection(), sql, [household.0.0], |row| {
        let year: Option<i64> = row.get(2)?;
        Ok(PersonDetail {
            person: PersonId(rows::id(row, 0)?),
            band: rows::number(row, 1)?,
            birth_year: year.and_then(|year| year.try_into().ok()),
            sex: rows::number(row, 3)?,
            phone_kind: rows::number(row, 4)?,
            nfc: rows::number(row, 5)?,
            own_sim: rows::number(row, 6)?,
        })
    })?;
    Ok(found)
}

fn follow_ups(phone: &Phone, household: HouseholdId) -> Result<Vec<OpenFollowUp>> {
    let sql = "SELECT id, due_on, person_id, service, assigned_to, note FROM live_follow_ups
               WHERE household_id = ?1 AND done_on IS NULL AND cancelled_on IS NULL";
    let found = rows::all(phone.connection(), sql, [household.0.0], |row| {
        Ok(OpenFollowUp {
            follow_up: FollowUpId(rows::id(row, 0)?),
            due_on: rows::day(row, 1)?,
            person: rows::some_id(row, 2, PersonId)?,
            service: rows::content(row, 3)?,
            assigned_to: rows::some_id(row, 4, MemberId)?,
            note: row.get(5)?,
        })
    })?;
    Ok(found)
}
