//! `langso admin`: what an operator does to a hub, in its folder, also while it serves. Everything is checked before
//! anything is written; each verb is one transaction.

mod backup;
mod files;
mod lists;
mod progress;
mod rescue;
mod roster;
mod turnover;

use std::path::{Path, PathBuf};

use langso_hub::admin::AdminError;
use langso_hub::clock::Clock;
use langso_hub::server::{Hub, StartError};

use crate::terminal::{clean, tell};
use crate::words::{Failure, Outcome, of, pick};

pub(crate) use backup::{is_old, said_of};

/// Việc của người vận hành: nơi, tổ, người, mã mời, số liệu, nội dung · places, teams, people, codes, figures, content
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Thư mục của máy chủ · the hub's folder
    #[arg(long, env = "LANGSO_DATA", value_name = "HUB")]
    at: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso admin --at hub init
  langso admin --at hub place add 06838
  langso admin --at hub team add --name \"Tổ thôn Ngàn Chi\" --kind hamlet --unit 06838 \\
      --founded 2022-05-12 --hamlet \"Thôn Ngàn Chi:104:tay:g2\"
  langso admin --at hub member add --team \"Ngàn Chi\" --name \"Hoàng Thị Đượm\" --role lead
  langso admin --at hub code --team \"Ngàn Chi\" --member Đượm --url http://192.168.1.20:7300
  langso admin --at hub plan add --place 06838 --name \"Kế hoạch 3\" --from 2026-01-01 --to 2026-12-31
  langso admin --at hub stock import figures.csv
  langso admin --at hub content publish T1.json
  langso admin --at hub list teams
  langso admin --at hub import-rescue may-hong.frames
  langso admin --at hub backup /media/usb
  langso admin --at hub status

Làm được cả khi máy chủ đang chạy. · Works while the hub is running.";

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Tạo thư mục và khóa của một máy chủ mới · makes the folder and key of a new hub
    Init,
    /// Nơi: phần sổ có kế hoạch và số liệu của một xã, tỉnh · places
    #[command(subcommand)]
    Place(roster::Place),
    /// Tổ, mỗi tổ có phần sổ của mình · teams, each with scopes of its own
    #[command(subcommand)]
    Team(roster::Team),
    /// Thành viên · members
    #[command(subcommand)]
    Member(roster::Member),
    /// Giảng viên · trainers
    #[command(subcommand)]
    Trainer(roster::Trainer),
    /// Mã mời dùng một lần, 72 giờ · an invitation: works once, for 72 hours
    Code(roster::Code),
    /// Kế hoạch của một nơi · plans of a place
    #[command(subcommand)]
    Plan(roster::Plan),
    /// Số liệu người khác công bố · figures that others published
    #[command(subcommand)]
    Stock(files::Stock),
    /// Bài, việc, lý do, chỉ số · tutorials, services, reasons, indicators
    #[command(subcommand)]
    Content(files::Content),
    /// Liệt kê · lists
    #[command(subcommand)]
    List(lists::List),
    /// Nhận vào sổ một phần đang chờ · admits what waits
    Admit(lists::Admit),
    /// Nhận phần cứu được từ một máy hỏng · takes what was rescued from a broken phone
    ImportRescue(rescue::ImportRescue),
    /// Ghi lại thành mục mới phần trùng số ghi · says again what came under a number that is taken
    Reenter(lists::Reenter),
    /// Đổi thay: thôi, vào thêm tổ, gộp tổ, hộ chuyển đi · members leave and join, teams become one, households move
    #[command(subcommand)]
    Turnover(turnover::Turnover),
    /// Máy chủ đang thế nào, sao lưu lần cuối khi nào · how the hub stands, and its last backup
    Status(backup::Status),
    /// Sao lưu, rồi đọc lại mới tính · a backup, which counts when it has been read back
    Backup(backup::Backup),
    /// Dựng lại máy chủ từ một bản sao lưu · makes a hub of a backup
    Restore(backup::Restore),
    /// Báo mất máy: máy đó thôi gửi, nhận · a device that may no longer sync
    Revoke(lists::Revoke),
}

