//! A hub whose history is not the one that phones have seen: restored, rolled back unannounced, forked.

use langso_device::companion::Nothing;
use langso_domain::registry::Role;
use langso_hub::clock::DAY_MS;
use rusqlite::Connection;

use crate::field::ledger::Ledger;
use crate::field::link::Break;
use crate::field::{Field, Handset, Team, http};

async fn settled(field: &Field, team: &Team, names: [(&str, Role); 2]) -> [Handset; 2] {
    let [(one, role_one), (two, role_two)] = names;
    let mut phones = [field.phone(team, one, role_one).await, field.phone(team, two, role_two).await];
    for phone in &mut phones {
        phone.sync().await.unwrap();
    }
    for phone in &mut phones {
        phone.household("Hộ 1");
        phone.visit(team);
        phone.sync().await.unwrap();
    }
    phones[0].sync().await.unwrap();
    phones
}

/// Each syncs, and once more, so that the first hear of what the last brought.
async fn come_level(phones: &mut [&mut Handset], ledger: &mut Ledger) {
    for _ in 0..2 {
        for phone in phones.iter_mut() {
            phone.sync().await.unwrap();
            ledger.note(phone);
        }
    }
}

const PAIR: [(&str, Role); 2] = [("Chíu Sám Múi", Role::Member), ("Tằng Dảu Sồi", Role::Lead)];

fn void(phone: &mut Handset) -> u64 {
    phone.app().sync().get_status(Nothing {}).unwrap().void
}

#[tokio::test(flavor = "multi_thread")]
async fn one_phone_brings_a_rolled_back_hub_its_own_work_and_that_of_others() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    let copy = field.copy();
    for _ in 0..3 {
        member.visit(&team);
        lead.household("Hộ 12");
        lead.visit(&team);
        lead.sync().await.unwrap();
        member.sync().await.unwrap();
    }
    ledger.note(&member);
    ledger.note(&lead);
    let field = field.roll_back(&copy).await;
    field.reach(&[&member, &lead]);
    assert!(field.keys(team.scope).len() < ledger.keys(team.scope).len());

    let report = member.sync().await.unwrap();
    assert!(report.is_done && report.waiting == 0);
    // The other phone has not spoken yet, and all it wrote is back.
    ledger.is_whole(&field, &team, &mut [&mut member]);
    lead.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead]);

    // Both stand in the new history: nothing is sent again, and work goes on.
    for phone in [&mut member, &mut lead] {
        let again = phone.sync().await.unwrap();
        assert_eq!(again.requests, 1);
        phone.visit(&team);
        phone.sync().await.unwrap();
        ledger.note(phone);
    }
    member.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_work_at_a_rolled_back_hub_stands_beside_what_comes_back() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let mut third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    third.sync().await.unwrap();
    let copy = field.copy();
    for _ in 0..4 {
        member.visit(&team);
        lead.visit(&team);
        member.sync().await.unwrap();
        lead.sync().await.unwrap();
    }
    let field = field.roll_back(&copy).await;
    field.reach(&[&member, &lead, &third]);
    // The positions that the others had are taken by other changes.
    for _ in 0..6 {
        third.visit(&team);
    }
    third.sync().await.unwrap();
    come_level(&mut [&mut member, &mut lead, &mut third], &mut ledger).await;
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead, &mut third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_phone_wrote_comes_back_from_the_only_one_that_has_it() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let mut away = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    away.sync().await.unwrap();
    let copy = field.copy();
    lead.household("Hộ 12");
    lead.visit(&team);
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    ledger.note(&lead);
    ledger.note(&member);
    let field = field.roll_back(&copy).await;
    field.reach(&[&member, &away]);
    drop(lead);
    // A phone that has never seen it cannot help, and harms nothing.
    away.visit(&team);
    away.sync().await.unwrap();
    ledger.note(&away);
    member.sync().await.unwrap();
    away.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member, &mut away]);
    let mut new = field.phone(&team, "Tằng A Lộc", Role::Member).await;
    for phone in [&mut new, &mut member, &mut away] {
        phone.sync().await.unwrap();
    }
    ledger.is_whole(&field, &team, &mut [&mut member, &mut away, &mut new]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_restored_twice_and_set_right_again_has_everything() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    let old = field.copy();
    member.visit(&team);
    member.sync().await.unwrap();
    lead.visit(&team);
    lead.sync().await.unwrap();
    let newer = field.copy();
    member.household("Hộ 2");
    member.sync().await.unwrap();
    // By mistake the old copy first, and work goes on there; then the newer one.
    let field = field.roll_back(&old).await;
    field.reach(&[&member, &lead]);
    member.visit(&team);
    member.sync().await.unwrap();
    let field = field.roll_back(&newer).await;
    field.reach(&[&member, &lead]);
    come_level(&mut [&mut lead, &mut member], &mut ledger).await;
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_out_of_one_backup_come_together_through_the_phones() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    let copy = field.copy();
    let fork = Field::fork(&copy, &field.world).await;
    for round in 0..4 {
        for (hub, phone) in [(&field, &mut member), (&fork, &mut lead)] {
            hub.reach(&[phone]);
            phone.visit(&team);
            phone.sync().await.unwrap();
            ledger.note(phone);
        }
        // Each goes over to the other's hub, and back.
        for (hub, phone) in [(&fork, &mut member), (&field, &mut lead)] {
            hub.reach(&[phone]);
            phone.household(&format!("Hộ {round}"));
            phone.sync().await.unwrap();
            ledger.note(phone);
        }
    }
    // The operator finds out and stops one of them; the phones go to the one that stays.
    fork.running.shutdown().await.unwrap();
    field.reach(&[&member, &lead]);
    come_level(&mut [&mut member, &mut lead], &mut ledger).await;
    ledger.is_whole(&field, &team, &mut [&mut member, &mut lead]);
}

