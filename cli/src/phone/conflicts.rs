//! `langso phone conflicts`: fields that two people wrote without seeing each other, and keeping one version.

use langso_device::companion::conflicts::{
    Conflict, ConflictKey, FieldValue, FindConflicts, SettleConflict, Version,
};
use langso_domain::id::RowId;
use langso_domain::registry::{CURRENT, Kind};

use super::book::Book;
use super::visits;
use crate::names::word;
use crate::terminal::{ask, can_ask, clean, moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Mục có hai bản khác nhau · fields with two versions
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Liệt kê, mỗi bản một số · lists them, each version with a number
    List,
    /// Giữ một bản · keeps one version
    Settle {
        /// Số của mục trong danh sách, hoặc BẢNG.ID.Ô · its number in the list, or TABLE.ID.FIELD
        #[arg(value_name = "CONFLICT")]
        conflict: String,
        /// Số của bản được giữ; bỏ trống thì hỏi · the number of the version to keep; none asks
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
    },
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        None | Some(Verb::List) => list(book),
        Some(Verb::Settle { conflict, keep }) => settle(book, conflict, *keep),
    }
}

/// All of them; a team has few.
fn all(book: &Book) -> Outcome<(Vec<Conflict>, bool)> {
    let mut found = Vec::new();
    let mut find = FindConflicts::default();
    loop {
        let page = book.app.conflicts().list_conflicts(find)?;
        found.extend(page.conflicts);
        match page.next {
            Some(after) => find = FindConflicts { after: Some(after) },
            None => return Ok((found, page.may_settle)),
        }
    }
}

fn list(book: &Book) -> Outcome {
    let (conflicts, may_settle) = all(book)?;
    if conflicts.is_empty() {
        tell(pick("Không có mục nào hai bản khác nhau.", "Nothing has two versions."));
        return Ok(());
    }
    for (at, conflict) in conflicts.iter().enumerate() {
        show(book, at + 1, conflict);
    }
    tell(match may_settle {
        true => {
            pick("Giữ một bản: conflicts settle SỐ --keep BẢN", "Keep one: conflicts settle N --keep VERSION")
        }
        false => pick("Tổ trưởng chọn bản được giữ.", "The lead chooses which one is kept."),
    });
    Ok(())
}

fn show(book: &Book, number: usize, conflict: &Conflict) {
    let ConflictKey { table, row, field } = &conflict.key;
    let days = format!("{} {}", conflict.days_left, pick("ngày để chọn", "days left to choose"));
    tell(format_args!("{number}. {table}.{row}.{field}, {days}"));
    for (at, version) in conflict.versions.iter().enumerate() {
        let shows = if version.shows { pick(" (đang hiện)", " (shown now)") } else { "" };
        let what = value(table, field, &version.value);
        tell(format_args!("   {}) {what}{shows}  {}", at + 1, by(book, version)));
    }
    for edit in &conflict.edits_after_removal {
        let what = value(table, &edit.field, &edit.edit.value);
        let words = pick("sửa sau khi đã gạch bỏ", "edited after it was struck out");
        tell(format_args!("   - {}={what}: {words}  {}", edit.field, by(book, &edit.edit)));
    }
}

fn by(book: &Book, version: &Version) -> String {
    let clock = if version.is_clock_ahead { pick(", máy lệch giờ", ", clock was off") } else { "" };
    format!("{}, {}{clock}", book.some_member(version.member), moment(version.at))
}

/// What a field says, in words where it has some.
pub(super) fn value(table: &str, field: &str, value: &FieldValue) -> String {
    let kind = CURRENT.named(table).and_then(|table| table.named(field)).map(|field| field.kind);
    match (kind, value) {
        (_, FieldValue::Empty) => pick("(trống)", "(empty)").to_owned(),
        (_, FieldValue::Truth { value: true }) if field == "void" => pick("gạch bỏ", "struck out").to_owned(),
        (_, FieldValue::Truth { value: false }) if field == "void" => pick("còn dùng", "in use").to_owned(),
        (_, FieldValue::Truth { value: yes }) => {
            if *yes { pick("có", "yes") } else { pick("không", "no") }.to_owned()
        }
        (Some(Kind::Enum(list)), FieldValue::Number { value: number }) => u8::try_from(*number).map_or_else(
            |_| number.to_string(),
            |number| match list {
                "failure_codes" => visits::failure_words(number),
                list => word(list, number),
            },
        ),
        (_, FieldValue::Number { value: number }) => number.to_string(),
        (_, FieldValue::Date { value: day }) => day.0.vi(),
        (_, FieldValue::Text { value: text }) => clean(text),
        (_, FieldValue::Row { value: row }) => row.to_string(),
        (_, FieldValue::Rows { value: rows }) => {
            let rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
            rows.join(" ")
        }
        (_, FieldValue::Unshown) => pick("(bản mới hơn)", "(of a newer program)").to_owned(),
    }
}

fn settle(book: &Book, typed: &str, keep: Option<usize>) -> Outcome {
    let (conflicts, _) = all(book)?;
    let by_number = typed.parse::<usize>().ok().and_then(|number| conflicts.get(number.checked_sub(1)?));
    let by_name = || {
        let mut parts = typed.splitn(3, '.');
        let (table, row, field) = (parts.next()?, parts.next()?.parse::<RowId>().ok()?, parts.next()?);
        conflicts.iter().find(|of| of.key.table == table && of.key.row == row && of.key.field == field)
    };
    let conflict = by_number.or_else(by_name);
    let conflict = conflict.ok_or_else(|| Failure::usage("input.not_found", "CONFLICT"))?;
    let keep = match keep {
        Some(keep) => keep,
        None if can_ask() => {
            show(book, 1, conflict);
            let typed = ask(pick("Giữ bản số:", "Keep version:"))?.unwrap_or_default();
            typed.parse().map_err(|_| Failure::usage("input.digits", "--keep"))?
        }
        None => return Err(Failure::usage("input.missing", "--keep")),
    };
    let kept = keep.checked_sub(1).and_then(|at| conflict.versions.get(at));
    let kept = kept.ok_or_else(|| Failure::usage("input.unknown_choice", "--keep"))?;
    let edits = conflict.edits_after_removal.iter().map(|edit| &edit.edit);
    let seen = conflict.versions.iter().chain(edits).map(|version| version.version.clone()).collect();
    let settle = SettleConflict { conflict: conflict.key.clone(), keep: kept.value.clone(), seen };
    book.app.conflicts().settle_conflict(settle)?;
    let who = book.some_member(kept.member);
    tell(match crate::words::is_english() {
        false => format!("Đã giữ bản của {who}. Bản kia vẫn nằm trong lịch sử."),
        true => format!("Kept {who}'s version. The other stays in the history."),
    });
    Ok(())
}
