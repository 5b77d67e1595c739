//! Versions and licences, and how old the guides are.

use langso_domain::content::{Content, ContentRef, Status};
use langso_domain::registry::CURRENT;
use langso_domain::units::Units;
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::{Companion, Nothing};
use crate::error::Result;

/// The feature; see [`Companion::about`].
pub struct AboutApp<'a>(pub(super) &'a Companion);

/// What this program is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct About {
    /// The core's version.
    pub core: String,
    /// The schema it writes.
    pub schema: u16,
    /// The SQLite inside.
    pub sqlite: String,
    /// This device's short name, to tell an operator.
    pub device: String,
    /// The day on which the list of units was last known to be right.
    pub units_as_of: Day,
    /// The guides of the release.
    pub tutorials: Vec<TutorialAge>,
    /// What it is made of.
    pub licences: Vec<Licence>,
}

/// How old a guide is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TutorialAge {
    /// With version.
    pub tutorial: ContentRef,
    /// It has steps.
    pub is_ready: bool,
    /// When its steps were last compared with the real screens.
    pub reviewed: Option<Day>,
    /// That was too long ago.
    pub is_out_of_date: bool,
}

/// A part and its licence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Licence {
    /// The part.
    pub part: String,
    /// SPDX expression.
    pub licence: String,
}

const LICENCES: [(&str, &str); 10] = [
    ("Làng Số", "Apache-2.0"),
    ("SQLite", "blessing"),
    ("rusqlite", "MIT"),
    ("ed25519-dalek", "BSD-3-Clause"),
    ("tokio, hyper, reqwest", "MIT OR Apache-2.0"),
    ("minicbor", "BlueOak-1.0.0"),
    ("ICU4X", "Unicode-3.0"),
    ("jiff", "Unlicense OR MIT"),
    ("serde", "MIT OR Apache-2.0"),
    ("vietnamadminunits (data)", "MIT"),
];

impl AboutApp<'_> {
    /// Versions, ages and licences.
    ///
    /// # Errors
    /// None.
    pub fn get_about(&self, _: Nothing) -> Result<About> {
        let phone = self.0.phone();
        let today = phone.today();
        let tutorials = Content::packaged().tutorials().map(|tutorial| TutorialAge {
            tutorial: tutorial.reference(),
            is_ready: tutorial.status == Status::Ready,
            reviewed: tutorial.reviewed.map(Day),
            is_out_of_date: tutorial.is_out_of_date(today),
        });
        Ok(About {
            core: env!("CARGO_PKG_VERSION").to_owned(),
            schema: CURRENT.schema,
            sqlite: rusqlite::version().to_owned(),
            device: phone.device.to_string(),
            units_as_of: Day(Units::packaged().as_of()),
            tutorials: tutorials.collect(),
            licences: LICENCES
                .iter()
                .map(|(part, licence)| Licence { part: (*part).to_owned(), licence: (*licence).to_owned() })
                .collect(),
        })
    }
}
