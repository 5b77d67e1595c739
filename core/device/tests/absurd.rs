//! Numbers that no sane phone writes, in every table: no list and no figure fails because of them.

mod support;

use std::collections::BTreeMap;

use langso_device::AppError;
use langso_device::companion::Companion;
use langso_domain::id::RowId;
use langso_domain::registry::{CURRENT, Kind};
use langso_sync::value::Value;
use serde_json::{Value as Json, json};
use support::{LEAD, TRAINER, Team, TestPhone, date};

/// A row of every table, with this in each column of numbers and that in each of days.
fn write_rows(team: &mut Team, number: i64, day: &Value, rows: &mut BTreeMap<&'static str, RowId>) {
    for table in CURRENT.tables {
        let fields: Vec<(&str, Value)> = table
            .fields
            .iter()
            .filter_map(|field| {
                let value = match field.kind {
                    Kind::Int | Kind::Enum(_) | Kind::Thousandths => Value::Int(number),
                    Kind::Date => day.clone(),
                    Kind::Ref(to) => Value::Ref(*rows.get(to)?),
                    Kind::RefList(to) => Value::Refs(vec![*rows.get(to)?]),
                    Kind::Code if field.name == "unit" => support::UNIT.into(),
                    Kind::Code => "vneid_level2@1".into(),
                    Kind::Text(_) => "x".into(),
                    Kind::Bool | Kind::Bytes(_) => return None,
                };
                Some((field.name, value))
            })
            .collect();
        rows.insert(table.name, team.write(table.name, &fields));
    }
}

fn asked(rows: &BTreeMap<&'static str, RowId>) -> Vec<Json> {
    let ids = rows.iter().map(|(table, row)| ((*table).to_owned(), json!(row)));
    let all: serde_json::Map<_, _> = ids.clone().collect();
    let mut inputs = vec![json!({}), json!({"period": "2024-H1"}), Json::Object(all)];
    inputs.extend(ids.map(|(table, row)| json!({ table: row })));
    inputs
}

fn none_fails(phone: &mut TestPhone, rows: &BTreeMap<&'static str, RowId>) -> usize {
    let mut answered = 0;
    for name in Companion::call_names() {
        for input in asked(rows) {
            match phone.app().call(name, input.clone()) {
                Ok(_) => answered += 1,
                Err(AppError::InvalidInput { .. } | AppError::NotAllowed { .. } | AppError::NotFound) => {}
                Err(AppError::Locked { .. }) => {}
                Err(other) => panic!("{name} {input}: {other:?}"),
            }
        }
    }
    answered
}

#[test]
fn no_call_fails_because_of_a_number_that_is_out_of_all_bounds() {
    for role in [LEAD, TRAINER] {
        let mut team = Team::new();
        let mut phone = team.enrol("Hoàng Thị Đượm", role);
        let mut rows = BTreeMap::from([("team", team.team.0), ("member", phone.member.0)]);
        for (number, day) in [
            (i64::MAX, Value::Int(i64::MAX)),
            (i64::MIN, Value::Int(i64::MIN)),
            (i64::MAX, date("2024-05-02").into()),
            (i64::MAX, date("2024-05-02").into()),
            (i64::MIN, date("2024-05-02").into()),
        ] {
            write_rows(&mut team, number, &day, &mut rows);
        }
        team.bring(&mut phone);
        assert!(none_fails(&mut phone, &rows) > 20);
    }
}
