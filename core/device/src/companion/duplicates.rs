//! Duplicates: households written down twice, joined by a person and by nothing else.
//!
//! A join is an undirected edge in one of the rows; whatever is connected is one, and the smallest id shows. So joins
//! that meet in any order come to the same, and taking a row out clears its edges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use langso_domain::id::{HamletId, HouseholdId, PersonId, RowId};
use langso_domain::text;
use langso_sync::value::Value;
use rusqlite::{Connection, OptionalExtension};

use super::households::NewPerson;
use super::walk::Places;
use super::{Companion, Nothing, check, rows};
use crate::error::{AppError, Result};
use crate::phone::{Phone, Saving};

mod records;

pub use records::{
    FindSimilar, Joinable, LikelyPair, Likeness, ListPairs, MergeRows, Merged, PairList, Similar,
    SimilarHouseholds, SplitMerged, TwoHouseholds,
};

/// How many similar households a form shows.
const MOST_SIMILAR: usize = 5;
/// How many pairs are on a page: each shows two households.
const PAIRS: usize = rows::PAGE / 2;
/// More households than this with one likeness are no duplicates but a habit, such as a hint like "cạnh đường".
const LARGEST_GROUP: usize = 6;

/// The feature; see [`Companion::duplicates`].
pub struct Duplicates<'a>(pub(super) &'a Companion);

