//! What a hub holds: places, teams, members, devices, codes, what waits; admitting and revoking.

use std::collections::HashMap;

use langso_domain::id::{DeviceId, MemberId};
use langso_domain::units::UnitCode;
use langso_hub::server::Hub;
use langso_hub::waiting::Verdict;

use super::refused;
use super::roster::team_named;
use crate::figures::number;
use crate::names::{unit, word};
use crate::terminal::{Grid, moment, tell};
use crate::words::{Failure, Outcome, pick};

/// What is listed.
#[derive(Debug, clap::Subcommand)]
pub(super) enum List {
    /// Nơi · places
    Places,
    /// Tổ · teams
    Teams,
    /// Thành viên của một tổ hoặc tất cả · members of a team or of all
    Members(OfTeam),
    /// Máy · devices
    Devices,
    /// Mã mời của một tổ hoặc tất cả; chính mã thì không ai xem lại được · codes; their secrets are not kept
    Codes(OfTeam),
    /// Số liệu người khác công bố, cả bản cũ · figures that others published, older versions too
    Stock,
    /// Phần chờ được nhận vào sổ · what waits to be admitted
    SetAside,
    /// Dòng hỏng tìm thấy trên máy hay ở đây, đã dựng lại: phạm vi, máy, số lần, lần cuối · damaged rows found, and rebuilt
    Damages,
    /// Phần bị từ chối: loại, số lần, lần cuối · what was refused: why, how often, when last
    Refusals,
}

/// Of one team, or of all.
#[derive(Debug, clap::Args)]
pub(super) struct OfTeam {
    /// Tổ: tên, một phần tên hoặc mã · the team by name or id
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
}

/// What is admitted.
#[derive(Debug, clap::Args)]
pub(super) struct Admit {
    /// Phạm vi và số trong danh sách chờ, ví dụ ehjp2v8000002/3 · scope and number as listed
    #[arg(value_name = "SCOPE/N")]
    waiting: String,
    /// Nhận và gạch bỏ: còn thấy, không tính · admit and strike out: seen, not counted
    #[arg(long)]
    void: bool,
}

/// What is said again.
#[derive(Debug, clap::Args)]
pub(super) struct Reenter {
    /// Phạm vi và số trong danh sách chờ · scope and number as listed
    #[arg(value_name = "SCOPE/N")]
    waiting: String,
}

/// What is revoked.
#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    /// Mã của máy · the device's id
    #[arg(value_name = "DEVICE")]
    device: String,
}

/// Rows, or a word that there are none.
fn tell_grid(grid: &Grid) {
    match grid.is_empty() {
        true => tell(pick("Chưa có gì.", "None yet.")),
        false => grid.tell(),
    }
}

pub(super) fn list(hub: &Hub, verb: &List) -> Outcome {
    match verb {
        List::Places => {
            let mut grid = Grid::default();
            for place in hub.list_places().map_err(refused)? {
                grid.row([unit(Some(place.unit)), place.unit.to_string(), place.scope.to_string()]);
            }
            tell_grid(&grid);
        }
        List::Teams => {
            let mut grid = Grid::default();
            for team in hub.list_teams().map_err(refused)? {
                let place = UnitCode::parse(&team.unit);
                grid.row([team.name, unit(place), team.unit, team.id.to_string(), team.scope.to_string()]);
            }
            tell_grid(&grid);
        }
        List::Members(of) => members(hub, of)?,
        List::Devices => devices(hub)?,
        List::Codes(of) => codes(hub, of)?,
        List::Stock => stock(hub)?,
        List::SetAside => set_aside(hub)?,
        List::Damages => {
            let mut grid = Grid::default();
            for damage in hub.list_damages().map_err(|error| refused(error.into()))? {
                let here = (damage.device == hub.keys.id()).then(|| pick("ở đây", "here").to_owned());
                let device = here.unwrap_or_else(|| damage.device.to_string());
                grid.row([
                    damage.scope.to_string(),
                    device,
                    damage.count.to_string(),
                    moment(damage.last_at.0),
                ]);
            }
            tell_grid(&grid);
        }
        List::Refusals => {
            let mut grid = Grid::default();
            for (code, count, last) in hub.log.list_refusals().map_err(|error| refused(error.into()))? {
                grid.row([code, count.to_string(), moment(last.0)]);
            }
            tell_grid(&grid);
        }
    }
    Ok(())
}

