//! Places, teams with their hamlets, members, trainers, invitations, plans.

use langso_domain::date::CivilDate;
use langso_domain::id::{MemberId, TeamId};
use langso_domain::registry::Role;
use langso_domain::units::{UnitCode, Units};
use langso_hub::admin::{NewHamlet, NewMember, NewPlan, NewTeam, NewTrainer};
use langso_hub::server::Hub;

use super::refused;
use crate::names::{self, unit};
use crate::terminal::{moment, tell};
use crate::words::{Failure, Outcome, pick};

/// Places.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Place {
    /// Thêm một nơi; các tổ nằm trong đó được giữ phần sổ của nơi · makes the place of a unit
    Add {
        /// Mã (06838, 193@2024) hoặc tên xã, tỉnh · a commune or province by code or name
        #[arg(value_name = "UNIT")]
        unit: String,
    },
}

/// Teams.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Team {
    /// Thêm một tổ · makes a team
    Add {
        /// Tên trong quyết định · its name as in the decision
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Loại tổ · hamlet, commune, merged, youth, union, agency
        #[arg(long, value_name = "KIND")]
        kind: String,
        /// Xã khi thành lập: mã hoặc tên · its commune when founded, by code or name
        #[arg(long, value_name = "UNIT")]
        unit: String,
        /// Ngày thành lập · the day it was founded
        #[arg(long, value_name = "DATE")]
        founded: String,
        /// Thôn, nhiều lần được: TÊN[:SỐ HỘ[:TIẾNG[:SÓNG]]] · a hamlet: NAME[:HOUSEHOLDS[:LANGUAGE[:SIGNAL]]]
        #[arg(long, value_name = "HAMLET")]
        hamlet: Vec<String>,
    },
    /// Thêm một thôn cho tổ · adds a hamlet
    AddHamlet {
        /// Tổ: tên, một phần tên hoặc mã · the team by name or id
        #[arg(long, value_name = "TEAM")]
        team: String,
        /// TÊN[:SỐ HỘ[:TIẾNG[:SÓNG]]] · NAME[:HOUSEHOLDS[:LANGUAGE[:SIGNAL]]]
        #[arg(value_name = "HAMLET")]
        hamlet: String,
    },
}

/// Members.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Member {
    /// Thêm một thành viên; vai trò thứ hai là một dòng nữa · adds a member; a second role is a second row
    Add {
        /// Tổ: tên, một phần tên hoặc mã · the team by name or id
        #[arg(long, value_name = "TEAM")]
        team: String,
        /// Họ tên · the volunteer's name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Vai trò: member, deputy, lead, officer · the role
        #[arg(long, value_name = "ROLE", default_value = "member")]
        role: String,
        /// Từ ngày; bỏ trống = hôm nay · since when; none = today
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
    },
}

/// Trainers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Trainer {
    /// Thêm một giảng viên, không thấy hộ nào · adds a trainer, who sees no household
    Add {
        /// Họ tên · the trainer's name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Các tổ được hướng dẫn · the teams to train, one or more
        #[arg(long, value_name = "TEAM", required = true)]
        team: Vec<String>,
        /// Từ ngày; bỏ trống = hôm nay · since when; none = today
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
    },
}

/// An invitation.
#[derive(Debug, clap::Args)]
pub(super) struct Code {
    /// Tổ: tên, một phần tên hoặc mã · the team by name or id
    #[arg(long, value_name = "TEAM")]
    team: String,
    /// Thành viên: tên, một phần tên hoặc mã · the member by name or id
    #[arg(long, value_name = "MEMBER")]
    member: String,
    /// Địa chỉ máy chủ cho điện thoại · where phones reach this hub
    #[arg(long, env = "LANGSO_URL", value_name = "URL")]
    url: Option<String>,
    /// Chỉ in mã mời · prints the invitation alone
    #[arg(long)]
    plain: bool,
}

