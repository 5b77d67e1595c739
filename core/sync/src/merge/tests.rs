//! The merge against a small model of a replica: histories of phones that see part of each other, then every order,
//! with repeats and splits, must end in one state.

use langso_domain::id::Writer;
use proptest::prelude::*;

use super::*;
use crate::change::{Change, Patch, RowOp};

/// A replica in memory: rows with their create values, and what was applied.
#[derive(Clone, PartialEq, Debug, Default)]
struct Model {
    rows: BTreeMap<RowId, (RowState, BTreeMap<u8, Value>)>,
    applied: BTreeSet<Key>,
}

impl Model {
    fn apply(&mut self, change: &Change) {
        if self.applied.contains(&change.key) {
            return;
        }
        for (place, op) in change.rows.iter().enumerate() {
            let id = op.patch.as_ref().map_or(change.key.row(place as u8), |patch| patch.target);
            let (state, values) = self.rows.entry(id).or_default();
            let applied = &self.applied;
            match &op.patch {
                None => {
                    state.apply_create(change.stamp, &op.fields, |_| false);
                    values.extend(op.fields.clone());
                }
                Some(patch) => state.apply_patch(
                    PatchOp { key: change.key, stamp: change.stamp, fields: &op.fields, base: &patch.base },
                    |field| values.get(&field).cloned().unwrap_or(Value::Null),
                    |key| applied.contains(&key),
                ),
            }
        }
        self.applied.insert(change.key);
        for (state, _) in self.rows.values_mut() {
            state.drop_name(change.key);
        }
    }

    /// The same replica, had it applied what the other has.
    fn joined(&self, other: &Self) -> Self {
        let none = (RowState::default(), BTreeMap::new());
        let mut joined = Self { rows: BTreeMap::new(), applied: &self.applied | &other.applied };
        for id in self.rows.keys().chain(other.rows.keys()) {
            let [own, theirs] = [self, other].map(|model| (model, model.rows.get(id).unwrap_or(&none)));
            let value =
                |values: &BTreeMap<u8, Value>, field| values.get(&field).cloned().unwrap_or(Value::Null);
            let state = join(
                &Side {
                    state: &own.1.0,
                    created_value: &|field| value(&own.1.1, field),
                    is_applied: &|key| own.0.applied.contains(&key),
                },
                &Side {
                    state: &theirs.1.0,
                    created_value: &|field| value(&theirs.1.1, field),
                    is_applied: &|key| theirs.0.applied.contains(&key),
                },
            );
            let mut values = own.1.1.clone();
            values.extend(theirs.1.1.clone());
            joined.rows.insert(*id, (state, values));
        }
        // What one side waits for and the other has, without this row: it wrote nothing here.
        for (state, _) in joined.rows.values_mut() {
            joined.applied.iter().for_each(|key| {
                state.drop_name(*key);
            });
        }
        joined
    }

    fn all(changes: &[Change]) -> Self {
        let mut model = Self::default();
        changes.iter().for_each(|change| model.apply(change));
        model
    }

    fn shown(&self, row: RowId, field: u8) -> Value {
        let (state, values) = &self.rows[&row];
        match state.fields.get(&field).and_then(|field| field.shown(row)) {
            Some(head) => head.value.clone(),
            None => values.get(&field).cloned().unwrap_or(Value::Null),
        }
    }

    fn newest(&self) -> Stamp {
        self.rows.values().map(|(state, _)| state.newest_stamp()).max().unwrap_or_default()
    }
}

fn key(writer: u64, seq: u32) -> Key {
    Key { writer: Writer(writer), seq }
}

fn create(key: Key, stamp: u64, value: i64) -> Change {
    let fields = BTreeMap::from([(1, Value::Int(value)), (2, Value::Int(value))]);
    Change {
        key,
        stamp: Stamp(stamp),
        rows: vec![RowOp { table: 1, fields, patch: None }],
        extras: BTreeMap::new(),
    }
}

