//! What a session starts from, says and can fail with.

use langso_domain::id::{DeviceId, ScopeId, Writer};

use super::pace::Pace;
use crate::chain::Cursor;
use crate::frame::{Frame, FrameError};
use crate::keys::PublicKey;
use crate::state::StateFrame;
use crate::wire::{Held, Left, Nonce, Problem, ProblemBody, SetAside, WireError};

/// What a session starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The hub's key.
    pub hub: PublicKey,
    /// The name of the own key.
    pub device: DeviceId,
    /// The schema of this program.
    pub schema: u16,
    /// Name and version of this program.
    pub app: String,
    /// The nonce of the last reply, or the empty one.
    pub nonce: Nonce,
    /// Every scope of the phone with what it holds of it.
    pub cursors: Vec<(ScopeId, Cursor)>,
    /// The pace of the last session.
    pub pace: Pace,
    /// The most bytes this session may cost, up and down together, headers of the transport not counted.
    pub max_bytes: u64,
    /// The most bytes of a frame in a reply; `u32::MAX` leaves it to the hub.
    pub max_frame: u32,
}

/// A position for own changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The writer.
    pub writer: Writer,
    /// The number of the first change.
    pub first: u32,
    /// How many changes, which follow one another in number and position.
    pub n: u32,
    /// The position of the first.
    pub position: u64,
}

/// What the head of a reply says besides receipts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// The hub's time, milliseconds since 1970.
    pub hub_time_ms: u64,
    /// To be kept for the next session.
    pub nonce: Nonce,
    /// By scope, for each that the hub serves: up to where its backup has been read back; 0 = no backup.
    pub watermarks: Vec<(ScopeId, u64)>,
    /// Scopes the device no longer has; the hub's signature was checked.
    pub left: Vec<Left>,
    /// What the request had said that the phone holds: positions of these above the cursor are told after this, and
    /// those that are not have none.
    pub held: Vec<Held>,
    /// New scopes with the number of their kind; the session already follows them.
    pub joined: Vec<(ScopeId, i64)>,
    /// Own changes that the hub keeps without a position; they need not be sent again.
    pub set_aside: Vec<SetAside>,
    /// How many those are in all.
    pub set_aside_total: u64,
    /// What is wrong with single scopes.
    pub problems: Vec<Problem>,
    /// The hub opens packed frames: to be kept for [`Session::pack_frames`](super::Session::pack_frames).
    pub opens_packed: bool,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The head came.
    News(News),
    /// Own changes have positions. They may lie above the cursor; the chain proves them when the cursor passes.
    Receipts {
        /// Their scope.
        scope: ScopeId,
        /// In order of position.
        receipts: Vec<Receipt>,
    },
    /// A frame of the hub, its signature and chain checked; a snapshot of its scope that was landing lands no more. Apply it and keep `cursor` in one transaction. Own
    /// changes in it are receipts too.
    Frame {
        /// The opened frame.
        frame: Frame,
        /// Its bytes, to be kept.
        bytes: Vec<u8>,
        /// The new cursor of its scope.
        cursor: Cursor,
    },
    /// A frame of a snapshot, the hub's signature and its order checked. Take it in, with what comes next of the
    /// snapshot, in one transaction.
    State {
        /// The opened frame.
        frame: StateFrame,
        /// The new cursor of its scope, with the last frame of the snapshot.
        cursor: Option<Cursor>,
    },
    /// The hub does not know the cursor of this scope: another history. `Session::offer_marks` before the next
    /// request, or the scope is fetched from its beginning.
    OtherHistory {
        /// The scope.
        scope: ScopeId,
    },
    /// The hub goes on from this older mark: all held above it counts as unsent again.
    FellBack {
        /// The scope.
        scope: ScopeId,
        /// The mark.
        cursor: Cursor,
    },
    /// The hub has compared the digests of the request; a scope in neither list it could not compare, because
    /// something came to its log meanwhile.
    Compared {
        /// The rows are what the hub's log comes to.
        agreed: Vec<ScopeId>,
        /// They are not: the scope is to be repaired.
        differing: Vec<ScopeId>,
    },
    /// The hub refuses the request. After `StaleNonce` the next request is a good try.
    Refused(ProblemBody),
    /// The reply is whole; these cursors moved, receipts included.
    End {
        /// To be kept.
        cursors: Vec<(ScopeId, Cursor)>,
        /// Scopes of which nothing more is to fetch, with their heads: a receipt above is void.
        heads: Vec<(ScopeId, u64)>,
        /// The names of the frames of others that the hub has now taken; see [`Session::request`].
        ///
        /// [`Session::request`]: super::Session::request
        carried: Vec<i64>,
    },
}

/// Why a session ends early. Everything before the error is good and kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionError {
    /// The bytes are not a reply of a hub.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A frame is not signed by the hub, or is damaged.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The chain of this scope differs from what the phone holds: the hub has another history.
    #[error("another history")]
    OtherHistory {
        /// The scope.
        scope: ScopeId,
    },
    /// Positions of this scope are missing or come twice.
    #[error("positions are missing")]
    Hole {
        /// The scope.
        scope: ScopeId,
    },
}

/// Bytes and requests so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Bytes of request bodies.
    pub up: u64,
    /// Bytes of reply bodies.
    pub down: u64,
    /// Requests built.
    pub requests: u32,
}
