//! `langso phone visit`: logging what was done, by flags or by answering questions, and looking at it again.

mod correct;
mod form;
mod log;
mod read;

use langso_device::companion::Nothing;
use langso_device::companion::content::{FailureRow, FindFailures, ServiceRow};
use langso_domain::content::Content;
use langso_domain::id::VisitId;

use super::book::Book;
use crate::names::text;
use crate::words::{Failure, Outcome};

pub(super) use form::log_run;
pub(super) use log::Log;
pub(super) use read::{page, receipt};

/// Lần giúp: ghi, xem, sửa · visits: logged, shown, corrected
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 visit log                          hỏi từng ô · asks field by field
  langso phone --at may-1 visit log --household \"Hộ 12\" --service T1=new --service T2=later:M1 \\
      --follow-up 2026-12-01
  langso phone --at may-1 visit log --no-household --service portal_first_login=new
  langso phone --at may-1 visit correct ID --reason outcome --service 1=had

Một việc · a service: VIỆC=KẾT QUẢ[:LÝ DO][@NGƯỜI] · SERVICE=OUTCOME[:REASON][@PERSON]
  VIỆC      mã việc, hoặc mã bài nếu bài chỉ có một việc (T1)
  KẾT QUẢ   new, had, later, failed, refused, referred
  LÝ DO     mã lý do như A1, khi chưa đạt
  NGƯỜI     số thứ tự trong hộ, từ 1, hoặc mã";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Ghi một lần giúp với một hay nhiều việc · logs a visit with one service or several
    Log(Box<Log>),
    /// Các lần giúp, mới trước, và đang ở đâu · visits, the newest first, and where each is
    List(read::List),
    /// Một lần giúp · one visit
    Show {
        /// Mã của lần giúp · the visit's id
        #[arg(value_name = "VISIT")]
        visit: String,
    },
    /// Sửa, ghi vì sao · corrects, with a reason
    Correct(Box<correct::Correct>),
    /// Thu lại lần vừa ghi · takes back what was just logged
    TakeBack {
        /// Mã của lần giúp · the visit's id
        #[arg(value_name = "VISIT")]
        visit: String,
    },
    /// Ai ghi, ai sửa, vì sao · who saved it, who corrected it, and why
    History {
        /// Mã của lần giúp · the visit's id
        #[arg(value_name = "VISIT")]
        visit: String,
    },
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        Verb::Log(log) => log::run(book, log),
        Verb::List(list) => read::list(book, list),
        Verb::Show { visit } => read::show(book, visit),
        Verb::Correct(correct) => correct::correct(book, correct),
        Verb::TakeBack { visit } => correct::take_back(book, visit),
        Verb::History { visit } => read::history(book, visit),
    }
}

pub(super) fn visit_id(field: &str, typed: &str) -> Outcome<VisitId> {
    typed.parse().map_err(|_| Failure::usage("input.not_found", field))
}

/// Every service, the team's most used first.
fn services(book: &Book) -> Outcome<Vec<ServiceRow>> {
    Ok(book.app.content().list_services(Nothing {})?.services)
}

/// A service's code by itself, or by a guide that has no other.
pub(super) fn service_named(book: &Book, typed: &str) -> Outcome<String> {
    let services = services(book)?;
    let code = typed.split('@').next().unwrap_or(typed);
    if let Some(row) = services.iter().find(|row| row.service.code.eq_ignore_ascii_case(code)) {
        let is_by_version = typed.contains('@');
        return Ok(if is_by_version { typed.to_owned() } else { row.service.code.clone() });
    }
    let of_guide = services
        .iter()
        .filter(|row| row.tutorial.as_ref().is_some_and(|tutorial| tutorial.code.eq_ignore_ascii_case(code)));
    let of_guide: Vec<_> = of_guide.map(|row| row.service.code.as_str()).collect();
    match of_guide[..] {
        [one] => Ok(one.to_owned()),
        [] => {
            let all: Vec<_> = services.iter().map(|row| row.service.code.as_str()).collect();
            Err(Failure::usage("input.unknown_service", format_args!("{typed} ({})", all.join(", "))))
        }
        _ => Err(Failure::usage("input.ambiguous", format_args!("{typed} ({})", of_guide.join(", ")))),
    }
}

/// A service's name; its code where this phone does not know it.
pub(super) fn service_title(code: &str) -> String {
    let service = Content::packaged().service(code);
    service.map_or_else(|| code.to_owned(), |service| text(&service.title).to_owned())
}

/// A reason's number by its code, such as `A1`.
pub(super) fn failure_number(book: &Book, field: &str, typed: &str) -> Outcome<u8> {
    let all = book.app.content().list_failure_codes(FindFailures::default())?.codes;
    let found = all.iter().find(|row: &&FailureRow| row.code.eq_ignore_ascii_case(typed));
    found
        .map(|row| row.failure)
        .ok_or_else(|| Failure::usage("input.unknown_failure", format_args!("{field} {typed}")))
}

/// A reason in words.
pub(super) fn failure_words(number: u8) -> String {
    let code = Content::packaged().failure_number(number);
    code.map_or_else(|| number.to_string(), |code| format!("{} {}", code.code, text(&code.text)))
}
