//! What a searcher may have meant: people type without marks, and a keyboard without Vietnamese input
//! leaves the Telex or VNI key strokes in the word ("nguyeenx", "nguye6n4").
//!
//! Relies on `fold`. An undone form is only ever an extra candidate; the plain form comes first.

use super::fold::fold;

/// Returns the keys to search for, best first: the plain `fold`, then, when they differ, the same with
/// Telex and with VNI left-overs undone. Empty when the query has no letter or digit.
///
/// A screen shows hits of an earlier candidate above hits of a later one. Each word is undone by
/// itself, so "nguyễn vawn 12" works too.
pub fn fold_query(query: &str) -> Vec<String> {
    let plain = fold(query);
    if plain.is_empty() {
        return Vec::new();
    }
    let telex = each_word(&plain, undo_telex);
    let vni = each_word(&plain, undo_vni);
    let mut candidates = vec![plain];
    for extra in [telex, vni] {
        if !candidates.contains(&extra) {
            candidates.push(extra);
        }
    }
    candidates
}

fn each_word(key: &str, undo: fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(key.len());
    for word in key.split(' ') {
        if !out.is_empty() {
            out.push(' ');
        }
        match undo(word) {
            Some(undone) => out.push_str(&undone),
            None => out.push_str(word),
        }
    }
    out
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// Removes Telex key strokes: doubled a, e, o, d; w; and the tone letters, which never follow a vowel
/// in a Vietnamese syllable.
fn undo_telex(word: &str) -> Option<String> {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let mut out = String::with_capacity(word.len());
    let mut vowel_seen = false;
    for c in word.chars() {
        let last = out.chars().next_back();
        match c {
            'a' | 'e' | 'o' if last == Some(c) => continue,
            // Both "ddang" and the late stroke of "dangd".
            'd' if last == Some('d') || (vowel_seen && out.starts_with('d')) => continue,
            's' | 'f' | 'r' | 'x' | 'j' | 'z' | 'w' if vowel_seen => continue,
            // Alone, w stands for ư.
            'w' => {
                out.push('u');
                vowel_seen = true;
                continue;
            }
            _ => {}
        }
        vowel_seen |= is_vowel(c);
        out.push(c);
    }
    if out == word {
        return None;
    }
    drop_late_circumflex(&mut out);
    // w and e are neighbours on the keyboard, and "ae" is in no Vietnamese syllable: "daejng" was "dawjng".
    Some(out.replace("ae", "a"))
}

/// In "vietej" the second e belongs to the first: a last vowel after a final consonant that repeats a
/// vowel of the word is a stroke, not a letter.
fn drop_late_circumflex(word: &mut String) {
    let mut back = word.chars().rev();
    let (Some(last), Some(before)) = (back.next(), back.next()) else { return };
    if matches!(last, 'a' | 'e' | 'o') && !is_vowel(before) && back.any(|c| c == last) {
        word.pop();
    }
}

/// Removes VNI digits from a word: 1-5 tones, 6-8 letter marks (one may precede a tone), 9 for đ.
/// A word with three digits in a row, or with digits before its first letter, is a code and stays.
fn undo_vni(word: &str) -> Option<String> {
    let starts_well = word.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || !word.bytes().all(|b| b.is_ascii_alphanumeric()) || !word.contains(is_vowel) {
        return None;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let bytes = word.as_bytes();
    for pair in bytes.windows(2) {
        if pair[0].is_ascii_digit() && pair[1].is_ascii_digit() && !stroke_pair(pair[0], pair[1]) {
            return None;
        }
    }
    if bytes.windows(3).any(|three| three.iter().all(u8::is_ascii_digit)) || bytes.contains(&b'0') {
        return None;
    }
    Some(word.chars().filter(|c| !c.is_ascii_digit()).collect())
}

fn stroke_pair(first: u8, second: u8) -> bool {
    let (mark, tone) = (b'6'..=b'9', b'1'..=b'5');
    mark.contains(&first) != mark.contains(&second) && (tone.contains(&first) || tone.contains(&second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_form_comes_first() {
        for query in ["Nguyễn", "nguyeenx", "hoaf", "A105F", "xoong", "Hộ 12"] {
            assert_eq!(fold_query(query)[0], fold(query));
        }
    }

    #[test]
    fn telex_strokes_are_undone_in_an_extra_candidate() {
        for (typed, meant) in [
            ("nguyeenx", "nguyen"),
            ("ngueyenx", "ngueyen"),
            ("ddaejng", "dang"),
            ("ddawngj", "dang"),
            ("dangwj", "dang"),
            ("dangdwj", "dang"),
            ("hoaf", "hoa"),
            ("thuyr", "thuy"),
            ("nguowif", "nguoi"),
            ("nguwowif", "nguoi"),
            ("vieetj", "viet"),
            ("vietej", "viet"),
            ("tw", "tu"),
            ("nguyeenx vawn a", "nguyen van a"),
            ("nguyễn vawn tooanf", "nguyen van toan"),
            ("Bifnh Lieeu", "binh lieu"),
            ("Tieen Yeen", "tien yen"),
        ] {
            assert_eq!(fold_query(typed), [fold(typed), meant.to_owned()], "{typed}");
        }
    }

    #[test]
    fn vni_strokes_are_undone_in_an_extra_candidate() {
        for (typed, meant) in [
            ("nguye6n4", "nguyen"),
            ("d9a85ng", "dang"),
            ("Vie65t", "viet"),
            ("ho2a", "hoa"),
            ("Bi2nh Lie6u", "binh lieu"),
        ] {
            assert!(fold_query(typed).contains(&meant.to_owned()), "{typed}");
        }
    }

    #[test]
    fn ordinary_words_have_one_candidate() {
        for word in [
            "nguyen",
            "dang",
            "xuan",
            "son",
            "sinh",
            "tra my",
            "ruong",
            "thuy",
            "hoa binh",
            "quynh",
            "khuyen",
            "Hộ 12",
            "06838",
            "thôn 3",
            "krông nô",
            "Đắk Lắk",
        ] {
            assert_eq!(fold_query(word), [fold(word)], "{word}");
        }
    }

    #[test]
    fn codes_are_not_taken_for_vni() {
        for code in ["a105f", "to123", "h49", "4g", "tổ 10"] {
            let found = fold_query(code);
            assert!(found.len() == 1 || code == "h49", "{code} {found:?}");
        }
    }

    #[test]
    fn a_query_without_letters_has_no_candidate() {
        assert!(fold_query(" -- ").is_empty());
    }
}
