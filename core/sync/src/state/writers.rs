//! The list of writers with what was applied of each, in columns.

use langso_domain::id::{DeviceId, MAX_SEQ, Writer};

use super::column::{next_bytes, next_column, next_number, put_column};
use super::{MAX_WRITERS, WriterMemory};
use crate::change::Malformed;
use crate::leb;

/// The most ranges beyond of all writers of one frame.
const MAX_RANGES: u64 = 16_384;

pub(super) fn write(to: &mut Vec<u8>, writers: &[WriterMemory]) {
    if writers.is_empty() {
        return;
    }
    let mut devices: Vec<DeviceId> = Vec::new();
    let [mut whose, mut uptos, mut beyond] = [const { Vec::new() }; 3];
    for memory in writers {
        // 0 = no device.
        let at = memory.device.map_or(0, |device| {
            let known = devices.iter().position(|other| *other == device);
            known.unwrap_or_else(|| {
                devices.push(device);
                devices.len() - 1
            }) + 1
        });
        leb::put(&mut whose, at as u64);
        leb::put(&mut uptos, u64::from(memory.upto));
        leb::put(&mut beyond, memory.beyond.len() as u64);
        let mut end = memory.upto;
        for (first, last) in &memory.beyond {
            leb::put(&mut beyond, u64::from(first - end));
            leb::put(&mut beyond, u64::from(last - first));
            end = *last;
        }
    }
    leb::put(to, devices.len() as u64);
    devices.iter().for_each(|device| to.extend_from_slice(&device.0));
    writers.iter().for_each(|memory| to.extend_from_slice(&memory.writer.0.to_be_bytes()));
    put_column(to, &whose);
    put_column(to, &uptos);
    put_column(to, &beyond);
}

/// Reads what [`write`] wrote of `count` writers and moves on.
pub(super) fn read(from: &mut &[u8], count: usize) -> Result<Vec<WriterMemory>, Malformed> {
    const BAD: Malformed = Malformed("state writers");
    if count == 0 {
        return Ok(Vec::new());
    }
    let devices =
        usize::try_from(next_number(from)?).ok().filter(|&count| count <= MAX_WRITERS).ok_or(BAD)?;
    let devices = next_bytes(from, devices * 8)?.as_chunks::<8>().0;
    let writers = next_bytes(from, count * 8)?.as_chunks::<8>().0;
    let (whose, uptos, beyonds) = (&mut next_column(from)?, &mut next_column(from)?, &mut next_column(from)?);
    let mut left = MAX_RANGES;
    let mut list = Vec::with_capacity(count);
    for writer in writers {
        let device = match next_number(whose)? {
            0 => None,
            at => Some(DeviceId(*usize::try_from(at - 1).ok().and_then(|at| devices.get(at)).ok_or(BAD)?)),
        };
        let seq = |number: u64| u32::try_from(number).ok().filter(|&seq| seq <= MAX_SEQ).ok_or(BAD);
        let upto = seq(next_number(uptos)?)?;
        let ranges = next_number(beyonds)?;
        left = left.checked_sub(ranges).ok_or(BAD)?;
        let mut beyond = Vec::new();
        let mut end = upto;
        for _ in 0..ranges {
            let (gap, length) = (next_number(beyonds)?, next_number(beyonds)?);
            // What touches is one range.
            let first = u64::from(end).checked_add(gap).filter(|_| gap > 1).ok_or(BAD)?;
            let last = first.checked_add(length).ok_or(BAD)?;
            beyond.push((seq(first)?, seq(last)?));
            end = seq(last)?;
        }
        list.push(WriterMemory { writer: Writer(u64::from_be_bytes(*writer)), device, upto, beyond });
    }
    if !whose.is_empty() || !uptos.is_empty() || !beyonds.is_empty() {
        return Err(BAD);
    }
    Ok(list)
}
