//! The JSON of figures, and what of it an officer may see.

use langso_domain::date::CivilDate;
use langso_domain::indicators::{Compute, Indicator, Indicators, Measure, percent};
use langso_domain::period::Period;
use langso_store::figures::Published;
use serde::Serialize;

use super::{Sum, Whose};
use crate::replica::Error;
use crate::server::Hub;

/// Counts of persons below it are not shown to officers: a small count tells of somebody.
pub(super) const SMALL: i64 = 5;

/// What `GET /v1/figures` answers.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub period: Period,
    pub from: String,
    pub to: String,
    /// Base32; null for a place.
    pub team: Option<String>,
    /// Code and list version; null for a team.
    pub unit: Option<String>,
    pub figures: Vec<Figure>,
    pub hub_time_ms: i64,
    /// For the next request.
    pub nonce: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Figure {
    pub indicator: String,
    pub counted_in: String,
    /// By `scale`; null = not known, or not shown.
    pub value: Option<i64>,
    pub scale: i64,
    pub numerator: Option<i64>,
    pub denominator: Option<i64>,
    pub is_estimate: bool,
    /// A count of fewer than five persons that the reader may not see.
    pub is_suppressed: bool,
    pub as_of: AsOf,
    pub published: Vec<PublishedFigure>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct AsOf {
    /// Of the oldest part; null when nothing was counted.
    pub oldest_ms: Option<i64>,
    /// How many teams are in it.
    pub teams: usize,
    /// How many of them have not been counted yet.
    pub uncounted: usize,
    /// For a team: what was counted, up to where.
    pub scopes: Vec<ScopeAsOf>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScopeAsOf {
    pub scope: String,
    pub position: u64,
    pub hub_time_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct PublishedFigure {
    pub unit: String,
    pub operator: Option<String>,
    pub thousandths: Option<i64>,
    pub numerator: Option<i64>,
    pub denominator: Option<i64>,
    pub source: Option<String>,
    pub date: String,
}

impl From<Published> for PublishedFigure {
    fn from(found: Published) -> Self {
        let Published { unit, operator, thousandths, numerator, denominator, source, date, .. } = found;
        Self { unit, operator, thousandths, numerator, denominator, source, date: date.to_string() }
    }
}

/// Whether one of it is a person: a small number of them is not for officers.
fn counts_persons(indicator: &Indicator) -> bool {
    let Compute::Facts(facts) = &indicator.compute else { return false };
    indicator.counted_in.code == "person"
        || matches!(&facts.measure, Measure::Distinct(field) if field == "person_id")
}

/// The figure as that reader sees it.
pub(super) fn figure(
    hub: &Hub,
    all: &Indicators,
    indicator: &Indicator,
    period: Period,
    whose: Whose,
    is_officer: bool,
) -> Result<Figure, Error> {
    let hide = |of: &Indicator, sum: &Sum| {
        let is_small = sum.value.is_some_and(|value| (1..SMALL).contains(&value));
        is_officer && is_small && counts_persons(of)
    };
    let mut figure = Figure {
        indicator: indicator.reference(),
        counted_in: indicator.counted_in.code.clone(),
        value: None,
        scale: indicator.scale(),
        numerator: None,
        denominator: None,
        is_estimate: false,
        is_suppressed: false,
        as_of: AsOf::default(),
        published: hub.published(indicator, period, whose)?.into_iter().map(PublishedFigure::from).collect(),
    };
    if let Some((above, below)) = all.parts_of(indicator) {
        let (top, bottom) = (hub.sum(above, period, whose)?, hub.sum(below, period, whose)?);
        figure.scale = 1000;
        figure.is_estimate = top.is_estimate || bottom.is_estimate;
        figure.is_suppressed = hide(above, &top) || hide(below, &bottom);
        if !figure.is_suppressed {
            figure.numerator = top.value.map(|value| value / above.scale());
            figure.denominator = bottom.value.map(|value| value / below.scale());
            figure.value = percent(figure.numerator, figure.denominator);
        }
        figure.as_of = as_of(&top, whose);
        return Ok(figure);
    }
    let sum = hub.sum(indicator, period, whose)?;
    figure.is_estimate = sum.is_estimate;
    figure.is_suppressed = hide(indicator, &sum);
    figure.value = sum.value.filter(|_| !figure.is_suppressed);
    figure.as_of = as_of(&sum, whose);
    Ok(figure)
}

fn as_of(sum: &Sum, whose: Whose) -> AsOf {
    let scopes = match whose {
        Whose::Team(_) => sum.parts.iter().filter_map(|part| {
            let hub_time_ms = part.as_of.map(|at| at.0);
            Some(ScopeAsOf { scope: part.scope.to_string(), position: part.position?, hub_time_ms })
        }),
        Whose::Place(_) | Whose::Everywhere => return AsOf { scopes: Vec::new(), ..counted(sum) },
    };
    AsOf { scopes: scopes.collect(), ..counted(sum) }
}

fn counted(sum: &Sum) -> AsOf {
    AsOf {
        oldest_ms: sum.oldest().map(|at| at.0),
        teams: sum.parts.len(),
        uncounted: sum.parts.iter().filter(|part| part.position.is_none()).count(),
        scopes: Vec::new(),
    }
}

/// First and last day as JSON holds them.
pub(super) fn days(period: Period) -> (String, String) {
    let text = |day: CivilDate| day.to_string();
    (text(period.from()), text(period.to()))
}
