//! The search key: no marks, no case, no punctuation.
//!
//! Lossy on purpose ("Ba Tơ" and "Ba Tô" fold alike): a list that was found by it must show the
//! stored text. The database's own tokenizer cannot do this (it never joins `đ` and `d`), so the key
//! is stored in a column of its own.

use std::ops::Range;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Returns the search key: marks dropped, `đ` as `d`, lower case, every run of other characters than
/// letters and digits as one space, trimmed.
///
/// Marks of the Latin script go; vowel signs of other scripts (Khmer) stay, they are letters there.
/// Invisible characters vanish without splitting a word.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    each_folded(text, |c, _| folded.push(c), |_| ());
    folded
}

/// Returns the search key and, for each of its characters in order, the byte range of `text` it came
/// from, marks that follow the letter included, so that a screen can show what matched.
///
/// A space of the key maps to the whole run it stands for. There is one range per `char` of the key
/// (not per byte); ranges ascend, and two characters of the key may share one (a letter whose lower
/// case has two).
pub fn fold_with_map(text: &str) -> (String, Vec<Range<usize>>) {
    let mut folded = String::with_capacity(text.len());
    let ranges = std::cell::RefCell::new(Vec::<Range<usize>>::with_capacity(text.len()));
    each_folded(
        text,
        |c, range| {
            folded.push(c);
            ranges.borrow_mut().push(range);
        },
        |end| {
            if let Some(last) = ranges.borrow_mut().last_mut() {
                last.end = end;
            }
        },
    );
    (folded, ranges.into_inner())
}

/// Calls `emit` for each character of the key and `extend` when a dropped mark belongs to the last one.
fn each_folded(text: &str, mut emit: impl FnMut(char, Range<usize>), mut extend: impl FnMut(usize)) {
    let mut gap: Option<Range<usize>> = None;
    let mut begun = false;
    for (start, original) in text.char_indices() {
        let end = start + original.len_utf8();
        if is_latin_mark(original) {
            if begun && gap.is_none() {
                extend(end);
            }
            continue;
        }
        if is_invisible(original) {
            continue;
        }
        if !original.is_alphanumeric() && !is_combining_mark(original) {
            match &mut gap {
                Some(range) => range.end = end,
                None => gap = Some(start..end),
            }
            continue;
        }
        if let Some(range) = gap.take()
            && begun
        {
            emit(' ', range);
        }
        begun = true;
        decompose_canonical(original, |part| {
            for lower in part.to_lowercase() {
                match lower {
                    'đ' | 'ð' | 'ɖ' => emit('d', start..end),
                    mark if is_latin_mark(mark) => {}
                    other => emit(other, start..end),
                }
            }
        });
    }
}

fn is_latin_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}')
}

/// Characters without a glyph that may hide inside a word.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fold_drops_marks_case_and_punctuation() {
        for (text, key) in [
            ("Nguyễn Văn Đặng", "nguyen van dang"),
            ("  TDP. số 3 -- Bản Cá ", "tdp so 3 ban ca"),
            ("H’Mai Êban", "h mai eban"),
            ("Ðức ƯỚC", "duc uoc"),
            ("ng\u{200b}uye\u{302}\u{303}n", "nguyen"),
            ("", ""),
            ("…!", ""),
            ("\u{301}", ""),
            ("Thôn Ngàn Chi (33 hộ)", "thon ngan chi 33 ho"),
        ] {
            assert_eq!(fold(text), key, "{text:?}");
        }
    }

    #[test]
    fn fold_keeps_khmer_vowel_signs() {
        assert_eq!(fold("ភាសាខ្មែរ"), "ភាសាខ្មែរ");
    }

    #[test]
    fn map_points_at_the_original_letters() {
        let text = "Xã  Đặng, Ho\u{61}\u{300}";
        let (key, map) = fold_with_map(text);
        assert_eq!(key, "xa dang hoa");
        assert_eq!(map.len(), key.chars().count());
        let at = key.find("dang").expect("is there");
        assert_eq!(&text[map[at].start..map[at + 3].end], "Đặng");
        assert_eq!(&text[map[2].clone()], "  ");
        assert_eq!(&text[map.last().expect("not empty").clone()], "a\u{300}");
    }

    proptest! {
        #[test]
        fn fold_is_idempotent(text in "\\PC{0,40}") {
            let key = fold(&text);
            prop_assert_eq!(fold(&key), key);
        }

        #[test]
        fn map_has_one_ascending_range_inside_the_text_per_character(text in "\\PC{0,40}") {
            let (key, map) = fold_with_map(&text);
            prop_assert_eq!(&key, &fold(&text));
            prop_assert_eq!(map.len(), key.chars().count());
            let mut before = 0;
            for range in &map {
                prop_assert!(range.start >= before && range.start < range.end);
                prop_assert!(text.get(range.clone()).is_some());
                before = range.start;
            }
        }

        #[test]
        fn composed_and_decomposed_text_fold_alike(text in "[a-zA-ZđĐàảãáạăằẳẵắặâầẩẫấậèẻẽéẹêềểễếệ '-]{0,40}") {
            use unicode_normalization::UnicodeNormalization;
            prop_assert_eq!(fold(&text), fold(&text.nfd().collect::<String>()));
        }
    }
}
