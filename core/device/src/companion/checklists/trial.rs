//! A trial's name is the whole trial: it can be walked before enrolment, by calls of separate processes, and leaves
//! nothing behind.

use langso_domain::content::StepResult;

use crate::companion::runs::{NewRun, OpenRun, bytes_of, steps_of};

const HEAD: &str = "trial:";
const MOST_STEPS: usize = 64;

pub(super) fn is_name(run: &str) -> bool {
    run.starts_with(HEAD)
}

/// `trial:T1@1:<where it stands>:<a byte a step in hex>:<when it was begun>`.
pub(super) fn name(open: &OpenRun) -> String {
    let last = open.run.steps.iter().map(|step| step.step).max().unwrap_or(0);
    let bytes: String =
        bytes_of(&open.run.steps, usize::from(last)).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HEAD}{}:{}:{bytes}:{}", open.run.tutorial, open.at, open.started_at)
}

/// None for what [`name`] never gave.
pub(super) fn read(run: &str) -> Option<OpenRun> {
    let mut parts = run.strip_prefix(HEAD)?.split(':');
    let (tutorial, at, hex, started_at) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || hex.len() > 2 * MOST_STEPS || hex.len() % 2 != 0 || !hex.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..hex.len() / 2).map(byte).collect::<Option<_>>()?;
    let mut steps = steps_of(&bytes);
    steps.retain(|step| StepResult::from(step.result) != StepResult::None);
    Some(OpenRun {
        run: NewRun {
            tutorial: tutorial.parse().ok()?,
            steps,
            phone_model: None,
            os_version: None,
            minutes: None,
            teach_back: false,
        },
        started_at: started_at.parse().ok()?,
        at: at.parse().ok().filter(|at| (1..=MOST_STEPS as u8 + 1).contains(at))?,
        household: None,
        person: None,
    })
}
