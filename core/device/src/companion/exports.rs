//! Files that leave the phone: figures and person-days, as tables that a spreadsheet opens.
//!
//! The caller names the file; none is ever written over.

use langso_domain::date::CivilDate;
use serde::{Deserialize, Serialize};

use super::figures::{Asked, FigurePage, FigureRow, PublishedFigure};
use super::team::FindPersonDays;
use super::{Companion, Day};
use crate::error::{AppError, Result};

mod csv;

use csv::{Cell, Table};

/// The feature; see [`Companion::exports`].
pub struct Exports<'a>(pub(super) &'a Companion);

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct CsvFile {
    /// The new file's path.
    pub path: String,
    /// Cells are parted by semicolons and decimals by a comma, as a spreadsheet set to Vietnamese reads them; else by
    /// commas and a point.
    #[serde(default)]
    #[uniffi(default)]
    pub semicolons: bool,
}

/// Figures to be written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct WriteFigures {
    /// For which days and place, and which ones.
    pub asked: Asked,
    /// Where to.
    pub file: CsvFile,
}

/// Person-days to be written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct WritePersonDays {
    /// First day.
    pub from: Day,
    /// Last day, included; at most 400 days on.
    pub to: Day,
    /// Where to. The file holds members' names.
    pub file: CsvFile,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct WrittenFile {
    /// Where it is.
    pub path: String,
    /// Rows below the head.
    pub rows: u32,
    /// Its size.
    pub bytes: u64,
}

const FIGURES: [&str; 16] = [
    "Nhóm",
    "Mã chỉ tiêu",
    "Chỉ tiêu",
    "Đếm theo",
    "Loại số",
    "So với",
    "Giá trị",
    "Tử số",
    "Mẫu số",
    "Số dòng",
    "Ước tính",
    "Từ ngày",
    "Đến ngày",
    "Nơi",
    "Nguồn",
    "Tính đến ngày",
];

const PERSON_DAYS: [&str; 8] =
    ["Thành viên", "Vai trò", "Ngày", "Thứ", "Kế hoạch", "Số việc", "Số lần giúp", "Trùng ngày"];

const WEEKDAYS: [&str; 7] = ["Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy", "Chủ nhật"];

impl Exports<'_> {
    /// Writes figures out, what this phone counted and what others published in rows of their own.
    ///
    /// # Errors
    /// As [`super::figures::Figures::list_figures`]; `InvalidInput` for `file.path` (`missing`, `file_exists`,
    /// `no_such_folder`); `StorageFull`.
    pub fn write_figures(&self, write: WriteFigures) -> Result<WrittenFile> {
        let unit = write.asked.unit.map(|unit| unit.to_string()).unwrap_or_default();
        let page = self.0.figures().list_figures(write.asked)?;
        let mut table = Table::new(&FIGURES, separator(&write.file));
        let families = [("Hoạt động", &page.activity), ("Bao phủ", &page.coverage)];
        for (family, figure) in
            families.iter().flat_map(|(family, rows)| rows.iter().map(move |row| (*family, row)))
        {
            if figure.value.is_some() || figure.published.is_empty() {
                table.row(&counted(family, figure, &page, &unit));
            }
            for published in &figure.published {
                table.row(&published_row(family, figure, published));
            }
        }
        written(table, write.file)
    }

    /// Writes person-days out: one row for each member, day and plan.
    ///
    /// # Errors
    /// As [`super::team::Team::list_person_days`], and as [`Exports::write_figures`] for the file.
    pub fn write_person_days(&self, write: WritePersonDays) -> Result<WrittenFile> {
        let find = FindPersonDays { from: write.from, to: write.to, member: None };
        let work = self.0.team().list_person_days(find)?;
        let known = self.0.phone().known()?;
        let roles = known.content.list("roles");
        let mut days: Vec<_> = work.days.iter().map(|day| (known.members.get(&day.member), day)).collect();
        langso_domain::order::sort_by_key(&mut days, |(member, day)| {
            let name = member.map_or("", |member| &member.name);
            (langso_domain::text::name_sort_key(name), day.member, day.date)
        });
        let mut table = Table::new(&PERSON_DAYS, separator(&write.file));
        for (member, day) in days {
            let role = member.and_then(|member| member.role).and_then(|role| roles?.number(role));
            let plan = day.plan.map(|plan| {
                known.plans.get(&plan).map_or_else(|| plan.to_string(), |plan| plan.name.clone())
            });
            table.row(&[
                Cell::text(member.map_or_else(|| day.member.to_string(), |member| member.name.clone())),
                Cell::text(role.map_or("", |role| &role.vi)),
                date(day.date.0),
                Cell::text(WEEKDAYS[usize::from(day.date.0.weekday().unsigned_abs()) - 1]),
                Cell::text(plan.unwrap_or_default()),
                Cell::Whole(day.pieces.into()),
                Cell::Whole(day.visits.len() as i64),
                yes(day.is_double),
            ]);
        }
        written(table, write.file)
    }
}

fn separator(file: &CsvFile) -> char {
    if file.semicolons { ';' } else { ',' }
}

fn written(table: Table, file: CsvFile) -> Result<WrittenFile> {
    let bytes = table.write(&file.path).map_err(|error| match error {
        AppError::InvalidInput { code, .. } => AppError::invalid("file.path", &code),
        other => other,
    })?;
    Ok(WrittenFile { path: file.path, rows: table.rows, bytes })
}

/// ISO, which a spreadsheet of any language reads as the same day.
fn date(day: CivilDate) -> Cell {
    Cell::text(day.to_string())
}

fn yes(is: bool) -> Cell {
    Cell::text(if is { "có" } else { "" })
}

fn scaled(value: Option<i64>, scale: u32) -> Cell {
    match value {
        None => Cell::Empty,
        Some(value) if scale == 1000 => Cell::Thousandths(value),
        Some(value) => Cell::Whole(value),
    }
}

fn head(family: &str, figure: &FigureRow) -> [Cell; 4] {
    [
        Cell::text(family),
        Cell::text(&figure.indicator),
        Cell::text(&figure.title.vi),
        Cell::text(&figure.counted_in),
    ]
}

fn counted(family: &str, figure: &FigureRow, page: &FigurePage, unit: &str) -> Vec<Cell> {
    let mut cells = head(family, figure).to_vec();
    cells.extend([
        Cell::text("tính từ sổ"),
        Cell::Empty,
        scaled(figure.value, figure.scale),
        Cell::whole(figure.numerator),
        Cell::whole(figure.denominator),
        Cell::Whole(figure.lines as i64),
        yes(figure.is_estimate),
        date(page.from.0),
        date(page.to.0),
        Cell::text(unit),
        Cell::text("sổ trên máy này"),
        page.as_of.last_sync_at.map_or(Cell::Empty, |at| date(CivilDate::at(at))),
    ]);
    cells
}

fn published_row(family: &str, figure: &FigureRow, published: &PublishedFigure) -> Vec<Cell> {
    let operator = match published.operator.as_deref() {
        Some("<~") => "gần",
        Some("~") => "khoảng",
        Some(">") => "trên",
        Some(">=") => "ít nhất",
        Some("<") => "dưới",
        _ => "đúng",
    };
    let mut cells = head(family, figure).to_vec();
    cells.extend([
        Cell::text("số đã công bố"),
        Cell::text(operator),
        scaled(published.thousandths, 1000),
        Cell::whole(published.numerator),
        Cell::whole(published.denominator),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::text(&published.unit),
        Cell::text(published.source.clone().unwrap_or_default()),
        date(published.date.0),
    ]);
    cells
}
