//! The stored form of text (`nfc`) and the equality key that ignores where a tone mark is put
//! (`tone_key`).
//!
//! Relies on nothing but Unicode tables. Both functions are idempotent.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The only apostrophe that is stored, as in H’Mai, D’Ran.
const APOSTROPHE: char = '\u{2019}';

/// Returns text as it is stored: NFC, trimmed, runs of white space (line breaks too) as one space,
/// one apostrophe (U+2019), `Đ` where the look-alikes `Ð` or `Ɖ` were typed.
///
/// A small `ð` becomes `đ` only in a word whose other letters are Vietnamese or plain Latin, so an
/// Icelandic word survives. Invisible characters without meaning in any used script (byte-order
/// mark, soft hyphen, word joiner, control characters) are dropped; zero-width space and joiners stay
/// because Khmer needs them.
pub fn nfc(text: &str) -> String {
    let composed = composed(text);
    let mut out = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        push_word(&mut out, word);
    }
    out
}

/// Does what `nfc` does but keeps line breaks: each line is normalised, empty lines at either end go,
/// and no more than one empty line stands between two others.
pub fn nfc_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0_usize;
    for line in text.lines() {
        let line = nfc(line);
        if line.is_empty() {
            empty += 1;
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
            if empty > 0 {
                out.push('\n');
            }
        }
        empty = 0;
        out.push_str(&line);
    }
    out
}

/// Drops meaningless invisible characters, then composes: the other way round, a soft hyphen between a
/// letter and its mark would leave the pair decomposed.
fn composed(text: &str) -> String {
    // Printable ASCII holds neither; phone models are made of it.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    text.chars().filter(|&c| !is_dropped(c)).nfc().collect()
}

fn is_dropped(c: char) -> bool {
    matches!(c, '\u{FEFF}' | '\u{00AD}' | '\u{2060}') || (c.is_control() && !c.is_whitespace())
}

fn push_word(out: &mut String, word: &str) {
    let repair_eth = word.contains('ð') && word.chars().all(may_stand_beside_d_stroke);
    for c in word.chars() {
        out.push(match c {
            '\'' | '`' | '\u{00B4}' | '\u{2018}' | '\u{201B}' | '\u{02BC}' | '\u{02BB}' | '\u{02B9}'
            | '\u{2032}' | '\u{FF07}' => APOSTROPHE,
            'Ð' | 'Ɖ' => 'Đ',
            'ð' if repair_eth => 'đ',
            other => other,
        });
    }
}

/// Letters of the Vietnamese alphabet in any case, plain Latin letters, and anything that is no letter.
fn may_stand_beside_d_stroke(c: char) -> bool {
    if c.is_ascii() || !c.is_alphabetic() || matches!(c, 'đ' | 'Đ' | 'ð' | 'Ð') {
        return true;
    }
    let mut parts = c.nfd();
    parts.next().is_some_and(|base| base.is_ascii_alphabetic()) && parts.all(|m| is_tone(m) || is_quality(m))
}

/// Says whether a combining mark is one of the five tone marks.
pub(super) fn is_tone(mark: char) -> bool {
    matches!(mark, '\u{0300}' | '\u{0301}' | '\u{0303}' | '\u{0309}' | '\u{0323}')
}

/// Says whether a combining mark makes another letter (breve, circumflex, horn) and is no tone.
pub(super) fn is_quality(mark: char) -> bool {
    matches!(mark, '\u{0302}' | '\u{0306}' | '\u{031B}')
}

/// Returns the key under which two spellings are equal when only the place of the tone mark differs:
/// `hoà` = `hòa`, `thuỷ` = `thủy`, `qúy` = `quý`, `lọai` = `loại`. Includes `nfc`.
///
/// The key uses the older placement (hòa, khỏe, thủy). Case is kept: compare
/// `tone_key(&a.to_lowercase())` when case must not matter. A word with no or two tone marks, or with
/// two separate vowel groups, is no Vietnamese syllable and stays as it is.
pub fn tone_key(text: &str) -> String {
    let stored = nfc(text);
    let mut out = String::with_capacity(stored.len());
    let mut word = String::new();
    for c in stored.chars() {
        if c.is_alphabetic() || is_combining_mark(c) {
            word.push(c);
        } else {
            push_syllable(&mut out, &word);
            word.clear();
            out.push(c);
        }
    }
    push_syllable(&mut out, &word);
    out
}

/// One letter with its marks set apart.
struct Letter {
    base: char,
    quality: Option<char>,
    tone: Option<char>,
}

impl Letter {
    fn is(&self, plain: char) -> bool {
        self.base.eq_ignore_ascii_case(&plain)
    }

