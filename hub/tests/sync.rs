//! Sync over real HTTP: what is kept, who is answered, what a phone hears.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use langso_domain::id::ScopeId;
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use langso_hub::log::Write;
use langso_hub::server::Limits;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::wire::{ENROL_PATH, Nonce, Problem, Reason, SYNC_PATH};
use support::http::{Asks, Site, request};
use support::{NOW, PLACE, Phone, TEAM_SCOPE, TRAINING, team_id};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn what_one_phone_sends_another_hears_and_the_first_gets_receipts() {
    let site = Site::start().await;
    let (mut lan, minh) = (site.phone(1, Role::Member), site.phone(2, Role::Lead));
    let changes: Vec<_> = (0..30).map(|_| lan.writes(TEAM_SCOPE, &["visit", "service_row"])).collect();
    let heard = site.sync(&lan, Asks::from_start(&[TEAM_SCOPE]).sending(TEAM_SCOPE, &changes)).await;
    assert_eq!(heard.receipts.iter().map(|receipt| receipt.n).sum::<u32>(), 30);
    assert!(heard.frames.is_empty(), "nothing comes back that the phone holds");
    let end = heard.cursors[0].1;
    assert_eq!(end.position, 30);
    let heard = site.sync(&minh, Asks::from_start(&[TEAM_SCOPE, TRAINING, PLACE])).await;
    assert_eq!(heard.keys(), changes.iter().map(|change| change.key).collect::<Vec<_>>());
    assert_eq!(heard.frames[0].changes().next().unwrap().author, lan.id());
    assert_eq!(heard.cursors[0], (TEAM_SCOPE, end));
    assert_eq!(heard.news.unwrap().hub_time_ms, NOW.unsigned());
}

#[tokio::test]
async fn receipts_and_frames_of_two_phones_close_one_chain() {
    let site = Site::start().await;
    let (mut lan, mut minh) = (site.phone(1, Role::Member), site.phone(2, Role::Member));
    // A phone after a cut: all has arrived, and it does not know.
    let mut asks = Asks::from_start(&[TEAM_SCOPE]);
    for _ in 0..5 {
        let own: Vec<_> = (0..3).map(|_| lan.writes(TEAM_SCOPE, &["visit"])).collect();
        let others: Vec<_> = (0..3).map(|_| minh.writes(TEAM_SCOPE, &["visit"])).collect();
        site.hub().intake.take(&lan.frame(TEAM_SCOPE, &own), NOW).unwrap();
        site.hub().intake.take(&minh.frame(TEAM_SCOPE, &others), NOW).unwrap();
        asks = asks.sending(TEAM_SCOPE, &own);
        lan.restart();
    }
    let heard = site.sync(&lan, asks).await;
    assert_eq!(heard.cursors[0].1.position, 30);
    assert_eq!(heard.receipts.len(), 5);
    assert_eq!(heard.keys().len(), 15);
    assert_eq!(site.head(TEAM_SCOPE), 30, "nothing twice");
}

#[tokio::test]
async fn nothing_new_is_one_small_round_trip() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let changes = [lan.writes(TEAM_SCOPE, &["visit"])];
    let heard = site.sync(&lan, Asks::from_start(&[TEAM_SCOPE]).sending(TEAM_SCOPE, &changes)).await;
    let mut asks = Asks::from_start(&[]);
    asks.cursors = heard.cursors;
    let heard = site.sync(&lan, asks).await;
    assert_eq!(heard.ends, 1);
    assert!(heard.sent + heard.received < 300, "{} + {}", heard.sent, heard.received);
}

