//! The hub's keys: the Ed25519 key that signs what it serves, and the secret behind nonces.
//!
//! They live in one file that only the hub's user may read, made at the first start. Without it the phones would no
//! longer know this hub, so a log without its key file is never opened with a new one.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use langso_domain::id::{DeviceId, from_base32, to_base32};
use langso_sync::keys::{PublicKey, SigningKey};

use crate::random;

/// What the hub signs and proves with.
#[derive(Debug)]
pub struct HubKeys {
    /// Signs frames.
    pub signing: SigningKey,
    /// Makes nonces.
    pub secret: Secret,
}

/// A secret of 32 bytes that is never printed.
#[derive(Clone)]
pub struct Secret(pub [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or made.
    #[error("hub key file: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what the hub wrote.
    #[error("hub key file is damaged")]
    Damaged,
    /// There is a log and no key file: a new key would be a stranger to every phone.
    #[error("hub key file is missing beside an existing log")]
    Missing,
    /// No random bytes for a new key.
    #[error(transparent)]
    NoRandomness(#[from] random::NoRandomness),
}

const TITLE: &str = "langso hub key v1";
/// Longest file that is read.
const MAX_FILE: u64 = 4_096;

impl HubKeys {
    /// Reads the file, or makes it when `may_create`.
    ///
    /// # Errors
    /// [`KeyError::Missing`] when there is none and none may be made; [`KeyError::Damaged`], [`KeyError::Io`].
    pub fn open(path: &Path, may_create: bool) -> Result<Self, KeyError> {
        match File::open(path) {
            Ok(file) => read(file),
            Err(why) if why.kind() == ErrorKind::NotFound && may_create => create(path),
            Err(why) if why.kind() == ErrorKind::NotFound => Err(KeyError::Missing),
            Err(why) => Err(why.into()),
        }
    }

    /// The hub's own id.
    pub fn id(&self) -> DeviceId {
        self.signing.id()
    }

    /// What phones verify with.
    pub fn public(&self) -> PublicKey {
        self.signing.public()
    }
}

/// Makes a folder, or what was made before, one that only the hub's user may look into.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn read(file: File) -> Result<HubKeys, KeyError> {
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err(KeyError::Damaged);
    }
    let mut value = |name: &str| {
        let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(from_base32::<32>).ok_or(KeyError::Damaged)
    };
    let (seed, secret) = (value("seed")?, value("secret")?);
    Ok(HubKeys { signing: SigningKey::from_seed(&seed), secret: Secret(secret) })
}

fn create(path: &Path) -> Result<HubKeys, KeyError> {
    let (seed, secret) = (random::bytes::<32>()?, random::bytes::<32>()?);
    // Whole under its name or not there: a half-written key would lock the hub out of its own log.
    let draft = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{TITLE}\nseed {}\nsecret {}", to_base32(&seed), to_base32(&secret))?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(HubKeys { signing: SigningKey::from_seed(&seed), secret: Secret(secret) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.key");
        let made = HubKeys::open(&path, true).expect("made");
        let again = HubKeys::open(&path, false).expect("read");
        assert_eq!(made.id(), again.id());
        assert_eq!(made.secret.0, again.secret.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_lost_or_damaged_key_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.key");
        assert!(matches!(HubKeys::open(&path, false), Err(KeyError::Missing)));
        std::fs::write(&path, "langso hub key v1\nseed abc\n").expect("written");
        assert!(matches!(HubKeys::open(&path, true), Err(KeyError::Damaged)));
    }
}
