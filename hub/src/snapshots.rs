//! Snapshots at the hub: files of signed state frames beside the log, made out of the replicas when enough is new.
//!
//! Nothing here is worth keeping: a file that is gone, damaged, of another key or of another history is made anew. The
//! last one stays beside the newest, for phones that are landing it. Making one costs a request nothing: it is done by
//! the projector, and a file appears whole.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langso_domain::id::{ScopeId, to_base32};
use langso_sync::chain::Cursor;
use langso_sync::frame::{MAX_FRAME_BYTES, Outer, PREFIX_BYTES};
use langso_sync::keys::SIGNATURE_BYTES;
use langso_sync::session::hub::is_snapshot_due;
use langso_sync::state::{BODY_BYTES, Body, MAX_FRAMES, StateFrame};

use crate::keys::{HubKeys, private_folder};
use crate::log::{self, Log};
use crate::replica::{Error, Replicas};

/// How a file begins; then the bytes of the log below, u64be, then the frames.
const MAGIC: [u8; 8] = *b"langso s";
const HEAD_BYTES: u64 = 16;
/// Of a scope so many files are kept.
const KEPT: usize = 2;

/// One whole snapshot of a scope, known but not open: there may be thousands of scopes.
#[derive(Debug)]
pub struct Snapshot {
    /// What it is of.
    pub of: Cursor,
    /// The changes below, before deflating, in bytes.
    pub log_bytes: u64,
    /// The longest frame, in bytes.
    pub longest: usize,
    path: PathBuf,
    /// Where each frame begins, and where the last ends.
    offsets: Vec<u64>,
}

impl Snapshot {
    /// How many frames it has.
    pub fn frames(&self) -> u32 {
        self.offsets.len() as u32 - 1
    }

    /// How many bytes its frames from `next` on have; none when there are none.
    pub fn bytes_from(&self, next: u32) -> Option<u64> {
        let begin = self.offsets.get(next as usize).filter(|_| next < self.frames())?;
        Some(self.offsets.last()? - begin)
    }

    /// How long a frame is.
    pub fn length(&self, index: u32) -> Option<usize> {
        let ends = self.offsets.get(index as usize..index as usize + 2)?;
        usize::try_from(ends[1] - ends[0]).ok()
    }

    /// Opens its file to read frames of it, also after the file is gone.
    ///
    /// # Errors
    /// Those of opening the file.
    pub fn open_frames(self: &Arc<Self>) -> std::io::Result<Frames> {
        Ok(Frames { file: File::open(&self.path)?, snapshot: self.clone() })
    }

    fn read(&self, file: &File, index: u32) -> std::io::Result<Vec<u8>> {
        let length = self.length(index).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, self.offsets[index as usize])?;
        Ok(bytes)
    }

    /// Reads where the frames of a file are; none when it is not whole, or not signed by this hub.
    fn open(path: &Path, keys: &HubKeys, scope: ScopeId) -> std::io::Result<Option<Self>> {
        let file = File::open(path)?;
        let mut head = [0; HEAD_BYTES as usize];
        let length = file.metadata()?.len();
        if length <= HEAD_BYTES {
            return Ok(None);
        }
        file.read_exact_at(&mut head, 0)?;
        let (magic, log_bytes) = head.split_at(8);
        let log_bytes = u64::from_be_bytes(log_bytes.try_into().map_err(std::io::Error::other)?);
        let mut offsets = vec![HEAD_BYTES];
        let mut at = HEAD_BYTES;
        let mut longest = 0;
        while at < length && magic == MAGIC && offsets.len() <= MAX_FRAMES as usize {
            let mut prefix = [0; PREFIX_BYTES];
            if file.read_exact_at(&mut prefix, at).is_err() {
                return Ok(None);
            }
            let [.., a, b, c, d] = prefix;
            let frame = PREFIX_BYTES + u32::from_be_bytes([a, b, c, d]) as usize + SIGNATURE_BYTES;
            if frame > MAX_FRAME_BYTES {
                return Ok(None);
            }
            longest = longest.max(frame);
            at += frame as u64;
            offsets.push(at);
        }
        let Some(last) = offsets.len().checked_sub(2).filter(|_| at == length) else { return Ok(None) };
        let of = Cursor::start(scope);
        let mut snapshot = Self { of, log_bytes, longest, path: path.to_owned(), offsets };
        // All were written and signed together: what is damaged in between is refused by whoever gets it.
        for index in [0, last as u32] {
            let bytes = snapshot.read(&file, index)?;
            let Ok(outer) = Outer::whole(&bytes) else { return Ok(None) };
            let Ok(frame) = StateFrame::open(&outer) else { return Ok(None) };
            let fits = outer.verify(&keys.public()).is_ok()
                && (frame.header.scope, frame.header.index) == (scope, index)
                && frame.header.frames == snapshot.frames();
            if !fits {
                return Ok(None);
            }
            snapshot.of = frame.header.of;
        }
        Ok(Some(snapshot))
    }
}

