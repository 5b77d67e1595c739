//! A hub on loopback with one team, and phones that enrol and sync as real ones: `Companion` over HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use langso_device::companion::{InviteText, SyncNow, SyncReport};
use langso_device::{Companion, TimeSource};
use langso_domain::id::{DeviceId, MemberId, ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use langso_hub::clock::{Clock, Millis};
use langso_hub::log::{Code, Team, Write};
use langso_hub::server::{Config, Running, Server};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::keys::SigningKey;
use langso_sync::wire::Invite;
use tokio::runtime::Runtime;

use super::Res;
use super::book::{Roster, Written, put_in_outbox};
use super::workload::{FIRST_DAY, HAMLETS, MEMBERS, UNIT};

/// A clock that the bench moves; wall and boot clock of every phone and of the hub.
#[derive(Clone, Debug)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    /// At the morning of that day of the campaign.
    pub fn at_day(day: i32) -> Self {
        Self(Arc::new(AtomicI64::new(i64::from(FIRST_DAY.0 + day) * 86_400_000)))
    }

    /// Moves on.
    pub fn pass_days(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000, Ordering::Relaxed);
    }
}

impl TimeSource for Hands {
    fn wall_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn boot_ms(&self) -> i64 {
        self.wall_ms()
    }

    fn boot_id(&self) -> String {
        "bench".to_owned()
    }
}

/// A running hub with its team.
pub struct Site {
    /// Where phones and hub live.
    pub folder: PathBuf,
    /// The clock of all.
    pub hands: Hands,
    /// The rows that books refer to.
    pub roster: Roster,
    /// The team's scopes.
    pub scopes: [(ScopeKind, ScopeId); 2],
    /// The hub.
    pub running: Running,
    team: TeamId,
    runtime: Runtime,
    phones: std::cell::Cell<u8>,
}

impl Site {
    /// Starts the hub in `folder` and founds the team.
    pub fn start(folder: &Path, hands: &Hands) -> Res<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let at = hands.clone();
        let clock = Clock::new(move || Millis(at.wall_ms()));
        let config = Config { clock, ..Config::new(folder.join("hub"), ([127, 0, 0, 1], 0).into()) };
        let running = runtime.block_on(Server::start(config))?;
        let Founded { team, scopes, roster } = found(&running)?;
        let (folder, hands, phones) = (folder.to_owned(), hands.clone(), std::cell::Cell::new(0));
        Ok(Self { folder, hands, roster, scopes, running, team, runtime, phones })
    }

    /// The hub's address as phones know it.
    pub fn url(&self) -> String {
        format!("http://{}", self.running.addr)
    }

    /// Runs what waits.
    pub fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Where tasks of the bench may run.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Enrols a new phone of that member at `url`, which leads to this hub; nothing is fetched yet.
    pub fn enrol(&self, name: &str, member: usize, url: &str) -> Res<PhoneAt> {
        let number = self.phones.get() + 1;
        self.phones.set(number);
        let secret = [number; 16];
        let hub = &self.running.hub;
        let now = hub.clock.now();
        let code = self.code(langso_hub::enrol::secret_hash(&secret), member);
        hub.log.commit(hub.keys.id(), &[Write::Code(code)], now)?;
        let invite = Invite { secret, hub: hub.fingerprint(), url: url.to_owned() };
        let phone = PhoneAt { folder: self.folder.join(name), hands: self.hands.clone() };
        let companion = phone.open()?;
        let text = InviteText { invite: invite.to_string(), device_name: String::new() };
        self.wait(companion.enrolment().join_team(text))?;
        Ok(phone)
    }

    /// A device for each member whose phone is only its key.
    ///
    /// # Errors
    /// Those of the log.
    pub fn keys(&self) -> Res<Vec<SigningKey>> {
        let hub = &self.running.hub;
        let now = hub.clock.now();
        let mut keys = Vec::with_capacity(MEMBERS);
        for member in 0..MEMBERS {
            let key = SigningKey::from_seed(&[100 + member as u8; 32]);
            let secret_hash = [200 + member as u8; 32];
            hub.log.commit(hub.keys.id(), &[Write::Code(self.code(secret_hash, member))], now)?;
            hub.author.enrol(secret_hash, &key.public(), now)?;
            keys.push(key);
        }
        Ok(keys)
    }

    fn code(&self, secret_hash: [u8; 32], member: usize) -> Code {
        Code {
            secret_hash,
            team: self.team,
            member: self.roster.members[member],
            role: if member == 0 { Role::Lead } else { Role::Member },
            expires_at: self.running.hub.clock.now().plus(86_400_000),
        }
    }

    /// One whole sync.
    pub fn sync(&self, companion: &Companion) -> Res<SyncReport> {
        let report = self.wait(companion.sync().sync_now(SyncNow::default()))?;
        if report.is_done && report.waiting == 0 { Ok(report) } else { Err("the sync did not end".into()) }
    }

    /// Puts changes into a closed phone's outbox.
    pub fn write(&self, phone: &PhoneAt, written: &[Written]) -> Res<()> {
        let mut replica = phone.replica()?;
        put_in_outbox(&mut replica, &self.scopes, phone.device()?, written)
    }

    /// Stops the hub.
    pub fn stop(self) -> Res<()> {
        self.runtime.block_on(self.running.shutdown())?;
        Ok(())
    }
}

