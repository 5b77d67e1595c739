//! The team: what it is, who is in it, its campaigns, who worked when, and what its leads should look at.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, HamletId, MemberId, PlanId, TeamId, VisitId};
use langso_domain::registry::Role;
use langso_domain::text;
use langso_domain::units::UnitCode;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::{Companion, Nothing, check, rows, who};
use crate::error::{AppError, Result};
use crate::facts;
use crate::phone::Phone;

/// The feature; see [`Companion::team`].
pub struct Team<'a>(pub(super) &'a Companion);

/// The team of this phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TeamInfo {
    /// The team.
    pub team: TeamId,
    /// As in the decision; empty until the hub's list has come.
    pub name: String,
    /// A number of the list `team_kinds`.
    pub kind: Option<u8>,
    /// Its commune when founded.
    pub unit: Option<UnitCode>,
    /// Nothing is dated before it.
    pub founded_on: Option<Day>,
    /// Whose phone this is.
    pub me: MemberId,
    /// A number of the list `roles`.
    pub role: u8,
    /// Members of today; whoever trains the team is none.
    pub members: u32,
    /// Where it works.
    pub hamlets: Vec<HamletId>,
}

/// What the leads should look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct WorkQueue {
    /// Most urgent first; empty when nothing is.
    pub items: Vec<WorkItem>,
}

/// One kind of thing to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum WorkItem {
    /// Fields with two versions, and edits after removal.
    Conflicts {
        /// How many.
        count: u32,
    },
    /// Own saves that the hub holds back.
    SetAside {
        /// How many.
        count: u32,
    },
    /// A member from whom nothing has come for a week.
    Silent {
        /// Who.
        member: MemberId,
        /// For how many days; none = never.
        days: Option<u32>,
    },
}

/// Who is in the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Members {
    /// Those of today first, then by name as Vietnamese sorts it.
    pub members: Vec<Member>,
}

/// One member in one role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Member {
    /// The member.
    pub member: MemberId,
    /// The volunteer's name.
    pub name: String,
    /// A number of the list `roles`.
    pub role: Option<u8>,
    /// Since.
    pub from: Option<Day>,
    /// Until.
    pub to: Option<Day>,
    /// In the team today.
    pub is_current: bool,
    /// Whose phone this is.
    pub is_me: bool,
    /// The newest work of theirs that is on this phone, ms UTC.
    pub last_work_at: Option<i64>,
    /// Their phones.
    pub devices: Vec<Device>,
}

/// A member's phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Device {
    /// Its name.
    pub device: Option<DeviceId>,
    /// Enrolled.
    pub from: Option<Day>,
    /// Reported lost or given up.
    pub revoked_on: Option<Day>,
    /// The newest work of it that is on this phone, ms UTC.
    pub last_work_at: Option<i64>,
}

/// Which campaigns.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindPlans {
    /// Those that hold on this day; none = all.
    #[serde(default)]
    #[uniffi(default)]
    pub on: Option<Day>,
}

/// Campaigns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Plans {
    /// Newest first.
    pub plans: Vec<Plan>,
}

/// A campaign of a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Plan {
    /// The campaign.
    pub plan: PlanId,
    /// As in the decision.
    pub name: String,
    /// The place.
    pub unit: Option<UnitCode>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// It holds today.
    pub is_current: bool,
}

/// Which days.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindPersonDays {
    /// First day.
    pub from: Day,
    /// Last day, included; at most 400 days on.
    pub to: Day,
    /// Of one member; none = of all.
    #[serde(default)]
    #[uniffi(default)]
    pub member: Option<MemberId>,
}

/// Who worked when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct PersonDays {
    /// By member, then day, then plan.
    pub days: Vec<PersonDay>,
    /// How many person-days under each plan; none = without one.
    pub by_plan: Vec<PlanDays>,
}

/// One member, day and plan: one person-day, whatever was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct PersonDay {
    /// Who.
    pub member: MemberId,
    /// When.
    pub date: Day,
    /// Under which campaign.
    pub plan: Option<PlanId>,
    /// Visits, sessions and half-days in it.
    pub pieces: u32,
    /// The same member has another person-day that day, under another plan or none.
    pub is_double: bool,
    /// The visits in it, in the order in which they were saved.
    pub visits: Vec<VisitId>,
}

/// Person-days of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PlanDays {
    /// None = without a campaign.
    pub plan: Option<PlanId>,
    /// How many.
    pub days: u32,
}

const SILENT_DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;
const MOST_DAYS: i32 = 400;

