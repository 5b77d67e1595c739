//! [`Phone`] for Kotlin and Swift: records in, one call, records out. What is done, and the records, are those of
//! `langso-device`; here is only what a crossing needs: a panic becomes an error and the phone goes on.
//!
//! The calls are written by `build.rs` from the features of the core, with their documentation.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, AbortRegistration, Abortable};
use langso_device::companion::{self, Changed};
use langso_device::{AppError, SystemTime};

uniffi::setup_scaffolding!();

/// An open phone. One object for all features; calls may come from any thread and at the same time.
#[derive(uniffi::Object)]
pub struct Phone {
    phone: langso_device::Companion,
}

/// What a panic is to a shell.
fn panicked() -> AppError {
    AppError::Unexpected { reason: "panic".to_owned() }
}

#[uniffi::export]
impl Phone {
    /// Opens or makes the phone in a folder. Takes as long as the folder needs: some ms, or seconds after damage.
    ///
    /// # Errors
    /// `Locked` while another process has the folder open (`open_elsewhere`) or it cannot be written
    /// (`folder_read_only`); `OutdatedApp` for data of a newer app; `StorageFull`.
    #[uniffi::constructor]
    pub fn open(folder: String) -> Result<Arc<Self>, AppError> {
        let open = || langso_device::Companion::open(Path::new(&folder), Arc::new(SystemTime));
        let phone = std::panic::catch_unwind(open).unwrap_or_else(|_| Err(panicked()))?;
        Ok(Arc::new(Self { phone }))
    }
}

/// Ends a call that waits for the hub; for shells whose own cancellation does not reach a call. Of one call only.
#[derive(uniffi::Object)]
pub struct Cancel {
    handle: AbortHandle,
    registration: Mutex<Option<AbortRegistration>>,
}

#[uniffi::export]
impl Cancel {
    /// For the next call.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        let (handle, registration) = AbortHandle::new_pair();
        Arc::new(Self { handle, registration: Mutex::new(Some(registration)) })
    }

    /// The call ends with `Offline` (`stopped`); what had arrived stays. Before the call: it ends at once. After it:
    /// nothing.
    pub fn cancel(&self) {
        self.handle.abort();
    }
}

/// Who wants to know that something has changed.
#[uniffi::export(with_foreign)]
pub trait Listener: Send + Sync {
    /// Something has changed. Called on a thread of the core, one at a time, at most ten times a second; must not block.
    fn changed(&self, changed: Changed);
}

struct Told(Arc<dyn Listener>);

impl companion::Listener for Told {
    fn changed(&self, changed: Changed) {
        self.0.changed(changed);
    }
}

/// A listener is told until this is dropped.
#[derive(uniffi::Object)]
pub struct Watching {
    _held: companion::Watching,
}

#[uniffi::export]
impl Phone {
    /// Tells the listener of what changes from now on, until the handle is let go of.
    ///
    /// # Errors
    /// `Unexpected` when the machine gives no thread.
    pub fn watch(&self, listener: Arc<dyn Listener>) -> Result<Arc<Watching>, AppError> {
        let held = self.phone.watch(Arc::new(Told(listener)))?;
        Ok(Arc::new(Watching { _held: held }))
    }
}

impl Phone {
    fn run<O>(&self, call: impl Fn(&langso_device::Companion) -> Result<O, AppError>) -> Result<O, AppError> {
        // A save is one transaction: what a panic leaves behind is what was there before it.
        let run = AssertUnwindSafe(|| self.phone.attempt(call));
        std::panic::catch_unwind(run).unwrap_or_else(|_| Err(panicked()))
    }

    async fn wait<O, F>(&self, cancel: &Cancel, call: impl Fn() -> F) -> Result<O, AppError>
    where
        F: Future<Output = Result<O, AppError>>,
    {
        let registration = cancel.registration.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(registration) = registration else {
            return Err(AppError::Unexpected { reason: "a cancel of another call".to_owned() });
        };
        let wait = AssertUnwindSafe(self.phone.attempt_waiting(call)).catch_unwind();
        match Abortable::new(wait, registration).await {
            Ok(ended) => ended.unwrap_or_else(|_| Err(panicked())),
            Err(_) => Err(AppError::Offline { why: "stopped".to_owned() }),
        }
    }
}

#[allow(clippy::clone_on_copy, reason = "written in one form for every record")]
mod calls {
    use std::sync::Arc;

    use langso_device::AppError;

    use super::{Cancel, Phone};

    include!(concat!(env!("OUT_DIR"), "/calls.rs"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> companion::Nothing {
        companion::Nothing {}
    }

    #[test]
    fn a_panic_becomes_an_error_and_the_phone_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let phone = Phone::open(folder.path().display().to_string()).expect("opens");
        let fault = |core: &langso_device::Companion| -> Result<(), AppError> {
            core.state().get_state(nothing())?;
            panic!("a fault of ours")
        };
        assert_eq!(phone.run(fault), Err(panicked()));
        phone.run(|core| core.state().get_state(nothing())).expect("goes on");

        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let cancel = Cancel::new();
        let waits = phone.wait::<(), _>(&cancel, || async { panic!("a fault of ours") });
        assert_eq!(runtime.block_on(waits), Err(panicked()));
        phone.run(|core| core.state().get_state(nothing())).expect("goes on");
    }
}
