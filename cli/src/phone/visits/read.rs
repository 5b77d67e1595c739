//! Looking at visits: lists with where each is, one with its ladder, and how it came to say what it says.

use langso_device::companion::receipts::{Receipt, Rung};
use langso_device::companion::visits::{
    FindVisits, HistoryEntry, OfVisit, ServiceDetail, VisitDetail, VisitLine, VisitPage,
};

use super::super::book::Book;
use super::super::conflicts;
use super::super::today;
use super::{failure_words, service_title, visit_id};
use crate::names::{day, line, some_day, some_word, unit};
use crate::terminal::{Grid, moment, tell};
use crate::words::{Outcome, pick};

/// Các lần giúp, mới trước · visits, the newest first
#[derive(Debug, Default, clap::Args)]
pub(super) struct List {
    /// Với hộ này · at this household
    #[arg(long, value_name = "HOUSEHOLD")]
    household: Option<String>,
    /// Ở thôn này · in this hamlet
    #[arg(long, value_name = "HAMLET")]
    hamlet: Option<String>,
    /// Có thành viên này · with this member
    #[arg(long, value_name = "MEMBER")]
    member: Option<String>,
    /// Từ ngày · not before this day
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// đến ngày · not after this day
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Số lần hiện ra, 0 = tất cả (50) · how many to show, 0 = all (50)
    #[arg(long, value_name = "N", default_value_t = 50, hide_default_value = true)]
    limit: usize,
}

pub(super) fn list(book: &Book, args: &List) -> Outcome {
    let typed = |field: &str, typed: &Option<String>| {
        typed.as_deref().map(|typed| day(field, typed, today())).transpose()
    };
    let mut find = FindVisits {
        household: args.household.as_deref().map(|it| book.find_household("--household", it)).transpose()?,
        hamlet: args.hamlet.as_deref().map(|it| book.find_hamlet("--hamlet", it)).transpose()?,
        member: args.member.as_deref().map(|it| book.find_member("--member", it)).transpose()?,
        from: typed("--from", &args.from)?,
        to: typed("--to", &args.to)?,
        skip: 0,
    };
    let mut grid = Grid::default();
    let mut left = if args.limit == 0 { usize::MAX } else { args.limit };
    loop {
        let page = book.app.visits().list_visits(find.clone())?;
        page.visits.iter().take(left).for_each(|visit| grid.row(cells(book, visit)));
        left = left.saturating_sub(page.visits.len());
        find.skip += page.visits.len() as u32;
        if !page.has_more || left == 0 {
            match grid.is_empty() {
                true => tell(pick("Chưa có lần giúp nào.", "No visits yet.")),
                false => grid.tell(),
            }
            return Ok(());
        }
    }
}

/// Visits of a household, for its page.
pub(in super::super) fn page(book: &Book, visits: &VisitPage) {
    let mut grid = Grid::default();
    visits.visits.iter().for_each(|visit| grid.row(cells(book, visit)));
    grid.tell();
}

fn cells(book: &Book, visit: &VisitLine) -> [String; 6] {
    let services = visit.services.iter().map(|service| {
        let title = service.service.as_ref().map_or_else(String::new, |service| service_title(&service.code));
        format!("{title}: {}", some_word("outcomes", service.outcome))
    });
    let place = visit.place.label.clone().unwrap_or_else(|| pick("không ghi hộ", "no household").to_owned());
    let members = visit.members.iter().map(|member| book.member(*member));
    [
        some_day(visit.date),
        place,
        services.collect::<Vec<_>>().join("; "),
        members.collect::<Vec<_>>().join(", "),
        receipt(visit.receipt),
        visit.visit.to_string(),
    ]
}

/// Where a row is, in words; never more than the receipts say.
pub(in super::super) fn receipt(receipt: Receipt) -> String {
    let (vi, en) = match (receipt.set_aside, receipt.rung) {
        (None, Rung::OnPhone) if receipt.is_void => (
            "Máy chủ vừa được khôi phục, máy này sẽ gửi lại",
            "The hub was restored; this phone will send it again",
        ),
        (Some(_), _) => (
            "Đã tới máy chủ, chờ tổ trưởng nhận vào sổ",
            "At the hub, waiting for the team lead to accept it",
        ),
        (None, Rung::OnPhone) => ("Mới ở máy này", "Only on this phone"),
        (None, Rung::AtHub) => ("Đã tới máy chủ", "At the hub"),
        (None, Rung::InBackup) => ("Đã sao lưu", "In the hub's backup"),
    };
    pick(vi, en).to_owned()
}

