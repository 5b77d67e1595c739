//! Visits of teams that help with anything. A deck of cards says what the visits of a stretch of time are to
//! bring in all, so that totals come out as drawn; each visit takes a card and finds somebody whom it fits: an
//! open return first, then a household known to the phone, then a new one, and nobody in particular where
//! consent was refused.

use super::codes::{AgeBand, Outcome, PhoneKind, Place, Service, Signal};
use super::event::{ServiceRow, Visit, What};
use super::ledger::Moment;
use super::rng::SplitMix64;
use super::rows::{Want, like, suits};
use super::schedule::Slot;
use super::world::{Like, World};

/// What one visit is to bring; the first is why it is made.
pub(super) type Card = Vec<Want>;

/// Portal turns that a deck must bring.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PortalTurns {
    pub(super) first_logins: u32,
    pub(super) filings: u32,
    /// Of the filings, those at the visit of the first login.
    pub(super) at_once: u32,
    /// Turns that come to something else.
    pub(super) other: u32,
}

/// Services of the other visits, by weight.
const OTHERS: &[(Service, u32)] = &[
    (Service::VneidLevel2, 28),
    (Service::Sim4g, 17),
    (Service::SmartphoneUse, 14),
    (Service::ScamAwareness, 9),
    (Service::PaymentAccount, 10),
    (Service::HealthBook, 7),
    (Service::InsuranceCard, 9),
    (Service::DigitalSignature, 6),
];
/// The same where portal turns are not counted out.
const OTHERS_WITH_PORTAL: &[(Service, u32)] = &[
    (Service::VneidLevel2, 25),
    (Service::Sim4g, 17),
    (Service::SmartphoneUse, 10),
    (Service::ScamAwareness, 8),
    (Service::PaymentAccount, 8),
    (Service::HealthBook, 6),
    (Service::InsuranceCard, 7),
    (Service::DigitalSignature, 5),
    (Service::PortalFirstLogin, 9),
    (Service::PortalFirstFiling, 5),
];
const OUTCOMES: &[(Outcome, u32)] = &[
    (Outcome::New, 60),
    (Outcome::Had, 12),
    (Outcome::Later, 13),
    (Outcome::Failed, 4),
    (Outcome::Refused, 4),
    (Outcome::Referred, 7),
];
pub(super) const NOT_NEW: &[(Outcome, u32)] = &[
    (Outcome::Had, 28),
    (Outcome::Later, 36),
    (Outcome::Failed, 14),
    (Outcome::Refused, 8),
    (Outcome::Referred, 14),
];

/// A deck: portal turns to the number, certain failures, and `others` visits about anything else.
pub(super) fn deck(
    rng: &mut SplitMix64,
    turns: PortalTurns,
    failures: &[Want],
    others: u32,
    portal: bool,
) -> Vec<Card> {
    let login = Want::new(Service::PortalFirstLogin, Outcome::New);
    let filing = Want::new(Service::PortalFirstFiling, Outcome::New);
    let at_once = turns.at_once.min(turns.first_logins).min(turns.filings);
    let mut cards: Vec<Card> = Vec::new();
    cards.extend((0..at_once).map(|_| vec![login, filing]));
    cards.extend((at_once..turns.first_logins).map(|_| vec![login]));
    cards.extend((at_once..turns.filings).map(|_| vec![filing]));
    cards.extend(failures.iter().map(|want| vec![*want]));
    for _ in 0..turns.other {
        let service = rng.weighted(&[(Service::PortalFirstLogin, 6), (Service::PortalFirstFiling, 4)]);
        cards.push(vec![Want::new(service, rng.weighted(NOT_NEW))]);
    }
    for _ in 0..others {
        let service = rng.weighted(if portal { OTHERS_WITH_PORTAL } else { OTHERS });
        let outcome = match service {
            Service::ScamAwareness => rng.weighted(&[(Outcome::New, 92), (Outcome::Refused, 8)]),
            _ => rng.weighted(OUTCOMES),
        };
        cards.push(vec![Want::new(service, outcome)]);
    }
    rng.shuffle(&mut cards);
    cards
}

/// Whom a visit is for.
enum Whom {
    Person(usize, Moment),
    Nobody,
}

