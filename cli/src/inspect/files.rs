//! Files that are not databases: frames one after another, and a phone's journal. Also tells all kinds apart.

use std::io::Read;
use std::path::Path;

use langso_device::journal;
use langso_sync::frame::{FrameError, KIND_STATE, MAGIC, Outer};
use langso_sync::state::StateFrame;

use super::{View, changes};
use crate::terminal::{bytes, tell};
use crate::words::{Failure, Outcome, pick};

/// The longest file that is read into memory.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// What a file is, by its first bytes.
pub(super) enum Kind {
    /// SQLite.
    Database,
    /// One frame or several.
    Frames(Vec<u8>),
    /// A journal.
    Journal(Vec<u8>),
    /// A phone's or a hub's key.
    Key,
}

pub(super) fn kind(path: &Path) -> Outcome<Kind> {
    let unreadable = |_| Failure::new("cli.file", path.display());
    if path.extension().is_some_and(|end| end == "key") {
        return Ok(Kind::Key);
    }
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).map_err(unreadable)?;
    if head == *b"SQLite format 3\0" {
        return Ok(Kind::Database);
    }
    let is_journal = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("journal"));
    let is_frame = head.starts_with(&MAGIC);
    // A record of a journal begins with its kind.
    if !is_frame && !is_journal && head.first() != Some(&1) {
        return Err(Failure::new("cli.not_this_kind", path.display()));
    }
    if file.metadata().map_err(unreadable)?.len() > MAX_FILE {
        return Err(Failure::new("input.too_large", path.display()));
    }
    file.read_to_end(&mut head).map_err(unreadable)?;
    if is_frame {
        return Ok(Kind::Frames(head));
    }
    if !is_journal && journal::read(&head).records.is_empty() {
        return Err(Failure::new("cli.not_this_kind", path.display()));
    }
    Ok(Kind::Journal(head))
}

pub(super) fn frames(path: &Path, all: &[u8], view: &View<'_>) -> Outcome {
    let mut at = 0;
    let mut count = 0;
    while at < all.len() {
        let place = format_args!("{} @{at}", path.display()).to_string();
        let (outer, length) = Outer::read(&all[at..])
            .and_then(|read| read.ok_or(FrameError::Truncated))
            .map_err(|error| refused(&place, error))?;
        count += 1;
        tell(format_args!("{place}: {}", pick("khung", "a frame")));
        frame(&outer, view).map_err(|error| refused(&place, error))?;
        at += length;
    }
    if count > 1 {
        tell(format_args!("{count} {}", pick("khung", "frames")));
    }
    Ok(())
}

fn refused(place: &str, error: FrameError) -> Failure {
    let code = match error {
        FrameError::NotAFrame => "cli.not_this_kind",
        FrameError::Version(_) | FrameError::Kind(_) | FrameError::State => "outdated_app",
        _ => "cli.damaged",
    };
    Failure::new(code, format_args!("{place}: {error}"))
}

/// Tells one frame; its signature is named, not checked: the key is not in it.
pub(super) fn frame(outer: &Outer<'_>, view: &View<'_>) -> Result<(), FrameError> {
    if outer.kind() == KIND_STATE {
        return state(outer);
    }
    let frame = outer.open()?;
    let header = &frame.header;
    let line = |vi, en, value: &dyn std::fmt::Display| tell(format_args!("  {:<14} {value}", pick(vi, en)));
    line("khóa ký", "signed by", &frame.key_id);
    line("phạm vi", "scope", &header.scope);
    line("lược đồ", "schema", &header.schema);
    line("thay đổi", "changes", &header.count);
    let size = format!("{} < {} B", outer.bytes().len(), header.raw);
    line("kích thước", "size", &size);
    if let (Some(first), Some(last)) = (header.runs.first(), header.runs.last()) {
        line("vị trí", "positions", &format!("{}..{}", first.first, last.first + last.n - 1));
    }
    for key in header.unknown.keys() {
        line("khóa lạ", "unknown key", key);
    }
    for change in frame.changes().take(view.most(header.count)) {
        let place = change.position.map_or_else(|| "-".to_owned(), |position| format!("#{position}"));
        let by = if change.author == frame.key_id { String::new() } else { format!(" {}", change.author) };
        changes::show(&format!("{place}{by}"), change.bytes, view);
    }
    view.rest(header.count);
    Ok(())
}

/// Tells what a frame of a snapshot says of itself; its rows need the writers of those before it.
fn state(outer: &Outer<'_>) -> Result<(), FrameError> {
    let frame = StateFrame::open(outer)?;
    let header = &frame.header;
    let line = |vi, en, value: &dyn std::fmt::Display| tell(format_args!("  {:<14} {value}", pick(vi, en)));
    line("khóa ký", "signed by", &frame.key_id);
    line("phạm vi", "scope", &header.scope);
    line("lược đồ", "schema", &header.schema);
    line("vị trí", "position", &header.of.position);
    line("khung", "frame", &format!("{} / {}", header.index + 1, header.frames));
    line("dòng", "rows", &header.rows);
    line("nguồn ghi", "writers", &header.writers);
    line("kích thước", "size", &format!("{} < {} B", outer.bytes().len(), header.raw));
    Ok(())
}

pub(super) fn journal(path: &Path, all: &[u8], view: &View<'_>) -> Outcome {
    let journal::Contents { records, damaged, .. } = journal::read(all);
    let count = records.len();
    let (what, of) = (pick("nhật ký máy", "a journal"), pick("bản ghi", "records"));
    tell(format_args!("{}: {what}, {count} {of}, {}", path.display(), bytes(all.len() as u64)));
    for (n, record) in records.iter().take(view.most(count)).enumerate() {
        changes::show(&format!("{} {}", n + 1, record.scope), &record.bytes, view);
    }
    view.rest(count);
    match damaged.first() {
        Some(at) => Err(Failure::new("cli.damaged", format_args!("{} @{}", path.display(), at.start))),
        None => Ok(()),
    }
}
