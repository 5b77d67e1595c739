//! The events of a ledger: what a team member did, and what befell the phone meanwhile. Pure data; the rules
//! between events stand at the fields and are held by the module's tests.

use langso_domain::date::CivilDate;
use serde::{Deserialize, Serialize};

use super::codes::{
    AgeBand, ConsentWay, Evidence, GrantItem, GroupKind, HalfDay, Language, Outcome, PhoneKind, Place,
    Poverty, Service, SessionKind, Sex, Signal, YesNo,
};
use super::ledger::{
    ConsentNo, FailureNo, FollowUpNo, GroupNo, HamletNo, HouseholdNo, MemberNo, Moment, PersonNo, PhoneNo,
    TeamNo, VisitNo, iso,
};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When it was saved (or the app ended, or there was signal).
    pub at: Moment,
    /// Which team.
    pub team: TeamNo,
    /// Whose device.
    pub member: MemberNo,
    /// In which phone.
    pub phone: PhoneNo,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A household was registered; its consent follows at once.
    Household(Household),
    /// Consent was asked for. Refused: no household, and the visit that follows is an anonymous turn.
    Consent(Consent),
    /// A person of a household was noted.
    Person(Person),
    /// What is known of a person changed: a phone was given.
    PersonChanged {
        /// Who.
        person: PersonNo,
        /// The phone now.
        phone_kind: PhoneKind,
        /// Whether it reads a chip.
        nfc: YesNo,
        /// Whether the SIM is in the own name.
        own_sim: YesNo,
    },
    /// A way to reach a household was noted, by a consent that covers it.
    Contact(Contact),
    /// Help was given.
    Visit(Visit),
    /// A return was planned.
    FollowUp(FollowUp),
    /// A return was made by a visit of the same member, saved before.
    FollowUpDone {
        /// Which.
        follow_up: FollowUpNo,
        /// By what.
        visit: VisitNo,
    },
    /// A return was called off.
    FollowUpCancelled {
        /// Which.
        follow_up: FollowUpNo,
    },
    /// A phone or SIM was given, at a visit saved before.
    Grant(Grant),
    /// A session was held.
    Session(Session),
    /// A club was founded.
    Group(Group),
    /// Somebody joined a club.
    Membership {
        /// Which club.
        group: GroupNo,
        /// Who, when known to the team.
        person: Option<PersonNo>,
        /// Since.
        #[serde(with = "iso")]
        from_date: CivilDate,
    },
    /// The member worked half a day without a visit.
    WorkDay {
        /// Which day.
        #[serde(with = "iso")]
        date: CivilDate,
        /// Which half.
        half: HalfDay,
        /// What was done.
        reason: String,
    },
    /// The app was started anew: a new process. `reboot`: the phone was, too.
    Restart {
        /// The boot clock began again.
        reboot: bool,
    },
    /// The app was killed; it starts anew before the device's next event.
    Kill {
        /// At which moment.
        during: KillDuring,
    },
    /// There was signal and the app synced.
    Sync {
        /// The connection broke after about so many bytes up or down; none = it held. The next one of the
        /// device makes good what is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut_after_bytes: Option<u32>,
    },
}

/// At which moment an app was killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KillDuring {
    /// While the next visit of the device was being typed: nothing of it was saved.
    Draft,
    /// While the next event of the device was being saved: it is there whole or not at all; the member looks,
    /// and saves it again when it is not.
    Save,
    /// While the next sync of the device was under way; that sync then does not end.
    Sync,
}

/// A household.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Household {
    /// Its number.
    pub no: HouseholdNo,
    /// Such as `Hộ 12`.
    pub label: String,
    /// Where.
    pub hamlet: HamletNo,
    /// When known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poverty: Option<Poverty>,
    /// How to find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A question for consent and its answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Consent {
    /// Its number.
    pub no: ConsentNo,
    /// Whose; none when refused.
    pub household: Option<HouseholdNo>,
    /// The answer.
    pub given: bool,
    /// What was read out, by version.
    pub text: String,
    /// How it was given.
    pub way: ConsentWay,
    /// Bits: 1 = the record, 2 = a contact for a return; 0 when refused.
    pub purposes: u8,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// The number.
    pub no: PersonNo,
    /// Of which household.
    pub household: HouseholdNo,
    /// Age.
    pub band: AgeBand,
    /// When noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// The phone.
    pub phone_kind: PhoneKind,
    /// Whether it reads a chip.
    pub nfc: YesNo,
    /// Whether the SIM is in the own name.
    pub own_sim: YesNo,
}

