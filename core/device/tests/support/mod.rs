//! A team of real phones in real folders without a network: a hub's rows are applied by hand, and so are the changes
//! of one phone on another.
#![allow(dead_code)] // each test file uses its part

pub mod visits;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use langso_device::companion::Day;
use langso_device::{AppError, Companion, HubTime, Identity, Phone, Saving, TimeSource};
use langso_domain::date::CivilDate;
use langso_domain::id::{
    DeviceId, HamletId, HouseholdId, MemberId, PersonId, PlanId, RowId, ScopeId, TeamId, VisitId, Writer,
};
use langso_domain::registry::{CURRENT, ScopeKind};
use langso_store::{Purpose, Replica};
use langso_sync::author::Author;
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::keys::SigningKey;
use langso_sync::value::Value;
use tempfile::TempDir;

pub const MEMBER: u8 = 1;
pub const LEAD: u8 = 3;
pub const TRAINER: u8 = 4;
pub const TODAY: &str = "2024-06-15";
pub const UNIT: &str = "06838@2024";
pub const HOUR_MS: i64 = 3_600_000;
pub const DAY_MS: i64 = 24 * HOUR_MS;

pub fn date(iso: &str) -> CivilDate {
    CivilDate::parse_iso(iso).expect(iso)
}

pub fn day(iso: &str) -> Day {
    Day(date(iso))
}

pub fn invalid(field: &str, code: &str) -> AppError {
    AppError::InvalidInput { field: field.to_owned(), code: code.to_owned() }
}

pub fn not_allowed(why: &str) -> AppError {
    AppError::NotAllowed { why: why.to_owned() }
}

/// A clock that only tests move.
pub struct TestTime(AtomicI64);

impl TestTime {
    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl TimeSource for TestTime {
    fn wall_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
    fn boot_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
    fn boot_id(&self) -> String {
        "boot".to_owned()
    }
}

/// What the hub wrote, and the rows that every test needs.
pub struct Team {
    author: Author,
    clock: Clock,
    written: Vec<(ScopeId, ScopeKind, Change)>,
    pub team: TeamId,
    pub hamlet: HamletId,
    pub plan: PlanId,
}

pub const TEAM_SCOPE: ScopeId = ScopeId([1; 8]);
pub const TRAINING_SCOPE: ScopeId = ScopeId([2; 8]);
pub const PLACE_SCOPE: ScopeId = ScopeId([3; 8]);
pub const REFERENCE_SCOPE: ScopeId = ScopeId([4; 8]);
const HUB: DeviceId = DeviceId([9; 8]);

impl Team {
    pub fn new() -> Self {
        let mut team = Self {
            author: Author::new(Writer(1)),
            clock: Clock::default(),
            written: Vec::new(),
            team: TeamId(RowId([0; 12])),
            hamlet: HamletId(RowId([0; 12])),
            plan: PlanId(RowId([0; 12])),
        };
        team.team = TeamId(team.write(
            "team",
            &[
                ("name", "Tổ thôn Bản Mẫu".into()),
                ("kind", 1u8.into()),
                ("unit", UNIT.into()),
                ("founded_on", date("2022-05-12").into()),
            ],
        ));
        team.hamlet = HamletId(team.write(
            "hamlet",
            &[("name", "Thôn Bản Mẫu".into()), ("unit", UNIT.into()), ("household_total", 104u8.into())],
        ));
        team.plan = PlanId(team.write(
            "plan",
            &[
                ("name", "Kế hoạch 3".into()),
                ("from_date", date("2024-01-01").into()),
                ("to_date", date("2024-12-31").into()),
            ],
        ));
        team
    }

    /// Writes a row as the hub does.
    pub fn write(&mut self, table: &str, fields: &[(&str, Value)]) -> RowId {
        let table = CURRENT.named(table).expect(table);
        let fields =
            fields.iter().map(|(name, value)| (table.named(name).expect(name).number, value.clone()));
        let mut draft = self.author.draft();
        let id = draft.create(table.number, fields).expect("room");
        let now = date("2024-01-01").starts_at() as u64;
        let change = self.author.finish(draft, &mut self.clock, now);
        let scope = match table.scope {
            ScopeKind::Team => TEAM_SCOPE,
            ScopeKind::Training => TRAINING_SCOPE,
            ScopeKind::Place => PLACE_SCOPE,
            ScopeKind::Reference => REFERENCE_SCOPE,
        };
        self.written.push((scope, table.scope, change));
        id
    }

