//! The folder of one member on one phone, and how files come into it: whole or not at all, and never over another.
//!
//! One process at a time holds the lock; the operating system frees it however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{AppError, Result};

/// A locked folder; held until the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    was_stopped_short: bool,
    is_read_only: bool,
    _lock: Option<Arc<File>>,
}

impl Folder {
    /// Makes the folder if need be and takes its lock.
    pub fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(path.join("phone.lock"))?;
        Self::lock(path, lock)
    }

    /// A folder that cannot be written: nothing is made in it. Whoever could write it is kept out while its lock can
    /// be had.
    pub fn look(path: &Path) -> Result<Self> {
        let lock = File::open(path.join("phone.lock")).ok();
        if let Some(Err(TryLockError::WouldBlock)) = lock.as_ref().map(File::try_lock_shared) {
            return Err(AppError::Locked { why: "open_elsewhere".to_owned() });
        }
        let _lock = lock.map(Arc::new);
        Ok(Self { path: path.to_owned(), was_stopped_short: false, is_read_only: true, _lock })
    }

    fn lock(path: &Path, lock: File) -> Result<Self> {
        match lock.try_lock() {
            Ok(()) => {
                let log = std::fs::metadata(path.join("phone.db-wal"));
                let was_stopped_short = log.is_ok_and(|log| log.len() > 0);
                let _lock = Some(Arc::new(lock));
                Ok(Self { path: path.to_owned(), was_stopped_short, is_read_only: false, _lock })
            }
            Err(TryLockError::WouldBlock) => Err(AppError::Locked { why: "open_elsewhere".to_owned() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When the lock was taken, SQLite's log was still there: whoever wrote it did not come to close the database.
    pub fn was_stopped_short(&self) -> bool {
        self.was_stopped_short
    }

    /// Opened by [`Folder::look`].
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    pub fn database(&self) -> PathBuf {
        self.path.join("phone.db")
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }
}

/// The bytes of a file of at most `most` bytes; none when there is no such file, and no bytes of a longer one.
pub(crate) fn read_small(path: &Path, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        bytes.clear();
    }
    Ok(Some(bytes))
}

/// Makes a file that nobody else may read; one that is there is left as it is.
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a private file so that a power cut leaves all of it or what was there before.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    put_in_place(path, bytes)?;
    sync_folder_of(path)
}

/// The same but for the folder: the name leads to the new file, and a power cut may still bring the old one back. Gives
/// the new one, positioned at its end.
pub(crate) fn put_in_place(path: &Path, bytes: &[u8]) -> std::io::Result<File> {
    let part = beside(path, ".part");
    // Half a file that a power cut left.
    drop(std::fs::remove_file(&part));
    let mut file = create_private(&part)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| std::fs::rename(&part, path)) {
        drop(std::fs::remove_file(&part));
        return Err(error);
    }
    Ok(file)
}

/// A file's name is durable only when its folder is.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        // A bare name lies where the program was started.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The path with something behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The first name of `NAME.WHAT-1`, `NAME.WHAT-2` and so on that no file has.
pub(crate) fn free_name(path: &Path, what: &str) -> PathBuf {
    let name = |n: u32| beside(path, &format!(".{what}-{n}"));
    (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
}

/// Renames a damaged file so that nothing writes to it again; nothing when it is not there.
pub(crate) fn set_aside(path: &Path) -> std::io::Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let aside = free_name(path, "damaged");
    std::fs::rename(path, &aside)?;
    sync_folder_of(path)?;
    Ok(aside.file_name().map(|name| name.to_string_lossy().into_owned()))
}
