//! What the hub has said that input is checked against: content, the team, its members, hamlets and plans.
//!
//! Read once and kept until a sync has brought something: nine of ten saves look nothing up. Households and persons
//! are not in it; they are many, and found by their ids.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use langso_domain::content::Content;
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, MemberId, PlanId, RowId};
use langso_domain::registry::MAX_REFS;
use langso_domain::units::{Share, UnitCode, Units};
use rusqlite::Connection;

use super::problems::Problems;
use super::rows;
use crate::error::Result;
use crate::phone::Phone;

/// See the module.
#[derive(Debug)]
pub(crate) struct Known {
    arrived: Arrived,
    /// The release's content and what was published since.
    pub content: Content,
    /// Nothing of the team is dated before it.
    pub founded_on: Option<CivilDate>,
    /// The team's commune when founded.
    pub unit: Option<UnitCode>,
    /// Also those who have left.
    pub members: HashMap<MemberId, KnownMember>,
    /// The team's hamlets.
    pub hamlets: HashMap<HamletId, KnownHamlet>,
    /// The places' campaigns.
    pub plans: HashMap<PlanId, KnownPlan>,
    /// Households whose every consent to the record was withdrawn; of those that were joined every row, or none.
    pub withdrawn: HashSet<HouseholdId>,
}

/// A member.
#[derive(Debug, Clone)]
pub(crate) struct KnownMember {
    pub name: String,
    /// A number of the list `roles`.
    pub role: Option<u8>,
    pub to: Option<CivilDate>,
}

/// A hamlet.
#[derive(Debug, Clone)]
pub(crate) struct KnownHamlet {
    pub name: String,
    pub unit: Option<UnitCode>,
    pub language: Option<u8>,
    pub signal: Option<u8>,
}

/// A campaign.
#[derive(Debug, Clone)]
pub(crate) struct KnownPlan {
    pub name: String,
    pub from: Option<CivilDate>,
    pub to: Option<CivilDate>,
}

impl KnownPlan {
    /// Whether that day lies in it.
    pub fn is_on(&self, day: CivilDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

impl Known {
    /// A member who must still be in the team on that day: else `not_found` or `left_team`.
    pub fn check_member(
        &self,
        field: impl Display,
        member: MemberId,
        on: CivilDate,
        problems: &mut Problems,
    ) {
        match self.members.get(&member) {
            None => problems.add(field, "not_found"),
            Some(member) if member.to.is_some_and(|to| to < on) => problems.add(field, "left_team"),
            Some(_) => {}
        }
    }

    /// Who was there, each once: me when nobody is named. `members` (`too_many`), `members[0]` as in
    /// [`Known::check_member`].
    pub fn check_members(
        &self,
        given: &[MemberId],
        me: MemberId,
        on: CivilDate,
        problems: &mut Problems,
    ) -> Vec<RowId> {
        if given.len() > MAX_REFS {
            problems.add("members", "too_many");
            return Vec::new();
        }
        let mut members = Vec::with_capacity(given.len().max(1));
        for (at, member) in given.iter().enumerate() {
            self.check_member(format_args!("members[{at}]"), *member, on, problems);
            if !members.contains(&member.0) {
                members.push(member.0);
            }
        }
        if members.is_empty() {
            members.push(me.0);
        }
        members
    }

    /// A hamlet of the team's: else `not_found`.
    pub fn check_hamlet(&self, field: impl Display, hamlet: Option<HamletId>, problems: &mut Problems) {
        if hamlet.is_some_and(|hamlet| !self.hamlets.contains_key(&hamlet)) {
            problems.add(field, "not_found");
        }
    }

    /// A campaign that must be on that day: else `not_found` or `plan_not_on_date`.
    pub fn check_plan(
        &self,
        field: impl Display,
        plan: Option<PlanId>,
        on: CivilDate,
        problems: &mut Problems,
    ) {
        let Some(plan) = plan else { return };
        match self.plans.get(&plan) {
            None => problems.add(field, "not_found"),
            Some(plan) if !plan.is_on(on) => problems.add(field, "plan_not_on_date"),
            Some(_) => {}
        }
    }

    /// The commune of something that happened on that day: the one given, which must have been in force then (else
    /// `unknown_unit`, `not_of_its_date`); if none is given the hamlet's, else the team's, as it was called that day.
    pub fn check_unit(
        &self,
        field: impl Display,
        given: Option<UnitCode>,
        hamlet: Option<HamletId>,
        on: CivilDate,
        problems: &mut Problems,
    ) -> Option<UnitCode> {
        let of_hamlet = hamlet.and_then(|hamlet| self.hamlets.get(&hamlet)?.unit);
        let Some(unit) = given else {
            let unit = of_hamlet.or(self.unit)?;
            return Some(unit_on(unit, on).unwrap_or(unit));
        };
        let units = Units::packaged();
        // What the hub calls the hamlet's or the team's commune is taken, also when this program is older than it.
        let is_known = units.latest(unit).is_some() || Some(unit) == of_hamlet || Some(unit) == self.unit;
        if !is_known {
            problems.add(field, "unknown_unit");
        } else if units.latest(unit).is_some() && !units.is_valid_on(unit, on) {
            problems.add(field, "not_of_its_date");
        }
        Some(unit)
    }
}

/// How much has come from the hub: whatever this phone writes itself leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arrived {
    all: i64,
    reference: i64,
    /// Frames of snapshots under way.
    landed: i64,
}

impl Arrived {
    fn of_content(self) -> (i64, i64) {
        (self.reference, self.landed)
    }
}

fn arrived(connection: &Connection) -> Result<Arrived> {
    let sql = "SELECT coalesce(sum(position), 0) + count(*),
                      coalesce(sum(CASE kind WHEN 4 THEN position + 1 END), 0),
                      (SELECT coalesce(sum(next), 0) FROM landings) FROM scopes";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Arrived { all: row.get(0)?, reference: row.get(1)?, landed: row.get(2)? })
    };
    Ok(connection.prepare_cached(sql)?.query_row([], read)?)
}

