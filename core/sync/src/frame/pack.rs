//! The body of a packed frame: the length of what it holds, u32be, then that as a raw LZMA stream. Where deflate spends a
//! whole bit, LZMA spends a share of one: a sixth of a day's visits.
//!
//! Unpacking allocates no more than a body may hold, whatever the length says.

use std::io::{Read, Write};

use lzma_rust2::{EncodeMode, LzmaOptions, LzmaReader, LzmaWriter, MfType};

use super::{FrameError, MAX_HEADER_BYTES, MAX_RAW_BYTES};

/// Bodies up to this length are packed: packing a larger one takes long, and deflate does well there.
const MOST_BYTES: usize = 16 * 1024;
/// How far back a match of ours may lie: further than the longest body.
const REACH: u32 = 32 * 1024;
/// The properties lc, lp and pb of LZMA: bytes of a change tell little of the next one by their bits or their place.
const PROPERTIES: (u32, u32, u32) = (0, 0, 0);
/// How long a match is looked for.
const NICE_BYTES: u32 = 64;

/// The packed body; none for one that is too long to be worth it.
pub(super) fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MOST_BYTES)?;
    let (lc, lp, pb) = PROPERTIES;
    let options = LzmaOptions {
        dict_size: REACH,
        lc,
        lp,
        pb,
        mode: EncodeMode::Normal,
        nice_len: NICE_BYTES,
        mf: MfType::Bt4,
        depth_limit: 0,
        preset_dict: None,
    };
    let mut writer = LzmaWriter::new_no_header(length.to_be_bytes().to_vec(), &options, false).ok()?;
    writer.write_all(body).ok()?;
    writer.finish().ok()
}

/// What a packed body holds.
///
/// # Errors
/// `TooLarge` for a length above the limit, `Deflate` for bytes that are not one whole stream of that length.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, FrameError> {
    let (length, stream) = packed.split_first_chunk::<4>().ok_or(FrameError::Deflate)?;
    let length = u32::from_be_bytes(*length);
    if length as usize > MAX_HEADER_BYTES + MAX_RAW_BYTES {
        return Err(FrameError::TooLarge);
    }
    let (lc, lp, pb) = PROPERTIES;
    let mut reader = LzmaReader::new(stream, u64::from(length), lc, lp, pb, length, None)
        .map_err(|_| FrameError::Deflate)?;
    reader.set_relaxed_end_condition(false);
    let mut body = Vec::new();
    // Grows with what really comes out.
    reader.read_to_end(&mut body).map_err(|_| FrameError::Deflate)?;
    let (rest, unused) = reader.into_parts();
    let is_whole = body.len() == length as usize && rest.is_empty() && unused.is_empty();
    if is_whole { Ok(body) } else { Err(FrameError::Deflate) }
}
