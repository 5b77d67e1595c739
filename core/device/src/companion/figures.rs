//! Figures that open: each indicator over this phone's record, and the rows behind it down to the visits.

use langso_domain::content::Text;
use langso_domain::date::CivilDate;
use langso_domain::id::{RowId, ScopeId};
use langso_domain::indicators::{Compute, Family, Indicator, Indicators, LineKey, Query, percent};
use langso_domain::period::Period;
use langso_domain::units::{UnitCode, Units};
use langso_store::figures;
use rusqlite::types::Value;

use super::record::Day;
use super::{Companion, arrival, check, rows};
use crate::error::{AppError, Result};
use crate::facts;
use crate::phone::Phone;

mod records;

pub use records::{
    AsOf, Asked, Explain, Explained, FigureLine, FigurePage, FigurePart, FigureRow, FindLines, LineAfter,
    LinePage, PartValue, PublishedFigure, ScopeAsOf,
};

/// The feature; see [`Companion::figures`].
pub struct Figures<'a>(pub(super) &'a Companion);

impl Figures<'_> {
    /// Figures of a period and place.
    ///
    /// # Errors
    /// `NotAllowed { role }`; `InvalidInput`: `asked.period` or `asked.to` that is none, an unknown indicator or
    /// unit.
    pub fn list_figures(&self, asked: Asked) -> Result<FigurePage> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let all = indicators(&phone)?;
        let scope = Scope::of(&phone, &asked)?;
        let chosen: Vec<&Indicator> = if asked.indicators.is_empty() {
            all.all().iter().filter(|one| all.newest(&one.code) == Some(one)).collect()
        } else {
            asked.indicators.iter().map(|name| named(&all, name)).collect::<Result<_>>()?
        };
        let (mut activity, mut coverage) = (Vec::new(), Vec::new());
        for indicator in chosen {
            let row = scope.row(&phone, &all, indicator)?;
            match indicator.family {
                Family::Activity => activity.push(row),
                Family::Coverage => coverage.push(row),
            }
        }
        Ok(FigurePage {
            from: Day(scope.query.from),
            to: Day(scope.query.to),
            activity,
            coverage,
            as_of: as_of(&phone, &scope.query)?,
            split_units: scope.split.clone(),
        })
    }

    /// What one figure means, and its parts by a column.
    ///
    /// # Errors
    /// As [`Figures::list_figures`]; `unknown` for a column that it cannot be broken down by.
    pub fn explain_figure(&self, explain: Explain) -> Result<Explained> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let all = indicators(&phone)?;
        let scope = Scope::of(&phone, &explain.asked)?;
        let indicator = named(&all, &explain.indicator)?;
        let mut parts = Vec::new();
        if let Some(column) = &explain.by {
            if !indicator.by.contains(column) {
                return Err(AppError::invalid("by", "unknown"));
            }
            let found = figures::by(phone.connection(), indicator, &scope.query, column)?;
            parts.extend(found.into_iter().map(|part| FigurePart {
                part: part_value(part.part),
                value: part.figure.value,
                lines: part.figure.lines,
            }));
        }
        let rate_of =
            all.parts_of(indicator).map(|(above, below)| vec![above.reference(), below.reference()]);
        Ok(Explained {
            figure: scope.row(&phone, &all, indicator)?,
            meaning: indicator.meaning.clone(),
            formula: indicator.formula.clone(),
            is_activity: indicator.family == Family::Activity,
            unit_of_count: Text { vi: indicator.counted_in.vi.clone(), en: indicator.counted_in.en.clone() },
            rate_of: rate_of.unwrap_or_default(),
            can_break_down_by: indicator.by.clone(),
            parts,
        })
    }

    /// The rows behind a figure by day, a page at a time; those of visits open into them.
    ///
    /// # Errors
    /// As [`Figures::list_figures`]; `is_a_rate` for a rate, whose two indicators have lines of their own.
    pub fn list_figure_lines(&self, find: FindLines) -> Result<LinePage> {
        let phone = self.0.phone();
        check::role(&phone, check::LEADS)?;
        let all = indicators(&phone)?;
        let scope = Scope::of(&phone, &find.asked)?;
        let indicator = named(&all, &find.indicator)?;
        if matches!(indicator.compute, Compute::Rate(_)) {
            return Err(AppError::invalid("indicator", "is_a_rate"));
        }
        let connection = phone.connection();
        let figure = figures::figure(connection, indicator, &scope.query)?;
        let after = find.after.map(|after| LineKey {
            date: after.date.0,
            id: after.row,
            apart: after.apart.map_or(Vec::new(), |row| row.0.to_vec()),
        });
        let limit = rows::PAGE as u32 + 1;
        let mut found = figures::lines(connection, indicator, &scope.query, after.as_ref(), limit)?;
        let more = found.len() > rows::PAGE;
        found.truncate(rows::PAGE);
        let lines: Vec<_> = found.into_iter().map(line).collect();
        let next = lines.last().filter(|_| more).map(|line| LineAfter {
            date: line.date,
            row: line.row,
            apart: line.apart,
        });
        Ok(LinePage { lines, count: figure.lines, value: figure.value, next })
    }
}

/// What is asked, as the SQL needs it.
struct Scope {
    query: Query,
    split: Vec<UnitCode>,
    teams: usize,
}

