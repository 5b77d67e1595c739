//! Bytes that arrived and are not used yet.

/// A queue of bytes that is cut from the front part by part.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    used: usize,
}

impl Inbox {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used == self.bytes.len()
    }

    pub(super) fn skip(&mut self, length: usize) {
        self.used = (self.used + length).min(self.bytes.len());
    }

    pub(super) fn take(&mut self, length: usize) -> Vec<u8> {
        let part = self.rest().get(..length).unwrap_or_default().to_vec();
        self.skip(length);
        part
    }
}
