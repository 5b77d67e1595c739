//! Who may come in and who may not, as real phones hear it.

use langso_device::AppError;
use langso_device::companion::Joined;
use langso_domain::id::DeviceId;
use langso_domain::registry::Role;
use langso_hub::clock::{DAY_MS, HOUR_MS};
use langso_hub::log::Reason;
use langso_hub::waiting::Verdict;
use langso_sync::wire::Invite;

use crate::field::{Field, Handset, Link};

fn not_allowed<T>(why: &str) -> Result<T, AppError> {
    Err(AppError::NotAllowed { why: why.to_owned() })
}

async fn new_phone(field: &Field) -> Handset {
    Handset::new(&field.world, Link::to(field.running.addr).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_for_one_phone_and_for_72_hours() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let member = field.member(&team, "Chíu Sám Múi", Role::Member);
    let mut phone = new_phone(&field).await;
    let invite = field.invite(&team, member, &phone.link.url());
    phone.join(&invite).await.unwrap();
    assert_eq!(phone.join(&invite).await.unwrap().member, member, "the reply may have been lost");

    let mut second = new_phone(&field).await;
    assert_eq!(second.join(&invite).await, not_allowed("code_used"));
    let codes = field.hub().list_codes(team.id).unwrap();
    let told = codes[0].tried_again.map(|(device, _)| device);
    assert_eq!(told, Some(second.device()), "the lead can see it");

    let late = field.invite(&team, member, &second.link.url());
    field.world.pass(72 * HOUR_MS);
    assert_eq!(second.join(&late).await, not_allowed("code_expired"));
    let unknown = Invite { secret: [7; 16], ..late.clone() };
    assert_eq!(second.join(&unknown).await, not_allowed("code_unknown"));
    let in_time = field.invite(&team, member, &second.link.url());
    field.world.pass(72 * HOUR_MS - 1);
    second.join(&in_time).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_hub_is_not_given_to_this_one() {
    let (field, other) = (Field::start().await, Field::start().await);
    let (team, elsewhere) = (field.found("Tổ thôn Ngàn Chi"), other.found("Tổ thôn Sú Cáu"));
    let member = field.member(&team, "Chíu Sám Múi", Role::Member);
    let mut phone = new_phone(&field).await;
    let invite = field.invite(&team, member, &phone.link.url());
    let astray = Invite { hub: other.hub().fingerprint(), ..invite.clone() };
    let hub_unknown = AppError::Offline { why: "hub_unknown".to_owned() };
    assert_eq!(phone.join(&astray).await, Err(hub_unknown));
    let joined = phone.join(&invite).await.unwrap();
    assert_eq!(joined.member, member);

    // Nor does a phone that has a team go over to another by a code.
    let member = other.member(&elsewhere, "Lỷ A Nhì", Role::Member);
    let link = Link::to(other.running.addr).await;
    let invite = other.invite(&elsewhere, member, &link.url());
    assert_eq!(phone.join(&invite).await, not_allowed::<Joined>("enrolled_elsewhere"));
    phone.household("Hộ 12");
    phone.sync().await.unwrap();
    field.holds_once(team.scope, &phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_away_for_weeks_comes_in_with_its_old_nonce() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    field.world.pass(30 * DAY_MS);
    phone.household("Hộ 12");
    let report = phone.sync().await.unwrap();
    // Told once to ask with a new one; then what has arrived is compared, as once a day.
    assert_eq!((report.requests, report.waiting), (3, 0));
    field.holds_once(team.scope, &phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_does_not_know_the_phone_says_so_and_the_phone_keeps_its_book() {
    let (field, other) = (Field::start().await, Field::start().await);
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    phone.link.point_to(other.running.addr);
    phone.close();
    for _ in 0..2 {
        assert_eq!(phone.sync().await.err(), not_allowed::<()>("unknown_device").err());
    }
    let status = phone.app().sync().get_status(Default::default()).unwrap();
    assert_eq!((status.on_phone, phone.count("households")), (1, 1));
    phone.household("Hộ 13");
    phone.close();
    phone.link.point_to(field.running.addr);
    phone.sync().await.unwrap();
    field.holds_once(team.scope, &phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_phone_works_on_and_its_work_waits_for_the_lead() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    field.hub().revoke_device(phone.device()).unwrap();
    phone.household("Hộ 12");
    assert_eq!(phone.sync().await.err(), not_allowed::<()>("revoked").err());
    phone.household("Hộ 13");
    assert_eq!(phone.sync().await.err(), not_allowed::<()>("revoked").err());
    assert_eq!(phone.count("households"), 2);
    let waiting = field.log().list_set_aside(team.scope).unwrap();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|one| one.reason == Reason::RevokedDevice.code()));
    let device: DeviceId = phone.device();
    assert!(waiting.iter().all(|one| one.device == device));
    for one in waiting {
        field.hub().decide(team.scope, one.name, Verdict::Admit, None).unwrap();
    }
    field.holds_once(team.scope, &phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_restored_from_a_copy_gives_no_number_twice() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    phone.close();
    let mut restored = phone.copy();
    phone.household("Hộ 13");
    phone.sync().await.unwrap();
    restored.household("Hộ 14");
    restored.sync().await.unwrap();
    phone.household("Hộ 15");
    for handset in [&mut phone, &mut restored, &mut other] {
        handset.sync().await.unwrap();
    }
    restored.sync().await.unwrap();
    assert_eq!(field.log().list_set_aside(team.scope).unwrap().len(), 0);
    assert_eq!(restored.count("households"), 4);
    assert!(restored.rows()["households"] == other.rows()["households"]);
}