fn chosen(hub: &Hub, of: &OfTeam) -> Outcome<Vec<langso_hub::log::Team>> {
    let teams = hub.list_teams().map_err(refused)?;
    let Some(typed) = &of.team else { return Ok(teams) };
    let team = team_named(hub, typed)?;
    Ok(teams.into_iter().filter(|known| known.id == team).collect())
}

fn members(hub: &Hub, of: &OfTeam) -> Outcome {
    let mut grid = Grid::default();
    for team in chosen(hub, of)? {
        for member in hub.list_members(team.id).map_err(refused)? {
            let day =
                |day: Option<langso_domain::date::CivilDate>| day.map_or_else(String::new, |day| day.vi());
            let role = member.role.map_or_else(String::new, |role| word("roles", role as u8));
            let days = format!("{}–{}", day(member.from), day(member.to));
            grid.row([member.name, role, days, team.name.clone(), member.id.to_string()]);
        }
    }
    tell_grid(&grid);
    Ok(())
}

/// Names of all members, read once.
fn names(hub: &Hub) -> Outcome<HashMap<MemberId, String>> {
    let mut names = HashMap::new();
    for team in hub.list_teams().map_err(refused)? {
        let members = hub.list_members(team.id).map_err(refused)?;
        names.extend(members.into_iter().map(|member| (member.id, member.name)));
    }
    Ok(names)
}

fn devices(hub: &Hub) -> Outcome {
    let names = names(hub)?;
    let teams: HashMap<_, _> =
        hub.list_teams().map_err(refused)?.into_iter().map(|team| (team.id, team.name)).collect();
    let mut grid = Grid::default();
    for device in hub.list_devices().map_err(refused)? {
        let member = device.member.and_then(|member| names.get(&member).cloned());
        let team = device.team.and_then(|team| teams.get(&team).cloned());
        let revoked = device.revoked_at.map(|at| format!("{} {}", pick("báo mất", "revoked"), moment(at.0)));
        grid.row([
            device.id.to_string(),
            member.unwrap_or_default(),
            word("roles", device.role as u8),
            team.unwrap_or_default(),
            moment(device.enrolled_at.0),
            revoked.unwrap_or_default(),
        ]);
    }
    tell_grid(&grid);
    Ok(())
}

fn codes(hub: &Hub, of: &OfTeam) -> Outcome {
    let names = names(hub)?;
    let now = hub.clock.now();
    let mut grid = Grid::default();
    for team in chosen(hub, of)? {
        for code in hub.list_codes(team.id).map_err(refused)? {
            let state = match (code.used, code.tried_again) {
                (_, Some((device, at))) => {
                    format!("{} {device} {}", pick("dùng lần hai:", "used twice:"), moment(at.0))
                }
                (Some((device, at)), None) => {
                    format!("{} {device} {}", pick("đã dùng:", "used by"), moment(at.0))
                }
                (None, None) if code.expires_at < now => pick("hết hạn", "expired").to_owned(),
                (None, None) => {
                    format!("{} {}", pick("còn dùng được đến", "works until"), moment(code.expires_at.0))
                }
            };
            let member = names.get(&code.member).cloned().unwrap_or_else(|| code.member.to_string());
            grid.row([
                member,
                word("roles", code.role as u8),
                team.name.clone(),
                moment(code.made_at.0),
                state,
            ]);
        }
    }
    tell_grid(&grid);
    Ok(())
}

