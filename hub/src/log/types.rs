//! What the log is told and what it answers, as plain data: no SQL, no HTTP.

use langso_domain::date::CivilDate;
use langso_domain::id::{DeviceId, Key, MemberId, RowId, ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::chain::Chain;
use langso_sync::change::ChangeHash;

use crate::clock::Millis;

/// A change's place in its scope: dense from 1; 0 = before the first.
pub type Position = u64;

/// What is counted for a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeState {
    /// Its kind.
    pub kind: ScopeKind,
    /// Position of its newest change, 0 when it has none.
    pub head: Position,
    /// Chain at the head.
    pub chain: Chain,
    /// Position that a verified backup holds.
    pub watermark: Position,
}

/// Why a change waits for the lead. An open list: the codes are kept as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The device does not hold the scope now.
    OutOfScope,
    /// The device's role may not write one of the tables, or the table does not live in this kind of scope.
    BeyondRole,
    /// The device was revoked before the change came.
    RevokedDevice,
    /// The hub vouches for a device that its directory does not know (after a roll-back).
    UnknownDevice,
    /// The writer is bound to another device or scope.
    WriterElsewhere,
    /// Inside a true frame, bytes that are not a change.
    Malformed,
    /// The hub never minted the scope.
    UnknownScope,
}

impl Reason {
    /// The code in the table and in answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::OutOfScope => "out_of_scope",
            Self::BeyondRole => "beyond_role",
            Self::RevokedDevice => "revoked_device",
            Self::UnknownDevice => "unknown_device",
            Self::WriterElsewhere => "writer_elsewhere",
            Self::Malformed => "malformed",
            Self::UnknownScope => "unknown_scope",
        }
    }
}

/// One change of a frame, read as far as the log needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its key; none when the bytes do not even tell that.
    pub key: Option<Key>,
    /// SHA-256 of its bytes.
    pub hash: ChangeHash,
    /// As the author encoded it.
    pub bytes: Vec<u8>,
    /// The tables it writes; none when the bytes are not a change.
    pub tables: Option<Tables>,
    /// The device that wrote it: the signer of the frame, or whom the hub names in a frame of its own.
    pub device: DeviceId,
}

/// A set of table numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tables([u64; 4]);

impl Tables {
    /// Adds one.
    pub fn add(&mut self, table: u8) {
        self.0[usize::from(table >> 6)] |= 1 << (table & 63);
    }

    /// All, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |table| self.0[usize::from(table >> 6)] >> (table & 63) & 1 == 1)
    }
}

/// A verified frame, taken apart outside the write lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// The scope that all its changes claim.
    pub scope: ScopeId,
    /// In the order of the frame.
    pub items: Vec<Item>,
    /// Signed by the hub itself: every change of it had a position, and was judged when it got that.
    pub had_positions: bool,
}

/// What became of a frame's changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ingested {
    /// New: each got a position.
    pub accepted: u32,
    /// Had a position before, and which.
    pub known: Vec<(Key, Position)>,
    /// Wait for the lead, new ones and those sent before, with the reason.
    pub set_aside: Vec<(Option<Key>, Reason)>,
    /// Keys that the log holds with other bytes.
    pub collisions: Vec<Key>,
}

/// A change as it is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its place.
    pub position: Position,
    /// Its key.
    pub key: Key,
    /// The device its writer is bound to.
    pub device: DeviceId,
    /// The chain at its position.
    pub chain: Chain,
    /// As the author encoded it.
    pub bytes: Vec<u8>,
}

/// A device as the directory knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Ed25519.
    pub public_key: [u8; 32],
    /// Whose; none for the hub.
    pub member: Option<MemberId>,
    /// The team that enrolled it; none for the hub.
    pub team: Option<TeamId>,
    /// What it is.
    pub role: Role,
    /// Since when.
    pub enrolled_at: Millis,
    /// Since when it may no longer sync.
    pub revoked_at: Option<Millis>,
    /// Its row in its team's scope; none for the hub.
    pub row: Option<RowId>,
}

/// A scope that a device holds now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The scope.
    pub scope: ScopeId,
    /// Its kind.
    pub kind: ScopeKind,
    /// What the device may be in it.
    pub role: Role,
}

/// A team as the directory knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Team {
    /// Its row.
    pub id: TeamId,
    /// Its team scope.
    pub scope: ScopeId,
    /// Its training scope.
    pub training: ScopeId,
    /// Its commune when founded, code and list version.
    pub unit: String,
    /// As in the decision.
    pub name: String,
}

/// A change that waits for the lead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// Names it.
    pub name: WaitingName,
    /// None when the bytes tell none.
    pub key: Option<Key>,
    /// Who signed.
    pub device: DeviceId,
    /// A code of [`Reason`].
    pub reason: String,
    /// First seen.
    pub at: Millis,
}

