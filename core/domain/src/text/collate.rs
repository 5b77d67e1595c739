//! Dictionary order of Vietnamese as bytes a database can compare.
//!
//! Follows the CLDR collation `vi`: ă, â, đ, ê, ô, ơ, ư are letters of their own; the tones count only
//! when the letters are equal, in the order ngang, huyền, hỏi, ngã, sắc, nặng; case counts last (small
//! first). The tests hold it against ICU. Carrying ICU's tables into the phone would cost more than
//! the rest of this module.

use unicode_normalization::UnicodeNormalization;

use super::name::split_given;
use super::normal::{is_quality, is_tone};

/// Separates the levels of a key and two keys in a row; lower than every weight.
const END: u8 = 0;
/// The weight of a letter without a mark (second level) or in small case (third level).
const COMMON: u8 = 1;
const CAPITAL: u8 = 2;
/// First byte of the weight of a character outside the table below; its code point follows.
const OTHER: u8 = 0xF0;

/// Spaces, punctuation, signs and digits in CLDR order; letters come after them.
const BEFORE_LETTERS: &str = " _-–—,;:!?.‘’\"“”()[]{}@*/\\&#%`^+<=>|~$0123456789";
/// The letters in order; CLDR places f, j, w, z where English has them.
const LETTERS: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";

/// Returns bytes whose order is the dictionary order of the texts they were made from.
///
/// Expects stored text (`nfc`); composed and decomposed text give one key. Equal keys mean texts that
/// a reader cannot tell apart. Scripts other than Latin come after z, by code point.
pub fn sort_key(text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len() * 3 + 3);
    let mut marks = Vec::with_capacity(text.len() + 1);
    let mut cases = Vec::with_capacity(text.len() + 1);
    let mut parts = text.nfd().peekable();
    let mut held = Vec::new();
    while let Some(base) = parts.next() {
        if let Some(weight) = mark_weight(base) {
            marks.push(weight);
            cases.push(COMMON);
            continue;
        }
        let mut quality = None;
        held.clear();
        // Canonical order puts the dot of ặ before its breve, so the letter is known only at the end.
        while let Some(&mark) = parts.peek() {
            if quality.is_none() && is_quality(mark) && compose(lower(base), mark).is_some() {
                quality = Some(mark);
            } else if let Some(weight) = mark_weight(mark) {
                held.push(weight);
            } else {
                break;
            }
            parts.next();
        }
        let small = lower(base);
        push_primary(&mut key, quality.and_then(|q| compose(small, q)).unwrap_or(small));
        marks.push(COMMON);
        cases.push(if small == base { COMMON } else { CAPITAL });
        for &weight in &held {
            marks.push(weight);
            cases.push(COMMON);
        }
    }
    key.push(END);
    key.append(&mut marks);
    key.push(END);
    key.append(&mut cases);
    key.push(END);
    key
}

/// Returns bytes that order people as a Vietnamese list does: by the name they are called
/// (`given_name`), then by the family and middle names as written. Case does not count.
pub fn name_sort_key(name: &str) -> Vec<u8> {
    let (given, rest) = split_given(name);
    let mut key = sort_key(&given.to_lowercase());
    key.extend(sort_key(&rest.to_lowercase()));
    key
}

