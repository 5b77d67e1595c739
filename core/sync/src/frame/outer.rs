//! The outer frame: what can be said of it before its body is opened. Reads from the start of a stream.

use langso_domain::id::DeviceId;

use super::{
    FrameError, KIND_CHANGES, KIND_PACKED, KIND_STATE, LABEL, MAGIC, MAX_BODY_BYTES, PREFIX_BYTES, VERSION,
};
use crate::keys::{PublicKey, SIGNATURE_BYTES, Signature, device_id};

/// A frame's bytes, whole but neither checked nor opened.
#[derive(Clone, Copy, Debug)]
pub struct Outer<'a> {
    bytes: &'a [u8],
}

impl<'a> Outer<'a> {
    /// The frame at the start of `bytes` and its length; none when more bytes are needed. What can never become a
    /// frame is refused at once, and nothing is allocated.
    ///
    /// # Errors
    /// `NotAFrame`, `Version`, `Kind` or `TooLarge`.
    pub fn read(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let begins = bytes.len().min(2);
        if bytes[..begins] != MAGIC[..begins] {
            return Err(FrameError::NotAFrame);
        }
        if let Some(&version) = bytes.get(2).filter(|&&version| version != VERSION) {
            return Err(FrameError::Version(version));
        }
        match bytes.get(3) {
            None | Some(&(KIND_CHANGES | KIND_STATE | KIND_PACKED)) => {}
            Some(&kind) => return Err(FrameError::Kind(kind)),
        }
        let Some(length) = bytes.get(12..).and_then(<[u8]>::first_chunk::<4>) else { return Ok(None) };
        let body = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| FrameError::TooLarge)?;
        if body > MAX_BODY_BYTES {
            return Err(FrameError::TooLarge);
        }
        let whole = PREFIX_BYTES + body + SIGNATURE_BYTES;
        Ok(bytes.get(..whole).map(|bytes| (Self { bytes }, whole)))
    }

    /// Reads bytes that are exactly one frame.
    ///
    /// # Errors
    /// As [`Outer::read`], `Truncated` or `Trailing`.
    pub fn whole(bytes: &'a [u8]) -> Result<Self, FrameError> {
        match Self::read(bytes)? {
            None => Err(FrameError::Truncated),
            Some((_, length)) if length < bytes.len() => Err(FrameError::Trailing),
            Some((outer, _)) => Ok(outer),
        }
    }

    /// What it holds: [`KIND_CHANGES`], [`KIND_PACKED`] or [`KIND_STATE`].
    pub fn kind(&self) -> u8 {
        self.bytes[3]
    }

    /// Who says to have signed it.
    pub fn key_id(&self) -> DeviceId {
        let mut id = [0; 8];
        id.copy_from_slice(&self.bytes[4..12]);
        DeviceId(id)
    }

    /// All its bytes, as they are kept and handed on.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The compressed body.
    pub(crate) fn body(&self) -> &'a [u8] {
        &self.bytes[PREFIX_BYTES..self.bytes.len() - SIGNATURE_BYTES]
    }

    /// Checks that the key signed the frame and is the one it names.
    ///
    /// # Errors
    /// `Signature`.
    pub fn verify(&self, key: &PublicKey) -> Result<(), FrameError> {
        let (signed, signature) = self.bytes.split_at(self.bytes.len() - SIGNATURE_BYTES);
        let signature: &Signature = signature.try_into().map_err(|_| FrameError::Truncated)?;
        if device_id(key) == self.key_id() && key.verifies(LABEL, &[signed], signature) {
            Ok(())
        } else {
            Err(FrameError::Signature)
        }
    }
}
