//! From columns to records.

use langso_domain::content::ContentRef;
use langso_domain::date::CivilDate;
use langso_domain::id::RowId;
use langso_domain::units::UnitCode;
use rusqlite::{Result, Row};

use super::record::Day;

/// How many rows a page of a list has.
pub(super) const PAGE: usize = 100;

/// The id in a column that always holds one.
pub(super) fn id(row: &Row<'_>, at: usize) -> Result<RowId> {
    row.get(at).map(RowId)
}

/// The id in a column, wrapped in its type; none for null and for what is no id.
pub(super) fn some_id<T>(row: &Row<'_>, at: usize, wrap: impl FnOnce(RowId) -> T) -> Result<Option<T>> {
    let bytes: Option<Vec<u8>> = row.get(at)?;
    Ok(bytes.and_then(|bytes| RowId::from_slice(&bytes)).map(wrap))
}

/// The ids in a list column.
pub(super) fn ids<T>(row: &Row<'_>, at: usize, wrap: impl Fn(RowId) -> T) -> Result<Vec<T>> {
    let bytes: Option<Vec<u8>> = row.get(at)?;
    Ok(split_ids(&bytes.unwrap_or_default()).map(wrap).collect())
}

/// The ids one after another in these bytes.
pub(super) fn split_ids(bytes: &[u8]) -> impl Iterator<Item = RowId> {
    bytes.chunks_exact(12).filter_map(RowId::from_slice)
}

/// The day in a column; none for one that no calendar of ours holds: another's row never fails a list.
pub(super) fn day(row: &Row<'_>, at: usize) -> Result<Option<Day>> {
    let days: Option<i64> = row.get(at)?;
    Ok(days.and_then(|days| days.try_into().ok()).and_then(CivilDate::from_days).map(Day))
}

/// The place in a column.
pub(super) fn unit(row: &Row<'_>, at: usize) -> Result<Option<UnitCode>> {
    let text: Option<String> = row.get(at)?;
    Ok(text.and_then(|text| UnitCode::parse(&text)))
}

/// What content a column names, with version; none for null and for what names none.
pub(super) fn content(row: &Row<'_>, at: usize) -> Result<Option<ContentRef>> {
    let text: Option<String> = row.get(at)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// The number of a list in a column; none for one that no list of ours could hold.
pub(super) fn number(row: &Row<'_>, at: usize) -> Result<Option<u8>> {
    let number: Option<i64> = row.get(at)?;
    Ok(number.and_then(|number| u8::try_from(number).ok()))
}

/// All rows of a query.
pub(super) fn all<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// `?, ?, ...` for as many ids as [`filled`] gives.
pub(super) fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}

/// Ids for an IN list that is always as long, so that its statement is prepared once; the zero id, which no row has,
/// fills it up.
pub(super) fn filled(count: usize, ids: impl IntoIterator<Item = RowId>) -> impl rusqlite::Params {
    let mut ids: Vec<[u8; 12]> = ids.into_iter().map(|id| id.0).collect();
    ids.resize(count, [0; 12]);
    rusqlite::params_from_iter(ids)
}

/// A count in a column; none for null and for what is no count.
pub(super) fn count(row: &Row<'_>, at: usize) -> Result<Option<u32>> {
    let number: Option<i64> = row.get(at)?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}
