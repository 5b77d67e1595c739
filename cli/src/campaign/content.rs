//! What the generator knows of the packaged content: services, failure codes, consent texts and the steps of
//! the tutorials that are ready. Reads the same files that the product packs, by a small reader of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::CampaignError;
use super::codes::{Outcome, Service};
use super::ledger::FailureNo;

const SERVICES: &str = include_str!("../../../fixtures/codes/services.json");
const FAILURES: &str = include_str!("../../../fixtures/codes/failure_codes.json");
const CONSENTS: &str = include_str!("../../../fixtures/codes/consents.json");
const TUTORIALS: [&str; 3] = [
    include_str!("../../../fixtures/tutorials/T1.json"),
    include_str!("../../../fixtures/tutorials/T2.json"),
    include_str!("../../../fixtures/tutorials/T3.json"),
];

#[derive(Deserialize)]
struct ServiceFile {
    code: Service,
    version: u32,
    failures: Vec<String>,
}

#[derive(Deserialize)]
struct FailureFile {
    code: String,
    number: u8,
    action: Action,
}

#[derive(Deserialize)]
struct ConsentFile {
    code: String,
    version: u32,
    purposes: Vec<String>,
}

#[derive(Deserialize)]
struct TutorialFile {
    code: String,
    version: u32,
    failures_any_step: Vec<String>,
    results: Vec<ResultFile>,
    steps: Vec<StepFile>,
}

#[derive(Deserialize)]
struct ResultFile {
    service: Service,
    from_step: u8,
    to_step: u8,
}

#[derive(Deserialize)]
struct StepFile {
    failures: Vec<String>,
}

/// What follows from a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Retry,
    Refer,
    FollowUp,
    Respect,
    Stop,
}

impl Action {
    /// The outcomes that a row with such a failure may have.
    pub(super) fn outcomes(self) -> &'static [Outcome] {
        match self {
            Self::Retry => &[Outcome::Failed, Outcome::Later],
            Self::Refer => &[Outcome::Referred],
            Self::FollowUp => &[Outcome::Later],
            Self::Respect => &[Outcome::Refused],
            Self::Stop => &[Outcome::Failed],
        }
    }
}

/// A failure code.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) number: FailureNo,
    pub(super) action: Action,
}

/// The part of a tutorial that leads to one service.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) tutorial: String,
    pub(super) step_total: u8,
    pub(super) from: u8,
    pub(super) to: u8,
    /// Step and index of a failure that is likely there.
    pub(super) own: Vec<(u8, usize)>,
    /// Indices of failures that may be met at every step.
    pub(super) any: Vec<usize>,
}

impl Walk {
    /// Every failure at every step where it may be met.
    pub(super) fn failures(&self) -> impl Iterator<Item = (u8, usize)> {
        let any = (self.from..=self.to).flat_map(|step| self.any.iter().map(move |one| (step, *one)));
        self.own.iter().copied().chain(any)
    }
}

/// A service.
#[derive(Clone, Debug)]
pub(super) struct ServiceContent {
    pub(super) version: u32,
    /// Indices of failures.
    pub(super) failures: Vec<usize>,
    pub(super) walk: Option<Walk>,
}

/// The packaged content.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) failures: Vec<Failure>,
    services: BTreeMap<Service, ServiceContent>,
    pub(super) record_consent: String,
    pub(super) contact_consent: String,
}

fn read<'de, T: Deserialize<'de>>(file: &'static str, text: &'de str) -> Result<T, CampaignError> {
    serde_json::from_str(text).map_err(|source| CampaignError::Malformed { file, source })
}

impl Content {
    /// The content in this program.
    pub(super) fn packaged() -> Result<Self, CampaignError> {
        let failures: Vec<Failure> = read::<Vec<FailureFile>>("failure_codes.json", FAILURES)?
            .into_iter()
            .map(|one| Failure { code: one.code, number: FailureNo(one.number), action: one.action })
            .collect();
        let index = |codes: &[String]| -> Vec<usize> {
            failures
                .iter()
                .enumerate()
                .filter(|(_, failure)| codes.contains(&failure.code))
                .map(|(at, _)| at)
                .collect()
        };
        let mut services: BTreeMap<Service, ServiceContent> =
            read::<Vec<ServiceFile>>("services.json", SERVICES)?
                .into_iter()
                .map(|one| {
                    let failures = index(&one.failures);
                    (one.code, ServiceContent { version: one.version, failures, walk: None })
                })
                .collect();
        for text in TUTORIALS {
            let file: TutorialFile = read("a tutorial", text)?;
            let any = index(&file.failures_any_step);
            for result in &file.results {
                let Some(service) = services.get_mut(&result.service) else { continue };
                let allowed = |one: &usize| service.failures.contains(one);
                let steps = (1u8..).zip(&file.steps);
                let within = steps.filter(|(step, _)| (result.from_step..=result.to_step).contains(step));
                let own = within.flat_map(|(step, file)| {
                    index(&file.failures).into_iter().filter(allowed).map(move |one| (step, one))
                });
                let own = own.collect();
                let any = any.iter().copied().filter(allowed).collect();
                service.walk = Some(Walk {
                    tutorial: format!("{}@{}", file.code, file.version),
                    step_total: file.steps.len() as u8,
                    from: result.from_step,
                    to: result.to_step,
                    own,
                    any,
                });
            }
        }
        let consents: Vec<ConsentFile> = read("consents.json", CONSENTS)?;
        let consent = |purpose: &str| {
            let one = consents.iter().find(|one| one.purposes.iter().any(|held| held == purpose));
            one.map(|one| format!("{}@{}", one.code, one.version))
                .ok_or(CampaignError::Missing { what: "a consent text for each purpose" })
        };
        let (record_consent, contact_consent) = (consent("record")?, consent("contact")?);
        if services.len() != Service::ALL.len() {
            return Err(CampaignError::Missing { what: "a service" });
        }
        Ok(Self { record_consent, contact_consent, failures, services })
    }

    /// A service; all are there.
    pub(super) fn service(&self, service: Service) -> &ServiceContent {
        &self.services[&service]
    }

    /// Every failure of the tutorials: those of a step at each of their steps, those of every step once,
    /// spread over the steps.
    pub(super) fn every_failure(&self) -> Vec<(Service, u8, usize)> {
        let mut found = Vec::new();
        for (service, content) in &self.services {
            // A later filing walks the steps of the first one.
            if let Some(walk) = &content.walk
                && *service != Service::PortalLaterFiling
            {
                let steps = (walk.from..=walk.to).cycle();
                let any = steps.zip(&walk.any).map(|(step, one)| (step, *one));
                found.extend(walk.own.iter().copied().chain(any).map(|(step, one)| (*service, step, one)));
            }
        }
        found
    }
}

/// Every service by version, such as `sim_4g@1`, as rows refer to them.
///
/// # Errors
/// [`CampaignError::Malformed`] only when this program was built from a broken file.
pub fn service_references() -> Result<BTreeMap<Service, String>, CampaignError> {
    let content = Content::packaged()?;
    let reference = |(service, one): (&Service, &ServiceContent)| {
        (*service, format!("{}@{}", service.code(), one.version))
    };
    Ok(content.services.iter().map(reference).collect())
}
