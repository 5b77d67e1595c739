//! Whether a copy of the log is whole: its pages, every change's hash and name, positions without holes, and the
//! chain of every scope worked out anew from its beginning to its head.
//!
//! The one idea: nothing in the copy is believed that can be worked out. It reads a file that nobody writes, one
//! change at a time, and changes nothing. Its statements walk over all scopes, which the served log's never do.

use std::path::Path;

use langso_domain::id::{DeviceId, Key, ScopeId, Writer};
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::chain::{Chain, Cursor};
use langso_sync::change;
use rusqlite::{Connection, OpenFlags};

use super::{MIGRATIONS, Position, ScopeState};

/// Changes between two words about how far it is.
const TOLD_EVERY: u64 = 2_048;

/// What a log holds, by its own word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holds {
    /// The hub's own device and its public key.
    pub hub: (DeviceId, [u8; 32]),
    /// The schema of the log.
    pub schema: i64,
    /// Every scope with its end, in order.
    pub scopes: Vec<(ScopeId, ScopeState)>,
    /// How many changes there are over all scopes.
    pub changes: u64,
}

/// Why a copy is not sound.
#[derive(Debug, thiserror::Error)]
pub enum Unsound {
    /// It is of a later program, which would have to judge it.
    #[error("the copy has schema {found}, this program knows {known}")]
    Newer {
        /// Of the copy.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// SQLite cannot read it, or finds its pages in disorder.
    #[error("the copy is no sound database")]
    Pages,
    /// The bytes of a change are not those that came, or not of the change that they are kept as.
    #[error("the change at position {1} of scope {0} is damaged")]
    Change(ScopeId, Position),
    /// After this position of the scope there is a hole, or its chain does not follow.
    #[error("the history of scope {0} breaks at position {1}")]
    History(ScopeId, Position),
    /// The scope's head or its chain is not that of its last change.
    #[error("the head of scope {0} is wrong")]
    Head(ScopeId),
    /// What waits for the lead has other bytes than it came with.
    #[error("a change that waits is damaged")]
    Waiting,
    /// Changes of no scope, or of a writer whom nobody knows.
    #[error("there are changes that nobody wrote")]
    Stray,
    /// The directory has no hub.
    #[error("there is no hub in the directory")]
    NoHub,
}

impl From<rusqlite::Error> for Unsound {
    fn from(_: rusqlite::Error) -> Self {
        Self::Pages
    }
}

/// Reads the whole copy at `path`; tells changes done and in all.
///
/// # Errors
/// [`Unsound`].
pub fn check(path: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<Holds, Unsound> {
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let known = MIGRATIONS.len() as i64;
    let found: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(Unsound::Newer { found, known });
    }
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(Unsound::Pages);
    }
    let holds = holds(&copy)?;
    let mut done = 0;
    for (scope, state) in &holds.scopes {
        history(&copy, *scope, state, &mut |more| {
            done += more;
            tell(done, holds.changes);
        })?;
    }
    if done != holds.changes || strangers(&copy)? > 0 {
        return Err(Unsound::Stray);
    }
    waiting(&copy)?;
    Ok(holds)
}

/// What a log says that it holds.
pub(super) fn holds(log: &Connection) -> Result<Holds, Unsound> {
    let schema = log.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let changes = log.query_row("SELECT count(*) FROM changes", [], |row| super::read::position(row, 0))?;
    Ok(Holds { hub: hub(log)?, schema, scopes: scopes(log)?, changes })
}

fn scopes(copy: &Connection) -> Result<Vec<(ScopeId, ScopeState)>, Unsound> {
    let mut get = copy.prepare("SELECT scope, kind, head, chain, watermark FROM scopes ORDER BY scope")?;
    let mut rows = get.query([])?;
    let mut scopes = Vec::new();
    while let Some(row) = rows.next()? {
        let scope = ScopeId(row.get(0)?);
        let kind = ScopeKind::from_number(row.get(1)?).ok_or(Unsound::Head(scope))?;
        let state = ScopeState {
            kind,
            head: super::read::position(row, 2)?,
            chain: Chain(row.get(3)?),
            watermark: super::read::position(row, 4)?,
        };
        if state.watermark > state.head {
            return Err(Unsound::Head(scope));
        }
        scopes.push((scope, state));
    }
    Ok(scopes)
}

/// Walks a scope's changes in order of position.
fn history(
    copy: &Connection,
    scope: ScopeId,
    state: &ScopeState,
    more: &mut dyn FnMut(u64),
) -> Result<(), Unsound> {
    let sql =
        "SELECT position, writer, seq, chain, hash, bytes FROM changes WHERE scope = ?1 ORDER BY position";
    let mut get = copy.prepare(sql)?;
    let mut rows = get.query([scope.0])?;
    let mut at = Cursor::start(scope);
    while let Some(row) = rows.next()? {
        let key = Key { writer: Writer(u64::from_be_bytes(row.get(1)?)), seq: row.get(2)? };
        let next = at.then(key);
        if super::read::position(row, 0)? != next.position || row.get::<_, [u8; 8]>(3)? != next.chain.0 {
            return Err(Unsound::History(scope, at.position));
        }
        let bytes = row.get_ref(5)?.as_blob().map_err(|_| Unsound::Change(scope, next.position))?;
        let is_its_own = change::scan(bytes).is_ok_and(|(head, end)| head.key == key && end == bytes.len());
        if change::hash(bytes) != row.get::<_, [u8; 32]>(4)? || !is_its_own {
            return Err(Unsound::Change(scope, next.position));
        }
        at = next;
        if at.position.is_multiple_of(TOLD_EVERY) {
            more(TOLD_EVERY);
        }
    }
    more(at.position % TOLD_EVERY);
    match at == (Cursor { position: state.head, chain: state.chain }) {
        true => Ok(()),
        false => Err(Unsound::Head(scope)),
    }
}

/// Changes whose writer the directory does not know, or knows in another scope: they would never be served.
fn strangers(copy: &Connection) -> Result<i64, Unsound> {
    let sql = "SELECT count(*) FROM changes AS c LEFT JOIN writers AS w ON w.writer = c.writer AND w.scope = c.scope
               WHERE w.writer IS NULL";
    Ok(copy.query_row(sql, [], |row| row.get(0))?)
}

/// What is kept outside the log is as dear as what is in it.
fn waiting(copy: &Connection) -> Result<(), Unsound> {
    for sql in ["SELECT hash, bytes FROM set_aside", "SELECT hash, bytes FROM collisions"] {
        let mut get = copy.prepare(sql)?;
        let mut rows = get.query([])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(1)?.as_blob().map_err(|_| Unsound::Waiting)?;
            if change::hash(bytes) != row.get::<_, [u8; 32]>(0)? {
                return Err(Unsound::Waiting);
            }
        }
    }
    Ok(())
}

fn hub(copy: &Connection) -> Result<(DeviceId, [u8; 32]), Unsound> {
    let mut get = copy.prepare("SELECT device, public_key FROM devices WHERE role = ?1")?;
    let mut rows = get.query([Role::Hub as u8])?;
    let row = rows.next()?.ok_or(Unsound::NoHub)?;
    Ok((DeviceId(row.get(0)?), row.get(1)?))
}
