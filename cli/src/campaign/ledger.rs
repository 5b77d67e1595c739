//! The ledger: what happened in a campaign, one event a line, in the order of true time. It is written before
//! any phone lives it and knows nothing of tables, ids or changes, so that figures counted from it can stand
//! against figures that came through phones and hub.
//!
//! Numbers (`HouseholdNo`, ...) count within one ledger. An event names only what its phone can know by then:
//! rows of its own, or rows that were synced from their author and to it by whole [`What::Sync`](super::event::What::Sync)s.

use std::io::{BufRead, Write};

use langso_domain::date::CivilDate;
use serde::{Deserialize, Serialize};

use super::codes::{Language, Role, Signal, TeamKind};
use super::event::Event;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty),)+) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        })+
    };
}

numbers! {
    /// A team, by its place in [`Header::teams`].
    TeamNo(u8),
    /// A member, by the place in [`Team::members`]; a member has one device.
    MemberNo(u8),
    /// A physical phone, by its place in [`Header::phones`].
    PhoneNo(u8),
    /// A hamlet of a team; unique in the ledger.
    HamletNo(u16),
    /// A household; unique in the ledger.
    HouseholdNo(u32),
    /// A person; unique in the ledger.
    PersonNo(u32),
    /// A consent; unique in the ledger.
    ConsentNo(u32),
    /// A visit; unique in the ledger.
    VisitNo(u32),
    /// A follow-up; unique in the ledger.
    FollowUpNo(u32),
    /// A group; unique in the ledger.
    GroupNo(u32),
    /// A failure code's number, from 16.
    FailureNo(u8),
}

/// A moment of true time, ms since 1970-01-01T00:00Z; a phone's own clock may show another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// That many seconds after midnight in Vietnam.
    pub fn on(day: CivilDate, second: u32) -> Self {
        Self(day.starts_at() + i64::from(second) * 1_000)
    }

    /// The civil date in Vietnam.
    pub fn date(self) -> CivilDate {
        CivilDate::at(self.0)
    }
}

/// A stretch of days, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Span {
    /// First day.
    #[serde(with = "iso")]
    pub from: CivilDate,
    /// Last day.
    #[serde(with = "iso")]
    pub to: CivilDate,
}

impl Span {
    /// Whether the day lies in it.
    pub fn holds(&self, day: CivilDate) -> bool {
        (self.from..=self.to).contains(&day)
    }
}

/// What stands before the events.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The campaign's code, such as `quang-ninh-2024`.
    pub campaign: String,
    /// The plan that every visit, session and grant counts under.
    pub plan: String,
    /// The seed it was made from.
    pub seed: u64,
    /// The days it covers.
    pub period: Span,
    /// The days within which portal turns count.
    pub half_year: Span,
    /// All teams.
    pub teams: Vec<Team>,
    /// All phones.
    pub phones: Vec<Phone>,
}

/// A team as its commune's decision founded it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Team {
    /// Its number.
    pub no: TeamNo,
    /// As in the decision.
    pub name: String,
    /// Who it is.
    pub kind: TeamKind,
    /// `farmers` or `women` for a union's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    /// Communes of the list before July 2025 where it works, `CODE@2024`; the first is its seat.
    pub units: Vec<String>,
    /// Nothing is dated before it.
    #[serde(with = "iso")]
    pub founded_on: CivilDate,
    /// Where it works.
    pub hamlets: Vec<Hamlet>,
    /// The lead is one of them.
    pub members: Vec<Member>,
    /// Days on which no phone of the team syncs; what needs a network is then done at the service centre.
    pub no_signal: Vec<Span>,
}

impl Team {
    /// The lead.
    pub fn lead(&self) -> MemberNo {
        let at = self.members.iter().position(|member| member.role == Role::Lead);
        MemberNo(at.unwrap_or(0) as u8)
    }
}

/// A hamlet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hamlet {
    /// Its number.
    pub no: HamletNo,
    /// With its kind, such as `Thôn Khe Vằn`.
    pub name: String,
    /// Its commune, `CODE@2024`.
    pub unit: String,
    /// Mostly spoken.
    pub language: Language,
    /// To be expected.
    pub signal: Signal,
    /// By its own list.
    pub household_total: u32,
}

/// A volunteer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// As on the identity card.
    pub name: String,
    /// What the member is.
    pub role: Role,
    /// The phone that holds the member's device; another member's may be in it too.
    pub phone: PhoneNo,
}

/// A physical phone of the team.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Phone {
    /// Its number.
    pub no: PhoneNo,
    /// Whose team's.
    pub team: TeamNo,
    /// Who use it: one member, or two.
    pub members: Vec<MemberNo>,
    /// What its wall clock shows minus true time, all the while; ms.
    pub clock_offset_ms: i64,
}

/// A campaign as it happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    /// Who, when, with which phones.
    pub header: Header,
    /// In the order of `at`; of one device never two at the same moment.
    pub events: Vec<Event>,
}

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file ends early or cannot be read.
    #[error("cannot read the ledger")]
    Unreadable(#[from] std::io::Error),
    /// A line is no event of this version.
    #[error("line {line} of the ledger is malformed")]
    Malformed {
        /// From 1.
        line: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// There is no first line.
    #[error("the ledger is empty")]
    Empty,
}

impl Ledger {
    /// The events of one team; the header stays whole, so that numbers keep their meaning.
    pub fn of_team(&self, team: TeamNo) -> Self {
        let events = self.events.iter().filter(|event| event.team == team).cloned().collect();
        Self { header: self.header.clone(), events }
    }

    /// Writes the header and then one event a line, as JSON; the same ledger gives the same bytes.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_jsonl(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut out, &self.header)?;
        out.write_all(b"\n")?;
        for event in &self.events {
            serde_json::to_writer(&mut out, event)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Reads what [`Self::write_jsonl`] wrote.
    ///
    /// # Errors
    /// [`LedgerError`] by the first line that is not right.
    pub fn read_jsonl(input: impl BufRead) -> Result<Self, LedgerError> {
        let mut lines = input.lines();
        let first = lines.next().ok_or(LedgerError::Empty)??;
        let header =
            serde_json::from_str(&first).map_err(|source| LedgerError::Malformed { line: 1, source })?;
        let mut events = Vec::new();
        for (at, line) in lines.enumerate() {
            let event = serde_json::from_str(&line?)
                .map_err(|source| LedgerError::Malformed { line: at + 2, source })?;
            events.push(event);
        }
        Ok(Self { header, events })
    }
}

/// A civil date as `yyyy-mm-dd`.
pub(super) mod iso {
    use langso_domain::date::CivilDate;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(date: &CivilDate, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CivilDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        CivilDate::parse_iso(&text).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}
