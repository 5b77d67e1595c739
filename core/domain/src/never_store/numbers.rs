//! Judges runs of digits: alone, joined over separators, and joined over the commas of a list.

use std::ops::Range;

use super::harmless::Form;
use super::keywords::{HEALTH, IDENTITY, Keywords};
use super::scan::Item;
use super::{Finding, Kind, is_citizen_number};
use crate::text::phone::is_mobile_start;

/// Returns the findings among the runs and marks them, so that later rules pass them by.
pub(super) fn find(items: &mut [Item], keywords: &Keywords) -> Vec<Finding> {
    let mut findings = Vec::new();
    health_cards(items, &mut findings);
    let mut at = 0;
    while at < items.len() {
        let end = chain_end(items, at);
        if end > at {
            chain(items, keywords, at..end, &mut findings);
        }
        at = end.max(at + 1);
    }
    lists(items, &mut findings);
    findings
}

/// Returns the end of the longest row of digit runs from `at` whose gaps all join.
fn chain_end(items: &[Item], at: usize) -> usize {
    if !items[at].is_digits {
        return at;
    }
    at + 1 + items[at + 1..].iter().take_while(|item| item.is_digits && item.gap.joins_digits()).count()
}

fn digits(items: &[Item]) -> String {
    items.iter().map(|item| item.text.as_str()).collect()
}

fn count(items: &[Item]) -> usize {
    items.iter().map(|item| item.text.len()).sum()
}

fn report(items: &mut [Item], range: Range<usize>, kind: Kind, findings: &mut Vec<Finding>) {
    findings.push(Finding { kind, range: items[range.start].start..items[range.end - 1].end });
    for item in &mut items[range] {
        item.is_found = true;
    }
}

/// Groups of insured people: the two letters of a health-insurance card.
const CARD_LETTERS: &[&str] = &[
    "bt", "ca", "cb", "cc", "ch", "ck", "cn", "co", "cs", "ct", "cy", "dk", "dn", "dt", "gb", "gd", "hc",
    "hd", "hg", "hn", "hs", "ht", "hx", "kc", "lh", "ls", "ms", "nd", "nn", "no", "nu", "pl", "pv", "qn",
    "sh", "sv", "ta", "tb", "tc", "td", "te", "tk", "tl", "tn", "to", "tq", "ts", "tv", "ty", "xb", "xd",
    "xk", "xm", "xn", "xv",
];

/// Two letters and thirteen digits, the first of which is the share that is paid (1 to 5).
fn health_cards(items: &mut [Item], findings: &mut Vec<Finding>) {
    for at in 0..items.len().saturating_sub(1) {
        let word = &items[at];
        let first = &items[at + 1];
        if word.is_digits || !first.is_digits || !first.gap.joins_digits() || first.is_found {
            continue;
        }
        let known = CARD_LETTERS.contains(&word.text.as_str());
        let letters = word.text.len() == 2 && word.is_plain && (known || first.is_glued());
        if !letters || !first.text.starts_with(['1', '2', '3', '4', '5']) {
            continue;
        }
        let mut end = at + 2;
        let mut total = first.text.len();
        while total < 13
            && let Some(next) = items.get(end)
            && next.is_digits
            && next.gap.joins_digits()
        {
            total += next.text.len();
            end += 1;
        }
        if total == 13 {
            report(items, at..end, Kind::HealthInsurance, findings);
        }
    }
}

/// Judges one row of runs that separators join.
fn chain(items: &mut [Item], keywords: &Keywords, range: Range<usize>, findings: &mut Vec<Finding>) {
    foreign_phones(items, range.clone(), findings);
    for at in range.clone() {
        if let Some(kind) = alone(items, keywords, at) {
            report(items, at..at + 1, kind, findings);
        }
    }
    let mut at = range.start;
    while at < range.end {
        let free = |item: &Item| item.harmless.is_none() && !item.is_found;
        let length = items[at..range.end].iter().take_while(|item| free(item)).count();
        if length > 1 {
            segment(items, keywords, at..at + length, findings);
        }
        at += length.max(1);
    }
    if !items[range.clone()].iter().any(|item| item.is_found) {
        mixed(items, range, findings);
    }
}

