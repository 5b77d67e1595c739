//! A bit that flips in a row is found by the next count: every table, every column, by the back door.

use std::collections::BTreeMap;

use langso_domain::id::{RowId, Writer};
use langso_domain::registry::{Kind, ScopeKind, Table, VOID};
use langso_store::{CURRENT, Purpose, Replica};
use langso_sync::author::Author;
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::value::Value;
use rusqlite::types::Value as Sql;

use crate::history::{SCOPE, apply, replica};
use crate::newer::with_field_and_table;

/// A value of a kind, another for each `n`.
fn value(kind: Kind, n: u8) -> Value {
    let row = RowId([n.max(1); 12]);
    match kind {
        Kind::Int | Kind::Date | Kind::Enum(_) | Kind::Thousandths => Value::Int(i64::from(n) + 1),
        Kind::Bool => Value::Bool(n.is_multiple_of(2)),
        Kind::Text(_) | Kind::Code => Value::Text(format!("chữ {n}")),
        Kind::Bytes(_) => Value::Bytes(vec![n; 8]),
        Kind::Ref(_) => Value::Ref(row),
        Kind::RefList(_) => Value::Refs(vec![row, RowId([99; 12])]),
    }
}

fn fields(table: &Table, n: u8) -> BTreeMap<u8, Value> {
    table.fields.iter().map(|field| (field.number, value(field.kind, n))).collect()
}

/// Three rows of each table: as made, with every field patched and struck out, with two heads in every field.
fn full() -> Replica {
    let mut held = replica(CURRENT, Purpose::HubCache);
    let mut changes: Vec<Change> = Vec::new();
    let mut author = Author::new(Writer(1));
    let mut clock = Clock::default();
    // A newer program's tables and fields among them.
    let newer = with_field_and_table();
    for table in newer.registry.tables {
        let mut draft = author.draft();
        let ids: Vec<RowId> =
            (0..3).map(|n| draft.create(table.number, fields(table, n)).expect("room")).collect();
        let made = author.finish(draft, &mut clock, 1_000);
        let mut seen = replica(newer, Purpose::HubCache);
        apply(&mut seen, [&made]);
        let state = |id| seen.row_state(table, id).expect("read").expect("there");
        let mut patch = |writer: u64, patched: &[(RowId, bool)]| {
            let mut author = Author::new(Writer(writer * 1_000 + u64::from(table.number)));
            let mut draft = author.draft();
            for (id, is_void) in patched {
                let mut fields = fields(table, writer as u8);
                fields.extend(is_void.then_some((VOID, Value::Bool(true))));
                draft.patch(table.number, *id, &state(*id), fields).expect("room");
            }
            author.finish(draft, &mut clock, 2_000 + writer)
        };
        changes.extend([patch(5, &[(ids[1], true), (ids[2], false)]), patch(6, &[(ids[2], false)])]);
        changes.push(made);
    }
    apply(&mut held, &changes);
    held
}

/// The value with one bit flipped; none when it has no bit.
fn flipped(value: &Sql, bit: usize) -> Option<Sql> {
    let flip = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = bit % (bytes.len() * 8).max(1);
        *bytes.get_mut(at / 8)? ^= 1 << (at % 8);
        Some(bytes)
    };
    match value {
        Sql::Null => Some(Sql::Null),
        Sql::Integer(number) => Some(Sql::Integer(number ^ 1 << (bit % 63))),
        Sql::Real(_) => None,
        Sql::Text(text) => String::from_utf8(flip(text.as_bytes())?).ok().map(Sql::Text),
        Sql::Blob(bytes) => Some(Sql::Blob(flip(bytes)?)),
    }
}

/// How many bits of a value are tried.
const BITS: usize = 12;

#[test]
fn a_bit_that_flips_in_any_column_of_any_table_is_found_by_the_next_count() {
    let mut held = full();
    let whole = held.recount().expect("counted")[0];
    assert!(whole.kept.is_some() && !whole.is_damaged());
    let (mut tables, mut columns, mut cases, mut skipped) = (0, 0, 0, 0);
    let names = CURRENT.registry.tables.iter().map(|table| (table.plural, table.is_personal()));
    for (name, is_personal) in names.chain([("unknown_rows", false)]) {
        tables += 1;
        let listed: Vec<String> = {
            let get = held.connection().prepare(&format!("SELECT * FROM {name}")).expect("a table");
            get.column_names().map(str::to_owned).collect()
        };
        let sql = format!("SELECT * FROM {name}");
        let rows: Vec<Vec<Sql>> = {
            let mut get = held.connection().prepare(&sql).expect("a table");
            let rows =
                get.query_map([], |row| (0..listed.len()).map(|at| row.get(at)).collect()).expect("rows");
            rows.map(|row| row.expect("a row")).collect()
        };
        assert!(rows.len() >= 3, "{name}");
        for (at, column) in listed.iter().enumerate() {
            // Personal values do not count; their names and versions do.
            let is_kept = ["id", "scope", "v_stamp", "table_number"].contains(&column.as_str());
            if is_personal && !is_kept {
                continue;
            }
            columns += 1;
            for row in &rows {
                for step in 0..BITS {
                    let bit = step * 37 + row.len();
                    let Some(other) = flipped(&row[at], bit).filter(|other| *other != row[at]) else {
                        skipped += 1;
                        continue;
                    };
                    let put = |connection: &rusqlite::Connection, from: &Sql, to: &Sql| {
                        let mut of = row.clone();
                        of[at] = from.clone();
                        let places: Vec<String> = listed
                            .iter()
                            .enumerate()
                            .map(|(n, name)| format!("{name} IS ?{}", n + 2))
                            .collect();
                        let sql = format!("UPDATE {name} SET {column} = ?1 WHERE {}", places.join(" AND "));
                        let values = std::iter::once(to).chain(&of);
                        connection.execute(&sql, rusqlite::params_from_iter(values)).unwrap_or(0)
                    };
                    if put(held.connection(), &row[at], &other) != 1 {
                        // Another row has that id.
                        assert_eq!(column, "id", "{name}");
                        skipped += 1;
                        continue;
                    }
                    let found = held.recount().expect("counted")[0];
                    assert_ne!(found.digest, whole.digest, "{name}.{column}: {:?} became {other:?}", row[at]);
                    assert_eq!(put(held.connection(), &other, &row[at]), 1);
                    cases += 1;
                }
            }
            let mended = held.recount().expect("counted")[0];
            assert_eq!(mended.digest, whole.digest, "{name}.{column} is as it was");
        }
    }
    println!(
        "{tables} tables, {columns} columns: {cases} flips, all found; {skipped} left out (no such value)"
    );
    assert!(cases > 5_000, "{cases}");
}

#[test]
fn a_row_that_goes_or_changes_scope_is_found() {
    let mut held = full();
    held.recount().expect("counted");
    let mut batch = held.begin().expect("begins");
    batch.add_scope(langso_domain::id::ScopeId(*b"team 002"), ScopeKind::Team).expect("a scope");
    batch.commit().expect("commits");
    for sql in [
        "DELETE FROM visits WHERE id = (SELECT min(id) FROM visits)",
        "UPDATE visits SET scope = 2 WHERE id = (SELECT min(id) FROM visits)",
        "DELETE FROM unknown_rows",
    ] {
        held.connection().execute(sql, []).expect("written");
        let damaged = |of: &langso_store::Counted| of.is_damaged();
        let found = held.recount().expect("counted");
        let here = found.iter().find(|of| of.scope == SCOPE).expect("the scope");
        assert!(damaged(here), "{sql}");
    }
}
