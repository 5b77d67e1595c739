//! The events of a ledger as calls of `Companion`: what a member types into which form. What belongs to one form is
//! saved by one call, as a person would.

use std::collections::BTreeMap;

use langso_device::companion::consents::{GivenConsent, NewConsent, SavedConsent};
use langso_device::companion::contacts::{NewContact, SavedContact};
use langso_device::companion::events::{
    Joining, NewGrant, NewGroup, NewMemberships, NewSession, NewWorkDay, SavedGrant, SavedGroup,
    SavedMemberships, SavedSession, SavedWorkDay,
};
use langso_device::companion::follow_ups::FinishFollowUp;
use langso_device::companion::households::{
    AddPerson, GivenContact, NewHousehold, NewPerson, SavedHousehold, SavedPerson, UpdatePerson,
};
use langso_device::companion::{Day, Nothing};
use langso_domain::content::ContentRef;
use langso_domain::id::{ConsentId, FollowUpId, HouseholdId, PersonId};
use langso_domain::units::UnitCode;

use super::DemoError;
use super::book::Book;
use super::device::Device;
use crate::campaign::codes::Service;
use crate::campaign::event::{Consent, Contact, Event, Grant, Group, Household, Person, Session, What};
use crate::campaign::ledger::{ConsentNo, FollowUpNo, GroupNo, HouseholdNo, PersonNo};

/// A member at a phone.
pub(super) struct Hand<'a> {
    pub device: &'a mut Device,
    pub book: &'a mut Book,
    /// The content's name of each service, by version.
    pub services: &'a BTreeMap<Service, String>,
}

/// Why a return was called off; the ledger does not say.
const CALLED_OFF: &str = "Bà con hẹn dịp khác";

