//! The shelf: fields that two people wrote without seeing each other, and edits of what was struck out. Everybody
//! sees them; those who lead settle them, offline too.

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, HouseholdId, MemberId, RowId, VisitId};
use langso_domain::never_store::check_free_text;
use langso_domain::registry::{CURRENT, Field, Kind, Role, Table, VOID};
use langso_domain::rights_code::RightsCode;
use langso_store::Replica;
use langso_sync::change::Name;
use langso_sync::merge::{Head, RowState, key_of};
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::record::Day;
use super::{Companion, check, rows, saves, who};
use crate::error::{AppError, Result};
use crate::phone::Phone;

mod settled;

pub(crate) use settled::{Note, Settled};

/// The feature; see [`Companion::conflicts`].
pub struct Conflicts<'a>(pub(super) &'a Companion);

/// Which page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindConflicts {
    /// Where the page before ended.
    #[serde(default)]
    #[uniffi(default)]
    pub after: Option<ConflictKey>,
}

/// Names one conflict, and the end of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct ConflictKey {
    /// Singular name of the table.
    pub table: String,
    /// The row.
    pub row: RowId,
    /// The field; `void` for striking out.
    pub field: String,
}

/// A page of conflicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ConflictPage {
    /// At most 100.
    pub conflicts: Vec<Conflict>,
    /// How many there are in all.
    pub count: u32,
    /// More follow after this.
    pub next: Option<ConflictKey>,
    /// This phone's role may settle them.
    pub may_settle: bool,
    /// What this phone settled last and can still take back, also after a restart.
    pub last_settled: Option<SettledConflict>,
}

/// One field with more than one version, or a row that was edited after it was struck out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Conflict {
    /// Which field of which row.
    pub key: ConflictKey,
    /// The household it opens into.
    pub household: Option<HouseholdId>,
    /// The visit it opens into.
    pub visit: Option<VisitId>,
    /// Its versions, the one that shows first, then the newest.
    pub versions: Vec<Version>,
    /// Edits by people who had not seen the row struck out; empty for two versions.
    pub edits_after_removal: Vec<Edit>,
    /// Days until the hub keeps what shows; 0 when that day has come.
    pub days_left: u32,
}

/// One version of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Version {
    /// Its name, for [`SettleConflict::seen`].
    pub version: String,
    /// What it says.
    pub value: FieldValue,
    /// Who wrote it, when the hub's list names the device.
    pub member: Option<MemberId>,
    /// On which phone; none when that writer is not known here.
    pub device: Option<DeviceId>,
    /// When, by the writer's clock, ms UTC.
    pub at: i64,
    /// The writer's clock was ahead of this phone's by more than a day.
    pub is_clock_ahead: bool,
    /// It shows now.
    pub shows: bool,
}

/// An edit of a row that somebody else had struck out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct Edit {
    /// The field.
    pub field: String,
    /// What was written.
    pub edit: Version,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Nothing.
    Empty,
    /// Yes or no.
    Truth {
        /// Which.
        value: bool,
    },
    /// A number, or the number of a list.
    Number {
        /// Which.
        value: i64,
    },
    /// A day.
    Date {
        /// Which.
        value: Day,
    },
    /// Text, or a code with its version.
    Text {
        /// What it says.
        value: String,
    },
    /// Another row.
    Row {
        /// Which.
        value: RowId,
    },
    /// Other rows.
    Rows {
        /// Which.
        value: Vec<RowId>,
    },
    /// What only a newer program or no screen can show; it cannot be kept by hand.
    Unshown,
}

/// Which version is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct SettleConflict {
    /// Which field of which row.
    pub conflict: ConflictKey,
    /// What it is to say: that of one version.
    pub keep: FieldValue,
    /// Every version that was on the screen; another one that came meanwhile refuses.
    pub seen: Vec<String>,
}

/// What the screen shows afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct SettledConflict {
    /// What the field says now.
    pub kept: FieldValue,
    /// Settling again by this takes it back to what showed before.
    pub undo: SettleConflict,
}

/// After so many days the hub keeps what shows.
const DAYS_TO_SETTLE: i32 = 60;
const A_DAY_MS: i64 = 86_400_000;

