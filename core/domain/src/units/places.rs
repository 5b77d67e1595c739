//! Which places' rows a figure of a place is made of.
//!
//! Rows hold the unit of their date. A place of today is made of itself, its parts and all old units that went
//! wholly into them; an old place of its own parts and of the units of today made wholly of them. A unit that was
//! split is named and not apportioned.

use std::collections::BTreeSet;

use super::{Share, UnitCode, Units};

/// The places of a figure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Whose rows count.
    pub whole: BTreeSet<UnitCode>,
    /// Split over this place and others: their rows do not count here.
    pub split: BTreeSet<UnitCode>,
}

impl Units {
    /// The places of a unit of any list and level.
    pub fn places_of(&self, unit: UnitCode) -> Places {
        let mut places = Places::default();
        let mut own: Vec<UnitCode> = self.communes_of_province(unit);
        own.push(unit);
        places.whole.extend(&own);
        for code in &own {
            before(self, *code, &mut places);
            after(self, *code, &mut places);
        }
        // What is whole by one way is not split by another.
        let Places { whole, split } = &mut places;
        split.retain(|code| !whole.contains(code));
        places
    }
}

fn before(units: &Units, code: UnitCode, places: &mut Places) {
    for (old, share) in units.predecessors(code) {
        // An old unit is whole here when every unit that it went into is.
        let successors = units.successors(old);
        let is_whole = share == Share::Full || successors.iter().all(|(new, _)| places.whole.contains(new));
        if !is_whole {
            places.split.insert(old);
        } else if places.whole.insert(old) {
            before(units, old, places);
        }
    }
}

fn after(units: &Units, code: UnitCode, places: &mut Places) {
    for (new, _) in units.successors(code) {
        let predecessors = units.predecessors(new);
        let is_whole = !predecessors.is_empty()
            && predecessors.iter().all(|(old, share)| *share == Share::Full && places.whole.contains(old));
        if is_whole && places.whole.insert(new) {
            after(units, new, places);
        } else if !is_whole {
            places.split.insert(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> UnitCode {
        UnitCode::parse(text).expect(text)
    }

    #[test]
    fn a_commune_of_today_counts_the_rows_of_the_old_units_that_went_into_it() {
        let units = Units::packaged();
        let binh_lieu = code("06838@2025");
        let places = units.places_of(binh_lieu);
        assert!(places.whole.contains(&binh_lieu));
        for (old, share) in units.predecessors(binh_lieu) {
            match share {
                Share::Full => assert!(places.whole.contains(&old), "{old}"),
                Share::Part => assert!(places.split.contains(&old), "{old}"),
            }
        }
        assert!(!places.split.is_empty(), "Vô Ngại was split");
    }

    #[test]
    fn a_province_counts_each_commune_that_was_split_inside_it() {
        let units = Units::packaged();
        let province = units.province_of(code("06838@2025")).expect("a province");
        let places = units.places_of(province);
        let split_inside = units
            .predecessors(code("06838@2025"))
            .into_iter()
            .filter(|(_, share)| *share == Share::Part)
            .map(|(old, _)| old);
        for old in split_inside {
            assert!(places.whole.contains(&old), "{old} lies wholly in the province");
        }
    }

    #[test]
    fn an_old_district_counts_its_communes_and_todays_units_made_of_them_alone() {
        let units = Units::packaged();
        let district = code("198@2024");
        let places = units.places_of(district);
        assert!(units.communes_of_province(district).iter().all(|commune| places.whole.contains(commune)));
        for (new, _) in units.successors(district) {
            let inside = units.predecessors(new).iter().all(|(old, _)| places.whole.contains(old));
            let full = units.predecessors(new).iter().all(|(_, share)| *share == Share::Full);
            assert_eq!(places.whole.contains(&new), inside && full, "{new}");
        }
    }
}
