//! The line between one phone and the hub: passes bytes on, breaks where a test says, and remembers what passed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_domain::id::{Key, ScopeId};
use langso_sync::frame::Frame;
use langso_sync::state::StateFrame;
use langso_sync::wire::Question;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{handset, http};

/// Where a line breaks. A break passes all bytes before it on and none after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// Never.
    Never,
    /// Once, when that many bytes have gone up.
    Up(usize),
    /// Once, when that many bytes have come down.
    Down(usize),
    /// Each connection of the phone, after that many bytes up and down together.
    Every(usize),
    /// Whatever is under way, each time the line has lived through that many bytes; a request costs `turn` of them
    /// besides what passes, the way there and back.
    Clock { each: usize, turn: usize },
}

/// One request and what came back, as bytes of HTTP, as far as they passed.
#[derive(Clone, Default, Debug)]
pub struct Exchange {
    pub up: Vec<u8>,
    pub down: Vec<u8>,
    /// What the phone's file held receipts for when the request began.
    pub known: BTreeSet<Key>,
}

impl Exchange {
    pub fn carried(&self) -> Vec<(ScopeId, Key)> {
        http::asked(&self.up).1
    }

    pub fn served(&self) -> Vec<Frame> {
        http::served(&self.down)
    }

    pub fn states(&self) -> Vec<StateFrame> {
        http::states(&self.down)
    }
}

/// Makes the bytes of an answer.
type Answer = Box<dyn Fn(Question) -> Vec<u8> + Send>;

struct State {
    hub: SocketAddr,
    next_break: Break,
    up: usize,
    down: usize,
    clock: usize,
    breaks: usize,
    holds: bool,
    is_buffering: bool,
    answer: Option<Answer>,
    watched: Option<PathBuf>,
    exchanges: Vec<Exchange>,
}

impl State {
    /// How many of the bytes that came next may pass, `own` being the bytes of this connection so far.
    fn allow(&mut self, is_up: bool, came: usize, own: usize) -> usize {
        let so_far = if is_up { &mut self.up } else { &mut self.down };
        let passed = *so_far;
        *so_far += came;
        let room = match (self.next_break, is_up) {
            (Break::Up(at), true) | (Break::Down(at), false) => at.saturating_sub(passed),
            (Break::Every(each), _) => each.saturating_sub(own),
            (Break::Clock { each, .. }, _) => each - self.clock % each,
            _ => came,
        };
        self.clock += room.min(came);
        if room < came {
            self.breaks += 1;
            if !matches!(self.next_break, Break::Every(_) | Break::Clock { .. }) {
                self.next_break = Break::Never;
            }
        }
        room.min(came)
    }

    fn begin(&mut self) -> usize {
        if let Break::Clock { each, turn } = self.next_break {
            // What the way takes does not carry over a break: the line is as dead then as inside a body.
            self.clock += turn.min(each - 1 - self.clock % each);
        }
        let known = self.watched.as_deref().map(handset::acknowledged).unwrap_or_default();
        self.exchanges.push(Exchange { known, ..Exchange::default() });
        self.exchanges.len() - 1
    }
}

/// What the tasks of a link share.
#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    /// Rings when a line is held.
    held: Arc<Notify>,
    /// Lets held lines go.
    release: Arc<Notify>,
}

