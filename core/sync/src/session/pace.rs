//! How large the next request may be, by what last passed. One number, kept over sessions and restarts.

/// The size of a phone's very first request, in bytes.
pub const START_REQUEST: u32 = 8 * 1024;
/// Below this no request is cut down; also the size of the first request after a cut.
pub const MIN_REQUEST: u32 = 1024;
/// The largest request.
pub const MAX_REQUEST: u32 = 1024 * 1024;

const CUT: u32 = 1;
const OPEN: u32 = 2;

/// The size of requests: doubled when a full one passed, halved when one was cut, and small right after a cut, because
/// then nobody knows what the hub has kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    size: u32,
    /// The last request was cut, or is under way.
    cut: bool,
    /// Requests went out since the last session that came to its end.
    open: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { size: START_REQUEST, cut: false, open: false }
    }
}

impl Pace {
    /// From the number kept; any number gives a good pace, 0 the first one.
    pub fn from_number(number: u32) -> Self {
        if number < MIN_REQUEST {
            return Self::default();
        }
        let size = (number & !(CUT | OPEN)).clamp(MIN_REQUEST, MAX_REQUEST);
        Self { size, cut: number & CUT != 0, open: number & OPEN != 0 }
    }

    /// The number to keep. Keep it when a request goes out and again when its reply has ended: a program that is
    /// killed in between then finds the request counted as cut.
    pub fn number(self) -> u32 {
        (self.size & !(CUT | OPEN)) | (u32::from(self.cut) * CUT) | (u32::from(self.open) * OPEN)
    }

    /// How large the next request may be, in bytes.
    pub fn request_bytes(self) -> usize {
        if self.cut { MIN_REQUEST as usize } else { self.size as usize }
    }

    /// How large a frame a link passes for sure that was cut lately.
    pub(super) fn safe_frame(self) -> u32 {
        self.size.max(2 * MIN_REQUEST)
    }

    /// How many bytes of the next request may name writers; a share of the request, so that the hello after a cut
    /// stays small on a link that passes little.
    pub(super) fn held_bytes(self) -> usize {
        (self.size as usize / 4).max(512)
    }

    /// True when the hub may hold changes of which this phone does not know it.
    pub(super) fn is_open(self) -> bool {
        self.cut || self.open
    }

    /// True when the last request was cut, or its reply has not ended.
    pub fn is_cut(self) -> bool {
        self.cut
    }

    /// A request went out.
    pub(super) fn sent(&mut self) {
        self.cut = true;
        self.open = true;
    }

    /// Its reply came to the end; `bytes` is the longer of request and reply.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.cut = false;
        if bytes >= self.size as usize / 2 {
            self.size = (self.size * 2).min(MAX_REQUEST);
        }
    }

    /// Its reply did not.
    pub(super) fn halve(&mut self) {
        self.cut = true;
        self.size = (self.size / 2).max(MIN_REQUEST);
    }

    /// The session came to its end.
    pub(super) fn closed(&mut self) {
        self.open = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_doubles_halves_and_comes_back_from_its_number() {
        let mut pace = Pace::default();
        assert_eq!(pace.request_bytes(), 8 * 1024);
        pace.sent();
        assert_eq!(Pace::from_number(pace.number()).request_bytes(), 1024, "killed under way counts as cut");
        pace.passed(100);
        assert_eq!(pace.request_bytes(), 8 * 1024, "a small request shows nothing");
        pace.passed(8_000);
        assert_eq!(pace.request_bytes(), 16 * 1024);
        pace.halve();
        assert_eq!(pace.request_bytes(), 1024, "the first after a cut is small");
        pace.passed(1_000);
        assert_eq!(pace.request_bytes(), 8 * 1024);
        (0..20).for_each(|_| pace.halve());
        assert_eq!(pace.number() & !3, 1024);
        (0..20).for_each(|_| pace.passed(usize::MAX));
        assert_eq!(pace.request_bytes(), 1024 * 1024);
        for number in [0, 1, 7, 1024, 5_000, u32::MAX] {
            let pace = Pace::from_number(number);
            assert_eq!(Pace::from_number(pace.number()), pace);
        }
    }
}
