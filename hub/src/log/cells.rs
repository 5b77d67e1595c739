//! Computed figures: put in whole by the projector, read by whoever may see the scope.

use std::collections::BTreeSet;

use langso_domain::date::CivilDate;
use langso_domain::id::ScopeId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::read::position;
use super::{Cell, Figures, Log, Projection, Result, statements};
use crate::clock::Millis;

impl Log {
    /// What a scope's cells are of; none before the first projection.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn projection(&self, scope: ScopeId) -> Result<Option<Projection>> {
        self.read(|connection| projection(connection, scope))
    }

    /// Puts a scope's cells in the place of those before; only what differs is written. False, and nothing is done,
    /// when another process was here with a later position.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn put_cells(&self, scope: ScopeId, cells: &[Cell], of: Projection) -> Result<bool> {
        self.write(|transaction| {
            let before = projection(transaction, scope)?;
            if before.is_some_and(|before| before.position > of.position) {
                return Ok(false);
            }
            let mut old: BTreeSet<Cell> = cells_of(transaction, scope)?.into_iter().collect();
            let mut put = transaction.prepare_cached(statements::PUT_CELL)?;
            for cell in cells {
                if !old.remove(cell) {
                    let Cell { indicator, period, unit, dims, value } = cell;
                    put.execute(params![scope.0, unit, period, indicator, dims, value])?;
                }
            }
            // What is left is gone or has another value now.
            let kept: BTreeSet<_> = cells.iter().map(name).collect();
            let mut drop = transaction.prepare_cached(statements::DROP_CELL)?;
            for Cell { indicator, period, unit, dims, .. } in
                old.iter().filter(|cell| !kept.contains(&name(cell)))
            {
                drop.execute(params![scope.0, unit, period, indicator, dims])?;
            }
            transaction.prepare_cached(statements::MARK_PROJECTED)?.execute(params![
                scope.0,
                of.position as i64,
                of.as_of.map(|at| at.0),
                of.day.0,
                of.made_by,
            ])?;
            Ok(true)
        })
    }

    /// All cells of a scope, and what they are of.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn figures(&self, scope: ScopeId) -> Result<Figures> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let projection = projection(&transaction, scope)?;
            Ok(Figures { cells: cells_of(&transaction, scope)?, projection })
        })
    }

    /// The cells of a scope for one indicator and period, and what they are of.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn figures_for(&self, scope: ScopeId, indicator: &str, period: &str) -> Result<Figures> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let projection = projection(&transaction, scope)?;
            let mut statement = transaction.prepare_cached(statements::CELLS_FOR)?;
            let rows = statement.query_map(params![scope.0, indicator, period], cell)?;
            let cells = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Figures { cells, projection })
        })
    }
}

fn name(cell: &Cell) -> (&str, &str, &str, &str) {
    (&cell.indicator, &cell.period, &cell.unit, &cell.dims)
}

fn cells_of(connection: &Connection, scope: ScopeId) -> Result<Vec<Cell>> {
    let mut statement = connection.prepare_cached(statements::CELLS_OF)?;
    let rows = statement.query_map([scope.0], cell)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn cell(row: &Row<'_>) -> rusqlite::Result<Cell> {
    Ok(Cell {
        unit: row.get(0)?,
        period: row.get(1)?,
        indicator: row.get(2)?,
        dims: row.get(3)?,
        value: row.get(4)?,
    })
}

fn projection(connection: &Connection, scope: ScopeId) -> Result<Option<Projection>> {
    let mut statement = connection.prepare_cached(statements::PROJECTED)?;
    let found = statement.query_row([scope.0], |row| {
        let as_of: Option<i64> = row.get(1)?;
        Ok(Projection {
            position: position(row, 0)?,
            as_of: as_of.map(Millis),
            day: CivilDate(row.get(2)?),
            made_by: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}