impl Hand<'_> {
    /// Does what the first of these events of the device says, with those after it that go onto the same form;
    /// gives how many these are. Only what is typed: syncs, restarts and kills are not among them.
    pub fn act(&mut self, events: &[&Event]) -> Result<usize, DemoError> {
        let (first, rest) = events.split_first().ok_or(DemoError::Unexpected("no event"))?;
        match &first.what {
            What::Household(household) => return self.household(household, rest),
            What::Visit(visit) => return self.visit(visit, rest),
            What::Membership { group, .. } => return self.memberships(*group, events),
            What::Group(group) => self.group(group)?,
            What::Consent(consent) => self.consent(first, consent)?,
            What::Contact(contact) => self.contact(contact)?,
            What::Person(person) => self.person(person)?,
            What::PersonChanged { person, phone_kind, nfc, own_sim } => {
                let mut update = UpdatePerson::of(self.known_person(*person)?);
                update.phone_kind = Some(Some(phone_kind.number()).into());
                update.nfc = Some(Some(nfc.number()).into());
                update.own_sim = Some(Some(own_sim.number()).into());
                self.device.save::<_, Nothing>("households.update_person", &update)?;
            }
            What::Grant(grant) => self.grant(grant)?,
            What::Session(session) => self.session(session)?,
            What::WorkDay { date, half, reason } => {
                let new = NewWorkDay {
                    date: Day(*date),
                    half: half.number(),
                    reason: reason.clone(),
                    member: None,
                    plan: self.book.plan,
                    token: Some(self.device.token()),
                };
                self.device.save::<_, SavedWorkDay>("events.log_work_day", &new)?;
            }
            What::FollowUp(_)
            | What::FollowUpDone { .. }
            | What::Sync { .. }
            | What::Restart { .. }
            | What::Kill { .. } => {
                return Err(DemoError::Unexpected("an event that no form takes"));
            }
            What::FollowUpCancelled { follow_up } => {
                let finish = FinishFollowUp {
                    follow_up: self.known_follow_up(*follow_up)?,
                    visit: None,
                    date: Some(Day(first.at.date())),
                    cancel_reason: Some(CALLED_OFF.to_owned()),
                };
                self.device.save::<_, Nothing>("follow_ups.finish_follow_up", &finish)?;
            }
        }
        Ok(1)
    }

    fn household(&mut self, household: &Household, rest: &[&Event]) -> Result<usize, DemoError> {
        let form = WholeHousehold::read(household, rest)?;
        let contact = form.contact.map(|(consent, contact)| {
            Ok::<_, DemoError>(GivenContact {
                consent: Some(given(consent)?),
                person: form.persons.iter().position(|one| Some(one.no) == contact.person).map(|at| at as u8),
                display_name: Some(contact.display_name.clone()),
                phone: Some(contact.phone_number.clone()),
                expires_on: Some(Day(contact.expires_on)),
            })
        });
        let new = NewHousehold {
            label: household.label.clone(),
            hint: household.hint.clone(),
            hamlet: self.book.hamlet(household.hamlet),
            poverty: household.poverty.map(|one| one.number()),
            persons: form.persons.iter().map(|person| new_person(person)).collect(),
            consent: Some(given(form.consent)?),
            contact: contact.transpose()?,
            token: Some(self.device.token()),
        };
        let saved: SavedHousehold = self.device.save("households.create_household", &new)?;
        self.book.households.insert(household.no, saved.household);
        self.book.consents.insert(form.consent.no, saved.consent);
        self.book.persons.extend(form.persons.iter().map(|one| one.no).zip(saved.persons));
        if let (Some((consent, _)), Some(id)) = (form.contact, saved.contact_consent) {
            self.book.consents.insert(consent.no, id);
        }
        Ok(1 + form.taken)
    }

    /// A consent of a household that is there. One that was refused leaves nothing behind: nobody may be written down.
    fn consent(&mut self, event: &Event, consent: &Consent) -> Result<(), DemoError> {
        let Some(household) = consent.household else { return Ok(()) };
        let mut given = given(consent)?;
        given.date = Some(Day(event.at.date()));
        let household = self.known_household(household)?;
        let new = NewConsent { household, given, token: Some(self.device.token()) };
        let saved: SavedConsent = self.device.save("consents.record_consent", &new)?;
        self.book.consents.insert(consent.no, saved.consent);
        Ok(())
    }

    fn contact(&mut self, contact: &Contact) -> Result<(), DemoError> {
        let new = NewContact {
            contact: None,
            consent: self.known_consent(contact.consent)?,
            household: self.known_household(contact.household)?,
            person: contact.person.map(|no| self.known_person(no)).transpose()?,
            display_name: Some(contact.display_name.clone()),
            phone: Some(contact.phone_number.clone()),
            expires_on: Some(Day(contact.expires_on)),
            token: Some(self.device.token()),
        };
        self.device.save::<_, SavedContact>("contacts.save_contact", &new).map(drop)
    }

    fn person(&mut self, person: &Person) -> Result<(), DemoError> {
        let household = self.known_household(person.household)?;
        let new = AddPerson { household, person: new_person(person), token: Some(self.device.token()) };
        let saved: SavedPerson = self.device.save("households.add_person", &new)?;
        self.book.persons.insert(person.no, saved.person);
        Ok(())
    }

    fn grant(&mut self, grant: &Grant) -> Result<(), DemoError> {
        let visit = self.book.visits.get(&grant.visit).copied();
        let new = NewGrant {
            item: grant.item.number(),
            visit: Some(visit.ok_or(DemoError::Unexpected("a visit that nobody made"))?),
            household: Some(self.known_household(grant.household)?),
            person: Some(self.known_person(grant.person)?),
            donor: Some(grant.donor.clone()),
            unit: UnitCode::parse(&grant.unit),
            date: Some(Day(grant.date)),
            plan: self.book.plan,
            token: Some(self.device.token()),
        };
        self.device.save::<_, SavedGrant>("events.log_grant", &new).map(drop)
    }

    fn session(&mut self, session: &Session) -> Result<(), DemoError> {
        let new = NewSession {
            kind: session.kind.number(),
            topic: session.topic.clone(),
            organiser: Some(session.organiser.clone()),
            hamlet: session.hamlet.and_then(|no| self.book.hamlet(no)),
            unit: UnitCode::parse(&session.unit),
            date: Day(session.date),
            headcount: session.headcount,
            members: session.members.iter().map(|no| self.book.member(*no)).collect(),
            plan: self.book.plan,
            token: Some(self.device.token()),
        };
        self.device.save::<_, SavedSession>("events.log_session", &new).map(drop)
    }

    fn group(&mut self, group: &Group) -> Result<(), DemoError> {
        let new = NewGroup {
            name: group.name.clone(),
            kind: group.kind.number(),
            unit: UnitCode::parse(&group.unit),
            founded_on: Day(group.founded_on),
            token: Some(self.device.token()),
        };
        let saved: SavedGroup = self.device.save("events.log_group", &new)?;
        self.book.groups.insert(group.no, saved.group);
        Ok(())
    }

    /// The list of those who joined a club.
    fn memberships(&mut self, group: GroupNo, events: &[&Event]) -> Result<usize, DemoError> {
        let joined = events.iter().map_while(|event| match &event.what {
            What::Membership { group: no, person, from_date } if *no == group => Some((*person, *from_date)),
            _ => None,
        });
        let joined = joined.map(|(person, from)| {
            let person = person.map(|no| self.known_person(no)).transpose()?;
            Ok(Joining { person, from: Day(from) })
        });
        let joined: Vec<Joining> = joined.collect::<Result<_, DemoError>>()?;
        let group = self.book.groups.get(&group).copied();
        let group = group.ok_or(DemoError::Unexpected("a club that nobody founded"))?;
        let taken = joined.len();
        let new = NewMemberships { group, joined, token: Some(self.device.token()) };
        self.device.save::<_, SavedMemberships>("events.log_memberships", &new)?;
        Ok(taken)
    }

    pub(super) fn known_household(&self, no: HouseholdNo) -> Result<HouseholdId, DemoError> {
        self.book
            .households
            .get(&no)
            .copied()
            .ok_or(DemoError::Unexpected("a household that nobody wrote down"))
    }

    pub(super) fn known_person(&self, no: PersonNo) -> Result<PersonId, DemoError> {
        self.book.persons.get(&no).copied().ok_or(DemoError::Unexpected("a person whom nobody wrote down"))
    }

    pub(super) fn known_follow_up(&self, no: FollowUpNo) -> Result<FollowUpId, DemoError> {
        self.book.follow_ups.get(&no).copied().ok_or(DemoError::Unexpected("a return that nobody planned"))
    }

    pub(super) fn known_consent(&self, no: ConsentNo) -> Result<ConsentId, DemoError> {
        self.book.consents.get(&no).copied().ok_or(DemoError::Unexpected("a consent that nobody gave"))
    }
}

