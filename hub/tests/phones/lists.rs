//! A list that is held between its pages, on a phone that syncs meanwhile.

use langso_device::companion::households::ListHouseholds;
use langso_domain::registry::Role;

use crate::conflict::set_hint;
use crate::field::{Field, Handset};

#[tokio::test]
async fn a_list_that_was_open_shows_what_a_sync_brought() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    let labels = |phone: &mut Handset| -> Vec<String> {
        let list = phone.app().households().list_households(ListHouseholds::default()).expect("lists");
        list.households.into_iter().map(|line| line.label).collect()
    };
    member.household("Hộ 2");
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    assert_eq!(labels(&mut lead), ["Hộ 2"]);
    let household = member.household("Hộ 1");
    set_hint(&mut member, household, "cạnh trường");
    member.sync().await.unwrap();
    assert_eq!(labels(&mut lead), ["Hộ 2"]);
    lead.sync().await.unwrap();
    assert_eq!(labels(&mut lead), ["Hộ 1", "Hộ 2"]);
    // Nothing but a correction comes: no row is new.
    set_hint(&mut member, household, "sau chợ");
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    let list = lead.app().households().list_households(ListHouseholds::default()).expect("lists");
    assert_eq!(list.households[0].hint.as_deref(), Some("sau chợ"));
}
