//! A session with the hub as a phone holds it: the phone is let go of while it waits for bytes, and what comes is only
//! taken in by the very database with which the session began.

use std::sync::MutexGuard;

use langso_domain::id::ScopeId;
use langso_domain::registry::CURRENT;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::keys::PublicKey;
use langso_sync::session::{Pace, Session, Setup};
use langso_sync::wire::{Nonce, SYNC_PATH};

use super::{APP, Brought, Sync, SyncNow};
use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::outbox::Unsent;
use crate::phone::Phone;

/// A session, and the phone with which it began.
pub(super) struct Talk {
    pub url: String,
    pub session: Session,
    /// See [`Phone`]: with another one the session's cursors and numbers say nothing.
    pub generation: u64,
    pub unsent: Unsent,
    pub brought: Brought,
    /// See [`Phone::list_due_digests`].
    pub turn: Option<Option<ScopeId>>,
    /// The pace as it is written down.
    pub kept_pace: u32,
}

impl Sync<'_> {
    /// A session from where this phone stands; one scope may stand elsewhere.
    pub(super) fn talk_with(&self, input: SyncNow, elsewhere: Option<(ScopeId, Cursor)>) -> Result<Talk> {
        let phone = self.0.phone();
        let identity = phone.enrolled()?;
        let connection = phone.connection();
        let hub = langso_domain::id::from_base32::<32>(&identity.hub_key);
        let hub = hub.and_then(|bytes| PublicKey::from_bytes(&bytes)).ok_or(AppError::Corrupt)?;
        let nonce: Vec<u8> = facts::get(connection, name::NONCE)?.unwrap_or_default();
        let budget: Option<u64> = facts::get(connection, name::BUDGET)?.flatten();
        let cursors = phone.replica.scopes()?;
        let cursors = cursors
            .iter()
            .map(|state| (state.scope, Cursor { position: state.position, chain: Chain(state.chain) }))
            .map(|of| elsewhere.filter(|(scope, _)| *scope == of.0).unwrap_or(of))
            .collect();
        let pace = Pace::from_number(facts::get(connection, name::REQUEST_SIZE)?.unwrap_or(0));
        let setup = Setup {
            hub,
            device: phone.device,
            schema: CURRENT.schema,
            app: APP.to_owned(),
            nonce: Nonce::from_bytes(&nonce).unwrap_or_default(),
            cursors,
            pace,
            max_bytes: input.max_bytes.or(budget).unwrap_or(u64::MAX),
            max_frame: u32::MAX,
        };
        let mut session = Session::new(setup);
        session.pack_frames(facts::get(connection, name::PACKS)?.unwrap_or(false));
        for (scope, landing) in phone.replica.landings()? {
            if elsewhere.is_none_or(|(of, _)| of != scope) {
                session.land(scope, landing.of.position, landing.next);
            }
        }
        Ok(Talk {
            url: format!("{}{SYNC_PATH}", identity.hub_url),
            session,
            generation: phone.generation,
            unsent: Unsent::default(),
            brought: Brought::default(),
            turn: None,
            kept_pace: pace.number(),
        })
    }

    /// The phone with which a session began. While it was let go of, a call may have met damage and set the database
    /// aside: then what the session knows, and what has come and was not taken in yet, is of no use.
    pub(super) fn phone_of(&self, talk: &Talk) -> Result<MutexGuard<'_, Phone>> {
        let phone = self.0.phone();
        if phone.generation != talk.generation {
            return Err(AppError::offline("stopped"));
        }
        Ok(phone)
    }
}