impl Scope {
    fn of(phone: &Phone, asked: &Asked) -> Result<Self> {
        let (from, to) = days(phone, asked)?;
        let mut split = Vec::new();
        let mut codes = None;
        if let Some(unit) = asked.unit {
            let units = Units::packaged();
            if units.latest(unit).is_none() {
                return Err(AppError::invalid("asked.unit", "unknown"));
            }
            let places = units.places_of(unit);
            codes = Some(places.whole.iter().map(ToString::to_string).collect());
            split = places.split.into_iter().collect();
        }
        let sql = "SELECT count(DISTINCT scope) FROM live_teams";
        let teams: i64 = phone.connection().query_row(sql, [], |row| row.get(0))?;
        Ok(Self { query: Query { from, to, units: codes, scopes: None }, split, teams: teams as usize })
    }

    fn row(&self, phone: &Phone, all: &Indicators, indicator: &Indicator) -> Result<FigureRow> {
        let connection = phone.connection();
        let figure = |indicator: &Indicator| figures::figure(connection, indicator, &self.query);
        let published = figures::published(connection, indicator, &self.query)?;
        let mut row = FigureRow {
            indicator: indicator.reference(),
            title: indicator.title.clone(),
            counted_in: indicator.counted_in.code.clone(),
            value: None,
            scale: 1000,
            numerator: None,
            denominator: None,
            lines: 0,
            is_estimate: indicator.estimate_across_teams && self.teams > 1,
            published: published.into_iter().map(published_figure).collect(),
        };
        match all.parts_of(indicator) {
            Some((above, below)) => {
                let (top, bottom) = (figure(above)?, figure(below)?);
                row.numerator = top.value.map(|value| value / above.scale());
                row.denominator = bottom.value.map(|value| value / below.scale());
                row.lines = top.lines;
                row.value = percent(row.numerator, row.denominator);
            }
            None => {
                let found = figure(indicator)?;
                row.value = found.value;
                row.lines = found.lines;
                row.scale = indicator.scale() as u32;
            }
        }
        Ok(row)
    }
}

fn days(phone: &Phone, asked: &Asked) -> Result<(CivilDate, CivilDate)> {
    let (from, to) = match (&asked.period, asked.from, asked.to) {
        (Some(code), None, None) => {
            let period: Period =
                code.parse().map_err(|_| AppError::invalid("asked.period", "not_a_period"))?;
            (period.from(), period.to())
        }
        (None, Some(from), Some(to)) => (from.0, to.0),
        (Some(_), ..) => return Err(AppError::invalid("asked.period", "period_and_days")),
        (None, None, _) => return Err(AppError::invalid("asked.from", "missing")),
        (None, Some(_), None) => return Err(AppError::invalid("asked.to", "missing")),
    };
    if to < from {
        return Err(AppError::invalid("asked.to", "before_from"));
    }
    // States, such as what is overdue, are never as of a day that has not come.
    let today = phone.today();
    Ok((from, if from <= today { to.min(today) } else { to }))
}

fn as_of(phone: &Phone, query: &Query) -> Result<AsOf> {
    let connection = phone.connection();
    let sql = "SELECT scope, position FROM scopes WHERE kind = 1 ORDER BY number";
    let scopes = rows::all(connection, sql, [], |row| {
        Ok(ScopeAsOf { scope: ScopeId(row.get(0)?), position: row.get::<_, i64>(1)? as u64 })
    })?;
    let mut date = connection.prepare_cached("SELECT date FROM visits WHERE id = ?1")?;
    let mut unarrived = 0;
    for visit in arrival::unarrived(phone, "visits")? {
        let day: Option<i64> = date.query_row([visit.0], |row| row.get(0))?;
        unarrived +=
            u32::from(day.is_some_and(|day| (i64::from(query.from.0)..=query.to.0.into()).contains(&day)));
    }
    Ok(AsOf { scopes, last_sync_at: facts::get(connection, facts::name::LAST_SYNC)?, unarrived })
}

/// The packed indicators and those published since.
fn indicators(phone: &Phone) -> Result<Indicators> {
    let sql = "SELECT body FROM live_content_items WHERE kind = 'indicator' AND body IS NOT NULL ORDER BY id";
    let bodies: Vec<String> = rows::all(phone.connection(), sql, [], |row| row.get(0))?;
    Ok(Indicators::with_published(&bodies))
}

fn named<'a>(all: &'a Indicators, name: &str) -> Result<&'a Indicator> {
    all.get(name).or_else(|| all.newest(name)).ok_or_else(|| AppError::invalid("indicator", "unknown"))
}

fn published_figure(found: figures::Published) -> PublishedFigure {
    PublishedFigure {
        unit: found.unit,
        operator: found.operator,
        thousandths: found.thousandths,
        numerator: found.numerator,
        denominator: found.denominator,
        source: found.source,
        date: Day(found.date),
    }
}

fn line(line: figures::Line) -> FigureLine {
    FigureLine {
        row: line.id,
        apart: RowId::from_slice(&line.apart),
        visit: line.visit,
        date: Day(line.date),
        unit: line.unit.as_deref().and_then(UnitCode::parse),
        adds: part_value(line.value),
    }
}

fn part_value(value: Value) -> PartValue {
    match value {
        Value::Null | Value::Real(_) => PartValue::Empty,
        Value::Integer(value) => PartValue::Number { value },
        Value::Text(value) => PartValue::Text { value },
        Value::Blob(bytes) => {
            RowId::from_slice(&bytes).map_or(PartValue::Empty, |value| PartValue::Row { value })
        }
    }
}
