//! Searches units by name and ranks what was found; see [`Units::find`](super::Units::find).

use std::collections::HashMap;

use super::Units;
use super::code::{Level, UnitCode};
use super::reading::{Keys, Reading, readings, readings_with_place};
use super::record::{Share, Unit};

/// How the name that was typed met the name in the list, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Match {
    /// As written, case aside.
    Exact,
    /// The tone mark stands elsewhere: `hoà` and `hòa`.
    Tone,
    /// Without marks, `đ` as `d`: also names that differ in their marks.
    Folded,
    /// Without marks and with the words run together or apart: `Ea Hleo` and `Ea H’Leo`.
    Joined,
}

/// The old unit, or the old kind or name of the same unit, by which a unit was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormerUnit {
    /// Its code; that of the hit itself when only kind or name changed.
    pub code: UnitCode,
    /// Kind and name: `Thị trấn Bình Liêu`.
    pub title: String,
    /// Where it lay: `huyện Bình Liêu, tỉnh Quảng Ninh`; empty for a province.
    pub place: String,
    /// Whether all of it lies in the hit, or a part.
    pub share: Share,
}

/// A unit of today that answers a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitHit {
    /// The unit.
    pub code: UnitCode,
    /// Kind and name with accents: `Xã Bình Liêu`.
    pub title: String,
    /// Its province: `tỉnh Quảng Ninh`; empty for a province. To be shown always: names repeat.
    pub province: String,
    /// How the name met what was typed.
    pub matched: Match,
    /// Set when a name of former times matched, not today's.
    pub former: Option<FormerUnit>,
}

impl UnitHit {
    /// `Xã Tân Tiến, tỉnh Đồng Nai`.
    pub fn label(&self) -> String {
        if self.province.is_empty() {
            self.title.clone()
        } else {
            format!("{}, {}", self.title, self.province)
        }
    }
}

/// Names of all units, each distinct name once.
#[derive(Debug)]
pub(super) struct Index {
    names: Vec<Name>,
    /// The name of each row of the table.
    of_row: Vec<u32>,
}

#[derive(Debug)]
struct Name {
    keys: Keys,
    rows: Vec<u32>,
}

impl Index {
    pub(super) fn new(rows: &[Unit]) -> Self {
        let mut names: Vec<Name> = Vec::new();
        let mut known: HashMap<&str, u32> = HashMap::with_capacity(rows.len());
        let mut of_row = Vec::with_capacity(rows.len());
        for (row, unit) in rows.iter().enumerate() {
            let at = *known.entry(unit.name.as_ref()).or_insert_with(|| {
                names.push(Name { keys: Keys::new(&unit.name), rows: Vec::new() });
                names.len() as u32 - 1
            });
            names[at as usize].rows.push(row as u32);
            of_row.push(at);
        }
        Self { names, of_row }
    }
}

/// How much of a name a query covers, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Extent {
    Whole,
    /// Its first words.
    Words,
    /// Its beginning, in the middle of a word: somebody is typing.
    Letters,
    /// Begins with one of its later words.
    Inside,
}

/// Sorts hits; the first field that differs decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    extent: Extent,
    is_telex: bool,
    matched: Match,
    is_other_kind: bool,
    is_former: bool,
    level: Level,
    /// Of an old district only split communes reach this unit.
    is_slight: bool,
    share: Share,
}

struct Found {
    rank: Rank,
    today: UnitCode,
    row: u32,
}

/// Old wards are called "1" and "A": a shorter query must be all of a name or its beginning.
const SHORTEST_INSIDE: usize = 2;
/// A shorter place must be given in full.
const SHORTEST_PLACE: usize = 3;

pub(super) fn find(units: &Units, index: &Index, query: &str, limit: usize) -> Vec<UnitHit> {
    let search = Search { units, index };
    let mut found = search.by_code(query.trim());
    if found.is_empty() {
        found = search.by_names(&readings(query), Extent::Inside);
    }
    if found.is_empty() {
        found = search.by_names(&readings_with_place(query), Extent::Whole);
    }
    let mut hits: Vec<_> = found.into_values().collect();
    crate::order::sort_by_key(&mut hits, |hit| (hit.rank, hit.today));
    hits.truncate(limit);
    hits.into_iter().filter_map(|found| search.hit(&found)).collect()
}

/// The best way each unit of today was found.
type Hits = HashMap<UnitCode, Found>;

struct Search<'a> {
    units: &'a Units,
    index: &'a Index,
}