fn stock(hub: &Hub) -> Outcome {
    let mut grid = Grid::default();
    for row in hub.list_stock().map_err(refused)? {
        let of = match (row.numerator, row.denominator) {
            (None, None) => String::new(),
            (above, below) => [above, below]
                .map(|count| count.map_or_else(|| "?".to_owned(), |count| number(count, 1)))
                .join(" / "),
        };
        let version = match row.is_newest {
            true => format!("{} {}", pick("bản", "version"), row.version),
            false => format!("{} {} ({})", pick("bản", "version"), row.version, pick("cũ", "older")),
        };
        grid.row([
            unit(UnitCode::parse(&row.unit)),
            row.unit,
            row.indicator,
            format!("{} {}", row.operator, number(row.thousandths, 1_000)),
            of,
            row.source,
            row.date.vi(),
            version,
        ]);
    }
    tell_grid(&grid);
    Ok(())
}

fn set_aside(hub: &Hub) -> Outcome {
    let names = names(hub)?;
    let teams = hub.list_teams().map_err(refused)?;
    let mut grid = Grid::default();
    for one in hub.list_waiting().map_err(refused)? {
        let name = format!("{}/{}", one.scope, one.name);
        let member = one.member.and_then(|member| names.get(&member).cloned());
        let key = one.key.map_or_else(String::new, |key| key.to_string());
        let team = teams.iter().find(|team| Some(team.id) == one.team);
        grid.row([
            name,
            team.map(|team| team.name.clone()).unwrap_or_default(),
            reason(&one.reason),
            member.unwrap_or_default(),
            one.device.to_string(),
            key,
            moment(one.at.0),
        ]);
    }
    match grid.is_empty() {
        true => tell(pick("Không có gì chờ.", "Nothing waits.")),
        false => grid.tell(),
    }
    Ok(())
}

fn reason(code: &str) -> String {
    let (vi, en) = match code {
        "out_of_scope" | "unknown_scope" => ("Ghi cho tổ khác", "Written for another team"),
        "beyond_role" => ("Quá quyền của người ghi", "Beyond the author's role"),
        "revoked_device" => ("Máy đã bị báo mất", "The phone was reported lost"),
        "unknown_device" => ("Máy chủ không biết máy này", "A device the hub does not know"),
        "writer_elsewhere" => ("Số ghi của máy khác", "A writer of another device"),
        "malformed" => ("Không đọc được", "Cannot be read"),
        "other_bytes" => ("Trùng số ghi, nội dung khác", "Same number, other content"),
        other => return other.to_owned(),
    };
    pick(vi, en).to_owned()
}

pub(super) fn admit(hub: &Hub, verb: &Admit) -> Outcome {
    let verdict = if verb.void { Verdict::AdmitAndVoid } else { Verdict::Admit };
    decide(hub, &verb.waiting, verdict)?;
    tell(match verb.void {
        false => pick("Đã nhận vào sổ.", "Admitted."),
        true => {
            pick("Đã nhận và gạch bỏ: còn thấy, không tính.", "Admitted and struck out: seen, not counted.")
        }
    });
    Ok(())
}

pub(super) fn reenter(hub: &Hub, verb: &Reenter) -> Outcome {
    decide(hub, &verb.waiting, Verdict::Reenter)?;
    tell(pick("Đã ghi lại thành mục mới.", "Entered anew."));
    Ok(())
}

fn decide(hub: &Hub, typed: &str, verdict: Verdict) -> Outcome {
    let wrong = || Failure::usage("input.not_found", "SCOPE/N");
    let (scope, name) = typed.split_once('/').ok_or_else(wrong)?;
    let (scope, name) = (scope.parse().map_err(|_| wrong())?, name.parse().map_err(|()| wrong())?);
    hub.decide(scope, name, verdict, None).map_err(refused)
}

pub(super) fn revoke(hub: &Hub, verb: &Revoke) -> Outcome {
    let device: DeviceId = verb.device.parse().map_err(|_| Failure::usage("cli.unknown_device", "DEVICE"))?;
    hub.revoke_device(device).map_err(refused)?;
    tell(pick(
        "Máy này không gửi, nhận nữa. Phần đã ghi còn nguyên.",
        "The device no longer syncs. What it wrote is kept.",
    ));
    Ok(())
}