impl Phone {
    /// What the hub has said, as of the last sync.
    pub(crate) fn known(&self) -> Result<Arc<Known>> {
        let before = self.known.borrow().clone();
        if let Some((heard, known)) = &before
            && *heard == self.heard
        {
            return Ok(known.clone());
        }
        let connection = self.connection();
        let arrived = arrived(connection)?;
        let before = before.map(|(_, known)| known);
        if let Some(known) = before.as_ref().filter(|known| known.arrived == arrived) {
            *self.known.borrow_mut() = Some((self.heard, known.clone()));
            return Ok(known.clone());
        }
        let content = match &before {
            Some(known) if known.arrived.of_content() == arrived.of_content() => known.content.clone(),
            _ => content(connection)?,
        };
        let known = Arc::new(read(self, arrived, content)?);
        *self.known.borrow_mut() = Some((self.heard, known.clone()));
        Ok(known)
    }

    /// The release's content and what was published since. Cheap to clone.
    pub(crate) fn content(&self) -> Result<Content> {
        Ok(self.known()?.content.clone())
    }

    /// After a save that touched consents, or which households are one.
    pub(crate) fn forget_known(&self) {
        *self.known.borrow_mut() = None;
    }
}

fn content(connection: &Connection) -> Result<Content> {
    let sql = "SELECT kind, body FROM live_content_items WHERE kind IS NOT NULL AND body IS NOT NULL";
    let bodies: Vec<(String, String)> = rows::all(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Content::with_published(&bodies))
}

fn read(phone: &Phone, arrived: Arrived, content: Content) -> Result<Known> {
    let connection = phone.connection();
    let day = |row: &rusqlite::Row<'_>, at| Ok::<_, rusqlite::Error>(rows::day(row, at)?.map(|day| day.0));
    let team = phone.identity().map(|identity| identity.team.0.0);
    let teams =
        rows::all(connection, "SELECT founded_on, unit FROM live_teams WHERE id = ?1", [team], |row| {
            Ok((day(row, 0)?, rows::unit(row, 1)?))
        })?;
    let (founded_on, unit) = teams.into_iter().next().unwrap_or_default();
    let members = rows::all(connection, "SELECT id, name, to_date, role FROM live_members", [], |row| {
        let name = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        let member = KnownMember { name, role: rows::number(row, 3)?, to: day(row, 2)? };
        Ok((MemberId(rows::id(row, 0)?), member))
    })?;
    let sql = "SELECT id, name, unit, language, signal FROM live_hamlets";
    let hamlets = rows::all(connection, sql, [], |row| {
        let name: Option<String> = row.get(1)?;
        let hamlet = KnownHamlet {
            name: name.unwrap_or_default(),
            unit: rows::unit(row, 2)?,
            language: rows::number(row, 3)?,
            signal: rows::number(row, 4)?,
        };
        Ok((HamletId(rows::id(row, 0)?), hamlet))
    })?;
    let plans = rows::all(connection, "SELECT id, name, from_date, to_date FROM live_plans", [], |row| {
        let name: Option<String> = row.get(1)?;
        let plan = KnownPlan { name: name.unwrap_or_default(), from: day(row, 2)?, to: day(row, 3)? };
        Ok((PlanId(rows::id(row, 0)?), plan))
    })?;
    // A consent of any row of a joined household is one of them all.
    let sql = "WITH joined AS MATERIALIZED (SELECT id, canonical_id FROM household_identities),
                    gone AS MATERIALIZED (
                      SELECT coalesce(j.canonical_id, c.household_id) AS id
                      FROM live_consents AS c LEFT JOIN joined AS j ON j.id = c.household_id
                      WHERE c.household_id IS NOT NULL GROUP BY 1
                      HAVING sum(c.withdrawn_on IS NULL AND coalesce(c.purposes, 1) & 1) = 0
                         AND sum(coalesce(c.purposes, 1) & 1) > 0)
               SELECT id FROM gone UNION SELECT j.id FROM joined AS j JOIN gone AS g ON g.id = j.canonical_id";
    let withdrawn = rows::all(connection, sql, [], |row| rows::id(row, 0).map(HouseholdId))?;
    Ok(Known {
        arrived,
        content,
        founded_on,
        unit,
        members: members.into_iter().collect(),
        hamlets: hamlets.into_iter().collect(),
        plans: plans.into_iter().collect(),
        withdrawn: withdrawn.into_iter().collect(),
    })
}

/// The one unit of a day that a unit of another list is: itself, what it wholly became, or what alone became it.
fn unit_on(unit: UnitCode, day: CivilDate) -> Option<UnitCode> {
    let units = Units::packaged();
    if units.is_valid_on(unit, day) {
        return Some(unit);
    }
    if let Some(today) = units.today_of(unit).filter(|today| units.is_valid_on(*today, day)) {
        return Some(today);
    }
    let mut before: Vec<(UnitCode, Share)> = units.predecessors(unit);
    before.retain(|(code, _)| units.is_valid_on(*code, day));
    match before.as_slice() {
        [(one, _)] => Some(*one),
        _ => None,
    }
}
