//! An older program keeps what it cannot read; the day it becomes the newer one, nothing is missing.

use std::path::Path;

use langso_domain::registry::VOID;
use langso_store::{CURRENT, Error, Purpose, Replica, Schema, create_table_sql};
use langso_sync::author::Author;
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::value::Value;
use proptest::prelude::*;

use crate::dump::dump;
use crate::history::{Step, add_scope, any_household, any_step, apply, live, replica};
use crate::newer::{ERRAND, HOUSEHOLD, WIFI, with_field, with_field_and_table};

/// Fields of households and errands, among them the new field, a new shape in it, and a text where a number was.
fn any_newer() -> impl Strategy<Value = Vec<(u8, Value)>> + Clone {
    let wifi = (0..4i64).prop_map(|bars| (WIFI, Value::Int(bars)));
    let cleared = Just((WIFI, Value::Null));
    let shape = Just((WIFI, Value::Other(vec![0xF9, 0x3E, 0x00])));
    let widened = Just((3, Value::Text("cận nghèo".to_owned())));
    let one = prop_oneof![4 => wifi, 1 => cleared, 1 => shape, 1 => widened];
    (any_household(), proptest::collection::vec(one, 1..3)).prop_map(|(known, new)| [known, new].concat())
}

/// What a phone of the next version does.
pub fn any_newer_step() -> impl Strategy<Value = Step> {
    let errand = prop_oneof!["pin", "sạc"].prop_map(|what| vec![(2, Value::Text(what))]);
    let errand =
        (0..3usize, errand).prop_map(|(phone, fields)| Step::Create { phone, table: ERRAND, fields });
    prop_oneof![5 => any_step(any_newer()), 1 => errand]
}

pub fn any_history() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any_newer_step(), 1..30)
}

fn opened(path: &Path, schema: Schema) -> Replica {
    Replica::open(path, schema, Purpose::Phone).expect("opens")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn an_upgraded_replica_is_what_a_fresh_one_would_be(steps in any_history(), at in any::<prop::sample::Index>()) {
        let newer = with_field_and_table();
        let history = live(newer, &steps);
        let (before, after) = history.split_at(at.index(history.len() + 1));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("replica");
        let mut old = opened(&path, CURRENT);
        add_scope(&mut old);
        apply(&mut old, before.iter().rev());
        drop(old);
        let mut upgraded = opened(&path, newer);
        let mut half = replica(newer, Purpose::Phone);
        apply(&mut half, before);
        prop_assert_eq!(dump(&upgraded), dump(&half), "just upgraded");
        apply(&mut upgraded, after);
        apply(&mut half, after);
        prop_assert_eq!(dump(&upgraded), dump(&half), "after more has come");
    }

    #[test]
    fn an_older_program_makes_one_replica_of_what_it_cannot_read(steps in any_history()) {
        let history = live(with_field_and_table(), &steps);
        let [mut one, mut other] = [0, 1].map(|_| replica(CURRENT, Purpose::HubCache));
        apply(&mut one, &history);
        apply(&mut other, history.iter().rev().chain(&history));
        prop_assert_eq!(dump(&one), dump(&other));
    }
}

#[test]
fn one_new_field_is_one_line_and_a_migration() {
    let schema = with_field();
    let table = schema.registry.table(HOUSEHOLD).expect("households");
    let old = CURRENT.registry.table(HOUSEHOLD).expect("households");
    assert_eq!(table.fields.len(), old.fields.len() + 1, "the line");
    assert_eq!(schema.migrations.len(), CURRENT.migrations.len() + 1, "the migration");
    assert!(create_table_sql(table).contains("wifi INTEGER -- bars of signal at the door"));

    // The codec: written, encoded, read by a program that does not know the field.
    let mut author = Author::new(langso_domain::id::Writer(7));
    let mut clock = Clock::default();
    let mut draft = author.draft();
    let label = (1, Value::from("Hộ 12"));
    let home = draft.create(HOUSEHOLD, [label, (WIFI, Value::Int(2))]).expect("room");
    let made = author.finish(draft, &mut clock, 1_000);
    assert_eq!(Change::decode(&made.encode()), Ok(made.clone()));

    // The merge and SQL: column, patch, two heads, live view.
    let mut newer = replica(schema, Purpose::Phone);
    apply(&mut newer, [&made]);
    let wifi = |replica: &Replica| -> Option<i64> {
        let sql = "SELECT wifi FROM live_households";
        replica.connection().query_row(sql, [], |row| row.get(0)).expect("the column")
    };
    assert_eq!(wifi(&newer), Some(2));
    let mut patched = |writer: u64, at: u64, bars: i64| {
        let batch = newer.begin().expect("begins");
        let state = batch.row_state(table, home).expect("read").expect("there");
        drop(batch);
        let mut author = Author::new(langso_domain::id::Writer(writer));
        let mut draft = author.draft();
        draft.patch(HOUSEHOLD, home, &state, [(WIFI, Value::Int(bars))].into()).expect("room");
        author.finish(draft, &mut Clock::default(), at)
    };
    let (one, other) = (patched(8, 2_000, 3), patched(9, 3_000, 4));
    apply(&mut newer, [&other, &one]);
    assert_eq!(wifi(&newer), Some(4), "the later edit shows");
    let conflicts = "SELECT field FROM shelf";
    let field: u8 = newer.connection().query_row(conflicts, [], |row| row.get(0)).expect("two heads");
    assert_eq!(field, WIFI);

    // Adoption: an older program kept it all, and becomes the newer one.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replica");
    let mut older = opened(&path, CURRENT);
    add_scope(&mut older);
    apply(&mut older, [&one, &made, &other]);
    drop(older);
    let upgraded = opened(&path, schema);
    assert_eq!(dump(&upgraded), dump(&newer));
    drop(upgraded);
    let refused = Replica::open(&path, CURRENT, Purpose::Phone);
    assert!(matches!(refused, Err(Error::NewerSchema { .. })), "and does not go back");
}

#[test]
fn a_removal_in_a_table_that_came_later_is_adopted() {
    let schema = with_field_and_table();
    let errand = Step::Create { phone: 0, table: ERRAND, fields: vec![(2, Value::from("pin"))] };
    let mut history = live(schema, &[errand]);
    let row = history[0].key.row(0);
    let mut newer = replica(schema, Purpose::Phone);
    apply(&mut newer, &history);
    let table = schema.registry.table(ERRAND).expect("errands");
    let state = newer.begin().expect("begins").row_state(table, row).expect("read").expect("there");
    let mut author = Author::new(langso_domain::id::Writer(9));
    let mut draft = author.draft();
    draft.patch(ERRAND, row, &state, [(VOID, Value::Bool(true))].into()).expect("room");
    history.push(author.finish(draft, &mut Clock::default(), 5));
    apply(&mut newer, &history);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replica");
    let mut older = opened(&path, CURRENT);
    add_scope(&mut older);
    apply(&mut older, history.iter().rev());
    drop(older);
    let upgraded = opened(&path, schema);
    assert_eq!(dump(&upgraded), dump(&newer));
    let sql = "SELECT count(*) FROM live_errands";
    assert_eq!(upgraded.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count"), 0);
}
