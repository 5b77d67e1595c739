//! What the frame around every screen shows, and what a terminal asks first: whose phone this is and how it stands.

use langso_domain::id::{DeviceId, MemberId, TeamId};
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::{Companion, Nothing};
use crate::ballast;
use crate::damage::{self, Damage};
use crate::error::Result;

/// The feature; see [`Companion::state`].
pub struct State<'a>(pub(super) &'a Companion);

/// How the phone stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PhoneState {
    /// This device's short name.
    pub device: DeviceId,
    /// Whose phone it is; none before enrolment.
    pub owner: Option<Owner>,
    /// Own saves that are on this phone only.
    pub unsent: u32,
    /// The day is known from the hub; else it should be looked at before saving.
    pub is_clock_sure: bool,
    /// Today in Vietnam.
    pub today: Day,
    /// What was damaged and has been mended, until a sync has come to its end.
    pub damage: Option<Damage>,
    /// The phone is nearly full: a visit can still be saved, and some room should be made.
    pub is_storage_low: bool,
    /// The phone's folder cannot be written: the book can be read, and nothing can be saved or sent.
    pub is_read_only: bool,
}

/// Whose phone it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Owner {
    /// The member.
    pub member: MemberId,
    /// The volunteer's name; none until the hub's list has come.
    pub name: Option<String>,
    /// A number of the list `roles`.
    pub role: u8,
    /// The team.
    pub team: TeamId,
    /// Where the hub is.
    pub hub_url: String,
}

impl State<'_> {
    /// How the phone stands; works before enrolment.
    ///
    /// # Errors
    /// Those of storage.
    pub fn get_state(&self, _: Nothing) -> Result<PhoneState> {
        let phone = self.0.phone();
        let owner = match phone.identity() {
            Some(identity) => Some(Owner {
                member: identity.member,
                name: phone.known()?.members.get(&identity.member).map(|member| member.name.clone()),
                role: identity.role,
                team: identity.team,
                hub_url: identity.hub_url.clone(),
            }),
            None => None,
        };
        Ok(PhoneState {
            device: phone.device,
            owner,
            unsent: phone.unsent()?.waiting() as u32,
            is_clock_sure: phone.now().is_sure,
            today: Day(phone.today()),
            damage: damage::get(phone.connection())?,
            is_read_only: phone.folder.is_read_only(),
            is_storage_low: ballast::is_low(phone.folder.path()),
        })
    }
}
