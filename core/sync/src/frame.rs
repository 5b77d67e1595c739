//! The frame: signed, compressed changes of one scope, and the header that says what they are.
//!
//! Pure. `LS`, version, kind, key id 8, length u32be, raw-deflate or packed body, Ed25519 signature over a label and all before
//! it. Every length is checked before anything is allocated, the signature before anything is inflated, and inflating
//! stops at the limit.

mod build;
pub(crate) mod header;
mod open;
mod outer;
mod pack;

pub use build::{FrameBuilder, Full};
pub(crate) use build::{USUAL_PERMILLE, learned_permille, seal};
pub use header::{Header, Run};
pub(crate) use open::inflate;
pub use open::{Change, Frame};
pub use outer::Outer;

/// The first bytes of a frame.
pub const MAGIC: [u8; 2] = *b"LS";
/// The version this code writes, and the only one it reads.
pub const VERSION: u8 = 1;
/// Kind of a frame of changes.
pub const KIND_CHANGES: u8 = 1;
/// Kind of a frame of state; see [`crate::state`].
pub const KIND_STATE: u8 = 2;
/// Kind of a frame of changes whose body is packed tighter, for a hub that reads it.
pub const KIND_PACKED: u8 = 3;
/// What a frame's signature covers before the frame's own bytes.
pub const LABEL: &[u8] = b"langso frame v1\0";
/// Bytes before the body: magic, version, kind, key id, length.
pub const PREFIX_BYTES: usize = 16;
/// Bytes around the body.
pub const OVERHEAD_BYTES: usize = PREFIX_BYTES + crate::keys::SIGNATURE_BYTES;
/// The most changes of one frame.
pub const MAX_CHANGES: usize = 1_000;
/// The most bytes of changes in one frame, not deflated.
pub const MAX_RAW_BYTES: usize = 256 * 1024;
/// The longest header, not deflated.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The longest deflated body: deflate adds less than this even to noise.
pub const MAX_BODY_BYTES: usize = MAX_RAW_BYTES + MAX_HEADER_BYTES + 1024;
/// The longest frame.
pub const MAX_FRAME_BYTES: usize = MAX_BODY_BYTES + OVERHEAD_BYTES;

/// Why a frame is refused. Nothing of it has been used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The bytes do not begin with the frame's magic.
    #[error("not a frame")]
    NotAFrame,
    /// A version this code does not read.
    #[error("frame of version {0}")]
    Version(u8),
    /// A kind this code does not know.
    #[error("frame of kind {0}")]
    Kind(u8),
    /// A frame of state where only changes may come.
    #[error("frame of state")]
    State,
    /// The bytes end before the frame does.
    #[error("frame cut short")]
    Truncated,
    /// Bytes follow the frame.
    #[error("bytes after the frame")]
    Trailing,
    /// A length, a count or the inflated body is above its limit.
    #[error("frame too large")]
    TooLarge,
    /// The signature is not that of the key, or the key is not the one the frame names.
    #[error("frame not signed by this key")]
    Signature,
    /// The body is no stream of its kind, or bytes follow it.
    #[error("frame body does not inflate")]
    Deflate,
    /// The header is not what [`Header`] says.
    #[error("frame header malformed: {0}")]
    Header(&'static str),
    /// The changes part is not as long as the header says.
    #[error("raw size differs")]
    RawSize,
    /// There are more or fewer changes than the header says.
    #[error("count differs")]
    Count,
    /// A change is malformed.
    #[error("change in frame malformed: {0}")]
    Change(&'static str),
}
