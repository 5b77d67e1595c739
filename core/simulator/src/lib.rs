//! Phones, hub, channels and faults over the real `core/sync` and `core/store`, by seed.
//!
//! The one idea to hold: all chance comes from the seed, so a run that breaks a promise can be lived again step by
//! step. The phone and the hub around the real pieces are small and of this crate; what is proven here is the
//! author, the merge, the frame, the session and the replica.

mod broken;
mod content;
mod dice;
mod dump;
mod fleet;
mod handset;
mod hub;
mod newer;
mod pen;
mod phone;
mod pool;
mod rule;
mod trace;
mod world;

use std::collections::BTreeMap;

pub use broken::{Broken, Promise};
pub use fleet::{Fleet, Totals, run_many};
pub use pool::Pool;
pub use rule::Rule;

use langso_sync::keys::SigningKey;

use world::World;

/// How a run is lived.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// How many things are dealt before everything heals.
    pub steps: u64,
    /// A rule that is left out, to see that it is missed.
    pub without: Option<Rule>,
    /// Keep each step in words.
    pub in_words: bool,
    /// What the frames and requests are signed with.
    pub signatures: Signatures,
}

/// What frames and requests are signed with. A run is the same with both, but for what it proves of the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signatures {
    /// Ed25519, as everywhere else.
    #[default]
    Real,
    /// Hashes in their place, which a changed byte or another key spoils as well: a fifth of the work less.
    Stubbed,
}

impl Signatures {
    fn key(self, seed: &[u8; 32]) -> SigningKey {
        match self {
            Self::Real => SigningKey::from_seed(seed),
            Self::Stubbed => SigningKey::stubbed(seed),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { steps: 400, without: None, in_words: false, signatures: Signatures::Real }
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// How many things happened, each of which a fault can strike before or after: a save, a change heard out of
    /// order, a request built, arriving, a frame of it kept, an event of a reply taken in, a fault. What was dealt and
    /// came to nothing is not counted.
    pub steps: u64,
    /// Changes that somebody saved.
    pub saves: u64,
    /// Changes that replicas took in from elsewhere.
    pub applied: u64,
    /// The same for two runs of one seed.
    pub hash: u64,
    /// How often each kind of thing happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// The promise that was broken, if one was.
    pub broken: Option<Broken>,
    /// Each step, when [`Config::in_words`] asked for it.
    pub words: Vec<String>,
}

/// Lives one run. The replicas of `pool` are used again; it depends on nothing but `seed` and `config`.
pub fn run(seed: u64, config: Config, pool: &mut Pool) -> Run {
    let mut run = Run {
        seed,
        steps: 0,
        saves: 0,
        applied: 0,
        hash: 0,
        counts: BTreeMap::new(),
        broken: None,
        words: Vec::new(),
    };
    let mut world = match World::new(seed, config, pool) {
        Ok(world) => world,
        Err(broken) => return Run { broken: Some(broken), ..run },
    };
    let mut lived = Ok(());
    for step in 1..=config.steps {
        lived = world.step(step);
        if lived.is_err() {
            break;
        }
    }
    let ended = lived.and_then(|()| world.end());
    run.steps = world.steps;
    (run.saves, run.applied) = (world.saves, world.applied);
    (run.hash, run.counts, run.words) = std::mem::take(&mut world.trace).end();
    run.broken = ended.and_then(|()| world.close()).err();
    run
}
