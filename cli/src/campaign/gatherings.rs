//! What is no visit: sessions, clubs and half-days of other work. All of it in office hours of weekdays, when
//! nobody is out on visits.

use std::collections::BTreeSet;

use langso_domain::date::CivilDate;

use super::codes::{GroupKind, HalfDay, Service, SessionKind};
use super::event::{Group, Session, What};
use super::ledger::{MemberNo, Moment, Span};
use super::people;
use super::world::World;

/// Office days that are still free, a member.
pub(super) struct Office {
    days: Vec<CivilDate>,
    taken: BTreeSet<(CivilDate, MemberNo)>,
}

impl Office {
    /// Weekdays of the period without the days named.
    pub(super) fn new(period: Span, without: &[Span]) -> Self {
        let days = (period.from.0..=period.to.0).map(CivilDate);
        let free = days.filter(|day| day.weekday() < 6 && !without.iter().any(|span| span.holds(*day)));
        Self { days: free.collect(), taken: BTreeSet::new() }
    }

    /// The first free day of that member at or after a place in the period, of `of` equal places.
    fn take(&mut self, member: MemberNo, place: u32, of: u32) -> Option<CivilDate> {
        let total = self.days.len();
        let from = total * place as usize / of.max(1) as usize;
        let mut days = (0..total).map(|at| self.days[(from + at) % total]);
        let day = days.find(|day| !self.taken.contains(&(*day, member)))?;
        self.taken.insert((day, member));
        Some(day)
    }
}

/// Sessions of one kind.
pub(super) struct Sessions<'a> {
    pub(super) kind: SessionKind,
    pub(super) count: u32,
    pub(super) topics: &'a [&'a str],
    pub(super) organiser: &'a str,
    /// People who come, from and to.
    pub(super) headcount: (u32, u32),
}

impl World<'_> {
    fn any_member(&mut self) -> MemberNo {
        MemberNo(self.rng.below(self.team.members.len() as u32) as u8)
    }

    /// Holds sessions, spread over the period.
    pub(super) fn hold_sessions(&mut self, office: &mut Office, sessions: &Sessions<'_>) {
        for place in 0..sessions.count {
            let member = self.any_member();
            let Some(date) = office.take(member, place, sessions.count) else { continue };
            let topic = self.rng.pick(sessions.topics).copied().unwrap_or_default().to_owned();
            let (hamlet, unit) = self.any_hamlet();
            let other = self.any_member();
            let mut members = vec![member];
            members.extend((other != member).then_some(other));
            let session = Session {
                kind: sessions.kind,
                topic,
                organiser: sessions.organiser.to_owned(),
                unit,
                hamlet: Some(hamlet),
                date,
                headcount: self.rng.within(sessions.headcount.0, sessions.headcount.1),
                members,
            };
            let hour = self.rng.weighted(&[(10, 1), (16, 1)]);
            let at = Moment::on(date, hour * 3_600 + 1_200 + self.rng.below(1_200));
            self.push(at, member, What::Session(session));
        }
    }

    /// Founds clubs and takes in their members, some of whom the team knows.
    pub(super) fn found_clubs(&mut self, office: &mut Office, names: &[&String], members: u32) {
        for (place, name) in (0u32..).zip(names) {
            let member = self.any_member();
            let Some(date) = office.take(member, 3 + place * 2, 16) else { continue };
            let no = self.group_no();
            let (_, unit) = self.any_hamlet();
            let group = Group { no, name: (*name).clone(), kind: GroupKind::Club, unit, founded_on: date };
            let mut at = Moment::on(date, 15 * 3_600);
            self.push(at, member, What::Group(group));
            let known: Vec<usize> = (0..self.people.len())
                .filter(|person| {
                    self.people[*person].has(Service::EcommerceAccount)
                        && self.knows_home(member, self.people[*person].home, at)
                        && self.homes[self.people[*person].home].made < at
                })
                .collect();
            let mut taken = BTreeSet::new();
            for _ in 0..members {
                at.0 += 20_000;
                let drawn = self.rng.pick(&known).copied().filter(|_| self.rng.chance(40));
                let person = drawn.filter(|one| taken.insert(*one)).map(|one| self.people[one].no);
                self.push(at, member, What::Membership { group: no, person, from_date: date });
            }
        }
    }

    /// Half-days of other work for every member.
    pub(super) fn work(&mut self, office: &mut Office, from: u32, to: u32) {
        for member in (0..self.team.members.len() as u8).map(MemberNo) {
            for _ in 0..self.rng.within(from, to) {
                let place = self.rng.below(1_000);
                let Some(date) = office.take(member, place, 1_000) else { continue };
                let half = self.rng.weighted(&[(HalfDay::Morning, 1), (HalfDay::Afternoon, 1)]);
                let hour = if half == HalfDay::Morning { 11 } else { 16 };
                let reason = people::work(&mut self.rng);
                let at = Moment::on(date, hour * 3_600 + 1_800 + self.rng.below(900));
                self.push(at, member, What::WorkDay { date, half, reason });
            }
        }
    }
}
