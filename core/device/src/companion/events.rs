//! Events beside visits: sessions, phones and SIMs given, clubs and their members, half-days without a visit.

use langso_domain::date::CivilDate;
use langso_domain::id::{
    GrantId, GroupId, HouseholdId, MemberId, MembershipId, PlanId, RowId, SessionId, VisitId, WorkDayId,
};
use langso_domain::registry::{MAX_REFS, Role};
use langso_domain::units::UnitCode;
use rusqlite::{Connection, OptionalExtension};

use super::record::Day;
use super::{Companion, check, once, rows};
use crate::error::{AppError, Result};

mod lists;
mod records;

pub use lists::{Club, ClubPage, Event, EventKey, EventPage, EventWhat, FindClubs, FindEvents};
pub use records::{
    Joining, NewGrant, NewGroup, NewMembership, NewMemberships, NewSession, NewWorkDay, SavedGrant,
    SavedGroup, SavedMemberships, SavedSession, SavedWorkDay,
};

/// The most members that one save lets join a club.
pub const MAX_JOINING: usize = 200;
const MAX_HEADCOUNT: u32 = 100_000;

/// The feature; see [`Companion::events`].
pub struct Events<'a>(pub(super) &'a Companion);

impl Events<'_> {
    /// Writes a session down.
    ///
    /// # Errors
    /// `InvalidInput` with the field; `NotAllowed { role }`.
    pub fn log_session(&self, new: NewSession) -> Result<SavedSession> {
        const CALL: &str = "events.log_session";
        let mut phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        if let Some(answer) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(answer);
        }
        let connection = phone.connection();
        let kind = check::choice(connection, "session_kinds", "kind", new.kind)?;
        let topic = check::text("session", "topic", &new.topic)?;
        let organiser = check::optional_text("session", "organiser", new.organiser.as_deref())?;
        let date = check::fact_day(&phone, "date", new.date)?;
        check::present_if(connection, "hamlet", "hamlet", new.hamlet.map(|hamlet| hamlet.0))?;
        if new.headcount > MAX_HEADCOUNT {
            return Err(AppError::invalid("headcount", "too_many"));
        }
        let members = members(connection, &new.members, me)?;
        check::plan(connection, new.plan)?;
        let unit = check::unit(&phone, new.unit, new.hamlet.map(|hamlet| hamlet.0), date)?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "session",
                [
                    ("kind", kind.into()),
                    ("topic", topic.into()),
                    ("organiser", organiser.into()),
                    ("unit", unit.map(|unit| unit.to_string()).into()),
                    ("hamlet_id", new.hamlet.map(|hamlet| hamlet.0).into()),
                    ("date", date.into()),
                    ("headcount", new.headcount.into()),
                    ("members", members.into()),
                    ("plan_id", new.plan.map(|plan| plan.0).into()),
                ],
            )?;
            Ok(SavedSession { session: SessionId(id) })
        })
    }

    /// Writes down that a phone or SIM was given.
    ///
    /// # Errors
    /// As [`Events::log_session`]; `consent_withdrawn` for the household, `other_household` for a visit or person of another household.
    pub fn log_grant(&self, new: NewGrant) -> Result<SavedGrant> {
        const CALL: &str = "events.log_grant";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(answer) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(answer);
        }
        let connection = phone.connection();
        let item = check::choice(connection, "grant_items", "item", new.item)?;
        let donor = check::optional_text("grant", "donor", new.donor.as_deref())?;
        let visit = visit_of(connection, new.visit)?;
        let household = new.household.map(|household| household.0).or(visit.household);
        if let Some(household) = household {
            check::household(&phone, HouseholdId(household))?;
        }
        if let (Some(one), Some(other)) = (household, visit.household)
            && !check::is_same_household(connection, one, other)?
        {
            return Err(AppError::invalid("visit", "other_household"));
        }
        if let Some(person) = new.person {
            check::present(connection, "person", "person", person.0)?;
            let lives = check::household_of(connection, person)?;
            match (household, lives) {
                (Some(one), Some(other)) if check::is_same_household(connection, one, other)? => {}
                _ => return Err(AppError::invalid("person", "other_household")),
            }
        }
        check::plan(connection, new.plan)?;
        let day = new.date.or(visit.date).unwrap_or(Day(phone.today()));
        let date = check::fact_day(&phone, "date", day)?;
        let unit = match (new.unit, visit.unit) {
            (None, Some(unit)) => Some(unit),
            (given, _) => check::unit(&phone, given, hamlet_of(connection, household)?, date)?,
        };
        let plan = new.plan.map(|plan| plan.0).or(visit.plan);
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "grant",
                [
                    ("item", item.into()),
                    ("household_id", household.into()),
                    ("person_id", new.person.map(|person| person.0).into()),
                    ("visit_id", new.visit.map(|visit| visit.0).into()),
                    ("donor", donor.into()),
                    ("unit", unit.map(|unit| unit.to_string()).into()),
                    ("date", date.into()),
                    ("plan_id", plan.into()),
                ],
            )?;
            Ok(SavedGrant { grant: GrantId(id), reverify_hint: item == PHONE })
        })
    }

    /// Writes a club down.
    ///
    /// # Errors
    /// As [`Events::log_session`].
    pub fn log_group(&self, new: NewGroup) -> Result<SavedGroup> {
        const CALL: &str = "events.log_group";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(answer) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(answer);
        }
        let name = check::text("group", "name", &new.name)?;
        let kind = check::choice(phone.connection(), "group_kinds", "kind", new.kind)?;
        let founded = check::fact_day(&phone, "founded_on", new.founded_on)?;
        let unit = check::unit(&phone, new.unit, None, founded)?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "group",
                [
                    ("name", name.into()),
                    ("kind", kind.into()),
                    ("unit", unit.map(|unit| unit.to_string()).into()),
                    ("founded_on", founded.into()),
                ],
            )?;
            Ok(SavedGroup { group: GroupId(id) })
        })
    }

    /// Writes down that somebody joined a club.
    ///
    /// # Errors
    /// As [`Events::log_memberships`].
    pub fn log_membership(&self, new: NewMembership) -> Result<SavedMemberships> {
        let joined = vec![Joining { person: new.person, from: new.from }];
        self.log_memberships(NewMemberships { group: new.group, joined, token: new.token })
    }

    /// Writes down that several joined a club, in one save.
    ///
    /// # Errors
    /// As [`Events::log_session`], with fields such as `joined[3].person`; `consent_withdrawn` for one
    /// whose household took its consent back, `already_member` for a person who is
    /// in the club or stands twice in the list.
    pub fn log_memberships(&self, new: NewMemberships) -> Result<SavedMemberships> {
        const CALL: &str = "events.log_memberships";
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        if let Some(answer) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(answer);
        }
        let connection = phone.connection();
        check::present(connection, "group", "group", new.group.0)?;
        match new.joined.len() {
            0 => return Err(AppError::invalid("joined", "missing")),
            count if count > MAX_JOINING => return Err(AppError::invalid("joined", "too_many")),
            _ => {}
        }
        let known = phone.known()?;
        let mut seen = std::collections::BTreeSet::new();
        for (at, joined) in new.joined.iter().enumerate() {
            check::fact_day(&phone, &format!("joined[{at}].from"), joined.from)?;
            let Some(person) = joined.person else { continue };
            let field = format!("joined[{at}].person");
            check::present(connection, "person", &field, person.0)?;
            let lives = check::household_of(connection, person)?;
            if lives.is_some_and(|lives| known.withdrawn.contains(&HouseholdId(lives))) {
                return Err(AppError::invalid(&field, "consent_withdrawn"));
            }
            let sql = "SELECT 1 FROM live_memberships
                       WHERE group_id = ?1 AND person_id = ?2 AND (to_date IS NULL OR to_date > ?3)";
            let is_in = connection
                .prepare_cached(sql)?
                .query_row((new.group.0.0, person.0.0, joined.from.0.0), |_| Ok(()))
                .optional()?
                .is_some();
            if is_in || !seen.insert(person) {
                return Err(AppError::invalid(&field, "already_member"));
            }
        }
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let mut memberships = Vec::with_capacity(new.joined.len());
            for joined in &new.joined {
                let id = saving.create(
                    "membership",
                    [
                        ("group_id", new.group.0.into()),
                        ("person_id", joined.person.map(|person| person.0).into()),
                        ("from_date", joined.from.0.into()),
                    ],
                )?;
                memberships.push(MembershipId(id));
            }
            Ok(SavedMemberships { memberships })
        })
    }

    /// Writes a half-day without a visit down.
    ///
    /// # Errors
    /// As [`Events::log_session`].
    pub fn log_work_day(&self, new: NewWorkDay) -> Result<SavedWorkDay> {
        const CALL: &str = "events.log_work_day";
        let mut phone = self.0.phone();
        let identity = check::role(&phone, check::TEAM)?;
        let member = new.member.unwrap_or(identity.member);
        if member != identity.member && identity.role == Role::Member as u8 {
            return Err(AppError::not_allowed("role"));
        }
        if let Some(answer) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(answer);
        }
        let connection = phone.connection();
        check::present(connection, "member", "member", member.0)?;
        let half = check::choice(connection, "half_days", "half", new.half)?;
        let reason = check::text("work_day", "reason", &new.reason)?;
        let date = check::fact_day(&phone, "date", new.date)?;
        check::plan(connection, new.plan)?;
        let is_double = has_worked(connection, member, date, new.plan)?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "work_day",
                [
                    ("member_id", member.0.into()),
                    ("date", date.into()),
                    ("half", half.into()),
                    ("reason", reason.into()),
                    ("plan_id", new.plan.map(|plan| plan.0).into()),
                ],
            )?;
            Ok(SavedWorkDay { work_day: WorkDayId(id), is_double })
        })
    }

    /// Sessions, grants and half-days, newest first, a page at a time.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_events(&self, find: FindEvents) -> Result<EventPage> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        lists::events(phone.connection(), &find)
    }

    /// The clubs by name, each with how many are in it.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_groups(&self, find: FindClubs) -> Result<ClubPage> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        lists::clubs(&phone, &find)
    }
}

