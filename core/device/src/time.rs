//! The phone's time: the hub's word carried over the boot clock, else the wall clock with the last known offset.
//!
//! Only [`SystemTime`] touches the machine; everything else is handed a [`TimeSource`], so that a phone can live
//! through a year in a minute.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// The clocks of a phone.
pub trait TimeSource: Send + Sync {
    /// What the wall clock says, ms since 1970-01-01T00:00Z; a user may have set it to anything.
    fn wall_ms(&self) -> i64;
    /// Milliseconds since the boot, deep sleep included.
    fn boot_ms(&self) -> i64;
    /// Names the boot: another one after each restart of the machine.
    fn boot_id(&self) -> String;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTime;

impl TimeSource for SystemTime {
    fn wall_ms(&self) -> i64 {
        clock_ms(rustix::time::ClockId::Realtime)
    }

    fn boot_ms(&self) -> i64 {
        // CLOCK_BOOTTIME runs on in deep sleep, unlike CLOCK_MONOTONIC.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        // Elsewhere the monotonic clock is what rustix offers; a sleep then looks like a slow clock.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        clock_ms(clock)
    }

    fn boot_id(&self) -> String {
        // It cannot change while a process lives.
        static BOOT: OnceLock<String> = OnceLock::new();
        BOOT.get_or_init(|| {
            // Where there is no such file, every start counts as a boot: the clock is then only marked unsure sooner.
            std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .map_or_else(|_| format!("pid {}", std::process::id()), |text| text.trim().to_owned())
        })
        .clone()
    }
}

fn clock_ms(clock: rustix::time::ClockId) -> i64 {
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// What the hub last said about time; kept over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubTime {
    hub_ms: i64,
    boot_ms: i64,
    boot_id: String,
    /// Hub time less wall time at that moment.
    offset_ms: i64,
}

/// The time of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970-01-01T00:00Z, as near to the hub's as can be known.
    pub ms: i64,
    /// Whether it comes from the hub in this boot, and the phone's own clock was within a day of it; else dates are
    /// marked, never refused.
    pub is_sure: bool,
}

/// Two clocks further apart than this do not vouch for each other: one of them is wrong, and it may be the hub's.
const APART_MS: u64 = 24 * 3_600_000;
/// What was heard before is kept as long as it comes to what is heard now within this much.
const NEAR_MS: u64 = 1_000;
/// No clock says more than this (the year 6429), whatever came over the line.
const LATEST_MS: u64 = (1 << 47) - 1;

impl HubTime {
    /// Notes what the hub said just now.
    pub fn heard(hub_ms: u64, source: &dyn TimeSource) -> Self {
        let hub_ms = hub_ms.min(LATEST_MS) as i64;
        Self {
            hub_ms,
            boot_ms: source.boot_ms(),
            boot_id: source.boot_id(),
            offset_ms: hub_ms.saturating_sub(source.wall_ms()),
        }
    }

    /// Whether both come to the same time, in this boot and after the next.
    pub fn is_near(&self, other: &Self) -> bool {
        let booted = |of: &Self| of.hub_ms.saturating_sub(of.boot_ms);
        self.boot_id == other.boot_id
            && booted(self).abs_diff(booted(other)) <= NEAR_MS
            && self.offset_ms.abs_diff(other.offset_ms) <= NEAR_MS
    }
}

/// The time of now, by what the hub last said.
pub fn now(source: &dyn TimeSource, hub: Option<&HubTime>) -> Now {
    match hub {
        Some(hub) if hub.boot_id == source.boot_id() => {
            let since = source.boot_ms().saturating_sub(hub.boot_ms).max(0);
            let is_sure = hub.offset_ms.unsigned_abs() <= APART_MS;
            Now { ms: hub.hub_ms.saturating_add(since), is_sure }
        }
        Some(hub) => Now { ms: source.wall_ms().saturating_add(hub.offset_ms), is_sure: false },
        None => Now { ms: source.wall_ms(), is_sure: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(i64, i64, &'static str);
    impl TimeSource for Fake {
        fn wall_ms(&self) -> i64 {
            self.0
        }
        fn boot_ms(&self) -> i64 {
            self.1
        }
        fn boot_id(&self) -> String {
            self.2.to_owned()
        }
    }

    #[test]
    fn hub_time_runs_on_over_the_boot_clock_whatever_the_user_sets() {
        let heard = HubTime::heard(1_000_000, &Fake(77, 500, "a"));
        let later = now(&Fake(9_999_999_999, 800, "a"), Some(&heard));
        assert_eq!(later, Now { ms: 1_000_300, is_sure: true });
    }

    #[test]
    fn a_hub_more_than_a_day_off_the_phones_clock_is_followed_and_not_trusted() {
        const DAY: i64 = 86_400_000;
        for (wall, is_sure) in [(3 * DAY, true), (3 * DAY - 1, false), (5 * DAY, true), (5 * DAY + 1, false)]
        {
            let phone = Fake(wall, 500, "a");
            let heard = HubTime::heard(4 * DAY as u64, &phone);
            assert_eq!(now(&phone, Some(&heard)), Now { ms: 4 * DAY, is_sure });
        }
        let absurd = HubTime::heard(u64::MAX, &Fake(5, 3, "a"));
        assert!(now(&Fake(5, 3, "a"), Some(&absurd)).ms > 0);
    }

    #[test]
    fn what_was_heard_is_near_until_a_clock_is_moved_or_the_machine_starts_anew() {
        let heard = HubTime::heard(1_000_000, &Fake(400_000, 500, "a"));
        let is_near = |hub_ms, phone| heard.is_near(&HubTime::heard(hub_ms, &phone));
        assert!(is_near(8_001_000, Fake(7_400_000, 7_000_500, "a")));
        assert!(!is_near(8_001_001, Fake(7_400_001, 7_000_500, "a")), "the hub's clock");
        assert!(!is_near(8_000_000, Fake(7_401_001, 7_000_500, "a")), "the phone's clock");
        assert!(!is_near(8_000_000, Fake(7_400_000, 7_000_500, "b")), "a reboot");
    }

    #[test]
    fn after_a_reboot_the_last_offset_serves_and_is_marked_unsure() {
        let heard = HubTime::heard(1_000_000, &Fake(400_000, 500, "a"));
        assert_eq!(now(&Fake(401_000, 3, "b"), Some(&heard)), Now { ms: 1_001_000, is_sure: false });
        assert_eq!(now(&Fake(5, 3, "b"), None), Now { ms: 5, is_sure: false });
    }
}
