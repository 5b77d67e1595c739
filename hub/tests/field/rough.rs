//! A line through somebody's proxy, which does to one exchange at a time what bad proxies do. Whole bodies pass: what it
//! breaks, it breaks knowingly.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_domain::id::Key;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::link::Exchange;
use super::{handset, http};

/// What is done to the next exchange; places are taken modulo the length of what passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request reaches the hub twice; the phone hears the second answer.
    RequestTwice,
    /// The request reaches the hub and its answer is lost; the proxy asks again.
    Retried,
    /// The phone's connection breaks, and the request comes to the hub after the next one.
    Overtaken,
    /// An older request comes to the hub again, behind this one.
    OldRequest,
    /// The phone hears the answer to an older request; this one never leaves.
    OldReply,
    /// The phone hears the answer to an older request; the hub takes this one in.
    ReplySwapped,
    /// A page of somebody's network, and nothing reaches the hub.
    Portal,
    /// The same, after the hub has taken the request in.
    PortalBehind,
    /// Bytes of the request come twice.
    BytesTwiceUp(usize),
    /// Bytes of the answer come twice.
    BytesTwiceDown(usize),
    /// A bit of the request is another one.
    FlipUp(usize),
    /// A bit of the answer is another one.
    FlipDown(usize),
    /// The request ends there.
    CutUp(usize),
    /// The answer ends there.
    CutDown(usize),
    /// Both ways one byte at a time.
    ByteByByte,
    /// The answer waits until it is let go.
    Delayed,
}

struct State {
    next: Fault,
    watched: PathBuf,
    exchanges: Vec<Exchange>,
    requests: Vec<Vec<u8>>,
    replies: Vec<Vec<u8>>,
    waiting: Option<Vec<u8>>,
}

/// See the module. Lives as long as the test.
#[derive(Clone)]
pub struct Rough {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    delayed: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Rough {
    pub async fn to(hub: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let state = State {
            next: Fault::None,
            watched: PathBuf::new(),
            exchanges: Vec::new(),
            requests: Vec::new(),
            replies: Vec::new(),
            waiting: None,
        };
        let state = Arc::new(Mutex::new(state));
        let addr = listener.local_addr().unwrap();
        let own = Self { addr, state, delayed: Arc::default(), go_on: Arc::default() };
        let rough = own.clone();
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let rough = own.clone();
                // A line that breaks is what this is for.
                tokio::spawn(async move { rough.serve(phone, hub).await.ok() });
            }
        });
        rough
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Each request is noted with what this phone's file held receipts for.
    pub fn watch(&self, file: PathBuf) {
        self.state().watched = file;
    }

    /// Happens to the next exchange.
    pub fn next(&self, fault: Fault) {
        self.state().next = fault;
    }

    /// Whether the fault has come to pass.
    pub fn is_past(&self) -> bool {
        self.state().next == Fault::None
    }

    /// What passed since the last look.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state().exchanges)
    }

    /// Waits until an answer waits.
    pub async fn delayed(&self) {
        self.delayed.notified().await;
    }

    /// Lets it go.
    pub fn go_on(&self) {
        self.go_on.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut phone: TcpStream, hub: SocketAddr) -> std::io::Result<()> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let mut request = Vec::new();
            while !http::body(&request).1 {
                let came = phone.read(&mut chunk).await?;
                if came == 0 {
                    return Ok(());
                }
                request.extend(&chunk[..came]);
            }
            let fault = self.begin(&request);
            let Some(reply) = self.carry(fault, request, hub).await? else {
                return phone.shutdown().await;
            };
            let cut = matches!(fault, Fault::CutDown(_));
            match fault {
                Fault::ByteByByte => byte_by_byte(&mut phone, &reply).await?,
                _ => phone.write_all(&reply).await?,
            }
            if cut || !http::body(&reply).1 {
                return phone.shutdown().await;
            }
        }
    }

    fn begin(&self, request: &[u8]) -> Fault {
        let mut state = self.state();
        let known: BTreeSet<Key> = handset::acknowledged(&state.watched);
        state.exchanges.push(Exchange { up: request.to_vec(), down: Vec::new(), known });
        std::mem::replace(&mut state.next, Fault::None)
    }

    /// What the phone hears; none when its connection breaks.
    async fn carry(
        &self,
        fault: Fault,
        request: Vec<u8>,
        hub: SocketAddr,
    ) -> std::io::Result<Option<Vec<u8>>> {
        let page = || b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n<html>Wifi free".to_vec();
        let older = |of: &[Vec<u8>]| of.iter().rev().nth(1).cloned();
        let reply = match fault {
            Fault::Portal => return Ok(Some(page())),
            Fault::OldReply => return Ok(older(&self.state().replies).or_else(|| Some(page()))),
            Fault::Overtaken => {
                self.state().waiting = Some(request);
                return Ok(None);
            }
            Fault::CutUp(at) => {
                ask(hub, &request[..at % request.len()], false).await.ok();
                return Ok(None);
            }
            Fault::BytesTwiceUp(_) | Fault::FlipUp(_) => ask(hub, &damaged(fault, &request), false).await?,
            Fault::RequestTwice | Fault::Retried => {
                ask(hub, &request, false).await?;
                ask(hub, &request, false).await?
            }
            fault => ask(hub, &request, fault == Fault::ByteByByte).await?,
        };
        if fault == Fault::OldRequest
            && let Some(old) = { older(&self.state().requests) }
        {
            ask(hub, &old, false).await?;
        }
        let waiting = self.state().waiting.take();
        if let Some(overtaken) = waiting {
            ask(hub, &overtaken, false).await?;
        }
        if fault == Fault::Delayed {
            self.delayed.notify_one();
            self.go_on.notified().await;
        }
        let mut state = self.state();
        let swapped = (fault == Fault::ReplySwapped).then(|| older(&state.replies)).flatten();
        state.requests.push(request);
        state.replies.push(reply.clone());
        Ok(Some(match fault {
            Fault::PortalBehind => page(),
            Fault::ReplySwapped => swapped.unwrap_or_else(page),
            Fault::BytesTwiceDown(_) | Fault::FlipDown(_) => damaged(fault, &reply),
            Fault::CutDown(at) => reply[..at % reply.len()].to_vec(),
            _ => reply,
        }))
    }
}

