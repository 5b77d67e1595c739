//! Reporting periods: months, quarters, half-years and years, by the calendar or by a cut-off day.
//!
//! Pure. Under a cut-off day of 15 a month runs from the 15th of the month before to its own 14th, and quarters,
//! half-years and years are made of such months (windows of periodic reports, Nghị định 09/2019/NĐ-CP). The code of
//! a period, such as `2024-M03c15`, is stable: figures are kept under it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::date::CivilDate;

/// Which part of the year.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Span {
    /// 1 to 12.
    Month(u8),
    /// 1 to 4.
    Quarter(u8),
    /// 1 or 2.
    Half(u8),
    /// The whole.
    Year,
}

/// The lengths a period can have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PeriodKind {
    /// One month.
    Month,
    /// Three months.
    Quarter,
    /// Six months.
    Half,
    /// Twelve months.
    Year,
}

impl PeriodKind {
    /// From short to long.
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Half, Self::Year];

    fn months(self) -> u8 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Half => 6,
            Self::Year => 12,
        }
    }

    fn span(self, number: u8) -> Span {
        match self {
            Self::Month => Span::Month(number),
            Self::Quarter => Span::Quarter(number),
            Self::Half => Span::Half(number),
            Self::Year => Span::Year,
        }
    }
}

/// Where months begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum CutOff {
    /// On the 1st.
    #[default]
    Calendar,
    /// On the 15th of the month before; the last day is the 14th.
    Fifteenth,
}

impl CutOff {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Calendar, Self::Fifteenth];
}

/// One period. Text form: `2024-M03`, `2024-Q3`, `2024-H1`, `2024-Y`, with `c15` behind it under the cut-off day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Period {
    year: i16,
    span: Span,
    cut: CutOff,
}

/// The text is not the code of a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the code of a period")]
pub struct NotAPeriod;

/// The first year lets a period under the cut-off day begin in December of the year before.
const YEARS: std::ops::RangeInclusive<i16> = 1901..=2198;
const CUT_MARK: &str = "c15";
const CUT_DAY: i8 = 15;

impl Period {
    /// That part of that year; none for years outside 1901..=2198 and parts that no year has.
    pub fn new(year: i16, span: Span, cut: CutOff) -> Option<Self> {
        let fits = match span {
            Span::Month(number) => (1..=12).contains(&number),
            Span::Quarter(number) => (1..=4).contains(&number),
            Span::Half(number) => (1..=2).contains(&number),
            Span::Year => true,
        };
        (fits && YEARS.contains(&year)).then_some(Self { year, span, cut })
    }

    /// The period of that kind in which the day lies; none outside the years that periods have.
    pub fn containing(date: CivilDate, kind: PeriodKind, cut: CutOff) -> Option<Self> {
        let (mut year, mut month, day) = date.ymd();
        if cut == CutOff::Fifteenth && day >= CUT_DAY {
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        let number = (month as u8 - 1) / kind.months() + 1;
        Self::new(year, kind.span(number), cut)
    }

    /// The year that names it.
    pub fn year(self) -> i16 {
        self.year
    }

    /// Which part of the year.
    pub fn span(self) -> Span {
        self.span
    }

    /// Where its months begin.
    pub fn cut_off(self) -> CutOff {
        self.cut
    }

    /// How long it is.
    pub fn kind(self) -> PeriodKind {
        match self.span {
            Span::Month(_) => PeriodKind::Month,
            Span::Quarter(_) => PeriodKind::Quarter,
            Span::Half(_) => PeriodKind::Half,
            Span::Year => PeriodKind::Year,
        }
    }

    fn number(self) -> u8 {
        match self.span {
            Span::Month(number) | Span::Quarter(number) | Span::Half(number) => number,
            Span::Year => 1,
        }
    }

    /// Its first day.
    pub fn from(self) -> CivilDate {
        let months = self.kind().months();
        let first = ((self.number() - 1) * months) as i8 + 1;
        match self.cut {
            CutOff::Calendar => day(self.year, first, 1),
            CutOff::Fifteenth if first == 1 => day(self.year - 1, 12, CUT_DAY),
            CutOff::Fifteenth => day(self.year, first - 1, CUT_DAY),
        }
    }

    /// Its last day.
    pub fn to(self) -> CivilDate {
        let last = (self.number() * self.kind().months()) as i8;
        match self.cut {
            CutOff::Fifteenth => day(self.year, last, CUT_DAY - 1),
            CutOff::Calendar if last == 12 => day(self.year, 12, 31),
            CutOff::Calendar => CivilDate(day(self.year, last + 1, 1).0 - 1),
        }
    }

    /// Whether the day lies in it, first and last day included.
    pub fn contains(self, date: CivilDate) -> bool {
        self.from() <= date && date <= self.to()
    }

    /// The one of the same kind that follows; none after the last year.
    pub fn next(self) -> Option<Self> {
        Self::containing(CivilDate(self.to().0 + 1), self.kind(), self.cut)
    }

    /// The one of the same kind before it; none before the first year.
    pub fn previous(self) -> Option<Self> {
        Self::containing(CivilDate(self.from().0 - 1), self.kind(), self.cut)
    }

    /// As a Vietnamese report names it, in lower case: `6 tháng đầu năm 2024`, `quý III/2024`. Under the cut-off day
    /// the days stand behind it.
    pub fn title_vi(self) -> String {
        let year = self.year;
        let title = match self.span {
            Span::Month(number) => format!("tháng {number}/{year}"),
            Span::Quarter(number) => format!("quý {}/{year}", roman(number)),
            Span::Half(1) => format!("6 tháng đầu năm {year}"),
            Span::Half(_) => format!("6 tháng cuối năm {year}"),
            Span::Year => format!("năm {year}"),
        };
        self.with_days(title, "từ", "đến")
    }

    /// In English: `first half of 2024`, `quarter III of 2024`.
    pub fn title_en(self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let year = self.year;
        let title = match self.span {
            Span::Month(number) => format!("{} {year}", MONTHS[usize::from(number - 1)]),
            Span::Quarter(number) => format!("quarter {} of {year}", roman(number)),
            Span::Half(1) => format!("first half of {year}"),
            Span::Half(_) => format!("second half of {year}"),
            Span::Year => format!("year {year}"),
        };
        self.with_days(title, "from", "to")
    }

    fn with_days(self, title: String, from: &str, to: &str) -> String {
        match self.cut {
            CutOff::Calendar => title,
            CutOff::Fifteenth => format!("{title} ({from} {} {to} {})", self.from().vi(), self.to().vi()),
        }
    }
}

fn day(year: i16, month: i8, day: i8) -> CivilDate {
    CivilDate::from_ymd(year, month, day).expect("the parts of a period are checked when it is made")
}

fn roman(quarter: u8) -> &'static str {
    match quarter {
        1 => "I",
        2 => "II",
        3 => "III",
        _ => "IV",
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-", self.year)?;
        match self.span {
            Span::Month(number) => write!(f, "M{number:02}")?,
            Span::Quarter(number) => write!(f, "Q{number}")?,
            Span::Half(number) => write!(f, "H{number}")?,
            Span::Year => write!(f, "Y")?,
        }
        f.write_str(if self.cut == CutOff::Fifteenth { CUT_MARK } else { "" })
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let (rest, cut) = match text.strip_suffix(CUT_MARK) {
            Some(rest) => (rest, CutOff::Fifteenth),
            None => (text, CutOff::Calendar),
        };
        let (year, part) = rest.split_once('-').ok_or(NotAPeriod)?;
        let year = number(year, 4)?;
        let mut letters = part.chars();
        let letter = letters.next().ok_or(NotAPeriod)?;
        let rest = letters.as_str();
        let span = match letter {
            'M' => Span::Month(number(rest, 2)? as u8),
            'Q' => Span::Quarter(number(rest, 1)? as u8),
            'H' => Span::Half(number(rest, 1)? as u8),
            'Y' if rest.is_empty() => Span::Year,
            _ => return Err(NotAPeriod),
        };
        Self::new(year, span, cut).ok_or(NotAPeriod)
    }
}

