//! The empty form of a visit: what can be chosen, and what is likely.

use std::collections::HashMap;

use langso_domain::content::ContentRef;
use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, HouseholdId, MemberId, PlanId};
use langso_domain::text;
use langso_domain::units::UnitCode;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::super::households::{HouseholdDetail, household};
use super::super::known::Known;
use super::super::problems::Problems;
use super::super::record::Day;
use super::super::rows;
use crate::error::{AppError, Result};
use crate::phone::Phone;

/// Of the list `place_kinds`: at home.
const HOME: u8 = 1;

/// For whom a form is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct GetVisitForm {
    /// Whom; none = an anonymous turn.
    #[uniffi(default)]
    pub household: Option<HouseholdId>,
    /// Where an anonymous turn is.
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
    /// For which day; none = today.
    #[uniffi(default)]
    pub date: Option<Day>,
}

/// What a form begins with. Evidence is never among it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct VisitForm {
    /// The household with its persons and open appointments.
    pub household: Option<HouseholdDetail>,
    /// The services: the team's most used first.
    pub services: Vec<ServiceChoice>,
    /// The day.
    pub date: Day,
    /// The phone's clock has been set by the hub since the phone was started.
    pub is_clock_sure: bool,
    /// Where.
    pub hamlet: Option<HamletId>,
    /// The commune at that date.
    pub unit: Option<UnitCode>,
    /// As at the last visit of the day, else at home.
    pub place: Option<u8>,
    /// As at the last visit of the day, else the hamlet's.
    pub language: Option<u8>,
    /// As at the last visit in the hamlet, else what one can expect there.
    pub signal: Option<u8>,
    /// As at the last visit of the day, else me.
    pub members: Vec<MemberId>,
    /// As at the last visit of the day, else the only one.
    pub plan: Option<PlanId>,
    /// The campaigns of that day, by name.
    pub plans: Vec<PlanChoice>,
    /// Who may have been there, by name.
    pub all_members: Vec<MemberChoice>,
}

/// A service that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct ServiceChoice {
    /// As it is now.
    pub service: ContentRef,
    /// How often the team did it, in any version.
    pub uses: u32,
}

/// A campaign that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PlanChoice {
    /// The campaign.
    pub plan: PlanId,
    /// What it is called.
    pub name: String,
}

/// A member who can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct MemberChoice {
    /// The member.
    pub member: MemberId,
    /// The name.
    pub name: String,
}

#[derive(Default)]
struct Last {
    place: Option<u8>,
    language: Option<u8>,
    members: Vec<MemberId>,
    plan: Option<PlanId>,
}

/// A form for a household, or for an anonymous turn.
pub(super) fn form(phone: &Phone, me: MemberId, get: GetVisitForm) -> Result<VisitForm> {
    let known = phone.known()?;
    let connection = phone.connection();
    let household = match get.household {
        Some(of) => Some(household(phone, of)?.ok_or(AppError::NotFound)?),
        None => None,
    };
    let now = phone.now();
    let date = get.date.map_or(CivilDate::at(now.ms), |day| day.0);
    let hamlet = get.hamlet.or_else(|| household.as_ref()?.hamlet);
    let of_hamlet = hamlet.and_then(|hamlet| known.hamlets.get(&hamlet));
    let last = last_of(connection, me, date)?;
    let is_at_home = get.household.is_some().then_some(HOME);
    let mut plans: Vec<PlanChoice> = known
        .plans
        .iter()
        .filter(|(_, plan)| plan.is_on(date))
        .map(|(id, plan)| PlanChoice { plan: *id, name: plan.name.clone() })
        .collect();
    langso_domain::order::sort_by_key(&mut plans, |plan| (text::sort_key(&plan.name), plan.plan));
    let mut all_members: Vec<MemberChoice> = known
        .members
        .iter()
        .filter(|(_, member)| member.to.is_none_or(|to| date <= to))
        .map(|(id, member)| MemberChoice { member: *id, name: member.name.clone() })
        .collect();
    langso_domain::order::sort_by_key(&mut all_members, |member| {
        (text::name_sort_key(&member.name), member.member)
    });
    let only = match plans.as_slice() {
        [one] => Some(one.plan),
        _ => None,
    };
    let signal = match hamlet {
        Some(hamlet) => last_signal(connection, hamlet)?,
        None => None,
    };
    Ok(VisitForm {
        services: services(connection, &known)?,
        date: Day(date),
        is_clock_sure: now.is_sure,
        hamlet,
        unit: known.check_unit("unit", None, hamlet, date, &mut Problems::default()),
        place: last.place.or(is_at_home),
        language: last.language.or(of_hamlet.and_then(|hamlet| hamlet.language)),
        signal: signal.or(of_hamlet.and_then(|hamlet| hamlet.signal)),
        members: if last.members.is_empty() { vec![me] } else { last.members },
        plan: last.plan.filter(|plan| plans.iter().any(|one| one.plan == *plan)).or(only),
        plans,
        all_members,
        household,
    })
}

/// What I said at my last visit of the day.
fn last_of(connection: &Connection, me: MemberId, date: CivilDate) -> Result<Last> {
    let sql = "SELECT place, language, members, plan_id FROM live_visits
               WHERE date = ?1 AND instr(members, ?2) % 12 = 1 ORDER BY v_stamp DESC, id DESC LIMIT 1";
    let found = connection
        .prepare_cached(sql)?
        .query_row((date.0, me.0.0), |row| {
            Ok(Last {
                place: rows::number(row, 0)?,
                language: rows::number(row, 1)?,
                members: rows::ids(row, 2, MemberId)?,
                plan: rows::some_id(row, 3, PlanId)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn last_signal(connection: &Connection, hamlet: HamletId) -> Result<Option<u8>> {
    let sql = "SELECT signal FROM live_visits WHERE hamlet_id = ?1 AND signal IS NOT NULL
               ORDER BY date DESC, v_stamp DESC LIMIT 1";
    let found =
        connection.prepare_cached(sql)?.query_row([hamlet.0.0], |row| rows::number(row, 0)).optional()?;
    Ok(found.flatten())
}

fn services(connection: &Connection, known: &Known) -> Result<Vec<ServiceChoice>> {
    let sql = "SELECT service, count(*) FROM live_service_rows WHERE service IS NOT NULL GROUP BY service";
    let used: Vec<(String, u32)> = rows::all(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut uses: HashMap<String, u32> = HashMap::with_capacity(used.len());
    for (service, count) in used {
        let code = service.split('@').next().unwrap_or_default().to_owned();
        *uses.entry(code).or_default() += count;
    }
    let mut services: Vec<ServiceChoice> = known
        .content
        .services()
        .map(|service| ServiceChoice {
            service: service.reference(),
            uses: uses.get(&service.code).copied().unwrap_or(0),
        })
        .collect();
    langso_domain::order::sort_by_key(&mut services, |choice| std::cmp::Reverse(choice.uses));
    Ok(services)
}
