//! How far a campaign has come: a bar on a terminal, a line a month elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use langso_domain::date::CivilDate;
use langso_domain::text;

use crate::words::pick;

/// Tells on standard error, so that standard output holds the result only.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    visits: u64,
    all: u64,
    told: Option<i8>,
}

impl Progress {
    pub fn new(all: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{msg:10} [{bar:40}] {human_pos}/{human_len}  {elapsed}");
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr_with_hz(8));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, visits: 0, all, told: None }
    }

    /// So many more visits are in the phones, by the end of that day.
    pub fn add(&mut self, visits: u64, day: CivilDate) {
        self.visits += visits;
        if let Some(bar) = &self.bar {
            bar.set_message(day.vi());
            bar.set_position(self.visits);
            return;
        }
        let (year, month, _) = day.ymd();
        if self.told.replace(month).is_some_and(|told| told != month) {
            self.say(&format!("{month:02}/{year}"));
        }
    }

    /// What goes on that is no visit.
    pub fn tell(&self, vi: &str, en: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(pick(vi, en).to_owned()),
            None => eprintln!("{}", pick(vi, en)),
        }
    }

    pub fn end(self) {
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => self.say(pick("xong", "done")),
        }
    }

    fn say(&self, until: &str) {
        let (visits, all) = (text::format_count(self.visits as i64), text::format_count(self.all as i64));
        eprintln!("{until}: {visits} / {all} {}", pick("lần giúp", "visits"));
    }
}
