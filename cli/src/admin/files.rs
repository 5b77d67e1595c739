//! Figures of others from CSV, and content from JSON. All of a file or none of it.

use std::path::{Path, PathBuf};

use langso_hub::admin::ContentFile;
use langso_hub::server::Hub;
use serde_json::Value;

use super::refused;
use crate::terminal::tell;
use crate::words::{Failure, Outcome, is_english};

/// Figures.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Stock {
    /// Nhập từ CSV: unit, indicator, operator, value, numerator, denominator, source, date · imports a CSV
    Import {
        /// Tệp CSV; nhập lần nữa là bản mới, bản cũ vẫn còn · a second import of the same is a new version
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Content.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Content {
    /// Công bố các tệp cùng nhau: bài và việc mới nhắc tới nhau được · publishes files together
    Publish {
        /// Tệp JSON, mỗi tệp một mục hoặc một mảng · JSON files, each an item or an array of items
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Loại; bỏ trống thì đoán theo các ô · tutorial, service, failure_code, consent, list, indicator
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
    },
}

/// The longest file that is read.
const MAX_FILE: u64 = 16 * 1024 * 1024;

fn read(path: &Path) -> Outcome<String> {
    let unreadable = |_| Failure::usage("cli.file", path.display());
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(Failure::usage("input.too_large", path.display()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

pub(super) fn stock(hub: &Hub, verb: &Stock) -> Outcome {
    let Stock::Import { file } = verb;
    let text = read(file)?;
    // Spreadsheets put a mark before the first column's name.
    let done = hub.import_stock(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(refused)?;
    tell(match is_english() {
        false => format!("Đã nhập {} số liệu, {} số là bản mới.", done.figures, done.renewed),
        true => format!("Imported {} figures, {} of them a new version.", done.figures, done.renewed),
    });
    Ok(())
}

pub(super) fn content(hub: &Hub, verb: &Content) -> Outcome {
    let Content::Publish { files, kind } = verb;
    let mut read_files = Vec::with_capacity(files.len());
    for path in files {
        let text = read(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kind = match kind {
            Some(kind) => kind.clone(),
            None => guess(&text).ok_or_else(|| Failure::usage("input.missing", "--kind"))?.to_owned(),
        };
        read_files.push((name, kind, text));
    }
    let files: Vec<_> =
        read_files.iter().map(|(name, kind, json)| ContentFile { name, kind, json }).collect();
    let done = hub.publish_content(&files).map_err(refused)?;
    tell(match is_english() {
        false => format!("Đã công bố {} mục mới, {} mục có sẵn.", done.new.len(), done.known),
        true => format!("Published {} new items, {} were there.", done.new.len(), done.known),
    });
    done.new.iter().for_each(|reference| tell(format_args!("  {reference}")));
    Ok(())
}

/// The kind whose own field the first item has. A broken file is a tutorial: its check says what is wrong.
fn guess(json: &str) -> Option<&'static str> {
    let value: Value = match serde_json::from_str(json) {
        Ok(value) => value,
        Err(_) => return Some("tutorial"),
    };
    let first = value.as_array().map_or(Some(&value), |all| all.first())?;
    let kinds = [
        ("compute", "indicator"),
        ("covers", "consent"),
        ("entries", "list"),
        ("group", "failure_code"),
        ("outcomes", "service"),
        ("results", "tutorial"),
    ];
    kinds.into_iter().find(|(field, _)| first.get(field).is_some()).map(|(_, kind)| kind)
}
