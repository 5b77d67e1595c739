//! Appointments to come back: planned, moved, handed on, done or called off.
//!
//! Nothing is struck out: what ends keeps its row and says when and by which visit. That a contact goes with its
//! appointment is the hub's to write.

use langso_domain::id::{FollowUpId, HouseholdId, MemberId, PersonId, RowId, VisitId};
use langso_domain::registry::ScopeKind;
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};

use super::known::Known;
use super::problems::Problems;
use super::record::Day;
use super::visits::NewReturn;
use super::{Companion, Nothing, check, consents, once, rows, saves, walk};
use crate::error::{AppError, Result};
use crate::phone::Phone;

mod records;
mod returns;

pub use records::{
    Due, DueCounts, FindFollowUps, FinishFollowUp, FollowUpPage, FollowUpRow, HandFollowUp, MoveFollowUp,
    NewFollowUp, SavedFollowUp,
};
pub(super) use returns::{CheckedReturn, check_return};

/// The feature; see [`Companion::follow_ups`].
pub struct FollowUps<'a>(pub(super) &'a Companion);

impl FollowUps<'_> {
    /// Plans a return.
    ///
    /// # Errors
    /// `InvalidInput`: `visit`, `household` or `person` (`not_found`), `household` (`missing`, `other_household`,
    /// `consent_withdrawn`), `person` (`other_household`), `service` (`unknown_service`), `due_on` (`past_date` when
    /// the clock is sure, `too_far`), `assigned_to` (`not_found`, `left_team`), `note`; `NotAllowed { role }`.
    pub fn plan_follow_up(&self, new: NewFollowUp) -> Result<SavedFollowUp> {
        const CALL: &str = "follow_ups.plan_follow_up";
        let mut phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        if let Some(saved) = once::answered(&phone, CALL, new.token.as_deref())? {
            return Ok(saved);
        }
        let known = phone.known()?;
        let household = whom(phone.connection(), &known, &new)?;
        let agreed = NewReturn {
            person: new.person,
            service: new.service,
            due_on: new.due_on,
            assigned_to: new.assigned_to,
            note: new.note,
        };
        let mut problems = Problems::default();
        let today = phone.today();
        let checked = check_return(&phone, &known, "", (household, today), &agreed, me, &mut problems)?;
        problems.finish()?;
        once::save(&mut phone, CALL, new.token.as_deref(), |saving| {
            let beside = match (household, new.visit) {
                (Some(household), _) => ("household", household.0),
                (None, Some(visit)) => ("visit", visit.0),
                (None, None) => return Err(AppError::invalid("household", "missing")),
            };
            let row = saving.create_beside("follow_up", beside, checked.fields(new.visit, household))?;
            let (due_on, assigned_to) = (Day(checked.due_on), checked.assigned_to);
            Ok(SavedFollowUp { follow_up: FollowUpId(row), due_on, assigned_to })
        })
    }

    /// Open appointments, mine or the team's.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn list_follow_ups(&self, find: FindFollowUps) -> Result<FollowUpPage> {
        let phone = self.0.phone();
        let me = check::role(&phone, check::TEAM)?.member;
        let all = open(&phone, find.mine.then_some(me))?;
        let counts = counts(&all);
        let follow_ups = all.into_iter().skip(find.skip as usize).take(rows::PAGE).collect();
        Ok(FollowUpPage { follow_ups, counts })
    }

    /// To another day.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `follow_up` (`closed`), `due_on` as in [`FollowUps::plan_follow_up`].
    pub fn move_follow_up(&self, to: MoveFollowUp) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let held = Held::open(phone.connection(), to.follow_up)?;
        let mut problems = Problems::default();
        returns::check_due_day(&phone, "due_on", phone.today(), to.due_on.0, &mut problems);
        problems.finish()?;
        if held.due_on == Some(to.due_on) {
            return Ok(Nothing {});
        }
        patch(&mut phone, to.follow_up, [("due_on", to.due_on.0.into())])
    }

    /// To another member.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `follow_up` (`closed`), `to` (`not_found`, `left_team`).
    pub fn hand_follow_up(&self, hand: HandFollowUp) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let held = Held::open(phone.connection(), hand.follow_up)?;
        let mut problems = Problems::default();
        phone.known()?.check_member("to", hand.to, phone.today(), &mut problems);
        problems.finish()?;
        if held.assigned_to == Some(hand.to) {
            return Ok(Nothing {});
        }
        patch(&mut phone, hand.follow_up, [("assigned_to", hand.to.0.into())])
    }

    /// Ends an appointment. The same end twice is as once.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`: `follow_up` (`closed` when it has ended otherwise), `visit` (`not_found`,
    /// `other_household`), `date` (`future_date`, `before_team`), `cancel_reason` (what is wrong with the text, or
    /// `not_expected` beside a visit).
    pub fn finish_follow_up(&self, finish: FinishFollowUp) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let held = Held::of(phone.connection(), finish.follow_up)?;
        let is_cancelled = finish.cancel_reason.is_some();
        if is_cancelled && finish.visit.is_some() {
            return Err(AppError::invalid("cancel_reason", "not_expected"));
        }
        if held.is_closed() {
            let is_same = match is_cancelled {
                true => held.is_cancelled,
                false => held.is_done && !held.is_cancelled && finish.visit == held.done_by,
            };
            return match is_same {
                true => Ok(Nothing {}),
                false => Err(AppError::invalid("follow_up", "closed")),
            };
        }
        let visited = match finish.visit {
            Some(visit) => done_by(phone.connection(), visit, held.household)?,
            None => None,
        };
        let day = finish.date.or(visited).unwrap_or(Day(phone.today()));
        let mut problems = Problems::default();
        let date = consents::fact_day(&phone, &*phone.known()?, "date", Some(day), &mut problems);
        let reason = finish.cancel_reason.as_deref();
        let reason = reason.and_then(|reason| problems.text("cancel_reason", "follow_up.note", reason));
        problems.finish()?;
        let Some(reason) = reason else {
            let by = finish.visit.map(|visit| ("done_by_visit", Value::from(visit.0)));
            return patch(&mut phone, finish.follow_up, [("done_on", date.into())].into_iter().chain(by));
        };
        phone.save(|saving| {
            saving.patch("follow_up", finish.follow_up.0, [("cancelled_on", date.into())])?;
            saving.give_reason(ScopeKind::Team, saves::REASON_OTHER, Some(&reason));
            Ok(())
        })?;
        Ok(Nothing {})
    }
}