#[tokio::test]
async fn a_small_budget_drains_a_long_log_in_steps() {
    let site = Site::start().await;
    let (mut lan, minh) = (site.phone(1, Role::Member), site.phone(2, Role::Member));
    let changes: Vec<_> = (0..900).map(|_| lan.writes(TEAM_SCOPE, &["visit", "service_row"])).collect();
    site.hub().intake.take(&lan.frame(TEAM_SCOPE, &changes), NOW).unwrap();
    let mut cursors = Asks::from_start(&[TEAM_SCOPE]).cursors;
    let mut keys = Vec::new();
    let mut rounds = 0;
    while keys.len() < changes.len() {
        let mut asks = Asks::from_start(&[]);
        (asks.cursors, asks.max_bytes, asks.max_frame) = (cursors, 4_000, 1_000);
        let heard = site.sync(&minh, asks).await;
        assert!(heard.received < 6_000, "{}", heard.received);
        assert!(!heard.frames.is_empty());
        keys.extend(heard.keys());
        cursors = heard.cursors;
        rounds += 1;
    }
    assert!(rounds > 1);
    assert_eq!(keys, changes.iter().map(|change| change.key).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stale_nonce_keeps_the_frames_and_withholds_the_reply() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let old = site.nonce(&lan);
    site.hands.forward(8 * DAY_MS);
    for nonce in [old, Nonce::default(), site.nonce(&Phone::new(9))] {
        let change = lan.writes(TEAM_SCOPE, &["visit"]);
        let before = site.head(TEAM_SCOPE);
        let body = request(&lan, &nonce, &[lan.frame(TEAM_SCOPE, &[change])]);
        let (status, refused) = site.refused(body).await;
        assert_eq!((status, refused.problem), (401, Problem::StaleNonce));
        assert_eq!(refused.nonce, Some(site.nonce(&lan)));
        assert_eq!(site.head(TEAM_SCOPE), before + 1);
    }
    let (status, _) = site.post(SYNC_PATH, request(&lan, &site.nonce(&lan), &[])).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn who_asks_must_be_enrolled_and_sign() {
    let site = Site::start().await;
    let lan = site.phone(1, Role::Member);
    let stranger = Phone::new(77);
    let (status, refused) = site.refused(request(&stranger, &site.nonce(&stranger), &[])).await;
    assert_eq!((status, refused.problem, refused.nonce), (401, Problem::UnknownDevice, None));
    let mut forged = request(&lan, &site.nonce(&lan), &[]);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let (status, refused) = site.refused(forged).await;
    assert_eq!((status, refused.problem), (401, Problem::BadSignature));
}

#[tokio::test]
async fn a_revoked_phone_is_heard_and_not_answered() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    site.log().commit(site.key().id(), &[Write::Revoke(lan.id())], NOW).unwrap();
    let change = lan.writes(TEAM_SCOPE, &["visit"]);
    let body = request(&lan, &site.nonce(&lan), &[lan.frame(TEAM_SCOPE, &[change])]);
    let (status, refused) = site.refused(body).await;
    assert_eq!((status, refused.problem), (403, Problem::Revoked));
    assert_eq!(site.log().list_set_aside(TEAM_SCOPE).unwrap().len(), 1);
}

#[tokio::test]
async fn a_cut_at_any_byte_keeps_whole_frames_and_a_retry_repeats_none() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let frames: Vec<_> = (0..3)
        .map(|_| {
            let change = lan.writes(TEAM_SCOPE, &["visit"]);
            lan.frame(TEAM_SCOPE, &[change])
        })
        .collect();
    let body = request(&lan, &site.nonce(&lan), &frames);
    let tail: usize = frames.iter().map(Vec::len).sum();
    let start = body.len() - tail;
    for cut in 0..body.len() {
        let mut line = TcpStream::connect(site.running.addr).await.unwrap();
        let head =
            format!("POST {SYNC_PATH} HTTP/1.1\r\nhost: hub\r\ncontent-length: {}\r\n\r\n", body.len());
        line.write_all(head.as_bytes()).await.unwrap();
        line.write_all(&body[..cut]).await.unwrap();
        line.shutdown().await.unwrap();
        let mut answer = Vec::new();
        line.read_to_end(&mut answer).await.unwrap();
        let (mut whole, mut end) = (0, start);
        for frame in &frames {
            end += frame.len();
            whole += u64::from(cut >= end);
        }
        assert_eq!(site.head(TEAM_SCOPE), whole, "cut at {cut} of {}", body.len());
    }
    for _ in 0..2 {
        let (status, _) = site.post(SYNC_PATH, body.clone()).await;
        assert_eq!((status, site.head(TEAM_SCOPE)), (200, 3));
    }
}

