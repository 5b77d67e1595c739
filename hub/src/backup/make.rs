//! Making a backup: copy, write down, force out, read back, name, and only then raise the watermark.

use std::path::{Path, PathBuf};

use super::files::{self, From};
use super::manifest::{self, Manifest};
use super::verify::{self, Verified};
use super::{DB, Error, KEY, MANIFEST, NAMED, Result, SUMS, Stage, Tell, UNFINISHED};
use crate::clock::{HOUR_MS, Millis};
use crate::log::BackedUp;
use crate::server::Hub;

/// From UTC to the time of Vietnam, the whole year.
const VIETNAM_MS: i64 = 7 * HOUR_MS;

/// A backup that was made and read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// Its folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

impl Hub {
    /// Makes a backup in a new folder below `shelf`, which is made when it is not there; others go on writing. When
    /// it returns, the backup has been read back and the watermarks stand at its ends. Twice makes two.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what was written does not read back, or the hub's own log is damaged already;
    /// [`Error::Io`]; [`Error::Log`]. No watermark has moved then, and the folder begun is taken away again where
    /// that is possible.
    pub fn back_up(&self, shelf: &Path, tell: Tell<'_>) -> Result<Made> {
        files::make_folders(shelf)?.iter().try_for_each(|holding| files::force(holding))?;
        let now = self.clock.now();
        let (draft, folder) = begin(shelf, now)?;
        let made = self.write_and_read(&draft, now, tell).and_then(|verified| {
            std::fs::rename(&draft, &folder).map_err(Error::io(&folder))?;
            files::force(shelf)?;
            Ok(verified)
        });
        let Verified { manifest, ends } = match made {
            Ok(verified) => verified,
            Err(why) => {
                // Only what this call itself began; when even that fails, its name still says that it is unfinished.
                let _ = std::fs::remove_dir_all(&draft);
                return Err(why);
            }
        };
        let told = told(&folder, &manifest);
        self.log.add_backup(&told, &ends)?;
        Ok(Made { folder, manifest })
    }

    fn write_and_read(&self, draft: &Path, now: Millis, tell: Tell<'_>) -> Result<Verified> {
        let (db, key) = (draft.join(DB), draft.join(KEY));
        files::make_file(&db)?;
        let copied = self.log.copy_to(&db, &mut |done, all| tell(Stage::Copying, done, all));
        let holds = copied.map_err(|why| super::copying(&db, why))?;
        files::force(&db)?;
        let of_key = files::copy(&self.folder.join(KEY), &key, &mut |_, _, _| {})?;
        let of_db = files::hash(&db, From::Memory, tell)?;
        let listed = vec![manifest::of_file(DB, of_db), manifest::of_file(KEY, of_key)];
        let path = draft.join(MANIFEST);
        let text = Manifest::of(&holds, now.0, listed).text().map_err(Error::io(&path))?;
        files::write(&path, text.as_bytes())?;
        let sums = manifest::sums(&of_db.1, &of_key.1, text.as_bytes());
        files::write(&draft.join(SUMS), sums.as_bytes())?;
        files::force(draft)?;
        verify::verify(draft, tell)
    }
}

/// A backup as a log remembers it.
pub(super) fn told(folder: &Path, manifest: &Manifest) -> BackedUp {
    let place = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    BackedUp {
        at: Millis(manifest.made_at_ms),
        folder: place.to_string_lossy().into_owned(),
        bytes: manifest.bytes(),
        changes: manifest.changes,
    }
}

/// Makes the folder of a backup under its name until it is read back, and tells that name: the moment in the time of
/// Vietnam. Two backups of one second get different ones: who made the folder has the name.
fn begin(shelf: &Path, now: Millis) -> Result<(PathBuf, PathBuf)> {
    let (year, month, day) = now.date().ymd();
    let second = now.plus(VIETNAM_MS).0.div_euclid(1_000).rem_euclid(86_400);
    let time = format!("{:02}{:02}{:02}", second / 3_600, second / 60 % 60, second % 60);
    let name = format!("{NAMED}{year:04}{month:02}{day:02}-{time}");
    for n in 1..=u16::MAX {
        let name = if n == 1 { name.clone() } else { format!("{name}-{n}") };
        let (draft, folder) = (shelf.join(format!("{UNFINISHED}{name}")), shelf.join(&name));
        if !files::make_folder(&draft)? {
            continue;
        }
        // Whoever had the name before has renamed its folder by now.
        match folder.try_exists() {
            Ok(false) => return Ok((draft, folder)),
            taken => {
                std::fs::remove_dir(&draft).map_err(Error::io(&draft))?;
                taken.map_err(Error::io(&folder))?;
            }
        }
    }
    Err(Error::NotEmpty(shelf.to_owned()))
}
