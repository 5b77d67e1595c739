//! `GET` and `POST /v1/waiting`: what waits in the scopes that a lead or deputy holds, and what is to become of it.
//!
//! Pages are bounded in number and bytes. Verdicts are taken one by one, each whole or not at all; one that cannot be
//! done says why and holds no other back. Twice is once: what no longer waits is told so.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use langso_domain::id::{ScopeId, to_base32};
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::wire::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Verdict;
use crate::admin::AdminError;
use crate::log::{Device, WaitingChange, WaitingName};
use crate::nonce;
use crate::server::{Hub, Shared};
use crate::signed::{Asking, MAX_TARGET, Stop, prove, refuse};

/// The most things on a page, and about how many bytes of them.
const PAGE: (u32, usize) = (64, 256 * 1024);
/// The most verdicts in one request, and its longest body.
const MOST: usize = 64;
const MAX_BODY: usize = 32 * 1024;

/// A page.
#[derive(Debug, Serialize)]
struct Page {
    waiting: Vec<One>,
    /// More follow after the last one.
    more: bool,
    hub_time_ms: i64,
    nonce: String,
}

/// One change that waits.
#[derive(Debug, Serialize)]
struct One {
    /// Scope and name, as a verdict names it.
    waiting: String,
    reason: String,
    device: String,
    /// Whose device that is; null for one that the hub does not know.
    member: Option<String>,
    /// When it came, hub time.
    at_ms: i64,
    /// The author's bytes, in base32.
    bytes: String,
}

/// What is to become of what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdicts {
    verdict: Verdict,
    waiting: Vec<String>,
}

/// What became of it, in the same order.
#[derive(Debug, Serialize)]
struct Decided {
    decided: Vec<Became>,
    hub_time_ms: i64,
    nonce: String,
}

#[derive(Debug, Serialize)]
struct Became {
    waiting: String,
    /// Null when it was done; else `not_found` or why it cannot be.
    problem: Option<&'static str>,
}

pub(crate) async fn list(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let hub = shared.hub.clone();
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return refuse(&hub, Stop::Problem(Problem::Busy));
    };
    let asked = tokio::task::spawn_blocking(move || page(&shared.hub, &uri, &headers)).await;
    respond(&hub, asked.unwrap_or(Err(Stop::Problem(Problem::Busy))))
}

pub(crate) async fn decide(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let hub = shared.hub.clone();
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return refuse(&hub, Stop::Problem(Problem::Busy));
    };
    let stall = std::time::Duration::from_millis(shared.limits.stall_ms);
    let body = match tokio::time::timeout(stall, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refuse(&hub, Stop::Problem(Problem::TooLarge)),
        Err(_) => return refuse(&hub, Stop::Problem(Problem::Malformed)),
    };
    let asked = tokio::task::spawn_blocking(move || verdicts(&shared.hub, &uri, &headers, &body)).await;
    respond(&hub, asked.unwrap_or(Err(Stop::Problem(Problem::Busy))))
}

fn respond<T: Serialize>(hub: &Hub, answer: Result<T, Stop>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(stop) => refuse(hub, stop),
    }
}

fn target(uri: &Uri) -> Result<&str, Stop> {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > MAX_TARGET { Err(Stop::Problem(Problem::TooLarge)) } else { Ok(target) }
}

/// The scopes in which the device leads, in order.
fn led(hub: &Hub, device: &Device) -> Result<Vec<ScopeId>, Stop> {
    let leads = |role| matches!(role, Role::Lead | Role::Deputy);
    let of_team = |kind| matches!(kind, ScopeKind::Team | ScopeKind::Training);
    let grants = hub.log.grants(device.id)?;
    let led: Vec<ScopeId> = grants
        .into_iter()
        .filter(|grant| leads(grant.role) && of_team(grant.kind))
        .map(|grant| grant.scope)
        .collect();
    if led.is_empty() { Err(Stop::NotAllowed) } else { Ok(led) }
}

fn fresh(hub: &Hub, device: &Device) -> (i64, String) {
    let now = hub.clock.now();
    (now.0, nonce::to_text(&nonce::give(&hub.keys.secret, device.id, now)))
}

fn page(hub: &Hub, uri: &Uri, headers: &HeaderMap) -> Result<Page, Stop> {
    let device = prove(hub, &Asking::Get(target(uri)?), headers)?;
    let led = led(hub, &device)?;
    let after = match uri.query().unwrap_or_default() {
        "" => None,
        query => {
            let after = query.strip_prefix("after=").ok_or(Stop::Invalid("query", "unknown_parameter"))?;
            Some(named(after).ok_or(Stop::Invalid("after", "unknown"))?)
        }
    };
    let (mut most, mut room) = PAGE;
    let mut waiting: Vec<(ScopeId, WaitingChange)> = Vec::new();
    let mut more = false;
    for scope in led {
        let from = match after {
            Some((of, _)) if scope < of => continue,
            Some((of, name)) if scope == of => Some(name),
            _ => None,
        };
        // One more than fits tells whether there is more.
        let found = hub.log.waiting_after(scope, from, most + 1, room.max(1))?;
        let fits = found.len().min(most as usize);
        let is_cut = found.len() > fits;
        room = room.saturating_sub(found.iter().map(|one| one.bytes.len()).sum());
        most -= fits as u32;
        waiting.extend(found.into_iter().take(fits).map(|one| (scope, one)));
        if is_cut || most == 0 || room == 0 {
            more = true;
            break;
        }
    }
    let mut shown = Vec::with_capacity(waiting.len());
    for (scope, one) in waiting {
        let member = hub.log.device(one.device)?.and_then(|device| device.member);
        shown.push(One {
            waiting: format!("{scope}/{}", one.name),
            reason: one.reason,
            device: one.device.to_string(),
            member: member.map(|member| member.to_string()),
            at_ms: one.at.0,
            bytes: to_base32(&one.bytes),
        });
    }
    let (hub_time_ms, nonce) = fresh(hub, &device);
    Ok(Page { waiting: shown, more, hub_time_ms, nonce })
}

fn named(text: &str) -> Option<(ScopeId, WaitingName)> {
    let (scope, name) = text.split_once('/')?;
    Some((scope.parse().ok()?, name.parse().ok()?))
}

fn verdicts(hub: &Hub, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Decided, Stop> {
    let digest = Sha256::digest(body).into();
    let device = prove(hub, &Asking::Post(target(uri)?, digest), headers)?;
    let led = led(hub, &device)?;
    let asked: Verdicts = serde_json::from_slice(body).map_err(|_| Stop::Problem(Problem::Malformed))?;
    if asked.waiting.len() > MOST {
        return Err(Stop::Invalid("waiting", "too_many"));
    }
    let mut decided = Vec::with_capacity(asked.waiting.len());
    for waiting in asked.waiting {
        let named = named(&waiting).filter(|(scope, _)| led.contains(scope));
        let done = match named {
            Some((scope, name)) => hub.decide(scope, name, asked.verdict, Some(device.id)),
            None => Err(AdminError::NotFound { what: "waiting" }),
        };
        let problem = match done {
            Ok(()) => None,
            Err(AdminError::NotFound { .. }) => Some("not_found"),
            Err(AdminError::Invalid { code, .. }) => Some(code),
            Err(why) => {
                tracing::error!(%why, "a verdict could not be written");
                return Err(Stop::Problem(Problem::Busy));
            }
        };
        decided.push(Became { waiting, problem });
    }
    let (hub_time_ms, nonce) = fresh(hub, &device);
    Ok(Decided { decided, hub_time_ms, nonce })
}