/// Plans.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Plan {
    /// Thêm một kế hoạch · makes a plan
    Add {
        /// Nơi: mã hoặc tên · the place by code or name
        #[arg(long, value_name = "UNIT")]
        place: String,
        /// Tên trong quyết định · its name as in the decision
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Từ ngày · first day
        #[arg(long, value_name = "DATE")]
        from: String,
        /// đến ngày · last day
        #[arg(long, value_name = "DATE")]
        to: String,
    },
}

fn today(hub: &Hub) -> CivilDate {
    CivilDate::at(hub.clock.now().0)
}

pub(super) fn day(hub: &Hub, field: &str, typed: &str) -> Outcome<CivilDate> {
    Ok(names::day(field, typed, today(hub))?.0)
}

pub(super) fn day_or_today(hub: &Hub, typed: Option<&str>) -> Outcome<CivilDate> {
    typed.map_or_else(|| Ok(today(hub)), |typed| day(hub, "--from", typed))
}

/// A team by id, name or a part of its name.
pub(super) fn team_named(hub: &Hub, typed: &str) -> Outcome<TeamId> {
    let teams = hub.list_teams().map_err(refused)?;
    names::find("--team", typed, teams.iter().map(|team| (team.id, team.name.as_str()))).map_err(|failure| {
        match failure.code == "input.not_found" {
            true => Failure::usage("cli.unknown_team", "--team"),
            false => failure,
        }
    })
}

pub(super) fn member_named(hub: &Hub, team: TeamId, typed: &str) -> Outcome<MemberId> {
    let members = hub.list_members(team).map_err(refused)?;
    names::find("--member", typed, members.iter().map(|member| (member.id, member.name.as_str())))
}

/// As the unit was on a day: a bare code means the list of that day.
pub(super) fn unit_on(field: &str, typed: &str, day: CivilDate) -> Outcome<UnitCode> {
    let units = Units::packaged();
    let found = names::place(field, typed)?;
    let is_bare = typed.chars().all(|digit| digit.is_ascii_digit());
    if !is_bare || units.is_valid_on(found, day) {
        return Ok(found);
    }
    let mut of_then = units.predecessors(found).into_iter().map(|(code, _)| code);
    let same = of_then.find(|code| code.digits() == found.digits() && units.is_valid_on(*code, day));
    Ok(same.unwrap_or(found))
}

/// The word of a kind of team.
pub(super) fn team_kind(field: &str, typed: &str) -> Outcome<String> {
    let number = names::number_of("team_kinds", field, typed)?;
    let kinds = names::entries("team_kinds").iter().find(|entry| entry.number == number);
    Ok(kinds.map(|entry| entry.code.clone()).unwrap_or_default())
}

pub(super) fn place(hub: &Hub, verb: &Place) -> Outcome {
    let Place::Add { unit: typed } = verb;
    let place = hub.make_place(names::place("UNIT", typed)?).map_err(refused)?;
    made(&format!("{} {}", unit(Some(place.unit)), place.unit), &place.scope);
    Ok(())
}

/// What was made, and its id for programs.
fn made(what: &str, id: &impl std::fmt::Display) {
    tell(format_args!("{} {}  {id}", pick("Đã thêm", "Added"), crate::terminal::clean(what)));
}

/// `NAME[:HOUSEHOLDS[:LANGUAGE[:SIGNAL]]]`
fn hamlet(field: &str, typed: &str, unit: UnitCode) -> Outcome<NewHamlet> {
    let mut parts = typed.split(':').map(str::trim);
    let name = parts.next().unwrap_or_default().to_owned();
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let total = next().map(str::parse).transpose().map_err(|_| Failure::usage("input.digits", field))?;
    let mut word = |list: &str| -> Outcome<Option<String>> {
        let Some(typed) = next() else { return Ok(None) };
        let number = names::number_of(list, field, typed)?;
        let entry = names::entries(list).iter().find(|entry| entry.number == number);
        Ok(entry.map(|entry| entry.code.clone()))
    };
    Ok(NewHamlet {
        name,
        unit,
        language: word("languages")?,
        signal: word("signals")?,
        household_total: total,
    })
}

