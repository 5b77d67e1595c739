//! Snapshots on SQLite itself: the state of some changes and the rest of them, in any order, make one replica.

use std::collections::BTreeMap;
use std::path::Path;

use langso_domain::id::{DeviceId, RowId, Writer};
use langso_store::{CURRENT, Error, Purpose, Replica, Schema, find_households};
use langso_sync::author::Author;
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::frame::Outer;
use langso_sync::keys::SigningKey;
use langso_sync::state::StateFrame;
use langso_sync::value::Value;
use proptest::prelude::*;

use crate::dump::dump;
use crate::history::{SCOPE, Step, add_scope, any_household, any_step, apply, live, replica};
use crate::newer::{HOUSEHOLD, with_field_and_table};

/// So small that most rows are a frame of their own.
const TINY: usize = 8;

fn at(position: u64) -> Cursor {
    Cursor { position, chain: Chain([position as u8; 8]) }
}

fn set_cursor(replica: &mut Replica, of: Cursor) {
    let mut batch = replica.begin().expect("begins");
    batch.set_cursor(SCOPE, of.position, of.chain.0).expect("the scope");
    batch.commit().expect("commits");
}

/// The state frames of a replica, signed and opened again.
fn frames(replica: &Replica, body_bytes: usize) -> Vec<StateFrame> {
    let mut bodies = Vec::new();
    let of = replica.export::<Error>(SCOPE, body_bytes, |body| {
        bodies.push(body);
        Ok(())
    });
    let of = of.expect("exported");
    let key = SigningKey::from_seed(&[200; 32]);
    let schema = replica.schema().registry.schema;
    let count = bodies.len() as u32;
    let sealed = bodies.iter().zip(0..).map(|(body, at)| body.seal(&key, (SCOPE, schema), of, (at, count)));
    sealed.map(|bytes| StateFrame::open(&Outer::whole(&bytes).expect("a frame")).expect("opens")).collect()
}

fn land(replica: &mut Replica, frame: &StateFrame) {
    let mut batch = replica.begin().expect("begins");
    batch.land(frame, |_| {}).expect("lands");
    batch.commit().expect("commits");
}

fn opened(path: &Path, schema: Schema) -> Replica {
    Replica::open(path, schema, Purpose::Phone).expect("opens")
}

/// The digest that the writes kept is what the rows come to.
fn digest_holds(replica: &mut Replica) {
    for counted in replica.recount().expect("counted") {
        assert_eq!(counted.kept, Some(counted.digest));
    }
}

/// An edit of a household that shows, by somebody who sees that replica.
fn edit(replica: &mut Replica, author: &mut Author, clock: &mut Clock, pick: usize) -> Option<Change> {
    let sql = "SELECT id FROM households WHERE v_stamp > 0 ORDER BY id";
    let shown: Vec<[u8; 12]> = {
        let mut get = replica.connection().prepare(sql).expect("a table");
        get.query_map([], |row| row.get(0)).expect("rows").map(|id| id.expect("an id")).collect()
    };
    let id = RowId(*shown.get(pick % shown.len().max(1))?);
    let table = CURRENT.registry.table(HOUSEHOLD).expect("households");
    let state = replica.row_state(table, id).expect("read").expect("there");
    let mut draft = author.draft();
    let fields = BTreeMap::from([(1 + 2 * (pick % 2) as u8, Value::Int(9))]);
    draft.patch(HOUSEHOLD, id, &state, fields).expect("room");
    Some(author.finish(draft, clock, 7))
}

