//! `langso phone sync`, `status` and `set-aside`: sending and fetching, and what has arrived. By receipts alone.

use langso_device::companion::{FindUnarrived, Nothing, SyncNow, SyncProblem, SyncReport, set_aside};

use super::book::Book;
use super::visits::receipt;
use super::wait;
use crate::names::some_day;
use crate::terminal::{Grid, bytes, moment, tell};
use crate::words::{Exit, Failure, Outcome, pick};

/// Gửi phần mới, nhận phần mới · sends what is new and fetches what is new
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct SyncArgs {
    /// Tối đa bao nhiêu byte lần này, cả lên và xuống · the most bytes this time, up and down together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4_000_000_000))]
    max_bytes: Option<u64>,
    /// Đặt mức cho mọi lần gửi, 0 = không giới hạn · sets the limit of every sync; 0 takes it away
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=4_000_000_000))]
    budget: Option<u64>,
    /// Chỉ in một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 sync
  langso phone --at may-1 sync --max-bytes 20000
  langso phone --at may-1 sync --budget 200000

Byte tính theo nội dung gửi và nhận, không tính phần đầu của HTTP. Biên nhận đi trước.
Bytes are those of what is said, without HTTP's own headers. Receipts come first.

Ngắt giữa chừng không mất gì: phần đã tới không gửi lại, phần còn lại đi lần sau.
A cut loses nothing: what arrived is not sent again, the rest goes next time.";

pub(super) fn sync(book: &Book, args: &SyncArgs) -> Outcome {
    if let Some(bytes) = args.budget {
        let max_bytes = Some(bytes).filter(|bytes| *bytes > 0);
        book.app.sync().set_budget(SyncNow { max_bytes })?;
    }
    let input = SyncNow { max_bytes: args.max_bytes };
    match wait(book.app.sync().sync_now(input))? {
        Ok(report) if args.json => {
            let text = serde_json::to_string(&report).map_err(|_| Failure::new("unexpected", "json"))?;
            tell(text);
            done(&report)
        }
        Ok(report) => {
            say_report(book, &report)?;
            done(&report)
        }
        Err(error) => {
            if !args.json {
                say_unsent(book)?;
            }
            Err(error.into())
        }
    }
}

fn done(report: &SyncReport) -> Outcome {
    match report.is_done {
        true => Ok(()),
        false => Err(Failure { exit: Exit::Offline, ..Failure::new("offline.budget_spent", "") }),
    }
}

/// What a sync did, and what has not arrived.
pub(super) fn say_report(book: &Book, report: &SyncReport) -> Outcome {
    let (up, down) = (bytes(report.bytes_up), bytes(report.bytes_down));
    tell(match crate::words::is_english() {
        false => format!("Gửi {up}, nhận {down}, {} lượt hỏi.", report.requests),
        true => format!("Sent {up}, fetched {down}, {} requests.", report.requests),
    });
    say_unsent(book)
}

fn say_unsent(book: &Book) -> Outcome {
    let status = book.app.sync().get_status(Nothing {})?;
    match (status.on_phone, status.last_success_at) {
        (0, None) => {}
        (0, Some(at)) => tell(format_args!(
            "{} {}.",
            pick("Mọi thứ đã tới máy chủ lúc", "Everything reached the hub at"),
            moment(at)
        )),
        (n, _) => tell(match crate::words::is_english() {
            false => format!("{n} lần lưu chưa tới máy chủ, vẫn nằm trên máy này."),
            true => format!("{n} saves not yet at the hub; they are kept on this phone."),
        }),
    }
    if status.set_aside > 0 {
        tell(match crate::words::is_english() {
            false => format!("{} lần lưu chờ tổ trưởng nhận vào sổ: xem set-aside.", status.set_aside),
            true => format!("{} saves wait for the lead: see set-aside.", status.set_aside),
        });
    }
    Ok(())
}

/// Phần đã ghi đang ở đâu: máy này, máy chủ, bản sao lưu · where this phone's work is, by receipts
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Chỉ in một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn status(book: &Book, args: &StatusArgs) -> Outcome {
    let status = book.app.sync().get_status(Nothing {})?;
    if args.json {
        let text = serde_json::to_string(&status).map_err(|_| Failure::new("unexpected", "json"))?;
        tell(text);
        return Ok(());
    }
    let mut grid = Grid::new(&[1]);
    for (vi, en, count) in [
        ("Mới ở máy này", "Only on this phone", status.on_phone),
        ("Đã tới máy chủ", "At the hub", status.at_hub),
        ("Đã sao lưu", "In the hub's backup", status.in_backup),
        ("Chờ tổ trưởng nhận", "Waiting for the lead", status.set_aside),
    ] {
        grid.row([pick(vi, en).to_owned(), count.to_string()]);
    }
    if status.void > 0 {
        let lost = pick("Máy chủ mất, sẽ gửi lại", "Lost by the hub, to be sent again");
        grid.row([lost.to_owned(), status.void.to_string()]);
    }
    tell(pick("Số lần lưu của máy này", "Saves of this phone"));
    grid.tell();
    match status.last_success_at {
        Some(at) => {
            let words = pick("Lần gửi được gần nhất", "Last success");
            tell(format_args!("{words}: {}", moment(at)));
        }
        None => tell(pick("Chưa gửi lần nào.", "Never sent.")),
    }
    unarrived(book)?;
    for problem in book.app.sync().list_sync_problems(Nothing {})?.problems {
        tell(problem_words(problem));
    }
    Ok(())
}

