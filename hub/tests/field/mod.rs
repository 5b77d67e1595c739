//! Real phones and a real hub: `Companion`s in folders of their own, a listening server, and between them a link that
//! can be cut and that remembers what passed. Clocks are set by hand.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses its part of this; a failure here is a failed test"
)]

pub mod handset;
pub mod http;
pub mod ledger;
pub mod link;
pub mod rough;
pub mod time;

use std::sync::Arc;

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, Key, MemberId, ScopeId, TeamId};
use langso_domain::registry::Role;
use langso_domain::units::UnitCode;
use langso_hub::admin::{NewHamlet, NewMember, NewTeam, NewTrainer};
use langso_hub::log::Log;
use langso_hub::server::{Config, Hub, Limits, Running, Server};
use langso_sync::wire::Invite;

pub use handset::Handset;

pub use link::Link;
pub use time::World;

pub const UNIT: &str = "06838@2024";
pub const FOUNDED_ON: &str = "2022-05-12";

/// What a table of everything that was tried takes up.
pub fn said(name: &str, cases: usize) {
    println!("resilience: {name} cases={cases} lost=0 seed=1");
}

/// A hub with its folder.
pub struct Field {
    pub folder: tempfile::TempDir,
    pub world: World,
    pub running: Running,
}

/// A team that the hub founded.
#[derive(Clone, Copy)]
pub struct Team {
    pub id: TeamId,
    pub scope: ScopeId,
    pub training: ScopeId,
    pub hamlet: HamletId,
}

impl Field {
    pub async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub async fn start_with(limits: Limits) -> Self {
        let (folder, world) = (tempfile::tempdir().unwrap(), World::new());
        let running = Server::start(Config { limits, ..config(&folder, &world) }).await.unwrap();
        running.hub.make_place(UnitCode::parse(UNIT).unwrap()).unwrap();
        Self { folder, world, running }
    }

    /// The hub stops and starts again on another port; phones find it again through their links.
    pub async fn restart(self) -> Self {
        let Self { folder, world, running } = self;
        running.shutdown().await.unwrap();
        let running = Server::start(config(&folder, &world)).await.unwrap();
        Self { folder, world, running }
    }

    /// The hub's log and key as they are now, taken while it runs.
    pub fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        let log = rusqlite::Connection::open(self.folder.path().join("hub.db")).unwrap();
        log.execute("VACUUM INTO ?1", [copy.path().join("hub.db").to_str().unwrap()]).unwrap();
        std::fs::copy(self.folder.path().join("hub.key"), copy.path().join("hub.key")).unwrap();
        copy
    }

    /// The hub stops, somebody puts an older log in the place of its own and tells nobody, and it starts again on another
    /// port. Its caches are as new as they were.
    pub async fn roll_back(self, copy: &tempfile::TempDir) -> Self {
        let Self { folder, world, running } = self;
        running.shutdown().await.unwrap();
        for beside in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("hub.db{beside}")));
        }
        std::fs::copy(copy.path().join("hub.db"), folder.path().join("hub.db")).unwrap();
        let running = Server::start(config(&folder, &world)).await.unwrap();
        Self { folder, world, running }
    }

    /// A second hub out of the same copy.
    pub async fn fork(copy: &tempfile::TempDir, world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["hub.db", "hub.key"] {
            std::fs::copy(copy.path().join(file), folder.path().join(file)).unwrap();
        }
        let running = Server::start(config(&folder, world)).await.unwrap();
        Self { folder, world: world.clone(), running }
    }

    /// These phones speak to this hub from now on.
    pub fn reach(&self, phones: &[&Handset]) {
        phones.iter().for_each(|phone| phone.link.point_to(self.running.addr));
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.running.hub
    }

    pub fn log(&self) -> &Log {
        &self.running.hub.log
    }

    /// Founds a team with one hamlet.
    pub fn found(&self, name: &str) -> Team {
        let founded_on = CivilDate::parse_iso(FOUNDED_ON).unwrap();
        let unit = UnitCode::parse(UNIT).unwrap();
        let (name, kind) = (name.to_owned(), "hamlet".to_owned());
        let team = NewTeam { name, kind, unit, founded_on, hamlets: vec![] };
        let team = self.hub().make_team(&team).unwrap();
        let (language, signal, household_total) = (None, None, Some(104));
        let hamlet =
            NewHamlet { name: "Thôn Ngàn Chi".to_owned(), unit, language, signal, household_total };
        let hamlet = self.hub().add_hamlet(team.id, &hamlet).unwrap();
        Team { id: team.id, scope: team.scope, training: team.training, hamlet }
    }

    /// A member of the team, or whoever trains it.
    pub fn member(&self, team: &Team, name: &str, role: Role) -> MemberId {
        let (name, from) = (name.to_owned(), CivilDate::parse_iso(FOUNDED_ON).unwrap());
        match role {
            Role::Trainer => {
                self.hub().add_trainer(&NewTrainer { name, teams: vec![team.id], from }).unwrap()
            }
            role => self.hub().add_member(team.id, &NewMember { name, role, from }).unwrap(),
        }
    }

    /// The line that lets a member's phone in by that address.
    pub fn invite(&self, team: &Team, member: MemberId, url: &str) -> Invite {
        self.hub().make_code(team.id, member, url).unwrap().invite
    }

    /// An enrolled phone with a link of its own.
    pub async fn phone(&self, team: &Team, name: &str, role: Role) -> Handset {
        let link = Link::to(self.running.addr).await;
        let phone = Handset::new(&self.world, link);
        self.enrol(phone, team, name, role).await
    }

    /// The phone becomes that of a new member.
    pub async fn enrol(&self, mut phone: Handset, team: &Team, name: &str, role: Role) -> Handset {
        let member = self.member(team, name, role);
        let invite = self.invite(team, member, &phone.link.url());
        assert_eq!(phone.join(&invite).await.unwrap().member, member);
        phone
    }

    /// All that the hub holds now is in a backup that was read back.
    pub fn back_up(&self) {
        let shelf = tempfile::tempdir().unwrap();
        self.hub().back_up(shelf.path(), &mut |_, _, _| {}).unwrap();
    }

    /// Every key of a scope's log, in order of position.
    pub fn keys(&self, scope: ScopeId) -> Vec<Key> {
        let (mut keys, mut after) = (Vec::new(), 0);
        loop {
            let page = self.log().changes_after(scope, after, 1_000, 1 << 20).unwrap();
            let Some(last) = page.last() else { return keys };
            after = last.position;
            keys.extend(page.iter().map(|stored| stored.key));
        }
    }

    /// The hub's log of a scope holds exactly these changes, each once.
    #[track_caller]
    pub fn holds_once<'k>(&self, scope: ScopeId, written: impl IntoIterator<Item = &'k Key>) {
        let keys = self.keys(scope);
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "a change has two positions");
        for key in written {
            assert!(distinct.contains(key), "{key:?} did not arrive");
        }
    }
}

fn config(folder: &tempfile::TempDir, world: &World) -> Config {
    Config { clock: world.hub_clock(), ..Config::new(folder.path(), ([127, 0, 0, 1], 0).into()) }
}
