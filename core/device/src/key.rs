//! The device's key. It is minted with the folder, kept twice and never replaced by another: what another key signs
//! is another device's, and what this one signed and the hub has not heard would be nobody's.
//!
//! `phone.key` is the seed; `phone-copy.key` the seed and the first 8 bytes of its SHA-256. Who this phone is to its hub
//! tells which of two is right; before there is a hub, the checksum does.

use std::path::{Path, PathBuf};

use langso_domain::id::DeviceId;
use langso_sync::keys::SigningKey;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{AppError, Result};
use crate::folder::{read_small, set_aside, write_whole};

const SEED: usize = 32;
const SUM: usize = 8;

type Seed = Zeroizing<[u8; SEED]>;

/// What the two files gave.
pub(crate) enum Found {
    /// The key; both files hold it.
    Sound(SigningKey),
    /// One file holds it; the other is damaged, another's, or gone.
    Half(SigningKey, Seed),
    /// Neither file is there.
    None,
    /// Neither holds it.
    Lost,
}

fn files(folder: &Path) -> [PathBuf; 2] {
    [folder.join("phone.key"), folder.join("phone-copy.key")]
}

/// Looks for the key of a device, or, when nobody knows yet which, for the one that is whole.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn find(folder: &Path, device: Option<DeviceId>) -> Result<Found> {
    let read = |path: &PathBuf| Ok::<_, AppError>(read_small(path, 64)?.map(Zeroizing::new));
    let [first, second] = files(folder);
    let (first, second) = (read(&first)?, read(&second)?);
    if first.is_none() && second.is_none() {
        return Ok(if device.is_some() { Found::Lost } else { Found::None });
    }
    let first = first.and_then(|bytes| Some(Zeroizing::new(<[u8; SEED]>::try_from(&bytes[..]).ok()?)));
    let second = second.and_then(|bytes| {
        let seed = Zeroizing::new(*bytes.first_chunk::<SEED>()?);
        (bytes[SEED..] == sum(&seed)).then_some(seed)
    });
    let fits = |seed: &Seed| device.is_none_or(|device| SigningKey::from_seed(seed).id() == device);
    let is_same = first == second;
    let Some(seed) = [second, first].into_iter().flatten().find(fits) else { return Ok(Found::Lost) };
    let key = SigningKey::from_seed(&seed);
    Ok(if is_same { Found::Sound(key) } else { Found::Half(key, seed) })
}

/// Mints the key of a new folder.
///
/// # Errors
/// `StorageFull` and the like.
pub(crate) fn mint(folder: &Path) -> Result<SigningKey> {
    let mut seed: Seed = Zeroizing::new([0; SEED]);
    getrandom::fill(&mut *seed).map_err(AppError::unexpected)?;
    write(folder, &seed)?;
    Ok(SigningKey::from_seed(&seed))
}

/// Writes the key to whichever file does not hold it; a damaged one is renamed aside first.
///
/// # Errors
/// `StorageFull` and the like; the file that holds the key is not touched.
pub(crate) fn mend(folder: &Path, seed: &Seed) -> Result<()> {
    for (path, bytes) in files(folder).into_iter().zip(contents(seed)) {
        if read_small(&path, 64)?.is_none_or(|found| *Zeroizing::new(found) != *bytes) {
            set_aside(&path)?;
            write_whole(&path, &bytes)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, seed: &Seed) -> Result<()> {
    for (path, bytes) in files(folder).into_iter().zip(contents(seed)) {
        write_whole(&path, &bytes)?;
    }
    Ok(())
}

fn contents(seed: &Seed) -> [Zeroizing<Vec<u8>>; 2] {
    let copy = [&seed[..], &sum(seed)[..]].concat();
    [seed.to_vec(), copy].map(Zeroizing::new)
}

fn sum(seed: &Seed) -> [u8; SUM] {
    let mut first = [0; SUM];
    first.copy_from_slice(&Sha256::digest(&seed[..])[..SUM]);
    first
}
