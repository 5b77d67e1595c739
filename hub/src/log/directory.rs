//! The directory: devices, what they hold, teams, places and enrolment codes. Small, and the same for all shards.

use langso_domain::id::{DeviceId, MemberId, RowId, ScopeId, TeamId, Writer};
use langso_domain::registry::{Role, ScopeKind};
use langso_sync::chain::Chain;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use subtle::ConstantTimeEq;

use super::membership;
use super::{Code, CodeState, Device, Enrolled, Error, Grant, Log, Result, Team, Write, statements};
use crate::clock::Millis;

impl Log {
    /// A device; none when it never enrolled.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`].
    pub fn device(&self, device: DeviceId) -> Result<Option<Device>> {
        self.read(|connection| self::device(connection, device))
    }

    /// All devices, the hub's own included, in order of enrolment.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`].
    pub fn list_devices(&self) -> Result<Vec<Device>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::DEVICES)?;
            let mut rows = statement.query([])?;
            let mut devices = Vec::new();
            while let Some(row) = rows.next()? {
                devices.push(device_of(DeviceId(row.get(0)?), row, 1)?);
            }
            Ok(devices)
        })
    }

    /// What a device holds now, in order of scopes.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`].
    pub fn grants(&self, device: DeviceId) -> Result<Vec<Grant>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::GRANTS)?;
            let mut rows = statement.query([device.0])?;
            let mut grants = Vec::new();
            while let Some(row) = rows.next()? {
                grants.push(Grant { scope: ScopeId(row.get(0)?), kind: kind(row, 1)?, role: role(row, 2)? });
            }
            Ok(grants)
        })
    }

    /// When a device last ceased to hold a scope, which it does not hold now; none when it never held it.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn left_at(&self, device: DeviceId, scope: ScopeId) -> Result<Option<Millis>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::ENDED_GRANT)?;
            let at: Option<i64> = statement.query_row(params![device.0, scope.0], |row| row.get(0))?;
            Ok(at.map(Millis))
        })
    }

    /// Which scope a writer is bound to; none before its first change.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn scope_of(&self, writer: Writer) -> Result<Option<ScopeId>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::WRITER)?;
            let scope = statement.query_row([writer.0.to_be_bytes()], |row| row.get(0)).optional()?;
            Ok(scope.map(ScopeId))
        })
    }

    /// Puts the hub itself into the directory; twice is once.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn add_hub(&self, hub: DeviceId, public_key: [u8; 32], now: Millis) -> Result<()> {
        self.write(|transaction| {
            let mut add = transaction.prepare_cached(statements::ADD_DEVICE)?;
            let none = Option::<[u8; 12]>::None;
            add.execute(params![hub.0, public_key, none, none, Role::Hub as u8, now.0, none])?;
            Ok(())
        })
    }

    /// Uses an enrolment code for a key: the first key gets the code's team and role; the same key again gets the
    /// same answer, also after the code's time; any other is told so and recorded. What waited for the device, which
    /// this hub knew before it was rolled back, is judged again. `secret_hash` is compared in constant time. `announce` gives the new device's row and what to write with it, in the same transaction.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`], [`Error::UnknownTeam`], or what `announce` gives.
    pub fn enrol<E: From<Error>>(
        &self,
        secret_hash: [u8; 32],
        device: DeviceId,
        public_key: [u8; 32],
        now: Millis,
        announce: impl FnOnce(&Code, &Team) -> std::result::Result<(RowId, Vec<Write>), E>,
    ) -> std::result::Result<Enrolled, E> {
        self.write_or(|transaction| {
            let Some((code, used_by)) = self::code(transaction, secret_hash)? else {
                return Ok(Enrolled::UnknownCode);
            };
            if let Some(used_by) = used_by {
                let known = self::device(transaction, used_by)?.ok_or(Error::Corrupt("code"))?;
                if used_by == device && known.public_key == public_key {
                    return Ok(Enrolled::Yes(Box::new(known)));
                }
                return Ok(second_use(transaction, secret_hash, device, now)?);
            }
            if now >= code.expires_at {
                return Ok(Enrolled::Expired);
            }
            // A device is one member's folder: a key that enrolled before, or another key of its name, is no new one.
            if self::device(transaction, device)?.is_some() {
                return Ok(second_use(transaction, secret_hash, device, now)?);
            }
            let team = self::team(transaction, code.team)?.ok_or(Error::UnknownTeam)?;
            let (row, writes) = announce(&code, &team)?;
            let added = add_device(transaction, &code, device, public_key, row, &writes, now)?;
            for scope in holdings(transaction, &code)? {
                super::append::judge_again(transaction, self.registry, device, scope, now)?;
            }
            Ok(added)
        })
    }

    /// The codes of a team, oldest first.
    ///
    /// # Errors
    /// [`Error::Sqlite`], [`Error::Corrupt`].
    pub fn list_codes(&self, team: TeamId) -> Result<Vec<CodeState>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::CODES_OF)?;
            let mut rows = statement.query([team.0.0])?;
            let mut codes = Vec::new();
            let use_of = |row: &Row<'_>, at| {
                let device: Option<[u8; 8]> = row.get(at)?;
                let when: Option<i64> = row.get(at + 1)?;
                Ok::<_, Error>(device.map(DeviceId).zip(when.map(Millis)))
            };
            while let Some(row) = rows.next()? {
                codes.push(CodeState {
                    member: MemberId(RowId(row.get(0)?)),
                    role: role(row, 1)?,
                    made_at: Millis(row.get(2)?),
                    expires_at: Millis(row.get(3)?),
                    used: use_of(row, 4)?,
                    tried_again: use_of(row, 6)?,
                });
            }
            Ok(codes)
        })
    }

    /// Scopes that frames named and this hub never minted.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_unknown_scopes(&self) -> Result<Vec<ScopeId>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::UNKNOWN_SCOPES)?;
            let rows = statement.query_map([], |row| row.get(0).map(ScopeId))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A team; none when the hub never made it.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn team(&self, team: TeamId) -> Result<Option<Team>> {
        self.read(|connection| self::team(connection, team))
    }

    /// All teams in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_teams(&self) -> Result<Vec<Team>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::TEAMS)?;
            let rows = statement.query_map([], team_of)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// All places with their scopes, by code.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn list_places(&self) -> Result<Vec<(String, ScopeId)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(statements::PLACES)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, ScopeId(row.get(1)?))))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// The attempt is recorded for the lead.