/// A way to reach a household.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// The consent it lives by.
    pub consent: ConsentNo,
    /// Whose.
    pub household: HouseholdNo,
    /// Which person.
    pub person: Option<PersonNo>,
    /// The name used.
    pub display_name: String,
    /// `0xxxxxxxxx`.
    pub phone_number: String,
    /// At most 90 days on.
    #[serde(with = "iso")]
    pub expires_on: CivilDate,
}

/// One time that help was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Visit {
    /// Its number.
    pub no: VisitNo,
    /// Whom; none = an anonymous turn.
    pub household: Option<HouseholdNo>,
    /// Where.
    pub hamlet: HamletNo,
    /// The hamlet's commune at that date, `CODE@2024`.
    pub unit: String,
    /// Civil date.
    #[serde(with = "iso")]
    pub date: CivilDate,
    /// Minute of the day, a multiple of 15.
    pub start_minute: u16,
    /// Minute of the day, a multiple of 15, not before the start.
    pub end_minute: u16,
    /// Kind of place.
    pub place: Place,
    /// Spoken.
    pub language: Language,
    /// There.
    pub signal: Signal,
    /// The one who logs it, first, and who else was there.
    pub members: Vec<MemberNo>,
    /// Passes the never-store list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// At least one.
    pub rows: Vec<ServiceRow>,
}

/// One service of a visit and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceRow {
    /// For whom; none in an anonymous turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonNo>,
    /// What.
    pub service: Service,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureNo>,
    /// Why it is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// The checklist that was filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// A tutorial walked through.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// By version, such as `T1@1`.
    pub tutorial: String,
    /// A byte a step: 0 not reached, 1 passed, 2 skipped, from 16 the failure code's number.
    pub steps: Vec<u8>,
    /// The last step reached, from 1.
    pub last_step: u8,
    /// Of the citizen's phone.
    pub phone_model: String,
    /// Of the citizen's phone.
    pub os_version: String,
    /// How long it took.
    pub minutes: u16,
    /// The citizen did it once more alone.
    pub teach_back: bool,
}

/// A return that was planned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FollowUp {
    /// Its number.
    pub no: FollowUpNo,
    /// The visit it came from, saved before by the same member.
    pub visit: VisitNo,
    /// Whom to see.
    pub household: HouseholdNo,
    /// For whom.
    pub person: PersonNo,
    /// What for.
    pub service: Service,
    /// When.
    #[serde(with = "iso")]
    pub due_on: CivilDate,
    /// Who goes.
    pub assigned_to: MemberNo,
    /// What to bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A thing given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// What.
    pub item: GrantItem,
    /// To whom.
    pub household: HouseholdNo,
    /// For whom.
    pub person: PersonNo,
    /// At which visit.
    pub visit: VisitNo,
    /// By whom.
    pub donor: String,
    /// The commune, `CODE@2024`.
    pub unit: String,
    /// Civil date.
    #[serde(with = "iso")]
    pub date: CivilDate,
}

/// A session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// What it was.
    pub kind: SessionKind,
    /// What about.
    pub topic: String,
    /// Who held it.
    pub organiser: String,
    /// The commune, `CODE@2024`.
    pub unit: String,
    /// When in a hamlet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hamlet: Option<HamletNo>,
    /// Civil date.
    #[serde(with = "iso")]
    pub date: CivilDate,
    /// People who came.
    pub headcount: u32,
    /// Members who worked; the one who logs it first.
    pub members: Vec<MemberNo>,
}

/// A club.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Its number.
    pub no: GroupNo,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: GroupKind,
    /// The commune, `CODE@2024`.
    pub unit: String,
    /// Civil date.
    #[serde(with = "iso")]
    pub founded_on: CivilDate,
}
