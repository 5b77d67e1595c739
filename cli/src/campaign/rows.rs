//! One service row: what came of a service for a person, why, and the checklist that was walked. Outcome,
//! failure and person always fit: nobody without a phone lacks only its NFC.

use super::codes::{AgeBand, Evidence, Outcome, PhoneKind, Service, YesNo};
use super::content::Walk;
use super::event::{Run, ServiceRow};
use super::ledger::FailureNo;
use super::people;
use super::world::{Like, Someone, World};

/// What a visit is to bring: a service and its outcome, maybe a certain failure (step and index).
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) service: Service,
    pub(super) outcome: Outcome,
    pub(super) failure: Option<(u8, usize)>,
}

impl Want {
    pub(super) fn new(service: Service, outcome: Outcome) -> Self {
        Self { service, outcome, failure: None }
    }
}

/// Whether the service can only be done on a smartphone.
fn needs_smartphone(service: Service) -> bool {
    !matches!(service, Service::Sim4g | Service::ScamAwareness | Service::SmartphoneUse)
}

/// Whether a failure can be met by a person; `None` = one of whom nothing is known.
fn fits(code: &str, person: Option<&Someone>) -> bool {
    let Some(person) = person else { return !matches!(code, "D1" | "D2" | "H5") };
    match code {
        "D1" => person.phone == PhoneKind::None,
        "D2" => person.phone == PhoneKind::Feature,
        "D5" => person.phone == PhoneKind::Smart && person.nfc != YesNo::Yes,
        "H5" => person.band == AgeBand::Under14,
        "H4" => person.band == AgeBand::From60,
        "M1" => person.own_sim != YesNo::Yes,
        _ => true,
    }
}

/// What a person must be like to meet a failure; none when anybody may.
pub(super) fn like(code: &str) -> Option<Like> {
    let default = Like { phone: Some(PhoneKind::Smart), ..Like::default() };
    Some(match code {
        "D1" => Like { phone: Some(PhoneKind::None), ..default },
        "D2" => Like { phone: Some(PhoneKind::Feature), ..default },
        "D5" => Like { nfc: Some(YesNo::No), ..default },
        "H5" => Like { band: Some(AgeBand::Under14), ..default },
        "H4" => Like { band: Some(AgeBand::From60), ..default },
        "M1" => Like { own_sim: Some(YesNo::No), ..default },
        _ => return None,
    })
}

/// Whether a person may be the one for whom a want comes true.
pub(super) fn suits(person: &Someone, want: Want, code: Option<&str>) -> bool {
    let grown = person.band >= AgeBand::From18 || !needs_smartphone(want.service);
    let again = want.service == Service::PortalLaterFiling;
    let smart = person.phone == PhoneKind::Smart
        || !needs_smartphone(want.service)
            && (person.phone == PhoneKind::Feature || want.service == Service::ScamAwareness);
    code.is_none_or(|code| fits(code, Some(person))) && (again || !person.has(want.service)) && grown && smart
}

