//! Correcting a visit, which needs a reason, and taking one back while that needs none.

use langso_device::companion::visits::{CorrectService, CorrectVisit, OfVisit, VisitDetail};

use super::super::book::Book;
use super::super::today;
use super::log::{minute, outcome_and_reason, person_named, service};
use super::read::receipt;
use super::visit_id;
use crate::names::{day, number_of};
use crate::terminal::tell;
use crate::words::{Failure, Outcome, pick};

/// Sửa một lần giúp, ghi vì sao · corrects a visit, with a reason
#[derive(Debug, clap::Args)]
pub(super) struct Correct {
    /// Mã của lần giúp · the visit's id
    #[arg(value_name = "VISIT")]
    visit: String,
    /// Vì sao: typo, household, outcome, other · why
    #[arg(long, value_name = "REASON")]
    reason: String,
    /// Vì sao, bằng lời; phải có khi là other · why, in words; needed for other
    #[arg(long, value_name = "TEXT")]
    reason_text: Option<String>,
    /// Hộ đúng · the right household
    #[arg(long, value_name = "HOUSEHOLD", conflicts_with = "no_household")]
    household: Option<String>,
    /// Không ghi hộ · without a household
    #[arg(long)]
    no_household: bool,
    /// Thôn đúng · the right hamlet
    #[arg(long, value_name = "HAMLET")]
    hamlet: Option<String>,
    /// Ngày đúng · the right day
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Bắt đầu · began at
    #[arg(long, value_name = "HH:MM")]
    start: Option<String>,
    /// Kết thúc · ended at
    #[arg(long, value_name = "HH:MM")]
    end: Option<String>,
    /// Nơi · the place
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Tiếng · the language
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Sóng · the signal
    #[arg(long, value_name = "SIGNAL")]
    signal: Option<String>,
    /// Ai cùng đi, thay cả danh sách · who was there; replaces the list
    #[arg(long, value_name = "MEMBER")]
    with: Vec<String>,
    /// Kế hoạch đúng · the right plan
    #[arg(long, value_name = "PLAN", conflicts_with = "no_plan")]
    plan: Option<String>,
    /// Không theo kế hoạch · without a plan
    #[arg(long)]
    no_plan: bool,
    /// Ghi chú; "" = xóa · the note; "" clears it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Sửa việc thứ N của lần này · corrects the Nth service
    #[arg(long, value_name = "N=OUTCOME[:REASON][@PERSON]")]
    service: Vec<String>,
    /// Việc thứ N không có · the Nth service was not done
    #[arg(long, value_name = "N")]
    remove: Vec<usize>,
    /// Việc bị quên · a service that was forgotten
    #[arg(long, value_name = "SERVICE=OUTCOME[:REASON][@PERSON]")]
    add: Vec<String>,
    /// Gạch bỏ cả lần giúp · strikes the whole visit out
    #[arg(long)]
    strike_out: bool,
}

pub(super) fn correct(book: &Book, args: &Correct) -> Outcome {
    let visit = visit_id("VISIT", &args.visit)?;
    let held = book.app.visits().get_visit(OfVisit { visit })?;
    let number = |list: &str, field: &str, typed: &Option<String>| {
        typed.as_deref().map(|typed| number_of(list, field, typed)).transpose()
    };
    let household = args.household.as_deref().map(|typed| book.find_household("--household", typed));
    let household = household.transpose()?;
    let of_persons = household.or(held.household);
    let services = args.service.iter().map(|typed| corrected(book, &held, typed));
    let mut services = services.collect::<Outcome<Vec<_>>>()?;
    for place in &args.remove {
        services.push(CorrectService { is_struck_out: true, ..of_row(&held, "--remove", *place)? });
    }
    let with = args.with.iter().map(|typed| book.find_member("--with", typed));
    let with = with.collect::<Outcome<Vec<_>>>()?;
    let correct = CorrectVisit {
        visit,
        reason: number_of("correction_reasons", "--reason", &args.reason)?,
        reason_text: args.reason_text.clone(),
        household: if args.no_household { Some(None.into()) } else { household.map(set) },
        hamlet: args.hamlet.as_deref().map(|it| book.find_hamlet("--hamlet", it)).transpose()?.map(set),
        unit: None,
        date: args.date.as_deref().map(|typed| day("--date", typed, today())).transpose()?,
        start_minute: args.start.as_deref().map(|it| minute("--start", it)).transpose()?.map(set),
        end_minute: args.end.as_deref().map(|it| minute("--end", it)).transpose()?.map(set),
        place: number("place_kinds", "--place", &args.place)?.map(set),
        language: number("languages", "--language", &args.language)?.map(set),
        signal: number("signals", "--signal", &args.signal)?.map(set),
        members: Some(with).filter(|with| !with.is_empty()),
        plan: match (&args.plan, args.no_plan) {
            (_, true) => Some(None.into()),
            (Some(typed), false) => Some(set(book.find_plan("--plan", typed)?)),
            (None, false) => None,
        },
        note: args.note.clone().map(|note| Some(note).filter(|note| !note.is_empty()).into()),
        services,
        add: args.add.iter().map(|typed| service(book, of_persons, typed)).collect::<Outcome<_>>()?,
        is_struck_out: args.strike_out,
        token: None,
    };
    let done = book.app.visits().correct_visit(correct)?;
    tell(format_args!("{} {}", pick("Đã sửa.", "Corrected."), receipt(done.receipt)));
    Ok(())
}

/// A field that is named, and not to clear it.
fn set<T, E: From<Option<T>>>(value: T) -> E {
    Some(value).into()
}

/// The Nth service of the visit, not yet changed.
fn of_row(held: &VisitDetail, field: &str, place: usize) -> Outcome<CorrectService> {
    let row = place.checked_sub(1).and_then(|at| held.services.get(at));
    let row = row.ok_or_else(|| Failure::usage("input.not_found", format_args!("{field} {place}")))?.row;
    Ok(CorrectService {
        row,
        person: None,
        service: None,
        outcome: None,
        failure: None,
        evidence: None,
        is_struck_out: false,
    })
}

/// `N=OUTCOME[:REASON][@PERSON]`
fn corrected(book: &Book, held: &VisitDetail, typed: &str) -> Outcome<CorrectService> {
    const FIELD: &str = "--service";
    let wrong = || Failure::usage("input.bad_service", format_args!("{FIELD} {typed}"));
    let (place, rest) = typed.split_once('=').ok_or_else(wrong)?;
    let (rest, person) = match rest.rsplit_once('@') {
        Some((rest, person)) => (rest, Some(person_named(book, held.household, person)?)),
        None => (rest, None),
    };
    let mut correct = of_row(held, FIELD, place.trim().parse().map_err(|_| wrong())?)?;
    let (outcome, failure) = outcome_and_reason(book, FIELD, rest)?;
    correct.outcome = Some(outcome);
    correct.failure = failure.map(set);
    correct.person = person.map(set);
    Ok(correct)
}

pub(super) fn take_back(book: &Book, typed: &str) -> Outcome {
    book.app.visits().take_back_visit(OfVisit { visit: visit_id("VISIT", typed)? })?;
    tell(pick("Đã thu lại. Lần giúp này không tính nữa.", "Taken back. It no longer counts."));
    Ok(())
}
