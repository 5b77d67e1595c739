//! Work that is beyond its author's role waits at the hub for the lead.

use langso_device::Phone;
use langso_device::companion::Nothing;
use langso_domain::registry::Role;
use langso_hub::waiting::Verdict;

use crate::field::Field;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_set_aside_is_sent_once_and_forgotten_when_it_is_admitted() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.save(|saving| saving.create("hamlet", [("name", "Thôn Sú Cáu".into())]));
    let written = member.written_keys();
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 1));

    let before = member.sync().await.unwrap();
    let again = member.sync().await.unwrap();
    assert_eq!(again.bytes_up, before.bytes_up, "not sent again, also by a new session");

    let waiting = field.log().list_set_aside(team.scope).unwrap();
    field.hub().decide(team.scope, waiting[0].name, Verdict::Admit, None).unwrap();
    member.sync().await.unwrap();
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside, status.at_hub), (0, 0, 1));
    field.holds_once(team.scope, &written);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_is_set_aside_none_of_it_is_sent_a_third_time() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.close();
    let mut phone = Phone::open(member.path(), member.time.clone()).unwrap();
    for _ in 0..600 {
        phone.save(|saving| saving.create("hamlet", [("name", "Thôn Sú Cáu".into())])).unwrap();
    }
    drop(phone);
    member.sync().await.unwrap();
    member.close();
    member.sync().await.unwrap();
    member.close();
    member.link.take_exchanges();
    member.sync().await.unwrap();
    let again: usize = member.link.take_exchanges().iter().map(|exchange| exchange.carried().len()).sum();
    assert_eq!(again, 0);
    let status = member.app().sync().get_status(Nothing {}).unwrap();
    assert_eq!((status.on_phone, status.set_aside), (0, 600));
    assert_eq!(field.log().list_set_aside(team.scope).unwrap().len(), 600);
}
