//! A backup becomes a hub again, in a folder that was empty. What was there before is never written over.
//!
//! The one idea: the log gets its name before the key does, so that a restore that was cut is no hub: a log without
//! its key is never opened.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::verify::{self, Verified};
use super::{DB, Error, Fault, KEY, Manifest, Result, Tell, files, make, manifest};
use crate::log;

/// A hub that was restored and can serve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Its folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// Restores a backup into `to`, an empty folder or one that is not there yet. The backup is read whole first. The
/// watermarks of the new hub stand at what the backup holds; the backup counts as its last one.
///
/// Phones that had seen more find the hub's history shorter than they know, fall back to what both have, and send
/// again what is missing.
///
/// # Errors
/// [`Error::NotEmpty`]; what [`super::verify`] gives; [`Error::Io`]. What was begun is taken away again.
pub fn restore(from: &Path, to: &Path, tell: Tell<'_>) -> Result<Restored> {
    let is_new = is_new(to)?;
    let verified = verify::verify(from, tell)?;
    if is_new && !files::make_folder(to)? {
        return Err(Error::NotEmpty(to.to_owned()));
    }
    match fill(from, to, &verified, tell) {
        Ok(()) => Ok(Restored { folder: to.to_owned(), manifest: verified.manifest }),
        Err(why) => {
            for name in [DB, KEY].into_iter().flat_map(|name| [name.to_owned(), draft(name)]) {
                // What this call itself began, in a folder that was empty.
                let _ = std::fs::remove_file(to.join(name));
            }
            if is_new {
                let _ = std::fs::remove_dir(to);
            }
            Err(why)
        }
    }
}

fn is_new(to: &Path) -> Result<bool> {
    match std::fs::read_dir(to) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(Error::NotEmpty(to.to_owned())),
            None => Ok(false),
        },
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(true),
        Err(why) if why.kind() == ErrorKind::NotADirectory => Err(Error::NotEmpty(to.to_owned())),
        Err(why) => Err(Error::io(to)(why)),
    }
}

fn draft(name: &str) -> String {
    format!("{name}.restoring")
}

fn fill(from: &Path, to: &Path, verified: &Verified, tell: Tell<'_>) -> Result<()> {
    for name in [DB, KEY] {
        let copied = files::copy(&from.join(name), &to.join(draft(name)), tell)?;
        let listed = verified.manifest.files.iter().find(|listed| listed.name == name);
        if listed != Some(&manifest::of_file(name, copied)) {
            return Err(Error::damaged(from.join(name), Fault::Altered));
        }
    }
    let db = to.join(draft(DB));
    let told = make::told(from, &verified.manifest);
    log::begin_from_backup(&db, &told, &verified.ends).map_err(|why| super::copying(&db, why))?;
    for name in [DB, KEY] {
        std::fs::rename(to.join(draft(name)), to.join(name)).map_err(Error::io(to))?;
        files::force(to)?;
    }
    match to.canonicalize().ok().as_deref().and_then(Path::parent) {
        Some(above) => files::force(above),
        None => Ok(()),
    }
}
