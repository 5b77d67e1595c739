//! A sample campaign, lived by no phone yet: from parameters and a seed comes a [`Ledger`] of events (who,
//! where, when, what came of it), and from the ledger a [`tally`] by plain loops. Phones then live the ledger
//! through their own interface, and what hub and pages show is held against the tally.
//!
//! Everything is made from arguments: the same parameters and seed give the same bytes, on every machine. The
//! generator may rely on `langso_domain` for dates alone, and on the packaged content for services, steps and
//! failure codes; never on the product's indicators, which it is there to check.

pub mod codes;
pub mod event;
pub mod ledger;
pub mod parameters;
pub mod rng;

pub use event::{Event, What};
pub use ledger::{Ledger, LedgerError};
pub use parameters::Parameters;
