//! A bound on the bytes of a sync, from too little to plenty: no sync goes beyond it, together they bring everything
//! both ways, and nothing that was acknowledged goes again.

use langso_device::AppError;
use langso_device::companion::SyncNow;
use langso_domain::registry::Role;

use crate::field::{Field, Handset, http, said};

/// Bodies of requests and replies that passed, headers of HTTP apart.
fn body_bytes(phone: &Handset) -> (u64, usize) {
    let exchanges = phone.link.take_exchanges();
    for exchange in &exchanges {
        for (_, key) in exchange.carried() {
            assert!(!exchange.known.contains(&key), "{key:?} went up after its receipt was here");
        }
    }
    let body = |bytes: &[u8]| http::body(bytes).0.len() as u64;
    (exchanges.iter().map(|exchange| body(&exchange.up) + body(&exchange.down)).sum(), exchanges.len())
}

/// Texts that deflate cannot shorten much.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"ABCDEFGHIKLMNOPQRSTUVXYZabcdefgh"[(state >> 59) as usize])
    };
    (0..length).map(|_| letter()).collect()
}

async fn sync(phone: &mut Handset, max_bytes: u64) -> Result<bool, AppError> {
    let report = phone.app().sync().sync_now(SyncNow { max_bytes: Some(max_bytes) }).await;
    let (passed, requests) = body_bytes(phone);
    assert!(passed <= max_bytes, "{passed} bytes in {requests} requests, {max_bytes} allowed");
    let report = report?;
    assert_eq!((report.bytes_up + report.bytes_down, report.requests as usize), (passed, requests));
    Ok(report.is_done)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_budget_is_kept_and_all_syncs_together_bring_everything_both_ways() {
    let field = Field::start().await;
    let mut cases = 0;
    for budget in [4_096, 5_000, 8_000, 20_000, 100_000] {
        let team = field.found("Tổ thôn Ngàn Chi");
        let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
        for phone in [&mut phone, &mut other] {
            phone.sync().await.unwrap();
        }
        for at in 0..60 {
            for (who, seed) in [(&mut phone, at), (&mut other, at + 1_000)] {
                who.household_with(&noise(seed, 60), &noise(seed + 500, 110));
                who.visit(&team);
                // The app is closed now and then: a new writer.
                if at % 4 == 3 {
                    who.close();
                }
            }
        }
        other.sync().await.unwrap();
        phone.close();
        phone.link.watch(phone.file());
        phone.link.take_exchanges();
        let mut syncs = 1;
        while !sync(&mut phone, budget).await.unwrap() {
            syncs += 1;
            assert!(syncs < 60, "{budget}: it does not drain");
        }
        assert!(budget < 8_000 || syncs < 20, "{budget}: {syncs} syncs");
        assert_eq!(syncs == 1, budget >= 100_000, "{budget}: {syncs} syncs");
        for scope in [team.scope, team.training] {
            let written = phone.written();
            field.holds_once(scope, written.iter().filter(|one| one.0 == scope).map(|one| &one.1));
        }
        other.sync().await.unwrap();
        assert!(phone.rows() == other.rows(), "{budget}: the phones of a team differ");
        cases += syncs;
    }
    said("line-budget", cases);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_below_what_is_next_says_so_and_changes_nothing() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut other = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    for phone in [&mut phone, &mut other] {
        phone.sync().await.unwrap();
    }
    let too_small = || AppError::Offline { why: "budget_too_small".to_owned() };
    // A row longer than the whole budget in front, others behind it.
    phone.save(|saving| saving.create("household", [("hint", noise(7, 9_000).into())]));
    phone.household("Hộ 12");
    other.save(|saving| saving.create("household", [("hint", noise(8, 9_000).into())]));
    other.sync().await.unwrap();
    phone.link.take_exchanges();
    let before = field.keys(team.scope).len();
    for budget in [0, 1, 100, 500] {
        assert_eq!(sync(&mut phone, budget).await, Err(too_small()), "{budget}");
    }
    assert_eq!(field.keys(team.scope).len(), before, "nothing went out");
    assert!(!sync(&mut phone, 5_000).await.unwrap(), "what stands behind goes");
    assert_eq!(field.keys(team.scope).len(), before + 1);
    assert_eq!(sync(&mut phone, 5_000).await, Err(too_small()));
    let waits = phone.app().sync().get_status(Default::default()).unwrap().on_phone;
    assert_eq!((waits, phone.count("households")), (1, 2), "it waits, and the other's has not come");
    while !sync(&mut phone, 30_000).await.unwrap() {}
    other.sync().await.unwrap();
    assert_eq!(phone.count("households"), 3);
    assert!(phone.rows() == other.rows(), "the phones of a team differ");
}
