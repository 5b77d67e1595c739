//! Finding households and opening one.

use langso_device::companion::Nothing;
use langso_device::companion::households::{
    FindHouseholds, HouseholdDetail, HouseholdLine, ListHouseholds, OfHousehold, PersonDetail,
};

use super::super::book::{Book, person_words};
use super::super::visits;
use crate::names::{line, some_day, some_word, unit};
use crate::terminal::{Grid, tell};
use crate::words::{Outcome, pick};

pub(super) fn list(book: &Book, hamlet: Option<&str>) -> Outcome {
    let hamlet = hamlet.map(|typed| book.find_hamlet("--hamlet", typed)).transpose()?;
    let mut grid = Grid::default();
    let mut find = ListHouseholds { hamlet, skip: 0 };
    loop {
        let page = book.app.households().list_households(find)?;
        page.households.iter().for_each(|household| grid.row(cells(book, household)));
        find.skip += page.households.len() as u32;
        if page.households.is_empty() || page.count.is_none_or(|count| find.skip >= count) {
            break;
        }
    }
    match grid.is_empty() {
        true => tell(pick("Sổ chưa có hộ nào.", "No households in the book yet.")),
        false => grid.tell(),
    }
    Ok(())
}

pub(super) fn find(book: &Book, text: &str, hamlet: Option<&str>) -> Outcome {
    let hamlet = hamlet.map(|typed| book.find_hamlet("--hamlet", typed)).transpose()?;
    let found = book.app.households().find_households(FindHouseholds { text: text.to_owned(), hamlet })?;
    for hit in &found.units {
        if let Some(former) = &hit.former {
            tell(match crate::words::is_english() {
                false => format!("{} nay thuộc {}", former.title, hit.title),
                true => format!("{} is now part of {}", former.title, hit.title),
            });
        }
    }
    if found.households.is_empty() {
        tell(match crate::words::is_english() {
            false => format!("Không thấy \"{}\". Thử số hộ, hoặc thêm hộ mới.", crate::terminal::clean(text)),
            true => format!(
                "Nothing for \"{}\". Try the number, or add a household.",
                crate::terminal::clean(text)
            ),
        });
        return Ok(());
    }
    let mut grid = Grid::default();
    found.households.iter().for_each(|hit| grid.row(cells(book, &hit.line)));
    grid.tell();
    if found.has_more {
        tell(pick("Còn nhiều kết quả nữa. Gõ thêm.", "More results. Type more."));
    }
    Ok(())
}

pub(super) fn recent(book: &Book) -> Outcome {
    let mut grid = Grid::default();
    for household in &book.app.households().list_recent(Nothing {})?.households {
        grid.row(cells(book, household));
    }
    match grid.is_empty() {
        true => tell(pick("Máy này chưa ghi hộ nào.", "This phone has written no household yet.")),
        false => grid.tell(),
    }
    Ok(())
}

fn cells(book: &Book, household: &HouseholdLine) -> [String; 7] {
    let persons = match household.persons.len() {
        0 => String::new(),
        count => format!("{count} {}", pick("người", "persons")),
    };
    let visited = household
        .last_visit
        .map_or_else(String::new, |day| format!("{} {}", pick("giúp", "visited"), day.0.vi()));
    let appointment = household
        .appointment
        .map_or_else(String::new, |day| format!("{} {}", pick("hẹn", "due"), day.0.vi()));
    let label = match household.is_withdrawn {
        true => format!("{} ({})", household.label, pick("đã rút đồng ý", "consent withdrawn")),
        false => household.label.clone(),
    };
    [
        label,
        household.hint.clone().unwrap_or_default(),
        household.hamlet.map_or_else(String::new, |hamlet| book.hamlet(hamlet)),
        persons,
        visited,
        appointment,
        household.household.to_string(),
    ]
}

