//! What of this phone's work has not arrived, and what stands in the way of it.

use std::collections::BTreeMap;

use langso_domain::id::{HouseholdId, VisitId};
use langso_domain::registry::{CURRENT, Roles};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::Sync;
use crate::ballast;
use crate::companion::receipts::{Ladder, Receipt};
use crate::companion::record::{Day, Nothing};
use crate::companion::walk::{Place, Places};
use crate::companion::{arrival, rows};
use crate::damage;
use crate::digests;
use crate::error::Result;
use crate::facts::{self, name};
use crate::outbox::Unsent;
use crate::phone::Phone;

/// Which page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct FindUnarrived {
    /// How many visits to pass over.
    #[uniffi(default)]
    pub skip: u32,
}

/// Own work that the hub has not confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct UnarrivedPage {
    /// The newest first, at most 100.
    pub visits: Vec<UnarrivedVisit>,
    /// How many visits there are in all.
    pub visit_count: u32,
    /// Rows of other kinds.
    pub others: Vec<UnarrivedRows>,
    /// Saves in all, corrections among them.
    pub changes: u32,
}

/// A visit that the hub has not confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct UnarrivedVisit {
    /// The visit.
    pub visit: VisitId,
    /// Its day.
    pub date: Option<Day>,
    /// Whom; none = an anonymous turn.
    pub household: Option<HouseholdId>,
    /// The household as the team calls it.
    pub place: Place,
    /// Where it is.
    pub receipt: Receipt,
}

/// Rows of a kind that the hub has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct UnarrivedRows {
    /// Singular name of the table.
    pub table: String,
    /// How many.
    pub count: u32,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SyncProblems {
    /// The most serious first; empty when nothing does.
    pub problems: Vec<SyncProblem>,
}

/// One thing that stands in the way. Nothing is lost by any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum SyncProblem {
    /// The hub's list says that this phone was reported lost: it takes nothing from it any more.
    Revoked {
        /// Since when.
        on: Day,
    },
    /// The hub's list says that the membership has ended.
    LeftTeam {
        /// Its last day.
        on: Day,
    },
    /// Files of this phone were damaged and have been mended, or rows of it are; what the hub has is being fetched
    /// again. Nothing unsent is touched. See `phone.get_state`.
    Repairing {
        /// When it was found, ms UTC by the phone's own clock.
        since: i64,
    },
    /// The hub was put back to an older copy than the one after which this phone forgot what it had sent, and lacks rows
    /// that this phone still shows. They stay as they are; whoever runs the hub must put a newer copy in its place.
    HubLacksRows {
        /// When it was found, ms UTC.
        since: i64,
    },
    /// The hub holds own saves back until the lead admits them.
    SetAside {
        /// As in `set_aside.list_set_aside`.
        reason: u8,
        /// How many.
        count: u32,
    },
    /// Own saves wait, and no sync has come to its end for a week, or ever.
    Waiting {
        /// How many.
        count: u32,
        /// When one last did, ms UTC.
        since: Option<i64>,
    },
    /// The phone's folder cannot be written: the book can be read, and nothing can be saved or sent.
    ReadOnly,
    /// The phone is nearly full; saving still works.
    StorageLow,
    /// The hub has own work and has not yet read back a backup of any: this phone keeps everything.
    NoBackup,
    /// The hub has not said the time since the phone was started: dates are marked.
    ClockUnsure,
}

const WEEK_MS: i64 = 7 * 86_400_000;

