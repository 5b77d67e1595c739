//! `POST /v1/sync`: takes frames as they arrive and keeps each at once, then proves who asks, then answers.
//!
//! Frames stand on their own signature, so nothing that came whole is lost to a cut, a stale nonce or a stop of the
//! hub; only the reply is withheld. Nothing here blocks: the log is called on blocking threads.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::Peekable;
use futures_util::{FutureExt, StreamExt, stream};
use langso_domain::id::{DeviceId, Key, ScopeId};
use langso_sync::frame::{FrameError, Outer};
use langso_sync::keys::PublicKey;
use langso_sync::wire::{
    CONTENT_TYPE, Hello, MAX_RANGES, MAX_SET_ASIDE, Nonce, PROTOCOL, Problem, ProblemBody, RequestEvent,
    RequestReader, Sealed, WireError,
};

use crate::author;
use crate::intake::{Refusal, Taken};
use crate::log::{self, OTHER_BYTES, Position};
use crate::nonce;
use crate::serve::Reply;
use crate::server::{Hub, Shared, stopped};

/// A reply up to about this length is sent in one piece with its length, which costs the least bytes.
const WHOLE_BYTES: usize = 64 * 1024;

/// So many refused frames and none kept: who sends this has nothing for the hub, which judges no more of it.
const MAX_REFUSED: usize = 64;

/// Frames that have come together are kept by one commit up to about so many bytes.
const AT_ONCE: usize = 512 * 1024;

pub(crate) async fn sync(State(shared): State<Shared>, request: Request) -> Response {
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return problem(&shared.hub, Problem::Busy, None);
    };
    match answer(&shared, request).await {
        Ok(response) => response,
        Err(stop) => stop.into_response(&shared.hub),
    }
}

/// Why no reply is given.
pub(crate) struct Stop {
    problem: Problem,
    nonce: Option<Nonce>,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self { problem, nonce: None }
    }
}

impl From<log::Error> for Stop {
    fn from(why: log::Error) -> Self {
        tracing::error!(%why, "the log failed");
        Problem::Busy.into()
    }
}

impl From<author::Error> for Stop {
    fn from(why: author::Error) -> Self {
        tracing::error!(%why, "the hub could not write");
        Problem::Busy.into()
    }
}

impl Stop {
    pub(crate) fn into_response(self, hub: &Hub) -> Response {
        problem(hub, self.problem, self.nonce)
    }
}

impl From<WireError> for Stop {
    fn from(why: WireError) -> Self {
        match why {
            WireError::TooLarge | WireError::Frame(FrameError::TooLarge) => Problem::TooLarge,
            // A frame of a later program: it waits on the phone until this hub is renewed.
            WireError::Frame(FrameError::Version(_) | FrameError::Kind(_) | FrameError::State) => {
                Problem::ProtocolTooNew
            }
            WireError::Frame(_) => Problem::BadFrame,
            WireError::Signature => Problem::BadSignature,
            _ => Problem::Malformed,
        }
        .into()
    }
}

async fn answer(shared: &Shared, request: Request) -> Result<Response, Stop> {
    let claimed = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let claimed = claimed.and_then(|text| text.parse::<u64>().ok());
    if claimed.is_some_and(|length| length > shared.limits.request_bytes) {
        return Err(Problem::TooLarge.into());
    }
    let came = receive(shared, request.into_body()).await?;
    let hub = shared.hub.clone();
    let (reply, first) = blocking(move || {
        let now = hub.clock.now();
        let device = prove(&hub, &came)?;
        let question = (came.sealed.question(), &came.hello);
        let shelf = (hub.log.clone(), hub.keys.clone(), hub.snapshots.clone());
        let mut reply = Reply::new(shelf, device, question, (&came.aside, &came.known), now)?;
        match hub.compare(device, &came.hello) {
            Ok(compared) => reply.say_compared(compared),
            // The phone asks again tomorrow; what it sent and fetches does not wait for that.
            Err(why) => tracing::error!(%why, "digests could not be compared"),
        }
        let mut first = Vec::new();
        while first.len() < WHOLE_BYTES {
            match reply.next_part()? {
                Some(part) => first.extend(part),
                None => return Ok((None, first)),
            }
        }
        Ok((Some(reply), first))
    })
    .await?;
    // Without a content type: its first two bytes say what a reply is, and a sync with nothing new is mostly headers.
    let Some(reply) = reply else { return Ok(Response::new(Body::from(first))) };
    let first = stream::once(async move { Ok(Bytes::from(first)) });
    let body = Body::from_stream(first.chain(stream::unfold(Some(reply), rest)));
    Ok(Response::new(body))
}

