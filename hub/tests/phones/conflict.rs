//! Two phones edit one field while both are offline.

use langso_device::companion::conflicts::{
    Conflict, ConflictPage, FieldValue, FindConflicts, SettleConflict,
};
use langso_domain::id::HouseholdId;
use langso_domain::registry::{CURRENT, Role};
use langso_hub::clock::DAY_MS;
use langso_sync::merge;
use serde_json::json;

use crate::field::{Field, Handset};

pub fn set_hint(phone: &mut Handset, household: HouseholdId, hint: &str) {
    let update = json!({"household": household, "hint": hint});
    phone.app().call("households.update_household", update).unwrap();
}

pub fn hint(phone: &mut Handset, household: HouseholdId) -> Option<String> {
    let sql = "SELECT hint FROM households WHERE id = ?1";
    phone.read().query_row(sql, [household.0.0], |row| row.get(0)).unwrap()
}

pub fn shelf(phone: &mut Handset) -> ConflictPage {
    phone.app().conflicts().list_conflicts(FindConflicts::default()).unwrap()
}

pub fn values(conflict: &Conflict) -> Vec<(String, bool)> {
    let value = |value: &FieldValue| match value {
        FieldValue::Text { value: text } => text.clone(),
        other => panic!("{other:?}"),
    };
    conflict.versions.iter().map(|version| (value(&version.value), version.shows)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_edits_of_one_field_are_both_kept_and_shown_until_the_lead_settles_with_one_change() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let mut third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    let household = member.household("Hộ 12");
    for phone in [&mut member, &mut lead, &mut third] {
        phone.sync().await.unwrap();
    }

    set_hint(&mut member, household, "cạnh trường");
    field.world.pass(60_000);
    set_hint(&mut lead, household, "sau chợ");
    // Each comes to the hub at its own time and hears of the other.
    lead.sync().await.unwrap();
    for phone in [&mut member, &mut lead, &mut third] {
        phone.sync().await.unwrap();
    }
    for phone in [&mut member, &mut lead, &mut third] {
        let page = shelf(phone);
        assert_eq!(page.count, 1);
        let both = [("sau chợ".to_owned(), true), ("cạnh trường".to_owned(), false)];
        assert_eq!(values(&page.conflicts[0]), both);
        assert_eq!(hint(phone, household).as_deref(), Some("sau chợ"));
    }
    assert!(!shelf(&mut member).may_settle);

    let before = lead.written().len();
    let conflict = shelf(&mut lead).conflicts.remove(0);
    let settle = SettleConflict {
        keep: FieldValue::Text { value: "cạnh trường".to_owned() },
        seen: conflict.versions.iter().map(|version| version.version.clone()).collect(),
        conflict: conflict.key,
    };
    lead.app().conflicts().settle_conflict(settle).unwrap();
    assert_eq!(lead.written().len(), before + 1, "settled with one change");
    for phone in [&mut lead, &mut member, &mut third] {
        phone.sync().await.unwrap();
        assert_eq!(shelf(phone).count, 0);
        assert_eq!(hint(phone, household).as_deref(), Some("cạnh trường"));
    }
    let rows = lead.rows();
    assert!(rows == member.rows() && rows == third.rows(), "the phones of a team differ");
}

/// A conflict that all three phones see: the member's hint, and the lead's that shows.
async fn two_hints(field: &Field) -> ([Handset; 3], HouseholdId) {
    let team = field.found("Tổ thôn Ngàn Chi");
    let member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    let mut phones = [member, lead, third];
    let household = phones[0].household("Hộ 12");
    sync_all(&mut phones).await;
    set_hint(&mut phones[0], household, "cạnh trường");
    field.world.pass(60_000);
    set_hint(&mut phones[1], household, "sau chợ");
    sync_all(&mut phones).await;
    sync_all(&mut phones).await;
    (phones, household)
}

async fn sync_all(phones: &mut [Handset]) {
    for phone in phones {
        phone.sync().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_settled_for_sixty_days_the_hub_settles_on_every_phone_and_is_named_for_it() {
    let field = Field::start().await;
    let (mut phones, household) = two_hints(&field).await;
    field.world.pass(59 * DAY_MS);
    phones[2].household("Hộ 13");
    sync_all(&mut phones).await;
    assert_eq!(field.hub().settle_all().unwrap(), 0, "a day too early");
    assert_eq!(shelf(&mut phones[0]).conflicts[0].days_left, 1);
    field.world.pass(2 * DAY_MS);
    phones[2].household("Hộ 14");
    sync_all(&mut phones).await;
    assert_eq!(field.hub().settle_all().unwrap(), 1);
    sync_all(&mut phones).await;
    let hub = field.hub().keys.id();
    for phone in &mut phones {
        assert_eq!((shelf(phone).count, hint(phone, household).as_deref()), (0, Some("sau chợ")));
        // Who did it stands in the row: the writer of its only version is the hub's.
        let sql = "SELECT v_more FROM households WHERE id = ?1";
        let versions: Vec<u8> = phone.read().query_row(sql, [household.0.0], |row| row.get(0)).unwrap();
        let versions = merge::decode(household.0, &versions).unwrap();
        let hint = CURRENT.named("household").unwrap().named("hint").unwrap().number;
        let [head] = &versions[&hint].heads[..] else { panic!("{versions:?}") };
        let writer = merge::key_of(head.name, household.0).unwrap().writer;
        let sql = "SELECT device FROM writers WHERE writer = ?1";
        let device = phone.read().query_row(sql, [writer.0 as i64], |row| row.get::<_, [u8; 8]>(0));
        assert_eq!(device, Ok(hub.0));
    }
    let [member, lead, third] = &mut phones;
    assert!(member.rows() == lead.rows() && member.rows() == third.rows(), "the phones of a team differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_after_removal_is_seen_by_all_and_the_lead_says_which_of_them_counts() {
    let field = Field::start().await;
    for is_kept in [false, true] {
        let team = field.found("Tổ thôn Ngàn Chi");
        let member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        let lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
        let mut phones = [member, lead];
        let household = phones[0].household("Hộ 12");
        sync_all(&mut phones).await;
        sync_all(&mut phones).await;
        phones[1].save(|saving| saving.patch("household", household.0, [("void", true.into())]));
        set_hint(&mut phones[0], household, "cạnh trường");
        sync_all(&mut phones).await;
        sync_all(&mut phones).await;
        for phone in &mut phones {
            let page = shelf(phone);
            assert_eq!((page.count, page.conflicts[0].key.field.as_str()), (1, "void"));
            let edits = &page.conflicts[0].edits_after_removal;
            assert_eq!(edits[0].edit.value, FieldValue::Text { value: "cạnh trường".to_owned() });
            assert!(edits[0].edit.member.is_some() && edits[0].edit.at > 0, "who and when");
        }
        let conflict = shelf(&mut phones[1]).conflicts.remove(0);
        let seen = conflict.versions.iter().chain(conflict.edits_after_removal.iter().map(|edit| &edit.edit));
        let settle = SettleConflict {
            keep: FieldValue::Truth { value: !is_kept },
            seen: seen.map(|version| version.version.clone()).collect(),
            conflict: conflict.key,
        };
        phones[1].app().conflicts().settle_conflict(settle).unwrap();
        sync_all(&mut phones).await;
        sync_all(&mut phones).await;
        for phone in &mut phones {
            assert_eq!((shelf(phone).count, phone.count("households")), (0, i64::from(is_kept)));
        }
        let [member, lead] = &mut phones;
        assert!(member.rows() == lead.rows(), "the phones of a team differ");
    }
}

fn settle(phone: &mut Handset, settle: SettleConflict) -> langso_device::Result<SettleConflict> {
    phone.app().conflicts().settle_conflict(settle).map(|settled| settled.undo)
}

fn keeping(conflict: Conflict, keep: FieldValue) -> SettleConflict {
    let seen = conflict.versions.iter().chain(conflict.edits_after_removal.iter().map(|edit| &edit.edit));
    SettleConflict {
        seen: seen.map(|version| version.version.clone()).collect(),
        conflict: conflict.key,
        keep,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_settled_can_be_taken_back_after_a_restart_until_somebody_writes_again() {
    let field = Field::start().await;
    let (mut phones, household) = two_hints(&field).await;
    let text = |text: &str| FieldValue::Text { value: text.to_owned() };
    let conflict = shelf(&mut phones[1]).conflicts.remove(0);
    let undo = settle(&mut phones[1], keeping(conflict, text("cạnh trường"))).unwrap();
    assert_eq!(shelf(&mut phones[0]).last_settled, None, "another phone did");
    for (keep, back) in [("cạnh trường", "sau chợ"), ("sau chợ", "cạnh trường"), ("cạnh trường", "sau chợ")]
    {
        phones[1].close();
        let last = shelf(&mut phones[1]).last_settled.unwrap();
        assert_eq!((last.kept, last.undo.keep.clone()), (text(keep), text(back)));
        let other = SettleConflict { keep: text("cạnh chùa"), ..last.undo.clone() };
        assert!(settle(&mut phones[1], other).is_err(), "none of the versions");
        sync_all(&mut phones).await;
        phones[1].close();
        settle(&mut phones[1], last.undo).unwrap();
        assert_eq!(hint(&mut phones[1], household).as_deref(), Some(back));
    }
    assert!(settle(&mut phones[1], undo).is_err(), "it was drawn before others came");
    sync_all(&mut phones).await;
    sync_all(&mut phones).await;
    for phone in &mut phones {
        assert_eq!((shelf(phone).count, hint(phone, household).as_deref()), (0, Some("sau chợ")));
    }
    // Nothing of what was said stands beside the rows.
    let sql = "SELECT value FROM phone_facts WHERE name = 'settled'";
    let note: String = phones[1].read().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(!note.contains("chợ") && !note.contains("trường"), "{note}");

    set_hint(&mut phones[0], household, "cạnh suối");
    sync_all(&mut phones).await;
    let last = shelf(&mut phones[1]).last_settled;
    assert_eq!(last, None, "somebody has written since");
    phones[1].close();
    assert_eq!(shelf(&mut phones[1]).last_settled, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_was_confirmed_can_be_taken_back_after_a_restart() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let mut phones = [member, lead];
    let household = phones[0].household("Hộ 12");
    sync_all(&mut phones).await;
    sync_all(&mut phones).await;
    phones[1].app().call("households.void_household", json!({"household": household})).unwrap();
    set_hint(&mut phones[0], household, "cạnh trường");
    sync_all(&mut phones).await;
    sync_all(&mut phones).await;
    let conflict = shelf(&mut phones[1]).conflicts.remove(0);
    settle(&mut phones[1], keeping(conflict, FieldValue::Truth { value: false })).unwrap();
    assert_eq!(phones[1].count("households"), 1);
    phones[1].close();
    let undo = shelf(&mut phones[1]).last_settled.unwrap().undo;
    assert_eq!(undo.keep, FieldValue::Truth { value: true });
    settle(&mut phones[1], undo).unwrap();
    phones[1].close();
    assert_eq!(phones[1].count("households"), 0);
    let again = shelf(&mut phones[1]).last_settled.unwrap().undo;
    settle(&mut phones[1], again).unwrap();
    sync_all(&mut phones).await;
    sync_all(&mut phones).await;
    for phone in &mut phones {
        assert_eq!((shelf(phone).count, phone.count("households")), (0, 1));
    }
}
