//! Search for households by label, place hint, contact name or number, in text folded by `core/domain`.
//!
//! Kept inside the batch that writes the row. A row's number in the index is made from its id, so that a patch can
//! replace its entry without another table.

use std::collections::BTreeMap;

use langso_domain::id::{HouseholdId, RowId};
use langso_domain::text;
use langso_sync::value::Value;
use rusqlite::Connection;

use crate::Result;

const HOUSEHOLD: u8 = 1;
const CONTACT: u8 = 64;

/// One household found, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// The household, after merges not resolved.
    pub household: HouseholdId,
    /// The folded text that matched.
    pub folded: String,
}

/// What is indexed of a row: its text and the household it leads to.
pub(crate) fn entry(table: u8, id: RowId, fields: &BTreeMap<u8, Value>) -> Option<(String, RowId)> {
    let text = |number: u8| match fields.get(&number) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    match table {
        HOUSEHOLD => Some((text::fold(&format!("{} {}", text(1), text(4))), id)),
        CONTACT => {
            let Some(Value::Ref(household)) = fields.get(&2) else { return None };
            Some((text::fold(&format!("{} {}", text(4), text(5))), *household))
        }
        _ => None,
    }
}

pub(crate) fn is_indexed(table: u8) -> bool {
    table == HOUSEHOLD || table == CONTACT
}

pub(crate) fn add(connection: &Connection, id: RowId, entry: &(String, RowId)) -> Result<()> {
    let mut put =
        connection.prepare_cached("INSERT INTO search (rowid, folded, household) VALUES (?1, ?2, ?3)")?;
    put.execute((number(id), &entry.0, entry.1.0))?;
    Ok(())
}

pub(crate) fn remove(connection: &Connection, id: RowId) -> Result<()> {
    connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([number(id)])?;
    Ok(())
}

/// 63 bits of the id's 96, well mixed: writers are random, so two rows of one phone meet with odds below 10^-8.
fn number(id: RowId) -> i64 {
    let (writer, rest) = id.0.split_at(8);
    let half = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mixed = half(writer) ^ half(rest).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 1) as i64
}

/// Households whose label, hint, contact name or number begins every word of the query, at most `limit`, those
/// whose text is the query first. Folded candidates of the query are tried in order until one hits.
///
/// # Errors
/// When SQLite refuses.
pub fn find_households(connection: &Connection, query: &str, limit: usize) -> Result<Vec<SearchHit>> {
    for candidate in text::fold_query(query) {
        let words: Vec<String> =
            candidate.split(' ').filter(|word| !word.is_empty()).map(quoted_prefix).collect();
        if words.is_empty() {
            continue;
        }
        let mut find = connection
            .prepare_cached("SELECT household, folded FROM search WHERE search MATCH ?1 LIMIT ?2")?;
        // Ranking is done here over a bounded window: bm25 reads every hit of a common prefix.
        let rows = find.query_map((words.join(" "), (limit * 4) as i64), |row| {
            Ok(SearchHit { household: HouseholdId(RowId(row.get(0)?)), folded: row.get(1)? })
        })?;
        let mut hits: Vec<SearchHit> = rows.collect::<std::result::Result<_, _>>()?;
        if hits.is_empty() {
            continue;
        }
        hits.sort_by_key(|hit| rank(&hit.folded, &candidate));
        let mut seen = std::collections::BTreeSet::new();
        hits.retain(|hit| seen.insert(hit.household));
        hits.truncate(limit);
        return Ok(hits);
    }
    Ok(Vec::new())
}

fn quoted_prefix(word: &str) -> String {
    format!("\"{word}\"*")
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
