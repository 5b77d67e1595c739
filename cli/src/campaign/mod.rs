//! A sample campaign, lived by no phone yet: from parameters and a seed comes a [`Ledger`] of events (who,
//! where, when, what came of it), and from the ledger a [`tally`] by plain loops. Phones then live the ledger
//! through their own interface, and what hub and pages show is held against the tally.
//!
//! Everything is made from arguments: the same parameters and seed give the same bytes, on every machine. The
//! generator may rely on `langso_domain` for dates alone, and on the packaged content for services, steps and
//! failure codes; never on the product's indicators, which it is there to check.

pub mod codes;
mod content;
mod deal;
pub mod event;
mod farmers;
mod gatherings;
mod generate;
mod handover;
pub mod ledger;
pub mod parameters;
pub(crate) mod people;
mod phones;
pub(crate) mod rng;
mod rows;
mod schedule;
pub mod stock;
mod tally;
mod teams;
#[cfg(test)]
mod tests;
mod world;

pub use content::service_references;
pub use event::{Event, What};
pub use generate::{disagreement, generate};
pub use ledger::{Ledger, LedgerError, TeamNo};
pub use parameters::Parameters;
pub use tally::{Counted, TallyRow, Totals, tally, totals};

const QUANG_NINH_2024: &str = include_str!("../../../fixtures/campaigns/quang-ninh-2024/campaign.json");

/// Why a ledger cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// A packaged file is not of the shape this program reads.
    #[error("{file} is malformed")]
    Malformed {
        /// Which.
        file: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The packaged content lacks something.
    #[error("the content lacks {what}")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// A team's plan has no phones, hamlets or names, or is founded too late.
    #[error("the plan of team {} cannot be", team.0)]
    Plan {
        /// Which.
        team: TeamNo,
    },
    /// A team has fewer free days than its visits need.
    #[error("team {} has too few days for its visits", team.0)]
    TooFewDays {
        /// Which.
        team: TeamNo,
    },
    /// A published figure's qualifier does not hold.
    #[error("the ledger disagrees with published row {rows:?}")]
    Disagrees {
        /// Rows of the tally.
        rows: Vec<String>,
    },
    /// A line of a stock file cannot be read.
    #[error("line {line} of the stock figures is malformed")]
    Stock {
        /// From 1.
        line: usize,
    },
}

impl Parameters {
    /// Quảng Ninh, January to August 2024.
    ///
    /// # Errors
    /// [`CampaignError::Malformed`] only when this program was built from a broken file.
    pub fn packaged() -> Result<Self, CampaignError> {
        Self::read(QUANG_NINH_2024)
    }

    /// Parameters from the text of a `campaign.json`.
    ///
    /// # Errors
    /// [`CampaignError::Malformed`].
    pub fn read(text: &str) -> Result<Self, CampaignError> {
        serde_json::from_str(text)
            .map_err(|source| CampaignError::Malformed { file: "campaign.json", source })
    }
}
