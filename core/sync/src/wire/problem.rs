//! What can be wrong with a request, by stable number and name.

use langso_domain::id::ScopeId;

use super::cbor::{Map, nonce, read_map, record, scope, whole_record};
use super::{Nonce, WireError};

pub(super) const MAGIC: [u8; 2] = *b"LP";

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $status:literal;)*) => {
        /// A condition the hub reports. Numbers and names are for ever.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Problem {
            $($(#[$doc])* $variant,)*
            /// The cursor of this scope comes from a history the hub does not know; inside a reply only.
            CursorUnknown(ScopeId),
            /// The device may not read this scope; inside a reply only.
            ScopeUnknown(ScopeId),
            /// The rows of this scope are not what the hub's log comes to; inside a reply only.
            DigestDiffers(ScopeId),
            /// A number this version does not know.
            Other(u16),
        }

        impl Problem {
            /// Its number.
            pub fn code(self) -> u16 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::CursorUnknown(_) => 20,
                    Self::ScopeUnknown(_) => 21,
                    Self::DigestDiffers(_) => 22,
                    Self::Other(code) => code,
                }
            }

            /// Its name, as the documentation and logs write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::CursorUnknown(_) => "cursor_unknown",
                    Self::ScopeUnknown(_) => "scope_unknown",
                    Self::DigestDiffers(_) => "digest_differs",
                    Self::Other(_) => "other",
                }
            }

            /// The HTTP status of a body that says it.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                    Self::CursorUnknown(_) | Self::ScopeUnknown(_) | Self::DigestDiffers(_) => 200,
                    Self::Other(_) => 400,
                }
            }

            /// Every problem that is a whole body, in order of its number.
            pub const BODIES: &'static [Self] = &[$(Self::$variant),*];

            /// From number and scope; a number without the scope it needs is `Other`.
            pub fn from_code(code: u16, scope: Option<ScopeId>) -> Self {
                match (code, scope) {
                    $(($code, _) => Self::$variant,)*
                    (20, Some(scope)) => Self::CursorUnknown(scope),
                    (21, Some(scope)) => Self::ScopeUnknown(scope),
                    (22, Some(scope)) => Self::DigestDiffers(scope),
                    (code, _) => Self::Other(code),
                }
            }
        }
    };
}

problems! {
    /// The body is not what the protocol says.
    Malformed = 1, "malformed", 400;
    /// A length or a count is above its limit.
    TooLarge = 2, "too_large", 413;
    /// The hub is older than the protocol of the phone.
    ProtocolTooNew = 3, "protocol_too_new", 400;
    /// No such device; the phone must be enrolled.
    UnknownDevice = 4, "unknown_device", 401;
    /// The device was revoked. Its frames were kept, for the lead to judge.
    Revoked = 5, "revoked", 403;
    /// The signature over the request is not that of the device.
    BadSignature = 6, "bad_signature", 401;
    /// The nonce is too old or not this hub's; ask again with the one given here. Frames were kept.
    StaleNonce = 7, "stale_nonce", 401;
    /// A frame of the request is forged or damaged; those before it were kept.
    BadFrame = 8, "bad_frame", 400;
    /// The hub cannot answer now; ask again later.
    Busy = 9, "busy", 503;
    /// Enrolment: no such code.
    CodeUnknown = 40, "code_unknown", 404;
    /// Enrolment: the code was used before; the lead has been told.
    CodeUsed = 41, "code_used", 409;
    /// Enrolment: the code's time is over.
    CodeExpired = 42, "code_expired", 410;
}

/// The body of an answer that refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProblemBody {
    /// What is wrong.
    pub problem: Problem,
    /// The hub's time, milliseconds since 1970.
    pub hub_time_ms: u64,
    /// A nonce for the next try, when the device is known.
    pub nonce: Option<Nonce>,
}

impl ProblemBody {
    /// The whole body.
    pub fn encode(&self) -> Vec<u8> {
        let mut map = Map::new();
        map.put(0, |to| to.u16(self.problem.code()));
        map.put(1, |to| to.u64(self.hub_time_ms));
        if let Some(nonce) = &self.nonce {
            map.put(2, |to| to.bytes(nonce.as_bytes()));
        }
        if let Problem::CursorUnknown(scope) | Problem::ScopeUnknown(scope) | Problem::DigestDiffers(scope) =
            self.problem
        {
            map.put(3, |to| to.bytes(&scope.0));
        }
        record(MAGIC, &map.finish())
    }

    /// Reads a whole body.
    ///
    /// # Errors
    /// `NotAReply` when it is not the hub that answers; else `Truncated`, `TooLarge` or `Malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        Self::from_map(whole_record(bytes, MAGIC)?)
    }

    pub(super) fn from_map(map: &[u8]) -> Result<Self, WireError> {
        let (mut code, mut hub_time_ms, mut next, mut of) = (None, 0, None, None);
        read_map(map, |key, from| {
            match key {
                0 => code = Some(from.u16()?),
                1 => hub_time_ms = from.u64()?,
                2 => next = Some(nonce(from)?),
                3 => of = Some(scope(from)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let code = code.ok_or(WireError::Malformed("problem"))?;
        Ok(Self { problem: Problem::from_code(code, of), hub_time_ms, nonce: next })
    }
}
