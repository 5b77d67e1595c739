//! Two members on one phone: a folder, a key and writers each, and one clock for both.

use std::collections::BTreeSet;

use langso_device::{AppError, Companion};
use langso_domain::id::{DeviceId, Key};
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use langso_sync::change::Change;

use crate::field::{Field, Handset, Link, http};

/// Who has signed what went up, and which changes.
fn sent(phone: &Handset) -> (BTreeSet<DeviceId>, BTreeSet<Key>) {
    let (mut devices, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for exchange in phone.link.take_exchanges() {
        devices.extend(http::signers(&exchange.up));
        keys.extend(exchange.carried().into_iter().map(|(_, key)| key));
    }
    (devices, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_member_wrote_on_a_shared_phone_goes_by_their_own_device_only() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut one = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let beside = Handset::beside(&one, Link::to(field.running.addr).await);
    let mut other = field.enrol(beside, &team, "Lỷ A Nhì", Role::Member).await;

    // Both work, by turns, and one of them syncs.
    let mut households = BTreeSet::new();
    for turn in 0..3 {
        households.insert(one.household(&format!("Hộ {turn}")));
        households.insert(other.household(&format!("Hộ {turn} kia")));
        one.close();
        other.close();
    }
    assert_eq!(households.len(), 6);
    let (written, written_beside) = (one.written(), other.written());
    let keys = |written: &[(_, Key, Vec<u8>)]| written.iter().map(|one| one.1).collect::<BTreeSet<_>>();
    assert!(keys(&written).is_disjoint(&keys(&written_beside)));
    let writers = keys(&written).into_iter().map(|key| key.writer).collect::<BTreeSet<_>>();
    assert!(keys(&written_beside).iter().all(|key| !writers.contains(&key.writer)));

    one.link.take_exchanges();
    other.link.take_exchanges();
    one.sync().await.unwrap();
    assert_eq!(field.keys(team.scope).iter().filter(|key| keys(&written).contains(key)).count(), 3);
    let (signers, carried) = sent(&one);
    assert_eq!((signers.len(), &carried), (1, &keys(&written)));
    assert!(field.keys(team.scope).iter().all(|key| !keys(&written_beside).contains(key)));
    let status = other.app().sync().get_status(Default::default()).unwrap();
    assert_eq!((status.on_phone, status.at_hub), (3, 0));

    other.sync().await.unwrap();
    let (signers_beside, carried) = sent(&other);
    assert_eq!((signers_beside.len(), &carried), (1, &keys(&written_beside)));
    assert!(signers.is_disjoint(&signers_beside));
    one.sync().await.unwrap();
    assert!(one.rows() == other.rows());
    field.holds_once(team.scope, keys(&written).union(&keys(&written_beside)));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_of_one_phone_share_its_clock_and_not_its_folder() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut one = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let beside = Handset::beside(&one, Link::to(field.running.addr).await);
    let mut other = field.enrol(beside, &team, "Lỷ A Nhì", Role::Member).await;
    one.time.set_off(10 * DAY_MS);
    one.time.reboot();
    for phone in [&mut one, &mut other] {
        phone.household("Hộ 12");
        let change = Change::decode(&phone.written().pop().unwrap().2).unwrap();
        assert!(change.stamp.ms() as i64 >= field.world.now() + 10 * DAY_MS);
    }
    let elsewhere = AppError::Locked { why: "open_elsewhere".to_owned() };
    assert_eq!(Companion::open(one.path(), one.time.clone()).err(), Some(elsewhere));
}
