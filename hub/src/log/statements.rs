//! Every statement of the log, as text and nothing else, so that a second engine can take them over one by one.
//!
//! The rule to hold: a statement over a table that belongs to a scope is bound by `scope`, so that the log can be
//! sharded by it. The test below reads this file and holds it.

pub const ADD_SCOPE: &str = "INSERT INTO scopes (scope, kind, chain, created_at) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (scope) DO NOTHING";
pub const SCOPE: &str = "SELECT kind, head, chain, watermark FROM scopes WHERE scope = ?1";
pub const MOVE_HEAD: &str = "UPDATE scopes SET head = ?2, chain = ?3 WHERE scope = ?1";
pub const RAISE_WATERMARK: &str =
    "UPDATE scopes SET watermark = ?2 WHERE scope = ?1 AND watermark < ?2 AND head >= ?2";

pub const ADD_CHANGE: &str =
    "INSERT INTO changes (scope, position, writer, seq, chain, received_at, hash, bytes)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (scope, writer, seq) DO NOTHING";
pub const CHANGE_HASH: &str =
    "SELECT hash, position FROM changes WHERE scope = ?1 AND writer = ?2 AND seq = ?3";
pub const CHAIN_AT: &str = "SELECT chain FROM changes WHERE scope = ?1 AND position = ?2";
pub const RECEIVED_AT: &str = "SELECT received_at FROM changes WHERE scope = ?1 AND position = ?2";
pub const RECEIVED_KEY: &str =
    "SELECT received_at FROM changes WHERE scope = ?1 AND writer = ?2 AND seq = ?3";
pub const CHANGES_AFTER: &str = "SELECT c.position, c.writer, c.seq, c.chain, c.bytes, w.device
  FROM changes c JOIN writers w ON w.writer = c.writer
  WHERE c.scope = ?1 AND c.position > ?2 ORDER BY c.position LIMIT ?3";
// The signs keep the search on the key: a walk over all positions for each writer grows with the square.
pub const BYTES_UPTO: &str =
    "SELECT coalesce(sum(length(bytes)), 0) FROM changes WHERE scope = ?1 AND position <= ?2";
pub const KEYS_OF_WRITER: &str = "SELECT position, seq FROM changes
  WHERE scope = ?1 AND writer = ?2 AND seq <= ?3 AND +position > ?4 ORDER BY +position";

pub const ADD_SET_ASIDE: &str = "INSERT INTO set_aside (scope, writer, seq, hash, device, reason, bytes, at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (scope, writer, seq, hash) DO NOTHING";
pub const SET_ASIDE_OF: &str = "SELECT set_aside_id, writer, seq, device, reason, at, hash FROM set_aside
  WHERE scope = ?1 AND admitted_at IS NULL AND reentered_at IS NULL ORDER BY set_aside_id";
// What was entered anew stays told to its author, who else would send it again for ever.
pub const SET_ASIDE_OF_DEVICE: &str = "SELECT writer, seq,
    CASE WHEN reentered_at IS NULL THEN reason ELSE 'reentered' END FROM set_aside
  WHERE scope = ?1 AND device = ?2 AND admitted_at IS NULL ORDER BY set_aside_id LIMIT ?3";
pub const COUNT_WAITING_OF_DEVICE: &str = "SELECT
    (SELECT count(*) FROM set_aside WHERE scope = ?1 AND device = ?2 AND admitted_at IS NULL)
  + (SELECT count(*) FROM collisions WHERE scope = ?1 AND device = ?2)";
pub const COLLISIONS_OF_DEVICE: &str =
    "SELECT writer, seq, CASE WHEN reentered_at IS NULL THEN 'other_bytes' ELSE 'reentered' END
  FROM collisions WHERE scope = ?1 AND device = ?2 ORDER BY writer, seq LIMIT ?3";
pub const SET_ASIDE_ONE: &str = "SELECT writer, seq, hash, device, bytes FROM set_aside
  WHERE scope = ?1 AND set_aside_id = ?2 AND hash = ?3 AND admitted_at IS NULL AND reentered_at IS NULL";
pub const SET_ASIDE_ADMITTED: &str =
    "UPDATE set_aside SET admitted_at = ?3, decided_by = ?4 WHERE scope = ?1 AND set_aside_id = ?2";
