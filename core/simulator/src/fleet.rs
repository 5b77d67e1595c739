//! Many runs, on as many threads as asked for. Which thread lives a seed changes nothing of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Broken, Config, Pool, Run, run};

/// Which seeds, and how.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// How each is lived.
    pub config: Config,
    /// Threads, at least 1.
    pub threads: usize,
    /// Stop at the first broken promise.
    pub stop_at_first: bool,
}

/// What many runs came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Seeds lived.
    pub seeds: u64,
    /// Things that happened.
    pub steps: u64,
    /// Changes saved.
    pub saves: u64,
    /// Changes that replicas took in from elsewhere.
    pub applied: u64,
    /// How often each kind of thing happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Broken promises by seed, in order.
    pub broken: BTreeMap<u64, Broken>,
}

impl Totals {
    /// Adds the runs of other seeds.
    pub fn join(&mut self, others: Self) {
        self.seeds += others.seeds;
        self.steps += others.steps;
        self.saves += others.saves;
        self.applied += others.applied;
        for (what, count) in others.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.broken.extend(others.broken);
    }

    /// Adds one run.
    pub fn add(&mut self, run: Run) {
        self.seeds += 1;
        self.steps += run.steps;
        self.saves += run.saves;
        self.applied += run.applied;
        for (what, count) in run.counts {
            *self.counts.entry(what).or_default() += count;
        }
        if let Some(broken) = run.broken {
            self.broken.insert(run.seed, broken);
        }
    }
}

/// Lives the seeds; `progress` hears after each how it stands.
pub fn run_many(fleet: Fleet, progress: impl Fn(&Totals) + Sync) -> Totals {
    let totals = Mutex::new(Totals::default());
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..fleet.threads.max(1) {
            threads.spawn(|| {
                let mut pool = Pool::default();
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= fleet.seeds {
                        break;
                    }
                    let run = run(fleet.from + at, fleet.config, &mut pool);
                    if run.broken.is_some() && fleet.stop_at_first {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let mut totals = totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    totals.add(run);
                    progress(&totals);
                }
            });
        }
    });
    totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
