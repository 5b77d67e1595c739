//! Reading a backup back, whole: hashes of the files, the keys, and the log change by change. Changes nothing.

use std::path::Path;

use langso_domain::id::ScopeId;
use langso_sync::chain::Cursor;

use super::files::{self, From};
use super::manifest::{self, FORM, MAX_BYTES, Manifest};
use super::{DB, Error, Fault, KEY, MANIFEST, Result, SUMS, Stage, Tell};
use crate::keys::HubKeys;
use crate::log::{self, Unsound};

/// A backup that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// What it says of itself, and the log in it says too.
    pub manifest: Manifest,
    /// The end of every scope in it.
    pub ends: Vec<(ScopeId, Cursor)>,
}

/// Reads a backup's folder from its first byte to its last.
///
/// # Errors
/// [`Error::NoBackup`]; [`Error::Damaged`] with the file; [`Error::Newer`]; [`Error::Io`].
pub fn verify(folder: &Path, tell: Tell<'_>) -> Result<Verified> {
    let manifest = intact(folder, tell)?;
    let db = folder.join(DB);
    for beside in ["-journal", "-wal", "-shm"] {
        let path = folder.join(format!("{DB}{beside}"));
        if path.try_exists().map_err(Error::io(&path))? {
            return Err(Error::damaged(path, Fault::Stray));
        }
    }
    let checked = log::check(&db, &mut |done, all| tell(Stage::Reading, done, all));
    let holds = checked.map_err(|why| match why {
        Unsound::Newer { .. } => Error::Newer(folder.to_owned()),
        why => Error::damaged(db.clone(), why),
    })?;
    let key = folder.join(KEY);
    let keys = HubKeys::open(&key, false).map_err(|_| Error::damaged(key.clone(), Fault::Unreadable))?;
    if (keys.id(), keys.public().to_bytes()) != holds.hub {
        return Err(Error::damaged(key, Fault::OtherKey));
    }
    let disagrees = || Error::damaged(folder.join(MANIFEST), Fault::Disagrees);
    if !manifest.tells_of(&holds) {
        return Err(disagrees());
    }
    let ends = manifest.ends().ok_or_else(disagrees)?;
    Ok(Verified { manifest, ends })
}

/// What a backup says of itself, when every file of it has the bytes that were written. What they mean is not asked.
///
/// # Errors
/// As [`verify`].
pub(super) fn intact(folder: &Path, tell: Tell<'_>) -> Result<Manifest> {
    let [path, sums] = [MANIFEST, SUMS].map(|name| folder.join(name));
    if !path.is_file() && !sums.is_file() {
        return Err(Error::NoBackup(folder.to_owned()));
    }
    let text = files::read(&path, MAX_BYTES)?;
    let unreadable = |_| Error::damaged(path.clone(), Fault::Unreadable);
    let form: Form = serde_json::from_slice(&text).map_err(unreadable)?;
    if form.langso_backup > FORM {
        return Err(Error::Newer(folder.to_owned()));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(unreadable)?;
    let mut hashes = Vec::new();
    for name in [DB, KEY] {
        let file = folder.join(name);
        let found = files::hash(&file, From::Disk, tell)?;
        let listed = manifest.files.iter().find(|listed| listed.name == name);
        if listed != Some(&manifest::of_file(name, found)) {
            return Err(Error::damaged(file, Fault::Altered));
        }
        hashes.push(found.1);
    }
    let written = files::read(&sums, 4_096)?;
    if written != manifest::sums(&hashes[0], &hashes[1], &text).as_bytes() {
        // Log and keys are those that the manifest names, so that it or the sums themselves were altered.
        return Err(Error::damaged(sums, Fault::Altered));
    }
    Ok(manifest)
}

/// What every form of the manifest begins with.
#[derive(serde::Deserialize)]
struct Form {
    langso_backup: u32,
}
