//! A hub that listens on a free port, and phones that talk to it by the real session.

use std::sync::Arc;

use langso_domain::id::ScopeId;
use langso_domain::registry::{CURRENT, Role};
use langso_hub::log::Log;
use langso_hub::server::{Config, Hub, Limits, Running, Server};
use langso_sync::chain::Cursor;
use langso_sync::change::Change;
use langso_sync::frame::Frame;
use langso_sync::keys::{PublicKey, SigningKey};
use langso_sync::session::{Event, News, Pace, Receipt, Session, Setup};
use langso_sync::wire::{Held, Hello, Nonce, Problem, ProblemBody, SYNC_PATH, write_request};

use super::{Hands, Phone, TEAM_SCOPE, enrol, seeded};

/// A listening hub.
pub struct Site {
    pub folder: tempfile::TempDir,
    pub hands: Hands,
    pub running: Running,
    pub client: reqwest::Client,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hands = Hands::new();
        let running = Server::start(Config { limits, ..config(&folder, &hands) }).await.unwrap();
        let site = Self { folder, hands, running, client: reqwest::Client::new() };
        seeded(site.log(), &site.hub().keys.signing);
        site
    }

    pub async fn restart(self) -> Self {
        let Self { folder, hands, running, client } = self;
        running.shutdown().await.unwrap();
        let running = Server::start(config(&folder, &hands)).await.unwrap();
        Self { folder, hands, running, client }
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.running.hub
    }

    pub fn log(&self) -> &Log {
        &self.running.hub.log
    }

    pub fn key(&self) -> &SigningKey {
        &self.running.hub.keys.signing
    }

    pub fn public(&self) -> PublicKey {
        self.key().public()
    }

    pub fn phone(&self, seed: u8, role: Role) -> Phone {
        let phone = Phone::new(seed);
        enrol(self.log(), self.key(), &phone, role);
        phone
    }

    pub fn nonce(&self, phone: &Phone) -> Nonce {
        let hub = self.hub();
        langso_hub::nonce::give(&hub.keys.secret, phone.id(), hub.clock.now())
    }

    pub fn head(&self, scope: ScopeId) -> u64 {
        self.log().scope(scope).unwrap().unwrap().head
    }

    pub async fn post(&self, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let url = format!("http://{}{path}", self.running.addr);
        let response = self.client.post(url).body(body).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    /// Posts a request body; the problem with its status when the hub refuses.
    pub async fn refused(&self, body: Vec<u8>) -> (u16, ProblemBody) {
        let (status, body) = self.post(SYNC_PATH, body).await;
        (status, ProblemBody::decode(&body).unwrap())
    }

    /// One whole session: sends what is pending, fetches what is new.
    pub async fn sync(&self, phone: &Phone, asks: Asks) -> Heard {
        let mut heard = Heard::default();
        let mut session = Session::new(Setup {
            hub: self.public(),
            device: phone.id(),
            schema: CURRENT.schema,
            app: "test".into(),
            nonce: self.nonce(phone),
            cursors: asks.cursors,
            pace: Pace::default(),
            max_bytes: asks.max_bytes,
            max_frame: asks.max_frame,
        });
        while !session.done() && !session.spent() && heard.refused.is_none() {
            let pending = asks.pending.iter().map(|(scope, change)| (*scope, change.encode()));
            let body = session.request(&phone.key, &asks.held, pending, []);
            heard.sent += body.len();
            let (_, reply) = self.post(SYNC_PATH, body).await;
            heard.received += reply.len();
            session.feed(&reply);
            while let Some(event) = session.next_event().unwrap() {
                match event {
                    Event::News(news) => drop(heard.news.get_or_insert(news)),
                    Event::Receipts { receipts, .. } => heard.receipts.extend(receipts),
                    Event::Frame { frame, .. } => heard.frames.push(frame),
                    Event::State { frame, .. } => heard.states.push(frame),
                    Event::FellBack { scope, cursor } => heard.fell_back.push((scope, cursor)),
                    Event::Refused(body) => heard.refused = Some(body.problem),
                    Event::OtherHistory { scope } => session.offer_marks(scope, &asks.marks),
                    Event::Compared { .. } => {}
                    Event::End { .. } => heard.ends += 1,
                }
            }
        }
        heard.cursors = session.cursors().to_vec();
        heard
    }
}

fn config(folder: &tempfile::TempDir, hands: &Hands) -> Config {
    Config { clock: hands.clock(), ..Config::new(folder.path(), ([127, 0, 0, 1], 0).into()) }
}

/// What a phone comes with.
pub struct Asks {
    pub cursors: Vec<(ScopeId, Cursor)>,
    pub pending: Vec<(ScopeId, Change)>,
    pub held: Vec<Held>,
    pub marks: Vec<Cursor>,
    pub max_bytes: u64,
    pub max_frame: u32,
}

impl Asks {
    /// Everything of these scopes from the beginning.
    pub fn from_start(scopes: &[ScopeId]) -> Self {
        Self {
            cursors: scopes.iter().map(|scope| (*scope, Cursor::start(*scope))).collect(),
            pending: vec![],
            held: vec![],
            marks: vec![],
            max_bytes: u64::MAX,
            max_frame: u32::MAX,
        }
    }

    pub fn sending(mut self, scope: ScopeId, changes: &[Change]) -> Self {
        self.pending.extend(changes.iter().map(|change| (scope, change.clone())));
        for change in changes {
            let Held { writer, upto } = Held { writer: change.key.writer, upto: change.key.seq };
            match self.held.iter_mut().find(|held| held.writer == writer) {
                Some(held) => held.upto = held.upto.max(upto),
                None => self.held.push(Held { writer, upto }),
            }
        }
        self
    }
}

/// What a phone heard; the news are those of the first reply.
#[derive(Default)]
pub struct Heard {
    pub news: Option<News>,
    pub receipts: Vec<Receipt>,
    pub frames: Vec<Frame>,
    pub states: Vec<langso_sync::state::StateFrame>,
    pub fell_back: Vec<(ScopeId, Cursor)>,
    pub refused: Option<Problem>,
    pub cursors: Vec<(ScopeId, Cursor)>,
    pub ends: u32,
    pub sent: usize,
    pub received: usize,
}

impl Heard {
    pub fn keys(&self) -> Vec<langso_domain::id::Key> {
        self.frames
            .iter()
            .flat_map(|frame| frame.changes().map(|one| one.head.key).collect::<Vec<_>>())
            .collect()
    }
}

/// A request for the team scope from its beginning.
pub fn request(phone: &Phone, nonce: &Nonce, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut hello = Hello::new(CURRENT.schema, "test");
    hello.cursors.push((TEAM_SCOPE, Cursor::start(TEAM_SCOPE)));
    write_request(&phone.key, nonce, &hello, frames)
}
