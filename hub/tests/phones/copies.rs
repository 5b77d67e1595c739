//! Folders that are put back from older copies, live twice, or are begun anew; and the hub rolled back on top of it.

use langso_device::{AppError, Companion};
use langso_domain::registry::Role;

use crate::field::ledger::Ledger;
use crate::field::{Field, Handset, Link, Team};

async fn pair(field: &Field, team: &Team) -> (Handset, Handset) {
    let mut phone = field.phone(team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(team, "Tằng Dảu Sồi", Role::Lead).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 1");
    phone.visit(team);
    phone.sync().await.unwrap();
    lead.sync().await.unwrap();
    (phone, lead)
}

async fn come_level(phones: &mut [&mut Handset], ledger: &mut Ledger) {
    for _ in 0..3 {
        for phone in phones.iter_mut() {
            phone.sync().await.unwrap();
            ledger.note(phone);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_put_back_from_an_old_copy_brings_a_rolled_back_hub_what_it_had_sent_since() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team).await;
    phone.close();
    let mut restored = phone.copy();
    phone.household("Hộ 2");
    phone.visit(&team);
    phone.sync().await.unwrap();
    ledger.note(&phone);
    drop(phone);
    // What it had sent comes back from the hub, in frames alone.
    restored.visit(&team);
    restored.sync().await.unwrap();
    let copy = field.copy();
    restored.household("Hộ 3");
    restored.sync().await.unwrap();
    lead.sync().await.unwrap();
    let field = field.roll_back(&copy).await;
    field.reach(&[&restored, &lead]);
    come_level(&mut [&mut restored], &mut ledger).await;
    ledger.is_whole(&field, &team, &mut [&mut restored]);

    // And a hub from before all of that: own work that is in no outbox is carried as others' is.
    let older = field.copy();
    let mut lost = restored.copy();
    lost.visit(&team);
    lost.sync().await.unwrap();
    ledger.note(&lost);
    drop(lost);
    restored.sync().await.unwrap();
    let field = field.roll_back(&older).await;
    field.reach(&[&restored, &lead]);
    come_level(&mut [&mut restored, &mut lead], &mut ledger).await;
    ledger.is_whole(&field, &team, &mut [&mut restored, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_copies_of_a_cloned_phone_write_and_sync_and_give_no_number_twice() {
    let mut field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let (mut phone, mut lead) = pair(&field, &team).await;
    phone.visit(&team);
    // Copied while it is open, with work that is not sent.
    let mut twin = phone.copy();
    assert_eq!(phone.device(), twin.device());
    let mut cases = 0;
    for round in 0..6 {
        let copy = field.copy();
        phone.household(&format!("Hộ A{round}"));
        twin.household(&format!("Hộ B{round}"));
        let first_goes_first = round % 2 == 0;
        let (first, second) =
            if first_goes_first { (&mut phone, &mut twin) } else { (&mut twin, &mut phone) };
        first.sync().await.unwrap();
        second.visit(&team);
        second.sync().await.unwrap();
        ledger.note(&phone);
        ledger.note(&twin);
        if round % 3 == 2 {
            field = field.roll_back(&copy).await;
            field.reach(&[&phone, &twin, &lead]);
        }
        if round % 2 == 1 {
            phone.close();
            twin.close();
        }
        come_level(&mut [&mut phone, &mut twin, &mut lead], &mut ledger).await;
        ledger.is_whole(&field, &team, &mut [&mut phone, &mut twin, &mut lead]);
        cases += 1;
    }
    println!("{cases} rounds of a cloned phone, {} saves, no number twice", ledger.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_begun_anew_gets_its_members_book_back() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let member = field.member(&team, "Chíu Sám Múi", Role::Member);
    let mut old = Handset::new(&field.world, Link::to(field.running.addr).await);
    old.join(&field.invite(&team, member, &old.link.url())).await.unwrap();
    old.sync().await.unwrap();
    old.household("Hộ 1");
    old.visit(&team);
    old.sync().await.unwrap();
    ledger.note(&old);
    let old_device = old.device();
    drop(old);
    let mut new = Handset::new(&field.world, Link::to(field.running.addr).await);
    let joined = new.join(&field.invite(&team, member, &new.link.url())).await.unwrap();
    assert_eq!(joined.member, member);
    assert_ne!(joined.device, old_device, "another folder, another key");
    new.sync().await.unwrap();
    assert_eq!((new.count("households"), new.count("visits")), (1, 1));
    new.visit(&team);
    new.sync().await.unwrap();
    ledger.note(&new);
    ledger.is_whole(&field, &team, &mut [&mut new]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_on_one_folder_is_told_so_and_the_first_works_on() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let (mut phone, _lead) = pair(&field, &team).await;
    let second = Companion::open(phone.path(), phone.time.clone()).err();
    assert_eq!(second, Some(AppError::Locked { why: "open_elsewhere".to_owned() }));
    phone.visit(&team);
    phone.sync().await.unwrap();
    let mut ledger = Ledger::default();
    ledger.note(&phone);
    ledger.is_whole(&field, &team, &mut [&mut phone]);
}
