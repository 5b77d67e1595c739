//! What a session may cost: bodies of requests and replies together, headers of the transport not counted.
//!
//! The one idea: a request goes out only when it and the smallest reply to it fit into what is left, and it asks for
//! no longer reply than that. What is longer than a whole session's bytes waits for a session with more.

use langso_domain::id::{Key, ScopeId};

use super::ask::WRITER_BYTES;
use super::phone::Session;
use crate::keys::SigningKey;
use crate::wire::{Held, Hello, MAX_HELD, request_bytes};

/// What the head and end of a reply take at most when nothing is new, but for their scopes: time, nonce, and a few
/// scopes that were joined or left.
const REPLY_BYTES: usize = 512;
/// What a scope adds: its watermark, the head of its receipts, its cursor in the end record.
const SCOPE_BYTES: usize = 48;
/// What a change adds that was sent: a range of receipts of its own.
const RECEIPT_BYTES: usize = 8;
/// What a mark takes of a hello.
pub(super) const MARK_BYTES: usize = 20;

/// What a request brings besides its hello.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub frames: Vec<Vec<u8>>,
    /// The own changes in them.
    pub keys: Vec<Key>,
    /// Others' frames among them, by name.
    pub carried: Vec<i64>,
    /// Nothing is left to send after these.
    pub exhausted: bool,
    /// A change was found that no request of this session can hold.
    pub skips: bool,
}

impl Session {
    /// As much as the pace and the bytes left allow, and the hello that goes with it.
    pub(super) fn load(
        &mut self,
        key: &SigningKey,
        held: &[Held],
        pending: impl IntoIterator<Item = (ScopeId, Vec<u8>)>,
        carried: impl IntoIterator<Item = (i64, Vec<u8>)>,
    ) -> (Load, Hello) {
        let mut size = self.setup.pace.request_bytes().min(self.left_bytes());
        let is_bounded = self.is_bounded();
        // What was read may have to be packed again, in less.
        let (mut taken, mut passed) = (Vec::new(), Vec::new());
        let note = |one: &(ScopeId, Vec<u8>)| taken.extend(is_bounded.then(|| one.clone()));
        let pass = |one: &(i64, Vec<u8>)| passed.extend(is_bounded.then(|| one.clone()));
        let mut load =
            self.pack(key, size, pending.into_iter().inspect(note), carried.into_iter().inspect(pass));
        let mut hello = self.hello(held, &load.keys);
        while is_bounded && self.cost(&hello, &load) > self.left_bytes() && !load.frames.is_empty() {
            size = size * 3 / 4;
            // One change, or one frame of somebody else, that does not fit: it waits, those behind it need not.
            let is_least = load.keys.len() + load.carried.len() == 1 || size == 0;
            load = match is_least {
                true => {
                    self.too_long.extend(load.keys.iter().copied());
                    Load { skips: !load.keys.is_empty(), ..Load::default() }
                }
                false => {
                    let packed = self.pack(key, size, taken.iter().cloned(), passed.iter().cloned());
                    Load { exhausted: false, ..packed }
                }
            };
            hello = self.hello(held, &load.keys);
        }
        let is_poor = is_bounded && self.cost(&hello, &load) > self.left_bytes();
        if is_poor {
            // Offers are only a short cut: an own change comes back in a frame, too.
            hello.held.clear();
        }
        // They can wait: as many as the pace allows beside what is held, and none that bytes would be short for.
        let room =
            (self.setup.pace.held_bytes() / WRITER_BYTES).min(MAX_HELD).saturating_sub(hello.held.len());
        hello.recalled = self.recalled.iter().take(room).copied().collect();
        if is_bounded && self.cost(&hello, &load) > self.left_bytes() {
            hello.recalled.clear();
        }
        if is_bounded {
            let body = request_bytes(&self.setup.nonce, &hello, &load.frames);
            hello.max_bytes = u32::try_from(self.left_bytes().saturating_sub(body)).unwrap_or(u32::MAX - 1);
        }
        (load, hello)
    }

    fn cost(&self, hello: &Hello, load: &Load) -> usize {
        request_bytes(&self.setup.nonce, hello, &load.frames)
            + REPLY_BYTES
            + SCOPE_BYTES * self.setup.cursors.len()
            + RECEIPT_BYTES * load.keys.len()
    }

    fn is_bounded(&self) -> bool {
        self.setup.max_bytes != u64::MAX
    }

    pub(super) fn left_bytes(&self) -> usize {
        let left = self.setup.max_bytes.saturating_sub(self.progress.up + self.progress.down);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// True when the session's bytes are spent: too few are left for a request and its reply, or for whatever comes
    /// next.
    pub fn spent(&self) -> bool {
        let least = || self.cost(&self.hello(&[], &[]), &Load::default());
        self.is_bounded() && (self.starved || self.left_bytes() < least())
    }

    /// True when the session's bytes were spent before any change went up or came down: whatever is next is longer than
    /// all of them.
    pub fn is_too_small(&self) -> bool {
        self.spent() && !self.moved
    }
}
