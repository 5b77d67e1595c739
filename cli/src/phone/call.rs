//! `langso phone call`: every method of `Companion` by its name, JSON in and JSON out, so that any program can drive
//! a phone. Errors are JSON too, on standard output, with exit code 1.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use langso_device::{AppError, Companion};
use serde_json::Value;

use super::{folder, open_or_make, wait};
use crate::terminal::tell;
use crate::words::{Exit, Failure, Outcome};

/// The longest input that is read.
const MAX_INPUT: u64 = 4 * 1024 * 1024;

/// Gọi một lệnh của điện thoại bằng JSON · runs one call of the phone by JSON
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Tên lệnh gọi, ví dụ sync.get_status · the call's name, such as sync.get_status
    #[arg(value_name = "FEATURE.METHOD", required_unless_present = "list")]
    name: Option<String>,
    /// In mọi lệnh gọi · prints the name of every call
    #[arg(long, conflicts_with = "name")]
    list: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso phone call --list
  langso phone --at may-1 call sync.get_status < /dev/null
  echo '{\"label\": \"Hộ 12\"}' | langso phone --at may-1 call households.create_household

Không có đầu vào thì là {}. Lỗi cũng là JSON, ví dụ:
No input stands for {}. Errors are JSON too, such as:
  {\"error\":\"invalid_input\",\"field\":\"label\",\"code\":\"missing\"}";

/// Runs one call.
pub(super) fn run(at: Option<PathBuf>, args: Args) -> Outcome {
    let Some(name) = args.name else {
        let mut names: Vec<_> = Companion::call_names().collect();
        names.sort_unstable();
        names.into_iter().for_each(tell);
        return Ok(());
    };
    let folder = folder(at)?;
    let answer = read().and_then(|input| {
        if !Companion::call_names().any(|known| known == name) {
            return Err(AppError::InvalidInput { field: "call".to_owned(), code: "unknown".to_owned() });
        }
        let companion = open_or_make(&folder)?;
        wait(companion.call_and_wait(&name, input))
            .map_err(|failure| AppError::Unexpected { reason: failure.at })?
    });
    match answer {
        Ok(output) => {
            tell(output);
            Ok(())
        }
        Err(error) => {
            let told = serde_json::to_string(&error);
            tell(told.map_err(|_| Failure::new("unexpected", "json"))?);
            Err(Failure::told(Exit::Failed))
        }
    }
}

fn read() -> langso_device::Result<Value> {
    let refused = |code: &str| AppError::InvalidInput { field: String::new(), code: code.to_owned() };
    let stdin = std::io::stdin();
    let mut text = String::new();
    if !stdin.is_terminal() {
        let read = stdin.lock().take(MAX_INPUT + 1).read_to_string(&mut text);
        read.map_err(|_| refused("not_json"))?;
    }
    if text.len() as u64 > MAX_INPUT {
        return Err(refused("too_long"));
    }
    if text.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(&text).map_err(|_| refused("not_json"))
}
