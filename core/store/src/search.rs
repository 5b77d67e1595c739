//! Search for households by label, place hint, contact name or number, in text folded by `core/domain`.
//!
//! Kept inside the batch that writes the row. A row's number in the index is made from its id, so that a patch can
//! replace its entry without another table.

use std::collections::{BTreeMap, BTreeSet};

use langso_domain::id::{HouseholdId, RowId};
use langso_domain::registry::VOID;
use langso_domain::text;
use langso_sync::value::Value;
use rusqlite::Connection;

use crate::Result;

const HOUSEHOLD: u8 = 1;
const CONTACT: u8 = 64;
/// In bytes; no text that is searched is as long.
const LONGEST_QUERY: usize = 1024;
/// Words looked at; SQLite bounds the depth of a search expression.
const MOST_WORDS: usize = 32;

/// One household found, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// The household, after merges not resolved.
    pub household: HouseholdId,
    /// The folded text that matched.
    pub folded: String,
}

/// What is indexed of a row: its text and the household it leads to; none for a row that is struck out.
pub(crate) fn entry(table: u8, id: RowId, fields: &BTreeMap<u8, Value>) -> Option<(String, RowId)> {
    if fields.get(&VOID) == Some(&Value::Bool(true)) {
        return None;
    }
    let text = |number: u8| match fields.get(&number) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let (one, other, household) = match table {
        HOUSEHOLD => (text(1), text(4), id),
        CONTACT => {
            let Some(Value::Ref(household)) = fields.get(&2) else { return None };
            (text(4), text(5), *household)
        }
        _ => return None,
    };
    let folded = text::fold(&format!("{one} {other}"));
    (!folded.is_empty()).then_some((folded, household))
}

pub(crate) fn is_indexed(table: u8) -> bool {
    table == HOUSEHOLD || table == CONTACT
}

pub(crate) fn add(connection: &Connection, id: RowId, entry: &(String, RowId)) -> Result<()> {
    const ADD: &str = "INSERT INTO search (rowid, folded, household) VALUES (?1, ?2, ?3)";
    const REPLACE: &str = "INSERT OR REPLACE INTO search (rowid, folded, household) VALUES (?1, ?2, ?3)";
    let row = (number(id), &entry.0, entry.1.0);
    match connection.prepare_cached(ADD)?.execute(row) {
        // Two ids of one number, by chance or by a forger, must not stop a phone from taking changes in.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            connection.prepare_cached(REPLACE)?.execute(row)?;
        }
        added => {
            added?;
        }
    }
    Ok(())
}

pub(crate) fn remove(connection: &Connection, id: RowId) -> Result<()> {
    connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([number(id)])?;
    Ok(())
}

/// 63 bits of the id's 96, well mixed: writers are random, so two rows of one phone meet with odds below 10^-8. Those of
/// one run differ in their lowest bits alone.
fn number(id: RowId) -> i64 {
    let (writer, rest) = id.0.split_at(8);
    let half = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mixed =
        half(writer).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ half(rest).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 1) as i64
}

/// Households whose label and hint, or the name and number of one of whose contacts, hold for every word of the
/// query a word that begins with it; at most `limit`. Whole words come before beginnings, and texts that are the
/// query first. Where nothing is found, the query is read as typed without a Vietnamese keyboard, or as a number
/// with spaces in it.
///
/// # Errors
/// When SQLite refuses; never because of what the query holds.
pub fn find_households(connection: &Connection, query: &str, limit: usize) -> Result<Vec<SearchHit>> {
    if query.len() > LONGEST_QUERY {
        return Ok(Vec::new());
    }
    for candidate in text::fold_query(query).into_iter().chain(as_number(query)) {
        let mut hits = Vec::new();
        for is_whole in [true, false] {
            if hits.len() < limit {
                find_words(connection, &candidate, is_whole, limit, &mut hits)?;
            }
        }
        if !hits.is_empty() {
            hits.sort_by_cached_key(|hit| (rank(&hit.folded, &candidate), hit.folded.clone(), hit.household));
            let mut seen = BTreeSet::new();
            hits.retain(|hit| seen.insert(hit.household));
            hits.truncate(limit);
            return Ok(hits);
        }
    }
    Ok(Vec::new())
}

fn find_words(
    connection: &Connection,
    candidate: &str,
    is_whole: bool,
    limit: usize,
    hits: &mut Vec<SearchHit>,
) -> Result<()> {
    let end = if is_whole { "\"" } else { "\"*" };
    // The folded text holds no quote.
    let words: Vec<String> =
        candidate.split(' ').take(MOST_WORDS).map(|word| format!("\"{word}{end}")).collect();
    // Ranking is done by the caller over a bounded window: bm25 reads every hit of a common prefix.
    let window = limit.saturating_mul(4).min(i64::MAX as usize) as i64;
    let mut find = connection.prepare_cached(
        "SELECT household, folded FROM search WHERE search MATCH ?1
         AND EXISTS (SELECT 1 FROM live_households WHERE id = household) LIMIT ?2",
    )?;
    let found = find.query_map((words.join(" "), window), |row| {
        Ok(SearchHit { household: HouseholdId(RowId(row.get(0)?)), folded: row.get(1)? })
    })?;
    for hit in found {
        hits.push(hit?);
    }
    Ok(())
}

/// A telephone number, or the beginning of one, as it is stored.
fn as_number(query: &str) -> Option<String> {
    if let Ok(number) = text::phone::normalize(query) {
        return Some(number);
    }
    let is_part = query.chars().all(|c| c.is_ascii_digit() || " .-+".contains(c));
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.strip_prefix("84").filter(|_| query.trim_start().starts_with('+')) {
        Some(rest) => format!("0{rest}"),
        None => digits,
    };
    (is_part && !digits.is_empty()).then_some(digits)
}

fn rank(folded: &str, query: &str) -> (u8, usize) {
    let whole_words = query.split(' ').all(|word| folded.split(' ').any(|other| other == word));
    let class = match () {
        () if folded == query => 0,
        () if folded.starts_with(query) && whole_words => 1,
        () if whole_words => 2,
        () => 3,
    };
    (class, folded.len())
}
