//! Teams change. Each verb says what it will do with `--dry-run` and then does nothing; without it, it does all of it
//! or nothing. No row of the past is touched by any of them.

use langso_domain::id::{HamletId, HouseholdId};
use langso_domain::registry::Role;
use langso_hub::admin::{NewTeam, Part};
use langso_hub::server::Hub;

use super::refused;
use super::roster::{day, day_or_today, member_named, team_kind, team_named, unit_on};
use crate::names;
use crate::terminal::{clean, tell};
use crate::words::{Failure, Outcome, pick};

/// What changes.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = AFTER)]
pub(super) enum Turnover {
    /// Thành viên thôi: máy thôi nhận phần sổ của tổ, phần chưa gửi vẫn gửi được và chờ nhận · a member leaves
    Leave {
        /// Tổ · the team by name or id
        #[arg(long, value_name = "TEAM")]
        team: String,
        /// Thành viên · the member by name or id
        #[arg(long, value_name = "MEMBER")]
        member: String,
        /// Ngày cuối, không sau hôm nay; bỏ trống = hôm nay · the last day, not after today; none = today
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Thành viên của một tổ vào thêm tổ nữa · a member of one team is in a second one too
    Join {
        /// Tổ đang ở · the team the member is in
        #[arg(long, value_name = "TEAM")]
        team: String,
        /// Thành viên · the member by name or id
        #[arg(long, value_name = "MEMBER")]
        member: String,
        /// Tổ vào thêm · the second team
        #[arg(long, value_name = "TEAM")]
        second: String,
        /// Vai trò ở tổ vào thêm · the role there
        #[arg(long, value_name = "ROLE", default_value = "member")]
        role: String,
        /// Từ ngày; bỏ trống = hôm nay · since when; none = today
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Gộp các tổ thành một tổ mới, giữ sổ của tất cả · teams become a new one that holds the books of all
    Merge {
        /// Các tổ · the teams, two or more
        #[arg(value_name = "TEAM", required = true, num_args = 2..)]
        teams: Vec<String>,
        /// Tên tổ mới trong quyết định · the new team's name as in the decision
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Xã của tổ mới: mã hoặc tên · its commune
        #[arg(long, value_name = "UNIT")]
        unit: String,
        /// Ngày thành lập · the day it is founded
        #[arg(long, value_name = "DATE")]
        founded: String,
        #[command(flatten)]
        how: How,
    },
    /// Tách một phần của tổ thành tổ mới; sổ cũ ở lại nguyên vẹn · a part of a team becomes a new team
    Split {
        /// Tổ bị tách · the team that splits
        #[arg(value_name = "TEAM")]
        team: String,
        /// Tên tổ mới trong quyết định · the new team's name as in the decision
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Loại tổ mới: như team add · its kind, as for team add
        #[arg(long, value_name = "KIND", default_value = "hamlet")]
        kind: String,
        /// Xã của tổ mới: mã hoặc tên · its commune
        #[arg(long, value_name = "UNIT")]
        unit: String,
        /// Ngày thành lập, không sau hôm nay · the day it is founded, not after today
        #[arg(long, value_name = "DATE")]
        founded: String,
        /// Ai sang tổ mới, nhiều lần được, vai trò như cũ · who goes, in the role they have
        #[arg(long, value_name = "MEMBER", required = true)]
        member: Vec<String>,
        /// Ai trong số đó làm tổ trưởng tổ mới · who of them leads the new team
        #[arg(long, value_name = "MEMBER")]
        lead: Option<String>,
        /// Thôn sang tổ mới cùng mọi hộ ở đó, nhiều lần được · a hamlet that goes, with all its households
        #[arg(long, value_name = "HAMLET")]
        hamlet: Vec<String>,
        /// Mã của hộ sang tổ mới, nhiều lần được · the id of a household that goes
        #[arg(long, value_name = "HOUSEHOLD")]
        household: Vec<String>,
        #[command(flatten)]
        how: How,
    },
    /// Hộ chuyển sang nơi tổ khác làm: chép sang, dòng cũ ở lại làm lịch sử · a household moves to another team
    Household {
        /// Tổ cũ · the team it was with
        #[arg(long, value_name = "TEAM")]
        from: String,
        /// Mã của hộ · the household's id
        #[arg(value_name = "HOUSEHOLD")]
        household: String,
        /// Tổ mới · the team it goes to
        #[arg(long, value_name = "TEAM")]
        to: String,
        /// Mã của thôn ở tổ mới · the id of its hamlet there
        #[arg(long, value_name = "HAMLET")]
        hamlet: String,
        #[command(flatten)]
        how: How,
    },
}

/// Whether it is done, and how it is told.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Chỉ nói sẽ làm gì · says what would be done and does nothing
    #[arg(long)]
    dry_run: bool,
    /// In ra một dòng JSON · prints one line of JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Ví dụ · examples:
  langso admin --at hub turnover leave --team \"Ngàn Chi\" --member Múi
  langso admin --at hub turnover join --team \"Ngàn Chi\" --member Múi --second \"Sú Cáu\"
  langso admin --at hub turnover merge \"Ngàn Chi\" \"Sú Cáu\" --name \"Tổ Ngàn Chi\" --unit 06838 --founded 2026-07-01
  langso admin --at hub turnover split \"Ngàn Chi\" --name \"Tổ thôn Sú Cáu\" --unit 06838 --founded 2026-07-01 \\
      --member Múi --member Nồng --lead Múi --hamlet \"Thôn Sú Cáu\"
  langso admin --at hub turnover household 2b4f... --from \"Ngàn Chi\" --to \"Sú Cáu\" --hamlet 9c1d...

Tách xong, chạy lại lệnh tách thì báo tổ đã có và không làm gì.
After a split, the same command again says that the team is there and does nothing.";

/// Tells what is going to be, and whether to go on.
fn goes_on(how: &How, vi: &str, en: &str) -> bool {
    if how.dry_run {
        tell(match how.json {
            true => serde_json::json!({"dry_run": true, "would": clean(en)}).to_string(),
            false => format!("{} {}", pick("Sẽ làm:", "Would do:"), clean(pick(vi, en))),
        });
    }
    !how.dry_run
}

fn done(how: &How, id: Option<String>) {
    tell(match (how.json, id) {
        (true, id) => serde_json::json!({"done": true, "id": id}).to_string(),
        (false, Some(id)) => format!("{}  {id}", pick("Đã làm.", "Done.")),
        (false, None) => pick("Đã làm.", "Done.").to_owned(),
    });
}

pub(super) fn run(hub: &Hub, verb: &Turnover) -> Outcome {
    match verb {
        Turnover::Leave { team, member, on, how } => {
            let of = team_named(hub, team)?;
            let who = member_named(hub, of, member)?;
            let on = match on {
                Some(typed) => day(hub, "--on", typed)?,
                None => day_or_today(hub, None)?,
            };
            let vi = format!("{member} thôi từ {}; máy thôi nhận phần sổ của tổ", on.vi());
            let en = format!("{member} leaves on {on}; the phone no longer gets the team's book");
            if goes_on(how, &vi, &en) {
                hub.end_membership(of, who, on).map_err(refused)?;
                done(how, None);
            }
        }
        Turnover::Join { team, member, second, role, from, how } => {
            let of = team_named(hub, team)?;
            let who = member_named(hub, of, member)?;
            let to = team_named(hub, second)?;
            let number = names::number_of("roles", "--role", role)?;
            let role = Role::from_number(number.into());
            let role = role.ok_or_else(|| Failure::usage("input.unknown_choice", "--role"))?;
            let from = day_or_today(hub, from.as_deref())?;
            let vi = format!("{member} vào thêm {second} từ {}", from.vi());
            let en = format!("{member} is in {second} too, from {from}");
            if goes_on(how, &vi, &en) {
                let row = hub.join_second_team((of, who), to, role, from).map_err(refused)?;
                done(how, Some(row.to_string()));
            }
        }
        Turnover::Merge { teams, name, unit, founded, how } => {
            let old = teams.iter().map(|typed| team_named(hub, typed)).collect::<Outcome<Vec<_>>>()?;
            let founded_on = day(hub, "--founded", founded)?;
            let unit = unit_on("--unit", unit, founded_on)?;
            let kind = "merged".to_owned();
            let new = NewTeam { name: name.clone(), kind, unit, founded_on, hamlets: vec![] };
            let vi = format!("{name} giữ sổ của {}; các số đã có không đổi", teams.join(", "));
            let en = format!("{name} holds the books of {}; no figure of the past changes", teams.join(", "));
            if goes_on(how, &vi, &en) {
                let made = hub.merge_teams(&new, &old).map_err(refused)?;
                done(how, Some(made.id.to_string()));
            }
        }
        Turnover::Split { team, name, kind, unit, founded, member, lead, hamlet, household, how } => {
            let old = team_named(hub, team)?;
            let founded_on = day(hub, "--founded", founded)?;
            let unit = unit_on("--unit", unit, founded_on)?;
            let kind = team_kind("--kind", kind)?;
            let new = NewTeam { name: name.clone(), kind, unit, founded_on, hamlets: vec![] };
            let known = hub.list_hamlets(old).map_err(refused)?;
            let known = known.iter().map(|(id, name)| (*id, name.as_str()));
            let hamlets = hamlet.iter().map(|typed| names::find("--hamlet", typed, known.clone()));
            let households = household.iter().map(|typed| {
                typed.parse().map(HouseholdId).map_err(|_| Failure::usage("input.not_found", "--household"))
            });
            let part = Part {
                members: member.iter().map(|typed| member_named(hub, old, typed)).collect::<Outcome<_>>()?,
                lead: lead.as_ref().map(|typed| member_named(hub, old, typed)).transpose()?,
                hamlets: hamlets.collect::<Outcome<_>>()?,
                households: households.collect::<Outcome<_>>()?,
            };
            let who = member.join(", ");
            let vi =
                format!("{who} thôi ở {team}, sang {name}; hộ được chép sang, các lần giúp ở lại {team}");
            let en = format!("{who} leave {team} for {name}; households are copied, visits stay with {team}");
            if goes_on(how, &vi, &en) {
                let made = hub.split_team(old, &new, &part).map_err(refused)?;
                done(how, Some(made.team.id.to_string()));
            }
        }
        Turnover::Household { from, household, to, hamlet, how } => {
            let (old, new) = (team_named(hub, from)?, team_named(hub, to)?);
            let wrong = |at| move |_| Failure::usage("input.not_found", at);
            let row = HouseholdId(household.parse().map_err(wrong("HOUSEHOLD"))?);
            let hamlet = HamletId(hamlet.parse().map_err(wrong("--hamlet"))?);
            let vi = format!("hộ được chép từ {from} sang {to}; các lần giúp ở lại {from}");
            let en = format!("the household is copied from {from} to {to}; visits stay with {from}");
            if goes_on(how, &vi, &en) {
                let moved = hub.move_household(old, row, new, hamlet).map_err(refused)?;
                done(how, Some(moved.household.to_string()));
            }
        }
    }
    Ok(())
}