/// A snapshot that is being served, with its file open.
#[derive(Debug)]
pub struct Frames {
    /// Whose they are.
    pub snapshot: Arc<Snapshot>,
    file: File,
}

impl Frames {
    /// A frame, signed.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn get(&self, index: u32) -> std::io::Result<Vec<u8>> {
        self.snapshot.read(&self.file, index)
    }
}

/// The snapshots of a hub's folder.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    log: Arc<Log>,
    keys: Arc<HubKeys>,
    /// Of every scope that was asked for, newest first.
    known: Mutex<HashMap<ScopeId, Vec<Arc<Snapshot>>>>,
    /// One is made at a time.
    making: Mutex<()>,
}

impl Snapshots {
    /// Files in `folder`, which is made when it is first needed.
    pub fn new(folder: PathBuf, log: Arc<Log>, keys: Arc<HubKeys>) -> Self {
        Self { folder, log, keys, known: Mutex::default(), making: Mutex::default() }
    }

    /// The snapshots of a scope that stand in this log's history, newest first.
    ///
    /// # Errors
    /// [`log::Error`].
    pub fn of(&self, scope: ScopeId) -> Result<Vec<Arc<Snapshot>>, log::Error> {
        let known = self.known().get(&scope).cloned();
        let known = match known {
            Some(known) => known,
            None => {
                let found = self.find(scope);
                self.known().entry(scope).or_insert(found).clone()
            }
        };
        let mut good = Vec::with_capacity(known.len());
        for snapshot in known {
            if self.log.knows(scope, snapshot.of)? {
                good.push(snapshot);
            }
        }
        Ok(good)
    }

    /// Whether enough is new in a scope for another snapshot.
    ///
    /// # Errors
    /// [`log::Error`].
    pub fn is_due(&self, scope: ScopeId) -> Result<bool, log::Error> {
        let state = self.log.scope(scope)?.ok_or(log::Error::UnknownScope)?;
        let last = self.of(scope)?.first().map(|snapshot| snapshot.of.position);
        Ok(is_snapshot_due(state.head, last))
    }

