//! Two states of one row become one, as if every change that made either had been applied: how a snapshot meets what
//! a replica holds already.
//!
//! Pure. The idea: what a side does not show although it has applied it, was superseded there. So a head that one
//! side lacks stays only when that side has neither applied nor awaited its change, and a name is awaited only as
//! long as neither side has applied it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::Key;

use super::{FieldState, Head, RowState};
use crate::change::Name;
use crate::value::Value;

/// One of the two.
pub struct Side<'a> {
    /// Its versions of the row; the default when it has nothing of it.
    pub state: &'a RowState,
    /// The create's value of a field that is not listed there.
    pub created_value: &'a dyn Fn(u8) -> Value,
    /// Whether it has taken a change in.
    pub is_applied: &'a dyn Fn(Key) -> bool,
}

impl Side<'_> {
    fn has(&self, name: Name) -> bool {
        match name {
            Name::Create => self.state.created.is_some(),
            Name::Change(key) => (self.is_applied)(key),
        }
    }

    fn field(&self, number: u8) -> Cow<'_, FieldState> {
        if let Some(field) = self.state.fields.get(&number) {
            return Cow::Borrowed(field);
        }
        let mut field = FieldState::default();
        if let Some(stamp) = self.state.created {
            let value = (self.created_value)(number);
            field.add(Head { name: Name::Create, stamp, value, saw: BTreeSet::new() });
        }
        Cow::Owned(field)
    }
}

/// The state that has seen what both have. Fields that neither lists stay unlisted: their value is the create's, on
/// whichever side it has come. Joining is the same in any order and any number of times.
pub fn join(one: &Side<'_>, other: &Side<'_>) -> RowState {
    let created = one.state.created.or(other.state.created);
    let numbers: BTreeSet<u8> = one.state.fields.keys().chain(other.state.fields.keys()).copied().collect();
    let fields: BTreeMap<u8, FieldState> =
        numbers.into_iter().map(|number| (number, join_field(number, one, other))).collect();
    RowState { created, fields }
}

fn join_field(number: u8, one: &Side<'_>, other: &Side<'_>) -> FieldState {
    let (of_one, of_other) = (one.field(number), other.field(number));
    let mut joined = FieldState::default();
    take(&mut joined, &of_one, &of_other, other);
    take(&mut joined, &of_other, &of_one, one);
    joined
}

/// What of `field` stands before `against`, the same field on the side `there`.
fn take(joined: &mut FieldState, field: &FieldState, against: &FieldState, there: &Side<'_>) {
    for head in &field.heads {
        let is_there = against.heads.iter().any(|other| other.name == head.name);
        if is_there || !(there.has(head.name) || against.awaited.contains(&head.name)) {
            joined.add(head.clone());
        }
    }
    joined.awaited.extend(field.awaited.iter().filter(|name| !there.has(**name)));
}