fn second_use(
    transaction: &Transaction<'_>,
    secret_hash: [u8; 32],
    device: DeviceId,
    now: Millis,
) -> Result<Enrolled> {
    let mut record = transaction.prepare_cached(statements::SECOND_USE)?;
    record.execute(params![secret_hash, device.0, now.0])?;
    Ok(Enrolled::Used)
}

fn add_device(
    transaction: &Transaction<'_>,
    code: &Code,
    device: DeviceId,
    public_key: [u8; 32],
    row: RowId,
    writes: &[Write],
    now: Millis,
) -> Result<Enrolled> {
    let hub = hub(transaction)?;
    for write in writes {
        super::append::one(transaction, write, hub, now)?;
    }
    transaction.prepare_cached(statements::ADD_DEVICE)?.execute(params![
        device.0,
        public_key,
        code.member.0.0,
        code.team.0.0,
        code.role as u8,
        now.0,
        row.0,
    ])?;
    let mut used = transaction.prepare_cached(statements::USE_CODE)?;
    used.execute(params![code.secret_hash, device.0, now.0])?;
    for scope in holdings(transaction, code)? {
        grant(transaction, device, scope, code.role as i64, now)?;
    }
    let known = self::device(transaction, device)?.ok_or(Error::Corrupt("device"))?;
    Ok(Enrolled::Yes(Box::new(known)))
}

/// The hub's own device.
fn hub(connection: &Connection) -> Result<DeviceId> {
    let mut statement = connection.prepare_cached(statements::HUB)?;
    Ok(DeviceId(statement.query_row([Role::Hub as u8], |row| row.get(0))?))
}