impl Team<'_> {
    /// The team of this phone.
    ///
    /// # Errors
    /// `NotAllowed { not_enrolled }`.
    pub fn get_team(&self, _: Nothing) -> Result<TeamInfo> {
        let phone = self.0.phone();
        let identity = phone.enrolled()?;
        let connection = phone.connection();
        let sql = "SELECT name, kind, unit, founded_on FROM live_teams WHERE id = ?1";
        let found = connection.prepare_cached(sql)?.query_row([identity.team.0.0], |row| {
            let name: Option<String> = row.get(0)?;
            Ok((name.unwrap_or_default(), rows::number(row, 1)?, rows::unit(row, 2)?, rows::day(row, 3)?))
        });
        let (name, kind, unit, founded_on) = found.optional()?.unwrap_or_default();
        let sql = "SELECT role FROM live_members WHERE team_id = ?1
                   AND (from_date IS NULL OR from_date <= ?2) AND (to_date IS NULL OR to_date >= ?2)";
        let today = phone.today().0;
        let roles =
            rows::all(connection, sql, (identity.team.0.0, today), |row| row.get::<_, Option<i64>>(0))?;
        let works = |role: &i64| Role::from_number(*role).is_some_and(|role| check::TEAM.contains(&role));
        let members = roles.into_iter().flatten().filter(works).count() as u32;
        let hamlets =
            rows::all(connection, "SELECT id FROM live_hamlets ORDER BY name", [], |row| rows::id(row, 0))?;
        Ok(TeamInfo {
            team: identity.team,
            name,
            kind,
            unit,
            founded_on,
            me: identity.member,
            role: identity.role,
            members,
            hamlets: hamlets.into_iter().map(HamletId).collect(),
        })
    }

    /// What the leads should look at.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_work_queue(&self, _: Nothing) -> Result<WorkQueue> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let connection = phone.connection();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
        let mut items = Vec::new();
        match count("SELECT count(*) FROM shelf")? {
            0 => {}
            count => items.push(WorkItem::Conflicts { count }),
        }
        match count("SELECT count(*) FROM set_aside_notices")? {
            0 => {}
            count => items.push(WorkItem::SetAside { count }),
        }
        // Silence is judged by what has come here: a phone that has not synced says nothing of others.
        let synced_at: Option<i64> = facts::get(connection, facts::name::LAST_SYNC)?;
        if let Some(at) = synced_at {
            let mut silent: Vec<_> = members(&phone)?
                .into_iter()
                .filter(|member| member.is_current && !member.is_me && !member.devices.is_empty())
                .map(|member| (member.member, member.last_work_at.map(|last| (at - last).max(0) / DAY_MS)))
                .filter(|(_, days)| days.is_none_or(|days| days >= SILENT_DAYS))
                .collect();
            langso_domain::order::sort_by_key(&mut silent, |(member, days)| {
                (days.map_or(i64::MIN, |days| -days), *member)
            });
            items.extend(silent.into_iter().map(|(member, days)| WorkItem::Silent {
                member,
                days: days.and_then(|days| u32::try_from(days).ok()),
            }));
        }
        Ok(WorkQueue { items })
    }

    /// Who is or was in the team, in which role, with which phones.
    ///
    /// # Errors
    /// `NotAllowed { not_enrolled }`.
    pub fn list_members(&self, _: Nothing) -> Result<Members> {
        let phone = self.0.phone();
        phone.enrolled()?;
        Ok(Members { members: members(&phone)? })
    }

    /// The campaigns of the place.
    ///
    /// # Errors
    /// `NotAllowed { not_enrolled }`.
    pub fn list_plans(&self, find: FindPlans) -> Result<Plans> {
        let phone = self.0.phone();
        phone.enrolled()?;
        let today = Day(phone.today());
        let holds = |from: Option<Day>, to: Option<Day>, on: Day| {
            from.is_none_or(|from| from <= on) && to.is_none_or(|to| on <= to)
        };
        let sql = "SELECT id, name, unit, from_date, to_date FROM live_plans ORDER BY from_date DESC, id";
        let mut plans = rows::all(phone.connection(), sql, [], |row| {
            let (from, to) = (rows::day(row, 3)?, rows::day(row, 4)?);
            Ok(Plan {
                plan: PlanId(rows::id(row, 0)?),
                name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                unit: rows::unit(row, 2)?,
                from,
                to,
                is_current: holds(from, to, today),
            })
        })?;
        if let Some(on) = find.on {
            plans.retain(|plan| holds(plan.from, plan.to, on));
        }
        Ok(Plans { plans })
    }

    /// Person-days: distinct member, day and plan; computed, never stored.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `InvalidInput` for days in the wrong order or too many of them.
    pub fn list_person_days(&self, find: FindPersonDays) -> Result<PersonDays> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        person_days(phone.connection(), &find)
    }
}

