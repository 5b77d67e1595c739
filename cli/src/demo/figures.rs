//! The printed rows: what is asked of the leads' phones and of the hub for each, and the table of the answers beside
//! the ledger's tally.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use langso_device::Companion;
use langso_device::companion::figures::{Asked, FigureRow};
use langso_domain::date::CivilDate;
use langso_domain::id::ScopeId;
use langso_domain::indicators::{Compute, Family, Indicators, Query, SeedRow, seed_rows};
use langso_domain::units::{UnitCode, Units};
use langso_hub::server::Hub;
use langso_store::figures;
use serde::{Deserialize, Serialize};

use super::DemoError;
use super::report::Row;
use crate::campaign::codes::Role;
use crate::campaign::ledger::{Header, Ledger, MemberNo, Team, TeamNo};
use crate::campaign::stock::{packaged_csv, read_stock};
use crate::campaign::{TallyRow, tally};

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

/// The period of a printed row: what the article names, else the year it stands in.
fn period(row: &SeedRow) -> String {
    let (year, month, _) = row.to.ymd();
    match row.from {
        Some(from) if from.ymd().1 == month => format!("{year}-M{month:02}"),
        Some(_) => format!("{year}-H1"),
        None => format!("{year}-Y"),
    }
}

/// The indicator that counts a row, or under which it is imported.
fn indicator(row: &SeedRow) -> Result<&str, DemoError> {
    row.indicators.first().map(String::as_str).ok_or(DemoError::Unexpected("a row without an indicator"))
}

/// Whether a row is imported and never counted.
fn is_stock(row: &SeedRow) -> Result<bool, DemoError> {
    let all = Indicators::packaged();
    let found = all.get(indicator(row)?).ok_or(DemoError::Unexpected("an indicator that is not there"))?;
    Ok(found.family == Family::Coverage)
}

/// The rows as a lead's replica has them.
pub(super) fn of_lead(app: &Companion, team: TeamNo) -> Result<Vec<Figure>, DemoError> {
    let mut figures = Vec::new();
    for row in seed_rows() {
        let name = indicator(&row)?;
        let is_stock = is_stock(&row)?;
        let (mut thousandths, mut as_of_ms) = (None, None);
        for unit in &row.units {
            let asked = Asked {
                period: Some(period(&row)),
                unit: UnitCode::parse(unit),
                indicators: vec![name.to_owned()],
                ..Asked::default()
            };
            let page = app.figures().list_figures(asked)?;
            let found = page.activity.iter().chain(&page.coverage).next();
            let value =
                found.and_then(|found| if is_stock { published(found, unit) } else { counted(found) });
            // A sum of places; a place without a figure adds nothing.
            thousandths = match (thousandths, value) {
                (Some(before), Some(value)) => Some(before + value),
                (before, value) => before.or(value),
            };
            as_of_ms = match is_stock {
                true => found.and_then(|found| found.published.first()).map(|one| one.date.0.starts_at()),
                false => page.as_of.last_sync_at,
            };
        }
        figures.push(Figure { row: row.row.clone(), team: Some(team.0), thousandths, as_of_ms });
    }
    Ok(figures)
}

fn counted(row: &FigureRow) -> Option<i64> {
    row.value.map(|value| value * 1_000 / i64::from(row.scale))
}

/// What is published of that very place.
fn published(row: &FigureRow, unit: &str) -> Option<i64> {
    row.published.iter().find(|one| one.unit == unit)?.thousandths
}

/// The rows as the hub's cells have them, each team's and the places'.
pub(super) fn of_hub(hub: &Hub, header: &Header) -> Result<Vec<Figure>, DemoError> {
    hub.project_all()?;
    let teams = hub.list_teams()?;
    let places = hub.list_places()?;
    let mut figures = Vec::new();
    for row in seed_rows() {
        if is_stock(&row)? {
            for place in &places {
                figures.extend(imported(hub, place.scope, &row)?);
            }
            continue;
        }
        let units: BTreeSet<String> = row
            .units
            .iter()
            .filter_map(|unit| UnitCode::parse(unit))
            .flat_map(|unit| Units::packaged().places_of(unit).whole)
            .map(|unit| unit.to_string())
            .collect();
        for team in &teams {
            let found = hub.log.figures_for(team.scope, indicator(&row)?, &period(&row))?;
            let cells = found.cells.iter().filter(|cell| units.contains(&cell.unit));
            figures.push(Figure {
                row: row.row.clone(),
                team: header.teams.iter().find(|one| one.name == team.name).map(|one| one.no.0),
                thousandths: Some(cells.map(|cell| cell.value).sum::<i64>() * 1_000),
                as_of_ms: found.projection.and_then(|of| of.as_of).map(|at| at.0),
            });
        }
    }
    Ok(figures)
}