pub const SET_ASIDE_CAME: &str = "UPDATE set_aside SET admitted_at = ?5
  WHERE scope = ?1 AND writer = ?2 AND seq = ?3 AND hash = ?4 AND admitted_at IS NULL AND reentered_at IS NULL";
pub const WAITING_FOR_DEVICE: &str = "SELECT set_aside_id, writer, seq, hash, device, bytes FROM set_aside
  WHERE scope = ?1 AND device = ?2 AND reason = ?3 AND admitted_at IS NULL
  AND reentered_at IS NULL ORDER BY set_aside_id LIMIT ?4";
pub const SET_ASIDE_FOR: &str = "UPDATE set_aside SET reason = ?3 WHERE scope = ?1 AND set_aside_id = ?2";
pub const SET_ASIDE_REENTERED: &str = "UPDATE set_aside SET reentered_at = ?3, decided_by = ?4
  WHERE scope = ?1 AND set_aside_id = ?2 AND hash = ?5 AND admitted_at IS NULL AND reentered_at IS NULL";
pub const WAITING_AFTER: &str =
    "SELECT set_aside_id, writer, seq, device, reason, at, bytes, hash FROM set_aside
  WHERE scope = ?1 AND set_aside_id > ?2 AND admitted_at IS NULL AND reentered_at IS NULL
  ORDER BY set_aside_id LIMIT ?3";
pub const COLLISIONS_AFTER: &str = "SELECT writer, seq, hash, device, at, bytes FROM collisions
  WHERE scope = ?1 AND (writer, seq, hash) > (?2, ?3, ?4) AND reentered_at IS NULL
  ORDER BY writer, seq, hash LIMIT ?5";
pub const COLLISION_ONE: &str = "SELECT device, bytes FROM collisions
  WHERE scope = ?1 AND writer = ?2 AND seq = ?3 AND hash = ?4 AND reentered_at IS NULL";
pub const COLLISION_REENTERED: &str = "UPDATE collisions SET reentered_at = ?5, decided_by = ?6
  WHERE scope = ?1 AND writer = ?2 AND seq = ?3 AND hash = ?4 AND reentered_at IS NULL";
pub const ADD_COLLISION: &str = "INSERT INTO collisions (scope, writer, seq, hash, device, bytes, at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (scope, writer, seq, hash) DO NOTHING";
pub const COLLISIONS_OF: &str = "SELECT writer, seq, device, at, hash FROM collisions
  WHERE scope = ?1 AND reentered_at IS NULL ORDER BY at, writer, seq";

pub const PUT_CELL: &str = "INSERT INTO cells (scope, unit, period, indicator, dims, value)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (scope, indicator, period, unit, dims) DO UPDATE SET value = excluded.value";
pub const DROP_CELL: &str =
    "DELETE FROM cells WHERE scope = ?1 AND unit = ?2 AND period = ?3 AND indicator = ?4 AND dims = ?5";
pub const CELLS_OF: &str = "SELECT unit, period, indicator, dims, value FROM cells
  WHERE scope = ?1 ORDER BY indicator, period, unit, dims";
pub const CELLS_FOR: &str = "SELECT unit, period, indicator, dims, value FROM cells
  WHERE scope = ?1 AND indicator = ?2 AND period = ?3 ORDER BY unit, dims";
pub const PROJECTED: &str = "SELECT position, as_of, day, made_by FROM projections WHERE scope = ?1";
pub const MARK_PROJECTED: &str = "INSERT INTO projections (scope, position, as_of, day, made_by)
  VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope) DO UPDATE
  SET position = excluded.position, as_of = excluded.as_of, day = excluded.day, made_by = excluded.made_by";

pub const BIND_WRITER: &str = "INSERT INTO writers (writer, scope, device, bound_at) VALUES (?1, ?2, ?3, ?4)";
pub const WRITER: &str = "SELECT scope, device FROM writers WHERE writer = ?1";

pub const ADD_DEVICE: &str =
    "INSERT INTO devices (device, public_key, member, team, role, enrolled_at, own_row)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (device) DO NOTHING";
pub const DEVICE: &str =
    "SELECT public_key, member, team, role, enrolled_at, revoked_at, own_row FROM devices WHERE device = ?1";