impl Conflicts<'_> {
    /// What lies on the shelf: what it is, its versions, who wrote them and which one shows.
    ///
    /// # Errors
    /// `NotAllowed { role }` for who sees no household.
    pub fn list_conflicts(&self, find: FindConflicts) -> Result<ConflictPage> {
        let phone = self.0.phone();
        let role = check::role(&phone, check::TEAM)?.role;
        let after = match &find.after {
            None => (0, RowId([0; 12]), -1),
            Some(key) => {
                let (table, field) = of_key(key)?;
                (i64::from(table.number), key.row, i64::from(field_number(field)))
            }
        };
        let sql = "SELECT table_number, row, field FROM shelf WHERE (table_number, row, field) > (?1, ?2, ?3)
                   ORDER BY table_number, row, field LIMIT ?4";
        let params = (after.0, after.1.0, after.2, rows::PAGE as i64 + 1);
        let mut found: Vec<(u8, RowId, u8)> = rows::all(phone.connection(), sql, params, |row| {
            Ok((row.get(0)?, rows::id(row, 1)?, row.get(2)?))
        })?;
        let more = found.len() > rows::PAGE;
        found.truncate(rows::PAGE);
        let count = phone.connection().query_row("SELECT count(*) FROM shelf", [], |row| row.get(0))?;
        let reader = Reader::new(&phone)?;
        let mut conflicts = Vec::with_capacity(found.len());
        for (table, row, field) in found {
            // Tables and fields of a newer program wait for it.
            let Some(table) = CURRENT.table(table) else { continue };
            let Some(field) = field_of(table, field) else { continue };
            conflicts.extend(reader.conflict(&phone.replica, table, row, field)?);
        }
        let next = conflicts.last().filter(|_| more).map(|conflict| conflict.key.clone());
        let may_settle = Role::from_number(role.into()).is_some_and(|role| check::LEADS.contains(&role));
        let last_settled = if may_settle { settled::last(&phone)? } else { None };
        Ok(ConflictPage { conflicts, count, next, may_settle, last_settled })
    }

    /// Keeps one version, by a change that names all of them, so that it settles on every phone that sees it. What
    /// it is to say is taken from that version: no other value comes in this way. Until the row is written
    /// again or another conflict is settled, the versions that were settled can still be chosen; after a restart as long
    /// as this phone holds the saves that wrote them.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `NotFound` for a row that is not here; `InvalidInput`: `seen` (`changed`) when a version
    /// has come that was not on the screen, `conflict` (`no_conflict`) for a field that has one version, `keep`
    /// (`not_a_version`, and what is never stored).
    pub fn settle_conflict(&self, settle: SettleConflict) -> Result<SettledConflict> {
        let mut phone = self.0.phone();
        let identity = check::role(&phone, check::LEADS)?;
        let (table, field) = of_key(&settle.conflict)?;
        if !Role::from_number(identity.role.into()).is_some_and(|role| table.writers.has(role)) {
            return Err(AppError::not_allowed("role"));
        }
        if let FieldValue::Text { value: text } = &settle.keep
            && table.number < langso_domain::registry::FIRST_PERSONAL_TABLE
            && let Some(finding) = check_free_text(text).first()
        {
            return Err(AppError::invalid("keep", finding.kind.code()));
        }
        let (row, number) = (settle.conflict.row, field_number(field));
        let settled = Settled::of(&phone, table, row, number)?;
        let (names, before, settled) = {
            let batch = phone.replica.begin()?;
            let state = batch.row_state(table, row)?.filter(|state| state.created.is_some());
            let state = state.ok_or(AppError::NotFound)?;
            let shown = batch.row(table, row)?.and_then(|mut row| row.remove(&number));
            let settled = match state.conflicts(row).contains(&number) {
                true => {
                    let versions = versions(&state, field);
                    Some(Settled { note: Note::of(&state, table, row, field), versions })
                }
                false => settled.filter(|before| before.stands(&state)),
            };
            (version_names(&state, row, field), shown.unwrap_or(Value::Null), settled)
        };
        if names.iter().any(|name| !settle.seen.contains(name)) {
            return Err(AppError::invalid("seen", "changed"));
        }
        let settled = settled.ok_or_else(|| AppError::invalid("conflict", "no_conflict"))?;
        // What no screen can show cannot be told from another such value.
        let is_kept = |version: &&Value| match from_value(field, version) {
            FieldValue::Unshown => false,
            value => value == settle.keep,
        };
        let value = settled.versions.iter().find(is_kept).cloned();
        let value = value.ok_or_else(|| AppError::invalid("keep", "not_a_version"))?;
        phone.save(|saving| {
            saving.patch(table.name, row, [(field_name(field), value)])?;
            if table.fact {
                saving.give_reason(table.scope, saves::REASON_OTHER, None);
            }
            Ok(())
        })?;
        // A consent that was withdrawn or struck out on one side may live now, or no longer.
        phone.forget_known();
        let state = phone.replica.row_state(table, row)?.ok_or(AppError::NotFound)?;
        let seen = version_names(&state, row, field);
        settled.keep(&mut phone, &state, &before);
        Ok(SettledConflict {
            kept: settle.keep,
            undo: SettleConflict { keep: from_value(field, &before), seen, conflict: settle.conflict },
        })
    }
}

