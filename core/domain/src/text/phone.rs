//! Vietnamese mobile numbers as people write them, stored as ten digits.
//!
//! The first three digits tell which operator once issued a number, not who serves it now (numbers
//! move between operators), so they serve here only to refuse typing errors.

use super::fold::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// Why a text is no Vietnamese mobile number. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// No digit at all.
    #[error("phone number is empty")]
    Empty,
    /// A letter or sign that phone numbers do not have.
    #[error("phone number holds a character other than digits and separators")]
    Character,
    /// Eleven digits that begin with 01: the form before September 2018, since then changed to ten.
    #[error("phone number has the old eleven digits")]
    OldElevenDigits,
    /// A landline (begins with 02): no text message reaches it.
    #[error("phone number is a landline")]
    Landline,
    /// Another count of digits than a mobile number has.
    #[error("phone number has the wrong count of digits")]
    Length,
    /// Ten digits whose first three no mobile operator has.
    #[error("phone number begins with digits no mobile operator has")]
    Prefix,
}

/// The assigned ranges of mobile prefixes: Viettel 032-039, 086, 096-098; VinaPhone 081-085, 088, 091,
/// 094; MobiFone 070, 076-079, 089, 090, 093; Vietnamobile 052, 056, 058, 092; Gmobile 059, 099; iTel
/// 087; Wintel 055.
const PREFIXES: &[&str] = &[
    "032", "033", "034", "035", "036", "037", "038", "039", "052", "055", "056", "058", "059", "070", "076",
    "077", "078", "079", "081", "082", "083", "084", "085", "086", "087", "088", "089", "090", "091", "092",
    "093", "094", "096", "097", "098", "099",
];

/// Returns a mobile number as `0xxxxxxxxx` from what a person typed: spaces, dots, dashes, slashes and
/// brackets, a leading +84, 84 or 0084, a missing 0, digits of full width.
///
/// # Errors
/// `PhoneError` says what is wrong; nothing is guessed for the old eleven-digit form.
pub fn normalize(text: &str) -> Result<String, PhoneError> {
    let digits = digits(text)?;
    let national = national(&digits);
    if national.is_empty() {
        return Err(PhoneError::Empty);
    }
    if national.starts_with("01") && national.len() == 11 {
        return Err(PhoneError::OldElevenDigits);
    }
    if national.starts_with("02") && (10..=11).contains(&national.len()) {
        return Err(PhoneError::Landline);
    }
    if national.len() != 10 {
        return Err(PhoneError::Length);
    }
    if !is_mobile_start(&national) {
        return Err(PhoneError::Prefix);
    }
    Ok(national)
}

/// Says whether digits that begin with 0 begin like a mobile number.
pub(crate) fn is_mobile_start(digits: &str) -> bool {
    digits.get(..3).is_some_and(|prefix| PREFIXES.contains(&prefix))
}

/// The longest text looked at; far above any way of writing a number.
const MAX_CHARS: usize = 64;

fn digits(text: &str) -> Result<String, PhoneError> {
    let mut digits = String::new();
    for (count, c) in text.nfkd().filter(|&c| !is_invisible(c)).enumerate() {
        if count == MAX_CHARS {
            return Err(PhoneError::Length);
        }
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() => {}
            ' ' | '\t' | '\n' | '\r' | '.' | ',' | '-' | '‐' | '‑' | '–' | '—' | '−' | '/' | '(' | ')'
            | '_' | '·' => {}
            _ => return Err(PhoneError::Character),
        }
    }
    Ok(digits)
}

/// Returns the digits with one leading 0 and no country code.
fn national(digits: &str) -> String {
    let rest = digits.strip_prefix("0084").or_else(|| {
        // Nine digits that begin with 84 are a VinaPhone number without its 0, not a country code.
        digits.strip_prefix("84").filter(|rest| rest.len() >= 9)
    });
    let bare = match rest {
        Some(rest) => rest.strip_prefix('0').unwrap_or(rest),
        None if digits.starts_with('0') => return digits.to_owned(),
        None => digits,
    };
    if bare.is_empty() { String::new() } else { format!("0{bare}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_common_way_of_writing_gives_ten_digits() {
        for typed in [
            "0912345678",
            "0912 345 678",
            "0912.345.678",
            "0912-345-678",
            "091 234 5678",
            "+84912345678",
            "+84 912 345 678",
            "84912345678",
            "0084912345678",
            "+84 (0) 912 345 678",
            "912345678",
            "912.345.678",
            " 0912345678 ",
            "(091) 2345678",
            "０９１２３４５６７８",
            "0912\u{200b}345678",
            "0912–345–678",
        ] {
            assert_eq!(normalize(typed).as_deref(), Ok("0912345678"), "{typed}");
        }
    }

    #[test]
    fn every_assigned_prefix_passes_and_no_other() {
        for prefix in 0..100 {
            let number = format!("0{prefix:02}1234567");
            let known = PREFIXES.contains(&&number[..3]);
            assert_eq!(normalize(&number).is_ok(), known, "{number}");
        }
        for listed in ["0871234567", "0551234567", "0991234567", "0701234567"] {
            assert!(normalize(listed).is_ok());
        }
        for unassigned in ["0951234567", "0541234567", "0711234567", "0801234567"] {
            assert_eq!(normalize(unassigned), Err(PhoneError::Prefix));
        }
    }

    #[test]
    fn a_number_that_begins_with_84_is_told_from_a_country_code() {
        assert_eq!(normalize("0849123456").as_deref(), Ok("0849123456"));
        assert_eq!(normalize("849123456").as_deref(), Ok("0849123456"));
        assert_eq!(normalize("84849123456").as_deref(), Ok("0849123456"));
    }

    #[test]
    fn each_fault_has_its_error() {
        for (typed, error) in [
            ("", PhoneError::Empty),
            (" - ", PhoneError::Empty),
            ("01691234567", PhoneError::OldElevenDigits),
            ("0169 123 4567", PhoneError::OldElevenDigits),
            ("+841691234567", PhoneError::OldElevenDigits),
            ("1691234567", PhoneError::OldElevenDigits),
            ("02033825125", PhoneError::Landline),
            ("091234567", PhoneError::Length),
            ("09123456789", PhoneError::Length),
            ("091234567a", PhoneError::Character),
            ("0912345678, gọi tối", PhoneError::Character),
            ("0000000000", PhoneError::Prefix),
        ] {
            assert_eq!(normalize(typed), Err(error), "{typed}");
        }
        assert_eq!(normalize(&"0".repeat(10_000)), Err(PhoneError::Length));
    }

    proptest! {
        #[test]
        fn a_normalised_number_stays_as_it_is(text in "(\\+?84|0)?[ .-]?[35789][0-9][ .-]?[0-9]{3}[ .-]?[0-9]{4}") {
            if let Ok(number) = normalize(&text) {
                prop_assert_eq!(number.len(), 10);
                prop_assert_eq!(normalize(&number), Ok(number));
            }
        }
    }
}
