//! SIGKILL and SIGTERM in the middle of a sync, to the program as it runs: `langso serve` and `langso phone`.
//!
//! A link between the two tells when so many bytes have passed and holds the line there, so that each moment is one
//! of the protocol and not one of the clock.

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../../hub/tests/field/mod.rs"]
mod field;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use field::handset::{acknowledged, written};
use field::link::Break;
use field::{FOUNDED_ON, Link, UNIT};
use langso_device::companion::{InviteText, SyncNow};
use langso_device::{AppError, Companion, SystemTime};
use langso_domain::date::CivilDate;
use langso_domain::id::{Key, TeamId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{NewMember, NewTeam};
use langso_hub::clock::Clock;
use langso_hub::server::Hub;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

const LANGSO: &str = env!("CARGO_BIN_EXE_langso");

/// A hub as a process of its own.
struct Serving {
    child: Child,
    addr: std::net::SocketAddr,
}

impl Serving {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(LANGSO)
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

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, signal: Signal) {
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

/// A hub, a team, and one phone of it behind a link.
struct Stage {
    folder: tempfile::TempDir,
    serving: Serving,
    team: TeamId,
    link: Link,
}

impl Stage {
    async fn new() -> Self {
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
        let stage = Self { folder, serving, team: team.id, link };
        let phone = stage.open();
        let invite = InviteText { invite: invite.to_string(), device_name: String::new() };
        phone.enrolment().join_team(invite).await.unwrap();
        phone.sync().sync_now(SyncNow::default()).await.unwrap();
        stage
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    fn phone(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    fn open(&self) -> Companion {
        Companion::open(&self.phone(), Arc::new(SystemTime)).unwrap()
    }

    /// Visits with checklists: changes in two scopes.
    fn work(&self, phone: &Companion, visits: usize) {
        for _ in 0..visits {
            let steps: Vec<_> = (1..=12).map(|step| json!({"step": step, "result": 1})).collect();
            let run = json!({"tutorial": "T1@1", "steps": steps, "teach_back": true});
            let service = json!({"service": "vneid_level2@1", "outcome": 1, "run": run});
            phone.call("visits.log_visit", json!({"services": [service]})).unwrap();
        }
    }

    /// `langso phone call sync.sync_now` as a process.
    fn syncing(&self) -> Child {
        Command::new(LANGSO)
            .args(["phone", "--at"])
            .arg(self.phone())
            .args(["call", "sync.sync_now"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn restart(&mut self) {
        self.serving = Serving::start(&self.data());
        self.link.point_to(self.serving.addr);
    }

    /// What of this phone's work the hub's log holds; each change has one position.
    fn arrived(&self) -> BTreeSet<Key> {
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
    fn all_is_well(&self) {
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

/// Moments all over a request and its reply.
fn moments() -> impl Iterator<Item = Break> {
    let up = (0..1_200).step_by(37).map(Break::Up);
    up.chain((0..400).step_by(19).map(Break::Down))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_at_any_moment_of_a_sync_loses_nothing_and_gives_no_number_twice() {
    let stage = Stage::new().await;
    stage.link.watch(stage.phone().join("phone.db"));
    let mut killed = 0;
    for moment in moments() {
        stage.work(&stage.open(), 2);
        stage.link.hold_at(moment);
        let mut syncing = stage.syncing();
        // A moment past the end is none: the sync is over before it.
        let done = tokio::task::spawn_blocking({
            let stdout = syncing.stdout.take().unwrap();
            move || BufReader::new(stdout).lines().count()
        });
        tokio::select! {
            () = stage.link.held() => killed += 1,
            lines = done => assert_eq!(lines.unwrap(), 1, "{moment:?}"),
        }
        syncing.kill().unwrap();
        syncing.wait().unwrap();
        stage.link.release();
        stage.link.break_at(Break::Never);
        assert!(stage.syncing().wait().unwrap().success(), "{moment:?}");
        stage.all_is_well();
    }
    assert!(killed > 25, "killed {killed} times only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_at_any_moment_of_a_sync_loses_nothing_that_was_acknowledged() {
    let mut stage = Stage::new().await;
    stage.link.watch(stage.phone().join("phone.db"));
    let phone = Arc::new(stage.open());
    let mut killed = 0;
    for moment in moments() {
        stage.work(&phone, 2);
        stage.link.hold_at(moment);
        let syncs = phone.clone();
        let mut sync = tokio::spawn(async move { syncs.sync().sync_now(SyncNow::default()).await });
        tokio::select! {
            () = stage.link.held() => {
                killed += 1;
                stage.serving.kill();
                let before = acknowledged(&stage.phone().join("phone.db"));
                assert!(before.is_subset(&stage.arrived()), "{moment:?}: acknowledged and lost");
                stage.restart();
                stage.link.release();
                let _ = sync.await.unwrap();
            }
            done = &mut sync => drop(done.unwrap().unwrap()),
        }
        stage.link.break_at(Break::Never);
        let report = phone.sync().sync_now(SyncNow::default()).await.unwrap();
        assert_eq!(report.waiting, 0, "{moment:?}");
        stage.all_is_well();
    }
    assert!(killed > 25, "killed {killed} times only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_told_to_stop_in_the_middle_of_a_push_keeps_what_was_whole_and_ends_well() {
    let mut stage = Stage::new().await;
    let phone = Arc::new(stage.open());
    for moment in [0, 100, 300, 700, 1_100, 1_500].map(Break::Up) {
        // Enough for a request of several frames.
        stage.work(&phone, 40);
        stage.link.hold_at(moment);
        let syncs = phone.clone();
        let sync = tokio::spawn(async move { syncs.sync().sync_now(SyncNow::default()).await });
        stage.link.held().await;
        stage.serving.signal(Signal::TERM);
        assert!(stage.serving.child.wait().unwrap().success(), "{moment:?}: did not end well");
        stage.link.release();
        let heard = sync.await.unwrap();
        assert!(matches!(heard, Err(AppError::Offline { .. })), "{moment:?}: {heard:?}");
        let known = acknowledged(&stage.phone().join("phone.db"));
        assert!(known.is_subset(&stage.arrived()), "{moment:?}: acknowledged and lost");
        stage.restart();
        stage.link.break_at(Break::Never);
        phone.sync().sync_now(SyncNow::default()).await.unwrap();
        stage.all_is_well();
    }
}