/// Writes one thing of the directory; changes are not its business.
pub(super) fn put(transaction: &Transaction<'_>, write: &Write, now: Millis) -> Result<()> {
    match write {
        Write::Change(..) | Write::Admit(..) | Write::Reentered(..) => return Err(Error::NotNew),
        Write::Scope(scope, kind) => {
            let mut add = transaction.prepare_cached(statements::ADD_SCOPE)?;
            add.execute(params![scope.0, *kind as i64, Chain::start(*scope).0, now.0])?;
        }
        Write::Team(team) => {
            let mut add = transaction.prepare_cached(statements::ADD_TEAM)?;
            add.execute(params![team.id.0.0, team.scope.0, team.training.0, team.unit, team.name, now.0])?;
        }
        Write::Place(unit, scope) => {
            transaction.prepare_cached(statements::ADD_PLACE)?.execute(params![unit, scope.0, now.0])?;
        }
        Write::Hold(team, scope) => hold(transaction, *team, *scope, now)?,
        Write::Join(device, team, role) => membership::join(transaction, *device, *team, *role, now)?,
        Write::Leave(device, team) => membership::leave(transaction, *device, *team, now)?,
        Write::EndMember(member, team) => membership::end_member(transaction, *member, *team, now)?,
        Write::Retire(team, into) => {
            transaction.prepare_cached(statements::RETIRE_TEAM)?.execute(params![team.0.0, now.0])?;
            transaction.prepare_cached(statements::MOVE_CODES)?.execute([team.0.0, into.0.0])?;
        }
        Write::Train(member, team) => {
            let known = self::team(transaction, *team)?.ok_or(Error::UnknownTeam)?;
            transaction.prepare_cached(statements::ADD_TRAINER)?.execute([member.0.0, team.0.0])?;
            for (device, _) in devices_of(transaction, statements::DEVICES_OF_MEMBER, member.0.0)? {
                grant(transaction, device, known.training, Role::Trainer as i64, now)?;
            }
        }
        Write::Code(code) => {
            transaction.prepare_cached(statements::ADD_CODE)?.execute(params![
                code.secret_hash,
                code.team.0.0,
                code.member.0.0,
                code.role as u8,
                now.0,
                code.expires_at.0,
            ])?;
        }
        Write::Revoke(device) => {
            transaction.prepare_cached(statements::REVOKE_DEVICE)?.execute(params![device.0, now.0])?;
        }
    }
    Ok(())
}

fn hold(transaction: &Transaction<'_>, team: TeamId, scope: ScopeId, now: Millis) -> Result<()> {
    let state = super::read::scope(transaction, scope)?.ok_or(Error::UnknownScope)?;
    let mut add = transaction.prepare_cached(statements::ADD_TEAM_SCOPE)?;
    add.execute(params![team.0.0, scope.0, now.0, Option::<i64>::None])?;
    for (device, role) in devices_of(transaction, statements::DEVICES_OF_TEAM, team.0.0)? {
        if Role::from_number(role).is_some_and(|role| takes_over(role, state.kind)) {
            grant(transaction, device, scope, role, now)?;
        }
    }
    Ok(())
}

/// The scopes of a new device.
fn holdings(transaction: &Transaction<'_>, code: &Code) -> Result<Vec<ScopeId>> {
    let mut statement = transaction.prepare_cached(statements::TEAM_SCOPES)?;
    let mut rows = statement.query([code.team.0.0])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        if takes_over(code.role, kind(row, 1)?) {
            held.push(ScopeId(row.get(0)?));
        }
    }
    if code.role == Role::Trainer {
        let mut statement = transaction.prepare_cached(statements::TRAINED_SCOPES)?;
        let mut rows = statement.query([code.member.0.0])?;
        while let Some(row) = rows.next()? {
            held.push(ScopeId(row.get(0)?));
        }
    }
    held.sort_unstable();
    held.dedup();
    Ok(held)
}

/// Whether a device in that role holds what its team holds of that kind. Trainers and officers see no household; a
/// trainer's training scopes are those of the teams that the trainer trains.
pub(super) fn takes_over(role: Role, kind: ScopeKind) -> bool {
    matches!(kind, ScopeKind::Place | ScopeKind::Reference)
        || matches!(role, Role::Member | Role::Deputy | Role::Lead)
}

/// A device that holds the scope already keeps its role there, or gets the higher one: in whatever order a lead of one
/// team and member of another comes to hold what both held.
pub(super) fn grant(
    transaction: &Transaction<'_>,
    device: DeviceId,
    scope: ScopeId,
    role: i64,
    now: Millis,
) -> Result<()> {
    let held = role_in(transaction, device, scope)?;
    let is_higher = |held| Role::from_number(role).is_some_and(|role| outranks(role, held));
    if held.is_none_or(is_higher) {
        transaction.prepare_cached(statements::END_GRANT)?.execute(params![device.0, scope.0, now.0])?;
        let mut add = transaction.prepare_cached(statements::ADD_GRANT)?;
        add.execute(params![device.0, scope.0, role, now.0, Option::<i64>::None])?;
    }
    Ok(())
}

