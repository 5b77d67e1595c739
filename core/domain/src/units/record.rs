//! One administrative unit during one stretch of time, and what an old unit passed on.

use std::sync::Arc;

use super::code::{Level, UnitCode};
use crate::date::CivilDate;

/// What a unit is called by law. `ThanhPho` is a city of either level; the code's level tells which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Tỉnh: province.
    Tinh,
    /// Thành phố: city, run by the centre or (until 30 June 2025) by a province.
    ThanhPho,
    /// Huyện: rural district, until 30 June 2025.
    Huyen,
    /// Quận: urban district, until 30 June 2025.
    Quan,
    /// Thị xã: town district, until 30 June 2025.
    ThiXa,
    /// Xã: rural commune.
    Xa,
    /// Phường: ward.
    Phuong,
    /// Thị trấn: town within a huyện, until 30 June 2025.
    ThiTran,
    /// Đặc khu: special zone, since 1 July 2025.
    DacKhu,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Tinh,
        Self::ThanhPho,
        Self::Huyen,
        Self::Quan,
        Self::ThiXa,
        Self::Xa,
        Self::Phuong,
        Self::ThiTran,
        Self::DacKhu,
    ];

    /// As inside a sentence: `thị trấn`.
    pub fn vi(self) -> &'static str {
        match self {
            Self::Tinh => "tỉnh",
            Self::ThanhPho => "thành phố",
            Self::Huyen => "huyện",
            Self::Quan => "quận",
            Self::ThiXa => "thị xã",
            Self::Xa => "xã",
            Self::Phuong => "phường",
            Self::ThiTran => "thị trấn",
            Self::DacKhu => "đặc khu",
        }
    }

    /// As at the head of a line: `Thị trấn`.
    pub fn vi_head(self) -> &'static str {
        match self {
            Self::Tinh => "Tỉnh",
            Self::ThanhPho => "Thành phố",
            Self::Huyen => "Huyện",
            Self::Quan => "Quận",
            Self::ThiXa => "Thị xã",
            Self::Xa => "Xã",
            Self::Phuong => "Phường",
            Self::ThiTran => "Thị trấn",
            Self::DacKhu => "Đặc khu",
        }
    }

    /// Reads what [`Kind::vi`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.vi() == text)
    }
}

/// A unit as it stood from `valid_from` until the day before `valid_to`.
///
/// A unit whose kind or name changed while its code stayed has one record for each stretch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Digits and list.
    pub code: UnitCode,
    /// What it is called by law in this stretch.
    pub kind: Kind,
    /// The name without its kind, NFC, with accents: `Bình Liêu`.
    pub name: Box<str>,
    /// The next wider unit of the same list; none for a province.
    pub parent: Option<UnitCode>,
    /// First day; none when older than the list.
    pub valid_from: Option<CivilDate>,
    /// First day on which it no longer holds; none while it holds.
    pub valid_to: Option<CivilDate>,
    /// The decision that made it so, as cited.
    pub legal_ref: Arc<str>,
}

impl Unit {
    /// Province, district or commune.
    pub fn level(&self) -> Level {
        self.code.level()
    }

    /// Whether this record holds on that day.
    pub fn is_valid_on(&self, day: CivilDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }

    /// Kind and name as at the head of a line: `Thị trấn Bình Liêu`.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind.vi_head(), self.name)
    }

    /// Kind and name as inside a sentence: `thị trấn Bình Liêu`.
    pub fn phrase(&self) -> String {
        format!("{} {}", self.kind.vi(), self.name)
    }
}

/// How much of an old unit went into a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Share {
    /// All of it.
    Full,
    /// A part: the old unit was split, and no figure of it may be apportioned.
    Part,
}

impl Share {
    /// Reads `full` or `part`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "part" => Some(Self::Part),
            _ => None,
        }
    }
}
