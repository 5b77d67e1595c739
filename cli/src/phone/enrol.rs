//! `langso phone enrol`: from an invitation to a phone that holds its team's book.

use std::io::Read;
use std::path::Path;

use langso_device::companion::{InviteText, Nothing, SyncNow};

use super::book::Book;
use super::{open_or_make, sync, wait};
use crate::names::{line, some_word, unit_today, word};
use crate::terminal::{ask, can_ask, tell};
use crate::words::{Exit, Failure, Outcome, pick};

/// Vào tổ bằng mã mời của tổ trưởng · joins a team by the lead's invitation
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Mã mời; - đọc từ đầu vào chuẩn; bỏ trống thì hỏi · the invitation; - reads standard input; none asks
    #[arg(value_name = "INVITE")]
    invite: Option<String>,
    /// Tên gọi của máy, ví dụ "Samsung của tổ" · what the phone is called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// Chưa nhận sổ của tổ · does not fetch the team's book yet
    #[arg(long)]
    no_sync: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 enrol LS1-...
  langso phone --at may-1 enrol - < invite.txt

Mã mời dùng một lần. Chưa có mạng thì giữ mã lại, thử khi có sóng.
An invitation works once. Without network keep it and try with signal.";

/// The longest invitation, with room for blanks around it.
const MAX_INVITE: u64 = 4_096;

pub(super) fn run(folder: &Path, args: Args) -> Outcome {
    let typed = match args.invite.as_deref() {
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().lock().take(MAX_INVITE).read_to_string(&mut text);
            read.map_err(|_| Failure::input("invite", "not_an_invite"))?;
            text
        }
        Some(invite) => invite.to_owned(),
        None if can_ask() => ask(pick("Mã mời:", "Invitation:"))?.unwrap_or_default(),
        None => return Err(Failure::usage("input.missing", "INVITE")),
    };
    let input = InviteText { invite: typed.trim().to_owned(), device_name: args.name };
    // Read before a folder is made: a slip of the finger leaves nothing behind.
    input.invite.parse::<langso_sync::wire::Invite>().map_err(|error| {
        let code = match error {
            langso_sync::wire::InviteError::NotAnInvite => "not_an_invite",
            langso_sync::wire::InviteError::Mistyped => "mistyped",
        };
        Failure::input("invite", code)
    })?;
    let app = open_or_make(folder)?;
    wait(app.enrolment().join_team(input))??;
    let fetched = if args.no_sync { None } else { Some(wait(app.sync().sync_now(SyncNow::default()))?) };
    let book = Book::of(app)?;
    let team = book.app.team().get_team(Nothing {})?;
    tell(pick("Đã vào tổ.", "This phone is in the team."));
    line("Tổ", "Team", &team.name);
    line("Loại tổ", "Kind", some_word("team_kinds", team.kind));
    line("Xã", "Commune", unit_today(team.unit));
    line("Thành viên", "Member", known(book.member(team.me), &team.name));
    line("Vai trò", "Role", word("roles", team.role));
    match fetched {
        None => {}
        Some(Ok(report)) => sync::say_report(&book, &report)?,
        Some(Err(error)) => {
            // The phone is in the team; the book comes with the next sync.
            let failure = Failure::from(error);
            tell(pick(
                "Chưa nhận được sổ của tổ, gửi nhận lại sau.",
                "The book has not come yet; sync later.",
            ));
            return Err(Failure { exit: Exit::Offline, ..failure });
        }
    }
    Ok(())
}

/// Until the hub's list has come, an id is no name.
fn known(member: String, team: &str) -> String {
    if team.is_empty() { String::new() } else { member }
}
