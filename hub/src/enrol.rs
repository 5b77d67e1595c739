//! `POST /v1/enrol`: a new device shows a code's secret and its key, and becomes one of its team's.
//!
//! A code works once and for 72 hours; the same key may ask again, since the reply may have been lost. A second key is
//! refused and shown to the lead.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use langso_domain::registry::Role;
use langso_sync::wire::{Enrol, Enrolled, MAX_SMALL_BYTES, PROTOCOL, Problem};
use sha2::{Digest, Sha256};

use crate::log;
use crate::nonce;
use crate::server::{Hub, Shared, stopped};
use crate::sync::{Stop, blocking, problem, respond};

/// For how long a code works, in ms.
pub const CODE_LIVES_MS: i64 = 72 * crate::clock::HOUR_MS;

/// Under which a code is kept: the SHA-256 of its 128-bit secret.
pub fn secret_hash(secret: &[u8; 16]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

pub(crate) async fn enrol(State(shared): State<Shared>, request: Request) -> Response {
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return problem(&shared.hub, Problem::Busy, None);
    };
    let stall = Duration::from_millis(shared.limits.stall_ms);
    let body = tokio::select! {
        biased;
        () = stopped(shared.stopping.clone()) => return problem(&shared.hub, Problem::Busy, None),
        body = tokio::time::timeout(stall, to_bytes(request.into_body(), MAX_SMALL_BYTES)) => body,
    };
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return problem(&shared.hub, Problem::TooLarge, None),
        // Nobody holds a place by sending nothing.
        Err(_) => return problem(&shared.hub, Problem::Malformed, None),
    };
    let hub = shared.hub.clone();
    match blocking(move || admit(&hub, &body)).await {
        Ok(Ok(answer)) => respond(StatusCode::OK, Body::from(answer)),
        Ok(Err(why)) => problem(&shared.hub, why, None),
        Err(stop) => stop.into_response(&shared.hub),
    }
}

fn admit(hub: &Hub, body: &[u8]) -> Result<Result<Vec<u8>, Problem>, Stop> {
    let asked = Enrol::decode(body)?;
    if asked.protocol > PROTOCOL {
        return Ok(Err(Problem::ProtocolTooNew));
    }
    let now = hub.clock.now();
    let device = match hub.author.enrol(secret_hash(&asked.code), &asked.key, now)? {
        log::Enrolled::Yes(device) => device,
        log::Enrolled::UnknownCode => return Ok(Err(Problem::CodeUnknown)),
        log::Enrolled::Expired => return Ok(Err(Problem::CodeExpired)),
        log::Enrolled::Used => {
            tracing::warn!("a code was used a second time");
            return Ok(Err(Problem::CodeUsed));
        }
    };
    let (Some(member), Some(team)) = (device.member, device.team) else {
        return Ok(Err(Problem::CodeUnknown));
    };
    let scopes = hub.log.grants(device.id)?;
    let role: Role = device.role;
    let answer = Enrolled {
        member,
        team,
        role: role as i64,
        scopes: scopes.iter().map(|grant| (grant.scope, grant.kind as i64)).collect(),
        hub: hub.keys.public(),
        hub_time_ms: now.unsigned(),
        nonce: nonce::give(&hub.keys.secret, device.id, now),
    };
    Ok(Ok(answer.encode(&hub.keys.signing, body)))
}