pub(super) fn team(hub: &Hub, verb: &Team) -> Outcome {
    match verb {
        Team::Add { name, kind, unit: typed, founded, hamlet: hamlets } => {
            let founded_on = day(hub, "--founded", founded)?;
            let unit = unit_on("--unit", typed, founded_on)?;
            let hamlets = hamlets.iter().map(|typed| hamlet("--hamlet", typed, unit));
            let new = NewTeam {
                name: name.clone(),
                kind: team_kind("--kind", kind)?,
                unit,
                founded_on,
                hamlets: hamlets.collect::<Outcome<_>>()?,
            };
            let team = hub.make_team(&new).map_err(refused)?;
            made(&format!("{}, {} {}", team.name, names::unit(Some(unit)), unit), &team.id);
        }
        Team::AddHamlet { team, hamlet: typed } => {
            let team = team_named(hub, team)?;
            let teams = hub.list_teams().map_err(refused)?;
            let unit =
                teams.iter().find(|known| known.id == team).and_then(|team| UnitCode::parse(&team.unit));
            let unit = unit.ok_or_else(|| Failure::new("input.unknown_unit", "--team"))?;
            let new = hamlet("HAMLET", typed, unit)?;
            let id = hub.add_hamlet(team, &new).map_err(refused)?;
            made(&new.name, &id);
        }
    }
    Ok(())
}

pub(super) fn member(hub: &Hub, verb: &Member) -> Outcome {
    let Member::Add { team, name, role, from } = verb;
    let number = names::number_of("roles", "--role", role)?;
    let role = Role::from_number(number.into());
    let role = role.ok_or_else(|| Failure::usage("input.unknown_choice", "--role"))?;
    let new = NewMember { name: name.clone(), role, from: day_or_today(hub, from.as_deref())? };
    let id = hub.add_member(team_named(hub, team)?, &new).map_err(refused)?;
    made(name, &id);
    Ok(())
}

pub(super) fn trainer(hub: &Hub, verb: &Trainer) -> Outcome {
    let Trainer::Add { name, team, from } = verb;
    let teams = team.iter().map(|typed| team_named(hub, typed)).collect::<Outcome<_>>()?;
    let new = NewTrainer { name: name.clone(), teams, from: day_or_today(hub, from.as_deref())? };
    let id = hub.add_trainer(&new).map_err(refused)?;
    made(name, &id);
    Ok(())
}

pub(super) fn plan(hub: &Hub, verb: &Plan) -> Outcome {
    let Plan::Add { place, name, from, to } = verb;
    let new = NewPlan {
        name: name.clone(),
        unit: names::place("--place", place)?,
        from: day(hub, "--from", from)?,
        to: day(hub, "--to", to)?,
    };
    let id = hub.make_plan(&new).map_err(refused)?;
    made(name, &id);
    Ok(())
}

pub(super) fn code(hub: &Hub, verb: &Code) -> Outcome {
    let url = verb.url.as_deref().ok_or_else(|| Failure::usage("cli.no_url", ""))?;
    let team = team_named(hub, &verb.team)?;
    let member = member_named(hub, team, &verb.member)?;
    let invited = hub.make_code(team, member, url).map_err(refused)?;
    let text = invited.invite.to_string();
    if verb.plain {
        tell(text);
        return Ok(());
    }
    tell(match crate::words::is_english() {
        false => format!("Mã mời dùng một lần, đến {}:", moment(invited.expires_at.0)),
        true => format!("An invitation for one use, until {}:", moment(invited.expires_at.0)),
    });
    tell("");
    tell(format_args!("  {text}"));
    tell("");
    tell(pick("Để gõ tay, từng nhóm bốn chữ:", "To be typed, in groups of four:"));
    for group in text.splitn(5, '-') {
        let letters: Vec<char> = group.chars().collect();
        let is_address = group.contains(':');
        let groups = letters.chunks(4).map(|four| four.iter().collect::<String>());
        let spaced = if is_address { group.to_owned() } else { groups.collect::<Vec<_>>().join(" ") };
        tell(format_args!("  {spaced}"));
    }
    tell(pick(
        "Chỉ đưa tận tay người được mời; ai có mã là vào được tổ.",
        "Hand it to the person invited alone: whoever has it can join.",
    ));
    Ok(())
}
