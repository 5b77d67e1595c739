//! Who wrote: from a writer to the device it belongs to, and to the member whose device that is.

use std::collections::BTreeMap;

use langso_domain::id::{DeviceId, MemberId, Writer};
use langso_sync::keys::{PublicKey, device_id};
use rusqlite::{Connection, OptionalExtension};

use super::rows;
use crate::error::Result;

/// The member of each device that the hub's list names.
pub(super) fn members_of_devices(connection: &Connection) -> Result<BTreeMap<DeviceId, MemberId>> {
    let sql = "SELECT public_key, member_id FROM devices WHERE v_stamp > 0";
    let found = rows::all(connection, sql, [], |row| {
        let key: Option<Vec<u8>> = row.get(0)?;
        Ok(key.zip(rows::some_id(row, 1, MemberId)?))
    })?;
    let known = found.into_iter().flatten().filter_map(|(key, member)| Some((device_of_key(&key)?, member)));
    Ok(known.collect())
}

/// The device of a public key; none when the bytes are no key.
pub(super) fn device_of_key(key: &[u8]) -> Option<DeviceId> {
    PublicKey::from_bytes(key).map(|key| device_id(&key))
}

/// The device of a writer; none for one that never came here.
pub(super) fn device_of(connection: &Connection, writer: Writer) -> Result<Option<DeviceId>> {
    let mut get = connection.prepare_cached("SELECT device FROM writers WHERE writer = ?1")?;
    Ok(get.query_row([writer.0 as i64], |row| row.get(0).map(DeviceId)).optional()?)
}

/// When each device last wrote something that is here, ms UTC.
pub(super) fn last_work(connection: &Connection) -> Result<BTreeMap<DeviceId, i64>> {
    let sql = "SELECT writer, device FROM writers";
    let devices: BTreeMap<i64, DeviceId> =
        rows::all(connection, sql, [], |row| Ok((row.get(0)?, DeviceId(row.get(1)?))))?.into_iter().collect();
    let sql = "SELECT writer, max(stamp) FROM (
          SELECT substr(id, 1, 8) AS writer, v_stamp AS stamp FROM visits
          UNION ALL SELECT substr(id, 1, 8), v_stamp FROM households
          UNION ALL SELECT substr(id, 1, 8), v_stamp FROM sessions
          UNION ALL SELECT substr(id, 1, 8), v_stamp FROM work_days
          UNION ALL SELECT substr(id, 1, 8), v_stamp FROM follow_ups
          UNION ALL SELECT substr(id, 1, 8), v_stamp FROM reviews
        ) GROUP BY writer";
    let mut last = BTreeMap::new();
    for (writer, stamp) in
        rows::all(connection, sql, [], |row| Ok((row.get::<_, [u8; 8]>(0)?, row.get::<_, i64>(1)?)))?
    {
        let Some(device) = devices.get(&i64::from_be_bytes(writer)) else { continue };
        let at = last.entry(*device).or_insert(0);
        *at = stamp.max(*at);
    }
    Ok(last.into_iter().map(|(device, stamp)| (device, stamp >> 16)).collect())
}
