//! Device and hub keys: Ed25519, checked strictly, each named by the hash of its public half.
//!
//! Pure: the 32 random bytes of a new key are handed in. The secret half is wiped from memory when it is dropped.

use std::fmt;

use ed25519_dalek::{Signature as DalekSignature, Signer, VerifyingKey};
use langso_domain::id::DeviceId;
use sha2::{Digest, Sha256};

/// Length of a signature, in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// An Ed25519 signature (RFC 8032) as it travels.
pub type Signature = [u8; SIGNATURE_BYTES];

/// The secret half of a key; wiped when dropped, never printed.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    #[cfg(feature = "stubbed-signatures")]
    is_stubbed: bool,
}

impl SigningKey {
    /// The key of a seed of 32 random bytes. The caller wipes its own copy of the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self {
            key: ed25519_dalek::SigningKey::from_bytes(seed),
            #[cfg(feature = "stubbed-signatures")]
            is_stubbed: false,
        }
    }

    /// The same key, but whose signatures are hashes that anybody can make and only [`SigningKey::public`] of this very
    /// key takes for true: for the simulator, whose runs are of what is signed and not of the signing. No key that was
    /// read from bytes ever takes one.
    #[cfg(feature = "stubbed-signatures")]
    pub fn stubbed(seed: &[u8; 32]) -> Self {
        Self { is_stubbed: true, ..Self::from_seed(seed) }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey {
            key: self.key.verifying_key(),
            #[cfg(feature = "stubbed-signatures")]
            is_stubbed: self.is_stubbed,
        }
    }

    /// The name of the key: [`device_id`] of its public half.
    pub fn id(&self) -> DeviceId {
        device_id(&self.public())
    }

    /// Signs `label` and then `parts`, one after another without separators. Labels end in a zero byte and none is
    /// the start of another, so that a signature made for one purpose never fits another.
    pub fn sign(&self, label: &[u8], parts: &[&[u8]]) -> Signature {
        #[cfg(feature = "stubbed-signatures")]
        if self.is_stubbed {
            return stub(&self.public(), label, parts);
        }
        self.key.sign(&joined(label, parts)).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

/// The public half of a key: always a point of the curve that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    #[cfg(feature = "stubbed-signatures")]
    is_stubbed: bool,
}

impl PublicKey {
    /// Reads the 32 bytes of RFC 8032; none when they are no key or a weak one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self {
            key,
            #[cfg(feature = "stubbed-signatures")]
            is_stubbed: false,
        })
    }

    /// The 32 bytes of RFC 8032.
    pub fn to_bytes(self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// True when the secret half signed exactly these parts under this label; strict, so that a signature has one
    /// form only.
    pub fn verifies(&self, label: &[u8], parts: &[&[u8]], signature: &Signature) -> bool {
        #[cfg(feature = "stubbed-signatures")]
        if self.is_stubbed {
            return *signature == stub(self, label, parts);
        }
        self.key.verify_strict(&joined(label, parts), &DalekSignature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", device_id(self))
    }
}

/// The name of a device or hub: the first 8 bytes of the SHA-256 of its public key. A name, not a proof: two keys of
/// one name can be made with much effort, so whoever keeps keys refuses a second key of a known name.
pub fn device_id(key: &PublicKey) -> DeviceId {
    let [a, b, c, d, e, f, g, h, ..] = digest(key);
    DeviceId([a, b, c, d, e, f, g, h])
}

/// What an enrolment code says of the hub's key: the first 16 bytes of its SHA-256. Nobody can make another key
/// with the same fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a key.
    pub fn of(key: &PublicKey) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest(key)[..16]);
        Self(bytes)
    }
}

fn digest(key: &PublicKey) -> [u8; 32] {
    Sha256::digest(key.to_bytes()).into()
}

/// Holds for its key, label and message only, as a signature does; but whoever knows the key can make it.
#[cfg(feature = "stubbed-signatures")]
fn stub(key: &PublicKey, label: &[u8], parts: &[&[u8]]) -> Signature {
    let mut hash = Sha256::new_with_prefix(key.to_bytes());
    hash.update(label);
    parts.iter().for_each(|part| hash.update(part));
    let half: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|at| half[at % 32])
}

fn joined(label: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::with_capacity(label.len() + parts.iter().map(|part| part.len()).sum::<usize>());
    message.extend_from_slice(label);
    parts.iter().for_each(|part| message.extend_from_slice(part));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_label_and_message_only() {
        let key = SigningKey::from_seed(&[7; 32]);
        let signature = key.sign(b"one\0", &[b"ab", b"c"]);
        assert!(key.public().verifies(b"one\0", &[b"abc"], &signature));
        assert!(!key.public().verifies(b"two\0", &[b"abc"], &signature));
        assert!(!key.public().verifies(b"one\0", &[b"abd"], &signature));
        assert!(!SigningKey::from_seed(&[8; 32]).public().verifies(b"one\0", &[b"abc"], &signature));
    }

    #[test]
    fn weak_keys_and_what_is_no_point_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), None);
        assert_eq!(PublicKey::from_bytes(&[2; 32]), None);
        assert_eq!(PublicKey::from_bytes(&[1; 31]), None);
    }

    #[test]
    fn a_signature_with_an_unreduced_scalar_is_refused() {
        let key = SigningKey::from_seed(&[7; 32]);
        let mut signature = key.sign(b"one\0", &[b"abc"]);
        // S + L signs the same message where the check is lax.
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0;
        for (at, byte) in order.iter().enumerate() {
            let sum = u16::from(signature[32 + at]) + u16::from(*byte) + carry;
            signature[32 + at] = sum as u8;
            carry = sum >> 8;
        }
        assert!(!key.public().verifies(b"one\0", &[b"abc"], &signature));
    }

    #[cfg(feature = "stubbed-signatures")]
    #[test]
    fn a_key_read_from_bytes_takes_no_stubbed_signature() {
        let (stubbed, real) = (SigningKey::stubbed(&[7; 32]), SigningKey::from_seed(&[7; 32]));
        let signature = stubbed.sign(b"one\0", &[b"abc"]);
        assert!(stubbed.public().verifies(b"one\0", &[b"abc"], &signature));
        for (label, message) in [(b"one\0", b"abd"), (b"two\0", b"abc")] {
            assert!(!stubbed.public().verifies(label, &[message], &signature));
        }
        let read = PublicKey::from_bytes(&stubbed.public().to_bytes()).expect("a key");
        for key in [read, real.public()] {
            assert!(!key.verifies(b"one\0", &[b"abc"], &signature));
        }
        assert_eq!(stubbed.id(), real.id());
    }

    #[test]
    fn the_secret_half_is_not_printed() {
        let printed = format!("{:?}", SigningKey::from_seed(&[7; 32]));
        assert!(printed.len() < 32, "{printed}");
    }
}
