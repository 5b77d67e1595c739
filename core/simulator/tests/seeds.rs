//! What every test run lives through: a few hundred seeds, and as many more as fit three minutes where `CI` is `true`;
//! some seeds twice, and programs without one rule each.
//!
//! `./dev resilience` lives many more.

use std::time::{Duration, Instant};

use langso_simulator::{Config, Fleet, Pool, Promise, Rule, Signatures, Totals, run, run_many};

/// So many are lived in any test run, however long that takes.
const SEEDS: u64 = 200;
/// For so long CI begins another block of seeds.
const CI_BUDGET: Duration = Duration::from_secs(180);

fn fleet(from: u64, seeds: u64, steps: u64, without: Option<Rule>) -> Fleet {
    let config = Config { steps, without, ..Config::default() };
    Fleet { from, seeds, config, threads: 2, stop_at_first: true }
}

#[test]
fn hundreds_of_runs_and_in_ci_as_many_as_fit_keep_every_promise() {
    let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let begun = Instant::now();
    let mut totals = Totals::default();
    while totals.seeds < SEEDS || (is_ci && begun.elapsed() < CI_BUDGET) {
        totals.join(run_many(fleet(totals.seeds + 1, SEEDS, 300, None), |_| {}));
        assert!(totals.broken.is_empty(), "{:?}", totals.broken);
    }
    // Past the harness, which keeps what a test that passes prints: whoever reads CI's log sees how many these were.
    let words = format!("simulator: {} seeds, {} steps, signatures real", totals.seeds, totals.steps);
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{words}\n").as_bytes());
    let rare = [
        "admit",
        "admit_and_void",
        "carry",
        "clone",
        "copy_hub",
        "dropped",
        "give",
        "hand_over",
        "hub_killed",
        "killed_hearing",
        "late",
        "leave",
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
    let config = Config { steps: 300, in_words: true, ..Config::default() };
    let mut used = Pool::default();
    for seed in 1..20 {
        let first = run(seed, config, &mut Pool::default());
        assert_eq!(run(seed, config, &mut used), first, "seed {seed}");
        assert!(!first.words.is_empty());
    }
    assert_ne!(run(1, config, &mut used).hash, run(2, config, &mut used).hash);
}

#[test]
fn a_run_whose_signatures_are_stubbed_is_the_same_run() {
    let (real, mut pool) = (Config { in_words: true, ..Config::default() }, Pool::default());
    let stubbed = Config { signatures: Signatures::Stubbed, ..real };
    for seed in 1..20 {
        assert_eq!(run(seed, stubbed, &mut pool), run(seed, real, &mut pool), "seed {seed}");
    }
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
