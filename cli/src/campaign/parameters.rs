//! The parameters of a campaign, one to one with `campaign.json`: published figures with their qualifiers,
//! days, teams and places. Where each number comes from stands in the README beside that file.

use serde::Deserialize;

use super::codes::{GrantItem, Language, Signal, TeamKind};
use super::ledger::Span;

/// Everything a ledger is made from, the seed apart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The campaign's code.
    pub code: String,
    /// The plan's name.
    pub plan: String,
    /// The seed used unless another is given.
    pub seed: u64,
    /// The days it covers.
    pub period: Span,
    /// The days within which portal turns count.
    pub half_year: Span,
    /// Days on which nobody goes out.
    pub holidays: Vec<Span>,
    /// The published figures that the ledger must agree with.
    pub figures: Vec<Figure>,
    /// How much of everything the generator makes; inventions within the qualifiers.
    pub volume: Volume,
    /// The handing over of phones.
    pub grants: Grants,
    /// The clubs.
    pub clubs: Clubs,
    /// All teams.
    pub teams: Vec<TeamPlan>,
}

/// How a published figure is qualified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Operator {
    /// Exactly.
    #[serde(rename = "=")]
    Exactly,
    /// Just under ("gần"): below, and at most a tenth below.
    #[serde(rename = "<~")]
    JustUnder,
    /// Over ("trên").
    #[serde(rename = ">")]
    Over,
    /// At least ("ít nhất").
    #[serde(rename = ">=")]
    AtLeast,
}

impl Operator {
    /// Whether a count agrees with the published value.
    pub fn agrees(self, count: u64, published: u64) -> bool {
        match self {
            Self::Exactly => count == published,
            Self::JustUnder => count < published && count * 10 >= published * 9,
            Self::Over => count > published,
            Self::AtLeast => count >= published,
        }
    }
}

/// A published figure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The tally rows whose sum it is, such as `["14a", "14b"]`.
    pub rows: Vec<String>,
    /// Its words in the source.
    pub words: String,
    /// How it is qualified.
    pub operator: Operator,
    /// The value published.
    pub value: u64,
}

/// Both ends included; one is drawn by the seed.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Range(pub u32, pub u32);

/// How much the generator makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// First logins that succeed within the half-year.
    pub first_logins: Range,
    /// Filings that succeed within the half-year.
    pub filings: Range,
    /// Of 100 filings within the half-year, those made at the visit of the first login.
    pub filed_at_once: u32,
    /// Portal turns of 100 first logins that come to something else.
    pub portal_other: u32,
    /// Visits of hamlet and youth teams within the half-year, about other services first of all.
    pub other_visits: Range,
    /// Visits of hamlet and youth teams after the half-year, before the handing over of phones.
    pub later_visits: Range,
    /// Persons with a new seller account.
    pub accounts: Range,
    /// Of them, persons with a first sale.
    pub sales: Range,
    /// Visits of farmers' teams that bring no account.
    pub account_failures: Range,
    /// Propaganda sessions of the agency.
    pub propaganda: Range,
    /// Training conferences of the women's team.
    pub conferences: u32,
    /// Visits of each women's and agency team.
    pub union_visits: Range,
    /// Half-days of work without a visit, a member.
    pub work_days: Range,
}

/// Phones handed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Sets given; each holds every item.
    pub sets: u32,
    /// What a set holds.
    pub items: Vec<GrantItem>,
    /// The days of it.
    pub days: Span,
    /// Districts whose hamlet teams hand over.
    pub districts: Vec<String>,
    /// Who gave.
    pub donor: String,
}

/// Clubs of the farmers' teams.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clubs {
    /// Members of each.
    pub members: u32,
    /// Names, one a club; dealt to the farmers' teams in turn.
    pub names: Vec<String>,
}

/// A team as planned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamPlan {
    /// As in the decision.
    pub name: String,
    /// Who it is.
    pub kind: TeamKind,
    /// `farmers` or `women`.
    #[serde(default)]
    pub association: Option<String>,
    /// The district's name.
    pub district: String,
    /// yyyy-mm-dd.
    pub founded_on: String,
    /// Physical phones.
    pub phones: u8,
    /// How many of them two members share.
    pub shared: u8,
    /// Wall clocks that are wrong: phone (from 0 within the team) and seconds ahead.
    #[serde(default)]
    pub wrong_clocks: Vec<(u8, i64)>,
    /// Days without signal.
    #[serde(default)]
    pub no_signal: Vec<Span>,
    /// Syncs in ten weeks, a device.
    pub syncs_in_ten_weeks: u32,
    /// Languages that members' names come from.
    pub names: Vec<Language>,
    /// Where it works.
    pub hamlets: Vec<HamletPlan>,
}

/// A hamlet as planned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HamletPlan {
    /// With its kind.
    pub name: String,
    /// `CODE@2024`.
    pub unit: String,
    /// Mostly spoken.
    pub language: Language,
    /// To be expected.
    pub signal: Signal,
    /// By its own list.
    pub household_total: u32,
}
