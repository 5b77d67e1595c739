//! `POST /v1/sync`: takes frames as they arrive and keeps each at once, then proves who asks, then answers.
//!
//! Frames stand on their own signature, so nothing that came whole is lost to a cut, a stale nonce or a stop of the
//! hub; only the reply is withheld. Nothing here blocks: the log is called on blocking threads.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use langso_domain::id::DeviceId;
use langso_sync::keys::PublicKey;
use langso_sync::wire::{
    CONTENT_TYPE, Hello, Nonce, PROTOCOL, Problem, ProblemBody, RequestEvent, RequestReader, Sealed, WireError,
};

use crate::intake::{Refusal, Taken};
use crate::log;
use crate::nonce;
use crate::serve::Reply;
use crate::server::{Hub, Shared};

/// A reply up to this length is sent in one piece with its length, which costs the least bytes.
const WHOLE_BYTES: usize = 64 * 1024;

pub(crate) async fn sync(State(shared): State<Shared>, request: Request) -> Response {
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return problem(&shared.hub, Problem::Busy, None);
    };
    match answer(&shared, request).await {
        Ok(response) => response,
        Err(Stop::Problem(why, nonce)) => problem(&shared.hub, why, nonce),
        Err(Stop::Gone) => problem(&shared.hub, Problem::Malformed, None),
    }
}

/// Why no reply is given.
enum Stop {
    /// The phone is told.
    Problem(Problem, Option<Nonce>),
    /// The line was cut: nobody is there to be told.
    Gone,
}

impl From<log::Error> for Stop {
    fn from(why: log::Error) -> Self {
        tracing::error!(%why, "the log failed");
        Self::Problem(Problem::Busy, None)
    }
}

async fn answer(shared: &Shared, request: Request) -> Result<Response, Stop> {
    let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let claimed = claimed.and_then(|text| text.parse::<u64>().ok());
    if claimed.is_some_and(|length| length > shared.limits.request_bytes) {
        return Err(Stop::Problem(Problem::TooLarge, None));
    }
    let came = receive(shared, request.into_body()).await?;
    let hub = shared.hub.clone();
    let (mut reply, first, whole) = blocking(move || {
        let device = prove(&hub, &came)?;
        let now = hub.clock.now();
        let next = nonce::give(&hub.keys.secret, device, now);
        let mut reply = Reply::new(hub.log.clone(), hub.keys.clone(), device, &came.hello, next, now)?;
        let mut first = Vec::new();
        while first.len() < WHOLE_BYTES {
            match reply.next_part()? {
                Some(part) => first.extend(part),
                None => return Ok((reply, first, true)),
            }
        }
        Ok((reply, first, false))
    })
    .await?;
    if whole {
        return Ok(respond(StatusCode::OK, Body::from(first)));
    }
    let first = stream::once(async move { Ok::<_, log::Error>(Bytes::from(first)) });
    let rest = stream::unfold(Some(reply_source(&mut reply, shared)), |source| async move {
        let Source { reply, hub } = source?;
        let made = tokio::task::spawn_blocking(move || {
            let mut reply = reply;
            (reply.next_part(), reply)
        })
        .await;
        match made {
            Ok((Ok(Some(part)), reply)) => Some((Ok(Bytes::from(part)), Some(Source { reply, hub }))),
            Ok((Ok(None), _)) => None,
            Ok((Err(why), _)) => {
                tracing::error!(%why, "the log failed in the middle of a reply");
                Some((Err(why), None))
            }
            Err(_) => None,
        }
    });
    Ok(respond(StatusCode::OK, Body::from_stream(first.chain(rest))))
}
