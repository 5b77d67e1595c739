//! What was logged, newest first, and the clubs.

use langso_domain::id::{
    GrantId, GroupId, HamletId, HouseholdId, MemberId, PersonId, PlanId, RowId, SessionId, VisitId, WorkDayId,
};
use langso_domain::text;
use langso_domain::units::UnitCode;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::super::record::Day;
use super::super::rows::{self, PAGE};
use crate::error::Result;
use crate::phone::Phone;

/// Which events.
#[derive(Debug, Clone, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindEvents {
    /// First day.
    #[serde(default)]
    #[uniffi(default)]
    pub from: Option<Day>,
    /// Last day, included.
    #[serde(default)]
    #[uniffi(default)]
    pub to: Option<Day>,
    /// Where the page before ended.
    #[serde(default)]
    #[uniffi(default)]
    pub after: Option<EventKey>,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct EventKey {
    /// The last row's day.
    pub date: Day,
    /// The last row.
    pub id: RowId,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct EventPage {
    /// At most 100, newest day first.
    pub events: Vec<Event>,
    /// More follow after this.
    pub next: Option<EventKey>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Event {
    /// When.
    pub date: Day,
    /// The campaign it counts under.
    pub plan: Option<PlanId>,
    /// What.
    pub what: EventWhat,
}

/// What kind of event, and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum EventWhat {
    /// A session.
    Session {
        /// The session.
        session: SessionId,
        /// A number of the list `session_kinds`.
        kind: Option<u8>,
        /// What it was about.
        topic: Option<String>,
        /// Who held it.
        organiser: Option<String>,
        /// Where.
        hamlet: Option<HamletId>,
        /// People who came.
        headcount: Option<u32>,
        /// Members who worked.
        members: Vec<MemberId>,
    },
    /// A phone or SIM given.
    Grant {
        /// The grant.
        grant: GrantId,
        /// A number of the list `grant_items`.
        item: Option<u8>,
        /// To whom.
        household: Option<HouseholdId>,
        /// For whom.
        person: Option<PersonId>,
        /// At which visit.
        visit: Option<VisitId>,
        /// Who gave it.
        donor: Option<String>,
    },
    /// A half-day without a visit.
    WorkDay {
        /// The half-day.
        work_day: WorkDayId,
        /// Who.
        member: Option<MemberId>,
        /// A number of the list `half_days`.
        half: Option<u8>,
        /// What was done.
        reason: Option<String>,
    },
}

/// Which clubs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindClubs {
    /// As of which day members count; none = today.
    #[serde(default)]
    #[uniffi(default)]
    pub on: Option<Day>,
}

/// The clubs of the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ClubPage {
    /// By name.
    pub groups: Vec<Club>,
}

/// One club.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Club {
    /// The club.
    pub group: GroupId,
    /// What it is called.
    pub name: String,
    /// A number of the list `group_kinds`.
    pub kind: Option<u8>,
    /// The commune of its founding.
    pub unit: Option<UnitCode>,
    /// When it was founded.
    pub founded_on: Option<Day>,
    /// Who is in it on that day: a person once, and each membership without a person.
    pub members: u32,
}

pub(super) fn events(connection: &Connection, find: &FindEvents) -> Result<EventPage> {
    // Events without a day cannot be placed; none of ours is written so.
    let sql = "SELECT what, id, date, plan_id, number, one, other, a, b, c, count, members FROM (
          SELECT 1 AS what, id, date, plan_id, kind AS number, topic AS one, organiser AS other,
                 hamlet_id AS a, NULL AS b, NULL AS c, headcount AS count, members FROM live_sessions
          UNION ALL
          SELECT 2, id, date, plan_id, item, donor, NULL, household_id, person_id, visit_id, NULL, NULL
          FROM live_grants
          UNION ALL
          SELECT 3, id, date, plan_id, half, reason, NULL, member_id, NULL, NULL, NULL, NULL FROM live_work_days
        ) WHERE date BETWEEN ?1 AND ?2 AND (date, id) < (?3, ?4)
        ORDER BY date DESC, id DESC LIMIT ?5";
    let first = find.from.map_or(i32::MIN, |day| day.0.0);
    let last = find.to.map_or(i32::MAX, |day| day.0.0);
    let (before, id) = find.after.map_or((i32::MAX, [u8::MAX; 12]), |key| (key.date.0.0, key.id.0));
    let params = (first, last, before, id, PAGE as i64 + 1);
    let mut found = rows::all(connection, sql, params, |row| {
        let what = match row.get::<_, i64>(0)? {
            1 => EventWhat::Session {
                session: SessionId(rows::id(row, 1)?),
                kind: rows::number(row, 4)?,
                topic: row.get(5)?,
                organiser: row.get(6)?,
                hamlet: rows::some_id(row, 7, HamletId)?,
                headcount: row.get::<_, Option<i64>>(10)?.and_then(|count| u32::try_from(count).ok()),
                members: rows::ids(row, 11, MemberId)?,
            },
            2 => EventWhat::Grant {
                grant: GrantId(rows::id(row, 1)?),
                item: rows::number(row, 4)?,
                household: rows::some_id(row, 7, HouseholdId)?,
                person: rows::some_id(row, 8, PersonId)?,
                visit: rows::some_id(row, 9, VisitId)?,
                donor: row.get(5)?,
            },
            _ => EventWhat::WorkDay {
                work_day: WorkDayId(rows::id(row, 1)?),
                member: rows::some_id(row, 7, MemberId)?,
                half: rows::number(row, 4)?,
                reason: row.get(5)?,
            },
        };
        let date = rows::day(row, 2)?;
        let plan = rows::some_id(row, 3, PlanId)?;
        Ok(date.map(|date| Event { date, plan, what }))
    })?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let events: Vec<Event> = found.into_iter().flatten().collect();
    let next = events.last().filter(|_| more).map(|event| EventKey { date: event.date, id: event.what.id() });
    Ok(EventPage { events, next })
}

impl EventWhat {
    fn id(&self) -> RowId {
        match self {
            Self::Session { session, .. } => session.0,
            Self::Grant { grant, .. } => grant.0,
            Self::WorkDay { work_day, .. } => work_day.0,
        }
    }
}

pub(super) fn clubs(phone: &Phone, find: &FindClubs) -> Result<ClubPage> {
    let on = find.on.map_or(phone.today(), |day| day.0);
    // The view tells merged persons apart only once.
    let sql = "SELECT g.id, g.name, g.kind, g.unit, g.founded_on,
            (SELECT count(DISTINCT m.member_key) FROM membership_facts AS m WHERE m.group_id = g.id
             AND m.date <= ?1 AND (m.left_on IS NULL OR m.left_on > ?1))
        FROM live_groups AS g";
    let mut groups = rows::all(phone.connection(), sql, [on.0], |row| {
        Ok(Club {
            group: GroupId(rows::id(row, 0)?),
            name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            kind: rows::number(row, 2)?,
            unit: rows::unit(row, 3)?,
            founded_on: rows::day(row, 4)?,
            members: row.get(5)?,
        })
    })?;
    langso_domain::order::sort_by_key(&mut groups, |club| text::sort_key(&club.name));
    Ok(ClubPage { groups })
}