fn number(text: &str, digits: usize) -> Result<i16, NotAPeriod> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAPeriod);
    }
    text.parse().map_err(|_| NotAPeriod)
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn period(code: &str) -> Period {
        code.parse().expect(code)
    }

    #[test]
    fn every_kind_has_its_first_and_last_day() {
        for (code, from, to) in [
            ("2024-M02", "2024-02-01", "2024-02-29"),
            ("2023-M02", "2023-02-01", "2023-02-28"),
            ("2024-M12", "2024-12-01", "2024-12-31"),
            ("2024-Q3", "2024-07-01", "2024-09-30"),
            ("2024-H1", "2024-01-01", "2024-06-30"),
            ("2024-H2", "2024-07-01", "2024-12-31"),
            ("2024-Y", "2024-01-01", "2024-12-31"),
            ("2024-M01c15", "2023-12-15", "2024-01-14"),
            ("2024-M03c15", "2024-02-15", "2024-03-14"),
            ("2024-Q1c15", "2023-12-15", "2024-03-14"),
            ("2024-H1c15", "2023-12-15", "2024-06-14"),
            ("2024-H2c15", "2024-06-15", "2024-12-14"),
            ("2024-Yc15", "2023-12-15", "2024-12-14"),
        ] {
            let period = period(code);
            assert_eq!(
                (period.from().to_string(), period.to().to_string()),
                (from.into(), to.into()),
                "{code}"
            );
            assert_eq!(period.to_string(), code);
        }
    }

    #[test]
    fn titles_are_those_of_reports() {
        for (code, vi) in [
            ("2024-M03", "tháng 3/2024"),
            ("2024-Q3", "quý III/2024"),
            ("2024-H1", "6 tháng đầu năm 2024"),
            ("2024-H2", "6 tháng cuối năm 2024"),
            ("2024-Y", "năm 2024"),
            ("2024-H1c15", "6 tháng đầu năm 2024 (từ 15/12/2023 đến 14/06/2024)"),
        ] {
            assert_eq!(period(code).title_vi(), vi);
        }
        assert_eq!(period("2024-H1").title_en(), "first half of 2024");
    }

    #[test]
    fn other_texts_are_no_periods() {
        for text in ["", "2024", "2024-M3", "2024-M13", "2024-M00", "2024-Q5", "2024-H3", "2024-Y1", "24-Y"] {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod), "{text}");
        }
        for text in ["2024-M03c14", "2024-M+3", "1900-Y", "2199-Y", "2024-m03", "2024-M03c15c15"] {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_lies_in_one_period_of_each_kind(days in -25_000..83_000) {
            let date = CivilDate(days);
            for kind in PeriodKind::ALL {
                for cut in CutOff::ALL {
                    let period = Period::containing(date, kind, cut).expect("inside the years");
                    prop_assert!(period.contains(date));
                    prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
                    let next = period.next().expect("inside the years");
                    prop_assert_eq!(next.from().0, period.to().0 + 1);
                    prop_assert_eq!(next.previous(), Some(period));
                }
            }
        }
    }
}
