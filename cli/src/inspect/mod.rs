//! `langso inspect`: what is in a frame, an outbox, a journal, a hub's log or a replica, in readable form.
//!
//! Reads only: a database is opened so that not a byte beside it changes. Names and numbers of contacts are masked
//! unless they are asked for.

mod changes;
mod files;
mod hub;
mod phone;
mod replica;
mod sqlite;

use std::path::{Path, PathBuf};

use crate::terminal::tell;
use crate::words::{Failure, Outcome, pick};

/// Xem một tệp của Làng Số mà không thay đổi gì · shows a file of Làng Số and changes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Tệp, hoặc thư mục của điện thoại hay máy chủ · a file, or the folder of a phone or a hub
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// Chỉ phần này của cơ sở dữ liệu · only this part of a database
    #[arg(long, value_enum, value_name = "outbox|replica|log")]
    part: Option<Part>,
    /// Các dòng của một bảng, ví dụ visit · the rows of one table, such as visit
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Số mục hiện ra, 0 = tất cả (20) · how many entries to show, 0 = all (20)
    #[arg(long, value_name = "N", default_value_t = 20, hide_default_value = true)]
    limit: usize,
    /// Hiện cả tên và số liên hệ · also shows names and numbers of contacts
    #[arg(long)]
    show_personal: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso inspect may-1                        điện thoại: tóm tắt, chưa gửi, sổ · a phone
  langso inspect may-1/journal
  langso inspect may-1 --table visit --limit 5
  langso inspect hub                          máy chủ · a hub
  langso inspect hub.frame";

/// A part of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// What a phone wrote itself.
    Outbox,
    /// Rows made of changes.
    Replica,
    /// A hub's log.
    Log,
}

/// How much is shown.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    part: Option<Part>,
    table: Option<&'a str>,
    limit: usize,
    show_personal: bool,
}

impl View<'_> {
    fn shows(&self, part: Part) -> bool {
        self.part.is_none_or(|of| of == part)
    }

    /// How many of `count` entries to show.
    fn most(&self, count: usize) -> usize {
        if self.limit == 0 { count } else { count.min(self.limit) }
    }

    /// Says what was left out.
    fn rest(&self, count: usize) {
        let left = count - self.most(count);
        if left > 0 {
            tell(format_args!("  … {left} {}", pick("mục nữa, xem bằng --limit 0", "more, see --limit 0")));
        }
    }
}

/// Shows a file or folder.
///
/// # Errors
/// `cli.file`, `cli.not_this_kind` for what is none of ours, `cli.damaged` where a file ends early.
pub fn run(args: Args) -> Outcome {
    let view = View {
        part: args.part,
        table: args.table.as_deref(),
        limit: args.limit,
        show_personal: args.show_personal,
    };
    if let Some(table) = view.table {
        replica::known_table(table)?;
    }
    match args.path.is_dir() {
        true => folder(&args.path, &view),
        false => file(&args.path, &view),
    }
}

fn folder(path: &Path, view: &View<'_>) -> Outcome {
    let (phone, hub) = (path.join("phone.db"), path.join("hub.db"));
    if phone.is_file() {
        file(&phone, view)?;
        let journal = path.join("journal");
        if view.part.is_none() && view.table.is_none() && journal.is_file() {
            tell("");
            file(&journal, view)?;
        }
        return Ok(());
    }
    if hub.is_file() {
        return file(&hub, view);
    }
    Err(Failure::new("cli.not_this_kind", path.display()))
}

fn file(path: &Path, view: &View<'_>) -> Outcome {
    match files::kind(path)? {
        files::Kind::Database => {
            let database = sqlite::Database::open(path)?;
            match sqlite::kind(database.connection(), path)? {
                sqlite::Kind::Hub => hub::show(database.connection(), path, view),
                sqlite::Kind::Phone => phone::show(database.connection(), path, view),
                sqlite::Kind::Replica => {
                    tell(format_args!("{}: {}", path.display(), pick("bản sao", "a replica")));
                    replica::show(database.connection(), view)
                }
            }
        }
        files::Kind::Frames(bytes) => files::frames(path, &bytes, view),
        files::Kind::Journal(bytes) => files::journal(path, &bytes, view),
        files::Kind::Key => {
            let text = pick("tệp khóa bí mật, không hiện ra", "a secret key, which is not shown");
            tell(format_args!("{}: {text}", path.display()));
            Ok(())
        }
    }
}
