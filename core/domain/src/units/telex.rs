//! Reads what is left when Vietnamese was typed in Telex with the keyboard switched off.
//!
//! Works on lower-case words; the tone is put where the older style wants it. A word that is no Telex
//! comes out as it went in, or as nonsense that matches no name: callers use it beside the plain word.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, decompose_canonical};

const CIRCUMFLEX: char = '\u{302}';
const BREVE: char = '\u{306}';
const HORN: char = '\u{31b}';

/// Every word of a text with its Telex keys carried out: `nguyeenx` becomes `nguyễn`.
pub(super) fn decode(text: &str) -> String {
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn word(typed: &str) -> String {
    let mut letters: Vec<char> = Vec::new();
    let mut tone = None;
    for key in typed.chars() {
        let voiced = letters.iter().any(|c| is_vowel(*c));
        match key {
            's' if voiced => tone = Some('\u{301}'),
            'f' if voiced => tone = Some('\u{300}'),
            'r' if voiced => tone = Some('\u{309}'),
            'x' if voiced => tone = Some('\u{303}'),
            'j' if voiced => tone = Some('\u{323}'),
            'd' if letters.first() == Some(&'d') => letters[0] = 'đ',
            'w' => horn(&mut letters),
            'a' | 'e' | 'o' if circumflex(&mut letters, key) => {}
            _ => letters.push(key),
        }
    }
    if let (Some(tone), Some(at)) = (tone, tone_place(&letters)) {
        letters.insert(at + 1, tone);
    }
    letters.into_iter().nfc().collect()
}

fn base(c: char) -> char {
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(c)
}

fn is_vowel(c: char) -> bool {
    matches!(base(c), 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

/// Whether the letter is one of its own in the alphabet (ă, â, ê, ô, ơ, ư), not only a vowel with a tone.
fn is_marked(c: char) -> bool {
    let mut marked = false;
    decompose_canonical(c, |part| marked |= matches!(part, CIRCUMFLEX | BREVE | HORN));
    marked
}

/// Doubles the vowel typed before (`ee`), also across the consonants that end a syllable (`vietje`).
fn circumflex(letters: &mut [char], key: char) -> bool {
    let Some(at) = letters.iter().rposition(|c| is_vowel(*c)) else { return false };
    match compose(letters[at], CIRCUMFLEX) {
        Some(marked) if letters[at] == key => {
            letters[at] = marked;
            true
        }
        _ => false,
    }
}

fn horn(letters: &mut Vec<char>) {
    let Some(at) = letters.iter().rposition(|c| matches!(c, 'a' | 'o' | 'u')) else {
        // A lone w is typed for ư.
        return letters.push('ư');
    };
    let mark = if letters[at] == 'a' { BREVE } else { HORN };
    if letters[at] == 'o' && at > 0 && letters[at - 1] == 'u' {
        letters[at - 1] = 'ư';
    }
    // "ua" + w is ưa unless the u belongs to qu.
    if letters[at] == 'a' && at > 0 && letters[at - 1] == 'u' && (at < 2 || letters[at - 2] != 'q') {
        letters[at - 1] = 'ư';
    } else if let Some(marked) = compose(letters[at], mark) {
        letters[at] = marked;
    }
}

/// The letter that carries the tone, older style.
fn tone_place(letters: &[char]) -> Option<usize> {
    if let Some(at) = letters.iter().rposition(|c| is_marked(*c)) {
        return Some(at);
    }
    let start = letters.iter().position(|c| is_vowel(*c))?;
    let end = start + letters[start..].iter().take_while(|c| is_vowel(**c)).count();
    // The u of qu and the i of gi belong to the consonant when another vowel follows.
    let glide = start > 0 && matches!((letters[start - 1], letters[start]), ('q', 'u') | ('g', 'i'));
    let start = if glide && end - start > 1 { start + 1 } else { start };
    let closed = end < letters.len();
    Some(match end - start {
        1 => start,
        2 if closed => start + 1,
        2 => start,
        _ => start + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn telex_keys_left_in_a_word_are_carried_out() {
        for (typed, meant) in [
            ("nguyeenx", "nguyễn"),
            ("nguyenxe", "nguyễn"),
            ("hoaf binhf", "hòa bình"),
            ("thuyr", "thủy"),
            ("ddoongf nai", "đồng nai"),
            ("ddawsk lawsk", "đắk lắk"),
            ("quangr ninh", "quảng ninh"),
            ("haj long", "hạ long"),
            ("binhf lieeu", "bình liêu"),
            ("dduwowngf", "đường"),
            ("duowngf", "dường"),
            ("cuwr", "cử"),
            ("muaw", "mưa"),
            ("giaf", "già"),
            ("rachj gias", "rạch giá"),
            ("quys", "quý"),
            ("kyf thuwowngj", "kỳ thượng"),
            ("nguyênx", "nguyễn"),
            ("hoanhf moo", "hoành mô"),
        ] {
            assert_eq!(decode(typed), meant, "{typed}");
        }
    }

    #[test]
    fn words_without_telex_keys_stay() {
        for text in ["bình liêu", "sa pa", "tam dương", "xuân lộc", "phan rang", "06838", ""] {
            assert_eq!(decode(text), text);
        }
    }
}