impl Search<'_> {
    /// A code with its list, or a commune's five digits alone: those are looked up in every list.
    fn by_code(&self, query: &str) -> Hits {
        let mut hits = Hits::new();
        let whole = UnitCode::parse(query);
        // Two or three digits alone are rather the number of a ward or an urban district.
        if whole.is_none() && query.len() != Level::Commune.digits() {
            return hits;
        }
        for (row, unit) in self.units.rows.iter().enumerate() {
            let wanted = whole.or_else(|| UnitCode::new(query, unit.code.list()));
            if wanted == Some(unit.code) {
                self.add(&mut hits, row as u32, Extent::Whole, Match::Exact, None);
            }
        }
        hits
    }

    fn by_names(&self, readings: &[Reading], widest: Extent) -> Hits {
        let mut hits = Hits::new();
        for reading in readings {
            for name in &self.index.names {
                let Some((extent, matched)) = compare(&name.keys, &reading.name) else { continue };
                if extent > widest {
                    continue;
                }
                for row in &name.rows {
                    if reading.within.iter().all(|place| self.lies_in(*row, place)) {
                        self.add(&mut hits, *row, extent, matched, Some(reading));
                    }
                }
            }
        }
        hits
    }

    /// Whether one of the wider units, then or today, has that name or begins so.
    fn lies_in(&self, row: u32, place: &Keys) -> bool {
        let unit = &self.units.rows[row as usize];
        // "Q1" is not Quận 11, but "Quảng N" may be Quảng Ninh.
        let is_short = place.folded.len() < SHORTEST_PLACE;
        let widest = if is_short { Extent::Whole } else { Extent::Letters };
        let today = self.units.all_today_of(unit.code);
        let codes = today.iter().map(|(code, _)| *code).chain([unit.code]);
        codes.flat_map(|code| self.units.lineage(code).skip(1)).any(|wider| {
            // All its records, since a wider unit may have had another name.
            let start = self.units.rows.partition_point(|row| row.code < wider.code);
            let end = start + self.units.records(wider.code).len();
            self.index.of_row[start..end].iter().any(|name| {
                let name = &self.index.names[*name as usize].keys;
                compare(name, place).is_some_and(|(extent, _)| extent <= widest)
            })
        })
    }

    fn add(&self, hits: &mut Hits, row: u32, extent: Extent, matched: Match, reading: Option<&Reading>) {
        let unit = &self.units.rows[row as usize];
        let today = self.units.all_today_of(unit.code);
        for (code, share) in &today {
            let rank = Rank {
                extent,
                is_telex: reading.is_some_and(|reading| reading.is_telex),
                matched,
                is_other_kind: reading.and_then(|r| r.kind).is_some_and(|kind| kind != unit.kind),
                is_former: unit.valid_to.is_some(),
                level: unit.level(),
                is_slight: today.len() > 1
                    && unit.level() == Level::District
                    && self.is_slight(unit.code, *code),
                share: *share,
            };
            let found = Found { rank, today: *code, row };
            match hits.get_mut(code) {
                Some(known) if known.rank <= rank => {}
                Some(known) => *known = found,
                None => {
                    hits.insert(*code, found);
                }
            }
        }
    }

    fn is_slight(&self, district: UnitCode, today: UnitCode) -> bool {
        !self.units.children(district).into_iter().any(|commune| self.units.today_of(commune) == Some(today))
    }

    fn hit(&self, found: &Found) -> Option<UnitHit> {
        let unit = self.units.latest(found.today)?;
        let old = &self.units.rows[found.row as usize];
        let former = found.rank.is_former.then(|| FormerUnit {
            code: old.code,
            title: old.title(),
            place: self.units.lineage(old.code).skip(1).map(Unit::phrase).collect::<Vec<_>>().join(", "),
            share: found.rank.share,
        });
        Some(UnitHit {
            code: unit.code,
            title: unit.title(),
            province: self.units.lineage(unit.code).skip(1).last().map(Unit::phrase).unwrap_or_default(),
            matched: found.rank.matched,
            former,
        })
    }
}

/// The best of extent and key by which a query meets a name.
fn compare(name: &Keys, query: &Keys) -> Option<(Extent, Match)> {
    // What meets in a stricter key also meets without marks: most names leave here.
    let Some(folded) = extent(&name.folded, &query.folded) else {
        let joined = |key: &str| key.bytes().filter(|b| *b != b' ').collect::<Vec<_>>();
        let same_start = name.folded.as_bytes().first() == query.folded.as_bytes().first();
        return (same_start && joined(&name.folded) == joined(&query.folded))
            .then_some((Extent::Whole, Match::Joined));
    };
    // No stricter key covers more of a name than the loosest, so the first that covers as much is best.
    if extent(&name.exact, &query.exact) == Some(folded) {
        return Some((folded, Match::Exact));
    }
    if extent(&name.tone(), &query.tone()) == Some(folded) {
        return Some((folded, Match::Tone));
    }
    Some((folded, Match::Folded))
}

fn extent(name: &str, query: &str) -> Option<Extent> {
    if let Some(rest) = name.strip_prefix(query) {
        return Some(match rest.bytes().next() {
            None => Extent::Whole,
            Some(b' ') => Extent::Words,
            Some(_) => Extent::Letters,
        });
    }
    if query.len() < SHORTEST_INSIDE {
        return None;
    }
    let mut inside = name.match_indices(query);
    inside.any(|(at, _)| name[..at].ends_with(' ')).then_some(Extent::Inside)
}
