//! The printed rows: what is asked of the leads' phones and of the hub for each, and the table of the answers beside
//! the ledger's tally.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use langso_device::Companion;
use langso_device::companion::figures::{Asked, FigureRow};
use langso_domain::date::CivilDate;
use langso_domain::id::TeamId;
use langso_domain::indicators::{Compute, Indicator, Indicators, SeedRow, seed_rows};
use langso_domain::period::{CutOff, Period, PeriodKind};
use langso_domain::units::UnitCode;
use langso_hub::figures::Whose;
use langso_hub::server::Hub;
use serde::{Deserialize, Serialize};

use super::DemoError;
use super::report::Row;
use crate::campaign::codes::Role;
use crate::campaign::ledger::{Header, Ledger, MemberNo, Team, TeamNo};
use crate::campaign::stock::{packaged_csv, read_stock};
use crate::campaign::{TallyRow, tally, totals};

/// One figure of one team, or of the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// The printed row, such as `10a`.
    pub row: String,
    /// The team it is of.
    pub team: Option<u8>,
    /// In thousandths; none when there is no value.
    pub thousandths: Option<i64>,
    /// Up to when it counts, ms UTC.
    pub as_of_ms: Option<i64>,
}

/// The province of the campaign, by the list of its time.
pub(super) fn province() -> Result<UnitCode, DemoError> {
    UnitCode::parse("22@2024").ok_or(DemoError::Unexpected("a unit that is none"))
}

/// Where a team's phones are.
pub(super) fn team_folder(data: &Path, team: TeamNo) -> PathBuf {
    data.join(format!("team-{:02}", team.0 + 1))
}

/// A member's folder in a phone of the team.
pub(super) fn phone_folder(team: &Team, member: MemberNo) -> PathBuf {
    let found = &team.members[member.index()];
    let who = match found.role {
        Role::Lead => "lead".to_owned(),
        Role::Deputy => format!("deputy-{}", member.0 + 1),
        Role::Member => format!("member-{}", member.0 + 1),
    };
    Path::new(&format!("phone-{:02}", found.phone.0 + 1)).join(who)
}

/// The command that opens a figure of visits on a phone.
pub(super) fn opening(phone: &Path) -> String {
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| phone.strip_prefix(here).map(Path::to_owned).ok());
    let phone = short.as_deref().unwrap_or(phone).display();
    format!("./dev langso figures --at {phone} open portal_first_logins --period 2024-H1")
}

/// What is asked for a printed row.
struct Asking {
    row: String,
    /// The indicator that counts it, or under which it is imported.
    indicator: Indicator,
    /// What the article names, else the year it stands in.
    period: Period,
    units: Vec<UnitCode>,
}

impl Asking {
    fn of(row: &SeedRow) -> Result<Self, DemoError> {
        let name = row.indicators.first().ok_or(DemoError::Unexpected("a row without an indicator"))?;
        let all = Indicators::packaged();
        let indicator = all.get(name).ok_or(DemoError::Unexpected("an indicator that is not there"))?;
        let kind = match row.from {
            Some(from) if from.ymd().1 == row.to.ymd().1 => PeriodKind::Month,
            Some(_) => PeriodKind::Half,
            None => PeriodKind::Year,
        };
        let period = Period::containing(row.to, kind, CutOff::Calendar);
        Ok(Self {
            row: row.row.clone(),
            indicator: indicator.clone(),
            period: period.ok_or(DemoError::Unexpected("a day without a period"))?,
            units: row.units.iter().filter_map(|unit| UnitCode::parse(unit)).collect(),
        })
    }

    /// Whatever is counted in a team's year: each lead's figures must be the hub's of that team.
    fn of_year() -> Result<Vec<Self>, DemoError> {
        let last = seed_rows().into_iter().map(|row| row.to).max();
        let period = last.and_then(|day| Period::containing(day, PeriodKind::Year, CutOff::Calendar));
        let period = period.ok_or(DemoError::Unexpected("a day without a period"))?;
        let counted = |one: &&Indicator| matches!(one.compute, Compute::Facts(_));
        let asking = |one: &Indicator| Self {
            row: one.reference(),
            indicator: one.clone(),
            period,
            units: Vec::new(),
        };
        Ok(Indicators::packaged().all().iter().filter(counted).map(asking).collect())
    }

