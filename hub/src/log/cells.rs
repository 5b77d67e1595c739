//! Computed figures: put in whole by the projector, read by whoever may see the scope.

use langso_domain::id::ScopeId;
use rusqlite::{Connection, OptionalExtension, params};

use super::read::position;
use super::{Cell, Figures, Log, Position, Result, statements};
use crate::clock::Millis;

impl Log {
    /// Up to which position a scope's cells are computed.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn projected(&self, scope: ScopeId) -> Result<Position> {
        self.read(|connection| projected(connection, scope))
    }

    /// Puts a scope's cells in the place of those before; all are of one position.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn put_cells(&self, scope: ScopeId, cells: &[Cell], at: Position, as_of: Millis) -> Result<()> {
        self.write(|transaction| {
            let mut put = transaction.prepare_cached(statements::PUT_CELL)?;
            for cell in cells {
                put.execute(params![
                    scope.0,
                    cell.unit,
                    cell.period,
                    cell.indicator,
                    cell.dims,
                    cell.value,
                    at as i64,
                    as_of.0,
                ])?;
            }
            transaction.prepare_cached(statements::DROP_STALE_CELLS)?.execute(params![scope.0, at as i64])?;
            transaction.prepare_cached(statements::MARK_PROJECTED)?.execute(params![scope.0, at as i64])?;
            Ok(())
        })
    }

    /// A scope's cells, and what they are of.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn figures(&self, scope: ScopeId) -> Result<Figures> {
        self.read(|connection| {
            let position = projected(connection, scope)?;
            let mut as_of = None;
            let mut statement = connection.prepare_cached(statements::CELLS_OF)?;
            let rows = statement.query_map([scope.0], |row| {
                as_of = Some(Millis(row.get(6)?));
                Ok(Cell {
                    unit: row.get(0)?,
                    period: row.get(1)?,
                    indicator: row.get(2)?,
                    dims: row.get(3)?,
                    value: row.get(4)?,
                })
            })?;
            let cells = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Figures { cells, position, as_of })
        })
    }
}

fn projected(connection: &Connection, scope: ScopeId) -> Result<Position> {
    let mut statement = connection.prepare_cached(statements::PROJECTED)?;
    Ok(statement.query_row([scope.0], |row| position(row, 0)).optional()?.unwrap_or(0))
}
