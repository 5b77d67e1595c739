//! Runs that a trainer sent back.

use langso_domain::content::ContentRef;
use langso_domain::id::{ChecklistRunId, MemberId};
use langso_sync::clock::Stamp;
use rusqlite::{Connection, OptionalExtension};

use super::ReturnedRun;
use crate::companion::me::SENT_BACK;
use crate::companion::{reviews, rows};
use crate::error::{AppError, Result};
use crate::phone::Phone;

/// A member's runs whose newest verdict sent them back and that were not corrected since, in order of the verdicts.
pub(in crate::companion) fn returned(phone: &Phone, member: MemberId) -> Result<Vec<ReturnedRun>> {
    let sql = format!(
        "SELECT r.id, r.tutorial, r.date, w.comment, w.trainer_id, w.date, w.v_stamp, r.v_more IS NOT NULL
         FROM live_checklist_runs AS r JOIN ({}) AS w ON w.run_id = r.id
         WHERE r.member_id = ?1 AND w.verdict = ?2 ORDER BY w.date, r.id",
        reviews::NEWEST_REVIEWS
    );
    let found = rows::all(phone.connection(), &sql, (member.0.0, SENT_BACK), |row| {
        let run = ReturnedRun {
            run: ChecklistRunId(rows::id(row, 0)?),
            tutorial: rows::content(row, 1)?,
            date: rows::day(row, 2)?,
            comment: row.get(3)?,
            trainer: rows::some_id(row, 4, MemberId)?,
            sent_back_on: rows::day(row, 5)?,
        };
        Ok((run, Stamp(row.get::<_, i64>(6)? as u64), row.get::<_, bool>(7)?))
    })?;
    let mut waiting = Vec::with_capacity(found.len());
    for (run, judged, is_corrected) in found {
        if !(is_corrected && reviews::is_corrected_after(phone, run.run, judged)?) {
            waiting.push(run);
        }
    }
    Ok(waiting)
}

/// A run as it is before it is corrected.
pub(super) struct Held {
    pub member: Option<MemberId>,
    pub tutorial: Option<ContentRef>,
    pub steps: Vec<u8>,
}

pub(super) fn held(connection: &Connection, run: ChecklistRunId) -> Result<Held> {
    let sql = "SELECT member_id, tutorial, steps FROM live_checklist_runs WHERE id = ?1";
    let mut get = connection.prepare_cached(sql)?;
    let found = get.query_row([run.0.0], |row| {
        let steps: Option<Vec<u8>> = row.get(2)?;
        Ok(Held {
            member: rows::some_id(row, 0, MemberId)?,
            tutorial: rows::content(row, 1)?,
            steps: steps.unwrap_or_default(),
        })
    });
    found.optional()?.ok_or(AppError::NotFound)
}