impl Duplicates<'_> {
    /// Households that a new one may be, with the reasons.
    ///
    /// # Errors
    /// `NotAllowed { role }`.
    pub fn find_similar(&self, find: FindSimilar) -> Result<SimilarHouseholds> {
        let phone = self.0.phone();
        check::role(&phone, check::TEAM)?;
        let phone_number = find.phone.as_deref().and_then(|number| text::phone::normalize(number).ok());
        let new = Traits {
            hamlet: find.hamlet,
            label: text::fold(&find.label),
            hint: text::fold(find.hint.as_deref().unwrap_or_default()),
            people: people_of(&find.persons),
            phones: phone_number.into_iter().collect(),
        };
        let mut found: Vec<(Vec<Likeness>, HouseholdId)> = traits(&phone)?
            .into_iter()
            .map(|(household, held)| (held.likeness(&new), household))
            .filter(|(reasons, _)| !reasons.is_empty())
            .collect();
        langso_domain::order::sort_by(&mut found, Ord::cmp);
        found.truncate(MOST_SIMILAR);
        let households: Vec<HouseholdId> = found.iter().map(|(_, household)| *household).collect();
        let lines = super::households::lines(&phone, &*phone.known()?, &households)?;
        let mut reasons: HashMap<HouseholdId, Vec<Likeness>> =
            found.into_iter().map(|(reasons, household)| (household, reasons)).collect();
        let similar = lines.into_iter().map(|household| Similar {
            reasons: reasons.remove(&household.household).unwrap_or_default(),
            household,
        });
        Ok(SimilarHouseholds { similar: similar.collect() })
    }

    /// Pairs of households that are likely the same, except those that this phone was told are not.
    ///
    /// # Errors
    /// `NotAllowed { role }` for who does not lead.
    pub fn list_pairs(&self, list: ListPairs) -> Result<PairList> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let pairs = pairs(&phone)?;
        let count = pairs.len() as u32;
        let page: Vec<_> = pairs.into_iter().skip(list.skip as usize).take(PAIRS).collect();
        let ids: Vec<HouseholdId> = page.iter().flat_map(|(_, one, other)| [*one, *other]).collect();
        let lines = super::households::lines(&phone, &*phone.known()?, &ids)?;
        let lines: HashMap<_, _> = lines.into_iter().map(|line| (line.household, line)).collect();
        let pairs = page.into_iter().filter_map(|(reasons, one, other)| {
            Some(LikelyPair { one: lines.get(&one)?.clone(), other: lines.get(&other)?.clone(), reasons })
        });
        Ok(PairList { pairs: pairs.collect(), count })
    }

    /// Joins two rows. Twice is as once.
    ///
    /// # Errors
    /// `InvalidInput`: `one` and `other` (`not_found`, `same_row`), `other` (`other_scope`: rows of two teams are never
    /// joined; `other_household` for persons); `NotAllowed { role }` for who does not lead.
    pub fn merge_rows(&self, merge: MergeRows) -> Result<Merged> {
        let mut phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let MergeRows { table, one, other } = merge;
        let table = table.name();
        let connection = phone.connection();
        check::present(connection, table, "one", one)?;
        check::present(connection, table, "other", other)?;
        if one == other {
            return Err(AppError::invalid("other", "same_row"));
        }
        if scope_of(connection, table, one)? != scope_of(connection, table, other)? {
            return Err(AppError::invalid("other", "other_scope"));
        }
        if merge.table == Joinable::Person {
            let home = |row| check::household_of(connection, PersonId(row));
            let homes = (home(one)?, home(other)?);
            match homes {
                (Some(one), Some(other)) if check::is_same_household(connection, one, other)? => {}
                _ => return Err(AppError::invalid("other", "other_household")),
            }
        }
        let edges = Edges::read(connection, table)?;
        let joined = edges.joined(one);
        let others = edges.joined(other);
        if !joined.contains(&other) {
            // Of n rows that are one, n - 1 bear the edges: one of them is free.
            let free = edges.free(&others).map(|row| (row, one));
            let free = free.or_else(|| edges.free(&joined).map(|row| (row, other)));
            let (bears, to) = free.ok_or_else(|| AppError::invalid("other", "conflict"))?;
            phone.save(|saving| saving.patch(table, bears, [("merged_with", to.into())]))?;
            phone.forget_known();
        }
        let shows = joined.union(&others).min().copied().unwrap_or(one);
        Ok(Merged { shows })
    }

    /// Takes a row out of what it was joined to; the others stay one. Twice is as once.
    ///
    /// # Errors
    /// `NotFound`; `NotAllowed { role }` for who does not lead.
    pub fn split_merged(&self, split: SplitMerged) -> Result<Nothing> {
        let mut phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let (table, row) = (split.table.name(), split.row);
        scope_of(phone.connection(), table, row)?.ok_or(AppError::NotFound)?;
        let edges = Edges::read(phone.connection(), table)?;
        if edges.joined(row).len() > 1 {
            phone.save(|saving| edges.take_out(saving, table, row))?;
            phone.forget_known();
        }
        Ok(Nothing {})
    }

    /// The two are not the same: this phone does not ask again. It is no fact about them, and does not travel.
    ///
    /// # Errors
    /// `InvalidInput` for rows that are not here; `NotAllowed { role }` for who does not lead.
    pub fn dismiss_pair(&self, pair: TwoHouseholds) -> Result<Nothing> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let connection = phone.connection();
        check::present(connection, "household", "one", pair.one.0)?;
        check::present(connection, "household", "other", pair.other.0)?;
        let (one, other) = (pair.one.min(pair.other), pair.one.max(pair.other));
        let sql = "INSERT OR IGNORE INTO dismissed_pairs (one, other) VALUES (?1, ?2)";
        connection.prepare_cached(sql)?.execute((one.0.0, other.0.0))?;
        Ok(Nothing {})
    }
}

impl Joinable {
    fn name(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Person => "person",
        }
    }
}

/// What makes two households alike.
#[derive(Debug, Default)]
struct Traits {
    hamlet: Option<HamletId>,
    label: String,
    hint: String,
    /// Age and sex of each, in order; empty for fewer than two.
    people: Vec<(i64, u8)>,
    phones: BTreeSet<String>,
}