    /// Enrols a member with a phone of their own. A trainer gets no team scope.
    pub fn enrol(&mut self, name: &str, role: u8) -> TestPhone {
        let time = Arc::new(TestTime(AtomicI64::new(date(TODAY).starts_at() + 9 * HOUR_MS)));
        let folder = tempfile::tempdir().expect("a folder");
        drop(Phone::open(folder.path(), time.clone()).expect("opens"));
        let seed: [u8; 32] =
            std::fs::read(folder.path().join("phone.key")).expect("a key").try_into().expect("32 bytes");
        let key = SigningKey::from_seed(&seed);
        let member = MemberId(self.write(
            "member",
            &[
                ("team_id", self.team.0.into()),
                ("name", name.into()),
                ("role", role.into()),
                ("from_date", date("2022-05-12").into()),
            ],
        ));
        self.write(
            "device",
            &[("member_id", member.0.into()), ("public_key", key.public().to_bytes().to_vec().into())],
        );
        let identity = Identity {
            hub_url: "https://hub.example".to_owned(),
            hub_key: String::new(),
            device: key.id(),
            member,
            team: self.team,
            role,
        };
        let mut phone = TestPhone { folder, time, member, device: key.id(), role, companion: None };
        phone.put_fact("identity", &identity);
        phone.put_fact("hub_time", &HubTime::heard(phone.time.wall_ms() as u64, phone.time.as_ref()));
        phone
    }

    /// Brings what the hub wrote to a phone.
    pub fn bring(&self, phone: &mut TestPhone) {
        let is_trainer = phone.role == TRAINER;
        phone.with_replica(|replica| {
            let mut batch = replica.begin().expect("begins");
            for (scope, kind) in [
                (TEAM_SCOPE, ScopeKind::Team),
                (TRAINING_SCOPE, ScopeKind::Training),
                (PLACE_SCOPE, ScopeKind::Place),
                (REFERENCE_SCOPE, ScopeKind::Reference),
            ] {
                if !(is_trainer && kind == ScopeKind::Team) {
                    batch.add_scope(scope, kind).expect("a scope");
                }
            }
            for (scope, kind, change) in &self.written {
                if !(is_trainer && *kind == ScopeKind::Team) {
                    batch.apply(*scope, HUB, change).expect("applies");
                }
            }
            batch.commit().expect("commits");
        });
    }
}

/// A phone in a folder of its own.
pub struct TestPhone {
    folder: TempDir,
    pub time: Arc<TestTime>,
    pub member: MemberId,
    pub device: DeviceId,
    role: u8,
    companion: Option<Companion>,
}

impl TestPhone {
    /// The app, started if need be.
    pub fn app(&mut self) -> &Companion {
        let (path, time) = (self.folder.path(), self.time.clone());
        self.companion.get_or_insert_with(|| Companion::open(path, time).expect("opens"))
    }

    /// The app is gone, whatever it was doing.
    pub fn kill(&mut self) {
        self.companion = None;
    }

