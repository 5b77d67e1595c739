//! One visit: what, whom, when, where it is, and how it came to say what it says.

use langso_domain::content::ContentRef;
use langso_domain::id::{
    ChecklistRunId, DeviceId, FollowUpId, HamletId, HouseholdId, MemberId, PersonId, PlanId, RowId,
    ServiceRowId, VisitId,
};
use langso_domain::registry::CURRENT;
use langso_domain::units::UnitCode;
use langso_sync::change::Change;
use langso_sync::clock::Stamp;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use super::super::conflicts::{FieldValue, field_name, field_of, from_value};
use super::super::receipts::{Ladder, Receipt};
use super::super::record::Day;
use super::super::rows;
use super::super::runs::{RunStep, steps_of};
use super::super::saves;
use super::super::walk::{Place, Places};
use super::super::who;
use super::TAKE_BACK_MS;
use crate::error::{AppError, Result};
use crate::phone::Phone;

/// A visit with its services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct VisitDetail {
    /// The visit.
    pub visit: VisitId,
    /// Whom; none = an anonymous turn.
    pub household: Option<HouseholdId>,
    /// The household as the team calls it.
    pub place_of: Place,
    /// Where.
    pub hamlet: Option<HamletId>,
    /// The commune at that date.
    pub unit: Option<UnitCode>,
    /// When.
    pub date: Option<Day>,
    /// Minute of the day.
    pub start_minute: Option<u16>,
    /// Minute of the day.
    pub end_minute: Option<u16>,
    /// A number of the list `place_kinds`.
    pub place: Option<u8>,
    /// A number of the list `languages`.
    pub language: Option<u8>,
    /// A number of the list `signals`.
    pub signal: Option<u8>,
    /// Who was there.
    pub members: Vec<MemberId>,
    /// The campaign it counts under.
    pub plan: Option<PlanId>,
    /// Free text.
    pub note: Option<String>,
    /// What was done.
    pub services: Vec<ServiceDetail>,
    /// Returns that it planned.
    pub follow_ups: Vec<FollowUpId>,
    /// It was struck out, and counts no longer.
    pub is_struck_out: bool,
    /// When it was saved, by its author's clock, ms UTC.
    pub saved_at: i64,
    /// Who saved it, when the hub's list names the phone.
    pub saved_by: Option<MemberId>,
    /// Where it is, its last correction included.
    pub receipt: Receipt,
    /// It was corrected since it was saved.
    pub is_corrected: bool,
    /// It, or one of its services, has a field with two versions.
    pub has_conflict: bool,
    /// Until then it can be taken back without a reason; none when that time has passed or it is another's.
    pub can_take_back_until: Option<i64>,
}

/// One service of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ServiceDetail {
    /// The row.
    pub row: ServiceRowId,
    /// For whom.
    pub person: Option<PersonId>,
    /// What, by version.
    pub service: Option<ContentRef>,
    /// A number of the list `outcomes`.
    pub outcome: Option<u8>,
    /// The failure code's number.
    pub failure: Option<u8>,
    /// A number of the list `evidence`.
    pub evidence: Option<u8>,
    /// The tutorial followed, by version.
    pub tutorial: Option<ContentRef>,
    /// The last step of it that was reached, from 1.
    pub last_step: Option<u8>,
    /// The checklist that was filled in.
    pub run: Option<ChecklistRunId>,
    /// Its steps, when this phone holds it.
    pub steps: Vec<RunStep>,
}

/// How a visit came to say what it says.
#[derive(Debug, Clone, PartialEq, Serialize, uniffi::Record)]
pub struct VisitHistory {
    /// Oldest first; what this phone no longer holds of others' corrections is missing.
    pub entries: Vec<HistoryEntry>,
}

