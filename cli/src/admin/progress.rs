//! How far a long work on a hub's files has come: a bar on a terminal, nothing elsewhere, where nobody watches.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use langso_hub::backup::Stage;

use crate::words::pick;

/// Tells on standard error, so that standard output holds the result only.
#[derive(Default)]
pub(super) struct Progress {
    bar: Option<(Stage, ProgressBar)>,
}

impl Progress {
    /// So much of the stage is done.
    pub fn show(&mut self, stage: Stage, done: u64, all: u64) {
        if self.bar.as_ref().is_none_or(|(of, _)| *of != stage) {
            self.end();
            if !std::io::stderr().is_terminal() {
                return;
            }
            let word = match stage {
                Stage::Copying => pick("chép", "copying"),
                Stage::Hashing => pick("đọc tệp", "reading files"),
                Stage::Reading => pick("đọc lại từng thay đổi", "reading each change"),
            };
            let style = ProgressStyle::with_template("{msg:24} [{bar:40}] {percent}%  {elapsed}");
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr_with_hz(8));
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar = Some((stage, bar.with_message(word)));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        }
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
