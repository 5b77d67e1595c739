//! What a hub is told: flags before the environment before the file before the defaults. A key that nobody knows
//! refuses the start, so that a slip of the finger is not taken for a setting.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use langso_hub::server::{Config, Limits};
use serde::Deserialize;

use crate::words::{Failure, Outcome};

const USUAL_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7_300);
const USUAL_LOG: &str = "info";

/// Chạy máy chủ: nhận, giữ và trả sổ của các tổ · runs a hub: takes, keeps and gives the teams' books
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Tệp cấu hình TOML · a TOML file with settings
    #[arg(long, env = "LANGSO_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Thư mục giữ mọi thứ, tạo nếu chưa có · the folder with everything that matters; made if need be
    #[arg(long, env = "LANGSO_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Địa chỉ để nghe; cổng 0 = cổng trống bất kỳ (127.0.0.1:7300) · where to listen; port 0 takes a free one
    #[arg(long, env = "LANGSO_LISTEN", value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Một lần gửi dài nhất, bằng byte · the longest body of a request, in bytes
    #[arg(long, env = "LANGSO_REQUEST_BYTES", value_name = "N", help_heading = LIMITS)]
    #[arg(value_parser = clap::value_parser!(u64).range(REQUEST_BYTES))]
    request_bytes: Option<u64>,
    /// Số yêu cầu cùng lúc · requests at a time; more are asked to come again
    #[arg(long, env = "LANGSO_REQUESTS", value_name = "N", help_heading = LIMITS)]
    #[arg(value_parser = clap::value_parser!(u32).range(*REQUESTS.start() as i64..=*REQUESTS.end() as i64))]
    requests: Option<u32>,
    /// Máy im giữa chừng tối đa, bằng ms · how long a phone may send nothing inside a request, in ms
    #[arg(long, env = "LANGSO_STALL_MS", value_name = "N", help_heading = LIMITS)]
    #[arg(value_parser = clap::value_parser!(u64).range(STALL_MS))]
    stall_ms: Option<u64>,
    /// Mức ghi nhật ký: error, warn, info, debug, hoặc theo phần · log level, or levels by part
    #[arg(long, env = "LANGSO_LOG", value_name = "LEVEL")]
    log: Option<String>,
    /// Dạng nhật ký · the form of the log
    #[arg(long, env = "LANGSO_LOG_FORMAT", value_enum, value_name = "text|json")]
    log_format: Option<LogFormat>,
    /// In địa chỉ và vân khóa thành một dòng JSON · prints address and fingerprint as one line of JSON
    #[arg(long)]
    json: bool,
}

const REQUEST_BYTES: RangeInclusive<u64> = 64 * 1024..=1024 * 1024 * 1024;
const REQUESTS: RangeInclusive<u64> = 1..=100_000;
const STALL_MS: RangeInclusive<u64> = 100..=3_600_000;

const LIMITS: &str = "Giới hạn · limits";

const AFTER: &str = "\
Ví dụ · examples:
  langso serve --data hub
  langso serve --data hub --listen 0.0.0.0:7300
  LANGSO_DATA=hub langso serve --log-format json
  langso serve --config hub.toml

Tệp cấu hình · the configuration file:
  data = \"hub\"                 # đường dẫn tính từ tệp này · taken from this file's place
  listen = \"0.0.0.0:7300\"
  log = \"info\"
  log_format = \"json\"
  [limits]
  request_bytes = 8388608
  requests = 256
  stall_ms = 60000

Cờ đứng trước biến môi trường, biến môi trường trước tệp.
Flags come before the environment, the environment before the file.
Kiểm tra · health: GET /healthz";

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    #[serde(default)]
    limits: LimitsInFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsInFile {
    request_bytes: Option<u64>,
    requests: Option<u32>,
    stall_ms: Option<u64>,
}

/// All that was said, put together.
#[derive(Debug)]
pub(super) struct Settings {
    pub config: Config,
    pub log: String,
    pub log_format: LogFormat,
    pub is_json: bool,
}

impl Args {
    /// Puts flags, environment and file together.
    pub(super) fn read(self) -> Outcome<Settings> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => ConfigFile::default(),
        };
        let data = self.data.or(file.data).ok_or_else(|| Failure::usage("cli.no_data", ""))?;
        let mut config = Config::new(data, self.listen.or(file.listen).unwrap_or(USUAL_LISTEN));
        let usual = Limits::default();
        let requests = self.requests.or(file.limits.requests);
        config.limits = Limits {
            request_bytes: self.request_bytes.or(file.limits.request_bytes).unwrap_or(usual.request_bytes),
            requests: requests.map_or(usual.requests, |requests| requests as usize),
            stall_ms: self.stall_ms.or(file.limits.stall_ms).unwrap_or(usual.stall_ms),
        };
        Ok(Settings {
            config,
            log: self.log.or(file.log).unwrap_or_else(|| USUAL_LOG.to_owned()),
            log_format: self.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            is_json: self.json,
        })
    }
}

/// No configuration is longer.
const MAX_FILE: u64 = 64 * 1024;

fn read_file(path: &Path) -> Outcome<ConfigFile> {
    let unreadable = |_| Failure::usage("cli.config_unreadable", path.display());
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_FILE {
        return Err(Failure::usage("cli.config_unreadable", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Outcome<ConfigFile> {
    let mut file: ConfigFile = toml::from_str(text).map_err(|error| refused(path, text, &error))?;
    // What a flag may not say a file may not say either.
    let LimitsInFile { request_bytes, requests, stall_ms } = &file.limits;
    let limits = [
        ("request_bytes", *request_bytes, REQUEST_BYTES),
        ("requests", requests.map(u64::from), REQUESTS),
        ("stall_ms", *stall_ms, STALL_MS),
    ];
    if let Some((key, ..)) =
        limits.iter().find(|(_, value, range)| value.is_some_and(|value| !range.contains(&value)))
    {
        return Err(Failure::usage("cli.config", format_args!("{}: {key}", path.display())));
    }
    // A path in the file means the same wherever the hub is started from.
    file.data = file.data.map(|data| path.parent().unwrap_or(Path::new("")).join(data));
    Ok(file)
}

/// Names file, line and key.
fn refused(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
    let place = format!("{}:{line}", path.display());
    match error.message().strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
        Some(key) => Failure::usage("cli.config_unknown_key", format_args!("{place}: {key}")),
        None => {
            let key = text.lines().nth(line - 1).and_then(|line| line.split('=').next()).unwrap_or_default();
            Failure::usage("cli.config", format_args!("{place}: {}", key.trim()))
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[path = "../../../core/sync/tests/fuzz/mill.rs"]
mod mill;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_are_refused_by_file_and_key_and_what_is_accepted_is_in_range() {
        let fuzz = mill::Fuzz { name: "settings", cases: 3_000, pieces: mill::TEXT, bound: 16 << 20 };
        mill::run(&fuzz, |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return false };
            match parse(Path::new("hub.toml"), text) {
                Ok(file) => {
                    let bytes = file.limits.request_bytes.is_none_or(|bytes| REQUEST_BYTES.contains(&bytes));
                    assert!(bytes && file.limits.requests.is_none_or(|requests| requests > 0));
                    true
                }
                Err(failure) => {
                    assert!(failure.at.starts_with("hub.toml"), "{}", failure.at);
                    false
                }
            }
        });
    }
}
