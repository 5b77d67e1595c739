//! The shapes of content, one to one with the JSON of `fixtures/tutorials` and `fixtures/codes`.
//!
//! Pure data. Unknown JSON fields are refused, so that a misspelt field never passes for an absent one. What the
//! values must obey is in `check`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::reference::ContentRef;
use crate::date::CivilDate;

/// Words in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Vietnamese, NFC, old tone placement.
    pub vi: String,
    /// English.
    pub en: String,
}

/// How far a tutorial has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Title and results only; it cannot be walked through yet.
    Outline,
    /// Steps, minutes and a review date are there.
    Ready,
}

/// A checklist that a volunteer walks through with a citizen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tutorial {
    /// `T1` to `T9` in the release.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// Whether it has steps.
    pub status: Status,
    /// Its name.
    pub title: Text,
    /// How long it usually takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u8>,
    /// The day its steps were last compared with the real screens; JSON `yyyy-mm-dd`.
    #[serde(default, with = "iso_date", skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<CivilDate>,
    /// For how many days after `reviewed` it passes for up to date.
    #[serde(default = "default_review_days")]
    pub review_days: u16,
    /// Codes of the list `rules` that hold for the whole walk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Failure codes that may be the reason at every step, shown after the step's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures_any_step: Vec<String>,
    /// What can come out of it, each with the service it is logged as.
    pub results: Vec<TutorialResult>,
    /// Short names of what it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Numbered from 1 without holes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// How long a review holds unless the tutorial says otherwise.
pub const REVIEW_DAYS: u16 = 90;

fn default_review_days() -> u16 {
    REVIEW_DAYS
}

/// One thing a tutorial can achieve: T3 has three.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TutorialResult {
    /// The service it is logged as.
    pub service: String,
    /// First step that belongs to it; absent in an outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_step: Option<u8>,
    /// Last step that belongs to it; absent in an outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_step: Option<u8>,
    /// When it counts as achieved.
    pub done: Text,
}

/// One step of a tutorial.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From 1, its place.
    pub number: u8,
    /// Names the step in every version, also when it moves.
    pub id: String,
    /// What to do.
    pub text: Text,
    /// Failure codes that are likely here.
    pub failures: Vec<String>,
    /// Codes of the list `rules` that matter here.
    pub rules: Vec<String>,
    /// The citizen types a secret: the volunteer must look away.
    pub turn_away: bool,
    /// The failure code at which everything stops.
    pub safety_stop: Option<String>,
    /// The citizen does it once more alone.
    pub teach_back: bool,
    /// When the step counts as passed.
    pub done: Text,
}

/// What to do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureAction {
    /// Try the step again.
    Retry,
    /// Another office must do it.
    Refer,
    /// Come back later.
    FollowUp,
    /// Leave it at that.
    Respect,
    /// Stop at once.
    Stop,
}

/// Why something is not done, and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureCode {
    /// A letter and a digit, such as `D1`; the letter is the group.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// On the wire, for ever; from 16, because a byte below 16 in a checklist is a step result.
    pub number: u8,
    /// A code of the list `reason_groups`.
    pub group: String,
    /// The reason.
    pub text: Text,
    /// What kind of next step.
    pub action: FailureAction,
    /// The next step in words.
    pub next: Text,
    /// The tutorial that removes the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tutorial: Option<String>,
}

/// Something a team helps with; what a service row names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Such as `vneid_level2`.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// Its name.
    pub title: Text,
    /// The tutorial's code, without version: the newest one is walked.
    pub tutorial: Option<String>,
    /// Codes of the list `outcomes` that a row may have.
    pub outcomes: Vec<String>,
    /// Failure codes that a row may have.
    pub failures: Vec<String>,
    /// Codes of the list `published_figures` that this service's rows stand beside.
    pub published_figures: Vec<String>,
}

/// What a consent lets the team keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// A household, its persons and what was done.
    Household,
    /// A name used and a phone number.
    Contact,
}

/// A text read out to ask for consent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// `consent.script` or `consent.contact` in the release.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// What it lets the team keep.
    pub covers: Covers,
    /// Codes of the list `purposes`.
    pub purposes: Vec<String>,
    /// Days after which the data go at the latest; none = until withdrawn.
    pub retention_days: Option<u16>,
    /// The `{names}` that both languages hold.
    pub parameters: Vec<String>,
    /// Every kind of data that the text names.
    pub data: Vec<DataKind>,
    /// What is read out.
    pub text: Text,
}

