//! Writes the parts of the packages that follow from the list of calls: `langso-calls kotlin|swift OUT`, from the root
//! of the repository.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use langso_calls::{kotlin, swift};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let list = langso_calls::read(Path::new("core/device/src/companion"));
    let written = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["kotlin", out] => write(out, kotlin::written(&list)),
        ["swift", out] => write(out, swift::written(&list)),
        _ => {
            eprintln!("langso-calls kotlin OUT | swift OUT");
            return ExitCode::from(2);
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("langso-calls: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The main part in `OUT`, the fake in `OUT/fake`.
fn write(out: &str, [(main, main_text), (fake, fake_text)]: [(&'static str, String); 2]) -> io::Result<()> {
    let fakes = Path::new(out).join("fake");
    fs::create_dir_all(&fakes)?;
    fs::write(Path::new(out).join(main), main_text)?;
    fs::write(fakes.join(fake), fake_text)
}
