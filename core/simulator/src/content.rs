//! What people write: rows of a day's work and edits of what others wrote, dealt so that many meet in the same field.

use std::collections::BTreeMap;

use langso_domain::id::RowId;
use langso_domain::registry::{Role, VOID};
use langso_sync::value::Value;

use crate::broken::Result;
use crate::dice::Dice;
use crate::newer::{ERRAND, WIFI};
use crate::pen::Saving;

const HOUSEHOLD: u8 = 1;
const PERSON: u8 = 2;
const CONSENT: u8 = 3;
const VISIT: u8 = 4;
const SERVICE_ROW: u8 = 5;
const FOLLOW_UP: u8 = 6;
const MEMBER: u8 = 17;
const HAMLET: u8 = 19;
const CHECKLIST_RUN: u8 = 32;
const REVIEW: u8 = 33;
const CONTACT: u8 = 64;

/// Every row that anybody made, in the order of making.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    all: Vec<(u8, RowId)>,
}

impl Rows {
    pub fn add(&mut self, rows: &[(u8, RowId)]) {
        self.all.extend_from_slice(rows);
    }

    /// One of them, mostly a young one, so that edits meet.
    fn any(&self, dice: &mut Dice) -> Option<(u8, RowId)> {
        let young = if dice.chance(700) { 12 } else { self.all.len() };
        let back = dice.below(young.min(self.all.len()));
        self.all.len().checked_sub(1 + back).map(|at| self.all[at])
    }

