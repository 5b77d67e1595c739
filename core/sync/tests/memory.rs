//! Inputs made to cost as much as they can: no decoder panics and none takes memory that the limits do not allow.
//! Claims of size, bodies that inflate without end, and as many small items as fit. Damaged examples are in `fuzz`.
//!
//! A counting allocator would be unsafe code, which the workspace forbids; the kernel counts instead. What it counts
//! is the whole process, so the inputs go through a process of their own, with one heap for all threads: a second one
//! would reserve more address space than all that is measured here.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::io::Write;
use std::process::Command;

use common::*;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use langso_domain::id::{Key, Writer};
use langso_sync::change::{self, Change};
use langso_sync::frame::{KIND_CHANGES, LABEL, MAGIC, Outer, VERSION};
use langso_sync::keys::Fingerprint;
use langso_sync::merge;
use langso_sync::state::{StateFrame, StateRow};
use langso_sync::wire::*;

/// What decoding any input may take, everything that was decoded from it included. The largest
/// input here is a body of two MiB, the most that a request may have.
const BOUND: u64 = 8 << 20;

/// Address space of this process in bytes, which counts also what is never touched: now, or the most ever.
fn counted(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Gives the bytes to every decoder there is.
fn decode_everywhere(bytes: &[u8], chunk: usize) {
    if let Ok(change) = Change::decode(bytes) {
        assert!(change.rows.len() <= change::MAX_ROWS);
    }
    let _ = change::scan(bytes);
    let row = Key { writer: Writer(9), seq: 1 }.row(0);
    let _ = merge::decode(row, bytes);
    open_everywhere(bytes);
    let mut request = RequestReader::new(MAX_REQUEST_BYTES as u64);
    for part in bytes.chunks(chunk) {
        if request.push(part).is_err() {
            break;
        }
        while let Ok(Some(event)) = request.next_event() {
            if let RequestEvent::Frame(frame) = event {
                open_everywhere(&frame);
            }
        }
    }
    let mut reply = ReplyReader::default();
    'reply: for part in bytes.chunks(chunk) {
        reply.push(part);
        loop {
            match reply.next_event() {
                Ok(Some(ReplyEvent::Frame(frame))) => open_everywhere(&frame),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => break 'reply,
            }
        }
    }
    let _ = ProblemBody::decode(bytes);
    let _ = Enrol::decode(bytes);
    let _ = Enrolled::decode(bytes, b"question", &Fingerprint([7; 16]));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Invite>();
    }
}

/// As who opens frames without a look at the signature, so that damage gets inside.
fn open_everywhere(bytes: &[u8]) {
    let Ok(outer) = Outer::whole(bytes) else { return };
    if let Ok(frame) = StateFrame::open(&outer) {
        let writers: Vec<Writer> = frame.writers.iter().map(|memory| memory.writer).collect();
        let Ok(mut rows) = frame.rows(&writers) else { return };
        let mut row = StateRow::default();
        while rows.next_into(&mut row) == Ok(true) {}
        return;
    }
    let Ok(frame) = outer.open() else { return };
    for change in frame.changes() {
        let _ = Change::decode(change.bytes);
    }
}

/// A signed frame around a body that is deflated here.
fn around(body: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(body).unwrap();
    signed(&deflate.finish().unwrap())
}

fn signed(deflated: &[u8]) -> Vec<u8> {
    let mut frame = [&MAGIC[..], &[VERSION, KIND_CHANGES], &key(1).id().0].concat();
    frame.extend((deflated.len() as u32).to_be_bytes());
    frame.extend(deflated);
    let signature = key(1).sign(LABEL, &[&frame]);
    frame.extend(signature);
    frame
}

/// Inputs made to cost as much as they can.
fn greedy() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    // Half a gigabyte of zeros in half a megabyte, and as much of it as a frame may carry.
    let mut bomb = DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..512).for_each(|_| bomb.write_all(&zeros).unwrap());
    let bomb = bomb.finish().unwrap();
    all.push(signed(&bomb));
    all.push(signed(&bomb[..320 << 10]));
    // A length of four gigabytes and nothing behind it, in every place that has one.
    let frame = signed(&[]);
    all.push([&frame[..12], &[0xFF; 4]].concat());
    for magic in [b"LR", b"LE", b"LP", b"LN"] {
        all.push([&magic[..], &[0xFF; 4]].concat());
    }
    all.push([&[7; 8][..], &[0], &[0; 64], &[0xFF; 4]].concat());
    // As many items as fit, each as small as can be: rows, references, names, nested lists, keys of maps.
    let change = |rows: &[u8]| {
        let head = [&[0x85, 0x48][..], &[9; 8], &[0x01, 0x01]].concat();
        [&head[..], rows, &[0xA0]].concat()
    };
    let many = |head: u8, count: u16, item: &[u8]| {
        [&[head, (count >> 8) as u8, count as u8][..], &item.repeat(usize::from(count))].concat()
    };
    all.push(change(&many(0x99, 255, &[0x82, 0x01, 0xA0])));
    all.push(change(&[&[0x81, 0x82, 0x01, 0xA1, 0x01][..], &many(0x99, 30_000, &[0xC6, 0x00])].concat()));
    let base = many(0x99, 60_000, &[0x00]);
    let target = [&[0xC6, 0x4C][..], &[8; 12]].concat();
    all.push(change(&[&[0x81, 0x84, 0x01, 0xA1, 0x01, 0x01][..], &target, &base].concat()));
    all.push(change(&[&[0x81, 0x82, 0x01, 0xA1, 0x01][..], &[0x81; 60_000], &[0x00]].concat()));
    all.push(many(0xB9, 60_000, &[0x00, 0x00]));
    // Whole bodies of the largest size.
    all.push(vec![0xA0; MAX_REQUEST_BYTES]);
    all.push([&b"LR"[..], &(250u32 << 10).to_be_bytes(), &vec![0x81; 250 << 10]].concat());
    let framed: Vec<Vec<u8>> = all.iter().filter(|one| one.len() < 200_000).map(|one| around(one)).collect();
    all.extend(framed);
    all
}

/// Set in the process that is counted.
const COUNTED: &str = "LANGSO_COUNTED";

#[test]
fn no_input_makes_a_decoder_panic_or_take_memory_beyond_the_limits() {
    if std::env::var_os(COUNTED).is_some() {
        return decode_all();
    }
    let counted = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "no_input_makes_a_decoder_panic_or_take_memory_beyond_the_limits", "--nocapture"])
        .env(COUNTED, "1")
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
}

fn decode_all() {
    let greedy = greedy();
    decode_everywhere(&own_frame(&key(1), &visits(40, 1)), 1_000);
    let start = counted("VmSize:");
    let taken = || counted("VmPeak:") - start;
    assert!(taken() < BOUND, "{} before the first input", taken());
    for (at, input) in greedy.iter().enumerate() {
        for chunk in [1_000, usize::MAX] {
            decode_everywhere(input, chunk.min(input.len().max(1)));
            assert!(taken() < BOUND, "greedy input {at} of {} bytes took {}", input.len(), taken());
        }
    }
    // The measure itself: a claim that is believed shows, also when nobody touches what it got.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(2 * BOUND as usize)));
    assert!(taken() >= BOUND, "the kernel does not count what this test lives by");
}
