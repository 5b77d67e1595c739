//! Packs the lists of administrative units, so that the program carries them in an eighth of their size.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> io::Result<()> {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for name in ["units.tsv", "succession.tsv"] {
        let source = home.join("../../fixtures/units").join(name);
        println!("cargo::rerun-if-changed={}", source.display());
        pack(&source, &out.join(name).with_extension("tsv.deflate"))?;
    }
    Ok(())
}

fn pack(source: &Path, target: &Path) -> io::Result<()> {
    let mut encoder = DeflateEncoder::new(fs::File::create(target)?, Compression::best());
    encoder.write_all(&fs::read(source)?)?;
    encoder.finish()?.flush()
}
