//! A visit by flags. What is missing is asked for where somebody sits at a terminal.

use langso_device::companion::visits::{NewReturn, NewService, NewVisit, SavedVisit};
use langso_domain::id::{HouseholdId, PersonId};

use super::super::book::Book;
use super::super::{follow_ups, today};
use super::{failure_number, form, service_named};
use crate::names::{day, number_of};
use crate::terminal::{can_ask, moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Ghi một lần giúp với một hay nhiều việc · logs a visit with one service or several
#[derive(Debug, Default, clap::Args)]
pub(in super::super) struct Log {
    /// Hộ: "Hộ 12" hoặc mã · the household by label or id
    #[arg(long, value_name = "HOUSEHOLD", conflicts_with = "no_household")]
    household: Option<String>,
    /// Không ghi hộ · without a household
    #[arg(long)]
    no_household: bool,
    /// Một việc, nhiều lần được · a service, given once or more
    #[arg(long, value_name = "SERVICE=OUTCOME[:REASON][@PERSON]")]
    service: Vec<String>,
    /// Bài vừa làm: các việc của bài theo kết quả từng bước · a run: its services as its steps say
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Thôn, khi không ghi hộ · the hamlet, without a household
    #[arg(long, value_name = "HAMLET")]
    hamlet: Option<String>,
    /// Ngày; bỏ trống = hôm nay · the day; none = today
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Bắt đầu · began at
    #[arg(long, value_name = "HH:MM")]
    start: Option<String>,
    /// Kết thúc · ended at
    #[arg(long, value_name = "HH:MM")]
    end: Option<String>,
    /// Nơi: home, hall, market, centre, phone · the place
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Tiếng: kinh, tay, dao, ... · the language
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Sóng: none, g2, g4, wifi · the signal
    #[arg(long, value_name = "SIGNAL")]
    signal: Option<String>,
    /// Ai cùng đi, nhiều lần được; bỏ trống = tôi · who was there; none = me
    #[arg(long, value_name = "MEMBER")]
    with: Vec<String>,
    /// Kế hoạch; bỏ trống = kế hoạch đang chạy nếu chỉ có một · the plan; none = the only current one
    #[arg(long, value_name = "PLAN", conflicts_with = "no_plan")]
    plan: Option<String>,
    /// Không theo kế hoạch · without a plan
    #[arg(long)]
    no_plan: bool,
    /// Minh chứng của mọi việc: shown, told, paper · the evidence of all services
    #[arg(long, value_name = "EVIDENCE")]
    evidence: Option<String>,
    /// Ghi chú; không ghi tên, số điện thoại, số giấy tờ · a note without names or numbers
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Hẹn lại, nhiều lần được: NGÀY[:VIỆC] · a return: DATE[:SERVICE]
    #[arg(long, value_name = "DATE[:SERVICE]")]
    follow_up: Vec<String>,
    /// Hẹn mà lần này đã làm xong · an appointment that this visit was
    #[arg(long, value_name = "ID")]
    done: Vec<String>,
    /// Ghi bản nháp đã giữ · logs a draft that was kept
    #[arg(long, value_name = "DRAFT", conflicts_with_all = ["household", "no_household", "service", "run"])]
    draft: Option<String>,
    /// Chỉ kiểm tra, không ghi · only checks, writes nothing
    #[arg(long)]
    check: bool,
}

pub(in super::super) fn run(book: &Book, log: &Log) -> Outcome {
    if let Some(draft) = &log.draft {
        return save(book, form::of_draft(book, draft)?);
    }
    let mut visit = by_flags(book, log)?;
    if visit.services.is_empty() {
        if !can_ask() {
            return Err(Failure::usage("input.no_service", "--service"));
        }
        form::fill(book, &mut visit, log.household.is_none() && !log.no_household, !log.no_plan)?;
    } else if log.household.is_none() && !log.no_household && log.run.is_none() {
        return Err(Failure::usage("input.no_household", "--household, --no-household"));
    }
    if visit.plan.is_none() && !log.no_plan {
        visit.plan = form::usual(book, &visit)?.plan;
    }
    match log.check {
        true => check(book, visit),
        false => save(book, visit),
    }
}

fn check(book: &Book, visit: NewVisit) -> Outcome {
    let problems = book.app.visits().check_visit(visit)?.problems;
    for problem in &problems {
        eprintln!("{}", Failure::input(&problem.field, &problem.code).say());
    }
    match problems.is_empty() {
        true => {
            tell(pick("Ghi được.", "It can be saved."));
            Ok(())
        }
        false => Err(Failure::told(crate::words::Exit::Failed)),
    }
}

/// Saves a visit and tells where it is.
pub(super) fn save(book: &Book, visit: NewVisit) -> Outcome {
    let has_plan = visit.plan.is_some();
    let saved: SavedVisit = book.app.visits().log_visit(visit)?;
    tell(format_args!("{}  {}", pick("Đã lưu trên máy này.", "Saved on this phone."), saved.visit));
    if !saved.follow_ups.is_empty() {
        tell(format_args!("{}: {}", pick("Hẹn lại", "Returns planned"), saved.follow_ups.len()));
    }
    if !has_plan {
        tell(pick(
            "Chưa chọn kế hoạch: ngày này không tính công theo kế hoạch.",
            "No plan chosen: the day will not count under a plan.",
        ));
    }
    if saved.is_clock_unsure {
        tell(pick("Chưa chắc ngày giờ của máy. Xem lại ngày.", "Date and time not certain. Check the day."));
    }
    let until = pick("Thu lại được đến", "Can be taken back until");
    tell(format_args!("{until} {}", moment(saved.can_take_back_until)));
    Ok(())
}

fn by_flags(book: &Book, log: &Log) -> Outcome<NewVisit> {
    let household = log.household.as_deref().map(|typed| book.find_household("--household", typed));
    let household = household.transpose()?;
    let number = |list: &str, field: &str, typed: &Option<String>| {
        typed.as_deref().map(|typed| number_of(list, field, typed)).transpose()
    };
    let evidence = number("evidence", "--evidence", &log.evidence)?;
    let mut services = Vec::new();
    for typed in &log.service {
        services.push(NewService { evidence, ..service(book, household, typed)? });
    }
    let mut household = household;
    if let Some(run) = &log.run {
        let (of_run, from_run) = form::services_of_run(book, run)?;
        household = household.or(of_run);
        services.extend(from_run.into_iter().map(|service| NewService { evidence, ..service }));
    }
    Ok(NewVisit {
        household,
        hamlet: log.hamlet.as_deref().map(|typed| book.find_hamlet("--hamlet", typed)).transpose()?,
        date: log.date.as_deref().map(|typed| day("--date", typed, today())).transpose()?,
        start_minute: log.start.as_deref().map(|typed| minute("--start", typed)).transpose()?,
        end_minute: log.end.as_deref().map(|typed| minute("--end", typed)).transpose()?,
        place: number("place_kinds", "--place", &log.place)?,
        language: number("languages", "--language", &log.language)?,
        signal: number("signals", "--signal", &log.signal)?,
        members: log.with.iter().map(|typed| book.find_member("--with", typed)).collect::<Outcome<_>>()?,
        plan: log.plan.as_deref().map(|typed| book.find_plan("--plan", typed)).transpose()?,
        note: log.note.clone(),
        services,
        follow_ups: log.follow_up.iter().map(|typed| planned(book, typed)).collect::<Outcome<_>>()?,
        done_follow_ups: log
            .done
            .iter()
            .map(|typed| follow_ups::id("--done", typed))
            .collect::<Outcome<_>>()?,
        ..NewVisit::default()
    })
}

/// `SERVICE=OUTCOME[:REASON][@PERSON]`
pub(super) fn service(book: &Book, household: Option<HouseholdId>, typed: &str) -> Outcome<NewService> {
    const FIELD: &str = "--service";
    let wrong = || Failure::usage("input.bad_service", format_args!("{FIELD} {typed}"));
    let (name, rest) = typed.split_once('=').ok_or_else(wrong)?;
    let (rest, person) = match rest.rsplit_once('@') {
        Some((rest, person)) => (rest, Some(person_named(book, household, person)?)),
        None => (rest, None),
    };
    let (outcome, failure) = outcome_and_reason(book, FIELD, rest)?;
    let new = NewService::new(person, &service_named(book, name)?, outcome);
    Ok(NewService { failure, ..new })
}

/// `OUTCOME[:REASON]`
pub(super) fn outcome_and_reason(book: &Book, field: &str, typed: &str) -> Outcome<(u8, Option<u8>)> {
    let (outcome, reason) = match typed.split_once(':') {
        Some((outcome, reason)) => (outcome, Some(failure_number(book, field, reason)?)),
        None => (typed, None),
    };
    Ok((number_of("outcomes", field, outcome)?, reason))
}

/// A person of the household by place, from 1, or by id.
pub(super) fn person_named(book: &Book, household: Option<HouseholdId>, typed: &str) -> Outcome<PersonId> {
    if let Ok(person) = typed.parse() {
        return Ok(person);
    }
    let wrong = || Failure::usage("input.not_found", format_args!("--service @{typed}"));
    let household = household.ok_or_else(wrong)?;
    let persons = book.persons(household)?;
    let at = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| persons.get(at)).map(|(person, _)| *person).ok_or_else(wrong)
}

/// `DATE[:SERVICE]`
fn planned(book: &Book, typed: &str) -> Outcome<NewReturn> {
    let (on, service) = match typed.split_once(':') {
        Some((on, service)) => (on, Some(service_named(book, service)?)),
        None => (typed, None),
    };
    let due_on = day("--follow-up", on, today())?;
    Ok(NewReturn { person: None, service, due_on, assigned_to: None, note: None })
}

/// A minute of the day, from `14:05`.
pub(super) fn minute(field: &str, typed: &str) -> Outcome<u16> {
    let read = || {
        let (hours, minutes) = typed.split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| Failure::usage("input.bad_time", field))
}
