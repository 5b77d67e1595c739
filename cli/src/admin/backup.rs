//! `admin backup`, `backup verify`, `backup list`, `restore` and `status`: what keeps a hub from being the only one
//! that has its teams' work.

use std::path::{Path, PathBuf};

use langso_hub::backup::{self, Error, Kept, Manifest, State};
use langso_hub::clock::{Clock, DAY_MS, HOUR_MS, Millis};
use langso_hub::server::Hub;
use serde_json::json;

use super::progress::Progress;
use super::refused;
use crate::terminal::{Grid, bytes, moment, tell};
use crate::words::{Failure, Outcome, is_english, of, pick};

/// A backup.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = AFTER)]
pub(super) struct Backup {
    /// Thư mục chứa các bản sao lưu, tốt nhất ở ổ khác; mỗi lần một thư mục con mới · where backups go, best on
    /// another disk; each gets a new folder
    #[arg(value_name = "DIR")]
    to: Option<PathBuf>,
    /// In ra một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    pub verb: Option<Shelf>,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso admin --at hub backup /media/usb
  langso admin backup list /media/usb
  langso admin backup verify /media/usb/langso-20261126-023000
  langso admin restore /media/usb/langso-20261126-023000 --to hub-new

Máy chủ vẫn chạy. Chỉ khi đọc lại nguyên vẹn thì bản sao lưu mới được tính, và điện thoại mới được bớt phần đã nằm
trong đó. Thư mục có cả khóa của máy chủ: giữ kín như chính máy chủ.
The hub goes on serving. A backup counts only when it has been read back whole; only then may phones let go of what
is in it. The folder holds the hub's key: guard it like the hub.";

/// What is done with backups that are there.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Shelf {
    /// Đọc lại một bản sao lưu từ đầu đến cuối · reads a backup from its first byte to its last
    Verify {
        /// Thư mục của bản sao lưu · the backup's folder
        #[arg(value_name = "BACKUP")]
        path: PathBuf,
        /// In ra một dòng JSON · prints one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Các bản sao lưu, mới trước: còn nguyên hay hỏng, bao lâu rồi · backups, newest first: whole or damaged, how old
    List {
        /// Thư mục chứa các bản sao lưu · where they are
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        /// In ra một dòng JSON · prints one line of JSON
        #[arg(long)]
        json: bool,
    },
}

/// What is restored.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Thư mục của bản sao lưu · the backup's folder
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
    /// Thư mục của máy chủ dựng lại: trống hoặc chưa có · the new hub's folder: empty, or not there yet
    #[arg(long, value_name = "HUB")]
    to: PathBuf,
    /// In ra một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
}

/// How the hub stands.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// In ra một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn make(hub: &Hub, verb: &Backup) -> Outcome {
    let to = verb.to.as_deref().ok_or_else(|| Failure::usage("input.missing", "DIR"))?;
    let mut progress = Progress::default();
    let made = hub.back_up(to, &mut |stage, done, all| progress.show(stage, done, all));
    progress.end();
    let made = made.map_err(failed)?;
    if verb.json {
        tell(about(&made.folder, &made.manifest));
        return Ok(());
    }
    let folder = made.folder.display();
    tell(format_args!("{} {folder}", pick("Đã sao lưu và đọc lại:", "Backed up and read back:")));
    tell_of(&made.manifest);
    if is_same_disk(&hub.folder, &made.folder) {
        tell(pick(
            "Bản này nằm cùng ổ đĩa với máy chủ: ổ hỏng thì mất cả hai. Chép thêm sang ổ khác.",
            "It lies on the same disk as the hub and would be lost with it. Keep a copy on another one.",
        ));
    }
    Ok(())
}

