//! The code on the slip that a household keeps: by it the commune finds the household to show, correct or erase what
//! is kept of it.
//!
//! Pure: 35 random bits are handed in. Seven letters and digits and a check, in two groups (`K7QX-3M0T`). The check
//! finds every mistyped character and every two that changed places. Never digits only, so that nobody takes it for a
//! one-time code.

use std::fmt;

/// Digits and letters without I, L, O and U, as in row ids.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAYLOAD: usize = 7;

/// A household's code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RightsCode([u8; PAYLOAD]);

impl RightsCode {
    /// The code of 35 random bits, the low ones of `random`; none for one that would be digits only: draw again.
    pub fn from_random(random: u64) -> Option<Self> {
        let mut values = [0; PAYLOAD];
        for (at, value) in values.iter_mut().enumerate() {
            *value = (random >> (5 * at)) as u8 & 31;
        }
        values.iter().any(|value| *value >= 10).then_some(Self(values))
    }

    /// The code in the bytes that a row keeps; none when they are no code.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 5] = bytes.try_into().ok()?;
        let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        if number >> 35 == 0 { Self::from_random(number) } else { None }
    }

    /// The bytes that a row keeps.
    pub fn to_bytes(self) -> [u8; 5] {
        let number = self
            .0
            .iter()
            .enumerate()
            .fold(0u64, |number, (at, value)| number | u64::from(*value) << (5 * at));
        let [_, _, _, bytes @ ..] = number.to_be_bytes();
        bytes
    }

    /// Reads a code as it was written by hand: in any case, with or without the dash, `O` for 0, `I` and `L` for 1.
    /// None when it is mistyped.
    pub fn parse(text: &str) -> Option<Self> {
        let mut values = Vec::with_capacity(PAYLOAD + 1);
        for c in text.chars().filter(|c| !matches!(c, '-' | '–' | ' ')) {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            values.push(ALPHABET.iter().position(|letter| char::from(*letter) == c)? as u8);
            if values.len() > PAYLOAD + 1 {
                return None;
            }
        }
        let (check, payload) = values.split_last()?;
        let code = Self(payload.try_into().ok()?);
        (code.check() == *check && code.0.iter().any(|value| *value >= 10)).then_some(code)
    }

    /// A weighted sum in the field of 32 elements: the weights are different powers of a generator, so that neither one
    /// wrong character nor two in each other's place go unseen.
    fn check(self) -> u8 {
        self.0.iter().fold(0, |sum, value| double(sum ^ value))
    }
}

/// Times x, modulo x^5 + x^2 + 1.
fn double(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 { doubled } else { doubled ^ 0b10_0101 }
}

impl fmt::Display for RightsCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, value) in self.0.iter().chain([&self.check()]).enumerate() {
            if at == 4 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(ALPHABET[usize::from(*value)]))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> impl Iterator<Item = RightsCode> {
        (1..200u64).filter_map(|n| RightsCode::from_random(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 29))
    }

    #[test]
    fn a_code_is_two_groups_of_four_and_reads_back_from_text_and_bytes() {
        for code in codes() {
            let text = code.to_string();
            assert_eq!((text.len(), &text[4..5]), (9, "-"));
            assert_eq!(RightsCode::parse(&text), Some(code));
            assert_eq!(RightsCode::parse(&text.to_lowercase().replace('-', " ")), Some(code));
            assert_eq!(RightsCode::from_bytes(&code.to_bytes()), Some(code));
        }
    }

    #[test]
    fn one_wrong_character_and_two_that_changed_places_are_seen() {
        for code in codes() {
            let text: Vec<char> = code.to_string().replace('-', "").chars().collect();
            for at in 0..text.len() {
                for letter in ALPHABET.iter().map(|letter| char::from(*letter)).filter(|c| *c != text[at]) {
                    let mut wrong = text.clone();
                    wrong[at] = letter;
                    assert_eq!(
                        RightsCode::parse(&wrong.iter().collect::<String>()),
                        None,
                        "{text:?} {wrong:?}"
                    );
                }
                let mut swapped = text.clone();
                swapped.swap(at, (at + 1) % text.len());
                if swapped != text {
                    assert_eq!(RightsCode::parse(&swapped.iter().collect::<String>()), None, "{swapped:?}");
                }
            }
        }
    }

    #[test]
    fn a_code_is_never_digits_only_and_what_is_no_code_is_none() {
        assert_eq!(RightsCode::from_random(0), None);
        for text in ["", "0000-0000", "K7QX", "K7QX-3M0T-9", "K7QX-3M!T", "\u{1F600}"] {
            assert_eq!(RightsCode::parse(text), None, "{text}");
        }
        assert_eq!(RightsCode::from_bytes(&[255; 5]), None);
        assert_eq!(RightsCode::from_bytes(&[1, 2]), None);
    }
}
