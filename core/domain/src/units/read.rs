//! Reads the two tables of units: tab-separated lines under a line of field names, `#` for comments.
//!
//! The same reader takes the packaged tables and newer ones that arrive by sync, so it trusts nothing:
//! what it lets through has no gap in its parents, no overlap in time and no loop in its successions.

use std::fmt;
use std::sync::Arc;

use super::code::{Level, UnitCode};
use super::record::{Kind, Share, Unit};
use crate::date::CivilDate;

/// Which of the two tables a condition is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitsFile {
    /// The units themselves.
    Units,
    /// What old units became.
    Succession,
}

impl fmt::Display for UnitsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Units => "units.tsv",
            Self::Succession => "succession.tsv",
        })
    }
}

/// Why tables of units were refused. Lines count from 1, comments included.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnitsError {
    /// No comment of the table says on which day its lists were right.
    #[error("{file}: no comment `# as of: yyyy-mm-dd`")]
    NoAsOf {
        /// The table.
        file: UnitsFile,
    },
    /// The two tables were made for different days.
    #[error("units.tsv is as of {units}, succession.tsv as of {succession}")]
    AsOfDiffers {
        /// The day of the units.
        units: CivilDate,
        /// The day of the successions.
        succession: CivilDate,
    },
    /// The line of field names is missing or names other fields.
    #[error("{file} line {line}: the field names are not those of this version")]
    Header {
        /// The table.
        file: UnitsFile,
        /// The line.
        line: usize,
    },
    /// A row has too many or too few fields.
    #[error("{file} line {line}: {found} fields, expected {expected}")]
    FieldCount {
        /// The table.
        file: UnitsFile,
        /// The line.
        line: usize,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A field does not hold what its name says, or contradicts another of its row.
    #[error("{file} line {line}: field {field} does not hold")]
    Field {
        /// The table.
        file: UnitsFile,
        /// The line.
        line: usize,
        /// The name of the field, as in the header.
        field: &'static str,
    },
    /// A field names a unit that the table of units does not have.
    #[error("{file} line {line}: field {field} names {code}, which is no unit")]
    NoSuchUnit {
        /// The table.
        file: UnitsFile,
        /// The line.
        line: usize,
        /// The name of the field.
        field: &'static str,
        /// The code that was not found.
        code: UnitCode,
    },
    /// Two rows give the same unit for the same day, or the same succession twice.
    #[error("{file} line {line}: {code} is there already")]
    Twice {
        /// The table.
        file: UnitsFile,
        /// The line of the later row.
        line: usize,
        /// The unit, or the old unit.
        code: UnitCode,
    },
    /// An old unit went wholly into one unit and yet has another successor, or a single one in part.
    #[error("succession.tsv line {line}: the shares of {code} contradict each other")]
    Shares {
        /// The line of the last row about it.
        line: usize,
        /// The old unit.
        code: UnitCode,
    },
}

/// One row of the succession table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Link {
    pub old: UnitCode,
    pub new: UnitCode,
    pub share: Share,
}

const UNIT_FIELDS: [&str; 9] =
    ["code", "list_version", "level", "kind", "name", "parent", "valid_from", "valid_to", "legal_ref"];
const LINK_FIELDS: [&str; 5] = ["old_code", "old_list", "new_code", "new_list", "share"];

/// A row of N fields and where it stands.
struct Row<'a, const N: usize> {
    file: UnitsFile,
    line: usize,
    names: &'static [&'static str; N],
    fields: [&'a str; N],
}

impl<'a, const N: usize> Row<'a, N> {
    fn wrong(&self, at: usize) -> UnitsError {
        UnitsError::Field { file: self.file, line: self.line, field: self.names[at] }
    }

    fn read<T>(&self, at: usize, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T, UnitsError> {
        read(self.fields[at]).ok_or_else(|| self.wrong(at))
    }

    /// None for an empty field.
    fn date(&self, at: usize, seen: &mut Seen<'a>) -> Result<Option<CivilDate>, UnitsError> {
        let text = self.fields[at];
        if text.is_empty() {
            return Ok(None);
        }
        if let Some((_, day)) = seen.days.iter().find(|(known, _)| *known == text) {
            return Ok(Some(*day));
        }
        let day = self.read(at, CivilDate::parse_iso)?;
        seen.days.push((text, day));
        Ok(Some(day))
    }

    fn code(&self, digits: usize, list: usize) -> Result<UnitCode, UnitsError> {
        let year = self.read(list, |text| (text.len() == 4).then(|| text.parse().ok())?)?;
        self.read(digits, |text| UnitCode::new(text, year))
    }
}

/// The few dates and citations that thousands of rows repeat.
#[derive(Default)]
struct Seen<'a> {
    days: Vec<(&'a str, CivilDate)>,
    laws: Vec<Arc<str>>,
}

/// The day the table is right on, and its rows.
type Table<'a, const N: usize> = (CivilDate, Vec<Row<'a, N>>);