/// As [`Team::list_person_days`], whoever asks.
pub(super) fn person_days(connection: &Connection, find: &FindPersonDays) -> Result<PersonDays> {
    let (from, to) = (find.from.0.0, find.to.0.0);
    if to < from {
        return Err(AppError::invalid("to", "before_from"));
    }
    if to - from > MOST_DAYS {
        return Err(AppError::invalid("to", "too_many_days"));
    }
    // The view is the rule; only the visits in a day are gathered here.
    let sql = "SELECT member_id, date, plan_id, pieces,
                      count(*) OVER (PARTITION BY member_id, date) > 1
               FROM work_facts WHERE date BETWEEN ?1 AND ?2 AND (?3 IS NULL OR member_id = ?3)
               ORDER BY member_id, date, plan_id";
    let member = find.member.map(|member| member.0.0);
    let mut days = rows::all(connection, sql, (from, to, member), |row| {
        let member = rows::some_id(row, 0, MemberId)?;
        let plan = rows::some_id(row, 2, PlanId)?;
        let (pieces, is_double) = (row.get(3)?, row.get(4)?);
        Ok(member.zip(rows::day(row, 1)?).map(|(member, date)| PersonDay {
            member,
            date,
            plan,
            pieces,
            is_double,
            visits: Vec::new(),
        }))
    })?;
    let mut at: BTreeMap<(MemberId, Day, Option<PlanId>), usize> = BTreeMap::new();
    let mut list: Vec<PersonDay> = days.drain(..).flatten().collect();
    for (place, day) in list.iter().enumerate() {
        at.insert((day.member, day.date, day.plan), place);
    }
    let sql = "SELECT id, date, plan_id, members FROM live_visits WHERE date BETWEEN ?1 AND ?2 ORDER BY v_stamp, id";
    let visits = rows::all(connection, sql, (from, to), |row| {
        let plan = rows::some_id(row, 2, PlanId)?;
        Ok((VisitId(rows::id(row, 0)?), rows::day(row, 1)?, plan, rows::ids(row, 3, MemberId)?))
    })?;
    for (visit, date, plan, members) in visits {
        let Some(date) = date else { continue };
        for member in members {
            if let Some(place) = at.get(&(member, date, plan))
                && list[*place].visits.last() != Some(&visit)
            {
                list[*place].visits.push(visit);
            }
        }
    }
    let mut by_plan: BTreeMap<Option<PlanId>, u32> = BTreeMap::new();
    list.iter().for_each(|day| *by_plan.entry(day.plan).or_default() += 1);
    let by_plan = by_plan.into_iter().map(|(plan, days)| PlanDays { plan, days }).collect();
    Ok(PersonDays { days: list, by_plan })
}

fn members(phone: &Phone) -> Result<Vec<Member>> {
    let connection = phone.connection();
    let identity = phone.enrolled()?;
    let last = who::last_work(connection)?;
    let sql = "SELECT member_id, public_key, from_date, revoked_on FROM live_devices ORDER BY from_date, id";
    let mut devices: BTreeMap<MemberId, Vec<Device>> = BTreeMap::new();
    for (member, device) in rows::all(connection, sql, [], |row| {
        let key: Option<Vec<u8>> = row.get(1)?;
        let device = key.and_then(|key| who::device_of_key(&key));
        let last_work_at = device.and_then(|device| last.get(&device).copied());
        let (from, revoked_on) = (rows::day(row, 2)?, rows::day(row, 3)?);
        Ok((rows::some_id(row, 0, MemberId)?, Device { device, from, revoked_on, last_work_at }))
    })? {
        if let Some(member) = member {
            devices.entry(member).or_default().push(device);
        }
    }
    let today = Day(phone.today());
    let sql =
        "SELECT id, name, role, from_date, to_date FROM live_members WHERE team_id IS NULL OR team_id = ?1";
    let mut members = rows::all(connection, sql, [identity.team.0.0], |row| {
        let member = MemberId(rows::id(row, 0)?);
        let (from, to) = (rows::day(row, 3)?, rows::day(row, 4)?);
        let devices = devices.remove(&member).unwrap_or_default();
        Ok(Member {
            member,
            name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            role: rows::number(row, 2)?,
            from,
            to,
            is_current: from.is_none_or(|from| from <= today) && to.is_none_or(|to| today <= to),
            is_me: member == identity.member,
            last_work_at: devices.iter().filter_map(|device| device.last_work_at).max(),
            devices,
        })
    })?;
    langso_domain::order::sort_by_key(&mut members, |member| {
        (!member.is_current, text::name_sort_key(&member.name), member.member)
    });
    Ok(members)
}
