//! Work that the hub holds back until the lead admits it: nothing of it is lost. An author sees the own, offline; a
//! lead asks the hub for the whole team's and says what becomes of it.

use langso_domain::id::{Key, RowId};
use langso_domain::registry::CURRENT;
use langso_sync::change::{self, Change};
use serde::{Deserialize, Serialize};

use super::{Companion, Nothing, rows};

mod lead;

pub use lead::{
    Decided, DecidedChange, SetAsidePage, Waiting, WaitingAfter, WaitingChange, WaitingField, WaitingRow,
};

use crate::error::{AppError, Result};

/// The feature; see [`Companion::set_aside`].
pub struct SetAside<'a>(pub(super) &'a Companion);

/// Own work that waits at the hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SetAsideList {
    /// Oldest first.
    pub changes: Vec<SetAsideChange>,
}

/// One save that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SetAsideChange {
    /// Its name, for the lead and the hub.
    pub change: String,
    /// 1 another team's, 2 beyond the role, 3 the phone was reported lost, 4 the number is taken, 5 unreadable at the
    /// hub; open list.
    pub reason: u8,
    /// When it was saved, ms UTC; none when this phone no longer holds its bytes.
    pub saved_at: Option<i64>,
    /// What it wrote.
    pub rows: Vec<SetAsideRow>,
}

/// One row of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SetAsideRow {
    /// Singular name of the table; empty for one of a newer program.
    pub table: String,
    /// The row.
    pub row: RowId,
    /// It was corrected, not made.
    pub is_correction: bool,
}

/// Said again by another change: it waits no more, and is never sent again.
pub(crate) const ENTERED_ANEW: u8 = langso_sync::wire::Reason::Reentered as u8;

impl SetAside<'_> {
    /// What of this phone's work the hub holds back, and why.
    ///
    /// # Errors
    /// `NotAllowed { not_enrolled }`.
    pub fn list_own_set_aside(&self, _: Nothing) -> Result<SetAsideList> {
        let phone = self.0.phone();
        phone.enrolled()?;
        let connection = phone.connection();
        let notices: Vec<([u8; 11], u8)> = rows::all(
            connection,
            "SELECT key, reason FROM set_aside_notices WHERE reason <> ?1",
            [ENTERED_ANEW],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut changes: Vec<SetAsideChange> = Vec::with_capacity(notices.len());
        if notices.is_empty() {
            return Ok(SetAsideList { changes });
        }
        let mut get = connection.prepare_cached("SELECT bytes FROM outbox ORDER BY n")?;
        let mut written = get.query([])?;
        let mut own = std::collections::BTreeMap::new();
        while let Some(row) = written.next()? {
            let bytes = row.get_ref(0)?.as_blob().map_err(AppError::unexpected)?;
            let key = change::scan(bytes).map_err(|_| AppError::Corrupt)?.0.key;
            if notices.iter().any(|(of, _)| *of == key.to_bytes()) {
                own.insert(key, Change::decode(bytes).map_err(|_| AppError::Corrupt)?);
            }
        }
        for (key, reason) in notices {
            let key = Key::from_bytes(&key).ok_or(AppError::Corrupt)?;
            let change = own.get(&key);
            changes.push(SetAsideChange {
                change: key.to_string(),
                reason,
                saved_at: change.map(|change| change.stamp.ms() as i64),
                rows: change.map(rows_of).unwrap_or_default(),
            });
        }
        langso_domain::order::sort_by_key(&mut changes, |change| change.saved_at);
        Ok(SetAsideList { changes })
    }
}

fn rows_of(change: &Change) -> Vec<SetAsideRow> {
    let rows = change.rows.iter().enumerate().map(|(place, op)| SetAsideRow {
        table: CURRENT.table(op.table).map_or("", |table| table.name).to_owned(),
        row: op.patch.as_ref().map_or(change.key.row(place as u8), |patch| patch.target),
        is_correction: op.patch.is_some(),
    });
    rows.collect()
}
