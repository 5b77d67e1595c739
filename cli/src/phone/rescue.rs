//! `langso phone rescue`: everything unsent out of a folder that no longer works, and a list of what that is. Names
//! and numbers stay in the file; the list has none.

use std::path::PathBuf;

use langso_device::rescue::{Rescued, rescue};

use super::folder;
use crate::terminal::{moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Lấy ra mọi phần chưa gửi của một máy hỏng · takes all that is unsent out of a broken phone's folder
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Thư mục của chiếc điện thoại; chỉ đọc · the phone's folder, which is only read
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Tệp mới cho phần cứu được; có dữ liệu cá nhân · a new file for it, with personal data
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone rescue may-1 --to may-1.frames
  langso inspect may-1.frames                     xem bên trong · what is in it
  langso admin --at hub import-rescue may-1.frames";

/// Runs the rescue.
pub(super) fn run(at: Option<PathBuf>, args: Args) -> Outcome {
    let folder = folder(args.folder.clone().or(at))?;
    if args.to.exists() {
        return Err(Failure::usage("cli.file_exists", args.to.display()));
    }
    if !folder.is_dir() {
        return Err(Failure::usage("cli.no_phone_here", folder.display()));
    }
    list(&rescue(&folder, &args.to)?, &args);
    Ok(())
}

fn list(rescued: &Rescued, args: &Args) {
    for change in &rescued.changes {
        let rows: Vec<_> = change.rows.iter().map(|(table, count)| format!("{table} x{count}")).collect();
        tell(format_args!("  {}  {}  {}", moment(change.at_ms), change.key, rows.join(", ")));
    }
    let (count, to) = (rescued.changes.len(), args.to.display());
    tell(format_args!("{} {count} {} {to}", pick("Đã lấy ra", "Rescued"), pick("lần lưu vào", "saves to")));
    if !rescued.are_receipts_known {
        tell(pick(
            "Không đọc được phần nào máy chủ đã có: lấy tất cả, máy chủ sẽ nhận phần còn thiếu.",
            "What the hub has could not be told apart: everything is in the file, the hub takes what it lacks.",
        ));
    }
    if !rescued.is_signed {
        let device = rescued.device.map_or_else(|| "DEVICE".to_owned(), |device| device.to_string());
        tell(format_args!(
            "{}: --device {device}",
            pick(
                "Không còn khóa của máy: tệp không có chữ ký, người vận hành phải nêu tên máy khi nhận",
                "The phone's key is gone: the file is not signed, and whoever imports it must name the device",
            )
        ));
    }
    if rescued.unreadable > 0 {
        tell(format_args!(
            "{}: {}",
            pick(
                "Mảnh không đọc được, vẫn nằm trong thư mục",
                "Pieces that cannot be read, left in the folder"
            ),
            rescued.unreadable
        ));
    }
}
