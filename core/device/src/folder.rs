//! The folder of one member on one phone: `phone.db`, `journal`, `phone.key`, `phone.lock`.
//!
//! One process at a time holds the lock; the operating system frees it however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use langso_sync::keys::SigningKey;
use zeroize::Zeroizing;

use crate::error::{AppError, Result};

/// A locked folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be and takes its lock.
    pub fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(path.join("phone.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(AppError::Locked { why: "open_elsewhere".to_owned() }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.path.join("phone.db")
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The device's key; minted with the folder and never replaced: what another key signed would be lost to the hub.
    ///
    /// # Errors
    /// `Corrupt` when the key is damaged, or gone from beside a database.
    pub fn key(&self) -> Result<SigningKey> {
        let path = self.path.join("phone.key");
        let seed = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if self.database().exists() {
                    return Err(AppError::Corrupt);
                }
                let mut seed = Zeroizing::new(vec![0; 32]);
                getrandom::fill(&mut seed).map_err(AppError::unexpected)?;
                write_whole(&path, &seed)?;
                seed
            }
            Err(error) => return Err(error.into()),
        };
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| AppError::Corrupt)?;
        Ok(SigningKey::from_seed(seed))
    }
}

/// Writes a private file so that a power cut leaves all of it or none.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        // The name is durable only when the folder is.
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