/// A figure of others. A share has no cell of its own, since it is made of two: the figure itself is read.
fn imported(hub: &Hub, place: ScopeId, row: &SeedRow) -> Result<Option<Figure>, DemoError> {
    let name = indicator(row)?;
    let Some(unit) = row.units.first() else { return Ok(None) };
    let all = Indicators::packaged();
    let known = all.get(name).ok_or(DemoError::Unexpected("an indicator that is not there"))?;
    let published = hub.replicas.with::<_, DemoError>(place, |replica, _| {
        let (from, to) = (CivilDate(0), hub.clock.now().date());
        let query = Query { from, to, units: Some(vec![unit.clone()]), scopes: None };
        Ok(figures::published(replica.connection(), known, &query)?)
    })?;
    let Some(published) = published.into_iter().next() else { return Ok(None) };
    let cells = hub.log.figures_for(place, name, &period(row))?.cells;
    let thousandths = match known.compute {
        Compute::Stock(_) => cells.iter().find(|cell| cell.unit == *unit).map(|cell| cell.value),
        _ => published.thousandths,
    };
    let as_of_ms = Some(published.date.starts_at());
    Ok(Some(Figure { row: row.row.clone(), team: None, thousandths, as_of_ms }))
}

/// The rows side by side, and where a lead's figure is not the hub's of that team.
pub(super) fn side_by_side(
    ledger: &Ledger,
    phone: &[Figure],
    hub: &[Figure],
    teams: &[TeamNo],
    lost: Option<TeamNo>,
) -> Result<(Vec<Row>, Vec<String>), DemoError> {
    let tally: BTreeMap<&str, TallyRow> = tally(ledger).into_iter().map(|row| (row.seed_row, row)).collect();
    let stock = read_stock(packaged_csv())?;
    let (mut rows, mut differences) = (Vec::new(), Vec::new());
    for row in seed_rows() {
        let of = |figures: &[Figure]| -> BTreeMap<Option<u8>, Figure> {
            let of_row = figures.iter().filter(|one| one.row == row.row);
            of_row.map(|one| (one.team, one.clone())).collect()
        };
        let (phone, hub) = (of(phone), of(hub));
        let is_stock = is_stock(&row)?;
        for team in teams.iter().filter(|team| lost != Some(**team)) {
            let one = |figures: &BTreeMap<Option<u8>, Figure>| {
                figures.get(&Some(team.0)).and_then(|one| one.thousandths)
            };
            if !is_stock && one(&phone) != one(&hub) {
                differences.push(format!("{}: {}", row.row, ledger.header.teams[team.index()].name));
            }
        }
        let said = match is_stock {
            true => stock
                .iter()
                .find(|one| {
                    row.units.contains(&one.unit)
                        && indicator(&row).ok() == Some(&format!("{}@1", one.indicator))
                })
                .map(|one| one.value),
            false => tally.get(row.row.as_str()).map(|row| row.value as i64 * 1_000),
        };
        // The oldest state of what the row is made of; a team without any of it makes it no older.
        let made_of = |one: &&Figure| one.thousandths != Some(0);
        let as_of = hub.values().chain(phone.values()).filter(made_of).filter_map(|one| one.as_of_ms).min();
        rows.push(Row {
            seed_row: row.row.clone(),
            words: row.words.clone(),
            // A thing named without a number of its own goes with all of those beside it.
            operator: row.printed.first().map_or("=", |printed| printed.operator.as_str()).to_owned(),
            phone: number(if is_stock { agreed(&phone) } else { sum(&phone) }),
            hub: number(if is_stock { agreed(&hub) } else { sum(&hub) }),
            tally: number(said),
            unit: row.counted_in.vi.clone(),
            as_of: as_of.map_or_else(String::new, |ms| CivilDate::at(ms).to_string()),
            source: row.source.clone(),
        });
    }
    Ok((rows, differences))
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