/// A kind of data, and the words by which a consent text names it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataKind {
    /// Its code.
    pub kind: String,
    /// As it stands in the Vietnamese text.
    pub words: String,
    /// `table.field` of the registry.
    pub fields: Vec<String>,
}

/// The words of an open integer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The name that the registry's enum fields give, such as `outcomes`.
    pub code: String,
    /// From 1.
    pub version: u32,
    /// In the order in which they are shown.
    pub entries: Vec<ListEntry>,
}

/// One value of an open integer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListEntry {
    /// On the wire, for ever.
    pub number: u8,
    /// Its name in code and files.
    pub code: String,
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// What can be published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContentKind {
    /// A [`Tutorial`].
    Tutorial,
    /// A [`Service`].
    Service,
    /// A [`FailureCode`].
    FailureCode,
    /// A [`Consent`].
    Consent,
    /// A [`List`].
    List,
}

impl ContentKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Tutorial, Self::Service, Self::FailureCode, Self::Consent, Self::List];

    /// The name in `content_items.kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tutorial => "tutorial",
            Self::Service => "service",
            Self::FailureCode => "failure_code",
            Self::Consent => "consent",
            Self::List => "list",
        }
    }

    /// From its name; none for kinds this version does not know.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One piece of content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A checklist.
    Tutorial(Tutorial),
    /// Something a team helps with.
    Service(Service),
    /// A reason.
    FailureCode(FailureCode),
    /// A text read out.
    Consent(Consent),
    /// Words of an open integer.
    List(List),
}

impl Item {
    /// Which kind it is.
    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Tutorial(_) => ContentKind::Tutorial,
            Self::Service(_) => ContentKind::Service,
            Self::FailureCode(_) => ContentKind::FailureCode,
            Self::Consent(_) => ContentKind::Consent,
            Self::List(_) => ContentKind::List,
        }
    }

    /// Its code and version, unchecked.
    pub fn reference(&self) -> ContentRef {
        let (code, version) = match self {
            Self::Tutorial(item) => (&item.code, item.version),
            Self::Service(item) => (&item.code, item.version),
            Self::FailureCode(item) => (&item.code, item.version),
            Self::Consent(item) => (&item.code, item.version),
            Self::List(item) => (&item.code, item.version),
        };
        ContentRef { code: code.clone(), version }
    }

    /// The JSON that a `content_items` row carries.
    pub fn to_json(&self) -> String {
        match self {
            Self::Tutorial(item) => serde_json::to_string(item),
            Self::Service(item) => serde_json::to_string(item),
            Self::FailureCode(item) => serde_json::to_string(item),
            Self::Consent(item) => serde_json::to_string(item),
            Self::List(item) => serde_json::to_string(item),
        }
        .expect("strings, numbers and lists always have a JSON text")
    }
}

impl Tutorial {
    /// The step of that number, from 1.
    pub fn step(&self, number: u8) -> Option<&Step> {
        self.steps.iter().find(|step| step.number == number)
    }

    /// The reasons to offer at a step: its own first, then those of every step, each once.
    pub fn failures_at(&self, step: u8) -> Vec<&str> {
        let Some(step) = self.step(step) else { return Vec::new() };
        let mut codes: Vec<&str> = step.failures.iter().map(String::as_str).collect();
        codes.extend(
            self.failures_any_step
                .iter()
                .map(String::as_str)
                .filter(|code| !step.failures.iter().any(|own| own == code)),
        );
        codes
    }

    /// The steps that lead to a service.
    pub fn steps_of(&self, service: &str) -> impl Iterator<Item = &Step> {
        let range = self
            .results
            .iter()
            .find(|result| result.service == service)
            .and_then(|result| Some(result.from_step?..=result.to_step?));
        self.steps.iter().filter(move |step| range.as_ref().is_some_and(|range| range.contains(&step.number)))
    }
}

impl List {
    /// The entry of that number.
    pub fn number(&self, number: u8) -> Option<&ListEntry> {
        self.entries.iter().find(|entry| entry.number == number)
    }

    /// The entry of that code.
    pub fn code(&self, code: &str) -> Option<&ListEntry> {
        self.entries.iter().find(|entry| entry.code == code)
    }
}

/// A date as `yyyy-mm-dd`.
mod iso_date {
    use super::{CivilDate, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(date: &Option<CivilDate>, serializer: S) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => serializer.collect_str(date),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CivilDate>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        // The parser reads this message back to tell a wrong date from a wrong type.
        CivilDate::parse_iso(&text).map(Some).ok_or_else(|| serde::de::Error::custom("invalid date"))
    }
}
