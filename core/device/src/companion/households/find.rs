//! Finding a household fast: by number, by words with or without marks, by a contact's name or number, by hamlet, and
//! by what the commune was once called.
//!
//! The index knows folded words only. What it finds is ranked here by the stored text: whole words before beginnings,
//! as written before tone mark elsewhere before without marks.

use std::collections::{BTreeSet, HashMap, HashSet};

use langso_domain::id::{HamletId, HouseholdId, RowId};
use langso_domain::text;
use langso_domain::units::{UnitCode, Units};
use langso_store::find_households;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::super::known::Known;
use super::super::rows;
use super::super::units::UnitHit;
use super::super::walk::{Key, Place, Places};
use super::lines::{HouseholdLine, lines};
use crate::error::Result;
use crate::phone::Phone;

/// Hits that are ranked; more than a screen shows, so that the best are among them.
const WINDOW: usize = 200;
/// A shorter word is rather a number or the beginning of a label than a place.
const SHORTEST_PLACE: usize = 3;

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindHouseholds {
    /// As it was typed, from one character on.
    pub text: String,
    /// Only in this hamlet.
    #[serde(default)]
    #[uniffi(default)]
    pub hamlet: Option<HamletId>,
}

/// What answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct HouseholdHits {
    /// Best first; at most 100.
    pub households: Vec<HouseholdHit>,
    /// There are more: type on.
    pub has_more: bool,
    /// Communes of the team's hamlets that have, or once had, this name.
    pub units: Vec<UnitHit>,
}

/// One household found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct HouseholdHit {
    /// The household.
    #[serde(flatten)]
    pub line: HouseholdLine,
    /// What met.
    pub by: FoundBy,
    /// How well.
    pub matched: HowMatched,
    /// Where in the label, in characters.
    pub in_label: Vec<Stretch>,
    /// Where in the hint, in characters.
    pub in_hint: Vec<Stretch>,
}

/// A stretch of a text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Stretch {
    /// Its first character, from 0.
    pub start: u32,
    /// The one after its last.
    pub end: u32,
}

/// What met the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Label or hint.
    Label,
    /// A contact's name or number.
    Contact,
    /// The hamlet's name.
    Hamlet,
    /// The commune's name of today or before.
    Unit,
}

/// How the text met, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum HowMatched {
    /// As written, case aside.
    Exact,
    /// The tone mark stands elsewhere: `hoà` and `hòa`.
    Tone,
    /// Without marks, or as typed without a Vietnamese keyboard.
    Folded,
}

struct Found {
    household: HouseholdId,
    by: FoundBy,
    matched: HowMatched,
    is_whole: bool,
    name: Vec<u8>,
    walk: Key,
}

/// Households that answer, best first.
pub(super) fn find(phone: &Phone, known: &Known, find: &FindHouseholds) -> Result<HouseholdHits> {
    let connection = phone.connection();
    let places = Places::new(connection, known)?;
    let query = Query::new(&find.text);
    let is_here = |place: &Place| find.hamlet.is_none_or(|hamlet| place.hamlet == Some(hamlet));
    let mut found = by_words(connection, &places, &query)?;
    let units = units_of(known, &query);
    let (by_hamlet, by_unit) = hamlets_of(known, &query, &units);
    for (by, hamlets) in [(FoundBy::Hamlet, by_hamlet), (FoundBy::Unit, by_unit)] {
        found.extend(by_place(connection, &places, by, &hamlets)?);
    }
    langso_domain::order::sort_by(&mut found, |one, other| one.rank().cmp(&other.rank()));
    let mut seen = HashSet::new();
    found.retain(|hit| seen.insert(hit.household));
    let mut chosen = Vec::with_capacity(rows::PAGE + 1);
    for hit in found {
        if chosen.len() <= rows::PAGE && (find.hamlet.is_none() || is_here(&places.of(hit.household)?)) {
            chosen.push(hit);
        }
    }
    let has_more = chosen.len() > rows::PAGE;
    chosen.truncate(rows::PAGE);
    let ids: Vec<HouseholdId> = chosen.iter().map(|hit| hit.household).collect();
    let mut by_id: HashMap<HouseholdId, HouseholdLine> =
        lines(phone, known, &ids)?.into_iter().map(|line| (line.household, line)).collect();
    let hits = chosen.into_iter().filter_map(|hit| {
        let line = by_id.remove(&hit.household)?;
        let marked = |text: &str| if hit.by == FoundBy::Label { query.ranges(text) } else { Vec::new() };
        let (in_label, in_hint) = (marked(&line.label), marked(line.hint.as_deref().unwrap_or_default()));
        Some(HouseholdHit { by: hit.by, matched: hit.matched, in_label, in_hint, line })
    });
    Ok(HouseholdHits { households: hits.collect(), has_more, units })
}