pub(super) fn show(book: &Book, typed: &str) -> Outcome {
    let visit = book.app.visits().get_visit(OfVisit { visit: visit_id("VISIT", typed)? })?;
    line("Lần giúp", "Visit", visit.visit);
    if visit.is_struck_out {
        tell(pick(
            "Đã thu lại hoặc gạch bỏ, không tính nữa.",
            "Taken back or struck out; it no longer counts.",
        ));
    }
    about(book, &visit);
    let mut grid = Grid::default();
    visit.services.iter().for_each(|service| grid.row(service_cells(book, &visit, service)));
    grid.tell();
    line("Tình trạng", "Status", receipt(visit.receipt));
    if let Some(until) = visit.can_take_back_until {
        line("Thu lại được đến", "Can be taken back until", moment(until));
    }
    if visit.has_conflict {
        tell(pick("Có ô hai bản khác nhau: xem conflicts.", "A field has two versions: see conflicts."));
    }
    if visit.is_corrected {
        tell(pick("Đã sửa: xem visit history.", "Corrected: see visit history."));
    }
    Ok(())
}

fn about(book: &Book, visit: &VisitDetail) {
    let household = visit.place_of.label.clone();
    let household = household.unwrap_or_else(|| pick("không ghi hộ", "no household").to_owned());
    line("Hộ", "Household", household);
    line("Thôn", "Hamlet", visit.hamlet.map_or_else(String::new, |hamlet| book.hamlet(hamlet)));
    line("Xã", "Commune", unit(visit.unit));
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let time = match (visit.start_minute, visit.end_minute) {
        (Some(start), Some(end)) => format!(", {}–{}", clock(start), clock(end)),
        (Some(only), None) | (None, Some(only)) => format!(", {}", clock(only)),
        (None, None) => String::new(),
    };
    line("Ngày", "Day", format!("{}{time}", some_day(visit.date)));
    let details = [
        some_word("place_kinds", visit.place),
        some_word("languages", visit.language),
        some_word("signals", visit.signal),
    ];
    let details: Vec<_> = details.into_iter().filter(|detail| !detail.is_empty()).collect();
    line("Nơi", "Place", details.join(", "));
    let members: Vec<_> = visit.members.iter().map(|member| book.member(*member)).collect();
    line("Ai cùng đi", "With", members.join(", "));
    line("Kế hoạch", "Plan", book.plan(visit.plan));
    line("Ghi chú", "Note", visit.note.clone().unwrap_or_default());
    line(
        "Người ghi",
        "Saved by",
        format!("{}, {}", book.some_member(visit.saved_by), moment(visit.saved_at)),
    );
}

fn service_cells(book: &Book, visit: &VisitDetail, service: &ServiceDetail) -> [String; 6] {
    let person = service.person.zip(visit.household).and_then(|(person, household)| {
        let persons = book.persons(household).ok()?;
        persons.into_iter().find(|(known, _)| *known == person).map(|(_, words)| words)
    });
    let run = match (service.run, &service.tutorial) {
        (Some(_), Some(tutorial)) => format!("{tutorial}, {}", pick("có bài", "with a run")),
        (_, Some(tutorial)) => tutorial.to_string(),
        _ => String::new(),
    };
    [
        service.service.as_ref().map_or_else(String::new, |service| service_title(&service.code)),
        some_word("outcomes", service.outcome),
        service.failure.map_or_else(String::new, failure_words),
        some_word("evidence", service.evidence),
        person.unwrap_or_default(),
        run,
    ]
}

pub(super) fn history(book: &Book, typed: &str) -> Outcome {
    let history = book.app.visits().list_visit_history(OfVisit { visit: visit_id("VISIT", typed)? })?;
    for entry in &history.entries {
        tell(format_args!("{}  {}  {}", moment(entry.at), book.some_member(entry.member), what(entry)));
        let mut grid = Grid::default();
        for field in &entry.fields {
            let value = conflicts::value(&field.table, &field.field, &field.value);
            grid.row([field.table.clone(), field.field.clone(), value]);
        }
        grid.tell();
    }
    Ok(())
}

fn what(entry: &HistoryEntry) -> String {
    if entry.is_create {
        return format!("{}, {}", pick("ghi", "saved"), receipt(entry.receipt));
    }
    let reason = match &entry.reason_text {
        Some(text) => text.clone(),
        None => some_word("correction_reasons", entry.reason),
    };
    format!("{}: {reason}, {}", pick("sửa", "corrected"), receipt(entry.receipt))
}
