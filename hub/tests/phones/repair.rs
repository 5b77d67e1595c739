//! Damage of any table, any column: found by the next count, mended by the next sync, and nothing else is touched.

use std::path::Path;

use langso_device::companion::{Nothing, SyncProblem};
use langso_domain::registry::{CURRENT, Kind, Role, Roles, ScopeKind, Table};
use langso_hub::clock::DAY_MS;
use langso_store::{CURRENT as SCHEMA, Purpose, Replica};
use langso_sync::digest::Digest;
use langso_sync::value::Value;
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::json;

use crate::field::handset::Rows;
use crate::field::link::Break;
use crate::field::{Field, Handset, Team};

fn is_mending(phone: &mut Handset) -> bool {
    let problems = phone.app().sync().list_sync_problems(Nothing {}).unwrap().problems;
    problems.iter().any(|problem| matches!(problem, SyncProblem::Repairing { .. }))
}

/// What the last process left that was killed after a save: rows are counted at the next sync.
fn as_if_killed(file: &Connection) {
    file.execute("UPDATE scopes SET digest = NULL", []).unwrap();
}

/// Tables that a member's phone may write.
fn writable() -> impl Iterator<Item = &'static Table> {
    let is_own = |table: &&Table| {
        table.writers != Roles::HUB
            && table.writers.has(Role::Member)
            && matches!(table.scope, ScopeKind::Team | ScopeKind::Training)
    };
    CURRENT.tables.iter().filter(is_own)
}

fn some_value(kind: Kind, row: langso_domain::id::RowId) -> Value {
    match kind {
        Kind::Int | Kind::Date | Kind::Enum(_) | Kind::Thousandths => Value::Int(5),
        Kind::Bool => Value::Bool(true),
        Kind::Text(_) => Value::from("chữ"),
        Kind::Code => Value::from("T1@1"),
        Kind::Bytes(_) => Value::Bytes(vec![7; 8]),
        Kind::Ref(_) => Value::Ref(row),
        Kind::RefList(_) => Value::Refs(vec![row]),
    }
}

/// A phone with rows as made and as patched in every table it may write, and what the hub wrote.
async fn full(field: &Field, team: &Team) -> Handset {
    let mut member = field.phone(team, "Chíu Sám Múi", Role::Member).await;
    member.sync().await.unwrap();
    member.household("Hộ 12");
    member.visit(team);
    let rows = member.save(|saving| {
        let made = writable().map(|table| Ok((table, saving.create(table.name, [])?)));
        made.collect::<langso_device::Result<Vec<_>>>()
    });
    member.save(|saving| {
        for (table, id) in &rows {
            let fields = table.fields.iter().map(|field| (field.name, some_value(field.kind, *id)));
            saving.patch(table.name, *id, fields)?;
        }
        Ok(())
    });
    member.sync().await.unwrap();
    member
}

/// All that is this phone's own and no row of the record.
fn own(file: &Path) -> Vec<(String, Vec<Vec<Sql>>)> {
    let file = Connection::open(file).unwrap();
    let read = |sql: &str| -> Vec<Vec<Sql>> {
        let mut get = file.prepare(sql).unwrap();
        let columns = get.column_count();
        let rows = get.query_map([], |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
        rows.map(|row| row.unwrap()).collect()
    };
    let tables = ["outbox", "receipts", "drafts", "kept_frames", "set_aside_notices", "saved_once"];
    tables.map(|table| (table.to_owned(), read(&format!("SELECT * FROM {table}")))).to_vec()
}

fn flipped(value: &Sql, n: usize) -> Option<Sql> {
    let flip = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = n % bytes.len().max(1);
        *bytes.get_mut(at)? ^= 1;
        Some(bytes)
    };
    match value {
        Sql::Null | Sql::Real(_) => None,
        Sql::Integer(number) => Some(Sql::Integer(number ^ 1 << (n % 5))),
        Sql::Text(text) => String::from_utf8(flip(text.as_bytes())?).ok().map(Sql::Text),
        Sql::Blob(bytes) => Some(Sql::Blob(flip(bytes)?)),
    }
}

/// One bit of one column of one row; none when that row has nothing there.
fn flip(file: &Connection, table: &Table, column: &str, n: usize) -> bool {
    let get = |connection: &Connection| -> Vec<(Vec<u8>, Sql)> {
        let sql = format!("SELECT id, {column} FROM {} WHERE {column} IS NOT NULL", table.plural);
        let mut get = connection.prepare(&sql).unwrap();
        let rows = get.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(|row| row.unwrap()).collect()
    };
    let found = get(file);
    let Some((id, value)) = found.get(n % found.len().max(1)) else { return false };
    let Some(other) = flipped(value, n) else { return false };
    let sql = format!("UPDATE {} SET {column} = ?2 WHERE id = ?1", table.plural);
    file.execute(&sql, (id, other)).unwrap_or(0) == 1
}

