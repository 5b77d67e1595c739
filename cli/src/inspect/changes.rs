//! One change in readable form: its key, when, and each row with its fields by name.

use std::fmt::Write;

use langso_domain::content::Content;
use langso_domain::date::CivilDate;
use langso_domain::registry::{CURRENT, FIRST_PERSONAL_TABLE, Kind, VOID};
use langso_sync::change::{Change, RowOp, extra};
use langso_sync::value::Value;

use super::View;
use crate::terminal::{clean, moment, tell};
use crate::words::pick;

/// What stands for a personal value.
pub(super) const MASK: &str = "•••";

/// Tells a change below a line that says where it was met.
pub(super) fn show(place: &str, bytes: &[u8], view: &View<'_>) {
    let Ok(change) = Change::decode(bytes) else {
        let text = pick("không phải bản ghi thay đổi", "not a change");
        return tell(format_args!("  {place}  {text}, {} B", bytes.len()));
    };
    let at = moment(change.stamp.ms() as i64);
    tell(format_args!("  {place}  {}  {at}  {} B{}", change.key, bytes.len(), extras(&change)));
    for (place, row) in change.rows.iter().enumerate() {
        let id = row.patch.as_ref().map_or(change.key.row(place as u8), |patch| patch.target);
        let sign = if row.patch.is_some() { '~' } else { '+' };
        tell(format_args!("    {sign} {} {id}{}", table_name(row.table), fields(row, view)));
    }
}

fn table_name(number: u8) -> String {
    CURRENT.table(number).map_or_else(|| format!("table {number}"), |table| table.name.to_owned())
}

fn fields(row: &RowOp, view: &View<'_>) -> String {
    let table = CURRENT.table(row.table);
    let is_personal = row.table >= FIRST_PERSONAL_TABLE;
    let mut text = String::new();
    for (number, value) in &row.fields {
        let field = table.and_then(|table| table.field(*number));
        let name = match (field, *number) {
            (Some(field), _) => field.name.to_owned(),
            (None, VOID) => "void".to_owned(),
            (None, number) => format!("field {number}"),
        };
        let shown = value_text(field.map(|field| field.kind), value, is_personal && !view.show_personal);
        let _ = write!(text, " {name}={shown}");
    }
    text
}

/// A value as people read it; text and what is not known of personal rows is masked.
pub(super) fn value_text(kind: Option<Kind>, value: &Value, is_masked: bool) -> String {
    match (kind, value) {
        (_, Value::Null) => "-".to_owned(),
        (_, Value::Bool(yes)) => yes.to_string(),
        (Some(Kind::Date), Value::Int(days)) => i32::try_from(*days)
            .ok()
            .and_then(CivilDate::from_days)
            .map_or_else(|| days.to_string(), |day| day.to_string()),
        (Some(Kind::Enum(list)), Value::Int(number)) => enum_text(list, *number),
        (Some(_), Value::Int(number)) => number.to_string(),
        (_, Value::Ref(row)) => row.to_string(),
        (_, Value::Refs(rows)) => {
            let rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
            format!("[{}]", rows.join(" "))
        }
        (Some(Kind::Code), Value::Text(code)) => clean(code),
        _ if is_masked => MASK.to_owned(),
        (None, Value::Int(number)) => number.to_string(),
        (_, Value::Text(text)) => format!("\"{}\"", clean(text)),
        (_, Value::Bytes(bytes) | Value::Other(bytes)) => {
            let shown: String = bytes.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
            format!("h'{shown}{}'", if bytes.len() > 24 { "…" } else { "" })
        }
    }
}

fn enum_text(list: &str, number: i64) -> String {
    let number = u8::try_from(number).ok();
    let content = Content::packaged();
    let code = match list {
        "failure_codes" => number.and_then(|of| content.failure_number(of)).map(|of| of.code.as_str()),
        _ => number.and_then(|of| Some(content.list(list)?.number(of)?.code.as_str())),
    };
    code.map_or_else(|| number.map_or_else(String::new, |of| of.to_string()), str::to_owned)
}

fn extras(change: &Change) -> String {
    let mut text = String::new();
    for (number, value) in &change.extras {
        let (name, kind) = match *number {
            extra::REASON => ("reason".to_owned(), Some(Kind::Enum("correction_reasons"))),
            extra::REASON_TEXT => ("reason_text".to_owned(), None),
            extra::CLOCK_UNSURE => ("clock_unsure".to_owned(), None),
            other => (format!("extra {other}"), None),
        };
        let _ = write!(text, "  {name}={}", value_text(kind, value, false));
    }
    text
}
