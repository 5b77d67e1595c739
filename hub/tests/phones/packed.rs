//! Frames that are packed tighter, for a hub that opens them.

use langso_domain::registry::Role;
use langso_sync::frame::{KIND_CHANGES, KIND_PACKED};
use langso_sync::wire::{Problem, ProblemBody};

use crate::field::http::kinds;
use crate::field::{Field, Handset};

/// The kinds of the frames of each request since the last look.
fn sent(phone: &Handset) -> Vec<Vec<u8>> {
    phone.link.take_exchanges().iter().map(|exchange| kinds(&exchange.up)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_packed_once_the_hub_has_said_that_it_opens_that_and_deflated_for_one_that_does_not() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let write = |phone: &mut Handset| {
        for n in 0..6 {
            phone.household(&format!("Hộ {n}"));
        }
    };
    write(&mut phone);
    phone.sync().await.unwrap();
    assert_eq!(sent(&phone).concat(), [KIND_CHANGES], "nothing is known of the hub");
    write(&mut phone);
    phone.sync().await.unwrap();
    assert_eq!(sent(&phone).concat(), [KIND_PACKED]);
    // An older hub has taken its place.
    write(&mut phone);
    let body = ProblemBody { problem: Problem::ProtocolTooNew, hub_time_ms: 0, nonce: None }.encode();
    let head = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n", body.len());
    phone.close();
    phone.link.buffer_bodies();
    phone.link.answer_next([head.as_bytes(), &body].concat());
    phone.sync().await.unwrap();
    let kinds = sent(&phone).concat();
    assert!(kinds.ends_with(&[KIND_CHANGES]), "{kinds:?}");
    field.holds_once(team.scope, &phone.written_keys());
}