/// "+84 912345678": looked for first, because the nine digits alone are an identity card.
fn foreign_phones(items: &mut [Item], range: Range<usize>, findings: &mut Vec<Finding>) {
    let mut at = range.start;
    while at < range.end {
        let mut text = String::new();
        let mut length = 0;
        let country = matches!(items[at].text.as_str(), "84" | "0084");
        while country && at + length < range.end && text.len() < 13 {
            let item = &items[at + length];
            if item.harmless.is_some() || item.is_found {
                break;
            }
            text.push_str(&item.text);
            length += 1;
            if length > 1 && (is_phone(&text) || is_foreign_phone(&text)) {
                report(items, at..at + length, Kind::Phone, findings);
                at += length - 1;
                break;
            }
        }
        at += 1;
    }
}

/// One run by itself.
fn alone(items: &[Item], keywords: &Keywords, at: usize) -> Option<Kind> {
    let item = &items[at];
    if item.is_found || item.harmless.is_some() {
        return None;
    }
    let text = item.text.as_str();
    let identity = || keywords.is_before(items, at, IDENTITY, 4);
    match text.len() {
        9 => Some(Kind::OldIdNumber),
        12 => Some(if is_foreign_phone(text) { Kind::Phone } else { Kind::CitizenId }),
        _ if is_phone(text) => Some(Kind::Phone),
        10 | 13 if keywords.is_before(items, at, HEALTH, 6) => Some(Kind::HealthInsurance),
        16 => Some(Kind::BankCard),
        13..=19 if has_check_digit(text) => Some(Kind::BankCard),
        10 | 11 | 13 if identity() => Some(Kind::CitizenId),
        // No note needs a number this long, and several of the above may hide in it.
        20.. => Some(Kind::CitizenId),
        _ => None,
    }
}

/// Several runs in a row that no harmless form explains.
fn segment(items: &mut [Item], keywords: &Keywords, range: Range<usize>, findings: &mut Vec<Finding>) {
    let part = &items[range.clone()];
    if is_sequence(part) {
        return;
    }
    let text = digits(part);
    let near = |group| keywords.is_before(items, range.start, group, 6);
    let groups = |length: usize| part.iter().all(|item| item.text.len() == length);
    let whole = match text.len() {
        12 if is_foreign_phone(&text) => Some(Kind::Phone),
        12 if is_rising_list(part) => None,
        12 => Some(Kind::CitizenId),
        _ if is_phone(&text) => Some(Kind::Phone),
        10 | 13 if near(HEALTH) => Some(Kind::HealthInsurance),
        9 if groups(3) || groups(1) || near(IDENTITY) => Some(Kind::OldIdNumber),
        16 if !is_rising_list(part) => Some(Kind::BankCard),
        13..=19 if part.iter().all(|item| item.text.len() > 2) && has_check_digit(&text) => {
            Some(Kind::BankCard)
        }
        _ => None,
    };
    match whole {
        Some(kind) => report(items, range, kind, findings),
        None => windows(items, range, findings),
    }
}

/// Looks inside a longer row for consecutive runs that together are one number.
fn windows(items: &mut [Item], range: Range<usize>, findings: &mut Vec<Finding>) {
    let mut at = range.start;
    while at < range.end {
        match window_at(&items[at..range.end]) {
            Some((kind, length)) => {
                report(items, at..at + length, kind, findings);
                at += length;
            }
            None => at += 1,
        }
    }
}

/// Twenty digits are more than any number looked for, so a window ends there.
fn window_at(items: &[Item]) -> Option<(Kind, usize)> {
    let mut text = String::with_capacity(24);
    for (at, item) in items.iter().enumerate() {
        text.push_str(&item.text);
        let part = &items[..=at];
        match text.len() {
            _ if at == 0 => {}
            _ if is_phone(&text) => return Some((Kind::Phone, at + 1)),
            16 if part.iter().all(|run| run.text.len() == 4) => return Some((Kind::BankCard, at + 1)),
            12 if is_foreign_phone(&text) => return Some((Kind::Phone, at + 1)),
            12 if !is_rising_list(part) && !begins_card(items) => return Some((Kind::CitizenId, at + 1)),
            20.. => return None,
            _ => {}
        }
    }
    None
}

fn begins_card(items: &[Item]) -> bool {
    items.len() >= 4 && items[..4].iter().all(|run| run.text.len() == 4)
}

