//! `langso phone today`: what a day begins with, and what has not arrived.

use langso_device::companion::Nothing;
use langso_device::companion::today::TodayView;

use super::book::Book;
use super::visits::{receipt, service_title};
use crate::names::{some_day, some_word, text};
use crate::terminal::{Grid, moment, tell};
use crate::words::{Outcome, is_english, pick};

pub(super) fn run(book: &Book) -> Outcome {
    let today = book.app.today().get_day(Nothing {})?;
    tell(today.date.0.vi());
    status(&today);
    if !today.is_clock_sure {
        tell(pick(
            "Chưa chắc ngày giờ của máy. Xem lại ngày trước khi lưu.",
            "Date and time not certain. Check the day before saving.",
        ));
    }
    if today.is_new_book {
        tell(pick("Sổ còn trống. Bắt đầu bằng: visit log", "The book is empty. Begin with: visit log"));
    } else {
        due(&today);
    }
    for draft in &today.drafts {
        let words = pick("Bản nháp", "Draft");
        tell(format_args!("{words}: {}, {}  {}", draft.kind, moment(draft.changed_at), draft.draft));
    }
    for run in &today.open_runs {
        let title = run.title.as_ref().map_or("", |title| text(title));
        let words = pick("Đang làm dở", "In progress");
        let step = pick("bước", "step");
        tell(format_args!("{words}: {title}, {step} {}/{}  {}", run.at.min(run.count), run.count, run.run));
    }
    if today.returned_runs > 0 {
        tell(match is_english() {
            false => format!("Giảng viên trả lại {} bài, có lời nhắn: tutorial open", today.returned_runs),
            true => format!("The trainer sent back {} runs with a note: tutorial open", today.returned_runs),
        });
    }
    let mut grid = Grid::default();
    for done in &today.done {
        let services = done.services.iter().map(|service| {
            let title = service.service.as_ref().map_or_else(String::new, |code| service_title(&code.code));
            format!("{title}: {}", some_word("outcomes", service.outcome))
        });
        let place = done.place.label.clone();
        grid.row([
            place.unwrap_or_else(|| pick("không ghi hộ", "no household").to_owned()),
            services.collect::<Vec<_>>().join("; "),
            receipt(done.receipt),
            done.visit.to_string(),
        ]);
    }
    if !grid.is_empty() {
        tell(format_args!("{} ({})", pick("Đã làm hôm nay", "Done today"), today.done_count));
        grid.tell();
    }
    Ok(())
}

fn status(today: &TodayView) {
    let status = &today.status;
    match (status.unarrived_visits, status.unarrived_changes, status.last_success_at) {
        (0, 0, None) => tell(pick("Chưa gửi lần nào.", "Never sent.")),
        (0, 0, Some(at)) => {
            let words = pick("Mọi thứ đã tới máy chủ lúc", "Everything reached the hub at");
            tell(format_args!("{words} {}", moment(at)));
        }
        (0, saves, _) => tell(match is_english() {
            false => format!("{saves} lần lưu chưa tới máy chủ"),
            true => format!("{saves} saves not yet at the hub"),
        }),
        (visits, ..) => tell(match is_english() {
            false => format!("{visits} lần giúp chưa tới máy chủ"),
            true => format!("{visits} visits not yet at the hub"),
        }),
    }
    if status.set_aside > 0 {
        tell(match is_english() {
            false => format!("{} lần lưu chờ tổ trưởng nhận vào sổ: set-aside", status.set_aside),
            true => format!("{} saves wait for the lead: set-aside", status.set_aside),
        });
    }
}

fn due(today: &TodayView) {
    if today.due.is_empty() {
        tell(pick("Hôm nay không có hẹn.", "No appointments today."));
    }
    for hamlet in &today.due {
        tell(hamlet.name.as_deref().unwrap_or_else(|| pick("Không ghi thôn", "Without a hamlet")));
        let mut grid = Grid::default();
        for row in &hamlet.follow_ups {
            let late = match row.days_overdue {
                0 => pick("đến hạn hôm nay", "due today").to_owned(),
                days => format!("{} {days}", pick("quá hạn ngày:", "days overdue:")),
            };
            let service = row.service.as_ref().map_or_else(String::new, |code| service_title(&code.code));
            let label = row.place.label.clone().unwrap_or_default();
            grid.row([label, late, some_day(row.due_on), service, row.follow_up.to_string()]);
        }
        grid.tell();
    }
}