impl Sync<'_> {
    /// Own work that the hub has not confirmed.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_unarrived(&self, find: FindUnarrived) -> Result<UnarrivedPage> {
        let phone = self.0.phone();
        let known = phone.known()?;
        let connection = phone.connection();
        let mut others = Vec::new();
        for table in
            CURRENT.tables.iter().filter(|table| table.writers != Roles::HUB && table.name != "visit")
        {
            match arrival::unarrived(&phone, table.plural)?.len() as u32 {
                0 => {}
                count => others.push(UnarrivedRows { table: table.name.to_owned(), count }),
            }
        }
        let ladder = Ladder::new(&phone)?;
        let places = Places::new(connection, &known)?;
        let mut visits = Vec::new();
        for visit in arrival::unarrived(&phone, "visits")? {
            let sql = "SELECT v_stamp, date, household_id, v_more FROM visits WHERE id = ?1";
            let (stamp, date, household, more) =
                connection.prepare_cached(sql)?.query_row([visit.0], |row| {
                    let more: Option<Vec<u8>> = row.get(3)?;
                    Ok((row.get::<_, i64>(0)?, rows::day(row, 1)?, rows::some_id(row, 2, HouseholdId)?, more))
                })?;
            visits.push((stamp, VisitId(visit), date, household, more));
        }
        langso_domain::order::sort_by_key(&mut visits, |(stamp, visit, ..)| {
            std::cmp::Reverse((*stamp, *visit))
        });
        let visit_count = visits.len() as u32;
        let page = visits.into_iter().skip(find.skip as usize).take(rows::PAGE);
        let page = page.map(|(_, visit, date, household, more)| {
            Ok(UnarrivedVisit {
                visit,
                date,
                household,
                place: household.map_or(Ok(Place::default()), |household| places.of(household))?,
                receipt: ladder.of_row(visit.0, more.as_deref())?,
            })
        });
        Ok(UnarrivedPage {
            visits: page.collect::<Result<_>>()?,
            visit_count,
            others,
            changes: waiting(&phone)?,
        })
    }

    /// What stands in the way of this phone's work, with what was kept.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_sync_problems(&self, _: Nothing) -> Result<SyncProblems> {
        let phone = self.0.phone();
        let connection = phone.connection();
        let mut problems = Vec::new();
        if let Some(on) = revoked_on(&phone)? {
            problems.push(SyncProblem::Revoked { on });
        }
        if let Some(on) = left_on(&phone)? {
            problems.push(SyncProblem::LeftTeam { on });
        }
        if phone.folder.is_read_only() {
            problems.push(SyncProblem::ReadOnly);
        }
        let rows = digests::list_damaged(connection)?.into_iter().map(|(_, since)| since);
        let files = damage::get(connection)?.map(|damage| damage.found_at);
        if let Some(since) = rows.chain(files).min() {
            problems.push(SyncProblem::Repairing { since });
        }
        if let Some(since) = digests::list_kept(connection)?.into_iter().map(|(_, since)| since).min() {
            problems.push(SyncProblem::HubLacksRows { since });
        }
        let mut aside: BTreeMap<u8, u32> = BTreeMap::new();
        for reason in rows::all(connection, "SELECT reason FROM set_aside_notices", [], |row| row.get(0))? {
            *aside.entry(reason).or_default() += 1;
        }
        problems.extend(aside.into_iter().map(|(reason, count)| SyncProblem::SetAside { reason, count }));
        let (count, now) = (waiting(&phone)?, phone.now());
        let since: Option<i64> = facts::get(connection, name::LAST_SYNC)?;
        if count > 0 && since.is_none_or(|at| now.ms.saturating_sub(at) > WEEK_MS) {
            problems.push(SyncProblem::Waiting { count, since });
        }
        if !phone.folder.is_read_only() && ballast::is_low(phone.folder.path()) {
            problems.push(SyncProblem::StorageLow);
        }
        let marks: facts::Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let sql = "SELECT EXISTS (SELECT 1 FROM receipts)";
        let has_arrived: bool = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        if has_arrived && marks.iter().all(|(_, mark)| *mark == 0) {
            problems.push(SyncProblem::NoBackup);
        }
        if !now.is_sure && phone.identity().is_some() {
            problems.push(SyncProblem::ClockUnsure);
        }
        Ok(SyncProblems { problems })
    }
}

fn waiting(phone: &Phone) -> Result<u32> {
    let mut unsent = Unsent::default();
    unsent.refresh(phone.connection(), &phone.replica.scopes()?)?;
    Ok(unsent.waiting() as u32)
}

fn revoked_on(phone: &Phone) -> Result<Option<Day>> {
    let key = phone.key.public().to_bytes().to_vec();
    let sql = "SELECT revoked_on FROM live_devices WHERE public_key = ?1 AND revoked_on IS NOT NULL";
    let mut get = phone.connection().prepare_cached(sql)?;
    Ok(get.query_row([key], |row| rows::day(row, 0)).optional()?.flatten())
}

fn left_on(phone: &Phone) -> Result<Option<Day>> {
    let Some(identity) = phone.identity() else { return Ok(None) };
    let sql = "SELECT to_date FROM live_members WHERE id = ?1 AND to_date < ?2";
    let mut get = phone.connection().prepare_cached(sql)?;
    let found = get.query_row((identity.member.0.0, phone.today().0), |row| rows::day(row, 0));
    Ok(found.optional()?.flatten())
}
