//! A disk that fails when a test says so. SQLite's files of one folder go through a VFS that counts every call that
//! would change the disk and lets one of them fail: see [`Fault`].
//!
//! The VFS becomes the process's default one, so that a program under test opens its files as it always does: there is
//! no way to ask it for this one. Files of other folders pass untouched.

mod disk;
mod vfs;

pub use disk::{Disk, Fault};
