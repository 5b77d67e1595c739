//! The never-store checks: finds in free text what no field of this product may hold.
//!
//! Citizen numbers (12 digits), old identity numbers (9), health-insurance numbers, phone numbers, bank
//! cards, one-time codes and passwords. Storing a hash would be no remedy: with province, sex and year
//! known a citizen number has a million values left. So text is refused before it is stored, on the
//! phone and again on import. A finding holds a kind and a place, never the text.
//!
//! How it works: `scan` reads the text once into words and runs of digits (full width, other scripts and
//! invisible characters undone, offsets into the original kept), `harmless` marks numbers that real
//! notes are full of (dates, times, money, procedure codes, hotlines), `numbers` judges the runs that
//! remain, joined over separators, and `secrets` judges what stands near a keyword. All steps are
//! linear in the text.
//!
//! The rules are strict where a citizen number could be meant: any 12 digits in one number are refused,
//! whatever their structure. Exempt are only: a date with a time and nothing else; grouped money with
//! its currency and without a leading zero (a real citizen number begins with 0); a procedure code with
//! its zeros; numbers each one more than the last; a rising list of small numbers without leading
//! zeros; years; lists with commas or line breaks unless they have the structure of a citizen number.
//! A time stamp written as twelve digits is refused. The tables in the tests say what is found and what
//! is not.

mod harmless;
mod keywords;
mod numbers;
mod scan;
mod secrets;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Twelve digits: the number of a citizen (số định danh, CCCD).
    CitizenId,
    /// Nine digits: the identity card before 2016 (CMND).
    OldIdNumber,
    /// A health-insurance number: two letters and thirteen digits, or ten digits beside the word.
    HealthInsurance,
    /// A mobile number, also with +84 or in the old eleven digits.
    Phone,
    /// Four to eight digits beside a word such as OTP, PIN, passcode.
    OneTimeCode,
    /// A bank card: sixteen digits, or thirteen to nineteen with a right check digit.
    BankCard,
    /// A password beside its word.
    Password,
}

impl Kind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::CitizenId,
        Self::OldIdNumber,
        Self::HealthInsurance,
        Self::Phone,
        Self::OneTimeCode,
        Self::BankCard,
        Self::Password,
    ];

    /// Returns the stable code under which screens keep the sentence that explains the refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CitizenId => "never_store.citizen_id",
            Self::OldIdNumber => "never_store.old_id_number",
            Self::HealthInsurance => "never_store.health_insurance",
            Self::Phone => "never_store.phone",
            Self::OneTimeCode => "never_store.one_time_code",
            Self::BankCard => "never_store.bank_card",
            Self::Password => "never_store.password",
        }
    }
}

/// One place in a text that must not be stored. Safe to log: it does not hold the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Byte range in the text that was checked, on character boundaries.
    pub range: Range<usize>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}..{}", self.kind.code(), self.range.start, self.range.end)
    }
}

/// Returns everything in a free text that must not be stored, in order of place, without overlaps.
/// Empty means the text may be stored.
pub fn check_free_text(text: &str) -> Vec<Finding> {
    let mut items = scan::scan(text);
    if items.is_empty() {
        return Vec::new();
    }
    let keywords = keywords::mark(&items);
    harmless::mark(&mut items, &keywords);
    let mut findings = numbers::find(&mut items, &keywords);
    findings.extend(secrets::find(text, &items, &keywords));
    crate::order::sort_by_key(&mut findings, |finding| {
        (finding.range.start, std::cmp::Reverse(finding.range.end))
    });
    let mut end = 0;
    findings.retain(|finding| {
        let apart = finding.range.start >= end;
        if apart {
            end = finding.range.end;
        }
        apart
    });
    findings
}

/// Says whether twelve digits have the structure of a citizen number: province of birth registration
/// (list of 63 from before the reform of 2025), century and sex, year, six free digits.
fn is_citizen_number(digits: &str) -> bool {
    digits.len() == 12
        && digits.get(..3).is_some_and(|province| PROVINCES_OF_BIRTH.contains(&province))
        && digits.as_bytes().get(3).is_some_and(|century| (b'0'..=b'3').contains(century))
}

/// The province part of citizen numbers; it did not change with the reform of 2025.
const PROVINCES_OF_BIRTH: [&str; 63] = [
    "001", "002", "004", "006", "008", "010", "011", "012", "014", "015", "017", "019", "020", "022", "024",
    "025", "026", "027", "030", "031", "033", "034", "035", "036", "037", "038", "040", "042", "044", "045",
    "046", "048", "049", "051", "052", "054", "056", "058", "060", "062", "064", "066", "067", "068", "070",
    "072", "074", "075", "077", "079", "080", "082", "083", "084", "086", "087", "089", "091", "092", "093",
    "094", "095", "096",
];
