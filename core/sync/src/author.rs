//! How a change is written: by a writer that numbers it, with a stamp after all that it overwrites and every head
//! that its author saw named.
//!
//! Pure: random bits for the writer, the moment and the rows' versions are handed in.

use std::collections::BTreeMap;

use langso_domain::id::{Key, MAX_SEQ, RowId, Writer};
use langso_domain::registry::VOID;

use crate::change::{Base, Change, MAX_NAMES, MAX_ROWS, Name, Patch, RowOp};
use crate::clock::{Clock, Stamp};
use crate::merge::RowState;
use crate::value::Value;

/// Numbers the changes of one process run of one device in one scope. After a failed commit it is thrown away and
/// a new one is minted: a number that may have reached a disk is never given twice.
#[derive(Debug)]
pub struct Author {
    writer: Writer,
    next_seq: u32,
}

impl Author {
    /// A new author from 64 fresh random bits.
    pub fn new(writer: Writer) -> Self {
        Self { writer, next_seq: 1 }
    }

    /// Its writer.
    pub fn writer(&self) -> Writer {
        self.writer
    }

    /// Begins a change. The number is spent by [`Author::finish`].
    pub fn draft(&self) -> Draft {
        let key = Key { writer: self.writer, seq: self.next_seq };
        Draft { key, rows: Vec::new(), seen: Stamp::default(), extras: BTreeMap::new() }
    }

    /// Whether this author can number one more change; if not, a new writer is minted.
    pub fn has_room(&self) -> bool {
        self.next_seq < MAX_SEQ
    }

    /// Stamps the draft and gives the change; the next draft has the next number.
    pub fn finish(&mut self, draft: Draft, clock: &mut Clock, now_ms: u64) -> Change {
        debug_assert_eq!(
            draft.key,
            Key { writer: self.writer, seq: self.next_seq },
            "a draft of this author"
        );
        self.next_seq = draft.key.seq + 1;
        let stamp = clock.stamp(now_ms, draft.seen);
        Change { key: draft.key, stamp, rows: draft.rows, extras: draft.extras }
    }
}

/// A change being written.
#[derive(Debug)]
pub struct Draft {
    key: Key,
    rows: Vec<RowOp>,
    seen: Stamp,
    extras: BTreeMap<u8, Value>,
}

/// A change has no room for one more row (255).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many rows in one save")]
pub struct TooManyRows;

/// Why a row is not patched: no one could read such a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotPatch {
    /// The change is full.
    #[error(transparent)]
    TooManyRows(#[from] TooManyRows),
    /// This change patches or makes that row already.
    #[error("a row written twice in one save")]
    RowTwice,
}

impl Draft {
    /// The key the change will have.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Makes a row; null values are left out. Gives its id.
    ///
    /// # Errors
    /// [`TooManyRows`] at the 256th row.
    pub fn create(
        &mut self,
        table: u8,
        fields: impl IntoIterator<Item = (u8, Value)>,
    ) -> Result<RowId, TooManyRows> {
        let id = self.key.row(u8::try_from(self.rows.len()).map_err(|_| TooManyRows)?);
        let fields = fields.into_iter().filter(|(_, value)| *value != Value::Null).collect();
        self.push(RowOp { table, fields, patch: None })?;
        Ok(id)
    }

    /// Patches a row that its author sees as `state`: names every head of each written field, and the void if there
    /// is one; a void names all that was seen of the row. A row is patched once in a change. Of a field with more
    /// heads than one patch can name ([`MAX_NAMES`]) the newest are named, and the others stay beside it.
    ///
    /// # Errors
    /// [`CannotPatch::TooManyRows`] at the 256th row; [`CannotPatch::RowTwice`] for a row that this change wrote.
    pub fn patch(
        &mut self,
        table: u8,
        target: RowId,
        state: &RowState,
        fields: BTreeMap<u8, Value>,
    ) -> Result<(), CannotPatch> {
        let is_target = |row: &RowOp| row.patch.as_ref().is_some_and(|patch| patch.target == target);
        if target.key() == Some(self.key) || self.rows.iter().any(is_target) {
            return Err(CannotPatch::RowTwice);
        }
        let mut named: Vec<u8> = fields.keys().copied().collect();
        if fields.contains_key(&VOID) {
            named.extend(state.fields.keys());
        } else if state.fields.contains_key(&VOID) {
            named.push(VOID);
        }
        let by_field: BTreeMap<u8, _> = named.into_iter().map(|field| (field, names(state, field))).collect();
        let first = by_field.values().next().cloned().unwrap_or_default();
        let same = by_field.len() == fields.len() && by_field.values().all(|names| *names == first);
        let base = if same { Base::Same(first) } else { Base::ByField(by_field) };
        self.come_after(state.newest_stamp());
        Ok(self.push(RowOp { table, fields, patch: Some(Patch { target, base }) })?)
    }

    /// Comes after a stamp that its author saw without overwriting anything of it: a reply stands in a row of its own.
    pub fn come_after(&mut self, seen: Stamp) {
        self.seen = self.seen.max(seen);
    }

    /// Says something about the save itself; see [`crate::change::extra`].
    pub fn say(&mut self, extra: u8, value: Value) {
        self.extras.insert(extra, value);
    }

