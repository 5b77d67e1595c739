//! Histories as phones live them: who writes what, and who has seen what of whom before. Every phone is a replica.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, RowId, ScopeId, Writer};
use langso_domain::registry::{ScopeKind, VOID};
use langso_store::{Purpose, Replica, Schema};
use langso_sync::author::Author;
use langso_sync::change::Change;
use langso_sync::clock::Clock;
use langso_sync::value::Value;
use proptest::prelude::*;

pub const SCOPE: ScopeId = ScopeId(*b"team 001");
const HOUSEHOLD: u8 = 1;
const PHONES: usize = 3;

/// What one phone does.
#[derive(Clone, Debug)]
pub enum Step {
    Create { phone: usize, table: u8, fields: Vec<(u8, Value)> },
    Edit { phone: usize, row: prop::sample::Index, fields: Vec<(u8, Value)> },
    See { phone: usize, what: Vec<prop::sample::Index> },
}

pub fn any_step(any_fields: impl Strategy<Value = Vec<(u8, Value)>> + Clone) -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => (0..PHONES, any_fields.clone())
            .prop_map(|(phone, fields)| Step::Create { phone, table: HOUSEHOLD, fields }),
        5 => (0..PHONES, index(), any_fields).prop_map(|(phone, row, fields)| Step::Edit { phone, row, fields }),
        3 => (0..PHONES, proptest::collection::vec(index(), 1..5))
            .prop_map(|(phone, what)| Step::See { phone, what }),
    ]
}

/// Label, poverty or the void of a household, with few values, so that edits meet and heads are equal now and then.
pub fn any_household() -> impl Strategy<Value = Vec<(u8, Value)>> + Clone {
    let label = prop_oneof!["Hộ 1", "Hộ 2"].prop_map(|text| (1, Value::Text(text)));
    let poverty = (0..3i64).prop_map(|number| (3, Value::Int(number)));
    let void = any::<bool>().prop_map(|yes| (VOID, Value::Bool(yes)));
    let one = prop_oneof![4 => label, 4 => poverty, 1 => void];
    proptest::collection::vec(one, 1..3)
}

/// A replica that holds nothing but the scope.
pub fn replica(schema: Schema, purpose: Purpose) -> Replica {
    let mut replica = Replica::in_memory(schema, purpose).expect("opens");
    add_scope(&mut replica);
    replica
}

pub fn add_scope(replica: &mut Replica) {
    let mut batch = replica.begin().expect("begins");
    batch.add_scope(SCOPE, ScopeKind::Team).expect("a scope");
    batch.commit().expect("commits");
}

pub fn author_of(change: &Change) -> DeviceId {
    DeviceId(change.key.writer.0.to_be_bytes())
}

/// Takes changes in, in one transaction.
pub fn apply<'c>(replica: &mut Replica, changes: impl IntoIterator<Item = &'c Change>) {
    let mut batch = replica.begin().expect("begins");
    for change in changes {
        batch.apply(SCOPE, author_of(change), change).expect("applied");
    }
    batch.commit().expect("commits");
}

/// Lives the steps; gives every change in the order of writing, as its bytes say it. Clocks lie far apart.
pub fn live(schema: Schema, steps: &[Step]) -> Vec<Change> {
    let mut phones: Vec<Replica> = (0..PHONES).map(|_| replica(schema, Purpose::HubCache)).collect();
    let mut pens: Vec<(Author, Clock)> =
        (0..PHONES as u64).map(|phone| (Author::new(Writer(phone + 1)), Clock::default())).collect();
    let mut history: Vec<Change> = Vec::new();
    let mut rows: Vec<(u8, RowId)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let (phone, draft) = match step {
            Step::See { phone, what } => {
                let seen =
                    what.iter().filter(|_| !history.is_empty()).map(|index| index.index(history.len()));
                apply(&mut phones[*phone], seen.map(|at| &history[at]).collect::<Vec<_>>());
                continue;
            }
            Step::Create { phone, table, fields } => {
                let mut draft = pens[*phone].0.draft();
                let fields = fields.iter().filter(|(field, _)| *field != VOID).cloned();
                rows.push((*table, draft.create(*table, fields).expect("room")));
                (*phone, draft)
            }
            Step::Edit { phone, row, fields } => {
                if rows.is_empty() {
                    continue;
                }
                let (number, id) = rows[row.index(rows.len())];
                let table = schema.registry.table(number).expect("a table");
                let batch = phones[*phone].begin().expect("begins");
                let state = batch.row_state(table, id).expect("read").filter(|state| state.created.is_some());
                drop(batch);
                let Some(state) = state else { continue };
                let mut draft = pens[*phone].0.draft();
                let fields: BTreeMap<u8, Value> = fields.iter().cloned().collect();
                draft.patch(number, id, &state, fields).expect("room");
                (*phone, draft)
            }
        };
        let (author, clock) = &mut pens[phone];
        let written = author.finish(draft, clock, (at + phone * 40) as u64);
        let change = Change::decode(&written.encode()).expect("its own bytes");
        assert_eq!(change, written, "a change comes back from its bytes");
        apply(&mut phones[phone], [&change]);
        history.push(change);
    }
    history
}
