//! Whatever comes over the line, no decoder panics and none takes memory that the limits do not allow: damaged
//! examples of every kind, claims of size, and bodies that inflate without end.
//!
//! A counting allocator would be unsafe code, which the workspace forbids; the kernel counts instead. What it counts
//! is the whole process, so the inputs go through a process of their own, with one heap for all threads: a second one
//! would reserve more address space than all that is measured here.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use common::*;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use langso_domain::id::{Key, Writer};
use langso_sync::change::{self, Change};
use langso_sync::frame::{KIND_CHANGES, LABEL, MAGIC, Outer, VERSION};
use langso_sync::keys::Fingerprint;
use langso_sync::merge;
use langso_sync::wire::*;

/// What decoding any input may take, everything that was decoded from it included. The largest
/// input here is a body of two MiB, the most that a request may have.
const BOUND: u64 = 8 << 20;
/// Damaged inputs that are tried.
const TRIES: u64 = 40_000;

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

/// The examples of the protocol page, the frames checked in, and larger ones of each kind; bodies of frames apart.
fn good() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/protocol.md")).unwrap();
    let blocks = page.split("```hex ").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let unhex = |block: &str| -> Vec<u8> {
        let digits: Vec<u8> = block.lines().skip(1).flat_map(str::bytes).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    };
    let mut inputs: Vec<Vec<u8>> = blocks.map(unhex).collect();
    let frames = std::fs::read_dir(root.join("fixtures/frames")).unwrap();
    inputs.extend(frames.map(|file| std::fs::read(file.unwrap().path()).unwrap()));
    let frame = own_frame(&key(1), &visits(40, 1));
    let mut hello = Hello::new(SCHEMA, "langso 0.1.0");
    hello.held = (1..200).map(|n| Held { writer: Writer(n), upto: 5 }).collect();
    inputs.push(write_request(&key(1), &Nonce::default(), &hello, std::slice::from_ref(&frame)));
    let ranges =
        (0..400).map(|n| Range { position: n * 3 + 1, held: n as u32 / 4, first: 1, n: 2 }).collect();
    let receipts = vec![ScopeReceipts { scope: 0, ranges }];
    let head = ReplyHead { hub_time_ms: 1, receipts, ..ReplyHead::default() };
    inputs.push([head.encode(), frame.clone(), Ended::default().encode()].concat());
    let invite = Invite { secret: [7; 16], hub: Fingerprint([9; 16]), url: "http://hub.example".to_owned() };
    inputs.push(invite.to_string().into_bytes());
    inputs.push(frame);
    let opened =
        inputs.iter().filter_map(|input| Some(Outer::whole(input).ok()?.open().ok()?.inflated().to_vec()));
    let bodies = opened.collect();
    (inputs, bodies)
}

/// Damages bytes as lines, disks and forgers do.
fn damage(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    // Heads of CBOR that claim more than there is, and lengths of four bytes.
    const CLAIMS: &[&[u8]] = &[
        &[0x9A, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x9B, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0xBB, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x5A, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x7B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x9F, 0xBF, 0x5F, 0x7F],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0, 0, 0, 0],
        &[0x81; 64],
        &[0xC6; 64],
    ];
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() as u64 + 1) as usize;
        let upto = (at + dice.below(24) as usize).min(bytes.len());
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..upto, other.iter().skip(at).take(40).copied())),
            2 => drop(bytes.splice(at..at, bytes[at..upto].to_vec())),
            3 => bytes[at..upto].iter_mut().for_each(|byte| *byte ^= dice.next() as u8),
            _ => {
                let claim = CLAIMS[dice.below(CLAIMS.len() as u64) as usize];
                let end = if dice.below(2) == 0 { at } else { (at + claim.len()).min(bytes.len()) };
                bytes.splice(at..end, claim.iter().copied());
            }
        }
    }
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
    let (inputs, bodies) = good();
    let greedy = greedy();
    for input in &inputs {
        decode_everywhere(input, 1_000);
    }
    let start = counted("VmSize:");
    let taken = || counted("VmPeak:") - start;
    assert!(taken() < BOUND, "{} before the first input", taken());
    for (at, input) in greedy.iter().enumerate() {
        for chunk in [1_000, usize::MAX] {
            decode_everywhere(input, chunk.min(input.len().max(1)));
            assert!(taken() < BOUND, "greedy input {at} of {} bytes took {}", input.len(), taken());
        }
    }
    let mut dice = Dice(1);
    for seed in 0..TRIES {
        let of = if seed % 3 == 0 { &bodies } else { &inputs };
        let other = &inputs[dice.below(inputs.len() as u64) as usize];
        let mut input = of[dice.below(of.len() as u64) as usize].clone();
        damage(&mut input, other, &mut dice);
        if seed % 3 == 0 {
            input = around(&input);
        }
        let chunk = 1 + dice.below(2_000) as usize;
        decode_everywhere(&input, chunk);
        assert!(taken() < BOUND, "damaged input {seed} of {} bytes took {}", input.len(), taken());
    }
    // The measure itself: a claim that is believed shows, also when nobody touches what it got.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(2 * BOUND as usize)));
    assert!(taken() >= BOUND, "the kernel does not count what this test lives by");
}