#[tokio::test]
async fn claims_and_bombs_are_refused_and_what_came_before_is_kept() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let change = lan.writes(TEAM_SCOPE, &["visit"]);
    let good = lan.frame(TEAM_SCOPE, &[change]);
    let mut claim = good.clone();
    claim[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
    let (status, refused) = site.refused(request(&lan, &site.nonce(&lan), &[good, claim])).await;
    assert_eq!((status, refused.problem), (413, Problem::TooLarge));
    assert_eq!(site.head(TEAM_SCOPE), 1);

    // 50 MB of zeros in 50 kB of deflate, truly signed.
    let mut bomb = Vec::new();
    let mut deflate = flate2::write::DeflateEncoder::new(&mut bomb, flate2::Compression::best());
    for _ in 0..50 {
        std::io::Write::write_all(&mut deflate, &vec![0; 1 << 20]).unwrap();
    }
    deflate.finish().unwrap();
    let mut frame = b"LS\x01\x01".to_vec();
    frame.extend(lan.id().0);
    frame.extend(u32::try_from(bomb.len()).unwrap().to_be_bytes());
    frame.extend(bomb);
    let signature = lan.key.sign(langso_sync::frame::LABEL, &[&frame]);
    frame.extend(signature);
    let (status, _) = site.post(SYNC_PATH, request(&lan, &site.nonce(&lan), &[frame])).await;
    assert_eq!((status, site.head(TEAM_SCOPE)), (200, 1), "kept for the lead to look at, in no scope");
    assert_eq!(site.log().list_set_aside(ScopeId([0; 8])).unwrap()[0].reason, "malformed");

    let too_long = vec![0; 8 * 1024 * 1024 + 1];
    let (status, refused) = site.refused(too_long).await;
    assert_eq!((status, refused.problem), (413, Problem::TooLarge));
}

#[tokio::test]
async fn a_carried_frame_that_is_forged_holds_nothing_up() {
    let site = Site::start().await;
    let (mut lan, mut minh) = (site.phone(1, Role::Member), site.phone(2, Role::Member));
    let change = minh.writes(TEAM_SCOPE, &["visit"]);
    let mut carried = minh.frame(TEAM_SCOPE, &[change]);
    let last = carried.len() - 1;
    carried[last] ^= 1;
    let change = lan.writes(TEAM_SCOPE, &["visit"]);
    let own = lan.frame(TEAM_SCOPE, &[change]);
    let (status, _) = site.post(SYNC_PATH, request(&lan, &site.nonce(&lan), &[carried, own])).await;
    assert_eq!((status, site.head(TEAM_SCOPE)), (200, 1));
    assert_eq!(site.log().list_refusals().unwrap()[0].0, "forged");
}

#[tokio::test]
async fn a_body_full_of_a_strangers_frames_is_not_judged_to_its_end() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let mut stranger = Phone::new(77);
    let change = stranger.writes(TEAM_SCOPE, &["visit"]);
    let foreign = stranger.frame(TEAM_SCOPE, &[change]);
    let many = vec![foreign.clone(); 2_000_000 / foreign.len()];
    let (status, refused) = site.refused(request(&lan, &site.nonce(&lan), &many)).await;
    assert_eq!((status, refused.problem), (401, Problem::UnknownDevice));
    let (code, judged, _) = site.log().list_refusals().unwrap().remove(0);
    assert_eq!(code, "unknown_device");
    assert!(judged < many.len() as u64 / 2, "{judged} of {}", many.len());

    // Who brings something true is heard to the end, whatever else the request carries.
    let change = lan.writes(TEAM_SCOPE, &["visit"]);
    let last = lan.writes(TEAM_SCOPE, &["visit"]);
    let mut frames = vec![lan.frame(TEAM_SCOPE, &[change])];
    frames.extend(many);
    frames.push(lan.frame(TEAM_SCOPE, &[last]));
    let (status, _) = site.post(SYNC_PATH, request(&lan, &site.nonce(&lan), &frames)).await;
    assert_eq!((status, site.head(TEAM_SCOPE)), (200, 2));
}