/// Which changes the phone and the first and second snapshot hold, what happens between two frames, and the rest.
#[derive(Debug, Clone)]
struct Plan {
    held: Vec<u8>,
    between: Vec<(u8, usize)>,
    order: Vec<prop::sample::Index>,
    turns: usize,
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let between = proptest::collection::vec((0..4u8, 0..60usize), 60);
    let order = proptest::collection::vec(any::<prop::sample::Index>(), 60);
    let held = proptest::collection::vec(0..8u8, 60);
    (held, between, order, 0..12usize).prop_map(|(held, between, order, turns)| Plan {
        held,
        between,
        order,
        turns,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn a_snapshot_that_lands_in_any_way_and_the_rest_make_one_replica(
        steps in proptest::collection::vec(any_step(any_household()), 1..30),
        plan in any_plan(),
    ) {
        let mut history = live(CURRENT, &steps);
        prop_assume!(!history.is_empty());
        let holds = |at: usize, bit: u8| plan.held[at % plan.held.len()] & bit > 0;
        let mut hub = replica(CURRENT, Purpose::HubCache);
        apply(&mut hub, history.iter().enumerate().filter(|(at, _)| holds(*at, 1)).map(|(_, change)| change));
        set_cursor(&mut hub, at(17));
        let first = frames(&hub, TINY);
        apply(&mut hub, history.iter().enumerate().filter(|(at, _)| holds(*at, 2)).map(|(_, change)| change));
        set_cursor(&mut hub, at(29));
        let second = frames(&hub, TINY);

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("replica");
        let mut phone = opened(&path, CURRENT);
        add_scope(&mut phone);
        apply(&mut phone, history.iter().enumerate().filter(|(at, _)| holds(*at, 4)).map(|(_, change)| change));
        // The hub makes a newer snapshot after some turns; before, the phone may be killed at any frame.
        let (mut author, mut clock) = (Author::new(Writer(99)), Clock::default());
        let landed = first.iter().take(plan.turns).chain(&second);
        for (frame, (what, pick)) in landed.zip(plan.between.iter().cycle()) {
            land(&mut phone, frame);
            match what {
                0 => {
                    drop(phone);
                    phone = opened(&path, CURRENT);
                }
                1 => {
                    if let Some(own) = edit(&mut phone, &mut author, &mut clock, *pick) {
                        apply(&mut phone, [&own]);
                        history.push(own);
                    }
                }
                2 => apply(&mut phone, [&history[pick % history.len()]]),
                _ => {}
            }
        }
        prop_assert_eq!(phone.landings().expect("read"), vec![]);
        digest_holds(&mut phone);
        let told = phone.scopes().expect("read")[0];
        prop_assert_eq!((told.position, told.chain), (29, [29; 8]), "the cursor is the snapshot's");
        plan.order.iter().for_each(|index| apply(&mut phone, [&history[index.index(history.len())]]));
        apply(&mut phone, &history);
        let mut wanted = replica(CURRENT, Purpose::Phone);
        apply(&mut wanted, &history);
        set_cursor(&mut wanted, at(29));
        prop_assert_eq!(dump(&phone), dump(&wanted));
        for query in ["hộ", "hộ 1", "hộ 2"] {
            let [one, other] = [&phone, &wanted].map(|replica| find_households(replica.connection(), query, 99));
            prop_assert_eq!(one.expect("found"), other.expect("found"));
        }
    }

    #[test]
    fn a_landing_given_up_leaves_rows_that_every_change_mends(
        steps in proptest::collection::vec(any_step(any_household()), 1..30),
        plan in any_plan(),
    ) {
        let history = live(CURRENT, &steps);
        prop_assume!(!history.is_empty());
        let holds = |at: usize, bit: u8| plan.held[at % plan.held.len()] & bit > 0;
        let mut hub = replica(CURRENT, Purpose::HubCache);
        apply(&mut hub, history.iter().enumerate().filter(|(at, _)| holds(*at, 1)).map(|(_, change)| change));
        let mut phone = replica(CURRENT, Purpose::Phone);
        apply(&mut phone, history.iter().enumerate().filter(|(at, _)| holds(*at, 4)).map(|(_, change)| change));
        let all = frames(&hub, TINY);
        let landed = all.len().saturating_sub(1).min(plan.turns);
        all.iter().take(landed).for_each(|frame| land(&mut phone, frame));
        let mut batch = phone.begin().expect("begins");
        batch.abandon_landing(SCOPE).expect("given up");
        batch.commit().expect("commits");
        plan.order.iter().for_each(|index| apply(&mut phone, [&history[index.index(history.len())]]));
        apply(&mut phone, &history);
        let mut wanted = replica(CURRENT, Purpose::Phone);
        apply(&mut wanted, &history);
        prop_assert_eq!(dump(&phone), dump(&wanted));
    }

    #[test]
    fn a_scope_swapped_in_is_the_other_files_and_own_work_comes_again(
        steps in proptest::collection::vec(any_step(any_household()), 1..30),
        plan in any_plan(),
    ) {
        let history = live(CURRENT, &steps);
        prop_assume!(!history.is_empty());
        let holds = |at: usize, bit: u8| plan.held[at % plan.held.len()] & bit > 0;
        let mut hub = replica(CURRENT, Purpose::HubCache);
        apply(&mut hub, history.iter().enumerate().filter(|(at, _)| holds(*at, 1)).map(|(_, change)| change));
        set_cursor(&mut hub, at(17));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fresh");
        let mut fresh = opened(&path, CURRENT);
        add_scope(&mut fresh);
        frames(&hub, TINY).iter().for_each(|frame| land(&mut fresh, frame));
        drop(fresh);
        // The phone holds other changes, some rows are damaged, and the changes of one writer are its own.
        let mut phone = replica(CURRENT, Purpose::Phone);
        let own: Vec<&Change> = history.iter().filter(|change| change.key.writer == Writer(1)).collect();
        apply(&mut phone, history.iter().enumerate().filter(|(at, _)| holds(*at, 4)).map(|(_, change)| change));
        apply(&mut phone, own.iter().copied());
        phone.connection().execute("UPDATE households SET poverty = 77, label = 'hỏng'", []).expect("damaged");
        let device = DeviceId(Writer(1).0.to_be_bytes());
        let swapped = phone.swap_scope::<_, Error>(SCOPE, &path, |batch| {
            own.iter().try_for_each(|change| batch.replay(SCOPE, device, change).map(drop))
        });
        swapped.expect("swapped");
        digest_holds(&mut phone);
        let mut wanted = replica(CURRENT, Purpose::Phone);
        apply(&mut wanted, history.iter().enumerate().filter(|(at, _)| holds(*at, 1)).map(|(_, change)| change));
        apply(&mut wanted, own.iter().copied());
        set_cursor(&mut wanted, at(17));
        prop_assert_eq!(dump(&phone), dump(&wanted));
        for query in ["hộ", "hỏng"] {
            let [one, other] = [&phone, &wanted].map(|replica| find_households(replica.connection(), query, 99));
            prop_assert_eq!(one.expect("found"), other.expect("found"));
        }
        apply(&mut phone, &history);
        apply(&mut wanted, &history);
        prop_assert_eq!(dump(&phone), dump(&wanted), "and goes on as any other");
    }

    #[test]
    fn what_the_maker_or_the_phone_does_not_know_passes_through_and_appears_after_the_upgrade(
        steps in proptest::collection::vec(crate::upgrade::any_newer_step(), 1..30),
        plan in any_plan(),
        hub_is_newer in any::<bool>(),
    ) {
        let newer = with_field_and_table();
        let history = live(newer, &steps);
        prop_assume!(!history.is_empty());
        let holds = |at: usize, bit: u8| plan.held[at % plan.held.len()] & bit > 0;
        let mut hub = replica(if hub_is_newer { newer } else { CURRENT }, Purpose::HubCache);
        apply(&mut hub, history.iter().enumerate().filter(|(at, _)| holds(*at, 1)).map(|(_, change)| change));
        set_cursor(&mut hub, at(17));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("replica");
        let mut phone = opened(&path, CURRENT);
        add_scope(&mut phone);
        apply(&mut phone, history.iter().enumerate().filter(|(at, _)| holds(*at, 4)).map(|(_, change)| change));
        frames(&hub, TINY).iter().for_each(|frame| land(&mut phone, frame));
        drop(phone);
        let mut phone = opened(&path, newer);
        let mut wanted = replica(newer, Purpose::Phone);
        let held = history.iter().enumerate().filter(|(at, _)| holds(*at, 1) || holds(*at, 4));
        apply(&mut wanted, held.map(|(_, change)| change));
        set_cursor(&mut wanted, at(17));
        prop_assert_eq!(dump(&phone), dump(&wanted));
        apply(&mut phone, &history);
        apply(&mut wanted, &history);
        prop_assert_eq!(dump(&phone), dump(&wanted));
    }
}

#[test]
fn a_frame_out_of_order_is_refused_and_changes_nothing() {
    let mut history = Vec::new();
    let create = |phone| Step::Create { phone, table: HOUSEHOLD, fields: vec![(1, Value::from("Hộ 1"))] };
    history.extend(live(CURRENT, &[create(0), create(1), create(2), create(0)]));
    let mut hub = replica(CURRENT, Purpose::HubCache);
    apply(&mut hub, &history);
    set_cursor(&mut hub, at(4));
    let all = frames(&hub, TINY);
    assert!(all.len() > 3);
    let mut phone = replica(CURRENT, Purpose::Phone);
    land(&mut phone, &all[0]);
    let before = dump(&phone);
    for wrong in [&all[2], &all[3]] {
        let refused = phone.begin().expect("begins").land(wrong, |_| {});
        assert!(matches!(refused, Err(Error::FrameOrder)), "{refused:?}");
        assert_eq!(dump(&phone), before);
    }
    all.iter().for_each(|frame| land(&mut phone, frame));
    let refused = phone.begin().expect("begins").land(&all[1], |_| {});
    assert!(matches!(refused, Err(Error::FrameOrder)));
}

#[test]
fn an_empty_scope_is_a_snapshot_of_one_frame_and_an_older_one_takes_nobody_back() {
    let mut hub = replica(CURRENT, Purpose::HubCache);
    let empty = frames(&hub, TINY);
    assert_eq!((empty.len(), empty[0].header.is_last()), (1, true));
    set_cursor(&mut hub, at(4));
    let later = frames(&hub, TINY);
    let mut phone = replica(CURRENT, Purpose::Phone);
    later.iter().chain(&empty).for_each(|frame| land(&mut phone, frame));
    assert_eq!(phone.scopes().expect("read")[0].position, 4);
}
