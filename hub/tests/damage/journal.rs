//! A journal torn at any byte, and flipped at any byte, beside a database that is whole, old, or gone.

use std::collections::BTreeSet;

use super::field::Handset;
use super::{Ground, report, stride};

/// What may have become of the database meanwhile.
#[derive(Clone, Copy, Debug)]
enum Database {
    Whole,
    Gone,
}

async fn check(ground: &Ground, bytes: &[u8], database: Database, hit: Option<usize>, what: &str) {
    let mut phone = ground.member.copy();
    std::fs::write(phone.path().join("journal"), bytes).unwrap();
    if let Database::Gone = database {
        for file in ["phone.db", "phone.db-wal", "phone.db-shm"] {
            drop(std::fs::remove_file(phone.path().join(file)));
        }
    }
    phone.app();
    let own = |phone: &Handset| -> BTreeSet<_> {
        phone.written().into_iter().map(|(_, key, bytes)| (key, bytes)).collect()
    };
    let (there, all) = (own(&phone), own(&ground.member));
    match database {
        Database::Whole => assert_eq!(there, all, "{what}"),
        Database::Gone => {
            assert!(there.is_subset(&all), "{what}: nothing is made up");
            let lost = all.len() - there.len();
            assert!(lost <= hit.unwrap_or(0), "{what}: damage costs the record that it hits, not {lost}");
        }
    }
    ground.all_arrives(&mut phone, what).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_torn_or_flipped_at_any_byte_costs_nothing_that_the_database_has() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let whole = std::fs::read(ground.member.path().join("journal")).unwrap();
    let mut cases = 0;
    for at in (0..whole.len()).step_by(stride(211)) {
        check(&ground, &whole[..at], Database::Whole, None, &format!("torn at {at}")).await;
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        check(&ground, &flipped, Database::Whole, None, &format!("flipped at {at}")).await;
        cases += 2;
    }
    report("journal_byte", cases);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_a_journal_flipped_at_any_byte_gives_back_all_other_changes() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let whole = std::fs::read(ground.member.path().join("journal")).unwrap();
    let mut cases = 0;
    for at in (0..whole.len()).step_by(stride(211)) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        check(&ground, &flipped, Database::Gone, Some(1), &format!("flipped at {at}")).await;
        cases += 1;
    }
    check(&ground, &whole, Database::Gone, None, "whole").await;
    report("journal_alone", cases + 1);
}