/// The visits that the hub has not confirmed, by name.
fn unarrived(book: &Book) -> Outcome {
    let page = book.app.sync().list_unarrived(FindUnarrived::default())?;
    if page.visit_count == 0 {
        return Ok(());
    }
    tell(match crate::words::is_english() {
        false => format!("{} lần giúp chưa tới máy chủ", page.visit_count),
        true => format!("{} visits not yet at the hub", page.visit_count),
    });
    let mut grid = Grid::default();
    for visit in &page.visits {
        let place = visit.place.label.clone();
        grid.row([
            some_day(visit.date),
            place.unwrap_or_else(|| pick("không ghi hộ", "no household").to_owned()),
            receipt(visit.receipt),
            visit.visit.to_string(),
        ]);
    }
    grid.tell();
    Ok(())
}

fn problem_words(problem: SyncProblem) -> String {
    let (vi, en) = match problem {
        SyncProblem::Revoked { on } => (
            format!("Máy này đã bị báo mất ngày {}. Ghi chép còn nguyên, gặp tổ trưởng.", on.0.vi()),
            format!("This phone was reported lost on {}. Records are kept; see the lead.", on.0.vi()),
        ),
        SyncProblem::LeftTeam { on } => (
            format!("Không còn là thành viên từ sau ngày {}. Phần đã ghi vẫn được gửi.", on.0.vi()),
            format!("No longer a member after {}. Earlier work is kept and still sent.", on.0.vi()),
        ),
        SyncProblem::Repairing { .. } => (
            "Đang dựng lại sổ. Chưa mất gì, đừng gỡ ứng dụng.".to_owned(),
            "Rebuilding the book. Nothing is lost; do not uninstall.".to_owned(),
        ),
        SyncProblem::HubLacksRows { .. } => (
            "Máy chủ thiếu những mục mà máy này còn giữ. Đừng gỡ ứng dụng, báo tổ trưởng: cần bản sao lưu mới hơn."
                .to_owned(),
            "The hub lacks entries that this phone still holds. Do not uninstall; tell the lead: the hub needs a newer \
             backup."
                .to_owned(),
        ),
        SyncProblem::SetAside { reason, count } => (
            format!("{count} lần lưu chờ tổ trưởng nhận vào sổ: {}", why(reason)),
            format!("{count} saves wait for the lead: {}", why(reason)),
        ),
        SyncProblem::Waiting { count, .. } => (
            format!("{count} lần lưu chờ hơn một tuần chưa gửi được."),
            format!("{count} saves have waited for over a week."),
        ),
        SyncProblem::ReadOnly => (
            "Không ghi được vào thư mục của máy: chỉ xem được sổ, chưa mất gì.".to_owned(),
            "The phone's folder cannot be written: the book can be read, and nothing is lost.".to_owned(),
        ),
        SyncProblem::StorageLow => (
            "Máy sắp đầy. Vẫn ghi được. Nên xóa bớt ảnh, video.".to_owned(),
            "The phone is nearly full. You can still log. Remove some photos or videos.".to_owned(),
        ),
        SyncProblem::NoBackup => (
            "Máy chủ chưa có bản sao lưu. Máy này giữ lại tất cả.".to_owned(),
            "The hub has no backup yet. This phone keeps everything.".to_owned(),
        ),
        SyncProblem::ClockUnsure => (
            "Chưa chắc ngày giờ của máy. Xem lại ngày trước khi lưu.".to_owned(),
            "Date and time not certain. Check the day before saving.".to_owned(),
        ),
    };
    if crate::words::is_english() { en } else { vi }
}

pub(super) fn list_set_aside(book: &Book) -> Outcome {
    let list = book.app.set_aside().list_own_set_aside(Nothing {})?;
    if list.changes.is_empty() {
        tell(pick("Không có gì chờ tổ trưởng nhận.", "Nothing waits for the lead."));
    }
    for change in &list.changes {
        let at = change.saved_at.map_or_else(|| "-".to_owned(), moment);
        tell(format_args!("{}  {at}  {}", change.change, why(change.reason)));
        let mut grid = Grid::default();
        for set_aside::SetAsideRow { table, row, is_correction } in &change.rows {
            let kind = if *is_correction { pick("sửa", "corrected") } else { pick("mới", "new") };
            grid.row([table.clone(), row.to_string(), kind.to_owned()]);
        }
        grid.tell();
    }
    Ok(())
}

fn why(reason: u8) -> String {
    match reason {
        1 => pick("Ghi cho tổ khác", "Written for another team").to_owned(),
        2 => pick("Quá quyền của người ghi", "Beyond the author's role").to_owned(),
        3 => pick("Máy đã bị báo mất", "The phone was reported lost").to_owned(),
        4 => pick("Trùng số ghi, nội dung khác", "Same number, other content").to_owned(),
        5 => pick("Máy chủ không đọc được", "The hub could not read it").to_owned(),
        other => other.to_string(),
    }
}