    fn any_of(&self, table: u8, dice: &mut Dice) -> Option<RowId> {
        (0..6).find_map(|_| self.any(dice).filter(|(of, _)| *of == table)).map(|(_, id)| id)
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub role: Role,
    /// By the program of the newer schema.
    pub newer: bool,
}

/// Writes one save of somebody. Nothing may come of it, when that person sees nothing to write about.
pub(crate) fn write(saving: &mut Saving<'_, '_>, dice: &mut Dice, rows: &Rows, who: Who) -> Result {
    let (makes, oversteps) = (dice.chance(450), dice.chance(15));
    match who.role {
        _ if oversteps => overstep(saving, dice, who.role),
        _ if !makes && dice.chance(200) => settle(saving, dice),
        _ if !makes => edit(saving, dice, rows, who),
        Role::Hub => roster(saving, dice),
        Role::Trainer => review(saving, dice, rows),
        _ if who.newer && dice.chance(300) => newer(saving, dice, rows),
        _ => visit(saving, dice, rows),
    }
}

fn text(dice: &mut Dice, words: &[&str]) -> Value {
    Value::Text(words[dice.below(words.len())].to_owned())
}

fn number(dice: &mut Dice, end: usize) -> Value {
    Value::Int(dice.below(end) as i64)
}

fn reference(row: Option<RowId>) -> Value {
    row.map_or(Value::Null, Value::Ref)
}

/// What the author's role may not write: it waits at the hub until the lead admits it.
fn overstep(saving: &mut Saving<'_, '_>, dice: &mut Dice, role: Role) -> Result {
    let table = if role == Role::Trainer { CHECKLIST_RUN } else { MEMBER };
    let fields = if table == MEMBER { vec![(3, number(dice, 4))] } else { vec![(7, number(dice, 60))] };
    saving.create(table, fields).map(drop)
}

fn roster(saving: &mut Saving<'_, '_>, dice: &mut Dice) -> Result {
    saving.create(HAMLET, [(1, text(dice, &["Thôn Ngàn Chi", "Bản Sú"])), (4, number(dice, 4))])?;
    if dice.chance(300) {
        saving.create(MEMBER, [(2, text(dice, &["Hoàng Thị Mến", "Lý A Sử"])), (3, number(dice, 4))])?;
    }
    Ok(())
}

fn review(saving: &mut Saving<'_, '_>, dice: &mut Dice, rows: &Rows) -> Result {
    let run = rows.any_of(CHECKLIST_RUN, dice);
    saving.create(REVIEW, [(1, reference(run)), (2, number(dice, 2))]).map(drop)
}

/// A visit with what hangs on it; a checklist run goes into the other scope in the same save.
fn visit(saving: &mut Saving<'_, '_>, dice: &mut Dice, rows: &Rows) -> Result {
    let hamlet = rows.any_of(HAMLET, dice);
    let mut home = if dice.chance(500) { rows.any_of(HOUSEHOLD, dice) } else { None };
    if dice.chance(450) {
        let fields = [(1, text(dice, &["Hộ 12", "Hộ 13", "Nhà bà Chíu"])), (2, reference(hamlet))];
        home = saving.create(HOUSEHOLD, fields)?;
        saving.create(PERSON, [(1, reference(home)), (2, number(dice, 4)), (5, number(dice, 3))])?;
        if dice.chance(300) {
            let consent = saving.create(CONSENT, [(1, reference(home)), (6, number(dice, 3))])?;
            let name = text(dice, &["Chíu Thị Lan", "Đặng Văn Hòa"]);
            saving.create(CONTACT, [(1, reference(consent)), (2, reference(home)), (4, name)])?;
        }
    }
    let visit =
        saving.create(VISIT, [(1, reference(home)), (4, number(dice, 400)), (5, number(dice, 96))])?;
    let run = if dice.chance(250) {
        saving.create(CHECKLIST_RUN, [(1, text(dice, &["T1@1", "T2@1"])), (7, number(dice, 60))])?
    } else {
        None
    };
    if dice.chance(600) {
        saving.create(SERVICE_ROW, [(1, reference(visit)), (4, number(dice, 5)), (9, reference(run))])?;
    }
    if dice.chance(150) {
        saving.create(FOLLOW_UP, [(1, reference(visit)), (5, number(dice, 400))])?;
    }
    Ok(())
}

/// What only a newer program can write: its new field, its new table, a value that the older one has no column for.
fn newer(saving: &mut Saving<'_, '_>, dice: &mut Dice, rows: &Rows) -> Result {
    let home = rows.any_of(HOUSEHOLD, dice);
    match dice.below(3) {
        0 => saving.create(ERRAND, [(1, reference(home)), (2, text(dice, &["pin", "sạc"]))])?,
        1 => {
            let poverty = text(dice, &["cận nghèo", "thoát nghèo"]);
            saving.create(HOUSEHOLD, [(1, text(dice, &["Hộ 14"])), (3, poverty), (WIFI, number(dice, 5))])?
        }
        // A float, and a list of lists: shapes that no version writes yet.
        _ => {
            let shape = if dice.chance(500) { vec![0xF9, 0x3E, 0x00] } else { vec![0x82, 0x80, 0x81, 0x01] };
            saving.create(HOUSEHOLD, [(1, text(dice, &["Hộ 15"])), (4, Value::Other(shape))])?
        }
    };
    Ok(())
}

/// Somebody settles a conflict for one of its values, or strikes out once more what was edited after removal.
fn settle(saving: &mut Saving<'_, '_>, dice: &mut Dice) -> Result {
    let mut list = saving.batch.connection().prepare_cached(
        "SELECT table_number, row, field FROM shelf ORDER BY table_number, row, field LIMIT 8",
    )?;
    let shelf = list.query_map([], |row| Ok((row.get(0)?, RowId(row.get(1)?), row.get(2)?)))?;
    let shelf: Vec<(u8, RowId, u8)> = shelf.collect::<rusqlite::Result<_>>()?;
    drop(list);
    if shelf.is_empty() {
        return Ok(());
    }
    let (number, id, field) = shelf[dice.below(shelf.len())];
    let Some(table) = saving.registry.table(number) else { return Ok(()) };
    let Some(state) = saving.batch.row_state(table, id)? else { return Ok(()) };
    let heads = state.fields.get(&field).map_or(&[][..], |field| &field.heads);
    if !heads.is_empty() {
        let value = heads[dice.below(heads.len())].value.clone();
        saving.patch(number, id, BTreeMap::from([(field, value)]))?;
    }
    Ok(())
}

/// An edit of one or two fields of a row that the author sees, or its removal, or that undone.
fn edit(saving: &mut Saving<'_, '_>, dice: &mut Dice, rows: &Rows, who: Who) -> Result {
    let times = if dice.chance(150) { 2 } else { 1 };
    let mut done = 0;
    for _ in 0..8 {
        let Some((table, id)) = rows.any(dice) else { break };
        let mut fields = BTreeMap::new();
        for _ in 0..=dice.below(2) {
            let Some((field, value)) = value_for(table, dice, rows, who) else { break };
            fields.insert(field, value);
        }
        if !fields.is_empty() && saving.patch(table, id, fields)? {
            done += 1;
        }
        if done == times {
            break;
        }
    }
    Ok(())
}

fn value_for(table: u8, dice: &mut Dice, rows: &Rows, who: Who) -> Option<(u8, Value)> {
    let may = match table {
        MEMBER | HAMLET => who.role == Role::Hub,
        REVIEW => matches!(who.role, Role::Hub | Role::Trainer),
        CHECKLIST_RUN => who.role != Role::Trainer,
        ERRAND => who.newer,
        _ => who.role != Role::Trainer,
    };
    // Now and then somebody writes what is not theirs to write.
    if !may && (table == ERRAND || !dice.chance(50)) {
        return None;
    }
    if dice.chance(120) {
        return Some((VOID, Value::Bool(dice.chance(750))));
    }
    if dice.chance(50) {
        return Some((1, Value::Null));
    }
    let words = ["một", "hai", "ba"];
    Some(match (table, dice.below(3)) {
        (HOUSEHOLD, 0) if who.newer => (WIFI, number(dice, 5)),
        (HOUSEHOLD, 1) if who.newer => (3, text(dice, &words)),
        (HOUSEHOLD, 0) => (5, reference(rows.any_of(HOUSEHOLD, dice))),
        (HOUSEHOLD, 1) => (3, number(dice, 3)),
        (HOUSEHOLD, _) => (1, text(dice, &words)),
        (PERSON, _) => (5, number(dice, 3)),
        (CONSENT, _) => (7, number(dice, 400)),
        (VISIT, 0) => (12, text(dice, &words)),
        (VISIT, 1) => (10, Value::Refs(rows.any_of(MEMBER, dice).into_iter().collect())),
        (VISIT, _) => (5, number(dice, 96)),
        (SERVICE_ROW, _) => (4, number(dice, 5)),
        (FOLLOW_UP, _) => (7, number(dice, 400)),
        (MEMBER, _) => (2, text(dice, &words)),
        (HAMLET, _) => (4, number(dice, 4)),
        (CHECKLIST_RUN, 0) => (8, Value::Bool(dice.chance(500))),
        (CHECKLIST_RUN, _) => (7, number(dice, 60)),
        (REVIEW, 0) => (3, text(dice, &words)),
        (REVIEW, _) => (2, number(dice, 2)),
        (CONTACT, _) => (4, text(dice, &words)),
        (ERRAND, _) => (2, text(dice, &words)),
        _ => return None,
    })
}
