//! A hub's log: scopes with their heads, who is enrolled, what waits, and the newest changes of each scope.

use std::path::Path;

use langso_domain::registry::ScopeKind;
use rusqlite::Connection;

use super::{View, changes, replica, sqlite};
use crate::terminal::{Grid, moment, tell};
use crate::words::{Failure, Outcome, pick};

pub(super) fn show(connection: &Connection, path: &Path, view: &View<'_>) -> Outcome {
    if view.table.is_some() {
        // The rows of a hub lie in its replicas, one file a scope.
        return Err(Failure::usage("cli.not_this_kind", "--table"));
    }
    tell(format_args!("{}: {}", path.display(), pick("sổ của máy chủ", "a hub's log")));
    log(connection, view).map_err(|error| sqlite::refused(path, &error))
}

fn log(connection: &Connection, view: &View<'_>) -> rusqlite::Result<()> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    for (vi, en, sql) in [
        ("tổ", "teams", "SELECT count(*) FROM teams"),
        ("máy", "devices", "SELECT count(*) FROM devices WHERE member IS NOT NULL"),
        ("mã mời", "codes", "SELECT count(*) FROM codes"),
        ("mã đã dùng", "codes used", "SELECT count(*) FROM codes WHERE used_by IS NOT NULL"),
        ("dùng lần hai", "used twice", "SELECT count(*) FROM codes WHERE second_use_by IS NOT NULL"),
        ("thay đổi", "changes", "SELECT count(*) FROM changes"),
        ("chờ nhận", "set aside", "SELECT count(*) FROM set_aside WHERE admitted_at IS NULL"),
        ("trùng khóa", "collisions", "SELECT count(*) FROM collisions"),
        ("số liệu", "cells", "SELECT count(*) FROM cells"),
    ] {
        tell(format_args!("  {:<14} {}", pick(vi, en), count(sql)?));
    }
    let refusals = sqlite::all(connection, "SELECT reason, count, last_at FROM refusals", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    for (reason, count, at) in refusals {
        tell(format_args!("  {:<14} {reason} {count}, {}", pick("từ chối", "refused"), moment(at)));
    }
    let scopes = sqlite::all(
        connection,
        "SELECT s.scope, s.kind, s.head, s.watermark,
                (SELECT t.name FROM teams AS t WHERE t.scope = s.scope OR t.training = s.scope)
         FROM scopes AS s ORDER BY s.kind, s.created_at, s.scope",
        [],
        |row| {
            let kind = ScopeKind::from_number(row.get(1)?).map_or("?", replica::kind_name);
            let name: Option<String> = row.get(4)?;
            Ok((row.get::<_, Vec<u8>>(0)?, kind, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, name))
        },
    )?;
    tell(pick("Phạm vi: loại, đầu, đã sao lưu, tổ", "Scopes: kind, head, in the backup, team"));
    let mut grid = Grid::new(&[2, 3]);
    for (scope, kind, head, watermark, name) in &scopes {
        let scope = langso_domain::id::to_base32(scope);
        grid.row([
            scope,
            (*kind).to_owned(),
            head.to_string(),
            watermark.to_string(),
            name.clone().unwrap_or_default(),
        ]);
    }
    grid.tell();
    for (scope, _, head, ..) in &scopes {
        if *head > 0 {
            newest(connection, scope, *head as usize, view)?;
        }
    }
    Ok(())
}

fn newest(connection: &Connection, scope: &[u8], head: usize, view: &View<'_>) -> rusqlite::Result<()> {
    tell(format_args!("{} {}", pick("Thay đổi của", "Changes of"), langso_domain::id::to_base32(scope)));
    let sql = "SELECT c.position, w.device, c.bytes FROM changes AS c
               LEFT JOIN writers AS w ON w.writer = c.writer WHERE c.scope = ?1 ORDER BY c.position DESC";
    let mut get = connection.prepare(sql)?;
    let mut found = get.query([scope])?;
    let mut shown = 0;
    while shown < view.most(head)
        && let Some(row) = found.next()?
    {
        let place = format!("#{} {}", row.get::<_, i64>(0)?, sqlite::name(row, 1)?);
        changes::show(&place, &row.get::<_, Vec<u8>>(2)?, view);
        shown += 1;
    }
    view.rest(head);
    Ok(())
}