/// What a field in conflict can be settled to. A row that was edited after it was struck out can come back.
fn versions(state: &RowState, field: Option<&'static Field>) -> Vec<Value> {
    let heads = state.fields.get(&field_number(field)).map_or(&[][..], |field| &field.heads);
    let mut versions: Vec<Value> = heads.iter().map(|head| head.value.clone()).collect();
    if field.is_none() && !unseen_edits(state).is_empty() {
        versions.push(Value::Bool(false));
    }
    versions
}

/// What is needed to say who wrote, read once for a page.
struct Reader {
    devices: std::collections::BTreeMap<DeviceId, MemberId>,
    now: i64,
}

impl Reader {
    fn new(phone: &Phone) -> Result<Self> {
        let devices = who::members_of_devices(phone.connection())?;
        Ok(Self { devices, now: phone.now().ms })
    }

    fn conflict(
        &self,
        replica: &Replica,
        table: &'static Table,
        row: RowId,
        field: Option<&'static Field>,
    ) -> Result<Option<Conflict>> {
        let connection = replica.connection();
        let Some(state) = replica.row_state(table, row)? else { return Ok(None) };
        let Some(versions) = state.fields.get(&field_number(field)) else { return Ok(None) };
        let shown = versions.shown(row).map(|head| head.name);
        let mut cards = Vec::with_capacity(versions.heads.len());
        for head in &versions.heads {
            cards.push(self.version(connection, row, field, head, shown == Some(head.name))?);
        }
        langso_domain::order::sort_by_key(&mut cards, |card| (!card.shows, std::cmp::Reverse(card.at)));
        let mut edits_after_removal = Vec::new();
        if field.is_none() {
            for (number, head) in unseen_edits(&state) {
                let Some(Some(edited)) = field_of(table, number) else { continue };
                let edit = self.version(connection, row, Some(edited), head, false)?;
                edits_after_removal.push(Edit { field: edited.name.to_owned(), edit });
            }
        }
        let edits = edits_after_removal.iter().map(|edit| &edit.edit);
        // The time runs from the newest of them: earlier there was no conflict.
        let newest = cards.iter().chain(edits).map(|card| card.at).max().unwrap_or(self.now).min(self.now);
        let passed = CivilDate::at(self.now).0 - CivilDate::at(newest).0;
        let (household, visit) = leads_to(connection, table, row)?;
        Ok(Some(Conflict {
            key: ConflictKey { table: table.name.to_owned(), row, field: field_name(field).to_owned() },
            household,
            visit,
            versions: cards,
            edits_after_removal,
            days_left: (DAYS_TO_SETTLE - passed).max(0) as u32,
        }))
    }

    fn version(
        &self,
        connection: &Connection,
        row: RowId,
        field: Option<&'static Field>,
        head: &Head,
        shows: bool,
    ) -> Result<Version> {
        let device = match key_of(head.name, row) {
            Some(key) => who::device_of(connection, key.writer)?,
            None => None,
        };
        let at = head.stamp.ms() as i64;
        Ok(Version {
            version: version_name(row, head.name),
            value: from_value(field, &head.value),
            member: device.and_then(|device| self.devices.get(&device).copied()),
            device,
            at,
            is_clock_ahead: at > self.now.saturating_add(A_DAY_MS),
            shows,
        })
    }
}

/// Heads whose author had not seen the row struck out, nor was seen by whoever struck it out.
fn unseen_edits(state: &RowState) -> Vec<(u8, &Head)> {
    let voids: Vec<_> = state
        .fields
        .get(&VOID)
        .map(|field| field.heads.iter().filter(|head| head.value == Value::Bool(true)).collect())
        .unwrap_or_default();
    let unseen = |head: &Head| {
        let Name::Change(key) = head.name else { return false };
        voids.iter().any(|void: &&Head| match void.name {
            Name::Change(void_key) => !void.saw.contains(&key) && !head.saw.contains(&void_key),
            Name::Create => false,
        })
    };
    let fields = state.fields.iter().filter(|(number, _)| **number != VOID);
    fields
        .flat_map(|(number, field)| field.heads.iter().map(move |head| (*number, head)))
        .filter(|(_, head)| unseen(head))
        .collect()
}

