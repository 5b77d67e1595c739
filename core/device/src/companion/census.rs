//! Which households of a hamlet were gone through.

use langso_domain::id::{HamletId, HouseholdId, RowId};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::problems::Problems;
use super::record::Day;
use super::{Companion, check, consents, households, once, rows, walk};
use crate::error::{AppError, Result};

/// The feature; see [`Companion::census`].
pub struct Census<'a>(pub(super) &'a Companion);

/// Which hamlet.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfHamlet {
    /// The hamlet.
    pub hamlet: HamletId,
}

/// How far a hamlet has been gone through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct HamletCensus {
    /// The hamlet.
    pub hamlet: HamletId,
    /// Households gone through, each once.
    pub seen: u32,
    /// Households by the hamlet's own list; none = not known.
    pub total: Option<u32>,
    /// When the last one was gone through.
    pub last_on: Option<Day>,
    /// Persons of 14 and over in the households gone through.
    pub adults: u32,
    /// Of them with a smartphone.
    pub smartphones: u32,
    /// Households that the team knows there: those still open first, then by label.
    pub households: Vec<CensusRow>,
}

/// One household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct CensusRow {
    /// The household.
    pub household: HouseholdId,
    /// What the team calls it.
    pub label: String,
    /// When it was gone through last.
    pub seen_on: Option<Day>,
    /// Persons of 14 and over then.
    pub adults: Option<u32>,
    /// Of them with a smartphone.
    pub smartphones: Option<u32>,
}

/// A household that was gone through.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct HouseholdSeen {
    /// The household.
    pub household: HouseholdId,
    /// When; none = today.
    #[serde(default)]
    #[uniffi(default)]
    pub date: Option<Day>,
    /// Persons of 14 and over; none = as the household's persons say.
    #[serde(default)]
    #[uniffi(default)]
    pub adults: Option<u32>,
    /// Of them with a smartphone; none = as the household's persons say.
    #[serde(default)]
    #[uniffi(default)]
    pub smartphones: Option<u32>,
    /// A token of the row: a second tap gives the first one's answer.
    #[serde(default)]
    #[uniffi(default)]
    pub token: Option<String>,
}

/// What the row shows afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SeenHousehold {
    /// The row that was written.
    pub census: RowId,
    /// Persons of 14 and over.
    pub adults: u32,
    /// Of them with a smartphone.
    pub smartphones: u32,
}

const MOST_PERSONS: u32 = 60;
/// Of the list `age_bands`: under 14.
const UNDER_14: i64 = 1;
/// Of the list `phone_kinds`.
const SMARTPHONE: i64 = 3;

