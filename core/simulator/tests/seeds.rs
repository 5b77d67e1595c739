//! What every test run lives through: a few hundred seeds, some seeds twice, and programs without one rule each.
//!
//! `./dev resilience` lives many more.

use langso_simulator::{Config, Fleet, Pool, Promise, Rule, run, run_many};

/// As many as fit in a test run.
const SEEDS: u64 = 200;

fn fleet(from: u64, seeds: u64, steps: u64, without: Option<Rule>) -> Fleet {
    let config = Config { steps, without, in_words: false };
    Fleet { from, seeds, config, threads: 2, stop_at_first: true }
}

#[test]
fn a_few_hundred_runs_keep_every_promise() {
    let totals = run_many(fleet(1, SEEDS, 300, None), |_| {});
    assert!(totals.broken.is_empty(), "{:?}", totals.broken);
    assert_eq!(totals.seeds, SEEDS);
    let rare = [
        "admit",
        "carry",
        "clone",
        "copy_hub",
        "give",
        "hand_over",
        "hub_killed",
        "killed_hearing",
        "late",
        "mend",
        "parcel",
        "reply_refused",
        "restore",
        "revoked_hears",
        "roll_back",
        "snapshot",
        "stale_nonce",
    ];
    for what in rare {
        assert!(totals.counts.contains_key(what), "{what} never happened");
    }
}

#[test]
fn a_seed_replays_exactly_on_a_new_and_on_a_used_pool() {
    let config = Config { steps: 300, without: None, in_words: true };
    let mut used = Pool::default();
    for seed in 1..20 {
        let first = run(seed, config, &mut Pool::default());
        assert_eq!(run(seed, config, &mut used), first, "seed {seed}");
        assert!(!first.words.is_empty());
    }
    assert_ne!(run(1, config, &mut used).hash, run(2, config, &mut used).hash);
}

#[test]
fn a_program_without_any_one_of_the_rules_is_caught() {
    for rule in Rule::ALL {
        let totals = run_many(fleet(1, 2_000, 400, Some(*rule)), |_| {});
        let (seed, broken) =
            totals.broken.first_key_value().unwrap_or_else(|| panic!("{} is not missed", rule.name()));
        println!("{}: {} seeds, {seed}: {broken}", rule.name(), totals.seeds);
        assert_ne!(broken.promise, Promise::NoError, "{}: {broken}", rule.name());
    }
}