/// A hint that deflates badly.
fn long_hint(at: u64) -> String {
    let words = ["cạnh", "trường", "suối", "đồi", "chợ", "cầu", "nhà", "văn", "hóa", "sau", "trước", "bản"];
    let mut dice = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let word = |_| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        words[(dice % 12) as usize]
    };
    (0..12).map(word).collect::<Vec<_>>().join(" ")
}

/// A phone with three changes of its own whose receipts lie above its cursor, on a hub that is then rolled back to below
/// them; the cursor stays in its history.
pub async fn receipts_above_the_cursor() -> (Field, Team, Handset, Ledger) {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let mut member = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    let mut lead = field.phone(&team, "Tằng Dảu Sồi", Role::Lead).await;
    lead.sync().await.unwrap();
    for at in 0..400 {
        lead.household_with(&format!("Hộ {at}"), &long_hint(at));
    }
    lead.sync().await.unwrap();
    ledger.note(&lead);
    let copy = field.copy();
    for _ in 0..3 {
        member.household("Hộ riêng");
    }
    ledger.note(&member);
    let report = member.call_sync(9_000).await;
    assert!(!report.is_done && report.waiting == 0, "{report:?}");
    let cursor: i64 = member.cursor(team.scope);
    assert!(cursor < field.log().scope(team.scope).unwrap().unwrap().head as i64 - 3);
    let field = field.roll_back(&copy).await;
    field.reach(&[&member]);
    (field, team, member, ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_above_the_head_is_void_and_its_change_goes_out_in_the_same_sync() {
    let (field, team, mut member, ledger) = receipts_above_the_cursor().await;
    let report = member.sync().await.unwrap();
    assert_eq!(report.waiting, 0);
    ledger.is_whole(&field, &team, &mut [&mut member]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_whose_position_shows_another_change_is_void() {
    let (field, team, mut member, mut ledger) = receipts_above_the_cursor().await;
    let mut third = field.phone(&team, "Lỷ A Nhì", Role::Member).await;
    third.sync().await.unwrap();
    for _ in 0..8 {
        third.household("Hộ khác");
    }
    third.sync().await.unwrap();
    ledger.note(&third);
    let report = member.sync().await.unwrap();
    assert_eq!(report.waiting, 0);
    third.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member, &mut third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_anywhere_between_fall_back_and_sending_again_loses_nothing() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    let copy = field.copy();
    let head = field.keys(team.scope).len() as i64;
    for at in 0..4 {
        member.visit(&team);
        lead.household(&format!("Hộ {at}"));
        lead.sync().await.unwrap();
        member.sync().await.unwrap();
    }
    let visit = member.visit(&team);
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    ledger.note(&member);
    ledger.note(&lead);
    member.close();
    let world = field.world.clone();
    let (mut cases, mut fell_back, mut seen_void) = (0, 0, 0);
    for up in [false, true] {
        let mut at = 1;
        loop {
            let fork = Field::fork(&copy, &world).await;
            let mut dies = member.copy();
            fork.reach(&[&dies]);
            // Where the line hangs the process dies: what it would do after a cut it never does.
            dies.link.hold_at(if up { Break::Up(at) } else { Break::Down(at) });
            let hangs = dies.link.clone();
            let is_over = tokio::select! {
                ended = dies.sync() => { ended.unwrap(); true }
                () = hangs.held() => false,
            };
            let mut left = dies.copy();
            dies.link.release();
            drop(dies);
            left.link.break_at(Break::Never);
            if left.cursor(team.scope) <= head {
                for (position, key) in left.receipts(team.scope) {
                    assert_eq!(
                        fork.keys(team.scope).get(position - 1),
                        Some(&key),
                        "a receipt that is not true"
                    );
                }
                fell_back += 1;
            }
            if void(&mut left) > 0 {
                seen_void += 1;
                let shown = left.app().call("visits.get_visit", serde_json::json!({"visit": visit})).unwrap();
                assert!(
                    shown["receipt"]["is_void"] == true && shown["receipt"]["rung"] == "on_phone",
                    "{shown}"
                );
            }
            left.sync().await.unwrap();
            ledger.is_whole(&fork, &team, &mut [&mut left]);
            fork.running.shutdown().await.unwrap();
            cases += 1;
            if is_over {
                break;
            }
            at += 61;
        }
    }
    println!(
        "{cases} phones killed around a fall-back: {fell_back} stood at or below the mark, {seen_void} had void receipts"
    );
    assert!(fell_back > 3 && seen_void > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_cursor_is_damaged_finds_its_place_by_its_marks() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, _lead] = settled(&field, &team, PAIR).await;
    member.visit(&team);
    member.close();
    ledger.note(&member);
    let file = Connection::open(member.file()).unwrap();
    file.execute("UPDATE scopes SET chain = zeroblob(8) WHERE scope = ?1", [team.scope.0]).unwrap();
    drop(file);
    member.sync().await.unwrap();
    ledger.is_whole(&field, &team, &mut [&mut member]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_below_the_mark_whose_position_was_only_assumed_gets_its_receipt_again() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut ledger = Ledger::default();
    let [mut member, mut lead] = settled(&field, &team, PAIR).await;
    member.sync().await.unwrap();
    let copy = field.copy();
    lead.visit(&team);
    lead.sync().await.unwrap();
    member.sync().await.unwrap();
    ledger.note(&member);
    ledger.note(&lead);
    let own = member.receipts(team.scope).len();
    let stands = member.cursor(team.scope);
    member.close();
    // As a snapshot of that position tells of what it holds.
    let file = Connection::open(member.file()).unwrap();
    let sql = "UPDATE receipts SET position = ?1 WHERE scope = (SELECT number FROM scopes WHERE scope = ?2)";
    assert!(file.execute(sql, (stands, team.scope.0)).unwrap() > 0);
    drop(file);
    let field = field.roll_back(&copy).await;
    field.reach(&[&member, &lead]);

    let report = member.sync().await.unwrap();
    assert!(report.is_done && report.waiting == 0, "{report:?}");
    let keys = field.keys(team.scope);
    let receipts = member.receipts(team.scope);
    assert_eq!((receipts.len(), void(&mut member)), (own, 0));
    for (position, key) in receipts {
        assert_eq!(keys.get(position - 1), Some(&key), "a receipt that is not true");
    }
    ledger.is_whole(&field, &team, &mut [&mut member]);
    // Nothing counts as on its way: the rows are compared, and nothing is sent again.
    field.world.pass(DAY_MS);
    member.link.take_exchanges();
    for _ in 0..2 {
        assert_eq!(member.sync().await.unwrap().requests, 1);
    }
    let digests: Vec<usize> = member
        .link
        .take_exchanges()
        .iter()
        .filter_map(|exchange| http::asked(&exchange.up).0)
        .map(|hello| hello.digests.len())
        .collect();
    assert_eq!(digests, [1, 1], "team and training, one in each sync");
}
