//! Judges what stands near a keyword: one-time codes and passwords.

use std::ops::Range;

use super::keywords::{CODE, Keywords, PASSWORD};
use super::scan::Item;
use super::{Finding, Kind};

pub(super) fn find(text: &str, items: &[Item], keywords: &Keywords) -> Vec<Finding> {
    let mut findings = Vec::new();
    codes(items, keywords, &mut findings);
    for at in 0..items.len() {
        if keywords.ending_at(at) & PASSWORD != 0
            && let Some(range) = password_after(text, items, at)
        {
            findings.push(Finding { kind: Kind::Password, range });
        }
    }
    findings
}

/// How many words may stand between a keyword and its code: "OTP của bà Hoa đọc là 483920".
const REACH: usize = 6;

/// Four to eight digits, also split by separators, near a keyword.
fn codes(items: &[Item], keywords: &Keywords, findings: &mut Vec<Finding>) {
    let free = |item: &Item| item.is_digits && item.harmless.is_none() && !item.is_found;
    let mut at = 0;
    while at < items.len() {
        if !free(&items[at]) {
            at += 1;
            continue;
        }
        let more = items[at + 1..].iter().take_while(|item| free(item) && item.gap.joins_digits()).count();
        let end = at + 1 + more;
        // The whole row first ("48 39 20"), then its first run alone ("483920 - 2").
        if let Some(range) =
            [end, at + 1].map(|end| at..end).into_iter().find(|range| is_code(items, keywords, range))
        {
            findings.push(Finding {
                kind: Kind::OneTimeCode,
                range: items[range.start].start..items[range.end - 1].end,
            });
        }
        at = end;
    }
}

fn is_code(items: &[Item], keywords: &Keywords, range: &Range<usize>) -> bool {
    let digits: usize = items[range.clone()].iter().map(|item| item.text.len()).sum();
    (4..=8).contains(&digits)
        && (keywords.is_before(items, range.start, CODE, REACH)
            || keywords.is_after(items, range.end - 1, CODE))
        && !is_explained(items, keywords, range)
}

/// Something beside the digits says that they are a year, a count, a unit's number or a model.
fn is_explained(items: &[Item], keywords: &Keywords, range: &Range<usize>) -> bool {
    let first = &items[range.start];
    let text = first.text.as_str();
    let before = range.start.checked_sub(1).map(|at| &items[at]);
    let after = items.get(range.end);
    let glued_before =
        first.is_glued() && before.is_some_and(|_| keywords.ending_at(range.start - 1) & CODE == 0);
    let glued_after = after.is_some_and(|item| item.is_glued() && !item.is_digits);
    let word_before = before
        .filter(|item| !item.is_digits && first.gap.signs.is_empty())
        .map_or("", |item| item.text.as_str());
    let word_after = after
        .filter(|item| !item.is_digits && item.gap.signs.is_empty() && !item.gap.line)
        .map_or("", |item| item.text.as_str());
    let year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    let alone = range.len() == 1;
    (alone && (glued_before || glued_after))
        || (alone && year && TIME_WORDS.contains(&word_before))
        || (alone && text.len() <= 4 && CALL_WORDS.contains(&word_before))
        || (alone && text.len() <= 5 && PLACE_WORDS.contains(&word_before))
        || is_unit(word_after)
}

/// Says whether a folded word is what numbers in notes count.
pub(super) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

const TIME_WORDS: &[&str] =
    &["nam", "thang", "quy", "ngay", "tu", "den", "dau", "cuoi", "giua", "truoc", "sau", "hen"];
const CALL_WORDS: &[&str] = &["gui", "goi", "dai", "nhan", "toi", "den", "bao"];
const PLACE_WORDS: &[&str] = &["xa", "phuong", "thon", "ho", "to", "ap", "ban", "khu", "nha", "vi", "may"];
const UNITS: &[&str] = &[
    "luot", "nguoi", "ho", "lan", "phut", "giay", "ngay", "thang", "nam", "dong", "d", "vnd", "k", "kb",
    "mb", "gb", "mah", "tin", "may", "thue", "nghin", "ngan", "trieu", "ky", "tai", "trang", "buoi", "gio",
    "h",
];