impl World<'_> {
    /// One visit a slot; the deck has as many cards.
    pub(super) fn deal(&mut self, slots: &[Slot], mut deck: Vec<Card>) {
        for (at, slot) in slots.iter().enumerate() {
            // A filing waits until somebody known here has logged in.
            if self.waits(&deck[at], *slot)
                && let Some(ahead) = (at + 1..deck.len()).find(|ahead| !self.waits(&deck[*ahead], *slot))
            {
                deck.swap(at, ahead);
            }
            let card = std::mem::take(&mut deck[at]);
            self.live(*slot, &card);
        }
    }

    fn waits(&self, card: &Card, slot: Slot) -> bool {
        card.first().is_some_and(|want| want.service == Service::PortalFirstFiling)
            && self.known_filer(slot).is_none()
    }

    /// Somebody known to the member's phone who has logged in and not filed yet.
    fn known_filer(&self, slot: Slot) -> Option<usize> {
        let now = Moment::on(slot.day, slot.start * 60);
        let ready = |person: &super::world::Someone| {
            person.has(Service::PortalFirstLogin) && !person.has(Service::PortalFirstFiling)
        };
        let mut found = self.people.iter().enumerate().filter(|(_, person)| ready(person));
        found.find(|(_, person)| self.knows_home(slot.member, person.home, now)).map(|(at, _)| at)
    }

    fn live(&mut self, slot: Slot, card: &Card) {
        let Some(lead) = card.first().copied() else { return };
        let (whom, returning) = self.find_whom(slot, lead, card.len());
        let (person, from) = match whom {
            Whom::Person(person, from) => (Some(person), from),
            Whom::Nobody => (None, Moment::on(slot.day, slot.start * 60 + 60)),
        };
        let anonymous_place =
            [(Place::Market, 30), (Place::Hall, 25), (Place::Centre, 25), (Place::Home, 20)];
        let known_place = [(Place::Home, 72), (Place::Hall, 18), (Place::Market, 5), (Place::Centre, 5)];
        let place = match person {
            None => self.rng.weighted(&anonymous_place),
            Some(_) if returning && self.rng.chance(12) => Place::Phone,
            Some(_) => self.rng.weighted(&known_place),
        };
        if person.is_none() && self.rng.chance(70) {
            self.consent(from, slot.member, None, 1);
        }
        let mut visit = self.visit(slot, person.map(|person| self.people[person].home), place);
        self.prelude(&mut visit, lead, person);
        for want in card {
            let want = self.as_it_stands(*want, person);
            visit.rows.push(self.row(want, person));
        }
        self.extras(&mut visit, person);
        self.save_visit(slot, visit);
    }

    /// The want as the person's state allows: who has filed before files again.
    fn as_it_stands(&self, want: Want, person: Option<usize>) -> Want {
        let filed = person.is_none_or(|person| self.people[person].has(Service::PortalFirstFiling));
        if want.service == Service::PortalFirstFiling
            && want.failure.is_none()
            && filed
            && want.outcome != Outcome::Had
        {
            return Want { service: Service::PortalLaterFiling, ..want };
        }
        want
    }

    fn find_whom(&mut self, slot: Slot, lead: Want, wants: usize) -> (Whom, bool) {
        let now = Moment::on(slot.day, slot.start * 60);
        let code = lead.failure.map(|(_, at)| self.content.failures[at].code.clone());
        let code = code.as_deref();
        if lead.outcome == Outcome::New {
            let due = |at: &usize| {
                let one = &self.returns[*at];
                let person = &self.people[one.person];
                one.service == lead.service && one.due.0 <= slot.day.0 + 2 && suits(person, lead, None)
            };
            if let Some(at) = self.open_returns(slot.member, now).find(due) {
                return (Whom::Person(self.returns[at].person, now), true);
            }
        }
        let filing = lead.service == Service::PortalFirstFiling;
        if filing && lead.outcome == Outcome::New {
            if self.rng.chance(30)
                && let Some(person) =
                    self.known(slot, Want::new(Service::PortalLaterFiling, Outcome::New), None)
                && self.people[person].has(Service::PortalFirstFiling)
            {
                return (Whom::Person(person, now), false);
            }
            return (self.known_filer(slot).map_or(Whom::Nobody, |person| Whom::Person(person, now)), false);
        }
        let special = code.and_then(like);
        if special.is_none() && wants == 1 && self.rng.chance(9) {
            return (Whom::Nobody, false);
        }
        if special.is_none()
            && self.rng.chance(52)
            && let Some(person) = self.known(slot, lead, code)
        {
            return (Whom::Person(person, now), false);
        }
        let smart = Like { phone: Some(PhoneKind::Smart), ..Like::default() };
        let mut first = special.unwrap_or(smart);
        let grown = [(AgeBand::From18, 30), (AgeBand::From35, 48), (AgeBand::From60, 22)];
        first.band = first.band.or_else(|| Some(self.rng.weighted(&grown)));
        let mut people = vec![first];
        people.resize(self.rng.weighted(&[(1, 30), (2, 45), (3, 25)]), Like::default());
        let (home, from) = self.register(slot, &people, None);
        (Whom::Person(self.homes[home].people[0], from), false)
    }

    /// Somebody of a household known to the phone whom the want suits.
    pub(super) fn known(&mut self, slot: Slot, want: Want, code: Option<&str>) -> Option<usize> {
        let now = Moment::on(slot.day, slot.start * 60);
        for _ in 0..24 {
            let home = self.rng.below(self.homes.len() as u32) as usize;
            if self.homes.is_empty() || !self.knows_home(slot.member, home, now) {
                continue;
            }
            let found = self.homes[home].people.iter().find(|at| suits(&self.people[**at], want, code));
            if let Some(person) = found {
                return Some(*person);
            }
        }
        None
    }

    /// A filing follows a login, and a login takes VNeID: who had neither is noted so or gets it now.
    fn prelude(&mut self, visit: &mut Visit, lead: Want, person: Option<usize>) {
        let login = Service::PortalFirstLogin;
        if lead.service == Service::PortalFirstFiling
            && person.is_some_and(|one| !self.people[one].has(login))
        {
            visit.rows.push(self.row(Want::new(login, Outcome::Had), person));
        }
        if lead.service != login || lead.outcome != Outcome::New {
            return;
        }
        if person.is_some_and(|person| self.people[person].has(Service::VneidLevel2)) {
            return;
        }
        let outcome = self.rng.weighted(&[(Outcome::New, 35), (Outcome::Had, 40)]);
        if outcome == Outcome::New || self.rng.chance(40) {
            visit.rows.push(self.row(Want::new(Service::VneidLevel2, outcome), person));
        }
    }

    /// What comes up while one is there.
    fn extras(&mut self, visit: &mut Visit, person: Option<usize>) {
        let scam = Want::new(Service::ScamAwareness, Outcome::New);
        if self.rng.chance(22)
            && person.is_none_or(|person| suits(&self.people[person], scam, None))
            && visit.rows.iter().all(|row| row.service != Service::ScamAwareness)
        {
            visit.rows.push(self.row(scam, person));
        }
        let Some(person) = person else { return };
        if self.rng.chance(22) {
            let home = self.people[person].home;
            let service = self.rng.weighted(OTHERS);
            let want = Want::new(service, Outcome::New);
            let others = self.homes[home].people.iter().copied().filter(|other| *other != person);
            let other = others.into_iter().find(|other| suits(&self.people[*other], want, None));
            if let Some(other) = other {
                visit.rows.push(self.row(want, Some(other)));
            }
        }
    }

    /// Saves a visit and what follows from it: returns done, planned and, seldom, called off.
    pub(super) fn save_visit(&mut self, slot: Slot, mut visit: Visit) -> Moment {
        let no_network =
            self.content.failures.iter().find(|failure| failure.code == "N1").map(|one| one.number);
        if visit.rows.iter().any(|row| row.failure.is_some() && row.failure == no_network) {
            visit.signal = Signal::None;
        }
        let offline = [Service::Sim4g, Service::SmartphoneUse, Service::ScamAwareness];
        let online = |row: &ServiceRow| row.outcome == Outcome::New && !offline.contains(&row.service);
        if visit.signal == Signal::None && visit.rows.iter().any(online) {
            // What needs a network is done where there is one by cable.
            (visit.place, visit.signal) = (Place::Centre, Signal::Wifi);
        }
        let mut at = Moment::on(slot.day, slot.end * 60);
        let (no, rows) = (visit.no, visit.rows.clone());
        let now = Moment::on(slot.day, slot.start * 60);
        let home = visit.household;
        self.push(at, slot.member, What::Visit(visit));
        for row in &rows {
            let Some(person) = row.person.and_then(|no| self.person_index(no)) else { continue };
            if matches!(row.outcome, Outcome::New | Outcome::Had) {
                let done: Vec<usize> = self
                    .open_returns(slot.member, now)
                    .filter(|at| {
                        self.returns[*at].person == person && self.returns[*at].service == row.service
                    })
                    .collect();
                for done in done {
                    at.0 += 4_000;
                    self.returns[done].open = false;
                    let follow_up = self.returns[done].no;
                    self.push(at, slot.member, What::FollowUpDone { follow_up, visit: no });
                }
                continue;
            }
            let percent = match row.outcome {
                Outcome::Later => 100,
                Outcome::Referred => 35,
                Outcome::Failed => 40,
                _ => 0,
            };
            if home.is_some() && self.rng.chance(percent) {
                at.0 += 6_000;
                self.plan_return(at, slot.member, no, person, row.service);
            }
        }
        if self.rng.chance(1) {
            let oldest = self.open_returns(slot.member, now).find(|one| self.returns[*one].due < slot.day);
            if let Some(oldest) = oldest {
                at.0 += 8_000;
                self.returns[oldest].open = false;
                let follow_up = self.returns[oldest].no;
                self.push(at, slot.member, What::FollowUpCancelled { follow_up });
            }
        }
        at
    }

    fn person_index(&self, no: super::ledger::PersonNo) -> Option<usize> {
        let first = self.people.first()?.no;
        Some((no.0 - first.0) as usize)
    }
}
