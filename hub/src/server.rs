//! The hub as a running thing: opens its folder, listens, and stops without cutting a commit.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use langso_domain::id::ScopeId;
use langso_domain::registry::{CURRENT, ScopeKind};
use langso_sync::keys::Fingerprint;
use langso_sync::wire::{ENROL_PATH, FIGURES_PATH, SYNC_PATH, WAITING_PATH};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle};

use crate::author::Author;
use crate::clock::Clock;
use crate::intake::Intake;
use crate::keys::{HubKeys, KeyError, private_folder};
use crate::log::{self, Log, Write};
use crate::replica::Replicas;
use crate::snapshots::Snapshots;
use crate::{enrol, figures, projector, random, sync, waiting};

/// How a hub runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder with everything that matters; made when it is not there.
    pub folder: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The time.
    pub clock: Clock,
    /// What one request may cost.
    pub limits: Limits,
}

impl Config {
    /// A hub on that folder and address with the system's clock and the usual limits.
    pub fn new(folder: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self { folder: folder.into(), listen, clock: Clock::system(), limits: Limits::default() }
    }
}

/// Bounds of requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body of a sync request, in bytes.
    pub request_bytes: u64,
    /// The most requests at a time; more are asked to come again.
    pub requests: usize,
    /// How long a phone may send nothing in the middle of a request, in ms.
    pub stall_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_bytes: 8 * 1024 * 1024, requests: 256, stall_ms: 60_000 }
    }
}

/// Why a hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder or the address cannot be used.
    #[error("hub folder or address: {0}")]
    Io(#[from] std::io::Error),
    /// See the keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// See the log.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// No random bytes.
    #[error(transparent)]
    NoRandomness(#[from] random::NoRandomness),
}

/// An opened hub: what the server, the command line and tests share.
#[derive(Debug)]
pub struct Hub {
    /// The folder with everything that matters.
    pub folder: PathBuf,
    /// The log.
    pub log: Arc<Log>,
    /// The keys.
    pub keys: Arc<HubKeys>,
    /// The time.
    pub clock: Clock,
    /// The way in for frames.
    pub intake: Intake,
    /// What the hub writes itself.
    pub author: Author,
    /// The scope of content newer than the release.
    pub reference: ScopeId,
    /// Rows, made from the log.
    pub replicas: Replicas,
    /// States of scopes, for phones that are new or far behind.
    pub snapshots: Arc<Snapshots>,
    /// Scopes that grew.
    pub dirty: Arc<Dirty>,
}

/// One per hub, and told by its key: as random as that, and found again without being kept anywhere.
fn reference_scope(keys: &HubKeys) -> ScopeId {
    let digest =
        Sha256::new().chain_update(b"langso reference scope v1\0").chain_update(keys.public().to_bytes());
    let mut scope = [0; 8];
    scope.copy_from_slice(&digest.finalize()[..8]);
    ScopeId(scope)
}

impl Hub {
    /// Opens a hub's folder; makes the folder, its key and its log at the first time.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, StartError> {
        private_folder(folder)?;
        let path = folder.join("hub.db");
        let keys = Arc::new(HubKeys::open(&folder.join("hub.key"), !path.exists())?);
        let log = Arc::new(Log::open(&path, &CURRENT)?);
        log.add_hub(keys.id(), keys.public().to_bytes(), clock.now())?;
        let reference = reference_scope(&keys);
        log.commit(keys.id(), &[Write::Scope(reference, ScopeKind::Reference)], clock.now())?;
        let intake = Intake::new(log.clone(), keys.public());
        let dirty = Arc::new(Dirty::default());
        let author = Author::new(log.clone(), keys.id(), clock.clone(), dirty.clone());
        let replicas = Replicas::new(folder.join("replicas"), log.clone());
        let snapshots = Arc::new(Snapshots::new(folder.join("snapshots"), log.clone(), keys.clone()));
        let folder = folder.to_owned();
        Ok(Self { folder, log, keys, clock, intake, author, reference, replicas, snapshots, dirty })
    }

    /// What enrolment codes say of the hub's key.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.keys.public())
    }
}

