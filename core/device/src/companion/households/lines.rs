//! Households as lists show them: one line each, with what a person needs to be sure it is the right one.

use std::collections::{HashMap, HashSet};

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, PersonId, RowId};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::super::known::Known;
use super::super::record::Day;
use super::super::rows;
use super::super::walk::{Place, Places};
use crate::error::Result;
use crate::phone::Phone;

/// One household of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct HouseholdLine {
    /// The household; of those that were joined the one that shows.
    pub household: HouseholdId,
    /// What the team calls it.
    pub label: String,
    /// How to find the place.
    pub hint: Option<String>,
    /// Where it lives.
    pub hamlet: Option<HamletId>,
    /// Its persons.
    pub persons: Vec<PersonLine>,
    /// The name used by a contact, while one lives.
    pub display_name: Option<String>,
    /// The day of its last visit.
    pub last_visit: Option<Day>,
    /// Its next appointment; a day that has passed is overdue.
    pub appointment: Option<Day>,
    /// It took its consent back: nothing is written to it.
    pub is_withdrawn: bool,
}

/// One person of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PersonLine {
    /// The person.
    pub person: PersonId,
    /// A number of the list `age_bands`.
    pub band: Option<u8>,
    /// Or the year of birth.
    pub birth_year: Option<u16>,
    /// A number of the list `sexes`.
    pub sex: Option<u8>,
}

/// The lines of at most a page of households, in that order; what is not here or struck out is left out.
pub(in super::super) fn lines(
    phone: &Phone,
    known: &Known,
    households: &[HouseholdId],
) -> Result<Vec<HouseholdLine>> {
    let places = Places::new(phone.connection(), known)?;
    let mut about = About::default();
    // A household that was joined brings the rows of all that it is.
    let all: Vec<RowId> = households.iter().flat_map(|one| places.joined(*one)).map(|one| one.0).collect();
    for part in all.chunks(rows::PAGE) {
        about.read(phone.connection(), Some(part), phone.today())?;
    }
    Ok(about.lines(&places, known, households))
}

/// As [`lines`], for most of the households that there are.
pub(in super::super) fn lines_of_all(
    phone: &Phone,
    known: &Known,
    households: &[HouseholdId],
) -> Result<Vec<HouseholdLine>> {
    let places = Places::new(phone.connection(), known)?;
    let mut about = About::default();
    about.read(phone.connection(), None, phone.today())?;
    Ok(about.lines(&places, known, households))
}

/// How many households are recent.
const RECENT: usize = 5;

/// The households that this phone last wrote down or visited, newest first.
pub(super) fn recent(phone: &Phone) -> Result<Vec<HouseholdId>> {
    let connection = phone.connection();
    let known = phone.known()?;
    let places = Places::new(connection, &known)?;
    let mut own = connection.prepare_cached("SELECT writer FROM writers WHERE device = ?1")?;
    let writers: HashSet<[u8; 8]> = own
        .query_map([phone.device.0], |row| row.get::<_, i64>(0).map(i64::to_be_bytes))?
        .collect::<rusqlite::Result<_>>()?;
    let sql = "SELECT id, id, v_stamp AS stamp FROM live_households
               UNION ALL SELECT id, household_id, v_stamp FROM live_visits WHERE household_id IS NOT NULL
               ORDER BY stamp DESC";
    let mut get = connection.prepare_cached(sql)?;
    let mut found = get.query([])?;
    let mut recent = Vec::with_capacity(RECENT);
    while let Some(row) = found.next()?
        && recent.len() < RECENT
    {
        let by = rows::id(row, 0)?;
        let household = places.shown(HouseholdId(rows::id(row, 1)?));
        if by.0.first_chunk().is_some_and(|writer| writers.contains(writer)) && !recent.contains(&household) {
            recent.push(household);
        }
    }
    Ok(recent)
}

/// What tables say about households.
#[derive(Default)]
struct About {
    places: HashMap<RowId, Place>,
    persons: HashMap<RowId, Vec<PersonLine>>,
    visits: HashMap<RowId, Day>,
    appointments: HashMap<RowId, Day>,
    names: HashMap<RowId, String>,
}

