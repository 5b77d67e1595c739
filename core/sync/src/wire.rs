//! What phone and hub say to each other: one request and its streamed reply, and enrolment.
//!
//! Pure and stream-wise: readers are fed with whatever arrived and yield whole parts only; between two feeds they
//! hold at most one part, whose length was checked before. Lists and texts have limits, unknown map keys are skipped.

mod cbor;
mod enrol;
mod hello;
mod inbox;
mod invite;
mod problem;
mod receipts;
mod reply;
mod request;
mod signed_get;

pub use enrol::{Enrol, Enrolled};
pub use hello::{Held, Hello, LandingAt, MAX_HELD, MAX_MARKS, MAX_SCOPES, Mark};
pub use invite::{Invite, InviteError};
pub use problem::{Problem, ProblemBody};
pub use receipts::{MAX_RANGES, Range, ScopeReceipts};
pub use reply::{Ended, Left, MAX_SET_ASIDE, Reason, ReplyEvent, ReplyHead, ReplyReader, SetAside};
pub(crate) use request::request_bytes;
pub use request::{Auth, Question, RequestEvent, RequestReader, Sealed, write_request};
pub use signed_get::{NotASignedGet, SignedGet};

use crate::frame::FrameError;

/// The protocol version of this code; the hub answers every version up to its own.
pub const PROTOCOL: u16 = 1;
/// Where a sync request is posted.
pub const SYNC_PATH: &str = "/v1/sync";
/// Where an enrolment is posted.
pub const ENROL_PATH: &str = "/v1/enrol";
/// Where figures are read, as JSON, by a signed GET.
pub const FIGURES_PATH: &str = "/v1/figures";
/// Where a lead reads what waits, by a signed GET, and says what becomes of it, by a signed POST.
pub const WAITING_PATH: &str = "/v1/waiting";
/// The content type of every body.
pub const CONTENT_TYPE: &str = "application/vnd.langso";
/// The longest hello.
pub const MAX_HELLO_BYTES: usize = 128 * 1024;
/// The longest head of a reply.
pub const MAX_HEAD_BYTES: usize = 256 * 1024;
/// The longest end record.
pub const MAX_END_BYTES: usize = 64 * 1024;
/// The longest problem body, enrolment or answer to one.
pub const MAX_SMALL_BYTES: usize = 16 * 1024;
/// The longest request a phone sends; a hub takes at least this.
pub const MAX_REQUEST_BYTES: usize = 2 * 1024 * 1024;
/// The longest text a phone says about itself, in bytes.
pub const MAX_TEXT: usize = 64;
/// The longest nonce.
pub const MAX_NONCE: usize = 24;

/// What the hub hands out and wants signed back within its time; opaque to the phone.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Nonce {
    length: u8,
    bytes: [u8; MAX_NONCE],
}

impl Nonce {
    /// At most [`MAX_NONCE`] bytes; the empty nonce is what a phone sends that has none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut nonce = Self { length: u8::try_from(bytes.len()).ok()?, bytes: [0; MAX_NONCE] };
        nonce.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(nonce)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nonce({})", langso_domain::id::to_base32(self.as_bytes()))
    }
}

/// Why bytes of the other side are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// The body ended before its end.
    #[error("cut short")]
    Truncated,
    /// A length, a list or a text is above its limit.
    #[error("too large")]
    TooLarge,
    /// Not what this part of the protocol says.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The answer does not come from a hub: a captive portal, a proxy's error page.
    #[error("not an answer of a hub")]
    NotAReply,
    /// A hub's answer to another request: an older one that somebody kept.
    #[error("an answer to another request")]
    OtherQuestion,
    /// Not signed by this key.
    #[error("not signed by this key")]
    Signature,
    /// A frame that no reader can take.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl From<minicbor::decode::Error> for WireError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed("cbor")
    }
}
