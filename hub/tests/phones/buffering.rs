//! A backlog over a line that breaks again and again, behind a proxy that hands on whole bodies or nothing.

use langso_device::AppError;
use langso_domain::registry::Role;

use crate::field::http;
use crate::field::link::Break;
use crate::field::{Field, Handset, said};
use crate::mill;

/// Work of about a hundred kilobytes as it travels, written by thirty runs of the app.
fn write_backlog(phone: &mut Handset) {
    let mut seed = 1u64;
    for _ in 0..30 {
        phone.close();
        for _ in 0..20 {
            phone.household_with(&noise(&mut seed), &noise(&mut seed));
        }
    }
}

/// A text that deflate cannot shorten much.
fn noise(seed: &mut u64) -> String {
    let mut letter = || {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"ABCDEFGHIKLMNOPQRSTUVXYZabcdefgh"[(*seed >> 59) as usize])
    };
    (0..118).map(|_| letter()).collect()
}

/// Syncs until nothing waits; how often that took.
async fn drain(phone: &mut Handset, most: usize) -> usize {
    for times in 1..=most {
        match phone.sync().await {
            Ok(report) => {
                assert!(report.is_done);
                assert_eq!(report.waiting, 0);
                return times;
            }
            Err(AppError::Offline { why }) => assert_eq!(why, "cut"),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the backlog does not drain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_drains_behind_a_proxy_that_buffers_however_early_the_line_breaks() {
    let field = Field::start().await;
    for each in [2_600, 6_000, 20_000] {
        let team = field.found("Tổ thôn Ngàn Chi");
        let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        phone.sync().await.unwrap();
        phone.close();
        write_backlog(&mut phone);
        phone.close();
        phone.link.watch(phone.file());
        phone.link.buffer_bodies();
        phone.link.break_at(Break::Every(each));
        phone.link.take_exchanges();
        drain(&mut phone, 100).await;
        assert!(phone.link.breaks() > 0, "{each}: the line never broke");
        field.holds_once(team.scope, &phone.written_keys());
        let exchanges = phone.link.take_exchanges();
        let up: usize = exchanges.iter().map(|exchange| exchange.up.len()).sum();
        assert!(up > 90_000, "{each}: a backlog of {up} bytes only");
        for exchange in &exchanges {
            for (_, key) in exchange.carried() {
                assert!(!exchange.known.contains(&key), "{each}: sent again after its receipt was here");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_after_a_cut_is_small_and_sizes_double_again() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    write_backlog(&mut phone);
    phone.link.take_exchanges();
    phone.link.break_at(Break::Up(5_000));
    phone.sync().await.unwrap();
    assert_eq!(phone.link.breaks(), 1);
    let sizes: Vec<usize> =
        phone.link.take_exchanges().iter().map(|exchange| http::body(&exchange.up).0.len()).collect();
    assert!(sizes[1] < 3_000, "{sizes:?}: the first after a cut");
    let largest = sizes.iter().max().unwrap();
    assert!(*largest > 3 * 8 * 1024, "{sizes:?}");
    field.holds_once(team.scope, &phone.written_keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_always_breaks_inside_the_head_of_a_reply_ends_the_sync() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.link.take_exchanges();
    phone.sync().await.unwrap();
    let whole = phone.link.take_exchanges().remove(0);
    let head = whole.down.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    phone.close();
    // A request after a cut is a little longer; some bytes of the reply's own head still pass.
    phone.link.break_at(Break::Every(whole.up.len() + head + 30));
    assert_eq!(phone.sync().await.unwrap_err(), AppError::Offline { why: "cut".into() });
    let exchanges = phone.link.take_exchanges();
    assert!(exchanges.iter().all(|exchange| exchange.down.len() > head), "bytes came");
    assert!(exchanges.len() < 10, "{}", exchanges.len());
    phone.link.break_at(Break::Never);
    phone.sync().await.unwrap();
}

/// 23 kbit/s for ten seconds.
const TEN_SECONDS: usize = 28_750;
/// A second on the way there and back, in bytes that the line could have carried.
const TURN: usize = 2_875;

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_work_gets_over_a_2g_line_that_breaks_every_ten_seconds_and_nothing_acknowledged_goes_twice()
 {
    let field = Field::start().await;
    let phases = if mill::is_long() { 12 } else { 2 };
    let mut cases = 0;
    for (phase, is_buffering) in (0..phases).flat_map(|phase| [(phase, false), (phase, true)]) {
        let what = format!("phase {phase}, buffering: {is_buffering}");
        let team = field.found("Tổ thôn Ngàn Chi");
        let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
        let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
        for phone in [&mut phone, &mut lead] {
            phone.sync().await.unwrap();
            phone.close();
        }
        write_backlog(&mut phone);
        // The same line brings it to the next phone.
        for (phone, is_up) in [(&mut phone, true), (&mut lead, false)] {
            phone.close();
            phone.link.watch(phone.file());
            if is_buffering {
                phone.link.buffer_bodies();
            }
            phone.link.break_at(Break::Clock { each: TEN_SECONDS, turn: TURN });
            phone.link.set_clock(phase * TEN_SECONDS / phases);
            phone.link.take_exchanges();
            let before = phone.link.clock();
            drain(phone, 100).await;
            assert!(phone.link.breaks() > 0, "{what}: the line never broke");
            let seconds = (phone.link.clock() - before) / TURN;
            let exchanges = phone.link.take_exchanges();
            let (mut up, mut down) = (0, 0);
            for exchange in &exchanges {
                (up, down) = (up + exchange.up.len(), down + exchange.down.len());
                for (_, key) in exchange.carried() {
                    assert!(!exchange.known.contains(&key), "{what}: sent again after its receipt was here");
                }
            }
            assert!(if is_up { up } else { down } > 90_000, "{what}: {up} up, {down} down");
            println!(
                "{what}: {up} B up, {down} B down, {} requests, {seconds} s of the line",
                exchanges.len()
            );
            cases += exchanges.len();
        }
        field.holds_once(team.scope, &phone.written_keys());
        assert!(phone.rows() == lead.rows(), "{what}: the phones of a team differ");
    }
    said("line-week", cases);
}
