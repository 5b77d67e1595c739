//! `langso phone team`: the team, its people and plans, person-days, my month, the card shown to citizens.

use langso_device::companion::me::FindMonth;
use langso_device::companion::team::{FindPersonDays, FindPlans, PersonDay, PlanDays, WorkItem};
use langso_device::companion::{Day, Nothing};
use langso_domain::period::Period;

use super::book::Book;
use crate::names::{line, some_day, some_word, unit, unit_today, word};
use crate::terminal::{Grid, moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Tổ, thành viên, kế hoạch, ngày công · the team, its members, plans and person-days
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Thành viên và máy của họ · members and their phones
    Members,
    /// Các thôn của tổ · the team's hamlets
    Hamlets,
    /// Kế hoạch của xã, tỉnh · campaigns of the place
    Plans,
    /// Ngày công theo tháng, cho tổ trưởng · person-days of a month, for the lead
    Days {
        /// Tháng, ví dụ 2024-M03 hoặc 2024-M03c15 · a month, such as 2024-M03
        #[arg(value_name = "MONTH")]
        month: String,
        /// Chỉ của thành viên này · of this member alone
        #[arg(long, value_name = "NAME|ID")]
        member: Option<String>,
    },
    /// Việc tổ trưởng cần xem · what the lead should look at
    Queue,
}

pub(super) fn run(book: &Book, args: &Args) -> Outcome {
    match &args.verb {
        None => about(book),
        Some(Verb::Members) => members(book),
        Some(Verb::Hamlets) => hamlets(book),
        Some(Verb::Plans) => plans(book),
        Some(Verb::Days { month, member }) => days(book, month, member.as_deref()),
        Some(Verb::Queue) => queue(book),
    }
}

fn about(book: &Book) -> Outcome {
    let team = book.app.team().get_team(Nothing {})?;
    if team.name.is_empty() {
        tell(pick("Chưa nhận sổ của tổ; gửi nhận trước.", "The team's book has not come yet; sync first."));
        return Ok(());
    }
    line("Tổ", "Team", &team.name);
    line("Loại tổ", "Kind", some_word("team_kinds", team.kind));
    line("Xã", "Commune", unit_today(team.unit));
    line("Thành lập", "Founded", some_day(team.founded_on));
    line("Thành viên", "Members", team.members);
    line("Chủ máy", "This phone's owner", book.member(team.me));
    line("Vai trò", "Role", word("roles", team.role));
    let hamlets: Vec<_> = team.hamlets.iter().map(|hamlet| book.hamlet(*hamlet)).collect();
    line("Thôn", "Hamlets", hamlets.join(", "));
    Ok(())
}

fn members(book: &Book) -> Outcome {
    let list = book.app.team().list_members(Nothing {})?;
    if list.members.is_empty() {
        tell(pick("Chưa có thành viên nào trên máy này.", "No members on this phone yet."));
    }
    let mut grid = Grid::new(&[4]);
    for member in &list.members {
        let until = match (member.is_me, member.is_current) {
            (true, _) => pick("máy này", "this phone").to_owned(),
            (_, true) => String::new(),
            (_, false) => format!("{} {}", pick("đến", "until"), some_day(member.to)),
        };
        let live = member.devices.iter().filter(|device| device.revoked_on.is_none()).count();
        grid.row([
            member.name.clone(),
            some_word("roles", member.role),
            some_day(member.from),
            until,
            format!("{live} {}", pick("máy", "phones")),
            member.last_work_at.map_or_else(|| "-".to_owned(), moment),
            member.member.to_string(),
        ]);
    }
    grid.tell();
    Ok(())
}

fn hamlets(book: &Book) -> Outcome {
    if book.hamlets().is_empty() {
        tell(pick("Tổ chưa có thôn nào.", "The team has no hamlets yet."));
    }
    let mut grid = Grid::new(&[2]);
    for hamlet in book.hamlets() {
        let total = hamlet.household_total.map_or_else(|| "-".to_owned(), |total| total.to_string());
        let words = pick("hộ", "households");
        grid.row([
            hamlet.name.clone(),
            unit_today(hamlet.unit),
            format!("{total} {words}"),
            some_word("languages", hamlet.language),
            some_word("signals", hamlet.signal),
            hamlet.hamlet.to_string(),
        ]);
    }
    grid.tell();
    Ok(())
}

fn plans(book: &Book) -> Outcome {
    let list = book.app.team().list_plans(FindPlans::default())?;
    if list.plans.is_empty() {
        tell(pick("Chưa có kế hoạch nào.", "No plans yet."));
    }
    let mut grid = Grid::default();
    for plan in &list.plans {
        let now = if plan.is_current { pick("đang chạy", "current") } else { "" };
        let days = format!("{}–{}", some_day(plan.from), some_day(plan.to));
        grid.row([plan.name.clone(), unit(plan.unit), days, now.to_owned(), plan.plan.to_string()]);
    }
    grid.tell();
    Ok(())
}

