//! A GET that says who asks: the `Authorization` header of requests without a body, and of small posts, whose body is
//! signed along by its hash.
//!
//! Pure. The nonce is the one of the last reply, as in a sync request; path and query are signed as they stand in
//! the request line.

use std::fmt;
use std::str::FromStr;

use langso_domain::id::{DeviceId, read_base32, to_base32};

use super::{MAX_NONCE, Nonce};
use crate::keys::{PublicKey, SIGNATURE_BYTES, Signature, SigningKey};

const LABEL: &[u8] = b"langso get v1\0";
const POST_LABEL: &[u8] = b"langso post v1\0";
const SCHEME: &str = "Langso";
/// Longer than any header of this kind.
const MAX_TEXT: usize = 512;

/// Who asks for a path, and the proof of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedGet {
    /// The device.
    pub device: DeviceId,
    /// Of the hub's last reply.
    pub nonce: Nonce,
    signature: Signature,
}

/// The text is no such header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a signed request")]
pub struct NotASignedGet;

fn parts<'a>(nonce: &'a Nonce, target: &'a str) -> [&'a [u8]; 3] {
    const LENGTHS: [u8; MAX_NONCE + 1] = {
        let mut lengths = [0; MAX_NONCE + 1];
        let mut at = 0;
        while at <= MAX_NONCE {
            lengths[at] = at as u8;
            at += 1;
        }
        lengths
    };
    let bytes = nonce.as_bytes();
    // The length keeps nonce and path apart.
    [&LENGTHS[bytes.len()..=bytes.len()], bytes, target.as_bytes()]
}

impl SignedGet {
    /// Signs for a path with its query, such as `/v1/figures?period=2024-Y`.
    pub fn sign(key: &SigningKey, nonce: Nonce, target: &str) -> Self {
        Self { device: key.id(), nonce, signature: key.sign(LABEL, &parts(&nonce, target)) }
    }

    /// Signs for posting a body of that SHA-256 to a path.
    pub fn sign_post(key: &SigningKey, nonce: Nonce, target: &str, body: &[u8; 32]) -> Self {
        let [length, bytes, path] = parts(&nonce, target);
        Self { device: key.id(), nonce, signature: key.sign(POST_LABEL, &[length, bytes, body, path]) }
    }

    /// Whether the device's key signed for posting a body of that SHA-256 to that path.
    pub fn is_signed_post(&self, key: &PublicKey, target: &str, body: &[u8; 32]) -> bool {
        let [length, bytes, path] = parts(&self.nonce, target);
        key.verifies(POST_LABEL, &[length, bytes, body, path], &self.signature)
    }

    /// Whether the device's key signed for that path and query.
    pub fn is_signed(&self, key: &PublicKey, target: &str) -> bool {
        key.verifies(LABEL, &parts(&self.nonce, target), &self.signature)
    }
}

/// The header's value.
impl fmt::Display for SignedGet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nonce, signature) = (to_base32(self.nonce.as_bytes()), to_base32(&self.signature));
        write!(f, "{SCHEME} {}.{nonce}.{signature}", self.device)
    }
}

impl FromStr for SignedGet {
    type Err = NotASignedGet;

    fn from_str(text: &str) -> Result<Self, NotASignedGet> {
        if text.len() > MAX_TEXT {
            return Err(NotASignedGet);
        }
        let (scheme, rest) = text.trim().split_once(' ').ok_or(NotASignedGet)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(NotASignedGet);
        }
        let mut parts = rest.trim().split('.').map(|part| read_base32(part).ok_or(NotASignedGet));
        let mut next = || parts.next().ok_or(NotASignedGet)?;
        let (device, nonce, signature) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(NotASignedGet);
        }
        let signature: [u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| NotASignedGet)?;
        let device = DeviceId(device.try_into().map_err(|_| NotASignedGet)?);
        Ok(Self { device, nonce: Nonce::from_bytes(&nonce).ok_or(NotASignedGet)?, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_get_holds_for_its_key_nonce_and_path() {
        let key = SigningKey::from_seed(&[1; 32]);
        let nonce = Nonce::from_bytes(&[5; 18]).expect("short");
        let signed = SignedGet::sign(&key, nonce, "/v1/figures?period=2024-Y");
        let read: SignedGet = signed.to_string().parse().expect("its own text");
        assert_eq!(read, signed);
        assert!(read.is_signed(&key.public(), "/v1/figures?period=2024-Y"));
        assert!(!read.is_signed(&key.public(), "/v1/figures?period=2025-Y"));
        assert!(!read.is_signed(&SigningKey::from_seed(&[2; 32]).public(), "/v1/figures?period=2024-Y"));
        let other = SignedGet { nonce: Nonce::default(), ..signed };
        assert!(!other.is_signed(&key.public(), "/v1/figures?period=2024-Y"));
    }

    #[test]
    fn a_signed_post_holds_for_its_body_and_is_no_get() {
        let key = SigningKey::from_seed(&[1; 32]);
        let nonce = Nonce::from_bytes(&[5; 18]).expect("short");
        let signed = SignedGet::sign_post(&key, nonce, "/v1/waiting", &[7; 32]);
        let read: SignedGet = signed.to_string().parse().expect("its own text");
        assert!(read.is_signed_post(&key.public(), "/v1/waiting", &[7; 32]));
        assert!(!read.is_signed_post(&key.public(), "/v1/waiting", &[8; 32]));
        assert!(!read.is_signed_post(&key.public(), "/v1/figures", &[7; 32]));
        assert!(!read.is_signed(&key.public(), "/v1/waiting"));
    }

    #[test]
    fn other_texts_are_no_signed_get() {
        let key = SigningKey::from_seed(&[1; 32]);
        let good = SignedGet::sign(&key, Nonce::default(), "/v1/figures").to_string();
        assert!(good.parse::<SignedGet>().is_ok());
        let long = format!("{good}{}", "0".repeat(1_000));
        for text in ["", "Langso", "Bearer a.b.c", "Langso a.b", &format!("{good}.0"), &long, &good[..80]] {
            assert_eq!(text.parse::<SignedGet>(), Err(NotASignedGet), "{text}");
        }
    }
}
