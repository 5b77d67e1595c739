//! The words that change what a number beside them means.

use super::scan::Item;

/// Groups of keywords, as bits.
pub(super) const CODE: u8 = 1;
pub(super) const PASSWORD: u8 = 2;
pub(super) const HEALTH: u8 = 4;
pub(super) const IDENTITY: u8 = 8;

/// Folded phrases; one-time codes and passwords share most of theirs.
const PHRASES: &[(&[&str], u8)] = &[
    (&["otp"], CODE),
    (&["cvv"], CODE),
    (&["cvc"], CODE),
    (&["ma", "xac", "thuc"], CODE),
    (&["ma", "xac", "nhan"], CODE),
    (&["ma", "xac", "minh"], CODE),
    (&["ma", "kich", "hoat"], CODE),
    (&["ma", "bao", "mat"], CODE),
    (&["ma", "bi", "mat"], CODE),
    (&["ma", "dang", "nhap"], CODE),
    (&["ma", "mo", "khoa"], CODE),
    (&["ma", "pin"], CODE),
    (&["so", "pin"], CODE),
    (&["pin"], CODE),
    (&["passcode"], CODE | PASSWORD),
    (&["pass", "code"], CODE | PASSWORD),
    (&["mat", "khau"], CODE | PASSWORD),
    (&["matkhau"], CODE | PASSWORD),
    (&["mat", "ma"], CODE | PASSWORD),
    (&["mk"], CODE | PASSWORD),
    (&["pass"], CODE | PASSWORD),
    (&["password"], CODE | PASSWORD),
    (&["passwd"], CODE | PASSWORD),
    (&["pw"], CODE | PASSWORD),
    (&["pwd"], CODE | PASSWORD),
    (&["bhyt"], HEALTH),
    (&["bhxh"], HEALTH),
    (&["vssid"], HEALTH),
    (&["bao", "hiem"], HEALTH),
    (&["ma", "the"], HEALTH),
    (&["cccd"], IDENTITY),
    (&["cmnd"], IDENTITY),
    (&["cmt"], IDENTITY),
    (&["cmtnd"], IDENTITY),
    (&["can", "cuoc"], IDENTITY),
    (&["chung", "minh"], IDENTITY),
    (&["dinh", "danh"], IDENTITY),
];

/// Where keywords stand: for each item the groups of the keyword that begins and that ends there.
pub(super) struct Keywords {
    begins: Vec<u8>,
    ends: Vec<u8>,
}

pub(super) fn mark(items: &[Item]) -> Keywords {
    let mut found = Keywords { begins: vec![0; items.len()], ends: vec![0; items.len()] };
    for at in 0..items.len() {
        if items[at].is_digits {
            continue;
        }
        for (phrase, groups) in PHRASES {
            let last = at + phrase.len() - 1;
            let whole = last < items.len()
                && phrase.iter().zip(&items[at..=last]).all(|(word, item)| item.is_word(word))
                && items[at + 1..=last].iter().all(|item| !item.gap.is_sentence_end());
            if whole && (*phrase != ["pin"] || is_secret_pin(items, at)) {
                found.begins[at] |= groups;
                found.ends[last] |= groups;
            }
        }
    }
    found
}

/// "pin" in small letters is a battery, unless something is said to be it.
fn is_secret_pin(items: &[Item], at: usize) -> bool {
    items[at].is_capitals
        || items
            .get(at + 1)
            .is_some_and(|next| next.is_word("la") || next.gap.signs.contains([':', '=']) && next.is_digits)
}

impl Keywords {
    /// Returns the groups of the keyword that ends at an item.
    pub fn ending_at(&self, at: usize) -> u8 {
        self.ends[at]
    }

    /// Says whether a keyword of a group ends at most `words` words before an item, in the same clause:
    /// a comma may follow the keyword directly but nothing further away.
    pub fn is_before(&self, items: &[Item], at: usize, group: u8, words: usize) -> bool {
        let mut comma = false;
        for back in (0..at).rev().take(words + 1) {
            let gap = &items[back + 1].gap;
            if gap.is_sentence_end() || comma {
                return false;
            }
            if self.ends[back] & group != 0 {
                return true;
            }
            comma = gap.signs.contains(',');
        }
        false
    }

    /// Says whether a keyword of a group begins right after an item, or after "là", "chính là mã".
    pub fn is_after(&self, items: &[Item], at: usize, group: u8) -> bool {
        for (next, item) in items.iter().enumerate().skip(at + 1).take(4) {
            if item.gap.is_sentence_end() || item.gap.signs.contains(',') {
                return false;
            }
            if self.begins[next] & group != 0 {
                return true;
            }
            if !["la", "chinh", "lam", "dung", "ma"].iter().any(|word| item.is_word(word)) {
                return false;
            }
        }
        false
    }
}