/// An edit by an author who sees `model`; a void names all it saw of the row, any other edit also the voids.
fn edit(model: &Model, key: Key, now: u64, target: RowId, fields: &[u8], value: i64) -> Change {
    let (state, _) = &model.rows[&target];
    let is_void = fields.contains(&VOID);
    let mut base: BTreeMap<u8, Vec<Name>> =
        fields.iter().map(|field| (*field, state.base_of(*field))).collect();
    if is_void {
        base.extend(state.fields.keys().map(|field| (*field, state.base_of(*field))));
    } else if state.fields.contains_key(&VOID) {
        base.insert(VOID, state.base_of(VOID));
    }
    let written = fields
        .iter()
        .map(|field| (*field, if *field == VOID { Value::Bool(true) } else { Value::Int(value) }));
    let row = RowOp {
        table: 1,
        fields: written.collect(),
        patch: Some(Patch { target, base: Base::ByField(base) }),
    };
    let stamp = Stamp(now).max(model.newest().next());
    Change { key, stamp, rows: vec![row], extras: BTreeMap::new() }
}

/// What phones did: who writes what, who sees what of whom before.
#[derive(Clone, Debug)]
enum Step {
    Create { phone: usize, value: i64 },
    Edit { phone: usize, row: prop::sample::Index, fields: Vec<u8>, value: i64 },
    See { phone: usize, what: Vec<prop::sample::Index> },
}

fn any_step() -> impl Strategy<Value = Step> {
    let fields = prop_oneof![
        4 => Just(vec![1]), 2 => Just(vec![1, 2]), 2 => Just(vec![2]), 1 => Just(vec![VOID]),
        1 => Just(vec![VOID, 1])
    ];
    prop_oneof![
        1 => (0..3usize, 0..3i64).prop_map(|(phone, value)| Step::Create { phone, value }),
        4 => (0..3usize, any::<prop::sample::Index>(), fields, 0..3i64)
            .prop_map(|(phone, row, fields, value)| Step::Edit { phone, row, fields, value }),
        3 => (0..3usize, proptest::collection::vec(any::<prop::sample::Index>(), 1..6))
            .prop_map(|(phone, what)| Step::See { phone, what }),
    ]
}

/// Lives the steps on three phones with clocks that are far apart; also checks that an edit shows at its author.
fn live(steps: &[Step]) -> Vec<Change> {
    let mut phones = vec![Model::default(); 3];
    let mut seqs = [0; 3];
    let mut history = vec![create(key(9, 1), 50, 0)];
    phones.iter_mut().for_each(|phone| phone.apply(&history[0]));
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::See { phone, what } => {
                what.iter().for_each(|index| phones[*phone].apply(&history[index.index(history.len())]));
            }
            Step::Create { phone, value } => {
                seqs[*phone] += 1;
                let change = create(key(*phone as u64, seqs[*phone]), (at + phone * 40) as u64, *value);
                phones[*phone].apply(&change);
                history.push(change);
            }
            Step::Edit { phone, row, fields, value } => {
                let model = &phones[*phone];
                let seen: Vec<RowId> =
                    model.rows.iter().filter(|(_, row)| row.0.created.is_some()).map(|(id, _)| *id).collect();
                let target = seen[row.index(seen.len())];
                seqs[*phone] += 1;
                let own = key(*phone as u64, seqs[*phone]);
                let change = edit(model, own, (at + phone * 40) as u64, target, fields, *value);
                phones[*phone].apply(&change);
                for field in change.rows[0].fields.iter() {
                    assert_eq!(
                        &phones[*phone].shown(target, *field.0),
                        field.1,
                        "an edit shows at its author"
                    );
                }
                history.push(change);
            }
        }
    }
    history
}

fn permutations(count: usize, visit: &mut impl FnMut(&[usize])) {
    fn go(order: &mut Vec<usize>, at: usize, visit: &mut impl FnMut(&[usize])) {
        if at == order.len() {
            return visit(order);
        }
        for other in at..order.len() {
            order.swap(at, other);
            go(order, at + 1, visit);
            order.swap(at, other);
        }
    }
    go(&mut (0..count).collect(), 0, visit);
}