pub(super) fn shelf(verb: &Shelf) -> Outcome {
    let mut progress = Progress::default();
    let mut show = |stage, done, all| progress.show(stage, done, all);
    match verb {
        Shelf::Verify { path, json } => {
            let verified = backup::verify(path, &mut show);
            progress.end();
            let verified = verified.map_err(failed)?;
            if *json {
                tell(about(path, &verified.manifest));
                return Ok(());
            }
            tell(pick("Bản sao lưu còn nguyên vẹn.", "The backup is whole."));
            tell_of(&verified.manifest);
        }
        Shelf::List { dir, json } => {
            let kept = backup::list(dir, &mut show);
            progress.end();
            let (kept, now) = (kept.map_err(failed)?, Clock::system().now());
            if *json {
                tell(serde_json::Value::Array(kept.iter().map(|one| listed(one, now)).collect()));
                return Ok(());
            }
            let mut grid = Grid::new(&[3]);
            kept.iter().for_each(|one| grid.row(line(one, now)));
            match grid.is_empty() {
                true => tell(pick("Chưa có bản sao lưu nào ở đây.", "There is no backup here yet.")),
                false => grid.tell(),
            }
        }
    }
    Ok(())
}

pub(super) fn restore(verb: &Restore) -> Outcome {
    let mut progress = Progress::default();
    let restored =
        backup::restore(&verb.from, &verb.to, &mut |stage, done, all| progress.show(stage, done, all));
    progress.end();
    let restored = restored.map_err(failed)?;
    if verb.json {
        tell(about(&restored.folder, &restored.manifest));
        return Ok(());
    }
    tell(format_args!("{} {}", pick("Đã dựng lại máy chủ ở", "The hub is restored in"), verb.to.display()));
    tell_of(&restored.manifest);
    tell(match is_english() {
        false => format!("Chạy: langso serve --data {}. Đừng chạy máy chủ cũ nữa.", verb.to.display()),
        true => format!("Start it: langso serve --data {}. Do not run the old hub again.", verb.to.display()),
    });
    tell(pick(
        "Điện thoại tự nhận ra máy chủ vừa dựng lại và gửi lại những gì bản sao lưu chưa có; không ai phải làm gì.",
        "Phones notice the restored hub by themselves and send again what the backup lacks; nobody has to do anything.",
    ));
    Ok(())
}

pub(super) fn status(hub: &Hub, verb: &Status) -> Outcome {
    let standing = hub.standing().map_err(refused)?;
    let last = standing.last_backup.as_ref();
    if verb.json {
        let backup = last.map(|last| {
            let age = standing.now.0 - last.at.0;
            json!({"at_ms": last.at.0, "age_ms": age, "folder": last.folder, "bytes": last.bytes, "changes": last.changes})
        });
        tell(json!({
            "teams": standing.teams, "devices": standing.devices, "changes": standing.changes,
            "backed_up": standing.backed_up, "waiting": standing.waiting, "last_backup": backup,
            "hub_time_ms": standing.now.0,
        }));
        return Ok(());
    }
    let mut grid = Grid::new(&[1]);
    for (vi, en, count) in [
        ("tổ", "teams", standing.teams as u64),
        ("máy", "devices", standing.devices as u64),
        ("thay đổi", "changes", standing.changes),
        ("đã sao lưu", "in the backup", standing.backed_up),
        ("chờ nhận", "set aside", standing.waiting as u64),
    ] {
        grid.row([pick(vi, en).to_owned(), count.to_string()]);
    }
    grid.tell();
    tell(said_of(last.map(|last| last.at), standing.now));
    if let Some(last) = last {
        tell(format_args!("  {}, {}", last.folder, bytes(last.bytes)));
    }
    Ok(())
}

/// One sentence on the last backup, with a warning where one is due.
pub(crate) fn said_of(last: Option<Millis>, now: Millis) -> String {
    let Some(last) = last else {
        return pick(
            "CHƯA CÓ BẢN SAO LƯU: ổ hỏng là mất phần chỉ máy chủ có; điện thoại giữ lại tất cả. Sao lưu: langso admin backup",
            "NO BACKUP YET: what only the hub has is lost with its disk; phones keep everything. Make one: langso admin backup",
        )
        .to_owned();
    };
    let said =
        format!("{} {}, {}", pick("Sao lưu lần cuối:", "Last backup:"), moment(last.0), age(last, now));
    match is_old(last, now) {
        true => format!("{said}. {}", pick("ĐÃ LÂU, cần sao lưu lại", "TOO OLD: make a new one")),
        false => said,
    }
}

