//! The program `langso`: its command line is read and run by the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    langso::command::run(std::env::args_os())
}
