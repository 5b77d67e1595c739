//! A hub that was rolled back to before a phone was enrolled: it knows nothing of it, and others bring it what the phone
//! wrote.

use langso_device::AppError;
use langso_device::companion::{Joined, Nothing};
use langso_domain::id::MemberId;
use langso_domain::registry::Role;
use langso_hub::log::Reason;

use crate::field::ledger::Ledger;
use crate::field::{Field, Handset, Link, Team};

fn not_allowed<T>(why: &str) -> Result<T, AppError> {
    Err(AppError::NotAllowed { why: why.to_owned() })
}

/// A hub rolled back to before `late` was enrolled (`member` was on the list then, or not); the lead's phone has all that
/// it wrote but its last visit.
struct Scene {
    field: Field,
    team: Team,
    lead: Handset,
    late: Handset,
    member: MemberId,
    ledger: Ledger,
}

async fn scene(is_on_the_list: bool) -> Scene {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    lead.sync().await.unwrap();
    let mut copy = field.copy();
    let member = field.member(&team, "Chíu Sám Múi", Role::Member);
    if is_on_the_list {
        copy = field.copy();
    }
    let mut late = Handset::new(&field.world, Link::to(field.running.addr).await);
    late.join(&field.invite(&team, member, &late.link.url())).await.unwrap();
    late.sync().await.unwrap();
    for at in 0..4 {
        late.household(&format!("Hộ {at}"));
        late.visit(&team);
    }
    late.sync().await.unwrap();
    lead.sync().await.unwrap();
    late.visit(&team);
    let mut ledger = Ledger::default();
    ledger.note(&late);
    ledger.note(&lead);
    let field = field.roll_back(&copy).await;
    field.reach(&[&lead, &late]);
    Scene { field, team, lead, late, member, ledger }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_forgotten_phone_is_admitted_when_it_is_enrolled_again() {
    let Scene { field, team, mut lead, mut late, member, ledger } = scene(true).await;
    lead.sync().await.unwrap();
    let waiting = field.log().list_set_aside(team.scope).unwrap();
    assert_eq!(waiting.len(), 8);
    assert!(waiting.iter().all(|one| one.reason == Reason::UnknownDevice.code()));
    assert!(waiting.iter().all(|one| one.device == late.device()));
    // What waits is carried on, and not sent again with every sync.
    lead.link.take_exchanges();
    lead.sync().await.unwrap();
    assert!(lead.link.take_exchanges().iter().all(|exchange| exchange.carried().is_empty()));

    for _ in 0..2 {
        assert_eq!(late.sync().await.err(), not_allowed::<()>("unknown_device").err());
    }
    let status = late.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, late.count("visits"), late.count("households")), (2, 5, 4));
    late.close();

    let device = late.device();
    let joined = late.join(&field.invite(&team, member, &late.link.url())).await.unwrap();
    assert_eq!((joined.member, joined.device), (member, device), "the same folder, the same key");
    assert_eq!(field.log().list_set_aside(team.scope).unwrap(), [], "admitted by itself");
    let at_hub = field.keys(team.scope);
    let by_the_lead = waiting.iter().filter_map(|one| one.key).collect::<Vec<_>>();
    assert!(by_the_lead.iter().all(|key| at_hub.contains(key)));
    let order: Vec<_> = at_hub.iter().filter(|key| by_the_lead.contains(key)).copied().collect();
    assert_eq!(order, by_the_lead, "in the order in which they came");

    for _ in 0..2 {
        late.sync().await.unwrap();
        lead.sync().await.unwrap();
    }
    ledger.is_whole(&field, &team, &mut [&mut late, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_phone_of_a_forgotten_member_comes_in_as_whoever_the_hub_says() {
    let Scene { field, team, mut lead, mut late, member, mut ledger } = scene(false).await;
    let again = field.member(&team, "Chíu Sám Múi", Role::Member);
    assert_ne!(again, member);
    // Until the hub has said that it does not know the phone, nobody else's code is taken in this folder.
    let other = field.invite(&team, again, &late.link.url());
    assert_eq!(late.join(&other).await, not_allowed::<Joined>("enrolled_elsewhere"));
    assert_eq!(late.sync().await.unwrap().waiting, 0, "the hub took the key all the same");
    late.visit(&team);
    for _ in 0..2 {
        lead.sync().await.unwrap();
        late.sync().await.unwrap();
    }
    ledger.note(&late);
    ledger.is_whole(&field, &team, &mut [&mut late, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_phone_that_comes_in_before_the_others_loses_nothing_either() {
    let Scene { field, team, mut lead, mut late, ledger, .. } = scene(false).await;
    assert_eq!(late.sync().await.err(), not_allowed::<()>("unknown_device").err());
    let again = field.member(&team, "Chíu Sám Múi", Role::Member);
    let joined = late.join(&field.invite(&team, again, &late.link.url())).await.unwrap();
    assert_eq!(joined.member, again);
    for _ in 0..2 {
        late.sync().await.unwrap();
        lead.sync().await.unwrap();
    }
    ledger.is_whole(&field, &team, &mut [&mut late, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hub_may_have_another_address() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let copy = field.copy();
    let member = field.member(&team, "Chíu Sám Múi", Role::Member);
    let mut phone = Handset::new(&field.world, Link::to(field.running.addr).await);
    phone.join(&field.invite(&team, member, &phone.link.url())).await.unwrap();
    phone.sync().await.unwrap();
    phone.visit(&team);
    phone.sync().await.unwrap();
    let mut ledger = Ledger::default();
    ledger.note(&phone);
    let moved = Field::fork(&copy, &field.world).await;
    field.running.shutdown().await.unwrap();
    phone.link.point_to(moved.running.addr);
    assert_eq!(phone.sync().await.err(), not_allowed::<()>("unknown_device").err());
    let member = moved.member(&team, "Chíu Sám Múi", Role::Member);
    let elsewhere = Link::to(moved.running.addr).await;
    phone.join(&moved.invite(&team, member, &elsewhere.url())).await.unwrap();
    phone.link = elsewhere;
    phone.sync().await.unwrap();
    ledger.is_whole(&moved, &team, &mut [&mut phone]);
}
