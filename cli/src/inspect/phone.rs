//! A phone's database: who it is, its outbox with what has a receipt, and its replica.

use std::path::Path;

use rusqlite::Connection;

use super::{Part, View, changes, replica, sqlite};
use crate::terminal::{moment, tell};
use crate::words::{Outcome, pick};

pub(super) fn show(connection: &Connection, path: &Path, view: &View<'_>) -> Outcome {
    let refused = |error: rusqlite::Error| sqlite::refused(path, &error);
    if view.table.is_some() {
        return replica::show(connection, view);
    }
    tell(format_args!("{}: {}", path.display(), pick("điện thoại", "a phone")));
    if view.part.is_none() {
        who(connection).map_err(refused)?;
    }
    if view.shows(Part::Outbox) {
        outbox(connection, view).map_err(refused)?;
    }
    if view.shows(Part::Replica) {
        replica::show(connection, view)?;
    }
    Ok(())
}

fn who(connection: &Connection) -> rusqlite::Result<()> {
    // Only these: other facts hold nonces.
    let fact = |name: &str| -> rusqlite::Result<Option<serde_json::Value>> {
        let found =
            sqlite::all(connection, "SELECT value FROM phone_facts WHERE name = ?1", [name], |row| {
                row.get::<_, String>(0)
            })?;
        // Behind the line feed stands its sum.
        Ok(found.first().and_then(|text| serde_json::from_str(text.lines().next()?).ok()))
    };
    match fact("identity")? {
        None => tell(format_args!("  {}", pick("chưa vào tổ", "in no team yet"))),
        Some(identity) => {
            for (vi, en, key) in [
                ("máy", "device", "device"),
                ("thành viên", "member", "member"),
                ("tổ", "team", "team"),
                ("vai trò", "role", "role"),
                ("máy chủ", "hub", "hub_url"),
            ] {
                let value = identity[key].as_str().map_or_else(|| identity[key].to_string(), str::to_owned);
                tell(format_args!("  {:<14} {}", pick(vi, en), crate::terminal::clean(&value)));
            }
        }
    }
    if let Some(at) = fact("last_sync")?.and_then(|at| at.as_i64()) {
        tell(format_args!("  {:<14} {}", pick("gửi nhận xong", "last sync"), moment(at)));
    }
    Ok(())
}

fn outbox(connection: &Connection, view: &View<'_>) -> rusqlite::Result<()> {
    let count: i64 = connection.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?;
    let count = count as usize;
    let sql = "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM receipts";
    let received: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let words = pick("máy này đã ghi", "written by this phone");
    let with = pick("có biên nhận", "with a receipt");
    tell(format_args!("Outbox: {count} {words}, {received} {with}"));
    let sql = "SELECT o.n, s.scope, o.bytes FROM outbox AS o LEFT JOIN scopes AS s ON s.number = o.scope
               ORDER BY o.n DESC";
    let mut get = connection.prepare(sql)?;
    let mut found = get.query([])?;
    let mut shown = 0;
    while shown < view.most(count)
        && let Some(row) = found.next()?
    {
        let n: i64 = row.get(0)?;
        changes::show(&format!("{n} {}", sqlite::name(row, 1)?), &row.get::<_, Vec<u8>>(2)?, view);
        shown += 1;
    }
    view.rest(count);
    Ok(())
}
