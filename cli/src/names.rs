//! Names and what they stand for, in both directions: rows by a part of their name, numbers of lists by their words,
//! days and places as people type them. A person may type `Hộ 12`, `mới`, `new` or an id.

use std::fmt::Display;

use langso_device::companion::Day;
use langso_domain::content::{Content, ListEntry, Text};
use langso_domain::date::CivilDate;
use langso_domain::text::fold;
use langso_domain::units::{UnitCode, Units};

use crate::words::{Failure, Outcome, pick};

/// The one that a text means: by id, by the whole name, else by a part of it, marks aside.
pub(crate) fn find<'a, I: Copy + PartialEq + std::str::FromStr>(
    field: &str,
    typed: &str,
    names: impl Iterator<Item = (I, &'a str)> + Clone,
) -> Outcome<I> {
    if let Ok(id) = typed.parse::<I>() {
        return Ok(id);
    }
    let wanted = fold(typed);
    let one = |is: &dyn Fn(&str) -> bool| -> Outcome<Option<I>> {
        let mut found: Vec<I> = Vec::new();
        for (id, _) in names.clone().filter(|(_, name)| is(&fold(name))) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        match found[..] {
            [] => Ok(None),
            [id] => Ok(Some(id)),
            _ => Err(Failure::usage("input.ambiguous", field)),
        }
    };
    let found = match one(&|name| name == wanted)? {
        Some(id) => Some(id),
        None => one(&|name| name.contains(&wanted))?,
    };
    found.ok_or_else(|| Failure::usage("input.not_found", field))
}

/// The one of a text that the user wants.
pub(crate) fn text(text: &Text) -> &str {
    pick(&text.vi, &text.en)
}

/// The words of a number of a list; the number itself where no word is known.
pub(crate) fn word(list: &str, number: u8) -> String {
    let entry = Content::packaged().list(list).and_then(|list| list.number(number));
    entry.map_or_else(|| number.to_string(), |entry| pick(&entry.vi, &entry.en).to_owned())
}

/// As [`word`]; nothing for none.
pub(crate) fn some_word(list: &str, number: Option<u8>) -> String {
    number.map_or_else(String::new, |number| word(list, number))
}

/// The entries of a list, in the order of the screens.
pub(crate) fn entries(list: &str) -> &'static [ListEntry] {
    Content::packaged().list(list).map_or(&[], |list| &list.entries)
}

/// The number that a text means in a list: a number, a code, or the words in either language or a part of them that
/// only one has, marks aside.
pub(crate) fn number_of(list: &str, field: &str, typed: &str) -> Outcome<u8> {
    let wanted = fold(typed);
    let has = |is: &dyn Fn(&str) -> bool| {
        let mut all = entries(list).iter().filter(|entry| {
            entry.number.to_string() == typed
                || [&entry.code, &entry.vi, &entry.en].iter().any(|name| is(&fold(name)))
        });
        all.next().filter(|_| all.next().is_none())
    };
    let found = has(&|name| name == wanted).or_else(|| has(&|name| name.contains(&wanted)));
    found.map(|entry| entry.number).ok_or_else(|| {
        let known: Vec<_> = entries(list).iter().map(|entry| entry.code.as_str()).collect();
        Failure::usage("input.unknown_choice", format_args!("{field} ({})", known.join(", ")))
    })
}

/// The code of a number of a list.
pub(crate) fn code_of(list: &str, number: u8) -> String {
    let entry = entries(list).iter().find(|entry| entry.number == number);
    entry.map_or_else(|| number.to_string(), |entry| entry.code.clone())
}

/// A day as it was typed: `2024-03-09`, `9/3/2024`, or a word for today, yesterday or tomorrow.
pub(crate) fn day(field: &str, typed: &str, today: CivilDate) -> Outcome<Day> {
    let by_word = match fold(typed).as_str() {
        "hom nay" | "today" => Some(today.0),
        "hom qua" | "yesterday" => Some(today.0 - 1),
        "ngay mai" | "tomorrow" => Some(today.0 + 1),
        _ => None,
    };
    let by_slashes = || {
        let mut parts = typed.split(['/', '.']);
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || year.len() != 4 {
            return None;
        }
        CivilDate::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    let found = match by_word {
        Some(days) => CivilDate::from_days(days),
        None => CivilDate::parse_iso(typed).or_else(by_slashes),
    };
    found.map(Day).ok_or_else(|| Failure::usage("input.bad_date", field))
}

/// A day as people read it; a dash for none.
pub(crate) fn some_day(day: Option<Day>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| day.0.vi())
}

/// A commune as it is called today: what it wholly became, else itself.
pub(crate) fn unit_today(code: Option<UnitCode>) -> String {
    unit(code.map(|code| Units::packaged().today_of(code).unwrap_or(code)))
}

/// A unit's kind and name; its code where the list does not know it.
pub(crate) fn unit(code: Option<UnitCode>) -> String {
    let Some(code) = code else { return String::new() };
    Units::packaged().latest(code).map_or_else(|| code.to_string(), |unit| unit.title())
}

/// One line `label: value`, nothing where there is no value.
pub(crate) fn line(vi: &str, en: &str, value: impl Display) {
    let value = crate::terminal::clean(&value.to_string());
    if !value.is_empty() {
        crate::terminal::tell(format_args!("{}: {value}", pick(vi, en)));
    }
}

/// A unit by code with or without its list, or by a name that only one has.
pub(crate) fn place(field: &str, typed: &str) -> Outcome<UnitCode> {
    let units = Units::packaged();
    if let Some(code) = UnitCode::parse(typed).filter(|code| units.latest(*code).is_some()) {
        return Ok(code);
    }
    if typed.bytes().all(|digit| digit.is_ascii_digit()) {
        // Digits are a code of the newest list that has it: `22` is a province, and no ward that was once number 22.
        let code = |list| UnitCode::new(typed, list).filter(|code| units.latest(*code).is_some());
        return (2004..=2199).rev().find_map(code).ok_or_else(|| Failure::usage("input.unknown_unit", field));
    }
    let hits = units.find(typed, 6);
    let wanted = fold(typed);
    let same = |hit: &&langso_domain::units::UnitHit| {
        let title = fold(&hit.title);
        // The kind may be left out: `Bình Liêu` is the commune of that name, not one that holds a part of an old one.
        title == wanted || title.ends_with(&format!(" {wanted}"))
    };
    let mut exact = hits.iter().filter(same);
    match (exact.next(), exact.next(), hits.as_slice()) {
        (Some(hit), None, _) | (_, _, [hit]) => Ok(hit.code),
        (_, _, []) => Err(Failure::usage("input.unknown_unit", field)),
        (..) => {
            let some: Vec<_> = hits.iter().map(|hit| format!("{} {}", hit.code, hit.label())).collect();
            Err(Failure::usage("input.ambiguous", format_args!("{field} ({})", some.join("; "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_code_and_never_the_number_in_a_name() {
        for (typed, code) in
            [("22", "22@2025"), ("06838", "06838@2025"), ("193", "193@2024"), ("193@2024", "193@2024")]
        {
            assert_eq!(
                place("UNIT", typed).ok().map(|code| code.to_string()).as_deref(),
                Some(code),
                "{typed}"
            );
        }
        for typed in ["00", "999", "1", "0683812"] {
            assert!(place("UNIT", typed).is_err(), "{typed}");
        }
        assert_eq!(
            place("UNIT", "tỉnh quảng ninh").ok().map(|code| code.to_string()).as_deref(),
            Some("22@2025")
        );
    }
}
