//! SIGKILL and SIGTERM in the middle of a sync, to the program as it runs: `langso serve` and `langso phone`.
//!
//! A link between the two tells when so many bytes have passed and holds the line there, so that each moment is one
//! of the protocol and not one of the clock.

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod stage;

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use langso_device::AppError;
use langso_device::companion::SyncNow;
use rustix::process::Signal;
use stage::Stage;
use stage::field::handset::acknowledged;
use stage::field::link::Break;

/// Moments all over a request and its reply; with `LANGSO_LONG=1` far more of them.
fn moments() -> impl Iterator<Item = Break> {
    let (up, down) = match std::env::var_os("LANGSO_LONG").is_some_and(|long| long == "1") {
        true => (5, 3),
        false => (37, 19),
    };
    (0..1_200).step_by(up).map(Break::Up).chain((0..400).step_by(down).map(Break::Down))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_at_any_moment_of_a_sync_loses_nothing_and_gives_no_number_twice() {
    let stage = Stage::new().await;
    stage.link.watch(stage.phone().join("phone.db"));
    let mut killed = 0;
    for moment in moments() {
        stage.work(&stage.open(), 2);
        stage.link.hold_at(moment);
        let mut syncing = stage.syncing();
        // A moment past the end is none: the sync is over before it.
        let done = tokio::task::spawn_blocking({
            let stdout = syncing.stdout.take().unwrap();
            move || BufReader::new(stdout).lines().count()
        });
        tokio::select! {
            () = stage.link.held() => killed += 1,
            lines = done => assert_eq!(lines.unwrap(), 1, "{moment:?}"),
        }
        syncing.kill().unwrap();
        syncing.wait().unwrap();
        stage.link.release();
        stage.link.break_at(Break::Never);
        assert!(stage.syncing().wait().unwrap().success(), "{moment:?}");
        stage.all_is_well();
    }
    assert!(killed > 25, "killed {killed} times only");
    println!("resilience: kill_sync_phone cases={killed} lost=0 seed=0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_at_any_moment_of_a_sync_loses_nothing_that_was_acknowledged() {
    let mut stage = Stage::new().await;
    stage.link.watch(stage.phone().join("phone.db"));
    let phone = Arc::new(stage.open());
    let mut killed = 0;
    for moment in moments() {
        stage.work(&phone, 2);
        stage.link.hold_at(moment);
        let syncs = phone.clone();
        let mut sync = tokio::spawn(async move { syncs.sync().sync_now(SyncNow::default()).await });
        tokio::select! {
            () = stage.link.held() => {
                killed += 1;
                stage.serving.kill();
                let before = acknowledged(&stage.phone().join("phone.db"));
                assert!(before.is_subset(&stage.arrived()), "{moment:?}: acknowledged and lost");
                stage.restart();
                stage.link.release();
                let _ = sync.await.unwrap();
            }
            done = &mut sync => drop(done.unwrap().unwrap()),
        }
        stage.link.break_at(Break::Never);
        let report = phone.sync().sync_now(SyncNow::default()).await.unwrap();
        assert_eq!(report.waiting, 0, "{moment:?}");
        stage.all_is_well();
    }
    assert!(killed > 25, "killed {killed} times only");
    println!("resilience: kill_sync_hub cases={killed} lost=0 seed=0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_told_to_stop_in_the_middle_of_a_push_keeps_what_was_whole_and_ends_well() {
    let mut stage = Stage::new().await;
    let phone = Arc::new(stage.open());
    for moment in [0, 100, 300, 700, 1_100, 1_500].map(Break::Up) {
        // Enough for a request of several frames.
        stage.work(&phone, 40);
        stage.link.hold_at(moment);
        let syncs = phone.clone();
        let sync = tokio::spawn(async move { syncs.sync().sync_now(SyncNow::default()).await });
        stage.link.held().await;
        stage.serving.signal(Signal::TERM);
        assert!(stage.serving.child.wait().unwrap().success(), "{moment:?}: did not end well");
        stage.link.release();
        let heard = sync.await.unwrap();
        assert!(matches!(heard, Err(AppError::Offline { .. })), "{moment:?}: {heard:?}");
        let known = acknowledged(&stage.phone().join("phone.db"));
        assert!(known.is_subset(&stage.arrived()), "{moment:?}: acknowledged and lost");
        stage.restart();
        stage.link.break_at(Break::Never);
        phone.sync().sync_now(SyncNow::default()).await.unwrap();
        stage.all_is_well();
    }
}
