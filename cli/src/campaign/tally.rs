//! Figures counted straight from a ledger, by plain loops. Deliberately knows nothing of the product's
//! indicators, views or SQL: it is what they are held against.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::{GrantItem, Outcome, Service, SessionKind, TeamKind};
use super::event::{Event, ServiceRow, Visit, What};
use super::ledger::{Ledger, PersonNo, Span, Team, VisitNo};

/// What a figure counts; never added across units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// Things given.
    Items,
    /// Visits at which a whole set was given.
    Sets,
    /// Clubs.
    Groups,
    /// Memberships of clubs.
    Memberships,
    /// Distinct persons.
    Persons,
    /// Sessions held.
    Sessions,
    /// Service rows ("lượt").
    Turns,
}

/// One figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TallyRow {
    /// The row of the list of published figures, such as `14a`.
    pub seed_row: &'static str,
    /// Over all teams.
    pub value: u64,
    /// By team, in the header's order; sums to `value`, since nobody is known to two teams.
    pub per_team: Vec<u64>,
    /// What is counted.
    pub counted: Counted,
}

/// How much there is in a ledger, by team.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Visits, anonymous turns included.
    pub visits: u64,
    /// Visits without a household.
    pub anonymous: u64,
    /// Service rows.
    pub service_rows: u64,
    /// Households registered.
    pub households: u64,
    /// Persons registered.
    pub persons: u64,
    /// Contacts noted.
    pub contacts: u64,
    /// Checklists filled in.
    pub runs: u64,
    /// Returns planned.
    pub follow_ups: u64,
    /// Of them, done.
    pub follow_ups_done: u64,
    /// Of them, called off.
    pub follow_ups_cancelled: u64,
    /// Of them, neither done nor called off, and due before the last day of the period.
    pub follow_ups_overdue: u64,
    /// Consents asked for and refused.
    pub refusals: u64,
    /// Sessions held.
    pub sessions: u64,
    /// Half-days of other work.
    pub work_days: u64,
    /// Syncs, those cut or killed included.
    pub syncs: u64,
    /// Restarts and kills.
    pub restarts: u64,
}

/// The events of one team.
struct Own<'a>(Vec<&'a Event>);

impl<'a> Own<'a> {
    fn rows(&self) -> impl Iterator<Item = (&'a Visit, &'a ServiceRow)> {
        let visits = self.0.iter().filter_map(|event| match &event.what {
            What::Visit(visit) => Some(visit),
            _ => None,
        });
        visits.flat_map(|visit| visit.rows.iter().map(move |row| (visit, row)))
    }

    fn new_turns(&self, within: Span, services: &[Service]) -> u64 {
        let mut turns = 0;
        for (visit, row) in self.rows() {
            if row.outcome == Outcome::New && services.contains(&row.service) && within.holds(visit.date) {
                turns += 1;
            }
        }
        turns
    }

    fn new_persons(&self, service: Service) -> BTreeSet<PersonNo> {
        let mut persons = BTreeSet::new();
        for (_, row) in self.rows() {
            if row.outcome == Outcome::New && row.service == service {
                persons.extend(row.person);
            }
        }
        persons
    }

    fn count(&self, counts: impl Fn(&What) -> bool) -> u64 {
        self.0.iter().filter(|event| counts(&event.what)).count() as u64
    }

    fn sessions(&self, kind: SessionKind) -> u64 {
        self.count(|what| matches!(what, What::Session(session) if session.kind == kind))
    }

    /// Visits at which a phone and a SIM were given and VNeID was gone through.
    fn sets(&self) -> u64 {
        let mut given: BTreeMap<VisitNo, (bool, bool, bool)> = BTreeMap::new();
        for event in &self.0 {
            if let What::Grant(grant) = &event.what {
                let set = given.entry(grant.visit).or_default();
                match grant.item {
                    GrantItem::Phone => set.0 = true,
                    GrantItem::Sim4g => set.1 = true,
                }
            }
        }
        for (visit, row) in self.rows() {
            if row.service == Service::VneidLevel2
                && let Some(set) = given.get_mut(&visit.no)
            {
                set.2 = true;
            }
        }
        given.values().filter(|set| set.0 && set.1 && set.2).count() as u64
    }
}

