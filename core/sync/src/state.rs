//! The state frame: rows with their versions instead of the changes that made them, and what their maker had applied.
//!
//! A *snapshot* is a list of such frames, all of one state of one scope: first the writers of the scope with their
//! applied-memory, in the order in which rows name them by number, then the rows, in order of their writer's number,
//! number and place. So each writer is written once, rows of one save share their key and stamp, and values lie in
//! columns: a book is less than half as long as its changes. Pure: who keeps rows reads and joins them.

mod column;
mod frame;
mod header;
mod read;
mod reference;
mod write;
mod writers;

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, RowId, Writer};

use crate::clock::Stamp;
use crate::merge::FieldState;
use crate::value::Value;

pub use frame::StateFrame;
pub use header::Header;
pub use read::Rows;
pub use write::{Body, BodyBuilder, Numbers};

/// The most rows of one frame.
pub const MAX_ROWS: usize = 4_096;
/// The most writers of one frame.
pub const MAX_WRITERS: usize = 4_096;
/// The most writers of one snapshot.
pub const MAX_ALL_WRITERS: usize = 1 << 24;
/// The most frames of one snapshot.
pub const MAX_FRAMES: u32 = 1 << 20;
/// Where a frame's body is cut, in bytes before deflating: about a fifth of that goes over the line, and a line that
/// breaks loses little. Measured on a book of visits: at half of it frames together are an eighth longer, at twice a
/// tenth shorter.
pub const BODY_BYTES: usize = 32 * 1024;

/// What has been applied of one writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WriterMemory {
    /// The writer.
    pub writer: Writer,
    /// Its device; none for a writer of which nothing was applied and only rows are known, hidden ones.
    pub device: Option<DeviceId>,
    /// All from 1 to here; 0 = nothing.
    pub upto: u32,
    /// Those above, as (first, last), rising, apart.
    pub beyond: Vec<(u32, u32)>,
}

impl WriterMemory {
    /// Whether a change of this writer has been applied.
    pub fn has(&self, seq: u32) -> bool {
        seq <= self.upto || self.beyond.iter().any(|(first, last)| (*first..=*last).contains(&seq))
    }
}

/// One row with all that is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct StateRow {
    /// The table's number.
    pub table: u8,
    /// Its id.
    pub id: RowId,
    /// The create's stamp; none while only patches are known.
    pub created: Option<Stamp>,
    /// Fields whose one version is the create's, rising, each once. Those that are absent are null.
    pub values: Vec<(u8, Value)>,
    /// Every other field that was written.
    pub versions: BTreeMap<u8, FieldState>,
}

impl Default for StateRow {
    fn default() -> Self {
        Self { table: 0, id: RowId([0; 12]), created: None, values: Vec::new(), versions: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests;