fn patch<'f>(
    phone: &mut Phone,
    follow_up: FollowUpId,
    fields: impl IntoIterator<Item = (&'f str, Value)>,
) -> Result<Nothing> {
    phone.save(|saving| saving.patch("follow_up", follow_up.0, fields))?;
    Ok(Nothing {})
}

/// The household to see: the one given, else that of the visit; everything given belongs together.
fn whom(connection: &Connection, known: &Known, new: &NewFollowUp) -> Result<Option<HouseholdId>> {
    let of_visit = match new.visit {
        Some(visit) => household_of_visit(connection, visit)?,
        None => None,
    };
    let household = match (new.household, of_visit) {
        (Some(household), of_visit) => {
            check::present(connection, "household", "household", household.0)?;
            if let Some(other) = of_visit
                && !check::is_same_household(connection, household.0, other)?
            {
                return Err(AppError::invalid("household", "other_household"));
            }
            Some(household)
        }
        (None, Some(household)) => Some(HouseholdId(household)),
        (None, None) if new.visit.is_none() => return Err(AppError::invalid("household", "missing")),
        (None, None) => None,
    };
    if household.is_some_and(|household| known.withdrawn.contains(&household)) {
        return Err(AppError::invalid("household", "consent_withdrawn"));
    }
    Ok(household)
}

fn household_of_visit(connection: &Connection, visit: VisitId) -> Result<Option<RowId>> {
    let mut get = connection.prepare_cached("SELECT household_id FROM live_visits WHERE id = ?1")?;
    let found = get.query_row([visit.0.0], |row| rows::some_id(row, 0, |id| id)).optional()?;
    found.ok_or_else(|| AppError::invalid("visit", "not_found"))
}

/// The day of the visit that did it.
fn done_by(connection: &Connection, visit: VisitId, household: Option<HouseholdId>) -> Result<Option<Day>> {
    let visited = household_of_visit(connection, visit)?;
    if let (Some(one), Some(other)) = (household, visited)
        && !check::is_same_household(connection, one.0, other)?
    {
        return Err(AppError::invalid("visit", "other_household"));
    }
    let mut get = connection.prepare_cached("SELECT date FROM live_visits WHERE id = ?1")?;
    Ok(get.query_row([visit.0.0], |row| rows::day(row, 0))?)
}

