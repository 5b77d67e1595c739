//! What becomes of work that waits: it is admitted, admitted and struck out again, or said anew. Setting aside is a
//! delay, never an end: no verdict drops anything.
//!
//! The one idea: each verdict is one transaction, so that it happens whole, once, and leaves the list with it. What
//! the hub writes along with it is a change of its own like any other.

mod http;

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, Key, RowId, ScopeId};
use langso_domain::registry::{CURRENT, Table, VOID};
use langso_sync::change::{Change, Name, RowOp};
use langso_sync::clock::Stamp;
use langso_sync::merge::{Head, RowState};
use langso_sync::value::Value;

use crate::access;
use crate::admin::AdminError;
use crate::author::Batch;
use crate::log::{Error, Reason, Tables, WaitingChange, WaitingName, Write};
use crate::server::Hub;

pub(crate) use http::{decide, list};

/// What becomes of a change that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It gets a position.
    Admit,
    /// It gets a position, and the hub strikes out what it made and puts back what it changed: seen, not counted.
    AdmitAndVoid,
    /// The hub says the same again in a change of its own, since this one can get no position: its key or its writer
    /// is another's.
    Reenter,
}

impl Hub {
    /// Does what the lead of `by` (none = the operator) says with what waits under that name.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for what does not wait (any more); `verdict` (`cannot_be_applied`) when it can get no
    /// position, or nothing of it can be said again; `verdict` (`can_be_admitted`) for saying anew what can be
    /// admitted; `verdict` (`operator_only`) when a lead would admit what is for the operator alone. Nothing has changed then.
    pub fn decide(
        &self,
        scope: ScopeId,
        name: WaitingName,
        verdict: Verdict,
        by: Option<DeviceId>,
    ) -> Result<(), AdminError> {
        let waits = self.log.waiting(scope, name)?.ok_or(AdminError::NotFound { what: "waiting" })?;
        let cannot = || AdminError::invalid("verdict", "cannot_be_applied");
        if by.is_some() && !self.may_lead_admit(scope, &waits)? {
            return Err(AdminError::invalid("verdict", "operator_only"));
        }
        let done = match (verdict, name) {
            (Verdict::Admit | Verdict::AdmitAndVoid, WaitingName::Collision(..)) => return Err(cannot()),
            (Verdict::Admit, WaitingName::SetAside(..)) => {
                let mut batch = self.author.batch();
                batch.put(Write::Admit(scope, name, by));
                batch.commit()
            }
            (Verdict::AdmitAndVoid, WaitingName::SetAside(..)) => {
                let change = Change::decode(&waits.bytes).map_err(|_| cannot())?;
                let mut batch = self.author.batch();
                batch.put(Write::Admit(scope, name, by));
                self.undo(&mut batch, scope, &change)?;
                batch.commit()
            }
            (Verdict::Reenter, _) => {
                if !self.needs_a_new_change(scope, &waits)? {
                    return Err(AdminError::invalid("verdict", "can_be_admitted"));
                }
                let change = Change::decode(&waits.bytes).map_err(|_| cannot())?;
                let mut batch = self.author.batch();
                batch.put(Write::Reentered(scope, name, by));
                let seen = self.replicas.with::<_, AdminError>(scope, |replica, _| {
                    let patched = change.rows.iter().filter_map(|op| Some((op, op.patch.as_ref()?.target)));
                    let mut seen = BTreeMap::new();
                    for (op, target) in patched {
                        let Some(table) = CURRENT.table(op.table) else { continue };
                        seen.extend(replica.row_state(table, target)?.map(|state| (target, state)));
                    }
                    Ok(seen)
                })?;
                let state = |op: &RowOp| seen.get(&op.patch.as_ref()?.target).cloned();
                batch.say_again(scope, &change, state)?;
                batch.commit()
            }
        };
        match done {
            Ok(()) => {
                self.dirty.mark(scope);
                Ok(())
            }
            Err(crate::author::Error::Log(Error::NotWaiting | Error::UnknownScope)) => {
                Err(AdminError::NotFound { what: "waiting" })
            }
            Err(crate::author::Error::Log(Error::NotNew)) => Err(cannot()),
            Err(why) => Err(why.into()),
        }
    }

