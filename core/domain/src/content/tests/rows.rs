//! Which service rows may be written.

use super::super::{Content, ContentRef, NotAContentRef, RowProblem as R, StepResult};

#[test]
fn a_service_row_needs_the_reason_its_outcome_asks_for() {
    const NEW: u8 = 1;
    const HAD: u8 = 2;
    const LATER: u8 = 3;
    const FAILED: u8 = 4;
    const REFUSED: u8 = 5;
    const REFERRED: u8 = 6;
    let number = |code| Content::packaged().failure_code(code).map(|failure| failure.number);
    let (d4, h1, v5) = (number("D4"), number("H1"), number("V5"));
    for (service, outcome, failure, evidence, wanted) in [
        ("vneid_level2@1", NEW, None, Some(1), Ok(())),
        ("vneid_level2@1", HAD, None, None, Ok(())),
        ("vneid_level2@1", LATER, d4, None, Ok(())),
        ("vneid_level2@1", FAILED, d4, Some(2), Ok(())),
        ("vneid_level2@1", REFERRED, number("P2"), Some(3), Ok(())),
        ("vneid_level2@1", REFUSED, None, None, Ok(())),
        ("vneid_level2@1", REFUSED, h1, None, Ok(())),
        ("vneid_level2@1", REFUSED, d4, None, Err(R::FailureCodeNotExpected)),
        ("vneid_level2@1", NEW, d4, None, Err(R::FailureCodeNotExpected)),
        ("vneid_level2@1", HAD, h1, None, Err(R::FailureCodeNotExpected)),
        ("vneid_level2@1", LATER, None, None, Err(R::FailureCodeMissing)),
        ("vneid_level2@1", FAILED, None, None, Err(R::FailureCodeMissing)),
        ("vneid_level2@1", REFERRED, None, None, Err(R::FailureCodeMissing)),
        ("vneid_level2@1", FAILED, v5, None, Err(R::FailureCodeNotOfService)),
        ("vneid_level2@1", FAILED, Some(255), None, Err(R::FailureCodeNotOfService)),
        ("vneid_level2@1", 9, None, None, Err(R::UnknownOutcome)),
        ("vneid_level2@1", NEW, None, Some(9), Err(R::UnknownEvidence)),
        ("vneid_level2@9", NEW, None, None, Err(R::UnknownService)),
        ("fax@1", NEW, None, None, Err(R::UnknownService)),
        ("portal_later_filing@1", NEW, None, None, Ok(())),
        ("portal_later_filing@1", HAD, None, None, Err(R::OutcomeNotOfService)),
    ] {
        let reference: ContentRef = service.parse().expect(service);
        let found = Content::packaged().check_service_row(&reference, outcome, failure, evidence);
        assert_eq!(found, wanted, "{service} {outcome} {failure:?} {evidence:?}");
    }
}

#[test]
fn a_row_problem_shows_its_code_and_names_a_field() {
    for problem in [
        R::UnknownService,
        R::UnknownOutcome,
        R::OutcomeNotOfService,
        R::FailureCodeMissing,
        R::FailureCodeNotOfService,
        R::FailureCodeNotExpected,
        R::UnknownEvidence,
    ] {
        assert_eq!(problem.to_string(), problem.code());
        let fields = crate::registry::CURRENT.named("service_row").expect("the table");
        assert!(fields.named(problem.field()).is_some(), "{}", problem.field());
    }
}

#[test]
fn a_reference_has_one_text() {
    for text in ["T1@3", "vneid_level2@1", "06838@2025", "consent.script@4294967295"] {
        assert_eq!(text.parse::<ContentRef>().map(|found| found.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "T1", "T1@", "@1", "T1@0", "T1@01", "T1@+1", "T1@1@2", "T 1@1", "Đ1@1", "T1@4294967296"]
    {
        assert_eq!(text.parse::<ContentRef>(), Err(NotAContentRef), "{text}");
    }
}

#[test]
fn a_step_byte_comes_back_as_it_was() {
    for byte in 0..=u8::MAX {
        assert_eq!(u8::from(StepResult::from(byte)), byte);
    }
    let list = Content::packaged().list("step_results").expect("the list");
    for (code, result) in [
        ("none", StepResult::None),
        ("passed", StepResult::Passed),
        ("skipped", StepResult::Skipped),
        ("failed", StepResult::Failed),
    ] {
        assert_eq!(list.code(code).map(|entry| entry.number), Some(u8::from(result)), "{code}");
    }
    for failure in Content::packaged().failure_codes() {
        assert_eq!(StepResult::from(failure.number), StepResult::FailedFor(failure.number));
    }
}