/// A household as one form: the consent that it begins with, its persons, and how to reach it.
struct WholeHousehold<'a> {
    consent: &'a Consent,
    persons: Vec<&'a Person>,
    contact: Option<(&'a Consent, &'a Contact)>,
    taken: usize,
}

impl<'a> WholeHousehold<'a> {
    fn read(household: &Household, rest: &[&'a Event]) -> Result<Self, DemoError> {
        let mut whats = rest.iter().map(|event| &event.what).peekable();
        let Some(What::Consent(consent)) = whats.next() else {
            return Err(DemoError::Unexpected("a household without consent"));
        };
        let mut persons = Vec::new();
        while let Some(What::Person(person)) = whats.peek()
            && person.household == household.no
        {
            persons.push(person);
            whats.next();
        }
        let taken = 1 + persons.len();
        match (whats.next(), whats.next()) {
            (Some(What::Consent(second)), Some(What::Contact(contact))) if contact.consent == second.no => {
                Ok(Self { consent, persons, contact: Some((second, contact)), taken: taken + 2 })
            }
            _ => Ok(Self { consent, persons, contact: None, taken }),
        }
    }
}

fn given(consent: &Consent) -> Result<GivenConsent, DemoError> {
    Ok(GivenConsent {
        text: reference(&consent.text)?,
        way: consent.way.number(),
        purposes: Some(consent.purposes),
        date: None,
    })
}

pub(super) fn reference(text: &str) -> Result<ContentRef, DemoError> {
    text.parse().map_err(|_| DemoError::Unexpected("content that the ledger does not name by version"))
}

fn new_person(person: &Person) -> NewPerson {
    NewPerson {
        band: Some(person.band.number()),
        birth_year: None,
        sex: person.sex.map(|sex| sex.number()),
        phone_kind: Some(person.phone_kind.number()),
        nfc: Some(person.nfc.number()),
        own_sim: Some(person.own_sim.number()),
    }
}