fn days(book: &Book, month: &str, member: Option<&str>) -> Outcome {
    let period: Period = month.parse().map_err(|_| Failure::usage("input.not_a_month", "MONTH"))?;
    let member = member.map(|typed| book.find_member("--member", typed)).transpose()?;
    let find = FindPersonDays { from: Day(period.from()), to: Day(period.to()), member };
    let found = book.app.team().list_person_days(find)?;
    say_days(book, &found.days, &found.by_plan);
    Ok(())
}

fn say_days(book: &Book, days: &[PersonDay], by_plan: &[PlanDays]) {
    if days.is_empty() {
        tell(pick("Không có ngày công nào.", "No person-days."));
        return;
    }
    let mut grid = Grid::new(&[3]);
    for day in days {
        let double = if day.is_double { pick("trùng ngày", "double day") } else { "" };
        let pieces = format!("{} {}", day.pieces, pick("việc", "pieces"));
        grid.row([book.member(day.member), day.date.0.vi(), book.plan(day.plan), pieces, double.to_owned()]);
    }
    grid.tell();
    for plan in by_plan {
        tell(format_args!("{}: {} {}", book.plan(plan.plan), plan.days, pick("ngày công", "person-days")));
    }
}

fn queue(book: &Book) -> Outcome {
    let queue = book.app.team().list_work_queue(Nothing {})?;
    if queue.items.is_empty() {
        tell(pick("Không có gì phải xem.", "Nothing to look at."));
    }
    for item in &queue.items {
        match item {
            WorkItem::Conflicts { count } => {
                tell(format_args!("{}: {count}", pick("Hai bản khác nhau", "Two versions")));
            }
            WorkItem::SetAside { count } => {
                tell(format_args!("{}: {count}", pick("Chờ nhận vào sổ", "Waiting to be accepted")));
            }
            WorkItem::Silent { member, days } => {
                let days = days.map_or_else(
                    || pick("chưa gửi lần nào", "nothing sent yet").to_owned(),
                    |days| format!("{days} {}", pick("ngày chưa gửi", "days without sending")),
                );
                tell(format_args!("{}: {days}", book.member(*member)));
            }
        }
    }
    Ok(())
}

/// Việc tôi đã làm trong tháng · what I did in a month
#[derive(Debug, clap::Args)]
pub struct MonthArgs {
    /// Tháng, ví dụ 2024-M03; bỏ trống = tháng này · a month, such as 2024-M03; none = this month
    #[arg(value_name = "MONTH")]
    month: Option<String>,
}

pub(super) fn month(book: &Book, args: &MonthArgs) -> Outcome {
    let month = book.app.me().get_month(FindMonth { month: args.month.clone() })?;
    line("Tháng", "Month", format_args!("{} ({}–{})", month.month, month.from.0.vi(), month.to.0.vi()));
    let mut grid = Grid::new(&[1]);
    for (vi, en, count) in [
        ("Ngày công", "Person-days", month.days.len() as u32),
        ("Lần giúp", "Visits", month.visits),
        ("Lượt", "Turns", month.turns),
        ("Hộ", "Households", month.households),
        ("Bài đã làm", "Checklist runs", month.runs),
        ("Bài được duyệt", "Approved", month.runs_approved),
        ("Bài bị trả lại", "Sent back", month.runs_sent_back),
        ("Lần giúp chưa tới máy chủ", "Visits not yet at the hub", month.unarrived),
    ] {
        grid.row([pick(vi, en).to_owned(), count.to_string()]);
    }
    grid.tell();
    if !month.days.is_empty() {
        say_days(book, &month.days, &month.by_plan);
    }
    Ok(())
}

pub(super) fn card(book: &Book) -> Outcome {
    let card = book.app.identity().get_card(Nothing {})?;
    line("Họ tên", "Name", &card.name);
    line("Vai trò", "Role", word("roles", card.role));
    line("Tổ", "Team", &card.team);
    line("Xã", "Commune", [card.commune.as_str(), &card.province].join(", ").trim_matches([',', ' ']));
    line("Có giá trị đến", "Valid to", card.valid_to.map_or_else(String::new, |day| day.0.vi()));
    line("Máy chủ xác nhận", "Confirmed", card.confirmed_at.map_or_else(String::new, moment));
    for (is, vi, en) in [
        (card.is_ended, "Không còn là thành viên của tổ.", "No longer a member of the team."),
        (card.is_provisional, "Máy chủ chưa xác nhận thẻ này.", "The hub has not confirmed this card yet."),
        (
            card.is_stale && !card.is_provisional,
            "Lâu rồi máy chủ chưa xác nhận.",
            "Not confirmed for a while.",
        ),
    ] {
        if is {
            tell(pick(vi, en));
        }
    }
    tell(pick(
        "Tổ không bao giờ hỏi mã OTP, mật khẩu, số căn cước, không thu tiền.",
        "The team never asks for an OTP, a password or an ID number, and takes no money.",
    ));
    Ok(())
}
