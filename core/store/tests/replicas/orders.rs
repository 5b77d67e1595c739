//! Any order, with gaps, twice, and cut into any transactions: one replica.

use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::change::Change;
use proptest::prelude::*;

use crate::dump::{dump, empty};
use crate::history::{add_scope, any_household, any_step, apply, live, replica};

/// Fills an emptied replica; gives what it holds then.
fn filled<'c>(replica: &mut Replica, parts: impl IntoIterator<Item = Vec<&'c Change>>) -> Vec<String> {
    empty(replica);
    add_scope(replica);
    parts.into_iter().for_each(|part| apply(replica, part));
    dump(replica)
}

fn permutations(count: usize, visit: &mut impl FnMut(&[usize])) {
    fn go(order: &mut Vec<usize>, at: usize, visit: &mut impl FnMut(&[usize])) {
        if at == order.len() {
            return visit(order);
        }
        for other in at..order.len() {
            order.swap(at, other);
            go(order, at + 1, visit);
            order.swap(at, other);
        }
    }
    go(&mut (0..count).collect(), 0, visit);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_order_of_up_to_six_changes_applied_twice_makes_one_replica(
        steps in proptest::collection::vec(any_step(any_household()), 4..14),
    ) {
        let mut history = live(CURRENT, &steps);
        history.truncate(6);
        let mut replica = replica(CURRENT, Purpose::HubCache);
        let wanted = filled(&mut replica, [history.iter().collect()]);
        let mut diverged = Vec::new();
        let mut turn = 0;
        permutations(history.len(), &mut |order| {
            turn += 1;
            let twice = order.iter().flat_map(|at| [&history[*at]; 2]);
            let mut first: Vec<&Change> = twice.collect();
            // Cut into two transactions, at another place each time.
            let second = first.split_off(turn % (first.len() + 1));
            if filled(&mut replica, [first, second]) != wanted {
                diverged.push(order.to_vec());
            }
        });
        prop_assert_eq!(diverged, Vec::<Vec<usize>>::new());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_order_with_repeats_gaps_and_splits_makes_one_replica(
        steps in proptest::collection::vec(any_step(any_household()), 0..40),
        orders in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 60), 3),
        split in 1..7usize,
    ) {
        let history = live(CURRENT, &steps);
        prop_assume!(!history.is_empty());
        let mut replica = replica(CURRENT, Purpose::HubCache);
        let wanted = filled(&mut replica, [history.iter().collect()]);
        let waits = wanted.iter().filter(|line| line.starts_with("awaited") || line.starts_with("strays"));
        prop_assert_eq!(waits.count(), 0, "all has come, nothing is awaited");
        for order in orders {
            let with_gaps = order.iter().map(|index| &history[index.index(history.len())]);
            let all: Vec<&Change> = with_gaps.chain(history.iter().rev()).collect();
            let parts = all.chunks(split).map(<[&Change]>::to_vec);
            prop_assert_eq!(filled(&mut replica, parts), wanted.clone());
        }
    }

    #[test]
    fn a_phone_and_a_hub_hold_the_same_rows(
        steps in proptest::collection::vec(any_step(any_household()), 0..30),
    ) {
        let history = live(CURRENT, &steps);
        let [mut phone, mut hub] =
            [Purpose::Phone, Purpose::HubCache].map(|purpose| replica(CURRENT, purpose));
        apply(&mut phone, history.iter().rev());
        apply(&mut hub, &history);
        prop_assert_eq!(dump(&phone), dump(&hub));
    }
}
