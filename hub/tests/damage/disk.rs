//! A disk that fails at the n-th call that would change it, for every n of a save, an open, a sync and a first sync.

use std::collections::BTreeSet;
use std::path::Path;

use langso_device::companion::SyncNow;
use langso_device::{Companion, Result};
use langso_faults::{Disk, Fault};
use serde_json::json;

use super::field::Handset;
use super::{Ground, assert_same, assert_sound, keys, report, stride};

fn labels(phone: &Handset) -> Vec<String> {
    let connection = phone.read();
    let sql = "SELECT label FROM households WHERE v_stamp > 0 ORDER BY label";
    let mut get = connection.prepare(sql).unwrap();
    get.query_map([], |row| row.get(0)).unwrap().map(|label| label.unwrap()).collect()
}

fn try_household(app: &Companion, label: &str) -> Result<()> {
    let consent = json!({"text": "consent.script@1", "way": 1});
    let new = json!({"label": label, "hint": "cạnh trường", "persons": [], "consent": consent});
    app.call("households.create_household", new).map(drop)
}

fn journal(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("journal")).map_or(0, |file| file.len())
}

/// After a power cut: what the journal got since, and was never synced, may be gone.
fn cut_journal(folder: &Path, length: u64, fault: Fault, n: u32) {
    if fault == Fault::PowerCut && n.is_multiple_of(2) && journal(folder) > length {
        std::fs::OpenOptions::new()
            .write(true)
            .open(folder.join("journal"))
            .unwrap()
            .set_len(length)
            .unwrap();
    }
}

/// Runs `work` on a copy of the phone with each fault at each call, until a run meets none; gives each run that did to
/// `check`, with the disk sound again.
async fn at_every_call<W, C>(ground: &Ground, template: &Handset, short: usize, work: W, check: C) -> usize
where
    W: AsyncFn(&mut Handset, &Disk, u32, Fault) -> BTreeSet<String>,
    C: AsyncFn(&Ground, &mut Handset, BTreeSet<String>, &str),
{
    let mut cases = 0;
    for (offset, fault) in (1..).zip(Fault::ALL) {
        let mut n = offset.min(short as u32);
        loop {
            let mut phone = template.copy();
            let disk = Disk::under(phone.path());
            let length = journal(phone.path());
            let acknowledged = work(&mut phone, &disk, n, fault).await;
            phone.close();
            let has_failed = disk.has_failed();
            disk.mend();
            cut_journal(phone.path(), length, fault, n);
            check(ground, &mut phone, acknowledged, &format!("{fault:?} at call {n}")).await;
            if !has_failed {
                break;
            }
            cases += 1;
            n += stride(short) as u32;
        }
    }
    cases
}