impl Census<'_> {
    /// How far a hamlet has been gone through.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `InvalidInput` for a hamlet that is not here.
    pub fn get_census(&self, of: OfHamlet) -> Result<HamletCensus> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let connection = phone.connection();
        check::present(connection, "hamlet", "hamlet", of.hamlet.0)?;
        let total = connection
            .prepare_cached("SELECT household_total FROM live_hamlets WHERE id = ?1")?
            .query_row([of.hamlet.0.0], |row| rows::count(row, 0))?;
        // Merged households are one, shown by the smallest id; the newest day of each counts.
        let sql = "WITH known AS (
              SELECT coalesce(i.canonical_id, h.id) AS id, min(h.label) AS label
              FROM live_households AS h LEFT JOIN household_identities AS i ON i.id = h.id
              WHERE h.hamlet_id = ?1 AND h.moved_to IS NULL GROUP BY 1
            ), seen AS (
              SELECT household_id, date, adults, smartphones,
                     row_number() OVER (PARTITION BY household_id ORDER BY date DESC, id) AS newest
              FROM census_facts WHERE hamlet_id = ?1
            )
            SELECT k.id, k.label, s.date, s.adults, s.smartphones
            FROM known AS k LEFT JOIN seen AS s ON s.household_id = k.id AND s.newest = 1
            UNION ALL
            SELECT s.household_id, NULL, s.date, s.adults, s.smartphones
            FROM seen AS s WHERE s.newest = 1 AND s.household_id NOT IN (SELECT id FROM known)";
        let mut found = rows::all(connection, sql, [of.hamlet.0.0], |row| {
            Ok(CensusRow {
                household: HouseholdId(rows::id(row, 0)?),
                label: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                seen_on: rows::day(row, 2)?,
                adults: rows::count(row, 3)?,
                smartphones: rows::count(row, 4)?,
            })
        })?;
        langso_domain::order::sort_by_key(&mut found, |row| (row.seen_on.is_some(), natural(&row.label)));
        let seen: Vec<_> = found.iter().filter(|row| row.seen_on.is_some()).collect();
        Ok(HamletCensus {
            hamlet: of.hamlet,
            seen: seen.len() as u32,
            total,
            last_on: seen.iter().filter_map(|row| row.seen_on).max(),
            adults: seen.iter().filter_map(|row| row.adults).sum(),
            smartphones: seen.iter().filter_map(|row| row.smartphones).sum(),
            households: found,
        })
    }

    /// Writes down that a household was gone through.
    ///
    /// # Errors
    /// `InvalidInput` with the field: `not_found`, `consent_withdrawn`, `no_hamlet`, `more_than_adults`, `too_many`, `future_date`,
    /// `before_team`; `NotAllowed { role }`.
    pub fn mark_household_seen(&self, seen: HouseholdSeen) -> Result<SeenHousehold> {
        const CALL: &str = "census.mark_household_seen";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(answer) = once::answered(&phone, CALL, seen.token.as_deref())? {
            return Ok(answer);
        }
        let connection = phone.connection();
        let household = seen.household.0;
        let known = phone.known()?;
        let mut problems = Problems::default();
        households::check_household(&phone, &known, seen.household, &mut problems)?;
        let hamlet = connection
            .prepare_cached("SELECT hamlet_id FROM live_households WHERE id = ?1")?
            .query_row([household.0], |row| rows::some_id(row, 0, |id| id))
            .optional()?
            .flatten();
        if hamlet.is_none() && problems.count() == 0 {
            problems.add("household", "no_hamlet");
        }
        let date = consents::fact_day(&phone, &known, "date", seen.date, &mut problems);
        problems.finish()?;
        let joined = walk::Places::new(connection, &known)?.joined(seen.household);
        let (adults, smartphones) = by_persons(connection, &joined, date.ymd().0.into())?;
        let adults = seen.adults.unwrap_or(adults);
        let smartphones = seen.smartphones.unwrap_or(smartphones.min(adults));
        if adults > MOST_PERSONS {
            return Err(AppError::invalid("adults", "too_many"));
        }
        if smartphones > adults {
            return Err(AppError::invalid("smartphones", "more_than_adults"));
        }
        once::save(&mut phone, CALL, seen.token.as_deref(), |saving| {
            let census = saving.create_beside(
                "hamlet_census",
                ("household", household),
                [
                    ("hamlet_id", hamlet.into()),
                    ("household_id", household.into()),
                    ("date", date.into()),
                    ("adults", adults.into()),
                    ("smartphones", smartphones.into()),
                ],
            )?;
            Ok(SeenHousehold { census, adults, smartphones })
        })
    }
}

/// Persons of 14 and over of a household as the record has them, and how many of them have a smartphone: each once,
/// in whichever of the joined rows they stand. One of unknown age counts as grown.
fn by_persons(connection: &Connection, joined: &[HouseholdId], year: i64) -> Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(p.phone_kind IS ?4), 0)
               FROM live_persons AS p LEFT JOIN person_identities AS i ON i.id = p.id
               WHERE p.household_id = ?1 AND coalesce(i.canonical_id, p.id) = p.id
                 AND p.band IS NOT ?2 AND (p.birth_year IS NULL OR p.birth_year <= ?3 - 14)";
    let mut get = connection.prepare_cached(sql)?;
    let (mut adults, mut smartphones) = (0, 0);
    for household in joined {
        let (of_row, with_phone): (u32, u32) =
            get.query_row((household.0.0, UNDER_14, year, SMARTPHONE), |row| Ok((row.get(0)?, row.get(1)?)))?;
        adults += of_row;
        smartphones += with_phone;
    }
    Ok((adults, smartphones))
}

/// Orders `Hộ 2` before `Hộ 12`: the number decides, then the text.
fn natural(label: &str) -> (u64, String) {
    let digits: String =
        label.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).take(18).collect();
    (digits.parse().unwrap_or(u64::MAX), langso_domain::text::fold(label))
}
