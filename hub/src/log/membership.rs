//! Who is in a team and what a team holds: joining, leaving, and what a device gets and loses by it.

use langso_domain::id::{DeviceId, MemberId, RowId, ScopeId, TeamId};
use langso_domain::registry::{Role, ScopeKind};
use rusqlite::{Connection, Transaction, params};

use super::directory::{devices_of, grant, kind, role, takes_over};
use super::{Log, Result, statements};
use crate::clock::Millis;

impl Log {
    /// The devices of a team that may sync, each with its role there.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`], [`super::Error::Corrupt`].
    pub fn devices_of(&self, team: TeamId) -> Result<Vec<(DeviceId, Role)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::DEVICES_OF_TEAM)?;
            let mut rows = statement.query([team.0.0])?;
            let mut devices = Vec::new();
            while let Some(row) = rows.next()? {
                devices.push((DeviceId(row.get(0)?), role(row, 1)?));
            }
            Ok(devices)
        })
    }

    /// Who trains a team.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`].
    pub fn trainers_of(&self, team: TeamId) -> Result<Vec<MemberId>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::TRAINERS_OF)?;
            let rows = statement.query_map([team.0.0], |row| row.get(0).map(|id| MemberId(RowId(id))))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// What a team holds now, in order of scopes.
    ///
    /// # Errors
    /// [`super::Error::Sqlite`], [`super::Error::Corrupt`].
    pub fn held_by(&self, team: TeamId) -> Result<Vec<(ScopeId, ScopeKind)>> {
        self.read(|connection| held_by(connection, team))
    }
}

pub(super) fn join(
    transaction: &Transaction<'_>,
    device: DeviceId,
    team: TeamId,
    role: Role,
    now: Millis,
) -> Result<()> {
    for (scope, kind) in held_by(transaction, team)? {
        if takes_over(role, kind) {
            grant(transaction, device, scope, role as i64, now)?;
        }
    }
    transaction.prepare_cached(statements::COME_BACK)?.execute(params![device.0, team.0.0, role as u8])?;
    Ok(())
}

pub(super) fn leave(
    transaction: &Transaction<'_>,
    device: DeviceId,
    team: TeamId,
    now: Millis,
) -> Result<()> {
    // What everybody has is nobody's to lose: content newer than the release reaches also who is between two teams.
    let lost = held_by(transaction, team)?.into_iter().filter(|(_, kind)| *kind != ScopeKind::Reference);
    let lost: Vec<ScopeId> = lost.map(|(scope, _)| scope).collect();
    end_grants(transaction, device, team, &lost, now)?;
    transaction.prepare_cached(statements::LEAVE_TEAM)?.execute(params![device.0, team.0.0, now.0])?;
    Ok(())
}

/// In the transaction itself, so that a code used while the operator looked lets nobody stay.
pub(super) fn end_member(
    transaction: &Transaction<'_>,
    member: MemberId,
    team: TeamId,
    now: Millis,
) -> Result<()> {
    transaction.prepare_cached(statements::END_CODES)?.execute(params![member.0.0, now.0])?;
    let mut trained = transaction.prepare_cached(statements::TRAINED_SCOPES)?;
    let trained = trained.query_map([member.0.0], |row| row.get(0).map(ScopeId))?;
    let trained: Vec<ScopeId> = trained.collect::<rusqlite::Result<_>>()?;
    for (device, _) in devices_of(transaction, statements::DEVICES_OF_MEMBER, member.0.0)? {
        leave(transaction, device, team, now)?;
        end_grants(transaction, device, team, &trained, now)?;
    }
    transaction.prepare_cached(statements::END_TRAINER)?.execute([member.0.0])?;
    Ok(())
}

/// But for what other teams of the device hold.
fn end_grants(
    transaction: &Transaction<'_>,
    device: DeviceId,
    team: TeamId,
    lost: &[ScopeId],
    now: Millis,
) -> Result<()> {
    let mut kept = transaction.prepare_cached(statements::SCOPES_ELSEWHERE)?;
    let kept = kept.query_map(params![device.0, team.0.0], |row| row.get(0).map(ScopeId))?;
    let kept: Vec<ScopeId> = kept.collect::<rusqlite::Result<_>>()?;
    for scope in lost.iter().filter(|scope| !kept.contains(scope)) {
        transaction.prepare_cached(statements::END_GRANT)?.execute(params![device.0, scope.0, now.0])?;
    }
    Ok(())
}

fn held_by(connection: &Connection, team: TeamId) -> Result<Vec<(ScopeId, ScopeKind)>> {
    let mut statement = connection.prepare_cached(statements::TEAM_SCOPES)?;
    let mut rows = statement.query([team.0.0])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push((ScopeId(row.get(0)?), kind(row, 1)?));
    }
    Ok(held)
}