/// The next part of a reply, made when the line has taken the one before.
async fn rest(reply: Option<Reply>) -> Option<(Result<Bytes, log::Error>, Option<Reply>)> {
    let mut reply = reply?;
    let made = tokio::task::spawn_blocking(move || (reply.next_part(), reply)).await;
    match made {
        Ok((Ok(part), reply)) => part.map(|part| (Ok(Bytes::from(part)), Some(reply))),
        Ok((Err(why), _)) => {
            tracing::error!(%why, "the log failed in the middle of a reply");
            Some((Err(why), None))
        }
        // The task panicked: the reply ends without its end record, which the phone sees.
        Err(_) => None,
    }
}

/// A request that came whole.
struct Came {
    hello: Hello,
    sealed: Sealed,
    /// A frame that the asking device itself should have signed was not.
    own_forged: bool,
    /// What of it was set aside.
    aside: Vec<Aside>,
    /// What of it has its position from before.
    known: Vec<Known>,
}

/// A change of the asking device that was there already, with its position.
pub(crate) type Known = (ScopeId, Key, Position);

/// A change of the asking device that waits for its lead, with the code why.
pub(crate) type Aside = (ScopeId, Key, &'static str);

async fn receive(shared: &Shared, body: Body) -> Result<Came, Stop> {
    let mut reader = RequestReader::new(shared.limits.request_bytes);
    let mut body = body.into_data_stream().peekable();
    let stall = Duration::from_millis(shared.limits.stall_ms);
    let mut stop = pin!(stopped(shared.stopping.clone()));
    let mut frames = Frames::default();
    let mut hello = None;
    let mut broken: Option<Stop> = None;
    let mut drained = 0;
    loop {
        if frames.bytes > AT_ONCE || (frames.bytes > 0 && !is_next_here(&mut body).await) {
            frames.keep(&shared.hub).await?;
            if broken.is_none() && !frames.kept && frames.refused >= MAX_REFUSED {
                broken = frames.last_refusal.map(|why| why.problem().into());
            }
        }
        let chunk = tokio::select! {
            biased;
            () = &mut stop => Err(Problem::Busy),
            chunk = tokio::time::timeout(stall, body.next()) => Ok(chunk),
        };
        let chunk = match chunk {
            Ok(Ok(Some(Ok(chunk)))) => chunk,
            Ok(Ok(None)) => break,
            // Cut, or to be stopped: what was whole is kept, and after a cut nobody is there to be told.
            Ok(Ok(Some(Err(_))) | Err(_)) => return frames.keep_and(&shared.hub, Problem::Malformed).await,
            Err(problem) => return frames.keep_and(&shared.hub, problem).await,
        };
        if broken.is_some() {
            // What follows is read and thrown away, since many clients hear no answer before they have sent all.
            drained += chunk.len() as u64;
            if drained > shared.limits.request_bytes {
                break;
            }
            continue;
        }
        if let Err(why) = reader.push(&chunk) {
            broken = Some(why.into());
            continue;
        }
        loop {
            match reader.next_event() {
                Ok(None) => break,
                Ok(Some(RequestEvent::Auth(auth))) => frames.asks = Some(auth.key_id),
                Ok(Some(RequestEvent::Hello(said))) => hello = Some(said),
                Ok(Some(RequestEvent::Frame(frame))) => frames.add(frame),
                Err(why) => {
                    broken = Some(why.into());
                    break;
                }
            }
        }
    }
    frames.keep(&shared.hub).await?;
    if let Some(stop) = broken {
        return Err(stop);
    }
    let sealed = reader.finish()?;
    let hello = hello.ok_or(Problem::Malformed)?;
    Ok(Came { hello, sealed, own_forged: frames.own_forged, aside: frames.aside, known: frames.known })
}

/// Whether more of the body has come already: then one commit can keep more than one frame.
async fn is_next_here(body: &mut Peekable<BodyDataStream>) -> bool {
    // The connection reads on only between two looks.
    tokio::task::yield_now().await;
    Pin::new(body).peek().now_or_never().is_some()
}

/// Frames of a request that have come whole and are not kept yet. Those that have come together are kept together,
/// by one commit: waiting for the disk is what costs.
#[derive(Default)]
struct Frames {
    whole: Vec<Vec<u8>>,
    bytes: usize,
    asks: Option<DeviceId>,
    /// A frame that the asking device itself should have signed was not.
    own_forged: bool,
    /// Some frame of the request was kept.
    kept: bool,
    refused: usize,
    last_refusal: Option<Refusal>,
    /// As much as a reply can name.
    aside: Vec<Aside>,
    known: Vec<Known>,
}

impl Frames {
    fn add(&mut self, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.whole.push(frame);
    }

    /// Keeps what there is, durable when it returns.
    async fn keep(&mut self, hub: &Arc<Hub>) -> Result<(), Stop> {
        let frames = std::mem::take(&mut self.whole);
        self.bytes = 0;
        if frames.is_empty() {
            return Ok(());
        }
        let (hub, asks) = (hub.clone(), self.asks);
        let judged = blocking(move || keep(&hub, &frames, asks)).await?;
        self.own_forged |= judged.own_forged;
        self.kept |= judged.kept;
        self.refused += judged.refused;
        let room = MAX_SET_ASIDE - self.aside.len();
        self.aside.extend(judged.aside.into_iter().take(room));
        let room = MAX_RANGES - self.known.len();
        self.known.extend(judged.known.into_iter().take(room));
        self.last_refusal = judged.last_refusal.or(self.last_refusal);
        Ok(())
    }

    /// Keeps what there is and ends the request.
    async fn keep_and<T>(mut self, hub: &Arc<Hub>, problem: Problem) -> Result<T, Stop> {
        self.keep(hub).await?;
        Err(problem.into())
    }
}

/// What became of frames that were kept together.
#[derive(Default)]
struct Judged {
    own_forged: bool,
    kept: bool,
    refused: usize,
    last_refusal: Option<Refusal>,
    aside: Vec<Aside>,
    known: Vec<Known>,
}

fn keep(hub: &Hub, frames: &[Vec<u8>], asks: Option<DeviceId>) -> Result<Judged, Stop> {
    let mut judged = Judged::default();
    for (frame, taken) in frames.iter().zip(hub.intake.take_all(frames, hub.clock.now())?) {
        let signer = Outer::whole(frame).map(|outer| outer.key_id()).ok();
        match taken {
            Taken::Refused(why) => {
                judged.refused += 1;
                judged.last_refusal = Some(why);
                judged.own_forged |= why == Refusal::Forged && signer == asks;
            }
            Taken::Kept(scope, told) => {
                judged.kept = true;
                tracing::debug!(
                    accepted = told.accepted,
                    known = told.known.len(),
                    set_aside = told.set_aside.len(),
                    collisions = told.collisions.len(),
                    bytes = frame.len(),
                    "frame kept"
                );
                if told.accepted > 0 {
                    hub.dirty.mark(scope);
                }
                if signer == asks {
                    judged.known.extend(told.known.iter().map(|(key, position)| (scope, *key, *position)));
                    let waits = told.set_aside.iter().filter_map(|(key, why)| Some(((*key)?, why.code())));
                    let others = told.collisions.iter().map(|key| (*key, OTHER_BYTES));
                    judged.aside.extend(waits.chain(others).map(|(key, code)| (scope, key, code)));
                }
            }
        }
    }
    Ok(judged)
}

/// Who asks, when it is proven and may have a reply.
fn prove(hub: &Hub, came: &Came) -> Result<DeviceId, Stop> {
    let auth = came.sealed.auth;
    let device = hub.log.device(auth.key_id)?.ok_or(Problem::UnknownDevice)?;
    let key = PublicKey::from_bytes(&device.public_key).ok_or(Problem::UnknownDevice)?;
    came.sealed.verify(&key)?;
    if device.revoked_at.is_some() {
        return Err(Problem::Revoked.into());
    }
    let now = hub.clock.now();
    if !nonce::is_good(&hub.keys.secret, device.id, &auth.nonce, now) {
        let next = nonce::give(&hub.keys.secret, device.id, now);
        return Err(Stop { problem: Problem::StaleNonce, nonce: Some(next) });
    }
    if came.hello.protocol > PROTOCOL {
        return Err(Problem::ProtocolTooNew.into());
    }
    if came.own_forged {
        return Err(Problem::BadFrame.into());
    }
    Ok(device.id)
}

/// Runs what waits for the disk where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, Stop> + Send + 'static,
) -> Result<T, Stop> {
    match tokio::task::spawn_blocking(what).await {
        Ok(done) => done,
        Err(_) => {
            tracing::error!("a blocking task panicked");
            Err(Problem::Busy.into())
        }
    }
}

pub(crate) fn problem(hub: &Hub, problem: Problem, nonce: Option<Nonce>) -> Response {
    let body = ProblemBody { problem, hub_time_ms: hub.clock.now().unsigned(), nonce };
    tracing::info!(problem = problem.name(), "refused");
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::BAD_REQUEST);
    respond(status, Body::from(body.encode()))
}

pub(crate) fn respond(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}
