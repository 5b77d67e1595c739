//! Settings of this phone: how it shows itself, and how much room it takes. They are never sent.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Companion, Nothing};
use crate::ballast;
use crate::error::{AppError, Result};
use crate::facts::{self, name};
use crate::phone::Phone;

/// The feature; see [`Companion::settings`].
pub struct Settings<'a>(pub(super) &'a Companion);

/// The language of the screens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light, which can be read in the sun.
    #[default]
    Light,
    /// Dark.
    Dark,
    /// As the phone.
    System,
}

/// How this phone shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct SettingsView {
    /// The language of the screens.
    pub language: Language,
    /// Percent, 100 to 200.
    pub text_size: u16,
    /// Light or dark.
    pub theme: Theme,
    /// The most bytes of one sync; none = no bound. Set by `sync.set_budget`.
    pub sync_max_bytes: Option<u64>,
}

/// What changes; what is not named stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateSettings {
    /// The language of the screens.
    #[uniffi(default)]
    pub language: Option<Language>,
    /// Percent, 100 to 200.
    #[uniffi(default)]
    pub text_size: Option<u16>,
    /// Light or dark.
    #[uniffi(default)]
    pub theme: Option<Theme>,
}

/// How much room the book takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct Storage {
    /// The database with what SQLite keeps beside it.
    pub database_bytes: u64,
    /// The journal.
    pub journal_bytes: u64,
    /// What is free on the phone; none when it does not say.
    pub free_bytes: Option<u64>,
}

/// As kept in the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    language: Language,
    text_size: u16,
    theme: Theme,
}

impl Default for Kept {
    fn default() -> Self {
        Self { language: Language::default(), text_size: SMALLEST, theme: Theme::default() }
    }
}

const SMALLEST: u16 = 100;
const LARGEST: u16 = 200;

impl Settings<'_> {
    /// The settings; works before enrolment.
    ///
    /// # Errors
    /// Those of storage.
    pub fn get_settings(&self, _: Nothing) -> Result<SettingsView> {
        view(&self.0.phone())
    }

    /// Changes settings; gives all of them.
    ///
    /// # Errors
    /// `InvalidInput` for `text_size` (`out_of_range`).
    pub fn update_settings(&self, update: UpdateSettings) -> Result<SettingsView> {
        let phone = self.0.phone();
        if update.text_size.is_some_and(|size| !(SMALLEST..=LARGEST).contains(&size)) {
            return Err(AppError::invalid("text_size", "out_of_range"));
        }
        let mut kept = kept(&phone)?;
        kept.language = update.language.unwrap_or(kept.language);
        kept.text_size = update.text_size.unwrap_or(kept.text_size);
        kept.theme = update.theme.unwrap_or(kept.theme);
        facts::put(phone.connection(), name::SETTINGS, &kept)?;
        view(&phone)
    }

    /// How much room the book takes, and how much is left.
    ///
    /// # Errors
    /// Those of storage.
    pub fn get_storage(&self, _: Nothing) -> Result<Storage> {
        let phone = self.0.phone();
        let database =
            phone.connection().path().map(Path::new).ok_or_else(|| AppError::unexpected("path"))?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let beside = |ending: &str| size(Path::new(&format!("{}{ending}", database.display())));
        Ok(Storage {
            database_bytes: size(database) + beside("-wal") + beside("-shm"),
            journal_bytes: size(&database.with_file_name("journal")),
            free_bytes: ballast::free_bytes(phone.folder.path()),
        })
    }
}

fn kept(phone: &Phone) -> Result<Kept> {
    Ok(facts::get(phone.connection(), name::SETTINGS)?.unwrap_or_default())
}

fn view(phone: &Phone) -> Result<SettingsView> {
    let Kept { language, text_size, theme } = kept(phone)?;
    let sync_max_bytes = facts::get(phone.connection(), name::BUDGET)?.flatten();
    Ok(SettingsView { language, text_size, theme, sync_max_bytes })
}