#[tokio::test]
async fn a_trainer_never_receives_a_team_frame() {
    let site = Site::start().await;
    let (mut lan, trainer) = (site.phone(1, Role::Member), site.phone(2, Role::Trainer));
    let visit = lan.writes(TEAM_SCOPE, &["visit"]);
    let run = lan.writes(TRAINING, &["checklist_run"]);
    for (scope, change) in [(TEAM_SCOPE, &visit), (TRAINING, &run)] {
        site.hub().intake.take(&lan.frame(scope, std::slice::from_ref(change)), NOW).unwrap();
    }
    let heard = site.sync(&trainer, Asks::from_start(&[TEAM_SCOPE, TRAINING])).await;
    assert_eq!(heard.keys(), [run.key]);
    let news = heard.news.unwrap();
    assert_eq!(news.problems, [Problem::ScopeUnknown(TEAM_SCOPE)]);
    // Not even by a grant that was made by mistake: the role decides.
    let grants = site.log().grants(trainer.id()).unwrap();
    assert!(grants.iter().all(|grant| grant.scope != TEAM_SCOPE));
    let heard = site.sync(&trainer, Asks::from_start(&[])).await;
    assert_eq!(heard.keys(), [run.key], "joined scopes are told and followed");
}

#[tokio::test]
async fn scopes_of_a_team_that_was_left_are_left_by_the_hubs_word() {
    let site = Site::start().await;
    let lan = site.phone(1, Role::Member);
    site.log().commit(site.key().id(), &[Write::Leave(lan.id(), team_id())], NOW).unwrap();
    site.hands.forward(MINUTE);
    let heard = site.sync(&lan, Asks::from_start(&[TEAM_SCOPE, TRAINING])).await;
    let left = heard.news.unwrap().left;
    let told: Vec<_> = left.iter().map(|left| (left.scope, left.at_ms)).collect();
    assert_eq!(told, [(TEAM_SCOPE, NOW.unsigned()), (TRAINING, NOW.unsigned())]);
    assert!(left.iter().all(|left| left.holds(&site.public(), lan.id())));
}

#[tokio::test]
async fn a_cursor_of_another_history_is_told_and_falls_back_to_a_known_mark() {
    let site = Site::start().await;
    let (mut lan, minh) = (site.phone(1, Role::Member), site.phone(2, Role::Member));
    let changes: Vec<_> = (0..4).map(|_| lan.writes(TEAM_SCOPE, &["visit"])).collect();
    site.hub().intake.take(&lan.frame(TEAM_SCOPE, &changes), NOW).unwrap();
    let known = Cursor::start(TEAM_SCOPE).then(changes[0].key).then(changes[1].key);
    let mut asks = Asks::from_start(&[]);
    asks.cursors = vec![(TEAM_SCOPE, Cursor { position: 900, chain: Chain([9; 8]) })];
    asks.marks = vec![Cursor { position: 700, chain: Chain([8; 8]) }, known];
    let heard = site.sync(&minh, asks).await;
    assert_eq!(heard.fell_back, [(TEAM_SCOPE, known)]);
    assert_eq!(heard.keys(), [changes[2].key, changes[3].key]);
}

