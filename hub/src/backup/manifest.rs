//! What a backup says of itself: `manifest.json` for programs and people, and `SHA256SUMS` over every file, the
//! manifest included. Pure but for the names of files.

use std::fmt::Write;

use langso_domain::id::{DeviceId, ScopeId, from_base32, to_base32};
use langso_sync::chain::{Chain, Cursor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DB, KEY, MANIFEST};
use crate::log::Holds;

/// The form that this program writes.
pub(super) const FORM: u32 = 1;
/// No manifest of a hub is longer.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file; a later one is not read.
    pub langso_backup: u32,
    /// The hub's time of the copy, ms UTC.
    pub made_at_ms: i64,
    /// Name and version of the program.
    pub program: String,
    /// The engine of the log: `sqlite`.
    pub engine: String,
    /// The log's schema.
    pub schema: i64,
    /// The hub's own device.
    pub hub: String,
    /// Changes over all scopes.
    pub changes: u64,
    /// The files but for the two that tell of them.
    pub files: Vec<OfFile>,
    /// Every scope, in order.
    pub scopes: Vec<OfScope>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfFile {
    /// Its name in the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfScope {
    /// Its id.
    pub scope: String,
    /// The number of its kind.
    pub kind: u8,
    /// Position of its newest change in the backup; 0 = none.
    pub head: u64,
    /// The chain there, in base32.
    pub chain: String,
}

impl Manifest {
    /// Of a copy that was holds.
    pub(super) fn of(holds: &Holds, made_at_ms: i64, files: Vec<OfFile>) -> Self {
        let (hub, _): (DeviceId, _) = holds.hub;
        Self {
            langso_backup: FORM,
            made_at_ms,
            program: format!("langso {}", env!("CARGO_PKG_VERSION")),
            engine: "sqlite".to_owned(),
            schema: holds.schema,
            hub: hub.to_string(),
            changes: holds.changes,
            files,
            scopes: scopes(holds),
        }
    }

    /// Whether a log that holds this is the one that it tells of.
    pub(super) fn tells_of(&self, holds: &Holds) -> bool {
        (self.schema, self.changes) == (holds.schema, holds.changes)
            && self.hub == holds.hub.0.to_string()
            && self.scopes == scopes(holds)
    }

    /// As it is written.
    pub(super) fn text(&self) -> std::io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The ends of the scopes; none when one is not written as it should be.
    pub fn ends(&self) -> Option<Vec<(ScopeId, Cursor)>> {
        let end = |of: &OfScope| {
            let chain = Chain(from_base32(&of.chain)?);
            Some((of.scope.parse().ok()?, Cursor { position: of.head, chain }))
        };
        self.scopes.iter().map(end).collect()
    }

    /// Bytes of log and keys.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

fn scopes(holds: &Holds) -> Vec<OfScope> {
    let one = |(scope, state): &(ScopeId, crate::log::ScopeState)| OfScope {
        scope: scope.to_string(),
        kind: state.kind as u8,
        head: state.head,
        chain: to_base32(&state.chain.0),
    };
    holds.scopes.iter().map(one).collect()
}

/// A file as the manifest names it.
pub(super) fn of_file(name: &str, (bytes, hash): (u64, [u8; 32])) -> OfFile {
    OfFile { name: name.to_owned(), bytes, sha256: hex(&hash) }
}

/// The whole of `SHA256SUMS`, whose every byte follows from the files.
pub(super) fn sums(db: &[u8; 32], key: &[u8; 32], manifest: &[u8]) -> String {
    let manifest: [u8; 32] = Sha256::digest(manifest).into();
    let line = |(hash, name): (&[u8; 32], &str)| format!("{}  {name}\n", hex(hash));
    [(db, DB), (key, KEY), (&manifest, MANIFEST)].map(line).concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
