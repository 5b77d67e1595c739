//! The code of an administrative unit: digits and the list they belong to.
//!
//! A bare code says too little: nearly every commune of the list of 2025 carries the code of an old
//! commune, many with another name, and seven province codes now mean another province.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The tier of a unit; it also fixes how many digits its code has. Sorts from wide to narrow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Tỉnh, or a city run by the centre; 2 digits.
    Province,
    /// Huyện, quận, thị xã, or a city within a province; 3 digits. None since 1 July 2025.
    District,
    /// Xã, phường, thị trấn, đặc khu; 5 digits.
    Commune,
}

impl Level {
    /// How many digits a code of this level has.
    pub fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::District => 3,
            Self::Commune => 5,
        }
    }

    /// Reads `province`, `district` or `commune`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "province" => Some(Self::Province),
            "district" => Some(Self::District),
            "commune" => Some(Self::Commune),
            _ => None,
        }
    }
}

/// A unit's code within one list of units; as text `06838@2025`, leading zeros kept (QĐ 19/2025/QĐ-TTg).
///
/// Sorts by list, then level (wide first), then digits. On the wire and in SQL it is its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitCode {
    list: u16,
    level: Level,
    number: u32,
}

/// Lists are named by the year they began; none is older than the decree of 2004.
const LISTS: std::ops::RangeInclusive<u16> = 2004..=2199;

impl UnitCode {
    /// The code with these 2, 3 or 5 digits in the list of that year; none when either is not such.
    pub fn new(digits: &str, list: u16) -> Option<Self> {
        let level = match digits.len() {
            2 => Level::Province,
            3 => Level::District,
            5 => Level::Commune,
            _ => return None,
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = digits.parse().ok().filter(|n| *n > 0)?;
        LISTS.contains(&list).then_some(Self { list, level, number })
    }

    /// Reads `06838@2025`; nothing else, and never a bare code.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, list) = text.split_once('@')?;
        if list.len() != 4 || !list.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(digits, list.parse().ok()?)
    }

    /// The year that names the list this code belongs to.
    pub fn list(self) -> u16 {
        self.list
    }

    /// The level, told by the number of digits.
    pub fn level(self) -> Level {
        self.level
    }

    /// The digits alone, for papers and other people's tables; to be kept only beside the list.
    pub fn digits(self) -> String {
        format!("{:0width$}", self.number, width = self.level.digits())
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}@{}", self.number, self.list, width = self.level.digits())
    }
}

impl Serialize for UnitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnitCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a unit code such as 06838@2025"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, UnitCode};

    #[test]
    fn a_code_goes_through_its_text_and_back() {
        for (text, level) in [
            ("01@2025", Level::Province),
            ("198@2024", Level::District),
            ("00004@2025", Level::Commune),
            ("06838@2025", Level::Commune),
        ] {
            let code = UnitCode::parse(text).expect(text);
            assert_eq!(code.to_string(), text);
            assert_eq!(code.level(), level);
            let json = serde_json::to_string(&code).expect("json");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<UnitCode>(&json).expect("code"), code);
        }
    }

    #[test]
    fn a_bare_or_broken_code_is_refused() {
        for text in [
            "06838",
            "06838@",
            "@2025",
            "6838@2025",
            "1@2025",
            "00000@2025",
            "00@2025",
            "0683a@2025",
            "+6838@2025",
            "06838@25",
            "06838@+025",
            "06838@1999",
            "06838@2025 ",
            "06838@2025@2024",
        ] {
            assert_eq!(UnitCode::parse(text), None, "{text}");
        }
        assert!(serde_json::from_str::<UnitCode>("\"06838\"").is_err());
        assert!(serde_json::from_str::<UnitCode>("6838").is_err());
    }

    #[test]
    fn codes_sort_by_list_then_level_then_digits() {
        let mut codes: Vec<_> = ["00004@2025", "91@2025", "00001@2024", "198@2024", "96@2024"]
            .map(|text| UnitCode::parse(text).expect(text))
            .into();
        codes.sort();
        let sorted: Vec<_> = codes.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, ["96@2024", "198@2024", "00001@2024", "91@2025", "00004@2025"]);
    }
}
