//! Joins that two phones wrote into one row without seeing each other: the row was joined with either, so all are one.
//!
//! A join is an undirected edge that one of its two rows bears, and a row bears one. So of two edges in one row the hub
//! keeps the one that shows and lets another row of the same set bear the other. Nobody has to choose, and it is done by
//! changes of its own, which can be taken apart like any other. Where one phone joined and the other took apart, people
//! choose.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::RowId;
use langso_domain::registry::{CURRENT, Table};
use langso_store::Batch;
use langso_sync::merge::RowState;
use langso_sync::value::Value;

use crate::admin::AdminError;

/// A row that is to bear an edge, as it was seen.
pub(crate) struct Edge {
    pub table: &'static Table,
    pub row: RowId,
    pub seen: RowState,
    pub to: RowId,
}

/// The field that bears the edges of a table; none for one whose rows are not joined.
fn edge_of(table: &Table) -> Option<u8> {
    table.named("merged_with").map(|field| field.number)
}

/// The edges with which all that was joined in a scope is one; at most so many rows are looked at.
pub(crate) fn list_missing(rows: &Batch<'_>, most: usize) -> Result<Vec<Edge>, AdminError> {
    let mut missing = Vec::new();
    for table in CURRENT.tables {
        let Some(field) = edge_of(table) else { continue };
        let sql = "SELECT row FROM shelf WHERE table_number = ?1 AND field = ?2 ORDER BY row LIMIT ?3";
        let mut get = rows.connection().prepare_cached(sql)?;
        let shelf = get.query_map((table.number, field, most as i64), |row| row.get(0).map(RowId))?;
        let shelf: BTreeSet<RowId> = shelf.collect::<rusqlite::Result<_>>()?;
        if shelf.is_empty() {
            continue;
        }
        let sql = format!("SELECT id, merged_with FROM {} WHERE merged_with IS NOT NULL", table.plural);
        let mut get = rows.connection().prepare(&sql)?;
        let edges = get.query_map([], |row| Ok((RowId(row.get(0)?), RowId(row.get(1)?))))?;
        let mut edges = Edges(edges.collect::<rusqlite::Result<_>>()?);
        for row in &shelf {
            let Some(seen) = rows.row_state(table, *row)? else { continue };
            let Some(versions) = seen.fields.get(&field) else { continue };
            let Some(shown) = versions.shown(*row).and_then(|head| joined_to(&head.value)) else { continue };
            let others: Option<Vec<RowId>> =
                versions.heads.iter().map(|head| joined_to(&head.value)).collect();
            let Some(others) = others else { continue };
            let Some(more) = edges.unite(rows, table, *row, &others, &shelf)? else { continue };
            missing.push(Edge { table, row: *row, seen, to: shown });
            missing.extend(more);
        }
    }
    Ok(missing)
}

fn joined_to(value: &Value) -> Option<RowId> {
    match value {
        Value::Ref(row) => Some(*row),
        _ => None,
    }
}

/// Every edge of a table, by the row that bears it.
struct Edges(BTreeMap<RowId, RowId>);

impl Edges {
    /// The edges that make a row one with all of the others, borne by rows that bear none and are not in conflict; none
    /// when there is no such row for one of them.
    fn unite(
        &mut self,
        rows: &Batch<'_>,
        table: &'static Table,
        row: RowId,
        others: &[RowId],
        shelf: &BTreeSet<RowId>,
    ) -> Result<Option<Vec<Edge>>, AdminError> {
        let (before, mut more) = (self.0.clone(), Vec::new());
        for other in others {
            let (own, theirs) = (self.joined(row), self.joined(*other));
            if own.contains(other) {
                continue;
            }
            let candidates =
                theirs.iter().map(|free| (*free, row)).chain(own.iter().map(|free| (*free, *other)));
            let mut found = None;
            for (free, to) in candidates {
                if self.0.contains_key(&free) || shelf.contains(&free) {
                    continue;
                }
                if let Some(seen) = rows.row_state(table, free)?.filter(|seen| seen.created.is_some()) {
                    found = Some(Edge { table, row: free, seen, to });
                    break;
                }
            }
            let Some(edge) = found else {
                self.0 = before;
                return Ok(None);
            };
            self.0.insert(edge.row, edge.to);
            more.push(edge);
        }
        Ok(Some(more))
    }

    /// All rows that are one with it, itself included.
    fn joined(&self, row: RowId) -> BTreeSet<RowId> {
        let mut all = BTreeSet::from([row]);
        let mut open = vec![row];
        while let Some(one) = open.pop() {
            let to_it = self.0.iter().filter(|(_, to)| **to == one).map(|(from, _)| *from);
            open.extend(self.0.get(&one).copied().into_iter().chain(to_it).filter(|next| all.insert(*next)));
        }
        all
    }
}