    /// It is now nine in the morning of that day, by days since 1970-01-01.
    pub fn set_today(&mut self, days: i32) {
        let now = CivilDate(days).starts_at() + 9 * HOUR_MS;
        self.time.pass(now - self.time.wall_ms());
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn put_fact(&mut self, name: &str, value: &impl serde::Serialize) {
        self.with_replica(|replica| {
            let text = serde_json::to_string(value).expect("json");
            let sql = "INSERT OR REPLACE INTO phone_facts (name, value) VALUES (?1, ?2)";
            replica.connection().execute(sql, (name, text)).expect("a fact");
        });
    }

    /// The hub has said that its backup holds a scope up to there.
    pub fn put_watermark(&mut self, scope: ScopeId, position: u64) {
        self.put_fact("watermarks", &vec![(scope, position)]);
    }

    /// The phone has been restarted and has not heard of the hub since.
    pub fn forget_hub_time(&mut self) {
        self.with_replica(|replica| {
            let sql = "DELETE FROM phone_facts WHERE name = 'hub_time'";
            replica.connection().execute(sql, []).expect("forgets");
        });
    }

    /// Works on the file while the app is closed.
    pub fn with_replica<T>(&mut self, work: impl FnOnce(&mut Replica) -> T) -> T {
        self.companion = None;
        let path = self.folder.path().join("phone.db");
        work(&mut Replica::open(&path, langso_store::CURRENT, Purpose::Phone).expect("opens"))
    }

    /// Saves rows as a feature does, in a process of its own.
    pub fn save<T>(&mut self, write: impl FnOnce(&mut Saving<'_, '_>) -> langso_device::Result<T>) -> T {
        self.companion = None;
        Phone::open(self.folder.path(), self.time.clone()).expect("opens").save(write).expect("saves")
    }

    /// A household of the hamlet with that many persons.
    pub fn household(&mut self, team: &Team, label: &str, persons: usize) -> (HouseholdId, Vec<PersonId>) {
        self.save(|saving| {
            let household =
                saving.create("household", [("label", label.into()), ("hamlet_id", team.hamlet.0.into())])?;
            let person = |_| {
                let fields =
                    [("household_id", household.into()), ("band", 4u8.into()), ("phone_kind", 3u8.into())];
                saving.create("person", fields).map(PersonId)
            };
            let persons = (0..persons).map(person).collect::<Result<_, _>>()?;
            Ok((HouseholdId(household), persons))
        })
    }

    /// A visit of this member with services and their outcomes.
    pub fn visit(
        &mut self,
        team: &Team,
        household: Option<HouseholdId>,
        on: &str,
        services: &[(Option<PersonId>, &str, u8)],
    ) -> VisitId {
        let member = self.member;
        self.save(|saving| {
            let visit = saving.create(
                "visit",
                [
                    ("household_id", household.map(|household| household.0).into()),
                    ("hamlet_id", team.hamlet.0.into()),
                    ("unit", UNIT.into()),
                    ("date", date(on).into()),
                    ("members", vec![member.0].into()),
                    ("plan_id", team.plan.0.into()),
                ],
            )?;
            for (person, service, outcome) in services {
                saving.create(
                    "service_row",
                    [
                        ("visit_id", visit.into()),
                        ("person_id", person.map(|person| person.0).into()),
                        ("service", (*service).into()),
                        ("outcome", (*outcome).into()),
                    ],
                )?;
            }
            Ok(VisitId(visit))
        })
    }

    /// A checklist run of this member.
    pub fn run(&mut self, on: &str, steps: &[u8]) -> RowId {
        let member = self.member;
        self.save(|saving| {
            saving.create(
                "checklist_run",
                [
                    ("tutorial", "T1@1".into()),
                    ("steps", steps.to_vec().into()),
                    ("phone_model", "Oppo A3s".into()),
                    ("os_version", "Android 8".into()),
                    ("member_id", member.0.into()),
                    ("date", date(on).into()),
                    ("minutes", 20u8.into()),
                    ("teach_back", true.into()),
                ],
            )
        })
    }

    /// All changes that this phone wrote, with their scopes.
    pub fn written(&mut self) -> Vec<(ScopeId, Change)> {
        self.with_replica(|replica| {
            let sql =
                "SELECT s.scope, o.bytes FROM outbox AS o JOIN scopes AS s ON s.number = o.scope ORDER BY n";
            let mut get = replica.connection().prepare(sql).expect("reads");
            let rows = get.query_map([], |row| Ok((row.get::<_, [u8; 8]>(0)?, row.get::<_, Vec<u8>>(1)?)));
            let rows = rows.expect("reads").map(|row| row.expect("a row"));
            rows.map(|(scope, bytes)| (ScopeId(scope), Change::decode(&bytes).expect("a change"))).collect()
        })
    }

    /// The hub has given everything that this phone wrote a position.
    pub fn arrive(&mut self) {
        let written = self.written();
        self.with_replica(|replica| {
            let sql = "INSERT OR IGNORE INTO receipts (writer, first_seq, last_seq, scope, position)
                       VALUES (?1, ?2, ?2, (SELECT number FROM scopes WHERE scope = ?3), ?4)";
            for (at, (scope, change)) in written.iter().enumerate() {
                let key = change.key;
                let row = (key.writer.0 as i64, key.seq, scope.0, at as i64 + 1);
                replica.connection().execute(sql, row).expect("a receipt");
            }
        });
    }

    /// Takes over what another phone wrote, as far as this one holds its scopes.
    pub fn take_from(&mut self, other: &mut Self) {
        let device = other.device;
        let written = other.written();
        self.with_replica(|replica| {
            let mut batch = replica.begin().expect("begins");
            for (scope, change) in written {
                if batch.find_scope(scope).expect("reads").is_some() {
                    batch.apply(scope, device, &change).expect("applies");
                }
            }
            batch.commit().expect("commits");
        });
    }
}

/// Both phones know what both wrote.
pub fn exchange(one: &mut TestPhone, other: &mut TestPhone) {
    one.take_from(other);
    other.take_from(one);
}