/// Scopes that grew since the projector looked, and a bell.
#[derive(Debug)]
pub struct Dirty {
    scopes: Mutex<BTreeSet<ScopeId>>,
    bell: watch::Sender<u64>,
}

impl Default for Dirty {
    fn default() -> Self {
        Self { scopes: Mutex::default(), bell: watch::Sender::new(0) }
    }
}

impl Dirty {
    /// The scope has new changes.
    pub fn mark(&self, scope: ScopeId) {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).insert(scope);
        self.bell.send_modify(|rings| *rings += 1);
    }

    /// Takes one scope off; none when all is clean.
    pub fn take(&self) -> Option<ScopeId> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }

    /// Whether nothing is marked.
    pub fn is_clean(&self) -> bool {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Counts how often a scope was marked; whoever holds it is woken by each.
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Waits until something is marked.
    pub(crate) async fn wait(&self) {
        let mut bell = self.bell();
        // A dropped sender means that the hub is gone.
        while self.is_clean() && bell.changed().await.is_ok() {}
    }
}

/// What handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub hub: Arc<Hub>,
    pub limits: Limits,
    pub permits: Arc<Semaphore>,
    pub stopping: watch::Receiver<bool>,
}

/// Starts hubs.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the hub and listens; answers from the moment it returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let Config { folder, listen, clock, limits } = config;
        let opened = tokio::task::spawn_blocking(move || Hub::open(&folder, clock)).await;
        let hub = Arc::new(opened.map_err(std::io::Error::other)??);
        Self::serve(hub, listen, limits).await
    }

    /// Listens for an opened hub.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub async fn serve(hub: Arc<Hub>, listen: SocketAddr, limits: Limits) -> Result<Running, StartError> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(limits.requests));
        let shared = Shared { hub: hub.clone(), limits, permits, stopping: stopping.clone() };
        let app = Router::new()
            .route(SYNC_PATH, post(sync::sync))
            .route(ENROL_PATH, post(enrol::enrol))
            .route(FIGURES_PATH, get(figures::figures))
            .route(WAITING_PATH, get(waiting::list).post(waiting::decide))
            .route("/healthz", get(healthz))
            .with_state(shared);
        let grace = Duration::from_millis(limits.stall_ms);
        let until = stopped(stopping.clone());
        let projector = tokio::spawn(projector::run(hub.clone(), stopping));
        let task = tokio::spawn(async move {
            // Frames and the end record go out as they are made, not when the line has confirmed the last.
            let listener = listener.tap_io(|line| drop(line.set_nodelay(true)));
            let served = axum::serve(listener, app).with_graceful_shutdown(until).await;
            if let Err(why) = served {
                tracing::error!(%why, "the listener failed");
            }
        });
        tracing::info!(%addr, "listening");
        Ok(Running { addr, hub, stop, task, projector, grace })
    }
}

pub(crate) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // A dropped sender means the same.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// A hub that listens.
#[derive(Debug)]
pub struct Running {
    /// Where.
    pub addr: SocketAddr,
    /// What.
    pub hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    projector: JoinHandle<()>,
    grace: Duration,
}

impl Running {
    /// Stops: takes no new connection, lets the frame being committed finish, answers what is left with "busy",
    /// closes. Whoever does not fetch an answer is waited for as long as one may stall, no longer.
    ///
    /// # Errors
    /// When the server's task had panicked.
    pub async fn shutdown(mut self) -> Result<(), JoinError> {
        let _ = self.stop.send(true);
        match tokio::time::timeout(self.grace, &mut self.task).await {
            Ok(ended) => ended?,
            Err(_) => self.task.abort(),
        }
        self.projector.await
    }
}

/// Answers as long as the log can be read.
async fn healthz(axum::extract::State(shared): axum::extract::State<Shared>) -> axum::http::StatusCode {
    let hub = shared.hub;
    let read = tokio::task::spawn_blocking(move || hub.log.device(hub.keys.id()).map(drop)).await;
    match read {
        Ok(Ok(())) => axum::http::StatusCode::OK,
        _ => axum::http::StatusCode::SERVICE_UNAVAILABLE,
    }
}
