//! Lines for people on standard output, questions on a terminal, tables whose columns line up for Vietnamese.
//!
//! Output that is piped holds no control characters. A reader that goes away (`| head`) ends the program without a
//! word: whatever was to be kept has been kept before it is told.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};

use langso_domain::date::CivilDate;

use crate::words::{Failure, Outcome, pick};

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

/// Asks until one of the options is chosen by its number; none when the answer is empty and that is allowed.
///
/// # Errors
/// As [`ask`].
pub fn choose(question: &str, options: &[String], may_skip: bool) -> Outcome<Option<usize>> {
    for (at, option) in options.iter().enumerate() {
        eprintln!("  {:>2}) {}", at + 1, clean(option));
    }
    loop {
        match ask(question)? {
            None if may_skip => return Ok(None),
            None => {}
            Some(typed) => {
                let chosen = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                if let Some(at) = chosen.filter(|at| *at < options.len()) {
                    return Ok(Some(at));
                }
            }
        }
        eprintln!("{}", pick("Gõ một số trong danh sách.", "Type a number of the list."));
    }
}

/// Asks for yes or no; an empty answer is asked again: neither is preselected.
///
/// # Errors
/// As [`ask`].
pub fn yes_or_no(question: &str) -> Outcome<bool> {
    loop {
        let typed = ask(&format!("{question} ({})", pick("c/k", "y/n")))?.unwrap_or_default();
        match langso_domain::text::fold(&typed).as_str() {
            "c" | "co" | "y" | "yes" => return Ok(true),
            "k" | "khong" | "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// A text without control characters: what people wrote must not move the cursor of whoever reads it.
pub fn clean(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\r' | '\t' => ' ',
        control if control.is_control() => '\u{fffd}',
        // Marks that turn the direction of writing round would show a line other than it is.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    };
    text.chars().map(shown).collect()
}

/// Cells that a text takes: marks that sit on the letter before take none.
fn width(text: &str) -> usize {
    let sits_on_another =
        |character: char| matches!(character, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}');
    text.chars().filter(|character| !sits_on_another(*character)).count()
}

/// Rows whose columns line up; numbers stand to the right.
#[derive(Debug, Default)]
pub struct Grid {
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Grid {
    /// A grid whose columns at these places are numbers.
    pub fn new(right: &[usize]) -> Self {
        Self { rows: Vec::new(), right: right.to_vec() }
    }

    /// Adds one row.
    pub fn row<T: Display>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell.to_string())).collect());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the rows, two blanks before each.
    pub fn tell(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.rows.iter().filter_map(|row| Some(width(row.get(at)?))).max().unwrap_or(0))
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let blanks = " ".repeat(widths[at] - width(cell));
                line.push_str("  ");
                match self.right.contains(&at) {
                    true => line.extend([blanks.as_str(), cell]),
                    false => line.extend([cell, blanks.as_str()]),
                }
            }
            tell(line.trim_end());
        }
    }
}

/// A moment as people of Vietnam read it: `14:05 02/01/2024`.
pub fn moment(unix_ms: i64) -> String {
    const VIETNAM_MS: i64 = 7 * 3_600_000;
    let minute = (unix_ms + VIETNAM_MS).div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02} {}", minute / 60, minute % 60, CivilDate::at(unix_ms).vi())
}

/// So many bytes, in the largest unit that leaves a whole part.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} KB", count.div_ceil(1_000)),
        _ => {
            let tenths = count.div_ceil(100_000);
            format!("{}{}{} MB", tenths / 10, pick(",", "."), tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_take_no_cell_and_controls_are_not_written() {
        assert_eq!(width("Hoa\u{300}ng Thị"), width("Hoàng Thị"));
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
    }

    #[test]
    fn moments_are_those_of_vietnam() {
        assert_eq!(moment(1_704_128_400_000), "00:00 02/01/2024");
        assert_eq!(moment(-1), "06:59 01/01/1970");
    }
}