    /// Whether it is imported and never counted.
    fn is_stock(&self) -> bool {
        !matches!(self.indicator.compute, Compute::Facts(_))
    }
}

/// The rows as a lead's replica has them, and the team's year.
pub(super) fn of_lead(app: &Companion, team: TeamNo) -> Result<Vec<Figure>, DemoError> {
    let figure =
        |row: String, (thousandths, as_of_ms)| Figure { row, team: Some(team.0), thousandths, as_of_ms };
    let mut figures = Vec::new();
    for row in seed_rows() {
        let asking = Asking::of(&row)?;
        let mut found = (None, None);
        for unit in &asking.units {
            let (value, as_of) = ask_lead(app, &asking, Some(*unit))?;
            // A sum of places; a place without a figure adds nothing.
            found = (found.0.map_or(value, |before: i64| Some(before + value.unwrap_or(0))), as_of);
        }
        figures.push(figure(asking.row, found));
    }
    for asking in Asking::of_year()? {
        let found = ask_lead(app, &asking, None)?;
        figures.push(figure(asking.row, found));
    }
    Ok(figures)
}

/// A figure in thousandths, and of when it is.
fn ask_lead(
    app: &Companion,
    asking: &Asking,
    unit: Option<UnitCode>,
) -> Result<(Option<i64>, Option<i64>), DemoError> {
    let asked = Asked {
        period: Some(asking.period.to_string()),
        unit,
        indicators: vec![asking.indicator.reference()],
        ..Asked::default()
    };
    let page = app.figures().list_figures(asked)?;
    let found = page.activity.iter().chain(&page.coverage).next();
    if !asking.is_stock() {
        return Ok((found.and_then(counted), page.as_of.last_sync_at));
    }
    let unit = unit.map(|unit| unit.to_string());
    let mut published = found.iter().flat_map(|row| &row.published);
    let published = published.find(|one| Some(&one.unit) == unit.as_ref());
    Ok((published.and_then(|one| one.thousandths), published.map(|one| one.date.0.starts_at())))
}

fn counted(row: &FigureRow) -> Option<i64> {
    row.value.map(|value| value * 1_000 / i64::from(row.scale))
}

/// The rows as the hub's cells have them, each team's and the places', and each team's year.
pub(super) fn of_hub(hub: &Hub, header: &Header) -> Result<Vec<Figure>, DemoError> {
    hub.project_all()?;
    let teams = hub.list_teams()?;
    let mut figures = Vec::new();
    for row in seed_rows() {
        let asked = Asking::of(&row)?;
        if asked.is_stock() {
            figures.extend(imported(hub, &asked)?);
            continue;
        }
        let mut parts: BTreeMap<TeamId, Figure> = BTreeMap::new();
        for team in &teams {
            let no = header.teams.iter().find(|one| one.name == team.name).map(|one| one.no.0);
            let none = Figure { row: row.row.clone(), team: no, thousandths: Some(0), as_of_ms: None };
            parts.insert(team.id, none);
        }
        for unit in &asked.units {
            for part in hub.sum(&asked.indicator, asked.period, Whose::Place(*unit))?.parts {
                let Some(figure) = parts.get_mut(&part.team) else { continue };
                figure.thousandths = figure.thousandths.map(|before| before + part.value * 1_000);
                figure.as_of_ms = part.as_of.map(|at| at.0);
            }
        }
        figures.extend(parts.into_values());
    }
    for asking in Asking::of_year()? {
        for team in &teams {
            let sum = hub.sum(&asking.indicator, asking.period, Whose::Team(team.id))?;
            figures.push(Figure {
                row: asking.row.clone(),
                team: header.teams.iter().find(|one| one.name == team.name).map(|one| one.no.0),
                thousandths: sum.value.map(|value| value * 1_000),
                as_of_ms: sum.oldest().map(|at| at.0),
            });
        }
    }
    Ok(figures)
}

/// A figure of others, out of its cell. A share has none, being made of two: then as it was imported.
fn imported(hub: &Hub, asked: &Asking) -> Result<Option<Figure>, DemoError> {
    let Some(unit) = asked.units.first() else { return Ok(None) };
    let published = hub.published(&asked.indicator, asked.period, Whose::Place(*unit))?;
    let Some(published) = published.into_iter().find(|one| one.unit == unit.to_string()) else {
        return Ok(None);
    };
    let thousandths = match asked.indicator.compute {
        Compute::Rate(_) => published.thousandths,
        _ => hub.sum(&asked.indicator, asked.period, Whose::Place(*unit))?.value,
    };
    let as_of_ms = Some(published.date.starts_at());
    Ok(Some(Figure { row: asked.row.clone(), team: None, thousandths, as_of_ms }))
}