pub(super) fn show(book: &Book, typed: &str) -> Outcome {
    let of = OfHousehold { household: book.find_household("HOUSEHOLD", typed)? };
    let household = book.app.households().get_household(of)?;
    line("Hộ", "Household", format!("{}  {}", household.label, household.household));
    line("Gợi nhớ", "Hint", household.hint.clone().unwrap_or_default());
    let hamlet = book.hamlets().iter().find(|hamlet| Some(hamlet.hamlet) == household.hamlet);
    line("Thôn", "Hamlet", hamlet.map_or_else(String::new, |hamlet| hamlet.name.clone()));
    line("Xã", "Commune", unit(hamlet.and_then(|hamlet| hamlet.unit)));
    line("Diện", "Poverty", some_word("poverty", household.poverty));
    states(&household);
    persons(&household.persons);
    consents(book, &household);
    appointments(book, &household);
    match household.visits.visits.is_empty() {
        true => tell(pick("Chưa có lần giúp nào.", "No visits yet.")),
        false => {
            tell(pick("Lần giúp", "Visits"));
            visits::page(book, &household.visits);
        }
    }
    Ok(())
}

fn states(household: &HouseholdDetail) {
    for (is, vi, en) in [
        (household.is_struck_out, "Đã gạch bỏ, không tính nữa.", "Struck out; it no longer counts."),
        (household.moved_to.is_some(), "Đã chuyển đi.", "Moved away."),
        (
            household.is_withdrawn,
            "Đã rút đồng ý: không ghi thêm gì vào hộ này.",
            "Consent was withdrawn: nothing more is written to it.",
        ),
        (
            household.has_conflict,
            "Có ô hai bản khác nhau: xem conflicts.",
            "A field has two versions: see conflicts.",
        ),
    ] {
        if is {
            tell(pick(vi, en));
        }
    }
    for other in &household.joined {
        let words = pick("Đã gộp cùng", "Joined with");
        tell(format_args!("{words}: {}  {}", crate::terminal::clean(&other.label), other.household));
    }
}

fn persons(persons: &[PersonDetail]) {
    if persons.is_empty() {
        return;
    }
    tell(pick("Người", "Persons"));
    let mut grid = Grid::new(&[0]);
    for (at, person) in persons.iter().enumerate() {
        let yes_no = |vi: &str, en: &str, value: Option<u8>| {
            value.map_or_else(String::new, |value| {
                format!("{}: {}", pick(vi, en), some_word("yes_no_unknown", Some(value)))
            })
        };
        grid.row([
            (at + 1).to_string(),
            person_words(person.sex, person.band, person.birth_year),
            some_word("phone_kinds", person.phone_kind),
            yes_no("NFC", "NFC", person.nfc),
            yes_no("SIM chính chủ", "own SIM", person.own_sim),
            person.person.to_string(),
        ]);
    }
    grid.tell();
}

fn consents(book: &Book, household: &HouseholdDetail) {
    let mut grid = Grid::default();
    for consent in &household.consents {
        let text = consent.text.as_ref().map_or_else(String::new, ToString::to_string);
        let state = match consent.withdrawn_on {
            Some(day) => format!("{} {}", pick("đã rút ngày", "withdrawn on"), day.0.vi()),
            None => String::new(),
        };
        let asked = format!("{} {}", pick("hỏi bởi", "asked by"), book.some_member(consent.asked_by));
        grid.row([
            text,
            some_word("consent_ways", consent.way),
            some_day(consent.date),
            asked,
            state,
            consent.consent.to_string(),
        ]);
    }
    if !grid.is_empty() {
        tell(pick("Đồng ý", "Consents"));
        grid.tell();
    }
    let mut grid = Grid::default();
    for contact in &household.contacts {
        let until = contact
            .expires_on
            .map_or_else(String::new, |day| format!("{} {}", pick("tự xóa ngày", "erased on"), day.0.vi()));
        grid.row([
            contact.display_name.clone().unwrap_or_default(),
            contact.phone.clone().unwrap_or_default(),
            until,
            contact.contact.to_string(),
        ]);
    }
    if !grid.is_empty() {
        tell(pick("Liên hệ", "Contact"));
        grid.tell();
    }
}

fn appointments(book: &Book, household: &HouseholdDetail) {
    let mut grid = Grid::default();
    for due in &household.follow_ups {
        let service =
            due.service.as_ref().map_or_else(String::new, |service| visits::service_title(&service.code));
        let who = due.assigned_to.map_or_else(String::new, |member| book.member(member));
        grid.row([
            some_day(due.due_on),
            service,
            who,
            due.note.clone().unwrap_or_default(),
            due.follow_up.to_string(),
        ]);
    }
    if !grid.is_empty() {
        tell(pick("Hẹn lại", "Appointments"));
        grid.tell();
    }
}
