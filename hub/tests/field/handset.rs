//! A phone as its owner has it: a folder, an app that is open or not, clocks, and the link by which it reaches the hub.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use langso_device::companion::{InviteText, Joined, SyncNow, SyncReport};
use langso_device::{Companion, Phone, Result, Saving};
use langso_domain::id::{DeviceId, HouseholdId, Key, ScopeId, VisitId, Writer};
use langso_domain::registry;
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::change;
use langso_sync::keys::SigningKey;
use langso_sync::wire::Invite;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::Team;
use super::link::Link;
use super::time::{PhoneTime, World};

pub struct Handset {
    folder: tempfile::TempDir,
    pub time: Arc<PhoneTime>,
    pub link: Link,
    app: Option<Companion>,
}

/// Every row of a phone by table and id, with all versions.
pub type Rows = BTreeMap<&'static str, Vec<Vec<Sql>>>;

impl Handset {
    pub fn new(world: &World, link: Link) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, time: world.phone(), link, app: None }
    }

    /// A folder that was a phone's before.
    pub fn at(folder: tempfile::TempDir, world: &World, link: Link) -> Self {
        Self { folder, time: world.phone(), link, app: None }
    }

    /// Another member's folder on the same phone: one clock, and a key, writers and a connection of its own.
    pub fn beside(other: &Self, link: Link) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, time: other.time.clone(), link, app: None }
    }

    /// The folder as it lies there, put back on another phone.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        Self { folder, time: self.time.clone(), link: self.link.clone(), app: None }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self) -> PathBuf {
        self.path().join("phone.db")
    }

    /// The device of this folder.
    pub fn device(&self) -> DeviceId {
        device_at(self.path())
    }

    /// The app, started if need be.
    pub fn app(&mut self) -> &Companion {
        let (path, time) = (self.folder.path(), self.time.clone());
        self.app.get_or_insert_with(|| Companion::open(path, time).unwrap())
    }

    /// The app is shut; what it saved is there again when it opens.
    pub fn close(&mut self) {
        self.app = None;
    }

    pub async fn join(&mut self, invite: &Invite) -> Result<Joined> {
        let text = InviteText { invite: invite.to_string(), device_name: "Oppo A3s".to_owned() };
        self.app().enrolment().join_team(text).await
    }

    pub async fn sync(&mut self) -> Result<SyncReport> {
        self.app().sync().sync_now(SyncNow::default()).await
    }

    /// A sync that may cost so many bytes.
    pub async fn call_sync(&mut self, max_bytes: u64) -> SyncReport {
        self.app().sync().sync_now(SyncNow { max_bytes: Some(max_bytes) }).await.unwrap()
    }

    /// How far this phone stands in a scope.
    pub fn cursor(&self, scope: ScopeId) -> i64 {
        let sql = "SELECT position FROM scopes WHERE scope = ?1";
        self.read().query_row(sql, [scope.0], |row| row.get(0)).unwrap()
    }

    /// Saves a household by the app that is open.
    pub fn household(&mut self, label: &str) -> HouseholdId {
        self.household_with(label, "cạnh trường")
    }

    pub fn household_with(&mut self, label: &str, hint: &str) -> HouseholdId {
        let consent = json!({"text": "consent.script@1", "way": 1});
        let new = json!({"label": label, "hint": hint, "persons": [], "consent": consent});
        self.call("households.create_household", new)
    }

    /// An anonymous turn with its checklist: a change in the team's scope and one in the training scope.
    pub fn visit(&mut self, team: &Team) -> VisitId {
        let steps: Vec<_> = (1..=12).map(|step| json!({"step": step, "result": 1})).collect();
        let run = json!({"tutorial": "T1@1", "steps": steps, "phone_model": "Oppo A3s", "teach_back": true});
        let service = json!({"service": "vneid_level2@1", "outcome": 1, "run": run});
        self.call("visits.log_visit", json!({"hamlet": team.hamlet, "services": [service]}))
    }

    /// What the call of that name gives under its last word.
    pub fn call<T: DeserializeOwned>(&mut self, name: &str, input: Json) -> T {
        let answer = self.app().call(name, input).unwrap();
        let key = name.rsplit('_').next().unwrap();
        serde_json::from_value(answer[key].clone()).unwrap()
    }

    /// How many rows of a table count on this phone.
    pub fn count(&self, plural: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {plural} WHERE v_stamp > 0 AND void IS NOT 1");
        self.read().query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Saves rows as a feature does, in a process of its own.
    pub fn save<T>(&mut self, write: impl FnOnce(&mut Saving<'_, '_>) -> Result<T>) -> T {
        self.close();
        Phone::open(self.path(), self.time.clone()).unwrap().save(write).unwrap()
    }

    /// Reads the file beside the app.
    pub fn read(&self) -> Connection {
        read(&self.file())
    }

    /// The own changes of a scope for which this phone holds a position.
    pub fn receipts(&self, scope: ScopeId) -> Vec<(usize, Key)> {
        let file = self.read();
        let sql = "SELECT r.writer, r.first_seq, r.last_seq, r.position
                   FROM receipts AS r JOIN scopes AS s ON s.number = r.scope WHERE s.scope = ?1";
        let mut get = file.prepare(sql).unwrap();
        let ranges = get
            .query_map([scope.0], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .unwrap();
        let keys = ranges.flat_map(|range| {
            let (writer, first, last, position): (i64, u32, u32, i64) = range.unwrap();
            let at = move |seq| position as usize + (seq - first) as usize;
            (first..=last).map(move |seq| (at(seq), Key { writer: Writer(writer as u64), seq }))
        });
        keys.collect()
    }

    /// Own changes by scope, with what their author encoded.
    pub fn written(&self) -> Vec<(ScopeId, Key, Vec<u8>)> {
        written(&self.file())
    }

    pub fn written_keys(&self) -> Vec<Key> {
        self.written().into_iter().map(|(_, key, _)| key).collect()
    }

    /// All that a replica of this phone holds; two phones of one team that heard the same hold the same.
    pub fn rows(&mut self) -> Rows {
        self.close();
        let replica = Replica::open(&self.file(), CURRENT, Purpose::Phone).unwrap();
        rows_of(replica.connection(), None)
    }
}

/// Every row of a replica by table and id, with all versions: of one scope or of all.
pub fn rows_of(connection: &Connection, scope: Option<ScopeId>) -> Rows {
    let mut rows = Rows::new();
    for table in registry::CURRENT.tables {
        let sql = format!(
            "SELECT s.scope AS in_scope, t.* FROM {} AS t JOIN scopes AS s ON s.number = t.scope
             WHERE ?1 IS NULL OR s.scope = ?1 ORDER BY t.id",
            table.plural
        );
        let mut get = connection.prepare(&sql).unwrap();
        // The number of the scope differs between files; its id stands in its place.
        let own: Vec<usize> = (0..get.column_count())
            .filter(|at| get.column_name(*at).is_ok_and(|name| name != "scope"))
            .collect();
        let found = get
            .query_map([scope.map(|scope| scope.0)], |row| {
                own.iter().map(|at| row.get(*at)).collect::<rusqlite::Result<Vec<Sql>>>()
            })
            .unwrap();
        rows.insert(table.plural, found.map(|row| row.unwrap()).collect());
    }
    rows
}

/// The device of a phone's folder.
pub fn device_at(folder: &Path) -> DeviceId {
    let seed: [u8; 32] = std::fs::read(folder.join("phone.key")).unwrap().try_into().unwrap();
    SigningKey::from_seed(&seed).id()
}

fn read(file: &Path) -> Connection {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// What a phone's file holds of its own changes, in order of writing.
pub fn written(file: &Path) -> Vec<(ScopeId, Key, Vec<u8>)> {
    let connection = read(file);
    let sql = "SELECT s.scope, o.bytes FROM outbox AS o JOIN scopes AS s ON s.number = o.scope ORDER BY o.n";
    let mut get = connection.prepare(sql).unwrap();
    let rows = get.query_map([], |row| Ok((ScopeId(row.get(0)?), row.get::<_, Vec<u8>>(1)?))).unwrap();
    rows.map(|row| row.map(|(scope, bytes)| (scope, change::scan(&bytes).unwrap().0.key, bytes)).unwrap())
        .collect()
}

/// The own changes for which a phone's file holds a position.
pub fn acknowledged(file: &Path) -> BTreeSet<Key> {
    let Ok(connection) = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return BTreeSet::new();
    };
    let Ok(mut get) = connection.prepare("SELECT writer, first_seq, last_seq FROM receipts") else {
        return BTreeSet::new();
    };
    let ranges = get.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let keys = ranges.flat_map(|range| {
        let (writer, first, last): (i64, u32, u32) = range.unwrap();
        (first..=last).map(move |seq| Key { writer: Writer(writer as u64), seq })
    });
    keys.collect()
}
