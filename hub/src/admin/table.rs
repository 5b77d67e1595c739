//! Reads a table of text: fields separated by comma, semicolon or tab (what the heading uses), quoted as in RFC 4180.
//!
//! Pure and bounded. Spreadsheets of Vietnamese users write semicolons, a byte-order mark and CRLF; empty lines are
//! passed over.

/// The longest table that is read, in bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most lines.
pub(super) const MAX_LINES: usize = 50_000;

/// Where reading ended, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TableError {
    /// From 1.
    pub line: usize,
    /// Why.
    pub problem: Problem,
}

/// What can be wrong with the outside of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Problem {
    /// Over the bounds.
    TooLarge,
    /// A quotation mark that does not close, or stands inside an unquoted field.
    Quotes,
}

/// One field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cell(pub String);

impl Cell {
    /// Without space around it.
    pub fn trimmed(&self) -> &str {
        self.0.trim()
    }
}

/// One line that is not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// Of its first character, from 1.
    pub number: usize,
    /// Its fields.
    pub cells: Vec<Cell>,
}

/// Reads all lines.
pub(super) fn read(text: &str) -> Result<Vec<Line>, TableError> {
    if text.len() > MAX_BYTES {
        return Err(TableError { line: 1, problem: Problem::TooLarge });
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let heading = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator = [';', '\t'].into_iter().find(|sign| heading.contains(*sign)).unwrap_or(',');
    let mut reader =
        Reader { lines: Vec::new(), cells: Vec::new(), cell: String::new(), first: 1, number: 1 };
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if reader.cell.trim().is_empty() => {
                reader.cell.clear();
                quoted(&mut signs, &mut reader)?;
            }
            '"' => return Err(TableError { line: reader.number, problem: Problem::Quotes }),
            '\r' if signs.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                reader.end_line()?;
            }
            sign if sign == separator => reader.end_cell(),
            sign => reader.cell.push(sign),
        }
    }
    reader.end_line()?;
    Ok(reader.lines)
}

struct Reader {
    lines: Vec<Line>,
    cells: Vec<Cell>,
    cell: String,
    first: usize,
    number: usize,
}

impl Reader {
    fn end_cell(&mut self) {
        self.cells.push(Cell(std::mem::take(&mut self.cell)));
    }

    fn end_line(&mut self) -> Result<(), TableError> {
        self.end_cell();
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().any(|cell| !cell.trimmed().is_empty()) {
            if self.lines.len() == MAX_LINES {
                return Err(TableError { line: self.number, problem: Problem::TooLarge });
            }
            self.lines.push(Line { number: self.first, cells });
        }
        self.number += 1;
        self.first = self.number;
        Ok(())
    }
}

/// The inside of quotation marks; two of them are one.
fn quoted(
    signs: &mut std::iter::Peekable<std::str::Chars<'_>>,
    reader: &mut Reader,
) -> Result<(), TableError> {
    let opened = TableError { line: reader.number, problem: Problem::Quotes };
    loop {
        match signs.next().ok_or(opened)? {
            '"' if signs.peek() == Some(&'"') => {
                signs.next();
                reader.cell.push('"');
            }
            '"' => break,
            sign => {
                reader.number += usize::from(sign == '\n');
                reader.cell.push(sign);
            }
        }
    }
    match signs.peek() {
        None | Some(',' | ';' | '\t' | '\n' | '\r' | ' ') => Ok(()),
        Some(_) => Err(opened),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let lines = read(text).expect("a table");
        lines.into_iter().map(|line| line.cells.into_iter().map(|cell| cell.0).collect()).collect()
    }

    #[test]
    fn the_heading_tells_the_separator() {
        assert_eq!(cells("\u{FEFF}a;b\r\n\r\n1,5;\"x;y\"\r\n"), [["a", "b"], ["1,5", "x;y"]]);
        assert_eq!(cells("a\tb\n1\t\n"), [["a", "b"], ["1", ""]]);
        assert_eq!(cells("a,b\n\"62,5\",\"nói \"\"vậy\"\"\""), [["a", "b"], ["62,5", "nói \"vậy\""]]);
    }

    #[test]
    fn lines_keep_their_numbers() {
        let lines = read("a,b\n\n\"x\ny\",1\nz,2\n").expect("a table");
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3, 5]);
    }

    #[test]
    fn open_quotes_and_great_tables_are_refused() {
        for text in ["a,\"b", "a,b\nx\"y,1", "a,\"b\"c"] {
            assert_eq!(read(text).expect_err(text).problem, Problem::Quotes);
        }
        let great = "a\n".repeat(MAX_LINES + 1);
        assert_eq!(read(&great), Err(TableError { line: MAX_LINES + 1, problem: Problem::TooLarge }));
        assert!(read(&" ".repeat(MAX_BYTES + 1)).is_err());
    }
}
