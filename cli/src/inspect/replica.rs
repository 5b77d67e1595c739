//! A replica: its scopes, how many rows each table holds, and the rows of one table.

use langso_domain::registry::{CURRENT, ScopeKind, Table, VOID};
use langso_sync::value::Value;
use rusqlite::Connection;

use super::changes::value_text;
use super::{View, sqlite};
use crate::terminal::{Grid, tell};
use crate::words::{Failure, Outcome, pick};

/// The table of that name, singular or plural.
pub(super) fn known_table(name: &str) -> Outcome<&'static Table> {
    let found = CURRENT.tables.iter().find(|table| table.name == name || table.plural == name);
    found.ok_or_else(|| Failure::usage("input.unknown", format_args!("--table {name}")))
}

pub(super) fn show(connection: &Connection, view: &View<'_>) -> Outcome {
    let refused = |error: rusqlite::Error| sqlite::refused(std::path::Path::new("replica"), &error);
    match view.table {
        Some(name) => rows(connection, known_table(name)?, view).map_err(refused),
        None => summary(connection).map_err(refused),
    }
}

fn summary(connection: &Connection) -> rusqlite::Result<()> {
    let scopes =
        sqlite::all(connection, "SELECT scope, kind, position FROM scopes ORDER BY number", [], |row| {
            let kind = ScopeKind::from_number(row.get(1)?);
            Ok((sqlite::name(row, 0)?, kind, row.get::<_, i64>(2)?))
        })?;
    let mut grid = Grid::new(&[3]);
    for (scope, kind, position) in scopes {
        let kind = kind.map_or("?", kind_name);
        grid.row([
            scope,
            kind.to_owned(),
            pick("tới vị trí", "up to position").to_owned(),
            position.to_string(),
        ]);
    }
    if grid.is_empty() {
        tell(pick("Chưa nhận phần sổ nào", "No part of the book has come yet"));
        return Ok(());
    }
    tell(pick("Phạm vi", "Scopes"));
    grid.tell();
    tell(pick("Bảng", "Tables"));
    let mut grid = Grid::new(&[1, 3]);
    for table in CURRENT.tables {
        let exists = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        if connection.query_row(exists, [table.plural], |row| row.get::<_, i64>(0))? == 0 {
            continue;
        }
        let sql = format!("SELECT count(*), coalesce(sum(void IS 1), 0) FROM {}", table.plural);
        let (count, void): (i64, i64) =
            connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if count > 0 {
            let struck = if void > 0 { pick("gạch bỏ", "struck out") } else { "" };
            let void = if void > 0 { void.to_string() } else { String::new() };
            grid.row([table.name.to_owned(), count.to_string(), struck.to_owned(), void]);
        }
    }
    grid.tell();
    let shelf: i64 = connection.query_row("SELECT count(*) FROM shelf", [], |row| row.get(0))?;
    if shelf > 0 {
        tell(format_args!("  {shelf} {}", pick("mục có hai bản", "fields with two versions")));
    }
    Ok(())
}

pub(super) fn kind_name(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Team => pick("tổ", "team"),
        ScopeKind::Training => pick("tập huấn", "training"),
        ScopeKind::Place => pick("nơi", "place"),
        ScopeKind::Reference => pick("nội dung", "content"),
    }
}

fn rows(connection: &Connection, table: &'static Table, view: &View<'_>) -> rusqlite::Result<()> {
    let names: String = table.fields.iter().map(|field| format!(", {}", field.name)).collect();
    let sql = format!("SELECT id, void{names} FROM {} ORDER BY v_stamp DESC, id", table.plural);
    let count: i64 =
        connection.query_row(&format!("SELECT count(*) FROM {}", table.plural), [], |row| row.get(0))?;
    let count = count as usize;
    tell(format_args!("{} ({count})", table.name));
    let mut get = connection.prepare(&sql)?;
    let mut found = get.query([])?;
    let mut shown = 0;
    while shown < view.most(count)
        && let Some(row) = found.next()?
    {
        let mut line = format!("  {}", sqlite::name(row, 0)?);
        if row.get::<_, Option<bool>>(1)? == Some(true) {
            line.push_str(&format!(" void({VOID})=true"));
        }
        for (at, field) in table.fields.iter().enumerate() {
            let value = langso_store::from_sql(field.kind, row.get_ref(at + 2)?);
            if value != Value::Null {
                let is_masked = table.is_personal() && !view.show_personal;
                line.push_str(&format!(
                    " {}={}",
                    field.name,
                    value_text(Some(field.kind), &value, is_masked)
                ));
            }
        }
        tell(line);
        shown += 1;
    }
    view.rest(count);
    Ok(())
}