/// Syncs; afterwards all is as it was.
async fn mends(phone: &mut Handset, before: &Rows, kept: &[(String, Vec<Vec<Sql>>)], what: &str) {
    phone.sync().await.unwrap();
    assert!(!is_mending(phone), "{what}: the hub agrees again");
    let after = phone.rows();
    for (table, rows) in before {
        assert!(after[table] == *rows, "{what}: {table}\n{rows:?}\n{:?}", after[table]);
    }
    assert!(own(&phone.file()) == kept, "{what}: outbox, receipts, drafts and frames stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flips_in_any_table_and_column_of_a_phone_is_found_and_mended() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = full(&field, &team).await;
    phone.call::<serde_json::Value>("drafts.save_draft", json!({"kind": "visit", "body": "{}"}));
    let before = phone.rows();
    let kept = own(&phone.file());
    let (mut cases, mut tables) = (0, 0);
    for (n, table) in CURRENT.tables.iter().filter(|table| !table.is_personal()).enumerate() {
        if before[table.plural].is_empty() {
            continue;
        }
        tables += 1;
        let columns = ["id", "scope", "v_stamp", "v_more", "void"];
        let fields = table.fields.iter().map(|field| field.name);
        for (at, column) in columns.into_iter().chain(fields).enumerate() {
            field.world.pass(DAY_MS);
            let file = Connection::open(phone.file()).unwrap();
            if !flip(&file, table, column, n + at) {
                continue;
            }
            as_if_killed(&file);
            drop(file);
            assert!(phone.rows() != before, "{}.{column}", table.plural);
            mends(&mut phone, &before, &kept, &format!("{}.{column}", table.plural)).await;
            cases += 1;
        }
    }
    println!("{tables} tables: {cases} columns damaged, found and mended");
    assert!(tables >= 15 && cases >= 120, "{tables} {cases}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_fell_into_another_scope_is_mended_in_both_by_one_sync() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = full(&field, &team).await;
    let before = phone.rows();
    let kept = own(&phone.file());
    let file = Connection::open(phone.file()).unwrap();
    let numbers = "SELECT number FROM scopes WHERE number <> (SELECT max(scope) FROM service_rows)";
    let mut get = file.prepare(numbers).unwrap();
    let others: Vec<i64> = get.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect();
    assert!(others.len() >= 2);
    for other in others {
        field.world.pass(DAY_MS);
        assert!(file.execute("UPDATE service_rows SET scope = ?1", [other]).unwrap() > 0);
        as_if_killed(&file);
        mends(&mut phone, &before, &kept, &format!("scope {other}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mending_that_is_cut_goes_on_and_what_was_saved_meanwhile_stays() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = full(&field, &team).await;
    for n in 0..40 {
        phone.household(&format!("Hộ {n}"));
    }
    phone.sync().await.unwrap();
    let before = phone.rows();
    let file = Connection::open(phone.file()).unwrap();
    file.execute("DELETE FROM visits", []).unwrap();
    as_if_killed(&file);
    drop(file);
    // The line breaks again and again while the rows are fetched, and the app is closed each time.
    let is_whole = |phone: &mut Handset| phone.rows()["visits"] == before["visits"];
    let mut cut = 0;
    for down in (1_200..).step_by(150) {
        field.world.pass(DAY_MS);
        phone.link.break_at(Break::Down(down));
        let _ = phone.sync().await;
        phone.close();
        if is_whole(&mut phone) {
            break;
        }
        if cut == 0 {
            // One change arrives meanwhile; the other is beyond a member's role and waits for the lead.
            phone.household("Hộ mới");
            phone.save(|saving| saving.create("member", [("name", "Lỷ A Nhì".into())]));
        }
        cut += 1;
        assert!(cut < 60, "it never ends");
    }
    println!("{cut} cuts");
    assert!(cut > 0);
    phone.sync().await.unwrap();
    let after = phone.rows();
    for (table, rows) in &before {
        let more = usize::from(["members", "households", "consents"].contains(table));
        assert_eq!(after[table].len(), rows.len() + more, "{table}");
        assert!(rows.iter().all(|row| after[table].contains(row)), "{table}");
    }
    let aside = field.log().list_set_aside(team.scope).unwrap();
    let written = phone.written();
    assert_eq!(aside.len(), 1, "kept for the lead");
    let arrived = written.iter().filter(|(scope, key, _)| *scope == team.scope && Some(*key) != aside[0].key);
    field.holds_once(team.scope, arrived.map(|(_, key, _)| key));
    assert!(
        !phone
            .path()
            .read_dir()
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().contains("repair") })
    );
}

/// The pages of the file on which rows of a table lie.
fn pages(file: &Connection, table: &str) -> Vec<u64> {
    let sql = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'";
    let mut get = file.prepare(sql).unwrap();
    let pages = get.query_map([table], |row| row.get::<_, i64>(0)).unwrap();
    pages.map(|page| page.unwrap() as u64).collect()
}

/// What the rows come to, counted on a copy.
fn counted(file: &Path) -> Vec<Digest> {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    std::fs::copy(file, &copy).unwrap();
    let mut replica = Replica::open(&copy, SCHEMA, Purpose::Phone).unwrap();
    replica.recount().unwrap().iter().map(|counted| counted.digest).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flips_in_the_file_is_mended_or_is_for_sqlite_to_find() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = full(&field, &team).await;
    let before = phone.rows();
    let kept = own(&phone.file());
    let whole_rows = counted(&phone.file());
    let (mut mended, mut unread, mut harmless) = (0, 0, 0);
    for table in CURRENT.tables.iter().filter(|table| !table.is_personal()) {
        if before[table.plural].is_empty() {
            continue;
        }
        for n in 0..8_u64 {
            field.world.pass(DAY_MS);
            let file = Connection::open(phone.file()).unwrap();
            as_if_killed(&file);
            let pages = pages(&file, table.plural);
            let size: u64 =
                file.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0)).unwrap() as u64;
            drop(file);
            // Rows lie at the end of a page.
            let page = pages[n as usize % pages.len()];
            let at = (page * size - 1 - (n * 41 + u64::from(table.number) * 7) % 300) as usize;
            let whole = std::fs::read(phone.file()).unwrap();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (n % 8);
            std::fs::write(phone.file(), &bytes).unwrap();
            let file = Connection::open(phone.file()).unwrap();
            let verdict = file.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
            drop(file);
            if verdict.ok().as_deref() != Some("ok") {
                unread += 1;
                std::fs::write(phone.file(), &whole).unwrap();
                continue;
            }
            match counted(&phone.file()) == whole_rows {
                true => harmless += 1,
                false => mended += 1,
            }
            mends(&mut phone, &before, &kept, &format!("{} at {at}", table.plural)).await;
        }
    }
    println!("{mended} found and mended, {unread} seen by SQLite itself, {harmless} in no row");
    assert!(mended >= 40, "{mended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_mended_by_a_snapshot_has_no_damage_of_the_hubs_in_it() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = full(&field, &team).await;
    for n in 0..60 {
        phone.household(&format!("Hộ {n}"));
    }
    phone.sync().await.unwrap();
    let before = phone.rows();
    let kept = own(&phone.file());
    let hub = field.hub();
    // A snapshot of rows that have changed by themselves, as a hub of before may have made it.
    hub.project(team.scope).unwrap();
    let replicas = field.folder.path().join("replicas");
    let replica = replicas.join(format!("{}.db", langso_domain::id::to_base32(&team.scope.0)));
    let damage = |file: &Path| {
        let file = Connection::open(file).unwrap();
        file.execute("UPDATE households SET label = 'Hộ 600' WHERE label = 'Hộ 6'", []).unwrap()
    };
    assert_eq!(damage(&replica), 1);
    hub.snapshots.make(&hub.replicas, team.scope, true).unwrap();
    assert_eq!(hub.snapshots.of(team.scope).unwrap().len(), 1);
    assert_eq!(damage(&phone.file()), 1);
    as_if_killed(&Connection::open(phone.file()).unwrap());
    mends(&mut phone, &before, &kept, "by a hub whose own rows were damaged").await;
    // The hub has made its rows and its snapshot anew before it said a word.
    assert!(hub.list_damages().unwrap().iter().any(|one| one.device == hub.keys.id()));
    assert_eq!(hub.snapshots.of(team.scope).unwrap().len(), 0);
    // By a snapshot that is whole.
    hub.snapshots.make(&hub.replicas, team.scope, true).unwrap();
    field.world.pass(DAY_MS);
    assert_eq!(damage(&phone.file()), 1);
    as_if_killed(&Connection::open(phone.file()).unwrap());
    phone.link.take_exchanges();
    mends(&mut phone, &before, &kept, "by a snapshot").await;
    let states: usize = phone.link.take_exchanges().iter().map(|exchange| exchange.states().len()).sum();
    assert!(states > 0, "it came as state");
}
