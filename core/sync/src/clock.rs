//! The hybrid logical clock: 48 bits of milliseconds and a 16-bit counter, so that an edit always comes after all
//! that its author saw, however wrong the phone's clock is.
//!
//! Pure: the caller hands in hub-corrected time. Kulkarni et al., "Logical Physical Clocks", 2014, with one bound
//! added: what another device says is adopted only up to a day ahead, so that a clock a year ahead harms nobody.

use std::fmt;

/// A moment of the hybrid clock: `ms << 16 | counter`, ms below 2^47.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(pub u64);

/// Own time goes into a stamp in steps of this: finer than any two phones' clocks agree, and the byte that it leaves
/// empty deflates away in every change.
pub const STEP_MS: u64 = 256;
/// How far ahead of the own clock another device's stamp is adopted.
pub const ADOPT_AHEAD_MS: u64 = 24 * 3_600_000;

impl Stamp {
    /// The first stamp of a millisecond.
    pub fn at_ms(unix_ms: u64) -> Self {
        Self(unix_ms.min((1 << 47) - 1) << 16)
    }

    /// Milliseconds since 1970-01-01T00:00Z.
    pub fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// The stamp, when its milliseconds lie below 2^47 (the year 6429).
    pub fn checked(raw: u64) -> Option<Self> {
        (raw < 1 << 63).then_some(Self(raw))
    }

    /// The next stamp; at the very end of time it stays (the writer then decides between equals).
    pub fn next(self) -> Self {
        Self((self.0 + 1).min((1 << 63) - 1))
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.ms(), self.0 & 0xFFFF)
    }
}

/// A device's clock: the newest stamp it gave or adopted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Clock {
    last: Stamp,
}

impl Clock {
    /// A clock that goes on after `last`.
    pub fn after(last: Stamp) -> Self {
        Self { last }
    }

    /// The newest stamp given or adopted, to be kept over a restart.
    pub fn last(self) -> Stamp {
        self.last
    }

    /// A stamp for a change written at `now_ms` which overwrites values of up to `seen`: later than both and than
    /// every stamp given before. A seen stamp from far ahead is passed for this one change and not adopted.
    ///
    /// Stamps from far ahead that this clock gave itself, while it was wrong, are left behind once it is right: an
    /// edit comes after what it overwrites by `seen` alone.
    pub fn stamp(&mut self, now_ms: u64, seen: Stamp) -> Stamp {
        if self.last.ms() > now_ms.saturating_add(ADOPT_AHEAD_MS) {
            self.last = Stamp::default();
        }
        let own = self.last.next().max(Stamp::at_ms(now_ms - now_ms % STEP_MS));
        self.last = own;
        if seen < own {
            return own;
        }
        let stamp = seen.next();
        self.adopt(now_ms, stamp);
        stamp
    }

    /// Takes note of another device's stamp, as far as a day ahead of now.
    pub fn adopt(&mut self, now_ms: u64, stamp: Stamp) {
        if stamp.ms() <= now_ms.saturating_add(ADOPT_AHEAD_MS) {
            self.last = self.last.max(stamp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_704_128_400_000;
    const YEAR: u64 = 365 * 24 * 3_600_000;

    #[test]
    fn stamps_rise_while_the_wall_clock_stands_or_falls() {
        let mut clock = Clock::default();
        let first = clock.stamp(NOW, Stamp::default());
        let second = clock.stamp(NOW, Stamp::default());
        let third = clock.stamp(NOW - 5_000, Stamp::default());
        assert!(first < second && second < third);
    }

    #[test]
    fn an_edit_beats_what_its_author_saw_even_a_year_ahead() {
        let mut clock = Clock::default();
        let ahead = Stamp::at_ms(NOW + YEAR);
        assert!(clock.stamp(NOW, ahead) > ahead);
    }

    #[test]
    fn a_clock_that_was_a_year_ahead_is_right_again_and_its_edits_still_come_after_what_they_saw() {
        let mut clock = Clock::default();
        let wrong = clock.stamp(NOW + YEAR, Stamp::default());
        assert!(clock.stamp(NOW, wrong) > wrong);
        assert!(clock.stamp(NOW, Stamp::default()).ms() <= NOW + 1);
    }

    #[test]
    fn a_clock_a_year_ahead_is_not_caught_from_others() {
        let mut clock = Clock::default();
        clock.adopt(NOW, Stamp::at_ms(NOW + YEAR));
        clock.stamp(NOW, Stamp::at_ms(NOW + YEAR));
        assert!(clock.stamp(NOW, Stamp::default()).ms() <= NOW + 1);
        clock.adopt(NOW, Stamp::at_ms(NOW + ADOPT_AHEAD_MS));
        assert_eq!(clock.last().ms(), NOW + ADOPT_AHEAD_MS);
    }
}
