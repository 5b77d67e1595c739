//! A table as CSV that a spreadsheet opens without a question: UTF-8 with its mark, and no text that it would run.
//!
//! RFC 4180, with CRLF. A text that begins like a formula gets an apostrophe before it (OWASP, CSV injection).

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::error::{AppError, Result};

/// What a cell holds.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    /// Digits that this program wrote, of thousandths: 87040 is 87.04.
    Thousandths(i64),
    Whole(i64),
    Empty,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn whole(number: Option<i64>) -> Self {
        number.map_or(Self::Empty, Self::Whole)
    }
}

/// A table being written out.
pub(super) struct Table {
    bytes: Vec<u8>,
    separator: char,
    /// Rows below the head.
    pub rows: u32,
}

impl Table {
    pub fn new(head: &[&str], separator: char) -> Self {
        let mut table = Self { bytes: "\u{feff}".as_bytes().to_vec(), separator, rows: 0 };
        table.line(&head.iter().map(|text| Cell::text(*text)).collect::<Vec<_>>());
        table
    }

    pub fn row(&mut self, cells: &[Cell]) {
        self.line(cells);
        self.rows += 1;
    }

    fn line(&mut self, cells: &[Cell]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.bytes.extend(self.separator.to_string().bytes());
            }
            let text = self.cell(cell);
            self.bytes.extend(text.bytes());
        }
        self.bytes.extend(b"\r\n");
    }

    fn cell(&self, cell: &Cell) -> String {
        match cell {
            Cell::Empty => String::new(),
            Cell::Whole(number) => number.to_string(),
            Cell::Thousandths(number) => {
                // Where the semicolon parts the cells, the comma parts the decimals.
                let point = if self.separator == ',' { '.' } else { ',' };
                let sign = if *number < 0 { "-" } else { "" };
                let (whole, part) = (number.unsigned_abs() / 1000, number.unsigned_abs() % 1000);
                let part = format!("{part:03}");
                let part = part.trim_end_matches('0');
                if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{point}{part}") }
            }
            Cell::Text(text) => {
                let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
                    || text.starts_with(['\t', '\r', '\n']);
                let text = if is_formula { format!("'{text}") } else { text.clone() };
                let is_plain = !text.contains([self.separator, '"', '\r', '\n', '\'']);
                if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
            }
        }
    }

    /// Writes the file; nothing is ever written over, and a file that could not be finished is taken away.
    ///
    /// # Errors
    /// `InvalidInput` for `path`: `missing`, `file_exists`, `no_such_folder`; `StorageFull`; `Locked`.
    pub fn write(&self, path: &str) -> Result<u64> {
        if path.is_empty() {
            return Err(AppError::invalid("path", "missing"));
        }
        let path = Path::new(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Person-days hold names: nobody else on the machine reads them.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(refused)?;
        if let Err(error) = self.fill(&mut file) {
            let _ = std::fs::remove_file(path);
            return Err(error.into());
        }
        Ok(self.bytes.len() as u64)
    }

    fn fill(&self, file: &mut File) -> std::io::Result<()> {
        file.write_all(&self.bytes)?;
        file.sync_all()
    }
}

fn refused(error: std::io::Error) -> AppError {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => AppError::invalid("path", "file_exists"),
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            AppError::invalid("path", "no_such_folder")
        }
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cells: &[Cell], separator: char) -> String {
        let mut table = Table::new(&["Tên"], separator);
        table.row(cells);
        String::from_utf8(table.bytes).expect("text")
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_run_gets_an_apostrophe() {
        for bad in ["=1+1", "+84", "-2", "@SUM(A1)", "\t=1", " =HYPERLINK(\"x\")", "＝1"] {
            let line = text(&[Cell::text(bad)], ',');
            assert!(line.contains("\"'"), "{line}");
        }
        assert!(text(&[Cell::text("Hộ 12 - cạnh trường")], ',').ends_with("\nHộ 12 - cạnh trường\r\n"));
    }

    #[test]
    fn quotes_separators_and_line_ends_stay_inside_their_cell() {
        let line = text(&[Cell::text("a,b;c\"d\ne"), Cell::Whole(-3), Cell::Empty], ',');
        assert_eq!(line, "\u{feff}Tên\r\n\"a,b;c\"\"d\ne\",-3,\r\n");
    }

    #[test]
    fn decimals_go_by_the_separator() {
        assert!(text(&[Cell::Thousandths(87_040)], ',').ends_with("\n87.04\r\n"));
        assert!(text(&[Cell::Thousandths(87_040)], ';').ends_with("\n87,04\r\n"));
        assert!(text(&[Cell::Thousandths(-5)], ',').ends_with("\n-0.005\r\n"));
        assert!(text(&[Cell::Thousandths(3_000)], ';').ends_with("\n3\r\n"));
    }
}
