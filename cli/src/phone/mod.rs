//! `langso phone`: a phone in the terminal, over the same `Companion` as the apps. The verbs speak to people; `call`
//! speaks JSON to programs.

pub(crate) mod book;
mod call;
mod conflicts;
mod consent;
mod enrol;
mod follow_ups;
mod households;
mod rescue;
mod reviews;
mod sync;
mod team;
mod today;
mod tutorials;
mod visits;

use std::path::PathBuf;
use std::sync::Arc;

use langso_device::{Companion, SystemTime, TimeSource};
use langso_domain::date::CivilDate;

use crate::words::{Failure, Outcome};

/// Một chiếc điện thoại: ghi sổ không cần mạng, có sóng thì gửi · a phone: records offline, sends with signal
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Thư mục của chiếc điện thoại · the phone's folder
    #[arg(long, env = "LANGSO_PHONE", value_name = "DIR")]
    at: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone --at may-1 enrol LS1-...                vào tổ · join a team
  langso phone --at may-1 household add                ghi hộ · a household
  langso phone --at may-1 visit log                    ghi lần giúp · a visit
  langso phone --at may-1 tutorial walk T1             làm từng bước · step by step
  langso phone --at may-1 sync                         gửi và nhận · send and fetch
  langso phone --at may-1 status                       đã tới đâu · what has arrived
  langso phone rescue may-1 --to may-1.frames          cứu phần chưa gửi · rescue what is unsent
  langso phone --at may-1 call households.create_household < household.json
  langso phone call --list";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Vào tổ bằng mã mời · joins a team by an invitation
    Enrol(enrol::Args),
    /// Lấy ra mọi phần chưa gửi của một máy hỏng, không động vào thư mục · all that is unsent, out of a broken folder
    Rescue(rescue::Args),
    #[command(flatten)]
    Book(BookVerb),
    /// Gọi thẳng bằng JSON: vào ở đầu vào chuẩn, ra ở đầu ra chuẩn · JSON in on standard input, out on standard output
    Call(call::Args),
}

/// Verbs on a book that is there.
#[derive(Debug, clap::Subcommand)]
enum BookVerb {
    /// Hôm nay: hẹn, bài đang dở, đã làm, phần chưa tới · today: due, in progress, done, not arrived
    Today,
    /// Hộ: ghi mới, xem, tìm · households: written down, shown, found
    Household(households::Args),
    /// Tìm hộ, như household find · finds households
    Search {
        /// Gõ từ một chữ · from one character on
        #[arg(value_name = "TEXT", required = true)]
        text: Vec<String>,
    },
    /// Người trong hộ · persons of a household
    Person(households::PersonArgs),
    /// Xin phép ghi sổ, rút đồng ý · asking permission, and taking it back
    Consent(consent::Args),
    /// Liên hệ để hẹn lại · a contact for a return
    Contact(consent::ContactArgs),
    /// Lần giúp: ghi, xem, sửa · visits: logged, shown, corrected
    Visit(visits::Args),
    /// Bài hướng dẫn: xem, làm từng bước · guides, walked through step by step
    Tutorial(tutorials::Args),
    /// Hẹn lại · appointments
    FollowUp(follow_ups::Args),
    /// Gửi và nhận · sends and fetches
    Sync(sync::SyncArgs),
    /// Phần đã ghi đang ở đâu · where this phone's work is
    #[command(visible_alias = "receipts")]
    Status(sync::StatusArgs),
    /// Phần của máy này mà máy chủ để riêng, chờ tổ trưởng nhận · own work that the hub holds back
    SetAside,
    /// Tổ, thành viên, kế hoạch, ngày công · the team, its members, plans and person-days
    Team(team::Args),
    /// Việc tôi đã làm trong tháng · what I did in a month
    Month(team::MonthArgs),
    /// Thẻ cho người dân xem · the card shown to citizens
    Card,
    /// Mục có hai bản khác nhau · fields with two versions
    Conflicts(conflicts::Args),
    /// Giảng viên duyệt bài · a trainer reviews checklist runs
    Review(reviews::Args),
}

/// Runs one verb on a phone.
///
/// # Errors
/// What the phone refuses, and exit 2 for a folder that holds no phone.
pub fn run(args: Args) -> Outcome {
    match args.verb {
        Verb::Call(call) => call::run(args.at, call),
        Verb::Rescue(rescue) => rescue::run(args.at, rescue),
        Verb::Enrol(enrol) => enrol::run(&folder(args.at)?, enrol),
        Verb::Book(verb) => {
            let book = book::Book::open(&folder(args.at)?)?;
            run_on(&book, verb).inspect_err(|failure| {
                if failure.is_damage() {
                    // What cannot be mended now is found again when the phone is next opened.
                    drop(book.app.heal());
                }
            })
        }
    }
}

fn run_on(book: &book::Book, verb: BookVerb) -> Outcome {
    match verb {
        BookVerb::Today => today::run(book),
        BookVerb::Search { text } => households::find(book, &text, None),
        BookVerb::Household(args) => households::run(book, &args),
        BookVerb::Person(args) => households::person(book, &args),
        BookVerb::Consent(args) => consent::run(book, &args),
        BookVerb::Contact(args) => consent::contact(book, &args),
        BookVerb::Visit(args) => visits::run(book, &args),
        BookVerb::Tutorial(args) => tutorials::run(book, &args),
        BookVerb::FollowUp(args) => follow_ups::run(book, &args),
        BookVerb::Sync(args) => sync::sync(book, &args),
        BookVerb::Status(args) => sync::status(book, &args),
        BookVerb::SetAside => sync::list_set_aside(book),
        BookVerb::Team(args) => team::run(book, &args),
        BookVerb::Month(args) => team::month(book, &args),
        BookVerb::Card => team::card(book),
        BookVerb::Conflicts(args) => conflicts::run(book, &args),
        BookVerb::Review(args) => reviews::run(book, &args),
    }
}

/// The folder, or the flag's name.
pub(crate) fn folder(at: Option<PathBuf>) -> Outcome<PathBuf> {
    at.ok_or_else(|| Failure::usage("input.missing", "--at"))
}

/// Opens the phone in a folder, makes it when there is none.
fn open_or_make(folder: &std::path::Path) -> langso_device::Result<Companion> {
    Companion::open(folder, Arc::new(SystemTime))
}

/// Runs what waits for the hub.
fn wait<T>(future: impl Future<Output = T>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| Failure::new("unexpected", error.kind()))?.block_on(future))
}

/// The day on the machine's clock: for words such as "yesterday"; the core judges days by the hub's time.
pub(crate) fn today() -> CivilDate {
    CivilDate::at(SystemTime.wall_ms())
}
