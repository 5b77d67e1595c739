//! What every text of content must obey: present, bounded, NFC, clean spaces, old tone placement.
//!
//! Pure. Old placement (hòa, khỏe, thủy) is the spelling of this product; official lists mix both, and NFC does not
//! unify them.

use unicode_normalization::is_nfc;

use super::problem::Problem;

/// The first thing wrong with a text of at most `max` characters.
pub(super) fn fault(text: &str, max: usize) -> Option<Problem> {
    if text.trim().is_empty() {
        Some(Problem::TextMissing)
    } else if text.chars().count() > max {
        Some(Problem::TextTooLong)
    } else if !is_nfc(text) {
        Some(Problem::NotNfc)
    } else if text.trim() != text || text.contains("  ") || text.chars().any(char::is_control) {
        Some(Problem::Spacing)
    } else if text.split(|c: char| !c.is_alphabetic()).any(has_new_tone_placement) {
        Some(Problem::TonePlacement)
    } else {
        None
    }
}

/// Whether a syllable ends in oa, oe or uy with the tone on the second vowel (hoà, khoẻ, thuỷ). After q the u is no
/// vowel, so quý is right in both spellings.
fn has_new_tone_placement(syllable: &str) -> bool {
    let lower = syllable.to_lowercase();
    let mut back = lower.chars().rev();
    match (back.next(), back.next(), back.next()) {
        (Some(last), Some('o'), _) => "àáảãạèéẻẽẹ".contains(last),
        (Some(last), Some('u'), before) => before != Some('q') && "ỳýỷỹỵ".contains(last),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_tone_placement_is_told_from_old() {
        for word in ["hoà", "KHOẺ", "thuỷ", "xoá", "tuỳ"] {
            assert_eq!(fault(word, 20), Some(Problem::TonePlacement), "{word}");
        }
        for word in ["hòa", "khỏe", "thủy", "quý", "hoàn", "ngoài", "toán", "khuỷu", "huyện", "lý do"]
        {
            assert_eq!(fault(word, 20), None, "{word}");
        }
    }
}
