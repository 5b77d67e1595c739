//! Numbers that notes are full of and that are nobody's: dates, times, money, grouped counts,
//! decimals, procedure codes, hotlines and the numbers of legal acts.
//!
//! Every form has a shape narrow enough that a citizen number fits none of them (those begin with 0 and
//! have twelve digits); `numbers` closes what is left where several forms stand in a row.

use super::keywords::{IDENTITY, Keywords};
use super::scan::Item;

/// Which harmless form a run of digits belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Money, grouped counts, decimals.
    Amount,
    /// Everything else of the list above.
    Fixed,
}

/// Marks the runs that belong to a harmless form.
pub(super) fn mark(items: &mut [Item], keywords: &Keywords) {
    let mut at = 0;
    while at < items.len() {
        let form = if items[at].is_digits { form_at(items, keywords, at) } else { None };
        let Some((form, length)) = form else {
            at += 1;
            continue;
        };
        for item in &mut items[at..at + length] {
            item.harmless = Some(form);
        }
        at += length;
    }
}

fn form_at(items: &[Item], keywords: &Keywords, at: usize) -> Option<(Form, usize)> {
    fixed(items, at)
        .map(|length| (Form::Fixed, length))
        .or_else(|| amount(items, keywords, at).map(|length| (Form::Amount, length)))
}

fn fixed(items: &[Item], at: usize) -> Option<usize> {
    procedure(items, at)
        .or_else(|| legal_act(items, at))
        .or_else(|| date(items, at))
        .or_else(|| time(items, at))
        .or_else(|| hotline(items, at))
}

/// The run at `at`, when it is one and hangs on the run before it by exactly this sign.
fn joined(items: &[Item], at: usize, sign: char) -> Option<&str> {
    items.get(at).filter(|item| item.is_digits && item.gap.is_sign(sign)).map(|item| item.text.as_str())
}

/// Says whether a run hangs on a run before it by a sign without space, so that no form begins here.
fn hangs(items: &[Item], at: usize, sign: char) -> bool {
    at > 0 && items[at - 1].is_digits && items[at].gap.is_sign(sign)
}

fn value(digits: &str) -> u32 {
    digits.parse().unwrap_or(u32::MAX)
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (1900..2100).contains(&value(digits))
}

fn is_part(digits: &str, most: u32) -> bool {
    digits.len() <= 2 && (1..=most).contains(&value(digits))
}

/// 01/02/2024, 1-2-2024, 2024.02.01, and with a slash also 01/02 and 02/2024.
fn date(items: &[Item], at: usize) -> Option<usize> {
    let first = items[at].text.as_str();
    for sign in ['/', '-', '.'] {
        let Some(second) = joined(items, at + 1, sign) else { continue };
        if hangs(items, at, sign) {
            return None;
        }
        if let Some(third) = joined(items, at + 2, sign) {
            let ends = joined(items, at + 3, sign).is_none();
            let day_first = is_part(first, 31) && is_part(second, 12) && is_year(third);
            let year_first = is_year(first) && is_part(second, 12) && is_part(third, 31);
            return (ends && (day_first || year_first)).then_some(3);
        }
        let short = is_part(first, 31) && is_part(second, 12) || is_part(first, 12) && is_year(second);
        return (sign == '/' && short).then_some(2);
    }
    None
}

/// 15:30 and 15:30:05.
fn time(items: &[Item], at: usize) -> Option<usize> {
    let minutes = joined(items, at + 1, ':')?;
    let sixty = |digits: &str| digits.len() == 2 && value(digits) < 60;
    if items[at].text.len() > 2 || value(&items[at].text) >= 24 || !sixty(minutes) || hangs(items, at, ':') {
        return None;
    }
    match joined(items, at + 2, ':') {
        None => Some(2),
        Some(seconds) => (sixty(seconds) && joined(items, at + 3, ':').is_none()).then_some(3),
    }
}

/// A national procedure code: 1.004194, 2.000488.000.00.00.H49.
fn procedure(items: &[Item], at: usize) -> Option<usize> {
    let head = items[at].text.len() == 1 && joined(items, at + 1, '.')?.len() == 6 && !hangs(items, at, '.');
    if !head {
        return None;
    }
    let tail = ["000", "00", "00"];
    if (0..3).all(|part| joined(items, at + 2 + part, '.') == Some(tail[part])) {
        return joined(items, at + 5, '.').is_none().then_some(5);
    }
    joined(items, at + 2, '.').is_none().then_some(2)
}

