//! The workload that every number is measured on: one team's book, made from a seed, the same on every machine.
//!
//! One team of 10 members, half of them out on a day, 6 to 13 visits each, a new process run (so a new writer) every
//! 5 visits. Of 10,000 visits 800 are anonymous and 4,135 meet a new household: a consent each, 1 to 3 persons, 8,274
//! in all; 2,527 households leave a contact. 15,990 service rows, one in five with a failure code, a checklist run each,
//! and 1,800 follow-ups. Counts are exact and scale with the number of visits.

use langso_domain::content::{Content, FailureAction};
use langso_domain::date::CivilDate;

use crate::campaign::codes::{Language, Sex};
use crate::campaign::people;
use crate::campaign::rng::SplitMix64;

/// Members of the team.
pub const MEMBERS: usize = 10;
/// Its hamlets.
pub const HAMLETS: usize = 9;
/// Visits of one process run of a phone.
pub const VISITS_A_RUN: u32 = 5;
/// The first day: 2 January 2024.
pub const FIRST_DAY: CivilDate = CivilDate(19_724);
/// The commune of every visit.
pub const UNIT: &str = "06838@2024";

/// A household as it is met.
#[derive(Clone, Debug)]
pub struct Household {
    /// What the team calls it.
    pub label: String,
    /// How to find it.
    pub hint: Option<&'static str>,
    /// Its hamlet's place in the team's list.
    pub hamlet: usize,
    /// A number of the list `poverty`.
    pub poverty: Option<u8>,
    /// A number of the list `consent_ways`.
    pub way: u8,
    /// Who lives there.
    pub persons: Vec<Person>,
    /// One of them, with name and number, when they were left.
    pub contact: Option<(usize, String, String)>,
}

/// A person of a household.
#[derive(Clone, Debug)]
pub struct Person {
    /// A number of the list `age_bands`.
    pub band: u8,
    /// A number of the list `sexes`.
    pub sex: u8,
    /// A number of the list `phone_kinds`.
    pub phone_kind: u8,
    /// A number of the list `yes_no_unknown`.
    pub nfc: u8,
    /// A number of the list `yes_no_unknown`.
    pub own_sim: u8,
}

/// One visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The member's place in the team's list.
    pub member: usize,
    /// Numbers the process runs of the member's phone.
    pub run: u32,
    /// When.
    pub day: CivilDate,
    /// Minute of the day.
    pub start: u16,
    /// Minute of the day.
    pub end: u16,
    /// The household's place in the list; none = an anonymous turn.
    pub household: Option<usize>,
    /// Whether the household is met for the first time.
    pub is_new: bool,
    /// The hamlet's place in the team's list.
    pub hamlet: usize,
    /// A number of the list `place_kinds`.
    pub place: u8,
    /// A number of the list `languages`.
    pub language: u8,
    /// A number of the list `signals`.
    pub signal: u8,
    /// At least one.
    pub services: Vec<Service>,
    /// For the first service, when a return is arranged: in so many days.
    pub follow_up: Option<u8>,
}

/// One service of a visit, with the checklist that was walked.
#[derive(Clone, Debug)]
pub struct Service {
    /// The person's place in the household.
    pub person: Option<usize>,
    /// By version.
    pub service: &'static str,
    /// By version.
    pub tutorial: &'static str,
    /// A number of the list `outcomes`.
    pub outcome: u8,
    /// A failure code's number.
    pub failure: Option<u8>,
    /// A number of the list `evidence`.
    pub evidence: Option<u8>,
    /// Steps walked through, of all.
    pub steps: (u8, u8),
    /// Of the citizen's phone: model and system.
    pub phone: (String, String),
    /// How long the checklist took.
    pub minutes: u8,
    /// The citizen did it once more alone.
    pub teach_back: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Workload {
    /// In the order in which they are met.
    pub households: Vec<Household>,
    /// In the order of time.
    pub visits: Vec<Visit>,
}

/// How many rows of each kind a workload holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Visits, anonymous ones included.
    pub visits: usize,
    /// Visits without a household.
    pub anonymous: usize,
    /// Households, each with a consent.
    pub households: usize,
    /// Persons.
    pub persons: usize,
    /// Contacts.
    pub contacts: usize,
    /// Service rows, each with a checklist run.
    pub services: usize,
    /// Service rows with a failure code.
    pub failures: usize,
    /// Follow-ups.
    pub follow_ups: usize,
}

