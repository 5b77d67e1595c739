//! Places: the team's hamlets, and communes and provinces by any of their names.

use langso_domain::id::HamletId;
use langso_domain::text;
use langso_domain::units::{self, Match, Share, UnitCode};
use serde::{Deserialize, Serialize};

use super::{Companion, Nothing, rows};
use crate::error::Result;

/// The feature; see [`Companion::units`].
pub struct Units<'a>(pub(super) &'a Companion);

/// The hamlets on this phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Hamlets {
    /// By name.
    pub hamlets: Vec<Hamlet>,
}

/// A thôn, bản or khu phố.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Hamlet {
    /// The hamlet.
    pub hamlet: HamletId,
    /// With its kind.
    pub name: String,
    /// Its commune when written.
    pub unit: Option<UnitCode>,
    /// A number of the list `languages`: what is mostly spoken.
    pub language: Option<u8>,
    /// A number of the list `signals`: what one can expect.
    pub signal: Option<u8>,
    /// Households by the hamlet's own list.
    pub household_total: Option<u32>,
}

/// What to look for.
#[derive(Debug, Clone, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindUnits {
    /// As it was typed, from one character on; old names and Telex leftovers are understood.
    pub text: String,
    /// The most hits; none = 20.
    #[serde(default)]
    #[uniffi(default)]
    pub limit: Option<u8>,
}

/// Units of today that answer, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct UnitHits {
    /// Best first.
    pub units: Vec<UnitHit>,
}

/// A unit of today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct UnitHit {
    /// With list version.
    pub unit: UnitCode,
    /// Kind and name.
    pub title: String,
    /// Its province, to be shown always: names repeat.
    pub province: String,
    /// Met as written, not without its marks.
    pub is_exact: bool,
    /// The old unit whose name met.
    pub former: Option<Former>,
}

/// An old unit, or the old name of the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Former {
    /// With list version.
    pub unit: UnitCode,
    /// Kind and name.
    pub title: String,
    /// Where it lay.
    pub place: String,
    /// Only a part of it lies in the unit of today.
    pub is_part: bool,
}

impl Units<'_> {
    /// The hamlets that the hub has written for this team.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_hamlets(&self, _: Nothing) -> Result<Hamlets> {
        let phone = self.0.phone();
        let sql = "SELECT id, name, unit, language, signal, household_total FROM live_hamlets";
        let mut hamlets = rows::all(phone.connection(), sql, [], |row| {
            Ok(Hamlet {
                hamlet: HamletId(rows::id(row, 0)?),
                name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                unit: rows::unit(row, 2)?,
                language: rows::number(row, 3)?,
                signal: rows::number(row, 4)?,
                household_total: rows::count(row, 5)?,
            })
        })?;
        langso_domain::order::sort_by_key(&mut hamlets, |hamlet| text::sort_key(&hamlet.name));
        Ok(Hamlets { hamlets })
    }

    /// Finds units of today by name, code or former name.
    ///
    /// # Errors
    /// None.
    pub fn find_units(&self, find: FindUnits) -> Result<UnitHits> {
        let limit = find.limit.unwrap_or(20).into();
        let hits = units::Units::packaged().find(&find.text, limit);
        Ok(UnitHits { units: hits.into_iter().map(UnitHit::from).collect() })
    }
}

impl From<units::UnitHit> for UnitHit {
    fn from(hit: units::UnitHit) -> Self {
        Self {
            unit: hit.code,
            title: hit.title,
            province: hit.province,
            is_exact: hit.matched == Match::Exact,
            former: hit.former.map(|former| Former {
                unit: former.code,
                title: former.title,
                place: former.place,
                is_part: former.share == Share::Part,
            }),
        }
    }
}
