//! Administrative units of Vietnam: the list in force since 1 July 2025 (34 provinces, 3,321
//! communes, no districts), the list before it, and what each old unit became.
//!
//! Codes come from QĐ 19/2025/QĐ-TTg; the changes of 30 April 2026 are in. The one idea to hold: a
//! unit is a code *with its list*, and its kind and name are those of a day. A table is packed in the
//! program; a newer one is read by [`Units::parse`] when it arrives by sync. Works offline, with no
//! map and no geocoder: a commune that was split has several successors and nothing here guesses one.

mod code;
mod find;
mod places;
mod read;
mod reading;
mod record;
mod telex;

#[cfg(test)]
mod find_tests;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use crate::date::CivilDate;
use crate::packed::{inflate, packed};
use find::Index;
use read::Link;

pub use code::{Level, UnitCode};
pub use find::{FormerUnit, Match, UnitHit};
pub use places::Places;
pub use read::{UnitsError, UnitsFile};
pub use record::{Kind, Share, Unit};

/// All units of the lists it was read from. Immutable; questions about a unit it lacks give none or nothing.
#[derive(Debug)]
pub struct Units {
    as_of: CivilDate,
    /// By code, then time.
    rows: Vec<Unit>,
    /// By old unit.
    links: Vec<Link>,
    /// Positions in `links`, by new unit.
    links_by_new: Vec<u32>,
    /// (parent, child), sorted, each pair once.
    children: Vec<(UnitCode, UnitCode)>,
    /// Made when somebody searches for the first time.
    index: OnceLock<Index>,
}

