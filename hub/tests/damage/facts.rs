//! A bit that flips in what a phone keeps about itself.

use rusqlite::Connection;
use serde_json::json;

use super::{Ground, assert_same, report, state, stride};

/// The facts of the phone as they are written.
fn facts(file: &Connection) -> Vec<(String, Vec<u8>)> {
    let mut get = file.prepare("SELECT name, value FROM phone_facts ORDER BY name").unwrap();
    let rows = get.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?.into_bytes()))).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_a_bit_flipped_in_any_fact_opens_and_syncs_and_has_all_its_work() {
    let mut ground = Ground::new().await;
    ground.member.app().call("settings.update_settings", json!({"theme": "dark"})).unwrap();
    ground.member.app().call("sync.set_budget", json!({"max_bytes": 9_000_000})).unwrap();
    ground.member.close();
    let all = facts(&ground.member.read());
    for name in ["budget", "hub_time", "identity", "last_stamp", "nonce", "sent_upto", "settings"] {
        assert!(all.iter().any(|(of, _)| of == name), "{name} is there: {all:?}");
    }
    let sound = ground.rows().await;
    let bits: Vec<_> =
        all.iter().flat_map(|(name, text)| (0..text.len() * 8).map(move |bit| (name, text, bit))).collect();
    let (mut cases, mut told) = (0, 0);
    for (name, text, bit) in bits.into_iter().step_by(stride(23)) {
        let what = format!("bit {bit} of {name}");
        let mut phone = ground.member.copy();
        let mut damaged = text.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let file = Connection::open(phone.file()).unwrap();
        // Text with any bytes, as a flipped bit leaves it.
        let sql = "UPDATE phone_facts SET value = CAST(?2 AS TEXT) WHERE name = ?1";
        assert_eq!(file.execute(sql, (name, &damaged)).unwrap(), 1, "{what}");
        drop(file);
        assert_eq!(phone.written_keys(), ground.member.written_keys(), "{what}");
        let damage = state(&mut phone)["damage"].clone();
        if !damage.is_null() {
            assert_eq!(damage["what"], json!(["settings"]), "{what}: no more than that is lost");
            assert!(["settings", "budget"].contains(&name.as_str()), "{what}");
            told += 1;
        }
        ground.all_arrives(&mut phone, &what).await;
        assert_same(&phone.rows(), &sound, &what);
        cases += 1;
    }
    assert!(told > 0, "some of them were told");
    report("fact_bit", cases);
}