/// A row of exactly twelve digits that harmless forms explain only in part: written to be overlooked,
/// or a citizen number whose separators happen to make a date of its first digits.
fn mixed(items: &mut [Item], range: Range<usize>, findings: &mut Vec<Finding>) {
    let part = &items[range.clone()];
    if count(part) != 12
        || part.iter().all(|item| item.harmless.is_some())
        || is_sequence(part)
        || is_rising_list(part)
    {
        return;
    }
    let fixed = part.iter().any(|item| item.harmless == Some(Form::Fixed));
    let amount = part.iter().any(|item| item.harmless == Some(Form::Amount));
    // "02/01/2024: 1250 người": a whole date, then one count with its unit.
    let date_and_count = part.len() == 4 && part[..3].iter().all(|item| item.harmless == Some(Form::Fixed));
    let unit = items.get(range.end).filter(|word| word.gap.signs.is_empty());
    let counted = date_and_count && unit.is_some_and(|word| super::secrets::is_unit(&word.text));
    if (is_citizen_number(&digits(part)) && !counted) || (amount && !fixed) {
        report(items, range, Kind::CitizenId, findings);
    }
}

/// A number split over list commas or lines: only groups of three digits and more, and only what has
/// the structure of a citizen or a phone number, because lists of house numbers look alike. Two groups
/// of five are a list of commune codes.
fn lists(items: &mut [Item], findings: &mut Vec<Finding>) {
    let usable =
        |item: &Item| item.is_digits && item.text.len() > 2 && !item.is_found && item.harmless.is_none();
    let mut at = 0;
    while at < items.len() {
        let mut length = 0;
        let mut text = String::new();
        let mut found = None;
        // Twelve digits are at most four groups of three.
        while length < 4
            && let Some(item) = items.get(at + length)
            && usable(item)
            && (length == 0 || item.gap.signs.chars().count() < 4)
        {
            text.push_str(&item.text);
            length += 1;
            let part = &items[at..at + length];
            if length == 1 || is_sequence(part) {
                continue;
            }
            if is_citizen_number(&text) {
                found = Some(Kind::CitizenId);
            } else if is_phone(&text) && part.iter().all(|run| run.text.len() != 5) {
                found = Some(Kind::Phone);
            }
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(kind) => {
                report(items, at..at + length, kind, findings);
                at += length;
            }
            None => at += 1,
        }
    }
}

/// Each number one more than the last: 101 102 103, 09 10 11, 2021 2022 2023.
fn is_sequence(items: &[Item]) -> bool {
    items.len() > 2
        && items.windows(2).all(|pair| {
            let (one, next) = (pair[0].text.parse::<u64>(), pair[1].text.parse::<u64>());
            matches!((one, next), (Ok(one), Ok(next)) if next == one + 1)
        })
}

/// A rising list of small numbers without leading zeros ("12 15 18 20 22 25"), or only years.
fn is_rising_list(items: &[Item]) -> bool {
    let years = items
        .iter()
        .all(|item| item.text.len() == 4 && (item.text.starts_with("19") || item.text.starts_with("20")));
    let small = items.iter().all(|item| item.text.len() <= 2 && !item.text.starts_with('0'));
    let rising = items
        .windows(2)
        .all(|pair| (pair[0].text.len(), &pair[0].text) < (pair[1].text.len(), &pair[1].text));
    years || (small && rising && items.len() > 3)
}

/// Ten digits of a mobile number, the same with 84 or 0084, or the eleven digits of before 2018.
fn is_phone(digits: &str) -> bool {
    match digits.len() {
        10 => is_mobile_start(digits),
        11 if digits.starts_with("84") => is_mobile_start(&format!("0{}", &digits[2..])),
        11 => ["012", "016", "018", "019"].iter().any(|old| digits.starts_with(old)),
        13 => digits.starts_with("0084") && is_mobile_start(&format!("0{}", &digits[4..])),
        _ => false,
    }
}

/// +84 and then the whole national number with its 0; no citizen number begins with 84.
fn is_foreign_phone(digits: &str) -> bool {
    digits.strip_prefix("84").is_some_and(is_phone)
}

/// The check digit of bank cards (Luhn). All zeros do not count.
fn has_check_digit(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') * (1 + (at as u32 % 2));
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}