/// What an appointment is before it is changed.
struct Held {
    household: Option<HouseholdId>,
    due_on: Option<Day>,
    assigned_to: Option<MemberId>,
    is_done: bool,
    done_by: Option<VisitId>,
    is_cancelled: bool,
}

impl Held {
    fn of(connection: &Connection, follow_up: FollowUpId) -> Result<Self> {
        let sql = "SELECT household_id, due_on, assigned_to, done_on IS NOT NULL, done_by_visit,
                          cancelled_on IS NOT NULL
                   FROM live_follow_ups WHERE id = ?1";
        let mut get = connection.prepare_cached(sql)?;
        let found = get.query_row([follow_up.0.0], |row| {
            Ok(Self {
                household: rows::some_id(row, 0, HouseholdId)?,
                due_on: rows::day(row, 1)?,
                assigned_to: rows::some_id(row, 2, MemberId)?,
                is_done: row.get(3)?,
                done_by: rows::some_id(row, 4, VisitId)?,
                is_cancelled: row.get(5)?,
            })
        });
        found.optional()?.ok_or(AppError::NotFound)
    }

    fn open(connection: &Connection, follow_up: FollowUpId) -> Result<Self> {
        let held = Self::of(connection, follow_up)?;
        if held.is_closed() { Err(AppError::invalid("follow_up", "closed")) } else { Ok(held) }
    }

    fn is_closed(&self) -> bool {
        self.is_done || self.is_cancelled
    }
}

/// Open appointments by day, then in walking order; of one member those that nobody has taken too.
pub(super) fn open(phone: &Phone, of: Option<MemberId>) -> Result<Vec<FollowUpRow>> {
    let known = phone.known()?;
    let connection = phone.connection();
    let today = phone.today();
    let sunday = today.0 + i32::from(7 - today.weekday());
    let sql =
        "SELECT f.id, f.due_on, f.household_id, f.person_id, f.service, f.assigned_to, f.visit_id, f.note,
                 (SELECT max(c.expires_on) FROM live_contacts AS c
                  WHERE c.household_id = f.household_id AND c.expires_on >= ?2)
               FROM live_follow_ups AS f
               WHERE f.done_on IS NULL AND f.cancelled_on IS NULL
                 AND (?1 IS NULL OR f.assigned_to IS NULL OR f.assigned_to = ?1)";
    let found = rows::all(connection, sql, (of.map(|member| member.0.0), today.0), |row| {
        let due_on = rows::day(row, 1)?;
        let days = due_on.map(|day| day.0.0 - today.0);
        Ok(FollowUpRow {
            follow_up: FollowUpId(rows::id(row, 0)?),
            due: match due_on {
                Some(day) if day.0 < today => Due::Overdue,
                Some(day) if day.0 == today => Due::Today,
                Some(day) if day.0.0 <= sunday => Due::ThisWeek,
                _ => Due::Later,
            },
            due_on,
            days_overdue: days.map_or(0, |days| u32::try_from(-days).unwrap_or(0)),
            household: rows::some_id(row, 2, HouseholdId)?,
            place: walk::Place::default(),
            person: rows::some_id(row, 3, PersonId)?,
            service: rows::content(row, 4)?,
            assigned_to: rows::some_id(row, 5, MemberId)?,
            visit: rows::some_id(row, 6, VisitId)?,
            note: row.get(7)?,
            contact_until: rows::day(row, 8)?,
        })
    })?;
    let places = walk::Places::new(connection, &known)?;
    let mut keyed = Vec::with_capacity(found.len());
    for mut row in found {
        if let Some(household) = row.household {
            row.place = places.of(household)?;
        }
        let key = (row.due_on.map_or(i32::MAX, |day| day.0.0), places.key(&row.place), row.follow_up);
        keyed.push((key, row));
    }
    langso_domain::order::sort_by(&mut keyed, |(one, _), (other, _)| one.cmp(other));
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

pub(super) fn counts(rows: &[FollowUpRow]) -> DueCounts {
    let count = |due: Due| rows.iter().filter(|row| row.due == due).count() as u32;
    DueCounts {
        overdue: count(Due::Overdue),
        today: count(Due::Today),
        this_week: count(Due::ThisWeek),
        later: count(Due::Later),
    }
}