/// A phone's folder.
#[derive(Clone, Debug)]
pub struct PhoneAt {
    /// Where.
    pub folder: PathBuf,
    /// Its clock.
    pub hands: Hands,
}

impl PhoneAt {
    /// Starts the app.
    pub fn open(&self) -> Res<Companion> {
        Ok(Companion::open(&self.folder, Arc::new(self.hands.clone()))?)
    }

    /// The file of a closed phone.
    pub fn replica(&self) -> Res<Replica> {
        Ok(Replica::open(&self.folder.join("phone.db"), CURRENT, Purpose::Phone)?)
    }

    /// The name of its key.
    pub fn device(&self) -> Res<DeviceId> {
        let seed = std::fs::read(self.folder.join("phone.key"))?;
        Ok(SigningKey::from_seed(seed.as_slice().try_into()?).id())
    }

    /// Leads a closed phone to another address of its hub.
    pub fn lead_to(&self, url: &str) -> Res<()> {
        let replica = self.replica()?;
        // Without its sum it reads as one of the first release.
        let sql = "WITH known (json) AS (SELECT substr(value, 1, instr(value || char(10), char(10)) - 1)
                                     FROM phone_facts WHERE name = 'identity')
               UPDATE phone_facts SET value = json_set((SELECT json FROM known), '$.hub_url', ?1)
               WHERE name = 'identity'";
        replica.connection().execute(sql, [url])?;
        // The copy beside the database, which would be believed before it, is made anew by the next open.
        std::fs::remove_file(self.folder.join("phone.identity"))?;
        Ok(())
    }
}

/// A team that the hub has just founded.
struct Founded {
    team: TeamId,
    scopes: [(ScopeKind, ScopeId); 2],
    roster: Roster,
}

fn found(running: &Running) -> Res<Founded> {
    let hub = &running.hub;
    let mut batch = hub.author.batch();
    let scope = batch.scope(ScopeKind::Team)?;
    let training = batch.scope(ScopeKind::Training)?;
    let place = batch.scope(ScopeKind::Place)?;
    let since = FIRST_DAY;
    let team = TeamId(batch.create(
        scope,
        "team",
        [
            ("name", "Tổ thôn Bản Mẫu".into()),
            ("kind", 1u8.into()),
            ("unit", UNIT.into()),
            ("founded_on", since.into()),
        ],
    )?);
    let mut members = Vec::with_capacity(MEMBERS);
    for number in 1..=MEMBERS {
        let fields = [
            ("team_id", team.0.into()),
            ("name", format!("Nguyễn Văn Mẫu {}", number).into()),
            ("role", (if number == 1 { Role::Lead } else { Role::Member } as u8).into()),
            ("from_date", since.into()),
        ];
        members.push(MemberId(batch.create(scope, "member", fields)?));
    }
    let mut hamlets = Vec::with_capacity(HAMLETS);
    for number in 1..=HAMLETS {
        let fields = [("name", format!("Thôn {number}").into()), ("unit", UNIT.into())];
        hamlets.push(langso_domain::id::HamletId(batch.create(scope, "hamlet", fields)?));
    }
    let fields = [("name", "Kế hoạch 1".into()), ("unit", UNIT.into()), ("from_date", since.into())];
    let plan = langso_domain::id::PlanId(batch.create(place, "plan", fields)?);
    let name = "Tổ thôn Bản Mẫu".to_owned();
    batch.put(Write::Team(Team { id: team, scope, training, unit: UNIT.to_owned(), name }));
    batch.put(Write::Place(UNIT.to_owned(), place));
    for held in [scope, training, place, hub.reference] {
        batch.put(Write::Hold(team, held));
    }
    batch.commit()?;
    let scopes = [(ScopeKind::Team, scope), (ScopeKind::Training, training)];
    Ok(Founded { team, scopes, roster: Roster { members, hamlets, plan } })
}