fn bytes_of(model: &Model) -> Vec<Option<Vec<u8>>> {
    model.rows.iter().map(|(id, row)| encode(*id, &row.0.fields)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_order_with_repeats_and_splits_ends_in_one_state(
        steps in proptest::collection::vec(any_step(), 0..30),
        orders in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 80), 3),
    ) {
        let history = live(&steps);
        let wanted = Model::all(&history);
        for (state, _) in wanted.rows.values() {
            prop_assert!(state.awaited().is_empty(), "all has come, nothing is awaited");
            prop_assert!(state.fields.values().all(|field| !field.heads.is_empty()), "a value always shows");
        }
        for order in orders {
            let mut model = Model::default();
            order.iter().for_each(|index| model.apply(&history[index.index(history.len())]));
            history.iter().rev().for_each(|change| model.apply(change));
            history.iter().for_each(|change| model.apply(change));
            prop_assert_eq!(&model, &wanted);
            prop_assert_eq!(bytes_of(&model), bytes_of(&wanted));
        }
    }

    #[test]
    fn every_order_of_up_to_six_changes_applied_twice_ends_in_one_state(
        steps in proptest::collection::vec(any_step(), 1..9),
    ) {
        let mut history = live(&steps);
        history.truncate(6);
        let wanted = Model::all(&history);
        let mut diverged = 0;
        permutations(history.len(), &mut |order| {
            let mut model = Model::default();
            for at in order {
                model.apply(&history[*at]);
                model.apply(&history[*at]);
            }
            diverged += usize::from(model != wanted);
        });
        prop_assert_eq!(diverged, 0);
    }

    #[test]
    fn a_snapshot_of_some_and_the_rest_in_any_order_is_all_applied(
        steps in proptest::collection::vec(any_step(), 0..30),
        sides in proptest::collection::vec(0..4u8, 80),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 80),
    ) {
        let history = live(&steps);
        let wanted = Model::all(&history);
        // A change is on one side, on the other, on both, or on none yet.
        let on = |side: u8| {
            let of: Vec<_> = history.iter().zip(&sides).filter(|(_, on)| **on & side > 0).collect();
            Model::all(&of.into_iter().map(|(change, _)| change.clone()).collect::<Vec<_>>())
        };
        let (one, other) = (on(1), on(2));
        let mut joined = one.joined(&other);
        prop_assert_eq!(&joined, &other.joined(&one));
        prop_assert_eq!(&joined, &joined.joined(&other), "joined again");
        let both: Vec<_> =
            history.iter().zip(&sides).filter(|(_, on)| **on > 0).map(|(change, _)| change.clone()).collect();
        prop_assert_eq!(&joined, &Model::all(&both), "as if both had been applied");
        order.iter().for_each(|index| joined.apply(&history[index.index(history.len())]));
        history.iter().for_each(|change| joined.apply(change));
        prop_assert_eq!(&joined, &wanted);
        prop_assert_eq!(bytes_of(&joined), bytes_of(&wanted));
    }

    #[test]
    fn rows_of_a_snapshot_that_never_ends_are_no_harm_when_all_its_changes_come(
        steps in proptest::collection::vec(any_step(), 0..30),
        snapshot in proptest::collection::vec(any::<bool>(), 80),
        landed in proptest::collection::vec(any::<bool>(), 80),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 80),
    ) {
        let history = live(&steps);
        let wanted = Model::all(&history);
        let of: Vec<_> = history.iter().zip(&snapshot).filter(|(_, on)| **on).map(|(one, _)| one.clone()).collect();
        let mut snapshot = Model::all(&of);
        // Some of its rows came; what it had applied is never taken over.
        let mut keep = landed.iter();
        snapshot.rows.retain(|_, _| *keep.next().unwrap_or(&true));
        let mut phone = Model::default().joined(&snapshot);
        phone.applied.clear();
        order.iter().for_each(|index| phone.apply(&history[index.index(history.len())]));
        history.iter().for_each(|change| phone.apply(change));
        prop_assert_eq!(bytes_of(&phone), bytes_of(&wanted));
        prop_assert_eq!(&phone, &wanted);
    }

    #[test]
    fn versions_come_back_from_their_bytes(steps in proptest::collection::vec(any_step(), 0..30)) {
        let history = live(&steps);
        let half = Model::all(&history.iter().step_by(2).cloned().collect::<Vec<_>>());
        for (id, (state, _)) in half.rows {
            let read = encode(id, &state.fields).map_or(Ok(BTreeMap::new()), |bytes| decode(id, &bytes));
            prop_assert_eq!(read, Ok(state.fields));
        }
    }
}

