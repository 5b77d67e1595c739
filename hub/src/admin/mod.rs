//! What an operator does to a hub: places, teams, members, codes, devices, figures of others, content, what waits.
//! Methods of an opened [`Hub`], for `langso admin` and for programs around a hub.
//!
//! They work in the serving process and in another one on the same folder while the hub runs: every operation is one
//! transaction of the log, in which the hub writes as an author like any other, and everything is checked before
//! it. Bad input changes nothing and names the field.

mod content;
mod devices;
mod moves;
mod people;
mod places;
mod rescue;
mod split;
mod status;
mod stock;
mod table;
mod teams;
mod turnover;
mod waiting;

use langso_domain::content::Content;
use langso_domain::date::CivilDate;
use langso_domain::never_store::check_free_text;
use langso_domain::registry::{CURRENT, Kind};
use langso_domain::text::nfc;
use langso_domain::units::{UnitCode, Units};
use langso_sync::value::Value;

use crate::author;
use crate::log;
use crate::random::NoRandomness;
use crate::replica;

pub use content::{ContentFault, ContentFile, PublishedContent};
pub use devices::Invited;
pub use moves::MovedHousehold;
pub use people::{Member, NewMember, NewTrainer};
pub(crate) use places::contains;
pub use places::{NewPlan, Place};
pub use rescue::Imported;
pub use split::{Part, SplitTeam};
pub use status::Standing;
pub use stock::{ImportedStock, StockFault, StockProblem, StockRow};
pub use teams::{NewHamlet, NewTeam};
pub use waiting::Waiting;

#[cfg(doc)]
use crate::server::Hub;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A field does not hold: `missing`, `too_long`, `unknown`, `never_store.phone` and so on.
    #[error("{field}: {code}")]
    Invalid {
        /// The input's field, such as `hamlets[1].name`.
        field: String,
        /// What is wrong with it.
        code: &'static str,
    },
    /// There is none: `team`, `member`, `device`, `place`, `waiting`.
    #[error("no such {what}")]
    NotFound {
        /// What.
        what: &'static str,
    },
    /// There is one already: `place`.
    #[error("this {what} exists")]
    Exists {
        /// What.
        what: &'static str,
    },
    /// The file of figures has faults; the first hundred of them.
    #[error("figures with {} faults", .0.len())]
    Stock(Vec<StockFault>),
    /// The content has faults.
    #[error("content with {} faults", .0.len())]
    Content(Vec<ContentFault>),
    /// The hub could not write.
    #[error(transparent)]
    Author(#[from] author::Error),
    /// The hub could not read its rows.
    #[error(transparent)]
    Replica(#[from] replica::Error),
}

/// What an operation gives.
pub type Result<T> = std::result::Result<T, AdminError>;

impl AdminError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_input",
            Self::NotFound { .. } => "not_found",
            Self::Exists { .. } => "exists",
            Self::Stock(_) => "bad_stock_file",
            Self::Content(_) => "bad_content",
            Self::Author(author::Error::Log(log::Error::Newer { .. })) => "outdated_app",
            Self::Author(_) | Self::Replica(_) => "storage",
        }
    }

    pub(crate) fn invalid(field: impl Into<String>, code: &'static str) -> Self {
        Self::Invalid { field: field.into(), code }
    }
}

impl From<log::Error> for AdminError {
    fn from(why: log::Error) -> Self {
        Self::Author(why.into())
    }
}

impl From<langso_store::Error> for AdminError {
    fn from(why: langso_store::Error) -> Self {
        Self::Replica(why.into())
    }
}

impl From<rusqlite::Error> for AdminError {
    fn from(why: rusqlite::Error) -> Self {
        Self::Replica(why.into())
    }
}

impl From<NoRandomness> for AdminError {
    fn from(why: NoRandomness) -> Self {
        Self::Author(why.into())
    }
}

/// A text of people as it is stored in that field of the registry.
fn text(path: &str, (table, field): (&str, &str), given: &str) -> Result<Value> {
    let stored = nfc(given);
    let longest = CURRENT.named(table).and_then(|table| table.named(field)).map(|field| field.kind);
    let Some(Kind::Text(longest)) = longest else {
        return Err(AdminError::invalid(path, "unknown"));
    };
    if stored.is_empty() {
        return Err(AdminError::invalid(path, "missing"));
    }
    if stored.len() > longest as usize {
        return Err(AdminError::invalid(path, "too_long"));
    }
    match check_free_text(&stored).first() {
        Some(finding) => Err(AdminError::invalid(path, finding.kind.code())),
        None => Ok(Value::Text(stored)),
    }
}

/// The number of a word of an open list, such as `youth` of `team_kinds`.
fn choice(path: &str, content: &Content, list: &str, word: &str) -> Result<Value> {
    let number = content.list(list).and_then(|list| list.code(word)).map(|entry| entry.number);
    number.map(|number| Value::Int(number.into())).ok_or_else(|| AdminError::invalid(path, "unknown_choice"))
}

/// A unit that the lists know.
fn known_unit(path: &str, unit: UnitCode) -> Result<Value> {
    match Units::packaged().latest(unit) {
        Some(_) => Ok(Value::Text(unit.to_string())),
        None => Err(AdminError::invalid(path, "unknown_unit")),
    }
}

fn date(date: CivilDate) -> Value {
    Value::Int(date.0.into())
}
