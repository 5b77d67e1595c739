//! Whether a service, an outcome, a reason and an evidence go together in one service row.
//!
//! Pure. The rule of reasons: *new* and *had already* take none; *later*, *failed* and *referred* need one that the
//! service knows; *refused* is its own reason and takes none or H1, which says the same.

use super::Content;
use super::reference::ContentRef;

/// The only reason a refusal may carry.
const REFUSAL: &str = "H1";

/// What is wrong with a service row; codes are stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.code())]
pub enum RowProblem {
    /// No such service, or not in this version.
    UnknownService,
    /// No outcome has this number.
    UnknownOutcome,
    /// The service has no such outcome: a later filing cannot have been there before.
    OutcomeNotOfService,
    /// The outcome needs a reason.
    FailureCodeMissing,
    /// No such reason, or not one of this service.
    FailureCodeNotOfService,
    /// The outcome takes no reason, or not this one.
    FailureCodeNotExpected,
    /// No evidence has this number.
    UnknownEvidence,
}

impl RowProblem {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownService => "unknown_service",
            Self::UnknownOutcome => "unknown_outcome",
            Self::OutcomeNotOfService => "outcome_not_of_service",
            Self::FailureCodeMissing => "failure_code_missing",
            Self::FailureCodeNotOfService => "failure_code_not_of_service",
            Self::FailureCodeNotExpected => "failure_code_not_expected",
            Self::UnknownEvidence => "unknown_evidence",
        }
    }

    /// The field of `service_rows` at fault.
    pub fn field(self) -> &'static str {
        match self {
            Self::UnknownService => "service",
            Self::UnknownOutcome | Self::OutcomeNotOfService => "outcome",
            Self::FailureCodeMissing | Self::FailureCodeNotOfService | Self::FailureCodeNotExpected => {
                "failure"
            }
            Self::UnknownEvidence => "evidence",
        }
    }
}

/// Whether rows of this outcome must say why.
pub fn needs_failure(outcome: &str) -> bool {
    matches!(outcome, "later" | "failed" | "referred")
}

impl Content {
    /// Checks a row before it is written, by the version of the service it names. Numbers are those of the lists
    /// `outcomes` and `evidence` and of the failure code. Rows that arrive are never refused by this.
    ///
    /// # Errors
    /// The first problem, in the order service, outcome, reason, evidence.
    pub fn check_service_row(
        &self,
        service: &ContentRef,
        outcome: u8,
        failure: Option<u8>,
        evidence: Option<u8>,
    ) -> Result<(), RowProblem> {
        let service = self.service_at(service).ok_or(RowProblem::UnknownService)?;
        let outcome = self
            .list("outcomes")
            .and_then(|list| list.number(outcome))
            .map(|entry| entry.code.as_str())
            .ok_or(RowProblem::UnknownOutcome)?;
        if !service.outcomes.iter().any(|allowed| allowed == outcome) {
            return Err(RowProblem::OutcomeNotOfService);
        }
        let Some(number) = failure else {
            return if needs_failure(outcome) {
                Err(RowProblem::FailureCodeMissing)
            } else {
                self.check_evidence(evidence)
            };
        };
        let failure = self.failure_number(number).map(|code| code.code.as_str());
        if needs_failure(outcome) {
            if !failure.is_some_and(|code| service.failures.iter().any(|known| known == code)) {
                return Err(RowProblem::FailureCodeNotOfService);
            }
        } else if outcome != "refused" || failure != Some(REFUSAL) {
            return Err(RowProblem::FailureCodeNotExpected);
        }
        self.check_evidence(evidence)
    }

    fn check_evidence(&self, evidence: Option<u8>) -> Result<(), RowProblem> {
        let known = evidence
            .is_none_or(|number| self.list("evidence").is_some_and(|list| list.number(number).is_some()));
        if known { Ok(()) } else { Err(RowProblem::UnknownEvidence) }
    }
}
