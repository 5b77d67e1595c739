//! Rows that change by themselves, on a phone and at the hub: found by counting and comparing, said on both sides.

use langso_device::AppError;
use langso_device::companion::{Nothing, SyncNow, SyncProblem};
use langso_domain::id::{Key, to_base32};
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use rusqlite::Connection;

use crate::field::link::Break;
use crate::field::{Field, Handset, Team, http};

/// Scopes of which a phone has said digests since the last look, by request.
fn said(phone: &Handset) -> Vec<usize> {
    let exchanges = phone.link.take_exchanges();
    let hellos = exchanges.iter().filter_map(|exchange| http::asked(&exchange.up).0);
    hellos.map(|hello| hello.digests.len()).collect()
}

fn damaged(phone: &mut Handset) -> bool {
    let problems = phone.app().sync().list_sync_problems(Nothing {}).unwrap().problems;
    problems.iter().any(|problem| matches!(problem, SyncProblem::Repairing { .. }))
}

/// How often damage was found on this phone, and in the hub's replicas.
fn counted(field: &Field, phone: &Handset) -> (u64, u64) {
    let damages = field.hub().list_damages().unwrap();
    let of = |device| damages.iter().filter(|one| one.device == device).map(|one| one.count).sum();
    (of(phone.device()), of(field.hub().keys.id()))
}

/// Changes the household's label behind everybody's back.
fn flip(file: &std::path::Path) {
    let file = Connection::open(file).unwrap();
    let sql = "UPDATE households SET label = 'Hộ 13' WHERE label = 'Hộ 12'";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
}

