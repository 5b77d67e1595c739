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

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_a_bit_flipped_in_a_cursor_or_a_mark_skips_nothing_and_has_all_its_work() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let sound = ground.rows().await;
    let newest = |table: &str| match table {
        "scopes" => "scope = (SELECT scope FROM scopes WHERE position > 0 ORDER BY number LIMIT 1)",
        _ => "(scope, position) = (SELECT scope, position FROM marks ORDER BY position DESC LIMIT 1)",
    };
    let mut cases = 0;
    for table in ["scopes", "marks"] {
        for bit in (0..40).step_by(stride(3)) {
            let what = format!("bit {bit} of a position in {table}");
            let mut phone = ground.member.copy();
            let file = Connection::open(phone.file()).unwrap();
            let flipped = "(position | ?1) - (position & ?1)";
            // Where another mark stands the file itself could not hold it.
            let sql = format!("UPDATE OR IGNORE {table} SET position = {flipped} WHERE {}", newest(table));
            let is_flipped = file.execute(&sql, [1_i64 << bit]).unwrap() == 1;
            assert!(is_flipped || table == "marks", "{what}");
            if !is_flipped {
                continue;
            }
            drop(file);
            ground.all_arrives(&mut phone, &what).await;
            assert_same(&phone.rows(), &sound, &what);
            cases += 1;
        }
        for bit in (0..64).step_by(stride(5)) {
            let what = format!("bit {bit} of a chain in {table}");
            let mut phone = ground.member.copy();
            let file = Connection::open(phone.file()).unwrap();
            let sql = format!("SELECT chain FROM {table} WHERE {}", newest(table));
            let mut chain: [u8; 8] = file.query_row(&sql, [], |row| row.get(0)).unwrap();
            chain[bit / 8] ^= 1 << (bit % 8);
            let sql = format!("UPDATE {table} SET chain = ?1 WHERE {}", newest(table));
            assert_eq!(file.execute(&sql, [chain]).unwrap(), 1, "{what}");
            drop(file);
            ground.all_arrives(&mut phone, &what).await;
            assert_same(&phone.rows(), &sound, &what);
            cases += 1;
        }
    }
    report("cursor_bit", cases);
}
