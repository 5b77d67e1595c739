//! All that is wrong with an input, gathered before anything is written: a save refuses with the first problem, a
//! check shows the whole list.
//!
//! Reads content and nothing else. Codes are stable; their words belong to the shells.

use std::fmt::Display;

use langso_domain::content::Content;
use langso_domain::never_store::check_free_text;
use langso_domain::registry::{CURRENT, Kind};
use langso_domain::text;

use crate::error::{Problem, Result};

/// The list being gathered.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem of the field with that path.
    pub fn add(&mut self, field: impl Display, code: &str) {
        self.0.push(Problem::new(field.to_string(), code));
    }

    /// Nothing when there is none.
    pub fn finish(self) -> Result<()> {
        self.0.into_iter().next().map_or(Ok(()), |problem| Err(problem.into()))
    }

    /// All of them, in order of the fields.
    pub fn into_list(self) -> Vec<Problem> {
        self.0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// A line of text as it is stored in that column (`table.field` of the registry): one line, spaces tidied; none
    /// when empty. Notes `too_long` and each finding of the never-store list.
    pub fn line(&mut self, field: impl Display, column: &str, given: Option<&str>) -> Option<String> {
        self.stored(field, column, text::nfc(given?))
    }

    /// As [`Problems::line`], for a line that must be there: else `missing`.
    pub fn text(&mut self, field: impl Display, column: &str, given: &str) -> Option<String> {
        let stored = text::nfc(given);
        if stored.is_empty() {
            self.add(field, "missing");
            return None;
        }
        self.stored(field, column, stored)
    }

    /// As [`Problems::line`], with its paragraphs kept.
    pub fn lines(&mut self, field: impl Display, column: &str, given: Option<&str>) -> Option<String> {
        self.stored(field, column, text::nfc_lines(given?))
    }

    fn stored(&mut self, field: impl Display, column: &str, stored: String) -> Option<String> {
        if stored.is_empty() {
            return None;
        }
        if most_bytes(column).is_some_and(|most| stored.len() > most) {
            self.add(field, "too_long");
            return None;
        }
        let findings = check_free_text(&stored);
        for finding in &findings {
            self.add(&field, finding.kind.code());
        }
        findings.is_empty().then_some(stored)
    }

    /// A number of a list; else `unknown_choice`.
    pub fn choice(&mut self, content: &Content, list: &str, field: impl Display, number: Option<u8>) {
        let is_known = |number| content.list(list).is_some_and(|list| list.number(number).is_some());
        if number.is_some_and(|number| !is_known(number)) {
            self.add(field, "unknown_choice");
        }
    }

    /// A number within bounds; else `out_of_range`.
    pub fn range<N: PartialOrd>(
        &mut self,
        field: impl Display,
        number: Option<N>,
        range: std::ops::RangeInclusive<N>,
    ) {
        if number.is_some_and(|number| !range.contains(&number)) {
            self.add(field, "out_of_range");
        }
    }
}

/// The bound of a text column in bytes, by the registry.
fn most_bytes(column: &str) -> Option<usize> {
    let (table, field) = column.split_once('.')?;
    match CURRENT.named(table)?.named(field)?.kind {
        Kind::Text(most) => Some(most as usize),
        _ => None,
    }
}
