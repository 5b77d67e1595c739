//! The open book: the phone, and the names of what it holds. What is shown is a name where one is known, else the id.

use std::path::Path;

use langso_device::Companion;
use langso_device::companion::households::{FindHouseholds, HouseholdHit, OfHousehold, PersonDetail};
use langso_device::companion::units::Hamlet;
use langso_device::companion::{Nothing, team};
use langso_domain::id::{HamletId, HouseholdId, MemberId, PersonId, PlanId};
use langso_domain::text::fold;

use super::open_or_make;
use crate::names::{find, some_word};
use crate::words::{Failure, Outcome, pick};

/// An open phone and the names on it.
pub(crate) struct Book {
    pub app: Companion,
    members: Vec<team::Member>,
    hamlets: Vec<Hamlet>,
    plans: Vec<team::Plan>,
}

impl Book {
    /// Opens the phone in a folder; a folder without one is not made into one.
    pub fn open(folder: &Path) -> Outcome<Self> {
        if !folder.join("phone.db").is_file() {
            return Err(Failure::usage("cli.no_phone_here", folder.display()));
        }
        match Self::of(open_or_make(folder)?) {
            Err(failure) if failure.is_damage() => {
                let app = open_or_make(folder)?;
                app.heal()?;
                Self::of(app)
            }
            book => book,
        }
    }

    /// Reads the names of what the phone holds; a phone in no team holds none.
    pub fn of(app: Companion) -> Outcome<Self> {
        let members = app.team().list_members(Nothing {}).map(|list| list.members).unwrap_or_default();
        let plans = app.team().list_plans(team::FindPlans::default()).map(|list| list.plans);
        let hamlets = app.units().list_hamlets(Nothing {})?.hamlets;
        Ok(Self { app, members, hamlets, plans: plans.unwrap_or_default() })
    }

    pub fn member(&self, member: MemberId) -> String {
        let found = self.members.iter().find(|known| known.member == member);
        found.map_or_else(|| member.to_string(), |known| known.name.clone())
    }

    pub fn some_member(&self, member: Option<MemberId>) -> String {
        member.map_or_else(|| pick("chưa rõ ai", "not known who").to_owned(), |member| self.member(member))
    }

    pub fn hamlet(&self, hamlet: HamletId) -> String {
        let found = self.hamlets.iter().find(|known| known.hamlet == hamlet);
        found.map_or_else(|| hamlet.to_string(), |known| known.name.clone())
    }

    pub fn hamlets(&self) -> &[Hamlet] {
        &self.hamlets
    }

    /// The hamlet's name of a team that works in one.
    pub fn only_hamlet(&self) -> Option<&str> {
        match &self.hamlets[..] {
            [one] => Some(&one.name),
            _ => None,
        }
    }

    pub fn plan(&self, plan: Option<PlanId>) -> String {
        let Some(plan) = plan else { return pick("Không theo kế hoạch", "Without a plan").to_owned() };
        let found = self.plans.iter().find(|known| known.plan == plan);
        found.map_or_else(|| plan.to_string(), |known| known.name.clone())
    }

    /// A hamlet by id, name or a part of its name.
    pub fn find_hamlet(&self, field: &str, typed: &str) -> Outcome<HamletId> {
        let names = self.hamlets.iter().map(|known| (known.hamlet, known.name.as_str()));
        find(field, typed, names)
    }

    /// A household by id or by its whole label; several of one label are told apart by id.
    pub fn find_household(&self, field: &str, typed: &str) -> Outcome<HouseholdId> {
        if let Ok(household) = typed.parse() {
            return Ok(household);
        }
        // A number alone is the number of a label.
        let wanted = match typed.bytes().all(|digit| digit.is_ascii_digit()) {
            true => format!("Hộ {typed}"),
            false => typed.to_owned(),
        };
        let find = FindHouseholds { text: wanted.clone(), hamlet: None };
        let hits = self.app.households().find_households(find)?.households;
        let same = |hit: &&HouseholdHit| fold(&hit.line.label) == fold(&wanted);
        let exact: Vec<_> = hits.iter().filter(same).collect();
        match exact[..] {
            [one] => Ok(one.line.household),
            [] => Err(Failure::usage("input.not_found", format_args!("{field} {typed}"))),
            [..] => {
                let all = exact.iter().map(|hit| {
                    let hamlet = hit.line.hamlet.map_or_else(String::new, |hamlet| self.hamlet(hamlet));
                    format!("{} {}, {hamlet}", hit.line.household, hit.line.label)
                });
                let all: Vec<_> = all.collect();
                Err(Failure::usage("input.ambiguous", format_args!("{field} ({})", all.join("; "))))
            }
        }
    }

    /// The persons of a household in their order, each in words.
    pub fn persons(&self, household: HouseholdId) -> Outcome<Vec<(PersonId, String)>> {
        let detail = self.app.households().get_household(OfHousehold { household })?;
        let words = |person: &PersonDetail| person_words(person.sex, person.band, person.birth_year);
        Ok(detail.persons.iter().map(|person| (person.person, words(person))).collect())
    }

    /// A member by id, name or a part of it.
    pub fn find_member(&self, field: &str, typed: &str) -> Outcome<MemberId> {
        find(field, typed, self.members.iter().map(|known| (known.member, known.name.as_str())))
    }

    /// A plan by id, name or a part of it.
    pub fn find_plan(&self, field: &str, typed: &str) -> Outcome<PlanId> {
        find(field, typed, self.plans.iter().map(|known| (known.plan, known.name.as_str())))
    }
}

/// A person in words: `Nữ, 60 trở lên`.
pub(super) fn person_words(sex: Option<u8>, band: Option<u8>, birth_year: Option<u16>) -> String {
    let age = match (band, birth_year) {
        (_, Some(year)) => format!("{} {year}", pick("sinh", "born")),
        (band, None) => some_word("age_bands", band),
    };
    let parts: Vec<_> = [some_word("sexes", sex), age].into_iter().filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => pick("chưa rõ", "not known").to_owned(),
        false => parts.join(", "),
    }
}
