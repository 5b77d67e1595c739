//! A state frame around its body: deflated and signed like a frame of changes, and opened again.

use std::collections::BTreeMap;
use std::ops::Range;

use langso_domain::id::{DeviceId, ScopeId, Writer};

use super::header::Header;
use super::read::Rows;
use super::write::Body;
use super::{WriterMemory, writers};
use crate::chain::Cursor;
use crate::change::Malformed;
use crate::frame::{FrameError, KIND_STATE, Outer, inflate, seal};
use crate::keys::SigningKey;

/// An opened state frame: its writers read, its rows found.
#[derive(Clone, Debug)]
pub struct StateFrame {
    /// Who signed it.
    pub key_id: DeviceId,
    /// What it says of itself.
    pub header: Header,
    /// The next writers of the snapshot's list.
    pub writers: Vec<WriterMemory>,
    body: Vec<u8>,
    rows: Range<usize>,
}

impl Body {
    /// The signed frame: this body at a place among the `frames` of a snapshot of `scope` as it is at `of`.
    pub fn seal(
        &self,
        key: &SigningKey,
        (scope, schema): (ScopeId, u16),
        of: Cursor,
        (index, frames): (u32, u32),
    ) -> Vec<u8> {
        let header = Header {
            scope,
            schema,
            rows: self.rows,
            writers: self.writers,
            raw: self.bytes.len(),
            of,
            index,
            frames,
            unknown: BTreeMap::new(),
        };
        let mut body = header.encode();
        body.extend_from_slice(&self.bytes);
        seal(&body, KIND_STATE, key)
    }
}

impl StateFrame {
    /// Opens a frame. Call [`Outer::verify`] first; opening trusts nothing but costs time.
    ///
    /// # Errors
    /// `Kind` for a frame of changes; `Deflate`, `TooLarge`, `Header`, `RawSize`, or `Change` for what is inside.
    pub fn open(outer: &Outer<'_>) -> Result<Self, FrameError> {
        if outer.kind() != KIND_STATE {
            return Err(FrameError::Kind(outer.kind()));
        }
        let body = inflate(outer.body())?;
        let (header, at) = Header::decode(&body)?;
        if body.len() - at != header.raw {
            return Err(FrameError::RawSize);
        }
        let mut rest = &body[at..];
        let inside = |error: Malformed| FrameError::Change(error.0);
        let writers = writers::read(&mut rest, header.writers).map_err(inside)?;
        let rows = body.len() - rest.len()..body.len();
        Ok(Self { key_id: outer.key_id(), header, writers, body, rows })
    }

    /// The rows; `writers` is the list of the snapshot up to this frame, its own ones included.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn rows<'a>(&'a self, writers: &'a [Writer]) -> Result<Rows<'a>, Malformed> {
        Rows::new(&self.body[self.rows.clone()], self.header.rows, writers)
    }

    /// Header, writers and rows as they were before deflating.
    pub fn inflated(&self) -> &[u8] {
        &self.body
    }
}
