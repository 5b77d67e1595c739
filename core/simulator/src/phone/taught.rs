//! A change meets the replica. A run without one of the store's rules undoes it here, from outside.

use std::collections::HashMap;

use langso_domain::id::{DeviceId, ScopeId, Writer};
use langso_store::Batch;
use langso_sync::change::Change;

use crate::broken::Result;
use crate::rule::Rule;

/// The highest number heard of each writer: all that a program would remember without gaps.
pub(crate) type Highest = HashMap<Writer, u32>;

/// Takes a change in; false when it was here already.
pub(super) fn take_in(
    batch: &mut Batch<'_>,
    (scope, author): (ScopeId, DeviceId),
    change: &Change,
    rule: Option<Rule>,
    highest: &mut Highest,
) -> Result<bool> {
    if rule == Some(Rule::GapsRemembered) {
        let known = highest.entry(change.key.writer).or_default();
        if *known >= change.key.seq {
            return Ok(false);
        }
        *known = change.key.seq;
    }
    let is_new = batch.apply(scope, author, change)?;
    if rule == Some(Rule::EarlyPatchHides) {
        stamp_by_patches(batch, change)?;
    }
    Ok(is_new)
}

/// The replica forgets which changes of others it has taken in.
pub(super) fn forget_if(rule: Option<Rule>, batch: &Batch<'_>) -> Result {
    if rule == Some(Rule::AppliedMemory) {
        batch.connection().prepare_cached("DELETE FROM writers WHERE is_current = 0")?.execute([])?;
    }
    Ok(())
}

fn stamp_by_patches(batch: &Batch<'_>, change: &Change) -> Result {
    for op in &change.rows {
        let Some(patch) = &op.patch else { continue };
        let Some(table) = langso_domain::registry::CURRENT.table(op.table) else { continue };
        let sql = format!("UPDATE {} SET v_stamp = ?2 WHERE id = ?1 AND v_stamp = 0", table.plural);
        batch.connection().prepare_cached(&sql)?.execute((patch.target.0, change.stamp.0 as i64))?;
    }
    Ok(())
}