pub const DEVICES: &str = "SELECT device, public_key, member, team, role, enrolled_at, revoked_at, own_row
  FROM devices ORDER BY enrolled_at, device";
pub const HUB: &str = "SELECT device FROM devices WHERE role = ?1";
pub const REVOKE_DEVICE: &str = "UPDATE devices SET revoked_at = ?2 WHERE device = ?1 AND revoked_at IS NULL";
pub const ADD_GRANT: &str = "INSERT INTO device_scopes (device, scope, role, from_at, until_at)
  VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (device, scope, from_at) DO UPDATE SET role = ?3, until_at = ?5";
// What is held now has no end: a clock that was wrong when a grant began or ended has no say.
pub const GRANTS: &str = "SELECT d.scope, s.kind, d.role
  FROM device_scopes d JOIN scopes s ON s.scope = d.scope
  WHERE d.device = ?1 AND d.until_at IS NULL ORDER BY d.scope";
pub const GRANT: &str = "SELECT role FROM device_scopes
  WHERE device = ?1 AND scope = ?2 AND until_at IS NULL ORDER BY from_at DESC LIMIT 1";

pub const ENDED_GRANT: &str = "SELECT max(until_at) FROM device_scopes
  WHERE device = ?1 AND scope = ?2";
pub const END_GRANT: &str = "UPDATE device_scopes SET until_at = ?3
  WHERE device = ?1 AND scope = ?2 AND until_at IS NULL";

pub const ADD_TEAM: &str =
    "INSERT INTO teams (team, scope, training, unit, name, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub const TEAM: &str = "SELECT team, scope, training, unit, name FROM teams WHERE team = ?1";
pub const TEAMS: &str = "SELECT team, scope, training, unit, name FROM teams ORDER BY created_at, team";
pub const ADD_PLACE: &str = "INSERT INTO places (unit, scope, created_at) VALUES (?1, ?2, ?3)";
pub const PLACES: &str = "SELECT unit, scope FROM places ORDER BY unit";
pub const ADD_TEAM_SCOPE: &str = "INSERT INTO team_scopes (team, scope, from_at, until_at)
  VALUES (?1, ?2, ?3, ?4) ON CONFLICT (team, scope, from_at) DO UPDATE SET until_at = ?4";
pub const TEAM_SCOPES: &str = "SELECT t.scope, s.kind FROM team_scopes t JOIN scopes s ON s.scope = t.scope
  WHERE t.team = ?1 AND t.until_at IS NULL ORDER BY t.scope";
// Those that enrolled in the team and have not left it, and those that joined it beside another one.
pub const DEVICES_OF_TEAM: &str = "SELECT device, role FROM devices
  WHERE team = ?1 AND revoked_at IS NULL AND left_at IS NULL
  UNION SELECT d.device, g.role FROM teams t JOIN device_scopes g ON g.scope = t.scope
  JOIN devices d ON d.device = g.device
  WHERE t.team = ?1 AND g.until_at IS NULL AND d.revoked_at IS NULL ORDER BY 1";
pub const LEAVE_TEAM: &str = "UPDATE devices SET left_at = ?3 WHERE device = ?1 AND team = ?2";
// Who comes back comes in a new role.
pub const COME_BACK: &str = "UPDATE devices SET left_at = NULL, role = ?3
  WHERE device = ?1 AND team = ?2 AND left_at IS NOT NULL";
pub const RETIRE_TEAM: &str = "UPDATE team_scopes SET until_at = ?2 WHERE team = ?1 AND until_at IS NULL";
// Scopes of other teams that the device is in: it keeps those when it leaves this one.
pub const SCOPES_ELSEWHERE: &str = "SELECT o.scope FROM team_scopes o JOIN teams t ON t.team = o.team
  JOIN device_scopes g ON g.scope = t.scope AND g.until_at IS NULL
  WHERE g.device = ?1 AND o.team <> ?2 AND o.until_at IS NULL";
pub const ADD_TRAINER: &str =
    "INSERT INTO trainers (member, team) VALUES (?1, ?2) ON CONFLICT (member, team) DO NOTHING";
pub const TRAINED_SCOPES: &str = "SELECT t.training FROM trainers r JOIN teams t ON t.team = r.team
  WHERE r.member = ?1 ORDER BY t.training";
