//! Civil dates of Vietnam (UTC+7), as the record keeps them: whole days, no zone, no time of day.
//!
//! Pure: the day of "now" is computed by the caller's clock and handed in.

use std::fmt;

use jiff::civil;

/// A civil date in Vietnam, kept as days since 1970-01-01; on the wire and in SQL that number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CivilDate(pub i32);

/// Seven hours in milliseconds: Vietnam has had one zone without summer time since 1975.
const UTC_OFFSET_MS: i64 = 7 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// Days outside 1900-01-01 ..= 2199-12-31 are refused everywhere: no record of the teams lies there.
pub(crate) const FIRST_DAY: i32 = -25_567;
const LAST_DAY: i32 = 84_005;

impl CivilDate {
    /// The date of that year, month and day; none when the calendar has no such day or it lies outside 1900..=2199.
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = civil::Date::new(year, month, day).ok()?;
        Self::from_days(date.since(civil::date(1970, 1, 1)).ok()?.get_days())
    }

    /// The date that many days after 1970-01-01, when inside 1900..=2199.
    pub fn from_days(days: i32) -> Option<Self> {
        (FIRST_DAY..=LAST_DAY).contains(&days).then_some(Self(days))
    }

    /// The civil date in Vietnam at a moment (ms since 1970-01-01T00:00Z).
    pub fn at(unix_ms: i64) -> Self {
        let days = (unix_ms.saturating_add(UTC_OFFSET_MS)).div_euclid(DAY_MS);
        Self(days.clamp(FIRST_DAY as i64, LAST_DAY as i64) as i32)
    }

    /// The moment (ms UTC) at which this date begins in Vietnam.
    pub fn starts_at(self) -> i64 {
        self.0 as i64 * DAY_MS - UTC_OFFSET_MS
    }

    /// Reads `2024-01-31`; nothing else.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let digits = |range: std::ops::Range<usize>| {
            let part = text.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i16>().ok())?
        };
        Self::from_ymd(digits(0..4)?, digits(5..7)? as i8, digits(8..10)? as i8)
    }

    /// Year, month (1-12) and day (1-31).
    pub fn ymd(self) -> (i16, i8, i8) {
        let date = civil::date(1970, 1, 1)
            .checked_add(jiff::Span::new().days(self.0))
            .unwrap_or(civil::date(1970, 1, 1));
        (date.year(), date.month(), date.day())
    }

    /// Day of the week, Monday = 1 to Sunday = 7 (the week begins on Monday in Vietnam).
    pub fn weekday(self) -> i8 {
        ((self.0 + 3).rem_euclid(7) + 1) as i8
    }

    /// As people read it: `dd/mm/yyyy`.
    pub fn vi(self) -> String {
        let (year, month, day) = self.ymd();
        format!("{day:02}/{month:02}/{year:04}")
    }
}

/// As files and JSON hold it: `yyyy-mm-dd`.
impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::CivilDate;

    #[test]
    fn a_date_goes_through_its_text_and_back() {
        for text in ["1900-01-01", "1970-01-01", "2024-02-29", "2199-12-31"] {
            assert_eq!(CivilDate::parse_iso(text).expect(text).to_string(), text);
        }
        for text in
            ["2023-02-29", "24-01-01", "2024-1-1", "2024/01/01", "1899-12-31", "2200-01-01", "2024-+1-01"]
        {
            assert_eq!(CivilDate::parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn midnight_is_that_of_vietnam() {
        let first = CivilDate::from_ymd(2024, 1, 2).expect("a day");
        assert_eq!(CivilDate::at(first.starts_at()), first);
        assert_eq!(CivilDate::at(first.starts_at() - 1).to_string(), "2024-01-01");
    }

    #[test]
    fn the_week_begins_on_monday() {
        assert_eq!(CivilDate::parse_iso("2024-01-01").map(CivilDate::weekday), Some(1));
        assert_eq!(CivilDate::parse_iso("2024-01-07").map(CivilDate::weekday), Some(7));
        assert_eq!(CivilDate::parse_iso("2024-01-07").map(CivilDate::vi).as_deref(), Some("07/01/2024"));
    }
}
