//! Where a row of the record is: on this phone, at the hub, in the hub's verified backup. By receipts alone.

use std::cell::RefCell;
use std::collections::HashMap;

use langso_domain::id::{Key, RowId, ScopeId};
use langso_sync::change::Name;
use langso_sync::merge;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::error::{AppError, Result};
use crate::facts::{self, Watermarks, name};
use crate::phone::Phone;
use crate::{fall_back, receipts};

/// How far a row has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// On this phone, and as far as is known nowhere else.
    OnPhone,
    /// The hub has given it a position.
    AtHub,
    /// A backup that the hub has read back holds it.
    InBackup,
}

/// The receipt ladder of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Receipt {
    /// The highest rung that is certain.
    pub rung: Rung,
    /// Its place in the hub's log; none for what others wrote.
    pub position: Option<u64>,
    /// The hub holds it back; a number of the wire's reasons.
    pub set_aside: Option<u8>,
    /// The hub had it and has lost it, since it was restored; this phone sends it again.
    pub is_void: bool,
}

impl Receipt {
    /// What was saved just now.
    pub const FRESH: Self = Self { rung: Rung::OnPhone, position: None, set_aside: None, is_void: false };

    /// The lower of both: a row is where the last change of it is.
    pub fn lower(self, other: Self) -> Self {
        if other.rung < self.rung { other } else { self }
    }
}

/// Reads receipts.
pub(super) struct Ladder<'a> {
    connection: &'a Connection,
    device: [u8; 8],
    marks: Vec<(i64, u64)>,
    /// What was found: a visit and its services are rows of one change.
    found: RefCell<HashMap<Key, Receipt>>,
}

impl<'a> Ladder<'a> {
    pub fn new(phone: &'a Phone) -> Result<Self> {
        let connection = phone.connection();
        let marks: Watermarks = facts::get(connection, name::WATERMARKS)?.unwrap_or_default();
        let mark_of = |scope: ScopeId| marks.iter().find(|(of, _)| *of == scope).map_or(0, |(_, mark)| *mark);
        let marks = phone.scope_numbers()?.iter().map(|(number, scope)| (*number, mark_of(*scope))).collect();
        Ok(Self { connection, device: phone.device.0, marks, found: RefCell::default() })
    }

    /// Where a row is: its create, and every change that shows in it. `more` is its `v_more`.
    pub fn of_row(&self, row: RowId, more: Option<&[u8]>) -> Result<Receipt> {
        let mut receipt = match row.key() {
            Some(key) => self.of(key)?,
            None => Receipt::FRESH,
        };
        let fields = match more {
            Some(more) => merge::decode(row, more).map_err(|_| AppError::Corrupt)?,
            None => return Ok(receipt),
        };
        for head in fields.values().flat_map(|field| &field.heads) {
            if let Name::Change(key) = head.name {
                receipt = receipt.lower(self.of(key)?);
            }
        }
        Ok(receipt)
    }

    /// Where the change of that key is.
    pub fn of(&self, key: Key) -> Result<Receipt> {
        if let Some(found) = self.found.borrow().get(&key) {
            return Ok(*found);
        }
        let receipt = self.read(key)?;
        self.found.borrow_mut().insert(key, receipt);
        Ok(receipt)
    }

    fn read(&self, key: Key) -> Result<Receipt> {
        let connection = self.connection;
        let sql = "SELECT device, scope FROM writers WHERE writer = ?1";
        let mut get = connection.prepare_cached(sql)?;
        let writer: Option<([u8; 8], i64)> =
            get.query_row([key.writer.0 as i64], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((device, scope)) = writer else { return Ok(Receipt::FRESH) };
        let mark = self.marks.iter().find(|(number, _)| *number == scope).map_or(0, |(_, mark)| *mark);
        if device != self.device {
            if fall_back::is_lost(connection, key)? {
                return Ok(Receipt { is_void: true, ..Receipt::FRESH });
            }
            // It came from the hub. Where in its log is not kept; under the backup it is when all that came is.
            let sql = "SELECT position FROM scopes WHERE number = ?1";
            let upto: i64 = connection.prepare_cached(sql)?.query_row([scope], |row| row.get(0))?;
            let rung = if upto > 0 && mark >= upto as u64 { Rung::InBackup } else { Rung::AtHub };
            return Ok(Receipt { rung, ..Receipt::FRESH });
        }
        let Some(position) = receipts::position_of(connection, key)? else {
            let sql = "SELECT reason FROM set_aside_notices WHERE key = ?1";
            let mut get = connection.prepare_cached(sql)?;
            let set_aside = get.query_row([key.to_bytes()], |row| row.get(0)).optional()?;
            let is_void = receipts::is_void(connection, key)?;
            return Ok(Receipt { set_aside, is_void, ..Receipt::FRESH });
        };
        let rung = if position <= mark { Rung::InBackup } else { Rung::AtHub };
        Ok(Receipt { rung, position: Some(position), ..Receipt::FRESH })
    }
}