    /// Makes a snapshot of a scope as its replica is now, when enough is new, or when `always`; gives whether it did.
    ///
    /// # Errors
    /// [`Error`].
    pub fn make(&self, replicas: &Replicas, scope: ScopeId, always: bool) -> Result<bool, Error> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if !always && !self.is_due(scope)? {
            return Ok(false);
        }
        private_folder(&self.folder)?;
        let name = to_base32(&scope.0);
        let raw = self.folder.join(format!("{name}.raw"));
        let made = self.folder.join(format!("{name}.new"));
        let (of, bodies) = spool(replicas, scope, &raw)?;
        let log_bytes = self.log.bytes_upto(scope, of.position)?;
        self.seal(scope, of, &bodies, &raw, &made, log_bytes)?;
        std::fs::remove_file(&raw)?;
        let path = self.folder.join(format!("{name}-{}-{}.snap", of.position, to_base32(&of.chain.0)));
        std::fs::rename(&made, &path)?;
        let Some(snapshot) = Snapshot::open(&path, &self.keys, scope)? else {
            return Err(std::io::Error::other("a snapshot that was just made is not whole").into());
        };
        // Those of another history take no place from the last one that can be served.
        let mut list = self.of(scope)?;
        list.retain(|other| other.path != path);
        list.insert(0, Arc::new(snapshot));
        list.truncate(KEPT);
        let before = self.known().insert(scope, list.clone()).unwrap_or_default();
        // Whoever is being served a file that goes keeps it open.
        for old in before.iter().filter(|old| list.iter().all(|kept| kept.path != old.path)) {
            std::fs::remove_file(&old.path)?;
        }
        Ok(true)
    }

    /// Throws the snapshots of a scope away: they may hold rows that were damaged.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn forget(&self, scope: ScopeId) -> Result<(), Error> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.find(scope);
        self.known().remove(&scope);
        for snapshot in found {
            std::fs::remove_file(&snapshot.path)?;
        }
        Ok(())
    }

    fn seal(
        &self,
        scope: ScopeId,
        of: Cursor,
        bodies: &[Spooled],
        raw: &Path,
        made: &Path,
        log_bytes: u64,
    ) -> Result<(), Error> {
        let mut from = BufReader::new(File::open(raw)?);
        let mut to = BufWriter::new(File::create(made)?);
        to.write_all(&MAGIC)?;
        to.write_all(&log_bytes.to_be_bytes())?;
        let frames = u32::try_from(bodies.len()).ok().filter(|&count| count <= MAX_FRAMES);
        let frames = frames.ok_or_else(|| std::io::Error::other("too many frames"))?;
        let schema = self.log.registry().schema;
        for (spooled, index) in bodies.iter().zip(0..) {
            let Spooled { writers, rows, length } = *spooled;
            let mut body = Body { writers, rows, bytes: vec![0; length] };
            from.read_exact(&mut body.bytes)?;
            to.write_all(&body.seal(&self.keys.signing, (scope, schema), of, (index, frames)))?;
        }
        to.into_inner().map_err(std::io::Error::from)?.sync_all()?;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ScopeId, Vec<Arc<Snapshot>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what files there are; what is of no use goes.
    fn find(&self, scope: ScopeId) -> Vec<Arc<Snapshot>> {
        let prefix = format!("{}-", to_base32(&scope.0));
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(&prefix)) else { continue };
            match Snapshot::open(&entry.path(), &self.keys, scope) {
                Ok(Some(snapshot)) => found.push(Arc::new(snapshot)),
                Ok(None) => {
                    tracing::warn!(name, "a snapshot cannot be used and is made anew");
                    let _ = std::fs::remove_file(entry.path());
                }
                Err(why) => tracing::warn!(%why, name, "a snapshot cannot be read"),
            }
        }
        found.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.of.position));
        found
    }
}

/// A body in the file of bodies.
#[derive(Debug, Clone, Copy)]
struct Spooled {
    writers: usize,
    rows: usize,
    length: usize,
}

/// Writes the bodies one after another, since already the first frame says how many there are.
fn spool(replicas: &Replicas, scope: ScopeId, raw: &Path) -> Result<(Cursor, Vec<Spooled>), Error> {
    let mut to = BufWriter::new(File::create(raw)?);
    let mut bodies = Vec::new();
    let of = replicas.with(scope, |replica, _| {
        replica.export::<Error>(scope, BODY_BYTES, |body| {
            to.write_all(&body.bytes)?;
            bodies.push(Spooled { writers: body.writers, rows: body.rows, length: body.bytes.len() });
            Ok(())
        })
    })?;
    to.flush()?;
    Ok((of, bodies))
}
