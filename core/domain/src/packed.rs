//! Files of the release that the program carries: deflated by the build of this crate, inflated when they are read.
//!
//! Pure. As text they would be a tenth of what a phone has to install.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// The bytes of a fixture as the build packed them, by its path under `fixtures`.
macro_rules! packed {
    ($path:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $path, ".deflate"))
    };
}
pub(crate) use packed;

/// The text of what [`packed!`] gives.
pub(crate) fn inflate(packed: &[u8]) -> String {
    let mut text = String::with_capacity(packed.len() * 9);
    DeflateDecoder::new(packed).read_to_string(&mut text).expect("packed by the build of this crate");
    text
}
