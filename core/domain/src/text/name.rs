//! Names of people: one field, no required parts.
//!
//! A Kinh name is họ - đệm - tên and its bearer is called by the last word. Names of other peoples
//! break that pattern (Hồ Thị Ca Chiu, Sinh Dỉ Gai, H’Mai Êban, Y Moan Ênuôl, one word alone), so
//! nothing here demands a family name or a number of words.

use super::fold::{fold, is_invisible};
use super::normal::nfc;
use crate::never_store::{Kind, check_free_text};
use unicode_normalization::char::is_combining_mark;

/// The longest name accepted, in characters.
pub const MAX_NAME_CHARS: usize = 80;

/// Why a display name was refused. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing but space, or no letter at all.
    #[error("name has no letter")]
    Empty,
    /// More than `MAX_NAME_CHARS` characters.
    #[error("name is longer than {MAX_NAME_CHARS} characters")]
    TooLong,
    /// A digit of any script that is not part of something worse.
    #[error("name holds a digit")]
    Digit,
    /// A number or secret that is never stored, such as a phone number typed into the name.
    #[error("name holds what is never stored: {}", .0.code())]
    NeverStore(Kind),
    /// Something other than letters, space, apostrophe, hyphen and dot.
    #[error("name holds a character that names do not have")]
    Character,
}

/// Returns a contact's display name as it is stored, or why it cannot be one.
///
/// Letters of any script, space, ’, - and . are allowed. A calling name such as "bà Hoa" is a name.
///
/// # Errors
/// `Empty`, `TooLong`, `NeverStore`, `Digit`, `Character`, looked for in that order.
pub fn check_name(text: &str) -> Result<String, NameError> {
    // Cut before normalising, so that a huge paste costs nothing.
    if text.chars().take(MAX_NAME_CHARS * 8 + 1).count() > MAX_NAME_CHARS * 8 {
        return Err(NameError::TooLong);
    }
    let visible: String = text.chars().filter(|&c| !is_invisible(c)).collect();
    let name = nfc(&visible);
    if let Some(finding) = check_free_text(&name).first() {
        return Err(NameError::NeverStore(finding.kind));
    }
    if name.chars().any(char::is_numeric) {
        return Err(NameError::Digit);
    }
    let letters = |c: char| c.is_alphabetic() || is_combining_mark(c);
    if !name.chars().all(|c| letters(c) || matches!(c, ' ' | '’' | '-' | '.')) {
        return Err(NameError::Character);
    }
    if !name.chars().any(char::is_alphabetic) {
        return Err(NameError::Empty);
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(NameError::TooLong);
    }
    Ok(name)
}

/// Returns the part of a stored name its bearer is called by: the last word, or for an Ê Đê or related
/// name the first with its prefix ("H’Mai", "Y Moan"), because there the last word is the clan.
pub fn given_name(name: &str) -> &str {
    split_given(name).0
}

/// Splits a name into the called part and the rest, both trimmed.
pub(super) fn split_given(name: &str) -> (&str, &str) {
    let name = name.trim();
    let prefixed = prefixed_length(name);
    if prefixed > 0 {
        return (&name[..prefixed], name[prefixed..].trim_start());
    }
    match name.rsplit_once(char::is_whitespace) {
        Some((rest, last)) => (last, rest.trim_end()),
        None => (name, ""),
    }
}

/// Returns how many bytes of the name are a prefix H’, H or Y and the word it belongs to; 0 for none.
fn prefixed_length(name: &str) -> usize {
    let first_end = name.find(char::is_whitespace).unwrap_or(name.len());
    let first = &name[..first_end];
    let mut letters = first.chars();
    let prefix = matches!(letters.next(), Some('H' | 'h' | 'Y' | 'y'));
    if !prefix {
        return 0;
    }
    match letters.next() {
        Some('’' | '\'' | '-') => first_end,
        None => {
            let rest = &name[first_end..];
            let word_start = first_end + (rest.len() - rest.trim_start().len());
            let word = &name[word_start..];
            word_start + word.find(char::is_whitespace).unwrap_or(word.len())
        }
        Some(_) => 0,
    }
}

/// Says whether a folded word is a family name; used by the soft check of labels.
pub(super) fn is_family_name(word: &str) -> bool {
    FAMILY_NAMES.contains(&fold(word).as_str())
}

