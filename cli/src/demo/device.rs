//! A member's app on a phone: the open `Companion`, the way it ends, and what it meets when it starts again.

use std::io::BufRead;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use langso_device::companion::SyncNow;
use langso_device::{AppError, Companion};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::DemoError;
use super::air::Air;
use super::clock::PhoneClock;
use super::part::Part;
use super::victim::LastCall;
use crate::campaign::event::KillDuring;

/// A device of one member: a folder, and the app while it runs.
pub(super) struct Device {
    folder: PathBuf,
    pub clock: Arc<PhoneClock>,
    app: Option<Companion>,
    runtime: Rc<Runtime>,
    /// At which moment the app is going to be killed.
    pub doomed: Option<KillDuring>,
    /// Counts what must be told apart within this device.
    count: u64,
}

impl Device {
    pub fn new(folder: PathBuf, clock: Arc<PhoneClock>, runtime: Rc<Runtime>) -> Self {
        Self { folder, clock, app: None, runtime, doomed: None, count: 0 }
    }

    /// The app, started when it is not running.
    pub fn app(&mut self) -> Result<&Companion, DemoError> {
        if self.app.is_none() {
            self.app = Some(Companion::open(&self.folder, self.clock.clone())?);
        }
        self.app.as_ref().ok_or(DemoError::Unexpected("an app that did not start"))
    }

    /// The process of the app ends between two calls.
    pub fn quit(&mut self) {
        self.app = None;
    }

    /// A token of a form.
    pub fn token(&mut self) -> String {
        self.count += 1;
        format!("form {}", self.count)
    }

    /// A call that writes. When the app is doomed to be killed while saving, another process makes the call first
    /// and is killed on the way; the member looks and saves again: by the form's token it is there once.
    pub fn save<I: Serialize, O: DeserializeOwned>(&mut self, name: &str, input: &I) -> Result<O, DemoError> {
        let input = serde_json::to_value(input)?;
        if self.doomed == Some(KillDuring::Save) {
            self.doomed = None;
            self.killed_in(name, input.clone())?;
        }
        let answer = self.app()?.call(name, input).map_err(|error| DemoError::call(name, error))?;
        Ok(serde_json::from_value(answer)?)
    }

    /// Another process of the app makes that call and is killed within the time that a save takes.
    pub fn killed_in(&mut self, name: &str, input: serde_json::Value) -> Result<(), DemoError> {
        let mut victim = self.victim(name, input)?;
        self.count += 1;
        // Odd moments, other ones each time; a durable save takes some milliseconds.
        let lives = Duration::from_micros(self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52);
        victim.answer::<bool>()?;
        let began = Instant::now();
        while began.elapsed() < lives {
            std::hint::spin_loop();
        }
        victim.kill()
    }

    fn victim(&mut self, name: &str, input: serde_json::Value) -> Result<Part, DemoError> {
        self.quit();
        let folder = self.folder.to_string_lossy();
        let mut victim = Part::start("victim", &["--at", &folder], None)?;
        // A form is checked before it is saved; the save itself is then all that is left to do.
        let before = (name == "visits.log_visit").then(|| "visits.check_visit".to_owned());
        victim.order(&LastCall { clock: self.clock.face(), before, name: name.to_owned(), input })?;
        Ok(victim)
    }

    pub fn join(&mut self, invite: String) -> Result<(), DemoError> {
        let runtime = self.runtime.clone();
        let input = langso_device::companion::InviteText { invite, device_name: String::new() };
        runtime.block_on(self.app()?.enrolment().join_team(input)).map(drop).map_err(DemoError::from)
    }

    /// A sync that the signal lets end.
    pub fn sync(&mut self) -> Result<(), DemoError> {
        let runtime = self.runtime.clone();
        let report = runtime.block_on(self.app()?.sync().sync_now(SyncNow::default()))?;
        if report.is_done && report.waiting == 0 {
            return Ok(());
        }
        Err(DemoError::Unexpected("a sync with signal that left work behind"))
    }

    /// A sync whose signal goes after so many bytes; whether it was cut short by it.
    pub fn sync_until(&mut self, air: &Air, bytes: u32) -> Result<bool, DemoError> {
        let runtime = self.runtime.clone();
        air.cut_after(bytes);
        let ended = runtime.block_on(self.app()?.sync().sync_now(SyncNow::default()));
        air.clear();
        match ended {
            Ok(_) => Ok(false),
            Err(AppError::Offline { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// A sync during which the app is killed, once so many bytes have passed; it may have ended before.
    pub fn sync_killed(&mut self, air: &Air, bytes: u32) -> Result<(), DemoError> {
        let runtime = self.runtime.clone();
        air.hold_after(bytes);
        let mut victim = self.victim("sync.sync_now", serde_json::json!({}))?;
        let answers = victim.take_answers();
        let said = runtime.block_on(async {
            let listens =
                tokio::task::spawn_blocking(move || answers.map_or(0, |answers| answers.lines().count()));
            tokio::select! {
                said = listens => said.unwrap_or(0),
                () = air.stands_still() => 1,
            }
        });
        victim.kill()?;
        air.clear();
        if said > 0 { Ok(()) } else { Err(DemoError::Unexpected("an app that did not start")) }
    }
}