impl Found {
    fn rank(&self) -> impl Ord + '_ {
        // People who were met by their name stand among themselves in the order of names.
        (
            self.by >= FoundBy::Hamlet,
            !self.is_whole,
            self.matched,
            self.by,
            &self.name,
            &self.walk,
            self.household,
        )
    }
}

/// By label, hint, or a contact.
fn by_words(connection: &Connection, places: &Places<'_>, query: &Query) -> Result<Vec<Found>> {
    let hits = find_households(connection, &query.text, WINDOW)?;
    let mut found = Vec::with_capacity(hits.len());
    let mut by_contact = Vec::new();
    for hit in hits {
        let place = places.of_row(hit.household)?;
        let shown = format!(
            "{} {}",
            place.label.as_deref().unwrap_or_default(),
            place.hint.as_deref().unwrap_or_default()
        );
        let is_label = text::fold(&shown) == hit.folded;
        let (matched, is_whole) = query.meets(&shown, &hit.folded);
        if !is_label {
            by_contact.push((found.len(), hit.household, hit.folded));
        }
        found.push(Found {
            household: places.shown(hit.household),
            by: if is_label { FoundBy::Label } else { FoundBy::Contact },
            matched,
            is_whole,
            name: Vec::new(),
            walk: places.key(&place),
        });
    }
    let names = names_of(connection, by_contact.iter().map(|(_, household, _)| *household))?;
    for (at, household, folded) in by_contact {
        // Which of a household's names it was shows by its folded words.
        let name = names.get(&household).into_iter().flatten();
        let Some(name) = name.into_iter().find(|name| folded.starts_with(&text::fold(name))) else {
            continue;
        };
        (found[at].matched, found[at].is_whole) = query.meets(name, &folded);
        found[at].name = text::name_sort_key(name);
    }
    Ok(found)
}

fn names_of(
    connection: &Connection,
    households: impl Iterator<Item = HouseholdId>,
) -> Result<HashMap<HouseholdId, Vec<String>>> {
    let ids: Vec<RowId> = households.map(|household| household.0).collect();
    let sql = format!(
        "SELECT household_id, display_name FROM live_contacts
         WHERE household_id IN ({}) AND display_name IS NOT NULL ORDER BY id",
        rows::places(WINDOW)
    );
    let mut names: HashMap<HouseholdId, Vec<String>> = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(names);
    }
    let page = rows::filled(WINDOW, ids);
    let found = rows::all(connection, &sql, page, |row| Ok((HouseholdId(rows::id(row, 0)?), row.get(1)?)))?;
    for (household, name) in found {
        names.entry(household).or_default().push(name);
    }
    Ok(names)
}

/// All households of hamlets.
fn by_place(
    connection: &Connection,
    places: &Places<'_>,
    by: FoundBy,
    hamlets: &BTreeSet<HamletId>,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for hamlet in hamlets {
        let sql = "SELECT id, label, hint FROM live_households WHERE hamlet_id = ?1";
        let of_hamlet = rows::all(connection, sql, [hamlet.0.0], |row| {
            let place = Place { label: row.get(1)?, hint: row.get(2)?, hamlet: Some(*hamlet) };
            Ok((HouseholdId(rows::id(row, 0)?), place))
        })?;
        found.extend(of_hamlet.into_iter().map(|(household, place)| Found {
            household: places.shown(household),
            by,
            matched: HowMatched::Folded,
            is_whole: true,
            name: Vec::new(),
            walk: places.key(&place),
        }));
    }
    Ok(found)
}

