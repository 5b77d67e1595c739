//! At which step, for which reason and on which phone people fail.

use std::collections::BTreeMap;

use langso_domain::content::{ContentRef, StepResult};
use serde::{Deserialize, Serialize};

use super::super::record::Day;
use super::super::rows;
use super::{counted, is_failed};
use crate::error::Result;
use crate::phone::Phone;

/// Which runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct FindFailing {
    /// Code of a tutorial, without version; none = all.
    #[serde(default)]
    #[uniffi(default)]
    pub tutorial: Option<String>,
    /// First day.
    #[serde(default)]
    #[uniffi(default)]
    pub from: Option<Day>,
    /// Last day, included.
    #[serde(default)]
    #[uniffi(default)]
    pub to: Option<Day>,
}

/// By version of a tutorial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FailingSteps {
    /// By reference.
    pub versions: Vec<VersionFailures>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct VersionFailures {
    /// With version.
    pub tutorial: ContentRef,
    /// How often it was walked through.
    pub runs: u32,
    /// Of them, ended with the citizen doing it alone.
    pub teach_backs: u32,
    /// Every step, in order.
    pub steps: Vec<StepCounts>,
}

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct StepCounts {
    /// From 1.
    pub step: u8,
    /// Runs that got there.
    pub reached: u32,
    /// Passed.
    pub passed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Not passed.
    pub failed: u32,
    /// Why not, most often first.
    pub reasons: Vec<ReasonCount>,
    /// On which phones not, most often first.
    pub phones: Vec<PhoneFailures>,
}

/// How often a reason was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct ReasonCount {
    /// The failure code's number.
    pub failure: u8,
    /// How often.
    pub count: u32,
}

/// How often a step failed on one kind of phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
pub struct PhoneFailures {
    /// The model; empty when not noted.
    pub phone_model: String,
    /// Its system; empty when not noted.
    pub os_version: String,
    /// How often.
    pub count: u32,
}

struct Run {
    steps: Vec<u8>,
    phone_model: String,
    os_version: String,
    teach_back: bool,
}

pub(super) fn list(phone: &Phone, find: &FindFailing) -> Result<FailingSteps> {
    let sql = "SELECT tutorial, steps, phone_model, os_version, teach_back FROM live_checklist_runs
               WHERE (?1 IS NULL OR substr(tutorial, 1, instr(tutorial || '@', '@') - 1) = ?1)
                 AND date BETWEEN ?2 AND ?3";
    let from = find.from.map_or(i32::MIN, |day| day.0.0);
    let to = find.to.map_or(i32::MAX, |day| day.0.0);
    let found = rows::all(phone.connection(), sql, (&find.tutorial, from, to), |row| {
        let run = Run {
            steps: row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default(),
            phone_model: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            os_version: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            teach_back: row.get::<_, Option<bool>>(4)?.unwrap_or_default(),
        };
        Ok((rows::content(row, 0)?, run))
    })?;
    let mut versions: BTreeMap<ContentRef, Vec<Run>> = BTreeMap::new();
    for (tutorial, run) in found {
        if let Some(tutorial) = tutorial {
            versions.entry(tutorial).or_default().push(run);
        }
    }
    let versions = versions.into_iter().map(|(tutorial, runs)| {
        let longest = runs.iter().map(|run| run.steps.len()).max().unwrap_or(0).min(u8::MAX.into());
        VersionFailures {
            tutorial,
            runs: runs.len() as u32,
            teach_backs: runs.iter().filter(|run| run.teach_back).count() as u32,
            steps: (0..longest).map(|at| step(&runs, at)).collect(),
        }
    });
    Ok(FailingSteps { versions: versions.collect() })
}

fn step(runs: &[Run], at: usize) -> StepCounts {
    let of: Vec<_> = runs.iter().filter_map(|run| Some((run, *run.steps.get(at)?))).collect();
    let count =
        |is: fn(StepResult) -> bool| of.iter().filter(|(_, byte)| is(StepResult::from(*byte))).count() as u32;
    let failed = of.iter().filter(|(_, byte)| is_failed(*byte));
    let reasons = failed.clone().filter_map(|(_, byte)| match StepResult::from(*byte) {
        StepResult::FailedFor(failure) => Some(failure),
        _ => None,
    });
    let phones = failed.clone().map(|(run, _)| (run.phone_model.clone(), run.os_version.clone()));
    StepCounts {
        step: (at + 1) as u8,
        reached: count(|result| result != StepResult::None),
        passed: count(|result| result == StepResult::Passed),
        skipped: count(|result| result == StepResult::Skipped),
        failed: failed.clone().count() as u32,
        reasons: counted(reasons)
            .into_iter()
            .map(|(failure, count)| ReasonCount { failure, count })
            .collect(),
        phones: counted(phones)
            .into_iter()
            .map(|((phone_model, os_version), count)| PhoneFailures { phone_model, os_version, count })
            .collect(),
    }
}