/// A backup should be a day old at most; the second day is for a night on which it failed.
pub(crate) fn is_old(last: Millis, now: Millis) -> bool {
    now.0 - last.0 > 2 * DAY_MS
}

/// How long ago, as people say it.
fn age(since: Millis, now: Millis) -> String {
    let hours = (now.0 - since.0).max(0) / HOUR_MS;
    match (hours, is_english()) {
        (0, false) => "chưa đầy một giờ trước".to_owned(),
        (0, true) => "less than an hour ago".to_owned(),
        (1..48, false) => format!("{hours} giờ trước"),
        (1..48, true) => format!("{hours} h ago"),
        (_, false) => format!("{} ngày trước", hours / 24),
        (_, true) => format!("{} days ago", hours / 24),
    }
}

fn tell_of(manifest: &Manifest) {
    let held = langso_domain::text::format_count(manifest.changes as i64);
    let size = bytes(manifest.bytes());
    tell(match is_english() {
        false => format!(
            "  {}: {held} thay đổi trong {} phạm vi, {size}",
            moment(manifest.made_at_ms),
            manifest.scopes.len()
        ),
        true => format!(
            "  {}: {held} changes in {} scopes, {size}",
            moment(manifest.made_at_ms),
            manifest.scopes.len()
        ),
    });
}

fn about(folder: &Path, manifest: &Manifest) -> serde_json::Value {
    json!({
        "folder": folder, "made_at_ms": manifest.made_at_ms, "bytes": manifest.bytes(),
        "changes": manifest.changes, "scopes": manifest.scopes.len(), "hub": manifest.hub,
        "program": manifest.program,
    })
}

fn listed(kept: &Kept, now: Millis) -> serde_json::Value {
    match &kept.state {
        State::Whole(manifest) => json!({
            "folder": kept.folder, "state": "whole", "made_at_ms": manifest.made_at_ms,
            "age_ms": now.0 - manifest.made_at_ms, "bytes": manifest.bytes(), "changes": manifest.changes,
        }),
        State::Damaged(why) => json!({
            "folder": kept.folder, "state": "damaged", "fault": why.code(), "file": why.path(),
        }),
        State::Unfinished => json!({"folder": kept.folder, "state": "unfinished"}),
    }
}

fn line(kept: &Kept, now: Millis) -> [String; 4] {
    let name = kept.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match &kept.state {
        State::Whole(manifest) => {
            let made = Millis(manifest.made_at_ms);
            [name, pick("còn nguyên", "whole").to_owned(), age(made, now), bytes(manifest.bytes())]
        }
        State::Damaged(why) => {
            let file =
                why.path().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            let words = of(&format!("backup.{}", why.code())).map_or(why.code(), |(vi, en)| pick(vi, en));
            [name, pick("HỎNG", "DAMAGED").to_owned(), format!("{file}: {words}"), String::new()]
        }
        State::Unfinished => {
            let words = pick("chưa xong, không dùng được", "unfinished, of no use");
            [name, words.to_owned(), String::new(), String::new()]
        }
    }
}

fn failed(error: Error) -> Failure {
    let at = error.path().map_or_else(String::new, |path| path.display().to_string());
    Failure::new(&format!("backup.{}", error.code()), at)
}

#[cfg(unix)]
fn is_same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let disk = |path: &Path| std::fs::metadata(path).map(|of| of.dev()).ok();
    disk(one).is_some_and(|of| Some(of) == disk(other))
}

#[cfg(not(unix))]
fn is_same_disk(_: &Path, _: &Path) -> bool {
    false
}
