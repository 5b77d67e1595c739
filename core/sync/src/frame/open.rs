//! Opening a frame: inflate within the limit, read the header, find every change. The rows stay unread.

use std::collections::HashMap;
use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};
use langso_domain::id::{DeviceId, Writer};

use super::header::Header;
use super::pack::unpack;
use super::{FrameError, KIND_CHANGES, KIND_PACKED, MAX_HEADER_BYTES, MAX_RAW_BYTES, Outer};
use crate::change::{self, Head, MAX_CHANGE_BYTES};

/// An opened frame: every change found, every number of the header true.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Who signed it.
    pub key_id: DeviceId,
    /// What it says of its changes.
    pub header: Header,
    body: Vec<u8>,
    found: Vec<Found>,
}

#[derive(Clone, Debug)]
struct Found {
    head: Head,
    at: Range<usize>,
    position: Option<u64>,
    author: DeviceId,
}

/// One change of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// Its key and stamp.
    pub head: Head,
    /// Its author's bytes, untouched.
    pub bytes: &'a [u8],
    /// Its position in the scope, when the hub serves it.
    pub position: Option<u64>,
    /// The device that wrote it, as the signer says.
    pub author: DeviceId,
}

impl Frame {
    /// The changes in their order.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.found.iter().map(|found| Change {
            head: found.head,
            bytes: &self.body[found.at.clone()],
            position: found.position,
            author: found.author,
        })
    }

    /// The header and the changes as they were before deflating.
    pub fn inflated(&self) -> &[u8] {
        &self.body
    }
}

impl Outer<'_> {
    /// Opens the body. Call [`Outer::verify`] first; opening trusts nothing but costs time.
    ///
    /// # Errors
    /// `State` for a frame of state; `Deflate`, `TooLarge`, `Header`, `RawSize`, `Count` or `Change`.
    pub fn open(&self) -> Result<Frame, FrameError> {
        let body = match self.kind() {
            KIND_CHANGES => inflate(self.body())?,
            KIND_PACKED => unpack(self.body())?,
            _ => return Err(FrameError::State),
        };
        let (header, mut at) = Header::decode(&body)?;
        if body.len() - at != header.raw {
            return Err(FrameError::RawSize);
        }
        let mut authors = HashMap::new();
        let mut positions = header.runs.iter().flat_map(|run| run.first..run.first + run.n);
        let mut found = Vec::with_capacity(header.count);
        while at < body.len() {
            if found.len() == header.count {
                return Err(FrameError::Count);
            }
            let (head, length) = change::scan(&body[at..]).map_err(|error| FrameError::Change(error.0))?;
            if length > MAX_CHANGE_BYTES {
                return Err(FrameError::TooLarge);
            }
            let author = self.author(&header, &mut authors, head.key.writer)?;
            found.push(Found { head, at: at..at + length, position: positions.next(), author });
            at += length;
        }
        if found.len() != header.count {
            return Err(FrameError::Count);
        }
        if !header.authors.is_empty() && authors.len() != header.author_of.len() {
            return Err(FrameError::Header("authors"));
        }
        Ok(Frame { key_id: self.key_id(), header, body, found })
    }

    fn author(
        &self,
        header: &Header,
        authors: &mut HashMap<Writer, DeviceId>,
        writer: Writer,
    ) -> Result<DeviceId, FrameError> {
        if header.authors.is_empty() {
            return Ok(self.key_id());
        }
        if let Some(&author) = authors.get(&writer) {
            return Ok(author);
        }
        let index = header.author_of.get(authors.len()).ok_or(FrameError::Header("authors"))?;
        let author = *header.authors.get(usize::from(*index)).ok_or(FrameError::Header("authors"))?;
        authors.insert(writer, author);
        Ok(author)
    }
}

/// Inflates a whole raw-deflate stream, as far as a body may go.
pub(crate) fn inflate(deflated: &[u8]) -> Result<Vec<u8>, FrameError> {
    const MOST: usize = MAX_HEADER_BYTES + MAX_RAW_BYTES;
    let mut stream = Decompress::new(false);
    // Grows with what really comes out; one byte above the limit shows that it goes on.
    let mut body = Vec::with_capacity(deflated.len().saturating_mul(3).clamp(1024, MOST + 1));
    loop {
        let before = (stream.total_in(), stream.total_out());
        let rest = deflated.get(before.0 as usize..).ok_or(FrameError::Deflate)?;
        let status =
            stream.decompress_vec(rest, &mut body, FlushDecompress::None).map_err(|_| FrameError::Deflate)?;
        if body.len() > MOST {
            return Err(FrameError::TooLarge);
        }
        if status == Status::StreamEnd {
            break;
        }
        if body.len() == body.capacity() {
            let more = body.len().min(MOST + 1 - body.len());
            body.reserve_exact(more);
        } else if before == (stream.total_in(), stream.total_out()) {
            return Err(FrameError::Deflate);
        }
    }
    if stream.total_in() != deflated.len() as u64 { Err(FrameError::Deflate) } else { Ok(body) }
}