/// Roles within a team are in order; trainers and officers are none of them.
fn outranks(role: Role, held: Role) -> bool {
    let rank = |role| [Role::Member, Role::Deputy, Role::Lead].into_iter().position(|one| one == role);
    rank(held).is_some_and(|held| rank(role) > Some(held))
}

pub(super) fn devices_of(
    transaction: &Transaction<'_>,
    sql: &str,
    owner: [u8; 12],
) -> Result<Vec<(DeviceId, i64)>> {
    let mut statement = transaction.prepare_cached(sql)?;
    let rows = statement.query_map([owner], |row| Ok((DeviceId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn device(connection: &Connection, device: DeviceId) -> Result<Option<Device>> {
    let mut statement = connection.prepare_cached(statements::DEVICE)?;
    let mut rows = statement.query([device.0])?;
    rows.next()?.map(|row| device_of(device, row, 0)).transpose()
}

/// What a device is in a scope now; none when it does not hold it.
pub(super) fn role_in(connection: &Connection, device: DeviceId, scope: ScopeId) -> Result<Option<Role>> {
    let mut statement = connection.prepare_cached(statements::GRANT)?;
    let mut rows = statement.query(params![device.0, scope.0])?;
    rows.next()?.map(|row| role(row, 0)).transpose()
}

fn device_of(id: DeviceId, row: &Row<'_>, first: usize) -> Result<Device> {
    let member: Option<[u8; 12]> = row.get(first + 1)?;
    let team: Option<[u8; 12]> = row.get(first + 2)?;
    let revoked_at: Option<i64> = row.get(first + 5)?;
    let own_row: Option<[u8; 12]> = row.get(first + 6)?;
    Ok(Device {
        id,
        public_key: row.get(first)?,
        member: member.map(|id| MemberId(RowId(id))),
        team: team.map(|id| TeamId(RowId(id))),
        role: role(row, first + 3)?,
        enrolled_at: Millis(row.get(first + 4)?),
        revoked_at: revoked_at.map(Millis),
        row: own_row.map(RowId),
    })
}

fn team(connection: &Connection, team: TeamId) -> Result<Option<Team>> {
    let mut statement = connection.prepare_cached(statements::TEAM)?;
    Ok(statement.query_row([team.0.0], team_of).optional()?)
}

fn team_of(row: &Row<'_>) -> rusqlite::Result<Team> {
    Ok(Team {
        id: TeamId(RowId(row.get(0)?)),
        scope: ScopeId(row.get(1)?),
        training: ScopeId(row.get(2)?),
        unit: row.get(3)?,
        name: row.get(4)?,
    })
}

/// The code of that hash and the device that used it.
fn code(connection: &Connection, secret_hash: [u8; 32]) -> Result<Option<(Code, Option<DeviceId>)>> {
    let mut statement = connection.prepare_cached(statements::CODE)?;
    let mut rows = statement.query([secret_hash])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let held: [u8; 32] = row.get(0)?;
    // The index compares hashes of secrets, of which time tells nothing useful; this last word takes constant time.
    if !bool::from(held.ct_eq(&secret_hash)) {
        return Ok(None);
    }
    let used_by: Option<[u8; 8]> = row.get(5)?;
    let code = Code {
        secret_hash: held,
        team: TeamId(RowId(row.get(1)?)),
        member: MemberId(RowId(row.get(2)?)),
        role: role(row, 3)?,
        expires_at: Millis(row.get(4)?),
    };
    Ok(Some((code, used_by.map(DeviceId))))
}

pub(super) fn role(row: &Row<'_>, column: usize) -> Result<Role> {
    Role::from_number(row.get(column)?).ok_or(Error::Corrupt("role"))
}

pub(super) fn kind(row: &Row<'_>, column: usize) -> Result<ScopeKind> {
    ScopeKind::from_number(row.get(column)?).ok_or(Error::Corrupt("kind of scope"))
}
