//! The request: who asks, the hello, frames to the end. Signed over a nonce and the digest of all after the signature.

use langso_domain::id::DeviceId;
use sha2::{Digest, Sha256};

use super::cbor::prefixed;
use super::hello::Hello;
use super::inbox::Inbox;
use super::{MAX_HELLO_BYTES, MAX_NONCE, Nonce, WireError};
use crate::frame::{FrameError, KIND_STATE, Outer};
use crate::keys::{PublicKey, SIGNATURE_BYTES, Signature, SigningKey, device_id};

const LABEL: &[u8] = b"langso sync v1\0";

/// How long the body of a request will be, whatever limit of the reply its hello says.
pub(crate) fn request_bytes(nonce: &Nonce, hello: &Hello, frames: &[Vec<u8>]) -> usize {
    // The limit is the one number that depends on the length; five bytes and its key at most.
    let hello = Hello { max_bytes: u32::MAX - 1, ..hello.clone() }.encode();
    9 + nonce.as_bytes().len()
        + SIGNATURE_BYTES
        + 4
        + hello.len()
        + frames.iter().map(Vec::len).sum::<usize>()
}

/// The whole body of a request.
pub fn write_request(key: &SigningKey, nonce: &Nonce, hello: &Hello, frames: &[Vec<u8>]) -> Vec<u8> {
    let hello = hello.encode();
    let length = u32::try_from(hello.len()).expect("a hello is below 4 GiB");
    let head = 9 + nonce.as_bytes().len() + SIGNATURE_BYTES;
    let mut bytes = Vec::with_capacity(head + 4 + hello.len() + frames.iter().map(Vec::len).sum::<usize>());
    bytes.extend_from_slice(&key.id().0);
    bytes.push(nonce.length);
    bytes.extend_from_slice(nonce.as_bytes());
    bytes.extend_from_slice(&[0; SIGNATURE_BYTES]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&hello);
    frames.iter().for_each(|frame| bytes.extend_from_slice(frame));
    let digest = Sha256::digest(&bytes[head..]);
    let signature = key.sign(LABEL, &[nonce.as_bytes(), &digest]);
    bytes[head - SIGNATURE_BYTES..head].copy_from_slice(&signature);
    bytes
}

/// Who asks, not proven until the body has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Auth {
    /// The device.
    pub key_id: DeviceId,
    /// The nonce it signed.
    pub nonce: Nonce,
    signature: Signature,
}

/// A part of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestEvent {
    /// First: who asks.
    Auth(Auth),
    /// Second: what the phone holds and wants.
    Hello(Hello),
    /// Then: whole frames, unchecked.
    Frame(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    Auth,
    Hello,
    Frames,
}

/// Reads a request as it arrives: feed a chunk, take events until there are none, feed the next.
#[derive(Debug)]
pub struct RequestReader {
    inbox: Inbox,
    expect: Expect,
    auth: Option<Auth>,
    digest: Sha256,
    taken: u64,
    most: u64,
}

impl RequestReader {
    /// A reader that takes at most `most` bytes of body.
    pub fn new(most: u64) -> Self {
        Self {
            inbox: Inbox::default(),
            expect: Expect::Auth,
            auth: None,
            digest: Sha256::new(),
            taken: 0,
            most,
        }
    }

    /// Takes bytes that arrived.
    ///
    /// # Errors
    /// `TooLarge` when the body is longer than the reader takes.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), WireError> {
        self.taken += chunk.len() as u64;
        if self.taken > self.most {
            return Err(WireError::TooLarge);
        }
        if self.auth.is_some() {
            self.digest.update(chunk);
        }
        self.inbox.push(chunk);
        Ok(())
    }

    /// The next whole part; none when more bytes are needed.
    ///
    /// # Errors
    /// When what came can never become a request; frames yielded before stand on their own signature.
    pub fn next_event(&mut self) -> Result<Option<RequestEvent>, WireError> {
        match self.expect {
            Expect::Auth => self.auth(),
            Expect::Hello => {
                let Some((body, end)) = prefixed(self.inbox.rest(), MAX_HELLO_BYTES)? else {
                    return Ok(None);
                };
                let hello = Hello::decode(body)?;
                self.inbox.skip(end);
                self.expect = Expect::Frames;
                Ok(Some(RequestEvent::Hello(hello)))
            }
            Expect::Frames => match Outer::read(self.inbox.rest())? {
                None => Ok(None),
                // Nobody but the hub makes state.
                Some((outer, _)) if outer.kind() == KIND_STATE => Err(FrameError::State.into()),
                Some((_, length)) => Ok(Some(RequestEvent::Frame(self.inbox.take(length)))),
            },
        }
    }

    fn auth(&mut self) -> Result<Option<RequestEvent>, WireError> {
        let rest = self.inbox.rest();
        let Some((key_id, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
        let Some((&length, rest)) = rest.split_first() else { return Ok(None) };
        let length = usize::from(length);
        if length > MAX_NONCE {
            return Err(WireError::Malformed("nonce"));
        }
        let Some((nonce, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let Some((signature, rest)) = rest.split_first_chunk::<SIGNATURE_BYTES>() else { return Ok(None) };
        let nonce = Nonce::from_bytes(nonce).ok_or(WireError::Malformed("nonce"))?;
        let auth = Auth { key_id: DeviceId(*key_id), nonce, signature: *signature };
        self.digest.update(rest);
        self.inbox.skip(9 + length + SIGNATURE_BYTES);
        self.auth = Some(auth);
        self.expect = Expect::Hello;
        Ok(Some(RequestEvent::Auth(auth)))
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `Truncated` when it ended inside a part or before the hello; frames yielded before are good nevertheless.
    pub fn finish(self) -> Result<Sealed, WireError> {
        match self.auth {
            Some(auth) if self.expect == Expect::Frames && self.inbox.is_empty() => {
                Ok(Sealed { auth, digest: self.digest.finalize().into() })
            }
            _ => Err(WireError::Truncated),
        }
    }
}

/// Names a request in its reply, so that no answer to another one is taken for it: the first 8 bytes of the SHA-256 of
/// all that the request's signature covers but the nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Question(pub [u8; 8]);

impl Question {
    /// Of the whole body of a request; none when that is cut short.
    pub fn of(body: &[u8]) -> Option<Self> {
        let signed = 9 + usize::from(*body.get(8)?) + SIGNATURE_BYTES;
        Some(Self::from_digest(&Sha256::digest(body.get(signed..)?).into()))
    }

    fn from_digest(digest: &[u8; 32]) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(first)
    }
}

/// A request that has come whole, its signature not checked yet.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// Who asks.
    pub auth: Auth,
    digest: [u8; 32],
}

impl Sealed {
    /// What the reply names.
    pub fn question(&self) -> Question {
        Question::from_digest(&self.digest)
    }

    /// Checks that the device signed this body with this nonce. Whether the nonce is good is for the hub to say.
    ///
    /// # Errors
    /// `Signature`.
    pub fn verify(&self, key: &PublicKey) -> Result<(), WireError> {
        let parts: [&[u8]; 2] = [self.auth.nonce.as_bytes(), &self.digest];
        if device_id(key) == self.auth.key_id && key.verifies(LABEL, &parts, &self.auth.signature) {
            Ok(())
        } else {
            Err(WireError::Signature)
        }
    }
}