/// 19/2025/QĐ-TTg: a number, a year, then letters.
fn legal_act(items: &[Item], at: usize) -> Option<usize> {
    let year = joined(items, at + 1, '/')?;
    let letters = items.get(at + 2).is_some_and(|item| !item.is_digits && item.gap.is_sign('/'));
    (letters && items[at].text.len() <= 5 && is_year(year) && !hangs(items, at, '/')).then_some(2)
}

/// 1900 0368, 1800.1091, 19001234, 1900 63 64 65.
fn hotline(items: &[Item], at: usize) -> Option<usize> {
    let first = items[at].text.as_str();
    if !first.starts_with("1900") && !first.starts_with("1800") {
        return None;
    }
    let mut rest = first.len() - 4;
    let mut length = 1;
    while rest < 4 || (rest == 4 && length > 2) {
        let next = items.get(at + length)?;
        if !next.is_digits || !next.gap.joins_digits() || next.gap.signs.len() > 1 {
            break;
        }
        rest += next.text.len();
        length += 1;
        if rest > 6 {
            return None;
        }
    }
    // Beside a further group of three or more it is part of a longer number.
    let continues = |next: &Item| next.is_digits && next.gap.joins_digits() && next.text.len() > 2;
    let continued = items.get(at + length).is_some_and(continues);
    let continuing =
        at > 0 && items[at].gap.joins_digits() && items[at - 1].is_digits && items[at - 1].text.len() > 2;
    (!continued && !continuing && matches!(rest, 4 | 6)).then_some(length)
}

/// 120.000, 1.234.567 đồng, 87,04, 120000000 đ. Without a currency at most eleven digits, and a group
/// of nine beside a word for identity papers is no amount.
fn amount(items: &[Item], keywords: &Keywords, at: usize) -> Option<usize> {
    if hangs(items, at, '.') || hangs(items, at, ',') {
        return None;
    }
    let leading_zero = items[at].text.starts_with('0');
    for sign in ['.', ','] {
        let mut length = 1;
        let mut digits = items[at].text.len();
        while let Some(group) = joined(items, at + length, sign).filter(|group| group.len() == 3) {
            digits += group.len();
            length += 1;
        }
        if length == 1 {
            continue;
        }
        let decimals = if sign == '.' { joined(items, at + length, ',') } else { None };
        let with_decimals = length + usize::from(decimals.is_some_and(|part| part.len() <= 2));
        let ends = joined(items, at + with_decimals, '.').is_none()
            && joined(items, at + with_decimals, ',').is_none();
        let currency = is_currency(items.get(at + with_decimals));
        let identity = keywords.is_before(items, at, IDENTITY, 4);
        let fits =
            items[at].text.len() <= 3 && !leading_zero && ends && (currency || (digits <= 11 && !identity));
        return fits.then_some(with_decimals);
    }
    if let Some(decimals) = joined(items, at + 1, ',') {
        let ends = joined(items, at + 2, ',').is_none() && joined(items, at + 2, '.').is_none();
        return (decimals.len() <= 2 && items[at].text.len() <= 3 && ends).then_some(2);
    }
    spaced_amount(items, keywords, at)
}

/// 120 000 000 and a bare 120000000 đ.
fn spaced_amount(items: &[Item], keywords: &Keywords, at: usize) -> Option<usize> {
    let first = items[at].text.as_str();
    if first.starts_with('0') {
        return None;
    }
    if is_currency(items.get(at + 1)) {
        // Longer than any sum in a village: more likely something else with a letter behind it.
        return (first.len() <= 11).then_some(1);
    }
    let hangs_by_space = at > 0 && items[at - 1].is_digits && items[at].gap.joins_digits();
    if first.len() > 3 || hangs_by_space {
        return None;
    }
    let mut length = 1;
    while let Some(next) = items.get(at + length) {
        let spaced = next.is_digits && next.gap.signs.is_empty() && next.gap.space && !next.gap.line;
        if !spaced || next.text.len() != 3 {
            break;
        }
        length += 1;
    }
    let digits = first.len() + 3 * (length - 1);
    let round =
        items[at + length - 1].text == "000" && digits <= 11 && !keywords.is_before(items, at, IDENTITY, 4);
    let ends = !items.get(at + length).is_some_and(|next| next.is_digits && next.gap.joins_digits());
    (length > 1 && ends && (round || is_currency(items.get(at + length)))).then_some(length)
}

fn is_currency(next: Option<&Item>) -> bool {
    next.is_some_and(|word| {
        !word.is_digits
            && word.gap.signs.is_empty()
            && !word.gap.line
            && matches!(
                word.text.as_str(),
                "d" | "dong" | "vnd" | "k" | "nghin" | "ngan" | "trieu" | "ty" | "usd"
            )
    }) || next.is_some_and(|word| word.gap.is_sign('₫'))
}