impl Traits {
    fn likeness(&self, other: &Self) -> Vec<Likeness> {
        let is_near = self.hamlet == other.hamlet;
        let same = |one: &str, other: &str| is_near && !one.is_empty() && one == other;
        let mut reasons = Vec::new();
        let mut take = |is_so: bool, reason| {
            if is_so {
                reasons.push(reason);
            }
        };
        take(!self.phones.is_disjoint(&other.phones), Likeness::SamePhone);
        take(same(&self.label, &other.label), Likeness::SameLabel);
        take(same(&self.hint, &other.hint), Likeness::SameHint);
        // The same ages alone are no reason in a hamlet of a hundred households.
        let has_other = !reasons.is_empty();
        if has_other && !self.people.is_empty() && self.people == other.people {
            reasons.push(Likeness::SamePersons);
        }
        reasons
    }
}

fn people_of(persons: &[NewPerson]) -> Vec<(i64, u8)> {
    let age =
        |person: &NewPerson| person.birth_year.map_or(person.band.map(i64::from), |year| Some(year.into()));
    let people =
        persons.iter().map(|person| (age(person).unwrap_or_default(), person.sex.unwrap_or_default()));
    several(people.collect())
}

fn several(mut people: Vec<(i64, u8)>) -> Vec<(i64, u8)> {
    langso_domain::order::sort_by(&mut people, Ord::cmp);
    if people.len() < 2 { Vec::new() } else { people }
}

/// The traits of every household that counts; those that were joined are one.
fn traits(phone: &Phone) -> Result<HashMap<HouseholdId, Traits>> {
    let connection = phone.connection();
    let known = phone.known()?;
    let places = Places::new(connection, &known)?;
    let mut traits: HashMap<HouseholdId, Traits> = HashMap::new();
    let sql =
        "SELECT id, hamlet_id, label, hint FROM live_households WHERE moved_to IS NULL ORDER BY id DESC";
    for (id, hamlet, label, hint) in rows::all(connection, sql, [], |row| {
        let text = |at| row.get::<_, Option<String>>(at).map(Option::unwrap_or_default);
        Ok((HouseholdId(rows::id(row, 0)?), rows::some_id(row, 1, HamletId)?, text(2)?, text(3)?))
    })? {
        // The smallest id comes last and is what shows.
        let of = traits.entry(places.shown(id)).or_default();
        (of.hamlet, of.label, of.hint) = (hamlet, text::fold(&label), text::fold(&hint));
    }
    let sql = "SELECT p.household_id, coalesce(p.birth_year, p.band, 0), coalesce(p.sex, 0)
               FROM live_persons AS p LEFT JOIN person_identities AS i ON i.id = p.id
               WHERE p.household_id IS NOT NULL AND coalesce(i.canonical_id, p.id) = p.id";
    for (household, age, sex) in rows::all(connection, sql, [], |row| {
        Ok((HouseholdId(rows::id(row, 0)?), row.get::<_, i64>(1)?, rows::number(row, 2)?.unwrap_or_default()))
    })? {
        if let Some(of) = traits.get_mut(&places.shown(household)) {
            of.people.push((age, sex));
        }
    }
    for of in traits.values_mut() {
        of.people = several(std::mem::take(&mut of.people));
    }
    let sql =
        "SELECT household_id, phone FROM live_contacts WHERE household_id IS NOT NULL AND phone IS NOT NULL";
    for (household, number) in
        rows::all(connection, sql, [], |row| Ok((HouseholdId(rows::id(row, 0)?), row.get(1)?)))?
    {
        if let Some(of) = traits.get_mut(&places.shown(household)) {
            of.phones.insert(number);
        }
    }
    Ok(traits)
}