/// Family names of the Kinh and of the peoples where teams work, folded.
const FAMILY_NAMES: &[&str] = &[
    "an", "au", "ban", "banh", "be", "bui", "ca", "cao", "cam", "chau", "chiu", "chu", "chuong", "cu",
    "cung", "dam", "dan", "danh", "dang", "dao", "dau", "diep", "dinh", "do", "doan", "duong", "duu",
    "giang", "ha", "ham", "han", "hau", "ho", "hoang", "hua", "huynh", "kha", "khau", "khuc", "khuong",
    "kien", "kieu", "kim", "ksor", "la", "lac", "lai", "lam", "le", "lieu", "lo", "loc", "luc", "lu",
    "luong", "luu", "ly", "ma", "mac", "mai", "mong", "nay", "ngan", "nghiem", "ngo", "nguy", "nguyen",
    "ninh", "nong", "ong", "pham", "phan", "phang", "phu", "phung", "phun", "quach", "quan", "quang",
    "rahlan", "rcham", "sa", "sam", "sinh", "siu", "son", "sung", "ta", "tang", "tan", "thach", "thai",
    "than", "thao", "thieu", "to", "ton", "tong", "tran", "trang", "trieu", "trinh", "truong", "tu", "tuong",
    "uong", "van", "vang", "vi", "voong", "vo", "vu", "vuong", "xa", "xong", "y",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_people_pass() {
        for name in [
            "Nguyễn Văn An",
            "Hoa",
            "bà Hoa",
            "H’Mai Êban",
            "Y Moan Ênuôl",
            "Y-Thông Niê",
            "Hồ Thị Ca Chiu",
            "Sinh Dỉ Gai",
            "Chìu A Sám",
            "Lỷ Thị Múi",
            "Danh Sóc Khươl",
            "Thạch Sô Phép",
            "K’Brểu",
            "Rơ Châm H’Đú",
            "Vàng Thị Mỷ",
            "Ng. Thị Ba",
            "Đỗ-Trần Vy",
            "ឈឿន",
            "Ý",
            "Ông Tư",
        ] {
            assert_eq!(check_name(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn a_name_is_normalised() {
        assert_eq!(check_name("  H'Mai   Êban ").as_deref(), Ok("H’Mai Êban"));
        assert_eq!(check_name("Ðặng\u{200b} Thị").as_deref(), Ok("Đặng Thị"));
    }

    #[test]
    fn what_is_no_name_is_refused_by_its_cause() {
        for (text, error) in [
            ("", NameError::Empty),
            (" .- ", NameError::Empty),
            ("Hộ 12", NameError::Digit),
            ("Hoa ២", NameError::Digit),
            ("Hoa 0912 345 678", NameError::NeverStore(Kind::Phone)),
            ("034090001234", NameError::NeverStore(Kind::CitizenId)),
            ("Hoa @ chợ", NameError::Character),
            ("Hoa\u{1f600}", NameError::Character),
        ] {
            assert_eq!(check_name(text), Err(error), "{text}");
        }
        assert_eq!(check_name(&"a".repeat(MAX_NAME_CHARS + 1)), Err(NameError::TooLong));
        assert_eq!(check_name(&"a".repeat(100_000)), Err(NameError::TooLong));
        assert!(check_name(&"ễ".repeat(MAX_NAME_CHARS)).is_ok());
    }

    #[test]
    fn people_are_called_by_the_last_word_or_by_their_prefixed_name() {
        for (name, called) in [
            ("Nguyễn Thị Hoa", "Hoa"),
            ("Hoa", "Hoa"),
            ("Sinh Dỉ Gai", "Gai"),
            ("H’Mai Êban", "H’Mai"),
            ("H'Mai Êban", "H'Mai"),
            ("Y Moan Ênuôl", "Y Moan"),
            ("Y-Thông Niê", "Y-Thông"),
            ("Ý", "Ý"),
            ("Y", "Y"),
            ("Hà Văn Yên", "Yên"),
            ("", ""),
        ] {
            assert_eq!(given_name(name), called);
        }
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        let error = check_name("Hoa 0912345678").expect_err("has a phone number");
        assert!(!format!("{error} {error:?}").contains("0912"));
    }
}
