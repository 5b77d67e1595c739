//! The digest of a scope: equal when the rows are, kept in step by every write, and lost to no restart.

use std::path::Path;

use langso_domain::registry::ScopeKind;
use langso_store::{CURRENT, Purpose, Replica, Schema};
use langso_sync::change::Change;
use langso_sync::digest::Digest;
use proptest::prelude::*;

use crate::dump::rows;
use crate::history::{SCOPE, any_household, any_step, apply, author_of, live, replica};
use crate::newer::with_field_and_table;
use crate::upgrade::any_history;

fn kept(replica: &Replica) -> Digest {
    replica.digest(SCOPE).expect("read").expect("kept")
}

/// What the rows come to; it is what was kept.
fn counted(replica: &mut Replica) -> Digest {
    let before = replica.digest(SCOPE).expect("read");
    let [counted] = replica.recount().expect("counted")[..] else { panic!("one scope") };
    assert_eq!(counted.kept, before);
    assert!(!counted.is_damaged(), "{counted:?}");
    assert_eq!(kept(replica), counted.digest);
    counted.digest
}

fn opened(path: &Path, schema: Schema) -> Replica {
    Replica::open(path, schema, Purpose::Phone).expect("opens")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn digests_are_equal_when_rows_are_and_only_then(
        steps in proptest::collection::vec(any_step(any_household()), 1..30),
        one in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        other in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let history = live(CURRENT, &steps);
        prop_assume!(!history.is_empty());
        let mut held = [Purpose::Phone, Purpose::HubCache].map(|purpose| replica(CURRENT, purpose));
        for (replica, order) in held.iter_mut().zip([&one, &other]) {
            // Any part of the history, in any order, a transaction each.
            order.iter().for_each(|at| apply(replica, [&history[at.index(history.len())]]));
            counted(replica);
        }
        let is_equal = kept(&held[0]) == kept(&held[1]);
        prop_assert_eq!(is_equal, rows(&held[0]) == rows(&held[1]), "with gaps");
        apply(&mut held[0], &history);
        apply(&mut held[1], history.iter().rev());
        prop_assert_eq!(counted(&mut held[0]), counted(&mut held[1]), "the gaps are filled");
        prop_assert_eq!(rows(&held[0]), rows(&held[1]));
    }

    #[test]
    fn an_older_program_comes_to_the_digest_of_a_newer_one(steps in any_history(), at in any::<prop::sample::Index>()) {
        let newer = with_field_and_table();
        let history = live(newer, &steps);
        let (before, after) = history.split_at(at.index(history.len() + 1));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("replica");
        let mut old = opened(&path, CURRENT);
        crate::history::add_scope(&mut old);
        apply(&mut old, before.iter().rev());
        let mut fresh = replica(newer, Purpose::HubCache);
        apply(&mut fresh, before);
        let wanted = counted(&mut fresh);
        prop_assert_eq!(kept(&old), wanted, "as the older program kept it");
        prop_assert_eq!(counted(&mut old), wanted, "as the older program counts it");
        drop(old);
        let mut upgraded = opened(&path, newer);
        prop_assert_eq!(kept(&upgraded), wanted, "as it was taken over by the upgrade");
        prop_assert_eq!(counted(&mut upgraded), wanted, "as the newer program counts it");
        apply(&mut upgraded, after);
        apply(&mut fresh, after);
        prop_assert_eq!(counted(&mut upgraded), counted(&mut fresh), "after more has come");
    }
}

fn some_history() -> Vec<Change> {
    let fields = vec![(1, "Hộ 1".into())];
    let create = |phone| crate::history::Step::Create { phone, table: 1, fields: fields.clone() };
    live(CURRENT, &[create(0), create(1), create(0)])
}

fn in_file(path: &Path) -> Option<Vec<u8>> {
    let file = rusqlite::Connection::open(path).expect("opens");
    file.query_row("SELECT digest FROM scopes", [], |row| row.get(0)).expect("a scope")
}

#[test]
fn a_save_takes_the_digest_out_of_the_file_and_the_cursor_or_the_end_writes_it_back() {
    let history = some_history();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replica");
    let mut phone = opened(&path, CURRENT);
    crate::history::add_scope(&mut phone);
    assert_eq!(in_file(&path), Some(vec![0; 16]), "no rows");
    apply(&mut phone, [&history[0]]);
    assert_eq!(in_file(&path), None, "it lags");
    let after_one = kept(&phone);
    let mut batch = phone.begin().expect("begins");
    batch.apply(SCOPE, author_of(&history[1]), &history[1]).expect("applied");
    batch.set_cursor(SCOPE, 1, [7; 8]).expect("moved");
    batch.commit().expect("commits");
    let after_two = kept(&phone);
    assert_ne!(after_one, after_two);
    assert_eq!(in_file(&path), Some(after_two.to_bytes().to_vec()), "written with the cursor");
    apply(&mut phone, [&history[2]]);
    let after_three = kept(&phone);
    assert_eq!(in_file(&path), None);
    // Killed: whoever opens a copy of the file does not know it.
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).expect("copied");
    std::fs::copy(path.with_file_name("replica-wal"), copy.with_file_name("copy-wal")).expect("copied");
    let mut killed = opened(&copy, CURRENT);
    assert_eq!(killed.digest(SCOPE).expect("read"), None);
    apply(&mut killed, &history);
    assert_eq!(killed.digest(SCOPE).expect("read"), None, "nor is it guessed");
    assert_eq!(counted(&mut killed), after_three);
    drop(phone);
    assert_eq!(in_file(&path), Some(after_three.to_bytes().to_vec()), "closed");
    assert_eq!(counted(&mut opened(&path, CURRENT)), after_three);
}

#[test]
fn what_is_rolled_back_does_not_count() {
    let history = some_history();
    for purpose in [Purpose::Phone, Purpose::HubCache] {
        let mut replica = replica(CURRENT, purpose);
        apply(&mut replica, [&history[0]]);
        let before = kept(&replica);
        let mut batch = replica.begin().expect("begins");
        batch.apply(SCOPE, author_of(&history[1]), &history[1]).expect("applied");
        drop(batch);
        assert_eq!(kept(&replica), before);
        assert_eq!(counted(&mut replica), before);
    }
}

#[test]
fn scopes_are_counted_apart() {
    let history = some_history();
    let other = langso_domain::id::ScopeId(*b"team 002");
    let mut both = replica(CURRENT, Purpose::Phone);
    let mut batch = both.begin().expect("begins");
    batch.add_scope(other, ScopeKind::Team).expect("a scope");
    for (at, change) in history.iter().enumerate() {
        let scope = if at == 0 { other } else { SCOPE };
        batch.apply(scope, author_of(change), change).expect("applied");
    }
    batch.commit().expect("commits");
    let mut alone = replica(CURRENT, Purpose::Phone);
    apply(&mut alone, &history[1..]);
    assert_eq!(kept(&both), kept(&alone));
    let counted = both.recount().expect("counted");
    assert!(counted.iter().all(|of| !of.is_damaged() && of.kept.is_some()), "{counted:?}");
    assert_ne!(counted[0].digest, counted[1].digest);
}
