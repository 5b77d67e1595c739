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
pub mod link;
pub mod time;

use std::sync::Arc;

use langso_domain::date::CivilDate;
use langso_domain::id::{HamletId, Key, MemberId, ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use langso_hub::clock::DAY_MS;
use langso_hub::enrol::secret_hash;
use langso_hub::log::{Code, Log, Team as DirectoryTeam, Write};
use langso_hub::server::{Config, Hub, Running, Server};
use langso_sync::wire::Invite;

pub use handset::Handset;
pub use link::Link;
pub use time::World;

pub const UNIT: &str = "06838@2024";

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
    pub place: ScopeId,
    pub hamlet: HamletId,
}

impl Field {
    pub async fn start() -> Self {
        let (folder, world) = (tempfile::tempdir().unwrap(), World::new());
        let running = Server::start(config(&folder, &world)).await.unwrap();
        Self { folder, world, running }
    }

    /// The hub stops and starts again on another port; phones find it again through their links.
    pub async fn restart(self) -> Self {
        let Self { folder, world, running } = self;
        running.shutdown().await.unwrap();
        let running = Server::start(config(&folder, &world)).await.unwrap();
        Self { folder, world, running }
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.running.hub
    }

    pub fn log(&self) -> &Log {
        &self.running.hub.log
    }

    /// Founds a team with one hamlet, as the operator does.
    pub fn found(&self, name: &str) -> Team {
        let mut batch = self.hub().author.batch();
        let [scope, training, place] =
            [ScopeKind::Team, ScopeKind::Training, ScopeKind::Place].map(|kind| batch.scope(kind).unwrap());
        let founded_on: CivilDate = CivilDate::parse_iso("2022-05-12").unwrap();
        let fields = [
            ("name", name.into()),
            ("kind", 1u8.into()),
            ("unit", UNIT.into()),
            ("founded_on", founded_on.into()),
        ];
        let id = TeamId(batch.create(scope, "team", fields).unwrap());
        let fields = [("name", "Thôn Ngàn Chi".into()), ("unit", UNIT.into())];
        let hamlet = HamletId(batch.create(scope, "hamlet", fields).unwrap());
        let unit = UNIT.to_owned();
        batch.put(Write::Team(DirectoryTeam { id, scope, training, unit, name: name.to_owned() }));
        for held in [scope, training, place, self.hub().reference] {
            batch.put(Write::Hold(id, held));
        }
        batch.commit().unwrap();
        Team { id, scope, training, place, hamlet }
    }

    /// A member of the team and the line that lets their phone in by that address.
    pub fn invite(&self, team: &Team, name: &str, role: Role, url: &str) -> (MemberId, Invite) {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).unwrap();
        let mut batch = self.hub().author.batch();
        let from = CivilDate::parse_iso("2022-05-12").unwrap();
        let fields = [
            ("team_id", team.id.0.into()),
            ("name", name.into()),
            ("role", (role as u8).into()),
            ("from_date", from.into()),
        ];
        let member = MemberId(batch.create(team.scope, "member", fields).unwrap());
        let expires_at = batch.now().plus(3 * DAY_MS);
        let secret_hash = secret_hash(&secret);
        batch.put(Write::Code(Code { secret_hash, team: team.id, member, role, expires_at }));
        if role == Role::Trainer {
            batch.put(Write::Train(member, team.id));
        }
        batch.commit().unwrap();
        (member, Invite { secret, hub: self.hub().fingerprint(), url: url.to_owned() })
    }

    /// An enrolled phone with a link of its own.
    pub async fn phone(&self, team: &Team, name: &str, role: Role) -> Handset {
        let link = Link::to(self.running.addr).await;
        let (member, invite) = self.invite(team, name, role, &link.url());
        let mut phone = Handset::new(&self.world, link);
        assert_eq!(phone.join(&invite).await.unwrap().member, member);
        phone
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