/// One save of it.
#[derive(Debug, Clone, PartialEq, Serialize, uniffi::Record)]
pub struct HistoryEntry {
    /// The change's name.
    pub change: String,
    /// When, by its author's clock, ms UTC.
    pub at: i64,
    /// Who, when the hub's list names the phone.
    pub member: Option<MemberId>,
    /// The save that made it; else a correction.
    pub is_create: bool,
    /// A number of the list `correction_reasons`.
    pub reason: Option<u8>,
    /// The reason in words.
    pub reason_text: Option<String>,
    /// What it wrote.
    pub fields: Vec<HistoryField>,
    /// Where it is.
    pub receipt: Receipt,
}

/// One field that it wrote.
#[derive(Debug, Clone, PartialEq, Serialize, uniffi::Record)]
pub struct HistoryField {
    /// `visit` or `service_row`.
    pub table: String,
    /// Which row.
    pub row: RowId,
    /// The field; `void` for striking out.
    pub field: String,
    /// What it says since.
    pub value: FieldValue,
}

/// One visit, also one that was struck out; none when it is not here.
pub(super) fn visit(phone: &Phone, visit: VisitId) -> Result<Option<VisitDetail>> {
    let known = phone.known()?;
    let connection = phone.connection();
    let sql =
        "SELECT v_stamp, v_more, void, household_id, hamlet_id, unit, date, start_minute, end_minute, place,
                      language, signal, members, plan_id, note FROM visits WHERE id = ?1 AND v_stamp > 0";
    let minute = |row: &rusqlite::Row<'_>, at| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(at)?.and_then(|minute| minute.try_into().ok()))
    };
    let found = connection
        .prepare_cached(sql)?
        .query_row([visit.0.0], |row| {
            let stamp: i64 = row.get(0)?;
            let more: Option<Vec<u8>> = row.get(1)?;
            let detail = VisitDetail {
                visit,
                household: rows::some_id(row, 3, HouseholdId)?,
                place_of: Place::default(),
                hamlet: rows::some_id(row, 4, HamletId)?,
                unit: rows::unit(row, 5)?,
                date: rows::day(row, 6)?,
                start_minute: minute(row, 7)?,
                end_minute: minute(row, 8)?,
                place: rows::number(row, 9)?,
                language: rows::number(row, 10)?,
                signal: rows::number(row, 11)?,
                members: rows::ids(row, 12, MemberId)?,
                plan: rows::some_id(row, 13, PlanId)?,
                note: row.get(14)?,
                services: Vec::new(),
                follow_ups: Vec::new(),
                is_struck_out: row.get::<_, Option<bool>>(2)?.unwrap_or_default(),
                saved_at: Stamp(stamp as u64).ms() as i64,
                saved_by: None,
                receipt: Receipt::FRESH,
                is_corrected: more.is_some(),
                has_conflict: false,
                can_take_back_until: None,
            };
            Ok((detail, more))
        })
        .optional()?;
    let Some((mut detail, more)) = found else { return Ok(None) };
    let ladder = Ladder::new(phone)?;
    detail.receipt = ladder.of_row(visit.0, more.as_deref())?;
    for (service, more) in services(phone, visit)? {
        detail.receipt = detail.receipt.lower(ladder.of_row(service.row.0, more.as_deref())?);
        detail.is_corrected |= more.is_some();
        detail.services.push(service);
    }
    let sql = "SELECT id FROM live_follow_ups WHERE visit_id = ?1 ORDER BY due_on, id";
    detail.follow_ups = rows::all(connection, sql, [visit.0.0], |row| rows::id(row, 0).map(FollowUpId))?;
    let ids = detail.services.iter().map(|service| service.row.0).chain([visit.0]);
    let mut shelf = connection.prepare_cached("SELECT 1 FROM shelf WHERE row = ?1")?;
    for id in ids {
        detail.has_conflict |= shelf.exists([id.0])?;
    }
    if let Some(household) = detail.household {
        let places = Places::new(connection, &known)?;
        detail.place_of = places.of(household)?;
        detail.household = Some(places.shown(household));
    }
    if let Some(key) = visit.0.key()
        && let Some(device) = who::device_of(connection, key.writer)?
    {
        detail.saved_by = who::members_of_devices(connection)?.get(&device).copied();
        let until = detail.saved_at.saturating_add(TAKE_BACK_MS);
        let is_open = device == phone.device && !detail.is_struck_out && phone.now().ms <= until;
        detail.can_take_back_until = is_open.then_some(until);
    }
    Ok(Some(detail))
}