#[tokio::test]
async fn what_is_set_aside_is_told_to_its_author() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let changes = [lan.writes(TEAM_SCOPE, &["visit"]), lan.writes(TEAM_SCOPE, &["team"])];
    let heard = site.sync(&lan, Asks::from_start(&[TEAM_SCOPE]).sending(TEAM_SCOPE, &changes)).await;
    let news = heard.news.unwrap();
    assert_eq!(news.set_aside_total, 1);
    assert_eq!((news.set_aside[0].key, news.set_aside[0].reason), (changes[1].key, Reason::Role as u8));
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_push_loses_no_frame_that_was_kept() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let frames: Vec<_> = (0..2)
        .map(|_| {
            let change = lan.writes(TEAM_SCOPE, &["visit"]);
            lan.frame(TEAM_SCOPE, &[change])
        })
        .collect();
    let body = request(&lan, &site.nonce(&lan), &frames);
    let mut line = TcpStream::connect(site.running.addr).await.unwrap();
    let head = format!("POST {SYNC_PATH} HTTP/1.1\r\nhost: hub\r\ncontent-length: {}\r\n\r\n", body.len());
    line.write_all(head.as_bytes()).await.unwrap();
    let first = body.len() - frames[1].len();
    let mut bell = site.hub().dirty.bell();
    line.write_all(&body[..first]).await.unwrap();
    bell.changed().await.unwrap();
    let site = site.restart().await;
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 503"), "told to come again");
    assert_eq!(site.head(TEAM_SCOPE), 1);
    let (status, _) = site.post(SYNC_PATH, body).await;
    assert_eq!((status, site.head(TEAM_SCOPE)), (200, 2));
}

#[tokio::test]
async fn a_hub_with_no_room_says_busy_and_lives() {
    let site = Site::start().await;
    let url = format!("http://{}/healthz", site.running.addr);
    assert_eq!(site.client.get(url).send().await.unwrap().status(), 200);
    let (status, _) = site.post(ENROL_PATH, vec![0; 20_000]).await;
    assert_eq!(status, 413);
    let (status, _) = site.post(SYNC_PATH, vec![]).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_body_that_claims_four_gigabytes_is_refused_before_it_is_read() {
    let site = Site::start().await;
    for length in ["4294967296", "99999999999999999999"] {
        let mut line = TcpStream::connect(site.running.addr).await.unwrap();
        let head = format!("POST {SYNC_PATH} HTTP/1.1\r\nhost: hub\r\ncontent-length: {length}\r\n\r\n");
        line.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        line.read_exact(&mut answer).await.unwrap();
        let status = String::from_utf8_lossy(&answer).into_owned();
        assert!(["HTTP/1.1 413", "HTTP/1.1 400"].contains(&status.as_str()), "{status}");
    }
}

#[tokio::test]
async fn a_frame_of_a_later_version_has_its_own_answer_and_what_came_before_is_kept() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    for (at, value) in [(2, 2), (3, 2), (3, 9)] {
        let (before, change) = (site.head(TEAM_SCOPE), lan.writes(TEAM_SCOPE, &["visit"]));
        let good = lan.frame(TEAM_SCOPE, &[change]);
        let mut later = good.clone();
        later[at] = value;
        let (status, refused) = site.refused(request(&lan, &site.nonce(&lan), &[good, later])).await;
        assert_eq!((status, refused.problem), (400, Problem::ProtocolTooNew), "byte {at} = {value}");
        assert_eq!(site.head(TEAM_SCOPE), before + 1);
    }
}

#[tokio::test]
async fn what_was_sent_before_is_no_second_visit_though_the_request_is_replayed() {
    let site = Site::start().await;
    let mut lan = site.phone(1, Role::Member);
    let changes = [lan.writes(TEAM_SCOPE, &["visit"]), lan.writes(TEAM_SCOPE, &["visit"])];
    let body = request(&lan, &site.nonce(&lan), &[lan.frame(TEAM_SCOPE, &changes)]);
    for _ in 0..3 {
        let (status, _) = site.post(SYNC_PATH, body.clone()).await;
        assert_eq!((status, site.head(TEAM_SCOPE)), (200, 2));
    }
}

#[tokio::test]
async fn who_stalls_holds_no_place_and_no_stop() {
    let limits = Limits { requests: 1, stall_ms: 50, ..Limits::default() };
    let site = Site::with(limits).await;
    for path in [SYNC_PATH, ENROL_PATH] {
        let mut line = TcpStream::connect(site.running.addr).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: hub\r\ncontent-length: 100\r\n\r\n");
        line.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        line.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 400", "{path}");
    }
    let mut line = TcpStream::connect(site.running.addr).await.unwrap();
    line.write_all(b"POST /v1/enrol HTTP/1.1\r\nhost: hub\r\ncontent-length: 100\r\n\r\n").await.unwrap();
    site.running.shutdown().await.unwrap();
}
