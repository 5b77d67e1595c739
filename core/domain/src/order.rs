//! Sorting for lists that a screen shows: stable, in one place.
//!
//! The standard library builds its sort anew for every type and every comparison, at some 5 KB of program each, which
//! a phone carries dozens of times. Here places are sorted, by one sort for all. For lists of thousands that nobody
//! waits for the standard library's is the faster one.

use std::cmp::Ordering;

/// Sorts, and leaves equals in their order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = sorted(items.len(), &|one, other| compare(&items[one], &items[other]));
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| taken[at].take()));
}

/// Sorts by a key, and leaves equals in their order. The key is asked for once an item.
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let keys: Vec<K> = items.iter().map(key).collect();
    let order = sorted(items.len(), &|one, other| keys[one].cmp(&keys[other]));
    let mut taken: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|at| taken[at].take()));
}

fn sorted(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_standard_library(
            items in prop::collection::vec((0u8..10, any::<u16>()), 0..60)
        ) {
            let (mut by, mut by_key, mut expected) = (items.clone(), items.clone(), items);
            super::sort_by(&mut by, |one, other| one.0.cmp(&other.0));
            super::sort_by_key(&mut by_key, |item| item.0);
            expected.sort_by_key(|item| item.0);
            prop_assert_eq!(&by, &expected);
            prop_assert_eq!(&by_key, &expected);
        }
    }
}
