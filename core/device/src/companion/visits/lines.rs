//! Visits as lists show them: slim rows by day, newest first, each with where it is.

use std::collections::HashMap;

use langso_domain::content::ContentRef;
use langso_domain::id::{HamletId, HouseholdId, MemberId, PersonId, RowId, ServiceRowId, VisitId};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use super::super::receipts::{Ladder, Receipt};
use super::super::record::Day;
use super::super::rows;
use super::super::walk::{Place, Places};
use crate::error::Result;
use crate::phone::Phone;

/// Which visits; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct FindVisits {
    /// At this household, and at those it was merged with.
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// In this hamlet.
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// With this member.
    #[uniffi(default)]
    pub member: Option<MemberId>,
    /// Not before this day.
    #[uniffi(default)]
    pub from: Option<Day>,
    /// Not after this day.
    #[uniffi(default)]
    pub to: Option<Day>,
    /// How many to pass over.
    #[uniffi(default)]
    pub skip: u32,
}

/// Visits, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct VisitPage {
    /// At most 100.
    pub visits: Vec<VisitLine>,
    /// More follow.
    pub has_more: bool,
}

/// One visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct VisitLine {
    /// The visit.
    pub visit: VisitId,
    /// Whom; none = an anonymous turn.
    pub household: Option<HouseholdId>,
    /// The household as the team calls it.
    pub place: Place,
    /// Where.
    pub hamlet: Option<HamletId>,
    /// When.
    pub date: Option<Day>,
    /// Who was there.
    pub members: Vec<MemberId>,
    /// What was done.
    pub services: Vec<ServiceLine>,
    /// Where it is.
    pub receipt: Receipt,
    /// It was corrected since.
    pub is_corrected: bool,
}

/// One service of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ServiceLine {
    /// The row.
    pub row: ServiceRowId,
    /// For whom.
    pub person: Option<PersonId>,
    /// What, by version.
    pub service: Option<ContentRef>,
    /// A number of the list `outcomes`.
    pub outcome: Option<u8>,
    /// The failure code's number.
    pub failure: Option<u8>,
}

/// A page of the visits that answer.
pub(in super::super) fn page(phone: &Phone, find: &FindVisits) -> Result<VisitPage> {
    let known = phone.known()?;
    let connection = phone.connection();
    let _reading = phone.reading()?;
    let places = Places::new(connection, &known)?;
    let ids = match find {
        FindVisits { household: None, hamlet: None, member: None, from: None, to: None, skip } => {
            let all = phone.newest_visits()?;
            all.iter().skip(*skip as usize).take(rows::PAGE + 1).copied().collect()
        }
        _ => chosen(connection, &places, find)?,
    };
    let has_more = ids.len() > rows::PAGE;
    let ids = &ids[..ids.len().min(rows::PAGE)];
    let sql = format!(
        "SELECT id, v_more, household_id, hamlet_id, date, members FROM visits WHERE id IN ({})",
        rows::places(rows::PAGE)
    );
    let params = rows::filled(rows::PAGE, ids.iter().map(|visit| visit.0));
    let found = rows::all(connection, &sql, params, |row| {
        let line = VisitLine {
            visit: VisitId(rows::id(row, 0)?),
            household: rows::some_id(row, 2, HouseholdId)?,
            place: Place::default(),
            hamlet: rows::some_id(row, 3, HamletId)?,
            date: rows::day(row, 4)?,
            members: rows::ids(row, 5, MemberId)?,
            services: Vec::new(),
            receipt: Receipt::FRESH,
            is_corrected: false,
        };
        Ok((line.visit, (line, row.get::<_, Option<Vec<u8>>>(1)?)))
    })?;
    let mut found: HashMap<VisitId, _> = found.into_iter().collect();
    let mut services = services_of(connection, ids)?;
    let ladder = Ladder::new(phone)?;
    let mut visits = Vec::with_capacity(ids.len());
    for (mut line, more) in ids.iter().filter_map(|visit| found.remove(visit)) {
        line.receipt = ladder.of_row(line.visit.0, more.as_deref())?;
        line.is_corrected = more.is_some();
        for (service, more) in services.remove(&line.visit).unwrap_or_default() {
            line.is_corrected |= more.is_some();
            line.receipt = line.receipt.lower(ladder.of_row(service.row.0, more.as_deref())?);
            line.services.push(service);
        }
        if let Some(household) = line.household {
            line.place = places.of(household)?;
            line.household = Some(places.shown(household));
        }
        visits.push(line);
    }
    Ok(VisitPage { visits, has_more })
}

/// The visits of a page and one more, newest first.
fn chosen(connection: &Connection, places: &Places<'_>, find: &FindVisits) -> Result<Vec<VisitId>> {
    let mut sql = "SELECT id FROM live_visits
                   WHERE (?1 IS NULL OR hamlet_id = ?1) AND (?2 IS NULL OR date >= ?2)
                     AND (?3 IS NULL OR date <= ?3) AND (?4 IS NULL OR instr(members, ?4) % 12 = 1)"
        .to_owned();
    let blob = |id: RowId| Sql::Blob(id.0.to_vec());
    let days = |day: Option<Day>| day.map_or(Sql::Null, |day| Sql::Integer(day.0.0.into()));
    let mut params = vec![
        find.hamlet.map_or(Sql::Null, |hamlet| blob(hamlet.0)),
        days(find.from),
        days(find.to),
        find.member.map_or(Sql::Null, |member| blob(member.0)),
    ];
    if let Some(household) = find.household {
        let one = places.joined(household);
        sql.push_str(&format!(" AND household_id IN ({})", vec!["?"; one.len()].join(",")));
        params.extend(one.into_iter().map(|household| blob(household.0)));
    }
    sql.push_str(&format!(
        " ORDER BY date DESC, v_stamp DESC, id DESC LIMIT {} OFFSET {}",
        rows::PAGE + 1,
        find.skip
    ));
    Ok(rows::all(connection, &sql, params_from_iter(params), |row| rows::id(row, 0).map(VisitId))?)
}

type WithVersions = (ServiceLine, Option<Vec<u8>>);

/// The live services of these visits, and what was patched of them; one pass over the table.
fn services_of(connection: &Connection, visits: &[VisitId]) -> Result<HashMap<VisitId, Vec<WithVersions>>> {
    let sql = format!(
        "SELECT id, v_more, visit_id, person_id, service, outcome, failure FROM live_service_rows
         WHERE visit_id IN ({}) ORDER BY v_stamp, id",
        rows::places(rows::PAGE)
    );
    let params = rows::filled(rows::PAGE, visits.iter().map(|visit| visit.0));
    let found = rows::all(connection, &sql, params, |row| {
        let line = ServiceLine {
            row: ServiceRowId(rows::id(row, 0)?),
            person: rows::some_id(row, 3, PersonId)?,
            service: rows::content(row, 4)?,
            outcome: rows::number(row, 5)?,
            failure: rows::number(row, 6)?,
        };
        Ok((rows::id(row, 2).map(VisitId)?, (line, row.get::<_, Option<Vec<u8>>>(1)?)))
    })?;
    let mut services: HashMap<VisitId, Vec<WithVersions>> = HashMap::with_capacity(visits.len());
    for (visit, service) in found {
        services.entry(visit).or_default().push(service);
    }
    Ok(services)
}