/// Services of the workload with their tutorial, by version, and their share.
const SERVICES: &[(&str, &str, u32)] = &[
    ("vneid_level2@1", "T1@1", 45),
    ("sim_4g@1", "T2@1", 20),
    ("portal_first_login@1", "T3@1", 25),
    ("portal_first_filing@1", "T3@1", 10),
];
const HINTS: &[&str] = &["cạnh trường", "đầu dốc", "sau nhà văn hóa", "cuối ngõ", "gần suối", "mái tôn xanh"];

/// A list of `total` marks of which the first kinds come so often; in an order by chance.
fn deal<T: Clone>(rng: &mut SplitMix64, total: usize, kinds: &[(T, usize)], rest: T) -> Vec<T> {
    let mut dealt: Vec<T> =
        kinds.iter().flat_map(|(kind, count)| std::iter::repeat_n(kind.clone(), *count)).collect();
    dealt.resize(total, rest);
    rng.shuffle(&mut dealt);
    dealt
}

impl Workload {
    /// The workload of so many visits.
    pub fn new(visits: usize, seed: u64) -> Self {
        let of = |count: usize| (visits * count + 5_000) / 10_000;
        let mut rng = SplitMix64::stream(seed, "bench", visits as u64);
        let met = of(4_135).max(1);
        let mut whom = deal(&mut rng, visits, &[(Whom::Nobody, of(800)), (Whom::New, met)], Whom::Known);
        // The first visit meets somebody new, so that there is a household to come back to.
        if let Some(first) = whom.iter().position(|whom| *whom == Whom::New) {
            whom.swap(0, first);
        }
        let households = households(&mut rng, met, of(8_274), of(2_527));
        let (one, three) = (of(5_000), (of(15_990) + of(5_000)).saturating_sub(2 * visits));
        let mut services = deal(&mut rng, visits, &[(1, one), (3, three)], 2).into_iter();
        let failing = of(3_198);
        let mut fails = deal(&mut rng, of(15_990), &[(true, failing)], false).into_iter();
        let at_home = visits - of(800).min(visits);
        let mut returns = deal(&mut rng, at_home, &[(true, of(1_800))], false).into_iter();
        let choices = choices();
        let mut made = Vec::with_capacity(visits);
        let mut seen = 0;
        let mut out = Out::default();
        for whom in whom {
            let (member, run, day, start) = out.next(&mut rng);
            let is_new = whom == Whom::New;
            seen += usize::from(is_new);
            let household = match whom {
                Whom::Nobody => None,
                Whom::New => Some(seen - 1),
                Whom::Known => Some(rng.below(seen as u32) as usize),
            };
            let home = household.map(|at| &households[at]);
            let hamlet = home.map_or_else(|| rng.below(HAMLETS as u32) as usize, |home| home.hamlet);
            let persons = home.map_or(0, |home| home.persons.len() as u32);
            let count = services.next().unwrap_or(1);
            let services = (0..count)
                .map(|_| service(&mut rng, &choices, persons, fails.next().unwrap_or(false)))
                .collect::<Vec<_>>();
            made.push(Visit {
                member,
                run,
                day,
                start,
                end: start + 15 * rng.within(1, 4) as u16,
                household,
                is_new,
                hamlet,
                place: if home.is_some() {
                    rng.weighted(&[(1, 85), (2, 10), (5, 5)])
                } else {
                    rng.within(2, 4) as u8
                },
                language: (hamlet % 4) as u8 + 1,
                signal: rng.weighted(&[(1, 20), (2, 30), (3, 40), (4, 10)]),
                services,
                follow_up: (home.is_some() && returns.next().unwrap_or(false))
                    .then(|| rng.weighted(&[(3, 30), (7, 40), (14, 20), (30, 10)])),
            });
        }
        Self { households, visits: made }
    }

