//! The tree of verbs and which module runs each. A verb's arguments and its work live together in that module, as
//! `Args` and `run`; here they are only named.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::words::{self, Language, Outcome};
use crate::{admin, bench, demo, figures, inspect, phone, serve, simulate};

/// Sổ của tổ công nghệ số cộng đồng · the record book of community digital-technology teams
#[derive(Debug, Parser)]
#[command(name = "langso", version, disable_help_subcommand = true, after_help = AFTER)]
struct Cli {
    /// Ngôn ngữ của nhãn và bảng · the language of labels and tables
    #[arg(long, global = true, value_enum, default_value_t, env = "LANGSO_LANG", value_name = "vi|en")]
    #[arg(hide_default_value = true)]
    lang: Language,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso serve --data HUB                         chạy máy chủ · run a hub
  langso phone --at PHONE enrol INVITE            vào tổ bằng mã mời · join a team
  langso phone --at PHONE visit log               ghi lần giúp · log a visit
  langso phone --at PHONE sync                    gửi và nhận · send and fetch

Mã kết thúc · exit codes:
  0  xong · done
  1  bị từ chối hoặc hỏng, chưa thay đổi gì · refused or failed, nothing was changed
  2  dòng lệnh hoặc tệp cấu hình chưa đúng · the command line or the configuration is not right
  3  chưa gặp được máy chủ, ghi chép còn nguyên · the hub was not reached, the work is kept
  4  thư mục hoặc địa chỉ đang bị dùng hay không ghi được · a folder or address is in use or cannot be written

LANGSO_LANG=en: nhãn bằng tiếng Anh · labels in English";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Cả một đợt mẫu trên máy này · a whole sample campaign on this machine
    Demo(demo::Args),
    #[command(hide = true)]
    DemoPart(demo::PartArgs),
    /// Chạy máy chủ · runs a hub
    Serve(serve::Args),
    /// Việc của người vận hành máy chủ · what an operator does to a hub
    Admin(admin::Args),
    /// Một chiếc điện thoại trong cửa sổ dòng lệnh · a phone in the terminal
    Phone(phone::Args),
    /// Đo những gì sản phẩm hứa · measures what the product promises
    Bench(bench::Args),
    /// Số liệu của tổ, mở được tới từng lần giúp · the team's figures, down to the visits
    Figures(figures::Args),
    /// Xem một tệp mà không thay đổi gì · shows a file and changes nothing
    Inspect(inspect::Args),
    /// Máy, máy chủ và trục trặc theo hạt số · phones, a hub and faults, by seed
    Simulate(simulate::Args),
}

impl Verb {
    fn run(self) -> Outcome {
        match self {
            Self::Demo(args) => demo::run(args),
            Self::DemoPart(args) => demo::run_part(args),
            Self::Serve(args) => serve::run(args),
            Self::Admin(args) => admin::run(args),
            Self::Phone(args) => phone::run(args),
            Self::Bench(args) => bench::run(args),
            Self::Figures(args) => figures::run(args),
            Self::Inspect(args) => inspect::run(args),
            Self::Simulate(args) => simulate::run(args),
        }
    }
}

/// Reads the command line, runs its verb, tells what went wrong; gives how the process ends.
pub fn run(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let read = whole().try_get_matches_from(line).and_then(|found| Cli::from_arg_matches(&found));
    match read {
        Ok(cli) => {
            words::speak(cli.lang);
            words::end(cli.verb.run())
        }
        Err(error) => {
            if error.use_stderr() {
                eprintln!("Lỗi: dòng lệnh chưa đúng, xem --help");
            }
            // A reader that went away has read enough.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(words::Exit::Usage as u8))
        }
    }
}

/// The tree with headings in both languages.
fn whole() -> clap::Command {
    bilingual(Cli::command())
}

const TEMPLATE: &str = "{about-with-newline}\nCách dùng · usage: {usage}\n\n{all-args}{after-help}\n";

fn bilingual(command: clap::Command) -> clap::Command {
    let heading = |arg: clap::Arg| match (arg.get_help_heading(), arg.is_positional()) {
        (None, false) => arg.help_heading("Tùy chọn · options"),
        (None, true) => arg.help_heading("Đối số · arguments"),
        _ => arg,
    };
    // Values are named by the placeholder; what stands in the environment is nobody's business on a screen.
    let plain = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.hide_possible_values(true).hide_env_values(true),
        false => arg,
    };
    let command = match command.get_version() {
        Some(_) => command.arg(
            clap::Arg::new("version")
                .short('V')
                .long("version")
                .action(clap::ArgAction::Version)
                .help("Phiên bản · the version"),
        ),
        None => command,
    };
    command
        .help_template(TEMPLATE)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .subcommand_help_heading("Lệnh · verbs")
        .mut_args(|arg| plain(heading(arg)))
        .arg(
            clap::Arg::new("help")
                .short('h')
                .long("help")
                .action(clap::ArgAction::Help)
                .help("Trang này · this page")
                .help_heading("Tùy chọn · options"),
        )
        .mut_subcommands(bilingual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_verbs_is_sound() {
        whole().debug_assert();
    }
}