/// Words that may stand between "mật khẩu" and the colon.
const WORDS_TO_COLON: usize = 6;

/// Returns the place of the password that follows a keyword ending at item `at`.
fn password_after(text: &str, items: &[Item], at: usize) -> Option<Range<usize>> {
    let mut stated = false;
    let mut next = at + 1;
    while let Some(item) = items.get(next).filter(|_| next <= at + WORDS_TO_COLON) {
        if item.gap.line
            || (item.gap.is_sentence_end() && item.gap.space && !item.gap.signs.contains([':', '=']))
        {
            break;
        }
        if item.gap.signs.contains([':', '=']) {
            stated = true;
            break;
        }
        if item.is_word("la") {
            stated = true;
            next += 1;
            break;
        }
        next += 1;
    }
    let first = items.get(if stated { next } else { at + 1 })?;
    if first.gap.line && !stated {
        return None;
    }
    let range = token(text, items[at].end, first.start);
    is_password(&text[range.clone()], stated).then_some(range)
}

/// The most characters of a password that are looked at.
const LONGEST_TOKEN: usize = 128;

/// Returns the run without space around a place, without the brackets and stops at its ends.
fn token(text: &str, from: usize, at: usize) -> Range<usize> {
    let lead = text[from..at].rfind(|c: char| c.is_whitespace() || matches!(c, ':' | '='));
    let start = lead.map_or(from, |found| {
        let found = from + found;
        found + text[found..].chars().next().map_or(0, char::len_utf8)
    });
    let end = text[at..]
        .char_indices()
        .take(LONGEST_TOKEN)
        .take_while(|(_, c)| !c.is_whitespace())
        .last()
        .map_or(at, |(offset, c)| at + offset + c.len_utf8());
    let token = &text[start..end];
    let inner = token.trim_start_matches(['(', '[', '"', '“', '‘', '\'', '’', '-', '>', '<', '/']);
    let start = start + (token.len() - inner.len());
    let inner = inner.trim_end_matches(['.', ',', ';', ')', ']', '"', '”', '’', '\'', '?', '>']);
    start..start + inner.len()
}

/// App and company names that stand where a password could.
const BRANDS: &[&str] = &[
    "facebook",
    "internet",
    "vinaphone",
    "mobifone",
    "smartphone",
    "playstore",
    "appstore",
    "vietcombank",
    "vietnamobile",
];

fn is_password(token: &str, stated: bool) -> bool {
    let length = token.chars().count();
    if length < 4 {
        return false;
    }
    let letters = token.chars().any(char::is_alphabetic);
    let digits = token.chars().filter(|c| c.is_numeric()).count();
    let signs = token.contains(['@', '#', '$', '!', '&', '*', '_', '^']);
    if letters && digits > 0 {
        return (stated || !token.split('/').all(is_short_code)) && !is_amount(token);
    }
    if !stated {
        return letters && signs && token.is_ascii();
    }
    let small = token.to_ascii_lowercase();
    let one_long_word =
        length >= 8 && token.bytes().all(|b| b.is_ascii_alphabetic()) && !BRANDS.contains(&small.as_str());
    let only_digits = digits == length;
    (letters && signs) || one_long_word || (only_digits && digits > 8)
}

/// A model or a reason code: A105F, A3, H49.
fn is_short_code(part: &str) -> bool {
    let head = part.chars().take_while(char::is_ascii_uppercase).count();
    let digits = part[head..].chars().take_while(char::is_ascii_digit).count();
    let tail = part[head + digits..].chars().filter(char::is_ascii_uppercase).count();
    (1..=3).contains(&head) && (1..=4).contains(&digits) && head + digits + tail == part.len() && tail <= 1
}

/// Digits with a unit: 120.000đ, 15h30, 20MB.
fn is_amount(token: &str) -> bool {
    let unit: String = token.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    token.starts_with(|c: char| c.is_ascii_digit())
        && matches!(unit.as_str(), "đ" | "d" | "h" | "k" | "mb" | "gb" | "vnđ" | "p" | "g")
}