/// The number of a phone in the list `grant_items`.
const PHONE: u8 = 1;

fn members(connection: &Connection, given: &[MemberId], me: MemberId) -> Result<Vec<RowId>> {
    if given.len() > MAX_REFS {
        return Err(AppError::invalid("members", "too_many"));
    }
    let mut members: Vec<RowId> = Vec::new();
    for (at, member) in given.iter().enumerate() {
        check::present(connection, "member", &format!("members[{at}]"), member.0)?;
        if !members.contains(&member.0) {
            members.push(member.0);
        }
    }
    if members.is_empty() {
        members.push(me.0);
    }
    Ok(members)
}

#[derive(Default)]
struct OfVisit {
    household: Option<RowId>,
    unit: Option<UnitCode>,
    date: Option<Day>,
    plan: Option<RowId>,
}

fn visit_of(connection: &Connection, visit: Option<VisitId>) -> Result<OfVisit> {
    let Some(visit) = visit else { return Ok(OfVisit::default()) };
    let sql = "SELECT household_id, unit, date, plan_id FROM live_visits WHERE id = ?1";
    let mut get = connection.prepare_cached(sql)?;
    let found = get.query_row([visit.0.0], |row| {
        Ok(OfVisit {
            household: rows::some_id(row, 0, |id| id)?,
            unit: rows::unit(row, 1)?,
            date: rows::day(row, 2)?,
            plan: rows::some_id(row, 3, |id| id)?,
        })
    });
    found.optional()?.ok_or_else(|| AppError::invalid("visit", "not_found"))
}

