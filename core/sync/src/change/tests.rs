//! Tests of the change's bytes.

use langso_domain::id::{Key, RowId, Writer};
use proptest::prelude::*;

use super::*;

pub(crate) fn any_key() -> impl Strategy<Value = Key> {
    (any::<u64>(), 1..=MAX_SEQ).prop_map(|(writer, seq)| Key { writer: Writer(writer), seq })
}

fn any_value() -> impl Strategy<Value = Value> {
    let row = || (any_key(), any::<u8>()).prop_map(|(key, place)| key.row(place));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        "\\PC{0,40}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        row().prop_map(Value::Ref),
        proptest::collection::vec(row(), 0..5).prop_map(Value::Refs),
        any::<f64>().prop_filter("a number", |f| !f.is_nan()).prop_map(|f| {
            let mut raw = vec![0xFB];
            raw.extend(f.to_be_bytes());
            Value::Other(raw)
        }),
    ]
}

fn any_fields() -> impl Strategy<Value = BTreeMap<u8, Value>> {
    proptest::collection::btree_map(any::<u8>(), any_value(), 0..6)
}

fn any_names() -> impl Strategy<Value = Vec<Name>> {
    proptest::collection::vec(prop_oneof![Just(Name::Create), any_key().prop_map(Name::Change)], 0..4)
}

fn any_change() -> impl Strategy<Value = Change> {
    let base = prop_oneof![
        any_names().prop_map(Base::Same),
        proptest::collection::btree_map(any::<u8>(), any_names(), 0..4).prop_map(Base::ByField),
    ];
    let patch = proptest::option::of((any_key(), any::<u8>(), base));
    let row = (any::<u8>(), any_fields(), patch).prop_map(|(table, fields, patch)| RowOp {
        table,
        fields,
        patch: patch.map(|(key, place, base)| Patch { target: key.row(place), base }),
    });
    (any_key(), 0..1u64 << 63, proptest::collection::vec(row, 0..5), any_fields())
        .prop_map(|(key, stamp, rows, extras)| Change { key, stamp: Stamp(stamp), rows, extras })
}

proptest! {
    #[test]
    fn a_change_comes_back_from_its_bytes_and_its_bytes_from_it(change in any_change()) {
        let bytes = change.encode();
        let read = Change::decode(&bytes).expect("own bytes");
        prop_assert_eq!(&read, &change);
        prop_assert_eq!(read.encode(), bytes.clone());
        let mut two = bytes.clone();
        two.extend(&bytes);
        prop_assert_eq!(scan(&two), Ok((Head { key: change.key, stamp: change.stamp }, bytes.len())));
    }

    #[test]
    fn noise_is_refused_or_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Change::decode(&bytes);
        let _ = scan(&bytes);
    }

    #[test]
    fn a_damaged_change_never_panics(change in any_change(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = change.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = Change::decode(&bytes);
        prop_assert!(Change::decode(&bytes[..at]).is_err());
    }
}

#[test]
fn a_reference_inside_the_change_takes_two_bytes() {
    let key = Key { writer: Writer(9), seq: 1 };
    let with = |row: RowId| Change {
        key,
        stamp: Stamp(0),
        rows: vec![RowOp { table: 5, fields: BTreeMap::from([(1, Value::Ref(row))]), patch: None }],
        extras: BTreeMap::new(),
    };
    let near = with(key.row(0)).encode();
    let far = with(Key { writer: Writer(8), seq: 1 }.row(0)).encode();
    assert_eq!(far.len() - near.len(), 12);
}

#[test]
fn claims_of_size_are_refused_before_anything_is_allocated() {
    let key = Key { writer: Writer(9), seq: 1 };
    let mut bytes = Change { key, stamp: Stamp(0), rows: vec![], extras: BTreeMap::new() }.encode();
    let rows_at = bytes.len() - 2;
    bytes.splice(rows_at.., [0x9B, 0, 0, 0, 1, 0, 0, 0, 0, 0xA0]);
    assert_eq!(Change::decode(&bytes), Err(Malformed("rows")));
    assert_eq!(Change::decode(&vec![0; MAX_CHANGE_BYTES + 1]), Err(Malformed("change length")));
}
