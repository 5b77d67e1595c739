//! A small fuzzer: takes the examples of `fixtures/fuzz/NAME`, damages them by a seed, and gives them to a decoder.
//!
//! Deterministic: the same seed gives the same cases on every machine. It knows nothing of coverage; what a decoder
//! accepted is damaged further, so that cases go deeper than one step from an example. The decoder under test runs in
//! a process of its own, whose address space the kernel counts: a counting allocator would be unsafe code, which the
//! workspace forbids. Files named `good-` must be accepted; any other is there because it once was a fault or is
//! likely to become one.
//!
//! `LANGSO_LONG=1` tries a hundred times as many cases; `LANGSO_SEED` sets the seed.
#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is tried.
pub struct Fuzz {
    /// Names the folder of examples and the line that is printed.
    pub name: &'static str,
    /// Cases of the short form.
    pub cases: u64,
    /// Pieces that mean something to the decoder, put in as they are.
    pub pieces: &'static [&'static [u8]],
    /// The most bytes of address space that all cases together may add.
    pub bound: u64,
}

/// How many times the cases of the short form the long one tries.
const LONG: u64 = 100;
/// Accepted cases that are damaged further.
const POOL: usize = 64;
/// No example grows beyond this by being damaged.
const MAX_INPUT: usize = 1 << 17;
/// Set in the process that is counted.
const COUNTED: &str = "LANGSO_COUNTED";

/// Numbers that look random and never change.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn place(&mut self, length: usize) -> usize {
        self.below(length as u64 + 1) as usize
    }
}

/// Heads of CBOR that claim more than there is, numbers at the ends of their ranges, and deep nesting.
pub const CBOR: &[&[u8]] = &[
    &[0x9A, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x9B, 0, 0, 0, 1, 0, 0, 0, 0],
    &[0xBB, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x5A, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x7B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x1B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x3B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    &[0x1A, 0x00, 0xFF, 0xFF, 0xFF],
    &[0x1B, 0x00, 0x01, 0, 0, 0, 0, 0, 0],
    &[0x18, 0x00],
    &[0x19, 0xFF, 0xFF],
    &[0x9F, 0xBF, 0x5F, 0x7F],
    &[0xF9, 0x7E, 0x00],
    &[0xF6],
    &[0xF5],
    &[0xA0],
    &[0x80],
    &[0x40],
    &[0xC6, 0x00],
    &[0xC6, 0x4C],
    &[0x81; 64],
    &[0xC6; 64],
];

/// What breaks readers of text.
pub const TEXT: &[&[u8]] = &[
    b"\0",
    b"\t",
    b"\r\n",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{}",
    b"[]",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e999",
    b"2024-02-30",
    b"9999-12-31",
    b"@",
    b"@0",
    b"#",
    b"=",
    b"\xCC\x80",
    b"\xE1\xBA\xBF",
    b"\xF0\x9F\x98\x80",
    b"\xFF",
];

/// The folder of everything that is checked in for tests.
pub fn fixtures() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = |path: &Path| path.join("fixtures").is_dir();
    from.ancestors().find(|path| here(path)).unwrap().join("fixtures")
}

/// The examples of a decoder, in order of their names.
pub fn examples(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fixtures().join("fuzz").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut examples: Vec<_> = files
        .map(|file| {
            let path = file.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
        })
        .collect();
    examples.sort();
    assert!(!examples.is_empty(), "{name} has no example");
    examples
}

/// Whether more is tried than in everyday tests.
pub fn is_long() -> bool {
    std::env::var_os("LANGSO_LONG").is_some_and(|value| value == "1")
}

