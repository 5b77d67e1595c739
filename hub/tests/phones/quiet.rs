//! A sync with nothing new: what it writes, and what it asks.

use std::collections::BTreeMap;

use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;

use crate::field::http::asked;
use crate::field::{Field, Handset};

/// Every fact that the phone keeps, but for when a sync last came to its end.
fn facts(phone: &Handset) -> BTreeMap<String, Vec<u8>> {
    let file = phone.read();
    let mut get =
        file.prepare("SELECT name, CAST(value AS BLOB) FROM phone_facts WHERE name <> 'last_sync'").unwrap();
    let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

fn last_sync(phone: &Handset) -> i64 {
    let sql = "SELECT value FROM phone_facts WHERE name = 'last_sync'";
    phone
        .read()
        .query_row(sql, [], |row| row.get::<_, String>(0))
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_with_nothing_new_writes_when_it_was_and_nothing_else() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    phone.sync().await.unwrap();
    let (before, at) = (facts(&phone), last_sync(&phone));
    field.world.pass(3_600_000);
    assert_eq!(phone.sync().await.unwrap().requests, 1);
    assert_eq!(facts(&phone), before);
    assert_eq!(last_sync(&phone), at + 3_600_000);
    // Whoever sets the phone's clock makes the last word of the hub a new one.
    phone.time.set_off(-7_200_000);
    phone.sync().await.unwrap();
    let after = facts(&phone);
    let changed = before.keys().filter(|name| before[*name] != after[*name]).collect::<Vec<_>>();
    assert_eq!(changed, ["hub_time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sync_compares_the_scope_that_was_compared_longest_ago_once_a_day() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    phone.visit(&team);
    phone.sync().await.unwrap();
    field.world.pass(7 * DAY_MS);
    let mut asked_of = Vec::new();
    for _ in 0..3 {
        phone.link.take_exchanges();
        assert_eq!(phone.sync().await.unwrap().requests, 1);
        let exchanges = phone.link.take_exchanges();
        let hello = asked(&exchanges[0].up).0.unwrap();
        asked_of.push(hello.digests.iter().map(|(at, _)| hello.cursors[*at].0).collect::<Vec<_>>());
    }
    // Team and training; there is nothing yet in the other scopes.
    assert_eq!(asked_of.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0]);
    assert_ne!(asked_of[0], asked_of[1]);
}