/// Likely pairs, the strongest reasons first; found by what they share, never by holding each against each.
fn pairs(phone: &Phone) -> Result<Vec<(Vec<Likeness>, HouseholdId, HouseholdId)>> {
    let traits = traits(phone)?;
    let mut groups: BTreeMap<(Option<HamletId>, &str, &str), Vec<HouseholdId>> = BTreeMap::new();
    for (household, of) in &traits {
        let near = [("label", of.label.as_str()), ("hint", of.hint.as_str())];
        for (kind, text) in near.into_iter().filter(|(_, text)| !text.is_empty()) {
            groups.entry((of.hamlet, kind, text)).or_default().push(*household);
        }
        for number in &of.phones {
            groups.entry((None, "phone", number)).or_default().push(*household);
        }
    }
    let sql = "SELECT one, other FROM dismissed_pairs";
    let dismissed: BTreeSet<(RowId, RowId)> =
        rows::all(phone.connection(), sql, [], |row| Ok((rows::id(row, 0)?, rows::id(row, 1)?)))?
            .into_iter()
            .collect();
    let mut found = BTreeSet::new();
    for group in groups.values().filter(|group| (2..=LARGEST_GROUP).contains(&group.len())) {
        for (at, one) in group.iter().enumerate() {
            for other in &group[at + 1..] {
                let (one, other) = (*one.min(other), *one.max(other));
                if !dismissed.contains(&(one.0, other.0)) {
                    found.insert((traits[&one].likeness(&traits[&other]), one, other));
                }
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn scope_of(connection: &Connection, table: &str, row: RowId) -> Result<Option<i64>> {
    let sql = format!("SELECT scope FROM {table}s WHERE id = ?1 AND v_stamp > 0");
    Ok(connection.prepare_cached(&sql)?.query_row([row.0], |row| row.get(0)).optional()?)
}

/// Every edge of a table, by the row that bears it.
struct Edges(BTreeMap<RowId, RowId>);

impl Edges {
    fn read(connection: &Connection, table: &str) -> Result<Self> {
        let sql = format!("SELECT id, merged_with FROM {table}s WHERE merged_with IS NOT NULL");
        let edges = rows::all(connection, &sql, [], |row| Ok((rows::id(row, 0)?, rows::id(row, 1)?)))?;
        Ok(Self(edges.into_iter().collect()))
    }

    fn neighbours(&self, row: RowId) -> impl Iterator<Item = RowId> + '_ {
        let to_it = self.0.iter().filter(move |(_, to)| **to == row).map(|(from, _)| *from);
        self.0.get(&row).copied().into_iter().chain(to_it)
    }

    /// All rows that are one with it, itself included.
    fn joined(&self, row: RowId) -> BTreeSet<RowId> {
        let mut all = BTreeSet::from([row]);
        let mut open = vec![row];
        while let Some(one) = open.pop() {
            open.extend(self.neighbours(one).filter(|next| all.insert(*next)));
        }
        all
    }

    /// A row among them that bears no edge.
    fn free(&self, rows: &BTreeSet<RowId>) -> Option<RowId> {
        rows.iter().copied().find(|row| !self.0.contains_key(row))
    }

    /// Clears the edges of a row and ties together what it held together.
    fn take_out(&self, saving: &mut Saving<'_, '_>, table: &str, row: RowId) -> Result<()> {
        let neighbours: BTreeSet<RowId> = self.neighbours(row).collect();
        let mut rest = Self(self.0.clone());
        rest.0.retain(|from, to| *from != row && *to != row);
        let mut joined: Option<RowId> = None;
        for neighbour in &neighbours {
            if let Some(one) = joined.filter(|one| !rest.joined(*one).contains(neighbour))
                && let Some(bears) = rest.free(&rest.joined(*neighbour))
            {
                rest.0.insert(bears, one);
            }
            joined.get_or_insert(*neighbour);
        }
        for (from, to) in &self.0 {
            if rest.0.get(from) != Some(to) {
                let value = rest.0.get(from).copied().map_or(Value::Null, Value::Ref);
                saving.patch(table, *from, [("merged_with", value)])?;
            }
        }
        for (from, to) in rest.0.iter().filter(|(from, _)| !self.0.contains_key(from)) {
            saving.patch(table, *from, [("merged_with", (*to).into())])?;
        }
        Ok(())
    }
}
