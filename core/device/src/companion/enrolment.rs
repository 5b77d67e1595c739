//! Enrolment: from an invitation to a phone that its hub knows.

use langso_domain::id::{DeviceId, MemberId, TeamId};
use langso_domain::registry::ScopeKind;
use langso_sync::keys::{Fingerprint, PublicKey};
use langso_sync::wire::{
    ENROL_PATH, Enrol, Enrolled, Invite, InviteError, MAX_SMALL_BYTES, ProblemBody, WireError,
};
use serde::{Deserialize, Serialize};

use super::Companion;
use super::sync::APP;
use crate::error::{AppError, Result};
use crate::facts::{self, Identity, name};
use crate::http::Broken;
use crate::time::HubTime;

/// The feature; see [`Companion::enrolment`].
pub struct Enrolment<'a>(pub(super) &'a Companion);

/// An invitation as scanned or typed.
#[derive(Debug, Clone, Deserialize, Serialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct InviteText {
    /// The whole line.
    pub invite: String,
    /// What its owner calls the device; optional.
    #[serde(default)]
    #[uniffi(default)]
    pub device_name: String,
}

/// What an invitation says before anything is sent.
#[derive(Debug, Clone, Deserialize, Serialize, uniffi::Record)]
pub struct InvitePreview {
    /// Where the hub is.
    pub hub_url: String,
}

/// Who this phone is now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, uniffi::Record)]
pub struct Joined {
    /// This device.
    pub device: DeviceId,
    /// Whose phone it is.
    pub member: MemberId,
    /// The team.
    pub team: TeamId,
    /// A number of the list `roles`.
    pub role: u8,
}

impl Enrolment<'_> {
    /// Reads an invitation, offline.
    ///
    /// # Errors
    /// `InvalidInput` for a line that is none or is mistyped.
    pub fn read_invite(&self, input: InviteText) -> Result<InvitePreview> {
        Ok(InvitePreview { hub_url: read(&input.invite)?.url })
    }

    /// Makes this phone known to the hub. Twice with the same invitation gives the same answer: a lost reply costs
    /// nothing. The first [`sync`](super::Sync::sync_now) then fetches the team's book.
    ///
    /// # Errors
    /// `Offline` when the hub was not reached or is another one than the invitation says; `NotAllowed` with
    /// `code_used`, `code_expired`, `code_unknown`, or `enrolled_elsewhere` for a phone that has a team already.
    pub async fn join_team(&self, input: InviteText) -> Result<Joined> {
        let invite = read(&input.invite)?;
        let question = {
            let phone = self.0.phone();
            // A hub keeps its key when it moves to another address, or is restored on another machine.
            if phone.identity().is_some_and(|identity| !is_hub_of(identity, &invite)) {
                return Err(AppError::not_allowed("enrolled_elsewhere"));
            }
            Enrol::new(invite.secret, phone.key.public(), &input.device_name, "", APP).encode(&phone.key)
        };
        let url = format!("{}{ENROL_PATH}", invite.url);
        let reply =
            self.0.http.post_small(&url, question.clone(), MAX_SMALL_BYTES).await.map_err(|broken| {
                AppError::offline(match broken {
                    Broken::NotReached => "hub_unreachable",
                    Broken::Cut => "cut",
                })
            })?;
        if let Ok(body) = ProblemBody::decode(&reply) {
            return Err(AppError::not_allowed(body.problem.name()));
        }
        let answer = Enrolled::decode(&reply, &question, &invite.hub).map_err(|error| match error {
            WireError::Signature => AppError::offline("hub_unknown"),
            _ => AppError::offline("not_a_hub"),
        })?;
        self.keep(&invite, &answer)
    }

    fn keep(&self, invite: &Invite, answer: &Enrolled) -> Result<Joined> {
        let mut phone = self.0.phone();
        let heard = HubTime::heard(answer.hub_time_ms, phone.time_source());
        let identity = Identity {
            hub_url: invite.url.clone(),
            hub_key: langso_domain::id::to_base32(&answer.hub.to_bytes()),
            device: phone.device,
            member: answer.member,
            team: answer.team,
            role: u8::try_from(answer.role).map_err(|_| AppError::OutdatedApp)?,
        };
        let is_another = phone.identity().is_some_and(|known| known.member != identity.member);
        let is_forgotten = facts::get(phone.connection(), name::IS_FORGOTTEN)? == Some(true);
        if is_another && !is_forgotten {
            return Err(AppError::not_allowed("enrolled_elsewhere"));
        }
        // Before the database: of two that differ, the copy is the later one.
        phone.keep_copy_of(&identity)?;
        let mut batch = phone.replica.begin()?;
        for (scope, kind) in &answer.scopes {
            if let Some(kind) = ScopeKind::from_number(*kind) {
                batch.add_scope(*scope, kind)?;
            }
        }
        facts::put(batch.connection(), name::NONCE, answer.nonce.as_bytes())?;
        facts::put(batch.connection(), name::HUB_TIME, &heard)?;
        facts::put(batch.connection(), name::IDENTITY, &identity)?;
        facts::put(batch.connection(), name::IS_FORGOTTEN, &false)?;
        batch.commit()?;
        phone.hub_time = Some(heard);
        let joined = Joined {
            device: identity.device,
            member: identity.member,
            team: identity.team,
            role: identity.role,
        };
        phone.set_identity(identity)?;
        Ok(joined)
    }
}

fn is_hub_of(identity: &Identity, invite: &Invite) -> bool {
    let key = langso_domain::id::from_base32::<32>(&identity.hub_key);
    key.and_then(|bytes| PublicKey::from_bytes(&bytes)).is_some_and(|key| Fingerprint::of(&key) == invite.hub)
}

fn read(text: &str) -> Result<Invite> {
    text.parse().map_err(|error| {
        let code = match error {
            InviteError::NotAnInvite => "not_an_invite",
            InviteError::Mistyped => "mistyped",
        };
        AppError::invalid("invite", code)
    })
}
