//! `langso admin import-rescue`: what `langso phone rescue` wrote, into the hub's log.

use std::path::PathBuf;

use langso_device::journal;
use langso_domain::id::DeviceId;
use langso_hub::admin::Imported;
use langso_hub::server::Hub;
use langso_sync::frame::MAGIC;

use super::refused;
use crate::terminal::tell;
use crate::words::{Exit, Failure, Outcome, pick};

/// The longest file that is read into memory.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// What is imported.
#[derive(Debug, clap::Args)]
pub(super) struct ImportRescue {
    /// Tệp của phone rescue · a file of phone rescue
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Máy đã viết, khi tệp không có chữ ký · the device that wrote it, when the file is not signed
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

pub(super) fn import(hub: &Hub, verb: &ImportRescue) -> Outcome {
    let unreadable = |_| Failure::new("cli.file", verb.file.display());
    if std::fs::metadata(&verb.file).map_err(unreadable)?.len() > MAX_FILE {
        return Err(Failure::new("input.too_large", verb.file.display()));
    }
    let bytes = std::fs::read(&verb.file).map_err(unreadable)?;
    if bytes.is_empty() || bytes.starts_with(&MAGIC) {
        return told(&hub.import_rescue(&bytes).map_err(refused)?);
    }
    let contents = journal::read(&bytes);
    if contents.records.is_empty() {
        return Err(Failure::new("cli.not_this_kind", verb.file.display()));
    }
    let device = verb.device.as_ref().ok_or_else(|| Failure::usage("input.missing", "--device"))?;
    let device: DeviceId = device.parse().map_err(|_| Failure::usage("cli.unknown_device", "--device"))?;
    let changes: Vec<_> = contents.records.into_iter().map(|record| (record.scope, record.bytes)).collect();
    let skipped = contents.damaged.iter().map(|damaged| damaged.len()).sum();
    told(&Imported { skipped, ..hub.import_vouched(device, &changes).map_err(refused)? })
}

fn told(imported: &Imported) -> Outcome {
    let line = |vi, en, count: u32| tell(format_args!("{:>6}  {}", count, pick(vi, en)));
    line("vào sổ", "new in the log", imported.accepted);
    line("đã có từ trước", "were there before", imported.known);
    for (reason, count) in &imported.set_aside {
        tell(format_args!("{count:>6}  {} ({reason})", pick("chờ được nhận", "wait to be admitted")));
    }
    if imported.collisions > 0 {
        line("trùng khóa, để ngoài sổ", "with a key that is taken, outside the log", imported.collisions);
    }
    for (reason, count) in &imported.refused {
        tell(format_args!("{count:>6}  {} ({reason})", pick("bị từ chối", "refused")));
    }
    if imported.skipped > 0 {
        let what = pick(
            "byte của tệp bị cụt hoặc hỏng, không lấy được; phần nguyên vẹn đã lấy hết",
            "bytes of the file are cut off or damaged; all that is whole was taken",
        );
        tell(format_args!("{:>6}  {what}", imported.skipped));
    }
    if imported.refused.is_empty() && imported.skipped == 0 {
        Ok(())
    } else {
        Err(Failure::told(Exit::Failed))
    }
}