fn lower(c: char) -> char {
    let mut small = c.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn compose(base: char, quality: char) -> Option<char> {
    unicode_normalization::char::compose(base, quality).filter(|&c| LETTERS.contains(c))
}

/// Weights above `COMMON`: the tones in their order, then every other mark.
fn mark_weight(c: char) -> Option<u8> {
    match c {
        '\u{0300}' => Some(2),
        '\u{0309}' => Some(3),
        '\u{0303}' => Some(4),
        '\u{0301}' => Some(5),
        '\u{0323}' => Some(6),
        _ if ('\u{0300}'..='\u{036F}').contains(&c) && !is_tone(c) => Some(16 + (c as u32 - 0x300) as u8),
        _ => None,
    }
}

fn push_primary(key: &mut Vec<u8>, c: char) {
    let c = match c {
        // Stored text has one apostrophe.
        '\'' => '’',
        space if space.is_whitespace() => ' ',
        other => other,
    };
    if let Some(at) = BEFORE_LETTERS.chars().position(|known| known == c) {
        key.push(1 + at as u8);
    } else if let Some(at) = LETTERS.chars().position(|known| known == c) {
        key.push(128 + at as u8);
    } else {
        key.push(OTHER);
        // Shifted by one so that no byte is END.
        let point = u32::from(c);
        key.extend([1 + (point >> 14) as u8, 1 + ((point >> 7) & 0x7F) as u8, 1 + (point & 0x7F) as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_collator::options::CollatorOptions;
    use icu_collator::{Collator, CollatorBorrowed};
    use icu_locale_core::locale;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn icu() -> CollatorBorrowed<'static> {
        Collator::try_new(locale!("vi").into(), CollatorOptions::default()).expect("vi is compiled in")
    }

    fn assert_same_order(icu: &CollatorBorrowed<'_>, one: &str, other: &str) {
        let ours = sort_key(one).cmp(&sort_key(other));
        assert_eq!(ours, icu.compare(one, other), "{one:?} against {other:?}");
    }

    /// Syllables made of every onset, rhyme and tone: several thousand, not all of them words.
    fn syllables() -> Vec<String> {
        let onsets = ["", "b", "c", "ch", "d", "đ", "gi", "kh", "l", "ng", "nh", "ph", "qu", "t", "th", "x"];
        let rhymes = [
            "a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "an", "ăn", "ân", "anh", "oa", "uy",
            "iên", "ươn", "uyên", "ương", "êu", "oai",
        ];
        let tones = ["", "\u{300}", "\u{309}", "\u{303}", "\u{301}", "\u{323}"];
        let mut all = Vec::new();
        for onset in onsets {
            for rhyme in rhymes {
                for tone in tones {
                    let mut letters = rhyme.chars();
                    let first = letters.next().expect("a rhyme has a letter");
                    let rest: String = letters.collect();
                    all.push(crate::text::nfc(&format!("{onset}{first}{tone}{rest}")));
                }
            }
        }
        all
    }

    #[test]
    fn the_listed_words_stand_in_dictionary_order() {
        let order = "a à ả ã á ạ anh áo ba cả cá cắt da dạ đa";
        let mut words: Vec<&str> = order.split(' ').collect();
        words.reverse();
        words.sort_by_key(|word| sort_key(word));
        assert_eq!(words.join(" "), order);
    }

    #[test]
    fn thousands_of_syllables_stand_where_icu_puts_them() {
        let icu = icu();
        let mut words = syllables();
        assert!(words.len() > 2_000);
        let capitals: Vec<String> = words.iter().step_by(7).map(|word| word.to_uppercase()).collect();
        words.extend(capitals);
        words.sort_by(|one, other| icu.compare(one, other));
        for pair in words.windows(2) {
            assert_same_order(&icu, &pair[0], &pair[1]);
        }
        // Neighbours agree; now far pairs, in a fixed scatter.
        for (at, word) in words.iter().enumerate() {
            for step in [37, 411, 1_009] {
                assert_same_order(&icu, word, &words[(at * 7 + step) % words.len()]);
            }
        }
    }

    #[test]
    fn listed_names_and_places_stand_where_icu_puts_them() {
        let icu = icu();
        let listed = [
            "Ba Chẽ",
            "Ba Tơ",
            "Ba Tô",
            "Bình Liêu",
            "B’Lao",
            "Cẩm Giang",
            "Cẩm Giàng",
            "D’Ran",
            "Đặng",
            "Dang",
            "Ea H’Leo",
            "H’Mai Êban",
            "Hoành Mô",
            "Hòa",
            "Hoà",
            "hòa",
            "Húc Động",
            "Lục Hồn",
            "Lương Minh",
            "Nà Hắc",
            "Ngàn Chi",
            "Nguyễn Văn An",
            "Nguyễn Văn Ân",
            "Nguyễn Văn Ẩn",
            "Sơn Hà",
            "Sơn Hạ",
            "Sú Cáu",
            "Tà Keo Vàm",
            "Thôn 1",
            "Thôn 10",
            "Thôn 2",
            "Tổ 3/5",
            "Văn Lang",
            "Văn Lăng",
            "Xã Tân Tiến",
            "Ý",
            "Y Moan Ênuôl",
            "Ưng",
            "Uông Bí",
            "Ô Lâm",
            "Ơ Đu",
            "O",
            "a-b",
            "a b",
            "ab",
            "a.b",
            "a, b",
            "(a)",
            "",
            " ",
        ];
        for one in listed {
            for other in listed {
                assert_same_order(&icu, one, other);
            }
        }
    }

    #[test]
    fn composed_and_decomposed_text_have_one_key() {
        for word in ["Đặng Thị Ẩn", "ườ", "ộ", "é"] {
            assert_eq!(sort_key(word), sort_key(&word.nfd().collect::<String>()));
        }
    }

    #[test]
    fn people_are_ordered_by_the_name_they_are_called() {
        let order = [
            "Trần Văn An",
            "Lê Thị Ánh",
            "Nguyễn Văn Ân",
            "Lý Bình",
            "Đỗ Văn Đức",
            "H’Mai Êban",
            "Nguyễn Thị Hoa",
            "Phạm Hoa",
            "Vũ Hòa",
            "Bùi Văn Mạnh",
            "Hồ Văn Út",
            "Y Moan Ênuôl",
        ];
        let mut people = order;
        people.reverse();
        people.sort_by_key(|name| name_sort_key(name));
        assert_eq!(people, order);
        assert_eq!(name_sort_key("NGUYỄN VĂN AN"), name_sort_key("Nguyễn Văn An"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_vietnamese_phrase_stands_where_icu_puts_it(
            one in "[a-eA-EđĐàảãáạăằặâấậêệôộơợưự 0-9.,’/-]{0,8}",
            other in "[a-eA-EđĐàảãáạăằặâấậêệôộơợưự 0-9.,’/-]{0,8}",
            tail in "(nguyễn|Nguyên|thị| văn|ý)?",
        ) {
            let icu = icu();
            let (one, other) = (format!("{one}{tail}"), format!("{other}{tail}"));
            prop_assert_eq!(sort_key(&one).cmp(&sort_key(&other)), icu.compare(&one, &other));
        }

        #[test]
        fn equal_order_means_equal_keys_only(one in "\\PC{0,12}", other in "\\PC{0,12}") {
            if sort_key(&one).cmp(&sort_key(&other)) != Ordering::Equal {
                prop_assert_ne!(one, other);
            }
        }
    }
}
