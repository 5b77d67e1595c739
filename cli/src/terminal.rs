//! Lines for people on standard output, questions on a terminal, tables whose columns line up for Vietnamese.
//!
//! Output that is piped holds no control characters. A reader that goes away (`| head`) ends the program without a
//! word: whatever was to be kept has been kept before it is told.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};

use crate::words::{Failure, Outcome};

/// Writes one line.
pub fn tell(line: impl Display) {
    write(format_args!("{line}\n"));
}

/// Writes a text as it is.
pub fn write(text: impl Display) {
    let mut out = io::stdout().lock();
    if out.write_fmt(format_args!("{text}")).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Whether somebody sits there who can be asked.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for one line; none when it is empty.
///
/// # Errors
/// `cli.no_answer` when the input ended.
pub fn ask(question: &str) -> Outcome<Option<String>> {
    // Questions go to standard error, so that what is piped on holds answers only.
    let mut err = io::stderr().lock();
    let _ = write!(err, "{question} ");
    let _ = err.flush();
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(1..) => Ok(Some(line.trim().to_owned()).filter(|line| !line.is_empty())),
        _ => {
            let _ = writeln!(err);
            Err(Failure::new("cli.no_answer", ""))
        }
    }
}
