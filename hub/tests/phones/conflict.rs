//! Two phones edit one field while both are offline.

use langso_device::companion::conflicts::{
    Conflict, ConflictPage, FieldValue, FindConflicts, SettleConflict,
};
use langso_domain::id::HouseholdId;
use langso_domain::registry::Role;
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
        FieldValue::Text(text) => text.clone(),
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
        keep: FieldValue::Text("cạnh trường".to_owned()),
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
