//! The chain: eight bytes that say which changes of a scope lie at or below a position, and in which order.
//!
//! Pure. The chain runs over keys, not bytes, so that the hub can strip erased values from its log and every chain
//! still holds.

use std::fmt;

use langso_domain::id::{Key, ScopeId};
use sha2::{Digest, Sha256};

/// What has happened in a scope up to a position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain(pub [u8; 8]);

impl Chain {
    /// The chain at position 0: the scope's own bytes.
    pub fn start(scope: ScopeId) -> Self {
        Self(scope.0)
    }

    /// The chain after one more change: the first 8 bytes of SHA-256(chain, writer 8, number 3), big endian.
    #[must_use]
    pub fn then(self, key: Key) -> Self {
        let digest = Sha256::new().chain_update(self.0).chain_update(key.to_bytes()).finalize();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        Self(bytes)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&langso_domain::id::to_base32(&self.0))
    }
}

/// How much of a scope somebody holds: everything up to a position, and the proof of which history it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    /// The last position held; 0 = nothing yet. Positions of a scope run from 1 without gaps.
    pub position: u64,
    /// The chain at that position.
    pub chain: Chain,
}

impl Cursor {
    /// Nothing of the scope yet.
    pub fn start(scope: ScopeId) -> Self {
        Self { position: 0, chain: Chain::start(scope) }
    }

    /// One position further.
    #[must_use]
    pub fn then(self, key: Key) -> Self {
        Self { position: self.position + 1, chain: self.chain.then(key) }
    }
}

/// The highest position of any scope; a claim above it is malformed, so that positions never overflow.
pub const MAX_POSITION: u64 = 1 << 48;

#[cfg(test)]
mod tests {
    use langso_domain::id::Writer;

    use super::*;

    #[test]
    fn the_chain_tells_order_and_scope_apart() {
        let scope = ScopeId([1; 8]);
        let [a, b] = [1, 2].map(|seq| Key { writer: Writer(9), seq });
        let both = Cursor::start(scope).then(a).then(b);
        assert_eq!(both.position, 2);
        assert_ne!(both, Cursor::start(scope).then(b).then(a));
        assert_ne!(both.chain, Cursor::start(ScopeId([2; 8])).then(a).then(b).chain);
    }
}