    fn push(&mut self, row: RowOp) -> Result<(), TooManyRows> {
        if self.rows.len() == MAX_ROWS {
            return Err(TooManyRows);
        }
        self.rows.push(row);
        Ok(())
    }
}

/// What a patch of `field` names.
fn names(state: &RowState, field: u8) -> Vec<Name> {
    let all = state.base_of(field);
    let Some(of) = state.fields.get(&field).filter(|_| all.len() > MAX_NAMES) else { return all };
    let mut heads: Vec<_> = of.heads.iter().map(|head| (head.stamp, head.name)).collect();
    heads.sort_unstable();
    let mut names: Vec<Name> =
        heads.split_off(heads.len() - MAX_NAMES).into_iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::{FieldState, Head};

    #[test]
    fn a_draft_numbers_its_rows_and_the_author_its_changes() {
        let mut author = Author::new(Writer(7));
        let mut clock = Clock::default();
        let mut draft = author.draft();
        let household = draft.create(1, [(1, Value::Text("Hộ 12".into())), (4, Value::Null)]).expect("room");
        let person = draft.create(2, [(1, Value::Ref(household))]).expect("room");
        assert_eq!((household.place(), person.place()), (0, 1));
        let first = author.finish(draft, &mut clock, 1_000);
        assert_eq!(first.rows[0].fields.len(), 1, "null is left out");
        assert_eq!(author.draft().key().seq, 2);
    }

    #[test]
    fn a_patch_names_the_create_in_one_byte_and_comes_after_it() {
        let mut author = Author::new(Writer(7));
        let state = RowState { created: Some(Stamp::at_ms(5_000)), fields: BTreeMap::new() };
        let target = Key { writer: Writer(8), seq: 1 }.row(0);
        let mut draft = author.draft();
        draft
            .patch(1, target, &state, BTreeMap::from([(1, Value::Int(1)), (2, Value::Int(2))]))
            .expect("room");
        let change = author.finish(draft, &mut Clock::default(), 10);
        assert_eq!(
            change.rows[0].patch.as_ref().map(|patch| &patch.base),
            Some(&Base::Same(vec![Name::Create]))
        );
        assert!(change.stamp > Stamp::at_ms(5_000));
    }

    #[test]
    fn a_reply_comes_after_what_its_author_saw_of_another_row() {
        let mut author = Author::new(Writer(7));
        let mut draft = author.draft();
        draft.create(1, []).expect("room");
        draft.come_after(Stamp::at_ms(5_000));
        draft.come_after(Stamp::at_ms(3_000));
        assert!(author.finish(draft, &mut Clock::default(), 10).stamp > Stamp::at_ms(5_000));
    }

    #[test]
    fn a_change_holds_at_most_255_rows() {
        let mut draft = Author::new(Writer(7)).draft();
        (0..MAX_ROWS).for_each(|_| {
            draft.create(1, []).expect("room");
        });
        assert_eq!(draft.create(1, []), Err(TooManyRows));
    }

    #[test]
    fn a_row_is_patched_once_in_a_change_and_not_where_it_is_made() {
        let mut draft = Author::new(Writer(7)).draft();
        let state = RowState { created: Some(Stamp::at_ms(5_000)), fields: BTreeMap::new() };
        let target = Key { writer: Writer(8), seq: 1 }.row(0);
        let fields = || BTreeMap::from([(1, Value::Int(1))]);
        draft.patch(1, target, &state, fields()).expect("room");
        assert_eq!(draft.patch(1, target, &state, fields()), Err(CannotPatch::RowTwice));
        let made = draft.create(1, []).expect("room");
        assert_eq!(draft.patch(1, made, &state, fields()), Err(CannotPatch::RowTwice));
        assert_eq!(draft.rows.len(), 2, "what was refused is not in it");
    }

    #[test]
    fn of_more_heads_than_a_patch_can_name_the_newest_are_named_and_the_change_is_readable() {
        let mut author = Author::new(Writer(7));
        let head = |at: u64| Head {
            name: Name::Change(Key { writer: Writer(1_000 - at), seq: 1 }),
            stamp: Stamp::at_ms(5_000 + 100 * at),
            value: Value::Int(at as i64),
            saw: Default::default(),
        };
        let mut heads: Vec<Head> = (0..300).map(head).collect();
        heads.sort_by_key(|head| head.name);
        let field = FieldState { heads, awaited: Default::default() };
        let state = RowState { created: Some(Stamp::at_ms(5_000)), fields: BTreeMap::from([(1, field)]) };
        let target = Key { writer: Writer(8), seq: 1 }.row(0);
        let mut draft = author.draft();
        draft.patch(1, target, &state, BTreeMap::from([(1, Value::Int(-1))])).expect("room");
        let change = author.finish(draft, &mut Clock::default(), 10);
        assert_eq!(Change::decode(&change.encode()), Ok(change.clone()));
        let base = change.rows[0].patch.as_ref().map(|patch| patch.base.of(1).to_vec()).unwrap_or_default();
        assert_eq!(base.len(), MAX_NAMES);
        assert!(base.contains(&head(299).name) && !base.contains(&head(0).name));
    }
}