fn rows<'a, const N: usize>(
    file: UnitsFile,
    text: &'a str,
    names: &'static [&'static str; N],
) -> Result<Table<'a, N>, UnitsError> {
    let mut as_of = None;
    let mut header = false;
    let mut rows = Vec::with_capacity(text.len() / 32);
    let mut last = 1;
    for (at, content) in text.lines().enumerate() {
        let line = at + 1;
        last = line;
        if let Some(comment) = content.strip_prefix('#') {
            if let Some(day) = comment.trim().strip_prefix("as of: ") {
                as_of = CivilDate::parse_iso(day);
            }
            continue;
        }
        if !header {
            if !content.split('\t').eq(names.iter().copied()) {
                return Err(UnitsError::Header { file, line });
            }
            header = true;
            continue;
        }
        let mut fields = [""; N];
        let mut found = 0;
        for part in content.split('\t') {
            if let Some(field) = fields.get_mut(found) {
                *field = part;
            }
            found += 1;
        }
        if found != N {
            return Err(UnitsError::FieldCount { file, line, found, expected: N });
        }
        rows.push(Row { file, line, names, fields });
    }
    if !header {
        return Err(UnitsError::Header { file, line: last });
    }
    Ok((as_of.ok_or(UnitsError::NoAsOf { file })?, rows))
}

/// The units sorted by code and time, the successions sorted by old unit, and the day both are right on.
pub(super) fn read(units: &str, succession: &str) -> Result<(CivilDate, Vec<Unit>, Vec<Link>), UnitsError> {
    let (as_of, units) = read_units(units)?;
    let (links_as_of, links) = read_links(succession, &units)?;
    if as_of != links_as_of {
        return Err(UnitsError::AsOfDiffers { units: as_of, succession: links_as_of });
    }
    Ok((as_of, units, links))
}

fn read_units(text: &str) -> Result<(CivilDate, Vec<Unit>), UnitsError> {
    let file = UnitsFile::Units;
    let (as_of, rows) = rows(file, text, &UNIT_FIELDS)?;
    let mut seen = Seen::default();
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        read.push((read_unit(row, &mut seen)?, row.line));
    }
    crate::order::sort_by_key(&mut read, |(unit, _)| (unit.code, unit.valid_from));
    for pair in read.windows(2) {
        let ((earlier, _), (later, line)) = (&pair[0], &pair[1]);
        let apart = earlier.valid_to.is_some_and(|end| later.valid_from.is_some_and(|start| end <= start));
        if earlier.code == later.code && !apart {
            return Err(UnitsError::Twice { file, line: *line, code: later.code });
        }
    }
    let known = |code: UnitCode| read.binary_search_by_key(&code, |(unit, _)| unit.code).is_ok();
    for (unit, line) in &read {
        if let Some(code) = unit.parent.filter(|parent| !known(*parent)) {
            return Err(UnitsError::NoSuchUnit { file, line: *line, field: "parent", code });
        }
    }
    Ok((as_of, read.into_iter().map(|(unit, _)| unit).collect()))
}

fn read_unit<'a>(row: &Row<'a, 9>, seen: &mut Seen<'a>) -> Result<Unit, UnitsError> {
    let code = row.code(0, 1)?;
    row.read(2, |text| Level::parse(text).filter(|level| *level == code.level()))?;
    let kind = row.read(3, Kind::parse)?;
    let name: Box<str> =
        row.read(4, |text| (!text.is_empty() && text.trim() == text).then(|| text.into()))?;
    let parent = row.read(5, |text| match (code.level(), text) {
        (Level::Province, "") => Some(None),
        (Level::Province, _) => None,
        // A parent is always wider than its child, so a walk upwards ends.
        (level, digits) => UnitCode::new(digits, code.list()).filter(|p| p.level() < level).map(Some),
    })?;
    let valid_from = row.date(6, seen)?;
    let valid_to = row.date(7, seen)?;
    if valid_from.is_some_and(|from| valid_to.is_some_and(|to| to <= from)) {
        return Err(row.wrong(7));
    }
    let law = row.fields[8];
    let legal_ref = match seen.laws.iter().find(|known| known.as_ref() == law) {
        Some(known) => known.clone(),
        None => {
            let known: Arc<str> = law.into();
            seen.laws.push(known.clone());
            known
        }
    };
    Ok(Unit { code, kind, name, parent, valid_from, valid_to, legal_ref })
}

fn read_links(text: &str, units: &[Unit]) -> Result<(CivilDate, Vec<Link>), UnitsError> {
    let file = UnitsFile::Succession;
    let (as_of, rows) = rows(file, text, &LINK_FIELDS)?;
    let known = |code: UnitCode| units.binary_search_by_key(&code, |unit| unit.code).is_ok();
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        let (old, new) = (row.code(0, 1)?, row.code(2, 3)?);
        // Successions only go to younger lists, so following them ends.
        if new.list() <= old.list() {
            return Err(row.wrong(3));
        }
        for (code, field) in [(old, "old_code"), (new, "new_code")] {
            if !known(code) {
                return Err(UnitsError::NoSuchUnit { file, line: row.line, field, code });
            }
        }
        read.push((Link { old, new, share: row.read(4, Share::parse)? }, row.line));
    }
    read.sort();
    for pair in read.windows(2) {
        let ((one, _), (other, line)) = (pair[0], pair[1]);
        if (one.old, one.new) == (other.old, other.new) {
            return Err(UnitsError::Twice { file, line, code: one.old });
        }
    }
    for group in read.chunk_by(|(one, _), (other, _)| one.old == other.old) {
        let wanted = if group.len() == 1 { Share::Full } else { Share::Part };
        if let Some((link, line)) = group.iter().find(|(link, _)| link.share != wanted) {
            return Err(UnitsError::Shares { line: *line, code: link.old });
        }
    }
    Ok((as_of, read.into_iter().map(|(link, _)| link).collect()))
}