/// A message with damage in its body and a length that is true.
fn damaged(fault: Fault, message: &[u8]) -> Vec<u8> {
    let (mut body, _) = http::body(message);
    let at = match fault {
        Fault::BytesTwiceUp(at) | Fault::BytesTwiceDown(at) | Fault::FlipUp(at) | Fault::FlipDown(at) => at,
        _ => 0,
    };
    let at = at % body.len().max(1);
    match fault {
        Fault::FlipUp(by) | Fault::FlipDown(by) => body[at] ^= 1 << (by % 8),
        _ => drop(body.splice(at..at, body[at..(at + 40).min(body.len())].to_vec())),
    }
    let head = std::str::from_utf8(&message[..http::head_end(message).unwrap()]).unwrap();
    let lines = head.trim_end().lines().filter(|line| {
        let name = line.to_ascii_lowercase();
        !name.starts_with("content-length") && !name.starts_with("transfer-encoding")
    });
    let lines: Vec<&str> = lines.collect();
    let head = format!("{}\r\ncontent-length: {}\r\n\r\n", lines.join("\r\n"), body.len());
    [head.as_bytes(), &body].concat()
}

async fn byte_by_byte(line: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    line.set_nodelay(true)?;
    for byte in bytes {
        line.write_all(&[*byte]).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Asks the hub by a connection of its own; gives the answer, or what came of it.
async fn ask(hub: SocketAddr, request: &[u8], is_slow: bool) -> std::io::Result<Vec<u8>> {
    let mut line = TcpStream::connect(hub).await?;
    match is_slow {
        true => byte_by_byte(&mut line, request).await?,
        false => line.write_all(request).await?,
    }
    if !http::body(request).1 {
        line.shutdown().await?;
    }
    let (mut reply, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    while !http::body(&reply).1 {
        let came = line.read(&mut chunk).await?;
        if came == 0 {
            break;
        }
        reply.extend(&chunk[..came]);
    }
    Ok(reply)
}
