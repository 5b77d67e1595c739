//! What can be wrong with content, and where: the errors a trainer reads before publishing.
//!
//! Pure. Codes are stable; the words for them belong to the shells.

use std::fmt;

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),* $(,)?) => {
        /// One kind of fault in content.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Problem { $($(#[$doc])* $variant),* }

        impl Problem {
            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }
    };
}

problems! {
    /// Not JSON at all, or cut short.
    BadJson = "bad_json",
    /// Longer than a published item may be.
    TooLarge = "too_large",
    /// A field that this program does not know.
    UnknownField = "unknown_field",
    /// A field that must be there is not.
    MissingField = "missing_field",
    /// A field stands twice.
    DuplicateField = "duplicate_field",
    /// A field holds another type, or a number that does not fit.
    WrongType = "wrong_type",
    /// A word that is not one of the few allowed.
    UnknownVariant = "unknown_variant",
    /// Not `yyyy-mm-dd`, or no day of the calendar.
    BadDate = "bad_date",
    /// A text is empty.
    TextMissing = "text_missing",
    /// A text is over its bound.
    TextTooLong = "text_too_long",
    /// A text is not in NFC.
    NotNfc = "not_nfc",
    /// Spaces at the ends, two in a row, or control characters.
    Spacing = "spacing",
    /// hoà for hòa.
    TonePlacement = "tone_placement",
    /// Not a code: letters, digits, `_` and `.`.
    BadCode = "bad_code",
    /// Versions begin at 1.
    VersionZero = "version_zero",
    /// This version of the code exists with another content.
    VersionTaken = "version_taken",
    /// A code stands twice.
    DuplicateCode = "duplicate_code",
    /// A number stands twice.
    DuplicateNumber = "duplicate_number",
    /// Failure codes begin at 16.
    NumberReserved = "number_reserved",
    /// A code had another number in an earlier version, or is gone from its list.
    NumberChanged = "number_changed",
    /// A number outside what makes sense.
    OutOfRange = "out_of_range",
    /// Steps are not numbered 1, 2, 3.
    StepNumber = "step_number",
    /// A tutorial that must have steps has none.
    StepsMissing = "steps_missing",
    /// Two steps have one id.
    DuplicateStepId = "duplicate_step_id",
    /// No step in which the citizen does it alone (R6).
    TeachBackMissing = "teach_back_missing",
    /// A step at which the volunteer turns away does not name R2.
    RuleMissing = "rule_missing",
    /// A list that must not be empty is.
    Empty = "empty",
    /// No such failure code.
    UnknownFailureCode = "unknown_failure_code",
    /// No such rule.
    UnknownRule = "unknown_rule",
    /// No such service.
    UnknownService = "unknown_service",
    /// No such tutorial.
    UnknownTutorial = "unknown_tutorial",
    /// No such outcome.
    UnknownOutcome = "unknown_outcome",
    /// No such entry in the list that the field draws from.
    UnknownEntry = "unknown_entry",
    /// A safety stop whose failure code does not stop, or is not offered at the step.
    NotAStop = "not_a_stop",
    /// A step offers a reason that its service does not know.
    FailureCodeNotOfService = "failure_code_not_of_service",
    /// A service names a tutorial that does not lead to it, or the other way round.
    ServiceNotOfTutorial = "service_not_of_tutorial",
    /// A consent text does not hold the words of a kind of data it claims to name.
    DataKindNotNamed = "data_kind_not_named",
    /// A `{parameter}` differs between the languages and the list.
    ParameterDiffers = "parameter_differs",
}

/// One fault and where it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct ContentError {
    /// The fixture's path, or kind and reference of a published item.
    pub file: String,
    /// The field, such as `steps[4].failures[0]`; empty when the whole is meant.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
    /// The value at fault, shortened; content holds nothing personal.
    pub value: String,
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.path, self.problem.code())?;
        if self.value.is_empty() { Ok(()) } else { write!(f, " ({})", self.value) }
    }
}

/// Gathers the faults of one file.
pub(super) struct Faults<'a> {
    pub(super) file: &'a str,
    pub(super) found: &'a mut Vec<ContentError>,
}

const MAX_VALUE: usize = 60;

impl Faults<'_> {
    /// Notes a fault.
    pub(super) fn add(&mut self, path: impl Into<String>, problem: Problem, value: impl fmt::Display) {
        self.found.push(ContentError {
            file: self.file.to_owned(),
            path: path.into(),
            problem,
            value: value.to_string().chars().take(MAX_VALUE).collect(),
        });
    }
}
