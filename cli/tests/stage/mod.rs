//! The program as it runs: `langso serve` as a process, and a phone of its team behind a link.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses its part of this; a failure here is a failed test"
)]

#[path = "../../../hub/tests/field/mod.rs"]
pub mod field;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use self::field::handset::{acknowledged, written};
use self::field::{FOUNDED_ON, Link, UNIT};
use langso_device::companion::{InviteText, SyncNow};
use langso_device::{Companion, SystemTime};
use langso_domain::date::CivilDate;
use langso_domain::id::{Key, TeamId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{NewMember, NewTeam};
use langso_hub::clock::Clock;
use langso_hub::server::Hub;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

pub const LANGSO: &str = env!("CARGO_BIN_EXE_langso");

/// A hub as a process of its own.
pub struct Serving {
    pub child: Child,
    pub addr: std::net::SocketAddr,
}

impl Serving {
    pub fn start(data: &Path) -> Self {
        Self::starts(Command::new(LANGSO), data)
    }

    /// A hub that can make no file longer than so many blocks of 512 bytes.
    pub fn start_within(data: &Path, blocks: u32) -> Self {
        Self::starts(within(blocks), data)
    }

    fn starts(mut langso: Command, data: &Path) -> Self {
        let mut child = langso
            .args(["serve", "--json", "--log", "error", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        let addr = told["address"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Self { child, addr }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), signal).unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Killed already in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program where files have an end: writing beyond it fails, as on a full disk.
pub fn within(blocks: u32) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh", LANGSO]);
    shell
}

/// A hub, a team, and one phone of it behind a link.
pub struct Stage {
    pub folder: tempfile::TempDir,
    pub serving: Serving,
    pub team: TeamId,
    pub link: Link,
    _turn: MutexGuard<'static, ()>,
}

/// One stage at a time: a process being started holds, until it runs, whatever files its parent has open, and so the
/// locks of folders that another test has just closed.
static TURN: Mutex<()> = Mutex::const_new(());

impl Stage {
    pub async fn new() -> Self {
        let _turn = TURN.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hub");
        let hub = Hub::open(&data, Clock::system()).unwrap();
        let (unit, founded_on) = (UnitCode::parse(UNIT).unwrap(), CivilDate::parse_iso(FOUNDED_ON).unwrap());
        let (name, kind) = ("Tổ thôn Ngàn Chi".to_owned(), "hamlet".to_owned());
        let team = hub.make_team(&NewTeam { name, kind, unit, founded_on, hamlets: vec![] }).unwrap();
        let (name, role) = ("Chíu Sám Múi".to_owned(), Role::Member);
        let member = hub.add_member(team.id, &NewMember { name, role, from: founded_on }).unwrap();
        let serving = Serving::start(&data);
        let link = Link::to(serving.addr).await;
        let invite = hub.make_code(team.id, member, &link.url()).unwrap().invite;
        let stage = Self { folder, serving, team: team.id, link, _turn };
        let phone = stage.open();
        let invite = InviteText { invite: invite.to_string(), device_name: String::new() };
        phone.enrolment().join_team(invite).await.unwrap();
        phone.sync().sync_now(SyncNow::default()).await.unwrap();
        stage
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    pub fn phone(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    pub fn open(&self) -> Companion {
        Companion::open(&self.phone(), Arc::new(SystemTime)).unwrap()
    }

    /// Visits with checklists: changes in two scopes.
    pub fn work(&self, phone: &Companion, visits: usize) {
        for _ in 0..visits {
            let steps: Vec<_> = (1..=12).map(|step| json!({"step": step, "result": 1})).collect();
            let run = json!({"tutorial": "T1@1", "steps": steps, "teach_back": true});
            let service = json!({"service": "vneid_level2@1", "outcome": 1, "run": run});
            phone.call("visits.log_visit", json!({"services": [service]})).unwrap();
        }
    }

    /// `langso phone call sync.sync_now` as a process.
    pub fn syncing(&self) -> Child {
        Command::new(LANGSO)
            .args(["phone", "--at"])
            .arg(self.phone())
            .args(["call", "sync.sync_now"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn restart(&mut self) {
        self.serving = Serving::start(&self.data());
        self.link.point_to(self.serving.addr);
    }

    /// What of this phone's work the hub's log holds; each change has one position.
    pub fn arrived(&self) -> BTreeSet<Key> {
        let hub = Hub::open(&self.data(), Clock::system()).unwrap();
        let team = hub.log.team(self.team).unwrap().unwrap();
        let mut arrived = BTreeSet::new();
        for scope in [team.scope, team.training] {
            for stored in hub.log.changes_after(scope, 0, 100_000, usize::MAX).unwrap() {
                assert!(arrived.insert(stored.key), "{:?} has two positions", stored.key);
            }
            assert!(hub.log.list_set_aside(scope).unwrap().is_empty());
        }
        arrived
    }

    /// Nothing written was lost, no number was given twice, and nothing went up after its receipt was here.
    pub fn all_is_well(&self) {
        let written = written(&self.phone().join("phone.db"));
        let keys: BTreeSet<Key> = written.iter().map(|(_, key, _)| *key).collect();
        assert_eq!(keys.len(), written.len(), "a number was given twice");
        assert!(keys.is_subset(&self.arrived()), "work is lost");
        assert!(keys.is_subset(&acknowledged(&self.phone().join("phone.db"))), "a receipt is missing");
        for exchange in self.link.take_exchanges() {
            for (_, key) in exchange.carried() {
                assert!(!exchange.known.contains(&key), "{key:?} went up after its receipt was here");
            }
        }
    }
}