    fn is_vowel(&self) -> bool {
        matches!(self.base.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
    }
}

fn push_syllable(out: &mut String, word: &str) {
    match placed(word) {
        Some(moved) => out.push_str(&moved),
        None => out.push_str(word),
    }
}

/// The longest Vietnamese syllable (nghiêng) has seven letters; a word far longer is not looked at.
const LONGEST_SYLLABLE: usize = 8;

/// Returns the word with its tone where the key wants it, or nothing when the word is to stay.
fn placed(word: &str) -> Option<String> {
    if word.is_ascii() || word.chars().count() > LONGEST_SYLLABLE {
        return None;
    }
    let mut letters = split(word)?;
    let mut toned = letters.iter().enumerate().filter(|(_, l)| l.tone.is_some()).map(|(i, _)| i);
    let from = toned.next()?;
    if toned.next().is_some() {
        return None;
    }
    let to = target(&letters)?;
    if from == to {
        return None;
    }
    let tone = letters[from].tone.take();
    letters[to].tone = tone;
    Some(letters.iter().flat_map(|l| std::iter::once(l.base).chain(l.quality).chain(l.tone)).nfc().collect())
}

/// Splits a word into letters; nothing when a mark is found that Vietnamese does not have.
fn split(word: &str) -> Option<Vec<Letter>> {
    let mut letters: Vec<Letter> = Vec::with_capacity(LONGEST_SYLLABLE);
    for c in word.nfd() {
        if is_tone(c) {
            let last = letters.last_mut()?;
            if last.tone.replace(c).is_some() {
                return None;
            }
        } else if is_quality(c) {
            let last = letters.last_mut()?;
            if last.quality.replace(c).is_some() {
                return None;
            }
        } else if is_combining_mark(c) {
            return None;
        } else {
            letters.push(Letter { base: c, quality: None, tone: None });
        }
    }
    Some(letters)
}

/// Returns the letter that carries the tone in the older placement, for the groups whose placement
/// people disagree about; nothing for all others.
fn target(letters: &[Letter]) -> Option<usize> {
    let first = letters.iter().position(Letter::is_vowel)?;
    let length = letters[first..].iter().take_while(|l| l.is_vowel()).count();
    let end = first + length;
    if letters[end..].iter().any(Letter::is_vowel) {
        return None;
    }
    // "qu" is one consonant: in "quý" the vowel is y alone.
    let after_q = first > 0 && letters[first - 1].is('q') && letters[first].is('u');
    let start = if after_q && length > 1 { first + 1 } else { first };
    let group = &letters[start..end];
    // A vowel with a quality mark attracts the tone; of two (ươ) the later one.
    if let Some(marked) = group.iter().rposition(|l| l.quality.is_some()) {
        return Some(start + marked);
    }
    if group.len() == 1 {
        return after_q.then_some(start);
    }
    let glide =
        |g: &[Letter]| (g[0].is('o') && (g[1].is('a') || g[1].is('e'))) || (g[0].is('u') && g[1].is('y'));
    if !glide(group) {
        return None;
    }
    let open = group.len() == 2 && end == letters.len();
    Some(if open { start } else { start + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nfc_composes_trims_and_collapses() {
        assert_eq!(nfc("  Phường  Buôn\u{a0}Ma\tThuột\n"), "Phường Buôn Ma Thuột");
        assert_eq!(nfc("Nguye\u{0302}\u{0303}n"), "Nguyễn");
        assert_eq!(nfc("a\u{ad}\u{0301}\u{feff}"), "á");
        assert_eq!(nfc(" \u{feff} "), "");
    }

    #[test]
    fn nfc_leaves_one_apostrophe() {
        for typed in ["B'Lao", "B‘Lao", "B`Lao", "B´Lao", "BʼLao", "B′Lao", "B＇Lao"] {
            assert_eq!(nfc(typed), "B’Lao", "{typed}");
        }
    }

    #[test]
    fn nfc_repairs_look_alikes_of_d_with_stroke() {
        assert_eq!(nfc("Ðặng Ɖức"), "Đặng Đức");
        assert_eq!(nfc("ðường ðá"), "đường đá");
        assert_eq!(nfc("Sigurður Guðmundsson þorð"), "Sigurđur Guđmundsson þorð");
    }

    #[test]
    fn nfc_lines_keeps_paragraphs() {
        assert_eq!(nfc_lines("\n a  b \n\n\n c\nd\n\n"), "a b\n\nc\nd");
    }

    #[test]
    fn tone_key_joins_both_placements() {
        for (one, other) in [
            ("hoà", "hòa"),
            ("Hoà Bình", "Hòa Bình"),
            ("HOÀ", "HÒA"),
            ("thuỷ", "thủy"),
            ("Thuỷ Nguyên", "Thủy Nguyên"),
            ("khoẻ", "khỏe"),
            ("xoá", "xóa"),
            ("huỷ", "hủy"),
            ("uỷ ban", "ủy ban"),
            ("loè", "lòe"),
            ("qúy", "quý"),
            ("qùy", "quỳ"),
            ("lọai", "loại"),
            ("tòan", "toàn"),
            ("khủyu", "khuỷu"),
            ("ngũyên", "nguyễn"),
            ("mừơng", "mường"),
            ("thúôc", "thuốc"),
        ] {
            assert_eq!(tone_key(one), tone_key(other), "{one} {other}");
        }
    }

    #[test]
    fn tone_key_keeps_the_older_placement_and_case() {
        for stays in [
            "hòa",
            "thủy",
            "quỳ",
            "quý",
            "Quỳnh",
            "loại",
            "toàn",
            "hoàn",
            "Hoàng",
            "ngoài",
            "xoáy",
            "khuỷu",
            "nguyễn",
            "huế",
            "thuở",
            "mùa",
            "mía",
            "chùa",
            "người",
            "Đắk Lắk",
            "H’Mai Êban",
            "giá",
            "gì",
            "quả",
            "quốc",
            "THỦY",
            "Krông Pắc",
            "hỏi",
        ] {
            assert_eq!(tone_key(stays), stays);
        }
        assert_ne!(tone_key("Hòa"), tone_key("hòa"));
    }

    proptest! {
        #[test]
        fn both_keys_are_idempotent(text in "\\PC{0,40}|[a-zđĐðàảãáạăâêôơư \u{300}\u{301}\u{303}\u{309}\u{323}\u{302}'\u{ad}]{0,30}") {
            let stored = nfc(&text);
            prop_assert_eq!(nfc(&stored), stored.clone());
            let key = tone_key(&text);
            prop_assert_eq!(tone_key(&key), key.clone());
            prop_assert_eq!(tone_key(&stored), key);
        }
    }
}