pub const TRAINERS_OF: &str = "SELECT member FROM trainers WHERE team = ?1 ORDER BY member";
pub const END_TRAINER: &str = "DELETE FROM trainers WHERE member = ?1";
pub const DEVICES_OF_MEMBER: &str =
    "SELECT device, role FROM devices WHERE member = ?1 AND revoked_at IS NULL ORDER BY device";

pub const NOTE_UNKNOWN_SCOPE: &str =
    "INSERT INTO unknown_scopes (scope) VALUES (?1) ON CONFLICT (scope) DO NOTHING";
pub const UNKNOWN_SCOPES: &str = "SELECT scope FROM unknown_scopes ORDER BY scope";

pub const ADD_CODE: &str = "INSERT INTO codes (secret_hash, team, member, role, created_at, expires_at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub const CODE: &str = "SELECT secret_hash, team, member, role, expires_at, used_by
  FROM codes WHERE secret_hash = ?1";
pub const CODES_OF: &str = "SELECT member, role, created_at, expires_at, used_by, used_at, second_use_by,
  second_used_at FROM codes WHERE team = ?1 ORDER BY created_at, secret_hash";
pub const USE_CODE: &str = "UPDATE codes SET used_by = ?2, used_at = ?3 WHERE secret_hash = ?1";
// A member's row is of one team; what is used already lets nobody else in.
pub const END_CODES: &str = "UPDATE codes SET expires_at = ?2
  WHERE member = ?1 AND used_by IS NULL AND expires_at > ?2";
pub const MOVE_CODES: &str = "UPDATE codes SET team = ?2 WHERE team = ?1 AND used_by IS NULL";
pub const SECOND_USE: &str = "UPDATE codes SET second_use_by = ?2, second_used_at = ?3
  WHERE secret_hash = ?1 AND second_use_by IS NULL";

pub const COUNT_REFUSAL: &str = "INSERT INTO refusals (reason, count, last_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (reason) DO UPDATE SET count = count + excluded.count, last_at = excluded.last_at";
pub const REFUSALS: &str = "SELECT reason, count, last_at FROM refusals ORDER BY reason";

pub const ADD_BACKUP: &str = "INSERT INTO backups (at, folder, bytes, changes) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (at) DO UPDATE SET folder = excluded.folder, bytes = excluded.bytes, changes = excluded.changes";
pub const LAST_BACKUP: &str = "SELECT at, folder, bytes, changes FROM backups ORDER BY at DESC LIMIT 1";
pub const COUNT_DAMAGE: &str = "INSERT INTO damages (scope, device, count, last_at) VALUES (?1, ?2, 1, ?3)
  ON CONFLICT (scope, device) DO UPDATE SET count = count + 1, last_at = excluded.last_at";
pub const DAMAGES_OF: &str =
    "SELECT device, count, last_at FROM damages WHERE scope = ?1 ORDER BY last_at, device";

#[cfg(test)]
mod tests {
    /// Tables that are bound by scope; every other table is the directory.
    const OF_A_SCOPE: &[&str] =
        &["scopes", "changes", "set_aside", "collisions", "cells", "projections", "damages"];

    fn statements() -> Vec<(String, String)> {
        let source = include_str!("statements.rs");
        let (source, _) = source.split_once("mod tests {").expect("this module");
        let constants = source.split("pub const ").skip(1);
        let one = |text: &str| {
            let (name, rest) = text.split_once(':').expect("a type");
            let sql = rest.split('"').nth(1).expect("a text");
            (name.to_owned(), sql.to_owned())
        };
        constants.map(one).collect()
    }

    #[test]
    fn every_statement_over_a_scope_is_bound_by_it() {
        let all = statements();
        assert!(all.len() > 40, "{}", all.len());
        for (name, sql) in all {
            let words: Vec<&str> = sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            let of_a_scope = words
                .windows(2)
                .any(|pair| ["FROM", "INTO", "UPDATE"].contains(&pair[0]) && OF_A_SCOPE.contains(&pair[1]));
            if !of_a_scope {
                continue;
            }
            let bound = sql.contains("scope = ?1")
                || sql.split_once('(').is_some_and(|(start, rest)| {
                    start.starts_with("INSERT") && rest.starts_with("scope,") && sql.contains("(?1,")
                });
            assert!(bound, "{name} is not bound by scope");
        }
    }
}