impl About {
    /// Their lines, in that order; each is taken out of what was read.
    fn lines(mut self, places: &Places<'_>, known: &Known, households: &[HouseholdId]) -> Vec<HouseholdLine> {
        let mut lines = Vec::with_capacity(households.len());
        for household in households {
            let household = *household;
            let all = places.joined(household);
            let mut line = HouseholdLine {
                household: places.shown(household),
                label: String::new(),
                hint: None,
                hamlet: None,
                persons: Vec::new(),
                display_name: None,
                last_visit: None,
                appointment: None,
                is_withdrawn: known.withdrawn.contains(&household),
            };
            let mut is_live = false;
            for one in all.iter().map(|one| one.0) {
                if let Some(place) = self.places.remove(&one)
                    && (!is_live || one == line.household.0)
                {
                    is_live = true;
                    line.label = place.label.unwrap_or_default();
                    (line.hint, line.hamlet) = (place.hint, place.hamlet);
                }
                line.persons.extend(self.persons.remove(&one).unwrap_or_default());
                line.last_visit = line.last_visit.max(self.visits.get(&one).copied());
                let next = self.appointments.get(&one).copied();
                line.appointment = [line.appointment, next].into_iter().flatten().min();
                line.display_name = line.display_name.or_else(|| self.names.remove(&one));
            }
            if is_live {
                lines.push(line);
            }
        }
        lines
    }

    /// One pass over each table for up to a page of ids, or for all.
    fn read(&mut self, connection: &Connection, ids: Option<&[RowId]>, today: CivilDate) -> Result<()> {
        let page = || rows::filled(ids.map_or(0, |_| rows::PAGE), ids.into_iter().flatten().copied());
        let of =
            ids.map_or_else(|| "IS NOT NULL".to_owned(), |_| format!("IN ({})", rows::places(rows::PAGE)));
        let sql = format!("SELECT id, label, hint, hamlet_id FROM live_households WHERE id {of}");
        self.places.extend(rows::all(connection, &sql, page(), |row| {
            let place =
                Place { label: row.get(1)?, hint: row.get(2)?, hamlet: rows::some_id(row, 3, HamletId)? };
            Ok((rows::id(row, 0)?, place))
        })?);
        let sql = format!(
            "SELECT p.household_id, p.id, p.band, p.birth_year, p.sex
             FROM live_persons AS p LEFT JOIN person_identities AS i ON i.id = p.id
             WHERE p.household_id {of} AND coalesce(i.canonical_id, p.id) = p.id ORDER BY p.v_stamp, p.id"
        );
        for (household, person) in rows::all(connection, &sql, page(), |row| {
            let year: Option<i64> = row.get(3)?;
            let person = PersonLine {
                person: PersonId(rows::id(row, 1)?),
                band: rows::number(row, 2)?,
                birth_year: year.and_then(|year| year.try_into().ok()),
                sex: rows::number(row, 4)?,
            };
            Ok((rows::id(row, 0)?, person))
        })? {
            self.persons.entry(household).or_default().push(person);
        }
        let sql = format!(
            "SELECT household_id, max(date) FROM live_visits WHERE household_id {of} GROUP BY household_id"
        );
        self.visits.extend(days(connection, &sql, page())?);
        let sql = format!(
            "SELECT household_id, min(due_on) FROM live_follow_ups
             WHERE household_id {of} AND done_on IS NULL AND cancelled_on IS NULL GROUP BY household_id"
        );
        self.appointments.extend(days(connection, &sql, page())?);
        let sql = format!(
            "SELECT household_id, display_name FROM live_contacts
             WHERE household_id {of} AND display_name IS NOT NULL
               AND (expires_on IS NULL OR expires_on >= {}) ORDER BY v_stamp DESC, id",
            today.0
        );
        self.names.extend(rows::all(connection, &sql, page(), |row| Ok((rows::id(row, 0)?, row.get(1)?)))?);
        Ok(())
    }
}

fn days(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<(RowId, Day)>> {
    let found = rows::all(connection, sql, params, |row| Ok((rows::id(row, 0)?, rows::day(row, 1)?)))?;
    Ok(found.into_iter().filter_map(|(id, day)| Some((id, day?))).collect())
}
