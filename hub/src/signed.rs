//! Requests outside of sync that a device's key signed: figures, and what waits. JSON both ways, by the nonce of sync;
//! a stale one is answered with a fresh one.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use langso_sync::keys::PublicKey;
use langso_sync::wire::{Problem, SignedGet};
use serde::Serialize;

use crate::log::{self, Device};
use crate::nonce;
use crate::replica;
use crate::server::Hub;

/// The longest path and query.
pub(crate) const MAX_TARGET: usize = 4_096;

/// Why there is no answer.
#[derive(Debug, Default, Serialize)]
struct Refused {
    problem: &'static str,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    hub_time_ms: i64,
    /// For the next try, when the device is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(skip)]
    status: u16,
}

pub(crate) enum Stop {
    Problem(Problem),
    /// With a fresh one.
    Stale(String),
    NotAllowed,
    Invalid(&'static str, &'static str),
}

impl From<log::Error> for Stop {
    fn from(why: log::Error) -> Self {
        tracing::error!(%why, "the log failed");
        Self::Problem(Problem::Busy)
    }
}

impl From<replica::Error> for Stop {
    fn from(why: replica::Error) -> Self {
        tracing::error!(%why, "figures could not be read");
        Self::Problem(Problem::Busy)
    }
}

pub(crate) fn refuse(hub: &Hub, stop: Stop) -> Response {
    let hub_time_ms = hub.clock.now().0;
    let none = Refused { hub_time_ms, ..Refused::default() };
    let refused = match stop {
        Stop::Problem(problem) => Refused { problem: problem.name(), status: problem.status(), ..none },
        Stop::Stale(nonce) => {
            let problem = Problem::StaleNonce;
            Refused { problem: problem.name(), status: problem.status(), nonce: Some(nonce), ..none }
        }
        Stop::NotAllowed => Refused { problem: "not_allowed", status: 403, ..none },
        Stop::Invalid(field, code) => {
            let (field, code) = (Some(field), Some(code));
            Refused { problem: "invalid_input", status: 400, field, code, ..none }
        }
    };
    tracing::info!(problem = refused.problem, "a signed request is refused");
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(refused)).into_response()
}

/// What was signed.
pub(crate) enum Asking<'a> {
    /// Path and query.
    Get(&'a str),
    /// Path, and SHA-256 of the body.
    Post(&'a str, [u8; 32]),
}

/// Who asks, when it is proven.
pub(crate) fn prove(hub: &Hub, asking: &Asking<'_>, headers: &HeaderMap) -> Result<Device, Stop> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let signed: SignedGet =
        header.and_then(|text| text.parse().ok()).ok_or(Stop::Problem(Problem::BadSignature))?;
    let device = hub.log.device(signed.device)?.ok_or(Stop::Problem(Problem::UnknownDevice))?;
    let key = PublicKey::from_bytes(&device.public_key).ok_or(Stop::Problem(Problem::UnknownDevice))?;
    let is_signed = match asking {
        Asking::Get(target) => signed.is_signed(&key, target),
        Asking::Post(target, body) => signed.is_signed_post(&key, target, body),
    };
    if !is_signed {
        return Err(Stop::Problem(Problem::BadSignature));
    }
    if device.revoked_at.is_some() {
        return Err(Stop::Problem(Problem::Revoked));
    }
    let now = hub.clock.now();
    if !nonce::is_good(&hub.keys.secret, device.id, &signed.nonce, now) {
        return Err(Stop::Stale(nonce::to_text(&nonce::give(&hub.keys.secret, device.id, now))));
    }
    Ok(device)
}
