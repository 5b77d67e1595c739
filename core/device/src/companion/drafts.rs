//! Drafts: forms being filled in. They live in this phone's database, are never sent, die with their consent, and
//! stay until they are finished or thrown away by their owner.

use crate::crossing::Json;
use langso_domain::id::{ConsentId, to_base32};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::{Companion, Nothing, rows};
use crate::error::{AppError, Result};

/// The longest body, as JSON text.
pub const MAX_BODY: usize = 64 * 1024;
/// The kind of open checklist runs, which `checklists` keeps.
pub(crate) const RUN: &str = "checklist_run";
/// The longest id that a caller may give.
pub(crate) const LONGEST_ID: usize = 64;

/// The feature; see [`Companion::drafts`].
pub struct Drafts<'a>(pub(super) &'a Companion);

/// A form as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct SaveDraft {
    /// The draft to write over, or a name of the caller's own; none = a new draft.
    #[serde(default)]
    #[uniffi(default)]
    pub draft: Option<String>,
    /// What form: `visit`, `household`, `notebook`, ...
    pub kind: String,
    /// The form's fields; at most 64 KiB of JSON.
    pub body: Json,
    /// The consent it dies with.
    #[serde(default)]
    #[uniffi(default)]
    pub consent: Option<ConsentId>,
}

/// Which draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfDraft {
    /// The draft.
    pub draft: String,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Draft {
    /// Its id; hand it to the save as the token, and the draft goes with it.
    pub draft: String,
    /// What form.
    pub kind: String,
    /// The form's fields; absent in lists.
    pub body: Option<Json>,
    /// The consent it dies with.
    pub consent: Option<ConsentId>,
    /// When its first key was typed, ms UTC.
    pub begun_at: i64,
    /// When it was last written, ms UTC.
    pub changed_at: i64,
}

/// All drafts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct DraftList {
    /// The newest first; open checklist runs are not among them.
    pub drafts: Vec<Draft>,
}

impl Drafts<'_> {
    /// Keeps a form; durable before it answers.
    ///
    /// # Errors
    /// `InvalidInput` for `body` (`too_long`), `kind` or `draft`.
    pub fn save_draft(&self, save: SaveDraft) -> Result<Draft> {
        let phone = self.0.phone();
        if save.kind.is_empty() || save.kind.len() > LONGEST_ID || save.kind == RUN {
            return Err(AppError::invalid("kind", "bad_kind"));
        }
        let draft = match save.draft {
            Some(draft) if draft.is_empty() || draft.len() > LONGEST_ID => {
                return Err(AppError::invalid("draft", "bad_token"));
            }
            Some(draft) => draft,
            None => new_id()?,
        };
        // A form is never written over by another one.
        if get(phone.connection(), &draft)?.is_some_and(|held| held.kind != save.kind) {
            return Err(AppError::invalid("draft", "bad_token"));
        }
        let body = save.body.to_string();
        if body.len() > MAX_BODY {
            return Err(AppError::invalid("body", "too_long"));
        }
        let changed_at = phone.now().ms;
        put(phone.connection(), &draft, &save.kind, &body, save.consent, changed_at)?;
        let begun_at = begun_at(phone.connection(), &draft)?.unwrap_or(changed_at);
        Ok(Draft {
            draft,
            kind: save.kind,
            body: Some(save.body),
            consent: save.consent,
            begun_at,
            changed_at,
        })
    }

    /// One draft with its fields.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get_draft(&self, of: OfDraft) -> Result<Draft> {
        get(self.0.phone().connection(), &of.draft)?.ok_or(AppError::NotFound)
    }

    /// Every draft but checklist runs, the newest first, without fields.
    ///
    /// # Errors
    /// Those of storage.
    pub fn list_drafts(&self, _: Nothing) -> Result<DraftList> {
        Ok(DraftList { drafts: list(self.0.phone().connection())? })
    }

    /// Throws a draft away. Twice is as once.
    ///
    /// # Errors
    /// Those of storage.
    pub fn discard_draft(&self, of: OfDraft) -> Result<Nothing> {
        discard(self.0.phone().connection(), &of.draft)?;
        Ok(Nothing {})
    }
}

/// A fresh id: 80 random bits.
pub(crate) fn new_id() -> Result<String> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(AppError::unexpected)?;
    Ok(to_base32(&bytes))
}

pub(crate) fn put(
    connection: &Connection,
    draft: &str,
    kind: &str,
    body: &str,
    consent: Option<ConsentId>,
    changed_at: i64,
) -> Result<()> {
    let sql = "INSERT INTO drafts (draft_id, kind, body, consent_id, begun_at, changed_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?5)
               ON CONFLICT (draft_id) DO UPDATE SET kind = excluded.kind, body = excluded.body,
                 consent_id = excluded.consent_id, changed_at = excluded.changed_at";
    let consent = consent.map(|consent| consent.0.0);
    connection.prepare_cached(sql)?.execute((draft, kind, body, consent, changed_at))?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, draft: &str) -> Result<Option<Draft>> {
    let sql = "SELECT draft_id, kind, consent_id, begun_at, changed_at, body FROM drafts WHERE draft_id = ?1";
    let found = connection
        .prepare_cached(sql)?
        .query_row([draft], |row| Ok((read(row)?, row.get::<_, String>(5)?)))
        .optional()?;
    let Some((mut draft, body)) = found else { return Ok(None) };
    draft.body = Some(serde_json::from_str(&body).map_err(|_| AppError::Corrupt)?);
    Ok(Some(draft))
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<Draft>> {
    let sql =
        "SELECT draft_id, kind, consent_id, begun_at, changed_at FROM drafts WHERE kind <> 'checklist_run'
               ORDER BY changed_at DESC, draft_id";
    Ok(rows::all(connection, sql, [], read)?)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Draft> {
    Ok(Draft {
        draft: row.get(0)?,
        kind: row.get(1)?,
        body: None,
        consent: rows::some_id(row, 2, ConsentId)?,
        begun_at: row.get(3)?,
        changed_at: row.get(4)?,
    })
}

/// When the first key of a draft was typed, ms UTC; none when there is no such draft.
pub(crate) fn begun_at(connection: &Connection, draft: &str) -> Result<Option<i64>> {
    let sql = "SELECT begun_at FROM drafts WHERE draft_id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([draft], |row| row.get(0)).optional()?)
}

pub(crate) fn discard(connection: &Connection, draft: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM drafts WHERE draft_id = ?1")?.execute([draft])?;
    Ok(())
}

/// Drops the drafts bound to a consent; gives their number.
pub(crate) fn drop_of_consent(connection: &Connection, consent: ConsentId) -> Result<u32> {
    let sql = "DELETE FROM drafts WHERE consent_id = ?1";
    Ok(connection.prepare_cached(sql)?.execute([consent.0.0])? as u32)
}
