//! What a run did, step by step: a hash that two runs of one seed must share, counts, and words when asked for.

use std::collections::BTreeMap;

use crate::dice::mix;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    hash: u64,
    counts: BTreeMap<&'static str, u64>,
    words: Option<Vec<String>>,
    step: u64,
    noted: u64,
}

impl Trace {
    pub fn new(in_words: bool) -> Self {
        Self { words: in_words.then(Vec::new), ..Self::default() }
    }

    pub fn step(&mut self, step: u64) {
        self.step = step;
    }

    /// Notes that something happened, by a name and the numbers that tell it from others of its kind.
    pub fn note(&mut self, what: &'static str, numbers: &[u64]) {
        let mut hash = what.bytes().fold(self.hash, |hash, byte| mix(hash ^ u64::from(byte)));
        for number in numbers {
            hash = mix(hash.wrapping_add(*number));
        }
        self.hash = hash;
        self.noted += 1;
        *self.counts.entry(what).or_default() += 1;
        if let Some(words) = &mut self.words {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            words.push(format!("{:>6}  {what} {}", self.step, numbers.join(" ")));
        }
    }

    /// How much has been noted so far.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    pub fn end(self) -> (u64, BTreeMap<&'static str, u64>, Vec<String>) {
        (self.hash, self.counts, self.words.unwrap_or_default())
    }
}