async fn phone(field: &Field, team: &Team) -> Handset {
    let mut member = field.phone(team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.household("Hộ 12");
    member.visit(team);
    member.sync().await.unwrap();
    said(&member);
    member
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_are_compared_once_a_day_and_cost_nothing_in_between() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = phone(&field, &team).await;
    member.sync().await.unwrap();
    assert_eq!(said(&member), [0], "what has just come was checked as it came");
    field.world.pass(DAY_MS);
    let report = member.sync().await.unwrap();
    assert_eq!((said(&member), report.requests), (vec![1], 1), "with the request that is made anyway");
    assert!(report.bytes_up <= 500, "{report:?}");
    // Team and training; there is nothing yet in the other scopes.
    member.sync().await.unwrap();
    assert_eq!(said(&member), [1]);
    member.sync().await.unwrap();
    assert_eq!(said(&member), [0]);
    // Others wrote meanwhile: the comparison follows when all is here.
    field.world.pass(DAY_MS);
    let mut other = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    other.household("Hộ 40");
    other.sync().await.unwrap();
    member.sync().await.unwrap();
    assert_eq!(said(&member), [1, 1], "the team's scope has moved on under the first");
    assert!(!damaged(&mut member));
    assert_eq!(counted(&field, &member), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsent_is_not_compared() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = phone(&field, &team).await;
    field.world.pass(DAY_MS);
    member.household("Hộ 13");
    member.sync().await.unwrap();
    assert_eq!(said(&member), [0, 1], "the team's scope only when its save has arrived");
    assert_eq!(counted(&field, &member), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_phone_that_changes_by_itself_is_found_within_a_week_and_said_on_both_sides() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = phone(&field, &team).await;
    let before = member.rows();
    flip(&member.file());
    assert!(member.rows() != before);
    field.world.pass(DAY_MS);
    member.sync().await.unwrap();
    assert!(!damaged(&mut member), "what the writes kept is as it was; rows are counted once a week");
    field.world.pass(6 * DAY_MS);
    member.sync().await.unwrap();
    assert_eq!(counted(&field, &member), (1, 0), "said to the operator");
    assert!(!damaged(&mut member), "fetched anew and compared, in the same sync");
    assert!(member.rows() == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_killed_counts_its_rows_at_the_next_sync() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = phone(&field, &team).await;
    // A save takes the digest out of the file; the copy is what a kill leaves.
    member.household("Hộ 13");
    let mut killed = member.copy();
    flip(&killed.file());
    killed.sync().await.unwrap();
    assert_eq!(counted(&field, &killed), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_hub_that_changes_by_itself_is_made_again_from_the_log() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut member = phone(&field, &team).await;
    let replica =
        |field: &Field| field.folder.path().join("replicas").join(format!("{}.db", to_base32(&team.scope.0)));
    let label = |field: &Field| -> String {
        let file = Connection::open(replica(field)).unwrap();
        file.query_row("SELECT label FROM households", [], |row| row.get(0)).unwrap()
    };
    field.hub().project(team.scope).unwrap();
    // By its own count.
    flip(&replica(&field));
    assert_eq!(label(&field), "Hộ 13");
    assert!(field.hub().check_rows(team.scope).unwrap());
    assert_eq!((label(&field).as_str(), counted(&field, &member)), ("Hộ 12", (0, 1)));
    assert!(!field.hub().check_rows(team.scope).unwrap());
    // By a phone that knows better, also when the hub's rows agree with themselves.
    for recounts in [false, true] {
        flip(&replica(&field));
        let file = Connection::open(replica(&field)).unwrap();
        file.execute("UPDATE scopes SET digest = zeroblob(16)", []).unwrap();
        drop(file);
        if recounts {
            field.hub().replicas.is_damaged(team.scope).unwrap();
            field.world.pass(DAY_MS);
        }
        field.world.pass(DAY_MS);
        let before = counted(&field, &member);
        // The team's scope and that of its training, one in each.
        member.sync().await.unwrap();
        member.sync().await.unwrap();
        assert!(!damaged(&mut member), "the phone is right");
        assert_eq!((label(&field).as_str(), counted(&field, &member)), ("Hộ 12", (0, before.1 + 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_counts_the_rows_of_each_scope_once_a_week() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let member = phone(&field, &team).await;
    let hub = field.hub();
    hub.project(team.scope).unwrap();
    let path = field.folder.path().join("replicas").join(format!("{}.db", to_base32(&team.scope.0)));
    flip(&path);
    for _ in 0..7 {
        field.world.pass(DAY_MS);
        hub.check_some().unwrap();
    }
    assert_eq!(counted(&field, &member), (0, 1));
    // It is switched on once a week, on one and the same day of it.
    for week in 2..5 {
        flip(&path);
        field.world.pass(7 * DAY_MS);
        hub.check_some().unwrap();
        assert_eq!(counted(&field, &member), (0, week));
    }
    // The clock went ahead and was set right: what it said then is no reason to wait.
    field.world.pass(300 * DAY_MS);
    hub.check_some().unwrap();
    flip(&path);
    field.world.pass(-300 * DAY_MS);
    hub.check_some().unwrap();
    assert_eq!(counted(&field, &member), (0, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_under_which_the_database_was_set_aside_ends_and_leaves_no_hole() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut lead = field.phone(&team, "Hoàng Thị Đượm", Role::Lead).await;
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    for n in 0..12 {
        member.household(&format!("Hộ {n} của Múi"));
    }
    member.sync().await.unwrap();
    lead.sync().await.unwrap();
    for n in 0..12 {
        lead.household(&format!("Hộ {n} của Đượm"));
    }
    lead.sync().await.unwrap();
    member.household("Hộ chưa gửi");
    member.app();
    let link = member.link.clone();
    link.hold_at(Break::Down(400));
    {
        let app = member.app();
        let under = async {
            link.held().await;
            app.heal().unwrap();
            link.release();
        };
        let sync = app.sync();
        let (synced, ()) = tokio::join!(sync.sync_now(SyncNow::default()), under);
        assert_eq!(synced, Err(AppError::Offline { why: "stopped".to_owned() }));
    }
    link.break_at(Break::Never);
    assert_eq!(member.cursor(team.scope), 0, "nothing of the old numbers came into the new database");
    let synced = member.sync().await.unwrap();
    assert!(synced.is_done && synced.waiting == 0);
    field.holds_once(team.scope, of_team(&member, &team).iter());
    lead.sync().await.unwrap();
    assert_eq!(member.count("households"), 25);
    assert_eq!(lead.count("households"), 25);
}

fn of_team(phone: &Handset, team: &Team) -> Vec<Key> {
    phone.written().into_iter().filter(|(of, ..)| *of == team.scope).map(|(_, key, _)| key).collect()
}
