//! The VFS: SQLite's own one, with a judge before each call that changes the disk.
//!
//! Safety in one place: a file of ours is [`Faulty`] followed by the real VFS's file, in the bytes that SQLite allocates
//! by `szOsFile`, at a multiple of 8 as both need. SQLite calls the methods of a file only between an `xOpen` that ended well and `xClose`, and one at a
//! time for each file.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Once};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_DELETE, SQLITE_IOERR_FSYNC,
    SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_OK, sqlite3_file, sqlite3_int64, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::disk::{Call, Inner, Verdict, under};

#[repr(C)]
struct Faulty {
    base: sqlite3_file,
    /// None for a file that lies on no disk of a test.
    disk: Option<Arc<Inner>>,
    path: PathBuf,
}

static ONCE: Once = Once::new();

/// Makes it the default VFS of the process.
pub(crate) fn register() {
    ONCE.call_once(|| {
        // SAFETY: SQLite gives a VFS that lives as long as the process, or none.
        unsafe {
            let real = sqlite3_vfs_find(ptr::null());
            assert!(!real.is_null(), "SQLite has a VFS");
            let mut ours = *real;
            ours.szOsFile += size_of::<Faulty>() as c_int;
            ours.zName = c"langso-faults".as_ptr();
            ours.pAppData = real.cast();
            ours.pNext = ptr::null_mut();
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            // Registered for ever.
            assert_eq!(sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1), SQLITE_OK);
        }
    });
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

unsafe fn faulty<'f>(file: *mut sqlite3_file) -> &'f Faulty {
    // SAFETY: see the module.
    unsafe { &*file.cast::<Faulty>() }
}

unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: see the module.
    unsafe { file.cast::<u8>().add(size_of::<Faulty>()).cast() }
}

/// Calls a method of the real file.
macro_rules! pass {
    ($file:ident . $method:ident ( $($arg:expr),* )) => {{
        // SAFETY: see the module; the arguments are handed through as SQLite gave them.
        unsafe {
            let real = real($file);
            let method = (*(*real).pMethods).$method.expect("a file of the default VFS has every method");
            method(real, $($arg),*)
        }
    }};
}

unsafe fn judge(file: *mut sqlite3_file, call: Call, at: u64, length: u64) -> Verdict {
    // SAFETY: see the module.
    let file = unsafe { faulty(file) };
    file.disk.as_ref().map_or(Verdict::Pass, |disk| disk.judge(call, &file.path, at, length))
}

unsafe fn path_of(name: *const c_char) -> PathBuf {
    if name.is_null() {
        return PathBuf::new();
    }
    // SAFETY: SQLite gives names that end in a zero byte.
    Path::new(&*unsafe { CStr::from_ptr(name) }.to_string_lossy()).to_owned()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: `vfs` is ours, whose pAppData is the real one; `file` has room for both files.
    unsafe {
        (*file).pMethods = ptr::null();
        let path = path_of(name);
        let disk = under(&path);
        if disk.as_ref().is_some_and(|disk| disk.is_dead()) && !path.exists() {
            return SQLITE_CANTOPEN;
        }
        let of: *mut sqlite3_vfs = (*vfs).pAppData.cast();
        let opened = (*of).xOpen.expect("a VFS opens")(of, name, real(file), flags, out_flags);
        if opened == SQLITE_OK {
            let base = sqlite3_file { pMethods: &METHODS };
            ptr::write(file.cast::<Faulty>(), Faulty { base, disk, path });
        }
        opened
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        let path = path_of(name);
        if let Some(disk) = under(&path)
            && disk.judge(Call::Delete, &path, 0, 0) != Verdict::Pass
        {
            return SQLITE_IOERR_DELETE;
        }
        let of: *mut sqlite3_vfs = (*vfs).pAppData.cast();
        (*of).xDelete.expect("a VFS deletes")(of, name, sync)
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let closed = pass!(file.xClose());
    // SAFETY: the last call of a file that was opened well.
    unsafe { ptr::drop_in_place(file.cast::<Faulty>()) };
    closed
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, n: c_int, at: sqlite3_int64) -> c_int {
    pass!(file.xRead(to, n, at))
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    n: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: see the module.
    match unsafe { judge(file, Call::Write, at as u64, n as u64) } {
        Verdict::Pass => pass!(file.xWrite(from, n, at)),
        Verdict::NoRoom => SQLITE_FULL,
        Verdict::Fail => SQLITE_IOERR_WRITE,
        Verdict::Half => {
            pass!(file.xWrite(from, n / 2, at));
            SQLITE_IOERR_WRITE
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: see the module.
    match unsafe { judge(file, Call::Truncate, size as u64, 0) } {
        Verdict::Pass => pass!(file.xTruncate(size)),
        _ => SQLITE_IOERR_TRUNCATE,
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see the module.
    match unsafe { judge(file, Call::Sync, 0, 0) } {
        Verdict::Pass => pass!(file.xSync(flags)),
        _ => SQLITE_IOERR_FSYNC,
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass!(file.xFileSize(size))
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file.xLock(level))
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file.xUnlock(level))
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, is_held: *mut c_int) -> c_int {
    pass!(file.xCheckReservedLock(is_held))
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    pass!(file.xFileControl(op, arg))
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file.xSectorSize())
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file.xDeviceCharacteristics())
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    // SAFETY: see the module.
    let is_dead = unsafe { faulty(file) }.disk.as_ref().is_some_and(|disk| disk.is_dead());
    if is_dead { SQLITE_IOERR } else { pass!(file.xShmMap(page, size, extend, to)) }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, at: c_int, n: c_int, flags: c_int) -> c_int {
    pass!(file.xShmLock(at, n, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    pass!(file.xShmBarrier());
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file.xShmUnmap(delete))
}

unsafe extern "C" fn fetch(
    file: *mut sqlite3_file,
    at: sqlite3_int64,
    n: c_int,
    to: *mut *mut c_void,
) -> c_int {
    pass!(file.xFetch(at, n, to))
}

unsafe extern "C" fn unfetch(file: *mut sqlite3_file, at: sqlite3_int64, from: *mut c_void) -> c_int {
    pass!(file.xUnfetch(at, from))
}
