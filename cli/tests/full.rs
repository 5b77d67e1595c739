//! No room is left, for the hub or for the phone: nothing that was there before is lost, and work goes on once there
//! is room again.

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod stage;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use langso_device::AppError;
use langso_device::companion::SyncNow;
use serde_json::json;
use stage::field::handset::{acknowledged, written};
use stage::{LANGSO, Serving, Stage, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_without_room_says_busy_loses_nothing_and_goes_on_when_there_is_room() {
    let mut stage = Stage::new().await;
    let phone = stage.open();
    stage.serving.kill();
    let longest =
        ["hub.db", "hub.db-wal"].map(|file| std::fs::metadata(stage.data().join(file)).unwrap().len());
    let blocks = longest.into_iter().max().unwrap().div_ceil(512) as u32;
    stage.serving = Serving::start_within(&stage.data(), blocks + 400);
    stage.link.point_to(stage.serving.addr);
    let mut refused = None;
    for _ in 0..40 {
        stage.work(&phone, 20);
        if let Err(why) = phone.sync().sync_now(SyncNow::default()).await {
            refused = Some(why);
            break;
        }
    }
    assert_eq!(refused, Some(AppError::Offline { why: "hub_busy".to_owned() }), "it never ran full");
    assert!(stage.serving.child.try_wait().unwrap().is_none(), "the hub lives");
    let known = acknowledged(&stage.phone().join("phone.db"));
    assert!(!known.is_empty());
    stage.serving.kill();
    assert!(known.is_subset(&stage.arrived()), "acknowledged and lost");
    stage.restart();
    phone.sync().sync_now(SyncNow::default()).await.unwrap();
    stage.all_is_well();
}

fn logs_visit(mut langso: Command, stage: &Stage) -> Output {
    let mut child = langso
        .args(["phone", "--at"])
        .arg(stage.phone())
        .args(["call", "visits.log_visit"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let visit = json!({"note": "hẹn thứ hai", "services": [{"service": "sim_4g@1", "outcome": 1}]});
    child.stdin.take().unwrap().write_all(visit.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_room_refuses_the_save_and_keeps_its_book() {
    let stage = Stage::new().await;
    stage.work(&stage.open(), 3);
    let before = written(&stage.phone().join("phone.db"));
    let refused = logs_visit(within(0), &stage);
    assert!(!refused.status.success());
    let told: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert!(told["error"].is_string(), "{told}");
    assert_eq!(written(&stage.phone().join("phone.db")), before);
    assert!(logs_visit(Command::new(LANGSO), &stage).status.success());
    stage.open().sync().sync_now(SyncNow::default()).await.unwrap();
    stage.all_is_well();
    assert_eq!(written(&stage.phone().join("phone.db")).len(), before.len() + 1);
}
