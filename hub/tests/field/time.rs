//! One true time, and the clocks of hub and phones, each as wrong as a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use langso_device::TimeSource;
use langso_hub::clock::{Clock, DAY_MS, Millis};

pub const YEAR_MS: i64 = 365 * DAY_MS;
/// 15 June 2024, nine in the morning in Vietnam.
pub const START: i64 = 1_718_416_800_000;

/// The true time and how far the hub's clock is off.
#[derive(Clone)]
pub struct World {
    now: Arc<AtomicI64>,
    hub_off: Arc<AtomicI64>,
}

impl World {
    pub fn new() -> Self {
        Self { now: Arc::new(AtomicI64::new(START)), hub_off: Arc::default() }
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the hub's clock that far off the truth.
    pub fn set_hub_off(&self, ms: i64) {
        self.hub_off.store(ms, Ordering::SeqCst);
    }

    pub fn hub_clock(&self) -> Clock {
        let world = self.clone();
        Clock::new(move || Millis(world.now() + world.hub_off.load(Ordering::SeqCst)))
    }

    /// A phone with a right clock.
    pub fn phone(&self) -> Arc<PhoneTime> {
        Arc::new(PhoneTime { world: self.clone(), off: AtomicI64::new(0), boot: AtomicI64::new(0) })
    }
}

/// A phone's clocks.
pub struct PhoneTime {
    world: World,
    off: AtomicI64,
    boot: AtomicI64,
}

impl PhoneTime {
    /// Somebody sets the wall clock that far off the truth.
    pub fn set_off(&self, ms: i64) {
        self.off.store(ms, Ordering::SeqCst);
    }

    /// The phone is switched off and on.
    pub fn reboot(&self) {
        self.boot.fetch_add(1, Ordering::SeqCst);
    }
}

impl TimeSource for PhoneTime {
    fn wall_ms(&self) -> i64 {
        self.world.now() + self.off.load(Ordering::SeqCst)
    }
    fn boot_ms(&self) -> i64 {
        self.world.now() - START
    }
    fn boot_id(&self) -> String {
        self.boot.load(Ordering::SeqCst).to_string()
    }
}
