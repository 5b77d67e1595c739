//! One byte of a checklist run: what came of one step.
//!
//! Pure. Numbers below 16 are those of the list `step_results`, from 16 on they are failure codes: that is why
//! failure codes begin there, and why a run of twelve steps is twelve bytes.

use super::check::FIRST_FAILURE_NUMBER;

/// What came of one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepResult {
    /// Not reached.
    None,
    /// Passed.
    Passed,
    /// Skipped.
    Skipped,
    /// Not passed, without a reason.
    Failed,
    /// Not passed, for the reason with this number.
    FailedFor(u8),
    /// A result that this program does not know; kept as it is.
    Other(u8),
}

impl From<u8> for StepResult {
    fn from(byte: u8) -> Self {
        match byte {
            0 => Self::None,
            1 => Self::Passed,
            2 => Self::Skipped,
            3 => Self::Failed,
            FIRST_FAILURE_NUMBER.. => Self::FailedFor(byte),
            other => Self::Other(other),
        }
    }
}

impl From<StepResult> for u8 {
    fn from(result: StepResult) -> Self {
        match result {
            StepResult::None => 0,
            StepResult::Passed => 1,
            StepResult::Skipped => 2,
            StepResult::Failed => 3,
            StepResult::FailedFor(byte) | StepResult::Other(byte) => byte,
        }
    }
}