impl World<'_> {
    /// The row of a want for a person of the team, or for nobody in particular.
    pub(super) fn row(&mut self, want: Want, person: Option<usize>) -> ServiceRow {
        let met = if matches!(want.outcome, Outcome::New | Outcome::Had) {
            None
        } else {
            let drawn = want.failure.map(|(step, at)| (Some(step), at));
            drawn.or_else(|| self.draw_failure(want, person))
        };
        // What is not done has a reason; where the outcome has none that fits, the citizen would not.
        let refused = Want { outcome: Outcome::Refused, ..want };
        let (outcome, met) = match (want.outcome, met) {
            (Outcome::New | Outcome::Had, _) | (_, Some(_)) => (want.outcome, met),
            _ => (Outcome::Refused, self.draw_failure(refused, person)),
        };
        if let (Outcome::New | Outcome::Had, Some(person)) = (outcome, person) {
            self.people[person].done |= want.service.bit();
            if outcome == Outcome::New {
                self.people[person].newly |= want.service.bit();
            }
        }
        let failure = met.map(|(_, at)| self.content.failures[at].number);
        let walked = match outcome {
            Outcome::New => self.rng.chance(45),
            Outcome::Had => false,
            _ => want.failure.is_some() || self.rng.chance(60),
        };
        let walk = self.content.service(want.service).walk.as_ref();
        let run = match (walk.filter(|_| walked), met) {
            (Some(walk), Some((Some(step), _))) => Some(self.run(walk, person, Some((step, failure)))),
            (Some(walk), None) if outcome == Outcome::New => Some(self.run(walk, person, None)),
            _ => None,
        };
        let evidence = match outcome {
            Outcome::New
                if matches!(want.service, Service::PortalFirstFiling | Service::PortalLaterFiling) =>
            {
                Some(self.rng.weighted(&[(Evidence::Shown, 6), (Evidence::Paper, 3), (Evidence::Told, 1)]))
            }
            Outcome::New => Some(self.rng.weighted(&[(Evidence::Shown, 8), (Evidence::Told, 2)])),
            Outcome::Had => Some(self.rng.weighted(&[(Evidence::Shown, 5), (Evidence::Told, 5)])),
            _ => None,
        };
        let person = person.map(|person| self.people[person].no);
        ServiceRow { person, service: want.service, outcome, failure, evidence, run }
    }

    /// A failure that leads to the outcome and fits the person; with its step where there is a tutorial.
    fn draw_failure(&mut self, want: Want, person: Option<usize>) -> Option<(Option<u8>, usize)> {
        let service = self.content.service(want.service);
        let someone = person.map(|person| &self.people[person]);
        let may = |at: usize| {
            let failure = &self.content.failures[at];
            failure.action.outcomes().contains(&want.outcome) && fits(&failure.code, someone)
        };
        let found: Vec<(Option<u8>, usize)> = match &service.walk {
            Some(walk) => {
                walk.failures().filter(|(_, at)| may(*at)).map(|(step, at)| (Some(step), at)).collect()
            }
            None => service.failures.iter().filter(|at| may(**at)).map(|at| (None, *at)).collect(),
        };
        self.rng.pick(&found).copied()
    }

    fn run(&mut self, walk: &Walk, person: Option<usize>, stop: Option<(u8, Option<FailureNo>)>) -> Run {
        let nfc = person.map_or(YesNo::Unknown, |person| self.people[person].nfc);
        let mut steps = vec![0; usize::from(walk.step_total)];
        let last_step = stop.map_or(walk.to, |(step, _)| step);
        for step in walk.from..=last_step {
            let skip = match (walk.tutorial.get(..2), step) {
                // The chip is read only where the phone can; a SIM is verified anew only in a new phone.
                (Some("T1"), 8) => nfc != YesNo::Yes,
                (Some("T2"), 11) => self.rng.chance(85),
                (Some("T3"), 10) => self.rng.chance(30),
                (Some("T3"), 11) => self.rng.chance(55),
                _ => false,
            };
            steps[usize::from(step) - 1] = if skip { 2 } else { 1 };
        }
        if let Some((step, Some(failure))) = stop {
            steps[usize::from(step) - 1] = failure.0;
        }
        let (phone_model, os_version) = match person.map(|person| self.people[person].phone) {
            Some(PhoneKind::Feature) => ("Nokia 105".to_owned(), String::new()),
            Some(PhoneKind::None) => (String::new(), String::new()),
            _ => people::smartphone(&mut self.rng),
        };
        let minutes = 4 + (u16::from(last_step) - u16::from(walk.from)) * 2 + self.rng.below(6) as u16;
        let teach_back = stop.is_none() && self.rng.chance(70);
        Run {
            tutorial: walk.tutorial.clone(),
            steps,
            last_step,
            phone_model,
            os_version,
            minutes,
            teach_back,
        }
    }
}
