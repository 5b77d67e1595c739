//! The ballast: a file of no worth that takes up room while there is some. When the phone is full it is given up, so that
//! what somebody has just typed can still be saved; when there is room again it is made anew.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::folder::{beside, create_private};

/// Many saves, each with the pages that it changes: a visit is about 60 KiB of SQLite's log.
const BYTES: usize = 512 * 1024;
/// So much must be left when it is made, or it would fill the phone itself.
const LEAVE_BYTES: u64 = 4 * 1024 * 1024;
/// Under this a person should make room; from the list of screens.
const LOW_BYTES: u64 = 100 * 1000 * 1000;

fn path(folder: &Path) -> PathBuf {
    folder.join("ballast")
}

/// What is free where the folder lies; none when the system does not say.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let free = rustix::fs::statvfs(folder).ok()?;
    Some(free.f_bavail.saturating_mul(free.f_frsize))
}

/// Whether a person should make room.
pub(crate) fn is_low(folder: &Path) -> bool {
    !path(folder).exists() || free_bytes(folder).is_some_and(|free| free < LOW_BYTES)
}

/// Whether there is one.
pub(crate) fn is_kept(folder: &Path) -> bool {
    path(folder).exists()
}

/// Makes it, if it is not there and there is room.
pub(crate) fn keep(folder: &Path) {
    if is_kept(folder) || free_bytes(folder).is_some_and(|free| free < LEAVE_BYTES + BYTES as u64) {
        return;
    }
    let part = beside(&path(folder), ".part");
    drop(fs::remove_file(&part));
    // Zeros would take no room on a disk that compresses.
    let mut bytes = vec![0; BYTES];
    let written = getrandom::fill(&mut bytes).is_ok()
        && create_private(&part).and_then(|mut file| file.write_all(&bytes)).is_ok()
        && fs::rename(&part, path(folder)).is_ok();
    if !written {
        // A full phone has none.
        drop(fs::remove_file(&part));
    }
}

/// Gives it up.
pub(crate) fn give_up(folder: &Path) {
    drop(fs::remove_file(path(folder)));
}

/// Gives it up when there is hardly room for a save.
pub(crate) fn make_room(folder: &Path) {
    if free_bytes(folder).is_some_and(|free| free < BYTES as u64) {
        give_up(folder);
    }
}
