//! Enrolment by a code: a new device shows the code's secret and its key; the hub says who it is.

use langso_domain::id::{MemberId, ScopeId, TeamId};
use sha2::{Digest, Sha256};

use super::cbor::{Map, fixed, flat, nonce, read_flat, read_map, record, row, scope, text, whole_record};
use super::hello::MAX_SCOPES;
use super::{MAX_SMALL_BYTES, MAX_TEXT, Nonce, PROTOCOL, WireError};
use crate::keys::{Fingerprint, PublicKey, SIGNATURE_BYTES, Signature, SigningKey};

const ASK_LABEL: &[u8] = b"langso enrol v1\0";
const ANSWER_LABEL: &[u8] = b"langso enrolled v1\0";
const MAGIC: [u8; 2] = *b"LN";

/// What a new device asks with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrol {
    /// The protocol version of the phone.
    pub protocol: u16,
    /// The secret of the code.
    pub code: [u8; 16],
    /// The new device's key.
    pub key: PublicKey,
    /// What its owner calls the device.
    pub name: String,
    /// Maker and model.
    pub model: String,
    /// Name and version of the program.
    pub app: String,
}

impl Enrol {
    /// A question of this protocol version; texts are cut to 64 bytes.
    pub fn new(code: [u8; 16], key: PublicKey, name: &str, model: &str, app: &str) -> Self {
        let [name, model, app] = [name, model, app].map(|text| {
            let end = (0..=text.len().min(MAX_TEXT)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text[..end].to_owned()
        });
        Self { protocol: PROTOCOL, code, key, name, model, app }
    }

    /// The whole body, signed by the new key: signature, then a map.
    pub fn encode(&self, key: &SigningKey) -> Vec<u8> {
        let mut map = Map::new();
        map.put(0, |to| to.u16(self.protocol));
        map.put(1, |to| to.bytes(&self.code));
        map.put(2, |to| to.bytes(&self.key.to_bytes()));
        map.put(3, |to| to.str(&self.name));
        map.put(4, |to| to.str(&self.model));
        map.put(5, |to| to.str(&self.app));
        let map = map.finish();
        let mut bytes = key.sign(ASK_LABEL, &[&map]).to_vec();
        bytes.extend_from_slice(&map);
        bytes
    }

    /// Reads a whole body and checks that the key it names signed it.
    ///
    /// # Errors
    /// `Truncated`, `TooLarge`, `Malformed` or `Signature`.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_SMALL_BYTES {
            return Err(WireError::TooLarge);
        }
        let (signature, map) = bytes.split_first_chunk::<SIGNATURE_BYTES>().ok_or(WireError::Truncated)?;
        let (mut protocol, mut code, mut key) = (None, None, None);
        let (mut name, mut model, mut app) = (String::new(), String::new(), String::new());
        read_map(map, |number, from| {
            match number {
                0 => protocol = Some(from.u16()?),
                1 => code = Some(fixed(from, "code")?),
                2 => key = Some(PublicKey::from_bytes(from.bytes()?).ok_or(WireError::Malformed("key"))?),
                3 => name = text(from, MAX_TEXT)?,
                4 => model = text(from, MAX_TEXT)?,
                5 => app = text(from, MAX_TEXT)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        match (protocol, code, key) {
            (Some(protocol), Some(code), Some(key)) => {
                if key.verifies(ASK_LABEL, &[map], signature) {
                    Ok(Self { protocol, code, key, name, model, app })
                } else {
                    Err(WireError::Signature)
                }
            }
            _ => Err(WireError::Malformed("a key is missing")),
        }
    }
}

/// What the hub answers to a new device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolled {
    /// The member the device belongs to.
    pub member: MemberId,
    /// The member's team.
    pub team: TeamId,
    /// The number of the member's role.
    pub role: i64,
    /// The scopes the device has, with the number of their kind.
    pub scopes: Vec<(ScopeId, i64)>,
    /// The hub's key, which signs all it serves.
    pub hub: PublicKey,
    /// The hub's time, milliseconds since 1970.
    pub hub_time_ms: u64,
    /// For the first request.
    pub nonce: Nonce,
}

impl Enrolled {
    /// The whole body, signed by the hub's key together with the question it answers.
    pub fn encode(&self, hub: &SigningKey, question: &[u8]) -> Vec<u8> {
        let mut map = Map::new();
        map.put(0, |to| to.bytes(&self.member.0.0));
        map.put(1, |to| to.bytes(&self.team.0.0));
        map.put(2, |to| to.i64(self.role));
        map.put(3, |to| {
            flat(to, &self.scopes, 2, |to, (scope, kind)| {
                to.bytes(&scope.0)?.i64(*kind)?;
                Ok(())
            })
        });
        map.put(4, |to| to.bytes(&self.hub.to_bytes()));
        map.put(5, |to| to.u64(self.hub_time_ms));
        map.put(6, |to| to.bytes(self.nonce.as_bytes()));
        let map = map.finish();
        let mut bytes = hub.sign(ANSWER_LABEL, &[&Sha256::digest(question), &map]).to_vec();
        bytes.extend_from_slice(&map);
        record(MAGIC, &bytes)
    }

    /// Reads a whole body and checks that the hub of the code's fingerprint gave it to this question.
    ///
    /// # Errors
    /// `NotAReply`, `Truncated`, `TooLarge`, `Malformed` or `Signature`.
    pub fn decode(bytes: &[u8], question: &[u8], fingerprint: &Fingerprint) -> Result<Self, WireError> {
        let body = whole_record(bytes, MAGIC)?;
        let (signature, map): (&Signature, _) =
            body.split_first_chunk::<SIGNATURE_BYTES>().ok_or(WireError::Truncated)?;
        let (mut member, mut team, mut role, mut hub, mut next) = (None, None, None, None, None);
        let (mut scopes, mut hub_time_ms) = (Vec::new(), 0);
        read_map(map, |number, from| {
            match number {
                0 => member = Some(MemberId(row(from)?)),
                1 => team = Some(TeamId(row(from)?)),
                2 => role = Some(from.i64()?),
                3 => scopes = read_flat(from, 2, MAX_SCOPES, |from| Ok((scope(from)?, from.i64()?)))?,
                4 => hub = Some(PublicKey::from_bytes(from.bytes()?).ok_or(WireError::Malformed("key"))?),
                5 => hub_time_ms = from.u64()?,
                6 => next = Some(nonce(from)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let (Some(member), Some(team), Some(role), Some(hub), Some(nonce)) = (member, team, role, hub, next)
        else {
            return Err(WireError::Malformed("a key is missing"));
        };
        if Fingerprint::of(&hub) != *fingerprint
            || !hub.verifies(ANSWER_LABEL, &[&Sha256::digest(question), map], signature)
        {
            return Err(WireError::Signature);
        }
        Ok(Self { member, team, role, scopes, hub, hub_time_ms, nonce })
    }
}
