//! Real phones on disks that fail and with files that were damaged, and a real hub: whatever happens, what was
//! acknowledged is there, what was not is whole or absent, no key is given twice, and all of it reaches the hub once.
//!
//! Each test counts its cases and prints them; a short form runs by default, and all cases with `LANGSO_LONG=1`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod disk;
mod facts;
#[path = "../field/mod.rs"]
mod field;
mod journal;
mod pages;

use std::collections::BTreeSet;

use field::handset::Rows;
use field::{Field, Handset, Team};
use langso_domain::id::Key;
use langso_domain::registry::Role;
use langso_store::{CURRENT, Purpose, Replica};
use serde_json::json;

/// What every random choice is made from.
const SEED: u64 = 1;

/// Every how many cases one is run: all in the long form.
fn stride(short: usize) -> usize {
    if std::env::var_os("LANGSO_LONG").is_some_and(|long| long == "1") { 1 } else { short }
}

fn report(name: &str, cases: usize) {
    assert!(cases > 0, "{name}: no case was run");
    println!("resilience: {name} cases={cases} lost=0 seed={SEED}");
}

/// A random number that comes after another (splitmix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hub with a team, a lead's phone that has sent its work, and a member's phone.
struct Ground {
    field: Field,
    team: Team,
    lead: Handset,
    member: Handset,
}

impl Ground {
    /// The member has heard of all, has work at the hub and more that was never sent.
    async fn new() -> Self {
        let field = Field::start().await;
        let team = field.found("Tổ thôn Ngàn Chi");
        let mut lead = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
        let mut member = field.phone(&team, "Chìu Sám Múi", Role::Member).await;
        lead.sync().await.unwrap();
        for n in 0..3 {
            lead.household(&format!("Hộ {n} của tổ trưởng"));
            lead.visit(&team);
        }
        lead.sync().await.unwrap();
        member.sync().await.unwrap();
        for n in 0..2 {
            member.household(&format!("Hộ {n} đã gửi"));
        }
        member.sync().await.unwrap();
        for n in 0..2 {
            member.household(&format!("Hộ {n} chưa gửi"));
            member.visit(&team);
        }
        Self { field, team, lead, member }
    }

    /// All rows of a member's phone that nothing befell, once it has synced.
    async fn rows(&self) -> Rows {
        let mut sound = self.member.copy();
        sound.sync().await.unwrap();
        sound.rows()
    }

    /// Own work of the phone is whole, and reaches the hub once.
    async fn all_arrives(&self, phone: &mut Handset, what: &str) {
        phone.app();
        let written = keys(phone);
        assert_eq!(written.iter().collect::<BTreeSet<_>>().len(), written.len(), "{what}: a key twice");
        // By name, as a shell calls: damage that is met on the way is mended there.
        let report = phone.app().call_and_wait("sync.sync_now", json!({})).await;
        let report = report.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(report["waiting"], 0, "{what}");
        assert_eq!(state(phone)["damage"], json!(null), "{what}: told until the next sync");
        self.field.holds_once(self.team.scope, of(phone, self.team.scope).iter());
        self.field.holds_once(self.team.training, of(phone, self.team.training).iter());
        phone.close();
    }
}

fn state(phone: &mut Handset) -> serde_json::Value {
    phone.app().call("phone.get_state", json!({})).unwrap()
}

fn keys(phone: &Handset) -> Vec<Key> {
    phone.written_keys()
}

fn of(phone: &Handset, scope: langso_domain::id::ScopeId) -> Vec<Key> {
    phone.written().into_iter().filter(|(of, ..)| *of == scope).map(|(_, key, _)| key).collect()
}

/// Both hold the same rows.
fn assert_same(one: &Rows, other: &Rows, what: &str) {
    for (table, rows) in one {
        let differing = rows.iter().zip(&other[table]).find(|(one, other)| one != other);
        assert!(differing.is_none(), "{what}: {table}: {differing:?}");
        assert_eq!(rows.len(), other[table].len(), "{what}: {table}");
    }
}

/// The file holds together in every way that SQLite can tell.
fn assert_sound(phone: &mut Handset, what: &str) {
    phone.close();
    let replica = Replica::open(&phone.file(), CURRENT, Purpose::Phone).unwrap();
    let answer: String =
        replica.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok", "{what}");
}
