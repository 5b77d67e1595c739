//! What a folder's disk does: counts, fails at the call it was told, and forgets what was never synced when the power
//! goes.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Signal, getpid, kill_process};

/// What happens at the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The power goes: the call does not happen, nor does any after it, and what no sync has made durable is gone.
    PowerCut,
    /// The power goes in the middle of a write: half of it reaches the disk, and all that came before does too.
    Torn,
    /// The call fails; those after it do not.
    Io,
    /// The disk is full from this call on, until it is mended: no write succeeds.
    Full,
    /// The process is killed before the call, by SIGKILL: nothing of it runs any more, and what it wrote stays.
    Kill,
}

impl Fault {
    /// Those that a process lives to see.
    pub const ALL: [Self; 4] = [Self::PowerCut, Self::Torn, Self::Io, Self::Full];
}

/// How a call is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Pass,
    /// Half of it is written, then it fails.
    Half,
    Fail,
    NoRoom,
}

/// What a call would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Write,
    Truncate,
    Sync,
    Delete,
}

/// What was there before a change that no sync has made durable.
#[derive(Debug)]
struct Before {
    path: PathBuf,
    at: u64,
    bytes: Vec<u8>,
    length: u64,
}

#[derive(Debug, Default)]
struct State {
    calls: u32,
    fails_at: Option<(u32, Fault)>,
    has_failed: bool,
    is_dead: bool,
    is_full: bool,
    /// The most bytes that the folder's files may come to.
    room: Option<u64>,
    before: Vec<Before>,
}

/// The disk under one folder.
#[derive(Debug)]
pub(crate) struct Inner {
    folder: PathBuf,
    state: Mutex<State>,
}

static DISKS: Mutex<Vec<Arc<Inner>>> = Mutex::new(Vec::new());

fn disks() -> MutexGuard<'static, Vec<Arc<Inner>>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk on which a file lies, if a test holds one.
pub(crate) fn under(path: &Path) -> Option<Arc<Inner>> {
    disks().iter().find(|disk| path.starts_with(&disk.folder)).cloned()
}

/// Lets the disk under one folder fail; sound until it is told otherwise, and when it is dropped.
#[derive(Debug)]
pub struct Disk(Arc<Inner>);

impl Disk {
    /// Takes the folder, for databases that are opened from now on.
    pub fn under(folder: &Path) -> Self {
        crate::vfs::register();
        let folder = folder.canonicalize().expect("a folder");
        let inner = Arc::new(Inner { folder, state: Mutex::default() });
        disks().push(inner.clone());
        Self(inner)
    }

    /// Counts anew; the n-th call from now on, from 1, meets the fault.
    pub fn fail_at(&self, n: u32, fault: Fault) {
        *self.0.state() = State { fails_at: Some((n, fault)), ..State::default() };
    }

    /// No more than so many bytes fit into the folder's files, those that are no database included.
    pub fn bound(&self, bytes: u64) {
        self.0.state().room = Some(bytes);
    }

    /// Sound again, and counts anew. What a power cut took stays lost.
    pub fn mend(&self) {
        *self.0.state() = State::default();
    }

    /// Calls that would change the disk, since the last mending.
    pub fn calls(&self) -> u32 {
        self.0.state().calls
    }

    /// Whether the fault was met.
    pub fn has_failed(&self) -> bool {
        self.0.state().has_failed
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.mend();
        disks().retain(|disk| !Arc::ptr_eq(disk, &self.0));
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// How a call shall end; `range` is what it writes or cuts off.
    pub fn judge(&self, call: Call, path: &Path, at: u64, length: u64) -> Verdict {
        let mut state = self.state();
        if state.is_dead {
            return Verdict::Fail;
        }
        state.calls += 1;
        let fault = state.fails_at.filter(|(n, _)| *n == state.calls).map(|(_, fault)| fault);
        state.has_failed |= fault.is_some();
        match fault {
            Some(Fault::PowerCut) => {
                state.is_dead = true;
                for before in std::mem::take(&mut state.before).into_iter().rev() {
                    before.put_back();
                }
                return Verdict::Fail;
            }
            Some(Fault::Torn) => {
                state.is_dead = true;
                state.before.clear();
                return if call == Call::Write { Verdict::Half } else { Verdict::Fail };
            }
            Some(Fault::Io) => return Verdict::Fail,
            Some(Fault::Full) => state.is_full = true,
            Some(Fault::Kill) => {
                let killed = kill_process(getpid(), Signal::KILL);
                unreachable!("nothing runs after SIGKILL: {killed:?}");
            }
            None => {}
        }
        if call == Call::Write && (state.is_full || self.is_beyond(&state, path, at + length)) {
            return Verdict::NoRoom;
        }
        match call {
            Call::Write => state.before.push(Before::of(path, at, length)),
            Call::Truncate => {
                let end = std::fs::metadata(path).map_or(0, |file| file.len());
                state.before.push(Before::of(path, at, end.saturating_sub(at)));
            }
            Call::Sync => state.before.retain(|before| before.path != path),
            // That a name is gone may or may not survive; either way nothing of worth was under it.
            Call::Delete => state.before.retain(|before| before.path != path),
        }
        Verdict::Pass
    }

    fn is_beyond(&self, state: &State, path: &Path, end: u64) -> bool {
        let Some(room) = state.room else { return false };
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let grows = end.saturating_sub(size(path));
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        // SQLite's index of its log is no file on a phone's disk that could not be made again.
        let files = files.map(|file| file.path()).filter(|path| !path.to_string_lossy().ends_with("-shm"));
        grows > 0 && files.map(|path| size(&path)).sum::<u64>() + grows > room
    }
}

impl Before {
    fn of(path: &Path, at: u64, length: u64) -> Self {
        let mut bytes = Vec::new();
        let mut whole = 0;
        if let Ok(mut file) = std::fs::File::open(path) {
            whole = file.metadata().map_or(0, |file| file.len());
            let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.take(length).read_to_end(&mut bytes));
            read.expect("what is overwritten is read");
        }
        Self { path: path.to_owned(), at, bytes, length: whole }
    }

    fn put_back(self) {
        let Ok(mut file) = OpenOptions::new().write(true).open(&self.path) else { return };
        let put = file.seek(SeekFrom::Start(self.at)).and_then(|_| file.write_all(&self.bytes));
        put.and_then(|()| file.set_len(self.length)).expect("the disk forgets");
    }
}
