//! Changes that a damaged or strange program could write: whatever is a change is taken in, in any order and twice, and
//! makes one replica. A change that a replica refused would stand in the way of all that follow.
#![cfg(target_os = "linux")]

use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::change::Change;

use crate::dump::{dump, empty};
use crate::history::{add_scope, apply, replica};
use crate::mill::{self, Fuzz};

/// What is there before: a household, an edit of it, its striking out, and an edit that saw none of that.
fn before() -> Vec<Change> {
    let examples = mill::examples("apply");
    let of = |name: &str| {
        let (_, bytes) = examples.iter().find(|(of, _)| of == name).expect("an example");
        Change::decode(bytes).expect("a change")
    };
    vec![of("good-household"), of("good-edit"), of("good-removal"), of("good-late-edit")]
}

fn filled<'c>(replica: &mut Replica, changes: impl IntoIterator<Item = &'c Change>) -> Vec<String> {
    empty(replica);
    add_scope(replica);
    apply(replica, changes);
    dump(replica)
}

#[test]
fn whatever_is_a_change_is_taken_in_and_makes_one_replica_in_any_order() {
    let before = before();
    let mut replica = replica(CURRENT, Purpose::HubCache);
    let fuzz = Fuzz { name: "apply", cases: 5_000, pieces: mill::CBOR, bound: 32 << 20 };
    mill::run(&fuzz, |bytes| {
        let Ok(change) = Change::decode(bytes) else { return false };
        // The hub keeps the same key with other bytes out of the log.
        let is_known = |known: &Change| known.key == change.key && *known != change;
        if before.iter().any(is_known) {
            return false;
        }
        let first = filled(&mut replica, std::iter::once(&change).chain(&before).chain([&change]));
        let last = filled(&mut replica, before.iter().rev().chain([&change, &change]));
        assert_eq!(first, last);
        true
    });
}
