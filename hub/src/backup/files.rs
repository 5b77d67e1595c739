//! Private files that are whole on the disk: made for their owner alone, forced out, read again and hashed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Error, Fault, Result, Stage, Tell};

/// Bytes read at a time, and between two words about how far it is.
const PIECE: usize = 1 << 20;

/// Makes a folder that only its owner may enter; whatever stands above it must be there. False when something of that
/// name is there already: then it is not the caller's.
pub(super) fn make_folder(path: &Path) -> Result<bool> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(why) => Err(Error::io(path)(why)),
    }
}

/// Makes a folder and those above it that are not there. Gives the folders that hold a new one, outermost first: until
/// they are forced to the disk, a new folder may be gone after a power cut with all that was forced in it.
pub(super) fn make_folders(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_dir() {
        return Ok(Vec::new());
    }
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Err(Error::io(path)(ErrorKind::NotADirectory.into())),
    };
    let mut holding = make_folders(above)?;
    match std::fs::create_dir(path) {
        Ok(()) => {}
        // Somebody else made it just now, and may not have forced it yet.
        Err(why) if why.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(why) => return Err(Error::io(path)(why)),
    }
    holding.push(above.to_owned());
    Ok(holding)
}

/// Makes a file that only its owner may read; one that is there already is an error.
pub(super) fn make_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(Error::io(path))
}

/// Writes a small file whole, on the disk when it returns.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = make_file(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io(path))
}

/// Reads a small file; a longer one than `most` bytes is not what it should be.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    match bytes.len() as u64 > most {
        true => Err(Error::damaged(path.to_owned(), Fault::Unreadable)),
        false => Ok(bytes),
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|why| match why.kind() {
        ErrorKind::NotFound => Error::damaged(path.to_owned(), Fault::Missing),
        _ => Error::io(path)(why),
    })
}

/// Forces a file or folder to the disk.
pub(super) fn force(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io(path))
}

/// Where bytes are read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Wherever they are first found.
    Memory,
    /// The disk, where the system can be told to forget what it remembers of it.
    Disk,
}

/// Length and SHA-256 of a file.
pub(super) fn hash(path: &Path, from: From, tell: Tell<'_>) -> Result<(u64, [u8; 32])> {
    let mut file = open(path)?;
    #[cfg(target_os = "linux")]
    if from == From::Disk {
        // A hint: when it is not heeded, what is read comes from memory.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = from;
    copy_and_hash(&mut file, None, Stage::Hashing, tell).map_err(Error::io(path))
}

/// Copies a file into a new private one, on the disk when it returns; gives its length and SHA-256.
pub(super) fn copy(from: &Path, to: &Path, tell: Tell<'_>) -> Result<(u64, [u8; 32])> {
    let (mut source, mut target) = (open(from)?, make_file(to)?);
    let done = copy_and_hash(&mut source, Some(&mut target), Stage::Copying, tell).map_err(Error::io(to))?;
    target.sync_all().map_err(Error::io(to))?;
    Ok(done)
}

fn copy_and_hash(
    from: &mut File,
    mut to: Option<&mut File>,
    stage: Stage,
    tell: Tell<'_>,
) -> std::io::Result<(u64, [u8; 32])> {
    let all = from.metadata()?.len();
    let (mut piece, mut done, mut digest) = (vec![0; PIECE], 0, Sha256::new());
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            Err(why) => return Err(why),
        };
        digest.update(&piece[..read]);
        if let Some(to) = to.as_mut() {
            to.write_all(&piece[..read])?;
        }
        done += read as u64;
        tell(stage, done, all);
    }
    Ok((done, digest.finalize().into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

    use super::*;

    #[test]
    fn every_folder_that_holds_a_new_one_is_to_be_forced_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = |below: &str| folder.path().join(below);
        assert_eq!(make_folders(&at("a/b/c")).unwrap(), [at(""), at("a"), at("a/b")]);
        assert!(at("a/b/c").is_dir());
        assert_eq!(make_folders(&at("a/b/d")).unwrap(), [at("a/b")]);
        assert_eq!(make_folders(&at("a/b/d")).unwrap(), Vec::<PathBuf>::new());
        std::fs::write(at("file"), b"").unwrap();
        assert!(make_folders(&at("file/shelf")).is_err());
        assert!(make_folders(&at("file")).is_err());
    }

    #[test]
    fn a_folder_that_is_there_is_nobody_elses_to_make() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("draft");
        assert!(make_folder(&at).unwrap());
        assert!(!make_folder(&at).unwrap());
    }
}