/// What was there and what was answered is there; the next save goes by another writer; all reaches the hub.
async fn is_well(
    ground: &Ground,
    template: &Handset,
    phone: &mut Handset,
    answered: BTreeSet<String>,
    what: &str,
) {
    phone.app();
    let (before, after) = (keys(template), keys(phone));
    assert!(before.iter().all(|key| after.contains(key)), "{what}: what was saved before is there");
    let found = labels(phone);
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(distinct.len(), found.len(), "{what}: a save is there twice");
    assert!(answered.is_subset(&distinct), "{what}: answered and lost: {answered:?}");
    try_household(phone.app(), "Hộ sau cùng").unwrap_or_else(|error| panic!("{what}: {error}"));
    let again = keys(phone);
    assert_eq!(again.iter().collect::<BTreeSet<_>>().len(), again.len(), "{what}: a key twice");
    assert!(again.len() > after.len());
    assert_sound(phone, what);
    ground.all_arrives(phone, what).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_of_a_save_loses_nothing_that_was_answered() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let template = ground.member.copy();
    let work = async |phone: &mut Handset, disk: &Disk, n, fault| {
        let mut answered = BTreeSet::new();
        phone.app();
        disk.fail_at(n, fault);
        for label in ["Hộ lúc hỏng 1", "Hộ lúc hỏng 2"] {
            if try_household(phone.app(), label).is_ok() {
                answered.insert(label.to_owned());
            }
        }
        answered
    };
    let check = async |ground: &Ground, phone: &mut Handset, answered, what: &str| {
        is_well(ground, &template, phone, answered, what).await;
    };
    report("disk_save", at_every_call(&ground, &template, 7, work, check).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_while_a_phone_opens_after_a_kill_loses_nothing() {
    // Copied while the app runs: the log is still there, and the last writers were not ended.
    let ground = Ground::new().await;
    let template = ground.member.copy();
    std::fs::write(template.path().join("journal"), b"").unwrap();
    let work = async |phone: &mut Handset, disk: &Disk, n, fault| {
        disk.fail_at(n, fault);
        // It may open or not; it is dropped at once.
        drop(Companion::open(phone.path(), phone.time.clone()));
        BTreeSet::new()
    };
    let check = async |ground: &Ground, phone: &mut Handset, answered, what: &str| {
        is_well(ground, &template, phone, answered, what).await;
    };
    report("disk_open", at_every_call(&ground, &template, 11, work, check).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_of_a_rebuild_loses_nothing() {
    let mut ground = Ground::new().await;
    ground.member.close();
    let template = ground.member.copy();
    let mut bytes = std::fs::read(template.file()).unwrap();
    bytes[..16].fill(0);
    std::fs::write(template.file(), &bytes).unwrap();
    let before = ground.member.copy();
    let work = async |phone: &mut Handset, disk: &Disk, n, fault| {
        disk.fail_at(n, fault);
        drop(Companion::open(phone.path(), phone.time.clone()));
        BTreeSet::new()
    };
    let check = async |ground: &Ground, phone: &mut Handset, answered, what: &str| {
        is_well(ground, &before, phone, answered, what).await;
        let is_kept = std::fs::read_dir(phone.path()).unwrap().any(|file| {
            let file = file.unwrap();
            file.file_name().to_string_lossy().contains(".damaged-")
                && std::fs::read(file.path()).unwrap() == bytes
        });
        assert!(is_kept, "{what}: the damaged file is kept as it was");
    };
    report("disk_rebuild", at_every_call(&ground, &template, 41, work, check).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_of_a_sync_loses_nothing_and_the_next_one_ends() {
    let mut ground = Ground::new().await;
    for n in 0..3 {
        ground.lead.household(&format!("Hộ {n} mới của tổ trưởng"));
    }
    ground.lead.sync().await.unwrap();
    ground.member.close();
    syncs(&ground, &ground.member.copy(), "disk_sync", 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_of_a_first_sync_loses_nothing_and_the_next_one_ends() {
    let ground = Ground::new().await;
    let mut fresh =
        ground.field.phone(&ground.team, "Bàn Thị Ghền", langso_domain::registry::Role::Member).await;
    // Work from before the first word of the hub: the phone is offline since it joined.
    fresh.close();
    syncs(&ground, &fresh, "disk_first_sync", 23).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_any_call_while_a_snapshot_lands_loses_nothing_and_the_next_sync_ends_it() {
    let mut ground = Ground::new().await;
    // The member is too far behind, with work that was never sent.
    let mut rows = Vec::new();
    for save in 0..2 {
        rows.extend(ground.lead.save(|saving| {
            let write = |at: usize| {
                let hint =
                    format!("qua cầu treo, nhà sàn thứ {save}/{at} bên trái đường lên bản, cạnh trường");
                saving.create("household", [("label", "Hộ".into()), ("hint", hint.as_str().into())])
            };
            (0..200).map(write).collect::<Result<Vec<_>>>()
        }));
    }
    for round in 0..30u8 {
        ground.lead.save(|saving| {
            let mut rows = rows[..200].iter();
            rows.try_for_each(|id| saving.patch("household", *id, [("poverty", (round % 3).into())]))
        });
    }
    ground.lead.sync().await.unwrap();
    let hub = ground.field.hub();
    assert!(hub.snapshots.make(&hub.replicas, ground.team.scope, true).unwrap());
    let frames = hub.snapshots.of(ground.team.scope).unwrap()[0].frames() as usize;
    assert!(frames > 1, "it lands in one piece");
    ground.member.close();
    let template = ground.member.copy();
    template.link.take_exchanges();
    syncs(&ground, &template, "disk_snapshot", 61).await;
    let exchanges = template.link.take_exchanges();
    let landed = exchanges.iter().flat_map(|exchange| exchange.states()).count();
    assert!(landed > 2 * frames, "{landed} frames of {frames} landed");
}

async fn syncs(ground: &Ground, template: &Handset, name: &str, short: usize) {
    let mut sound = template.copy();
    sound.sync().await.unwrap();
    let rows = sound.rows();
    let work = async |phone: &mut Handset, disk: &Disk, n, fault| {
        phone.app();
        disk.fail_at(n, fault);
        let _ = phone.app().sync().sync_now(SyncNow::default()).await;
        BTreeSet::new()
    };
    let check = async |ground: &Ground, phone: &mut Handset, _: BTreeSet<String>, what: &str| {
        phone.app();
        let (before, after) = (keys(template), keys(phone));
        assert_eq!(after, before, "{what}: own work is what it was");
        ground.all_arrives(phone, what).await;
        assert_sound(phone, what);
        assert_same(&phone.rows(), &rows, what);
    };
    report(name, at_every_call(ground, template, short, work, check).await);
}
