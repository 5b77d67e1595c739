//! Farmers' teams: seller accounts, several persons a household, and weeks later the first sales. A sale is
//! always that of a person whose account the same team made before.

use super::CampaignError;
use super::codes::{AgeBand, Outcome, PhoneKind, Place, Service};
use super::deal::NOT_NEW;
use super::ledger::{Moment, Span};
use super::rng::SplitMix64;
use super::rows::Want;
use super::schedule::{self, Slot};
use super::world::{Like, World};

/// What a farmers' team is to bring about in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accounts {
    /// Persons with a new account.
    pub(super) accounts: u32,
    /// Of them, with a first sale.
    pub(super) sales: u32,
    /// Visits that bring neither.
    pub(super) failures: u32,
}

#[derive(Clone, Copy, Debug)]
enum Aim {
    Accounts(u32),
    Sales(u32),
    Neither,
}

/// Days from an account to a first sale, at least.
const FIRST_SALE_DAYS: i32 = 10;

fn seller(rng: &mut SplitMix64) -> Like {
    let band = rng.weighted(&[(AgeBand::From18, 25), (AgeBand::From35, 60), (AgeBand::From60, 15)]);
    Like { band: Some(band), phone: Some(PhoneKind::Smart), ..Like::default() }
}

/// Parts drawn by weight that sum to the total.
fn parts(rng: &mut SplitMix64, total: u32, weights: &[(u32, u32)]) -> Vec<u32> {
    let (mut left, mut parts) = (total, Vec::new());
    while left > 0 {
        let part = rng.weighted(weights).min(left);
        parts.push(part);
        left -= part;
    }
    parts
}

impl World<'_> {
    /// Lives the whole period of a farmers' team.
    pub(super) fn make_accounts(&mut self, aims: Accounts, holidays: &[Span]) -> Result<(), CampaignError> {
        let households = parts(&mut self.rng, aims.accounts, &[(1, 25), (2, 42), (3, 23), (4, 10)]);
        let sales = parts(&mut self.rng, aims.sales, &[(1, 35), (2, 45), (3, 20)]);
        let mut keyed: Vec<(u32, Aim)> = Vec::new();
        for persons in households {
            keyed.push((self.rng.below(960), Aim::Accounts(persons)));
        }
        for _ in 0..aims.failures {
            keyed.push((self.rng.below(1_000), Aim::Neither));
        }
        for persons in sales {
            keyed.push((self.rng.within(180, 999), Aim::Sales(persons)));
        }
        keyed.sort_by_key(|(key, _)| *key);
        let mut deck: Vec<Aim> = keyed.into_iter().map(|(_, aim)| aim).collect();
        let (team, period, count) = (self.team, self.period, deck.len() as u32);
        let slots = schedule::slots(&mut self.rng, team, period, holidays, schedule::FARMERS, count)?;
        let mut owed = 0;
        for (at, slot) in slots.iter().enumerate() {
            let mut aim = deck[at];
            if let Aim::Sales(persons) = aim
                && self.sellers(*slot, persons).is_none()
                && let Some(ahead) = (at + 1..deck.len()).find(|one| !matches!(deck[*one], Aim::Sales(_)))
            {
                deck.swap(at, ahead);
                aim = deck[at];
            }
            match aim {
                Aim::Accounts(persons) => self.visit_for_accounts(*slot, persons),
                Aim::Neither => self.visit_in_vain(*slot),
                Aim::Sales(persons) => {
                    let wanted = persons + owed;
                    let found = self.sellers(*slot, wanted).or_else(|| self.sellers(*slot, 1));
                    owed = wanted - self.visit_for_sales(*slot, found, wanted);
                }
            }
        }
        Ok(())
    }

    fn visit_for_accounts(&mut self, slot: Slot, persons: u32) {
        let now = Moment::on(slot.day, slot.start * 60);
        let due = |at: &usize| {
            let one = &self.returns[*at];
            one.service == Service::EcommerceAccount
                && one.due.0 <= slot.day.0 + 2
                && !self.people[one.person].has(Service::EcommerceAccount)
        };
        let again = if persons == 1 { self.open_returns(slot.member, now).find(due) } else { None };
        let people = match again {
            Some(at) => vec![self.returns[at].person],
            None => {
                let likes: Vec<Like> = (0..persons).map(|_| seller(&mut self.rng)).collect();
                let (home, _) = self.register(slot, &likes, None);
                self.homes[home].people.clone()
            }
        };
        let place = self.rng.weighted(&[(Place::Home, 75), (Place::Hall, 20), (Place::Market, 5)]);
        let mut visit = self.visit(slot, Some(self.people[people[0]].home), place);
        for person in &people {
            visit.rows.push(self.row(Want::new(Service::EcommerceAccount, Outcome::New), Some(*person)));
            if self.rng.chance(22) && !self.people[*person].has(Service::PaymentAccount) {
                visit.rows.push(self.row(Want::new(Service::PaymentAccount, Outcome::New), Some(*person)));
            }
        }
        if self.rng.chance(15) && !self.people[people[0]].has(Service::ScamAwareness) {
            visit.rows.push(self.row(Want::new(Service::ScamAwareness, Outcome::New), Some(people[0])));
        }
        self.save_visit(slot, visit);
    }

    /// Persons of one known household with an account of some days and no sale: at least so many.
    fn sellers(&self, slot: Slot, persons: u32) -> Option<Vec<usize>> {
        let now = Moment::on(slot.day, slot.start * 60);
        // From another place each time, so that not always the oldest household sells.
        let from = (slot.day.0 as usize * 131 + slot.start as usize * 17) % self.homes.len().max(1);
        let homes = (from..self.homes.len()).chain(0..from);
        for home in homes {
            let old = self.homes[home].made.date().0 + FIRST_SALE_DAYS <= slot.day.0;
            if !old || !self.knows_home(slot.member, home, now) {
                continue;
            }
            let ready = |person: &usize| {
                let person = &self.people[*person];
                let made = person.newly & Service::EcommerceAccount.bit() != 0;
                made && !person.has(Service::EcommerceFirstSale)
            };
            let found: Vec<usize> = self.homes[home].people.iter().copied().filter(ready).collect();
            if found.len() >= persons as usize {
                return Some(found);
            }
        }
        None
    }

    /// How many sold.
    fn visit_for_sales(&mut self, slot: Slot, sellers: Option<Vec<usize>>, wanted: u32) -> u32 {
        let Some(sellers) = sellers else {
            self.visit_in_vain(slot);
            return 0;
        };
        let place = self.rng.weighted(&[(Place::Home, 70), (Place::Phone, 15), (Place::Market, 15)]);
        let mut visit = self.visit(slot, Some(self.people[sellers[0]].home), place);
        let mut sold = 0;
        for person in sellers {
            if sold < wanted {
                sold += 1;
                visit.rows.push(self.row(Want::new(Service::EcommerceFirstSale, Outcome::New), Some(person)));
            } else if self.rng.chance(40) {
                visit
                    .rows
                    .push(self.row(Want::new(Service::EcommerceFirstSale, Outcome::Later), Some(person)));
            }
        }
        self.save_visit(slot, visit);
        sold
    }

    fn visit_in_vain(&mut self, slot: Slot) {
        let outcome = self.rng.weighted(NOT_NEW);
        let seller = seller(&mut self.rng);
        let (home, _) = self.register(slot, &[seller], None);
        let person = self.homes[home].people[0];
        let mut visit = self.visit(slot, Some(home), Place::Home);
        visit.rows.push(self.row(Want::new(Service::EcommerceAccount, outcome), Some(person)));
        self.save_visit(slot, visit);
    }
}