    /// What it holds.
    pub fn counts(&self) -> Counts {
        let persons = || self.households.iter().flat_map(|home| &home.persons);
        let services = || self.visits.iter().flat_map(|visit| &visit.services);
        Counts {
            visits: self.visits.len(),
            anonymous: self.visits.iter().filter(|visit| visit.household.is_none()).count(),
            households: self.households.len(),
            persons: persons().count(),
            contacts: self.households.iter().filter(|home| home.contact.is_some()).count(),
            services: services().count(),
            failures: services().filter(|service| service.failure.is_some()).count(),
            follow_ups: self.visits.iter().filter(|visit| visit.follow_up.is_some()).count(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    Nobody,
    New,
    Known,
}

fn households(rng: &mut SplitMix64, total: usize, persons: usize, contacts: usize) -> Vec<Household> {
    // As many of one person as of three, but for what makes the sum.
    let ones = (3 * total).saturating_sub(persons) / 2 * 2 / 3;
    let (ones, threes) = balance(total, persons, ones);
    let sizes = deal(rng, total, &[(1, ones), (3, threes)], 2);
    let mut leaves = deal(rng, total, &[(true, contacts)], false).into_iter();
    let mut made = Vec::with_capacity(total);
    for (at, size) in sizes.into_iter().enumerate() {
        let persons: Vec<Person> = (0..size)
            .map(|_| Person {
                band: rng.weighted(&[(2, 5), (3, 25), (4, 45), (5, 25)]),
                sex: rng.within(1, 2) as u8,
                phone_kind: rng.weighted(&[(1, 10), (2, 25), (3, 65)]),
                nfc: rng.weighted(&[(3, 60), (2, 25), (1, 15)]),
                own_sim: rng.weighted(&[(1, 75), (3, 15), (2, 10)]),
            })
            .collect();
        let contact = leaves.next().unwrap_or(false).then(|| {
            let at = rng.below(size) as usize;
            let (name, phone) = contact(rng, persons[at].sex);
            (at, name, phone)
        });
        made.push(Household {
            label: format!("Hộ {}", at + 1),
            hint: rng.chance(40).then(|| rng.pick(HINTS).copied()).flatten(),
            hamlet: rng.below(HAMLETS as u32) as usize,
            poverty: rng.chance(50).then(|| rng.within(1, 3) as u8),
            way: rng.weighted(&[(1, 70), (2, 20), (3, 10)]),
            persons,
            contact,
        });
    }
    made
}

fn contact(rng: &mut SplitMix64, sex: u8) -> (String, String) {
    let language =
        rng.weighted(&[(Language::Kinh, 4), (Language::Tay, 2), (Language::Dao, 3), (Language::SanChi, 1)]);
    let sex = if sex == 1 { Sex::Female } else { Sex::Male };
    (people::name(rng, language, sex), people::phone(rng))
}

/// How many of `total` get one and how many get three so that all sum to `sum`, near `ones`.
fn balance(total: usize, sum: usize, ones: usize) -> (usize, usize) {
    let (ones, threes) = match sum.checked_sub(2 * total) {
        Some(more) => (ones, ones + more),
        None => (ones + (2 * total - sum), ones),
    };
    let over = (ones + threes).saturating_sub(total).div_ceil(2);
    (ones.saturating_sub(over), threes.saturating_sub(over))
}

/// What may come of a service: its tutorial's steps, and every failure that may end it, with step and outcome.
struct Choice {
    service: &'static str,
    tutorial: &'static str,
    share: u32,
    steps: u8,
    failures: Vec<(u8, u8, u8)>,
}

fn choices() -> Vec<Choice> {
    let content = Content::packaged();
    let choice = |(service, tutorial, share): &(&'static str, &'static str, u32)| {
        let known = content.service_at(&service.parse().ok()?)?;
        let walked = content.tutorial_at(&tutorial.parse().ok()?)?;
        let steps = walked.steps.len() as u8;
        let mut failures = Vec::new();
        for step in 1..=steps {
            for code in
                walked.failures_at(step).into_iter().filter(|code| known.failures.iter().any(|of| of == code))
            {
                let failure = content.failure_code(code)?;
                let outcome = match failure.action {
                    FailureAction::Retry => 4,
                    FailureAction::FollowUp => 3,
                    FailureAction::Refer => 6,
                    _ => continue,
                };
                failures.push((failure.number, step, outcome));
            }
        }
        Some(Choice { service, tutorial, share: *share, steps, failures })
    };
    SERVICES.iter().filter_map(choice).collect()
}

fn service(rng: &mut SplitMix64, choices: &[Choice], persons: u32, fails: bool) -> Service {
    let shares: Vec<(usize, u32)> = choices.iter().map(|choice| choice.share).enumerate().collect();
    let choice = &choices[rng.weighted(&shares)];
    let failure = fails.then(|| rng.pick(&choice.failures).copied()).flatten();
    Service {
        person: (persons > 0).then(|| rng.below(persons) as usize),
        service: choice.service,
        tutorial: choice.tutorial,
        outcome: failure.map_or_else(|| rng.weighted(&[(1, 85), (2, 15)]), |(_, _, outcome)| outcome),
        failure: failure.map(|(number, ..)| number),
        evidence: failure.is_none().then(|| rng.weighted(&[(1, 75), (2, 20), (3, 5)])),
        steps: (failure.map_or(choice.steps, |(_, step, _)| step), choice.steps),
        phone: people::smartphone(rng),
        minutes: 5 * rng.within(2, 9) as u8,
        teach_back: failure.is_none() && rng.chance(80),
    }
}

/// Who is out, and for how many visits more.
#[derive(Default)]
struct Out {
    day: i32,
    /// Members with the visits they still make today.
    today: Vec<(usize, u32)>,
    at: usize,
    made: [u32; MEMBERS],
    minute: [u16; MEMBERS],
}

impl Out {
    /// The next visit: member, process run, day, minute.
    fn next(&mut self, rng: &mut SplitMix64) -> (usize, u32, CivilDate, u16) {
        while self.at == self.today.len() {
            if self.at > 0 {
                self.day += 1;
            }
            let mut members: Vec<usize> = (0..MEMBERS).collect();
            rng.shuffle(&mut members);
            members.truncate(MEMBERS / 2);
            self.today = members.into_iter().map(|member| (member, rng.within(6, 13))).collect();
            self.minute = [7 * 60; MEMBERS];
            self.at = 0;
        }
        let (member, left) = &mut self.today[self.at];
        let member = *member;
        *left -= 1;
        if *left == 0 {
            self.at += 1;
        }
        let run = self.made[member] / VISITS_A_RUN;
        self.made[member] += 1;
        let minute = self.minute[member];
        self.minute[member] += 15 * rng.within(2, 5) as u16;
        (member, run, CivilDate(FIRST_DAY.0 + self.day), minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_visits_hold_what_the_design_counts() {
        let counts = Workload::new(10_000, 1).counts();
        let wanted = Counts {
            visits: 10_000,
            anonymous: 800,
            households: 4_135,
            persons: 8_274,
            contacts: 2_527,
            services: 15_990,
            failures: 3_198,
            follow_ups: 1_800,
        };
        assert_eq!(counts, wanted);
    }

    #[test]
    fn a_day_has_half_of_the_team_out_with_6_to_13_visits_each_and_a_run_has_5() {
        let load = Workload::new(10_000, 1);
        let mut days = std::collections::BTreeMap::<_, std::collections::BTreeMap<_, _>>::new();
        let mut runs = std::collections::BTreeMap::new();
        for visit in &load.visits {
            *days.entry(visit.day).or_default().entry(visit.member).or_insert(0) += 1;
            *runs.entry((visit.member, visit.run)).or_insert(0) += 1;
        }
        days.pop_last();
        assert!(days.values().all(|of_day| of_day.len() == MEMBERS / 2));
        assert!(days.values().flat_map(|of_day| of_day.values()).all(|count| (6..=13).contains(count)));
        assert!(runs.values().all(|count| *count <= VISITS_A_RUN) && runs.len() > 10_000 / 5 - 1);
    }

    #[test]
    fn the_same_seed_gives_the_same_book_and_any_size_is_consistent() {
        let (one, other) = (Workload::new(300, 7), Workload::new(300, 7));
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        for visits in [1, 2, 7, 40, 999] {
            let load = Workload::new(visits, 3);
            assert_eq!(load.visits.len(), visits);
            let met = load.visits.iter().filter(|visit| visit.is_new).count();
            assert_eq!(met, load.households.len(), "{visits}");
            assert!(load.households.iter().all(|home| (1..=3).contains(&home.persons.len())));
        }
    }
}