impl Units {
    /// The units packed in the program, read on first use and kept.
    pub fn packaged() -> &'static Self {
        static PACKAGED: OnceLock<Units> = OnceLock::new();
        PACKAGED.get_or_init(|| {
            let units = inflate(packed!("units/units.tsv"));
            let succession = inflate(packed!("units/succession.tsv"));
            Self::parse(&units, &succession).expect("the packed tables are read by every test run")
        })
    }

    /// Reads the two tables (`fixtures/units` holds the packed ones and their field names).
    ///
    /// # Errors
    /// Says the table, the line and the field of the first thing that does not hold.
    pub fn parse(units_tsv: &str, succession_tsv: &str) -> Result<Self, UnitsError> {
        let (as_of, rows, links) = read::read(units_tsv, succession_tsv)?;
        let mut links_by_new: Vec<u32> = (0..links.len() as u32).collect();
        links_by_new.sort_unstable_by_key(|at| (links[*at as usize].new, *at));
        let mut children: Vec<_> = rows.iter().filter_map(|unit| Some((unit.parent?, unit.code))).collect();
        children.sort_unstable();
        children.dedup();
        Ok(Self { as_of, rows, links, links_by_new, children, index: OnceLock::new() })
    }

    /// The day on which these lists were last known to be right.
    pub fn as_of(&self) -> CivilDate {
        self.as_of
    }

    /// The unit as it stood on that day; none when the code was not in force then.
    pub fn get(&self, code: UnitCode, on: CivilDate) -> Option<&Unit> {
        self.records(code).iter().find(|unit| unit.is_valid_on(on))
    }

    /// The unit as it stands now, or as it last stood.
    pub fn latest(&self, code: UnitCode) -> Option<&Unit> {
        self.records(code).last()
    }

    /// The stretches of time of one unit, oldest first; empty for an unknown code.
    pub fn records(&self, code: UnitCode) -> &[Unit] {
        let start = self.rows.partition_point(|unit| unit.code < code);
        let length = self.rows[start..].iter().take_while(|unit| unit.code == code).count();
        &self.rows[start..start + length]
    }

    /// Whether the code was in force on that day.
    pub fn is_valid_on(&self, code: UnitCode, on: CivilDate) -> bool {
        self.get(code, on).is_some()
    }

    /// Whether the code is in force with no end in sight.
    pub fn is_current(&self, code: UnitCode) -> bool {
        self.latest(code).is_some_and(|unit| unit.valid_to.is_none())
    }

    /// Every unit in force on that day: the provinces first, then by level and digits.
    pub fn all_on(&self, day: CivilDate) -> impl Iterator<Item = &Unit> {
        self.rows.iter().filter(move |unit| unit.is_valid_on(day))
    }

    /// The next narrower units of the same list, by digits: districts of an old province, communes of a
    /// new one. Empty for a commune.
    pub fn children(&self, code: UnitCode) -> Vec<UnitCode> {
        let start = self.children.partition_point(|(parent, _)| *parent < code);
        let of_code = self.children[start..].iter().take_while(|(parent, _)| *parent == code);
        of_code.map(|(_, child)| *child).collect()
    }

    /// The province of a unit within its own list; a province is its own.
    pub fn province_of(&self, code: UnitCode) -> Option<UnitCode> {
        self.lineage(code).last().map(|unit| unit.code)
    }

    /// The communes of a province or district within its own list, by digits.
    pub fn communes_of_province(&self, province: UnitCode) -> Vec<UnitCode> {
        let mut communes = Vec::new();
        for child in self.children(province) {
            match child.level() {
                Level::Commune => communes.push(child),
                Level::Province | Level::District => communes.extend(self.communes_of_province(child)),
            }
        }
        communes.sort_unstable();
        communes
    }

    /// What an old unit became, by digits; empty for a unit of the newest list.
    ///
    /// A district of the old list has no successor of its own in law: its communes' successors are
    /// given, `Full` only when all of them went wholly into one and the same unit.
    pub fn successors(&self, old: UnitCode) -> Vec<(UnitCode, Share)> {
        let start = self.links.partition_point(|link| link.old < old);
        let direct = self.links[start..].iter().take_while(|link| link.old == old);
        let mut found: Vec<_> = direct.map(|link| (link.new, link.share)).collect();
        if found.is_empty() && old.level() == Level::District {
            let of_communes =
                self.communes_of_province(old).into_iter().flat_map(|code| self.successors(code));
            found = of_communes.map(|(new, _)| (new, Share::Part)).collect();
            found.sort_unstable();
            found.dedup();
            if let [(_, share)] = found.as_mut_slice() {
                *share = Share::Full;
            }
        }
        found
    }

    /// The old units that went into this one, by digits. Old districts are not among them, save the
    /// islands that had no commune.
    pub fn predecessors(&self, new: UnitCode) -> Vec<(UnitCode, Share)> {
        let link = |at: &u32| self.links[*at as usize];
        let start = self.links_by_new.partition_point(|at| link(at).new < new);
        let of_new = self.links_by_new[start..].iter().map(link).take_while(|link| link.new == new);
        of_new.map(|link| (link.old, link.share)).collect()
    }

    /// The one unit of today that holds all of this unit: itself while in force, else its only
    /// successor. None when it was split, and for an unknown code.
    pub fn today_of(&self, code: UnitCode) -> Option<UnitCode> {
        let mut code = code;
        // Ends: successions only lead to younger lists.
        while !self.is_current(code) {
            match self.successors(code).as_slice() {
                [(new, Share::Full)] => code = *new,
                _ => return None,
            }
        }
        Some(code)
    }

    /// The units of today that hold a part or all of this unit, by digits; itself while in force.
    pub fn all_today_of(&self, code: UnitCode) -> Vec<(UnitCode, Share)> {
        if self.is_current(code) {
            return vec![(code, Share::Full)];
        }
        let mut found = Vec::new();
        for (new, share) in self.successors(code) {
            let further = self.all_today_of(new);
            found.extend(further.into_iter().map(|(today, next)| (today, share.max(next))));
        }
        found.sort_unstable();
        found.dedup_by_key(|(today, _)| *today);
        found
    }

    /// The communes of a district (or province) that were never split, so that each rolls up to exactly
    /// one unit of today; by digits.
    pub fn unsplit_communes_of(&self, district: UnitCode) -> Vec<UnitCode> {
        let mut communes = self.communes_of_province(district);
        communes.retain(|code| self.today_of(*code).is_some());
        communes
    }

    /// Searches by name, code or former name; best first, each unit of today at most once.
    ///
    /// The ladder: as written, then with the tone mark elsewhere (`hoà`), then without marks and `đ`,
    /// then run together, then with Telex leftovers read (`nguyeenx`). Case never matters. Takes
    /// abbreviations (`TP`, `P.`, `TT`, `Q1`), a place after a comma (`Tân Tiến, Đồng Nai`) and names of
    /// old units, which lead to the units of today and are named in [`UnitHit::former`].
    pub fn find(&self, query: &str, limit: usize) -> Vec<UnitHit> {
        find::find(self, self.index.get_or_init(|| Index::new(&self.rows)), query, limit)
    }

    /// The unit and all wider ones, narrow first, as last known.
    fn lineage(&self, code: UnitCode) -> impl Iterator<Item = &Unit> {
        std::iter::successors(self.latest(code), |unit| self.latest(unit.parent?))
    }
}
