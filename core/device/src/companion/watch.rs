//! Telling a shell that something has changed, so that a screen can ask again: how far a sync is, that receipts or rows
//! came, that the shelf of conflicts is another. It says that, never what: the calls do.
//!
//! A listener is told on a thread of its own, at most ten times a second, all that happened between in one. The last
//! change is always told.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::Companion;
use crate::error::{AppError, Result};

/// From one telling to the next.
const BETWEEN: Duration = Duration::from_millis(100);

/// What may be another since the listener was last told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct Changed {
    /// How far the running sync is; none = nothing new of a sync.
    #[uniffi(default)]
    pub sync: Option<SyncProgress>,
    /// Something has arrived at the hub or in its backup, or was lost there.
    #[uniffi(default)]
    pub receipts: bool,
    /// Rows were saved here, or have come.
    #[uniffi(default)]
    pub book: bool,
    /// A conflict has come or was settled.
    #[uniffi(default)]
    pub shelf: bool,
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct SyncProgress {
    /// False when it has ended, well or not, or was stopped.
    pub is_running: bool,
    /// Bytes of request bodies so far.
    pub bytes_up: u64,
    /// Bytes of reply bodies so far.
    pub bytes_down: u64,
    /// Own changes that are on this phone only.
    pub waiting: u64,
}

/// Who wants to know. May make calls; a panic in it is caught and changes nothing.
pub trait Listener: Send + Sync {
    /// Something has changed.
    fn changed(&self, changed: Changed);
}

/// While it lives, its listener is told; a telling that has begun may still end after it is dropped.
pub struct Watching {
    news: Arc<News>,
    number: u64,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut board = self.news.board();
        board.listeners.retain(|(number, _)| *number != self.number);
        drop(board);
        self.news.wake.notify_all();
    }
}

/// What is to be told, and to whom.
#[derive(Default)]
pub(super) struct News {
    board: Mutex<Board>,
    wake: Condvar,
}

#[derive(Default)]
struct Board {
    listeners: Vec<(u64, Arc<dyn Listener>)>,
    last_number: u64,
    /// None = nothing to tell.
    pending: Option<Changed>,
    /// The shelf as it was last looked at.
    shelf: Option<u64>,
    last_sync: Option<SyncProgress>,
    has_teller: bool,
    is_closed: bool,
}

impl News {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_heard(&self) -> bool {
        !self.board().listeners.is_empty()
    }

    fn add(&self, more: Changed) {
        let mut board = self.board();
        board.last_sync = more.sync.or(board.last_sync);
        let all = board.pending.get_or_insert_default();
        all.sync = more.sync.or(all.sync);
        all.receipts |= more.receipts;
        all.book |= more.book;
        all.shelf |= more.shelf;
        drop(board);
        self.wake.notify_all();
    }

    pub(super) fn close(&self) {
        self.board().is_closed = true;
        self.wake.notify_all();
    }

    /// Tells until nobody listens any more.
    fn tell(&self) {
        let mut board = self.board();
        loop {
            while board.pending.is_none() && !board.is_closed && !board.listeners.is_empty() {
                board = self.wake.wait(board).unwrap_or_else(PoisonError::into_inner);
            }
            if board.is_closed || board.listeners.is_empty() {
                board.has_teller = false;
                return;
            }
            let changed = board.pending.take().unwrap_or_default();
            let listeners = board.listeners.clone();
            drop(board);
            for (_, listener) in listeners {
                let tell = AssertUnwindSafe(|| listener.changed(changed.clone()));
                // It is the shell's, and no business of the phone.
                let _ = std::panic::catch_unwind(tell);
            }
            board = self.board();
            let go_on = |board: &mut Board| !board.is_closed && !board.listeners.is_empty();
            let waited = self.wake.wait_timeout_while(board, BETWEEN, go_on);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Companion {
    /// Tells the listener of what changes from now on, until the handle is dropped or the phone is closed.
    ///
    /// # Errors
    /// `Unexpected` when the machine gives no thread.
    pub fn watch(&self, listener: Arc<dyn Listener>) -> Result<Watching> {
        let shelf = self.shelf();
        let mut board = self.news.board();
        board.shelf = shelf;
        board.last_number += 1;
        let number = board.last_number;
        if !board.has_teller {
            let news = self.news.clone();
            let teller = std::thread::Builder::new().name("langso-news".to_owned());
            teller.spawn(move || news.tell()).map_err(|_| AppError::unexpected("no thread"))?;
            board.has_teller = true;
        }
        board.listeners.push((number, listener));
        drop(board);
        Ok(Watching { news: self.news.clone(), number })
    }

    /// Notes what may have changed. Costs nothing while nobody listens.
    pub(super) fn has_changed(&self, mut changed: Changed) {
        if !self.news.is_heard() {
            return;
        }
        if changed.book {
            let shelf = self.shelf();
            let mut board = self.news.board();
            changed.shelf = std::mem::replace(&mut board.shelf, shelf) != shelf;
        }
        self.news.add(changed);
    }

    /// A sync has come to its end, well or not.
    pub(super) fn sync_has_ended(&self) {
        let last = self.news.board().last_sync.take().unwrap_or_default();
        if !self.news.is_heard() {
            return;
        }
        let waiting = self.phone().unsent();
        let waiting = waiting.map_or(last.waiting, |unsent| unsent.waiting() as u64);
        let sync = Some(SyncProgress { is_running: false, waiting, ..last });
        self.has_changed(Changed { sync, receipts: true, book: true, shelf: false });
    }

    /// Another number for another shelf, as good as surely.
    fn shelf(&self) -> Option<u64> {
        let phone = self.phone();
        let mut hash = DefaultHasher::new();
        let mut all = phone
            .connection()
            .prepare_cached("SELECT table_number, row, field FROM shelf ORDER BY 1, 2, 3")
            .ok()?;
        let mut rows = all.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            let key: (u8, Vec<u8>, u8) = row.try_into().ok()?;
            key.hash(&mut hash);
        }
        Some(hash.finish())
    }
}
