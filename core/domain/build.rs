//! Packs the files of the release that the program carries, so that they take a fraction of their size.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Folders of `fixtures` and how the names of the packed files end.
const PACKED: [(&str, &str); 4] =
    [("units", ".tsv"), ("tutorials", ".json"), ("codes", ".json"), ("indicators", ".json")];

fn main() -> io::Result<()> {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for (folder, end) in PACKED {
        let sources = home.join("../../fixtures").join(folder);
        println!("cargo::rerun-if-changed={}", sources.display());
        fs::create_dir_all(out.join(folder))?;
        for entry in fs::read_dir(&sources)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| name.ends_with(end)) else { continue };
            pack(&sources.join(name), &out.join(folder).join(format!("{name}.deflate")))?;
        }
    }
    Ok(())
}

fn pack(source: &Path, target: &Path) -> io::Result<()> {
    let mut encoder = DeflateEncoder::new(fs::File::create(target)?, Compression::best());
    encoder.write_all(&fs::read(source)?)?;
    encoder.finish()?.flush()
}