/// What was set, or 1.
pub fn seed() -> u64 {
    std::env::var("LANGSO_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Runs `try_one` over damaged examples in a process of its own and passes on what that printed. `try_one` says
/// whether the decoder accepted the input, and panics when something is wrong.
#[track_caller]
pub fn run(fuzz: &Fuzz, try_one: impl FnMut(&[u8]) -> bool) {
    if std::env::var(COUNTED).is_ok_and(|name| name == fuzz.name) {
        return try_all(fuzz, try_one);
    }
    // Test threads are named for the test that they run.
    let test = std::thread::current().name().unwrap().to_owned();
    let tried = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(COUNTED, fuzz.name)
        // A second heap would reserve more address space than all that is measured here.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout);
    let line = said.lines().find_map(|line| line.find("resilience: ").map(|at| &line[at..]));
    assert!(tried.status.success(), "{said}\n{}", String::from_utf8_lossy(&tried.stderr));
    println!("{}", line.expect("it says what it tried"));
}

fn try_all(fuzz: &Fuzz, mut try_one: impl FnMut(&[u8]) -> bool) {
    let examples = examples(fuzz.name);
    for (name, bytes) in &examples {
        let _on_panic = Case { what: name.clone(), input: bytes };
        let accepted = try_one(bytes);
        assert!(accepted || !name.starts_with("good-"), "{}/{name} is refused", fuzz.name);
    }
    let start = counted("VmSize:");
    let (seed, cases) = (seed(), if is_long() { fuzz.cases * LONG } else { fuzz.cases });
    let mut dice = Dice::new(seed);
    let mut pool: Vec<Vec<u8>> = Vec::with_capacity(POOL);
    for case in 0..cases {
        let from = |dice: &mut Dice| -> usize { dice.below((examples.len() + pool.len()) as u64) as usize };
        let of = |at: usize| examples.get(at).map_or_else(|| &pool[at - examples.len()], |(_, bytes)| bytes);
        let mut input = of(from(&mut dice)).clone();
        let other = of(from(&mut dice));
        damage(&mut input, other, fuzz.pieces, &mut dice);
        let _on_panic = Case { what: format!("case {case} of seed {seed}"), input: &input };
        if try_one(&input) {
            if pool.len() < POOL {
                pool.push(input.clone());
            } else {
                let at = dice.below(POOL as u64) as usize;
                pool[at].clone_from(&input);
            }
        }
        if case % 16 == 0 || case + 1 == cases {
            let taken = counted("VmPeak:").saturating_sub(start);
            assert!(taken < fuzz.bound, "the cases up to {case} took {taken} bytes");
        }
    }
    if cfg!(target_os = "linux") {
        // The measure itself: a claim that is believed shows, also when nobody touches what it got.
        drop(std::hint::black_box(Vec::<u8>::with_capacity(2 * fuzz.bound as usize)));
        assert!(counted("VmPeak:") - start >= fuzz.bound, "the kernel does not count what this lives by");
    }
    println!("resilience: fuzz-{} cases={cases} lost=0 seed={seed}", fuzz.name);
}

/// Damages bytes as lines, disks and forgers do.
pub fn damage(bytes: &mut Vec<u8>, other: &[u8], pieces: &[&[u8]], dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let at = dice.place(bytes.len());
        let upto = (at + dice.below(24) as usize).min(bytes.len());
        match dice.below(10) {
            0 => bytes.truncate(at),
            1 => {
                let from = dice.place(other.len());
                drop(bytes.splice(at..upto, other[from..].iter().take(40).copied().collect::<Vec<_>>()));
            }
            2 => drop(bytes.splice(at..at, bytes[at..upto].to_vec())),
            3 => bytes[at..upto].iter_mut().for_each(|byte| *byte ^= dice.next() as u8),
            4 => bytes[at..upto].reverse(),
            5 => drop(bytes.drain(at..upto)),
            6 | 7 => {
                let step = [1, 255, 0x80, 0x40, 0x20][dice.below(5) as usize];
                bytes[at..upto].iter_mut().take(1).for_each(|byte| *byte = byte.wrapping_add(step));
            }
            _ if pieces.is_empty() => {}
            _ => {
                let piece = pieces[dice.below(pieces.len() as u64) as usize];
                let end = if dice.below(2) == 0 { at } else { (at + piece.len()).min(bytes.len()) };
                bytes.splice(at..end, piece.iter().copied());
            }
        }
    }
    bytes.truncate(MAX_INPUT);
}

/// Says which input it was when the decoder panicked.
struct Case<'a> {
    what: String,
    input: &'a [u8],
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.input.iter().take(2_000).map(|byte| format!("{byte:02x}")).collect();
            eprintln!("{}, {} bytes: {hex}", self.what, self.input.len());
        }
    }
}

/// Address space of this process in bytes, which counts also what is never touched: now, or the most ever.
pub fn counted(what: &str) -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