/// Communes of the team's hamlets whose whole name of today or before was typed.
fn units_of(known: &Known, query: &Query) -> Vec<UnitHit> {
    if query.folded.len() < SHORTEST_PLACE || query.folded.bytes().any(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let units = Units::packaged();
    let ours: HashSet<UnitCode> = known
        .hamlets
        .values()
        .filter_map(|hamlet| hamlet.unit)
        .chain(known.unit)
        .flat_map(|unit| units.all_today_of(unit).into_iter().map(|(today, _)| today))
        .collect();
    let is_whole = |title: &str| {
        let title = text::fold(title);
        query.candidates.iter().any(|query| title == *query || title.ends_with(&format!(" {query}")))
    };
    let hits = units.find(&query.text, rows::PAGE).into_iter().filter(|hit| {
        let former = hit.former.as_ref().is_some_and(|former| is_whole(&former.title));
        ours.contains(&hit.code) && (former || is_whole(&hit.title))
    });
    hits.map(UnitHit::from).collect()
}

/// Hamlets whose name was typed, or begun; and those of communes that were typed.
fn hamlets_of(known: &Known, query: &Query, hits: &[UnitHit]) -> (BTreeSet<HamletId>, BTreeSet<HamletId>) {
    let units = Units::packaged();
    let by_name = |name: &str| {
        let folded = text::fold(name);
        // "Thôn" alone is every hamlet, and none.
        let (_, own) = folded.split_once(' ').unwrap_or(("", &folded));
        query.candidates.iter().filter(|query| query.len() >= SHORTEST_PLACE).any(|query| {
            own.starts_with(query.as_str())
                || (folded.starts_with(query.as_str()) && query.len() > folded.len() - own.len())
        })
    };
    let in_unit = |unit: Option<UnitCode>| {
        let today: Vec<UnitCode> =
            unit.map(|unit| units.all_today_of(unit)).into_iter().flatten().map(|(today, _)| today).collect();
        hits.iter().any(|hit| match &hit.former {
            // An old commune is its own hamlets, not all of what it became a part of.
            Some(former) if unit.is_some_and(|unit| unit.list() == former.unit.list()) => {
                unit == Some(former.unit) || lies_in(unit, former.unit)
            }
            _ => today.contains(&hit.unit),
        })
    };
    let (mut named, mut placed) = (BTreeSet::new(), BTreeSet::new());
    for (id, hamlet) in &known.hamlets {
        if by_name(&hamlet.name) {
            named.insert(*id);
        } else if !hits.is_empty() && in_unit(hamlet.unit) {
            placed.insert(*id);
        }
    }
    (named, placed)
}

fn lies_in(unit: Option<UnitCode>, wider: UnitCode) -> bool {
    unit.is_some_and(|unit| Units::packaged().children(wider).contains(&unit))
}

/// What was typed, in every form it is compared by.
struct Query {
    text: String,
    folded: String,
    candidates: Vec<String>,
    exact: Vec<String>,
    tone: Vec<String>,
}

impl Query {
    fn new(typed: &str) -> Self {
        Self {
            text: typed.to_owned(),
            folded: text::fold(typed),
            candidates: text::fold_query(typed),
            exact: words(&text::nfc(typed)),
            tone: words(&text::tone_key(&typed.to_lowercase())),
        }
    }

    /// How it meets a text that holds it when folded, and whether by whole words.
    fn meets(&self, shown: &str, folded: &str) -> (HowMatched, bool) {
        let folded: Vec<&str> = folded.split(' ').collect();
        let is_whole = |query: &String| query.split(' ').all(|word| folded.contains(&word));
        let all = |query: &[String], shown: &[String]| {
            !query.is_empty() && query.iter().all(|word| shown.iter().any(|other| other.starts_with(word)))
        };
        let matched = match () {
            () if all(&self.exact, &words(&text::nfc(shown))) => HowMatched::Exact,
            () if all(&self.tone, &words(&text::tone_key(&shown.to_lowercase()))) => HowMatched::Tone,
            () => HowMatched::Folded,
        };
        (matched, self.candidates.iter().any(is_whole))
    }

    /// Where the words stand in a text, in characters; the first form of the query that is in it decides.
    fn ranges(&self, shown: &str) -> Vec<Stretch> {
        let (folded, map) = text::fold_with_map(shown);
        let letters: Vec<char> = folded.chars().collect();
        let starts =
            |word: &[char], at: usize| (at == 0 || letters[at - 1] == ' ') && letters[at..].starts_with(word);
        let chars_to = |bytes: usize| shown.get(..bytes).map_or(0, |text| text.chars().count() as u32);
        for query in &self.candidates {
            let mut ranges = Vec::new();
            for word in query.split(' ') {
                let word: Vec<char> = word.chars().collect();
                let found = (0..letters.len()).filter(|at| starts(&word, *at));
                ranges.extend(found.filter_map(|at| {
                    let (first, last) = (map.get(at)?, map.get(at + word.len() - 1)?);
                    Some(Stretch { start: chars_to(first.start), end: chars_to(last.end) })
                }));
            }
            if !ranges.is_empty() {
                langso_domain::order::sort_by_key(&mut ranges, |range: &Stretch| range.start);
                ranges.dedup();
                return ranges;
            }
        }
        Vec::new()
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text.to_lowercase();
    words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
