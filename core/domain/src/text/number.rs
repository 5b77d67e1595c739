//! Numbers as Vietnamese readers write them: dot between thousands, comma before decimals.

/// A number read from a form or a spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    /// The number as written: 62.5 for "62,5%".
    pub value: f64,
    /// Whether a percent sign followed.
    pub is_percent: bool,
}

/// Why a text is no number. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Nothing but space.
    #[error("number is empty")]
    Empty,
    /// A character that numbers do not have.
    #[error("number holds a character other than digits and separators")]
    Character,
    /// Dots, spaces or commas where no reading makes sense, such as "1.23.4" or "1,2,3".
    #[error("number is grouped in a way that has no single meaning")]
    Grouping,
    /// More than fifteen digits, which a floating-point number cannot hold exactly.
    #[error("number has too many digits")]
    TooLong,
}

/// Returns a count with a dot between thousands: 1.234.567.
pub fn format_count(count: i64) -> String {
    grouped(count < 0, &count.unsigned_abs().to_string())
}

/// Returns a number with exactly one decimal after a comma, thousands with a dot: 62,5 and 1.234,0.
/// Halves round away from zero; what is not finite gives a dash.
pub fn format_decimal(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let tenths = format!("{:.0}", (value.abs() * 10.0).round());
    let (whole, decimal) = match tenths.len() {
        0 | 1 => ("0", tenths.as_str()),
        length => tenths.split_at(length - 1),
    };
    let negative = value < 0.0 && tenths != "0";
    format!("{},{decimal}", grouped(negative, whole))
}

/// Returns a percentage with one decimal and the sign without a space, from a value already in percent:
/// 87.04 gives 87,0%.
pub fn format_percent(percent: f64) -> String {
    if percent.is_finite() { format!("{}%", format_decimal(percent)) } else { format_decimal(percent) }
}

fn grouped(negative: bool, digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 2);
    if negative {
        out.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('.');
        }
        out.push(digit);
    }
    out
}

/// The most digits that every `f64` keeps exactly.
const MAX_DIGITS: usize = 15;

/// Reads a number as Vietnamese writers mean it: "1.234" is a thousand and more, "1,5" one and a half,
/// "62,5%" a percentage; "1 234" groups with a space.
///
/// A comma is always the decimal sign. One dot before one or two last digits ("1.5", from a foreign
/// keyboard) or after a leading zero ("0.125") cannot group thousands and is read as the decimal sign.
///
/// # Errors
/// `NumberError`; a number with a unit ("12 hộ") is `Character`.
pub fn parse_number_vi(text: &str) -> Result<Number, NumberError> {
    let text = text.trim();
    let (text, is_percent) = match text.strip_suffix('%') {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let (text, negative) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (rest.trim_start(), true),
        None => (text, false),
    };
    if text.is_empty() {
        return Err(if is_percent || negative { NumberError::Character } else { NumberError::Empty });
    }
    if !text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',' || is_space(c)) {
        return Err(NumberError::Character);
    }
    if text.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS {
        return Err(NumberError::TooLong);
    }
    let (whole, decimals) = match text.split_once(',') {
        Some((whole, decimals)) => (ungrouped(whole)?, decimals),
        None => match foreign_decimal(text) {
            Some((whole, decimals)) => (whole.to_owned(), decimals),
            None => (ungrouped(text)?, "0"),
        },
    };
    if decimals.is_empty() || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::Grouping);
    }
    let value: f64 = format!("{whole}.{decimals}").parse().map_err(|_| NumberError::Grouping)?;
    Ok(Number { value: if negative { -value } else { value }, is_percent })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{A0}' | '\u{202F}')
}

/// Splits at a single dot that cannot stand between thousands.
fn foreign_decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, decimals) = text.split_once('.')?;
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let cannot_group = decimals.len() <= 2 || whole == "0";
    (digits_only(whole) && digits_only(decimals) && cannot_group).then_some((whole, decimals))
}

/// Removes one kind of thousands separator, which must stand between groups of three.
fn ungrouped(whole: &str) -> Result<String, NumberError> {
    let separator = if whole.contains('.') { Some('.') } else { whole.chars().find(|&c| is_space(c)) };
    let Some(separator) = separator else {
        return if whole.is_empty() { Err(NumberError::Grouping) } else { Ok(whole.to_owned()) };
    };
    let mut out = String::with_capacity(whole.len());
    for (at, group) in whole.split(separator).enumerate() {
        let fits = if at == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        if !fits || !group.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::Grouping);
        }
        out.push_str(group);
    }
    // "0.125" was read before; a longer number never begins with a group of zeros.
    if out.starts_with('0') { Err(NumberError::Grouping) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_have_dots_between_thousands() {
        for (count, text) in [
            (0, "0"),
            (7, "7"),
            (999, "999"),
            (1_000, "1.000"),
            (264_866, "264.866"),
            (1_234_567, "1.234.567"),
            (-1_234, "-1.234"),
            (i64::MIN, "-9.223.372.036.854.775.808"),
        ] {
            assert_eq!(format_count(count), text);
        }
    }

    #[test]
    fn decimals_have_one_digit_after_a_comma() {
        for (value, text) in [
            (62.5, "62,5"),
            (0.0, "0,0"),
            (-0.01, "0,0"),
            (0.05, "0,1"),
            (87.04, "87,0"),
            (99.96, "100,0"),
            (1_234_567.84, "1.234.567,8"),
            (-3.25, "-3,3"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(format_decimal(value), text);
        }
        assert_eq!(format_percent(230_540.0 / 264_866.0 * 100.0), "87,0%");
        assert_eq!(format_percent(f64::INFINITY), "–");
    }

    #[test]
    fn both_separators_are_read_as_vietnamese_writers_mean_them() {
        for (text, value, is_percent) in [
            ("1.234", 1234.0, false),
            ("1,5", 1.5, false),
            ("62,5%", 62.5, true),
            ("62,5 %", 62.5, true),
            ("1.234.567,8", 1_234_567.8, false),
            ("1 234 567", 1_234_567.0, false),
            ("1234567", 1_234_567.0, false),
            ("0", 0.0, false),
            ("007", 7.0, false),
            ("1.5", 1.5, false),
            ("0.125", 0.125, false),
            ("12.345", 12_345.0, false),
            ("-3,2", -3.2, false),
            (" 104 ", 104.0, false),
        ] {
            assert_eq!(parse_number_vi(text), Ok(Number { value, is_percent }), "{text}");
        }
    }

    #[test]
    fn what_has_no_single_reading_is_refused() {
        for (text, error) in [
            ("", NumberError::Empty),
            ("%", NumberError::Character),
            ("12 hộ", NumberError::Character),
            ("1e5", NumberError::Character),
            ("1.23.4", NumberError::Grouping),
            ("1,2,3", NumberError::Grouping),
            ("1,", NumberError::Grouping),
            (",5", NumberError::Grouping),
            ("1234.567", NumberError::Grouping),
            ("012.345", NumberError::Grouping),
            ("1.234 567", NumberError::Grouping),
            ("1234567890123456", NumberError::TooLong),
        ] {
            assert_eq!(parse_number_vi(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_count_reads_back(count in -999_999_999_999_i64..999_999_999_999) {
            let read = parse_number_vi(&format_count(count)).map(|number| number.value);
            prop_assert_eq!(read, Ok(count as f64));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9., %-]{0,20}") {
            let _ = parse_number_vi(&text);
        }
    }
}
