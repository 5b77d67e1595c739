//! The signal of one team's phones: a forwarder between them and the hub that counts bytes and, when told, loses the
//! connection after so many. It reads nothing of what it carries.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// So many bytes are carried at a time.
const CHUNK: usize = 8 * 1024;
/// No bound is set.
const OPEN: i64 = i64::MAX;

/// The forwarder. Works as long as the runtime that it was started in is being driven.
pub(super) struct Air {
    addr: SocketAddr,
    carried: Arc<Carried>,
}

struct Carried {
    hub: SocketAddr,
    up: AtomicU64,
    down: AtomicU64,
    /// Bytes that still pass, both ways together.
    left: AtomicI64,
    /// What becomes of a connection when none is left: it stands still instead of ending.
    holds: AtomicBool,
    spent: Notify,
    /// Tells connections of before that they are over.
    era: Mutex<watch::Sender<()>>,
}

impl Air {
    /// Listens on a free loopback port; must be called inside a runtime.
    pub async fn open(hub: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((hub.ip(), 0)).await?;
        let addr = listener.local_addr()?;
        let carried = Arc::new(Carried {
            hub,
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            left: AtomicI64::new(OPEN),
            holds: AtomicBool::new(false),
            spent: Notify::new(),
            era: Mutex::new(watch::channel(()).0),
        });
        let shared = carried.clone();
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                tokio::spawn(shared.clone().carry(phone));
            }
        });
        Ok(Self { addr, carried })
    }

    /// Where phones find the hub.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Bytes carried up and down since this was last asked.
    pub fn take_bytes(&self) -> (u64, u64) {
        (self.carried.up.swap(0, Ordering::Relaxed), self.carried.down.swap(0, Ordering::Relaxed))
    }

    /// After so many bytes the connection breaks, and there is none until [`Air::clear`].
    pub fn cut_after(&self, bytes: u32) {
        self.bound(bytes, false);
    }

    /// After so many bytes nothing moves on; [`Air::stands_still`] then returns.
    pub fn hold_after(&self, bytes: u32) {
        self.bound(bytes, true);
    }

    /// Waits until the bytes of [`Air::hold_after`] are spent.
    pub async fn stands_still(&self) {
        // A cut of before may have rung too.
        loop {
            self.carried.spent.notified().await;
            if self.carried.left.load(Ordering::Relaxed) <= 0 {
                return;
            }
        }
    }

    /// Signal as before; connections that were cut or held are gone.
    pub fn clear(&self) {
        // Before anything may pass again, so that nothing of them does.
        *self.carried.era.lock().unwrap_or_else(PoisonError::into_inner) = watch::channel(()).0;
        self.carried.left.store(OPEN, Ordering::Relaxed);
        self.carried.holds.store(false, Ordering::Relaxed);
    }

    fn bound(&self, bytes: u32, holds: bool) {
        self.carried.holds.store(holds, Ordering::Relaxed);
        self.carried.left.store(bytes.into(), Ordering::Relaxed);
    }
}

impl Carried {
    async fn carry(self: Arc<Self>, phone: TcpStream) {
        let mut era = self.era.lock().unwrap_or_else(PoisonError::into_inner).subscribe();
        if self.left.load(Ordering::Relaxed) <= 0 && !self.holds.load(Ordering::Relaxed) {
            return;
        }
        let Ok(hub) = TcpStream::connect(self.hub).await else { return };
        // Small requests and replies must not wait for each other's acknowledgement.
        let _ = (phone.set_nodelay(true), hub.set_nodelay(true));
        let (from_phone, to_phone) = phone.into_split();
        let (from_hub, to_hub) = hub.into_split();
        // Whichever way ends first ends both: dropping the halves closes the sockets.
        let over = era.clone();
        tokio::select! {
            () = self.pass(from_phone, to_hub, &self.up, &over) => {}
            () = self.pass(from_hub, to_phone, &self.down, &over) => {}
            _ = era.changed() => {}
        }
    }

    async fn pass(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        count: &AtomicU64,
        era: &watch::Receiver<()>,
    ) {
        let mut buffer = vec![0; CHUNK];
        loop {
            let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
            if era.has_changed().is_err() {
                return;
            }
            let left = self.left.load(Ordering::Relaxed);
            let passes = read.min(usize::try_from(left).unwrap_or(0));
            if left != OPEN {
                self.left.fetch_sub(passes as i64, Ordering::Relaxed);
            }
            if to.write_all(&buffer[..passes]).await.is_err() {
                return;
            }
            count.fetch_add(passes as u64, Ordering::Relaxed);
            if passes < read {
                self.spent.notify_one();
                if !self.holds.load(Ordering::Relaxed) {
                    return;
                }
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hub that answers each byte with two.
    async fn doubling() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    while let Ok(byte) = stream.read_u8().await {
                        if stream.write_all(&[byte, byte]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        addr
    }

    #[tokio::test]
    async fn a_connection_breaks_after_exactly_so_many_bytes_and_works_again_once_cleared() {
        let air = Air::open(doubling().await).await.expect("listens");
        air.cut_after(4);
        let mut phone = TcpStream::connect(air.addr()).await.expect("connects");
        phone.write_all(b"abc").await.expect("sent");
        let mut heard = Vec::new();
        let _ = phone.read_to_end(&mut heard).await;
        assert_eq!((heard.as_slice(), air.take_bytes()), (&b"a"[..], (3, 1)));
        let mut again = TcpStream::connect(air.addr()).await.expect("connects");
        let ended = again.read_u8().await;
        assert!(ended.is_err(), "no signal until it is cleared");
        air.clear();
        let mut phone = TcpStream::connect(air.addr()).await.expect("connects");
        phone.write_all(b"x").await.expect("sent");
        assert_eq!(phone.read_u16().await.expect("an answer"), u16::from_be_bytes(*b"xx"));
        assert_eq!(air.take_bytes(), (1, 2));
    }

    #[tokio::test]
    async fn held_bytes_stand_still_until_their_connection_is_over() {
        let air = Air::open(doubling().await).await.expect("listens");
        air.hold_after(2);
        let mut phone = TcpStream::connect(air.addr()).await.expect("connects");
        phone.write_all(b"abc").await.expect("sent");
        air.stands_still().await;
        air.clear();
        let mut heard = Vec::new();
        let _ = phone.read_to_end(&mut heard).await;
        assert!(heard.len() < 2, "{heard:?}");
    }
}
