//! `langso phone follow-up`: appointments to come back.

use langso_device::companion::follow_ups::{
    Due, FindFollowUps, FinishFollowUp, FollowUpRow, HandFollowUp, MoveFollowUp, NewFollowUp,
};
use langso_domain::id::FollowUpId;

use super::book::Book;
use super::{today, visits};
use crate::names::{day, some_day};
use crate::terminal::{Grid, tell};
use crate::words::{Failure, Outcome, pick};

/// Hẹn lại · appointments
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 follow-up list --team
  langso phone --at may-1 follow-up plan --household \"Hộ 12\" --on 2026-12-01 --service vneid_level2
  langso phone --at may-1 follow-up done ID";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Các hẹn chưa xong: của tôi, hoặc cả tổ · open appointments, mine or the team's
    List {
        /// Cả tổ · the whole team's
        #[arg(long)]
        team: bool,
    },
    /// Hẹn một hộ · plans a return
    Plan {
        /// Hộ · the household
        #[arg(long, value_name = "HOUSEHOLD")]
        household: String,
        /// Ngày hẹn · the day
        #[arg(long, value_name = "DATE")]
        on: String,
        /// Việc, ví dụ vneid_level2 hoặc T1 · what for
        #[arg(long, value_name = "SERVICE")]
        service: Option<String>,
        /// Giao cho; bỏ trống = tôi · who goes; none = me
        #[arg(long, value_name = "MEMBER")]
        to: Option<String>,
        /// Mang gì theo · what to bring
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Dời ngày · to another day
    Move {
        /// Mã của hẹn · the appointment's id
        #[arg(value_name = "ID")]
        follow_up: String,
        /// Ngày mới · the new day
        #[arg(long, value_name = "DATE")]
        on: String,
    },
    /// Giao cho người khác · to another member
    Hand {
        /// Mã của hẹn · the appointment's id
        #[arg(value_name = "ID")]
        follow_up: String,
        /// Giao cho ai · who goes now
        #[arg(long, value_name = "MEMBER")]
        to: String,
    },
    /// Đã xong · done
    Done {
        /// Mã của hẹn · the appointment's id
        #[arg(value_name = "ID")]
        follow_up: String,
        /// Lần giúp đã làm xong hẹn này · the visit that did it
        #[arg(long, value_name = "VISIT")]
        visit: Option<String>,
    },
    /// Bỏ hẹn, ghi vì sao · calls it off, with a reason
    Cancel {
        /// Mã của hẹn · the appointment's id
        #[arg(value_name = "ID")]
        follow_up: String,
        /// Vì sao · why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(super) fn id(field: &str, typed: &str) -> Outcome<FollowUpId> {
    typed.parse().map_err(|_| Failure::usage("input.not_found", field))
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    let follow_ups = book.app.follow_ups();
    match &args.verb {
        Verb::List { team } => return list(book, !team),
        Verb::Plan { household, on, service, to, note } => {
            let new = NewFollowUp {
                visit: None,
                household: Some(book.find_household("--household", household)?),
                person: None,
                service: service.as_deref().map(|typed| visits::service_named(book, typed)).transpose()?,
                due_on: day("--on", on, today())?,
                assigned_to: to.as_deref().map(|typed| book.find_member("--to", typed)).transpose()?,
                note: note.clone(),
                token: None,
            };
            let saved = follow_ups.plan_follow_up(new)?;
            let (words, who) = (pick("Hẹn ngày", "Planned for"), book.member(saved.assigned_to));
            tell(format_args!("{words} {}, {who}  {}", saved.due_on.0.vi(), saved.follow_up));
            return Ok(());
        }
        Verb::Move { follow_up, on } => {
            let due_on = day("--on", on, today())?;
            follow_ups.move_follow_up(MoveFollowUp { follow_up: id("ID", follow_up)?, due_on })?;
        }
        Verb::Hand { follow_up, to } => {
            let to = book.find_member("--to", to)?;
            follow_ups.hand_follow_up(HandFollowUp { follow_up: id("ID", follow_up)?, to })?;
        }
        Verb::Done { follow_up, visit } => {
            let visit = visit.as_deref().map(|typed| visits::visit_id("--visit", typed)).transpose()?;
            finish(book, follow_up, visit, None)?;
        }
        Verb::Cancel { follow_up, reason } => finish(book, follow_up, None, Some(reason.clone()))?,
    }
    tell(pick("Đã lưu trên máy này.", "Saved on this phone."));
    Ok(())
}

fn finish(
    book: &Book,
    follow_up: &str,
    visit: Option<langso_domain::id::VisitId>,
    cancel_reason: Option<String>,
) -> Outcome {
    let finish = FinishFollowUp { follow_up: id("ID", follow_up)?, visit, date: None, cancel_reason };
    book.app.follow_ups().finish_follow_up(finish)?;
    Ok(())
}

fn list(book: &Book, mine: bool) -> Outcome {
    let mut skip = 0;
    let mut grid = Grid::default();
    loop {
        let page = book.app.follow_ups().list_follow_ups(FindFollowUps { mine, skip })?;
        page.follow_ups.iter().for_each(|row| grid.row(cells(book, row)));
        let counts = page.counts;
        let all = counts.overdue + counts.today + counts.this_week + counts.later;
        skip += page.follow_ups.len() as u32;
        if skip >= all || page.follow_ups.is_empty() {
            match grid.is_empty() {
                true => tell(pick("Không có hẹn nào.", "No appointments.")),
                false => grid.tell(),
            }
            return Ok(());
        }
    }
}

fn cells(book: &Book, row: &FollowUpRow) -> [String; 7] {
    let due = match row.due {
        Due::Overdue => format!("{} {}", pick("quá hạn", "overdue"), row.days_overdue),
        Due::Today => pick("hôm nay", "today").to_owned(),
        Due::ThisWeek => pick("tuần này", "this week").to_owned(),
        Due::Later => pick("sau đó", "later").to_owned(),
    };
    let service =
        row.service.as_ref().map_or_else(String::new, |service| visits::service_title(&service.code));
    [
        due,
        some_day(row.due_on),
        row.place.label.clone().unwrap_or_default(),
        row.place.hamlet.map_or_else(String::new, |hamlet| book.hamlet(hamlet)),
        service,
        row.assigned_to.map_or_else(String::new, |member| book.member(member)),
        row.follow_up.to_string(),
    ]
}
