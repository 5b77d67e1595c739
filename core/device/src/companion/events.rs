//! Events beside visits: sessions, phones and SIMs given, clubs and their members, half-days without a visit.

use langso_domain::date::CivilDate;
use langso_domain::id::{
    GrantId, GroupId, HamletId, HouseholdId, MemberId, MembershipId, PlanId, RowId, SessionId, VisitId,
    WorkDayId,
};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use rusqlite::{Connection, OptionalExtension};

use super::problems::Problems;
use super::record::Day;
use super::{Companion, check, consents, households, merges, once, rows};
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
        let known = phone.known()?;
        let mut problems = Problems::default();
        problems.choice(&known.content, "session_kinds", "kind", Some(new.kind));
        let topic = problems.text("topic", "session.topic", &new.topic);
        let organiser = problems.line("organiser", "session.organiser", new.organiser.as_deref());
        let date = consents::fact_day(&phone, &known, "date", Some(new.date), &mut problems);
        known.check_hamlet("hamlet", new.hamlet, &mut problems);
        if new.headcount > MAX_HEADCOUNT {
            problems.add("headcount", "too_many");
        }
        let members = known.check_members(&new.members, me, date, &mut problems);
        known.check_plan("plan", new.plan, date, &mut problems);
        let unit = known.check_unit("unit", new.unit, new.hamlet, date, &mut problems);
        problems.finish()?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            if let Some(hamlet) = new.hamlet {
                saving.stay_beside("hamlet", hamlet.0)?;
            }
            let id = saving.create(
                "session",
                [
                    ("kind", new.kind.into()),
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
        let known = phone.known()?;
        let mut problems = Problems::default();
        problems.choice(&known.content, "grant_items", "item", Some(new.item));
        let donor = problems.line("donor", "grant.donor", new.donor.as_deref());
        let visit = visit_of(connection, new.visit)?;
        let household = new.household.map(|household| household.0).or(visit.household);
        if let Some(household) = household {
            households::check_household(&phone, &known, HouseholdId(household), &mut problems)?;
        }
        if let (Some(one), Some(other)) = (household, visit.household)
            && !check::is_same_household(connection, one, other)?
        {
            problems.add("visit", "other_household");
        }
        match (new.person, household) {
            (Some(person), Some(household)) => {
                merges::check_person(connection, "person", HouseholdId(household), person, &mut problems)?;
            }
            (Some(_), None) => problems.add("person", "other_household"),
            (None, _) => {}
        }
        let date = consents::fact_day(&phone, &known, "date", new.date.or(visit.date), &mut problems);
        known.check_plan("plan", new.plan, date, &mut problems);
        let unit = match (new.unit, visit.unit) {
            (None, Some(unit)) => Some(unit),
            (given, _) => {
                known.check_unit("unit", given, hamlet_of(connection, household)?, date, &mut problems)
            }
        };
        problems.finish()?;
        let plan = new.plan.map(|plan| plan.0).or(visit.plan);
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            if let Some(household) = household {
                saving.stay_beside("household", household)?;
            }
            let id = saving.create(
                "grant",
                [
                    ("item", new.item.into()),
                    ("household_id", household.into()),
                    ("person_id", new.person.map(|person| person.0).into()),
                    ("visit_id", new.visit.map(|visit| visit.0).into()),
                    ("donor", donor.into()),
                    ("unit", unit.map(|unit| unit.to_string()).into()),
                    ("date", date.into()),
                    ("plan_id", plan.into()),
                ],
            )?;
            Ok(SavedGrant { grant: GrantId(id), reverify_hint: new.item == PHONE })
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
        let known = phone.known()?;
        let mut problems = Problems::default();
        let name = problems.text("name", "group.name", &new.name);
        problems.choice(&known.content, "group_kinds", "kind", Some(new.kind));
        let founded = consents::fact_day(&phone, &known, "founded_on", Some(new.founded_on), &mut problems);
        let unit = known.check_unit("unit", new.unit, None, founded, &mut problems);
        problems.finish()?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "group",
                [
                    ("name", name.into()),
                    ("kind", new.kind.into()),
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
        let mut problems = Problems::default();
        let mut seen = std::collections::BTreeSet::new();
        for (at, joined) in new.joined.iter().enumerate() {
            let from = format_args!("joined[{at}].from");
            consents::fact_day(&phone, &known, from, Some(joined.from), &mut problems);
            let Some(person) = joined.person else { continue };
            let field = format_args!("joined[{at}].person");
            if !check::is_live(connection, "person", person.0)? {
                problems.add(field, "not_found");
            }
            let lives = check::household_of(connection, person)?;
            if lives.is_some_and(|lives| known.withdrawn.contains(&HouseholdId(lives))) {
                problems.add(field, "consent_withdrawn");
            }
            let sql = "SELECT 1 FROM live_memberships
                       WHERE group_id = ?1 AND person_id = ?2 AND (to_date IS NULL OR to_date > ?3)";
            let is_in = connection
                .prepare_cached(sql)?
                .query_row((new.group.0.0, person.0.0, joined.from.0.0), |_| Ok(()))
                .optional()?
                .is_some();
            if is_in || !seen.insert(person) {
                problems.add(field, "already_member");
            }
        }
        problems.finish()?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            saving.stay_beside("group", new.group.0)?;
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
        let known = phone.known()?;
        let mut problems = Problems::default();
        known.check_member("member", member, new.date.0, &mut problems);
        problems.choice(&known.content, "half_days", "half", Some(new.half));
        let reason = problems.text("reason", "work_day.reason", &new.reason);
        let date = consents::fact_day(&phone, &known, "date", Some(new.date), &mut problems);
        known.check_plan("plan", new.plan, date, &mut problems);
        problems.finish()?;
        let is_double = has_worked(connection, member, date, new.plan)?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let id = saving.create(
                "work_day",
                [
                    ("member_id", member.0.into()),
                    ("date", date.into()),
                    ("half", new.half.into()),
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

fn hamlet_of(connection: &Connection, household: Option<RowId>) -> Result<Option<HamletId>> {
    let Some(household) = household else { return Ok(None) };
    let mut get = connection.prepare_cached("SELECT hamlet_id FROM households WHERE id = ?1")?;
    Ok(get.query_row([household.0], |row| rows::some_id(row, 0, HamletId)).optional()?.flatten())
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
