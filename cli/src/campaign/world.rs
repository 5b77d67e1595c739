//! One team while its ledger is written: who is registered, what was achieved, which returns are open, and
//! what each device can know by a moment. Events go in through here, so that the rules between them hold.

use langso_domain::date::CivilDate;

use super::codes::{AgeBand, ConsentWay, Language, PhoneKind, Place, Poverty, Service, Sex, Signal, YesNo};
use super::content::Content;
use super::event::{Consent, Contact, Event, FollowUp, Household, Person, Visit, What};
use super::ledger::{
    ConsentNo, FollowUpNo, GroupNo, HamletNo, HouseholdNo, MemberNo, Moment, PersonNo, Span, Team, VisitNo,
};
use super::people;
use super::rng::SplitMix64;
use super::schedule::{Slot, Syncs};

/// The next numbers; handed from team to team.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    household: u32,
    person: u32,
    consent: u32,
    visit: u32,
    follow_up: u32,
    group: u32,
}

fn next(number: &mut u32) -> u32 {
    *number += 1;
    *number - 1
}

/// A registered household.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) no: HouseholdNo,
    pub(super) author: MemberNo,
    pub(super) made: Moment,
    pub(super) hamlet: usize,
    pub(super) poverty: Option<Poverty>,
    /// Indices into the team's people.
    pub(super) people: Vec<usize>,
}

/// A registered person.
#[derive(Clone, Debug)]
pub(super) struct Someone {
    pub(super) no: PersonNo,
    pub(super) home: usize,
    pub(super) band: AgeBand,
    pub(super) phone: PhoneKind,
    pub(super) nfc: YesNo,
    pub(super) own_sim: YesNo,
    /// Bits of services that are done or were had.
    pub(super) done: u16,
    /// Bits of those that this team newly did.
    pub(super) newly: u16,
}

impl Someone {
    pub(super) fn has(&self, service: Service) -> bool {
        self.done & service.bit() != 0
    }
}

/// A planned return.
#[derive(Clone, Debug)]
pub(super) struct Return {
    pub(super) no: FollowUpNo,
    pub(super) person: usize,
    pub(super) service: Service,
    pub(super) due: CivilDate,
    author: MemberNo,
    made: Moment,
    pub(super) open: bool,
}

/// What a new person must be like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Like {
    pub(super) band: Option<AgeBand>,
    pub(super) phone: Option<PhoneKind>,
    pub(super) nfc: Option<YesNo>,
    pub(super) own_sim: Option<YesNo>,
}