/// Names what waits within its scope, by its bytes: a hub that was restored gives the numbers of what it lost to other
/// things, and a verdict on the one must never settle the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WaitingName {
    /// Set aside; can be admitted.
    SetAside(i64, ChangeHash),
    /// The log has the key with other bytes: can only be said again.
    Collision(Key, ChangeHash),
}

/// What waits, with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingChange {
    /// Its name.
    pub name: WaitingName,
    /// None when the bytes tell none.
    pub key: Option<Key>,
    /// Who signed.
    pub device: DeviceId,
    /// A code of [`Reason`], or `other_bytes`.
    pub reason: String,
    /// First seen.
    pub at: Millis,
    /// As they came.
    pub bytes: Vec<u8>,
}

/// One computed figure.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
pub struct Cell {
    /// Code and version.
    pub indicator: String,
    /// A period's code, such as `2026-M11`.
    pub period: String,
    /// Code and list version; empty for the whole scope.
    pub unit: String,
    /// JSON object of further dimensions, keys sorted; `{}` when none.
    pub dims: String,
    /// A count, or thousandths of an imported figure. A cell that is not there is 0 (or not known, when imported).
    pub value: i64,
}

/// What the cells of a scope are of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Projection {
    /// They hold all up to here.
    pub position: Position,
    /// Hub time of that position; none before the first change.
    pub as_of: Option<Millis>,
    /// States, such as what is overdue, are as on this day.
    pub day: CivilDate,
    /// Hash of the views and indicators.
    pub made_by: [u8; 8],
}

/// Cells of a scope and what they are of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// In order of indicator, period, unit and dimensions.
    pub cells: Vec<Cell>,
    /// None before the first projection.
    pub projection: Option<Projection>,
}

/// A backup that was read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackedUp {
    /// Hub time of the copy.
    pub at: Millis,
    /// Where it was put; whether it is still there, the log does not know.
    pub folder: String,
    /// Of its files.
    pub bytes: u64,
    /// How many it holds over all scopes.
    pub changes: u64,
}

/// An enrolment code as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// The team it enrols into.
    pub team: TeamId,
    /// The member.
    pub member: MemberId,
    /// What the device will be.
    pub role: Role,
    /// Until when it works.
    pub expires_at: Millis,
}

/// A code as the hub keeps it: without its secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeState {
    /// Whom it enrols.
    pub member: MemberId,
    /// As what.
    pub role: Role,
    /// When it was made.
    pub made_at: Millis,
    /// Until when it works.
    pub expires_at: Millis,
    /// The device that used it, and when.
    pub used: Option<(DeviceId, Millis)>,
    /// The first other device that tried, and when: somebody saw the code who should not have.
    pub tried_again: Option<(DeviceId, Millis)>,
}

/// What became of an attempt to enrol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enrolled {
    /// Now, or before with the same key: the reply may have been lost.
    Yes(Box<Device>),
    /// No such code.
    UnknownCode,
    /// Its time is over.
    Expired,
    /// Another key used it; the attempt is recorded for the lead.
    Used,
}

/// One thing to write; a list of them is written whole or not at all.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// A scope the hub mints.
    Scope(ScopeId, ScopeKind),
    /// A change of the hub's own, to be given the next position.
    Change(ScopeId, Vec<u8>),
    /// A team in the directory.
    Team(Team),
    /// A place's scope, by code and list version.
    Place(String, ScopeId),
    /// A scope that a team holds from now on; its devices get it.
    Hold(TeamId, ScopeId),
    /// A device that is in a team from now on, beside any other, in that role; it gets what the team holds.
    Join(DeviceId, TeamId, Role),
    /// A device whose member has left a team: it loses what the team holds and no other team of its own does.
    Leave(DeviceId, TeamId),
    /// A member who has left a team: unused codes work no more, the devices that enrolled by one leave, and a trainer
    /// trains nobody any more.
    EndMember(MemberId, TeamId),
    /// A team that holds nothing any more: the other one does. Its devices keep what they have; codes not used yet
    /// enrol into the other one.
    Retire(TeamId, TeamId),
    /// A trainer who trains a team from now on; the trainer's devices get its training scope.
    Train(MemberId, TeamId),
    /// An enrolment code.
    Code(Code),
    /// A device that may no longer sync.
    Revoke(DeviceId),
    /// A change that waits gets its position, at the word of that device's lead; none = the operator's.
    Admit(ScopeId, WaitingName, Option<DeviceId>),
    /// What waits was said again by a new change, and waits no more.
    Reentered(ScopeId, WaitingName, Option<DeviceId>),
}
