//! Reads a text once into words and runs of digits, with what stands between them.
//!
//! Everything that could hide a digit is undone here: full-width and other digits become ASCII,
//! invisible characters and combining marks inside a run vanish. Offsets are those of the original.

use unicode_normalization::char::decompose_compatible;

use crate::text::is_invisible;

/// What stands between an item and the one before it.
#[derive(Debug, Default, Clone)]
pub(super) struct Gap {
    /// Signs that are neither letters, digits nor space; longer than `MAX_SIGNS` means "far apart".
    pub signs: String,
    /// A space or tab stands in the gap.
    pub space: bool,
    /// A line break stands in the gap.
    pub line: bool,
}

/// Signs kept of a gap; a gap with more than three joins nothing.
const MAX_SIGNS: usize = 4;

impl Gap {
    fn is_touching(&self) -> bool {
        self.signs.is_empty() && !self.space && !self.line
    }

    /// The gap is exactly one sign, without space.
    pub fn is_sign(&self, sign: char) -> bool {
        !self.space && !self.line && self.signs.len() == sign.len_utf8() && self.signs.starts_with(sign)
    }

    /// Between the members of a written list: "12, 15; 18" or one a line.
    pub fn is_list(&self) -> bool {
        self.line || (self.space && self.signs.contains([',', ';']))
    }

    /// Ends a sentence or a clause that numbers and keywords do not reach over.
    pub fn is_sentence_end(&self) -> bool {
        self.line || self.signs.contains([';', '!', '?']) || (self.space && self.signs.contains('.'))
    }

    /// May stand inside one number: anything short that is no list.
    pub fn joins_digits(&self) -> bool {
        !self.is_list() && self.signs.chars().count() < MAX_SIGNS
    }
}

/// A run of letters or a run of digits.
#[derive(Debug)]
pub(super) struct Item {
    /// Letters folded (no marks, small, `đ` as d), or ASCII digits.
    pub text: String,
    pub is_digits: bool,
    /// Byte range in the original.
    pub start: usize,
    pub end: usize,
    pub gap: Gap,
    /// The letters were written in capitals.
    pub is_capitals: bool,
    /// The letters had no Vietnamese marks.
    pub is_plain: bool,
    /// A number of a harmless kind; set by `harmless`.
    pub harmless: Option<super::harmless::Form>,
    /// Part of a finding already.
    pub is_found: bool,
}

impl Item {
    /// Stands directly beside the item before it, as the letters and digits of "A105".
    pub fn is_glued(&self) -> bool {
        self.gap.is_touching()
    }

    pub fn is_word(&self, word: &str) -> bool {
        !self.is_digits && self.text == word
    }
}

/// Splits a text into items, in order.
pub(super) fn scan(text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut gap = Gap::default();
    let mut open = false;
    for (start, original) in text.char_indices() {
        if is_invisible(original) {
            continue;
        }
        let end = start + original.len_utf8();
        if original == '\n' || original == '\r' {
            gap.line = true;
            open = false;
            continue;
        }
        decompose_compatible(original, |part| {
            if is_mark(part) {
                if open && let Some(last) = items.last_mut() {
                    last.end = end;
                    last.is_plain = false;
                }
            } else if let Some(digit) = digit(part) {
                push(&mut items, &mut gap, open, digit, true, start..end);
                open = true;
            } else if part.is_alphabetic() {
                push(&mut items, &mut gap, open, part, false, start..end);
                open = true;
            } else {
                open = false;
                if part.is_whitespace() {
                    gap.space = true;
                } else if gap.signs.chars().count() < MAX_SIGNS {
                    gap.signs.push(one_dash(part));
                }
            }
        });
    }
    items
}

fn push(
    items: &mut Vec<Item>,
    gap: &mut Gap,
    open: bool,
    c: char,
    is_digit: bool,
    at: std::ops::Range<usize>,
) {
    let continues = open && items.last().is_some_and(|last| last.is_digits == is_digit);
    if !continues {
        items.push(Item {
            text: String::new(),
            is_digits: is_digit,
            start: at.start,
            end: at.end,
            gap: std::mem::take(gap),
            is_capitals: true,
            is_plain: true,
            harmless: None,
            is_found: false,
        });
    }
    if let Some(last) = items.last_mut() {
        last.end = at.end;
        last.is_capitals &= !c.is_lowercase();
        for small in c.to_lowercase() {
            if matches!(small, 'đ' | 'ð') {
                last.text.push('d');
                last.is_plain = false;
            } else if !is_mark(small) {
                last.text.push(small);
            }
        }
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{20D0}'..='\u{20FF}')
}

fn one_dash(c: char) -> char {
    match c {
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        other => other,
    }
}

/// The zero of every script in use hereabouts, and of those a keyboard app may offer.
const ZEROS: [u32; 12] =
    [0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1946, 0x19D0, 0xAA50];

fn digit(c: char) -> Option<char> {
    if c.is_ascii_digit() {
        return Some(c);
    }
    let point = u32::from(c);
    let value = ZEROS.iter().map(|zero| point.wrapping_sub(*zero)).find(|value| *value < 10)?;
    char::from_digit(value, 10)
}
