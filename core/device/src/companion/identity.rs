//! The card that is shown to the citizen: who this is, and of which team.

use langso_domain::id::MemberId;
use langso_domain::units::{UnitCode, Units};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::{Companion, Nothing, rows};
use crate::error::Result;
use crate::facts;

/// The feature; see [`Companion::identity`].
pub struct IdentityCard<'a>(pub(super) &'a Companion);

/// What the card says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Card {
    /// Whose phone it is.
    pub member: MemberId,
    /// As the decision names the volunteer; empty until the hub's list has come.
    pub name: String,
    /// A number of the list `roles`.
    pub role: u8,
    /// The team's name.
    pub team: String,
    /// Its commune when founded.
    pub unit: Option<UnitCode>,
    /// The commune of today with its kind; empty when not known or split.
    pub commune: String,
    /// Its province of today.
    pub province: String,
    /// The last day on which it holds; none = until further notice.
    pub valid_to: Option<Day>,
    /// When the hub last confirmed it, ms UTC.
    pub confirmed_at: Option<i64>,
    /// The hub has not confirmed it for 30 days.
    pub is_stale: bool,
    /// The hub's list does not name this member yet.
    pub is_provisional: bool,
    /// The membership has ended.
    pub is_ended: bool,
}

const STALE_MS: i64 = 30 * 86_400_000;

impl IdentityCard<'_> {
    /// The card of whoever this phone belongs to.
    ///
    /// # Errors
    /// `NotAllowed { not_enrolled }`.
    pub fn get_card(&self, _: Nothing) -> Result<Card> {
        let phone = self.0.phone();
        let identity = phone.enrolled()?;
        let connection = phone.connection();
        let sql = "SELECT name, from_date, to_date FROM live_members WHERE id = ?1";
        let member = connection
            .prepare_cached(sql)?
            .query_row([identity.member.0.0], |row| {
                let name = row.get::<_, Option<String>>(0)?.unwrap_or_default();
                Ok((name, rows::day(row, 1)?, rows::day(row, 2)?))
            })
            .optional()?;
        let team = connection
            .prepare_cached("SELECT name, unit FROM live_teams WHERE id = ?1")?
            .query_row([identity.team.0.0], |row| {
                Ok((row.get::<_, Option<String>>(0)?.unwrap_or_default(), rows::unit(row, 1)?))
            })
            .optional()?;
        let is_provisional = member.is_none();
        let (name, _, valid_to) = member.unwrap_or_default();
        let (team, unit) = team.unwrap_or_default();
        let units = Units::packaged();
        let today = unit.and_then(|unit| units.today_of(unit)).and_then(|unit| units.latest(unit));
        let province =
            today.and_then(|unit| units.province_of(unit.code)).and_then(|code| units.latest(code));
        let now = phone.now();
        let confirmed_at: Option<i64> = facts::get(connection, facts::name::LAST_SYNC)?;
        Ok(Card {
            member: identity.member,
            name,
            role: identity.role,
            team,
            unit,
            commune: today.map(|unit| unit.title()).unwrap_or_default(),
            province: province.map(|unit| unit.title()).unwrap_or_default(),
            valid_to,
            confirmed_at,
            is_stale: confirmed_at.is_none_or(|at| now.ms.saturating_sub(at) > STALE_MS),
            is_provisional,
            is_ended: valid_to.is_some_and(|day| day.0 < phone.today()),
        })
    }
}
