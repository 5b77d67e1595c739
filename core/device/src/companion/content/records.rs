//! The records of content.

use langso_domain::content::{ContentRef, FailureAction, Text as Words};
use serde::{Deserialize, Serialize};

use crate::companion::record::Day;

/// What a team helps with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ServiceList {
    /// Most used first.
    pub services: Vec<ServiceRow>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct ServiceRow {
    /// What a service row names.
    pub service: ContentRef,
    /// Its name.
    pub title: Words,
    /// The tutorial to walk for it.
    pub tutorial: Option<ContentRef>,
    /// Numbers of the list `outcomes` that a row may have, in order.
    pub outcomes: Vec<u8>,
    /// How often the team helped with it in the last 90 days.
    pub uses: u32,
}

/// Which reasons. Everything given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields, default)]
pub struct FindFailures {
    /// Of this service: its code, or `code@version`.
    #[uniffi(default)]
    pub service: Option<String>,
    /// A number of the list `outcomes`.
    #[uniffi(default)]
    pub outcome: Option<u8>,
    /// At a step of this tutorial: its code, or `code@version`.
    #[uniffi(default)]
    pub tutorial: Option<String>,
    /// That step, from 1.
    #[uniffi(default)]
    pub step: Option<u8>,
}

/// Reasons to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FailureList {
    /// The likeliest first.
    pub codes: Vec<FailureRow>,
    /// The outcome cannot be saved without one.
    pub is_needed: bool,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FailureRow {
    /// The failure code's number, as rows keep it.
    pub failure: u8,
    /// As people say it, such as `D1`.
    pub code: String,
    /// A number of the list `reason_groups`.
    pub group: Option<u8>,
    /// The reason.
    pub text: Words,
    /// What kind of next step.
    pub action: FailureAction,
}

/// Which reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct OfFailure {
    /// The failure code's number.
    pub failure: u8,
}

/// What to do about a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct FailureHelp {
    /// The reason. Its action `stop` means: a full red page, and the run ends.
    pub failure: FailureRow,
    /// What to do now, in words.
    pub next: Words,
    /// The tutorial that removes the cause.
    pub tutorial: Option<ContentRef>,
}

/// All tutorials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TutorialList {
    /// By code.
    pub tutorials: Vec<TutorialRow>,
}

/// One tutorial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TutorialRow {
    /// With its newest version.
    pub tutorial: ContentRef,
    /// Its name.
    pub title: Words,
    /// It has steps and can be walked through.
    pub is_ready: bool,
    /// How many.
    pub steps: u8,
    /// How long it usually takes.
    pub minutes: Option<u8>,
    /// When its steps were last compared with the real screens.
    pub reviewed: Option<Day>,
    /// That was too long ago.
    pub is_out_of_date: bool,
}

/// Which tutorial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[serde(deny_unknown_fields)]
pub struct GetTutorial {
    /// Its code, for the newest version, or `code@version`.
    pub tutorial: String,
}

/// A tutorial with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TutorialView {
    /// With version.
    pub tutorial: ContentRef,
    /// Its name.
    pub title: Words,
    /// It has steps and can be walked through.
    pub is_ready: bool,
    /// How long it usually takes.
    pub minutes: Option<u8>,
    /// When its steps were last compared with the real screens.
    pub reviewed: Option<Day>,
    /// That was too long ago: real screens may differ.
    pub is_out_of_date: bool,
    /// A newer version, when this is an older one.
    pub newer: Option<ContentRef>,
    /// Rules for the whole walk.
    pub rules: Vec<RuleText>,
    /// In order.
    pub steps: Vec<StepView>,
    /// What can come out of it.
    pub services: Vec<TutorialService>,
    /// What it rests on.
    pub sources: Vec<String>,
}

/// A rule in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct RuleText {
    /// `R1` to `R7` in the release.
    pub rule: String,
    /// What it asks for.
    pub text: Words,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct StepView {
    /// From 1.
    pub step: u8,
    /// What to do.
    pub text: Words,
    /// When it counts as passed.
    pub done: Words,
    /// Rules that matter here.
    pub rules: Vec<RuleText>,
    /// The citizen types a secret: look away.
    pub turn_away: bool,
    /// The citizen does it once more alone.
    pub teach_back: bool,
    /// The reason at which everything stops: its number.
    pub safety_stop: Option<u8>,
    /// Reasons to offer, the likeliest first.
    pub failures: Vec<FailureRow>,
}

/// What a tutorial can achieve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, uniffi::Record)]
pub struct TutorialService {
    /// The service it is logged as.
    pub service: Option<ContentRef>,
    /// Its name.
    pub title: Option<Words>,
    /// First step that belongs to it.
    pub from_step: Option<u8>,
    /// Last step that belongs to it.
    pub to_step: Option<u8>,
    /// When it counts as achieved.
    pub done: Words,
}
