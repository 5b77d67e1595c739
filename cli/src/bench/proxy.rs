//! A listener between phone and hub that counts every byte of the connection, HTTP headers and all, and can be as
//! slow and as fragile as a link in the mountains.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::Res;

/// Ticks a second of a slow link.
const TICKS: u64 = 20;

/// How a link is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    /// Bits a second each way; none = as fast as the machine.
    pub bits: Option<u64>,
    /// Each connection is cut after so long.
    pub cut_after: Option<Duration>,
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    counts: Arc<Counts>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
}

/// What passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// Bytes from the phone.
    pub up: u64,
    /// Bytes to the phone.
    pub down: u64,
    /// Connections opened.
    pub connections: u64,
}

impl Passed {
    /// Both ways.
    pub fn bytes(self) -> u64 {
        self.up + self.down
    }
}

impl Proxy {
    /// Listens on a free port and leads to `hub`.
    pub fn start(runtime: &Runtime, hub: SocketAddr, link: Link) -> Res<Self> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let addr = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        let task = runtime.spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(join(phone, hub, link, shared.clone()));
            }
        });
        Ok(Self { addr, counts, task })
    }

    /// Its address as phones know it.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What passed so far.
    pub fn passed(&self) -> Passed {
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        let Counts { up, down, connections } = &*self.counts;
        Passed { up: read(up), down: read(down), connections: read(connections) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn join(phone: TcpStream, hub: SocketAddr, link: Link, counts: Arc<Counts>) {
    let Ok(hub) = TcpStream::connect(hub).await else { return };
    let _ = (phone.set_nodelay(true), hub.set_nodelay(true));
    let (from_phone, to_phone) = phone.into_split();
    let (from_hub, to_hub) = hub.into_split();
    let far = Instant::now() + link.cut_after.unwrap_or(Duration::from_secs(3_600));
    let both = async {
        tokio::join!(
            carry(from_phone, to_hub, link.bits, &counts.up),
            carry(from_hub, to_phone, link.bits, &counts.down)
        )
    };
    // Whoever is in the middle of something sees the connection end.
    let _ = timeout_at(far, both).await;
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, bits: Option<u64>, count: &AtomicU64) {
    let mut chunk = vec![0; bits.map_or(64 * 1024, |bits| (bits / 8 / TICKS).max(1) as usize)];
    let mut ticks = interval(Duration::from_millis(1_000 / TICKS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if bits.is_some() {
            ticks.tick().await;
        }
        let Ok(read) = from.read(&mut chunk).await else { return };
        if read == 0 {
            break;
        }
        count.fetch_add(read as u64, Ordering::AcqRel);
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
