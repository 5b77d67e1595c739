//! The clocks of a phone that lives a campaign: true time is handed in, the wall clock may be wrong, a reboot
//! begins the boot clock again.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use langso_device::TimeSource;
use serde::{Deserialize, Serialize};

/// One physical phone's clocks; all members' devices in it share them.
#[derive(Debug)]
pub(super) struct PhoneClock {
    name: String,
    offset_ms: i64,
    true_ms: AtomicI64,
    booted_ms: AtomicI64,
    boots: AtomicU32,
}

impl PhoneClock {
    pub fn new(name: String, offset_ms: i64, now_ms: i64) -> Self {
        Self {
            name,
            offset_ms,
            true_ms: AtomicI64::new(now_ms),
            booted_ms: AtomicI64::new(now_ms - 3_600_000),
            boots: AtomicU32::new(1),
        }
    }

    pub fn set(&self, true_ms: i64) {
        self.true_ms.store(true_ms, Ordering::Relaxed);
    }

    pub fn true_ms(&self) -> i64 {
        self.true_ms.load(Ordering::Relaxed)
    }

    pub fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::Relaxed);
        self.booted_ms.store(self.true_ms.load(Ordering::Relaxed) - 60_000, Ordering::Relaxed);
    }

    /// The clocks as they stand, for another process of this phone.
    pub fn face(&self) -> Face {
        Face { wall_ms: self.wall_ms(), boot_ms: self.boot_ms(), boot_id: self.boot_id() }
    }
}

impl TimeSource for PhoneClock {
    fn wall_ms(&self) -> i64 {
        self.true_ms.load(Ordering::Relaxed) + self.offset_ms
    }

    fn boot_ms(&self) -> i64 {
        self.true_ms.load(Ordering::Relaxed) - self.booted_ms.load(Ordering::Relaxed)
    }

    fn boot_id(&self) -> String {
        format!("{} {}", self.name, self.boots.load(Ordering::Relaxed))
    }
}

/// Clocks that stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Face {
    wall_ms: i64,
    boot_ms: i64,
    boot_id: String,
}

impl TimeSource for Face {
    fn wall_ms(&self) -> i64 {
        self.wall_ms
    }

    fn boot_ms(&self) -> i64 {
        self.boot_ms
    }

    fn boot_id(&self) -> String {
        self.boot_id.clone()
    }
}