type WithVersions = (ServiceDetail, Option<Vec<u8>>);

/// The services that count, in the order in which they were written, with what was patched of them.
pub(super) fn services(phone: &Phone, visit: VisitId) -> Result<Vec<WithVersions>> {
    let sql = "SELECT s.id, s.v_more, s.person_id, s.service, s.outcome, s.failure, s.evidence, s.tutorial,
                      s.last_step, s.run_id, r.steps
               FROM live_service_rows AS s LEFT JOIN live_checklist_runs AS r ON r.id = s.run_id
               WHERE s.visit_id = ?1 ORDER BY s.v_stamp, s.id";
    let found = rows::all(phone.connection(), sql, [visit.0.0], |row| {
        let steps: Option<Vec<u8>> = row.get(10)?;
        let service = ServiceDetail {
            row: ServiceRowId(rows::id(row, 0)?),
            person: rows::some_id(row, 2, PersonId)?,
            service: rows::content(row, 3)?,
            outcome: rows::number(row, 4)?,
            failure: rows::number(row, 5)?,
            evidence: rows::number(row, 6)?,
            tutorial: rows::content(row, 7)?,
            last_step: rows::number(row, 8)?,
            run: rows::some_id(row, 9, ChecklistRunId)?,
            steps: steps_of(&steps.unwrap_or_default()),
        };
        Ok((service, row.get(1)?))
    })?;
    Ok(found)
}

/// Every save that this phone holds of a visit: its own, and those of frames that it keeps.
pub(super) fn history(phone: &Phone, visit: VisitId) -> Result<VisitHistory> {
    let connection = phone.connection();
    let sql = "SELECT scope FROM visits WHERE id = ?1 AND v_stamp > 0";
    let scope: Option<i64> =
        connection.prepare_cached(sql)?.query_row([visit.0.0], |row| row.get(0)).optional()?;
    let scope = scope.ok_or(AppError::NotFound)?;
    let sql = "SELECT id FROM service_rows WHERE visit_id = ?1";
    let services = rows::all(connection, sql, [visit.0.0], |row| rows::id(row, 0))?;
    let found = saves::that_speak_of(connection, scope, services.iter().chain([&visit.0]))?;
    let devices = who::members_of_devices(connection)?;
    let ladder = Ladder::new(phone)?;
    let mut entries = Vec::with_capacity(found.len());
    for change in found.into_values() {
        let fields = fields_of(&change, visit, &services);
        if fields.is_empty() {
            continue;
        }
        let device: Option<DeviceId> = who::device_of(connection, change.key.writer)?;
        entries.push(HistoryEntry {
            change: change.key.to_string(),
            at: change.stamp.ms() as i64,
            member: device.and_then(|device| devices.get(&device).copied()),
            is_create: visit.0.key() == Some(change.key),
            reason: saves::reason(&change),
            reason_text: saves::reason_text(&change),
            fields,
            receipt: ladder.of(change.key)?,
        });
    }
    langso_domain::order::sort_by(&mut entries, |one, other| {
        (one.at, &one.change).cmp(&(other.at, &other.change))
    });
    Ok(VisitHistory { entries })
}

fn fields_of(change: &Change, visit: VisitId, services: &[RowId]) -> Vec<HistoryField> {
    let mut fields = Vec::new();
    for (place, op) in (0u8..).zip(&change.rows) {
        let row = op.patch.as_ref().map_or(change.key.row(place), |patch| patch.target);
        let Some(table) = CURRENT.table(op.table).filter(|_| row == visit.0 || services.contains(&row))
        else {
            continue;
        };
        for (number, value) in &op.fields {
            let Some(field) = field_of(table, *number) else { continue };
            fields.push(HistoryField {
                table: table.name.to_owned(),
                row,
                field: field_name(field).to_owned(),
                value: from_value(field, value),
            });
        }
    }
    fields
}