    /// Whether no admission helps: the key or the writer is another's, so that its place in the log is taken.
    fn needs_a_new_change(&self, scope: ScopeId, waits: &WaitingChange) -> Result<bool, AdminError> {
        let is_known = match waits.name {
            WaitingName::Collision(..) => true,
            WaitingName::SetAside(..) => waits.reason == Reason::WriterElsewhere.code(),
        };
        Ok(match waits.key.filter(|_| !is_known) {
            Some(key) => self.log.is_taken(scope, key, waits.device, &waits.bytes)?,
            None => is_known,
        })
    }

    /// Whether a lead may say that it counts. What is no change is judged later.
    fn may_lead_admit(&self, scope: ScopeId, waits: &WaitingChange) -> Result<bool, AdminError> {
        let Ok(change) = Change::decode(&waits.bytes) else { return Ok(true) };
        let kind = self.log.scope(scope)?.ok_or(AdminError::NotFound { what: "waiting" })?.kind;
        let mut tables = Tables::default();
        change.rows.iter().for_each(|row| tables.add(row.table));
        Ok(access::may_lead_admit(self.log.registry(), kind, tables))
    }

    /// Strikes out the rows that a change makes and puts back what it alters, as they show now.
    fn undo(&self, batch: &mut Batch<'_>, scope: ScopeId, change: &Change) -> Result<(), AdminError> {
        let back = self.replicas.with::<_, AdminError>(scope, |replica, _| {
            let rows = replica.begin()?;
            let mut back = Vec::new();
            for (place, op) in change.rows.iter().enumerate() {
                // What only a newer program knows is counted nowhere here, and struck out by such a program.
                let Some(table) = CURRENT.table(op.table) else { continue };
                let row = op.patch.as_ref().map_or_else(|| change.key.row(place as u8), |patch| patch.target);
                let state = rows.row_state(table, row)?.unwrap_or_default();
                let shown = rows.row(table, row)?.unwrap_or_default();
                back.push(undone(table, row, change, op, state, &shown));
            }
            Ok(back)
        })?;
        for (table, row, seen, fields) in back {
            let fields: Vec<_> = fields
                .into_iter()
                .filter_map(|(number, value)| Some((name_of(table, number)?, value)))
                .collect();
            batch.patch(scope, table.name, row, &seen, fields)?;
        }
        Ok(())
    }
}

type Undone = (&'static Table, RowId, RowState, BTreeMap<u8, Value>);

/// The patch that undoes one row of a change that is about to be admitted: it names what the change writes.
fn undone(
    table: &'static Table,
    row: RowId,
    change: &Change,
    op: &RowOp,
    mut seen: RowState,
    shown: &BTreeMap<u8, Value>,
) -> Undone {
    let create = Stamp(change.stamp.0);
    if op.patch.is_none() {
        seen.created.get_or_insert(create);
        return (table, row, seen, BTreeMap::from([(VOID, Value::Bool(true))]));
    }
    let mut fields = BTreeMap::new();
    for number in op.fields.keys() {
        fields.insert(*number, shown.get(number).cloned().unwrap_or(Value::Null));
        let base = seen.base_of(*number);
        let stamp = seen.created.unwrap_or_default();
        let versions = seen.fields.entry(*number).or_default();
        if versions.heads.is_empty() && base == [Name::Create] {
            versions.heads.push(head(Name::Create, stamp));
        }
        versions.heads.push(head(Name::Change(change.key), change.stamp));
    }
    (table, row, seen, fields)
}

/// A version that is to be named; its value does not matter for that.
fn head(name: Name, stamp: Stamp) -> Head {
    Head { name, stamp, value: Value::Null, saw: std::collections::BTreeSet::<Key>::new() }
}

fn name_of(table: &'static Table, number: u8) -> Option<&'static str> {
    if number == VOID { Some("void") } else { table.field(number).map(|field| field.name) }
}
