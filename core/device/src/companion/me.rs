//! My month: what whoever this phone belongs to has done.

use std::collections::BTreeSet;

use langso_domain::id::{HouseholdId, MemberId};
use langso_domain::period::{CutOff, Period, PeriodKind};
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::reviews::NEWEST_REVIEWS;
use super::team::{FindPersonDays, PersonDay, PlanDays, person_days};
use super::{Companion, arrival, check, rows};
use crate::error::{AppError, Result};

/// The feature; see [`Companion::me`].
pub struct Me<'a>(pub(super) &'a Companion);

/// Which month.
#[derive(Debug, Clone, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindMonth {
    /// Such as `2024-M03`, or `2024-M03c15` for the 15th to the 14th; none = the calendar month of today.
    #[serde(default)]
    #[uniffi(default)]
    pub month: Option<String>,
}

/// A month of one member's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Month {
    /// Its code.
    pub month: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// Person-days, with doubles marked.
    pub days: Vec<PersonDay>,
    /// Person-days under each plan.
    pub by_plan: Vec<PlanDays>,
    /// Visits I was at.
    pub visits: u32,
    /// Services at them.
    pub turns: u32,
    /// Households at them, each once.
    pub households: u32,
    /// My checklist runs.
    pub runs: u32,
    /// Of them, approved by the newest review.
    pub runs_approved: u32,
    /// Of them, sent back by the newest review.
    pub runs_sent_back: u32,
    /// Visits of this phone, of any month, that the hub has not confirmed.
    pub unarrived: u32,
}

impl Me<'_> {
    /// What I did in a month, by this phone's record.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `InvalidInput` for what is no month.
    pub fn get_month(&self, find: FindMonth) -> Result<Month> {
        let phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        let connection = phone.connection();
        let month = match find.month {
            Some(code) => code.parse::<Period>().ok().filter(|period| period.kind() == PeriodKind::Month),
            None => Period::containing(phone.today(), PeriodKind::Month, CutOff::Calendar),
        };
        let month = month.ok_or_else(|| AppError::invalid("month", "not_a_month"))?;
        let (from, to) = (Day(month.from()), Day(month.to()));
        let work = person_days(connection, &FindPersonDays { from, to, member: Some(me) })?;
        let days = (from.0.0, to.0.0);
        let sql = "SELECT f.id, f.household_id, v.members,
                     (SELECT count(*) FROM live_service_rows AS s WHERE s.visit_id = f.id)
                   FROM visit_facts AS f JOIN visits AS v ON v.id = f.id WHERE f.date BETWEEN ?1 AND ?2";
        let visits = rows::all(connection, sql, days, |row| {
            let household = rows::some_id(row, 1, HouseholdId)?;
            Ok((household, rows::ids(row, 2, MemberId)?, row.get::<_, u32>(3)?))
        })?;
        let mine: Vec<_> = visits.iter().filter(|(_, members, _)| members.contains(&me)).collect();
        let sql = format!(
            "SELECT w.verdict FROM live_checklist_runs AS r LEFT JOIN ({NEWEST_REVIEWS}) AS w ON w.run_id = r.id
             WHERE r.member_id = ?1 AND r.date BETWEEN ?2 AND ?3"
        );
        let runs = rows::all(connection, &sql, (me.0.0, days.0, days.1), |row| rows::number(row, 0))?;
        let judged = |verdict: u8| runs.iter().filter(|of| **of == Some(verdict)).count() as u32;
        Ok(Month {
            month: month.to_string(),
            from,
            to,
            days: work.days,
            by_plan: work.by_plan,
            visits: mine.len() as u32,
            turns: mine.iter().map(|(_, _, turns)| turns).sum(),
            households: mine.iter().filter_map(|(household, ..)| *household).collect::<BTreeSet<_>>().len()
                as u32,
            runs: runs.len() as u32,
            runs_approved: judged(APPROVED),
            runs_sent_back: judged(SENT_BACK),
            unarrived: arrival::unarrived(&phone, "visits")?.len() as u32,
        })
    }
}

/// Of the list `verdicts`.
pub(super) const APPROVED: u8 = 1;
/// Of the list `verdicts`.
pub(super) const SENT_BACK: u8 = 2;