/// The figures of the list, in its order.
///
/// Rows: 1 phones given; 2 sets with SIM and VNeID guidance; 10a clubs, 10b memberships; 11a persons with a new
/// seller account, 11b of them with a first sale; 12 training conferences of the women's union; 13 propaganda
/// sessions of the agency; 14a first logins and 14b filings (first and later) that succeeded in the half-year.
pub fn tally(ledger: &Ledger) -> Vec<TallyRow> {
    let teams = &ledger.header.teams;
    let mut own: Vec<Own<'_>> = teams.iter().map(|_| Own(Vec::new())).collect();
    for event in &ledger.events {
        own[event.team.index()].0.push(event);
    }
    let row = |seed_row, counted, figure: &dyn Fn(&Team, &Own<'_>) -> u64| {
        let per_team: Vec<u64> = teams.iter().zip(&own).map(|(team, own)| figure(team, own)).collect();
        TallyRow { seed_row, value: per_team.iter().sum(), per_team, counted }
    };
    let women = |team: &Team| team.association.as_deref() == Some("women");
    let half_year = ledger.header.half_year;
    let filings = [Service::PortalFirstFiling, Service::PortalLaterFiling];
    vec![
        row("1", Counted::Items, &|_, own| {
            own.count(|what| matches!(what, What::Grant(grant) if grant.item == GrantItem::Phone))
        }),
        row("2", Counted::Sets, &|_, own| own.sets()),
        row("10a", Counted::Groups, &|_, own| own.count(|what| matches!(what, What::Group(_)))),
        row("10b", Counted::Memberships, &|_, own| own.count(|what| matches!(what, What::Membership { .. }))),
        row("11a", Counted::Persons, &|_, own| own.new_persons(Service::EcommerceAccount).len() as u64),
        row("11b", Counted::Persons, &|_, own| {
            let accounts = own.new_persons(Service::EcommerceAccount);
            own.new_persons(Service::EcommerceFirstSale).intersection(&accounts).count() as u64
        }),
        row("12", Counted::Sessions, &|team, own| {
            if women(team) { own.sessions(SessionKind::Training) } else { 0 }
        }),
        row("13", Counted::Sessions, &|team, own| {
            if team.kind == TeamKind::Agency { own.sessions(SessionKind::Propaganda) } else { 0 }
        }),
        row("14a", Counted::Turns, &|_, own| own.new_turns(half_year, &[Service::PortalFirstLogin])),
        row("14b", Counted::Turns, &|_, own| own.new_turns(half_year, &filings)),
    ]
}

/// How much there is, by team in the header's order.
pub fn totals(ledger: &Ledger) -> Vec<Totals> {
    let mut teams = vec![Totals::default(); ledger.header.teams.len()];
    let mut open = BTreeMap::new();
    for Event { team, what, .. } in &ledger.events {
        let totals = &mut teams[team.index()];
        match what {
            What::Household(_) => totals.households += 1,
            What::Consent(consent) => totals.refusals += u64::from(!consent.given),
            What::Person(_) => totals.persons += 1,
            What::Contact(_) => totals.contacts += 1,
            What::Visit(visit) => {
                totals.visits += 1;
                totals.anonymous += u64::from(visit.household.is_none());
                totals.service_rows += visit.rows.len() as u64;
                totals.runs += visit.rows.iter().filter(|row| row.run.is_some()).count() as u64;
            }
            What::FollowUp(one) => {
                totals.follow_ups += 1;
                open.insert(one.no, (*team, one.due_on));
            }
            What::FollowUpDone { follow_up, .. } => {
                totals.follow_ups_done += 1;
                open.remove(follow_up);
            }
            What::FollowUpCancelled { follow_up } => {
                totals.follow_ups_cancelled += 1;
                open.remove(follow_up);
            }
            What::Session(_) => totals.sessions += 1,
            What::WorkDay { .. } => totals.work_days += 1,
            What::Sync { .. } => totals.syncs += 1,
            What::Restart { .. } | What::Kill { .. } => totals.restarts += 1,
            What::PersonChanged { .. } | What::Grant(_) | What::Group(_) | What::Membership { .. } => {}
        }
    }
    for (team, due) in open.values() {
        teams[team.index()].follow_ups_overdue += u64::from(*due < ledger.header.period.to);
    }
    teams
}