/// The names of everything that a screen of this conflict shows.
fn version_names(state: &RowState, row: RowId, field: Option<&'static Field>) -> Vec<String> {
    let heads = state.fields.get(&field_number(field)).map_or(&[][..], |field| &field.heads);
    let edits = if field.is_none() { unseen_edits(state) } else { Vec::new() };
    let all = heads.iter().chain(edits.into_iter().map(|(_, head)| head));
    all.map(|head| version_name(row, head.name)).collect()
}

fn version_name(row: RowId, name: Name) -> String {
    key_of(name, row).map(|key| key.to_string()).unwrap_or_default()
}

/// None of the fields is the void.
pub(super) fn field_of(table: &'static Table, number: u8) -> Option<Option<&'static Field>> {
    if number == VOID { Some(None) } else { table.field(number).map(Some) }
}

fn field_number(field: Option<&'static Field>) -> u8 {
    field.map_or(VOID, |field| field.number)
}

pub(super) fn field_name(field: Option<&'static Field>) -> &'static str {
    field.map_or("void", |field| field.name)
}

fn of_key(key: &ConflictKey) -> Result<(&'static Table, Option<&'static Field>)> {
    let table = CURRENT.named(&key.table).ok_or_else(|| AppError::invalid("conflict.table", "unknown"))?;
    if key.field == "void" {
        return Ok((table, None));
    }
    let field = table.named(&key.field).ok_or_else(|| AppError::invalid("conflict.field", "unknown"))?;
    Ok((table, Some(field)))
}

pub(super) fn from_value(field: Option<&'static Field>, value: &Value) -> FieldValue {
    let kind = field.map_or(Kind::Bool, |field| field.kind);
    match (kind, value) {
        (_, Value::Null) => FieldValue::Empty,
        (_, Value::Bool(yes)) => FieldValue::Truth { value: *yes },
        (Kind::Date, Value::Int(days)) => i32::try_from(*days)
            .ok()
            .and_then(CivilDate::from_days)
            .map_or(FieldValue::Number { value: *days }, |day| FieldValue::Date { value: Day(day) }),
        (_, Value::Int(number)) => FieldValue::Number { value: *number },
        (_, Value::Text(text)) => FieldValue::Text { value: text.clone() },
        (_, Value::Ref(row)) => FieldValue::Row { value: *row },
        (_, Value::Refs(rows)) => FieldValue::Rows { value: rows.clone() },
        // Two phones that were offline may each have written a slip: the one the citizen keeps is what is kept.
        (_, Value::Bytes(bytes)) if field.is_some_and(|field| field.name == "rights_code") => {
            RightsCode::from_bytes(bytes)
                .map_or(FieldValue::Unshown, |code| FieldValue::Text { value: code.to_string() })
        }
        (_, Value::Bytes(_) | Value::Other(_)) => FieldValue::Unshown,
    }
}

/// The household and the visit that a row opens into.
fn leads_to(
    connection: &Connection,
    table: &Table,
    row: RowId,
) -> Result<(Option<HouseholdId>, Option<VisitId>)> {
    let read = |column: &str| -> Result<Option<RowId>> {
        if table.named(column).is_none() {
            return Ok(None);
        }
        let sql = format!("SELECT {column} FROM {} WHERE id = ?1", table.plural);
        let mut get = connection.prepare_cached(&sql)?;
        Ok(get.query_row([row.0], |row| rows::some_id(row, 0, |id| id)).optional()?.flatten())
    };
    let visit = if table.name == "visit" { Some(row) } else { read("visit_id")? };
    let mut household = if table.name == "household" { Some(row) } else { read("household_id")? };
    if let (None, Some(visit)) = (household, visit) {
        let mut get = connection.prepare_cached("SELECT household_id FROM visits WHERE id = ?1")?;
        household = get.query_row([visit.0], |row| rows::some_id(row, 0, |id| id)).optional()?.flatten();
    }
    Ok((household.map(HouseholdId), visit.map(VisitId)))
}
