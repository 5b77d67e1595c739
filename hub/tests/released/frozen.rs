//! A frozen release: a phone's folder, a hub's folder, and messages, each file in gzip.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use langso_domain::id::ScopeId;
use langso_hub::server::{Config, Server};
use langso_store::Replica;
use langso_sync::change::Change;
use serde::{Deserialize, Serialize};

use crate::field::{Field, World};
use crate::kind;

/// What was true when it was frozen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Known {
    /// Whose phone.
    pub owner: String,
    /// Rows that count, by table.
    pub rows: BTreeMap<String, i64>,
    /// The phone's scopes in order of their numbers: id, number of the kind, digest in hexadecimal.
    pub scopes: Vec<(ScopeId, i64, String)>,
    /// Own saves by scope that the hub does not have.
    pub unsent: u64,
    pub drafts: u64,
    /// Records of the journal.
    pub journal: u64,
}

impl Known {
    pub fn scopes(&self) -> impl Iterator<Item = ScopeId> + '_ {
        self.scopes.iter().map(|(scope, ..)| *scope)
    }

    pub fn digests(&self) -> Vec<(ScopeId, [u8; 16])> {
        let digest = |text: &str| u128::from_str_radix(text, 16).unwrap().to_be_bytes();
        self.scopes.iter().map(|(scope, _, text)| (*scope, digest(text))).collect()
    }
}

pub struct Frozen {
    pub name: String,
    pub known: Known,
    folder: PathBuf,
    /// Where the phone is unpacked.
    unpacked: tempfile::TempDir,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/old")
}

impl Frozen {
    /// Every release that was frozen.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = fs::read_dir(root())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|folder| {
                let known = serde_json::from_slice(&fs::read(folder.join("known.json")).unwrap()).unwrap();
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                let unpacked = unpack(&folder.join("phone"));
                Self { name, known, folder, unpacked }
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(!all.is_empty());
        all
    }

    /// The phone's folder; a copy, on which a test may work.
    pub fn phone(&self) -> &Path {
        self.unpacked.path()
    }

    pub fn copy_of_phone(&self) -> tempfile::TempDir {
        unpack(&self.folder.join("phone"))
    }

    pub fn message(&self, name: &str) -> Vec<u8> {
        read_packed(&self.folder.join("messages").join(format!("{name}.gz")))
    }

    /// The hub as it was then, run by today's program.
    pub async fn serve(&self) -> Field {
        let (folder, world) = (unpack(&self.folder.join("hub")), World::new());
        let config =
            Config { clock: world.hub_clock(), ..Config::new(folder.path(), ([127, 0, 0, 1], 0).into()) };
        let running = Server::start(config).await.unwrap();
        Field { folder, world, running }
    }
}

fn read_packed(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn unpack(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap();
        fs::write(folder.path().join(name), read_packed(&path)).unwrap();
    }
    folder
}

pub fn pack(to: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(to).unwrap();
    let mut encoder =
        GzEncoder::new(fs::File::create_new(to.join(format!("{name}.gz"))).unwrap(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
}

/// The hub has moved.
pub fn point_to(phone: &Path, url: &str) {
    let file = rusqlite::Connection::open(phone.join("phone.db")).unwrap();
    // Without its sum it reads as one of the first release.
    let sql = "WITH known (json) AS (SELECT substr(value, 1, instr(value || char(10), char(10)) - 1)
                                     FROM phone_facts WHERE name = 'identity')
               UPDATE phone_facts SET value = json_set((SELECT json FROM known), '$.hub_url', ?1)
               WHERE name = 'identity'";
    assert_eq!(file.execute(sql, [url]).unwrap(), 1);
    drop(file);
    // It is made again from the database.
    let _ = fs::remove_file(phone.join("phone.identity"));
}

/// All that the hub holds of the phone's scopes, and what the phone has not sent.
pub fn fill(replica: &mut Replica, field: &Field, frozen: &Frozen) {
    let mut batch = replica.begin().unwrap();
    for (scope, number, _) in &frozen.known.scopes {
        batch.add_scope(*scope, kind(*number)).unwrap();
        let mut after = 0;
        loop {
            let page = field.log().changes_after(*scope, after, 1_000, 1 << 20).unwrap();
            let Some(last) = page.last() else { break };
            after = last.position;
            for one in &page {
                let change = Change::decode(&one.bytes).unwrap();
                batch.apply(*scope, one.device, &change).unwrap();
            }
        }
    }
    let device = crate::field::handset::device_at(frozen.phone());
    for (scope, _, bytes) in crate::field::handset::written(&frozen.phone().join("phone.db")) {
        batch.apply(scope, device, &Change::decode(&bytes).unwrap()).unwrap();
    }
    batch.commit().unwrap();
}
