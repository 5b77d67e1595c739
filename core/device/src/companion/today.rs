//! Today: one call opens the screen that a day begins with.

use std::collections::BTreeMap;

use langso_domain::content::ContentRef;
use langso_domain::id::{HamletId, HouseholdId, MemberId, VisitId};
use serde::{Deserialize, Serialize};

use super::checklists::{self, OpenRunRow};
use super::drafts::{self, Draft};
use super::follow_ups::{self, Due, DueCounts, FollowUpRow};
use super::receipts::{Ladder, Receipt};
use super::record::Day;
use super::walk::{Place, Places};
use super::{Companion, Nothing, arrival, check, rows};
use crate::error::Result;
use crate::facts;
use crate::phone::Phone;

/// The feature; see [`Companion::today`].
pub struct Today<'a>(pub(super) &'a Companion);

/// What is to be done today, and what was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TodayView {
    /// Today in Vietnam.
    pub date: Day,
    /// The day is known from the hub; else it should be looked at before saving.
    pub is_clock_sure: bool,
    /// What the status sentence says.
    pub status: TodayStatus,
    /// Nothing was ever written down here.
    pub is_new_book: bool,
    /// Forms that are not finished, the newest first.
    pub drafts: Vec<Draft>,
    /// Checklist runs that are not finished, the newest first.
    pub open_runs: Vec<OpenRunRow>,
    /// How many of my runs a trainer sent back.
    pub returned_runs: u32,
    /// My appointments of today and before, by hamlet in walking order.
    pub due: Vec<DueHamlet>,
    /// How many appointments of mine fall when.
    pub counts: DueCounts,
    /// My visits of today, the newest first; at most 100.
    pub done: Vec<DoneVisit>,
    /// How many there are in all.
    pub done_count: u32,
}

/// What the status sentence says; by receipts alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct TodayStatus {
    /// Visits of this phone, of any day, that the hub has not confirmed.
    pub unarrived_visits: u32,
    /// Saves of this phone that the hub has not confirmed.
    pub unarrived_changes: u32,
    /// Saves of this phone that the hub holds back.
    pub set_aside: u32,
    /// When a sync last came to its end, ms UTC; none = never.
    pub last_success_at: Option<i64>,
}

/// A hamlet's appointments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct DueHamlet {
    /// The hamlet; none for households without one.
    pub hamlet: Option<HamletId>,
    /// Its name.
    pub name: Option<String>,
    /// What is overdue first, then by the household's number.
    pub follow_ups: Vec<FollowUpRow>,
}

/// A visit of today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct DoneVisit {
    /// The visit.
    pub visit: VisitId,
    /// Whom; none = an anonymous turn.
    pub household: Option<HouseholdId>,
    /// The household as the team calls it.
    pub place: Place,
    /// What was done.
    pub services: Vec<DoneService>,
    /// Where it is.
    pub receipt: Receipt,
}

/// One service of a visit of today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct DoneService {
    /// What.
    pub service: Option<ContentRef>,
    /// A number of the list `outcomes`.
    pub outcome: Option<u8>,
}

impl Today<'_> {
    /// What is to be done today, and what was.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn get_day(&self, _: Nothing) -> Result<TodayView> {
        let phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        let returned_runs = checklists::returned(&phone, me)?.len() as u32;
        let connection = phone.connection();
        let now = phone.now();
        let appointments = follow_ups::open(&phone, Some(me))?;
        let counts = follow_ups::counts(&appointments);
        let (done, done_count) = done(&phone, me)?;
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM households WHERE v_stamp > 0)
                      AND NOT EXISTS (SELECT 1 FROM visits WHERE v_stamp > 0)";
        Ok(TodayView {
            date: Day(phone.today()),
            is_clock_sure: now.is_sure,
            status: status(&phone)?,
            is_new_book: connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?,
            drafts: drafts::list(connection)?,
            open_runs: checklists::open_runs(&phone)?,
            returned_runs,
            due: by_hamlet(&phone, appointments)?,
            counts,
            done,
            done_count,
        })
    }
}

fn status(phone: &Phone) -> Result<TodayStatus> {
    let connection = phone.connection();
    let sql = "SELECT count(*) FROM set_aside_notices";
    Ok(TodayStatus {
        unarrived_visits: arrival::unarrived(phone, "visits")?.len() as u32,
        unarrived_changes: phone.unsent()?.waiting() as u32,
        set_aside: connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?,
        last_success_at: facts::get(connection, facts::name::LAST_SYNC)?,
    })
}

/// Those of today and before, in the order of a walk through the hamlets.
fn by_hamlet(phone: &Phone, appointments: Vec<FollowUpRow>) -> Result<Vec<DueHamlet>> {
    let known = phone.known()?;
    let places = Places::new(phone.connection(), &known)?;
    let mut hamlets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in appointments.into_iter().filter(|row| row.due <= Due::Today) {
        let key = places.key(&row.place);
        hamlets.entry((key.hamlet, row.place.hamlet)).or_default().push((row.due, key.label, row));
    }
    let due = hamlets.into_iter().map(|((_, hamlet), mut rows)| {
        langso_domain::order::sort_by(&mut rows, |(due, label, _), (other_due, other, _)| {
            (due, label).cmp(&(other_due, other))
        });
        DueHamlet {
            hamlet,
            name: hamlet.and_then(|hamlet| known.hamlets.get(&hamlet)).map(|hamlet| hamlet.name.clone()),
            follow_ups: rows.into_iter().map(|(_, _, row)| row).collect(),
        }
    });
    Ok(due.collect())
}

fn done(phone: &Phone, me: MemberId) -> Result<(Vec<DoneVisit>, u32)> {
    let known = phone.known()?;
    let connection = phone.connection();
    let sql = "SELECT id, household_id, v_more, members FROM live_visits WHERE date = ?1 ORDER BY v_stamp DESC, id DESC";
    let mut visits = rows::all(connection, sql, [phone.today().0], |row| {
        let visit = VisitId(rows::id(row, 0)?);
        let more: Option<Vec<u8>> = row.get(2)?;
        Ok((visit, rows::some_id(row, 1, HouseholdId)?, more, rows::ids(row, 3, MemberId)?))
    })?;
    visits.retain(|(.., members)| members.contains(&me));
    let count = visits.len() as u32;
    visits.truncate(rows::PAGE);
    let ladder = Ladder::new(phone)?;
    let places = Places::new(connection, &known)?;
    let sql = "SELECT service, outcome FROM live_service_rows WHERE visit_id = ?1 ORDER BY id";
    let mut done = Vec::with_capacity(visits.len());
    for (visit, household, more, _) in visits {
        let services = rows::all(connection, sql, [visit.0.0], |row| {
            let service = rows::content(row, 0)?;
            Ok(DoneService { service, outcome: rows::number(row, 1)? })
        })?;
        done.push(DoneVisit {
            visit,
            household,
            place: household.map_or(Ok(Place::default()), |household| places.of(household))?,
            services,
            receipt: ladder.of_row(visit.0, more.as_deref())?,
        });
    }
    Ok((done, count))
}