impl Shared {
    /// The line breaks here: at once, or when it is let go.
    async fn end(&self, line: &mut TcpStream) -> std::io::Result<()> {
        if self.state().holds {
            let mut release = pin!(self.release.notified());
            release.as_mut().enable();
            self.held.notify_one();
            release.await;
        }
        line.shutdown().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module. Lives as long as the test.
#[derive(Clone)]
pub struct Link {
    addr: SocketAddr,
    shared: Shared,
}

impl Link {
    pub async fn to(hub: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            hub,
            next_break: Break::Never,
            up: 0,
            down: 0,
            clock: 0,
            breaks: 0,
            holds: false,
            is_buffering: false,
            answer: None,
            watched: None,
            exchanges: Vec::new(),
        }));
        let shared = Shared { state, held: Arc::default(), release: Arc::default() };
        let own = shared.clone();
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let shared = own.clone();
                tokio::spawn(async move {
                    let is_buffering = shared.state().is_buffering;
                    // A line that breaks is what this is for.
                    let _ = match is_buffering {
                        true => buffer(phone, &shared).await,
                        false => pass(phone, &shared).await,
                    };
                });
            }
        });
        Self { addr, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn point_to(&self, hub: SocketAddr) {
        self.shared.state().hub = hub;
    }

    /// Breaks the line there; bytes count from now.
    pub fn break_at(&self, next_break: Break) {
        let mut state = self.shared.state();
        (state.next_break, state.up, state.down, state.breaks) = (next_break, 0, 0, 0);
        state.holds = false;
    }

    /// What the line has lived through since its beginning, for [`Break::Clock`].
    pub fn set_clock(&self, bytes: usize) {
        self.shared.state().clock = bytes;
    }

    pub fn clock(&self) -> usize {
        self.shared.state().clock
    }

    /// Passes nothing on from there and keeps the line open until it is let go; [`Link::held`] tells when.
    pub fn hold_at(&self, next_break: Break) {
        self.break_at(next_break);
        self.shared.state().holds = true;
    }

    /// Waits until a line is held.
    pub async fn held(&self) {
        self.shared.held.notified().await;
    }

    /// Breaks the lines that are held.
    pub fn release(&self) {
        self.shared.state().holds = false;
        self.shared.release.notify_waiters();
    }

    /// How often it has broken since then.
    pub fn breaks(&self) -> usize {
        self.shared.state().breaks
    }

    /// From the next connection on whole bodies are kept back: a request until it is whole, then its reply.
    pub fn buffer_bodies(&self) {
        self.shared.state().is_buffering = true;
    }

    /// Each request is noted with what this phone's file held receipts for.
    pub fn watch(&self, file: PathBuf) {
        self.shared.state().watched = Some(file);
    }

    /// Somebody else answers the next request, with these bytes of HTTP; on a link that buffers.
    pub fn answer_next(&self, reply: Vec<u8>) {
        self.answer_by(move |_| reply.clone());
    }

    /// The same, by what was asked.
    pub fn answer_by(&self, reply: impl Fn(Question) -> Vec<u8> + Send + 'static) {
        self.shared.state().answer = Some(Box::new(reply));
    }

    /// What passed since the last look.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.shared.state().exchanges)
    }
}

async fn pass(mut phone: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let target = shared.state().hub;
    let mut hub = TcpStream::connect(target).await?;
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    // The place of the exchange under way, and whether its reply has begun.
    let mut under_way: Option<(usize, bool)> = None;
    let mut own = 0;
    loop {
        tokio::select! {
            came = phone.read(&mut up) => {
                let came = came?;
                if came == 0 { return Ok(()); }
                let passes = {
                    let mut state = shared.state();
                    let at = match under_way {
                        Some((at, false)) => at,
                        _ => state.begin(),
                    };
                    under_way = Some((at, false));
                    let passes = state.allow(true, came, own);
                    if let Some(exchange) = state.exchanges.get_mut(at) {
                        exchange.up.extend(&up[..passes]);
                    }
                    passes
                };
                own += passes;
                hub.write_all(&up[..passes]).await?;
                if passes < came { return shared.end(&mut hub).await; }
            }
            came = hub.read(&mut down) => {
                let came = came?;
                if came == 0 { return Ok(()); }
                let passes = {
                    let mut state = shared.state();
                    let passes = state.allow(false, came, own);
                    if let Some((at, is_answered)) = &mut under_way {
                        *is_answered = true;
                        if let Some(exchange) = state.exchanges.get_mut(*at) {
                            exchange.down.extend(&down[..passes]);
                        }
                    }
                    passes
                };
                own += passes;
                phone.write_all(&down[..passes]).await?;
                if passes < came { return shared.end(&mut phone).await; }
            }
        }
    }
}

/// As a proxy of a telephone company does it: what breaks off before it is whole never gets through.
async fn buffer(mut phone: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    let mut own = 0;
    loop {
        let (mut request, mut at) = (Vec::new(), None);
        while !http::body(&request).1 {
            let came = phone.read(&mut chunk).await?;
            if came == 0 {
                return Ok(());
            }
            let passes = {
                let mut state = shared.state();
                if at.is_none() {
                    at = Some(state.begin());
                }
                state.allow(true, came, own)
            };
            own += passes;
            request.extend(&chunk[..passes]);
            if passes < came {
                return shared.end(&mut phone).await;
            }
        }
        let answer = shared.state().answer.take();
        if let Some(answer) = answer {
            let question = Question::of(&http::body(&request).0).unwrap_or_default();
            phone.write_all(&answer(question)).await?;
            return phone.shutdown().await;
        }
        let target = shared.state().hub;
        let mut hub = TcpStream::connect(target).await?;
        hub.write_all(&request).await?;
        let mut reply = Vec::new();
        while !http::body(&reply).1 {
            let came = hub.read(&mut chunk).await?;
            if came == 0 {
                return Ok(());
            }
            reply.extend(&chunk[..came]);
        }
        let passes = {
            let mut state = shared.state();
            let passes = state.allow(false, reply.len(), own);
            if let Some(exchange) = at.and_then(|at| state.exchanges.get_mut(at)) {
                exchange.up = request;
                exchange.down.extend(&reply[..passes]);
            }
            passes
        };
        own += passes;
        phone.write_all(&reply[..passes]).await?;
        if passes < reply.len() {
            return shared.end(&mut phone).await;
        }
    }
}
