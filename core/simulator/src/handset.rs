//! A telephone and its clocks: the wall clock that anybody may set, and the boot clock that only a reboot sets back.

use crate::dice::Dice;

/// When a run begins: 2 January 2024, 00:00 UTC.
pub(crate) const START_MS: u64 = 1_704_153_600_000;
pub(crate) const DAY_MS: u64 = 24 * 3_600_000;
const YEAR_MS: i64 = 365 * DAY_MS as i64;

/// How far a clock is from the truth: mostly a little, now and then a year.
pub(crate) fn any_skew(dice: &mut Dice) -> i64 {
    match dice.below(10) {
        0 => YEAR_MS,
        1 => -YEAR_MS,
        2 => DAY_MS as i64 * 2,
        3 => -(DAY_MS as i64),
        _ => dice.below(120_000) as i64 - 60_000,
    }
}

/// A clock's reading at a true moment.
pub(crate) fn skewed(now_ms: u64, skew_ms: i64) -> u64 {
    now_ms.saturating_add_signed(skew_ms)
}

/// One telephone; two members may share it, each with a folder of their own.
#[derive(Debug)]
pub(crate) struct Handset {
    pub skew_ms: i64,
    booted_at: u64,
    boot: u32,
}

/// What the hub last said about time, as a phone keeps it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HubTime {
    hub_ms: u64,
    boot_ms: u64,
    boot: u32,
    offset_ms: i64,
}

impl Handset {
    pub fn new(skew_ms: i64) -> Self {
        Self { skew_ms, booted_at: START_MS, boot: 0 }
    }

    pub fn reboot(&mut self, now_ms: u64) {
        self.booted_at = now_ms;
        self.boot += 1;
    }

    fn wall_ms(&self, now_ms: u64) -> u64 {
        skewed(now_ms, self.skew_ms)
    }

    /// Notes what the hub said.
    pub fn hear(&self, now_ms: u64, hub_ms: u64) -> HubTime {
        HubTime {
            hub_ms,
            boot_ms: now_ms - self.booted_at,
            boot: self.boot,
            offset_ms: hub_ms as i64 - self.wall_ms(now_ms) as i64,
        }
    }

    /// The time as a phone knows it: the hub's carried on over the boot clock, else the wall clock put right by what
    /// was last known. And whether it is sure of it: two clocks more than a day apart do not vouch for each other.
    pub fn time(&self, now_ms: u64, heard: Option<&HubTime>) -> (u64, bool) {
        match heard {
            Some(heard) if heard.boot == self.boot => {
                let since = (now_ms - self.booted_at).saturating_sub(heard.boot_ms);
                (heard.hub_ms + since, heard.offset_ms.unsigned_abs() <= DAY_MS)
            }
            Some(heard) => (self.wall_ms(now_ms).saturating_add_signed(heard.offset_ms), false),
            None => (self.wall_ms(now_ms), false),
        }
    }
}
