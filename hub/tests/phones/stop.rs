//! A hub that is told to stop while lines hang.

use langso_domain::registry::Role;
use langso_hub::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::field::Field;

fn impatient() -> Limits {
    Limits { stall_ms: 500, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_says_nothing_or_half_a_word_does_not_hold_up_a_stop() {
    let field = Field::start_with(impatient()).await;
    let _silent = TcpStream::connect(field.running.addr).await.unwrap();
    let mut stammers = TcpStream::connect(field.running.addr).await.unwrap();
    stammers.write_all(b"POST /v1/sync HT").await.unwrap();
    field.running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_takes_nothing_of_its_reply_does_not_hold_up_a_stop() {
    let field = Field::start_with(impatient()).await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.link.take_exchanges();
    phone.sync().await.unwrap();
    let request = phone.link.take_exchanges().remove(0).up;
    write_much(&field);
    let mut line = TcpStream::connect(field.running.addr).await.unwrap();
    line.write_all(&request).await.unwrap();
    line.read_exact(&mut [0; 17]).await.unwrap();
    let field = field.restart().await;
    phone.link.point_to(field.running.addr);
    phone.sync().await.unwrap();
    assert_eq!(phone.count("content_items"), ITEMS);
}

const ITEMS: i64 = 200;

/// More than the buffers of a line hold, and little that deflate can shorten.
fn write_much(field: &Field) {
    let mut batch = field.hub().author.batch();
    let mut seed = 1u64;
    for _ in 0..ITEMS {
        let mut letter = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + (seed >> 58) as u8)
        };
        let body: String = (0..50_000).map(|_| letter()).collect();
        let fields = [("kind", "tutorial".into()), ("code", "T9@9".into()), ("body", body.into())];
        batch.create(field.hub().reference, "content_item", fields).unwrap();
    }
    batch.commit().unwrap();
}
