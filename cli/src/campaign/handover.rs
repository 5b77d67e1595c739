//! The handing over of phones: each set goes to a poor household whose person has no smartphone, with the SIM
//! changed, VNeID shown and the phone explained at the same visit.

use std::collections::BTreeSet;

use super::codes::{AgeBand, Outcome, PhoneKind, Place, Poverty, Service, YesNo};
use super::event::{Grant, What};
use super::ledger::Moment;
use super::parameters::Grants;
use super::rows::Want;
use super::schedule::Slot;
use super::world::{Like, World};

impl World<'_> {
    /// One set a slot.
    pub(super) fn hand_over(&mut self, slots: &[Slot], grants: &Grants) {
        let mut given = BTreeSet::new();
        for slot in slots {
            let person = self.known_without_phone(*slot, &given).unwrap_or_else(|| self.register_poor(*slot));
            given.insert(self.people[person].home);
            let home = self.people[person].home;
            // The phone changes hands before anything is done on it.
            let nfc = self.rng.weighted(&[(YesNo::Yes, 45), (YesNo::No, 55)]);
            self.people[person].phone = PhoneKind::Smart;
            self.people[person].nfc = nfc;
            self.people[person].own_sim = YesNo::Yes;
            let mut visit = self.visit(*slot, Some(home), Place::Hall);
            for service in [Service::SmartphoneUse, Service::Sim4g] {
                visit.rows.push(self.row(Want::new(service, Outcome::New), Some(person)));
            }
            let guided = [(Outcome::New, 58), (Outcome::Later, 20), (Outcome::Referred, 22)];
            let guided = Want::new(Service::VneidLevel2, self.rng.weighted(&guided));
            visit.rows.push(self.row(guided, Some(person)));
            let (no, unit) = (visit.no, visit.unit.clone());
            let mut at = self.save_visit(*slot, visit);
            at.0 += 5_000;
            let who = self.people[person].no;
            let own_sim = YesNo::Yes;
            let changed = What::PersonChanged { person: who, phone_kind: PhoneKind::Smart, nfc, own_sim };
            self.push(at, slot.member, changed);
            for item in &grants.items {
                at.0 += 5_000;
                let grant = Grant {
                    item: *item,
                    household: self.homes[home].no,
                    person: who,
                    visit: no,
                    donor: grants.donor.clone(),
                    unit: unit.clone(),
                    date: slot.day,
                };
                self.push(at, slot.member, What::Grant(grant));
            }
        }
    }

    /// Somebody poor whom the member's phone knows, with nothing done that the set brings.
    fn known_without_phone(&self, slot: Slot, given: &BTreeSet<usize>) -> Option<usize> {
        let now = Moment::on(slot.day, slot.start * 60);
        let poor = |home: usize| matches!(self.homes[home].poverty, Some(Poverty::Poor | Poverty::NearPoor));
        let set = [Service::SmartphoneUse, Service::Sim4g, Service::VneidLevel2];
        let mut found = self.people.iter().enumerate().filter(|(_, person)| {
            person.phone != PhoneKind::Smart
                && person.band >= AgeBand::From18
                && !set.iter().any(|service| person.has(*service))
                && poor(person.home)
                && !given.contains(&person.home)
                && self.knows_home(slot.member, person.home, now)
        });
        found.next().map(|(at, _)| at)
    }

    fn register_poor(&mut self, slot: Slot) -> usize {
        let phone = self.rng.weighted(&[(PhoneKind::None, 45), (PhoneKind::Feature, 55)]);
        let band = self.rng.weighted(&[(AgeBand::From18, 15), (AgeBand::From35, 45), (AgeBand::From60, 40)]);
        let first = Like { band: Some(band), phone: Some(phone), ..Like::default() };
        let poverty = self.rng.weighted(&[(Poverty::Poor, 7), (Poverty::NearPoor, 3)]);
        let mut people = vec![first];
        people.resize(self.rng.weighted(&[(1, 50), (2, 50)]), Like::default());
        let (home, _) = self.register(slot, &people, Some(poverty));
        self.homes[home].people[0]
    }
}