/// The rows side by side, and what differs within a team.
pub(super) fn side_by_side(
    ledger: &Ledger,
    phone: &[Figure],
    hub: &[Figure],
    teams: &[TeamNo],
    lost: Option<TeamNo>,
) -> Result<(Vec<Row>, Vec<String>), DemoError> {
    let tally: BTreeMap<&str, TallyRow> = tally(ledger).into_iter().map(|row| (row.seed_row, row)).collect();
    let stock = read_stock(packaged_csv())?;
    let mut rows = Vec::new();
    for row in seed_rows() {
        let of = |figures: &[Figure]| -> BTreeMap<Option<u8>, Figure> {
            let of_row = figures.iter().filter(|one| one.row == row.row);
            of_row.map(|one| (one.team, one.clone())).collect()
        };
        let (phone, hub) = (of(phone), of(hub));
        let asking = Asking::of(&row)?;
        let is_stock = asking.is_stock();
        let said = match is_stock {
            true => stock
                .iter()
                .find(|one| row.units.contains(&one.unit) && one.indicator == asking.indicator.code)
                .map(|one| one.value),
            false => tally.get(row.row.as_str()).map(|row| row.value as i64 * 1_000),
        };
        rows.push(Row {
            seed_row: row.row.clone(),
            words: row.words.clone(),
            // A thing named without a number of its own goes with all of those beside it.
            operator: row.printed.first().map_or("=", |printed| printed.operator.as_str()).to_owned(),
            phone: number(if is_stock { agreed(&phone) } else { sum(&phone) }),
            hub: number(if is_stock { agreed(&hub) } else { sum(&hub) }),
            tally: number(said),
            unit: row.counted_in.vi.clone(),
            as_of: as_of(hub.values().chain(phone.values())),
            source: row.source.clone(),
        });
    }
    let living: Vec<TeamNo> = teams.iter().copied().filter(|team| lost != Some(*team)).collect();
    Ok((rows, differences(ledger, phone, hub, &living)))
}

/// Where a lead's figure is not the hub's of that team, or a visit is missing or there twice.
fn differences(ledger: &Ledger, phone: &[Figure], hub: &[Figure], teams: &[TeamNo]) -> Vec<String> {
    let hub: BTreeMap<_, _> = hub.iter().map(|one| ((one.row.as_str(), one.team), one.thousandths)).collect();
    let totals = totals(ledger);
    let differs = |one: &&Figure| {
        let Some(team) = one.team.filter(|team| teams.contains(&TeamNo(*team))) else { return false };
        // What others published is of a place and not of a team.
        let of_hub = hub.get(&(one.row.as_str(), one.team));
        let is_lost =
            one.row == "visits@1" && one.thousandths != Some(totals[usize::from(team)].visits as i64 * 1_000);
        is_lost || of_hub.is_some_and(|of_hub| *of_hub != one.thousandths)
    };
    let name = |one: &Figure| one.team.map_or("", |team| &ledger.header.teams[usize::from(team)].name);
    phone.iter().filter(differs).map(|one| format!("{}: {}", one.row, name(one))).collect()
}

/// The day of the oldest state of what a row is made of; a team that has none of it makes it no older.
fn as_of<'a>(figures: impl Iterator<Item = &'a Figure>) -> String {
    let known = figures.filter_map(|one| Some((one.thousandths == Some(0), one.as_of_ms?)));
    known.min().map_or_else(String::new, |(_, ms)| CivilDate::at(ms).to_string())
}

/// The sum; none unless every team says one.
fn sum(figures: &BTreeMap<Option<u8>, Figure>) -> Option<i64> {
    if figures.is_empty() {
        return None;
    }
    figures.values().map(|one| one.thousandths).sum()
}

/// What all say; none unless all say the same.
fn agreed(figures: &BTreeMap<Option<u8>, Figure>) -> Option<i64> {
    let first = figures.values().next()?.thousandths;
    if figures.values().all(|one| one.thousandths == first) { first } else { None }
}

fn number(thousandths: Option<i64>) -> Option<f64> {
    thousandths.map(|value| value as f64 / 1_000.0)
}