/// The team's state.
pub(super) struct World<'a> {
    pub(super) content: &'a Content,
    pub(super) team: &'a Team,
    pub(super) period: Span,
    pub(super) syncs: &'a Syncs,
    pub(super) rng: SplitMix64,
    pub(super) numbers: Numbers,
    pub(super) homes: Vec<Home>,
    pub(super) people: Vec<Someone>,
    pub(super) returns: Vec<Return>,
    /// Households registered, a hamlet.
    registered: Vec<u32>,
    pub(super) events: Vec<Event>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        content: &'a Content,
        team: &'a Team,
        period: Span,
        syncs: &'a Syncs,
        rng: SplitMix64,
        numbers: Numbers,
    ) -> Self {
        Self {
            content,
            team,
            period,
            syncs,
            rng,
            numbers,
            homes: Vec::new(),
            people: Vec::new(),
            returns: Vec::new(),
            registered: vec![0; team.hamlets.len()],
            events: Vec::new(),
        }
    }

    /// Writes an event of a member's device.
    pub(super) fn push(&mut self, at: Moment, member: MemberNo, what: What) {
        let phone = self.team.members[member.index()].phone;
        self.events.push(Event { at, team: self.team.no, member, phone, what });
    }

    /// Whether a member's device knows the household by then.
    pub(super) fn knows_home(&self, member: MemberNo, home: usize, now: Moment) -> bool {
        let home = &self.homes[home];
        self.syncs.knows(member, home.author, home.made, now)
    }

    /// The open returns that a member's device knows by then.
    pub(super) fn open_returns(&self, member: MemberNo, now: Moment) -> impl Iterator<Item = usize> {
        let known = move |one: &Return| self.syncs.knows(member, one.author, one.made, now);
        self.returns.iter().enumerate().filter(move |(_, one)| one.open && known(one)).map(|(at, _)| at)
    }

    /// A hamlet where a household is still unregistered; any when all are.
    fn pick_hamlet(&mut self) -> usize {
        let left: Vec<(usize, u32)> = self
            .team
            .hamlets
            .iter()
            .zip(&self.registered)
            .enumerate()
            .map(|(at, (hamlet, registered))| (at, hamlet.household_total.saturating_sub(*registered)))
            .collect();
        self.rng.weighted(&left)
    }

    /// Registers a household with its consent and people (at least one, each as wanted), and now and then a
    /// contact. Gives the household's index and the moment of the last of these events.
    pub(super) fn register(
        &mut self,
        slot: Slot,
        people: &[Like],
        poverty: Option<Poverty>,
    ) -> (usize, Moment) {
        let hamlet = self.pick_hamlet();
        self.registered[hamlet] += 1;
        let label = format!("Hộ {}", self.registered[hamlet]);
        let mut at = Moment::on(slot.day, slot.start * 60 + 60 + self.rng.below(50));
        let no = HouseholdNo(next(&mut self.numbers.household));
        let poverty = poverty.or_else(|| {
            self.rng.weighted(&[
                (Some(Poverty::Poor), 9),
                (Some(Poverty::NearPoor), 14),
                (Some(Poverty::NotPoor), 57),
                (None, 20),
            ])
        });
        let hint = self.rng.chance(45).then(|| people::hint(&mut self.rng));
        let hamlet_no = self.team.hamlets[hamlet].no;
        let household = Household { no, label, hamlet: hamlet_no, poverty, hint };
        self.push(at, slot.member, What::Household(household));
        at.0 += 1_000;
        self.consent(at, slot.member, Some(no), 1);
        let home = self.homes.len();
        self.homes.push(Home { no, author: slot.member, made: at, hamlet, poverty, people: Vec::new() });
        for like in people {
            at.0 += 12_000 + i64::from(self.rng.below(20_000));
            self.person(at, slot.member, home, *like);
        }
        if self.rng.chance(30) {
            at.0 += 15_000;
            let consent = self.consent(at, slot.member, Some(no), 2);
            at.0 += 15_000;
            self.contact(at, slot, home, consent);
        }
        self.homes[home].made = at;
        (home, at)
    }

    /// Asks for consent: the answer is yes when there is a household, by which it becomes one.
    pub(super) fn consent(
        &mut self,
        at: Moment,
        member: MemberNo,
        household: Option<HouseholdNo>,
        purposes: u8,
    ) -> ConsentNo {
        let no = ConsentNo(next(&mut self.numbers.consent));
        let way =
            self.rng.weighted(&[(ConsentWay::Witness, 6), (ConsentWay::Tick, 3), (ConsentWay::Sign, 1)]);
        let text = if purposes == 2 { &self.content.contact_consent } else { &self.content.record_consent };
        let given = household.is_some();
        let purposes = if given { purposes } else { 0 };
        let consent = Consent { no, household, given, text: text.clone(), way, purposes };
        self.push(at, member, What::Consent(consent));
        no
    }

    fn contact(&mut self, at: Moment, slot: Slot, home: usize, consent: ConsentNo) {
        let person = self.homes[home].people[0];
        let language = self.team.hamlets[self.homes[home].hamlet].language;
        let sex = self.rng.weighted(&[(Sex::Female, 1), (Sex::Male, 1)]);
        let contact = Contact {
            consent,
            household: self.homes[home].no,
            person: Some(self.people[person].no),
            display_name: people::name(&mut self.rng, language, sex),
            phone_number: people::phone(&mut self.rng),
            expires_on: CivilDate(slot.day.0 + self.rng.within(30, 90) as i32),
        };
        self.push(at, slot.member, What::Contact(contact));
    }

    fn person(&mut self, at: Moment, member: MemberNo, home: usize, like: Like) {
        let rng = &mut self.rng;
        let band = like.band.unwrap_or_else(|| {
            rng.weighted(&[
                (AgeBand::From18, 30),
                (AgeBand::From35, 45),
                (AgeBand::From60, 20),
                (AgeBand::From14, 5),
            ])
        });
        let phone = like.phone.unwrap_or_else(|| {
            rng.weighted(&[(PhoneKind::Smart, 86), (PhoneKind::Feature, 10), (PhoneKind::None, 4)])
        });
        let nfc = if phone == PhoneKind::Smart {
            rng.weighted(&[(YesNo::Yes, 40), (YesNo::No, 35), (YesNo::Unknown, 25)])
        } else {
            YesNo::No
        };
        let sim = rng.weighted(&[(YesNo::Yes, 70), (YesNo::No, 12), (YesNo::Unknown, 18)]);
        let own_sim = if phone == PhoneKind::None { YesNo::Unknown } else { sim };
        let sex = rng.weighted(&[(Some(Sex::Female), 48), (Some(Sex::Male), 44), (None, 8)]);
        let (nfc, own_sim) = (like.nfc.unwrap_or(nfc), like.own_sim.unwrap_or(own_sim));
        let no = PersonNo(next(&mut self.numbers.person));
        let household = self.homes[home].no;
        let person = Person { no, household, band, sex, phone_kind: phone, nfc, own_sim };
        self.homes[home].people.push(self.people.len());
        self.people.push(Someone { no, home, band, phone, nfc, own_sim, done: 0, newly: 0 });
        self.push(at, member, What::Person(person));
    }

    /// A visit at a slot, without rows yet.
    pub(super) fn visit(&mut self, slot: Slot, home: Option<usize>, place: Place) -> Visit {
        let at = match home {
            Some(home) => self.homes[home].hamlet,
            None => self.rng.below(self.team.hamlets.len() as u32) as usize,
        };
        let hamlet = &self.team.hamlets[at];
        let out = self.team.no_signal.iter().any(|span| span.holds(slot.day));
        let signal = if out {
            Signal::None
        } else if place == Place::Centre {
            Signal::Wifi
        } else {
            self.rng.weighted(&[(hamlet.signal, 8), (Signal::G2, 1), (Signal::G4, 1)])
        };
        let language = if self.rng.chance(70) { hamlet.language } else { Language::Kinh };
        let mut members = vec![slot.member];
        if self.rng.chance(18) {
            let other = MemberNo(self.rng.below(self.team.members.len() as u32) as u8);
            members.extend((other != slot.member).then_some(other));
        }
        Visit {
            no: VisitNo(next(&mut self.numbers.visit)),
            household: home.map(|home| self.homes[home].no),
            hamlet: hamlet.no,
            unit: hamlet.unit.clone(),
            date: slot.day,
            start_minute: quarter(slot.start),
            end_minute: quarter(slot.end),
            place,
            language,
            signal,
            members,
            note: self.rng.chance(14).then(|| people::note(&mut self.rng)),
            rows: Vec::new(),
        }
    }

    /// Plans a return from a visit just saved.
    pub(super) fn plan_return(
        &mut self,
        at: Moment,
        member: MemberNo,
        visit: VisitNo,
        person: usize,
        service: Service,
    ) {
        let no = FollowUpNo(next(&mut self.numbers.follow_up));
        let due = CivilDate(at.date().0 + self.rng.within(3, 21) as i32);
        let other = MemberNo(self.rng.below(self.team.members.len() as u32) as u8);
        let follow_up = FollowUp {
            no,
            visit,
            household: self.homes[self.people[person].home].no,
            person: self.people[person].no,
            service,
            due_on: due,
            assigned_to: if self.rng.chance(85) { member } else { other },
            note: self.rng.chance(25).then(|| people::bring(&mut self.rng)),
        };
        self.push(at, member, What::FollowUp(follow_up));
        self.returns.push(Return { no, person, service, due, author: member, made: at, open: true });
    }

    /// A number for a group.
    pub(super) fn group_no(&mut self) -> GroupNo {
        GroupNo(next(&mut self.numbers.group))
    }

    /// A hamlet of the team.
    pub(super) fn any_hamlet(&mut self) -> (HamletNo, String) {
        let hamlet = &self.team.hamlets[self.rng.below(self.team.hamlets.len() as u32) as usize];
        (hamlet.no, hamlet.unit.clone())
    }
}

/// Rounded to 15 minutes.
fn quarter(minute: u32) -> u16 {
    ((minute + 7) / 15 * 15) as u16
}