fn hamlet_of(connection: &Connection, household: Option<RowId>) -> Result<Option<RowId>> {
    let Some(household) = household else { return Ok(None) };
    let mut get = connection.prepare_cached("SELECT hamlet_id FROM households WHERE id = ?1")?;
    Ok(get.query_row([household.0], |row| rows::some_id(row, 0, |id| id)).optional()?.flatten())
}

/// Whether that member, day and plan make a person-day already.
fn has_worked(
    connection: &Connection,
    member: MemberId,
    date: CivilDate,
    plan: Option<PlanId>,
) -> Result<bool> {
    let plan = plan.map(|plan| plan.0.0);
    let sql = "SELECT 1 FROM live_work_days WHERE date = ?1 AND plan_id IS ?2 AND member_id = ?3 LIMIT 1";
    let mut get = connection.prepare_cached(sql)?;
    if get.query_row((date.0, plan, member.0.0), |_| Ok(())).optional()?.is_some() {
        return Ok(true);
    }
    for plural in ["visits", "sessions"] {
        let sql = format!("SELECT members FROM live_{plural} WHERE date = ?1 AND plan_id IS ?2");
        let of_day = rows::all(connection, &sql, (date.0, plan), |row| rows::ids(row, 0, MemberId))?;
        if of_day.iter().any(|members| members.contains(&member)) {
            return Ok(true);
        }
    }
    Ok(false)
}
