//! The core of a phone as one program, so that its size can be told: opens the phone in a folder and runs a call by
//! name with JSON, those that wait for the hub included. `./dev bench` builds it by the profile `phone`.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use langso_device::{Companion, SystemTime};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(name)) = (arguments.next(), arguments.next()) else {
        eprintln!("phone_core FOLDER FEATURE.METHOD, JSON on standard input");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder), &name) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path, name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let input = serde_json::from_str(&input)?;
    let companion = Companion::open(folder, Arc::new(SystemTime))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(companion.call_and_wait(name, input))?.to_string())
}