#[test]
fn merge_keeps_both_heads_until_one_names_both() {
    let first = create(key(9, 1), 10, 0);
    let row = first.key.row(0);
    let seen = Model::all(std::slice::from_ref(&first));
    let one = edit(&seen, key(1, 1), 20, row, &[1], 1);
    let two = edit(&seen, key(2, 1), 30, row, &[1], 2);
    let mut both = Model::all(&[first, one, two]);
    assert_eq!(both.rows[&row].0.conflicts(row), BTreeSet::from([1]));
    assert_eq!(both.shown(row, 1), Value::Int(2));
    let settled = edit(&both, key(3, 1), 5, row, &[1], 1);
    both.apply(&settled);
    assert_eq!(both.rows[&row].0.conflicts(row), BTreeSet::new());
    assert_eq!(both.shown(row, 1), Value::Int(1), "an older clock settles all the same");
}

#[test]
fn equal_heads_are_no_conflict() {
    let first = create(key(9, 1), 10, 0);
    let row = first.key.row(0);
    let seen = Model::all(std::slice::from_ref(&first));
    let both = [first, edit(&seen, key(1, 1), 20, row, &[1], 7), edit(&seen, key(2, 1), 30, row, &[1], 7)];
    let model = Model::all(&both);
    assert_eq!(model.rows[&row].0.fields[&1].heads.len(), 2, "both are kept");
    assert_eq!(model.rows[&row].0.conflicts(row), BTreeSet::new());
}

#[test]
fn an_edit_after_removal_goes_to_the_shelf_and_one_that_saw_it_does_not() {
    let first = create(key(9, 1), 10, 0);
    let row = first.key.row(0);
    let seen = Model::all(std::slice::from_ref(&first));
    let void = edit(&seen, key(1, 1), 20, row, &[VOID], 0);
    let blind = edit(&seen, key(2, 1), 30, row, &[1], 2);
    let mut model = Model::all(&[first.clone(), void.clone(), blind]);
    assert_eq!(model.rows[&row].0.conflicts(row), BTreeSet::from([VOID]));
    let again = edit(&model, key(1, 2), 40, row, &[VOID], 0);
    model.apply(&again);
    assert_eq!(
        model.rows[&row].0.conflicts(row),
        BTreeSet::new(),
        "struck out again by one who saw the edit"
    );

    let after = Model::all(&[first.clone(), void.clone()]);
    let knowing = edit(&after, key(2, 1), 30, row, &[1], 2);
    assert_eq!(Model::all(&[first, void, knowing]).rows[&row].0.conflicts(row), BTreeSet::new());
}

#[test]
fn a_removal_that_writes_another_field_too_is_no_edit_after_removal() {
    let first = create(key(9, 1), 10, 0);
    let row = first.key.row(0);
    let seen = Model::all(std::slice::from_ref(&first));
    let void = edit(&seen, key(1, 1), 20, row, &[VOID, 1], 3);
    let model = Model::all(&[first, void]);
    assert!(model.rows[&row].0.is_void(row));
    assert_eq!(model.rows[&row].0.conflicts(row), BTreeSet::new());
}

#[test]
fn a_patch_before_its_create_stays_hidden_and_does_not_stamp_the_row() {
    let first = create(key(9, 1), 10, 0);
    let row = first.key.row(0);
    let early = edit(&Model::all(std::slice::from_ref(&first)), key(1, 1), 20, row, &[1], 5);
    let mut model = Model::all(&[early]);
    assert_eq!(model.rows[&row].0.created, None);
    model.apply(&first);
    assert_eq!(model.rows[&row].0.created, Some(Stamp(10)));
    assert_eq!((model.shown(row, 1), model.shown(row, 2)), (Value::Int(5), Value::Int(0)));
}