/// Runs one verb on a hub's folder.
///
/// # Errors
/// What the hub refuses, with the field; exit 2 for a folder without a hub.
pub fn run(args: Args) -> Outcome {
    // What asks for no hub: a backup is looked at where it lies.
    let verb = match args.verb {
        Verb::Backup(backup::Backup { verb: Some(verb), .. }) => return backup::shelf(&verb),
        Verb::Restore(verb) => return backup::restore(&verb),
        verb => verb,
    };
    let at = args.at.ok_or_else(|| Failure::usage("cli.no_data", "--at"))?;
    let is_hub = at.join("hub.db").is_file();
    if matches!(verb, Verb::Init) {
        let hub = open(&at)?;
        let fingerprint = langso_domain::id::to_base32(&hub.fingerprint().0);
        tell(match is_hub {
            true => pick("Máy chủ đã có ở đây.", "The hub is here already."),
            false => pick("Đã tạo máy chủ.", "The hub is made."),
        });
        tell(format_args!("{}: {fingerprint}", pick("Vân khóa", "Fingerprint")));
        return Ok(());
    }
    if !is_hub {
        return Err(Failure::usage("cli.no_hub_here", at.display()));
    }
    let hub = open(&at)?;
    match verb {
        // Done above.
        Verb::Init | Verb::Restore(_) => Ok(()),
        Verb::Place(verb) => roster::place(&hub, &verb),
        Verb::Team(verb) => roster::team(&hub, &verb),
        Verb::Member(verb) => roster::member(&hub, &verb),
        Verb::Trainer(verb) => roster::trainer(&hub, &verb),
        Verb::Code(verb) => roster::code(&hub, &verb),
        Verb::Plan(verb) => roster::plan(&hub, &verb),
        Verb::Stock(verb) => files::stock(&hub, &verb),
        Verb::Content(verb) => files::content(&hub, &verb),
        Verb::List(verb) => lists::list(&hub, &verb),
        Verb::Admit(verb) => lists::admit(&hub, &verb),
        Verb::ImportRescue(verb) => rescue::import(&hub, &verb),
        Verb::Reenter(verb) => lists::reenter(&hub, &verb),
        Verb::Turnover(verb) => turnover::run(&hub, &verb),
        Verb::Status(verb) => backup::status(&hub, &verb),
        Verb::Backup(verb) => backup::make(&hub, &verb),
        Verb::Revoke(verb) => lists::revoke(&hub, &verb),
    }
}

fn open(folder: &Path) -> Outcome<Hub> {
    Hub::open(folder, Clock::system()).map_err(|error: StartError| crate::serve::cannot_open(error, folder))
}

/// What the hub refused. Faults of a file are told one a line, here.
fn refused(error: AdminError) -> Failure {
    match error {
        AdminError::Invalid { field, code } => Failure::input(&field, code),
        AdminError::NotFound { what: "team" } => Failure::new("cli.unknown_team", ""),
        AdminError::NotFound { what: "place" } => Failure::new("cli.unknown_place", ""),
        AdminError::NotFound { what: "device" } => Failure::new("cli.unknown_device", ""),
        AdminError::NotFound { what } => Failure::new("input.not_found", what),
        AdminError::Exists { what } => Failure::new("cli.already_there", what),
        AdminError::Stock(faults) => {
            for fault in &faults {
                let place = format!("{}:{}", fault.line, fault.column);
                fault_line(&place, fault.problem.code(), &fault.value);
            }
            Failure::new("cli.csv", faults.len())
        }
        AdminError::Content(faults) => {
            for fault in &faults {
                let place = format!("{}: {}", fault.file, fault.path);
                fault_line(&place, fault.code, &fault.value);
            }
            Failure::new("cli.content", faults.len())
        }
        error @ (AdminError::Author(_) | AdminError::Replica(_)) => match error.code() {
            "outdated_app" => Failure::new("outdated_app", ""),
            _ => Failure::new("cli.hub_log", ""),
        },
    }
}

fn fault_line(place: &str, code: &str, value: &str) {
    let words = of(&format!("input.{code}")).or_else(|| of(&format!("content.{code}")));
    let words = words.map_or(String::new(), |(vi, en)| format!(" {}", pick(vi, en)));
    let value = if value.is_empty() { String::new() } else { format!(" «{}»", clean(value)) };
    eprintln!("{place}:{words} [{code}]{value}");
}
