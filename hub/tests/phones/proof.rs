//! A snapshot is the only proof of what the hub holds below it: what an earlier reply said, what is carried and what has
//! been forgotten are held against it. And what nothing proves stays on the phone.

use langso_device::companion::{Nothing, SyncProblem};
use langso_domain::id::{Key, RowId};
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use rusqlite::Connection;
use serde_json::json;

use crate::field::ledger::Ledger;
use crate::field::{Field, Handset, Team};
use crate::history::receipts_above_the_cursor;

const ROWS: usize = 200;

/// A book whose rows are written over and over, so that a snapshot of it is much shorter than its changes; then it is made.
async fn write_and_snapshot(field: &Field, team: &Team, phone: &mut Handset) -> u64 {
    let hint = |at: usize| format!("qua cầu treo, nhà sàn thứ {at} bên trái đường lên bản, cạnh trường");
    let rows: Vec<RowId> = phone.save(|saving| {
        let made = (0..ROWS).map(|at| {
            let label = format!("Hộ sổ {at}");
            saving.create("household", [("label", label.as_str().into()), ("hint", hint(at).as_str().into())])
        });
        made.collect()
    });
    for round in 0..30u8 {
        phone.save(|saving| {
            rows.iter().try_for_each(|id| saving.patch("household", *id, [("poverty", (round % 3).into())]))
        });
    }
    phone.sync().await.unwrap();
    let hub = field.hub();
    assert!(hub.snapshots.make(&hub.replicas, team.scope, true).unwrap());
    hub.snapshots.of(team.scope).unwrap()[0].of.position
}

/// Whether a snapshot of the scope has come over the link since the last look.
fn has_landed(phone: &Handset, team: &Team) -> bool {
    let exchanges = phone.link.take_exchanges();
    let mut states = exchanges.iter().flat_map(|exchange| exchange.states());
    states.any(|frame| frame.header.scope == team.scope && frame.header.is_last())
}

fn one(phone: &Handset, sql: &str) -> i64 {
    phone.read().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn problems(phone: &mut Handset) -> Vec<SyncProblem> {
    phone.app().sync().list_sync_problems(Nothing {}).unwrap().problems
}

fn rung(phone: &mut Handset, visit: impl serde::Serialize) -> String {
    let shown = phone.app().call("visits.get_visit", json!({"visit": visit})).unwrap();
    shown["receipt"]["rung"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_a_snapshot_does_not_bear_out_is_void_and_its_change_goes_out_in_the_same_sync() {
    let (field, team, mut member, mut ledger) = receipts_above_the_cursor().await;
    let mut third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    third.sync().await.unwrap();
    let of = write_and_snapshot(&field, &team, &mut third).await;
    ledger.note(&third);
    let said = member.receipts(team.scope);
    let above: Vec<Key> = said
        .iter()
        .filter(|(position, _)| *position as i64 > member.cursor(team.scope))
        .map(|(_, key)| *key)
        .collect();
    assert_eq!(above.len(), 3);
    assert!(said.iter().all(|(position, _)| (*position as u64) < of));
    member.link.take_exchanges();
    let report = member.sync().await.unwrap();
    assert!(has_landed(&member, &team), "no snapshot was served");
    assert_eq!(report.waiting, 0);
    field.holds_once(team.scope, &above);
    third.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member, &mut third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_carried_and_comes_back_in_a_snapshot_is_carried_no_more_and_not_forgotten() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    let copy = field.copy();
    for at in 0..3 {
        lead.household(&format!("Hộ {at}"));
    }
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    ledger.note(&lead);
    let saved = ledger.keys(team.scope);
    let field = field.roll_back(&copy).await;
    field.reach(&[&member, &lead]);
    write_and_snapshot(&field, &team, &mut lead).await;
    ledger.note(&lead);
    field.holds_once(team.scope, &saved);
    member.link.take_exchanges();
    member.sync().await.unwrap();
    assert!(has_landed(&member, &team), "no snapshot was served");
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead]);
    // The hub loses it all once more, and the phone that wrote it is lost: what was carried once is carried again.
    let field = field.roll_back(&copy).await;
    field.reach(&[&member]);
    drop(lead);
    member.sync().await.unwrap();
    field.holds_once(team.scope, &saved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_tells_that_forgotten_work_is_at_the_hub_after_a_rebuild_and_after_a_fall_back_to_the_start()
 {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    let visits = [member.visit(&team), member.visit(&team)];
    member.sync().await.unwrap();
    ledger.note(&member);
    write_and_snapshot(&field, &team, &mut lead).await;
    ledger.note(&lead);
    member.sync().await.unwrap();
    field.back_up();
    member.sync().await.unwrap();
    field.world.pass(8 * DAY_MS);
    member.sync().await.unwrap();
    assert_eq!(one(&member, "SELECT count(*) FROM outbox"), 0, "all is forgotten");
    lead.sync().await.unwrap();
    let hub = field.hub();
    hub.snapshots.make(&hub.replicas, team.scope, true).unwrap();
    for is_rebuilt in [true, false] {
        member.close();
        let mut phone = member.copy();
        if is_rebuilt {
            std::fs::write(phone.file(), b"not a database").unwrap();
            for beside in ["phone.db-wal", "phone.db-shm"] {
                let _ = std::fs::remove_file(phone.path().join(beside));
            }
        } else {
            let file = Connection::open(phone.file()).unwrap();
            file.execute("DELETE FROM marks", []).unwrap();
            file.execute("UPDATE scopes SET chain = zeroblob(8) WHERE scope = ?1", [team.scope.0]).unwrap();
        }
        phone.link.take_exchanges();
        phone.sync().await.unwrap();
        assert!(has_landed(&phone, &team), "no snapshot was served");
        for visit in &visits {
            assert_eq!(rung(&mut phone, visit), "in_backup");
        }
        let status = phone.app().sync().get_status(Nothing {}).unwrap();
        assert_eq!((status.on_phone, status.void), (0, 0), "{status:?}");
        ledger.is_whole(&field, &team, &mut [&mut phone]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_hub_lost_after_they_were_forgotten_stay_and_are_told_of() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    let old = field.copy();
    for at in 0..3 {
        lead.household(&format!("Hộ {at}"));
        lead.sync().await.unwrap();
        member.visit(&team);
        member.sync().await.unwrap();
    }
    field.back_up();
    let newer = field.copy();
    member.sync().await.unwrap();
    field.world.pass(8 * DAY_MS);
    member.sync().await.unwrap();
    assert_eq!(one(&member, "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM kept_frames)"), 0);
    let rows = member.rows();
    let field = field.roll_back(&old).await;
    field.reach(&[&member]);
    for day in 0..5 {
        member.sync().await.unwrap();
        assert!(member.rows() == rows, "rows are gone on day {day}");
        let told = problems(&mut member);
        assert!(told.iter().any(|one| matches!(one, SyncProblem::HubLacksRows { .. })), "{told:?}");
        assert!(!told.iter().any(|one| matches!(one, SyncProblem::Repairing { .. })), "{told:?}");
        field.world.pass(DAY_MS);
    }
    let at_hub = field.hub().list_damages().unwrap();
    assert!(at_hub.iter().any(|one| one.device == member.device()), "the hub knows of it, too");
    // Somebody finds the copy that has it all.
    let field = field.roll_back(&newer).await;
    field.reach(&[&member]);
    member.sync().await.unwrap();
    field.world.pass(DAY_MS);
    member.sync().await.unwrap();
    assert!(member.rows() == rows);
    let told = problems(&mut member);
    assert!(!told.iter().any(|one| matches!(one, SyncProblem::HubLacksRows { .. })), "{told:?}");
}
