//! `GET /v1/figures`: JSON for whoever may read it, by a request that a device's key signed.
//!
//! Members, deputies and leads read their own team's; officers read places that they hold, summed over teams; trainers
//! read neither. The nonce is the one of sync; a stale one is answered with a fresh one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use langso_domain::id::{RowId, TeamId};
use langso_domain::indicators::{Indicator, Indicators};
use langso_domain::period::Period;
use langso_domain::registry::{Role, ScopeKind};
use langso_domain::units::{UnitCode, Units};
use langso_sync::wire::Problem;

use super::Whose;
use super::answer::{Answer, days, figure};
use crate::admin::contains;
use crate::log::{Device, Grant, Team};
use crate::nonce;
use crate::server::{Hub, Shared};
use crate::signed::{Asking, MAX_TARGET, Stop, prove, refuse};

/// The most indicators in a question about a place, each of which is read from every team.
const MAX_INDICATORS: usize = 16;

pub(crate) async fn figures(State(shared): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let hub = shared.hub.clone();
    let Ok(_permit) = shared.permits.clone().try_acquire_owned() else {
        return refuse(&hub, Stop::Problem(Problem::Busy));
    };
    let asked = tokio::task::spawn_blocking(move || answer(&shared.hub, &uri, &headers)).await;
    match asked {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(stop)) => refuse(&hub, stop),
        Err(_) => refuse(&hub, Stop::Problem(Problem::Busy)),
    }
}

fn answer(hub: &Hub, uri: &Uri, headers: &HeaderMap) -> Result<Answer, Stop> {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > MAX_TARGET {
        return Err(Stop::Problem(Problem::TooLarge));
    }
    let device = prove(hub, &Asking::Get(target), headers)?;
    let asked = Asked::read(uri.query().unwrap_or_default())?;
    let whose = may_read(hub, &device, asked.whose)?;
    let all = hub.indicators()?;
    let chosen = asked.choose(&all, whose)?;
    let is_officer = device.role == Role::Officer;
    let figures = chosen.into_iter().map(|one| figure(hub, &all, one, asked.period, whose, is_officer));
    let now = hub.clock.now();
    let (from, to) = days(asked.period);
    Ok(Answer {
        period: asked.period,
        from,
        to,
        team: if let Whose::Team(team) = whose { Some(team.to_string()) } else { None },
        unit: if let Whose::Place(unit) = whose { Some(unit.to_string()) } else { None },
        figures: figures.collect::<Result<_, _>>()?,
        hub_time_ms: now.0,
        nonce: nonce::to_text(&nonce::give(&hub.keys.secret, device.id, now)),
    })
}

/// Whose figures the device reads: what it asked for, or what is its own.
fn may_read(hub: &Hub, device: &Device, asked: Option<Whose>) -> Result<Whose, Stop> {
    let grants = hub.log.grants(device.id)?;
    match (device.role, asked) {
        (Role::Member | Role::Deputy | Role::Lead, None | Some(Whose::Team(_))) => {
            let team = match asked {
                Some(Whose::Team(team)) => hub.log.team(team)?,
                _ => team_now(hub, device, &grants)?,
            };
            let held = team.filter(|team| grants.iter().any(|grant| grant.scope == team.scope));
            held.map(|team| Whose::Team(team.id)).ok_or(Stop::NotAllowed)
        }
        (Role::Officer, Some(Whose::Place(unit))) => {
            let places: Vec<_> = hub
                .log
                .list_places()?
                .into_iter()
                .filter(|(_, scope)| {
                    grants.iter().any(|grant| grant.scope == *scope && grant.kind == ScopeKind::Place)
                })
                .filter_map(|(place, _)| UnitCode::parse(&place))
                .collect();
            let lies_in = places.iter().any(|place| contains(*place, unit));
            if lies_in { Ok(Whose::Place(unit)) } else { Err(Stop::NotAllowed) }
        }
        (Role::Officer, None) => Err(Stop::Invalid("unit", "missing")),
        _ => Err(Stop::NotAllowed),
    }
}

/// The team that the device is in now: the one in which it enrolled; else the one that took that over; else the first
/// of those that it joined.
fn team_now(hub: &Hub, device: &Device, grants: &[Grant]) -> Result<Option<Team>, Stop> {
    let enrolled = device.team.map(|team| hub.log.team(team)).transpose()?.flatten();
    let mut found: Option<(u8, Team)> = None;
    let mut teams = hub.log.list_teams()?;
    teams.retain(|team| grants.iter().any(|grant| grant.scope == team.scope));
    for team in teams {
        let held = hub.log.held_by(team.id)?;
        let holds = |scope| held.iter().any(|(of, _)| *of == scope);
        // One that was taken over holds nothing any more.
        if !holds(team.scope) {
            continue;
        }
        let nearness = match &enrolled {
            Some(first) if first.id == team.id => 2,
            Some(first) if holds(first.scope) => 1,
            _ => 0,
        };
        if found.as_ref().is_none_or(|(best, _)| nearness > *best) {
            found = Some((nearness, team));
        }
    }
    Ok(found.map(|(_, team)| team))
}

struct Asked {
    period: Period,
    whose: Option<Whose>,
    indicators: Vec<String>,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Stop> {
        let (mut period, mut whose, mut indicators) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // The one sign of a code that some clients escape.
            let value = value.replace("%40", "@");
            match name {
                "period" => {
                    let read = value.parse().map_err(|_| Stop::Invalid("period", "not_a_period"))?;
                    once("period", &mut period, read)?;
                }
                "team" => {
                    let row: RowId = value.parse().map_err(|_| Stop::Invalid("team", "unknown"))?;
                    once("team", &mut whose, Whose::Team(TeamId(row)))?;
                }
                "unit" => {
                    let unit =
                        UnitCode::parse(&value).filter(|unit| Units::packaged().latest(*unit).is_some());
                    let unit = unit.ok_or(Stop::Invalid("unit", "unknown_unit"))?;
                    once("unit", &mut whose, Whose::Place(unit))?;
                }
                "indicator" => indicators.push(value),
                _ => return Err(Stop::Invalid("query", "unknown_parameter")),
            }
        }
        let period = period.ok_or(Stop::Invalid("period", "missing"))?;
        Ok(Self { period, whose, indicators })
    }

    /// What was asked for; of a team everything when nothing is named.
    fn choose<'a>(&self, all: &'a Indicators, whose: Whose) -> Result<Vec<&'a Indicator>, Stop> {
        match (whose, self.indicators.len()) {
            (Whose::Team(_), 0) => return Ok(all.all().iter().collect()),
            (_, 0) => return Err(Stop::Invalid("indicator", "missing")),
            (_, 1..=MAX_INDICATORS) => {}
            _ => return Err(Stop::Invalid("indicator", "too_many")),
        }
        let named = |name: &String| {
            all.get(name).or_else(|| all.newest(name)).ok_or(Stop::Invalid("indicator", "unknown_indicator"))
        };
        self.indicators.iter().map(named).collect()
    }
}

fn once<T>(field: &'static str, slot: &mut Option<T>, value: T) -> Result<(), Stop> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Stop::Invalid(field, "twice")),
    }
}
